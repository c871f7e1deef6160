"""Allowances and plans, also from the fields of a billing table."""

import pickle
from typing import Any

import pytest
from tests.pages import caption_of, rows_of
from tests.told import told

from overages import Allowance, Currency, Discount, Graduated, Money, PerUnit, Plan, Rounding, Tier
from overages.errors import CurrencyMismatch, InvalidType, InvalidValues
from overages.prices.tier import Charge
from overages.terms.plan import rule_terms

TOKENS = Allowance(500_000, PerUnit("0.0001"))
SEATS = Allowance(None, PerUnit(0))
ONE = Money(100, "USD")


class Free:
    """A host's own price model; it has no hash."""

    __hash__ = None  # type: ignore[assignment]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Free)

    def charge(self, quantity: object, /) -> Charge:
        del quantity
        return Charge([])


@pytest.mark.parametrize(("included", "form"), [("50.0", "50"), (0, "0"), (None, "None")])
def test_what_is_included_has_one_form_or_no_bound(included: Any, form: str) -> None:
    assert repr(Allowance(included, PerUnit(1)).included) == form


def test_an_allowance_with_many_faults_reports_them_all() -> None:
    bad: Any = {"included": -1, "price": PerUnit}
    with pytest.raises(InvalidValues) as caught:
        Allowance(**bad)
    assert told(caught.value) == (
        "2 problems:\n"
        "- included: must not be negative, got -1\n"
        "- price: must be a price model such as PerUnit('1'), "
        "got <class 'overages.prices.models.PerUnit'>"
    )


def test_an_allowance_shows_what_makes_it() -> None:
    assert repr(Allowance(50, PerUnit("1.00"))) == (
        "Allowance(included=50, price=PerUnit(price=1))"
    )


def test_a_plan_rounds_each_line_half_up_and_has_no_base_fee_unless_told() -> None:
    plan = Plan("starter", "USD", {"tokens": TOKENS})
    assert (plan.slug, plan.currency, dict(plan.allowances)) == (
        "starter",
        Currency("USD"),
        {"tokens": TOKENS},
    )
    assert (plan.rounding, plan.rounding_scope, plan.base_fee) == (Rounding.HALF_UP, "line", None)


def test_a_plan_keeps_what_it_is_told() -> None:
    plan = Plan(
        "starter",
        Currency("credits", 4),
        {},
        rounding="floor",
        rounding_scope="total",
        base_fee=Money(4900, Currency("credits", 4)),
    )
    assert (plan.rounding, plan.rounding_scope) == (Rounding.FLOOR, "total")
    assert str(plan.base_fee) == "0.4900 credits"


def test_a_plan_with_many_faults_reports_them_all() -> None:
    bad: Any = {
        "slug": "",
        "currency": "usd",
        "allowances": {"tokens": PerUnit(1), "": TOKENS, 5: None},
        "rounding": "nearest",
        "rounding_scope": "each",
        "base_fee": 4900,
    }
    with pytest.raises(InvalidValues) as caught:
        Plan(**bad)
    assert told(caught.value) == (
        "9 problems:\n"
        "- slug: must not be empty, got ''\n"
        "- currency: must be an ISO 4217 code such as USD, or a Currency with an exponent "
        "(did you mean 'USD'?), got 'usd'\n"
        "- allowances.tokens: must be of type Allowance, got PerUnit(price=1)\n"
        "- allowances.<metric>: must not be empty, got ''\n"
        "- allowances.<metric>: must be a str, got 5\n"
        "- allowances.5: must be of type Allowance, got None\n"
        "- rounding: must be one of half_up, half_even, half_down, up, down, ceiling, floor, "
        "got 'nearest'\n"
        "- rounding_scope: must be one of line, total, got 'each'\n"
        "- base_fee: must be of type Money, got 4900"
    )


@pytest.mark.parametrize(
    ("terms", "fields"),
    [
        (("USD", {}, 3), ["base_fee", "discounts[0].quantity"]),
        (("usd", {}, None), ["currency", "discounts[0].quantity"]),
        (
            ("USD", {"a": 3, "b": Allowance(1, PerUnit(1), included_per="z")}, None),
            ["allowances.a", "allowances.b.included_per", "discounts[0].quantity"],
        ),
        (
            ("USD", {"a": 3, "b": Allowance(1, PerUnit(1), included_per="a")}, None),
            ["allowances.a", "discounts[0].quantity"],
        ),
        (("USD", 5, None), ["allowances", "discounts[0].quantity"]),
    ],
)
def test_a_fault_of_a_term_hides_no_fault_of_others(terms: Any, fields: list[str]) -> None:
    currency, allowances, base_fee = terms
    with pytest.raises(InvalidValues) as caught:
        Plan("p", currency, allowances, base_fee=base_fee, discounts=[Discount("q", quantity=3)])
    assert [error.field for error in caught.value.errors] == fields


