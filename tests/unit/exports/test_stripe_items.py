"""Records as invoice items, before anything is sent."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from decimal import Context, localcontext
from fractions import Fraction
from typing import Any

import pytest
from tests.recorded import AT, recorded, stored

from overages import (
    Allowance,
    Currency,
    Discount,
    Graduated,
    Money,
    OverageRecord,
    Package,
    Period,
    PerUnit,
    Plan,
    Statement,
    Tier,
    Usage,
    calculate,
)
from overages.errors import InvalidType, InvalidValue, InvalidValues, UnknownCustomer
from overages.exports.stripe import InvoiceItem, chunks, invoice_items
from overages.exports.stripe.items import inclusive_seconds
from overages.exports.stripe.texts import fitting, metadata, tiers_of
from overages.lines.overage import Overage
from overages.records.ledger import Ledger

FEBRUARY = Period.month(2024, 2)
CUSTOMERS = {"org-1": "cus_1", "org-2": "cus_2"}


def record(**named: Any) -> OverageRecord:
    given = {
        "metric": "tokens",
        "quantity": 7,
        "cost": Money(959, "USD"),
        "exact_cost": Fraction(9),
    }
    given |= {"digest": "0f" * 32} | named
    return stored("org-1", FEBRUARY, given.pop("metric"), **given)


def item_of(*args: Any, **named: Any) -> InvoiceItem:
    (item,) = invoice_items([record(*args, **named)], CUSTOMERS)
    return item


def tiered(used: int = 130) -> Statement:
    price = Graduated([Tier(100, price="0.10"), Tier(None, price="0.05", flat=1)])
    plan = Plan("p", "USD", {"tokens": Allowance(0, price), "runs": Allowance(0, PerUnit(2))})
    return calculate(plan, Usage("org-1", FEBRUARY, {"tokens": used, "runs": 3}))


def test_an_item_has_the_records_own_amount() -> None:
    item = item_of(cost=Money(-959, "USD"))
    assert (item.amount, item.currency, item.customer) == (-959, "usd", "cus_1")
    assert item.record_id == "0f" * 32


def test_what_is_sent_is_an_amount_and_never_a_price() -> None:
    item = item_of()
    assert item.params() == {
        "customer": "cus_1",
        "amount": 959,
        "currency": "usd",
        "description": item.description,
        "discountable": False,
        "metadata": dict(item.metadata),
        "period": {"start": 1706745600, "end": 1709251199},
    }
    assert item.params("in_1") == item.params() | {"invoice": "in_1"}
    (of_one,) = invoice_items([record()], CUSTOMERS, subscription="sub_1")
    assert of_one.params() == item.params() | {"subscription": "sub_1"}


@pytest.mark.parametrize(
    ("named", "said"),
    [
        ({"unit_price": Fraction(1, 3)}, "tokens: 7 x 1/3"),
        ({"quantity": 1_000_000, "unit_price": 2}, "tokens: 1,000,000 x 2"),
        ({}, "tokens: 7 for 9 USD"),
        ({"quantity": 0}, "tokens: 9 USD"),
        ({"quantity": -2, "unit_price": 2, "revision": 3}, "tokens, revision 3: -2 x 2"),
        ({"metric": None, "line": "minimum", "quantity": 0}, "minimum: 9 USD"),
        ({"metric": None, "line": "credit:g:1", "quantity": 0}, "credit g:1: 9 USD"),
        ({"metric": None, "line": "own_minimum", "quantity": 0}, "own minimum: 9 USD"),
        ({"metric": None, "line": "own_discount:a_b", "quantity": 0}, "own discount a_b: 9 USD"),
        ({"line": "trial", "quantity": 0}, "tokens, trial: 9 USD"),
        (
            {"line": "discount:launch", "quantity": 0, "revision": 2},
            "tokens, discount launch, revision 2: 9 USD",
        ),
    ],
    ids=str,
)
def test_a_description_says_quantity_and_price(named: dict[str, Any], said: str) -> None:
    assert item_of(**named).description == said


def test_metadata_says_what_the_record_says() -> None:
    item = item_of(unit_price=Fraction(1, 3), plan="starter", plan_version=2, sequence=9)
    assert dict(item.metadata) == {
        "overages_id": "0f" * 32,
        "org_id": "org-1",
        "period": "2024-02-01T00:00:00Z/2024-03-01T00:00:00Z",
        "metric": "tokens",
        "line": "overage",
        "quantity": "7",
        "unit_price": "1/3",
        "exact_cost": "9",
        "cost": "9.59",
        "plan": "starter",
        "plan_version": "2",
        "revision": "1",
        "sequence": "9",
    }


def test_metadata_writes_a_cost_in_full_however_fine_its_currency() -> None:
    plan = Plan("own", Currency("credits", 7), {"tokens": Allowance(0, PerUnit(0))})
    (record,) = recorded(calculate(plan, Usage("org-1", FEBRUARY, {"tokens": 1})))
    assert metadata(record, None)["cost"] == "0.0000000"


def test_metadata_leaves_out_what_is_not_there() -> None:
    item = item_of(metric=None, line="minimum", quantity=0)
    assert item.metadata.keys() & {"metric", "unit_price"} == set()


def test_a_statement_explains_its_records_by_tier() -> None:
    statement = tiered()
    items = invoice_items(recorded(statement), CUSTOMERS, statements=[statement])
    assert [item.description for item in items] == [
        "tokens: up to 100: 100 x 0.1 = 10; above 100: 30 x 0.05 + 1 flat = 2.5",
        "runs: 3 x 2",
    ]
    assert items[0].metadata["tier_1"] == "up to 100: 100 x 0.1 = 10"
    assert items[0].metadata["tier_2"] == "above 100: 30 x 0.05 + 1 flat = 2.5"
    assert items[1].metadata["tier_1"] == "3 x 2 = 6"


def test_tiers_that_go_on_from_what_was_charged_before_say_so() -> None:
    plan = tiered().plan
    price = plan.allowances["tokens"].price
    line = Overage("tokens", 30, 0, price, Money(300, "USD"), before=90)
    statement = Statement("org-1", FEBRUARY, plan, [line])
    (item,) = invoice_items(recorded(statement), CUSTOMERS, statements=[statement])
    assert item.description == (
        "tokens: up to 100: 100 x 0.1 = 10; above 100: 20 x 0.05 + 1 flat = 2;"
        " charged before: 90 = -9"
    )


def test_no_decimal_context_rounds_what_was_charged_before() -> None:
    line = Overage("tokens", 1, 0, PerUnit(1), Money(100, "USD"), before="123456.789")
    with localcontext(Context(prec=2)):
        assert tiers_of(line)[-1] == "charged before: 123,456.789 = -123,456.789"


def test_a_fee_that_was_due_without_any_unit_is_said_to_be_charged_before() -> None:
    price = Graduated([Tier(None, price=2, flat=5)], flat_at_zero=True)
    line = Overage("tokens", 3, 0, price, Money(600, "USD"), before=0)
    assert tiers_of(line) == ["3 x 2 + 5 flat = 11", "charged before: 0 = -5"]


def test_a_correction_is_not_explained_by_tiers_that_are_not_its_own() -> None:
    ledger = Ledger("org-1")
    ledger.add(tiered(), plan_version=1, created_at=AT)
    statement = tiered(used=120)
    records = ledger.add(statement, plan_version=1, created_at=AT).new
    (item,) = invoice_items(records, CUSTOMERS, statements=[statement])
    assert item.amount == -50
    assert item.description.startswith("tokens, revision 2: -10 ")
    assert "tier_1" not in item.metadata


def test_an_adjustment_has_no_tiers() -> None:
    plan = Plan(
        "p", "USD", {"runs": Allowance(0, PerUnit(2))}, discounts=[Discount("d", percent=50)]
    )
    statement = calculate(plan, Usage("org-1", FEBRUARY, {"runs": 3}))
    items = invoice_items(recorded(statement), CUSTOMERS, statements=[statement])
    assert [(item.amount, "tier_1" in item.metadata) for item in items] == [
        (600, True),
        (-300, False),
    ]


def test_a_statement_of_another_period_or_org_explains_nothing() -> None:
    statement = tiered()
    march = calculate(statement.plan, Usage("org-1", Period.month(2024, 3), {"tokens": 130}))
    items = invoice_items(recorded(statement), CUSTOMERS, statements=[march])
    assert all("tier_1" not in item.metadata for item in items)


def test_texts_are_as_short_as_stripe_wants_them() -> None:
    tiers = [Tier(i, price=i) for i in range(1, 60)] + [Tier(None, price=60)]
    plan = Plan("p", "USD", {"tokens": Allowance(0, Graduated(tiers))})
    statement = calculate(plan, Usage("org-1", FEBRUARY, {"tokens": 100}))
    (item,) = invoice_items(recorded(statement), CUSTOMERS, statements=[statement])
    assert len(item.description) == 500
    assert item.description.endswith("...")
    assert len(item.metadata) == 42
    assert "tier_30" in item.metadata
    assert fitting("x" * 500) == "x" * 500


@pytest.mark.parametrize(
    ("period", "last"),
    [
        (FEBRUARY, datetime(2024, 2, 29, 23, 59, 59, tzinfo=UTC)),
        (Period.parse("2024-02-01T00:00:00Z/2024-02-01T00:00:00.5Z"), FEBRUARY.start),
        (Period.parse("2024-01-31T23:59:59Z/2024-02-01T00:00:00.5Z"), FEBRUARY.start),
        (
            Period.parse("1969-12-31T23:59:58Z/1970-01-01T00:00:00Z"),
            datetime(1969, 12, 31, 23, 59, 59, tzinfo=UTC),
        ),
    ],
    ids=str,
)
def test_the_end_of_a_period_is_its_last_second(period: Period, last: datetime) -> None:
    start, end = inclusive_seconds(period)
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    assert epoch + timedelta(seconds=end) == last
    assert epoch + timedelta(seconds=start) == period.start.replace(microsecond=0)


def test_a_record_that_comes_twice_has_one_item() -> None:
    assert len(invoice_items([record(), record()], CUSTOMERS)) == 1


def test_customers_can_be_a_function() -> None:
    (item,) = invoice_items([record()], {"org-1": "cus_9"}.get)
    assert item.customer == "cus_9"


def test_all_that_is_wrong_is_said_at_once() -> None:
    records = [
        record(cost=Money(1, "KWD")),
        stored("org-3", FEBRUARY, "a", quantity=1, cost=Money(1, "USD"), exact_cost=1),
    ]
    with pytest.raises(InvalidValues) as caught:
        invoice_items(records, CUSTOMERS)
    assert [str(error) for error in caught.value.errors] == [
        "customers: must have a customer of Stripe's for each org, got 'org-3'",
        "records.0f0f0f0f.cost: must be in steps of 0.01 KWD for Stripe, got Money(1, 'KWD')",
    ]


def test_an_org_without_a_customer_is_an_error() -> None:
    with pytest.raises(UnknownCustomer) as caught:
        invoice_items([record()], {})
    assert caught.value.value == "org-1"
    with pytest.raises(InvalidValue, match=r"customers.org-1: must not be empty"):
        invoice_items([record()], {"org-1": ""})


def test_customers_are_a_mapping_or_a_function() -> None:
    wrong: Any = "cus_1"
    with pytest.raises(InvalidType, match="customers: must be a mapping, or a function"):
        invoice_items([record()], wrong)


@pytest.mark.parametrize("field", ["records", "statements"])
def test_what_is_no_record_or_statement_is_refused(field: str) -> None:
    wrong: Any = {"records": [], "statements": []} | {field: ["x"]}
    with pytest.raises(InvalidType, match=f"{field}: must be of type"):
        invoice_items(wrong["records"], CUSTOMERS, statements=wrong["statements"])


def test_an_item_is_hashable_and_its_metadata_can_be_read_only() -> None:
    item: Any = item_of()
    assert len({item, item_of()}) == 1
    with pytest.raises(TypeError):
        item.metadata["overages_id"] = "x"


def test_chunks_hold_250() -> None:
    assert [len(part) for part in chunks([0] * 501)] == [250, 250, 1]
    assert list(chunks([])) == []


def test_packages_have_no_unit_price() -> None:
    plan = Plan("p", "USD", {"tokens": Allowance(0, Package(5, 10))})
    statement = calculate(plan, Usage("org-1", FEBRUARY, {"tokens": 25}))
    plain, explained = (
        invoice_items(recorded(statement), CUSTOMERS, statements=known)[0]
        for known in ([], [statement])
    )
    assert plain.description == "tokens: 25 for 15 USD"
    assert explained.description == "tokens: 3 x 5 (packages of 10) = 15"


def test_items_are_made_without_the_official_library() -> None:
    code = "import overages.exports.stripe, sys; sys.exit('stripe' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
