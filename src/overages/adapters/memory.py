"""A repository in memory: the reference that other adapters are held to.

It keeps everything in plain dictionaries and forgets it with the process: for tests, notebooks and
trying things out.

    repository = MemoryRepository()
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from copy import deepcopy
from datetime import datetime
from threading import RLock

from overages._ground.value import evolve
from overages.adapters.base import BaseRepository, check_org
from overages.adapters.storage import Counts
from overages.amounts.exact import scaled
from overages.grants.grant import Grant
from overages.periods.period import Period
from overages.records.aggregation import aggregate
from overages.records.chain import ChainHead, Link, row_of
from overages.records.ledger import Ledger
from overages.records.record import OverageRecord
from overages.statements.statement import Statement
from overages.statements.summary import Summary
from overages.terms.account import Account
from overages.terms.note import AccountNote
from overages.terms.plan import Plan
from overages.usage.event import UsageEvent
from overages.usage.usage import Usage


class MemoryRepository(BaseRepository):
    """Keeps plans, accounts, usage, grants and records for as long as the object lives.

    >>> from datetime import UTC
    >>> from overages import Account
    >>> repository = MemoryRepository()
    >>> repository.put_account(Account("org-123", "starter", datetime(2024, 2, 1, tzinfo=UTC)))
    >>> list(repository.orgs())
    ['org-123']
    """

    def __init__(self) -> None:
        self._lock = RLock()
        self._plans: dict[str, list[Plan]] = {}
        self._starts: dict[str, dict[datetime, int]] = {}
        self._accounts: dict[str, Account] = {}
        self._notes: dict[str, tuple[AccountNote, ...]] = {}
        self._events: dict[str, list[tuple[UsageEvent, Period]]] = {}
        self._event_ids: dict[tuple[str, str], UsageEvent] = {}
        self._usage: dict[tuple[str, Period], dict[str, int]] = {}
        self._grants: dict[str, dict[str, Grant]] = {}
        self._records: dict[str, list[OverageRecord]] = {}
        self._finished: dict[str, dict[Period, datetime]] = {}

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Make all calls within the block one: all that they write is kept, or none."""
        with self._lock:
            before = deepcopy({key: vars(self)[key] for key in vars(self) if key != "_lock"})
            try:
                yield
            except BaseException:
                vars(self).update(before)
                raise

    def _reading(self) -> AbstractContextManager[object]:
        return self._lock

    @contextmanager
    def _writing(self) -> Iterator[None]:
        with self._lock:
            plans = {slug: list(versions) for slug, versions in self._plans.items()}
            try:
                yield
            except BaseException:
                self._plans = plans  # all else is kept only when nothing can fail any more
                raise

    def _version_of(self, plan: Plan) -> int:
        versions = self._plans.setdefault(plan.slug, [])
        if plan not in versions:
            versions.append(plan)
        return versions.index(plan) + 1

    def _get_plan(self, slug: str, version: int) -> Plan | None:
        versions = self._plans.get(slug, [])
        return versions[version - 1] if version <= len(versions) else None

    def _slugs(self) -> Iterable[str]:
        return self._starts

    def _starts_of(self, slug: str) -> Mapping[datetime, int]:
        return self._starts.get(slug, {})

    def _set_start(self, slug: str, since: datetime, version: int) -> None:
        self._starts.setdefault(slug, {})[since] = version

    def _add_entries(self, account: Account, first: int, note: AccountNote) -> None:
        notes = self._notes.get(account.org_id, ())
        self._accounts[account.org_id] = account
        self._notes[account.org_id] = (*notes, *[note] * (len(account.changes) + 1 - first))

    def _get_account(self, org_id: str) -> Account | None:
        return self._accounts.get(org_id)

    def _notes_of(self, org_id: str) -> Iterable[AccountNote]:
        return self._notes.get(org_id, ())

    def orgs(self) -> Iterator[str]:
        """Yield the orgs that have an account or records, sorted."""
        with self._lock:
            return iter(sorted(self._accounts.keys() | self._records.keys()))

    def _known_events(self, events: Sequence[UsageEvent]) -> Mapping[tuple[str, str], UsageEvent]:
        del events  # all that are stored will do
        return self._event_ids

    def _keep_events(self, placed: Sequence[tuple[UsageEvent, Period]]) -> None:
        for event, period in placed:
            self._events.setdefault(event.org_id, []).append((event, period))
            if event.id is not None:
                self._event_ids[event.org_id, event.id] = event

    def _events_of(self, org_id: str, period: Period) -> Iterable[UsageEvent]:
        return [event for event, _ in self._events.get(org_id, []) if event.at in period]

    def _counted_events(
        self, org_id: str, period: Period, metrics: Sequence[str] | None, *, earlier: bool
    ) -> Iterable[tuple[UsageEvent, Period]]:
        return [
            (event, own)
            for event, own in self._events.get(org_id, [])
            if (own == period or (earlier and own.start < period.start))
            and (metrics is None or event.metric in metrics)
        ]

    def _count(self, counts: Counts) -> None:
        for (org_id, period, metric), picos in counts.items():
            used = self._usage.setdefault((org_id, period), {})
            used[metric] = used.get(metric, 0) + picos

    def _set_usage(self, usage: Usage) -> None:
        used = {metric: scaled(quantity) for metric, quantity in usage.quantities.items()}
        self._usage[usage.org_id, usage.period] = used

    def _used(self, org_id: str, period: Period) -> Mapping[str, int]:
        return dict(self._usage.get((org_id, period), {}))  # as it is now: others may write

    def _add_grant(self, org_id: str, grant: Grant) -> None:
        self._grants.setdefault(org_id, {})[grant.id] = grant

    def _set_voided(self, org_id: str, grant_id: str, at: datetime) -> None:
        grants = self._grants[org_id]
        grants[grant_id] = evolve(grants[grant_id], voided_at=at)

    def _get_grant(self, org_id: str, grant_id: str) -> Grant | None:
        return self._grants.get(org_id, {}).get(grant_id)

    def _grants_of(self, org_id: str) -> Iterable[Grant]:
        return list(self._grants.get(org_id, {}).values())

    def _used_in(self, org_id: str) -> Iterable[Period]:
        return [
            key[1] for key, used in self._usage.items() if key[0] == org_id and any(used.values())
        ]

    def _ledgers(self, statements: Sequence[Statement]) -> Mapping[str, Ledger]:
        return {
            org_id: Ledger(
                org_id,
                records=self._records.get(org_id, []),
                head=self._head(org_id),
                invoiced=self._finished.get(org_id, {}),
            )
            for org_id in {statement.org_id for statement in statements}
        }

    def _append(self, ledgers: Iterable[Ledger]) -> None:
        for ledger in ledgers:
            if ledger.new:
                self._records[ledger.org_id] = list(ledger.records)

    def _records_of(self, org_id: str, period: Period | None) -> Iterable[OverageRecord]:
        records = self._records.get(org_id, [])
        return [record for record in records if period in (None, record.period)]

    def summary(self, org_id: str, period: Period | None = None) -> Summary | None:
        """Return ``aggregate(records(org_id, period))``; None if there is no record."""
        records = self.records(org_id, period)
        return aggregate(records) if records else None

    def overage(self, org_id: str, period: Period) -> Summary | None:
        """Return the overage that is kept beside an org's usage of a period, by metric."""
        check_org(org_id, period)
        records = [record for record in self.records(org_id, period) if record.metric is not None]
        return aggregate(records) if records else None

    def _set_invoiced(self, org_id: str, period: Period, at: datetime) -> None:
        self._finished.setdefault(org_id, {})[period] = at

    def _invoiced(self, org_id: str, period: Period) -> datetime | None:
        return self._finished.get(org_id, {}).get(period)

    def _head(self, org_id: str) -> ChainHead | None:
        records = self._records.get(org_id)
        return ChainHead(len(records), records[-1].digest) if records else None

    def _chains(self, org_id: str | None) -> Iterator[tuple[str, list[Link], ChainHead]]:
        for org in sorted(self._records) if org_id is None else [org_id]:
            head = self._head(org)
            if head is not None:
                links = [(row_of(record), record.digest) for record in self._records[org]]
                yield org, links, head
