"""``overages rate``: from files of plans and usage to statements, without a database.

It is `close` over a repository in memory: the same files give the same bills.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Final, NamedTuple

from overages._ground.value import evolve
from overages.adapters.memory import MemoryRepository
from overages.amounts.money import Money
from overages.bookkeeping.plans_in_force import PlansInForce
from overages.commands import apply, ingest
from overages.commands.desk.arguments import add_new_orgs, add_org, add_period, add_plans, add_usage
from overages.commands.desk.faults import Faults
from overages.commands.desk.meters import Span
from overages.commands.desk.outcome import NOTHING, Stop
from overages.commands.desk.periods import periods_among, zone_for
from overages.commands.desk.sources import load_book, readable, require_org
from overages.commands.desk.terminal import columns, say
from overages.errors import OveragesError
from overages.exports.csv_files import write_statements
from overages.exports.json_lines import json_lines
from overages.imports.plans import PlanBook
from overages.periods.period import Period
from overages.repository import Repository
from overages.service.overage_service import OverageService
from overages.settlements.settlement import settle
from overages.statements.statement import Statement
from overages.terms.account import Account
from overages.usage.usage import Usage

HELP: Final = "calculate the overage of every org in usage files, and explain it"

# In a pure calculation there is no present: whatever the files have is past, and every period over.
_TICK: Final = timedelta(microseconds=1)
_END_OF_TIME: Final = datetime.max.replace(tzinfo=UTC)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the command."""
    add_plans(parser, required=True)
    add_usage(parser, required=True)
    add_new_orgs(parser)
    parser.set_defaults(has_names=False, name=None, replace=None, late="own")  # of a database
    add_org(parser, "rate")
    add_period(parser, "rate")
    parser.add_argument(
        "--format",
        choices=["table", "json", "csv"],
        default="table",
        help="how statements are printed: tables, JSON lines or CSV (default: %(default)s)",
    )


def run(args: argparse.Namespace) -> int | None:
    """Print the statements of the periods that the files have usage in, each taken as ended.

    :raises Stop: if the files are faulty; nothing is printed then.
    """
    rated = rate(args)
    statements = [each.statement for each in rated]
    if args.format == "json":
        for line in json_lines(statements):
            print(line)
    elif args.format == "csv":
        write_statements(statements, sys.stdout)
    else:
        for statement, account in rated:
            zone = zone_for(account, statement.period)
            print(statement.explain(zone, columns()), end="\n\n")
        print(grand_total([statement.total for statement in statements]))
    return None


class Rated(NamedTuple):
    """A statement, and the account that it is of."""

    statement: Statement
    account: Account


def rate(args: argparse.Namespace) -> list[Rated]:
    """Return the statements of files, as they are when all of their periods have ended.

    :raises Stop: as `run` does.
    """
    book, repository = load_book(args.plans), MemoryRepository()
    if args.new_orgs:
        book = _of_accounts(book)
    service = OverageService(repository, lambda: _END_OF_TIME)
    # Budgets and alerts change no bill.
    apply.put(book, repository, args.plans, _END_OF_TIME, tell=lambda _: None, warns=False)
    span: Span | None
    usages: Mapping[tuple[str, Period], Usage] = {}
    with readable(args.usage) as files:
        counted = ingest.sum_up(args, files, repository, book, _END_OF_TIME)
        if counted is not None:
            span, usages = counted.span, counted.alone
        else:
            span = ingest.put(args, files, repository, service, book, _END_OF_TIME).span
    require_org(args.org, repository, args.plans)
    orgs = list(repository.orgs()) if args.org is None else [args.org]
    faults, rated = Faults(", ".join(map(str, args.usage))), list[Rated]()
    plans = PlansInForce(repository)
    for account, period in _periods(args, repository, span, orgs):
        org_id = account.org_id
        usage = usages.get((org_id, period))
        try:
            if usage is None:
                statement = service.calculate(org_id, period)
            else:  # nothing else is needed: a tenth of the time
                statement = settle(account, partial(plans.plan, period), period, usage).statement
        except OveragesError as error:
            faults.add(error.within(org_id=org_id, period=period))
        else:
            assert statement is not None  # for it is a period of the account's
            rated.append(Rated(statement, account))
    faults.stop_if_any("nothing was rated")
    if not rated:
        say("no org has a period then")
        raise Stop(NOTHING)
    return rated


def _of_accounts(book: PlanBook) -> PlanBook:
    """Return a book without the budgets and alerts of orgs that it has no account of.

    Such an org can be one that is given the default plan.
    """
    of_orgs = {
        name: {org_id: own for org_id, own in entries.items() if org_id in book.accounts}
        for name, entries in (("budgets", book.budgets), ("org_alerts", book.org_alerts))
    }
    return evolve(book, **of_orgs)


def _periods(
    args: argparse.Namespace, repository: Repository, span: Span | None, orgs: Sequence[str]
) -> Iterator[tuple[Account, Period]]:
    """Yield the periods that are wanted: those named, or from the first event to the last."""
    if args.period is not None:
        for org_id, period in periods_among(repository, orgs, args.period):
            yield _account(repository, org_id), period
        return
    assert span is not None  # for files without rows are refused
    first, last = span
    timeline, periods = None, list[Period]()
    for org_id in orgs:
        account = _account(repository, org_id)
        if account.timeline is not timeline:  # most new orgs have the one of the org before
            timeline, periods = account.timeline, list(account.periods(first, last + _TICK))
        for period in periods:
            yield account, period


def _account(repository: Repository, org_id: str) -> Account:
    account = repository.account(org_id)
    assert account is not None  # or its usage would have been refused
    return account


def grand_total(totals: Sequence[Money]) -> str:
    """Count statements, and add them up in each currency."""
    sums: dict[str, Money] = {}
    for total in totals:
        code = total.currency.code
        sums[code] = sums.get(code, Money(0, total.currency)) + total
    noun = "statement" if len(totals) == 1 else "statements"
    return ", ".join([f"{len(totals):,} {noun}", *map(str, sums.values())])
