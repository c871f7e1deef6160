"""Proration: the shares of any partition of a period sum to the whole, and each is exact.

`DAYS_INCLUSIVE` and `WALL_CLOCK_DAYS` count some time twice, so their shares sum to 1 or more.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from fractions import Fraction
from itertools import pairwise
from zoneinfo import ZoneInfo

from hypothesis import assume, given, strategies as st

from overages import Allowance, Cycle, Money, Period, PerUnit, Proration, Rounding
from overages.periods.proration import length
from overages.testing.fields import timezones

from .effort import many
from .strategies import roundings

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


def day_count(period: Period, rule: Proration, zone: str) -> int:
    """Return how many days of a timezone's calendar a rule counts in a period."""
    return length(period, rule, ZoneInfo(zone), "period")


adding_rules = st.sampled_from([Proration.DAYS, Proration.DAYS_30_360, Proration.SECONDS])
shared_rules = st.sampled_from([rule for rule in Proration if rule is not Proration.REFUSED])
day_rules = st.sampled_from(
    [Proration.DAYS, Proration.DAYS_30_360, Proration.DAYS_INCLUSIVE, Proration.WALL_CLOCK_DAYS]
)
ratios = st.builds(lambda n, more: Fraction(n, n + more), st.integers(0, 10**9), st.integers(1))
other_rules = st.sampled_from([Proration.DAYS_INCLUSIVE, Proration.WALL_CLOCK_DAYS, Proration.FULL])
quantities = st.integers(0, 10**12)
increments = st.sampled_from([1, "0.01", "0.5", 3, 1_000])


@many
@given(partitions(), adding_rules, timezones)
def test_the_shares_of_a_partition_sum_to_the_whole(
    parts: list[Period], rule: Proration, zone: str
) -> None:
    whole = whole_of(parts)
    assume(has_days(whole, rule, zone))
    assert sum(rule.share(part, whole, zone) for part in parts) == 1


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
    assert sum(rule.share(day, whole, zone) for day in days) == 1
    if rule is Proration.DAYS:
        assert day_count(whole, rule, zone) >= len(days)  # a day that was skipped has its date


@given(partitions(), timezones, other_rules)
def test_the_shares_of_a_partition_are_no_less_than_the_whole_by_the_other_rules(
    parts: list[Period], zone: str, rule: Proration
) -> None:
    whole = whole_of(parts)
    assert sum(rule.share(part, whole, zone) for part in parts) >= 1


@many
@given(partitions(at_least=3), shared_rules, timezones)
def test_a_share_is_from_0_to_1_and_the_whole_is_1(
    parts: list[Period], rule: Proration, zone: str
) -> None:
    whole = whole_of(parts)
    assume(rule is Proration.FULL or has_days(whole, rule, zone))
    assert all(0 <= rule.share(part, whole, zone) <= 1 for part in parts)
    assert rule.share(whole, whole, zone) == 1


@many
@given(partitions(at_least=3), shared_rules, timezones)
def test_a_share_is_monotone_a_part_of_a_part_is_no_more(
    parts: list[Period], rule: Proration, zone: str
) -> None:
    if rule is Proration.WALL_CLOCK_DAYS:
        zone = "UTC"  # elsewhere clocks show some hours twice
    whole, part, inner = whole_of(parts), whole_of(parts[1:]), parts[1]
    assume(rule is Proration.FULL or has_days(whole, rule, zone))
    assert rule.share(inner, whole, zone) <= rule.share(part, whole, zone)


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
    assert day_count(whole, Proration.DAYS, zone) == count
    assert day_count(whole, Proration.DAYS_INCLUSIVE, zone) == count + 1


@given(partitions())
def test_seconds_are_a_ratio_of_elapsed_times_whatever_the_timezone(parts: list[Period]) -> None:
    whole = whole_of(parts)
    tick = timedelta(microseconds=1)
    for part in parts:
        expected = Fraction((part.end - part.start) // tick, (whole.end - whole.start) // tick)
        assert Proration.SECONDS.share(part, whole, "Pacific/Apia") == expected


@given(quantities, ratios, increments, roundings.map(lambda rounding: rounding.first))
def test_exactness_a_prorated_quantity_is_rounded_once(
    quantity: int, share: Fraction, increment: int | str, rounding: Rounding
) -> None:
    allowance = Allowance(quantity, PerUnit(1), increment=increment, increment_rounding=rounding)
    found, step = allowance.prorated(quantity, share), Fraction(increment)
    assert share == 1 or (Fraction(found) / step).denominator == 1
    assert abs(Fraction(found) - quantity * share) < step
    if (quantity * share / step).denominator == 1:
        assert found == quantity * share


@given(partitions(), adding_rules, timezones, st.integers(-(10**12), 10**12))
def test_the_money_of_parts_comes_to_the_whole_each_within_a_cent_of_its_share(
    parts: list[Period], rule: Proration, zone: str, minor: int
) -> None:
    whole = whole_of(parts)
    assume(has_days(whole, rule, zone))
    shares = [rule.share(part, whole, zone) for part in parts]
    found = Money(minor, "USD").allocate(shares)
    assert sum(money.minor for money in found) == minor
    assert all(abs(m.minor - minor * share) < 1 for m, share in zip(found, shares, strict=True))


@given(partitions(), day_rules, timezones)
def test_a_day_count_is_never_negative(parts: list[Period], rule: Proration, zone: str) -> None:
    assert all(day_count(part, rule, zone) >= 0 for part in parts)
