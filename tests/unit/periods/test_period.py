"""Periods and instants: strict reading, UTC, half-open."""

from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from overages import Period
from overages.errors import InvalidType, InvalidValue
from overages.periods.period import format_instant, instant_from_text, parse_instant

BERLIN = ZoneInfo("Europe/Berlin")
NEW_YORK = ZoneInfo("America/New_York")
FEBRUARY = Period(datetime(2024, 2, 1, tzinfo=UTC), datetime(2024, 3, 1, tzinfo=UTC))
NOT_A_TIME = "must be an ISO 8601 time such as 2024-02-01T12:30:00Z"


class Stamp(datetime):
    """What pandas and others hand out: a datetime that is more."""


class Nowhere(tzinfo):
    """A timezone that doesn't know its offset."""

    def utcoffset(self, _: datetime | None) -> None:
        return None

    dst = utcoffset
    tzname = utcoffset


@pytest.mark.parametrize(
    ("moment", "utc"),
    [
        (datetime(2024, 2, 1, 1, tzinfo=BERLIN), datetime(2024, 2, 1, 0, tzinfo=UTC)),
        (datetime(2024, 1, 31, 19, tzinfo=NEW_YORK), datetime(2024, 2, 1, 0, tzinfo=UTC)),
        (Stamp(2024, 2, 1, 1, 2, 3, 4, BERLIN), datetime(2024, 2, 1, 0, 2, 3, 4, UTC)),
        (datetime(2024, 2, 1, tzinfo=UTC, fold=1), datetime(2024, 2, 1, tzinfo=UTC)),
        (Stamp(2024, 2, 1, tzinfo=UTC), datetime(2024, 2, 1, tzinfo=UTC)),
        (datetime(9999, 12, 31, 23, tzinfo=UTC), datetime(9999, 12, 31, 23, tzinfo=UTC)),
    ],
)
def test_an_instant_becomes_a_plain_datetime_in_utc(moment: datetime, utc: datetime) -> None:
    found = parse_instant(moment, "at")
    assert (type(found), found, found.tzinfo, found.fold) == (datetime, utc, UTC, 0)


@pytest.mark.parametrize("moment", [datetime(2024, 2, 1), datetime(2024, 2, 1, tzinfo=Nowhere())])
def test_an_instant_without_a_timezone_is_refused(moment: datetime) -> None:
    with pytest.raises(InvalidValue, match=r"^at: must have a timezone, got 2024-02-01T"):
        parse_instant(moment, "at")


@pytest.mark.parametrize("value", ["2024-02-01T00:00:00Z", 1_706_745_600, None, FEBRUARY])
def test_an_instant_is_a_datetime(value: object) -> None:
    with pytest.raises(InvalidType, match=r"^at: must be a datetime, got "):
        parse_instant(value, "at")


@pytest.mark.parametrize(
    "moment",
    [
        datetime(9999, 12, 31, 23, tzinfo=timezone(timedelta(hours=-2))),
        datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=2))),
    ],
)
def test_an_instant_beyond_the_years_1_to_9999_in_utc_is_refused(moment: datetime) -> None:
    with pytest.raises(InvalidValue, match=r"^at: must be within the years 1 to 9999 in UTC, got "):
        parse_instant(moment, "at")


@pytest.mark.parametrize(
    ("text", "iso"),
    [
        ("2024-02-01T12:30:00Z", "2024-02-01T12:30:00"),
        ("2024-02-01 12:30:00Z", "2024-02-01T12:30:00"),
        ("2024-02-01T12:30Z", "2024-02-01T12:30:00"),
        ("2024-02-01T12:30:00-00:00", "2024-02-01T12:30:00"),
        ("2024-02-01T12:30:00+01:00", "2024-02-01T11:30:00"),
        ("2024-02-01T12:30:00+0530", "2024-02-01T07:00:00"),
        ("2024-02-01T12:30:00-08", "2024-02-01T20:30:00"),
        ("2024-02-29T23:59:59+00:00", "2024-02-29T23:59:59"),
        ("2024-02-01T12:30:00.5Z", "2024-02-01T12:30:00.500000"),
        ("2024-02-01T12:30:00,25Z", "2024-02-01T12:30:00.250000"),
        ("2023-11-16T18:17:03.9799600Z", "2023-11-16T18:17:03.979960"),
        ("2024-02-29T23:59:59.9999999999999999999999Z", "2024-02-29T23:59:59.999999"),
        ("9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59.999999"),
    ],
)
def test_an_iso_8601_text_is_read_as_an_instant_in_utc(text: str, iso: str) -> None:
    found = instant_from_text(text)
    assert (found.replace(tzinfo=None).isoformat(), found.tzinfo) == (iso, UTC)


