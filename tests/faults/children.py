"""Work in child processes, which are forks: nothing is imported again, so that each starts at once.

A child holds no connection of its parent: open repositories in the child alone.
"""

from __future__ import annotations

import os
import pickle
import signal
import traceback
from collections.abc import Callable, Sequence
from typing import TypeVar

T = TypeVar("T")


def start(work: Callable[[int], None]) -> tuple[int, int]:
    """Start work in a child, giving it the end of a pipe; return its process id and our end."""
    ours, theirs = os.pipe()
    child = os.fork()
    if child:
        os.close(theirs)
        return child, ours
    try:
        os.close(ours)
        work(theirs)
    except BaseException:
        traceback.print_exc()
        os._exit(1)
    finally:
        os._exit(0)


def finish(child: int, pipe: int) -> bytes:
    """Return all that a child wrote into its pipe, when it has ended."""
    with os.fdopen(pipe, "rb") as end:
        written = end.read()
    os.waitpid(child, 0)
    return written


def kill(child: int) -> None:
    """End a child on the spot, wherever it is."""
    os.kill(child, signal.SIGKILL)


def results(works: Sequence[Callable[[], T]]) -> list[T]:
    """Return what works come to that run at the same time, each in a child of its own."""
    children = [start(_reporting(work)) for work in works]
    return [pickle.loads(finish(*child)) for child in children]


def result(work: Callable[[], T]) -> T:
    """Return what work comes to in a child."""
    return results([work])[0]


def _reporting(work: Callable[[], T]) -> Callable[[int], None]:
    def report(pipe: int) -> None:
        with os.fdopen(pipe, "wb") as end:
            pickle.dump(work(), end)

    return report
