"""``overages status``: the periods of each org that are closed, to be closed, running and stale."""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime
from typing import Final

from overages._ground.display import text_table
from overages.bookkeeping.staleness import StalePeriod
from overages.commands.desk.arguments import add_database, add_org, add_until
from overages.commands.desk.outcome import NOTHING, UNDECIDED, Stop
from overages.commands.desk.periods import name_of
from overages.commands.desk.progress import track
from overages.commands.desk.sources import require_org, to_read
from overages.commands.desk.terminal import bold, columns, red, say
from overages.errors import OveragesError
from overages.repository import Repository
from overages.service.overage_service import OverageService

HELP: Final = (
    "show which periods of each org are closed, have ended, run, or come to something else"
)
_COLUMNS: Final = ["org", "closed", "ended", "stale", "running", "so far"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the command."""
    add_database(parser)
    add_org(parser, "show")
    add_until(parser, "what has ended by this date or instant")


def run(args: argparse.Namespace) -> int | None:
    """Print a row for each org, and each period that comes to something else below.

    :raises Stop: if there is no such org, or none at all.
    """
    until = args.until or datetime.now(UTC)
    with to_read(args.db) as repository, repository.snapshot():
        require_org(args.org, repository, args.db)
        service = OverageService(repository, lambda: until)
        orgs = list(repository.orgs()) if args.org is None else [args.org]
        if not orgs:
            say(f"{args.db}: has no orgs")
            raise Stop(NOTHING)
        rows, stale = [_COLUMNS], list[StalePeriod]()
        each_org = [[org_id] for org_id in orgs]
        for (org_id,) in track(each_org, "reading", len(orgs), sys.stderr, noun="orgs"):
            row, of_org = _row(org_id, repository, service, until)
            rows.append(row)
            stale += of_org
        head, *body = text_table(rows, "lrrrlr", columns()).splitlines()
        print(bold(head), *body, sep="\n")
        for each in stale:
            print(red(_line(each, repository)))
        return UNDECIDED if stale else None


def _row(
    org_id: str, repository: Repository, service: OverageService, until: datetime
) -> tuple[list[str], list[StalePeriod]]:
    closed = repository.closed_periods(org_id)
    account = repository.account(org_id)
    stale = [each for each in service.stale(org_id) if each.is_closed or each.error is not None]
    ended, running, so_far = 0, "none", ""
    if account is not None:
        if account.since < until:
            ended = sum(
                period.end <= until and period not in closed
                for period in account.periods(account.since, until)
            )
        if account.at(until) is not None:
            period = account.period_at(until)
            running = name_of(account, period)
            so_far = _so_far(org_id, service)
    own = sum(account is None or period.end > account.since for period in closed)
    return [org_id, f"{own:,}", f"{ended:,}", f"{len(stale):,}", running, so_far], stale


def _so_far(org_id: str, service: OverageService) -> str:
    try:
        statement = service.calculate(org_id)
    except OveragesError:
        return "unknown"  # why not is said below, as its period is stale
    return "" if statement is None else str(statement.total)


def _line(stale: StalePeriod, repository: Repository) -> str:
    name = name_of(repository.account(stale.org_id), stale.period)
    state = "closed" if stale.is_closed else "open"
    if stale.error is not None:
        return f"{stale.org_id}, {name}, {state}: can't be worked out: {stale.error}"
    return f"{stale.org_id}, {name}, {state}: recording it anew would add {stale.change}"
