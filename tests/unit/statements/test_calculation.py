"""The calculation, by numbers worked out by hand."""

from decimal import Decimal, localcontext
from typing import Any

import pytest
from tests.told import told

from overages import (
    Allowance,
    Graduated,
    Money,
    Package,
    Period,
    PerUnit,
    Plan,
    PriceModel,
    Tier,
    TierCharge,
    Usage,
    Volume,
    calculate,
    calculate_many,
    charge_between,
    pool,
)
from overages.errors import (
    FaultyPriceModel,
    InvalidType,
    InvalidValue,
    InvalidValues,
    OveragesError,
    UnknownMetric,
)
from overages.imports.monthly_fields import plan_from_monthly_fields
from overages.prices.tier import Charge

FEBRUARY = Period.month(2024, 2)
STARTER = plan_from_monthly_fields(
    "starter",
    included_tokens_monthly=500_000,
    included_playbook_runs_monthly=50,
    included_seats=None,
    overage_token_price_milli_cents=10,
    overage_playbook_run_price_cents=100,
)
USAGE = Usage("org-123", FEBRUARY, {"tokens": 750_000, "playbook_runs": 75})
BILL = "org-123, 2024-02-01 to 2024-03-01 UTC"
NOT_IN = "is not in plan 'starter', whose metrics are: tokens, playbook_runs, seats"


class AtLeastFive:
    """A host's own price: 0.10 a unit, and 5.00 at least where there is any."""

    def charge(self, quantity: Any, /) -> Charge:
        each = TierCharge(Tier(None, "0.10"), quantity)
        if not quantity or each.exact_cost >= 5:
            return Charge([each])
        return Charge([each, TierCharge(Tier(None, flat=5 - Decimal(quantity) / 10), 0)])


class Broken:
    """A host's own price model that returns whatever it was made with."""

    def __init__(self, result: Any) -> None:
        self.result = result

    def charge(self, quantity: object, /) -> Charge:
        del quantity
        return self.result  # type: ignore[no-any-return]


def test_the_worked_example_of_the_earlier_engine() -> None:
    statement = calculate(STARTER, USAGE)
    assert [(line.metric, line.quantity, line.cost.minor) for line in statement.overages] == [
        ("tokens", 250_000, 2_500),
        ("playbook_runs", 25, 2_500),
    ]
    assert (statement["seats"].quantity, statement["seats"].cost.minor) == (0, 0)
    assert statement.total == Money(5_000, "USD")


def test_a_statement_has_org_period_and_plan() -> None:
    statement = calculate(STARTER, USAGE)
    assert (statement.org_id, statement.period, statement.plan) == ("org-123", FEBRUARY, STARTER)


@pytest.mark.parametrize(
    "quantities",
    [
        {},
        {"tokens": 0, "playbook_runs": 0},
        {"tokens": 500_000, "playbook_runs": 50},
        {"tokens": "499999.999999999999", "playbook_runs": "49.5"},
    ],
)
def test_nothing_is_over_within_the_limits(quantities: Any) -> None:
    statement = calculate(STARTER, Usage("org-123", FEBRUARY, quantities))
    assert [line.quantity for line in statement.every_overage()] == [0, 0, 0]
    assert statement.total == Money(0, "USD")


@pytest.mark.parametrize("seats", [10**26 - 1, Decimal("0.5")])
def test_what_is_unlimited_is_never_over(seats: Any) -> None:
    line = calculate(STARTER, Usage("org-123", FEBRUARY, {"seats": seats}))["seats"]
    assert (line.used, line.limit, line.quantity, line.cost.minor) == (seats, None, 0, 0)


@pytest.mark.parametrize(
    ("limits", "over", "total"),
    [
        ({"tokens": 600_000}, (150_000, 25), 4_000),
        ({"tokens": "600000.00"}, (150_000, 25), 4_000),
        ({"tokens": 750_000}, (0, 25), 2_500),
        ({"tokens": 0}, (750_000, 25), 10_000),
        ({"tokens": 400_000}, (350_000, 25), 6_000),
        ({"tokens": None}, (0, 25), 2_500),  # unlimited
        ({"tokens": 600_000, "playbook_runs": 74}, (150_000, 1), 1_600),
        ({"playbook_runs": "74.5"}, (250_000, Decimal("0.5")), 2_550),
        ({}, (250_000, 25), 5_000),
        (None, (250_000, 25), 5_000),
    ],
)
def test_a_soft_limit_overrides_the_included_quantity(
    limits: Any, over: tuple[Any, Any], total: int
) -> None:
    statement = calculate(STARTER, USAGE, limits=limits)
    assert (statement["tokens"].quantity, statement["playbook_runs"].quantity) == over
    assert statement.total == Money(total, "USD")


