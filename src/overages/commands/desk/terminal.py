"""The terminal: lines on standard error, and colours where they are welcome.

say(f"{path}: no such file")
print(bold("February 2024"))

Colours are for terminals alone, and none are shown where ``NO_COLOR`` is set or ``TERM`` is
``dumb``, as is the custom.
"""

from __future__ import annotations

import os
import shutil
import sys
from typing import Final, TextIO

_BOLD: Final = "\x1b[1m"
_RED: Final = "\x1b[31m"
_PLAIN: Final = "\x1b[0m"


def say(message: str) -> None:
    """Write a line to standard error."""
    print(message, file=sys.stderr)


def bold(text: str) -> str:
    """Return a text in bold where standard output shows it, else as it is."""
    return _coloured(text, _BOLD, sys.stdout)


def red(text: str) -> str:
    """Return a text in red where standard output shows it, else as it is."""
    return _coloured(text, _RED, sys.stdout)


def columns() -> int | None:
    """Return the columns of the terminal that standard output is; None where it is none."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def _coloured(text: str, colour: str, stream: TextIO) -> str:
    shows = stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    return f"{colour}{text}{_PLAIN}" if shows else text
