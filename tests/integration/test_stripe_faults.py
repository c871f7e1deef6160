"""Whatever fails on the way, Stripe holds one item for each record in the end."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from overages.adapters.outbox import MemoryOutbox

from .hazards import refusing, rounds
from .proxy import FAULTS, error
from .world import DAY, INVOICES, ITEMS, World

stripe = pytest.importorskip("stripe")
pytest.importorskip("localstripe")

DONE = {"lost", "error after", "gateway"}
ENDS_THE_ROUND = {"dropped", "lost", "limited"}


@pytest.mark.parametrize("at", [0, 1, 2])
@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_leads_to_one_item(world: World, fault: str, at: int) -> None:
    records = world.records(3)
    world.proxy.faults.extend([None] * at + [fault])
    first = world.attach(records)
    assert list(first.problems) == [records[at].id]
    assert first.delivered == (at if fault in ENDS_THE_ROUND else 2)
    expected = {"error": 3}.get(fault, 1)
    assert rounds(lambda: world.attach(records)) == max(expected - 1, 1)
    assert world.holds(records)
    keys = set(world.proxy.made(ITEMS))
    second = {f"overages-{records[at].id}-2"} if fault == "error" else set()
    assert keys == {f"overages-{record.id}-1" for record in records} | second


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_with_a_draft_leads_to_one_draft(world: World, fault: str) -> None:
    records = world.records(2)
    world.proxy.faults.append(fault)
    first = world.export().attach_to_draft_invoices(records)
    assert list(first.problems) == [f"invoice-{records[0].id}"]
    assert (first.delivered, first.invoices) == (0, ())
    rounds(lambda: world.export().attach_to_draft_invoices(records))
    assert world.holds(records)
    params: Any = {"customer": world.customer()}
    assert len(world.client.v1.invoices.list(params=params).data) == 1


def test_a_round_that_has_ended_begins_no_draft(world: World) -> None:
    ours, theirs = world.records(1, "org-1"), world.records(1, "org-2")
    world.proxy.faults.append("dropped")
    first = world.export().attach_to_draft_invoices([*ours, *theirs])
    assert list(first.problems) == [f"invoice-{ours[0].id}"]
    assert len(world.proxy.made(INVOICES)) == 1
    assert world.export().attach_to_draft_invoices([*ours, *theirs]).is_complete
    assert world.holds(ours, "org-1")
    assert world.holds(theirs, "org-2")


@pytest.mark.parametrize("fault", FAULTS)
def test_the_librarys_own_retries_use_the_same_key(
    world: World, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stripe.HTTPClient, "_sleep_time_seconds", lambda *_, **__: 0)
    records, client = world.records(2), world.make_client(world.proxy.url, retries=2)
    world.proxy.faults.append(fault)
    rounds(lambda: world.attach(records, client=client))
    assert world.holds(records)


def test_a_refused_connection_leaves_all_for_later(world: World) -> None:
    records = world.records(3)
    failed = world.attach(records, client=refusing(world))
    assert (failed.delivered, list(failed.problems)) == (0, [records[0].id])
    assert world.items() == []
    assert world.attach(records).is_complete
    assert world.holds(records)


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("later", [DAY - timedelta(seconds=1), DAY, 30 * DAY], ids=str)
def test_a_key_that_may_be_forgotten_is_not_relied_on(
    world: World, fault: str, later: timedelta
) -> None:
    records = world.records(2)
    world.proxy.faults.append(fault)
    world.attach(records)
    world.wait(later)
    rounds(lambda: world.attach(records))
    assert world.holds(records)
    again = f"overages-{records[0].id}-2" in world.proxy.made(ITEMS)
    assert again == (fault not in DONE and (later >= DAY or fault == "error"))


def test_a_new_key_lasts_as_long_as_the_first(world: World) -> None:
    records = world.records(1)
    for _ in range(3):
        world.proxy.faults.append("dropped")
        world.attach(records)
        world.wait(DAY)
    world.attach(records)
    assert world.proxy.made(ITEMS) == [f"overages-{records[0].id}-{n}" for n in (1, 2, 3, 4)]
    assert world.holds(records)


@pytest.mark.parametrize("status", [500, 429, 400])
def test_without_the_list_nothing_is_sent_again(world: World, status: int) -> None:
    records = world.records(2)
    world.proxy.faults.append("lost")
    world.attach(records)
    world.proxy.list_faults.append(error(status, "No"))
    second = world.attach(records)
    assert records[0].id in second.problems
    assert world.proxy.made(ITEMS).count(f"overages-{records[0].id}-1") == 1
    assert world.attach(records).is_complete
    assert world.holds(records)


def test_a_refusal_of_one_lets_the_others_through_and_is_tried_as_told_then(world: World) -> None:
    ours, theirs = world.records(2, "org-1"), world.records(2, "org-2")
    right = world.customers["org-1"]
    world.customers["org-1"] = "cus_gone"
    first = world.attach([*ours, *theirs])
    assert (first.delivered, set(first.problems)) == (2, {record.id for record in ours})
    assert world.holds(theirs, "org-2")
    world.customers["org-1"] = right
    assert world.attach([*ours, *theirs]).is_complete
    assert world.holds(ours, "org-1")


def test_a_round_that_has_ended_still_knows_what_was_delivered(world: World) -> None:
    ours, theirs = world.records(2, "org-1"), world.records(2, "org-2")
    later = world.records(1, "org-3")
    world.attach(theirs)
    delivery = world.attach([*ours, *theirs, *later], client=refusing(world))
    assert (delivery.records, delivery.delivered) == (5, 2)
    assert world.outbox.entries("org-3", "stripe", [later[0].id]) == {}
    assert world.attach([*ours, *theirs, *later]).is_complete


def test_items_of_a_draft_that_is_gone_can_go_elsewhere(world: World) -> None:
    records = world.records(2)
    world.proxy.faults.extend([None, None, "dropped"])
    world.export().attach_to_draft_invoices(records)
    params: Any = {"customer": world.customer()}
    (draft,) = world.client.v1.invoices.list(params=params).data
    world.client.v1.invoices.delete(draft.id)
    refused = world.export().attach_to_draft_invoices(records)
    assert list(refused.problems) == [records[1].id]
    assert world.attach(records).is_complete
    assert world.holds(records)


def test_with_an_outbox_that_is_lost_stripe_gives_its_reply_again_for_a_day(world: World) -> None:
    records = world.records(2)
    world.attach(records)
    world.outbox = MemoryOutbox()
    assert world.attach(records).is_complete
    assert world.holds(records)


def test_with_an_outbox_that_is_lost_another_request_is_refused_and_then_looked_up(
    world: World,
) -> None:
    records = world.records(1)
    world.attach(records)
    world.outbox, right = MemoryOutbox(), world.customers["org-1"]
    world.customers["org-1"] = world.customer("org-2")
    first = world.attach(records)
    assert "same parameters" in first.problems[records[0].id]
    world.customers["org-1"] = right
    assert world.attach(records).is_complete
    assert world.holds(records)
    assert world.items("org-2") == []
