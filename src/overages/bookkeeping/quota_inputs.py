"""Quota inputs: usage, holds, budgets and terms of an org's present period, for a decision.

    inputs = QuotaInputs(repository, account, routes, settling, plans, now)
    inputs.decision(parse_request({"runs": 10}))

Most orgs have a plan of included quantities and prices, all the time: of such, the sums of the
metrics that are asked for are read, and nothing is settled.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from functools import cached_property
from typing import NamedTuple

from overages._ground.frozen_dict import FrozenDict
from overages.amounts.exact import Quantity
from overages.bookkeeping.plans_in_force import PlansInForce
from overages.bookkeeping.settling import Settling
from overages.bookkeeping.usage_reader import UsageReader
from overages.errors import OveragesError
from overages.insight.budget import Budget, WindowedBudget
from overages.periods.period import Period
from overages.quotas.deciding import decide, decision_on
from overages.quotas.decision import Decision
from overages.quotas.plain_decision import is_plain
from overages.quotas.position import More, Position, Prospect
from overages.quotas.request import Request
from overages.quotas.standing_limit import StandingLimit
from overages.repository import Repository
from overages.terms.account import Account
from overages.terms.plan import Plan
from overages.terms.terms import NO_OWN_TERMS, Terms
from overages.usage.routing import Routes
from overages.usage.usage import Usage


class _PlainTerms(NamedTuple):
    """A flat plan that holds all through a whole period."""

    plan: Plan
    terms: Terms


class QuotaInputs:
    """The inputs of decisions on an org's present period, as a repository has them.

    :param account: the org, of which terms hold now.
    :param routes: the metrics that are more than sums of their events.
    :param settling: works out its periods.
    :param now: the present instant.
    """

    def __init__(
        self,
        repository: Repository,
        account: Account,
        routes: Routes,
        settling: Settling,
        plans: PlansInForce,
        now: datetime,
    ) -> None:
        self._repository, self._account, self._routes = repository, account, routes
        self._settling, self._plans, self._now = settling, plans, now
        self._org_id = account.org_id
        self._reader = UsageReader(repository, account.org_id, routes)
        self.period: Period = account.period_at(now)

    def decision(self, request: Request) -> Decision:
        """Return the decision on a request.

        :raises OveragesError: as `decide` and `Settling` do, with the period.
        """
        try:
            budgets = self._budgets()
            plain = self._plain_terms
            if plain is None:
                return self._settled_decision(request, budgets)
            return self._plain_decision(request, budgets, *plain)
        except OveragesError as error:
            raise error.within(org_id=self._org_id, period=self.period) from error.__cause__

    def _budgets(self) -> list[Budget | WindowedBudget]:
        return [
            budget
            if budget.window is None
            else self._in_window(budget, budget.window.period_at(self._now))
            for budget in self._repository.budgets(self._org_id)
        ]

    def _in_window(self, budget: Budget, window: Period) -> WindowedBudget:
        metric = str(budget.metric)
        used = self._reader.units(metric, window)
        held = self._repository.held_units(self._org_id, window, self._now).get(metric, 0)
        return WindowedBudget(budget, used, held, resets_at=window.end)

    @cached_property
    def _plain_terms(self) -> _PlainTerms | None:
        """The plan, where it holds all the time and no rule or earlier period has a part in it."""
        agreed = self._account.agreed_in(self.period)
        if agreed.cycle_period is not None or len(agreed.parts) > 1:
            return None
        ((time, terms, _),) = agreed.parts
        if terms.own is not NO_OWN_TERMS or self._settling.grants:
            return None
        plan = self._plans.plan(self.period, time, terms)
        if not is_plain(plan) or plan.needs_balance:
            return None
        return _PlainTerms(plan, terms)

    def _plain_decision(
        self,
        request: Request,
        budgets: list[Budget | WindowedBudget],
        plan: Plan,
        terms: Terms,
    ) -> Decision:
        names: set[str] | None = {*request.units}
        for each in budgets:
            metric = (each if isinstance(each, Budget) else each.budget).metric
            names = None if names is None or metric is None else names | {metric}
        if "grants" in request.stop_at:
            names = None
        wanted = None if names is None else names & plan.allowances.keys()
        return decide(
            plan,
            self._used_in(self.period, wanted),
            request.units,
            limits=terms.limits or None,
            held=self._held(plan),
            budgets=budgets,
            at_least=request.fewest,
            on_passing=request.on_passing,
            stop_at=request.stop_at,
            at=self._now,
            counted_at=self._now,
        )

    def _settled_decision(
        self, request: Request, budgets: list[Budget | WindowedBudget]
    ) -> Decision:
        beside_holds = None
        life = Period(self._account.since, self.period.end)
        if self._repository.held_units(self._org_id, life, self._now):
            beside_holds = self._positions(self._settling.beside_holds(self._now))
        terms = self._account.at(self._now)
        own = FrozenDict() if terms is None else terms.limits
        prospect = Prospect(
            self._positions(self._settling), own, self._routes.held, self._now, beside_holds
        )
        return decision_on(request, prospect, budgets, self._now, self._now)

    def _positions(self, settling: Settling) -> Callable[[More], Position]:
        settled = settling.settled_with(self.period, self._now)

        def position(more: More) -> Position:
            settlement = settled(more)
            return Position(settlement.statement, settlement.balance.burndowns)

        return position

    def _held(self, plan: Plan) -> Mapping[str, Quantity]:
        """Return the units that are held, of metrics that the plan still knows."""
        held = self._repository.held_units(self._org_id, self.period, self._now)
        return {metric: units for metric, units in held.items() if metric in plan.allowances}

    def _used_in(self, time: Period, names: Iterable[str] | None) -> Usage:
        """Return the usage of a time, of some metrics at least; of all where None are named."""
        if names is None or self._routes.metrics:
            (usage,) = self._reader.usages([time.start, time.end])
            return usage
        return self._repository.usage(self._org_id, time, metrics=sorted(names))


def no_terms(request: Request, account: Account | None, org_id: str, now: datetime) -> Decision:
    """Return the decision where no terms hold: nothing may be used."""
    later = [] if account is None else [account.since, *(each.since for each in account.changes)]
    begins = [each for each in later if each > now and account is not None and account.at(each)]
    limit = StandingLimit("no_terms", 0, 0, 0, resets_at=min(begins, default=None), stops=True)
    nothing = dict.fromkeys(request.units, 0)
    return Decision(
        org_id, "deny", request.units, nothing, limits=[limit], decided_by=limit, at=now,
        counted_at=now,
    )  # fmt: skip
