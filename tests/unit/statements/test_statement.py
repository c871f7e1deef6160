"""Statements: what they hold, how they explain themselves, how they are shown."""

import pickle
from decimal import Decimal
from typing import Any

import pytest
from tests.recorded import recorded, stored
from tests.told import told

from overages import (
    Allowance,
    Currency,
    Graduated,
    Money,
    Overage,
    Package,
    Period,
    PerUnit,
    Plan,
    Statement,
    Summary,
    Tier,
    Usage,
    Volume,
    calculate,
)
from overages.errors import InvalidValues, UnknownMetric
from overages.imports.monthly_fields import plan_from_monthly_fields
from overages.statements.summary import MetricTotal

FEBRUARY = Period.month(2024, 2)
STARTER = plan_from_monthly_fields(
    "starter",
    included_tokens_monthly=500_000,
    included_playbook_runs_monthly=50,
    included_seats=3,
    overage_token_price_milli_cents=10,
    overage_playbook_run_price_cents=100,
)
STATEMENT = calculate(
    STARTER, Usage("org-123", FEBRUARY, {"tokens": 750_000, "playbook_runs": 75, "seats": 2})
)
TIERS = [Tier(100, "0.10"), Tier(200, "0.05", flat=5), Tier(None, "0.01", flat=2, per=3)]
PRO = Plan(
    "pro",
    "USD",
    {
        "tokens": Allowance(100, Graduated(TIERS)),
        "gb": Allowance(None, Package(2, 1000)),
        "runs": Allowance(0, Volume([Tier(10, flat=5), Tier(None, 1, size=10)])),
    },
    rounding="half_even",
    rounding_scope="total",
)


def test_a_statement_finds_its_lines_by_metric_in_the_order_of_the_plan() -> None:
    assert [line.metric for line in STATEMENT.lines] == ["tokens", "playbook_runs", "seats"]
    assert STATEMENT["seats"] == STATEMENT.lines[2]
    assert STATEMENT["seats"] == Overage("seats", 2, 3, PerUnit(0), Money(0, "USD"))


def test_a_statement_says_which_metrics_it_has_and_is_not_walked_through() -> None:
    assert "seats" in STATEMENT
    assert "storage" not in STATEMENT
    with pytest.raises(TypeError, match="not iterable"):
        iter(STATEMENT)  # type: ignore[call-overload]


def test_a_metric_that_the_plan_does_not_know_has_no_line() -> None:
    problem = "'gpu' is not in plan 'starter', whose metrics are: tokens, playbook_runs, seats"
    with pytest.raises(UnknownMetric, match=f"^metric: {problem}$"):
        STATEMENT["gpu"]


def test_a_statement_of_a_plan_without_metrics_has_no_lines() -> None:
    empty = calculate(Plan("free", "JPY", {}), Usage("org-1", FEBRUARY, {}))
    assert (empty.lines, empty.total, recorded(empty)) == ((), Money(0, "JPY"), ())
    with pytest.raises(UnknownMetric, match=r"'gpu' is not in plan 'free', .* are: none$"):
        empty["gpu"]


def test_a_statement_can_be_made_of_its_lines() -> None:
    made = Statement("org-123", FEBRUARY, STARTER, iter(STATEMENT.lines))
    assert made == STATEMENT
    assert (made.total, made.currency.code) == (Money(5000, "USD"), "USD")


def test_a_statement_with_many_faults_reports_them_all() -> None:
    bad: Any = {"org_id": "", "period": "2024-02", "plan": "starter", "lines": []}
    with pytest.raises(InvalidValues) as caught:
        Statement(**bad)
    assert told(caught.value) == (
        "3 problems:\n"
        "- org_id: must not be empty, got ''\n"
        "- period: must be of type Period, got '2024-02'\n"
        "- plan: must be of type Plan, got 'starter'"
    )


def test_statements_are_equal_by_value_and_survive_pickling() -> None:
    usage: dict[str, Any] = {"seats": "2.0", "playbook_runs": "75", "tokens": Decimal(750_000)}
    same = calculate(STARTER, Usage("org-123", FEBRUARY, usage))
    assert len({STATEMENT, same, pickle.loads(pickle.dumps(STATEMENT))}) == 1
    other = calculate(STARTER, Usage("org-123", FEBRUARY, {**usage, "seats": 1}))
    assert (other.total, other == STATEMENT) == (STATEMENT.total, False)


def test_each_line_that_is_over_leaves_a_record() -> None:
    records = recorded(STATEMENT)
    assert records == (
        stored(
            "org-123",
            FEBRUARY,
            "tokens",
            quantity=250_000,
            cost=Money(2500, "USD"),
            exact_cost=25,
            unit_price=Decimal("0.0001"),
            digest=records[0].digest,
        ),
        stored(
            "org-123",
            FEBRUARY,
            "playbook_runs",
            quantity=25,
            cost=Money(2500, "USD"),
            exact_cost=25,
            unit_price=1,
            sequence=2,
            digest=records[1].digest,
        ),
    )


