"""The contract of repositories: the service runs over it, one test for each thing it does.

The promises of the service itself are tested with our own adapters; these show that a storage is
enough for it.
"""

from __future__ import annotations

from overages._ground.value import evolve
from overages.amounts.money import Money
from overages.grants.grant import Grant
from overages.periods.period import Period
from overages.prices.models import PerUnit
from overages.repository import Repository
from overages.service import OverageService
from overages.statements.summary import Summary
from overages.terms.account import Account
from overages.terms.allowance import Allowance
from overages.terms.carry_over import CarryOver
from overages.terms.discount import Discount
from overages.terms.plan import Plan
from overages.testing.contract.base import (
    FEB,
    GRANT,
    JAN,
    MAR,
    OURS,
    PLAN,
    ContractBase,
    check_sums,
    event,
    nothing_written,
    owed,
)
from overages.usage.metric import Metric


def serving(repository: Repository, plan: Plan = PLAN, *metrics: Metric) -> OverageService:
    """Return a service with a plan and an account on it, at the start of March."""
    repository.put_plan(plan)
    repository.put_account(Account(OURS, plan.slug))
    return OverageService(repository, clock=lambda: MAR.start, metrics=metrics)


def billed(
    service: OverageService, period: Period, metric: str = "tokens"
) -> tuple[object, object, int]:
    """Return the used quantity of a metric in a period, its limit, and the minor units due."""
    statement = service.calculate(OURS, period)
    assert statement is not None
    return statement[metric].used, statement[metric].limit, statement.total.minor


class ServiceContract(ContractBase):
    """An org's life, through the service."""

    def test_usage_is_calculated_recorded_and_corrected(self, repository: Repository) -> None:
        service = serving(repository)
        service.record_usage([event("1", 150), event("2", 12, "runs")])
        for _ in range(2):
            service.recalculate(OURS, period=FEB)
        check_sums(repository, owed(tokens=150, runs=12))
        service.record_usage([event("2", 12, "runs"), event("3", -30)])
        service.recalculate(OURS, period=FEB)
        check_sums(repository, owed(tokens=120, runs=12))
        assert service.summary(OURS, FEB) == owed(tokens=120, runs=12).summary()

    def test_metrics_are_worked_out_of_the_events_that_are_kept(
        self, repository: Repository
    ) -> None:
        seats = Metric("seats", "time_weighted", reports="change")
        plan = Plan("starter", "USD", {"seats": Allowance(2, PerUnit(1)), **PLAN.allowances})
        service = serving(repository, plan, seats)
        service.record_usage([event("1", 10, "seats", at=JAN.start)])
        repository.mark_invoiced(OURS, JAN, at=FEB.start)
        late = event("2", -4, "seats", at=JAN.start)
        service.record_usage([late], late="next_period")
        assert billed(service, JAN, "seats") == (10, 2, 800)
        assert billed(service, MAR, "seats") == (6, 2, 400)

    def test_what_is_not_used_is_carried_to_the_next_period(self, repository: Repository) -> None:
        rolling = Allowance(100, PerUnit(1), carry_over=CarryOver(expires_after=1))
        service = serving(repository, Plan("rolling", "USD", {"tokens": rolling}))
        service.record_usage([event("1", 40, at=JAN.start), event("2", 170)])
        assert billed(service, JAN) == (40, 100, 0)
        assert billed(service, FEB) == (170, 160, 1000)

    def test_grants_that_are_kept_are_drawn_on(self, repository: Repository) -> None:
        service = serving(repository, Plan("one", "USD", {"tokens": Allowance(100, PerUnit(1))}))
        repository.put_grant(OURS, evolve(GRANT, amount=30))
        repository.put_grant(OURS, Grant("paid", Money(500, "USD"), effective_at=JAN.start))
        service.record_usage([event("1", 120, at=JAN.start), event("2", 120)])
        assert billed(service, JAN) == (120, 120, 0)
        assert billed(service, FEB) == (120, 110, 500)

    def test_adjustments_are_kept_as_records_of_their_own(self, repository: Repository) -> None:
        half = Allowance(100, PerUnit(1), discounts=[Discount("launch", percent=50)])
        plan = Plan("starter", "USD", {"tokens": half}, minimum=Money(5000, "USD"))
        service = serving(repository, plan)
        service.record_usage([event("1", 110)])
        service.recalculate(OURS, period=FEB)
        with nothing_written(repository):
            service.recalculate(OURS, period=FEB)
        assert [(r.metric, r.line, r.cost.minor) for r in repository.records(OURS, FEB)] == [
            ("tokens", "overage", 1000),
            ("tokens", "discount:launch", -500),
            (None, "minimum", 4500),
        ]
        assert repository.summary(OURS, FEB) == owed(plan=plan, tokens=110).summary()
        by_metric = Summary("USD", owed(plan=plan, tokens=110).summary().metrics)
        assert repository.overage(OURS, FEB) == by_metric
