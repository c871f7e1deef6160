"""A settlement of several parts: what is once in a period, grants, and the shares of short ones."""

from typing import Any

import pytest
from tests.accounts import account_with
from tests.settled import DOLLAR, FEB, JAN, MAR, day, in_parts, lines, runs

import overages
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
    Usage,
    UsageEvent,
    settle,
)
from overages.codec import decode, encode
from overages.errors import CurrencyMismatch, InvalidValue, UnknownPlan


def usd(amount: Any) -> Money:
    return Money.of(amount, "USD")


def plan(slug: str, price: Any = 1, included: Any = 0, other: Any = 1, **rules: Any) -> Plan:
    """Return a plan of runs, and of jobs at another price."""
    allowances = {"runs": Allowance(included, PerUnit(price)), "jobs": Allowance(0, PerUnit(other))}
    return Plan(slug, "USD", allowances, **rules)


def adjusted(settlement: Settlement) -> list[tuple[str | None, str, int]]:
    lines = settlement.statement.adjustments
    return [(line.metric, line.line, line.cost.minor) for line in lines]


def same_through_json(settlement: Settlement) -> Settlement:
    statement = settlement.statement
    assert decode(encode(statement), Statement) == statement
    assert statement.total.minor == sum(line.cost.minor for line in statement.lines)
    return settlement


# Once in a period


def test_a_voucher_is_given_once() -> None:
    voucher = [Discount("voucher", amount=usd(5))]
    plans = {1: plan("first", discounts=voucher), 12: plan("second", other=2, discounts=voucher)}
    so_far = in_parts(plans, {"runs": [30, 0]}, ended=False)
    assert so_far.statement.total == usd(25)
    found = same_through_json(in_parts(plans, {"runs": [30, 30]}))
    assert lines(found) == [(60, 0, 6_000)]
    assert adjusted(found) == [(None, "discount:voucher", -500)]
    assert found.statement.total == usd(55)


def test_a_voucher_of_one_part_is_its_share_of_that_parts_charges() -> None:
    voucher = [Discount("voucher", amount=usd(31))]
    plans = {1: plan("first", discounts=voucher), 12: plan("second", price=2)}
    found = same_through_json(in_parts(plans, {"runs": [30, 30]}))
    assert adjusted(found) == [(None, "discount:voucher", -1_100)]
    found = same_through_json(in_parts(plans, {"runs": [4, 30]}))
    assert adjusted(found) == [(None, "discount:voucher", -400)]


def test_a_maximum_bounds_all_parts_together() -> None:
    maximum = usd(100)
    plans = {1: plan("first", maximum=maximum), 12: plan("second", price=2, maximum=maximum)}
    found = same_through_json(in_parts(plans, {"runs": [200, 200]}))
    assert found.statement.total == maximum
    assert adjusted(found) == [(None, "maximum", -50_000)]


def test_a_maximum_of_a_metric_is_of_its_share_where_one_part_has_it() -> None:
    bounded = Allowance(0, DOLLAR, maximum=usd(31))
    plans = {1: Plan("first", "USD", {"runs": bounded}), 12: Plan("p", "USD", {"runs": priced(2)})}
    found = same_through_json(in_parts(plans, {"runs": [20, 20]}))
    assert adjusted(found) == [("runs", "maximum", -900)]  # 20.00 down to 11.00


def priced(price: Any) -> Allowance:
    return Allowance(0, PerUnit(price))


def test_a_minimum_is_the_sum_of_its_shares_and_due_once_the_period_is_over() -> None:
    plans = {1: plan("first", minimum=usd(31)), 12: plan("second", price=2, minimum=usd(62))}
    assert adjusted(in_parts(plans, {"runs": [1, 1]}, ended=False)) == []
    found = same_through_json(in_parts(plans, {"runs": [1, 1]}))
    assert adjusted(found) == [(None, "minimum", 5_100 - 300)]  # 11.00 and 40.00


