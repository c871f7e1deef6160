"""``overages ingest``: the events of usage files are put into a database, each once."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Sequence, Set
from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, NamedTuple

from overages.amounts.exact import plain_text
from overages.bookkeeping.staleness import StalePeriod
from overages.commands.desk.alerts import say_alerts
from overages.commands.desk.arguments import (
    add_batch,
    add_database,
    add_dry_run,
    add_new_orgs,
    to_path,
    to_source,
)
from overages.commands.desk.intake import TakenIn, UsageFiles
from overages.commands.desk.meters import Counted
from overages.commands.desk.newcomers import Newcomers
from overages.commands.desk.outcome import UNDECIDED, WRONG, Stop
from overages.commands.desk.periods import name_of
from overages.commands.desk.sources import UsageFile, load_book, opened, readable
from overages.commands.desk.sums import UsageSums
from overages.commands.desk.terminal import say
from overages.errors import UnknownPlan
from overages.imports.plans import PlanBook
from overages.imports.usage_files.layout import UsageLayout
from overages.periods.cycle import Cycle
from overages.periods.period import reading
from overages.repository import Repository
from overages.service.overage_service import OverageService

HELP: Final = "put the events of usage files into a database, each once"
_MOST_SHOWN: Final = 20


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the command."""
    parser.add_argument(
        "usage",
        type=to_source,
        nargs="+",
        metavar="FILE",
        help="usage events, CSV, also packed by gzip or zstd; - is standard input",
    )
    add_database(parser, made=True)
    parser.add_argument(
        "--layout",
        type=to_path,
        metavar="FILE",
        help="a TOML file whose table [usage] says which columns mean what (default: ours)",
    )
    add_new_orgs(parser)
    add_batch(parser)
    add_dry_run(parser)


def run(args: argparse.Namespace) -> int | None:
    """Put the events, and say how many are new, and which closed periods they come late for.

    :raises Stop: if a row can't be counted, or an org has no account; nothing is written then.
    """
    book = None if args.layout is None else load_book(args.layout)
    now = datetime.now(UTC)
    with (
        readable(args.usage) as files,
        opened(args.db, dry_run=args.dry_run) as repository,
    ):
        service = OverageService(repository, lambda: now)
        taken = put(args, files, repository, service, book, now)
        report(args.db, taken)
        say_alerts(repository, taken.touched, now)
        is_late = say_late(repository, service, taken.orgs)
        return UNDECIDED if is_late or taken.has_void else None


class Taken(NamedTuple):
    """The outcome for all files.

    :param files: the outcome for each.
    :param new: the number of events that are new.
    :param newcomers: a line for each of the first orgs that were given an account.
    :param accounts: the number of all orgs that were given one.
    :param touched: all orgs that have new events, or events withdrawn.
    :param orgs: those of them with an account before, sorted.
    :param span: the instants of the first and of the last event; None without any.
    """

    files: Sequence[TakenIn]
    new: int
    newcomers: Sequence[str]
    accounts: int
    touched: Set[str]
    orgs: Sequence[str]
    span: tuple[datetime, datetime] | None

    @property
    def has_void(self) -> bool:
        """Whether rows came whose events were withdrawn before, so that they don't count."""
        return any(file.void for file in self.files)


def put(
    args: argparse.Namespace,
    sources: Sequence[UsageFile],
    repository: Repository,
    service: OverageService,
    book: PlanBook | None,
    now: datetime,
) -> Taken:
    """Put the events of files, in the way that arguments say.

    :param book: the file of plans, which can say the layout and the default plan.
    :raises Stop: as `run` does.
    """
    if len(args.usage) > 1 and (args.name or args.replace):
        args.command.error("--name and --replace are for one file")
    if args.replace and args.name not in (None, args.replace):
        args.command.error("--name must be that of --replace, or left out")
    newcomers = _newcomers(args, repository, book)
    layout = UsageLayout() if book is None else book.usage
    late: Final = "next_period" if args.late == "next" else "own_period"
    # A file in place of another one is one change, of which alerts see the outcome.
    changing = service.one_change() if args.replace else nullcontext(service)
    with repository.transaction(), changing as recording:
        intake = UsageFiles(repository, recording, layout, newcomers, now, late, args.has_names)
        files = [intake.add(each, name=args.name, replaced=args.replace) for each in sources]
        intake.finish()
    earlier = sorted(intake.orgs - newcomers.orgs)
    accounts = newcomers.told, newcomers.count
    return Taken(files, intake.new, *accounts, intake.orgs, earlier, intake.span)


