"""Accounts: which plan an org is on, when it is billed, and which limits of its own it has.

A limit of its own stands in place of the plan's included quantity:

    account = Account("org-123", plan="starter", limits={"tokens": 600_000})
    account.period_at(moment)                         # by its cycle: calendar months (UTC)
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final, Literal, TypeAlias

from overages._ground.frozen_dict import FrozenDict
from overages._ground.names import parse_name
from overages._ground.parsing import choice_of, instance_of, optional
from overages._ground.value import term, value
from overages.amounts.exact import Quantity, QuantityLike
from overages.errors import Field
from overages.periods.cycle import Cycle
from overages.periods.period import Period, parse_instant
from overages.usage.usage import parse_quantities

BillingStatus: TypeAlias = Literal["trial", "active", "past_due", "canceled"]
"""The standing of an org with its host."""

_CALENDAR_MONTHS: Final = Cycle.monthly()


def _parse_own_limits(value: object, field: Field) -> FrozenDict[str, Quantity]:
    return parse_quantities({} if value is None else value, field)


@value
class Account:
    """An org's plan, its own limits, how it stands, and the cycle that it is billed by.

    :param org_id: the org.
    :param plan: the slug of its plan.
    :param limits: units by metric, zero or more, each in place of the plan's included quantity
        (soft limits).
    :param status: ``"trial"``, ``"active"``, ``"past_due"`` or ``"canceled"``. It changes nothing
        in the bill: a canceled org's usage is priced as any other, for nothing is priced silently
        at zero. Any other consequence is the host's to decide.
    :param cycle: the rule of the org's periods; calendar months in UTC without it.
    :param since: the instant from which it has its plan, timezone-aware; kept in UTC. Units that a
        plan carries over, or includes for longer than a period, are counted from the period that it
        lies in. None: from the org's first usage.
    :raises InvalidType: for a value of a wrong type.
    :raises InvalidValue: for a value that is not allowed; `InvalidValues` for several.

    >>> Account("org-123", "starter", {"tokens": 600_000}, status="trial")
    Account(org_id='org-123', plan='starter', limits={'tokens': 600000}, status='trial')
    """

    org_id: str = term(parse_name)
    plan: str = term(parse_name)
    limits: Mapping[str, Quantity] = term(_parse_own_limits)
    status: BillingStatus = term(choice_of(BillingStatus))
    cycle: Cycle = term(optional(instance_of(Cycle)), otherwise=lambda _: _CALENDAR_MONTHS)
    since: datetime | None = term(optional(parse_instant))

    def __init__(
        self,
        org_id: str,
        plan: str,
        limits: Mapping[str, QuantityLike] | None = None,
        *,
        status: BillingStatus = "active",
        cycle: Cycle | None = None,
        since: datetime | None = None,
    ) -> None: ...

    def period_at(self, moment: datetime) -> Period:
        """Return the org's period that an aware instant lies in.

        :raises InvalidValue: if that period isn't whole within the years 1 to 9999.
        """
        return self.cycle.period_at(moment)

    def has_plan_in(self, period: Period) -> bool:
        """Tell whether the org had its plan in a period, or in a part of it."""
        return self.since is None or self.since < period.end
