"""A writer was killed in the middle of a commit, and the next one there may only read."""

import shutil
import sqlite3
from pathlib import Path

from overages.adapters.sqlite import MemberView, SqliteRepository

from . import bills


def left_half_done(path: Path) -> Path:
    """Return a copy of a database, and of the journal of a write that hadn't ended."""
    left = path.with_name("left.db")
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = DELETE")
    connection.execute("PRAGMA cache_size = 1")  # changed pages reach the file before the end
    connection.execute("BEGIN IMMEDIATE")
    connection.execute("DROP TRIGGER org_billing_overages_no_update")
    connection.execute("UPDATE org_billing_overages SET cost = '0', plan = hex(randomblob(99))")
    for suffix in ("", "-journal"):
        shutil.copy(f"{path}{suffix}", f"{left}{suffix}")
    connection.execute("ROLLBACK")
    connection.close()
    return left


def test_what_a_killed_writer_left_half_done_is_taken_back_by_a_reader(tmp_path: Path) -> None:
    bills.fill(tmp_path / "whole.db", orgs=40)
    left = left_half_done(tmp_path / "whole.db")
    with SqliteRepository.read_only(left) as repository:
        assert repository.verify() == 40 * 6
    assert bills.contents(left) == bills.contents(tmp_path / "whole.db")


def test_what_a_killed_writer_left_half_done_is_not_shown_to_a_member(tmp_path: Path) -> None:
    bills.fill(tmp_path / "whole.db", orgs=40)
    left = left_half_done(tmp_path / "whole.db")
    with (
        MemberView(left, bills.org_name(7)) as view,
        SqliteRepository.read_only(tmp_path / "whole.db") as whole,
    ):
        assert view.records() == whole.records(bills.org_name(7))
