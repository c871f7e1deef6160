"""Inverses of prices: the units that an amount of money buys.

    quantity_within(PerUnit("0.10"), Money.of("200", "USD"))        # 2000
    quantities_within(Volume(tiers), Money.of("200", "USD"))        # by a volume price: ranges

Each is found by the charges themselves, tier by tier: the answer's charge is within the money, and
that of one step more isn't.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from math import floor
from typing import Final, TypeAlias

from overages._ground.parsing import Problems, parse_all
from overages._ground.value import term, value
from overages.amounts.exact import (
    Quantity,
    QuantityLike,
    optional_non_negative,
    parse_non_negative,
    parse_positive,
    plain_text,
)
from overages.amounts.money import Currency, Money, parse_non_negative_money
from overages.amounts.rounding import Rounding, RoundingLike, parse_rounding
from overages.errors import InvalidValue
from overages.insight.cost_curve import CostCurve, ranges
from overages.insight.curves import curve_of_fee, curve_of_plan, curve_of_price
from overages.periods.period import Period
from overages.prices.models import PriceModel, parse_price_model
from overages.prices.transactions import TransactionFee
from overages.terms.allowance import Allowance
from overages.terms.plan import Plan
from overages.usage.usage import Usage

Priced: TypeAlias = PriceModel | TransactionFee | Allowance
"""All that a quantity has a charge by: a price, a fee on one amount, or the terms of a metric."""

A_MONTH: Final = Period.month(2000, 1)  # a whole period: which one changes no charge of it
_UNITS: Final = "units"


@value
class QuantityRange:
    """Quantities from a first to a last one, both included.

    :param first: the first, zero or more.
    :param last: the last, at least the first; None where there is no end.
    :raises InvalidValue: if the last is less than the first.

    >>> print(QuantityRange(1_001, None))
    1,001 and more
    """

    first: Quantity = term(parse_non_negative)
    last: Quantity | None = term(optional_non_negative)

    def __init__(self, first: QuantityLike, last: QuantityLike | None) -> None: ...

    def _check(self, problems: Problems) -> None:
        check_range(self.first, self.last, problems)

    def __str__(self) -> str:
        return range_text(self.first, self.last)


def check_range(first: Quantity, last: Quantity | None, problems: Problems) -> None:
    """Tell a last quantity that is less than the first."""
    if last is not None and last < first:
        problem = f"must be at least the first, {plain_text(first)}"
        problems.add(InvalidValue("last", last, problem))


def range_text(first: Quantity, last: Quantity | None) -> str:
    """Write quantities from a first to a last one: ``501 to 1,000``.

    >>> range_text(0, None), range_text(7, 7)
    ('0 and more', '7')
    """
    if last is None:
        return f"{plain_text(first)} and more"
    return plain_text(first) if first == last else f"{plain_text(first)} to {plain_text(last)}"


def quantity_within(
    price: Priced,
    money: Money,
    *,
    rounding: RoundingLike = Rounding.HALF_UP,
    step: QuantityLike = 1,
) -> Quantity | None:
    """Return the largest quantity whose charge is within an amount of money; None without an end.

    The charge of the quantity, rounded, is at most the money, and that of one step more isn't. By a
    volume price, some smaller quantities may cost more: see `quantities_within`.

    :param price: a price model; an allowance, whose included units come first, and whose rules
        count for a whole first period; or a transaction fee, for the amount of one event, in major
        currency units. A price model of a host's own is taken to charge no less for more.
    :param money: the most that may be charged, zero or more.
    :param rounding: how an exact cost becomes whole minor units, as the plan's.
    :param step: the step that quantities come in, in units above zero: ``"0.001"`` for three
        decimals.
    :returns: a multiple of the step; None where no quantity costs more.
    :raises InvalidType: if the price is none of these.
    :raises InvalidValue: if the money is negative, or buys no quantity at all, as where a fee is
        due at quantity zero; or for an allowance that another metric brings.

    >>> from overages import Graduated, PerUnit, Tier
    >>> budget = Money.of("200", "USD")
    >>> quantity_within(PerUnit("0.03"), budget)
    6666
    >>> quantity_within(Graduated([Tier(1_000, "0.10"), Tier(None, "0.05")]), budget)
    3000
    >>> quantity_within(Allowance(500, PerUnit("0.03")), budget, step="0.01")
    Decimal('7166.83')
    """
    fitting = quantities_within(price, money, rounding=rounding, step=step)
    if not fitting:
        raise InvalidValue("money", money, "must be as much as some quantity costs")
    return fitting[-1].last


def quantities_within(
    price: Priced,
    money: Money,
    *,
    rounding: RoundingLike = Rounding.HALF_UP,
    step: QuantityLike = 1,
) -> tuple[QuantityRange, ...]:
    """Return all quantities whose charge is within an amount of money, as ranges in rising order.

    Most prices have one range, from zero up. By a volume price, a larger quantity may cost less, so
    there can be several.

    :param price: see `quantity_within`, as for the others.
    :returns: ranges of multiples of the step; none where even zero costs more.

    >>> from overages import Tier, Volume
    >>> price = Volume([Tier(100, "2.00"), Tier(None, "1.00")])
    >>> [str(each) for each in quantities_within(price, Money.of("150", "USD"))]
    ['0 to 75', '101 to 150']
    """
    most, rule, size = parse_all(
        (parse_non_negative_money, money, "money"),
        (parse_rounding, rounding, "rounding"),
        (parse_positive, step, "step"),
    )
    curve = _curve_of(price, most.currency, rule, size)

    def decide(first: int, last: int) -> bool | None:
        low, high = curve.bounds(first, last)
        return True if high <= most.minor else False if low > most.minor else None

    return tuple(
        QuantityRange(curve.quantity(first), None if last == curve.most else curve.quantity(last))
        for first, last, fits in ranges([*curve.ends, *_near(curve, most)], curve.most, decide)
        if fits
    )


def _near(curve: CostCurve, money: Money) -> Iterator[int]:
    """Yield the steps beside those at which the exact cost comes to some money, where it rises.

    To look there first takes a tenth of the time.
    """
    first = 0
    for last in curve.ends:
        low, high = curve.at(first), curve.at(last)
        if low.minor <= money.minor < high.minor:
            for minor in (money.minor, money.minor + Fraction(1, 2), money.minor + 1):
                share = (minor - low.exact) / (high.exact - low.exact)
                step = first + floor((last - first) * share)
                yield from (step - 1, step)
        first = last + 1


def _curve_of(price: Priced, currency: Currency, rule: Rounding, step: Quantity) -> CostCurve:
    if isinstance(price, TransactionFee):
        return curve_of_fee(price, currency, rule, step)
    if not isinstance(price, Allowance):
        return curve_of_price(parse_price_model(price, "price"), currency, rule, step)
    if price.included_per is not None:
        problem = "must be None: say the units that it brings by included"
        raise InvalidValue(("price", "included_per"), price.included_per, problem)
    plan = Plan("allowance", currency, {_UNITS: price}, rounding=rule)
    return curve_of_plan(plan, _UNITS, Usage("org", A_MONTH, {}), {}, step)
