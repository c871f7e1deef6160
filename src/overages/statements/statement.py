"""The statement: what an org owes for a period beyond its plan, as lines that add up.

`calculate` gives it, with a line for each metric of the plan and one for each adjustment:

    statement.total, statement["tokens"].cost         # Money(5000, "USD"), Money(2500, "USD")
    statement.adjustments                             # a discount, a minimum, a credit ...
    print(statement)                                  # `explain`, as a table
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final, TypeAlias

from attrs import field, frozen

from overages._ground.display import html_table, text_table
from overages._ground.names import parse_name
from overages._ground.parsing import as_tuple, instance_of, parse_all
from overages._ground.trusted import trusted
from overages.amounts.exact import Exact, Quantity, plain_text
from overages.amounts.money import Currency, Money, new_money
from overages.errors import CurrencyMismatch, Field, InvalidType, InvalidValue, UnknownMetric
from overages.periods.period import Period
from overages.statements.adjustment import OVERAGE, Adjustment
from overages.statements.overage import (
    ALIGN,
    COLUMNS,
    PLAIN,
    Detail,
    Overage,
    charge_of,
    new_overage,
)
from overages.statements.summary import MetricTotal, Summary
from overages.terms.plan import Plan

Row: TypeAlias = tuple[Quantity, Quantity | None, Quantity, int]
"""A line in numbers: used, limit, quantity over it, rounded cost in minor units."""

Due: TypeAlias = tuple[str | None, str, Quantity, tuple[int, int], int, Exact | None]
"""A line as recording keeps it.

Metric and line, units, exact cost as a ratio in major units, rounded cost in minor units, and the
price of each unit. (A plain tuple, as a named one takes ten times as long to make.)
"""


@frozen(init=False, repr=False, weakref_slot=False)
class Statement:
    """What one org owes for one period beyond its plan, line by line, and the total.

    :param org_id: who is charged.
    :param period: for when.
    :param plan: the plan that said so; a later change of it doesn't change the statement.
    :param lines: an `Overage` for each of the plan's allowances, in its order, and then an
        `Adjustment` for each discount, commitment, maximum, minimum and credit that changes what
        they come to.
    :raises InvalidValue: if the lines are not those of the plan, or two of them are one.
    :raises CurrencyMismatch: if a cost is not in the plan's currency.
    """

    # Statements are made by the million and read one by one: what is kept of a line is its four
    # numbers, beside the plan that has the rest, and `lines` makes an `Overage` of them.
    org_id: str
    period: Period
    plan: Plan
    _rows: tuple[Row, ...]
    _minor: int = field(eq=False)
    adjustments: tuple[Adjustment, ...]
    _details: tuple[Detail, ...]  # one for each row, or none where all are plain

    def __init__(
        self, org_id: str, period: Period, plan: Plan, lines: Iterable[Overage | Adjustment]
    ) -> None:
        org, when, terms, kept = parse_all(
            (parse_name, org_id, "org_id"),
            (instance_of(Period), period, "period"),
            (instance_of(Plan), plan, "plan"),
            (as_tuple, lines, "lines"),
        )
        overages = tuple(line for line in kept if isinstance(line, Overage))
        adjustments = kept[len(overages) :]
        _check_adjustments(adjustments, terms, len(overages))
        _check_overages(overages, terms)
        rows = tuple((line.used, line.limit, line.quantity, line.cost.minor) for line in overages)
        details = tuple((line.before, line.limit_parts) for line in overages)
        total = sum(line.cost.minor for line in kept)
        plain = all(detail == PLAIN for detail in details)
        self.__attrs_init__(org, when, terms, rows, total, adjustments, () if plain else details)

    @property
    def currency(self) -> Currency:
        """The plan's currency."""
        return self.plan.currency

    @property
    def lines(self) -> tuple[Overage | Adjustment, ...]:
        """All lines: the overages, and then the adjustments. Their costs sum to the total."""
        return (*self.overages, *self.adjustments)

    @property
    def overages(self) -> tuple[Overage, ...]:
        """An `Overage` for each of the plan's allowances, in its order, also where none is over."""
        return tuple(map(self._line, range(len(self._rows))))

    def charged(self) -> Iterator[Due]:
        """Yield, as recording keeps them, the lines that are over or cost something, exactly."""
        details = self._details
        for i, (rate, (_, _, over, minor)) in enumerate(
            zip(self.plan.rates, self._rows, strict=True)
        ):
            before = details[i][0] if details else None
            if not (over or minor) and (rate[3] is not None or before is not None):
                continue
            if before is not None:
                cost, each = charge_of(rate[2], before, over)
                yield rate[0], OVERAGE, over, cost.as_integer_ratio(), minor, each
                continue
            charge = rate[2].charge(over)
            if over or minor or charge.ratio[0]:  # a fee at zero can be less than a minor unit
                each = charge.unit_price if over else None  # what no unit costs is a fee
                yield rate[0], OVERAGE, over, charge.ratio, minor, each
        for line in self.adjustments:
            ratio = line.exact_cost.as_integer_ratio()
            yield line.metric, line.line, 0, ratio, line.cost.minor, None

    def due(self) -> dict[str, tuple[Quantity, int]]:
        """Return units over and minor units by metric, its adjustments among them."""
        due = {
            rate[0]: (over, minor)
            for rate, (_, _, over, minor) in zip(self.plan.rates, self._rows, strict=True)
        }
        for line in self.adjustments:
            if line.metric is not None:
                units, minor = due[line.metric]
                due[line.metric] = units, minor + line.cost.minor
        return due

    @property
    def total(self) -> Money:
        """The sum of the lines' costs."""
        return new_money(self._minor, self.currency)

    def _line(self, place: int) -> Overage:
        metric, _, price, *_ = self.plan.rates[place]
        used, limit, over, minor = self._rows[place]
        before, parts = self._details[place] if self._details else PLAIN
        cost = new_money(minor, self.plan.currency)
        return new_overage(metric, used, limit, over, price, cost, before, parts)

    def __getitem__(self, metric: str) -> Overage:
        """Return the overage of a metric.

        :raises UnknownMetric: if the plan doesn't know the metric.
        """
        for place, rate in enumerate(self.plan.rates):
            if rate[0] == metric:
                return self._line(place)
        raise unknown_metric("metric", metric, self.plan)

    def __contains__(self, metric: object) -> bool:
        return metric in self.plan.allowances

    __iter__ = None  # what it would give, metrics or lines, is for the reader to say

    def summary(self) -> Summary:
        """Return quantity and cost by metric; `aggregate` makes the same of its records."""
        totals = {
            metric: MetricTotal(units, Money(minor, self.currency))
            for metric, (units, minor) in self.due().items()
        }
        others = {line.line: line.cost for line in self.adjustments if line.metric is None}
        return Summary(self.currency, totals, others)

    def explain(self) -> str:
        """Explain the statement as a text that a customer can be shown.

        It has, for each metric, what was used, the limit, what is over, the price of each tier,
        the exact cost in major units, and the rounded cost; and what each adjustment changes.
        """
        return f"{self._title()}\n\n{text_table(self._table(), ALIGN)}\n\n{self._footnote()}"

    def _title(self) -> str:
        return f"Overage of {self.org_id}, {self.period.describe()}, plan {self.plan.slug}"

    def _footnote(self) -> str:
        rule = self.plan.rounding.value.replace("_", " ")
        if self.plan.rounding_scope == "line":
            return f"Each line is rounded once, {rule}; the total is the sum of the lines."
        return f"The exact total is rounded once, {rule}, and the lines are made to add up to it."

    def _table(self) -> list[list[str]]:
        rows = [row for line in self.overages for row in line.table_rows()]
        rows += [
            [
                line.metric or "all",
                *("", "", ""),
                line.explain(),
                plain_text(line.exact_cost),
                str(line.cost),
            ]
            for line in self.adjustments
        ]
        return [COLUMNS, *rows, ["total", "", "", "", "", "", str(self.total)]]

    def _repr_html_(self) -> str:
        return html_table(self._table(), ALIGN, self._title())

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        del cycle  # a statement never holds itself
        printer.text(str(self))

    def __str__(self) -> str:
        return self.explain()

    def __repr__(self) -> str:
        return (
            f"<Statement of {self.org_id!r}, {self.period}, plan {self.plan.slug!r}: {self.total}>"
        )