@pytest.mark.parametrize(
    "text",
    [
        *("", "now", "2024-02-01", "2024-02", "2024-W05-4T00:00Z", "20240201T000000Z"),
        *("2024-2-1T00:00:00Z", "2024-02-01t00:00:00z", "2024-02-01T00:00:00 Z"),
        *("2024-02-01T00Z", "2024-02-01T00:00:00.Z", "2024-02-01T00:00:00Z\n"),
        *("2024-02-01T00:00:00+1:00", "2024-02-01T00:00:00 Europe/Berlin", "+2024-02-01T00:00Z"),
        "\u0662\u0660\u0662\u0664-02-01T00:00:00Z",
        "1706745600",
    ],
)
def test_another_text_is_no_instant(text: str) -> None:
    with pytest.raises(InvalidValue, match=f"^at: {NOT_A_TIME}, got "):
        instant_from_text(text, "at")


@pytest.mark.parametrize(
    "text",
    [
        "2024-02-30T00:00:00Z",
        "2023-02-29T00:00:00Z",
        "2024-13-01T00:00:00Z",
        "2024-00-01T00:00:00Z",
        "0000-01-01T00:00:00Z",
        "2024-02-01T25:00:00Z",
        "2024-02-01T23:59:60Z",
        "2024-02-01T00:00:00+24:00",
    ],
)
def test_a_time_that_never_is_is_refused(text: str) -> None:
    with pytest.raises(InvalidValue, match=r"^at: must be a real date and time \(.+\), got '"):
        instant_from_text(text, "at")


def test_a_text_whose_instant_is_after_the_year_9999_in_utc_is_refused() -> None:
    with pytest.raises(InvalidValue, match=r"^at: must be within the years 1 to 9999 in UTC, got "):
        instant_from_text("9999-12-31T23:00:00-02:00", "at")


def test_a_text_without_a_zone_is_refused_unless_one_is_given() -> None:
    problem = "must have a timezone, such as a Z at its end"
    with pytest.raises(InvalidValue, match=f"^instant: {problem}, got '2024-02-01T12:30:00'$"):
        instant_from_text("2024-02-01T12:30:00")
    assert instant_from_text("2024-02-01T12:30:00", "at", BERLIN) == datetime(
        2024, 2, 1, 11, 30, tzinfo=UTC
    )


def test_the_zone_in_a_text_wins_over_the_given_one() -> None:
    assert instant_from_text("2024-02-01T12:30:00Z", "at", BERLIN).hour == 12


@pytest.mark.parametrize(
    ("text", "zone", "hour"),
    [
        ("2024-03-31T01:59:59", BERLIN, 0),  # the last second of winter time
        ("2024-03-31T02:30:00", BERLIN, 1),  # skipped: read in winter time, 03:30 by the clock
        ("2024-03-31T03:00:00", BERLIN, 1),
        ("2024-10-27T02:30:00", BERLIN, 0),  # twice: the earlier, in summer time
        ("2024-10-27T03:00:00", BERLIN, 2),
        ("2024-11-03T01:30:00", NEW_YORK, 5),
    ],
)
def test_where_clocks_change_the_offset_before_the_change_is_meant(
    text: str, zone: tzinfo, hour: int
) -> None:
    assert instant_from_text(text, "at", zone).hour == hour


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (datetime(2024, 2, 1, tzinfo=UTC), "2024-02-01T00:00:00Z"),
        (datetime(2024, 2, 1, 1, 2, 3, 40, tzinfo=BERLIN), "2024-02-01T00:02:03.000040Z"),
        (datetime(1, 1, 1, tzinfo=UTC), "0001-01-01T00:00:00Z"),
    ],
)
def test_an_instant_is_written_as_rfc_3339_in_utc(moment: datetime, text: str) -> None:
    assert format_instant(moment) == text


def test_a_period_keeps_its_ends_in_utc() -> None:
    period = Period(datetime(2024, 2, 1, tzinfo=BERLIN), datetime(2024, 3, 1, tzinfo=timezone.min))
    assert period.isoformat() == "2024-01-31T23:00:00Z/2024-03-01T23:59:00Z"


