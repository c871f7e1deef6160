"""How other billing systems come from events to quantities, and this library too.

Each row is a numeric fact that another system's tests or documentation assert: its id names the
system (CGRateS, Kill Bill, Lago, OpenMeter, Polar). What their rules are called here stands in the
row. Amounts are in major currency units; those that a system states in no currency are taken for
US dollars.
"""

from datetime import datetime
from fractions import Fraction
from itertools import pairwise
from typing import Any

import pytest

from overages import (
    Allowance,
    Graduated,
    Increment,
    Metric,
    Money,
    Period,
    PerUnit,
    Plan,
    PriceModel,
    Tier,
    Usage,
    UsageEvent,
    calculate,
    charge_between,
    meter,
)
from overages.usage.metering import Meter


def event(at: str, quantity: str, **dimensions: str) -> UsageEvent:
    """Return an event at a time in UTC."""
    moment = datetime.fromisoformat(f"{at}+00:00")
    return UsageEvent("org-123", "units", quantity, moment, dimensions=dimensions)


def owed(usage: Usage, prices: dict[str, PriceModel]) -> Money:
    """Return what usage costs where nothing is included."""
    offers = {metric: Allowance(0, price) for metric, price in prices.items()}
    return calculate(Plan("plan", "USD", offers, rounding="half_up"), usage).total


@pytest.mark.parametrize(
    ("metric", "events", "period", "price", "expected"),
    [
        # What lies before the period or at its end is not counted.
        pytest.param(
            Metric("units"),
            [
                *(event("2015-03-01T00:00", "12"), event("2015-03-15T00:00", "6")),
                *(event("2015-03-25T00:00", "4"), event("2015-05-15T00:00", "13")),
                *(event("2015-05-31T00:00", "7"), event("2015-06-15T00:00", "100")),
            ],
            Period.parse("2015-05-15T00:00Z/2015-06-15T00:00Z"),
            "1",
            ("20", "20.00"),
            id="killbill-aggregation-001",
        ),
        # The level is carried from before the period; events change it.
        pytest.param(
            Metric("units", "time_weighted", reports="change"),
            [
                event("2023-03-10T00:00", "2500"),
                event("2023-04-04T00:00", "-2000"),
                event("2023-04-06T00:00", "-200"),
            ],
            Period.month(2023, 4),
            "1",
            ("533.333333333333", "533.33"),
            id="lago-aggregation-002",
        ),
        # All at the price that is in force last.
        pytest.param(
            Metric("units", "max"),
            [event(f"2024-02-0{day}T00:00", n) for day, n in enumerate("13212", 1)],
            Period.month(2024, 2), "15.00", ("3", "45.00"), id="polar-aggregation-001",
        ),
        # The first minute at once, then by the second.
        pytest.param(
            Metric("units", increment=Increment(1, first=60)), [event("2024-02-01T00:00", "132")],
            Period.month(2024, 2), "1", ("132", "132.00"), id="cgrates-increment-004",
        ),
    ],
)  # fmt: skip
def test_events_come_to_the_quantity_and_its_cost(
    metric: Metric, events: list[UsageEvent], period: Period, price: str, expected: tuple[str, str]
) -> None:
    def period_at(moment: datetime) -> Period:
        return period if moment in period else Period.month_of(moment).clipped(**ends(moment))

    def ends(moment: datetime) -> dict[str, datetime]:
        return {"end": period.start} if moment < period.start else {"start": period.end}

    for order in (events, events[::-1]):
        counted = Meter(period_at, [metric])
        for each in order:
            counted.add(each)
        (usage,) = counted.usages(period)
        assert str(usage.quantities["units"]) == expected[0]
        assert owed(usage, {"units": PerUnit(price)}) == Money.of(expected[1], "USD")


@pytest.mark.parametrize(
    ("call", "prices", "expected"),
    [
        # Ten minutes before midnight, and half an hour after it; what has no rate is by day.
        pytest.param(
            [event("2012-02-07T23:50", "600", rate="evening"), event("2012-02-08T00:00", "1800")],
            {"evening": PerUnit("0.5"), "units": PerUnit("1")},
            "2100.00",
            id="cgrates-timeofuse-002",
        )
    ],
)
def test_parts_of_a_call_have_the_price_of_their_time(
    call: list[UsageEvent], prices: dict[str, PriceModel], expected: str
) -> None:
    metrics = [Metric("evening", event="units", where={"rate": "evening"}), Metric("units")]
    (usage,) = meter(call, metrics=metrics)
    assert owed(usage, prices) == Money.of(expected, "USD")


@pytest.mark.parametrize(
    ("options", "quantity", "expected"),
    [
        pytest.param(
            {"factor": "0.001", "increment": 1}, "7400", "8", id="openmeter-unit-conversion-002"
        ),
        pytest.param({"factor": "1.5"}, "4.2", "6.3", id="openmeter-unit-conversion-005"),
        pytest.param(
            {"factor": Fraction(1, 1_000), "increment": Increment(1, rounding="half_up")},
            "3500",
            "4",
            id="openmeter-unit-conversion-008",
        ),
        pytest.param(
            {"factor": "0.001", "increment": "0.01"}, "1247", "1.25",
            id="openmeter-unit-conversion-011",
        ),
    ],
)  # fmt: skip
def test_units_are_converted_before_they_are_priced(
    options: dict[str, Any], quantity: str, expected: str
) -> None:
    (usage,) = meter([event("2024-02-01T00:00", quantity)], metrics=[Metric("units", **options)])
    assert str(usage.quantities["units"]) == expected
    if expected == "8":  # the tiers of the first case count converted units
        price = Graduated([Tier(5, price="1"), Tier(None, price="0.5")])
        assert owed(usage, {"units": price}) == Money.of("6.50", "USD")


@pytest.mark.parametrize(
    ("price", "expected"),
    [
        # At most 50.00 in all: five units at 10.00.
        pytest.param(
            Graduated([Tier(5, price="10"), Tier(None)]),
            [{1: 30}, {2: 20}, {1: 10, 2: -10}],
            id="openmeter-late-usage-002",
        ),
        # Half of that, by a discount, and at most 25.00.
        pytest.param(
            Graduated([Tier(5, price="5"), Tier(None)]),
            [{1: 15}, {2: 10}, {1: 5, 2: -5}],
            id="openmeter-late-usage-005",
        ),
    ],
)
def test_late_usage_corrects_the_period_that_it_is_of(
    price: PriceModel, expected: list[dict[int, int]]
) -> None:
    """The price is that of the quantity so far, of which each period has its part."""
    counted = Meter()
    months = [Period.month(2024, month) for month in (1, 2, 3)]
    told = [
        [event("2024-01-10T00:00", "3")],
        [event("2024-02-10T00:00", "3")],
        [event("2024-01-20T00:00", "1")],  # in March
    ]
    booked = dict.fromkeys((1, 2, 3), Fraction())
    for events, corrections in zip(told, expected, strict=True):
        for each in events:
            counted.add(each)
        so_far = [0]
        for month in months:
            found = counted.usages(month)
            so_far.append(so_far[-1] + int(found[0].quantities["units"] if found else 0))
        due = {
            number: Fraction(charge_between(price, before, after))
            for number, (before, after) in enumerate(pairwise(so_far), 1)
        }
        changed = {number: due[number] - booked[number] for number in due}
        assert {number: amount for number, amount in changed.items() if amount} == corrections
        booked = due
