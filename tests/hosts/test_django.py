"""Within atomic(), writes are kept or lost with Django's own; outside of it, they are refused.

Django's settings are those of a process, so that each test runs a program of its own.
"""

import subprocess
import sys
from pathlib import Path

import pytest

from .bills import records_in

pytest.importorskip("django")

ROOT = Path(__file__).parents[2]
PROGRAM = """
import django
from django.conf import settings
from django.db import connection, transaction
from overages.adapters.sqlite import SqliteRepository, migrate
from overages.errors import NoTransaction, RecordConflict
from tests.hosts.bills import sign_up, use_and_record

settings.configure(
    DATABASES={{"default": {{"ENGINE": "django.db.backends.sqlite3", "NAME": "host.db"}}}}
)
django.setup()

def joined():
    connection.ensure_connection()
    return SqliteRepository.join(connection.connection)

def is_refused():
    try:
        use_and_record(joined())
    except NoTransaction:
        return True

with transaction.atomic():
    connection.cursor().execute("CREATE TABLE invoices (number INTEGER)")
    migrate(connection.connection)
    sign_up(joined())
{body}
connection.close()
"""


def run(folder: Path, body: str) -> str:
    """Run a program of a Django host, with our tables and an org; return what it prints."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", PROGRAM.format(body=body)],
        cwd=folder,
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.strip()


def test_a_write_outside_of_atomic_is_refused_and_nothing_is_there(tmp_path: Path) -> None:
    assert run(tmp_path, "print(is_refused(), connection.in_atomic_block)") == "True False"
    assert records_in(tmp_path / "host.db") == 0


def test_a_write_within_atomic_is_kept(tmp_path: Path) -> None:
    body = """
with transaction.atomic():
    print(use_and_record(joined()))
"""
    assert run(tmp_path, body) == "1"
    assert records_in(tmp_path / "host.db") == 1


def test_a_block_that_raises_takes_it_back(tmp_path: Path) -> None:
    body = """
try:
    with transaction.atomic():
        use_and_record(joined())
        raise KeyError
except KeyError:
    print(len(joined().records("org-1")))
"""
    assert run(tmp_path, body) == "0"
    assert records_in(tmp_path / "host.db") == 0


def test_an_inner_block_that_raises_takes_back_its_part_alone(tmp_path: Path) -> None:
    body = """
with transaction.atomic():
    connection.cursor().execute("INSERT INTO invoices VALUES (1)")
    try:
        with transaction.atomic():
            use_and_record(joined())
            raise KeyError
    except KeyError:
        print(use_and_record(joined()), use_and_record(joined()))
"""
    assert run(tmp_path, body) == "1 0"
    assert records_in(tmp_path / "host.db") == 1


def test_a_write_of_ours_that_fails_leaves_the_block_usable(tmp_path: Path) -> None:
    body = """
from tests.owed import NOW, owed
with transaction.atomic():
    connection.cursor().execute("INSERT INTO invoices VALUES (1)")
    use_and_record(joined())
    try:
        joined().record(owed(1), created_at=NOW, revision=1)
    except RecordConflict:
        connection.cursor().execute("INSERT INTO invoices VALUES (2)")
print(connection.cursor().execute("SELECT count(*) FROM invoices").fetchone())
"""
    assert run(tmp_path, body) == "(2,)"
    assert records_in(tmp_path / "host.db") == 1


def test_without_autocommit_a_write_is_refused_until_something_began(tmp_path: Path) -> None:
    body = """
transaction.set_autocommit(False)
print(is_refused())
connection.cursor().execute("INSERT INTO invoices VALUES (1)")
print(use_and_record(joined()))
transaction.commit()
"""
    assert run(tmp_path, body).split() == ["True", "1"]
    assert records_in(tmp_path / "host.db") == 1
