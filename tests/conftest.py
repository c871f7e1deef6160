"""How hard the tests try: ``-m thorough`` runs those that can try harder, and has them do so.

python -m pytest -m thorough                # property tests and faults, in full
python -m pytest tests/faults -m thorough   # faults alone
"""

import gc
import os
from pathlib import Path

import pytest

CAN_TRY_HARDER = {"faults", "property", "contract"}
HERE = Path(__file__).parent


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "thorough: can be run in full, with `-m thorough`")
    if config.getoption("markexpr") == "thorough":
        os.environ["OVERAGES_THOROUGH"] = "1"  # read when the folders of tests are imported


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if any(item.path.is_relative_to(HERE / folder) for folder in CAN_TRY_HARDER):
            item.add_marker(pytest.mark.thorough)


def pytest_collection_finish() -> None:
    gc.freeze()  # thousands of tests live to the end: the collector need not look at them again
