"""Strategies of Hypothesis for every value: lawful, of any size, and often at the edge of a rule.

    @given(plans(currencies=st.just("USD")).flatmap(lambda plan: usages(plan=plan)))
    def test_...(usage: Usage) -> None: ...

``st.from_type(Tier)`` draws values of a class, wherever the library is installed as a package;
elsewhere after `register()`. For values that are drawn together there are functions, with choices
of values that may be chosen. A failing test shrinks to values that can be read: small whole
numbers, US dollars, January 2024, one metric.
"""

from __future__ import annotations

try:
    from hypothesis import strategies as st
except ImportError as _missing:
    raise ImportError(
        "overages.testing.strategies needs Hypothesis, which overages[test] has: "
        "pip install 'overages[test]'"
    ) from _missing

from hypothesis.strategies import SearchStrategy as Strategy

from overages.amounts.money import Money
from overages.prices.models import PriceModel
from overages.testing import fields, insight as _insight, quotas as _quotas  # noqa: F401
from overages.testing.billing import accounts, statements, usages
from overages.testing.compared import comparisons
from overages.testing.fields import values
from overages.testing.plans import Currencies, allowances, plans
from overages.testing.prices import ANY_PRICE
from overages.testing.records import histories
from overages.testing.registration import register

__all__ = [
    "accounts", "allowances", "comparisons", "histories", "money", "names", "plans", "prices",
    "register", "statements", "usages", "values",
]  # fmt: skip


def names() -> Strategy[str]:
    """Return names of any script that a metric, an org, a plan or an event can have."""
    return fields.names


def money(currencies: Currencies = fields.currencies) -> Strategy[Money]:
    """Return amounts of money of either sign, some of them very large."""
    return st.builds(Money, fields.minor_units, currencies)


def prices() -> Strategy[PriceModel]:
    """Return price models of every class of the library."""
    return ANY_PRICE
