"""The contract of repositories: usage events, each of which counts once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import permutations
from typing import Any, Final

import pytest

from overages.errors import EventConflict, InvalidValue, InvalidValues, OveragesError
from overages.periods.period import Period
from overages.repository import Repository
from overages.testing.contract.base import (
    APR,
    FEB,
    JAN,
    MAR,
    NOW,
    OURS,
    ContractBase,
    close,
    event,
    fill,
    named,
    nothing_written,
    owed,
)
from overages.usage.event import EventColumns, UsageEvent, new_columns
from overages.usage.usage import Usage

TICK: Final = timedelta(microseconds=1)
LARGEST: Final = Decimal("99999999999999999999999999.999999999999")


class EventContract(ContractBase):
    """Events, by id and by instant."""

    def test_events_count_at_their_instants(self, repository: Repository) -> None:
        events = [event("1", 5), event("2", 7), event("3", 2, "runs"), event("4", 9, at=MAR.start)]
        assert repository.add_events(events) == 4
        assert repr(repository.usage(OURS, FEB).quantities) == repr(
            Usage(OURS, FEB, {"runs": 2, "tokens": 12}).quantities
        )
        assert repository.usage(OURS, MAR) == Usage(OURS, MAR, {"tokens": 9})
        assert repository.usage(OURS, JAN) == Usage(OURS, JAN, {})

    def test_no_events_are_no_error(self, repository: Repository) -> None:
        assert repository.add_events([]) == 0

    def test_columns_of_events_are_kept_as_the_events_are(self, repository: Repository) -> None:
        events = [event("1", 5), event(None, "0.5", "runs"), event("2", 7, at=MAR.start)]
        columns = new_columns(*EventColumns(events).terms)
        assert repository.add_events(columns[:2], lambda used: used.at + TICK, batch="a") == 2
        assert repository.add_events(columns) == 2  # an event without an id counts again
        assert list(repository.events(OURS, FEB)) == [events[0], events[1], events[1]]
        assert [at for _, at in repository.batch_events(OURS, "a")] == [
            each.at + TICK for each in events[:2]
        ]
        other = columns.with_ids(["1", "2", "1"])
        with pytest.raises(InvalidValues) as caught:
            repository.add_events(other)
        assert [error.path for error in caught.value.errors] == [
            ("events", 1, "id"),
            ("events", 2, "id"),
        ]

    def test_an_event_counts_once_for_ever(self, repository: Repository) -> None:
        repository.add_events([event("1")])
        repository.record(owed(tokens=105), created_at=NOW)
        close(repository, owed(tokens=105))
        with nothing_written(repository):
            assert repository.add_events([event("1")]) == 0

    def test_an_event_that_came_before_does_not_count_at_another_instant(
        self, repository: Repository
    ) -> None:
        repository.add_events([event("1")])
        with nothing_written(repository):
            assert repository.add_events([event("1")], lambda _: MAR.start) == 0

    def test_an_event_that_came_before_does_not_keep_others_from_counting(
        self, repository: Repository
    ) -> None:
        repository.add_events([event("1")])
        assert repository.add_events([event("1"), event("2", 6)]) == 1
        assert repository.usage(OURS, FEB).quantities["tokens"] == 11

    def test_events_without_an_id_count_beside_one_that_came_before(
        self, repository: Repository
    ) -> None:
        repository.add_events([event("1")])
        assert repository.add_events([event(None), event("1"), event(None)]) == 2
        assert repository.usage(OURS, FEB).quantities["tokens"] == 15

    def test_an_event_twice_in_a_batch_counts_once(self, repository: Repository) -> None:
        assert repository.add_events([event("1"), event("1"), event("2")]) == 2
        assert repository.usage(OURS, FEB).quantities["tokens"] == 10

    def test_events_without_an_id_always_count(self, repository: Repository) -> None:
        assert repository.add_events([event(), event()]) == 2
        assert repository.add_events([event()]) == 1
        assert repository.usage(OURS, FEB).quantities["tokens"] == 15
        assert list(repository.events(OURS, FEB)) == [event()] * 3

    def test_an_id_with_other_content_is_a_conflict_and_nothing_of_the_batch_is_kept(
        self, repository: Repository
    ) -> None:
        fill(repository)
        repository.add_events([event("1")])
        problem = r"^org-1: events\[1\]\.id: .*'1'$"
        with nothing_written(repository):
            for other in (
                event("1", 6),
                event("1", "5.000000000001"),
                event("1", metric="runs"),
                event("1", at=FEB.start + TICK),
                event("1", region="eu"),
            ):
                with named(other), pytest.raises(EventConflict, match=problem) as caught:
                    repository.add_events([event("0"), other, event("2")])
                assert caught.value.value == "1"

    def test_an_id_with_other_content_in_the_same_batch_is_a_conflict(
        self, repository: Repository
    ) -> None:
        with nothing_written(repository), pytest.raises(EventConflict):
            repository.add_events([event("1", 5), event("1", 6)])

    def test_conflicts_are_reported_together(self, repository: Repository) -> None:
        repository.add_events([event("1"), event("2"), event("3")])
        with nothing_written(repository), pytest.raises(InvalidValues) as caught:
            repository.add_events([event("1", 9), event("2"), event("3", 9)])
        conflicts = [error for error in caught.value.errors if isinstance(error, EventConflict)]
        assert [error.value for error in conflicts] == ["1", "3"]
        assert [error.path for error in conflicts] == [("events", n, "id") for n in (0, 2)]
        assert len(caught.value.errors) == 2

    def test_an_id_that_was_refused_can_be_used(self, repository: Repository) -> None:
        repository.add_events([event("1")])
        with pytest.raises(EventConflict):
            repository.add_events([event("2"), event("1", 6)])
        assert repository.add_events([event("2", 8, "runs")]) == 1

    def test_an_equal_quantity_is_no_other_content(self, repository: Repository) -> None:
        repository.add_events([event("1", "5.50")])
        assert repository.add_events([event("1", Decimal("5.5"))]) == 0

    def test_the_order_of_events_does_not_matter_to_usage(self, repository: Repository) -> None:
        events = [event("1", "0.1"), event("2", -3), event("3", 10)]
        for n, order in enumerate(permutations(events)):
            org_id = f"org-{n}"
            moved = [event(e.id, e.quantity, org_id=org_id) for e in order]
            repository.add_events(moved)
            assert repository.usage(org_id, FEB) == Usage(org_id, FEB, {"tokens": "7.1"})

    def test_a_batch_may_be_large(self, repository: Repository) -> None:
        events = [event(str(n), 1) for n in range(1_500)]
        assert repository.add_events(events) == 1_500
        assert repository.add_events(events) == 0
        assert repository.usage(OURS, FEB).quantities["tokens"] == 1_500

    def test_events_are_read_by_instant_then_as_they_came(self, repository: Repository) -> None:
        late, early = FEB.start + timedelta(seconds=2), FEB.start + timedelta(seconds=1)
        events = [event("c", at=late), event("b", at=early), event(None, 7, at=early)]
        repository.add_events(events)
        repository.add_events([event("a", at=early)])
        kept_events = list(repository.events(OURS, FEB))
        assert [e.id for e in kept_events] == ["b", None, "a", "c"]
        assert repr(kept_events[1]) == repr(events[2])

    def test_events_of_a_period_have_instants_from_its_start_to_before_its_end(
        self, repository: Repository
    ) -> None:
        moments = [FEB.start - TICK, FEB.start, FEB.start + TICK, FEB.end - TICK, FEB.end]
        repository.add_events([event(str(i), at=at) for i, at in enumerate(moments)])
        assert [e.at for e in repository.events(OURS, FEB)] == moments[1:4]

    def test_events_of_a_period_that_starts_within_a_second_are_exact(
        self, repository: Repository
    ) -> None:
        moments = [FEB.start + n * timedelta(milliseconds=250) for n in range(5)]
        repository.add_events([event(str(i), at=at) for i, at in enumerate(moments)])
        kept_events = repository.events(OURS, Period(moments[1], moments[3]))
        assert [e.at for e in kept_events] == moments[1:3]

    def test_events_are_read_by_their_instants_wherever_they_count(
        self, repository: Repository
    ) -> None:
        repository.add_events([event("1")], lambda _: MAR.start)
        assert list(repository.events(OURS, FEB)) == [event("1")]
        assert repository.usage(OURS, FEB).quantities == {}
        assert repository.usage(OURS, MAR).quantities == {"tokens": 5}

    def test_events_of_some_names_alone_can_be_read(self, repository: Repository) -> None:
        repository.add_events([event("1", metric="runs"), event("2"), event("3", metric="seats")])
        for names, ids in [(["seats", "runs"], "13"), (["x"], ""), ([], ""), (None, "123")]:
            read = repository.events(OURS, FEB, metrics=names)
            assert "".join(used.id or "" for used in read) == ids

    def test_dimensions_are_kept(self, repository: Repository) -> None:
        events = [
            event("1", region="eu", model="'; DROP TABLE x; --"),
            event("2", größe='{"\\u0000": 1}'),
            event("3"),
            event("4", user="u-1"),
            event("5", user='"u"\\1'),
        ]
        repository.add_events(events)
        assert repr(list(repository.events(OURS, FEB))) == repr(events)
        assert repository.add_events(events) == 0

    def test_events_are_read_by_the_instants_that_they_count_at(
        self, repository: Repository
    ) -> None:
        events = [event("2", at=FEB.start + TICK), event("1"), event("3", at=JAN.start)]
        instants = {"1": MAR.start, "2": MAR.start, "3": FEB.end - TICK}
        repository.add_events(events, lambda used: instants[used.id or ""])
        assert list(repository.counted_events(OURS, MAR)) == [
            (events[0], MAR.start),
            (events[1], MAR.start),
        ]
        assert list(repository.counted_events(OURS, FEB)) == [(events[2], FEB.end - TICK)]
        assert list(repository.counted_events(OURS, JAN)) == []
        short = Period(FEB.end - TICK, FEB.end)
        assert list(repository.counted_events(OURS, short)) == [(events[2], short.start)]

    def test_events_that_count_earlier_can_be_read_too(self, repository: Repository) -> None:
        instants = {"1": JAN.start, "2": FEB.start, "3": MAR.start, "4": MAR.end - TICK}
        events = [event(each, at=JAN.start) for each in instants]
        repository.add_events(events, lambda used: instants[used.id or ""])
        for period, ids in [(JAN, "1"), (FEB, "12"), (MAR, "1234"), (APR, "1234")]:
            counted = list(repository.counted_events(OURS, period, earlier=True))
            assert "".join(used.id or "" for used, _ in counted) == ids
            assert counted == [(used, instants[used.id or ""]) for used, _ in counted]

    def test_counted_events_of_some_names_alone_can_be_read(self, repository: Repository) -> None:
        events = [event("1", metric="runs"), event("2"), event("3", metric="seats")]
        repository.add_events(events)
        for names, ids in [(["seats", "runs"], "13"), (["x"], ""), ([], ""), (None, "123")]:
            counted = repository.counted_events(OURS, FEB, metrics=names)
            assert "".join(used.id or "" for used, _ in counted) == ids

    @pytest.mark.parametrize("wrong", ["runs", 5, [5], [""]])
    def test_metrics_to_read_are_names(self, repository: Repository, wrong: Any) -> None:
        for read in (repository.counted_events, repository.events, repository.event_sums):
            with pytest.raises(OveragesError, match=r"^metrics"):
                read(OURS, FEB, metrics=wrong)

    def test_a_counts_at_that_is_no_function_is_refused(self, repository: Any) -> None:
        with pytest.raises(OveragesError, match=r"^counts_at: must be a function"):
            repository.add_events([event("1")], 3)

    def test_a_counts_at_that_raises_lets_nothing_be_written(self, repository: Repository) -> None:
        def raises_for_the_second(used: UsageEvent) -> datetime:
            if used.id == "2":
                raise KeyError("no cycle")
            return used.at

        with nothing_written(repository), pytest.raises(KeyError, match="no cycle"):
            repository.add_events([event("1"), event("2")], raises_for_the_second)

    @pytest.mark.parametrize("nonsense", [None, "2024-02", FEB, FEB.start.replace(tzinfo=None)])
    def test_a_counts_at_that_gives_no_instant_lets_nothing_be_written(
        self, repository: Repository, nonsense: Any
    ) -> None:
        problem = r"^events\[1\]\.counts_at\(\): must "
        with nothing_written(repository), pytest.raises(OveragesError, match=problem):
            repository.add_events(
                [event("1"), event("2")], lambda used: nonsense if used.id == "2" else used.at
            )

    def test_no_event_counts_before_it_happened(self, repository: Repository) -> None:
        problem = r"^events\[1\]\.counts_at\(\): must not be before it happened, 2024-02-01T00"
        with nothing_written(repository), pytest.raises(InvalidValue, match=problem):
            repository.add_events(
                [event("1"), event("2")], lambda used: used.at - TICK * (used.id == "2")
            )

    def test_events_may_come_from_a_generator(self, repository: Repository) -> None:
        assert repository.add_events(event(str(n)) for n in range(3)) == 3

    def test_a_generator_of_events_that_raises_lets_nothing_be_written(
        self, repository: Repository
    ) -> None:
        def broken() -> Iterator[UsageEvent]:
            yield event("1")
            raise OSError("the file is gone")

        with nothing_written(repository), pytest.raises(OSError, match="the file is gone"):
            repository.add_events(broken())
