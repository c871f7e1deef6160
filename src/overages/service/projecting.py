"""Projecting: the bill that an org's period should come to, from what a repository has.

    service.project("acme").expected_bill.total
    projecting = Projecting(repository, account, routes, now)
    projecting.projection(february).expected_bill.total

Usage is read by day, as it stood at the end of each: that of the period, and of up to twelve before
it. The bill is settled by `Settling`, as any other, from usage with the expected units added to it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from typing import Final, NamedTuple

from overages.amounts.exact import SCALE, scaled
from overages.bookkeeping.plans_in_force import PlansInForce
from overages.bookkeeping.settling import Settling
from overages.bookkeeping.usage_reader import UsageReader
from overages.errors import InvalidValue
from overages.forecasts.daily_usage import DailyUsage, dates_of, days_of
from overages.forecasts.forecast import MetricDays
from overages.forecasts.methods import UsageKind
from overages.forecasts.usage_days import UsageDays, usage_days
from overages.insight.outlook import Outlook
from overages.insight.projection import Projection, project
from overages.periods.cycle import Cycle
from overages.periods.period import Period, format_instant
from overages.repository import Repository
from overages.service.base import ServiceBase
from overages.settlements.standing import Standing
from overages.statements.limit_now import limits_now
from overages.statements.statement import Statement
from overages.terms.account import Account
from overages.terms.plan import Plan
from overages.usage.event import UsageEvent
from overages.usage.routing import Routes
from overages.usage.usage import Usage

PAST_PERIODS: Final = 12
"""The periods before the one that is projected that are looked at: a year of months."""


class Projecting:
    """Projects the periods of an account.

    :param account: the org, and the history of its terms.
    :param routes: the metrics that are more than sums of their events.
    :param now: the present instant.
    """

    def __init__(
        self, repository: Repository, account: Account, routes: Routes, now: datetime
    ) -> None:
        self._repository, self._account, self._routes = repository, account, routes
        self._org_id, self._now = account.org_id, now
        self._plans = PlansInForce(repository)
        self._reader = _ProjectedReader(repository, account.org_id, routes)
        ended = lambda each: each.end <= now  # noqa: E731
        self._settling = Settling(repository, account, routes, ended, self._plans, self._reader)

    def projection(self, period: Period, *, is_proposed: bool = False) -> Projection:
        """Return the bill that a period of the org's should come to.

        :param is_proposed: whether the account isn't the kept one, so that a closed period isn't
            taken as it was closed.
        :raises InvalidValue: if it hasn't begun.
        :raises OveragesError: as `Settling.settlement` does.
        """
        if self._now < period.start:
            problem = f"must have begun by {format_instant(self._now)} to be projected"
            error = InvalidValue("period", str(period), problem)
            raise error.within(org_id=self._org_id, period=period)
        so_far, _, left = self._so_far(period, is_proposed=is_proposed)
        timezone = self._account.agreed_in(period).parts[0][1].cycle.timezone
        metrics = self._metrics(period, timezone)

        def bill(outlook: Outlook) -> Statement:
            if self._now >= period.end:
                return so_far
            with self._reader.looking_ahead(period, outlook):
                return self._settling.settlement(period, final=True).statement

        limits = limits_now(so_far, self._now, left=left, levels=self._routes.held)
        return project(self._now, timezone, metrics, so_far, bill, limits)

    def _so_far(self, period: Period, *, is_proposed: bool) -> Standing:
        """Return a period as it stands, or as it was closed, with the grants in it."""
        closing = self._repository.closing(self._org_id, period)
        if closing is None:
            return self._settling.standing_with(period, self._now)({})
        standing = self._settling.standing_again(closing, self._now)
        if is_proposed:
            return standing
        settled = self._repository.settled(self._org_id, period)
        assert settled is not None  # or it wouldn't be closed
        return standing._replace(statement=settled.statement)

    def _metrics(self, period: Period, timezone: str) -> dict[str, MetricDays]:
        """Return all that is known of the metrics of a period: those of its plans, or used."""
        plans = [
            self._plans.plan(period, part, terms) for part, terms in self._account.parts(period)
        ]
        used = self._reader.usages([period.start, period.end])[0].quantities
        own = self._read(period, timezone)
        earlier = self._earlier(period, timezone) if self._now < period.end else []
        rules = {rule.name: rule for rule in self._routes.metrics}
        names = [metric for plan in plans for metric in plan.allowances]
        histories = {}
        for name in dict.fromkeys([*names, *used]):
            current = own.of(name)
            before = tuple(each.of(name) for each in earlier if each.tells(name))
            picos = scaled(used.get(name, 0))
            histories[name] = MetricDays(
                self._kind(name, plans),
                picos,
                current,
                before,
                self._step(name, [picos, *current.picos, *(p for b in before for p in b.picos)]),
                is_held=name in rules and rules[name].holds_level,
                without_days=own.days.without.get(name, 0),
            )
        return histories

    def _earlier(self, period: Period, timezone: str) -> list[_ReadPeriod]:
        """Read the last periods before one, in order; those that can't be told are left out."""
        if period.start <= self._account.since:
            return []
        before = self._account.periods(self._account.since, period.start)
        earlier = []
        for each in deque(before, PAST_PERIODS):
            try:
                earlier.append(self._read(each, timezone, like=period))
            except InvalidValue:  # it cuts sums that were put, say
                continue
        return earlier

    def _read(self, period: Period, timezone: str, like: Period | None = None) -> _ReadPeriod:
        """Read the days of a period that are over.

        :param like: the period that it is to be compared with.
        """
        days = days_of(period, timezone)
        over = sum(day.end <= self._now for day in days)
        bounds = [period.start, *(day.end for day in days[:over])]
        if over < len(days):
            bounds.append(period.end)
        counts = self._reader.counts(bounds)
        is_whole = self._account.whole_of(period) is None and (
            like is None or self._cycle(period) == self._cycle(like)
        )
        read = usage_days(self._org_id, days, over, self._routes, counts)
        return _ReadPeriod(dates_of(days, timezone), read, is_whole)

    def _cycle(self, period: Period) -> Cycle:
        return self._account.agreed_in(period).parts[0][1].cycle

    def _kind(self, metric: str, plans: Sequence[Plan]) -> UsageKind:
        """Return the kind of a metric's usage: as it is counted, or as its plan says."""
        rules = {rule.name: rule.aggregation for rule in self._routes.metrics}
        match rules.get(metric, "sum"):
            case "unique":
                return "unique"
            case "max":
                return "peak"
            case "sum" | "count":
                lines = [plan.compiled.by_metric.get(metric) for plan in plans]
                is_level = any(line is not None and line.is_level(frozenset()) for line in lines)
                return "level" if is_level else "flow"
            case _:
                return "level"

    def _step(self, metric: str, picos: Iterable[int]) -> int:
        """Return the picos that a metric is counted in: its increment, or its finest decimal."""
        for rule in self._routes.metrics:
            if rule.name == metric and rule.increment is not None and not rule.increment.first:
                return scaled(rule.increment.step)
        step = SCALE
        for units in picos:
            while units % step:
                step //= 10
        return step


