"""Cycles: the rules that produce periods, one after another, from an anchor.

    cycle = Cycle(datetime(2024, 1, 31, tzinfo=UTC))  # monthly: 31 January, 29 February, 31 March
    cycle.period_at(instant)                          # the period that an instant lies in
    cycle.periods_between(subscribed, cancelled)      # those of a subscription, cut at its ends
    meter(events, period_at=cycle.period_at)

Every boundary is worked out from the anchor, never from the one before it, so none drifts.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final, Literal, TypeAlias

from overages._ground.parsing import (
    Problems,
    choice_of,
    int_up_to,
    parse_all,
    parse_flag,
    parse_int,
)
from overages._ground.value import derived, term, value
from overages.errors import Field, InvalidType, InvalidValue
from overages.periods.boundaries import EARLIEST, LATEST, Boundaries, boundaries_of
from overages.periods.period import Period, new_period, parse_instant
from overages.periods.timezones import parse_timezone, zone_of

CycleUnit: TypeAlias = Literal["hour", "day", "week", "month", "quarter", "year"]
"""The unit that a cycle counts in."""

CalendarUnit: TypeAlias = Literal["day", "week", "month", "quarter", "year"]
"""A unit of the calendar, which begins at a midnight."""

_TICK: Final = timedelta(microseconds=1)  # no instant is between two that are one apart
_MOST: Final = 1_000_000  # a million hours are a century; a longer cycle is a mistake


def _parse_timezone_of_months(value: object, field: Field) -> str:
    if type(value) is int:
        raise InvalidType(field, value, f"must be a str (did you mean day={value}?)")
    return parse_timezone(value, field)


@value
class Cycle:
    """A rule that divides all time into periods, numbered from the one that starts at an anchor.

    Boundaries have the anchor's time of day in the timezone. Where a month is too short for the
    anchor's day, its last day counts; the next boundary is back at the anchor's day. Where clocks
    were set forward over a boundary's time of day, the boundary is later by as much;
    where they were set back and showed it twice, the earlier instant is meant. Hours are elapsed
    ones, whatever clocks do. Where a timezone skipped a whole day (in Samoa, 30 December 2011), a
    daily cycle's boundaries of that day and of the next are one instant: no period is empty, and
    both numbers name the period of the next day.

    :param anchor: the instant that period 0 starts at, timezone-aware; kept in UTC.
    :param every: how many units a period has, from 1 to 1,000,000.
    :param unit: ``"hour"``, ``"day"``, ``"week"``, ``"month"``, ``"quarter"`` or ``"year"``.
    :param timezone: IANA name of the timezone whose clocks and calendar count. All but ``"UTC"``
        need a timezone database: the system's, or the `tzdata` package.
    :raises InvalidType: for a value of a wrong type.
    :raises InvalidValue: for a value that is not allowed; `InvalidValues` for several.

    >>> from datetime import UTC, datetime
    >>> cycle = Cycle(datetime(2024, 1, 31, tzinfo=UTC))
    >>> [cycle.period(n).start.day for n in range(4)]
    [31, 29, 31, 30]
    """

    anchor: datetime = term(parse_instant)
    every: int = term(int_up_to(_MOST))
    unit: CycleUnit = term(choice_of(CycleUnit))
    timezone: str = term(parse_timezone)
    _boundaries: Boundaries = derived()

    def __init__(
        self,
        anchor: datetime,
        every: int = 1,
        unit: CycleUnit = "month",
        timezone: str = "UTC",
    ) -> None: ...

    def _check(self, problems: Problems) -> None:
        try:
            self.anchor.astimezone(zone_of(self.timezone))
        except (OverflowError, ValueError):
            problem = "must be within the years 1 to 9999 in the timezone"
            problems.add(InvalidValue("anchor", self.anchor, problem))

    def _complete(self) -> None:
        zone = zone_of(self.timezone)
        boundaries = boundaries_of(self.anchor, self.every, self.unit, zone)
        object.__setattr__(self, "_boundaries", boundaries)

    @classmethod
    def monthly(cls, timezone: str = "UTC", *, day: int = 1) -> Cycle:
        """Return the cycle of months, from midnight to midnight in a timezone.

        :param day: the day of the month that periods start on, from 1 to 31; where a month is too
            short for it, on its last. With 1, periods are calendar months.
        :raises InvalidValue: if there is no such timezone or day.

        >>> Cycle.monthly("Europe/Paris").period(1).isoformat()  # period 0 is January 2000
        '2000-01-31T23:00:00Z/2000-02-29T23:00:00Z'
        >>> Cycle.monthly(day=31).period(1).describe()
        '2000-02-29 to 2000-03-31 UTC'
        """
        parse_all((_parse_timezone_of_months, timezone, "timezone"), (int_up_to(31), day, "day"))
        return cls(datetime(2000, 1, day, tzinfo=zone_of(timezone)), timezone=timezone)

    @classmethod
    def calendar(cls, unit: CalendarUnit, timezone: str = "UTC") -> Cycle:
        """Return the cycle of a calendar's days, weeks, months, quarters or years.

        They start at midnight in a timezone: weeks on a Monday, months on the 1st, quarters in
        January, April, July and October, years in January. Period 0 is the first of 2000.

        :raises InvalidValue: if there is no such unit or timezone.

        >>> from datetime import UTC, datetime
        >>> Cycle.calendar("quarter").period_at(datetime(2024, 5, 17, tzinfo=UTC)).describe()
        '2024-04-01 to 2024-07-01 UTC'
        """
        parse_all((choice_of(CalendarUnit), unit, "unit"), (parse_timezone, timezone, "timezone"))
        day = 3 if unit == "week" else 1  # 3 January 2000 was a Monday
        return cls(datetime(2000, 1, day, tzinfo=zone_of(timezone)), unit=unit, timezone=timezone)

    def period(self, n: int) -> Period:
        """Return the n-th period: 0 starts at the anchor, -1 ends there.

        :raises InvalidValue: if it isn't whole within the years 1 to 9999.
        """
        start = self._boundaries.at(parse_int(n, "n"))
        if start is not EARLIEST:
            _, end = self._boundaries.after(n, start)
            if end is not LATEST:
                return new_period(start, end)
        raise InvalidValue("n", n, "must be the number of a period within the years 1 to 9999")

    def period_at(self, instant: datetime) -> Period:
        """Return the period that an aware instant lies in.

        :raises InvalidValue: if that period isn't whole within the years 1 to 9999.

        >>> from datetime import UTC, datetime
        >>> weeks = Cycle(datetime(2024, 1, 1, tzinfo=UTC), every=2, unit="week")
        >>> weeks.period_at(datetime(2024, 2, 29, tzinfo=UTC)).describe()
        '2024-02-26 to 2024-03-11 UTC'
        """
        return self._containing(parse_instant(instant, "instant"), "instant")

    def period_of_many(self, instant: datetime) -> Period:
        """Return the period of an instant in UTC that is asked for again and again.

        The start of a month is, for each org that is billed for it: a tenth of the time.
        """
        return _period_of_many(self._boundaries, instant)

    def period_before(self, instant: datetime) -> Period:
        """Return the last period that has ended by an aware instant: the one to bill in arrears.

        :raises InvalidValue: if that period isn't whole within the years 1 to 9999.

        >>> from datetime import UTC, datetime
        >>> Cycle.monthly().period_before(datetime(2024, 3, 1, tzinfo=UTC)).describe()
        '2024-02-01 to 2024-03-01 UTC'
        """
        _, end, _ = self._boundaries.around(parse_instant(instant, "instant"))
        start = EARLIEST
        if end > EARLIEST:  # there is an instant before it
            _, start, _ = self._boundaries.around(end - _TICK)
        return _between(start, end, instant, "instant", "follow")

    def period_from(self, start: datetime, *, skip_same_day: bool = False) -> Period:
        """Return the period that starts at an aware instant: up to the next boundary.

        That is a whole period if the instant is a boundary, else the rest of the one it lies in.

        :param skip_same_day: whether a boundary that comes later on the start's own day, in the
            timezone, is passed over, so that a period doesn't end on the day that it starts on.
        :raises InvalidValue: if no boundary follows within the years 1 to 9999.

        >>> from datetime import UTC, datetime
        >>> cycle = Cycle(datetime(2024, 1, 14, 12, tzinfo=UTC))
        >>> cycle.period_from(datetime(2024, 4, 14, tzinfo=UTC)).describe()
        '2024-04-14 to 2024-04-14 12:00:00 UTC'
        >>> cycle.period_from(datetime(2024, 4, 14, tzinfo=UTC), skip_same_day=True).describe()
        '2024-04-14 to 2024-05-14 12:00:00 UTC'
        """
        first, by_day = parse_all(
            (parse_instant, start, "start"), (parse_flag, skip_same_day, "skip_same_day")
        )
        last = first
        if by_day:
            days = Cycle.calendar("day", self.timezone)
            last = days._containing(first, "start").end - _TICK
        return new_period(first, self._containing(last, "start").end)

    def periods_from(self, instant: datetime) -> Iterator[Period]:
        """Return the period that an aware instant lies in and all after it, up to the year 9999.

        :raises InvalidValue: if the first isn't whole within the years 1 to 9999.

        >>> from datetime import UTC, datetime
        >>> periods = Cycle.monthly().periods_from(datetime(2024, 2, 3, tzinfo=UTC))
        >>> next(periods).describe(), next(periods).describe()
        ('2024-02-01 to 2024-03-01 UTC', '2024-03-01 to 2024-04-01 UTC')
        """
        n, start, end = self._boundaries.around(parse_instant(instant, "instant"))
        _between(start, end, instant, "instant")
        return self._onwards(n, start, end)

    def periods_between(
        self, start: datetime, end: datetime, *, skip_same_day: bool = False
    ) -> Iterator[Period]:
        """Return the periods that divide the time from one aware instant to another.

        All are whole but the first, which starts at `start`, and the last, which ends at `end`.

        :param start: when a subscription begins, say; with `skip_same_day` as in `period_from`.
        :param end: first instant after it.
        :raises InvalidValue: if the end isn't later than the start, or if a period that one of
            them lies in isn't whole within the years 1 to 9999.

        >>> from datetime import UTC, datetime
        >>> start, end = datetime(2024, 1, 20, tzinfo=UTC), datetime(2024, 3, 5, tzinfo=UTC)
        >>> for period in Cycle.monthly().periods_between(start, end):
        ...     print(period.describe())
        2024-01-20 to 2024-02-01 UTC
        2024-02-01 to 2024-03-01 UTC
        2024-03-01 to 2024-03-05 UTC
        """
        span = Period(start, end)
        self._containing(span.end - _TICK, "end")  # or the last part would be missing
        first = self.period_from(span.start, skip_same_day=skip_same_day)
        return self._until(span.end, first)

    def _until(self, end: datetime, first: Period) -> Iterator[Period]:
        period, following = first, self._onwards(*self._boundaries.around(first.end))
        while period.end < end:
            yield period
            period = next(following)
        yield period.clipped(end=end)

    def _onwards(self, n: int, start: datetime, end: datetime) -> Iterator[Period]:
        """Yield the periods from boundary n on, which is at `start`, the next one at `end`."""
        n += 1
        while end is not LATEST:
            yield new_period(start, end)
            start = end
            n, end = self._boundaries.after(n, start)

    def _containing(self, instant: datetime, field: Field) -> Period:
        return _period_around(self._boundaries, instant, field)


def _period_around(boundaries: Boundaries, instant: datetime, field: Field) -> Period:
    _, start, end = boundaries.around(instant)
    return _between(start, end, instant, field)


@lru_cache(maxsize=1024)
def _period_of_many(boundaries: Boundaries, instant: datetime) -> Period:
    return _period_around(boundaries, instant, "instant")


def _between(
    start: datetime, end: datetime, instant: datetime, field: Field, relation: str = "lie in"
) -> Period:
    """Return the period between two boundaries, if both are within reach."""
    if start is EARLIEST or end is LATEST:
        raise InvalidValue(field, instant, f"must {relation} a period within the years 1 to 9999")
    return new_period(start, end)
