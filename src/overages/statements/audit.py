"""Audit: whether the lines of a statement follow from its plan.

A statement that comes from outside, as JSON or from a host, may say 0.01 where the tiers come to
100.00. Its own contents are enough to work nearly all of it out again, by the functions that made
it:

- the exact cost of a line, and with the lines together the rounded one, by the plan's rounding;
- that a metric which costs something unused isn't left out;
- percentages and amounts off, and maximums, of each metric and of all of them: the amount of each,
  the amount it is taken from, and that none is left out;
- that adjustments stand in the order in which rules are applied.

Facts from outside the plan and the lines can only be bounded:

- a limit: an org may have any of its own, and be granted any number of units, or carry and borrow
  any where the plan carries over. Its parts sum to it, the units that discounts make free are the
  plan's, and the plan includes at most its own number; it is None only where the plan includes
  without end.
- a commitment and a minimum: the share of the billing period, from none to all of it, isn't known,
  nor whether the bill is the period's last, on which true-ups are due. So a true-up may be left
  out, and raises to no more than the whole spend agreed to; a premium is due on the spend beyond
  all of it.
- a credit: the balance of a grant isn't known. It takes its own amount, exactly, from the total
  before it.

Used units are the org's to report, and units charged before are those of its earlier bills.
"""

from __future__ import annotations

from collections.abc import Sequence, Set
from itertools import chain, pairwise

from overages._ground.parsing import Problems
from overages.amounts.exact import number_text
from overages.amounts.money import Money
from overages.errors import CurrencyMismatch, InvalidValue, Path, at
from overages.prices.exact_cost import added_cost
from overages.statements.adjustment import Adjustment
from overages.statements.limit_part import LimitPart
from overages.statements.limits import free_parts
from overages.statements.overage import Overage
from overages.statements.rating import UnroundedLine, priced_line, rounded_costs
from overages.statements.rule_audit import audit_adjustments
from overages.terms.allowance import Allowance
from overages.terms.plan import Plan, unknown_metric


def audit(
    plan: Plan,
    overages: Sequence[Overage],
    unused: Sequence[Overage],
    adjustments: Sequence[Adjustment],
) -> None:
    """Refuse lines that do not follow from a plan.

    :param overages: of metrics that were used or cost something; others may be among them.
    :param unused: of metrics that neither were nor do.
    :raises InvalidValue: for a line that isn't; `InvalidValues` for several.
    """
    problems = Problems()
    for field, lines in ("lines", overages), ("unused", unused):
        for line in lines:
            problems.attempt(_check_terms, plan, line, at(field, line.metric))
    _check_places(plan, overages, unused, problems)
    metrics = {line.metric for line in overages}
    for place, adjustment in enumerate(adjustments, len(overages)):
        problems.attempt(_check_metric, plan, metrics, adjustment, at("lines", place))
    problems.raise_any()  # the rest is worked out by the plan's prices and rules
    for line in unused:
        if says_something(line):
            problem = "must be one of the lines: it was used, or costs something"
            problems.add(InvalidValue(("unused", line.metric), line.used, problem))
    unrounded = [_unrounded(plan, line) for line in overages]
    costs = rounded_costs(plan, unrounded)
    for line, minor in zip(overages, costs, strict=True):
        if line.cost.minor != minor:
            exact, cost = number_text(line.exact_cost), Money(minor, plan.currency)
            problem = f"must be {cost}, as the plan rounds {exact}"
            problems.add(InvalidValue(("lines", line.metric, "cost"), line.cost, problem))
    audit_adjustments(plan, unrounded, costs, adjustments, problems)
    problems.raise_any()


def says_something(line: Overage) -> bool:
    """Tell whether a metric was used, or costs something unused."""
    return bool(line.used or line.cost.minor or line.exact_cost)


