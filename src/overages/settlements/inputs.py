"""Inputs of a settlement: whether account, plans, usage and balance go together, and the parts.

Each is refused by name before anything is worked out:

    terms, agreed, usage = agreed_inputs(account, plans, period, usages, balance, events)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from datetime import datetime
from typing import Final, TypeAlias

from attrs import evolve

from overages._ground.names import parse_name
from overages._ground.parsing import Problems, each, instance_of, tuple_of
from overages.amounts.exact import Quantity, add_up
from overages.errors import (
    Field,
    InvalidType,
    InvalidValue,
    OveragesError,
    Path,
    UnknownPlan,
    did_you_mean,
)
from overages.lines.part import TimeShares, check_parts, new_part, undivided
from overages.periods.period import Period, format_instant
from overages.settlements.balance import Balance
from overages.statements.calculation import refuse_unknown
from overages.statements.spans import AgreedPart, PeriodUsage, new_agreed_part
from overages.terms.account import Account
from overages.terms.plan import Plan, unknown_metric
from overages.terms.terms import Terms
from overages.terms.timeline import AgreedTerms
from overages.usage.event import UsageEvent
from overages.usage.usage import Usage

Plans: TypeAlias = Mapping[str, Plan] | Callable[[Period, Terms], Plan]
"""Plans by slug, or a function that gives the plan of a part of a period and its terms."""


def is_empty(items: object) -> bool:
    """Tell whether an argument is a tuple or a list of nothing."""
    return type(items) in (tuple, list) and not items


def parse_plans(value: object, field: Field) -> Plans:
    """Parse plans by slug, or a function that gives them."""
    if type(value) is dict or callable(value) or isinstance(value, Mapping):
        return value
    raise InvalidType(field, value, "must be a mapping of slugs to plans, or a function")


def parse_usages(value: object, field: Field) -> tuple[Usage, ...]:
    """Parse one usage, or several."""
    return (value,) if isinstance(value, Usage) else _parse_each_usage(value, field)


_parse_each_usage: Final = tuple_of(Usage)
_parse_plan: Final = instance_of(Plan)
parse_names: Final = each(parse_name)
_NO_METRICS: Final = frozenset[str]()


def parts_agreed(terms: AgreedTerms, plans: Plans, period: Period) -> list[AgreedPart]:
    """Return the parts of a period, each with its plan and the org's own terms.

    Parts that differ in none of these (an org that is past due, say) are one.

    :raises UnknownPlan: if a plan is missing.
    :raises CurrencyMismatch: if the plans are in several currencies, or an amount of the org's own
        is in another than its plan's.
    """
    agreed: list[AgreedPart] = []
    for time, held, counters in terms.parts:
        plan = _plan_of(plans, time, held)
        part = new_part(time, plan, held.own)
        if agreed and agreed[-1].has_terms_of(part, held.limits):
            joined = Period(agreed[-1].part.period.start, time.end)
            agreed[-1] = evolve(agreed[-1], part=new_part(joined, plan, held.own))
        else:
            agreed.append(new_agreed_part(part, held.limits, counters))
    if len(agreed) > 1:
        problems = Problems()
        check_parts(period, [each.part for each in agreed], problems)
        problems.raise_any()
    return agreed


def _plan_of(plans: Plans, time: Period, terms: Terms) -> Plan:
    plan: Plan
    if callable(plans):
        plan = plans(time, terms)
    elif terms.plan in plans:
        plan = plans[terms.plan]
    else:
        named = ", ".join(plans) or "of which there is none"
        problem = f"must be one of these plans, {named}{did_you_mean(terms.plan, plans)}"
        raise UnknownPlan("plans", terms.plan, problem)
    if _parse_plan(plan, ("plans", terms.plan)).slug != terms.plan:
        path = ("plans", terms.plan, "slug")
        raise InvalidValue(path, plan.slug, "must be that of the terms that the plan is for")
    return plan


def time_shares(
    terms: AgreedTerms, period: Period, parts: int, span_of: Period | None = None
) -> TimeShares:
    """Return the shares of a period; where it is whole, its timezone doesn't matter.

    :param span_of: the org's own period, where it is a span of one.
    """
    if terms.cycle_period is None and parts == 1:
        return undivided(period)
    timezone = terms.parts[-1][1].cycle.timezone
    return TimeShares(period, terms.cycle_period, timezone, span_of)


def with_more(usage: Usage, more: Mapping[str, Quantity], at: datetime) -> Usage:
    """Return the usage of a time with units that were used at an instant, if that is in it."""
    if at not in usage.period:
        return usage
    added = {m: add_up([usage.quantities.get(m, 0), n]) for m, n in more.items()}
    return Usage(usage.org_id, usage.period, {**usage.quantities, **added})


def usage_of_period(org_id: str, period: Period, usages: Sequence[Usage]) -> PeriodUsage:
    """Return the usage of a period and of times within it.

    :raises InvalidValue: if it is another org's, or of another time, or twice of one, or if that of
        all of the period is missing.
    """
    if len(usages) == 1:
        (only,) = usages
        if only.org_id == org_id and (only.period is period or only.period == period):
            return PeriodUsage(only, {})
    problems = Problems()
    by_period: dict[Period, Usage] = {}
    for usage in usages:
        if usage.org_id != org_id:
            problems.add(_of_another(("usage", "org_id"), usage.org_id, org_id))
        if usage.period.start < period.start or period.end < usage.period.end:
            problem = f"must be of {period}, or of a part of it"
            problems.add(InvalidValue(("usage", "period"), str(usage.period), problem))
        if usage.period in by_period:  # added, it would be counted twice; else, one would be lost
            problems.add(InvalidValue(("usage", "period"), str(usage.period), "must come once"))
        by_period[usage.period] = usage
    of_all = by_period.pop(period, None)
    if of_all is None:
        times = [str(time) for time in by_period]
        problems.add(InvalidValue("usage", times, f"must be of {period}"))
    problems.raise_any()
    assert of_all is not None
    return PeriodUsage(of_all, by_period)


def refuse_unknown_metrics(
    agreed: Sequence[AgreedPart], usage: PeriodUsage, problems: Problems
) -> None:
    """Refuse own limits that a part's plan doesn't know, and usage that no part's plan knows.

    Usage that another part's plan knows is refused where it lies, for only then is its time known.
    """
    unknown: Set[str] = usage.metrics
    for agreed_part in agreed:
        plan, limits = agreed_part.part.plan, agreed_part.limits
        if limits:
            problems.attempt(refuse_unknown, plan, "limits", limits)
        metrics = plan.allowances.keys()
        unknown = _NO_METRICS if unknown <= metrics else unknown - metrics
    for metric in sorted(unknown) if unknown else ():
        path = ("usage", "quantities", metric)
        problems.add(unknown_metric(path, metric, agreed[-1].part.plan))


def agreed_inputs(
    account: Account,
    plans: Plans,
    period: Period,
    usages: Sequence[Usage],
    balance: Balance,
    events: Iterable[UsageEvent],
) -> tuple[AgreedTerms, list[AgreedPart], PeriodUsage]:
    """Return the terms of a period, its parts with their plans and own limits, and its usage.

    :raises OveragesError: if they don't go together; `InvalidValues` for several faults.
    """
    problems = Problems()
    terms = agreed = usage = None
    try:
        terms = account.agreed_in(period)
        agreed = parts_agreed(terms, plans, period)
    except OveragesError as error:
        problems.add(error)
    try:
        usage = usage_of_period(account.org_id, period, usages)
    except OveragesError as error:
        problems.add(error)
    check_follows(account.org_id, period, balance, events, problems)
    problems.raise_any()
    assert terms is not None
    assert agreed is not None
    assert usage is not None
    refuse_unknown_metrics(agreed, usage, problems)
    problems.raise_any()
    return terms, agreed, usage


def check_follows(
    org_id: str,
    period: Period,
    balance: Balance,
    events: Iterable[UsageEvent],
    problems: Problems,
) -> None:
    """Refuse a balance that a period doesn't go on from, and events of another org."""
    for i, event in enumerate(events):
        if event.org_id != org_id:
            problems.add(_of_another(("events", i, "org_id"), event.org_id, org_id))
    if balance.used or balance.covered:
        for name, counts in ("used", balance.used), ("covered", balance.covered):
            if counts and counts[0].org_id != org_id:
                problems.add(_of_another(("balance", name, 0, "org_id"), counts[0].org_id, org_id))
    end = period.start
    for carried in balance.carried.values():
        end = max(end, carried[-1].period.end)
    for burndown in balance.burndowns:
        end = max(end, burndown.at)
    if period.start < end:
        problem = f"must not start before the balance's periods end, {format_instant(end)}"
        problems.add(InvalidValue("period", str(period), problem))


def _of_another(path: Path, org_id: str, own: str) -> OveragesError:
    return InvalidValue(path, org_id, f"must be that of the account, {own!r}")
