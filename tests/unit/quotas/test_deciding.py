"""Deciding: which units may be used by a plan, and which limit says so."""

from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from overages import (
    Allowance,
    Budget,
    Conversion,
    Cycle,
    Decision,
    Discount,
    Graduated,
    Money,
    Package,
    Period,
    PerUnit,
    Plan,
    Tier,
    Usage,
    Volume,
    calculate,
    decide,
)
from overages.errors import (
    CurrencyMismatch,
    InvalidType,
    InvalidValue,
    InvalidValues,
    UnknownMetric,
)
from overages.insight.budget import WindowedBudget
from overages.quotas.request import parse_request

FEBRUARY = Period.month(2024, 2)
NOON = datetime(2024, 2, 3, 12, tzinfo=UTC)
RUNS = Allowance(50, PerUnit("1.00"), hard_limit=100)
TOKENS = Allowance(1_000, PerUnit("0.001"), hard_limit_percent=150)
PLAN = Plan("starter", "USD", {"runs": RUNS, "tokens": TOKENS, "calls": Allowance(0, PerUnit(2))})
TEN = Money(1_000, "USD")


def asked(
    requested: dict[str, Any], used: dict[str, Any] | None = None, plan: Plan = PLAN, **named: Any
) -> Decision:
    return decide(plan, Usage("acme", FEBRUARY, used or {}), requested, **named)


def standing(decision: Decision) -> list[tuple[Any, ...]]:
    return [(each.kind, each.metric, each.remaining) for each in decision.limits]


def by(decision: Decision) -> tuple[Any, ...]:
    assert decision.decided_by is not None
    return decision.verdict, decision.decided_by.kind, decision.decided_by.metric


def test_all_limits_are_told_whatever_is_decided() -> None:
    for units in (1, 101):
        decision = asked({"runs": units, "tokens": 1}, {"runs": 10})
        assert standing(decision) == [
            ("included", "runs", 40), ("hard_limit", "runs", 90),
            ("included", "tokens", 1_000), ("hard_limit", "tokens", 1_500),
        ]  # fmt: skip
        assert {each.resets_at for each in decision.limits} == {FEBRUARY.end}
        assert [each.stops for each in decision.limits] == [False, True] * 2


def test_cost_is_of_the_units_that_are_granted_and_overage_is_told_apart() -> None:
    decision = asked({"runs": 10, "tokens": 5}, {"runs": 45, "tokens": 1_000})
    assert (decision.verdict, decision.granted) == ("allow", {"runs": 10, "tokens": 5})
    assert (decision.cost, decision.exact_cost) == (Money(501, "USD"), Decimal("5.005"))
    assert (decision.overage_cost, decision.exact_overage_cost) == (
        decision.cost, decision.exact_cost,
    )  # fmt: skip
    assert asked({"runs": 5}, {"runs": 45}).cost == Money(0, "USD")


def test_a_discount_is_in_the_cost_and_not_in_that_of_the_overage() -> None:
    plan = Plan("p", "USD", {"runs": RUNS}, discounts=[Discount("half", percent=50)])
    decision = asked({"runs": 10}, {"runs": 50}, plan)
    assert (decision.cost, decision.overage_cost) == (Money(500, "USD"), TEN)
    assert (decision.exact_cost, decision.exact_overage_cost) == (Decimal(5), Decimal(10))


@pytest.mark.parametrize(("units", "verdict"), [(55, "allow"), (56, "deny")])
def test_a_hard_limit_may_be_reached_and_not_passed(units: int, verdict: str) -> None:
    decision = asked({"runs": units}, {"runs": 45})
    assert decision.verdict == verdict
    assert decision.granted == {"runs": units if verdict == "allow" else 0}
    assert asked({"tokens": 1_500}).verdict == "allow"
    assert by(asked({"tokens": 1_501})) == ("deny", "hard_limit", "tokens")


