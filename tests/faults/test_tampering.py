"""Records that were changed behind the repository's back: found, and the first one named."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Final

import pytest

from overages import Account, OverageService, Usage, UsageEvent, settle
from overages.adapters.sqlite import SqliteRepository
from overages.adapters.sqlite.sums import CROWD
from overages.errors import RecordsAltered, UsageAltered
from overages.records.chain import CHAIN_START, COLUMNS, RecordRow, row_digest

from .bills import LATER, NOW, PERIOD, PLAN, fill

ORG: Final = "org-001"
CLOSED: Final = "org-closed"
LAST: Final = 6  # records of each org
TABLE: Final = "org_billing_overages"

Tampering = Callable[[sqlite3.Connection], object]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    found = tmp_path / "bills.db"
    fill(found)
    return found


def tamper(path: Path, tampering: Tampering) -> None:
    """Change a database in ways that its triggers forbid."""
    with closing(sqlite3.connect(path)) as connection:
        for table in (TABLE, "org_billing_chain_heads"):
            for what in ("update", "delete"):
                connection.execute(f"DROP TRIGGER IF EXISTS {table}_no_{what}")
        tampering(connection)
        connection.commit()


def rows(connection: sqlite3.Connection) -> list[tuple[RecordRow, str]]:
    """Return the records of the org in the order of recording."""
    found = connection.execute(
        f"SELECT {', '.join(COLUMNS)}, id FROM {TABLE} WHERE org_id = ? ORDER BY sequence", (ORG,)
    )
    return [(row[:-1], row[-1]) for row in found]


def replace(connection: sqlite3.Connection, links: list[tuple[RecordRow, str]]) -> None:
    """Put records in place of those of the org."""
    connection.execute(f"DELETE FROM {TABLE} WHERE org_id = ?", (ORG,))
    marks = ", ".join("?" * (len(COLUMNS) + 1))
    connection.executemany(
        f"INSERT INTO {TABLE} ({', '.join(COLUMNS)}, id) VALUES ({marks})",
        [(*row, digest) for row, digest in links],
    )


def changed(row: RecordRow, **fields: object) -> RecordRow:
    """Return a row with other values in some columns."""
    return tuple(fields.get(name, value) for name, value in zip(COLUMNS, row, strict=True))  # type: ignore[return-value]


def set_head(connection: sqlite3.Connection, sequence: int, digest: str) -> None:
    sql = "UPDATE org_billing_chain_heads SET sequence = ?, id = ? WHERE org_id = ?"
    connection.execute(sql, (sequence, digest, ORG))


def where(sequence: int) -> str:
    return f"WHERE org_id = '{ORG}' AND sequence = {sequence}"


def delete(sequence: int) -> Tampering:
    return lambda c: c.execute(f"DELETE FROM {TABLE} {where(sequence)}")


def change(sequence: int, assignment: str) -> Tampering:
    return lambda c: c.execute(f"UPDATE {TABLE} SET {assignment} {where(sequence)}")


def swap(left: int, right: int) -> Tampering:
    def swapping(connection: sqlite3.Connection) -> None:
        for old, new in ((left, 99), (right, left), (99, right)):
            connection.execute(f"UPDATE {TABLE} SET sequence = {new} {where(old)}")

    return swapping


def delete_all(connection: sqlite3.Connection) -> None:
    connection.execute(f"DELETE FROM {TABLE} WHERE org_id = ?", (ORG,))


def forge(connection: sqlite3.Connection) -> None:
    """Add a record that follows lawfully on the last one."""
    links = rows(connection)
    row, digest = links[-1]
    forged = changed(row, sequence=LAST + 1, revision=3)
    replace(connection, [*links, (forged, row_digest(forged, digest))])


def forge_first(connection: sqlite3.Connection) -> None:
    """Add the lawful first record of an org that has none."""
    row, _ = rows(connection)[0]
    forged = changed(row, org_id="org-0000")
    marks = ", ".join("?" * (len(COLUMNS) + 1))
    connection.execute(
        f"INSERT INTO {TABLE} ({', '.join(COLUMNS)}, id) VALUES ({marks})",
        (*forged, row_digest(forged, CHAIN_START.digest)),
    )


def duplicate(sequence: int) -> Tampering:
    def duplicating(connection: sqlite3.Connection) -> None:
        links = rows(connection)
        row, digest = links[sequence - 1]
        replace(connection, [*links, (changed(row, revision=9), digest)])

    return duplicating


def mend_one(sequence: int) -> Tampering:
    """Change a record and make its own digest right, but not the later ones."""

    def mending(connection: sqlite3.Connection) -> None:
        links = rows(connection)
        before = links[sequence - 2][1] if sequence > 1 else CHAIN_START.digest
        row = changed(links[sequence - 1][0], cost="7777")
        links[sequence - 1] = row, row_digest(row, before)
        replace(connection, links)

    return mending


def mend_all(connection: sqlite3.Connection) -> None:
    """Change a record and make all digests right, but not the head."""
    links = rows(connection)
    previous = CHAIN_START.digest
    mended: list[tuple[RecordRow, str]] = []
    for row, _ in links:
        kept = changed(row, cost="7777") if len(mended) == 2 else row
        previous = row_digest(kept, previous)
        mended.append((kept, previous))
    replace(connection, mended)


def mend_head_too(connection: sqlite3.Connection) -> None:
    mend_all(connection)
    set_head(connection, LAST, rows(connection)[-1][1])


def cut_off(kept: int) -> Tampering:
    """Remove the last records, and set the head to the one before them."""

    def cutting(connection: sqlite3.Connection) -> None:
        links = rows(connection)[:kept]
        replace(connection, links)
        set_head(connection, kept, links[-1][1])

    return cutting


def mend_counters(connection: sqlite3.Connection) -> None:
    """Set the overage beside the usage of the org to what its records come to."""
    connection.execute("DELETE FROM org_billing_usage_monthly WHERE org_id = ?", (ORG,))
    connection.execute(
        "INSERT INTO org_billing_usage_monthly SELECT org_id, billing_period_start,"
        " billing_period_end, metric_type, CAST(sum(amount) AS INTEGER),"
        " CAST(sum(cost) AS INTEGER), currency, currency_exponent"
        f" FROM {TABLE} WHERE org_id = ? GROUP BY metric_type",
        (ORG,),
    )


def forget(connection: sqlite3.Connection) -> None:
    """Remove all records of the org, and the head."""
    delete_all(connection)
    connection.execute("DELETE FROM org_billing_chain_heads WHERE org_id = ?", (ORG,))


FOUND: Final[dict[str, tuple[Tampering, str, int, str]]] = {
    "the first is deleted": (delete(1), ORG, 1, "missing"),
    "one in the middle is deleted": (delete(3), ORG, 3, "missing"),
    "the last is deleted": (delete(LAST), ORG, LAST, "missing"),
    "all of an org are deleted": (delete_all, ORG, 1, "missing"),
    "a cost is changed": (change(4, "cost = '7777'"), ORG, 4, "not what"),
    "a price is removed": (change(2, "unit_price = NULL"), ORG, 2, "not what"),
    "a digest is changed": (change(5, f"id = '{'0' * 64}'"), ORG, 5, "not what"),
    "the last digest is changed": (change(LAST, f"id = '{'0' * 64}'"), ORG, LAST, "not what"),
    "two are changed": (change(2, "cost = '7777', sequence = 2"), ORG, 2, "not what"),
    "two are swapped": (swap(2, 3), ORG, 2, "not what"),
    "the first and the last are swapped": (swap(1, LAST), ORG, 1, "not what"),
    "one is moved to the end": (change(3, "sequence = 7"), ORG, 3, "missing"),
    "one is moved before the first": (change(3, "sequence = 0"), ORG, 3, "missing"),
    "one is forged behind the last": (forge, ORG, LAST + 1, "never recorded"),
    "one is forged for an org without any": (forge_first, "org-0000", 1, "never recorded"),
    "one is there twice": (duplicate(3), ORG, 3, "twice"),
    "the first is there twice": (duplicate(1), ORG, 1, "twice"),
    "the last is there twice": (duplicate(LAST), ORG, LAST, "twice"),
    "one is changed and its digest mended": (mend_one(3), ORG, 4, "not what"),
    "the first is changed and its digest mended": (mend_one(1), ORG, 2, "not what"),
    "the last is changed and its digest mended": (mend_one(LAST), ORG, LAST, "not what"),
    "one is changed and all digests mended": (mend_all, ORG, LAST, "not what"),
    "one is given to another org": (change(2, "org_id = 'org-0000'"), "org-0000", 1, "missing"),
    "the head is deleted": (
        lambda c: c.execute(f"DELETE FROM org_billing_chain_heads WHERE org_id = '{ORG}'"),
        ORG, 1, "never recorded",
    ),
    "the head is set back": (lambda c: set_head(c, 5, rows(c)[4][1]), ORG, LAST, "never recorded"),
    "the head is set forward": (lambda c: set_head(c, 7, "0" * 64), ORG, LAST + 1, "missing"),
}  # fmt: skip
"""What is done, and the org, the sequence and the words with which it is found."""

FOUND_BY_A_NOTED_HEAD: Final[dict[str, tuple[Tampering, int]]] = {
    "one is changed, and all digests and the head mended": (mend_head_too, LAST),
    "the last is removed, and the head set back": (cut_off(LAST - 1), LAST),
    "all but the first are removed, and the head set back": (cut_off(1), 2),
    "all are removed with the head": (forget, 1),
}


@pytest.mark.parametrize("kind", FOUND)
def test_tampering_is_found_and_the_first_record_that_shows_it_is_named(
    path: Path, kind: str
) -> None:
    tampering, org_id, sequence, words = FOUND[kind]
    tamper(path, tampering)
    with SqliteRepository(path) as repository:
        for asked in (None, org_id):
            with pytest.raises(RecordsAltered, match=words) as found:
                repository.verify(asked)
            assert (found.value.org_id, found.value.sequence) == (org_id, sequence)
        others = repository.verify("org-000"), repository.verify("org-002")
    assert others == (LAST, LAST)


@pytest.mark.parametrize("kind", FOUND_BY_A_NOTED_HEAD)
def test_tampering_that_is_covered_up_is_found_by_a_head_that_was_noted(
    path: Path, kind: str
) -> None:
    tampering, sequence = FOUND_BY_A_NOTED_HEAD[kind]
    with SqliteRepository(path) as repository:
        noted = repository.head(ORG)
    tamper(path, tampering)
    with SqliteRepository(path) as repository, pytest.raises(UsageAltered, match=ORG):
        repository.verify()
    tamper(path, mend_counters)
    with SqliteRepository(path) as repository:
        assert repository.verify() < 4 * LAST or kind.startswith("one")
        with pytest.raises(RecordsAltered) as found:
            repository.verify(ORG, head=noted)
        assert (found.value.org_id, found.value.sequence) == (ORG, sequence)


SETTLED: Final[dict[str, str]] = {
    "a figure is changed": """replace(settlement, '"used":"9"', '"used":"8"')""",
    "the plan's version is changed": """replace(settlement, '"version":"1"', '"version":"99"')""",
    "it is another period's": "(SELECT settlement FROM org_billing_closings WHERE number = 1"
    " AND billing_period_start LIKE '2024-03%')",
    "it is cut": "'{'",
    "it is emptied": "'{}'",
    "it is a list": "'[]'",
}
"""What is done to the settlement of February."""


def close_some(repository: SqliteRepository) -> OverageService:
    """Close February and March of an org, and return what serves its periods."""
    repository.put_plan(PLAN)
    repository.put_account(Account(CLOSED, "starter", PERIOD.start))
    for number, used in enumerate((4, 5)):
        event = UsageEvent(CLOSED, "runs", used, PERIOD.start, f"e{number}")
        repository.add_events([event])
    repository.add_events([UsageEvent(CLOSED, "runs", 30, LATER.start)])
    service = OverageService(repository, clock=lambda: LATER.end)
    service.close_ended()
    return service


@pytest.mark.parametrize("kind", SETTLED)
def test_a_settlement_that_was_changed_is_found_and_can_be_corrected(path: Path, kind: str) -> None:
    with SqliteRepository(path) as repository:
        service = close_some(repository)
        assert repository.verify(CLOSED) == 4
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("DROP TRIGGER org_billing_closings_no_update")
            where = f"WHERE org_id = '{CLOSED}' AND billing_period_start LIKE '2024-02%'"
            sql = f"UPDATE org_billing_closings SET settlement = {SETTLED[kind]} {where}"
            assert connection.execute(sql).rowcount == 1
            connection.commit()
        for asked in (None, CLOSED):
            with pytest.raises(RecordsAltered, match="not what") as found:
                repository.verify(asked)
            assert (found.value.org_id, found.value.sequence) == (CLOSED, 2)
        settlement = settle(
            Account(CLOSED, "starter", PERIOD.start),
            {"starter": PLAN},
            PERIOD,
            Usage(CLOSED, PERIOD, {"runs": 9}),
        )
        again = repository.close_period(settlement, closed_at=NOW, force=True)
        assert (again.number, repository.settled(CLOSED, PERIOD)) == (2, settlement)
        with pytest.raises(RecordsAltered, match="not what"):
            repository.verify(CLOSED)
        assert service.calculate(CLOSED, PERIOD) == settlement.statement


WITHDRAWALS: Final = "org_billing_usage_withdrawals"
FIRST: Final = f"WHERE number = (SELECT min(number) FROM {WITHDRAWALS})"
UNSEALED: Final[dict[str, str]] = {
    "it is removed": f"DELETE FROM {WITHDRAWALS} {FIRST}",
    "it is put after a later one": f"UPDATE {WITHDRAWALS} SET number = 99 {FIRST}",
    "it is another org's": f"UPDATE {WITHDRAWALS} SET org_id = '{ORG}' {FIRST}",
    "it is another event's": f"UPDATE {WITHDRAWALS} SET event = event + 1 {FIRST}",
    "it is of another time": f"UPDATE {WITHDRAWALS} SET withdrawn_at = '2024' {FIRST}",
}
"""What is done to a withdrawal that a closed period knew."""


@pytest.mark.parametrize("kind", UNSEALED)
def test_a_withdrawal_that_a_closed_period_knew_stays(path: Path, kind: str) -> None:
    with SqliteRepository(path) as repository:
        repository.put_account(Account(CLOSED, "starter", PERIOD.start))
        for number in range(4):
            event = UsageEvent(CLOSED, "runs", 7, PERIOD.start, f"e{number}")
            repository.add_events([event])
        service = OverageService(repository, clock=lambda: LATER.start)
        service.withdraw(CLOSED, "e1")
        service.close_ended()
        service.withdraw(CLOSED, "e3")
        assert repository.verify(CLOSED) == 2
        with closing(sqlite3.connect(path)) as connection:
            for what in ("update", "delete"):
                connection.execute(f"DROP TRIGGER {WITHDRAWALS}_no_{what}")
            assert connection.execute(UNSEALED[kind]).rowcount == 1
            connection.commit()
        repository.remake_sums(CLOSED)
        with pytest.raises(UsageAltered, match="must be the usage that the period was closed with"):
            repository.verify(CLOSED)


def test_a_withdrawal_that_is_moved_to_another_org_changes_the_sums(path: Path) -> None:
    with SqliteRepository(path) as repository:
        crowd = [UsageEvent(CLOSED, "runs", 7, PERIOD.start, f"e{n}") for n in range(CROWD + 1)]
        repository.add_events(crowd)
        repository.withdraw(CLOSED, "e1", withdrawn_at=NOW)
        repository.verify()
        with closing(sqlite3.connect(path)) as connection:
            connection.execute(f"DROP TRIGGER {WITHDRAWALS}_no_update")
            connection.execute(f"UPDATE {WITHDRAWALS} SET org_id = '{ORG}' {FIRST}")
            connection.commit()
        for org_id in (None, CLOSED):
            with pytest.raises(UsageAltered, match=rf"^{CLOSED}, .*: runs\.events: must be 9, "):
                repository.verify(org_id)


def test_triggers_refuse_to_change_or_delete_a_record(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        for sql in (
            f"UPDATE {TABLE} SET cost = '7777'",
            f"DELETE FROM {TABLE}",
            f"REPLACE INTO {TABLE} SELECT * FROM {TABLE}",
        ):
            with pytest.raises(sqlite3.IntegrityError, match="append-only"):
                connection.execute(sql)
