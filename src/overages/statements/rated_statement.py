"""The rated statement: that of a period whose terms say more than quantities and prices.

It is made of lines that are rated one by one, in one part of a period or in several:

    statement_in_part(plan, usage, own_limits, shares)
    rated = rated_lines(parts, shares, lines, has_ended=True)
    statement_of(org_id, parts, shares, rated, credits)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set

from overages.amounts.exact import Quantity
from overages.errors import OveragesError
from overages.lines.adjustment import Adjustment
from overages.lines.limits import LineContext
from overages.lines.overage import LineNumbers
from overages.lines.part import FULL_SHARE, StatementPart, TimeShares, division, new_part
from overages.lines.rated_lines import RatedLines, finished_lines
from overages.lines.rating import UnroundedLine, priced_line, unrounded_line
from overages.statements.flat_lines import NO_LINES, FlatLines
from overages.statements.statement import Statement, new_statement, place_of
from overages.terms.compiled import CompiledLine
from overages.terms.plan import Plan
from overages.terms.terms import NO_OWN_TERMS
from overages.usage.usage import Usage


def statement_in_part(
    plan: Plan,
    usage: Usage,
    own: Mapping[str, Quantity | None],
    shares: TimeShares,
    *,
    has_ended: bool = True,
    levels: Set[str] = frozenset(),
) -> Statement:
    """Return the statement of a period in which the same terms hold; all of it was checked.

    :param own: the org's own limits, of metrics of the plan.
    :param shares: how much of the cycle's whole period it is.
    """
    # In a part of a period each limit is another one than the plan's, used or not.
    compiled, is_whole = plan.compiled, shares.billing_period is None
    lines = compiled.lines_of(usage.quantities, own) if is_whole else compiled.lines
    unrounded = []
    for line in lines:
        try:
            is_level = line.is_level(levels)
            unrounded.append(line_alone(line, usage.quantities, own, shares, is_level=is_level))
        except OveragesError as error:
            raise error.within(line.metric) from error.__cause__
    parts = [new_part(usage.period, plan, NO_OWN_TERMS)]
    rated = rated_lines(parts, shares, unrounded, has_ended=has_ended)
    return statement_of(usage.org_id, parts, shares, rated)


def line_alone(
    line: CompiledLine,
    quantities: Mapping[str, Quantity],
    own: Mapping[str, Quantity | None],
    shares: TimeShares,
    *,
    is_level: bool,
) -> UnroundedLine:
    """Return a metric's line in a period in which the same terms hold, and nothing came before."""
    if is_level or shares.billing_period is not None:
        share = shares.share(line.allowance)
        context = LineContext(share, FULL_SHARE if is_level else share, is_level)
        return unrounded_line(line, quantities, own, context)
    if not line.allowance.is_flat:
        return unrounded_line(line, quantities, own)
    # A limit that is simply the plan's, or the org's own, has no parts: a third of the time.
    limit = own.get(line.metric, line.included)
    return priced_line(line, quantities.get(line.metric, 0), limit, None, ())


def rated_lines(
    parts: Sequence[StatementPart],
    shares: TimeShares,
    lines: Sequence[UnroundedLine],
    *,
    has_ended: bool,
    flat: FlatLines = NO_LINES,
) -> RatedLines:
    """Return the lines of all parts of a period.

    :param lines: of all metrics but the flat ones, those of each in order of time.
    :param flat: lines that are rounded already, of a plan that has no rule for them.
    :param has_ended: whether the period is over, so that true-ups are due.
    """
    rated = finished_lines(parts, shares, lines, has_ended=has_ended)
    if flat is NO_LINES:
        return rated
    rows, unused_rows, adjustments, minor = rated
    flat_rows, flat_unused, flat_minor, _ = flat
    rows, unused_rows = _in_order(rows, flat_rows), _in_order(unused_rows, flat_unused)
    return rows, unused_rows, adjustments, minor + flat_minor


def statement_of(
    org_id: str,
    parts: Sequence[StatementPart],
    shares: TimeShares,
    rated: RatedLines,
    credits: Sequence[Adjustment] = (),
) -> Statement:
    """Return the statement of all parts of a period.

    :param rated: all its lines but credits.
    :param credits: the lines of prepaid money that was drawn.
    """
    rows, unused_rows, adjustments, minor = rated
    if credits:
        adjustments = (*adjustments, *credits)
        minor += sum([line.cost.minor for line in credits])
    return new_statement(
        org_id, shares.period, parts[-1].plan, rows, unused_rows, minor, adjustments,
        division(parts[:-1], shares, parts[-1].own),
    )  # fmt: skip


def _in_order(
    rows: tuple[LineNumbers, ...], flat: Sequence[LineNumbers]
) -> tuple[LineNumbers, ...]:
    """Return lines and flat ones in the plan's order."""
    return tuple(sorted([*rows, *flat], key=place_of)) if flat else rows
