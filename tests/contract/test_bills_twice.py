"""The contract finds an adapter that bills twice where several writers meet, and only there."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_contract_fails_where_four_record_at_once_and_nowhere_else() -> None:
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-rf", "--tb=no"]
    done = subprocess.run(
        [*command, "--assert=plain", "--noconftest", "tests/contract/bills_twice.py"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stdout + done.stderr
    assert set(re.findall(r"^FAILED .*::(\w+)", done.stdout, re.MULTILINE)) == {
        "test_four_closings_at_once_close_once",
        "test_four_recalculations_at_once_bill_once",
        "test_of_four_results_for_one_revision_one_is_recorded",
        "test_results_of_four_periods_at_once_are_all_recorded",
    }
    (passed,) = re.findall(r"(\d+) passed", done.stdout)
    assert int(passed) > 150
