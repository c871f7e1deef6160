"""Curves: the charge of a quantity by a price, by a fee on an amount, or by all of a plan.

    curve_of_price(PerUnit("0.0001"), Currency("USD"), Rounding.HALF_UP, 1)
    curve_of_plan(plan, "tokens", usage, limits, 1)   # with its fee, and all other metrics as used

Where the cost of a price turns is said by its table (`TieredPrice.stretches`), in units that are
priced; the steps of what is used come to these by conversion, beyond the limit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from fractions import Fraction
from math import floor, lcm
from typing import Final, NamedTuple

from overages._ground.value import evolve
from overages.amounts.exact import LIMIT, SCALE, Quantity, excess, scaled, unscaled
from overages.amounts.money import Currency
from overages.amounts.rounding import Rounding, round_ratio
from overages.errors import InvalidValue
from overages.insight.cost_curve import CostCurve, Piece, Point, last_step
from overages.lines.adjustment import Adjustment
from overages.lines.overage import Overage
from overages.prices.exact_cost import checked_charge
from overages.prices.exchange import Exchanged
from overages.prices.ladder import Stretch
from overages.prices.models import PriceModel, TieredPrice
from overages.prices.transactions import TransactionFee
from overages.statements.calculation import calculate
from overages.statements.statement import Statement
from overages.terms.allowance import Allowance
from overages.terms.conversion import Conversion
from overages.terms.discount import Discount
from overages.terms.plan import Plan, unknown_metric
from overages.terms.terms import Limits
from overages.usage.usage import Usage

LARGEST: Final = LIMIT * SCALE - 1  # a quantity, in picos
_AS_USED: Final = Conversion()


class _Steps(NamedTuple):
    """The steps that a quantity comes in, as units that are priced.

    :param most: the largest number of steps.
    :param units: those of one step, before they are rounded to an increment.
    :param increment: the increment; zero where there is none.
    :param least: the units that are priced as soon as anything is used.
    """

    most: int
    units: Fraction
    increment: Quantity = 0
    least: Quantity = 0


def curve_of_price(
    price: PriceModel, currency: Currency, rounding: Rounding, step: Quantity
) -> CostCurve:
    """Return the curve of a price alone, of which nothing is included.

    :param step: the step that quantities come in, in units above zero.

    >>> from overages import PerUnit
    >>> curve = curve_of_price(PerUnit("0.004"), Currency("USD"), Rounding.HALF_UP, 1)
    >>> [curve.at(units).minor for units in (0, 1, 2, 3)]
    [0, 0, 1, 1]
    """
    minor_units, picos = 10**currency.exponent, scaled(step)

    def charge(quantity: Quantity) -> Point:
        cost, of = checked_charge(price, quantity).ratio
        exact = Fraction(cost * minor_units, of)
        return Point(round_ratio(cost * minor_units, of, rounding), exact, exact)

    steps = _Steps(LARGEST // picos, Fraction(step))
    pieces = _pieces(price, minor_units, lambda n: unscaled(n * picos), steps)
    return CostCurve(charge, pieces, picos, rounding, price)


def curve_of_fee(
    fee: TransactionFee, currency: Currency, rounding: Rounding, step: Quantity
) -> CostCurve:
    """Return the curve of the fee on the first of a period's events, as its amount grows."""
    minor_units, picos = 10**currency.exponent, scaled(step)

    def charge(amount: Quantity) -> Point:
        (cost,) = fee.charge_each([amount])
        exact = Fraction(cost) * minor_units
        return Point(round_ratio(exact.numerator, exact.denominator, rounding), exact, exact)

    return CostCurve(charge, (Piece(LARGEST // picos),), picos, rounding, fee)


def curve_of_plan(
    plan: Plan, metric: str, usage: Usage, limits: Limits, step: Quantity
) -> CostCurve:
    """Return the curve of all that a plan costs in a whole period, with its fee, by one metric.

    :param usage: that of the other metrics, and the period.
    :param limits: the org's own limits.
    :raises UnknownMetric: if the plan doesn't know a metric.
    :raises InvalidValue: if the metric brings included units of another, which then costs less.
    """
    allowance, fee = _allowance_of(plan, metric, limits), minor_fee(plan)
    minor_units, picos = 10**plan.currency.exponent, scaled(step)
    is_together = plan.rounding_scope == "total"

    def bill(quantity: Quantity) -> Statement:
        used = evolve(usage, quantities={**usage.quantities, metric: quantity})
        return calculate(plan, used, limits=limits)

    def charge(quantity: Quantity) -> Point:
        billed = bill(quantity)
        exact = _sum_of(billed.overages) if is_together else Fraction(billed[metric].exact_cost)
        total = _sum_of(billed.lines) * minor_units
        rounded = () if is_together else tuple((e.metric, e.line, e.cost) for e in billed.lines)
        return Point(billed.minor + fee, exact * minor_units, total + fee, rounded)

    def over(steps: int) -> Quantity:
        return excess(allowance.converted(unscaled(steps * picos)), limit)

    unused = bill(0)
    limit, conversion = unused[metric].limit, allowance.conversion or _AS_USED
    steps = _steps(conversion, limit, step)
    pieces = _pieces(allowance.price, minor_units, over, steps)
    terms = allowance.price, conversion, limit, is_together and _sum_of(unused.overages)
    return CostCurve(charge, pieces, picos, plan.rounding, terms, _slack(plan, metric))


def minor_fee(plan: Plan) -> int:
    """Return the fee of a plan in minor units."""
    return 0 if plan.base_fee is None else plan.base_fee.minor


def _allowance_of(plan: Plan, metric: str, limits: Limits) -> Allowance:
    if metric not in plan.allowances:
        raise unknown_metric("metric", metric, plan)
    for other, allowance in plan.allowances.items():
        if allowance.included_per == metric and other not in limits:
            problem = f"must bring no included units of another metric, as it does of {other!r}"
            raise InvalidValue("metric", metric, problem)
    return plan.allowances[metric]


def _sum_of(lines: Iterable[Overage | Adjustment]) -> Fraction:
    return sum((Fraction(line.exact_cost) for line in lines), Fraction())


def _steps(conversion: Conversion, limit: Quantity | None, step: Quantity) -> _Steps:
    """Return the steps of a quantity that is converted, as far as it surely can be."""
    each = Fraction(conversion.multiply) / Fraction(conversion.divide)
    increment = conversion.increment or 0
    room = LARGEST - scaled(increment)
    most = min(LARGEST, floor(room / each)) // scaled(step)
    least = excess(conversion.minimum, limit)
    return _Steps(most, Fraction(step) * each, increment, least)


def _slack(plan: Plan, metric: str) -> int | None:
    """Return how many roundings a plan's charge is the sum of; None for one, by the metric."""
    allowances, own = plan.allowances.values(), plan.allowances[metric]
    if plan.rounding_scope == "total":
        is_once = not any(map(_has_rules, allowances))
    else:
        factor = 1 if own.commitment is None else own.commitment.overage_factor
        is_once = factor == 1 and not any(map(_is_share, own.discounts))
    if is_once and not any(map(_is_share, plan.discounts)):
        return None
    rules = sum(len(allowance.discounts) + 3 for allowance in allowances)
    return len(allowances) + rules + len(plan.discounts) + 2


def _has_rules(allowance: Allowance) -> bool:
    amounts = (allowance.commitment, allowance.maximum, allowance.minimum)
    discounts = (each for each in allowance.discounts if each.quantity is None)
    return any(discounts) or any(amount is not None for amount in amounts)


def _is_share(discount: Discount) -> bool:
    return discount.percent is not None


def _pieces(
    price: PriceModel, minor_units: int, over: Callable[[int], Quantity], steps: _Steps
) -> tuple[Piece, ...]:
    """Return the pieces of a curve, by the bounds of its price.

    :param minor_units: those of a major unit.
    :param over: gives the units that are priced of a number of steps.
    """
    pieces = [Piece(last_step(lambda n: over(n) <= 0, steps.most), Fraction(), 1)]

    def add(bound: Quantity | None, spread: Fraction | None, period: int | None) -> None:
        last = steps.most if bound is None else last_step(lambda n: over(n) <= bound, steps.most)
        if last > pieces[-1].last:
            pieces.append(Piece(last, spread, period))

    for stretch in stretches_of(price):
        if stretch is None:
            add(None, None, None)
            continue
        sizes = [Fraction(size) for size in (stretch.package, steps.increment) if size]
        spread = sum(sizes, Fraction()) * stretch.unit_price * minor_units
        period = lcm(*((steps.units / size).denominator for size in sizes))
        if stretch.up_to is None or steps.least < stretch.up_to:
            add(steps.least, spread, period)
        add(stretch.up_to, spread, period)
    return tuple(pieces)


def stretches_of(price: PriceModel) -> tuple[Stretch | None, ...]:
    """Return the stretches of a price; None for all that is known of a host's own.

    >>> from overages import Package
    >>> stretches_of(Exchanged(Package("3", size=100), rate="0.5"))
    (Stretch(up_to=None, unit_price=Fraction(3, 200), package=100),)
    """
    if isinstance(price, Exchanged):
        rate = Fraction(price.rate) / Fraction(price.per)
        return tuple(
            each and each._replace(unit_price=each.unit_price * rate)
            for each in stretches_of(price.price)
        )
    return price.stretches if isinstance(price, TieredPrice) else (None,)
