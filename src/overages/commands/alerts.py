"""``overages alerts``: the alerts of orgs that fired or were cleared, newest first.

Before they are listed, they are brought up to date by the clock: a trial that ends, a grant that
has expired, an alert of all orgs that is new and reached already. With ``--new``, these are listed
alone: a job that calls it each day says each once. Without, those that can't fire are said, too.
"""

from __future__ import annotations

import argparse
from datetime import UTC, datetime
from operator import itemgetter
from typing import Final

from overages.commands.desk.alerts import say_out_of_reach, told
from overages.commands.desk.arguments import add_database, add_dry_run, add_org
from overages.commands.desk.sources import opened, require_org
from overages.periods.period import reading
from overages.service.overage_service import OverageService

HELP: Final = "fire the alerts that come with time, and list all that fired, newest first"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the command."""
    add_database(parser)
    add_org(parser, "list those of")
    parser.add_argument(
        "--new",
        action="store_true",
        help="list those alone that come with time and are new; none are no line at all",
    )
    add_dry_run(parser)


def run(args: argparse.Namespace) -> int | None:
    """Check the alerts, and print a line for each that anybody is told of.

    :raises Stop: if there is no such org.
    """
    now = datetime.now(UTC)
    with opened(args.db, dry_run=args.dry_run, made=False) as repository:
        require_org(args.org, repository, args.db)
        service = OverageService(repository, lambda: now)
        orgs = list(repository.orgs()) if args.org is None else [args.org]
        new = {each.key for each in service.check_alerts(orgs)}
        lines: list[tuple[datetime, str]] = []
        for org_id in orgs:
            fired = [f for f in service.alerts(org_id) if f.key in new or not args.new]
            instants = [each.noted_at for each in fired]
            lines += zip(instants, told(org_id, fired, repository), strict=True)
        for noted_at, line in sorted(lines, key=itemgetter(0), reverse=True):
            print(f"{reading(noted_at.replace(microsecond=0))} UTC, {line}")
        if not args.new:
            of_all = [each.alert for each in repository.alert_definitions()]
            alerts = of_all if args.org is None else []
            say_out_of_reach(str(args.db), repository, orgs, alerts, now)
    if not (lines or args.new):
        print(f"{args.db}: no alerts")
    return None
