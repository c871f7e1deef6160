"""What other billing systems let an org use, and this library too.

Each row is a numeric fact that another system's tests assert: its id names the system (Autumn,
Meteroid).
"""

import pytest

from overages import is_blocked, overage_cap, remaining, strictest


@pytest.mark.parametrize(
    ("used", "limit", "left", "blocked"),
    [
        pytest.param(80, 50, 0, True, id="meteroid-limit-002"),
        pytest.param(999, None, None, False, id="meteroid-limit-005"),
    ],
)
def test_a_hard_limit_blocks_and_leaves_what_the_other_system_says(
    used: int, limit: int | None, left: int | None, blocked: bool
) -> None:
    assert remaining(used, limit) == left
    assert is_blocked(used, limit, "inclusive") is blocked


@pytest.mark.parametrize(
    ("included", "percent", "cap", "accepted"),
    [pytest.param([100, 50], 120, 180, 330, id="autumn-cap-002")],
)
def test_overage_is_capped_as_the_other_system_caps_it(
    included: list[int], percent: int, cap: int, accepted: int
) -> None:
    assert overage_cap(included, percent) == cap
    assert remaining(accepted, sum(included) + cap) == 0
    assert not is_blocked(accepted, sum(included) + cap, "exclusive")


@pytest.mark.parametrize(
    ("limits", "expected"),
    [pytest.param([(100, 1), (2000, 30)], 1, id="autumn-cap-005")],
)
def test_limits_over_several_windows_compare_by_the_day(
    limits: list[tuple[int, int]], expected: int
) -> None:
    assert strictest(limits) == expected
