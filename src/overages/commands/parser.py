"""The parser of the command line: its commands, their failures, and the exit status.

Results go to standard output, all else (progress, faults) to standard error:

    status = main(["rate", "--plans", "plans.toml", "--usage", "usage.csv"])
"""

from __future__ import annotations

import argparse
import logging
import os
import re
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Final, NoReturn

import overages
from overages.commands import (
    alerts,
    apply,
    close,
    explain,
    export,
    ingest,
    migrate,
    rate,
    schema,
    show,
    status,
    verify,
    withdraw,
)
from overages.commands.desk.completion import SHELLS, completion
from overages.commands.desk.faults import refuse
from overages.commands.desk.outcome import DONE, INTERRUPTED, STATUSES, WRONG, Stop
from overages.commands.desk.terminal import say
from overages.errors import OveragesError, StorageError, did_you_mean

_COMMANDS: Final = (
    (apply, "apply"),
    (ingest, "ingest"),
    (close, "close"),
    (rate, "rate"),
    (status, "status"),
    (alerts, "alerts"),
    (show, "show"),
    (explain, "explain"),
    (export, "export"),
    (withdraw, "withdraw"),
    (verify, "verify"),
    (migrate, "migrate"),
    (schema, "schema"),
)
_READING: Final = (rate, status, show, explain, export, verify, schema)
"""The commands that put nothing into a database."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit status.

    :param arguments: those of the process without it.
    """
    args = argparse.Namespace(db=None, writes=False)
    try:
        return _run(arguments, args)
    except KeyboardInterrupt:
        with suppress(ValueError):  # of a thread that isn't the main one
            signal.signal(signal.SIGINT, signal.SIG_IGN)  # another one changes nothing any more
    # Only now is all gone that it was doing, a progress bar on this line, too.
    taken_back = "; what it was doing was taken back: run it again to go on" if args.writes else ""
    say(f"overages: interrupted{taken_back}")
    return INTERRUPTED


def _run(arguments: Sequence[str] | None, args: argparse.Namespace) -> int:
    """Run a command, whose arguments are put into `args`, and return its exit status."""
    logging.getLogger("overages").addHandler(logging.NullHandler())  # each outcome is said here
    try:
        _, unknown = command_parser().parse_known_args(arguments, args)
        if unknown:
            args.command.error(f"unrecognized arguments: {' '.join(unknown)}")
        code = args.run(args)
        sys.stdout.flush()
        return DONE if code is None else code
    except Stop as stop:
        return stop.status
    except BrokenPipeError:  # whoever read the output has had enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return WRONG
    except StorageError as error:
        say(f"{args.db}: {error}")
    except (OSError, UnicodeEncodeError) as error:  # a terminal may not have all letters of a name
        file = getattr(error, "filename", None)
        say(f"overages: {error}" if file is None else f"{file}: {error.args[1]}")
    except OveragesError as error:
        refuse("overages", error)
    return WRONG


class _Parser(argparse.ArgumentParser):
    """A parser that takes options written out alone, and names the word that a wrong one resembles.

    A flag such as ``--force`` shouldn't be in force because a few of its letters were typed.
    """

    def __init__(self, **settings: Any) -> None:
        settings.setdefault("formatter_class", argparse.RawDescriptionHelpFormatter)
        super().__init__(allow_abbrev=False, **settings)

    def error(self, message: str) -> NoReturn:
        wrong = re.search(r"invalid choice: '(.*)' \(choose from (.*)\)$", message)
        words = re.findall(r"[\w-]+", wrong[2]) if wrong else list(self._option_string_actions)
        unknown = re.search(r"unrecognized arguments: (--\S+)", message)
        word = wrong[1] if wrong else unknown[1] if unknown else None
        super().error(message + did_you_mean(word, words))


class _Version(argparse.Action):
    """Prints the version, which takes a while to look up, only when it is asked for."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        print(f"overages {overages.__version__}")
        parser.exit()


class _Completion(argparse.Action):
    """Prints the completion of words for a shell."""

    def __call__(self, parser: argparse.ArgumentParser, _: object, shell: Any, *__: object) -> None:
        print(completion(parser, shell))
        parser.exit()


def command_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line, which has one for each command."""
    summary = "Exact, explained overage charges for metered usage."
    parser = _Parser(prog="overages", description=summary, epilog=STATUSES)
    parser.add_argument("--version", action=_Version, nargs=0, help="show the version and exit")
    parser.add_argument(
        "--completion",
        action=_Completion,
        choices=SHELLS,
        help='print what makes a shell complete words, and exit: bash: eval "$(overages'
        ' --completion bash)"',
    )
    commands = parser.add_subparsers(required=True, metavar="command")
    for module, name in _COMMANDS:
        command = commands.add_parser(
            name, help=module.HELP, description=module.HELP, epilog=STATUSES
        )
        module.add_arguments(command)
        command.set_defaults(run=module.run, command=command, writes=module not in _READING)
    return parser
