"""Cycles: boundaries by the calendar and the clocks of a timezone, each worked out by hand."""

import pickle
from datetime import UTC, datetime, timedelta, timezone
from itertools import islice, pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from overages import Cycle, Period, UsageEvent, meter
from overages.errors import InvalidType, InvalidValue, InvalidValues
from overages.periods.period import format_instant

PARIS = ZoneInfo("Europe/Paris")
NEW_YORK = ZoneInfo("America/New_York")
APIA = ZoneInfo("Pacific/Apia")
ANCHOR = datetime(2024, 1, 31, tzinfo=UTC)
BEYOND = "within the years 1 to 9999"


def starts(cycle: Cycle, first: int, last: int) -> list[str]:
    """Return what periods start at, without what all of them end in."""
    return [
        format_instant(cycle.period(n).start).removesuffix(":00Z").removesuffix("T00:00")
        for n in range(first, last + 1)
    ]


def test_a_cycle_is_monthly_and_in_utc_unless_told() -> None:
    cycle = Cycle(ANCHOR)
    assert (cycle.anchor, cycle.every, cycle.unit, cycle.timezone) == (ANCHOR, 1, "month", "UTC")


def test_an_anchor_is_kept_in_utc() -> None:
    anchor = datetime(2024, 1, 31, 1, tzinfo=PARIS)
    assert Cycle(anchor) == Cycle(ANCHOR)
    assert Cycle(anchor).anchor.tzinfo is UTC


@pytest.mark.parametrize(
    ("cycle", "first", "expected"),
    [
        (  # 31 January, and back at the 31st wherever there is one
            Cycle(ANCHOR),
            -2,
            ["2023-11-30", "2023-12-31", "2024-01-31", "2024-02-29", "2024-03-31", "2024-04-30"],
        ),
        (Cycle(ANCHOR), 12, ["2025-01-31", "2025-02-28", "2025-03-31"]),
        (Cycle(ANCHOR, every=2), -1, ["2023-11-30", "2024-01-31", "2024-03-31", "2024-05-31"]),
        (
            Cycle(datetime(2023, 11, 30, 12, tzinfo=UTC), unit="quarter"),
            0,
            ["2023-11-30T12:00", "2024-02-29T12:00", "2024-05-30T12:00", "2024-08-30T12:00"],
        ),
        (
            Cycle(datetime(2024, 2, 29, tzinfo=UTC), unit="year"),
            -1,
            ["2023-02-28", "2024-02-29", "2025-02-28", "2026-02-28", "2027-02-28", "2028-02-29"],
        ),
        (
            Cycle(datetime(1896, 2, 29, tzinfo=UTC), every=4, unit="year"),
            0,
            ["1896-02-29", "1900-02-28", "1904-02-29"],  # 1900 was no leap year
        ),
        (
            Cycle(datetime(2024, 2, 22, tzinfo=UTC), unit="week"),
            -1,
            ["2024-02-15", "2024-02-22", "2024-02-29", "2024-03-07"],
        ),
        (
            Cycle(datetime(2023, 2, 27, tzinfo=UTC), unit="day"),
            0,
            ["2023-02-27", "2023-02-28", "2023-03-01"],
        ),
        (
            Cycle(datetime(2024, 2, 28, 22, 30, tzinfo=UTC), every=12, unit="hour"),
            0,
            ["2024-02-28T22:30", "2024-02-29T10:30", "2024-02-29T22:30", "2024-03-01T10:30"],
        ),
    ],
)
def test_boundaries_are_counted_from_the_anchor(
    cycle: Cycle, first: int, expected: list[str]
) -> None:
    assert starts(cycle, first, first + len(expected) - 1) == expected


