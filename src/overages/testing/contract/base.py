"""The common base of the repository contract: the repository under test, and examples.

class PlanContract(ContractBase):
    def test_a_plan_is_read_back(self, repository: Repository) -> None: ...
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from typing import Any, Final

import pytest

from overages._ground.value import evolve
from overages.alerts.alert import Alert, AlertDefinition
from overages.alerts.fired_alert import AlertState, FiredAlert
from overages.alerts.threshold import Threshold
from overages.amounts.exact import QuantityLike
from overages.amounts.money import Money
from overages.errors import UnknownPlan
from overages.grants.grant import Grant
from overages.insight.budget import Budget
from overages.periods.period import Period
from overages.prices.models import Graduated, PerUnit
from overages.prices.tier import Tier
from overages.quotas.quota_facts import quota_question
from overages.quotas.reservation import Reservation
from overages.records.aggregation import aggregate
from overages.records.closing import Closing
from overages.records.record import OverageRecord
from overages.repository import Repository
from overages.settlements.balance import Balance
from overages.settlements.settlement import Settlement
from overages.statements.calculation import calculate
from overages.statements.statement import Statement
from overages.terms.account import Account
from overages.terms.allowance import Allowance
from overages.terms.plan import Plan
from overages.usage.event import UsageEvent
from overages.usage.metric import Metric
from overages.usage.usage import Usage

JAN, FEB, MAR, APR = (Period.month(2024, month) for month in range(1, 5))
NOW: Final = datetime(2024, 3, 1, 12, tzinfo=UTC)
LATER: Final = datetime(2024, 3, 2, 12, tzinfo=UTC)
OURS, THEIRS = "org-1", "org-2"
PLAN: Final = Plan(
    "starter", "USD", {"tokens": Allowance(100, PerUnit("0.01")), "runs": Allowance(10, PerUnit(1))}
)
DEARER: Final = Plan(
    "starter", "USD", {"tokens": Allowance(100, PerUnit("0.02")), "runs": Allowance(10, PerUnit(1))}
)
ACCOUNT: Final = Account(OURS, "starter", JAN.start)
MOVED: Final = ACCOUNT.changed(since=MAR.start, plan="scale")
GRANT: Final = Grant("g-1", 100, metric="tokens", effective_at=JAN.start)
ALERT: Final = Alert("a-1", Threshold(percent=80), metric="tokens")
BUDGET: Final = Budget(Money(20_000, "USD"))
RESERVED: Final = Reservation(
    OURS,
    "r-1",
    {"tokens": 10},
    FEB,
    reserved_at=FEB.start.replace(day=9),
    expires_at=FEB.start.replace(day=9, hour=1),
    fingerprint="request-1",
)
METRIC: Final = Metric("peak", "max", event="load")
BATCH: Final = "february.csv"
FEE: Final = Plan(
    "starter",
    "USD",
    {"tokens": Allowance(100, Graduated([Tier(None, price=1, flat=5)], flat_at_zero=True))},
)


class ContractBase:
    """Makes a repository for each test, and closes it."""

    def make(self) -> Repository:
        """Return a new, empty repository."""
        raise NotImplementedError(f"{type(self).__name__} must say how to make a repository")

    def open_again(self) -> AbstractContextManager[Repository] | None:
        """Return another handle on the storage of the last `make`, closed as its block ends.

        A thread opens, uses and closes it, beside three that do the same. As long as it gives None,
        the tests of several handles are skipped.
        """
        return None

    def close(self, repository: Repository) -> None:
        """Close the repository of `make`; without anything to give back, leave it out."""

    @pytest.fixture
    def repository(self) -> Iterator[Repository]:
        """Yield the repository under test."""
        repository = self.make()
        yield repository
        self.close(repository)


def owed(
    org_id: str = OURS, period: Period = FEB, plan: Plan = PLAN, **used: QuantityLike
) -> Statement:
    """Return the statement of an org that used so much."""
    return calculate(plan, Usage(org_id, period, used))


def close(
    repository: Repository, statement: Statement, at: datetime = NOW, *, force: bool = False
) -> Closing:
    """Close the period of a statement, with nothing that goes on to the next one."""
    settlement = Settlement(statement, Balance())
    return repository.close_period(settlement, closed_at=at, force=force)


def event(
    id: str | None = None,
    quantity: QuantityLike = 5,
    metric: str = "tokens",
    at: datetime = FEB.start,
    org_id: str = OURS,
    **dimensions: str,
) -> UsageEvent:
    """Return an event of February."""
    return UsageEvent(org_id, metric, quantity, at, id, dimensions)


def fired(
    state: AlertState = "reached",
    number: int = 1,
    step: int = 1,
    period: Period = FEB,
    noted_at: datetime = NOW,
    used: QuantityLike = 85,
    limit: QuantityLike | None = 100,
    org_id: str = OURS,
    *,
    is_silent: bool = False,
) -> FiredAlert:
    """Return an alert of February that fired."""
    return FiredAlert(
        org_id, AlertDefinition(ALERT, 1, NOW), period, state, noted_at, number=number, step=step,
        used=used, limit=limit, is_silent=is_silent,
    )  # fmt: skip


def shown(records: tuple[OverageRecord, ...]) -> list[tuple[str | None, object, int, int]]:
    """Return metric, quantity, minor units and revision of each record."""
    return [(r.metric, r.quantity, r.cost.minor, r.revision) for r in records]


def check_sums(repository: Repository, statement: Statement) -> None:
    """Check that all that is read of a period comes to a statement (law 4)."""
    org_id, period = statement.org_id, statement.period
    expected = statement.summary()
    assert aggregate(repository.records(org_id, period)) == expected
    assert repository.summary(org_id, period) == expected
    assert repository.overage(org_id, period) == expected


def fill(repository: Repository) -> None:
    """Write something of every kind for two orgs."""
    repository.put_plan(PLAN)
    repository.put_metric(METRIC)
    repository.put_batch(BATCH, "digest-1", 4, NOW)
    for org_id in (OURS, THEIRS):
        repository.put_account(evolve(ACCOUNT, org_id=org_id))
        events = [
            event("evt-1", 105, org_id=org_id),
            event(None, 12, "runs", org_id=org_id, region="eu"),
        ]
        repository.add_events(events, batch=BATCH)
        repository.put_usage(Usage(org_id, JAN, {"tokens": 101}))
        repository.record(owed(org_id, tokens=105, runs=12), created_at=NOW)
        close(repository, owed(org_id, JAN))
        repository.put_grant(org_id, GRANT)
        repository.put_budget(org_id, BUDGET)
        repository.put_alert(ALERT, put_at=NOW, org_id=org_id)
        repository.add_alerts([fired(org_id=org_id)])
        repository.put_reservation(evolve(RESERVED, org_id=org_id))


def all_reads(repository: Repository, org_id: str | None = None) -> list[object]:
    """Return all that can be read of the examples' plans, orgs and periods; or of one org alone."""
    with repository.snapshot():
        return _all_read(repository, org_id)


