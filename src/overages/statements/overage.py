"""Overages: what was used of one metric beyond its limit, and what it costs.

`calculate` makes them, and a statement holds them:

    line = statement["tokens"]
    line.quantity, line.cost, line.exact_cost         # (250000, Money(2500, "USD"), Decimal("25"))
    line.explain()
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from typing import Final, TypeAlias

from attrs import field, frozen

from overages._ground.display import text_table
from overages._ground.names import parse_name
from overages._ground.parsing import instance_of, parse_all, tuple_of
from overages._ground.trusted import trusted
from overages.amounts.exact import (
    Exact,
    Quantity,
    QuantityLike,
    add_up,
    excess,
    number_from_ratio,
    optional_non_negative,
    parse_non_negative,
    plain_text,
)
from overages.amounts.money import Money
from overages.errors import InvalidValue
from overages.prices.models import PriceModel, parse_price_model
from overages.prices.tier import Charge, TierCharge
from overages.statements.limit_part import LimitPart

Detail: TypeAlias = tuple[Quantity | None, tuple[LimitPart, ...]]
"""What most lines don't need: units charged before, and the parts of the limit."""

PLAIN: Final[Detail] = (None, ())

COLUMNS: Final = ["metric", "used", "limit", "over", "price", "exact", "cost"]
ALIGN: Final = "lrrrlrr"


def sum_of_parts(parts: Iterable[LimitPart]) -> Quantity:
    """Return the limit that parts come to."""
    return add_up(part.quantity for part in parts)


@frozen(init=False, weakref_slot=False)
class Overage:
    """Usage of one metric beyond its limit in one period, with its price and cost.

    :param metric: what was used.
    :param used: units used, zero or more.
    :param limit: units that cost nothing; None where usage is unlimited.
    :param price: the price model of the units beyond the limit.
    :param cost: what is charged for them, rounded.
    :param before: units that were charged earlier, in the time that the price's tiers count over;
        the units of this line come on top of them. None where nothing was charged yet, not even
        what is due at quantity zero.
    :param limit_parts: where the limit comes from, if it isn't simply the plan's or the account's
        own; their sum is the limit.
    :raises InvalidValue: for a value that is not allowed; `InvalidValues` for several.
    """

    metric: str
    used: Quantity
    limit: Quantity | None
    quantity: Quantity = field(repr=False, init=False)
    price: PriceModel
    cost: Money
    before: Quantity | None
    limit_parts: tuple[LimitPart, ...]

    def __init__(
        self,
        metric: str,
        used: QuantityLike,
        limit: QuantityLike | None,
        price: PriceModel,
        cost: Money,
        before: QuantityLike | None = None,
        limit_parts: Iterable[LimitPart] = (),
    ) -> None:
        key, units, bound, model, amount, earlier, parts = parse_all(
            (parse_name, metric, "metric"),
            (parse_non_negative, used, "used"),
            (optional_non_negative, limit, "limit"),
            (parse_price_model, price, "price"),
            (instance_of(Money), cost, "cost"),
            (optional_non_negative, before, "before"),
            (tuple_of(LimitPart), limit_parts, "limit_parts"),
        )
        if parts and (bound is None or sum_of_parts(parts) != bound):
            raise InvalidValue("limit_parts", parts, f"must sum to the limit, {bound}")
        self.__attrs_init__(key, units, bound, model, amount, earlier, parts)
        object.__setattr__(self, "quantity", excess(units, bound))

    @property
    def charge(self) -> Charge:
        """What the price model says of the quantity: the exact cost and its tiers.

        Where units were charged `before`, it is the charge of all together, and `charged_before` is
        what to take off.
        """
        if self.before is None:
            return self.price.charge(self.quantity)
        return self.price.charge(add_up([self.before, self.quantity]))

    @property
    def charged_before(self) -> Exact:
        """The unrounded cost of the units that were charged before, in major currency units."""
        if self.before is None:
            return number_from_ratio(0, 1)
        return self.price.charge(self.before).exact_cost

    @property
    def exact_cost(self) -> Exact:
        """Unrounded cost in major currency units."""
        if self.before is None:
            return self.charge.exact_cost
        cost, _ = charge_of(self.price, self.before, self.quantity)
        return number_from_ratio(cost.numerator, cost.denominator)

    @property
    def tiers(self) -> tuple[TierCharge, ...]:
        """A `TierCharge` for each tier that was used.

        Their exact costs, less what was `charged_before`, sum to `exact_cost`.
        """
        return self.charge.tiers

    @property
    def unit_price(self) -> Exact | None:
        """Major currency units for each unit over (for the next one, where there is none yet).

        None where units differ in price, or come in packages or with a flat fee, and where a fee is
        due without any unit.
        """
        return charge_of(self.price, self.before, self.quantity)[1]

    def breakdown(self) -> list[tuple[str, Exact]]:
        """List the formula and exact cost of each tier, less what was charged before.

        :returns: texts with amounts in major currency units, which sum to `exact_cost`.

        >>> from overages import PerUnit
        >>> line = Overage("tokens", 30, 0, PerUnit("0.1"), Money(300, "USD"), before=90)
        >>> line.breakdown()
        [('120 x 0.1', Decimal('12')), ('charged before: 90', Decimal('-9'))]
        """
        costs = [(part.explain(), part.exact_cost) for part in self.tiers]
        if self.before is not None and (self.before or self.charged_before):
            paid = Fraction(self.charged_before)
            taken_off = number_from_ratio(-paid.numerator, paid.denominator)
            costs.append((f"charged before: {plain_text(self.before)}", taken_off))
        return costs

    def explain(self) -> str:
        """Say how the cost comes about, as text with a line for each tier."""
        return text_table([COLUMNS, *self.table_rows()], ALIGN)

    def table_rows(self) -> list[list[str]]:
        """Return the cells of the overage's rows in a statement's table."""
        limit = "unlimited" if self.limit is None else plain_text(self.limit)
        numbers = [plain_text(self.used), limit, plain_text(self.quantity)]
        exact, cost = plain_text(self.exact_cost), str(self.cost)
        how = self.breakdown()
        sources = [[f"  {p.explain()}", "", p.cell(), "", "", "", ""] for p in self.limit_parts]
        if len(how) <= 1:
            price = "".join(text for text, _ in how)
            return [[self.metric, *numbers, price, exact, cost], *sources]
        tiers = [["", "", "", "", text, plain_text(amount), ""] for text, amount in how]
        return [[self.metric, *numbers, "by tier:", exact, cost], *sources, *tiers]


def charge_of(
    price: PriceModel, before: Quantity | None, quantity: Quantity
) -> tuple[Fraction, Exact | None]:
    """Return what units cost exactly, on top of those before, and the price of each of them."""
    if not quantity:  # the price is that of the next unit, unless there is a fee without any
        due = Fraction(*price.charge(0).ratio) if before is None else Fraction()
        return due, None if due else charge_of(price, before, 1)[1]
    charge = price.charge(add_up([before or 0, quantity]))
    exact = Fraction(*charge.ratio)
    if before is None:
        return exact, charge.unit_price
    exact -= Fraction(*price.charge(before).ratio)
    each = charge.unit_price
    explained = each is not None and exact == Fraction(quantity) * Fraction(each)
    return exact, each if explained else None


new_overage: Final = trusted(Overage)
