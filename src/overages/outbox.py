"""Outboxes: a request to another system is noted before it is sent, so that it arrives once.

Between a call to another system and the note that it was made, anything can fail; so the note that
it may be made comes first. An entry that is open was perhaps sent: who finds one asks the other
system whether it is there before sending it again.

    added = outbox.add([entry])                       # durable, and then the call is made
    outbox.swap(entry, entry.delivered("ii_1Nx"))     # its id in the other system
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Final, Literal, Protocol, TypeAlias, runtime_checkable

from overages._ground.names import optional_name, parse_name
from overages._ground.parsing import Problems, choice_of, instance_of, parse_all
from overages._ground.value import evolve, term, value
from overages.amounts.exact import parse_ordinal
from overages.errors import InvalidValue
from overages.periods.period import parse_instant

OutboxState: TypeAlias = Literal["open", "failed", "delivered"]
"""The fate of an entry under its key: it may have arrived, it certainly hasn't, it has."""


@value
class OutboxEntry:
    """Something that goes to another system, once.

    :param org_id: whose it is.
    :param destination: the other system, and the account there: ``"stripe"``.
    :param id: its name in both systems; for a record, its digest.
    :param request: the request that is sent, as text: sent again, it is the same.
    :param sent_at: since when it may have been sent under its `key`, timezone-aware; kept in UTC.
    :param attempt: how many keys it has had, counted from 1.
    :param state: ``"open"`` until its fate is known; ``"failed"`` once it is known that the `key`
        is used up and nothing came of it; ``"delivered"`` for ever.
    :param reference: its name in the other system; None until it is delivered.
    :raises InvalidValue: for a value that is not allowed; `InvalidValues` for several.

    >>> from datetime import UTC
    >>> noon = datetime(2024, 3, 1, 12, tzinfo=UTC)
    >>> entry = OutboxEntry("org-123", "stripe", "0f" * 32, '{"amount":2500}', noon)
    >>> entry.key == f"overages-{entry.id}-1"
    True
    >>> entry.delivered("ii_1Nx").state
    'delivered'
    """

    org_id: str = term(parse_name)
    destination: str = term(parse_name)
    id: str = term(parse_name)
    request: str = term(instance_of(str))
    sent_at: datetime = term(parse_instant)
    attempt: int = term(parse_ordinal)
    state: OutboxState = term(choice_of(OutboxState))
    reference: str | None = term(optional_name)

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
    ) -> None: ...

    def _check(self, problems: Problems) -> None:
        if (self.reference is not None) != (self.state == "delivered"):
            problem = "must be given once it is delivered, and only then"
            problems.add(InvalidValue("reference", self.reference, problem))

    @property
    def key(self) -> str:
        """The idempotency key: with it, the other system does a request once."""
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
    """A store of entries, each kept for ever.

    When a method that writes has returned, its entries are durable. Any number of threads and
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
        """Return those entries of an org that are kept, by id."""
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
    entry = instance_of(OutboxEntry)
    before, after = parse_all((entry, old, "old"), (entry, new, "new"))
    problems = Problems()
    for name in _IDENTITY:
        if getattr(before, name) != getattr(after, name):
            problem = "must be that of the old one"
            problems.add(InvalidValue(("new", name), getattr(after, name), problem))
    if before.state == "delivered":
        problems.add(InvalidValue(("old", "state"), before.state, "can't change any more"))
    problems.raise_any()
