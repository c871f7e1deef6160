"""Messages: what a person is told of a threshold."""

from __future__ import annotations

from typing import Any

import pytest

from overages import Alert, Money, Threshold
from overages.alerts.messages import amount_text, message_of

TEN = Money.of("10", "USD")


@pytest.mark.parametrize(
    ("threshold", "subject", "numbers", "message"),
    [
        (Threshold(percent=90), {"metric": "runs"}, (46, 50, 4),
         "90 % of runs are used: 46 of 50, 4 remaining"),
        (Threshold(percent=90), {"grant": "pack"}, (46, 50, 4),
         "90 % of grant pack is used: 46 of 50, 4 remaining"),
        (Threshold(percent=90), {"budget": "all"}, (46, 50, 4),
         "90 % of budget all is used: 46 of 50, 4 remaining"),
        (Threshold(quantity=80), {"metric": "runs"}, (80, None, None),
         "use of runs reached 80: now 80"),
        (Threshold(percent=10, direction="falling"), {"metric": "runs"}, (5, 50, 45),
         "use of runs fell to 10 %: 5 of 50, 45 remaining"),
        (Threshold(quantity=5, of="remaining"), {"metric": "runs"}, (45, 50, 5),
         "5 or less of runs remain: 45 of 50, 5 remaining"),
        (Threshold(quantity=5, of="remaining", direction="rising"), {"metric": "runs"}, (5, 50, 45),
         "5 or more of runs remain: 5 of 50, 45 remaining"),
        (Threshold(percent=0, of="remaining"), {"grant": "pack"}, (50, 50, 0),
         "none of grant pack remains: 50 of 50, 0 remaining"),
        (Threshold(quantity=1, of="overage"), {"metric": "runs"}, (76, 50, 0),
         "overage of runs reached 1: now 26, 76 of 50 used"),
        (Threshold(cost=TEN), {}, (TEN, None, None), "cost reached 10.00 USD: now 10.00 USD"),
        (Threshold(cost=TEN), {"metric": "runs"}, (TEN, None, None),
         "cost of runs reached 10.00 USD: now 10.00 USD"),
        (Threshold(cost=TEN), {"budget": "all"}, (TEN, TEN + TEN, TEN),
         "use of budget all reached 10.00 USD: 10.00 USD of 20.00 USD, 10.00 USD remaining"),
    ],
)  # fmt: skip
def test_it_says_what_was_reached_and_the_numbers(
    threshold: Threshold, subject: dict[str, Any], numbers: tuple[Any, Any, Any], message: str
) -> None:
    assert (
        message_of(Alert("a", threshold, **subject), threshold, 1, "reached", *numbers) == message
    )


def test_it_says_what_became_of_it() -> None:
    threshold = Threshold(percent=50, repeat=True)
    alert = Alert("a", threshold, metric="runs")
    assert message_of(alert, threshold, 2, "cleared", 4, 5, 1).startswith(
        "no longer: 100 % of runs are used:"
    )
    assert message_of(alert, threshold, 1, "rearmed", 1, 5, 4).startswith(
        "to be told of again: 50 %"
    )


def test_no_amount_is_no_text() -> None:
    assert amount_text(None) == ""
