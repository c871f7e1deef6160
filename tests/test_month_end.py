"""The programs of the how-to for the end of the month do what it says."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from overages import (
    Account,
    Allowance,
    OverageRecord,
    OverageService,
    Period,
    PerUnit,
    Plan,
    SqliteRepository,
    UsageEvent,
)
from overages._ground.frozen_dict import FrozenDict
from overages.errors import UnknownCustomer
from overages.exports.stripe import Delivery

GUIDE = Path(__file__).parent.parent / "docs/how-to/run-the-month-end.md"
PROGRAM = re.compile(r"^```\{code-block\} python\n:caption: (\S+)\n\n(.*?)^```$", re.M | re.S)
PROGRAMS = dict(PROGRAM.findall(GUIDE.read_text(encoding="utf-8")))
FEBRUARY, MARCH = Period.month(2024, 2), Period.month(2024, 3)


class Clock(datetime):
    """The time of day that a program sees: half past six on 1 March."""

    @classmethod
    def now(cls, tz: Any = None) -> "Clock":
        return cls(2024, 3, 1, 6, 30, tzinfo=tz)


class Desk:
    """A customer of an export that takes all records but those of an org without a customer."""

    def __init__(self) -> None:
        self.sent: list[OverageRecord] = []
        self.refusal = ""

    def attach_to_upcoming_invoice(self, records: tuple[OverageRecord, ...]) -> Delivery:
        if any(record.org_id == "stranger" for record in records):
            raise UnknownCustomer("customers", "stranger", "must have a customer")
        if self.refusal:
            problems = {record.id: self.refusal for record in records}
            return Delivery(len(records), 0, 0, (), FrozenDict(problems))
        new = [record for record in records if record not in self.sent]
        self.sent += new
        return Delivery(len(records), len(records), len(new), (), FrozenDict({}))


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
    assert job["run"](path) == 2  # that which can't be closed, and that without a customer
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
    assert job["run"](path) == 2
    assert len(desk.sent) == 1
    assert f"org-123, {FEBRUARY}: is stale: 75.00 USD more" in caplog.messages


def test_the_job_logs_why_stripe_has_not_taken_a_record(
    path: str, job: dict[str, Any], desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    desk.refusal = "card_declined"
    assert job["run"](path) == 3
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
    assert job["run"](path) == 2  # one that can't be closed, and the key
    assert caplog.messages[-1].startswith("STRIPE_API_KEY is not set")
    with SqliteRepository(path) as repository:
        assert list(repository.closed_periods("org-123")) == [FEBRUARY]
    assert desk.sent == []
    monkeypatch.setenv("STRIPE_API_KEY", "sk_test_12345")
    assert job["run"](path) == 2
    assert len(desk.sent) == 1


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
