"""What the tests of this folder write: an org that used something, recorded and counted.

sign_up(repository)
use_and_record(repository)                        # how many records are new
records_in(path)                                  # what another connection sees
"""

import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path

from overages import Account, OverageService, Repository, UsageEvent
from tests.owed import FEB, PLAN
from tests.since import SINCE

IN_FEBRUARY = FEB.start + timedelta(days=20)


def service_of(repository: Repository) -> OverageService:
    """Return the service of a day in February."""
    return OverageService(repository, clock=lambda: IN_FEBRUARY)


def sign_up(repository: Repository) -> None:
    """Put the plan and the account of an org."""
    repository.put_plan(PLAN)
    repository.put_account(Account("org-1", "starter", since=SINCE))


def use_and_record(repository: Repository) -> int:
    """Report an event, recalculate, and return how many records are new."""
    service = service_of(repository)
    service.record_usage([UsageEvent("org-1", "tokens", 200, IN_FEBRUARY, "1")])
    recording = service.recalculate("org-1")
    assert recording is not None
    return len(recording.new)


def records_in(path: Path) -> int:
    """Return how many records another connection sees."""
    with closing(sqlite3.connect(path)) as other:
        (count,) = other.execute("SELECT count(*) FROM org_billing_overages").fetchone()
    return int(count)
