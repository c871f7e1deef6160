"""Every kind of write, on a database that `bills.fill` has made."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from overages import Account, Budget, Grant, Metric, Money, evolve
from overages.adapters.sqlite import SqliteRepository
from overages.testing.contract.base import close
from tests.since import SINCE

from .bills import ALERT, DEARER, LATER, NOW, RESERVED, events, fired, org_name, statement, usage

Operation = Callable[[SqliteRepository], object]

BATCH: Final = [statement(org_name(i), level=i) for i in range(1, 9)]
SINGLE: Final = statement(org_name(0), level=7)
GRANT: Final = Grant("new", 5, metric="tokens", effective_at=NOW)
DEARER_BUDGET: Final = Budget(Money(500, "USD"))
LOUDER: Final = evolve(ALERT, severity="critical")
EVENTS: Final = events(org_name(0), 0, 9)


def acknowledge(repository: SqliteRepository) -> None:
    """Note that an alert was seen, which fires with it."""
    with repository.transaction():
        repository.add_alerts([fired(org_name(1))])
        key = fired(org_name(1)).key
        repository.acknowledge_alert(org_name(1), key, acknowledged_at=NOW)


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
    "put_budget": lambda r: r.put_budget(org_name(0), DEARER_BUDGET),
    "drop_budget": lambda r: r.drop_budget(org_name(0), "all"),
    "put_alert": lambda r: r.put_alert(LOUDER, put_at=NOW),
    "put_alert of an org": lambda r: r.put_alert(ALERT, put_at=NOW, org_id=org_name(0)),
    "drop_alert": lambda r: r.drop_alert(ALERT.id),
    "add_alerts": lambda r: r.add_alerts([fired(org_name(0), 2), fired(org_name(1))]),
    "acknowledge_alert": acknowledge,
    "put_reservation": lambda r: r.put_reservation(evolve(RESERVED, key="new")),
    "commit_reservation": lambda r: r.commit_reservation(org_name(0), "kept", at=NOW),
    "release_reservation": lambda r: r.release_reservation(org_name(0), "kept too", at=NOW),
    "void_grant": lambda r: r.void_grant(org_name(0), "kept", NOW),
    "close_period": lambda r: close(r, SINGLE, NOW),
    "close_together": close_together,
}
"""Each writes something that is not there yet, once."""
