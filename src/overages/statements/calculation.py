"""The calculation: from a plan and usage to a statement.

All are pure functions of values:

    statement = calculate(plan, usage, limits={"tokens": 600_000})
    for statement in calculate_many((plan, usage, None) for usage in usages): ...
    delta = charge_between(price, before=100, after=250)
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final, TypeAlias

from overages._ground.names import by_metric
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
    excess,
    number_from_ratio,
    optional_non_negative,
    parse_non_negative,
)
from overages.amounts.rounding import round_ratio, round_together
from overages.errors import Field, InvalidType, InvalidValue, OveragesError, at
from overages.periods.period import Period
from overages.periods.timezones import parse_timezone
from overages.prices.exact_cost import added_cost, cost_between
from overages.prices.models import PriceModel, parse_price_model
from overages.statements.limits import NO_CONTEXT, PartContext
from overages.statements.overage import LineNumbers
from overages.statements.rating import rate_lines
from overages.statements.statement import Statement, new_statement
from overages.terms.compiled import CompiledLine
from overages.terms.plan import Plan, unknown_metric
from overages.usage.usage import Usage

Limits: TypeAlias = Mapping[str, QuantityLike | None]
"""An org's own limits by metric, in place of those that its plan includes; None keeps these."""


def calculate(
    plan: Plan,
    usage: Usage,
    *,
    limits: Limits | None = None,
    billing_period: Period | None = None,
    earlier: Limits | None = None,
    timezone: str = "UTC",
    final: bool = True,
) -> Statement:
    """Return the statement of a plan and usage: the cost of the units beyond its limits.

    For each of the plan's metrics, ``overage = max(0, used - limit)``, where the limit is the org's
    own if it has one, else the plan's included quantity. The price model gives the exact cost
    of the overage, and the plan's rounding the charge. Discounts, commitments, maximums and
    minimums of the plan add a line each (see `overages.statements.adjusting` for their order).

    All that depends on earlier periods (carry-over, an allowance for a cycle of its own, grants) is
    not known here: `settle` adds it.

    :param plan: the terms.
    :param usage: an org's quantities in a period; a metric of the plan that is not in it counts
        zero.
    :param limits: the org's own limits (soft limits) by metric, in units.
    :param billing_period: the period that the usage's is a part of, so that limits, minimums and
        commitments are prorated; None where usage is of a whole one.
    :param earlier: units used earlier in the billing period, by metric: its allowance, less them,
        and the tiers of its price go on instead, and only the cost that this usage adds is charged.
        None for a metric of which nothing was billed yet, so that a fee at quantity zero is due.
        Where each line is rounded, the statements of the parts come to that of the whole, unless
        another metric brings the allowance (`included_per`; the earlier usage of that one brings
        units too, if it is named here): units that it brings later give back nothing that was
        charged. A percentage, a commitment, a maximum or a minimum is applied to this bill's own
        costs alone: where it is to hold for the whole period, record the period's statement anew
        instead.
    :param timezone: IANA name of the timezone whose calendar days count in proration.
    :param final: whether this is the period's last bill; on others, no true-up to a minimum or a
        commitment is due.
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
        # Most calls: a whole period that nothing came before needs no context.
        if billing_period is None and earlier is None and final is True:
            if timezone != "UTC":
                parse_timezone(timezone, "timezone")
            return _statement(plan, usage, limits)
        instance_of(Plan)(plan, "plan")
        instance_of(Usage)(usage, "usage")
        problems = Problems()
        problems.attempt(refuse_unknown, plan, ("usage", "quantities"), usage.quantities)
        own = problems.attempt(own_limits, plan, limits)
        context = problems.attempt(
            context_of, plan, billing_period, earlier, timezone=timezone, final=final
        )
        problems.raise_any()
        return statement_of(plan, usage, own, context)
    except OveragesError as error:
        raise of_bill(error, usage) from error.__cause__


def of_bill(error: OveragesError, usage: object) -> OveragesError:
    """Say whose bill an error is of, and for when, if the usage is known."""
    if type(usage) is not Usage:
        return error
    return error.within(org_id=usage.org_id, period=usage.period)


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


def context_of(
    plan: Plan,
    billing_period: Period | None,
    used_before: Limits | None,
    *,
    timezone: str,
    final: bool,
) -> PartContext:
    """Return the context of a part of a period that `calculate` is told."""
    period, units, zone, is_last_bill = parse_all(
        (optional(instance_of(Period)), billing_period, "billing_period"),
        (optional(_parse_limits), used_before, "earlier"),
        (parse_timezone, timezone, "timezone"),
        (parse_flag, final, "final"),
    )
    refuse_unknown(plan, "earlier", units or ())
    return PartContext(
        billing_period=period, timezone=zone, used_before=units or {}, is_last_bill=is_last_bill
    )


def statement_of(
    plan: Plan, usage: Usage, own: Mapping[str, Quantity], context: PartContext
) -> Statement:
    """Return the statement of a period of which more is known; all of it was checked.

    :param own: the org's own limits, of metrics of the plan.
    """
    if plan.compiled.is_flat and context.is_empty:
        return _statement(plan, usage, own)
    rows, unused_rows, adjustments = rate_lines(plan, usage, own, context)
    total = sum(minor for _, _, _, _, minor, _, _ in rows)
    total += sum(line.cost.minor for line in adjustments)
    return new_statement(usage.org_id, usage.period, plan, rows, unused_rows, total, adjustments)


def _statement(plan: Plan, usage: Usage, limits: Limits | None) -> Statement:
    """Return the statement of a whole period that nothing came before.

    This is the one measured loop, and the reason for all that is unusual here: lines are plain
    tuples, a line that is linear is priced by one division, `type` is asked before anything else.
    """
    if type(plan) is not Plan:  # it is final
        raise InvalidType("plan", plan, "must be a Plan")
    if type(usage) is not Usage:
        raise InvalidType("usage", usage, "must be a Usage")
    own = _limits_beside(plan, usage, limits) if limits is not None else None
    compiled = plan.compiled
    if not compiled.is_flat:
        refuse_unknown(plan, ("usage", "quantities"), usage.quantities)
        return statement_of(plan, usage, own or {}, NO_CONTEXT)
    quantities = usage.quantities
    lines = compiled.lines if compiled.is_short else compiled.lines_of(quantities, own or ())
    over: Quantity
    rows: list[LineNumbers] = []
    unused_rows: tuple[LineNumbers, ...] = ()
    total = metrics_seen = 0
    for line in lines:
        used = quantities.get(line.metric)
        if used is None:
            used = 0
        else:
            metrics_seen += 1
        included, factor = line.included, line.factor
        limit = included if own is None else own.get(line.metric, included)
        if factor is not None and type(used) is int and type(limit) is int:
            over = used - limit if used > limit else 0
            # over x price, to minor units and rounded, by one division: see `floor_form`.
            cost = minor = (over * factor + line.bias) // line.divisor
        else:
            over, cost, minor = _priced_over(plan, line, used, limit)
        if used or cost:  # a fee without units can be less than a minor unit
            rows.append((line, used, limit, over, minor, None, ()))
            total += minor
        # Nothing used and nothing due, but a limit that the plan alone doesn't tell.
        elif limit != included:
            unused_rows += ((line, 0, limit, 0, 0, None, ()),)
    # A count is enough: usage of an unknown metric must be an error, never a silent zero.
    if metrics_seen != len(quantities):
        refuse_unknown(plan, ("usage", "quantities"), quantities)
    if plan.rounding_scope == "total":
        # One by one, three lines of 0.004 are 0.00; together they are 0.01, which one of them has.
        rows = _rounded_together(plan, rows)
        total = sum(minor for _, _, _, _, minor, _, _ in rows)
    return new_statement(usage.org_id, usage.period, plan, tuple(rows), unused_rows, total, ())


def _limits_beside(plan: Plan, usage: Usage, limits: Limits) -> dict[str, Quantity]:
    """Return an org's own limits; refuse usage of unknown metrics together with such limits."""
    try:
        return own_limits(plan, limits)
    except OveragesError as error:
        problems = Problems()
        problems.attempt(refuse_unknown, plan, ("usage", "quantities"), usage.quantities)
        problems.add(error)
        raise problems.error() from None


