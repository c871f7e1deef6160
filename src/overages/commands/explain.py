"""``overages explain``: the bill of an org's period, and a line of it down to its events."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Final

from overages._ground.display import text_table
from overages.amounts.exact import plain_text
from overages.commands.desk.arguments import add_database, add_period, add_until, to_name
from overages.commands.desk.faults import refuse
from overages.commands.desk.outcome import NOTHING, Stop
from overages.commands.desk.periods import name_of, periods_of, zone_for
from overages.commands.desk.sources import require_org, to_read
from overages.commands.desk.terminal import bold, columns, say
from overages.errors import InvalidValue, OveragesError, UnknownMetric
from overages.periods.period import Period, reading
from overages.repository import Repository
from overages.service.overage_service import OverageService
from overages.statements.statement import Statement
from overages.terms.account import Account
from overages.usage.event import UsageEvent
from overages.usage.routing import Routes

HELP: Final = "explain the bill of an org's period, or a line of it down to its events"
_EVENTS: Final = ["instant (UTC)", "event", "quantity", "id"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the command."""
    add_database(parser)
    parser.add_argument("--org", type=to_name, required=True, help="whose bill it is")
    add_period(parser, "explain", "the present one")
    parser.add_argument("--metric", type=to_name, help="the line to explain down to its events")
    add_until(parser, "what has ended by this date or instant")


def run(args: argparse.Namespace) -> int | None:
    """Print the statement of each period, as it was closed, or as far as it has come.

    :raises Stop: if there is no such org, period or line.
    """
    until = args.until or datetime.now(UTC)
    with to_read(args.db) as repository, repository.snapshot():
        require_org(args.org, repository, args.db)
        service = OverageService(repository, lambda: until)
        account = repository.account(args.org)
        periods = [] if account is None else _periods(args, account, until)
        if account is None or not periods:
            say(f"{args.db}: {args.org} has no period then")
            raise Stop(NOTHING)
        for period in periods:
            try:
                statement = service.calculate(args.org, period)
            except OveragesError as error:
                raise refuse(str(args.db), error) from None
            assert statement is not None  # for it is a period of the account's
            events = "" if args.metric is None else _events(args, repository, account, statement)
            print(statement.explain(zone_for(account, period), columns()), end="\n\n")
            print(_state(repository, account, period, until))
            if events:
                print(f"\n{events}")
    return None


def _periods(args: argparse.Namespace, account: Account, until: datetime) -> Sequence[Period]:
    """Return the periods that are named; the present one without a name."""
    if args.period is None:
        return [] if account.at(until) is None else [account.period_at(until)]
    try:
        return periods_of(account, args.period)
    except InvalidValue as error:
        raise refuse("--period", error) from None


def _state(repository: Repository, account: Account, period: Period, until: datetime) -> str:
    """Say whether a period is closed, and since when."""
    closed_at = repository.closed_periods(account.org_id).get(period)
    name = name_of(account, period)
    if closed_at is not None:
        return f"{name} is closed since {reading(closed_at)} UTC."
    return f"{name} has ended, and is open." if period.end <= until else f"{name} still runs."


def _events(
    args: argparse.Namespace, repository: Repository, account: Account, statement: Statement
) -> str:
    """Return the events that a line was worked out of, as a table."""
    try:
        statement.of(args.metric)
    except UnknownMetric as error:
        say(f"--metric: {error.problem}")
        raise Stop(NOTHING) from None
    period = statement.period
    title = bold(f"Events of {args.metric}, {name_of(account, period)}")
    rows = [_EVENTS, *_rows(args.metric, repository, account.org_id, period)]
    return f"{title}\n\n{text_table(rows, 'llrl', columns())}\n\n{len(rows) - 1:,} events"


def _rows(
    metric: str, repository: Repository, org_id: str, period: Period
) -> Iterator[Sequence[str]]:
    """Yield a row for each event that counts for a metric, and for each sum that a host put."""
    declared = {each.name: each for each in repository.metrics()}
    routes = Routes(declared.values())

    def counts(event: UsageEvent) -> bool:
        return metric in ([each.name for each in routes.of(event)] or [event.metric])

    names = declared[metric].events if metric in declared else (metric,)
    if metric in declared and declared[metric].reports == "level":
        for name in names:
            held = repository.event_before(org_id, period.start, name, counts)
            if held is not None:
                yield _row(*held)
    for event, counts_at in repository.counted_events(org_id, period, metrics=names):
        if counts(event):
            yield _row(event, counts_at)
    for put in repository.put_sums(org_id, period):
        if put.quantities.get(metric):
            yield put.period.describe(), metric, plain_text(put.quantities[metric]), "put sum"


def _row(event: UsageEvent, counts_at: datetime) -> Sequence[str]:
    late = "" if counts_at == event.at else f", counts at {reading(counts_at)}"
    quantity = plain_text(event.quantity)
    return f"{reading(event.at)}{late}", event.metric, quantity, event.id or ""