@pytest.mark.parametrize(
    ("cycle", "expected"),
    [
        (  # midnight in Paris: at 23:00 UTC in winter, at 22:00 in summer
            Cycle(datetime(2024, 3, 30, tzinfo=PARIS), unit="day", timezone="Europe/Paris"),
            ["2024-03-29T23:00", "2024-03-30T23:00", "2024-03-31T22:00"],
        ),
        (
            Cycle(datetime(2024, 10, 26, tzinfo=PARIS), unit="day", timezone="Europe/Paris"),
            ["2024-10-25T22:00", "2024-10-26T22:00", "2024-10-27T23:00"],
        ),
        (  # 02:30 was skipped on the 31st, when 02:00 became 03:00: 03:30, at 01:30 UTC
            Cycle(datetime(2024, 3, 30, 2, 30, tzinfo=PARIS), unit="day", timezone="Europe/Paris"),
            ["2024-03-30T01:30", "2024-03-31T01:30", "2024-04-01T00:30"],
        ),
        (  # 02:30 was twice on the 27th, in summer time and an hour later in winter time
            Cycle(datetime(2024, 10, 26, 2, 30, tzinfo=PARIS), unit="day", timezone="Europe/Paris"),
            ["2024-10-26T00:30", "2024-10-27T00:30", "2024-10-28T01:30"],
        ),
        (  # hours are elapsed ones: in Paris, 00:00, 01:00, 03:00, 04:00
            Cycle(datetime(2024, 3, 31, tzinfo=PARIS), unit="hour", timezone="Europe/Paris"),
            ["2024-03-30T23:00", "2024-03-31", "2024-03-31T01:00", "2024-03-31T02:00"],
        ),
        (  # clocks went from 02:00 to 03:00 on 10 March
            Cycle(
                datetime(2024, 3, 3, 2, 30, tzinfo=NEW_YORK),
                unit="week",
                timezone="America/New_York",
            ),
            ["2024-03-03T07:30", "2024-03-10T07:30", "2024-03-17T06:30"],
        ),
        (
            Cycle(datetime(2024, 10, 31, 20, tzinfo=NEW_YORK), timezone="America/New_York"),
            ["2024-11-01", "2024-12-01T01:00", "2025-01-01T01:00"],
        ),
        (  # UTC+05:45, always
            Cycle(
                datetime(2024, 1, 31, tzinfo=ZoneInfo("Asia/Kathmandu")), timezone="Asia/Kathmandu"
            ),
            ["2024-01-30T18:15", "2024-02-28T18:15", "2024-03-30T18:15"],
        ),
        (  # 1 February at midnight in UTC was 31 January in New York
            Cycle(datetime(2024, 2, 1, tzinfo=UTC), timezone="America/New_York"),
            ["2024-02-01", "2024-03-01", "2024-03-31T23:00"],
        ),
    ],
)
def test_boundaries_have_the_anchors_time_of_day_in_the_timezone(
    cycle: Cycle, expected: list[str]
) -> None:
    assert starts(cycle, 0, len(expected) - 1) == expected


def test_an_anchor_is_the_start_of_period_0_also_if_its_time_of_day_was_shown_before() -> None:
    later = datetime(2024, 10, 27, 2, 30, tzinfo=PARIS, fold=1)
    cycle = Cycle(later, unit="day", timezone="Europe/Paris")
    assert starts(cycle, -1, 1) == ["2024-10-26T00:30", "2024-10-27T01:30", "2024-10-28T01:30"]


@pytest.mark.parametrize("hour", [0, 12])
def test_a_day_that_a_timezone_skipped_has_no_period_of_its_own(hour: int) -> None:
    """In Samoa, 29 December 2011 was followed by the 31st: from UTC-10 to UTC+14."""
    anchor = datetime(2011, 12, 28, hour, tzinfo=APIA)
    cycle = Cycle(anchor, unit="day", timezone="Pacific/Apia")
    tenth = anchor.astimezone(UTC)  # 10:00 or 22:00 in UTC, and so are all that follow
    found = list(islice(cycle.periods_from(anchor), 4))
    assert found == [
        Period(tenth + timedelta(days=n), tenth + timedelta(days=n + 1)) for n in range(4)
    ]
    assert [cycle.period(n) for n in range(5)] == [*found[:2], found[2], found[2], found[3]]
    assert cycle.period_at(found[2].start) == found[2]
    assert cycle.period_at(found[2].start - timedelta(microseconds=1)) == found[1]
    assert found[2].start == datetime(2011, 12, 31, hour, tzinfo=APIA)


def test_a_skipped_day_is_missing_from_the_week_and_month_that_it_was_in() -> None:
    week = Cycle(datetime(2011, 12, 26, tzinfo=APIA), unit="week", timezone="Pacific/Apia")
    assert week.period(0).end - week.period(0).start == timedelta(days=6)
    december = Cycle.monthly("Pacific/Apia").period_at(datetime(2011, 12, 15, tzinfo=UTC))
    assert december.end - december.start == timedelta(days=30)


def test_boundaries_on_a_skipped_day_alone_are_on_the_next() -> None:
    cycle = Cycle(datetime(2011, 11, 30, tzinfo=APIA), timezone="Pacific/Apia")
    assert cycle.period(1).start == datetime(2011, 12, 31, tzinfo=APIA)


