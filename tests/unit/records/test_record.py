"""Records, and the summaries that they come to."""

import copy
import datetime as datetime_module
import operator
import pickle
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from tests.pages import caption_of, rows_of
from tests.recorded import AT, stored
from tests.told import told

from overages import Currency, Money, OverageRecord, Period, Summary
from overages.errors import (
    CurrencyMismatch,
    InvalidType,
    InvalidValue,
    InvalidValues,
    UnknownMetric,
)
from overages.statements.summary import MetricTotal

FEBRUARY = Period.month(2024, 2)
TOKENS = MetricTotal(250_000, Money(2500, "USD"))
SUMMARY_TEXT = """\
metric           over       cost
tokens        250,000  25.00 USD
all: minimum            5.00 USD
total                  30.00 USD"""
NOTHING = MetricTotal(0, Money(0, "USD"))


def test_a_record_keeps_its_numbers_in_their_one_form() -> None:
    record = stored(
        "org-1",
        FEBRUARY,
        "tokens",
        quantity="250000.0",
        cost=Money(2500, "USD"),
        exact_cost=25,
        unit_price=Decimal("0.00010"),
    )
    assert repr((record.quantity, record.exact_cost, record.unit_price)) == (
        "(250000, Decimal('25'), Decimal('0.0001'))"
    )


def test_a_record_may_be_a_correction_that_takes_back() -> None:
    record = stored(
        "org-1",
        FEBRUARY,
        "tokens",
        quantity=Decimal("-0.5"),
        cost=Money(-33, "USD"),
        exact_cost=Fraction(-1, 3),
    )
    assert (record.quantity, record.cost.minor) == (Decimal("-0.5"), -33)
    assert (record.exact_cost, record.unit_price) == (Fraction(-1, 3), None)


def test_a_record_with_many_faults_reports_them_all() -> None:
    bad: Any = {
        "quantity": "x",
        "cost": 2500,
        "exact_cost": "25",
        "unit_price": 0.1,
        "plan": 5,
        "plan_version": 0,
        "revision": True,
        "sequence": 2**63,
        "created_at": datetime(2024, 3, 1),
        "digest": "F" * 64,
    }
    month: Any = "2024-02"
    with pytest.raises(InvalidValues) as caught:
        OverageRecord("", month, "", **bad)
    assert told(caught.value) == (
        "13 problems:\n"
        "- org_id: must not be empty, got ''\n"
        "- period: must be of type Period, got '2024-02'\n"
        "- metric: must not be empty, got ''\n"
        "- quantity: must be a plain decimal number such as 12.5, got 'x'\n"
        "- cost: must be of type Money, got 2500\n"
        "- exact_cost: must be an int, a Decimal or a Fraction, got '25'\n"
        "- unit_price: must be an int, a Decimal or a Fraction, got 0.1\n"
        "- plan: must be a str, got 5\n"
        "- plan_version: must be from 1 to 2**63 - 1, got 0\n"
        "- revision: must be an int, got True\n"
        "- sequence: must be from 1 to 2**63 - 1, got 9223372036854775808\n"
        "- created_at: must have a timezone, got 2024-03-01T00:00:00\n"
        f"- digest: must be 64 lower-case hexadecimal digits, got '{'F' * 64}'"
    )


def test_a_record_counts_from_one_unless_told() -> None:
    record = OverageRecord(
        "org-1",
        FEBRUARY,
        "tokens",
        quantity=1,
        cost=Money(1, "USD"),
        exact_cost=1,
        plan="starter",
        created_at=AT,
        digest="a" * 64,
    )
    assert (record.plan_version, record.revision, record.sequence) == (1, 1, 1)
    assert record.id == record.digest == "a" * 64


@pytest.mark.parametrize("field", ["plan_version", "revision", "sequence"])
def test_a_record_counts_as_far_as_any_database(field: str) -> None:
    named: dict[str, Any] = {"quantity": 1, "cost": Money(1, "USD"), "exact_cost": 1}
    record = stored("org-1", FEBRUARY, "tokens", **named, **{field: 2**63 - 1})
    assert getattr(record, field) == 2**63 - 1


@pytest.mark.parametrize(
    ("digest", "error"),
    [
        ("0" * 63, InvalidValue),
        ("0" * 65, InvalidValue),
        ("0" * 63 + "\n", InvalidValue),
        ("0" * 64 + "\n", InvalidValue),
        ("0" * 63 + "g", InvalidValue),
        ("0" * 63 + "\u0661", InvalidValue),
        (b"0" * 64, InvalidType),
        (None, InvalidType),
    ],
)
def test_a_digest_has_one_spelling(digest: Any, error: type[Exception]) -> None:
    with pytest.raises(error, match=r"^digest: "):
        stored(
            "org-1", FEBRUARY, "a", quantity=1, cost=Money(1, "USD"), exact_cost=1, digest=digest
        )


