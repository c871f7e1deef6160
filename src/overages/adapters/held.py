"""Held orgs: all that is kept of many orgs, read at once, and all that is new, written at once.

Where the periods of a hundred thousand orgs are closed one by one, most of the time goes by in the
dozens of small queries and writes of each. A block that says which orgs and periods it is about
reads all that there is of them first, and writes all that is new of them last:

    with repository.transaction_of({"org-1": [february], "org-2": [february]}):
        repository.closing("org-1", february)         # no query: it is known
        repository.close_period(settlement, ...)      # its rows are written as the block ends

Nothing is decided here. A block within it that fails takes its changes back, by a journal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from threading import get_ident
from typing import Any, NamedTuple, Protocol

from overages.adapters.journal import Journal
from overages.grants.grant import Grant
from overages.periods.period import Period
from overages.records.chain import ChainHead, Link, StoredRow
from overages.records.closing import Closing
from overages.records.ledger import CounterRow, Ledger
from overages.records.record import OverageRecord
from overages.settlements.balance import EMPTY_BALANCE, Balance
from overages.terms.account import Account
from overages.terms.plan import Plan
from overages.usage.event_sum import EventSum
from overages.usage.metric import Metric
from overages.usage.usage import Usage


class HeldUsage(Protocol):
    """The usage of an org in a period; a `KeyError` says that there are too many events."""

    def puts(self) -> Sequence[Usage]:
        """Return the sums that were put for spans which overlap the period."""
        ...

    def picos(self) -> Mapping[str, int]:
        """Return the units of the events of each name, in picos."""
        ...

    def sums(self) -> Mapping[str, EventSum]:
        """Return the sum of the events of each name."""
        ...

    def seal(self) -> str:
        """Return the seal of the usage."""
        ...


class HeldPeriods(NamedTuple):
    """All that is kept of an org about some periods of it, and about those after them.

    :param since: the start of the first of them.
    :param last: the last closing of the latest closed period; None if there is none.
    :param records: its records of times that end later than the start.
    :param usage: the usage of each.
    """

    since: datetime
    last: Closing | None
    head: ChainHead | None
    grants: Sequence[Grant]
    records: Sequence[OverageRecord]
    usage: Mapping[Period, HeldUsage]


class HeldOrg(NamedTuple):
    """All that is kept of an org, as far as it was asked for.

    :param closed: when each of its closed periods first was.
    :param about: the part of it about some periods; None where none are asked about.

    Each method raises a `KeyError` for anything that isn't held.
    """

    account: Account | None
    closed: Mapping[Period, datetime]
    about: HeldPeriods | None

    @property
    def periods(self) -> HeldPeriods:
        """The part of it about the periods that are asked about."""
        if self.about is None:
            raise KeyError
        return self.about

    def closing(self, period: Period) -> Closing | None:
        """Return the last closing of a period; None if it is open."""
        if period not in self.closed:
            return None
        last = self.periods.last
        if last is None or last.period != period:
            raise KeyError(period)
        return last

    def closing_before(self, instant: datetime) -> Closing | None:
        """Return the last closing of the latest closed period that ends by an instant."""
        if not self.closed:
            return None
        last = self.periods.last
        if last is not None and last.period.end <= instant:
            return last
        raise KeyError(instant)

    def closings_since(self, since: datetime | None) -> Sequence[Closing]:
        """Return the closings of periods that start at an instant or later, if there are none."""
        if any(since is None or period.start >= since for period in self.closed):
            raise KeyError(since)
        return ()

    def records(self, period: Period | None) -> list[OverageRecord]:
        """Return the records of a period."""
        held = self.periods
        if period is None or period.start < held.since:
            raise KeyError(period)
        return [record for record in held.records if record.period == period]

    def fresh(self, period: Period) -> tuple[Account, Balance] | None:
        """Return the account and the balance that a fresh period starts with; None if it isn't."""
        held, start = self.periods, period.start
        if start < held.since:
            raise KeyError(period)
        if self.account is None or held.grants:
            return None
        if held.head is None and not self.closed:  # of most orgs: it is their first
            return self.account, EMPTY_BALANCE
        if any(record.period.end > start for record in held.records) or any(
            own.end > start for own in self.closed
        ):
            return None
        before = self.closing_before(start)
        return self.account, EMPTY_BALANCE if before is None else before.balance

    def usage(self, period: Period) -> HeldUsage:
        """Return the usage of a period."""
        return self.periods.usage[period]

    def ledger(self, org_id: str, first: datetime) -> Ledger:
        """Return the ledger that statements of an instant and later are recorded by."""
        held = self.periods
        if first < held.since:
            raise KeyError(first)
        return Ledger(org_id, records=held.records, head=held.head, closed=self.closed)

    def appended(self, ledger: Ledger) -> HeldOrg:
        """Return the org with the records and closings that a ledger added."""
        since, last, _, grants, records, usage = self.periods
        closed = self.closed
        if ledger.new:
            added = ledger.records[-len(ledger.new) :]
            records = [*records, *(each for each in added if each.period.end > since)]
        for _, closing in ledger.closings:
            if closing.number == 1:
                closed = {**closed, closing.period: closing.closed_at}
            if last is None or last.period <= closing.period:
                last = closing
        held = HeldPeriods(since, last, ledger.head, grants, records, usage)
        return HeldOrg(self.account, closed, held)


