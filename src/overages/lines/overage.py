"""Overages: the units of one metric beyond its limit, and their cost.

`calculate` makes them, and a statement holds them:

    line = statement["tokens"]
    line.quantity, line.cost, line.exact_cost         # (250000, Money(2500, "USD"), Decimal("25"))
    line.explain()
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from typing import Final, TypeAlias

from overages._ground.display import text_table
from overages._ground.names import parse_name
from overages._ground.parsing import Problems, as_tuple, instance_of, optional, tuple_of
from overages._ground.trusted import trusted
from overages._ground.value import derived, term, value
from overages.amounts.exact import (
    Exact,
    Quantity,
    QuantityLike,
    add_up,
    excess,
    number_from_ratio,
    number_text,
    optional_non_negative,
    parse_non_negative,
    plain_text,
)
from overages.amounts.money import Currency, Money, new_money
from overages.errors import Field, InvalidType, InvalidValue, at
from overages.lines.adjustment import Adjustment, overage_line
from overages.lines.limit_part import LimitPart, check_together, sum_of_parts
from overages.periods.period import Period
from overages.prices.exact_cost import added_cost, added_unit_price, checked_charge, cost_between
from overages.prices.models import PriceModel, parse_price_model
from overages.prices.tier import Charge, Ratio, TierCharge
from overages.terms.compiled import CompiledLine

LineNumbers: TypeAlias = tuple[
    CompiledLine, Quantity, Quantity | None, Quantity, int, Quantity | None,
    tuple[LimitPart, ...], Period | None,
]  # fmt: skip
"""An overage before anybody reads it.

