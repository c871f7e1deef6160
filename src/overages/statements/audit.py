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
  plan's, and the plan includes at most its own number.
- a commitment and a minimum: whether the period is over, so that true-ups are due, isn't known. So
  a true-up may be left out, but raises to all of the spend agreed to where it is there, for the
  share of the billing period that the statement says. A premium is due in any case.
- a credit: the balance of a grant isn't known. It takes its own amount, exactly, from the total
  before it.

Used units are the org's to report, and units charged before are those of its earlier bills.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from datetime import datetime
from fractions import Fraction
from itertools import pairwise
from typing import NamedTuple

from overages._ground.parsing import Problems
from overages.amounts.exact import number_text
from overages.amounts.money import Money
from overages.errors import CurrencyMismatch, InvalidValue, Path, at
from overages.periods.period import Period
from overages.prices.exact_cost import added_cost
from overages.statements.adjustment import Adjustment
from overages.statements.limit_part import LimitPart
from overages.statements.limits import FULL_SHARE, free_parts
from overages.statements.overage import LineNumbers, Overage, numbers_of
from overages.statements.part import (
    StatementPart,
    TimeShares,
    check_parts,
    metrics_in_order,
    part_at_end,
    places_in,
)
from overages.statements.rating import (
    UnroundedLine,
    line_for_share,
    priced_line,
    rounded_costs,
    ruled_totals,
    unused_numbers,
)
from overages.statements.rule_audit import audit_adjustments
from overages.terms.allowance import Allowance
from overages.terms.compiled import CompiledLine
from overages.terms.plan import unknown_metric


def audit(
    shares: TimeShares,
    parts: Sequence[StatementPart],
    overages: Sequence[Overage],
    unused: Sequence[Overage],
    adjustments: Sequence[Adjustment],
) -> tuple[tuple[LineNumbers, ...], tuple[LineNumbers, ...]]:
    """Return the numbers of overages; refuse lines that do not follow from the plans of a period.

    :param shares: the statement's period, and the one that it is a part of.
    :param parts: the parts of the period, with their plans.
    :param overages: of metrics that were used or cost something; others may be among them.
    :param unused: of metrics that neither were nor do.
    :returns: the numbers of lines that say something, and of unused ones with a limit that isn't
        simply the plan's, each in the order of a statement.
    :raises InvalidValue: for a line that isn't; `InvalidValues` for several.
    """
    problems = Problems()
    check_parts(shares.period, parts, problems)
    if shares.billing_period is not None:
        problems.attempt(_check_billing_period, shares)
    problems.raise_any()  # or no line could be said to be of a part
    plan = parts[-1].plan
    terms: dict[int, LineTerms | None] = {}
    for field, lines in ("lines", overages), ("unused", unused):
        for line in lines:
            terms[id(line)] = problems.attempt(
                _terms_of, shares, parts, line, at(field, line.metric)
            )
    _check_places(parts, overages, unused, problems)
    metrics = {line.metric for line in overages}
    for place, adjustment in enumerate(adjustments, len(overages)):
        problems.attempt(_check_metric, parts, metrics, adjustment, at("lines", place))
    problems.raise_any()  # the rest is worked out by the plan's prices and rules
    for line in unused:
        if _says_something(line):
            problem = "must be one of the lines: it was used, or costs something"
            problems.add(InvalidValue(("unused", line.metric), line.used, problem))
    unrounded = [_unrounded(line, terms[id(line)]) for line in overages]
    costs = rounded_costs(plan, unrounded)
    for line, minor in zip(overages, costs, strict=True):
        if line.cost.minor != minor:
            exact, cost = number_text(line.exact_cost), Money(minor, plan.currency)
            problem = f"must be {cost}, as the plan rounds {exact}"
            problems.add(InvalidValue(("lines", line.metric, "cost"), line.cost, problem))
    audit_adjustments(ruled_totals(parts, shares, unrounded, costs), adjustments, problems)
    problems.raise_any()
    return _numbers(parts, [*overages, *unused], terms, {line.metric for line in adjustments})


