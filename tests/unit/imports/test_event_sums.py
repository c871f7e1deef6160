"""Sums of many events in columns: exact, by org, metric and time, each id once."""

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from io import BytesIO

import pytest

from overages.amounts.exact import Quantity
from overages.imports.usage_files.layout import UsageLayout
from overages.imports.usage_files.text import open_usage
from overages.usage.event import EventColumns

pytest.importorskip("pyarrow")

from overages.imports.event_sums import WaitingEvents
from overages.imports.usage_files.blocks import read_blocks

TENTH = datetime(2024, 2, 10, tzinfo=UTC)


def waiting(*files: Sequence[str]) -> WaitingEvents:
    """Return events of files, whose rows are an id, if they have any, and a quantity."""
    events = WaitingEvents()
    for rows in files:
        header = "event_id,quantity,org_id,metric,timestamp"
        written = [f"{row},acme,tokens,2024-02-{9 + i:02}T12:00:00Z" for i, row in enumerate(rows)]
        if rows and "," not in rows[0]:
            header = header.removeprefix("event_id,")
        with open_usage(BytesIO("\n".join([header, *written]).encode())) as text:
            for block in read_blocks(text, UsageLayout()):
                events.add(block.plain)
    return events


def sums(events: WaitingEvents, *starts: datetime) -> list[tuple[Quantity, datetime]]:
    """Return the sums of events, each with an instant of its time."""
    found = list[EventColumns](events.take_sums(lambda orgs: starts * (orgs == ["acme"])))
    return [
        (units, at) for each in found for units, at in zip(each.quantities, each.times, strict=True)
    ]


def test_events_are_summed_by_the_times_between_instants() -> None:
    before, after = datetime(2024, 2, 1, tzinfo=UTC), datetime(2024, 3, 1, tzinfo=UTC)
    found = sums(waiting(["5", "6", "7"]), before, TENTH, after)
    assert found == [(5, datetime(2024, 2, 9, 12, tzinfo=UTC)), (13, TENTH)]


def test_decimals_are_summed_exactly() -> None:
    found = sums(waiting(["0.1", "0.2"], ["5"]))
    assert sorted(units for units, _ in found) == [Decimal("0.3"), 5]


def test_sums_of_more_than_64_bits_are_exact() -> None:
    assert [units for units, _ in sums(waiting(["9" * 18] * 12))] == [12 * int("9" * 18)]


def test_events_without_ids_are_counted_until_they_are_summed() -> None:
    events = waiting(["5", "6"])
    assert events.without_id == 2
    assert len(sums(events)) == 1
    assert (events.without_id, sums(events)) == (0, [])


@pytest.mark.parametrize(
    ("ids", "others", "repeated"),
    [
        (["1", "2", "3"], [], []),  # they rise
        (["3", "1", "2"], [], []),
        (["1", "2", "1"], [], ["1", "1"]),
        (["1", "2", "3"], ["2"], ["2"]),
        (["1", "1"], [], ["1", "1"]),
    ],
)
def test_events_whose_id_comes_again_are_taken_out(
    ids: list[str], others: list[str], repeated: list[str]
) -> None:
    events = waiting([f"{each},5" for each in ids])
    found = [each for columns in events.take_repeated(others) for each in columns.ids]
    assert found == repeated
    left = 5 * (len(ids) - len(repeated))
    assert [units for units, _ in sums(events)] == [left] * bool(left)


def test_ids_of_several_files_are_held_against_each_other() -> None:
    events = waiting(["1,5", "2,6"], ["2,6", "3,7"], [])
    found = [each for columns in events.take_repeated([]) for each in columns]
    assert [(event.id, event.quantity) for event in found] == [("2", 6), ("2", 6)]
    assert [units for units, _ in sums(events)] == [12]


def test_events_without_ids_are_no_repetition() -> None:
    events = waiting(["5", "5"], ["1,5", "1,5"])
    found = [each for columns in events.take_repeated([]) for each in columns.ids]
    assert found == ["1", "1"]
    assert [units for units, _ in sums(events)] == [10]
