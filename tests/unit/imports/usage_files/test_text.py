"""The text of usage files: compressed, of other encodings, no text at all."""

import gzip
import os
import sys
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, BinaryIO

import pytest

from overages.errors import EmptyFile, InvalidValue, OveragesError
from overages.imports.events import read_events
from overages.imports.usage_files.layout import UsageLayout
from overages.imports.usage_files.text import open_usage

TEXT = "org_id,metric\r\nacmé,tokens\n"
LINES = ["org_id,metric\r\n", "acmé,tokens\n"]


def lines(content: bytes, **layout: Any) -> list[str]:
    with open_usage(BytesIO(content), UsageLayout(**layout)) as text:
        return list(text)


def fault(content: bytes, **layout: Any) -> str:
    with pytest.raises(InvalidValue) as caught:
        lines(content, **layout)
    return str(caught.value)


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_a_text_is_read_packed_or_not(mark: bytes, pack: Callable[[bytes], bytes]) -> None:
    assert lines(pack(mark + TEXT.encode())) == LINES


@pytest.mark.parametrize(
    ("encoding", "written"),
    [
        ("utf-16", "utf-16"), ("utf-16-le", "utf-16-le"), ("utf-16-be", "utf-16-be"),
        ("latin-1", "latin-1"), ("cp1252", "latin-1"), ("UTF8", "utf-8-sig"),
    ],
)  # fmt: skip
def test_a_text_is_read_in_the_encoding_of_the_layout(encoding: str, written: str) -> None:
    assert lines(TEXT.encode(written), encoding=encoding) == LINES


@pytest.mark.parametrize(
    ("encoding", "named"),
    [("utf-16", "utf-16"), ("utf-16-le", "utf-16-le"), ("utf-16-be", "utf-16-be"),
     ("utf-32", "utf-32")],
)  # fmt: skip
def test_utf_16_is_named_with_the_cure(encoding: str, named: str) -> None:
    assert fault(TEXT.encode(encoding)).startswith(
        "encoding: must be utf-8; it begins as UTF-16 does: write "
        f'encoding = "{named}" under [usage], got b'
    )
    with pytest.raises(InvalidValue, match=r"^encoding: must be iso8859-1; it begins as UTF-16"):
        lines(TEXT.encode(encoding), encoding="latin-1")


@pytest.mark.parametrize(
    ("content", "line", "named", "shown"),
    [
        (TEXT.encode("latin-1"), 2, "latin-1", "acmé,tokens"),
        ("a\rb\r“c”\r\nd\n".encode("cp1252"), 3, "cp1252", "“c”"),
        (b"x\n" * 50_000 + b"yz\xe9\xe8", 50_001, "latin-1", "yzéè"),
        (b"\xe9", 1, "latin-1", "é"),
    ],
)
def test_latin_1_is_named_with_its_line_and_the_cure(
    content: bytes, line: int, named: str, shown: str
) -> None:
    assert fault(content) == (
        f"encoding: must be utf-8, which line {line} isn't; if it is right as shown here, write "
        f"encoding = \"{named}\" under [usage], got '{shown}'"
    )


def test_a_text_that_is_not_of_the_layouts_encoding_is_told() -> None:
    message = "encoding: must be ascii, which line 2 isn't, got 'acmÃ©,tokens'"
    assert fault(TEXT.encode(), encoding="ascii") == message
    assert fault(TEXT.encode("utf-16-le")[:-1], encoding="utf-16-le").startswith(
        "encoding: must be utf-16-le, which line 2 isn't, got "
    )


def test_a_text_without_the_mark_that_its_encoding_begins_with_is_told() -> None:
    message = "encoding: must be utf-16, which line 1 isn't, got 'org_id,metric'"
    assert fault(TEXT.encode(), encoding="utf-16") == message


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"PK\x03\x04\x14\0usage.csv", "a zip archive: unpack it first"),
        (b"PK\x03\x04\x14\0\x06\0[Content_Types].xml", "an Excel workbook: save its sheet as CSV"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1", "an Excel workbook: save its sheet as CSV"),
        (b"PAR1\x15\x04", "a Parquet file: read it as a table, by overages.imports.arrow"),
        (b"ARROW1\0\0", "an Arrow file: read it as a table, by overages.imports.arrow"),
        (b"BZh91AY", "compressed by bzip2: decompress it first"),
        (b"\xfd7zXZ\0\0", "compressed by xz: decompress it first"),
        (b"usage.csv".ljust(257, b"\0") + b"ustar\x0000", "a tar archive: unpack it first"),
    ],
)
def test_a_file_that_is_no_text_is_named(content: bytes, kind: str) -> None:
    message = f"file: must be a text, and not {kind}, got {content[:8]!r}"
    assert fault(content) == message
    assert fault(gzip.compress(content)) == message


@pytest.mark.parametrize("damage", [lambda c: c[:-9], lambda c: c[:-8] + b"\0" * 8])
def test_a_gzip_file_that_is_cut_off_or_damaged_is_named(damage: Callable[[bytes], bytes]) -> None:
    packed = gzip.compress((TEXT * 1_000).encode())
    problem = "file: must be a whole gzip file; this one is damaged, or cut off, got "
    assert fault(damage(packed)).startswith(problem)
    assert fault(packed[:12]).startswith(problem)
    assert fault(packed[:20] + b"\xff" * 40).startswith(problem)


