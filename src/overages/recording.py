"""Recording: what a statement adds to the records that an org has.

Nothing that was recorded ever changes. A first result adds a record for each line that is over or
costs something; a changed one adds corrections, signed, so that the records of a period always sum
to its last result; the same result again adds nothing. Repositories keep what a ledger adds:

    ledger = Ledger("org-123", records=records, head=head, invoiced=invoiced)
    recording = ledger.add(statement, plan_version=1, created_at=now)
    recording.new                                     # what is to be kept
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from fractions import Fraction
from types import MappingProxyType
from typing import Final, TypeAlias

from attrs import frozen

from overages.chain import START, ChainHead, StoredRow, new_head, row_digest, row_maker
from overages.errors import (
    CurrencyMismatch,
    InvalidValue,
    PeriodInvoiced,
    PeriodOverlap,
    RecordConflict,
)
from overages.exact import (
    SCALE,
    Exact,
    Quantity,
    exact_number,
    number_text,
    ordinal,
    scaled,
    unscaled,
)
from overages.money import new_money
from overages.overage import Statement
from overages.period import Period, format_instant, instant
from overages.record import OverageRecord, new_record
from overages.trusted import trusted


@frozen(weakref_slot=False)
class Recording:
    """What recording a statement came to.

    :param records: all records of the statement's org and period, in the order of recording.
    :param new: those of them that this recording added; none if there was nothing to change.
    """

    records: tuple[OverageRecord, ...]
    new: tuple[OverageRecord, ...]


DueRow: TypeAlias = tuple[str, str, str, str, str, str, str, int]
"""Org, period start and end, metric, quantity, minor units, currency and its exponent."""

new_recording: Final = trusted(Recording)


Change: TypeAlias = tuple[str, Quantity, Exact, int, Exact | None, Quantity, int]
"""The difference between what was recorded of a metric and what is due now.