def _priced_over(
    plan: Plan, line: CompiledLine, used: Quantity, limit: Quantity | None
) -> tuple[Quantity, int, int]:
    """Return the units over a limit, the numerator of their exact cost, and the rounded cost."""
    over = excess(used, limit)
    try:
        cost, denominator = added_cost(line.allowance.price, None, over)
    except OveragesError as error:
        raise error.within(line.metric) from error.__cause__
    return over, cost, round_ratio(cost * 10**plan.currency.exponent, denominator, plan.rounding)


def _rounded_together(plan: Plan, rows: list[LineNumbers]) -> list[LineNumbers]:
    """Return the lines with costs that add up to their exact total, rounded once."""
    minor_units = 10**plan.currency.exponent
    ratios = []
    for line, _, _, over, _, _, _ in rows:
        cost, denominator = added_cost(line.allowance.price, None, over)
        ratios.append((cost * minor_units, denominator))
    costs = round_together(ratios, plan.rounding)
    return [
        (line, used, limit, over, minor, before, parts)
        for (line, used, limit, over, _, before, parts), minor in zip(rows, costs, strict=True)
    ]


def own_limits(plan: Plan, limits: Limits | None) -> dict[str, Quantity]:
    """Return limits that an org has in place of its plan's, checked."""
    if limits is None:
        return {}
    if type(limits) is dict and len(limits) == 1:  # as most orgs with a limit of their own have
        ((metric, limit),) = limits.items()
        if type(limit) is int and 0 <= limit < LIMIT and metric in plan.allowances:
            return {metric: limit}
    parsed = _parse_limits(limits, "limits")
    refuse_unknown(plan, "limits", parsed)
    return {metric: limit for metric, limit in parsed.items() if limit is not None}


_parse_limits: Final = by_metric(optional_non_negative, "metrics to quantities")


def refuse_unknown(plan: Plan, field: Field, metrics: Iterable[str]) -> None:
    """Refuse metrics that a plan doesn't know."""
    problems = Problems()
    for metric in metrics:
        if metric not in plan.allowances:
            problems.add(unknown_metric(at(field, metric), metric, plan))
    problems.raise_any()
