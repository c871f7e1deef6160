"""Overages and the statement that holds them: what `calculate` gives.

A statement has a line for each metric of its plan:

    statement["tokens"].cost                          # Money(2500, "USD")
    print(statement.explain())
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final, TypeAlias

from attrs import field, frozen

from overages.display import html_table, text_table
from overages.errors import CurrencyMismatch, InvalidValue, UnknownMetric
from overages.exact import (
    Exact,
    Quantity,
    QuantityLike,
    excess,
    non_negative,
    optional_non_negative,
    plain_text,
)
from overages.money import Currency, Money, new_money
from overages.names import name
from overages.parsing import as_tuple, instance_of, parse_all
from overages.period import Period
from overages.plan import Plan, Rate
from overages.pricing import PriceModel, price_model
from overages.record import MetricTotal, Summary
from overages.tier import Charge, TierCharge
from overages.trusted import trusted

Row: TypeAlias = tuple[Quantity, Quantity | None, Quantity, int]
"""A line in numbers: used, limit, quantity over it, rounded cost in minor units."""

_COLUMNS: Final = ["metric", "used", "limit", "over", "price", "exact", "cost"]
_ALIGN: Final = "lrrrlrr"


@frozen(init=False, weakref_slot=False)
class Overage:
    """Usage of one metric beyond its limit in one period, with its price and cost.

    :param metric: what was used.
    :param used: units used, zero or more.
    :param limit: units that cost nothing; None where usage is unlimited.
    :param price: the price model of the units beyond the limit.
    :param cost: what is charged for them, rounded.
    """

    metric: str
    used: Quantity
    limit: Quantity | None
    quantity: Quantity = field(repr=False, init=False)
    price: PriceModel
    cost: Money

    def __init__(
        self,
        metric: str,
        used: QuantityLike,
        limit: QuantityLike | None,
        price: PriceModel,
        cost: Money,
    ) -> None:
        key, units, bound, model, amount = parse_all(
            (name, metric, "metric"),
            (non_negative, used, "used"),
            (optional_non_negative, limit, "limit"),
            (price_model, price, "price"),
            (instance_of(Money), cost, "cost"),
        )
        self.__attrs_init__(key, units, bound, model, amount)
        object.__setattr__(self, "quantity", excess(units, bound))

    @property
    def charge(self) -> Charge:
        """What the price model says of the quantity: the exact cost and its tiers."""
        return self.price.charge(self.quantity)

    @property
    def exact_cost(self) -> Exact:
        """Unrounded cost in major currency units."""
        return self.charge.exact_cost

    @property
    def tiers(self) -> tuple[TierCharge, ...]:
        """A `TierCharge` for each tier that was used; their exact costs sum to `exact_cost`."""
        return self.charge.tiers

    @property
    def unit_price(self) -> Exact | None:
        """Major currency units for each unit over (for the next one, where there is none yet).

        None where units differ in price, or come in packages or with a flat fee.
        """
        return self.price.charge(self.quantity or 1).unit_price

    def explain(self) -> str:
        """Say how the cost comes about, as text with a line for each tier."""
        return text_table([_COLUMNS, *self.table_rows()], _ALIGN)

    def table_rows(self) -> list[list[str]]:
        """Return the cells of the overage's rows in a statement's table."""
        limit = "unlimited" if self.limit is None else plain_text(self.limit)
        numbers = [plain_text(self.used), limit, plain_text(self.quantity)]
        charge = self.charge
        exact, cost = plain_text(charge.exact_cost), str(self.cost)
        if len(charge.tiers) <= 1:
            how = "".join(part.explain() for part in charge.tiers)
            return [[self.metric, *numbers, how, exact, cost]]
        rows = [
            ["", "", "", "", part.explain(), plain_text(part.exact_cost), ""]
            for part in charge.tiers
        ]
        return [[self.metric, *numbers, "by tier:", exact, cost], *rows]


@frozen(init=False, repr=False, weakref_slot=False)
class Statement:
    """All overages of one org in one period, by the plan, and their total.

    :param org_id: who is charged.
    :param period: for when.
    :param plan: the plan that said so; a later change of it doesn't change the statement.
    :param lines: an `Overage` for each of the plan's allowances, in its order.
    :raises InvalidValue: if the lines are not those of the plan.
    :raises CurrencyMismatch: if a cost is not in the plan's currency.
    """

    # Statements are made by the million and read one by one: what is kept of a line is its four
    # numbers, beside the plan that has the rest, and `lines` makes an `Overage` of them.
    org_id: str
    period: Period
    plan: Plan
    _rows: tuple[Row, ...]
    _minor: int = field(eq=False)

    def __init__(self, org_id: str, period: Period, plan: Plan, lines: Iterable[Overage]) -> None:
        org, when, terms, kept = parse_all(
            (name, org_id, "org_id"),
            (instance_of(Period), period, "period"),
            (instance_of(Plan), plan, "plan"),
            (as_tuple, lines, "lines"),
        )
        _check_lines(kept, terms)
        rows = tuple((line.used, line.limit, line.quantity, line.cost.minor) for line in kept)
        total = sum(line.cost.minor for line in kept)
        self.__attrs_init__(org, when, terms, rows, total)

    @property
    def currency(self) -> Currency:
        """The plan's currency."""
        return self.plan.currency

    @property
    def lines(self) -> tuple[Overage, ...]:
        """An `Overage` for each of the plan's allowances, in its order, also where none is over."""
        return tuple(map(self._line, self.plan.rates, self._rows))

    def charged(self) -> Iterator[tuple[str, PriceModel, Quantity, int]]:
        """Yield metric, price, quantity and minor units of lines that are over or cost something.

        These are the lines that recording keeps; as objects, `lines` has them.
        """
        for rate, (_, _, over, minor) in zip(self.plan.rates, self._rows, strict=True):
            if over or minor:
                yield rate[0], rate[2], over, minor

    @property
    def total(self) -> Money:
        """The sum of the lines' costs."""
        return new_money(self._minor, self.currency)

    def _line(self, rate: Rate, row: Row) -> Overage:
        metric, _, price, *_ = rate
        used, limit, over, minor = row
        cost = new_money(minor, self.plan.currency)
        return _new_overage(metric, used, limit, over, price, cost)

    def __getitem__(self, metric: str) -> Overage:
        """Return the line of a metric.

        :raises UnknownMetric: if the plan doesn't know the metric.
        """
        for rate, row in zip(self.plan.rates, self._rows, strict=True):
            if rate[0] == metric:
                return self._line(rate, row)
        raise unknown_metric("metric", metric, self.plan)

    def __contains__(self, metric: object) -> bool:
        return metric in self.plan.allowances

    __iter__ = None  # what it would give, metrics or lines, is for the reader to say

    def summary(self) -> Summary:
        """Return quantity and cost by metric; `aggregate` makes the same of its records."""
        totals = {line.metric: MetricTotal(line.quantity, line.cost) for line in self.lines}
        return Summary(self.currency, totals)

    def explain(self) -> str:
        """Explain the statement as a text that a customer can be shown.

        It has, for each metric, what was used, the limit, what is over, the price of each tier,
        the exact cost in major units, and the rounded cost.
        """
        return f"{self._title()}\n\n{text_table(self._table(), _ALIGN)}\n\n{self._footnote()}"

    def _title(self) -> str:
        return f"Overage of {self.org_id}, {self.period.describe()}, plan {self.plan.slug}"

    def _footnote(self) -> str:
        rule = self.plan.rounding.value.replace("_", " ")
        if self.plan.rounding_scope == "line":
            return f"Each line is rounded once, {rule}; the total is the sum of the lines."
        return f"The exact total is rounded once, {rule}, and the lines are made to add up to it."

    def _table(self) -> list[list[str]]:
        rows = [row for line in self.lines for row in line.table_rows()]
        return [_COLUMNS, *rows, ["total", "", "", "", "", "", str(self.total)]]

    def _repr_html_(self) -> str:
        return html_table(self._table(), _ALIGN, self._title())

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        del cycle  # a statement never holds itself
        printer.text(self.explain())

    def __repr__(self) -> str:
        return (
            f"<Statement of {self.org_id!r}, {self.period}, plan {self.plan.slug!r}: {self.total}>"
        )


def _check_lines(lines: tuple[Overage, ...], plan: Plan) -> None:
    for i, line in enumerate(lines):
        instance_of(Overage)(line, f"lines[{i}]")
    expected = list(plan.allowances)
    found = [line.metric for line in lines]
    if found != expected:
        raise InvalidValue("lines", found, f"must be those of the plan, {expected}")
    for line in lines:
        if line.cost.currency != plan.currency:
            raise CurrencyMismatch(plan.currency.code, line.cost.currency.code)
        if line.price != plan.allowances[line.metric].price:
            raise InvalidValue(f"lines.{line.metric}.price", line.price, "must be the plan's")


def unknown_metric(field: str, metric: str, plan: Plan) -> UnknownMetric:
    """Return the error for a metric that a plan has no allowance for."""
    known = ", ".join(plan.allowances) or "none"
    return UnknownMetric(
        field, metric, f"{metric!r} is not in plan {plan.slug!r}, whose metrics are: {known}"
    )


_new_overage: Final = trusted(Overage)
new_statement: Final = trusted(Statement)
