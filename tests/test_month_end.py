"""The programs of the how-to for the end of the month do what it says."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from overages import (
    Account,
    Allowance,
    Cycle,
    OverageRecord,
    OverageService,
    Period,
    PerUnit,
    Plan,
    SqliteRepository,
    UsageEvent,
)
from overages._ground.frozen_dict import FrozenDict
from overages.adapters.outbox import MemoryOutbox
from overages.errors import UnknownCustomer
from overages.exports.stripe import Delivery, StripeExport
from overages.outbox import OutboxEntry
from overages.statements.statement import Statement

GUIDE = Path(__file__).parent.parent / "docs/how-to/run-the-month-end.md"
PROGRAM = re.compile(r"^```\{code-block\} python\n:caption: (\S+)\n\n(.*?)^```$", re.M | re.S)
PROGRAMS = dict(PROGRAM.findall(GUIDE.read_text(encoding="utf-8")))
FEBRUARY, MARCH = Period.month(2024, 2), Period.month(2024, 3)
UNCLOSED = f"wrong, {FEBRUARY}"
FAULTS = {UNCLOSED, "stranger: not sent"}


class Clock(datetime):
    """The time of day that a program sees: half past six on 1 March."""

    @classmethod
    def now(cls, tz: Any = None) -> "Clock":
        return cls(2024, 3, 1, 6, 30, tzinfo=tz)


class Desk(StripeExport):
    """An export that takes all records but those of an org without a customer, and calls nobody."""

    def __init__(self) -> None:
        client: Any = None
        self.memory = MemoryOutbox()
        super().__init__(client, self.memory, customers={}, clock=lambda: FEBRUARY.end)
        self.sent: list[OverageRecord] = []
        self.refusal = ""

    def attach_to_upcoming_invoice(
        self,
        records: Iterable[OverageRecord],
        *,
        statements: Iterable[Statement] = (),
        subscription: str | None = None,
    ) -> Delivery:
        assert (statements, subscription) == ((), None)
        reported = tuple(records)
        if any(record.org_id == "stranger" for record in reported):
            raise UnknownCustomer("customers", "stranger", "must have a customer")
        if self.refusal:
            problems = {record.id: self.refusal for record in reported}
            return Delivery(len(reported), 0, 0, (), FrozenDict(problems))
        new = [record for record in reported if record not in self.sent]
        self.note(new)
        return Delivery(len(reported), len(reported), len(new), (), FrozenDict({}))

    def note(self, records: Iterable[OverageRecord]) -> None:
        """Keep records as sent, in the outbox too."""
        for record in records:
            self.sent.append(record)
            entry = OutboxEntry(record.org_id, "stripe", record.id, "{}", FEBRUARY.end)
            self.memory.add([entry.delivered(f"ii_{record.sequence}")])


def used(org_id: str, metric: str, id: str, day: int = 20) -> UsageEvent:
    return UsageEvent(org_id, metric, 75, datetime(2024, 2, day, tzinfo=UTC), id=id)


@pytest.fixture
def path(tmp_path: Path) -> str:
    """A database of three orgs, of which one can't be billed."""
    path = str(tmp_path / "overages.db")
    with SqliteRepository(path) as repository:
        repository.put_plan(Plan("p", "USD", {"runs": Allowance(50, PerUnit(1))}))
        for org_id in ("org-123", "stranger", "wrong"):
            repository.put_account(Account(org_id, "p", since=FEBRUARY.start))
        repository.add_events([used(org_id, "runs", "1") for org_id in ("org-123", "stranger")])
        repository.add_events([used("wrong", "calls", "1")])
    return path


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
def job(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The names of the job, which finds the desk where Stripe is."""
    pytest.importorskip("stripe")
    monkeypatch.setenv("STRIPE_API_KEY", "sk_test_12345")
    names: dict[str, Any] = {"__name__": "month_end"}
    exec(compile(PROGRAMS["month_end.py"], "month_end.py", "exec"), names)
    names |= {"datetime": Clock, "StripeExport": lambda *_, **__: desk}
    return names


def test_the_job_closes_tells_and_sends_each_once(
    path: str, job: dict[str, Any], desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    assert job["run"](path) == FAULTS
    assert [(record.org_id, record.cost.minor) for record in desk.sent] == [("org-123", 2500)]
    with SqliteRepository(path) as repository:
        assert [list(repository.closed_periods(org)) for org in repository.orgs()] == [
            [FEBRUARY], [FEBRUARY], [],
        ]  # fmt: skip
        repository.add_events([used("org-123", "runs", "late")])
    told = [record.getMessage() for record in caplog.records if record.name == "month_end"]
    assert told[0].startswith("can't be closed: wrong, 2024-02-01 to 2024-03-01 UTC: usage")
    assert told[-1].startswith("stranger: not sent: ")
    caplog.clear()
    assert job["run"](path) == FAULTS
    assert len(desk.sent) == 1
    assert f"org-123, {FEBRUARY}: is stale: 75.00 USD more" in caplog.messages


def test_the_job_logs_why_stripe_has_not_taken_a_record(
    path: str, job: dict[str, Any], desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    desk.refusal = "card_declined"
    assert job["run"](path) == {*FAULTS, "org-123: not sent"}
    with SqliteRepository(path) as repository:
        (record,) = repository.records("org-123")
    assert f"org-123, record {record.id}: card_declined" in caplog.messages


def test_the_job_closes_all_and_says_it_where_there_is_no_key(
    path: str,
    job: dict[str, Any],
    desk: Desk,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.delenv("STRIPE_API_KEY")
    assert job["run"](path) == {UNCLOSED, "STRIPE_API_KEY"}
    assert caplog.messages[-1].startswith("STRIPE_API_KEY is not set")
    with SqliteRepository(path) as repository:
        assert list(repository.closed_periods("org-123")) == [FEBRUARY]
    assert desk.sent == []
    monkeypatch.setenv("STRIPE_API_KEY", "sk_test_12345")
    assert job["run"](path) == FAULTS
    assert len(desk.sent) == 1


def test_the_job_gives_back_at_stripe_a_charge_for_a_time_that_is_no_period(
    path: str, job: dict[str, Any], desk: Desk
) -> None:
    with SqliteRepository(path) as repository:
        service = OverageService(repository, lambda: FEBRUARY.end - timedelta(days=1))
        recording = service.recalculate("org-123")
        assert recording is not None
        desk.note(recording.new)
        moved = Cycle.monthly(day=15)
        account = repository.account("org-123")
        assert account is not None
        repository.put_account(
            account.changed(since=FEBRUARY.start + timedelta(days=14), cycle=moved)
        )
    assert job["run"](path) == FAULTS
    of_february = [record.cost.minor for record in desk.sent if record.period == FEBRUARY]
    assert of_february == [2500, -2500]


def test_the_job_makes_no_database_where_there_is_none(
    tmp_path: Path, job: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    missing = tmp_path / "overage.db"
    assert job["run"](str(missing)) == {str(missing)}
    assert caplog.messages == [f"{missing}: there is no such file"]
    assert not missing.exists()


def test_a_task_closes_the_last_period_of_an_org_once(path: str) -> None:
    pytest.importorskip("celery")
    names: dict[str, Any] = {"__name__": "tasks"}
    exec(compile(PROGRAMS["tasks.py"], "tasks.py", "exec"), names)
    names["app"].conf.update(task_always_eager=True, task_eager_propagates=False)
    names["datetime"] = Clock
    for _ in range(2):
        names["find_ended"](path)
        with SqliteRepository(path) as repository:
            assert [len(repository.closed_periods(org)) for org in repository.orgs()] == [1, 1, 0]
            late = OverageService(repository, lambda: FEBRUARY.end + timedelta(days=1))
            assert late.stale("org-123") == ()
