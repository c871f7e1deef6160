"""Whatever fails on the way, Stripe holds one item for each record in the end."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterable
from datetime import timedelta
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest

from overages.adapters.sqlite import SqliteOutbox, SqliteRepository
from overages.outbox import OutboxEntry

from .proxy import FAULTS, error
from .world import DAY, INVOICES, ITEMS, NOW, World

stripe = pytest.importorskip("stripe")
pytest.importorskip("localstripe")

DONE = {"lost", "error after", "gateway"}
ENDS_THE_ROUND = {"dropped", "lost", "limited"}


class Crash(BaseException):
    """The process is gone."""


class Crashing:
    """An outbox before or after a write of which the process dies."""

    def __init__(self, world: World, method: str, *, written: bool) -> None:
        self.outbox, self.method, self.written = world.outbox, method, written

    def add(self, entries: Iterable[OutboxEntry]) -> frozenset[str]:
        return self._call("add", list(entries))  # type: ignore[no-any-return]

    def entries(self, *args: Any) -> Any:
        return self.outbox.entries(*args)

    def swap(self, old: OutboxEntry, new: OutboxEntry) -> bool:
        return self._call("swap", old, new)  # type: ignore[no-any-return]

    def _call(self, method: str, *args: Any) -> Any:
        if method == self.method and not self.written:
            raise Crash
        result = getattr(self.outbox, method)(*args)
        if method == self.method:
            raise Crash
        return result


def rounds(attach: Callable[[], Any], most: int = 6) -> int:
    """Return after how many rounds all is delivered."""
    for count in range(1, most + 1):
        if attach().is_complete:
            return count
    raise AssertionError("not delivered")


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


def refusing(world: World) -> Any:
    """Return a client whose connections are refused."""
    with socket.create_server(("127.0.0.1", 0)) as closed:
        return world.make_client(f"http://127.0.0.1:{closed.getsockname()[1]}")


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


@pytest.mark.parametrize("written", [False, True], ids=["before it", "after it"])
@pytest.mark.parametrize("method", ["add", "swap"])
@pytest.mark.parametrize("later", [timedelta(0), DAY], ids=str)
def test_a_crash_at_a_write_leads_to_one_item(
    world: World, method: str, written: bool, later: timedelta
) -> None:
    records, sound = world.records(3), world.outbox
    world.outbox = Crashing(world, method, written=written)
    with pytest.raises(Crash):
        world.attach(records)
    assert len(world.items()) == (0 if method == "add" else 1)
    world.outbox = sound
    world.wait(later)
    assert world.attach(records).is_complete
    assert world.holds(records)


@pytest.mark.parametrize("written", [False, True], ids=["before it", "after it"])
def test_a_crash_at_the_new_key_leads_to_one_item(world: World, written: bool) -> None:
    records, sound = world.records(1), world.outbox
    world.proxy.faults.append("dropped")
    world.attach(records)
    world.wait(DAY)
    world.outbox = Crashing(world, "swap", written=written)
    with pytest.raises(Crash):
        world.attach(records)
    world.outbox = sound
    assert world.attach(records).is_complete
    assert world.holds(records)


CHILD = """
import sys
from datetime import UTC, datetime
import stripe
from overages.adapters.sqlite import SqliteOutbox, SqliteRepository
from overages.exports.stripe import StripeExport
path, url, customer = sys.argv[1:]
client = stripe.StripeClient("sk_test_12345", base_addresses={"api": url}, max_network_retries=0)
with SqliteRepository(path) as repository, SqliteOutbox(path) as outbox:
    export = StripeExport(
        client,
        outbox,
        customers={"org-1": customer},
        clock=lambda: datetime(2024, 3, 1, 12, tzinfo=UTC),
    )
    export.attach_to_upcoming_invoice(repository.records("org-1"))
