"""The calculation: from a plan and what was used to a statement.

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
from overages.prices.models import PriceModel, parse_price_model
from overages.statements.rating import USUAL, Circumstances, cost_of, rate
from overages.statements.statement import Row, Statement, new_statement, unknown_metric
from overages.terms.plan import Plan
from overages.usage.usage import Usage

Limits: TypeAlias = Mapping[str, QuantityLike | None]
"""An org's own limits by metric, in place of what its plan includes; None keeps the plan's."""


def calculate(
    plan: Plan,
    usage: Usage,
    *,
    limits: Limits | None = None,
    whole: Period | None = None,
    earlier: Limits | None = None,
    timezone: str = "UTC",
    final: bool = True,
) -> Statement:
    """Return the statement of what `usage` costs beyond what `plan` includes.

    For each of the plan's metrics, ``overage = max(0, used - limit)``, where the limit is the org's
    own if it has one, else the plan's included quantity. The price model says what the overage
    costs exactly, and the plan's rounding what is charged. Discounts, commitments, maximums and
    minimums of the plan add a line each (see `overages.statements.adjusting` for their order).

    What depends on earlier periods (carry-over, an allowance for a cycle of its own, grants) is not
    known here: `settle` adds it.

    :param plan: the terms.
    :param usage: what an org used in a period; a metric of the plan that is not in it counts zero.
    :param limits: the org's own limits (soft limits) by metric, in units.
    :param whole: the billing period that the usage's period is a part of, so that limits, minimums
        and commitments are prorated; None where it is a whole one.
    :param earlier: units used earlier in the billing period, by metric: its allowance, less them,
        and the tiers of its price go on instead, and only what this usage adds is charged. None
        for a metric of which nothing was billed yet, so that a fee at quantity zero is due. Where
        each line is rounded, the statements of the parts come to that of the whole, unless another
        metric brings the allowance (`included_per`; what was used earlier of that one brings units
        too, if it is named here): what it brings later gives back nothing that was charged. A
        percentage, a commitment, a maximum or a minimum is applied to what this bill adds alone:
        where it is to hold for the whole period, record the period's statement anew instead.
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
    if whole is None and earlier is None and final is True:
        if timezone != "UTC":
            parse_timezone(timezone, "timezone")
        return _statement(plan, usage, limits)
    instance_of(Plan)(plan, "plan")
    instance_of(Usage)(usage, "usage")
    refuse_unknown(plan, ("usage", "quantities"), usage.quantities)
    known = circumstances_of(plan, whole, earlier, timezone=timezone, final=final)
    return statement_of(plan, usage, own_limits(plan, limits), known)


def calculate_many(
    inputs: Iterable[tuple[Plan, Usage, Limits | None]],
) -> Iterator[Statement]:
    """Yield the statement of each (plan, usage, limits), as `calculate` would return it.

    Any number of orgs and plans can be mixed; statements come one by one, in the order of the
    inputs, and nothing is kept.

    :raises OveragesError: when a faulty input is reached, as `calculate` would.
    """
    for given in an_iterable(inputs, "inputs"):
        try:
            plan, usage, limits = given
        except (TypeError, ValueError):
            raise InvalidValue("inputs", given, "must hold (plan, usage, limits) alone") from None
        yield _statement(plan, usage, limits)


def charge_between(model: PriceModel, before: QuantityLike | None, after: QuantityLike) -> Exact:
    """Return what it costs, exactly, that a quantity went from `before` to `after`.

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
    due, due_parts = cost_of(model, parse_non_negative(after, "after"))
    paid, paid_parts = (0, 1) if start is None else cost_of(model, start)
    return number_from_ratio(due * paid_parts - paid * due_parts, due_parts * paid_parts)


def circumstances_of(
    plan: Plan,
    whole: Period | None,
    earlier: Limits | None,
    *,
    timezone: str,
    final: bool,
) -> Circumstances:
    """Return what is known of a period, as `calculate` is told it."""
    part_of, before, zone, is_final = parse_all(
        (optional(instance_of(Period)), whole, "whole"),
        (optional(_parse_limits), earlier, "earlier"),
        (parse_timezone, timezone, "timezone"),
        (parse_flag, final, "final"),
    )
    refuse_unknown(plan, "earlier", before or ())
    return Circumstances(whole=part_of, timezone=zone, earlier=before or {}, final=is_final)


def statement_of(
    plan: Plan, usage: Usage, own: Mapping[str, Quantity], circumstances: Circumstances
) -> Statement:
    """Return the statement of a period of which more is known; all of it was checked.

    :param own: the org's own limits, of metrics of the plan.
    """
    rows, details, adjustments = rate(plan, usage, own, circumstances)
    total = sum(row[3] for row in rows) + sum(line.cost.minor for line in adjustments)
    return new_statement(usage.org_id, usage.period, plan, rows, total, adjustments, details)


def _statement(plan: Plan, usage: Usage, limits: Limits | None) -> Statement:
    if not isinstance(plan, Plan):
        raise InvalidType("plan", plan, "must be a Plan")
    if not isinstance(usage, Usage):
        raise InvalidType("usage", usage, "must be a Usage")
    own = own_limits(plan, limits) if limits is not None else None
    if not plan.plain:
        refuse_unknown(plan, ("usage", "quantities"), usage.quantities)
        return statement_of(plan, usage, own or {}, USUAL)
    quantities = usage.quantities
    rows: list[Row] = []
    total = known = 0
    for metric, included, price, factor, bias, divisor in plan.rates:
        used = quantities.get(metric)
        if used is None:
            used = 0
        else:
            known += 1
        limit = included if own is None or metric not in own else own[metric]
        if factor is not None and type(used) is int and type(limit) is int:
            over = used - limit if used > limit else 0
            minor = (over * factor + bias) // divisor
            rows.append((used, limit, over, minor))
        else:
            part = excess(used, limit)
            try:
                cost, parts = cost_of(price, part)
            except OveragesError as error:
                raise error.within(metric) from None
            minor = round_ratio(cost * 10**plan.currency.exponent, parts, plan.rounding)
            rows.append((used, limit, part, minor))
        total += minor
    if known != len(quantities):
        refuse_unknown(plan, ("usage", "quantities"), quantities)
    if plan.rounding_scope == "total":
        rows = _rounded_together(plan, rows)
        total = sum(row[3] for row in rows)
    return new_statement(usage.org_id, usage.period, plan, tuple(rows), total, (), ())


def _rounded_together(plan: Plan, rows: list[Row]) -> list[Row]:
    """Return the rows with costs that add up to their exact total, rounded once."""
    ratios = [
        cost_of(price, over)
        for (_, _, price, *_), (_, _, over, _) in zip(plan.rates, rows, strict=True)
    ]
    minor_units = 10**plan.currency.exponent
    costs = round_together([(cost * minor_units, parts) for cost, parts in ratios], plan.rounding)
    return [(*row[:3], minor) for row, minor in zip(rows, costs, strict=True)]


def own_limits(plan: Plan, limits: Limits | None) -> dict[str, Quantity]:
    """Return limits that an org has in place of its plan's, checked."""
    if limits is None:
        return {}
    if type(limits) is dict and len(limits) == 1:  # what most orgs with a limit of their own have
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