def _check_overages(lines: tuple[Overage, ...], plan: Plan) -> None:
    expected = list(plan.allowances)
    found = [line.metric for line in lines]
    if found != expected:
        raise InvalidValue("lines", found, f"must be those of the plan, {expected}")
    for line in lines:
        if line.cost.currency != plan.currency:
            raise CurrencyMismatch(plan.currency.code, line.cost.currency.code)
        if line.price != plan.allowances[line.metric].price:
            raise InvalidValue(("lines", line.metric, "price"), line.price, "must be the plan's")


def _check_adjustments(lines: tuple[Adjustment, ...], plan: Plan, first: int) -> None:
    seen = set()
    for i, line in enumerate(lines, first):
        if not isinstance(line, Adjustment):
            raise InvalidType(("lines", i), line, "must be an Adjustment, behind all Overages")
        if line.cost.currency != plan.currency:
            raise CurrencyMismatch(plan.currency.code, line.cost.currency.code)
        if line.metric is not None and line.metric not in plan.allowances:
            raise unknown_metric(("lines", i, "metric"), line.metric, plan)
        if (line.metric, line.line) in seen:
            raise InvalidValue(("lines", i), line.line, "must be there once")
        seen.add((line.metric, line.line))


def unknown_metric(field: Field, metric: str, plan: Plan) -> UnknownMetric:
    """Return the error for a metric that a plan has no allowance for."""
    known = ", ".join(plan.allowances) or "none"
    return UnknownMetric(
        field, metric, f"{metric!r} is not in plan {plan.slug!r}, whose metrics are: {known}"
    )


new_statement: Final = trusted(Statement)
