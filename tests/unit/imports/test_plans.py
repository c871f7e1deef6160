"""Plans and accounts from TOML."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from attrs import evolve

from overages import (
    Account,
    Allowance,
    CarryOver,
    Currency,
    Cycle,
    Exchanged,
    Graduated,
    Money,
    Package,
    Percentage,
    PerUnit,
    Plan,
    PriceModel,
    Rounding,
    Tier,
    Volume,
)
from overages.errors import OveragesError, UnknownPlan
from overages.imports.plans import read_plans

MINIMAL = """
[plans.p]
currency = "USD"
allowances.m = { included = 5, price = { model = "per_unit", price = "0.10" } }
"""


def faults(text: str) -> list[str]:
    with pytest.raises(OveragesError) as caught:
        read_plans(text)
    return [str(error) for error in caught.value.errors]


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
            {
                "tokens": Allowance(500_000, PerUnit("0.0001")),
                "seats": Allowance(None, PerUnit(0)),
            },
            rounding=Rounding.HALF_EVEN,
            rounding_scope="total",
            base_fee=Money(4900, "EUR"),
        )
    }


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


def test_the_only_plan_is_the_default_where_there_is_no_account() -> None:
    book = read_plans(MINIMAL)
    assert book.terms("anyone") == (book.plans["p"], {})


def test_an_account_has_its_plan_and_limits_and_others_have_none() -> None:
    book = read_plans(MINIMAL + '[accounts.acme]\nplan = "p"\nlimits = { m = "7.5" }')
    assert book.terms("acme") == (book.plans["p"], {"m": Decimal("7.5")})
    with pytest.raises(UnknownPlan, match=r"org_id: has no account, .*, got 'other'"):
        book.terms("other")


def test_an_account_has_a_status_and_a_cycle_if_it_says_so() -> None:
    book = read_plans(
        MINIMAL
        + """
        [accounts]
        usual = { plan = "p" }
        late = { plan = "p", status = "past_due", since = 2024-01-31T00:00:00Z }
        [accounts.acme]
        plan = "p"
        limits = { m = 7 }
        status = "trial"
        cycle = { anchor = 2024-01-31T01:00:00+01:00, every = 2, unit = "week", timezone = "UTC" }
        [accounts.text]
        plan = "p"
        cycle = { anchor = "2024-01-31T00:00:00Z", timezone = "Europe/Paris" }
        since = "2024-02-01T00:00:00+01:00"
        """
    )
    anchor = datetime(2024, 1, 31, tzinfo=UTC)
    fortnights = Cycle(anchor, every=2, unit="week")
    assert book.accounts == {
        "usual": Account("usual", "p"),
        "late": Account("late", "p", status="past_due", since=anchor),
        "acme": Account("acme", "p", {"m": 7}, status="trial", cycle=fortnights),
        "text": Account(
            "text",
            "p",
            cycle=Cycle(anchor, timezone="Europe/Paris"),
            since=datetime(2024, 1, 31, 23, tzinfo=UTC),
        ),
    }


@pytest.mark.parametrize(
    ("toml", "faulty"),
    [
        ("cycle = 5", ["cycle: must be a table, got 5"]),
        ("cycle = {}", ["cycle.anchor: must be given, got None"]),
        (
            "cycle = { anchor = 2024-01-31T00:00:00Z, zone = 'UTC' }",
            ["cycle.zone: isn't known; known here are anchor, every, unit, timezone, got 'UTC'"],
        ),
        (
            "cycle = { anchor = 2024-01-31T00:00:00 }",
            [
                "cycle.anchor: must have a timezone, got datetime.datetime(2024, 1, 31, 0, 0)",
            ],
        ),
        (
            "cycle = { anchor = 2024-01-31 }",
            ["cycle.anchor: must be a datetime, got datetime.date(2024, 1, 31)"],
        ),
        (
            "cycle = { anchor = '2024-01-31T00:00:00' }",
            [
                "cycle.anchor: must have a timezone, such as a Z at its end, "
                "got '2024-01-31T00:00:00'"
            ],
        ),
        (
            "since = 2024-01-31",
            ["since: must be a datetime, got datetime.date(2024, 1, 31)"],
        ),
        (
            "since = '2024-01-31'\nstatus = 'gone'",
            [
                "since: must be an ISO 8601 time such as 2024-02-01T12:30:00Z, got '2024-01-31'",
                "status: must be one of trial, active, past_due, canceled, got 'gone'",
            ],
        ),
        (
            "limits = { m = -1 }\nstatus = 'gone'\n"
            "cycle = { anchor = 2024-01-31T00:00:00Z, every = 0, unit = 'moon', timezone = 'X' }",
            [
                "cycle.every: must be from 1 to 1,000,000, got 0",
                "cycle.unit: must be one of hour, day, week, month, quarter, year, got 'moon'",
                "cycle.timezone: must be the IANA name of a timezone known here, such as "
                "Europe/Paris, got 'X'",
                "limits.m: must not be negative, got -1",
                "status: must be one of trial, active, past_due, canceled, got 'gone'",
            ],
        ),
    ],
)
def test_every_fault_of_an_account_is_named_by_its_path(toml: str, faulty: list[str]) -> None:
    found = faults(f'{MINIMAL}[accounts.acme]\nplan = "p"\n{toml}')
    assert found == [f"accounts.acme.{fault}" for fault in faulty]


def test_a_book_says_which_orgs_are_on_a_plan_that_keeps_something() -> None:
    book = read_plans(MINIMAL + '[accounts.acme]\nplan = "p"')
    assert not book.keeps
    rolling = Plan("q", "USD", {"m": Allowance(5, PerUnit(1), carry_over=CarryOver())})
    accounts = {**book.accounts, "globex": Account("globex", "q")}
    book = evolve(book, plans={**book.plans, "q": rolling}, accounts=accounts)
    assert book.keeps
    assert [book.keeps_for(org) for org in ("acme", "globex", "other")] == [False, True, False]
    assert evolve(book, default_plan="q").keeps_for("other")


def test_the_default_plan_is_for_orgs_without_an_account() -> None:
    book = read_plans('default_plan = "p"\n' + MINIMAL + '[accounts.acme]\nplan = "p"')
    assert book.terms("other") == (book.plans["p"], {})


def test_what_is_no_toml_is_refused() -> None:
    (fault,) = faults("plans = ")
    assert fault.startswith("plans: must be a TOML text, got ")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ["plans: must be given, got None"]),
        ("plans = 5", ["plans: must be a table, got 5"]),
        ("plans.p = 5", ["plans.p: must be a table, got 5"]),
        (
            MINIMAL.replace("currency", "curency"),
            [
                "plans.p.currency: must be given, got None",
                "plans.p.curency: isn't known; known here are currency, allowances, rounding, "
                "rounding_scope, base_fee, got 'USD'",
            ],
        ),
        (
            MINIMAL.replace("per_unit", "per_mile"),
            [
                "plans.p.allowances.m.price.model: must be one of per_unit, package, graduated, "
                "volume, percentage, exchanged, got 'per_mile'"
            ],
        ),
        (
            MINIMAL.replace(
                '"per_unit", price = "0.10"', '"exchanged", rate = 1, price = { price = 1 }'
            ),
            [
                "plans.p.allowances.m.price.price.model: must be one of per_unit, package, "
                "graduated, volume, percentage, exchanged, got None"
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
            ["plans.p.allowances.m.price.tiers: must be a list of tables, got 5"],
        ),
        (
            MINIMAL.replace('"per_unit", price = "0.10"', '"volume", tiers = [{ price = nan }]'),
            [
                "plans.p.allowances.m.price.tiers[0].price: must be a finite number, "
                "got Decimal('NaN')"
            ],
        ),
        (
            'default_plan = "q"\n' + MINIMAL + '[accounts]\na.plan = "r"\n'
            'b = { plan = "p", limits = { x = 1 } }',
            [
                "default_plan: must be one of the plans, got 'q'",
                "accounts.a.plan: must be one of the plans, got 'r'",
                "accounts.b.limits.x: 'x' is not in plan 'p'",
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
