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
    """Say that nothing is recorded of an org, if so: its name may be misspelt."""
    if org_id is None or repository.records(org_id):
        return
    say(f"{source}: nothing is recorded of {org_id!r}{did_you_mean(org_id, repository.orgs())}")


def explain(org_id: str, period: Period, records: Sequence[OverageRecord]) -> str:
    """Return the records of an org and period as a table, with their total."""
    title = f"Records of {org_id}, {period.describe()}"
    return f"{title}\n\n{text_table(record_table(records), RECORD_ALIGN)}"


def _add(totals: dict[str, Money], records: Iterable[OverageRecord]) -> None:
    for record in records:
        cost = record.cost
        code = cost.currency.code
        totals[code] = totals.get(code, Money(0, cost.currency)) + cost
