"""Registration: how ``st.from_type(Plan)`` finds the strategy of plans.

Hypothesis calls `register` when it is imported, wherever this library is installed. The strategies,
and their needs, are imported when the first is asked for: Hypothesis itself is not ready before.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from pkgutil import iter_modules
from typing import Any, Final

from overages.prices.models import PriceModel

_ROOMS: Final = (
    *("amounts", "periods", "prices", "usage", "grants", "terms"),
    *("lines", "statements", "settlements", "records", "insight", "alerts", "quotas"),
)


def kinds() -> list[type]:
    """List the classes of values, room by room, and the class of all price models."""
    return [*(kind for room in _ROOMS for kind in _kinds_of(room)), PriceModel]


def _kinds_of(room: str) -> Iterator[type]:
    for module in iter_modules(import_module(f"overages.{room}").__path__):
        home = import_module(f"overages.{room}.{module.name}")
        for name, kind in vars(home).items():
            is_class = isinstance(kind, type) and kind.__module__ == home.__name__
            if is_class and not name.startswith("_") and hasattr(kind, "__attrs_init__"):
                yield kind


def register() -> None:
    """Let ``st.from_type`` draw lawful values of each class.

    It is called by Hypothesis where the library is installed as a package, and need not be called
    then; calling it again changes nothing.

    >>> register()
    >>> from hypothesis import strategies as st
    >>> from overages import Plan
    >>> st.from_type(Plan).validate()
    """
    from hypothesis.strategies import register_type_strategy

    for kind in kinds():
        register_type_strategy(kind, _strategy)


def _strategy(kind: type) -> Any:
    return import_module("overages.testing.strategies").values(kind)
