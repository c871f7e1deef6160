"""``overages verify``: whether records and counters in a database are all there and unchanged."""

from __future__ import annotations

import argparse
from typing import Final

from overages.adapters.sqlite import SqliteRepository
from overages.commands.inputs import refuse, to_path
from overages.commands.show import say_if_unknown
from overages.errors import RecordsAltered, UsageAltered

HELP: Final = "check that records and counters in a database are all there and unchanged"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the command."""
    parser.add_argument("--db", type=to_path, required=True, help="the database, SQLite")
    parser.add_argument("--org", help="the only org to check (default: all)")


def run(args: argparse.Namespace) -> None:
    """Check the records, and say how many there are.

    :raises BadInput: if one was changed or removed, or a counter isn't what it is made of; the
        first one has been named.
    """
    with SqliteRepository.read_only(args.db) as repository:
        try:
            count = repository.verify(args.org)
            say_if_unknown(args.org, repository, args.db)
        except (RecordsAltered, UsageAltered) as error:
            raise refuse(str(args.db), error) from None
    print(f"{args.db}: {count:,} {'record' if count == 1 else 'records'}, all as recorded")