def test_a_minimum_of_a_running_period_waits_for_its_end() -> None:
    terms = plan("p", minimum=usd(100))
    account = Account("org-1", "p", since=JAN.start)
    totals = [
        settle(account, {"p": terms}, FEB, runs(30, FEB), ended=ended).statement.total
        for ended in (False, True)
    ]
    assert totals == [usd(30), usd(100)]


def test_a_percentage_is_of_what_its_part_is_due() -> None:
    plans = {
        1: plan("first", discounts=[Discount("launch", percent=50)]),
        12: plan("second", price=2, discounts=[Discount("launch", percent=10)]),
        20: plan("third", price=3),
    }
    found = same_through_json(in_parts(plans, {"runs": [10, 10, 10]}))
    assert adjusted(found) == [(None, "discount:launch", -700)]  # 5.00 and 2.00
    plans = {n: plan(f"p{n}", price=n, discounts=[Discount("all", percent=100)]) for n in (1, 12)}
    assert in_parts(plans, {"runs": [3, 3]}).statement.total == usd(0)


def test_rules_of_parts_go_on_from_what_was_taken_off_each() -> None:
    half = [Discount("half", percent=50)]
    plans = {
        1: plan("first", discounts=half, maximum=usd(31)),
        12: plan("second", price=2, discounts=half),
    }
    found = same_through_json(in_parts(plans, {"runs": [30, 30]}))
    # 15.00 are left of the first part, which costs 11.00 at most.
    assert adjusted(found) == [(None, "discount:half", -4_500), (None, "maximum", -400)]


def test_a_rule_that_raises_parts_without_charges_is_theirs_by_its_worth() -> None:
    plans = {
        1: plan("first", minimum=usd(31), discounts=[Discount("d", percent=10)]),
        12: plan("second", price=2, minimum=usd(31)),
    }
    assert adjusted(in_parts(plans, {"runs": [0, 0]})) == [(None, "minimum", 3_100)]


def test_a_commitment_is_the_sum_of_its_shares() -> None:
    first, second = [
        Allowance(0, PerUnit(price), commitment=Commitment(usd(31), overage_factor=2))
        for price in (1, 2)
    ]
    plans = {1: Plan("a", "USD", {"runs": first}), 12: Plan("b", "USD", {"runs": second})}
    assert adjusted(same_through_json(in_parts(plans, {"runs": [10, 5]}))) == [
        ("runs", "commitment", 1_100)
    ]
    assert adjusted(same_through_json(in_parts(plans, {"runs": [31, 5]}))) == [
        ("runs", "commitment", 1_000)
    ]


UNSUMMED: list[Any] = ["full", "days_inclusive", "wall_clock_days"]
"""Prorations whose parts come to more than the whole."""


def with_limit(terms: Plan, metric: str, runs: int = 30) -> Settlement:
    """Settle a March in whose midst the limit of a metric changes."""
    account = Account("org-1", terms.slug, since=JAN.start)
    account = account.changed(since=day(12), limits={metric: 1_000})
    times = [MAR, *(part for part, _ in account.parts(MAR))]
    usages = [
        Usage("org-1", time, {"runs": n}) for time, n in zip(times, [runs, 0, runs], strict=True)
    ]
    return same_through_json(settle(account, {terms.slug: terms}, MAR, usages))


@pytest.mark.parametrize("proration", UNSUMMED)
@pytest.mark.parametrize(
    ("rules", "total"),
    [
        ({"minimum": usd(100)}, 100),
        ({"maximum": usd(20)}, 20),
        ({"discounts": [Discount("voucher", amount=usd(5))]}, 25),
    ],
)
def test_a_plans_rule_is_whole_where_an_unrelated_limit_changes(
    proration: Any, rules: Any, total: int
) -> None:
    terms = plan("same", proration=proration, **rules)
    assert with_limit(terms, "jobs").statement.total == usd(total)


