"""The contract of repositories: budgets, of which the last entry of an id stands."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final
from zoneinfo import ZoneInfo

import pytest

from overages._ground.value import evolve
from overages.amounts.money import Money
from overages.errors import InvalidValue, UnknownBudget
from overages.insight.budget import Budget
from overages.periods.cycle import Cycle
from overages.repository import Repository
from overages.testing.contract.base import (
    ACCOUNT,
    BUDGET,
    FEB,
    OURS,
    THEIRS,
    ContractBase,
    fill,
    named,
    nothing_written,
)

DAILY: Final = Budget(
    "0.5",
    id="daily",
    metric="runs",
    on_reached="stop_usage",
    window=Cycle.calendar("day", "Asia/Tokyo"),
)


TOKYO: Final = ZoneInfo("Asia/Tokyo")


class BudgetContract(ContractBase):
    """Budgets are put, put again, and dropped."""

    @pytest.mark.parametrize(
        "budget",
        [
            BUDGET,
            DAILY,
            evolve(BUDGET, on_reached="stop_charging"),
            Budget(Money(0, "JPY"), metric="tokens"),
        ],
        ids=["money", "units", "stop", "metric"],
    )
    def test_a_budget_is_read_as_it_was_put(self, repository: Repository, budget: Budget) -> None:
        maximum = budget.amount if isinstance(budget.amount, Money) else None
        repository.put_account(evolve(ACCOUNT, maximum=maximum))
        repository.put_budget(OURS, budget)
        assert repository.budgets(OURS) == (budget,)
        assert repr(repository.budgets(OURS)) == repr((budget,))

    def test_one_that_stops_charging_needs_terms_that_do(self, repository: Repository) -> None:
        stops = evolve(BUDGET, on_reached="stop_charging")
        amount = stops.amount
        assert isinstance(amount, Money)
        problem = "^org-1: budget.on_reached: must be a budget of which the maximum of the org's"
        account = evolve(ACCOUNT, maximum=None)
        for maximum in (None, Money(amount.minor + 1, "USD"), Money(0, "EUR")):
            with nothing_written(repository), pytest.raises(InvalidValue, match=problem):
                repository.put_budget(OURS, stops)
            if maximum is not None:
                account = account.changed(since=account.since, maximum=maximum)
            repository.put_account(account)
        with pytest.raises(InvalidValue, match=problem):
            repository.put_budget(OURS, stops)
        account = account.ended(at=FEB.end)
        repository.put_account(account.changed(since=account.since, maximum=amount))
        repository.put_budget(OURS, stops)
        assert repository.budgets(OURS) == (stops,)

    def test_budgets_are_sorted_by_id(self, repository: Repository) -> None:
        for name in ("b", "B", "a", "\U0001f600", "\uffee"):
            repository.put_budget(OURS, evolve(BUDGET, id=name))
        ids = [budget.id for budget in repository.budgets(OURS)]
        assert ids == ["B", "a", "b", "\uffee", "\U0001f600"]

    def test_the_last_budget_of_an_id_stands(self, repository: Repository) -> None:
        for minor in (5, 7, 5):
            repository.put_budget(OURS, evolve(BUDGET, amount=Money(minor, "USD")))
        assert repository.budgets(OURS) == (evolve(BUDGET, amount=Money(5, "USD")),)

    def test_the_same_budget_again_changes_nothing(self, repository: Repository) -> None:
        fill(repository)
        with nothing_written(repository):
            repository.put_budget(OURS, BUDGET)

    def test_a_budget_says_since_when_it_has_its_amount(self, repository: Repository) -> None:
        first, later = (datetime(2024, 2, day, tzinfo=UTC) for day in (5, 9))
        repository.put_budget(OURS, BUDGET)
        assert repository.budget_starts(OURS) == {}  # it always had
        repository.put_budget(OURS, DAILY, put_at=first)
        repository.put_budget(OURS, DAILY, put_at=later)
        repository.put_budget(OURS, evolve(DAILY, on_reached="tell"), put_at=later)
        assert repository.budget_starts(OURS) == {DAILY.id: first}
        repository.put_budget(OURS, evolve(DAILY, amount=7), put_at=later.astimezone(TOKYO))
        assert repository.budget_starts(OURS) == {DAILY.id: later}
        assert repository.budget_starts(OURS)[DAILY.id].tzinfo is UTC
        assert repository.budget_starts(THEIRS) == {}
        repository.drop_budget(OURS, DAILY.id)
        assert repository.budget_starts(OURS) == {}

    def test_a_budget_that_is_dropped_counts_no_more(self, repository: Repository) -> None:
        repository.put_budget(OURS, BUDGET)
        repository.put_budget(OURS, DAILY)
        for _ in range(2):
            repository.drop_budget(OURS, BUDGET.id)
            assert repository.budgets(OURS) == (DAILY,)
        repository.put_budget(OURS, BUDGET)
        assert repository.budgets(OURS) == (BUDGET, DAILY)

    def test_a_budget_that_never_was_cannot_be_dropped(self, repository: Repository) -> None:
        fill(repository)
        repository.put_budget(THEIRS, DAILY)
        problem = "^org-1: budget_id: must be a budget of the org: all"
        with nothing_written(repository):
            for unknown in ("daily", "ALL", "all.", "%"):
                with named(unknown), pytest.raises(UnknownBudget, match=problem):
                    repository.drop_budget(OURS, unknown)

    def test_orgs_have_budgets_of_the_same_id_each(self, repository: Repository) -> None:
        fill(repository)
        repository.put_budget(THEIRS, evolve(BUDGET, on_reached="stop_usage"))
        repository.drop_budget(THEIRS, BUDGET.id)
        assert (repository.budgets(OURS), repository.budgets(THEIRS)) == ((BUDGET,), ())

    def test_what_is_no_name_of_an_org_or_a_budget_is_refused(self, repository: Repository) -> None:
        fill(repository)
        with nothing_written(repository):
            with pytest.raises(InvalidValue, match=r"^org_id: must not be empty"):
                repository.put_budget("", BUDGET)
            with pytest.raises(InvalidValue, match=r"^org_id: must not be empty"):
                repository.budget_starts("")
            with pytest.raises(InvalidValue, match=r"^put_at: must have a timezone"):
                repository.put_budget(OURS, BUDGET, put_at=datetime(2024, 2, 5))
            with pytest.raises(InvalidValue, match=r"^org_id: must not be empty"):
                repository.drop_budget("", BUDGET.id)
            with pytest.raises(InvalidValue, match=r"^budget_id: must not be empty"):
                repository.drop_budget(OURS, "")
