"""The rows of a usage file in pieces, and those that wait."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from overages import UsageEvent
from overages.commands.desk import rows as rows_of_files
from overages.commands.desk.rows import Rows, WaitingRows, pieces_of
from overages.commands.desk.sources import UsageFile
from overages.imports.usage_files.layout import UsageLayout
from overages.usage.event import EventColumns

NOON = datetime(2024, 2, 3, 12, tzinfo=UTC)
AT = "2024-02-03T12:00:00Z"
WIDE = UsageLayout(metrics={"tokens": "tokens", "runs": "runs"})


def pieces(
    folder: Path, *lines: str, layout: UsageLayout | None = None
) -> list[tuple[list[tuple[int, str]], list[int]]]:
    """Return the lines and orgs of the good rows of each piece, and the lines of the others."""
    path = folder / "u.csv"
    path.write_text("\n".join(lines))
    return [
        (
            list(zip(piece.rows.lines, piece.rows.events.orgs, strict=True)),
            [line for line, _ in piece.faults],
        )
        for piece in pieces_of(UsageFile(path, "u.csv"), layout or UsageLayout())
    ]


def test_a_piece_has_rows_that_follow_each_other_good_or_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rows_of_files, "PIECE", 2)
    lines = [f"{org},tokens,{units},{AT}" for org, units in zip("abcde", "1x345", strict=True)]
    found = pieces(tmp_path, "org_id,metric,quantity,timestamp", *lines)
    assert found == [([(2, "a")], [3]), ([(4, "c"), (5, "d")], []), ([(6, "e")], [])]


def test_pieces_of_faulty_rows_alone_have_no_events(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rows_of_files, "PIECE", 2)
    found = pieces(tmp_path, "org_id,metric,quantity,timestamp", *[f"a,tokens,x,{AT}"] * 3)
    assert found == [([], [2, 3]), ([], [4])]


def test_a_file_without_rows_has_no_pieces(tmp_path: Path) -> None:
    assert pieces(tmp_path, "org_id,metric,quantity,timestamp", ",,,") == []


def test_the_events_of_a_row_with_several_metrics_follow_each_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rows_of_files, "PIECE", 3)
    rows = [f"a,{AT},5,7", f"b,{AT},,", f"c,{AT},x,7", f"d,{AT},,7", f"e,{AT},5,"]
    found = pieces(tmp_path, "org_id,timestamp,tokens,runs", *rows, layout=WIDE)
    assert found == [([(2, "a"), (2, "a")], [4]), ([(5, "d"), (6, "e")], [])]


def test_rows_wait_by_org_in_the_order_in_which_they_came(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(rows_of_files, "PIECE", 2)
    events = [UsageEvent(org, "tokens", n, NOON) for n, org in enumerate("babb")]
    waiting = WaitingRows()
    waiting.add(Rows([2, 3], EventColumns(events[:2])))
    waiting.add(Rows([4, 5], EventColumns(events[2:])))
    waiting.sort_by_org()
    taken = [waiting.take(), waiting.take(), waiting.take()]
    assert [list(rows.lines) for rows in taken] == [[3, 2], [4, 5], []]
    assert [event for rows in taken for event in rows.events] == [
        events[place] for place in (1, 0, 2, 3)
    ]
    assert not waiting
