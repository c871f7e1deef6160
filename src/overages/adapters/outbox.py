"""An outbox in memory: for tests, and trying things out.

outbox = MemoryOutbox()
"""

from __future__ import annotations

from collections.abc import Iterable
from threading import RLock

from overages._ground.names import parse_name
from overages._ground.parsing import as_tuple, parse_all, tuple_of
from overages.outbox import OutboxEntry, check_swap


class MemoryOutbox:
    """Keeps entries for as long as the object lives.

    A forgotten entry can be sent twice, so never let it stand before a system that counts.

    >>> from datetime import UTC, datetime
    >>> outbox, noon = MemoryOutbox(), datetime(2024, 3, 1, 12, tzinfo=UTC)
    >>> entry = OutboxEntry("org-123", "stripe", "0f" * 32, "{}", noon)
    >>> len(outbox.add([entry])), len(outbox.add([entry]))
    (1, 0)
    >>> outbox.swap(entry, entry.delivered("ii_1Nx")), outbox.swap(entry, entry.failed())
    (True, False)
    """

    def __init__(self) -> None:
        self._lock = RLock()
        self._entries: dict[tuple[str, str, str], OutboxEntry] = {}

    def add(self, entries: Iterable[OutboxEntry]) -> frozenset[str]:
        """Keep the entries that are new, and return their ids."""
        entries = tuple_of(OutboxEntry)(entries, "entries")
        with self._lock:
            new = {_key(entry): entry for entry in entries if _key(entry) not in self._entries}
            self._entries.update(new)
        return frozenset(entry.id for entry in new.values())

    def entries(self, org_id: str, destination: str, ids: Iterable[str]) -> dict[str, OutboxEntry]:
        """Return those entries of an org that are kept, by id."""
        org_id, destination, ids = parse_all(
            (parse_name, org_id, "org_id"),
            (parse_name, destination, "destination"),
            (as_tuple, ids, "ids"),
        )
        with self._lock:
            keys = [(org_id, destination, each) for each in ids]
            return {key[2]: self._entries[key] for key in keys if key in self._entries}

    def swap(self, old: OutboxEntry, new: OutboxEntry) -> bool:
        """Put an entry in the place of another state of it, if it still is that one."""
        check_swap(old, new)
        with self._lock:
            if self._entries.get(_key(old)) != old:
                return False
            self._entries[_key(new)] = new
            return True


def _key(entry: OutboxEntry) -> tuple[str, str, str]:
    return entry.org_id, entry.destination, entry.id
