"""Classes of values: they have no subclasses, and pydantic reads, writes and describes them."""

from __future__ import annotations

from importlib import import_module
from typing import Any, TypeVar

C = TypeVar("C", bound=type)


def final(cls: C) -> C:
    """Let a class have no subclasses, whose objects could say anything of themselves.

    A class whose name begins with an underscore is a base of ours: its subclasses are final.
    """
    made: Any = cls
    made.__init_subclass__ = classmethod(_refuse_subclass)
    return cls


def _refuse_subclass(cls: type) -> None:
    for base in cls.__bases__:
        hook = getattr(base.__init_subclass__, "__func__", None)
        if hook is _refuse_subclass and not base.__name__.startswith("_"):
            raise TypeError(f"{base.__name__} is final: hold one in a class of your own instead")


def known_to_pydantic(cls: C) -> C:
    """Give a class the hook by which pydantic reads, writes and describes its values.

    How it does is known far above here, and asked for by a program that uses pydantic.
    """
    made: Any = cls
    made.__get_pydantic_core_schema__ = classmethod(_pydantic_schema)
    return cls


def _pydantic_schema(cls: type, source: object, handler: object) -> Any:  # noqa: ARG001
    return import_module("overages.adapters.pydantic").schema_of(cls)