def test_what_is_denied_has_the_cost_that_was_asked_for() -> None:
    assert asked({"runs": 60}, {"runs": 45}).cost == Money(5_500, "USD")


def test_units_that_are_held_are_taken() -> None:
    decision = asked({"runs": 10}, {"runs": 45}, held={"runs": 50})
    assert by(decision) == ("deny", "hard_limit", "runs")
    assert [(each.used, each.held, each.remaining) for each in decision.limits] == [
        (45, 50, 0), (45, 50, 5),
    ]  # fmt: skip
    assert asked({"runs": 5}, {"runs": 45}, held={"runs": 50}).verdict == "allow"


def test_an_own_limit_takes_the_place_of_the_included_quantity() -> None:
    decision = asked({"tokens": 3_000}, limits={"tokens": 2_000})
    assert standing(decision) == [("own_limit", "tokens", 2_000), ("hard_limit", "tokens", 3_000)]
    assert decision.cost == Money(100, "USD")
    assert standing(asked({"tokens": 9}, limits={"tokens": None})) == []
    assert standing(asked({"runs": 9}, limits={"runs": None})) == [("hard_limit", "runs", 100)]


def test_an_own_limit_denies_only_where_it_is_told_to_stop() -> None:
    assert asked({"tokens": 11}, limits={"tokens": 10}).verdict == "allow"
    decision = asked({"tokens": 11}, limits={"tokens": 10}, stop_at=["limit"])
    assert by(decision) == ("deny", "own_limit", "tokens")
    clamped = asked({"calls": 1}, stop_at=["limit"], on_passing="clamp")
    assert by(clamped) == ("deny", "included", "calls")


def test_nothing_may_be_due_where_there_are_no_grants_to_stop_at() -> None:
    assert by(asked({"calls": 1}, stop_at=["grants"])) == ("deny", "grants", None)
    assert asked({"runs": 50}, stop_at=["grants"]).verdict == "allow"
    assert asked({"calls": 1}, stop_at=["grants"], on_passing="cross").verdict == "deny"


def test_several_metrics_are_all_or_nothing() -> None:
    decision = asked({"tokens": 1, "runs": 101})
    assert (decision.granted, by(decision)) == (
        {"tokens": 0, "runs": 0}, ("deny", "hard_limit", "runs"),
    )  # fmt: skip


def test_fewer_are_granted_where_they_are_accepted() -> None:
    used = {"runs": 95}
    decision = asked({"tokens": 7, "runs": 10}, used, at_least={"runs": 3})
    assert (decision.granted, by(decision)) == (
        {"tokens": 7, "runs": 5}, ("partly", "hard_limit", "runs"),
    )  # fmt: skip
    assert decision.cost == Money(500, "USD")
    assert asked({"runs": 10}, used, at_least={"runs": 6}).granted == {"runs": 0}
    assert asked({"runs": 5}, used, at_least={"runs": 3}).verdict == "allow"


def test_a_request_is_clamped_to_the_whole_units_that_fit() -> None:
    assert asked({"runs": 10}, {"runs": "94.5"}, on_passing="clamp").granted == {"runs": 5}
    assert asked({"runs": "5.5"}, {"runs": "94.5"}, on_passing="clamp").verdict == "allow"
    assert asked({"runs": 10}, {"runs": 100}, on_passing="clamp").verdict == "deny"
    floor = asked({"runs": 10}, {"runs": 95}, at_least={"runs": "2.5"})
    assert floor.granted == {"runs": 5}


def test_a_request_may_cross_a_limit_of_which_something_is_left() -> None:
    crossing = asked({"runs": 10}, {"runs": 99}, on_passing="cross")
    assert (crossing.verdict, crossing.granted) == ("allow", {"runs": 10})
    assert by(asked({"runs": 1}, {"runs": 100}, on_passing="cross"))[0] == "deny"
    assert asked({"runs": 0}, {"runs": 109}, on_passing="cross").verdict == "allow"


