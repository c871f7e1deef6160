"""Plans and accounts from TOML."""

import re
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Context, Decimal, InvalidOperation, localcontext
from fractions import Fraction
from typing import Any

import pytest
from tests.plan_files import FILE_BLOCKS, MINIMAL, faults, read_blocks

from overages import (
    Allowance,
    CarryOver,
    Commitment,
    Conversion,
    Currency,
    Cycle,
    Discount,
    Exchanged,
    Graduated,
    Money,
    Package,
    Percentage,
    PerUnit,
    Plan,
    PriceModel,
    Proration,
    Rounding,
    Tier,
    TierCharge,
    Volume,
)
from overages._ground.value import parsers_of
from overages.imports.plans import json_schema, read_plans
from overages.prices.registry import PRICE_MODELS
from overages.prices.tier import Charge

FIRST = "here or in the database, p: the plan comes first, in a file that is applied before, or"
FIRST += " in this one"

MODELS = {re.sub("(?<=[a-z])(?=[A-Z])", "_", kind.__name__).lower() for kind in PRICE_MODELS}


def listed(names: set[str]) -> str:
    """Return names as a message lists them."""
    return ", ".join(sorted(names))


def price_of(toml: str) -> PriceModel:
    text = f'plans.p = {{ currency = "USD", allowances.m = {{ included = 0, price = {toml} }} }}'
    return read_plans(text).plans["p"].allowances["m"].price


def test_a_plan_is_read_as_it_would_be_written_in_python() -> None:
    book = read_plans(
        """
        [plans.starter]
        currency = "EUR"
        rounding = "half_even"
        rounding_scope = "total"
        base_fee = "49.00"
        [plans.starter.allowances]
        tokens = { included = 500_000, price = { model = "per_unit", price = 0.0001 } }
        seats = { included = "unlimited", price = { model = "per_unit", price = 0 } }
        """
    )
    assert book.plans == {
        "starter": Plan(
            "starter",
            "EUR",
            {"tokens": Allowance(500_000, PerUnit("0.0001")), "seats": Allowance(None, PerUnit(0))},
            rounding=Rounding.HALF_EVEN,
            rounding_scope="total",
            base_fee=Money(4900, "EUR"),
        )
    }


TERMS = """
[plans.team]
currency = "EUR"
maximum = "900.00"
minimum = 100
proration = "seconds"

[[plans.team.discounts]]
name = "launch"
percent = 12.5

[[plans.team.discounts]]
name = "voucher"
amount = "5.00"

[plans.team.allowances.seats]
included = "unlimited"
price = { model = "per_unit", price = 0 }

[plans.team.allowances.tokens]
included = 1_000
included_per = "seats"
price = { model = "per_unit", price = "0.02" }
proration = "days_30_360"
increment = 100
increment_rounding = "up"
maximum = "500.00"
minimum = 0.5

[plans.team.allowances.tokens.conversion]
multiply = 2
divide = 1_000
increment = 0.01
minimum = 1
rounding = "half_even"

[plans.team.allowances.tokens.carry_over]
up_to = 200_000
share = 0.5
expires_after = 3
draw = "included_first"
overage = "carried"
increment = 10
rounding = "up"

[plans.team.allowances.tokens.commitment]
amount = "100.00"
overage_factor = 1.5
true_up = false

[[plans.team.allowances.tokens.discounts]]
name = "welcome"
quantity = 1_000

[plans.team.allowances.storage]
included = 12_000
price = { model = "per_unit", price = 1 }
included_for = { anchor = 2024-01-01T00:00:00Z, unit = "year" }
commitment = { quantity = 20_000 }
"""


