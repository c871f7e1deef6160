"""The forms of a host's own price models: classes that the library knows nothing of.

A dataclass or an attrs class names the arguments of its constructor in ``__match_args__``; these
are its fields in JSON. As their types are the host's affair, each value says what it is:

    {"type": "Pairs", "price": {"number": "0.5"}, "count": "started"}

A text is a string, a number ``{"number": "0.5"}``, a tier ``{"tier": {...}}``, a tuple of these an
array; flags and None are themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from decimal import Decimal
from functools import partial
from typing import Any

from overages._ground.jsontext import entries
from overages._ground.parsing import Problems
from overages.amounts.exact import parse_amount
from overages.errors import Field, InvalidType, InvalidValue, OveragesError
from overages.forms.form import Form
from overages.forms.holders import list_of, table
from overages.forms.values import NUMBER, TEXT
from overages.prices.tier import Tier


def check_models(models: Iterable[object], taken: Collection[str]) -> None:
    """Refuse what is no class of price models, or has a name that stands for something else.

    :param taken: the names of the library's own classes.
    :raises InvalidType: for what is no such class.
    :raises InvalidValue: for a name that is taken; `InvalidValues` for several faults.
    """
    problems = Problems()
    seen = set(taken)
    for i, model in enumerate(models):
        field = ("price_models", i)
        if not isinstance(model, type) or not callable(getattr(model, "charge", None)):
            problems.add(InvalidType(field, model, "must be a class of price models"))
            continue
        if not {"type", "version"}.isdisjoint(getattr(model, "__match_args__", ["type"])):
            problem = "must have __match_args__, as a dataclass has, but neither type nor version"
            problems.add(InvalidType(field, model, problem))
        if model.__name__ in seen:
            problems.add(InvalidValue(field, model, "must have a name that no other class has"))
        seen.add(model.__name__)
    problems.raise_any()


def form_of(model: type, tier: Form) -> Form:
    """Return the form of a host's price model.

    What is written comes back equal, and what is read is written the same: a model for which that
    is not so, for it keeps more than its arguments or changes them, is refused, not stored wrong.
    """
    held = _held(tier)
    names: tuple[str, ...] = model.__match_args__  # type: ignore[attr-defined]
    fields = table(_maker(model), partial(_arguments, names), **dict.fromkeys(names, held))

    def write(value: object, field: Field) -> Any:
        tree = fields.write(value, field)
        if fields.read(tree, field) != value:
            problem = f"must equal what {model.__name__} makes of its __match_args__"
            raise InvalidType(field or "value", value, problem)
        return tree

    def read(tree: object, field: Field) -> Any:
        value = fields.read(tree, field)
        if fields.write(value, field) != tree:
            problem = f"must hold the arguments of {model.__name__} as it keeps them"
            raise InvalidValue(field or "data", tree, problem)
        return value

    return Form(write, read)


def _arguments(names: Iterable[str], value: object) -> dict[str, Any]:
    try:
        return {name: getattr(value, name) for name in names}
    except AttributeError as error:
        problem = "must keep what its __match_args__ name"
        raise InvalidType("type", error, problem) from error


def _maker(model: type) -> Callable[..., Any]:
    def make(**fields: Any) -> Any:
        try:
            return model(*fields.values())
        except OveragesError:
            raise
        except Exception as error:  # a stranger's constructor may raise anything
            raise InvalidValue(
                "type", error, f"must be made of what {model.__name__} takes"
            ) from error

    return make


def _held(tier: Form) -> Form:
    """Return the form of an argument of a host's price model."""
    number, row = table(dict, dict, number=NUMBER), table(dict, dict, tier=tier)

    def write(value: object, field: Field) -> Any:
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, str):
            return TEXT.write(value, field)
        if isinstance(value, (int, Decimal)):
            return number.write({"number": parse_amount(value, field)}, field)
        if isinstance(value, Tier):
            return row.write({"tier": value}, field)
        problem = "must be an int, a Decimal, a str, a bool, None, a Tier, or a tuple of these"
        raise InvalidType(field, value, problem)

    def read(value: object, field: Field) -> Any:
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, dict):
            form = row if "tier" in entries(value, field) else number
            (held,) = form.read(value, field).values()
            return held
        return TEXT.read(value, field)

    one = Form(write, read)
    many = list_of(one)
    return Form(
        lambda value, field: (many if isinstance(value, tuple) else one).write(value, field),
        lambda value, field: (many if isinstance(value, list) else one).read(value, field),
    )
