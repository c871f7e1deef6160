"""The forms of a host's own price models: derived like the others, and trusted less.

A dataclass or an attrs class has its form by its annotations:

    Codec(price_models=[Peak])                        # {"type": "Peak", "peak": "100", ...}

A value that would not come back equal isn't written, and whatever its constructor raises is a fault
of the text that was read.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from inspect import signature
from typing import Any

from attrs import frozen

from overages._ground.parsing import Problems
from overages.errors import Field, InvalidType, InvalidValue, OveragesError
from overages.forms.objects import ObjectForm


def check_models(
    models: Iterable[object], taken: Collection[str], derive: Callable[[type], object]
) -> None:
    """Refuse any that is no class of price models, or whose name already stands for another.

    :param taken: the names of the library's own classes.
    :param derive: makes the form of a class, or raises an error.
    :raises InvalidType: for an object that is no such class.
    :raises InvalidValue: for a name that is taken; `InvalidValues` for several faults.
    """
    problems = Problems()
    seen = set(taken)
    for i, model in enumerate(models):
        field = ("price_models", i)
        if not isinstance(model, type) or not callable(getattr(model, "charge", None)):
            problems.add(InvalidType(field, model, "must be a class of price models"))
            continue
        if model.__name__ in seen:
            problems.add(InvalidValue(field, model, "must have a name that no other class has"))
        seen.add(model.__name__)
        try:
            derive(model)
        except (NameError, TypeError, ValueError) as error:
            problem = (
                f"must have an annotated attribute for each argument, as a dataclass ({error})"
            )
            problems.add(InvalidType(field, model, problem))
            continue
        if not {"type", "version"}.isdisjoint(signature(model).parameters):
            problems.add(InvalidType(field, model, "must have no argument type or version"))
    problems.raise_any()


@frozen(slots=False)
class HostedForm(ObjectForm):
    """The form of a host's price model, which lets nothing pass that the model would change."""

    def read(self, tree: object, field: Field) -> Any:
        """Return the model that an object says."""
        try:
            return super().read(tree, field)
        except OveragesError:
            raise
        except Exception as error:  # a stranger's constructor may raise anything
            problem = f"must be made of what {self.kind.__name__} takes"
            raise InvalidValue(field or "data", error, problem) from error

    def write(self, value: Any, field: Field) -> dict[str, Any]:
        """Return a model as an object."""
        try:
            tree = super().write(value, field)
        except AttributeError as error:
            problem = f"must keep the arguments of {self.kind.__name__}"
            raise InvalidType(field or "value", error, problem) from error
        if self.read(tree, field) != value:
            problem = f"must equal what {self.kind.__name__} makes of its arguments"
            raise InvalidType(field or "value", value, problem)
        return tree
