"""Standing limits: what is left of them, and how they are told."""

from decimal import Decimal
from typing import Any

import pytest

from overages import Money, StandingLimit
from overages.errors import CurrencyMismatch, InvalidValue

TEN, THREE = Money(1000, "USD"), Money(300, "USD")


@pytest.mark.parametrize(
    ("limit", "used", "held", "left"),
    [
        (100, 70, 10, 20),
        (100, 70, 40, 0),
        ("0.5", "0.2", 0, Decimal("0.3")),
        (1, "0.2", 1, 0),
        (TEN, THREE, THREE, Money(400, "USD")),
        (THREE, TEN, THREE, Money(0, "USD")),
    ],
)
def test_what_is_left_is_never_negative(limit: Any, used: Any, held: Any, left: Any) -> None:
    assert StandingLimit("budget", limit, used, held).remaining == left


@pytest.mark.parametrize(
    ("kind", "named", "text"),
    [
        ("included", {"metric": "runs"}, "runs: included 1,000, used 70, 930 left"),
        (
            "own_limit",
            {"metric": "runs", "held": 5},
            "runs: own limit 1,000, used 70, held 5, 925 left",
        ),
        ("hard_limit", {"metric": "runs"}, "runs: hard limit 1,000, used 70, 930 left"),
        ("grants", {}, "grants 1,000, used 70, 930 left"),
        ("grants", {"name": "pack"}, "grant pack 1,000, used 70, 930 left"),
        ("budget", {"name": "daily"}, "budget daily 1,000, used 70, 930 left"),
        ("unknown_metric", {"metric": "runs"}, "runs: the plan doesn't know it"),
        ("no_terms", {}, "no terms hold"),
    ],
)
def test_a_limit_is_told_in_a_line(kind: Any, named: dict[str, Any], text: str) -> None:
    limit = StandingLimit(kind, 1_000, 70, **{"held": 0, **named})
    assert limit.explain() == str(limit) == text


def test_money_is_told_with_its_currency() -> None:
    told = StandingLimit("budget", TEN, THREE, THREE, name="all").explain()
    assert told == "budget all 10.00 USD, used 3.00 USD, held 3.00 USD, 4.00 USD left"
    assert (
        StandingLimit("grants", TEN, THREE, Money(0, "USD"))
        .explain()
        .endswith("used 3.00 USD, 7.00 USD left")
    )


def test_measures_are_of_one_kind_and_currency() -> None:
    with pytest.raises(InvalidValue, match=r"^used: must be of one kind with the limit, units or"):
        StandingLimit("budget", 5, THREE, 0)
    with pytest.raises(InvalidValue, match=r"^held: must be of one kind with the limit"):
        StandingLimit("budget", TEN, THREE, 0)
    with pytest.raises(CurrencyMismatch, match=r"^held: USD and EUR can't be added or compared"):
        StandingLimit("budget", TEN, THREE, Money(1, "EUR"))


def test_what_is_no_limit_is_refused() -> None:
    kind: Any = "soft"
    with pytest.raises(InvalidValue, match=r"^kind: must be one of included, own_limit, hard_li"):
        StandingLimit(kind, 5, 0, 0)
    with pytest.raises(InvalidValue, match=r"^limit: must not be negative"):
        StandingLimit("budget", -5, 0, 0)
