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
from datetime import datetime
from itertools import takewhile
from typing import TypeAlias

from overages.amounts.money import Currency, Money
from overages.bookkeeping.settling import Settling
from overages.errors import UnknownPlan
from overages.insight.budget import Budget
from overages.periods.period import Period
from overages.repository import Repository
from overages.statements.statement import Statement
from overages.terms.account import Account
from overages.usage.put_sums import put_within
from overages.usage.usage import Usage

_Key: TypeAlias = tuple[Period, datetime]


class WindowCharges:
    """Works out the charges of windows, each bill of a period once.

    :param account: the org's.
    :param settling: works out its periods; beside what is held, if it does so.
    :param now: the present instant.
    """

    def __init__(
        self, repository: Repository, account: Account, settling: Settling, now: datetime
    ) -> None:
        self._repository, self._account = repository, account
        self._org_id, self._settling, self._now = account.org_id, settling, now
        self._statements: dict[_Key, Statement | None] = {}

    def of(self, budget: Budget, window: Period) -> Money | None:
        """Return the charges of a window, of one metric or of all as the budget says.

        Those of a plan in another currency than the budget's aren't among them.

        :returns: None if no terms hold in it.
        :raises InvalidValue: if the window cuts a span that a sum was put for, of its metric.
        :raises OveragesError: as `Settling.charged` does, with the period.
        """
        assert isinstance(budget.amount, Money)  # or units would be counted
        periods = self._periods(window)
        if not periods:
            return None
        self._refuse_cut(budget.metric, window)
        currency, minor = budget.amount.currency, 0
        for period in periods:
            minor += self._charged(period, window.end, budget.metric, currency)
            if period.start < window.start:
                minor -= self._charged(period, window.start, budget.metric, currency)
        return Money(max(0, minor), currency)

    def has_usage(self, time: Period) -> bool:
        """Tell whether something was used in a time, or put for a span that begins in it."""
        if self._repository.event_sums(self._org_id, time):
            return True
        put = self._repository.put_sums(self._org_id, time)
        return any(each.period.start in time for each in put)

    def ends_within(self, period: Period, instant: datetime) -> bool:
        """Tell whether a period goes on after an instant, and has usage from then on.

        A bill by the usage before it isn't that of all usage then.
        """
        return instant < period.end and self.has_usage(Period(instant, period.end))

    def statements(self) -> Sequence[Statement]:
        """Return the statements that were worked out."""
        return [each for each in self._statements.values() if each is not None]

    def _periods(self, window: Period) -> list[Period]:
        """Return the org's periods that a window touches, but for those that are still to come."""
        own = self._account.periods(window.start, window.end)
        return list(takewhile(lambda each: each.start <= self._now or self.has_usage(each), own))

    def _refuse_cut(self, metric: str | None, window: Period) -> None:
        """Refuse sums of which nobody knows how much was used in a window."""
        put_within(
            [
                Usage(put.org_id, put.period, {name: put.quantities[name]})
                for put in self._repository.put_sums(self._org_id, window)
                for name in put.quantities
                if metric in (None, name)
            ],
            window,
        )

    def _charged(
        self, period: Period, until: datetime, metric: str | None, currency: Currency
    ) -> int:
        """Return the cost of a period by the usage before an instant, in minor units."""
        statement = self._statement(period, until)
        if statement is None or statement.currency != currency:
            return 0
        return cost_of(statement, metric).minor

    def _statement(self, period: Period, until: datetime) -> Statement | None:
        """Return the statement of a period by the usage before an instant; None without a plan."""
        key = period, until
        if key not in self._statements:
            is_all = until > self._now and not self.ends_within(period, until)
            settling = self._settling if is_all else self._settling.until(until)
            try:
                self._statements[key] = settling.charged(period).statement
            except UnknownPlan:  # none was in force yet
                self._statements[key] = None
        return self._statements[key]


def cost_of(statement: Statement, metric: str | None) -> Money:
    """Return the cost of a metric, with the adjustments that are its own, or of all lines."""
    if metric is None:
        return statement.total
    total = statement.totals_by_metric().get(metric)
    return Money(0, statement.currency) if total is None else total.cost
