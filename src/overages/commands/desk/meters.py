"""Meters: the usage of orgs that have a bill of sums, counted together where terms are the same.

meters = Meters(repository, newcomers)
meters.add(columns)
accounts, usages = meters.result()
"""

from __future__ import annotations

from collections.abc import Collection, Set
from datetime import datetime, timedelta
from functools import partial
from typing import Final, NamedTuple, TypeAlias

from overages.bookkeeping.period_inputs import bounds_within
from overages.bookkeeping.plans_in_force import PlansInForce
from overages.commands.desk.newcomers import Newcomers
from overages.periods.period import Period
from overages.repository import Repository
from overages.terms.account import Account, account_of
from overages.usage.event import EventColumns
from overages.usage.metering import Meter
from overages.usage.usage import Usage

_ANY_ORG: Final = "-"
_TICK: Final = timedelta(microseconds=1)


Span: TypeAlias = tuple[datetime, datetime]
"""The instants of the first and of the last event."""


class NeedsIntake(Exception):
    """There is something to say of usage, or its sums won't do."""


def require_ids(columns: EventColumns) -> EventColumns:
    """Return events of which each has an id.

    :raises NeedsIntake: if one has none.
    """
    if None in columns.ids:
        raise NeedsIntake
    return columns


class Counted(NamedTuple):
    """The usage that events come to.

    :param usages: of all orgs, in the times in which the same terms hold.
    :param accounts: of orgs that are new.
    :param alone: by org and period, the usages on which, with the terms, a bill depends alone: on
        no part of its period, and no other period.
    """

    span: Span
    usages: list[Usage]
    accounts: list[Account]
    alone: dict[tuple[str, Period], Usage]


class Meters:
    """Counts events of orgs in the times in which the same terms hold.

    :param newcomers: says the terms of orgs that have no account, if they are given one.
    """

    def __init__(self, repository: Repository, newcomers: Newcomers) -> None:
        self._repository, self._newcomers = repository, newcomers
        self._of_orgs: dict[str, Meter] = {}
        self._by_terms: dict[Account | None, Meter] = {}  # of accounts, which differ by org alone
        self._span: Span | None = None

    def find(self, orgs: Collection[str]) -> None:
        """Find the meters of orgs, of which some may come for the first time.

        :raises NeedsIntake: if one has no account, and is given none.
        """
        new = [org_id for org_id in orgs if org_id not in self._of_orgs]
        accounts = self._repository.accounts(new) if new else {}
        for org_id in new:
            account = accounts.get(org_id)
            if account is None and not self._newcomers.get_plan:
                raise NeedsIntake
            terms = None if account is None else account_of(_ANY_ORG, account)
            if terms not in self._by_terms:
                of_all = self._newcomers.period_at if terms is None else partial(_part_at, terms)
                self._by_terms[terms] = Meter(of_all)
            self._of_orgs[org_id] = self._by_terms[terms]

    def add(self, columns: EventColumns) -> None:
        """Count events of orgs, one or more.

        :raises NeedsIntake: as `find` does.
        :raises OveragesError: for one that can't be counted.
        """
        orgs = {*columns.orgs}
        self.find(orgs)
        self.widen(min(columns.times), max(columns.times))
        if len({self._of_orgs[org_id] for org_id in orgs}) == 1:
            self._of_orgs[columns.orgs[0]].add_columns(columns)
            return
        places: dict[Meter, list[int]] = {}
        for place, org_id in enumerate(columns.orgs):
            places.setdefault(self._of_orgs[org_id], []).append(place)
        for meter, own in places.items():
            meter.add_columns(columns.among(own))

    def widen(self, first: datetime, last: datetime) -> None:
        """Note that there are events at two instants."""
        if self._span is not None:
            first, last = min(first, self._span[0]), max(last, self._span[1])
        self._span = first, last

    def _seen(self) -> Span:
        assert self._span is not None  # files without rows are left before
        return self._span

    def starts(self) -> list[datetime]:
        """Return the instants among the events at which terms, or periods, of some org change."""
        first, last = self._seen()
        starts = {each for terms in self._by_terms for each in self._starts_of(terms, first, last)}
        return sorted(each for each in starts if first < each <= last)

    def _starts_of(self, terms: Account | None, first: datetime, last: datetime) -> set[datetime]:
        if terms is None:
            periods = [self._newcomers.period_at(first)]
            while periods[-1].end <= last:
                periods.append(self._newcomers.period_at(periods[-1].end))
        else:
            parts_of = terms.timeline.parts
            periods = [
                part for each in terms.periods(first, last + _TICK) for part, _ in parts_of(each)
            ]
        return {bound for period in periods for bound in (period.start, period.end)}

    def result(self) -> Counted:
        """Return the usage of all orgs, and the accounts of new ones.

        :raises NeedsIntake: if a bill needs more than sums.
        :raises OveragesError: if usage is negative, or no plan is in force.
        """
        counted = Counted(self._seen(), [], [], {})
        plans = PlansInForce(self._repository)
        for terms, meter in self._by_terms.items():
            usages = meter.usages()
            if terms is None:
                first = {usage.org_id: usage.period.start for usage in reversed(usages)}
                counted.accounts.extend(self._newcomers.account(*each) for each in first.items())
                owned = {account.org_id: account for account in counted.accounts}
            rules: dict[Period, _Summable] = {}
            for usage in usages:
                period = usage.period
                if period not in rules:
                    rules[period] = _summable(terms or owned[usage.org_id], period, plans)
                if not usage.quantities.keys() <= rules[period].metrics:
                    raise NeedsIntake
                if rules[period].is_alone:
                    counted.alone[usage.org_id, period] = usage
            counted.usages.extend(usages)
        return counted


def _part_at(account: Account, instant: datetime) -> Period:
    """Return the part of an account's period that an instant lies in."""
    account.require_terms(instant, "at")
    parts = account.timeline.parts(account.period_at(instant))
    return next(part for part, _ in parts if instant in part)


class _Summable(NamedTuple):
    """The terms of a part of a period, as far as they have to do with sums.

    :param metrics: those of which a sum is all that a bill needs.
    :param is_alone: whether the part is all of its period, and the bill depends on no other.
    """

    metrics: Set[str]
    is_alone: bool


def _summable(account: Account, time: Period, plans: PlansInForce) -> _Summable:
    period = account.period_at(time.start)
    parts = [
        (part, plans.plan(period, part, terms)) for part, terms in account.timeline.parts(period)
    ]
    if len(bounds_within(period, parts)) > len(parts) + 1:  # a window of its own begins in one
        raise NeedsIntake
    plan = next(plan for part, plan in parts if part == time)
    metrics = {name for name, own in plan.allowances.items() if own.kind != "level"}
    return _Summable(metrics, is_alone=len(parts) == 1 and not plan.needs_balance)
