"""The explanation of a statement: its lines as a table, with a title and a footnote.

A statement prints it, and a notebook shows it:

    table = explained(statement.overages, statement.adjustments, statement.total)
    text_table(table, ALIGN)                          # or `html_table`, with the title
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import tzinfo
from itertools import groupby

from overages.amounts.exact import plain_text
from overages.amounts.money import Money
from overages.lines.adjustment import Adjustment
from overages.lines.overage import COLUMNS, Overage
from overages.lines.part import StatementPart
from overages.periods.period import Period
from overages.terms.plan import Plan


def explained(
    overages: Iterable[Overage], adjustments: Iterable[Adjustment], total: Money
) -> list[list[str]]:
    """Return the rows of a statement's table: each line, the change by each adjustment, the total.

    A line has the usage, the limit, the overage, the price of each tier, the exact cost in major
    units, and the rounded cost.
    """
    rows = [row for line in overages for row in line.table_rows()]
    rows += [
        [
            line.metric or "all",
            *("", "", ""),
            line.explain(),
            plain_text(line.exact_cost),
            str(line.cost),
        ]
        for line in adjustments
    ]
    return [COLUMNS, *rows, ["total", "", "", "", "", "", str(total)]]


def title(
    org_id: str,
    period: Period,
    parts: Iterable[StatementPart],
    span_of: Period | None = None,
    zone: tzinfo | None = None,
) -> str:
    """Return the title of a statement: whose it is, for when, and by which plans.

    :param span_of: the org's own period, where the statement is of a span of it, and so no bill.
    :param zone: the timezone in which the period has a name; in UTC, it is told by its bounds.
    """
    plans = ", then ".join(slug for slug, _ in groupby(part.plan.slug for part in parts))
    name = period.describe() if zone is None else period.name(zone)
    of_period = f"Overage of {org_id}, {name}, plan {plans}"
    if span_of is None:
        return of_period
    return f"{of_period}; a span of {span_of.describe()}, without all that is due once a period"


def footnote(parts: Sequence[StatementPart]) -> str:
    """Return the sentence that says how the plans of a statement round."""
    *earlier, rule = (rule for rule, _ in groupby(_rule(part.plan) for part in parts))
    if parts[-1].plan.rounding_scope == "line":
        by_part = ", then ".join([*earlier, rule])
        return f"Each line is rounded once, {by_part}; the total is the sum of the lines."
    return f"The exact total is rounded once, {rule}, and the lines are made to add up to it."


def _rule(plan: Plan) -> str:
    return plan.rounding.value.replace("_", " ")
