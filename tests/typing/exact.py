"""A plugin of mypy: nothing in the library rounds by the ambient decimal context.

``-number``, ``+number``, ``abs(number)``, ``sum(numbers)`` and every operator of arithmetic round a
`Decimal` to the precision that a host happens to have set, without a word. Whether an operand is a
`Decimal` is known to a type checker and not to a reading of the syntax, so it is mypy that refuses
them, in the library and in ``rounds.py``. ``tests/property/test_law_1_ambient_context.py`` runs
what types don't show.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeAlias

from mypy.checker import TypeChecker
from mypy.errorcodes import ErrorCode
from mypy.plugin import FunctionContext, MethodContext, MethodSigContext, Plugin
from mypy.types import (
    FunctionLike,
    Instance,
    Type,
    UnionType,
    flatten_nested_unions,
    get_proper_type,
)

Call: TypeAlias = FunctionContext | MethodContext | MethodSigContext

CHECKED: Final = ("overages", "tests.typing.rounds")
DECIMAL: Final = "decimal.Decimal"
EXACT: Final = {
    "__eq__", "__ge__", "__gt__", "__le__", "__lt__", "__ne__", "adjusted", "as_integer_ratio",
    "as_tuple",
}  # fmt: skip
FUNCTIONS: Final = {f"builtins.{name}" for name in ("abs", "divmod", "pow", "round", "sum")}
OF_INT: Final = {
    f"builtins.int.__{name}__"
    for name in ("add", "divmod", "floordiv", "mod", "mul", "pow", "sub", "truediv")
}
ROUNDS: Final = ErrorCode("rounds", "Operations that round by the ambient decimal context", "")


class ExactPlugin(Plugin):
    """Refuses what may round a `Decimal`: its own methods and operators, and functions of it."""

    def get_method_hook(self, fullname: str) -> Callable[[MethodContext], Type] | None:
        """Return what refuses a method of `Decimal` that isn't exact whatever the context."""
        owner, _, method = fullname.rpartition(".")
        return refuse if owner == DECIMAL and method not in EXACT else None

    def get_function_hook(self, fullname: str) -> Callable[[FunctionContext], Type] | None:
        """Return what refuses a function that does arithmetic, if it is given a `Decimal`."""
        return refuse_decimals if fullname in FUNCTIONS else None

    def get_method_signature_hook(
        self, fullname: str
    ) -> Callable[[MethodSigContext], FunctionLike] | None:
        """Return what makes ``5 - number`` an object, where `number` may be a `Decimal`."""
        return object_of_mixed if fullname in OF_INT else None


def refuse(call: FunctionContext | MethodContext) -> Type:
    """Report a call, if it is in a module that is checked; its type stays what it is."""
    if is_checked(call):
        call.api.fail("Rounds by the ambient decimal context", call.context, code=ROUNDS)
    return call.default_return_type


def refuse_decimals(call: FunctionContext) -> Type:
    """Refuse a call of which any argument is a `Decimal`, or holds some."""
    of_decimals = any(map(holds_decimals, (kind for kinds in call.arg_types for kind in kinds)))
    return refuse(call) if of_decimals else call.default_return_type


def object_of_mixed(call: MethodSigContext) -> FunctionLike:
    """Return a signature with a result that no number can be made of, if a `Decimal` may be right.

    Between an int and ``int | Decimal``, mypy asks about no method of `Decimal`.
    """
    kind = get_proper_type(call.api.get_expression_type(call.args[0][0]))
    if not (isinstance(kind, UnionType) and holds_decimals(kind) and is_checked(call)):
        return call.default_signature
    accepted = [kind, *call.default_signature.arg_types[1:]]
    nothing = call.api.named_generic_type("builtins.object", [])
    return call.default_signature.copy_modified(arg_types=accepted, ret_type=nothing)


def is_checked(call: Call) -> bool:
    """Tell whether a call is made in a module that is checked."""
    assert isinstance(call.api, TypeChecker)
    return call.api.tree.fullname.startswith(CHECKED)


def holds_decimals(kind: Type) -> bool:
    """Tell whether a type is `Decimal`, may be it, or is a container of what may."""
    parts = [get_proper_type(part) for part in flatten_nested_unions([kind])]
    return any(
        part.type.fullname == DECIMAL or any(map(holds_decimals, part.args))
        for part in parts
        if isinstance(part, Instance)
    )


def plugin(version: str) -> type[Plugin]:
    """Return the plugin, as mypy asks for it."""
    del version
    return ExactPlugin
