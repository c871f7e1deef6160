"""Batches: the rows of a usage file, each with an id, so that a file counts once.

A row without an event id is known by its batch and its content: the second of two equal rows is the
second of that content. The batch as a whole is known by a digest of these rows, in any order.

    batch = Batch("february.csv", BatchContent())
    event = batch.named(event)                        # "february.csv#2f1c9a0be4d75a31.1"
    batch.digest
    batch.left()                                      # what an earlier content had beside it
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from hashlib import blake2b
from typing import Final, TypeAlias

from overages._ground.names import parse_name
from overages.usage.event import UsageEvent, new_event

_BITS: Final = 128
_SHOWN: Final = 16  # hexadecimal digits of a row's digest in its id

IsUsed: TypeAlias = Callable[[str, str], bool]
"""Tells whether an event id was used in an org, though its event is withdrawn."""


class BatchContent:
    """The rows that a batch has in the database.

    :param is_used: tells of an org and an id whether the id can't be used again.
    """

    def __init__(self, is_used: IsUsed = lambda _org_id, _event_id: False) -> None:
        self._is_used = is_used
        self._ids: set[tuple[str, str]] = set()
        self.events: dict[tuple[str, str], UsageEvent] = {}  # by org and event id
        self._unnamed: dict[tuple[str, str], list[str]] = {}  # ids by org and content

    def add(self, event: UsageEvent) -> None:
        """Note an event of the batch that isn't withdrawn."""
        assert event.id is not None  # each event of a batch has one
        self._ids.add((event.org_id, event.id))
        self.events[event.org_id, event.id] = event
        self._unnamed.setdefault((event.org_id, event.id.rpartition(".")[0]), []).append(event.id)

    def take(self, org_id: str, content: str) -> str | None:
        """Return the id of a row of some content, each once; None if there is no more."""
        ids = self._unnamed.get((org_id, content))
        return ids.pop(0) if ids else None

    def has_had(self, org_id: str, event_id: str) -> bool:
        """Tell whether a row of the batch has an id, or had it once."""
        return (org_id, event_id) in self._ids or self._is_used(org_id, event_id)

    def keep(self, event: UsageEvent) -> None:
        """Note that an event is in the new content, too."""
        self.events.pop((event.org_id, event.id or ""), None)


class Batch:
    """The rows of a usage file while it is read.

    :param name: the name of the batch.
    :param content: the rows that it has in the database.
    """

    def __init__(self, name: str, content: BatchContent) -> None:
        self._name, self._content = name, content
        self._times: Counter[bytes] = Counter()
        self._sum = 0
        self._longest = 0  # characters of an id that was checked
        self.unnamed: int = 0
        """The rows so far that have no event id."""
        self._withdrawn: set[bytes] = set()
        self.revived: int = 0
        """The rows so far that are new, though rows like them were withdrawn from the batch."""

    def named(self, event: UsageEvent) -> UsageEvent:
        """Return an event with an id: its own, or that of its row."""
        if event.id is None:
            digest = _digest(event)
            self._times[digest] += 1
            self._sum += int.from_bytes(digest)
            self.unnamed += 1
            event_id = self._id(event, digest)
            if len(event_id) > self._longest:  # for they differ in digits alone
                self._longest = len(parse_name(event_id, "id"))
            event = new_event(
                event.org_id, event.metric, event.quantity, event.at, event_id, event.dimensions
            )
        self._content.keep(event)
        return event

    @property
    def has_left(self) -> bool:
        """Whether the batch has events in the database that didn't come so far."""
        return bool(self._content.events)

    def _id(self, event: UsageEvent, digest: bytes) -> str:
        content = f"{self._name}#{digest.hex()[:_SHOWN]}"
        taken = self._content.take(event.org_id, content)
        if taken is not None:
            return taken
        number = self._times[digest]
        while self._content.has_had(event.org_id, f"{content}.{number}"):
            number += 1
            self._times[digest] = number
            self._withdrawn.add(digest)  # of the ids before, those that stand are taken
        self.revived += digest in self._withdrawn
        return f"{content}.{number}"

    @property
    def digest(self) -> str:
        """The digest of all rows without an id, whatever their order."""
        return f"{self._sum % 2**_BITS:0{_BITS // 4}x}"

    def left(self) -> Iterator[UsageEvent]:
        """Yield the events that the batch has in the database and the file has no more."""
        return iter(self._content.events.values())


def _digest(event: UsageEvent) -> bytes:
    """Return the digest of a row: of all that it says."""
    dimensions = [text for pair in event.dimensions.items() for text in pair]
    parts = [event.org_id, event.metric, str(event.quantity), event.at.isoformat(), *dimensions]
    return blake2b("\0".join(parts).encode(), digest_size=_BITS // 8).digest()  # no name has a NUL
