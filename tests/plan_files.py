"""The least file of plans there can be, that of the reference, and what is wrong with one."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from overages import MemoryRepository, Repository
from overages.errors import OveragesError
from overages.imports.applying import apply, changes_of
from overages.imports.plans import PlanBook, read_plans

NOW = datetime(2024, 3, 20, 9, tzinfo=UTC)
"""When files are applied."""

_PAGE = (Path(__file__).parents[1] / "docs/reference/files.md").read_text("utf-8")
FILE_BLOCKS = re.findall(r"^```toml\n(.*?)^```$", _PAGE, re.MULTILINE | re.DOTALL)
_PRICES: str = re.findall(r"^```text\n(metric,.*?)^```$", _PAGE, re.MULTILINE | re.DOTALL)[0]

MINIMAL = """
[plans.p]
currency = "USD"
allowances.m = { included = 5, price = { model = "per_unit", price = "0.10" } }
"""


def faults(text: str) -> list[str]:
    """Return every fault of a file that is refused, as it is read or where there is nothing yet."""
    with pytest.raises(OveragesError) as caught:
        changes_of(read_plans(text), MemoryRepository())
    return [str(error) for error in caught.value.errors]


def applied(text: str, repository: Repository) -> list[str]:
    """Apply a text, and return the lines that tell what changed; then it changes nothing more."""
    book = read_plans(text)
    changes = changes_of(book, repository)
    apply(changes, repository, NOW)
    assert changes_of(book, repository) == ()
    return [str(each) for each in changes]


def read_blocks(text: str) -> PlanBook:
    """Return the book of a file of the reference, whose price table is there, too."""
    return read_plans(text, read_table=_read_table)


def _read_table(name: str) -> str:
    if name != "prices.csv":
        raise FileNotFoundError(2, "No such file or directory")
    return _PRICES