def test_allowances_are_a_mapping() -> None:
    pairs: Any = [("tokens", TOKENS)]
    with pytest.raises(InvalidType, match=r"^allowances: must be a mapping of metrics to Allow"):
        Plan("starter", "USD", pairs)


def test_a_base_fee_is_in_the_currency_of_the_plan() -> None:
    with pytest.raises(CurrencyMismatch, match=r"^base_fee: USD and EUR can't be added"):
        Plan("starter", "USD", {}, base_fee=Money(4900, "EUR"))


def test_a_plan_does_not_change_with_the_mapping_that_it_was_made_of() -> None:
    allowances = {"tokens": TOKENS}
    plan = Plan("starter", "USD", allowances)
    allowances["seats"] = SEATS
    assert list(plan.allowances) == ["tokens"]


def test_allowances_can_be_read_only() -> None:
    allowances: Any = Plan("starter", "USD", {"tokens": TOKENS}).allowances
    with pytest.raises(TypeError):
        del allowances["tokens"]


def test_plans_are_equal_by_value_and_order_of_their_metrics() -> None:
    plan = Plan("starter", "USD", {"tokens": TOKENS, "seats": SEATS})
    same = Plan(
        "starter",
        Currency("USD"),
        {"tokens": Allowance("500000", PerUnit("0.00010")), "seats": SEATS},
        rounding=Rounding.HALF_UP,
    )
    assert len({plan, same}) == 1
    assert plan != Plan("starter", "USD", {"seats": SEATS, "tokens": TOKENS})


@pytest.mark.parametrize(
    "changed",
    [
        {"slug": "pro"},
        {"currency": "EUR"},
        {"allowances": {}},
        {"rounding": "half_even"},
        {"rounding_scope": "total"},
        {"base_fee": Money(0, "USD")},
    ],
)
def test_plans_differ_by_each_of_their_terms(changed: dict[str, Any]) -> None:
    terms: dict[str, Any] = {"slug": "p", "currency": "USD", "allowances": {"tokens": TOKENS}}
    assert Plan(**terms) != Plan(**{**terms, **changed})


def test_a_plan_with_an_unhashable_price_model_can_be_compared_all_the_same() -> None:
    plan = Plan("starter", "USD", {"tokens": Allowance(0, Free())})
    assert plan == Plan("starter", "USD", {"tokens": Allowance(0, Free())})
    with pytest.raises(TypeError, match="unhashable"):
        hash(plan)


def test_a_plan_shows_slug_currency_and_allowances() -> None:
    assert repr(Plan("starter", "USD", {"seats": SEATS})) == (
        "Plan(slug='starter', currency=Currency(code='USD'), "
        "allowances={'seats': Allowance(included=None, price=PerUnit(price=0))})"
    )


def test_a_plan_shows_what_is_unusual_of_its_other_terms() -> None:
    plan = Plan("p", "USD", {}, rounding="up", rounding_scope="total", base_fee=Money(5, "USD"))
    assert repr(plan) == (
        "Plan(slug='p', currency=Currency(code='USD'), allowances={}, "
        "rounding='up', rounding_scope='total', base_fee=Money(5, 'USD'))"
    )
    assert eval(repr(plan)) == plan


def test_a_plan_survives_pickling() -> None:
    graduated = Graduated([Tier(10, 2), Tier(None, 1)])
    plan = Plan("starter", "USD", {"tokens": TOKENS, "gpu": Allowance(0, graduated)})
    assert pickle.loads(pickle.dumps(plan)) == plan


def test_a_notebook_is_given_a_table_of_a_plan_with_all_its_rules() -> None:
    tiers = Graduated([Tier(10, price=2), Tier(None, price=1)])
    plan = Plan(
        "starter",
        "USD",
        {"tokens": TOKENS, "seats": SEATS, "runs": Allowance(0, tiers, minimum=ONE)},
        rounding="half_even",
        base_fee=Money(4900, "USD"),
    )
    page = plan._repr_html_()
    assert caption_of(page) == "Plan starter, USD"
    assert rows_of(page) == [
        ["metric", "included", "price"],
        ["tokens", "500,000", "0.0001"],
        ["seats", "unlimited", "0"],
        ["runs", "0", "graduated:"],
        ["", "", "up to 10: 2"],
        ["", "", "above 10: 1"],
        ["", "", "minimum: 1.00 USD"],
        ["all", "", "rounding: half_even, base fee: 49.00 USD"],
    ]


def test_a_hostile_plan_is_escaped_in_a_notebook() -> None:
    hostile = "<script>alert('&')</script>"
    page = Plan(hostile, Currency("<b>", 2), {hostile: TOKENS})._repr_html_()
    assert "<script" not in page
    assert "<b>" not in page


def test_rules_are_listed_by_name() -> None:
    assert rule_terms({}) == ""
    rules = {"included_per": "seats", "minimum": Money(100, "USD"), "increment": 10}
    assert rule_terms(rules) == "included per: seats, minimum: 1.00 USD, increment: 10"
