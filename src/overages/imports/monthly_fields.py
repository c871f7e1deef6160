"""Plans from a billing table whose columns are named for tokens, playbook runs and seats.

plan = plan_from_monthly_fields(row["plan_slug"], **{name: row[name] for name in columns})
"""

from __future__ import annotations

from fractions import Fraction

from overages._ground.parsing import Parser, optional, parse_all
from overages.amounts.exact import (
    QuantityLike,
    as_quantity,
    optional_non_negative,
    parse_non_negative,
)
from overages.amounts.money import Currency, Money, parse_currency
from overages.errors import Field, InvalidValue
from overages.prices.models import PerUnit
from overages.terms.allowance import Allowance
from overages.terms.plan import Plan


def plan_from_monthly_fields(
    slug: str,
    *,
    included_tokens_monthly: QuantityLike | None,
    included_playbook_runs_monthly: QuantityLike | None,
    included_seats: QuantityLike | None,
    overage_token_price_milli_cents: QuantityLike,
    overage_playbook_run_price_cents: QuantityLike,
    overage_seat_price_cents: QuantityLike = 0,
    monthly_price_cents: int | None = None,
    currency: Currency | str = "USD",
) -> Plan:
    """Return a plan of tokens, playbook runs and seats from the fields of a billing table.

    Seats are a level: they are held, so that a part of a month has a share of their charge.

    :param included_tokens_monthly: tokens included; None for unlimited (so the others).
    :param overage_token_price_milli_cents: thousandths of a minor unit for a token.
    :param overage_playbook_run_price_cents: minor units for a playbook run.
    :param overage_seat_price_cents: minor units for a seat; free unless it is said.
    :param monthly_price_cents: minor units a month, the plan's `base_fee`.
    :raises InvalidValue: for a value that is not allowed; `InvalidValues` for several.

    >>> plan = plan_from_monthly_fields(
    ...     "starter", included_tokens_monthly=500_000, included_playbook_runs_monthly=50,
    ...     included_seats=3, overage_token_price_milli_cents=10,
    ...     overage_playbook_run_price_cents=100)
    >>> plan.allowances["tokens"].price
    PerUnit(price=Decimal('0.0001'))
    """
    unit = parse_currency(currency, "currency")
    cents = 10**unit.exponent
    tokens, runs, seats, token_price, run_price, seat_price, fee = parse_all(
        (optional_non_negative, included_tokens_monthly, "included_tokens_monthly"),
        (optional_non_negative, included_playbook_runs_monthly, "included_playbook_runs_monthly"),
        (optional_non_negative, included_seats, "included_seats"),
        (
            _price_in(1000 * cents),
            overage_token_price_milli_cents,
            "overage_token_price_milli_cents",
        ),
        (_price_in(cents), overage_playbook_run_price_cents, "overage_playbook_run_price_cents"),
        (_price_in(cents), overage_seat_price_cents, "overage_seat_price_cents"),
        (optional(_minor_units), monthly_price_cents, "monthly_price_cents"),
    )
    allowances = {
        "tokens": Allowance(tokens, token_price),
        "playbook_runs": Allowance(runs, run_price),
        "seats": Allowance(seats, seat_price, kind="level"),
    }
    return Plan(slug, unit, allowances, base_fee=None if fee is None else Money(fee, unit))


def _minor_units(value: object, field: Field) -> int:
    number = parse_non_negative(value, field)
    if not isinstance(number, int):
        raise InvalidValue(field, value, "must be a whole number")
    return number


def _price_in(units: int) -> Parser[PerUnit]:
    """Return a parser of unit prices that are given in ``1 / units`` of a major currency unit."""

    def parse(value: object, field: Field) -> PerUnit:
        return PerUnit(as_quantity(Fraction(parse_non_negative(value, field)) / units, field))

    return parse
