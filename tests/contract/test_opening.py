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
    Money,
    OverageService,
    Period,
    PerUnit,
    Plan,
    Repository,
    Settlement,
    Usage,
    UsageEvent,
    aggregate,
    calculate,
    evolve,
    settle,
)
from overages.errors import (
    InvalidType,
    InvalidValue,
    InvalidValues,
    NoTerms,
    OveragesError,
    PeriodClosed,
    RecordConflict,
    UnknownPlan,
)
from overages.grants.burndown import Burndown
from overages.grants.state import Draw, GrantState
from overages.terms.carry_over import CarriedUnits
from overages.testing.contract.base import nothing_written

ACME: Final = "acme"
JAN, FEB, MAR = (Period.month(2024, month) for month in (1, 2, 3))
YEAR_BEFORE: Final = Period.parse("2023-01-01/2024-01-01")
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
    account = host.repository.account(ACME)
    assert account is not None
    host.repository.put_account(account.changed(since=FEB.start, cycle=Cycle.monthly(day=10)))
    with nothing_written(host.repository):
        assert host.service.put_opening_balance(ACME, LEFT) == closing


def test_another_balance_takes_its_place_until_a_period_is_closed(host: Host) -> None:
    host.service.put_opening_balance(ACME, LEFT)
    host.use("runs", 170, day(2, 3))
    fewer = Balance({"runs": [CarriedUnits(50, JAN)]})
    assert host.service.put_opening_balance(ACME, fewer).period == JAN
    assert host.due(FEB) == "20.00"
    host.now = day(3, 2)
    host.service.close(ACME, FEB)
    with (
        nothing_written(host.repository),
        pytest.raises(PeriodClosed, match=r"closed since .*, and an opening balance comes first"),
    ):
        host.service.put_opening_balance(ACME, LEFT)
    assert host.service.put_opening_balance(ACME, fewer).balance == fewer
    assert host.repository.verify(ACME) == 4


