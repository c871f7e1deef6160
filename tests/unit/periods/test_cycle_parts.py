"""Cycles: the periods before an instant, from one, and between two."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from overages import Cycle, Period
from overages.errors import InvalidType, InvalidValue
from overages.periods.period import instant_from_text

NEW_YORK = ZoneInfo("America/New_York")
APIA = ZoneInfo("Pacific/Apia")
ANCHOR = datetime(2024, 1, 31, tzinfo=UTC)
BEYOND = "within the years 1 to 9999"


@pytest.mark.parametrize(
    ("moment", "n"),
    [
        (datetime(2024, 1, 31, tzinfo=UTC), -1),  # a boundary: what it ends
        (datetime(2024, 1, 30, 23, 59, 59, 999_999, UTC), -2),
        (datetime(2024, 2, 28, 23, 59, tzinfo=UTC), -1),
        (datetime(2024, 2, 29, tzinfo=UTC), 0),
    ],
)
def test_the_period_before_an_instant_is_the_last_that_has_ended(moment: datetime, n: int) -> None:
    assert Cycle(ANCHOR).period_before(moment) == Cycle(ANCHOR).period(n)


def test_the_period_before_a_skipped_day_is_the_day_before_it() -> None:
    days = Cycle.calendar("day", "Pacific/Apia")
    found = days.period_before(datetime(2011, 12, 31, 12, tzinfo=APIA))
    assert found.start == datetime(2011, 12, 29, tzinfo=APIA)
    assert found.end == datetime(2011, 12, 31, tzinfo=APIA)


def test_there_is_a_period_before_the_last_that_is_cut_off() -> None:
    years = Cycle(datetime(2000, 6, 1, tzinfo=UTC), unit="year")
    assert years.period_before(datetime(9999, 12, 31, tzinfo=UTC)) == years.period(7_998)


def test_there_is_a_period_before_the_last_instant_of_all() -> None:
    """31 December at 20:00 in New York is in the year 10000 in UTC."""
    months = Cycle(datetime(2000, 1, 31, 20, tzinfo=NEW_YORK), timezone="America/New_York")
    last = months.period_before(datetime.max.replace(tzinfo=UTC))
    assert last.describe() == "9999-11-01 to 9999-12-01 01:00:00 UTC"


@pytest.mark.parametrize("moment", [datetime(1, 1, 1), datetime(1, 5, 31), datetime(2, 5, 31)])
def test_an_instant_with_no_whole_period_before_it_is_refused(moment: datetime) -> None:
    years = Cycle(datetime(2000, 6, 1, tzinfo=UTC), unit="year")
    with pytest.raises(InvalidValue, match=f"^instant: must follow a period {BEYOND}, got "):
        years.period_before(moment.replace(tzinfo=UTC))
    with pytest.raises(InvalidValue, match=f"^instant: must follow a period {BEYOND}, got "):
        Cycle.monthly().period_before(datetime(1, 1, 31, tzinfo=UTC))


@pytest.mark.parametrize(
    ("start", "end", "skipping"),
    [
        ("2024-04-13T23:59", "2024-04-14T12:00", "2024-04-14T12:00"),  # the day before
        ("2024-04-14T00:00", "2024-04-14T12:00", "2024-05-14T12:00"),
        ("2024-04-14T11:59", "2024-04-14T12:00", "2024-05-14T12:00"),
        ("2024-04-14T12:00", "2024-05-14T12:00", "2024-05-14T12:00"),  # the boundary
        ("2024-04-14T12:01", "2024-05-14T12:00", "2024-05-14T12:00"),
    ],
)
def test_a_period_from_an_instant_lasts_until_the_next_boundary(
    start: str, end: str, skipping: str
) -> None:
    cycle = Cycle(datetime(2024, 1, 14, 12, tzinfo=UTC))
    first = instant_from_text(start, zone=UTC)
    assert cycle.period_from(first) == Period(first, instant_from_text(end, zone=UTC))
    skipped = cycle.period_from(first, skip_same_day=True)
    assert skipped == Period(first, instant_from_text(skipping, zone=UTC))


def test_the_same_day_is_one_of_the_cycles_timezone() -> None:
    """Noon of 14 April in New York is 16:00 UTC; the start is on the 13th there."""
    anchor = datetime(2024, 1, 14, 12, tzinfo=NEW_YORK)
    cycle = Cycle(anchor, timezone="America/New_York")
    start = datetime(2024, 4, 14, 3, 59, tzinfo=UTC)
    noon = datetime(2024, 4, 14, 16, tzinfo=UTC)
    assert cycle.period_from(start, skip_same_day=True).end == noon
    minute = timedelta(minutes=1)
    a_month_later = datetime(2024, 5, 14, 16, tzinfo=UTC)
    assert cycle.period_from(start + minute, skip_same_day=True).end == a_month_later


def test_a_boundary_at_the_end_of_the_starts_own_day_is_not_on_it() -> None:
    start = datetime(2024, 1, 31, 1, tzinfo=UTC)
    assert Cycle.monthly().period_from(start, skip_same_day=True).end == datetime(
        2024, 2, 1, tzinfo=UTC
    )


def test_time_between_two_instants_is_cut_at_both() -> None:
    first, last = datetime(2024, 2, 10, tzinfo=UTC), datetime(2024, 4, 1, tzinfo=UTC)
    assert [period.describe() for period in Cycle(ANCHOR).periods_between(first, last)] == [
        "2024-02-10 to 2024-02-29 UTC",
        "2024-02-29 to 2024-03-31 UTC",
        "2024-03-31 to 2024-04-01 UTC",
    ]


def test_both_ends_of_a_subscription_may_lie_in_one_period() -> None:
    start, end = datetime(2024, 2, 10, tzinfo=UTC), datetime(2024, 2, 12, tzinfo=UTC)
    assert [*Cycle(ANCHOR).periods_between(start, end)] == [Period(start, end)]


def test_whole_periods_are_not_cut() -> None:
    cycle = Cycle(ANCHOR)
    found = [*cycle.periods_between(cycle.period(0).start, cycle.period(2).end)]
    assert found == [cycle.period(n) for n in range(3)]


def test_a_subscription_may_pass_over_a_boundary_on_its_first_day() -> None:
    cycle = Cycle(datetime(2024, 1, 14, 12, tzinfo=UTC))
    start, end = datetime(2024, 4, 14, tzinfo=UTC), datetime(2024, 6, 1, tzinfo=UTC)
    may = datetime(2024, 5, 14, 12, tzinfo=UTC)
    found = [*cycle.periods_between(start, end, skip_same_day=True)]
    assert found == [Period(start, may), Period(may, end)]
    assert len([*cycle.periods_between(start, end)]) == 3


@pytest.mark.parametrize(
    ("start", "end", "message"),
    [
        (ANCHOR, ANCHOR, "end: must be later than the start, 2024-01-31T00:00:00Z, got "),
        (datetime(2024, 1, 1), ANCHOR, "start: must have a timezone, got "),
        (ANCHOR, datetime(2025, 1, 1), "end: must have a timezone, got "),
        (datetime.min.replace(tzinfo=UTC), ANCHOR, f"start: must lie in a period {BEYOND}, got "),
        (ANCHOR, datetime.max.replace(tzinfo=UTC), f"end: must lie in a period {BEYOND}, got "),
    ],
)
def test_what_a_cycle_cannot_divide_is_refused_at_once(
    start: datetime, end: datetime, message: str
) -> None:
    with pytest.raises(InvalidValue, match=f"^{message}"):
        Cycle(ANCHOR).periods_between(start, end)


@pytest.mark.parametrize("skip", [False, True])
@pytest.mark.parametrize("start", [datetime.min, datetime.max])
def test_a_start_that_no_boundary_follows_is_refused(start: datetime, skip: bool) -> None:
    cycle = Cycle(ANCHOR, timezone="America/New_York")
    with pytest.raises(InvalidValue, match=f"^start: must lie in a period {BEYOND}, got "):
        cycle.period_from(start.replace(tzinfo=UTC), skip_same_day=skip)


def test_whether_to_skip_the_same_day_is_true_or_false() -> None:
    wrong: Any = "yes"
    with pytest.raises(InvalidType, match=r"^skip_same_day: must be True or False, got 'yes'"):
        Cycle(ANCHOR).period_from(ANCHOR, skip_same_day=wrong)