def test_every_term_can_be_written() -> None:
    tokens = Allowance(
        1_000,
        PerUnit("0.02"),
        conversion=Conversion(2, 1_000, "0.01", 1, "half_even"),
        included_per="seats",
        carry_over=CarryOver(
            200_000, "0.5", 3, "included_first", "carried", increment=10, rounding="up"
        ),
        proration="days_30_360",
        increment=100,
        increment_rounding="up",
        discounts=[Discount("welcome", quantity=1_000)],
        commitment=Commitment(Money(10_000, "EUR"), overage_factor="1.5", true_up=False),
        maximum=Money(50_000, "EUR"),
        minimum=Money(50, "EUR"),
    )
    storage = Allowance(
        12_000,
        PerUnit(1),
        included_for=Cycle(datetime(2024, 1, 1, tzinfo=UTC), unit="year"),
        commitment=Commitment(quantity=20_000),
    )
    assert read_plans(TERMS).plans["team"] == Plan(
        "team",
        "EUR",
        {"seats": Allowance(None, PerUnit(0)), "tokens": tokens, "storage": storage},
        discounts=[
            Discount("launch", percent="12.5"),
            Discount("voucher", amount=Money(500, "EUR")),
        ],
        maximum=Money(90_000, "EUR"),
        minimum=Money(10_000, "EUR"),
        proration="seconds",
    )


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ('"900.00"', '"900.001"', ["maximum: must have at most 2 decimals in EUR, or name a ro"]),
        ('"900.00"', "true", ["maximum: must be an int, a Decimal or a decimal string, got Tr"]),
        ('"900.00"', "50", ["minimum: must not be above the maximum, 50.00 EUR"]),
        ('"launch"', '"voucher"', ["discounts[1].name: must be given once, got 'voucher'"]),
        ('"5.00"', '"5.x"', ["discounts[1].amount: must be a plain decimal number"]),
        ("percent = 12.5", "", ["discounts[0].percent: must be given, or amount or quantity, got"]),
        ("percent", "per_cent", ["discounts[0].per_cent: isn't known (did you mean 'percent'?)"]),
        ("percent = 12.5", "quantity = 5", ["discounts[0].quantity: must be None: units are"]),
        (
            "increment = 10\n",
            "increment = 0\n",
            ["allowances.tokens.carry_over.increment: must be"],
        ),
        ("share = 0.5", "share = -1", ["allowances.tokens.carry_over.share: must not be negative"]),
        ("share =", "part =", ["allowances.tokens.carry_over.part: isn't known; known here are"]),
        ("divide =", "by =", ["allowances.tokens.conversion.by: isn't known; known here are mu"]),
        ('"100.00"', "-1", ["allowances.tokens.commitment.amount: must not be negative, got"]),
        ("20_000 }", "1, of = 2 }", ["allowances.storage.commitment.of: isn't known; known her"]),
        ('per = "seats"', 'per = "x"', ["allowances.tokens.included_per: must be another metric"]),
        ('"year"', '"age"', ["allowances.storage.included_for.unit: must be one of hour, day,"]),
        ("storage]\nincluded = 12_000", "storage]", ["allowances.storage.included: must be given"]),
        (
            'currency = "EUR"',
            'currency = "ERU"\nbase_fee = "x"',
            ["currency: must be an ISO 4217 code", "base_fee: must be a plain decimal number"],
        ),
        (
            'currency = "EUR"\nmaximum = "900.00"',
            'currency = "ERU"\nmaximum = "900.001"',
            ["currency: must be an ISO 4217 code"],
        ),
    ],
)
def test_every_fault_of_a_term_is_named_by_its_path(
    old: str, new: str, expected: list[str]
) -> None:
    assert old in TERMS
    found = faults(TERMS.replace(old, new, 1))
    assert len(found) == len(expected), found
    for fault, start in zip(found, expected, strict=True):
        assert fault.startswith(f"plans.team.{start}"), fault


def test_discounts_are_a_list_of_tables() -> None:
    found = faults(MINIMAL.replace("allowances", "discounts = 5\nallowances"))
    assert found == ["plans.p.discounts: must be a list, got 5"]


