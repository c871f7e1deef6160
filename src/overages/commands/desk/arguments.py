"""Arguments of the commands: those that several of them take, declared once.

add_database(parser)
add_files(parser)
"""

from __future__ import annotations

import re
from argparse import ArgumentParser, ArgumentTypeError
from datetime import datetime
from pathlib import Path
from typing import Final

from overages._ground.names import parse_name
from overages.errors import OveragesError
from overages.periods.period import Period, instant_from_text

STANDARD_INPUT: Final = "-"
"""The name of standard input, in place of a file's."""


def to_path(text: str) -> Path:
    """Read the file that an argument of the command line names."""
    if not text or "\0" in text:
        raise ArgumentTypeError("must name a file")
    return Path(text)


def to_source(text: str) -> Path | str:
    """Read the file that an argument names, or standard input."""
    return text if text == STANDARD_INPUT else to_path(text)


def to_instant(text: str) -> datetime:
    """Return the instant that an argument names; of a date, its beginning in UTC."""
    is_date = re.fullmatch(r"\d{4}-\d{2}-\d{2}", text)
    try:
        return instant_from_text(f"{text}T00:00:00Z" if is_date else text)
    except OveragesError as error:
        raise ArgumentTypeError(str(error)) from None


def to_period(text: str) -> str:
    """Return the text of a period; an org's timezone says which instants it names."""
    try:
        Period.parse(text)
    except OveragesError as error:
        raise ArgumentTypeError(str(error)) from None
    return text


def to_name(text: str) -> str:
    """Return the name of an org, a batch or an event."""
    try:
        return parse_name(text, "name")
    except OveragesError as error:
        raise ArgumentTypeError(str(error)) from None


def add_database(parser: ArgumentParser, *, made: bool = False) -> None:
    """Declare the database.

    :param made: whether it is made where there is none.
    """
    text = "the database, SQLite; made if need be" if made else "the database, SQLite"
    parser.add_argument("--db", type=to_path, required=True, metavar="FILE", help=text)


def add_plans(parser: ArgumentParser, *, required: bool) -> None:
    """Declare the file of plans and accounts."""
    parser.add_argument(
        "--plans",
        type=to_path,
        required=required,
        metavar="FILE",
        help="plans, accounts and all else that orgs agree to, TOML",
    )


def add_usage(parser: ArgumentParser, *, required: bool) -> None:
    """Declare the files of usage, of which there may be several."""
    parser.add_argument(
        "--usage",
        type=to_source,
        action="append",
        required=required,
        default=[],
        metavar="FILE",
        help="usage events, CSV; may be given several times, - is standard input",
    )


def add_new_orgs(parser: ArgumentParser) -> None:
    """Declare that orgs without an account are given one."""
    parser.add_argument(
        "--new-orgs",
        action="store_true",
        help="give orgs without an account the file's default_plan, from the period of their"
        " earliest event on; without it they are listed, and nothing is written",
    )


def add_batch(parser: ArgumentParser) -> None:
    """Declare the batch that a file is, and where late usage counts."""
    parser.set_defaults(has_names=True)
    parser.add_argument(
        "--name",
        type=to_name,
        help="the name of the batch that rows without an event id are (default: the file's name)",
    )
    parser.add_argument(
        "--replace",
        type=to_name,
        metavar="NAME",
        help="take the file in place of an earlier batch: rows that it has no more are withdrawn",
    )
    parser.add_argument(
        "--late",
        choices=["own", "next"],
        default="own",
        help="where usage of a closed period counts: in its own, which then waits for --force, or"
        " in the next open one (default: %(default)s)",
    )


def add_dry_run(parser: ArgumentParser) -> None:
    """Declare the option to write nothing."""
    parser.add_argument(
        "--dry-run", action="store_true", help="say what would be done, and write nothing"
    )


def add_org(parser: ArgumentParser, verb: str) -> None:
    """Declare the only org that is looked at."""
    parser.add_argument("--org", type=to_name, help=f"the only org to {verb} (default: all)")


def add_until(parser: ArgumentParser, meaning: str) -> None:
    """Declare the instant that stands for now."""
    parser.add_argument(
        "--until", type=to_instant, metavar="DATE", help=f"{meaning}, in UTC (default: now)"
    )


def add_period(parser: ArgumentParser, verb: str, otherwise: str = "all") -> None:
    """Declare the only period that is looked at.

    :param otherwise: those that are without it.
    """
    parser.add_argument(
        "--period",
        type=to_period,
        help=f"the only period to {verb}: a month (2023-11) in each org's timezone, or start/end in"
        " ISO 8601, of dates (2023-11-01/2023-12-01, the end not in it) or instants (default:"
        f" {otherwise})",
    )
