"""Smoothing: windows worked out by hand, and what is refused."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from overages import smoothed_overage
from overages.errors import OveragesError


@pytest.mark.parametrize(
    ("billing", "window", "expected"),
    [
        ("as_it_occurs", "fixed", (0, 0, 0, 0, 100, 900, 0)),
        ("at_window_end", "fixed", (0, 0, 0, 0, 0, 1000, 0)),
        ("as_it_occurs", "rolling", (0, 0, 0, 33, 0, 0, 500)),
        ("at_window_end", "rolling", (0, 0, 0, 33, 0, 0, 500)),
    ],
)
def test_each_way_of_billing_and_each_window(
    billing: Any, window: Any, expected: tuple[int, ...]
) -> None:
    used = [700, 200, 333, 1000, 600, 900, 500]
    assert smoothed_overage(used, 500, 3, billing=billing, window=window) == expected


def test_a_rolling_window_charges_as_it_occurs_before_its_end_and_then_begins_anew() -> None:
    used = [0, 40, 5, 10, 10, 10]
    assert smoothed_overage(used, 10, 3, window="rolling") == (0, 10, 5, 0, 0, 0)
    late = smoothed_overage(used, 10, 3, billing="at_window_end", window="rolling")
    assert late == (0, 0, 15, 0, 0, 0)


def test_a_rolling_window_without_overage_moves_on_by_a_period() -> None:
    assert smoothed_overage([30, 0, 0, 30, 0, 30], 10, 3, window="rolling") == (0, 0, 0, 0, 0, 30)


def test_an_annual_allowance_is_drawn_by_the_month() -> None:
    months = [100] * 11 + [250] + [400]
    found = smoothed_overage(months, 1_100, 12, included_per="window")
    assert found == (0,) * 11 + (250, 0)


def test_a_window_that_has_not_ended_is_not_billed_at_its_end() -> None:
    assert smoothed_overage([50, 50], 10, 3, billing="at_window_end") == (0, 0)
    assert smoothed_overage([50, 50], 10, 3) == (20, 50)


def test_quantities_have_decimals_and_there_may_be_none() -> None:
    assert smoothed_overage(["0.7", "0.5"], "0.5", 2) == (0, Decimal("0.2"))
    assert smoothed_overage([], 5, 3) == ()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: smoothed_overage(5, 1, 1), "used: must be a list, or something else to iterate"),  # type: ignore[arg-type]
        (lambda: smoothed_overage([1, -1], 1, 1), "used[1]: must not be negative, got -1"),
        (lambda: smoothed_overage([1.0], 1, 1), "used[0]: must be an int, a Decimal or a decimal"),  # type: ignore[list-item]
        (lambda: smoothed_overage([], -1, 1), "included: must not be negative, got -1"),
        (lambda: smoothed_overage([], 1, 0), "periods: must be from 1 to 1,000,000, got 0"),
        (
            lambda: smoothed_overage([], 1, 1, billing="never"),  # type: ignore[arg-type]
            "billing: must be one of as_it_occurs, at_window_end, got 'never'",
        ),
        (
            lambda: smoothed_overage([], 1, 1, window="open"),  # type: ignore[arg-type]
            "window: must be one of fixed, rolling, got 'open'",
        ),
        (
            lambda: smoothed_overage([], 1, 1, included_per="year"),  # type: ignore[arg-type]
            "included_per: must be one of period, window, got 'year'",
        ),
    ],
)
def test_what_is_not_lawful_is_refused(call: Callable[[], object], message: str) -> None:
    with pytest.raises(OveragesError) as caught:
        call()
    assert str(caught.value).startswith(message)
