"""Day counts: how long a period is, by the rule that a `Proration` names.

    day_count(Period.month(2024, 2))                  # 29
    day_count(period, Proration.DAYS_INCLUSIVE, "Europe/Paris")

Shares of a period, and what they come to, are in `overages.periods.proration`.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta, tzinfo
from enum import Enum
from typing import Final

from overages._ground.parsing import instance_of, parse_all
from overages.errors import InvalidValue
from overages.periods.period import Period, instant
from overages.periods.timezones import zone_name, zone_of

_DAY: Final = timedelta(days=1)
_TICK: Final = timedelta(microseconds=1)  # the finest that a datetime knows


class Proration(Enum):
    """How time is counted where part of a period is compared with the whole of it.

    Days are those of a timezone's calendar, however many hours its clocks give them: a day begins
    at its first local midnight. By the rules of the first group the shares of any partition of a
    period sum to 1; by those of the second they don't, by their nature.

    - `DAYS`: calendar days, half-open: the day that a part starts in counts, the day that it ends
      in doesn't, so a day at which two parts meet counts in the later one alone.
    - `DAYS_30_360`: the same, where every month has 30 days (30E/360): the 31st is the 30th again,
      and the last day of February counts for those that are missing.
    - `SECONDS`: elapsed time, exact to the microsecond; a day of 25 hours weighs more than others.

    - `DAYS_INCLUSIVE`: calendar days, both ends counted: for periods that are written with their
      last day as their end. A day at which two parts meet counts in both.
    - `WALL_CLOCK_DAYS`: started days of 24 hours on the clocks of the timezone, at least one: each
      part is rounded up on its own.
    - `FULL`: no part is cheaper than the whole: the share is 1.
    - `REFUSED`: a part other than the whole is an error.

    Source of `DAYS_30_360`: ISDA 2006 Definitions, section 4.16(g).

    >>> Proration("days_inclusive")
    <Proration.DAYS_INCLUSIVE: 'days_inclusive'>
    """

    DAYS = "days"
    DAYS_30_360 = "days_30_360"
    SECONDS = "seconds"
    DAYS_INCLUSIVE = "days_inclusive"
    WALL_CLOCK_DAYS = "wall_clock_days"
    FULL = "full"
    REFUSED = "refused"

    @classmethod
    def of(cls, value: object, field: str) -> Proration:
        """Return a `Proration` from itself or from its name, such as ``"days"``."""
        return one_rule_of(value, field, tuple(cls))


ADDING_UP: Final = (Proration.DAYS, Proration.DAYS_30_360, Proration.SECONDS)
"""The rules by which the shares of any partition of a period sum to 1."""

_COUNTING_DAYS: Final = (
    Proration.DAYS,
    Proration.DAYS_30_360,
    Proration.DAYS_INCLUSIVE,
    Proration.WALL_CLOCK_DAYS,
)


def day_count(period: Period, by: Proration | str = Proration.DAYS, timezone: str = "UTC") -> int:
    """Return how many days a period has, as a rule counts them; zero or more.

    It serves where a part is measured against something else than a period around it, such as a
    year of 365 days whatever the calendar says: ``Fraction(day_count(month), 365)``.

    :raises InvalidValue: for a rule that counts no days: `SECONDS`, `FULL`, `REFUSED`.

    >>> february = Period.month(2024, 2)
    >>> day_count(february), day_count(february, Proration.DAYS_30_360)
    (29, 30)
    """
    period, rule, zone = parse_all(
        (instance_of(Period), period, "period"),
        (_day_rule, by, "by"),
        (zone_named, timezone, "timezone"),
    )
    return length(period, rule, zone, "period")


def length(period: Period, rule: Proration, zone: tzinfo, field: str) -> int:
    """Return how long a period is by a rule: in days, or in microseconds by `SECONDS`."""
    if rule is Proration.SECONDS:
        return (period.end - period.start) // _TICK
    try:
        if rule is Proration.WALL_CLOCK_DAYS:
            shown = _clock(period.end, zone) - _clock(period.start, zone)
            return max(1, -(-shown // _DAY))  # clocks may be set back within it
        first, last = _day(period.start, zone), _day(period.end, zone)
    except (OverflowError, ValueError):
        problem = "must be within the years 1 to 9999 in the timezone"
        raise InvalidValue(field, period, problem) from None
    if rule is Proration.DAYS_30_360:
        return _day_of_360(last) - _day_of_360(first)
    return (last - first).days + (rule is Proration.DAYS_INCLUSIVE)


def _clock(moment: datetime, zone: tzinfo) -> datetime:
    """Return what clocks show."""
    return moment.astimezone(zone).replace(tzinfo=None)


def _day(moment: datetime, zone: tzinfo) -> date:
    """Return the last local date that has begun.

    Where clocks were set back over midnight they show the old date again, but its day is over: so
    days never run backwards, and a later instant is never on an earlier day.
    """
    shown = _clock(moment, zone).date()
    following = shown + _DAY
    midnight = datetime(following.year, following.month, following.day, tzinfo=zone)
    return following if instant(midnight, "midnight") <= moment else shown


def _day_of_360(day: date) -> int:
    """Number the days of years that have twelve months of 30; the 31st has the number of the 30th.

    A difference of two numbers is the count, so the counts of parts add up.
    """
    return 360 * day.year + 30 * day.month + min(day.day, 30)


def one_rule_of(value: object, field: str, rules: tuple[Proration, ...]) -> Proration:
    """Return a rule from itself or from its name, if it is one of some."""
    for rule in rules:
        if value is rule or (isinstance(value, str) and value == rule.value):
            return rule
    names = ", ".join(rule.value for rule in rules)
    raise InvalidValue(field, value, f"must be one of {names}")


def zone_named(value: object, field: str) -> tzinfo:
    """Return the timezone of an IANA name."""
    return zone_of(zone_name(value, field))


def _day_rule(value: object, field: str) -> Proration:
    return one_rule_of(value, field, _COUNTING_DAYS)
