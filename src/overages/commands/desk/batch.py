"""Batches: the rows of a usage file, each with an id, so that a file counts once.

A row without an event id is known by its batch and its content: the second of two equal rows is the
second of that content. The batch as a whole is known by a digest of these rows, in any order.

    batch = Batch("february.csv", BatchContent())
    batch.named(events).ids                           # ["february.csv#2f1c9a0be4d75a31.1", ...
    batch.digest
    batch.sample                                      # rows that stand for all
    batch.left()                                      # what an earlier content had beside it
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from hashlib import blake2b
from heapq import nlargest
from itertools import chain
from typing import Final, NamedTuple, TypeAlias, cast

from overages._ground.names import parse_name
from overages.usage.event import EventColumns, UsageEvent

_BITS: Final = 128
_SHOWN: Final = 16  # hexadecimal digits of a row's digest in its id

_SAMPLED: Final = 2_048  # rows: of what a file shares with another, a fiftieth shows to a sixth
_FREQUENT: Final = 8  # times that a row comes; fewer weigh little more than one

_Place: TypeAlias = tuple[str, str, datetime]
"""The org, the metric and the instant of a row."""

IsUsed: TypeAlias = Callable[[str, str], bool]
"""Tells whether an event id was used in an org, though its event is withdrawn."""


class BatchContent:
    """The rows that a batch has in the database.

    :param is_used: tells of an org and an id whether the id can't be used again; None if none is
        used, as the batch isn't there.
    """

    def __init__(self, is_used: IsUsed | None = None) -> None:
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

    @property
    def is_new(self) -> bool:
        """Whether none of its ids is used, so that each row's number is how often it came."""
        return self._is_used is None and not self._ids

    def take(self, org_id: str, content: str) -> str | None:
        """Return the id of a row of some content, each once; None if there is no more."""
        ids = self._unnamed.get((org_id, content))
        return ids.pop(0) if ids else None

    def has_had(self, org_id: str, event_id: str) -> bool:
        """Tell whether a row of the batch has an id, or had it once."""
        if (org_id, event_id) in self._ids:
            return True
        return self._is_used is not None and self._is_used(org_id, event_id)

    def keep(self, org_id: str, event_id: str) -> None:
        """Note that an event is in the new content, too."""
        self.events.pop((org_id, event_id), None)


class SampledRow(NamedTuple):
    """A row that stands for itself and those like it, and for others.

    :param content: the part of its id that tells its content.
    :param times: how often it came.
    """

    org_id: str
    metric: str
    at: datetime
    content: str
    times: int


class Sample(NamedTuple):
    """Rows that stand for all rows without an id of a file.

    :param frequent: those that came most often, which stand for themselves alone.
    :param others: some of all others.
    :param total: the number of all rows.
    """

    frequent: Sequence[SampledRow]
    others: Sequence[SampledRow]
    total: int


class _Sampling:
    """Chooses rows that stand for others: those whose digests are the least, and frequent ones."""

    def __init__(self) -> None:
        self._least: dict[bytes, _Place] = {}  # by the row's digest
        self._end: bytes | None = None  # of the digests that are less than those left out
        self._frequent: dict[bytes, _Place] = {}

    def add(self, events: EventColumns, digests: Sequence[bytes], frequent: Iterable[int]) -> None:
        """Note rows of a file.

        :param frequent: the places of those that have come some times.
        """
        places: Iterable[_Place] = zip(events.orgs, events.metrics, events.times, strict=True)
        rows, end = zip(digests, places, strict=True), self._end
        self._least.update(rows if end is None else [row for row in rows if row[0] < end])
        if len(self._least) > _SAMPLED:
            least = sorted(self._least.items())
            self._least, self._end = dict(least[:_SAMPLED]), least[_SAMPLED][0]
        for at in frequent:
            self._frequent[digests[at]] = events.orgs[at], events.metrics[at], events.times[at]

    def sample(self, times: Mapping[bytes, int], total: int) -> Sample:
        """Return the sample of all rows so far, given how often each came."""
        most = nlargest(_SAMPLED, self._frequent, key=times.__getitem__)
        frequent = {digest: self._frequent[digest] for digest in most}
        others = {each: place for each, place in self._least.items() if each not in frequent}
        return Sample(_sampled(frequent, times), _sampled(others, times), total)


