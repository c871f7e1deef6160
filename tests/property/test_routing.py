"""Whatever metrics are declared: no event is counted twice, and each is counted as one by one."""

from itertools import combinations, product

from hypothesis import given, strategies as st

from overages import Metric, UsageEvent
from overages.errors import OveragesError
from overages.periods.period import Period
from overages.usage.routing import Routes

DIMENSIONS = {"a": "xyz", "b": "xyz", "c": "xyz"}
wheres = st.lists(
    st.dictionaries(
        st.sampled_from(sorted(DIMENSIONS)), st.sets(st.sampled_from("xyz"), min_size=1), min_size=0
    ),
    max_size=6,
)
ALL = [
    {key: value for key, value in zip(DIMENSIONS, values, strict=True) if value}
    for values in product(*([*values, ""] for values in DIMENSIONS.values()))
]
"""All events that there are, by what dimensions they have."""


@given(wheres)
def test_metrics_are_refused_if_and_only_if_an_event_could_be_of_two(
    declared: list[dict[str, set[str]]],
) -> None:
    metrics = [Metric(f"m{i}", event="e", where=where) for i, where in enumerate(declared)]

    def wanted(metric: Metric, event: dict[str, str]) -> bool:
        return all(
            event.get(key) in values for key, values in declared[int(metric.name[1:])].items()
        )

    choosing = [metric for metric in metrics if metric.where]
    double = any(
        wanted(one, event) and wanted(other, event)
        for one, other in combinations(choosing, 2)
        for event in ALL
    )
    rest = [metric.name for metric in metrics if not metric.where]
    try:
        routes = Routes(metrics)
    except OveragesError:
        assert double or len(rest) > 1
        return
    assert not double
    assert len(rest) <= 1
    for event in ALL:
        taken = routes.of(UsageEvent("o", "e", 1, Period.month(2024, 2).start, dimensions=event))
        expected = [metric.name for metric in choosing if wanted(metric, event)] or rest
        assert [metric.name for metric in taken] == expected
