"""``overages show``: the records in a database, by org and period."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Sequence
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import Final

from overages._ground.display import text_table
from overages.adapters.sqlite import SqliteRepository
from overages.amounts.money import Money
from overages.commands.inputs import say, to_path
from overages.errors import did_you_mean
from overages.periods.period import Period
from overages.records.ledger import RECORD_ALIGN, record_table
from overages.records.record import OverageRecord
from overages.repository import Repository

HELP: Final = "show what is recorded in a database"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the command."""
    parser.add_argument("--db", type=to_path, required=True, help="the database, SQLite")
    parser.add_argument("--org", help="the only org to show (default: all)")


def run(args: argparse.Namespace) -> None:
    """Print the records, and their totals."""
    totals: dict[str, Money] = {}
    count = 0
    with SqliteRepository.read_only(args.db) as repository:
        say_if_unknown(args.org, repository, args.db)
        for org_id in repository.orgs() if args.org is None else [args.org]:
            records = sorted(repository.records(org_id, args.period), key=attrgetter("period"))
            for period, group in groupby(records, key=attrgetter("period")):
                of_period = list(group)
                print(explain(org_id, period, of_period), end="\n\n")
                count += len(of_period)
                _add(totals, of_period)
    print(
        ", ".join(
            [f"{count:,} {'record' if count == 1 else 'records'}", *map(str, totals.values())]
        )
    )


def say_if_unknown(org_id: str | None, repository: Repository, source: Path) -> None:
    """Say that nothing is recorded of an org, if so, and that its name may be misspelt.

    An org that is known is none of those: all that there is of it is said.
    """
    if org_id is None or repository.records(org_id):
        return
    held = _held(org_id, repository)
    if held:
        say(f"{source}: there is no record of {org_id!r}, which has {held}")
        return
    say(f"{source}: nothing is recorded of {org_id!r}{did_you_mean(org_id, repository.orgs())}")


def _held(org_id: str, repository: Repository) -> str:
    """Name all that there is of an org without records; nothing if it isn't known."""
    closings = len(repository.closings(org_id))
    account = [] if repository.account(org_id) is None else ["an account"]
    closed = [f"{closings:,} {'closing' if closings == 1 else 'closings'}"] if closings else []
    return " and ".join([*account, *closed])


def explain(org_id: str, period: Period, records: Sequence[OverageRecord]) -> str:
    """Return the records of an org and period as a table, with their total."""
    title = f"Records of {org_id}, {period.describe()}"
    return f"{title}\n\n{text_table(record_table(records), RECORD_ALIGN)}"


def _add(totals: dict[str, Money], records: Iterable[OverageRecord]) -> None:
    for record in records:
        cost = record.cost
        code = cost.currency.code
        totals[code] = totals.get(code, Money(0, cost.currency)) + cost
