"""The export refuses what it can't work with, before anything is asked of Stripe."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from overages.adapters.outbox import MemoryOutbox
from overages.errors import InvalidValues
from overages.exports.stripe import StripeExport


def test_all_that_is_wrong_is_said_at_once() -> None:
    wrong: Any = None
    with pytest.raises(InvalidValues) as caught:
        StripeExport(wrong, wrong, customers=wrong, clock=wrong, destination="")
    fields = [getattr(error, "field", None) for error in caught.value.errors]
    assert fields == ["outbox", "customers", "clock", "destination"]


def test_nothing_to_bring_is_complete() -> None:
    client: Any = None
    now = datetime(2024, 3, 1, tzinfo=UTC)
    export = StripeExport(client, MemoryOutbox(), customers={}, clock=lambda: now)
    for attach in (export.attach_to_upcoming_invoice, export.attach_to_draft_invoices):
        delivery = attach([])
        assert delivery.is_complete
        assert (delivery.records, delivery.sent, dict(delivery.problems)) == (0, 0, {})
