"""The usage of many periods in SQLite: sums of events, sums that were put, and seals.

usage = UsageOfPeriods(queries, {"org-1": [february], "org-2": [february]})
usage.sums["org-1"], usage.puts["org-1"], usage.seals["org-1"]

All events of a period are under its seal, so they are read whether or not there are sums of hours
and days: its sums are made of the same rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Final, TypeAlias, TypeVar

from overages.adapters.event_texts import sealed
from overages.adapters.sqlite.bulk import BulkQueries, Row
from overages.adapters.sqlite.rows import exact_bounds, metric_of
from overages.adapters.sqlite.sum_rows import EventRow, sum_up
from overages.adapters.sqlite.usage import puts_of
from overages.periods.period import Period
from overages.usage.event_sum import EventSum
from overages.usage.usage import Usage

V = TypeVar("V")

_Place: TypeAlias = tuple[str, Period]  # an org, and a period of its own: each has a number
_ByPeriod: TypeAlias = Mapping[str, Mapping[Period, V]]  # by org

_MOST_EVENTS: Final = 20_000  # that are read together
_PUTS: Final = (
    " SELECT place, span_start, span_end, metric_type, used FROM wanted"
    " JOIN org_billing_usage_puts USING (org_id)"
    " WHERE span_end > first AND span_start < last ORDER BY number"
)
_EVENTS: Final = (  # one look-up for each name, however many events there are of it
    ", names (org_id, name) AS ("
    " SELECT org_id, (SELECT min(metric_type) FROM org_billing_usage_events AS events"
    " WHERE events.org_id = orgs.org_id) FROM (SELECT DISTINCT org_id FROM wanted) AS orgs"
    " UNION ALL"
    " SELECT org_id, (SELECT min(metric_type) FROM org_billing_usage_events AS events"
    " WHERE events.org_id = names.org_id AND metric_type > name) FROM names WHERE name IS NOT NULL)"
    " SELECT place, number, coalesce(event_id, ''), metric_type, quantity, at, dimensions,"
    " counts_at FROM wanted JOIN names USING (org_id) JOIN org_billing_usage_events AS events"
    " ON events.org_id = names.org_id AND metric_type = name"
    " AND counts_at >= first AND counts_at < last ORDER BY place, number"
)
_WITHDRAWALS: Final = (
    " SELECT place, events.number, event_id, withdrawn_at FROM wanted"
    " JOIN org_billing_usage_withdrawals AS withdrawals USING (org_id)"
    " JOIN org_billing_usage_events AS events ON events.number = event"
    " WHERE counts_at >= first AND counts_at < last ORDER BY withdrawals.number"
)


class UsageOfPeriods:
    """Reads the usage of periods of orgs; an org that can't be read is noted by the queries.

    :param periods: by org, in order.

    `puts` has the sums that were put for spans which overlap each period of each org. `sums` has
    the sums of the events that count in it, by name, and `seals` its seal, of the first periods, as
    long as all of them have not too many events.
    """

    def __init__(self, queries: BulkQueries, periods: Mapping[str, Sequence[Period]]) -> None:
        self._queries = queries
        self._places = [(org_id, period) for org_id, own in periods.items() for period in own]
        self._by_org: dict[str, dict[Period, int]] = {}  # the places
        for place, (org_id, period) in enumerate(self._places):
            self._by_org.setdefault(org_id, {})[period] = place
        self._put = _by_place(self._rows(self._places, _PUTS))
        self._events, few = self._few_events()
        self._withdrawn = _by_place(self._rows(few, _WITHDRAWALS))
        self.puts: _ByPeriod[Sequence[Usage]] = self._made(len(self._places), self._puts_of)
        self.sums: _ByPeriod[Mapping[str, EventSum]] = self._made(len(few), self._sums_of)
        self.seals: _ByPeriod[str] = self._made(len(few), self._seal_of)

    def _few_events(self) -> tuple[dict[int, list[Row]], Sequence[_Place]]:
        """Return the events of periods by their place, and the first ones that have few."""
        events: dict[int, list[Row]] = {}
        rows = self._rows(self._places, f"{_EVENTS} LIMIT {_MOST_EVENTS + 1}")
        for read, (place, *row) in enumerate(rows):
            if read == _MOST_EVENTS:  # those of the place may be read in part
                events.pop(place, None)
                return events, self._places[:place]
            events.setdefault(place, []).append(tuple(row))
        return events, self._places

    def _rows(self, places: Sequence[_Place], sql: str) -> Iterator[Row]:
        """Yield the rows of periods, which begin with their place."""
        wanted = [(i, org_id, *exact_bounds(period)) for i, (org_id, period) in enumerate(places)]
        return self._queries.joined(wanted, "place, org_id, first, last", sql)

    def _made(self, count: int, make: Callable[[int], V]) -> _ByPeriod[V]:
        """Return the value that is made for each of the first periods, by org."""
        return self._queries.each_made(
            self._by_org.items(),
            lambda _, own: {period: make(place) for period, place in own.items() if place < count},
        )

    def _puts_of(self, place: int) -> Sequence[Usage]:
        rows = self._put.get(place)
        return puts_of(self._places[place][0], rows) if rows else ()

    def _sums_of(self, place: int) -> Mapping[str, EventSum]:
        """Sum up the events that count in a period: those that are not withdrawn."""
        withdrawn = {number for number, _, _ in self._withdrawn.get(place, ())}
        standing: dict[str, list[EventRow]] = {}
        for number, event_id, name, quantity, at, _, _ in self._events.get(place, ()):
            if number not in withdrawn:
                standing.setdefault(name, []).append((at, event_id, quantity))
        sums = {metric_of(name): sum_up((), standing[name]) for name in sorted(standing)}
        return {name: events for name, events in sums.items() if events is not None}

    def _seal_of(self, place: int) -> str:
        """Return the seal of a period: of all events that came, and of what was withdrawn."""
        first, last = exact_bounds(self._places[place][1])
        puts = [row for row in self._put.get(place, ()) if first <= row[0] and row[1] <= last]
        events = [row[1:] for row in self._events.get(place, ())]
        return sealed(events, puts, [row[1:] for row in self._withdrawn.get(place, ())])


def _by_place(rows: Iterable[Row]) -> dict[int, list[Row]]:
    by_place: dict[int, list[Row]] = {}
    for row in rows:
        by_place.setdefault(row[0], []).append(row[1:])
    return by_place
