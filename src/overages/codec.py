"""The codec: strict, versioned JSON of values.

Equal values give equal bytes, and all values that are read go through the constructors, so that a
text gives a lawful value or an error that names each fault with its path:

    data = encode(plan)
    decode(data, Plan) == plan
    Codec(price_models=[Peak]).encode(plan_with_peaks)        # with a price model of a host's own
    json_schema(Plan)                                         # for who reads or writes it elsewhere
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any, Final, TypeVar, cast

from overages._ground.jsontext import MOST_BYTES, entries, parsed, written
from overages._ground.parsing import Problems, as_tuple, instance_of
from overages.errors import Field, InvalidType, InvalidValue
from overages.forms.canonical import check_canonical
from overages.forms.derived import Forms
from overages.forms.form import Schema
from overages.forms.holders import name_in, without
from overages.forms.hosted import check_models
from overages.forms.json import JSON, KINDS
from overages.forms.schema import schema_of
from overages.prices.models import PriceModel
from overages.prices.registry import PRICE_MODELS

T = TypeVar("T")

VERSION: Final = "1"
"""The version of the format; texts of a later one are refused here, not misread."""


class Codec:
    """Writes values as JSON and reads them, price models of a host's own among them.

    :param price_models: classes of price models, each with an annotated attribute for every
        argument of its constructor, as a dataclass or an attrs class has.
    :raises InvalidType: if one is no such class.
    :raises InvalidValue: if two have one name, or one has that of a class of the library.

    >>> from overages import PerUnit
    >>> Codec().encode(PerUnit("0.10"))
    b'{"price":"0.1","type":"PerUnit","version":"1"}'
    """

    __slots__ = ("_forms", "_kinds")

    @property
    def kinds(self) -> Collection[type]:
        """The classes whose values it writes and reads."""
        return self._kinds.values()

    def __init__(self, price_models: Iterable[type[PriceModel]] = ()) -> None:
        models: tuple[type, ...] = as_tuple(price_models, "price_models")
        ours = (*KINDS, *PRICE_MODELS)
        self._forms = Forms(JSON, models)
        check_models(models, [kind.__name__ for kind in ours], self._forms.object)
        self._kinds = {kind.__name__: kind for kind in (*ours, *models)}

    def encode(self, value: object, *, most_bytes: int = MOST_BYTES) -> bytes:
        """Return the canonical JSON text of a value, in UTF-8.

        :param most_bytes: the longest text that is made: a mebibyte, as `decode` reads.
        :raises InvalidType: if it is no value of the library, or holds a price model that isn't
            named in `price_models`; the error has the path to it.
        :raises InvalidValue: if the text would be longer.
        """
        return written(self.document(value), most_bytes)

    def document(self, value: object) -> dict[str, Any]:
        """Return the tree that `encode` writes, as dicts, lists and texts, however long.

        >>> from overages import Money
        >>> Codec().document(Money(2500, "USD"))
        {'type': 'Money', 'amount': '25.00', 'currency': 'USD', 'version': '1'}
        """
        return {"type": type(value).__name__, **self._write(value), "version": VERSION}

    def _require_kind(self, value: object) -> None:
        if type(value) is not self._kinds.get(type(value).__name__):
            raise InvalidType("value", value, "must be a value of the library")

    def _write(self, value: object) -> dict[str, Any]:
        self._require_kind(value)
        tree: dict[str, Any] = self._forms.document(type(value)).write(value, "")
        return tree

    def decode(self, data: bytes | str, expected: type[T], *, most_bytes: int = MOST_BYTES) -> T:
        """Return the value that a JSON text says.

        Keys may come in any order, with any space between; everything else must be as `encode`
        would write it.

        :param data: the text, in UTF-8 if in bytes.
        :param expected: the class of the value; ``object`` for any.
        :param most_bytes: the longest text that is read: more, where it is known who wrote it.
        :raises InvalidType: for a value of a wrong type, such as a number without quotes.
        :raises InvalidValue: for any other fault; `InvalidValues` for several.
        """
        instance_of(type)(expected, "expected")
        tree = parsed(data, most_bytes)
        named = entries(tree, "" if isinstance(tree, dict) else "data")
        problems = Problems()
        name = problems.attempt(name_in, named, "type", self._kinds, "")
        version = named.get("version")
        if version != VERSION:
            problems.add(InvalidValue("version", version, f"must be {VERSION!r}"))
        problems.raise_any()
        kind, fields = self._kinds[name], without(named, "version")
        if kind not in self._forms.tagged:
            del fields["type"]
        if not issubclass(kind, expected):
            raise InvalidValue("type", name, f"must be {expected.__name__}")
        value = self._forms.document(kind).read(fields, "")
        check_canonical(fields, self._write(value), (), problems)
        problems.raise_any()
        return cast(T, value)

    def to_builtins(self, value: object) -> Any:
        """Return a value as dicts, lists and texts, as it stands within another one's JSON.

        For libraries with a format of their own: YAML, a document store, cattrs, msgspec.

        :raises InvalidType: as `encode`.

        >>> from overages import Money
        >>> Codec().to_builtins(Money(2500, "USD"))
        {'amount': '25.00', 'currency': 'USD'}
        """
        self._require_kind(value)
        return self._forms.of(type(value)).write(value, "")

    def from_builtins(self, tree: object, kind: type[T], field: Field = ()) -> T:
        """Return the value that dicts, lists and texts say.

        It is lawful like any other, but may be written otherwise than `to_builtins` does: numbers
        may be ints and Decimals, or have zeros at their end, and defaults may be spelt out.

        :param kind: the class of the value.
        :param field: leads to the tree, for errors.
        :raises InvalidType: for a value of a wrong type, such as a float.
        :raises InvalidValue: for any other fault; `InvalidValues` for several.

        >>> from overages import Tier
        >>> Codec().from_builtins({"up_to": None, "price": 5, "flat": "0"}, Tier)
        Tier(up_to=None, price=5)
        """
        return cast(T, self._forms.of(kind).read(tree, field))

    def json_schema(self, kind: type | None = None) -> Schema:
        """Return the JSON Schema (2020-12) of the texts of a class; of all, unless one is named.

        Texts that it refuses, `decode` refuses; laws that it can't say, `decode` holds as well.

        >>> from overages import Usage
        >>> Codec().json_schema(Usage)["properties"]["org_id"]
        {'type': 'string', 'description': 'who used it.'}
        """
        return schema_of(self._forms, self.kinds if kind is None else [kind], VERSION)


STANDARD: Final = Codec()
"""The codec of the library's own values: one, as deriving the forms takes longer than their use."""

