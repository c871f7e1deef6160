"""Reservations: their state at an instant, how they end, and what isn't one."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from overages import Period, Reservation
from overages._ground.value import evolve
from overages.errors import InvalidValue, ReservationConflict
from overages.quotas.reservation import event_id_of

FEBRUARY = Period.month(2024, 2)
NOON = datetime(2024, 2, 3, 12, tzinfo=UTC)
ONE = NOON + timedelta(hours=1)
TICK = timedelta(microseconds=1)
HELD = Reservation("acme", "req-1", {"runs": 10, "tokens": 5}, FEBRUARY, NOON, ONE, "asked")


def test_units_are_held_until_an_instant_without_anything_that_runs() -> None:
    assert [HELD.state_at(at) for at in (NOON, ONE - TICK, ONE)] == ["held", "held", "expired"]
    assert [HELD.holds_at(at) for at in (NOON, ONE - TICK, ONE)] == [True, True, False]


def test_what_is_committed_or_released_holds_nothing() -> None:
    committed, released = HELD.committed(None, NOON), HELD.released(NOON)
    assert (committed.state_at(NOON), released.state_at(NOON)) == ("committed", "released")
    assert [committed.holds_at(NOON), released.holds_at(NOON)] == [False, False]
    assert (committed.used, released.used) == (HELD.units, {})


def test_more_or_fewer_may_be_used_and_those_beyond_are_named() -> None:
    committed = HELD.committed({"runs": "12.5"}, NOON)
    assert committed.used == {"runs": 12.5, "tokens": 0}
    assert committed.beyond == {"runs": 2.5}
    assert HELD.committed({"runs": 3, "tokens": 5}, NOON).beyond == HELD.beyond == {}


def test_a_commit_after_it_expired_is_late() -> None:
    lateness = [HELD.committed(None, at).is_late for at in (ONE - TICK, ONE)]
    assert lateness == [False, True]
    assert [HELD.is_late, HELD.released(ONE).is_late] == [False, False]


def test_the_same_end_again_changes_nothing() -> None:
    committed = HELD.committed({"runs": 3}, NOON)
    assert committed.committed({"runs": 3, "tokens": 0}, ONE) is committed
    released = HELD.released(NOON)
    assert released.released(ONE) is released


@pytest.mark.parametrize(
    ("end", "problem"),
    [
        (lambda: HELD.committed({"runs": 3}, NOON).committed({"runs": 4}, NOON), "was committed"),
        (lambda: HELD.committed(None, NOON).released(NOON), "must be free to be released, and was"),
        (lambda: HELD.released(NOON).committed(None, NOON), "to be committed, and was released"),
    ],
)
def test_another_end_is_a_conflict(end: Any, problem: str) -> None:
    with pytest.raises(ReservationConflict, match=problem) as caught:
        end()
    assert caught.value.org_id == "acme"


def test_another_request_is_a_conflict() -> None:
    HELD.require_request("asked")
    with pytest.raises(ReservationConflict, match=r"^acme: key: must be of the request that it"):
        HELD.require_request("other")


def test_a_metric_that_is_not_held_can_not_be_committed() -> None:
    with pytest.raises(InvalidValue, match=r"used\.seats: must be a metric that is held: runs, to"):
        HELD.committed({"seats": 1}, NOON)


def test_a_clock_that_is_behind_ends_it_when_it_began() -> None:
    assert HELD.released(NOON - timedelta(hours=1)).ended_at == NOON


def test_ids_of_events_follow_from_key_and_metric_and_no_two_are_one() -> None:
    ids = [event_id_of(*each) for each in (("ab", "c"), ("a", "bc"), ("1:a", "c"), ("a", "c"))]
    assert len(set(ids)) == 4
    assert HELD.event_id("runs") == event_id_of("req-1", "runs") == event_id_of("req-1", "runs")
    assert len(event_id_of("k" * 255, "m" * 255)) < 60


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        (
            {"reserved_at": FEBRUARY.end, "expires_at": FEBRUARY.end + TICK},
            "^reserved_at: must be ",
        ),
        ({"expires_at": NOON}, "^expires_at: must be later than 2024-02-03T12:00:00Z"),
        ({"ended_at": ONE}, "^ended_at: must be given where there is an outcome, and only there"),
        ({"outcome": "released"}, "^ended_at: must be given where there is an outcome"),
        ({"used": {"runs": 1}}, "^used: must name each metric that is held if it is committed"),
        ({"outcome": "committed", "ended_at": ONE}, "^used: must name each metric that is held"),
        ({"outcome": "expired"}, "^outcome: must be one of committed, released"),
        ({"units": {"runs": -1}}, r"^units\.runs: must not be negative"),
    ],
)
def test_what_is_no_reservation_is_refused(changes: dict[str, Any], problem: str) -> None:
    with pytest.raises(InvalidValue, match=problem):
        evolve(HELD, **changes)