@pytest.mark.parametrize("proration", UNSUMMED)
@pytest.mark.parametrize(
    ("rules", "total"),
    [
        ({"minimum": usd(100)}, 100),
        ({"maximum": usd(20)}, 20),
        ({"discounts": [Discount("voucher", amount=usd(5))]}, 25),
        ({"commitment": Commitment(usd(80))}, 80),
        ({"commitment": Commitment(quantity=70)}, 70),
    ],
)
def test_a_metrics_rule_is_whole_where_its_own_limit_changes(
    proration: Any, rules: Any, total: int
) -> None:
    allowance = Allowance(0, DOLLAR, proration=proration, **rules)
    terms = Plan("same", "USD", {"runs": allowance})
    account = Account("org-1", "same", since=JAN.start, limits={"runs": 5})
    account = account.changed(since=day(12), drop_limits=["runs"])
    usages = [
        runs(n, time) for n, time in zip([30, 0, 30], [MAR, *MAR.split(day(12))], strict=True)
    ]
    found = same_through_json(settle(account, {"same": terms}, MAR, usages))
    assert len(found.statement.of("runs")) == 2
    assert found.statement.total == usd(total)


def test_a_rule_that_stays_needs_no_share_of_a_period() -> None:
    terms = plan("same", proration="refused", minimum=usd(100))
    assert with_limit(terms, "jobs").statement.total == usd(100)
    plans = {1: terms, 12: plan("other", other=2, proration="refused", minimum=usd(90))}
    with pytest.raises(InvalidValue, match="proration is refused"):
        in_parts(plans, {"runs": [0, 0]})


@pytest.mark.parametrize(
    ("minimums", "whole"),
    [
        ([100, 100, 100], 100),
        ([100, 90, 90], 190),
        ([100, None, 100], 200),
    ],
)
def test_a_rule_is_joined_where_it_stays_the_same_without_a_break(
    minimums: list[Any], whole: int
) -> None:
    plans = {
        start: plan(f"p{start}", other=start, proration="full", minimum=minimum and usd(minimum))
        for start, minimum in zip([1, 12, 20], minimums, strict=True)
    }
    assert in_parts(plans, {"runs": [0, 0, 0]}).statement.total == usd(whole)


def test_a_rule_is_joined_only_under_one_proration() -> None:
    rules: list[Any] = ["full", "days"]
    plans = {
        start: plan(f"p{start}", proration=rule, minimum=usd(31))
        for start, rule in zip([1, 12], rules, strict=True)
    }
    assert in_parts(plans, {"runs": [0, 0]}).statement.total == usd(31 + 20)


def test_a_metrics_rule_is_not_joined_over_a_time_without_the_metric() -> None:
    allowance = Allowance(0, DOLLAR, proration="full", minimum=usd(100))
    plans = {
        1: Plan("first", "USD", {"runs": allowance}),
        12: Plan("second", "USD", {}),
        20: Plan("third", "USD", {"runs": allowance}),
    }
    assert in_parts(plans, {"runs": [0, 0, 0]}).statement.total == usd(200)


def test_a_joined_rule_is_attributed_to_its_parts_by_their_time() -> None:
    minimum: dict[str, Any] = {"proration": "full", "minimum": usd(31)}
    tenth = [Discount("d", percent=10)]
    plans = {
        1: Plan("a", "USD", {"runs": Allowance(0, DOLLAR, **minimum)}, discounts=tenth),
        12: Plan("b", "USD", {"runs": Allowance(1, DOLLAR, **minimum)}),
    }
    assert adjusted(in_parts(plans, {"runs": [0, 0]})) == [
        ("runs", "minimum", 3_100),
        (None, "discount:d", -110),
    ]


def test_a_discount_of_one_name_is_of_one_kind_in_all_parts() -> None:
    plans = {
        1: plan("first", discounts=[Discount("spring", percent=50)]),
        12: plan("second", discounts=[Discount("spring", amount=usd(5))]),
    }
    with pytest.raises(InvalidValue, match=r"discounts\.spring: must be percentages in all parts"):
        in_parts(plans, {"runs": [1, 1]})


def test_a_period_that_ends_early_has_its_share_of_all() -> None:
    """The org ends on 20 March: a minimum of 31.00 for 19 of 31 days, and nothing from then on."""
    terms = plan("p", included=310, minimum=usd(31))
    account = Account("org-1", "p", since=JAN.start).ended(at=day(20))
    period = account.period_at(day(5))
    found = same_through_json(settle(account, {"p": terms}, period, runs(10, period)))
    assert found.statement.total == usd(19)
    assert found.statement["runs"].limit == 190
    assert list(account.periods(day(20), day(31))) == []


