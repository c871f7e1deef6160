"""How hard the tests try, and what they draw.

python -m pytest -n auto                    # the same examples in each run, on all cores
python -m pytest -m thorough                # property tests, faults and contract in full, at random
python -m pytest -m "not drawn"             # examples that a person wrote, alone
"""

import gc
import os
import random
import sys
import tempfile
from collections.abc import Generator
from functools import cache
from pathlib import Path
from shutil import disk_usage
from typing import Any

import pytest
from hypothesis import HealthCheck, is_hypothesis_test, settings

CAN_TRY_HARDER = {"faults", "property", "contract"}
HERE = Path(__file__).parent
IN_MEMORY = Path("/dev/shm")  # where Linux has a folder in memory
ROOM = 2**28  # bytes, several times those that the tests have there at once

# No run may fail for a slow machine, nor for what it happened to draw: only `-m thorough` draws at
# random, and without a database of earlier failures, so that its seed alone says what it draws.
UNHURRIED = settings(
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
    database=None,
)
settings.register_profile("modest", UNHURRIED, max_examples=5, derandomize=True)
settings.register_profile(
    "thorough", UNHURRIED, max_examples=160, derandomize=False, print_blob=True
)


def draw_the_same_wherever_the_package_is() -> None:
    """Let Hypothesis draw no constants of the modules that it takes for the user's own.

    Which these are depends on where the package is installed, on what was imported before and on
    every number in its code. No setting says it, so that a part of Hypothesis itself is replaced.
    """
    drawing = vars(sys.modules.get("hypothesis.internal.conjecture.providers", object))
    if "is_local_module_file" in drawing:
        drawing["is_local_module_file"] = lambda _: False


def keep_folders_in_memory() -> None:
    """Let temporary folders be in memory, where the system has room for them there.

    No power fails here, and thousands of commits would wait for the disk: on a busy machine they
    took a third of the time. The variable is for processes that tests start; it can be set.
    """
    if os.access(IN_MEMORY, os.W_OK) and disk_usage(IN_MEMORY).free > ROOM:
        tempfile.tempdir = os.environ.setdefault("TMPDIR", str(IN_MEMORY))


@pytest.hookimpl(tryfirst=True)  # before Hypothesis's own plugin reads the seed
def pytest_configure(config: pytest.Config) -> None:
    draw_the_same_wherever_the_package_is()
    keep_folders_in_memory()
    config.addinivalue_line("markers", "thorough: can be run in full, with `-m thorough`")
    config.addinivalue_line("markers", "drawn: Hypothesis draws its examples")
    if config.option.markexpr != "thorough":
        settings.load_profile("modest")
        return
    os.environ["OVERAGES_THOROUGH"] = "1"  # read when the folders of tests are imported
    settings.load_profile("thorough")
    if config.option.hypothesis_seed is None:
        config.option.hypothesis_seed = str(random.SystemRandom().getrandbits(32))


def pytest_sessionstart(session: pytest.Session) -> None:
    if session.config.option.markexpr == "thorough":
        seed = session.config.option.hypothesis_seed
        reporter: Any = session.config.pluginmanager.get_plugin("terminalreporter")
        reporter.write_line(f"the same once more: -m thorough --hypothesis-seed={seed}")


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Collect tests without the collector of garbage, which need not look at them later either.

    They are thousands, and live to the end: looking at them again and again took a third of it.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


@cache
def can_try_harder(path: Path) -> bool:
    return any(path.is_relative_to(HERE / folder) for folder in CAN_TRY_HARDER)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if can_try_harder(item.path):
            item.add_marker(pytest.mark.thorough)
        if is_hypothesis_test(getattr(item, "obj", None)):
            item.add_marker(pytest.mark.drawn)
