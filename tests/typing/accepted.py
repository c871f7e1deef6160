"""What a type checker must infer; mypy reads this file, nothing runs it."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from typing import assert_type

from hypothesis import strategies as st

from overages import (
    Account,
    Adjustment,
    Alert,
    Allowance,
    BreakEven,
    Budget,
    CarryOver,
    Comparison,
    Decision,
    Discount,
    Graduated,
    Grant,
    History,
    Increment,
    MemoryRepository,
    Metric,
    Money,
    Overage,
    OverageRecord,
    OverageService,
    Period,
    PerUnit,
    Plan,
    PriceModel,
    Proration,
    Recording,
    Repository,
    Reservation,
    SqliteRepository,
    StandingLimit,
    Statement,
    Summary,
    Threshold,
    Tier,
    TierCharge,
    Usage,
    UsageEvent,
    aggregate,
    break_even,
    calculate,
    calculate_many,
    charge_between,
    compare,
    crossings,
    decide,
    evolve,
    meter,
    overage_history,
    quantity_within,
)
from overages.alerts.alert import AlertDefinition
from overages.alerts.crossing import Crossing
from overages.alerts.fired_alert import FiredAlert
from overages.amounts.exact import Quantity
from overages.codec import Codec, decode, encode
from overages.grants.burndown import Burndown
from overages.grants.draws import burn_down, draw
from overages.prices.tier import Charge
from overages.records.chain import ChainHead
from overages.records.ledger import Ledger
from overages.records.revision import Revision
from overages.testing import strategies
from overages.usage.metering import Meter


class Doubling:
    """A host's own price model, without a base class."""

    def charge(self, quantity: Quantity, /) -> Charge:
        return Charge([TierCharge(Tier(None, price=2), quantity)])


def values(plan: Plan, usage: Usage, statement: Statement) -> None:
    assert_type(calculate(plan, usage, limits={"tokens": 5, "runs": None}), Statement)
    assert_type(calculate_many([(plan, usage, None)]), Iterator[Statement])
    assert_type(statement["tokens"], Overage)
    assert_type(statement["tokens"].exact_cost, Decimal | Fraction)
    assert_type(statement["tokens"].unit_price, Decimal | Fraction | None)
    assert_type(statement["tokens"].tiers, tuple[TierCharge, ...])
    assert_type(statement.total, Money)
    assert_type(statement.total - statement.total, Money)
    assert_type(statement.lines, tuple[Overage | Adjustment, ...])
    assert_type(statement.overages, tuple[Overage, ...])
    assert_type(charge_between(PerUnit(1), before=None, after="2.5"), Decimal | Fraction)
    assert_type(Money(5, "USD").allocate([1, "2.5", Fraction(3)]), tuple[Money, ...])
    assert_type(usage.quantities, Mapping[str, int | Decimal])


def changed(plan: Plan, money: Money) -> None:
    assert_type(evolve(plan, rounding="half_even"), Plan)
    assert_type(evolve(money, minor=5), Money)


def counts(events: list[UsageEvent], at: datetime) -> None:
    eu = Metric("eu", event="requests", where={"region": ["eu", "ch"], "model": "large"})
    seats = Metric("seats", "time_weighted", reports="change", increment=Increment(1, first=60))
    assert_type(meter(events, metrics=[eu, seats]), list[Usage])
    assert_type(Meter(metrics=(eu,), late="next_period").add(events[0], received_at=at), bool)
    assert_type(eu.where, Mapping[str, tuple[str, ...]])
    assert_type(events[0].dimensions, Mapping[str, str])


def terms(plan: Plan) -> None:
    allowance = Allowance(
        "5",
        PerUnit(1),
        included_per="seats",
        carry_over=CarryOver(share=Fraction(1, 3)),
        proration="seconds",
        increment=Decimal("0.5"),
        discounts=[Discount("launch", percent=20)],
        minimum=Money(5, "USD"),
    )
    Plan("p", "USD", {"x": allowance}, discounts=allowance.discounts, proration=Proration.FULL)
    assert_type(allowance.discounts, tuple[Discount, ...])
    assert_type(allowance.increment, int | Decimal)
    assert_type(allowance.proration, Proration)
    assert_type(plan.maximum, Money | None)


def models() -> tuple[PriceModel, ...]:
    Plan("p", "USD", {"tokens": Allowance(None, Doubling())})
    Usage("org-1", Period.month(2024, 2), {"tokens": 5})
    return PerUnit("0.10"), Graduated([Tier(None, price=Decimal("0.5"))]), Doubling()


