"""Entries of an outbox: what is known of something that goes out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from overages._ground.value import evolve
from overages.errors import InvalidType, InvalidValue, InvalidValues
from overages.outbox import OutboxEntry, check_swap

NOON = datetime(2024, 3, 1, 12, tzinfo=UTC)
ENTRY = OutboxEntry("org-1", "stripe", "0f" * 32, "{}", NOON)


def test_a_new_entry_is_open_under_its_first_key() -> None:
    assert (ENTRY.state, ENTRY.attempt, ENTRY.reference) == ("open", 1, None)
    assert ENTRY.key == f"overages-{'0f' * 32}-1"


def test_an_entry_is_delivered_with_what_the_other_system_calls_it() -> None:
    for entry in (ENTRY, ENTRY.failed()):
        delivered = entry.delivered("ii_1")
        assert (delivered.state, delivered.reference) == ("delivered", "ii_1")
        assert delivered.key == ENTRY.key


def test_an_entry_that_failed_keeps_its_key() -> None:
    assert ENTRY.failed() == evolve(ENTRY, state="failed")


def test_a_renewed_entry_is_open_under_another_key() -> None:
    later = NOON + timedelta(days=1)
    for entry in (ENTRY, ENTRY.failed()):
        renewed = entry.renewed("{1}", later)
        assert (renewed.state, renewed.attempt, renewed.request) == ("open", 2, "{1}")
        assert renewed.sent_at == later
        assert renewed.key == f"overages-{'0f' * 32}-2"


def test_what_is_delivered_neither_fails_nor_gets_another_key() -> None:
    delivered = ENTRY.delivered("ii_1")
    with pytest.raises(InvalidValue, match="it would arrive twice, got 'delivered'"):
        delivered.failed()
    with pytest.raises(InvalidValue, match="it would arrive twice, got 'delivered'"):
        delivered.renewed("{}", NOON)


@pytest.mark.parametrize(("state", "reference"), [("open", "ii_1"), ("delivered", None)])
def test_an_entry_has_a_reference_once_it_is_delivered(state: Any, reference: str | None) -> None:
    with pytest.raises(InvalidValue, match=r"^reference: must be given once it is delivered"):
        OutboxEntry("org-1", "stripe", "a", "{}", NOON, state=state, reference=reference)


def test_all_faults_are_reported_together() -> None:
    wrong: Any = 5
    with pytest.raises(InvalidValues) as caught:
        OutboxEntry("", "", "", wrong, wrong, attempt=0, state=wrong, reference="")
    fields = [getattr(error, "field", None) for error in caught.value.errors]
    assert fields == [
        "org_id", "destination", "id", "request", "sent_at", "attempt", "state", "reference",
    ]  # fmt: skip


def test_the_time_of_an_entry_is_kept_in_utc() -> None:
    elsewhere = datetime(2024, 3, 1, 14, tzinfo=timezone(timedelta(hours=2)))
    assert evolve(ENTRY, sent_at=elsewhere) == ENTRY
    assert evolve(ENTRY, sent_at=elsewhere).sent_at.tzinfo is UTC


@pytest.mark.parametrize("field", ["org_id", "destination", "id"])
def test_a_swap_is_of_one_entry(field: str) -> None:
    changed: Any = {field: "other"}
    other = evolve(ENTRY, **changed)
    with pytest.raises(InvalidValue, match=f"new.{field}: must be that of the old one"):
        check_swap(ENTRY, other)


def test_a_swap_of_what_is_delivered_is_refused() -> None:
    with pytest.raises(InvalidValue, match=r"old.state: can't change any more"):
        check_swap(ENTRY.delivered("ii_1"), ENTRY.delivered("ii_2"))


def test_a_swap_is_of_entries() -> None:
    with pytest.raises(InvalidType, match="new: must be of type OutboxEntry"):
        check_swap(ENTRY, "delivered")
