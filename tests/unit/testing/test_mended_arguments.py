"""Arguments that are drawn apart are made to agree, and those that agree are left as they are."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from overages import (
    Alert,
    Allowance,
    Budget,
    Commitment,
    Conversion,
    Cycle,
    Decision,
    Discount,
    Exchanged,
    Grant,
    Metric,
    Money,
    Package,
    Period,
    PerUnit,
    Plan,
    Reservation,
    Rounding,
    StandingLimit,
    Threshold,
    Tier,
    Usage,
    Volume,
    aggregate,
    calculate,
)
from overages.alerts.alert import AlertDefinition
from overages.grants.state import Draw, GrantState
from overages.lines.adjustment import OVERAGE
from overages.records.chain import ChainHead, Link, row_of, verify_chain
from overages.testing import (
    billing,
    compared,
    fields,
    insight,
    plans,
    prices,
    quantities,
    quotas,
    records,
    values,
)

JANUARY, FEBRUARY = (Period.month(2024, month) for month in (1, 2))
NOON = JANUARY.start + timedelta(hours=12)
FREE = Discount("free", quantity=5)
HALF = Discount("half", percent=50)


@pytest.mark.parametrize(
    ("named", "mended"),
    [
        ({"low": 2, "high": 1}, {"low": 1, "high": 2}),
        ({"low": 1, "high": 2}, {"low": 1, "high": 2}),
        ({"low": 2, "high": None}, {"low": 2, "high": None}),
        ({"high": 1}, {"high": 1}),
    ],
)
def test_two_arguments_are_put_in_order(named: Any, mended: Any) -> None:
    assert values.in_order(named, "low", "high") == mended


def test_another_plan_comes_with_its_cost_or_not_at_all() -> None:
    assert compared.together({"move": "up", "other": "a"}) == {"move": "up"}
    assert compared.together({"other_cost": 1, "other": None}) == {}
    assert compared.together({"other_cost": 1, "other": "a"}) == {"other_cost": 1, "other": "a"}


def test_units_used_beforehand_do_not_expire() -> None:
    assert values.carried_on({"quantity": -1, "periods_left": 2}) == {"quantity": -1}
    assert values.carried_on({"quantity": 1, "periods_left": 2})["periods_left"] == 2


@pytest.mark.parametrize(
    "named",
    [
        {},
        {"distinct": "user", "reports": "level", "increment_scope": "event"},
        {"aggregation": "unique"},
        {"aggregation": "unique", "distinct": "region", "increment_scope": "event"},
        {"aggregation": "time_weighted", "reports": "amount"},
        {"aggregation": "max", "reports": "change", "distinct": "user"},
        {"increment": 5, "increment_scope": "event"},
        {"where": {"region": ["eu"]}},
        {"where": {"region": ["eu"]}, "event": "tokens"},
        {"where": {"region": ["eu"]}, "event": "requests"},
    ],
)
def test_a_metric_is_lawful_whatever_was_drawn(named: Any) -> None:
    assert Metric(**values.counting({"name": "tokens", **named})).name == "tokens"


@pytest.mark.parametrize(
    ("named", "changed"),
    [
        ({"amount": 5}, {"metric": "tokens"}),
        ({"amount": 5, "metric": "runs"}, {}),
        ({"amount": Money(5, "USD")}, {}),
        ({"amount": 5, "metric": "runs", "expires_at": NOON}, {"expires_at": None}),
        (
            {"amount": 5, "metric": "runs", "expires_at": JANUARY.start},
            {"effective_at": JANUARY.start, "expires_at": NOON},
        ),
    ],
)
def test_a_grant_is_of_something_and_ends_after_it_began(named: Any, changed: Any) -> None:
    drawn = {"id": "g", "effective_at": NOON, **named}
    mended = values.granted(drawn)
    assert Grant(**mended) == Grant(**{**drawn, "expires_at": None, **mended, **changed})


def test_what_became_of_a_grant_is_no_more_than_was_granted() -> None:
    assert values.accounted({"granted": 1, "drawn": 2, "voided": 3})["granted"] == 6
    assert values.accounted({"granted": 1}) == {"granted": 1}


def test_draws_are_among_what_was_drawn_on_each_grant() -> None:
    old = GrantState("a", 10, 4, filled_at=NOON)
    found = values.with_draws([old], [Draw("a", NOON, 2), Draw("b", NOON, 3), Draw("b", NOON, 1)])
    assert [(one.grant_id, one.granted, one.drawn) for one in found] == [("a", 12, 6), ("b", 4, 4)]
    assert values.with_draws([old], []) == [old]


def test_amounts_are_put_into_a_currency() -> None:
    dollar, amount = Money(1, "USD"), Discount("d", amount=Money(1, "USD"))
    mended = values.in_currency([dollar, amount, Commitment(amount=dollar)], "EUR")
    euro = Money(1, "EUR")
    assert mended == [euro, Discount("d", amount=euro), Commitment(amount=euro)]
    without_money = [HALF, Commitment(quantity=1), "text"]
    assert values.in_currency(without_money, "EUR") == without_money


def test_a_part_of_a_limit_has_the_sign_of_its_kind() -> None:
    for kind, sign in [("used", -1), ("owed", -1), ("carried", 1)]:
        mended = billing.signed_by_kind({"kind": kind, "quantity": Decimal("-0.5")})
        assert mended == {"kind": kind, "quantity": sign * Decimal("0.5")}


@pytest.mark.parametrize(("kind", "minor"), [("minimum", 1), ("discount", -1)])
def test_an_adjustment_has_the_sign_of_its_kind(kind: Any, minor: int) -> None:
    for exact in (Decimal("0.01"), Decimal("-0.01")):
        made = values.adjustment(kind, exact, Money(5, "USD"), Rounding.HALF_UP)
        assert (made.cost.minor, made.exact_cost) == (minor, Decimal(minor) / 100)


def test_a_tier_of_packages_has_no_other_units() -> None:
    assert prices.one_unit({"per": 3, "size": 5}) == {"size": 5}
    assert prices.one_unit({"per": 3, "size": None}) == {"per": 3, "size": None}
    assert prices.one_unit({"per": 3}) == {"per": 3}


@pytest.mark.parametrize(
    ("model", "points"),
    [
        (PerUnit(1), [0]),
        (Package(1, size=5), [0, 5, 15]),
        (Volume([Tier(10, price=2, maximum=6), Tier(None, size=4)]), [0, 10, 3, 10, 4, 12]),
        (Volume([Tier(None, price=2, flat=9, maximum=6)]), [0, 0]),
        (Exchanged(Package(1, size=5), rate=2), [0, 5, 15]),
    ],
)
def test_a_price_turns_where_a_tier_a_package_or_what_can_be_charged_ends(
    model: Any, points: list[int]
) -> None:
    assert prices.turning_points(model) == points


@pytest.mark.parametrize(
    ("named", "left"),
    [
        ({"included": None, "carry_over": 1}, {"included": None}),
        ({"included": 1, "carry_over": 1}, {"included": 1, "carry_over": 1}),
        (
            {"included": 1, "kind": "level", "included_for": 1, "carry_over": 1, "maximum": 2},
            {"included": 1, "kind": "level", "maximum": 2},
        ),
        (
            {"included": 1, "included_for": 1, "carry_over": 1, "included_per": "a"},
            {"included": 1, "included_for": 1},
        ),
        ({"included": 10**25, "included_per": "a"}, {"included": 10**20, "included_per": "a"}),
        ({"included": 10**25, "discounts": [FREE]}, {"included": 10**20, "discounts": [FREE]}),
        ({"included": 10**25, "discounts": [HALF]}, {"included": 10**25, "discounts": [HALF]}),
        ({"included": 1, "minimum": 2, "maximum": 1}, {"included": 1, "minimum": 1, "maximum": 2}),
    ],
)
def test_rules_of_an_allowance_that_exclude_others_stand_alone(named: Any, left: Any) -> None:
    assert plans.agreeing(named) == left


def test_units_are_brought_by_another_metric_of_the_plan() -> None:
    assert plans.counted_by({"included_per": "a"}, ["b", "c"]) == {"included_per": "b"}
    assert plans.counted_by({"included_per": "a", "included": 1}, []) == {"included": 1}
    assert plans.counted_by({"included": 1}, ["b"]) == {"included": 1}


def test_what_can_not_be_converted_is_not_used() -> None:
    thirds = Allowance(0, PerUnit(1), conversion=Conversion(divide=3))
    assert [billing.convertible(thirds, used) for used in (1, 3)] == [0, 3]


def test_a_rule_is_taken_out_of_all_allowances_of_a_plan() -> None:
    year = Allowance(5, PerUnit(1), included_for=Cycle.calendar("year"))
    plan = Plan("a", "USD", {"tokens": year, "runs": Allowance(5, PerUnit(1))})
    expected = Plan("a", "USD", dict.fromkeys(("tokens", "runs"), Allowance(5, PerUnit(1))))
    assert billing.without(plan, "included_for") == expected


def test_statements_are_recorded_one_after_the_other_by_version_of_their_plan() -> None:
    plan, dearer = (Plan("a", "USD", {"tokens": Allowance(0, PerUnit(n))}) for n in (1, 2))
    used = Usage("org-1", JANUARY, {"tokens": 1})
    statements = [calculate(terms, used) for terms in (plan, dearer, plan)]
    ledger, last = records.recorded("org-1", statements, NOON, timedelta(days=1))
    assert [record.plan_version for record in ledger.records] == [1, 2, 1]
    assert [record.created_at - NOON for record in ledger.records] == [
        timedelta(days) for days in range(3)
    ]
    assert aggregate(last.records) == statements[0].summary()
    assert records.recorded("org-1", [], NOON, timedelta())[1].records == ()


@pytest.mark.parametrize("key", [("tokens", OVERAGE), (None, "minimum")])
@pytest.mark.parametrize("unit_price", [Decimal("0.5"), 1, None])
def test_a_record_that_is_drawn_begins_a_chain_and_its_numbers_agree(
    key: Any, unit_price: Any
) -> None:
    record = records.first_record(
        key,
        3,
        unit_price,
        Decimal("1.5"),
        "USD",
        Rounding.HALF_UP,
        org_id="org-1",
        period=JANUARY,
        plan="a",
        created_at=NOON,
    )
    if record.unit_price is not None:
        assert record.exact_cost == Decimal("0.5") * 3 if unit_price != 1 else 3
    assert record.cost == Money.of(record.exact_cost, "USD")
    assert verify_chain(
        "org-1", [Link(1, row_of(record), record.digest)], ChainHead(1, record.digest)
    )


@pytest.mark.parametrize("text", ["tokens", "<b>", "Größe"])
def test_a_name_is_told_from_what_is_none(text: str) -> None:
    assert fields.is_name(text)
    assert not fields.is_name(f"{text}\n")


def test_months_are_counted_from_january_2024() -> None:
    assert [fields.month(n) for n in (0, 1)] == [JANUARY, FEBRUARY]
    assert fields.month(-1) == Period.month(2023, 12)
    assert fields.month(fields.FIRST_MONTH) == Period.month(1, 1)
    assert fields.month(fields.LAST_MONTH) == Period.month(9998, 11)


def test_a_number_is_units_and_decimals_from_right_to_left() -> None:
    assert quantities.quantity(7, 521) == Decimal("7.125")
    assert quantities.quantity(0, 10**11) == Decimal("0.000000000001")
    assert [quantities.negated(number) for number in (5, Decimal("-0.5"))] == [-5, Decimal("0.5")]


@pytest.mark.parametrize(
    "named",
    [
        {"amount": 5},
        {"amount": 5, "metric": "runs", "on_reached": "stop_charging"},
        {"amount": Money(5, "USD"), "window": Cycle.calendar("day"), "metric": "runs"},
        {"amount": Money(5, "USD"), "metric": "runs", "on_reached": "stop_charging"},
    ],
)
def test_a_budget_is_lawful_whatever_was_drawn(named: Any) -> None:
    assert Budget(**quotas.budgeted(named)).amount == named["amount"]


@pytest.mark.parametrize("limit", [5, Money(5, "EUR")])
@pytest.mark.parametrize("used", [7, Money(7, "USD")])
def test_the_measures_of_a_limit_are_of_one_unit(limit: Any, used: Any) -> None:
    named = quotas.in_one_unit({"kind": "budget", "limit": limit, "used": used, "held": used})
    assert StandingLimit(**named).limit == limit


@pytest.mark.parametrize(("granted", "verdict"), [(0, "deny"), (2, "partly"), (9, "allow")])
@pytest.mark.parametrize("more", [{}, {"cost": Money(5, "USD"), "at": NOON}])
def test_a_decision_has_the_verdict_of_its_units(granted: int, verdict: str, more: Any) -> None:
    drawn = {
        "org_id": "a", "verdict": "deny", "requested": {"x": 5}, "granted": {"x": granted},
        "overage_cost": Money(1, "EUR"), "counted_at": NOON, **more,
    }  # fmt: skip
    assert Decision(**quotas.decided(drawn)).verdict == verdict


@pytest.mark.parametrize("outcome", [None, "committed", "released"])
def test_a_reservation_ends_as_its_outcome_says(outcome: Any) -> None:
    named = quotas.in_time(
        {
            "org_id": "a", "key": "k", "units": {"x": 5}, "period": JANUARY, "reserved_at": NOON,
            "expires_at": NOON, "fingerprint": "f", "outcome": outcome, "used": {"y": 5},
            "ended_at": NOON,
        }
    )  # fmt: skip
    assert Reservation(**named).outcome == outcome


def test_a_hard_limit_is_one_number_and_not_below_what_is_included() -> None:
    both = {"hard_limit": 3, "hard_limit_percent": 150}
    assert plans.limited({"included": 5, **both}) == {"included": 5, "hard_limit": 5}
    assert plans.limited({"included": None, **both}) == {"included": None, "hard_limit": 3}
    assert plans.limited({"included": 5, "included_for": 1, **both}).keys() == {
        "included", "included_for",
    }  # fmt: skip
    assert plans.limited({"included": 5, "hard_limit_percent": 150})["hard_limit_percent"] == 150


def test_the_numbers_of_an_alert_that_fired_are_of_one_kind() -> None:
    alert = Alert("a", Threshold(cost=Money(5, "USD")))
    fired = {"definition": AlertDefinition(alert, 1, NOON), "noted_at": NOON, "org_id": "acme"}
    dollars, euros = Money(7, "USD"), Money(9, "EUR")
    assert insight.noted({**fired, "used": dollars, "limit": euros})["limit"] == Money(9, "USD")
    assert "limit" not in insight.noted({**fired, "used": dollars, "limit": 9})
    assert insight.noted({**fired, "limit": 9})["used"] == 0
