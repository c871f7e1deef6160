"""Usage events, usage and records from data frames and other Arrow tables, exactly.

Anything with the Arrow PyCapsule interface will do: tables of pyarrow, frames of pandas (2.2 and
newer) and of Polars. It is read a batch at a time:

    new = service.record_usage(events_from_arrow(frame))
    statements = [calculate(plan, usage) for usage in usages_from_arrow(frame, period)]
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from typing import Any, Final

from overages._ground.columns import EVENTS, RECORDS, USAGE, dimension_of
from overages._ground.names import parse_name
from overages._ground.parsing import Problems, instance_of, optional, parse_all
from overages.amounts.exact import (
    Exact,
    Quantity,
    parse_amount,
    parse_non_negative,
    parse_quantity,
    plain_number,
)
from overages.amounts.money import Currency, Money
from overages.errors import Field, InvalidValue, OveragesError
from overages.imports.frames import ArrowTable, Row, read_rows
from overages.periods.period import Period
from overages.records.record import OverageRecord
from overages.usage.event import UsageEvent
from overages.usage.usage import Usage

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_RATIO: Final = re.compile(r"(-?[0-9]+)/([1-9][0-9]*)")
_LONGEST: Final = 2_002  # characters of an amount: a thousand digits on each side


def events_from_arrow(table: ArrowTable) -> Iterator[UsageEvent]:
    """Yield the usage event of each row, batch by batch.

    Columns are those of a CSV file: ``org_id``, ``metric``, ``quantity``, ``timestamp``,
    ``event_id`` if events have ids, and ``dimension.<name>`` for each dimension. An id or a
    dimension that is null isn't there.

    :param table: of pyarrow, pandas, Polars, or anything else with the Arrow PyCapsule interface.
    :raises InvalidType: if the table isn't one, or a column is of a type that it can't have: a
        quantity that is a float, a timestamp without a timezone.
    :raises InvalidValue: if a column is missing or unknown; `InvalidValues` for several faults. All
        this is raised at once; a fault of a row, when it is reached.

    >>> import pyarrow as pa
    >>> at = datetime(2024, 2, 3, tzinfo=UTC)
    >>> row = {"org_id": "org-123", "metric": "tokens", "quantity": 4_808, "timestamp": at}
    >>> [event.quantity for event in events_from_arrow(pa.Table.from_pylist([row]))]
    [4808]
    >>> list(events_from_arrow(pa.Table.from_pylist([row | {"quantity": 4808.0}])))
    Traceback (most recent call last):
        ...
    overages.errors.InvalidType: columns.quantity: must hold integers, decimals or decimal text \
