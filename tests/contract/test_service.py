"""An org's life through the service, over every adapter: from usage to records, and again."""

from __future__ import annotations

import logging
from datetime import datetime
from typing import Any, Final

import pytest

from overages import Account, Money, OverageService, Plan, Repository, UsageEvent
from overages._ground.value import evolve
from overages.errors import (
    BillingDisabled,
    EventConflict,
    InvalidValue,
    UnknownMetric,
    UnknownPlan,
)
from overages.imports.monthly_fields import plan_from_monthly_fields
from overages.testing.contract.base import (
    FEB,
    MAR,
    OURS,
    THEIRS,
    all_reads,
    check_sums,
    nothing_written,
    owed,
    shown,
)
from tests.since import SINCE

STARTER: Final = plan_from_monthly_fields(
    "starter",
    included_tokens_monthly=500_000,
    included_playbook_runs_monthly=50,
    included_seats=3,
    overage_token_price_milli_cents=10,
    overage_playbook_run_price_cents=100,
)
DURING: Final = FEB.start.replace(day=20)


def present() -> datetime:
    """Return the instant of the service's clock: within February."""
    return DURING


def serving(repository: Repository) -> OverageService:
    """Return a service of a host with a plan, an account, and usage of 50.00 USD."""
    repository.put_plan(STARTER)
    repository.put_account(Account(OURS, "starter", since=SINCE))
    service = OverageService(repository, clock=present)
    service.record_usage([used(750_000, "first"), used(75, "runs", "playbook_runs")])
    return service


def used(
    quantity: int, id: str, metric: str = "tokens", org_id: str = OURS, at: datetime = DURING
) -> UsageEvent:
    """Return an event within February."""
    return UsageEvent(org_id, metric, quantity, at, id)


def test_a_result_is_calculated_recorded_and_summed_up(repository: Repository) -> None:
    service = serving(repository)
    with nothing_written(repository):
        statement = service.calculate(OURS)
    assert statement is not None
    recording = service.record(OURS, statement)
    assert shown(recording.new) == [("tokens", 250_000, 2500, 1), ("playbook_runs", 25, 2500, 1)]
    assert {record.created_at for record in recording.new} == {DURING}
    summary = service.summary(OURS)
    assert summary == statement.summary()
    assert summary is not None
    assert str(summary.total) == "50.00 USD"
    check_sums(repository, statement)


def test_recalculating_ten_times_leaves_one_result(repository: Repository) -> None:
    service = serving(repository)
    for _ in range(10):
        recording = service.recalculate(OURS)
        assert recording is not None
        assert len(recording.records) == 2
    summary = service.summary(OURS)
    assert summary is not None
    assert summary.total == Money(5000, "USD")
    assert len(repository.records(OURS)) == 2


def test_more_usage_adds_a_correction(repository: Repository) -> None:
    service = serving(repository)
    service.recalculate(OURS)
    first = repository.records(OURS)
    service.record_usage([used(50_000, "second")])
    recording = service.recalculate(OURS)
    assert recording is not None
    assert shown(recording.new) == [("tokens", 50_000, 500, 2)]
    assert recording.records == (*first, *recording.new)
    summary = service.summary(OURS)
    assert summary is not None
    assert str(summary.total) == "55.00 USD"


def test_less_usage_adds_a_negative_correction(repository: Repository) -> None:
    service = serving(repository)
    service.recalculate(OURS)
    service.record_usage([used(-100_000, "taken back")])
    recording = service.recalculate(OURS)
    assert recording is not None
    assert shown(recording.new) == [("tokens", -100_000, -1000, 2)]
    summary = service.summary(OURS)
    assert summary is not None
    assert str(summary.total) == "40.00 USD"


def test_the_limits_of_an_account_count(repository: Repository) -> None:
    service = serving(repository)
    account = Account(OURS, "starter", since=SINCE)
    repository.put_account(account.changed(since=FEB.start, limits={"tokens": 700_000}))
    statement = service.calculate(OURS)
    assert statement is not None
    assert statement["tokens"].quantity == 50_000


def test_the_plan_in_force_at_the_start_of_the_period_counts(repository: Repository) -> None:
    service = serving(repository)
    seats = STARTER.allowances["seats"]
    free = Plan("starter", "USD", dict.fromkeys(STARTER.allowances, seats))
    repository.put_plan(free, since=DURING)
    for period, plan in ((FEB, STARTER), (MAR, free)):
        statement = service.calculate(OURS, period)
        assert statement is not None
        assert statement.plan == plan


def test_a_period_is_worked_on_by_name(repository: Repository) -> None:
    service = serving(repository)
    repository.add_events([used(600_000, "march", at=MAR.start)])
    service.recalculate(OURS, period=MAR)
    assert service.summary(OURS) is None
    summary = service.summary(OURS, MAR)
    assert summary is not None
    assert summary.total == Money(1000, "USD")


