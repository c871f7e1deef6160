"""Alert subjects: whether an org has the subject of an alert of its own.

AlertSubjects(repository, account, now).require(alert)
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime

from overages.alerts.alert import Alert
from overages.alerts.threshold import Amount, Threshold
from overages.amounts.exact import plain_text
from overages.amounts.money import Money
from overages.bookkeeping.plans_in_force import PlansInForce
from overages.errors import (
    InvalidType,
    OveragesError,
    Path,
    UnknownBudget,
    UnknownGrant,
    UnknownMetric,
)
from overages.repository import Repository
from overages.terms.account import Account


class AlertSubjects:
    """The metrics, budgets and grants of an org that alerts can be about.

    :param account: the org's.
    :param now: the present instant.
    """

    def __init__(self, repository: Repository, account: Account, now: datetime) -> None:
        self._repository, self._account, self._now = repository, account, now

    def require(self, alert: Alert) -> None:
        """Refuse an alert that no number of the org could reach.

        :raises OveragesError: as `put_alert` says.
        """
        self._account.require_terms(self._now, "now")
        try:
            amount = self._amount(alert)
            if alert.threshold is not None and amount is not None:
                _require_unit(alert, alert.threshold, amount)
                alert.threshold.check_amount(amount, ("alert", "threshold"))
        except OveragesError as error:
            raise error.within(org_id=self._account.org_id) from None

    def _amount(self, alert: Alert) -> Amount | None:
        """Return some amount in the unit of an alert's number."""
        if alert.grant is not None:
            grants = {g.id: g.amount for g in self._repository.grants(self._account.org_id)}
            require_grant(alert.grant, grants, ("alert", "grant"))
            return grants[alert.grant]
        if alert.budget is not None:
            budgets = {b.id: b.amount for b in self._repository.budgets(self._account.org_id)}
            require_budget(alert.budget, budgets, ("alert", "budget"))
            return budgets[alert.budget]
        return None if alert.threshold is None else self._amount_of_metric(alert)

    def _amount_of_metric(self, alert: Alert) -> Amount:
        period, plans = self._account.period_at(self._now), PlansInForce(self._repository)
        agreed = [plans.plan(period, part, t) for part, t in self._account.parts(period)]
        metrics = [metric for plan in agreed for metric in plan.allowances]
        if alert.metric is not None and alert.metric not in metrics:
            told = ", ".join(dict.fromkeys(metrics)) or "which has none"
            problem = f"{alert.metric!r} must be a metric of the org's plan, {told}"
            raise UnknownMetric(("alert", "metric"), alert.metric, problem)
        is_cost = alert.threshold is not None and alert.threshold.cost is not None
        return Money(0, agreed[-1].currency) if is_cost else 0


def require_grant(grant: str, grants: Collection[str], path: Path) -> None:
    """Refuse a grant that is none of an org's, which `UnknownGrant` lists.

    :param path: leads to it.
    """
    if grant not in grants:
        raise UnknownGrant(path, grant, f"must be one of the org's grants, {_listed(grants)}")


def require_budget(budget: str, budgets: Collection[str], path: Path) -> None:
    """Refuse a budget that is none of an org's, which `UnknownBudget` lists.

    :param path: leads to it.
    """
    if budget not in budgets:
        raise UnknownBudget(path, budget, f"must be one of the org's budgets, {_listed(budgets)}")


def _require_unit(alert: Alert, threshold: Threshold, amount: Amount) -> None:
    """Refuse money for a budget or a grant of units, and units for one of money."""
    is_of_money, cost, quantity = isinstance(amount, Money), threshold.cost, threshold.quantity
    if (cost is None and quantity is None) or is_of_money == (cost is not None):
        return
    subject = f"grant {alert.grant!r}" if alert.budget is None else f"budget {alert.budget!r}"
    key, other, unit = "cost", "quantity", "units"
    if is_of_money:
        key, other, unit = "quantity", "cost", "money"
    problem = f"must be left out, for a {other} or percent: {subject} is of {unit},"
    problem += f" {_written(amount)}"
    raise InvalidType(("alert", "threshold", key), getattr(threshold, key), problem)


def _written(amount: Amount) -> str:
    return str(amount) if isinstance(amount, Money) else plain_text(amount)


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names)) or "of which there is none"
