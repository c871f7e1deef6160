"""Event ids: those that were seen in their org, and the contents of their events.

    counters = Counters()
    ids = EventIds(counters.orgs)
    number = counters.number("org-1", "tokens")
    ids.is_new("org-1", "evt-1", number, 5, noon, {})  # True; then False

All else that an event says is packed into one integer: its quantity, its instant and the number of
its org and metric, each in bits of its own. So no two contents have the same one, and it takes a
quarter of a digest's time, and less room.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final, TypeAlias

from overages._ground.parsing import Problems
from overages.amounts.exact import Quantity, scaled
from overages.errors import EventConflict
from overages.usage.event import EventColumns, UsageEvent

Content: TypeAlias = int | tuple[int, Mapping[str, str]]
"""All that an event says beside its id, in a form of its own."""

REPORTED: Final = "was reported before with another metric, quantity, time or dimensions"

_FIRST: Final = datetime.min.replace(tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_BITS: Final = 59  # the microseconds of ten thousand years have as many
_NUMBER: Final = (1 << _BITS) - 1


class Counters:
    """Numbers for pairs of an org and a metric, counted from 0."""

    __slots__ = ("numbers", "orgs")

    def __init__(self) -> None:
        self.numbers: dict[tuple[str, str], int] = {}
        self.orgs: list[str] = []  # by number

    def number(self, org_id: str, metric: str) -> int:
        """Give a new pair its number."""
        number = self.numbers[org_id, metric] = len(self.orgs)
        self.orgs.append(org_id)
        return number


class EventIds:
    """The ids of events that were counted; each org has its own.

    :param orgs: by the numbers of `Counters`, whose list it is.
    """

    __slots__ = ("_contents", "_of_others", "_orgs")

    def __init__(self, orgs: Sequence[str]) -> None:
        self._orgs = orgs
        # Few orgs have an id that another has: those are told apart by a pair, which takes longer
        self._contents: dict[str, Content] = {}
        self._of_others: dict[tuple[str, str], Content] = {}

    def is_new(
        self,
        org_id: str,
        event_id: str,
        number: int,
        units: Quantity,
        at: datetime,
        dimensions: Mapping[str, str],
    ) -> bool:
        """Tell whether an event's id comes for the first time in its org, and remember it.

        :param number: of its org and metric.
        :raises EventConflict: if the id came before in its org, with other content.
        """
        amount = units << 1 if type(units) is int else scaled(units) << 1 | 1
        packed = (amount << _BITS | (at - _FIRST) // _MICROSECOND) << _BITS | number
        content = (packed, dimensions) if dimensions else packed
        first = self._contents.setdefault(event_id, content)
        if first is content:
            return True
        if self._org_of(first) != org_id:
            first = self._of_others.setdefault((org_id, event_id), content)
            if first is content:
                return True
        if first != content:
            raise EventConflict("id", event_id, REPORTED)
        return False

    def _org_of(self, content: Content) -> str:
        packed = content if isinstance(content, int) else content[0]
        return self._orgs[packed & _NUMBER]


def new_places(
    events: EventColumns, recorded: Mapping[tuple[str, str], UsageEvent]
) -> Sequence[int]:
    """Return the places of the events that weren't recorded, each once.

    :param recorded: events by org and id.
    :raises EventConflict: for an id that came before in its org, with other content;
        `InvalidValues` if several did. It names the place of the later one in ``events``.
    """
    identities = events.identities()
    is_each_once = len({*identities}) == len(identities)
    if is_each_once and not recorded:  # as most are, which takes half the time to tell
        return range(len(events))
    seen: dict[tuple[str, str], int] = {}  # beside recorded events, which are many
    new = []
    problems = Problems()
    for place, (org_id, event_id) in enumerate(zip(events.orgs, events.ids, strict=True)):
        if event_id is None:
            new.append(place)
            continue
        key = org_id, event_id
        before = events[seen[key]] if key in seen else recorded.get(key)
        if before is None:
            seen[key] = place
            new.append(place)
        elif before != events[place]:
            conflict = EventConflict(("events", place, "id"), event_id, REPORTED)
            problems.add(conflict.within(org_id=org_id))
    problems.raise_any()
    return new
