"""The service itself: what a host calls.

It reads from the repository, calculates, and writes back:

    service = OverageService(repository, clock=lambda: datetime.now(UTC))
    service.record_usage(events)
    service.recalculate("org-123")
    service.summary("org-123")
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from overages._ground.parsing import instance_of, optional, parse_all, parse_flag, tuple_of
from overages.errors import (
    BillingDisabled,
    Field,
    InvalidType,
    InvalidValue,
    NoTerms,
    RecordConflict,
)
from overages.periods.period import Period, parse_instant
from overages.records.ledger import Recording
from overages.records.record import OverageRecord
from overages.repository import Repository
from overages.service.period_inputs import PeriodInputs
from overages.service.usage_intake import OnRefused, UsageIntake
from overages.settlements.settlement import Settlement
from overages.statements.calculation import nothing_charged
from overages.statements.statement import Statement
from overages.statements.summary import Summary
from overages.terms.account import Account
from overages.usage.event import UsageEvent
from overages.usage.metering import Late, parse_late, parse_time_span
from overages.usage.metric import Metric
from overages.usage.routing import Routes

if TYPE_CHECKING:
    from logging import Logger

_ATTEMPTS: Final = 10  # each that fails means that another writer has succeeded


class OverageService:
    """Calculates, records and sums up the overage of orgs.

    :param repository: where plans, accounts, usage and records are kept.
    :param clock: gives the present instant, timezone-aware.
    :param enabled: whether anything is done at all: a flag, or a function that is asked each time.
        While it is off, every method raises `BillingDisabled`: nothing is calculated or written,
        and no caller takes that for a bill of zero.
    :param metrics: those that are not just the sum of the events of their name; see `Meter`. They
        are worked out of events: sums of `Repository.put_usage` can be of plain sums alone.
    :param ahead: how much later than the present instant an event may be dated, for clocks that
        differ.
    :raises InvalidValue: for metrics that clash; `InvalidValues` if several do.

    Periods are those of the account's cycle; without a `period`, a method works on the present one.
    An error that is about an org's period carries both, as `org_id` and `period`. Calls are logged
    under ``overages.service``, with org and period, never with amounts.

    >>> from datetime import UTC
    >>> from overages import Allowance, MemoryRepository, PerUnit, Plan
    >>> repository, now = MemoryRepository(), datetime(2024, 2, 20, tzinfo=UTC)
    >>> version = repository.put_plan(Plan("starter", "USD", {"runs": Allowance(50, PerUnit("1"))}))
    >>> repository.put_account(Account("org-123", plan="starter", since=now.replace(day=1)))
    >>> service = OverageService(repository, clock=lambda: now)
    >>> service.record_usage([UsageEvent("org-123", "runs", 75, at=now, id="evt-1")])
    1
    >>> [len(service.recalculate("org-123").new) for _ in range(3)]
    [1, 0, 0]
    >>> print(service.summary("org-123").total)
    25.00 USD
    """

    def __init__(
        self,
        repository: Repository,
        clock: Callable[[], datetime],
        enabled: bool | Callable[[], bool] = True,
        metrics: Iterable[Metric] = (),
        ahead: timedelta = timedelta(days=1),
    ) -> None:
        if not callable(clock):
            raise InvalidType("clock", clock, "must be a function that gives the present instant")
        self._ahead = parse_time_span(ahead, "ahead")
        self._repository = repository
        self._clock = clock
        self._enabled = enabled
        self._routes = Routes(metrics)

    @property
    def enabled(self) -> bool:
        """Whether the service does anything now."""
        return parse_flag(self._enabled() if callable(self._enabled) else self._enabled, "enabled")

    def calculate(
        self, org_id: str, period: Period | None = None, *, account: Account | None = None
    ) -> Statement | None:
        """Return the statement of an org's period, writing nothing.

        Its terms are those that the account has for it, however they changed since: the plan, in
        the version in force at the start of the period, and the org's own limits. Where the plan
        carries units over, or the org has grants, all its periods are settled one after another,
        each by its own terms.

        :param account: the org's with a change that isn't put yet: the statement is that which the
            change would come to.
        :returns: None if the org has no account, or no terms hold then: nothing is owed.
        :raises AccountConflict: if `account` isn't the kept one with entries added at its end.
        :raises UnknownPlan: if its plan was not yet in force.
        :raises InvalidValue: if the period isn't one of the org's; the error names those that are.
        :raises UnknownMetric: if it used a metric that its plan doesn't know.
        """
        settlement = self.settle(org_id, period, account=account)
        return None if settlement is None else settlement.statement

    def settle(
        self, org_id: str, period: Period | None = None, *, account: Account | None = None
    ) -> Settlement | None:
        """Return the statement of `calculate`, with all that was carried over, drawn and left.

        :returns: None if the org has no account, or no terms hold then.
        """
        self._require_enabled()
        earlier = self._repository.account(org_id)
        account = earlier if account is None else _proposed(org_id, account, earlier)
        own = None if account is None else self._period(account, period)
        if account is None or own is None:
            _log().info("%s has no terms: nothing to calculate", org_id, extra={"org_id": org_id})
            return None
        return self._settlement(account, own)

    def record(self, org_id: str, statement: Statement, force: bool = False) -> Recording:
        """Record a statement of an org, once; see `Repository.record`.

        :raises InvalidValue: if the statement is another org's.
        """
        self._require_enabled()
        if instance_of(Statement)(statement, "statement").org_id != org_id:
            path = ("statement", "org_id")
            error = InvalidValue(path, statement.org_id, f"must be {org_id!r}")
            raise error.within(org_id=org_id, period=statement.period)
        return self._record(statement, force=force)

    def summary(self, org_id: str, period: Period | None = None) -> Summary | None:
        """Return the summary of the records of an org's period.

        :returns: None if the org has no account, or no terms now, and so no period, or nothing was
            recorded.
        """
        self._require_enabled()
        if period is None:
            account = self._repository.account(org_id)
            period = None if account is None else self._present(account)
        return None if period is None else self._repository.summary(org_id, period)

    def recalculate(
        self, org_id: str, *, force: bool = False, period: Period | None = None
    ) -> Recording | None:
        """Calculate an org's period from its usage and record the result, however often.

        The same usage writes nothing again; changed usage adds corrections, up or down. If another
        writer records the period or changes the account in between, both are read again, so that no
        older result comes after a newer one. The charge of a time that is no period of the org's
        any more, since its billing day has moved or its terms ended, is taken back with it.

        :param force: whether a period that is invoiced may change.
        :returns: None if the org has no account, or no terms hold then.
        :raises PeriodInvoiced: if the period is invoiced, the result is another, and no `force`.
        :raises InvalidValue: if the period isn't one of the org's; the error names those that are.
        """
        self._require_enabled()
        for _ in range(_ATTEMPTS - 1):
            with suppress(RecordConflict):
                return self._recalculate(org_id, period, force)
        return self._recalculate(org_id, period, force)

    def _recalculate(self, org_id: str, period: Period | None, force: bool) -> Recording | None:
        account = self._repository.account(org_id)
        own = None if account is None else self._period(account, period)
        if account is None or own is None:
            return None
        earlier = self._repository.records(org_id, own)
        # Known after the revision is, so that one who records by a newer account has another one.
        if self._repository.account(org_id) != account:
            raise RecordConflict("account", org_id, "must not change while its period is recorded")
        return self._record_own(account, own, earlier, force)

    def _record_own(
        self, account: Account, period: Period, earlier: Sequence[OverageRecord], force: bool
    ) -> Recording:
        """Record a period of an account's, where it has earlier records, and no later ones."""
        statement = self._settlement(account, period).statement
        revision = earlier[-1].revision + 1 if earlier else 1
        # Where the period has records already, no time that overlaps it has a charge.
        gone = [] if earlier else self._charged_no_more(account, period)
        if not gone:
            return self._record(statement, force=force, revision=revision)
        with self._repository.transaction():
            for record in gone:
                plan = self._repository.plan(record.plan, version=record.plan_version)
                nothing = nothing_charged(account.org_id, record.period, plan)
                self._record(nothing, force=force)
            return self._record(statement, force=force, revision=revision)

    def _charged_no_more(self, account: Account, period: Period) -> list[OverageRecord]:
        """Return a record of each time that overlaps a period, and is no period of the org's."""
        records = {record.period: record for record in self._repository.records(account.org_id)}
        return [
            record
            for other, record in sorted(records.items())
            if other.start < period.end and period.start < other.end and not account.has(other)
        ]

    def _settlement(self, account: Account, period: Period) -> Settlement:
        inputs = PeriodInputs(self._repository, account, self._routes)
        return inputs.settlement(period, ended=period.end <= self._now())

    def record_usage(
        self,
        events: Iterable[UsageEvent],
        late: Late = "own_period",
        on_refused: OnRefused | None = None,
    ) -> int:
        """Keep usage events; return the number of new ones.

        An event id counts once in its org, for ever, so that events can be reported again.

        :param late: where an event counts whose period is closed: in its ``"own_period"``, which
            then changes only by force; or in the ``"next_period"``, at the start of the first one
            after it that is open. Where the plan of that one doesn't know its metric, or there is
            none, it stays in its own.
        :param on_refused: a function that is told of each event that is refused, by its error, once
            all others are kept. Without it, nothing is kept if an event is refused.
        :raises UnknownPlan: for an event of an org that has no account, or whose plan was not in
            force at the event's instant.
        :raises NoTerms: for an event at an instant at which its org has no terms.
        :raises UnknownMetric: for an event that counts for a metric which the org's plan doesn't
            know at the event's instant.
        :raises EventConflict: if an event id came before with other content.
        :raises InvalidValue: if an event is dated further ahead than the service allows, or the
            service's metrics can't count it; `InvalidValues` for several faults of any kind.
        """
        self._require_enabled()
        events, late, on_refused = parse_all(
            (tuple_of(UsageEvent), events, "events"),
            (parse_late, late, "late"),
            (optional(_parse_function), on_refused, "on_refused"),
        )
        intake = UsageIntake(self._repository, self._routes, now=self._now(), ahead=self._ahead)
        new = intake.record(tuple(events), late, on_refused)
        _log().info("%d new usage events kept", new)
        return new

    def withdraw(self, org_id: str, event_id: str) -> datetime:
        """Take an event back that should not have been; return when it was first withdrawn.

        It counts no more, however its metric is counted. Its id stays used.

        :raises UnknownEvent: if the org has no event of that id.
        """
        self._require_enabled()
        first = self._repository.withdraw(org_id, event_id, withdrawn_at=self._now())
        _log().info("%s: an event is withdrawn", org_id, extra={"org_id": org_id})
        return first

    def _require_enabled(self) -> None:
        if not self.enabled:
            _log().info("overage billing is off: nothing done")
            raise BillingDisabled("overage billing is off: nothing was calculated or written")

    def _period(self, account: Account, period: Period | None) -> Period | None:
        """Return a period of the org's, or the present one; None if no terms hold then."""
        if period is None:
            return self._present(account)
        with suppress(NoTerms):
            account.require(period)
            return period
        return None

    def _present(self, account: Account) -> Period | None:
        now = self._now()
        return None if account.at(now) is None else account.period_at(now)

    def _now(self) -> datetime:
        return parse_instant(self._clock(), "clock()")

    def _record(
        self, statement: Statement, *, force: bool, revision: int | None = None
    ) -> Recording:
        recording = self._repository.record(
            statement, created_at=self._now(), revision=revision, force=force
        )
        org_id, period = statement.org_id, statement.period.isoformat()
        _log().info(
            "%s, %s: %d new records", org_id, period, len(recording.new),
            extra={"org_id": org_id, "period": period},
        )  # fmt: skip
        return recording


def _parse_function(value: object, field: Field) -> OnRefused:
    if not callable(value):
        raise InvalidType(field, value, "must be a function that takes an error")
    return value


def _proposed(org_id: str, account: Account, earlier: Account | None) -> Account:
    """Return an account with entries that aren't put yet; refuse one that couldn't be put."""
    if instance_of(Account)(account, "account").org_id != org_id:
        error = InvalidValue(("account", "org_id"), account.org_id, f"must be {org_id!r}")
        raise error.within(org_id=org_id)
    if earlier is not None:
        account.require_goes_on_from(earlier)
    return account


def _log() -> Logger:
    from logging import getLogger  # takes a twelfth of the time to import all public names

    return getLogger("overages.service")