def test_a_metric_that_the_plan_does_not_know_is_denied_whatever_is_accepted() -> None:
    for on_passing in ("reject", "clamp", "cross"):
        decision = asked({"runs": 1, "seats": 0}, on_passing=on_passing)
        assert by(decision) == ("deny", "unknown_metric", "seats")
        assert (decision.cost, decision.overage_cost) == (None, None)
    with pytest.raises(UnknownMetric, match=r"usage\.quantities\.seats"):
        asked({"runs": 1}, {"seats": 5})
    with pytest.raises(UnknownMetric, match="seats"):
        asked({"runs": 1}, held={"seats": 5})


def test_a_budget_of_money_denies_what_would_be_due_beyond_it() -> None:
    budget = Budget(TEN, on_reached="stop_usage")
    assert asked({"calls": 5}, budgets=[budget]).verdict == "allow"
    decision = asked({"calls": 6}, budgets=[budget])
    assert by(decision) == ("deny", "budget", None)
    assert decision.decided_by is not None
    assert (decision.decided_by.name, decision.decided_by.remaining) == ("all", TEN)
    clamped = asked({"runs": 3, "calls": 9}, {"runs": 50}, budgets=[budget], on_passing="clamp")
    assert clamped.granted == {"runs": 3, "calls": 3}
    with_held = asked({"calls": 1}, held={"calls": 5}, budgets=[budget])
    assert by(with_held) == ("deny", "budget", None)


def test_a_budget_of_one_metric_counts_its_charges_alone() -> None:
    budget = Budget(TEN, metric="calls", on_reached="stop_usage")
    assert asked({"runs": 50, "calls": 5}, {"runs": 50}, budgets=[budget]).verdict == "allow"
    assert by(asked({"calls": 6}, budgets=[budget])) == ("deny", "budget", "calls")
    assert asked({"runs": 1}, {"calls": 9}, budgets=[budget]).limits[-1].kind == "hard_limit"


def test_a_budget_that_is_passed_denies_what_costs_and_nothing_else() -> None:
    budget = Budget(Money(100, "USD"), on_reached="stop_usage")
    used = {"calls": 5}
    assert by(asked({"calls": 1}, used, budgets=[budget]))[1] == "budget"
    assert asked({"runs": 50}, used, budgets=[budget]).verdict == "allow"


@pytest.mark.parametrize("on_reached", ["tell", "stop_charging"])
def test_a_budget_that_stops_no_usage_is_told_alone(on_reached: Any) -> None:
    decision = asked({"calls": 9}, budgets=[Budget(TEN, on_reached=on_reached)])
    assert (decision.verdict, decision.limits[-1].remaining) == ("allow", TEN)
    assert not decision.limits[-1].stops


def test_a_budget_of_units_counts_all_of_the_period() -> None:
    budget = Budget(20, metric="runs", on_reached="stop_usage")
    assert asked({"runs": 5}, {"runs": 15}, budgets=[budget]).verdict == "allow"
    assert by(asked({"runs": 6}, {"runs": 15}, budgets=[budget])) == ("deny", "budget", "runs")
    assert by(asked({"runs": 5}, {"runs": 15}, budgets=[budget], held={"runs": 1}))[0] == "deny"


def test_a_budget_of_a_window_counts_the_units_of_that() -> None:
    daily = Budget(20, metric="runs", on_reached="stop_usage", window=Cycle.calendar("day"))
    ends = FEBRUARY.start.replace(day=4)
    window = WindowedBudget(daily, used=12, held=3, resets_at=ends)
    decision = asked({"runs": 6}, {"runs": 40}, budgets=[window], held={"runs": 9})
    assert by(decision) == ("deny", "budget", "runs")
    limit = decision.decided_by
    assert limit is not None
    assert (limit.used, limit.held, limit.remaining, limit.resets_at) == (12, 3, 5, ends)
    assert limit.period == Period(FEBRUARY.start.replace(day=3), ends)
    assert asked({"runs": 5}, {"runs": 40}, budgets=[window], held={"runs": 9}).verdict == "allow"


