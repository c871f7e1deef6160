"""Timezones by their IANA names, whose clocks and calendar count for a cycle."""

from __future__ import annotations

from datetime import UTC, tzinfo
from functools import lru_cache

from overages._ground.names import parse_name
from overages.errors import Field, InvalidValue, did_you_mean


def parse_timezone(value: object, field: Field) -> str:
    """Return the name of a timezone, if it is one.

    :raises InvalidType: if it is no string.
    :raises InvalidValue: if no timezone of that name is known here.

    >>> parse_timezone("Europe/Paris", "timezone")
    'Europe/Paris'
    """
    key = parse_name(value, field)
    try:
        zone = None if key == "localtime" else zone_of(key)  # that is another one on each machine
    except (LookupError, ValueError, OSError):  # unknown, no path, or a folder of the database
        zone = None
    if zone is None:
        problem = "must be the IANA name of a timezone known here, such as Europe/Paris"
        raise InvalidValue(field, value, problem + _hint(key))
    return key


def _hint(key: str) -> str:
    """Name the timezone that a misspelt one resembles, if it is of a place.

    ``EST`` is no ``CEST``, and ``Etc/GMT+2`` is two hours west of ``GMT+2`` as others write it.
    """
    from zoneinfo import available_timezones  # reads the folders of the database

    places = {name for name in available_timezones() if "/" in name and name[:4] != "Etc/"}
    return did_you_mean(key, {"UTC", *places})


def parse_zone(value: object, field: Field) -> tzinfo:
    """Return the timezone that a name is of.

    :raises InvalidType: if it is no string.
    :raises InvalidValue: if no timezone of that name is known here.
    """
    if type(value) is str and value == "UTC":  # what most are left at
        return UTC
    return zone_of(parse_timezone(value, field))


@lru_cache(256)  # the import statement alone takes ten times as long
def zone_of(key: str) -> tzinfo:
    """Return the timezone of a name that is one."""
    if key == "UTC":
        return UTC
    from zoneinfo import ZoneInfo  # it needs a database, and takes longer to import than we do

    return ZoneInfo(key)
