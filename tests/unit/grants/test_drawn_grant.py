"""One grant while it is drawn on: steps, refills, ends, and units that are given back."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from overages import Cycle, Grant, Money
from overages._ground.value import evolve
from overages.amounts.exact import SCALE
from overages.grants.drawn_grant import DrawnGrant, PooledGrant
from overages.grants.state import GrantState

START = datetime(2024, 2, 1, tzinfo=UTC)
LATER, LAST, END = (START + timedelta(days=days) for days in (7, 8, 14))
WEEKLY = Cycle(START, unit="week")
UNITS = Grant("g", 100, metric="tokens", effective_at=START)


def begun(**named: Any) -> DrawnGrant:
    grant = DrawnGrant(PooledGrant(evolve(UNITS, **named)), None)
    grant.begin(START, END)
    return grant


def numbers(grant: DrawnGrant) -> tuple[int, ...]:
    """Return the units granted, drawn, expired, voided and left."""
    picos = grant.granted, grant.drawn, grant.expired, grant.voided, grant.left
    return tuple(number // SCALE for number in picos)


def test_it_is_filled_when_it_is_effective() -> None:
    grant = DrawnGrant(PooledGrant(evolve(UNITS, effective_at=LATER)), None)
    assert grant.begin(START, END) == [LATER]
    assert (grant.filled_at, numbers(grant)) == (None, (0, 0, 0, 0, 0))
    grant.cross(LATER)
    assert (grant.filled_at, numbers(grant)) == (LATER, (100, 0, 0, 0, 100))
    money = DrawnGrant(PooledGrant(Grant("m", Money(150, "USD"), effective_at=START)), None)
    money.cross(START)
    assert 2 * money.left == 3 * SCALE


def test_it_goes_on_from_its_state() -> None:
    state = GrantState("g", 100, 30, 5, filled_at=START)
    grant = DrawnGrant(PooledGrant(UNITS), state)
    assert numbers(grant) == (100, 30, 5, 0, 65)
    assert grant.state() == state


def test_started_steps_are_drawn_whole_as_far_as_they_are_left() -> None:
    grant = begun(step=60)
    first = grant.draw(10 * SCALE, START)
    second = grant.draw(70 * SCALE, START)
    assert first == (grant, START, 60 * SCALE, 10 * SCALE)
    assert second == (grant, START, 40 * SCALE, 40 * SCALE)
    rest = grant.give_back(first, 9 * SCALE, LATER)
    assert (rest, grant.left) == ((grant, START, 60 * SCALE, SCALE), 0)
    rest = grant.give_back(rest, SCALE, LATER)
    assert (rest, grant.left) == ((grant, START, 0, 0), 60 * SCALE)


@pytest.mark.parametrize(
    ("named", "expected"),
    [
        ({}, (100, 20, 0, 0, 80)),
        ({"expires_at": LATER}, (100, 20, 80, 0, 0)),
        ({"voided_at": LATER}, (100, 20, 0, 80, 0)),
        ({"voided_at": LATER, "expires_at": LATER}, (100, 20, 80, 0, 0)),
        ({"recurrence": WEEKLY}, (200, 20, 80, 0, 100)),
        ({"recurrence": WEEKLY, "refill_keeps": 50}, (200, 20, 30, 0, 150)),
    ],
)
def test_units_come_back_unless_it_was_refilled_or_ended(named: Any, expected: Any) -> None:
    grant = begun(**named)
    drawn = grant.draw(30 * SCALE, START)
    grant.cross(LATER)
    grant.give_back(drawn, 10 * SCALE, LAST)
    assert numbers(grant) == expected


def test_it_is_refilled_at_the_boundaries_of_its_cycle_while_it_lasts() -> None:
    expiry, end = START + timedelta(days=21), START + timedelta(days=60)
    grant = begun(recurrence=WEEKLY, expires_at=expiry)
    assert list(grant.refills(WEEKLY, START, end)) == [LATER, END]
    assert list(grant.refills(WEEKLY, LATER, LATER)) == []
    assert list(grant.refills(WEEKLY, end, end + timedelta(days=60))) == []
    assert sorted(grant.begin(START, end)) == [LATER, END, expiry]
    assert grant.refills_coming == 2