def test_the_terms_in_the_reference_are_read() -> None:
    """Its first TOML block is a whole file, to which the others add."""
    first, more, dated = FILE_BLOCKS
    assert list(read_plans(first).plans) == ["starter"]
    team = read_plans(first + more).plans["team"]
    terms = set(parsers_of(Allowance))
    usual = Allowance(0, PerUnit(1))
    said = {
        name
        for name in terms
        for allowance in team.allowances.values()
        if getattr(allowance, name) != getattr(usual, name)
    }
    assert said == terms
    assert team.discounts and team.maximum and team.minimum  # noqa: PT018
    assert team.proration is Proration.SECONDS
    book = read_blocks(first + more + dated)
    april, july = (version.plan.allowances["tokens"] for version in book.versions["team"][1:])
    assert (april.price, july.price) == (PerUnit("0.025"), Package(1, size=100))
    assert (april.commitment is None, july.commitment is None) == (False, True)
    assert list(book.plans["agency"].allowances) == [*["seats", "tokens", "exports", "eu_calls"]]
    assert book.plans["models"].allowances["gpt-4/in"] == Allowance(
        100_000, PerUnit("2.5", per=1_000_000)
    )
    assert list(book.metrics) == ["seats", "eu_calls"]
    assert [grant.id for grant in book.grants["org-7"]] == ["welcome", "top-up"]


@pytest.mark.parametrize(
    ("toml", "model"),
    [
        ('{ model = "per_unit", price = "1", per = 60 }', PerUnit(1, per=60)),
        ('{ model = "package", price = 4, size = 100 }', Package(4, 100)),
        (
            '{ model = "package", price = 4, size = 9, count = "completed" }',
            Package(4, 9, count="completed"),
        ),
        ('{ model = "percentage", percent = 1.3 }', Percentage("1.3")),
        (
            '{ model = "graduated", tiers = [{ up_to = 5, price = 2 }, { price = 1, flat = 3 }] }',
            Graduated([Tier(5, 2), Tier(None, 1, 3)]),
        ),
        (
            '{ model = "volume", tiers = [{ flat = 2, size = 10 }], flat_at_zero = true }',
            Volume([Tier(None, flat=2, size=10)], flat_at_zero=True),
        ),
        (
            '{ model = "graduated", tiers = [{ price = 2, maximum = 7.5 }] }',
            Graduated([Tier(None, 2, maximum="7.5")]),
        ),
        (
            '{ model = "exchanged", rate = 0.5, price = { model = "per_unit", price = 2 } }',
            Exchanged(PerUnit(2), "0.5"),
        ),
        (
            '{ model = "exchanged", rate = 1, per = 3, price = { model = "per_unit", price = 1 } }',
            Exchanged(PerUnit(1), 1, per=3),
        ),
    ],
)
def test_every_price_model_can_be_written(toml: str, model: PriceModel) -> None:
    assert price_of(toml) == model


def test_a_toml_float_is_read_digit_by_digit() -> None:
    price = price_of('{ model = "per_unit", price = 0.000000000001 }')
    assert price == PerUnit(Decimal("0.000000000001"))


def test_a_unit_of_the_hosts_own_is_a_currency_with_an_exponent() -> None:
    book = read_plans(MINIMAL.replace('"USD"', '{ code = "credits", exponent = 1 }'))
    assert book.plans["p"].currency == Currency("credits", 1)


def test_what_is_no_toml_is_refused() -> None:
    (fault,) = faults("plans = ")
    assert fault.startswith("plans: must be a TOML text: Invalid value")
    (fault,) = faults("[plans.p]\n\ncurrency = USD\n")
    assert fault.endswith("(at line 3, column 12), got 'currency = USD'")


