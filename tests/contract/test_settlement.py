"""An org's periods settled one after another, over every adapter: carry-over, and grants drawn."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from overages import (
    Account,
    Allowance,
    CarryOver,
    Cycle,
    Grant,
    Money,
    OverageService,
    Period,
    PerUnit,
    Plan,
    Repository,
    Statement,
    Usage,
    aggregate,
)
from overages._ground.value import evolve
from overages.errors import InvalidValue, NoTerms, UnknownPlan
from overages.testing.contract.base import (
    FEB,
    JAN,
    MAR,
    NOW,
    OURS,
    THEIRS,
    check_sums,
    event,
    nothing_written,
)
from tests.since import SINCE

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
        repository.put_account(Account(org_id, plan.slug, **{"since": SINCE, **account}))
    return OverageService(repository, clock=lambda: NOW, ahead=timedelta(days=60))


def kept(repository: Repository) -> Account:
    """Return the account that our org has."""
    account = repository.account(OURS)
    assert account is not None
    return account


def day(month: Period, number: int) -> datetime:
    """Return noon of a day of a month."""
    return month.start + timedelta(days=number - 1, hours=12)


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


# What goes from one period to the next, worked out of the usage that is kept


def test_units_are_carried_from_the_first_period_on(repository: Repository) -> None:
    service = serving(repository, ROLLING)
    service.record_usage(
        [event("a", 40, at=day(JAN, 5)), event("c", 330, at=day(MAR, 5))]
    )  # and nothing in February
    with nothing_written(repository):
        assert line(service, JAN) == (40, 100, 0, 0)
        assert line(service, FEB) == (0, 160, 0, 0)
        assert line(service, MAR) == (330, 260, 70, 700)


def test_a_short_first_period_carries_its_share(repository: Repository) -> None:
    service = serving(repository, ROLLING, since=JAN.start.replace(day=20))
    service.record_usage([event("c", 330, at=day(MAR, 5))])
    assert line(service, MAR) == (330, 239, 91, 910)  # 39 of January: 100 x 12/31


def test_usage_from_before_an_org_has_its_plan_is_refused(repository: Repository) -> None:
    service = serving(repository, ROLLING, since=FEB.start.replace(day=20))
    with nothing_written(repository), pytest.raises(NoTerms, match=r"events\[0\]\.at"):
        service.record_usage([event("a", 40, at=day(JAN, 5))])
    assert service.calculate(OURS, JAN) is None
    assert line(service, Period(FEB.start.replace(day=20), MAR.start)) == (0, 34, 0, 0)
    assert line(service, MAR) == (0, 134, 0, 0)


def test_late_usage_changes_what_was_carried(repository: Repository) -> None:
    service = serving(repository, ROLLING)
    service.record_usage([event("a", 40, at=day(JAN, 5)), event("b", 160, at=day(FEB, 5))])
    service.recalculate(OURS, period=FEB)
    assert line(service, FEB) == (160, 160, 0, 0)
    service.record_usage([event("late", 20, at=day(JAN, 30))])
    assert line(service, FEB) == (160, 140, 20, 200)
    service.recalculate(OURS, period=FEB)
    check_sums(repository, calculated(service, FEB))


def test_usage_taken_back_later_is_carried_after_all(repository: Repository) -> None:
    service = serving(repository, ROLLING)
    service.record_usage([event("a", 130, at=day(JAN, 5)), event("b", 110, at=day(FEB, 5))])
    assert line(service, FEB) == (110, 100, 10, 100)
    service.record_usage([event("back", -60, at=day(JAN, 6))])
    assert line(service, FEB) == (110, 130, 0, 0)


def test_a_sum_below_zero_in_an_earlier_period_is_no_silent_zero(repository: Repository) -> None:
    service = serving(repository, ROLLING)
    service.record_usage([event("back", -60, at=day(JAN, 6))])
    with pytest.raises(InvalidValue, match="tokens"):
        service.calculate(OURS, FEB)


def test_periods_are_those_of_the_accounts_cycle(repository: Repository) -> None:
    mid = Cycle.monthly("Europe/Paris", day=15)
    service = serving(repository, ROLLING, cycle=mid, since=mid.period_at(day(JAN, 20)).start)
    first, second = mid.period_at(day(JAN, 20)), mid.period_at(day(FEB, 20))
    service.record_usage([event("a", 40, at=day(FEB, 14)), event("b", 5, at=day(FEB, 15))])
    assert line(service, first) == (40, 100, 0, 0)
    assert line(service, second) == (5, 160, 0, 0)
    settlement = service.settle(OURS, second)
    assert settlement is not None
    assert [layer.quantity for layer in settlement.balance.carried["tokens"]] == [55, 100]


def test_a_cycle_that_changes_between_two_periods_goes_on(repository: Repository) -> None:
    service = serving(repository, ROLLING)
    service.record_usage([event("a", 40, at=day(JAN, 5)), event("b", 90, at=day(FEB, 5))])
    quarters = Cycle(MAR.start, 3)
    repository.put_account(kept(repository).changed(since=MAR.start, cycle=quarters))
    assert line(service, quarters.period(0))[1] == 170


def test_events_count_by_their_instants_once_the_billing_day_has_moved(
    repository: Repository,
) -> None:
    service = serving(repository, ROLLING)
    service.record_usage([event("a", 40, at=day(FEB, 5))])
    mid = Cycle.monthly(day=15)
    moved = kept(repository).changed(since=FEB.start.replace(day=15), cycle=mid)
    repository.put_account(moved)
    service.record_usage([event("b", 40, at=day(FEB, 20))])
    short, first = moved.periods(FEB.start, day(MAR, 1))
    used = [calculated(service, period)["tokens"].used for period in (short, first)]
    assert used == [40, 40]


def test_an_accounts_own_limit_is_what_is_carried(repository: Repository) -> None:
    service = serving(repository, ROLLING, limits={"tokens": 50})
    service.record_usage([event("a", 40, at=day(JAN, 5))])
    assert line(service, FEB) == (0, 60, 0, 0)


def test_each_period_has_the_version_of_the_plan_in_force(repository: Repository) -> None:
    service = serving(repository, ROLLING)
    service.record_usage([event("a", 40, at=day(JAN, 5))])
    stricter = CarryOver(up_to=10, expires_after=1)
    allowance = evolve(ROLLING.allowances["tokens"], carry_over=stricter)
    repository.put_plan(Plan("rolling", "USD", {"tokens": allowance}), since=FEB.start)
    assert line(service, FEB) == (0, 160, 0, 0)  # what January left, it left by its own rule
    assert line(service, MAR) == (0, 110, 0, 0)


def test_a_period_before_the_plan_was_in_force_is_passed_over(repository: Repository) -> None:
    repository.put_plan(ROLLING, since=FEB.start)
    repository.put_account(Account(OURS, "rolling", since=SINCE))
    service = OverageService(repository, clock=lambda: NOW)
    with pytest.raises(UnknownPlan, match=r"^org-1: events\[0\]\.plan: must be in force then"):
        service.record_usage([event("a", 40, at=day(JAN, 5))])
    repository.add_events([event("a", 40, at=day(JAN, 5))])
    assert line(service, MAR) == (0, 200, 0, 0)


def test_a_years_allowance_is_drawn_month_by_month(repository: Repository) -> None:
    service = serving(repository, YEARLY)
    service.record_usage(
        [event(str(n), 60, at=day(month, 5)) for n, month in enumerate((JAN, FEB, MAR))]
    )
    found = [line(service, month) for month in (JAN, FEB, MAR)]
    assert found == [(60, 100, 0, 0), (60, 40, 20, 200), (60, 0, 60, 600)]
    assert line(service, Period.month(2025, 1)) == (0, 100, 0, 0)


def test_nothing_that_another_org_used_is_carried(repository: Repository) -> None:
    service = serving(repository, ROLLING)
    service.record_usage([event("a", 40, at=day(JAN, 5))])
    before = line(service, FEB)
    service.record_usage([event("a", 99, at=day(JAN, 5), org_id=THEIRS)])
    repository.put_grant(THEIRS, PACK)
    assert line(service, FEB) == before
    assert line(service, FEB, THEIRS) == (0, 101, 0, 0)


# What is drawn on the grants that are kept


def test_units_beyond_the_limit_are_drawn_and_what_is_left_goes_on(repository: Repository) -> None:
    service = serving(repository, PLAIN)
    repository.put_grant(OURS, PACK)
    service.record_usage([event("a", 120, at=day(JAN, 5)), event("b", 120, at=day(FEB, 5))])
    assert line(service, JAN) == (120, 120, 0, 0)
    assert line(service, FEB) == (120, 110, 10, 100)
    assert line(service, FEB, THEIRS) == (0, 100, 0, 0)


@pytest.mark.parametrize(
    ("first", "last", "limit"), [(10, None, 120), (21, None, 100), (1, 20, 110), (1, 15, 100)]
)
def test_a_grant_pays_for_what_is_used_while_it_lasts(
    repository: Repository, first: int, last: int | None, limit: int
) -> None:
    service = serving(repository, PLAIN)
    ends = None if last is None else day(FEB, last)
    grant = Grant("g", 30, metric="tokens", effective_at=day(FEB, first), expires_at=ends)
    repository.put_grant(OURS, grant)
    used = [event("a", 100, at=day(FEB, 4)), event("b", 10, at=day(FEB, 16))]
    service.record_usage([*used, event("c", 10, at=day(FEB, 20))])
    assert line(service, FEB) == (120, limit, 120 - limit, (120 - limit) * 10)


def test_a_grant_that_is_voided_pays_for_nothing_from_then_on(repository: Repository) -> None:
    service = serving(repository, PLAIN)
    repository.put_grant(OURS, PACK)
    service.record_usage([event("a", 110, at=day(FEB, 4)), event("b", 10, at=day(FEB, 20))])
    repository.void_grant(OURS, "pack", at=day(FEB, 10))
    assert line(service, FEB) == (120, 110, 10, 100)
    settlement = service.settle(OURS, FEB)
    assert settlement is not None
    assert settlement.burndowns[0].grants[0].voided == 20


def test_a_late_event_counts_at_the_start_of_its_period(repository: Repository) -> None:
    service = serving(repository, PLAIN)
    repository.put_grant(OURS, evolve(PACK, expires_at=day(FEB, 2)))
    repository.add_events([event("late", 110, at=day(JAN, 5))], lambda _: FEB.start)
    assert line(service, FEB) == (110, 110, 0, 0)


def test_usage_that_was_put_counts_at_the_end_of_its_period(repository: Repository) -> None:
    service = serving(repository, PLAIN)
    repository.put_grant(OURS, evolve(PACK, id="over", expires_at=day(FEB, 28)))
    repository.put_usage(Usage(OURS, FEB, {"tokens": 110}))
    assert line(service, FEB) == (110, 100, 10, 100)
    repository.put_grant(OURS, evolve(PACK, id="late", effective_at=day(FEB, 28)))
    assert line(service, FEB) == (110, 110, 0, 0)


def test_a_correction_across_the_limit_gives_back_what_was_drawn(repository: Repository) -> None:
    service = serving(repository, PLAIN)
    repository.put_grant(OURS, PACK)
    service.record_usage([event("a", 125, at=day(JAN, 5)), event("b", -50, at=day(JAN, 6))])
    assert line(service, JAN) == (75, 100, 0, 0)
    service.record_usage([event("c", 140, at=day(FEB, 5))])
    assert line(service, FEB) == (140, 130, 10, 100)


def test_what_recurs_is_granted_from_its_start_on(repository: Repository) -> None:
    service = serving(repository, PLAIN)
    kept: Any = {"recurrence": Cycle.monthly(), "refill_keeps": None}
    repository.put_grant(OURS, evolve(PACK, **kept))
    service.record_usage([event("c", 200, at=day(MAR, 5))])
    assert line(service, MAR) == (200, 190, 10, 100)


def test_a_grant_of_a_metric_that_the_plan_does_not_know_is_left(repository: Repository) -> None:
    service = serving(repository, PLAIN)
    repository.put_grant(OURS, evolve(PACK, metric="images"))
    repository.put_grant(OURS, evolve(PACK, id="money", amount=Money(5, "USD"), metric="seats"))
    repository.put_grant(OURS, Grant("euros", Money(5, "EUR"), effective_at=JAN.start))
    service.record_usage([event("a", 110, at=day(JAN, 5))])
    assert line(service, JAN) == (110, 100, 10, 100)


def test_prepaid_money_is_drawn_on_what_is_due_and_recorded(repository: Repository) -> None:
    service = serving(repository, PLAIN)
    repository.put_grant(OURS, Grant("paid", Money(150, "USD"), effective_at=JAN.start))
    service.record_usage([event("a", 110, at=day(JAN, 5)), event("b", 120, at=day(FEB, 5))])
    assert line(service, JAN) == (110, 100, 10, 0)
    assert line(service, FEB) == (120, 100, 20, 150)
    service.recalculate(OURS, period=FEB)
    records = repository.records(OURS, FEB)
    assert aggregate(records) == calculated(service, FEB).summary()
    assert repository.summary(OURS, FEB) == aggregate(records)
    with nothing_written(repository):
        service.recalculate(OURS, period=FEB)
