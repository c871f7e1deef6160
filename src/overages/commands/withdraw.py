"""``overages withdraw``: events that should not have been are taken back, for good."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime
from typing import Final

from overages.commands import ingest
from overages.commands.desk.alerts import say_alerts
from overages.commands.desk.arguments import add_database, add_dry_run, to_name
from overages.commands.desk.faults import refuse
from overages.commands.desk.outcome import UNDECIDED
from overages.commands.desk.sources import opened, require_org
from overages.errors import InvalidValues, UnknownEvent
from overages.service.overage_service import OverageService

HELP: Final = "take back events that should not have been: they count no more"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the command."""
    add_database(parser)
    parser.add_argument("--org", type=to_name, required=True, help="whose events they are")
    parser.add_argument(
        "event", type=to_name, nargs="+", metavar="EVENT", help="the id of an event"
    )
    add_dry_run(parser)


def run(args: argparse.Namespace) -> int | None:
    """Withdraw the events, all or none, and name the closed periods that they counted in.

    :raises Stop: if one of them isn't there.
    """
    now = datetime.now(UTC)
    with opened(args.db, dry_run=args.dry_run, made=False) as repository:
        require_org(args.org, repository, args.db)
        service = OverageService(repository, lambda: now)
        try:
            new = service.withdraw_many(args.org, args.event)
        except (UnknownEvent, InvalidValues) as error:
            raise refuse(str(args.db), error) from None
        before = len(dict.fromkeys(args.event)) - new
        again = f", withdrawn before: {before:,}" if before else ""
        print(f"{args.db}: {args.org}: withdrawn events: {new:,}{again}")
        say_alerts(repository, [args.org], now)
        return UNDECIDED if ingest.say_late(repository, service, [args.org]) else None
