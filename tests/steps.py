"""How many steps a call takes: a measure of its work that no busy machine changes."""

import sys
from collections.abc import Callable
from typing import Any


def steps(call: Callable[[], object]) -> int:
    """Return how many functions a call calls, those written in C among them."""
    count = 0

    def profile(frame: Any, event: str, argument: Any) -> None:
        del frame, argument
        nonlocal count
        count += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(profile)
    try:
        call()
    finally:
        sys.setprofile(before)
    return count
