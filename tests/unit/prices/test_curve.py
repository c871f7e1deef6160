"""Cost curves: where the cost bends or leaps, whatever the price."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from typing import Any

import pytest
from tests.pictures import points, said, texts

from overages import (
    Allowance,
    Graduated,
    Money,
    Package,
    Percentage,
    PerUnit,
    PriceModel,
    Tier,
    Volume,
)
from overages.errors import (
    FaultyPriceModel,
    InvalidType,
    InvalidValue,
    InvalidValues,
    UnknownCurrency,
)
from overages.prices.curve import cost_points
from overages.prices.tier import Charge

GRADUATED = Graduated([Tier(10_000, "0.001"), Tier(None, "0.0005", flat="5")])


def curve(price: PriceModel, up_to: int) -> list[Any]:
    return list(cost_points(lambda quantity: price.charge(quantity).exact_cost, up_to))


def test_a_straight_line_has_two_points() -> None:
    assert curve(PerUnit("0.05"), 150) == [(0, 0), (150, Fraction("7.5"))]


def test_each_package_is_a_step() -> None:
    at = curve(Package(3, 1_000), 10_000)
    assert [cost for _, cost in at[1::2]] == [3 * n for n in range(1, 11)]
    for (_, low), (quantity, high) in pairwise(at):
        if high > low:  # a leap is drawn less than a pixel of 640 behind where it is
            assert 0 <= quantity % 1_000 <= Fraction(10_000, 976)


def test_a_flat_fee_is_a_leap() -> None:
    at = dict(curve(GRADUATED, 15_000))
    assert at[Fraction(0)] == 0
    assert at[Fraction(15_000)] == Fraction("17.5")
    rises = [after - before for before, after in pairwise(at.values())]
    assert sorted(rises)[-1] > 5


def test_a_volume_price_can_fall() -> None:
    costs = [cost for _, cost in curve(Volume([Tier(10, 2), Tier(None, 1)]), 20)]
    assert costs[-1] == max(costs) == 20
    assert min(costs[1:-1]) < 11


def test_fractions_of_the_finest_unit_are_not_asked_for() -> None:
    assert curve(PerUnit(1), 0) == [(0, 0), (0, 0)]
    at = cost_points(Decimal, Decimal("0.000000000001"))
    assert at[-1] == (Fraction(1, 10**12),) * 2


@pytest.mark.parametrize(
    ("price", "title", "last"),
    [
        (PerUnit("1.25", per=1_000), "Price: 1.25 per 1,000", ("100,000", "125")),
        (Package(40, size=100), "Price: 40 (packages of 100)", ("1,000", "400")),
        (Percentage("1.3"), "Price: 1.3 %", ("100", "1.3")),
        (GRADUATED, "Price: graduated", ("15,000", "17.5")),
        (Volume([Tier(None, 2)]), "Price: volume", ("100", "200")),
        (PerUnit(1, per=10**25), "", None),
    ],
)  # fmt: skip
def test_a_price_draws_all_that_is_in_it(
    price: Any, title: str, last: tuple[str, str] | None
) -> None:
    svg = price.to_svg(currency="EUR")
    if last is not None:
        assert texts(svg)[:2] == [title, "cost, EUR"]
        assert said(svg).startswith(f"{last[1]} EUR for {last[0]} units. ")
    assert said(svg).endswith(price.explain())


def test_a_price_draws_as_far_as_it_is_told_to() -> None:
    svg = GRADUATED.to_svg(up_to="250.5")
    assert said(svg).startswith("0.2505 major units for 250.5 units.")
    assert len(points(svg)[0]) == 2


def test_a_price_without_a_decimal_cost_is_drawn() -> None:
    assert said(PerUnit(1, per=3).to_svg(up_to=10)).startswith("10/3 major units for 10 units.")


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"up_to": 0}, InvalidValue),
        ({"up_to": 1.5}, InvalidType),
        ({"currency": "XQX"}, UnknownCurrency),
        ({"up_to": -1, "currency": 3}, InvalidValues),
        ({"width": 5}, InvalidValue),
        ({"styled": "no"}, InvalidType),
    ],
)
def test_a_picture_is_refused_with_what_is_wrong(
    arguments: dict[str, Any], error: type[Exception]
) -> None:
    for drawn in (PerUnit(1), Allowance(5, PerUnit(1))):
        with pytest.raises(error):
            drawn.to_svg(**arguments)


class TestAnAllowance:
    """Is drawn from the first unit on, most of which cost nothing."""

    def test_is_marked_where_the_included_units_end(self) -> None:
        svg = Allowance(50, PerUnit("1.00")).to_svg(currency="USD")
        assert "50 included" in texts(svg)
        assert said(svg) == "Nothing up to 50 units; 100 USD for 150 units. 1"
        (line,) = points(svg)
        (_, first), (_, second), *_ = line
        assert first == second

    def test_has_no_mark_where_all_units_are_included(self) -> None:
        svg = Allowance(None, PerUnit(1)).to_svg()
        assert said(svg) == "0 major units for 100 units. 1"

    def test_can_have_a_price_of_the_hosts_own(self) -> None:
        class Free:
            def charge(self, quantity: object, /) -> Charge:  # noqa: ARG002
                return Charge(())

        class Broken:
            def charge(self, quantity: object, /) -> Charge:
                raise ValueError(quantity)

        assert said(Allowance(1, Free()).to_svg()).startswith(
            "Nothing up to 1 units; 0 major units"
        )
        with pytest.raises(FaultyPriceModel):
            Allowance(1, Broken()).to_svg()

    def test_is_not_drawn_where_rules_decide_the_cost_too(self) -> None:
        allowance = Allowance(50, PerUnit(1), minimum=Money(1, "USD"))
        with pytest.raises(InvalidValue, match="must have no rule beside its included quantity"):
            allowance.to_svg()