def test_a_word_for_units_without_a_limit_may_be_misspelt() -> None:
    (fault,) = faults(MINIMAL.replace("= 5", '= "unlimted"'))
    assert fault == (
        'plans.p.allowances.m.included: must be a number, or "unlimited" '
        "(did you mean 'unlimited'?), got 'unlimted'"
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plans = 5", ["plans: must be a mapping, got 5"]),
        ("plans.p = 5", ["plans.p: must be a mapping, got 5"]),
        (
            MINIMAL.replace("currency", "curency"),
            [
                "plans.p.curency: isn't known (did you mean 'currency'?); known here are currency, "
                "allowances, rounding, rounding_scope, base_fee, discounts, maximum, minimum, "
                "proration, prices, since, extends, drop, versions, got 'USD'",
                "plans.p.currency: must be given, got None",
            ],
        ),
        (
            MINIMAL.replace("per_unit", "per_mile"),
            [
                f"plans.p.allowances.m.price.model: must be one of {listed(MODELS)} "
                "(did you mean 'per_unit'?), got 'per_mile'"
            ],
        ),
        (
            MINIMAL.replace(
                '"per_unit", price = "0.10"', '"exchanged", rate = 1, price = { price = 1 }'
            ),
            [
                "plans.p.allowances.m.price.price.model: must be one of "
                f"{listed(MODELS - {'exchanged'})}, got None"
            ],
        ),
        (
            MINIMAL.replace('"0.10"', '"0,10"'),
            [
                "plans.p.allowances.m.price.price: must be a plain decimal number such as 12.5, "
                "got '0,10'"
            ],
        ),
        (
            MINIMAL.replace('"per_unit", price = "0.10"', '"volume", tiers = 5'),
            ["plans.p.allowances.m.price.tiers: must be a list, got 5"],
        ),
        (
            MINIMAL.replace('"per_unit", price = "0.10"', '"volume", tiers = [{ price = nan }]'),
            ["plans.p.allowances.m.price.tiers[0].price: must be a finite number, got NaN"],
        ),
        (
            'default_plan = "q"\n'
            + MINIMAL
            + '[accounts]\na = { plan = "r", since = 2024-01-01T00:00:00Z }\n'
            'b = { plan = "p", since = 2024-01-01T00:00:00Z, limits = { x = 1 } }',
            [
                f"default_plan: must be one of the plans, {FIRST}, got 'q'",
                f"accounts.a.plan: must be one of the plans, {FIRST}, got 'r'",
                "accounts.b.limits.x: 'x' is not in plan 'p', whose metrics are: m",
            ],
        ),
        (
            MINIMAL.replace("= 5", "= -5").replace("USD", "UDS"),
            [
                "plans.p.currency: must be an ISO 4217 code such as USD, or a Currency with an "
                "exponent, got 'UDS'",
                "plans.p.allowances.m.included: must not be negative, got -5",
            ],
        ),
    ],
)
def test_every_fault_is_named_by_its_path(text: str, expected: list[str]) -> None:
    assert faults(text) == expected


def test_a_file_needs_no_plans() -> None:
    assert read_plans("").plans == {}


# Texts that were made to do harm


@pytest.mark.parametrize(
    "text",
    [
        "x = " + "[" * 5_000 + "]" * 5_000,
        "x = " + "{ a = " * 5_000,
        MINIMAL + "rounding = " + "[" * 5_000 + "]" * 5_000,
    ],
    ids=["arrays", "tables", "within a plan"],
)
def test_deep_nesting_is_refused(text: str) -> None:
    (fault,) = faults(text)
    assert fault.startswith(
        "plans: must be a TOML text that is not nested as deep as this one, got"
    )


@pytest.mark.parametrize("key", ["a" + ".a" * 5_000 + " = 1", "[" + "a." * 5_000 + "a]"])
def test_deep_tables_of_dotted_keys_are_no_plans(key: str) -> None:
    (unknown,) = faults(key)
    assert unknown.startswith(
        "a: isn't known; known here are plans, accounts, default_plan, timezone, metrics, grants, b"
    )


@pytest.mark.parametrize("limit", [4_300, 0])
def test_an_integer_of_5_000_digits_is_refused_whatever_python_converts(limit: int) -> None:
    before = sys.get_int_max_str_digits()
    sys.set_int_max_str_digits(limit)
    try:
        (fault,) = faults(MINIMAL.replace("included = 5", f"included = {'9' * 5_000}"))
    finally:
        sys.set_int_max_str_digits(before)
    assert fault.startswith(
        "plans: must be a TOML text: Exceeds the limit"
        if limit
        else "plans.p.allowances.m.included: must have at most 26 integer digits, got"
    )


