"""Metering: from usage events to usage.

All at once with `meter`, or one by one:

    counted = Meter()                                 # by calendar month, UTC
    for event in events:
        counted.add(event)
    usages = counted.usages()
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Final

from overages.errors import EventConflict, InvalidType, InvalidValue
from overages.exact import scaled, unscaled
from overages.parsing import Problems, instance_of
from overages.period import Period, format_instant
from overages.usage import Usage, UsageEvent

_REPORTED: Final = "was reported before with another metric, quantity, time or dimensions"


class Meter:
    """Sums events by org, period and metric, one by one.

    What it keeps grows with orgs, periods, metrics and event ids, not with events. An event id
    counts once in its org: the same event again is passed over, other content is a conflict.

    :param period_at: gives the period that an instant lies in; calendar months (UTC) by default.

    >>> from datetime import timezone
    >>> meter = Meter()
    >>> at = datetime(2024, 2, 3, 12, tzinfo=timezone.utc)
    >>> meter.add(UsageEvent("org-123", "tokens", 500, at, id="evt-1"))
    True
    >>> meter.add(UsageEvent("org-123", "tokens", 500, at, id="evt-1"))
    False
    >>> meter.usages()
    [Usage('org-123', Period.parse('2024-02-01T00:00:00Z/2024-03-01T00:00:00Z'), {'tokens': 500})]
    """

    def __init__(self, period_at: Callable[[datetime], Period] = Period.month_of) -> None:
        from hashlib import blake2b  # takes a tenth of the library's import

        self._digest = blake2b
        self._period_at = period_at
        self._starts: list[datetime] = []  # of the periods seen, sorted
        self._periods: dict[datetime, Period] = {}  # by start
        self._sums: dict[str, dict[datetime, dict[str, int]]] = {}  # org, start, metric
        self._seen: dict[str, dict[str, bytes]] = {}  # org, event id

    def add(self, event: UsageEvent) -> bool:
        """Count an event; return whether it counted, or was known already.

        :raises EventConflict: if its id came before in its org, with other content.
        """
        if not isinstance(event, UsageEvent):
            raise InvalidType("event", event, "must be a UsageEvent")
        start = self._start_of_period(event.at)
        if event.id is not None and not self._is_new(event, event.id):
            return False
        metrics = self._sums.setdefault(event.org_id, {}).setdefault(start, {})
        metrics[event.metric] = metrics.get(event.metric, 0) + scaled(event.quantity)
        return True

    def usages(self, period: Period | None = None) -> list[Usage]:
        """Return what was counted, sorted by org and period.

        :param period: the only period that is wanted; all of them without it.
        :raises InvalidValue: if a sum is negative; `InvalidValues` if several are.
        """
        problems = Problems()
        found = []
        for org_id, starts in sorted(self._sums.items()):
            for start, metrics in sorted(starts.items()):
                when = self._periods[start]
                if period in (None, when):
                    sums = {metric: unscaled(parts) for metric, parts in metrics.items()}
                    path = f"{org_id}, {when.describe()}: "
                    found.append(problems.attempt(Usage, org_id, when, sums, path=path))
        problems.raise_any()
        return found

    def _is_new(self, event: UsageEvent, event_id: str) -> bool:
        content = f"{event.metric}\0{scaled(event.quantity)}\0{format_instant(event.at)}"
        if event.dimensions:
            content += "".join(f"\0{key}\0{value}" for key, value in event.dimensions.items())
        digest = self._digest(content.encode(), digest_size=16).digest()
        known = self._seen.setdefault(event.org_id, {}).setdefault(event_id, digest)
        if known is digest:
            return True
        if known != digest:
            raise EventConflict("id", event_id, _REPORTED)
        return False

    def _start_of_period(self, moment: datetime) -> datetime:
        after = bisect_right(self._starts, moment)
        if after and moment < self._periods[self._starts[after - 1]].end:
            return self._starts[after - 1]
        period = self._period_at(moment)
        if moment not in instance_of(Period)(period, "period_at"):
            raise InvalidValue("period_at", period, f"must give a period with {moment} in it")
        others = [self._periods[start] for start in self._starts[max(0, after - 1) : after + 1]]
        if any(other.start < period.end and period.start < other.end for other in others):
            raise InvalidValue("period_at", period, "must give periods that don't overlap")
        insort(self._starts, period.start)
        self._periods[period.start] = period
        return period.start


def new_events(
    placed: Iterable[tuple[UsageEvent, Period]], known: Mapping[tuple[str, str], UsageEvent]
) -> list[tuple[UsageEvent, Period]]:
    """Return the events that were not known, each once.

    :param placed: events, each with the period that it counts in.
    :param known: events by org and id.
    :raises EventConflict: for an id that came before in its org, with other content;
        `InvalidValues` if several did.
    """
    seen = dict(known)
    new = []
    problems = Problems()
    for event, period in placed:
        if event.id is None:
            new.append((event, period))
        elif (key := (event.org_id, event.id)) not in seen:
            seen[key] = event
            new.append((event, period))
        elif seen[key] != event:
            problems.add(EventConflict(f"{event.org_id}: id", event.id, _REPORTED))
    problems.raise_any()
    return new


def meter(
    events: Iterable[UsageEvent], period_at: Callable[[datetime], Period] = Period.month_of
) -> list[Usage]:
    """Return what events come to by org, period and metric; the order of events doesn't matter.

    :param events: read once, one by one; see `Meter` for repeated event ids.
    :param period_at: gives the period that an instant lies in; calendar months (UTC) by default.
    :returns: a `Usage` for each org and period that has events, sorted by both.
    :raises EventConflict: if an event id comes twice in an org, with different content.
    :raises InvalidValue: if a sum is negative; `InvalidValues` if several are.
    """
    counted = Meter(period_at)
    for event in events:
        counted.add(event)
    return counted.usages()
