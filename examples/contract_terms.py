"""The terms of a contract: carry-over, grants and a minimum, over three months that explain it all.

python examples/contract_terms.py
"""

from overages import (
    Account,
    Allowance,
    Balance,
    CarryOver,
    Discount,
    Grant,
    Money,
    Period,
    PerUnit,
    Plan,
    Usage,
    settle,
)

CONTRACT = Plan(
    "contract",
    "USD",
    {
        "tokens": Allowance(
            500_000,
            PerUnit("0.0001"),
            carry_over=CarryOver(expires_after=1),  # unused tokens can be used for a month more
            discounts=[Discount("launch", percent=20)],
        ),
        "playbook_runs": Allowance(50, PerUnit("1.00")),
    },
    minimum=Money.of("20.00", "USD"),
)
ACCOUNT = Account("org-123", CONTRACT.slug, since=Period.month(2024, 1).start)
MARCH = Period.month(2024, 3)
GRANTS = [
    Grant("welcome", 10, metric="playbook_runs", effective_at=MARCH.start),
    Grant("top-up", Money.of("15.00", "USD"), effective_at=MARCH.start),
]
USED = {
    1: {"tokens": 400_000, "playbook_runs": 40},
    2: {"tokens": 850_000, "playbook_runs": 55},
    3: {"tokens": 900_000, "playbook_runs": 75},
}


def main() -> None:
    """Settle one month after another, and print each statement."""
    balance = Balance()  # before the first month, there is nothing
    for month, used in USED.items():
        period = Period.month(2024, month)
        usage = Usage("org-123", period, used)
        plans = {CONTRACT.slug: CONTRACT}
        settlement = settle(ACCOUNT, plans, period, usage, balance, grants=GRANTS)
        balance = settlement.balance  # all that the next month has to know
        print(settlement.statement.explain(), end="\n\n")


if __name__ == "__main__":
    main()