class _ReadPeriod(NamedTuple):
    """The days of a period, of all metrics."""

    dates: tuple[date, ...]
    days: UsageDays
    is_whole: bool

    def tells(self, metric: str) -> bool:
        """Tell whether the days have all units of a metric, and no less than none."""
        return metric not in self.days.without and sum(self.days.of(metric)) >= 0

    def of(self, metric: str) -> DailyUsage:
        """Return the days of a metric."""
        return DailyUsage(self.dates, self.days.of(metric), self.is_whole)


class _ProjectedReader(UsageReader):
    """Reads the usage of an org, for a while with the units that are expected in one period."""

    def __init__(self, repository: Repository, org_id: str, routes: Routes) -> None:
        super().__init__(repository, org_id, routes)
        self._ahead: tuple[Period, Outlook] | None = None

    @contextmanager
    def looking_ahead(self, period: Period, outlook: Outlook) -> Iterator[None]:
        """Have a period's usage be read with the units of an outlook, within the block."""
        self._ahead = period, outlook
        try:
            yield
        finally:
            self._ahead = None

    def usages(self, bounds: Sequence[datetime]) -> list[Usage]:
        usages, outlook = super().usages(bounds), self._outlook(Period(bounds[0], bounds[-1]))
        return usages if outlook is None else outlook.applied(usages)

    def events(self, period: Period, metrics: Iterable[str]) -> list[UsageEvent]:
        names = sorted(metric for metric in metrics if self._routes.is_sum(metric))
        events, outlook = super().events(period, names), self._outlook(period)
        return events if outlook is None else [*events, *outlook.events(self._org_id, names)]

    def _outlook(self, period: Period) -> Outlook | None:
        """Return the units that are expected in a period, if it is the one that is looked at."""
        return self._ahead[1] if self._ahead is not None and self._ahead[0] == period else None


class Forecasts(ServiceBase):
    """The forecasts of orgs; `OverageService` has it."""

    def project(
        self, org_id: str, period: Period | None = None, *, account: Account | None = None
    ) -> Projection | None:
        """Return the bill that an org's period should come to, and how sure that is.

        The units of the days that are left are those of the method that was off least for this org
        and metric, on the same day of its last periods; the bill is settled as at the end. Writes
        nothing. Of a period that is over, it is the statement.

        :param account: the org's with a change that isn't put yet, which the bill then has.
        :returns: None if the org has no account, or no terms hold then. Where there is not enough
            to say of a metric, the projection says why.
        :raises InvalidValue: if the period isn't one of the org's, or hasn't begun.
        :raises OveragesError: as `calculate` does.
        """
        self._require_enabled()
        with self._repository.snapshot():
            held = self._account(org_id, account)
            own = None if held is None else self._period(held, period)
            if held is None or own is None:
                return None
            projecting = Projecting(self._repository, held, self._routes, self._now())
            return projecting.projection(own, is_proposed=account is not None)
