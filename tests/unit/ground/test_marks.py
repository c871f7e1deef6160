"""Axes with rounded ticks, and the marks between them."""

from __future__ import annotations

from fractions import Fraction

import pytest
from tests.pictures import number, parsed

from overages._ground.marks import (
    Axis,
    Band,
    Columns,
    Dot,
    Frame,
    Line,
    Mark,
    Rule,
    name_axis,
    number_axis,
    rounded_step,
    series_class,
    steps,
)

X = Axis("x", Fraction(0), Fraction(10), ())
Y = Axis("y", Fraction(-10), Fraction(10), ())
FRAME = Frame(left=0, top=0, right=100, bottom=200, x=X, y=Y)


def ticks(*values: int | Fraction, **more: bool | int) -> list[str]:
    axis = number_axis("a", values, str, **more)  # type: ignore[arg-type]
    return [text for _, text in axis.ticks]


@pytest.mark.parametrize(
    ("least", "step"),
    [
        ("1", "1"),
        ("1.5", "2"),
        ("2", "2"),
        ("3", "5"),
        ("6", "10"),
        ("999", "1000"),
        ("1000", "1000"),
        ("0.0011", "0.002"),
        ("1e-15", "1e-15"),
    ],
)
def test_a_step_is_one_two_or_five_times_a_power_of_ten(least: str, step: str) -> None:
    assert rounded_step(Fraction(least)) == Fraction(step)


def test_an_axis_begins_at_zero_and_ends_at_the_largest_value() -> None:
    axis = number_axis("a", [3, Fraction(15, 2)], str)
    assert (axis.low, axis.high) == (Fraction(0), Fraction(15, 2))
    assert [text for _, text in axis.ticks] == ["0", "2", "4", "6"]


def test_a_rounded_axis_goes_on_to_the_next_tick() -> None:
    assert ticks(7, is_rounded=True) == ["0", "2", "4", "6", "8"]
    assert ticks(8, is_rounded=True) == ["0", "2", "4", "6", "8"]
    assert ticks(-3, 7, is_rounded=True) == ["-4", "-2", "0", "2", "4", "6", "8"]


def test_an_axis_of_nothing_shows_one() -> None:
    assert ticks() == ticks(0) == ["0", "1/5", "2/5", "3/5", "4/5", "1"]


def test_an_axis_of_names_has_each_in_the_middle_of_its_stretch() -> None:
    axis = name_axis("m", ["Jan", "Feb"])
    assert axis.ticks == ((Fraction(1, 2), "Jan"), (Fraction(3, 2), "Feb"))
    assert axis.high == 2
    assert name_axis("m", []).high == 1


def test_a_line_goes_through_its_points() -> None:
    svg = Line([(Fraction(0), Fraction(-10)), (Fraction(10), Fraction(10))]).draw(FRAME)
    assert parsed(svg).get("points") == "0,200 100,0"


def test_steps_stay_at_each_point_until_the_next() -> None:
    one, three = Fraction(1), Fraction(3)
    assert steps([(one, one), (three, three)]) == ((one, one), (three, one), (three, three))
    assert steps([]) == ()


def test_a_band_lies_between_two_lines() -> None:
    edges = [(Fraction(0), Fraction(0), Fraction(10)), (Fraction(10), Fraction(-10), Fraction(0))]
    assert parsed(Band(edges).draw(FRAME)).get("points") == "0,100 100,200 100,100 0,0"


def test_columns_go_from_one_number_to_another() -> None:
    heights = [
        (Fraction(5), Fraction(0), Fraction(5), "up"),
        (Fraction(6), Fraction(-5), Fraction(0), "down"),
        (Fraction(7), Fraction(0), Fraction(0), "nothing"),
    ]
    up, down = parsed(f"<g>{Columns(heights).draw(FRAME)}</g>")
    assert (up.findtext("title"), down.findtext("title")) == ("up", "down")
    assert [number(up, name) for name in ("x", "y", "width", "height")] == [
        Fraction("46.5"), 50, 7, 50,
    ]  # fmt: skip
    assert [number(down, name) for name in ("y", "height")] == [100, 50]


@pytest.mark.parametrize(("at", "x"), [(1, 16), (9, 84)])
def test_a_text_beside_a_rule_stays_within_the_plot(at: int, x: int) -> None:
    line, text = parsed(f"<g>{Rule(Fraction(at), 'ten', row=1).draw(FRAME)}</g>")
    assert (number(line, "x1"), number(line, "y2")) == (at * 10, 200)
    assert (number(text, "x"), number(text, "y")) == (x, 30)
    assert ("chart-end" in text.get("class", "")) is (at == 9)


@pytest.mark.parametrize(("y", "below"), [(0, 90), (10, 12)])
def test_a_text_beside_a_dot_stays_within_the_plot(y: int, below: int) -> None:
    dot, text = parsed(f"<g>{Dot(Fraction(2), Fraction(y), 'a').draw(FRAME)}</g>")
    assert (number(dot, "cx"), number(dot, "cy")) == (20, 100 - 10 * y)
    assert number(text, "y") == below


def test_a_seventh_series_looks_as_the_first() -> None:
    assert [series_class(n) for n in (1, 6, 7)] == ["chart-1", "chart-6", "chart-1"]


@pytest.mark.parametrize(
    ("mark", "tag"),
    [
        (Line([], 2), "line"),
        (Band([], 2), "rect"),
        (Columns([], 2), "rect"),
        (Rule(Fraction(0), "", series=2), "line"),
        (Dot(Fraction(0), Fraction(0), "", 2), "line"),
    ],
)
def test_each_mark_has_a_sign_in_the_legend(mark: Mark, tag: str) -> None:
    sign = parsed(mark.key(10, 20))
    assert sign.tag == tag
    assert "chart-2" in sign.get("class", "")
