"""A progress bar on a terminal: rich's if it is installed, a plain one if not, elsewhere none.

for line in track(file, "reading usage.csv", total_bytes, sys.stderr): ...
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from time import monotonic
from typing import Final, TextIO

_PAUSE: Final = 0.1  # seconds between two updates


def track(lines: Iterable[str], what: str, total: int | None, terminal: TextIO) -> Iterator[str]:
    """Yield lines as they are, and show how far they have come.

    :param total: about how many characters there are; None if that can't be told.
    """
    if not terminal.isatty():
        return iter(lines)
    try:
        import rich.progress  # noqa: F401
    except ImportError:
        return _track_plainly(lines, what, total, terminal)
    return _track_with_rich(lines, what, total, terminal)


def _track_plainly(
    lines: Iterable[str], what: str, total: int | None, terminal: TextIO
) -> Iterator[str]:
    done = 0
    shown = monotonic()
    for count, line in enumerate(lines, 1):
        done += len(line)
        if monotonic() - shown >= _PAUSE:
            shown = monotonic()
            share = f", {min(99, 100 * done // total)} %" if total else ""
            terminal.write(f"\r{what}: {count:,} lines{share}")
            terminal.flush()
        yield line
    terminal.write("\r\x1b[K")  # erase the bar
    terminal.flush()


def _track_with_rich(
    lines: Iterable[str], what: str, total: int | None, terminal: TextIO
) -> Iterator[str]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn())
    console = Console(file=terminal)
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(what, total=total)
        done = 0
        shown = monotonic()
        for line in lines:
            done += len(line)
            if monotonic() - shown >= _PAUSE:
                shown = monotonic()
                bar.update(task, completed=done)
            yield line
