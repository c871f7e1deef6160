"""Accounts: which plan an org is on, when it is billed, and which limits of its own it has.

A limit of its own stands in place of what the plan includes:

    account = Account("org-123", plan="starter", limits={"tokens": 600_000})
    account.period_at(moment)                         # by its cycle: calendar months (UTC)
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Final, Literal, TypeAlias

from attrs import field, frozen

from overages._ground.names import parse_name
from overages._ground.parsing import instance_of, one_of, optional, parse_all
from overages.amounts.exact import Quantity, QuantityLike
from overages.periods.cycle import Cycle
from overages.periods.period import Period, parse_instant
from overages.usage.usage import parse_quantities

BillingStatus: TypeAlias = Literal["trial", "active", "past_due", "canceled"]
"""How an org stands with its host."""

_CALENDAR_MONTHS: Final = Cycle.monthly()


@frozen(init=False, repr=False, weakref_slot=False)
class Account:
    """An org's plan, its own limits, how it stands, and the cycle that it is billed by.

    :param org_id: the org.
    :param plan: the slug of its plan.
    :param limits: units by metric, zero or more, each in place of the plan's included quantity
        (soft limits).
    :param status: ``"trial"``, ``"active"``, ``"past_due"`` or ``"canceled"``. It changes nothing
        of what is owed: a canceled org's usage is priced as any other, for nothing is priced
        silently at zero. What follows from it is the host's to decide.
    :param cycle: what the org's periods are; calendar months in UTC without it.
    :param since: the instant from which it has its plan, timezone-aware; kept in UTC. What a plan
        carries over, or includes for longer than a period, is counted from the period that it lies
        in. None: from the org's first usage.
    :raises InvalidType: for a value of a wrong type.
    :raises InvalidValue: for a value that is not allowed; `InvalidValues` for several.

    >>> Account("org-123", "starter", {"tokens": 600_000}, status="trial")
    Account('org-123', 'starter', {'tokens': 600000}, status='trial')
    """

    org_id: str
    plan: str
    _limits: dict[str, Quantity] = field(hash=False)
    status: BillingStatus
    cycle: Cycle
    since: datetime | None

    def __init__(
        self,
        org_id: str,
        plan: str,
        limits: Mapping[str, QuantityLike] | None = None,
        *,
        status: BillingStatus = "active",
        cycle: Cycle | None = None,
        since: datetime | None = None,
    ) -> None:
        values = parse_all(
            (parse_name, org_id, "org_id"),
            (parse_name, plan, "plan"),
            (parse_quantities, {} if limits is None else limits, "limits"),
            (one_of("trial", "active", "past_due", "canceled"), status, "status"),
            (instance_of(Cycle), _CALENDAR_MONTHS if cycle is None else cycle, "cycle"),
            (optional(parse_instant), since, "since"),
        )
        self.__attrs_init__(*values)

    @property
    def limits(self) -> Mapping[str, Quantity]:
        """The org's own limits by metric; can be read only."""
        return MappingProxyType(self._limits)

    def period_at(self, moment: datetime) -> Period:
        """Return the org's period that an aware instant lies in.

        :raises InvalidValue: if that period isn't whole within the years 1 to 9999.
        """
        return self.cycle.period_at(moment)

    def has_plan_in(self, period: Period) -> bool:
        """Say whether the org had its plan in a period, or in a part of it."""
        return self.since is None or self.since < period.end

    def __repr__(self) -> str:
        status = "" if self.status == "active" else f", status={self.status!r}"
        cycle = "" if self.cycle == _CALENDAR_MONTHS else f", cycle={self.cycle!r}"
        since = "" if self.since is None else f", since={self.since!r}"
        return f"Account({self.org_id!r}, {self.plan!r}, {self._limits!r}{status}{cycle}{since})"
