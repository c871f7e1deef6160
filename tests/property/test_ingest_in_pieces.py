"""Files are ingested alike in columns and by single events, in pieces of any size (law 13).

The same bytes are in the database, and the same is said, though pieces tell their faults in turn.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager, redirect_stderr, redirect_stdout
from datetime import datetime, tzinfo
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

from hypothesis import example, given, strategies as st

from overages import OverageService, UsageEvent
from overages.commands import apply, close, ingest
from overages.commands.desk import rows
from overages.commands.parser import main

from .test_sums_of_files import GRANT, METRIC, PLANS, contents

Outcome = tuple[int, str, list[str]]
"""The status of a command, what it printed, and the lines that it said, sorted."""

WIDE = "org_id,timestamp,tokens,runs,event_id\n"
IN_COLUMNS = '[usage]\nmetrics = { tokens = "tokens", runs = "runs" }\n'


class Frozen(datetime):
    """The time, which stands still."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
        return datetime(2024, 4, 2, 12, tzinfo=tz)


@st.composite
def files(draw: st.DrawFn) -> str:
    """Return a file of some events, a row for each; with ids of which few come again, or none."""
    ids = draw(st.sampled_from([None, None, 3, 1_000]))
    lines = ["org_id,metric,quantity,timestamp" + ",event_id" * (ids is not None)]
    for place, row in enumerate(draw(contents)):
        own = "" if ids is None else f",{'' if place % 4 == 3 else place % ids}"
        lines += [f"{','.join(map(str, row))}Z{own}"] * draw(st.sampled_from([1, 1, 1, 2]))
    return "\n".join([*lines, ""])


cells = st.sampled_from(["5", "2", "", "", "x"])
wide_rows = st.tuples(
    st.sampled_from(["acme", "new"]),
    st.sampled_from(["2024-02-01T12:00:00Z", "2024-02-03T12:00:00.5Z"]),
    cells,
    cells,
    st.sampled_from(["", "1", "2"]),
)
wide_files = st.lists(wide_rows.map(",".join), max_size=6).map(
    lambda lines: WIDE + "".join(f"{line}\n" for line in lines)
)

Steps = list[Sequence[str]]
steps: st.SearchStrategy[Steps] = st.lists(
    st.tuples(
        st.sampled_from([("a.csv",), ("b.csv",), ("b.csv", "--replace", "a.csv"), ("wide.csv",)]),
        st.sampled_from([(), ("--new-orgs",), ("--new-orgs", "--late", "next")]),
        st.booleans(),
    ).map(lambda each: [*each[0], *each[1], *["close"] * each[2]]),
    min_size=1,
    max_size=4,
)


def single(
    record: Callable[..., int],
) -> Callable[..., int]:
    """Return what takes usage in, of columns of which an event is made each."""

    def record_single(
        service: OverageService, events: Iterable[UsageEvent], **options: object
    ) -> int:
        return record(service, list(events), **options)

    return record_single


@contextmanager
def taken(size: int, *, by_events: bool) -> Iterator[None]:
    """Have rows put together in pieces of a size, in columns or by single events."""
    record = OverageService.record_usage
    with patch.object(rows, "PIECE", size):
        if not by_events:
            yield
            return
        with patch.object(OverageService, "record_usage", single(record)):
            yield


def run(*arguments: str) -> Outcome:
    out, err = StringIO(), StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        status = main(arguments)
    return status, out.getvalue(), sorted(err.getvalue().splitlines())


def outcome(folder: Path, steps: Steps) -> tuple[list[Outcome], list[str]]:
    """Return the outcome of each step, and the content of the database, which is thrown away."""
    database = folder / "b.db"
    db = ("--db", str(database))
    found = [run("apply", *db, "--plans", str(folder / "plans.toml"))]
    for file, *options in steps:
        book = "wide.toml" if file == "wide.csv" else "plans.toml"
        asked = [each for each in options if each != "close"]
        found.append(run("ingest", *db, "--layout", str(folder / book), *asked, str(folder / file)))
        if "close" in options:
            found.append(run("close", *db, "--until", "2024-03-05T00:00:00Z"))
    with closing(sqlite3.connect(database)) as connection:
        content = list(connection.iterdump())
    database.unlink()
    return found, content


@given(
    files(),
    files(),
    wide_files,
    st.sampled_from(["", "", METRIC, GRANT]),
    steps,
    st.sampled_from([1, 2, 5]),
)
@example(
    "org_id,metric,quantity,timestamp\n" + "acme,tokens,5,2024-02-01T12:00:00Z\n" * 3,
    "org_id,metric,quantity,timestamp\n" + "acme,tokens,5,2024-02-01T12:00:00Z\n" * 2,
    WIDE,
    "",
    [["a.csv"], ["b.csv", "--replace", "a.csv"], ["a.csv", "--replace", "a.csv"]],
    2,
)
def test_what_is_in_the_database_depends_on_no_piece_and_no_object(
    first: str, second: str, wide: str, more: str, steps: Steps, size: int
) -> None:
    with (
        TemporaryDirectory() as name,
        patch.object(apply, "datetime", Frozen),
        patch.object(close, "datetime", Frozen),
        patch.object(ingest, "datetime", Frozen),
    ):
        folder = Path(name)
        (folder / "plans.toml").write_text(PLANS + more)
        (folder / "wide.toml").write_text(PLANS + more + IN_COLUMNS)
        (folder / "a.csv").write_text(first)
        (folder / "b.csv").write_text(second)
        (folder / "wide.csv").write_text(wide)
        with taken(10_000, by_events=False):
            whole = outcome(folder, steps)
        with taken(size, by_events=False):
            assert outcome(folder, steps) == whole
        with taken(size, by_events=True):
            assert outcome(folder, steps) == whole
