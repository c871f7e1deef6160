"""Plans from a billing table: what its fields come to, and what is refused."""

from decimal import Decimal
from typing import Any

import pytest
from tests.told import told

from overages import Allowance, Currency, Money, PerUnit, Plan
from overages.errors import InvalidValue, InvalidValues, UnknownCurrency
from overages.imports.monthly_fields import plan_from_monthly_fields

MONTHLY: dict[str, Any] = {
    "included_tokens_monthly": 500_000,
    "included_playbook_runs_monthly": 50,
    "included_seats": 3,
    "overage_token_price_milli_cents": 10,
    "overage_playbook_run_price_cents": 100,
}


def test_monthly_fields_become_allowances_priced_in_major_units() -> None:
    plan = plan_from_monthly_fields("starter", **MONTHLY)
    assert plan == Plan(
        "starter",
        "USD",
        {
            "tokens": Allowance(500_000, PerUnit("0.0001")),  # 10 thousandths of a cent
            "playbook_runs": Allowance(50, PerUnit("1.00")),
            "seats": Allowance(3, PerUnit(0), kind="level"),  # they are held
        },
    )


def test_monthly_fields_may_price_seats_and_the_plan_itself() -> None:
    plan = plan_from_monthly_fields(
        "pro", **MONTHLY, overage_seat_price_cents="1500", monthly_price_cents=4900
    )
    assert plan.allowances["seats"].price == PerUnit(15)
    assert plan.base_fee == Money(4900, "USD")


def test_a_monthly_field_may_be_unlimited() -> None:
    fields = {**MONTHLY, "included_tokens_monthly": None, "included_seats": None}
    plan = plan_from_monthly_fields("pro", **fields)
    assert [a.included for a in plan.allowances.values()] == [None, 50, None]


@pytest.mark.parametrize(
    ("currency", "token_price", "run_price"),
    [
        ("USD", "0.0001", 1),
        ("JPY", "0.01", 100),
        ("KWD", "0.00001", "0.1"),
        (Currency("credits", 0), "0.01", 100),
    ],
)
def test_monthly_prices_are_in_minor_units_of_the_currency(
    currency: Any, token_price: str, run_price: Any
) -> None:
    plan = plan_from_monthly_fields("starter", **MONTHLY, currency=currency)
    assert plan.allowances["tokens"].price == PerUnit(token_price)
    assert plan.allowances["playbook_runs"].price == PerUnit(run_price)


def test_monthly_prices_may_have_decimals() -> None:
    fields = {**MONTHLY, "overage_token_price_milli_cents": Decimal("0.25")}
    price = plan_from_monthly_fields("starter", **fields).allowances["tokens"].price
    assert price == PerUnit("0.0000025")


def test_monthly_fields_with_many_faults_report_them_all() -> None:
    fields = {
        "included_tokens_monthly": -1,
        "included_playbook_runs_monthly": 1.5,
        "included_seats": "three",
        "overage_token_price_milli_cents": None,
        "overage_playbook_run_price_cents": -100,
        "overage_seat_price_cents": True,
        "monthly_price_cents": -4900,
    }
    with pytest.raises(InvalidValues) as caught:
        plan_from_monthly_fields("starter", **fields)  # type: ignore[arg-type]
    assert told(caught.value) == (
        "7 problems:\n"
        "- included_tokens_monthly: must not be negative, got -1\n"
        "- included_playbook_runs_monthly: must be an int, a Decimal or a decimal string, "
        "got 1.5\n"
        "- included_seats: must be a plain decimal number such as 12.5, got 'three'\n"
        "- overage_token_price_milli_cents: must be an int, a Decimal or a decimal string, "
        "got None\n"
        "- overage_playbook_run_price_cents: must not be negative, got -100\n"
        "- overage_seat_price_cents: must be an int, a Decimal or a decimal string, got True\n"
        "- monthly_price_cents: must not be negative, got -4900"
    )


def test_a_monthly_price_that_comes_to_over_12_decimals_is_refused() -> None:
    fields = {**MONTHLY, "overage_token_price_milli_cents": "0.00000001"}
    with pytest.raises(InvalidValue, match=r"^overage_token_price_milli_cents: must have at most"):
        plan_from_monthly_fields("starter", **fields)


def test_monthly_fields_are_in_a_known_currency() -> None:
    with pytest.raises(UnknownCurrency, match=r"^currency: must be an ISO 4217 code"):
        plan_from_monthly_fields("starter", **MONTHLY, currency="usd")
