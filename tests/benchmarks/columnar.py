"""Measure the way from a table of usage to one of lines, by statements and by columns.

python -m tests.benchmarks.columnar
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from statistics import median
from typing import Any

from overages import Allowance, Graduated, Period, PerUnit, Plan, Tier, Usage, calculate_many
from overages._ground.display import text_table
from overages.columnar.lines import calculate_table
from overages.exports.arrow import statements_to_arrow, usages_to_arrow
from overages.imports.arrow import usages_from_arrow

FEBRUARY = Period.month(2024, 2)
TIERS = [Tier(1_000_000, "0.0001"), Tier(3_300_000, "0.00005"), Tier(None, "0.00002", flat=5)]
OTHERS = {"runs": Allowance(50, PerUnit("1.00")), "seats": Allowance(3, PerUnit("15.00"))}
PLANS = {
    "three flat metrics": {"tokens": Allowance(500_000, PerUnit("0.0001")), **OTHERS},
    "one of three with tiers": {"tokens": Allowance(500_000, Graduated(TIERS)), **OTHERS},
}


def usages(orgs: int) -> list[Usage]:
    return [
        Usage(
            f"org-{number:06}",
            FEBRUARY,
            {"tokens": 3_300_000 + 7 * number, "runs": 500 + number % 77, "seats": 35 + number % 5},
        )
        for number in range(orgs)
    ]


def by_statements(plan: Plan, table: Any) -> Any:
    cases = ((plan, usage, None) for usage in usages_from_arrow(table))
    return statements_to_arrow(calculate_many(cases))


def microseconds(make: Callable[[Plan, Any], Any], plan: Plan, table: Any, rounds: int) -> float:
    """Return the processor's time for an org, the median of some rounds."""
    times = []
    for _ in range(rounds):
        begun = time.process_time()
        make(plan, table)
        times.append(time.process_time() - begun)
    return median(times) / (len(table) // 3) * 1_000_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--orgs", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    table = usages_to_arrow(usages(args.orgs))
    rows = [["an Arrow table of usage to one of lines", "us an org", "at most"]]
    for what, allowances in PLANS.items():
        plan = Plan("starter", "USD", allowances)
        assert calculate_table(plan, table) == by_statements(plan, table)
        slow = microseconds(by_statements, plan, table, args.rounds)
        fast = microseconds(calculate_table, plan, table, args.rounds)
        rows += [
            [f"{what}: by statements", f"{slow:.1f}", ""],
            ["- by columns", f"{fast:.1f}", "3"],
        ]
    print(text_table(rows, "lrr"))


if __name__ == "__main__":
    main()
