"""What is of a wrong type altogether is refused by the library, with the name of the field."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from enum import Enum
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from tests.since import SINCE

from overages import (
    Account,
    Allowance,
    Graduated,
    Money,
    Period,
    PerUnit,
    Plan,
    Statement,
    Summary,
    Tier,
    TransactionFee,
    Usage,
    UsageEvent,
    aggregate,
    calculate,
    calculate_many,
    charge_between,
    meter,
)
from overages.amounts.exact import parse_amount
from overages.amounts.rounding import allocate
from overages.errors import InvalidType, OveragesError
from overages.imports.monthly_fields import plan_from_monthly_fields
from overages.periods.period import instant_from_text
from overages.prices.tier import Charge
from overages.usage.metering import Meter

PLAN = Plan("p", "USD", {"tokens": Allowance(5, PerUnit(1))})
FEBRUARY = Period.month(2024, 2)
USAGE = Usage("org-1", FEBRUARY, {"tokens": 7})
EVENT = UsageEvent("org-1", "tokens", 1, datetime(2024, 2, 3, tzinfo=UTC))
WEST = timezone(timedelta(hours=-5))
odd: Any = 5
odd_period: Any = lambda moment: None  # noqa: ARG005, E731


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Graduated(odd), "tiers: must be a list, or something else to iterate over, got 5"),
        (lambda: Charge(odd), "tiers: must be a list, or something else to iterate over, got 5"),
        (lambda: allocate(5, odd), "weights: must be a list, or something else to iterate over"),
        (lambda: Statement("o", FEBRUARY, PLAN, odd), "lines: must be a list, or something else"),
        (lambda: Statement("o", FEBRUARY, PLAN, [odd]), r"lines\[0\]: must be an Overage"),
        (lambda: Summary("USD", odd), "metrics: must be a mapping of metrics to MetricTotals"),
        (lambda: Usage("o", FEBRUARY, odd), "quantities: must be a mapping of metrics to quant"),
        (
            lambda: Account("o", "p", limits=odd, since=SINCE),
            "limits: must be a mapping of metrics to quantities",
        ),
        (lambda: Plan("p", "USD", odd), "allowances: must be a mapping of metrics to Allowances"),
        (lambda: Plan("p", "USD", {}, discounts=odd), "discounts: must be a list, or something"),
        (lambda: Plan("p", "USD", {}, maximum=odd), "maximum: must be of type Money, got 5"),
        (lambda: Allowance(5, PerUnit(1), carry_over=odd), "carry_over: must be of type CarryOver"),
        (lambda: Allowance(5, PerUnit(1), discounts=[odd]), r"discounts\[0\]: must be of type Dis"),
        (lambda: Allowance(5, PerUnit(1), proration=odd), "proration: must be "),
        (lambda: Plan("p", odd, {}), "currency: must be a Currency or a code such as 'USD', got 5"),
        (lambda: Money.of(odd, odd), "currency: must be a Currency or a code such as 'USD', got 5"),
        (lambda: Period(odd, USAGE.period.end), "start: must be a datetime, got 5"),
        (lambda: Period.parse(odd), "period: must be of type str, got 5"),
        (lambda: Period.month(2024, 2, odd), "zone: must be of type tzinfo, got 5"),
        (lambda: Period.month("2024", 2), "month: must be a month from 1 to 12 of"),  # type: ignore[arg-type]
        (lambda: instant_from_text(odd, "timestamp"), "timestamp: must be of type str, got 5"),
        (lambda: calculate(odd, USAGE), "plan: must be a Plan, got 5"),
        (lambda: calculate(PLAN, odd), "usage: must be a Usage, got 5"),
        (lambda: calculate(PLAN, USAGE, limits=odd), "limits: must be a mapping of metrics"),
        (lambda: calculate(PLAN, USAGE, limits=[]), "limits: must be a mapping of metrics"),  # type: ignore[arg-type]
        (lambda: list(calculate_many([odd])), r"inputs: must hold \(plan, usage, limits\) alone"),
        (lambda: list(calculate_many([(PLAN, USAGE)])), r"inputs: must hold \(plan, usage, lim"),  # type: ignore[list-item]
        (lambda: aggregate([odd]), r"records\[0\]: must be of type OverageRecord, got 5"),
        (lambda: aggregate(odd), "records: must be a list, or something else to iterate over"),
        (lambda: meter(odd), "events: must be a list, or something else to iterate over, got 5"),
        (lambda: list(calculate_many(odd)), "inputs: must be a list, or something else to iter"),
        (lambda: calculate(PLAN, USAGE, timezone=odd), "timezone: must be a"),
        (lambda: calculate(PLAN, USAGE, timezone="Mars/Phobos"), "timezone: must be "),
    ],
)
def test_a_wrong_type_is_named(call: Callable[[], object], message: str) -> None:
    with pytest.raises(OveragesError, match=f"(^|: ){message}"):
        call()


class Metric(str, Enum):  # noqa: UP042 (what hosts have is often older than StrEnum)
    TOKENS = "tökens"


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: charge_between(PerUnit, 1, 2), "model: must be a price model"),  # type: ignore[arg-type]
        (lambda: Meter(odd_period).add(EVENT), "period_at: must be of type Period, got None"),
        (lambda: Tier(None, 1, per=0), "per: must be more than zero, got 0"),
        (lambda: Tier(None, 1, size=0), "size: must be more than zero, got 0"),
        (lambda: parse_amount(Fraction(1, 2**20000), "x"), "x: must have at most 1000 digits on a"),
        (lambda: parse_amount(Fraction(10**1000), "x"), "x: must have at most 1000 digits on a"),
        (lambda: Money(10**1000, "USD"), "minor: must have at most 1000 digits"),
        (
            lambda: Period.month_of(EVENT.at.replace(year=1, month=1, day=1, hour=0), WEST),
            "instant",
        ),
        (
            lambda: plan_from_monthly_fields(
                "p",
                included_tokens_monthly=1,
                included_playbook_runs_monthly=1,
                included_seats=1,
                overage_token_price_milli_cents=1,
                overage_playbook_run_price_cents=1,
                monthly_price_cents="1.5",  # type: ignore[arg-type]
            ),
            "monthly_price_cents: must be a whole number, got '1.5'",
        ),
    ],
)
def test_what_would_fail_inside_is_named_too(call: Callable[[], object], message: str) -> None:
    with pytest.raises(OveragesError, match=f"^{message}"):
        call()


def test_a_name_from_an_enum_is_its_text() -> None:
    assert UsageEvent("org-1", Metric.TOKENS, 1, EVENT.at).metric == "tökens"
    assert type(UsageEvent("org-1", Metric.TOKENS, 1, EVENT.at).metric) is str


def test_an_instant_is_in_its_month_where_clocks_went_back_over_midnight() -> None:
    """In St. John's, 2009-11-01 began at 02:30 UTC, and a minute later it was October again."""
    zone = ZoneInfo("America/St_Johns")
    moment = datetime(2009, 11, 1, 2, 45, tzinfo=UTC)
    assert moment.astimezone(zone).month == 10
    assert Period.month_of(moment, zone) == Period.month(2009, 11, zone)
    assert moment in Period.month_of(moment, zone)


@pytest.mark.parametrize("text", ["700", b"700"])
def test_a_text_is_no_list_of_its_letters(text: Any) -> None:
    calls: list[tuple[Callable[[], object], str]] = [
        (lambda: allocate(5, text), "weights"),
        (lambda: TransactionFee("1").charge_each(text), "amounts"),
    ]
    for call, field in calls:
        with pytest.raises(InvalidType, match=f"^{field}: must be a list, or something else"):
            call()
