"""Writes the tables of the reference that follow from the code.

    python docs/tables.py             # docs/reference/{api,command-line,files,json}.md

What stands between ``<!-- keys -->`` and ``<!-- end -->`` in a page is written anew, and so is each
call that begins a row and names something public, such as ``Money(minor, currency)``. A test
compares the pages with the code of today.
"""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from inspect import Parameter, getdoc, signature
from pathlib import Path
from pkgutil import resolve_name
from types import NoneType
from typing import Any, Literal, get_args, get_origin

import overages
from overages import (
    Account,
    Alert,
    Allowance,
    Balance,
    Budget,
    CarryOver,
    Commitment,
    Conversion,
    Currency,
    Cycle,
    Discount,
    Grant,
    Increment,
    Metric,
    Money,
    Period,
    Plan,
    PriceModel,
    Threshold,
    Tier,
)
from overages.commands.desk.completion import commands_of
from overages.commands.desk.outcome import STATUSES
from overages.commands.parser import command_parser
from overages.forms.derived import Term, terms_of, type_of
from overages.forms.json import JSON, KINDS
from overages.forms.objects import descriptions
from overages.imports.plan_files.forms import PLAN_KEYS
from overages.imports.plan_files.toml import model_name
from overages.imports.usage_files.layout import UsageLayout
from overages.prices.registry import PRICE_MODELS
from overages.terms.change import TermsChange

REFERENCE = Path(__file__).parent / "reference"
NUMBERS = {int, Decimal, Fraction}
WORDS: dict[Any, str] = {
    str: "text",
    bool: "flag",
    datetime: "instant",
    Period: "period",
    Currency: "currency",
    Money: "money",
    PriceModel: "price",
}
FILE_KINDS: dict[type, str] = {  # with the keys that are the names of their tables
    Plan: "slug",
    Allowance: "",
    **dict.fromkeys(PRICE_MODELS, ""),
    Tier: "",
    Conversion: "",
    CarryOver: "",
    Commitment: "",
    Discount: "",
    Account: "org_id",
    TermsChange: "",
    Metric: "name",
    Increment: "",
    Grant: "id",
    Budget: "id",
    Alert: "id",
    Threshold: "",
    Cycle: "",
    Currency: "",
    UsageLayout: "",
}


_WINDOW = (
    "[`Cycle`](#cycle), of the calendar without `anchor`; its `timezone` is that of the org's"
    " account in the file, or else of the file, and must be given where neither is there"
)
WRITTEN_IN_FILES = {  # otherwise than their types say
    (Metric, "where"): "text or list of text by name",
    (Metric, "increment"): "number or [`Increment`](#increment)",
    (Budget, "window"): _WINDOW,
}
WRITTEN_OF_PLANS = {
    "prices": "text",
    "since": "instant",
    "extends": "text",
    "drop": "list of text",
    "versions": "list of tables as this one",
}


def words(hint: Any) -> str:
    """Say what is written for a type."""
    options = [each for each in get_args(hint) if each is not NoneType]
    origin = get_origin(hint)
    if hint in WORDS:
        return WORDS[hint]
    if origin is tuple:
        return f"list of {words(options[0])}"
    if isinstance(origin, type) and issubclass(origin, Mapping):
        null = " or null" if NoneType in get_args(get_args(hint)[1]) else ""
        return f"{words(options[1])}{null} by name"
    if origin is Literal or (isinstance(hint, type) and issubclass(hint, Enum)):
        names = options or [member.value for member in hint]
        return ", ".join(f'`"{name}"`' for name in names)
    return " or ".join(words_of_union(options or [hint]))


def words_of_union(options: list[Any]) -> Iterator[str]:
    numbers = {each for each in options if each in NUMBERS}
    if numbers:
        yield "whole number" if numbers == {int} else "number"
    if Fraction in numbers:
        yield "fraction"
    for each in options:
        if each in WORDS or get_origin(each):
            yield words(each)
        elif each not in NUMBERS:
            yield f"[`{each.__name__}`](#{each.__name__.lower()})"


def without_default(term: Term) -> bool:
    return term.default is Parameter.empty


def default(term: Term) -> str:
    """Say what a key stands for where it is left out."""
    value = term.default.value if isinstance(term.default, Enum) else term.default
    if value is Parameter.empty:
        return ""
    if value is None or value == ():
        return "none"
    if value == Cycle.monthly():
        return "calendar months in UTC"
    if isinstance(value, (Mapping, bool)):
        return f"`{json.dumps(value)}`" if value in (True, False) else "none"
    return f'`"{value}"`' if isinstance(value, (str, int)) else f"`{value}`"


def rows(terms: Iterable[Term], said: Mapping[str, str]) -> Iterator[str]:
    yield "| key | written as | left out | meaning |"
    yield "|---|---|---|---|"
    for term in terms:
        written = words(term.hint)
        if term.default is not None and NoneType in get_args(term.hint):
            written += " or null"
        meaning = said.get(term.name, "").replace("``", "`").replace("|", "\\|")
        yield f"| `{term.name}` | {written} | {default(term)} | {meaning} |"


def summary(kind: type) -> str:
    text = (getdoc(kind) or "").partition("\n\n")[0]
    return " ".join(text.replace("``", "`").split())


