"""``overages export``: the records, statements or events of a database, for other programs."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from overages.commands.desk.arguments import add_database, add_org, add_period, add_until, to_path
from overages.commands.desk.faults import refuse
from overages.commands.desk.outcome import NOTHING, WRONG, Stop
from overages.commands.desk.periods import periods_among
from overages.commands.desk.sources import require_org, to_read
from overages.commands.desk.terminal import say
from overages.errors import OveragesError
from overages.exports.csv_files import write_events, write_records, write_statements
from overages.exports.json_lines import json_lines
from overages.periods.period import Period
from overages.repository import Repository
from overages.service.overage_service import OverageService
from overages.statements.statement import Statement
from overages.terms.account import Account
from overages.usage.event import UsageEvent

HELP: Final = "write the records, statements or events of a database for other programs"
_ALL: Final = Period(datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the command."""
    parser.add_argument("kind", choices=["records", "statements", "events"], help="of which kind")
    add_database(parser)
    add_org(parser, "export")
    add_period(parser, "export")
    parser.add_argument(
        "--format",
        choices=["csv", "json", "parquet"],
        default="csv",
        help="CSV, JSON lines, or Parquet with the extra arrow (default: %(default)s)",
    )
    parser.add_argument(
        "--output",
        type=to_path,
        metavar="FILE",
        help="the file that is written (default: standard output)",
    )
    parser.add_argument(
        "--closed",
        action="store_true",
        help="only records of periods that are closed, whose invoices can go out",
    )
    add_until(parser, "statements of periods that have begun by this date or instant")


def run(args: argparse.Namespace) -> int | None:
    """Write them, sorted by org and time.

    :raises Stop: if there are none, or one can't be worked out.
    """
    if args.format == "parquet" and args.output is None:
        args.command.error("--format parquet needs an --output")
    if args.output is not None and args.output.resolve() == args.db.resolve():
        args.command.error("--output must be another file than --db")
    with to_read(args.db) as repository, repository.snapshot():
        require_org(args.org, repository, args.db)
        orgs = list(repository.orgs()) if args.org is None else [args.org]
        times = _times(args, repository, orgs)
        values: Iterable[Any] = _VALUES[args.kind](args, repository, times)
        dimensions = _dimensions(args, repository, times) if args.kind == "events" else []
        first = next(iter(values := iter(values)), None)
        if first is None:
            say(f"{args.db}: there are no {args.kind} of that")
            raise Stop(NOTHING)
        _write(args, _with(first, values), dimensions)
    return None


def _with(first: object, others: Iterable[object]) -> Iterator[Any]:
    yield first
    yield from others


def _write(args: argparse.Namespace, values: Iterable[Any], dimensions: Sequence[str]) -> None:
    if args.output is None:
        _write_text(args, values, dimensions, sys.stdout)
        return
    with _replacing(args.output) as path:
        if args.format == "parquet":
            _write_parquet(args.kind, path, values, dimensions)
        else:
            with path.open("w", encoding="utf-8", newline="") as file:
                _write_text(args, values, dimensions, file)


@contextmanager
def _replacing(path: Path) -> Iterator[Path]:
    """Yield the path to write to; what is at another stays there until all is written."""
    if path.exists() and not path.is_file():  # a pipe, say
        yield path
        return
    target = path.resolve()
    part = target.with_name(f"{target.name}.{os.getpid()}.part")
    try:
        yield part
        part.replace(target)
    except OSError as error:
        if error.filename == str(part):
            error.filename = str(path)
        raise
    finally:
        part.unlink(missing_ok=True)


def _write_text(
    args: argparse.Namespace, values: Iterable[Any], dimensions: Sequence[str], file: Any
) -> None:
    if args.format == "json":
        for line in json_lines(values):
            print(line, file=file)
    elif args.kind == "records":
        write_records(values, file)
    elif args.kind == "statements":
        write_statements(values, file)
    else:
        write_events(values, file, dimensions)


def _write_parquet(kind: str, path: Path, values: Iterable[Any], dimensions: Sequence[str]) -> None:
    try:
        from pyarrow import parquet

        from overages.exports import arrow
    except ImportError:
        say("--format parquet: needs pyarrow: pip install 'overages[arrow]'")
        raise Stop(WRONG) from None
    if kind == "records":
        batches = arrow.record_batches(values, amounts="text")
    elif kind == "statements":
        batches = arrow.statement_batches(values, amounts="text")
    else:
        batches = arrow.event_batches(values, dimensions)
    with path.open("wb") as file, parquet.ParquetWriter(file, batches.schema) as writer:
        for batch in batches:
            writer.write_batch(batch)


def _times(
    args: argparse.Namespace, repository: Repository, orgs: Sequence[str]
) -> list[tuple[str, Period | None]]:
    """Return each org, with the periods that are named; None for all of its time."""
    if args.period is None:
        return [(org_id, None) for org_id in orgs]
    return list(periods_among(repository, orgs, args.period))


def _records(
    args: argparse.Namespace, repository: Repository, times: Sequence[tuple[str, Period | None]]
) -> Iterator[object]:
    for org_id, period in times:
        closed = repository.closed_periods(org_id) if args.closed else ()
        for record in repository.records(org_id, period):
            if not args.closed or record.period in closed:
                yield record


def _statements(
    args: argparse.Namespace, repository: Repository, times: Sequence[tuple[str, Period | None]]
) -> Iterator[Statement]:
    """Yield the statement of each period that has begun: as it was closed, or so far."""
    until = args.until or datetime.now(UTC)
    service = OverageService(repository, lambda: until)
    for org_id, named in times:
        for period in _begun(repository.account(org_id), named, until):
            try:
                statement = service.calculate(org_id, period)
            except OveragesError as error:
                raise refuse(str(args.db), error) from None
            assert statement is not None  # for it is a period of the account's
            yield statement


def _begun(account: Account | None, named: Period | None, until: datetime) -> Iterable[Period]:
    if account is None or until <= (account.since if named is None else named.start):
        return ()
    return account.periods(account.since, until) if named is None else (named,)


def _events(
    args: argparse.Namespace, repository: Repository, times: Sequence[tuple[str, Period | None]]
) -> Iterator[UsageEvent]:
    """Yield the events that are not withdrawn; of a time, those that happened in it."""
    del args
    for org_id, period in times:
        yield from repository.events(org_id, period or _ALL)


def _dimensions(
    args: argparse.Namespace, repository: Repository, times: Sequence[tuple[str, Period | None]]
) -> Sequence[str]:
    """Return the names of the dimensions of all events, each of which has a column."""
    names = {name for event in _events(args, repository, times) for name in event.dimensions}
    return sorted(names)


_VALUES: Final = {"records": _records, "statements": _statements, "events": _events}
