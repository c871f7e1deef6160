"""Completion: the lines that make a shell complete the commands and options of the command line.

print(completion(parser, "bash"))
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from typing import Final

SHELLS: Final = ("bash", "zsh", "fish")

_BASH: Final = """_overages() {{
    local word="${{COMP_WORDS[COMP_CWORD]}}" words=""
    case "${{COMP_WORDS[1]}}" in
{cases}
    esac
    [ "$COMP_CWORD" -eq 1 ] && words="{commands}"
    case "$word" in
        -*|"") COMPREPLY=($(compgen -W "$words" -- "$word")) ;;
        *) [ "$COMP_CWORD" -eq 1 ] && COMPREPLY=($(compgen -W "$words" -- "$word")) ;;
    esac
}}
complete -o default -F _overages overages"""


def completion(parser: argparse.ArgumentParser, shell: str) -> str:
    """Return the lines that a shell reads to complete words.

    :param parser: that of the command line, with a parser for each command.
    :param shell: one of `SHELLS`.
    """
    options = {name: _options(command) for name, command in commands_of(parser).items()}
    if shell == "fish":
        return "\n".join(_fish(options))
    cases = "\n".join(
        f'        {name}) words="{" ".join(own)}" ;;' for name, own in options.items()
    )
    bash = _BASH.format(cases=cases, commands=" ".join([*options, *_options(parser)]))
    return bash if shell == "bash" else f"autoload -U bashcompinit && bashcompinit\n{bash}"


def commands_of(parser: argparse.ArgumentParser) -> Mapping[str, argparse.ArgumentParser]:
    """Return the parsers of the commands, by name."""
    (commands,) = (
        action.choices
        for action in parser._actions
        if isinstance(action, argparse._SubParsersAction)
    )
    return commands


def _options(parser: argparse.ArgumentParser) -> Sequence[str]:
    return [name for name in parser._option_string_actions if name.startswith("--")]


def _fish(options: Mapping[str, Sequence[str]]) -> Sequence[str]:
    first = "complete -c overages -n __fish_use_subcommand -f -a"
    within = "complete -c overages -n '__fish_seen_subcommand_from"
    return [f"{first} {name}" for name in options] + [
        f"{within} {name}' -l {option.removeprefix('--')}"
        for name, own in options.items()
        for option in own
    ]
