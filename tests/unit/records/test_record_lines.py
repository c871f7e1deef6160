"""Records of lines that are no overages, and what they add to a summary."""

from typing import Any

import pytest
from tests.recorded import stored

from overages import Currency, Money, OverageRecord, Period, Summary, aggregate
from overages.errors import CurrencyMismatch, InvalidType, InvalidValue, InvalidValues
from overages.statements.summary import MetricTotal

FEBRUARY = Period.month(2024, 2)
TOKENS = MetricTotal(250_000, Money(2500, "USD"))
USD_5 = Money(500, "USD")


def line(named: str, minor: int, metric: str | None = None, code: str = "USD") -> OverageRecord:
    """Return the record of an adjustment."""
    cost = Money(minor, code)
    return stored("org-1", FEBRUARY, metric, quantity=0, cost=cost, exact_cost=0, line=named)


# Records


def test_a_record_is_of_an_overage_or_of_another_line_of_its_metric() -> None:
    overage = stored("org-1", FEBRUARY, "tokens", quantity=1, cost=USD_5, exact_cost=5)
    assert overage.line == "overage"
    assert line("credit:g1", -5, "tokens").line == "credit:g1"


def test_a_record_of_all_lines_has_no_metric() -> None:
    record = line("minimum", 5)
    assert record.metric is None
    assert "metric=None" in repr(record)
    assert "line='minimum'" in repr(record)


def test_an_overage_is_of_a_metric() -> None:
    with pytest.raises(InvalidValue, match=r"^metric: must be named for an overage, got None$"):
        line("overage", 5)


def test_a_line_has_a_name() -> None:
    with pytest.raises(InvalidValues) as caught:
        stored("org-1", FEBRUARY, "", quantity=0, cost=USD_5, exact_cost=5, line="")
    assert [str(error).partition(":")[0] for error in caught.value.errors] == ["metric", "line"]


# Summaries


def test_a_summary_has_what_adjusts_all_metrics_together() -> None:
    summary = Summary("USD", {"tokens": TOKENS}, {"minimum": USD_5, "credit:g1": -USD_5 - USD_5})
    assert dict(summary.adjustments) == {"minimum": USD_5, "credit:g1": Money(-1000, "USD")}
    assert summary.total == Money(2000, "USD")
    assert "minimum" not in summary


def test_an_adjustment_without_cost_is_left_out() -> None:
    summary = Summary("USD", {}, {"minimum": Money(0, "USD")})
    assert summary == Summary("USD", {})
    assert dict(summary.adjustments) == {}


def test_the_adjustments_of_a_summary_can_be_read_only() -> None:
    adjustments: Any = Summary("USD", {}, {"minimum": USD_5}).adjustments
    with pytest.raises(TypeError):
        adjustments["minimum"] = USD_5


def test_summaries_add_line_by_line() -> None:
    left = Summary("USD", {"tokens": TOKENS}, {"minimum": USD_5})
    right = Summary("USD", {}, {"minimum": USD_5, "credit:g1": -USD_5})
    both = {"minimum": Money(1000, "USD"), "credit:g1": -USD_5}
    assert left + right == right + left == Summary("USD", {"tokens": TOKENS}, both)
    assert left + Summary("USD", {}, {"minimum": -USD_5}) == Summary("USD", {"tokens": TOKENS})


def test_summaries_with_other_adjustments_are_others() -> None:
    found = {
        Summary("USD", {}),
        Summary("USD", {}, {"minimum": USD_5}),
        Summary("USD", {}, {"maximum": USD_5}),
        Summary("USD", {}, {"maximum": USD_5, "minimum": Money(0, "USD")}),
    }
    assert len(found) == 3


def test_the_repr_of_a_summary_with_adjustments_makes_it_again() -> None:
    summary = Summary("USD", {}, {"minimum": USD_5})
    shown = "metrics={}, adjustments={'minimum': Money(500, 'USD')}"
    assert repr(summary) == f"Summary(currency=Currency(code='USD'), {shown})"
    assert eval(repr(summary), globals() | {"Currency": Currency}) == summary


@pytest.mark.parametrize(
    ("adjustments", "error", "message"),
    [
        (5, InvalidType, "^adjustments: must be a mapping of lines to Money, got 5$"),
        ({"minimum": 5}, InvalidType, r"^adjustments\.minimum: must be of type Money, got 5$"),
        ({"": USD_5}, InvalidValue, "^adjustments.<line>: must not be empty, got ''$"),
        ({"minimum": Money(5, "EUR")}, CurrencyMismatch, "^adjustments.minimum: USD and EUR"),
    ],
)
def test_adjustments_that_can_not_be_summed_are_refused(
    adjustments: Any, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        Summary("USD", {}, adjustments)


# Aggregation


def test_adjustments_are_summed_with_their_metric_or_by_line() -> None:
    records = [
        stored(
            "org-1", FEBRUARY, "tokens", quantity=250_000, cost=Money(3000, "USD"), exact_cost=0
        ),
        line("discount:half", -1500, "tokens"),
        line("minimum", 1000, "tokens"),
        line("minimum", 7),
        line("minimum", -2),
        line("credit:g1", -5),
    ]
    others = {"minimum": Money(5, "USD"), "credit:g1": Money(-5, "USD")}
    expected = Summary("USD", {"tokens": TOKENS}, others)
    assert aggregate(records) == aggregate(reversed(records)) == expected
    assert aggregate(records[:3]) + aggregate(records[3:]) == expected


def test_adjustments_in_two_currencies_are_an_error() -> None:
    with pytest.raises(CurrencyMismatch):
        aggregate([line("minimum", 1), line("minimum", 1, code="EUR")])