(a float is not exact), got 'double'
    """
    rows = read_rows(table, EVENTS, dimensions=True)
    return (_within(i, _event, row) for i, row in rows)


def usages_from_arrow(table: ArrowTable, period: Period | None = None) -> list[Usage]:
    """Return the usage of each org and period, in the order in which they first come.

    Columns are ``org_id``, ``period_start``, ``period_end``, ``metric`` and ``quantity``: the sum
    of the period, in a row for each metric. Rows may be in any order. One with neither metric nor
    quantity says that there is an org, which may have used nothing.

    :param table: of pyarrow, pandas, Polars, or anything else with the Arrow PyCapsule interface.
    :param period: the period of all rows, where the table has no columns of it.
    :raises InvalidType: if the table isn't one, or a column is of a type that it can't have.
    :raises InvalidValue: if a column is missing or unknown, a quantity negative or null, or a
        metric there twice in a usage; `InvalidValues` for several faults.

    >>> import pyarrow as pa
    >>> rows = [{"org_id": "org-123", "metric": "tokens", "quantity": 750_000}]
    >>> usages_from_arrow(pa.Table.from_pylist(rows), Period.month(2024, 2))[0].quantities["tokens"]
    750000
    """
    optional(instance_of(Period))(period, "period")
    expected = [c for c in USAGE if period is None or not c.name.startswith("period_")]
    problems = Problems()
    sums: dict[tuple[str, Period], dict[str, Quantity]] = {}
    for i, row in read_rows(table, expected):
        problems.attempt(_take_in, sums, row, period, path=("rows", i))
    problems.raise_any()
    return [Usage(org_id, billed, quantities) for (org_id, billed), quantities in sums.items()]


def records_from_arrow(table: ArrowTable) -> Iterator[OverageRecord]:
    """Yield the record of each row of a table of `overages.exports.arrow.records_to_arrow`.

    Amounts may be decimals or text. Digests are taken as they are:
    `overages.records.chain.verify_chain` checks them.

    :param table: of pyarrow, pandas, Polars, or anything else with the Arrow PyCapsule interface.
    :raises InvalidType: if the table isn't one, or a column is of a type that it can't have.
    :raises InvalidValue: if a column is missing or unknown; `InvalidValues` for several faults. All
        this is raised at once; a fault of a row, when it is reached.
    """
    return (_within(i, _record, row) for i, row in read_rows(table, RECORDS))


def _within(i: int, make: Any, row: Row) -> Any:
    try:
        return make(row)
    except OveragesError as error:
        raise error.within("rows", i) from None


def _event(row: Row) -> UsageEvent:
    units, at = parse_all(
        (parse_quantity, row["quantity"], "quantity"), (_moment, row["timestamp"], "timestamp")
    )
    dimensions = {
        key: value
        for column, value in row.items()
        if (key := dimension_of(column)) and value is not None
    }
    return UsageEvent(row["org_id"], row["metric"], units, at, row.get("event_id"), dimensions)


def _take_in(
    sums: dict[tuple[str, Period], dict[str, Quantity]], row: Row, period: Period | None
) -> None:
    billed = _period(row) if period is None else period
    if row["metric"] is None and row["quantity"] is None:
        sums.setdefault((parse_name(row["org_id"], "org_id"), billed), {})
        return
    org_id, metric, units = parse_all(
        (parse_name, row["org_id"], "org_id"),
        (parse_name, row["metric"], "metric"),
        (parse_non_negative, row["quantity"], "quantity"),
    )
    quantities = sums.setdefault((org_id, billed), {})
    if metric in quantities:
        raise InvalidValue(
            "metric", metric, f"must be there once for {org_id}, {billed.describe()}"
        )
    quantities[metric] = units


def _record(row: Row) -> OverageRecord:
    cost, exact_cost, unit_price, created_at = parse_all(
        (_amount, row["cost"], "cost"),
        (_amount, row["exact_cost"], "exact_cost"),
        (optional(_amount), row["unit_price"], "unit_price"),
        (_moment, row["created_at"], "created_at"),
    )
    return OverageRecord(
        row["org_id"],
        _period(row),
        row["metric"],
        quantity=row["quantity"],
        cost=Money.of(cost, Currency(row["currency"], row["currency_exponent"])),
        exact_cost=exact_cost,
        unit_price=unit_price,
        line=row["line"],
        plan=row["plan"],
        plan_version=row["plan_version"],
        revision=row["revision"],
        sequence=row["sequence"],
        created_at=created_at,
        digest=row["digest"],
    )


def _period(row: Row) -> Period:
    return _period_between(row["period_start"], row["period_end"])


@lru_cache(maxsize=1024)  # tables have few periods
def _period_between(start: int | None, end: int | None) -> Period:
    return Period(*parse_all((_moment, start, "period_start"), (_moment, end, "period_end")))


def _moment(value: object, field: Field) -> datetime:
    """Return the instant that an integer of microseconds is, since 1970."""
    if value is None:
        raise InvalidValue(field, value, "must not be null")
    try:
        return _EPOCH + timedelta(microseconds=instance_of(int)(value, field))
    except OverflowError:
        raise InvalidValue(field, value, "must be within the years 1 to 9999 in UTC") from None


def _amount(value: object, field: Field) -> Exact:
    """Return an amount of a decimal column, or of one of text such as ``7/60``."""
    if not isinstance(value, str):
        return parse_amount(value, field)
    if len(value) <= _LONGEST:
        if (plain := plain_number(value)) is not None:
            return parse_amount(Decimal(plain), field)
        if ratio := _RATIO.fullmatch(value):
            return parse_amount(Fraction(Decimal(ratio[1])) / Fraction(Decimal(ratio[2])), field)
    raise InvalidValue(field, value, "must be a plain number such as 12.5 or 7/60")
