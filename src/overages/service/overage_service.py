"""The service itself: what a host calls.

It reads from the repository, calculates, and writes back:

    service = OverageService(repository, clock=lambda: datetime.now(UTC))
    service.record_usage(events)
    service.recalculate("org-123")
    service.summary("org-123")
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from copy import copy
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from overages._ground.names import optional_name, parse_name, parse_names
from overages._ground.parsing import (
    function_that,
    instance_of,
    optional,
    parse_all,
    parse_flag,
)
from overages.bookkeeping.books import EndedPeriod
from overages.bookkeeping.ended_periods import EndedPeriods
from overages.bookkeeping.period_inputs import PeriodInputs
from overages.bookkeeping.staleness import Staleness, StalePeriod
from overages.errors import InvalidValue, RecordConflict
from overages.periods.period import Period, format_instant
from overages.records.closing import Closing
from overages.records.recording import Recording
from overages.service.alerting import Alerting
from overages.service.base import log
from overages.service.one_change import AlertChange
from overages.service.projecting import Forecasts
from overages.service.quotas import Quotas
from overages.service.usage_intake import OnRefused, UsageIntake
from overages.settlements.balance import Balance
from overages.settlements.settlement import Settlement
from overages.statements.statement import Statement
from overages.statements.summary import Summary
from overages.terms.account import Account
from overages.usage.event import UsageEvent, parse_events
from overages.usage.metering import Late, parse_late, parse_time_span

NO_GRACE: Final = timedelta(0)
"""Periods can be closed as soon as they have ended."""

_INFO: Final = 20  # the level of `logging`, which is imported late
_optional_listener: Final = optional(function_that("takes an error"))


class OverageService(Quotas, Alerting, Forecasts):
    """Calculates, records and sums up the overage of orgs.

    :param repository: where plans, accounts, usage and records are kept.
    :param clock: gives the present instant, timezone-aware.
    :param enabled: whether anything is done at all: a flag, or a function that is asked each time.
        While it is off, every method raises `BillingDisabled`: nothing is calculated or written,
        and no caller takes that for a bill of zero.
    :param metrics: those that are not just the sum of the events of their name; see `Meter`. They
        are worked out of events: sums of `Repository.put_usage` can be of plain sums alone. Without
        it, those of the repository count, as they are at each call; with it, these alone do.
    :param ahead: how much later than the present instant an event may be dated, for clocks that
        differ.
    :raises InvalidValue: for metrics that clash; `InvalidValues` if several do.

    Periods are those of the account's cycle; without a `period`, a method works on the present one.
    An error that is about an org's period carries both, as `org_id` and `period`. Calls are logged
    under ``overages.service``, with org, period and counts as fields, never with amounts.

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

    def calculate(
        self, org_id: str, period: Period | None = None, *, account: Account | None = None
    ) -> Statement | None:
        """Return the statement of an org's period, writing nothing.

        Its terms are those that the account has for it, however they changed since: the plan, in
        the version in force at the start of the period, and the org's own limits. Where the plan
        carries units over, or the org has grants, all its periods are settled one after another,
        each by its own terms, from the last one on that is closed. A closed period is returned as
        it was closed.

        Of a time within a period, such as a week of a month, it is the usage and the lines of that
        time, with its share of the limit and without all that is once a period; that can't be
        recorded.

        :param account: the org's with a change that isn't put yet: the statement is that which the
            change would come to.
        :returns: None if the org has no account, or no terms hold then: nothing is owed.
        :raises AccountConflict: if `account` isn't the kept one with entries added at its end.
        :raises UnknownPlan: if its plan was not yet in force.
        :raises InvalidValue: if it is no period of the org's, nor a time within one; the error
            names those that are.
        :raises UnknownMetric: if it used a metric that its plan doesn't know.
        """
        self._require_enabled()
        with self._repository.snapshot():
            held = self._account(org_id, account)
            around = None if held is None or period is None else held.period_around(period)
            if held is not None and period is not None and around is not None:
                inputs = PeriodInputs(self._repository, held, self._routes)
                return inputs.statement_of_span(period, around)
            settlement = self.settle(org_id, period, account=account)
            return None if settlement is None else settlement.statement

    def settle(
        self, org_id: str, period: Period | None = None, *, account: Account | None = None
    ) -> Settlement | None:
        """Return the statement of `calculate`, with all that was carried over, drawn and left.

        :returns: None if the org has no account, or no terms hold then.
        """
        self._require_enabled()
        with self._repository.snapshot():
            held = self._account(org_id, account)
            own = None if held is None else self._period(held, period)
            if held is None or own is None:
                text = None if period is None else period.isoformat()
                extra = {"org_id": org_id, "period": text}
                log().info("%s has no terms: nothing to calculate", org_id, extra=extra)
                return None
            settling = self._settling(held, self._now())
            closing = self._repository.closing(org_id, own)
            if closing is None:
                return settling.settlement(own)
            if account is None:
                return self._repository.settled(org_id, own)
            return settling.correction(closing)

    def record(self, org_id: str, statement: Statement, force: bool = False) -> Recording:
        """Record a statement of an org, once, if it is what its period comes to now.

        Usage or terms can have changed since it was calculated: then the newer result stays, or is
        to be recorded by `recalculate`. (`Repository.record` records what it is given.)

        :param force: whether a closed period is corrected; see `recalculate`.
        :raises InvalidValue: if the statement is another org's.
        :raises RecordConflict: if the period comes to something else now.
        """
        self._require_enabled()
        statement, force = parse_all(
            (instance_of(Statement), statement, "statement"), (parse_flag, force, "force")
        )
        period = statement.period
        if statement.org_id != org_id:
            path = ("statement", "org_id")
            error = InvalidValue(path, statement.org_id, f"must be {org_id!r}")
            raise error.within(org_id=org_id, period=period)
        with self._repository.transaction():
            account, now = self._repository.account(org_id), self._now()
            if account is None or not account.has(period):
                recording = self._repository.record(statement, created_at=now)
            else:
                books = self._books(account, now=now)
                if books.statement(period) != statement:
                    problem = "must be what the period comes to now: calculate it again"
                    conflict = RecordConflict("statement", str(statement.total), problem)
                    raise conflict.within(org_id=org_id, period=period)
                recording = books.record(period, force=force)
                if force:  # units of later periods may follow from it
                    self._watch(now).note_open(org_id)
        return _logged(recording, org_id, period)

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

        The same usage writes nothing again; changed usage adds corrections, up or down. Reading,
        calculating and recording are one transaction, so that no older result comes after a newer
        one. The charge of a time that is no period of the org's any more, since its billing day has
        moved or its terms ended, is taken back with it.

        :param force: whether a closed period is corrected. Without it, one that comes to something
            else now is returned as it is recorded, and is marked by `Recording.is_stale`.
        :returns: None if the org has no account, or no terms hold then. `Recording.stale_next`
            names the period after this one, if it was recorded and no longer follows from it.
        :raises InvalidValue: if the period isn't one of the org's; the error names those that are.
        """
        self._require_enabled()
        parse_flag(force, "force")
        with self._repository.transaction():
            account = self._repository.account(org_id)
            own = None if account is None else self._period(account, period)
            if account is None:
                return None
            now = self._now()
            books = self._books(account, now=now)
            if own is None:
                books.take_back()
                return None
            recording = books.record(own, force=force)
            if force:  # units of later periods may follow from it
                self._watch(now).note_open(org_id)
        return _logged(recording, org_id, own)

    # Periods that end

    def close(self, org_id: str, period: Period, *, grace: timedelta = NO_GRACE) -> Recording:
        """Close a period of an org that has ended: its invoice can be made out.

        Its final statement, true-ups included, is recorded, and its balance is kept for the
        periods after it, in one transaction that reads the usage, too. Those before it that aren't
        closed yet are closed in the same one. From then on it changes by force alone, whatever
        comes: see `recalculate` and `stale`. The same again changes nothing.

        :param grace: how long after its end it stays open for usage that is late.
        :raises UnknownPlan: if the org has no account.
        :raises NoTerms: if no terms hold in the period.
        :raises InvalidValue: if the period isn't one of the org's (the error names those that are),
            or hasn't ended.
        """
        self._require_enabled()
        period, grace = parse_all(
            (instance_of(Period), period, "period"), (parse_time_span, grace, "grace")
        )
        with self._repository.transaction():
            account = self._own_account(org_id)
            account.require(period)
            now = self._now()
            until = _less(now, grace)
            if until < period.end:
                problem = f"must have ended by {format_instant(until)} to be closed"
                raise InvalidValue("period", str(period), problem).within(
                    org_id=org_id, period=period
                )
            recording = self._books(account, now=now).close(period)
        return _logged(recording, org_id, period)

    def close_ended(
        self, *, orgs: Iterable[str] | None = None, grace: timedelta = NO_GRACE
    ) -> list[EndedPeriod]:
        """Close all periods of all orgs that have ended and are open still.

        An org's are closed in order. One that can't be closed stops those after it of that org, and
        no other org's. Each is closed or not, whole; as many orgs as are done in a moment share a
        transaction. On a joined connection, all of them are within the host's.

        :param orgs: the only ones whose periods are closed; all without it.
        :param grace: how long after their end they stay open for usage that is late.
        :returns: the outcome of each, by org and period.
        :raises StorageError: if the storage fails; those that were kept before stay closed.
        """
        self._require_enabled()
        now = self._now()
        until = _less(now, parse_time_span(grace, "grace"))
        books_of, fresh_of = partial(self._books, now=now), partial(self._fresh, now=now)
        ended = EndedPeriods(self._repository, books_of, fresh_of, until, self._require_enabled)
        tells_all = log().isEnabledFor(_INFO)  # not where a command closes a hundred thousand
        return [
            _told(each) if tells_all or each.error is not None else each
            for each in ended.close(self._repository.orgs() if orgs is None else orgs)
        ]

    def stale(self, org_id: str) -> tuple[StalePeriod, ...]:
        """Return the recorded periods of an org that come to something else now, in order.

        Late usage, withdrawn events, terms that were dated back or a correction of the period
        before can do that. After them come times without terms in which the org used something.

        :returns: none if the org has no account.
        """
        self._require_enabled()
        with self._repository.snapshot():
            account = self._repository.account(org_id)
            if account is None:
                return ()
            now = self._now()
            settling = self._settling(account, now)
            return Staleness(self._repository, account, settling, now).everywhere()

    # Usage

    def record_usage(
        self,
        events: Iterable[UsageEvent],
        late: Late = "own_period",
        on_refused: OnRefused | None = None,
        batch: str | None = None,
    ) -> int:
        """Keep usage events; return the number of new ones.

        An event id counts once in its org, for ever, so that events can be reported again.

        :param late: where an event counts whose period is closed: in its ``"own_period"``, which
            then changes only by force; or in the ``"next_period"``, at the start of the first one
            after it that is open. Where the plan of that one doesn't know its metric, or there is
            none, it stays in its own, as units do that are taken back (a negative quantity).
        :param on_refused: a function that is told of each event that is refused, by its error, once
            all others are kept. Without it, nothing is kept if an event is refused.
        :param batch: the name of the batch that they come in, such as that of a file; see
            `Repository.batch_events`.
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
        reported, late, on_refused, batch = parse_all(
            (parse_events, events, "events"),
            (parse_late, late, "late"),
            (_optional_listener, on_refused, "on_refused"),
            (optional_name, batch, "batch"),
        )
        intake = UsageIntake(
            self._repository,
            lambda: self._routes,
            now=self._now(),
            ahead=self._ahead,
            alerts=self._watch(),
            batch=batch,
        )
        new = intake.record(reported, late, on_refused)
        extra = {
            "events": len(reported),
            "new_events": new,
            "orgs": len({*reported.orgs}),
        }
        log().info("%d new usage events kept", new, extra=extra)
        return new

    @contextmanager
    def one_change(self) -> Iterator[OverageService]:
        """Give a service all of whose calls are one change, kept whole or not at all.

        Alerts see its outcome alone: where usage comes in place of other usage, neither that both
        are there nor that both are gone fires or clears any.

        >>> from datetime import UTC
        >>> from overages import Alert, Allowance, MemoryRepository, PerUnit, Plan, Threshold
        >>> repository, now = MemoryRepository(), datetime(2024, 2, 20, tzinfo=UTC)
        >>> _ = repository.put_plan(Plan("starter", "USD", {"runs": Allowance(50, PerUnit("1"))}))
        >>> repository.put_account(Account("org-123", "starter", since=now.replace(day=1)))
        >>> service = OverageService(repository, clock=lambda: now)
        >>> _ = service.put_alert(Alert("runs-80", Threshold(percent=80), metric="runs"))
        >>> service.record_usage([UsageEvent("org-123", "runs", 30, now, id="evt-1")])
        1
        >>> with service.one_change() as changing:
        ...     _ = changing.withdraw("org-123", "evt-1")
        ...     _ = changing.record_usage([UsageEvent("org-123", "runs", 35, now, id="evt-2")])
        >>> service.alerts("org-123")
        ()
        """
        if self._change is not None:  # it is a part of another one
            with self._repository.transaction(), self._change.part():
                yield self
            return
        changing, change = copy(self), AlertChange()
        changing._change = change
        with self._repository.transaction():
            try:
                yield changing
            finally:
                changing._change = None  # from then on, it is like any other
            change.note(self._watch())

    def put_opening_balance(self, org_id: str, balance: Balance) -> Closing:
        """Let an org that comes from another system start from the balance that it had there.

        It is kept as the closing of the time before the account begins, for which nothing is
        charged: units that are left over, those used of an allowance for a year, how grants stand
        that were put. (A grant of the credit left needs none.) The same again changes nothing;
        another balance takes its place, until a period of the account is closed.

        :returns: the closing that keeps it.
        :raises UnknownPlan: if the org has no account, or its plan isn't in force as it begins.
        :raises InvalidValue: if the balance is of another org, of grants that weren't put or can't
            stand so, of a metric that carries nothing over, of a time that the first period doesn't
            go on from; `InvalidValues` for several.
        :raises UnknownMetric: if the plan doesn't know a metric of it.
        :raises PeriodClosed: if a period of the account is closed already.
        :raises RecordConflict: if the org was charged for a time before the account.

        >>> from datetime import UTC
        >>> from overages import Allowance, Balance, CarryOver, MemoryRepository, PerUnit, Plan
        >>> from overages.terms.carry_over import CarriedUnits
        >>> repository, now = MemoryRepository(), datetime(2024, 2, 20, tzinfo=UTC)
        >>> tokens = Allowance(1_000, PerUnit("0.01"), carry_over=CarryOver())
        >>> version = repository.put_plan(Plan("starter", "USD", {"tokens": tokens}))
        >>> repository.put_account(Account("org-123", "starter", since=now.replace(day=1)))
        >>> service = OverageService(repository, clock=lambda: now)
        >>> left = CarriedUnits(300, Period.month(2024, 1))
        >>> print(service.put_opening_balance("org-123", Balance({"tokens": [left]})).period)
        2024-01-01T00:00:00Z/2024-02-01T00:00:00Z
        >>> service.record_usage([UsageEvent("org-123", "tokens", 1_250, now, id="evt-1")])
        1
        >>> print(service.calculate("org-123").total)
        0.00 USD
        """
        self._require_enabled()
        instance_of(Balance)(balance, "balance")
        with self._repository.transaction():
            closing = self._books(self._own_account(org_id), now=self._now()).open(balance)
        log().info("%s: an opening balance is kept", org_id, extra={"org_id": org_id})
        return closing

    def withdraw(self, org_id: str, event_id: str) -> datetime:
        """Take an event back that should not have been; return when it was first withdrawn.

        It counts no more, however its metric is counted. Its id stays used.

        :raises UnknownEvent: if the org has no event of that id.
        """
        self._require_enabled()
        org_id, now = parse_name(org_id, "org_id"), self._now()
        first: list[datetime] = []

        def withdraw(event_ids: Sequence[str]) -> int:
            withdraw_one = partial(self._repository.withdraw, org_id, withdrawn_at=now)
            first.extend(map(withdraw_one, event_ids))
            return len(first)

        with self._repository.transaction():
            self._watch().take_back(org_id, [event_id], withdraw)
        log().info("%s: an event is withdrawn", org_id, extra={"org_id": org_id})
        return first[0]

    def withdraw_many(self, org_id: str, event_ids: Iterable[str]) -> int:
        """Take events of an org's back at once, all or none, as `withdraw` does each.

        :returns: how many of them weren't withdrawn before.
        :raises UnknownEvent: if the org has no event of an id; `InvalidValues` for several.
        """
        self._require_enabled()
        org_id, ids = parse_all(
            (parse_name, org_id, "org_id"), (parse_names, event_ids, "event_ids")
        )
        withdraw = partial(self._repository.withdraw_many, org_id, withdrawn_at=self._now())
        with self._repository.transaction():
            new = self._watch().take_back(org_id, ids, withdraw)
        log().info("%s: %d events are withdrawn", org_id, new, extra={"org_id": org_id})
        return new


def _less(now: datetime, grace: timedelta) -> datetime:
    try:
        return now - grace
    except OverflowError:
        raise InvalidValue("grace", grace, "must lead to no year before 1") from None


def _logged(recording: Recording, org_id: str, period: Period) -> Recording:
    if not log().isEnabledFor(_INFO):  # as where a hundred thousand are closed by a command
        return recording
    new, text = len(recording.new), period.isoformat()
    extra = {"org_id": org_id, "period": text, "new_records": new}
    log().info("%s, %s: %d new records", org_id, text, new, extra=extra)
    return recording


def _told(ended: EndedPeriod) -> EndedPeriod:
    """Log the outcome for a period that had ended."""
    org_id, period, recording, error = ended
    if recording is not None and period is not None:
        _logged(recording, org_id, period)
    else:
        text = None if period is None else period.isoformat()
        extra = {"org_id": org_id, "period": text}
        log().warning("%s, %s: not closed: %s", org_id, text, type(error).__name__, extra=extra)
    return ended
