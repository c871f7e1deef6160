"""The forms of plans in JSON: money, prices, and the rules that allowances hold.

`codec` puts them together with those of `statements`. A host may have price models of its own,
so the forms of all that holds one are made when they are known:

    prices = price_forms(OWN_PRICES | {Peak: ...})
    plans = plan_forms(any_of(prices, A_PRICE))       # by class: Allowance, Plan
"""

from __future__ import annotations

from typing import Any, Final

from overages.amounts.money import Currency, Money
from overages.amounts.rounding import Rounding
from overages.forms.form import Form
from overages.forms.holders import any_of, in_order, list_of, optional, table, unless
from overages.forms.values import EXACT, FLAG, INSTANT, NAME, NUMBER, ROUNDING, TEXT, WHOLE, named
from overages.periods.cycle import Cycle
from overages.periods.proration import Proration, parse_proration
from overages.prices.exchange import Exchanged
from overages.prices.models import Graduated, Package, Percentage, PerUnit, Volume
from overages.prices.tier import Tier
from overages.terms.allowance import Allowance
from overages.terms.carry_over import CarryOver
from overages.terms.commitment import Commitment
from overages.terms.conversion import Conversion
from overages.terms.discount import Discount
from overages.terms.plan import Plan

CURRENCY: Final = table(Currency, code=NAME, exponent=WHOLE)
MONEY: Final = table(Money, currency=CURRENCY, minor=WHOLE)
TIER: Final = table(
    Tier,
    up_to=optional(NUMBER),
    price=NUMBER,
    flat=NUMBER,
    per=NUMBER,
    size=optional(NUMBER),
    count=TEXT,
    maximum=optional(NUMBER),
)
CYCLE: Final = table(Cycle, anchor=INSTANT, every=WHOLE, unit=TEXT, timezone=TEXT)
CONVERSION: Final = table(
    Conversion,
    multiply=NUMBER,
    divide=NUMBER,
    increment=optional(NUMBER),
    minimum=NUMBER,
    rounding=ROUNDING,
)
CARRY_OVER: Final = table(
    CarryOver,
    up_to=optional(NUMBER),
    share=optional(EXACT),
    expires_after=optional(WHOLE),
    draw=TEXT,
    overage=TEXT,
    increment=NUMBER,
    rounding=ROUNDING,
)
_PRORATION: Final = named(parse_proration)
_AMOUNT_OR_UNITS: Final = {"amount": optional(MONEY), "quantity": optional(NUMBER)}
COMMITMENT: Final = table(Commitment, **_AMOUNT_OR_UNITS, overage_factor=NUMBER, true_up=FLAG)
DISCOUNT: Final = table(Discount, name=NAME, percent=optional(NUMBER), **_AMOUNT_OR_UNITS)

TERMS: Final[dict[type, Form]] = {
    CarryOver: CARRY_OVER,
    Commitment: COMMITMENT,
    Conversion: CONVERSION,
    Currency: CURRENCY,
    Cycle: CYCLE,
    Discount: DISCOUNT,
    Money: MONEY,
    Tier: TIER,
}
"""The forms of what plans are made of, but for price models."""

OWN_PRICES: Final[dict[type, Form]] = {
    Graduated: table(Graduated, tiers=list_of(TIER), flat_at_zero=FLAG),
    Package: table(Package, price=NUMBER, size=NUMBER, count=TEXT),
    PerUnit: table(PerUnit, price=NUMBER, per=NUMBER),
    Percentage: table(Percentage, percent=NUMBER),
    Volume: table(Volume, tiers=list_of(TIER), flat_at_zero=FLAG),
}
"""The forms of the library's price models, but for those that hold another one."""

A_PRICE: Final = (
    "a price model of the library, or of a class that is named in Codec(price_models=[...])"
)

# What is off in most plans is left out, so that these are written as before there was any of it.
_BOUNDS: Final = {
    "discounts": unless((), list_of(DISCOUNT)),
    "maximum": unless(None, MONEY),
    "minimum": unless(None, MONEY),
    "proration": unless(Proration.DAYS, _PRORATION),
}
_RULES: Final = {
    "included": optional(NUMBER),
    "conversion": unless(None, CONVERSION),
    "included_per": unless(None, NAME),
    "included_for": unless(None, CYCLE),
    "carry_over": unless(None, CARRY_OVER),
    "increment": unless(1, NUMBER),
    "increment_rounding": unless(Rounding.HALF_UP, ROUNDING),
    "commitment": unless(None, COMMITMENT),
    **_BOUNDS,
}


def price_forms(own_prices: dict[type, Form]) -> dict[type, Form]:
    """Return the forms of all price models, given those of the ones that hold no other one."""
    exchanged = table(Exchanged, price=any_of(own_prices, A_PRICE), rate=NUMBER, per=NUMBER)
    return own_prices | {Exchanged: exchanged}


def plan_forms(price: Form) -> dict[type, Form]:
    """Return the forms of allowances and plans, given the form of a price model."""
    offer = table(_offer, _offered, metric=NAME, price=price, **_RULES)
    plan = table(
        Plan,
        slug=NAME,
        currency=CURRENCY,
        allowances=in_order(offer),
        rounding=ROUNDING,
        rounding_scope=TEXT,
        base_fee=optional(MONEY),
        **_BOUNDS,
    )
    return {Allowance: table(Allowance, price=price, **_RULES), Plan: plan}


def _offer(metric: str, **fields: Any) -> tuple[str, Allowance]:
    return metric, Allowance(**fields)


def _offered(offer: tuple[str, Allowance]) -> dict[str, Any]:
    metric, allowance = offer
    terms = {key: getattr(allowance, key) for key in _RULES}
    return {"metric": metric, "price": allowance.price, **terms}
