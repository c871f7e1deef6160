"""``overages close``: from files of plans and usage to records in a database, once.

Run again, it writes nothing, or the changes since; interrupted and run again, it finishes the
same bill.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, get_args

from overages.adapters.sqlite import SqliteRepository
from overages.commands.history import History
from overages.commands.inputs import load_plans, load_usage, refuse, to_instant, to_path
from overages.commands.progress import track
from overages.commands.rate import grand_total, rate, with_idle_accounts
from overages.errors import OveragesError, UnknownPlan
from overages.imports.plans import PlanBook
from overages.repository import Repository
from overages.statements.statement import Statement
from overages.terms.account import Account
from overages.terms.change import Bound, TermsChange
from overages.usage.usage import Usage

HELP: Final = "calculate the overage of every org in a usage file, and record it in a database"
_BATCH: Final = 1000  # statements in a transaction

Pair = tuple[Usage, Statement]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the command."""
    parser.add_argument(
        "--db", type=to_path, required=True, help="the database, SQLite; made if need be"
    )
    parser.add_argument(
        "--force", action="store_true", help="change periods that are invoiced, too"
    )
    parser.add_argument(
        "--created-at",
        type=to_instant,
        help="when the records say that they were made, such as 2024-03-01T09:00:00Z"
        " (default: now)",
    )


def run(args: argparse.Namespace) -> None:
    """Record the statements, a batch at a time, and count the new records.

    :raises BadInput: if the plans or the usage are faulty; nothing is recorded then.
    """
    book = load_plans(args.plans, args.timezone)
    usages, earlier, parts = load_usage(args.usage, book, args.period, args.timezone)
    usages = with_idle_accounts(book, usages, args.period)
    with _closed_before(args.db, book) as repository:
        history = History(book, usages, earlier, args.period, repository, parts)
        statements = rate(book, usages, history, parts, args.usage)
    moment = args.created_at or datetime.now(UTC)
    pairs = list(zip(usages, statements, strict=True))
    new = 0
    with SqliteRepository(args.db) as repository:
        _fill_in(repository, book, history.missing, moment)
        batches = track(_batches(pairs), "recording", len(pairs), sys.stderr, "batches")
        for batch in batches:
            try:
                with repository.transaction():
                    new += _record(repository, book, batch, moment, force=args.force)
            except OveragesError as error:
                raise refuse(str(args.db), error) from None
    print(f"{args.db}: {grand_total(statements)}; new records: {new:,}")


def _closed_before(path: Path, book: PlanBook) -> AbstractContextManager[Repository | None]:
    """Open the database for earlier periods, if it is there and a plan depends on them."""
    return SqliteRepository(path) if book.needs_balance and path.exists() else nullcontext()


def _fill_in(
    repository: Repository, book: PlanBook, missing: Sequence[Usage], moment: datetime
) -> None:
    """Keep the earlier usage that statements rest on, so that later ones can rest on it too.

    The life of its orgs begins with it.
    """
    if missing:
        with repository.transaction():
            _put_accounts(repository, book, missing, moment)
            for usage in missing:
                repository.put_usage(usage)


def _put_accounts(
    repository: Repository, book: PlanBook, usages: Iterable[Usage], moment: datetime
) -> None:
    starts: dict[str, datetime] = {}
    for usage in usages:
        first = starts.setdefault(usage.org_id, usage.period.start)
        starts[usage.org_id] = min(first, usage.period.start)
    for org_id, start in starts.items():
        repository.put_account(_account(repository, book, org_id, start), noted_at=moment)


def _batches(pairs: Sequence[Pair]) -> Iterator[Sequence[Pair]]:
    for start in range(0, len(pairs), _BATCH):
        yield pairs[start : start + _BATCH]


def _record(
    repository: Repository,
    book: PlanBook,
    batch: Sequence[Pair],
    moment: datetime,
    *,
    force: bool,
) -> int:
    """Keep terms, usage and statements of a batch; return how many records were new."""
    first = min(usage.period.start for usage, _ in batch)
    for plan in {statement.plan.slug: statement.plan for _, statement in batch}.values():
        since = first if _is_known(repository, plan.slug) else None
        repository.put_plan(plan, since=since)
    _put_accounts(repository, book, (usage for usage, _ in batch), moment)
    for usage, _ in batch:
        repository.put_usage(usage)
    recordings = repository.record_many(
        (statement for _, statement in batch), created_at=moment, force=force
    )
    return sum(len(recording.new) for recording in recordings)


def _account(repository: Repository, book: PlanBook, org_id: str, start: datetime) -> Account:
    """Return an org's account; one on the default plan goes on from the one that is kept."""
    account = book.account(org_id, start)
    before = None if org_id in book.accounts else repository.account(org_id)
    if before is None:
        return book.account(org_id, start)
    since = max(start, before.since)
    terms = before.at(since)
    if terms == account.at(start):
        return before
    entries: list[Account | TermsChange] = [before, *before.changes]
    return before.changed(
        since=since,
        plan=account.plan,
        drop_limits={metric for entry in entries for metric in entry.limits},
        drop_discounts={discount.name for entry in entries for discount in entry.discounts},
        drop_bounds=[
            b for b in get_args(Bound) if any(getattr(each, b) is not None for each in entries)
        ],
        cycle=account.cycle,
        status=account.status,
    )


def _is_known(repository: Repository, slug: str) -> bool:
    try:
        repository.plan(slug)
    except UnknownPlan:
        return False
    return True
