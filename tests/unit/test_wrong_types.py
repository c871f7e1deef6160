"""What is of a wrong type altogether is refused by the library, with the name of the field."""

from collections.abc import Callable
from typing import Any

import pytest

from overages import (
    Account,
    Allowance,
    Charge,
    Graduated,
    Money,
    Period,
    PerUnit,
    Plan,
    Statement,
    Summary,
    Usage,
    aggregate,
    allocate,
    calculate,
    calculate_many,
)
from overages.errors import OveragesError
from overages.period import parse_instant

PLAN = Plan("p", "USD", {"tokens": Allowance(5, PerUnit(1))})
FEBRUARY = Period.month(2024, 2)
USAGE = Usage("org-1", FEBRUARY, {"tokens": 7})
odd: Any = 5


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Graduated(odd), "tiers: must be a list, or something else to iterate over, got 5"),
        (lambda: Charge(odd), "tiers: must be a list, or something else to iterate over, got 5"),
        (lambda: allocate(5, odd), "weights: must be a list, or something else to iterate over"),
        (lambda: Statement("o", FEBRUARY, PLAN, odd), "lines: must be a list, or something else"),
        (lambda: Statement("o", FEBRUARY, PLAN, [odd]), r"lines\[0\]: must be of type Overage"),
        (lambda: Summary("USD", odd), "metrics: must be of type Mapping, got 5"),
        (lambda: Usage("o", FEBRUARY, odd), "quantities: must be a mapping of metrics to quant"),
        (lambda: Account("o", "p", odd), "limits: must be a mapping of metrics to quantities"),
        (lambda: Plan("p", "USD", odd), "allowances: must be a mapping of metrics to Allowances"),
        (lambda: Plan("p", odd, {}), "currency: must be a Currency or a code such as 'USD', got 5"),
        (lambda: Money.of(odd, odd), "currency: must be a Currency or a code such as 'USD', got 5"),
        (lambda: Period(odd, odd), "start: must be a datetime, got 5"),
        (lambda: Period.parse(odd), "period: must be of type str, got 5"),
        (lambda: Period.month(2024, 2, odd), "zone: must be of type tzinfo, got 5"),
        (lambda: Period.month("2024", 2), "month: must be a month of the years 1 to 9999"),  # type: ignore[arg-type]
        (lambda: parse_instant(odd, "timestamp"), "timestamp: must be of type str, got 5"),
        (lambda: calculate(odd, USAGE), "plan: must be a Plan, got 5"),
        (lambda: calculate(PLAN, odd), "usage: must be a Usage, got 5"),
        (lambda: calculate(PLAN, USAGE, limits=odd), "limits: must be a mapping of metrics"),
        (lambda: calculate(PLAN, USAGE, limits=[]), "limits: must be a mapping of metrics"),  # type: ignore[arg-type]
        (lambda: list(calculate_many([odd])), r"inputs: must hold \(plan, usage, limits\) alone"),
        (lambda: list(calculate_many([(PLAN, USAGE)])), r"inputs: must hold \(plan, usage, lim"),  # type: ignore[list-item]
        (lambda: aggregate([odd]), "records: must hold OverageRecords alone, got 5"),
    ],
)
def test_a_wrong_type_is_named(call: Callable[[], object], message: str) -> None:
    with pytest.raises(OveragesError, match=f"^{message}"):
        call()
