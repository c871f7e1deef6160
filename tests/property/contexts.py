"""Ambient decimal contexts that a host may have set, the worst that `decimal` allows among them."""

from __future__ import annotations

import decimal
from collections.abc import Iterator
from contextlib import contextmanager

from hypothesis import strategies as st

ROUNDINGS = [
    decimal.ROUND_CEILING,
    decimal.ROUND_DOWN,
    decimal.ROUND_FLOOR,
    decimal.ROUND_HALF_DOWN,
    decimal.ROUND_HALF_EVEN,
    decimal.ROUND_HALF_UP,
    decimal.ROUND_UP,
    decimal.ROUND_05UP,
]
SIGNALS = [
    decimal.Clamped,
    decimal.DivisionByZero,
    decimal.FloatOperation,
    decimal.Inexact,
    decimal.InvalidOperation,
    decimal.Overflow,
    decimal.Rounded,
    decimal.Subnormal,
    decimal.Underflow,
]


def decimal_contexts() -> st.SearchStrategy[decimal.Context]:
    """Return contexts of any precision from 1 to 60, rounding, bounds, traps and notation."""
    return st.builds(
        decimal.Context,
        prec=st.integers(1, 60),
        rounding=st.sampled_from(ROUNDINGS),
        Emin=st.sampled_from([0, -1, -6, -999_999, decimal.MIN_EMIN]),
        Emax=st.sampled_from([0, 1, 6, 999_999, decimal.MAX_EMAX]),
        capitals=st.sampled_from([1, 0]),
        clamp=st.sampled_from([0, 1]),
        flags=st.just([]),
        traps=st.one_of(
            st.just(SIGNALS), st.just([]), st.lists(st.sampled_from(SIGNALS), unique=True)
        ),
    )


@contextmanager
def ambient(context: decimal.Context) -> Iterator[decimal.Context]:
    """Run a block, or a function that this decorates, under a decimal context.

    It gives the context in force, which is a copy: what was given stays as it is.
    """
    with decimal.localcontext(context) as active:
        yield active
