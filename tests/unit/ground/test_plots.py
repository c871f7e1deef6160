"""Whole pictures: titles, legends and ticks that don't run into each other."""

from __future__ import annotations

from fractions import Fraction

import pytest
from tests.pictures import number, parsed, said, shapes, texts

from overages._ground.marks import Line, name_axis, number_axis
from overages._ground.plots import Meter, meters, plot
from overages._ground.svg import Svg

ONE = Fraction(1)


def drawn(*names: str, title: str = "Title", width: int = 640, x: str = "units") -> Svg:
    lines = [Line([(Fraction(0), ONE), (ONE, ONE)], n, name) for n, name in enumerate(names, 1)]
    axes = number_axis(x, [1_000_000], lambda n: f"{int(n):,}"), number_axis("cost", [1], str)
    return plot(title, "Described.", *axes, lines, width=width)


def test_a_plot_has_its_title_axes_and_description() -> None:
    svg = drawn("")
    assert said(svg) == "Described."
    assert texts(svg) == [
        "Title", "cost", "0", "1/5", "2/5", "3/5", "4/5", "1",
        "0", "200,000", "400,000", "600,000", "800,000", "1,000,000", "units",
    ]  # fmt: skip


def test_ticks_are_left_out_where_there_is_no_room() -> None:
    shown = texts(drawn("", width=320))
    assert [text for text in shown if text.endswith("000")] == ["400,000", "800,000"]


def test_the_last_tick_stays_within_the_picture() -> None:
    (last,) = [node for node in shapes(drawn(""), "chart-middle") if node.text == "1,000,000"]
    assert number(last, "x") + len("1,000,000") * 7 // 2 <= 640


def test_names_are_in_the_legend_in_as_many_lines_as_they_take() -> None:
    one, two = drawn("a", "b"), drawn("a" * 30, "b" * 30, width=320)
    places = [
        [(number(node, "x"), number(node, "y")) for node in shapes(svg, "chart-note")]
        for svg in (one, two)
    ]
    assert places == [[(44, 44), (91, 44)], [(44, 44), (44, 62)]]
    assert texts(drawn("", ""))[:2] == ["Title", "cost"]


def test_a_long_title_has_several_lines() -> None:
    svg = drawn("", title="A title that is too long for this", width=240)
    assert [node.text for node in shapes(svg, "chart-title")] == [
        "A title that is too long", "for this",
    ]  # fmt: skip
    assert parsed(svg).get("aria-label") == "A title that is too long for this"


def test_an_axis_without_a_title_takes_no_room_for_one() -> None:
    heights = [int(parsed(drawn("", x=x)).attrib["height"]) for x in ("units", "")]
    assert heights[0] - heights[1] == 18


def test_names_below_a_plot_are_all_shown_where_there_is_room() -> None:
    x, y = name_axis("", ["Jan", "Feb", "Mar"]), number_axis("", [1], str)
    assert texts(plot("T", "D", x, y, []))[-3:] == ["Jan", "Feb", "Mar"]
    assert texts(plot("T", "D", name_axis("", []), y, [], width=240))[0] == "T"


@pytest.mark.parametrize(("width", "lines"), [(640, 1), (240, 2)])
def test_a_meter_has_its_text_beside_its_name_or_below_it(width: int, lines: int) -> None:
    bar = Meter("tokens", "750,000 of 500,000, 250,000 over", [(ONE, 1)], ONE)
    svg = meters("T", "D", [bar], [("used", 1)], width=width)
    places = [number(node, "y") for name in ("chart-name", "chart-note")
              for node in shapes(svg, name) if node.text != "used"]  # fmt: skip
    assert (places[0] == places[1]) is (lines == 1)


def test_a_meter_fills_up_to_its_scale_and_is_marked_at_its_limit() -> None:
    bar = Meter("a", "b", [(Fraction(2), 1), (Fraction(0), 2), (ONE, 2)], Fraction(4), Fraction(3))
    svg = meters("T", "D", [bar], [], width=432)  # its legend has a limit, too
    assert [(number(node, "x"), number(node, "width")) for node in shapes(svg, "chart-bar")] == [
        (16, 200), (216, 100),
    ]  # fmt: skip
    assert [number(node, "x1") for node in shapes(svg, "chart-limit")][1:] == [316]


def test_a_meter_of_nothing_is_empty() -> None:
    svg = meters("T", "D", [Meter("a", "b", [(Fraction(0), 1)], Fraction(0))], [])
    assert shapes(svg, "chart-bar") == []
    assert len(shapes(svg, "chart-track")) == 1


def test_the_legend_of_meters_says_what_their_signs_are() -> None:
    limited = Meter("a", "b", [(ONE, 1)], Fraction(4), Fraction(3))
    bounded = Meter("c", "d", [(ONE, 1)], Fraction(4), ends=(ONE, Fraction(2)))
    legends = [texts(meters("T", "D", [bar], [("used", 1)]))[1:-2] for bar in (limited, bounded)]
    assert legends == [["used", "limit"], ["used", "low to high"]]
    both = meters("T", "D", [limited, bounded], [])
    assert len(shapes(both, "chart-limit")) == len(shapes(both, "chart-ends")) == 2
