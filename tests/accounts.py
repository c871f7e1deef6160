"""Accounts for tests, and how to settle, with one, a period of one plan."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from fractions import Fraction
from typing import Any, Final

import overages
from overages import Account, Balance, Cycle, Period, Plan, Settlement, Statement, Usage
from overages.amounts.exact import add_up
from overages.errors import OveragesError
from overages.lines.limits import LineContext
from overages.lines.part import StatementPart, TimeShares
from overages.lines.rating import unrounded_line
from overages.settlements.balance import EMPTY_BALANCE
from overages.statements.calculation import own_limits, refuse_unknown
from overages.statements.rated_statement import rated_lines, statement_of

_HOUR: Final = timedelta(hours=1)


def account_with(
    org_id: str, plan: str, period: Period, billing_period: Period | None = None, **terms: Any
) -> Account:
    """Return an account of which a period of whole hours is one, or a part of its cycle's."""
    whole = billing_period or period
    hours = (whole.end - whole.start) // _HOUR
    timezone = terms.pop("timezone", "UTC")
    cycle = Cycle(whole.start, hours, "hour", timezone)
    account = Account(org_id, plan, period.start, cycle=cycle, **terms)
    return account if period.end == whole.end else account.ended(at=period.end)


def settle(
    plan: Plan,
    usage: Usage,
    balance: Balance = EMPTY_BALANCE,
    *,
    limits: Mapping[str, Any] | None = None,
    billing_period: Period | None = None,
    timezone: str = "UTC",
    **named: Any,
) -> Settlement:
    """Settle a period in which an org is on one plan."""
    account = account_with(
        usage.org_id, plan.slug, usage.period, billing_period, limits=limits or {},
        timezone=timezone,
    )  # fmt: skip
    return overages.settle(account, {plan.slug: plan}, usage.period, usage, balance, **named)


def calculate_after(
    plan: Plan,
    usage: Usage,
    earlier: Mapping[str, Any],
    *,
    limits: Mapping[str, Any] | None = None,
    billing_period: Period | None = None,
    ended: bool = True,
) -> Statement:
    """Return the statement of usage whose counters go on from units that were used earlier."""
    refuse_unknown(plan, ("usage", "quantities"), usage.quantities)
    own = own_limits(plan, limits)
    whole = None if billing_period == usage.period else billing_period
    shares = TimeShares(usage.period, whole)
    lines = []
    for line in plan.compiled.lines:
        goes_on = line.metric in earlier
        quantities = dict(usage.quantities)
        bringing = line.allowance.included_per
        if goes_on and bringing is not None:
            before = earlier.get(bringing) or 0
            quantities[bringing] = add_up([before, quantities.get(bringing, 0)])
        share = shares.share(line.allowance)
        context = LineContext(
            share,
            Fraction(1) if goes_on else share,
            used_before=earlier.get(line.metric),
        )
        try:
            lines.append(unrounded_line(line, quantities, own, context))
        except OveragesError as error:
            raise error.within(line.metric) from error.__cause__
    parts = [StatementPart(usage.period, plan)]
    rated = rated_lines(parts, shares, lines, has_ended=ended)
    return statement_of(usage.org_id, parts, shares, rated)
