"""Held units count in the period and the part that they were reserved in, over every adapter."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from overages import (
    Account,
    Allowance,
    Budget,
    CarryOver,
    Cycle,
    Grant,
    Money,
    OverageService,
    PerUnit,
    Plan,
    Repository,
    Reservation,
)
from overages.errors import InvalidValue, QuotaExceeded
from overages.quotas.stops import StopAt
from overages.testing.contract.base import FEB, JAN, MAR, OURS, nothing_written

HOUR = timedelta(hours=1)
LATE = FEB.end - HOUR
UNTIL = MAR.start + timedelta(days=5)
FREE, FIVE_HUNDRED = Allowance(0, PerUnit(1)), Money.of(500, "USD")
BOTH = Plan("p", "USD", {"runs": FREE, "calls": FREE})
CALLS = Plan("q", "USD", {"calls": FREE})


class Org:
    """An org of a plan, or of several, one after another within February."""

    def __init__(self, repository: Repository, *plans: Plan) -> None:
        self.repository, self.now = repository, FEB.start + HOUR
        self.service = OverageService(repository, clock=lambda: self.now)
        for plan in plans:
            repository.put_plan(plan)
        repository.put_account(Account(OURS, plans[0].slug, since=JAN.start))

    def hold(self, key: str, stop_at: Iterable[StopAt] = (), **units: Any) -> Reservation:
        return self.service.reserve(OURS, units, key=key, expires_at=UNTIL, stop_at=stop_at)

    def move(self, plan: str, **named: Any) -> None:
        """Change the plan in the middle of February, and go on to its 20th day."""
        account = self.repository.account(OURS)
        assert account is not None
        tenth = FEB.start + timedelta(days=9)
        self.repository.put_account(account.changed(since=tenth, plan=plan, **named))
        self.now = tenth + timedelta(days=10)

    def bill(self) -> Money:
        statement = self.service.calculate(OURS)
        assert statement is not None
        return statement.total

    def held(self, **requested: Any) -> list[tuple[Any, ...]]:
        limits = self.service.decide(OURS, requested).limits
        return [(each.kind, each.limit, each.used, each.held, each.remaining) for each in limits]


@pytest.mark.parametrize(
    ("allowance", "most", "limit"),
    [
        (Allowance(100, PerUnit(1), included_for=Cycle.calendar("year")), 100, 100),
        (Allowance(100, PerUnit(1), carry_over=CarryOver(expires_after=1)), 200, 300),
    ],
    ids=["year", "carried"],
)
def test_a_hold_of_an_earlier_period_uses_up_what_spans_both(
    repository: Repository, allowance: Allowance, most: int, limit: int
) -> None:
    org = Org(repository, Plan("p", "USD", {"runs": allowance}))
    org.now = LATE
    org.hold("a", ["limit"], runs=most)
    org.now = MAR.start + HOUR
    left = 100 if limit == 300 else 0
    rest = 200 if limit == 300 else 100
    assert org.held(runs=1) == [("included", rest, 0, rest - left, left)]
    with nothing_written(repository), pytest.raises(QuotaExceeded):
        org.hold("b", ["limit"], runs=left + 1)
    org.hold("b", ["limit"], runs=left)
    for key in ("a", "b"):
        org.service.commit(OURS, key)
    assert org.bill() == Money(0, "USD")


@pytest.mark.parametrize("size", [100, Money.of(100, "USD")], ids=["units", "money"])
def test_a_hold_of_an_earlier_period_draws_on_grants(
    repository: Repository, size: int | Money
) -> None:
    org = Org(repository, Plan("p", "USD", {"runs": FREE}))
    metric = None if isinstance(size, Money) else "runs"
    repository.put_grant(OURS, Grant("g", size, metric=metric, effective_at=JAN.start))
    stop_at: list[StopAt] = ["grants"] if metric is None else ["limit"]
    org.now = LATE
    org.hold("a", stop_at, runs=60)
    org.now = MAR.start + HOUR
    with pytest.raises(QuotaExceeded):
        org.hold("b", stop_at, runs=41)
    org.hold("b", stop_at, runs=40)
    grants = [
        each for each in org.service.decide(OURS, {"runs": 0}).limits if each.kind == "grants"
    ]
    nothing = Money(0, "USD") if metric is None else 0
    assert [(each.limit, each.used, each.held, each.remaining) for each in grants] == [
        (size, nothing, size, nothing)
    ]
    for key in ("a", "b"):
        org.service.commit(OURS, key)
    assert org.bill() == Money(0, "USD")


def test_a_hold_draws_on_a_grant_that_was_there_when_it_was_made(repository: Repository) -> None:
    org = Org(repository, BOTH)
    grant = Grant("g", 100, metric="runs", effective_at=FEB.start + timedelta(days=9))
    repository.put_grant(OURS, grant)
    org.hold("a", runs=100, calls=1)
    org.hold("expired", runs=5)
    org.service.release(OURS, "expired")
    org.now = FEB.start + timedelta(days=20)
    granted = ("grants", 100, 0, 0, 100)
    assert org.held(runs=1) == [("included", 0, 0, 100, 0), granted]


def test_a_hold_is_priced_by_the_plan_of_its_time(repository: Repository) -> None:
    dear, cheap = (Plan(slug, "USD", {"runs": Allowance(0, PerUnit(n))}) for slug, n in
                   [("dear", 5), ("cheap", 1)])  # fmt: skip
    org = Org(repository, dear, cheap)
    org.service.put_budget(OURS, Budget(FIVE_HUNDRED, on_reached="stop_usage"))
    org.hold("a", runs=90)
    org.move("cheap")
    assert org.held(runs=1)[-1] == (
        "budget", FIVE_HUNDRED, Money(0, "USD"), Money.of(450, "USD"), Money.of(50, "USD"),
    )  # fmt: skip
    with pytest.raises(QuotaExceeded):
        org.hold("b", runs=51)
    org.hold("b", runs=50)
    for key in ("a", "b"):
        org.service.commit(OURS, key)
    assert org.bill() == FIVE_HUNDRED


def test_a_hold_of_a_metric_that_the_plan_knows_no_more_counts_in_its_own_part(
    repository: Repository,
) -> None:
    org = Org(repository, BOTH, CALLS)
    org.service.put_budget(OURS, Budget(FIVE_HUNDRED, on_reached="stop_usage"))
    org.hold("a", runs=400)
    org.move("q")
    with pytest.raises(QuotaExceeded):
        org.hold("b", calls=101)
    org.hold("b", calls=100)
    for key in ("a", "b"):
        org.service.commit(OURS, key)
    assert org.bill() == FIVE_HUNDRED


def test_a_hold_counts_nothing_where_no_plan_of_its_time_knows_its_metric(
    repository: Repository,
) -> None:
    org = Org(repository, BOTH, CALLS)
    repository.put_grant(OURS, Grant("g", 9, metric="runs", effective_at=JAN.start))
    org.hold("a", runs=400)
    account = repository.account(OURS)
    assert account is not None
    repository.put_account(account.changed(since=FEB.start, plan="q"))
    assert org.held(calls=1) == [("included", 0, 0, 0, 0)]


@pytest.mark.parametrize(("counters", "held"), [("restart", 0), ("continue", 90)])
def test_a_hold_is_beyond_limits_that_began_anew_after_it(
    repository: Repository, counters: str, held: int
) -> None:
    terms = {slug: Allowance(100, PerUnit(n), hard_limit=100) for slug, n in [("p", 1), ("q", 2)]}
    org = Org(repository, *(Plan(slug, "USD", {"runs": runs}) for slug, runs in terms.items()))
    org.hold("a", runs=90)
    org.move("q", counters=counters)
    included, hard = org.held(runs=1)
    assert included[3] == hard[3] == held
    org.service.commit(OURS, "a")
    assert [each[4] for each in org.held(runs=1)] == [included[4], hard[4]]


def test_a_grant_of_units_is_in_the_limit_that_stops(repository: Repository) -> None:
    org = Org(repository, Plan("p", "USD", {"runs": Allowance(10, PerUnit(1))}))
    repository.put_grant(OURS, Grant("g", 100, metric="runs", effective_at=JAN.start))
    decision = org.service.decide(OURS, {"runs": 50}, stop_at=["limit"])
    assert decision.verdict == "allow"
    assert [(each.remaining, each.stops) for each in decision.limits] == [(110, True), (100, False)]
    assert org.held(runs=50)[0] == ("included", 10, 0, 0, 10)
    org.hold("a", ["limit"], runs=105)
    decision = org.service.decide(OURS, {"runs": 6}, stop_at=["limit"])
    assert (decision.verdict, decision.limits[0].remaining) == ("deny", 5)
    crossing = org.service.decide(OURS, {"runs": 6}, stop_at=["limit"], on_passing="cross")
    assert crossing.verdict == "allow"


def test_a_level_is_not_reserved(repository: Repository) -> None:
    org = Org(repository, Plan("p", "USD", {"seats": Allowance(3, PerUnit(1), kind="level")}))
    problem = r"^org-1: requested\.seats: must be counted as a level, since a plan says"
    with nothing_written(repository), pytest.raises(InvalidValue, match=problem):
        org.hold("a", seats=1)


def test_a_commit_is_recorded_by_a_clock_that_was_set_back(repository: Repository) -> None:
    org = Org(repository, Plan("p", "USD", {"runs": FREE}))
    org.now = datetime(2024, 2, 20, tzinfo=UTC)
    org.hold("a", runs=7)
    org.now -= timedelta(days=10)
    committed = org.service.commit(OURS, "a")
    assert (committed.ended_at, committed.is_late) == (committed.reserved_at, False)
    assert repository.usage(OURS, FEB).quantities == {"runs": 7}
    assert org.service.commit(OURS, "a") == committed


def test_a_limit_that_is_named_twice_is_the_same_request(repository: Repository) -> None:
    org = Org(repository, Plan("p", "USD", {"runs": Allowance(9, PerUnit(1))}))
    held = org.hold("a", ["limit"], runs=7)
    assert org.hold("a", ["limit", "limit"], runs=7) == held
