"""``overages migrate``: a database made ready for this release, or taken one step back."""

from __future__ import annotations

import argparse
from typing import Final

from overages.adapters.sqlite import SqliteRepository
from overages.adapters.sqlite.migrations import LATEST
from overages.commands.desk.arguments import add_database

HELP: Final = "make a database ready: a new one, or one that an older release made"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the command."""
    add_database(parser, made=True)
    parser.add_argument(
        "--back",
        action="store_true",
        help="take the last step back, for an older release, where nothing recorded would be lost",
    )
    parser.add_argument(
        "--sql", action="store_true", help="print the SQL that would run, and run nothing"
    )


def run(args: argparse.Namespace) -> int | None:
    """Make the database ready, or take the last step back, and say so; or print the SQL of it.

    :raises StorageError: if there is none to take back, or it isn't a database of ours.
    :raises SchemaInUse: if something recorded would be lost.
    """
    if args.sql:
        print(SqliteRepository.migration_sql(args.db, back=args.back), end="")
    elif args.back:
        print(f"{args.db}: schema {SqliteRepository.migrate_back(args.db)}")
    else:
        SqliteRepository(args.db).close()
        print(f"{args.db}: schema {LATEST}")
    return None
