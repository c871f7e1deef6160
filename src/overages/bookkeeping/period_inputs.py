"""Period inputs: terms, plans, usage, grants and events of an org's periods, to settle one of them.

A period is settled by the terms that its account has for it, in the version of their plan that was
in force at its start:

    inputs = PeriodInputs(repository, account, routes)
    inputs.settlement(period, balance, ended=True).statement
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import partial
from itertools import pairwise
from typing import NamedTuple

from overages._ground.frozen_dict import FrozenDict
from overages.amounts.exact import Quantity
from overages.bookkeeping.plans_in_force import PlansInForce, summed_level
from overages.bookkeeping.read_period import ReadPeriod
from overages.bookkeeping.usage_reader import Holds, UsageReader
from overages.errors import InvalidValue, OveragesError, UnknownPlan
from overages.grants.grant import Grant
from overages.periods.period import Period
from overages.repository import Repository
from overages.settlements.balance import Balance
from overages.settlements.inputs import with_more
from overages.settlements.settlement import Settlement
from overages.settlements.span_statement import statement_of_span
from overages.statements.statement import Statement
from overages.terms.account import Account
from overages.terms.plan import Plan
from overages.terms.terms import Terms
from overages.usage.event import UsageEvent
from overages.usage.routing import Routes
from overages.usage.usage import Usage


class PeriodInputs:
    """The inputs of an org's periods, as a repository has them.

    :param account: the org, and the history of its terms.
    :param routes: the metrics that are more than sums of their events.
    :param plans: those that were read already in the same transaction.
    :param reader: reads the org's usage, where that isn't just what is kept.
    :param holds: units that reservations hold, where they are to count as usage.
    """

    def __init__(
        self,
        repository: Repository,
        account: Account,
        routes: Routes,
        plans: PlansInForce | None = None,
        reader: UsageReader | None = None,
        holds: Holds | None = None,
    ) -> None:
        self._repository, self._account, self._routes = repository, account, routes
        self._org_id = account.org_id
        self._plans = plans or PlansInForce(repository)
        self._reader = reader or UsageReader(repository, account.org_id, routes)
        self._holds = holds

    def needs_balance(self, period: Period) -> bool:
        """Tell whether a plan of a period depends on the periods before it."""
        parts = self._account.parts(period)
        try:
            return any(self._plan(period, part, terms).needs_balance for part, terms in parts)
        except UnknownPlan as error:
            raise error.within(org_id=self._org_id, period=period) from None

    def settlement(
        self,
        period: Period,
        balance: Balance,
        *,
        ended: bool,
        grants: tuple[Grant, ...] = (),
        reserved: Mapping[str, Quantity] = FrozenDict(),
    ) -> Settlement:
        """Settle a period of the org's, from the balance of the one before it.

        :param ended: whether it is over, so that true-ups are due.
        :param grants: those that it may draw on.
        :param reserved: the draws of later periods, by grant.
        :raises UnknownPlan: if its plan was not yet in force.
        :raises OveragesError: as `settle` does, with the period.
        """
        inputs = self.read(period, ended=ended, grants=grants, reserved=reserved)
        return inputs.settlement(balance, {}, period.start)

    def read(
        self,
        period: Period,
        *,
        ended: bool,
        grants: tuple[Grant, ...] = (),
        reserved: Mapping[str, Quantity] = FrozenDict(),
    ) -> ReadPeriod:
        """Return a period with all that is kept of it, which is read once.

        The arguments are those of `settlement`, which it raises the errors of.
        """
        try:
            usages = self.usages(period)
            events = self._events_of_grants(period, grants)
        except OveragesError as error:
            raise error.within(org_id=self._org_id, period=period) from error.__cause__
        metrics = {each.metric for each in grants if each.metric is not None}
        return ReadPeriod(
            self._account,
            partial(self._plan, period),
            period,
            usages,
            events,
            grants=grants,
            timed=set(filter(self._routes.is_sum, metrics)),
            reserved=reserved,
            ended=ended,
            levels=self._routes.held,
        )

    def statement_of_span(self, span: Period, period: Period) -> Statement:
        """Return the statement of a time within one of the org's periods.

        :raises OveragesError: as `overages.settlements.span_statement` says, with the span.
        """
        try:
            return statement_of_span(
                self._account,
                lambda part, terms: self._plan(period, self._part_around(period, part), terms),
                span,
                self.usages(span, period),
                levels=self._routes.held,
            )
        except OveragesError as error:
            raise error.within(org_id=self._org_id, period=span) from error.__cause__

    def _plan(self, period: Period, part: Period, terms: Terms) -> Plan:
        """Return the plan of a part of a period."""
        return self._plans.plan(period, part, terms)

    def _events_of_grants(self, period: Period, grants: tuple[Grant, ...]) -> list[UsageEvent]:
        """Return the events of metrics that are granted, which say when their units were used.

        Units of a metric that is worked out are drawn last, as no event has a share of them.
        """
        metrics = {grant.metric for grant in grants if grant.metric is not None}
        events = self._reader.events(period, metrics)
        if self._holds is not None and metrics:
            parts = self._parts(period, period)
            held = self._holds.events(period, metrics)
            events += [e for e in held if e.metric in _plan_at(e.at, parts).allowances]
        return events

    # Usage

    def usages(self, time: Period, period: Period | None = None) -> list[Usage]:
        """Return the usage of a period, and of the times within it between changes of terms.

        :param time: a period of the org's, or a time within `period`, which is one.
        """
        try:
            parts = self._parts(time, period or time)
            bounds = bounds_within(time, [(part, plan) for part, plan, _ in parts])
            usages = self._reader.usages(bounds)
            if len(usages) > 1:
                self._refuse_cut(parts, usages)
            return (
                usages if self._holds is None else _with_holds(usages, self._holds, bounds, parts)
            )
        except OveragesError as error:
            raise error.within(org_id=self._org_id, period=time) from None

    def _parts(self, time: Period, period: Period) -> list[_Part]:
        return [
            _Part(part, self._plan(period, self._part_around(period, part), terms), terms)
            for part, terms in self._account.timeline.parts(time)
        ]

    def _part_around(self, period: Period, time: Period) -> Period:
        """Return the part of a period that a time lies in."""
        if time.start == period.start:
            return time
        return next(p for p, _ in self._account.timeline.parts(period) if time.start in p)

    def _refuse_cut(self, parts: Sequence[_Part], usages: Iterable[Usage]) -> None:
        """Refuse sums of which a line needs what they were in a part of a period.

        Seats that were reported on 2 March are held on after 12 March, as no sum of events is; and
        nobody knows when units were used that a host has put for all of March.
        """
        used = {metric for usage in usages for metric, units in usage.quantities.items() if units}
        cut = used & _cut_metrics(parts)
        for metric in sorted(cut - self._routes.held):
            lines = [plan.compiled.by_metric.get(metric) for _, plan, _ in parts]
            if any(line is not None and line.is_level(frozenset()) for line in lines):
                raise summed_level("metrics", metric)
        time = Period(parts[0].time.start, parts[-1].time.end)
        for put in self._repository.put_sums(self._org_id, time):
            if any(put.period.start < part.time.start < put.period.end for part in parts):
                for metric in sorted(cut & put.quantities.keys()):
                    problem = (
                        f"must be put for times in which its terms are the same: it was put for"
                        f" {put.period}, within which they change; put 0 for that, and the units of"
                        " each part of it"
                    )
                    path = ("usage", "quantities", metric)
                    raise InvalidValue(path, put.quantities[metric], problem)


def _with_holds(
    usages: list[Usage], holds: Holds, bounds: Sequence[datetime], parts: Sequence[_Part]
) -> list[Usage]:
    """Return usages with the units that are held, of metrics that the plans of their times know."""
    for start, end in pairwise(bounds):
        allowances = _plan_at(start, parts).allowances
        units = {m: n for m, n in holds.units(Period(start, end)).items() if m in allowances}
        if units:
            usages = [with_more(usage, units, start) for usage in usages]
    return usages


def _plan_at(instant: datetime, parts: Iterable[_Part]) -> Plan:
    return next(part.plan for part in parts if instant in part.time)


class _Part(NamedTuple):
    """A time in which the same terms hold, with the plan that they mean."""

    time: Period
    plan: Plan
    terms: Terms


def bounds_within(period: Period, parts: Iterable[tuple[Period, Plan]]) -> list[datetime]:
    """Return the bounds of a period, and the instants in it between which usage is asked for.

    These are where terms, or windows of allowances, change.

    :param parts: the parts of the period, each with its plan.
    """
    bounds = {period.start, period.end}
    for part, plan in parts:
        bounds.add(part.start)
        for metric in plan.compiled.balanced:
            allowance = plan.allowances[metric]
            if allowance.included_for is not None:
                end = allowance.included_for.period_at(part.start).end
                while end < part.end:
                    bounds.add(end)
                    end = allowance.included_for.period_at(end).end
    return sorted(bounds)


def _cut_metrics(parts: Sequence[_Part]) -> set[str | None]:
    """Return the metrics whose usage in parts of a period matters: of lines that are cut."""
    cut: set[str | None] = set()
    for metric in set().union(*(part.plan.allowances for part in parts)):
        allowances = [part.plan.allowances.get(metric) for part in parts]
        own = [(metric in part.terms.limits, part.terms.limits.get(metric)) for part in parts]
        trials = [part.terms.own.trial for part in parts]
        agreed = list(zip(allowances, own, trials, strict=True))
        if agreed.count(agreed[0]) < len(agreed):
            bringing = {each.included_per for each in allowances if each is not None}
            cut |= {metric, *bringing}
    return cut
