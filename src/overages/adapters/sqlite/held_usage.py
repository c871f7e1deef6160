"""The usage of many periods in SQLite: the rows that tell it, read at once.

    usage = usage_of_periods(queries, {"org-1": [february], "org-2": [february]}, are_new=False)
    usage["org-1"][february].picos(), usage["org-1"][february].seal()

All events of a period are under its seal, so they are read whether or not there are sums of hours
and days: its sums are made of the same rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple, TypeAlias

from overages._ground.frozen_dict import FrozenDict
from overages.adapters.event_texts import EventRow, PutRow, WithdrawalRow, sealed
from overages.adapters.sqlite.bulk import BulkQueries
from overages.adapters.sqlite.rows import exact_bounds, metric_of, picos_of, readable
from overages.adapters.sqlite.sum_rows import sum_up
from overages.adapters.sqlite.usage import puts_of
from overages.periods.period import Period
from overages.usage.event_sum import EventSum
from overages.usage.usage import Usage

_Wanted: TypeAlias = tuple[int, str, str, str]
"""The place of a period among all that are asked for, its org, and its bounds."""

_WANTED: Final = "place, org_id, first, last"
_NO_EVENTS: Final = FrozenDict[int, EventRow]()
_NO_WITHDRAWALS: Final = FrozenDict[int, WithdrawalRow]()

_MOST_EVENTS: Final = 20_000  # that are read together
_PUTS: Final = (
    " SELECT place, span_start, span_end, metric_type, used FROM wanted"
    " JOIN org_billing_usage_puts USING (org_id)"
    " WHERE span_end > first AND span_start < last ORDER BY number"
)
_EVENT_ROWS: Final = (
    " SELECT place, number, coalesce(event_id, ''), metric_type, quantity, at, dimensions,"
    " counts_at"
)
_EVENTS: Final = (  # one look-up for each name, however many events there are of it
    ", names (place, org_id, first, last, name) AS ("
    " SELECT *, (SELECT min(metric_type) FROM org_billing_usage_events AS events"
    " WHERE events.org_id = wanted.org_id) FROM wanted"
    " UNION ALL"
    " SELECT place, org_id, first, last, (SELECT min(metric_type)"
    " FROM org_billing_usage_events AS events"
    " WHERE events.org_id = names.org_id AND metric_type > name) FROM names WHERE name IS NOT NULL)"
    f"{_EVENT_ROWS} FROM names JOIN org_billing_usage_events AS events"
    " ON events.org_id = names.org_id AND metric_type = name"
    " AND counts_at >= first AND counts_at < last ORDER BY place, number"
)
_ALL_EVENTS: Final = (  # looks at those of other periods, too: half the time where these are few
    f"{_EVENT_ROWS} FROM wanted JOIN org_billing_usage_events AS events"
    " ON events.org_id = wanted.org_id"
    " AND counts_at >= first AND counts_at < last ORDER BY place, number"
)
_WITHDRAWALS: Final = (
    " SELECT place, events.number, event_id, withdrawn_at FROM wanted"
    " JOIN org_billing_usage_withdrawals AS withdrawals USING (org_id)"
    " JOIN org_billing_usage_events AS events ON events.number = event"
    " WHERE counts_at >= first AND counts_at < last ORDER BY withdrawals.number"
)


class PeriodUsage(NamedTuple):
    """The rows of an org's usage in a period.

    :param events: of those that count in it, withdrawn ones too, by their number; None where they
        are too many.
    :param withdrawals: of events that count in it, by their number.
    :param put: of sums that were put for spans which overlap it.

    Each method raises a `KeyError` where there are too many events, and a `StorageCorrupt` for a
    row that can't be read.
    """

    org_id: str
    period: Period
    events: Mapping[int, EventRow] | None
    withdrawals: Mapping[int, WithdrawalRow]
    put: Sequence[PutRow]

    def puts(self) -> Sequence[Usage]:
        """Return the sums that were put for spans which overlap the period."""
        if not self.put:
            return ()
        with readable():
            return puts_of(self.org_id, self.put)

    def picos(self) -> dict[str, int]:
        """Return the units of each name, in picos."""
        picos: dict[str, int] = {}
        with readable():
            for _, name, quantity, _, _, _ in self._standing():
                picos[name] = picos.get(name, 0) + picos_of(quantity)
            return {metric_of(name): picos[name] for name in sorted(picos)}

    def sums(self) -> dict[str, EventSum]:
        """Return the sum of the events of each name."""
        by_name: dict[str, list[tuple[str, str, str]]] = {}
        with readable():
            for event_id, name, quantity, at, _, _ in self._standing():
                by_name.setdefault(name, []).append((at, event_id, quantity))
            sums = {metric_of(name): sum_up((), by_name[name]) for name in sorted(by_name)}
            return {name: events for name, events in sums.items() if events is not None}

    def seal(self) -> str:
        """Return the seal: of all events that came, and of what was withdrawn."""
        puts: Sequence[PutRow] = ()
        if self.put:
            first, last = exact_bounds(self.period)
            puts = [row for row in self.put if first <= row[0] and row[1] <= last]
        with readable():
            return sealed([*self._events.values()], puts, [*self.withdrawals.values()])

    @property
    def _events(self) -> Mapping[int, EventRow]:
        if self.events is None:
            raise KeyError(self.period)
        return self.events

    def _standing(self) -> Iterable[EventRow]:
        """Return the events that weren't withdrawn."""
        if not self.withdrawals:
            return self._events.values()
        return [row for number, row in self._events.items() if number not in self.withdrawals]


