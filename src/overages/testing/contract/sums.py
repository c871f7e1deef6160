"""The contract of repositories: sums of events, held ready, and events that are withdrawn."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

import pytest

from overages.errors import EventConflict, InvalidValues, OveragesError, UnknownEvent
from overages.periods.period import Period
from overages.repository import Repository
from overages.testing.contract.base import (
    FEB,
    JAN,
    LATER,
    MAR,
    NOW,
    OURS,
    THEIRS,
    ContractBase,
    event,
    nothing_written,
)
from overages.usage.event import UsageEvent
from overages.usage.event_sum import EventSum
from overages.usage.usage import Usage

TICK: Final = timedelta(microseconds=1)
HOUR: Final = timedelta(hours=1)
PICO: Final = Decimal("0.000000000001")
ALWAYS: Final = Period(datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC))


class SumContract(ContractBase):
    """The sum of the events of a name in any time."""

    def test_a_sum_has_count_units_largest_and_last(self, repository: Repository) -> None:
        noon = FEB.start + timedelta(hours=12)
        events = [event("a", 5, at=noon), event("c", -2, at=noon), event("b", PICO, at=noon)]
        repository.add_events([*events, event("d", 9, "runs"), event(None, 7)])
        sums = repository.event_sums(OURS, FEB)
        assert list(sums) == ["runs", "tokens"]
        assert sums["tokens"] == EventSum(4, 10 * 10**12 + 1, 7 * 10**12, (noon, "c", -2 * 10**12))
        assert sums["runs"] == EventSum(1, 9 * 10**12, 9 * 10**12, (FEB.start, "d", 9 * 10**12))

    def test_of_last_events_of_one_instant_and_id_the_larger_counts(
        self, repository: Repository
    ) -> None:
        for quantity in (3, 12, 9):
            repository.add_events([event(None, quantity)])
        assert repository.event_sums(OURS, FEB)["tokens"].last == (FEB.start, "", 12 * 10**12)

    def test_sums_of_events_that_came_in_turns_are_merged(self, repository: Repository) -> None:
        for n in range(3):
            hours = [event(f"{n}-{k}", "0.1", at=FEB.start + k * HOUR / 2) for k in range(4)]
            repository.add_events(hours)
        sums = repository.event_sums(OURS, FEB)["tokens"]
        assert (sums.events, sums.picos) == (12, 12 * 10**11)
        assert (
            repository.event_sums(OURS, Period(FEB.start, FEB.start + HOUR))["tokens"].events == 6
        )

    def test_a_time_may_begin_and_end_within_hours(self, repository: Repository) -> None:
        moments = [FEB.start + n * HOUR / 4 for n in range(16)]
        repository.add_events([event(str(n), 1, at=at) for n, at in enumerate(moments)])
        for start in range(16):
            for end in range(start + 1, 16):
                for tick in (-TICK, timedelta(0), TICK):
                    period = Period(moments[start] + tick, moments[end])
                    expected = sum(1 for at in moments if at in period)
                    sums = repository.event_sums(OURS, period)
                    assert (sums["tokens"].events if sums else 0) == expected

    def test_a_late_event_is_summed_where_it_counts(self, repository: Repository) -> None:
        repository.add_events([event("1")], lambda _: MAR.start + TICK)
        assert repository.event_sums(OURS, FEB) == {}
        assert repository.event_sums(OURS, MAR)["tokens"].last[0] == FEB.start

    def test_the_last_event_is_so_by_its_own_instant(self, repository: Repository) -> None:
        new = event("new", 3, at=FEB.start + HOUR)
        repository.add_events([new])
        repository.add_events([event("late", 5)], lambda used: used.at + 2 * HOUR)
        repository.add_events([event("later", 5)], lambda used: used.at + 48 * HOUR)
        for period in (FEB, Period(FEB.start, FEB.start + 5 * HOUR)):
            assert repository.event_sums(OURS, period)["tokens"].last == (new.at, "new", 3 * 10**12)

    def test_sums_of_some_names_alone_can_be_read(self, repository: Repository) -> None:
        repository.add_events([event("1"), event("2", metric="runs")])
        for names in (["runs"], ["x", "tokens"], [], ["runs", "tokens", "runs"]):
            sums = repository.event_sums(OURS, FEB, metrics=names)
            assert list(sums) == sorted({"runs", "tokens"} & set(names))

    def test_sums_are_of_all_times_that_there_are(self, repository: Repository) -> None:
        last = datetime(9999, 12, 31, 23, 30, tzinfo=UTC)
        repository.add_events([event("1", at=ALWAYS.start), event("2", at=last)])
        assert repository.event_sums(OURS, ALWAYS)["tokens"].events == 2
        assert repository.event_sums(OURS, Period(last, ALWAYS.end))["tokens"].events == 1
        assert repository.withdraw(OURS, "2", withdrawn_at=NOW) == NOW
        assert repository.event_sums(OURS, ALWAYS)["tokens"].events == 1

    def test_sums_that_are_made_again_are_the_same(self, repository: Repository) -> None:
        moments = [FEB.start + n * HOUR / 3 for n in range(9)]
        repository.add_events([event(str(n), n, at=at) for n, at in enumerate(moments)])
        repository.add_events([event("late", 2, "runs")], lambda _: MAR.start)
        repository.add_events([event("1", org_id=THEIRS)])
        repository.withdraw(OURS, "4", withdrawn_at=NOW)
        with nothing_written(repository):
            repository.remake_sums(OURS)
        with nothing_written(repository):
            repository.remake_sums("org-without-usage")

    def test_the_names_of_many_kinds_of_events_are_all_found(self, repository: Repository) -> None:
        names = [f"m{n:04}" for n in range(1_200)]
        repository.add_events([event(None, 1, name) for name in names])
        assert list(repository.event_sums(OURS, FEB)) == names
        short = Period(FEB.start, FEB.start + TICK)
        assert list(repository.event_sums(OURS, short)) == names
        assert [used.metric for used, _ in repository.counted_events(OURS, FEB)] == names


class WithdrawalContract(ContractBase):
    """An event that is withdrawn counts no more, and its id stays used."""

    def test_a_withdrawn_event_is_read_nowhere(self, repository: Repository) -> None:
        repository.add_events([event("1", 9), event("2", 5), event("3", metric="runs")])
        assert repository.withdraw(OURS, "1", withdrawn_at=NOW) == NOW
        repository.withdraw(OURS, "3", withdrawn_at=NOW)
        assert repository.usage(OURS, FEB) == Usage(OURS, FEB, {"tokens": 5})
        assert list(repository.events(OURS, FEB)) == [event("2", 5)]
        assert list(repository.counted_events(OURS, FEB)) == [(event("2", 5), FEB.start)]
        assert {name: each.events for name, each in repository.event_sums(OURS, FEB).items()} == {
            "tokens": 1
        }
        assert repository.event_before(OURS, MAR.start, "runs") is None
        assert repository.event_before(OURS, MAR.start, "tokens") == (event("2", 5), FEB.start)
        assert repository.verify() == 0

    def test_only_the_hour_that_it_counted_in_changes(self, repository: Repository) -> None:
        repository.add_events([event("1", 9), event("2", 5), event("3", 2, at=FEB.start + HOUR)])
        repository.add_events([event("4", 7)], lambda _: MAR.start)
        repository.withdraw(OURS, "4", withdrawn_at=NOW)
        assert repository.event_sums(OURS, MAR) == {}
        repository.withdraw(OURS, "1", withdrawn_at=NOW)
        sums = repository.event_sums(OURS, FEB)["tokens"]
        assert (sums.events, sums.picos, sums.largest) == (2, 7 * 10**12, 5 * 10**12)

    def test_twice_is_once(self, repository: Repository) -> None:
        repository.add_events([event("1"), event("2")])
        assert repository.withdraw(OURS, "1", withdrawn_at=NOW) == NOW
        with nothing_written(repository):
            assert repository.withdraw(OURS, "1", withdrawn_at=LATER) == NOW

    def test_its_id_stays_used(self, repository: Repository) -> None:
        repository.add_events([event("1")])
        repository.withdraw(OURS, "1", withdrawn_at=NOW)
        with nothing_written(repository):
            assert repository.add_events([event("1")]) == 0
            with pytest.raises(EventConflict):
                repository.add_events([event("1", 6)])

    def test_new_events_of_its_hour_count(self, repository: Repository) -> None:
        repository.add_events([event("1")])
        repository.withdraw(OURS, "1", withdrawn_at=NOW)
        repository.add_events([event("2", 3)])
        assert repository.usage(OURS, FEB) == Usage(OURS, FEB, {"tokens": 3})
        assert repository.verify() == 0

    def test_several_are_withdrawn_at_once(self, repository: Repository) -> None:
        repository.add_events([event(str(n), n, at=FEB.start + n * HOUR / 8) for n in range(600)])
        repository.add_events([event("x", metric="runs")], batch="a")
        repository.withdraw(OURS, "7", withdrawn_at=NOW)
        ids = ["x", "7", *(str(n) for n in range(550)), "x"]
        assert repository.withdraw_many(OURS, iter(ids), withdrawn_at=LATER) == 550
        assert repository.usage(OURS, FEB) == Usage(OURS, FEB, {"tokens": sum(range(550, 600))})
        assert repository.withdrawn_ids(OURS, ["7", "x", "599"]) == {"7", "x"}
        assert repository.withdraw(OURS, "7", withdrawn_at=LATER) == NOW
        with nothing_written(repository):
            assert repository.withdraw_many(OURS, ids, withdrawn_at=LATER) == 0
            assert repository.withdraw_many(OURS, [], withdrawn_at=LATER) == 0

    def test_of_several_that_are_not_all_there_none_is_withdrawn(
        self, repository: Repository
    ) -> None:
        repository.add_events([event("1"), event("2", org_id=THEIRS)])
        with nothing_written(repository), pytest.raises(InvalidValues) as caught:
            repository.withdraw_many(OURS, ["1", "2", "1", "3"], withdrawn_at=NOW)
        assert [error.path for error in caught.value.errors] == [("event_ids", 1), ("event_ids", 3)]
        assert all(isinstance(error, UnknownEvent) for error in caught.value.errors)
        with (
            nothing_written(repository),
            pytest.raises(OveragesError, match=r"^event_ids: must be"),
        ):
            repository.withdraw_many(OURS, "1", withdrawn_at=NOW)

    def test_an_event_that_is_not_there_is_an_error(self, repository: Repository) -> None:
        repository.add_events([event("1", org_id=THEIRS), event(None)])
        problem = r"^org-1: event_id: must be that of an event of the org's, got '1'$"
        with nothing_written(repository), pytest.raises(UnknownEvent, match=problem):
            repository.withdraw(OURS, "1", withdrawn_at=NOW)

    @pytest.mark.parametrize(
        ("field", "arguments"),
        [
            ("org_id", ("", "1", NOW)),
            ("event_id", (OURS, None, NOW)),
            ("withdrawn_at", (OURS, "1", NOW.replace(tzinfo=None))),
        ],
    )
    def test_what_can_not_be_withdrawn_is_refused(
        self, repository: Any, field: str, arguments: tuple[Any, Any, Any]
    ) -> None:
        org_id, event_id, at = arguments
        repository.add_events([event("1")])
        with nothing_written(repository), pytest.raises(OveragesError, match=f"^{field}: must"):
            repository.withdraw(org_id, event_id, withdrawn_at=at)

    def test_what_is_lost_with_a_transaction_is_not_withdrawn(self, repository: Repository) -> None:
        repository.add_events([event("1")])

        def withdraw_and_fail() -> None:
            with repository.transaction():
                repository.withdraw(OURS, "1", withdrawn_at=NOW)
                repository.remake_sums(OURS)
                raise OSError("lost")

        with nothing_written(repository), pytest.raises(OSError, match="lost"):
            withdraw_and_fail()


class LastEventContract(ContractBase):
    """The last event of a name before an instant."""

    def test_it_has_the_latest_instant_then_id_then_quantity(self, repository: Repository) -> None:
        events = [event("b", 1), event("a", 9), event(None, 5), event("c", 2, at=JAN.start)]
        repository.add_events([*events, event("z", 1, "runs")])
        assert repository.event_before(OURS, MAR.start, "tokens") == (events[0], FEB.start)
        assert repository.event_before(OURS, FEB.start, "tokens") == (events[3], JAN.start)
        assert repository.event_before(OURS, JAN.start, "tokens") is None

    def test_one_that_counts_late_is_older_than_others(self, repository: Repository) -> None:
        repository.add_events([event("new", 5, at=FEB.start + HOUR)])
        late = event("late", 9, at=FEB.start)
        repository.add_events([late], lambda _: MAR.start)
        last = repository.event_before(OURS, MAR.end, "tokens")
        assert last == (event("new", 5, at=FEB.start + HOUR), FEB.start + HOUR)
        newer = event("newer", 7, at=FEB.start + 2 * HOUR)
        repository.add_events([newer], lambda _: MAR.start + HOUR)
        assert repository.event_before(OURS, MAR.end, "tokens") == (newer, MAR.start + HOUR)
        assert repository.event_before(OURS, MAR.start + HOUR, "tokens") == last

    def test_it_is_one_of_those_that_are_looked_for(self, repository: Repository) -> None:
        eu = [event(f"eu-{n}", n, at=JAN.start, region="eu") for n in range(3)]
        us = [event(f"us-{n:03}", n, at=FEB.start + n * TICK, region="us") for n in range(250)]
        repository.add_events([*eu, *us])

        def is_of_the_eu(used: UsageEvent) -> bool:
            return used.dimensions["region"] == "eu"

        last = repository.event_before(OURS, MAR.start, "tokens", is_of_the_eu)
        assert last == (eu[2], JAN.start)
        assert repository.event_before(OURS, MAR.start, "tokens", lambda _: False) is None

    def test_who_looks_for_it_may_read(self, repository: Repository) -> None:
        repository.add_events([event(f"{n}", n, at=JAN.start + n * TICK) for n in range(250)])

        def is_the_largest_but_one(used: UsageEvent) -> bool:
            return repository.event_sums(OURS, JAN)["tokens"].events == int(used.quantity) + 2

        before = repository.event_before(OURS, MAR.start, "tokens", is_the_largest_but_one)
        assert before == (event("248", 248, at=JAN.start + 248 * TICK), JAN.start + 248 * TICK)

    def test_its_name_and_instant_are_checked(self, repository: Any) -> None:
        with pytest.raises(OveragesError, match=r"^metric: must"):
            repository.event_before(OURS, NOW, "")
        with pytest.raises(OveragesError, match=r"^instant: must"):
            repository.event_before(OURS, NOW.replace(tzinfo=None), "tokens")
        with pytest.raises(OveragesError, match=r"^matching: must be a function"):
            repository.event_before(OURS, NOW, "tokens", 3)
