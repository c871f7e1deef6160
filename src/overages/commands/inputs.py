"""Inputs of the commands: arguments, a file of plans, and the naming of faults.

book = load_plans(path, zone)
"""

from __future__ import annotations

import sys
from argparse import ArgumentTypeError
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from overages.errors import MOST_ERRORS, OveragesError
from overages.imports.plans import PlanBook, read_plans
from overages.periods.period import instant_from_text


class BadInput(Exception):
    """A file is wrong, and its faults have been said on standard error."""


def say(message: str) -> None:
    """Write a line to standard error."""
    print(message, file=sys.stderr)


def refuse(source: str, error: OveragesError) -> BadInput:
    """Say everything that is wrong with a source; return the exception to raise."""
    for part in error.errors:
        say(f"{source}: {part}")
    if len(error.errors) >= MOST_ERRORS:
        say(f"{source}: reading stopped after {MOST_ERRORS} problems")
    return BadInput(source)


def to_path(text: str) -> Path:
    """Read the file that an argument of the command line names."""
    if not text or "\0" in text:
        raise ArgumentTypeError("must name a file")
    return Path(text)


def to_instant(text: str) -> datetime:
    """Return the instant that an argument of the command line names."""
    try:
        return instant_from_text(text)
    except OveragesError as error:
        raise ArgumentTypeError(str(error)) from None


def load_plans(path: Path, zone: ZoneInfo | None) -> PlanBook:
    """Return the plans and accounts in a TOML file.

    :param zone: the timezone of months, for orgs without a cycle of their own; UTC without it.
    :raises BadInput: if it is faulty.
    """
    try:
        return read_plans(path.read_text(encoding="utf-8-sig"), "UTC" if zone is None else zone.key)
    except UnicodeDecodeError as error:
        say(f"{path}: must be UTF-8: {error}")
        raise BadInput(path) from None
    except OveragesError as error:
        raise refuse(str(path), error) from None
