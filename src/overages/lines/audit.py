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
from itertools import pairwise

import attrs

from overages._ground.parsing import Problems
from overages.amounts.exact import number_text
from overages.amounts.money import Money
from overages.errors import CurrencyMismatch, InvalidValue, Path, at
from overages.lines.adjustment import Adjustment
from overages.lines.line_terms import LineTerms, terms_of_line
from overages.lines.overage import LineNumbers, Overage, numbers_of
from overages.lines.part import StatementPart, TimeShares, check_parts, metrics_in_order
from overages.lines.rated_lines import rounded_costs, ruled_totals
from overages.lines.rating import UnroundedLine, priced_line, unused_numbers
from overages.lines.rule_audit import audit_adjustments
from overages.periods.period import Period
from overages.prices.exact_cost import added_cost
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
    for name in ("billing_period", "span_of"):
        longer = getattr(shares, name)
        if longer is not None:
            problems.attempt(_check_longer, shares.period, longer, name)
    problems.raise_any()  # or no line could be said to be of a part
    plan = parts[-1].plan
    terms: dict[int, LineTerms | None] = {}
    for field, lines in ("lines", overages), ("unused", unused):
        for line in lines:
            terms[id(line)] = problems.attempt(
                terms_of_line, shares, parts, line, at(field, line.metric)
            )
    _check_places(parts, overages, unused, problems)
    metrics = {line.metric for line in overages}
    for place, adjustment in enumerate(adjustments, len(overages)):
        problems.attempt(_check_metric, parts, metrics, adjustment, at("lines", place))
    problems.raise_any()  # the rest is worked out by the plan's prices and rules
    _check_all_times(parts, [*overages, *unused], problems)
    for line in unused:
        if _says_something(line):
            problem = "must be one of the lines: it was used, or costs something"
            problems.add(InvalidValue(("unused", line.metric), line.used, problem))
    lines = _in_order(parts, [*overages, *unused])
    unrounded = [_unrounded(line, terms[id(line)]) for line in lines]
    costs = _lawful_costs(parts, lines, unrounded, terms)
    for line, minor in zip(lines, costs, strict=True):
        if line.cost.minor != minor:
            exact, cost = number_text(line.exact_cost), Money(minor, plan.currency)
            problem = f"must be {cost}, as the plan rounds {exact}"
            problems.add(InvalidValue(("lines", line.metric, "cost"), line.cost, problem))
    # An unused part of a metric has rules too: its share of a maximum, say.
    ruled = ruled_totals(parts, shares, unrounded, costs)
    audit_adjustments(ruled, len(overages), adjustments, problems)
    problems.raise_any()
    # A credit pays for a metric, and adjusts no part of it that wasn't used.
    ruled_metrics = {line.metric for line in adjustments if line.kind != "credit"}
    return _numbers(lines, terms, ruled_metrics)


def _lawful_costs(
    parts: Sequence[StatementPart],
    lines: Sequence[Overage],
    unrounded: Sequence[UnroundedLine],
    terms: Mapping[int, LineTerms | None],
) -> list[int]:
    """Return the costs of lines: those of a level where they are the lines' and it may be one.

    Parts that have the full price cost the same as a flow and as a level, but for the rounding.
    """
    costs = rounded_costs(parts, unrounded)
    may_be = [(own := terms[id(line)]) is not None and own.may_be_level for line in lines]
    of_levels = rounded_costs(
        parts,
        [attrs.evolve(line, is_level=level) for line, level in zip(unrounded, may_be, strict=True)],
    )
    others = {
        line.metric
        for line, minor in zip(lines, of_levels, strict=True)
        if line.cost.minor != minor
    }
    return [
        minor if line.metric in others else of_level
        for line, minor, of_level in zip(lines, costs, of_levels, strict=True)
    ]


def _in_order(parts: Sequence[StatementPart], lines: Sequence[Overage]) -> list[Overage]:
    """Return lines in the order of the plans' metrics, and those of a metric in order of time."""
    places = {metric: place for place, metric in enumerate(metrics_in_order(parts))}
    first = parts[0].period.start
    return sorted(lines, key=lambda line: (places[line.metric], _start(line.part, first)))


def _check_longer(period: Period, longer: Period, field: str) -> None:
    """Refuse a period that a statement's is said to be a part of, and isn't."""
    if longer == period or not (longer.start <= period.start and period.end <= longer.end):
        problem = f"must hold more than {period}, and all of it"
        raise InvalidValue(field, str(longer), problem)


def _says_something(line: Overage) -> bool:
    """Tell whether a metric was used, or costs something unused."""
    return bool(line.used or line.cost.minor or line.exact_cost)


def _numbers(
    lines: Sequence[Overage],
    terms: Mapping[int, LineTerms | None],
    adjusted: Set[str | None],
) -> tuple[tuple[LineNumbers, ...], tuple[LineNumbers, ...]]:
    """Return the numbers of lines that say something, and of the other unusual ones, in order."""
    rows, unused_rows = [], []
    for line in lines:
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
        terms.is_level,
    )


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


def _check_all_times(
    parts: Sequence[StatementPart], lines: Sequence[Overage], problems: Problems
) -> None:
    """Refuse lines of parts of the period that leave out some of the time of their metric."""
    times: dict[str, list[Period]] = {}
    for line in lines:
        if line.part is not None:
            times.setdefault(line.metric, []).append(line.part)
    for metric, own in times.items():
        agreed = [part.period for part in parts if metric in part.plan.allowances]
        if _joined(own) != _joined(agreed):
            problem = "must be, together, of all of the time in which plans have the metric"
            told = [str(time) for time in sorted(own)]
            problems.add(InvalidValue(("lines", metric, "part"), told, problem))


def _joined(times: Sequence[Period]) -> list[Period]:
    """Return times that don't overlap, those as one that follow each other without a gap."""
    joined: list[Period] = []
    for time in sorted(times):
        if joined and joined[-1].end == time.start:
            joined[-1] = Period(joined[-1].start, time.end)
        else:
            joined.append(time)
    return joined


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
