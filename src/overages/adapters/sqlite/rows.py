"""Between rows of the SQLite tables and values.

Rows of a database are parsed like any other input: one that no value can be made of is
reported as `StorageCorrupt`.

    record = record_of(row, digest)
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from typing import Final

from overages._ground.frozen_dict import FrozenDict
from overages._ground.jsontext import entries, parsed
from overages._ground.names import parse_name
from overages._ground.trusted import trusted
from overages.adapters.event_texts import EXACT, exact_instant
from overages.amounts.exact import (
    INTEGER_DIGITS,
    SCALE,
    Exact,
    Quantity,
    parse_quantity,
    scaled,
    unscaled,
)
from overages.amounts.money import Currency, Money
from overages.errors import CurrencyMismatch, OveragesError, StorageCorrupt, StorageError
from overages.periods.period import Period, format_instant, instant_from_text
from overages.records.chain import RecordRow
from overages.records.record import OverageRecord
from overages.statements.summary import Summary, summary_of_sums
from overages.usage.event import UsageEvent, parse_dimensions

LONGEST: Final = 10**9
"""Bytes of a stored text, which is as long as SQLite's may be: what it says was checked before."""


class _Readable:
    """A block in which rows are read; a generator would take longer than to read one of them."""

    __slots__ = ()

    def __enter__(self) -> None: ...

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        if error is None or isinstance(error, (CurrencyMismatch, StorageError)):
            return
        if isinstance(error, (ArithmeticError, OveragesError, TypeError, ValueError)):
            raise StorageCorrupt(f"a row can't be read: {error}") from error


_READABLE: Final = _Readable()


def readable() -> AbstractContextManager[None]:
    """Raise `StorageCorrupt` for whatever can't be made of rows within the block."""
    return _READABLE


def record_of(row: RecordRow, digest: str) -> OverageRecord:
    """Return the record that a row keeps."""
    (
        org_id, start, end, metric, line, revision, quantity, unit_price, exact_cost, cost,
        currency, exponent, plan, plan_version, sequence, created_at,
    ) = row  # fmt: skip
    return OverageRecord(
        org_id,
        period_of(start, end),
        metric or None,
        quantity=quantity,
        cost=Money(int(cost), currency_of(currency, exponent)),
        exact_cost=exact_of(exact_cost),
        unit_price=None if unit_price is None else exact_of(unit_price),
        line=line,
        plan=plan,
        plan_version=plan_version,
        revision=revision,
        sequence=sequence,
        created_at=instant_of(created_at),
        digest=digest,
    )


def summary_of(rows: Sequence[tuple[str, str, str, str, str, int]]) -> Summary:
    """Return the summary of some rows of metric, line, quantity, cost, currency and exponent.

    The sums are made here, since SQL's would be floats.

    :raises CurrencyMismatch: if the currencies are not one.
    """
    *_, code, exponent = rows[0]
    cells: dict[str, list[int]] = {}  # by metric: whole units, picos of others, minor units
    adjusted: dict[str, int] = {}  # minor units by line
    with readable():
        for metric, line, quantity, cost, its_code, its_exponent in rows:
            if its_code != code or its_exponent != exponent:
                raise CurrencyMismatch(code, its_code)
            if not metric:
                adjusted[line] = adjusted.get(line, 0) + int(cost)
                continue
            cell = cells.setdefault(metric, [0, 0, 0])
            if "." in quantity:
                cell[1] += picos_of(quantity)
            else:
                cell[0] += int(quantity)
            cell[2] += int(cost)
        currency = currency_of(code, exponent)
        totals = {
            parse_name(metric, "metric_type"): (
                unscaled(integer * SCALE + picos) if picos else integer,
                minor,
            )
            for metric, (integer, picos, minor) in cells.items()
        }
        for line in adjusted:
            parse_name(line, "line")
        return summary_of_sums(currency, totals, adjusted)


_new_event: Final = trusted(UsageEvent)
_NO_DIMENSIONS: Final[FrozenDict[str, str]] = FrozenDict()
_ONE_DIMENSION: Final = re.compile(r'\{"([^"\\\x00-\x1f]+)":"([^"\\\x00-\x1f]+)"\}')  # no escapes


def event_of(
    org_id: str, event_id: str | None, metric: str, quantity: str, at: str, dimensions: str
) -> UsageEvent:
    """Return the event that a row keeps.

    Each of its parts is checked, but those that come again and again once: a statement may read
    them by the hundred thousand.
    """
    return _new_event(
        org_id,
        metric_of(metric),
        quantity_of(quantity),
        exact_instant_of(at),
        event_id if event_id is None else parse_name(event_id, "event_id"),
        _NO_DIMENSIONS if dimensions == "{}" else _dimensions_of(dimensions),
    )


@lru_cache(maxsize=1024)
def metric_of(name: str) -> str:
    """Return a stored name of a metric."""
    return parse_name(name, "metric_type")


@lru_cache(maxsize=1024)
def quantity_of(text: str) -> Quantity:
    """Return a stored quantity."""
    if type(text) is str and text.isdigit() and text.isascii() and len(text) <= INTEGER_DIGITS:
        return int(text)
    return parse_quantity(text, "quantity")


@lru_cache(maxsize=1024)  # hosts report few sets of them again and again
def _dimensions_of(text: str) -> FrozenDict[str, str]:
    alone = _ONE_DIMENSION.fullmatch(text)  # such as a user, of whom there are many
    if alone is not None:
        name, label = alone.groups()
        return FrozenDict({parse_name(name, "dimensions"): parse_name(label, "dimensions")})
    return parse_dimensions(entries(parsed(text), "dimensions"), "dimensions")


def exact_instant_of(text: str) -> datetime:
    """Return an instant that `exact_instant` wrote."""
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is not UTC or len(text) != EXACT:
        raise ValueError(f"{text!r} is no instant in UTC with six decimals")
    return instant


def instant_of(text: str) -> datetime:
    """Return a stored instant."""
    return instant_from_text(text)


@lru_cache(maxsize=1024)  # most rows that are read together are of few periods
def period_of(start: str, end: str) -> Period:
    """Return a stored period."""
    return Period(instant_of(start), instant_of(end))


@lru_cache(maxsize=256)
def currency_of(code: str, exponent: int) -> Currency:
    """Return a stored currency."""
    return Currency(code, exponent)


def exact_of(text: str) -> Exact:
    """Return a stored exact amount."""
    return Fraction(text) if "/" in text else Decimal(text)


def picos_of(text: str) -> int:
    """Return a stored number of units, of any size, in picos."""
    return scaled(Decimal(text)) if "." in text else int(text) * SCALE


@lru_cache(maxsize=1024)
def period_columns(period: Period) -> tuple[str, str]:
    """Write a period as columns."""
    return format_instant(period.start), format_instant(period.end)


@lru_cache(maxsize=1024)
def exact_bounds(period: Period) -> tuple[str, str]:
    """Write the bounds of a period as instants of events are: with six decimals always."""
    return exact_instant(period.start), exact_instant(period.end)


def coarse_span(start: datetime, end: datetime) -> tuple[str, str]:
    """Return bounds for stored instants: between them is all of ``[start, end)``, and few others.

    Stored instants have decimals only if they need some, so that within a second they don't sort
    as text: the bounds leave whole seconds in, and the reader looks again.
    """
    return format_instant(start)[:19], f"{format_instant(end)[:19]}~"
