"""The service, as far as no storage comes in; its life over one is in the contract of them."""

from datetime import UTC, datetime
from typing import Any

import pytest
from tests.since import SINCE

from overages import (
    Account,
    Allowance,
    CarryOver,
    Cycle,
    Grant,
    Money,
    Period,
    PerUnit,
    Plan,
    UsageEvent,
    calculate,
)
from overages.adapters.memory import MemoryRepository
from overages.errors import (
    BillingDisabled,
    InvalidType,
    InvalidValue,
    InvalidValues,
    RecordConflict,
    UnknownPlan,
)
from overages.repository import Repository
from overages.service.overage_service import OverageService
from overages.usage.usage import Usage

FEB = Period.month(2024, 2)
NOW = datetime(2024, 2, 20, tzinfo=UTC)
ACCOUNT = Account("org-1", "starter", since=SINCE)
PLAN = Plan("starter", "USD", {"tokens": Allowance(100, PerUnit("0.01"))})


@pytest.fixture
def repository() -> MemoryRepository:
    made = MemoryRepository()
    made.put_plan(PLAN)
    made.put_account(ACCOUNT)
    return made


def serve(repository: Repository, **options: Any) -> OverageService:
    return OverageService(repository, **{"clock": lambda: NOW, **options})


class Restless(MemoryRepository):
    """Each time that a statement is to be recorded, another writer has just recorded one."""

    def __init__(self, times: int) -> None:
        super().__init__()
        self.times = times

    def record(self, statement: Any, **options: Any) -> Any:
        if self.times and options.get("revision"):
            self.times -= 1
            used = self.usage("org-1", FEB).quantities.get("tokens", 100)
            self.put_usage(Usage("org-1", FEB, {"tokens": used + 1}))
            newer = calculate(PLAN, self.usage("org-1", FEB))
            super().record(newer, created_at=NOW)
        return super().record(statement, **options)


def test_a_service_is_on_unless_told(repository: MemoryRepository) -> None:
    assert OverageService(repository, clock=lambda: NOW).enabled is True


def test_a_function_is_asked_each_time_whether_the_service_is_on(
    repository: MemoryRepository,
) -> None:
    answers = iter([True, False])
    service = serve(repository, enabled=lambda: next(answers))
    assert [service.enabled, service.enabled] == [True, False]


@pytest.mark.parametrize("enabled", [None, 1, "off", lambda: 0])
def test_a_switch_that_is_neither_on_nor_off_is_refused(
    repository: MemoryRepository, enabled: Any
) -> None:
    with pytest.raises(InvalidType, match=r"^enabled: must be True or False"):
        serve(repository, enabled=enabled).calculate("org-1")


def test_a_clock_that_stands_still_is_refused(repository: MemoryRepository) -> None:
    with pytest.raises(InvalidType, match=r"^clock: must be a function that gives the present"):
        OverageService(repository, NOW)  # type: ignore[arg-type]


def test_a_clock_without_a_timezone_is_refused(repository: MemoryRepository) -> None:
    service = serve(repository, clock=lambda: NOW.replace(tzinfo=None))
    with pytest.raises(InvalidValue, match=r"^clock\(\): must have a timezone"):
        service.calculate("org-1")


def test_the_present_period_is_that_of_the_accounts_cycle(repository: MemoryRepository) -> None:
    weekly = Cycle(datetime(2024, 2, 1, tzinfo=UTC), unit="week")
    repository.put_account(ACCOUNT.changed(since=FEB.start, cycle=weekly))
    statement = serve(repository).calculate("org-1")
    assert statement is not None
    assert statement.period == weekly.period_at(NOW)


@pytest.mark.parametrize("period", ["2024-02", 0, (), NOW])
@pytest.mark.parametrize("method", ["calculate", "recalculate", "summary"])
def test_what_is_no_period_is_refused(
    repository: MemoryRepository, method: str, period: Any
) -> None:
    with pytest.raises(InvalidType, match=r"^period: must be of type Period"):
        getattr(serve(repository), method)("org-1", period=period)


def test_what_is_no_statement_is_refused(repository: MemoryRepository) -> None:
    wrong: Any = {"org_id": "org-1"}
    with pytest.raises(InvalidType, match=r"^statement: must be of type Statement"):
        serve(repository).record("org-1", wrong)


def test_a_plan_that_was_not_yet_in_force_is_unknown(repository: MemoryRepository) -> None:
    repository.put_plan(Plan("new", "USD", PLAN.allowances), since=NOW)
    repository.put_account(ACCOUNT.changed(since=FEB.start, plan="new"))
    with pytest.raises(UnknownPlan):
        serve(repository).calculate("org-1")


