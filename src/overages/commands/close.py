"""``overages close``: the periods of a database that have ended are closed.

With files, their content is put there before, as by `apply` and `ingest`. A period that still runs
is brought up to date, and stays open. Each org's period is closed in one transaction: interrupted,
the command is just run again.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Final

from overages.amounts.money import Money
from overages.commands import apply, ingest
from overages.commands.desk.alerts import say_alerts
from overages.commands.desk.arguments import (
    add_batch,
    add_database,
    add_dry_run,
    add_new_orgs,
    add_org,
    add_period,
    add_plans,
    add_until,
    add_usage,
)
from overages.commands.desk.closing import MOST_COMPARED, Closing, Outcome, State
from overages.commands.desk.faults import Faults
from overages.commands.desk.outcome import NOT_YET, NOTHING, UNDECIDED, WRONG, Stop
from overages.commands.desk.periods import name_of, periods_among
from overages.commands.desk.sources import load_book, opened, readable, require_org
from overages.commands.desk.terminal import say
from overages.errors import OveragesError
from overages.periods.period import Period
from overages.records.recording import Recording
from overages.repository import Repository
from overages.service.overage_service import OverageService
from overages.terms.account import Account
from overages.terms.timeline import Timeline

HELP: Final = (
    "close the periods that have ended, of a database, or of files that are put there first"
)
_MOST_SHOWN: Final = 20
_NOTHING_CLOSED: Final = "nothing was closed"
_STATES: Final[dict[State, str]] = {
    "closed": "closed",
    "corrected": "corrected",
    "running": "still running",
    "taken back": "no period any more, taken back",
    "waiting": "closed before, and something else now",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the command."""
    add_database(parser, made=True)
    add_plans(parser, required=False)
    add_usage(parser, required=False)
    add_new_orgs(parser)
    add_batch(parser)
    add_until(parser, "close what has ended by this date or instant")
    add_org(parser, "close periods of")
    add_period(parser, "close")
    parser.add_argument(
        "--force",
        action="store_true",
        help="correct closed periods that come to something else now",
    )
    add_dry_run(parser)


def run(args: argparse.Namespace) -> int | None:
    """Put the content of files, close the periods that have ended, and report both.

    :raises Stop: if the files are faulty; nothing is written then.
    """
    now = datetime.now(UTC)
    until = args.until or now
    if until > now:
        args.command.error("argument --until: must not be in the future")
    if not args.usage and (args.name or args.replace or args.new_orgs or args.late != "own"):
        args.command.error("--name, --replace, --new-orgs and --late are for --usage")
    book = None if args.plans is None else load_book(args.plans)
    brings = book is not None or bool(args.usage)
    with (
        readable(args.usage) as files,
        opened(args.db, dry_run=args.dry_run, made=brings) as repository,
    ):
        service = OverageService(repository, lambda: until)
        taken = None
        with repository.transaction():
            if book is not None:
                apply.put(book, repository, args.plans, until, tell=print, now=now)
            if args.usage:
                intake = OverageService(repository, lambda: now)  # what is dated ahead is of now
                taken = ingest.put(args, files, repository, intake, book, until)
            orgs = _orgs(args, repository)
            periods = None if args.period is None else _periods(args, repository, orgs, until)
        if taken is not None:
            ingest.report(args.db, taken)
        warned = set[str]() if book is None else {*book.budgets, *book.org_alerts}
        say_alerts(repository, warned if taken is None else warned | taken.touched, now)
        came = () if taken is None or args.force else taken.orgs
        late = set(_with_closed_periods(repository, came))
        closing = Closing(service, repository, until, force=args.force)
        report = _Report(args.db)
        for outcome in closing.of(orgs) if periods is None else closing.named(periods):
            report.add(outcome)
        if periods is None and len(orgs) > MOST_COMPARED and not args.force:
            say(f"{args.db}: closed periods were not compared, of so many orgs: see status")
        compared = orgs if periods is None and len(orgs) <= MOST_COMPARED else []
        is_late = ingest.say_late(repository, service, sorted(late - {*compared}))
        is_undecided = is_late or (taken is not None and taken.has_void)
        return report.tell(repository, args.period) or (UNDECIDED if is_undecided else None)


def _with_closed_periods(repository: Repository, orgs: Iterable[str]) -> Iterator[str]:
    for some in repository.portions(orgs):
        with repository.snapshot_of(some):
            yield from [org_id for org_id in some if repository.closed_periods(org_id)]


def _orgs(args: argparse.Namespace, repository: Repository) -> list[str]:
    """Return the orgs whose periods are closed.

    :raises Stop: if there is no such org, or none at all.
    """
    require_org(args.org, repository, args.db)
    orgs = list(repository.orgs()) if args.org is None else [args.org]
    if not orgs:
        say(f"{args.db}: has no orgs")
        raise Stop(NOTHING)
    return orgs


