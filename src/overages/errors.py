"""Every error of the library.

Each error is an `OveragesError` and also the standard library's type that a reader would expect
(`ValueError`, `TypeError` or `LookupError`), so a host may catch either. An error has its
parts as attributes: `path` leads to the bad input, step by step, `field` is the same as a text, and
`org_id` and `period` say whose bill it was, where that is known.

>>> from overages import PerUnit
>>> PerUnit("0,10")
Traceback (most recent call last):
    ...
overages.errors.InvalidValue: price: must be a plain decimal number such as 12.5, got '0,10'
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from copy import copy
from datetime import timedelta
from typing import Any, Final, TypeAlias, cast

__all__ = [
    "AccessDenied",
    "AccountConflict",
    "BillingDisabled",
    "CurrencyMismatch",
    "EmptyFile",
    "EventConflict",
    "FaultyPriceModel",
    "ForeignDatabase",
    "GrantConflict",
    "InvalidType",
    "InvalidValue",
    "InvalidValues",
    "NoTerms",
    "NoTransaction",
    "OveragesError",
    "PeriodClosed",
    "PeriodOverlap",
    "PlanConflict",
    "QueryTooLarge",
    "QueryTooSlow",
    "QuotaExceeded",
    "RecordConflict",
    "RecordsAltered",
    "ReservationConflict",
    "SchemaInUse",
    "SchemaTooNew",
    "StorageBusy",
    "StorageCorrupt",
    "StorageError",
    "StorageFull",
    "StorageReadOnly",
    "UnknownAlert",
    "UnknownBudget",
    "UnknownCurrency",
    "UnknownCustomer",
    "UnknownEvent",
    "UnknownGrant",
    "UnknownMetric",
    "UnknownPlan",
    "UnknownReservation",
    "UsageAltered",
]  # fmt: skip

Path: TypeAlias = tuple[str | int, ...]
"""The way to an input: names of fields and keys, and places in lists, counted from 0."""

Field: TypeAlias = str | Path
"""One name, or the whole way to it; a parser is told either."""

MOST_ERRORS: Final = 100  # of one input; what reads it stops there
_NAMED: Final = 5  # fields that the text of several errors names
_SHOWN: Final = 80  # characters of an offending value, or of a key, that a message repeats


def at(field: Field, *steps: str | int) -> Path:
    """Go on from a field by some steps.

    >>> at("tiers", 1, "up_to"), at((), "slug")
    (('tiers', 1, 'up_to'), ('slug',))
    """
    if isinstance(field, str):
        return (field, *steps) if field else steps
    return (*field, *steps)


def path_text(path: Path) -> str:
    """Write a path as a person would: ``tiers[1].up_to``."""
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{_key(step)}" for step in path)
    return text.removeprefix(".")


def _key(step: str) -> str:
    return (step if step.isprintable() else ascii(step)[1:-1])[:_SHOWN] or '""'


def shown(value: object) -> str:
    """Write a value as it was given, in 80 characters at most.

    >>> from decimal import Decimal
    >>> shown(Decimal("-0.15")), shown("0,10"), shown("x" * 100)[-5:]
    ('-0.15', "'0,10'", 'xx...')
    """
    try:
        text = _written(value)
    except Exception:  # a stranger's broken repr must not hide the error (so must a giant int's)
        text = f"<{type(value).__name__} that can't be shown>"
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 3]}..."


def _written(value: object) -> str:
    kind = type(value)
    if kind.__module__ in {"decimal", "fractions", "_decimal"}:  # 0.15, not Decimal('0.15')
        return str(value)
    if kind.__module__ == "datetime" and hasattr(value, "isoformat"):
        return str(value.isoformat())
    return repr(value)


def did_you_mean(word: object, words: Iterable[str]) -> str:
    """Name the word that a misspelt one resembles, as the end of a message; else nothing.

    >>> did_you_mean("includd", ["included", "price"]), did_you_mean("seats", ["tokens"])
    (" (did you mean 'included'?)", '')
    """
    from difflib import get_close_matches  # needed only when something is wrong

    if not isinstance(word, str):
        return ""
    by_folded = {each.casefold(): each for each in words}
    close = get_close_matches(word[:_SHOWN].casefold(), by_folded, n=1)
    return f" (did you mean {by_folded[close[0]]!r}?)" if close else ""


class OveragesError(Exception):
    """Base of every error that the library raises on purpose.

    `path` leads to the bad input, `org_id` and `period` say whose bill it was for; each is empty or
    None where that isn't known.
    """

    path: Path = ()
    org_id: str | None = None
    period: Any = None  # a Period, which this module is too deep to know

    @property
    def field(self) -> str:
        """The path as a text, such as ``tiers[1].up_to``."""
        return path_text(self.path)

    @property
    def errors(self) -> tuple[OveragesError, ...]:
        """All that was found wrong: the error itself, or each one that it gathers."""
        return (self,)

    def within(
        self, *steps: str | int, org_id: str | None = None, period: Any = None
    ) -> OveragesError:
        """Make the same error of an input that holds this one's.

        :param steps: the way from that input to this one's.
        :param org_id: whose bill it is for, unless the error says so already.
        :param period: for when, a `Period`, likewise.
        """
        outer = copy(self)
        outer.__cause__ = self.__cause__  # the error of a host's own code
        outer.path = (*steps, *self.path)
        outer.org_id = org_id if self.org_id is None else self.org_id
        outer.period = period if self.period is None else self.period
        return outer

    def _context(self) -> str:
        """Say whose input it was, and where in it."""
        period = None if self.period is None else self.period.describe()
        names = ", ".join(name for name in (self.org_id, period) if name is not None)
        return "".join(f"{name}: " for name in (names, self.field) if name)

    def __str__(self) -> str:
        return self._context() + super().__str__()


class _FieldError(OveragesError):
    """An input that was refused: its `path`, its `value`, and the `problem` with it."""

    def __init__(self, field: Field, value: object, problem: str) -> None:
        super().__init__(field, value, problem)
        self.path: Path = at(field)
        self.value = value
        self.problem = problem

    def __str__(self) -> str:
        return f"{self._context()}{self.problem}, got {shown(self.value)}"


class InvalidValue(_FieldError, ValueError):
    """A value of the right type that is not allowed: out of bounds, badly written, not unique."""


class EmptyFile(InvalidValue):
    """A file of usage in which there is nothing, not even a header."""


class InvalidType(_FieldError, TypeError):
    """A value of a type that is never accepted there, such as a float for a price."""


class UnknownCurrency(_FieldError, LookupError):
    """A currency code that ISO 4217 doesn't know and that came without an exponent."""


