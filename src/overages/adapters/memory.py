"""A repository in memory: the reference that other adapters are held to.

It keeps everything in plain dictionaries and forgets it with the process: for tests, notebooks and
trying things out.

    repository = MemoryRepository()
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from threading import RLock
from typing import Final

from overages._ground.value import evolve
from overages.adapters.base import check_org
from overages.adapters.journal import Journal
from overages.adapters.memory_usage import MemoryUsage
from overages.alerts.alert import AlertDefinition
from overages.alerts.fired_alert import FiredAlert
from overages.codec import STANDARD, Codec
from overages.grants.grant import Grant
from overages.insight.budget import Budget
from overages.periods.period import Period
from overages.quotas.reservation import Reservation
from overages.records.aggregation import aggregate
from overages.records.chain import ChainHead, Link, row_of
from overages.records.closing import CLOSING_COLUMNS, Closing
from overages.records.ledger import Ledger
from overages.records.record import OverageRecord
from overages.statements.statement import Statement
from overages.statements.summary import Summary
from overages.terms.account import Account
from overages.terms.note import AccountNote
from overages.terms.plan import Plan
from overages.usage.metric import Metric

_SETTLEMENT: Final = CLOSING_COLUMNS.index("settlement")


class MemoryRepository(MemoryUsage):
    """Keeps plans, accounts, usage, grants and records for as long as the object lives.

    :param codec: the codec that writes the settlements of closed periods; one that knows the host's
        own price models, if it has any.

    >>> from datetime import UTC
    >>> from overages import Account
    >>> repository = MemoryRepository()
    >>> repository.put_account(Account("org-123", "starter", datetime(2024, 2, 1, tzinfo=UTC)))
    >>> list(repository.orgs())
    ['org-123']
    """

    def __init__(self, *, codec: Codec | None = None) -> None:
        super().__init__()
        self._codec = codec or STANDARD
        self._lock = RLock()
        self._journal = Journal()
        self._depth = 0  # of blocks that write
        self._plans: dict[str, list[Plan]] = {}
        self._starts: dict[str, dict[datetime, int]] = {}
        self._metrics: dict[str, Metric] = {}
        self._accounts: dict[str, Account] = {}
        self._notes: dict[str, tuple[AccountNote, ...]] = {}
        self._grants: dict[str, dict[str, Grant]] = {}
        self._budgets: dict[str, dict[str, tuple[Budget | None, datetime | None]]] = {}
        self._definitions: dict[str | None, list[tuple[str, AlertDefinition | None]]] = {}
        self._fired: dict[str, list[FiredAlert]] = {}
        self._fired_by_id: dict[tuple[str, str], int] = {}  # of alerts that fired, by org and id
        self._seen: dict[str, dict[str, tuple[datetime, str | None]]] = {}
        self._reserved: dict[str, dict[str, Reservation]] = {}
        self._records: dict[str, list[OverageRecord]] = {}
        self._closings: dict[str, list[tuple[Link, Closing]]] = {}
        self._heads: dict[str, ChainHead] = {}

    def transaction(self) -> AbstractContextManager[object]:
        """Make all calls within the block one: all that they write is kept, or none."""
        return self._writing()

    def _reading(self) -> AbstractContextManager[object]:
        return self._lock

    @contextmanager
    def _writing(self) -> Iterator[None]:
        with self._lock:
            place = self._journal.place
            self._depth += 1
            try:
                yield
            except BaseException:
                self._journal.take_back(place)
                raise
            finally:
                self._depth -= 1
                if not self._depth:
                    self._journal.forget()

    def _version_of(self, plan: Plan) -> int:
        versions = self._journal.listed(self._plans, plan.slug)
        if plan not in versions:
            self._journal.extend(versions, [plan])
        return versions.index(plan) + 1

    def _get_plan(self, slug: str, version: int) -> Plan | None:
        versions = self._plans.get(slug, [])
        return versions[version - 1] if version <= len(versions) else None

    def _slugs(self) -> Iterable[str]:
        return self._starts

    def _starts_of(self, slug: str) -> Mapping[datetime, int]:
        return self._starts.get(slug, {})

    def _set_start(self, slug: str, since: datetime, version: int) -> None:
        self._journal.set(self._starts, slug, {**self._starts.get(slug, {}), since: version})

    def _add_metric(self, metric: Metric) -> None:
        self._journal.set(self._metrics, metric.name, metric)

    def _all_metrics(self) -> Iterable[Metric]:
        return self._metrics.values()

    def _add_entries(self, added: Sequence[tuple[Account, int]], note: AccountNote) -> None:
        for account, first in added:
            notes = self._notes.get(account.org_id, ())
            new = [note] * (len(account.changes) + 1 - first)
            self._journal.set(self._accounts, account.org_id, account)
            self._journal.set(self._notes, account.org_id, (*notes, *new))

    def _get_accounts(self, orgs: Sequence[str]) -> Mapping[str, Account]:
        return {org_id: self._accounts[org_id] for org_id in orgs if org_id in self._accounts}

    def _notes_of(self, org_id: str) -> Iterable[AccountNote]:
        return self._notes.get(org_id, ())

    def orgs(self) -> Iterator[str]:
        """Yield the orgs that have an account or records, sorted."""
        with self._lock:
            return iter(sorted(self._accounts.keys() | self._heads.keys()))

    def _add_grant(self, org_id: str, grant: Grant) -> None:
        self._journal.set(self._grants, org_id, {**self._grants.get(org_id, {}), grant.id: grant})

    def _set_voided(self, org_id: str, grant_id: str, at: datetime) -> None:
        self._add_grant(org_id, evolve(self._grants[org_id][grant_id], voided_at=at))

    def _get_grant(self, org_id: str, grant_id: str) -> Grant | None:
        return self._grants.get(org_id, {}).get(grant_id)

    def _grants_of(self, org_id: str) -> Iterable[Grant]:
        return list(self._grants.get(org_id, {}).values())

    def _set_budget(
        self, org_id: str, budget_id: str, budget: Budget | None, put_at: datetime | None
    ) -> None:
        entries = {**self._budgets.get(org_id, {}), budget_id: (budget, put_at)}
        self._journal.set(self._budgets, org_id, entries)

    def _budgets_of(self, org_id: str) -> Mapping[str, tuple[Budget | None, datetime | None]]:
        return self._budgets.get(org_id, {})

    def _add_alert(
        self, org_id: str | None, alert_id: str, definition: AlertDefinition | None
    ) -> None:
        entries = self._journal.listed(self._definitions, org_id)
        self._journal.extend(entries, [(alert_id, definition)])

    def _alerts_put(self, org_id: str | None) -> Sequence[tuple[str, AlertDefinition | None]]:
        return self._definitions.get(org_id, [])

    def has_alerts(self) -> bool:
        """Tell whether any alert was ever defined, of all orgs or of one."""
        with self._lock:
            return bool(self._definitions)

    def _keep_alerts(self, fired: Sequence[FiredAlert]) -> None:
        for each in fired:
            self._journal.extend(self._journal.listed(self._fired, each.org_id), [each])
            self._journal.set(self._fired_by_id, (each.org_id, each.id), each.number)

    def _times_fired(self, org_id: str, alert_id: str) -> int:
        return self._fired_by_id.get((org_id, alert_id), 0)

    def _alerts_of(self, org_id: str, period: Period | None) -> Iterable[FiredAlert]:
        fired = self._fired.get(org_id, [])
        return [each for each in fired if period in (None, each.period)]

    def _acknowledge(self, org_id: str, key: str, moment: datetime, by: str | None) -> None:
        self._journal.set(self._seen, org_id, {**self._seen.get(org_id, {}), key: (moment, by)})

    def _acknowledgements_of(self, org_id: str) -> Mapping[str, tuple[datetime, str | None]]:
        return self._seen.get(org_id, {})

    def _add_reservation(self, reservation: Reservation) -> None:
        if reservation.org_id not in self._reserved:
            self._journal.set(self._reserved, reservation.org_id, {})
        self._journal.set(self._reserved[reservation.org_id], reservation.key, reservation)

    def _end_reservation(self, reservation: Reservation) -> None:
        self._add_reservation(reservation)

    def _get_reservation(self, org_id: str, key: str) -> Reservation | None:
        return self._reserved.get(org_id, {}).get(key)

    def _reservations_of(self, org_id: str, period: Period | None) -> Iterable[Reservation]:
        own = list(self._reserved.get(org_id, {}).values())
        return [each for each in own if period is None or each.reserved_at in period]

    def _ledgers(self, statements: Sequence[Statement]) -> Mapping[str, Ledger]:
        return {
            org_id: Ledger(
                org_id,
                records=self._records.get(org_id, []),
                head=self._head(org_id),
                closed=self._closed(org_id),
            )
            for org_id in {statement.org_id for statement in statements}
        }

    def _append(self, ledgers: Iterable[Ledger]) -> None:
        for ledger in ledgers:
            if ledger.new:
                records = self._journal.listed(self._records, ledger.org_id)
                self._journal.extend(records, ledger.records[len(records) :])
            if ledger.closings:
                closings = self._journal.listed(self._closings, ledger.org_id)
                self._journal.extend(closings, ledger.closings)
            if ledger.new or ledger.closings:
                self._journal.set(self._heads, ledger.org_id, ledger.head)

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

    def _closing(self, org_id: str, period: Period) -> Closing | None:
        return self._last_closings(org_id).get(period)

    def _closing_before(self, org_id: str, instant: datetime) -> Closing | None:
        closings = self._last_closings(org_id)
        last = max((period for period in closings if period.end <= instant), default=None)
        return None if last is None else closings[last]

    def _closings_since(self, org_id: str, since: datetime | None) -> Sequence[Closing]:
        closings = self._last_closings(org_id)
        return [closings[each] for each in closings if since is None or each.start >= since]

    def _last_closings(self, org_id: str) -> dict[Period, Closing]:
        return {closing.period: closing for _, closing in self._closings.get(org_id, ())}

    def _closed(self, org_id: str) -> Mapping[Period, datetime]:
        closings = self._closings.get(org_id, ())
        return {each.period: each.closed_at for _, each in closings if each.number == 1}

    def _settlement_text(self, org_id: str, closing: Closing) -> str:
        link = next(link for link, each in self._closings[org_id] if each == closing)
        return str(link.columns[_SETTLEMENT])

    def _head(self, org_id: str) -> ChainHead | None:
        return self._heads.get(org_id)

    def _chains(self, org_id: str | None) -> Iterator[tuple[str, list[Link], ChainHead]]:
        for org in sorted(self._heads) if org_id is None else [org_id]:
            head = self._head(org)
            if head is not None:
                records = self._records.get(org, ())
                links = [Link(each.sequence, row_of(each), each.digest) for each in records]
                links += [link for link, _ in self._closings.get(org, ())]
                yield org, links, head
