"""A thousand records, and a fault of every kind at every kind of point."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from overages.adapters.sqlite import SqliteOutbox

from .hazards import Crash, Crashing, refusing
from .proxy import FAULTS
from .world import DAY, INVOICES, NOW, World

pytest.importorskip("stripe")
pytest.importorskip("localstripe")


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
