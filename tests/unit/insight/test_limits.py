"""Limits: what is left, and what a hard limit blocks."""

from typing import Any

import pytest

from overages import is_blocked, overage_cap, remaining, strictest
from overages.errors import InvalidValue, InvalidValues


@pytest.mark.parametrize(
    ("used", "limit", "left"),
    [
        (0, 50, "50"),
        (30, 50, "20"),
        (50, 50, "0"),
        (80, 50, "0"),
        ("0.5", 1, "0.5"),
        (9, None, "None"),
    ],
)
def test_what_remains_is_never_negative(used: Any, limit: Any, left: str) -> None:
    assert str(remaining(used, limit)) == left


@pytest.mark.parametrize(
    ("used", "limit", "inclusive", "exclusive"),
    [
        (49, 50, False, False),
        (50, 50, True, False),
        ("50.5", 50, True, True),
        (0, 0, True, False),
        (999, None, False, False),
    ],
)
def test_a_hard_limit_blocks_at_or_above_it(
    used: Any, limit: Any, inclusive: bool, exclusive: bool
) -> None:
    assert is_blocked(used, limit) is inclusive
    assert is_blocked(used, limit, "inclusive") is inclusive
    assert is_blocked(used, limit, "exclusive") is exclusive


def test_faults_are_named() -> None:
    other: Any = "at"
    with pytest.raises(InvalidValues) as caught:
        is_blocked(-1, -2, other)
    assert str(caught.value) == (
        "3 problems:\n"
        "- used: must not be negative, got -1\n"
        "- limit: must not be negative, got -2\n"
        "- comparison: must be one of inclusive, exclusive, got 'at'"
    )
    with pytest.raises(InvalidValue, match=r"^used: must not be negative, got -1$"):
        remaining(-1, 5)


def test_a_cap_on_overage_is_of_all_that_is_included_together() -> None:
    assert str(overage_cap(iter(["100", "50"]), "12.5")) == "18.75"
    assert overage_cap([], 120) == 0
    assert overage_cap([7], 0) == 0


def test_the_strictest_limit_is_that_of_the_fewest_units_a_day() -> None:
    assert strictest([(100, 1), (2_000, 30)]) == 1
    assert strictest([(3, 30), ("0.1", 1), (1, 7)]) == 0  # the first of equal ones
    assert strictest([(5, "0.5")]) == 0


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: overage_cap([1, -2], 50), "included[1]: must not be negative"),
        (lambda: overage_cap(["0.000000000001"], 1), "included x percent: "),
        (lambda: strictest([]), "limits: must hold one at least"),
        (lambda: strictest([(1, 2), (1, 0)]), "limits[1][1]: must be more than zero"),
        (lambda: strictest([5]), "limits[0]: must hold (units, days) alone"),  # type: ignore[list-item]
    ],
)
def test_what_no_limit_can_be_is_refused(call: Any, message: str) -> None:
    with pytest.raises(InvalidValue) as caught:
        call()
    assert message in str(caught.value)