def sum_up(
    args: argparse.Namespace,
    sources: Sequence[UsageFile],
    repository: Repository,
    book: PlanBook,
    now: datetime,
) -> Counted | None:
    """Put the sums of files in place of their events, for who bills them once and forgets them.

    :returns: None if the events have to be put.
    :raises Stop: as `put` does.
    """
    return UsageSums(repository, book.usage, _newcomers(args, repository, book)).put(sources, now)


def _newcomers(
    args: argparse.Namespace, repository: Repository, book: PlanBook | None
) -> Newcomers:
    """Return the orgs without an account, and the plan that they are given.

    :raises Stop: if that plan isn't there.
    """
    cycle = Cycle.monthly() if book is None else book.default_cycle
    if not args.new_orgs:
        return Newcomers(repository, None, cycle)
    if book is None or book.default_plan is None:
        file = "--plans" if hasattr(args, "plans") else "--layout"
        say(f"--new-orgs: needs a default_plan in the file of {file}")
        raise Stop(WRONG)
    try:
        repository.plan(book.default_plan)
    except UnknownPlan as error:
        say(f"--new-orgs: default_plan: {error.problem}, got {book.default_plan!r}")
        raise Stop(WRONG) from None
    return Newcomers(repository, book.default_plan, cycle)


def report(db: Path, taken: Taken) -> None:
    """Report the events that were put into a database, and those that were taken back."""
    for file in taken.files:
        _report_withdrawn(file)
        if file.void:
            say(f"{file.name}: rows whose events were withdrawn, and count no more: {file.void:,}")
        if file.revived:
            say(f"{file.name}: rows like withdrawn ones, which count again: {file.revived:,}")
    for line in taken.newcomers:
        print(f"{db}: {line}")
    if taken.accounts > len(taken.newcomers):
        print(f"{db}: and {taken.accounts - len(taken.newcomers):,} more new accounts")
    rows = sum(file.rows for file in taken.files)
    print(f"{db}: rows: {rows:,}, new events: {taken.new:,}")


def _report_withdrawn(file: TakenIn) -> None:
    events = sorted(file.withdrawn, key=lambda event: (event.org_id, event.at))
    for event in events[:_MOST_SHOWN]:
        units = f"{plain_text(event.quantity)} {event.metric}"
        print(f"{file.name}: withdrawn: {event.org_id}, {units}, {reading(event.at)} UTC")
    if len(events) > _MOST_SHOWN:
        print(f"{file.name}: and {len(events) - _MOST_SHOWN:,} more events withdrawn")


def say_late(repository: Repository, service: OverageService, orgs: Iterable[str]) -> bool:
    """Name the closed periods that come to something else by usage that is late; tell if any do.

    :param orgs: those that have new events.
    """
    count = 0
    for org_id in orgs:
        if not repository.closed_periods(org_id):
            continue
        account = repository.account(org_id)
        for stale in service.stale(org_id):
            if stale.is_closed:
                count += 1
                if count <= _MOST_SHOWN:
                    name = name_of(account, stale.period)
                    say(f"{org_id}, {name}, is closed, and {_told(stale)}")
    if count > _MOST_SHOWN:
        say(f"and {count - _MOST_SHOWN:,} more closed periods; overages status names them all")
    return count > 0


def _told(stale: StalePeriod) -> str:
    """Write the staleness of a closed period, and its remedy."""
    if stale.error is not None:
        return f"can't be worked out any more: {stale.error}"
    correction = f"overages close --force --org {stale.org_id} corrects it"
    return f"comes to something else now: would add {stale.change}; {correction}"