class LineTerms(NamedTuple):
    """The terms of a line, by the plan of its part: with a prorated price, where it has one.

    :param share: how much of the billing period its time is.
    """

    line: CompiledLine
    share: Fraction
    is_level: bool


def _check_billing_period(shares: TimeShares) -> None:
    period, billed = shares.period, shares.billing_period
    if (
        billed is None
        or billed == period
        or not (billed.start <= period.start and period.end <= billed.end)
    ):
        problem = f"must hold more than {period}, and all of it"
        raise InvalidValue("billing_period", billed and str(billed), problem)


def _says_something(line: Overage) -> bool:
    """Tell whether a metric was used, or costs something unused."""
    return bool(line.used or line.cost.minor or line.exact_cost)


def _numbers(
    parts: Sequence[StatementPart],
    lines: Sequence[Overage],
    terms: Mapping[int, LineTerms | None],
    adjusted: Set[str | None],
) -> tuple[tuple[LineNumbers, ...], tuple[LineNumbers, ...]]:
    """Return the numbers of lines that say something, and of the other unusual ones, in order."""
    places = {metric: place for place, metric in enumerate(metrics_in_order(parts))}
    start = parts[0].period.start
    rows, unused_rows = [], []
    for line in sorted(lines, key=lambda each: (places[each.metric], _start(each.part, start))):
        of_line = terms[id(line)]
        assert of_line is not None  # or there would have been a problem
        numbers = numbers_of(line, of_line.line)
        if line.metric in adjusted or _says_something(line):
            rows.append(numbers)
        elif numbers != unused_numbers(of_line.line):
            unused_rows.append(numbers)
    return tuple(rows), tuple(unused_rows)


def _start(part: Period | None, start: datetime) -> datetime:
    return start if part is None else part.start


def _unrounded(overage: Overage, terms: LineTerms | None) -> UnroundedLine:
    assert terms is not None  # or there would have been a problem
    return priced_line(
        terms.line,
        overage.used,
        overage.limit,
        overage.before,
        overage.limit_parts,
        overage.part,
        terms.share,
        terms.is_level,
    )


def _terms_of(
    shares: TimeShares, parts: Sequence[StatementPart], overage: Overage, path: Path
) -> LineTerms:
    """Return the terms of a line; refuse one that by itself contradicts the plan's."""
    part = overage.part
    period = shares.period
    if part is not None and (part == period or part.start < period.start or period.end < part.end):
        problem = f"must lie within {period}, and not be all of it"
        raise InvalidValue((*path, "part"), str(part), problem)
    plan = parts[part_at_end(parts, part)].plan
    line = plan.compiled.by_metric.get(overage.metric)
    if line is None:
        raise unknown_metric(path, overage.metric, plan)
    for place, _ in places_in(parts, part):
        other = parts[place].plan.allowances.get(overage.metric)
        if other != line.allowance:
            problem = "must lie in parts of the period in which the metric's terms are the same"
            raise InvalidValue((*path, "part"), part and str(part), problem)
    if overage.cost.currency != plan.currency:
        raise CurrencyMismatch(plan.currency.code, overage.cost.currency.code, (*path, "cost"))
    lawful = _lawful_shares(shares, parts, line.allowance, part)
    terms = _priced_terms(line, overage, lawful, path)
    _check_limit(line.allowance, overage, [FULL_SHARE] if terms.is_level else lawful, path)
    return terms


def _lawful_shares(
    shares: TimeShares, parts: Sequence[StatementPart], allowance: Allowance, time: Period | None
) -> list[Fraction]:
    """Return the shares that units of a line may be counted over, that of its own time first.

    Where counters go on, that is the time of several parts; where the allowance is for a cycle of
    its own, all of it counts.
    """
    places = [place for place, _ in places_in(parts, time)]
    starts = [part.period.start for part in parts[: places[0] + 1]]
    ends = [part.period.end for part in parts[places[-1] :]]
    longer = [Period(start, end) for start in starts for end in ends]
    own = [shares.share(allowance, each) for each in [time, *longer]]
    return list(dict.fromkeys([*own, FULL_SHARE]))


