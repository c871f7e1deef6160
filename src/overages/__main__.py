"""The command line: ``overages close --plans plans.toml --usage usage.csv --db overages.db``.

Results go to standard output, all else (progress, faults) to standard error. The exit status
is 0 if everything was done, 1 if the data are wrong, and 2 if the command is.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Sequence
from datetime import UTC
from typing import Any, NoReturn
from zoneinfo import ZoneInfo

import overages
from overages.commands import close, migrate, rate, schema, show, verify
from overages.commands.inputs import BadInput, refuse, say, to_path
from overages.errors import OveragesError, StorageError, did_you_mean
from overages.periods.period import Period


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit status."""
    args = _parser().parse_args(arguments)
    try:
        if vars(args).get("period") is not None:
            args.period = Period.parse(args.period, args.timezone or UTC)
    except OveragesError as error:
        args.command.error(f"argument --period: {error}")
    try:
        args.run(args)
        sys.stdout.flush()
    except BadInput:
        return 1
    except BrokenPipeError:  # whoever read the output has had enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except StorageError as error:
        say(f"{args.db}: {error}")
        return 1
    except (OSError, UnicodeEncodeError) as error:  # a terminal may not have all letters of a name
        file = getattr(error, "filename", None)
        say(f"overages: {error}" if file is None else f"{file}: {error.args[1]}")
        return 1
    except OveragesError as error:  # of an argument, such as the name of an org
        refuse("overages", error)
        return 1
    return 0


class _Parser(argparse.ArgumentParser):
    """A parser that takes options written out alone, and names the word that a wrong one resembles.

    A flag such as ``--force`` shouldn't be in force because a few of its letters were typed.
    """

    def __init__(self, **settings: Any) -> None:
        super().__init__(allow_abbrev=False, **settings)

    def error(self, message: str) -> NoReturn:
        wrong = re.search(r"invalid choice: '(.*)' \(choose from (.*)\)$", message)
        hint = did_you_mean(wrong[1], re.findall(r"[\w-]+", wrong[2])) if wrong else ""
        super().error(message + hint)


class _Version(argparse.Action):
    """Prints the version, which takes a while to look up, only when it is asked for."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        print(f"overages {overages.__version__}")
        parser.exit()


def _parser() -> argparse.ArgumentParser:
    summary = "Exact, explained overage charges for metered usage."
    parser = _Parser(prog="overages", description=summary)
    parser.add_argument("--version", action=_Version, nargs=0, help="show the version and exit")
    commands = parser.add_subparsers(required=True, metavar="command")
    for module, name, *shared in (
        (rate, "rate", _add_inputs, _add_period),
        (close, "close", _add_inputs, _add_period),
        (show, "show", _add_period),
        (verify, "verify"),
        (migrate, "migrate"),
        (schema, "schema"),
    ):
        command = commands.add_parser(name, help=module.HELP, description=module.HELP)
        for add_arguments in (*shared, module.add_arguments):
            add_arguments(command)
        command.set_defaults(run=module.run, command=command)
    return parser


def _add_inputs(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--plans", type=to_path, required=True, help="plans and accounts, TOML")
    parser.add_argument("--usage", type=to_path, required=True, help="usage events, CSV")


def _add_period(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--period",
        help="the only period to look at: a month (2023-11), or start/end in ISO 8601: dates"
        " (2023-11-01/2023-12-01, the end not in it) or instants (default: every period that there"
        " is)",
    )
    parser.add_argument(
        "--timezone",
        type=_zone,
        help="zone of months and dates, and of timestamps that have none, such as Europe/Paris"
        " (default: months and dates are in UTC, and every timestamp must have a zone)",
    )


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise argparse.ArgumentTypeError(f"no timezone is called {name!r}") from None


if __name__ == "__main__":
    sys.exit(main())
