"""Settlement: a period's statement with what earlier ones left, and what it leaves itself."""

import pickle
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from overages import (
    Allowance,
    Balance,
    CarryOver,
    Conversion,
    Cycle,
    Discount,
    Graduated,
    Grant,
    Money,
    Period,
    PerUnit,
    Plan,
    Settlement,
    Tier,
    Usage,
    UsageEvent,
    Volume,
    calculate,
    settle,
)
from overages._ground.value import evolve
from overages.errors import InvalidType, InvalidValue, InvalidValues, UnknownMetric
from overages.grants.burndown import Burndown
from overages.terms.carry_over import CarriedUnits

JAN, FEB, MAR = (Period.month(2024, n) for n in (1, 2, 3))
YEAR = Cycle.calendar("year")
DOLLAR = PerUnit(1)
PLAIN = Plan("plain", "USD", {"runs": Allowance(10, DOLLAR)})
YEARLY = Plan("yearly", "USD", {"runs": Allowance(100, DOLLAR, included_for=YEAR)})
ROLLING = Plan("rolling", "USD", {"runs": Allowance(100, DOLLAR, carry_over=CarryOver())})
PACK = Grant("pack", 30, metric="runs", effective_at=JAN.start)


def runs(used: Any, period: Period = JAN, org_id: str = "org-1") -> Usage:
    return Usage(org_id, period, {"runs": used})


def ran(quantity: int, day: int, period: Period = JAN, **named: Any) -> UsageEvent:
    at = period.start + timedelta(days=day - 1)
    return UsageEvent("org-1", "runs", quantity, at, **named)


def settled(plan: Plan, *used: Any, **named: Any) -> list[Settlement]:
    """Settle so many months, one after another."""
    found: list[Settlement] = []
    for n, quantity in enumerate(used, 1):
        left = found[-1].balance if found else Balance()
        found.append(settle(plan, runs(quantity, Period.month(2024, n)), left, **named))
    return found


def parts(settlement: Settlement, metric: str = "runs") -> list[tuple[str, Any]]:
    return [(p.explain(), p.quantity) for p in settlement.statement[metric].limit_parts]


def totals(found: list[Settlement]) -> list[int]:
    return [settlement.statement.total.minor for settlement in found]


# The value


def test_a_settlement_is_a_value() -> None:
    (settlement,) = settled(ROLLING, 40)
    again = Settlement(
        settlement.statement, settlement.balance, dict(settlement.carry_overs), iter(())
    )
    assert again == settlement
    assert hash(again) == hash(settlement)
    assert pickle.loads(pickle.dumps(settlement)) == settlement
    assert evolve(settlement, carry_overs={}) != settlement
    assert repr(settlement) == f"<Settlement of {settlement.statement!r}>"
    carry_overs: Any = settlement.carry_overs
    with pytest.raises(TypeError):
        carry_overs["jobs"] = None


def test_a_settlement_of_other_types_is_refused() -> None:
    wrong: Any = 5
    with pytest.raises(InvalidValues) as caught:
        Settlement(wrong, wrong, wrong, wrong)
    fields = [getattr(error, "field", None) for error in caught.value.errors]
    assert fields == ["statement", "balance", "carry_overs", "burndowns"]


# What is carried over


def test_what_is_carried_and_owed_are_parts_of_the_limit() -> None:
    rule = CarryOver(overage="carried")
    plan = Plan("p", "USD", {"runs": Allowance(100, DOLLAR, carry_over=rule)})
    first, second, third, fourth = settled(plan, 40, 190, 250, 0)
    assert parts(first) == []
    assert parts(second) == [
        ("included", 100),
        ("carried over from 2024-01-01", 60),
        ("from the next allowance", 30),
    ]
    assert parts(third)[:2] == [("included", 100), ("used beforehand in 2024-02-01", -30)]
    assert parts(third)[2] == ("from the next allowance", 180)
    assert fourth.statement["runs"].limit == 0
    assert fourth.balance.carried == {"runs": (CarriedUnits(-80, MAR),)}
    assert totals([first, second, third, fourth]) == [0, 0, 0, 0]


