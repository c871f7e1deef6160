"""Grant lines: units beyond the limit that grants cover, and money that pays for the rest."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from tests.accounts import settle
from tests.settled import (
    DOLLAR,
    FEB,
    JAN,
    MAR,
    PACK,
    PLAIN,
    ROLLING,
    YEAR,
    YEARLY,
    parts,
    ran,
    runs,
    settled,
    totals,
)

from overages import (
    Allowance,
    Balance,
    Conversion,
    Cycle,
    Discount,
    Graduated,
    Grant,
    Money,
    Plan,
    Settlement,
    Tier,
    Usage,
    UsageEvent,
    calculate,
)
from overages._ground.value import evolve
from overages.errors import InvalidValue
from overages.grants.burndown import Burndown
from overages.grants.state import GrantState


def paid(found: Settlement) -> list[tuple[str | None, int]]:
    lines = found.statement.adjustments
    return [(line.name, line.cost.minor) for line in lines if line.kind == "credit"]


def remaining(found: Settlement) -> dict[str, Any]:
    return {name: left for each in found.balance.burndowns for name, left in each.remaining.items()}


# The examples of the module


def test_units_are_drawn_as_they_go_beyond_the_limit_and_given_back() -> None:
    plan = Plan("p", "USD", {"runs": Allowance(100, DOLLAR)})
    events = [ran(60, 5), ran(50, 10), ran(-20, 12), ran(40, 20)]
    found = settle(plan, runs(130), grants=[PACK], events=events)
    assert [(each.at.day, each.covered) for each in found.burndowns[0].draws] == [(20, 30)]
    at_first = settle(plan, runs(110), grants=[PACK], events=events[:2])
    assert [(each.at.day, each.covered) for each in at_first.burndowns[0].draws] == [(10, 10)]
    assert totals([found, at_first]) == [0, 0]


OFFERS = {"runs": Allowance(0, DOLLAR), "tokens": Allowance(0, DOLLAR)}


def test_money_is_drawn_by_priority_whether_or_not_it_names_a_metric() -> None:
    grants = [
        Grant("runs", Money(1000, "USD"), metric="runs", priority=5, effective_at=JAN.start),
        Grant("any", Money(500, "USD"), effective_at=JAN.start),
    ]
    found = settle(
        Plan("p", "USD", OFFERS), Usage("org-1", JAN, {"runs": 8, "tokens": 2}), grants=grants
    )
    assert paid(found) == [("any", -500), ("runs", -500)]
    assert found.statement.total.minor == 0
    assert remaining(found) == {"any": 0, "runs": 5}


# Grants of units


def test_units_beyond_the_limit_are_drawn_on_grants() -> None:
    first, second = settled(PLAIN, 25, 60, grants=[PACK])
    assert parts(first) == [("included", 10), ("granted by pack", 15)]
    assert totals([first, second]) == [0, 3500]
    assert second.burndowns[0].overage == 35
    assert first.balance.burndown("runs", None) == first.burndowns[0].closed()


def test_no_earlier_usage_has_used_up_what_a_grant_covers_now() -> None:
    """Granted units are for the usage that drew them, not for the rest of the year's."""
    first, second = settled(YEARLY, 120, 15, grants=[PACK])
    assert totals([first, second]) == [0, 500]
    assert parts(second) == [("included", 100), ("granted by pack", 10), ("used earlier", -100)]
    late = evolve(PACK, effective_at=FEB.start)
    assert totals(settled(YEARLY, 120, 15, grants=[late])) == [2000, 0]


def test_what_grants_covered_was_not_charged_before() -> None:
    """A fee, or a dear first tier, that a grant has spared is due once something is charged."""
    fee = Plan(
        "p", "USD", {"runs": Allowance(100, Graduated([Tier(None, 1, flat=5)]), included_for=YEAR)}
    )
    pack = evolve(PACK, amount=15)
    found = settled(fee, 110, 15, 5, grants=[pack])
    assert totals(found) == [0, 1500, 500]
    assert [settlement.statement["runs"].before for settlement in found] == [None, 0, 10]
    assert [settlement.balance.covered[0].quantities["runs"] for settlement in found] == [
        10, 15, 15,
    ]  # fmt: skip
    assert found[0].balance.covered[0].period == YEAR.period_at(JAN.start)
    tiers = Graduated([Tier(10, 5), Tier(None, 1)])
    dear = Plan("p", "USD", {"runs": Allowance(100, tiers, included_for=YEAR)})
    assert totals(settled(dear, 110, 15, 5, grants=[pack])) == [0, 5000, 500]


