"""The terms of a line: by the plan of its part, or refused."""

from typing import Any

import pytest
from tests.settled import DOLLAR, MAR, day

from overages import Allowance, Discount, Graduated, Money, Overage, PerUnit, Plan, Tier
from overages.errors import CurrencyMismatch, InvalidValue, UnknownMetric
from overages.lines.limit_part import LimitPart
from overages.lines.line_terms import LineTerms, terms_of_line
from overages.lines.part import StatementPart, TimeShares
from overages.prices.prorated import for_a_share_of_time, prorated

FIRST, SECOND = MAR.split(day(12))
SHARES = TimeShares(MAR)
SHARE = SHARES.by_rule(Plan("p", "USD", {}).proration, SECOND)
TIERS = Graduated([Tier(10, price=2), Tier(None, price=1, flat=31)])
GIFT = Allowance(310, DOLLAR, discounts=[Discount("gift", quantity=31)])
ALLOWANCES = {"runs": Allowance(0, TIERS), "seats": Allowance(3, PerUnit(15)), "jobs": GIFT}
PARTS = [StatementPart(FIRST, Plan("first", "USD", {"runs": Allowance(0, DOLLAR), "jobs": GIFT}))]
PARTS += [StatementPart(SECOND, Plan("second", "USD", ALLOWANCES))]


def line(metric: str, price: Any, limit: int = 0, part: Any = SECOND, **named: Any) -> Overage:
    currency = named.pop("currency", "USD")
    return Overage(metric, 0, limit, price, Money(0, currency), part=part, **named)


def terms_of(overage: Overage) -> LineTerms:
    return terms_of_line(SHARES, PARTS, overage, ("lines", overage.metric))


def test_a_flow_has_the_tiers_of_its_share_and_a_level_the_prices() -> None:
    of_flow = prorated(TIERS, SHARE, ALLOWANCES["runs"].rounded, 1)
    terms = terms_of(line("runs", of_flow))
    assert (terms.line.allowance.price, terms.is_level) == (of_flow, False)
    of_level = for_a_share_of_time(PerUnit(15), SHARE)
    terms = terms_of(line("seats", of_level))
    assert (terms.line.allowance.price, terms.is_level) == (of_level, True)


@pytest.mark.parametrize(
    ("changes", "error", "problem"),
    [
        ({"part": MAR}, InvalidValue, r"^lines\.runs\.part: must lie within"),
        ({"part": None}, InvalidValue, r"^lines\.runs\.part: must lie in parts of the period in"),
        ({"metric": "gpus"}, UnknownMetric, "^lines.gpus"),
        ({"currency": "EUR"}, CurrencyMismatch, "USD and EUR"),
        ({"price": PerUnit(7)}, InvalidValue, r"^lines\.runs\.price: must be the plan's, or its"),
    ],
)
def test_a_line_has_part_metric_currency_and_price_of_its_plan(
    changes: dict[str, Any], error: type[Exception], problem: str
) -> None:
    with pytest.raises(error, match=problem):
        terms_of(line(**{"metric": "runs", "price": DOLLAR, **changes}))


def test_free_units_are_the_plans_for_the_time_of_the_line_or_a_longer_one() -> None:
    for free, part in ((20, SECOND), (11, FIRST), (31, SECOND)):
        parts = [LimitPart("included", 100), LimitPart("free", free, "gift")]
        terms_of(line("jobs", DOLLAR, 100 + free, part, limit_parts=parts))
    parts = [LimitPart("included", 100), LimitPart("free", 19, "gift")]
    with pytest.raises(InvalidValue, match=r"limit_parts: must have the plan's free units"):
        terms_of(line("jobs", DOLLAR, 119, limit_parts=parts))


def test_a_plan_includes_no_more_than_it_says() -> None:
    parts = [LimitPart("included", 311), LimitPart("free", 20, "gift")]
    with pytest.raises(InvalidValue, match=r"quantity: must be what the plan includes, 310, or a"):
        terms_of(line("jobs", DOLLAR, 331, limit_parts=parts))