def _sampled(rows: Mapping[bytes, _Place], times: Mapping[bytes, int]) -> Sequence[SampledRow]:
    return [SampledRow(*row, _content_of(digest), times[digest]) for digest, row in rows.items()]


class Batch:
    """The rows of a usage file while it is read.

    :param name: the name of the batch.
    :param content: the rows that it has in the database.
    """

    def __init__(self, name: str, content: BatchContent) -> None:
        self.name: str = name
        self._content = content
        self._times: dict[bytes, int] = {}  # how often a row came, by its digest
        self._last: dict[bytes, int] = {}  # the last number of its ids, where it had others before
        self._sum = 0
        self._longest = 0  # characters of an id that was checked
        self.unnamed: int = 0
        """The rows so far that have no event id."""
        self._sampling = _Sampling()
        self._withdrawn: set[bytes] = set()
        self.revived: int = 0
        """The rows so far that are new, though rows like them were withdrawn from the batch."""

    def named(self, events: EventColumns) -> EventColumns:
        """Return events with an id each: its own, or that of its row."""
        unnamed = [place for place, event_id in enumerate(events.ids) if event_id is None]
        if unnamed:
            ids = list(events.ids)
            own = self._ids_of(events if len(unnamed) == len(ids) else events.among(unnamed))
            for place, event_id in zip(unnamed, own, strict=True):
                ids[place] = event_id
            events = events.with_ids(cast("list[str]", ids))
        if self._content.events:  # or there is nothing left to keep
            for key in events.identities():
                self._content.keep(*key)
        return events

    def _ids_of(self, events: EventColumns) -> Sequence[str]:
        """Return the ids of rows that have none of their own."""
        is_new, times, digests = self._content.is_new, self._times, _digests(events)
        ids, frequent = list[str](), list[int]()
        for org_id, digest in zip(events.orgs, digests, strict=True):
            number = times[digest] = times.get(digest, 0) + 1
            if number == _FREQUENT:
                frequent.append(len(ids))
            content = f"{self.name}#{_content_of(digest)}"
            event_id = f"{content}.{number}" if is_new else self._id(org_id, content, digest)
            if len(event_id) > self._longest:  # for they differ in digits alone
                self._longest = len(parse_name(event_id, "id"))
            ids.append(event_id)
        self.unnamed += len(digests)
        self._sum += sum(map(int.from_bytes, digests))
        self._sampling.add(events, digests, frequent)
        return ids

    def _id(self, org_id: str, content: str, digest: bytes) -> str:
        """Return the id of a row of a batch that has had others."""
        taken = self._content.take(org_id, content)
        if taken is not None:
            return taken
        number = max(self._times[digest], self._last.get(digest, 0) + 1)
        while self._content.has_had(org_id, f"{content}.{number}"):
            number += 1
            self._withdrawn.add(digest)  # of the ids before, those that stand are taken
        self._last[digest] = number
        self.revived += digest in self._withdrawn
        return f"{content}.{number}"

    @property
    def digest(self) -> str:
        """The digest of all rows without an id, whatever their order."""
        return f"{self._sum % 2**_BITS:0{_BITS // 4}x}"

    @property
    def sample(self) -> Sample:
        """Some of the rows so far that have no event id."""
        return self._sampling.sample(self._times, self.unnamed)

    def left(self) -> Iterator[UsageEvent]:
        """Yield the events that the batch has in the database and the file has no more."""
        return iter(self._content.events.values())


def _content_of(digest: bytes) -> str:
    """Return the part of a row's id that tells its content."""
    return digest.hex()[:_SHOWN]


def _digests(events: EventColumns) -> Sequence[bytes]:
    """Return the digest of each row: of all that it says, with a NUL between, which no name has."""
    quantities, times = map(str, events.quantities), map(_instant_text, events.times)
    parts: Iterable[Iterable[str]]
    parts = zip(events.orgs, events.metrics, quantities, times, strict=True)
    if any(events.dimensions):
        of_rows = (chain.from_iterable(each.items()) for each in events.dimensions)
        parts = map(chain, parts, of_rows)
    size = _BITS // 8
    texts = map("\0".join, parts)
    return [blake2b(text.encode(), digest_size=size).digest() for text in texts]


def _instant_text(instant: datetime) -> str:
    """Write an instant in UTC as `datetime.isoformat` does, which takes a third longer."""
    return f"{instant.date().isoformat()}T{instant.time().isoformat()}+00:00"
