"""Terms of the org's own in a settlement: discounts and bounds beside a plan's, and trials."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from tests.settled import DOLLAR, FEB, JAN, MAR, YEAR, day, ran, runs

from overages import (
    Account,
    Allowance,
    Balance,
    Commitment,
    Discount,
    Grant,
    Money,
    Period,
    PerUnit,
    Plan,
    Settlement,
    Statement,
    Tier,
    Usage,
    Volume,
    calculate,
    settle,
)
from overages._ground.value import evolve
from overages.codec import decode, encode
from overages.errors import CurrencyMismatch, OveragesError
from overages.lines.part import StatementPart
from overages.terms.terms import OwnTerms

FIRST, SECOND = MAR.split(day(16))
RUNS = Allowance(0, DOLLAR)
PLAN = Plan("p", "USD", {"runs": RUNS, "jobs": RUNS})


def usd(amount: Any) -> Money:
    return Money.of(amount, "USD")


def settled(account: Account, used: Any, plan: Plan = PLAN, **named: Any) -> Settlement:
    """Settle March: runs of all of it, or of each of its two parts."""
    each = (sum(used), *used) if isinstance(used, tuple) else (used,)
    times = (MAR, FIRST, SECOND)
    usages = [runs(units, time) for units, time in zip(each, times, strict=False)]
    settlement = settle(account, {plan.slug: plan}, MAR, usages, **named)
    statement = settlement.statement
    assert decode(encode(statement), Statement) == statement
    assert statement.total.minor == sum(line.cost.minor for line in statement.lines)
    return settlement


def adjusted(settlement: Settlement) -> list[tuple[str | None, str, int]]:
    lines = settlement.statement.adjustments
    return [(line.metric, line.line, line.cost.minor) for line in lines]


def account_of(**own: Any) -> Account:
    return Account("org-1", "p", JAN.start, **own)


def on_trial_until(instant: datetime = SECOND.start, **own: Any) -> Account:
    return account_of(status="trial", **own).changed(since=instant, status="active")


# Discounts and bounds


def test_they_are_applied_after_all_of_the_plan_and_before_credits() -> None:
    plan = evolve(
        PLAN, discounts=[Discount("launch", percent=50)], maximum=usd(60), minimum=usd(40)
    )
    discounts = [Discount("gift", amount=usd(10)), Discount("partner", percent=10)]
    account = account_of(discounts=discounts, maximum=usd(35), minimum=usd(30))
    money = Grant("g", usd(5), effective_at=JAN.start)
    assert adjusted(settled(account, 200, plan, grants=[money])) == [
        (None, "discount:launch", -10_000),
        (None, "maximum", -4_000),
        (None, "own_discount:partner", -600),
        (None, "own_discount:gift", -1_000),
        (None, "own_maximum", -900),
        (None, "credit:g", -500),
    ]
    assert adjusted(settled(account, 20, plan)) == [
        (None, "discount:launch", -1_000),
        (None, "minimum", 3_000),
        (None, "own_discount:partner", -400),
        (None, "own_discount:gift", -1_000),
        (None, "own_minimum", 400),
    ]


def test_a_minimum_of_its_own_waits_for_the_end_of_the_period() -> None:
    account = account_of(minimum=usd(30))
    assert adjusted(settled(account, 20, ended=False)) == []
    assert adjusted(settled(account, 20)) == [(None, "own_minimum", 1_000)]
    assert adjusted(settled(account, 0)) == [(None, "own_minimum", 3_000)]


def test_they_cut_no_metric_and_stay_one_rule_where_they_stay_the_same() -> None:
    account = account_of(minimum=usd(31), maximum=usd(62))
    cut = account.changed(since=SECOND.start, maximum=usd(93)).changed(since=day(20), plan="p")
    settlement = settled(cut, 100)
    assert [line.part for line in settlement.statement.of("runs")] == [None]
    assert [part.own.maximum for part in settlement.statement.parts] == [usd(62), usd(93)]
    assert adjusted(settlement) == [
        (None, "own_maximum", -10_000 + 6_200 * 15 // 31 + 9_300 * 16 // 31)
    ]
    assert adjusted(settled(cut, 1)) == [(None, "own_minimum", 3_000)]


@pytest.mark.parametrize(
    ("proration", "due"), [("days", 31 * 16), ("seconds", 31 * 16), ("full", 31 * 31)]
)
def test_a_short_period_has_its_share_by_the_plans_proration(proration: Any, due: int) -> None:
    account = Account("org-1", "p", SECOND.start, minimum=usd("9.61"))
    plan = evolve(PLAN, proration=proration)
    settlement = settle(account, {"p": plan}, SECOND, Usage("org-1", SECOND, {}))
    assert settlement.statement.total.minor == due


def test_they_are_in_the_currency_of_the_plan() -> None:
    account = account_of().changed(since=day(12), minimum=Money(5, "EUR"))
    with pytest.raises(CurrencyMismatch, match=r"^own\.minimum: USD and EUR") as caught:
        settled(account, 5)
    assert caught.value.path == ("own", "minimum")


def test_a_part_of_which_nothing_changed_is_none() -> None:
    account = account_of(minimum=usd(5)).changed(since=day(12), status="past_due")
    assert len(settled(account, 5).statement.parts) == 1


# Trials


def test_a_trial_is_priced_and_taken_off_by_metric() -> None:
    account = account_of(status="trial")
    usage = Usage("org-1", MAR, {"runs": 5, "jobs": 2})
    statement = settle(account, {"p": PLAN}, MAR, usage).statement
    assert statement.overages == calculate(PLAN, usage).overages
    assert [(line.metric, line.line, line.cost.minor) for line in statement.adjustments] == [
        ("runs", "trial", -500),
        ("jobs", "trial", -200),
    ]
    assert statement.total.minor == 0
    assert "trial: 5.00 USD -> 0.00 USD" in statement.explain()


def test_where_nothing_is_due_a_trial_has_no_line() -> None:
    settlement = settled(
        account_of(status="trial"), 5, evolve(PLAN, allowances={"runs": Allowance(9, DOLLAR)})
    )
    assert adjusted(settlement) == []
    assert settlement.statement.own.trial


def test_a_trial_cuts_each_metric_and_takes_off_each_line_as_it_was_rounded() -> None:
    plan = evolve(PLAN, allowances={"runs": Allowance(0, PerUnit("0.005"))}, rounding="up")
    settlement = settled(on_trial_until(), (3, 1), plan)
    assert [line.part for line in settlement.statement.of("runs")] == [FIRST, SECOND]
    assert adjusted(settlement) == [("runs", "trial", -2)]
    assert settlement.statement.total.minor == 1


def test_time_on_trial_counts_towards_no_minimum_or_commitment() -> None:
    allowance = Allowance(0, DOLLAR, commitment=Commitment(usd(62)), minimum=usd("93"))
    plan = evolve(PLAN, allowances={"runs": allowance}, minimum=usd(124))
    settlement = settled(on_trial_until(minimum=usd(155)), (100, 10), plan)
    assert adjusted(settlement) == [
        ("runs", "trial", -10_000),
        ("runs", "commitment", 2_200),
        ("runs", "minimum", 1_600),
        (None, "minimum", 1_600),
        (None, "own_minimum", 1_600),
    ]
    on_trial = settled(account_of(status="trial", minimum=usd(155)), 100, plan)
    assert on_trial.statement.total.minor == 0


def test_a_maximum_and_a_voucher_are_for_a_period_with_a_trial_in_it_too() -> None:
    plan = evolve(PLAN, discounts=[Discount("voucher", amount=usd(31))], maximum=usd(93))
    assert adjusted(settled(on_trial_until(), (500, 150), plan)) == [
        ("runs", "trial", -50_000),
        (None, "discount:voucher", -3_100),
        (None, "maximum", -2_600),
    ]


def test_a_trial_draws_on_no_grant_and_leaves_it_whole() -> None:
    grants = [
        Grant("units", 30, metric="runs", effective_at=MAR.start),
        Grant("money", usd(4), metric="runs", effective_at=MAR.start),
        Grant("any", usd(5), effective_at=MAR.start),
        Grant("short", 9, metric="runs", effective_at=MAR.start, expires_at=day(10)),
    ]
    settlement = settled(on_trial_until(), (20, 35), grants=grants, events=[ran(20, 5, MAR)])
    assert [line.limit for line in settlement.statement.of("runs")] == [0, 30]
    assert adjusted(settlement) == [
        ("runs", "trial", -2_000), (None, "credit:any", -500),
    ]  # fmt: skip
    left = settled(account_of(status="trial"), 50, grants=grants[:3])
    assert left.statement.total.minor == 0
    assert [state.left for each in left.burndowns for state in each.grants] == [30, 4, 5]


def test_a_fee_without_units_is_taken_off_too() -> None:
    fee = Volume([Tier(None, flat=31)], flat_at_zero=True)
    plan = evolve(PLAN, allowances={"runs": Allowance(0, fee)})
    settlement = settled(on_trial_until(), (0, 0), plan)
    assert adjusted(settlement) == [("runs", "trial", -1_500)]
    assert settlement.statement.total.minor == 1_600


def test_lines_on_trial_that_give_money_back_are_taken_off_likewise() -> None:
    price = Volume([Tier(10, price=2), Tier(None, price=1)])
    plan = evolve(PLAN, allowances={"runs": Allowance(0, price, included_for=YEAR)})
    account = account_of().changed(since=FEB.start, status="trial")
    january = settle(account, {"p": plan}, JAN, runs(10))
    february = settle(account, {"p": plan}, FEB, runs(1, FEB), january.balance)
    assert january.statement.total == usd(20)
    assert [line.cost for line in february.statement.lines] == [usd(-9), usd(9)]


def test_a_trial_may_take_off_more_than_all_lines_come_to() -> None:
    price = Volume([Tier(10, price=2), Tier(None, price=1)])
    plan = evolve(PLAN, allowances={"runs": Allowance(0, price, included_for=YEAR)})
    tenth = day(10, FEB)
    account = account_of().changed(since=FEB.start, status="trial")
    account = account.changed(since=tenth, status="active")
    january = settle(account, {"p": plan}, JAN, runs(5))
    times = (FEB, *FEB.split(tenth))
    usages = [runs(units, time) for units, time in zip((7, 5, 2), times, strict=True)]
    statement = settle(account, {"p": plan}, FEB, usages, january.balance).statement
    assert [line.cost for line in statement.lines] == [usd(10), usd(-8), usd(-10)]
    assert decode(encode(statement), Statement) == statement


def test_counters_that_go_on_from_a_trial_price_nothing_of_it_again() -> None:
    account = account_of(status="trial", limits={"runs": 50})
    account = account.changed(since=SECOND.start, status="active", counters="continue")
    settlement = settled(account, (60, 10))
    assert [line.limit for line in settlement.statement.of("runs")] == [50, 0]
    assert settlement.statement.total == usd(10)


# Read again


BILL = settled(
    on_trial_until(
        discounts=[Discount("partner", percent=10)], minimum=usd(155), maximum=usd(2_000)
    ),
    (100, 50),
).statement


def faults(lines: Any = BILL.lines, own: OwnTerms = BILL.own, **named: Any) -> list[str]:
    """Return the faults of another statement of the same period and plan."""
    parts = {"earlier_parts": BILL.earlier_parts, **named}
    with pytest.raises(OveragesError) as caught:
        Statement("org-1", MAR, PLAN, lines, BILL.unused, own=own, **parts)
    return [str(error) for error in caught.value.errors]


def test_a_statement_is_made_again_of_its_lines() -> None:
    again = Statement("org-1", MAR, PLAN, BILL.lines, BILL.unused, BILL.earlier_parts, own=BILL.own)
    assert (again, hash(again)) == (BILL, hash(BILL))
    assert [line.line for line in BILL.adjustments] == [
        "trial", "own_discount:partner", "own_minimum",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("place", "told"),
    [
        (2, "lines: must have the org's trial: 150.00 USD -> 50.00 USD, got 'runs.trial'"),
        (3, "lines: must have the org's own discount partner: 50.00 USD -> 45.00 USD, got "),
    ],
)
def test_no_rule_of_the_org_is_left_out(place: int, told: str) -> None:
    assert faults([*BILL.lines[:place], *BILL.lines[place + 1 :]])[0].startswith(told)


@pytest.mark.parametrize("place", [2, 3, 4])
def test_each_is_of_the_amount_that_it_makes(place: int) -> None:
    lines: list[Any] = list(BILL.lines)
    lines[place] = evolve(
        lines[place], cost=lines[place].cost + Money(-1 if place < 4 else 1, "USD")
    )
    (fault,) = faults(lines)[:1]
    assert fault.startswith(f"lines[{place}].cost: must be ")
    assert ", by the org's rule, got " in fault


def test_without_the_terms_that_made_them_the_lines_are_refused() -> None:
    told = "must be by a rule of the plan or the org"
    assert "must be left out: its rule" in faults(own=evolve(BILL.own, discounts=()))[0]
    assert told in faults(own=evolve(BILL.own, minimum=None))[0]
    untried = [StatementPart(FIRST, PLAN, evolve(BILL.own, trial=False))]
    assert any(
        "must be by a rule of the plan or the org" in each for each in faults(earlier_parts=untried)
    )
    assert faults(own=evolve(BILL.own, minimum=Money(5, "EUR"), maximum=None))[0].startswith(
        "own.minimum: "
    )


def test_a_line_spans_no_trial_that_ends_in_it() -> None:
    whole: list[Any] = [evolve(BILL.overages[0], part=None, used=150, cost=usd(150))]
    assert faults(whole)[0].startswith("lines.runs.part: must lie in parts of the period in which")


def test_a_true_up_may_be_left_out_while_the_period_runs() -> None:
    lines = [line for line in BILL.lines if line.line != "own_minimum"]
    again = Statement("org-1", MAR, PLAN, lines, BILL.unused, BILL.earlier_parts, own=BILL.own)
    assert again.total == usd(45)


def test_a_trial_of_a_short_period_is_told_with_it() -> None:
    account = Account("org-1", "p", SECOND.start, status="trial")
    period = Period(SECOND.start, MAR.end)
    statement = settle(account, {"p": PLAN}, period, runs(5, period), Balance()).statement
    assert decode(encode(statement), Statement) == statement
    assert b'"own":{"trial":true}' in encode(statement)
