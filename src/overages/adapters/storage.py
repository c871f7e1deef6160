"""Storage: the primitives that a repository is built on, and an adapter writes.

class MemoryRepository(BaseRepository):           # which is a Storage
    def _get_accounts(self, orgs: Sequence[str]) -> Mapping[str, Account]: ...
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime

from overages.adapters.event_texts import EventRow, PutRow, WithdrawalRow
from overages.alerts.alert import AlertDefinition
from overages.alerts.fired_alert import FiredAlert
from overages.errors import UsageAltered
from overages.grants.grant import Grant
from overages.insight.budget import Budget
from overages.periods.period import Period
from overages.quotas.reservation import Reservation
from overages.records.chain import ChainHead, Link
from overages.records.closing import Closing
from overages.records.ledger import Ledger
from overages.records.record import OverageRecord
from overages.statements.statement import Statement
from overages.statements.summary import Summary
from overages.terms.account import Account
from overages.terms.note import AccountNote
from overages.terms.plan import Plan
from overages.usage.event import CountedEvents, EventColumns, UsageEvent
from overages.usage.metric import Metric
from overages.usage.usage import Usage
from overages.usage.usage_batch import UsageBatch


class Storage(ABC):
    """Keeps rows; private methods are called within `_reading` or `_writing`, values checked."""

    @abstractmethod
    def transaction(self) -> AbstractContextManager[object]:
        """Make all calls within the block one: all that they write is kept, or none."""

    @abstractmethod
    def _reading(self) -> AbstractContextManager[object]:
        """Hold one state of the storage for some reads."""

    @abstractmethod
    def _writing(self) -> AbstractContextManager[object]:
        """Hold the storage for some reads and writes; keep all of them, or none on an error."""

    @abstractmethod
    def _version_of(self, plan: Plan) -> int:
        """Return the version of a plan, having kept it as the next one if it is new."""

    @abstractmethod
    def _get_plan(self, slug: str, version: int) -> Plan | None: ...

    @abstractmethod
    def _slugs(self) -> Iterable[str]:
        """Return the slugs of all plans that are or were in force, or will be, in any order."""

    @abstractmethod
    def _starts_of(self, slug: str) -> Mapping[datetime, int]:
        """Return the versions of a plan by the instant from which each is in force."""

    @abstractmethod
    def _set_start(self, slug: str, since: datetime, version: int) -> None: ...

    @abstractmethod
    def _add_metric(self, metric: Metric) -> None:
        """Keep a metric, which counts from now on in place of any of its name before."""

    @abstractmethod
    def _all_metrics(self) -> Iterable[Metric]:
        """Return the last metric of each name, in any order."""

    @abstractmethod
    def _add_entries(self, added: Sequence[tuple[Account, int]], note: AccountNote) -> None:
        """Keep the entries of accounts, each from a place on, counted from 0: the first terms."""

    @abstractmethod
    def _get_accounts(self, orgs: Sequence[str]) -> Mapping[str, Account]:
        """Return the accounts of some orgs by org, of those that have one."""

    @abstractmethod
    def _notes_of(self, org_id: str) -> Iterable[AccountNote]:
        """Return the notes of an account's entries, in their order."""

    @abstractmethod
    def orgs(self) -> Iterator[str]:
        """Yield the orgs that have an account or records, sorted."""

    @abstractmethod
    def _known_events(self, events: EventColumns) -> Mapping[tuple[str, str], UsageEvent]:
        """Return the events that are stored under the ids of some, by org and id.

        :param events: a sequence of events, of which an adapter may look at the columns alone.
        """

    @abstractmethod
    def _keep_events(self, counted: CountedEvents, batch: str | None) -> None:
        """Keep events, each with the instant that it counts at, and the batch that they came in.

        :param counted: a sequence of both, of which an adapter may look at the columns alone.

        Where sums of events are held ready, they are added to those.
        """

    @abstractmethod
    def _events_of(
        self, org_id: str, period: Period, metrics: Sequence[str] | None
    ) -> Iterable[UsageEvent]:
        """Return the events with an instant in a period, by it, then as they came."""

    @abstractmethod
    def _counted_events(
        self,
        org_id: str,
        start: datetime | None,
        end: datetime | None,
        metrics: Sequence[str] | None,
    ) -> Iterable[tuple[UsageEvent, datetime]]:
        """Return the events that count from an instant to another, by it, then as they came."""

    @abstractmethod
    def _latest_events(
        self, org_id: str, metric: str, before: datetime
    ) -> Iterator[tuple[UsageEvent, datetime]]:
        """Yield the events of a name that count before an instant, the last to count first."""

    @abstractmethod
    def _events_by_id(
        self, org_id: str, ids: Sequence[str]
    ) -> Mapping[str, tuple[UsageEvent, datetime]]:
        """Return the events of some ids, also those that are withdrawn, with when they count."""

    @abstractmethod
    def _set_withdrawn(self, org_id: str, ids: Sequence[str], at: datetime) -> None: ...

    @abstractmethod
    def _withdrawn_among(self, org_id: str, ids: Sequence[str]) -> Mapping[str, datetime]:
        """Return those of some ids whose event is withdrawn, with when it was."""

    @abstractmethod
    def _add_batch(self, batch: UsageBatch) -> None:
        """Keep the content of a batch, in place of any of its name before."""

    @abstractmethod
    def _get_batch(self, name: str) -> UsageBatch | None:
        """Return the last content of a batch."""

    @abstractmethod
    def _all_batches(self) -> Iterable[UsageBatch]:
        """Return the last content of each batch, in any order."""

    @abstractmethod
    def _orgs_of_batch(self, batch: str) -> Iterable[str]:
        """Return the orgs that have events of a batch, withdrawn ones too, in any order."""

    @abstractmethod
    def _events_of_batch(self, org_id: str, batch: str) -> Iterable[tuple[UsageEvent, datetime]]:
        """Return an org's events of a batch that aren't withdrawn, as they came."""

    @abstractmethod
    def _put(self, usage: Usage, picos: Mapping[str, int]) -> None:
        """Keep sums of a span, in picos by metric, in place of earlier ones of these metrics."""

    @abstractmethod
    def _puts_of(self, org_id: str, period: Period) -> Iterable[Usage]:
        """Return the sums that were put for spans that overlap a period, as they are in force."""

    @abstractmethod
    def _add_grant(self, org_id: str, grant: Grant) -> None: ...

    @abstractmethod
    def _set_voided(self, org_id: str, grant_id: str, at: datetime) -> None: ...

    @abstractmethod
    def _get_grant(self, org_id: str, grant_id: str) -> Grant | None: ...

    @abstractmethod
    def _grants_of(self, org_id: str) -> Iterable[Grant]:
        """Return an org's grants in any order."""

    @abstractmethod
    def _set_budget(
        self, org_id: str, budget_id: str, budget: Budget | None, put_at: datetime | None
    ) -> None:
        """Add an entry of a budget, which stands from now on; None where it is dropped.

        :param put_at: since when it has its amount; None where it always had.
        """

    @abstractmethod
    def _budgets_of(self, org_id: str) -> Mapping[str, tuple[Budget | None, datetime | None]]:
        """Return the last entry of each of an org's budgets by id, in any order."""

    @abstractmethod
    def _add_alert(
        self, org_id: str | None, alert_id: str, definition: AlertDefinition | None
    ) -> None:
        """Add an entry of an alert of one org or of all (None); None where it is dropped."""

    @abstractmethod
    def _alerts_put(self, org_id: str | None) -> Sequence[tuple[str, AlertDefinition | None]]:
        """Return all entries of the alerts of one org, or of all (None), by id, as they came."""

    @abstractmethod
    def has_alerts(self) -> bool:
        """Tell whether any alert was ever defined, of all orgs or of one."""

    @abstractmethod
    def _keep_alerts(self, fired: Sequence[FiredAlert]) -> None: ...

    @abstractmethod
    def _times_fired(self, org_id: str, alert_id: str) -> int:
        """Return how many alerts that fired are kept of an id in an org."""

    @abstractmethod
    def _alerts_of(self, org_id: str, period: Period | None) -> Iterable[FiredAlert]:
        """Return the alerts of an org that fired, of one period or of all, as they came."""

    @abstractmethod
    def _acknowledge(self, org_id: str, key: str, moment: datetime, by: str | None) -> None:
        """Note when an alert that fired was first seen, and by whom."""

    @abstractmethod
    def _acknowledgements_of(self, org_id: str) -> Mapping[str, tuple[datetime, str | None]]:
        """Return when alerts of an org were seen, and by whom, by their keys."""

    @abstractmethod
    def _add_reservation(self, reservation: Reservation) -> None: ...

    @abstractmethod
    def _end_reservation(self, reservation: Reservation) -> None:
        """Keep the outcome of a reservation that had none."""

    @abstractmethod
    def _get_reservation(self, org_id: str, key: str) -> Reservation | None: ...

    @abstractmethod
    def _reservations_of(self, org_id: str, period: Period | None) -> Iterable[Reservation]:
        """Return the reservations that were made in a period, or all, in any order."""

    @abstractmethod
    def _ledgers(self, statements: Sequence[Statement]) -> Mapping[str, Ledger]:
        """Return the ledger of each org that has a statement."""

    @abstractmethod
    def _append(self, ledgers: Iterable[Ledger]) -> None:
        """Keep the new records of ledgers, with the overage beside the usage."""

    @abstractmethod
    def _records_of(self, org_id: str, period: Period | None) -> Iterable[OverageRecord]:
        """Return records in any order."""

    @abstractmethod
    def summary(self, org_id: str, period: Period | None = None) -> Summary | None:
        """Return ``aggregate(records(org_id, period))``; None if there is no record."""

    @abstractmethod
    def overage(self, org_id: str, period: Period) -> Summary | None:
        """Return the overage that is kept beside an org's usage of a period, by metric."""

    @abstractmethod
    def _event_rows(self, org_id: str, period: Period) -> Sequence[EventRow]:
        """Return the events that count in a period, withdrawn ones too, in the order they came."""

    @abstractmethod
    def _put_rows(self, org_id: str, period: Period) -> Sequence[PutRow]:
        """Return the sums that were put for spans in a period, replaced ones too, as they came."""

    @abstractmethod
    def _withdrawal_rows(self, org_id: str, period: Period) -> Sequence[WithdrawalRow]:
        """Return the withdrawals of events that count in a period, in the order they came."""

    @abstractmethod
    def _closing(self, org_id: str, period: Period) -> Closing | None:
        """Return the closing of a period that has the highest number."""

    @abstractmethod
    def _closing_before(self, org_id: str, instant: datetime) -> Closing | None: ...

    @abstractmethod
    def _closings_since(self, org_id: str, since: datetime | None) -> Sequence[Closing]:
        """Return the last closing of each period that starts at an instant or later, any order."""

    @abstractmethod
    def _settlement_text(self, org_id: str, closing: Closing) -> str:
        """Return the text of a closing's settlement, one of its chained columns."""

    @abstractmethod
    def _closed(self, org_id: str) -> Mapping[Period, datetime]:
        """Return when each closed period first was."""

    @abstractmethod
    def _head(self, org_id: str) -> ChainHead | None: ...

    def _altered_usage(self, org_id: str | None) -> Iterator[UsageAltered]:
        """Yield the counters, of all orgs or one, that aren't what they are made of comes to.

        A storage whose counters nobody but itself can write to has none.
        """
        del org_id
        return iter(())

    @abstractmethod
    def _chains(self, org_id: str | None) -> Iterator[tuple[str, list[Link], ChainHead]]:
        """Yield each org, or one, with the links and the head of its chain, sorted by org."""
