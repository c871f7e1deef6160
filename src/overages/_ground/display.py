"""Tables of text and of HTML, in which a value shows itself.

Cells are texts, and the first row is the head:

    text_table([["metric", "used"], ["tokens", "750,000"]], align="lr")
    html_table(rows, align="lr", caption="Overage of org-123")
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence


def text_table(rows: Sequence[Sequence[str]], align: str, width: int | None = None) -> str:
    """Lay rows out in columns, two spaces apart; `align` has an ``l`` or ``r`` for each column.

    :param width: the characters of a line at most: a table that is wider is written as a list, each
        row under its first cell.

    >>> rows = [["metric", "used", "cost"], ["tokens", "750,000", "25.00 USD"]]
    >>> print(text_table(rows, align="lrr"))
    metric     used       cost
    tokens  750,000  25.00 USD
    >>> print(text_table(rows, align="lrr", width=20))
    tokens
      used    750,000
      cost    25.00 USD
    """
    table = _columns(rows, align)
    if width is None or max(map(len, table.splitlines())) <= width:
        return table
    head, *body = rows
    title = max(map(len, head))
    return "\n".join(line for row in body for line in _listed(head, row, title))


def _listed(head: Sequence[str], row: Sequence[str], width: int) -> Iterator[str]:
    """Yield the lines of a row in a list: its first cell, then each other one under its name."""
    first, *cells = row
    if first:
        yield first
    for name, cell in zip(head[1:], cells, strict=True):
        if cell:
            yield f"  {name:<{width}}  {cell}"


def _columns(rows: Sequence[Sequence[str]], align: str) -> str:
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
