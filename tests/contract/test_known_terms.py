"""Decisions by terms that a service knows from the one before, over every adapter."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from overages import (
    Account,
    Allowance,
    Budget,
    Cycle,
    Grant,
    Metric,
    Money,
    OverageService,
    PerUnit,
    Plan,
    Repository,
)
from overages._ground.value import evolve
from overages.errors import InvalidType, InvalidValue
from overages.testing.contract.base import FEB, MAR, OURS, THEIRS

from .test_quotas import CALLS, DURING, HOUR, TEN, Host

DEARER = Plan("starter", "USD", {"runs": Allowance(20, PerUnit("3.00")), "calls": CALLS})
TIGHT = Budget(5, metric="runs", on_reached="stop_usage")


def limited(repository: Repository, since: datetime) -> Account:
    """Return the org's account with a limit of its own."""
    account = repository.account(OURS)
    assert account is not None
    return account.changed(since=since, limits={"runs": 2})


@pytest.mark.parametrize(
    "change",
    [
        lambda each: each.put_account(limited(each, since=FEB.start)),
        lambda each: each.put_account(limited(each, since=DURING)),
        lambda each: each.put_account(each.account(OURS).ended(at=DURING)),
        lambda each: each.put_plan(DEARER, since=FEB.start),
        lambda each: each.put_budget(OURS, TIGHT),
        lambda each: each.put_budget(OURS, evolve(TIGHT, window=Cycle.calendar("day"))),
        lambda each: each.put_grant(OURS, Grant("g", 5, metric="runs", effective_at=FEB.start)),
        lambda each: each.put_metric(Metric("runs", "max")),
    ],
    ids=["limit", "part", "end", "plan", "budget", "window", "grant", "metric"],
)
def test_a_decision_follows_what_others_agreed_since_the_one_before(
    repository: Repository, change: Callable[[Any], object]
) -> None:
    host = Host(repository)
    host.use(runs=20)
    host.use(runs=25)
    before = [host.decide(runs=10) for _ in range(2)]
    assert before[0] == before[1]
    change(repository)
    anew = OverageService(repository, clock=lambda: host.now).decide(OURS, {"runs": 10})
    for _ in range(2):
        assert host.decide(runs=10) == anew != before[0]


def test_a_decision_follows_what_is_used_and_held_since_the_one_before(
    repository: Repository,
) -> None:
    host = Host(repository)
    decisions = [host.decide(runs=60)]
    host.use(runs=45)
    decisions.append(host.decide(runs=60))
    host.reserve(runs=10)
    decisions.append(host.decide(runs=46))
    host.now += HOUR
    decisions.append(host.decide(runs=46))
    assert [(each.verdict, each.limits[0].used, each.limits[0].held) for each in decisions] == [
        ("allow", 0, 0), ("deny", 45, 0), ("deny", 45, 10), ("allow", 45, 0),
    ]  # fmt: skip


def test_a_decision_of_the_next_period_has_its_terms(repository: Repository) -> None:
    host = Host(repository)
    repository.put_plan(DEARER, since=MAR.start)
    host.use(runs=45)
    assert host.decide(runs=60).verdict == "deny"
    host.now = MAR.start
    decision = host.decide(runs=60)
    assert (decision.cost, decision.limits[0].resets_at) == (Money(120_00, "USD"), MAR.end)


def test_all_of_an_orgs_budgets_stand_in_each_decision(repository: Repository) -> None:
    host = Host(repository)
    repository.put_budget(OURS, TIGHT)
    repository.put_budget(OURS, Budget(TEN, on_reached="stop_usage"))
    host.use(calls=99)
    verdicts = [host.decide(**{metric: 2}).verdict for metric in ("calls", "runs", "calls", "runs")]
    assert verdicts == ["deny", "allow"] * 2


def test_usage_that_is_no_quantity_is_the_error_that_it_was_before(repository: Repository) -> None:
    host = Host(repository)
    host.decide(runs=1)
    host.use(runs=-5)
    messages = []
    for service in (host.service, OverageService(repository, clock=lambda: host.now)):
        with pytest.raises(InvalidValue, match=r"runs.*must not be negative, got -5") as error:
            service.decide(OURS, {"runs": 1})
        messages.append(str(error.value))
    assert messages[0] == messages[1]
    assert messages[0].startswith(f"{OURS}, {FEB.describe()}: ")


def test_the_name_of_an_org_is_checked_before_its_terms_are_looked_up(
    repository: Repository,
) -> None:
    host = Host(repository)
    with pytest.raises(InvalidType, match=r"^org_id: must be a str, got "):
        host.service.decide([], {"runs": 1})  # type: ignore[arg-type]
    with pytest.raises(InvalidValue, match=r"^org_id: must not be empty"):
        host.service.decide("", {"runs": 1})


def test_the_terms_of_many_orgs_are_known_and_those_of_more_found_anew(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("overages.service.quotas._MANY", 1)
    host = Host(repository)
    repository.put_account(Account(THEIRS, "starter", FEB.start))
    host.use(runs=99)
    for _ in range(2):
        assert host.decide(runs=2).verdict == "deny"
        assert host.service.decide(THEIRS, {"runs": 2}).verdict == "allow"


def test_requests_for_other_metrics_are_decided_by_the_usage_of_those(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("overages.readings.quota_inputs._FEW", 1)
    host = Host(repository)
    host.use(runs=99)
    host.use(calls=7)
    for _ in range(2):
        both, calls = host.decide(runs=1, calls=1), host.decide(calls=1)
        assert [limit.used for limit in both.limits] == [99, 99, 7]
        assert [limit.used for limit in calls.limits] == [7]
        assert host.service.decide(OURS, {"runs": 1}, stop_at=["grants"]).verdict == "deny"