class _StatedError(_FieldError):
    """An error whose problem names the value, which its text doesn't repeat."""

    def __str__(self) -> str:
        return f"{self._context()}{self.problem}"


class UnknownMetric(_StatedError, LookupError):
    """A metric that the plan (or the statement, or the summary) has nothing to say of."""


class UnknownPlan(_FieldError, LookupError):
    """A plan that is referred to but not there, or an org that has none."""


class NoTerms(_FieldError, LookupError):
    """An instant lies in no period of an account's: before it begins, in a pause, after its end."""


class CurrencyMismatch(OveragesError, ValueError):
    """Amounts of two currencies met in one sum, one comparison or one plan."""

    def __init__(self, left: str, right: str, field: Field = ()) -> None:
        super().__init__(left, right, field)
        self.path: Path = at(field)
        self.left = left
        self.right = right

    def __str__(self) -> str:
        return f"{self._context()}{self.left} and {self.right} can't be added or compared"


class FaultyPriceModel(_FieldError, RuntimeError):
    """A price model of a host's own that broke its contract: a fault of the program, not of input.

    `value` is its result, or the error that it raised.
    """


class EventConflict(_FieldError, ValueError):
    """An event id that was seen before with other content."""


class AccountConflict(_FieldError, ValueError):
    """An account's history isn't the one that is kept, with entries added at its end."""


class PlanConflict(_FieldError, ValueError):
    """A plan's first version isn't the one that is in force in a repository."""


class GrantConflict(_FieldError, ValueError):
    """A grant id that was seen before with other content."""


class UnknownGrant(_FieldError, LookupError):
    """A grant that is referred to but not there."""


class UnknownAlert(_FieldError, LookupError):
    """An alert that is referred to but not there."""


class UnknownBudget(_FieldError, LookupError):
    """A budget that is referred to but not there."""


class UnknownEvent(_FieldError, LookupError):
    """An event that is referred to by its id but not there."""


class ReservationConflict(_FieldError, ValueError):
    """A key of a reservation that was seen before with other content, or ended otherwise."""


class UnknownReservation(_FieldError, LookupError):
    """A reservation that is referred to by its key but not there."""


class UnknownCustomer(_FieldError, LookupError):
    """An org that the other system, which is to bill it, has no customer for."""


class InvalidValues(InvalidValue, ExceptionGroup[OveragesError]):
    """Several errors, found in one input and reported together.

    It is an `ExceptionGroup`, so that ``except*`` tells them apart, and `errors` has each of them.
    As it is an `InvalidValue` too, a host with one answer to all bad input needs one ``except``.
    Its own text counts them and names their fields; a traceback has the text of each beneath. To
    tell a person all of them, write a line for each of the `errors`.

    Reading stops at a hundred of them: an input with more is no input of its kind.
    """

    def __new__(cls, errors: Sequence[OveragesError]) -> InvalidValues:
        return ExceptionGroup.__new__(cls, _summary(errors), errors)

    def __init__(self, errors: Sequence[OveragesError]) -> None:
        InvalidValue.__init__(self, (), None, f"{len(errors)} problems")
        self.args: tuple[Any, ...] = (self.errors,)
        orgs, periods = {e.org_id for e in errors}, {e.period for e in errors}
        self.org_id: str | None = orgs.pop() if len(orgs) == 1 else None
        self.period: Any = periods.pop() if len(periods) == 1 else None

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.errors,)

    @property
    def errors(self) -> tuple[OveragesError, ...]:
        """Each of the errors."""
        return cast("tuple[OveragesError, ...]", self.exceptions)

    def derive(self, errors: Sequence[OveragesError], /) -> InvalidValues:  # type: ignore[override]
        """Make a group of some of the errors, as ``except*`` needs it."""
        return InvalidValues(errors)

    def within(
        self, *steps: str | int, org_id: str | None = None, period: Any = None
    ) -> InvalidValues:
        """Make the same errors of an input that holds this one's."""
        inner = self.errors
        return InvalidValues([e.within(*steps, org_id=org_id, period=period) for e in inner])

    def __str__(self) -> str:
        return self.message


