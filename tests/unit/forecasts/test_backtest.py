"""The backtest: by hand, on weeks of few units."""

from __future__ import annotations

from datetime import date, timedelta
from fractions import Fraction
from typing import cast

import pytest

from overages.forecasts.backtest import (
    Backtest,
    Bounds,
    Trial,
    Walked,
    backtest,
    bounds_of,
    typical_units,
    within_reach,
)
from overages.forecasts.daily_usage import DailyUsage
from overages.forecasts.methods import Method

MONDAY = date(2024, 1, 1)


def week(number: int, *picos: int, whole: bool = True) -> DailyUsage:
    first = MONDAY + timedelta(7 * number)
    return DailyUsage(tuple(first + timedelta(n) for n in range(len(picos))), picos, whole)


def trial(used: int, total: int, typical: int = 100, **forecasts: int) -> Trial:
    return Trial(used, total, Fraction(typical), cast("dict[Method, int]", forecasts))


@pytest.mark.parametrize(
    ("count", "k", "aim"),
    [
        (3, 1, Fraction(1, 2)),
        (8, 1, Fraction(7, 9)),
        (9, 1, Fraction(4, 5)),
        (12, 1, Fraction(11, 13)),
        (18, 1, Fraction(17, 19)),
        (19, 2, Fraction(4, 5)),
        (29, 3, Fraction(4, 5)),
    ],
)
def test_bounds_leave_out_a_tenth_at_either_end_at_most(count: int, k: int, aim: Fraction) -> None:
    residuals = [Fraction(n) for n in range(count)]
    assert bounds_of(reversed(residuals)) == Bounds(residuals[k - 1], residuals[-k], aim)


def test_two_residuals_have_no_bounds() -> None:
    assert bounds_of([Fraction(1), Fraction(2)]) is None


def test_typical_units_are_the_mean_of_the_last_three_whole_periods() -> None:
    before = [week(0, 999), week(1, 10), week(2, 20), week(3, 5, whole=False), week(4, 33)]
    assert typical_units(before) == 21
    assert typical_units(before[:1]) == 999
    assert typical_units([]) == 0


def test_a_period_is_tried_by_the_periods_before_it_alone() -> None:
    before = [week(0, 10, 0, 0, 2), week(1, 20, 4, 0, 0), week(2, 0, 0, whole=False)]
    methods: tuple[Method, ...] = ("elapsed_share", "last_period")
    assert backtest(before, 2, methods).trials == (
        Trial(10, 12, Fraction(), {"elapsed_share": 20}),
        Trial(24, 24, Fraction(12), {"elapsed_share": 48, "last_period": 26}),
    )


def test_of_a_period_without_that_day_it_is_the_day_before_the_last() -> None:
    tested = backtest([week(0, 10, 20, 30)], 5, ["elapsed_share"])
    assert tested.trials == (Trial(30, 60, Fraction(), {"elapsed_share": 45}),)


def test_a_forecast_is_rounded_to_a_pico_half_up() -> None:
    tested = backtest([week(0, 1, 2, 0)], 2, ["elapsed_share"])
    assert tested.trials[0].forecasts == {"elapsed_share": 5}  # 3 and 1.5


def test_methods_are_compared_over_the_same_periods() -> None:
    tested = Backtest(
        (
            trial(0, 100, elapsed_share=100),  # last_period had nothing to go by
            trial(0, 100, elapsed_share=150, last_period=90),
            trial(0, 300, elapsed_share=310, last_period=310),
        )
    )
    both: tuple[Method, ...] = ("last_period", "elapsed_share")
    assert tested.errors(both) == {
        "elapsed_share": Fraction(60, 400),
        "last_period": Fraction(20, 400),
    }
    assert tested.choice(both) == "last_period"
    assert tested.choice(["elapsed_share"]) == "elapsed_share"


def test_a_method_that_said_nothing_of_the_last_period_is_not_compared() -> None:
    tested = Backtest((trial(0, 9, past_share=9, weekday=1), trial(0, 9, weekday=1)))
    assert tested.errors(["weekday", "past_share"]) == {"weekday": Fraction(16, 18)}


def test_the_first_of_equal_methods_is_taken() -> None:
    tested = Backtest((trial(0, 10, weekday=12, elapsed_share=8, last_period=8),))
    assert tested.choice(["weekday", "last_period", "elapsed_share"]) == "elapsed_share"
    assert tested.choice(["weekday", "last_period"]) == "weekday"


def test_without_a_past_the_first_method_is_taken_that_can_speak() -> None:
    assert Backtest(()).choice(["last_period", "recent_days"]) == "recent_days"
    assert Backtest(()).choice([]) is None
    assert Backtest((trial(0, 5),)).choice(["weekday"]) == "weekday"


def test_periods_in_which_nothing_was_used_have_no_error() -> None:
    tested = Backtest((trial(0, 0, weekday=0), trial(0, 0, weekday=0)))
    assert tested.errors(["weekday"]) == {"weekday": 0}
    assert tested.walked() == Walked(2, None, 0, 0)


def test_residuals_are_shares_of_what_was_typical_then() -> None:
    tested = Backtest(
        (
            trial(0, 7, typical=0, weekday=1),  # nothing was before it
            trial(0, 110, weekday=100),
            trial(0, 50, weekday=60, typical=200),
            trial(0, 100, weekday=100),
            trial(0, 100, elapsed_share=100),
        )
    )
    assert tested.bounds("weekday") == Bounds(Fraction(-1, 20), Fraction(1, 10), Fraction(1, 2))
    assert tested.bounds("elapsed_share") is None


def reach(bounds: Bounds | None, least: int, typical: int = 50) -> list[int] | None:
    ends = within_reach(Fraction(100), bounds, Fraction(typical), least)
    return None if ends is None else [int(end) for end in ends]


def test_bounds_reach_from_the_forecast_and_not_below_what_is_used() -> None:
    bounds = Bounds(Fraction(-1, 2), Fraction(1, 10), Fraction(1, 2))
    assert reach(bounds, 80) == [80, 105]
    assert reach(bounds, 0) == [75, 105]
    assert reach(Bounds(Fraction(1, 5), Fraction(1, 2), Fraction(1, 2)), 0) == [100, 125]
    assert reach(Bounds(Fraction(-1, 2), Fraction(-1, 5), Fraction(1, 2)), 0) == [75, 100]
    assert reach(None, 0) is None
    assert reach(bounds, 0, typical=0) is None


def test_the_choice_is_walked_forward() -> None:
    tested = Backtest(
        (
            trial(0, 50),  # nothing could be said
            trial(10, 100, elapsed_share=90, weekday=100),
            trial(10, 100, elapsed_share=90, weekday=105),
            trial(10, 100, elapsed_share=90, weekday=95),
            trial(10, 104, elapsed_share=60, weekday=100),  # by bounds of -5 to 5
            trial(10, 120, elapsed_share=60, weekday=100),
        )
    )
    # The first by the order of preference, all others by the weekday.
    walked = tested.walked()
    assert walked == Walked(5, Fraction(10 + 5 + 5 + 4 + 20, 524), 2, 1)


def test_a_level_may_end_lower_than_it_is() -> None:
    falls = [trial(100, 90, goes_on=100)] * 4
    assert Backtest(tuple(falls)).walked() == Walked(4, Fraction(40, 360), 1, 0)
    assert Backtest(tuple(falls)).walked(can_fall=True) == Walked(4, Fraction(40, 360), 1, 1)
