"""Orgs that come from another system, with a balance, over every adapter."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

import pytest

from overages import (
    Account,
    Allowance,
    Balance,
    CarryOver,
    Cycle,
    Grant,
    OverageService,
    Period,
    PerUnit,
    Plan,
    Repository,
    Usage,
    UsageEvent,
    settle,
)
from overages.errors import (
    InvalidType,
    InvalidValue,
    InvalidValues,
    NoTerms,
    OveragesError,
    PeriodClosed,
    UnknownPlan,
)
from overages.terms.carry_over import CarriedUnits
from overages.testing.contract.base import nothing_written

ACME: Final = "acme"
JAN, FEB, MAR = (Period.month(2024, month) for month in (1, 2, 3))
YEAR: Final = Period.parse("2024-01-01/2025-01-01")
RUNS: Final = Allowance(100, PerUnit("1.00"), carry_over=CarryOver())
CALLS: Final = Allowance(1_200, PerUnit("1.00"), included_for=Cycle(JAN.start, unit="year"))
PLAN: Final = Plan("p", "USD", {"runs": RUNS, "calls": CALLS})
LEFT: Final = Balance({"runs": [CarriedUnits(60, JAN)]})
GRANT: Final = Grant("g", 50, metric="runs", effective_at=JAN.start)


class Host:
    """A host with a service that stands in February, and an org since then."""

    def __init__(self, repository: Repository) -> None:
        self.repository, self.now = repository, day(2, 20)
        self.service = OverageService(repository, clock=lambda: self.now)
        repository.put_plan(PLAN)
        self.sign()

    def sign(self, **terms: Any) -> None:
        self.repository.put_account(Account(ACME, "p", **{"since": FEB.start, **terms}))

    def use(self, metric: str, units: int, at: datetime) -> None:
        self.service.record_usage([UsageEvent(ACME, metric, units, at)])

    def due(self, period: Period) -> str:
        statement = self.service.calculate(ACME, period)
        assert statement is not None
        return f"{statement.total.amount:f}"


def day(month: int, number: int) -> datetime:
    return datetime(2024, month, number, tzinfo=UTC)


@pytest.fixture
def host(repository: Repository) -> Host:
    return Host(repository)


def test_units_that_were_left_over_go_on_here(host: Host) -> None:
    host.use("runs", 170, day(2, 3))
    assert host.due(FEB) == "70.00"
    assert host.service.put_opening_balance(ACME, LEFT).period == JAN
    assert host.due(FEB) == "10.00"
    settled = host.repository.settled(ACME, JAN)
    assert settled is not None
    assert (settled.statement.lines, settled.balance) == ((), LEFT)
    host.now = day(3, 2)
    (ended,) = host.service.close_ended()
    assert ended.recording is not None
    assert [f"{record.cost.amount:f}" for record in ended.recording.new] == ["10.00"]
    assert host.service.stale(ACME) == ()
    assert host.repository.verify(ACME) == 3
    with nothing_written(host.repository):
        assert host.service.put_opening_balance(ACME, LEFT).number == 1


def test_units_that_were_used_of_a_year_are_used_up_here(host: Host) -> None:
    balance = Balance(used=[Usage(ACME, YEAR, {"calls": 1_100})])
    host.service.put_opening_balance(ACME, balance)
    host.use("calls", 130, day(2, 3))
    assert host.due(FEB) == "30.00"


def test_grants_go_on_from_how_they_stood(host: Host) -> None:
    before = Account(ACME, "p", since=JAN.start)
    usage = Usage(ACME, JAN, {"runs": 140})
    settled = settle(before, {"p": PLAN}, JAN, usage, grants=[GRANT])
    host.repository.put_grant(ACME, GRANT)
    host.service.put_opening_balance(ACME, settled.balance)
    host.use("runs", 120, day(2, 3))
    assert host.due(FEB) == "10.00"  # 40 of the 50 were drawn


def test_the_same_balance_again_changes_nothing(host: Host) -> None:
    closing = host.service.put_opening_balance(ACME, LEFT)
    host.now = day(2, 21)
    with nothing_written(host.repository):
        assert host.service.put_opening_balance(ACME, LEFT) == closing
        with pytest.raises(PeriodClosed, match=r"2024-01-01 to 2024-02-01 UTC: is closed since"):
            host.service.put_opening_balance(ACME, Balance())


def test_an_org_that_has_a_closed_period_starts_no_more(host: Host) -> None:
    host.now = day(3, 2)
    host.service.close(ACME, FEB)
    with (
        nothing_written(host.repository),
        pytest.raises(PeriodClosed, match="and not by that balance"),
    ):
        host.service.put_opening_balance(ACME, LEFT)


def test_terms_change_as_ever_after_an_opening(host: Host) -> None:
    host.service.put_opening_balance(ACME, LEFT)
    account = host.repository.account(ACME)
    assert account is not None
    host.repository.put_account(account.changed(since=day(2, 10), cycle=Cycle.monthly(day=10)))
    host.now = day(3, 12)
    assert [ended.error for ended in host.service.close_ended()] == [None, None]
    assert host.service.stale(ACME) == ()


@pytest.mark.parametrize(
    ("terms", "expected"),
    [
        ({"since": day(2, 10)}, Period(FEB.start, day(2, 10))),
        ({"cycle": Cycle.monthly(day=15)}, Period(day(1, 15), FEB.start)),
        ({"plan_version": 1}, JAN),
    ],
)
def test_it_is_kept_for_the_time_before_the_account(
    repository: Repository, terms: dict[str, Any], expected: Period
) -> None:
    repository.put_plan(PLAN)
    repository.put_account(Account("new", "p", **{"since": FEB.start, **terms}))
    service = OverageService(repository, clock=lambda: day(2, 20))
    assert service.put_opening_balance("new", Balance()).period == expected


def test_a_balance_of_another_org_or_of_grants_that_were_not_put_is_refused(host: Host) -> None:
    before = Account("other", "p", since=JAN.start)
    usage = Usage("other", JAN, {"runs": 140, "calls": 5})  # of the year
    settled = settle(before, {"p": PLAN}, JAN, usage, grants=[GRANT])
    with nothing_written(host.repository), pytest.raises(InvalidValues) as caught:
        host.service.put_opening_balance(ACME, settled.balance)
    assert [str(error) for error in caught.value.errors] == [
        "balance.used[0].org_id: must be 'acme', got 'other'",
        "balance.burndowns: must tell of grants that were put: put_grant comes first, got 'g'",
    ]


@pytest.mark.parametrize(
    ("balance", "problem"),
    [
        (
            Balance({"rums": [CarriedUnits(1, JAN)]}),
            "balance.carried.rums: 'rums' is not in plan 'p', whose metrics are: runs, calls",
        ),
        (
            Balance({"runs": [CarriedUnits(1, JAN), CarriedUnits(1, FEB)]}),
            "balance.carried.runs[1].period: must be left by periods that end by 2024-02-01T",
        ),
        (
            Balance(used=[Usage(ACME, YEAR, {"call": 1})]),
            "balance.used[0].quantities.call: 'call' is not in plan 'p'",
        ),
        (
            Balance(covered=[Usage(ACME, YEAR, {"runs": 1})]),
            "balance.covered[0].period: must be the time that runs is included for, none, got",
        ),
        (
            Balance(used=[Usage(ACME, JAN, {"calls": 1})]),
            f"balance.used[0].period: must be the time that calls is included for, {YEAR}, got",
        ),
    ],
)
def test_a_balance_that_the_first_period_cannot_go_on_from_is_refused(
    host: Host, balance: Balance, problem: str
) -> None:
    with nothing_written(host.repository), pytest.raises(OveragesError) as caught:
        host.service.put_opening_balance(ACME, balance)
    assert problem in str(caught.value)


def test_nothing_starts_without_an_account_terms_or_a_plan(host: Host) -> None:
    wrong: Any = {}
    with pytest.raises(InvalidType, match=r"^balance: must be of type Balance"):
        host.service.put_opening_balance(ACME, wrong)
    with pytest.raises(UnknownPlan, match="must have an account"):
        host.service.put_opening_balance("nobody", LEFT)
    account = Account("gone", "p", since=FEB.start)
    host.repository.put_account(account.ended(at=FEB.start))
    with pytest.raises(NoTerms, match=r"gone: since: must be when the org has terms"):
        host.service.put_opening_balance("gone", LEFT)
    host.repository.put_account(Account("first", "p", since=datetime.min.replace(tzinfo=UTC)))
    with pytest.raises(InvalidValue, match=r"^first: since: must leave room for an opening"):
        host.service.put_opening_balance("first", LEFT)
    host.repository.put_account(Account("odd", "nowhere", since=FEB.start))
    with pytest.raises(UnknownPlan, match="nowhere"):
        host.service.put_opening_balance("odd", LEFT)
