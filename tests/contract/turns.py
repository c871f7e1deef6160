"""Two workers that take turns, step by step, in every order there is.

A worker is a thread; it is stopped before each call of its repository, and a turn lets it go on to
the next one. A search goes through all orders in which turns can be given: it runs the first one,
then the one that differs from it in the last choice that there was, and so on. A worker who finds
the storage busy gives up what it has begun, and begins it again; it is given no turn until another
one has let the storage go, as all that it could find until then is that it is busy still.

    for order in every_order():
        order.run({"A": [(close, service)], "B": [(recalculate, other)]})
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from threading import RLock, Semaphore, Thread
from typing import Any, Final

from overages import Repository
from overages.errors import StorageBusy

Work = tuple[Callable[[Any], object], Any]
"""A function, and what it is called with."""


class Order:
    """One order in which workers take their turns.

    :param choices: the worker of each turn, by its place among those that can go on; the first one
        from there on.
    """

    def __init__(self, choices: Sequence[int] = ()) -> None:
        self.choices: Final = list(choices)
        self.options: Final[list[int]] = []
        self._made = Semaphore(0)  # a step
        self._turns: dict[str, Semaphore] = {}
        self._waiting: set[str] = set()  # until another one lets the storage go
        self._running: set[str] = set()
        self._errors: list[BaseException] = []
        self._now = ""

    def run(self, works: Mapping[str, Sequence[Work]]) -> None:
        """Run each worker's work, one thing after another.

        :param works: by the worker's name; each is begun anew if the storage was busy.
        """
        self._turns = {name: Semaphore(0) for name in works}
        self._running = set(works)
        threads = [Thread(target=self._work, args=item, daemon=True) for item in works.items()]
        for thread, self._now in zip(threads, works, strict=True):
            thread.start()
            self._made.acquire()  # it stands before its first call
        turn = 0
        while self._running:
            free = sorted(self._running - self._waiting)
            assert free, "each waits for another"
            self.options.append(len(free))
            if turn == len(self.choices):
                self.choices.append(0)
            self._now = free[self.choices[turn]]
            self._turns[self._now].release()
            self._made.acquire()
            turn += 1
        for thread in threads:
            thread.join()
        for error in self._errors:
            raise error

    def _work(self, name: str, works: Sequence[Work]) -> None:
        try:
            for work, service in works:
                while not self._attempt(name, partial(work, service)):
                    pass
        except BaseException as error:
            self._errors.append(error)
        self._running.remove(name)
        self.let_go()
        self._made.release()

    def _attempt(self, name: str, work: Callable[[], object]) -> bool:
        try:
            work()
        except StorageBusy:
            self.let_go()
            self._waiting.add(name)
            return False
        return True

    def step(self) -> None:
        """Wait for the next turn of the worker that has it now."""
        name = self._now
        self._made.release()
        self._turns[name].acquire()

    def let_go(self) -> None:
        """Let those go on who have found the storage busy."""
        self._waiting.clear()

    def following(self) -> Order | None:
        """Return the order after this one, which has been run; None after the last."""
        for turn in range(len(self.choices) - 1, -1, -1):
            if self.choices[turn] + 1 < self.options[turn]:
                return Order([*self.choices[:turn], self.choices[turn] + 1])
        return None


def every_order() -> Iterator[Order]:
    """Yield each order in which two workers can take turns; each is to be run."""
    order: Order | None = Order()
    while order is not None:
        yield order
        order = order.following()


class Stepwise:
    """A handle on a repository that waits for its turn before each call.

    :param lock: the lock of a repository in memory, at which a thread would wait for ever.
    """

    def __init__(self, repository: Repository, order: Order, lock: RLock | None = None) -> None:
        self._repository, self._order, self._lock = repository, order, lock

    def transaction(self) -> AbstractContextManager[object]:
        return self._held(self._repository.transaction)

    def snapshot(self) -> AbstractContextManager[object]:
        return self._held(self._repository.snapshot)

    @contextmanager
    def _held(self, block: Callable[[], AbstractContextManager[object]]) -> Iterator[None]:
        self._begin()
        try:
            with block():
                yield
                self._order.step()  # before it is committed
        finally:
            self._order.let_go()

    def _begin(self) -> None:
        self._order.step()
        if self._lock is not None:
            if not self._lock.acquire(blocking=False):
                raise StorageBusy("another thread is at it")
            self._lock.release()

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._repository, name)

        def call(*args: Any, **named: Any) -> Any:
            self._begin()
            return method(*args, **named)

        return call
