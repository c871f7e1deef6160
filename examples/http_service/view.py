"""What is known of an org, gathered once for its page."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from itertools import groupby
from pathlib import Path
from zoneinfo import ZoneInfo

from overages import (
    Account,
    Money,
    OverageRecord,
    OverageService,
    Period,
    SqliteRepository,
    Statement,
    aggregate,
)
from overages.adapters.sqlite import MemberView
from overages.alerts.fired_alert import FiredAlert
from overages.insight.budget import Budget
from overages.insight.projection import Projection
from overages.quotas.standing_limit import StandingLimit
from overages.statements.limit_now import UsageNow
from overages.terms.change import TermsChange
from overages.terms.note import AccountNote

MONTHS = 12


@dataclass(frozen=True)
class View:
    """All that the page of an org shows."""

    now: datetime
    zone: tzinfo
    usage: UsageNow
    past: tuple[tuple[Period, tuple[OverageRecord, ...], bool], ...]
    """Each period that is recorded or closed, with its records and whether it is closed."""
    first_plan: str = ""
    changes: tuple[tuple[TermsChange, AccountNote], ...] = ()
    """The entries of the account's history after the first one, with who noted them."""
    budgets: tuple[Budget, ...] = ()
    standing: Mapping[str, StandingLimit] = field(default_factory=dict)
    """How far each budget is used up, by its id."""
    alerts: tuple[FiredAlert, ...] = ()
    """Those that are about a time within the present period, newest first."""
    ends: Mapping[str, datetime] = field(default_factory=dict)
    """When each grant that expires does, by its id."""
    projection: Projection | None = None

    @property
    def statement(self) -> Statement:
        """The statement of the present period so far."""
        return self.usage.statement

    def charges(self) -> list[tuple[Period, Money]]:
        """Return what each of the last twelve months came to, the present one so far."""
        present, currency = self.statement.period, self.statement.currency
        known = {
            period: aggregate(records, currency=currency).total
            for period, records, _ in self.past
            if all(record.cost.currency == currency for record in records)
        }
        known[present] = self.statement.total
        return sorted(known.items())[-MONTHS:]


def gather(
    database: Path,
    repository: SqliteRepository,
    service: OverageService,
    clock: Callable[[], datetime],
    org_id: str,
) -> View | None:
    """Return what is known of an org; None where it has no plan now.

    What was recorded is read first, by a view that can't see any other org; all else is of one
    moment.
    """
    with MemberView(database, org_id) as view:
        records = sorted(view.records(), key=lambda record: (record.period, record.sequence))
    with repository.snapshot_of([org_id]):
        return _gathered(repository, service, clock(), org_id, records)


def _gathered(
    repository: SqliteRepository,
    service: OverageService,
    now: datetime,
    org_id: str,
    records: Sequence[OverageRecord],
) -> View | None:
    account = repository.account(org_id)
    terms = None if account is None else account.at(now)
    usage = service.usage_now(org_id)
    if account is None or terms is None or usage is None:
        return None
    closed = repository.closed_periods(org_id)
    by_period = {period: tuple(own) for period, own in groupby(records, lambda r: r.period)}
    return View(
        now=now,
        zone=ZoneInfo(terms.cycle.timezone),
        usage=usage,
        past=tuple(
            (period, by_period.get(period, ()), period in closed)
            for period in sorted({*by_period, *closed})
        ),
        first_plan=account.plan,
        changes=changes_of(account, repository),
        budgets=repository.budgets(org_id),
        standing={limit.name or "": limit for limit in service.budgets(org_id)},
        alerts=tuple(
            fired for fired in service.alerts(org_id) if _meet(fired.period, usage.statement.period)
        ),
        ends={
            grant.id: grant.expires_at
            for grant in repository.grants(org_id)
            if grant.expires_at is not None
        },
        projection=service.project(org_id),
    )


def _meet(one: Period, other: Period) -> bool:
    return one.start < other.end and other.start < one.end


def changes_of(
    account: Account, repository: SqliteRepository
) -> tuple[tuple[TermsChange, AccountNote], ...]:
    """Return the entries of an account's history after the first one, with who noted them."""
    _, *notes = repository.account_notes(account.org_id)
    return tuple(zip(account.changes, notes, strict=True))
