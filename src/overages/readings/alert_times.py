"""Alert times: the periods, and the windows of budgets, whose alerts are looked at.

    times = AlertTimes(repository, account, routes, settling, now, until)
    times.changed_at({instant})                       # by usage that counts at some instants
    times.open(history)                               # all that isn't closed
    times.present()

Usage changes more than its own period: those after it too, where units are carried over, an
allowance or a grant goes on, or a level is held. So all of them are looked at, and what fires
doesn't depend on the order in which usage comes. It changes the charges of later windows of budgets
of money, too: of these, one that is over is looked at for usage of its own alone.

Nothing new is told of a window that was over before its budget or its alert was put, nor of one
that is over where its usage only falls: usage that falls can only clear alerts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import cached_property
from itertools import takewhile
from typing import Final, NamedTuple, TypeAlias

from overages.alerts.alert import AlertDefinition
from overages.alerts.alert_history import AlertHistory
from overages.bookkeeping.settling import Settling
from overages.errors import InvalidValue, OveragesError
from overages.insight.budget import Budget
from overages.periods.cycle import Cycle
from overages.periods.period import Period
from overages.repository import Repository
from overages.terms.account import Account
from overages.usage.routing import Routes

_TICK: Final = timedelta(microseconds=1)
_LAST: Final = datetime.max.replace(tzinfo=UTC)

WindowsOf: TypeAlias = Callable[[AlertDefinition, Budget, Cycle], Iterable[Period]]
"""Gives the windows of a budget in which an alert is looked at."""


IsMoved: TypeAlias = Callable[[Budget, Period], bool]
"""Tells whether the usage of a window of a budget may have moved in a direction."""

BygoneOf: TypeAlias = Callable[[AlertDefinition, Budget | None], Iterable[Period]]
"""Gives the times that a budget, if it is still there, had and has no more."""


class Look(NamedTuple):
    """The times in which alerts are looked at.

    :param periods: those of the org, in order; none of them is closed.
    :param rises: of which windows that are over anything new is told.
    :param falls: of which of the others alerts are cleared.
    :param bygone: those, not over, in which an alert fired by a budget as it was before.
    """

    periods: Sequence[Period]
    windows: WindowsOf
    rises: IsMoved = lambda _, __: True
    falls: IsMoved = lambda _, __: False
    bygone: BygoneOf = lambda _, __: ()


class AlertTimes:
    """Finds the times of an org that alerts are about.

    :param account: the org's.
    :param routes: the metrics that are more than sums of their events.
    :param settling: works out its periods.
    :param now: the present instant.
    :param until: the last instant that usage may be dated at.
    """

    def __init__(
        self,
        repository: Repository,
        account: Account,
        routes: Routes,
        settling: Settling,
        now: datetime,
        until: datetime,
    ) -> None:
        self._repository, self._account, self._routes = repository, account, routes
        self._settling, self._now, self._until = settling, now, until

    # What is looked at

    def changed_at(
        self, instants: Iterable[datetime], *, rises: bool = True, falls: bool = False
    ) -> Look:
        """Return the times that usage changes which counts at some instants.

        :param rises: whether it may add units.
        :param falls: whether it takes units back.
        """
        changed = sorted(instants)
        own = {each for each in map(self._period_at, changed) if each is not None}
        periods = {each for each in own if self._is_open(each)}
        first = min(own if self._routes.held else periods, default=None)
        if first is not None and first.end <= self._until:
            periods |= {each for each in self._open if each > first and self.goes_on_in(each)}

        def windows(_: AlertDefinition, budget: Budget, cycle: Cycle) -> Iterable[Period]:
            around = windows_around(cycle, changed)
            if budget.is_money and own:
                around |= self._windows_beyond(cycle, changed[0], max(own | periods).end)
            elif budget.metric in self._routes.held and changed:
                around |= {*self._windows(cycle, changed[0])}
            return sorted(around)

        return Look(sorted(periods), windows, lambda _, __: rises, lambda _, __: falls)

    def open(self, history: AlertHistory, *, looks_back: bool) -> Look:
        """Return all times that aren't closed and have begun.

        :param looks_back: whether windows that are over are among them: the one before the present
            one, and those in which the alert fired by a budget of the amount that it has.
        """

        def windows(definition: AlertDefinition, budget: Budget, cycle: Cycle) -> Iterable[Period]:
            if not looks_back:
                return self._windows(cycle, self._now)
            own = {
                each
                for each in self.windows_told(definition, cycle, history)
                if each.end > self._open_since
                and history.of(definition, each).limit == budget.amount
            }
            return sorted({*own, *self._windows(cycle, self._before(cycle))})

        def bygone(definition: AlertDefinition, budget: Budget | None) -> Iterable[Period]:
            told = {each for each in history.periods_of(definition) if each.end > self._now}
            if budget is None or budget.window is None:
                return sorted(told.difference(self._open))
            return sorted(told - self.windows_told(definition, budget.window, history))

        return Look(self._open, windows, bygone=bygone)

    def present(self) -> Look:
        """Return the present times."""
        period = self._period_at(self._now)
        own = [] if period is None else [period]
        return Look(own, lambda _, __, cycle: windows_around(cycle, [self._now]) if own else ())

    def windows_open(self, cycle: Cycle) -> list[Period]:
        """Return all windows of a cycle that aren't over as long as the org's periods are open."""
        return self._windows(cycle, self._open_since)

    def windows_told(
        self, definition: AlertDefinition, cycle: Cycle, history: AlertHistory
    ) -> set[Period]:
        """Return the windows of a cycle in which an alert fired."""
        told = {*history.periods_of(definition)}
        return told & windows_around(cycle, (each.start for each in told))

    def latest(self, period: Period) -> Period:
        """Return the later one of a period and the present one."""
        present = self._period_at(self._now)
        return period if present is None else max(period, present)

    def goes_on_in(self, period: Period) -> bool:
        """Tell whether usage before a period changes what it comes to."""
        if self._routes.held:
            return True
        try:
            return self._settling.depends_on_earlier(period)
        except OveragesError:  # it can't be settled, and says so
            return True

    # Windows

    def _before(self, cycle: Cycle) -> datetime:
        """Return the start of the window before the present one."""
        try:
            return cycle.period_before(self._now).start
        except OveragesError:
            return self._now

    def _windows(self, cycle: Cycle, start: datetime) -> list[Period]:
        """Return the windows from that of an instant on, up to now and those of usage ahead."""
        try:
            windows = cycle.periods_from(start)
        except InvalidValue:  # none is whole within the years there are
            return []
        begun = takewhile(lambda each: each.start <= self._until, windows)
        return list(filter(self._has_come, begun))

    def _windows_beyond(self, cycle: Cycle, start: datetime, end: datetime) -> set[Period]:
        """Return the windows, not over, whose charges usage from one instant to another changes.

        The charges of others, which are over, may have changed, too: that is of no use any more.
        """
        windows = self._windows(cycle, max(start, self._now))
        return {each for each in windows if each.start < end}

    # Periods

    def _period_at(self, instant: datetime) -> Period | None:
        """Return the org's period at an instant; None without terms, or at the end of all time."""
        try:
            return self._account.period_at(instant)
        except OveragesError:
            return None

    def _is_open(self, period: Period) -> bool:
        return self._repository.closing(self._account.org_id, period) is None

    @cached_property
    def _open_since(self) -> datetime:
        closing = self._repository.closing_before(self._account.org_id, self._now)
        return self._account.since if closing is None else closing.period.end

    @cached_property
    def _open(self) -> Sequence[Period]:
        """The periods that aren't closed and have begun, or have usage already, in order."""
        since, until = self._open_since, self._until
        end = _LAST if until > _LAST - _TICK else until + _TICK
        if since >= end:
            return ()
        try:
            return tuple(filter(self._has_come, self._account.periods(since, end)))
        except OveragesError:  # none is whole within the years there are
            return ()

    def _has_come(self, time: Period) -> bool:
        """Tell whether a time has begun, or has usage already that is dated ahead."""
        if time.start <= self._now:
            return True
        return bool(self._repository.event_sums(self._account.org_id, time))


def windows_around(cycle: Cycle, instants: Iterable[datetime]) -> set[Period]:
    """Return the windows of a cycle that instants lie in; at the end of all time there is none."""
    windows: set[Period] = set()
    for instant in instants:
        with suppress(InvalidValue):
            windows.add(cycle.period_at(instant))
    return windows
