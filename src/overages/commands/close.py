"""``overages close``: from files of plans and usage to records in a database, once.

A period that has ended is closed, one that still runs is brought up to date. Run again, it writes
nothing, or the changes since. It writes all or nothing: interrupted, it is just run again.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from overages.adapters.sqlite import SqliteRepository
from overages.commands.bills import Bill, Bills
from overages.commands.inputs import load_plans, say, to_instant, to_path
from overages.commands.rate import bill, grand_total
from overages.commands.usage_file import load_usage

HELP: Final = "calculate the overage of every org in a usage file, record it, and close its periods"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the command."""
    parser.add_argument(
        "--db", type=to_path, required=True, help="the database, SQLite; made if need be"
    )
    parser.add_argument("--force", action="store_true", help="correct periods that are closed, too")
    parser.add_argument(
        "--created-at",
        type=to_instant,
        help="when the records say that they were made, such as 2024-03-01T09:00:00Z: a period that"
        " has ended by then is closed (default: now)",
    )


def run(args: argparse.Namespace) -> None:
    """Record and close the periods of the file, in one transaction, and count the new records.

    :raises BadInput: if the files are faulty, or a closed period comes to something else, and
        there is no ``--force``; nothing is recorded then.
    """
    book = load_plans(args.plans, args.timezone)
    usages = load_usage(args.usage, book, args.period, args.timezone)
    with SqliteRepository(args.db) as repository, repository.transaction():
        bills = Bills(repository, book, args.created_at or datetime.now(UTC))
        made = bill(bills, usages, args, kept_in=args.db, force=args.force)
    _say_what_else(made, args)
    new = sum(len(each.recording.new) for each in made)
    totals = [each.total for each in made if each.is_wanted]
    print(f"{args.db}: {grand_total(totals)}; new records: {new:,}")


def _say_what_else(bills: Sequence[Bill], args: argparse.Namespace) -> None:
    """Tell of periods that the file doesn't have: some were billed along, or are stale."""
    for each in bills:
        if each.recording.new and not each.is_wanted:
            say(f"{args.db}: {each.org_id}, {each.period.describe()}: closed too, {each.total}")
    made = {(each.org_id, each.period) for each in bills}
    for each in bills:
        following = each.recording.stale_next
        if following is not None and (each.org_id, following) not in made:
            say(f"{args.db}: {each.org_id}, {following.describe()}: comes to something else now")
