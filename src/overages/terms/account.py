"""Accounts: what an org has agreed to, and from when: a history to which entries are only added.

    account = Account("acme", "starter", signup, {"tokens": 600_000})
    account = account.changed(since=march_12, plan="pro")       # a new value; the history is kept
    account.at(instant)                                         # Terms, or None
    account.period_at(instant)                                  # the period that it lies in

The past is told by the entries that held then, so a later change alters no period that ended
before it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from itertools import takewhile
from typing import Final

from overages._ground.names import parse_name
from overages._ground.parsing import Problems, choice_of, instance_of, tuple_of
from overages._ground.trusted import trusted
from overages._ground.value import derived, evolve, term, value
from overages.amounts.exact import Quantity
from overages.amounts.money import Money, optional_non_negative_money
from overages.errors import Field, InvalidValue, NoTerms, OveragesError
from overages.periods.cycle import Cycle
from overages.periods.period import Period, format_instant, parse_instant, parse_period
from overages.terms.allowance import check_bounds
from overages.terms.change import Bound, Counters, TermsChange, other_history
from overages.terms.discount import Discount, discounts_of_money
from overages.terms.terms import (
    MONTHS,
    NO_LIMITS,
    BillingStatus,
    Limits,
    Terms,
    parse_own_limits,
    parse_version,
)
from overages.terms.timeline import AgreedTerms, Run, Timeline, new_agreed, timeline_of


@value
class Account:
    """An org, its first terms, and all changes of them since.

    :param org_id: the org.
    :param plan: the slug of its first plan.
    :param since: the first instant of its life, timezone-aware; kept in UTC.
    :param limits: its first own limits, in units by metric, each in place of the plan's included
        quantity (soft limits); None is unlimited.
    :param cycle: what its first periods are; calendar months in UTC without it.
    :param status: how it stands at first: ``"trial"``: a line takes off again all that is used;
        ``"active"``, ``"past_due"`` or ``"canceled"``, which change nothing of what is owed.
    :param plan_version: the version of the plan that it stays on; None for the one that is in force
        at the start of each period.
    :param discounts: its first own discounts: percentages and amounts off its bill, after all rules
        of its plan.
    :param maximum: the most that it owes for a whole period at first, in its plan's currency.
    :param minimum: the least that it owes at first; as a maximum, by time for a part of a period.
    :param changes: the later entries, in the order in which they were noted. Each holds from its
        own `since` on, whenever it was noted; of two with one `since`, the later one is laid over
        the earlier one, and changes only what it names, of its counters too.
    :raises InvalidType: for a value of a wrong type.
    :raises InvalidValue: for a value that is not allowed; `InvalidValues` for several.

    >>> from datetime import UTC
    >>> account = Account("org-123", "starter", datetime(2024, 1, 10, tzinfo=UTC))
    >>> account = account.changed(since=datetime(2024, 3, 1, tzinfo=UTC), plan="pro")
    >>> [account.at(datetime(2024, month, 20, tzinfo=UTC)).plan for month in (2, 3)]
    ['starter', 'pro']
    """

    org_id: str = term(parse_name)
    plan: str = term(parse_name)
    since: datetime = term(parse_instant)
    limits: Mapping[str, Quantity | None] = term(parse_own_limits)
    cycle: Cycle = term(instance_of(Cycle))
    status: BillingStatus = term(choice_of(BillingStatus))
    plan_version: int | None = term(parse_version)
    discounts: tuple[Discount, ...] = term(discounts_of_money)
    maximum: Money | None = term(optional_non_negative_money)
    minimum: Money | None = term(optional_non_negative_money)
    changes: tuple[TermsChange, ...] = term(tuple_of(TermsChange))
    timeline: Timeline = derived()
    """Which terms hold at each instant, and the runs of its periods, worked out once."""

    def __init__(
        self,
        org_id: str,
        plan: str,
        since: datetime,
        limits: Limits = NO_LIMITS,
        *,
        cycle: Cycle = MONTHS,
        status: BillingStatus = "active",
        plan_version: int | None = None,
        discounts: Iterable[Discount] = (),
        maximum: Money | None = None,
        minimum: Money | None = None,
        changes: Iterable[TermsChange] = (),
    ) -> None: ...

    def _check_bounds(self, problems: Problems) -> None:
        check_bounds(self.maximum, self.minimum, problems)

    def _check_changes(self, problems: Problems) -> None:
        noted: set[datetime] = set()  # when entries hold that no later one has taken back
        for i, change in enumerate(self.changes):
            path = ("changes", i, "since")
            if change.since < self.since:
                problem = f"must not be before the account begins, {format_instant(self.since)}"
                problems.add(InvalidValue(path, change.since, problem))
            elif change.kind == "cancel" and change.since not in noted:
                problem = "must be that of an entry before it, which it takes back"
                problems.add(InvalidValue(path, change.since, problem))
            if change.kind == "cancel":
                noted.discard(change.since)
            else:
                noted.add(change.since)

    def _complete(self) -> None:
        first = Terms(
            self.plan, self.limits, self.cycle, status=self.status, plan_version=self.plan_version,
            discounts=self.discounts, maximum=self.maximum, minimum=self.minimum,
        )  # fmt: skip
        object.__setattr__(self, "timeline", timeline_of(self.since, first, self.changes))

    # Its history

    def changed(
        self,
        *,
        since: datetime,
        plan: str | None = None,
        limits: Limits = NO_LIMITS,
        drop_limits: Iterable[str] = (),
        cycle: Cycle | None = None,
        status: BillingStatus | None = None,
        plan_version: int | None = None,
        discounts: Iterable[Discount] = (),
        drop_discounts: Iterable[str] = (),
        maximum: Money | None = None,
        minimum: Money | None = None,
        drop_bounds: Iterable[Bound] = (),
        counters: Counters | None = None,
    ) -> Account:
        """Return the account with one more entry, which changes what it names; see `TermsChange`.

        Own limits are merged by metric, own discounts by name. A term of its own that it names no
        more goes on; one that is to end is dropped: ``drop_limits=["runs"]``,
        ``drop_discounts=["launch"]``, ``drop_bounds=["minimum"]``.

        It may be dated back, or ahead. Where terms have ended, an entry that names a plan resumes
        them.

        :raises InvalidValue: if nothing is changed, `since` is before the account begins, or a
            minimum of its own would be above its maximum at some time.

        >>> from datetime import UTC
        >>> january, march = (datetime(2024, month, 1, tzinfo=UTC) for month in (1, 3))
        >>> account = Account("org-123", "pro", january, minimum=Money.of("500", "USD"))
        >>> account = account.changed(since=march, drop_bounds=["minimum"])
        >>> [account.at(instant).minimum for instant in (january, march)]
        [Money(50000, 'USD'), None]
        """
        change = TermsChange(
            since,
            plan=plan,
            limits=limits,
            drop_limits=drop_limits,
            cycle=cycle,
            status=status,
            plan_version=plan_version,
            discounts=discounts,
            drop_discounts=drop_discounts,
            maximum=maximum,
            minimum=minimum,
            drop_bounds=drop_bounds,
            counters=counters,
        )
        return self._noting(change)

    def ended(self, *, at: datetime) -> Account:
        """Return the account with no terms from an aware instant on, until a plan is named again.

        :raises InvalidValue: if the instant is before the account begins.
        """
        return self._noting(TermsChange(at, kind="end"))

    def cancelled(self, *, since: datetime) -> Account:
        """Return the account with one more entry, by which those with a `since` never hold.

        :raises InvalidValue: if there is no such entry.
        """
        return self._noting(TermsChange(since, kind="cancel"))

    def _noting(self, change: TermsChange) -> Account:
        return evolve(self, changes=(*self.changes, change))

    @property
    def has_moved(self) -> bool:
        """Whether an entry may have made other periods of those that there were."""
        return any(change.moves_periods for change in self.changes)

    def require_goes_on_from(self, earlier: Account) -> None:
        """Refuse, as an `AccountConflict`, another history than a kept one and more."""
        count = len(instance_of(Account)(earlier, "earlier").changes)
        if evolve(self, changes=self.changes[:count]) != earlier:
            histories = [[evolve(each, changes=()), *each.changes] for each in (earlier, self)]
            raise other_history(*histories).within(org_id=earlier.org_id)

    # What holds, and when

    def at(self, instant: datetime) -> Terms | None:
        """Return the terms that hold at an aware instant; None if none do."""
        return self.timeline.at(parse_instant(instant, "instant"))

    def period_at(self, instant: datetime) -> Period:
        """Return the period that an aware instant lies in.

        That is the cycle's, but a short one where the terms begin, end or come to another cycle.

        :raises NoTerms: if no terms hold then.
        :raises InvalidValue: if the period isn't whole within the years 1 to 9999.

        >>> from datetime import UTC
        >>> account = Account("org-123", "starter", datetime(2024, 1, 10, tzinfo=UTC))
        >>> account.period_at(account.since).describe()
        '2024-01-10 to 2024-02-01 UTC'
        """
        utc = parse_instant(instant, "instant")
        run = self._run_at(utc)
        return run.cut(run.cycle.period_at(utc))

    def whole_of(self, period: Period) -> Period | None:
        """Return the cycle's whole period that a time is a part of; None if it is no such part.

        >>> from datetime import UTC
        >>> account = Account("org-123", "starter", datetime(2024, 1, 10, tzinfo=UTC))
        >>> account.whole_of(account.period_at(account.since)).describe()
        '2024-01-01 to 2024-02-01 UTC'
        """
        run = self.timeline.run_at(parse_period(period, "period").start)
        if run is None:
            return None
        cycle_period = run.cycle.period_at(period.start)
        return cycle_period if cycle_period != period and period.end <= cycle_period.end else None

    def periods(self, start: datetime, end: datetime) -> Iterator[Period]:
        """Return, in order, the account's periods that some time from `start` to `end` lies in.

        They are its own, so the first may begin before `start`, and the last end after `end`. There
        is none of a time in which no terms hold.

        :raises InvalidValue: if the end isn't later than the start, or the first isn't whole
            within the years 1 to 9999.

        >>> from datetime import UTC
        >>> account = Account("org-123", "starter", datetime(2024, 1, 10, tzinfo=UTC))
        >>> account = account.ended(at=datetime(2024, 2, 20, tzinfo=UTC))
        >>> for period in account.periods(account.since, datetime(2025, 1, 1, tzinfo=UTC)):
        ...     print(period.describe())
        2024-01-10 to 2024-02-01 UTC
        2024-02-01 to 2024-02-20 UTC
        """
        span = Period(start, end)
        return self.timeline.periods(span.start, span.end)

    def parts(self, period: Period) -> tuple[tuple[Period, Terms], ...]:
        """Return the parts of one of its periods, in order, each with the terms that hold in it.

        :raises InvalidValue: if it is no period of the account's; the error names those that are.
        """
        self.require(period)
        return self.timeline.parts(period)

    def has(self, period: Period) -> bool:
        """Tell whether a period is one of the account's."""
        return period in self.timeline.periods(parse_period(period, "period").start, period.end)

    def period_around(self, span: Period) -> Period | None:
        """Return the account's period that a shorter time lies in; None if there is none."""
        own = list(self.timeline.periods(parse_period(span, "period").start, span.end))
        if len(own) != 1 or own[0] == span:
            return None
        return own[0] if own[0].start <= span.start and span.end <= own[0].end else None

    def divides(self, period: Period) -> bool:
        """Tell whether the account's periods lie in a time or outside of it, and none in part."""
        return all(
            period.start <= own.start and own.end <= period.end
            for own in self.timeline.periods(parse_period(period, "period").start, period.end)
        )

    def last_terms(self, period: Period) -> tuple[datetime, Terms]:
        """Return the terms that some time ends with, and since when in it their plan holds.

        :raises NoTerms: if no terms hold in it.
        """
        parts = self.timeline.parts(parse_period(period, "period"))
        if not parts:
            raise self._no_terms("period", period)
        _, last = parts[-1]
        same = takewhile(lambda part: part[1].plan == last.plan, reversed(parts))
        return [part.start for part, _ in same][-1], last

    def agreed_in(self, period: Period) -> AgreedTerms:
        """Return the terms of one of its periods, and how its counters go on.

        :raises NoTerms: if no terms hold in it.
        :raises InvalidValue: if it is another; the error names those that it overlaps.
        """
        run = self.timeline.run_at(parse_period(period, "period").start)
        if run is not None:
            cycle_period = run.cycle.period_of_many(period.start)
            own = run.cut(cycle_period)
            if own == period:
                billing_period = None if own is cycle_period else cycle_period
                return new_agreed(billing_period, self.timeline.agreed(period))
        raise self._not_own(period)

    def period_after(self, period: Period) -> Period | None:
        """Return the account's first period that doesn't begin before a time ends; None if none."""
        return self.timeline.period_after(parse_period(period, "period").end)

    def require_terms(self, instant: datetime, field: Field = "instant") -> None:
        """Refuse an aware instant at which no terms hold.

        :raises NoTerms: naming the times in which some do.
        """
        if self.timeline.at(parse_instant(instant, field)) is None:
            raise self._no_terms(field, instant)

    def require(self, period: Period) -> None:
        """Refuse a period that isn't one of the account's.

        :raises NoTerms: if no terms hold in it.
        :raises InvalidValue: if it is another; the error names those that it overlaps.
        """
        if not self.has(period):
            raise self._not_own(period)

    def _run_at(self, utc: datetime) -> Run:
        run = self.timeline.run_at(utc)
        if run is None:
            raise self._no_terms("instant", utc)
        return run

    def _no_terms(self, field: Field, value: datetime | Period) -> OveragesError:
        problem = f"must be when the org has terms: {self.timeline.written()}"
        told = value if isinstance(value, datetime) else str(value)
        return NoTerms(field, told, problem).within(org_id=self.org_id)

    def _not_own(self, period: Period) -> OveragesError:
        own = list(self.timeline.periods(period.start, period.end))
        if not own:
            return self._no_terms("period", period)
        problem = f"must be one of the org's own, {' and '.join(map(str, own))}"
        return InvalidValue("period", str(period), problem).within(org_id=self.org_id)


def account_of(org_id: str, account: Account) -> Account:
    """Return an account as that of another org, whose name was checked."""
    return _new_account(
        org_id, account.plan, account.since, account.limits, account.cycle, account.status,
        account.plan_version, account.discounts, account.maximum, account.minimum,
        account.changes, account.timeline,
    )  # fmt: skip


_new_account: Final = trusted(Account)