def test_a_soft_limit_bounds_what_the_plan_leaves_unlimited() -> None:
    plan = Plan("p", "USD", {"seats": Allowance(None, PerUnit(2))})
    statement = calculate(plan, Usage("org-1", FEBRUARY, {"seats": 5}), limits={"seats": 3})
    assert (statement["seats"].limit, statement.total) == (3, Money(400, "USD"))


def test_usage_of_an_unknown_metric_is_an_error() -> None:
    usage = Usage("org-123", FEBRUARY, {"tokens": 1, "gpu": 0})
    with pytest.raises(UnknownMetric, match=rf"(^|: )usage\.quantities\.gpu: 'gpu' {NOT_IN}$"):
        calculate(STARTER, usage)


def test_all_unknown_metrics_are_reported_together() -> None:
    with pytest.raises(InvalidValues) as caught:
        calculate(STARTER, Usage("org-123", FEBRUARY, {"gpu": 1, "tokens": 1, "gb": 2}))
    assert told(caught.value) == (
        "2 problems:\n"
        f"- {BILL}: usage.quantities.gpu: 'gpu' {NOT_IN}\n"
        f"- {BILL}: usage.quantities.gb: 'gb' {NOT_IN}"
    )


@pytest.mark.parametrize("named", [{}, {"ended": False}])
def test_unknown_metrics_of_usage_and_of_limits_are_reported_together(named: Any) -> None:
    usage = Usage("org-123", FEBRUARY, {"gpu": 1})
    with pytest.raises(InvalidValues) as caught:
        calculate(STARTER, usage, limits={"gb": 5}, **named)
    paths = [("usage", "quantities", "gpu"), ("limits", "gb")]
    assert [error.path for error in caught.value.errors] == paths


def test_an_error_says_whose_bill_it_is_of() -> None:
    usage = Usage("org-123", FEBRUARY, {"gpu": 1})
    refused: tuple[Any, ...] = (
        lambda: calculate(STARTER, usage),
        lambda: calculate(STARTER, usage, ended=False),
        lambda: next(calculate_many([(STARTER, usage, None)])),
        lambda: pool(STARTER, [usage], "org-123"),
    )
    for refuse in refused:
        with pytest.raises(UnknownMetric) as caught:
            refuse()
        assert (caught.value.org_id, caught.value.period) == ("org-123", FEBRUARY)


