"""Aggregation: from records to a summary.

Records go in in any order, and come out by metric:

    summary = aggregate(records)
    summary["tokens"].quantity, summary.total
"""

from __future__ import annotations

from collections.abc import Iterable

from overages._ground.parsing import an_iterable
from overages.amounts.exact import SCALE, scaled, unscaled
from overages.amounts.money import Currency, parse_currency
from overages.errors import CurrencyMismatch, InvalidType, InvalidValue
from overages.records.record import OverageRecord
from overages.statements.summary import Summary, summary_of_sums


def aggregate(
    records: Iterable[OverageRecord], *, currency: Currency | str | None = None
) -> Summary:
    """Return the summary of records: quantity and cost by metric, adjustments, and the total.

    Records of any orgs and periods may be mixed, in any order, charges and corrections alike. The
    summaries of parts of them, added, are the summary of all.

    :param records: read once, one by one.
    :param currency: that of the costs; needed only where there may be no record at all.
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
    # This loop is measured (0.12 us a record): hence a list in place, and integers by themselves,
    # for nearly all quantities are some, and scaling one takes as long as all else.
    cells: dict[str, list[int]] = {}  # by metric: whole units, picos of others, minor units
    adjusted: dict[str, int] = {}  # by line: minor units
    for i, record in enumerate(an_iterable(records, "records")):
        if not isinstance(record, OverageRecord):
            raise InvalidType(("records", i), record, "must be of type OverageRecord")
        cost = record.cost
        if cost.currency is not unit:
            if unit is not None and unit != cost.currency:
                raise CurrencyMismatch(unit.code, cost.currency.code, ("records", i, "cost"))
            unit = cost.currency
        metric = record.metric
        if metric is None:
            adjusted[record.line] = adjusted.get(record.line, 0) + cost.minor
            continue
        try:
            cell = cells[metric]
        except KeyError:  # once a metric; to ask each time takes a tenth of the loop
            cell = cells[metric] = [0, 0, 0]
        quantity = record.quantity
        if type(quantity) is int:
            cell[0] += quantity
        else:
            cell[1] += scaled(quantity)
        cell[2] += cost.minor
    if unit is None:
        raise InvalidValue("records", (), "must hold at least one, or a currency be given")
    totals = {
        metric: (unscaled(integer * SCALE + picos) if picos else integer, minor)
        for metric, (integer, picos, minor) in cells.items()
    }
    return summary_of_sums(unit, totals, adjusted)