def test_the_time_of_a_record_is_kept_in_utc() -> None:
    elsewhere = datetime(2024, 3, 1, 14, tzinfo=timezone(timedelta(hours=2)))
    named: dict[str, Any] = {"quantity": 1, "cost": Money(1, "USD"), "exact_cost": 1}
    record = stored("org-1", FEBRUARY, "tokens", **named, created_at=elsewhere)
    assert record == stored("org-1", FEBRUARY, "tokens", **named, created_at=AT)
    assert record.created_at.tzinfo is UTC


def test_the_repr_of_a_record_makes_it_again_and_tells_it_from_one_of_another_digest() -> None:
    named: dict[str, Any] = {"quantity": 1, "cost": Money(1, "USD"), "exact_cost": 1}
    first, second = (stored("org-1", FEBRUARY, "a", **named, digest=digest * 64) for digest in "ab")
    assert repr(first) != repr(second)
    assert eval(repr(first), globals() | {"datetime": datetime_module}) == first


def test_equal_records_are_one_and_survive_pickling_and_copying() -> None:
    made = [
        stored("org-1", FEBRUARY, "a", quantity=q, cost=Money(33, "USD"), exact_cost=Fraction(1, 3))
        for q in (5, "5.0", Decimal("5.00"))
    ]
    twins = [pickle.loads(pickle.dumps(made[0])), copy.copy(made[0]), copy.deepcopy(made[0])]
    assert len({*made, *twins}) == 1


@pytest.mark.parametrize(
    ("quantity", "cost", "message"),
    [
        (True, Money(0, "USD"), "^quantity: must be an int or a Decimal, got True$"),
        ("5", Money(0, "USD"), "^quantity: must be an int or a Decimal, got '5'$"),
        (5.0, Money(0, "USD"), r"^quantity: must be an int or a Decimal, got 5\.0$"),
        (5, 0, "^cost: must be of type Money, got 0$"),
    ],
)
def test_a_metric_total_has_a_quantity_and_a_cost(quantity: Any, cost: Any, message: str) -> None:
    with pytest.raises(InvalidType, match=message):
        MetricTotal(quantity, cost)


def test_a_metric_total_may_be_of_any_size() -> None:
    assert MetricTotal(10**40, Money(10**40, "USD")).quantity == 10**40


def test_a_metric_total_has_its_quantity_in_one_form() -> None:
    assert repr(MetricTotal(Decimal("5.0"), Money(0, "USD")).quantity) == "5"


@pytest.mark.parametrize(
    ("quantity", "message"),
    [
        (Decimal("1E-13"), r"^quantity: must have at most 12 decimal digits, got "),
        (Decimal("Infinity"), r"^quantity: must be a finite number, got "),
    ],
)
def test_a_metric_total_is_a_sum_of_quantities(quantity: Decimal, message: str) -> None:
    with pytest.raises(InvalidValue, match=message):
        MetricTotal(quantity, Money(0, "USD"))


def test_a_summary_says_which_metrics_it_has_and_is_not_walked_through() -> None:
    summary = Summary("USD", {"tokens": TOKENS})
    assert "tokens" in summary
    assert "runs" not in summary
    with pytest.raises(TypeError, match="not iterable"):
        iter(summary)  # type: ignore[call-overload]


def test_a_summary_has_a_total_by_metric_and_one_of_all() -> None:
    runs = MetricTotal(Decimal("2.5"), Money(-50, "USD"))
    summary = Summary("USD", {"tokens": TOKENS, "runs": runs})
    assert summary["runs"] == runs
    assert dict(summary.metrics) == {"tokens": TOKENS, "runs": runs}
    assert summary.total == Money(2450, "USD")


def test_a_summary_of_nothing_costs_nothing() -> None:
    assert Summary("JPY", {}).total == Money(0, "JPY")


@pytest.mark.parametrize(
    ("total", "kept"),
    [
        (NOTHING, []),
        (MetricTotal(Decimal("-0.5"), Money(0, "USD")), ["tokens"]),
        (MetricTotal(0, Money(-1, "USD")), ["tokens"]),
    ],
)
def test_a_metric_without_quantity_and_cost_is_left_out(
    total: MetricTotal, kept: list[str]
) -> None:
    assert list(Summary("USD", {"tokens": total}).metrics) == kept


