"""What a type checker must refuse; mypy and pyright read this file, nothing runs it.

Each line is wrong, and says of which kind. An ignore that nothing needs is an error to both, so a
call that becomes accepted fails.
"""

from datetime import datetime

from tests.since import SINCE

from overages import (
    Account,
    Adjustment,
    Alert,
    Allowance,
    Budget,
    CarryOver,
    Conversion,
    Currency,
    Cycle,
    Graduated,
    Grant,
    Increment,
    Metric,
    Money,
    Package,
    Period,
    PerUnit,
    Plan,
    Statement,
    Threshold,
    Tier,
    Usage,
    UsageEvent,
    aggregate,
    calculate,
    charge_between,
    decide,
    pool,
)
from overages.exports.arrow import statements_to_arrow
from overages.grants.draws import burn_down, draw
from overages.lines.limit_part import LimitPart
from overages.outbox import OutboxEntry
from overages.prices.tier import Charge
from overages.terms.change import TermsChange
from overages.usage.metering import Meter


class Free:
    """No price model: what it gives is no charge."""

    def charge(self, quantity: int, /) -> int:
        return quantity


def refused(plan: Plan, usage: Usage, statement: Statement, money: Money, period: Period) -> None:
    PerUnit(0.1)  # type: ignore[arg-type]
    Package("1", 2.5)  # type: ignore[arg-type]
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
    Usage("org-1", "2024-02", {})  # type: ignore[arg-type]
    Usage("org-1", period, {"tokens": 1.5})  # type: ignore[dict-item]
    UsageEvent("org-1", "tokens", 1, "2024-02-01T00:00:00Z")  # type: ignore[arg-type]
    UsageEvent("org-1", "tokens", 1, period.end, dimensions={"region": 5})  # type: ignore[dict-item]
    Metric("tokens", factor=0.5)  # type: ignore[arg-type]
    Account("org-1", plan, since=SINCE)  # type: ignore[arg-type]
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


def rules_by_another_name(
    plan: Plan, usage: Usage, statement: Statement, usd: Money, period: Period, start: datetime
) -> None:
    """Name rules that there are not: each is one of some, to a type checker too."""
    Plan("p", "USD", {}, rounding="half_upp")  # type: ignore[arg-type]
    Plan("p", "USD", {}, rounding="HALF_UP")  # type: ignore[arg-type]
    Plan("p", "USD", {}, rounding_scope="lines")  # type: ignore[arg-type]
    Plan("p", "USD", {}, proration="daily")  # type: ignore[arg-type]
    Allowance(5, PerUnit(1), proration="day")  # type: ignore[arg-type]
    Allowance(5, PerUnit(1), increment_rounding="nearest")  # type: ignore[arg-type]
    Package("1", 2, count="begun")  # type: ignore[arg-type]
    Tier(None, size=2, count="full")  # type: ignore[arg-type]
    CarryOver(draw="newest_first")  # type: ignore[arg-type]
    CarryOver(overage="free")  # type: ignore[arg-type]
    CarryOver(rounding="floored")  # type: ignore[arg-type]
    Conversion(rounding="upwards")  # type: ignore[arg-type]
    Increment(1, rounding="started")  # type: ignore[arg-type]
    Metric("tokens", "average")  # type: ignore[arg-type]
    Metric("seats", "max", reports="levels")  # type: ignore[arg-type]
    Metric("calls", increment=1, increment_scope="call")  # type: ignore[arg-type]
    Meter(late="never")  # type: ignore[arg-type]
    Account("org-1", "p", status="cancelled", since=SINCE)  # type: ignore[arg-type]
    Cycle(period.start, unit="fortnight")  # type: ignore[arg-type]
    Cycle.calendar("hour")  # type: ignore[arg-type]
    Money.of("0.005", "USD", "half")  # type: ignore[arg-type]
    Adjustment("rebate", usd, usd, 0)  # type: ignore[arg-type]
    LimitPart("bought", 5)  # type: ignore[arg-type]
    OutboxEntry("org-1", "stripe", "id", "{}", start, state="sent")  # type: ignore[arg-type]
    burn_down([], [], start=start, end=start, overage="free")  # type: ignore[arg-type]
    TermsChange(period.start, plan="p", counters="reset")  # type: ignore[arg-type]
    pool(plan, [usage], "org-1", by="seats")  # type: ignore[arg-type]
    statements_to_arrow([statement], amounts="float")  # type: ignore[arg-type]
    Budget(usd, on_reached="stop")  # type: ignore[arg-type]
    decide(plan, usage, {"runs": 1}, on_passing="allow")  # type: ignore[arg-type]
    decide(plan, usage, {"runs": 1}, stop_at=["soft"])  # type: ignore[list-item]
    decide(plan, usage, {"runs": 1.5})  # type: ignore[dict-item]
    Threshold(80)  # type: ignore[call-arg]
    Threshold(percent=0.8)  # type: ignore[arg-type]
    Threshold(percent=80, of="left")  # type: ignore[arg-type]
    Alert("a", Threshold(percent=80), metric="runs", severity="high")  # type: ignore[arg-type]
    Alert("a", occasion="sunrise")  # type: ignore[arg-type]
