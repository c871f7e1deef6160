"""The least file of plans there can be, and what is found wrong with one."""

import pytest

from overages.errors import OveragesError
from overages.imports.plans import read_plans

MINIMAL = """
[plans.p]
currency = "USD"
allowances.m = { included = 5, price = { model = "per_unit", price = "0.10" } }
"""


def faults(text: str) -> list[str]:
    """Return every fault of a file that is refused."""
    with pytest.raises(OveragesError) as caught:
        read_plans(text)
    return [str(error) for error in caught.value.errors]
