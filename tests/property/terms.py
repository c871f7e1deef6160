"""Small plans that say more than a quantity and a price, and bills of them.

@given(bills())
def test_...(bill: Bill) -> None:
    statement = bill.statement
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from functools import cache
from typing import Any

from hypothesis import strategies as st

from overages import (
    Allowance,
    Commitment,
    Conversion,
    Discount,
    Graduated,
    Money,
    Package,
    Percentage,
    Period,
    PerUnit,
    Plan,
    Rounding,
    Statement,
    Tier,
    Usage,
    Volume,
)
from tests.accounts import calculate_after

from .oracle_terms import Known

FEBRUARY = Period.month(2024, 2)
CODES = ["USD", "JPY", "KWD"]


@cache
def tenths(most: int, least: int = 0) -> st.SearchStrategy[Any]:
    """Return numbers with a decimal, as often as not whole."""
    return st.integers(least, most) | st.builds(
        lambda n: Decimal(n) / 10, st.integers(10 * least, 10 * most)
    )


amounts = st.sampled_from(["0", "0.004", "0.005", "0.333", "1", "2.5"])
roundings = st.sampled_from(Rounding)
prorations = st.sampled_from(["days", "seconds", "full"])


@st.composite
def tables(draw: st.DrawFn) -> list[Tier]:
    """Return two or three tiers; where several fees are due, later units may be cheaper."""
    bounds = sorted(draw(st.sets(st.integers(1, 40), min_size=1, max_size=2)))
    return [
        Tier(
            bound,
            draw(amounts),
            flat=draw(st.sampled_from(["0", "0", "0.5", "3"])),
            maximum=draw(st.sampled_from([None, None, 4])),
        )
        for bound in [*bounds, None]
    ]


def prices(at_zero: st.SearchStrategy[bool]) -> st.SearchStrategy[Any]:
    """Return price models of each kind; `at_zero` says whether a fee may be due for no units."""
    return st.one_of(
        st.builds(PerUnit, amounts, per=st.sampled_from([1, 3])),
        st.builds(
            Package,
            amounts,
            st.sampled_from([2, 7, "2.5"]),
            count=st.sampled_from(["started", "completed"]),
        ),
        st.builds(Percentage, st.sampled_from([0, "1.5", 33])),
        st.builds(lambda kind, rows, zero: kind(rows, flat_at_zero=zero),
                  st.sampled_from([Graduated, Volume]), tables(), at_zero),
    )  # fmt: skip


conversions = st.builds(
    Conversion,
    multiply=st.sampled_from([1, "1.5"]),
    divide=st.sampled_from([1, 2, 3]),
    increment=st.sampled_from([1, "0.5", 5]),
    minimum=st.sampled_from([0, 0, 3]),
    rounding=roundings,
)


@cache
def money(code: str) -> st.SearchStrategy[Money]:
    return st.integers(0, 3000).map(lambda minor: Money(minor, code))


@cache
def discounts(code: str, *, units: bool) -> st.SearchStrategy[list[Discount]]:
    """Return some discounts; `units` says whether there are free ones."""
    kinds: list[st.SearchStrategy[dict[str, Any]]] = [
        st.fixed_dictionaries({"percent": st.sampled_from([0, "12.5", 50, "99.9", 100])}),
        st.fixed_dictionaries({"amount": money(code)}),
    ]
    if units:
        kinds.append(st.fixed_dictionaries({"quantity": tenths(12)}))
    found = st.lists(st.one_of(kinds), max_size=2)
    return found.map(lambda ways: [Discount(f"d{i}", **way) for i, way in enumerate(ways)])


@cache
def bounds(code: str) -> st.SearchStrategy[dict[str, Any]]:
    """Return a maximum and a minimum that is no larger, or not."""

    def ordered(found: list[Money | None]) -> dict[str, Any]:
        if None not in found:
            found.sort(reverse=True)
        return dict(zip(("maximum", "minimum"), found, strict=True))

    return st.lists(st.none() | money(code), min_size=2, max_size=2).map(ordered)


def bounded(kind: Any, *, bounds: dict[str, Any], **rules: Any) -> Any:
    return kind(**rules, **bounds)


@cache
def allowances(code: str) -> st.SearchStrategy[Allowance]:
    """Return allowances with any of their rules."""
    rules = {"overage_factor": st.sampled_from(["1", "1.5", "3"]), "true_up": st.booleans()}
    return st.builds(
        bounded,
        st.just(Allowance),
        included=st.none() | tenths(20) | tenths(20),
        price=prices(st.booleans()),
        conversion=st.none() | conversions,
        included_per=st.sampled_from([None, None, "seats"]),
        proration=prorations,
        increment=st.sampled_from(["1", "0.1", "4"]),
        increment_rounding=roundings,
        discounts=discounts(code, units=True),
        commitment=st.none()
        | st.builds(Commitment, amount=money(code), **rules)
        | st.builds(Commitment, quantity=tenths(40), **rules),
        bounds=bounds(code),
    )


@cache
def plans(code: str | None = None) -> st.SearchStrategy[Plan]:
    """Return plans of two metrics and of seats."""
    if code is None:
        return st.one_of([plans(one) for one in CODES])
    seats = st.builds(Allowance, st.none() | st.just(2), st.just(PerUnit(1)))
    offers = {"a": allowances(code), "b": allowances(code), "seats": seats}
    return st.builds(
        bounded,
        st.just(Plan),
        slug=st.just("p"),
        currency=st.just(code),
        allowances=st.fixed_dictionaries(offers),
        rounding=roundings,
        rounding_scope=st.sampled_from(["line", "total"]),
        discounts=discounts(code, units=False),
        proration=prorations,
        bounds=bounds(code),
    )


@dataclass(frozen=True)
class Bill:
    """Something to calculate, and what is known of it."""

    plan: Plan
    usage: Usage
    known: Known

    @property
    def statement(self) -> Statement:
        """What `calculate` makes of it."""
        known = self.known
        return calculate_after(
            self.plan,
            self.usage,
            known.earlier,
            limits=known.limits,
            billing_period=known.whole,
            ended=known.ended,
        )


quantities = st.fixed_dictionaries(
    {}, optional={"a": tenths(60), "b": tenths(60), "seats": st.integers(0, 4)}
)


@st.composite
def bills(draw: st.DrawFn, code: str | None = None) -> Bill:
    """Return a bill of a month, or of a part of it."""
    whole = draw(st.sampled_from([None, FEBRUARY]))
    first, last = sorted(draw(st.sets(st.integers(0, 29), min_size=2, max_size=2)))
    part = Period(FEBRUARY.start + timedelta(days=first), FEBRUARY.start + timedelta(days=last))
    known = Known(
        limits=draw(st.dictionaries(st.sampled_from(["a", "b"]), st.none() | tenths(30))),
        whole=whole,
        earlier=draw(st.just({}) | quantities | st.just({"a": None})),
        ended=draw(st.booleans()),
    )
    period = FEBRUARY if whole is None else part
    return Bill(draw(plans(code)), Usage("org-1", period, draw(quantities)), known)
