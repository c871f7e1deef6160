"""A usage file: the sums of its events by org, for the periods that are wanted.

    usages = load_usage(path, book, period, zone)
    usages[0].account, usages[0].periods, usages[0].sums

Where terms change within a period, or an allowance for a longer time begins anew, there is a sum
for each span between, so that a settlement finds the usage of each.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime, tzinfo
from functools import partial
from itertools import chain, pairwise
from pathlib import Path
from typing import NamedTuple

from overages._ground.parsing import Problems
from overages.commands.inputs import BadInput, refuse, say
from overages.commands.progress import track
from overages.errors import MOST_ERRORS, NoTerms, OveragesError
from overages.imports.events import read_events
from overages.imports.plans import PlanBook
from overages.periods.period import Period
from overages.service.period_inputs import bounds_within
from overages.terms.account import Account
from overages.usage.event import UsageEvent
from overages.usage.metering import Meter
from overages.usage.usage import Usage


class OrgUsage(NamedTuple):
    """The usage of an org in a file, and the periods that are wanted.

    :param account: the org's; one on the default plan begins with the first period that it uses.
    :param periods: its periods that are wanted, in order.
    :param sums: its usage in each span of them, that of nothing among them.
    :param earlier: its usage in spans before them, of an org whose plan keeps something.
    """

    account: Account
    periods: Sequence[Period]
    sums: Sequence[Usage]
    earlier: Sequence[Usage]


def load_usage(
    path: Path, book: PlanBook, period: Period | None, zone: tzinfo | None
) -> list[OrgUsage]:
    """Read the usage in a CSV file of events, by org.

    An org with an account can owe something without usage, a flat fee at quantity zero: it comes,
    too.

    :param period: the only time that is wanted, of whole periods of each org; without it, those
        that an org has events in, and of an account also those in which such a one begins.
    :param zone: the timezone of timestamps that have none; without it, such timestamps are errors.
    :raises BadInput: if any row is faulty; each has been named by its line. Also if the period cuts
        one of an org's own, which has one bill.
    """
    if period is not None:
        _require_whole_periods(book.accounts.values(), period)
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
            sums = meters.sums()
            accounts = _accounts(book, sums)
        except OveragesError as error:
            raise refuse(str(path), error) from None
    if meters.outside:
        say(f"{path}: events outside the period {period}, left out: {meters.outside:,}")
    bad.raise_any()
    if period is not None:
        _require_whole_periods(accounts.values(), period)
    wanted = _wanted(book, accounts, sums, period)
    return [
        _usage(book, accounts[org_id], periods, sums.get(org_id, {}))
        for org_id, periods in sorted(wanted.items())
        if periods
    ]


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


class _Meters:
    """A meter for each rule by which orgs have their periods."""

    def __init__(self, book: PlanBook, period: Period | None) -> None:
        self._book, self._period = book, period
        self._keeps = period is not None and book.needs_balance
        self._meters: dict[str | None, Meter] = {}  # by org; None for those without an account
        self.outside = 0

    def add(self, event: UsageEvent) -> None:
        period, org_id = self._period, event.org_id
        if period is not None and event.at not in period:
            is_earlier = event.at < period.start
            if not (is_earlier and self._keeps and self._book.needs_balance_for(org_id)):
                self.outside += 1
                return
        key = org_id if org_id in self._book.accounts else None
        meter = self._meters.get(key)
        if meter is None:
            meter = self._meters[key] = Meter(partial(_span_at, self._book, org_id))
        meter.add(event)

    def sums(self) -> dict[str, dict[Period, Usage]]:
        """Return the usage of each span that has events, by org.

        :raises InvalidValue: if a sum is negative; `InvalidValues` if several are.
        """
        sums: dict[str, dict[Period, Usage]] = {}
        problems = Problems()
        for meter in self._meters.values():
            for usage in problems.attempt(meter.usages) or ():
                sums.setdefault(usage.org_id, {})[usage.period] = usage
        problems.raise_any()
        return sums


def _span_at(book: PlanBook, org_id: str, instant: datetime) -> Period:
    """Return the span of an org's period that an instant lies in.

    :raises NoTerms: if the org has an account, and no terms then.
    """
    account = book.accounts.get(org_id)
    if account is None:
        own = book.default_cycle.period_at(instant)
        if book.default_plan is None:
            return own  # it can't be billed, which is said of the org, and not of each row
        account = book.account(org_id, own.start)
    return next(
        span for span in _spans(book, account, account.period_at(instant)) if instant in span
    )


def _spans(book: PlanBook, account: Account, period: Period) -> list[Period]:
    """Divide one of an account's periods where terms change or an allowance begins anew."""
    parts = [(part, book.plans[terms.plan]) for part, terms in account.parts(period)]
    return [Period(*ends) for ends in pairwise(bounds_within(period, parts))]


def _accounts(book: PlanBook, sums: dict[str, dict[Period, Usage]]) -> dict[str, Account]:
    """Return the account of each org that has usage, and of each that has an account.

    :raises UnknownPlan: if an org has no account, and there is no default plan.
    """
    accounts = dict(book.accounts)
    problems = Problems()
    for org_id, spans in sums.items():
        if org_id not in accounts:
            first = book.default_cycle.period_at(min(spans).start)
            try:
                accounts[org_id] = book.account(org_id, first.start)
            except OveragesError as error:
                problems.add(error.within(org_id=org_id, period=first))
    problems.raise_any()
    return accounts


def _require_whole_periods(accounts: Iterable[Account], period: Period) -> None:
    """Refuse a wanted time that cuts one of an account's periods."""
    problems = Problems()
    try:
        for account in accounts:
            if not account.divides(period):
                problems.attempt(account.require, period)
        problems.raise_any()
    except OveragesError as error:
        raise refuse("--period", error) from None


def _wanted(
    book: PlanBook,
    accounts: dict[str, Account],
    sums: dict[str, dict[Period, Usage]],
    period: Period | None,
) -> dict[str, list[Period]]:
    """Return the periods of each org that are wanted, in order."""
    wanted = {
        org_id: {accounts[org_id].period_at(span.start) for span in sums[org_id]} for org_id in sums
    }
    if period is None:
        starts = {each.start for each in chain.from_iterable(wanted.values())}
        for org_id, account in book.accounts.items():
            held = {account.period_at(start) for start in starts if account.at(start) is not None}
            wanted[org_id] = wanted.get(org_id, set()) | held
    else:
        for org_id, periods in wanted.items():
            wanted[org_id] = {each for each in periods if period.start <= each.start}
        for org_id, account in book.accounts.items():
            wanted[org_id] = set(account.periods(period.start, period.end))
    return {org_id: sorted(periods) for org_id, periods in wanted.items()}


def _usage(
    book: PlanBook, account: Account, periods: Sequence[Period], used: dict[Period, Usage]
) -> OrgUsage:
    spans = [span for period in periods for span in _spans(book, account, period)]
    sums = [used.get(span) or Usage(account.org_id, span, {}) for span in spans]
    first = periods[0].start
    return OrgUsage(account, periods, sums, [used[span] for span in used if span.start < first])
