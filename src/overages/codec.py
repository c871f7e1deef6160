"""The codec: strict, versioned JSON of every value.

Equal values give equal bytes, and what is read goes through the constructors, so that a text gives
a lawful value or an error that names each fault with its path:

    data = encode(plan)
    decode(data, Plan) == plan
    Codec(price_models=[Peak]).encode(plan_with_peaks)        # with a price model of a host's own
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, TypeVar, cast

from overages._ground.jsontext import entries, parsed, written
from overages._ground.parsing import Problems, as_tuple, instance_of
from overages.errors import InvalidValue
from overages.forms.form import Form
from overages.forms.holders import any_of, kind_of
from overages.forms.hosted import check_models, form_of
from overages.forms.plans import A_PRICE, OWN_PRICES, TERMS, TIER, plan_forms, price_forms
from overages.forms.statements import PLAIN, statement_forms
from overages.prices.models import PriceModel
from overages.terms.plan import Plan

T = TypeVar("T")

VERSION: Final = "1"
"""The version of the format; what a later one writes is refused here, not misread."""


class Codec:
    """Writes values as JSON and reads them, price models of a host's own among them.

    :param price_models: classes of price models whose ``__match_args__`` name the arguments of the
        constructor, as those of dataclasses and attrs classes do.
    :raises InvalidType: if one is no such class.
    :raises InvalidValue: if two have one name, or one has that of a class of the library.

    >>> from overages import PerUnit
    >>> Codec().encode(PerUnit("0.10"))
    b'{"per":"1","price":"0.1","type":"PerUnit","version":"1"}'
    """

    __slots__ = ("_form", "_kinds")

    def __init__(self, price_models: Iterable[type[PriceModel]] = ()) -> None:
        models: tuple[type, ...] = as_tuple(price_models, "price_models")
        check_models(models, [kind.__name__ for kind in _forms(OWN_PRICES)])
        forms = _forms(OWN_PRICES | {model: form_of(model, TIER) for model in models})
        self._kinds = tuple(forms)
        self._form = any_of(forms, "a value of the library")

    def encode(self, value: object) -> bytes:
        """Return the canonical JSON text of a value, in UTF-8.

        :raises InvalidType: if it is no value of the library, or holds a price model that isn't
            named in `price_models`; the error has the path to it.
        :raises InvalidValue: if the text would have more than a mebibyte.
        """
        return written({**self._form.write(value, ""), "version": VERSION})

    def decode(self, data: bytes | str, expected: type[T]) -> T:
        """Return the value that a JSON text says.

        Keys may come in any order, with any space between; everything else must be as `encode`
        would write it.

        :param data: the text, in UTF-8 if in bytes.
        :param expected: the class of the value; ``object`` for any.
        :raises InvalidType: for what is of a wrong type, such as a number without quotes.
        :raises InvalidValue: for any other fault; `InvalidValues` for several.
        """
        instance_of(type)(expected, "expected")
        tree = parsed(data)
        given = dict(entries(tree, "" if isinstance(tree, dict) else "data"))
        problems = Problems()
        kind = problems.attempt(kind_of, self._kinds, given, "")
        version = given.pop("version", None)
        if version != VERSION:
            problems.add(InvalidValue("version", version, f"must be {VERSION!r}"))
        problems.raise_any()
        if not issubclass(kind, expected):
            raise InvalidValue("type", kind.__name__, f"must be {expected.__name__}")
        return cast(T, self._form.read(given, ""))


def _forms(own_prices: dict[type, Form]) -> dict[type, Form]:
    """Return the forms of all classes, given those of price models that hold no other one."""
    prices = price_forms(own_prices)
    price = any_of(prices, A_PRICE)
    plans = plan_forms(price)
    return PLAIN | TERMS | prices | plans | statement_forms(price, plans[Plan])


_standard: Final = Codec()


def encode(value: object) -> bytes:
    """Return the canonical JSON text of a value; see `Codec.encode`.

    >>> from overages import Currency
    >>> encode(Currency("USD"))
    b'{"code":"USD","exponent":"2","type":"Currency","version":"1"}'
    """
    return _standard.encode(value)


def decode(data: bytes | str, expected: type[T]) -> T:
    """Return the value that a JSON text says; see `Codec.decode`.

    >>> from overages import Currency
    >>> decode(encode(Currency("USD")), Currency)
    Currency(code='USD')
    >>> decode('{"type": "Currency", "version": "1", "code": "USD", "exponent": ""}', Currency)
    Traceback (most recent call last):
        ...
    overages.errors.InvalidValue: exponent: must be a whole number in its plain form, got ''
    """
    return _standard.decode(data, expected)
