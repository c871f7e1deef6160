"""``-m thorough`` has the tests try harder, whichever of them are named with it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
COLLECT = """
import json, sys
import pytest

class Effort:
    def pytest_collection_finish(self):
        from hypothesis import settings
        loaded = {name: vars(module) for name, module in sys.modules.items() if "tests." in name}
        told = {name: found["THOROUGH"] for name, found in loaded.items() if "THOROUGH" in found}
        many = {found["many"].max_examples for found in loaded.values() if "many" in found}
        print()
        print(json.dumps({"examples": [settings().max_examples, *many], **told}))

sys.exit(pytest.main(["--collect-only", *sys.argv[1:]], plugins=[Effort()]))
"""
PROPERTY = "tests/property/test_pooling.py"
OTHERS = ["tests/contract/test_lockstep.py", "tests/faults/test_bit_flips.py"]
EFFORT = {"tests.property.effort"}


def effort_of(*arguments: str) -> dict[str, object]:
    """Return how hard pytest would try, told this on its command line."""
    run = subprocess.run(
        [sys.executable, "-c", COLLECT, *arguments],
        capture_output=True, text=True, check=True, cwd=ROOT,
    )  # fmt: skip
    found: dict[str, object] = json.loads(
        next(line for line in run.stdout.splitlines() if line.startswith("{"))
    )
    return found


@pytest.mark.parametrize(
    ("named", "loaded"),
    [
        ([PROPERTY], EFFORT),
        ([*OTHERS, PROPERTY], EFFORT | {"tests.contract.test_lockstep", "tests.faults.effort"}),
    ],
)
def test_told_to_be_thorough_all_that_is_named_is(named: list[str], loaded: set[str]) -> None:
    thorough = effort_of("-m", "thorough", *named)
    assert thorough == {"examples": [160, 800], **dict.fromkeys(loaded, True)}