@pytest.mark.parametrize("seconds", [0, -1])
def test_a_period_is_neither_empty_nor_backwards(seconds: int) -> None:
    start = datetime(2024, 2, 1, tzinfo=UTC)
    problem = "must be later than the start, 2024-02-01T00:00:00Z"
    with pytest.raises(InvalidValue, match=f"^end: {problem}, got 2024-0"):
        Period(start, start + timedelta(seconds=seconds))


def test_a_period_in_which_the_clock_alone_runs_backwards_is_lawful() -> None:
    start = datetime(2024, 10, 27, 2, 30, tzinfo=BERLIN)
    period = Period(start, start.replace(minute=15, fold=1))  # 00:30 to 01:15 in UTC
    assert period.end - period.start == timedelta(minutes=45)


@pytest.mark.parametrize(
    ("start", "end", "message"),
    [
        (datetime(2024, 2, 1), datetime(2024, 3, 1, tzinfo=UTC), "^start: must have a timezone"),
        (datetime(2024, 2, 1, tzinfo=UTC), datetime(2024, 3, 1), "^end: must have a timezone"),
        ("2024-02-01", datetime(2024, 3, 1, tzinfo=UTC), "^start: must be a datetime"),
        (datetime(2024, 2, 1, tzinfo=UTC), None, "^end: must be a datetime"),
    ],
)
def test_the_ends_of_a_period_are_instants(start: Any, end: Any, message: str) -> None:
    with pytest.raises((InvalidType, InvalidValue), match=message):
        Period(start, end)


@pytest.mark.parametrize(
    ("year", "month", "zone", "text"),
    [
        (2024, 2, UTC, "2024-02-01T00:00:00Z/2024-03-01T00:00:00Z"),
        (2024, 12, UTC, "2024-12-01T00:00:00Z/2025-01-01T00:00:00Z"),
        (9999, 11, UTC, "9999-11-01T00:00:00Z/9999-12-01T00:00:00Z"),
        (1, 1, UTC, "0001-01-01T00:00:00Z/0001-02-01T00:00:00Z"),
        (2024, 3, BERLIN, "2024-02-29T23:00:00Z/2024-03-31T22:00:00Z"),  # an hour less
        (2024, 10, BERLIN, "2024-09-30T22:00:00Z/2024-10-31T23:00:00Z"),  # an hour more
    ],
)
def test_a_month_goes_from_midnight_to_midnight(
    year: int, month: int, zone: tzinfo, text: str
) -> None:
    assert str(Period.month(year, month, zone)) == text


@pytest.mark.parametrize(
    ("year", "month"), [(2024, 0), (2024, 13), (0, 1), (10_000, 1), (9999, 12), (-1, 1)]
)
def test_a_month_that_can_not_be_is_refused(year: int, month: int) -> None:
    problem = "must be a month from 1 to 12 of the years 1 to 9999"
    with pytest.raises(InvalidValue, match=f"^month: {problem}, got '{year}-{month}'$"):
        Period.month(year, month)


@pytest.mark.parametrize(
    ("moment", "zone", "month"),
    [
        (datetime(2024, 2, 1, tzinfo=UTC), UTC, 2),
        (datetime(2024, 2, 29, 23, 59, 59, 999_999, UTC), UTC, 2),
        (datetime(2024, 2, 29, 23, tzinfo=UTC), BERLIN, 3),
        (datetime(2024, 3, 1, 0, 30, tzinfo=BERLIN), UTC, 2),
        (datetime(2024, 2, 1, 4, 59, tzinfo=UTC), NEW_YORK, 1),
    ],
)
def test_month_of_is_the_month_that_the_instant_lies_in(
    moment: datetime, zone: tzinfo, month: int
) -> None:
    assert Period.month_of(moment, zone) == Period.month(2024, month, zone)


def test_month_of_wants_a_timezone() -> None:
    with pytest.raises(InvalidValue, match=r"^instant: must have a timezone"):
        Period.month_of(datetime(2024, 2, 1))


@pytest.mark.parametrize(
    "text",
    [
        "2024-02",
        "2024-02-01T00:00:00Z/2024-03-01T00:00:00Z",
        "2024-02-01 01:00+01:00/2024-02-29T19:00:00-05",
    ],
)
def test_a_period_is_read_from_a_month_or_two_instants(text: str) -> None:
    assert Period.parse(text) == FEBRUARY


