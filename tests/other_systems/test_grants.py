"""How grants and prepaid balances are drawn on in other billing systems, and in this library too.

Each row is a numeric fact that another system's tests or documentation assert: its id names the
system (Autumn, CGRateS, Device Cloud, Lago, OpenMeter, Polar). OpenMeter pays overage from whatever
is granted later in the same count, which is ``"repaid"`` here. Not sayable is a reset, at which a
new count of usage begins and grants are cut, or topped up, to a rollover (openmeter-rollover-002,
-005, -008): here a grant is refilled by its own cycle.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from overages import Cycle, Grant, Money, Period, PerUnit, Rounding
from overages.amounts.exact import Quantity
from overages.grants.draws import burn_down, draw

START = datetime(2024, 1, 1, tzinfo=UTC)
JAN = Period.month(2024, 1)


def after(days: int = 0, hours: int = 0, minutes: int = 0) -> datetime:
    """Return an instant some time after the beginning of 2024."""
    return START + timedelta(days=days, hours=hours, minutes=minutes)


def grant(id: str, units: str, priority: int = 1, **named: Any) -> Grant:
    """Return a grant of January, of the one metric that is used here."""
    dates = {"effective_at": START, "expires_at": JAN.end, **named}
    return Grant(id, units, metric="units", priority=priority, **dates)


DAILY = Cycle(START, unit="day")
DAILY_LATER = Cycle(after(days=1), unit="day")


@pytest.mark.parametrize(
    ("grants", "usage", "overage", "at", "balances", "over"),
    [
        # Voided half-way: what was left is lost, and what is used later is overage.
        pytest.param(
            [grant("g1", "100", voided_at=after(hours=1))],
            [(after(minutes=59), "50"), (after(minutes=61), "50")], "repaid", after(days=5),
            {"g1": 0}, 50, id="openmeter-grant-burndown-002",
        ),
        # The lower priority number first, in whatever order the grants come.
        pytest.param(
            [grant("g2", "100", 2), grant("g1", "100", 1)], [(after(hours=1), "120")], "repaid",
            after(days=1), {"g1": 0, "g2": 80}, 0, id="openmeter-grant-burndown-005",
        ),
        # The refill of the second day pays the 20 that the first day's didn't cover.
        pytest.param(
            [grant("g1", "100", recurrence=DAILY)], [(after(hours=1), "120")], "repaid",
            after(days=1, hours=1), {"g1": 80}, 0, id="openmeter-grant-burndown-008",
        ),
        # Another grant's beginning refills nothing.
        pytest.param(
            [
                grant("g1", "100", recurrence=DAILY_LATER),
                grant("g2", "100", 2, effective_at=after(days=1, hours=1)),
            ],
            [(after(days=1, minutes=30), "30"), (after(days=1, minutes=90), "20")],
            "repaid",
            after(days=1, hours=2),
            {"g1": 50, "g2": 100},
            0,
            id="openmeter-grant-burndown-011",
        ),
    ],
)  # fmt: skip
def test_grants_burn_down_as_they_do(
    grants: Sequence[Grant],
    usage: Sequence[tuple[datetime, str]],
    overage: Any,
    at: datetime,
    balances: dict[str, Quantity],
    over: Quantity,
) -> None:
    burndown = burn_down(grants, usage, metric="units", start=START, end=at, overage=overage)
    assert burndown.remaining == balances
    assert burndown.overage == over


@pytest.mark.parametrize(
    ("grants", "usage", "balances", "unreturned"),
    [
        # 300 were bought and used: giving 500 back restores 300, and 200 are reported.
        pytest.param(
            [grant("capped", "300")], [(after(hours=1), "300"), (after(hours=2), "-500")],
            {"capped": 300}, 200, id="autumn-prepaid-002",
        ),
        # The heavier bucket first; the other one is drawn on in steps of 60.
        pytest.param(
            [grant("seconds", "10", 0, step=1), grant("minutes", "70", 1, step=60)],
            [(after(hours=1), "20")], {"seconds": 0, "minutes": 10}, 0, id="cgrates-prepaid-002",
        ),
        # What doesn't roll over expires with the period, and so goes first.
        pytest.param(
            [grant("rolls over", "60", expires_at=None), grant("does not", "80")],
            [(after(hours=1), "100")], {"does not": 0, "rolls over": 40}, 0,
            id="polar-rollover-002",
        ),
    ],
)  # fmt: skip
def test_prepaid_balances_are_drawn_on_as_theirs(
    grants: Sequence[Grant],
    usage: Sequence[tuple[datetime, str]],
    balances: dict[str, Quantity],
    unreturned: Quantity,
) -> None:
    burndown = burn_down(grants, usage, metric="units", start=START, end=after(days=5))
    assert burndown.remaining == balances
    assert (burndown.overage, burndown.unreturned) == (0, unreturned)


def test_a_charge_is_drawn_from_prepaid_then_included_and_the_rest_is_overage() -> None:
    """devicecloud-prepaid-001"""
    grants = [
        Grant(source, Money.of(balance, "USD"), priority=i, effective_at=START)
        for i, (source, balance) in enumerate({"prepaid": 0, "included": 1}.items())
    ]
    burndown = draw(grants, Money.of(3, "USD"), JAN)
    assert [(drawn.grant_id, drawn.quantity) for drawn in burndown.draws] == [("included", 1)]
    assert burndown.overage == 2


def test_units_of_a_discounted_bundle_are_drawn_and_paid() -> None:
    """cgrates-prepaid-005"""
    units = draw([grant("bundle", "250", step=10, expires_at=None)], 70, JAN, metric="units")
    cost = Money.of(PerUnit(1).charge(units.covered).exact_cost, "USD")
    paid = draw([Grant("money", Money.of(350, "USD"), effective_at=START)], cost, JAN)
    assert (units.left, cost) == (180, Money.of(70, "USD"))
    assert (paid.left, paid.overage) == (280, 0)


def test_credits_and_money_keep_precisions_of_their_own() -> None:
    """lago-prepaid-002: credits have five decimals, the dollars each is worth one of have two."""
    drawn = Rounding.HALF_UP.round("14.28444499", "0.00001")
    worth = Money.of(PerUnit(1).charge(drawn).exact_cost, "USD", rounding="half_up")
    burndown = draw([Grant("wallet", Money.of(100, "USD"), effective_at=START)], worth, JAN)
    assert (str(drawn), worth) == ("14.28444", Money.of("14.28", "USD"))
    assert Money.of(burndown.left, "USD") == Money.of("85.72", "USD")
