"""Lines on standard error, and colours on terminals that want them."""

import sys

import pytest

from overages.commands.desk.terminal import bold, columns, red, say


class Terminal:
    def __init__(self, is_one: bool) -> None:
        self._is_one = is_one

    def isatty(self) -> bool:
        return self._is_one


@pytest.mark.parametrize(
    ("is_terminal", "settings", "shows"),
    [
        (True, {}, True),
        (True, {"NO_COLOR": ""}, True),  # as the custom has it: empty is unset
        (True, {"NO_COLOR": "1"}, False),
        (True, {"TERM": "dumb"}, False),
        (False, {}, False),
    ],
)
def test_colours_are_shown_on_terminals_that_want_them(
    monkeypatch: pytest.MonkeyPatch, is_terminal: bool, settings: dict[str, str], shows: bool
) -> None:
    for name in ("NO_COLOR", "TERM"):
        monkeypatch.delenv(name, raising=False)
    for name, setting in settings.items():
        monkeypatch.setenv(name, setting)
    monkeypatch.setattr(sys, "stdout", Terminal(is_terminal))
    assert bold("a") == ("\x1b[1ma\x1b[0m" if shows else "a")
    assert red("a") == ("\x1b[31ma\x1b[0m" if shows else "a")


def test_a_line_goes_to_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    say("u.csv: is empty")
    assert capsys.readouterr() == ("", "u.csv: is empty\n")


def test_a_table_is_as_wide_as_the_terminal_and_elsewhere_as_it_likes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", "77")
    monkeypatch.setattr(sys, "stdout", Terminal(True))
    assert columns() == 77
    monkeypatch.setattr(sys, "stdout", Terminal(False))
    assert columns() is None
