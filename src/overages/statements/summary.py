"""Summaries: quantity and cost by metric, of a statement's lines or of their records.

A statement and its records have the same one:

    summary = statement.summary()                     # or aggregate(records)
    summary["tokens"].cost, summary.total
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from overages._ground.display import html_table, text_table
from overages._ground.frozen_dict import FrozenDict
from overages._ground.names import by_metric, by_name
from overages._ground.parsing import Problems, instance_of
from overages._ground.trusted import trusted
from overages._ground.value import term, value
from overages.amounts.exact import Quantity, add_up, parse_sum, plain_text, plus
from overages.amounts.money import Currency, Money, new_money, parse_currency
from overages.errors import CurrencyMismatch, UnknownMetric
from overages.lines.adjustment import Adjustment
from overages.lines.overage import LineNumbers

_ALIGN: Final = "lrr"


@value
class MetricTotal:
    """The quantity and cost of one metric over lines or records.

    :param quantity: units over the limit; exact, and of any size.
    :param cost: the charge for them, with the adjustments of the metric.
    """

    quantity: Quantity = term(parse_sum)
    cost: Money = term(instance_of(Money))

    def __init__(self, quantity: Quantity, cost: Money) -> None: ...


_parse_totals: Final = by_metric(instance_of(MetricTotal), "metrics to MetricTotals")
_parse_costs: Final = by_name(instance_of(Money), "lines to Money", of="line")


@value
class Summary:
    """Overage of one or many orgs and periods, by metric, with the total.

    Metrics without quantity and cost are left out, and adjustments without cost, so that nothing
    charged, and charged and taken back, are the same summary. Summaries of one currency can be
    added.

    :param currency: the currency of the costs: a `Currency` or an ISO 4217 code.
    :param metrics: a `MetricTotal` by metric.
    :param adjustments: costs that are of all metrics together (a minimum of the plan, a credit), by
        the name of its line.
    :raises CurrencyMismatch: if a cost is in another currency.

    >>> summary = Summary("USD", {"tokens": MetricTotal(250_000, Money(2500, "USD"))})
    >>> print(summary + summary)
    metric     over       cost
    tokens  500,000  50.00 USD
    total            50.00 USD
    """

    currency: Currency = term(parse_currency)
    metrics: Mapping[str, MetricTotal] = term(_parse_totals)
    adjustments: Mapping[str, Money] = term(_parse_costs)

    def __init__(
        self,
        currency: Currency | str,
        metrics: Mapping[str, MetricTotal],
        adjustments: Mapping[str, Money] = FrozenDict(),
    ) -> None: ...

    def _check(self, problems: Problems) -> None:
        costs = [(("metrics", metric), total.cost) for metric, total in self.metrics.items()]
        costs += [(("adjustments", line), cost) for line, cost in self.adjustments.items()]
        for path, cost in costs:
            if cost.currency != self.currency:
                problems.add(CurrencyMismatch(self.currency.code, cost.currency.code, path))

    def _complete(self) -> None:
        metrics = {
            metric: total
            for metric, total in self.metrics.items()
            if total.quantity or total.cost.minor
        }
        adjustments = {line: cost for line, cost in self.adjustments.items() if cost.minor}
        object.__setattr__(self, "metrics", FrozenDict(metrics))
        object.__setattr__(self, "adjustments", FrozenDict(adjustments))

    @property
    def total(self) -> Money:
        """The cost of all metrics and adjustments."""
        metrics = sum(total.cost.minor for total in self.metrics.values())
        others = sum(cost.minor for cost in self.adjustments.values())
        return Money(metrics + others, self.currency)

    def __getitem__(self, metric: str) -> MetricTotal:
        """Return the total of a metric.

        :raises UnknownMetric: if nothing was.
        """
        try:
            return self.metrics[metric]
        except KeyError:
            raise UnknownMetric("metric", metric, f"{metric!r} has no overage here") from None

    def __contains__(self, metric: object) -> bool:
        return metric in self.metrics

    __iter__ = None  # metrics, or totals: the reader is to say which

    def __add__(self, other: Summary) -> Summary:
        if not isinstance(other, Summary):
            return NotImplemented
        if other.currency != self.currency:
            raise CurrencyMismatch(self.currency.code, other.currency.code)
        merged = dict(self.metrics)
        for metric, theirs in other.metrics.items():
            ours = merged.get(metric)
            merged[metric] = theirs if ours is None else _sum(ours, theirs)
        adjusted = dict(self.adjustments)
        for line, cost in other.adjustments.items():
            adjusted[line] = adjusted[line] + cost if line in adjusted else cost
        return Summary(self.currency, merged, adjusted)

    def __radd__(self, other: int) -> Summary:
        return self if type(other) is int and other == 0 else NotImplemented  # begins a `sum`

    def _table(self) -> list[list[str]]:
        rows = [["metric", "over", "cost"]]
        for metric, total in self.metrics.items():
            rows.append([metric, plain_text(total.quantity), str(total.cost)])
        rows += [[f"all: {line}", "", str(cost)] for line, cost in self.adjustments.items()]
        return [*rows, ["total", "", str(self.total)]]

    def _repr_html_(self) -> str:
        return html_table(self._table(), _ALIGN, "Overage")

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        del cycle  # a summary never holds itself
        printer.text(str(self))

    def __str__(self) -> str:
        return text_table(self._table(), _ALIGN)


def _sum(left: MetricTotal, right: MetricTotal) -> MetricTotal:
    quantity = add_up([left.quantity, right.quantity])
    return MetricTotal(quantity, left.cost + right.cost)


new_total: Final = trusted(MetricTotal)
_new_summary: Final = trusted(Summary)


def summary_of_sums(
    currency: Currency, totals: Mapping[str, tuple[Quantity, int]], adjusted: Mapping[str, int]
) -> Summary:
    """Return the summary of sums in one currency, by names that are known to be good.

    :param totals: quantity, in its one form, and minor units by metric.
    :param adjusted: minor units by the line of an adjustment.
    """
    metrics = {
        metric: new_total(quantity, Money(minor, currency))
        for metric, (quantity, minor) in totals.items()
        if quantity or minor
    }
    adjustments = {line: Money(minor, currency) for line, minor in adjusted.items() if minor}
    return _new_summary(currency, FrozenDict(metrics), FrozenDict(adjustments))


def totals_by_metric(
    rows: Iterable[LineNumbers], adjustments: Iterable[Adjustment], currency: Currency
) -> dict[str, MetricTotal]:
    """Return units over and cost, with its adjustments, of each metric that has a line."""
    return {
        metric: new_total(over, new_money(minor, currency))
        for metric, (over, minor) in sums_by_metric(rows, adjustments).items()
    }


def sums_by_metric(
    rows: Iterable[LineNumbers], adjustments: Iterable[Adjustment]
) -> dict[str, tuple[Quantity, int]]:
    """Return the same as units and minor units."""
    sums: dict[str, tuple[Quantity, int]] = {}
    for line, _, _, over, minor, _, _, _ in rows:
        metric = line.metric
        if metric in sums:
            units, cost = sums[metric]
            sums[metric] = plus(units, over), cost + minor
        else:
            sums[metric] = over, minor
    for adjustment in adjustments:
        if adjustment.metric is not None:
            over, minor = sums[adjustment.metric]
            sums[adjustment.metric] = over, minor + adjustment.cost.minor
    return sums
