"""``overages alerts``: the alerts of orgs that fired or were cleared, newest first.

Before they are listed, they are brought up to date by the clock: a trial that ends, a grant that
has expired, an alert of all orgs that is new and reached already.
"""

from __future__ import annotations

import argparse
from datetime import UTC, datetime
from typing import Final

from overages.commands.desk.alerts import told
from overages.commands.desk.arguments import add_database, add_dry_run, add_org
from overages.commands.desk.sources import opened, require_org
from overages.periods.period import reading
from overages.service.overage_service import OverageService

HELP: Final = "list the alerts that fired, newest first, after those that come with time"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the command."""
    add_database(parser)
    add_org(parser, "list those of")
    add_dry_run(parser)


def run(args: argparse.Namespace) -> int | None:
    """Check the alerts, and print a line for each that anybody is told of, org by org.

    :raises Stop: if there is no such org.
    """
    now = datetime.now(UTC)
    with opened(args.db, dry_run=args.dry_run, made=False) as repository:
        require_org(args.org, repository, args.db)
        service = OverageService(repository, lambda: now)
        orgs = list(repository.orgs()) if args.org is None else [args.org]
        service.check_alerts(orgs)
        count = 0
        for org_id in orgs:
            account = repository.account(org_id)
            for fired in service.alerts(org_id):
                count += 1
                noted_at = reading(fired.noted_at.replace(microsecond=0))
                print(f"{noted_at} UTC, {told(fired, account)}")
    if not count:
        print(f"{args.db}: no alerts")
    return None