@pytest.mark.parametrize("zone", [UTC, BERLIN])
def test_dates_are_midnights_in_the_zone(zone: tzinfo) -> None:
    assert Period.parse("2024-02-01/2024-03-01", zone) == Period.month(2024, 2, zone)


def test_a_month_can_be_read_in_a_zone() -> None:
    assert Period.parse("2024-02", BERLIN) == Period.month(2024, 2, BERLIN)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"^period: must be a month \(2024-02\) or start/end in ISO 8601, got ''$"),
        ("2024", "^period: must be a month"),
        ("2024-2", "^period: must be a month"),
        ("2024-02\n", "^period: must be a month"),
        ("2024-02-01T00:00:00Z", "^period: must be a month"),
        ("2024-13", "^month: must be a month from 1 to 12 of the years 1 to 9999, got '2024-13'"),
        ("2024-02-01/", f"^end: {NOT_A_TIME}"),
        ("2024-02-01/2024-02-30", "^end: must be a real date and time"),
        ("2024-02-01T00:00:00Z/", f"^end: {NOT_A_TIME}"),
        ("2024-02-01T00:00:00Z/P1M", f"^end: {NOT_A_TIME}"),
        ("2024-02-01T00:00:00Z/2024-03-01T00:00:00", "^end: must have a timezone"),
        ("2024-02-01T00:00:00Z/2024-02-30T00:00:00Z", "^end: must be a real date and time"),
        ("2024-03-01T00:00:00Z/2024-02-01T00:00:00Z", "^end: must be later than the start"),
    ],
)
def test_another_text_is_no_period(text: str, message: str) -> None:
    with pytest.raises(InvalidValue, match=message):
        Period.parse(text)


@pytest.mark.parametrize(
    ("moment", "inside"),
    [
        (datetime(2024, 1, 31, 23, 59, 59, 999_999, UTC), False),
        (datetime(2024, 2, 1, tzinfo=UTC), True),
        (datetime(2024, 2, 29, 23, 59, 59, 999_999, UTC), True),
        (datetime(2024, 3, 1, tzinfo=UTC), False),
        (datetime(2024, 3, 1, 0, 30, tzinfo=BERLIN), True),
    ],
)
def test_a_period_has_its_start_and_not_its_end(moment: datetime, inside: bool) -> None:
    assert (moment in FEBRUARY) is inside


@pytest.mark.parametrize("moment", [datetime(2024, 2, 1), "2024-02-01", None])
def test_asking_whether_what_is_no_instant_is_in_a_period_is_an_error(moment: Any) -> None:
    with pytest.raises((InvalidType, InvalidValue), match=r"^instant: must "):
        moment in FEBRUARY  # noqa: B015


@pytest.mark.parametrize(
    ("text", "reading"),
    [
        ("2024-02", "2024-02-01 to 2024-03-01 UTC"),
        ("2024-02-01T00:00Z/2024-02-01T12:30Z", "2024-02-01 to 2024-02-01 12:30:00 UTC"),
        (
            "2024-02-01T00:00:00.5Z/2024-03-01T00:00Z",
            "2024-02-01 00:00:00.500000 to 2024-03-01 UTC",
        ),
    ],
)
def test_a_period_is_described_for_a_reader(text: str, reading: str) -> None:
    assert Period.parse(text).describe() == reading


def test_the_repr_of_a_period_makes_it_again() -> None:
    assert repr(FEBRUARY) == "Period.parse('2024-02-01T00:00:00Z/2024-03-01T00:00:00Z')"
    assert eval(repr(FEBRUARY)) == FEBRUARY


def test_periods_are_ordered_by_start_then_end() -> None:
    day = Period.parse("2024-02-01T00:00Z/2024-02-02T00:00Z")
    months = [Period.month(2024, 3), FEBRUARY, day, Period.month(2023, 12)]
    assert sorted(months) == [Period.month(2023, 12), day, FEBRUARY, Period.month(2024, 3)]


