"""What Stripe would be told of an org's records, without calling it.

python examples/stripe_preview.py
"""

from datetime import UTC, datetime

from overages import (
    Allowance,
    Graduated,
    MemoryRepository,
    Period,
    PerUnit,
    Plan,
    Statement,
    Tier,
    Usage,
    calculate,
)
from overages.exports.stripe import invoice_items

ORG = "org-123"
FEBRUARY = Period.month(2024, 2)
CUSTOMERS = {ORG: "cus_9s6XKzkNRiz8i3"}
STARTER = Plan(
    "starter",
    "USD",
    {
        "tokens": Allowance(
            500_000, Graduated([Tier(1_000_000, price="0.0001"), Tier(None, price="0.00008")])
        ),
        "playbook_runs": Allowance(50, PerUnit("1.00")),
    },
)


def statement_of(tokens: int, runs: int) -> Statement:
    """Return what the org owes for February."""
    return calculate(STARTER, Usage(ORG, FEBRUARY, {"tokens": tokens, "playbook_runs": runs}))


def main() -> None:
    """Record a result and a corrected one, and show the items of both."""
    repository, now = MemoryRepository(), datetime(2024, 3, 1, tzinfo=UTC)
    statements = [statement_of(1_750_000, 75), statement_of(1_750_000, 70)]
    total = 0
    for statement in statements:
        new = repository.record(statement, created_at=now).new
        for item in invoice_items(new, CUSTOMERS, statements=[statement]):
            print(f"{item.amount:>6} {item.currency}  {item.description}")
            total += item.amount
    print(f"{total:>6} usd, and the statement says {statements[-1].total}")


if __name__ == "__main__":
    main()
