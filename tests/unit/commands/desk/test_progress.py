"""The progress bar: on a terminal alone, and never in the way of the lines."""

import io
import sys
from collections.abc import Callable
from itertools import chain, count, repeat

import pytest

from overages.commands.desk import progress

LINES = ["a\n", "bb\n", "ccc\n"]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def each_look_at_the_clock_takes_ten_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    ticks = count(0.0, 10.0)
    monkeypatch.setattr(progress, "monotonic", lambda: next(ticks))


@pytest.fixture
def without_rich(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "rich", None)
    monkeypatch.setitem(sys.modules, "rich.progress", None)


def test_nothing_is_shown_where_there_is_no_terminal() -> None:
    file = io.StringIO()
    assert list(progress.track(LINES, "reading", 9, file)) == LINES
    assert file.getvalue() == ""


def shown(total: int | None, done: Callable[[], int] | None = None) -> list[str]:
    terminal = Terminal()
    assert list(progress.track(LINES, "reading", total, terminal, done)) == LINES
    *bars, last = terminal.getvalue().split("\r\x1b[K")[1:]
    assert last == ""  # the bar is erased at the end
    return bars


@pytest.mark.usefixtures("without_rich")
def test_a_plain_bar_shows_lines_rate_share_and_the_time_left() -> None:
    assert shown(18) == [
        "reading: 1 lines, 0 a second, 11 %, 1:20 left",
        "reading: 2 lines, 0 a second, 27 %, 0:52 left",
        "reading: 3 lines, 0 a second, 50 %, 0:30 left",
    ]


@pytest.mark.usefixtures("without_rich")
def test_what_is_done_may_be_counted_elsewhere() -> None:
    """In bytes of a packed file, say."""
    done = chain([0], repeat(18))
    assert shown(18, lambda: next(done)) == [
        "reading: 1 lines, 0 a second",
        "reading: 2 lines, 0 a second, 99 %, 0:00 left",
        "reading: 3 lines, 0 a second, 99 %, 0:00 left",
    ]


@pytest.mark.usefixtures("without_rich")
def test_a_plain_bar_shows_no_share_of_an_unknown_total() -> None:
    assert shown(None)[-1] == "reading: 3 lines, 0 a second"


@pytest.mark.usefixtures("without_rich")
def test_lists_are_counted_by_their_length() -> None:
    terminal = Terminal()
    chunks = [[0] * 4_000, [0] * 2_000]
    assert list(progress.track(chunks, "closing", 8_000, terminal, noun="orgs")) == chunks
    assert terminal.getvalue() == (
        "\r\x1b[Kclosing: 4,000 orgs, 400 a second, 50 %, 0:10 left"
        "\r\x1b[Kclosing: 6,000 orgs, 300 a second, 75 %, 0:07 left\r\x1b[K"
    )


@pytest.mark.usefixtures("without_rich")
def test_a_plain_bar_is_no_wider_than_a_terminal() -> None:
    terminal = Terminal()
    list(progress.track(LINES, "reading " + "x" * 100, None, terminal))
    assert {len(bar) for bar in terminal.getvalue().split("\r")[1:-1]} == {80 - 1}


@pytest.mark.usefixtures("without_rich")
def test_a_plain_bar_is_erased_where_a_reader_stops() -> None:
    terminal = Terminal()
    lines = iter(progress.track(LINES, "reading", 18, terminal))
    next(lines)
    del lines
    assert terminal.getvalue().endswith("left\r\x1b[K")


@pytest.mark.usefixtures("without_rich")
def test_updates_are_not_made_for_every_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "_PAUSE", 3600)
    assert shown(9) == []


@pytest.mark.parametrize("pause", [0, 3600])
def test_rich_draws_the_bar_where_it_is_installed(
    pause: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("rich")
    monkeypatch.setattr(progress, "_PAUSE", pause)
    terminal = Terminal()
    assert list(progress.track(LINES, "reading", 9, terminal)) == LINES
    assert "reading" in terminal.getvalue()
    assert ("lines" in terminal.getvalue()) == (pause == 0)
