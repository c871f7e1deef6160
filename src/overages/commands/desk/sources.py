"""Sources: a file of plans, usage files, and the database that commands work on.

book = load_book(path)
with readable(paths) as files, opened(path, dry_run=False) as repository: ...
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import sys
from collections.abc import Iterable, Iterator, Sized
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile
from typing import TYPE_CHECKING, BinaryIO, Final, NamedTuple, TypeVar, cast
from unicodedata import normalize

from overages._ground.names import parse_name
from overages.adapters.sqlite import SqliteRepository
from overages.adapters.sqlite.failures import our_errors
from overages.commands.desk.arguments import STANDARD_INPUT
from overages.commands.desk.faults import refuse
from overages.commands.desk.outcome import NOTHING, WRONG, Stop
from overages.commands.desk.progress import track
from overages.commands.desk.terminal import say
from overages.errors import InvalidValue, OveragesError, did_you_mean
from overages.imports.plans import PlanBook, read_plans
from overages.imports.usage_files.layout import UsageLayout
from overages.imports.usage_files.text import UsageText, open_usage
from overages.repository import Repository

if TYPE_CHECKING:
    from overages.imports.usage_files.blocks import Block

S = TypeVar("S", bound=Sized)


def load_book(path: Path) -> PlanBook:
    """Return all that a TOML file of plans says.

    :raises Stop: if it is faulty.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
        return read_plans(text, read_table=lambda name: _table(path.parent / name))
    except UnicodeDecodeError as error:
        say(f"{path}: must be UTF-8: {error}")
        raise Stop(WRONG) from None
    except OveragesError as error:
        raise refuse(str(path), error) from None


def _table(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except ValueError as error:  # a name that no file has, or another encoding
        raise InvalidValue("prices", str(path), f"must be a CSV in UTF-8: {error}") from None


_OF_A_ROW: Final = 40  # bytes that the id of a row has beside the name of its batch


class UsageFile(NamedTuple):
    """A usage file that can be read, more than once.

    :param content: its path, or what came by standard input.
    :param name: its name in messages.
    """

    content: Path | BinaryIO
    name: str

    @property
    def size(self) -> int:
        """The bytes of the file, compressed if it is."""
        if not isinstance(self.content, Path):
            return self.content.seek(0, os.SEEK_END)
        try:
            return self.content.stat().st_size
        except OSError:  # which is told when it is opened
            return 0

    def batch_name(self) -> str:
        """Return the name of its batch: that of the file, as it is when it is unpacked.

        :raises Stop: if no batch can have such a name.
        """
        own = normalize("NFC", Path(self.name).name)  # as macOS writes it otherwise
        for ending in (".gz", ".zst"):
            own = own[: -len(ending)] if own.lower().endswith(ending) else own
        try:
            parse_name(f"{own}{'#' * _OF_A_ROW}", "name")
        except OveragesError as error:
            say(f"{self.name}: its name can't be that of its batch, give it a --name: {error}")
            raise Stop(WRONG) from None
        return own


@contextmanager
def lines_of(file: UsageFile, layout: UsageLayout) -> Iterator[Iterable[str]]:
    """Open a usage file for its lines, and show how far they are read."""
    with _opened(file, layout) as text:
        yield _tracked(text, file, text, "lines")


@contextmanager
def blocks_of(file: UsageFile, layout: UsageLayout) -> Iterator[Iterable[Block]]:
    """Open a usage file for its blocks, which pyarrow reads, and show how far they are read."""
    from overages.imports.usage_files.blocks import read_blocks  # which takes a moment

    with _opened(file, layout) as text:
        yield _tracked(read_blocks(text, layout), file, text, "rows")


@contextmanager
def _opened(file: UsageFile, layout: UsageLayout) -> Iterator[UsageText]:
    if not isinstance(file.content, Path):
        file.content.seek(0)
    with open_usage(file.content, layout) as text:
        yield text


def _tracked(items: Iterable[S], file: UsageFile, text: UsageText, noun: str) -> Iterator[S]:
    caption = f"reading {Path(file.name).name}"
    return track(items, caption, text.size, sys.stderr, lambda: text.bytes_read, noun)


@contextmanager
def readable(sources: Iterable[Path | str]) -> Iterator[list[UsageFile]]:
    """Hold files that can be read more than once, as standard input can't: it is read here.

    So no other process waits for a database while this one waits for its input.
    """
    with ExitStack() as stack:
        files = []
        for source in sources:
            path = Path(source)
            if source == STANDARD_INPUT or path.is_fifo() or path.is_char_device():
                spooled = stack.enter_context(TemporaryFile())
                if source == STANDARD_INPUT:
                    shutil.copyfileobj(sys.stdin.buffer, spooled)
                else:
                    with path.open("rb") as pipe:
                        shutil.copyfileobj(pipe, spooled)
                name = "standard input" if source == STANDARD_INPUT else str(source)
                files.append(UsageFile(cast("BinaryIO", spooled), name))
            else:
                files.append(UsageFile(path, str(source)))
        yield files


_PATIENCE: Final = 60  # seconds that a command waits for another one that writes


@contextmanager
def opened(path: Path, *, dry_run: bool, made: bool = True) -> Iterator[SqliteRepository]:
    """Open a database to write to.

    :param dry_run: whether a copy of it is opened, which is thrown away.
    :param made: whether it is made if there is none; a dry run makes none.
    :raises Stop: if it isn't there, and isn't made.
    """
    is_there = os.path.exists(path)
    if not (is_there or made):
        say(f"{path}: there is no such file")
        raise Stop(NOTHING)
    if not dry_run:
        with SqliteRepository(path, timeout=_PATIENCE) as repository:
            yield repository
        return
    with TemporaryDirectory() as folder:
        copy = Path(folder) / "dry-run.db"
        if is_there:
            _copy(path, copy)
        with SqliteRepository(copy) as repository:
            yield repository
    say("dry run: nothing was written")


def to_read(path: Path) -> SqliteRepository:
    """Open a database to read from.

    :raises Stop: if it isn't there.
    """
    if not os.path.exists(path):
        say(f"{path}: there is no such file")
        raise Stop(NOTHING)
    return SqliteRepository.read_only(path)


def _copy(path: Path, copy: Path) -> None:
    """Copy a database, of which not a byte is written: not even its journal's."""
    address = f"{path.absolute().as_uri()}?mode=ro"
    with (
        our_errors(),
        closing(sqlite3.connect(address, uri=True)) as source,
        closing(sqlite3.connect(copy)) as target,
    ):
        source.backup(target)


def require_org(org_id: str | None, repository: Repository, source: Path) -> None:
    """Refuse an org that the database doesn't know: its name may be misspelt.

    :raises Stop: if it is none of them.
    """
    if org_id is None or repository.account(org_id) is not None or repository.records(org_id):
        return
    say(f"{source}: there is no org {org_id!r}{did_you_mean(org_id, repository.orgs())}")
    raise Stop(NOTHING)
