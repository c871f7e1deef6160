"""Steps: the prices of a plan as integers, for columns of quantities.

A line is priced by the steps of its price's ladder (`overages.prices.ladder`), and rounded by one
division (`overages.amounts.rounding.floor_form`). So for whole units over a limit, in the step that
they reach,

    counted = (over - begin + pad) // size
    minor   = (counted * factor + constant) // divisor

is the rounded cost in minor units, and ``counted * exact_factor + exact_constant`` the exact cost,
in major units of so many decimals.

    steps = plan_steps(plan)
    steps.of_lines[line.place]
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from math import gcd
from typing import Final, NamedTuple

from overages.amounts.exact import Exact
from overages.amounts.rounding import floor_form
from overages.prices.exact_cost import added_unit_price
from overages.prices.ladder import Ladder
from overages.prices.models import TieredPrice
from overages.terms.compiled import CompiledLine
from overages.terms.plan import Plan

ENDLESS: Final = 2**63 - 1
"""The bound of the last step, and the limit of a line without one."""

_MOST_STEPS: Final = 16  # of a line, as all quantities are held against each bound
_LEAST_DECIMALS: Final = 5  # of an exact cost: of 38 digits, a 64-bit integer takes 19
_MOST_DECIMALS: Final = 24


class NotInColumns(Exception):
    """Lines are to be worked out one by one."""


class Step(NamedTuple):
    """A step of a line; see the top of this module.

    :param up_to: the most units over the limit that are in it.
    :param each: the price of each unit, counted as exact costs are; None where units have no price
        of their own.
    """

    up_to: int
    begin: int
    pad: int
    size: int
    factor: int
    constant: int
    divisor: int
    exact_factor: int
    exact_constant: int
    each: int | None


class PlanSteps(NamedTuple):
    """The steps of all lines of a plan.

    :param of_lines: those of each line, in the plan's order.
    :param decimals: of a major unit, that exact costs are counted in.
    """

    of_lines: tuple[tuple[Step, ...], ...]
    decimals: int


def plan_steps(plan: Plan) -> PlanSteps:
    """Return the steps of a plan's lines.

    :raises NotInColumns: if there is more to them than whole units and prices, or they cost
        something unused.

    >>> from overages import Allowance, PerUnit
    >>> allowances = {"tokens": Allowance(500_000, PerUnit("0.0001"))}
    >>> plan_steps(Plan("starter", "USD", allowances)).of_lines[0][0]
    Step(up_to=9223372036854775807, begin=0, pad=0, size=1, factor=2, constant=100, divisor=200, \
exact_factor=10, exact_constant=0, each=10)
    """
    if not plan.compiled.is_flat or plan.rounding_scope != "line":
        raise NotInColumns
    priced = [_priced(line) for line in plan.compiled.lines]
    decimals = max(
        (_decimals(number) for line in priced for number in line.denominators()), default=0
    )
    return PlanSteps(tuple(_steps(line, plan, decimals) for line in priced), decimals)


class _Priced(NamedTuple):
    """The ladder of a line's price, and the price of each unit in its steps."""

    ladder: Ladder
    each: Sequence[Exact | None]

    def denominators(self) -> Iterator[int]:
        yield self.ladder.denominator
        yield from (each.as_integer_ratio()[1] for each in self.each if each is not None)


def _priced(line: CompiledLine) -> _Priced:
    price = line.allowance.price
    ladder = price.ladder if isinstance(price, TieredPrice) else None
    if ladder is None or line.matters_unused or len(ladder.steps) > _MOST_STEPS:
        raise NotInColumns
    firsts = [1, *(bound + 1 for bound in ladder.bounds)]
    return _Priced(ladder, [added_unit_price(price, None, first) for first in firsts])


def _decimals(denominator: int) -> int:
    """Return the decimals that each fraction of a denominator can be written with."""
    for places in range(_LEAST_DECIMALS, _MOST_DECIMALS + 1):
        if 10**places % denominator == 0:
            return places
    raise NotInColumns


def _steps(priced: _Priced, plan: Plan, decimals: int) -> tuple[Step, ...]:
    ladder, scale, minor = priced.ladder, 10**decimals, 10**plan.currency.exponent
    shared = gcd(minor, ladder.denominator)
    form = floor_form(ladder.denominator // shared, plan.rounding)
    if form is None:
        raise NotInColumns
    times, bias, divisor = form
    to_minor, to_exact = times * minor // shared, scale // ladder.denominator
    return tuple(
        Step(
            up_to,
            step.begin,
            step.package - 1 if step.package and step.tier.count == "started" else 0,
            step.package or 1,
            step.price * to_minor,
            step.fixed * to_minor + bias,
            divisor,
            step.price * to_exact,
            step.fixed * to_exact,
            None if each is None else int(Fraction(each) * scale),
        )
        for up_to, step, each in zip(
            [*ladder.bounds, ENDLESS], ladder.steps, priced.each, strict=True
        )
    )