def _all_read(repository: Repository, org_id: str | None) -> list[object]:
    orgs = (OURS, THEIRS) if org_id is None else (org_id,)
    read: list[object] = [org for org in repository.orgs() if org_id in (None, org)]
    for org in orgs:
        read += [repository.account(org), repository.head(org), repository.verify(org)]
        read += [*repository.grants(org), repr(repository.budgets(org))]
        read += [*repository.fired_alerts(org), repr(repository.alert_definitions(org))]
        read += [*repository.reservations(org), repository.reservation(org, RESERVED.key)]
        read += [repr(repository.records(org)), repository.summary(org)]
        read += map(repr, repository.batch_events(org, BATCH))
        read.append(repository.withdrawn_ids(org, ["evt-1", "evt-2", "1"]))
        for period in (JAN, FEB, MAR, APR):
            read += map(repr, repository.events(org, period))
            read += map(repr, repository.counted_events(org, period))
            read += [repr(repository.usage(org, period)), repository.overage(org, period)]
            read += [repository.held_units(org, period, RESERVED.reserved_at)]
            asked = quota_question(org, PLAN.slug, period)
            read += [repr(repository.quota_facts(asked, RESERVED.reserved_at))]
            read += repository.reservations(org, period)
            read += [repr(repository.put_sums(org, period)), repository.event_sums(org, period)]
            read += [repository.closing(org, period), repr(repository.settled(org, period))]
    if org_id is not None:
        return read
    batches = repr(list(repository.batches())), list(repository.batch_orgs(BATCH))
    return [*read, *_plans(repository), repr(repository.metrics()), *batches]


