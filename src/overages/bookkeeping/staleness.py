"""Staleness: recorded periods that come to something else now, and usage that no period has.

Usage that came late, terms that were dated back, a correction of the period before: a closed
period stands whatever comes, and is named here until it is corrected by force:

    staleness = Staleness(repository, account, settling)
    staleness.of(february)                            # StalePeriod(..., change=Money(1000, "USD"))
    staleness.everywhere()
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from overages.amounts.money import Money, new_money
from overages.bookkeeping.settling import Settling
from overages.errors import NoTerms, OveragesError
from overages.periods.period import Period
from overages.records.changes import changes_of
from overages.records.closing import Closing
from overages.records.record import OverageRecord
from overages.repository import Repository
from overages.statements.calculation import nothing_charged
from overages.statements.statement import Statement
from overages.terms.account import Account


class StalePeriod(NamedTuple):
    """A period whose statement, worked out now, differs from its records.

    A closed one is stale, too, if what goes on from it differs (units carried over, units used of a
    year, draws on grants), though its cost doesn't; and one that can't be worked out any more.

    :param org_id: whose period it is.
    :param period: the period, or the time without terms in which something was used.
    :param is_closed: whether it changes by force alone.
    :param change: the cost that recording it would add; None if it can't be worked out.
    :param error: why not; None if it can.
    """

    org_id: str
    period: Period
    is_closed: bool
    change: Money | None
    error: OveragesError | None


def taken_back(repository: Repository, record: OverageRecord) -> Statement:
    """Return the statement of a record's period, for which nothing is due any more.

    It is that of the record's plan, for a time that is no period of the org's may have no terms.
    """
    plan = repository.plan(record.plan, version=record.plan_version)
    return nothing_charged(record.org_id, record.period, plan)


class Staleness:
    """Compares the records of an org with its statements as they would be now.

    :param account: the org, and the history of its terms.
    :param settling: works out its periods.
    :param now: the present instant.
    """

    def __init__(
        self, repository: Repository, account: Account, settling: Settling, now: datetime
    ) -> None:
        self._repository, self._account, self._settling = repository, account, settling
        self._org_id, self._now = account.org_id, now

    def is_recorded(self, period: Period) -> bool:
        """Tell whether a period is closed, or has records."""
        return self._repository.closing(self._org_id, period) is not None or bool(
            self._repository.records(self._org_id, period)
        )

    def everywhere(self) -> tuple[StalePeriod, ...]:
        """Return all periods that are stale, and times without terms in which something is used."""
        recorded: dict[Period, list[OverageRecord]] = {}
        for record in self._repository.records(self._org_id):
            recorded.setdefault(record.period, []).append(record)
        closings = self._settling.closed.read()
        stale = [
            self._compared(period, recorded.get(period, []), closings.get(period))
            for period in sorted({*recorded, *closings})
            if period.end > self._account.since  # what came before it stands
        ]
        differing = (each for each in stale if each is not None)
        return (*differing, *self._unpriced(recorded), *self._used_without_terms())

    def of(self, period: Period) -> StalePeriod | None:
        """Return a period that is recorded as a stale one; None if it isn't."""
        records = self._repository.records(self._org_id, period)
        return self._compared(period, records, self._repository.closing(self._org_id, period))

    def _compared(
        self, period: Period, records: Sequence[OverageRecord], closing: Closing | None
    ) -> StalePeriod | None:
        is_closed, is_followed = closing is not None, True
        try:
            if closing is not None:
                settlement = self._settling.correction(closing)
                statement = settlement.statement
                counts = settlement.balance.counts
                if counts != closing.balance.counts or self._settling.draws_otherwise(settlement):
                    is_followed = False
            elif self._account.has(period):
                statement = self._settling.settlement(period).statement
            else:  # its billing day has moved, or its terms have ended: nothing is due for it
                statement = taken_back(self._repository, records[-1])
            changes = changes_of(statement, records)
        except OveragesError as error:
            return StalePeriod(self._org_id, period, is_closed, None, error)
        if not changes and is_followed:
            return None
        change = new_money(sum(minor for _, _, _, _, minor, _ in changes), statement.currency)
        return StalePeriod(self._org_id, period, is_closed, change, None)

    def _unpriced(self, recorded: Container[Period]) -> Iterator[StalePeriod]:
        """Yield the open periods, of which nothing is recorded, that can't be worked out."""
        last = self._settling.closed.last()
        start = self._account.since if last is None else last.period.end
        if start >= self._now:
            return
        for period in self._account.periods(start, self._now):
            if period not in recorded:
                try:
                    self._settling.settlement(period)
                except OveragesError as error:
                    yield StalePeriod(self._org_id, period, False, None, error)

    def _used_without_terms(self) -> Iterator[StalePeriod]:
        """Yield the times without terms, since the account began, in which something was used."""
        for pause in self._account.timeline.pauses():
            try:
                usage = self._repository.usage(self._org_id, pause)
            except OveragesError as error:
                yield StalePeriod(self._org_id, pause, False, None, error)
                continue
            if any(usage.quantities.values()):
                metrics = ", ".join(metric for metric, used in usage.quantities.items() if used)
                problem = f"must be when the org has terms, and {metrics} was used in it"
                unbilled = NoTerms("usage", str(pause), problem).within(
                    org_id=self._org_id, period=pause
                )
                yield StalePeriod(self._org_id, pause, False, None, unbilled)