def test_a_budget_of_a_window_counts_what_the_bill_rises_by() -> None:
    daily = Budget(TEN, on_reached="stop_usage", window=Cycle.calendar("day"))
    ends = FEBRUARY.start.replace(day=4)
    window = WindowedBudget(daily, Money(400, "USD"), Money(100, "USD"), resets_at=ends)
    used = {"runs": 48, "calls": 30}
    decision = asked({"runs": 8}, used, budgets=[window], on_passing="clamp")
    assert (by(decision), decision.granted) == (("partly", "budget", None), {"runs": 7})
    limit = decision.decided_by
    assert limit is not None
    assert (limit.remaining, limit.resets_at) == (Money(500, "USD"), ends)
    assert limit.period == Period(FEBRUARY.start.replace(day=3), ends)
    of_calls = WindowedBudget(
        Budget(TEN, metric="calls", on_reached="stop_usage", window=Cycle.calendar("day")),
        Money(900, "USD"),
        resets_at=ends,
    )
    assert asked({"runs": 20}, used, budgets=[of_calls]).verdict == "allow"
    assert by(asked({"calls": 1}, used, budgets=[of_calls])) == ("deny", "budget", "calls")


def test_a_budget_in_another_currency_is_refused_by_name() -> None:
    with pytest.raises(CurrencyMismatch, match=r"budgets\.all\.amount: USD and EUR can't be"):
        asked({"runs": 1}, budgets=[Budget(Money(5, "EUR"))])
    daily = Budget(Money(5, "EUR"), id="day", window=Cycle.calendar("day"))
    window = WindowedBudget(daily, Money(0, "EUR"), resets_at=FEBRUARY.end)
    with pytest.raises(CurrencyMismatch, match=r"budgets\.day\.amount: USD and EUR can't be"):
        asked({"runs": 1}, budgets=[window])


def test_limits_are_of_units_as_they_are_priced() -> None:
    kilobytes = Allowance(
        2, PerUnit(1), conversion=Conversion(divide=1_000, increment=1), hard_limit=4
    )
    plan = Plan("p", "USD", {"bytes": kilobytes})
    decision = asked({"bytes": 9_000}, {"bytes": 1_001}, plan, on_passing="clamp")
    assert standing(decision) == [("included", "bytes", 0), ("hard_limit", "bytes", 2)]
    assert (decision.granted, decision.cost) == ({"bytes": 2_999}, Money(200, "USD"))
    budget = Budget(3, metric="bytes", on_reached="stop_usage")
    assert asked({"bytes": 3_001}, plan=plan, budgets=[budget]).verdict == "deny"
    daily = WindowedBudget(
        Budget(3, metric="bytes", on_reached="stop_usage", window=Cycle.calendar("day")),
        2_500, 500, resets_at=FEBRUARY.end,
    )  # fmt: skip
    held = asked({"bytes": 1}, plan=plan, budgets=[daily], held={"bytes": 500})
    assert by(held) == ("deny", "budget", "bytes")


@pytest.mark.parametrize(
    "price",
    [
        Graduated([Tier(10, "1.00"), Tier(None, "0.5")]),
        Package("5.00", size=10),
        Graduated([Tier(None, price=1, flat=5)], flat_at_zero=True),
        PerUnit("0.333"),
    ],
)
@pytest.mark.parametrize("used", [0, 45, "49.5", 55])
def test_the_cost_of_a_request_is_what_the_line_then_says(price: Any, used: Any) -> None:
    plan = Plan("p", "USD", {"runs": Allowance(50, price)})
    for units in (0, 1, 7, "2.5", 30):
        decision = asked({"runs": units}, {"runs": used}, plan)
        after = Decimal(str(used)) + Decimal(str(units))
        bills = [
            calculate(plan, Usage("acme", FEBRUARY, {"runs": n}), ended=False)
            for n in (Decimal(str(used)), after)
        ]
        assert decision.cost == bills[1].total - bills[0].total
        before, then = (Fraction(bill["runs"].exact_cost) for bill in bills)
        assert decision.exact_cost == then - before


