"""The process of the command line: its exit status, and Ctrl-C before and after a command."""

import gc
import os
import signal
from collections.abc import Iterator

import pytest

from overages import __main__ as process
from overages.commands import parser


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    handler = signal.getsignal(signal.SIGINT)
    yield
    signal.signal(signal.SIGINT, handler)
    gc.enable()


class Left(BaseException):
    """The end of the process, which the test survives."""


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """What a process that is left at once writes to standard error."""
    lines = list[bytes]()

    def leave(status: int) -> None:
        raise Left(status)

    def write(file: int, line: bytes) -> int:
        assert file == 2
        lines.append(line)
        return len(line)

    monkeypatch.setattr(os, "_exit", leave)
    monkeypatch.setattr(os, "write", write)
    return lines


def test_a_process_leaves_with_the_status_of_its_command(monkeypatch: pytest.MonkeyPatch) -> None:
    def command() -> int:
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
        return 5

    monkeypatch.setattr(parser, "main", command)
    with pytest.raises(SystemExit) as left:
        process.run()
    assert left.value.code == 5


def test_ctrl_c_when_all_is_done_says_one_line(
    monkeypatch: pytest.MonkeyPatch, written: list[bytes]
) -> None:
    monkeypatch.setattr(parser, "main", lambda: 0)
    with pytest.raises(SystemExit):
        process.run()
    with pytest.raises(Left) as left:
        signal.raise_signal(signal.SIGINT)
    assert (left.value.args, written) == ((130,), [b"overages: interrupted\n"])