def test_an_org_that_has_a_closed_period_starts_no_more(host: Host) -> None:
    host.now = day(3, 2)
    host.service.close(ACME, FEB)
    with (
        nothing_written(host.repository),
        pytest.raises(PeriodClosed, match="and an opening balance comes first"),
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
        "balance.used[0].org_id: must be that of the account, 'acme', got 'other'",
        "balance.burndowns[0].grants[0].grant_id: must be of a grant that was put: put_grant comes"
        " first, got 'g'",
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
            "period: must not start before the balance's periods end, 2024-03-01T",
        ),
        (
            Balance({"calls": [CarriedUnits(1, JAN)]}),
            "balance.carried.calls: must be a metric that carries units over, got 'calls'",
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
            Balance(used=[Usage(ACME, FEB, {"calls": 1})]),
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


def state(grant: str = "g", granted: int = 50, **numbers: Any) -> GrantState:
    return GrantState(grant, granted, **{"filled_at": JAN.start, **numbers})


def runs(*states: GrantState, at: datetime = FEB.start, **numbers: Any) -> Balance:
    return Balance(burndowns=[Burndown(at, "runs", grants=states, **numbers)])


@pytest.mark.parametrize(
    ("balance", "problem"),
    [
        (
            runs(state(drawn=9), draws=[Draw("g", day(1, 3), 9)]),
            "burndowns[0]: must be closed: its draws and its overage are in an earlier bill",
        ),
        (runs(state(), overage=1), "burndowns[0]: must be closed"),
        (runs(state("h")), "grants[0].grant_id: must be of a grant that was put"),
        (
            runs(state("m")),
            "grants[0].grant_id: must be of a grant of the burndown's metric and currency, got 'm'",
        ),
        (
            runs(state("late")),
            "grants[0].grant_id: must be effective by 2024-02-01T00:00:00Z, got 'late'",
        ),
        (
            runs(state(filled_at=day(1, 2))),
            "grants[0].filled_at: must be when it was last filled, 2024-01-01T00:00:00Z,",
        ),
        (
            runs(state(granted=51, drawn=1)),
            "granted: must be at most 50, as if nothing had been drawn, got 51",
        ),
        (runs(state("old")), "left: must be at most 0, as if nothing had been drawn, got 50"),
        (
            runs(state(), at=day(2, 2)),
            "period: must not start before the balance's periods end, 2024-02-02T",
        ),
    ],
)
def test_a_grant_that_cannot_stand_so_is_refused(
    host: Host, balance: Balance, problem: str
) -> None:
    for grant in (
        GRANT,
        evolve(GRANT, id="m", amount=Money.of("50", "USD")),
        evolve(GRANT, id="late", effective_at=day(2, 2)),
        evolve(GRANT, id="old", expires_at=day(1, 20)),
    ):
        host.repository.put_grant(ACME, grant)
    with nothing_written(host.repository), pytest.raises(OveragesError) as caught:
        host.service.put_opening_balance(ACME, balance)
    assert problem in str(caught.value)


def test_a_grant_that_was_refilled_goes_on_from_its_last_refill(host: Host) -> None:
    monthly = evolve(GRANT, recurrence=Cycle.monthly(), effective_at=day(1, 1))
    host.repository.put_grant(ACME, monthly)
    filled = state(granted=100, drawn=30, expired=20, filled_at=FEB.start)
    host.service.put_opening_balance(ACME, runs(filled))
    host.use("runs", 160, day(2, 3))
    assert host.due(FEB) == "10.00"


def test_units_left_before_a_pause_between_the_systems_go_on(repository: Repository) -> None:
    repository.put_plan(PLAN)
    repository.put_account(Account(ACME, "p", since=MAR.start))
    service = OverageService(repository, clock=lambda: day(3, 20))
    service.put_opening_balance(ACME, LEFT)  # of January
    service.record_usage([UsageEvent(ACME, "runs", 170, day(3, 3))])
    statement = service.calculate(ACME)
    assert statement is not None
    assert f"{statement.total.amount:f}" == "10.00"


def test_a_year_that_is_over_does_not_matter(host: Host) -> None:
    december = Period.month(2023, 12)
    before = Account("new", "p", since=december.start)
    usage = Usage("new", december, {"runs": 20, "calls": 90})
    balance = settle(before, {"p": PLAN}, december, usage).balance
    assert [used.period for used in balance.used] == [YEAR_BEFORE]
    host.repository.put_account(Account("new", "p", since=JAN.start))
    host.service.put_opening_balance("new", balance)
    host.service.record_usage([UsageEvent("new", "calls", 1_200, day(1, 3))])
    statement = host.service.calculate("new", JAN)
    assert statement is not None
    assert statement.total.minor == 0


def test_what_was_charged_before_the_account_began_stands(host: Host) -> None:
    charged = calculate(PLAN, Usage(ACME, JAN, {"runs": 101}))
    host.repository.record(charged, created_at=day(2, 1))
    account = host.repository.account(ACME)
    assert account is not None
    host.repository.put_account(account.changed(since=day(2, 10), cycle=Cycle.monthly(day=10)))
    host.now = day(3, 12)
    assert [ended.error for ended in host.service.close_ended()] == [None, None]
    assert f"{aggregate(host.repository.records(ACME, JAN)).total.amount:f}" == "1.00"
    assert host.service.stale(ACME) == ()
    host.repository.put_account(Account("other", "p", since=FEB.start))
    of_other = calculate(PLAN, Usage("other", JAN, {"runs": 101}))
    host.repository.record(of_other, created_at=day(2, 1))
    with (
        nothing_written(host.repository),
        pytest.raises(RecordConflict, match="other: records: must not be there before"),
    ):
        host.service.put_opening_balance("other", LEFT)


def test_a_closed_time_that_is_no_period_of_the_account_stands_and_blocks_none(host: Host) -> None:
    odd = Period(day(6, 10), day(7, 10))
    charged = calculate(PLAN, Usage(ACME, odd, {"runs": 101}))
    host.repository.close_period(Settlement(charged, Balance()), closed_at=day(2, 1))
    account = host.repository.account(ACME)
    assert account is not None
    host.repository.put_account(account.changed(since=day(2, 10), cycle=Cycle.monthly(day=10)))
    host.now = day(3, 12)
    assert [ended.error for ended in host.service.close_ended()] == [None, None]
    assert f"{aggregate(host.repository.records(ACME, odd)).total.amount:f}" == "1.00"


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


def test_records_of_the_first_period_so_far_are_no_hindrance(host: Host) -> None:
    host.use("runs", 170, day(2, 3))
    host.service.recalculate(ACME)
    host.service.put_opening_balance(ACME, LEFT)
    host.service.recalculate(ACME)
    assert f"{aggregate(host.repository.records(ACME, FEB)).total.amount:f}" == "10.00"
