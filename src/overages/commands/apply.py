"""``overages apply``: what a file says of plans, orgs and alerts is put into a database.

All of it is append-only there: a plan has versions, an account entries. Each change is said before
it is made; the same file again makes none.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from overages.commands.desk.alerts import say_alerts, say_out_of_reach
from overages.commands.desk.arguments import add_database, add_dry_run, add_plans
from overages.commands.desk.faults import refuse
from overages.commands.desk.sources import load_book, opened
from overages.commands.desk.terminal import say
from overages.errors import OveragesError, StorageError
from overages.imports.applying import apply, changes_of
from overages.imports.plan_files.changes import Change, NewAlert, NewBudget, NewEntries
from overages.imports.plans import PlanBook
from overages.imports.warnings import never_there
from overages.repository import Repository

HELP: Final = "put plans, metrics, accounts, grants, budgets and alerts of a file into a database"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the command."""
    add_plans(parser, required=True)
    add_database(parser, made=True)
    add_dry_run(parser)


def run(args: argparse.Namespace) -> int | None:
    """Put the content of the file, and say each change.

    :raises Stop: if the file is faulty, or says something else than the database keeps; nothing is
        written then.
    """
    book = load_book(args.plans)
    now = datetime.now(UTC)
    with opened(args.db, dry_run=args.dry_run) as repository:
        changes = put(book, repository, args.plans, now, tell=print)
        say_alerts(repository, {*book.budgets, *book.org_alerts}, now)
    if not changes:
        print(f"{args.plans}: nothing new")
    return None


def put(
    book: PlanBook,
    repository: Repository,
    source: Path,
    noted_at: datetime,
    tell: Callable[[str], object],
    now: datetime | None = None,
    *,
    warns: bool = True,
) -> int:
    """Put the content of a file; return the number of changes.

    :param noted_at: when they are noted.
    :param tell: is told of each change before any is made.
    :param now: the present instant, by which alerts are put and fire; the other one without it.
    :param warns: whether budgets and alerts are put as well; if not, their names are checked alone.
    :raises Stop: if the database keeps something else.
    """
    try:
        with repository.transaction():
            changes = changes_of(book, repository)
            if not warns:
                changes = tuple(c for c in changes if not isinstance(c, NewBudget | NewAlert))
            for path in never_there(book, repository) if warns else ():
                say(f"{source}: {'.'.join(map(str, path))}: is dropped, but was never there")
            for change in changes:
                tell(f"{source}: {change}")
            apply(changes, repository, noted_at, now=now)
            _say_out_of_reach(changes, repository, source, now or noted_at)
    except StorageError:  # which is no fault of the file's
        raise
    except OveragesError as error:
        raise refuse(str(source), error, "nothing was written") from None
    return len(changes)


def _say_out_of_reach(
    changes: Iterable[Change], repository: Repository, source: Path, now: datetime
) -> None:
    """Say which alerts can't fire by changes: of budgets, of terms that an org had, of alerts."""
    orgs, dropped, new = set[str](), set[str](), set[str]()
    for change in changes:
        if isinstance(change, NewBudget):
            orgs.add(change.org_id)
            if change.budget is None:
                dropped.add(change.id)
        elif isinstance(change, NewEntries) and change.count:
            orgs.add(change.account.org_id)
        elif isinstance(change, NewAlert) and change.org_id is None:
            new.add(change.id)
    of_all = [each.alert for each in repository.alert_definitions()]
    alerts = [each for each in of_all if each.id in new or each.budget in dropped]
    say_out_of_reach(str(source), repository, orgs, alerts, now)