def test_a_line_that_is_over_for_free_leaves_a_record() -> None:
    statement = calculate(STARTER, Usage("org-1", FEBRUARY, {"seats": 5}))
    (record,) = recorded(statement)
    assert (record.metric, record.quantity, record.cost.minor) == ("seats", 2, 0)


def test_a_line_that_costs_something_without_being_over_leaves_a_record() -> None:
    price = Graduated([Tier(None, 1, flat=5)], flat_at_zero=True)
    plan = Plan("p", "USD", {"a": Allowance(10, price)})
    (record,) = recorded(calculate(plan, Usage("org-1", FEBRUARY, {})))
    assert (record.quantity, record.cost, record.unit_price) == (0, Money(500, "USD"), None)


def test_a_statement_sums_itself_up_by_metric() -> None:
    assert STATEMENT.summary() == Summary(
        "USD",
        {
            "tokens": MetricTotal(250_000, Money(2500, "USD")),
            "playbook_runs": MetricTotal(25, Money(2500, "USD")),
        },
    )


STARTER_TEXT = """\
Overage of org-123, 2024-02-01 to 2024-03-01 UTC, plan starter

metric            used    limit     over  price             exact       cost
tokens         750,000  500,000  250,000  250,000 x 0.0001     25  25.00 USD
playbook_runs       75       50       25  25 x 1               25  25.00 USD
seats                2        3        0                        0   0.00 USD
total                                                              50.00 USD

Each line is rounded once, half up; the total is the sum of the lines."""

# tokens: 302 - 100 = 202 over; 100 x 0.10 = 10, 100 x 0.05 + 5 = 10, 2 / 3 x 0.01 + 2 = 301/150
PRO_TEXT = """\
Overage of org-7, 2024-02-01 to 2024-03-01 UTC, plan pro

metric  used      limit  over  price                                  exact       cost
tokens   302        100   202  by tier:                            3301/150  22.01 USD
                               up to 100: 100 x 0.1                      10
                               above 100: 100 x 0.05 + 5 flat            10
                               above 200: 2 x 0.01 per 3 + 2 flat   301/150
gb      12.5  unlimited     0                                             0   0.00 USD
runs      11          0    11  2 x 1 (packages of 10)                     2   2.00 USD
total                                                                        24.01 USD

The exact total is rounded once, half even, and the lines are made to add up to it."""


def test_a_statement_explains_every_cent() -> None:
    assert STATEMENT.explain() == STARTER_TEXT


def test_a_statement_explains_each_tier_that_was_used() -> None:
    usage = Usage("org-7", FEBRUARY, {"tokens": 302, "gb": "12.5", "runs": 11})
    assert calculate(PRO, usage).explain() == PRO_TEXT


def test_the_repr_of_a_statement_is_short() -> None:
    assert repr(STATEMENT) == (
        "<Statement of 'org-123', 2024-02-01T00:00:00Z/2024-03-01T00:00:00Z, "
        "plan 'starter': 50.00 USD>"
    )


def test_a_statement_prints_its_explanation() -> None:
    assert str(STATEMENT) == STATEMENT.explain() == STARTER_TEXT


def test_a_pretty_printer_is_given_the_explanation() -> None:
    class Printer:
        printed = ""

        def text(self, text: str) -> None:
            self.printed += text

    printer = Printer()
    STATEMENT._repr_pretty_(printer, cycle=False)
    assert printer.printed == STARTER_TEXT


def test_a_notebook_is_given_a_table() -> None:
    plan = Plan("p", "USD", {"a": Allowance(0, PerUnit(1))})
    left = '<td style="text-align: left">'
    right = '<td style="text-align: right; white-space: nowrap">'
    page = calculate(plan, Usage("org-1", FEBRUARY, {"a": 5}))._repr_html_()
    assert page.splitlines()[1] == (
        "<caption>Overage of org-1, 2024-02-01 to 2024-03-01 UTC, plan p</caption>"
    )
    assert page.splitlines()[4:6] == [
        f"<tr>{left}a</td>{right}5</td>{right}0</td>{right}5</td>{left}5 x 1</td>{right}5</td>"
        f"{right}5.00 USD</td></tr>",
        f"<tr>{left}total</td>{right}</td>{right}</td>{right}</td>{left}</td>{right}</td>"
        f"{right}5.00 USD</td></tr>",
    ]


def test_hostile_names_are_escaped_in_a_notebook() -> None:
    hostile = "<script>alert('&')</script>"
    plan = Plan(hostile, "USD", {hostile: Allowance(0, PerUnit(1))})
    page = calculate(plan, Usage(hostile, FEBRUARY, {hostile: 1}))._repr_html_()
    assert "<script" not in page
    assert page.count("&lt;script&gt;alert(&#x27;&amp;&#x27;)&lt;/script&gt;") == 3


def test_a_hostile_currency_is_escaped_in_a_notebook() -> None:
    plan = Plan("p", Currency("<b>", 2), {})
    assert "0.00 &lt;b&gt;</td>" in calculate(plan, Usage("org-1", FEBRUARY, {}))._repr_html_()