@pytest.mark.parametrize(
    ("moment", "start"),
    [
        (datetime(2024, 1, 30, 23, 59, 59, 999_999, UTC), "2023-12-31"),
        (ANCHOR, "2024-01-31"),
        (datetime(2024, 2, 28, 23, 59, 59, 999_999, UTC), "2024-01-31"),
        (datetime(2024, 2, 29, tzinfo=UTC), "2024-02-29"),
        (datetime(2024, 3, 30, 23, tzinfo=UTC), "2024-02-29"),
        (datetime(2024, 3, 31, 0, 59, tzinfo=PARIS), "2024-02-29"),  # the 30th, in UTC
        (datetime(2024, 3, 31, 4, tzinfo=PARIS), "2024-03-31"),
        (datetime(1024, 3, 1, tzinfo=UTC), "1024-02-29"),
        (datetime(9024, 3, 1, tzinfo=UTC), "9024-02-29"),
    ],
)
def test_an_instant_lies_in_the_period_that_has_begun_last(moment: datetime, start: str) -> None:
    found = Cycle(ANCHOR).period_at(moment)
    assert format_instant(found.start) == f"{start}T00:00:00Z"
    assert moment in found


def test_calendar_months_are_those_of_the_period() -> None:
    moment = datetime(2024, 2, 29, 23, tzinfo=UTC)
    assert Cycle.monthly().period_at(moment) == Period.month(2024, 2)
    assert Cycle.monthly("Europe/Paris").period_at(moment) == Period.month(2024, 3, PARIS)
    assert Cycle.monthly().period(0) == Period.month(2000, 1)


def test_periods_from_an_instant_follow_each_other() -> None:
    cycle = Cycle(datetime(2024, 1, 31, 18, tzinfo=NEW_YORK), timezone="America/New_York")
    found = list(islice(cycle.periods_from(datetime(2024, 3, 1, tzinfo=UTC)), 30))
    assert found == [cycle.period(n) for n in range(1, 31)]
    assert all(one.end == two.start for one, two in pairwise(found))


def test_periods_end_with_the_year_9999() -> None:
    years = Cycle(datetime(2000, 6, 1, tzinfo=UTC), unit="year")
    found = [str(p) for p in years.periods_from(datetime(9997, 6, 1, tzinfo=UTC))]
    assert found == [
        "9997-06-01T00:00:00Z/9998-06-01T00:00:00Z",
        "9998-06-01T00:00:00Z/9999-06-01T00:00:00Z",
    ]


@pytest.mark.parametrize("zone", ["UTC", "Pacific/Apia"])
def test_periods_of_days_in_a_row_are_those_of_their_numbers(zone: str) -> None:
    cycle = Cycle(datetime(2024, 2, 28, 6, tzinfo=UTC), unit="day", timezone=zone)
    found = islice(cycle.periods_from(cycle.anchor), 500)
    assert [*found] == [cycle.period(n) for n in range(500)]


def test_a_meter_counts_by_a_cycle() -> None:
    days = [datetime(2024, 2, day, tzinfo=UTC) for day in (28, 29)]
    events = [UsageEvent("org-1", "tokens", 5, day) for day in days]
    found = meter(events, period_at=Cycle(ANCHOR).period_at)
    assert [usage.period.start.day for usage in found] == [31, 29]


@pytest.mark.parametrize("n", [10**9, -(10**9), 10**30, 10**5000, -(10**5000)], ids=int.bit_length)
@pytest.mark.parametrize("unit", ["hour", "day", "week", "month", "quarter", "year"])
def test_the_number_of_a_period_beyond_the_years_there_are_is_refused(n: int, unit: Any) -> None:
    with pytest.raises(InvalidValue, match=f"^n: must be the number of a period {BEYOND}, got "):
        Cycle(ANCHOR, unit=unit).period(n)


def test_the_first_and_last_months_there_are_can_be_named() -> None:
    cycle = Cycle(datetime(2024, 1, 1, tzinfo=UTC))
    assert cycle.period(-2023 * 12) == Period.month(1, 1)
    assert cycle.period(7975 * 12 + 10) == Period.month(9999, 11)
    for n in (-2023 * 12 - 1, 7975 * 12 + 11):
        with pytest.raises(InvalidValue, match=r"^n: must be the number of"):
            cycle.period(n)


@pytest.mark.parametrize(
    "moment", [datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)]
)
@pytest.mark.parametrize("unit", ["day", "week", "month", "quarter", "year"])
@pytest.mark.parametrize("zone", ["UTC", "Pacific/Apia", "America/New_York"])
def test_an_instant_in_a_period_that_is_cut_off_is_refused(
    moment: datetime, unit: Any, zone: str
) -> None:
    cycle = Cycle(datetime(2024, 2, 29, 12, tzinfo=UTC), unit=unit, timezone=zone)
    for call in (cycle.period_at, cycle.periods_from):
        with pytest.raises(InvalidValue, match=f"^instant: must lie in a period {BEYOND}, got "):
            call(moment)


