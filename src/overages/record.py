"""Records: the lines of a statement as they are kept, and what they come to.

A repository makes records of a statement, and `aggregate` makes a summary of them:

    records = repository.record(statement, created_at=now).records
    summary = Summary("USD", {"tokens": MetricTotal(250_000, cost)})
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Final

from attrs import field, frozen

from overages.adjustment import OVERAGE
from overages.display import html_table
from overages.errors import CurrencyMismatch, InvalidValue, UnknownMetric
from overages.exact import (
    Exact,
    Quantity,
    QuantityLike,
    add_up,
    exact_amount,
    optional_amount,
    ordinal,
    plain_text,
    quantity as parse_quantity,
    sum_of_quantities,
)
from overages.money import Currency, Money
from overages.names import name, optional_name
from overages.parsing import instance_of, parse_all
from overages.period import Period, instant
from overages.trusted import trusted


@frozen(init=False, weakref_slot=False)
class OverageRecord:
    """One stored line of a statement: a charge, or a correction of earlier ones.

    The records of a line sum to the last result that was recorded for its period: quantity,
    exact cost and cost alike. A record is never changed; `digest` shows that it wasn't.

    :param org_id: who is charged.
    :param period: for when.
    :param metric: for what; None where it is about all lines of the statement.
    :param quantity: units over the limit; negative in a correction that takes some back.
    :param cost: what is charged for them, rounded; of any sign.
    :param exact_cost: the same unrounded, in major currency units.
    :param unit_price: major currency units for each unit of the quantity; None where there is no
        such price, since units differ in it or a correction is one of the price.
    :param line: which line of the statement it keeps: ``"overage"``, or that of an adjustment, such
        as ``"minimum"`` or ``"credit:grant-7"``; an adjustment's quantity is zero.
    :param plan: slug of the plan that said so.
    :param plan_version: which version of the plan, counted from 1.
    :param revision: which result of the period the record led to, counted from 1.
    :param sequence: the record's place among all records of its org, counted from 1.
    :param created_at: when it was recorded, timezone-aware; kept in UTC.
    :param digest: SHA-256 over the record and the digest of the org's record before, 64 lower-case
        hexadecimal digits (see `overages.chain`).
    :raises InvalidType: for a value of a wrong type.
    :raises InvalidValue: for a value that is not allowed; `InvalidValues` for several.

    Repositories make records; `overages.recording.Ledger` makes them without a repository.
    """

    org_id: str
    period: Period
    metric: str | None
    quantity: Quantity
    cost: Money
    exact_cost: Exact
    unit_price: Exact | None
    line: str
    plan: str
    plan_version: int
    revision: int
    sequence: int
    created_at: datetime
    digest: str = field(repr=False)

    def __init__(
        self,
        org_id: str,
        period: Period,
        metric: str | None,
        *,
        quantity: QuantityLike,
        cost: Money,
        exact_cost: Exact | int,
        unit_price: Exact | int | None = None,
        line: str = OVERAGE,
        plan: str,
        plan_version: int = 1,
        revision: int = 1,
        sequence: int = 1,
        created_at: datetime,
        digest: str,
    ) -> None:
        values = parse_all(
            (name, org_id, "org_id"),
            (instance_of(Period), period, "period"),
            (optional_name, metric, "metric"),
            (parse_quantity, quantity, "quantity"),
            (instance_of(Money), cost, "cost"),
            (exact_amount, exact_cost, "exact_cost"),
            (optional_amount, unit_price, "unit_price"),
            (name, line, "line"),
            (name, plan, "plan"),
            (ordinal, plan_version, "plan_version"),
            (ordinal, revision, "revision"),
            (ordinal, sequence, "sequence"),
            (instant, created_at, "created_at"),
            (sha256_digest, digest, "digest"),
        )
        if metric is None and line == OVERAGE:
            raise InvalidValue("metric", metric, "must be named for an overage")
        self.__attrs_init__(*values)

    @property
    def id(self) -> str:
        """What names the record everywhere: its digest."""
        return self.digest


@frozen(init=False, weakref_slot=False)
class MetricTotal:
    """What the records of one metric come to.

    :param quantity: units over the limit; exact, and of any size.
    :param cost: what is charged for them, with the adjustments of the metric.
    """

    quantity: Quantity
    cost: Money

    def __init__(self, quantity: Quantity, cost: Money) -> None:
        values = parse_all(
            (sum_of_quantities, quantity, "quantity"), (instance_of(Money), cost, "cost")
        )
        self.__attrs_init__(*values)


@frozen(init=False, repr=False, weakref_slot=False)
class Summary:
    """Overage of one or many orgs and periods, by metric, with the total.

    Metrics without quantity and cost are left out, and adjustments without cost, so that nothing
    charged, and charged and taken back, are the same summary. Summaries of one currency can be
    added.

    :param currency: what the costs are in: a `Currency` or an ISO 4217 code.
    :param metrics: a `MetricTotal` by metric.
    :param adjustments: what adjusts all metrics together (a minimum of the plan, a credit), by the
        name of its line.
    :raises CurrencyMismatch: if a cost is in another currency.

    >>> summary = Summary("USD", {"tokens": MetricTotal(250_000, Money(2500, "USD"))})
    >>> print((summary + summary).total)
    50.00 USD
    """

    currency: Currency
    _metrics: dict[str, MetricTotal] = field(hash=False)
    _adjustments: dict[str, Money] = field(hash=False)

    def __init__(
        self,
        currency: Currency | str,
        metrics: Mapping[str, MetricTotal],
        adjustments: Mapping[str, Money] = MappingProxyType({}),
    ) -> None:
        unit = Currency.coerce(currency)
        kept = {}
        for metric, total in instance_of(Mapping)(metrics, "metrics").items():
            _require_currency(unit, instance_of(MetricTotal)(total, f"metrics.{metric}").cost)
            if total.quantity or total.cost.minor:
                kept[name(metric, "metrics metric")] = total
        others = {}
        for line, cost in instance_of(Mapping)(adjustments, "adjustments").items():
            _require_currency(unit, instance_of(Money)(cost, f"adjustments.{line}"))
            if cost.minor:
                others[name(line, "adjustments line")] = cost
        self.__attrs_init__(unit, kept, others)

    @property
    def metrics(self) -> Mapping[str, MetricTotal]:
        """What was charged by metric; can be read only."""
        return MappingProxyType(self._metrics)

    @property
    def adjustments(self) -> Mapping[str, Money]:
        """What adjusts all metrics together, by line; can be read only."""
        return MappingProxyType(self._adjustments)

    @property
    def total(self) -> Money:
        """The cost of all metrics and adjustments."""
        metrics = sum(total.cost.minor for total in self._metrics.values())
        others = sum(cost.minor for cost in self._adjustments.values())
        return Money(metrics + others, self.currency)

    def __getitem__(self, metric: str) -> MetricTotal:
        """Return what was charged for a metric.

        :raises UnknownMetric: if nothing was.
        """
        try:
            return self._metrics[metric]
        except KeyError:
            raise UnknownMetric("metric", metric, f"{metric!r} has no overage here") from None

    def __contains__(self, metric: object) -> bool:
        return metric in self._metrics

    __iter__ = None  # what it would give, metrics or totals, is for the reader to say

    def __add__(self, other: Summary) -> Summary:
        if not isinstance(other, Summary):
            return NotImplemented
        if other.currency != self.currency:
            raise CurrencyMismatch(self.currency.code, other.currency.code)
        merged = dict(self._metrics)
        for metric, theirs in other._metrics.items():
            ours = merged.get(metric)
            merged[metric] = theirs if ours is None else _sum(ours, theirs)
        adjusted = dict(self._adjustments)
        for line, cost in other._adjustments.items():
            adjusted[line] = adjusted[line] + cost if line in adjusted else cost
        return Summary(self.currency, merged, adjusted)

    def _repr_html_(self) -> str:
        rows = [["metric", "over", "cost"]]
        for metric, found in self._metrics.items():
            rows.append([metric, plain_text(found.quantity), str(found.cost)])
        rows += [[f"all: {line}", "", str(cost)] for line, cost in self._adjustments.items()]
        return html_table([*rows, ["total", "", str(self.total)]], "lrr", "Overage")

    def __repr__(self) -> str:
        others = f", {self._adjustments!r}" if self._adjustments else ""
        return f"Summary({self.currency.shortest!r}, {self._metrics!r}{others})"


def by_sequence(record: OverageRecord) -> int:
    """Return what sorts records of an org in the order of recording."""
    return record.sequence


def sha256_digest(value: object, field: str) -> str:
    """Return `value` if it is written as SHA-256 digests are here."""
    text: str = instance_of(str)(value, field)
    if not re.fullmatch(r"[0-9a-f]{64}", text):
        raise InvalidValue(field, value, "must be 64 lower-case hexadecimal digits")
    return text


def _require_currency(expected: Currency, cost: Money) -> None:
    if cost.currency != expected:
        raise CurrencyMismatch(expected.code, cost.currency.code)


def _sum(left: MetricTotal, right: MetricTotal) -> MetricTotal:
    quantity = add_up([left.quantity, right.quantity])
    return MetricTotal(quantity, left.cost + right.cost)


new_record: Final = trusted(OverageRecord)
new_total: Final = trusted(MetricTotal)
new_summary: Final = trusted(Summary)
