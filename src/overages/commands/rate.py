"""``overages rate``: from a file of plans and a file of usage to statements."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from overages._ground.parsing import Problems
from overages.amounts.money import Money
from overages.commands.history import History, Parts
from overages.commands.inputs import load_plans, load_usage, refuse
from overages.errors import OveragesError
from overages.exports.statements import json_lines, write_csv
from overages.imports.plans import PlanBook
from overages.periods.period import Period
from overages.settlements.settlement import settle
from overages.statements.calculation import calculate
from overages.statements.statement import Statement
from overages.usage.usage import Usage

HELP: Final = "calculate the overage of every org in a usage file, and explain it"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the command."""
    parser.add_argument(
        "--format",
        choices=["table", "json", "csv"],
        default="table",
        help="how statements are printed (default: %(default)s)",
    )


def run(args: argparse.Namespace) -> None:
    """Print the statements.

    :raises BadInput: if the plans or the usage are faulty; nothing is printed then.
    """
    book = load_plans(args.plans, args.timezone)
    usages, earlier, parts = load_usage(args.usage, book, args.period, args.timezone)
    usages = with_idle_accounts(book, usages, args.period)
    history = History(book, usages, earlier, args.period, parts=parts)
    statements = rate(book, usages, history, parts, args.usage)
    if args.format == "json":
        for line in json_lines(statements):
            print(line)
    elif args.format == "csv":
        write_csv(statements, sys.stdout)
    else:
        for statement in statements:
            print(statement.explain(), end="\n\n")
        print(grand_total(statements))


def with_idle_accounts(
    book: PlanBook, usages: Iterable[Usage], period: Period | None
) -> list[Usage]:
    """Return usages, and one of nothing for each account that used nothing in a period.

    An account can owe something without usage: a flat fee at quantity zero.

    :param period: the only period that is wanted, whole ones of each account's own; without it, an
        account's are those of its own in which any period with usage began.
    """
    wanted = {(usage.org_id, usage.period): usage for usage in usages}
    starts = {usage_period.start for _, usage_period in wanted}
    for org_id, account in book.accounts.items():
        if period is None:
            idle = {account.period_at(start) for start in starts if account.at(start) is not None}
        else:
            idle = set(account.periods(period.start, period.end))
        for billed in idle:
            wanted.setdefault((org_id, billed), Usage(org_id, billed, {}))
    return [usage for _, usage in sorted(wanted.items(), key=lambda item: item[0])]


def rate(
    book: PlanBook, usages: Iterable[Usage], history: History, parts: Parts, source: Path
) -> list[Statement]:
    """Return a statement for each usage; an org's come in the order of its periods.

    :param parts: the usage of each part of a period in which terms change.
    :param source: the file that the usage is from, for what is said of faults.
    :raises BadInput: if an org has no plan, used a metric that its plan doesn't know, or is on a
        plan that needs earlier usage, which isn't known.
    """
    problems = Problems()
    statements = []
    try:
        for usage in usages:
            try:
                statements.append(_statement(book, usage, history, parts))
            except OveragesError as error:
                problems.add(error.within(org_id=usage.org_id, period=usage.period))
        problems.raise_any()
    except OveragesError as error:
        raise refuse(str(source), error) from None
    return statements


def _statement(book: PlanBook, usage: Usage, history: History, parts: Parts) -> Statement:
    org_id, period = usage.org_id, usage.period
    if history.is_needed and book.needs_balance_for(org_id):
        return history.statement(usage)
    account = book.account(org_id, period.start)
    if org_id in book.accounts and account.has(period):
        return settle(
            account, book.plans, period, [usage, *parts.get((org_id, period), ())]
        ).statement
    plan, limits = book.terms(org_id, period)
    return calculate(plan, usage, limits=limits or None)


def grand_total(statements: Sequence[Statement]) -> str:
    """Count the statements, and say their total in each currency."""
    totals: dict[str, Money] = {}
    for statement in statements:
        code = statement.currency.code
        totals[code] = totals.get(code, Money(0, statement.currency)) + statement.total
    noun = "statement" if len(statements) == 1 else "statements"
    return ", ".join([f"{len(statements):,} {noun}", *map(str, totals.values())])
