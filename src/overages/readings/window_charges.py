"""Window charges: the money that usage in a window of a budget adds to an org's bill.

A bill is of the org's own periods, and a window, such as a day, cuts them. Its charges are the
rise of their bills: by the usage before its end, less by the usage before its start.

    charges = WindowCharges(repository, account, settling, now)
    charges.of(budget, monday)                        # Money(1250, 'USD')

So each unit has the price that it had as it was used, and included units have none, though the
first days alone may have them. The charges of windows that tile a period add up to its bill, but
for true-ups at its end, which no usage makes due. Where a bill falls, as by a correction or a
volume price, a window has no charges.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from datetime import datetime
from itertools import takewhile
from typing import NamedTuple, TypeAlias

from overages.amounts.money import Currency, Money
from overages.bookkeeping.settling import Settling, leaving_out_unsettled
from overages.errors import InvalidValue
from overages.insight.budget import Budget
from overages.periods.period import Period
from overages.quotas.position import minor_of
from overages.repository import Repository
from overages.statements.statement import Statement
from overages.terms.account import Account
from overages.usage.put_sums import lies_in

_Key: TypeAlias = tuple[Period, datetime]


class Bills(NamedTuple):
    """The bills of the periods of a window, in minor units: before it, and by its end.

    :param lines: how many lines they have, each of which is rounded.
    """

    before: int
    by_end: int
    currency: Currency
    lines: int

    @property
    def rise(self) -> Money:
        """The charges of the window."""
        return Money(max(0, self.by_end - self.before), self.currency)

    def bounds_since(self, earlier: Bills, *, even: bool) -> tuple[Money, Money]:
        """Return the least and the most that the rise was since earlier bills that only grew.

        :param even: whether all units that cost something cost the same, and no more is taken back
            in the window than used. Then the rise has only grown, too, but for its rounding: by
            less than a minor unit for each line.
        """
        if not even:
            least = self._replace(by_end=earlier.by_end)
            return least.rise, self._replace(before=earlier.before).rise
        least, most = sorted((earlier, self), key=lambda bills: bills.by_end - bills.before)
        return (
            least._replace(by_end=least.by_end - 2 * self.lines).rise,
            most._replace(by_end=most.by_end + 2 * self.lines).rise,
        )


class WindowCharges:
    """Works out the charges of windows, each bill of a period once.

    :param account: the org's.
    :param settling: works out its periods; beside all holds, if it does so.
    :param now: the present instant.
    """

    def __init__(
        self, repository: Repository, account: Account, settling: Settling, now: datetime
    ) -> None:
        self._repository, self._account = repository, account
        self._org_id, self._settling, self._now = account.org_id, settling, now
        self._statements: dict[_Key, Statement | None] = {}

    def of(self, budget: Budget, window: Period) -> Money:
        """Return the charges of a window, of one metric or of all as the budget says.

        Those of a plan in another currency than the budget's aren't among them.

        :raises InvalidValue: if the window cuts a span that a sum was put for, of its metric.
        :raises OveragesError: as `Settling.charged` does, with the period.
        """
        assert isinstance(budget.amount, Money)  # or units would be counted
        bills, currency = self.bills(budget, window), budget.amount.currency
        if bills is None or bills.currency != currency:
            return Money(0, currency)
        return bills.rise

    def bills(self, budget: Budget, window: Period) -> Bills | None:
        """Return the bills of which the charges are the rise; see `of`.

        :returns: those in the budget's currency; where there is none, those in the last one's. None
            if no terms hold in the window.
        """
        assert isinstance(budget.amount, Money)  # or units would be counted
        if next(self._account.periods(window.start, window.end), None) is None:
            return None
        self._refuse_cut(budget, window)
        before: list[Statement] = []
        by_end: list[Statement] = []
        for period in self.periods(window):
            bounds = [each for each in (window.start, window.end) if each > period.start]
            own = [self._statement(period, each) for each in bounds]
            settled = [each for each in own if each is not None]
            if len(settled) == len(own):  # else it has no bill, and adds nothing
                before += settled[:-1]
                by_end += settled[-1:]
        currency, billed = budget.amount.currency, [each.currency for each in by_end]
        if billed and currency not in billed:
            currency = billed[-1]
        before = [each for each in before if each.currency == currency]
        by_end = [each for each in by_end if each.currency == currency]
        return Bills(
            sum(minor_of(each, budget.metric) for each in before),
            sum(minor_of(each, budget.metric) for each in by_end),
            currency,
            sum(len(each.lines) for each in (*before, *by_end)),
        )

    def takes_back(self, window: Period) -> bool:
        """Tell whether more of a metric is taken back in a window than used, in a period of it."""
        return any(
            each.picos < 0
            for period in self.periods(window)
            for each in self._repository.event_sums(
                self._org_id,
                Period(max(period.start, window.start), min(period.end, window.end)),
            ).values()
        )

    def periods(self, window: Period) -> list[Period]:
        """Return the org's periods that a window touches, but for those that are still to come."""
        own = self._account.periods(window.start, window.end)
        return list(takewhile(lambda each: each.start <= self._now or self._has_usage(each), own))

    def goes_on_after(self, period: Period, instant: datetime) -> bool:
        """Tell whether a period has usage, or holds, from an instant on.

        Its bill by the usage before that isn't the one of all usage then.
        """
        return instant < period.end and self._has_usage(Period(instant, period.end))

    def _has_usage(self, time: Period) -> bool:
        """Tell whether a time has usage, or holds, or sums for spans that begin in it."""
        put = self._repository.put_sums(self._org_id, time)
        return bool(
            self._repository.event_sums(self._org_id, time)
            or self._repository.held_units(self._org_id, time, self._now)
            or any(each.period.start in time for each in put)
        )

    def statements(self) -> Sequence[Statement]:
        """Return the statements that were worked out."""
        return [each for each in self._statements.values() if each is not None]

    def _refuse_cut(self, budget: Budget, window: Period) -> None:
        """Refuse sums of which nobody knows how much was used in a window."""
        for put in self._repository.put_sums(self._org_id, window):
            used = {name: units for name, units in put.quantities.items() if units}
            cut = [name for name in used if budget.metric in (None, name)]
            if cut and not lies_in(put.period, window):
                problem = (
                    f"must not cut sums: {', '.join(cut)} was put for {put.period}, and nobody"
                    " knows how much of it is in the window; put sums for times that no window cuts"
                )
                path = ("budgets", budget.id, "window")
                error = InvalidValue(path, str(window), problem)
                raise error.within(org_id=self._org_id)

    def _statement(self, period: Period, until: datetime) -> Statement | None:
        """Return the statement of a period by the usage before an instant.

        :returns: None if it is another one than the present, and can't be settled.
        """
        key = period, until
        if key not in self._statements:
            is_present, statement = self._now in period, None
            with nullcontext() if is_present else leaving_out_unsettled():
                statement = self._settling.until(until).charged(period).statement
            self._statements[key] = statement
        return self._statements[key]
