"""``overages verify``: whether records, closings and sums in a database are as they were."""

from __future__ import annotations

import argparse
from typing import Final

from overages.commands.desk.arguments import add_database, add_org
from overages.commands.desk.faults import refuse
from overages.commands.desk.sources import require_org, to_read
from overages.errors import RecordsAltered, UsageAltered

HELP: Final = "check that records, closings and sums in a database are all there and unchanged"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the command."""
    add_database(parser)
    add_org(parser, "check")


def run(args: argparse.Namespace) -> int | None:
    """Check the records and closings, and say how many there are.

    :raises Stop: if one was changed or removed, or a sum comes to another; the first one has been
        named. Or if there is no such org.
    """
    with to_read(args.db) as repository:
        require_org(args.org, repository, args.db)
        try:
            count = repository.verify(args.org)
        except (RecordsAltered, UsageAltered) as error:
            raise refuse(str(args.db), error) from None
    print(f"{args.db}: records and closings: {count:,}, all as recorded")
    return None