def _summary(errors: Sequence[OveragesError]) -> str:
    """Return the number of errors and their fields: a traceback shows each of them beneath."""
    fields = list(dict.fromkeys(error.field for error in errors if error.path))
    text = "1 problem" if len(errors) == 1 else f"{len(errors)} problems"
    if len(errors) >= MOST_ERRORS:
        text += ", after which reading stopped"
    return ": ".join([text, *([", ".join(fields[:_NAMED])] if fields else [])]) + (
        ", ..." if len(fields) > _NAMED else ""
    )


class RecordConflict(_FieldError, ValueError):
    """A revision of a period that is there already, and says something else.

    `field` names the fields that differ, such as ``tokens.quantity, tokens.cost``.
    """


class PeriodOverlap(_StatedError, ValueError):
    """A charge for a period that overlaps others (its `value`) that the org was charged for."""


class PeriodClosed(_StatedError, ValueError):
    """A change of a period that is closed, since its `value`, and that wasn't forced."""


class RecordsAltered(OveragesError, ValueError):
    """Records of an org were changed or removed; the first one that shows it is named."""

    def __init__(self, org_id: str, sequence: int, problem: str) -> None:
        super().__init__(org_id, sequence, problem)
        self.org_id: str | None = org_id
        self.sequence = sequence
        self.problem = problem

    def __str__(self) -> str:
        return f"{self.org_id}: record {self.sequence} {self.problem}"


class UsageAltered(_FieldError, ValueError):
    """A counter of an org's usage or overage that isn't what it is made of comes to.

    `field` names the metric and the counter, `org_id` and `period` whose it is.
    """

    def __init__(
        self, field: Field, value: object, problem: str, org_id: str, period: object
    ) -> None:
        super().__init__(field, value, problem)
        self.args: tuple[Any, ...] = (field, value, problem, org_id, period)
        self.org_id: str | None = org_id
        self.period: Any = period


class QuotaExceeded(OveragesError, RuntimeError):
    """Units that were asked for may not be used: its `decision` has every limit that stands."""

    def __init__(self, decision: Any) -> None:  # a Decision, which this module is too deep to know
        super().__init__(decision)
        self.decision = decision
        self.org_id: str | None = decision.org_id

    @property
    def retry_after(self) -> int | None:
        """Whole seconds from the decision until the limit resets; None where that isn't known."""
        at, resets_at = self.decision.at, self.decision.resets_at
        if at is None or resets_at is None:
            return None
        return max(0, int(-((at - resets_at) // timedelta(seconds=1))))

    def __str__(self) -> str:
        return f"{self._context()}{self.decision.explain()}"


class BillingDisabled(OveragesError, RuntimeError):
    """Overage billing is switched off: nothing was calculated, nothing written."""


class StorageError(OveragesError, OSError):
    """A database failed at a call; nothing was written."""


class StorageBusy(StorageError):
    """Another connection holds the database; the same call can be made again."""


class StorageFull(StorageError):
    """There is no room left to write to."""


class StorageReadOnly(StorageError):
    """A write to a database that may only be read."""


class AccessDenied(StorageError):
    """A read or a write that this handle doesn't allow."""


class QueryTooSlow(StorageError):
    """A query that was stopped, since it took longer than whoever asked may take."""


class QueryTooLarge(StorageError):
    """A query that was stopped, since its rows were more than whoever asked may have."""


class NoTransaction(StorageError):
    """A write on a host's connection that has no transaction open: it could be lost."""


class StorageCorrupt(StorageError):
    """The database is damaged, or is none."""


class ForeignDatabase(StorageError):
    """A database that is someone else's; nothing in it was touched."""


class SchemaInUse(StorageError):
    """A step of the schema that can't be taken back, since rows (of its `tables`) would be lost."""

    def __init__(self, version: int, tables: Sequence[str]) -> None:
        super().__init__(version, tables)
        self.version: int = version
        self.tables: tuple[str, ...] = tuple(tables)

    def __str__(self) -> str:
        return (
            f"schema {self.version} can't be taken back: what is recorded in"
            f" {', '.join(self.tables)} would be lost"
        )


class SchemaTooNew(StorageError):
    """A database that a newer release has made; nothing in it was touched."""
