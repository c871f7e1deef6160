"""Sums of usage files in which nothing has to be said, with no row kept.

Where each metric is the sum of its events, a bill needs none of them alone. So the files are
metered as they are read, and the sums put for the times in which the same terms hold:

    span = UsageSums(repository, layout, newcomers).put(files, now)

Anything else (a faulty row, an org without an account, a metric that its plan doesn't know) is left
to the intake, which reads the files anew and says all that there is to say.
"""

from __future__ import annotations

from collections.abc import Sequence, Set
from datetime import datetime
from functools import partial
from typing import Final, TypeAlias

from overages.bookkeeping.period_inputs import bounds_within
from overages.bookkeeping.plans_in_force import PlansInForce
from overages.commands.desk.newcomers import Newcomers
from overages.commands.desk.sources import UsageFile, lines_of
from overages.errors import OveragesError
from overages.imports.events import read_rows
from overages.imports.usage_files.layout import UsageLayout
from overages.periods.period import Period
from overages.repository import Repository
from overages.terms.account import Account, account_of
from overages.usage.event import EventColumns
from overages.usage.metering import Meter
from overages.usage.usage import Usage

_ANY_ORG: Final = "-"

Span: TypeAlias = tuple[datetime, datetime]
"""The instants of the first and of the last event."""


class _NeedsIntake(Exception):
    """There is something to say of the files, or their sums won't do."""


class UsageSums:
    """Sums usage files up, and puts the sums into a repository that has no events yet.

    :param newcomers: says the terms of orgs that have no account, if they are given one.
    """

    def __init__(self, repository: Repository, layout: UsageLayout, newcomers: Newcomers) -> None:
        self._repository, self._layout, self._newcomers = repository, layout, newcomers
        self._meters: dict[str, Meter] = {}  # by org
        self._by_terms: dict[Account | None, Meter] = {}  # of accounts, which differ by org alone
        self._span: Span | None = None

    def put(self, files: Sequence[UsageFile], now: datetime) -> Span | None:
        """Put the sums of files, and the accounts of orgs that are new.

        :param now: when these are noted.
        :returns: None if the files need the intake; nothing is written then.
        :raises Stop: if a file has no name that a batch can have.
        """
        if self._repository.metrics() or any(map(self._repository.grants, self._repository.orgs())):
            return None
        try:
            for file in files:
                self._read(file, with_ids=len(files) > 1)
            accounts, usages = self._summed()
        except (OveragesError, _NeedsIntake):
            return None
        for file in files:
            file.batch_name()  # which it needs whether or not it is kept
        with self._repository.transaction():
            self._repository.put_accounts(accounts, noted_at=now)
            for usage in usages:
                self._repository.put_usage(usage)
        return self._span

    def _read(self, file: UsageFile, *, with_ids: bool) -> None:
        """Meter the rows of a file.

        :param with_ids: whether each needs an id: one file of a batch can be the copy of another.
        """
        count = 0
        with lines_of(file, self._layout) as lines:
            for rows in read_rows(lines, self._layout):
                if rows.errors:
                    raise _NeedsIntake
                for columns in filter(any, rows.counted()):
                    if with_ids and None in columns.ids:
                        raise _NeedsIntake
                    count += len(columns.orgs)
                    self._add(columns)
        if not count:
            raise _NeedsIntake

    def _add(self, columns: EventColumns) -> None:
        first, last = min(columns.times), max(columns.times)
        if self._span is not None:
            first, last = min(first, self._span[0]), max(last, self._span[1])
        self._span = first, last
        orgs = {*columns.orgs}
        self._find_meters([org_id for org_id in orgs if org_id not in self._meters])
        if len({self._meters[org_id] for org_id in orgs}) == 1:
            self._meters[columns.orgs[0]].add_columns(columns)
            return
        places: dict[Meter, list[int]] = {}
        for place, org_id in enumerate(columns.orgs):
            places.setdefault(self._meters[org_id], []).append(place)
        for meter, own in places.items():
            meter.add_columns(columns.among(own))

    def _find_meters(self, orgs: Sequence[str]) -> None:
        """Find the meters of orgs that came for the first time."""
        accounts = self._repository.accounts(orgs) if orgs else {}
        for org_id in orgs:
            account = accounts.get(org_id)
            if account is None and not self._newcomers.get_plan:
                raise _NeedsIntake
            terms = None if account is None else account_of(_ANY_ORG, account)
            if terms not in self._by_terms:
                of_all = self._newcomers.period_at if terms is None else partial(_part_at, terms)
                self._by_terms[terms] = Meter(of_all)
            self._meters[org_id] = self._by_terms[terms]

    def _summed(self) -> tuple[list[Account], list[Usage]]:
        """Return the accounts of new orgs, and the usage of all orgs."""
        accounts, all_usages = [], []
        plans = PlansInForce(self._repository)
        for terms, meter in self._by_terms.items():
            usages = meter.usages()
            if terms is None:
                first = {usage.org_id: usage.period.start for usage in reversed(usages)}
                accounts += [self._newcomers.account(*each) for each in first.items()]
                owned = {account.org_id: account for account in accounts}
            summable: dict[Period, Set[str]] = {}
            for usage in usages:
                period = usage.period
                if period not in summable:
                    account = terms or owned[usage.org_id]
                    summable[period] = _summable(account, period, plans)
                if not usage.quantities.keys() <= summable[period]:
                    raise _NeedsIntake
            all_usages += usages
        return accounts, all_usages


def _part_at(account: Account, instant: datetime) -> Period:
    """Return the part of an account's period that an instant lies in."""
    account.require_terms(instant, "at")
    parts = account.timeline.parts(account.period_at(instant))
    return next(part for part, _ in parts if instant in part)


def _summable(account: Account, time: Period, plans: PlansInForce) -> Set[str]:
    """Return the metrics of which a sum of a part of a period is all that a bill needs."""
    period = account.period_at(time.start)
    parts = [
        (part, plans.plan(period, part, terms)) for part, terms in account.timeline.parts(period)
    ]
    if len(bounds_within(period, parts)) > len(parts) + 1:  # a window of its own begins in one
        raise _NeedsIntake
    plan = next(plan for part, plan in parts if part == time)
    return {name for name, own in plan.allowances.items() if own.kind != "level"}
