"""Period inputs: terms, plans, usage, grants and events of an org's periods, to settle one of them.

A period is settled by the terms that its account has for it, in the version of their plan that was
in force at its start. One that carries over, includes units for longer than itself, or draws on
grants depends on the periods before it. Balances aren't kept: each period from the org's first on
is settled anew, by its own terms and from its usage, so that usage that was reported late counts.
(Where nothing depends on an earlier period, none is looked at.)

    inputs = PeriodInputs(repository, account, routes)
    inputs.settlement(period, ended=True).statement
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cached_property
from itertools import chain, combinations, pairwise
from typing import Final

from overages.amounts.exact import Quantity, add_up, scaled, unscaled
from overages.errors import InvalidValue, OveragesError, UnknownPlan
from overages.grants.grant import Grant
from overages.periods.period import Period
from overages.repository import Repository
from overages.settlements.balance import EMPTY_BALANCE, Balance
from overages.settlements.settlement import Settlement, settle
from overages.terms.account import Account
from overages.terms.plan import Plan
from overages.terms.terms import Terms
from overages.usage.event import UsageEvent
from overages.usage.metering import usage_of
from overages.usage.routing import Routes
from overages.usage.usage import Usage

Placed = tuple[UsageEvent, Period]
"""An event, and the time that it counts in."""

_FLOWS: Final = frozenset({"sum", "count"})
"""The aggregations whose results in two times add up."""
_TICK: Final = timedelta(microseconds=1)


class PeriodInputs:
    """The inputs of an org's periods, as a repository has them.

    :param account: the org, and the history of its terms.
    :param routes: the metrics that are more than sums of their events.
    """

    def __init__(self, repository: Repository, account: Account, routes: Routes) -> None:
        self._repository, self._account, self._routes = repository, account, routes
        self._org_id = account.org_id
        self._plans: dict[tuple[str, int | None, datetime], Plan] = {}

    @cached_property
    def _grants(self) -> tuple[Grant, ...]:
        return self._repository.grants(self._org_id)

    @cached_property
    def _used(self) -> tuple[Period, ...]:
        return self._repository.usage_periods(self._org_id)

    @cached_property
    def _held(self) -> frozenset[str]:
        """The metrics that are levels as they are counted: 5 users in each of two parts are 5."""
        metrics = self._routes.metrics
        return frozenset(each.name for each in metrics if each.aggregation not in _FLOWS)

    def settlement(self, period: Period, *, ended: bool) -> Settlement:
        """Settle a period of the org's, and all before it that it depends on, one after another.

        :param ended: whether it is over, so that true-ups are due.
        :raises UnknownPlan: if its plan was not yet in force.
        :raises OveragesError: as `settle` does; it says which of the periods it is about.
        """
        balance = EMPTY_BALANCE
        if self._grants or self._needs_balance(period):
            for before in periods_before(self._account, period):
                try:
                    balance = self._settled(before, balance, ended=True).balance
                except UnknownPlan:  # none was in force yet
                    continue
        return self._settled(period, balance, ended=ended)

    def _needs_balance(self, period: Period) -> bool:
        """Tell whether a plan of a period depends on the periods before it."""
        parts = self._account.parts(period)
        try:
            return any(self._plan(period, part, terms).needs_balance for part, terms in parts)
        except UnknownPlan as error:
            raise error.within(org_id=self._org_id, period=period) from None

    def _settled(self, period: Period, balance: Balance, *, ended: bool) -> Settlement:
        try:
            return settle(
                self._account,
                lambda part, terms: self._plan(period, part, terms),
                period,
                self.usages(period),
                balance,
                grants=self._grants,
                events=self._events_of_grants(period),
                ended=ended,
                levels=self._held,
            )
        except OveragesError as error:
            raise error.within(org_id=self._org_id, period=period) from error.__cause__

    def _plan(self, period: Period, part: Period, terms: Terms) -> Plan:
        """Return the plan of a part of a period, in the version in force at the period's start.

        One that was first put in force within the period holds from the part's start.
        """
        key = terms.plan, terms.plan_version, period.start
        if key not in self._plans:
            self._plans[key] = self._read_plan(*key, part.start)
        return self._plans[key]

    def _read_plan(
        self, slug: str, version: int | None, start: datetime, otherwise: datetime
    ) -> Plan:
        if version is not None:
            return self._repository.plan(slug, version=version)
        try:
            return self._repository.plan(slug, at=start)
        except UnknownPlan:
            if start == otherwise:
                raise
            return self._repository.plan(slug, at=otherwise)

    def _events_of_grants(self, period: Period) -> list[UsageEvent]:
        """Return the events of metrics that are granted, which say when their units were used.

        Units of a metric that is worked out are drawn last, as no event has a share of them.
        """
        metrics = {grant.metric for grant in self._grants if grant.metric is not None}
        granted = metrics - self._routes.worked_out
        return [event for event, time in self._placed(period, granted) if time == period]

    # Usage

    def usages(self, period: Period) -> list[Usage]:
        """Return the usage of a period, and of the times within it between changes of terms."""
        try:
            of_period = self._usage_of_period(period)
            bounds = self._bounds(period)
            if len(bounds) == 2:
                return [of_period]
            placed = list(self._placed(period))
            atoms = [Period(*ends) for ends in pairwise(bounds)]
            sums = self._sums(of_period, atoms, placed)
            times = [Period(*ends) for ends in combinations(bounds, 2) if Period(*ends) != period]
            return [of_period, *(self._within(time, period, atoms, sums, placed) for time in times)]
        except OveragesError as error:
            raise error.within(org_id=self._org_id, period=period) from None

    def _bounds(self, period: Period) -> list[datetime]:
        """Return the instants in a period at which terms, or windows of allowances, change."""
        bounds = {period.start, period.end}
        for part, terms in self._account.parts(period):
            bounds.add(part.start)
            for allowance in self._plan(period, part, terms).allowances.values():
                if allowance.included_for is not None:
                    end = allowance.included_for.period_at(part.start).end
                    while end < part.end:
                        bounds.add(end)
                        end = allowance.included_for.period_at(end).end
        return sorted(bounds)

    def _usage_of_period(self, period: Period) -> Usage:
        """Return the usage of a period: the sums that are kept, and metrics that are worked out."""
        worked_out, levels = self._routes.worked_out, self._routes.levels
        if self._misplaced(period):
            return usage_of(self._placed(period), self._org_id, period, self._routes)
        if not worked_out:
            return self._repository.usage(self._org_id, period)
        summed = self._repository.usage(self._org_id, period, without=worked_out)
        placed = chain(
            self._repository.counted_events(self._org_id, period, metrics=worked_out - levels),
            self._repository.counted_events(self._org_id, period, metrics=levels, earlier=True),
        )
        quantities = usage_of(placed, self._org_id, period, self._routes).quantities
        used = {metric: quantity for metric, quantity in quantities.items() if quantity}
        return Usage(self._org_id, period, {**summed.quantities, **used})

    def _misplaced(self, period: Period) -> list[Period]:
        """Return the other periods with usage that overlap one: it wasn't the org's then."""
        return [
            used
            for used in self._used
            if used != period and used.start < period.end and period.start < used.end
        ]

    def _placed(self, period: Period, metrics: Iterable[str] | None = None) -> Iterator[Placed]:
        """Yield the events that count in a period, and those of before, each with its time.

        Where a period with usage is none of the org's any more, its events count by their instants.

        :raises InvalidValue: if such a period has usage without events: it can't be divided.
        """
        misplaced = self._misplaced(period)
        if not misplaced:
            levels = self._routes.levels
            yield from self._repository.counted_events(
                self._org_id, period, metrics=metrics, earlier=bool(levels)
            )
            return
        for other in misplaced:
            self._require_events(other)
        first, *others = sorted({*misplaced, period})
        placed = self._repository.counted_events(
            self._org_id, first, metrics=metrics, earlier=bool(self._routes.levels)
        )
        for own in others:
            placed = chain(
                placed, self._repository.counted_events(self._org_id, own, metrics=metrics)
            )
        yield from self._by_instant(placed, first, period)

    @staticmethod
    def _by_instant(placed: Iterable[Placed], first: Period, period: Period) -> Iterator[Placed]:
        """Yield the events of a period by their instants, and those of before."""
        for event, own in placed:
            if own < first:  # a level that was last told long ago is held still
                yield event, own
            elif event.at < period.start:
                begun = own.start < period.start
                yield event, own.clipped(end=period.start) if begun else period
            elif event.at < period.end or own == period:
                yield event, period

    def _require_events(self, other: Period) -> None:
        placed = self._repository.counted_events(self._org_id, other)
        summed: dict[str, list[Quantity]] = {}
        for event, _ in placed:
            summed.setdefault(event.metric, []).append(event.quantity)
        for metric, quantity in self._repository.usage(self._org_id, other).quantities.items():
            if add_up(summed.get(metric, ())) != quantity:
                problem = (
                    f"must be of one of the org's periods: {other}, which isn't, has"
                    f" usage of {metric!r} without events"
                )
                raise InvalidValue("usage", quantity, problem)

    def _sums(
        self, of_period: Usage, atoms: Sequence[Period], placed: Iterable[Placed]
    ) -> dict[str, list[int]]:
        """Return the picos of each metric that is summed, for each of the times that tile a period.

        Events that count in the period though they lie outside of it count at its nearest end, and
        units without an event, which a host has set, at its last instant. Usage that is taken back
        is taken from the latest before it, so that no time has less than none.
        """
        sums: dict[str, list[int]] = {}
        starts = [atom.start for atom in atoms]
        for event, own in placed:
            if own == of_period.period and not self._routes.of(event):
                place = max(0, bisect_right(starts, event.at) - 1)
                sums.setdefault(event.metric, [0] * len(atoms))[place] += scaled(event.quantity)
        for metric, quantity in of_period.quantities.items():
            if metric not in self._routes.worked_out:
                picos = sums.setdefault(metric, [0] * len(atoms))
                picos[-1] += scaled(quantity) - sum(picos)
                _take_back(picos)
        return sums

    def _within(
        self,
        time: Period,
        period: Period,
        atoms: Sequence[Period],
        sums: Mapping[str, Sequence[int]],
        placed: Iterable[Placed],
    ) -> Usage:
        """Return the usage of a time within a period."""
        quantities = {
            metric: unscaled(
                sum(p for p, atom in zip(picos, atoms, strict=True) if atom.start in time)
            )
            for metric, picos in sums.items()
        }
        moved: list[Placed] = []
        for event, own in placed:
            if self._routes.of(event):
                at = event.at
                if own == period:
                    at = min(max(at, period.start), period.end - _TICK)
                if at in time:
                    moved.append((event, time))
                elif at < time.start:
                    moved.append((event, Period(min(at, own.start), time.start)))
        worked_out = usage_of(moved, self._org_id, time, self._routes).quantities
        return Usage(self._org_id, time, {**quantities, **worked_out})


def _take_back(picos: list[int]) -> None:
    """Take units below zero from the times before, the latest first, and then from those after."""
    for i in range(len(picos) - 1, 0, -1):
        if picos[i] < 0:
            picos[i - 1] += picos[i]
            picos[i] = 0
    for i in range(len(picos) - 1):
        if picos[i] < 0:
            picos[i + 1] += picos[i]
            picos[i] = 0


def periods_before(account: Account, period: Period) -> list[Period]:
    """Return an org's periods before one, those without usage among them."""
    if period.start <= account.since:
        return []
    return list(account.periods(account.since, period.start))
