"""Budgeting: budgets that are put and dropped, and how far they are used up.

A budget that stops charging acts by the org's terms, so that the bill says it by the one rule that
it has: as their maximum, from the start of the present period on.

    service.put_budget("acme", Budget(Money.of("200", "USD"), on_reached="stop_usage"))
    service.budgets("acme")                           # each with all that is used, held and left
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from overages._ground.parsing import instance_of
from overages.amounts.money import Money
from overages.bookkeeping.plans_in_force import PlansInForce
from overages.errors import UnknownMetric
from overages.insight.budget import Budget
from overages.quotas.request import parse_request
from overages.quotas.standing_limit import StandingLimit
from overages.readings.quota_inputs import QuotaInputs
from overages.service.base import ServiceBase, log
from overages.service.capping import REASON, Capping
from overages.terms.account import Account


class Budgeting(ServiceBase):
    """The part of the service that is about budgets."""

    def put_budget(self, org_id: str, budget: Budget) -> StandingLimit:
        """Keep a budget of an org's, in place of any of its id before; return how it stands.

        It acts at once. One that is set below all that is spent already says so: nothing remains of
        it, and its alerts fire, but for windows that were over before. One that stops charging is
        put as the maximum of the org's terms, from the start of the present period on, and bounds
        the bill of that period, too.

        :raises UnknownPlan: if the org has no account.
        :raises NoTerms: if no terms hold now.
        :raises UnknownMetric: if it is of a metric that the org's plan doesn't know.
        :raises CurrencyMismatch: if it is in another currency than the plan.
        :raises InvalidValue: if it stops charging, and entries of the org's terms that no budget
            has put say of the maximum themselves, now or later; or if their minimum is above it.
        """
        self._require_enabled()
        instance_of(Budget)(budget, "budget")
        with self._repository.transaction():
            account, now = self._own_account(org_id), self._now()
            account.require_terms(now, "now")
            if budget.on_reached == "stop_charging":
                self._capping(account, now).require_free(budget)
            others = [each for each in self._repository.budgets(org_id) if each.id != budget.id]
            self._stop_charging(org_id, [*others, budget], now)
            self._repository.put_budget(org_id, budget, put_at=now)
            self._watch().note_open(org_id)
            limits = self._standing(org_id, now, budget.metric)
            standing = next(each for each in limits if each.name == budget.id)
        log().info("%s: a budget is put", org_id, extra={"org_id": org_id})
        return standing

    def drop_budget(self, org_id: str, budget_id: str) -> None:
        """Have a budget of an org's count no more; again, it changes nothing.

        Its alerts stay. They are cleared where they stand, and fire no more until there is a budget
        of its id again: `alert_readings` says "unknown" of each.

        One that stopped charging leaves the org's terms with the start of the present period; where
        no terms hold now, it is not there when they are resumed. So does one that kept a period
        from being billed, since a plan of then is in another currency.

        :raises UnknownBudget: if the org never had a budget of that id.
        :raises UnknownPlan: if the org has no account.
        """
        self._require_enabled()
        with self._repository.transaction():
            self._own_account(org_id)
            self._repository.drop_budget(org_id, budget_id)
            now = self._now()
            self._stop_charging(org_id, self._repository.budgets(org_id), now)
            self._watch().note_open(org_id)
        log().info("%s: a budget is dropped", org_id, extra={"org_id": org_id})

    def budgets(self, org_id: str) -> tuple[StandingLimit, ...]:
        """Return the budgets of an org by id, each with all that is used of it.

        One of a metric that the org's plan no longer knows is among them.

        :returns: none if the org has no account, or no terms now.
        """
        self._require_enabled()
        with self._repository.snapshot():
            account, now = self._repository.account(org_id), self._now()
            if account is None or account.at(now) is None:
                return ()
            return self._standing(org_id, now)

    def _quota_inputs(self, account: Account, now: datetime) -> QuotaInputs:
        plans, routes = PlansInForce(self._repository), self._routes
        settling = self._settling(account, now, plans, routes)
        return QuotaInputs(self._repository, account, routes, settling, plans, now)

    def _standing(
        self, org_id: str, now: datetime, put_metric: str | None = None
    ) -> tuple[StandingLimit, ...]:
        inputs = self._quota_inputs(self._own_account(org_id), now)
        metrics = [each.metric for each in self._repository.budgets(org_id)]
        nothing = {metric: 0 for metric in metrics if metric is not None}
        limits = inputs.decision(parse_request(nothing)).limits
        for limit in limits:
            if limit.kind == "unknown_metric" and limit.metric == put_metric:
                problem = f"{limit.metric!r} must be a metric of the org's plan"
                raise UnknownMetric("metric", limit.metric, problem).within(org_id=org_id)
        standing = [limit for limit in limits if limit.kind == "budget"]
        return tuple(sorted(standing, key=lambda limit: limit.name or ""))

    def _stop_charging(self, org_id: str, budgets: Iterable[Budget], now: datetime) -> None:
        """Have the least of the budgets that stop charging be the maximum of an org's terms."""
        account, amount = self._own_account(org_id), _least(budgets)
        capped = self._capping(account, now).account(amount)
        if capped != account:
            self._repository.put_account(capped, noted_at=now, reason=REASON)

    def _capping(self, account: Account, now: datetime) -> Capping:
        notes = self._repository.account_notes(account.org_id)
        return Capping(account, notes, PlansInForce(self._repository), now)


def _least(budgets: Iterable[Budget]) -> Money | None:
    """Return the least amount of the budgets that stop charging; None if there is none."""
    stops = (each.amount for each in budgets if each.on_reached == "stop_charging")
    return min((each for each in stops if isinstance(each, Money)), default=None)
