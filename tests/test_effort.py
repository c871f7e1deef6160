"""How hard the tests try: the same examples in each run, or more at random with ``-m thorough``."""

import json
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from hypothesis import find, settings, strategies as st
from hypothesis.errors import NoSuchExample

from tests.contract import test_lockstep
from tests.property.effort import few, many

ROOT = Path(__file__).parents[1]
COLLECT = """
import json, sys
import pytest

class Effort:
    def pytest_collection_finish(self):
        from hypothesis import core, settings
        loaded = {name: vars(module) for name, module in sys.modules.items() if "tests." in name}
        told = {name: found["THOROUGH"] for name, found in loaded.items() if "THOROUGH" in found}
        many = loaded.get("tests.property.effort", {}).get("many", settings.default)
        examples = [settings.default.max_examples, many.max_examples]
        random = not settings.default.derandomize and not many.derandomize
        print()
        print(json.dumps({"examples": examples, "random": random, "seed": core.global_force_seed}))
        print(json.dumps(told))

options = ["--collect-only", "--assert=plain"]  # no test is run: none needs to be rewritten
sys.exit(pytest.main([*options, *sys.argv[1:]], plugins=[Effort()]))
"""
NAMED = [
    "tests/contract/test_lockstep.py",
    "tests/faults/test_bit_flips.py",
    "tests/property/test_pooling.py",
]
LOADED = {"tests.contract.test_lockstep", "tests.faults.effort", "tests.property.effort"}


def thorough(*arguments: str) -> tuple[str, Any, Any]:
    """Return what pytest says first when it is told to be thorough, and how hard it would try."""
    run = subprocess.run(
        [sys.executable, "-c", COLLECT, "-m", "thorough", *arguments],
        capture_output=True, text=True, check=True, cwd=ROOT,
    )  # fmt: skip
    lines = run.stdout.splitlines()
    effort, told = (json.loads(line) for line in lines if line.startswith("{"))
    return lines[0], effort, told


def test_told_to_be_thorough_all_that_is_named_is_and_its_seed_is_told() -> None:
    said, effort, told = thorough(*NAMED)
    assert told == dict.fromkeys(LOADED, True)
    assert effort["examples"] == [160, 800]
    assert effort["random"]
    assert said == f"the same once more: -m thorough --hypothesis-seed={effort['seed']}"


def test_a_seed_that_is_told_is_taken() -> None:
    said, effort, _ = thorough("--hypothesis-seed=7", "tests/faults/test_left_behind.py")
    assert said.endswith("--hypothesis-seed=7")
    assert effort["seed"] == 7


@pytest.mark.parametrize("kind", ["default", "few", "many", "lockstep"])
def test_each_run_draws_the_same_however_slow_the_machine(kind: str) -> None:
    kinds = {"few": few, "many": many, "lockstep": test_lockstep.TestLockstep.settings}
    chosen = kinds.get(kind, settings.default)
    assert chosen is not None
    assert chosen.derandomize
    assert chosen.deadline is None
    assert chosen.database is None


def test_constants_of_the_code_around_are_not_drawn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "of_the_user.py").write_text("NUMBER = 918_273_645_546_372_819")
    monkeypatch.syspath_prepend(tmp_path)
    number = import_module("of_the_user").NUMBER
    near = st.integers(number - 10**15, number + 10**15)  # one in twenty would be the number itself
    with pytest.raises(NoSuchExample):
        find(near, lambda drawn: drawn == number, settings=settings(max_examples=500))
