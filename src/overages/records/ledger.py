"""Recording: the records that a statement adds to those of its org.

A period's statement is recorded many times: each night while the period runs, after late usage,
after a mistake is mended. No record ever changes; yet at each time the records of a period have to
sum to its last statement, and the same statement again must not be charged again. So recording
adds, for each line,

    its result now - the sum of its records

and nothing where that is zero in units, exact cost and cost (`overages.records.changes`):

    statement of                adds                             records sum to
    75 runs, 50 included        25 units, 25.00, revision 1      25.00
    75 runs again               nothing                          25.00
    60 runs, some were voided   -15 units, -15.00, revision 2    10.00

All that one statement adds is one revision of the period. A writer that has read revision 1 asks
for revision 2, and of two such writers one is refused, so that no older result follows on a newer.

Not done: a reversal of the old charge and a new one in full, as accountants would book it. Its sum
is the same, but it has two records for each line of each night, and an invoice that takes up
records as they come would show a charge that was never meant.

A repository keeps the records that a ledger adds:

    ledger = Ledger("org-123", records=records, head=head, closed=closed)
    recording = ledger.add(statement, plan_version=1, created_at=now)
    recording.new                                     # these are to be kept
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final, TypeAlias

from overages._ground.display import html_table
from overages._ground.frozen_dict import FrozenDict
from overages._ground.parsing import instance_of, optional, parse_flag, tuple_of
from overages._ground.trusted import trusted
from overages._ground.value import term, value
from overages.amounts.exact import number_text, parse_ordinal, plain_text
from overages.amounts.money import new_money
from overages.errors import (
    InvalidValue,
    OveragesError,
    PeriodClosed,
    PeriodOverlap,
    RecordConflict,
)
from overages.grants.grant import Grant
from overages.lines.adjustment import OVERAGE, Key, is_overage, path_of, shown_line
from overages.periods.period import Period, format_instant, parse_instant
from overages.records.chain import (
    CHAIN_START,
    ChainHead,
    Link,
    StoredRow,
    instant_text,
    new_head,
    row_digest,
    row_maker,
)
from overages.records.changes import Change, changed_fields, changes_of, line_sums
from overages.records.closing import Closing, ClosingTexts, closing_row, new_closing
from overages.records.record import OverageRecord, new_record
from overages.settlements.balance import Balance
from overages.statements.statement import Statement
from overages.statements.summary import sums_by_metric

_RECORD_COLUMNS: Final = ["revision", "metric", "over", "unit price", "exact", "cost"]
RECORD_ALIGN: Final = "llrrrr"


@value
class Recording:
    """The records of a statement's period, and those of them that recording it added.

    :param records: all records of the statement's org and period, in the order of recording.
    :param new: those of them that this recording added; none if nothing changed.
    :param is_stale: whether the period is closed and comes to something else now, which wasn't
        recorded, as that takes force.
    :param stale_next: the period after it, if that was recorded and comes to something else now.
    """

    records: tuple[OverageRecord, ...] = term(tuple_of(OverageRecord))
    new: tuple[OverageRecord, ...] = term(tuple_of(OverageRecord))
    is_stale: bool = term(parse_flag)
    stale_next: Period | None = term(optional(instance_of(Period)))

    def __init__(
        self,
        records: Iterable[OverageRecord],
        new: Iterable[OverageRecord],
        is_stale: bool = False,
        stale_next: Period | None = None,
    ) -> None: ...

    def _repr_html_(self) -> str:
        if not self.records:
            return html_table([_RECORD_COLUMNS], RECORD_ALIGN, "No records")
        org_id, period = self.records[0].org_id, self.records[0].period
        title = f"Records of {org_id}, {period.describe()}; new: {len(self.new):,}"
        return html_table(record_table(self.records), RECORD_ALIGN, title)


new_recording: Final = trusted(Recording)


def record_table(records: Sequence[OverageRecord]) -> list[list[str]]:
    """Return the rows of a table of records, at least one, in one currency, with their total."""
    rows = [
        [
            str(record.revision),
            shown_line((record.metric, record.line)),
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
"""The overage of a metric in a period, as it is kept beside the usage.

