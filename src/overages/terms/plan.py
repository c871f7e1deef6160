"""Plans: the included quantity of each metric, and the price of the units beyond.

Made once, when the terms are agreed, and used for every calculation:

    plan = Plan("starter", "USD", {"tokens": Allowance(included=500_000, price=PerUnit("0.0001"))})
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from enum import Enum
from itertools import islice
from typing import Final, Literal, TypeAlias

from overages._ground.display import html_table
from overages._ground.names import by_metric, parse_name
from overages._ground.parsing import Problems, choice_of, instance_of, optional
from overages._ground.value import derived, non_defaults, term, value
from overages.amounts.exact import plain_text
from overages.amounts.money import Currency, Money, optional_non_negative_money, parse_currency
from overages.amounts.rounding import Rounding, RoundingLike, parse_rounding
from overages.errors import Field, InvalidValue, UnknownMetric, at, did_you_mean
from overages.periods.proration import Proration, ProrationLike, parse_proration
from overages.prices.models import explain_price
from overages.terms.allowance import Allowance, amounts_of, check_bounds, check_currency
from overages.terms.compiled import CompiledPlan, compiled_plan
from overages.terms.discount import Discount, discounts_of_money

RoundingScope: TypeAlias = Literal["line", "total"]
"""The amount that is rounded: each line of a statement, or the total, which is spread over them."""

_NAMED: Final = 20  # metrics of a plan, in the error for another one
_by_metric: Final = by_metric(instance_of(Allowance), "metrics to Allowances")


def _parse_allowances(value: object, field: Field) -> Mapping[str, Allowance]:
    problems = Problems()
    allowances = problems.attempt(_by_metric, value, field)
    # Where one is refused, those beside it are looked at all the same.
    offered = value if problems and isinstance(value, Mapping) else allowances or {}
    for metric, allowance in offered.items():
        bringing = allowance.included_per if type(allowance) is Allowance else None
        if bringing is not None and (bringing == metric or bringing not in offered):
            problem = "must be another metric of the plan"
            problems.add(InvalidValue(at(field, metric, "included_per"), bringing, problem))
    problems.raise_any()
    return allowances


def _in_order(allowances: Mapping[str, Allowance]) -> tuple[tuple[str, Allowance], ...]:
    return tuple(allowances.items())


@value
class Plan:
    """The terms of all metrics, and rules for all of them together.

    Its own discounts, maximum and minimum are applied in this order, after those of its metrics.

    :param slug: the plan's short name.
    :param currency: the currency of its prices: a `Currency` or an ISO 4217 code.
    :param allowances: an `Allowance` for each metric. Their order is that of a statement's lines,
        and part of the plan.
    :param rounding: how an exact cost becomes whole minor units.
    :param rounding_scope: ``"line"`` rounds each line of a statement by itself; ``"total"`` rounds
        the sum of the exact costs, and gives the lines amounts that add up to it, by largest
        remainder.
    :param base_fee: the price of the plan each period, whatever is used; no part of a statement of
        overages, kept for who compares plans.
    :param discounts: percentages and amounts off all lines together, after the metrics' own.
    :param maximum: the most that all of them cost in a period.
    :param minimum: the least that they cost.
    :param proration: how much of a period a part of it counts for: of the plan's own discounts,
        maximum and minimum; a `Proration` or its name.
    :raises InvalidValue: for a value that is not allowed; `InvalidValues` for several.

    >>> from overages import PerUnit
    >>> plan = Plan("starter", "USD", {"tokens": Allowance(500_000, PerUnit("0.0001"))})
    >>> plan.allowances["tokens"].included
    500000
    """

    slug: str = term(parse_name)
    currency: Currency = term(parse_currency)
    allowances: Mapping[str, Allowance] = term(_parse_allowances, eq=_in_order)
    rounding: Rounding = term(parse_rounding)
    rounding_scope: RoundingScope = term(choice_of(RoundingScope))
    base_fee: Money | None = term(optional(instance_of(Money)))
    discounts: tuple[Discount, ...] = term(discounts_of_money)
    maximum: Money | None = term(optional_non_negative_money)
    minimum: Money | None = term(optional_non_negative_money)
    proration: Proration = term(parse_proration)
    compiled: CompiledPlan = derived()
    """All that, worked out for `calculate`."""

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
    ) -> None: ...

    def _check_bounds(self, problems: Problems) -> None:
        check_bounds(self.maximum, self.minimum, problems)

    def _check_currency(self, problems: Problems) -> None:
        amounts = amounts_of(self.discounts, self.maximum, self.minimum)
        check_currency(self.currency, amounts, problems)

    def _check_base_fee(self, problems: Problems) -> None:
        if self.base_fee is not None:
            check_currency(self.currency, [(("base_fee",), self.base_fee)], problems)

    def _check_allowances(self, problems: Problems) -> None:
        for metric, allowance in self.allowances.items():
            amounts = [(at("allowances", metric, *path), m) for path, m in allowance.amounts()]
            check_currency(self.currency, amounts, problems)

    def _complete(self) -> None:
        compiled = compiled_plan(
            self.allowances, self.currency, self.rounding, has_rules=self.has_rules
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

    def _repr_html_(self) -> str:
        rows = [["metric", "included", "price"]]
        for metric, offer in self.allowances.items():
            included = "unlimited" if offer.included is None else plain_text(offer.included)
            price, *tiers = explain_price(offer.price).splitlines()
            rows.append([metric, included, price])
            others = [*tiers, rule_terms(_rules_of(offer, {"included", "price"}))]
            rows += [["", "", line] for line in others if line]
        if rules := rule_terms(_rules_of(self, {"slug", "currency", "allowances"})):
            rows.append(["all", "", rules])
        return html_table(rows, "lrl", f"Plan {self.slug}, {self.currency}")


def _rules_of(terms: Allowance | Plan, others: Set[str]) -> dict[str, object]:
    """Return the rules of some terms that are not at their default, by name."""
    rules = non_defaults(terms)
    return {name: rule for name, rule in rules.items() if name not in others}


def unknown_metric(field: Field, metric: str, plan: Plan) -> UnknownMetric:
    """Return the error for a metric that a plan has no allowance for."""
    named = ", ".join(islice(plan.allowances, _NAMED)) or "none"
    if len(plan.allowances) > _NAMED:
        named += f" and {len(plan.allowances) - _NAMED:,} more"
    named += did_you_mean(metric, plan.allowances)
    return UnknownMetric(
        field, metric, f"{metric!r} is not in plan {plan.slug!r}, whose metrics are: {named}"
    )


def rule_terms(rules: Mapping[str, object]) -> str:
    """Return rules by name as text.

    >>> rule_terms({"base_fee": Money(4900, "USD"), "increment": 10})
    'base fee: 49.00 USD, increment: 10'
    """
    return ", ".join(f"{name.replace('_', ' ')}: {_word(rule)}" for name, rule in rules.items())


def _word(rule: object) -> object:
    if isinstance(rule, Enum):
        return rule.value
    return rule if isinstance(rule, (str, Money)) else repr(rule)
