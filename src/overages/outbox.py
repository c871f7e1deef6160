"""Outboxes: what goes out to another system is noted before it is sent, so that it arrives once.

Between a call to another system and the note that it was made, anything can fail; so the note that
it may be made comes first. An entry that is open was perhaps sent: who finds one asks the other
system whether it is there before sending it again.

    added = outbox.add([entry])                       # durable, and then the call is made
    outbox.swap(entry, entry.delivered("ii_1Nx"))     # what the other system calls it
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Final, Literal, Protocol, TypeAlias, runtime_checkable

from attrs import evolve, frozen

from overages._ground.names import optional_name, parse_name
from overages._ground.parsing import instance_of, one_of, parse_all
from overages.amounts.exact import parse_ordinal
from overages.errors import InvalidValue
from overages.periods.period import parse_instant

OutboxState: TypeAlias = Literal["open", "failed", "delivered"]
"""What is known of an entry: nothing for sure, that it isn't there under this key, that it is."""


@frozen(init=False, weakref_slot=False)
class OutboxEntry:
    """Something that goes to another system, once.

    :param org_id: whose it is.
    :param destination: the other system, and the account there: ``"stripe"``.
    :param id: what names it in both systems; for a record, its digest.
    :param request: what is sent, as text: sent again, it is the same.
    :param sent_at: since when it may have been sent under its `key`, timezone-aware; kept in UTC.
    :param attempt: how many keys it has had, counted from 1.
    :param state: ``"open"`` until it is known what became of it; ``"failed"`` once it is known that
        the `key` is used up and nothing came of it; ``"delivered"`` for ever.
    :param reference: what the other system calls it; None until it is delivered.
    :raises InvalidValue: for a value that is not allowed; `InvalidValues` for several.

    >>> from datetime import UTC
    >>> noon = datetime(2024, 3, 1, 12, tzinfo=UTC)
    >>> entry = OutboxEntry("org-123", "stripe", "0f" * 32, '{"amount":2500}', noon)
    >>> entry.key == f"overages-{entry.id}-1"
    True
    >>> entry.delivered("ii_1Nx").state
    'delivered'
    """

    org_id: str
    destination: str
    id: str
    request: str
    sent_at: datetime
    attempt: int
    state: OutboxState
    reference: str | None

    def __init__(
        self,
        org_id: str,
        destination: str,
        id: str,
        request: str,
        sent_at: datetime,
        *,
        attempt: int = 1,
        state: OutboxState = "open",
        reference: str | None = None,
    ) -> None:
        values = parse_all(
            (parse_name, org_id, "org_id"),
            (parse_name, destination, "destination"),
            (parse_name, id, "id"),
            (instance_of(str), request, "request"),
            (parse_instant, sent_at, "sent_at"),
            (parse_ordinal, attempt, "attempt"),
            (one_of("open", "failed", "delivered"), state, "state"),
            (optional_name, reference, "reference"),
        )
        if (reference is not None) != (state == "delivered"):
            raise InvalidValue("reference", reference, "must be there once it is delivered")
        self.__attrs_init__(*values)

    @property
    def key(self) -> str:
        """The idempotency key: the other system does once what comes several times with it."""
        return f"overages-{self.id}-{self.attempt}"

    def delivered(self, reference: str) -> OutboxEntry:
        """Return the entry as it is once the other system has it, under its name there."""
        return evolve(self, state="delivered", reference=reference)

    def failed(self) -> OutboxEntry:
        """Return the entry as it is once its key is used up, and nothing came of it."""
        self._require_undelivered()
        return evolve(self, state="failed")

    def renewed(self, request: str, sent_at: datetime) -> OutboxEntry:
        """Return the entry with a new key, for when it isn't there and the old key is of no use."""
        self._require_undelivered()
        attempt = self.attempt + 1
        return evolve(self, request=request, sent_at=sent_at, attempt=attempt, state="open")

    def _require_undelivered(self) -> None:
        if self.state == "delivered":
            raise InvalidValue("state", self.state, "can't change any more: it would arrive twice")


@runtime_checkable
class Outbox(Protocol):
    """What keeps entries, each for ever.

    When a method that writes has returned, what it wrote is durable. Any number of threads and
    processes may call at once.

    :raises StorageError: by any method, if the storage fails.
    """

    def add(self, entries: Iterable[OutboxEntry]) -> frozenset[str]:
        """Keep the entries of which the org, destination and id are new, all or none.

        :returns: the ids of those that were new; the others stay as they are.
        """
        ...

    def entries(
        self, org_id: str, destination: str, ids: Iterable[str]
    ) -> Mapping[str, OutboxEntry]:
        """Return those entries of an org that are there, by id."""
        ...

    def swap(self, old: OutboxEntry, new: OutboxEntry) -> bool:
        """Put an entry in the place of another state of it; tell whether it was still that one.

        So of two who both read an entry, one changes it.

        :raises InvalidValue: if they are two entries, or the old one is delivered.
        """
        ...


_IDENTITY: Final = ("org_id", "destination", "id")


def check_swap(old: object, new: object) -> None:
    """Refuse a swap that isn't one of two states of an entry; for adapters."""
    before, after = parse_all(
        (instance_of(OutboxEntry), old, "old"), (instance_of(OutboxEntry), new, "new")
    )
    for field in _IDENTITY:
        if getattr(before, field) != getattr(after, field):
            raise InvalidValue(("new", field), getattr(after, field), "must be that of the old one")
    if before.state == "delivered":
        raise InvalidValue("old.state", before.state, "can't change any more")
