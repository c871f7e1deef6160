"""The progress bar: on a terminal alone, and never in the way of the lines."""

import io
import sys

import pytest

from overages.commands import progress

LINES = ["a\n", "bb\n", "ccc\n"]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def every_line_is_an_update(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "_PAUSE", 0)


@pytest.fixture
def without_rich(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "rich", None)
    monkeypatch.setitem(sys.modules, "rich.progress", None)


def test_nothing_is_shown_where_there_is_no_terminal() -> None:
    file = io.StringIO()
    assert list(progress.track(LINES, "reading", 9, file)) == LINES
    assert file.getvalue() == ""


@pytest.mark.usefixtures("without_rich")
def test_a_plain_bar_shows_lines_and_share_and_is_erased() -> None:
    terminal = Terminal()
    assert list(progress.track(LINES, "reading", 10, terminal)) == LINES
    assert terminal.getvalue() == (
        "\rreading: 1 lines, 20 %\rreading: 2 lines, 50 %\rreading: 3 lines, 90 %\r\x1b[K"
    )


@pytest.mark.usefixtures("without_rich")
def test_a_plain_bar_shows_no_share_of_an_unknown_total() -> None:
    terminal = Terminal()
    assert list(progress.track(LINES[:1], "reading", None, terminal)) == LINES[:1]
    assert terminal.getvalue() == "\rreading: 1 lines\r\x1b[K"


@pytest.mark.usefixtures("without_rich")
def test_updates_are_not_made_for_every_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "_PAUSE", 3600)
    terminal = Terminal()
    assert list(progress.track(LINES, "reading", 10, terminal)) == LINES
    assert terminal.getvalue() == "\r\x1b[K"


@pytest.mark.parametrize("pause", [0, 3600])
def test_rich_draws_the_bar_where_it_is_installed(
    pause: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("rich")
    monkeypatch.setattr(progress, "_PAUSE", pause)
    terminal = Terminal()
    assert list(progress.track(LINES, "reading", 9, terminal)) == LINES
    assert "reading" in terminal.getvalue()
