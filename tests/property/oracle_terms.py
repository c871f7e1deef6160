"""An independent model of statements whose plans say more than a quantity and a price.

As in `oracle`: fractions only, the definitions written out, and nothing of the library called. All
money is in minor units.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from typing import Any, NamedTuple

from overages import Allowance, Graduated, Period, Plan, PriceModel, Usage, Volume
from overages._ground.value import evolve

from . import oracle


@dataclass(frozen=True)
class Known:
    """What is known of a bill beside plan and usage; periods begin at midnight, UTC."""

    limits: Mapping[str, Any] = field(default_factory=dict)
    whole: Period | None = None
    earlier: Mapping[str, Any] = field(default_factory=dict)
    ended: bool = True


class Line(NamedTuple):
    """What a line of a metric should say."""

    used: Fraction
    limit: Fraction | None
    over: Fraction
    before: Fraction | None
    exact: Fraction
    cost: int


class Step(NamedTuple):
    """What an adjustment should say."""

    metric: str | None
    line: str
    before: int
    cost: int
    exact: Fraction


def statement_of(plan: Plan, usage: Usage, known: Known) -> tuple[list[Line], list[Step]]:
    """Return what a statement should say: a line for each metric, and each adjustment."""
    scale, mode = 10**plan.currency.exponent, plan.rounding.value
    drafts = [_draft(plan, metric, usage, known) for metric in plan.allowances]
    exact = [(all_of_it - paid) * scale for *_, all_of_it, paid in drafts]
    if plan.rounding_scope == "total":
        costs = oracle.largest_remainder(exact, oracle.rounded(sum(exact, Fraction()), mode))
    else:
        costs = [
            oracle.rounded(all_of_it * scale, mode) - oracle.rounded(paid * scale, mode)
            for *_, all_of_it, paid in drafts
        ]
    lines = [Line(*draft[:4], e, c) for draft, e, c in zip(drafts, exact, costs, strict=True)]
    steps: list[Step] = []
    for (metric, allowance), line in zip(plan.allowances.items(), lines, strict=True):
        steps += _steps(plan, metric, allowance, usage, known, line.cost, line.exact)
    total = sum(costs) + sum(step.cost for step in steps)
    total_exact = sum(exact, Fraction()) + sum((step.exact for step in steps), Fraction())
    return lines, steps + _steps(plan, None, plan, usage, known, total, total_exact)


def converted(allowance: Allowance, used: Fraction) -> Fraction:
    """Return the units that a quantity counts as: from the minimum up, in whole increments."""
    rule = allowance.conversion
    if rule is None or used == 0:
        return used
    units = used / Fraction(rule.divide) * Fraction(rule.multiply)
    least = Fraction(rule.minimum)
    if units <= least:
        return least
    if rule.increment is None:
        return units
    step = Fraction(rule.increment)
    return least + step * oracle.rounded((units - least) / step, rule.rounding.value)


def share_of(usage: Usage, terms: Allowance | Plan, whole: Period | None) -> Fraction:
    """Return how much of a whole period usage is of, in days: all of them begin at midnight."""
    if whole is None or terms.proration.value == "full":
        return Fraction(1)
    part = usage.period
    return Fraction((part.end - part.start).days, (whole.end - whole.start).days)


def _draft(
    plan: Plan, metric: str, usage: Usage, known: Known
) -> tuple[Fraction, Fraction | None, Fraction, Fraction | None, Fraction, Fraction]:
    """Return used, limit, over, before, and what all cost and those before, in major units."""
    allowance = plan.allowances[metric]
    raw, billed = Fraction(usage.quantities.get(metric, 0)), known.earlier.get(metric)
    sooner = Fraction(billed or 0)
    start, end = converted(allowance, sooner), converted(allowance, sooner + raw)
    price = _priced_for_part(metric, usage, known, allowance)
    free = _free(plan, metric, usage, known)
    if free is None:
        none = None if billed is None else Fraction()
        return end - start, None, Fraction(), none, *_costs(price, none, Fraction())
    # Of the period's units, those up to `free` cost nothing, wherever in it they were used.
    left = max(Fraction(), free - start)
    over = max(Fraction(), end - max(start, free))
    before = None if billed is None else max(Fraction(), start - free)
    return end - start, left, over, before, *_costs(price, before, over)


def _costs(price: PriceModel, before: Fraction | None, over: Fraction) -> tuple[Fraction, Fraction]:
    """Return what all costs, and what was billed: nothing at all if there was no bill."""
    paid = Fraction() if before is None else oracle.price_of(price, before)
    return oracle.price_of(price, (before or 0) + over), paid


def _free(plan: Plan, metric: str, usage: Usage, known: Known) -> Fraction | None:
    """Return how many units of the period cost nothing; None for all of them."""
    allowance = plan.allowances[metric]
    own = known.limits.get(metric, allowance.included)
    if own is None:
        return None
    free = Fraction(own)
    if metric not in known.limits and allowance.included_per is not None:
        others = Fraction(usage.quantities.get(allowance.included_per, 0))
        if metric in known.earlier:
            others += Fraction(known.earlier.get(allowance.included_per) or 0)
        free *= others
    share = share_of(usage, allowance, known.whole)
    if share != 1 and metric not in known.earlier:
        step = Fraction(allowance.increment)
        free = step * oracle.rounded(free * share / step, allowance.increment_rounding.value)
    return free + sum(
        (
            _part(d.quantity, metric, usage, known, allowance)
            for d in allowance.discounts
            if d.quantity
        ),
        Fraction(),
    )


def _part(units: Any, metric: str, usage: Usage, known: Known, allowance: Allowance) -> Fraction:
    """Return the units that a part of a period has, as the allowance rounds them."""
    share = share_of(usage, allowance, known.whole)
    whole = Fraction(units)
    if share == 1 or metric in known.earlier:
        return whole
    step = Fraction(allowance.increment)
    return step * oracle.rounded(whole * share / step, allowance.increment_rounding.value)


def _priced_for_part(metric: str, usage: Usage, known: Known, allowance: Allowance) -> PriceModel:
    """Return the price of a part of a period: its bounds and fees are those of its share."""
    share, price = share_of(usage, allowance, known.whole), allowance.price
    if share == 1 or metric in known.earlier or not isinstance(price, Graduated | Volume):
        return price
    tiers, below, above = [], Fraction(), Fraction()
    for tier in price.tiers:
        fees: dict[str, Any] = {"flat": Fraction(tier.flat) * share}
        if tier.maximum is not None:
            fees["maximum"] = Fraction(tier.maximum) * share
        if tier.up_to is None:
            tiers.append(evolve(tier, **fees))
        else:
            width = Fraction(tier.up_to) - above
            above += width
            narrowest = below + min(width, Fraction(allowance.increment))
            below = max(narrowest, _part(tier.up_to, metric, usage, known, allowance))
            units = Decimal(below.numerator) / below.denominator
            tiers.append(evolve(tier, up_to=units, **fees))
    return evolve(price, tiers=tiers)


@dataclass
class _Sums:
    """Two sums, the rounded and the exact one, and what was done to them."""

    metric: str | None
    cost: int
    exact: Fraction
    steps: list[Step] = field(default_factory=list)

    def add(self, line: str, to_cost: int, to_exact: Fraction) -> None:
        if to_cost or to_exact:
            self.steps.append(Step(self.metric, line, self.cost, to_cost, to_exact))
            self.cost, self.exact = self.cost + to_cost, self.exact + to_exact


def _steps(
    plan: Plan,
    metric: str | None,
    terms: Allowance | Plan,
    usage: Usage,
    known: Known,
    cost: int,
    exact: Fraction,
) -> list[Step]:
    """Return what rules do to two sums, the rounded and the exact one, one after the other."""
    sums = _Sums(metric, cost, exact)
    share = share_of(usage, terms, known.whole)
    _take_discounts(sums, plan, terms, share)
    if isinstance(terms, Allowance) and terms.commitment is not None:
        _hold_to_commitment(sums, plan, terms, share, known)
    if terms.maximum is not None:
        most = terms.maximum.minor * share
        beyond = max(0, sums.cost - oracle.rounded(most, plan.rounding.value))
        sums.add("maximum", -beyond, -max(Fraction(), sums.exact - most))
    if terms.minimum is not None and known.ended:
        least = terms.minimum.minor * share
        missing = max(0, oracle.rounded(least, plan.rounding.value) - sums.cost)
        sums.add("minimum", missing, max(Fraction(), least - sums.exact))
    return sums.steps


def _take_discounts(sums: _Sums, plan: Plan, terms: Allowance | Plan, share: Fraction) -> None:
    """Take percentages off, then amounts, neither of what is below zero."""
    for discount in terms.discounts:
        if discount.percent is not None and sums.cost >= 0 and sums.exact >= 0:
            off = sums.exact * Fraction(discount.percent) / 100
            less = min(sums.cost, -oracle.rounded(-off, plan.rounding.value))
            if discount.percent == 100:
                less = sums.cost
            sums.add(f"discount:{discount.name}", -less, -off)
    for discount in terms.discounts:
        if discount.amount is not None and sums.cost >= 0 and sums.exact >= 0:
            most = discount.amount.minor * share
            less = min(sums.cost, oracle.rounded(most, plan.rounding.value))
            sums.add(f"discount:{discount.name}", -less, -min(sums.exact, most))


def _hold_to_commitment(
    sums: _Sums, plan: Plan, terms: Allowance, share: Fraction, known: Known
) -> None:
    """Charge more for what goes beyond a commitment, and what is missing of it at the end."""
    agreed, mode = terms.commitment, plan.rounding.value
    assert agreed is not None
    if agreed.amount is not None:
        worth = Fraction(agreed.amount.minor)
    else:
        worth = oracle.price_of(terms.price, agreed.quantity or 0) * 10**plan.currency.exponent
    worth *= share
    beyond = max(Fraction(), sums.exact - worth) * (Fraction(agreed.overage_factor) - 1)
    missing, more = Fraction(), oracle.rounded(beyond, mode)
    if agreed.true_up and known.ended:
        missing = max(Fraction(), worth - sums.exact)
        more = max(more, oracle.rounded(worth, mode) - sums.cost)
    sums.add("commitment", more, beyond + missing)