def test_what_was_covered_is_of_the_same_org() -> None:
    other = Balance(covered=[Usage("other", YEAR.period_at(JAN.start), {"runs": 1})])
    with pytest.raises(InvalidValue, match=r"^balance.covered\[0\].org_id: must be that of the ac"):
        settle(YEARLY, runs(5, JAN), other)


@pytest.mark.parametrize(
    ("events", "covered"),
    [
        ([ran(10, 1), ran(20, 9)], 0),
        ([ran(10, 1), ran(20, 10)], 20),
        ([ran(12, 1), ran(18, 19)], 18),
        ([ran(12, 1), ran(18, 20)], 0),
        ([ran(20, 10)], 10),  # the rest is used at the end
        ([], 0),
        ([ran(25, 12), ran(-10, 13), ran(15, 14)], 20),
        ([ran(25, 12), ran(-20, 13), ran(25, 25)], 0),
        ([ran(30, 12), ran(-30, 25), ran(30, 26)], 0),  # what comes back then is lost
        ([ran(40, 12), ran(-10, 13)], 20),
        ([ran(40, 12)], 20),  # what isn't accounted for is given back at the end
        ([UsageEvent("org-1", "jobs", 99, JAN.start), ran(30, 12)], 20),
        ([ran(10, 1), ran(10, 12), ran(10, 12)], 20),
    ],
)
def test_a_grant_pays_for_what_is_used_while_it_lasts(
    events: list[UsageEvent], covered: int
) -> None:
    days = {name: JAN.start + timedelta(days=n) for name, n in {"first": 9, "last": 19}.items()}
    grant = evolve(PACK, effective_at=days["first"], expires_at=days["last"])
    found = settle(PLAIN, runs(30), grants=[grant], events=events)
    assert found.statement["runs"].limit == 10 + covered
    assert found.burndowns[0].covered == covered


def test_an_event_of_another_period_counts_at_the_start_or_the_end() -> None:
    grants = [
        Grant(
            "first", 5, metric="runs", effective_at=FEB.start, expires_at=FEB.start + timedelta(1)
        ),
        Grant("last", 5, metric="runs", effective_at=FEB.end - timedelta(hours=1)),
    ]
    events = [ran(13, 1, JAN), ran(6, 1, MAR)]
    found = settle(PLAIN, runs(19, FEB), grants=grants, events=events)
    assert [(d.grant_id, d.quantity) for d in found.burndowns[0].draws] == [
        ("first", 3),
        ("last", 5),
    ]


def test_units_are_drawn_as_they_are_converted() -> None:
    offer = Allowance(1, DOLLAR, conversion=Conversion(divide=10, increment=1))
    plan = Plan("p", "USD", {"runs": offer})
    events = [ran(5, 2), ran(10, 3), ran(10, 4)]
    found = settle(plan, runs(25), grants=[PACK], events=events)
    assert [(d.at.day, d.quantity) for d in found.burndowns[0].draws] == [(3, 1), (4, 1)]


def test_a_grant_drawn_in_steps_covers_what_is_used() -> None:
    (found,) = settled(PLAIN, Decimal("12.5"), grants=[evolve(PACK, step=10)])
    assert parts(found)[1] == ("granted by pack", Decimal("2.5"))
    assert found.burndowns[0].grants[0].left == 20


def test_carried_units_come_before_granted_ones() -> None:
    first, second = settled(ROLLING, 40, 170, grants=[PACK])
    assert parts(second) == [
        ("included", 100),
        ("carried over from 2024-01-01", 60),
        ("granted by pack", 10),
    ]
    assert first.burndowns[0].draws == ()


def test_what_recurs_was_granted_in_periods_that_nothing_was_settled_of() -> None:
    monthly = evolve(PACK, recurrence=Cycle.monthly(), refill_keeps=None)
    found = settle(PLAIN, runs(110, MAR), grants=[monthly])
    assert found.statement["runs"].limit == 100
    money = Grant(
        "m",
        Money(1000, "USD"),
        effective_at=JAN.start,
        recurrence=Cycle.monthly(),
        refill_keeps=None,
    )
    assert settle(PLAIN, runs(50, MAR), grants=[money]).statement.total.minor == 1000
    assert settle(PLAIN, runs(0, JAN), grants=[monthly]).burndowns[0].grants[0].granted == 60


