"""The contract of repositories: the periods with usage, and settling an org's one after another."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from attrs import evolve

from overages.errors import InvalidValue
from overages.grants.grant import Grant
from overages.periods.cycle import Cycle
from overages.periods.period import Period
from overages.prices.models import PerUnit
from overages.repository import Repository
from overages.service import OverageService
from overages.statements.statement import Statement
from overages.terms.account import Account
from overages.terms.allowance import Allowance
from overages.terms.carry_over import CarryOver
from overages.terms.plan import Plan
from overages.testing.contract.base import (
    APR,
    FEB,
    JAN,
    MAR,
    NOW,
    OURS,
    THEIRS,
    ContractBase,
    check_sums,
    event,
    month_of,
    nothing_written,
)
from overages.usage.event import UsageEvent
from overages.usage.usage import Usage

ROLLING = Plan(
    "rolling",
    "USD",
    {"tokens": Allowance(100, PerUnit("0.10"), carry_over=CarryOver(expires_after=2))},
)
YEARLY = Plan(
    "yearly",
    "USD",
    {"tokens": Allowance(100, PerUnit("0.10"), included_for=Cycle.calendar("year"))},
)
PLAIN = Plan("plain", "USD", {"tokens": Allowance(100, PerUnit("0.10"))})
PACK = Grant("pack", 30, metric="tokens", effective_at=JAN.start)


def serving(repository: Repository, plan: Plan, **account: Any) -> OverageService:
    """Return a service over a repository in which both orgs are on a plan."""
    repository.put_plan(plan)
    for org_id in (OURS, THEIRS):
        repository.put_account(Account(org_id, plan.slug, **account))
    return OverageService(repository, clock=lambda: NOW)


def day(month: Period, number: int) -> datetime:
    """Return noon of a day of a month."""
    return month.start + timedelta(days=number - 1, hours=12)


def in_february(used: UsageEvent) -> Period:
    """Return the period that every event counts in."""
    del used
    return FEB


def line(
    service: OverageService, period: Period, org_id: str = OURS
) -> tuple[object, object, object, int]:
    """Return used, limit, units over and minor units that an org owes for tokens."""
    found = calculated(service, period, org_id)
    tokens = found["tokens"]
    return tokens.used, tokens.limit, tokens.quantity, found.total.minor


def calculated(service: OverageService, period: Period, org_id: str = OURS) -> Statement:
    """Return the statement of an org that has an account."""
    statement = service.calculate(org_id, period)
    assert statement is not None
    return statement


class UsagePeriodContract(ContractBase):
    """The periods in which something was used."""

    def test_an_org_that_used_nothing_has_no_periods(self, repository: Repository) -> None:
        assert repository.usage_periods(OURS) == ()

    def test_the_periods_with_usage_are_sorted_and_each_once(self, repository: Repository) -> None:
        repository.add_events([event("m", at=MAR.start), event("j", at=JAN.start)], month_of)
        repository.add_events([event("r", 1, "runs", JAN.start), event("f")], month_of)
        repository.put_usage(Usage(OURS, APR, {"tokens": "0.000000000001"}))
        assert repository.usage_periods(OURS) == (JAN, FEB, MAR, APR)

    def test_periods_of_one_start_are_told_apart(self, repository: Repository) -> None:
        first, _ = FEB.split(day(FEB, 10))
        for period in (FEB, first):
            repository.put_usage(Usage(OURS, period, {"tokens": 1}))
        assert repository.usage_periods(OURS) == (first, FEB)

    def test_a_period_whose_usage_comes_to_nothing_is_none(self, repository: Repository) -> None:
        repository.put_usage(Usage(OURS, JAN, {}))
        repository.put_usage(Usage(OURS, FEB, {"tokens": 0}))
        repository.add_events([event("a", at=MAR.start), event("b", -5, at=MAR.start)], month_of)
        repository.put_usage(Usage(OURS, APR, {"tokens": 5}))
        repository.put_usage(Usage(OURS, APR, {}))
        assert repository.usage_periods(OURS) == ()

    def test_a_late_event_counts_in_its_period(self, repository: Repository) -> None:
        repository.add_events([event(at=JAN.start)], in_february)
        assert repository.usage_periods(OURS) == (FEB,)

    def test_periods_are_those_of_one_org(self, repository: Repository) -> None:
        repository.put_usage(Usage(THEIRS, JAN, {"tokens": 1}))
        repository.put_usage(Usage(OURS, FEB, {"tokens": 1}))
        assert (repository.usage_periods(OURS), repository.usage_periods(THEIRS)) == (
            (FEB,),
            (JAN,),
        )

    def test_reading_the_periods_writes_nothing(self, repository: Repository) -> None:
        repository.put_usage(Usage(OURS, FEB, {"tokens": 1}))
        with nothing_written(repository):
            repository.usage_periods(OURS)


class CarriedContract(ContractBase):
    """What goes from one period to the next, worked out of the usage that is kept."""

    def test_units_are_carried_from_the_first_usage(self, repository: Repository) -> None:
        service = serving(repository, ROLLING)
        service.record_usage(
            [event("a", 40, at=day(JAN, 5)), event("c", 330, at=day(MAR, 5))]
        )  # and nothing in February
        with nothing_written(repository):
            assert line(service, JAN) == (40, 100, 0, 0)
            assert line(service, FEB) == (0, 160, 0, 0)
            assert line(service, MAR) == (330, 260, 70, 700)

    def test_units_are_carried_from_when_the_account_has_its_plan(
        self, repository: Repository
    ) -> None:
        service = serving(repository, ROLLING, since=day(JAN, 20))
        service.record_usage([event("c", 330, at=day(MAR, 5))])
        assert line(service, MAR) == (330, 300, 30, 300)

    def test_nothing_is_carried_over_from_before_an_org_has_its_plan(
        self, repository: Repository
    ) -> None:
        service = serving(repository, ROLLING, since=day(FEB, 20))
        service.record_usage([event("a", 40, at=day(JAN, 5))])
        assert line(service, FEB) == (0, 100, 0, 0)
        assert line(service, MAR) == (0, 200, 0, 0)

    def test_late_usage_changes_what_was_carried(self, repository: Repository) -> None:
        service = serving(repository, ROLLING)
        service.record_usage([event("a", 40, at=day(JAN, 5)), event("b", 160, at=day(FEB, 5))])
        service.recalculate(OURS, period=FEB)
        assert line(service, FEB) == (160, 160, 0, 0)
        service.record_usage([event("late", 20, at=day(JAN, 30))])
        assert line(service, FEB) == (160, 140, 20, 200)
        service.recalculate(OURS, period=FEB)
        check_sums(repository, calculated(service, FEB))

    def test_usage_taken_back_later_is_carried_after_all(self, repository: Repository) -> None:
        service = serving(repository, ROLLING)
        service.record_usage([event("a", 130, at=day(JAN, 5)), event("b", 110, at=day(FEB, 5))])
        assert line(service, FEB) == (110, 100, 10, 100)
        service.record_usage([event("back", -60, at=day(JAN, 6))])
        assert line(service, FEB) == (110, 130, 0, 0)

    def test_a_sum_below_zero_in_an_earlier_period_is_no_silent_zero(
        self, repository: Repository
    ) -> None:
        service = serving(repository, ROLLING)
        service.record_usage([event("back", -60, at=day(JAN, 6))])
        with pytest.raises(InvalidValue, match="tokens"):
            service.calculate(OURS, FEB)

    def test_periods_are_those_of_the_accounts_cycle(self, repository: Repository) -> None:
        mid = Cycle.monthly("Europe/Paris", day=15)
        service = serving(repository, ROLLING, cycle=mid)
        first, second = mid.period_at(day(JAN, 20)), mid.period_at(day(FEB, 20))
        service.record_usage([event("a", 40, at=day(FEB, 14)), event("b", 5, at=day(FEB, 15))])
        assert line(service, first) == (40, 100, 0, 0)
        assert line(service, second) == (5, 160, 0, 0)
        settlement = service.settle(OURS, second)
        assert settlement is not None
        assert [layer.quantity for layer in settlement.balance.carried["tokens"]] == [55, 100]

    def test_a_cycle_that_changes_between_two_periods_goes_on(self, repository: Repository) -> None:
        service = serving(repository, ROLLING)
        service.record_usage([event("a", 40, at=day(JAN, 5)), event("b", 90, at=day(FEB, 5))])
        quarters = Cycle(MAR.start, 3)
        repository.put_account(Account(OURS, "rolling", cycle=quarters))
        assert line(service, quarters.period(0))[1] == 170

    def test_a_cycle_that_changes_within_a_period_names_what_overlaps(
        self, repository: Repository
    ) -> None:
        service = serving(repository, ROLLING)
        service.record_usage([event("a", 40, at=day(FEB, 5))])
        mid = Cycle.monthly(day=15)
        repository.put_account(Account(OURS, "rolling", cycle=mid))
        service.record_usage([event("b", 40, at=day(FEB, 20))])
        with pytest.raises(InvalidValue, match=r"usage\.period: must not start before the bal"):
            service.calculate(OURS, mid.period_at(day(MAR, 20)))

    def test_an_accounts_own_limit_is_what_is_carried(self, repository: Repository) -> None:
        service = serving(repository, ROLLING, limits={"tokens": 50})
        service.record_usage([event("a", 40, at=day(JAN, 5))])
        assert line(service, FEB) == (0, 60, 0, 0)

    def test_each_period_has_the_version_of_the_plan_in_force(self, repository: Repository) -> None:
        service = serving(repository, ROLLING)
        service.record_usage([event("a", 40, at=day(JAN, 5))])
        stricter = CarryOver(up_to=10, expires_after=1)
        allowance = evolve(ROLLING.allowances["tokens"], carry_over=stricter)
        repository.put_plan(Plan("rolling", "USD", {"tokens": allowance}), since=FEB.start)
        assert line(service, FEB) == (0, 160, 0, 0)  # what January left, it left by its own rule
        assert line(service, MAR) == (0, 110, 0, 0)

    def test_a_period_before_the_plan_was_in_force_is_passed_over(
        self, repository: Repository
    ) -> None:
        repository.put_plan(ROLLING, since=FEB.start)
        repository.put_account(Account(OURS, "rolling"))
        service = OverageService(repository, clock=lambda: NOW)
        service.record_usage([event("a", 40, at=day(JAN, 5))])
        assert line(service, MAR) == (0, 200, 0, 0)

    def test_a_years_allowance_is_drawn_month_by_month(self, repository: Repository) -> None:
        service = serving(repository, YEARLY)
        service.record_usage(
            [event(str(n), 60, at=day(month, 5)) for n, month in enumerate((JAN, FEB, MAR))]
        )
        found = [line(service, month) for month in (JAN, FEB, MAR)]
        assert found == [(60, 100, 0, 0), (60, 40, 20, 200), (60, 0, 60, 600)]
        assert line(service, Period.month(2025, 1)) == (0, 100, 0, 0)

    def test_nothing_that_another_org_used_is_carried(self, repository: Repository) -> None:
        service = serving(repository, ROLLING)
        service.record_usage([event("a", 40, at=day(JAN, 5))])
        before = line(service, FEB)
        service.record_usage([event("a", 99, at=day(JAN, 5), org_id=THEIRS)])
        repository.put_grant(THEIRS, PACK)
        assert line(service, FEB) == before
        assert line(service, FEB, THEIRS) == (0, 101, 0, 0)