"""


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_process_killed_around_a_call_leads_to_one_item(
    world: World, tmp_path: Path, moment: str
) -> None:
    path = tmp_path / "overages.db"
    with SqliteRepository(path) as repository, SqliteOutbox(path) as world.outbox:
        records = repository.record(world.statement(3), created_at=NOW).records
        arguments = [str(path), world.proxy.url, world.customer()]
        child = subprocess.Popen([sys.executable, "-c", CHILD, *arguments])

        def kill() -> None:
            if len(world.proxy.made(ITEMS)) == 2 and child.poll() is None:
                os.kill(child.pid, signal.SIGKILL)
                child.wait()

        setattr(world.proxy, moment, kill)
        assert child.wait() == -signal.SIGKILL
        world.proxy.before = world.proxy.after = lambda: None
        kept = world.outbox.entries("org-1", "stripe", [record.id for record in records])
        assert sorted(entry.state for entry in kept.values()) == ["delivered", "open", "open"]
        rounds(lambda: world.attach(records), most=50)  # the call of the dead may last a while
        assert world.holds(records)


def test_two_rounds_at_once_make_one_item_each(world: World) -> None:
    records = world.records(6)
    found: list[Any] = []
    others = [
        Thread(target=lambda: found.append(world.attach(records)), daemon=True) for _ in range(4)
    ]
    for other in others:
        other.start()
    for other in others:
        other.join()
    assert len(found) == 4
    rounds(lambda: world.attach(records))
    assert world.holds(records)


@pytest.mark.parametrize("fault", ["error", "dropped"])
def test_two_rounds_that_find_a_dead_key_share_the_new_one(world: World, fault: str) -> None:
    """The slower one has read the entry and the list before the faster one gives it a new key."""
    records = world.records(1)
    world.proxy.faults.extend([fault, fault])
    world.attach(records)
    if fault == "error":
        world.attach(records)  # which learns that the key is used up
    else:
        world.wait(DAY)
    listed, go_on = Event(), Event()
    sound, slow = world.outbox, Crashing(world, "none", written=True)

    def wait_to_swap(old: OutboxEntry, new: OutboxEntry) -> bool:
        listed.set()
        assert go_on.wait(20)
        return sound.swap(old, new)

    slow.swap = wait_to_swap  # type: ignore[method-assign]
    slower = world.export(client=world.make_client(world.proxy.url))
    slower._outbox = slow
    found: list[Any] = []
    thread = Thread(target=lambda: found.append(slower.attach_to_upcoming_invoice(records)))
    thread.start()
    assert listed.wait(20)
    world.proxy.faults.clear()
    assert world.attach(records).is_complete
    go_on.set()
    thread.join()
    assert found[0].is_complete
    assert world.holds(records)


def test_a_call_that_is_being_done_is_not_done_again(world: World) -> None:
    """The first round's call hangs; the second doesn't find the item yet, and gets a 409."""
    records = world.records(1)
    begun, go_on = Event(), Event()

    def hang() -> None:
        begun.set()
        assert go_on.wait(20)

    world.proxy.before = hang
    client = world.make_client(world.proxy.url)
    thread = Thread(target=lambda: world.attach(records, client=client))
    thread.start()
    assert begun.wait(20)
    second = world.attach(records)
    assert "409" in str(second.problems) or "in progress" in str(second.problems)
    assert not second.is_complete
    world.proxy.before = lambda: None
    go_on.set()
    thread.join()
    assert world.attach(records).is_complete
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


def test_a_lost_outbox_is_noticed_while_stripe_has_the_keys(world: World) -> None:
    """Stripe has the key, with a request that was told another description."""
    records = world.records(1)
    world.attach(records)
    entry = world.outbox.entries("org-1", "stripe", [records[0].id])[records[0].id]
    world.outbox = type(world.outbox)()
    assert world.attach(records).is_complete
    assert world.holds(records)
    world.outbox = type(world.outbox)()
    statement = world.statement(1)
    export = world.export()
    changed = entry.request.replace("m1: 7", "changed: 7")
    other = OutboxEntry("org-1", "stripe", records[0].id, changed, world.now)
    world.outbox.add([other])
    first = export.attach_to_upcoming_invoice(records, statements=[statement])
    assert first.is_complete  # found by the list
    assert world.holds(records)


def test_a_key_of_another_request_is_a_refusal_that_the_next_round_looks_up(world: World) -> None:
    records = world.records(1)
    world.attach(records)
    world.outbox = type(world.outbox)()
    world.customers["org-1"], right = world.customer("org-2"), world.customers["org-1"]
    first = world.attach(records)
    assert "same parameters" in first.problems[records[0].id]
    world.customers["org-1"] = right


def test_a_thousand_records_with_faults_of_all_kinds_are_a_thousand_items(
    world: World, tmp_path: Path
) -> None:
    statement = world.statement(1000)
    world.customer()
    records = world.repository.record(statement, created_at=NOW).records
    with SqliteOutbox(tmp_path / "outbox.db") as outbox:
        outbox._database._connection.execute("PRAGMA synchronous = OFF")
        world.outbox = outbox
        faults = [
            fault for i in range(56) for fault in [*[None] * (3 + i % 11), FAULTS[i % len(FAULTS)]]
        ]
        world.proxy.faults.extend(faults)
        crashes = [("add", False), ("add", True), ("swap", False), ("swap", True)]
        delivered = False
        for i in range(200):
            world.outbox = outbox
            named: dict[str, Any] = {}
            if i % 7 == 3 and crashes:
                method, written = crashes.pop()
                world.outbox = Crashing(world, method, written=written)
            elif i % 7 == 5:
                named["client"] = refusing(world)
            try:
                delivery = world.export(**named).attach_to_draft_invoices(records)
            except Crash:
                continue
            if i % 9 == 8:
                world.wait(DAY)
            if delivery.is_complete:
                delivered = True
                break
        assert delivered
        assert not world.proxy.faults
        assert not crashes
    items = world.items()
    assert len(items) == len(records) == 1000
    assert {item.metadata["overages_id"] for item in items} == {r.id for r in records}
    assert sum(item.amount for item in items) == statement.total.minor
    totals = [world.client.v1.invoices.retrieve(draft).total for draft in delivery.invoices]
    assert sum(totals) == statement.total.minor
    assert len(set(world.proxy.made(INVOICES))) >= 4
