"""SVG as text: elements, exact coordinates, and the styles of charts in light and dark.

A document is a text that notebooks show as a picture:

    element("rect", x=Fraction(1, 3), width=20)       # '<rect x="0.33" width="20"/>'
    document(640, 320, "Cost", "It rises from 0 to 10.", shapes)
"""

from __future__ import annotations

from fractions import Fraction
from typing import Final, TypeAlias

from overages._ground.parsing import is_a, parse_all, parse_flag
from overages.errors import Field, InvalidType, InvalidValue

Coordinate: TypeAlias = int | Fraction
"""A place in a picture, in pixels, from the left or from the top."""

WIDTH: Final = 640
_NARROWEST: Final = 240
_WIDEST: Final = 4096
_ESCAPES: Final = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;"})

_LIGHT: Final = (
    "--chart-back:#ffffff;--chart-text:#1b1f27;--chart-soft:#5d6472;--chart-grid:#e1e4ea;"
    "--chart-1:#2b59c3;--chart-2:#c2410c;--chart-3:#15803d;"
    "--chart-4:#7e22ce;--chart-5:#0e7490;--chart-6:#a16207"
)
_DARK: Final = (
    "--chart-back:#1d2128;--chart-text:#e8eaee;--chart-soft:#a0a7b5;--chart-grid:#353b47;"
    "--chart-1:#86a8ff;--chart-2:#fb923c;--chart-3:#4ade80;"
    "--chart-4:#c4a1ff;--chart-5:#22d3ee;--chart-6:#facc15"
)
STYLES: Final = f"""\
.chart{{{_LIGHT};max-width:100%;height:auto;font:12px system-ui,"Segoe UI",Roboto,sans-serif;\
font-variant-numeric:tabular-nums}}
@media screen and (prefers-color-scheme:dark){{.chart{{{_DARK}}}}}
.chart-back{{fill:var(--chart-back)}}
.chart text{{fill:var(--chart-soft)}}
.chart .chart-title,.chart .chart-name,.chart .chart-note{{fill:var(--chart-text)}}
.chart-title{{font-size:14px;font-weight:600}}
.chart-name{{font-weight:600}}
.chart-end{{text-anchor:end}}
.chart-middle{{text-anchor:middle}}
.chart-grid{{stroke:var(--chart-grid)}}
.chart-axis{{stroke:var(--chart-soft)}}
.chart-rule{{stroke:var(--chart-soft);stroke-dasharray:2 3}}
.chart-track{{fill:var(--chart-grid)}}
.chart-limit{{stroke:var(--chart-text);stroke-width:2}}
.chart-ends{{fill:none;stroke:var(--chart-text)}}
.chart-line{{fill:none;stroke:var(--chart-c);stroke-width:2;stroke-linejoin:round}}
.chart-bar{{fill:var(--chart-c)}}
.chart-open{{fill-opacity:.25;stroke:var(--chart-c);stroke-width:1.5;stroke-dasharray:4 2}}
.chart-band{{fill:var(--chart-c);fill-opacity:.2}}
.chart-dot{{fill:var(--chart-c);stroke:var(--chart-back);stroke-width:1.5}}
.chart-1{{--chart-c:var(--chart-1)}}
.chart-2{{--chart-c:var(--chart-2)}}
.chart-3{{--chart-c:var(--chart-3)}}
.chart-4{{--chart-c:var(--chart-4)}}
.chart-5{{--chart-c:var(--chart-5)}}
.chart-6{{--chart-c:var(--chart-6)}}
.chart-line.chart-2{{stroke-dasharray:7 3}}
.chart-line.chart-3{{stroke-dasharray:3 2}}
.chart-line.chart-4{{stroke-dasharray:9 2 2 2}}
.chart-line.chart-5{{stroke-dasharray:12 3}}
.chart-line.chart-6{{stroke-dasharray:1 2}}
"""
"""The style sheet of every chart, which follows the reader's choice of light or dark."""

SERIES: Final = 6
"""Colours, each with a dash of its own for lines; further series begin anew."""


class Svg(str):
    """A document of SVG: a text, which a notebook shows as the picture that it is."""

    __slots__ = ()

    def _repr_svg_(self) -> str:
        return str(self)

    def __repr__(self) -> str:
        title = self.partition('aria-label="')[2].partition('"')[0]
        return f"<Svg: {title}>"


def parse_look(width: object, styled: object) -> tuple[int, bool]:
    """Return the width of a picture in pixels, and whether its styles are in it."""
    pixels, within = parse_all((_parse_width, width, "width"), (parse_flag, styled, "styled"))
    return pixels, within


def _parse_width(value: object, field: Field) -> int:
    if not is_a(value, int) or is_a(value, bool):
        raise InvalidType(field, value, "must be a whole number of pixels")
    if not _NARROWEST <= value <= _WIDEST:
        raise InvalidValue(field, value, f"must be from {_NARROWEST} to {_WIDEST} pixels")
    return value


def coordinate(value: Coordinate) -> str:
    """Write a coordinate to the hundredth of a pixel, with no float on the way.

    >>> coordinate(Fraction(1, 3)), coordinate(Fraction(-5, 2)), coordinate(7)
    ('0.33', '-2.5', '7')
    """
    hundredths = round(value * 100)
    pixels, rest = divmod(abs(hundredths), 100)
    sign = "-" if hundredths < 0 else ""
    return f"{sign}{pixels}.{rest:02}".rstrip("0").rstrip(".")


def escaped(text: str) -> str:
    """Write a text as it stands in a document."""
    return text.translate(_ESCAPES)


def element(tag: str, content: str = "", /, **attributes: str | Coordinate) -> str:
    """Write an element; texts of attributes are escaped, and its content is SVG already.

    Of the name of an attribute, a ``_`` at the end is left out (``class_``).

    >>> element("text", escaped("a < b"), class_="note", x=Fraction(1, 2))
    '<text class="note" x="0.5">a &lt; b</text>'
    """
    written = "".join(
        f' {name.rstrip("_")}="{escaped(of) if isinstance(of, str) else coordinate(of)}"'
        for name, of in attributes.items()
    )
    return f"<{tag}{written}>{content}</{tag}>" if content else f"<{tag}{written}/>"


def label(text: str, x: Coordinate, y: Coordinate, class_: str = "") -> str:
    """Write a text at a place."""
    return element("text", escaped(text), class_=class_, x=x, y=y) if text else ""


def document(
    width: int, height: int, title: str, description: str, body: str, *, styled: bool = True
) -> Svg:
    """Return a document that says its title and description to who can't see it.

    :param styled: whether `STYLES` is in it; a page whose policy allows no styles within has them
        in a sheet of its own.
    """
    style = f"<style>{STYLES}</style>" if styled else ""
    spoken = element("title", escaped(title)) + element("desc", escaped(description))
    back = element("rect", class_="chart-back", width=width, height=height, rx=6)
    return Svg(
        f'<svg xmlns="http://www.w3.org/2000/svg" class="chart" role="img" '
        f'aria-label="{escaped(title)}" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}">{spoken}{style}{back}{body}</svg>'
    )