def in_order(plan: Plan, *lines: Sequence[Overage]) -> list[Overage]:
    """Return overages in the order of their plan's metrics."""
    by_metric = plan.compiled.by_metric
    return sorted(chain(*lines), key=lambda line: by_metric[line.metric].place)


def _unrounded(plan: Plan, overage: Overage) -> UnroundedLine:
    line = plan.compiled.by_metric[overage.metric]
    return priced_line(line, overage.used, overage.limit, overage.before, overage.limit_parts)


def _check_terms(plan: Plan, overage: Overage, path: Path) -> None:
    """Refuse a line that by itself contradicts the plan's terms."""
    allowance = plan.allowances.get(overage.metric)
    if allowance is None:
        raise unknown_metric(path, overage.metric, plan)
    if overage.cost.currency != plan.currency:
        raise CurrencyMismatch(plan.currency.code, overage.cost.currency.code, (*path, "cost"))
    if overage.price != allowance.price:
        raise InvalidValue((*path, "price"), overage.price, "must be the plan's")
    if overage.limit is None:
        if allowance.included is not None:
            problem = f"must be a quantity, as the plan includes {allowance.included}"
            raise InvalidValue((*path, "limit"), None, problem)
        return
    free = tuple(part for part in overage.limit_parts if part.kind == "free")
    if free != free_parts(allowance):
        raise InvalidValue((*path, "limit_parts"), free, "must have the plan's free units")
    for place, part in enumerate(overage.limit_parts):
        _check_part(allowance, part, at(path, "limit_parts", place))


def _check_part(allowance: Allowance, part: LimitPart, path: Path) -> None:
    """Refuse a part of a limit that the plan's terms for the metric can't have."""
    included = allowance.included
    if part.kind == "included":
        if included is None:
            raise InvalidValue(at(path, "kind"), part.kind, "must be own: the plan has no limit")
        if part.quantity > included and allowance.included_per is None:
            problem = f"must be what the plan includes, {included}, or a share of it"
            raise InvalidValue(at(path, "quantity"), part.quantity, problem)
    elif part.kind in {"carried", "owed", "borrowed"} and allowance.carry_over is None:
        problem = "must be of an allowance that is carried over, as the plan's is not"
        raise InvalidValue(at(path, "kind"), part.kind, problem)


def _check_places(
    plan: Plan, overages: Sequence[Overage], unused: Sequence[Overage], problems: Problems
) -> None:
    """Refuse lines out of the plan's order, and a plan's fee that is left out."""
    by_metric = plan.compiled.by_metric
    placed: set[int] = set()
    for field, lines in ("lines", overages), ("unused", unused):
        metrics = [line.metric for line in lines]
        places = [by_metric[metric].place for metric in metrics if metric in by_metric]
        again = not placed.isdisjoint(places)
        if again or any(place >= following for place, following in pairwise(places)):
            problem = "must be in the plan's order, each metric once"
            problems.add(InvalidValue(field, metrics, problem))
        placed.update(places)
    for place in plan.compiled.matter_unused:
        line = plan.compiled.lines[place]
        if place not in placed:
            fee, _ = problems.attempt(added_cost, line.allowance.price, None, 0) or (0, 1)
            if fee:
                problem = f"must have the line of {line.metric!r}, which costs something unused"
                problems.add(InvalidValue("lines", [line.metric for line in overages], problem))


def _check_metric(plan: Plan, metrics: Set[str], adjustment: Adjustment, path: Path) -> None:
    """Refuse an adjustment of another currency, or of a metric that has no line."""
    if adjustment.cost.currency != plan.currency:
        raise CurrencyMismatch(plan.currency.code, adjustment.cost.currency.code, (*path, "cost"))
    if adjustment.metric is None or adjustment.metric in metrics:
        return
    if adjustment.metric not in plan.allowances:
        raise unknown_metric((*path, "metric"), adjustment.metric, plan)
    raise InvalidValue((*path, "metric"), adjustment.metric, "must have an overage among the lines")
