"""Read periods: all that a repository has of a period, to be settled with more units than these.

period = inputs.read(february, ended=False)
period.settlement(balance, {"runs": 10}, at=now).statement       # as if 10 more were used now
period.standing(balance, {}, at=now).grants                      # as they are now
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Set
from datetime import datetime
from functools import partial
from typing import TypeVar

from overages.amounts.exact import Quantity
from overages.errors import OveragesError
from overages.grants.grant import Grant
from overages.periods.period import Period
from overages.quotas.position import More
from overages.settlements.balance import Balance
from overages.settlements.inputs import with_more
from overages.settlements.settlement import Settlement, settle
from overages.settlements.standing import Standing, standing
from overages.terms.account import Account
from overages.terms.plan import Plan
from overages.terms.terms import Terms
from overages.usage.event import UsageEvent
from overages.usage.usage import Usage

T = TypeVar("T")


class ReadPeriod:
    """A period with all that is kept of it, to be settled with more units than are kept.

    :param plans: gives the plan of a part and its terms.
    :param usages: its usage, and that of the times within it.
    :param events: those of metrics that are granted.
    :param timed: the granted metrics of which one more unit is used at an instant of its own.

    The others are those of `settle`.
    """

    def __init__(
        self,
        account: Account,
        plans: Callable[[Period, Terms], Plan],
        period: Period,
        usages: Sequence[Usage],
        events: Sequence[UsageEvent],
        *,
        grants: tuple[Grant, ...],
        timed: Set[str],
        reserved: Mapping[str, Quantity],
        ended: bool,
        levels: Set[str],
    ) -> None:
        self._account, self._plans, self._period = account, plans, period
        self._usages, self._events = usages, events
        self._grants, self._timed, self._reserved = grants, timed, reserved
        self._ended, self._levels = ended, levels

    def settlement(self, balance: Balance, more: More, at: datetime) -> Settlement:
        """Settle it from the balance of the period before it.

        :param more: units by metric that are used at an instant, if that is in it; of units used
            before it, levels alone are held on.
        :raises OveragesError: as `settle` does, with the period.
        """
        return self._tell(settle, balance, more, at)

    def standing(self, balance: Balance, more: More, at: datetime) -> Standing:
        """Return it as it stands at the instant, with the states of grants then.

        It raises the errors of `settlement`.
        """
        if not self._grants:
            return Standing(self.settlement(balance, more, at).statement)
        return self._tell(partial(standing, at=at, timed=self._timed), balance, more, at)

    def _tell(self, tell: Callable[..., T], balance: Balance, more: More, at: datetime) -> T:
        period, org_id = self._period, self._account.org_id
        try:
            used = self._usages_with(more, at) if more else self._usages
            at_once = [
                UsageEvent(org_id, metric, units, at)
                for metric, units in more.items()
                if metric in self._timed and at in period
            ]
            return tell(
                self._account,
                self._plans,
                period,
                used[0] if len(used) == 1 else used,
                balance,
                events=[*self._events, *at_once],
                grants=self._grants,
                reserved=self._reserved,
                ended=self._ended,
                levels=self._levels,
            )
        except OveragesError as error:
            raise error.within(org_id=org_id, period=period) from error.__cause__

    def _usages_with(self, more: More, at: datetime) -> Sequence[Usage]:
        if at >= self._period.start:
            return [with_more(each, more, at) for each in self._usages]
        held = {m: n for m, n in more.items() if m in self._levels}
        return [with_more(each, held, each.period.start) for each in self._usages]
