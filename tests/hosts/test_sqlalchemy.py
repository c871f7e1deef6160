"""In a session of SQLAlchemy's, writes are kept or lost with it; elsewhere, they are refused."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from overages.adapters.sqlite import SqliteRepository, migrate
from overages.errors import NoTransaction

from .bills import records_in, sign_up, use_and_record

sqlalchemy = pytest.importorskip("sqlalchemy")
orm = pytest.importorskip("sqlalchemy.orm")


def joined(connection: Any) -> SqliteRepository:
    return SqliteRepository.join(connection.connection.driver_connection)


def begin_as_sqlalchemy_says(engine: Any) -> None:
    """Have an engine begin transactions by itself, as its manual says for SQLite."""

    @sqlalchemy.event.listens_for(engine, "connect")  # type: ignore[untyped-decorator]
    def leave_begin_to_sqlalchemy(connection: Any, record: Any) -> None:
        del record
        connection.isolation_level = None

    @sqlalchemy.event.listens_for(engine, "begin")  # type: ignore[untyped-decorator]
    def begin(connection: Any) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "host.db"


@pytest.fixture
def engine(path: Path) -> Iterator[Any]:
    """Yield an engine as it comes, on a database with our tables and an org."""
    engine = sqlalchemy.create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        connection.exec_driver_sql("BEGIN")
        connection.exec_driver_sql("CREATE TABLE invoices (number INTEGER)")
        migrate(connection.connection.driver_connection)
        sign_up(joined(connection))
    yield engine
    engine.dispose()


@pytest.fixture
def beginning(engine: Any) -> Any:
    """Return the engine, which begins its transactions by itself."""
    engine.dispose()  # and so connects anew
    begin_as_sqlalchemy_says(engine)
    return engine


def begun(engine: Any) -> Any:
    """Return a connection with a transaction of SQLAlchemy's, of which SQLite isn't told yet."""
    connection = engine.connect()
    connection.begin()
    return connection


WITHOUT: dict[str, Callable[[Any], Any]] = {
    "connect": lambda engine: engine.connect(),
    "begin": begun,
    "autocommit": lambda engine: engine.execution_options(isolation_level="AUTOCOMMIT").connect(),
    "session": lambda engine: orm.Session(engine).connection(),
}


@pytest.mark.parametrize("connected", WITHOUT)
def test_as_it_comes_a_write_that_begins_with_us_is_refused(
    engine: Any, path: Path, connected: str
) -> None:
    connection = WITHOUT[connected](engine)
    with pytest.raises(NoTransaction):
        use_and_record(joined(connection))
    connection.close()
    assert records_in(path) == 0


def test_as_it_comes_a_write_after_one_of_the_sessions_is_kept(engine: Any, path: Path) -> None:
    with orm.Session(engine) as session:
        session.execute(sqlalchemy.text("INSERT INTO invoices VALUES (1)"))
        assert use_and_record(joined(session.connection())) == 1
        session.commit()
    assert records_in(path) == 1


def test_a_commit_of_a_connection_keeps_what_it_began_itself(engine: Any, path: Path) -> None:
    with engine.connect() as connection:
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        use_and_record(joined(connection))
        connection.commit()
    assert records_in(path) == 1


def test_a_session_keeps_or_takes_back(beginning: Any, path: Path) -> None:
    with orm.Session(beginning) as session:
        assert use_and_record(joined(session.connection())) == 1
        session.rollback()
        assert records_in(path) == 0
        assert use_and_record(joined(session.connection())) == 1
        session.commit()
    assert records_in(path) == 1


def test_a_nested_block_that_raises_takes_back_its_part_alone(beginning: Any, path: Path) -> None:
    def fail() -> None:
        with session.begin_nested():
            use_and_record(joined(session.connection()))
            raise KeyError

    with orm.Session(beginning) as session, session.begin():
        with pytest.raises(KeyError):
            fail()
        assert joined(session.connection()).records("org-1") == ()
        assert use_and_record(joined(session.connection())) == 1
    assert records_in(path) == 1


def test_a_connection_that_has_begun_nothing_is_refused_all_the_same(beginning: Any) -> None:
    with beginning.connect() as connection, pytest.raises(NoTransaction):
        use_and_record(joined(connection))


@pytest.mark.skipif(sys.version_info < (3, 12), reason="sqlite3 has `autocommit` from 3.12 on")
def test_an_engine_that_is_always_in_a_transaction_needs_no_more(engine: Any, path: Path) -> None:
    """The other way of SQLAlchemy's manual."""
    always = sqlalchemy.create_engine(engine.url, connect_args={"autocommit": False})
    with orm.Session(always) as session:
        assert use_and_record(joined(session.connection())) == 1
        session.commit()
    always.dispose()
    assert records_in(path) == 1
