"""The rows of a usage file, each with an id that its batch and its content give."""

from datetime import UTC, datetime

import pytest

from overages import UsageEvent
from overages.commands.desk.batch import Batch, BatchContent
from overages.usage.event import EventColumns

AT = datetime(2024, 2, 10, tzinfo=UTC)


def row(quantity: int | str = 1, org_id: str = "acme", metric: str = "tokens") -> UsageEvent:
    return UsageEvent(org_id, metric, quantity, AT)


class Kept:
    """A batch as a database keeps it: its rows, and the ids that were withdrawn."""

    def __init__(self) -> None:
        self.rows: list[UsageEvent] = []
        self.withdrawn: set[tuple[str, str]] = set()
        self.revived = 0

    def replace(self, *rows: UsageEvent) -> list[str]:
        """Put rows in place of those before; return the numbers of their ids."""
        content = BatchContent(lambda org_id, event_id: (org_id, event_id) in self.withdrawn)
        for event in self.rows:
            content.add(event)
        batch = Batch("u.csv", content)
        named = list(batch.named(EventColumns(rows)))
        self.withdrawn |= {(event.org_id, event.id or "") for event in batch.left()}
        self.rows, self.revived = named, batch.revived
        return [(event.id or "").rpartition(".")[2] for event in named]


def test_equal_rows_have_the_same_id_but_for_their_number() -> None:
    batch = Batch("u.csv", BatchContent())
    named = batch.named(EventColumns([row(), row(), row(2)]))
    first, second, other = (each or "" for each in named.ids)
    assert first.startswith("u.csv#")
    assert (first[-2:], second) == (".1", f"{first[:-1]}2")
    assert other.endswith(".1")
    assert other != first
    assert batch.unnamed == 3


def test_a_row_with_an_id_keeps_it_and_is_no_part_of_the_content() -> None:
    batch = Batch("u.csv", BatchContent())
    event = UsageEvent("acme", "tokens", 1, AT, "evt-1")
    assert list(batch.named(EventColumns([event]))) == [event]
    assert (batch.unnamed, int(batch.digest, 16)) == (0, 0)


def digest(*rows: UsageEvent) -> str:
    batch = Batch("u.csv", BatchContent())
    batch.named(EventColumns(rows))
    return batch.digest


def test_a_content_is_known_in_any_order_and_with_each_row_as_often() -> None:
    rows = [row(1), row(2), row(2), row(3, "bolt")]
    assert digest(*rows) == digest(*reversed(rows))
    assert digest(*rows) != digest(row(1), row(2), row(3, "bolt"))
    assert len(digest(*rows)) == len(digest()) == 32


@pytest.mark.parametrize(
    "other",
    [
        row(2),
        row(org_id="bolt"),
        row(metric="runs"),
        UsageEvent("acme", "tokens", 1, AT.replace(microsecond=1)),
        UsageEvent("acme", "tokens", 1, AT, dimensions={"region": "eu"}),
        UsageEvent("acme", "tokens", 1, AT, dimensions={"region": "us"}),
    ],
)
def test_a_row_is_another_by_anything_that_it_says(other: UsageEvent) -> None:
    assert digest(row()) != digest(other)
    assert len({digest(other), digest(row()), digest(row(), other)}) == 3


def test_a_row_that_stays_has_the_id_that_it_had() -> None:
    kept = Kept()
    assert kept.replace(row(), row(), row(5)) == ["1", "2", "1"]
    assert kept.replace(row(5), row(), row()) == ["1", "1", "2"]
    assert kept.withdrawn == set()


def test_a_row_that_moves_to_another_org_is_left_and_new() -> None:
    kept = Kept()
    kept.replace(row())
    assert kept.replace(row(org_id="bolt")) == ["1"]
    assert [org_id for org_id, _ in kept.withdrawn] == ["acme"]


def test_a_row_that_comes_again_and_again_has_a_number_that_none_had_before() -> None:
    """A withdrawn id can't be used again, nor can one that another row has."""
    kept = Kept()
    assert kept.replace(*[row()] * 3) == ["1", "2", "3"]
    assert kept.replace(*[row()] * 2) == ["1", "2"]
    assert kept.replace(*[row()] * 3) == ["1", "2", "4"]
    assert kept.replace(*[row()] * 4) == ["1", "2", "4", "5"]
    assert kept.replace(row(9)) == ["1"]
    assert kept.replace(*[row()] * 3) == ["6", "7", "8"]
    assert kept.replace(*[row()] * 5) == ["6", "7", "8", "9", "10"]


def test_a_row_with_an_id_that_a_batch_has_is_kept() -> None:
    kept = Kept()
    event = UsageEvent("acme", "tokens", 1, AT, "evt-1")
    kept.replace(event, row())
    kept.replace(event)
    assert len(kept.withdrawn) == 1


def test_rows_that_come_again_after_they_were_withdrawn_are_counted() -> None:
    kept = Kept()
    kept.replace(row(), row(), row(5))
    assert kept.revived == 0
    kept.replace(row(), row(7))  # another content is no withdrawn one
    assert kept.revived == 0
    kept.replace(row(), row(), row(5), row(8))
    assert kept.revived == 2
    kept.replace(row(), row(), row(5), row(5), row(5), row(8))
    assert kept.revived == 2  # each that is new
    kept.replace(row(), row(), row(5), row(5), row(5), row(8))
    assert kept.revived == 0


def test_a_row_with_an_id_does_not_come_again() -> None:
    kept = Kept()
    event = UsageEvent("acme", "tokens", 1, AT, "evt-1")
    kept.replace(event, row())
    kept.replace(row())
    kept.replace(event, row())
    assert kept.revived == 0


def test_a_row_of_another_org_does_not_come_again() -> None:
    kept = Kept()
    kept.replace(row())
    kept.replace(row(org_id="bolt"))
    assert kept.revived == 0