Metric; units, exact cost, minor units and unit price of the difference; units and minor units due.
(A plain tuple, as a named one takes ten times as long to make.)
"""


class Ledger:
    """The records of one org, as far as they decide what a statement adds to them.

    :param org_id: whose they are.
    :param records: at least the org's records of all periods that overlap those of the statements
        to come, in the order of recording.
    :param head: the end of the org's chain; None where it has no record.
    :param invoiced: when each finished period was invoiced.

    `new` has the records that statements added, as they are stored, and `head` is the end
    of the chain with them. `due` is what their metrics come to now; the last row of one counts.

    >>> from datetime import UTC
    >>> from overages import Allowance, PerUnit, Plan, Usage, calculate
    >>> plan = Plan("starter", "USD", {"runs": Allowance(50, PerUnit("1.00"))})
    >>> ledger, now = Ledger("org-123"), datetime(2024, 3, 1, tzinfo=UTC)
    >>> for used in (75, 75, 60):
    ...     statement = calculate(plan, Usage("org-123", Period.month(2024, 2), {"runs": used}))
    ...     recording = ledger.add(statement, plan_version=1, created_at=now)
    ...     print([str(record.cost) for record in recording.new])
    ['25.00 USD']
    []
    ['-15.00 USD']
    """

    def __init__(
        self,
        org_id: str,
        *,
        records: Iterable[OverageRecord] = (),
        head: ChainHead | None = None,
        invoiced: Mapping[Period, datetime] = MappingProxyType({}),
    ) -> None:
        self.org_id = org_id
        self.head = head or START
        self.new: list[StoredRow] = []
        self.due: list[DueRow] = []
        self.records = list(records)
        self._invoiced = invoiced

    def add(
        self,
        statement: Statement,
        *,
        plan_version: int,
        created_at: datetime,
        revision: int | None = None,
        force: bool = False,
    ) -> Recording:
        """Take a statement in, and return its recording.

        :param plan_version: the version of the statement's plan.
        :param created_at: when it is recorded.
        :param revision: which result of the period this is to be, counted from 1; None for the
            next one, whichever that is.
        :param force: whether an invoiced period may change.
        :raises InvalidValue: if the statement is another org's, or the revision skips one.
        :raises RecordConflict: if the period has that revision already, and it says something else.
        :raises PeriodInvoiced: if the period is invoiced, and the change is not forced.
        :raises PeriodOverlap: if the org was charged for the metric in an overlapping period.
        :raises CurrencyMismatch: if the period's records are in another currency.
        """
        if statement.org_id != self.org_id:
            raise InvalidValue("statement.org_id", statement.org_id, f"must be {self.org_id!r}")
        there = [record for record in self.records if record.period == statement.period]
        next_revision = there[-1].revision + 1 if there else 1
        if revision is not None and self._is_there(statement, there, revision, next_revision):
            return new_recording(tuple(there), ())
        changes = _changes(statement, there)
        if not changes:
            return new_recording(tuple(there), ())
        self._check(statement.period, changes, force=force)
        moment = instant(created_at, "created_at")
        new = self._append(statement, changes, (plan_version, next_revision), moment)
        return new_recording((*there, *new), new)

    def _is_there(
        self,
        statement: Statement,
        there: list[OverageRecord],
        revision: int,
        next_revision: int,
    ) -> bool:
        """Tell whether a revision is recorded already, and says what the statement does."""
        if ordinal(revision, "revision") > next_revision:
            raise InvalidValue("revision", revision, f"must be at most {next_revision}")
        if revision == next_revision:
            return False
        differing = _changes(statement, [r for r in there if r.revision <= revision])
        if differing:
            path = f"{self._path(statement.period)}{_differing(differing)}"
            raise RecordConflict(path, revision, "must be what this revision holds already")
        return True

    def _append(
        self,
        statement: Statement,
        changes: Iterable[Change],
        numbers: tuple[int, int],
        created_at: datetime,
    ) -> tuple[OverageRecord, ...]:
        sequence, digest = self.head.sequence, self.head.digest
        org_id, period, currency = self.org_id, statement.period, statement.currency
        terms = (statement.plan.slug, *numbers)
        make_row = row_maker(org_id, period, currency, *terms, created_at)
        made = []
        for metric, quantity, exact_cost, minor, unit_price, units_due, minor_due in changes:
            sequence += 1
            row = make_row(metric, quantity, unit_price, exact_cost, minor, sequence)
            digest = row_digest(row, digest)
            amounts = quantity, new_money(minor, currency), exact_cost, unit_price
            record = new_record(
                org_id, period, metric, *amounts, *terms, sequence, created_at, digest
            )
            made.append(record)
            self.new.append((*row, digest))
            due = number_text(units_due), number_text(minor_due)
            self.due.append((*row[:4], *due, *row[9:11]))
        self.head = new_head(sequence, digest)
        self.records += made
        return tuple(made)

    def _check(self, period: Period, changes: Iterable[Change], *, force: bool) -> None:
        if period in self._invoiced and not force:
            since = format_instant(self._invoiced[period])
            problem = f"is invoiced since {since}, and changes only by force"
            raise PeriodInvoiced(f"{self.org_id}: period", period.isoformat(), problem)
        if self.records:
            self._check_overlaps(period, {metric for metric, *_ in changes})

    def _check_overlaps(self, period: Period, metrics: set[str]) -> None:
        for other, charged in self._charged_elsewhere(period).items():
            for metric in sorted(charged & metrics):
                problem = f"must not overlap the charge for {other.describe()}"
                raise PeriodOverlap(f"{self._path(period)}{metric}", period.isoformat(), problem)

    def _path(self, period: Period) -> str:
        return f"{self.org_id}, {period.describe()}: "

    def _charged_elsewhere(self, period: Period) -> dict[Period, set[str]]:
        """Return the metrics that something is charged for, by each other overlapping period."""
        others = {
            record.period
            for record in self.records
            if record.period != period
            and record.period.start < period.end
            and period.start < record.period.end
        }
        return {
            other: {
                metric
                for metric, sums in _sums(r for r in self.records if r.period == other).items()
                if any(sums)
            }
            for other in sorted(others)
        }


Sums: TypeAlias = tuple[int, Fraction, int]
"""Quantity in parts, exact cost in major units, and cost in minor units."""

_NOTHING: Final[Sums] = (0, Fraction(), 0)


def _changes(statement: Statement, there: list[OverageRecord]) -> list[Change]:
    """Return what a statement's result differs in from the sum of the period's records."""
    for record in there:
        if record.cost.currency != statement.currency:
            raise CurrencyMismatch(record.cost.currency.code, statement.currency.code)
    recorded = _sums(there)
    changes: list[Change] = []
    for metric, price, quantity, minor in statement.charged():
        before = recorded.pop(metric, None)
        charge = price.charge(quantity)
        unit_price = (charge if quantity else price.charge(1)).unit_price
        if before is None:
            cost = charge.exact_cost
            changes.append((metric, quantity, cost, minor, unit_price, quantity, minor))
        elif before != (now := (scaled(quantity), Fraction(*charge.ratio), minor)):
            changes.append(_correction(metric, before, now, unit_price))
    for metric, before in recorded.items():  # what is not over any more, or not in the plan
        if before != _NOTHING:
            changes.append(_correction(metric, before, _NOTHING, None))
    return changes


def _correction(metric: str, before: Sums, now: Sums, price: Exact | None) -> Change:
    exact = now[1] - before[1]
    parts = now[0] - before[0]
    explained = price is not None and exact == Fraction(parts, SCALE) * Fraction(price)
    return (
        metric,
        unscaled(parts),
        exact_number(exact.numerator, exact.denominator),
        now[2] - before[2],
        price if explained else None,  # the price of each unit, unless prices have changed
        unscaled(now[0]),
        now[2],
    )


def _sums(records: Iterable[OverageRecord]) -> dict[str, Sums]:
    sums: dict[str, Sums] = {}
    for record in records:
        parts, exact, minor = sums.get(record.metric, _NOTHING)
        sums[record.metric] = (
            parts + scaled(record.quantity),
            exact + Fraction(record.exact_cost),
            minor + record.cost.minor,
        )
    return sums


def _differing(changes: Iterable[Change]) -> str:
    """Name the fields in which a result differs from another."""
    return ", ".join(
        f"{metric}.{name}"
        for metric, *differences in changes
        for name, difference in zip(("quantity", "exact_cost", "cost"), differences, strict=False)
        if difference
    )
