"""Every error of the library.

Each error is an `OveragesError` and also the standard library's type that a reader would expect
(`ValueError`, `TypeError` or `LookupError`), so a host may catch either. An error carries what it
says as attributes; `field` is the path to the bad input, such as ``tiers[1].up_to``.

>>> from overages import PerUnit
>>> PerUnit("0,10")
Traceback (most recent call last):
    ...
overages.errors.InvalidValue: price: must be a plain decimal number such as 12.5, got '0,10'
"""

from __future__ import annotations

from typing import Final

_SHOWN: Final = 80  # characters of an offending value that a message repeats


def join_path(path: str, field: str) -> str:
    """Put a field behind the path to what holds it.

    >>> join_path("tiers[0]", "price"), join_path("tiers", "[0]"), join_path("plan", "")
    ('tiers[0].price', 'tiers[0]', 'plan')
    >>> join_path("org-1, 2024-02: ", "usage")  # a path may be a phrase
    'org-1, 2024-02: usage'
    """
    joint = "" if not field or field.startswith("[") or path.endswith(" ") else "."
    return f"{path}{joint}{field}"


def _shown(value: object) -> str:
    try:
        text = repr(value)
    except Exception:  # a stranger's broken repr must not hide the error (so must a giant int's)
        text = f"<{type(value).__name__} that can't be shown>"
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 3]}..."


class OveragesError(Exception):
    """Base of every error that the library raises on purpose."""

    @property
    def errors(self) -> tuple[OveragesError, ...]:
        """All that was found wrong: the error itself, or each one that it gathers."""
        return (self,)

    def within(self, path: str) -> OveragesError:
        """Return the same error, its field put behind `path`."""
        del path  # an error without a field stays as it is
        return self


class _FieldError(OveragesError):
    """An input that was refused: its `field`, its `value`, and the `problem` with it."""

    def __init__(self, field: str, value: object, problem: str) -> None:
        super().__init__(field, value, problem)
        self.field = field
        self.value = value
        self.problem = problem

    def __str__(self) -> str:
        return f"{self.field}: {self.problem}, got {_shown(self.value)}"

    def within(self, path: str) -> OveragesError:
        return type(self)(join_path(path, self.field), self.value, self.problem)


class InvalidValue(_FieldError, ValueError):
    """A value of the right type that is not allowed: out of bounds, badly written, not unique."""


class InvalidType(_FieldError, TypeError):
    """A value of a type that is never accepted there, such as a float for a price."""


class UnknownCurrency(_FieldError, LookupError):
    """A currency code that ISO 4217 doesn't know and that came without an exponent."""


class UnknownMetric(_FieldError, LookupError):
    """A metric that the plan (or the statement, or the summary) has nothing to say of."""

    def __str__(self) -> str:
        return f"{self.field}: {self.problem}"


class UnknownPlan(_FieldError, LookupError):
    """A plan that is referred to but not there, or an org that has none."""


class CurrencyMismatch(OveragesError, ValueError):
    """Amounts of two currencies met in one sum or comparison."""

    def __init__(self, left: str, right: str) -> None:
        super().__init__(left, right)
        self.left = left
        self.right = right

    def __str__(self) -> str:
        return f"currency: {self.left} and {self.right} can't be added or compared"


class EventConflict(_FieldError, ValueError):
    """An event id that was seen before with other content."""


class GrantConflict(_FieldError, ValueError):
    """A grant id that was seen before with other content."""


class UnknownGrant(_FieldError, LookupError):
    """A grant that is referred to but not there."""


class UnknownCustomer(_FieldError, LookupError):
    """An org that the other system, which is to bill it, has no customer for."""


class InvalidValues(OveragesError, ValueError):
    """Several errors, found in one input and reported together; `errors` has each of them."""

    def __init__(self, errors: tuple[OveragesError, ...]) -> None:
        super().__init__(errors)
        self._errors = errors

    @property
    def errors(self) -> tuple[OveragesError, ...]:
        return self._errors

    def within(self, path: str) -> OveragesError:
        return InvalidValues(tuple(error.within(path) for error in self._errors))

    def __str__(self) -> str:
        return "\n".join([f"{len(self._errors)} problems:", *(f"- {e}" for e in self._errors)])


class RecordConflict(_FieldError, ValueError):
    """A revision of a period that is there already, and says something else.

    `field` names what differs, such as ``tokens.quantity, tokens.cost``.
    """


class PeriodOverlap(_FieldError, ValueError):
    """A charge for a period that overlaps another one that the org was charged for."""


class PeriodInvoiced(_FieldError, ValueError):
    """A change of a period that is invoiced, and that wasn't forced."""


class RecordsAltered(OveragesError, ValueError):
    """Records of an org are not what was recorded; the first one that shows it is named."""

    def __init__(self, org_id: str, sequence: int, problem: str) -> None:
        super().__init__(org_id, sequence, problem)
        self.org_id = org_id
        self.sequence = sequence
        self.problem = problem

    def __str__(self) -> str:
        return f"{self.org_id}: record {self.sequence} {self.problem}"


class BillingDisabled(OveragesError, RuntimeError):
    """Overage billing is switched off: nothing was calculated, nothing written."""


class StorageError(OveragesError, OSError):
    """A database can't do what it was asked to; nothing was written."""


class StorageBusy(StorageError):
    """Another connection holds the database; the same call can be made again."""


class StorageFull(StorageError):
    """There is no room left to write to."""


class StorageReadOnly(StorageError):
    """A write to a database that may only be read."""


class AccessDenied(StorageError):
    """A read or a write that this handle doesn't allow."""


class StorageCorrupt(StorageError):
    """The database is damaged, or is none."""


class ForeignDatabase(StorageError):
    """A database that is someone else's; nothing in it was touched."""


class SchemaTooNew(StorageError):
    """A database that a newer release has made; nothing in it was touched."""