def test_where_a_cost_falls_with_the_quantity_units_that_fit_are_granted() -> None:
    price = Volume([Tier(10, "1.00"), Tier(None, "0.10")])
    plan = Plan("p", "USD", {"runs": Allowance(0, price), "other": Allowance(0, PerUnit(9))})
    budget = Budget(Money(500, "USD"), on_reached="stop_usage")
    assert asked({"runs": 20}, plan=plan, budgets=[budget]).verdict == "allow"
    assert asked({"runs": 9}, plan=plan, budgets=[budget], on_passing="clamp").granted["runs"] == 5
    both = asked({"runs": 60, "other": 1}, plan=plan, budgets=[budget], on_passing="clamp")
    assert (both.verdict, both.granted["other"]) == ("partly", 0)


def test_a_decision_tells_its_instant_and_that_of_the_numbers() -> None:
    for budgets in ((), [Budget(TEN)]):
        decision = asked({"runs": 1}, at=NOON, counted_at=FEBRUARY.start, budgets=budgets)
        assert (decision.at, decision.counted_at) == (NOON, FEBRUARY.start)


def test_a_line_that_is_not_a_few_integers_is_decided_as_any_other() -> None:
    most = 10**26 - 1
    for used, limits in (({"runs": "0.5"}, None), ({}, {"runs": "50.5"})):
        assert asked({"runs": 60}, used, limits=limits).verdict == "allow"
    plan = Plan("p", "USD", {"runs": Allowance(None, PerUnit(1))}, rounding_scope="total")
    assert asked({"runs": 60}, {"runs": 5}, plan).verdict == "allow"
    with pytest.raises(InvalidValue, match="at most 26 integer digits"):
        asked({"runs": most}, {"runs": most}, plan)
    with pytest.raises(InvalidValue, match="at most 26 integer digits"):
        asked({"runs": most}, {"runs": most})


def test_fractions_of_a_unit_are_left_of_a_percentage() -> None:
    plan = Plan("p", "USD", {"runs": Allowance("0.1", PerUnit(1), hard_limit_percent="100.5")})
    decision = asked({"runs": 0}, plan=plan)
    assert standing(decision)[1] == ("hard_limit", "runs", Decimal("0.1005"))


@pytest.mark.parametrize(
    ("named", "error", "problem"),
    [
        ({"requested": {"runs": -1}}, InvalidValue, r"^requested\.runs: must not be negative"),
        ({"at_least": {"tokens": 1}}, InvalidValue, r"^at_least\.tokens: must be of a metric that"),
        ({"at_least": {"runs": 11}}, InvalidValue, r"^at_least\.runs: must be of a metric that is"),
        ({"on_passing": "allow"}, InvalidValue, "^on_passing: must be one of reject, clamp, cross"),
        (
            {"on_passing": "cross", "at_least": {"runs": 1}},
            InvalidValue,
            "^at_least: must be empty where a request may cross a limit",
        ),
        ({"stop_at": ["soft"]}, InvalidValue, r"^stop_at\[0\]: must be one of limit, grants"),
        ({"plan": "starter"}, InvalidType, "^plan: must be of type Plan, got 'starter'"),
        ({"usage": {}}, InvalidType, "^usage: must be of type Usage"),
        ({"budgets": [TEN]}, InvalidType, r"^budgets\[0\]: must be a Budget or a WindowedBudget"),
        (
            {"budgets": [Budget(5, metric="runs", window=Cycle.calendar("day"))]},
            InvalidValue,
            r"^budgets\[0\]: must be a WindowedBudget, with what its window has seen",
        ),
        ({"held": 5}, InvalidType, "^held: must be a mapping"),
        ({"at": "now"}, InvalidType, "^at: must be a datetime"),
        ({"limits": {"seats": 1}}, UnknownMetric, "limits.seats"),
        ({"counted_at": NOON}, InvalidValue, "^counted_at: must not be later than the decision"),
        (
            {"at": FEBRUARY.start, "counted_at": NOON},
            InvalidValue,
            "^counted_at: must not be later than the decision",
        ),
    ],
)
def test_what_is_no_request_is_refused(
    named: dict[str, Any], error: type[Exception], problem: str
) -> None:
    arguments = {
        "plan": PLAN, "usage": Usage("acme", FEBRUARY, {}), "requested": {"runs": 10}, **named,
    }  # fmt: skip
    with pytest.raises(error, match=problem):
        decide(**arguments)


