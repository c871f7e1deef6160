"""A journal of changes to dictionaries and lists, by which they can be taken back.

journal, place = Journal(), 0
journal.set(accounts, "org-123", account)
journal.extend(events, new)
journal.take_back(place)                          # both are as they were
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, TypeVar

K = TypeVar("K")
V = TypeVar("V")

_ABSENT: Final[Any] = object()


class Journal:
    """Changes in their order, each with how it is taken back."""

    def __init__(self) -> None:
        self._undoing: list[Callable[[], object]] = []

    @property
    def place(self) -> int:
        """The number of changes so far."""
        return len(self._undoing)

    def set(self, held: dict[K, V], key: K, value: V) -> None:
        """Set a key of a dictionary."""
        before = held.get(key, _ABSENT)
        held[key] = value
        if before is _ABSENT:
            self._undoing.append(lambda: held.pop(key))
        else:
            self._undoing.append(lambda: held.__setitem__(key, before))

    def pop(self, held: dict[K, V], key: K) -> None:
        """Take a key out of a dictionary that has it."""
        before = held.pop(key)
        self._undoing.append(lambda: held.__setitem__(key, before))

    def add(self, held: dict[K, V], values: Mapping[K, V]) -> None:
        """Set keys of a dictionary that it doesn't have."""
        held.update(values)

        def take_out() -> None:
            for key in values:
                del held[key]

        self._undoing.append(take_out)

    def listed(self, held: dict[K, list[V]], key: K) -> list[V]:
        """Return the list under a key of a dictionary, having begun one if there is none."""
        if key not in held:
            self.set(held, key, [])
        return held[key]

    def extend(self, held: list[V], values: Iterable[V]) -> None:
        """Add to a list at its end."""
        length = len(held)
        held.extend(values)
        self._undoing.append(lambda: held.__delitem__(slice(length, None)))

    def take_back(self, place: int) -> None:
        """Take back all changes since there were so many, the latest first."""
        while len(self._undoing) > place:
            self._undoing.pop()()

    def forget(self) -> None:
        """Keep all changes for good."""
        self._undoing.clear()
