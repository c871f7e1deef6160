"""Usage batches: the content that a lot of events was given with."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from overages.errors import InvalidType, InvalidValue
from overages.usage.usage_batch import UsageBatch

NOW = datetime(2024, 3, 12, tzinfo=UTC)


def test_the_instant_of_a_batch_is_kept_in_utc() -> None:
    east = timezone(timedelta(hours=9))
    batch = UsageBatch("a.csv", "d-1", 0, datetime(2024, 3, 12, 9, tzinfo=east))
    assert batch == UsageBatch("a.csv", "d-1", 0, NOW)
    assert batch.noted_at.tzinfo is UTC


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (("", "d", 1, NOW), "name: must not be empty"),
        (("a", "", 1, NOW), "digest: must not be empty"),
        (("a", "d", -1, NOW), r"events: must be from 0 to 281,474,976,710,656"),
        (("a", "d", 2**48 + 1, NOW), "events: must be from 0 to 281,474,976,710,656"),
        (("a", "d", "1", NOW), "events: must be an int"),
        (("a", "d", True, NOW), "events: must be an int"),
        (("a", "d", 1, datetime(2024, 3, 12)), "noted_at: must have a timezone"),
    ],
)
def test_faults_of_a_batch_are_named(content: Any, message: str) -> None:
    with pytest.raises((InvalidType, InvalidValue), match=f"^{message}"):
        UsageBatch(*content)
