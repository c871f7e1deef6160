"""``overages verify``: whether records, closings and sums in a database are as they were."""

from __future__ import annotations

import argparse
from typing import Final

from overages.adapters.sqlite import SqliteRepository
from overages.commands.inputs import refuse, to_path
from overages.commands.show import say_if_unknown
from overages.errors import RecordsAltered, UsageAltered

HELP: Final = "check that records, closings and sums in a database are all there and unchanged"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the command."""
    parser.add_argument("--db", type=to_path, required=True, help="the database, SQLite")
    parser.add_argument("--org", help="the only org to check (default: all)")


def run(args: argparse.Namespace) -> None:
    """Check the records and closings, and say how many there are.

    :raises BadInput: if one was changed or removed, or a sum comes to another; the first
        one has been named.
    """
    with SqliteRepository.read_only(args.db) as repository:
        try:
            count = repository.verify(args.org)
            say_if_unknown(args.org, repository, args.db)
        except (RecordsAltered, UsageAltered) as error:
            raise refuse(str(args.db), error) from None
    print(f"{args.db}: records and closings: {count:,}, all as recorded")
