"""Documents of SVG: exact coordinates, texts that are safe, and colours that can be told apart."""

from __future__ import annotations

import re
from fractions import Fraction
from itertools import product

import pytest
from tests.colours import contrast
from tests.pictures import SVG, parsed

from overages._ground.svg import STYLES, Svg, coordinate, document, element, label, parse_look
from overages.errors import InvalidType, InvalidValue, InvalidValues


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (100, "100"),
        (Fraction(1, 3), "0.33"),
        (Fraction(2, 3), "0.67"),
        (Fraction(-1, 3), "-0.33"),
        (Fraction(1, 1000), "0"),
        (Fraction(-1, 1000), "0"),
        (Fraction(1999, 1000), "2"),
        (Fraction(2**80 + 1, 2), "604462909807314587353088.5"),
    ],
)
def test_a_coordinate_is_exact_to_the_hundredth(value: int | Fraction, text: str) -> None:
    assert coordinate(value) == text


def test_a_text_can_hold_anything() -> None:
    text = """<script>"&'"""
    assert parsed(f"<a>{label(text, 1, 2)}</a>").findtext("text") == text
    assert parsed(element("a", title=text)).get("title") == text


def test_no_text_has_no_element() -> None:
    assert label("", 1, 2) == ""


def test_a_document_is_a_picture_that_says_what_it_shows() -> None:
    svg = document(300, 100, 'a "b"', "c < d", element("rect"))
    root = parsed(svg)
    assert [node.tag.removeprefix(SVG) for node in root] == [
        "title", "desc", "style", "rect", "rect",
    ]  # fmt: skip
    assert (root.get("role"), root.get("aria-label")) == ("img", 'a "b"')
    assert (root.findtext(f"{SVG}title"), root.findtext(f"{SVG}desc")) == ('a "b"', "c < d")
    assert root.findtext(f"{SVG}style") == STYLES
    assert root.get("viewBox") == "0 0 300 100"


def test_a_document_can_leave_its_styles_to_a_sheet() -> None:
    svg = document(300, 100, "a", "b", "", styled=False)
    assert "<style" not in svg
    assert "style=" not in svg


def test_a_notebook_shows_a_document_as_a_picture() -> None:
    svg = document(300, 100, "a", "b", "")
    assert type(svg) is Svg
    assert svg._repr_svg_() == svg
    assert type(svg._repr_svg_()) is str
    assert repr(svg) == "<Svg: a>"


def test_no_document_runs_or_loads_anything() -> None:
    svg = document(300, 100, "a", "b", "")
    rest = svg.replace('xmlns="http://www.w3.org/2000/svg"', "")
    assert not re.search(r"script|href|url\(|@import|https?:", rest)


@pytest.mark.parametrize("width", [240, 640, 4096])
def test_the_width_is_a_number_of_pixels(width: int) -> None:
    assert parse_look(width, False) == (width, False)


@pytest.mark.parametrize(
    ("width", "styled", "error"),
    [
        (True, True, InvalidType),
        ("640", True, InvalidType),
        (239, True, InvalidValue),
        (4097, True, InvalidValue),
        (640, 1, InvalidType),
        (0, None, InvalidValues),
    ],
)
def test_another_look_is_refused(width: object, styled: object, error: type[Exception]) -> None:
    with pytest.raises(error):
        parse_look(width, styled)


def themes() -> list[dict[str, str]]:
    light, dark = re.findall(r"\.chart\{(--chart-back[^}]*)\}?", STYLES)
    return [dict(re.findall(r"--chart-(\w+):(#[0-9a-f]{6})", theme)) for theme in (light, dark)]


@pytest.mark.parametrize("theme", themes(), ids=["light", "dark"])
def test_each_colour_can_be_told_from_the_ground(theme: dict[str, str]) -> None:
    """WCAG 2.2: 4.5 to 1 for text (1.4.3), 3 to 1 for shapes (1.4.11)."""
    assert sorted(theme) == ["1", "2", "3", "4", "5", "6", "back", "grid", "soft", "text"]
    for name, least in product(["text", "soft"], ["4.5"]):
        assert contrast(theme[name], theme["back"]) >= Fraction(least)
    for name in "123456":
        assert contrast(theme[name], theme["back"]) >= 3


def test_each_series_of_lines_has_a_dash_of_its_own() -> None:
    dashes = re.findall(r"\.chart-line\.chart-\d\{stroke-dasharray:([^}]*)\}", STYLES)
    assert len(dashes) == len(set(dashes)) == 5
