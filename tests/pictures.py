"""Read SVG as a browser does, for the tests of charts."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from xml.etree import ElementTree as ET

SVG = "{http://www.w3.org/2000/svg}"


def parsed(svg: str) -> ET.Element:
    """Return the root of a document, which must be well-formed."""
    return ET.fromstring(svg)  # of our own making


def texts(svg: str) -> list[str]:
    """Return the texts that can be read in a picture."""
    return [node.text or "" for node in parsed(svg).iter(f"{SVG}text")]


def said(svg: str) -> str:
    """Return the description for who can't see a picture."""
    return parsed(svg).findtext(f"{SVG}desc") or ""


def shapes(svg: str, class_: str, tag: str = "*") -> list[ET.Element]:
    """Return the shapes of a class."""
    return [
        node
        for node in parsed(svg).iter()
        if class_ in node.get("class", "").split() and tag in ("*", node.tag.removeprefix(SVG))
    ]


def number(node: ET.Element, name: str) -> Any:
    """Return a coordinate of a shape, a `Decimal`."""
    return Decimal(node.attrib[name])


def points(svg: str) -> list[list[tuple[Decimal, Decimal]]]:
    """Return the points of each line of a picture."""
    return [
        [tuple(map(Decimal, pair.split(","))) for pair in node.attrib["points"].split()]  # type: ignore[misc]
        for node in shapes(svg, "chart-line", "polyline")
    ]
