"""The budgets of repositories: of each id, the last entry stands.

class BaseRepository(Budgets): ...
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Final

from overages._ground.frozen_dict import FrozenDict
from overages._ground.names import parse_name
from overages._ground.parsing import instance_of, optional, parse_all
from overages._ground.value import evolve
from overages.adapters.catalogue import listed_names
from overages.adapters.storage import Storage
from overages.amounts.money import Money
from overages.errors import InvalidValue, UnknownBudget
from overages.insight.budget import Budget
from overages.periods.period import parse_instant

_optional_instant: Final = optional(parse_instant)


class Budgets(Storage):
    """Keeps the part of the contract that is about budgets."""

    def put_budget(self, org_id: str, budget: Budget, *, put_at: datetime | None = None) -> None:
        """Keep a budget of an org's, in place of any of its id before."""
        _, _, put_at = parse_all(
            (parse_name, org_id, "org_id"),
            (instance_of(Budget), budget, "budget"),
            (_optional_instant, put_at, "put_at"),
        )
        with self._writing():
            if budget.on_reached == "stop_charging":
                self._require_maximum(org_id, budget)
            before, since = self._budgets_of(org_id).get(budget.id, (None, None))
            if before == budget:
                return
            if before is not None and evolve(before, on_reached=budget.on_reached) == budget:
                put_at = since
            self._set_budget(org_id, budget.id, budget, put_at)

    def _require_maximum(self, org_id: str, budget: Budget) -> None:
        """Refuse a budget that stops charging, if no terms of the org's do: it would do nothing."""
        account, amount = self._get_accounts((org_id,)).get(org_id), budget.amount
        assert isinstance(amount, Money)  # or it couldn't stop charging
        for stretch in () if account is None else account.timeline.stretches:
            maximum = None if stretch.terms is None else stretch.terms.maximum
            if maximum is not None and maximum.currency == amount.currency and maximum <= amount:
                return
        problem = (
            "must be a budget of which the maximum of the org's terms is as low:"
            " OverageService.put_budget puts both"
        )
        error = InvalidValue(("budget", "on_reached"), budget.on_reached, problem)
        raise error.within(org_id=org_id)

    def drop_budget(self, org_id: str, budget_id: str) -> None:
        """Have a budget of an org's count no more."""
        parse_all((parse_name, org_id, "org_id"), (parse_name, budget_id, "budget_id"))
        with self._writing():
            budgets = self._budgets_of(org_id)
            if budget_id not in budgets:
                ids = listed_names(budget_id, budgets)
                unknown = UnknownBudget("budget_id", budget_id, f"must be a budget of the org{ids}")
                raise unknown.within(org_id=org_id)
            if budgets[budget_id][0] is not None:
                self._set_budget(org_id, budget_id, None, None)

    def budgets(self, org_id: str) -> tuple[Budget, ...]:
        """Return the budgets of an org that count now, by id."""
        parse_name(org_id, "org_id")
        with self._reading():
            entries = self._budgets_of(org_id)
        return standing_budgets(budget for budget, _ in entries.values())

    def budget_starts(self, org_id: str) -> Mapping[str, datetime]:
        """Return since when budgets of an org have their metric, amount and window, by id."""
        parse_name(org_id, "org_id")
        with self._reading():
            entries = self._budgets_of(org_id).items()
        return FrozenDict({name: put_at for name, (_, put_at) in entries if put_at is not None})


def standing_budgets(budgets: Iterable[Budget | None]) -> tuple[Budget, ...]:
    """Return the budgets that count, by id, given the last entry of each."""
    counting = [budget for budget in budgets if budget is not None]
    return tuple(sorted(counting, key=lambda budget: budget.id))