def json_keys() -> Iterator[str]:
    """Yield a section for each class that has a text."""
    for kind in sorted((*KINDS, *PRICE_MODELS), key=lambda kind: kind.__name__):
        following = JSON.consequences.get(kind, ())
        terms = terms_of(kind)
        if kind is Money:  # which isn't written as it is made
            terms = [Term("amount", Decimal, Parameter.empty), terms[1]]
        yield f"### {kind.__name__}\n"
        yield f"{summary(kind)}\n"
        yield from rows(terms, descriptions(kind))
        for name in following:
            yield f"| `{name}` | {words(type_of(kind, name))} | | follows from the rest |"
        yield ""


def file_keys() -> Iterator[str]:
    """Yield a section for each table of a file of plans."""
    for kind, named in FILE_KINDS.items():
        terms = [
            term._replace(default=None) if (kind, term.name) == (Tier, "up_to") else term
            for term in terms_of(kind)
            if term.name != named
        ]
        yield f"### {kind.__name__}\n"
        if kind in PRICE_MODELS:
            yield f'`model = "{model_name(kind)}"`. {summary(kind)}\n'
        else:
            yield f"{summary(kind)}\n"
        lines = list(rows(terms, descriptions(kind)))
        for (holder, name), written in WRITTEN_IN_FILES.items():
            if holder is kind:
                place = next(i for i, line in enumerate(lines) if line.startswith(f"| `{name}` |"))
                cells = lines[place].split(" | ")
                lines[place] = " | ".join([cells[0], written, *cells[2:]])
        if kind is Plan:
            lines += [
                f"| `{key}` | {WRITTEN_OF_PLANS[key]} | none | {meaning} |"
                for key, meaning in PLAN_KEYS.items()
            ]
        text = "\n".join(lines)
        yield text.replace("number or null", 'number or `"unlimited"`')
        yield ""


def command_keys() -> Iterator[str]:
    """Yield a section for each command, and the exit statuses."""
    for name, command in commands_of(command_parser()).items():
        yield f"### overages {name}\n"
        yield f"{sentence(command.description)}.\n"
        yield "| argument | meaning |"
        yield "|---|---|"
        for action in command._actions[1:]:  # the first is --help
            names = " ".join([*action.option_strings[:1], named(action)]).strip()
            escaped = names.replace("|", "\\|")
            meaning = sentence(action.help).replace("%(default)s", str(action.default))
            yield f"| `{escaped}` | {meaning} |"
        yield ""
    yield "### Exit statuses\n"
    yield "| status | meaning |"
    yield "|---|---|"
    for status, meaning in re.findall(r"^  (\d+)  (.*)$", STATUSES, re.MULTILINE):
        yield f"| {status} | {meaning} |"
    yield ""


def sentence(text: str | None) -> str:
    assert text is not None
    return text[:1].upper() + text[1:]


def named(action: argparse.Action) -> str:
    """Return the value that an argument takes, as its help names it."""
    if action.choices is not None:
        return "|".join(map(str, action.choices))
    if action.nargs == 0:
        return ""
    return str(action.metavar or action.dest.upper())


def arguments_of(thing: Callable[..., object]) -> str:
    """Return the arguments of something public, as the reference writes them."""
    written = []
    for name, parameter in signature(thing).parameters.items():
        if parameter.kind is parameter.KEYWORD_ONLY and "*" not in written:
            written.append("*")
        value = parameter.default
        written.append(name if value is parameter.empty else f"{name}={default_text(value)}")
    return ", ".join(written)


def default_text(value: object) -> str:
    """Return a default as the reference writes it: a rule by its name."""
    if isinstance(value, (Enum, str)):
        return json.dumps(value.value if isinstance(value, Enum) else value)
    if isinstance(value, Balance):
        return "Balance()"
    if isinstance(value, timedelta):
        return repr(value).removeprefix("datetime.").replace("(0)", "()")
    if value == Cycle.monthly():
        return "Cycle.monthly()"
    return "{}" if isinstance(value, Mapping) else getattr(value, "__qualname__", repr(value))


CALL = re.compile(r"^\| `(\w+)\((.*?)\)` \|( `([\w.]+)` \|)?", re.MULTILINE)


def with_calls(page: str) -> str:
    """Write the calls that begin rows as they are today."""

    def call(row: re.Match[str]) -> str:
        name, arguments, column, module = row.groups()
        if "..." in arguments or not (module or name in overages.__all__):
            return row[0]
        thing = resolve_name(f"{module or 'overages'}:{name}")
        return f"| `{name}({arguments_of(thing)})` |{column or ''}"

    return CALL.sub(call, page)


def with_keys(page: str, keys: Iterable[str]) -> str:
    """Write what stands between the marks of a page."""
    text = "\n".join(keys)
    return re.sub(
        r"(<!-- keys -->\n).*?(<!-- end -->)", lambda m: f"{m[1]}\n{text}{m[2]}", page, flags=re.S
    )


PAGES: dict[str, Callable[[str], str]] = {
    "api.md": with_calls,
    "files.md": lambda page: with_keys(page, file_keys()),
    "json.md": lambda page: with_keys(page, json_keys()),
    "command-line.md": lambda page: with_keys(page, command_keys()),
}


if __name__ == "__main__":
    for name, write in PAGES.items():
        path = REFERENCE / name
        path.write_text(write(path.read_text("utf-8")), "utf-8")
