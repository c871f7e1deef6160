"""Repositories: the storage of plans, accounts, usage, grants and records.

The docstrings of `Repository` are the contract of every adapter; `overages.testing.contract` has
the tests that certify one. A host uses one of ours or brings its own:

    repository = SqliteRepository("overages.db")
    recording = repository.record(statement, created_at=now)
    summary = repository.summary("org-123", period)
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Protocol, TypeAlias, runtime_checkable

from overages.alerts.alert import Alert, AlertDefinition
from overages.alerts.fired_alert import FiredAlert
from overages.amounts.exact import Quantity, QuantityLike
from overages.grants.grant import Grant
from overages.insight.budget import Budget
from overages.periods.period import Period
from overages.quotas.quota_facts import QuotaFacts, QuotaQuestion
from overages.quotas.reservation import Reservation
from overages.records.chain import ChainHead
from overages.records.closing import Closing
from overages.records.record import OverageRecord
from overages.records.recording import Recording
from overages.settlements.balance import Balance
from overages.settlements.settlement import Settlement
from overages.statements.statement import Statement
from overages.statements.summary import Summary
from overages.terms.account import Account
from overages.terms.note import AccountNote
from overages.terms.plan import Plan
from overages.usage.event import UsageEvent
from overages.usage.event_sum import EventSum
from overages.usage.metric import Metric
from overages.usage.usage import Usage
from overages.usage.usage_batch import UsageBatch

SettleFresh: TypeAlias = Callable[[Account, Period, Balance], Settlement | None]
"""Settles a period of an account, from the balance of the one before; None to leave it open."""


@runtime_checkable
class Repository(Protocol):
    """A storage of plans, accounts, usage, grants and records.

    Every method that writes is atomic: it writes all or, if it raises, nothing. When it has
    returned, all is durable (unless the adapter has joined a transaction of the host's).
    Any number of threads and processes may call at once; writes then happen one after another.

    Apart from plans, metrics, the contents of batches and lists of orgs, every read takes the org
    first and every write carries its org: nothing that is written for one org changes a read of
    another. Values that were validated when they were made are stored as they are; anything else is
    refused with an error of `overages.errors` before anything is written.

    :raises InvalidValues: by any method, if several arguments, or several values of a batch, are
        wrong. An error that is about an org carries its `org_id`, and one about a period `period`.
    :raises StorageError: by any method, if the storage fails; `StorageBusy` can be tried again.
    """

    def transaction(self) -> AbstractContextManager[object]:
        """Make all calls within the block one.

        All that they write is kept when the block ends, or none of it if the block raises. Reads
        within it see the writes before them; other writers wait until it ends.
        """
        ...

    def snapshot(self) -> AbstractContextManager[object]:
        """Have all reads within the block see one state, whoever writes meanwhile."""
        ...

    def snapshot_of(self, orgs: Iterable[str]) -> AbstractContextManager[object]:
        """Have all reads within the block, which are about some orgs, see one state.

        It is `snapshot`, but all that is kept of these orgs may be read at once.
        """
        ...

    def portions(self, orgs: Iterable[str]) -> Iterator[Sequence[str]]:
        """Yield orgs in portions, each of as many as a transaction may well be about.

        The next portion can be a larger or smaller one, by the time that the transaction about the
        one before took: other writers wait for it.
        """
        ...

    def transaction_of(
        self, periods: Mapping[str, Iterable[Period]]
    ) -> AbstractContextManager[object]:
        """Make all calls within the block, which are about some periods, one.

        It is `transaction`, but all that is kept of these orgs and periods may be read at once,
        and all that is new of them written at once as the block ends.

        :param periods: by org.
        """
        ...

    # Plans: a catalogue of all orgs, kept by version

    def put_plan(self, plan: Plan, *, since: datetime | None = None) -> int:
        """Keep a plan, in force from an instant on, and return its version.

        Versions of a slug are counted from 1 by content: the same plan again has the version that
        it had. No version is ever changed or removed.

        :param since: the first instant that it is in force; until then, and for periods that
            started before, earlier versions are. None, for the first version alone, means always;
            for the one that is in force last in time, it changes nothing.
            Of two versions with the same `since`, the one that was put last is in force.
        :raises InvalidValue: if `since` is not given and another version is in force already.
        """
        ...

    def plan(self, slug: str, *, version: int | None = None, at: datetime | None = None) -> Plan:
        """Return a plan: one version of it, or the one in force at an instant.

        With neither, it is the one that was put in force last in time.

        :raises UnknownPlan: if there is none; the error names the plans that there are.
        """
        ...

    def slugs(self) -> tuple[str, ...]:
        """Return the slugs of all plans that are or were in force, or will be, sorted."""
        ...

    # Metrics: rules of all orgs by which usage is worked out of events

    def put_metric(self, metric: Metric) -> None:
        """Keep a metric, which counts from now on in place of any of its name before.

        The same metric again changes nothing. A service that isn't given metrics of its own works
        out all usage by these, that of the past as well; but closed periods stand, and are stale
        where they come to something else now. ``Metric(name)`` makes it a plain sum again.

        :raises InvalidValue: if it clashes with others, as `overages.usage.routing.Routes` says.
        """
        ...

    def put_metrics(self, metrics: Iterable[Metric]) -> None:
        """Keep several metrics at once, of which some may only be right together.

        :raises InvalidValue: if one clashes with others; `InvalidValues` if several do.
        """
        ...

    def metrics(self) -> tuple[Metric, ...]:
        """Return the metrics that count now, by name."""
        ...

    # Accounts

    def put_account(
        self,
        account: Account,
        *,
        noted_at: datetime | None = None,
        noted_by: str | None = None,
        reason: str | None = None,
    ) -> None:
        """Keep the entries that are new in an org's account; no entry ever changes.

        The same account again changes nothing.

        :param noted_at: when the new entries were noted, by whom, and why, for `account_notes`.
        :raises AccountConflict: if its history isn't the one that is kept, with entries added at
            its end.
        :raises PeriodClosed: if a period that is closed would be none of the account's any more.
        """
        ...

    def put_accounts(
        self,
        accounts: Iterable[Account],
        *,
        noted_at: datetime | None = None,
        noted_by: str | None = None,
        reason: str | None = None,
    ) -> None:
        """Keep the entries that are new in the accounts of several orgs, all or none.

        It is `put_account` for each of them, in turn.
        """
        ...

    def account(self, org_id: str) -> Account | None:
        """Return an org's account, or None if it has none."""
        ...

    def accounts(self, orgs: Iterable[str]) -> Mapping[str, Account]:
        """Return the accounts of some orgs by org, of those that have one."""
        ...

    def account_notes(self, org_id: str) -> tuple[AccountNote, ...]:
        """Return a note for each entry of an org's account: the first terms, then the changes."""
        ...

    def orgs(self) -> Iterator[str]:
        """Yield the orgs that have an account or records, sorted."""
        ...

    # Usage: events at instants, and sums that a host put for spans of time

    def add_events(
        self,
        events: Iterable[UsageEvent],
        counts_at: Callable[[UsageEvent], datetime] | None = None,
        batch: str | None = None,
    ) -> int:
        """Keep events, each at the instant that it counts at; return the number of new ones.

        An event id counts once in its org, for ever: the same event again is passed over, wherever
        it would count now. Events without an id always count. Their order doesn't matter.

        :param counts_at: gives the instant that an event counts at, which may be a later one than
            its own, as for one that is late; without it, each counts at its own.
        :param batch: the name of the batch that those which are new come in, such as that of a
            file; see `batch_events`.
        :raises EventConflict: if an event id came before in its org with another metric, quantity,
            time or dimensions; `InvalidValues` if several did. It names the event's place.
        :raises InvalidValue: if an event would count before its instant.
        """
        ...

    def withdraw(self, org_id: str, event_id: str, *, withdrawn_at: datetime) -> datetime:
        """Take an event back, which can't be undone; return when it was first withdrawn.

        It counts no more. Its id stays used for ever: reporting it again changes nothing.

        :param withdrawn_at: when; kept in UTC.
        :raises UnknownEvent: if the org has no event of that id.
        """
        ...

    def withdraw_many(
        self, org_id: str, event_ids: Iterable[str], *, withdrawn_at: datetime
    ) -> int:
        """Take events of an org's back at once, all or none, as `withdraw` does each.

        :returns: how many of them weren't withdrawn before.
        :raises UnknownEvent: if the org has no event of an id; `InvalidValues` for several.
        """
        ...

    def withdrawn_ids(self, org_id: str, ids: Iterable[str]) -> frozenset[str]:
        """Return those of some ids of an org's events whose event is withdrawn.

        So a host learns that an event which it reports again, with an id that stays used, counts
        no more.
        """
        ...

    def events(
        self, org_id: str, period: Period, *, metrics: Iterable[str] | None = None
    ) -> Iterator[UsageEvent]:
        """Yield an org's events with an instant in a period, by instant, then as they came.

        Those that are withdrawn are not among them.

        :param metrics: the names of the only ones that are wanted; all without it.
        """
        ...

    def counted_events(
        self,
        org_id: str,
        period: Period,
        *,
        metrics: Iterable[str] | None = None,
        earlier: bool = False,
    ) -> Iterator[tuple[UsageEvent, datetime]]:
        """Yield the events that count in a period, each with the instant that it counts at.

        They come by that instant, then as they came; those that are withdrawn are not among them.

        :param metrics: the names of the only ones that are wanted; all without it.
        :param earlier: whether those come too that count at any time before the period.
        """
        ...

    def event_before(
        self,
        org_id: str,
        instant: datetime,
        metric: str,
        matching: Callable[[UsageEvent], bool] | None = None,
    ) -> tuple[UsageEvent, datetime] | None:
        """Return the last event of a name that counts before an instant, and when it counts.

        The last is the one with the latest instant of its own; of equal ones that with the greater
        id, and then the larger. It is looked for from the instant back, so that the org's life
        before isn't read.

        :param matching: tells whether an event is one of those that are looked for.
        :returns: None if there is none.
        """
        ...

    def event_sums(
        self, org_id: str, period: Period, *, metrics: Iterable[str] | None = None
    ) -> Mapping[str, EventSum]:
        """Return the sum of the events that count in a period, by the name of the events.

        It is held ready by the hour, so that it takes as long for ten events as for a million.

        :param metrics: the names of the only ones that are wanted; all without it.
        """
        ...

    def remake_sums(self, org_id: str) -> None:
        """Throw away all that is held ready of an org's events, and make it again of them.

        `event_sums` says the same afterwards, unless `verify` would have raised `UsageAltered`.
        """
        ...

    def put_usage(self, usage: Usage) -> None:
        """Set the sums of an org for a span of time, for hosts that do their own counting.

        They count beside the events, in each time that has the whole span in it. Sums for the same
        span again take the place of the earlier ones; metrics that are not in it are zero.

        :raises InvalidValue: if another span that overlaps has units of a metric of theirs.
        """
        ...

    def put_sums(self, org_id: str, period: Period) -> tuple[Usage, ...]:
        """Return the sums that were put for spans which overlap a period, sorted by span."""
        ...

    def usage(self, org_id: str, period: Period, *, metrics: Iterable[str] | None = None) -> Usage:
        """Return the usage of an org in a period: the sums of its events, and those that were put.

        :param metrics: the names of the only ones that are wanted; all without it.
        :raises InvalidValue: if a sum is negative; or if the period cuts a span that sums were put
            for: nobody knows how much of them is in it.
        """
        ...

    # Batches: which events came together, and the content that each was given with

    def put_batch(self, name: str, digest: str, events: int, noted_at: datetime) -> None:
        """Note the content that a batch is given with, in place of the one before.

        The same digest again, right after, changes nothing.

        :param digest: a text that tells its content from others, such as a checksum.
        :param events: how many events it has.
        :param noted_at: when; kept in UTC.
        """
        ...

    def batch(self, name: str) -> UsageBatch | None:
        """Return the content that a batch was last given with; None if it never was."""
        ...

    def batches(self) -> Iterator[UsageBatch]:
        """Yield the content that each batch was last given with, by name."""
        ...

    def batch_orgs(self, batch: str) -> Iterator[str]:
        """Yield the orgs that have events of a batch, withdrawn ones too, sorted."""
        ...

    def batch_events(self, org_id: str, batch: str) -> Iterator[tuple[UsageEvent, datetime]]:
        """Yield an org's events of a batch as they came, each with the instant that it counts at.

        An event that came again, in whichever batch, is of the first one alone. Those that are
        withdrawn are not among them.
        """
        ...

    # Grants: append-only, but for being voided once

    def put_grant(self, org_id: str, grant: Grant) -> None:
        """Keep a grant of an org's, for ever.

        The same grant again changes nothing, and a grant that was voided since stays voided.

        :raises GrantConflict: if the org has a grant of that id which says something else.
        """
        ...

    def void_grant(self, org_id: str, grant_id: str, at: datetime) -> datetime:
        """Void an org's grant, which can't be undone; return when it was first voided.

        :param at: the first instant that it can't be drawn on any more; once it is voided, another
            one changes nothing.
        :raises UnknownGrant: if the org has no such grant.
        """
        ...

    def grants(self, org_id: str) -> tuple[Grant, ...]:
        """Return all grants that an org ever had, in the order in which they are drawn on.

        They are sorted by priority, expiry, creation and id; those that expired or were voided are
        among them, as `burn_down` needs them.
        """
        ...

    # Budgets: of each id, the last entry stands

    def put_budget(self, org_id: str, budget: Budget, *, put_at: datetime | None = None) -> None:
        """Keep a budget of an org's, in place of any of its id before.

        The same budget again changes nothing. No entry is ever changed or removed.

        :param put_at: since when it stands, timezone-aware; kept in UTC. Without it, it always did.
            One that differs in `on_reached` alone stands since the one before did.
        :raises InvalidValue: if it stops charging, and no terms of the org's have a maximum that is
            as low: `OverageService.put_budget` puts that, too.
        """
        ...

    def drop_budget(self, org_id: str, budget_id: str) -> None:
        """Have a budget of an org's count no more, by another entry; again, it changes nothing.

        :raises UnknownBudget: if the org never had a budget of that id.
        """
        ...

    def budgets(self, org_id: str) -> tuple[Budget, ...]:
        """Return the budgets of an org that count now, by id."""
        ...

    def budget_starts(self, org_id: str) -> Mapping[str, datetime]:
        """Return since when budgets of an org have their metric, amount and window, by id.

        Alerts tell nothing of windows that were over by then. Those that always stood, or that
        were dropped, are not among them.
        """
        ...

    # Alerts: definitions of all orgs or of one, and those that fired; append-only

    def put_alert(
        self, alert: Alert, *, put_at: datetime, org_id: str | None = None
    ) -> AlertDefinition:
        """Keep an alert of all orgs, or of one, in place of any of its id before.

        Its versions are counted from 1: the same alert as the one that counts is that one. Another,
        and one that was dropped or replaced before, is a new version, which fires by itself. That
        of an org of its own is another than that of all orgs.

        :param put_at: when; kept in UTC.
        :returns: the alert with its version, and when that was put.
        """
        ...

    def drop_alert(self, alert_id: str, *, org_id: str | None = None) -> None:
        """Have an alert of all orgs, or of one, count no more; the alerts that fired stay.

        Where an org drops one of its own, that of all orgs of this id counts for it again.

        :raises UnknownAlert: if there never was an alert of that id.
        """
        ...

    def alert_definitions(self, org_id: str | None = None) -> tuple[AlertDefinition, ...]:
        """Return the alerts that count for an org now, by id.

        They are those of all orgs, and its own, of which each takes the place of one of its id.

        :param org_id: None for those of all orgs alone.
        """
        ...

    def has_alerts(self) -> bool:
        """Tell whether any alert was ever defined, of all orgs or of one."""
        ...

    def add_alerts(self, fired: Iterable[FiredAlert]) -> int:
        """Keep alerts that fired, each once for its `key`; return the number of new ones.

        :raises InvalidValue: if one has a number that doesn't follow on those that are kept of its
            id; `InvalidValues` for several.
        """
        ...

    def fired_alerts(self, org_id: str, period: Period | None = None) -> tuple[FiredAlert, ...]:
        """Return the alerts of an org that fired, as they came, and when each was seen.

        :param period: the one that they are about; all without it.
        """
        ...

    def acknowledge_alert(
        self,
        org_id: str,
        key: str,
        *,
        acknowledged_at: datetime,
        acknowledged_by: str | None = None,
    ) -> datetime:
        """Note that someone has seen an alert that fired; return when someone first did.

        :param key: that of the `FiredAlert`.
        :param acknowledged_at: when; kept in UTC.
        :param acknowledged_by: who.
        :raises UnknownAlert: if the org has no such alert.
        """
        ...

    # Reservations: append-only, but for ending once

    def put_reservation(self, reservation: Reservation) -> Reservation:
        """Keep a reservation, for ever; return the one that is kept under its key.

        One that is there already stays as it is, and as it ended. Whether its units may be held is
        for the caller to say, in the same transaction (see `OverageService.reserve`).

        :raises ReservationConflict: if the org has one of that key with another fingerprint.
        """
        ...

    def commit_reservation(
        self,
        org_id: str,
        key: str,
        *,
        used: Mapping[str, QuantityLike] | None = None,
        at: datetime,
    ) -> Reservation:
        """Have the units of a reservation be used, and return it so.

        The same again changes nothing. The usage itself is reported by events, in the same
        transaction (see `OverageService.commit`).

        :param used: units by metric, of those that are held, more or fewer; None for all of them.
        :param at: when; kept in UTC.
        :raises UnknownReservation: if the org has none of that key.
        :raises InvalidValue: if units of a metric are used that isn't held.
        :raises ReservationConflict: if it was released, or committed with other units.
        """
        ...

    def release_reservation(self, org_id: str, key: str, *, at: datetime) -> Reservation:
        """Have the units of a reservation be given back, and return it so.

        The same again changes nothing.

        :param at: when; kept in UTC.
        :raises UnknownReservation: if the org has none of that key.
        :raises ReservationConflict: if it was committed.
        """
        ...

    def reservation(self, org_id: str, key: str) -> Reservation | None:
        """Return the reservation of a key; None if there is none."""
        ...

    def reservations(self, org_id: str, period: Period | None = None) -> tuple[Reservation, ...]:
        """Return the reservations that an org made in a period, or all, in order of time."""
        ...

    def held_units(self, org_id: str, period: Period, at: datetime) -> Mapping[str, Quantity]:
        """Return the units by metric that reservations made in a period hold at an instant.

        One that expired by then, or has ended, holds nothing.
        """
        ...

    # Decisions: the facts that they follow from, read at once

    def quota_facts(
        self, asked: QuotaQuestion, at: datetime, *, mark: Hashable = None
    ) -> QuotaFacts | None:
        """Return a plan, an org's usage, and the units that it holds, with a mark of its terms.

        It is `plan`, `usage` and `held_units` of one state; the mark tells whether the terms are
        those of before.

        :param asked: the org, its period, its plan, and the metrics whose usage is wanted.
        :param at: the instant that units are held at.
        :param mark: of an earlier read with the same plan, if there was one.
        :returns: None if the terms have another mark by now.
        :raises InvalidValue: as `usage` does.
        """
        ...

    # Records: append-only

    def record(
        self,
        statement: Statement,
        *,
        created_at: datetime,
        revision: int | None = None,
    ) -> Recording:
        """Record a statement, once.

        The first statement of an org and period adds a record for each line that is over or costs
        something. The same statement again writes nothing. A changed one adds a correction for
        each metric that changed, signed, so that the records of the period sum to it. With the
        records, in the same transaction, the statement's plan is kept, and the overage of the
        metrics is set beside their usage (see `overage`).

        :param created_at: when; kept in UTC.
        :param revision: the result of the period that this is to be, counted from 1, so that of two
            writers who both read revision 1 just one writes revision 2; None for the next one.
        :raises RecordConflict: if the period has that revision and it says something else; the
            error names the fields that differ.
        :raises PeriodClosed: if the period is closed, and the result is another: it changes by
            `close_period` and force alone, which keeps its balance as well.
        :raises PeriodOverlap: if the org was charged for a line in a period that overlaps.
        :raises CurrencyMismatch: if the period was recorded in another currency.
        """
        ...

    def record_many(
        self, statements: Iterable[Statement], *, created_at: datetime
    ) -> Sequence[Recording]:
        """Record statements of any orgs and periods in one transaction, all or none.

        :returns: a recording for each statement, in order; ours are made when they are asked for.
        :raises OveragesError: as `record` does; `InvalidValues` if several can't be recorded.
        """
        ...

    def records(self, org_id: str, period: Period | None = None) -> tuple[OverageRecord, ...]:
        """Return an org's records, of one period or of all, in the order of recording.

        This is also their history: `OverageRecord.revision` tells results of a period apart.
        """
        ...

    def summary(self, org_id: str, period: Period | None = None) -> Summary | None:
        """Return ``aggregate(records(org_id, period))``; None if there is no record.

        :raises CurrencyMismatch: if the records are in several currencies.
        """
        ...

    def overage(self, org_id: str, period: Period) -> Summary | None:
        """Return the overage that is kept beside an org's usage of a period, by metric.

        It always equals their `summary`, but is held ready; None if nothing was recorded of any.
        """
        ...

    # Periods that are closed: append-only

    def close_period(
        self,
        settlement: Settlement,
        *,
        closed_at: datetime,
        grants: Iterable[Grant] = (),
        force: bool = False,
    ) -> Closing:
        """Record the final statement of a period, and keep its balance: both, or nothing.

        A period that is closed stays as it is: its last closing is returned. By force, another
        settlement of it is recorded, and kept as a further closing beside those before.

        :param closed_at: when; kept in UTC.
        :param grants: those that the org has, to be known if the period is corrected.
        :raises PeriodOverlap: if the org was charged for a line in a period that overlaps.
        :raises CurrencyMismatch: if the period was recorded in another currency.
        """
        ...

    def close_fresh(
        self, periods: Mapping[str, Period], settle: SettleFresh, *, closed_at: datetime
    ) -> Mapping[str, Recording]:
        """Close a period of each of many orgs, as far as nothing is kept of it or after it.

        Most periods that end are such: of an org that has an account and never had a grant, with no
        record or closing of the period, nor of a later time. Nothing that is there has to be
        corrected or compared then, so that it takes two thirds of the time, with all that is read
        and written.

        :param periods: by org.
        :param settle: gives the final settlement of each; where it raises an error, nothing of the
            call is written.
        :param closed_at: when; kept in UTC.
        :returns: the recordings, by org. The others are as they were, also those that can't be
            recorded: `close_period` tells why.
        :raises InvalidValue: if a settlement is of another org or period.
        """
        ...

    def closing(self, org_id: str, period: Period) -> Closing | None:
        """Return the last closing of an org's period; None if it is open."""
        ...

    def closing_before(self, org_id: str, instant: datetime) -> Closing | None:
        """Return the last closing of the org's last closed period that ends by an instant."""
        ...

    def closings(self, org_id: str, since: datetime | None = None) -> tuple[Closing, ...]:
        """Return the last closing of each closed period of an org, in order of time.

        :param since: the first instant at which they may start; None for all.
        """
        ...

    def closed_periods(self, org_id: str) -> Mapping[Period, datetime]:
        """Return when each closed period of an org first was, in order of time."""
        ...

    def settled(self, org_id: str, period: Period) -> Settlement | None:
        """Return the settlement that a period was last closed with; None if it is open.

        :raises RecordsAltered: if its statement differs from the period's records.
        """
        ...

    # Integrity

    def head(self, org_id: str) -> ChainHead | None:
        """Return the end of an org's chain of records and closings; None if it is empty."""
        ...

    def verify(self, org_id: str | None = None, head: ChainHead | None = None) -> int:
        """Check that no record or closing was changed, removed, added or reordered; count them.

        The usage that a closed period had counted is compared with its seal. What is held ready is
        compared with what it is made of: `event_sums` with the events, hour by hour, `overage` with
        the records.

        :param org_id: whose records and usage; all orgs' without it.
        :param head: an earlier `head` of the org: a later one must still lead back to it.
        :raises RecordsAltered: for the first record that is not as it was recorded, by org and
            order of recording.
        :raises UsageAltered: for the first sum or overage that comes to something else.
        :raises InvalidValue: if a head is given without an org.
        """
        ...
