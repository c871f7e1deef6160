"""Settling: an org's periods, each from the balance that the one before it left.

The balance of a period that is closed is kept: a later one starts from it, however long the org's
life was before. Periods that have ended but aren't closed are worked out one after another, from
the last closed one on:

    settling = Settling(repository, account, routes)
    settling.settlement(march)                        # from February's kept balance
    settling.correction(closing)                      # a closed period, as it comes to now
    settling.until(march_12).charged(march)           # by the usage before an instant of it

`ClosedPeriods` are the closings of an org, asked for one by one, or read at once:

    settling.closed.before(march), settling.closed.after(march)

What grants hold is one sum over all closed periods. So a correction draws on a grant only the part
that no later closed period has drawn, and only on grants that were known when it was closed.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import cached_property

from overages.amounts.exact import Quantity
from overages.bookkeeping.period_inputs import PeriodInputs
from overages.bookkeeping.plans_in_force import PlansInForce
from overages.bookkeeping.read_period import ReadPeriod
from overages.bookkeeping.usage_reader import Holds, UsageReader
from overages.errors import OveragesError, StorageError, UnknownPlan
from overages.grants.grant import Grant
from overages.periods.period import Period
from overages.quotas.position import More
from overages.records.closing import Closing
from overages.repository import Repository
from overages.settlements.balance import EMPTY_BALANCE, Balance
from overages.settlements.grant_corrections import (
    all_of,
    changed_draws,
    corrected_balance,
    drawn_later,
)
from overages.settlements.settlement import Settlement
from overages.settlements.standing import Standing
from overages.terms.account import Account
from overages.usage.routing import Routes


class Settling:
    """Settles the periods of an account, from the values of a repository.

    :param account: the org, and the history of its terms.
    :param routes: the metrics that are more than sums of their events.
    :param ended: tells whether a period is over, so that true-ups are due.
    :param plans: those that were read for other orgs in the same transaction.
    :param reader: reads the org's usage, where that isn't just what is kept.
    :param holds: units that reservations hold, where they are to count as usage of open periods.
    """

    def __init__(
        self,
        repository: Repository,
        account: Account,
        routes: Routes,
        ended: Callable[[Period], bool],
        plans: PlansInForce | None = None,
        reader: UsageReader | None = None,
        holds: Holds | None = None,
    ) -> None:
        self._repository, self._account, self._ended = repository, account, ended
        self._org_id = account.org_id
        self._inputs = PeriodInputs(repository, account, routes, plans, reader, holds)
        self._of_org, self._holds = (routes, ended, plans, reader), holds
        self._open: dict[Period, Balance] = {}  # balances that open periods leave
        self.closed: ClosedPeriods = ClosedPeriods(repository, account.org_id)

    def beside_holds(self, at: datetime) -> Settling:
        """Return one that settles open periods with all that reservations hold at an instant."""
        holds = Holds(self._repository, self._org_id, at)
        return Settling(self._repository, self._account, *self._of_org, holds)

    def until(self, instant: datetime) -> Settling:
        """Return one that settles by the usage, and the holds, before an instant.

        No period is over for it, so that no true-up is due.
        """
        routes, _, plans, _ = self._of_org
        reader = UsageReader(self._repository, self._org_id, routes, instant)
        holds = None if self._holds is None else self._holds.before(instant)
        return Settling(
            self._repository, self._account, routes, lambda _: False, plans, reader, holds
        )

    @cached_property
    def grants(self) -> tuple[Grant, ...]:
        """All grants that the org ever had."""
        return self._repository.grants(self._org_id)

    def settlement(self, period: Period, *, final: bool = False) -> Settlement:
        """Settle a period of the org's that isn't closed.

        :param final: whether it is being closed: then it is over, whatever a clock says.
        :raises UnknownPlan: if its plan was not yet in force.
        :raises OveragesError: as `settle` does; it says which of the periods it is about.
        """
        balance = self._balance_before(period)
        return self._open_settlement(period, balance, ended=final or self._ended(period))

    def charged(self, period: Period) -> Settlement:
        """Settle a period of the org's, open or closed, by terms and usage as they are known now.

        True-ups aren't due in it. It raises the errors of `settlement`.
        """
        closing = self._repository.closing(self._org_id, period)
        if closing is not None:
            return self.correction(closing, ended=False)
        return self._open_settlement(period, self._balance_before(period), ended=False)

    def _open_settlement(self, period: Period, balance: Balance, *, ended: bool) -> Settlement:
        later = self._drawn_later(period, self.grants)
        return self._inputs.settlement(
            period, balance, ended=ended, grants=self.grants, reserved=later
        )

    def settled_with(
        self, periods: Sequence[Period], at: datetime
    ) -> Callable[[More], list[Settlement]]:
        """Return a function that settles open periods with units by metric, used at an instant.

        All that is kept is read once.

        :param periods: one or more, one after another. Later ones that can't be settled are left
            out; one that can't with the units is as it is without them.
        """
        first, *others = periods
        before, read_first = self._balance_before(first), self._read(first)
        later: list[tuple[ReadPeriod, Settlement]] = []
        balance = read_first.settlement(before, {}, at).balance if others else before
        for period in others:
            with leaving_out_unsettled():
                read_later = self._read(period)
                alone = read_later.settlement(balance, {}, at)
                later.append((read_later, alone))
                balance = alone.balance

        def settled(more: More) -> list[Settlement]:
            settlements = [read_first.settlement(before, more, at)]
            for read_later, alone in later:
                settlement = alone
                with leaving_out_unsettled():
                    settlement = read_later.settlement(settlements[-1].balance, more, at)
                settlements.append(settlement)
            return settlements

        return settled

    def standing_with(self, period: Period, at: datetime) -> Callable[[More], Standing]:
        """Return a function that gives an open period as it stands at an instant.

        It takes units by metric, used at that instant; all that is kept is read once.
        """
        before, read = self._balance_before(period), self._read(period)
        return lambda more: read.standing(before, more, at)

    def _read(self, period: Period) -> ReadPeriod:
        return self._inputs.read(
            period,
            ended=self._ended(period),
            grants=self.grants,
            reserved=self._drawn_later(period, self.grants),
        )

    def correction(self, closing: Closing, *, ended: bool = True) -> Settlement:
        """Settle a closed period anew, by terms and usage as they are known now.

        :param ended: whether true-ups are due.
        """
        read, balance = self._read_again(closing, ended=ended)
        return read.settlement(balance, {}, closing.period.start)

    def standing_again(self, closing: Closing, at: datetime) -> Standing:
        """Return a closed period, settled anew, as it stands at an instant."""
        read, balance = self._read_again(closing, ended=True)
        return read.standing(balance, {}, at)

    def _read_again(self, closing: Closing, *, ended: bool) -> tuple[ReadPeriod, Balance]:
        """Return a closed period as it is known now, with the balance that it starts from."""
        period, of_closing = closing.period, {grant.id for grant in closing.grants}
        before = self.closed.before(period)
        balance = EMPTY_BALANCE if before is None else before.balance
        # An earlier period that was closed later can have drawn on others: they only go on.
        others = [grant for grant in self.grants if grant.id in balance.grants - of_closing]
        read = self._inputs.read(
            period,
            ended=ended,
            grants=(*closing.grants, *others),
            reserved={
                **self._drawn_later(period, closing.grants),
                **all_of(others, balance, period.end),
            },
        )
        return read, balance

    def draws_otherwise(self, settlement: Settlement) -> bool:
        """Tell whether a closed period draws on grants otherwise than it was closed with.

        :param settlement: the one that it has now.
        """
        if not (self.grants or settlement.burndowns):
            return False
        return bool(changed_draws(self.closed.settlement(settlement.statement.period), settlement))

    def later_balances(self, settlement: Settlement) -> dict[Period, Balance]:
        """Return the balances of later closed periods that another draw on a grant changes.

        :param settlement: the one that an earlier period has now, before it is kept.
        """
        period = settlement.statement.period
        following = self.closed.after(period)
        if not following:
            return {}
        changes = changed_draws(self.closed.settlement(period), settlement)
        changed = {}
        for later in following:
            corrected = corrected_balance(
                later.balance, later.period.end, changes, settlement.balance, self.grants
            )
            if corrected != later.balance:
                changed[later.period] = corrected
        return changed

    def depends_on_earlier(self, period: Period) -> bool:
        """Tell whether what a period comes to follows from the periods before it as well.

        :raises UnknownPlan: if its plan was not yet in force.
        """
        return bool(self.grants) or self._inputs.needs_balance(period)

    def _balance_before(self, period: Period) -> Balance:
        """Return the balance that a period starts from; open ones before it are settled first."""
        closing = self.closed.before(period)
        balance = EMPTY_BALANCE if closing is None else closing.balance
        start = self._account.since if closing is None else closing.period.end
        if start >= period.start or not self.depends_on_earlier(period):
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

    def _drawn_later(self, period: Period, grants: Sequence[Grant]) -> Mapping[str, Quantity]:
        """Return the draws of later closed periods on the units that grants hold at its end."""
        if not grants:
            return {}
        settled = (self.closed.settlement(each.period) for each in self.closed.after(period))
        return drawn_later(period.end, filter(None, settled), grants)


@contextmanager
def leaving_out_unsettled() -> Iterator[None]:
    """Leave out a period that can't be settled, as its plan isn't in force, say: it has no bill."""
    try:
        yield
    except StorageError:
        raise
    except OveragesError:
        pass


class ClosedPeriods:
    """Reads the closings of an org, and the settlements that its periods were closed with."""

    def __init__(self, repository: Repository, org_id: str) -> None:
        self._repository, self._org_id = repository, org_id
        self._all: tuple[Closing, ...] | None = None
        self._settled: dict[Period, Settlement | None] = {}

    def read(self) -> Mapping[Period, Closing]:
        """Read all closings; from then on, none that is new is seen."""
        self._all = self._repository.closings(self._org_id)
        return {closing.period: closing for closing in self._all}

    def last(self) -> Closing | None:
        """Return the last closing of all, once they are read."""
        return self._all[-1] if self._all else None

    def before(self, period: Period) -> Closing | None:
        """Return the closing of the last closed period that ends before another begins."""
        if self._all is None:
            return self._repository.closing_before(self._org_id, period.start)
        place = bisect_right(self._all, period.start, key=_end)
        return self._all[place - 1] if place else None

    def after(self, period: Period) -> Sequence[Closing]:
        """Return the closings of periods after another, in order of time."""
        if self._all is None:
            return self._repository.closings(self._org_id, period.end)
        return self._all[bisect_left(self._all, period.end, key=_start) :]

    def settlement(self, period: Period) -> Settlement | None:
        """Return the settlement that a period was closed with; None if it is open."""
        if self._all is None:
            return self._repository.settled(self._org_id, period)
        if period not in self._settled:
            self._settled[period] = self._repository.settled(self._org_id, period)
        return self._settled[period]


def _start(closing: Closing) -> datetime:
    return closing.period.start


def _end(closing: Closing) -> datetime:
    return closing.period.end