# Grants


def paid_by_grants(settlement: Settlement) -> list[int]:
    return [cost for _, line, cost in adjusted(settlement) if line.startswith("credit")]


@pytest.mark.parametrize(
    ("prices", "used"), [((1, "0.1"), (100, 1_500)), (("0.1", 1), (1_000, 150))]
)
def test_a_grant_pays_once_for_what_it_holds_whatever_a_plan_costs_later(
    prices: Any, used: Any
) -> None:
    account = Account("org-1", "p0", since=JAN.start).changed(since=FEB.start, plan="p1")
    plans = {f"p{n}": plan(f"p{n}", price) for n, price in enumerate(prices)}
    prepaid = [Grant("prepaid", usd(150), effective_at=JAN.start)]
    january = settle(account, plans, JAN, runs(used[0]), grants=prepaid)
    february = settle(account, plans, FEB, runs(used[1], FEB), january.balance, grants=prepaid)
    assert (january.statement.total, february.statement.total) == (usd(0), usd(100))
    assert paid_by_grants(january) + paid_by_grants(february) == [-10_000, -5_000]


def month_by_month(terms: Plan, used: Any, grants: Any) -> list[int]:
    account, balance, totals = Account("org-1", terms.slug, since=JAN.start), Balance(), []
    for n, (units, known) in enumerate(zip(used, grants, strict=True), 1):
        usage = runs(units, Period.month(2024, n))
        found = settle(account, {terms.slug: terms}, usage.period, usage, balance, grants=known)
        balance = found.balance
        totals.append(found.statement.total.minor)
    return totals


def test_late_units_of_a_closed_period_spend_nothing() -> None:
    prepaid = [Grant("prepaid", usd(100), effective_at=JAN.start)]
    assert month_by_month(plan("p", "0.1"), [400, 600], [prepaid, prepaid]) == [0, 0]


def test_a_grant_that_is_known_late_pays_from_the_first_open_period_on() -> None:
    late = Grant("credit", usd(50), effective_at=FEB.start)
    assert month_by_month(plan("p"), [0, 50, 50], [[], [], [late]]) == [0, 5_000, 0]


def test_what_is_left_of_a_grant_pays_by_the_prices_of_its_time() -> None:
    prepaid = [Grant("prepaid", usd(100), effective_at=FEB.start)]
    account = Account("org-1", "a", since=FEB.start).changed(since=MAR.start, plan="b")
    plans = {"a": plan("a", "0.3"), "b": plan("b", "0.8")}
    february = settle(account, plans, FEB, runs(100, FEB), grants=prepaid)
    march = settle(account, plans, MAR, runs(100, MAR), february.balance, grants=prepaid)
    assert march.statement.total == usd(10)


def test_units_are_granted_at_the_instants_of_use_beside_a_metric_that_has_no_limit() -> None:
    allowances = {"calls": Allowance(0, PerUnit("0.1")), "users": Allowance(None, DOLLAR)}
    terms = Plan("p", "USD", allowances)
    pack = Grant(
        "pack", 100, metric="calls", effective_at=FEB.start, expires_at=FEB.start.replace(day=10)
    )
    event = UsageEvent("org-1", "calls", 100, FEB.start.replace(day=3))
    usage = Usage("org-1", FEB, {"calls": 100, "users": 7})
    account = Account("org-1", "p", since=FEB.start)
    found = settle(
        account, {"p": terms}, FEB, usage, grants=[pack], events=[event], levels=["users"]
    )
    assert found.statement.total == usd(0)


def test_money_for_a_metric_has_its_part_of_the_plans_discount() -> None:
    terms = plan("p", discounts=[Discount("half", percent=50)])
    grants = [Grant("g", usd(100), metric="runs", effective_at=JAN.start)]
    account = Account("org-1", "p", since=JAN.start)
    usage = Usage("org-1", JAN, {"runs": 100, "jobs": 100})
    found = same_through_json(settle(account, {"p": terms}, JAN, usage, grants=grants))
    assert found.statement.total == usd(50)
    assert found.balance.burndowns[0].remaining == {"g": 50}


