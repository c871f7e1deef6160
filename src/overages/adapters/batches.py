"""The batches of repositories: which events came together, and the content of each lot.

class BaseRepository(Batches): ...
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from overages._ground.names import parse_name, parse_names
from overages._ground.parsing import parse_all
from overages.adapters.storage import Storage
from overages.usage.event import UsageEvent
from overages.usage.usage_batch import UsageBatch


class Batches(Storage):
    """Keeps the part of the contract that is about batches of events."""

    def put_batch(self, name: str, digest: str, events: int, noted_at: datetime) -> None:
        """Note the content that a batch is given with; the same digest again changes nothing."""
        batch = UsageBatch(name, digest, events, noted_at)
        with self._writing():
            before = self._get_batch(batch.name)
            if before is None or before.digest != batch.digest:
                self._add_batch(batch)

    def batch(self, name: str) -> UsageBatch | None:
        """Return the content that a batch was last given with; None if it never was."""
        parse_name(name, "name")
        with self._reading():
            return self._get_batch(name)

    def batches(self) -> Iterator[UsageBatch]:
        """Yield the content that each batch was last given with, by name."""
        with self._reading():
            batches = list(self._all_batches())
        return iter(sorted(batches, key=lambda batch: batch.name))

    def batch_orgs(self, batch: str) -> Iterator[str]:
        """Yield the orgs that have events of a batch, withdrawn ones too, sorted."""
        parse_name(batch, "batch")
        with self._reading():
            return iter(sorted(self._orgs_of_batch(batch)))

    def batch_events(self, org_id: str, batch: str) -> Iterator[tuple[UsageEvent, datetime]]:
        """Yield an org's events of a batch, each with the instant that it counts at."""
        parse_all((parse_name, org_id, "org_id"), (parse_name, batch, "batch"))
        with self._reading():
            return iter(list(self._events_of_batch(org_id, batch)))

    def withdrawn_ids(self, org_id: str, ids: Iterable[str]) -> frozenset[str]:
        """Return those of some ids whose event is withdrawn."""
        org_id, names = parse_all((parse_name, org_id, "org_id"), (parse_names, ids, "ids"))
        with self._reading():
            return frozenset(self._withdrawn_among(org_id, names))
