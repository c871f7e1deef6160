"""Records become invoice items on a real server."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from overages import Money
from overages.errors import InvalidValue, UnknownCustomer

from .world import INVOICES, ITEMS, World

pytest.importorskip("stripe")
pytest.importorskip("localstripe")


def draft_of(world: World, org_id: str = "org-1") -> str:
    params: Any = {"customer": world.customer(org_id), "pending_invoice_items_behavior": "exclude"}
    return str(world.client.v1.invoices.create(params=params).id)


def test_records_become_pending_items_of_their_amounts(world: World) -> None:
    records = world.records(3)
    delivery = world.attach(records)
    assert (delivery.records, delivery.delivered, delivery.sent) == (3, 3, 3)
    assert delivery.is_complete
    assert dict(delivery.problems) == {}
    assert delivery.invoices == ()
    assert world.holds(records)
    assert {item.invoice for item in world.items()} == {None}


def test_an_item_says_what_its_record_says(world: World) -> None:
    records = world.records(1)
    world.attach(records)
    (item,) = world.items()
    assert (item.amount, item.currency, item.description) == (959, "usd", "m1: 7 x 1.37")
    assert item.period.to_dict() == {"start": 1706745600, "end": 1709251199}
    assert item.metadata.to_dict() == {
        "overages_id": records[0].id,
        "org_id": "org-1",
        "period": "2024-02-01T00:00:00Z/2024-03-01T00:00:00Z",
        "metric": "m1",
        "line": "overage",
        "quantity": "7",
        "unit_price": "1.37",
        "exact_cost": "9.59",
        "cost": "9.59",
        "plan": "of-1",
        "plan_version": "1",
        "revision": "1",
        "sequence": "1",
    }


def test_records_that_were_delivered_are_not_sent_again_nor_looked_up(world: World) -> None:
    records = world.records(2)
    world.attach(records)
    world.proxy.calls.clear()
    delivery = world.attach([*records, *records])
    assert (delivery.records, delivery.sent, delivery.is_complete) == (2, 0, True)
    assert world.proxy.calls == []
    assert world.holds(records)


def test_a_correction_is_an_item_of_its_own_and_negative(world: World) -> None:
    world.attach(world.records(1, used=7))
    records = world.records(1, used=5)
    assert world.attach(records).sent == 1
    assert world.holds(records)
    assert sorted(item.amount for item in world.items()) == [-274, 959]


def test_orgs_go_to_their_own_customers(world: World) -> None:
    ours, theirs = world.records(2, "org-1"), world.records(2, "org-2")
    assert world.attach([*ours, *theirs]).is_complete
    assert world.holds(ours, "org-1")
    assert world.holds(theirs, "org-2")


def test_an_unknown_org_is_an_error_before_anything_is_written(world: World) -> None:
    records = [*world.records(1, "org-1"), *world.records(1, "org-2")]
    del world.customers["org-2"]
    with pytest.raises(UnknownCustomer, match="customers: must have a customer of Stripe's"):
        world.attach(records)
    assert world.outbox.entries("org-1", "stripe", [record.id for record in records]) == {}
    assert world.proxy.made(ITEMS) == []


def test_more_records_than_an_invoice_holds_are_refused_before_anything_is_written(
    world: World,
) -> None:
    records = world.records(251)
    with pytest.raises(InvalidValue, match="must be at most 250 for cus_"):
        world.attach(records)
    with pytest.raises(InvalidValue, match="must be at most 250 for cus_"):
        world.export().attach_to_invoice("in_1", records)
    assert world.proxy.made(ITEMS) == []


def test_records_go_on_a_draft_that_there_is(world: World) -> None:
    records, draft = world.records(3), draft_of(world)
    delivery = world.export().attach_to_invoice(draft, records)
    assert (delivery.is_complete, delivery.invoices) == (True, (draft,))
    assert world.holds(records)
    assert world.client.v1.invoices.retrieve(draft).total == sum(r.cost.minor for r in records)


@pytest.mark.parametrize("call", ["invoice", "subscription"])
def test_what_is_of_one_customer_takes_records_of_one_org(world: World, call: str) -> None:
    records = [*world.records(1, "org-1"), *world.records(1, "org-2")]
    export = world.export()
    calls: dict[str, Callable[[], object]] = {
        "invoice": lambda: export.attach_to_invoice("in_1", records),
        "subscription": lambda: export.attach_to_upcoming_invoice(records, subscription="sub_1"),
    }
    with pytest.raises(InvalidValue, match=f"must be of one org, whose the {call} is"):
        calls[call]()


def test_any_number_of_records_goes_on_drafts_of_250(world: World) -> None:
    records = world.records(260)
    delivery = world.export().attach_to_draft_invoices(records)
    assert (delivery.is_complete, delivery.sent, len(delivery.invoices)) == (True, 262, 2)
    assert world.holds(records)
    totals = [world.client.v1.invoices.retrieve(draft).total for draft in delivery.invoices]
    assert totals == [
        sum(record.cost.minor for record in part) for part in (records[:250], records[250:])
    ]
    again = world.export().attach_to_draft_invoices(records)
    assert (again.is_complete, again.sent, again.invoices) == (True, 0, delivery.invoices)


def test_records_that_came_later_get_a_draft_of_their_own(world: World) -> None:
    first = world.export().attach_to_draft_invoices(world.records(2, used=7))
    records = world.records(2, used=8)
    second = world.export().attach_to_draft_invoices(records)
    assert second.invoices[:1] == first.invoices
    assert len(second.invoices) == 2
    assert world.holds(records)


def test_what_is_attached_in_one_way_stays_there(world: World) -> None:
    records = world.records(2)
    world.attach(records)
    delivery = world.export().attach_to_draft_invoices(records)
    assert (delivery.is_complete, delivery.sent, delivery.invoices) == (True, 0, ())
    assert world.proxy.made(INVOICES) == []


def test_the_upcoming_invoice_of_a_subscription_takes_pending_items(world: World) -> None:
    records, subscription = world.records(12), world.subscribe()
    export = world.export()
    assert export.attach_to_upcoming_invoice(records, subscription=subscription).is_complete
    assert {item.subscription for item in world.items()} == {subscription}
    for preview in (export.preview("org-1"), export.preview("org-1", subscription=subscription)):
        assert dict(preview.records) == {record.id: record.cost for record in records}
        due = sum(record.cost.minor for record in records)
        assert preview.total == Money(1000 + due, "USD")


def test_a_preview_of_an_org_without_a_customer_is_refused(world: World) -> None:
    with pytest.raises(UnknownCustomer):
        world.export(customers=lambda _: None).preview("org-1")


def test_a_preview_that_stripe_has_not_is_its_error(world: World) -> None:
    import stripe

    world.customer()
    with pytest.raises(stripe.InvalidRequestError, match="No upcoming invoices"):
        world.export().preview("org-1")


def test_accounts_of_stripe_are_told_apart(world: World) -> None:
    records = world.records(1)
    assert world.attach(records, destination="stripe test").sent == 1
    assert world.outbox.entries("org-1", "stripe", [records[0].id]) == {}
    assert len(world.outbox.entries("org-1", "stripe test", [records[0].id])) == 1
