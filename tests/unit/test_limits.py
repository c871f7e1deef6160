"""Limits: what is left, and what a hard limit blocks."""

from typing import Any

import pytest

from overages import is_blocked, remaining
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
