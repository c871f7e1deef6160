"""Compiled plans: facts of a plan that every statement needs, worked out once.

A plan is made once and used a million times, so all that follows from its terms alone is worked out
when it is made:

    line = plan.compiled.by_metric["tokens"]
    (over * line.factor + line.bias) // line.divisor  # the rounded cost in minor units
    plan.compiled.lines_of(usage.quantities)          # those that a statement has to look at

A plan can have 10,000 metrics, of which an org uses three. `lines_of` chooses those, and with them
the few that can cost something unused, so that a statement takes as long as the metrics used,
whatever else is in the plan.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from itertools import chain
from math import gcd
from typing import Final

from attrs import field, frozen

from overages._ground.frozen_dict import FrozenDict
from overages.amounts.exact import LIMIT, Exact, Quantity
from overages.amounts.money import Currency
from overages.amounts.rounding import Rounding, floor_form
from overages.prices.exact_cost import added_cost, added_unit_price
from overages.prices.exchange import Exchanged
from overages.prices.models import TieredPrice
from overages.prices.tier import Ratio
from overages.terms.allowance import Allowance

_SHORT: Final = 16  # choosing three lines takes 1.1 us, looking at sixteen flat ones as long


@frozen(weakref_slot=False)
class CompiledLine:
    """An allowance, worked out for the calculation.

    Where each unit costs the same, its price is `unit_price`, and
    ``(over * factor + bias) // divisor`` is the rounded cost, in minor units, of a whole quantity
    over the limit; see `floor_form` for how the bias rounds. The factor is None elsewhere, and the
    price model is asked.

    ``over * factor / cost_divisor`` is its exact cost in major currency units.

    :param place: where the metric stands in the plan's order, from 0 on.
    :param matters_unused: whether a statement has to look at the line though nothing of the metric
        was used: it may cost something, or its limit depends on another metric.
    """

    # Two plans may have one allowance in another place, or round otherwise: a line is the same.
    place: int = field(eq=False)
    metric: str
    allowance: Allowance
    included: Quantity | None
    factor: int | None = field(eq=False)
    bias: int = field(eq=False)
    divisor: int = field(eq=False)
    cost_divisor: int = field(eq=False)
    unit_price: Exact | None = field(eq=False)
    matters_unused: bool

    def added_cost(self, before: Quantity | None, over: Quantity) -> Ratio:
        """Return the exact cost of units over the limit, as `overages.prices.exact_cost` does.

        :param before: units charged before; None where nothing was.
        """
        if before is None and self.factor is not None and type(over) is int and over < LIMIT:
            return over * self.factor, self.cost_divisor  # a third of the time of a charge
        return added_cost(self.allowance.price, before, over)

    def added_unit_price(self, before: Quantity | None, over: Quantity) -> Exact | None:
        """Return the price of each unit over the limit, as `overages.prices.exact_cost` does."""
        if self.factor is not None:
            return self.unit_price
        return added_unit_price(self.allowance.price, before, over)

    def is_level(self, levels: Set[str]) -> bool:
        """Tell whether it is a level: by its allowance, or else among those that are counted so."""
        kind = self.allowance.kind
        return self.metric in levels if kind is None else kind == "level"


@frozen(weakref_slot=False)
class CompiledPlan:
    """The lines of a plan, in its order and by metric.

    :param is_flat: whether an included quantity and a price are all there is to any line, and
        nothing to all of them together.
    :param is_short: whether looking at each line takes no longer than choosing those that were
        used.
    :param matter_unused: the places of the lines that matter unused.
    :param balanced: the metrics whose lines depend on earlier periods.
    """

    lines: tuple[CompiledLine, ...]
    by_metric: Mapping[str, CompiledLine]
    is_flat: bool
    is_short: bool
    matter_unused: tuple[int, ...]
    balanced: frozenset[str]

    def lines_of(self, *metrics: Iterable[str]) -> Sequence[CompiledLine]:
        """Return, in the plan's order, the lines of some metrics, and those that matter unused.

        Metrics that the plan doesn't know have none.
        """
        by_metric = self.by_metric
        places = {by_metric[m].place for m in chain(*metrics) if m in by_metric}
        return [self.lines[place] for place in sorted(places.union(self.matter_unused))]


def compiled_plan(
    allowances: Mapping[str, Allowance],
    currency: Currency,
    rounding: Rounding,
    *,
    has_rules: bool,
) -> CompiledPlan:
    """Compile a plan's allowances.

    :param has_rules: whether the plan has rules for all lines together.
    """
    lines = tuple(
        _compiled_line(place, metric, allowance, currency, rounding)
        for place, (metric, allowance) in enumerate(allowances.items())
    )
    return CompiledPlan(
        lines,
        FrozenDict({line.metric: line for line in lines}),
        not has_rules and all(allowance.is_flat for allowance in allowances.values()),
        len(lines) <= _SHORT,
        tuple(line.place for line in lines if line.matters_unused),
        frozenset(line.metric for line in lines if line.allowance.needs_balance),
    )


def _compiled_line(
    place: int, metric: str, allowance: Allowance, currency: Currency, rounding: Rounding
) -> CompiledLine:
    price = allowance.price
    factor, bias, divisor = None, 0, 1
    by_unit = price.slope if isinstance(price, TieredPrice) else None
    if by_unit is not None:
        # Minor units for each unit; integers take a tenth of the time of a product of fractions.
        shared = gcd(10**currency.exponent, by_unit.denominator)
        minor = by_unit.numerator * (10**currency.exponent // shared)
        of = by_unit.denominator // shared
        form = floor_form(of, rounding)
        if of == 1:
            factor = minor
        elif form is not None:
            factor, bias, divisor = form
            factor *= minor
    return CompiledLine(
        place, metric, allowance, allowance.included, factor, bias, divisor,
        divisor * 10**currency.exponent,
        None if by_unit is None else added_unit_price(price, None, 1),
        _matters_unused(allowance, is_by_unit=by_unit is not None),
    )  # fmt: skip


def _matters_unused(allowance: Allowance, *, is_by_unit: bool) -> bool:
    commitment, minimum, price = allowance.commitment, allowance.minimum, allowance.price
    if allowance.included_per is not None:
        return True
    if minimum is not None or (commitment is not None and commitment.true_up):
        return True
    if is_by_unit:  # nothing is due at quantity zero
        return False
    if isinstance(price, Exchanged):
        price = price.price
    if isinstance(price, TieredPrice):
        fee, _ = price.charge(0).ratio  # one that is due at quantity zero
        return bool(fee)
    return True  # a host's own price, which nobody but it knows
