"""The contract of repositories: reservations, which are kept for ever and end once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from functools import partial
from typing import Any, Final

import pytest

from overages._ground.value import evolve
from overages.errors import (
    InvalidType,
    InvalidValue,
    QuotaExceeded,
    ReservationConflict,
    UnknownReservation,
)
from overages.prices.models import PerUnit
from overages.quotas.reservation import Reservation
from overages.repository import Repository
from overages.service.overage_service import OverageService
from overages.terms.account import Account
from overages.terms.allowance import Allowance
from overages.terms.plan import Plan
from overages.testing.contract.base import (
    FEB,
    MAR,
    OURS,
    RESERVED,
    THEIRS,
    fill,
    named,
    nothing_written,
)
from overages.testing.contract.handles import HandleContract

_MINUTE: Final = timedelta(minutes=1)
_THEN: Final = RESERVED.reserved_at
_ENDED: Final = RESERVED.expires_at - _MINUTE
_COMMITTED: Final = evolve(
    RESERVED, key="r-2", outcome="committed", used={"tokens": 12}, ended_at=_ENDED
)
_RELEASED: Final = evolve(RESERVED, key="r-3", outcome="released", ended_at=_ENDED)
_LIMITED: Final = Plan("starter", "USD", {"tokens": Allowance(10, PerUnit(1), hard_limit=25)})
_LEFT: Final = {"tokens": 1}


class ReservationContract(HandleContract):
    """Reservations hold units until they expire, or end."""

    @pytest.mark.parametrize(
        "reservation",
        [RESERVED, _COMMITTED, _RELEASED, evolve(RESERVED, units={"a": "0.5", "b": 10**26 - 1})],
        ids=["held", "committed", "released", "large"],
    )
    def test_a_reservation_is_read_as_it_was_put(
        self, repository: Repository, reservation: Reservation
    ) -> None:
        assert repository.put_reservation(reservation) == reservation
        assert repository.reservation(OURS, reservation.key) == reservation
        assert repository.reservations(OURS) == (reservation,)

    def test_a_reservation_that_is_not_there_is_none(self, repository: Repository) -> None:
        fill(repository)
        assert [repository.reservation(OURS, key) for key in ("R-1", "r-1.", "%")] == [None] * 3
        assert repository.reservations("org-3") == ()
        assert repository.held_units("org-3", FEB, _THEN) == {}

    def test_reservations_are_in_order_of_time_and_of_a_period_if_it_is_named(
        self, repository: Repository
    ) -> None:
        later = evolve(RESERVED, key="a", reserved_at=_THEN + _MINUTE)
        at_end = evolve(RESERVED, period=MAR, reserved_at=MAR.start, expires_at=MAR.end, key="A")
        tie = evolve(RESERVED, key="r-0")
        for each in (at_end, later, RESERVED, tie):
            repository.put_reservation(each)
        assert repository.reservations(OURS) == (tie, RESERVED, later, at_end)
        assert repository.reservations(OURS, FEB) == (tie, RESERVED, later)
        assert repository.reservations(OURS, MAR) == (at_end,)

    def test_a_request_that_comes_again_has_the_reservation_as_it_stands(
        self, repository: Repository
    ) -> None:
        fill(repository)
        again = evolve(RESERVED, reserved_at=_THEN + _MINUTE, expires_at=FEB.end)
        with nothing_written(repository):
            assert repository.put_reservation(again) == RESERVED
        repository.release_reservation(OURS, RESERVED.key, at=_ENDED)
        with nothing_written(repository):
            assert repository.put_reservation(again).outcome == "released"

    def test_another_request_under_its_key_is_a_conflict(self, repository: Repository) -> None:
        fill(repository)
        other = evolve(RESERVED, fingerprint="other")
        problem = r"^org-1: key: must be of the request that it came with before, got 'r-1'"
        with nothing_written(repository), pytest.raises(ReservationConflict, match=problem):
            repository.put_reservation(other)
        repository.put_reservation(evolve(other, org_id="org-3"))

    @pytest.mark.parametrize("used", [None, {"tokens": 10}, {"tokens": 3}, {"tokens": "12.5"}, {}])
    def test_a_reservation_is_committed_once(self, repository: Repository, used: Any) -> None:
        fill(repository)
        committed = repository.commit_reservation(OURS, RESERVED.key, used=used, at=_ENDED)
        assert committed == RESERVED.committed(used, _ENDED)
        with nothing_written(repository):
            again = repository.commit_reservation(OURS, RESERVED.key, used=used, at=FEB.end)
            assert again == committed == repository.reservation(OURS, RESERVED.key)
            with pytest.raises(ReservationConflict, match="and was committed, got 'r-1'"):
                repository.commit_reservation(OURS, RESERVED.key, used={"tokens": 4}, at=_ENDED)
            with pytest.raises(ReservationConflict, match="to be released, and was committed"):
                repository.release_reservation(OURS, RESERVED.key, at=_ENDED)

    def test_a_reservation_is_released_once(self, repository: Repository) -> None:
        fill(repository)
        released = repository.release_reservation(OURS, RESERVED.key, at=_ENDED)
        assert (released.outcome, released.ended_at) == ("released", _ENDED)
        with nothing_written(repository):
            assert repository.release_reservation(OURS, RESERVED.key, at=FEB.end) == released
            with pytest.raises(ReservationConflict, match="to be committed, and was released"):
                repository.commit_reservation(OURS, RESERVED.key, at=_ENDED)

    def test_units_are_held_until_a_reservation_expires_or_ends(
        self, repository: Repository
    ) -> None:
        fill(repository)
        for each in (_COMMITTED, _RELEASED, evolve(RESERVED, key="r-4", units={"tokens": "0.5"})):
            repository.put_reservation(each)
        repository.put_reservation(evolve(RESERVED, key="r-5", expires_at=_ENDED))
        tick = timedelta(microseconds=1)
        held = [
            repository.held_units(OURS, FEB, at)
            for at in (_ENDED - tick, _ENDED, RESERVED.expires_at - tick, RESERVED.expires_at)
        ]
        assert held == [
            {"tokens": Decimal("20.5")}, {"tokens": Decimal("10.5")}, {"tokens": Decimal("10.5")},
            {},
        ]  # fmt: skip
        repository.commit_reservation(OURS, RESERVED.key, at=_ENDED)
        assert repository.held_units(OURS, FEB, _ENDED) == {"tokens": Decimal("0.5")}
        assert repository.held_units(THEIRS, FEB, _THEN) == {"tokens": 10}

    def test_units_are_held_in_the_time_that_they_were_reserved_in(
        self, repository: Repository
    ) -> None:
        in_march = evolve(
            RESERVED,
            key="r-2",
            period=MAR,
            reserved_at=MAR.start,
            expires_at=MAR.end,
            units={"b": 7},
        )
        repository.put_reservation(evolve(RESERVED, expires_at=MAR.end))
        repository.put_reservation(in_march)
        assert repository.held_units(OURS, FEB, MAR.start) == {"tokens": 10}
        assert repository.held_units(OURS, MAR, MAR.start) == {"b": 7}

    def test_a_reservation_that_is_not_there_cannot_end(self, repository: Repository) -> None:
        fill(repository)
        repository.put_reservation(evolve(RESERVED, org_id=THEIRS, key="r-2"))
        problem = "^org-1: key: must be the key of a reservation of the org's, got "
        with nothing_written(repository):
            for unknown in ("r-2", "R-1", "r-1.", "%"):
                for end in (repository.commit_reservation, repository.release_reservation):
                    with named(unknown), pytest.raises(UnknownReservation, match=problem):
                        end(OURS, unknown, at=_ENDED)

    def test_units_of_a_metric_that_is_not_held_are_refused(self, repository: Repository) -> None:
        fill(repository)
        problem = r"^org-1: used\.runs: must be a metric that is held: tokens, got 'runs'"
        with nothing_written(repository), pytest.raises(InvalidValue, match=problem):
            repository.commit_reservation(OURS, RESERVED.key, used={"runs": 1}, at=_ENDED)

    def test_what_is_no_argument_of_a_reservation_is_refused(self, repository: Any) -> None:
        fill(repository)
        calls: dict[str, Callable[[], object]] = {
            "reservation": lambda: repository.put_reservation("r-1"),
            "at": lambda: repository.commit_reservation(OURS, "r-1", at="now"),
            "key": lambda: repository.release_reservation(OURS, None, at=_ENDED),
            "period": lambda: repository.reservations(OURS, "2024-02"),
        }
        with nothing_written(repository):
            for field, call in calls.items():
                with pytest.raises(InvalidType, match=f"^{field}: must be"):
                    call()

    def test_of_four_that_ask_for_the_last_unit_one_gets_it(self, repository: Repository) -> None:
        repository.put_plan(_LIMITED)
        for org_id in ("org-1", "org-2", "org-3"):
            repository.put_account(Account(org_id, "starter", since=FEB.start))
            _service(repository).reserve(
                org_id, {"tokens": 24}, key="most", expires_at=RESERVED.expires_at
            )
            assert sum(self._at_once(partial(_reserved, org_id))) == 1
            assert repository.held_units(org_id, FEB, _THEN) == {"tokens": 25}

    def test_a_commit_that_four_send_at_once_counts_once(self, repository: Repository) -> None:
        repository.put_plan(_LIMITED)
        repository.put_account(Account(OURS, "starter", since=FEB.start))
        _service(repository).reserve(
            OURS, {"tokens": 25}, key="all", expires_at=RESERVED.expires_at
        )
        assert self._at_once(_committed) == [True] * 4
        assert repository.usage(OURS, FEB).quantities == {"tokens": 26}
        assert repository.held_units(OURS, FEB, _THEN) == {}


def _service(handle: Repository) -> OverageService:
    return OverageService(handle, clock=lambda: _THEN)


def _reserved(org_id: str, handle: Repository, number: int) -> bool:
    """Reserve a unit; return whether it is held."""
    try:
        _service(handle).reserve(
            org_id, _LEFT, key=f"worker-{number}", expires_at=RESERVED.expires_at
        )
    except QuotaExceeded:
        return False
    return True


def _committed(handle: Repository, _: int) -> bool:
    """Commit one unit more than is held; return whether it says so."""
    return _service(handle).commit(OURS, "all", used={"tokens": 26}).beyond == {"tokens": 1}
