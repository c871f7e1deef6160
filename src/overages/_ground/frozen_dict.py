"""The read-only mapping that frozen values hold.

A `types.MappingProxyType` isn't safe in an immutable value: it compares and merges by handing the
dict behind it to the other operand, so ``usage.quantities == stranger`` let the stranger's
``__eq__`` write into the usage. It can't be hashed, pickled or encoded as JSON either, and was
made anew whenever the field was read.

`FrozenDict` is a dict that refuses to be changed. Being a dict, it has a dict's speed, and `json`,
msgspec, pydantic and cattrs take it for one (of other mappings, json and msgspec encode none). A
class of `collections.abc.Mapping` around a dict would save the copy, and compares 20 times slower:

====================  ===========  ================  ==========  ===========
CPython 3.11, in ns   make from 3  make from 10,000  ``x[key]``  ``x == y``
====================  ===========  ================  ==========  ===========
`dict`                         63            40,000          16           33
`MappingProxyType`             59                60          18           41
`FrozenDict`                  100            40,000          24           33
a `Mapping` class             128               130          44          651
====================  ===========  ================  ==========  ===========

The price is that ``dict.__setitem__(frozen, key, value)`` and ``frozen.__init__(...)`` still write,
as ``object.__setattr__`` does with any frozen value. No operator and no method does.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn, TypeVar, final

K = TypeVar("K")
V = TypeVar("V")


def _refuse(self: Any, *_: Any, **__: Any) -> NoReturn:  # noqa: ARG001
    raise TypeError("a FrozenDict can't be changed; `|` and `copy()` make a dict that can")


@final
class FrozenDict(dict[K, V]):
    """A dict that can't be changed: hashable if its values are, and equal to any equal mapping.

    Made of the same arguments as `dict`; ``|`` and ``copy()`` give a dict that can be changed.

    :raises TypeError: if it is asked to change.

    >>> limits = FrozenDict({"tokens": 600_000})
    >>> limits["tokens"] = 0
    Traceback (most recent call last):
        ...
    TypeError: a FrozenDict can't be changed; `|` and `copy()` make a dict that can
    >>> limits | {"seats": 3}
    {'tokens': 600000, 'seats': 3}
    """

    __slots__ = ()

    def __hash__(self) -> int:  # type: ignore[override]
        """Return a hash by the items, whatever their order, as equality is."""
        return hash(frozenset(self.items()))

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle as a class and a dict: a dict's own way sets items one by one."""
        return FrozenDict, (dict(self),)

    # One by one: of a chain, type checkers of other programs would have to infer the type.
    __setitem__: Callable[..., NoReturn] = _refuse
    __delitem__: Callable[..., NoReturn] = _refuse
    __ior__: Callable[..., NoReturn] = _refuse
    clear: Callable[..., NoReturn] = _refuse
    pop: Callable[..., NoReturn] = _refuse
    popitem: Callable[..., NoReturn] = _refuse
    setdefault: Callable[..., NoReturn] = _refuse
    update: Callable[..., NoReturn] = _refuse