@pytest.mark.parametrize(
    "grant",
    [
        evolve(PACK, metric="jobs"),
        Grant("g", Money(500, "USD"), metric="jobs", effective_at=JAN.start),
        Grant("g", Money(500, "EUR"), effective_at=JAN.start),
    ],
    ids=["metric", "money of a metric", "currency"],
)
def test_a_grant_for_what_the_plan_does_not_know_is_left_as_it_is(grant: Grant) -> None:
    found = settle(PLAIN, runs(25), grants=[grant])
    assert found == Settlement(calculate(PLAIN, runs(25)), Balance(), idle_grants=[grant.id])


def test_how_a_grant_stands_is_kept_while_no_plan_knows_its_metric() -> None:
    (first,) = settled(PLAIN, 25, grants=[PACK])
    jobs = Plan("jobs", "USD", {"jobs": Allowance(0, DOLLAR)})
    second = settle(jobs, Usage("org-1", FEB, {"jobs": 1}), first.balance, grants=[PACK])
    assert second.balance == first.balance
    third = settle(PLAIN, runs(30, MAR), second.balance, grants=[PACK])
    assert third.statement["runs"].limit == 25


def test_unlimited_usage_draws_on_nothing() -> None:
    plan = Plan("p", "USD", {"runs": Allowance(None, DOLLAR)})
    found = settle(plan, runs(10**6), grants=[PACK])
    assert (found.burndowns, found.statement.total.minor) == ((), 0)


# Prepaid money


def test_money_that_names_no_metric_pays_what_is_left() -> None:
    plan = Plan("p", "USD", {"runs": Allowance(0, DOLLAR), "jobs": Allowance(0, DOLLAR)})
    grants = [
        Grant("any", Money(300, "USD"), priority=1, effective_at=JAN.start),
        Grant("runs", Money(500, "USD"), metric="runs", effective_at=JAN.start),
        Grant("jobs", Money(50, "USD"), metric="jobs", effective_at=JAN.start),
    ]
    found = settle(plan, Usage("org-1", JAN, {"runs": 4, "jobs": 5}), grants=grants)
    lines = [(line.metric, line.name, line.cost.minor) for line in found.statement.adjustments]
    assert lines == [("jobs", "jobs", -50), ("runs", "runs", -400), (None, "any", -300)]
    assert found.statement.total.minor == 150
    totals = found.statement.totals_by_metric()
    assert {metric: (total.quantity, total.cost.minor) for metric, total in totals.items()} == {
        "runs": (4, 0),
        "jobs": (5, 450),
    }
    assert [burndown.metric for burndown in found.balance.burndowns] == [None, "jobs", "runs"]
    # Of the 4.50 left for jobs, 3.00 were paid by money for anything.
    assert [each.overage for each in found.burndowns] == [Decimal("1.5"), 0, Decimal("1.5")]


def test_money_for_a_metric_pays_its_part_of_a_discount_of_all() -> None:
    plan = Plan("p", "USD", OFFERS, discounts=[Discount("all", amount=Money(1500, "USD"))])
    grants = [
        Grant("tokens", Money(3500, "USD"), metric="tokens", effective_at=JAN.start),
        Grant("any", Money(5000, "USD"), priority=1, effective_at=JAN.start),
    ]
    usage = Usage("org-1", JAN, {"tokens": 30, "runs": 25})
    found = settle(plan, usage, grants=grants)
    # Of the 40.00 due, 21.82 are of tokens: 30.00 less their part of the discount, 15.00 x 30/55.
    assert paid(found) == [("tokens", -2182), ("any", -1818)]
    assert remaining(found) == {"tokens": Decimal("13.18"), "any": Decimal("31.82")}


def test_money_of_all_kinds_is_drawn_in_one_order() -> None:
    """By priority, then expiry, then creation, then id; what one metric may pay is bounded."""
    terms: list[dict[str, Any]] = [
        {"id": "e", "metric": "runs", "created_at": JAN.start - timedelta(1)},
        {"id": "a", "metric": "runs"},
        {"id": "b"},
        {"id": "d", "metric": "runs", "expires_at": MAR.end},
        {"id": "c", "expires_at": FEB.end},
        {"id": "f", "metric": "tokens", "priority": 0},
    ]
    named = {"priority": 1, "effective_at": JAN.start}
    grants = [Grant(amount=Money(100, "USD"), **{**named, **each}) for each in terms]
    usage = Usage("org-1", JAN, {"runs": 2, "tokens": 9})
    found = settle(Plan("p", "USD", OFFERS), usage, grants=grants)
    assert paid(found) == [("f", -100), ("c", -100), ("d", -100), ("e", -100), ("b", -100)]


