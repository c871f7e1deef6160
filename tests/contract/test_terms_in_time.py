"""Accounts through time, over every adapter: each period by the terms that it had."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

import pytest

from overages import (
    Account,
    Allowance,
    CarryOver,
    Cycle,
    Discount,
    Money,
    OverageService,
    Period,
    PerUnit,
    Plan,
    Repository,
    Statement,
    Usage,
    UsageEvent,
)
from overages.errors import AccountConflict, InvalidType, InvalidValue, NoTerms, PeriodClosed
from overages.testing.contract.base import nothing_written

ORG: Final = "acme"
JANUARY, FEBRUARY, MARCH, APRIL, JUNE = (Period.month(2024, month) for month in (1, 2, 3, 4, 6))


def day(month: int, day: int, hour: int = 0) -> datetime:
    return datetime(2024, month, day, hour, tzinfo=UTC)


NOW: Final = day(3, 20)
STARTER: Final = Plan("starter", "USD", {"runs": Allowance(100, PerUnit("1.00"))})
PRO: Final = Plan("pro", "USD", {"runs": Allowance(1_000, PerUnit("0.50"))})
ROLLING: Final = Plan(
    "rolling", "USD", {"runs": Allowance(100, PerUnit(1), carry_over=CarryOver())}
)


def serving(repository: Repository, account: Account, *plans: Plan) -> OverageService:
    """Return the service of a host in March, with some plans and an account."""
    for plan in plans:
        repository.put_plan(plan)
    repository.put_account(account)
    return OverageService(repository, clock=lambda: NOW)


def used(quantity: int, at: datetime, metric: str = "runs") -> UsageEvent:
    return UsageEvent(ORG, metric, quantity, at)


def statement_of(service: OverageService, period: Period) -> Statement:
    statement = service.calculate(ORG, period)
    assert statement is not None
    return statement


def changed(repository: Repository, account: Account) -> Account:
    """Keep the entries that an account has more than the kept one."""
    repository.put_account(account)
    return account


@pytest.mark.parametrize(
    "metrics", [{"runs": PRO.allowances["runs"]}, {"jobs": Allowance(5, PerUnit(1))}]
)
def test_late_usage_is_charged_by_the_plan_of_its_time(
    repository: Repository, metrics: dict[str, Allowance]
) -> None:
    account = Account(ORG, "starter", since=day(2, 1))
    service = serving(repository, account, STARTER, Plan("pro", "USD", metrics))
    service.record_usage([used(300, day(2, 11))])
    service.recalculate(ORG, period=FEBRUARY)
    service.close(ORG, FEBRUARY)
    changed(repository, account.changed(since=day(3, 12), plan="pro"))
    service.record_usage([used(10, day(2, 28))])
    recording = service.recalculate(ORG, period=FEBRUARY, force=True)
    assert recording is not None
    assert [record.cost.minor for record in recording.new] == [1_000]
    summary = service.summary(ORG, FEBRUARY)
    assert summary is not None
    assert summary.total == Money.of("210.00", "USD")


def test_a_metric_that_a_later_plan_lacks_is_charged_for_the_time_before(
    repository: Repository,
) -> None:
    old = Plan(
        "old", "USD", {"tokens": Allowance(0, PerUnit("0.10")), "runs": Allowance(0, PerUnit(1))}
    )
    new = Plan("new", "USD", {"tokens": Allowance(0, PerUnit("0.01"))})
    account = Account(ORG, "old", since=day(1, 1))
    service = serving(repository, account, old, new)
    service.record_usage([used(100, day(1, 5), "tokens"), used(25, day(1, 5))])
    service.recalculate(ORG, period=JANUARY)
    assert statement_of(service, JANUARY).total == Money.of("35.00", "USD")
    changed(repository, account.changed(since=day(3, 1), plan="new"))
    service.record_usage([used(1, day(1, 31), "tokens")])
    service.recalculate(ORG, period=JANUARY)
    summary = service.summary(ORG, JANUARY)
    assert summary is not None
    assert summary.total == Money.of("35.10", "USD")


def test_a_change_is_told_before_it_is_put_and_comes_to_that(repository: Repository) -> None:
    account = Account(ORG, "starter", since=day(2, 1))
    service = serving(repository, account, STARTER, PRO)
    service.record_usage([used(300, day(2, 11)), used(50, day(3, 5)), used(700, day(3, 15))])
    moved = account.changed(since=day(3, 12), cycle=Cycle.monthly(day=12))
    ended = account.ended(at=day(3, 16))
    with nothing_written(repository):
        for proposed, period, total in [
            (account, None, "650.00"),
            (account.changed(since=day(3, 12), plan="pro"), None, "42.50"),
            (account.changed(since=day(2, 1), limits={"runs": 290}), FEBRUARY, "10.00"),
            (moved, Period(day(3, 1), day(3, 12)), "15.00"),
            (moved, None, "600.00"),
            (ended, Period(day(3, 1), day(3, 16)), "702.00"),
        ]:
            statement = service.calculate(ORG, period, account=proposed)
            settlement = service.settle(ORG, period, account=proposed)
            assert statement is not None
            assert settlement is not None
            assert statement == settlement.statement
            assert statement.total == Money.of(total, "USD")
        assert service.calculate(ORG, account=ended) is None  # no terms hold today
        assert statement_of(service, MARCH).total == Money.of("650.00", "USD")
    upgraded = account.changed(since=day(3, 12), plan="pro")
    before = service.calculate(ORG, account=upgraded)
    changed(repository, upgraded)
    assert service.calculate(ORG) == before


def test_an_account_is_proposed_before_an_org_has_one(repository: Repository) -> None:
    repository.put_plan(Plan("least", "USD", {}, minimum=Money.of("31.00", "USD")))
    service = OverageService(repository, clock=lambda: NOW)
    account = Account(ORG, "least", since=day(2, 11))
    short = service.calculate(ORG, Period(day(2, 11), day(3, 1)), account=account)
    assert short is not None
    assert short.total == Money.of("20.31", "USD")  # 31.00 x 19/29
    assert service.calculate(ORG) is None


def test_an_account_that_could_not_be_put_is_not_told(repository: Repository) -> None:
    account = Account(ORG, "starter", since=day(2, 1)).changed(since=day(3, 1), limits={"runs": 5})
    service = serving(repository, account, STARTER)
    others = [
        Account(ORG, "starter", since=day(2, 1)),
        Account(ORG, "starter", since=day(2, 1)).changed(since=day(3, 1), limits={"runs": 6}),
    ]
    for asked in (service.calculate, service.settle):
        for other in others:
            with pytest.raises(AccountConflict, match="entries added at its end") as caught:
                asked(ORG, account=other)
            assert caught.value.org_id == ORG
        with pytest.raises(InvalidValue, match=r"^.*account\.org_id: must be 'acme', got 'other'"):
            asked(ORG, account=Account("other", "starter", since=day(2, 1)))
        with pytest.raises(InvalidType, match=r"^account: must be of type Account"):
            asked(ORG, account="starter")  # type: ignore[arg-type]


def test_a_raised_limit_gives_nothing_to_a_period_that_has_ended(repository: Repository) -> None:
    account = Account(ORG, "starter", since=day(2, 1), limits={"runs": 100})
    service = serving(repository, account, STARTER)
    service.record_usage([used(150, day(2, 11)), used(150, day(3, 11))])
    service.recalculate(ORG, period=FEBRUARY)
    changed(repository, account.changed(since=day(3, 2), limits={"runs": 1_000}))
    with nothing_written(repository):
        service.recalculate(ORG, period=FEBRUARY)  # as each night
    assert statement_of(service, FEBRUARY).total == Money.of("50.00", "USD")
    assert statement_of(service, MARCH).total == Money.of("0.00", "USD")


def test_units_that_a_plan_left_are_brought_into_the_next_one_as_many_as_they_were(
    repository: Repository,
) -> None:
    larger = Plan("larger", "USD", {"runs": Allowance(1_000, PerUnit(1), carry_over=CarryOver())})
    account = Account(ORG, "rolling", since=day(2, 1)).changed(since=day(3, 1), plan="larger")
    service = serving(repository, account, ROLLING, larger)
    service.record_usage([used(90, day(2, 11))])
    assert statement_of(service, MARCH)["runs"].limit == 1_010


def test_an_org_that_has_ended_owes_a_share_of_its_minimum_and_then_nothing(
    repository: Repository,
) -> None:
    least = Plan(
        "least", "USD", {"runs": Allowance(310, PerUnit(1))}, minimum=Money.of("31.00", "USD")
    )
    account = Account(ORG, "least", since=day(2, 1)).ended(at=day(3, 20))
    service = serving(repository, account, least)
    service.record_usage([used(10, day(3, 5))])
    statement = statement_of(service, Period(day(3, 1), day(3, 20)))
    assert statement["runs"].limit == 190
    assert statement.total == Money.of("19.00", "USD")
    assert statement_of(service, FEBRUARY).total == Money.of("31.00", "USD")
    with nothing_written(repository):
        assert service.calculate(ORG, APRIL) is None
        assert service.recalculate(ORG, period=APRIL) is None
        assert service.recalculate(ORG) is None  # its terms ended today
        assert service.summary(ORG) is None


def test_units_that_were_carried_lapse_when_terms_end(repository: Repository) -> None:
    account = Account(ORG, "rolling", since=day(1, 1)).ended(at=day(1, 31))
    account = account.changed(since=day(6, 1), plan="rolling")
    service = serving(repository, account, ROLLING)
    assert statement_of(service, JUNE)["runs"].limit == 100
    assert statement_of(service, Period.month(2024, 7))["runs"].limit == 200


def test_units_that_were_carried_lapse_in_a_pause_between_two_whole_periods(
    repository: Repository,
) -> None:
    account = Account(ORG, "rolling", since=day(1, 1)).ended(at=day(2, 1))
    account = account.changed(since=day(3, 1), plan="rolling")
    service = serving(repository, account, ROLLING)
    assert statement_of(service, MARCH)["runs"].limit == 100
    assert statement_of(service, APRIL)["runs"].limit == 200


def test_units_wait_out_a_period_without_a_limit_and_grow_no_younger(
    repository: Repository,
) -> None:
    for expires_after, limit in [(3, 200), (1, 100)]:
        rule = CarryOver(expires_after=expires_after)
        plan = Plan(
            f"p{expires_after}", "USD", {"runs": Allowance(100, PerUnit(1), carry_over=rule)}
        )
        account = Account(ORG + plan.slug, plan.slug, since=day(1, 1))
        account = account.changed(since=day(2, 1), limits={"runs": None})
        account = account.changed(since=day(3, 1), drop_limits=["runs"])
        service = serving(repository, account, plan)
        service.record_usage([UsageEvent(account.org_id, "runs", 10**9, day(2, 3))])
        february = service.calculate(account.org_id, FEBRUARY)
        march = service.calculate(account.org_id, MARCH)
        assert february is not None
        assert march is not None
        assert (february["runs"].limit, february.total.minor) == (None, 0)
        assert march["runs"].limit == limit


def test_an_unlimited_own_limit_is_never_over(repository: Repository) -> None:
    account = Account(ORG, "starter", since=day(3, 1), limits={"runs": None})
    service = serving(repository, account, STARTER)
    service.record_usage([used(10**9, day(3, 5))])
    assert statement_of(service, MARCH).total.minor == 0
    changed(repository, account.changed(since=day(3, 6), drop_limits=["runs"]))
    before, after = statement_of(service, MARCH).of("runs")
    assert (before.limit, after.limit) == (None, 84)  # 100 x 26/31


def test_a_period_that_is_not_the_orgs_is_refused_and_its_own_are_named(
    repository: Repository,
) -> None:
    paris = Cycle.monthly("Europe/Paris")
    account = Account(ORG, "starter", since=datetime(2023, 12, 31, 23, tzinfo=UTC), cycle=paris)
    service = serving(repository, account, STARTER)
    own = "2024-01-31T23:00:00Z/2024-02-29T23:00:00Z and 2024-02-29T23:00:00Z/"
    for method in (service.calculate, service.settle):
        with pytest.raises(InvalidValue, match=f"period: must be one of the org's own, .*{own}"):
            method(ORG, FEBRUARY)
    with nothing_written(repository), pytest.raises(InvalidValue, match="one of the org's own"):
        service.recalculate(ORG, period=FEBRUARY)


def test_usage_at_an_instant_without_terms_is_refused_with_all_of_its_batch(
    repository: Repository,
) -> None:
    account = Account(ORG, "starter", since=day(2, 1)).ended(at=day(3, 10))
    service = serving(repository, account, STARTER)
    with nothing_written(repository), pytest.raises(NoTerms) as caught:
        service.record_usage([used(1, day(3, 9)), used(2, day(3, 10))])
    assert caught.value.field == "events[1].at"
    assert service.record_usage([used(1, day(3, 9))]) == 1


def test_late_usage_that_should_count_in_a_next_period_stays_where_there_is_none(
    repository: Repository,
) -> None:
    account = Account(ORG, "starter", since=day(2, 1)).ended(at=day(3, 1))
    service = serving(repository, account, STARTER)
    service.close(ORG, FEBRUARY)
    service.record_usage([used(130, day(2, 28))], late="next_period")
    assert [stale.change for stale in service.stale(ORG)] == [Money.of("30.00", "USD")]
    resumed = account.changed(since=day(4, 1), plan="starter")
    changed(repository, resumed)
    service.record_usage([used(120, day(2, 28))], late="next_period")
    assert statement_of(service, APRIL).total == Money.of("20.00", "USD")


def test_a_pinned_version_of_a_plan_stays(repository: Repository) -> None:
    account = Account(ORG, "starter", since=day(1, 1), plan_version=1)
    service = serving(repository, account, STARTER)
    dearer = Plan("starter", "USD", {"runs": Allowance(100, PerUnit("2.00"))})
    repository.put_plan(dearer, since=day(2, 1))
    service.record_usage([used(110, day(2, 3)), used(110, day(3, 3))])
    changed(repository, account.changed(since=day(3, 1), plan="starter"))
    assert statement_of(service, FEBRUARY).total == Money.of("10.00", "USD")
    assert statement_of(service, MARCH).total == Money.of("20.00", "USD")


def test_the_charge_of_a_period_that_is_no_more_is_taken_back_with_the_new_one(
    repository: Repository,
) -> None:
    account = Account(ORG, "starter", since=day(3, 1))
    service = serving(repository, account, STARTER)
    service.record_usage([used(150, day(3, 3)), used(80, day(3, 18))])
    service.recalculate(ORG)  # 130 over for March
    moved = changed(repository, account.changed(since=day(3, 15), cycle=Cycle.monthly(day=15)))
    first, last = moved.periods(day(3, 1), day(3, 31))
    recording = service.recalculate(ORG, period=first)
    assert recording is not None
    assert [str(record.cost) for record in repository.records(ORG)] == [
        "130.00 USD",
        "-130.00 USD",
        "105.00 USD",  # 150 beyond 100 x 14/31
    ]
    again = service.recalculate(ORG, period=first)
    assert again is not None
    assert again.new == ()
    service.recalculate(ORG, period=last)
    assert repository.verify(ORG) == len(repository.records(ORG)) == 3  # 80 are included


def test_an_end_within_a_period_that_is_closed_is_refused(repository: Repository) -> None:
    account = Account(ORG, "starter", since=day(2, 1))
    service = serving(repository, account, STARTER)
    service.close(ORG, FEBRUARY)
    with nothing_written(repository), pytest.raises(PeriodClosed) as caught:
        repository.put_account(account.ended(at=day(2, 15)))
    assert (caught.value.org_id, caught.value.period) == (ORG, FEBRUARY)
    changed(repository, account.ended(at=day(3, 1)))


def test_units_that_a_host_has_set_are_not_divided_at_a_change(repository: Repository) -> None:
    account = Account(ORG, "starter", since=day(3, 1))
    service = serving(repository, account, STARTER, PRO)
    repository.put_usage(Usage(ORG, MARCH, {"runs": 150}))
    assert statement_of(service, MARCH).total == Money.of("50.00", "USD")
    changed(repository, account.changed(since=day(3, 12), plan="pro"))
    with pytest.raises(
        InvalidValue,
        match="it was put for 2024-03-01T00:00:00Z/2024-04-01T00:00:00Z, within which they change",
    ):
        service.calculate(ORG, MARCH)


def test_terms_of_the_orgs_own_are_charged_kept_and_aggregated(repository: Repository) -> None:
    partner = Discount("partner", percent=10)
    account = Account(ORG, "starter", since=day(1, 1), status="trial", discounts=[partner])
    account = account.changed(since=day(2, 15), status="active", minimum=Money(5_800, "USD"))
    service = serving(repository, account, STARTER)
    service.record_usage([used(100, day(2, 5)), used(72, day(2, 20))])
    recording = service.recalculate(ORG, period=FEBRUARY)
    assert recording is not None
    assert [(record.line, record.cost.minor) for record in recording.new] == [
        ("overage:2024-02-01T00:00:00Z", 5_200),
        ("overage:2024-02-15T00:00:00Z", 2_000),
        ("trial", -5_200),
        ("own_discount:partner", -200),
        ("own_minimum", 1_200),
    ]
    summary = service.summary(ORG, FEBRUARY)
    assert summary == statement_of(service, FEBRUARY).summary()
    assert summary.total == Money(3_000, "USD")
    asked = account.changed(since=day(2, 15), drop_bounds=["minimum"])
    proposed = service.calculate(ORG, FEBRUARY, account=asked)
    assert proposed is not None
    assert proposed.total.minor == 1_800
