"""The months before: a chart of their charges, what changed and why, and all that is recorded."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from html import escape

from examples.http_service.layout import Row, section, table
from examples.http_service.view import View
from examples.http_service.words import (
    adjustment,
    changed_terms,
    correction,
    day,
    exact,
    formula,
    money,
    name_of,
    short_month,
    sign_of,
)
from overages import OverageRecord, Statement, aggregate
from overages.exports.charts import charges_chart
from overages.lines.adjustment import OVERAGE, path_of

STATEMENT = ("Metric", "Used", "Included", "Beyond", "Price", "Exact", "Cost")
HISTORY = ("Line", "Version", "Beyond", "Unit price", "Exact", "Cost", "Recorded")
NEWS = 8  # changes that are told


def charged(view: View) -> str:
    """Return a chart of what the last months came to."""
    charges = view.charges()
    sign, unfinished = sign_of(view.statement.currency), view.now < view.statement.period.end
    named = [(short_month(period, view.zone), amount) for period, amount in charges]
    if len(named) == 1:
        return ""
    title = "Charges by month"
    chart = charges_chart(title, named, unfinished=unfinished, sign=sign, width=360, styled=False)
    return section("months", title, chart, "months", seen=False)  # the chart has it as its own


def changes(view: View) -> str:
    """Return what changed and why, the newest first."""
    news = [*_corrections(view), *_changes_of_terms(view)]
    items = "".join(
        f'<li><span class="note">{escape(day(at, view.zone))}</span> {escape(text)}</li>'
        for at, text in sorted(news, reverse=True)[:NEWS]
    )
    return section("changes", "What changed", f"<ul>{items}</ul>" if items else "")


def _corrections(view: View) -> Iterable[tuple[datetime, str]]:
    """Yield each correction of a month: of one that isn't over, nothing was final yet."""
    for period, records, is_closed in view.past:
        for record in records:
            if is_closed and record.revision > 1:
                text = f"{period.name(view.zone)} was corrected: {correction(record)}."
                yield record.created_at, text


def _changes_of_terms(view: View) -> Iterable[tuple[datetime, str]]:
    plan = view.first_plan
    for change, note in view.changes:
        reason = "" if note.reason is None else f" ({note.reason})"
        yield change.since, f"{changed_terms(change, plan)}{reason}."
        plan = change.plan or plan


def details(view: View) -> str:
    """Return the whole calculation, and all records, for who wants to check them."""
    tables = [_statement(view.statement, view), *map(_history, *_newest_first(view))]
    return f"""<details><summary>How it is worked out, and all that is recorded</summary>
{"".join(tables)}</details>
"""


def _newest_first(view: View) -> tuple[Sequence[str], Sequence[Sequence[OverageRecord]]]:
    recorded = [(period, own, ended) for period, own, ended in reversed(view.past) if own]
    names = [
        f"Recorded of {period.name(view.zone)}{', closed' if ended else ', not closed yet'}"
        for period, _, ended in recorded
    ]
    return names, [own for _, own, _ in recorded]


def _statement(statement: Statement, view: View) -> str:
    currency = statement.currency
    rows: list[Row] = []
    for line in statement.overages:
        first, *others = line.table_rows()
        name, *cells = (formula(cell, currency) for cell in first)
        rows.append(("", [name_of(name), *cells[:-1], money(line.cost)]))
        rows += [("part", [formula(cell, currency) for cell in cells]) for cells in others]
    for other in statement.adjustments:
        cells = ["All", "", "", "", adjustment(other), exact(other.exact_cost), money(other.cost)]
        rows.append(("", cells))
    rows.append(("total", ["Total", "", "", "", "", "", money(statement.total)]))
    rule = statement.plan.rounding.value.replace("_", " ")
    caption = (
        f"{statement.period.name(view.zone)}: each line is rounded once, {rule};"
        f" exact costs are in {currency.code}"
    )
    return table(caption, STATEMENT, "lrrrlrr", rows)


def _history(caption: str, records: Sequence[OverageRecord]) -> str:
    rows: list[Row] = [
        (
            "",
            [
                name_of(path_of((record.metric, record.line))),
                str(record.revision),
                exact(record.quantity) if record.line == OVERAGE else "",
                "" if record.unit_price is None else exact(record.unit_price),
                exact(record.exact_cost),
                money(record.cost),
                f"{record.created_at:%Y-%m-%d %H:%M} UTC",
            ],
        )
        for record in records
    ]
    rows.append(("total", ["Total", "", "", "", "", money(aggregate(records).total), ""]))
    return table(caption, HISTORY, "lrrrrrr", rows)
