"""Metrics: how usage is worked out of events."""

from fractions import Fraction
from typing import Any

import pytest

from overages import Increment, Metric
from overages._ground.value import evolve
from overages.errors import InvalidType, InvalidValues, OveragesError


def test_a_metric_is_the_sum_of_the_events_of_its_name_unless_told() -> None:
    metric = Metric("tokens")
    assert (metric.aggregation, metric.event, metric.reports) == ("sum", "tokens", "amount")
    assert (metric.where, metric.distinct, metric.factor) == ({}, None, 1)
    assert (metric.increment, metric.increment_scope) == (None, "total")
    assert metric.is_default
    assert not metric.holds_level


@pytest.mark.parametrize(
    "metric",
    [
        Metric("tokens", "max"),
        Metric("tokens", event="words"),
        Metric("tokens", increment=1),
        Metric("tokens", factor=2),
        Metric("eu", event="tokens", where={"region": "eu"}),
    ],
)
def test_any_other_is_not_plain(metric: Metric) -> None:
    assert not metric.is_default


@pytest.mark.parametrize(
    ("metric", "carries"),
    [
        (Metric("seats", "time_weighted"), True),
        (Metric("seats", "time_weighted", reports="change"), True),
        (Metric("seats", "max", reports="level"), True),
        (Metric("seats", "last", reports="change"), True),
        (Metric("seats", "max"), False),
        (Metric("seats", "last"), False),
    ],
)
def test_a_level_is_carried_and_an_amount_is_not(metric: Metric, carries: bool) -> None:
    assert metric.holds_level is carries


def test_a_time_weighted_metric_reports_levels_unless_told() -> None:
    assert Metric("seats", "time_weighted").reports == "level"
    assert Metric("seats", "time_weighted") == Metric("seats", "time_weighted", reports="level")


def test_conditions_are_sorted_and_can_be_read_only() -> None:
    wanted: dict[str, Any] = {"region": ["eu", "ch", "eu"], "model": "large"}
    metric = Metric("a", event="b", where=wanted)
    wanted["region"].append("us")
    assert list(metric.where.items()) == [("model", ("large",)), ("region", ("ch", "eu"))]
    where: Any = metric.where
    with pytest.raises(TypeError):
        where["region"] = ("us",)


@pytest.mark.parametrize(
    ("dimensions", "expected"),
    [
        ({"region": "eu", "model": "large"}, True),
        ({"region": "ch", "model": "large", "user": "x"}, True),
        ({"region": "us", "model": "large"}, False),
        ({"region": "eu"}, False),
        ({}, False),
    ],
)
def test_an_event_matches_if_it_has_a_value_of_every_dimension(
    dimensions: dict[str, str], expected: bool
) -> None:
    metric = Metric("a", event="b", where={"region": ["eu", "ch"], "model": "large"})
    assert metric.matches(dimensions) is expected
    assert Metric("a").matches(dimensions)


@pytest.mark.parametrize(
    ("options", "quantity", "expected"),
    [
        ({}, "1.5", "1.5"),
        ({"factor": "1.5"}, "4.2", "6.3"),
        ({"factor": Fraction(1, 60)}, 100, "1.666666666667"),
        ({"factor": Fraction(1, 60), "increment": 1}, 100, "2"),
        ({"factor": "0.001", "increment": Increment("0.01")}, 1_247, "1.25"),
        ({"increment": 1_000}, 1, "1000"),
    ],
)
def test_a_quantity_is_converted_and_then_counted_in_steps(
    options: dict[str, Any], quantity: Any, expected: str
) -> None:
    assert str(Metric("a", event="b", **options).converted(Fraction(quantity))) == expected


def test_a_plain_step_is_an_increment() -> None:
    assert Metric("a", increment="60.0").increment == Increment(60)


@pytest.mark.parametrize(("factor", "expected"), [("2.0", "2"), (Fraction(1, 3), "Fraction(1, 3)")])
def test_a_factor_has_one_form(factor: Any, expected: str) -> None:
    assert repr(Metric("a", factor=factor).factor) == expected


