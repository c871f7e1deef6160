"""Every kind of write, on a database that `bills.fill` has made."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from overages import Account, Grant, Metric
from overages.adapters.sqlite import SqliteRepository
from overages.testing.contract.base import close
from tests.since import SINCE

from .bills import DEARER, LATER, NOW, events, org_name, statement, usage

Operation = Callable[[SqliteRepository], object]

BATCH: Final = [statement(org_name(i), level=i) for i in range(1, 9)]
SINGLE: Final = statement(org_name(0), level=7)
GRANT: Final = Grant("new", 5, metric="tokens", effective_at=NOW)
EVENTS: Final = events(org_name(0), 0, 9)


def close_together(repository: SqliteRepository) -> None:
    """Close a month of several orgs, read and written at once, one of them in a block within."""
    with repository.transaction_of({each.org_id: [each.period] for each in BATCH}):
        for each in BATCH[1:]:
            close(repository, each, NOW)
        with repository.transaction():
            close(repository, BATCH[0], NOW)


OPERATIONS: Final[dict[str, Operation]] = {
    "record": lambda r: r.record(SINGLE, created_at=NOW),
    "record_many": lambda r: r.record_many(BATCH, created_at=NOW),
    "add_events": lambda r: r.add_events(EVENTS),
    "add_events of a batch": lambda r: r.add_events(EVENTS, batch="february.csv"),
    "put_batch": lambda r: r.put_batch("february.csv", "digest", 9, NOW),
    "put_metric": lambda r: r.put_metric(Metric("seats", "max")),
    "withdraw": lambda r: r.withdraw(org_name(0), "reported", withdrawn_at=NOW),
    "put_usage": lambda r: r.put_usage(usage(org_name(0), 2, LATER)),
    "put_plan": lambda r: r.put_plan(DEARER, since=NOW),
    "put_account": lambda r: r.put_account(Account(org_name(0), plan="starter", since=SINCE)),
    "put_grant": lambda r: r.put_grant(org_name(0), GRANT),
    "void_grant": lambda r: r.void_grant(org_name(0), "kept", NOW),
    "close_period": lambda r: close(r, SINGLE, NOW),
    "close_together": close_together,
}
"""Each writes something that is not there yet, once."""
