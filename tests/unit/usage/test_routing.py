"""Routes: which metrics an event counts for."""

import re
from datetime import UTC, datetime
from typing import Any

import pytest
from tests.steps import steps

from overages import Metric, UsageEvent
from overages.errors import InvalidType, InvalidValue, InvalidValues
from overages.usage.routing import Routes

NOON = datetime(2024, 2, 3, 12, tzinfo=UTC)
EU = Metric("eu", event="requests", where={"region": ["eu", "ch"]})
US = Metric("us", event="requests", where={"region": "us"})
REST = Metric("others", event="requests")
USERS = Metric("users", "unique", event="requests", distinct="user")


def taken(metrics: list[Metric], metric: str = "requests", **dimensions: str) -> list[str]:
    """Return the names of the metrics that an event counts for."""
    event = UsageEvent("org-1", metric, 1, NOON, dimensions=dimensions)
    return [metric.name for metric in Routes(metrics).of(event)]


@pytest.mark.parametrize("metrics", [[EU, US, REST], [REST, US, EU]])
def test_metrics_that_count_in_the_same_way_share_events_out(metrics: list[Metric]) -> None:
    assert taken(metrics, region="ch") == ["eu"]
    assert taken(metrics, region="us") == ["us"]
    assert taken(metrics, region="jp") == ["others"]
    assert taken(metrics) == ["others"]


def test_metrics_that_count_in_different_ways_each_get_every_event() -> None:
    by_model = Metric("models", "unique", event="requests", distinct="model")
    assert taken([EU, USERS, by_model], region="eu", user="x", model="m") == [
        "eu", "users", "models",
    ]  # fmt: skip


def test_an_event_that_no_metric_takes_counts_for_none() -> None:
    assert taken([EU], region="jp") == []
    assert taken([EU], "tokens", region="eu") == []
    assert taken([]) == []


def test_an_event_of_the_name_of_a_metric_counts_for_it_whatever_its_dimensions() -> None:
    assert taken([EU, REST, US], "eu") == ["eu"]
    assert taken([EU, REST, US], "others", region="us") == ["others"]
    problem = r"^dimensions: must have 'user', which 'users' counts, got \{\}$"
    with pytest.raises(InvalidValue, match=problem):
        taken([USERS], "users")


def test_an_event_without_the_dimension_that_is_counted_is_refused() -> None:
    problem = r"^dimensions: must have 'user', which 'users' counts, got \{'region': 'eu'\}$"
    with pytest.raises(InvalidValue, match=problem):
        taken([EU, USERS], region="eu")


@pytest.mark.parametrize(
    ("one", "other", "problem"),
    [
        (EU, Metric("eu", event="x"), "must not have the name of another metric"),
        (REST, Metric("more", event="requests"), "must not count the same events as 'others'"),
        (
            EU,
            Metric("ch", event="requests", where={"region": "ch"}),
            "must not count the same events as 'eu'",
        ),
        (
            EU,
            Metric("large", event="requests", where={"model": "large"}),
            "must not count the same events as 'eu'",
        ),
        (
            EU,
            Metric("x", event="eu"),
            "must not count events of the name of 'eu', which is worked out of others",
        ),
        (
            Metric("x", event="eu"),
            EU,
            "must not count events of the name of 'eu', which is worked out of others",
        ),
    ],
)
def test_metrics_that_clash_are_refused(one: Metric, other: Metric, problem: str) -> None:
    with pytest.raises(InvalidValue, match=rf"^metrics\[1\]: {problem}, got Metric"):
        Routes([one, other])


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (EU, Metric("ch", event="others", where={"region": "ch"})),
        (EU, Metric("ch", "count", event="requests", where={"region": "ch"})),
        (
            Metric("a", event="requests", where={"region": "eu", "model": "large"}),
            Metric("b", event="requests", where={"region": "eu", "model": "small"}),
        ),
        (Metric("requests"), EU),
    ],
)
def test_metrics_that_share_no_event_do_not_clash(one: Metric, other: Metric) -> None:
    assert Routes([one, other]).metrics == (one, other)