def test_an_instant_in_a_long_period_is_found_at_either_end_of_time() -> None:
    cycle = Cycle(datetime(2000, 12, 31, tzinfo=UTC), every=1_999, unit="year")
    assert cycle.period_at(datetime(2, 1, 1, tzinfo=UTC)) == cycle.period(-1)
    assert cycle.period(-1).start == datetime(1, 12, 31, tzinfo=UTC)
    assert cycle.period_at(datetime(7997, 12, 30, tzinfo=UTC)) == cycle.period(2)
    with pytest.raises(InvalidValue, match=r"^instant: must lie in"):
        cycle.period_at(datetime(9998, 1, 1, tzinfo=UTC))


@pytest.mark.parametrize("n", [True, "1", None, 1.0])
def test_the_number_of_a_period_is_an_int(n: Any) -> None:
    with pytest.raises(InvalidType, match=r"^n: must be an int, got "):
        Cycle(ANCHOR).period(n)


@pytest.mark.parametrize("moment", [datetime(2024, 2, 1), "2024-02-01", None])
def test_what_is_no_instant_lies_in_no_period(moment: Any) -> None:
    for call in (Cycle(ANCHOR).period_at, Cycle(ANCHOR).periods_from):
        with pytest.raises((InvalidType, InvalidValue), match=r"^instant: must "):
            call(moment)


@pytest.mark.parametrize(
    ("faulty", "error", "message"),
    [
        ({"anchor": "2024-01-31"}, InvalidType, "anchor: must be a datetime, got "),
        ({"anchor": datetime(2024, 1, 31)}, InvalidValue, "anchor: must have a timezone, got "),
        ({"every": 0}, InvalidValue, "every: must be from 1 to 1,000,000, got 0"),
        ({"every": -1}, InvalidValue, "every: must be from 1 to 1,000,000, got -1"),
        ({"every": 1_000_001}, InvalidValue, "every: must be from 1 to 1,000,000, got 1000001"),
        ({"every": "1"}, InvalidType, "every: must be an int, got '1'"),
        ({"every": True}, InvalidType, "every: must be an int, got True"),
        ({"every": 1.0}, InvalidType, "every: must be an int, got 1.0"),
        ({"unit": "months"}, InvalidValue, "unit: must be one of hour, day, week, month, quart"),
        ({"unit": None}, InvalidValue, "unit: must be one of hour, day, week, month, quarter, y"),
        ({"timezone": UTC}, InvalidType, "timezone: must be a str, got "),
        ({"timezone": ""}, InvalidValue, "timezone: must not be empty, got ''"),
    ],
)
def test_what_no_cycle_is_made_of_is_refused(
    faulty: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=f"^{message}"):
        Cycle(**{"anchor": ANCHOR, **faulty})


@pytest.mark.parametrize(
    ("zone", "hint"),
    [
        ("Europe/Berlim", r" \(did you mean 'Europe/Berlin'\?\)"),
        ("europe/paris", r" \(did you mean 'Europe/Paris'\?\)"),
        ("utc", r" \(did you mean 'UTC'\?\)"),
        ("EDT", ""),
        ("Mars/Phobos", ""),
    ],
)
def test_the_timezone_that_a_misspelt_one_resembles_is_named(zone: str, hint: str) -> None:
    with pytest.raises(InvalidValue, match=f"such as Europe/Paris{hint}, got '{zone}'$"):
        Cycle.monthly(zone)


@pytest.mark.parametrize(
    "zone",
    [
        *("Europe/Berlim", "America", "../UTC", "/etc/localtime", "CEST5", "+01:00", "x" * 255),
        "localtime",  # another one on each machine
    ],
)
def test_an_unknown_timezone_is_refused(zone: str) -> None:
    problem = "timezone: must be the IANA name of a timezone known here, such as Europe/Paris"
    with pytest.raises(InvalidValue, match=f"^{problem}"):
        Cycle(ANCHOR, timezone=zone)
    with pytest.raises(InvalidValue, match=f"^{problem}"):
        Cycle.monthly(zone)


