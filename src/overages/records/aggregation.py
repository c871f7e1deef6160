"""Aggregation: from records to a summary.

Records go in in any order, and come out by metric:

    summary = aggregate(records)
    summary["tokens"].quantity, summary.total
"""

from __future__ import annotations

from collections.abc import Iterable

from overages._ground.parsing import an_iterable
from overages.amounts.exact import SCALE, scaled, unscaled
from overages.amounts.money import Currency, Money, parse_currency
from overages.errors import CurrencyMismatch, InvalidType, InvalidValue
from overages.records.record import OverageRecord
from overages.statements.summary import MetricTotal, Summary


def aggregate(
    records: Iterable[OverageRecord], *, currency: Currency | str | None = None
) -> Summary:
    """Return what records come to: quantity and cost by metric, adjustments, and the total.

    Records of any orgs and periods may be mixed, in any order, charges and corrections alike. The
    summaries of parts of them, added, are the summary of all.

    :param records: read once, one by one.
    :param currency: what the costs are in; needed only where there may be no record at all.
    :raises CurrencyMismatch: if records are in more than one currency.
    :raises InvalidValue: if there is neither a record nor a currency.

    >>> from overages import Money, OverageRecord, Period
    >>> february, march = Period.month(2024, 2), Period.month(2024, 3)
    >>> record = OverageRecord("org-123", february, "tokens", quantity=250_000,
    ...                        cost=Money(2500, "USD"), exact_cost=25, plan="starter",
    ...                        created_at=march.start, digest="0" * 64)
    >>> print(aggregate([record, record]).total)
    50.00 USD
    """
    unit = None if currency is None else parse_currency(currency, "currency")
    # By metric: whole units, 1/SCALE parts of others, minor units.
    cells: dict[str, list[int]] = {}
    adjusted: dict[str, int] = {}  # minor units by line
    for record in an_iterable(records, "records"):
        if not isinstance(record, OverageRecord):
            raise InvalidType("records", record, "must hold OverageRecords alone")
        cost = record.cost
        if cost.currency is not unit:
            unit = _one_currency(unit, cost.currency)
        if record.metric is None:
            adjusted[record.line] = adjusted.get(record.line, 0) + cost.minor
            continue
        cell = cells.get(record.metric)
        if cell is None:
            cell = cells[record.metric] = [0, 0, 0]
        quantity = record.quantity
        if type(quantity) is int:
            cell[0] += quantity
        else:
            cell[1] += scaled(quantity)
        cell[2] += cost.minor
    if unit is None:
        raise InvalidValue("records", (), "must hold at least one, or a currency be given")
    return Summary(
        unit,
        {
            metric: MetricTotal(unscaled(whole * SCALE + parts), Money(minor, unit))
            for metric, (whole, parts, minor) in cells.items()
        },
        {line: Money(minor, unit) for line, minor in adjusted.items()},
    )


def _one_currency(seen: Currency | None, found: Currency) -> Currency:
    if seen is not None and seen != found:
        raise CurrencyMismatch(seen.code, found.code)
    return found
