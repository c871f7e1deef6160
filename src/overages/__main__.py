"""The command line: ``overages close --plans plans.toml --usage usage.csv --db overages.db``.

Ctrl-C says one line, at any moment, and no traceback: while the modules are imported, too.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
from types import FrameType

INTERRUPTED = 130


def run() -> None:
    """Run the command that the process was started with, and leave with its exit status."""
    signal.signal(signal.SIGINT, _leave)
    gc.disable()  # to look for garbage takes half a command's time, and it ends before any matters
    from overages.commands.parser import main  # which takes a moment

    signal.signal(signal.SIGINT, signal.default_int_handler)
    status = main()
    signal.signal(signal.SIGINT, _leave)
    gc.freeze()  # or all that is left would be looked through at the end, for as long again
    sys.exit(status)


def _leave(signum: int, frame: FrameType | None) -> None:
    """End the process while nothing has begun yet, or all is done."""
    del signum, frame
    os.write(2, b"overages: interrupted\n")
    os._exit(INTERRUPTED)


if __name__ == "__main__":
    run()