def test_all_faults_of_a_request_are_told() -> None:
    passing: Any = "always"
    with pytest.raises(InvalidValues) as caught:
        parse_request({"runs": -1}, on_passing=passing)
    assert [each.field for each in caught.value.errors] == ["requested.runs", "on_passing"]


def test_requests_are_told_apart_by_all_that_they_ask_for() -> None:
    same = parse_request({"runs": 1, "tokens": 2}), parse_request({"tokens": "2.0", "runs": 1})
    others = [
        parse_request({"runs": 2, "tokens": 1}),
        parse_request({"runs": 1, "tokens": 2}, on_passing="clamp"),
        parse_request({"runs": 1, "tokens": 2}, {"tokens": 1}),
        parse_request({"runs": 1, "tokens": 2}, stop_at=["limit"]),
    ]
    assert same[0].fingerprint == same[1].fingerprint
    assert len({each.fingerprint for each in (same[0], *others)}) == 5


def test_a_windowed_budget_has_a_window() -> None:
    with pytest.raises(InvalidValue, match=r"^budget: must have a window"):
        WindowedBudget(Budget(5, metric="runs"), 1, resets_at=NOON)


@pytest.mark.parametrize("requested", [{"runs": 60, "strange": 1}, {"strange": 1, "runs": 60}])
def test_an_unknown_metric_is_denied_wherever_it_stands_in_the_request(
    requested: dict[str, int],
) -> None:
    plan = Plan("starter", "USD", {"runs": Allowance(10, PerUnit(1), hard_limit=20)})
    for on_passing in ("reject", "cross", "clamp"):
        decision = decide(plan, Usage("acme", FEBRUARY, {}), requested, on_passing=on_passing)
        assert decision.verdict == "deny"
        assert decision.decided_by is not None
        assert decision.decided_by.kind == "unknown_metric"


def test_of_several_limits_that_are_passed_the_one_that_resets_last_decides() -> None:
    """Until then the request would be denied by it."""
    plan = Plan("starter", "USD", {"runs": Allowance(None, PerUnit(1))})
    day = Budget(10, metric="runs", id="day", on_reached="stop_usage", window=Cycle.calendar("day"))
    month = Budget(10, metric="runs", id="month", on_reached="stop_usage")
    today = WindowedBudget(day, 10, resets_at=NOON)
    usage = Usage("acme", FEBRUARY, {"runs": 10})
    decision = decide(plan, usage, {"runs": 1}, budgets=[today, month])
    assert decision.resets_at == FEBRUARY.end
    assert decide(plan, Usage("acme", FEBRUARY, {}), {"runs": 1}, budgets=[today]).resets_at == NOON


def test_units_that_bring_more_of_another_metric_hide_none_of_it_that_are_held() -> None:
    calls = Allowance(30, PerUnit(1), included_per="seats")
    plan = Plan("starter", "USD", {"calls": calls, "seats": Allowance(None, PerUnit(0))})
    usage = Usage("acme", FEBRUARY, {"seats": 2, "calls": 10})
    decision = decide(plan, usage, {"calls": 1}, held={"seats": 5, "calls": 20}, stop_at=["limit"])
    limit = decision.limit("included", metric="calls")
    assert limit is not None
    assert (limit.limit, limit.used, limit.held, limit.remaining) == (60, 10, 20, 30)
