"""The counters of SQLite made again: usage of events and of puts, overage of records.

They decide bills, and a connection of the host's may change them: each is compared with the
sum of its sources.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple, TypeAlias

from overages._ground.names import parse_name
from overages.adapters.sqlite.rows import period_of, picos_of, readable
from overages.adapters.sqlite.store import SqliteStore
from overages.amounts.exact import number_text, unscaled
from overages.errors import UsageAltered

_KEY: Final = "org_id, billing_period_start, billing_period_end, metric_type"
_OVERAGE: Final = "overage", "overage_cost", "currency", "currency_exponent"

_Key: TypeAlias = tuple[str, str, str, str]
_Put: TypeAlias = tuple[int, str]
"""The number of the last event before usage was put, and the quantity."""


class _Counter(NamedTuple):
    """The numbers in the row of a metric; without any, those of a metric that has no row."""

    used: str = "0"
    overage: str | None = None
    overage_cost: str | None = None
    currency: str | None = None
    currency_exponent: int | None = None


class CounterTable(SqliteStore):
    """The table of counters."""

    def _altered_usage(self, org_id: str | None) -> Iterator[UsageAltered]:
        for among, orgs in self._spans(org_id):
            rows, due = self._rows(among, orgs), self._made_again(among, orgs)
            for key in sorted({*rows, *due}, key=repr):
                row, expected = rows.get(key, _Counter()), due.get(key, _Counter())
                for field, value, wanted in zip(_Counter._fields, row, expected, strict=True):
                    if value != wanted:
                        yield _altered(key, field, value, wanted)

    def _rows(self, among: str, orgs: Sequence[object]) -> dict[_Key, _Counter]:
        columns = f"{_KEY}, used, {', '.join(_OVERAGE)}"
        sql = f"SELECT {columns} FROM org_billing_usage_monthly WHERE {among}"
        return {row[:4]: _Counter(*row[4:]) for row in self._cursor.execute(sql, orgs)}

    def _made_again(self, among: str, orgs: Sequence[object]) -> dict[_Key, _Counter]:
        used, overage = self._used_again(among, orgs), self._overage_again(among, orgs)
        return {
            key: _Counter(used.get(key, "0"), *overage.get(key, ())) for key in {*used, *overage}
        }

    def _used_again(self, among: str, orgs: Sequence[object]) -> dict[_Key, str]:
        """Add up the last put of each metric and the events that came since."""
        sql = (
            f"SELECT {_KEY}, last_event, used FROM org_billing_usage_puts WHERE {among}"
            " ORDER BY number"
        )
        puts: dict[_Key, _Put] = {row[:4]: row[4:] for row in self._cursor.execute(sql, orgs)}
        sql = f"SELECT {_KEY}, number, quantity FROM org_billing_usage_events WHERE {among}"
        with readable():
            sums = {key: picos_of(used) for key, (_, used) in puts.items()}
            for *columns, number, quantity in self._cursor.execute(sql, orgs):
                key = tuple(columns)
                if key not in puts or number > puts[key][0]:
                    sums[key] = sums.get(key, 0) + picos_of(quantity)
        return {key: number_text(unscaled(picos)) for key, picos in sums.items()}

    def _overage_again(
        self, among: str, orgs: Sequence[object]
    ) -> dict[_Key, tuple[str, str, str, int]]:
        """Add up the records of each metric."""
        sql = (
            f"SELECT {_KEY}, currency, currency_exponent, amount, cost FROM org_billing_overages"
            f" WHERE {among} AND metric_type <> ''"
        )
        sums: dict[_Key, tuple[int, int]] = {}
        units: dict[_Key, tuple[str, int]] = {}  # a period is charged in one currency
        with readable():
            for *columns, code, exponent, quantity, cost in self._cursor.execute(sql, orgs):
                key = tuple(columns)
                picos, minor = sums.get(key, (0, 0))
                sums[key] = picos + picos_of(quantity), minor + int(cost)
                units[key] = code, exponent
        return {
            key: (number_text(unscaled(picos)), number_text(minor), *units[key])
            for key, (picos, minor) in sums.items()
        }


def _altered(key: _Key, field: str, value: object, wanted: object) -> UsageAltered:
    with readable():
        org_id, metric = parse_name(key[0], "org_id"), parse_name(key[3], "metric_type")
        period = period_of(*key[1:3])
    problem = f"must be {wanted!r}, by the events, usage and records that it is made of"
    return UsageAltered((metric, field), value, problem, org_id, period)
