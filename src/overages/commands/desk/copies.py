"""Copies: rows of a usage file that another batch has, too, so that they would count twice.

A month under a name of its own has the rows of its first half once more, as a corrected file has
most of those that it corrects. Some rows are looked up, and stand for all:

    copies = Copies(batch.sample, repository, {"february-1.csv": 4})
    copies.told                                       # "75 % of its rows are there as rows of ..."
    copies.are_many                                   # half of the file, or of another batch
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from fractions import Fraction
from functools import cache
from typing import Final

from overages.commands.desk.batch import Sample, SampledRow
from overages.periods.period import Period
from overages.repository import Repository

_INSTANT: Final = timedelta(microseconds=1)
_MOST_NAMED: Final = 3


class Copies:
    """The rows without an id of a file that other batches have, too.

    :param sample: rows of the file that stand for all.
    :param others: the number of such rows in each of the other batches, by its name.
    """

    def __init__(self, sample: Sample, repository: Repository, others: Mapping[str, int]) -> None:
        self._repository, self._others, self._total = repository, others, sample.total
        self._copied = Fraction()
        self._by_batch: dict[str, Fraction] = {}
        self._batches_at = cache(self._read)  # many rows may have one instant, such as a day's
        if others:
            frequent, rest = (sum(row.times for row in rows) for rows in sample[:2])
            self._is_exact = frequent + rest == sample.total
            self._add(sample.frequent, Fraction(1))
            self._add(sample.others, Fraction(sample.total - frequent, rest or 1))

    def __bool__(self) -> bool:
        return self._copied > 0

    @property
    def are_all(self) -> bool:
        """Whether the file has no other rows, as far as they were looked up."""
        return self._copied == self._total

    @property
    def are_many(self) -> bool:
        """Whether they are half of the file, or half of one of the other batches."""
        return self._are_half or bool(self.held)

    @property
    def held(self) -> Sequence[str]:
        """The names of the other batches of which the file has half, that with the most first."""
        return [name for name in self._names if 2 * self._by_batch[name] >= self._others[name]]

    @property
    def told(self) -> str:
        """Their share of the file, or of the other batches that it has half of."""
        if self._are_half or not self.held:
            share = (
                "" if self.are_all and self._is_exact else self._share(self._copied, self._total)
            )
            return f"{share}its rows are there as rows of {_listed(self._names)}"
        if len(self.held) > 1:
            return f"it has most rows of {_listed(self.held)}"
        (name,) = self.held
        share = self._share(self._by_batch[name], self._others[name])
        return f"it has {share}the rows of {_listed([name])}"

    @property
    def _are_half(self) -> bool:
        return 2 * self._copied >= self._total

    @property
    def _names(self) -> Sequence[str]:
        return sorted(self._by_batch, key=lambda name: (-self._by_batch[name], name))

    def _share(self, copied: Fraction, total: int) -> str:
        percent = min(max(1, int(100 * copied / max(total, 1))), 100)
        return f"{'' if self._is_exact else 'about '}{percent} % of "

    def _add(self, rows: Iterable[SampledRow], weight: Fraction) -> None:
        """Look rows up, each of which stands for some."""
        for row in rows:
            batches = self._batches_at(row.org_id, row.metric, row.at).get(row.content)
            if batches:
                self._copied += weight * min(row.times, batches.total())
                for name, count in batches.items():
                    copied = weight * min(row.times, count)
                    self._by_batch[name] = self._by_batch.get(name, Fraction()) + copied

    def _read(self, org_id: str, metric: str, instant: datetime) -> Mapping[str, Counter[str]]:
        """Return how many rows each batch has at an instant, by their content."""
        batches: dict[str, Counter[str]] = {}
        moment = Period(instant, instant + _INSTANT)
        for event in self._repository.events(org_id, moment, metrics=[metric]):
            name, _, ending = (event.id or "").rpartition("#")
            if name in self._others:
                batches.setdefault(ending.partition(".")[0], Counter())[name] += 1
        return batches


def _listed(names: Sequence[str]) -> str:
    told = ", ".join(map(repr, names[:_MOST_NAMED]))
    more = f" and {len(names) - _MOST_NAMED:,} more" if len(names) > _MOST_NAMED else ""
    return f"the {'batch' if len(names) == 1 else 'batches'} {told}{more}"