def test_all_orgs_without_an_account_are_reported_together(repository: MemoryRepository) -> None:
    events = [UsageEvent(org_id, "tokens", 1, NOW) for org_id in ("org-1", "a", "b", "a")]
    with pytest.raises(InvalidValues) as caught:
        serve(repository).record_usage(events)
    told = [(error.field, getattr(error, "value", None)) for error in caught.value.errors]
    assert told == [("events[1].org_id", "a"), ("events[2].org_id", "b")]
    assert repository.usage("org-1", FEB).quantities == {}


def test_events_come_from_any_iterable_and_are_events_alone(repository: MemoryRepository) -> None:
    service = serve(repository)
    assert service.record_usage(UsageEvent("org-1", "tokens", 1, NOW) for _ in range(3)) == 3
    wrong: Any = [UsageEvent("org-1", "tokens", 1, NOW), {"org_id": "org-1"}, None]
    late: Any = "soon"
    with pytest.raises(InvalidValues) as caught:
        service.record_usage(wrong, late)
    assert [error.field for error in caught.value.errors] == ["events[1]", "events[2]", "late"]


@pytest.mark.parametrize("times", [1, 9])
def test_a_result_is_calculated_again_while_others_write(times: int) -> None:
    repository = Restless(times)
    repository.put_plan(PLAN)
    repository.put_account(Account("org-1", "starter", since=SINCE))
    recording = serve(repository).recalculate("org-1")
    assert recording is not None
    assert recording.new == ()
    assert recording.records[-1].revision == times
    assert (
        repository.summary("org-1", FEB)
        == calculate(PLAN, repository.usage("org-1", FEB)).summary()
    )


class Renegotiated(MemoryRepository):
    """Each time that a period's records are read, another writer has changed the account."""

    def __init__(self, times: int) -> None:
        super().__init__()
        self.times = times

    def records(self, *args: Any, **named: Any) -> Any:
        if self.times:
            self.times -= 1
            account = self.account("org-1")
            assert account is not None
            account = account.changed(since=SINCE, limits={"tokens": 1_000 - self.times})
            self.put_account(account)
            statement = serve(self).calculate("org-1")
            assert statement is not None
            super().record(statement, created_at=NOW)
        return super().records(*args, **named)


def renegotiated(times: int) -> Renegotiated:
    repository = Renegotiated(times)
    repository.put_plan(PLAN)
    repository.put_account(ACCOUNT)
    repository.put_usage(Usage("org-1", FEB, {"tokens": 1_200}))
    return repository


@pytest.mark.parametrize("times", [1, 9])
def test_no_result_of_an_older_account_comes_after_that_of_a_newer_one(times: int) -> None:
    repository = renegotiated(times)
    service = serve(repository)
    recording = service.recalculate("org-1")
    assert recording is not None
    assert recording.new == ()
    summary, statement = service.summary("org-1"), service.calculate("org-1")
    assert summary is not None
    assert statement is not None
    assert summary.total == statement.total == Money.of("2.00", "USD")


def test_an_account_that_never_stands_still_is_named() -> None:
    with pytest.raises(RecordConflict, match=r"^account: must not change while its period"):
        serve(renegotiated(times=10)).recalculate("org-1")


def test_a_service_that_others_never_let_write_says_so() -> None:
    repository = Restless(times=1_000)
    repository.put_plan(PLAN)
    repository.put_account(Account("org-1", "starter", since=SINCE))
    with pytest.raises(RecordConflict):
        serve(repository).recalculate("org-1")
    assert repository.times == 990


def test_settling_says_what_was_carried_and_drawn(repository: MemoryRepository) -> None:
    rolling = Allowance(100, PerUnit("0.01"), carry_over=CarryOver())
    repository.put_plan(Plan("rolling", "USD", {"tokens": rolling}))
    repository.put_account(ACCOUNT.changed(since=SINCE, plan="rolling"))
    repository.put_grant("org-1", Grant("g", 50, metric="tokens", effective_at=FEB.start))
    repository.put_usage(Usage("org-1", Period.month(2024, 1), {"tokens": 40}))
    service = serve(repository)
    service.record_usage([UsageEvent("org-1", "tokens", 180, NOW)])
    settlement = service.settle("org-1")
    assert settlement is not None
    assert settlement.statement == service.calculate("org-1")
    assert settlement.carry_overs["tokens"].limit == 160
    assert settlement.burndowns[0].covered == 20
    assert settlement.balance.carried == {}


def test_settling_needs_an_account_and_a_service_that_is_on(repository: MemoryRepository) -> None:
    assert serve(repository).settle("org-2") is None
    with pytest.raises(BillingDisabled):
        serve(repository, enabled=False).settle("org-1")
    wrong: Any = "2024-02"
    with pytest.raises(InvalidType, match=r"^period: must be of type Period"):
        serve(repository).settle("org-1", wrong)