def _periods(
    args: argparse.Namespace, repository: Repository, orgs: Sequence[str], until: datetime
) -> list[tuple[str, Period]]:
    """Return the periods that are named, by org; an org of which the time cuts one is named.

    :raises Stop: if the time cuts one of the only org's own, or none has begun; or if nothing was
        used in any of them, and it isn't forced.
    """
    named = periods_among(repository, orgs, args.period)
    begun = [(org_id, period) for org_id, period in named if period.start < until]
    if named and not begun:
        say(f"{args.db}: {args.period} hasn't begun; {_NOTHING_CLOSED}")
        raise Stop(NOT_YET)
    if begun and not (args.force or any(_is_used(repository, *each) for each in begun)):
        say(
            f"{args.db}: no org has used anything in {args.period}: if that is so, --force closes"
            f" it; {_NOTHING_CLOSED}"
        )
        raise Stop(NOTHING)
    return begun


def _is_used(repository: Repository, org_id: str, period: Period) -> bool:
    try:
        return any(repository.usage(org_id, period).quantities.values())
    except OveragesError:  # which closing it will tell
        return True


class _Sum:
    """The outcomes for the periods of one name, and in one state."""

    def __init__(self, first: Period) -> None:
        self.first = first
        self.periods, self.new = 0, 0
        self.totals: dict[str, Money] = {}

    def add(self, period: Period, recording: Recording) -> None:
        if period != self.first:  # which many orgs share
            self.first = min(self.first, period)
        self.periods += 1
        self.new += len(recording.new)
        for record in recording.records:
            code = record.cost.currency.code
            self.totals[code] = self.totals.get(code, Money(0, record.cost.currency)) + record.cost

    def __str__(self) -> str:
        totals = "".join(f", {total}" for _, total in sorted(self.totals.items()))
        return f"{self.periods:,}{totals}, new records: {self.new:,}"


class _Report:
    """The outcomes, summed up as they come: of a hundred thousand orgs, none is kept."""

    def __init__(self, db: Path) -> None:
        self._db = db
        self._faults = Faults(str(db))
        self._names: dict[tuple[int, datetime, datetime], tuple[Timeline | None, str]] = {}
        self._sums: dict[tuple[str, State], _Sum] = {}
        self._states = set[State]()
        self._stale: dict[tuple[str, Period], None] = {}

    def add(self, outcome: Outcome) -> None:
        """Take an outcome in; those of an org come in order of time."""
        org_id, period, state, recording, error, account = outcome
        self._states.add(state)
        if error is not None:
            self._faults.add(error.within(org_id=org_id, period=period))
        if period is None:
            return
        if state == "waiting":
            self._stale[org_id, period] = None
        elif self._stale:
            self._stale.pop((org_id, period), None)
        if recording is not None:
            key = self._name(account, period), state
            if key not in self._sums:
                self._sums[key] = _Sum(period)
            self._sums[key].add(period, recording)
            if recording.stale_next is not None:
                self._stale[org_id, recording.stale_next] = None

    def _name(self, account: Account | None, period: Period) -> str:
        """Return the name of a period, which many orgs with one timeline share."""
        timeline = None if account is None else account.timeline
        key = id(timeline), period.start, period.end
        if key not in self._names:
            self._names[key] = timeline, name_of(account, period)
        return self._names[key][1]

    def tell(self, repository: Repository, asked: str | None) -> int | None:
        """Print the periods by name and state, and those that are stale; return the exit status.

        :param asked: the periods that were named.
        :raises Stop: if there is none of them.
        """
        self._faults.say()
        self._tell_periods()
        self._tell_stale(repository)
        if self._faults.count:
            count = f"{self._faults.count:,}"
            say(f"{self._db}: periods that stay open, as they can't be billed: {count}")
            return WRONG
        if asked is not None and not self._states:
            say(f"{self._db}: no org has a period in {asked}")
            raise Stop(NOTHING)
        if asked is not None and "running" in self._states:
            say(f"{self._db}: {asked} hasn't ended for all orgs: those were brought up to date")
            return NOT_YET
        return UNDECIDED if self._stale else None

    def _tell_periods(self) -> None:
        """Say how many periods are in which state, and what they come to, by their names."""
        sums = sorted(self._sums.items(), key=lambda each: each[1].first)
        for (name, state), of_name in sums[:_MOST_SHOWN]:
            print(f"{self._db}: {name}, {_STATES[state]}: {of_name}")
        if len(sums) > _MOST_SHOWN:
            print(f"{self._db}: and {len(sums) - _MOST_SHOWN:,} more kinds of periods")
        if not sums:
            print(f"{self._db}: nothing to close")

    def _tell_stale(self, repository: Repository) -> None:
        """Name the periods that come to something else now, and wait for a decision."""
        for org_id, period in islice(self._stale, _MOST_SHOWN):
            name = name_of(repository.account(org_id), period)
            say(f"{self._db}: {org_id}, {name}: comes to something else now; --force corrects it")
        more = len(self._stale) - _MOST_SHOWN
        if more > 0:
            say(f"{self._db}: and {more:,} more that come to something else")
