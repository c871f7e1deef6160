"""The columns of a usage file: where its header has those that its layout names.

columns = find_columns(["team", "tokens", "timestamp"], layout)
columns.org_id, columns.metrics                   # 0, {"tokens": 1}
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from json import dumps
from typing import Final, NamedTuple

from overages._ground.columns import DIMENSION, dimension_of
from overages._ground.names import parse_name
from overages._ground.parsing import Problems
from overages.errors import EmptyFile, InvalidValue, did_you_mean
from overages.imports.usage_files.layout import OWN_NAMES, UsageLayout
from overages.usage.event import MOST_DIMENSIONS

_SEPARATORS: Final = ",;\t|"


class UsageColumns(NamedTuple):
    """The places of a file's columns, counted from 0; None of one that it doesn't have.

    :param header: the names of all of them.
    :param metrics: the places of quantities by metric, of a file with a column for each.
    :param dimensions: the places of dimensions, sorted by name.
    """

    header: Sequence[str]
    org_id: int | None
    metric: int | None
    quantity: int | None
    timestamp: int
    event_id: int | None
    metrics: Mapping[str, int]
    dimensions: Mapping[str, int]


def find_columns(header: Sequence[str], layout: UsageLayout) -> UsageColumns:
    """Return the places of the columns that a layout names, and of dimensions.

    :raises EmptyFile: if there is no header.
    :raises InvalidValue: if a column is missing, unknown or there twice; `InvalidValues` for
        several faults.

    >>> find_columns(["org_id", "Metric", "quantity", "timestamp"], UsageLayout())
    Traceback (most recent call last):
        ...
    overages.errors.InvalidValue: columns: must be named 'metric', not 'Metric'; or write \
