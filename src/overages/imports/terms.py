"""The terms of plans from tables of a TOML file: currencies, prices, and what allowances say.

    plan = read_plan("starter", data["plans"]["starter"])

Amounts of money are decimal numbers in the plan's currency.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Final

from overages._ground.parsing import Problems
from overages.amounts.money import Currency, Money, parse_currency
from overages.errors import InvalidType, InvalidValue
from overages.imports.tables import each_of, keys_of, read_fields, table_of
from overages.periods.cycle import Cycle
from overages.periods.period import instant_from_text
from overages.prices.exchange import Exchanged
from overages.prices.models import Graduated, Package, Percentage, PerUnit, PriceModel, Volume
from overages.prices.tier import Tier
from overages.terms.allowance import Allowance
from overages.terms.carry_over import CarryOver
from overages.terms.commitment import Commitment
from overages.terms.conversion import Conversion
from overages.terms.discount import Discount
from overages.terms.plan import Plan

_BOUNDS: Final = ["discounts", "maximum", "minimum", "proration"]
_PLAN: Final = ["rounding", "rounding_scope", "base_fee", *_BOUNDS]
_ALLOWANCE: Final = [
    *("conversion", "included_per", "included_for", "carry_over", "commitment"),
    *("increment", "increment_rounding", *_BOUNDS),
]
# Where the currency is faulty, amounts are read in the finest one, so that it alone is named.
_FINEST: Final = Currency("any", 12)


def read_plan(slug: str, value: object) -> Plan:
    """Return the plan that a table says.

    :raises OveragesError: for all that is wrong with it, each fault with its path in the table.
    """
    fields = keys_of(value, required=["currency", "allowances"], optional=_PLAN)
    problems = Problems()
    currency = problems.attempt(_currency, fields.pop("currency"))
    unit = currency or _FINEST
    allowances = {
        metric: problems.attempt(_allowance, table, unit, path=("allowances", metric))
        for metric, table in table_of(fields.pop("allowances"), "allowances").items()
    }
    terms = problems.attempt(_read_terms, fields, unit)
    problems.raise_any()
    return Plan(slug, currency, allowances, **terms)


def read_cycle(value: object) -> Cycle:
    """Return the cycle that a table says."""
    fields = keys_of(value, required=["anchor"], optional=["every", "unit", "timezone"])
    if isinstance(fields["anchor"], str):
        fields["anchor"] = instant_from_text(fields["anchor"], "anchor")
    return Cycle(**fields)


def _currency(value: object) -> Currency:
    if isinstance(value, dict):
        return Currency(**keys_of(value, required=["code", "exponent"], optional=[]))
    return parse_currency(value, "currency")


def _allowance(value: object, unit: Currency) -> Allowance:
    fields = keys_of(value, required=["included", "price"], optional=_ALLOWANCE)
    if fields["included"] == "unlimited":
        fields["included"] = None
    return Allowance(**_read_terms(fields, unit))


def _read_terms(fields: dict[str, Any], unit: Currency) -> dict[str, Any]:
    """Return the fields of a plan or an allowance, with its tables and amounts of money read."""
    money, discount = partial(_money, unit), partial(_discount, unit)
    return read_fields(
        fields,
        {
            "base_fee": money,
            "maximum": money,
            "minimum": money,
            "discounts": partial(each_of, discount),
            "commitment": partial(_commitment, unit),
            "carry_over": _carry_over,
            "conversion": _conversion,
            "included_for": read_cycle,
            "price": _price,
        },
    )


def _money(unit: Currency, value: Any) -> Money:
    try:
        return Money.of(value, unit)
    except (InvalidType, InvalidValue) as error:  # it names its own argument, not what is read
        raise type(error)("", error.value, error.problem) from None


def _discount(unit: Currency, value: object) -> Discount:
    fields = keys_of(value, required=["name"], optional=["percent", "amount", "quantity"])
    return Discount(**read_fields(fields, {"amount": partial(_money, unit)}))


def _commitment(unit: Currency, value: object) -> Commitment:
    keys = ["amount", "quantity", "overage_factor", "true_up"]
    fields = keys_of(value, required=[], optional=keys)
    return Commitment(**read_fields(fields, {"amount": partial(_money, unit)}))


def _carry_over(value: object) -> CarryOver:
    keys = ["up_to", "share", "expires_after", "draw", "overage", "increment", "rounding"]
    return CarryOver(**keys_of(value, required=[], optional=keys))


def _conversion(value: object) -> Conversion:
    keys = ["multiply", "divide", "increment", "minimum", "rounding"]
    return Conversion(**keys_of(value, required=[], optional=keys))


def _price(value: object) -> PriceModel:
    table = dict(table_of(value, ""))
    model = table.pop("model", None)
    if model not in _MODELS:
        raise InvalidValue("model", model, f"must be one of {', '.join(_MODELS)}")
    make, required, optional = _MODELS[model]
    readers: dict[str, Callable[[Any], Any]] = {"tiers": partial(each_of, _tier)}
    if make is Exchanged:
        readers["price"] = _price
    return make(**read_fields(keys_of(table, required=required, optional=optional), readers))


def _tier(value: object) -> Tier:
    keys = ["up_to", "price", "flat", "per", "size", "count", "maximum"]
    fields = keys_of(value, required=[], optional=keys)
    return Tier(**{"up_to": None, **fields})


_MODELS: Final[dict[str, tuple[Callable[..., PriceModel], list[str], list[str]]]] = {
    "per_unit": (PerUnit, ["price"], ["per"]),
    "package": (Package, ["price", "size"], ["count"]),
    "graduated": (Graduated, ["tiers"], ["flat_at_zero"]),
    "volume": (Volume, ["tiers"], ["flat_at_zero"]),
    "percentage": (Percentage, ["percent"], []),
    "exchanged": (Exchanged, ["price", "rate"], ["per"]),
}
