"""What other billing systems let an org use, and this library too.

Each row is a numeric fact that another system's tests assert: its id names the system (Meteroid).
"""

import pytest

from overages import is_blocked, remaining


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
