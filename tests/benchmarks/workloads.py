"""The workloads, and for each the bare loop that it is measured against.

A bare loop does the same arithmetic on integers and tuples and makes the same output, without
objects, checks or anything that a caller could hold on to. Money in it is in 10**-9 units of the
currency.
"""

import random
from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any

from overages import (
    Allowance,
    Graduated,
    Money,
    OverageRecord,
    Period,
    PerUnit,
    Plan,
    Statement,
    Tier,
    Usage,
    calculate,
    calculate_many,
)

NANO = 10**9
PERIOD = Period.month(2025, 1)
METRICS = ("tokens", "playbook_runs", "seats")
TERMS = (  # of each plan and metric: included, price in nano
    ((500_000, 100_000), (100, 50 * NANO // 1000), (5, 15 * NANO)),
    ((2_000_000, 100_000), (1_000, 40 * NANO // 1000), (25, 12 * NANO)),
    ((3_000_000, 100_000), (1_500, 25 * NANO // 1000), (40, 9_990 * NANO // 1000)),
)
TIERS = (  # up to, price and flat fee in nano
    (10_000, 1_000_000, 0),
    (100_000, 500_000, 5 * NANO),
    (1_000_000, 125_000, 10 * NANO),
    (None, 37_500, 25 * NANO),
)
LARGEST = (5_000_000, 3_000, 80)

Flat = tuple[str, int, tuple[int, ...], dict[str, int] | None]


def major(nano: int) -> Decimal:
    return Decimal(nano).scaleb(-9)


PLANS = tuple(
    Plan(
        f"plan-{number}",
        "USD",
        {
            metric: Allowance(included, PerUnit(major(price)))
            for metric, (included, price) in zip(METRICS, terms, strict=True)
        },
    )
    for number, terms in enumerate(TERMS)
)
GRADUATED = Graduated(
    [Tier(up_to, price=major(price), flat=major(flat)) for up_to, price, flat in TIERS]
)


def flat_rows(count: int) -> list[Flat]:
    """Rows of org, plan, used quantities, and a limit of its own for three orgs of ten."""
    rng = random.Random(1)
    rows = []
    for i in range(count):
        limits = None
        if rng.random() < 0.3:
            metric = rng.randrange(3)
            limits = {METRICS[metric]: rng.randrange(LARGEST[metric] // 3)}
        used = tuple(rng.randrange(most) for most in LARGEST)
        rows.append((f"org-{i:07d}", rng.randrange(3), used, limits))
    return rows


def flat_loop(rows: Iterable[Flat]) -> Iterator[tuple[Any, ...]]:
    """Yield org, plan, a line for each metric, and the total."""
    for org, number, (tokens, runs, seats), limits in rows:
        (tokens_in, token), (runs_in, run), (seats_in, seat) = TERMS[number]
        if limits is not None:
            tokens_in = limits.get("tokens", tokens_in)
            runs_in = limits.get("playbook_runs", runs_in)
            seats_in = limits.get("seats", seats_in)
        tokens_over = tokens - tokens_in if tokens > tokens_in else 0
        runs_over = runs - runs_in if runs > runs_in else 0
        seats_over = seats - seats_in if seats > seats_in else 0
        tokens_cost = tokens_over * token
        runs_cost = runs_over * run
        seats_cost = seats_over * seat
        lines = (
            ("tokens", tokens, tokens_in, tokens_over, token, tokens_cost),
            ("playbook_runs", runs, runs_in, runs_over, run, runs_cost),
            ("seats", seats, seats_in, seats_over, seat, seats_cost),
        )
        yield org, number, lines, tokens_cost + runs_cost + seats_cost


Input = tuple[Plan, Usage, dict[str, int] | None]


def flat_inputs(rows: Iterable[Flat]) -> list[Input]:
    return [
        (PLANS[number], Usage(org, PERIOD, dict(zip(METRICS, used, strict=True))), limits)
        for org, number, used, limits in rows
    ]


def flat_one_by_one(inputs: Iterable[Input]) -> Iterator[Statement]:
    for plan, usage, limits in inputs:
        yield calculate(plan, usage, limits=limits)


def flat_from_dicts(
    rows: Iterable[tuple[str, Plan, dict[str, int], dict[str, int] | None]],
) -> Iterator[Statement]:
    return calculate_many((plan, Usage(org, PERIOD, used), own) for org, plan, used, own in rows)


def flat_with_lines(inputs: Iterable[Input]) -> Iterator[Any]:
    for statement in calculate_many(inputs):
        yield statement.overages


def graduated_quantities(count: int) -> list[int]:
    """Quantities up to five million, as many in each order of magnitude."""
    rng = random.Random(2)
    return [int(10 ** rng.uniform(0, 6.7)) for _ in range(count)]


def graduated_loop(quantities: Iterable[int]) -> Iterator[tuple[Any, ...]]:
    """Yield the cost, and what each tier that was used has to do with it."""
    for quantity in quantities:
        lower = total = 0
        parts = []
        for number, (up_to, price, flat) in enumerate(TIERS):
            inside = (quantity if up_to is None or quantity <= up_to else up_to) - lower
            cost = inside * price + flat
            total += cost
            parts.append((number, inside, price, flat, cost))
            if up_to is None or quantity <= up_to:
                break
            lower = up_to
        yield total, tuple(parts)


def graduated_charges(quantities: Iterable[int]) -> Iterator[Any]:
    charge = GRADUATED.charge
    for quantity in quantities:
        yield charge(quantity)


def graduated_charges_with_tiers(quantities: Iterable[int]) -> Iterator[Any]:
    charge = GRADUATED.charge
    for quantity in quantities:
        yield charge(quantity).tiers


Row = tuple[str, str, str, int, int]


def record_rows(count: int) -> list[Row]:
    """Rows of org, period, metric, quantity and cost in cents."""
    rng = random.Random(3)
    return [
        (f"org-{i // 3:07d}", "2025-01", METRICS[i % 3], rng.randrange(10**6), rng.randrange(10**7))
        for i in range(count)
    ]


def record_loop(rows: Iterable[Row]) -> dict[str, list[int]]:
    """Return quantity and cost by metric."""
    sums: dict[str, list[int]] = {}
    for _, _, metric, quantity, cost in rows:
        cell = sums.get(metric)
        if cell is None:
            sums[metric] = [quantity, cost]
        else:
            cell[0] += quantity
            cell[1] += cost
    return sums


def records(rows: Iterable[Row]) -> list[OverageRecord]:
    return [
        OverageRecord(
            org,
            PERIOD,
            metric,
            quantity=quantity,
            cost=Money(cost, "USD"),
            exact_cost=cost,
            plan="starter",
            created_at=PERIOD.end,
            digest="0" * 64,
        )
        for org, _, metric, quantity, cost in rows
    ]
