"""Inputs of the commands: a file of plans, a file of usage.

book = load_plans(path, zone)
usages, earlier = load_usage(path, book, period, zone)
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
from overages.errors import MOST_ERRORS, OveragesError
from overages.imports.events import read_events
from overages.imports.plans import PlanBook, read_plans
from overages.periods.cycle import Cycle
from overages.periods.period import Period, instant_from_text
from overages.usage.event import UsageEvent
from overages.usage.metering import Meter
from overages.usage.usage import Usage

_EARLIEST: Final = datetime.min.replace(tzinfo=UTC)
_LATEST: Final = datetime.max.replace(tzinfo=UTC)


class BadInput(Exception):
    """A file is wrong, and its faults have been said on standard error."""


def say(message: str) -> None:
    """Write a line to standard error."""
    print(message, file=sys.stderr)


def refuse(source: str, error: OveragesError) -> BadInput:
    """Say everything that is wrong with a source; return the exception to raise."""
    for part in error.errors:
        say(f"{source}: {part}")
    if len(error.errors) >= MOST_ERRORS:
        say(f"{source}: reading stopped after {MOST_ERRORS} problems")
    return BadInput(source)


def to_path(text: str) -> Path:
    """Read the file that an argument of the command line names."""
    if not text or "\0" in text:
        raise ArgumentTypeError("must name a file")
    return Path(text)


def to_instant(text: str) -> datetime:
    """Return the instant that an argument of the command line names."""
    try:
        return instant_from_text(text)
    except OveragesError as error:
        raise ArgumentTypeError(str(error)) from None


def load_plans(path: Path, zone: ZoneInfo | None) -> PlanBook:
    """Return the plans and accounts in a TOML file.

    :param zone: the timezone of months, for orgs without a cycle of their own; UTC without it.
    :raises BadInput: if it is faulty.
    """
    try:
        return read_plans(path.read_text(encoding="utf-8-sig"), "UTC" if zone is None else zone.key)
    except UnicodeDecodeError as error:
        say(f"{path}: must be UTF-8: {error}")
        raise BadInput(path) from None
    except OveragesError as error:
        raise refuse(str(path), error) from None


def load_usage(
    path: Path, book: PlanBook, period: Period | None, zone: tzinfo | None
) -> tuple[list[Usage], list[Usage]]:
    """Read the usage in a CSV file of events, and that of earlier periods, by org and period.

    Earlier is the usage before a period that is the only one wanted, of orgs whose plan keeps
    something from period to period.

    :param book: says by which cycle an org is billed.
    :param period: the one that is wanted; without it, every period of its cycle that an org has
        events in.
    :param zone: the timezone of timestamps that have none; without it, such timestamps are errors.
    :raises BadInput: if any row is faulty; each has been named by its line.
    """
    meters = _Meters(book, period)
    bad = 0
    with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
        lines = track(file, f"reading {path.name}", path.stat().st_size, sys.stderr)
        try:
            for number, event in read_events(lines, zone):
                try:
                    if isinstance(event, OveragesError):
                        raise event
                    meters.add(event)
                except OveragesError as error:
                    bad += 1
                    for part in error.errors if bad <= MOST_ERRORS else ():
                        say(f"{path}:{number}: {part}")
            usages, earlier = meters.usages()
        except OveragesError as error:
            raise refuse(str(path), error) from None
    if meters.outside:
        say(f"{path}: events outside the period {period}, left out: {meters.outside:,}")
    if bad:
        shown = f", of which the first {MOST_ERRORS} are shown" if bad > MOST_ERRORS else ""
        say(f"{path}: bad rows: {bad:,}{shown}; nothing was rated")
        raise BadInput(path)
    return usages, earlier


class _Meters:
    """A meter for each rule by which orgs have their periods."""

    def __init__(self, book: PlanBook, period: Period | None) -> None:
        self._book, self._period = book, period
        self._only = None if period is None else Meter(_only(period))
        self._keeping = period is not None and book.needs_balance
        self._by_cycle: dict[Cycle, Meter] = {}
        self.outside = 0

    def add(self, event: UsageEvent) -> None:
        meter, period = self._only, self._period
        if meter is None or (self._keeping and self._book.needs_balance_for(event.org_id)):
            cycle = self._book.account_cycle(event.org_id)
            meter = self._by_cycle.get(cycle)
            if meter is None:
                period_at = cycle.period_at if period is None else _up_to(period, cycle)
                meter = self._by_cycle[cycle] = Meter(period_at)
            left_out = period is not None and event.at >= period.end
        else:
            left_out = period is not None and event.at not in period
        meter.add(event)
        self.outside += left_out

    def usages(self) -> tuple[list[Usage], list[Usage]]:
        """List the usages that are wanted, and those of earlier periods; see `load_usage`."""
        counted = [usage for meter in self._by_cycle.values() for usage in meter.usages()]
        period, earlier = self._period, list[Usage]()
        if period is not None and self._only is not None:
            earlier = [usage for usage in counted if usage.period.start < period.start]
            counted = [usage for usage in counted if usage.period == period]
            counted += self._only.usages(period)
        return sorted(counted, key=_place), sorted(earlier, key=_place)


def _place(usage: Usage) -> tuple[str, Period]:
    return usage.org_id, usage.period


def _up_to(period: Period, cycle: Cycle) -> Callable[[datetime], Period]:
    """Make a function from instants to the period, one of the cycle before it, or all after."""

    def period_at(moment: datetime) -> Period:
        if moment < period.start:
            return cycle.period_at(moment).clipped(end=period.start)
        return period if moment < period.end else Period(period.end, _LATEST)

    return period_at


def _only(period: Period) -> Callable[[datetime], Period]:
    """Make a function that puts an instant into the period, or into all time before or after it."""

    def period_at(moment: datetime) -> Period:
        if moment < period.start:
            return Period(_EARLIEST, period.start)
        return period if moment < period.end else Period(period.end, _LATEST)

    return period_at
