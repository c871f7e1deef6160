"""Burndowns: values that add up, or are refused."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from overages import Currency
from overages._ground.value import evolve
from overages.codec import decode, encode
from overages.errors import InvalidType, InvalidValue, OveragesError
from overages.grants.burndown import Burndown
from overages.grants.state import Draw, GrantState

START = datetime(2024, 2, 1, tzinfo=UTC)
END = datetime(2024, 3, 1, tzinfo=UTC)
BALANCE = GrantState("g1", 100, 40, 5, 5, filled_at=START)
OTHER = GrantState("g0", 10, 10, filled_at=START)
DRAWS = (Draw("g0", START, 10), Draw("g1", START, 30), Draw("g1", END, 10, covered=7))
BURNDOWN = Burndown(END, "tokens", None, [BALANCE, OTHER], 20, 2, DRAWS)


def test_a_draw_covers_what_was_drawn_unless_it_says_less() -> None:
    assert [(draw.quantity, draw.covered) for draw in DRAWS] == [(10, 10), (30, 30), (10, 7)]
    with pytest.raises(InvalidValue, match="covered: must not be above the quantity, 5, got 6"):
        Draw("g1", START, 5, covered=6)
    with pytest.raises(InvalidValue, match="quantity: must be more than zero, got 0"):
        Draw("g1", START, 0)


def test_what_is_left_of_a_grant_is_what_became_of_nothing_else() -> None:
    assert BALANCE.left == 50
    with pytest.raises(
        InvalidValue, match="granted: must be at least the sum of drawn, expired and"
    ):
        GrantState("g1", 100, 40, 40, 40, filled_at=START)
    with pytest.raises(InvalidValue, match="drawn: must not be negative"):
        GrantState("g1", 100, -40, filled_at=START)


def test_a_burndown_sums_what_became_of_its_grants() -> None:
    assert BURNDOWN.remaining == {"g0": 0, "g1": 50}
    assert (BURNDOWN.granted, BURNDOWN.drawn, BURNDOWN.expired) == (110, 50, 5)
    assert (BURNDOWN.voided, BURNDOWN.left, BURNDOWN.covered) == (5, 50, 47)


def test_a_closed_period_leaves_what_remains() -> None:
    closed = BURNDOWN.closed()
    assert closed.closed() is closed
    assert closed == Burndown(END, "tokens", grants=[OTHER, BALANCE])
    assert (closed.remaining, closed.granted) == (BURNDOWN.remaining, BURNDOWN.granted)


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"metric": None}, InvalidValue, "metric: must be given, or a currency, or both"),
        ({"currency": "EURO"}, OveragesError, "currency: must be an ISO 4217 code"),
        ({"grants": [BALANCE, BALANCE, OTHER]}, InvalidValue, "grants: must name each grant"),
        ({"grants": [BALANCE, "g0"]}, InvalidType, r"grants\[1\]: must be of type GrantSta"),
        ({"grants": [BALANCE]}, InvalidValue, r"draws\[0\]: must be among the units drawn"),
        ({"overage": -1}, InvalidValue, "overage: must not be negative"),
        ({"draws": [*DRAWS, DRAWS[2]]}, InvalidValue, r"draws\[3\]: must be among the units"),
        ({"draws": [DRAWS[2], DRAWS[1]]}, InvalidValue, r"draws\[1\].at: must be in order"),
        ({"at": END - timedelta(days=1)}, InvalidValue, r"draws\[2\].at: must be in order, and n"),
        ({"draws": [5]}, InvalidType, r"draws\[0\]: must be of type Draw"),
    ],
)
def test_what_does_not_add_up_is_refused(
    changes: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=f"^{message}"):
        evolve(BURNDOWN, **changes)


def test_a_burndown_is_of_a_metric_of_money_or_of_money_for_a_metric() -> None:
    assert Burndown(END, "tokens").currency is None
    assert Burndown(END, currency="USD").currency == Currency("USD")
    assert Burndown(END, "tokens", "USD") != Burndown(END, "tokens")


def test_states_are_written_sorted_and_read_no_other_way() -> None:
    text = encode(BURNDOWN).decode()
    assert decode(text, Burndown) == BURNDOWN
    with pytest.raises(InvalidValue, match=r"^grants: must be sorted: "):
        decode(text.replace("g1", "f1"), Burndown)