@pytest.mark.parametrize("traps", [[], [InvalidOperation]])
@pytest.mark.parametrize(
    ("number", "problem"),
    [
        ("1e999999999999999999999", "must have at most 1000 digits on a side, got '1e9999"),
        ("1e999999999", "must have at most 26 integer digits, got"),
        ("1e-999999999", "must have at most 12 decimal digits, got"),
        (f"1.{'9' * 5_000}", "must have at most 12 decimal digits, got 1.999"),
        ("inf", "must be a finite number, got Infinity"),
        ("nan", "must be a finite number, got NaN"),
    ],
    ids=["endless", "large", "small", "long", "inf", "nan"],
)
def test_a_float_beyond_all_bounds_is_refused_under_any_context(
    number: str, problem: str, traps: list[type[ArithmeticError]]
) -> None:
    with localcontext(Context(traps=traps)):  # type: ignore[arg-type]
        (fault,) = faults(MINIMAL.replace("included = 5", f"included = {number}"))
    assert fault.startswith(f"plans.p.allowances.m.included: {problem}")


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ('default_plan = ["p"]' + MINIMAL, "default_plan: must be a str, got ['p']"),
        (MINIMAL + "\0", "plans: must be a TOML text: Invalid statement"),
        ("\ufeff" + MINIMAL, "plans: must be a TOML text: Invalid statement"),
        ('plans."\\uD800" = 1', "plans: must be a TOML text: Escaped character"),
        (
            MINIMAL.replace('"per_unit"', "[1]"),
            f"plans.p.allowances.m.price.model: must be one of {listed(MODELS)}, got ",
        ),
        (
            'accounts.a = { plan = "p", since = 2024-01-01T00:00:00Z,'
            ' cycle = { anchor = "2024-01-01", timezone = "a\\u0000" } }' + MINIMAL,
            "accounts.a.cycle.anchor: must ",
        ),
    ],
    ids=range(6),
)
def test_values_of_a_wrong_kind_are_named(text: str, fault: str) -> None:
    assert faults(text)[0].startswith(fault)


def test_unknown_keys_are_named_in_their_order() -> None:
    found = faults(MINIMAL + "".join(f"{key} = 1\n" for key in "zebra"))
    assert [fault.split(":")[0] for fault in found] == [f"plans.p.{key}" for key in "zebra"]


@dataclass(frozen=True)
class Peak:
    """A price model of a host's own."""

    peak: int
    price: Decimal = Decimal(1)

    def charge(self, quantity: Any, /) -> Charge:
        return Charge([TierCharge(Tier(self.peak, self.price), quantity)])


def test_a_file_may_have_price_models_of_a_host() -> None:
    text = MINIMAL.replace('"per_unit", price = "0.10"', '"peak", peak = 100, price = 0.5')
    plan = read_plans(text, price_models=[Peak]).plans["p"]
    assert plan.allowances["m"].price == Peak(100, Decimal("0.5"))
    assert "Peak" in json_schema([Peak])["$defs"]
    assert "Peak" not in json_schema()["$defs"]
    (fault,) = faults(text)
    assert fault.startswith(f"plans.p.allowances.m.price.model: must be one of {listed(MODELS)}, ")


def test_accounts_are_a_table_of_tables() -> None:
    assert faults(f"accounts = 5\n{MINIMAL}") == ["accounts: must be a mapping, got 5"]
    assert faults(f"accounts.a = 5\n{MINIMAL}") == ["accounts.a: must be a mapping, got 5"]


def test_a_table_doesn_t_repeat_its_name() -> None:
    (fault,) = faults(MINIMAL.replace("currency", 'slug = "q"\ncurrency'))
    assert fault.startswith("plans.p.slug: isn't known; known here are currency, allowances, ")


def test_a_currency_of_a_host_s_own_is_a_table() -> None:
    text = MINIMAL.replace('"USD"', '{ code = "credits", exponent = 0 }')
    assert read_plans(text).plans["p"].currency == Currency("credits", 0)


def test_a_share_may_be_a_fraction() -> None:
    text = MINIMAL.replace("included = 5", 'included = 5, carry_over = { share = "1/3" }')
    rule = read_plans(text).plans["p"].allowances["m"].carry_over
    assert rule == CarryOver(share=Fraction(1, 3))