def usage_of_periods(
    queries: BulkQueries, periods: Mapping[str, Sequence[Period]], *, are_new: bool
) -> dict[str, dict[Period, PeriodUsage]]:
    """Return the usage of periods of orgs.

    :param periods: by org, in order. All of them have their events, unless they are too many: then
        the first have.
    :param are_new: whether the orgs may be taken to have few events in other periods.
    """
    own = [(org_id, period) for org_id, periods_of in periods.items() for period in periods_of]
    wanted = [(place, org_id, *exact_bounds(period)) for place, (org_id, period) in enumerate(own)]
    puts: dict[int, list[PutRow]] = {}
    for place, *put in queries.joined(wanted, _WANTED, _PUTS):
        puts.setdefault(place, []).append(tuple(put))
    events, few = _few_events(queries, wanted, _ALL_EVENTS if are_new else _EVENTS)
    withdrawals: dict[int, dict[int, WithdrawalRow]] = {}
    for place, number, event_id, at in queries.joined(wanted[:few], _WANTED, _WITHDRAWALS):
        withdrawals.setdefault(place, {})[number] = event_id, at
    usage: dict[str, dict[Period, PeriodUsage]] = {}
    for place, (org_id, period) in enumerate(own):
        usage.setdefault(org_id, {})[period] = PeriodUsage(
            org_id,
            period,
            events.get(place, _NO_EVENTS) if place < few else None,
            withdrawals.get(place, _NO_WITHDRAWALS),
            puts.get(place, ()),
        )
    return usage


def _few_events(
    queries: BulkQueries, wanted: Sequence[_Wanted], sql: str
) -> tuple[dict[int, dict[int, EventRow]], int]:
    """Return the events of periods by their place, and how many of the first have few."""
    events: dict[int, dict[int, EventRow]] = {}
    rows = queries.joined(wanted, _WANTED, f"{sql} LIMIT {_MOST_EVENTS + 1}")
    for read, row in enumerate(rows):
        place = row[0]
        if read == _MOST_EVENTS:  # those of the place may be read in part
            events.pop(place, None)
            return events, place
        events.setdefault(place, {})[row[1]] = row[2:]
    return events, len(wanted)