columns = { metric = "Metric" } under [usage], got ['org_id', 'Metric', 'quantity', 'timestamp']
    """
    wanted = _wanted(layout)
    if not header:
        example = layout.separator.join(wanted)
        raise EmptyFile("columns", "", f"must have a header that names them, such as {example}")
    _refuse_nul(header)
    _refuse_separator(header, wanted, layout)
    problems = Problems()
    dimensions = _dimensions(header, wanted, layout, problems)
    _refuse_names(header, wanted, dimensions.values(), layout, problems)
    for column in dict.fromkeys((*wanted, *dimensions.values())):
        if header.count(column) > 1:
            problems.add(InvalidValue("columns", column, "must each be named once"))
    problems.raise_any()
    places = {name: header.index(column) for column, name in wanted.items() if column in header}
    return UsageColumns(
        header,
        places.get("org_id"),
        places.get("metric"),
        places.get("quantity"),
        places["timestamp"],
        places.get("event_id"),
        {metric: header.index(column) for metric, column in layout.metrics.items()},
        {name: header.index(column) for name, column in sorted(dimensions.items())},
    )


def _wanted(layout: UsageLayout) -> dict[str, str]:
    """List the columns of the file that a layout names, each with our name of it, or its metric."""
    constants = {name for name in ("org_id", "metric", "quantity") if getattr(layout, name)}
    if layout.metrics:
        constants |= {"metric", "quantity"}
    own = {layout.column_of(name): name for name in OWN_NAMES if name not in constants}
    return {**own, **dict.fromkeys(layout.metrics.values(), "")}


def _refuse_nul(header: Sequence[str]) -> None:
    if any("\0" in column for column in header):
        problem = 'must hold no NUL; if the file is in UTF-16, write encoding = "utf-16" '
        raise InvalidValue("columns", header, problem + "under [usage]")


def _refuse_separator(header: Sequence[str], wanted: Iterable[str], layout: UsageLayout) -> None:
    """Refuse a header whose names have another character between them."""
    line = layout.separator.join(header)
    other = max((each for each in _SEPARATORS if each != layout.separator), key=line.count)
    names = {_plain(name) for name in wanted}
    has_names = not names.isdisjoint(map(_plain, header))
    would_have = not names.isdisjoint(map(_plain, line.split(other)))
    if other in line and (len(header) == 1 or (would_have and not has_names)):
        problem = (
            f"must be separated by {layout.separator!r}, not by {other!r}; if they are, write "
            f"separator = {dumps(other)} under [usage]"
        )
        raise InvalidValue("columns", line, problem)


def _plain(name: str) -> str:
    """Return the letters and digits of a name alone, small ones: it may be written otherwise."""
    return re.sub(r"[\W_]", "", name.casefold())


def _dimensions(
    header: Sequence[str], wanted: Mapping[str, str], layout: UsageLayout, problems: Problems
) -> dict[str, str]:
    """Return the columns of dimensions, by dimension; some are named after them."""
    columns = {
        name: column for column in header if (name := dimension_of(column)) and column not in wanted
    }
    for name, column in layout.dimensions.items():
        if columns.get(name, column) != column:
            problem = f"must be the only column of dimension {name}"
            problems.add(InvalidValue("columns", columns[name], problem))
        columns[name] = column
    for name in columns:
        problems.attempt(parse_name, name, "columns")
    if len(columns) > MOST_DIMENSIONS:
        problem = f"must have at most {MOST_DIMENSIONS} dimensions"
        problems.add(InvalidValue("columns", len(columns), problem))
    return columns


def _refuse_names(
    header: Sequence[str],
    wanted: Mapping[str, str],
    dimensions: Iterable[str],
    layout: UsageLayout,
    problems: Problems,
) -> None:
    """Tell the columns that are written otherwise, those that are missing, and unknown ones.

    An unknown one that resembles a missing one is told with that alone.
    """
    named = (*wanted, *dimensions)
    absent = [column for column in named if column not in header]
    unnamed = [each for each in header if each not in named and not dimension_of(each)]
    by_plain = {_plain(column): column for column in unnamed}
    otherwise = {name: by_plain[_plain(name)] for name in absent if _plain(name) in by_plain}
    is_optional = "event_id" not in layout.columns
    absent = [column for column in absent if column not in otherwise]
    missing = [column for column in absent if not (is_optional and column == "event_id")]
    near = {name: column for name in missing for column in get_close_matches(name, unnamed, n=1)}
    if otherwise:
        pairs = ", ".join(f"{name!r}, not {column!r}" for name, column in otherwise.items())
        problem = f"must be named {pairs}{_advice('; or', otherwise, wanted)}"
        problems.add(InvalidValue("columns", header, problem))
    if missing:
        hints = (f" (did you mean {near[name]!r}?)" if name in near else "" for name in missing)
        text = ", ".join(name + hint for name, hint in zip(missing, hints, strict=True))
        advice = _advice("; if so,", near, wanted) or "; other names are said under [usage]"
        problems.add(InvalidValue("columns", header, f"must have {text}{advice}"))
    unknown = [each for each in unnamed if each not in {*otherwise.values(), *near.values()}]
    knows_some = otherwise or len(unnamed) < len(header)  # if none, one message will do
    if unknown and layout.extra == "refuse" and knows_some:
        problems.add(_unknown(unknown, named, absent))


def _unknown(unknown: Sequence[str], named: Sequence[str], absent: Sequence[str]) -> InvalidValue:
    hint = next((hint for each in unknown if (hint := did_you_mean(each, absent))), "")
    problem = (
        f"must be among {', '.join((*named, f'{DIMENSION}<name>'))}{hint}; "
        'others are passed over with extra = "ignore" under [usage]'
    )
    return InvalidValue("columns", unknown[0] if len(unknown) == 1 else unknown, problem)


def _advice(beginning: str, columns: Mapping[str, str], wanted: Mapping[str, str]) -> str:
    """Return the advice to name columns in a layout, given by the names that were looked for."""
    ours = {wanted.get(name): column for name, column in columns.items()}
    entries = ", ".join(f"{name} = {dumps(column)}" for name, column in ours.items() if name)
    return f"{beginning} write columns = {{ {entries} }} under [usage]" if entries else ""
