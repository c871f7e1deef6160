"""What became of each org's records is logged, in counts, without amounts or secrets."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from .world import World

pytest.importorskip("stripe")
pytest.importorskip("localstripe")

FIELDS = ("org_id", "records", "delivered", "sent", "problems")


def said(caplog: pytest.LogCaptureFixture) -> list[tuple[Any, ...]]:
    """Return the level and the fields of each line, and forget them."""
    lines = [record for record in caplog.records if record.name == "overages.exports.stripe"]
    fields = [(line.levelname, *(vars(line)[name] for name in FIELDS)) for line in lines]
    caplog.clear()
    return fields


def test_the_counts_of_each_org_are_fields(world: World, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "overages")
    records = [*world.records(2, "org-1"), *world.records(3, "org-2")]
    world.attach(records)
    assert said(caplog) == [("INFO", "org-1", 2, 2, 2, 0), ("INFO", "org-2", 3, 3, 3, 0)]
    world.attach(records)
    assert said(caplog) == [("INFO", "org-1", 2, 2, 0, 0), ("INFO", "org-2", 3, 3, 0, 0)]


@pytest.mark.parametrize("drafts", [False, True], ids=["items", "drafts"])
def test_records_that_are_not_delivered_are_a_warning(
    world: World, caplog: pytest.LogCaptureFixture, drafts: bool
) -> None:
    caplog.set_level(logging.INFO, "overages")
    records = [*world.records(2, "org-1"), *world.records(2, "org-2")]
    world.proxy.faults.append("error")
    export = world.export()
    attach = export.attach_to_draft_invoices if drafts else export.attach_to_upcoming_invoice
    attach(records)
    first = ("WARNING", "org-1", 2, 0, 0, 1) if drafts else ("WARNING", "org-1", 2, 1, 1, 1)
    others = ("INFO", "org-2", 2, 2, 3 if drafts else 2, 0)
    assert said(caplog) == [first, others]


def test_no_line_has_an_amount_or_a_secret(world: World, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "overages")
    records = world.records(2)
    world.proxy.faults.append("error")
    world.attach(records)
    world.attach(records)
    of_any_line = vars(logging.makeLogRecord({})).keys() - {"msg", "args"}  # times have all digits
    text = " ".join(
        str({name: value for name, value in vars(line).items() if name not in of_any_line})
        for line in caplog.records
        if line.name.startswith("overages")
    )
    amounts = [str(record.cost.minor) for record in records] + [str(r.cost) for r in records]
    assert "org-1" in text
    assert [word for word in (*amounts, "sk_test", "cus_", "USD", "usd") if word in text] == []
