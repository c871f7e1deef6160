"""Pictures: the costs of plans by the quantity of one metric, and where one becomes cheaper.

plans_chart([starter, pro], "tokens", up_to=2_000_000)
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from itertools import combinations, pairwise

from overages._ground.marks import Line, Mark, Rule, number_axis
from overages._ground.names import parse_name
from overages._ground.parsing import instance_of, optional, parse_all, tuple_of
from overages._ground.plots import plot
from overages._ground.svg import WIDTH, Svg, parse_look
from overages.amounts.exact import Exact, Quantity, QuantityLike, parse_positive, plain_text
from overages.amounts.money import Money
from overages.errors import InvalidValue
from overages.insight.break_even import break_even
from overages.insight.curves import curve_of_plan
from overages.insight.inverse import A_MONTH
from overages.prices.curve import axis_text, cost_points
from overages.statements.calculation import own_limits
from overages.terms.plan import Plan
from overages.terms.terms import Limits
from overages.usage.usage import Usage


def plans_chart(
    plans: Iterable[Plan],
    metric: str,
    up_to: QuantityLike,
    *,
    usage: Usage | None = None,
    limits: Limits | None = None,
    width: int = WIDTH,
    styled: bool = True,
) -> Svg:
    """Draw the costs of plans for a whole period, fees included, as SVG that a notebook shows.

    Each quantity is marked from which on another plan is the cheapest of all: where `break_even`
    says so of two of them.

    :param plans: at least one, in one currency, each with a slug of its own.
    :param metric: the metric whose quantity varies; all plans know it.
    :param up_to: the largest quantity, in units above zero.
    :param usage: the usage of all other metrics; nothing else is used without it.
    :param limits: the org's own limits by metric, in units, under all plans.
    :param width: pixels, from 240 to 4,096.
    :param styled: whether the styles are in it; see `PriceModel`.
    :raises InvalidValue: if there is no plan, or as `break_even` says.
    :raises CurrencyMismatch: if the plans are in several currencies.
    :raises UnknownMetric: if a plan doesn't know a metric.

    >>> from overages import Allowance, PerUnit
    >>> small, large = (
    ...     Plan(slug, "USD", {"runs": Allowance(0, PerUnit(price))}, base_fee=Money.of(fee, "USD"))
    ...     for slug, price, fee in [("small", "2", "0"), ("large", "1", "10")])
    >>> "large is cheapest from 11." in plans_chart([small, large], "runs", up_to=20)
    True
    """
    listed, _, most, used = parse_all(
        (tuple_of(Plan), plans, "plans"),
        (parse_name, metric, "metric"),
        (parse_positive, up_to, "up_to"),
        (optional(instance_of(Usage)), usage, "usage"),
    )
    width, styled = parse_look(width, styled)
    if not listed:
        raise InvalidValue("plans", (), "must hold at least one")
    others = Usage("org", A_MONTH, {}) if used is None else used
    costs = [_Costs(plan, metric, others, limits) for plan in listed]
    changes = list(_changes(costs, metric, most, usage=used, limits=limits))
    lines = [
        Line(cost_points(each.at, most), n, each.slug) for n, each in enumerate(costs, start=1)
    ]
    x = number_axis(metric, [Fraction(most)], axis_text)
    y_values = [y for line in lines for _, y in line.points]
    y = number_axis(f"cost, {listed[0].currency}", y_values, axis_text, is_rounded=True)
    marks: list[Mark] = [
        Rule(Fraction(quantity), plain_text(quantity), row=row)
        for row, (quantity, _) in enumerate(changes)
    ]
    first = min(costs, key=lambda each: each.minor(0)).slug
    told = [f"{slug} is cheapest from {plain_text(quantity)}" for quantity, slug in changes]
    description = f"{'; '.join([f'{first} is cheapest at 0', *told])}."
    title = f"Cost by {metric}"
    return plot(title, description, x, y, [*marks, *lines], width=width, styled=styled)


class _Costs:
    """The costs of a plan by the quantity of a metric."""

    def __init__(self, plan: Plan, metric: str, others: Usage, limits: Limits | None) -> None:
        self.plan, self.slug = plan, plan.slug
        self._charge = curve_of_plan(plan, metric, others, own_limits(plan, limits), 1).charge

    def minor(self, quantity: Quantity) -> int:
        """Return the cost of a quantity in minor units."""
        return self._charge(quantity).minor

    def at(self, quantity: Quantity) -> Exact:
        """Return the same in major units."""
        return Money(self.minor(quantity), self.plan.currency).amount


def _changes(
    costs: Sequence[_Costs],
    metric: str,
    most: Quantity,
    *,
    usage: Usage | None,
    limits: Limits | None,
) -> Iterator[tuple[Quantity, str]]:
    """Yield the quantities, in order, from which on another plan is the cheapest, with its slug."""
    changes: dict[Quantity, str] = {}
    for left, right in combinations(costs, 2):
        answer = break_even(left.plan, right.plan, metric, usage=usage, limits=limits, until=most)
        decided = [each for each in answer.ranges if each.cheaper is not None]
        for before, after in pairwise(decided):
            cheaper = left if after.cheaper == left.slug else right
            least = min(each.minor(after.first) for each in costs)
            if before.cheaper != after.cheaper and cheaper.minor(after.first) == least:
                changes[after.first] = cheaper.slug
    yield from sorted(changes.items())
