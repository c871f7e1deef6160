"""Proration: the shares of any partition of a period sum to the whole, and each is exact.

`DAYS_INCLUSIVE` and `WALL_CLOCK_DAYS` count some time twice, so their shares sum to 1 or more.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from fractions import Fraction
from itertools import pairwise
from zoneinfo import ZoneInfo

from hypothesis import assume, given, strategies as st

from overages import (
    Cycle,
    Money,
    Period,
    Proration,
    Rounding,
    day_count,
    part_weights,
    period_share,
    prorate,
    prorate_exactly,
    prorate_parts,
)
from overages.amounts.exact import exact_number
from overages.periods.daycount import ADDING_UP

from .contexts import ambient, decimal_contexts
from .effort import many
from .strategies import roundings, timezones

_around = [  # clocks and dates change near these, in some of the timezones
    datetime(1867, 10, 19, tzinfo=UTC),  # Juneau had a day twice
    datetime(1969, 10, 1, tzinfo=UTC),  # Kwajalein had 23 hours twice
    datetime(1993, 8, 21, tzinfo=UTC),  # Kwajalein skipped a day
    datetime(2009, 11, 1, tzinfo=UTC),  # St. John's went back over midnight
    datetime(2011, 12, 30, tzinfo=UTC),  # Apia skipped a day
    datetime(2023, 2, 28, tzinfo=UTC),
    datetime(2024, 2, 29, tzinfo=UTC),  # a leap day
    datetime(2024, 3, 31, tzinfo=UTC),
    datetime(2024, 10, 27, tzinfo=UTC),
]
_apart = st.one_of(
    st.integers(-60, 60).map(lambda days: timedelta(days=days)),
    st.integers(-60 * 24 * 4, 60 * 24 * 4).map(lambda quarters: timedelta(minutes=15 * quarters)),
    st.integers(-4 * 86_400, 4 * 86_400).map(lambda s: timedelta(seconds=s, microseconds=s % 7)),
)


@st.composite
def partitions(draw: st.DrawFn, at_least: int = 1) -> list[Period]:
    """Return one to seven periods, each of which starts where the one before it ends."""
    near = draw(st.sampled_from(_around))
    cuts = draw(st.lists(_apart, min_size=at_least + 1, max_size=8, unique=True))
    return [Period(near + start, near + end) for start, end in pairwise(sorted(cuts))]


def whole_of(parts: list[Period]) -> Period:
    """Return the period that the parts are a partition of."""
    return Period(parts[0].start, parts[-1].end)


def has_days(period: Period, rule: Proration, zone: str) -> bool:
    """Tell whether the period can be divided by a rule: an hour has no days."""
    return rule is Proration.SECONDS or day_count(period, rule, zone) > 0


adding_rules = st.sampled_from(ADDING_UP)
shared_rules = st.sampled_from([rule for rule in Proration if rule is not Proration.REFUSED])
day_rules = st.sampled_from(["days", "days_30_360", "days_inclusive", "wall_clock_days"])
ratios = st.builds(lambda n, more: Fraction(n, n + more), st.integers(0, 10**9), st.integers(1))
quantities = st.integers(-(10**12), 10**12)
increments = st.sampled_from([1, "0.01", "0.5", 3, 1_000])


@many
@given(partitions(), adding_rules, timezones)
def test_the_shares_of_a_partition_sum_to_the_whole(
    parts: list[Period], rule: Proration, zone: str
) -> None:
    whole = whole_of(parts)
    assume(has_days(whole, rule, zone))
    assert sum(period_share(part, whole, rule, zone) for part in parts) == 1


@given(
    st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1)),
    st.sampled_from(["month", "quarter", "year"]),
    adding_rules,
    timezones,
)
def test_the_days_of_a_period_sum_to_it(
    moment: datetime, unit: str, rule: Proration, zone: str
) -> None:
    start = datetime(2000, 1, 1, tzinfo=ZoneInfo(zone))
    whole = Cycle(start, 1, unit, zone).period_at(moment.replace(tzinfo=UTC))  # type: ignore[arg-type]
    days = []
    for day in Cycle(start, 1, "day", zone).periods_from(whole.start):
        if day.start == whole.end:
            break
        days.append(day)
    assert sum(period_share(day, whole, rule, zone) for day in days) == 1
    if rule is Proration.DAYS:
        assert day_count(whole, rule, zone) >= len(days)  # a day that was skipped has its date


@given(partitions(), timezones, st.sampled_from(["days_inclusive", "wall_clock_days", "full"]))
def test_the_shares_of_a_partition_are_no_less_than_the_whole_by_the_other_rules(
    parts: list[Period], zone: str, rule: str
) -> None:
    whole = whole_of(parts)
    assert sum(period_share(part, whole, rule, zone) for part in parts) >= 1


@many
@given(partitions(at_least=3), shared_rules, timezones)
def test_a_share_is_from_0_to_1_and_the_whole_is_1(
    parts: list[Period], rule: Proration, zone: str
) -> None:
    whole = whole_of(parts)
    assume(rule is Proration.FULL or has_days(whole, rule, zone))
    assert all(0 <= period_share(part, whole, rule, zone) <= 1 for part in parts)
    assert period_share(whole, whole, rule, zone) == 1


@many
@given(partitions(at_least=3), shared_rules, timezones)
def test_a_share_is_monotone_a_part_of_a_part_is_no_more(
    parts: list[Period], rule: Proration, zone: str
) -> None:
    if rule is Proration.WALL_CLOCK_DAYS:
        zone = "UTC"  # elsewhere clocks show some hours twice
    whole, part, inner = whole_of(parts), whole_of(parts[1:]), parts[1]
    assume(rule is Proration.FULL or has_days(whole, rule, zone))
    assert period_share(inner, whole, rule, zone) <= period_share(part, whole, rule, zone)


@given(partitions(), timezones)
def test_days_are_the_midnights_that_pass_on_local_clocks(parts: list[Period], zone: str) -> None:
    """An independent count: dates whose first midnight lies in ``(start, end]``."""
    whole = whole_of(parts)
    day = (whole.start - timedelta(days=3)).date()
    count = 0
    while day <= (whole.end + timedelta(days=3)).date():
        midnight = datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone)).astimezone(UTC)
        count += whole.start < midnight <= whole.end
        day += timedelta(days=1)
    assert day_count(whole, "days", zone) == count
    assert day_count(whole, "days_inclusive", zone) == count + 1


@given(partitions())
def test_seconds_are_a_ratio_of_elapsed_times_whatever_the_timezone(parts: list[Period]) -> None:
    whole = whole_of(parts)
    tick = timedelta(microseconds=1)
    for part in parts:
        expected = Fraction((part.end - part.start) // tick, (whole.end - whole.start) // tick)
        assert period_share(part, whole, Proration.SECONDS, "Pacific/Apia") == expected


@given(quantities, ratios, increments, roundings.map(lambda rounding: rounding.first))
def test_exactness_a_prorated_quantity_is_rounded_once(
    quantity: int, share: Fraction, increment: int | str, rounding: Rounding
) -> None:
    found, step = prorate(quantity, share, increment, rounding), Fraction(increment)
    assert (Fraction(found) / step).denominator == 1
    assert abs(Fraction(found) - quantity * share) < step
    if (quantity * share / step).denominator == 1:
        assert found == quantity * share


@given(st.integers(-(10**12), 10**12), ratios, decimal_contexts())
def test_exactness_a_prorated_amount_is_the_product_under_any_context(
    minor: int, share: Fraction, context: object
) -> None:
    with ambient(context):  # type: ignore[arg-type]
        found = prorate_exactly(Money(minor, "USD"), share)
    assert Fraction(found) == Fraction(minor, 100) * share
    assert found == exact_number(*(Fraction(minor, 100) * share).as_integer_ratio())


@many
@given(partitions(), adding_rules, timezones, quantities, increments)
def test_rounded_parts_come_to_the_whole_each_within_an_increment_of_its_share(
    parts: list[Period], rule: Proration, zone: str, count: int, increment: int | str
) -> None:
    whole, step = whole_of(parts), Fraction(increment)
    assume(has_days(whole, rule, zone))
    total = exact_number(*(count * step).as_integer_ratio())
    assert not isinstance(total, Fraction)
    found = prorate_parts(total, parts, rule, zone, increment)
    assert sum(map(Fraction, found)) == Fraction(total)
    for part, rounded in zip(parts, found, strict=True):
        assert (Fraction(rounded) / step).denominator == 1
        share = period_share(part, whole, rule, zone)
        assert abs(Fraction(rounded) - Fraction(total) * share) < step


@given(partitions(), adding_rules, timezones, st.integers(-(10**12), 10**12))
def test_the_money_of_parts_comes_to_the_whole(
    parts: list[Period], rule: Proration, zone: str, minor: int
) -> None:
    assume(has_days(whole_of(parts), rule, zone))
    found = Money(minor, "USD").allocate(part_weights(parts, rule, zone))
    assert sum(money.minor for money in found) == minor


@given(partitions(), day_rules, timezones)
def test_a_day_count_is_never_negative(parts: list[Period], rule: str, zone: str) -> None:
    assert all(day_count(part, rule, zone) >= 0 for part in parts)
