"""Plans: what is included of each metric, and the price of what goes beyond.

Made once, when the terms are agreed, and used for every calculation:

    plan = Plan("starter", "USD", {"tokens": Allowance(included=500_000, price=PerUnit("0.0001"))})
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import islice
from types import MappingProxyType
from typing import Final, Literal, TypeAlias

from attrs import field, frozen

from overages._ground.display import html_table
from overages._ground.names import by_metric, parse_name
from overages._ground.parsing import Problems, instance_of, one_of, optional, parse_all
from overages.amounts.exact import plain_text
from overages.amounts.money import Currency, Money, optional_non_negative_money, parse_currency
from overages.amounts.rounding import Rounding, RoundingLike, parse_rounding
from overages.errors import CurrencyMismatch, Field, InvalidValue, UnknownMetric
from overages.periods.proration import Proration, ProrationLike, parse_proration
from overages.prices.models import explain_price
from overages.terms.allowance import DEFAULTS, Allowance, money_of, non_defaults
from overages.terms.compiled import CompiledPlan, compiled_plan
from overages.terms.discount import Discount, some_discounts
from overages.terms.wording import rule_terms

RoundingScope: TypeAlias = Literal["line", "total"]
"""What is rounded: each line of a statement, or its total, which is then spread over the lines."""

_DEFAULTS: Final[Mapping[str, object]] = {
    "rounding": Rounding.HALF_UP,
    "rounding_scope": "line",
    "base_fee": None,
    "discounts": (),
    "maximum": None,
    "minimum": None,
    "proration": Proration.DAYS,
}

_NAMED: Final = 20  # metrics of a plan, in the error for another one
_parse_allowances: Final = by_metric(instance_of(Allowance), "metrics to Allowances")


def _in_order(allowances: dict[str, Allowance]) -> tuple[tuple[str, Allowance], ...]:
    return tuple(allowances.items())


@frozen(init=False, repr=False, weakref_slot=False)
class Plan:
    """What an org has agreed to pay, and what it gets for it.

    Its own discounts, maximum and minimum are applied in this order, after those of its metrics.

    :param slug: the plan's short name.
    :param currency: what its prices are in: a `Currency` or an ISO 4217 code.
    :param allowances: an `Allowance` for each metric. Their order is that of a statement's lines,
        and part of the plan.
    :param rounding: how an exact cost becomes whole minor units.
    :param rounding_scope: ``"line"`` rounds each line of a statement by itself; ``"total"`` rounds
        the sum of the exact costs, and gives the lines what adds up to it, by largest remainder.
    :param base_fee: what the plan costs each period, whatever is used; no part of a statement of
        overages, kept for who compares plans.
    :param discounts: percentages and amounts off all lines together, after the metrics' own.
    :param maximum: what all of them cost in a period at most.
    :param minimum: what they cost at least.
    :param proration: how much of the minimum a part of a period has.
    :raises InvalidValue: for a value that is not allowed; `InvalidValues` for several.

    >>> from overages import PerUnit
    >>> plan = Plan("starter", "USD", {"tokens": Allowance(500_000, PerUnit("0.0001"))})
    >>> plan.allowances["tokens"].included
    500000
    """

    slug: str
    currency: Currency
    _allowances: dict[str, Allowance] = field(eq=_in_order)
    rounding: Rounding
    rounding_scope: RoundingScope
    base_fee: Money | None
    discounts: tuple[Discount, ...]
    maximum: Money | None
    minimum: Money | None
    proration: Proration
    compiled: CompiledPlan = field(eq=False, init=False)  # all that, worked out for `calculate`

    def __init__(
        self,
        slug: str,
        currency: Currency | str,
        allowances: Mapping[str, Allowance],
        *,
        rounding: RoundingLike = Rounding.HALF_UP,
        rounding_scope: RoundingScope = "line",
        base_fee: Money | None = None,
        discounts: Iterable[Discount] = (),
        maximum: Money | None = None,
        minimum: Money | None = None,
        proration: ProrationLike = Proration.DAYS,
    ) -> None:
        values = parse_all(
            (parse_name, slug, "slug"),
            (parse_currency, currency, "currency"),
            (_parse_allowances, allowances, "allowances"),
            (parse_rounding, rounding, "rounding"),
            (one_of("line", "total"), rounding_scope, "rounding_scope"),
            (optional(instance_of(Money)), base_fee, "base_fee"),
            (some_discounts, discounts, "discounts"),
            (optional_non_negative_money, maximum, "maximum"),
            (optional_non_negative_money, minimum, "minimum"),
            (parse_proration, proration, "proration"),
        )
        self.__attrs_init__(*values)
        _check(self)
        compiled = compiled_plan(
            self._allowances, self.currency, self.rounding, has_rules=self.has_rules
        )
        object.__setattr__(self, "compiled", compiled)

    @property
    def has_rules(self) -> bool:
        """Whether it has discounts, a maximum or a minimum of its own, for all lines together."""
        return bool(self.discounts) or self.maximum is not None or self.minimum is not None

    @property
    def needs_balance(self) -> bool:
        """Whether a period depends on the ones before it."""
        return bool(self.compiled.balanced)

    @property
    def allowances(self) -> Mapping[str, Allowance]:
        """An `Allowance` for each metric, in the plan's order; can be read only."""
        return MappingProxyType(self._allowances)

    def __repr__(self) -> str:
        shown = [repr(self.slug), repr(self.currency.shortest), repr(self._allowances)]
        shown += [f"{key}={rule!r}" for key, rule in non_defaults(self, _DEFAULTS).items()]
        return f"Plan({', '.join(shown)})"

    def _repr_html_(self) -> str:
        rows = [["metric", "included", "price"]]
        for metric, offer in self._allowances.items():
            included = "unlimited" if offer.included is None else plain_text(offer.included)
            price, *tiers = explain_price(offer.price).splitlines()
            rows.append([metric, included, price])
            others = [*tiers, rule_terms(non_defaults(offer, DEFAULTS))]
            rows += [["", "", line] for line in others if line]
        if rules := rule_terms(non_defaults(self, _DEFAULTS)):
            rows.append(["all", "", rules])
        return html_table(rows, "lrl", f"Plan {self.slug}, {self.currency}")


