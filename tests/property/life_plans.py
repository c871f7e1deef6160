"""Random terms for lives of accounts: every rule of plans and allowances."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Any

from overages import (
    Allowance,
    CarryOver,
    Commitment,
    Conversion,
    Cycle,
    Discount,
    Graduated,
    Money,
    Package,
    PerUnit,
    Tier,
    Volume,
)

LEVELS = frozenset({"seats", "disks"})
PRICES = ("0", "0.10", "0.015", "1.00", "0.3333", "2.50")


def drawn_allowance(
    random: Random, metric: str, flows: Sequence[str], levels: Sequence[str], *, plain: bool
) -> Allowance:
    is_level = metric in LEVELS
    named: dict[str, Any] = drawn_rules(random, 0.15)
    rule = random.random()
    price = _price(random, volume=not plain, at_zero=not plain)
    included = random.choice([0, 0, 3, 10, 100, 1_000, None])
    if not is_level and not plain and rule < 0.3:
        included = included or 0
        named["carry_over"] = _carry_over(random)
    elif not is_level and not plain and rule < 0.5:
        named["included_for"] = random.choice(
            [Cycle.calendar("year"), Cycle.calendar("quarter"), Cycle.monthly(day=10)]
        )
        price = _price(random, volume=False, at_zero=True)
    elif rule < 0.65 and metric != "calls":
        others = [
            each for each in (*levels, "calls") if each != metric and each in (*flows, *levels)
        ]
        if others and not is_level:
            named["included_per"] = random.choice(others)
    if not is_level and random.random() < 0.2:
        named["conversion"] = random.choice(
            [
                Conversion(divide=10, increment=1),
                Conversion(multiply="1.5", increment="0.5", minimum=3),
            ]
        )
    if random.random() < 0.15:
        worth: dict[str, Any] = random.choice([{"amount": Money(2_000, "USD")}, {"quantity": 40}])
        factor, true_up = random.choice(["1", "1.5"]), random.random() < 0.7
        named["commitment"] = Commitment(**worth, overage_factor=factor, true_up=true_up)
    if random.random() < 0.15:
        free = Discount("free", quantity=random.choice([1, 20]))
        named["discounts"] = [*named.get("discounts", ()), free]
    return Allowance(
        included,
        price,
        proration=random.choice(["days", "days", "seconds", "full"]),
        increment_rounding=random.choice(["half_up", "floor", "up"]),
        kind=random.choice(["level", None]) if is_level else random.choice(["flow", None]),
        **named,
    )


def _carry_over(random: Random) -> CarryOver:
    return CarryOver(
        up_to=random.choice([None, None, 15, 200]),
        share=random.choice([None, None, "0.5", "1"]),
        expires_after=random.choice([None, 1, 2]),
        draw=random.choice(["oldest_first", "included_first"]),
        overage=random.choice(["charged", "charged", "carried"]),
    )


def drawn_rules(random: Random, chance: float) -> dict[str, Any]:
    rules: dict[str, Any] = {}
    discounts = []
    if random.random() < chance:
        discounts.append(Discount("part", percent=random.choice(["10", "33.3", "100"])))
    if random.random() < chance:
        discounts.append(Discount("voucher", amount=Money(random.choice([99, 500]), "USD")))
    if discounts:
        rules["discounts"] = discounts
    if random.random() < chance:
        rules["minimum"] = Money(random.choice([310, 2_500]), "USD")
    if random.random() < chance:
        rules["maximum"] = Money(random.choice([2_500, 10_001]), "USD")
    return rules


def _price(random: Random, *, volume: bool, at_zero: bool) -> Any:
    kind = random.choice(["unit", "unit", "package", "graduated", "graduated", "volume"])
    price = random.choice(PRICES)
    if kind == "package":
        return Package(price, size=random.choice([1, 7, 100]))
    if kind == "unit" or (kind == "volume" and not volume):
        return PerUnit(price)
    tiers = [
        Tier(bound, price=random.choice(PRICES), **_fees(random))
        for bound in (5, 40, 300)
        if random.random() < 0.6
    ]
    tiers.append(Tier(None, price=random.choice(PRICES), **_fees(random)))
    due = random.random() < 0.3 and at_zero
    return (Graduated if kind == "graduated" else Volume)(tiers, flat_at_zero=due)


def _fees(random: Random) -> dict[str, Any]:
    fees: dict[str, Any] = {}
    if random.random() < 0.4:
        fees["flat"] = random.choice(["1.00", "3.10"])
    if random.random() < 0.2:
        fees["size"] = 10
    if random.random() < 0.15:
        fees["maximum"] = "20.00"
    return fees
