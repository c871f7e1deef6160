"""Months that are settled: of a plain account, and with carried units and two grants.

The bare loop does the same arithmetic on integers: units carried over raise the limit, a grant of
units pays for those beyond it, the rest is priced, and a grant of money pays for that.
"""

import random
from collections.abc import Iterable, Iterator
from typing import Any

from tests.benchmarks.workloads import METRICS, NANO, PERIOD, PLANS, TERMS, Input, major

from overages import (
    Account,
    Allowance,
    Balance,
    CarryOver,
    Grant,
    Money,
    Period,
    PerUnit,
    Plan,
    Settlement,
    Usage,
    settle,
)
from overages.terms.carry_over import CarriedUnits

BEFORE = Period.month(2024, 12)
ROLLING = Plan(
    "rolling",
    "USD",
    {
        metric: Allowance(
            included, PerUnit(major(price)), carry_over=CarryOver() if metric == "tokens" else None
        )
        for metric, (included, price) in zip(METRICS, TERMS[0], strict=True)
    },
)
GRANTED, PREPAID = 50_000, 5_000  # tokens; cents

Month = tuple[tuple[int, ...], int]
"""Units used of each metric, and the tokens that are carried over to it."""


def months(count: int) -> list[Month]:
    """Months that use up to twice what is included, so that most draw on both grants."""
    rng = random.Random(4)
    most = [2 * included for included, _ in TERMS[0]]
    return [(tuple(map(rng.randrange, most)), rng.randrange(1, 100_000)) for _ in range(count)]


def settled_loop(rows: Iterable[Month]) -> Iterator[tuple[Any, ...]]:
    """Yield a line for each metric, the units drawn, the cents paid, what is carried, and due."""
    (tokens_in, token), (runs_in, run), (seats_in, seat) = TERMS[0]
    cent = NANO // 100
    for (tokens, runs, seats), carried in rows:
        limit = tokens_in + carried
        over = tokens - limit if tokens > limit else 0
        left = limit - tokens if tokens < limit else 0
        drawn = over if over < GRANTED else GRANTED
        tokens_over = over - drawn
        runs_over = runs - runs_in if runs > runs_in else 0
        seats_over = seats - seats_in if seats > seats_in else 0
        tokens_cost = (2 * tokens_over * token + cent) // (2 * cent)
        runs_cost = (2 * runs_over * run + cent) // (2 * cent)
        seats_cost = (2 * seats_over * seat + cent) // (2 * cent)
        lines = (
            ("tokens", tokens, limit + drawn, tokens_over, token, tokens_cost),
            ("playbook_runs", runs, runs_in, runs_over, run, runs_cost),
            ("seats", seats, seats_in, seats_over, seat, seats_cost),
        )
        total = tokens_cost + runs_cost + seats_cost
        paid = total if total < PREPAID else PREPAID
        yield lines, drawn, paid, (left, GRANTED - drawn, PREPAID - paid), total - paid


def settled_inputs(rows: Iterable[Month]) -> list[tuple[Usage, Balance]]:
    return [
        (
            Usage("org-1", PERIOD, dict(zip(METRICS, used, strict=True))),
            Balance({"tokens": [CarriedUnits(carried, BEFORE)]}),
        )
        for used, carried in rows
    ]


def settled(inputs: Iterable[tuple[Usage, Balance]]) -> Iterator[Settlement]:
    """Settle months, each from a balance of its own."""
    account, plans = Account("org-1", "rolling", BEFORE.start), {"rolling": ROLLING}
    grants = [
        Grant("units", GRANTED, metric="tokens", effective_at=PERIOD.start),
        Grant("money", Money(PREPAID, "USD"), effective_at=PERIOD.start),
    ]
    for usage, balance in inputs:
        yield settle(account, plans, PERIOD, usage, balance, grants=grants)


def plain_accounts(inputs: Iterable[Input]) -> list[tuple[Account, Usage]]:
    """Accounts that have nothing but a flat plan and, some, a limit of their own."""
    return [
        (Account(usage.org_id, plan.slug, PERIOD.start, limits or {}), usage)
        for plan, usage, limits in inputs
    ]


def plainly_settled(accounts: Iterable[tuple[Account, Usage]]) -> Iterator[Settlement]:
    plans = {plan.slug: plan for plan in PLANS}
    for account, usage in accounts:
        yield settle(account, plans, PERIOD, usage)
