"""Inputs of the commands: a file of plans, a file of usage.

book = load_plans(path, zone)
usages, earlier = load_usage(path, book, period, zone)
"""

from __future__ import annotations

import sys
from argparse import ArgumentTypeError
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, tzinfo
from functools import partial
from itertools import combinations
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from overages._ground.parsing import Problems
from overages.amounts.exact import add_up
from overages.commands.history import Parts
from overages.commands.progress import track
from overages.errors import MOST_ERRORS, NoTerms, OveragesError
from overages.imports.events import read_events
from overages.imports.plans import PlanBook, read_plans
from overages.periods.period import Period, instant_from_text
from overages.terms.account import Account
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
) -> tuple[list[Usage], list[Usage], Parts]:
    """Read the usage in a CSV file of events, and that of earlier periods, by org and period.

    Where terms change within a period, the usage of each part of it comes beside it.

    Earlier is the usage before a period that is the only one wanted, of orgs whose plan keeps
    something from period to period.

    :param book: says by which cycle an org is billed.
    :param period: the one that is wanted; without it, every period of its cycle that an org has
        events in.
    :param zone: the timezone of timestamps that have none; without it, such timestamps are errors.
    :raises BadInput: if any row is faulty; each has been named by its line. Also if the period cuts
        one of an account's own, which has one bill.
    """
    if period is not None:
        _require_whole_periods(book, period)
    meters = _Meters(book, period)
    bad = _BadRows(path)
    with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
        lines = track(file, f"reading {path.name}", path.stat().st_size, sys.stderr)
        try:
            for number, event in read_events(lines, zone):
                try:
                    if isinstance(event, OveragesError):
                        raise event
                    meters.add(event)
                except OveragesError as error:
                    bad.add(number, error)
            usages, earlier, parts = meters.usages()
        except OveragesError as error:
            raise refuse(str(path), error) from None
    if meters.outside:
        say(f"{path}: events outside the period {period}, left out: {meters.outside:,}")
    bad.raise_any()
    return usages, earlier, parts


class _BadRows:
    """The rows that can't be counted: the first are named, of an org without terms only one."""

    def __init__(self, path: Path) -> None:
        self._path, self._count, self._named = path, 0, 0
        self._without_terms = Counter[str | None]()

    def add(self, number: int, error: OveragesError) -> None:
        self._count += 1
        if isinstance(error, NoTerms):
            self._without_terms[error.org_id] += 1
            if self._without_terms[error.org_id] > 1:
                return
        if self._named < MOST_ERRORS:
            self._named += 1
            for part in error.errors:
                say(f"{self._path}:{number}: {part}")

    def raise_any(self) -> None:
        if not self._count:
            return
        for org_id, rows in self._without_terms.most_common(MOST_ERRORS):
            if rows > 1:
                say(f"{self._path}: {org_id}: {rows:,} rows of when it has no terms")
        shown = f", of which the first {MOST_ERRORS} are shown"
        more = shown if self._named == MOST_ERRORS < self._count else ""
        say(f"{self._path}: bad rows: {self._count:,}{more}; nothing was rated")
        raise BadInput(self._path)


def _require_whole_periods(book: PlanBook, period: Period) -> None:
    """Refuse a wanted period that cuts one of an account's own."""
    problems = Problems()
    for account in book.accounts.values():
        if not account.divides(period):
            problems.attempt(account.require, period)
    try:
        problems.raise_any()
    except OveragesError as error:
        raise refuse("--period", error) from None


class _Meters:
    """A meter for each rule by which orgs have their periods."""

    def __init__(self, book: PlanBook, period: Period | None) -> None:
        self._book, self._period = book, period
        self._only = None if period is None else Meter(_only(period))
        self._keeping = period is not None and book.needs_balance
        self._own: dict[str | None, Meter] = {}  # by org; None for those without an account
        self.outside = 0

    def add(self, event: UsageEvent) -> None:
        meter, period, org_id = self._only, self._period, event.org_id
        keeps = self._keeping and self._book.needs_balance_for(org_id)
        has_account = org_id in self._book.accounts
        if meter is None or keeps or has_account:
            key = org_id if has_account else None
            meter = self._own.get(key)
            if meter is None:
                own = partial(self._book.part_at, org_id)
                period_at = own if period is None else _up_to(period, own, divided=has_account)
                meter = self._own[key] = Meter(period_at)
        meter.add(event)
        if period is not None and event.at not in period:
            self.outside += event.at >= period.end or not keeps

    def usages(self) -> tuple[list[Usage], list[Usage], Parts]:
        """List the usages that are wanted, and those of earlier periods; see `load_usage`."""
        counted, parts = list[Usage](), dict[tuple[str, Period], list[Usage]]()
        for usage in (usage for meter in self._own.values() for usage in meter.usages()):
            own = self._own_period(usage)
            if own == usage.period:
                counted.append(usage)
            else:
                parts.setdefault((usage.org_id, own), []).append(usage)
        for (org_id, own), each in parts.items():
            counted.append(_together(org_id, own, each))
            parts[org_id, own] = _times_within(self._book.accounts[org_id], own, each)
        period, earlier = self._period, list[Usage]()
        if period is not None and self._only is not None:
            earlier = [usage for usage in counted if usage.period.start < period.start]
            counted = [
                usage
                for usage in counted
                if period.start <= usage.period.start and usage.period.end <= period.end
            ]
            counted += self._only.usages(period)
        return sorted(counted, key=_place), sorted(earlier, key=_place), parts

    def _own_period(self, usage: Usage) -> Period:
        """Return the period of an account that a part of it lies in."""
        account = self._book.accounts.get(usage.org_id)
        if account is None or account.at(usage.period.start) is None:
            return usage.period
        own = account.period_at(usage.period.start)
        return (
            own if own.start <= usage.period.start and usage.period.end <= own.end else usage.period
        )


def _together(org_id: str, period: Period, parts: Sequence[Usage]) -> Usage:
    """Return the usage of a period, given that of each part that has some."""
    metrics = dict.fromkeys(metric for usage in parts for metric in usage.quantities)
    quantities = {
        metric: add_up(usage.quantities.get(metric, 0) for usage in parts) for metric in metrics
    }
    return Usage(org_id, period, quantities)


def _times_within(account: Account, period: Period, parts: Sequence[Usage]) -> list[Usage]:
    """Return the usage of each time within a period from one change of its terms to another."""
    bounds = [*(part.start for part, _ in account.parts(period)), period.end]
    times = [Period(*ends) for ends in combinations(bounds, 2)]
    return [
        _together(account.org_id, time, [part for part in parts if part.period.start in time])
        for time in times
        if time != period
    ]


def _place(usage: Usage) -> tuple[str, Period]:
    return usage.org_id, usage.period


def _up_to(
    period: Period, own: Callable[[datetime], Period], *, divided: bool
) -> Callable[[datetime], Period]:
    """Make a function from instants to the period, one before it, or all time after.

    :param own: gives the org's periods.
    :param divided: whether the period consists of some of these, which are given in its place.
    """

    def period_at(moment: datetime) -> Period:
        if moment < period.start:
            return own(moment).clipped(end=period.start)
        if moment < period.end:
            return own(moment) if divided else period
        return Period(period.end, _LATEST)

    return period_at


def _only(period: Period) -> Callable[[datetime], Period]:
    """Make a function that puts an instant into the period, or into all time before or after it."""

    def period_at(moment: datetime) -> Period:
        if moment < period.start:
            return Period(_EARLIEST, period.start)
        return period if moment < period.end else Period(period.end, _LATEST)

    return period_at