def test_units_that_a_discount_makes_free_are_used_last_and_never_carried() -> None:
    free = Discount("trial", quantity=20)
    offer = Allowance(100, DOLLAR, carry_over=CarryOver(), discounts=[free])
    found = settled(Plan("p", "USD", {"runs": offer}), 40, 170, 115, 100)
    assert [step.carry_overs["runs"].used for step in found] == [40, 160, 100, 100]
    assert [step.statement["runs"].limit for step in found] == [120, 180, 120, 120]
    assert totals(found) == [0, 0, 0, 0]
    owing = evolve(offer, carry_over=CarryOver(overage="carried"))
    (step,) = settled(Plan("p", "USD", {"runs": owing}), 130)
    assert [layer.quantity for layer in step.balance.carried["runs"]] == [-10]
    assert step.statement.total.minor == 0


def test_what_is_converted_or_brought_by_seats_is_carried_in_units() -> None:
    offer = Allowance(
        10, DOLLAR, included_per="seats", conversion=Conversion(divide=60), carry_over=CarryOver()
    )
    plan = Plan("p", "USD", {"seats": Allowance(None, DOLLAR), "runs": offer})
    found = settle(plan, Usage("org-1", JAN, {"seats": 3, "runs": 1_500}))
    assert found.balance.carried["runs"][0].quantity == 5
    found = settle(plan, Usage("org-1", FEB, {"seats": 1, "runs": 1_200}), found.balance)
    assert (found.statement["runs"].limit, found.statement["runs"].quantity) == (15, 5)


def test_an_own_limit_stands_in_place_of_what_is_included() -> None:
    first, second = settled(ROLLING, 40, 130, limits={"runs": 50})
    assert parts(second) == [("own limit", 50), ("carried over from 2024-01-01", 10)]
    assert totals([first, second]) == [0, 7000]


def test_a_part_of_a_period_has_its_share_of_what_is_included() -> None:
    first, last = JAN.split(datetime(2024, 1, 11, tzinfo=UTC))
    found = settle(ROLLING, runs(2, first), whole=JAN)
    assert found.balance.carried["runs"][0].quantity == 30
    found = settle(ROLLING, runs(0, last), found.balance, whole=JAN)
    assert found.statement["runs"].limit == 98


def test_what_was_carried_keeps_its_own_terms_under_another_rule() -> None:
    stricter = CarryOver(up_to=20, expires_after=1)
    new = Plan("new", "USD", {"runs": Allowance(50, DOLLAR, carry_over=stricter)})
    (first,) = settled(ROLLING, 40)
    found = settle(new, runs(10, FEB), first.balance)
    assert found.statement["runs"].limit == 110
    assert found.balance.carried["runs"] == (CarriedUnits(20, FEB, 1),)
    assert settle(PLAIN, runs(0, FEB), first.balance).balance == Balance()


# Allowances for a longer time


def test_a_year_begins_anew() -> None:
    first = settle(YEARLY, runs(60, Period.month(2023, 12)))
    second = settle(YEARLY, runs(60, JAN), first.balance)
    assert second.statement["runs"].limit == 100
    assert second.balance.used == (Usage("org-1", YEAR.period_at(JAN.start), {"runs": 60}),)


def test_allowances_for_several_times_are_kept_apart() -> None:
    quarter = Cycle.calendar("quarter")
    offers = {"runs": YEARLY.allowances["runs"], "jobs": Allowance(5, DOLLAR, included_for=quarter)}
    plan, balance = Plan("p", "USD", offers), Balance()
    for n, limits in enumerate([(100, 5), (60, 3), (20, 1), (0, 5)], 1):
        found = settle(plan, Usage("o", Period.month(2024, n), {"runs": 40, "jobs": 2}), balance)
        balance = found.balance
        assert tuple(line.limit for line in found.statement.overages) == limits
    assert [used.quantities for used in balance.used] == [{"runs": 160}, {"jobs": 2}]


def test_tiers_go_on_through_the_year() -> None:
    price = Graduated([Tier(10, 2), Tier(None, 1)])
    plan = Plan("p", "USD", {"runs": Allowance(0, price, included_for=YEAR)})
    assert totals(settled(plan, 6, 6, 6)) == [1200, 1000, 600]
    plan = Plan(
        "p",
        "USD",
        {"runs": Allowance(0, Volume([Tier(10, 2), Tier(None, 1)]), included_for=YEAR)},
    )
    paid = Grant("paid", Money(100, "USD"), effective_at=FEB.start)
    found = settled(plan, 10, 1, grants=[paid])
    assert totals(found) == [2000, -900]  # nothing is credited against what is given back


