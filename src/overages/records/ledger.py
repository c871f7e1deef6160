"""Recording: what a statement adds to the records that an org has.

Nothing that was recorded ever changes. A first result adds a record for each line that is over or
costs something; a changed one adds corrections, signed, so that the records of a period always sum
to its last result; the same result again adds nothing. Repositories keep what a ledger adds:

    ledger = Ledger("org-123", records=records, head=head, invoiced=invoiced)
    recording = ledger.add(statement, plan_version=1, created_at=now)
    recording.new                                     # what is to be kept
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Final, TypeAlias

from attrs import frozen

from overages._ground.display import html_table
from overages._ground.trusted import trusted
from overages.amounts.exact import number_text, parse_ordinal, plain_text
from overages.amounts.money import new_money
from overages.errors import (
    InvalidValue,
    PeriodInvoiced,
    PeriodOverlap,
    RecordConflict,
)
from overages.periods.period import Period, format_instant, parse_instant
from overages.records.chain import (
    CHAIN_START,
    ChainHead,
    StoredRow,
    new_head,
    row_digest,
    row_maker,
)
from overages.records.changes import Change, changes_of, differing, sums_of
from overages.records.record import OverageRecord, new_record
from overages.statements.adjustment import Key, line_path, path_of
from overages.statements.statement import Statement

_RECORD_COLUMNS: Final = ["revision", "metric", "over", "unit price", "exact", "cost"]
RECORD_ALIGN: Final = "llrrrr"


@frozen(weakref_slot=False)
class Recording:
    """What recording a statement came to.

    :param records: all records of the statement's org and period, in the order of recording.
    :param new: those of them that this recording added; none if there was nothing to change.
    """

    records: tuple[OverageRecord, ...]
    new: tuple[OverageRecord, ...]

    def _repr_html_(self) -> str:
        if not self.records:
            return html_table([_RECORD_COLUMNS], RECORD_ALIGN, "No records")
        org_id, period = self.records[0].org_id, self.records[0].period
        title = f"Records of {org_id}, {period.describe()}; new: {len(self.new):,}"
        return html_table(record_table(self.records), RECORD_ALIGN, title)


def record_table(records: Sequence[OverageRecord]) -> list[list[str]]:
    """Return the rows of a table of records, at least one, in one currency, with their total."""
    rows = [
        [
            str(record.revision),
            path_of((record.metric, record.line)),
            plain_text(record.quantity),
            "" if record.unit_price is None else plain_text(record.unit_price),
            plain_text(record.exact_cost),
            str(record.cost),
        ]
        for record in records
    ]
    total = sum(record.cost.minor for record in records)
    unit = records[0].cost.currency
    return [_RECORD_COLUMNS, *rows, ["total", "", "", "", "", str(new_money(total, unit))]]


CounterRow: TypeAlias = tuple[str, str, str, str, str, str, str, int]
"""Org, period start and end, metric, quantity, minor units, currency and its exponent."""

new_recording: Final = trusted(Recording)


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
        self.head: ChainHead = head or CHAIN_START
        self.new: list[StoredRow] = []
        self.counters: list[CounterRow] = []
        self.records: list[OverageRecord] = list(records)
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
        changes = changes_of(statement, there)
        if not changes:
            return new_recording(tuple(there), ())
        self._check(statement.period, changes, force=force)
        moment = parse_instant(created_at, "created_at")
        self._keep_due(statement, {metric for (metric, _), *_ in changes})
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
        if parse_ordinal(revision, "revision") > next_revision:
            raise InvalidValue("revision", revision, f"must be at most {next_revision}")
        if revision == next_revision:
            return False
        changed = changes_of(statement, [r for r in there if r.revision <= revision])
        if changed:
            problem = f"must be as it is recorded already, but differs in {differing(changed)}"
            conflict = RecordConflict("revision", revision, problem)
            raise conflict.within(org_id=self.org_id, period=statement.period)
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
        for (metric, line), quantity, exact_cost, minor, unit_price in changes:
            sequence += 1
            row = make_row(metric, line, quantity, unit_price, exact_cost, minor, sequence)
            digest = row_digest(row, digest)
            amounts = quantity, new_money(minor, currency), exact_cost, unit_price
            record = new_record(
                org_id, period, metric, *amounts, line, *terms, sequence, created_at, digest
            )
            made.append(record)
            self.new.append((*row, digest))
        self.head = new_head(sequence, digest)
        self.records += made
        return tuple(made)

    def _keep_due(self, statement: Statement, changed: set[str | None]) -> None:
        """Note what metrics that have changed come to now, with their adjustments."""
        period = format_instant(statement.period.start), format_instant(statement.period.end)
        unit = statement.currency.code, statement.currency.exponent
        due = statement.due()
        for metric in changed:
            if metric is not None:
                units, minor = due.get(metric, (0, 0))
                amounts = number_text(units), number_text(minor)
                self.counters.append((self.org_id, *period, metric, *amounts, *unit))

    def _check(self, period: Period, changes: Iterable[Change], *, force: bool) -> None:
        if period in self._invoiced and not force:
            since = format_instant(self._invoiced[period])
            problem = f"is invoiced since {since}, and changes only by force"
            invoiced = PeriodInvoiced("period", period.isoformat(), problem)
            raise invoiced.within(org_id=self.org_id, period=period)
        if self.records:
            self._check_overlaps(period, {key for key, *_ in changes})

    def _check_overlaps(self, period: Period, keys: set[Key]) -> None:
        for other, charged in self._charged_elsewhere(period).items():
            for path in sorted(map(line_path, charged & keys)):
                problem = f"must not overlap the charge for {other.describe()}"
                overlap = PeriodOverlap(path, period.isoformat(), problem)
                raise overlap.within(org_id=self.org_id, period=period)

    def _charged_elsewhere(self, period: Period) -> dict[Period, set[Key]]:
        """Return the lines that something is charged for, by each other overlapping period."""
        others = {
            record.period
            for record in self.records
            if record.period != period
            and record.period.start < period.end
            and period.start < record.period.end
        }
        return {
            other: {
                key
                for key, sums in sums_of(r for r in self.records if r.period == other).items()
                if any(sums)
            }
            for other in sorted(others)
        }
