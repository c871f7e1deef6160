"""Settled periods for tests: an org's months, one after another, and how to read them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import overages
from overages import (
    Account,
    Allowance,
    Balance,
    CarryOver,
    Cycle,
    Grant,
    Period,
    PerUnit,
    Plan,
    Settlement,
    Usage,
    UsageEvent,
)
from tests.accounts import settle

JAN, FEB, MAR = (Period.month(2024, n) for n in (1, 2, 3))
YEAR = Cycle.calendar("year")
DOLLAR = PerUnit(1)
PLAIN = Plan("plain", "USD", {"runs": Allowance(10, DOLLAR)})
YEARLY = Plan("yearly", "USD", {"runs": Allowance(100, DOLLAR, included_for=YEAR)})
ROLLING = Plan("rolling", "USD", {"runs": Allowance(100, DOLLAR, carry_over=CarryOver())})
PACK = Grant("pack", 30, metric="runs", effective_at=JAN.start)


def runs(used: Any, period: Period = JAN, org_id: str = "org-1") -> Usage:
    return Usage(org_id, period, {"runs": used})


def ran(quantity: int, day: int, period: Period = JAN, **named: Any) -> UsageEvent:
    at = period.start + timedelta(days=day - 1)
    return UsageEvent("org-1", "runs", quantity, at, **named)


def settled(plan: Plan, *used: Any, **named: Any) -> list[Settlement]:
    """Settle so many months, one after another."""
    found: list[Settlement] = []
    for n, quantity in enumerate(used, 1):
        left = found[-1].balance if found else Balance()
        found.append(settle(plan, runs(quantity, Period.month(2024, n)), left, **named))
    return found


def parts(settlement: Settlement, metric: str = "runs") -> list[tuple[str, Any]]:
    return [(p.explain(), p.quantity) for p in settlement.statement[metric].limit_parts]


def totals(found: list[Settlement]) -> list[int]:
    return [settlement.statement.total.minor for settlement in found]


def day(number: int, month: Period = MAR) -> datetime:
    return month.start + timedelta(days=number - 1)


def in_parts(
    plans: Mapping[int, Plan],
    used: Mapping[str, Sequence[Any]],
    *,
    counters: Sequence[Any] = ("restart", "restart"),
    held: Mapping[str, Any] | None = None,
    **named: Any,
) -> Settlement:
    """Settle March, with another plan from each of some days on.

    :param plans: by the day from which each holds; the first holds from the year's start.
    :param used: by metric, the units of each part.
    :param held: by metric, the units of all of March, where these aren't the sum of the parts'.
    """
    first, *others = plans.values()
    account = Account("org-1", first.slug, since=JAN.start)
    for number, plan, count in zip(list(plans)[1:], others, counters, strict=False):
        account = account.changed(since=day(number), plan=plan.slug, counters=count)
    sums = {metric: sum(units) for metric, units in used.items()} | dict(held or {})
    usages = [Usage("org-1", MAR, sums)]
    for i, part in enumerate(MAR.split(*map(day, list(plans)[1:]))):
        usages.append(Usage("org-1", part, {metric: units[i] for metric, units in used.items()}))
    by_slug = {plan.slug: plan for plan in plans.values()}
    return overages.settle(account, by_slug, MAR, usages, **named)


def lines(settlement: Settlement, metric: str = "runs") -> list[tuple[Any, Any, int]]:
    """Return used units, the limit and the cost in minor units of each line of a metric."""
    of = settlement.statement.of(metric)
    return [(line.used, line.limit, line.cost.minor) for line in of]
