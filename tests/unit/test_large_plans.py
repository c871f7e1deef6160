"""A plan of thousands of metrics is made, and an org that used three of them billed, in no time.

Work is counted in steps, which no busy machine changes: twice as many metrics take about twice as
many steps to make, and the bill of three of them takes the same.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from tests.accounts import settle
from tests.since import SINCE
from tests.steps import steps

from overages import (
    Account,
    Allowance,
    Exchanged,
    Graduated,
    MemoryRepository,
    Metric,
    Money,
    OverageService,
    Period,
    PerUnit,
    Plan,
    Statement,
    Tier,
    Usage,
    UsageEvent,
    calculate,
)
from overages.codec import decode, encode
from overages.errors import UnknownMetric
from overages.usage.metering import Meter

FEBRUARY = Period.month(2024, 2)
NOW = datetime(2024, 2, 20, tzinfo=UTC)


def price_list(count: int) -> Plan:
    """Return a plan with a price for each of some models, in and out."""
    allowances = {f"m{i:05}/{way}": price(i) for i in range(count // 2) for way in ("in", "out")}
    return Plan("models", "USD", allowances)


def price(number: int) -> Allowance:
    return Allowance(number, PerUnit("0.01", per=1 + number % 3))


def used(plan: Plan) -> Usage:
    """Return usage of the first metric of a plan, the last, and one between."""
    metrics = list(plan.allowances)
    return Usage("org-1", FEBRUARY, {metrics[at]: 2_000 for at in (-1, len(metrics) // 2, 0)})


def metrics_of(plan: Plan) -> list[Metric]:
    return [
        Metric(name, event="calls", where=dict(zip(("model", "way"), name.split("/"), strict=True)))
        for name in plan.allowances
    ]


SOME, MORE, MOST = price_list(100), price_list(200), price_list(1_000)


@pytest.mark.parametrize(
    "make",
    [
        lambda plan: price_list(len(plan.allowances)),
        lambda plan: Meter(metrics=metrics_of(plan)),
        lambda plan: OverageService(MemoryRepository(), lambda: NOW, metrics=metrics_of(plan)),
        lambda plan: decode(encode(plan), Plan),
        lambda plan: calculate(plan, Usage("o", FEBRUARY, dict.fromkeys(plan.allowances, 1))),
        lambda plan: calculate(plan, used(plan)).every_overage(),
        lambda plan: [calculate(plan, used(plan))[metric] for metric in plan.allowances],
    ],
)
def test_twice_as_many_metrics_take_twice_the_steps(make: Callable[[Plan], object]) -> None:
    make(SOME), make(MORE)  # what is kept from call to call is kept now
    assert steps(lambda: make(MORE)) < 2.3 * steps(lambda: make(SOME))


@pytest.mark.parametrize(
    "bill",
    [
        lambda plan: calculate(plan, used(plan)).lines,
        lambda plan: calculate(plan, used(plan), ended=False).explain(),
        lambda plan: calculate(plan, used(plan), limits={"m00003/in": 7}).total,
        lambda plan: settle(plan, used(plan)).statement.summary(),
    ],
)
def test_a_bill_takes_as_long_as_what_was_used(bill: Callable[[Plan], object]) -> None:
    bill(SOME), bill(MOST)
    assert steps(lambda: bill(MOST)) < 1.2 * steps(lambda: bill(SOME))


def test_a_statement_has_the_lines_that_were_used_in_the_order_of_the_plan() -> None:
    statement = calculate(MOST, used(MOST))
    assert [line.metric for line in statement.overages] == ["m00000/in", "m00250/in", "m00499/out"]
    assert [line.metric for line in statement.lines] == [line.metric for line in statement.overages]
    assert statement.explain().count("\n  ") == 0
    assert len(statement.explain().splitlines()) == 9  # with title, heading, total and footnote
    assert statement["m00333/out"] == statement.every_overage()[667]
    assert statement["m00333/out"].limit == 333
    assert len(statement.every_overage()) == 1_000


def test_a_metric_that_a_large_plan_does_not_know_is_refused_by_name() -> None:
    usage = Usage("org-1", FEBRUARY, {"m00001/in": 5, "gpt": 3})
    problem = r"(^|: )usage\.quantities\.gpt: 'gpt' is not in plan 'models', .* and 980 more$"
    with pytest.raises(UnknownMetric, match=problem):
        calculate(MOST, usage)
    with pytest.raises(UnknownMetric, match=problem):
        settle(MOST, usage)


FEE = Graduated([Tier(None, 1, flat="0.001")], flat_at_zero=True)


class HostsOwn:
    """A price model of a host's, which may have a fee."""

    def charge(self, quantity: Any, /) -> Any:
        return FEE.charge(quantity)


@pytest.mark.parametrize(
    ("matters", "lines"),
    [
        (Allowance(5, FEE), ["x"]),
        (Allowance(5, Exchanged(FEE, 2)), ["x"]),
        (Allowance(5, HostsOwn()), ["x"]),
        (Allowance(5, PerUnit(1), minimum=Money(1, "USD")), ["x", "x"]),
        (Allowance(5, PerUnit(1), maximum=Money(1, "USD")), []),
    ],
)
def test_what_costs_something_unused_has_a_line_in_a_large_plan_as_well(
    matters: Allowance, lines: list[str]
) -> None:
    plan = Plan("p", "USD", {**MOST.allowances, "x": matters})
    statement = calculate(plan, Usage("org-1", FEBRUARY, {}))
    assert [line.metric for line in statement.lines] == lines


def test_units_that_a_metric_brings_for_another_are_known_though_it_was_not_used() -> None:
    tokens = Allowance(1_000, PerUnit(1), included_per="m00001/in")
    plan = Plan("p", "USD", {**MOST.allowances, "tokens": tokens})
    statement = calculate(plan, Usage("org-1", FEBRUARY, {"m00001/in": 3}))
    assert [line.metric for line in statement.overages] == ["m00001/in"]
    assert [line.metric for line in statement.unused] == ["tokens"]
    assert statement["tokens"].limit == 3_000
    without = calculate(plan, Usage("org-1", FEBRUARY, {}))
    assert (without.unused, without["tokens"].limit) == ((), 0)


def test_a_statement_of_a_large_plan_goes_through_its_constructor_and_json() -> None:
    statement = calculate(MOST, used(MOST), limits={"m00003/in": 7, "m00004/in": 4})
    assert [line.metric for line in statement.unused] == ["m00003/in"]  # the other is the plan's
    assert Statement("org-1", FEBRUARY, MOST, statement.every_overage()) == statement
    assert decode(encode(statement), Statement) == statement


def test_a_service_bills_an_org_that_used_three_of_many() -> None:
    repository = MemoryRepository()
    repository.put_plan(MOST)
    repository.put_account(Account("org-1", plan="models", since=SINCE))
    service = OverageService(repository, lambda: NOW, metrics=metrics_of(MOST))
    events = [
        UsageEvent("org-1", "calls", 900, NOW, dimensions={"model": model, "way": "in"})
        for model in ("m00002", "m00005", "m00007")
    ]
    assert service.record_usage(events) == 3
    statement = service.calculate("org-1")
    assert statement is not None
    assert [(line.metric, line.quantity) for line in statement.overages] == [
        ("m00002/in", 898),
        ("m00005/in", 895),
        ("m00007/in", 893),
    ]
