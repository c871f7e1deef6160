"""The bytes of usage files: recognised by the first of them, and decompressed.

source = UsageBytes(file)
source.count                                      # bytes of the file that were read so far
unpacked(source).read(65_536)
"""

from __future__ import annotations

import gzip
import zlib
from importlib import import_module
from typing import Any, Final, Protocol

from overages.errors import InvalidValue

_HEAD: Final = 512  # bytes by which a kind of file is known
_GZIP: Final = b"\x1f\x8b"
_ZSTD: Final = b"\x28\xb5\x2f\xfd"
_TAR: Final = 257, b"ustar"  # its place
_OTHERS: Final = {
    b"PAR1": "a Parquet file: read it as a table, by overages.imports.arrow",
    b"ARROW1": "an Arrow file: read it as a table, by overages.imports.arrow",
    b"PK\x03\x04": "a zip archive: unpack it first",
    b"\xd0\xcf\x11\xe0": "an Excel workbook: save its sheet as CSV",
    b"BZh": "compressed by bzip2: decompress it first",
    b"\xfd7zXZ\0": "compressed by xz: decompress it first",
}
_WORKBOOK: Final = b"[Content_Types].xml"  # the first file in the zip archive that xlsx is


class Readable(Protocol):
    """Bytes that can be read one piece after another."""

    def read(self, size: int, /) -> bytes:
        """Return the next bytes, as many as asked for if there are; none at the end."""
        ...


class UsageBytes:
    """A binary file that can be looked into before it is read, and counts its bytes."""

    closed = False  # for pyarrow, which asks before it reads

    def __init__(self, file: Readable) -> None:
        self._file, self._ahead = file, b""
        self.count: int = 0

    def peek(self, size: int = _HEAD) -> bytes:
        """Return the first bytes that are still to be read."""
        while len(self._ahead) < size and (piece := self._file.read(size - len(self._ahead))):
            self._ahead += piece
        return self._ahead[:size]

    def read(self, size: int) -> bytes:
        """Return the next bytes."""
        if self._ahead:
            piece, self._ahead = self._ahead[:size], self._ahead[size:]
        else:
            piece = self._file.read(size)
        self.count += len(piece)
        return piece

    def close(self) -> None:
        """Leave the file open, for whoever opened it."""


class _Unpacked:
    """The bytes of a compressed file; one that is damaged or cut off is named."""

    def __init__(self, file: Any, kind: str, *errors: type[Exception]) -> None:
        self._file, self._kind, self._errors = file, kind, errors

    def read(self, size: int) -> bytes:
        """Return the next bytes."""
        try:
            return bytes(self._file.read(size))
        except self._errors as error:
            if isinstance(error, OSError) and error.errno is not None:  # the disk's, not the file's
                raise
            problem = f"must be a whole {self._kind} file; this one is damaged, or cut off"
            raise InvalidValue("file", str(error), problem) from None


def unpacked(source: UsageBytes) -> UsageBytes:
    """Return the bytes of a file that may be compressed by gzip or zstd.

    :raises InvalidValue: if it is of a kind that isn't read as text, or nothing installed here
        reads zstd.
    """
    head = source.peek()
    if head.startswith(_GZIP):
        file: Any = gzip.GzipFile(fileobj=source, mode="rb")  # type: ignore[call-overload]
        text = UsageBytes(_Unpacked(file, "gzip", EOFError, zlib.error, OSError))
    elif head.startswith(_ZSTD):
        text = UsageBytes(_zstd(source))
    else:
        text = source
    _refuse_others(text.peek())
    return text


def _zstd(source: UsageBytes) -> _Unpacked:
    try:
        zstd = import_module("compression.zstd")  # from Python 3.14 on
        return _Unpacked(zstd.ZstdFile(source), "zstd", EOFError, zstd.ZstdError)
    except ImportError:
        pass
    try:
        pa: Any = import_module("pyarrow")
    except ImportError:
        problem = (
            "must be read by Python 3.14 or newer, or by pyarrow, which overages[arrow] has: "
            "pip install 'overages[arrow]', or decompress it first"
        )
        raise InvalidValue("file", "a zstd file", problem) from None
    stream = pa.CompressedInputStream(pa.PythonFile(source, mode="r"), "zstd")
    return _Unpacked(stream, "zstd", OSError)


def _refuse_others(head: bytes) -> None:
    """Refuse a file that is no text, by the bytes that its kind begins with."""
    kind = next((kind for magic, kind in _OTHERS.items() if head.startswith(magic)), None)
    if _WORKBOOK in head:
        kind = _OTHERS[b"\xd0\xcf\x11\xe0"]
    place, magic = _TAR
    if head.startswith(magic, place):
        kind = "a tar archive: unpack it first"
    if kind is not None:
        raise InvalidValue("file", head[:8], f"must be a text, and not {kind}")
