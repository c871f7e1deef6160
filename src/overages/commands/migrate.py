"""``overages migrate``: a database made ready for this release."""

from __future__ import annotations

import argparse
from typing import Final

from overages.adapters.sqlite import SqliteRepository
from overages.adapters.sqlite.migrations import LATEST
from overages.commands.inputs import to_path

HELP: Final = "make a database ready: a new one, or one that an older release made"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the command."""
    parser.add_argument(
        "--db", type=to_path, required=True, help="the database, SQLite; made if need be"
    )


def run(args: argparse.Namespace) -> None:
    """Make the database ready, and say so."""
    SqliteRepository(args.db).close()
    print(f"{args.db}: schema {LATEST}")
