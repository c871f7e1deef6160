"""Adjustments: the lines of a statement that are no overages.

A trial, discount, commitment, maximum, minimum or credit, after the lines that it changes:

    line = Adjustment("minimum", before=Money(7500, "USD"), cost=Money(2500, "USD"), exact_cost=25)
    line.after                                        # Money(10000, "USD")
    line.explain()                                    # "minimum: 75.00 USD -> 100.00 USD"

**Credits** come last: prepaid money that pays, each a part of what those before it left. One that
names a metric pays at most that metric's share of what is due: a discount or a maximum of the plan
is every metric's in proportion, so that money for one of them never pays for another.

    lines of tokens 30.00, of runs 25.00, a discount of all -15.00     due 40.00
    a credit of 10.00 for anything pays 10.00                          due 30.00
    a credit of 35.00 for tokens pays 21.82 (40.00 x 30/55)            due  8.18
    a credit of 50.00 for tokens pays nothing: their share is paid     due  8.18
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Final, Literal, TypeAlias

from overages._ground.names import optional_name, parse_name
from overages._ground.parsing import Problems, choice_of, instance_of
from overages._ground.trusted import trusted
from overages._ground.value import term, value
from overages.amounts.exact import Exact, number_from_ratio, parse_amount
from overages.amounts.money import Money, new_money
from overages.amounts.rounding import Rounding
from overages.errors import CurrencyMismatch, InvalidValue
from overages.periods.period import Period, format_instant

AdjustmentKind: TypeAlias = Literal[
    "trial", "discount", "commitment", "maximum", "minimum",
    "own_discount", "own_maximum", "own_minimum", "credit",
]  # fmt: skip
"""Why a statement has a line that is no overage, in the order in which they are applied."""

OVERAGE: Final = "overage"  # the line of an overage, among those of its metric
_TAKING: Final = ("discount", "maximum", "own_discount", "own_maximum", "credit")


@value
class Adjustment:
    """A line of a statement that changes the total of other lines.

    :param kind: ``"trial"`` (all that its lines cost, taken off again), ``"discount"``,
        ``"commitment"`` (a true-up to it, or the premium beyond it), ``"maximum"``, ``"minimum"``
        (a true-up), those of the org's own, ``"own_discount"``, ``"own_maximum"`` and
        ``"own_minimum"``, or ``"credit"`` (prepaid money that is drawn).
    :param before: the total of the lines that it is about, without it.
    :param cost: its amount, rounded; negative for a discount, a maximum or a credit; for a trial of
        the other sign than its lines, which can give money back.
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

    def _check_sign(self, problems: Problems) -> None:
        if self.kind == "trial":  # its lines can give money back
            return
        takes = self.kind in _TAKING
        for field, amount in ("cost", self.cost.minor), ("exact_cost", self.exact_cost):
            if amount > 0 if takes else amount < 0:
                sign = "less" if takes else "more"
                problem = f"must be zero or {sign} for a {spoken(self.kind)}"
                problems.add(InvalidValue(field, getattr(self, field), problem))

    def _check(self, problems: Problems) -> None:
        problems.attempt(parse_name, self.line, "name")  # it is stored as one
        if self.cost.currency != self.before.currency:
            codes = self.before.currency.code, self.cost.currency.code
            problems.add(CurrencyMismatch(*codes, "cost"))
        elif self.kind != "trial" and self.cost.minor < 0 and self.after.minor < 0:
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
        label = " ".join(filter(None, (spoken(self.kind), self.name)))
        return f"{label}: {self.before} -> {self.after}"


_new_adjustment: Final = trusted(Adjustment)

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


def spoken(kind: str) -> str:
    """Return the kind of a line as people say it: ``"own minimum"``."""
    return kind.replace("_", " ")


def line_path(key: Key) -> tuple[str, ...]:
    """Give the path of a line in an error: its metric, its name, or both."""
    metric, line = key
    if metric is None:
        return (line,)
    return (metric,) if line == OVERAGE else (metric, line)


def path_of(key: Key) -> str:
    """Name a line: ``tokens``, ``tokens.minimum``, ``minimum``."""
    return ".".join(line_path(key))


def shown_line(key: Key) -> str:
    """Name a line in a table for people: that of a part is ``tokens from 2024-03-12``."""
    metric, line = key
    if metric is None or line == OVERAGE or not is_overage(line):
        return path_of(key)
    return f"{metric} from {line.removeprefix(f'{OVERAGE}:').removesuffix('T00:00:00Z')}"


def credit(due: Money, paid: int, grant_id: str, metric: str | None = None) -> Adjustment:
    """Return the line of prepaid money that was drawn on a grant.

    :param due: the amount that there was to pay.
    :param paid: minor units, at most those that were due. The line's exact cost is its cost, for
        money is drawn.
    :param metric: the metric whose lines it pays; None for any.

    >>> credit(Money(700, "USD"), 500, "top-up").explain()
    'credit top-up: 7.00 USD -> 2.00 USD'
    """
    exact = number_from_ratio(-paid, 10**due.currency.exponent)
    return _new_adjustment("credit", due, new_money(-paid, due.currency), exact, metric, grant_id)


class Due:
    """All that credits can still pay of a statement.

    :param total: its total without credits.
    :param by_metric: the total of each metric's lines, before the rules of the plan.
    :param rounding: how a metric's share becomes whole minor units.
    """

    __slots__ = ("_by_metric", "_left", "_of_metrics", "_paid", "_rounding", "_total")

    def __init__(self, total: Money, by_metric: Mapping[str, Money], rounding: Rounding) -> None:
        self._total = total
        self._left = total.minor
        self._by_metric = by_metric
        self._of_metrics = sum([cost.minor for cost in by_metric.values()]) if by_metric else 0
        self._rounding = rounding
        self._paid: dict[str, int] = {}

    def of(self, metric: str | None) -> Money:
        """Return the amount that a credit for a metric can pay next; for None, one for anything."""
        return new_money(self.minor_of(metric), self._total.currency)

    def minor_of(self, metric: str | None) -> int:
        """Return the same in minor units."""
        most = self._left
        if metric is not None:
            most = min(most, self._share(metric).minor - self._paid.get(metric, 0))
        return most if most > 0 else 0

    def pay(self, metric: str | None, minor: int) -> None:
        """Take off minor units that a credit has paid."""
        self._left -= minor
        if metric is not None:
            self._paid[metric] = self._paid.get(metric, 0) + minor

    def _share(self, metric: str) -> Money:
        """Return a metric's share of the total: its own lines, less its part of what was off."""
        own = self._by_metric.get(metric)
        if own is None:
            return new_money(0, self._total.currency)
        if not (self._total.minor < self._of_metrics and self._of_metrics > 0):
            return own
        share = Fraction(self._total.minor, self._of_metrics) * Fraction(own.amount)
        return min(own, Money.of(share, own.currency, self._rounding))