def texts(plan: Plan) -> None:
    assert_type(decode(encode(plan), Plan), Plan)
    assert_type(decode("{}", object), object)
    assert_type(Codec(price_models=[Doubling, PerUnit]).decode(b"{}", Usage), Usage)


def kept(statement: Statement, repository: Repository, at: datetime) -> tuple[Repository, ...]:
    assert_type(repository.record(statement, created_at=at), Recording)
    assert_type(repository.records("org-1"), tuple[OverageRecord, ...])
    assert_type(repository.summary("org-1"), Summary | None)
    assert_type(repository.head("org-1"), ChainHead | None)
    assert_type(aggregate(repository.records("org-1")), Summary)
    assert_type(Ledger("org-1").add(statement, plan_version=1, created_at=at), Revision)
    assert_type(OverageService(repository, clock=lambda: at).calculate("org-1"), Statement | None)
    return MemoryRepository(), SqliteRepository("overages.db")


def granted(repository: Repository, statement: Statement, at: datetime) -> Burndown:
    month = statement.period
    grants = repository.grants("org-1")
    assert_type(grants, tuple[Grant, ...])
    repository.put_grant("org-1", Grant("g", Money(5, "USD"), effective_at=at))
    assert_type(repository.void_grant("org-1", "g", at), datetime)
    usage = [(at, 5), (at, 7)]
    burndown = burn_down(grants, usage, metric="tokens", start=month.start, end=month.end)
    assert_type(burndown, Burndown)
    assert_type(burndown.overage, Quantity)
    assert_type(burndown.remaining, Mapping[str, Quantity])
    burn_down(grants, [(at, "0.5")], start=burndown.closed(), end=at, overage="repaid")
    return draw(grants, statement.total, month)


def asked(plan: Plan, usage: Usage, service: OverageService, at: datetime) -> None:
    decision = decide(plan, usage, {"runs": 10, "tokens": "0.5"}, at_least={"runs": 5})
    assert_type(decision, Decision)
    assert_type(decision.granted, Mapping[str, Quantity])
    assert_type(decision.cost, Money | None)
    assert_type(decision.limits, tuple[StandingLimit, ...])
    assert_type(service.enforce("org-1", {"runs": 1}, on_passing="clamp"), Decision)
    held = service.reserve("org-1", {"runs": 1}, key="k", expires_at=at, stop_at=["grants"])
    assert_type(held, Reservation)
    assert_type(service.commit("org-1", "k", used={"runs": 1}).beyond, Mapping[str, Quantity])
    budget = Budget(Money(5, "USD"), on_reached="stop_usage")
    assert_type(service.put_budget("org-1", budget), StandingLimit)


def told(service: OverageService) -> None:
    eighty = Threshold(percent="80.0", of="remaining", direction="rising")
    assert_type(crossings(None, "45.5", 50, [eighty]).reached, tuple[Crossing, ...])
    spend = Threshold(cost=Money(5, "USD"), repeat=True)
    crossings(Money(1, "USD"), Money(9, "USD"), None, [spend])
    alert = Alert("a", eighty, metric="runs", severity="info", rearm="60")
    assert_type(service.put_alert(alert, org_id="org-1"), AlertDefinition)
    assert_type(service.alerts("org-1"), tuple[FiredAlert, ...])


def drawn(plan: Plan) -> None:
    assert_type(strategies.plans(currencies=st.just("USD")), st.SearchStrategy[Plan])
    assert_type(strategies.plans(plain=True), st.SearchStrategy[Plan])
    assert_type(strategies.allowances(plain=True), st.SearchStrategy[Allowance])
    assert_type(strategies.usages(plan=plan, org_ids=st.just("org-1")), st.SearchStrategy[Usage])
    assert_type(strategies.accounts(plan=plan), st.SearchStrategy[Account])
    assert_type(strategies.histories(), st.SearchStrategy[tuple[OverageRecord, ...]])


def before_the_bill(plan: Plan, other: Plan, usage: Usage, statement: Statement) -> None:
    assert_type(quantity_within(PerUnit(1), Money(5, "USD"), step="0.01"), Quantity | None)
    comparison = compare([plan, other], [usage], current=plan.slug)
    assert_type(comparison, Comparison)
    assert_type(comparison.regret(plan.slug), Money)
    answer = break_even(plan, other, "tokens", until=1_000)
    assert_type(answer, BreakEven)
    assert_type(answer.cheaper_at("2.5"), str | None)
    history = overage_history([statement])
    assert_type(history, History)
    assert_type(history.growth()[0].ratio, Decimal | Fraction | None)
