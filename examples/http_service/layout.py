"""The layout of every page: its frame, tables and bars, as HTML without any script."""

from collections.abc import Iterable, Sequence
from fractions import Fraction
from html import escape

from examples.http_service.settings import Member

Row = tuple[str, Sequence[str]]  # a class, and cells
Part = tuple[str, Fraction]  # a class, and how long it is


def document(title: str, body: str) -> str:
    """Return a whole page."""
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<link rel="stylesheet" href="/charts.css"><link rel="stylesheet" href="/style.css"></head>
<body>{body}</body></html>
"""


def header(member: Member) -> str:
    """Return the head of a member's page, with the way past it for who uses a keyboard."""
    return f"""<a class="skip" href="#main">To the content</a>
<header><h1>{escape(member.org_id or "No organization")}</h1>
<form method="post" action="/logout"><span>{escape(member.name)}</span>
<button class="plain">Sign out</button></form></header>"""


def section(name: str, heading: str, content: str, class_: str = "", *, seen: bool = True) -> str:
    """Return a part of the page under a heading that names it; nothing where it is empty.

    :param seen: whether the heading is shown, too, and not only said.
    """
    if not content:
        return ""
    hidden = "" if seen else ' class="unseen"'
    title = f'<h2 id="{name}"{hidden}>{escape(heading)}</h2>'
    return f"""<section class="{class_}" aria-labelledby="{name}">{title}
{content}</section>
"""


def table(caption: str, head: Sequence[str], align: str, rows: Iterable[Row]) -> str:
    """Return a table that scrolls if it must; on a phone, each row becomes a list."""
    names = "".join(
        f'<th scope="col" class="{side}">{escape(name)}</th>'
        for name, side in zip(head, align, strict=True)
    )
    body = "".join(
        f'<tr class="{kind}">{_cells(head, align, texts)}</tr>\n' for kind, texts in rows
    )
    return f"""<div class="scroll" role="region" aria-label="{escape(caption)}" tabindex="0"><table>
<caption>{escape(caption)}</caption><thead><tr>{names}</tr></thead>
<tbody>{body}</tbody></table></div>"""


def _cells(head: Sequence[str], align: str, texts: Sequence[str]) -> str:
    """Write a row; each cell says its column's name too, for where rows become lists."""
    return "".join(
        f'<td class="{side}" data-label="{escape(name)}">{escape(text)}</td>'
        for name, side, text in zip(head, align, texts, strict=True)
    )


def bar(parts: Iterable[Part], full: Fraction, limit: Fraction | None) -> str:
    """Return a bar of parts beside each other, marked at a limit; what it shows is said beside it.

    :param full: what the whole length stands for, above zero.
    """
    shapes, begin = ['<rect class="track" width="100%" height="10" rx="3"/>'], Fraction(0)
    for kind, length in parts:
        if length:
            shapes.append(
                f'<rect class="{kind}" x="{per_cent(begin / full)}"'
                f' width="{per_cent(length / full)}" height="10"/>'
            )
        begin += length
    if limit is not None and limit < full:
        at = per_cent(limit / full)
        shapes.append(f'<line class="limit" x1="{at}" x2="{at}" y1="-3" y2="13"/>')
    return f'<svg class="gauge" height="10" aria-hidden="true">{"".join(shapes)}</svg>'


def legend(names: Iterable[tuple[str, str]]) -> str:
    """Return what the colours and marks of bars stand for, each a class and a text.

    Who can't see the bars needs no legend: all that they show is said beside them.
    """
    keys = "".join(
        f'<span><svg width="12" height="12" aria-hidden="true">{_sign(kind)}</svg>'
        f" {escape(name)}</span> "
        for kind, name in names
    )
    return f'<p class="key note" aria-hidden="true">{keys}</p>' if keys else ""


def _sign(kind: str) -> str:
    if kind == "limit":
        return '<line class="limit" x1="6" x2="6" y1="0" y2="12"/>'
    return f'<rect class="{kind}" x="1" y="2" width="10" height="8"/>'


def per_cent(share: Fraction) -> str:
    """Write a share of 1 in per cent, to the hundredth of one.

    >>> per_cent(Fraction(2, 3))
    '66.67%'
    """
    whole, rest = divmod(round(share * 10_000), 100)
    return f"{whole}.{rest:02}%"
