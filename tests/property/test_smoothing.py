"""Smoothing: the two ways to bill a window charge the same, and nothing is charged twice."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from hypothesis import given, strategies as st

from overages import smoothed_overage
from overages.testing.numerals import modest_numbers

from .contexts import ambient, decimal_contexts
from .effort import many

numbers = modest_numbers.map(lambda number: number.first)
usages = st.lists(numbers | st.integers(0, 30), max_size=14)
included = numbers | st.integers(0, 15)
sizes = st.integers(1, 5)
windows = st.sampled_from(["fixed", "rolling"])
billings = st.sampled_from(["as_it_occurs", "at_window_end"])
pers = st.sampled_from(["period", "window"])


def total(quantities: Sequence[Any]) -> Fraction:
    """Return an exact sum."""
    return sum(map(Fraction, quantities), Fraction())


@many
@given(usages, included, sizes)
def test_both_billings_come_to_the_same_in_each_fixed_window(
    used: list[Any], base: Any, size: int
) -> None:
    used = used[: len(used) // size * size]
    early = smoothed_overage(used, base, size)
    late = smoothed_overage(used, base, size, billing="at_window_end")
    for start in range(0, len(used), size):
        window = slice(start, start + size)
        expected = max(Fraction(0), total(used[window]) - Fraction(base) * size)
        assert total(early[window]) == total(late[window]) == expected
        assert not any(late[start : start + size - 1])


@many
@given(usages, included, sizes)
def test_both_billings_come_to_the_same_at_the_end_of_each_rolling_window(
    used: list[Any], base: Any, size: int
) -> None:
    early = smoothed_overage(used, base, size, window="rolling")
    late = smoothed_overage(used, base, size, billing="at_window_end", window="rolling")
    for n, due in enumerate(late, 1):
        assert total(early[:n]) >= total(late[:n])
        if due:
            assert total(early[:n]) == total(late[:n])


@many
@given(usages, included, sizes, windows, billings, pers)
def test_what_is_used_later_changes_nothing_that_is_owed(
    used: list[Any], base: Any, size: int, window: Any, billing: Any, per: Any
) -> None:
    named = {"window": window, "billing": billing, "included_per": per}
    whole = smoothed_overage(used, base, size, **named)
    for n in range(len(used)):
        assert smoothed_overage(used[:n], base, size, **named) == whole[:n]


@many
@given(usages, included, sizes, windows, billings, pers)
def test_overage_is_never_negative_nor_more_than_was_used(
    used: list[Any], base: Any, size: int, window: Any, billing: Any, per: Any
) -> None:
    found = smoothed_overage(used, base, size, window=window, billing=billing, included_per=per)
    assert len(found) == len(used)
    assert all(quantity >= 0 for quantity in found)
    assert all(total(found[:n]) <= total(used[:n]) for n in range(len(used) + 1))


@many
@given(usages, included, sizes)
def test_a_rolling_window_with_overage_has_all_of_it_and_windows_with_it_share_no_period(
    used: list[Any], base: Any, size: int
) -> None:
    late = smoothed_overage(used, base, size, billing="at_window_end", window="rolling")
    last = -1
    for n, due in enumerate(late):
        if due:
            assert n - size >= last
            window = total(used[n - size + 1 : n + 1])
            assert Fraction(due) == window - Fraction(base) * size
            last = n
        elif n - size >= last:
            assert total(used[n - size + 1 : n + 1]) <= Fraction(base) * size


@given(usages, included, windows, billings)
def test_a_window_of_one_period_is_no_smoothing(
    used: list[Any], base: Any, window: Any, billing: Any
) -> None:
    found = smoothed_overage(used, base, 1, window=window, billing=billing)
    assert list(map(Fraction, found)) == [
        max(Fraction(0), Fraction(quantity) - Fraction(base)) for quantity in used
    ]


@given(usages, included, sizes, windows, decimal_contexts())
def test_smoothing_is_exact_under_any_context(
    used: list[Any], base: Any, size: int, window: Any, context: Any
) -> None:
    expected = smoothed_overage(used, base, size, window=window)
    with ambient(context):
        assert smoothed_overage(used, base, size, window=window) == expected
