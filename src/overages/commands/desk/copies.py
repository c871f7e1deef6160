"""Copies: rows of a usage file that another batch has, too, so that they would count twice.

A month under a name of its own has the rows of its first half once more, as a corrected file has
most of those that it corrects. Some rows are looked up, and stand for all:

    copies = Copies(batch.sample, batch.unnamed, repository, {"february-1.csv": 4})
    copies.told                                       # "75 % of its rows are there as rows of ..."
    copies.are_most                                   # of the file's rows, or of another batch's
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import cache
from typing import Final

from overages.commands.desk.batch import RowSample
from overages.periods.period import Period
from overages.repository import Repository

_INSTANT: Final = timedelta(microseconds=1)
_MOST_NAMED: Final = 3


class Copies:
    """The rows without an id of a file that other batches have, too.

    :param sample: some of them.
    :param total: the number of all.
    :param others: the number of such rows in each of the other batches, by its name.
    """

    def __init__(
        self, sample: RowSample, total: int, repository: Repository, others: Mapping[str, int]
    ) -> None:
        self._total, self._repository, self._others = total, repository, others
        self._sampled, self._copied = len(sample), 0
        self._by_batch: Counter[str] = Counter()
        contents_at = cache(self._contents_at)  # many rows may have one instant, such as a day's
        for row in sample if others else ():
            batches = contents_at(row.org_id, row.metric, row.at).get(row.content, ())
            self._copied += bool(batches)
            self._by_batch.update(batches)

    def __bool__(self) -> bool:
        return self._copied > 0

    @property
    def batches(self) -> tuple[str, ...]:
        """The names of the batches that have some of the rows, the one with the most first."""
        return tuple(name for name, _ in self._by_batch.most_common())

    @property
    def are_most(self) -> bool:
        """Whether they are half of the file, or of one of the other batches."""
        return 2 * self._copied >= self._sampled or any(
            2 * copied * self._total >= self._others[name] * self._sampled
            for name, copied in self._by_batch.items()
        )

    @property
    def told(self) -> str:
        """The share of the file that they are, and the batches that have them."""
        share = f"{max(1, 100 * self._copied // self._sampled)} % of "
        if self._sampled < self._total:
            share = f"about {share}"
        elif self._copied == self._sampled:
            share = ""
        names = ", ".join(map(repr, self.batches[:_MOST_NAMED]))
        unnamed = len(self.batches) - _MOST_NAMED
        more = f" and {unnamed:,} more" if unnamed > 0 else ""
        batches = "the batch" if len(self.batches) == 1 else "the batches"
        return f"{share}its rows are there as rows of {batches} {names}{more}"

    def _contents_at(self, org_id: str, metric: str, instant: datetime) -> Mapping[str, list[str]]:
        """Return the batches of the rows at an instant, by their content."""
        batches: dict[str, list[str]] = {}
        moment = Period(instant, instant + _INSTANT)
        for event in self._repository.events(org_id, moment, metrics=[metric]):
            name, _, content = (event.id or "").rpartition("#")
            if name in self._others:
                batches.setdefault(content, []).append(name)
        return batches
