"""The service itself: what a host calls.

It reads from the repository, calculates, and writes back:

    service = OverageService(repository, clock=lambda: datetime.now(UTC))
    service.record_usage(events)
    service.recalculate("org-123")
    service.summary("org-123")
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Final, cast

from overages._ground.parsing import Problems, instance_of, parse_all, parse_flag, tuple_of
from overages.errors import (
    BillingDisabled,
    InvalidType,
    InvalidValue,
    NoTerms,
    RecordConflict,
    UnknownPlan,
)
from overages.periods.period import Period, parse_instant
from overages.records.ledger import Recording
from overages.records.record import OverageRecord
from overages.repository import Repository
from overages.service.period_inputs import PeriodInputs
from overages.settlements.settlement import Settlement
from overages.statements.calculation import nothing_charged
from overages.statements.statement import Statement
from overages.statements.summary import Summary
from overages.terms.account import Account
from overages.usage.event import UsageEvent
from overages.usage.metering import Late, parse_late
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
        are worked out of the events themselves, not taken from `Repository.put_usage`.
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
    ) -> None:
        if not callable(clock):
            raise InvalidType("clock", clock, "must be a function that gives the present instant")
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

    def record_usage(self, events: Iterable[UsageEvent], late: Late = "own_period") -> int:
        """Keep usage events, each in the period of its org's cycle; return the number of new ones.

        An event id counts once in its org, for ever, so that events can be reported again.

        :param late: where an event counts whose period is invoiced: in its ``"own_period"``, which
            then changes only by force; or in the ``"next_period"``, the present one, or the first
            after it that isn't invoiced, if there is one.
        :raises UnknownPlan: if an org has no account; nothing is kept then, as for any other error.
        :raises NoTerms: for an event at an instant at which its org has no terms.
        :raises EventConflict: if an event id came before with other content.
        :raises InvalidValue: if the service's metrics can't count an event; `InvalidValues` for
            several faults of any kind.
        """
        self._require_enabled()
        events, late = parse_all(
            (tuple_of(UsageEvent), events, "events"), (parse_late, late, "late")
        )
        new = self._repository.add_events(events, self._placing(self._accounts(events), late))
        _log().info("%d new usage events kept", new)
        return new

    def _accounts(self, events: Iterable[UsageEvent]) -> dict[str, Account]:
        """Return the account of each event's org; refuse events that can't be counted."""
        accounts: dict[str, Account | None] = {}
        problems = Problems()
        for i, event in enumerate(events):
            if event.org_id not in accounts:
                accounts[event.org_id] = self._repository.account(event.org_id)
                if accounts[event.org_id] is None:
                    problem = "must have an account, and so a plan"
                    problems.add(UnknownPlan(("events", i, "org_id"), event.org_id, problem))
            account = accounts[event.org_id]
            if account is not None:
                problems.attempt(account.require_terms, event.at, ("events", i, "at"))
            problems.attempt(self._routes.of, event, path=("events", i))
        problems.raise_any()
        return cast("dict[str, Account]", accounts)  # or one would be a problem

    def _placing(
        self, accounts: Mapping[str, Account], late: Late
    ) -> Callable[[UsageEvent], Period]:
        """Return the function that gives the period that an event counts in."""

        def own_period(event: UsageEvent) -> Period:
            return accounts[event.org_id].period_at(event.at)

        @cache
        def open_period(org_id: str, period: Period) -> Period:
            account, counted = accounts[org_id], period
            while self._repository.invoiced_at(org_id, counted) is not None:
                following = account.period_after(counted)
                if following is None:
                    return period
                counted = max(following, self._present(account) or following)
            return counted

        if late == "own_period":
            return own_period
        return lambda event: open_period(event.org_id, own_period(event))

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
