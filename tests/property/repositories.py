"""A repository of each kind, opened anew for each example of a test."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Final, TypeAlias

import pytest

from overages import MemoryRepository, SqliteRepository
from tests.in_memory import in_memory

Made: TypeAlias = MemoryRepository | SqliteRepository
Make: TypeAlias = Callable[[], AbstractContextManager[Made]]

_MAKERS: Final[list[Make]] = [
    lambda: nullcontext(MemoryRepository()),
    in_memory,
]
on_each: Final = pytest.mark.parametrize("make", _MAKERS, ids=["memory", "sqlite"])