FORMS: Final[Forms] = STANDARD._forms
"""The forms of the library's own values."""


def encode(value: object, *, most_bytes: int = MOST_BYTES) -> bytes:
    """Return the canonical JSON text of a value; see `Codec.encode`.

    >>> from overages import Currency
    >>> encode(Currency("USD"))
    b'{"code":"USD","type":"Currency","version":"1"}'
    """
    return STANDARD.encode(value, most_bytes=most_bytes)


def decode(data: bytes | str, expected: type[T], *, most_bytes: int = MOST_BYTES) -> T:
    """Return the value that a JSON text says; see `Codec.decode`.

    >>> from overages import Currency
    >>> decode(encode(Currency("USD")), Currency)
    Currency(code='USD')
    >>> decode('{"type": "Currency", "version": "1", "code": "a", "exponent": ""}', Currency)
    Traceback (most recent call last):
        ...
    overages.errors.InvalidValue: exponent: must be a whole number, got ''
    """
    return STANDARD.decode(data, expected, most_bytes=most_bytes)


def document(value: object) -> dict[str, Any]:
    """Return the tree that `encode` writes, as dicts, lists and texts; see `Codec.document`."""
    return STANDARD.document(value)


def to_builtins(value: object) -> Any:
    """Return a value as dicts, lists and texts; see `Codec.to_builtins`."""
    return STANDARD.to_builtins(value)


def from_builtins(tree: object, kind: type[T], field: Field = ()) -> T:
    """Return the value that dicts, lists and texts say; see `Codec.from_builtins`."""
    return STANDARD.from_builtins(tree, kind, field)


def is_value(kind: object) -> bool:
    """Tell whether something is a class of the library whose values have a text.

    >>> from overages import Money
    >>> is_value(Money), is_value(int)
    (True, False)
    """
    return kind in STANDARD.kinds


def json_schema(kind: type | None = None) -> Schema:
    """Return the JSON Schema of the texts of a class, or of all; see `Codec.json_schema`."""
    return STANDARD.json_schema(kind)
