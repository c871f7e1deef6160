"""Files are rated alike by their sums and by their events: message for message (law 13)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch
from zlib import crc32

from hypothesis import given, strategies as st

from overages.commands.desk.sums import UsageSums
from overages.commands.parser import main

PLANS = """default_plan = "p"
[plans.p]
currency = "USD"
[plans.p.allowances]
tokens = { included = 20, price = { model = "per_unit", price = "0.03" }, carry_over = {} }
runs = { included = 1, price = { model = "package", size = 5, price = "2.5" } }
[plans.q]
currency = "USD"
allowances.tokens = { included = 7, price = { model = "per_unit", price = 5 } }
allowances.seats = { included = 1, price = { model = "per_unit", price = 9 }, kind = "level" }
[accounts.acme]
plan = "p"
since = 2024-01-01T00:00:00Z
[accounts.moving]
plan = "p"
since = 2024-01-10T00:00:00Z
[[accounts.moving.changes]]
since = 2024-02-12T00:00:00Z
plan = "q"
[accounts.ended]
plan = "p"
since = 2024-01-01T00:00:00Z
[[accounts.ended.changes]]
since = 2024-02-20T00:00:00Z
kind = "end"
"""
GRANT = '[grants.acme.g]\nquantity = 5\nmetric = "tokens"\neffective_at = 2024-01-01T00:00:00Z\n'
METRIC = '[metrics.runs]\naggregation = "count"\n'

times = st.datetimes().map(
    lambda at: at.replace(year=2024, month=1 + at.month % 3, day=1 + at.day % 29)
)
plain = st.tuples(
    st.sampled_from(["acme", "new", "newer"]),
    st.sampled_from(["tokens", "runs"]),
    st.sampled_from(["5", "12", "0", "0.25", "1000000", "3"]),
    times,
)
moving = st.tuples(
    st.just("moving"), st.just("tokens"), st.just("30"), times.map(lambda at: at.replace(month=2))
)
odd = st.tuples(
    st.sampled_from(["acme", "moving", "ended", "new"]),
    st.sampled_from(["tokens", "runs", "seats", "toads"]),
    st.sampled_from(["5", "-1", "x"]),
    times,
)
contents = st.lists(plain | moving, max_size=12) | st.lists(plain | odd, min_size=1, max_size=12)


@contextmanager
def by_events() -> Iterator[None]:
    """Leave all files to the intake."""
    with patch.object(UsageSums, "put", lambda *_: None):
        yield


def rated(folder: Path, *options: str) -> tuple[int, str, str]:
    out, err = StringIO(), StringIO()
    usage = [part for path in sorted(folder.glob("*.csv")) for part in ("--usage", str(path))]
    with redirect_stdout(out), redirect_stderr(err):
        status = main(["rate", "--plans", str(folder / "plans.toml"), *usage, *options])
    return status, out.getvalue(), err.getvalue()


@given(
    st.lists(st.tuples(contents, st.booleans()), min_size=1, max_size=2),
    st.sampled_from([0, 0, 0, 7]),
    st.sampled_from([""] * 4 + [GRANT, METRIC]),
    st.sampled_from([True, True, True, False]),
    st.sampled_from([(), ("--period", "2024-02"), ("--org", "moving")]),
)
def test_files_are_rated_alike_by_their_sums_and_by_their_events(
    files: list[tuple[list[tuple[str, str, str, object]], bool]],
    ids: int,
    more: str,
    is_open: bool,
    options: tuple[str, ...],
) -> None:
    with TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "plans.toml").write_text(PLANS + more)
        for number, (rows, with_ids) in enumerate(files):
            lines = ["org_id,metric,quantity,timestamp" + ",event_id" * with_ids]
            for place, row in enumerate(rows):
                event_id = (
                    f",{place % ids if ids else crc32(repr(row).encode())}" * with_ids
                )  # the same, or none
                lines.append(f"{','.join(map(str, row))}Z{event_id}")
            (folder / f"{number}.csv").write_text("\n".join(lines) + "\n")
        asked = [*options, *["--new-orgs"] * is_open, "--format", "json"]
        by_sums = rated(folder, *asked)
        with by_events():
            assert rated(folder, *asked) == by_sums