def test_all_clashes_are_reported_together() -> None:
    with pytest.raises(InvalidValues) as caught:
        Routes([EU, EU, US, US])
    assert len(caught.value.errors) == 2


def test_metrics_are_metrics() -> None:
    odd: Any = ["tokens"]
    with pytest.raises(InvalidType, match=r"^metrics\[0\]: must be of type Metric, got 'tokens'$"):
        Routes(odd)


def test_what_is_worked_out_and_what_is_carried_is_known_by_event() -> None:
    seats = Metric("held", "time_weighted", event="seats")
    routes = Routes([Metric("tokens"), EU, REST, seats])
    assert routes.worked_out == {"requests", "seats", "eu", "others", "held"}
    assert routes.one_by_one == {"requests", "seats", "held"}
    assert routes.told == (seats,)
    assert (routes.changes, routes.shared_changes) == (frozenset(), frozenset())


def of_a_model(name: str, **where: str | list[str]) -> Metric:
    return Metric(name, event="calls", where=where)


@pytest.mark.parametrize(
    "metrics",
    [
        [of_a_model("a", model="m", region="eu"), of_a_model("b", region=["us", "eu"])],
        [of_a_model("b", region=["us", "eu"]), of_a_model("a", model="m", region="eu")],
        [of_a_model("a", model=["m", "n"], region="eu"), of_a_model("b", model="n", tier="x")],
        [
            of_a_model("a", model="m", region="eu"),
            of_a_model("c", model="m", region="us"),
            of_a_model("b", tier="x"),
        ],
    ],
)
def test_metrics_with_different_dimensions_clash_where_an_event_can_match_both(
    metrics: list[Metric],
) -> None:
    with pytest.raises(InvalidValue, match=r"^metrics\[\d\]: must not count the same events as"):
        Routes(metrics)


def test_each_metric_that_clashes_is_named_once() -> None:
    with pytest.raises(InvalidValues) as caught:
        Routes([EU, *(of_a_model(str(i), model="m") for i in range(4)), EU])
    assert re.findall(r"metrics\[\d\]", str(caught.value)) == [
        f"metrics[{i}]" for i in (2, 3, 4, 5)
    ]


def test_an_event_finds_its_metric_by_dimensions_that_others_do_not_have() -> None:
    metrics = [
        of_a_model("a", model="m", region="eu"),
        of_a_model("b", model="n", tier=["x", "y"]),
        of_a_model("c", model="n", tier="z", region="us"),
        Metric("rest", event="calls"),
    ]
    assert taken(metrics, "calls", model="n", tier="y") == ["b"]
    assert taken(metrics, "calls", model="n", tier="z", region="us") == ["c"]
    assert taken(metrics, "calls", model="n", tier="z") == ["rest"]
    assert taken(metrics, "calls", region="eu") == ["rest"]


def price_list(models: int) -> list[Metric]:
    """Return a metric for each model and direction, as a price list of models has them."""
    return [
        of_a_model(f"m{i}/{direction}", model=f"m{i}", direction=direction)
        for i in range(models)
        for direction in ("input", "output")
    ]


def test_twice_as_many_metrics_take_twice_the_steps() -> None:
    some, more = price_list(100), price_list(200)
    assert steps(lambda: Routes(more)) < 2.2 * steps(lambda: Routes(some))


def test_an_event_is_compared_with_few_metrics_however_many_there_are() -> None:
    dimensions = {"model": "m7", "direction": "output"}
    event = UsageEvent("org-1", "calls", 1, NOON, dimensions=dimensions)
    some, more = Routes(price_list(10)), Routes(price_list(300))
    assert [metric.name for metric in more.of(event)] == ["m7/output"]
    assert steps(lambda: more.of(event)) == steps(lambda: some.of(event))
