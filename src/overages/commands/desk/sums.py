"""Sums of usage files in which nothing has to be said, with no row kept.

Where each metric is the sum of its events, a bill needs none of them alone. So the files are
metered as they are read, and the sums put for the times in which the same terms hold:

    counted = UsageSums(repository, layout, newcomers).put(files, now)

Large files are read by pyarrow, if that is installed and they are written plainly; others row by
row. Anything else (a faulty row, an org without an account, a metric that its plan doesn't know) is
left to the intake, which reads the files anew and says all that there is to say.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from typing import Final

from overages.commands.desk.meters import Counted, Meters, NeedsIntake, require_ids
from overages.commands.desk.newcomers import Newcomers
from overages.commands.desk.sources import UsageFile, lines_of
from overages.errors import OveragesError
from overages.imports.events import read_rows
from overages.imports.usage_files.layout import UsageLayout
from overages.repository import Repository

LARGE: Final = 4_000_000
"""The bytes of files above which pyarrow saves more time than it takes to import."""


class UsageSums:
    """Sums usage files up, and puts the sums into a repository that has no events yet.

    :param newcomers: says the terms of orgs that have no account, if they are given one.
    """

    def __init__(self, repository: Repository, layout: UsageLayout, newcomers: Newcomers) -> None:
        self._repository, self._layout, self._newcomers = repository, layout, newcomers

    def put(self, files: Sequence[UsageFile], now: datetime) -> Counted | None:
        """Put the sums of files, and the accounts of orgs that are new.

        :param now: when these are noted.
        :returns: None if the files need the intake; nothing is written then.
        :raises Stop: if a file has no name that a batch can have.
        """
        if self._repository.metrics() or any(map(self._repository.grants, self._repository.orgs())):
            return None
        try:
            counted = self._metered(files).result()
        except (OveragesError, NeedsIntake):
            return None
        for file in files:
            file.batch_name()  # which it needs whether or not it is kept
        with self._repository.transaction():
            self._repository.put_accounts(counted.accounts, noted_at=now)
            for usage in counted.usages:
                self._repository.put_usage(usage)
        return counted

    def _metered(self, files: Sequence[UsageFile]) -> Meters:
        """Count the events of files, by pyarrow if they are large enough for it, and plain."""
        if sum(file.size for file in files) >= LARGE:
            with suppress(ImportError):  # of pyarrow, which is an extra
                from overages.commands.desk.block_sums import count_blocks

                meters = Meters(self._repository, self._newcomers)
                if count_blocks(files, self._layout, meters):
                    return meters
        meters = Meters(self._repository, self._newcomers)
        for file in files:
            self._count_rows(file, meters, with_ids=len(files) > 1)
        return meters

    def _count_rows(self, file: UsageFile, meters: Meters, *, with_ids: bool) -> None:
        """Count the events of a file row by row.

        :param with_ids: whether each needs an id: one file of a batch can be the copy of another.
        """
        count = 0
        with lines_of(file, self._layout) as lines:
            for rows in read_rows(lines, self._layout):
                if rows.errors:
                    raise NeedsIntake
                for columns in filter(len, rows.counted()):
                    meters.add(require_ids(columns) if with_ids else columns)
                    count += len(columns.orgs)
        if not count:
            raise NeedsIntake
