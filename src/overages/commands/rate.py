"""``overages rate``: from a file of plans and a file of usage to statements."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from overages._ground.parsing import Problems
from overages.adapters.memory import MemoryRepository
from overages.amounts.money import Money
from overages.commands.bills import Bill, Bills
from overages.commands.inputs import load_plans, refuse
from overages.commands.progress import track
from overages.commands.usage_file import OrgUsage, load_usage
from overages.errors import MOST_ERRORS, InvalidValues, OveragesError, PeriodClosed
from overages.exports.statements import json_lines, write_csv
from overages.statements.statement import Statement

HELP: Final = "calculate the overage of every org in a usage file, and explain it"
_BATCH: Final = 100  # orgs between two looks at the progress bar


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the command."""
    parser.add_argument(
        "--format",
        choices=["table", "json", "csv"],
        default="table",
        help="how statements are printed (default: %(default)s)",
    )


def run(args: argparse.Namespace) -> None:
    """Print the statements of the file's periods, each taken as ended.

    :raises BadInput: if the plans or the usage are faulty; nothing is printed then.
    """
    statements = rate(args)
    if args.format == "json":
        for line in json_lines(statements):
            print(line)
    elif args.format == "csv":
        write_csv(statements, sys.stdout)
    else:
        for statement in statements:
            print(statement.explain(), end="\n\n")
        print(grand_total([statement.total for statement in statements]))


def rate(args: argparse.Namespace) -> list[Statement]:
    """Return the statements of a file's periods, as they are when all of these have ended."""
    book = load_plans(args.plans, args.timezone)
    usages = load_usage(args.usage, book, args.period, args.timezone)
    ends = [usage.periods[-1].end for usage in usages]
    if not ends:
        return []
    repository = MemoryRepository()
    made = bill(Bills(repository, book, max(ends)), usages, args, kept_in=args.usage)
    settled = (repository.settled(each.org_id, each.period) for each in made if each.is_wanted)
    return [settlement.statement for settlement in settled if settlement is not None]


def bill(
    bills: Bills,
    usages: Sequence[OrgUsage],
    args: argparse.Namespace,
    *,
    kept_in: Path,
    force: bool = False,
) -> list[Bill]:
    """Put the content of files, and record all periods of their orgs.

    :param kept_in: where it is put, to be named with a fault.
    :raises BadInput: if an org can't be billed, or only by force; each has been named.
    """
    if not usages:
        return []
    try:
        bills.put_plans(min(usage.periods[0].start for usage in usages))
        _attempt_each(bills.put, usages)
    except OveragesError as error:
        raise refuse(str(kept_in), error) from None
    try:
        if args.period is not None:
            _attempt_each(bills.require_earlier, usages)
        return _recorded(bills, usages, kept_in, force=force)
    except OveragesError as error:
        raise refuse(str(args.usage), error) from None


def _attempt_each(put: Callable[[OrgUsage], None], usages: Sequence[OrgUsage]) -> None:
    problems = Problems()
    for usage in usages:
        problems.attempt(put, usage)
    problems.raise_any()


def _recorded(
    bills: Bills, usages: Sequence[OrgUsage], kept_in: Path, *, force: bool
) -> list[Bill]:
    made, closed, faults = list[Bill](), list[PeriodClosed](), Problems()
    batches = [usages[start : start + _BATCH] for start in range(0, len(usages), _BATCH)]
    for batch in track(batches, "recording", len(usages), sys.stderr, "orgs"):
        for usage in batch:
            try:
                made += bills.record(usage, force=force)
            except PeriodClosed as error:
                closed.append(error)
            except OveragesError as error:
                faults.add(error)
    faults.raise_any()
    if closed:
        raise refuse(str(kept_in), InvalidValues(closed[:MOST_ERRORS]))
    return made


def grand_total(totals: Sequence[Money]) -> str:
    """Count statements, and add them up in each currency."""
    sums: dict[str, Money] = {}
    for total in totals:
        code = total.currency.code
        sums[code] = sums.get(code, Money(0, total.currency)) + total
    noun = "statement" if len(totals) == 1 else "statements"
    return ", ".join([f"{len(totals):,} {noun}", *map(str, sums.values())])
