"""The intake of usage files: rows become events in a repository, each once.

A row with an event id counts once in its org, for ever. Rows without one are a batch, known by its
name and content: the same one again changes nothing, another one is refused, unless it is given in
place of the first.

    intake = UsageFiles(repository, service, layout, newcomers, now, late="own_period")
    for file in files:
        intake.add(file)
    intake.finish()
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from copy import copy
from datetime import datetime
from shlex import quote
from typing import Final, NamedTuple

from overages.commands.desk.batch import Batch, BatchContent, Sample
from overages.commands.desk.copies import Copies
from overages.commands.desk.faults import Faults, refuse
from overages.commands.desk.newcomers import Newcomers, Source
from overages.commands.desk.outcome import NOTHING, WRONG, Stop
from overages.commands.desk.rows import Piece, Rows, pieces_of
from overages.commands.desk.sources import UsageFile
from overages.commands.desk.terminal import say
from overages.errors import EmptyFile, OveragesError, did_you_mean
from overages.imports.usage_files.layout import UsageLayout
from overages.repository import Repository
from overages.service.overage_service import OverageService
from overages.usage.event import EventColumns, UsageEvent
from overages.usage.metering import Late

_COLUMNS: Final = {"at": "timestamp", "id": "event_id"}  # where they differ from an event's fields
_NOTHING_WRITTEN: Final = "nothing was written"


class TakenIn(NamedTuple):
    """The outcome for a usage file.

    :param name: its name.
    :param rows: its rows.
    :param withdrawn: the events that its batch had before, and has no more.
    :param void: the rows whose events were withdrawn before, so that they don't count.
    :param revived: the rows that count, though their batch had rows like them that were withdrawn.
    """

    name: str
    rows: int
    withdrawn: Sequence[UsageEvent]
    void: int
    revived: int


class NewRows(NamedTuple):
    """The rows without an id of a file that its batch hasn't had.

    :param sample: some of them, which stand for all.
    :param others: the number that each other batch had before, by its name.
    :param is_sure: whether they are to count, whatever other batches have.
    :param is_replacing: whether they take the place of others of their batch.
    """

    file: str
    batch: str
    sample: Sample
    others: Mapping[str, int]
    is_sure: bool
    is_replacing: bool


class UsageFiles:
    """Puts the rows of usage files into a repository, within the transaction that its caller holds.

    :param newcomers: the orgs that have no account.
    :param now: when accounts and batches are noted.
    :param late: where events count whose period is closed.
    :param has_names: whether the command can be told the name of a file's batch.
    """

    def __init__(
        self,
        repository: Repository,
        service: OverageService,
        layout: UsageLayout,
        newcomers: Newcomers,
        now: datetime,
        late: Late,
        has_names: bool,
    ) -> None:
        self._has_names = has_names
        self._repository, self._service, self._layout = repository, service, layout
        self._newcomers, self._now, self._late = newcomers, now, late
        self._new_rows: list[NewRows] = []
        self.new: int = 0
        """The number of events that are new."""
        self.orgs: set[str] = set()
        """The orgs that have new events, or events withdrawn."""
        self.span: tuple[datetime, datetime] | None = None
        """The instants of the first and of the last event of the files; None without any."""

    def add(
        self, file: UsageFile, *, name: str | None = None, replaced: str | None = None
    ) -> TakenIn:
        """Put the rows of a file.

        :param name: the name of its batch; that of the file, or of the replaced one, without it.
        :param replaced: the batch in whose place it is.
        :raises Stop: if it is faulty, empty, or another content of a batch that is there.
        """
        own_name = replaced or name or file.batch_name()
        if replaced is None:
            is_known, content = self._is_there(file, own_name), BatchContent()
        else:
            is_known = self._has_content(file, own_name)
            if not is_known:
                self._require_batch(file, own_name)
            content = self._content(own_name)
        batch, before = Batch(own_name, content), self._repository.batches()
        others = {each.name: each.events for each in before if each.name != own_name}
        taken = self._put(file, batch, are_known=is_known)
        if not is_known:
            rows = file.name, own_name, batch.sample, others
            self._new_rows.append(NewRows(*rows, name is not None, replaced is not None))
        return taken

    def finish(self) -> None:
        """Admit the orgs that are new, and put their rows.

        :raises Stop: if there are any, and no plan for them; or if most rows of a file are those of
            another batch, unless the name of this one was said.
        """
        if self._newcomers.are_refused:
            self._newcomers.say_refused()
            raise Stop(WRONG)
        for source, rows in self._newcomers.admitted(self._now):
            faults = Faults(source.name)
            while rows:  # of which those that are kept are in memory no more
                self._record(rows.take(), source.batch, faults)
            faults.stop_if_any(_NOTHING_WRITTEN)
        for each in self._new_rows:
            self._say_copies(each)

    # Batches that are there

    def _require_batch(self, file: UsageFile, name: str) -> None:
        """Refuse to replace a batch that isn't there, or none of whose rows is."""
        if any(self._repository.batch_orgs(name)):
            return
        before = self._repository.batch(name)
        if before is None:
            near = did_you_mean(name, [batch.name for batch in self._repository.batches()])
            say(f"{file.name}: there is no batch {name!r} to replace{near}")
            raise Stop(NOTHING)
        if before.events:
            say(
                f"{file.name}: none of the rows of the batch {name!r} is there under its name (they"
                f" came with ids of their own), so that it can't be replaced; {_NOTHING_WRITTEN}"
            )
            raise Stop(WRONG)

    def _content(self, name: str) -> BatchContent:
        """Return the rows that a batch has, which a file is to replace."""
        content = BatchContent(self._is_withdrawn)
        for org_id in self._repository.batch_orgs(name):
            for event, _ in self._repository.batch_events(org_id, name):
                content.add(event)
        return content

    def _is_withdrawn(self, org_id: str, event_id: str) -> bool:
        return event_id in self._repository.withdrawn_ids(org_id, [event_id])

    def _is_there(self, file: UsageFile, name: str) -> bool:
        """Tell whether a batch is there with the file's content; refuse one with another."""
        before = self._repository.batch(name)
        if before is None:
            return False
        if self._has_content(file, name):
            return True
        say(
            f"{file.name}: the batch {name!r} is there with {before.events:,} rows of another"
            f" content: give this file another --name, or take it in place of the first by"
            f" --replace {quote(name)}; {_NOTHING_WRITTEN}"
        )
        raise Stop(WRONG)

    def _has_content(self, file: UsageFile, name: str) -> bool:
        """Tell whether the rows without an id of a file are those that a batch has."""
        before = self._repository.batch(name)
        if before is None:
            return False
        batch = Batch(name, BatchContent())
        for piece in self._pieces(file):
            batch.named(piece.rows.events)
        return batch.digest == before.digest

    def _say_copies(self, new: NewRows) -> None:
        """Say how many rows of a file other batches have, too.

        :raises Stop: if they are most, and nothing says that they are to count.
        """
        copies = Copies(new.sample, self._repository, new.others)
        if not copies:
            return
        if new.is_sure or not copies.are_many:
            say(f"{new.file}: {copies.told}, and count once more")
            return
        remedy = self._remedy(new, copies)
        say(f"{new.file}: {copies.told}, and would count twice: {remedy}; {_NOTHING_WRITTEN}")
        raise Stop(WRONG)

    def _remedy(self, new: NewRows, copies: Copies) -> str:
        """Return the way to have rows counted once, or twice where that is meant."""
        if not self._has_names:
            return "leave them out, or write all files as one"
        if new.is_replacing:
            return f"if they are others, say so by --name {quote(new.batch)}"
        is_alone = len(self._new_rows) == 1
        remedy = "give those alone that are new"
        if copies.are_all and len(copies.held) != 1:
            remedy = "leave it out"
        elif len(copies.held) == 1:
            remedy = f"take it in place of that one by --replace {quote(copies.held[0])}"
            if copies.are_all and new.sample.total == new.others[copies.held[0]]:
                remedy = "leave it out"
        named = "give it a --name" if is_alone else "give it alone, with a --name"
        return f"{remedy}, or, if they are others, {named}"

    # Rows

    def _put(self, file: UsageFile, batch: Batch, *, are_known: bool) -> TakenIn:
        """Put the rows of a file.

        :param are_known: whether those without an id are there already.
        """
        name, faults, count, void = batch.name, Faults(file.name), 0, 0
        source = Source(file.name, name)
        for piece in self._pieces(file):
            count += len(piece)
            for line, error in piece.faults:
                faults.add(error, line)
            named = _named(piece.rows, batch, are_known=are_known)
            rows = self._newcomers.settled(source, named)
            new = self._record(rows, name, faults)
            if new < len(rows.events):
                void += self._void(rows.events)
        if faults.count and self._newcomers.are_refused:
            self._newcomers.say_refused()
        faults.stop_if_any(_NOTHING_WRITTEN)
        if not count:
            say(f"{file.name}: has no rows; {_NOTHING_WRITTEN}")
            raise Stop(NOTHING)
        withdrawn = list(batch.left())
        for org_id, ids in _ids_by_org(EventColumns(withdrawn)).items():
            self._service.withdraw_many(org_id, ids)
            self.orgs.add(org_id)
        if batch.unnamed or self._repository.batch(name) is not None:
            self._repository.put_batch(name, batch.digest, batch.unnamed, noted_at=self._now)
        revived = 0 if are_known else batch.revived
        return TakenIn(file.name, count, withdrawn, void, revived)

    def _record(self, rows: Rows, batch: str, faults: Faults) -> int:
        """Record the events of some rows; return the number of new ones."""
        lines, events = rows
        if not events:
            return 0

        def note(error: OveragesError) -> None:
            _, place, *field = error.path
            faults.add(self._of_column(error, field), lines[int(place)])

        new = self._service.record_usage(events, late=self._late, on_refused=note, batch=batch)
        self.new += new
        if new:
            self.orgs.update(events.orgs)
        ends = min(events.times), max(events.times)
        if self.span is not None:
            ends = min(ends[0], self.span[0]), max(ends[1], self.span[1])
        self.span = ends
        return new

    def _void(self, events: EventColumns) -> int:
        """Count the events that were withdrawn before."""
        ids = _ids_by_org(events).items()
        return sum(len(self._repository.withdrawn_ids(org_id, own)) for org_id, own in ids)

    def _of_column(self, error: OveragesError, field: Sequence[str | int]) -> OveragesError:
        """Return the error of an event's field as one of the file's column."""
        name, *rest = field or ["event_id"]
        column = _COLUMNS.get(str(name), str(name))
        of_column = copy(error)
        of_column.__cause__ = error.__cause__
        of_column.path = (self._layout.columns.get(column, column), *rest)
        return of_column

    def _pieces(self, file: UsageFile) -> Iterator[Piece]:
        """Yield the rows of a file in pieces.

        :raises Stop: if it can't be read as a usage file.
        """
        try:
            yield from pieces_of(file, self._layout)
        except EmptyFile:
            say(f"{file.name}: is empty; {_NOTHING_WRITTEN}")
            raise Stop(NOTHING) from None
        except OveragesError as error:
            raise refuse(file.name, error) from None


def _named(rows: Rows, batch: Batch, *, are_known: bool) -> Rows:
    """Return rows with an id each.

    :param are_known: whether those without one are there already, and left out.
    """
    named = Rows(rows.lines, batch.named(rows.events))
    if not are_known:
        return named
    return named.where([own is not None for own in rows.events.ids])


def _ids_by_org(events: EventColumns) -> dict[str, list[str]]:
    """Return the ids of events that have one each."""
    ids: dict[str, list[str]] = {}
    for org_id, event_id in events.identities():
        ids.setdefault(org_id, []).append(event_id)
    return ids
