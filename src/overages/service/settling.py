"""Settling: an org's periods, each from the balance that the one before it left.

The balance of a period that is closed is kept: a later one starts from it, however long the org's
life was before. Periods that have ended but aren't closed are worked out one after another, from
the last closed one on:

    settling = Settling(repository, account, routes)
    settling.settlement(march)                        # from February's kept balance
    settling.correction(closing)                      # a closed period, as it comes to now

What grants hold is one sum over all closed periods. So a correction draws on a grant only the part
that no later closed period has drawn, and only on grants that were known when it was closed.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from typing import Final

from overages.amounts.exact import Quantity
from overages.errors import UnknownPlan
from overages.grants.grant import Grant
from overages.periods.period import Period
from overages.records.closing import Closing
from overages.repository import Repository
from overages.service.period_inputs import PeriodInputs
from overages.settlements.balance import EMPTY_BALANCE, Balance
from overages.settlements.grant_corrections import corrected_balance, drawn_later
from overages.settlements.settlement import Settlement
from overages.terms.account import Account
from overages.usage.routing import Routes

_ALL: Final = 10**24
"""More units than any grant holds."""


class Settling:
    """Settles the periods of an account, from the values of a repository.

    :param account: the org, and the history of its terms.
    :param routes: the metrics that are more than sums of their events.
    :param ended: tells whether a period is over, so that true-ups are due.
    """

    def __init__(
        self,
        repository: Repository,
        account: Account,
        routes: Routes,
        ended: Callable[[Period], bool],
    ) -> None:
        self._repository, self._account, self._ended = repository, account, ended
        self._org_id = account.org_id
        self._inputs = PeriodInputs(repository, account, routes)
        self._open: dict[Period, Balance] = {}  # balances that open periods leave
        self._closings: tuple[Closing, ...] | None = None

    @cached_property
    def grants(self) -> tuple[Grant, ...]:
        """All grants that the org ever had."""
        return self._repository.grants(self._org_id)

    def read_closings(self) -> Mapping[Period, Closing]:
        """Read all closings at once, for who looks at each period and changes none."""
        self._closings = self._repository.closings(self._org_id)
        return {closing.period: closing for closing in self._closings}

    def settlement(self, period: Period) -> Settlement:
        """Settle a period of the org's that isn't closed.

        :raises UnknownPlan: if its plan was not yet in force.
        :raises OveragesError: as `settle` does; it says which of the periods it is about.
        """
        balance = self._balance_before(period)
        return self._open_settlement(period, balance, ended=self._ended(period))

    def _open_settlement(self, period: Period, balance: Balance, *, ended: bool) -> Settlement:
        later = self._drawn_later(period, balance) if self.grants else {}
        return self._inputs.settlement(
            period, balance, ended=ended, grants=self.grants, reserved=later
        )

    def correction(self, closing: Closing) -> Settlement:
        """Settle a closed period anew, by terms and usage as they are known now."""
        period, balance = closing.period, self._closed_balance(closing.period)
        later = self._drawn_later(period, closing.balance) if closing.grants else {}
        reserved = dict(later)
        of_closing = {grant.id for grant in closing.grants}
        # Drawn on before it by a period that was closed after it: none of those is for this one.
        others = [grant for grant in self.grants if grant.id in balance.grants - of_closing]
        reserved |= {grant.id: _ALL for grant in others}
        grants = (*closing.grants, *others)
        return self._inputs.settlement(
            period, balance, ended=True, grants=grants, reserved=reserved
        )

    def later_balances(self, period: Period, balance: Balance) -> dict[Period, Balance]:
        """Return the balances of later closed periods that another draw on a grant changes.

        :param balance: the one that the period leaves now.
        """
        closings = self._closings_after(period)
        if not closings:
            return {}
        closing = self._repository.closing(self._org_id, period)
        before = self._closed_balance(period) if closing is None else closing.balance
        changed = {}
        for later in closings:
            corrected = corrected_balance(later.balance, before, balance, self.grants)
            if corrected != later.balance:
                changed[later.period] = corrected
        return changed

    def _closed_balance(self, period: Period) -> Balance:
        """Return the balance that the last closed period before one has left."""
        closing = self._closing_before(period)
        return EMPTY_BALANCE if closing is None else closing.balance

    def _balance_before(self, period: Period) -> Balance:
        """Return the balance that a period starts from; open ones before it are settled first."""
        closing = self._closing_before(period)
        balance = EMPTY_BALANCE if closing is None else closing.balance
        start = self._account.since if closing is None else closing.period.end
        if start >= period.start or not (self.grants or self._inputs.needs_balance(period)):
            return balance
        for before in self._account.periods(start, period.start):
            if before not in self._open:
                try:
                    settlement = self._open_settlement(before, balance, ended=True)
                except UnknownPlan:  # none was in force yet
                    continue
                self._open[before] = settlement.balance
            balance = self._open[before]
        return balance

    def _drawn_later(self, period: Period, balance: Balance) -> Mapping[str, Quantity]:
        closings = self._closings_after(period)
        return drawn_later(balance, [closing.balance for closing in closings])

    def _closing_before(self, period: Period) -> Closing | None:
        if self._closings is None:
            return self._repository.closing_before(self._org_id, period.start)
        place = bisect_right(self._closings, period.start, key=_end)
        return self._closings[place - 1] if place else None

    def _closings_after(self, period: Period) -> Sequence[Closing]:
        if self._closings is None:
            return self._repository.closings(self._org_id, period.end)
        return self._closings[bisect_left(self._closings, period.end, key=_start) :]


def _start(closing: Closing) -> datetime:
    return closing.period.start


def _end(closing: Closing) -> datetime:
    return closing.period.end
