"""Cycles: the rules that produce periods, one after another, from an anchor.

    cycle = Cycle(datetime(2024, 1, 31, tzinfo=UTC))  # monthly: 31 January, 29 February, 31 March
    cycle.period_at(moment)                           # the period that an instant lies in
    meter(events, period_at=cycle.period_at)

Every boundary is worked out from the anchor, never from the one before it, so none drifts.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final, Literal, TypeAlias

from attrs import frozen

from overages.errors import InvalidType, InvalidValue
from overages.names import name
from overages.parsing import one_of, parse_all
from overages.period import Period, instant, plus_months

CycleUnit: TypeAlias = Literal["hour", "day", "week", "month", "quarter", "year"]
"""What a cycle counts in."""

_MONTHS: Final = {"month": 1, "quarter": 3, "year": 12}
_SPANS: Final = {"hour": timedelta(hours=1), "day": timedelta(days=1), "week": timedelta(weeks=1)}
_MOST: Final = 1_000_000  # a million hours are a century; a longer cycle is a mistake
_BEYOND: Final = (OverflowError, ValueError)  # what dates outside the years 1 to 9999 end in


@frozen(init=False, weakref_slot=False)
class Cycle:
    """A rule that divides all time into periods, numbered from the one that starts at an anchor.

    Boundaries have the anchor's time of day in the timezone. Where a month is too short for the
    anchor's day, its last day counts; the next boundary is back at the anchor's day. Where clocks
    were set forward over a boundary's time of day, the boundary is later by what they skipped;
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

    anchor: datetime
    every: int
    unit: CycleUnit
    timezone: str

    def __init__(
        self,
        anchor: datetime,
        every: int = 1,
        unit: CycleUnit = "month",
        timezone: str = "UTC",
    ) -> None:
        start, count, counted, zone = parse_all(
            (instant, anchor, "anchor"),
            (_every, every, "every"),
            (one_of(*_SPANS, *_MONTHS), unit, "unit"),
            (timezone_name, timezone, "timezone"),
        )
        try:
            start.astimezone(zone_of(zone))
        except _BEYOND:
            problem = "must be within the years 1 to 9999 in the timezone"
            raise InvalidValue("anchor", anchor, problem) from None
        self.__attrs_init__(start, count, counted, zone)

    @classmethod
    def monthly(cls, timezone: str = "UTC") -> Cycle:
        """Return the cycle of calendar months, from midnight to midnight in a timezone.

        >>> Cycle.monthly("Europe/Paris").period(1).isoformat()  # period 0 is January 2000
        '2000-01-31T23:00:00Z/2000-02-29T23:00:00Z'
        """
        return cls(
            datetime(2000, 1, 1, tzinfo=zone_of(timezone_name(timezone, "timezone"))),
            timezone=timezone,
        )

    def period(self, n: int) -> Period:
        """Return the n-th period: 0 starts at the anchor, -1 ends there.

        :raises InvalidValue: if it isn't whole within the years 1 to 9999.
        """
        period = self._period(_whole(n, "n"))
        if period is None:
            problem = "must be the number of a period within the years 1 to 9999"
            raise InvalidValue("n", n, problem)
        return period

    def period_at(self, moment: datetime) -> Period:
        """Return the period that an aware instant lies in.

        :raises InvalidValue: if that period isn't whole within the years 1 to 9999.

        >>> from datetime import UTC, datetime
        >>> weeks = Cycle(datetime(2024, 1, 1, tzinfo=UTC), every=2, unit="week")
        >>> weeks.period_at(datetime(2024, 2, 29, tzinfo=UTC)).describe()
        '2024-02-26 to 2024-03-11 UTC'
        """
        period = self._period(self._number_at(instant(moment, "moment")))
        if period is None:
            problem = "must lie in a period within the years 1 to 9999"
            raise InvalidValue("moment", moment, problem)
        return period

    def periods_from(self, moment: datetime) -> Iterator[Period]:
        """Return the period that an aware instant lies in and all after it, up to the year 9999.

        :raises InvalidValue: if the first isn't whole within the years 1 to 9999.

        >>> from datetime import UTC, datetime
        >>> periods = Cycle.monthly().periods_from(datetime(2024, 2, 3, tzinfo=UTC))
        >>> next(periods).describe(), next(periods).describe()
        ('2024-02-01 to 2024-03-01 UTC', '2024-03-01 to 2024-04-01 UTC')
        """
        return self._onwards(self.period_at(moment))

    def _onwards(self, period: Period | None) -> Iterator[Period]:
        while period is not None:
            yield period
            period = self._period(self._number_at(period.end))

    def _period(self, n: int) -> Period | None:
        """Return the period from boundary n to the next later one; None if one is out of reach."""
        try:
            start, end = self._boundary(n), self._boundary(n + 1)
            while end <= start:  # a day that the timezone skipped
                n += 1
                end = self._boundary(n + 1)
        except _BEYOND:
            return None
        return Period(start, end)

    def _number_at(self, moment: datetime) -> int:
        """Return the number of the last boundary that is not after an instant.

        An estimate is off by a step or two, for days at the ends of months and clock changes.
        """
        n = self._estimate(moment)
        while not self._has_begun(n, moment):
            n -= 1
        while self._has_begun(n + 1, moment):
            n += 1
        return n

    def _has_begun(self, n: int, moment: datetime) -> bool:
        try:
            return self._boundary(n) <= moment
        except _BEYOND:
            return n < 0  # before the year 1, or else after the year 9999

    def _estimate(self, moment: datetime) -> int:
        if self.unit in _SPANS:
            return (moment - self.anchor) // (self.every * _SPANS[self.unit])
        years, months = moment.year - self.anchor.year, moment.month - self.anchor.month
        return (12 * years + months) // (self.every * _MONTHS[self.unit])

    def _boundary(self, n: int) -> datetime:
        """Return the instant, in UTC, that period n starts at."""
        count = n * self.every
        if n == 0 or self.unit == "hour":  # the anchor itself may be the later of two instants
            return self.anchor + count * _SPANS["hour"]
        zone = zone_of(self.timezone)
        local = self.anchor.astimezone(zone).replace(tzinfo=None)
        if self.unit in _MONTHS:
            wall = plus_months(local, count * _MONTHS[self.unit])
        else:
            wall = local + count * _SPANS[self.unit]
        # With fold=0, the offset before a change of the clocks counts: that is the rule above.
        return wall.replace(tzinfo=zone, fold=0).astimezone(UTC)


def _whole(value: object, field: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise InvalidType(field, value, "must be an int")
    return int(value)


def _every(value: object, field: str) -> int:
    count = _whole(value, field)
    if not 0 < count <= _MOST:
        raise InvalidValue(field, value, f"must be from 1 to {_MOST:,}")
    return count


def timezone_name(value: object, field: str) -> str:
    """Return the name of a timezone, if it is one."""
    key = name(value, field)
    try:
        zone = None if key == "localtime" else zone_of(key)  # that is another one on each machine
    except (LookupError, ValueError, OSError):  # unknown, no path, or a folder of the database
        zone = None
    if zone is None:
        problem = "must be the IANA name of a timezone known here, such as Europe/Paris"
        raise InvalidValue(field, value, problem)
    return key


def zone_of(key: str) -> tzinfo:
    """Return the timezone of a name that `timezone_name` has accepted."""
    if key == "UTC":
        return UTC
    from zoneinfo import ZoneInfo  # it needs a database, and takes longer to import than we do

    return ZoneInfo(key)
