"""Terms: what an org has agreed to, from an instant on until other terms hold.

terms = account.at(instant)                       # or None: no terms hold then
terms.plan, terms.limits, terms.cycle
terms.own                                         # all that changes the total of a bill

A plan is for many orgs. One of them was promised 10 % off, at least 500.00 a month, and its first
half month for nothing. Such terms of its own change the total of a statement after all rules of the
plan did, and before credits; a trial takes off what its lines cost before any other rule.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final, Literal, TypeAlias

from overages._ground.frozen_dict import FrozenDict
from overages._ground.names import by_metric, parse_name
from overages._ground.parsing import Problems, choice_of, instance_of, optional, parse_flag
from overages._ground.trusted import trusted
from overages._ground.value import derived, term, value
from overages.amounts.exact import Quantity, QuantityLike, optional_non_negative, parse_ordinal
from overages.amounts.money import Money, optional_non_negative_money
from overages.errors import Field, Path
from overages.periods.cycle import Cycle
from overages.terms.allowance import amounts_of, check_bounds
from overages.terms.discount import Discount, discounts_of_money

BillingStatus: TypeAlias = Literal["trial", "active", "past_due", "canceled"]
"""The standing of an org with its host."""

Limits: TypeAlias = Mapping[str, QuantityLike | None]
"""An org's own limits by metric, in place of what its plan includes; None is unlimited."""

MONTHS: Final = Cycle.monthly()
NO_LIMITS: Final[Limits] = FrozenDict()

_limits_by_metric: Final = by_metric(optional_non_negative, "metrics to quantities")
parse_version: Final = optional(parse_ordinal)


def parse_own_limits(value: object, field: Field) -> FrozenDict[str, Quantity | None]:
    """Parse an org's own limits, and sort them by metric: in any order, they are the same."""
    return FrozenDict(sorted(_limits_by_metric(value, field).items()))


@value
class OwnTerms:
    """The terms of an org's own that change the total of its bill, for a time.

    :param discounts: percentages and amounts off all lines together, after the plan's rules.
    :param maximum: the most that all of them cost in a period.
    :param minimum: the least that they cost.
    :param trial: whether all that is used is taken off again: such time counts towards no minimum
        or commitment, and draws no grant.
    :raises InvalidValue: for a value that is not allowed; `InvalidValues` for several.

    >>> OwnTerms([Discount("partner", percent=10)], minimum=Money.of("500", "USD")).trial
    False
    """

    discounts: tuple[Discount, ...] = term(discounts_of_money)
    maximum: Money | None = term(optional_non_negative_money)
    minimum: Money | None = term(optional_non_negative_money)
    trial: bool = term(parse_flag)

    def __init__(
        self,
        discounts: Iterable[Discount] = (),
        maximum: Money | None = None,
        minimum: Money | None = None,
        *,
        trial: bool = False,
    ) -> None: ...

    def _check_bounds(self, problems: Problems) -> None:
        check_bounds(self.maximum, self.minimum, problems)

    @property
    def has_rules(self) -> bool:
        """Whether there are discounts, a maximum or a minimum."""
        return bool(self.discounts) or self.maximum is not None or self.minimum is not None

    def amounts(self) -> Iterator[tuple[Path, Money]]:
        """Yield the amounts of money that they name, with the way to each."""
        return amounts_of(self.discounts, self.maximum, self.minimum)


NO_OWN_TERMS: Final = OwnTerms()
"""Those of an org that has none."""


@value
class Terms:
    """A plan, the terms of the org's own, its cycle, and how it stands.

    :param plan: the slug of its plan.
    :param limits: units by metric, zero or more, each in place of the plan's included quantity
        (soft limits); None is unlimited.
    :param cycle: what the org's periods are; calendar months in UTC without it.
    :param status: ``"trial"``: a line takes off again all that is used, and the time counts towards
        no minimum or commitment and draws no grant; ``"active"``, ``"past_due"`` or ``"canceled"``,
        which change nothing of what is owed: what follows from them is the host's to decide.
    :param plan_version: the version of the plan that the org stays on, from 1; None for the one
        that is in force at the start of each period.
    :param discounts: percentages and amounts off the org's bill, after all rules of its plan.
    :param maximum: the most that it owes for a whole period, in the plan's currency.
    :param minimum: the least that it owes.
    :raises InvalidType: for a value of a wrong type.
    :raises InvalidValue: for a value that is not allowed; `InvalidValues` for several.

    >>> Terms("starter", {"tokens": 600_000, "seats": None})
    Terms(plan='starter', limits={'seats': None, 'tokens': 600000})
    """

    plan: str = term(parse_name)
    limits: Mapping[str, Quantity | None] = term(parse_own_limits)
    cycle: Cycle = term(instance_of(Cycle))
    status: BillingStatus = term(choice_of(BillingStatus))
    plan_version: int | None = term(parse_version)
    discounts: tuple[Discount, ...] = term(discounts_of_money)
    maximum: Money | None = term(optional_non_negative_money)
    minimum: Money | None = term(optional_non_negative_money)
    own: OwnTerms = derived()
    """Those that change the total of a bill; `NO_OWN_TERMS` itself where none does."""

    def __init__(
        self,
        plan: str,
        limits: Limits = NO_LIMITS,
        cycle: Cycle = MONTHS,
        *,
        status: BillingStatus = "active",
        plan_version: int | None = None,
        discounts: Iterable[Discount] = (),
        maximum: Money | None = None,
        minimum: Money | None = None,
    ) -> None: ...

    def _check_bounds(self, problems: Problems) -> None:
        check_bounds(self.maximum, self.minimum, problems)

    def _complete(self) -> None:
        own = own_terms(self.discounts, self.maximum, self.minimum, self.status)
        object.__setattr__(self, "own", own)


def own_terms(
    discounts: tuple[Discount, ...],
    maximum: Money | None,
    minimum: Money | None,
    status: BillingStatus,
) -> OwnTerms:
    """Return the part of terms that is the org's own; most have none, and share one object."""
    own = OwnTerms(discounts, maximum, minimum, trial=status == "trial")
    return NO_OWN_TERMS if own == NO_OWN_TERMS else own


new_terms: Final = trusted(Terms)
"""Make terms of others and of an entry that is laid over them."""
