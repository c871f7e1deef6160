"""Alert numbers: the numbers that alerts are compared with, by the statement that is the bill.

    numbers = AlertNumbers(repository, account, routes, definitions, now, until)
    numbers.readings(numbers.times.changed_at({instant}))

A number that can't be worked out, as a period has less than no usage, say, leaves its own alert as
it is, and no other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from contextlib import suppress
from datetime import datetime, timedelta
from functools import cached_property
from logging import getLogger
from typing import Final, TypeAlias

from overages._ground.frozen_dict import FrozenDict
from overages.alerts.alert import Alert, AlertDefinition
from overages.alerts.alert_history import AlertHistory
from overages.alerts.firing import Reading
from overages.alerts.occasions import life_of
from overages.alerts.threshold import Amount
from overages.amounts.exact import Quantity, excess
from overages.amounts.money import Money
from overages.bookkeeping.plans_in_force import PlansInForce
from overages.bookkeeping.settling import Settling
from overages.bookkeeping.usage_reader import UsageReader
from overages.errors import InvalidValue, OveragesError, StorageError
from overages.grants.grant import Grant
from overages.grants.state import GrantState
from overages.insight.budget import Budget
from overages.periods.cycle import Cycle
from overages.periods.period import Period
from overages.quotas.position import minor_of
from overages.readings.alert_times import AlertTimes, Look, windows_around
from overages.readings.window_charges import Bills, WindowCharges
from overages.repository import Repository
from overages.settlements.standing import Standing
from overages.statements.limit_now import LimitNow, limit_now
from overages.statements.statement import Statement
from overages.terms.account import Account
from overages.terms.allowance import Allowance
from overages.usage.event_sum import EventSum
from overages.usage.routing import Routes

UsageOfWindow: TypeAlias = FrozenDict[str, Quantity | EventSum]
"""The units of the metric of a budget of units; of one of money, all events by their names."""

BudgetSubject: TypeAlias = tuple[str, str | None, bool, Cycle | None]
"""The id of a budget, its metric, whether it is of money, and its window."""

BudgetWindow: TypeAlias = tuple[BudgetSubject, Period]
"""A window, and the subject of its budget."""

_TICK: Final = timedelta(microseconds=1)
_log: Final = getLogger("overages.readings")


class AlertNumbers:
    """Works out the numbers of an org's alerts, as its usage is now.

    :param account: the org's.
    :param routes: the metrics that are more than sums of their events.
    :param definitions: the alerts that count for it.
    :param now: the present instant.
    :param until: the last instant that usage may be dated at.
    :param plans: those that were read already in the same transaction.
    """

    def __init__(
        self,
        repository: Repository,
        account: Account,
        routes: Routes,
        definitions: Iterable[AlertDefinition],
        now: datetime,
        until: datetime,
        plans: PlansInForce | None = None,
    ) -> None:
        self._repository, self._account, self._routes = repository, account, routes
        self._definitions, self._now = tuple(definitions), now
        self._plans = plans or PlansInForce(repository)
        self._settling = Settling(
            repository, account, routes, lambda each: each.end <= now, self._plans
        )
        self.times: Final = AlertTimes(repository, account, routes, self._settling, now, until)
        self._standing: dict[Period, Standing | OveragesError] = {}
        self._limits: dict[tuple[Period, str], LimitNow] = {}
        self._bills: dict[tuple[str, Period], Bills] = {}  # by the budget's id
        self.takes_back: bool = False
        """Whether more is taken back than used in a window whose charges were read."""

    def statements(self) -> Sequence[Statement]:
        """Return the statements that were worked out for the readings."""
        standing = self._standing.values()
        own = [each.statement for each in standing if isinstance(each, Standing)]
        return [*own, *self._charges.statements()]

    def between(
        self, earlier: AlertNumbers, readings: Iterable[Reading], *, even: bool
    ) -> Iterator[Reading]:
        """Yield the least and the most that charges of windows were since earlier numbers.

        They may have been lower or higher on the way, though each bill has only grown: usage before
        a window can make units in it dearer or cheaper.

        :param readings: those that are now.
        :param even: see `Bills.bounds_since`.
        """
        for reading in readings:
            key = reading.definition.alert.budget or "", reading.period
            if key in self._bills and reading.used is not None:
                now = self._bills[key]
                before = earlier._bills.get(key, now._replace(before=0, by_end=0))
                for used in now.bounds_since(before, even=even):
                    yield reading._replace(used=used)

    def readings(self, look: Look) -> list[Reading]:
        """Return the numbers of each alert in some times, by `Reading.is_settled` as far as known.

        Grants are one over all periods: they are read in the last of these, or the present one.
        """
        readings: list[Reading] = []
        for period in look.periods:
            for definition in self._definitions:
                if definition.alert.threshold is not None and definition.alert.grant is None:
                    readings += self._settled_of(definition, period, self._of_period)
        for definition in self._definitions:
            budget = self._budgets.get(definition.alert.budget or "")
            if budget is not None and budget.window is not None:
                readings += self._of_windows(definition, budget, budget.window, look)
            if definition.alert.budget is not None:
                bygone = look.bygone(definition, budget)
                readings += [Reading(definition, time, None, None) for time in bygone]
            if look.periods and definition.alert.grant and definition.alert.threshold:
                latest = self.times.latest(look.periods[-1])
                readings += self._settled_of(definition, latest, self._of_grant)
        return readings

    def _settled_of(
        self,
        definition: AlertDefinition,
        period: Period,
        read: Callable[[AlertDefinition, Period], Sequence[Reading]],
    ) -> Sequence[Reading]:
        """Return the readings of an alert; one that isn't settled if it can't be worked out."""
        try:
            return read(definition, period)
        except StorageError:
            raise
        except OveragesError as error:
            _log_unsettled(definition, self._account.org_id, error)
            return [Reading(definition, period, None, None, is_settled=False)]

    def windows_known(self, history: AlertHistory) -> set[BudgetWindow]:
        """Return the windows of budgets with alerts that aren't closed, or in which one fired."""
        windows = set[BudgetWindow]()
        for definition, budget, cycle in self._windowed():
            told = self.times.windows_told(definition, cycle, history)
            own = {*self.times.windows_open(cycle), *told}
            windows |= {(subject_of(budget), each) for each in own}
        return windows

    def windows_around(self, instants: Iterable[datetime]) -> set[BudgetWindow]:
        """Return the windows of budgets with alerts that some instants lie in."""
        return {
            (subject_of(budget), window)
            for _, budget, cycle in self._windowed()
            for window in windows_around(cycle, instants)
        }

    def _windowed(self) -> Iterator[tuple[AlertDefinition, Budget, Cycle]]:
        """Yield the alerts on budgets of windows."""
        for definition in self._definitions:
            budget = self._budgets.get(definition.alert.budget or "")
            if budget is not None and budget.window is not None:
                yield definition, budget, budget.window

    def usage_in(self, windows: Iterable[BudgetWindow]) -> dict[BudgetWindow, UsageOfWindow]:
        """Return the usage in windows of budgets that are still the same, as far as it is known."""
        usage: dict[BudgetWindow, UsageOfWindow] = {}
        for subject, window in windows:
            budget = self._budgets.get(subject[0])
            if budget is not None and subject == subject_of(budget):
                with suppress(InvalidValue):  # sums that were put for a longer time
                    usage[subject, window] = self._usage(budget, window)
        return usage

    def _usage(self, budget: Budget, window: Period) -> UsageOfWindow:
        if budget.is_money:  # settling them all would take long
            return FrozenDict(self._repository.event_sums(self._account.org_id, window))
        metric = str(budget.metric)
        return FrozenDict({metric: self._reader.units(metric, window)})

    def _stands(self, period: Period) -> Standing:
        """Return the standing of a period, worked out once, or raise why there is none."""
        if period not in self._standing:
            try:
                stands_with = self._settling.standing_with(period, self._now)
                self._standing[period] = stands_with({})
            except StorageError:
                raise
            except OveragesError as error:
                self._standing[period] = error
        standing = self._standing[period]
        if isinstance(standing, OveragesError):
            raise standing
        return standing

    def _of_period(self, definition: AlertDefinition, period: Period) -> Sequence[Reading]:
        if definition.alert.budget is not None:
            return self._of_budget(definition, period)
        statement = self._stands(period).statement
        return [Reading(definition, period, *self._numbers(definition.alert, statement))]

    def _numbers(self, alert: Alert, statement: Statement) -> tuple[Amount | None, Amount | None]:
        """Return the units or the money that an alert of a metric, or of all, is about."""
        metric, threshold = alert.metric, alert.threshold
        if metric is None:
            return statement.total, None
        if metric not in statement:
            return None, None
        if threshold is not None and threshold.cost is not None:
            return Money(minor_of(statement, metric), statement.currency), None
        now = self._limit_now(statement.period, metric)
        used, limit = now.used, now.limit
        if threshold is not None and threshold.of == "overage" and limit is not None:
            limit = excess(used, now.over) if now.over else limit  # each part has its own overage
        return used, limit

    def _limit_now(self, period: Period, metric: str) -> LimitNow:
        """Return the limit of a metric in a period, worked out once for all of its alerts."""
        if (period, metric) not in self._limits:
            statement, _, left = self._stands(period)
            self._limits[period, metric] = limit_now(
                statement, metric, self._now, left=left, levels=self._routes.held
            )
        return self._limits[period, metric]

    def _of_budget(self, definition: AlertDefinition, period: Period) -> Sequence[Reading]:
        budget = self._budgets.get(definition.alert.budget or "")
        if budget is None:
            return [Reading(definition, period, None, None)]
        if budget.window is not None:
            return []
        statement = self._stands(period).statement
        spent: Amount | None = None
        if isinstance(budget.amount, Money):
            spent = Money(minor_of(statement, budget.metric), statement.currency)
        elif budget.metric is not None and budget.metric in statement:
            spent = self._limit_now(period, budget.metric).used
        return [Reading(definition, period, spent, budget.amount)]

    def _of_windows(
        self, definition: AlertDefinition, budget: Budget, cycle: Cycle, look: Look
    ) -> Iterator[Reading]:
        """Yield the numbers of a budget in each of its windows, as decisions have them."""

        def read(definition: AlertDefinition, window: Period) -> Sequence[Reading]:
            used: Amount | None = None
            if budget.is_money:
                used = self._charged(budget, window)
            elif (allowance := self._allowance(str(budget.metric), window)) is not None:
                used = allowance.converted(self._reader.units(str(budget.metric), window))
            return [Reading(definition, window, used, budget.amount)]

        for window in look.windows(definition, budget, cycle):
            is_over = window.end <= self._now
            if not is_over or (
                look.rises(budget, window) and window.end > self._told_since(definition, budget)
            ):
                yield from self._settled_of(definition, window, read)
            elif look.falls(budget, window):
                readings = self._settled_of(definition, window, read)
                yield from (each._replace(clears_alone=True) for each in readings)

    def _charged(self, budget: Budget, window: Period) -> Money | None:
        bills = self._charges.bills(budget, window)
        if bills is None:
            return None
        self._bills[budget.id, window] = bills
        self.takes_back |= self._charges.takes_back(window)
        return bills.rise

    def _allowance(self, metric: str, window: Period) -> Allowance | None:
        """Return the allowance of a metric now, or as the last terms of a window have it."""
        last = max(window.start, min(window.end - _TICK, self._now))
        parts = self._account.timeline.parts(Period(window.start, last + _TICK))
        if not parts:
            return None
        part, terms = parts[-1]
        period = self._account.period_at(part.start)
        part, terms = next(each for each in self._account.parts(period) if part.start in each[0])
        return self._plans.plan(period, part, terms).allowances.get(metric)

    @cached_property
    def _reader(self) -> UsageReader:
        return UsageReader(self._repository, self._account.org_id, self._routes)

    @cached_property
    def _charges(self) -> WindowCharges:
        return WindowCharges(self._repository, self._account, self._settling, self._now)

    @cached_property
    def _budgets(self) -> dict[str, Budget]:
        return {each.id: each for each in self._repository.budgets(self._account.org_id)}

    def _told_since(self, definition: AlertDefinition, budget: Budget) -> datetime:
        """Return the instant by which both an alert and its budget were put."""
        return max(definition.put_at, self._starts.get(budget.id, definition.put_at))

    @cached_property
    def _starts(self) -> Mapping[str, datetime]:
        return self._repository.budget_starts(self._account.org_id)

    @cached_property
    def _grants(self) -> dict[str, Grant]:
        return {grant.id: grant for grant in self._settling.grants}

    def _of_grant(self, definition: AlertDefinition, period: Period) -> Sequence[Reading]:
        """Return the numbers of a grant, by all usage until a period's end.

        Units that it lost as it ended were never used.
        """
        grant = self._grants.get(definition.alert.grant or "")
        if grant is None:
            return [Reading(definition, period, None, None)]
        if grant.recurrence is not None:
            return self._of_recurring(definition, grant, grant.recurrence)
        granted: Quantity = grant.units
        used: Quantity = 0
        for state in self._states(grant, period):
            granted, used = state.granted, state.drawn
        used_now, limit = _in_unit(grant, used, granted)
        return [Reading(definition, life_of(grant), used_now, limit)]

    def _of_recurring(
        self, definition: AlertDefinition, grant: Grant, cycle: Cycle
    ) -> Sequence[Reading]:
        """Return the numbers of a grant from its last refill on, which are of its amount.

        Of money, that is the last one before the bill, and so it is of units without an instant.
        """
        periods = self.times.present().periods
        if not periods:
            return []
        is_timed = grant.currency is None and self._routes.is_sum(str(grant.metric))
        at = self._now if is_timed else periods[0].end - _TICK
        if at < grant.effective_at or (grant.ends_at is not None and grant.ends_at <= at):
            return []
        own, life, left = cycle.period_at(at), life_of(grant), grant.units
        for state in self._states(grant, periods[0]):
            left = state.left
        used, limit = _in_unit(grant, excess(grant.units, left), grant.units)
        time = Period(max(own.start, life.start), min(own.end, life.end))
        return [Reading(definition, time, used, limit)]

    def _states(self, grant: Grant, period: Period) -> Iterator[GrantState]:
        """Yield the state of a grant now, by the usage of a period, if it has one."""
        for burndown in self._stands(period).grants:
            yield from (state for state in burndown.grants if state.grant_id == grant.id)


