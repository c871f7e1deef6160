"""Terms: what an org has agreed to, from an instant on until other terms hold.

terms = account.at(instant)                       # or None: no terms hold then
terms.plan, terms.limits, terms.cycle
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal, TypeAlias

from overages._ground.frozen_dict import FrozenDict
from overages._ground.names import by_metric, parse_name
from overages._ground.parsing import choice_of, instance_of, optional
from overages._ground.trusted import trusted
from overages._ground.value import term, value
from overages.amounts.exact import Quantity, QuantityLike, optional_non_negative, parse_ordinal
from overages.periods.cycle import Cycle

BillingStatus: TypeAlias = Literal["trial", "active", "past_due", "canceled"]
"""The standing of an org with its host."""

Limits: TypeAlias = Mapping[str, QuantityLike | None]
"""An org's own limits by metric, in place of what its plan includes; None is unlimited."""

MONTHS: Final = Cycle.monthly()
NO_LIMITS: Final[Limits] = FrozenDict()

parse_own_limits: Final = by_metric(optional_non_negative, "metrics to quantities")
parse_version: Final = optional(parse_ordinal)


@value
class Terms:
    """A plan, the limits of the org's own, its cycle, and how it stands.

    :param plan: the slug of its plan.
    :param limits: units by metric, zero or more, each in place of the plan's included quantity
        (soft limits); None is unlimited.
    :param cycle: what the org's periods are; calendar months in UTC without it.
    :param status: ``"trial"``, ``"active"``, ``"past_due"`` or ``"canceled"``. It changes nothing
        of what is owed: what follows from it is the host's to decide.
    :param plan_version: the version of the plan that the org stays on, from 1; None for the one
        that is in force at the start of each period.
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

    def __init__(
        self,
        plan: str,
        limits: Limits = NO_LIMITS,
        cycle: Cycle = MONTHS,
        *,
        status: BillingStatus = "active",
        plan_version: int | None = None,
    ) -> None: ...


new_terms: Final = trusted(Terms)
"""Make terms of others and of an entry that is laid over them."""
