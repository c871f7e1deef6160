"""Staleness: recorded periods that come to something else now, and usage that no period has.

Usage that came late, terms that were dated back, a correction of the period before: a closed
period stands whatever comes, and is named here until it is corrected by force:

    staleness = Staleness(repository, account, settling)
    staleness.of(february)                            # StalePeriod(..., change=Money(1000, "USD"))
    staleness.everywhere()
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from overages.amounts.money import Money, new_money
from overages.errors import NoTerms, OveragesError
from overages.periods.period import Period
from overages.records.changes import changes_of
from overages.records.closing import Closing
from overages.records.record import OverageRecord
from overages.repository import Repository
from overages.service.settling import Settling
from overages.statements.calculation import nothing_charged
from overages.statements.statement import Statement
from overages.terms.account import Account


class StalePeriod(NamedTuple):
    """A period whose statement, worked out now, differs from its records.

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


class Staleness:
    """Compares the records of an org with its statements as they would be now.

    :param account: the org, and the history of its terms.
    :param settling: works out its periods.
    """

    def __init__(self, repository: Repository, account: Account, settling: Settling) -> None:
        self._repository, self._account, self._settling = repository, account, settling
        self._org_id = account.org_id

    def everywhere(self) -> tuple[StalePeriod, ...]:
        """Return all periods that are stale, and times without terms in which something is used."""
        recorded: dict[Period, list[OverageRecord]] = {}
        for record in self._repository.records(self._org_id):
            recorded.setdefault(record.period, []).append(record)
        closings = self._settling.closed.read()
        stale = [
            self._compared(period, recorded.get(period, []), closings.get(period))
            for period in sorted({*recorded, *closings})
        ]
        return (*(each for each in stale if each is not None), *self._used_without_terms())

    def of(self, period: Period) -> StalePeriod | None:
        """Return a period as a stale one; None if it isn't, or wasn't recorded."""
        records = self._repository.records(self._org_id, period)
        return self._compared(period, records, self._repository.closing(self._org_id, period))

    def _compared(
        self, period: Period, records: Sequence[OverageRecord], closing: Closing | None
    ) -> StalePeriod | None:
        if closing is None and not records:
            return None
        is_closed = closing is not None
        try:
            if closing is not None:
                statement = self._settling.correction(closing).statement
            elif self._account.has(period):
                statement = self._settling.settlement(period).statement
            else:  # its billing day has moved, or its terms have ended: nothing is due for it
                statement = self._nothing(records)
            changes = changes_of(statement, records)
        except OveragesError as error:
            return StalePeriod(self._org_id, period, is_closed, None, error)
        if not changes:
            return None
        change = new_money(sum(each.minor for each in changes), statement.currency)
        return StalePeriod(self._org_id, period, is_closed, change, None)

    def _nothing(self, records: Sequence[OverageRecord]) -> Statement:
        last = records[-1]
        plan = self._repository.plan(last.plan, version=last.plan_version)
        return nothing_charged(self._org_id, last.period, plan)

    def _used_without_terms(self) -> Iterator[StalePeriod]:
        """Yield the times without terms, since the account began, in which something was used."""
        for pause in self._account.timeline.pauses():
            usage = self._repository.usage(self._org_id, pause)
            if any(usage.quantities.values()):
                metrics = ", ".join(metric for metric, used in usage.quantities.items() if used)
                problem = f"must be when the org has terms, and {metrics} was used in it"
                error = NoTerms("usage", str(pause), problem).within(
                    org_id=self._org_id, period=pause
                )
                yield StalePeriod(self._org_id, pause, False, None, error)
