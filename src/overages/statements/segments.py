"""Segments: a billing period in which the plan, or its prices, change.

Each part has its plan, and the usage of that part; an event at the very instant of the change
belongs to the new one, as periods are half-open:

    before, after = month.split(change)
    usages = meter(events, period_at=lambda at: before if at in before else after)
    calculate_segments(zip([old, new], usages), month)
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from typing import Literal, TypeAlias

from overages._ground.parsing import choice_of, each, instance_of, parse_all, parse_flag, unpacked
from overages.amounts.exact import Quantity, add_up
from overages.errors import Field, InvalidValue, at
from overages.periods.period import Period
from overages.periods.timezones import parse_timezone
from overages.statements.calculation import Limits, calculate
from overages.statements.statement import Statement
from overages.terms.plan import Plan
from overages.usage.usage import Usage

Counters: TypeAlias = Literal["restart", "continue"]
"""Whether allowance and tiers begin anew at a change, or go on from the units before it."""


def calculate_segments(
    segments: Iterable[tuple[Plan, Usage]],
    billing_period: Period,
    *,
    counters: Counters = "restart",
    limits: Limits | None = None,
    timezone: str = "UTC",
    final: bool = True,
) -> tuple[Statement, ...]:
    """Return a statement for each part of a billing period, by the plan that it had.

    :param segments: (plan, usage), in order; each usage is of one org, and its period starts where
        the one before it ends.
    :param billing_period: the billing period; the segments are all of it, or a part.
    :param counters: ``"restart"``: each segment has its plan's allowance in proportion to its time
        (by the allowance's `proration`), and tiers begin anew. ``"continue"``: each is priced as if
        its plan had held from the start, less the earlier usage: the whole allowance less that,
        and tiers from there on.
    :param limits: see `calculate`; so `timezone` and `final`. Minimums and commitments are in
        proportion to time either way; maximums hold for each segment by itself.
    :returns: as many statements, each of the segment's period, to be recorded as any other.
    :raises InvalidValue: if the segments aren't of one org, don't follow each other, or aren't
        within the whole; and as `calculate` does.

    >>> from datetime import UTC, datetime
    >>> from overages import Allowance, PerUnit
    >>> month, change = Period.month(2024, 2), datetime(2024, 2, 20, tzinfo=UTC)
    >>> old = Plan("old", "USD", {"runs": Allowance(290, PerUnit("1.00"))})
    >>> new = Plan("new", "USD", {"runs": Allowance(580, PerUnit("0.50"))})
    >>> parts = [Usage("org-123", when, {"runs": 250}) for when in month.split(change)]
    >>> [str(s.total) for s in calculate_segments(zip([old, new], parts), month)]
    ['60.00 USD', '25.00 USD']
    >>> statements = calculate_segments(zip([old, new], parts), month, counters="continue")
    >>> [str(s.total) for s in statements]
    ['0.00 USD', '0.00 USD']
    """
    parts, billing_period, rule, zone, is_final = parse_all(
        (_segments, segments, "segments"),
        (instance_of(Period), billing_period, "billing_period"),
        (choice_of(Counters), counters, "counters"),
        (parse_timezone, timezone, "timezone"),
        (parse_flag, final, "final"),
    )
    statements = []
    before: dict[str, Quantity] = {}  # of metrics that were billed
    for plan, usage in parts:
        # None for a metric that no earlier plan had: a fee at quantity zero is then still due.
        used_before = {metric: before.get(metric) for metric in plan.allowances}
        statements.append(
            calculate(
                plan,
                usage,
                limits=limits,
                billing_period=billing_period,
                earlier=used_before if rule == "continue" else None,
                timezone=zone,
                final=is_final,
            )
        )
        for metric in plan.allowances:
            # An unused metric counts as billed too, at zero: its fee at zero is not due once more.
            before[metric] = add_up([before.get(metric, 0), usage.quantities.get(metric, 0)])
    return tuple(statements)


def _segments(value: object, field: Field) -> tuple[tuple[Plan, Usage], ...]:
    segments = each(_segment)(value, field)
    for i, ((_, before), (_, usage)) in enumerate(pairwise(segments), 1):
        if usage.org_id != before.org_id:
            problem = f"must be that of the others, {before.org_id!r}"
            raise InvalidValue(at(field, i, "org_id"), usage.org_id, problem)
        if usage.period.start != before.period.end:
            problem = f"must start where the one before it ends, {before.period}"
            raise InvalidValue(at(field, i, "period"), usage.period, problem)
    return segments


def _segment(value: object, field: Field) -> tuple[Plan, Usage]:
    plan, usage = unpacked(value, field, "plan", "usage")
    return instance_of(Plan)(plan, at(field, 0)), instance_of(Usage)(usage, at(field, 1))