def test_without_an_account_there_is_nothing(repository: Repository) -> None:
    service = serving(repository)
    with nothing_written(repository):
        assert service.calculate(THEIRS) is None
        assert service.summary(THEIRS) is None
        assert service.recalculate(THEIRS) is None
        with pytest.raises(UnknownPlan, match=r"^org-2: events\[1\]\.org_id: must have an"):
            service.record_usage([used(5, "a"), used(5, "b", org_id=THEIRS)])


def test_usage_of_an_unknown_metric_is_not_priced_at_zero(repository: Repository) -> None:
    service = serving(repository)
    problem = r"^org-1: events\[1\]\.metric: 'images' is not in plan 'starter', whose metrics are"
    with nothing_written(repository), pytest.raises(UnknownMetric, match=problem):
        service.record_usage([used(1, "token"), used(1, "image", "images")])
    repository.add_events([used(1, "image", "images")])
    with nothing_written(repository), pytest.raises(UnknownMetric, match="images"):
        service.recalculate(OURS)


def test_usage_counts_once_in_the_cycle_of_its_org(repository: Repository) -> None:
    service = serving(repository)
    with nothing_written(repository):
        assert service.record_usage([used(750_000, "first")]) == 0
        with pytest.raises(EventConflict):
            service.record_usage([used(1, "another"), used(750_001, "first")])


def test_a_statement_of_another_org_is_not_recorded(repository: Repository) -> None:
    service = serving(repository)
    with nothing_written(repository), pytest.raises(InvalidValue) as caught:
        service.record(OURS, owed(THEIRS, tokens=150))
    assert (caught.value.field, caught.value.org_id) == ("statement.org_id", OURS)


def test_a_closed_period_is_recalculated_by_force_alone(repository: Repository) -> None:
    service = serving(repository)
    recorded = service.recalculate(OURS)
    OverageService(repository, clock=lambda: FEB.end).close(OURS, FEB)
    with nothing_written(repository):
        assert service.recalculate(OURS) == evolve(recorded, new=())  # nothing has changed
    service.record_usage([used(50_000, "late")])
    with nothing_written(repository):
        assert service.recalculate(OURS) == evolve(recorded, new=(), is_stale=True)
    recording = service.recalculate(OURS, force=True)
    assert recording is not None
    assert shown(recording.new) == [("tokens", 50_000, 500, 2)]
    assert not recording.is_stale


@pytest.mark.parametrize("enabled", [False, lambda: False], ids=["flag", "function"])
def test_a_service_that_is_off_does_nothing_and_says_so(
    repository: Repository, enabled: Any
) -> None:
    statement = serving(repository).calculate(OURS)
    assert statement is not None
    service = OverageService(repository, clock=present, enabled=enabled)
    calls: dict[str, Any] = {
        "calculate": lambda: service.calculate(OURS),
        "record": lambda: service.record(OURS, statement),
        "summary": lambda: service.summary(OURS),
        "recalculate": lambda: service.recalculate(OURS),
        "record_usage": lambda: service.record_usage([used(5, "second")]),
        "close": lambda: service.close(OURS, FEB),
        "close_ended": service.close_ended,
        "stale": lambda: service.stale(OURS),
    }
    assert not service.enabled
    for call in calls.values():
        with nothing_written(repository), pytest.raises(BillingDisabled):
            call()


# Several writers, and what is said of all this


def test_the_log_names_org_and_period_and_no_amount(
    repository: Repository, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG, logger="overages"):
        service = serving(repository)
        service.recalculate(OURS)
        service.recalculate(OURS)
        service.calculate("org-3", FEB)
    said = [r for r in caplog.records if r.name.startswith("overages")]
    text = "\n".join(record.getMessage() for record in said)
    assert f"{OURS}, {FEB.isoformat()}: 2 new records" in text
    assert "org-3" in text
    amounts = ("50.00", "5000", "2500", "250000", "750000", "USD")
    assert not [amount for amount in amounts if amount in text]
    names = ("org_id", "period", "events", "new_events", "orgs", "new_records")
    fields = [{k: v for k, v in vars(record).items() if k in names} for record in said]
    assert fields == [
        {"events": 2, "new_events": 2, "orgs": 1},
        {"org_id": OURS, "period": FEB.isoformat(), "new_records": 2},
        {"org_id": OURS, "period": FEB.isoformat(), "new_records": 0},
        {"org_id": "org-3", "period": FEB.isoformat()},
    ]


def test_two_orgs_are_recalculated_apart(repository: Repository) -> None:
    service = serving(repository)
    repository.put_account(Account(THEIRS, "starter", since=SINCE))
    before = all_reads(repository, THEIRS)
    service.recalculate(OURS)
    assert all_reads(repository, THEIRS) == before
