"""The service, as far as no storage comes in; its life over one is in the contract of them."""

from contextlib import AbstractContextManager
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
)
from overages.adapters.memory import MemoryRepository
from overages.errors import (
    BillingDisabled,
    InvalidType,
    InvalidValue,
    InvalidValues,
    StorageBusy,
    UnknownPlan,
)
from overages.records.recording import Recording
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


def test_a_clock_and_a_time_ahead_that_are_refused_are_told_together(
    repository: MemoryRepository,
) -> None:
    with pytest.raises(InvalidValues, match=r"^2 problems: clock, ahead$"):
        OverageService(repository, NOW, ahead=1)  # type: ignore[arg-type]


def test_a_clock_without_a_timezone_is_refused(repository: MemoryRepository) -> None:
    service = serve(repository, clock=lambda: NOW.replace(tzinfo=None))
    with pytest.raises(InvalidValue, match=r"^clock\(\): must have a timezone"):
        service.calculate("org-1")


@pytest.mark.parametrize("force", ["no", 1, None])
def test_force_is_true_or_false(repository: MemoryRepository, force: Any) -> None:
    with pytest.raises(InvalidType, match=r"^force: must be True or False, got"):
        serve(repository).recalculate("org-1", force=force)
    assert repository.records("org-1") == ()


def test_an_error_of_an_org_without_an_account_says_whose_it_is(
    repository: MemoryRepository,
) -> None:
    with pytest.raises(UnknownPlan) as caught:
        serve(repository).close("stranger", Period.month(2024, 1))
    assert caught.value.org_id == "stranger"


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
    assert told == [(f"events[{n}].org_id", org_id) for n, org_id in ((1, "a"), (2, "b"), (3, "a"))]
    assert repository.usage("org-1", FEB).quantities == {}


def test_events_come_from_any_iterable_and_are_events_alone(repository: MemoryRepository) -> None:
    service = serve(repository)
    assert service.record_usage(UsageEvent("org-1", "tokens", 1, NOW) for _ in range(3)) == 3
    wrong: Any = [UsageEvent("org-1", "tokens", 1, NOW), {"org_id": "org-1"}, None]
    late: Any = "soon"
    with pytest.raises(InvalidValues) as caught:
        service.record_usage(wrong, late)
    assert [error.field for error in caught.value.errors] == ["events[1]", "events[2]", "late"]


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


def test_a_storage_that_fails_ends_the_closing_of_all() -> None:
    class Busy(MemoryRepository):
        def close_fresh(self, *_: Any, **__: Any) -> dict[str, Recording]:
            raise StorageBusy("storage", "overages.db", "is locked")

    repository = Busy()
    repository.put_plan(PLAN)
    repository.put_account(ACCOUNT)
    with pytest.raises(StorageBusy):
        serve(repository).close_ended()


def test_a_period_that_is_no_more_since_it_was_listed_is_left_to_the_next_run() -> None:
    class Changing(MemoryRepository):
        ended: Account | None = None

        def transaction(self) -> AbstractContextManager[object]:
            if self.ended is not None:
                account, self.ended = self.ended, None
                self.put_account(account)
            return super().transaction()

    repository = Changing()
    repository.put_plan(PLAN)
    account = Account("org-1", "starter", since=Period.month(2024, 1).start)
    repository.put_account(account)
    repository.ended = account.ended(at=datetime(2024, 1, 20, tzinfo=UTC))
    service = serve(repository)
    assert service.close_ended() == []
    first, second = service.close_ended(), service.close_ended()
    assert ([each.period for each in first], second) == (
        [Period(account.since, datetime(2024, 1, 20, tzinfo=UTC))], [],
    )  # fmt: skip


def test_settling_needs_an_account_and_a_service_that_is_on(repository: MemoryRepository) -> None:
    assert serve(repository).settle("org-2") is None
    with pytest.raises(BillingDisabled):
        serve(repository, enabled=False).settle("org-1")
    wrong: Any = "2024-02"
    with pytest.raises(InvalidType, match=r"^period: must be of type Period"):
        serve(repository).settle("org-1", wrong)


# Draws on grants of closed periods


def late(repository: MemoryRepository, used: int, more: int) -> OverageService:
    """Close a month, and have more be used in it then."""
    repository.add_events([UsageEvent("org-1", "tokens", used, FEB.start)])
    service = serve(repository, clock=lambda: FEB.end)
    service.close("org-1", FEB)
    assert service.stale("org-1") == ()
    repository.add_events([UsageEvent("org-1", "tokens", more, FEB.start)])
    return service


@pytest.mark.parametrize("expires_at", [None, datetime(2024, 2, 10, tzinfo=UTC)])
def test_a_closed_period_that_draws_otherwise_on_a_grant_is_stale(
    repository: MemoryRepository, expires_at: datetime | None
) -> None:
    grant = Grant("g", 50, metric="tokens", effective_at=FEB.start, expires_at=expires_at)
    repository.put_grant("org-1", grant)
    service = late(repository, 120, 10)
    (stale,) = service.stale("org-1")
    assert (stale.period, stale.is_closed, stale.change) == (FEB, True, Money(0, "USD"))
    service.recalculate("org-1", period=FEB, force=True)
    assert service.stale("org-1") == ()


@pytest.mark.parametrize("has_grant", [False, True])
def test_a_closed_period_that_draws_as_before_and_costs_the_same_is_not_stale(
    repository: MemoryRepository, has_grant: bool
) -> None:
    if has_grant:
        repository.put_grant("org-1", Grant("g", 50, metric="tokens", effective_at=FEB.start))
    assert late(repository, 20, 10).stale("org-1") == ()
