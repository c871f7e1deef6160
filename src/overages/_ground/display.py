"""Tables of text and of HTML, in which a value shows itself.

Cells are texts, and the first row is the head:

    text_table([["metric", "used"], ["tokens", "750,000"]], align="lr")
    html_table(rows, align="lr", caption="Overage of org-123")
"""

from __future__ import annotations

from collections.abc import Sequence


def text_table(rows: Sequence[Sequence[str]], align: str) -> str:
    """Lay rows out in columns, two spaces apart; `align` has an ``l`` or ``r`` for each column.

    >>> print(text_table([["metric", "used"], ["tokens", "750,000"]], align="lr"))
    metric     used
    tokens  750,000
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for row in rows:
        cells = [
            cell.rjust(width) if side == "r" else cell.ljust(width)
            for cell, width, side in zip(row, widths, align, strict=True)
        ]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)


def html_table(rows: Sequence[Sequence[str]], align: str, caption: str) -> str:
    """Write rows as an HTML table, the first one as its head, every text escaped.

    Columns aligned to the right are numbers and amounts, which don't wrap.
    """
    from html import escape  # needed in notebooks alone

    styles = [
        "text-align: right; white-space: nowrap" if side == "r" else "text-align: left"
        for side in align
    ]
    head, *body = [
        "".join(
            f'<{tag} style="{style}">{escape(cell)}</{tag}>'
            for cell, style in zip(row, styles, strict=True)
        )
        for tag, row in [("th" if i == 0 else "td", row) for i, row in enumerate(rows)]
    ]
    lines = [f"<tr>{cells}</tr>" for cells in body]
    return "\n".join(
        [
            "<table>",
            f"<caption>{escape(caption)}</caption>",
            f"<thead><tr>{head}</tr></thead>",
            "<tbody>",
            *lines,
            "</tbody>",
            "</table>",
        ]
    )
