"""Price models: from a quantity to its charge.

Each gives, for a quantity, the exact cost and the tiers that it comes from. A host's own model is
any object with such a `charge` method; `PriceModel` is the protocol.

    price = Graduated([Tier(10_000, "0.001"), Tier(None, "0.0005", flat="5")])
    price.charge(15_000).exact_cost                   # Decimal("17.5")
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, ClassVar, Protocol, runtime_checkable

from overages._ground.parsing import choice_of, optional, parse_all, parse_flag
from overages._ground.value import derived, term, value
from overages.amounts.exact import (
    LIMIT,
    Quantity,
    QuantityLike,
    parse_non_negative,
    parse_positive,
    plain_text,
    scaled,
    unscaled,
)
from overages.amounts.money import Currency, parse_currency
from overages.errors import Field, InvalidType
from overages.prices.ladder import Ladder, PriceTable, Stretch, parse_tiers
from overages.prices.tier import Charge, Count, Tier

if TYPE_CHECKING:
    from overages._ground.svg import Svg


@runtime_checkable
class PriceModel(Protocol):
    """A rule that prices quantities.

    An implementation is immutable, compares by value, and returns equal charges for equal
    quantities. Whatever else it returns or raises is a `FaultyPriceModel`, but for an error of the
    library, by which it refuses a quantity. It may have a method ``explain()``, whose text says
    the price.
    """

    def charge(self, quantity: Quantity, /) -> Charge:
        """Return the charge of `quantity` units, tier by tier.

        :param quantity: zero or more units.
        """
        ...


def parse_price_model(value: object, field: Field) -> PriceModel:
    """Return `value` if it can price quantities (it is an object, not the class of one)."""
    if isinstance(value, TieredPrice):  # first: to ask for a protocol takes 5 us on CPython 3.11
        return value
    if isinstance(value, type) or not isinstance(value, PriceModel):
        raise InvalidType(field, value, "must be a price model such as PerUnit('1')")
    return value


def explain_price(price: PriceModel) -> str:
    """Write the terms of a price model; a host's own that can't `explain` is shown as its repr."""
    return price.explain() if hasattr(price, "explain") else repr(price)


def share_of(quantity: Quantity, factor: Fraction) -> Quantity:
    """Return so many times a quantity, or the largest one."""
    return min(unscaled(int(scaled(quantity) * factor)), LIMIT - 1)


class TieredPrice:
    """Base of the models here: a table of tiers, worked out when the price is made."""

    __slots__ = ()

    _table: PriceTable

    def _work_out(self, tiers: Sequence[Tier], **rules: bool) -> None:
        object.__setattr__(self, "_table", PriceTable(tiers, **rules))

    def charge(self, quantity: QuantityLike, /) -> Charge:
        """Return the charge of a quantity, exactly and tier by tier.

        :param quantity: units, zero or more.
        :returns: a `Charge`; its `exact_cost` is in major currency units.
        :raises InvalidType: if the quantity is a float or no number.
        :raises InvalidValue: if the quantity is negative, too large or too fine.
        """
        return self._table.charge(quantity)

    def to_svg(
        self,
        up_to: QuantityLike | None = None,
        *,
        currency: Currency | str | None = None,
        width: int = 640,
        styled: bool = True,
    ) -> Svg:
        """Draw the cost curve: the exact cost of each quantity, as SVG that a notebook shows.

        :param up_to: the largest quantity, in units above zero; without it, half as far again as
            the last bound of the tiers, ten packages, or 100 times the units of the price.
        :param currency: that of the price, for the axis.
        :param width: pixels, from 240 to 4,096.
        :param styled: whether the styles are in it. A page that allows none within serves
            `overages.exports.charts.STYLES` in a sheet of its own.
        :returns: a text; it has a title and a description for who can't see it.
        :raises InvalidValue: for a number that isn't allowed; `InvalidValues` for several faults.
        :raises UnknownCurrency: if nothing is known of the currency.

        >>> PerUnit("0.05").to_svg(up_to=150, currency="USD")[:40]
        '<svg xmlns="http://www.w3.org/2000/svg" '
        """
        from overages.prices.curve import cost_chart  # pictures are for those who ask for one

        most, unit = parse_all(
            (optional(parse_positive), up_to, "up_to"),
            (optional(parse_currency), currency, "currency"),
        )
        about = explain_price(self)
        return cost_chart(
            f"Price: {about.splitlines()[0].rstrip(':')}",
            lambda quantity: self.charge(quantity).exact_cost,
            self.reach if most is None else most,
            unit,
            about,
            width=width,
            styled=styled,
        )

    @property
    def reach(self) -> Quantity:
        """A quantity whose cost has the whole price in it, for pictures."""
        return 100

    @property
    def slope(self) -> Fraction | None:
        """Major currency units for each unit; None unless every unit costs that and no more."""
        return self._table.slope

    @property
    def ladder(self) -> Ladder | None:
        """The steps by which whole units are priced; None where tiers or packages have decimals."""
        return self._table.ladder_of_units()

    @property
    def stretches(self) -> tuple[Stretch, ...]:
        """The quantities above zero, in stretches over which the cost rises evenly."""
        return self._table.stretches()


@value
class PerUnit(TieredPrice):
    """Every unit at the same price: ``quantity / per x price``.

    :param price: major currency units for `per` units, zero or more.
    :param per: how many units the price buys, above zero; fractions of it are charged in
        proportion.

    >>> PerUnit("0.0001").charge(250_000).exact_cost
    Decimal('25')
    >>> PerUnit("1.25", per=1_000_000).charge(10).exact_cost
    Decimal('0.0000125')
    """

    price: Quantity = term(parse_non_negative)
    per: Quantity = term(parse_positive)
    _table: PriceTable = derived()

    def __init__(self, price: QuantityLike, per: QuantityLike = 1) -> None: ...

    def _complete(self) -> None:
        # A table of one open tier, so that one arithmetic serves all the prices here.
        self._work_out([Tier(None, self.price, per=self.per)])

    @property
    def reach(self) -> Quantity:
        """A hundred times the units that the price is for."""
        return share_of(self.per, Fraction(100))

    def explain(self) -> str:
        """Return the price in words, in major currency units: ``80 per 1,000,000``."""
        return Tier(None, self.price, per=self.per).explain()


@value
class Package(TieredPrice):
    """Whole packages of units at a price each.

    :param price: major currency units for a package, zero or more.
    :param size: units in a package, above zero.
    :param count: ``"started"`` charges every package that was begun, ``"completed"`` full ones.

    >>> Package("1.25", size=1_000_000).charge(10).exact_cost
    Decimal('1.25')
    """

    price: Quantity = term(parse_non_negative)
    size: Quantity = term(parse_positive)
    count: Count = term(choice_of(Count))
    _table: PriceTable = derived()

    def __init__(
        self, price: QuantityLike, size: QuantityLike, *, count: Count = "started"
    ) -> None: ...

    def _complete(self) -> None:
        self._work_out([Tier(None, self.price, size=self.size, count=self.count)])

    @property
    def reach(self) -> Quantity:
        """Ten packages."""
        return share_of(self.size, Fraction(10))

    def explain(self) -> str:
        """Return the price in words, in major currency units: ``40 (packages of 100)``."""
        return Tier(None, self.price, size=self.size, count=self.count).explain()


@value
class Percentage(TieredPrice):
    """A percentage of the quantity, which is itself an amount in major currency units.

    :param percent: per cent, zero or more: ``"1.3"`` charges 1.30 USD on an amount of 100.

    >>> Percentage("1.3").charge(100).exact_cost
    Decimal('1.3')
    """

    percent: Quantity = term(parse_non_negative)
    _table: PriceTable = derived()

    def __init__(self, percent: QuantityLike) -> None: ...

    def _complete(self) -> None:
        # 1.3 % of an amount is 1.3 for each 100 of it.
        self._work_out([Tier(None, self.percent, per=100)])

    def explain(self) -> str:
        """Return the price in words: ``1.3 %``."""
        return f"{plain_text(self.percent)} %"


@value
class _TablePrice(TieredPrice):
    """A price whose table the author of a plan writes."""

    tiers: tuple[Tier, ...] = term(parse_tiers)
    flat_at_zero: bool = term(parse_flag)
    _table: PriceTable = derived()

    cumulative: ClassVar[bool]

    def __init__(self, tiers: Iterable[Tier], *, flat_at_zero: bool = False) -> None: ...

    def _complete(self) -> None:
        self._work_out(self.tiers, cumulative=self.cumulative, flat_at_zero=self.flat_at_zero)

    @property
    def reach(self) -> Quantity:
        """Half as far again as the last bound; 100 units where there is none."""
        bounds = [tier.up_to for tier in self.tiers if tier.up_to is not None]
        return share_of(bounds[-1], Fraction(3, 2)) if bounds else 100

    def explain(self) -> str:
        """Return the price in words, in major currency units, with a line for each tier."""
        fee = ", first flat fee due at zero" if self.flat_at_zero else ""
        lines = [f"{type(self).__name__.lower()}{fee}:"]
        above = ""
        for tier in self.tiers:
            bound = above if tier.up_to is None else f"up to {plain_text(tier.up_to)}: "
            lines.append(f"{bound}{tier.explain()}")
            above = "" if tier.up_to is None else f"above {plain_text(tier.up_to)}: "
        return "\n".join(lines)


class Graduated(_TablePrice):
    """Each unit at the price of the tier that it falls into.

    The flat fee of every tier that is entered is due once.

    :param tiers: `Tier` rows, their bounds rising, the last one open (``up_to=None``).
    :param flat_at_zero: whether the first tier's flat fee is due at quantity zero already.
    :raises InvalidValue: for a table that is not lawful; `InvalidValues` where it has many faults.

    >>> price = Graduated([Tier(10, price="2"), Tier(None, price="1", flat="5")])
    >>> price.charge(12).exact_cost               # 10 x 2 + 2 x 1 + 5
    Decimal('27')
    """

    __slots__ = ()
    cumulative = True


class Volume(_TablePrice):
    """All units at the price of the tier that the quantity reaches.

    Only that tier's flat fee is due; with flat fees alone, this is stair-step pricing. More units
    can cost less in total, where a tier is cheaper than the one before.

    :param tiers: `Tier` rows, their bounds rising, the last one open (``up_to=None``).
    :param flat_at_zero: whether the first tier's flat fee is due at quantity zero already.
    :raises InvalidValue: for a table that is not lawful; `InvalidValues` where it has many faults.

    >>> price = Volume([Tier(10, price="2"), Tier(None, price="1")])
    >>> price.charge(10).exact_cost, price.charge(11).exact_cost
    (Decimal('20'), Decimal('11'))
    """

    __slots__ = ()
    cumulative = False