def test_one_stretch_of_time_named_in_two_zones_is_one_period() -> None:
    tokyo = timezone(timedelta(hours=9))
    same = Period(datetime(2024, 2, 1, 9, tzinfo=tokyo), datetime(2024, 3, 1, 9, tzinfo=tokyo))
    assert {FEBRUARY: "found"}[same] == "found"


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        (None, None, (1, 29)),
        (5, None, (5, 29)),
        (None, 5, (1, 5)),
        (5, 6, (5, 6)),
        (1, 29, (1, 29)),
    ],
)
def test_a_period_is_clipped_to_what_two_instants_leave_of_it(
    start: int | None, end: int | None, expected: tuple[int, int]
) -> None:
    def day(n: int | None) -> datetime | None:
        return None if n is None else datetime(2024, 2, n, tzinfo=UTC)

    february = Period(datetime(2024, 2, 1, tzinfo=UTC), datetime(2024, 2, 29, tzinfo=UTC))
    found = february.clipped(start=day(start), end=day(end))
    assert (found.start.day, found.end.day) == expected


def test_instants_outside_a_period_leave_all_of_it() -> None:
    before, after = datetime(2023, 1, 1, tzinfo=UTC), datetime(2025, 1, 1, tzinfo=UTC)
    assert FEBRUARY.clipped(start=before, end=after) == FEBRUARY


@pytest.mark.parametrize(
    ("ends", "message"),
    [
        (
            {"start": FEBRUARY.end},
            "start: must be earlier than the end, 2024-03-01T00:00:00Z, got ",
        ),
        ({"end": FEBRUARY.start}, "end: must be later than the start, 2024-02-01T00:00:00Z, got "),
        (
            dict.fromkeys(["start", "end"], datetime(2024, 2, 5, tzinfo=UTC)),
            "end: must be later than the start, 2024-02-05T00:00:00Z, got ",
        ),
        ({"start": datetime(2024, 2, 5)}, "start: must have a timezone, got "),
        ({"end": datetime(2024, 2, 5)}, "end: must have a timezone, got "),
        ({"start": "2024-02-05"}, "start: must be a datetime, got "),
    ],
)
def test_what_leaves_nothing_of_a_period_is_refused(ends: dict[str, Any], message: str) -> None:
    with pytest.raises((InvalidType, InvalidValue), match=f"^{message}"):
        FEBRUARY.clipped(**ends)


def test_a_period_is_split_at_instants_in_any_order_and_zone() -> None:
    instants = [datetime(2024, 2, 20, tzinfo=UTC), datetime(2024, 2, 9, 0, 30, tzinfo=BERLIN)]
    assert [str(part) for part in FEBRUARY.split(*instants)] == [
        "2024-02-01T00:00:00Z/2024-02-08T23:30:00Z",
        "2024-02-08T23:30:00Z/2024-02-20T00:00:00Z",
        "2024-02-20T00:00:00Z/2024-03-01T00:00:00Z",
    ]


def test_a_period_that_nothing_splits_is_whole() -> None:
    assert FEBRUARY.split() == (FEBRUARY,)


def test_a_period_can_be_split_up_to_a_microsecond() -> None:
    tick = timedelta(microseconds=1)
    parts = FEBRUARY.split(FEBRUARY.start + tick, FEBRUARY.end - tick)
    assert [part.end - part.start == tick for part in parts] == [True, False, True]


@pytest.mark.parametrize(
    ("instants", "message"),
    [
        ([FEBRUARY.start], r"instants\[0\]: must be once, and within 2024-02-01 to 2024-03-01 UTC"),
        ([FEBRUARY.end], r"instants\[0\]: must be once"),
        ([datetime(2023, 1, 1, tzinfo=UTC)], r"instants\[0\]: must be once"),
        ([datetime(2024, 2, 9, tzinfo=UTC)] * 2, r"instants\[1\]: must be once"),
        ([datetime(2024, 2, 9)], r"instants\[0\]: must have a timezone"),
        ([datetime(2024, 2, 9, tzinfo=UTC), "2024-02-10"], r"instants\[1\]: must be a datetime"),
    ],
)
def test_what_does_not_split_a_period_is_refused(instants: list[Any], message: str) -> None:
    with pytest.raises((InvalidType, InvalidValue), match=f"^{message}"):
        FEBRUARY.split(*instants)


def test_what_is_no_month_is_named_by_its_bounds() -> None:
    first, last = datetime(2024, 1, 1, tzinfo=UTC), datetime(2025, 1, 1, tzinfo=UTC)
    assert Period(first, last).name() == "2024-01-01 to 2025-01-01 UTC"


def test_a_period_at_the_end_of_time_is_told_by_its_bounds() -> None:
    last = Period(datetime(9999, 12, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC))
    assert last.name() == last.describe() == "9999-12-01 to 9999-12-31 UTC"