@pytest.mark.parametrize(
    ("metric", "text"),
    [
        (Metric("a"), "Metric(name='a')"),
        (Metric("a", "time_weighted"), "Metric(name='a', aggregation='time_weighted')"),
        (
            Metric("a", event="b", where={"r": "x"}, increment=60, increment_scope="event"),
            "Metric(name='a', event='b', where={'r': ('x',)}, increment=Increment(step=60), "
            "increment_scope='event')",
        ),
        (
            Metric("a", "unique", distinct="user", factor=2),
            "Metric(name='a', aggregation='unique', distinct='user', factor=2)",
        ),
        (
            Metric("a", "max", reports="change"),
            "Metric(name='a', aggregation='max', reports='change')",
        ),
    ],
)
def test_the_repr_of_a_metric_makes_it_again(metric: Metric, text: str) -> None:
    assert repr(metric) == text
    assert eval(text) == metric


def test_a_metric_can_be_changed() -> None:
    metric = Metric("a", event="b", where={"r": "x"}, increment=60)
    assert evolve(metric, name="c") == Metric("c", event="b", where={"r": "x"}, increment=60)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"aggregation": "average"}, "aggregation: must be one of sum, count, max, last, unique,"),
        ({"reports": "rates"}, "reports: must be one of amount, level, change, got 'rates'"),
        ({"event": ""}, "event: must not be empty"),
        ({"name": ""}, "name: must not be empty"),
        ({"factor": 0}, "factor: must be more than zero, got 0"),
        ({"factor": Fraction(-1, 3)}, "factor: must be more than zero"),
        ({"increment": 0}, "increment: must be more than zero, got 0"),
        ({"increment_scope": "each"}, "increment_scope: must be one of total, event, got 'each'"),
        ({"event": "b", "where": {"r": []}}, "where.r: must have a value at least"),
        ({"event": "b", "where": {"r": ["x", ""]}}, r"where.r\[1\]: must not be empty"),
        ({"event": "b", "where": {"": "x"}}, "where.<dimension>: must not be empty"),
        ({"aggregation": "unique"}, "distinct: must be the dimension whose values are counted"),
        ({"distinct": "user"}, "distinct: must be the dimension whose values are counted"),
        ({"reports": "level"}, "reports: must be 'amount' for aggregation 'sum', got 'level'"),
        (
            {"aggregation": "time_weighted", "reports": "amount"},
            "reports: must be 'level' or 'change' for aggregation 'time_weighted'",
        ),
        ({"where": {"r": "x"}}, "event: must be given and not be the name"),
        ({"increment_scope": "event"}, "increment_scope: must be 'total', but for a sum with an"),
        (
            {"aggregation": "max", "increment": 1, "increment_scope": "event"},
            "increment_scope: must be 'total', but for a sum with an increment",
        ),
    ],
)
def test_a_metric_that_can_not_be_is_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(OveragesError, match=f"^{message}"):
        Metric(**{"name": "a", **options})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"factor": 0.5}, "factor: must be an int"),
        ({"increment": 0.5}, "increment: must be an int"),
        ({"where": [("r", "x")]}, "where: must be a mapping of dimensions to values"),
        ({"where": {"r": 5}}, "where.r: must be a list, or something else to iterate over"),
        ({"where": {"r": [5]}}, r"where.r\[0\]: must be a str"),
        ({"distinct": 5}, "distinct: must be a str"),
    ],
)
def test_a_value_of_a_wrong_type_is_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidType, match=f"^{message}"):
        Metric(**{"name": "a", **options})


def test_a_metric_with_many_faults_reports_them_all() -> None:
    with pytest.raises(InvalidValues) as caught:
        Metric("", "sum", increment=-1, factor=0)
    assert len(caught.value.errors) == 3
    with pytest.raises(InvalidValues) as caught:
        Metric("a", "count", distinct="user", reports="change", where={"r": "x"})
    assert len(caught.value.errors) == 3
