"""Notes: when an entry was noted, by whom, and why."""

import pickle
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from overages.errors import InvalidType, InvalidValue
from overages.terms.note import AccountNote

NOW = datetime(2024, 3, 12, tzinfo=UTC)


def test_a_note_may_say_nothing() -> None:
    note = AccountNote()
    assert (note.noted_at, note.noted_by, note.reason) == (None, None, None)
    assert repr(note) == "AccountNote()"


def test_the_instant_of_a_note_is_kept_in_utc() -> None:
    east = timezone(timedelta(hours=9))
    note = AccountNote(datetime(2024, 3, 12, 9, tzinfo=east), "ada", "upgrade")
    assert note == AccountNote(NOW, "ada", "upgrade")
    assert note.noted_at is not None
    assert note.noted_at.tzinfo is UTC
    assert pickle.loads(pickle.dumps(note)) == note


@pytest.mark.parametrize(
    ("named", "message"),
    [
        ({"noted_at": datetime(2024, 3, 12)}, "noted_at: must have a timezone"),
        ({"noted_at": "today"}, "noted_at: must be a datetime"),
        ({"noted_by": ""}, "noted_by: must not be empty"),
        ({"noted_by": 7}, "noted_by: must be a str"),
        ({"reason": ""}, "reason: must not be empty"),
        ({"reason": 7}, "reason: must be a str"),
    ],
)
def test_faults_of_a_note_are_named(named: Any, message: str) -> None:
    with pytest.raises((InvalidType, InvalidValue), match=f"^{message}"):
        AccountNote(**named)
