"""``overages show``: the records in a database, by org and period."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from operator import attrgetter
from typing import Final

from overages._ground.display import text_table
from overages.amounts.money import Money
from overages.commands.desk.arguments import add_database, add_org, add_period
from overages.commands.desk.outcome import NOTHING, Stop
from overages.commands.desk.periods import name_of, periods_among
from overages.commands.desk.sources import require_org, to_read
from overages.commands.desk.terminal import bold, columns, say
from overages.records.record import OverageRecord
from overages.records.recording import RECORD_ALIGN, record_table
from overages.repository import Repository

HELP: Final = "show what is recorded in a database"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the command."""
    add_database(parser)
    add_org(parser, "show")
    add_period(parser, "show")


def run(args: argparse.Namespace) -> int | None:
    """Print the records, and their totals.

    :raises Stop: if there is no such org, or nothing is recorded.
    """
    totals: dict[str, Money] = {}
    count = 0
    with to_read(args.db) as repository:
        require_org(args.org, repository, args.db)
        orgs = list(repository.orgs()) if args.org is None else [args.org]
        for org_id, records in records_of(orgs, args.period, repository):
            account, closed = repository.account(org_id), repository.closed_periods(org_id)
            by_period = sorted(records, key=attrgetter("period"))
            for period, group in groupby(by_period, key=attrgetter("period")):
                of_period = list(group)
                state = "" if period in closed else ", not closed yet"
                print(bold(f"Records of {org_id}, {name_of(account, period)}{state}"))
                print(f"\n{text_table(record_table(of_period), RECORD_ALIGN, columns())}\n")
                count += len(of_period)
                _add(totals, of_period)
    if not count:
        say(f"{args.db}: nothing is recorded of that")
        raise Stop(NOTHING)
    noun = "record" if count == 1 else "records"
    print(", ".join([f"{count:,} {noun}", *map(str, totals.values())]))
    return None


def records_of(
    orgs: Sequence[str], text: str | None, repository: Repository
) -> Iterator[tuple[str, Sequence[OverageRecord]]]:
    """Yield the records of orgs: all, or those of their periods in a time.

    :raises Stop: if the time cuts one of the only org's periods.
    """
    if text is None:
        for org_id in orgs:
            yield org_id, repository.records(org_id)
        return
    for org_id, period in periods_among(repository, orgs, text):
        yield org_id, repository.records(org_id, period)


def _add(totals: dict[str, Money], records: Iterable[OverageRecord]) -> None:
    for record in records:
        cost = record.cost
        code = cost.currency.code
        totals[code] = totals.get(code, Money(0, cost.currency)) + cost
