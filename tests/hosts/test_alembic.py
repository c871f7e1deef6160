"""Alembic makes our tables in a revision of the host's, and proposes to drop none of them."""

import logging
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from overages.adapters.sqlite import SqliteRepository

pytest.importorskip("alembic")
command = pytest.importorskip("alembic.command")
config = pytest.importorskip("alembic.config")

ENVIRONMENT = """
import sqlalchemy
from alembic import context

metadata = sqlalchemy.MetaData()
sqlalchemy.Table("invoices", metadata, sqlalchemy.Column("number", sqlalchemy.Integer))
engine = sqlalchemy.create_engine({url!r})

@sqlalchemy.event.listens_for(engine, "connect")
def leave_begin_to_sqlalchemy(connection, record):
    connection.isolation_level = None

@sqlalchemy.event.listens_for(engine, "begin")
def begin(connection):
    connection.exec_driver_sql("BEGIN IMMEDIATE")

def include_name(name, kind, parents):
    return kind != "table" or not name.startswith("org_billing_")

with engine.connect() as connection:
    context.configure(connection=connection, target_metadata=metadata{options})
    with context.begin_transaction():
        context.run_migrations()
engine.dispose()
"""
TEMPLATE = """
revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
from alembic import op
import sqlalchemy as sa
def upgrade():
    ${upgrades}
"""
REVISION = """
revision, down_revision = "ours", None
from alembic import op
from overages.adapters.sqlite import migrate
def upgrade():
    migrate(op.get_bind().connection.driver_connection)
"""


def upgraded(folder: Path, options: str) -> Any:
    """Return the configuration of a host that has our tables by a revision of its own."""
    versions = folder / "migrations/versions"
    versions.mkdir(parents=True)
    (versions / "ours.py").write_text(REVISION)
    (versions.parent / "script.py.mako").write_text(TEMPLATE)
    text = ENVIRONMENT.format(url=f"sqlite:///{folder}/host.db", options=options)
    (versions.parent / "env.py").write_text(text)
    found = config.Config()
    found.set_main_option("script_location", str(versions.parent))
    found.set_main_option("path_separator", "os")
    logging.getLogger("alembic").setLevel(logging.WARNING)
    command.upgrade(found, "head")
    return found


def proposal(folder: Path, options: str) -> str:
    """Return the revision that Alembic proposes then."""
    revision = command.revision(upgraded(folder, options), "next", autogenerate=True)
    return Path(revision.path).read_text()


def test_a_revision_makes_the_tables(tmp_path: Path) -> None:
    upgraded(tmp_path, "")
    with closing(sqlite3.connect(tmp_path / "host.db")) as host:
        assert host.execute("SELECT version_num FROM alembic_version").fetchall() == [("ours",)]
        assert SqliteRepository.join(host).verify() == 0


def test_autogenerate_proposes_to_drop_them(tmp_path: Path) -> None:
    assert "drop_table('org_billing_overages')" in proposal(tmp_path, "")


def test_autogenerate_that_leaves_our_names_out_proposes_what_is_the_hosts(tmp_path: Path) -> None:
    text = proposal(tmp_path, ", include_name=include_name")
    assert "create_table('invoices'" in text
    assert "drop" not in text
