"""Line terms: the terms that a line of a statement follows from, and what contradicts them.

A line says its part of the period, its price, its limit and the limit's parts. By the plan of that
part each is lawful, or refused:

    terms = terms_of_line(shares, parts, overage, path)
    terms.line, terms.is_level
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

from overages.errors import CurrencyMismatch, InvalidValue, Path, at
from overages.lines.limit_part import LimitPart
from overages.lines.limits import free_parts
from overages.lines.overage import Overage
from overages.lines.part import FULL_SHARE, StatementPart, TimeShares, part_at_end, places_in
from overages.lines.rating import line_for_share
from overages.periods.period import Period
from overages.terms.allowance import Allowance
from overages.terms.compiled import CompiledLine
from overages.terms.plan import unknown_metric


class LineTerms(NamedTuple):
    """The terms of a line, by the plan of its part: with a prorated price, where it has one.

    :param may_be_level: whether it is a level, or nothing but its cost can tell whether it is one.
    """

    line: CompiledLine
    is_level: bool
    may_be_level: bool


def terms_of_line(
    shares: TimeShares, parts: Sequence[StatementPart], overage: Overage, path: Path
) -> LineTerms:
    """Return the terms of a line; refuse one that by itself contradicts the plan's."""
    part = overage.part
    period = shares.period
    if part is not None and (part == period or part.start < period.start or period.end < part.end):
        problem = f"must lie within {period}, and not be all of it"
        raise InvalidValue((*path, "part"), str(part), problem)
    last = parts[part_at_end(parts, part)]
    plan, own = last.plan, last.own
    line = plan.compiled.by_metric.get(overage.metric)
    if line is None:
        raise unknown_metric(path, overage.metric, plan)
    for place, _ in places_in(parts, part):
        other = parts[place].plan.allowances.get(overage.metric)
        if other != line.allowance or parts[place].own.trial != own.trial:
            problem = "must lie in parts of the period in which the metric's terms are the same"
            raise InvalidValue((*path, "part"), part and str(part), problem)
    if part is not None:
        _check_bounds(parts, line.allowance, part, path)
    if overage.cost.currency != plan.currency:
        raise CurrencyMismatch(plan.currency.code, overage.cost.currency.code, (*path, "cost"))
    lawful = _lawful_shares(shares, parts, line.allowance, part)
    terms = _priced_terms(line, overage, lawful, path)
    _check_limit(line.allowance, overage, [FULL_SHARE] if terms.is_level else lawful, path)
    return terms


def _check_bounds(
    parts: Sequence[StatementPart], allowance: Allowance, time: Period, path: Path
) -> None:
    """Refuse a time that begins or ends where neither terms nor the allowance's own cycle do."""
    bounds = {bound for part in parts for bound in (part.period.start, part.period.end)}
    cycle = allowance.included_for
    for bound in time.start, time.end:
        if bound not in bounds and (cycle is None or cycle.period_at(bound).start != bound):
            problem = "must begin and end where parts of the period do, or the allowance's cycle"
            raise InvalidValue((*path, "part"), str(time), problem)


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
    allowance = line.allowance
    kinds = [allowance.kind == "level"] if allowance.kind else [False, True]
    for is_level in kinds:
        for of_terms in lawful[:1] if is_level else lawful:
            priced = line_for_share(line, of_terms, is_level=is_level)
            if priced.allowance.price == overage.price:
                as_level = line_for_share(line, lawful[0], is_level=kinds[-1])
                return LineTerms(priced, is_level, kinds[-1] and as_level == priced)
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
