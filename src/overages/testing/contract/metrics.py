"""The contract of repositories: metrics, of which the last one of a name counts."""

from __future__ import annotations

from contextlib import suppress
from typing import Any, Final

import pytest

from overages.errors import InvalidType, InvalidValue, InvalidValues
from overages.repository import Repository
from overages.testing.contract.base import ContractBase, fill, nothing_written
from overages.usage.metric import Metric

PEAK: Final = Metric("peak", "max", event="load")
USERS: Final = Metric("users", "unique", event="requests", distinct="user")
EUROPE: Final = Metric("eu", "count", event="requests", where={"region": ["ch", "eu"]})
OTHERS: Final = Metric("others", "count", event="requests", factor="0.001", increment=1)


class MetricContract(ContractBase):
    """The rules by which usage is worked out of events."""

    def test_a_new_repository_has_no_metrics(self, repository: Repository) -> None:
        assert repository.metrics() == ()

    def test_metrics_are_read_by_name_as_they_were_put(self, repository: Repository) -> None:
        for metric in (USERS, PEAK, OTHERS, EUROPE):
            repository.put_metric(metric)
        metrics = repository.metrics()
        assert metrics == (EUROPE, OTHERS, PEAK, USERS)
        assert repr(metrics) == repr((EUROPE, OTHERS, PEAK, USERS))

    def test_the_same_metric_again_changes_nothing(self, repository: Repository) -> None:
        repository.put_metric(PEAK)
        with nothing_written(repository):
            repository.put_metric(PEAK)
            repository.put_metrics([PEAK])
            repository.put_metrics([])

    def test_the_last_metric_of_a_name_counts(self, repository: Repository) -> None:
        for metric in (PEAK, Metric("peak", "last", event="load"), Metric("peak"), PEAK):
            repository.put_metric(metric)
            assert repository.metrics() == (metric,)

    def test_metrics_can_be_put_at_once(self, repository: Repository) -> None:
        repository.put_metrics(each for each in (USERS, PEAK))
        assert repository.metrics() == (PEAK, USERS)

    def test_metrics_that_are_right_together_alone_can_be_put_at_once(
        self, repository: Repository
    ) -> None:
        first, other = Metric("first", event="load"), Metric("other", event="requests")
        repository.put_metrics([first, other])
        changed = [Metric("first", event="requests"), Metric("other", event="load")]
        with (
            nothing_written(repository),
            pytest.raises(InvalidValue, match="events as 'other', got "),
        ):
            repository.put_metric(changed[0])
        repository.put_metrics(changed)
        assert repository.metrics() == tuple(changed)

    @pytest.mark.parametrize(
        ("metric", "problem"),
        [
            (Metric("top", "max", event="load"), "must not count the same events as 'peak'"),
            (Metric("peak_twice", event="peak"), "must not count events of the name of 'peak'"),
            (Metric("load", "max", event="use"), "must not count events of the name of 'load'"),
        ],
        ids=["same-events", "counts-derived", "is-counted"],
    )
    def test_a_metric_that_clashes_with_another_is_refused(
        self, repository: Repository, metric: Metric, problem: str
    ) -> None:
        repository.put_metrics([PEAK, USERS])
        with nothing_written(repository), pytest.raises(InvalidValue, match=rf"^metric: {problem}"):
            repository.put_metric(metric)
        many = [Metric("z"), metric]
        with (
            nothing_written(repository),
            pytest.raises(InvalidValue, match=rf"^metrics\[1\]: {problem}"),
        ):
            repository.put_metrics(many)

    def test_all_metrics_that_clash_are_named(self, repository: Repository) -> None:
        repository.put_metric(PEAK)
        clashing = [Metric("top", "max", event="load"), USERS, USERS]
        with nothing_written(repository), pytest.raises(InvalidValues) as caught:
            repository.put_metrics(clashing)
        assert [error.path for error in caught.value.errors] == [("metrics", 0), ("metrics", 2)]

    @pytest.mark.parametrize("wrong", [None, "peak", {"name": "peak"}, 5])
    def test_an_object_that_is_no_metric_is_refused(self, repository: Any, wrong: Any) -> None:
        with nothing_written(repository), pytest.raises(InvalidType, match=r"^metric: must be"):
            repository.put_metric(wrong)
        with nothing_written(repository), pytest.raises(InvalidType, match=r"^metrics\[1\]: must"):
            repository.put_metrics([PEAK, wrong])

    def test_metrics_of_a_transaction_that_fails_are_not_kept(self, repository: Repository) -> None:
        fill(repository)
        repository.put_metric(PEAK)
        with nothing_written(repository), suppress(KeyError), repository.transaction():
            repository.put_metrics([USERS, Metric("peak", "last", event="load")])
            assert len(repository.metrics()) == 2
            raise KeyError
        repository.put_metric(EUROPE)
        assert repository.metrics() == (EUROPE, PEAK)