def test_the_metrics_of_a_summary_can_be_read_only() -> None:
    metrics: Any = Summary("USD", {"tokens": TOKENS}).metrics
    with pytest.raises(TypeError):
        metrics["tokens"] = NOTHING


@pytest.mark.parametrize(
    ("metrics", "error", "message"),
    [
        ({"tokens": 5}, InvalidType, r"^metrics\.tokens: must be of type MetricTotal, got 5$"),
        ({"": TOKENS}, InvalidValue, "^metrics.<metric>: must not be empty, got ''$"),
        (
            {"tokens": MetricTotal(0, Money(0, "EUR"))},
            CurrencyMismatch,
            r"^metrics\.tokens: USD and EUR can't be added or compared$",
        ),
    ],
)
def test_a_summary_refuses_what_it_can_not_sum(
    metrics: Any, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        Summary("USD", metrics)


def test_a_metric_that_is_not_in_a_summary_is_unknown() -> None:
    with pytest.raises(UnknownMetric, match=r"^metric: 'gpu' has no overage here$"):
        Summary("USD", {"tokens": TOKENS})["gpu"]


def test_summaries_add_metric_by_metric() -> None:
    left = Summary("USD", {"a": MetricTotal(1, Money(10, "USD")), "b": TOKENS})
    right = Summary("USD", {"a": MetricTotal(Decimal("0.5"), Money(5, "USD")), "c": TOKENS})
    assert left + right == Summary(
        "USD", {"a": MetricTotal(Decimal("1.5"), Money(15, "USD")), "b": TOKENS, "c": TOKENS}
    )


def test_a_metric_that_is_charged_and_taken_back_leaves_the_sum() -> None:
    back = Summary("USD", {"tokens": MetricTotal(-250_000, Money(-2500, "USD"))})
    assert Summary("USD", {"tokens": TOKENS}) + back == Summary("USD", {})


def test_summaries_of_two_currencies_do_not_add() -> None:
    with pytest.raises(CurrencyMismatch, match=r"^USD and EUR can't be added"):
        Summary("USD", {}) + Summary("EUR", {})


def test_summaries_are_summed_from_the_zero_that_sum_begins_with() -> None:
    summary = Summary("USD", {"tokens": TOKENS})
    assert sum([summary, summary]) == summary + summary
    with pytest.raises(TypeError, match="unsupported operand"):
        1 + summary


def test_a_summary_and_a_stranger_do_not_add() -> None:
    with pytest.raises(TypeError, match="Summary"):
        operator.add(Summary("USD", {}), 0)


def test_summaries_are_equal_by_value_and_survive_pickling() -> None:
    a_total = MetricTotal(1, Money(1, "USD"))
    summary = Summary("USD", {"a": a_total, "b": TOKENS})
    same = Summary("USD", {"b": TOKENS, "a": a_total, "c": NOTHING})
    assert len({summary, same, pickle.loads(pickle.dumps(summary))}) == 1
    assert summary != Summary("USD", {"a": a_total})
    assert Summary("USD", {}) != Summary("EUR", {})


def test_the_repr_of_a_summary_makes_it_again() -> None:
    summary = Summary("USD", {"tokens": TOKENS})
    assert repr(summary) == (
        "Summary(currency=Currency(code='USD'), "
        "metrics={'tokens': MetricTotal(quantity=250000, cost=Money(2500, 'USD'))})"
    )
    assert eval(repr(summary), globals() | {"Currency": Currency}) == summary


def test_a_summary_prints_as_a_table_and_so_does_a_pretty_printer() -> None:
    class Printer:
        printed = ""

        def text(self, text: str) -> None:
            self.printed += text

    summary = Summary("USD", {"tokens": TOKENS}, {"minimum": Money(500, "USD")})
    printer = Printer()
    summary._repr_pretty_(printer, cycle=False)
    assert str(summary) == printer.printed == SUMMARY_TEXT


def test_a_notebook_is_given_a_table_of_a_summary() -> None:
    summary = Summary("USD", {"tokens": TOKENS}, {"credit:<g>": Money(-500, "USD")})
    page = summary._repr_html_()
    assert caption_of(page) == "Overage"
    assert rows_of(page) == [
        ["metric", "over", "cost"],
        ["tokens", "250,000", "25.00 USD"],
        ["all: credit:&lt;g&gt;", "", "-5.00 USD"],
        ["total", "", "20.00 USD"],
    ]
