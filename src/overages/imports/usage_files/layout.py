"""The layout of usage files: the columns that they have, and how these are written.

    layout = UsageLayout(columns={"org_id": "team"}, metrics={"tokens_in": "prompt_tokens"})
    layout.column_of("timestamp")                     # "timestamp": our own name, as none is given

It is the table ``[usage]`` of a file of plans: docs/how-to/read-your-export.md has examples.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Final, Literal, TypeAlias

from overages._ground.columns import EVENTS, names_of
from overages._ground.frozen_dict import FrozenDict
from overages._ground.names import by_name, optional_name
from overages._ground.parsing import Problems, choice_of, optional, plain_str
from overages._ground.value import term, value
from overages.amounts.exact import Quantity, QuantityLike, parse_positive
from overages.errors import Field, InvalidType, InvalidValue, at, did_you_mean
from overages.periods.timezones import parse_timezone
from overages.usage.event import MOST_DIMENSIONS

Extra: TypeAlias = Literal["refuse", "ignore"]
"""The fate of a column that nothing names."""

Timestamp: TypeAlias = Literal["iso", "epoch_seconds", "epoch_milliseconds"]
"""The way in which instants are written."""

OWN_NAMES: Final = names_of(EVENTS)
"""The names of the columns that a file has by itself: of an org, a metric, and so on."""

_NOTHING: Final[FrozenDict[str, str]] = FrozenDict()
_NO_SEPARATORS: Final = '"\r\n\0'


def _parse_column(value: object, field: Field) -> str:
    """Return the name of a column of a file, whatever it is."""
    column = plain_str(value)
    if column is None:
        raise InvalidType(field, value, "must be a str, the name of a column")
    if not column:
        raise InvalidValue(field, value, "must not be empty")
    return column


_columns_by_name: Final = by_name(_parse_column, "our names to columns of the file", of="name")
_parse_metrics: Final = by_name(_parse_column, "metrics to columns of the file", of="metric")
_dimensions_by_name: Final = by_name(_parse_column, "dimensions to columns", of="dimension")


def _parse_columns(value: object, field: Field) -> FrozenDict[str, str]:
    columns = _columns_by_name(value, field)
    problems = Problems()
    for name in columns:
        if name not in OWN_NAMES:
            problem = f"must be one of {', '.join(OWN_NAMES)}{did_you_mean(name, OWN_NAMES)}"
            problems.add(InvalidValue(at(field, name), name, problem))
    problems.raise_any()
    return columns


def _parse_dimensions(value: object, field: Field) -> FrozenDict[str, str]:
    dimensions = _dimensions_by_name(value, field)
    if len(dimensions) > MOST_DIMENSIONS:
        raise InvalidValue(field, len(dimensions), f"must be at most {MOST_DIMENSIONS}")
    return dimensions


def _parse_separator(value: object, field: Field) -> str:
    separator = plain_str(value)
    if separator is None:
        raise InvalidType(field, value, "must be a str of one character")
    if len(separator) != 1 or separator in _NO_SEPARATORS:
        raise InvalidValue(field, value, 'must be one character, such as ";" or "\\t"')
    return separator


def _parse_encoding(value: object, field: Field) -> str:
    """Return the one name that Python has for an encoding of text."""
    from codecs import lookup

    name = plain_str(value)
    if name is None:
        raise InvalidType(field, value, "must be a str, the name of an encoding")
    try:
        "a".encode(name)  # refuses those that aren't of text, such as "hex"
        return lookup(name).name
    except (LookupError, ValueError):
        problem = 'must be an encoding, such as "utf-8", "utf-16", "latin-1" or "cp1252"'
        raise InvalidValue(field, value, problem) from None


@value
class UsageLayout:
    """The layout of a usage file, where it isn't the library's own.

    :param columns: the file's names of our columns: of `org_id`, `metric`, `quantity`, `timestamp`
        and `event_id`. One that isn't named here has our name.
    :param metrics: the columns that hold the quantities of a metric each, by metric. A row then
        gives an event for each of them that isn't empty, and the event's id is the row's with the
        metric: `<id>/<metric>`.
    :param dimensions: the columns that hold dimensions, by dimension; beside those that are named
        `dimension.<name>`.
    :param org_id: the org of all rows, where no column says it.
    :param metric: the metric of all rows, where no column says it.
    :param quantity: the quantity that each row counts, where no column says it: 1 for a row for
        each request.
    :param extra: the fate of columns that nothing names: `"refuse"`, for a misspelt `event_id`
        would count events twice, or `"ignore"`.
    :param timestamp: the way in which instants are written: `"iso"` for ISO 8601 times and dates (a
        date is its midnight), `"epoch_seconds"` or `"epoch_milliseconds"` since 1970.
    :param timezone: the IANA name of the timezone of times without one, and of dates; without it,
        they are errors.
    :param separator: the character between two fields.
    :param encoding: the encoding of the text; a byte order mark is passed over.
    :raises InvalidType: for a value of a wrong type.
    :raises InvalidValue: for a value that is not allowed, or not with the others; `InvalidValues`
        for several.

    >>> UsageLayout(metric="tokens", metrics={"tokens_in": "prompt_tokens"})
    Traceback (most recent call last):
        ...
    overages.errors.InvalidValue: metric: must be left out, as metrics has a column for each metric\