@pytest.mark.parametrize(
    ("anchor", "zone"),
    [
        (datetime.max.replace(tzinfo=UTC), "Asia/Tokyo"),
        (datetime.min.replace(tzinfo=UTC), "America/New_York"),
    ],
)
def test_an_anchor_beyond_the_years_there_are_in_its_timezone_is_refused(
    anchor: datetime, zone: str
) -> None:
    message = "^anchor: must be within the years 1 to 9999 in the timezone, got "
    with pytest.raises(InvalidValue, match=message):
        Cycle(anchor, timezone=zone)


def test_a_cycle_with_many_faults_reports_them_all() -> None:
    bad: Any = {"anchor": None, "every": 0, "unit": "moon", "timezone": 5}
    with pytest.raises(InvalidValues) as caught:
        Cycle(**bad)
    assert [str(error).partition(":")[0] for error in caught.value.errors] == [*bad]


def test_cycles_are_equal_by_value_and_survive_pickling() -> None:
    cycle = Cycle(ANCHOR, every=2, timezone="Europe/Paris")
    tokyo = ANCHOR.astimezone(timezone(timedelta(hours=9)))
    same = Cycle(tokyo, every=2, timezone="Europe/Paris")
    assert len({cycle, same, pickle.loads(pickle.dumps(cycle))}) == 1
    assert Cycle(ANCHOR, every=3) != Cycle(ANCHOR, unit="quarter")


def test_the_repr_of_a_cycle_names_what_is_not_its_default() -> None:
    assert repr(Cycle(ANCHOR)) == (
        "Cycle(anchor=datetime.datetime(2024, 1, 31, 0, 0, tzinfo=datetime.timezone.utc))"
    )
    assert repr(Cycle(ANCHOR, 2, "week", "Europe/Paris")).endswith(
        "), every=2, unit='week', timezone='Europe/Paris')"
    )


@pytest.mark.parametrize(
    ("cycle", "expected"),
    [
        (Cycle.monthly(day=31), ["2000-01-31", "2000-02-29", "2000-03-31"]),
        (Cycle.monthly("Europe/Paris", day=28), ["2000-01-27T23:00", "2000-02-27T23:00"]),
        (Cycle.calendar("day"), ["2000-01-01", "2000-01-02"]),
        (Cycle.calendar("week"), ["2000-01-03", "2000-01-10"]),  # Mondays
        (Cycle.calendar("month"), ["2000-01-01", "2000-02-01"]),
        (Cycle.calendar("quarter"), ["2000-01-01", "2000-04-01", "2000-07-01", "2000-10-01"]),
        (Cycle.calendar("year"), ["2000-01-01", "2001-01-01"]),
        (
            Cycle.calendar("quarter", "America/New_York"),
            ["2000-01-01T05:00", "2000-04-01T05:00", "2000-07-01T04:00", "2000-10-01T04:00"],
        ),
    ],
)
def test_cycles_of_a_calendar_start_where_its_units_do(cycle: Cycle, expected: list[str]) -> None:
    assert starts(cycle, 0, len(expected) - 1) == expected


def test_a_day_whose_midnight_was_skipped_starts_at_the_first_time_it_has() -> None:
    havana = ZoneInfo("America/Havana")  # 00:00 became 01:00 on 10 March 2024
    days = Cycle.calendar("day", "America/Havana")
    tenth = Period(datetime(2024, 3, 10, 1, tzinfo=havana), datetime(2024, 3, 11, tzinfo=havana))
    assert days.period_at(datetime(2024, 3, 10, 12, tzinfo=havana)) == tenth
    assert tenth.end - tenth.start == timedelta(hours=23)


@pytest.mark.parametrize("unit", ["hour", "days", None])
def test_what_no_calendar_begins_is_refused(unit: Any) -> None:
    with pytest.raises(InvalidValue, match=r"^unit: must be one of day, week, month, quarter, y"):
        Cycle.calendar(unit)
    with pytest.raises(InvalidValues):
        Cycle.calendar(unit, "Europe/Berlim")


@pytest.mark.parametrize(
    ("day", "error", "message"),
    [
        (0, InvalidValue, "day: must be from 1 to 31, got 0"),
        (32, InvalidValue, "day: must be from 1 to 31, got 32"),
        (True, InvalidType, "day: must be an int, got True"),
        ("31", InvalidType, "day: must be an int, got '31'"),
    ],
)
def test_what_is_no_day_of_a_month_is_refused(
    day: Any, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=f"^{message}"):
        Cycle.monthly(day=day)


def test_a_day_in_place_of_a_timezone_is_told() -> None:
    day: Any = 15
    with pytest.raises(InvalidType, match=r"^timezone: must be a str \(did you mean day=15\?\)"):
        Cycle.monthly(day)