def reads(repository: Any, org_id: Any) -> dict[str, Any]:
    """Return every method that takes an org's name, ready to be called with one."""
    return {
        "account": lambda: repository.account(org_id),
        "account_notes": lambda: repository.account_notes(org_id),
        "events": lambda: list(repository.events(org_id, FEB)),
        "counted_events": lambda: list(repository.counted_events(org_id, FEB)),
        "usage": lambda: repository.usage(org_id, FEB),
        "batch_events": lambda: list(repository.batch_events(org_id, BATCH)),
        "withdrawn_ids": lambda: repository.withdrawn_ids(org_id, ["evt-1"]),
        "event_before": lambda: repository.event_before(org_id, NOW, "tokens"),
        "event_sums": lambda: repository.event_sums(org_id, FEB),
        "put_sums": lambda: repository.put_sums(org_id, FEB),
        "records": lambda: repository.records(org_id),
        "records of a period": lambda: repository.records(org_id, FEB),
        "summary": lambda: repository.summary(org_id),
        "summary of a period": lambda: repository.summary(org_id, FEB),
        "overage": lambda: repository.overage(org_id, FEB),
        "closing": lambda: repository.closing(org_id, FEB),
        "closing_before": lambda: repository.closing_before(org_id, NOW),
        "closings": lambda: repository.closings(org_id),
        "closed_periods": lambda: repository.closed_periods(org_id),
        "settled": lambda: repository.settled(org_id, FEB),
        "grants": lambda: repository.grants(org_id),
        "alert_definitions": lambda: repository.alert_definitions(org_id),
        "fired_alerts": lambda: repository.fired_alerts(org_id),
        "fired_alerts of a period": lambda: repository.fired_alerts(org_id, FEB),
        "budgets": lambda: repository.budgets(org_id),
        "reservation": lambda: repository.reservation(org_id, RESERVED.key),
        "reservations": lambda: repository.reservations(org_id),
        "held_units": lambda: repository.held_units(org_id, FEB, NOW),
        "quota_facts": lambda: (
            repository.quota_facts(quota_question(org_id, PLAN.slug, FEB), NOW).held
        ),
        "head": lambda: repository.head(org_id),
        "verify": lambda: repository.verify(org_id),
    }


def _plans(repository: Repository) -> Iterator[Plan | None]:
    for period in (JAN, FEB, MAR, APR):
        yield _plan(repository, at=period.start)
    version = 1
    while (plan := _plan(repository, version=version)) is not None:
        yield plan
        version += 1


def _plan(
    repository: Repository, version: int | None = None, at: datetime | None = None
) -> Plan | None:
    try:
        return repository.plan("starter", version=version, at=at)
    except UnknownPlan:
        return None


@contextmanager
def named(case: object) -> Iterator[None]:
    """Let an error of the block say in which case it came, of those that share a repository."""
    try:
        yield
    except BaseException as error:  # pytest's own is no Exception
        error.add_note(f"in the case of {case!r}")
        raise


@contextmanager
def nothing_written(repository: Repository) -> Iterator[None]:
    """Check that the block leaves all that can be read as it was."""
    before = all_reads(repository)
    yield
    assert all_reads(repository) == before
