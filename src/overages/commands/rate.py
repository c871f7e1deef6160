"""``overages rate``: from a file of plans and a file of usage to statements."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Sequence
from typing import Final

from overages.calculation import calculate
from overages.commands.inputs import load_plans, load_usage, refuse
from overages.errors import OveragesError
from overages.exports.statements import json_lines, write_csv
from overages.imports.plans import PlanBook
from overages.money import Money
from overages.overage import Statement
from overages.parsing import Problems
from overages.period import Period
from overages.usage import Usage

HELP: Final = "calculate the overage of every org in a usage file, and explain it"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command is told."""
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
    book = load_plans(args.plans)
    usages = load_usage(args.usage, args.period, args.timezone)
    statements = rate(book, usages, args.period)
    if args.format == "json":
        for line in json_lines(statements):
            print(line)
    elif args.format == "csv":
        write_csv(statements, sys.stdout)
    else:
        for statement in statements:
            print(statement.explain(), end="\n\n")
        print(_grand_total(statements))


def rate(book: PlanBook, usages: Iterable[Usage], period: Period | None) -> list[Statement]:
    """Return a statement for each usage, and for each account that used nothing in a period.

    An account can owe something without usage: a flat fee at quantity zero.

    :raises BadInput: if an org has no plan, or used what its plan doesn't know.
    """
    wanted = {(usage.org_id, usage.period): usage for usage in usages}
    periods = {usage_period for _, usage_period in wanted} if period is None else {period}
    for org_id in book.accounts:
        for when in periods:
            wanted.setdefault((org_id, when), Usage(org_id, when, {}))
    problems = Problems()
    statements = [
        problems.attempt(_statement, book, usage, path=f"{org_id}, {when.describe()}: ")
        for (org_id, when), usage in sorted(wanted.items(), key=lambda item: item[0])
    ]
    try:
        problems.raise_any()
    except OveragesError as error:
        raise refuse("rate", error) from None
    return statements


def _statement(book: PlanBook, usage: Usage) -> Statement:
    plan, limits = book.terms(usage.org_id)
    return calculate(plan, usage, limits=limits)


def _grand_total(statements: Sequence[Statement]) -> str:
    totals: dict[str, Money] = {}
    for statement in statements:
        code = statement.currency.code
        totals[code] = totals.get(code, Money(0, statement.currency)) + statement.total
    noun = "statement" if len(statements) == 1 else "statements"
    return ", ".join([f"{len(statements):,} {noun}", *map(str, totals.values())])
