"""The instants of usage files: ISO 8601 texts, dates, and numbers since 1970.

parse = instant_parser(UsageLayout(timezone="Europe/Paris"))
parse("2024-02-01", "timestamp").isoformat()      # "2024-01-31T23:00:00+00:00"
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from functools import partial
from typing import Final

from overages._ground.parsing import Parser
from overages.amounts.exact import DECIMAL_DIGITS, parse_quantity, scaled
from overages.errors import Field, InvalidValue, OveragesError
from overages.imports.usage_files.cells import Way, shape_of
from overages.imports.usage_files.layout import UsageLayout
from overages.periods.period import instant_from_text, parse_instant
from overages.periods.timezones import zone_of

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_DATE: Final = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}")
_NUMBER: Final = re.compile(r"[0-9]{9,}(?:\.[0-9]+)?")
_LOCAL: Final = r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]+)?+"
# Numbers of 11 digits at most are seconds until the year 5138, longer ones milliseconds since 1973:
# one in place of the other is seen.
_MOST_SECONDS: Final = 10**11

_IN_UTC: Final = shape_of(f"{_LOCAL}Z")
_WITHOUT_ZONE: Final = shape_of(_LOCAL)
_SECONDS: Final = shape_of("[0-9]{1,11}+")
_MILLISECONDS: Final = shape_of("[1-9][0-9]{11,13}+")


def instant_parser(layout: UsageLayout) -> Parser[datetime]:
    """Return the parser of a layout's instants."""
    if layout.timestamp == "iso":
        return partial(_from_iso, zone=_zone(layout))
    return _from_seconds if layout.timestamp == "epoch_seconds" else _from_milliseconds


def instant_ways(layout: UsageLayout) -> Sequence[Way]:
    """Return the ways in which a layout's instants are often written."""
    if layout.timestamp == "epoch_seconds":
        return [(_SECONDS, lambda text: _EPOCH + timedelta(seconds=int(text)))]
    if layout.timestamp == "epoch_milliseconds":
        return [(_MILLISECONDS, lambda text: _EPOCH + timedelta(milliseconds=int(text)))]
    zone = _zone(layout)
    ways: list[Way] = [(_IN_UTC, datetime.fromisoformat)]
    if zone is not None:
        ways.append((_WITHOUT_ZONE, partial(_local, zone=zone)))
    return ways


def _zone(layout: UsageLayout) -> tzinfo | None:
    return None if layout.timezone is None else zone_of(layout.timezone)


def _local(text: str, zone: tzinfo) -> datetime:
    return parse_instant(datetime.fromisoformat(text).replace(tzinfo=zone), "timestamp")


def _from_iso(value: object, field: Field, zone: tzinfo | None) -> datetime:
    text = str(value)
    written = f"{text}T00:00:00" if _DATE.fullmatch(text) else text
    try:
        return instant_from_text(written, field, zone)
    except InvalidValue as error:
        problem = error.problem
        if zone is None and problem.startswith("must have a timezone"):
            problem += '; if all are of one, write timezone = "UTC" (or its name) under [usage]'
        elif _NUMBER.fullmatch(text):
            problem += '; if it is a number since 1970, write timestamp = "epoch_seconds" (or '
            problem += '"epoch_milliseconds") under [usage]'
        raise InvalidValue(field, text, problem) from None


def _from_seconds(value: object, field: Field) -> datetime:
    seconds = _number(value, field, "seconds")
    if seconds >= _MOST_SECONDS * 10**DECIMAL_DIGITS:
        problem = _other_unit("seconds", "milliseconds")
        raise InvalidValue(field, value, problem)
    return _after_epoch(seconds // 10 ** (DECIMAL_DIGITS - 6), value, field)


def _from_milliseconds(value: object, field: Field) -> datetime:
    milliseconds = _number(value, field, "milliseconds")
    if milliseconds < _MOST_SECONDS * 10**DECIMAL_DIGITS:
        problem = _other_unit("milliseconds", "seconds")
        raise InvalidValue(field, value, problem)
    return _after_epoch(milliseconds // 10 ** (DECIMAL_DIGITS - 3), value, field)


def _other_unit(unit: str, likely: str) -> str:
    advice = f'if they are {likely}, write timestamp = "epoch_{likely}" under [usage]'
    return f"must be {unit} since 1970; {advice}"


def _number(value: object, field: Field, unit: str) -> int:
    """Return a number since 1970 in picos of its unit."""
    try:
        return scaled(parse_quantity(value, field))
    except OveragesError:
        problem = f"must be a number of {unit} since 1970, as the layout says"
        raise InvalidValue(field, value, problem) from None


def _after_epoch(microseconds: int, value: object, field: Field) -> datetime:
    try:
        return _EPOCH + microseconds * _MICROSECOND
    except OverflowError:
        problem = "must be within the years 1 to 9999 in UTC"
        raise InvalidValue(field, value, problem) from None
