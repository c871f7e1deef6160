"""Periods of time: half-open, timezone-aware, kept in UTC.

Cycles, which produce periods from an anchor, are in `overages.periods.cycle`.

    period = Period.month(2024, 2)
    instant in period                                 # start <= instant < end
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, tzinfo
from itertools import pairwise
from typing import Final

from overages._ground.parsing import Problems, each, instance_of, is_a
from overages._ground.trusted import trusted
from overages._ground.value import term, value
from overages.errors import Field, InvalidType, InvalidValue

_INSTANT: Final = (
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(:[0-9]{2}([.,][0-9]+)?)?"
    r"(?P<zone>Z|[+-][0-9]{2}(:?[0-9]{2})?)?"
)
_MONTHS: Final = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
)  # fmt: skip
_MONTH: Final = r"([0-9]{4})-([0-9]{2})"
_DATE: Final = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"


def parse_instant(value: object, field: Field) -> datetime:
    """Return an aware `datetime` as a plain one in UTC.

    :raises InvalidType: if it is no `datetime`.
    :raises InvalidValue: if it has no timezone.
    """
    if type(value) is datetime:
        if value.tzinfo is UTC and not value.fold:
            return value
        plain = value
    elif is_a(value, datetime):  # a subclass may say anything of itself: it is read as its base
        plain = datetime.combine(datetime.date(value), datetime.timetz(value))
    else:
        raise InvalidType(field, value, "must be a datetime")
    if plain.utcoffset() is None:
        raise InvalidValue(field, value, "must have a timezone")
    try:
        utc = plain.astimezone(UTC)
    except OverflowError:
        raise InvalidValue(field, value, "must be within the years 1 to 9999 in UTC") from None
    return utc.replace(fold=0) if utc.fold else utc


def instant_from_text(text: str, field: Field = "instant", zone: tzinfo | None = None) -> datetime:
    """Return the instant that an ISO 8601 text names, in UTC.

    :param text: date and time, such as ``2023-11-16T18:17:03.9799600Z``, with any number of
        decimals. Digits finer than a microsecond are cut off, which moves no instant across the
        boundary of a period.
    :param zone: the timezone of a text without one; where clocks are set back, the earlier of the
        two instants is meant.
    :raises InvalidValue: if it is no such text, or has no zone and none is given.

    >>> instant_from_text("2023-11-16 18:17:03.9799600+01:00").isoformat()
    '2023-11-16T17:17:03.979960+00:00'
    """
    match = re.fullmatch(_INSTANT, instance_of(str)(text, field))
    if match is None:
        raise InvalidValue(field, text, "must be an ISO 8601 time such as 2024-02-01T12:30:00Z")
    if match["zone"] is None and zone is None:
        raise InvalidValue(field, text, "must have a timezone, such as a Z at its end")
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as error:
        raise InvalidValue(field, text, f"must be a real date and time ({error})") from None
    return parse_instant(instant if match["zone"] else instant.replace(tzinfo=zone), field)


def format_instant(instant: datetime) -> str:
    """Write an instant as RFC 3339 in UTC: ``2024-02-01T00:00:00Z``."""
    return instant.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"


@value(order=True)
class Period:
    """A stretch of time ``[start, end)``: its start belongs to it, its end doesn't.

    :param start: first instant, timezone-aware; kept in UTC.
    :param end: first instant after it, timezone-aware; later than the start.
    :raises InvalidValue: if an end has no timezone, or if the period is empty or runs backwards.

    >>> period = Period.month(2024, 2)
    >>> str(period)
    '2024-02-01T00:00:00Z/2024-03-01T00:00:00Z'
    >>> period.end in period
    False
    """

    start: datetime = term(parse_instant)
    end: datetime = term(parse_instant)

    def __init__(self, start: datetime, end: datetime) -> None: ...

    def _check(self, problems: Problems) -> None:
        if self.end <= self.start:
            problem = f"must be later than the start, {format_instant(self.start)}"
            problems.add(InvalidValue("end", self.end, problem))

    @classmethod
    def month(cls, year: int, month: int, zone: tzinfo = UTC) -> Period:
        """Return a calendar month, from midnight to midnight in a timezone.

        :raises InvalidValue: if there is no such month, or no month after it (9999-12).

        >>> Period.month(2024, 12).end.isoformat()
        '2025-01-01T00:00:00+00:00'
        """
        instance_of(tzinfo)(zone, "zone")
        try:
            start = datetime(year, month, 1)
            end = datetime(year + month // 12, month % 12 + 1, 1)
        except (TypeError, ValueError):
            problem = "must be a month from 1 to 12 of the years 1 to 9999"
            raise InvalidValue("month", f"{year}-{month}", problem) from None
        return cls(start.replace(tzinfo=zone), end.replace(tzinfo=zone))

    @classmethod
    def month_of(cls, instant: datetime, zone: tzinfo = UTC) -> Period:
        """Return the calendar month, in a timezone, that an aware instant lies in."""
        utc = parse_instant(instant, "instant")
        try:
            local = utc.astimezone(zone)
        except OverflowError:
            problem = "must be within the years 1 to 9999 in the timezone"
            raise InvalidValue("instant", instant, problem) from None
        period = cls.month(local.year, local.month, zone)
        if utc < period.end:
            return period
        # Clocks were set back over midnight: the date is the old one again, the month is over.
        return cls.month(local.year + local.month // 12, local.month % 12 + 1, zone)

    @classmethod
    def parse(cls, text: str, zone: tzinfo = UTC) -> Period:
        """Return the period that an ISO 8601 text names.

        :param text: a month (``2024-02``), or its start and end with a slash between: each a date
            (at midnight), or an instant with a zone.
        :param zone: the timezone of the midnights.
        :raises InvalidValue: if it is neither.

        >>> Period.parse("2024-02") == Period.parse("2024-02-01T00:00:00Z/2024-03-01T00:00:00Z")
        True
        >>> Period.parse("2024-02") == Period.parse("2024-02-01/2024-03-01")
        True
        """
        month = re.fullmatch(_MONTH, instance_of(str)(text, "period"))
        if month:
            return cls.month(int(month[1]), int(month[2]), zone)
        start, slash, end = text.partition("/")
        if not slash:
            raise InvalidValue("period", text, "must be a month (2024-02) or start/end in ISO 8601")
        return cls(_boundary(start, "start", zone), _boundary(end, "end", zone))

    def __contains__(self, instant: object) -> bool:
        return self.start <= parse_instant(instant, "instant") < self.end

    def clipped(self, *, start: datetime | None = None, end: datetime | None = None) -> Period:
        """Return the part of the period from one aware instant up to another, such as of a term.

        :param start: time before it is left out; None leaves nothing out.
        :param end: time from it on is left out; None leaves nothing out.
        :raises InvalidValue: if nothing is left.

        >>> Period.month(2024, 2).clipped(end=datetime(2024, 2, 12, tzinfo=UTC)).describe()
        '2024-02-01 to 2024-02-12 UTC'
        """
        first = self.start if start is None else max(self.start, parse_instant(start, "start"))
        after = self.end if end is None else min(self.end, parse_instant(end, "end"))
        if first >= self.end:
            problem = f"must be earlier than the end, {format_instant(self.end)}"
            raise InvalidValue("start", start, problem)
        return Period(first, after)

    def split(self, *instants: datetime) -> tuple[Period, ...]:
        """Return the parts that aware instants divide the period into, in order of time.

        A part starts at its instant, which the part before no longer holds.

        :raises InvalidValue: if an instant isn't within the period, or is its start, or comes
            twice.

        >>> for part in Period.month(2024, 2).split(datetime(2024, 2, 20, tzinfo=UTC)):
        ...     print(part.describe())
        2024-02-01 to 2024-02-20 UTC
        2024-02-20 to 2024-03-01 UTC
        """
        problems = Problems()
        cuts: list[datetime] = []
        for cut in each(parse_instant)(instants, "instants"):
            if not self.start < cut < self.end or cut in cuts:
                problem = f"must be once, and within {self.describe()}, not at its start"
                problems.add(InvalidValue(("instants", len(cuts)), cut, problem))
            cuts.append(cut)
        problems.raise_any()
        bounds = [self.start, *sorted(cuts), self.end]
        return tuple(Period(*ends) for ends in pairwise(bounds))

    def isoformat(self) -> str:
        """Write the period as an ISO 8601 interval, both ends in UTC."""
        return f"{format_instant(self.start)}/{format_instant(self.end)}"

    def describe(self) -> str:
        """Write the period for a reader: ``2024-02-01 to 2024-03-01 UTC`` (the end not in it)."""
        return f"{reading(self.start)} to {reading(self.end)} UTC"

    def name(self, zone: tzinfo = UTC) -> str:
        """Write the period as people in a timezone call it: by its month, or by its bounds.

        >>> from zoneinfo import ZoneInfo
        >>> Period.month(2024, 2).name()
        'February 2024'
        >>> Period.month(2024, 2).name(ZoneInfo("Europe/Paris"))
        '2024-02-01 01:00:00 to 2024-03-01 01:00:00 Europe/Paris'
        """
        try:
            start, end = self.start.astimezone(zone), self.end.astimezone(zone)
            is_month = self == Period.month_of(self.start, zone)
        except (OverflowError, InvalidValue):  # beyond the years 1 to 9999, there or then
            return self.describe()
        if is_month:
            return f"{_MONTHS[start.month - 1]} {start.year}"
        return f"{_local(start)} to {_local(end)} {zone}"

    def __str__(self) -> str:
        return self.isoformat()

    def __repr__(self) -> str:
        return f"Period.parse({self.isoformat()!r})"


def _boundary(text: str, field: Field, zone: tzinfo) -> datetime:
    if re.fullmatch(_DATE, text):
        return instant_from_text(f"{text}T00:00:00", field, zone)
    return instant_from_text(text, field)


def _local(instant: datetime) -> str:
    text = instant.replace(tzinfo=None).isoformat(sep=" ")
    return text.removesuffix(" 00:00:00")


def local_reading(instant: datetime, zone: tzinfo) -> str:
    """Write an instant for readers in a timezone; in UTC, as it is kept.

    >>> from zoneinfo import ZoneInfo
    >>> local_reading(datetime(2024, 2, 29, 23, tzinfo=UTC), ZoneInfo("Europe/Paris"))
    '2024-03-01 Europe/Paris'
    """
    return format_instant(instant) if zone is UTC else f"{_local(instant.astimezone(zone))} {zone}"


def reading(instant: datetime) -> str:
    """Write an instant in UTC for a reader: ``2024-02-01``, or with its time if it has one."""
    text = format_instant(instant)[:-1]
    return text.removesuffix("T00:00:00").replace("T", " ")


new_period: Final = trusted(Period)
"""Make a period of two instants in UTC, as the library keeps them, the later one last."""

parse_period: Final = instance_of(Period)
"""Accept a period as it is."""