Org, the period's start and end, metric, units and minor units, and the currency with its exponent.
"""


class Ledger:
    """The records of one org, as far as they decide the records that a statement adds.

    :param org_id: whose they are.
    :param records: at least the org's records of all periods that overlap those of the statements
        to come, in the order of recording.
    :param head: the end of the org's chain; None where it has no record.
    :param closed: when each closed period first was.

    `new` has the records that statements added, as they are stored, `closings` the closings that
    were chained, each with its link, and `head` is the end of the chain with them. `counters` has
    the overage that their metrics come to now; of two rows of a metric and period, the last one
    counts.

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
        closed: Mapping[Period, datetime] = FrozenDict(),
    ) -> None:
        self.org_id = org_id
        self.head: ChainHead = head or CHAIN_START
        self.new: list[StoredRow] = []
        self.closings: list[tuple[Link, Closing]] = []
        self.counters: list[CounterRow] = []
        self.records: list[OverageRecord] = list(records)
        self._closed = closed

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
        :param revision: the result of the period that this is to be, counted from 1; None for the
            next one, whichever that is.
        :param force: whether a closed period may change.
        :raises InvalidValue: if the statement is another org's, or of a span of a period, or if the
            revision skips one.
        :raises RecordConflict: if the period has that revision already, and it says something else.
        :raises PeriodClosed: if the period is closed, and the change is not forced.
        :raises PeriodOverlap: if the org was charged for a line in an overlapping period.
        :raises CurrencyMismatch: if the period's records are in another currency.
        """
        recorded = tuple([r for r in self.records if r.period == statement.period])
        next_revision = recorded[-1].revision + 1 if recorded else 1
        try:
            self._require_recordable(statement)
            changes = _changes(statement, recorded, revision, next_revision)
            if not changes:
                return new_recording(recorded, (), False, None)
            self._check(statement.period, changes, force=force)
            instant = parse_instant(created_at, "created_at")
        except OveragesError as error:
            period = statement.period
            raise error.within(org_id=self.org_id, period=period) from error.__cause__
        # Only now, with nothing left that can refuse, does the ledger change.
        self._count(statement, {change.key[0] for change in changes})
        new = self._append(
            statement,
            changes,
            plan_version=plan_version,
            revision=next_revision,
            created_at=instant,
        )
        return new_recording((*recorded, *new), new, False, None)

    def close(
        self,
        period: Period,
        *,
        number: int,
        balance: Balance,
        grants: Sequence[Grant],
        texts: ClosingTexts,
        usage_seal: str,
        closed_at: datetime,
    ) -> Closing:
        """Chain the closing of a period, and return it; the parameters are those of `Closing`.

        :param texts: of balance, grants and settlement, as they are chained.
        """
        sequence, previous = self.head.sequence + 1, self.head.digest
        row = closing_row(self.org_id, period, number, texts, usage_seal, closed_at, sequence)
        digest = row_digest(row, previous)
        self.head = new_head(sequence, digest)
        closing = new_closing(
            self.org_id, period, number, balance, grants, usage_seal, closed_at, sequence, digest
        )
        self.closings.append((Link(sequence, row, digest), closing))
        return closing

    def _append(
        self,
        statement: Statement,
        changes: Iterable[Change],
        *,
        plan_version: int,
        revision: int,
        created_at: datetime,
    ) -> tuple[OverageRecord, ...]:
        """Make the records of changes, each chained to the one before, and their rows beside them.

        Making one of the other would take as long as all else: a row has the numbers as text.
        """
        sequence, digest = self.head.sequence, self.head.digest
        org_id, period, currency = self.org_id, statement.period, statement.currency
        terms = (statement.plan.slug, plan_version, revision)
        make_row = row_maker(org_id, period, currency, *terms, created_at)
        new = []
        for (metric, line), quantity, exact_cost, minor, unit_price in changes:
            sequence += 1
            row = make_row(metric, line, quantity, unit_price, exact_cost, minor, sequence)
            digest = row_digest(row, digest)
            amounts = quantity, new_money(minor, currency), exact_cost, unit_price
            record = new_record(
                org_id, period, metric, *amounts, line, *terms, sequence, created_at, digest
            )
            new.append(record)
            self.new.append((*row, digest))
        self.head = new_head(sequence, digest)
        self.records += new
        return tuple(new)

    def _count(self, statement: Statement, changed: set[str | None]) -> None:
        """Note the overage of metrics that have changed, with their adjustments."""
        period = instant_text(statement.period.start), instant_text(statement.period.end)
        unit = statement.currency.code, statement.currency.exponent
        sums = sums_by_metric(statement.rows, statement.adjustments)
        # Set, not added to: a counter is the last result, however often it was recorded.
        for metric in changed:
            if metric is not None:
                units, minor = sums.get(metric, (0, 0))
                amounts = number_text(units), number_text(minor)
                self.counters.append((self.org_id, *period, metric, *amounts, *unit))

    def _require_recordable(self, statement: Statement) -> None:
        if statement.span_of is not None:
            problem = f"must be one of the org's own, {statement.span_of}, and not a span of it"
            raise InvalidValue(("statement", "period"), str(statement.period), problem)
        if statement.org_id != self.org_id:
            problem = f"must be {self.org_id!r}"
            raise InvalidValue(("statement", "org_id"), statement.org_id, problem)

    def _check(self, period: Period, changes: Iterable[Change], *, force: bool) -> None:
        # Its invoice may be with the customer: a change needs a decision, and a credit note.
        if period in self._closed and not force:
            raise period_closed(self._closed[period])
        if self.records:  # an org's first statement overlaps nothing
            self._check_overlaps(period, {_charged(change.key) for change in changes})

    def _check_overlaps(self, period: Period, keys: set[Key]) -> None:
        """Refuse to charge a line in two periods that overlap: some usage would be paid twice."""
        charges = self._charged_elsewhere(period)
        overlaps = {other: lines & keys for other, lines in charges.items() if lines & keys}
        if overlaps:
            charged = ", ".join(
                f"{' and '.join(sorted(map(path_of, lines)))} for {other.describe()}"
                for other, lines in overlaps.items()
            )
            raise PeriodOverlap((), tuple(overlaps), f"must not overlap the charge of {charged}")

    def _charged_elsewhere(self, period: Period) -> dict[Period, set[Key]]:
        """Return the lines that something is charged for, by each other overlapping period."""
        by_period: dict[Period, list[OverageRecord]] = {}
        for record in self.records:
            other = record.period
            if other != period and other.start < period.end and period.start < other.end:
                by_period.setdefault(other, []).append(record)
        return {  # a charge that was taken back is none
            other: {_charged(key) for key, line_sum in line_sums(records).items() if any(line_sum)}
            for other, records in sorted(by_period.items())
        }


def period_closed(since: datetime) -> PeriodClosed:
    """Make the error for a closed period that would change without force."""
    problem = f"is closed since {format_instant(since)}, and changes only by force"
    return PeriodClosed((), since, problem)


def _charged(key: Key) -> Key:
    """Return the line that is charged: the overages of a metric are one, whichever their parts."""
    metric, line = key
    return metric, OVERAGE if is_overage(line) else line


def _changes(
    statement: Statement,
    recorded: Sequence[OverageRecord],
    revision: int | None,
    next_revision: int,
) -> list[Change]:
    """Return the changes that a revision of a period is recorded by.

    A revision that is recorded already, with the same result, adds nothing: its writer comes again.
    """
    if revision is None or parse_ordinal(revision, "revision") == next_revision:
        return changes_of(statement, recorded)
    if revision > next_revision:
        raise InvalidValue("revision", revision, f"must be at most {next_revision}")
    changes = changes_of(statement, [record for record in recorded if record.revision <= revision])
    if changes:
        fields = changed_fields(changes)
        problem = f"must be as it is recorded already, but differs in {fields}"
        raise RecordConflict("revision", revision, problem)
    return []
