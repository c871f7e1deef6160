"""The page: an org's present statement and its records by period, as HTML without any script."""

from collections.abc import Iterable, Sequence
from html import escape
from itertools import groupby

from examples.http_service.settings import Member
from overages import OverageRecord, Period, Statement, aggregate
from overages.amounts.exact import plain_text
from overages.lines.adjustment import OVERAGE, path_of
from overages.lines.overage import ALIGN

HISTORY = ("Line", "Revision", "Over", "Unit price", "Exact", "Cost", "Recorded")
STATEMENT = ("Metric", "Used", "Limit", "Over", "Price", "Exact", "Cost")

Row = tuple[str, Sequence[str]]  # a class, and cells


def sign_in(problem: str = "") -> str:
    """Return the page that asks for a token."""
    note = f'<p class="problem" role="alert">{escape(problem)}</p>' if problem else ""
    return _page(
        "Sign in",
        f"""<main class="narrow"><h1>Overages</h1>
<form method="post" action="/login">
<label for="token">Token</label>
<input id="token" name="token" type="password" autocomplete="current-password" required autofocus>
{note}<button>Sign in</button>
</form></main>""",
    )


def problem(member: Member, message: str) -> str:
    """Return the page that says why there is nothing to see."""
    return _page(
        "Overages", f'{_header(member)}<main><p class="problem">{escape(message)}</p></main>'
    )


def overview(
    member: Member,
    statement: Statement | None,
    records: Iterable[OverageRecord],
    closed: Iterable[Period],
) -> str:
    """Return the page of an org.

    :param statement: that of the present period, as its usage is now; None without a plan.
    :param records: all that are recorded, in the order of recording.
    :param closed: the periods that are closed.
    """
    by_period = sorted(records, key=lambda record: (record.period, record.sequence))
    groups = [(p, tuple(found)) for p, found in groupby(by_period, key=lambda r: r.period)]
    ended = frozenset(closed)
    history = "".join(_history(p, found, p in ended) for p, found in reversed(groups))
    present = _present(statement, dict(groups))
    return _page(
        f"Overages of {member.org_id}",
        f"""{_header(member)}<main>{present}
<h2>History</h2>{history or '<p class="note">Nothing is recorded yet.</p>'}</main>""",
    )


def _present(statement: Statement | None, recorded: dict[Period, tuple[OverageRecord, ...]]) -> str:
    if statement is None:
        return '<p class="problem">There is no plan, and so nothing to calculate by.</p>'
    rows: list[Row] = []
    for line in statement.overages:
        first, *others = line.table_rows()
        rows += [("", [_label(first[0]), *first[1:]]), *(("part", cells) for cells in others)]
    for other in statement.adjustments:
        whose = _label(other.metric) if other.metric else "All"
        exact = plain_text(other.exact_cost)
        rows.append(("", [whose, "", "", "", other.explain(), exact, str(other.cost)]))
    rows.append(("total", ["Total", "", "", "", "", "", str(statement.total)]))
    found = recorded.get(statement.period, ())
    kept = aggregate(found, currency=statement.currency).total
    state = "as recorded" if kept == statement.total else f"of which recorded: {kept}"
    rule = statement.plan.rounding.value.replace("_", " ")
    return f"""<section class="present">
<h2>{escape(statement.period.describe())}</h2>
<p class="amount">{escape(str(statement.total))} <span class="note">{escape(state)}</span></p>
<p class="note">Plan {escape(statement.plan.slug)}. Rounded once, {escape(rule)}; exact costs are in
{escape(statement.currency.code)}.</p>
{_table(STATEMENT, ALIGN, rows)}</section>"""


def _history(period: Period, records: Sequence[OverageRecord], closed: bool) -> str:
    rows: list[Row] = [
        (
            "",
            [
                _label(path_of((record.metric, record.line))),
                str(record.revision),
                plain_text(record.quantity) if record.line == OVERAGE else "",
                "" if record.unit_price is None else plain_text(record.unit_price),
                plain_text(record.exact_cost),
                str(record.cost),
                f"{record.created_at:%Y-%m-%d %H:%M} UTC",
            ],
        )
        for record in records
    ]
    rows.append(("total", ["Total", "", "", "", "", str(aggregate(records).total), ""]))
    badge = ' <span class="badge">closed</span>' if closed else ""
    table = _table(HISTORY, "lrrrrrr", rows)
    return f"<section><h3>{escape(period.describe())}{badge}</h3>{table}</section>"


def _label(metric: str) -> str:
    return metric.replace("_", " ")


def _table(head: Sequence[str], align: str, rows: Iterable[Row]) -> str:
    names = "".join(
        f'<th class="{side}">{name}</th>' for name, side in zip(head, align, strict=True)
    )
    body = "".join(
        f'<tr class="{kind}">{_cells(head, align, texts)}</tr>\n' for kind, texts in rows
    )
    return f"""<div class="scroll"><table><thead><tr>{names}</tr></thead>
<tbody>{body}</tbody></table></div>"""


def _cells(head: Sequence[str], align: str, texts: Sequence[str]) -> str:
    """Write a row; each cell says its column's name too, for where rows become lists."""
    return "".join(
        f'<td class="{side}" data-label="{name}">{escape(text)}</td>'
        for name, side, text in zip(head, align, texts, strict=True)
    )


def _header(member: Member) -> str:
    return f"""<header><h1>{escape(member.org_id or "No org")}</h1>
<form method="post" action="/logout"><span>{escape(member.name)}</span>
<button class="plain">Sign out</button></form></header>"""


def _page(title: str, body: str) -> str:
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="stylesheet" href="/style.css"></head>
<body>{body}</body></html>
"""
