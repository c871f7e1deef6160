"""Usage batches: lots of events that came together, such as those of a file.

repository.add_events(events, batch="february.csv")
repository.put_batch("february.csv", digest, len(events), noted_at=now)
repository.batch("february.csv").digest == digest     # the same file again: nothing to do
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from overages._ground.names import parse_name
from overages._ground.parsing import parse_int
from overages._ground.value import term, value
from overages.errors import Field, InvalidValue
from overages.periods.period import parse_instant

_MOST: Final = 2**48  # events: more than a database's integers can number


def _parse_count(value: object, field: Field) -> int:
    count = parse_int(value, field)
    if not 0 <= count <= _MOST:
        raise InvalidValue(field, value, f"must be from 0 to {_MOST:,}")
    return count


@value
class UsageBatch:
    """The content that a batch of events was last given with.

    :param name: its name, such as that of a file.
    :param digest: a text that tells its content from others, such as a checksum.
    :param events: how many events it had, new or not.
    :param noted_at: when it was noted, timezone-aware; kept in UTC.
    :raises InvalidType: for a value of a wrong type.
    :raises InvalidValue: for a value that is not allowed; `InvalidValues` for several.

    >>> noon = datetime.fromisoformat("2024-03-01T12:00:00Z")
    >>> UsageBatch("february.csv", "9f86d081884c7d65", 300_000, noon).events
    300000
    """

    name: str = term(parse_name)
    digest: str = term(parse_name)
    events: int = term(_parse_count)
    noted_at: datetime = term(parse_instant)

    def __init__(self, name: str, digest: str, events: int, noted_at: datetime) -> None: ...
