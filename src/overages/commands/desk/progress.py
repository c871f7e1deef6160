"""A progress bar on a terminal: rich's if it is installed, a plain one if not, elsewhere none.

for line in track(lines, "reading usage.csv", lines.size, sys.stderr, lambda: lines.bytes_read): ...
for chunk in track(chunks, "closing", len(orgs), sys.stderr, noun="orgs"): ...
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sized
from time import monotonic
from typing import Final, TextIO, TypeVar

S = TypeVar("S", bound=Sized)

_PAUSE: Final = 0.1  # seconds between two updates


def track(
    items: Iterable[S],
    caption: str,
    total: int | None,
    terminal: TextIO,
    done: Callable[[], int] | None = None,
    noun: str = "lines",
) -> Iterator[S]:
    """Yield items as they are, and show how far they have come, how fast, and the time left.

    :param items: lines, or lists of the things that are counted.
    :param total: how much all of them are together; None if that can't be told.
    :param done: tells how much of that is done; without it, it is the length of the items so far.
    :param noun: the name of the things that are counted.
    """
    if not terminal.isatty():
        return iter(items)
    try:
        import rich.progress  # noqa: F401
    except ImportError:
        return _track_plainly(items, _Course(caption, total, done, noun), terminal)
    return _track_with_rich(items, _Course(caption, total, done, noun), terminal)


class _Course:
    """The course of some work: how much is done, since when."""

    def __init__(
        self, caption: str, total: int | None, done: Callable[[], int] | None, noun: str
    ) -> None:
        self.caption, self.total, self._done, self._noun = caption, total, done, noun
        self._began = self._shown = monotonic()
        self._count = self._length = 0
        self._counts_lines = noun == "lines"

    def add(self, item: Sized) -> bool:
        """Note that an item is done; tell whether it is time to show that."""
        self._length += len(item)
        self._count += 1 if self._counts_lines else len(item)
        now = monotonic()
        if now - self._shown < _PAUSE:
            return False
        self._shown = now
        return True

    @property
    def done(self) -> int:
        """The part of the total that is done."""
        return self._length if self._done is None else self._done()

    def __str__(self) -> str:
        seconds = max(self._shown - self._began, _PAUSE)
        text = f"{self._count:,} {self._noun}, {round(self._count / seconds):,} a second"
        if self.total and self.done:
            share = min(99, 100 * self.done // self.total)
            left = max(0, round(seconds * (self.total - self.done) / self.done))
            text += f", {share} %, {left // 60}:{left % 60:02} left"
        return text


def _track_plainly(items: Iterable[S], course: _Course, terminal: TextIO) -> Iterator[S]:
    try:
        for item in items:
            if course.add(item):
                terminal.write(f"\r\x1b[K{course.caption}: {course}"[:_WIDTH])
                terminal.flush()
            yield item
    finally:
        terminal.write("\r\x1b[K")  # erase the bar
        terminal.flush()


_WIDTH: Final = 80  # characters of a line, and those that erase it


def _track_with_rich(items: Iterable[S], course: _Course, terminal: TextIO) -> Iterator[S]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn

    columns = (TextColumn("{task.description}"), BarColumn(20), TextColumn("{task.fields[course]}"))
    with Progress(*columns, console=Console(file=terminal), transient=True) as bar:
        task = bar.add_task(course.caption, total=course.total, course="")
        for item in items:
            if course.add(item):
                bar.update(task, completed=course.done, course=str(course))
            yield item
