"""What commands read: a file of plans, a file of usage.

book = load_plans(path, zone)
usages = load_usage(path, book, period, zone)
"""

from __future__ import annotations

import sys
from argparse import ArgumentTypeError
from collections.abc import Callable
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from overages.commands.progress import track
from overages.errors import OveragesError
from overages.imports.events import read_events
from overages.imports.plans import PlanBook, read_plans
from overages.metering import Meter
from overages.period import Period, parse_instant
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


def to_instant(text: str) -> datetime:
    """Return the instant that an argument of the command line names."""
    try:
        return parse_instant(text)
    except OveragesError as error:
        raise ArgumentTypeError(str(error)) from None


def load_plans(path: Path, zone: ZoneInfo | None) -> PlanBook:
    """Return the plans and accounts in a TOML file.

    :param zone: the timezone of months, for orgs without a cycle of their own; UTC without it.
    :raises BadInput: if it is faulty.
    """
    try:
        return read_plans(path.read_text(encoding="utf-8"), "UTC" if zone is None else zone.key)
    except UnicodeDecodeError as error:
        say(f"{path}: must be UTF-8: {error}")
        raise BadInput(path) from None
    except OveragesError as error:
        raise refuse(str(path), error) from None


def load_usage(
    path: Path, book: PlanBook, period: Period | None, zone: tzinfo | None
) -> list[Usage]:
    """Return the usage in a CSV file of events, sorted by org and period.

    :param book: says by which cycle an org is billed.
    :param period: the one that is wanted; without it, every period of its cycle that an org has
        events in.
    :param zone: the timezone of timestamps that have none; without it, such timestamps are errors.
    :raises BadInput: if any row is faulty; each has been named by its line.
    """
    by_period = None if period is None else _only(period)
    meters: dict[Callable[[datetime], Period], Meter] = {}
    bad = outside = 0
    with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
        lines = track(file, f"reading {path.name}", path.stat().st_size, sys.stderr)
        try:
            for number, event in read_events(lines, zone):
                try:
                    if isinstance(event, OveragesError):
                        raise event
                    period_at = by_period or book.account_cycle(event.org_id).period_at
                    meter = meters.get(period_at)
                    if meter is None:
                        meter = meters[period_at] = Meter(period_at)
                    meter.add(event)
                    outside += period is not None and event.at not in period
                except OveragesError as error:
                    bad += 1
                    for part in error.errors:
                        say(f"{path}:{number}: {part}")
            usages = [usage for meter in meters.values() for usage in meter.usages(period)]
        except OveragesError as error:
            raise refuse(str(path), error) from None
    if outside:
        say(f"{path}: events outside the period {period}, left out: {outside:,}")
    if bad:
        say(f"{path}: bad rows: {bad:,}; nothing was rated")
        raise BadInput(path)
    return sorted(usages, key=lambda usage: (usage.org_id, usage.period))


def _only(period: Period) -> Callable[[datetime], Period]:
    """Return what puts an instant into the period, or into all time before or after it."""

    def period_at(moment: datetime) -> Period:
        if moment < period.start:
            return Period(_EARLIEST, period.start)
        return period if moment < period.end else Period(period.end, _LATEST)

    return period_at
