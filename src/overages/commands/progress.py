"""A progress bar on a terminal: rich's if it is installed, a plain one if not, elsewhere none.

for line in track(file, "reading usage.csv", total_bytes, sys.stderr): ...
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sized
from time import monotonic
from typing import Final, TextIO, TypeVar

S = TypeVar("S", bound=Sized)

_PAUSE: Final = 0.1  # seconds between two updates


def track(
    items: Iterable[S], caption: str, total: int | None, terminal: TextIO, noun: str = "lines"
) -> Iterator[S]:
    """Yield items as they are, and show how far they have come.

    :param items: lines, batches, whatever has a length.
    :param total: about how long all of them are together; None if that can't be told.
    :param noun: their name.
    """
    if not terminal.isatty():
        return iter(items)
    try:
        import rich.progress  # noqa: F401
    except ImportError:
        return _track_plainly(items, caption, total, terminal, noun)
    return _track_with_rich(items, caption, total, terminal)


def _track_plainly(
    items: Iterable[S], caption: str, total: int | None, terminal: TextIO, noun: str
) -> Iterator[S]:
    done = 0
    shown = monotonic()
    for count, item in enumerate(items, 1):
        done += len(item)
        if monotonic() - shown >= _PAUSE:
            shown = monotonic()
            share = f", {min(99, 100 * done // total)} %" if total else ""
            terminal.write(f"\r{caption}: {count:,} {noun}{share}")
            terminal.flush()
        yield item
    terminal.write("\r\x1b[K")  # erase the bar
    terminal.flush()


def _track_with_rich(
    items: Iterable[S], caption: str, total: int | None, terminal: TextIO
) -> Iterator[S]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn())
    console = Console(file=terminal)
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(caption, total=total)
        done = 0
        shown = monotonic()
        for item in items:
            done += len(item)
            if monotonic() - shown >= _PAUSE:
                shown = monotonic()
                bar.update(task, completed=done)
            yield item
