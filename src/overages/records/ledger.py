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
    ledger.add(statement, plan_version=1, created_at=now)
    ledger.new                                        # these are to be kept
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import TypeAlias

from overages._ground.frozen_dict import FrozenDict
from overages.amounts.exact import number_text, parse_ordinal
from overages.amounts.money import Currency
from overages.errors import (
    InvalidValue,
    OveragesError,
    PeriodClosed,
    PeriodOverlap,
    RecordConflict,
)
from overages.grants.grant import Grant
from overages.lines.adjustment import OVERAGE, Key, is_overage, path_of
from overages.periods.period import Period, format_instant, parse_instant
from overages.records.chain import (
    CHAIN_START,
    ChainHead,
    Link,
    StoredRow,
    instant_text,
    new_head,
    row_digest,
    rows_of,
)
from overages.records.changes import Change, changed_fields, changes_of, line_sums
from overages.records.closing import Closing, ClosingTexts, closing_row, new_closing
from overages.records.record import OverageRecord
from overages.records.revision import Revision
from overages.settlements.balance import Balance
from overages.statements.statement import Statement
from overages.statements.summary import sums_by_metric

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
    ...     revision = ledger.add(statement, plan_version=1, created_at=now)
    ...     print([str(record.cost) for record in revision.new])
    ['25.00 USD']
    []
    ['-15.00 USD']
    """

    __slots__ = (
        "_closed", "_records", "_unread", "closings", "counters", "head", "new", "org_id"
    )  # fmt: skip

    def __init__(
        self,
        org_id: str,
        *,
        records: Iterable[OverageRecord] = (),
        head: ChainHead | None = None,
        closed: Mapping[Period, datetime] = FrozenDict(),
    ) -> None:
        self.org_id: str = org_id
        self.head: ChainHead = head or CHAIN_START
        self.new: list[StoredRow] = []
        self.closings: list[tuple[Link, Closing]] = []
        self.counters: list[CounterRow] = []
        self._records = list(records)
        self._unread: Revision | None = None  # the last one, until its records are asked for
        self._closed = closed

    @property
    def records(self) -> list[OverageRecord]:
        """The records that were given, and after them those that statements added."""
        if self._unread is not None:
            self._records += self._unread.new
            self._unread = None
        return self._records

    def add(
        self,
        statement: Statement,
        *,
        plan_version: int,
        created_at: datetime,
        revision: int | None = None,
        force: bool = False,
    ) -> Revision:
        """Take a statement in, and return the revision of its period that it makes.

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
        org_id, period, currency = self.org_id, statement.period, statement.currency
        recorded = tuple([record for record in self.records if record.period == period])
        next_revision = recorded[-1].revision + 1 if recorded else 1
        terms = statement.plan.slug, plan_version, next_revision
        try:
            self._require_recordable(statement)
            changes = _changes(statement, recorded, revision, next_revision)
            if not changes:
                return Revision(recorded, org_id, period, currency, terms, created_at, 0, (), ())
            self._check(period, changes, force=force)
            instant = parse_instant(created_at, "created_at")
        except OveragesError as error:
            raise error.within(org_id=org_id, period=period) from error.__cause__
        # Only now, with nothing left that can refuse, does the ledger change.
        self._count(statement, changes)
        first = self.head.sequence + 1
        digests = self._chain(period, currency, terms, instant, changes)
        added = Revision(
            recorded, org_id, period, currency, terms, instant, first, changes, digests
        )
        self._unread = added
        return added

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

    def _chain(
        self,
        period: Period,
        currency: Currency,
        terms: tuple[str, int, int],
        created_at: datetime,
        changes: Sequence[Change],
    ) -> list[str]:
        """Chain the rows of changes, each to the one before, and return their digests."""
        sequence, digest = self.head.sequence, self.head.digest
        digests = []
        for row in rows_of(
            self.org_id, period, currency, *terms, created_at, sequence + 1, changes
        ):
            digest = row_digest(row, digest)
            digests.append(digest)
            self.new.append((*row, digest))
        self.head = new_head(sequence + len(digests), digest)
        return digests

    def _count(self, statement: Statement, changes: Iterable[Change]) -> None:
        """Set the overage of the metrics that have changed, with their adjustments.

        It is set, not added to: a counter is the last result, however often it was recorded.
        """
        org_id, period, currency = statement.org_id, statement.period, statement.currency
        start, end = instant_text(period.start), instant_text(period.end)
        code, exponent = currency.code, currency.exponent
        sums = sums_by_metric(statement.rows, statement.adjustments)
        for metric in {metric for metric, _, _, _, _, _ in changes}:
            if metric is not None:
                quantity, minor = sums.get(metric, (0, 0))
                units, cost = number_text(quantity), number_text(minor)
                self.counters.append((org_id, start, end, metric, units, cost, code, exponent))

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
            self._check_overlaps(period, {_charged((metric, line)) for metric, line, *_ in changes})

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