def test_grants_may_come_in_any_order() -> None:
    grants = [
        Grant("b", Money(100, "EUR"), effective_at=JAN.start),
        Grant("any", Money(300, "USD"), effective_at=JAN.start),
        Grant("a", 5, metric="jobs", effective_at=JAN.start),
        Grant("runs", Money(500, "USD"), metric="runs", effective_at=JAN.start),
    ]
    one, other = (settle(PLAIN, runs(25), grants=each) for each in (grants, grants[::-1]))
    assert one == other
    assert one.idle_grants == ("a", "b")
    assert [each.metric for each in one.burndowns] == ["runs", None]


def test_money_that_is_refilled_or_ends_does_so_though_nothing_is_due() -> None:
    monthly: dict[str, Any] = {"recurrence": Cycle.monthly(), "refill_keeps": 0}
    grants = [
        Grant("any", Money(500, "USD"), effective_at=JAN.start, **monthly),
        Grant("runs", Money(700, "USD"), metric="runs", effective_at=JAN.start, expires_at=JAN.end),
        Grant("more", Money(900, "USD"), metric="runs", effective_at=JAN.start, step=6),
    ]
    plan = Plan("p", "USD", {"runs": Allowance(0, DOLLAR)})
    first, second = settled(plan, 6, 1, grants=grants)
    # The one that expires first pays all; the others are as they were, or filled anew.
    assert paid(first) == [("runs", -600)]
    assert remaining(first) == {"any": 5, "runs": 0, "more": 9}
    assert paid(second) == [("any", -100)]
    third = settle(plan, runs(7, MAR), second.balance, grants=grants)
    # Of 2.00 left after 5.00, a step of 6.00 is drawn whole.
    assert paid(third) == [("any", -500), ("more", -200)]
    assert remaining(third) == {"any": 5, "runs": 0, "more": 3}


@pytest.mark.parametrize("jobs", [0, 2])
def test_money_for_one_metric_pays_for_no_other(jobs: int) -> None:
    plan = Plan("p", "USD", {"runs": Allowance(0, DOLLAR), "jobs": Allowance(0, DOLLAR)})
    grant = Grant("jobs", Money(900, "USD"), metric="jobs", effective_at=JAN.start)
    found = settle(plan, Usage("org-1", JAN, {"runs": 5, "jobs": jobs}), grants=[grant])
    assert found.statement.total == Money(500, "USD")
    assert [burndown.left for burndown in found.balance.burndowns] == [9 - jobs]


def test_money_pays_for_no_more_than_the_statement_comes_to() -> None:
    plan = Plan(
        "p", "USD", {"runs": Allowance(0, DOLLAR)}, discounts=[Discount("half", percent=50)]
    )
    grants = [
        Grant("runs", Money(900, "USD"), metric="runs", effective_at=JAN.start),
        Grant("any", Money(900, "USD"), effective_at=JAN.start),
    ]
    (found,) = settled(plan, 10, grants=grants)
    assert found.statement.total.minor == 0
    assert [line.cost.minor for line in found.statement.adjustments] == [-500, -500]


def test_money_that_lasts_until_the_end_of_the_period_pays() -> None:
    grants = [Grant("g", Money(500, "USD"), effective_at=JAN.start, expires_at=JAN.end)]
    assert totals(settled(PLAIN, 20, 20, grants=grants)) == [500, 1000]
    grants = [evolve(grants[0], expires_at=JAN.end - timedelta(seconds=1))]
    assert totals(settled(PLAIN, 20, grants=grants)) == [1000]


def test_money_pays_a_minimum_too() -> None:
    plan = evolve(PLAIN, minimum=Money(700, "USD"))
    grants = [Grant("g", Money(600, "USD"), effective_at=JAN.start)]
    assert totals(settled(plan, 0, grants=grants)) == [100]


def test_a_balance_that_leaves_less_than_a_minor_unit_of_money_is_refused_by_name() -> None:
    grants = [Grant("top-up", Money(1000, "USD"), effective_at=JAN.start)]
    state = GrantState("top-up", 10, Decimal("9.995"), filled_at=JAN.start)
    balance = Balance(burndowns=[Burndown(JAN.start, currency="USD", grants=[state])])
    problem = r"^(.*: )?balance\.burndowns\.top-up\.amount: must have at most 2 decimals"
    with pytest.raises(InvalidValue, match=problem):
        settle(PLAIN, Usage("org-1", JAN, {"runs": 20}), balance, grants=grants)
