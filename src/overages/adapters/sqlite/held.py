"""Held orgs in SQLite: the tables, as far as their rows were read before or are written after.

Each primitive here answers from the rows that the block holds, or leaves it to the table. To touch
a cursor is to ask the database itself: new rows are written first, so that it finds all of them.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import datetime
from itertools import islice
from threading import get_ident
from time import monotonic
from typing import Final, TypeVar

from overages._ground.frozen_dict import FrozenDict
from overages._ground.names import parse_names
from overages.adapters.base import parse_periods
from overages.adapters.held import HeldOrg, HeldPart, Hold
from overages.adapters.sqlite.alerts import AlertTables
from overages.adapters.sqlite.batches import BatchTables
from overages.adapters.sqlite.counters import CounterTable
from overages.adapters.sqlite.held_orgs import held_orgs
from overages.adapters.sqlite.quotas import QuotaTables
from overages.adapters.sqlite.records import RecordTables
from overages.grants.grant import Grant
from overages.periods.period import Period
from overages.records.chain import ChainHead
from overages.records.closing import Closing
from overages.records.ledger import Ledger
from overages.records.record import OverageRecord
from overages.settlements.balance import Balance
from overages.statements.statement import Statement
from overages.statements.summary import Summary
from overages.terms.account import Account
from overages.terms.note import AccountNote
from overages.terms.plan import Plan
from overages.usage.event import CountedEvents
from overages.usage.event_sum import EventSum
from overages.usage.metric import Metric
from overages.usage.usage import Usage

V = TypeVar("V")

_FIRST: Final = 16  # orgs of the first portion
_MOST: Final = 512
_LONGEST: Final = 0.2  # seconds that other writers may have to wait for one
_WITHIN: Final = nullcontext()  # a read within a block that holds orgs needs no block of its own


class HeldTables(
    QuotaTables,
    CounterTable,
    BatchTables,
    AlertTables,
    RecordTables,
):
    """The tables, in front of which a block may hold all that is kept of some orgs."""

    _hold: Hold | None = None
    _seen: tuple[object, Mapping[str, HeldOrg]] = None, FrozenDict()
    """The orgs of the last snapshot of a portion, of what stays, and the mark of its state."""
    _portion = _FIRST  # orgs of the next one
    _seconds = 0.0  # that the last transaction about some orgs took

    # Blocks

    def snapshot_of(self, orgs: Iterable[str]) -> AbstractContextManager[object]:
        """Have all reads within the block, which are about some orgs, see one state."""
        wanted = dict.fromkeys(parse_names(orgs, "orgs"), ())
        return self._holding(wanted, super()._reading, is_writing=False)

    def transaction_of(
        self, periods: Mapping[str, Iterable[Period]]
    ) -> AbstractContextManager[object]:
        """Make all calls within the block, which are about some periods, one."""
        wanted = parse_periods(periods, "periods")
        return self._holding(wanted, super()._writing, is_writing=True)

    def portions(self, orgs: Iterable[str]) -> Iterator[Sequence[str]]:
        """Yield orgs in portions, each of as many as a transaction may well be about."""
        left = iter(parse_names(orgs, "orgs"))
        while some := list(islice(left, self._portion)):
            self._seconds = 0.0
            yield some
            if self._seconds > _LONGEST:
                self._portion = max(1, self._portion // 2)
            elif self._seconds < _LONGEST / 2:
                self._portion = min(_MOST, self._portion * 2)

    @contextmanager
    def _holding(
        self,
        periods: Mapping[str, Sequence[Period]],
        opened: Callable[[], AbstractContextManager[object]],
        *,
        is_writing: bool,
    ) -> Iterator[None]:
        if self._is_holding:  # a block within it is a part of it, whatever it is about
            with self._writing() if is_writing else self._reading():
                yield
            return
        with opened():
            started = monotonic()  # when no other writer is waited for any more
            mark, (seen_at, seen) = self._database.mark(), self._seen
            read = held_orgs(self._cursor, self._codec, periods, seen if mark == seen_at else {})
            if not is_writing and len(read) <= _MOST and self._database.reads_what_stays:
                self._seen = mark, dict(read)
            self._hold = Hold(read, is_writing=is_writing)
            try:
                yield
                self._write_new()
            finally:
                self._hold = None
                if is_writing:
                    self._seconds = monotonic() - started

    @property
    def _is_holding(self) -> bool:
        return self._hold is not None and self._hold.thread == get_ident()

    def _reading(self) -> AbstractContextManager[None]:
        if self._hold is not None and self._hold.thread == get_ident():
            return _WITHIN
        return super()._reading()

    def _writing(self) -> AbstractContextManager[None]:
        hold = self._hold
        if hold is None or hold.thread != get_ident():
            return super()._writing()
        if not hold.is_writing:
            self._hold = None  # of a snapshot: what is written from now on is to be seen
            return super()._writing()
        return HeldPart(hold, super()._writing)

    @property
    def _cursor(self) -> sqlite3.Cursor:
        """The cursor of the block that is being run, which finds all that was written."""
        if self._hold is not None:
            for part in self._hold.parts:
                part.begin()
            self._write_new()
        return self._cursor_of_block

    def _write_new(self) -> None:
        """Write the rows that are new."""
        new = None if self._hold is None else self._hold.taken_rows()
        if new is None:
            return
        heads = [(org_id, head.sequence, head.digest) for org_id, head in new.heads.items()]
        self._write_records(new.records, heads, new.counters, new.closings)

    # Reads

    def _held_org(self, org_id: str) -> HeldOrg:
        """Return the org as it is held.

        :raises KeyError: if it isn't.
        """
        if self._hold is None:
            raise KeyError(org_id)
        return self._hold.orgs[org_id]

    def _get_accounts(self, orgs: Sequence[str]) -> Mapping[str, Account]:
        held = {} if self._hold is None else self._hold.orgs
        accounts = {
            org_id: account
            for org_id in orgs
            if org_id in held and (account := held[org_id].account) is not None
        }
        others = [org_id for org_id in orgs if org_id not in held]
        return {**accounts, **super()._get_accounts(others)} if others else accounts

    def _closing(self, org_id: str, period: Period) -> Closing | None:
        try:
            return self._held_org(org_id).closing(period)
        except KeyError:
            return super()._closing(org_id, period)

    def _closing_before(self, org_id: str, instant: datetime) -> Closing | None:
        try:
            return self._held_org(org_id).closing_before(instant)
        except KeyError:
            return super()._closing_before(org_id, instant)

    def _closings_since(self, org_id: str, since: datetime | None) -> Sequence[Closing]:
        try:
            return self._held_org(org_id).closings_since(since)
        except KeyError:
            return super()._closings_since(org_id, since)

    def _closed(self, org_id: str) -> Mapping[Period, datetime]:
        try:
            return self._held_org(org_id).closed
        except KeyError:
            return super()._closed(org_id)

    def _head(self, org_id: str) -> ChainHead | None:
        try:
            return self._held_org(org_id).periods.head
        except KeyError:
            return super()._head(org_id)

    def _grants_of(self, org_id: str) -> Iterable[Grant]:
        try:
            return self._held_org(org_id).periods.grants
        except KeyError:
            return super()._grants_of(org_id)

    def _records_of(self, org_id: str, period: Period | None) -> Iterable[OverageRecord]:
        try:
            return self._held_org(org_id).records(period)
        except KeyError:
            return super()._records_of(org_id, period)

    def _fresh(self, org_id: str, period: Period) -> tuple[Account, Balance] | None:
        try:
            return self._held_org(org_id).fresh(period)
        except KeyError:
            return super()._fresh(org_id, period)

    def _sums_in(
        self, org_id: str, period: Period, names: tuple[str, ...] | None
    ) -> Mapping[str, EventSum]:
        try:
            return _among(self._held_org(org_id).usage(period).sums(), names)
        except KeyError:
            return super()._sums_in(org_id, period, names)

    def _picos_in(
        self, org_id: str, period: Period, names: tuple[str, ...] | None
    ) -> Mapping[str, int]:
        if self._hold is None:  # as before each use of an org's units
            return super()._picos_in(org_id, period, names)
        try:
            return _among(self._held_org(org_id).usage(period).picos(), names)
        except KeyError:
            return super()._picos_in(org_id, period, names)

    def _puts_of(self, org_id: str, period: Period) -> Iterable[Usage]:
        try:
            return self._held_org(org_id).usage(period).puts()
        except KeyError:
            return super()._puts_of(org_id, period)

    def _seal(self, org_id: str, period: Period, upto: str | None = None) -> str:
        try:
            if upto is None:
                return self._held_org(org_id).usage(period).seal()
        except KeyError:
            pass
        return super()._seal(org_id, period, upto)

    def _version_of(self, plan: Plan) -> int:
        if self._hold is None:
            return super()._version_of(plan)
        return self._hold.version_of(plan, super()._version_of)

    def _all_metrics(self) -> Iterable[Metric]:
        if self._hold is None:
            return super()._all_metrics()
        return self._hold.metrics_of(super()._all_metrics)

    def _add_metric(self, metric: Metric) -> None:
        super()._add_metric(metric)
        if self._hold is not None:
            self._hold.forget_metrics()

    def _summed(self, sql: str, org_id: str, period: Period | None) -> Summary | None:
        self._see_new()
        return super()._summed(sql, org_id, period)

    def orgs(self) -> Iterator[str]:
        """Yield the orgs that have an account or records, sorted."""
        self._see_new()
        return super().orgs()

    def _see_new(self) -> None:
        """Have a query find all new rows, which takes no cursor of a block."""
        if self._is_holding:
            _ = self._cursor

    # Writes

    def _ledgers(self, statements: Sequence[Statement]) -> Mapping[str, Ledger]:
        if self._hold is None or not statements:
            return super()._ledgers(statements)
        by_org: dict[str, list[Statement]] = {}
        for statement in statements:
            by_org.setdefault(statement.org_id, []).append(statement)
        ledgers: dict[str, Ledger] = {}
        others: list[Statement] = []
        for org_id, own in by_org.items():
            try:
                first = min([each.period.start for each in own])
                ledgers[org_id] = self._held_org(org_id).ledger(org_id, first)
            except KeyError:
                others += own
        return {**ledgers, **super()._ledgers(others)} if others else ledgers

    def _append(self, ledgers: Iterable[Ledger]) -> None:
        held, others = list[Ledger](), list[Ledger]()
        for ledger in ledgers:
            is_held = self._hold is not None and self._hold.has(ledger.org_id)
            (held if is_held else others).append(ledger)
        if self._hold is not None:
            self._hold.append(held)
        if others:
            super()._append(others)

    def _let_go(self, *orgs: str) -> None:
        """Hold orgs no more of which something else than a statement is written."""
        if self._hold is not None:
            self._hold.let_go(orgs)

    def _add_entries(self, added: Sequence[tuple[Account, int]], note: AccountNote) -> None:
        self._let_go(*(account.org_id for account, _ in added))
        super()._add_entries(added, note)

    def _keep_events(self, counted: CountedEvents, batch: str | None) -> None:
        self._let_go(*counted.events.orgs)
        super()._keep_events(counted, batch)

    def _remake_sums(self, org_id: str) -> None:
        self._let_go(org_id)
        super()._remake_sums(org_id)

    def _set_withdrawn(self, org_id: str, ids: Sequence[str], at: datetime) -> None:
        self._let_go(org_id)
        super()._set_withdrawn(org_id, ids, at)

    def _put(self, usage: Usage, picos: Mapping[str, int]) -> None:
        self._let_go(usage.org_id)
        super()._put(usage, picos)

    def _add_grant(self, org_id: str, grant: Grant) -> None:
        self._let_go(org_id)
        super()._add_grant(org_id, grant)

    def _set_voided(self, org_id: str, grant_id: str, at: datetime) -> None:
        self._let_go(org_id)
        super()._set_voided(org_id, grant_id, at)


def _among(by_name: Mapping[str, V], names: Container[str] | None) -> Mapping[str, V]:
    return by_name if names is None else {n: each for n, each in by_name.items() if n in names}