@pytest.mark.parametrize(
    ("limits", "error", "message"),
    [
        ({"gpu": 5}, UnknownMetric, rf"(^|: )limits\.gpu: 'gpu' {NOT_IN}$"),
        ({"gpu": None}, UnknownMetric, rf"(^|: )limits\.gpu: 'gpu' {NOT_IN}$"),
        ({"tokens": -1}, InvalidValue, r"(^|: )limits\.tokens: must not be negative, got -1$"),
        ({"tokens": 10**26}, InvalidValue, r"(^|: )limits\.tokens: must have at most 26 integer"),
        ({"tokens": 1.5}, InvalidType, r"(^|: )limits\.tokens: must be an int, a Decimal or a"),
        ({"tokens": True}, InvalidType, r"(^|: )limits\.tokens: must be an int, a Decimal or a"),
        ([("tokens", 5)], InvalidType, r"(^|: )limits: must be a mapping of metrics to quantities"),
    ],
)
def test_a_faulty_limit_is_an_error(limits: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        calculate(STARTER, USAGE, limits=limits)


def test_all_faulty_limits_are_reported_together() -> None:
    bad: Any = {"tokens": -1, "playbook_runs": 0.5, "seats": 1}
    with pytest.raises(InvalidValues) as caught:
        calculate(STARTER, USAGE, limits=bad)
    assert told(caught.value) == (
        "2 problems:\n"
        f"- {BILL}: limits.tokens: must not be negative, got -1\n"
        f"- {BILL}: limits.playbook_runs: must be an int, a Decimal or a decimal string, got 0.5"
    )


@pytest.mark.parametrize(
    ("plan", "usage", "message"),
    [
        ("starter", USAGE, r"(^|: )plan: must be a Plan, got 'starter'$"),
        (STARTER, {"tokens": 5}, r"(^|: )usage: must be a Usage, got \{'tokens': 5\}$"),
        (USAGE, STARTER, r"(^|: )plan: must be a Plan, got Usage\("),
    ],
)
def test_the_arguments_are_a_plan_and_usage(plan: Any, usage: Any, message: str) -> None:
    with pytest.raises(InvalidType, match=message):
        calculate(plan, usage)


@pytest.mark.parametrize(
    ("rounding", "half", "one_and_half"),
    [
        ("half_up", 1, 2),
        ("half_even", 0, 2),
        ("half_down", 0, 1),
        ("up", 1, 2),
        ("down", 0, 1),
        ("ceiling", 1, 2),
        ("floor", 0, 1),
    ],
)
@pytest.mark.parametrize(
    ("price", "unit"),
    [
        (PerUnit("0.005"), 1),
        (PerUnit("0.01"), Decimal("0.5")),
        (Package("0.005", 10), 10),
        (Graduated([Tier(2, "0.005"), Tier(None, "0.005")]), 1),
    ],
)
def test_a_line_is_rounded_once_as_the_plan_says(
    price: PriceModel, unit: Any, rounding: Any, half: int, one_and_half: int
) -> None:
    allowances = {"one": Allowance(0, price), "three": Allowance(0, price)}
    plan = Plan("p", "USD", allowances, rounding=rounding)
    statement = calculate(plan, Usage("org-1", FEBRUARY, {"one": unit, "three": 3 * unit}))
    assert [line.cost.minor for line in statement.overages] == [half, one_and_half]
    assert [line.exact_cost for line in statement.overages] == [Decimal("0.005"), Decimal("0.015")]
    assert statement.total == Money(half + one_and_half, "USD")


@pytest.mark.parametrize(
    ("scope", "rounding", "costs"),
    [
        ("line", "half_up", [0, 0, 0]),
        ("line", "up", [1, 1, 1]),
        ("total", "half_up", [1, 0, 0]),  # 3 x 0.4 cents are 1.2
        ("total", "up", [1, 1, 0]),
        ("total", "down", [1, 0, 0]),
    ],
)
def test_the_total_is_rounded_once_where_the_plan_says_so(
    scope: Any, rounding: Any, costs: list[int]
) -> None:
    allowances = {metric: Allowance(0, PerUnit("0.004")) for metric in "abc"}
    plan = Plan("p", "USD", allowances, rounding=rounding, rounding_scope=scope)
    statement = calculate(plan, Usage("org-1", FEBRUARY, dict.fromkeys("abc", 1)))
    assert [line.cost.minor for line in statement.overages] == costs
    assert statement.total == Money(sum(costs), "USD")


@pytest.mark.parametrize(
    ("currency", "minor"), [("JPY", 1), ("USD", 123), ("KWD", 1235), ("CLF", 12346)]
)
def test_a_cost_is_rounded_to_the_minor_unit_of_its_currency(currency: str, minor: int) -> None:
    plan = Plan("p", currency, {"a": Allowance(0, PerUnit("1.234567"))})
    assert calculate(plan, Usage("org-1", FEBRUARY, {"a": 1})).total == Money(minor, currency)


def test_no_digit_is_lost_whatever_the_decimal_context_is() -> None:
    plan = Plan("p", "USD", {"a": Allowance("0.000000000001", PerUnit("0.01"))})
    usage = Usage("org-1", FEBRUARY, {"a": "99999999999999999999999999.000000000001"})
    with localcontext() as context:
        context.prec, context.Emax, context.Emin = 1, 0, 0
        for signal in context.traps:
            context.traps[signal] = True
        statement = calculate(plan, usage)
        text = statement.explain()
    assert statement.total == Money(99_999_999_999_999_999_999_999_999, "USD")
    assert "999,999,999,999,999,999,999,999.99 USD" in text


def test_a_price_model_of_the_host_is_calculated_and_explained() -> None:
    plan = Plan("own", "USD", {"calls": Allowance(10, AtLeastFive())})
    statement = calculate(plan, Usage("org-1", FEBRUARY, {"calls": 30}))
    assert statement.total == Money(500, "USD")
    assert statement.explain() == (
        "Overage of org-1, 2024-02-01 to 2024-03-01 UTC, plan own\n"
        "\n"
        "metric  used  limit  over  price           exact      cost\n"
        "calls     30     10    20  by tier:            5  5.00 USD\n"
        "                           20 x 0.1            2\n"
        "                           0 x 0 + 3 flat      3\n"
        "total                                             5.00 USD\n"
        "\n"
        "Each line is rounded once, half up; the total is the sum of the lines."
    )


@pytest.mark.parametrize(("calls", "minor"), [(10, 0), (11, 500), (60, 500), (61, 510)])
def test_a_price_model_of_the_host_is_asked_for_what_is_over(calls: int, minor: int) -> None:
    plan = Plan("own", "USD", {"calls": Allowance(10, AtLeastFive())})
    statement = calculate(plan, Usage("org-1", FEBRUARY, {"calls": calls}))
    assert statement["calls"].cost == Money(minor, "USD")


@pytest.mark.parametrize(
    ("result", "message"),
    [
        (None, r"(^|: )calls\.price\.charge\(\): must return a Charge, got None$"),
        (Decimal(5), r"(^|: )calls\.price\.charge\(\): must return a Charge, got 5$"),
    ],
)
@pytest.mark.parametrize("scope", ["line", "total"])
def test_a_price_model_of_the_host_that_misbehaves_is_an_error(
    result: Any, message: str, scope: Any
) -> None:
    plan = Plan("own", "USD", {"calls": Allowance(0, Broken(result))}, rounding_scope=scope)
    with pytest.raises(FaultyPriceModel, match=message):
        calculate(plan, Usage("org-1", FEBRUARY, {"calls": 5}))


def test_many_statements_come_in_the_order_of_their_inputs() -> None:
    pro = Plan("pro", "EUR", {"tokens": Allowance(0, PerUnit("0.01"))})
    second = Usage("org-2", FEBRUARY, {"tokens": 5})
    inputs = [(STARTER, USAGE, None), (pro, second, None), (STARTER, USAGE, {"tokens": 600_000})]
    assert [str(statement.total) for statement in calculate_many(inputs)] == [
        "50.00 USD",
        "0.05 EUR",
        "40.00 USD",
    ]


def test_a_faulty_input_among_many_is_an_error_when_it_is_reached() -> None:
    faulty = Usage("org-2", FEBRUARY, {"gpu": 5})
    statements = calculate_many(iter([(STARTER, USAGE, None), (STARTER, faulty, None)]))
    assert next(statements) == calculate(STARTER, USAGE)
    with pytest.raises(UnknownMetric, match=r"(^|: )usage\.quantities\.gpu: "):
        next(statements)


GRADUATED = Graduated([Tier(10, 2), Tier(None, 1, flat=5)], flat_at_zero=True)
VOLUME = Volume([Tier(10, 2), Tier(None, 1)])


@pytest.mark.parametrize(
    ("model", "before", "after", "cost"),
    [
        (PerUnit("0.10"), 100, 250, "Decimal('15')"),
        (PerUnit("0.10"), 250, 100, "Decimal('-15')"),
        (PerUnit("0.10"), 5, 5, "Decimal('0')"),
        (PerUnit(1, per=3), 1, "1.5", "Fraction(1, 6)"),
        (GRADUATED, 8, 12, "Decimal('11')"),  # 2 x 2 + 2 x 1 + 5
        (VOLUME, 10, 11, "Decimal('-9')"),  # from 20 to 11
        (Package(1, 100), 99, 101, "Decimal('1')"),
        (Graduated([Tier(None, 1, flat=5)], flat_at_zero=True), 0, 2, "Decimal('2')"),
        (Graduated([Tier(None, 1, flat=5)], flat_at_zero=True), None, 0, "Decimal('5')"),
        (Graduated([Tier(None, 1, flat=5)], flat_at_zero=True), None, 2, "Decimal('7')"),
        (Graduated([Tier(None, 1, flat=5)]), 0, 2, "Decimal('7')"),
        (AtLeastFive(), 20, 60, "Decimal('1')"),
    ],
)
def test_a_step_costs_what_the_whole_costs_after_it_less_before(
    model: PriceModel, before: Any, after: Any, cost: str
) -> None:
    assert repr(charge_between(model, before, after)) == cost


@pytest.mark.parametrize(
    ("model", "before", "after", "message"),
    [
        ("0.10", 0, 1, r"^model: must be a price model such as PerUnit\('1'\), got '0\.10'$"),
        (Broken(None), 0, 1, r"^price\.charge\(\): must return a Charge, got None$"),
        (PerUnit(1), -1, 1, r"^before: must not be negative, got -1$"),
        (PerUnit(1), 0, 1.5, r"^after: must be an int, a Decimal or a decimal string, got 1\.5$"),
        (PerUnit(1), 0, None, r"^after: must be an int, a Decimal or a decimal string, got None$"),
    ],
)
def test_a_step_is_between_two_quantities(
    model: Any, before: Any, after: Any, message: str
) -> None:
    with pytest.raises(OveragesError, match=message):
        charge_between(model, before, after)


def test_a_metric_that_was_not_used_counts_zero() -> None:
    plan = Plan("p", "USD", {"tokens": Allowance(0, PerUnit(1)), "runs": Allowance(0, PerUnit(1))})
    statement = calculate(plan, Usage("org-1", Period.month(2024, 2), {"runs": 3}))
    assert (statement["tokens"].used, statement["tokens"].cost) == (0, Money(0, "USD"))
    assert statement.total == Money(300, "USD")
