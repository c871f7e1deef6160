"""What commands read: a file of plans, a file of usage.

book = load_plans(path)
usages = load_usage(path, period, zone)
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import Final

from overages.commands.progress import track
from overages.errors import OveragesError
from overages.imports.events import read_events
from overages.imports.plans import PlanBook, read_plans
from overages.metering import Meter
from overages.period import Period
from overages.usage import Usage

_EARLIEST: Final = datetime.min.replace(tzinfo=UTC)
_LATEST: Final = datetime.max.replace(tzinfo=UTC)


class BadInput(Exception):
    """A file is wrong, and what is wrong with it has been said on standard error."""


def say(message: str) -> None:
    """Write a line to standard error."""
    print(message, file=sys.stderr)


def refuse(source: str, error: OveragesError) -> BadInput:
    """Say everything that is wrong with a source; return the exception to raise."""
    for part in error.errors:
        say(f"{source}: {part}")
    return BadInput(source)


def load_plans(path: Path) -> PlanBook:
    """Return the plans and accounts in a TOML file.

    :raises BadInput: if it is faulty.
    """
    try:
        return read_plans(path.read_text(encoding="utf-8"))
    except UnicodeDecodeError as error:
        say(f"{path}: must be UTF-8: {error}")
        raise BadInput(path) from None
    except OveragesError as error:
        raise refuse(str(path), error) from None


def load_usage(path: Path, period: Period | None, zone: tzinfo | None) -> list[Usage]:
    """Return the usage in a CSV file of events, by org and period.

    :param period: the one that is wanted; without it, every calendar month with events.
    :param zone: the timezone of months, and of timestamps that have none; months are in UTC
        without it, and such timestamps are errors.
    :raises BadInput: if any row is faulty; each has been named by its line.
    """
    meter = Meter(_months(zone or UTC) if period is None else _only(period))
    bad = outside = 0
    with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
        lines = track(file, f"reading {path.name}", path.stat().st_size, sys.stderr)
        try:
            for number, event in read_events(lines, zone):
                try:
                    if isinstance(event, OveragesError):
                        raise event
                    meter.add(event)
                    outside += period is not None and event.at not in period
                except OveragesError as error:
                    bad += 1
                    for part in error.errors:
                        say(f"{path}:{number}: {part}")
            usages = meter.usages(period)
        except OveragesError as error:
            raise refuse(str(path), error) from None
    if outside:
        say(f"{path}: events outside the period {period}, left out: {outside:,}")
    if bad:
        say(f"{path}: bad rows: {bad:,}; nothing was rated")
        raise BadInput(path)
    return usages


def _months(zone: tzinfo) -> Callable[[datetime], Period]:
    return lambda moment: Period.month_of(moment, zone)


def _only(period: Period) -> Callable[[datetime], Period]:
    """Return what puts an instant into the period, or into all time before or after it."""

    def period_at(moment: datetime) -> Period:
        if moment < period.start:
            return Period(_EARLIEST, period.start)
        return period if moment < period.end else Period(period.end, _LATEST)

    return period_at
