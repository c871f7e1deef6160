"""The outcomes of a command: its exit status, and the stop that carries one.

raise Stop(NOTHING)                               # what is to be said of it was said
"""

from __future__ import annotations

from typing import Final

DONE: Final = 0
"""All that was asked for was done."""
WRONG: Final = 1
"""The data or the storage are wrong, and nothing was written."""
USAGE: Final = 2
"""The command line is wrong."""
NOTHING: Final = 3
"""There is nothing of that: an empty file, an org or a period that isn't there."""
NOT_YET: Final = 4
"""A period that was to be closed hasn't ended."""
UNDECIDED: Final = 5
"""All was done, and something waits for a decision: a closed period comes to something else."""
INTERRUPTED: Final = 130
"""It was interrupted: the step that it was at was taken back."""

STATUSES: Final = """exit statuses:
  0  all was done
  1  the data or the storage are wrong: each fault was named, and nothing written for it
  2  the command line is wrong
  3  there is nothing of it: an empty file, an org or a period that isn't there
  4  not yet: a --period that hasn't ended was brought up to date, and stays open
  5  done, and something waits for a decision: a closed period comes to something else
  130  interrupted: what it was doing was taken back; run it again to go on"""


class Stop(Exception):
    """The end of a command before its time, with an exit status; the reason has been said."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status