Line of the plan, used, limit, quantity over it, rounded cost in minor units, units charged before,
limit parts, the part of the period. (A plain tuple: it is made for each line of a million
statements, and a named one takes ten times as long. It is unpacked by name wherever it is read.)
"""

COLUMNS: Final = ["metric", "used", "limit", "over", "price", "exact", "cost"]
ALIGN: Final = "lrrrlrr"


@value
class Overage:
    """Usage of one metric beyond its limit in one period, with its price and cost.

    :param metric: the metric that was used.
    :param used: units used, zero or more.
    :param limit: units that cost nothing; None where usage is unlimited.
    :param price: the price model of the units beyond the limit.
    :param cost: the charge for them, rounded.
    :param before: units that were charged earlier, in the time that the price's tiers count over;
        the units of this line come on top of them. None where nothing was charged yet, not even
        a fee that is due at quantity zero.
    :param limit_parts: where the limit comes from, if it isn't simply the plan's or the account's
        own; their sum is the limit.
    :param part: the time that the line is for, where that is a part of the statement's period.
    :raises InvalidValue: for a value that is not allowed; `InvalidValues` for several.
    """

    metric: str = term(parse_name)
    used: Quantity = term(parse_non_negative)
    limit: Quantity | None = term(optional_non_negative)
    quantity: Quantity = derived()
    """Units over the limit: ``max(0, used - limit)``."""
    price: PriceModel = term(parse_price_model)
    cost: Money = term(instance_of(Money))
    before: Quantity | None = term(optional_non_negative)
    limit_parts: tuple[LimitPart, ...] = term(tuple_of(LimitPart))
    part: Period | None = term(optional(instance_of(Period)))

    def __init__(
        self,
        metric: str,
        used: QuantityLike,
        limit: QuantityLike | None,
        price: PriceModel,
        cost: Money,
        before: QuantityLike | None = None,
        limit_parts: Iterable[LimitPart] = (),
        part: Period | None = None,
    ) -> None: ...

    def _check(self, problems: Problems) -> None:
        parts, limit = self.limit_parts, self.limit
        if parts and (limit is None or sum_of_parts(parts) != limit):
            problems.add(InvalidValue("limit_parts", parts, f"must sum to the limit, {limit}"))
        check_together(parts, problems)
        self._complete()
        problems.attempt(self._require_cost)

    def _complete(self) -> None:
        object.__setattr__(self, "quantity", excess(self.used, self.limit))

    def _require_cost(self) -> None:
        """Refuse a cost that no rounding makes of the exact one.

        Which rounding it was is for the plan to say. A cost is less than a minor unit away from the
        exact one, since it is rounded once, or is rounded up or down to add up with others; after
        units that were charged before, as after an earlier part of a level, it is the difference of
        two rounded ones, and can be a whole minor unit away: 0.015 - 0.005 by halves to even is
        0.02 - 0.00.
        """
        minor_units = Fraction(self.exact_cost) * 10**self.cost.currency.exponent
        off = abs(self.cost.minor - minor_units)
        if off > 1 or (off == 1 and self.before is None and self.part is None):
            exact = number_text(self.exact_cost)
            raise InvalidValue("cost", self.cost, f"must be {exact} {self.cost.currency}, rounded")

    @property
    def line(self) -> str:
        """The name of the line among those of its metric: ``"overage"``, with its part's start."""
        return overage_line(self.part)

    @property
    def charge(self) -> Charge:
        """The price model's charge of the quantity: the exact cost and its tiers.

        Where units were charged `before`, it is the charge of all together, and `charged_before` is
        the amount to take off.
        """
        if self.before is None:
            return checked_charge(self.price, self.quantity)
        # Tiers are of all units together, for the later ones are in higher tiers than alone.
        return checked_charge(self.price, add_up([self.before, self.quantity]))

    @property
    def charged_before(self) -> Exact:
        """The unrounded cost of the units that were charged before, in major currency units."""
        return number_from_ratio(*self._ratio_before())

    def _ratio_before(self) -> Ratio:
        return (0, 1) if self.before is None else cost_between(self.price, None, self.before)

    @property
    def exact_cost(self) -> Exact:
        """Unrounded cost in major currency units."""
        return number_from_ratio(*added_cost(self.price, self.before, self.quantity))

    @property
    def tiers(self) -> tuple[TierCharge, ...]:
        """A `TierCharge` for each tier that was used.

        Their exact costs, less the exact cost `charged_before`, sum to `exact_cost`.
        """
        return self.charge.tiers

    @property
    def unit_price(self) -> Exact | None:
        """Major currency units for each unit over (for the next one, where there is none yet).

        None where units differ in price, or come in packages or with a flat fee, and where a fee is
        due without any unit.
        """
        return added_unit_price(self.price, self.before, self.quantity)

    def breakdown(self) -> list[tuple[str, Exact]]:
        """List the formula and exact cost of each tier, less the charge before.

        :returns: texts with amounts in major currency units, which sum to `exact_cost`.

        >>> from overages import PerUnit
        >>> line = Overage("tokens", 30, 0, PerUnit("0.1"), Money(300, "USD"), before=90)
        >>> line.breakdown()
        [('120 x 0.1', Decimal('12')), ('charged before: 90', Decimal('-9'))]
        """
        costs = [(part.explain(), part.exact_cost) for part in self.tiers]
        cost_before, denominator = self._ratio_before()
        # After zero units too, where a fee was charged: the charge of all has it once more.
        if self.before or cost_before:
            taken_off = number_from_ratio(-cost_before, denominator)
            costs.append((f"charged before: {plain_text(self.before or 0)}", taken_off))
        return costs

    def explain(self) -> str:
        """Explain the cost as text, with a line for each tier."""
        return text_table([COLUMNS, *self.table_rows()], ALIGN)

    def table_rows(self) -> list[list[str]]:
        """Return the cells of the overage's rows in a statement's table."""
        limit = "unlimited" if self.limit is None else plain_text(self.limit)
        numbers = [plain_text(self.used), limit, plain_text(self.quantity)]
        exact, cost = plain_text(self.exact_cost), str(self.cost)
        formulas = self.breakdown()
        times = [] if self.part is None else [[f"  {self.part.describe()}", *[""] * 6]]
        sources = [[f"  {p.explain()}", "", p.cell(), "", "", "", ""] for p in self.limit_parts]
        if len(formulas) <= 1:
            price = "".join(text for text, _ in formulas)
            return [[self.metric, *numbers, price, exact, cost], *times, *sources]
        tiers = [["", "", "", "", text, plain_text(amount), ""] for text, amount in formulas]
        return [[self.metric, *numbers, "by tier:", exact, cost], *times, *sources, *tiers]


def overages_of(rows: Iterable[LineNumbers], currency: Currency) -> tuple[Overage, ...]:
    """Return the overages that the numbers of lines stand for."""
    return tuple(
        [
            new_overage(
                line.metric, used, limit, over, line.allowance.price, new_money(minor, currency),
                before, parts, part,
            )
            for line, used, limit, over, minor, before, parts, part in rows
        ]
    )  # fmt: skip


def overage_of(numbers: LineNumbers, currency: Currency) -> Overage:
    """Return the overage that a line's numbers stand for."""
    (overage,) = overages_of([numbers], currency)
    return overage


def numbers_of(overage: Overage, line: CompiledLine) -> LineNumbers:
    """Return the numbers of an overage by the terms of its time."""
    return (
        line,
        overage.used,
        overage.limit,
        overage.quantity,
        overage.cost.minor,
        overage.before,
        overage.limit_parts,
        overage.part,
    )


def parse_lines(value: object, field: Field) -> tuple[Overage | Adjustment, ...]:
    """Return the lines of a statement if they are overages, and adjustments behind them."""
    lines = as_tuple(value, field)
    kind: type[Overage | Adjustment] = Overage
    for i, line in enumerate(lines):
        if isinstance(line, Adjustment):
            kind = Adjustment
        if not isinstance(line, kind):
            problem = "must be an Overage, or an Adjustment behind all Overages"
            raise InvalidType(at(field, i), line, problem)
    return lines


new_overage: Final = trusted(Overage)
