"""The statement: the charges of an org for a period beyond its plan, as lines that add up.

`calculate` gives it, with a line for each metric that was used and one for each adjustment:

    statement.total, statement["tokens"].cost         # Money(5000, "USD"), Money(2500, "USD")
    statement.adjustments                             # a discount, a minimum, a credit ...
    print(statement)                                  # `explain`, as a table
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from typing import Any, Final, NamedTuple

from attrs import field, frozen

from overages._ground.classes import final, known_to_pydantic
from overages._ground.display import html_table, text_table
from overages._ground.names import parse_name
from overages._ground.parsing import as_tuple, instance_of, parse_all, tuple_of
from overages._ground.trusted import trusted
from overages.amounts.exact import Exact, Quantity, plain_text
from overages.amounts.money import Currency, Money, new_money
from overages.errors import Field, InvalidType, at
from overages.periods.period import Period
from overages.prices.exact_cost import Ratio, added_cost, added_unit_price
from overages.statements.adjustment import OVERAGE, Adjustment
from overages.statements.audit import audit, in_order, says_something
from overages.statements.overage import (
    ALIGN,
    COLUMNS,
    LineNumbers,
    Overage,
    numbers_of,
    overage_of,
)
from overages.statements.rating import unused_numbers
from overages.statements.summary import MetricTotal, Summary, new_total
from overages.terms.plan import Plan, unknown_metric


class RecordableLine(NamedTuple):
    """A line as recording keeps it.

    :param metric: None for all of them.
    :param line: ``"overage"``, or an adjustment's.
    :param ratio: its exact cost in major currency units, as numerator and denominator.
    :param minor: its rounded cost in minor units.
    """

    metric: str | None
    line: str
    quantity: Quantity
    ratio: Ratio
    minor: int
    unit_price: Exact | None


@final
@known_to_pydantic
@frozen(init=False, repr=False, weakref_slot=False)
class Statement:
    """The overage of one org in one period, line by line, and its total.

    It holds the lines that say something. A metric of the plan that wasn't used and costs nothing
    has none, so that a statement is as long as the list of metrics used, however many metrics the
    plan has; ``statement[metric]`` answers for it all the same, and `every_overage` for all of
    them.

    :param org_id: who is charged.
    :param period: for when.
    :param plan: the plan that said so; a later change of it doesn't change the statement.
    :param lines: an `Overage` for each metric that was used or costs something, in the plan's
        order, and then an `Adjustment` for each discount, commitment, maximum, minimum and credit
        that changes their total, in the order in which these are applied.
    :param unused: an `Overage` for each other metric whose limit isn't simply the plan's, in its
        order: units were carried over to it, say, or the org has a limit of its own.
    :raises InvalidValue: if the lines do not follow from the plan: see
        `overages.statements.audit`; `InvalidValues` for several faults.
    :raises CurrencyMismatch: if a cost is not in the plan's currency.

    An overage that says no more than the plan is left out, wherever it was passed.
    """

    # Statements are made by the million and read one by one: a line is kept as its numbers, and
    # becomes an `Overage` when it is asked for, which takes five times as long.
    org_id: str
    period: Period
    plan: Plan
    rows: tuple[LineNumbers, ...]  # of `overages`
    unused_rows: tuple[LineNumbers, ...]  # of `unused`
    minor: int = field(eq=False)  # the total
    adjustments: tuple[Adjustment, ...]

    def __init__(
        self,
        org_id: str,
        period: Period,
        plan: Plan,
        lines: Iterable[Overage | Adjustment],
        unused: Iterable[Overage] = (),
    ) -> None:
        org, parsed_period, terms, items, others = parse_all(
            (parse_name, org_id, "org_id"),
            (instance_of(Period), period, "period"),
            (instance_of(Plan), plan, "plan"),
            (_parse_lines, lines, "lines"),
            (tuple_of(Overage), unused, "unused"),
        )
        overages = tuple(line for line in items if isinstance(line, Overage))
        adjustments = items[len(overages) :]
        audit(terms, overages, others, adjustments)
        adjusted = {line.metric for line in adjustments}
        rows, unused_rows = [], []
        for line in in_order(terms, overages, others):
            numbers = numbers_of(line, terms)
            if line.metric in adjusted or says_something(line):
                rows.append(numbers)
            elif numbers != unused_numbers(terms.compiled.by_metric[line.metric]):
                unused_rows.append(numbers)
        total = sum(line.cost.minor for line in items)
        self.__attrs_init__(
            org, parsed_period, terms, tuple(rows), tuple(unused_rows), total, adjustments
        )

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
        """An `Overage` for each metric that was used or costs something, in the plan's order."""
        currency = self.plan.currency
        return tuple([overage_of(numbers, currency) for numbers in self.rows])

    @property
    def unused(self) -> tuple[Overage, ...]:
        """An `Overage` for each other metric whose limit isn't simply the plan's."""
        return tuple([overage_of(numbers, self.plan.currency) for numbers in self.unused_rows])

    def every_overage(self) -> tuple[Overage, ...]:
        """Return an `Overage` for each metric of the plan, in its order, used or not.

        >>> from overages import Allowance, PerUnit, Usage, calculate
        >>> plan = Plan("starter", "USD", {"tokens": Allowance(500_000, PerUnit("0.0001")),
        ...                                "seats": Allowance(3, PerUnit(15))})
        >>> statement = calculate(plan, Usage("org-123", Period.month(2024, 2), {"tokens": 9}))
        >>> [line.metric for line in statement.overages], statement["seats"].limit
        (['tokens'], 3)
        >>> [line.metric for line in statement.every_overage()]
        ['tokens', 'seats']
        """
        rows = {_place(numbers): numbers for numbers in (*self.rows, *self.unused_rows)}
        return tuple(
            overage_of(rows.get(line.place) or unused_numbers(line), self.plan.currency)
            for line in self.plan.compiled.lines
        )

    def recordable_lines(self) -> Iterator[RecordableLine]:
        """Yield, as recording keeps them, the lines that are over or cost something, exactly."""
        for line, _, _, over, minor, before, _ in self.rows:
            price = line.allowance.price
            ratio = added_cost(price, before, over)
            numerator, _ = ratio
            if over or minor or numerator:  # a fee at zero can be less than a minor unit
                each = added_unit_price(price, before, over)
                yield RecordableLine(line.metric, OVERAGE, over, ratio, minor, each)
        for adjustment in self.adjustments:
            ratio = adjustment.exact_cost.as_integer_ratio()
            yield RecordableLine(
                adjustment.metric, adjustment.line, 0, ratio, adjustment.cost.minor, None
            )

    def totals_by_metric(self) -> dict[str, MetricTotal]:
        """Return units over and cost, with its adjustments, of each metric that has a line."""
        totals = {line.metric: (over, minor) for line, _, _, over, minor, _, _ in self.rows}
        for adjustment in self.adjustments:
            if adjustment.metric is not None:
                over, minor = totals[adjustment.metric]
                totals[adjustment.metric] = over, minor + adjustment.cost.minor
        return {
            metric: new_total(over, new_money(minor, self.currency))
            for metric, (over, minor) in totals.items()
        }

    def with_credits(self, drawn: Iterable[Adjustment]) -> Statement:
        """Return the statement with credits that were drawn on it; nothing is checked again."""
        adjustments = (*self.adjustments, *drawn)
        minor = self.minor + sum(line.cost.minor for line in adjustments[len(self.adjustments) :])
        return new_statement(
            self.org_id, self.period, self.plan, self.rows, self.unused_rows, minor,
            adjustments,
        )  # fmt: skip

    @property
    def total(self) -> Money:
        """The sum of the lines' costs."""
        return new_money(self.minor, self.currency)

    def __getitem__(self, metric: str) -> Overage:
        """Return the overage of a metric of the plan, used or not.

        :raises UnknownMetric: if the plan doesn't know the metric.
        """
        line = self.plan.compiled.by_metric.get(metric)
        if line is None:
            raise unknown_metric("metric", metric, self.plan)
        for rows in (self.rows, self.unused_rows):
            i = bisect_left(rows, line.place, key=_place)
            if i < len(rows) and _place(rows[i]) == line.place:
                return overage_of(rows[i], self.plan.currency)
        return overage_of(unused_numbers(line), self.plan.currency)

    def __contains__(self, metric: object) -> bool:
        return metric in self.plan.allowances

    __iter__ = None  # metrics, or lines: the reader is to say which

    def summary(self) -> Summary:
        """Return quantity and cost by metric; `aggregate` makes the same of its records."""
        others = {line.line: line.cost for line in self.adjustments if line.metric is None}
        return Summary(self.currency, self.totals_by_metric(), others)

    def explain(self) -> str:
        """Explain the statement as a text that a customer can be shown.

        It has, for each metric, the usage, the limit, the overage, the price of each tier,
        the exact cost in major units, and the rounded cost; and the change by each adjustment.
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


def _place(numbers: LineNumbers) -> int:
    line, *_ = numbers
    return line.place


def _parse_lines(value: object, field: Field) -> tuple[Overage | Adjustment, ...]:
    """Return lines if they are overages, and adjustments behind them."""
    lines = as_tuple(value, field)
    kind: type[Overage | Adjustment] = Overage
    for i, line in enumerate(lines):
        if isinstance(line, Adjustment):
            kind = Adjustment
        if not isinstance(line, kind):
            problem = "must be an Overage, or an Adjustment behind all Overages"
            raise InvalidType(at(field, i), line, problem)
    return lines


new_statement: Final = trusted(Statement)
