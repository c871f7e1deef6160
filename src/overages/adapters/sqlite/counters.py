"""The counters of SQLite made again: sums of the events they are of, overage of records.

They decide bills, and a connection of the host's may change them: each is compared with the
sum of its sources.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Final, NamedTuple, TypeAlias, TypeVar

from overages._ground.names import parse_name
from overages.adapters.sqlite.rows import exact_instant_of, period_of, picos_of, readable
from overages.adapters.sqlite.sum_rows import KEY, SUM, row_of_sum
from overages.adapters.sqlite.sums import SumTable
from overages.amounts.exact import number_text, unscaled
from overages.errors import UsageAltered
from overages.periods.period import Period

_KEY: Final = "org_id, billing_period_start, billing_period_end, metric_type"
_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)

_Key: TypeAlias = tuple[str, str, str, str]
_Row = TypeVar("_Row", "_Counter", "_HeldSum")


class _Counter(NamedTuple):
    """The numbers in the row of a metric; without any, those of a metric that has no row."""

    overage: str | None = None
    overage_cost: str | None = None
    currency: str | None = None
    currency_exponent: int | None = None


class _HeldSum(NamedTuple):
    """The sum in a row of an hour or a day; without any, that of one that has no row."""

    events: int = 0
    used: str = "0"
    largest: str | None = None
    last_at: str | None = None
    last_id: str | None = None
    last_quantity: str | None = None


class CounterTable(SumTable):
    """The tables of counters."""

    def _altered_usage(self, org_id: str | None) -> Iterator[UsageAltered]:
        for among, orgs in self._spans(org_id):
            yield from self._altered_sums(among, orgs)
            yield from self._altered_overage(among, orgs)

    def _altered_sums(self, among: str, orgs: Sequence[object]) -> Iterator[UsageAltered]:
        sql = f"SELECT {KEY}, {SUM} FROM org_billing_usage_sums WHERE {among}"
        rows = {row[:4]: _HeldSum(*row[4:]) for row in self._cursor.execute(sql, orgs)}
        again = self._sums_made_again(among, orgs)
        due = {key: _HeldSum(*row_of_sum(events)) for key, events in again.items()}
        for key in sorted({*rows, *due}, key=repr):
            org_id, metric, unit, start = key
            differing = _differing(rows.get(key, _HeldSum()), due.get(key, _HeldSum()))
            for field, value, wanted in differing:
                with readable():
                    first = exact_instant_of(start)
                    period = Period(first, first + (_DAY if unit == "day" else _HOUR))
                yield _altered(org_id, period, metric, field, value, wanted)

    def _altered_overage(self, among: str, orgs: Sequence[object]) -> Iterator[UsageAltered]:
        columns = f"{_KEY}, {', '.join(_Counter._fields)}"
        sql = f"SELECT {columns} FROM org_billing_usage_monthly WHERE {among}"
        rows = {row[:4]: _Counter(*row[4:]) for row in self._cursor.execute(sql, orgs)}
        due = self._overage_again(among, orgs)
        for key in sorted({*rows, *due}, key=repr):
            org_id, start, end, metric = key
            differing = _differing(rows.get(key, _Counter()), due.get(key, _Counter()))
            for field, value, wanted in differing:
                with readable():
                    period = period_of(start, end)
                yield _altered(org_id, period, metric, field, value, wanted)

    def _overage_again(self, among: str, orgs: Sequence[object]) -> dict[_Key, _Counter]:
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
            key: _Counter(number_text(unscaled(picos)), number_text(minor), *units[key])
            for key, (picos, minor) in sums.items()
        }


def _differing(row: _Row, due: _Row) -> Iterator[tuple[str, object, object]]:
    """Yield the fields of a row that aren't as they are due, with both values."""
    for field, value, wanted in zip(row._fields, row, due, strict=True):
        if value != wanted:
            yield field, value, wanted


def _altered(
    org_id: str, period: Period, metric: str, field: str, value: object, wanted: object
) -> UsageAltered:
    with readable():
        parse_name(org_id, "org_id")
        parse_name(metric, "metric_type")
    problem = f"must be {wanted!r}, by the events and records that it is made of"
    return UsageAltered((metric, field), value, problem, org_id, period)
