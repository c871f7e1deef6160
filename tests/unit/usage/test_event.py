"""Events, and the columns of many."""

from datetime import UTC, datetime, timedelta

import pytest

from overages import UsageEvent
from overages.errors import InvalidType
from overages.usage.event import CountedEvents, EventColumns, new_columns, parse_events

NOON = datetime(2024, 2, 3, 12, tzinfo=UTC)
EVENTS = [
    UsageEvent("acme", "tokens", 5, NOON, "1"),
    UsageEvent("bolt", "runs", "0.5", NOON + timedelta(hours=1)),
    UsageEvent("acme", "runs", -2, NOON, "2", {"region": "eu"}),
]
MADE = EventColumns(EVENTS)
COLUMNS = new_columns(*MADE.terms)
BOTH = pytest.mark.parametrize("columns", [MADE, COLUMNS])


@BOTH
def test_columns_are_a_sequence_of_their_events(columns: EventColumns) -> None:
    assert len(columns) == 3
    assert list(columns) == EVENTS
    assert (columns[0], columns[-1]) == (EVENTS[0], EVENTS[2])
    assert list(columns[1:]) == EVENTS[1:]
    assert EVENTS[1] in columns


@BOTH
def test_some_of_them_are_chosen_by_their_places(columns: EventColumns) -> None:
    for places in ([], [1], [2, 0], range(3)):
        assert list(columns.among(places)) == [EVENTS[place] for place in places]


@BOTH
def test_some_of_them_are_chosen_by_a_mask(columns: EventColumns) -> None:
    assert list(columns.where([True, False, True])) == [EVENTS[0], EVENTS[2]]


def test_events_that_are_made_stay_as_they_are() -> None:
    assert MADE[1] is EVENTS[1]
    assert MADE.among([1, 0])[0] is EVENTS[1]
    assert next(iter(MADE)) is EVENTS[0]


def test_columns_hold_events_alone_whatever_becomes_of_the_list_that_they_were_in() -> None:
    events = list(EVENTS)
    columns = EventColumns(events)
    events[:] = [EVENTS[1]]
    assert list(columns) == list(columns.among(range(3))) == EVENTS
    with pytest.raises(InvalidType, match=r"events\[1\]: must be of type UsageEvent"):
        EventColumns([EVENTS[0], ("acme", "tokens", 0.1, NOON, "", {})])  # type: ignore[list-item]


@BOTH
def test_they_can_have_other_ids(columns: EventColumns) -> None:
    named = columns.with_ids(["a", "b", "c"])
    assert [event.id for event in named] == ["a", "b", "c"]
    assert list(named.with_ids(["1", "", "2"])[::2]) == EVENTS[::2]
    assert columns.ids == ["1", None, "2"]


def test_an_identity_is_an_org_and_an_id() -> None:
    assert COLUMNS.identities() == [("acme", "1"), ("acme", "2")]


def test_columns_are_taken_as_they_are_and_events_as_columns() -> None:
    assert parse_events(COLUMNS, "events") is COLUMNS
    assert list(parse_events(iter(EVENTS), "events")) == EVENTS
    with pytest.raises(InvalidType, match=r"events\[1\]: must be of type UsageEvent"):
        parse_events([EVENTS[0], "acme"], "events")


@BOTH
def test_counted_events_are_a_sequence_of_events_and_instants(columns: EventColumns) -> None:
    instants = [event.at + timedelta(days=1) for event in EVENTS]
    counted, pairs = CountedEvents(columns, instants), list(zip(EVENTS, instants, strict=True))
    assert list(counted) == pairs
    assert (len(counted), counted[1]) == (3, pairs[1])
    assert list(counted[1:]) == pairs[1:]
    assert list(counted.among([2, 0])) == [pairs[2], pairs[0]]
