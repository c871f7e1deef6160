"""The calculation: from a plan and usage to a statement.

All are pure functions of values:

    statement = calculate(plan, usage, limits={"tokens": 600_000})
    for statement in calculate_many((plan, usage, None) for usage in usages): ...
    delta = charge_between(price, before=100, after=250)
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from overages._ground.frozen_dict import FrozenDict
from overages._ground.parsing import (
    Problems,
    an_iterable,
    instance_of,
    optional,
    parse_all,
    parse_flag,
)
from overages.amounts.exact import (
    LIMIT,
    Exact,
    Quantity,
    QuantityLike,
    number_from_ratio,
    optional_non_negative,
    parse_non_negative,
)
from overages.errors import Field, InvalidType, InvalidValue, OveragesError, at
from overages.lines.part import UNDIVIDED, TimeShares, division, undivided
from overages.periods.period import Period
from overages.periods.timezones import parse_timezone
from overages.prices.exact_cost import cost_between
from overages.prices.models import PriceModel, parse_price_model
from overages.statements.flat_lines import flat_lines
from overages.statements.rated_statement import statement_in_part
from overages.statements.statement import Statement, new_statement
from overages.terms.plan import Plan, unknown_metric
from overages.terms.terms import Limits, parse_own_limits
from overages.usage.usage import Usage

_DICTS: Final = (dict, FrozenDict)


def calculate(
    plan: Plan,
    usage: Usage,
    *,
    limits: Limits | None = None,
    billing_period: Period | None = None,
    timezone: str = "UTC",
    ended: bool = True,
) -> Statement:
    """Return the statement of a plan and usage: the cost of the units beyond its limits.

    For each of the plan's metrics, ``overage = max(0, used - limit)``, where the limit is the org's
    own if it has one, else the plan's included quantity. The price model gives the exact cost
    of the overage, and the plan's rounding the charge. Discounts, commitments, maximums and
    minimums of the plan add a line each (see `overages.lines.adjusting` for their order).

    All that depends on earlier periods (carry-over, an allowance for a cycle of its own, grants) is
    not known here: `settle` adds it.

    :param plan: the terms.
    :param usage: an org's quantities in a period; a metric of the plan that is not in it counts
        zero.
    :param limits: the org's own limits (soft limits) by metric, in units; None is unlimited.
    :param billing_period: the cycle's whole period, where the usage's is a part of it; None where
        it is whole. A flow then has its share of units, tiers and fees, a level its share of the
        charge, and all that is due once in a period is due for the share.
    :param timezone: IANA name of the timezone whose calendar days count in proration.
    :param ended: whether the period is over; until then, no true-up to a minimum or a commitment
        is due.
    :raises UnknownMetric: if usage or a limit names a metric that the plan doesn't know; nothing is
        priced silently at zero.
    :raises InvalidValue: if a limit is negative or badly written.

    >>> from overages import Allowance, PerUnit, Period
    >>> plan = Plan("starter", "USD", {"tokens": Allowance(500_000, PerUnit("0.0001"))})
    >>> usage = Usage("org-123", Period.month(2024, 2), {"tokens": 750_000})
    >>> print(calculate(plan, usage).total)
    25.00 USD
    >>> print(calculate(plan, usage, limits={"tokens": 600_000}).total)
    15.00 USD
    """
    try:
        if billing_period is None and ended is True and timezone == "UTC":
            return _statement(plan, usage, limits)
        return _statement_in_part(plan, usage, limits, billing_period, timezone, ended=ended)
    except OveragesError as error:
        raise of_bill(error, usage) from error.__cause__


def of_bill(error: OveragesError, usage: object) -> OveragesError:
    """Return an error with the org and period of the bill that it is of, if these are known."""
    if type(usage) is not Usage:
        return error
    return error.within(org_id=usage.org_id, period=usage.period)


def _statement_in_part(
    plan: Plan,
    usage: Usage,
    limits: Limits | None,
    billing_period: Period | None,
    timezone: str,
    *,
    ended: bool,
) -> Statement:
    period, zone, has_ended = parse_all(
        (optional(instance_of(Period)), billing_period, "billing_period"),
        (parse_timezone, timezone, "timezone"),
        (parse_flag, ended, "ended"),
    )
    instance_of(Plan)(plan, "plan")
    instance_of(Usage)(usage, "usage")
    own = _limits_beside(plan, usage, limits or {})
    refuse_unknown(plan, ("usage", "quantities"), usage.quantities)
    shares = TimeShares(usage.period)
    if period != usage.period and period is not None:
        shares = TimeShares(usage.period, period, zone)
    return statement_in_part(plan, usage, own, shares, has_ended=has_ended)


def calculate_many(
    inputs: Iterable[tuple[Plan, Usage, Limits | None]],
) -> Iterator[Statement]:
    """Yield the statement of each (plan, usage, limits), as `calculate` would return it.

    Any number of orgs and plans can be mixed; statements come one by one, in the order of the
    inputs, and nothing is kept.

    :raises OveragesError: when a faulty input is reached, as `calculate` would.
    """
    for case in an_iterable(inputs, "inputs"):
        try:
            plan, usage, limits = case
        except (TypeError, ValueError):
            raise InvalidValue("inputs", case, "must hold (plan, usage, limits) alone") from None
        try:
            statement = _statement(plan, usage, limits)
        except OveragesError as error:
            raise of_bill(error, usage) from error.__cause__
        yield statement


def charge_between(model: PriceModel, before: QuantityLike | None, after: QuantityLike) -> Exact:
    """Return the exact cost of a quantity going from `before` to `after`.

    It is ``cost(after) - cost(before)``, so any number of steps comes to the same as one. It is
    negative where units are given back, or where a volume price reaches a cheaper tier.

    :param before: units charged so far, zero or more; None where nothing was charged at all, not
        even a flat fee that is due at quantity zero.
    :param after: units now, zero or more.
    :returns: major currency units, unrounded.

    >>> from overages import PerUnit
    >>> charge_between(PerUnit("0.10"), before=100, after=250)
    Decimal('15')
    """
    parse_price_model(model, "model")
    start = optional_non_negative(before, "before")
    return number_from_ratio(*cost_between(model, start, parse_non_negative(after, "after")))


def nothing_charged(org_id: str, period: Period, plan: Plan) -> Statement:
    """Return the statement of a time that is no period of the org's any more: it has no line.

    Recorded, it takes back all that was charged for that time, fees and minimums too.

    :param plan: the one that the charge was by.
    """
    return new_statement(org_id, period, plan, (), (), 0, (), division((), undivided(period)))


def _statement(plan: Plan, usage: Usage, limits: Limits | None) -> Statement:
    """Return the statement of a whole period that nothing came before."""
    if type(plan) is not Plan:  # it is final
        raise InvalidType("plan", plan, "must be a Plan")
    if type(usage) is not Usage:
        raise InvalidType("usage", usage, "must be a Usage")
    own = _limits_beside(plan, usage, limits) if limits is not None else None
    compiled = plan.compiled
    if not compiled.is_flat or plan.rounding_scope != "line":
        refuse_unknown(plan, ("usage", "quantities"), usage.quantities)
        return statement_in_part(plan, usage, own or {}, undivided(usage.period))
    quantities = usage.quantities
    lines = compiled.lines if compiled.is_short else compiled.lines_of(quantities, own or ())
    rows, unused_rows, total, seen = flat_lines(plan, lines, quantities, own)
    if seen != len(quantities):
        refuse_unknown(plan, ("usage", "quantities"), quantities)
    return new_statement(
        usage.org_id, usage.period, plan, tuple(rows), unused_rows, total, (), UNDIVIDED
    )


def _limits_beside(plan: Plan, usage: Usage, limits: Limits) -> Mapping[str, Quantity | None]:
    """Return an org's own limits; refuse usage of unknown metrics together with such limits."""
    try:
        return own_limits(plan, limits)
    except OveragesError as error:
        problems = Problems()
        problems.attempt(refuse_unknown, plan, ("usage", "quantities"), usage.quantities)
        problems.add(error)
        raise problems.error() from None


def own_limits(plan: Plan, limits: Limits | None) -> Mapping[str, Quantity | None]:
    """Return limits that an org has in place of its plan's, checked; None is unlimited."""
    if limits is None:
        return {}
    if type(limits) in _DICTS and len(limits) == 1:  # as most orgs with a limit of their own have
        ((metric, limit),) = limits.items()
        if type(limit) is int and 0 <= limit < LIMIT and metric in plan.allowances:
            return {metric: limit}
    parsed = parse_own_limits(limits, "limits")
    refuse_unknown(plan, "limits", parsed)
    return parsed


def refuse_unknown(plan: Plan, field: Field, metrics: Iterable[str]) -> None:
    """Refuse metrics that a plan doesn't know."""
    unknown = [metric for metric in metrics if metric not in plan.allowances]
    if not unknown:
        return
    problems = Problems()
    for metric in unknown:
        problems.add(unknown_metric(at(field, metric), metric, plan))
    problems.raise_any()