def _priced_terms(
    line: CompiledLine, overage: Overage, lawful: Sequence[Fraction], path: Path
) -> LineTerms:
    """Return the terms of a line by its price: the plan's, or prorated as a flow or a level is.

    :param lawful: the shares that it may be counted over, that of its own time first.
    """
    allowance, (share, *_) = line.allowance, lawful
    kinds = [allowance.kind == "level"] if allowance.kind else [False, True]
    for is_level in kinds:
        for of_terms in lawful[:1] if is_level else lawful:
            priced = line_for_share(line, of_terms, is_level=is_level)
            if priced.allowance.price == overage.price:
                return LineTerms(priced, share, is_level)
    raise InvalidValue((*path, "price"), overage.price, "must be the plan's, or its share by time")


def _check_limit(
    allowance: Allowance, overage: Overage, lawful: Sequence[Fraction], path: Path
) -> None:
    """Refuse a limit that the plan's terms for the metric can't have.

    :param lawful: the shares of its units that it may have.
    """
    if overage.limit is None:  # by the plan, or the org's own
        return
    free = tuple(part for part in overage.limit_parts if part.kind == "free")
    if not any(free == free_parts(allowance, share) for share in lawful):
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
    parts: Sequence[StatementPart],
    overages: Sequence[Overage],
    unused: Sequence[Overage],
    problems: Problems,
) -> None:
    """Refuse lines out of the plans' order, and a plan's fee that is left out."""
    places = {metric: place for place, metric in enumerate(metrics_in_order(parts))}
    first = parts[0].period.start
    for field, lines in ("lines", overages), ("unused", unused):
        keys = [
            (places[line.metric], _start(line.part, first))
            for line in lines
            if line.metric in places
        ]
        if any(key > after for key, after in pairwise(keys)):
            problem = "must be in the plan's order, and those of a metric in order of time"
            problems.add(InvalidValue(field, [line.metric for line in lines], problem))
    _check_overlaps(parts, [*overages, *unused], problems)
    metrics = {line.metric for line in (*overages, *unused)}
    for part in parts:
        for place in part.plan.compiled.matter_unused:
            line = part.plan.compiled.lines[place]
            if line.metric not in metrics:
                fee, _ = problems.attempt(added_cost, line.allowance.price, None, 0) or (0, 1)
                if fee:
                    problem = f"must have the line of {line.metric!r}, which costs something unused"
                    named = [each.metric for each in overages]
                    problems.add(InvalidValue("lines", named, problem))


def _check_overlaps(
    parts: Sequence[StatementPart], lines: Sequence[Overage], problems: Problems
) -> None:
    """Refuse two lines of a metric at one time: its units would be charged twice."""
    period = Period(parts[0].period.start, parts[-1].period.end)
    times: dict[str, list[Period]] = {}
    for line in lines:
        times.setdefault(line.metric, []).append(line.part or period)
    for metric, own in times.items():
        if any(after.start < before.end for before, after in pairwise(sorted(own))):
            problem = "must be of times that don't overlap"
            told = [str(time) for time in sorted(own)]
            problems.add(InvalidValue(("lines", metric, "part"), told, problem))


def _check_metric(
    parts: Sequence[StatementPart], metrics: Set[str], adjustment: Adjustment, path: Path
) -> None:
    """Refuse an adjustment of another currency, or of a metric that has no line."""
    plan = parts[-1].plan
    if adjustment.cost.currency != plan.currency:
        raise CurrencyMismatch(plan.currency.code, adjustment.cost.currency.code, (*path, "cost"))
    if adjustment.metric is None or adjustment.metric in metrics:
        return
    if all(adjustment.metric not in part.plan.allowances for part in parts):
        raise unknown_metric((*path, "metric"), adjustment.metric, plan)
    raise InvalidValue((*path, "metric"), adjustment.metric, "must have an overage among the lines")
