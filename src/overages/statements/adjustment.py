"""Adjustments: the lines of a statement that are no overages.

A discount, a commitment, a maximum, a minimum or a credit, after the lines that it changes:

    line = Adjustment("minimum", before=Money(7500, "USD"), cost=Money(2500, "USD"), exact_cost=25)
    line.after                                        # Money(10000, "USD")
    line.explain()                                    # "minimum: 75.00 USD -> 100.00 USD"
"""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

from overages._ground.names import optional_name, parse_name
from overages._ground.parsing import Problems, choice_of, instance_of
from overages._ground.trusted import trusted
from overages._ground.value import term, value
from overages.amounts.exact import Exact, parse_amount
from overages.amounts.money import Money
from overages.errors import CurrencyMismatch, InvalidValue
from overages.periods.period import Period, format_instant

AdjustmentKind: TypeAlias = Literal["discount", "commitment", "maximum", "minimum", "credit"]
"""Why a statement has a line that is no overage, in the order in which they are applied."""

OVERAGE: Final = "overage"  # the line of an overage, among those of its metric
_TAKING: Final = ("discount", "maximum", "credit")


@value
class Adjustment:
    """A line of a statement that changes the total of other lines.

    :param kind: ``"discount"``, ``"commitment"`` (a true-up to it, or the premium beyond it),
        ``"maximum"``, ``"minimum"`` (a true-up) or ``"credit"`` (prepaid money that is drawn).
    :param before: the total of the lines that it is about, without it.
    :param cost: its amount, rounded; negative for a discount, a maximum or a credit.
    :param exact_cost: the same unrounded, in major currency units.
    :param metric: the metric whose lines it is about; None for all lines of the statement.
    :param name: which one it is, where there can be several of a kind: the discount's name, the
        grant's id.
    :raises InvalidValue: if it has the wrong sign; `InvalidValues` for several faults.
    :raises CurrencyMismatch: if cost and `before` are in two currencies.
    """

    kind: AdjustmentKind = term(choice_of(AdjustmentKind))
    before: Money = term(instance_of(Money))
    cost: Money = term(instance_of(Money))
    exact_cost: Exact = term(parse_amount)
    metric: str | None = term(optional_name)
    name: str | None = term(optional_name)

    def __init__(
        self,
        kind: AdjustmentKind,
        before: Money,
        cost: Money,
        exact_cost: Exact | int,
        metric: str | None = None,
        name: str | None = None,
    ) -> None: ...

    def _check(self, problems: Problems) -> None:
        problems.attempt(parse_name, self.line, "name")  # it is stored as one
        takes = self.kind in _TAKING
        for field, amount in ("cost", self.cost.minor), ("exact_cost", self.exact_cost):
            if amount > 0 if takes else amount < 0:
                problem = f"must be zero or {'less' if takes else 'more'} for a {self.kind}"
                problems.add(InvalidValue(field, getattr(self, field), problem))
        if self.cost.currency != self.before.currency:
            codes = self.before.currency.code, self.cost.currency.code
            problems.add(CurrencyMismatch(*codes, "cost"))
        elif self.cost.minor < 0 and self.after.minor < 0:
            problem = f"must not take more than {self.before}"
            problems.add(InvalidValue("cost", self.cost, problem))
        if self.kind == "credit" and self.exact_cost != self.cost.amount:
            problem = f"must be the cost, {self.cost.amount}: what is drawn is money"
            problems.add(InvalidValue("exact_cost", self.exact_cost, problem))

    @property
    def after(self) -> Money:
        """The sum of the lines with it."""
        return self.before + self.cost

    @property
    def line(self) -> str:
        """The name of the line among those of its metric, or of the statement: ``"credit:g1"``."""
        return line_name(self.kind, self.name)

    def explain(self) -> str:
        """Say in one line how the adjustment changes the total."""
        label = self.kind if self.name is None else f"{self.kind} {self.name}"
        return f"{label}: {self.before} -> {self.after}"


new_adjustment: Final = trusted(Adjustment)
"""Make an adjustment of money that was drawn: at most what is due, and exactly its cost."""

Key: TypeAlias = tuple[str | None, str]
"""A metric, or None for all of them, and a line of it."""


def overage_line(part: Period | None) -> str:
    """Name the line of an overage, by its part of the period if it is of one."""
    return OVERAGE if part is None else f"{OVERAGE}:{format_instant(part.start)}"


def is_overage(line: str) -> bool:
    """Tell whether a line is that of an overage, in all of a period or in a part of it."""
    return line == OVERAGE or line.startswith(f"{OVERAGE}:")


def line_name(kind: str, name: str | None) -> str:
    """Name a line among those of its metric: ``"minimum"``, ``"credit:g1"``."""
    return kind if name is None else f"{kind}:{name}"


def line_path(key: Key) -> tuple[str, ...]:
    """Give the path of a line in an error: its metric, its name, or both."""
    metric, line = key
    if metric is None:
        return (line,)
    return (metric,) if line == OVERAGE else (metric, line)


def path_of(key: Key) -> str:
    """Name a line: ``tokens``, ``tokens.minimum``, ``minimum``."""
    return ".".join(line_path(key))