class NewRows(NamedTuple):
    """Rows that are to be written."""

    records: list[StoredRow]
    closings: list[Link]
    heads: dict[str, ChainHead]
    counters: list[CounterRow]


class Hold:
    """The orgs that a block holds, and the rows that are new in it.

    :param orgs: each org that could be read.
    :param is_writing: whether it is a transaction, and not a snapshot.
    """

    def __init__(self, orgs: dict[str, HeldOrg], *, is_writing: bool) -> None:
        self.orgs: dict[str, HeldOrg] = orgs
        self.is_writing: bool = is_writing
        self.journal: Journal = Journal()
        self.thread: int = get_ident()  # for another one isn't within the block
        self.parts: list[HeldPart] = []
        self.versions: dict[int, tuple[Plan, int]] = {}  # by identity: it takes long to write
        self.metrics: dict[str, tuple[Metric, ...]] = {}  # under "all", once they were asked for
        self.new: dict[str, NewRows] = {"rows": _no_rows()}

    def metrics_of(self, read: Callable[[], Iterable[Metric]]) -> tuple[Metric, ...]:
        """Return the metrics that are kept, which are read once."""
        if not self.metrics:
            self.journal.set(self.metrics, "all", tuple(read()))
        return self.metrics["all"]

    def forget_metrics(self) -> None:
        """Have the metrics read again, as one was put."""
        if self.metrics:
            self.journal.pop(self.metrics, "all")

    def has(self, org_id: str) -> bool:
        """Tell whether periods of an org are held."""
        return org_id in self.orgs and self.orgs[org_id].about is not None

    def let_go(self, orgs: Iterable[str]) -> None:
        """Hold some orgs no more."""
        for org_id in orgs:
            self.orgs.pop(org_id, None)

    def append(self, ledgers: Iterable[Ledger]) -> None:
        """Note the new records and closings of ledgers, to be written."""
        changed = [ledger for ledger in ledgers if ledger.new or ledger.closings]
        new, journal = self.new["rows"], self.journal
        journal.extend(new.records, [row for each in changed for row in each.new])
        journal.extend(new.counters, [row for each in changed for row in each.counters])
        journal.extend(new.closings, [link for each in changed for link, _ in each.closings])
        for ledger in changed:
            journal.set(new.heads, ledger.org_id, ledger.head)
            journal.set(self.orgs, ledger.org_id, self.orgs[ledger.org_id].appended(ledger))

    def taken_rows(self) -> NewRows | None:
        """Return the rows that are to be written, once; None if there are none."""
        new = self.new["rows"]
        if not new.heads:
            return None
        self.journal.set(self.new, "rows", _no_rows())
        return new

    def version_of(self, plan: Plan, version_of: Callable[[Plan], int]) -> int:
        """Return the version of a plan, which is asked for once."""
        held = self.versions.get(id(plan))
        if held is None:
            held = plan, version_of(plan)
            self.journal.set(self.versions, id(plan), held)
        return held[1]


class HeldPart:
    """A block within one that holds orgs: its changes are taken back if it fails.

    In the storage itself it begins late, when the storage is asked or told something: nothing was
    written there since the block began.

    :param opened: the same block in the storage, which isn't entered yet.
    """

    def __init__(self, hold: Hold, opened: Callable[[], AbstractContextManager[object]]) -> None:
        self._hold, self._opened = hold, opened
        self._entered: AbstractContextManager[object] | None = None
        self._place = hold.journal.place

    def begin(self) -> None:
        """Enter the block in the storage, once."""
        if self._entered is None:
            entered = self._opened()
            entered.__enter__()
            self._entered = entered

    def __enter__(self) -> None:
        self._hold.parts.append(self)

    def __exit__(self, *raised: Any) -> None:
        self._hold.parts.pop()
        if raised[1] is not None:
            self._hold.journal.take_back(self._place)
        if self._entered is not None:
            self._entered.__exit__(*raised)


def _no_rows() -> NewRows:
    return NewRows([], [], {}, [])