def test_what_unlimited_use_came_to_counts_once_there_is_a_limit() -> None:
    plan = Plan("p", "USD", {"runs": Allowance(None, DOLLAR, included_for=YEAR)})
    (first,) = settled(plan, 150)
    assert settle(YEARLY, runs(5, FEB), first.balance).statement.total.minor == 500


def test_a_period_lies_within_one_of_the_allowances() -> None:
    with pytest.raises(InvalidValue, match=r"^usage\.period: must lie within one period"):
        settle(YEARLY, runs(5, Period(JAN.start, YEAR.period_at(JAN.start).end + timedelta(1))))


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
    with pytest.raises(InvalidValue, match=r"^balance.covered\[0\].org_id: must be that of the us"):
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
    assert found == Settlement(calculate(PLAIN, runs(25)), Balance())


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


def test_money_for_a_metric_pays_before_money_for_anything() -> None:
    plan = Plan("p", "USD", {"runs": Allowance(0, DOLLAR), "jobs": Allowance(0, DOLLAR)})
    grants = [
        Grant("any", Money(300, "USD"), effective_at=JAN.start),
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


def test_money_of_less_than_a_minor_unit_is_refused_by_its_grant() -> None:
    grants = [Grant("top-up", Money(1000, "USD"), effective_at=JAN.start, step="0.003")]
    with pytest.raises(InvalidValue, match=r"^grants\.top-up\.amount: must have at most 2 dec"):
        settled(PLAIN, 11, 20, grants=grants)


# Arguments


@pytest.mark.parametrize(
    ("named", "problem"),
    [
        ({"plan": "p"}, "plan: must be of type Plan"),
        ({"usage": {}}, "usage: must be of type Usage"),
        ({"balance": None}, "balance: must be of type Balance"),
        ({"grants": [5]}, r"grants\[0\]: must be of type Grant"),
        ({"events": 5}, "events: must be a list"),
        ({"whole": "2024-01"}, "whole: must be of type Period"),
        ({"final": 0}, "final: must be True or False"),
    ],
)
def test_an_argument_of_another_type_is_refused(named: Any, problem: str) -> None:
    with pytest.raises(InvalidType, match=f"^{problem}"):
        settle(**{"plan": PLAIN, "usage": runs(5), **named})


@pytest.mark.parametrize(
    ("named", "problem"),
    [
        ({"timezone": "Mars"}, "timezone: "),
        ({"limits": {"runs": -1}}, r"limits\.runs: must not be negative"),
        ({"grants": [PACK, PACK]}, r"grants\[1\]\.id: must be given once, got 'pack'"),
        (
            {"events": [ran(1, 2), UsageEvent("org-2", "runs", 1, JAN.start)]},
            r"events\[1\]\.org_id: must be that of the usage, 'org-1', got 'org-2'",
        ),
        (
            {"balance": Balance(used=[Usage("org-2", JAN, {})])},
            r"balance\.used\[0\]\.org_id: must be that of the usage, 'org-1', got 'org-2'",
        ),
        (
            {"balance": Balance({"runs": [CarriedUnits(5, JAN)]})},
            r"usage\.period: must not start before the balance's periods end, 2024-02-01T00:00:0",
        ),
        (
            {"balance": Balance(burndowns=[Burndown(FEB.end, "runs")])},
            r"usage\.period: must not start before the balance's periods end, 2024-03-01T00:00:0",
        ),
    ],
)
def test_what_does_not_go_together_is_refused(named: Any, problem: str) -> None:
    with pytest.raises(InvalidValue, match=f"^{problem}"):
        settle(PLAIN, runs(5), **named)


def test_a_grant_that_was_drawn_on_must_still_be_given() -> None:
    (first,) = settled(PLAIN, 25, grants=[PACK])
    with pytest.raises(InvalidValue, match="must hold every grant that start has"):
        settle(PLAIN, runs(25, FEB), first.balance, grants=[evolve(PACK, id="other")])
    assert settle(PLAIN, runs(25, FEB), first.balance).balance == first.balance


def test_unknown_metrics_are_not_priced_silently_at_zero() -> None:
    with pytest.raises(UnknownMetric, match=r"^usage\.quantities\.jobs: "):
        settle(PLAIN, Usage("org-1", JAN, {"jobs": 1}))


def test_a_bill_that_is_not_the_last_has_no_true_up() -> None:
    plan = evolve(PLAIN, minimum=Money(700, "USD"))
    assert settle(plan, runs(0), final=False).statement.total.minor == 0
