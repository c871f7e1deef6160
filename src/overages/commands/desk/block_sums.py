"""Sums of the blocks of usage files, which pyarrow reads: as of their rows, in a fifth of the time.

meters = Meters(repository, newcomers)
if not count_blocks(files, layout, meters): ...   # count the rows, by meters that are new
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import pyarrow as pa

from overages.commands.desk.meters import Meters, NeedsIntake, require_ids
from overages.commands.desk.sources import UsageFile, blocks_of
from overages.imports.event_sums import WaitingEvents, give_memory_back
from overages.imports.usage_files.blocks import Block
from overages.imports.usage_files.layout import UsageLayout
from overages.imports.usage_files.plain_cells import NotPlain

_MOST_WAITING: Final = 1_048_576  # events without an id that are held at once
_MOST_STARTS: Final = 64  # in each of which all events are looked at


def count_blocks(files: Sequence[UsageFile], layout: UsageLayout, meters: Meters) -> bool:
    """Count the events of files; return False if they have to be read row by row.

    :raises NeedsIntake: if there is something to say of them.
    :raises OveragesError: as well.
    """
    pa.enable_signal_handlers(False)  # or a Ctrl-C that comes while it reads can be lost
    counted = _BlockSums(meters, with_ids=len(files) > 1)
    try:
        for file in files:
            with blocks_of(file, layout) as blocks:
                if not sum([counted.add(block) for block in blocks]):
                    raise NeedsIntake
        counted.finish()
    except NotPlain:
        return False
    finally:
        give_memory_back()
    return True


class _BlockSums:
    """Adds the events of blocks up, and counts what they come to.

    :param with_ids: whether each event needs an id.
    """

    def __init__(self, meters: Meters, *, with_ids: bool) -> None:
        self._meters, self._with_ids = meters, with_ids
        self._waiting = WaitingEvents()
        self._ids_of_others: list[str] = []

    def add(self, block: Block) -> int:
        """Add the events of a block; return how many there are."""
        plain, others = block.plain, block.others
        if self._with_ids and (plain.ids is None or require_ids(others) is not others):
            raise NeedsIntake
        if others.orgs:
            self._ids_of_others += [each for each in others.ids if each is not None]
            self._meters.add(others)
        if plain.span is not None:
            self._meters.widen(*plain.span)
            self._waiting.add(plain)
            if self._waiting.without_id > _MOST_WAITING:
                self._sum_up()
        return len(plain.times) + len(others.times)

    def finish(self) -> None:
        """Count the events that wait."""
        for again in self._waiting.take_repeated(self._ids_of_others):
            self._meters.add(again)
        self._sum_up()

    def _sum_up(self) -> None:
        for sums in self._waiting.take_sums(self._starts_of):
            self._meters.add(sums)

    def _starts_of(self, orgs: Sequence[str]) -> Sequence[datetime]:
        self._meters.find(orgs)
        try:
            starts = self._meters.starts()
        except OverflowError:  # of an event at the last instant that there is
            raise NotPlain from None
        if len(starts) > _MOST_STARTS:
            raise NotPlain
        return starts