def test_grants_that_can_pay_for_nothing_are_named_and_block_no_bill() -> None:
    grants = [
        Grant("other", 5, metric="gpu", effective_at=JAN.start),
        Grant("euros", Money.of(5, "EUR"), effective_at=JAN.start),
        Grant("first", 5, metric="gigabytes", effective_at=JAN.start),
        Grant("good", usd(5), effective_at=JAN.start),
    ]
    first = Plan("first", "USD", {**plan("p").allowances, "gigabytes": Allowance(0, DOLLAR)})
    found = in_parts({1: first, 12: plan("second")}, {"runs": [10, 10]}, grants=grants)
    assert found.idle_grants == ("euros", "other")
    assert found.statement.total == usd(15)


# Which plans, and which usage


def test_plans_can_be_looked_up_by_part_and_terms() -> None:
    account = Account("org-1", "p", since=JAN.start).changed(since=day(12), status="trial")
    found = settle(
        account,
        lambda part, terms: plan(terms.plan, price=1 if part.start < day(12) else 2),
        MAR,
        [runs(30, MAR), *(runs(15, part) for part in MAR.split(day(12)))],
    )
    assert lines(found) == [(15, 0, 1_500), (15, 0, 3_000)]
    assert [part.plan.slug for part in found.statement.parts] == ["p", "p"]


def test_a_plan_that_is_missing_or_in_another_currency_is_refused() -> None:
    account = Account("org-1", "starter", since=JAN.start)
    with pytest.raises(UnknownPlan, match=r"^plans: .*, start, go \(did you mean 'start'\?"):
        settle(account, {"start": plan("start"), "go": plan("go")}, JAN, runs(1), ended=False)
    with pytest.raises(
        UnknownPlan, match=r"must be one of these plans, of which there is none, got"
    ):
        settle(account, {}, JAN, runs(1))
    euros = Plan("euros", "EUR", {"runs": Allowance(0, DOLLAR)})
    with pytest.raises(CurrencyMismatch, match=r"^earlier_parts\[0\]\.plan\.currency: USD and EUR"):
        in_parts({1: plan("first"), 12: euros}, {"runs": [1, 1]})


@pytest.mark.parametrize(
    ("usages", "problem"),
    [
        ([runs(1, FEB)], r"2 problems: usage\.period, usage"),
        ([runs(1, MAR, "org-2")], r"^usage\.org_id: must be that of the account, 'org-1'"),
        ([runs(1, MAR), runs(2, MAR)], r"^usage\.period: must come once, got '2024-03-01"),
        ([], r"^usage: must be of 2024-03-01T00:00:00Z/2024-04-01T00:00:00Z, got \[\]"),
    ],
    ids=["another month", "another org", "twice", "none"],
)
def test_usage_is_of_the_period_and_of_times_within_it_once(usages: Any, problem: str) -> None:
    with pytest.raises(overages.errors.OveragesError, match=problem):
        settle(Account("org-1", "p", since=JAN.start), {"p": plan("p")}, MAR, usages)


def test_a_period_is_one_of_the_orgs_own() -> None:
    account, part = account_with("org-1", "p", MAR), Period(day(1), day(20))
    with pytest.raises(InvalidValue, match=r"^org-1: period: must be one of the org's own"):
        settle(account, {"p": plan("p")}, part, runs(1, part))


@pytest.mark.parametrize("named", [{}, {"ended": False}], ids=["plainly", "in steps"])
def test_a_balance_of_a_later_time_is_refused(named: Any) -> None:
    prepaid = [Grant("prepaid", usd(150), effective_at=JAN.start)]
    account = Account("org-1", "p", since=JAN.start)
    march = settle(account, {"p": plan("p")}, MAR, runs(1, MAR), grants=prepaid)
    with pytest.raises(InvalidValue, match=r"^period: must not start before the balance's periods"):
        settle(account, {"p": plan("p")}, JAN, runs(1), march.balance, **named)