, got 'tokens'
    """

    columns: Mapping[str, str] = term(_parse_columns)
    metrics: Mapping[str, str] = term(_parse_metrics)
    dimensions: Mapping[str, str] = term(_parse_dimensions)
    org_id: str | None = term(optional_name)
    metric: str | None = term(optional_name)
    quantity: Quantity | None = term(optional(parse_positive))
    extra: Extra = term(choice_of(Extra))
    timestamp: Timestamp = term(choice_of(Timestamp))
    timezone: str | None = term(optional(parse_timezone))
    separator: str = term(_parse_separator)
    encoding: str = term(_parse_encoding)

    def __init__(
        self,
        *,
        columns: Mapping[str, str] = _NOTHING,
        metrics: Mapping[str, str] = _NOTHING,
        dimensions: Mapping[str, str] = _NOTHING,
        org_id: str | None = None,
        metric: str | None = None,
        quantity: QuantityLike | None = None,
        extra: Extra = "refuse",
        timestamp: Timestamp = "iso",
        timezone: str | None = None,
        separator: str = ",",
        encoding: str = "utf-8",
    ) -> None: ...

    def _check_metrics(self, problems: Problems) -> None:
        """Refuse a metric, or a quantity, that is said twice."""
        if not self.metrics:
            return
        problem = "must be left out, as metrics has a column for each metric"
        for name in ("metric", "quantity"):
            if name in self.columns:
                problems.add(InvalidValue(("columns", name), self.columns[name], problem))
            if getattr(self, name) is not None:
                problems.add(InvalidValue(name, getattr(self, name), problem))

    def _check_columns(self, problems: Problems) -> None:
        """Refuse a value for all rows that a column says for each."""
        for name in ("org_id", "metric", "quantity"):
            if name in self.columns and getattr(self, name) is not None:
                problem = "must be left out, as columns has one that says it"
                problems.add(InvalidValue(name, getattr(self, name), problem))

    def _check_each_once(self, problems: Problems) -> None:
        """Refuse a column that is read as two things, so that nothing is counted twice."""
        roles = [("columns", name) for name in self.columns]
        roles += [("metrics", name) for name in self.metrics]
        read = [getattr(self, of)[name] for of, name in roles]
        counts = Counter(read)
        for role, column in zip(roles, read, strict=True):
            if counts[column] > 1:
                problems.add(InvalidValue(role, column, "must be named once"))

    def _check_timezone(self, problems: Problems) -> None:
        if self.timezone is not None and self.timestamp != "iso":
            problem = f"must be left out, as {self.timestamp} are of no timezone"
            problems.add(InvalidValue("timezone", self.timezone, problem))

    def column_of(self, name: str) -> str:
        """Return the file's name of one of our columns, if it has one of that content."""
        return self.columns.get(name, name)
