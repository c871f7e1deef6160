"""What a type checker must refuse; mypy reads this file, nothing runs it.

Each line is wrong, and says of which kind. An ignore that nothing needs is an error under mypy's
strict mode, so a call that becomes accepted fails.
"""

from decimal import Decimal

from overages import (
    Account,
    Allowance,
    Conversion,
    Currency,
    Cycle,
    Graduated,
    Grant,
    Metric,
    Money,
    Package,
    Period,
    PerUnit,
    Plan,
    Statement,
    Tier,
    Usage,
    UsageEvent,
    aggregate,
    calculate,
    charge_between,
)
from overages.amounts.exact import Quantity
from overages.grants.drawing import burn_down, draw
from overages.prices.tier import Charge
from overages.usage.metering import Meter


class Free:
    """No price model: what it gives is no charge."""

    def charge(self, quantity: int, /) -> int:
        return quantity


def refused(plan: Plan, usage: Usage, statement: Statement, money: Money, period: Period) -> None:
    PerUnit(0.1)  # type: ignore[arg-type]
    Package("1", 2.5)  # type: ignore[arg-type]
    Package("1", 2, count="begun")  # type: ignore[arg-type]
    Tier(10, 0.5)  # type: ignore[arg-type]
    Graduated([(10, "0.5")])  # type: ignore[list-item]
    Graduated([Tier(None)], True)  # type: ignore[call-arg]
    Allowance(5, "0.10")  # type: ignore[arg-type]
    Allowance(5, Free())  # type: ignore[arg-type]
    Allowance(5.0, PerUnit(1))  # type: ignore[arg-type]
    Allowance(5, PerUnit(1), Conversion())  # type: ignore[call-arg]
    Allowance(5, PerUnit(1), increment=0.5)  # type: ignore[arg-type]
    Allowance(5, PerUnit(1), minimum=5)  # type: ignore[arg-type]
    Allowance(5, PerUnit(1), carry_over=True)  # type: ignore[arg-type]
    Allowance(5, PerUnit(1), discounts=["launch"])  # type: ignore[list-item]
    Plan("p", "USD", {}, maximum="5.00")  # type: ignore[arg-type]
    Plan("p", "USD", {"tokens": PerUnit(1)})  # type: ignore[dict-item]
    Plan("p", "USD", {}, rounding_scope="lines")  # type: ignore[arg-type]
    Usage("org-1", "2024-02", {})  # type: ignore[arg-type]
    Usage("org-1", period, {"tokens": 1.5})  # type: ignore[dict-item]
    UsageEvent("org-1", "tokens", 1, "2024-02-01T00:00:00Z")  # type: ignore[arg-type]
    UsageEvent("org-1", "tokens", 1, period.end, dimensions={"region": 5})  # type: ignore[dict-item]
    Metric("tokens", "average")  # type: ignore[arg-type]
    Metric("tokens", factor=0.5)  # type: ignore[arg-type]
    Meter(late="never")  # type: ignore[arg-type]
    Account("org-1", plan)  # type: ignore[arg-type]
    Account("org-1", "p", status="cancelled")  # type: ignore[arg-type]
    Cycle(period.start, unit="fortnight")  # type: ignore[arg-type]
    Cycle("2024-01-31T00:00:00Z")  # type: ignore[arg-type]
    Money("50.00", "USD")  # type: ignore[arg-type]
    Money.of(50.0, "USD")  # type: ignore[arg-type]
    Currency("credits", "2")  # type: ignore[arg-type]
    Charge(5)  # type: ignore[arg-type]
    calculate(usage, plan)  # type: ignore[arg-type]
    calculate(plan, usage, {"tokens": 5})  # type: ignore[call-arg]
    calculate(plan, usage, limits={"tokens": 0.5})  # type: ignore[dict-item]
    charge_between(Free(), 0, 5)  # type: ignore[arg-type]
    Grant("g", 1.5, metric="tokens", effective_at=period.start)  # type: ignore[arg-type]
    Grant("g", 5, metric="tokens")  # type: ignore[call-arg]
    burn_down([], [5], metric="tokens", start=period.start, end=period.end)  # type: ignore[list-item]
    burn_down([], [], start=period.start, end=period.end, overage="free")  # type: ignore[arg-type]
    draw([], 1.5, period)  # type: ignore[arg-type]
    aggregate([statement])  # type: ignore[list-item]
    Money(5, "USD").allocate([1.5])  # type: ignore[list-item]
    money + 5  # type: ignore[operator]
    money * 2  # type: ignore[operator]
    assert money < 5  # type: ignore[operator]
    money.minor = 5  # type: ignore[misc]
    statement.total = money  # type: ignore[misc]
    usage.quantities["tokens"] = 5  # type: ignore[index]
    for _ in statement:  # type: ignore[misc]
        pass


def rounded_by_a_context(exact: Decimal, quantity: Quantity, quantities: list[Quantity]) -> None:
    """Use what rounds by the ambient decimal context, of which `exact.py` tells mypy."""
    assert -quantity  # type: ignore[rounds]
    assert +quantity  # type: ignore[rounds]
    exact + 1  # type: ignore[rounds]
    1 + exact  # type: ignore[operator]
    quantity + 1  # type: ignore[operator, rounds]
    below: Quantity = 1 - quantity  # type: ignore[assignment]
    quantities[0] *= 2  # type: ignore[operator, rounds]
    exact / below  # type: ignore[operator, rounds]
    exact // 2  # type: ignore[rounds]
    exact % 2  # type: ignore[rounds]
    exact**2  # type: ignore[rounds]
    abs(quantity)  # type: ignore[rounds]
    round(exact)  # type: ignore[rounds]
    divmod(exact, 2)  # type: ignore[rounds]
    sum(quantities)  # type: ignore[arg-type, rounds]
    sum(exact for _ in quantities)  # type: ignore[misc]
    exact.normalize()  # type: ignore[rounds]
    exact.quantize(exact)  # type: ignore[rounds]
