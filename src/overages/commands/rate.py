"""``overages rate``: from a file of plans and a file of usage to statements."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from overages._ground.parsing import Problems
from overages.amounts.money import Money
from overages.commands.history import History
from overages.commands.inputs import load_plans, load_usage, refuse
from overages.errors import OveragesError
from overages.exports.statements import json_lines, write_csv
from overages.imports.plans import PlanBook
from overages.periods.period import Period
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
    usages, earlier = load_usage(args.usage, book, args.period, args.timezone)
    usages = with_idle_accounts(book, usages, args.period)
    history = History(book, usages, earlier, args.period)
    statements = rate(book, usages, history, args.usage)
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

    :param period: the only period there is; without it, an account's are those of its cycle in
        which any period with usage began.
    """
    wanted = {(usage.org_id, usage.period): usage for usage in usages}
    starts = {usage_period.start for _, usage_period in wanted}
    for org_id, account in book.accounts.items():
        for billed in {*map(account.period_at, starts)} if period is None else {period}:
            wanted.setdefault((org_id, billed), Usage(org_id, billed, {}))
    return [usage for _, usage in sorted(wanted.items(), key=lambda item: item[0])]


def rate(
    book: PlanBook, usages: Iterable[Usage], history: History, source: Path
) -> list[Statement]:
    """Return a statement for each usage; an org's come in the order of its periods.

    :param source: the file that the usage is from, for what is said of faults.
    :raises BadInput: if an org has no plan, used a metric that its plan doesn't know, or is on a
        plan that needs earlier usage, which isn't known.
    """
    problems = Problems()
    statements = []
    try:
        for usage in usages:
            try:
                statements.append(_statement(book, usage, history))
            except OveragesError as error:
                problems.add(error.within(org_id=usage.org_id, period=usage.period))
        problems.raise_any()
    except OveragesError as error:
        raise refuse(str(source), error) from None
    return statements


def _statement(book: PlanBook, usage: Usage, history: History) -> Statement:
    plan, limits = book.terms(usage.org_id)
    if history.is_needed and plan.needs_balance:
        return history.statement(usage)
    return calculate(plan, usage, limits=limits)


def grand_total(statements: Sequence[Statement]) -> str:
    """Count the statements, and say their total in each currency."""
    totals: dict[str, Money] = {}
    for statement in statements:
        code = statement.currency.code
        totals[code] = totals.get(code, Money(0, statement.currency)) + statement.total
    noun = "statement" if len(statements) == 1 else "statements"
    return ", ".join([f"{len(statements):,} {noun}", *map(str, totals.values())])
