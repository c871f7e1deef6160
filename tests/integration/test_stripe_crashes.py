"""A process that dies anywhere, or that isn't alone, leaves one item for each record."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest

from overages.adapters.sqlite import SqliteOutbox, SqliteRepository
from overages.outbox import OutboxEntry

from .hazards import Crash, Crashing, rounds
from .world import DAY, ITEMS, NOW, World

pytest.importorskip("stripe")
pytest.importorskip("localstripe")


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
