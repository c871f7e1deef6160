"""The text of usage files, plain or compressed, line by line, however large they are.

with open_usage("usage.csv.gz", layout) as lines:
    for line, event in read_events(lines, layout): ...
"""

from __future__ import annotations

import sys
from codecs import BOM_UTF16_BE, BOM_UTF16_LE, BOM_UTF32_LE, getincrementaldecoder
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO
from os import fstat
from pathlib import Path
from stat import S_ISREG
from typing import Any, BinaryIO, Final

from overages.errors import InvalidValue
from overages.imports.usage_files.layout import UsageLayout
from overages.imports.usage_files.packing import UsageBytes, unpacked

_PIECE: Final = 65_536  # bytes that are read together
_LONGEST: Final = 16_777_216  # characters of a line; a file with a longer one isn't made of lines
_OF_WINDOWS: Final = range(0x80, 0xA0)  # bytes that are letters in its encoding, and no others
_OWN: Final = UsageLayout()


class UsageText:
    """The lines of a usage file, each with its end; they can be read once.

    :param file: binary.
    :param size: the bytes of the file, compressed if it is; None if that can't be told.
    """

    def __init__(self, file: BinaryIO, size: int | None, layout: UsageLayout = _OWN) -> None:
        self.size = size
        self._file = UsageBytes(file)
        self._unpacked = unpacked(self._file)
        self._encoding = layout.encoding
        _refuse_utf_16(self._unpacked.peek(4), layout.encoding)
        self._lines = 0  # that were read

    @property
    def bytes_read(self) -> int:
        """The bytes of the file that were read so far, compressed if it is."""
        return self._file.count

    def read(self, size: int) -> bytes:
        """Return the next bytes, decompressed, of a file whose lines aren't read."""
        return self._unpacked.read(size)

    def __iter__(self) -> Iterator[str]:
        decoder: Any = getincrementaldecoder(self._encoding)()
        rest, is_first = "", True
        while piece := self._unpacked.read(_PIECE):
            text = rest + self._decoded(decoder, piece, rest)
            if is_first and text:
                text, is_first = text.removeprefix("\ufeff"), False
            lines = list(StringIO(text, newline=""))
            rest = lines.pop() if lines and not text.endswith("\n") else ""  # it may go on
            if len(rest) > _LONGEST:
                problem = f"must be divided into lines of at most {_LONGEST:,} characters"
                raise InvalidValue("file", rest, problem)
            self._lines += len(lines)
            yield from lines
        rest += self._decoded(decoder, b"", rest)
        yield from StringIO(rest, newline="")

    def _decoded(self, decoder: Any, piece: bytes, rest: str) -> str:
        try:
            return str(decoder.decode(piece, final=not piece))
        except UnicodeDecodeError as error:
            raise self._misread(error, rest) from None
        except UnicodeError:  # before Python 3.13, of UTF-16 that doesn't begin with its mark
            line = piece.decode("latin-1").splitlines()[0]
            problem = f"must be {self._encoding}, which line 1 isn't"
            raise InvalidValue("encoding", line, problem) from None

    def _misread(self, error: UnicodeDecodeError, rest: str) -> InvalidValue:
        """Return the error of bytes that aren't of the encoding, by the line that they are in."""
        read, byte = error.object[: error.start], error.object[error.start]
        good = rest + read.decode(self._encoding, "replace")
        before = list(StringIO(good, newline=""))
        begun = before.pop() if before and before[-1][-1:] not in {"\r", "\n"} else ""
        number = self._lines + len(before) + 1
        likely = "cp1252" if byte in _OF_WINDOWS else "latin-1"
        line = begun + error.object[error.start :].decode(likely, "replace").splitlines()[0]
        problem = f"must be {self._encoding}, which line {number} isn't"
        if self._encoding == "utf-8":
            problem += f'; if it is right as shown here, write encoding = "{likely}" '
            problem += "under [usage]"
        return InvalidValue("encoding", line, problem)


@contextmanager
def open_usage(source: str | Path | BinaryIO, layout: UsageLayout = _OWN) -> Iterator[UsageText]:
    """Open a usage file, and close it at the end.

    Files that gzip or zstd compressed are decompressed, and a byte order mark is passed over. zstd
    takes Python 3.14, or the extra `arrow`.

    :param source: a path; ``"-"`` for the standard input; or a binary file, which stays open.
    :param layout: names the encoding.
    :raises InvalidValue: if it is no text, or of another encoding, damaged or cut off: at once, or
        where its lines are read.
    :raises OSError: if it can't be opened or read.

    >>> from io import BytesIO
    >>> with open_usage(BytesIO("org_id,métric".encode("latin-1"))) as lines:
    ...     list(lines)
    Traceback (most recent call last):
        ...
    overages.errors.InvalidValue: encoding: must be utf-8, which line 1 isn't; if it is right as \
shown here, write encoding = "latin-1" under [usage], got 'org_id,métric'
    """
    if source == "-":
        yield UsageText(sys.stdin.buffer, _size(sys.stdin.buffer), layout)
    elif isinstance(source, (str, Path)):
        with open(source, "rb") as file:
            yield UsageText(file, _size(file), layout)
    else:
        yield UsageText(source, _size(source), layout)


def _size(file: BinaryIO) -> int | None:
    try:
        status = fstat(file.fileno())
    except OSError:  # a stream in memory
        return None
    return status.st_size if S_ISREG(status.st_mode) else None


def _refuse_utf_16(head: bytes, encoding: str) -> None:
    """Refuse UTF-16 that is to be read as an encoding of single bytes."""
    if "a".encode(encoding) != b"a":
        return
    likely = None
    if head.startswith(BOM_UTF32_LE):
        likely = "utf-32"
    elif head.startswith((BOM_UTF16_LE, BOM_UTF16_BE)):
        likely = "utf-16"
    elif head[:1] == b"\0" != head[1:2]:
        likely = "utf-16-be"
    elif head[1:2] == b"\0" != head[:1]:
        likely = "utf-16-le"
    if likely is not None:
        problem = f'must be {encoding}; it begins as UTF-16 does: write encoding = "{likely}"'
        raise InvalidValue("encoding", head, problem + " under [usage]")
