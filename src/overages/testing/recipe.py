"""Recipes: how a value is made, so that a test can make it again, otherwise, or elsewhere.

A test that made its values before it enters a hostile decimal context would miss what goes wrong
when they are made. A `Recipe` makes them as often as a test likes; where a part of it is
`Spelled`, ``one()`` and ``other()`` give equal values from inputs that are written differently.

    recipe = Recipe(PerUnit, (Spelled("5.0", 5),))
    recipe.one() == recipe.other()
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class Spelled:
    """One input, written in two ways."""

    first: Any
    second: Any


@dataclass(frozen=True)
class Recipe(Generic[T]):
    """A call that makes a value; its arguments may be recipes and spellings in their turn."""

    make: Callable[..., T]
    args: tuple[Any, ...] = ()
    named: Mapping[str, Any] = field(default_factory=dict)

    def one(self) -> T:
        """Make the value from the first spelling of everything."""
        return self._made(second=False)

    def other(self) -> T:
        """Make the value from the second spelling of everything."""
        return self._made(second=True)

    def each_mixed_with(self, other: Recipe[T]) -> list[Recipe[T]]:
        """Return this recipe once for each argument, with that one from the other recipe."""
        mixed = [
            Recipe(self.make, (*self.args[:i], argument, *self.args[i + 1 :]), self.named)
            for i, argument in enumerate(other.args)
        ]
        return mixed + [
            Recipe(self.make, self.args, {**self.named, key: argument})
            for key, argument in other.named.items()
        ]

    def _made(self, *, second: bool) -> T:
        args = [cook(argument, second=second) for argument in self.args]
        named = {key: cook(argument, second=second) for key, argument in self.named.items()}
        return self.make(*args, **named)

    def __repr__(self) -> str:
        shown = [*map(repr, self.args), *(f"{key}={value!r}" for key, value in self.named.items())]
        return f"{self.make.__qualname__}({', '.join(shown)})"


def cook(raw: Any, *, second: bool = False) -> Any:
    """Return an argument with all recipes in it made and all spellings decided."""
    if isinstance(raw, Recipe):
        return raw.other() if second else raw.one()
    if isinstance(raw, Spelled):
        return cook(raw.second if second else raw.first, second=second)
    if isinstance(raw, dict):
        return {key: cook(value, second=second) for key, value in raw.items()}
    if isinstance(raw, (list, tuple)):
        return type(raw)(cook(item, second=second) for item in raw)
    return raw