def _in_unit(grant: Grant, *numbers: Amount) -> tuple[Amount, ...]:
    """Return numbers of a grant as units, or as money where it is of money."""
    currency = grant.currency
    if currency is None:
        return numbers
    return tuple(each if isinstance(each, Money) else Money.of(each, currency) for each in numbers)


def _log_unsettled(definition: AlertDefinition, org_id: str, error: OveragesError) -> None:
    """Log that the number of an alert can't be worked out; amounts are never logged."""
    alert_id, kind = definition.alert.id, type(error).__name__
    extra = {"org_id": org_id, "alert": alert_id}
    _log.warning("%s: alert %s stays as it is: %s", org_id, alert_id, kind, extra=extra)


def subject_of(budget: Budget) -> BudgetSubject:
    """Return all that the usage of a budget follows from: one of another subject is another."""
    return budget.id, budget.metric, budget.is_money, budget.window


def has_risen(before: UsageOfWindow, after: UsageOfWindow, counted: Set[str]) -> bool:
    """Tell whether some usage of a window is more than it was; the other way round, or less.

    :param counted: the names of the events that are counted, whatever their quantities.
    """
    return any(
        now > then
        for name in {*before, *after}
        for now, then in zip(
            _numbers_of(after.get(name, 0), is_counted=name in counted),
            _numbers_of(before.get(name, 0), is_counted=name in counted),
            strict=True,
        )
    )


def _numbers_of(used: Quantity | EventSum, *, is_counted: bool) -> tuple[Quantity, Quantity]:
    """Return the units of events, and their number where it counts."""
    if isinstance(used, EventSum):
        return used.picos, used.events if is_counted else 0
    return used, 0