def unknown_metric(field: Field, metric: str, plan: Plan) -> UnknownMetric:
    """Return the error for a metric that a plan has no allowance for."""
    known = ", ".join(islice(plan.allowances, _NAMED)) or "none"
    if len(plan.allowances) > _NAMED:
        known += f" and {len(plan.allowances) - _NAMED:,} more"
    return UnknownMetric(
        field, metric, f"{metric!r} is not in plan {plan.slug!r}, whose metrics are: {known}"
    )


def _check(plan: Plan) -> None:
    """Refuse what only the parts of a plan together show to be wrong."""
    amounts = money_of(plan.discounts, None, plan.maximum, plan.minimum)
    if plan.base_fee is not None:
        amounts += (plan.base_fee,)
    for allowance in plan.allowances.values():
        amounts += allowance.money()
    for amount in amounts:
        if amount.currency != plan.currency:
            raise CurrencyMismatch(plan.currency.code, amount.currency.code)
    if plan.maximum is not None and plan.minimum is not None and plan.minimum > plan.maximum:
        raise InvalidValue(
            "minimum", plan.minimum, f"must not be above the maximum, {plan.maximum}"
        )
    problems = Problems()
    for i, discount in enumerate(plan.discounts):
        if discount.quantity is not None:
            problem = (
                "must be None: units are those of a metric, whose allowance can make them free"
            )
            problems.add(InvalidValue(("discounts", i, "quantity"), discount.quantity, problem))
    for metric, allowance in plan.allowances.items():
        other = allowance.included_per
        if other is not None and (other == metric or other not in plan.allowances):
            path = f"allowances.{metric}.included_per"
            problems.add(InvalidValue(path, other, "must be another metric of the plan"))
    problems.raise_any()
