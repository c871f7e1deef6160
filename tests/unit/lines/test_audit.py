"""A statement that is made of lines is refused if they are not what its plan makes of them."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from tests.accounts import calculate_after, settle

from overages import (
    Adjustment,
    Allowance,
    CarryOver,
    Commitment,
    Discount,
    Graduated,
    Grant,
    Money,
    Overage,
    Period,
    PerUnit,
    Plan,
    Statement,
    Tier,
    Usage,
    calculate,
)
from overages._ground.value import evolve
from overages.errors import (
    CurrencyMismatch,
    InvalidType,
    InvalidValue,
    InvalidValues,
    OveragesError,
    UnknownMetric,
)
from overages.lines.limit_part import LimitPart
from overages.prices.tier import Charge

FEBRUARY = Period.month(2024, 2)
DOLLAR = PerUnit(1)


def usd(minor: int) -> Money:
    return Money(minor, "USD")


def plan_of(*, scope: Any = "line", rules: Any = None, **allowances: Allowance) -> Plan:
    return Plan("p", "USD", allowances, rounding_scope=scope, **(rules or {}))


def bill(plan: Plan, **used: Any) -> Statement:
    return calculate(plan, Usage("org-1", FEBRUARY, used))


def remade(statement: Statement, *lines: Overage | Adjustment) -> Statement:
    """Make a statement of the same org, period and plan of other lines."""
    return Statement(statement.org_id, statement.period, statement.plan, lines)


def faults(statement: Statement, *lines: Any) -> list[str]:
    """Return what is wrong with other lines of a statement."""
    with pytest.raises(OveragesError) as caught:
        remade(statement, *lines)
    return [str(error) for error in caught.value.errors]


# Lines


def test_a_line_of_a_cent_whose_tiers_come_to_a_hundred_dollars_is_refused() -> None:
    statement = bill(plan_of(runs=Allowance(0, DOLLAR)), runs=100)
    with pytest.raises(InvalidValue, match=r"^cost: must be 100 USD, rounded, got Money\(1, 'USD'"):
        evolve(statement["runs"], cost=usd(1))


@pytest.mark.parametrize(
    ("rounding", "lawful"), [("up", 2), ("down", 1), ("half_even", 2), ("half_down", 1)]
)
def test_a_line_is_rounded_as_the_plan_says(rounding: Any, lawful: int) -> None:
    plan = Plan("p", "USD", {"a": Allowance(0, PerUnit("0.015"))}, rounding=rounding)
    for minor in (1, 2):
        line = Overage("a", 1, 0, PerUnit("0.015"), usd(minor))
        if minor == lawful:
            assert remade(bill(plan, a=1), line) == bill(plan, a=1)
        else:
            assert faults(bill(plan, a=1), line) == [
                f"lines.a.cost: must be 0.0{lawful} USD, as the plan rounds 0.015, "
                f"got Money({minor}, 'USD')"
            ]


def test_lines_that_are_rounded_together_add_up_to_the_rounded_total() -> None:
    third = Allowance(0, PerUnit("0.01", per=3))
    plan = plan_of(scope="total", a=third, b=third)
    statement = bill(plan, a=2, b=2)  # 1 1/3 cents of both, which is one
    assert [line.cost.minor for line in statement.overages] == [1, 0]
    assert remade(statement, *statement.lines) == statement
    a, b = statement.overages
    lies = evolve(a, cost=usd(0)), evolve(b, cost=usd(1))
    assert [fault.partition(":")[0] for fault in faults(statement, *lies)] == [
        "lines.a.cost",
        "lines.b.cost",
    ]


def test_after_units_that_were_charged_before_the_difference_is_due() -> None:
    plan = plan_of(a=Allowance(0, PerUnit("0.015")))
    usage = Usage("org-1", FEBRUARY, {"a": 1})
    statement = calculate_after(plan, usage, {"a": 1})
    (line,) = statement.overages
    assert (line.cost, line.before) == (usd(1), 1)  # 0.03 - 0.015, each by halves up
    assert remade(statement, line) == statement
    assert faults(statement, evolve(line, cost=usd(2)))[0].startswith("lines.a.cost: must be 0.01")


@pytest.mark.parametrize(
    ("metrics", "fault"),
    [
        (
            "ba",
            "lines: must be in the plan's order, and those of a metric in order of time, got"
            " ['b', 'a']",
        ),
        (
            "aa",
            "lines.a.part: must be of times that don't overlap, got ['2024-02-01T00:00:00Z",
        ),
        ("ax", "lines.x: 'x' is not in plan 'p', whose metrics are: a, b"),
    ],
)
def test_lines_are_of_the_plan_in_its_order(metrics: str, fault: str) -> None:
    statement = bill(plan_of(a=Allowance(0, DOLLAR), b=Allowance(0, DOLLAR)))
    lines = [Overage(metric, 1, 0, DOLLAR, usd(100)) for metric in metrics]
    (found,) = faults(statement, *lines)
    assert found.startswith(fault)


def test_what_costs_something_unused_is_not_left_out() -> None:
    fee = Graduated([Tier(None, 1, flat=5)], flat_at_zero=True)
    statement = bill(plan_of(a=Allowance(10, fee), b=Allowance(0, DOLLAR)), b=1)
    assert [line.metric for line in statement.overages] == ["a", "b"]
    assert faults(statement, statement["b"]) == [
        "lines: must have the line of 'a', which costs something unused, got ['b']"
    ]


def test_a_line_that_says_nothing_may_be_left_out_or_not() -> None:
    statement = bill(plan_of(a=Allowance(10, DOLLAR), b=Allowance(5, DOLLAR)), b=7)
    assert remade(statement, *statement.every_overage()) == statement
    assert remade(statement, *statement.overages) == statement


def test_a_line_has_price_currency_and_limit_of_its_plan() -> None:
    statement = bill(plan_of(a=Allowance(5, DOLLAR)), a=6)
    (line,) = statement.overages
    assert faults(statement, evolve(line, price=PerUnit(2), cost=usd(200)))[0].startswith(
        "lines.a.price: must be the plan's, or its share by time, got PerUnit"
    )
    with pytest.raises(CurrencyMismatch, match=r"^lines\.a\.cost: USD and EUR can't be"):
        remade(statement, evolve(line, cost=Money(100, "EUR")))
    for own in (6, None):  # a limit of the org's own, or none, which the plan can't know
        assert remade(statement, evolve(line, limit=own, cost=usd(0))).total == usd(0)


def test_where_usage_is_unlimited_a_limit_of_the_orgs_own_may_be_there_or_not() -> None:
    statement = bill(plan_of(a=Allowance(None, DOLLAR)), a=6)
    assert remade(statement, *statement.lines) == statement
    assert remade(statement, Overage("a", 6, 5, DOLLAR, usd(100))).total == usd(100)


@pytest.mark.parametrize(
    ("parts", "fault"),
    [
        (
            [LimitPart("included", 25)],
            "lines.a.limit_parts: must have the plan's free units, got ()",
        ),
        (
            [LimitPart("included", 20), LimitPart("free", 5, "gift"), LimitPart("granted", 0)],
            "lines.a.limit_parts[0].quantity: must be what the plan includes, 10, or a share of it,"
            " got 20",
        ),
        (
            [LimitPart("own", 15), LimitPart("free", 5, "gift"), LimitPart("carried", 5, "2024")],
            "lines.a.limit_parts[2].kind: must be of an allowance that is carried over,"
            " as the plan's is not, got 'carried'",
        ),
    ],
)
def test_the_parts_of_a_limit_that_are_the_plans_are_bounded(parts: Any, fault: str) -> None:
    plan = plan_of(a=Allowance(10, DOLLAR, discounts=[Discount("gift", quantity=5)]))
    line = Overage("a", 26, 25, DOLLAR, usd(100), limit_parts=parts)
    assert faults(bill(plan), line) == [fault]


def test_an_unlimited_plan_includes_no_number_of_units() -> None:
    plan = plan_of(a=Allowance(None, DOLLAR))
    line = Overage("a", 26, 25, DOLLAR, usd(100), limit_parts=[LimitPart("included", 25)])
    assert faults(bill(plan), line) == [
        "lines.a.limit_parts[0].kind: must be own: the plan has no limit, got 'included'"
    ]


def test_what_a_metric_brings_for_another_is_not_bounded() -> None:
    plan = plan_of(a=Allowance(10, DOLLAR, included_per="seats"), seats=Allowance(None, PerUnit(0)))
    statement = bill(plan, seats=3)
    assert [line.metric for line in statement.unused] == ["a"]
    assert statement["a"].limit == 30
    assert remade(statement, *statement.every_overage()) == statement


def test_what_says_nothing_but_a_limit_is_no_line_and_beside_them() -> None:
    plan = plan_of(a=Allowance(5, DOLLAR), b=Allowance(5, DOLLAR), c=Allowance(5, DOLLAR))
    usage = Usage("org-1", FEBRUARY, {"b": 7})
    statement = calculate(plan, usage, limits={"a": 9, "b": 6, "c": 5})
    (b,), (a,) = statement.lines, statement.unused
    assert isinstance(b, Overage)
    assert (a.metric, a.limit, b.metric, b.limit) == ("a", 9, "b", 6)
    assert Statement("org-1", FEBRUARY, plan, [b], [a]) == statement
    assert Statement("org-1", FEBRUARY, plan, [a, b], [statement["c"]]) == statement
    cases: list[tuple[list[Overage], list[Any], str]] = [
        ([a, b], [a], "lines.a.part: must be of times that don't overlap, got ['2024"),
        (
            [b],
            [statement["c"], a],
            "unused: must be in the plan's order, and those of a metric in order",
        ),
        ([], [b], "unused.b: must be one of the lines: it was used, or costs something, got 7"),
        ([b], [5], "unused[0]: must be of type Overage, got 5"),
    ]
    for lines, unused, fault in cases:
        with pytest.raises(OveragesError) as caught:
            Statement("org-1", FEBRUARY, plan, lines, unused)
        assert str(caught.value).startswith(fault)


def test_each_item_is_a_line_adjustments_behind_overages() -> None:
    statement = bill(plan_of(rules={"minimum": usd(5)}, a=Allowance(0, DOLLAR)), a=0)
    (minimum,) = statement.adjustments
    odd: Any = statement
    for lines in ([minimum, odd], [minimum, statement["a"]], [odd]):
        with pytest.raises(InvalidType, match=r"^lines\[\d\]: must be an Overage, or an Adjust"):
            remade(statement, *lines)


# Adjustments by rules that nothing from outside decides

HALF = Discount("half", percent=50)
VOUCHER = Discount("voucher", amount=usd(300))
RULED = plan_of(
    rules={"discounts": [Discount("all", percent=10)], "maximum": usd(1_000)},
    a=Allowance(0, DOLLAR, discounts=[HALF, VOUCHER], maximum=usd(1_200)),
    b=Allowance(0, DOLLAR),
)
RULED_BILL = bill(RULED, a=40, b=5)
"""a: 40.00, half of it off, 3.00 off, at most 12.00; b: 5.00; 10 % off 17.00, at most 10.00."""


def test_lines_by_the_rules_of_the_plan_are_accepted() -> None:
    assert [(line.line, line.cost.minor) for line in RULED_BILL.adjustments] == [
        ("discount:half", -2_000),
        ("discount:voucher", -300),
        ("maximum", -500),
        ("discount:all", -170),
        ("maximum", -530),
    ]
    assert remade(RULED_BILL, *RULED_BILL.lines) == RULED_BILL


@pytest.mark.parametrize("place", range(5))
@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"cost": usd(-1)}, "cost"),
        ({"exact_cost": Decimal("-0.01")}, "exact_cost"),
        ({"before": usd(9_000)}, "before"),
    ],
)
def test_an_adjustment_is_what_its_rule_makes_of_what_was_before(
    place: int, changes: dict[str, Any], field: str
) -> None:
    lines = list(RULED_BILL.adjustments)
    lines[place] = evolve(lines[place], **changes)
    (fault,) = faults(RULED_BILL, *RULED_BILL.overages, *lines)
    assert fault.startswith(f"lines[{place + 2}].{field}: must be ")
    assert ", by the plan's rule, got " in fault


@pytest.mark.parametrize("place", range(5))
def test_no_adjustment_that_a_rule_makes_is_left_out(place: int) -> None:
    lines = [line for i, line in enumerate(RULED_BILL.adjustments) if i != place]
    left_out = RULED_BILL.adjustments[place]
    found = faults(RULED_BILL, *RULED_BILL.overages, *lines)
    assert f"lines: must have the plan's {left_out.explain()}, got " in found[0]
    assert len(found) == 1


def test_adjustments_stand_in_the_order_of_the_rules() -> None:
    first, second, *others = RULED_BILL.adjustments
    (fault,) = faults(RULED_BILL, *RULED_BILL.overages, second, first, *others)
    assert fault.startswith("lines: must be in the order in which rules are applied, got ['a.disc")


def test_an_adjustment_that_changes_nothing_is_left_out() -> None:
    plan = plan_of(a=Allowance(0, DOLLAR, maximum=usd(1_200)))
    statement = bill(plan, a=5)
    lie = Adjustment("maximum", usd(500), usd(-1), Decimal("-0.01"), "a")
    assert faults(statement, *statement.lines, lie) == [
        "lines[1]: must be left out: its rule changes nothing, got 'maximum: 5.00 USD -> 4.99 USD'"
    ]


@pytest.mark.parametrize(
    ("lie", "fault"),
    [
        (
            Adjustment("discount", usd(500), usd(-100), -1, "a", "mine"),
            "lines[1]: must be by a rule of the plan or the org, got 'discount mine: 5.00 USD",
        ),
        (
            Adjustment("minimum", usd(500), usd(100), 1),
            "lines[1]: must be by a rule of the plan or the org, got 'minimum: 5.00 USD",
        ),
        (
            Adjustment("credit", usd(100), usd(-100), -1, "b", "g"),
            "lines[1].metric: must have an ov",
        ),
    ],
)
def test_an_adjustment_is_by_a_rule_of_the_plan(lie: Adjustment, fault: str) -> None:
    statement = bill(plan_of(a=Allowance(0, DOLLAR), b=Allowance(0, DOLLAR)), a=5)
    (found,) = faults(statement, *statement.lines, lie)
    assert found.startswith(fault)


def test_an_adjustment_is_of_the_plan_and_its_currency_and_there_once() -> None:
    plan = plan_of(a=Allowance(0, DOLLAR, maximum=usd(300)))
    statement = bill(plan, a=5)
    overage, maximum = statement.lines
    assert isinstance(maximum, Adjustment)
    assert faults(statement, overage, maximum, maximum) == [
        "lines[2]: must be there once, got 'maximum'"
    ]
    with pytest.raises(UnknownMetric, match=r"^lines\[1\]\.metric: 'gpu' is not in plan 'p'"):
        remade(statement, overage, evolve(maximum, metric="gpu"))
    euros = evolve(maximum, before=Money(500, "EUR"), cost=Money(-200, "EUR"))
    with pytest.raises(CurrencyMismatch, match=r"^lines\[1\]\.cost: USD and EUR can't be"):
        remade(statement, overage, euros)


def test_all_lies_are_told_together() -> None:
    a, b = RULED_BILL.overages
    half, *others = RULED_BILL.adjustments
    lines = [a, b, evolve(half, cost=usd(0)), *others[:-1]]
    assert len(faults(RULED_BILL, *lines)) == 2


# True-ups, of the share of the billing period that the statement says, once the period is over


def agreed(minor: int, exact: Any, kind: Any = "minimum", before: int = 400) -> Adjustment:
    return Adjustment(kind, usd(before), usd(minor), exact, "a")


TEN_DAYS = Period(FEBRUARY.start, datetime(2024, 2, 11, tzinfo=UTC))
MINIMUM = plan_of(a=Allowance(0, DOLLAR, minimum=usd(1_000)))


@pytest.mark.parametrize("line", [agreed(600, 6), None], ids=["over", "running"])
def test_a_minimum_raises_to_all_of_it_once_the_period_is_over(line: Adjustment | None) -> None:
    statement = bill(MINIMUM, a=4)
    lines = () if line is None else (line,)
    assert remade(statement, *statement.overages, *lines).adjustments == lines


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        (agreed(601, Decimal("6.01")), "cost: must be 6.00 USD, by the plan's rule, got Money(601"),
        (agreed(100, 1), "cost: must be 6.00 USD, by the plan's rule, got Money(100"),
        (agreed(600, 5), "exact_cost: must be 6, by the plan's rule, got 5"),
        (agreed(600, 6, before=500), "before: must be 4.00 USD, by the plan's rule, got Money(500"),
    ],
)
def test_a_minimum_raises_to_no_more_and_no_less(line: Adjustment, fault: str) -> None:
    statement = bill(MINIMUM, a=4)
    assert faults(statement, *statement.overages, line)[0].startswith(f"lines[1].{fault}")


def test_a_minimum_of_a_part_of_a_billing_period_is_its_share() -> None:
    usage = Usage("org-1", TEN_DAYS, {"a": 2})
    statement = calculate(MINIMUM, usage, billing_period=FEBRUARY)
    (minimum,) = statement.adjustments
    assert minimum.cost == usd(145)  # 10.00 x 10/29 is 3.45
    again = Statement("org-1", TEN_DAYS, MINIMUM, statement.lines, billing_period=FEBRUARY)
    assert again == statement
    with pytest.raises(InvalidValues) as caught:
        Statement("org-1", TEN_DAYS, MINIMUM, statement.lines)
    assert str(caught.value.errors[0]).startswith("lines[1].cost: must be 8.00 USD, by the plan's")


def test_lines_that_were_rounded_down_are_raised_by_what_was_lost() -> None:
    plan = Plan("p", "USD", {m: Allowance(0, PerUnit("0.004")) for m in "abc"}, minimum=usd(1))
    statement = bill(plan, a=1, b=1, c=1)  # 0.012 exactly, 0.00 rounded
    (minimum,) = statement.adjustments
    assert minimum.cost == usd(1)
    assert not minimum.exact_cost
    assert remade(statement, *statement.lines) == statement
    (fault,) = faults(statement, *statement.overages, evolve(minimum, cost=usd(2)))
    assert fault.startswith("lines[3].cost: must be 0.01 USD, by the plan's rule, got Money(2")


COMMITTED = plan_of(a=Allowance(0, DOLLAR, commitment=Commitment(usd(1_000), overage_factor="1.5")))


@pytest.mark.parametrize(
    ("used", "line"),
    [
        (4, agreed(600, 6, "commitment")),
        (4, None),
        (20, agreed(500, 5, "commitment", 2_000)),  # half of the 10.00 beyond
    ],
)
def test_a_commitment_is_trued_up_to_and_more_than_that_costs_more(
    used: int, line: Adjustment | None
) -> None:
    statement = bill(COMMITTED, a=used)
    lines = () if line is None else (line,)
    assert remade(statement, *statement.overages, *lines).adjustments == lines


@pytest.mark.parametrize(
    ("used", "line", "field"),
    [
        (4, agreed(700, 7, "commitment"), "cost"),
        (20, agreed(499, Decimal("4.99"), "commitment", 2_000), "cost"),
        (20, agreed(500, 4, "commitment", 2_000), "exact_cost"),
        (20, agreed(5, 0, "commitment", 2_000), "cost"),
    ],
)
def test_a_commitment_costs_no_more_and_no_less(used: int, line: Adjustment, field: str) -> None:
    statement = bill(COMMITTED, a=used)
    assert faults(statement, *statement.overages, line)[0].startswith(f"lines[1].{field}: must be ")


def test_a_premium_is_due_on_what_is_beyond_all_of_a_commitment() -> None:
    statement = bill(COMMITTED, a=20)
    (fault,) = faults(statement, *statement.overages)
    assert fault.startswith("lines: must have the plan's commitment: 20.00 USD -> 25.00 USD, got ")


# Credits

GRANTS = [
    Grant("b", usd(300), metric="a", effective_at=FEBRUARY.start),
    Grant("c", usd(150), metric="a", effective_at=FEBRUARY.start),
    Grant("any", usd(200), priority=1, effective_at=FEBRUARY.start),
]
CREDITED = settle(
    plan_of(a=Allowance(0, DOLLAR), b=Allowance(0, DOLLAR)),
    Usage("org-1", FEBRUARY, {"a": 4, "b": 5}),
    grants=GRANTS,
).statement


def test_credits_take_what_they_say_from_what_there_is() -> None:
    assert [(line.line, line.before.minor, line.cost.minor) for line in CREDITED.adjustments] == [
        ("credit:b", 400, -300),
        ("credit:c", 100, -100),
        ("credit:any", 500, -200),
    ]
    assert remade(CREDITED, *CREDITED.lines) == CREDITED
    less = [evolve(CREDITED.adjustments[2], cost=usd(-1), exact_cost=Decimal("-0.01"))]
    assert remade(CREDITED, *CREDITED.lines[:4], *less).total == usd(499)


@pytest.mark.parametrize("place", range(3))
def test_a_credit_pays_what_is_due_then(place: int) -> None:
    lines = list(CREDITED.adjustments)
    lines[place] = evolve(lines[place], before=usd(900))
    due = ["4.00", "1.00", "5.00"][place]
    found = faults(CREDITED, *CREDITED.overages, *lines)
    assert found[0] == f"lines[{place + 2}].before: must be {due} USD, got Money(900, 'USD')"


def test_credits_are_in_the_order_of_their_grants_which_no_line_tells() -> None:
    first, second, general = CREDITED.adjustments
    lines = [evolve(general, before=usd(900)), first, second]
    assert remade(CREDITED, *CREDITED.overages, *lines).total == CREDITED.total
    found = faults(CREDITED, *CREDITED.overages, first, general, second)
    assert found == ["lines[3].before: must be 6.00 USD, got Money(500, 'USD')"]


def test_credits_of_a_metric_pay_its_share_whatever_was_paid_between() -> None:
    grants = [GRANTS[0], evolve(GRANTS[2], id="bb"), evolve(GRANTS[1], priority=2)]
    usage = Usage("org-1", FEBRUARY, {"a": 4, "b": 5})
    statement = settle(CREDITED.plan, usage, grants=grants).statement
    told = [(line.line, line.before.minor, line.cost.minor) for line in statement.adjustments]
    assert told == [("credit:b", 400, -300), ("credit:bb", 600, -200), ("credit:c", 100, -100)]
    assert remade(statement, *statement.lines) == statement


def test_credits_come_after_the_rules_of_the_plan() -> None:
    plan = Plan("p", "USD", {"a": Allowance(0, DOLLAR)}, minimum=usd(900))
    grants = [evolve(GRANTS[1], priority=1), GRANTS[2]]
    statement = settle(plan, Usage("org-1", FEBRUARY, {"a": 4}), grants=grants).statement
    minimum, *credits_ = statement.adjustments
    found = faults(statement, *statement.overages, *credits_, minimum)
    assert found[-1].startswith("lines: must be in the order in which rules are applied, got ")


def test_an_allowance_that_carries_over_and_a_grant_are_told_by_the_lines() -> None:
    plan = plan_of(a=Allowance(100, DOLLAR, carry_over=CarryOver()))
    first = settle(plan, Usage("org-1", Period.month(2024, 1), {"a": 40}))
    units = [Grant("pack", 7, metric="a", effective_at=Period.month(2024, 1).start)]
    usage = Usage("org-1", FEBRUARY, {"a": 170})
    statement = settle(plan, usage, first.balance, grants=units).statement
    assert (statement["a"].limit, statement.total) == (167, usd(300))
    assert remade(statement, *statement.lines) == statement


class Free:
    """A price model of a host's own, by which nothing costs anything."""

    def charge(self, quantity: Any, /) -> Charge:
        return PerUnit(0).charge(quantity)


def test_an_unused_line_of_a_hosts_price_may_be_left_out_where_it_is_free() -> None:
    statement = Statement("org-1", FEBRUARY, plan_of(runs=Allowance(0, Free())), [])
    assert statement.total == usd(0)
