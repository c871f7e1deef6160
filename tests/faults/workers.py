"""Workers that use, change, close and correct the orgs of one file until they are killed.

What a worker was told is done, it writes down in its pipe, a line for each call; only then does it
go on. `check` looks at what all of them have left.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from overages import (
    Account,
    Allowance,
    CarryOver,
    Grant,
    Money,
    OverageRecord,
    OverageService,
    Period,
    PerUnit,
    Plan,
    UsageEvent,
)
from overages.adapters.sqlite import SqliteRepository
from overages.errors import StorageBusy

ORGS: Final = ("a", "b", "c")
SINCE: Final = datetime(2024, 1, 1, tzinfo=UTC)
NOW: Final = datetime(2024, 7, 1, tzinfo=UTC)
DAYS: Final = (NOW - SINCE).days
MONTHS: Final = [Period.month(2024, month) for month in range(1, 7)]
MOST_CHANGES: Final = 12
GRANTED: Final = Money.of("300.00", "USD")
PLAN: Final = Plan(
    "starter",
    "USD",
    {
        "runs": Allowance(50, PerUnit("1.00"), carry_over=CarryOver()),
        "tokens": Allowance(0, PerUnit("0.10")),
    },
    minimum=Money.of("5.00", "USD"),
)


@dataclass
class Told:
    """What workers were told is done, by org."""

    events: set[tuple[str, str]] = field(default_factory=set)
    changes: set[tuple[str, str]] = field(default_factory=set)
    closed: set[tuple[str, str]] = field(default_factory=set)
    records: set[tuple[str, str]] = field(default_factory=set)
    failed: set[tuple[str, str]] = field(default_factory=set)

    def note(self, written: bytes) -> None:
        """Note the lines that a worker wrote."""
        for line in written.decode().splitlines():
            kind, org_id, what = line.split(" ")
            getattr(self, kind).add((org_id, what))


def make(path: Path) -> None:
    """Make a file with some orgs that have used nothing yet."""
    path.write_bytes(_made())


@cache
def _made() -> bytes:
    with TemporaryDirectory() as folder:
        path = Path(folder, "orgs.db")
        with SqliteRepository(path) as repository:
            repository.put_plan(PLAN)
            for org_id in ORGS:
                repository.put_account(Account(org_id, "starter", since=SINCE))
                repository.put_grant(org_id, Grant("g", GRANTED, effective_at=SINCE))
        return path.read_bytes()


class Worker:
    """Does one thing after another at random, until it is killed."""

    def __init__(self, path: Path, name: str, pipe: int) -> None:
        self._repository = SqliteRepository(path, timeout=30)
        self._service = OverageService(self._repository, clock=lambda: NOW)
        self._name, self._pipe, self._made = name, pipe, 0
        self._random = random.Random(name)

    def work(self) -> None:
        """Work for ever."""
        works: Sequence[Callable[[str], None]] = [
            self._use, self._use, self._use, self._change, self._close, self._correct,
        ]  # fmt: skip
        while True:
            org_id = self._random.choice(ORGS)
            try:
                self._random.choice(works)(org_id)
            except StorageBusy:
                continue
            except Exception as error:
                self._tell("failed", org_id, type(error).__name__)
                raise

    def _tell(self, kind: str, org_id: str, what: object) -> None:
        os.write(self._pipe, f"{kind} {org_id} {what}\n".encode())

    def _new_name(self) -> str:
        self._made += 1
        return f"{self._name}-{self._made}"

    def _instant(self) -> datetime:
        return SINCE + timedelta(days=self._random.randrange(DAYS), hours=9)

    def _use(self, org_id: str) -> None:
        events = [
            UsageEvent(org_id, self._random.choice(["runs", "tokens"]), 30, self._instant(), name)
            for name in (self._new_name() for _ in range(self._random.randint(1, 5)))
        ]
        late = self._random.choice(["own_period", "next_period"])
        self._service.record_usage(events, late=late)  # type: ignore[arg-type]
        for event in events:
            self._tell("events", org_id, event.id)

    def _change(self, org_id: str) -> None:
        name, limit = self._new_name(), self._random.choice([0, 20, 80, None])
        with self._repository.transaction():
            account = self._repository.account(org_id)
            assert account is not None
            if len(account.changes) == MOST_CHANGES:
                return
            changed = account.changed(since=self._instant(), limits={"tokens": limit})
            self._repository.put_account(changed, noted_by=name)
        self._tell("changes", org_id, name)

    def _close(self, org_id: str) -> None:
        period = self._random.choice(MONTHS)
        recording = self._service.close(org_id, period)
        self._tell("closed", org_id, period.start.date())
        self._tell_records(org_id, recording.records)

    def _correct(self, org_id: str) -> None:
        closed = list(self._repository.closed_periods(org_id))
        if closed:
            period = self._random.choice(closed)
            recording = self._service.recalculate(org_id, period=period, force=True)
            assert recording is not None
            self._tell_records(org_id, recording.records)

    def _tell_records(self, org_id: str, records: Sequence[OverageRecord]) -> None:
        for record in records:
            self._tell("records", org_id, record.digest)


def check(path: Path, told: Told) -> None:
    """Check that all is there that workers were told is done, and nothing is half there."""
    assert not told.failed
    with SqliteRepository(path) as repository:
        repository.verify()
        for org_id in ORGS:
            _check_told(repository, org_id, told)
            _check_closed(repository, org_id)


def _check_told(repository: SqliteRepository, org_id: str, told: Told) -> None:
    found: dict[str, set[str | None]] = {
        "events": {event.id for event in repository.events(org_id, Period(SINCE, NOW))},
        "changes": {note.noted_by for note in repository.account_notes(org_id)},
        "closed": {str(each.start.date()) for each in repository.closed_periods(org_id)},
        "records": {record.digest for record in repository.records(org_id)},
    }
    for kind, those in found.items():
        assert {what for org, what in getattr(told, kind) if org == org_id} <= those


def _check_closed(repository: SqliteRepository, org_id: str) -> None:
    """Check that no period is closed by half, and that no grant has paid more than it held."""
    closed = list(repository.closed_periods(org_id))
    assert closed == MONTHS[: len(closed)]
    assert {record.period for record in repository.records(org_id)} == set(closed)
    assert [each.period for each in repository.closings(org_id)] == closed
    paid = 0
    for period in closed:
        settlement = repository.settled(org_id, period)  # or its records sum to something else
        assert settlement is not None
        lines = [each for each in settlement.statement.adjustments if each.line == "credit:g"]
        drawn = [each for each in repository.records(org_id, period) if each.line == "credit:g"]
        assert sum(each.cost.minor for each in drawn) == sum(each.cost.minor for each in lines)
        paid -= sum(each.cost.minor for each in drawn)
    assert 0 <= paid <= GRANTED.minor


def finish_up(path: Path) -> None:
    """Close and correct all that is left, in order: then nothing is stale.

    It takes a second time, as an early period may draw on the grant what later ones draw no more.
    """
    with SqliteRepository(path) as repository:
        service = OverageService(repository, clock=lambda: NOW)
        assert not any(each.error for each in service.close_ended())
        for org_id in ORGS:
            for period in 2 * MONTHS:
                service.recalculate(org_id, period=period, force=True)
            assert service.stale(org_id) == ()