def test_a_failing_disk_is_no_fault_of_the_file() -> None:
    class Failing(BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            if self.tell():
                raise OSError(5, "Input/output error")
            return super().read(size)

    packed = gzip.compress(os.urandom(2_000))
    with pytest.raises(OSError, match="Input/output error"), open_usage(Failing(packed)) as text:
        list(text)


def test_a_zstd_file_is_read_by_pyarrow() -> None:
    pa = pytest.importorskip("pyarrow")
    packed = bytes(pa.compress(TEXT.encode() * 5_000, codec="zstd", asbytes=True))
    assert lines(packed) == LINES * 5_000
    assert fault(packed[:-5]).startswith("file: must be a whole zstd file; this one is damaged")


ZSTD = b"\x28\xb5\x2f\xfd"


def test_a_zstd_file_is_read_by_python_where_it_can(monkeypatch: pytest.MonkeyPatch) -> None:
    class ZstdError(Exception):
        pass

    class ZstdFile:
        """Python 3.14's, as far as it is asked: the rest is as it was packed."""

        def __init__(self, file: BinaryIO) -> None:
            self._file = file
            assert file.read(4) == ZSTD

        def read(self, size: int) -> bytes:
            piece = self._file.read(size)
            if b"\xff" in piece:
                raise ZstdError("Unable to decompress Zstandard data: Corrupted block detected")
            return piece

    module: Any = SimpleNamespace(ZstdFile=ZstdFile, ZstdError=ZstdError)
    monkeypatch.setitem(sys.modules, "compression", ModuleType("compression"))
    monkeypatch.setitem(sys.modules, "compression.zstd", module)
    assert lines(ZSTD + TEXT.encode()) == LINES
    assert fault(ZSTD + b"\xff").endswith("cut off, got 'Unable to decompress Zstandard data: "
                                          "Corrupted block detected'")  # fmt: skip


def test_a_zstd_file_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("compression.zstd", "pyarrow"):
        monkeypatch.setitem(sys.modules, name, None)
    assert fault(ZSTD) == (
        "file: must be read by Python 3.14 or newer, or by pyarrow, which overages[arrow] has: "
        "pip install 'overages[arrow]', or decompress it first, got 'a zstd file'"
    )


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_end_in_any_way_wherever_they_are_cut(end: str) -> None:
    for width in (65_533, 65_534, 65_535, 65_536):
        expected = ["é" + "x" * (width - 3) + end, end, "z" * 9 + end, "no end"]
        assert lines("".join(expected).encode()) == expected


def test_a_character_of_several_bytes_may_lie_across_two_pieces() -> None:
    for shift in range(4):
        text = "x" * shift + "𝛑é\n" * 30_000
        assert "".join(lines(text.encode())) == text


def test_a_file_that_is_not_made_of_lines_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("overages.imports.usage_files.text._LONGEST", 100_000)
    message = "file: must be divided into lines of at most 100,000 characters, got 'xxx"
    assert fault(b"x" * 200_000).startswith(message)


def test_an_empty_file_has_no_lines(tmp_path: Path) -> None:
    empty = tmp_path / "usage.csv"
    empty.touch()
    for source in (empty, str(empty), BytesIO(), BytesIO(gzip.compress(b""))):
        with open_usage(source) as text, pytest.raises(EmptyFile):
            list(read_events(text))


def test_a_text_tells_how_far_it_was_read(tmp_path: Path) -> None:
    path = tmp_path / "usage.csv.gz"
    path.write_bytes(gzip.compress(os.urandom(150_000).hex(" ", 40).replace(" ", "\n").encode()))
    with open_usage(path) as text:
        assert text.size == path.stat().st_size
        assert text.bytes_read < text.size
        count = sum(1 for _ in text)
        assert text.bytes_read == text.size
    assert count == 3_750
    with open_usage(BytesIO(TEXT.encode())) as text:
        assert text.size is None


def test_a_path_is_closed_and_a_stream_is_left_open(tmp_path: Path) -> None:
    path = tmp_path / "usage.csv"
    path.write_text(TEXT, "utf-8", newline="")
    with open_usage(path) as text:
        assert list(text) == LINES
    stream = BytesIO(TEXT.encode())
    with open_usage(stream) as text:
        assert list(text) == LINES
    assert not stream.closed


def test_a_dash_is_the_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    def piped() -> Iterator[int]:
        read, write = os.pipe()
        os.write(write, TEXT.encode())
        os.close(write)
        yield read

    with os.fdopen(next(piped()), "rb") as pipe:
        monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=pipe))
        with open_usage("-") as text:
            assert text.size is None
            assert list(text) == LINES


def test_a_file_that_cannot_be_opened_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(IsADirectoryError), open_usage(tmp_path):
        pass
    with pytest.raises(FileNotFoundError), open_usage(tmp_path / "none.csv"):
        pass


def test_a_file_larger_than_memory_is_read_in_pieces() -> None:
    class Endless:
        """A stream that counts its bytes, and has no end."""

        count = 0

        def read(self, size: int) -> bytes:
            self.count += size
            return b"0123456\n" * (size // 8)

        def fileno(self) -> int:
            raise OSError

    endless: Any = Endless()
    with open_usage(endless) as text:
        for _, _line in zip(range(10_000), text, strict=False):
            pass
        assert endless.count < 4 * 65_536


def test_what_is_wrong_with_a_text_reaches_who_reads_its_events() -> None:
    rows = b"org_id,metric,quantity,timestamp\n" + b"a,b,1,2024-02-01T12:00:00Z\n" * 10_000
    with open_usage(BytesIO(rows + b"\xe9,b,1,\n")) as text:
        events = read_events(text)
        assert next(events)[0] == 2
        with pytest.raises(OveragesError, match=r"^encoding: must be utf-8, which line 10002 "):
            list(events)
