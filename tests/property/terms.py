"""Small plans that say more than a quantity and a price, and bills of them.

@given(bills())
def test_...(bill: Bill) -> None:
    statement = bill.statement
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
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
    calculate,
)

from .oracle_terms import Known

FEBRUARY = Period.month(2024, 2)
CODES = ["USD", "JPY", "KWD"]


def tenths(most: int, least: int = 0) -> st.SearchStrategy[Any]:
    """Return numbers with a decimal, as often as not whole."""
    return st.integers(least, most) | st.builds(
        lambda n: Decimal(n) / 10, st.integers(10 * least, 10 * most)
    )


amounts = st.sampled_from(["0", "0.004", "0.005", "0.333", "1", "2.5"])
roundings = st.sampled_from(Rounding)


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


def money(code: str) -> st.SearchStrategy[Money]:
    return st.integers(0, 3000).map(lambda minor: Money(minor, code))


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


@st.composite
def bounds(draw: st.DrawFn, code: str) -> dict[str, Any]:
    """Return a maximum and a minimum that is no larger, or not."""
    found = [draw(st.none() | money(code)) for _ in range(2)]
    if None not in found:
        found.sort(reverse=True)
    return dict(zip(("maximum", "minimum"), found, strict=True))


@st.composite
def allowances(draw: st.DrawFn, code: str) -> Allowance:
    """Return an allowance with any of its rules."""
    worth: dict[str, Any] | None = draw(
        st.none()
        | st.fixed_dictionaries({"amount": money(code)})
        | st.fixed_dictionaries({"quantity": tenths(40)})
    )
    factor = draw(st.sampled_from(["1", "1.5", "3"]))
    rules: dict[str, Any] = {"overage_factor": factor, "true_up": draw(st.booleans())}
    commitment = None if worth is None else Commitment(**worth, **rules)
    return Allowance(
        draw(st.none() | tenths(20) | tenths(20)),
        draw(prices(st.booleans())),
        conversion=draw(st.none() | conversions),
        included_per=draw(st.sampled_from([None, None, "seats"])),
        proration=draw(st.sampled_from(["days", "seconds", "full"])),
        increment=draw(st.sampled_from(["1", "0.1", "4"])),
        increment_rounding=draw(roundings),
        discounts=draw(discounts(code, units=True)),
        commitment=commitment,
        **draw(bounds(code)),
    )


@st.composite
def plans(draw: st.DrawFn, code: str | None = None) -> Plan:
    """Return plans of two metrics and of seats."""
    currency = draw(st.sampled_from(CODES)) if code is None else code
    offers = {metric: draw(allowances(currency)) for metric in ("a", "b")}
    return Plan(
        "p",
        currency,
        {**offers, "seats": Allowance(draw(st.none() | st.just(2)), PerUnit(1))},
        rounding=draw(roundings),
        rounding_scope=draw(st.sampled_from(["line", "total"])),
        discounts=draw(discounts(currency, units=False)),
        proration=draw(st.sampled_from(["days", "seconds", "full"])),
        **draw(bounds(currency)),
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
        return calculate(
            self.plan,
            self.usage,
            limits=known.limits,
            whole=known.whole,
            earlier=known.earlier,
            final=known.final,
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
        final=draw(st.booleans()),
    )
    period = FEBRUARY if whole is None else part
    return Bill(draw(plans(code)), Usage("org-1", period, draw(quantities)), known)
