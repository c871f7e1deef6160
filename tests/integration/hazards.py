"""What the tests let happen: crashes, refused connections, one round after another."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterable
from typing import Any

from overages.outbox import OutboxEntry

from .world import World


class Crash(BaseException):
    """The process is gone."""


class Crashing:
    """An outbox before or after a write of which the process dies."""

    def __init__(self, world: World, method: str, *, written: bool) -> None:
        self.outbox, self.method, self.written = world.outbox, method, written

    def add(self, entries: Iterable[OutboxEntry]) -> frozenset[str]:
        return self._call("add", list(entries))  # type: ignore[no-any-return]

    def entries(self, *args: Any) -> Any:
        return self.outbox.entries(*args)

    def swap(self, old: OutboxEntry, new: OutboxEntry) -> bool:
        return self._call("swap", old, new)  # type: ignore[no-any-return]

    def _call(self, method: str, *args: Any) -> Any:
        if method == self.method and not self.written:
            raise Crash
        result = getattr(self.outbox, method)(*args)
        if method == self.method:
            raise Crash
        return result


def rounds(attach: Callable[[], Any], most: int = 6) -> int:
    """Return after how many rounds all is delivered."""
    for count in range(1, most + 1):
        if attach().is_complete:
            return count
    raise AssertionError("not delivered")


def refusing(world: World) -> Any:
    """Return a client whose connections are refused."""
    taken = socket.socket()  # so that nobody else listens at its port
    taken.bind(("127.0.0.1", 0))
    world.connections.append(taken)
    return world.make_client(f"http://127.0.0.1:{taken.getsockname()[1]}")
