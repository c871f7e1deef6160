"""Whatever fails, in whatever order and however late, Stripe has each item once in the end."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given, strategies as st

from overages.adapters.outbox import MemoryOutbox
from overages.exports.stripe.courier import Courier, write_request
from overages.exports.stripe.server import CallFailed, Kind
from overages.outbox import OutboxEntry

from .effort import many

START = datetime(2024, 3, 1, tzinfo=UTC)
IDS = [f"{i:064x}" for i in range(4)]

GOOD, LOST, DROPPED, STORED, STORED_AFTER, REFUSED, BUSY = range(7)
CALLS = st.sampled_from([GOOD, GOOD, LOST, DROPPED, STORED, STORED_AFTER, REFUSED, BUSY])


class Crash(BaseException):
    """The process is gone."""


class Server:
    """Stripe, as it treats keys: it gives a stored reply again, and forgets it after a day."""

    def __init__(self) -> None:
        self.now = START
        self.faults: list[int] = []
        self.items: list[str] = []
        self.is_listing = True
        self._keys: dict[str, tuple[datetime, str | None]] = {}

    def create(self, kind: Kind, params: dict[str, Any], *, key: str) -> str:
        assert kind == "invoice_item"
        fault = self.faults.pop() if self.faults else GOOD
        if fault in (DROPPED, BUSY):
            raise failure(is_general=fault == DROPPED)
        since, stored = self._keys.get(key, (START - timedelta(days=9), None))
        if self.now - since < timedelta(days=1):
            if stored is None:
                raise failure(is_settled=True)
            return stored
        if fault == REFUSED:
            raise failure(is_settled=True)
        done = fault != STORED
        if done:
            self.items.append(params["id"])
        reference = f"ii_{len(self.items)}" if fault in (GOOD, LOST) else None
        self._keys[key] = (self.now, reference)
        if fault == GOOD:
            assert reference is not None
            return reference
        raise failure(is_general=fault == LOST)

    def find(self, kind: Kind, customer: str) -> dict[str, str]:
        assert (kind, customer) == ("invoice_item", "cus_1")
        if not self.is_listing:
            raise failure()
        return {ours: f"ii_{place}" for place, ours in enumerate(self.items, 1)}


class Outbox(MemoryOutbox):
    """Crashes before or after a write, counted from the round's first; None never does."""

    crash: tuple[int, bool] | None = None

    def add(self, entries: Iterable[OutboxEntry]) -> frozenset[str]:
        self._crash(is_done=False)
        new = super().add(entries)
        self._crash(is_done=True)
        return new

    def swap(self, old: OutboxEntry, new: OutboxEntry) -> bool:
        self._crash(is_done=False)
        swapped = super().swap(old, new)
        self._crash(is_done=True)
        return swapped

    def _crash(self, *, is_done: bool) -> None:
        if self.crash is None:
            return
        left, after = self.crash
        if left == 0 and after == is_done:
            raise Crash
        if is_done:
            self.crash = left - 1, after


def failure(*, is_settled: bool = False, is_general: bool = False) -> CallFailed:
    return CallFailed("no", is_settled=is_settled, is_general=is_general, is_missing=False)


def entries(now: datetime) -> list[OutboxEntry]:
    return [
        OutboxEntry(
            "org-1",
            "stripe",
            each,
            write_request("invoice_item", {"customer": "cus_1", "id": each}),
            now,
        )
        for each in IDS
    ]


ROUNDS = st.tuples(
    st.lists(CALLS, max_size=6),
    st.none() | st.tuples(st.integers(0, 5), st.booleans()),
    st.sampled_from([timedelta(0), timedelta(hours=23), timedelta(days=1), timedelta(days=40)]),
    st.sampled_from([True, True, False]),
)


@many
@given(st.lists(ROUNDS, max_size=6))
def test_each_entry_is_delivered_once_whatever_fails(
    rounds: list[tuple[list[int], tuple[int, bool] | None, timedelta, bool]],
) -> None:
    server, outbox = Server(), Outbox()
    for faults, crash, wait, is_listing in rounds:
        server.faults, server.is_listing, outbox.crash = list(faults), is_listing, crash
        bring(server, outbox)
        assert len(server.items) == len(set(server.items))
        server.now += wait
    server.faults, server.is_listing, outbox.crash = [], True, None
    for _ in range(3):  # one to learn that a key is used up, one to use another
        bring(server, outbox)
    assert sorted(server.items) == IDS
    kept = outbox.entries("org-1", "stripe", IDS)
    assert {entry.state for entry in kept.values()} == {"delivered"}
    places = {each: f"ii_{place}" for place, each in enumerate(server.items, 1)}
    assert {each: entry.reference for each, entry in kept.items()} == places


def bring(server: Any, outbox: Outbox) -> None:
    """Make one round, unless the process dies in it."""
    try:
        Courier(server, outbox, server.now).bring(entries(server.now))
    except Crash:
        return
