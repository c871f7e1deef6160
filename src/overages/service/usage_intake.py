"""The usage intake: the events that are kept, at the instants that they count at, and the refused.

An event that couldn't be billed is refused when it is reported, not when the bill is due: one of an
org without terms, of a metric that its plan doesn't know, or dated far ahead by a wrong clock.

    intake = UsageIntake(repository, lambda: routes, now=now, ahead=timedelta(days=1), alerts=watch)
    intake.record(events, late="own_period", on_refused=None)

Files bring events by the hundred thousand: they are looked at in columns, and an object is made of
those alone that something is to be said of.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache, cached_property
from itertools import pairwise
from typing import Final, NamedTuple, TypeAlias

from overages._ground.parsing import Problems
from overages.bookkeeping.plans_in_force import PlansInForce, summed_level
from overages.errors import MOST_ERRORS, EventConflict, InvalidValue, OveragesError, UnknownPlan
from overages.periods.period import Period, format_instant
from overages.repository import Repository
from overages.service.alert_watch import AlertWatch
from overages.service.watched_org import WatchedOrg, WatchedUsage
from overages.terms.account import Account
from overages.terms.plan import Plan, unknown_metric
from overages.usage.event import EventColumns, UsageEvent
from overages.usage.metering import Late, later, takes_back
from overages.usage.routing import Routes

OnRefused: TypeAlias = Callable[[OveragesError], object]
"""Is told of each event that is refused, by the error that names it."""

_TICK: Final = timedelta(microseconds=1)

CountsAt: TypeAlias = Callable[[UsageEvent], datetime]
"""Gives the instant that an event counts at."""


class UsageIntake:
    """Takes events in, for one call of a host.

    :param routes: gives the metrics that are more than sums of their events; asked once, in the
        transaction of the events.
    :param now: the present instant.
    :param ahead: how much later than that an event may be dated.
    :param alerts: notes the alerts that events fire.
    :param batch: the name of the batch that the events come in.
    """

    def __init__(
        self,
        repository: Repository,
        routes: Callable[[], Routes],
        *,
        now: datetime,
        ahead: timedelta,
        alerts: AlertWatch,
        batch: str | None = None,
    ) -> None:
        self._repository, self._batch = repository, batch
        self._read_routes = cache(routes)
        self._now, self._ahead, self._latest = now, ahead, later(now, ahead)
        self._plans = PlansInForce(repository)
        self._orgs: dict[str, _Org | None] = {}
        self._following: dict[str, _Following] = {}  # of those with events that may be late
        self._alerts = alerts
        self._parts: dict[int, _Parts] = {}  # by the timeline's identity: many share one

    def record(self, events: EventColumns, late: Late, on_refused: OnRefused | None = None) -> int:
        """Keep events; return the number of new ones.

        :param late: where an event counts whose period is closed: in its own, or at the start of
            the first open one after it, if the plan of that one knows its metric, and unless it
            takes units back.
        :param on_refused: is told of each event that is refused; the others are kept. Without it,
            nothing is kept if one is refused.
        :raises OveragesError: for an event that is refused; `InvalidValues` for several.
        """
        refused: dict[int, OveragesError] = {}  # by place
        with self._repository.transaction():
            self._read_accounts({*events.orgs})
            new = self._add(self._billable(events, refused), late, refused)
            if on_refused is None:
                problems = Problems()
                for _, error in sorted(refused.items()):
                    problems.add(error)
                problems.raise_any()
        if on_refused is not None:
            for _, error in sorted(refused.items()):
                on_refused(error)
        return new

    def _add(self, taken: _Taken, late: Late, refused: dict[int, OveragesError]) -> int:
        """Keep events that can be billed and the alerts they fire; note those that conflict."""
        counts_at = self._counts_at if late == "next_period" else None
        if not self._alerts.are_any:
            return self._add_taken(taken, counts_at, refused)
        watched: dict[str, tuple[WatchedOrg, list[tuple[int, UsageEvent]]]] = {}
        others: list[int] = []  # by their places among those taken
        for number, (place, event) in enumerate(zip(*taken, strict=True)):
            org = self._alerts.watched(event.org_id)
            if org is None:
                others.append(number)
            else:
                watched.setdefault(event.org_id, (org, []))[1].append((place, event))

        def keep(some: Sequence[tuple[int, UsageEvent]]) -> int:
            places = [place for place, _ in some]
            events = EventColumns([event for _, event in some])
            return self._add_taken(_Taken(places, events), counts_at, refused)

        new = 0
        if others or not watched:
            new = self._add_taken(taken.among(others), counts_at, refused)
        usage = [WatchedUsage(org, own, counts_at) for org, own in watched.values()]
        return new + self._alerts.keep(usage, keep)

    def _add_taken(
        self, taken: _Taken, counts_at: CountsAt | None, refused: dict[int, OveragesError]
    ) -> int:
        """Keep events that can be billed, each with its place; note those that conflict.

        An error holds only so many conflicts. Where there may be more, the rest is added in parts
        of as many events, so that the error of a part holds all of its own.
        """
        try:
            return self._repository.add_events(taken.events, counts_at, self._batch)
        except OveragesError as error:
            faults = error.errors
            for each in faults:
                if not isinstance(each, EventConflict):
                    raise
                place = taken.places[int(each.path[1])]
                conflict = EventConflict(("events", place, "id"), each.value, each.problem)
                refused[place] = conflict.within(org_id=each.org_id)
        rest = [i for i, place in enumerate(taken.places) if place not in refused]
        size = max(1, len(rest)) if len(faults) < MOST_ERRORS else MOST_ERRORS
        parts = [taken.among(rest[first : first + size]) for first in range(0, len(rest), size)]
        return sum(self._add_taken(part, counts_at, refused) for part in parts)

    def _billable(self, events: EventColumns, refused: dict[int, OveragesError]) -> _Taken:
        """Return the events that can be billed, each with its place; note the others."""
        latest, orgs = self._latest, self._orgs
        for place, (org_id, metric, at) in enumerate(
            zip(events.orgs, events.metrics, events.times, strict=True)
        ):
            org = orgs[org_id]
            part = None if org is None else org.parts.last
            if (
                part is not None
                and metric in part.sums
                and part.start <= at < part.end
                and at <= latest
            ):
                continue  # as most do, that came after one of the kind
            event = events[place]
            try:
                self._require_billable(event)
            except OveragesError as error:
                if not self._is_there(event):
                    refused[place] = error.within("events", place, org_id=org_id)
        taken = _Taken(range(len(events)), events)
        if not refused:
            return taken
        return taken.among([place for place in taken.places if place not in refused])

    def _is_there(self, event: UsageEvent) -> bool:
        """Tell whether an event of that id is there already: reporting it again changes nothing."""
        if event.id is None:
            return False
        if self._repository.withdrawn_ids(event.org_id, [event.id]):
            return True
        try:
            instant = Period(event.at, event.at + _TICK)
        except OverflowError:
            return False
        return any(each.id == event.id for each in self._repository.events(event.org_id, instant))

    def _require_billable(self, event: UsageEvent) -> None:
        """Refuse an event that couldn't be billed."""
        if event.at > self._latest:
            problem = f"must be at most {self._ahead} ahead of now, {format_instant(self._now)}"
            raise InvalidValue("at", event.at, problem)
        org = self._org(event.org_id)
        part = org.parts.at(event.at, org.account)
        if event.metric not in part.sums:  # of those it is known already that all are billable
            part.require_known(event)

    def _counts_at(self, event: UsageEvent) -> datetime:
        """Return the instant that an event counts at, which is later if its period is closed."""
        if takes_back(event):
            return event.at
        org = self._org(event.org_id)
        if event.org_id not in self._following:
            self._following[event.org_id] = _Following(org, self._repository)
        part = self._following[event.org_id].after(org.parts.at(event.at, org.account))
        return part.start if part is not None and part.knows(event) else event.at

    def _read_accounts(self, orgs: Iterable[str]) -> None:
        accounts = self._repository.accounts(orgs)
        for org_id in orgs:
            account = accounts.get(org_id)
            self._orgs[org_id] = None if account is None else self._new_org(account)

    def _new_org(self, account: Account) -> _Org:
        parts = self._parts.get(id(account.timeline))
        if parts is None:
            parts = _Parts(self._plans, self._read_routes())
            self._parts[id(account.timeline)] = parts
        return _Org(account, parts)

    def _org(self, org_id: str) -> _Org:
        """Return the account of an org that events came of."""
        org = self._orgs[org_id]
        if org is None:
            raise UnknownPlan("org_id", org_id, "must have an account, and so a plan")
        return org


class _Taken(NamedTuple):
    """Events that can be billed, and their places among those that were reported."""

    places: Sequence[int]
    events: EventColumns

    def among(self, numbers: Sequence[int]) -> _Taken:
        """Return some of them, by their numbers among these."""
        return _Taken([self.places[number] for number in numbers], self.events.among(numbers))


class _Org(NamedTuple):
    """An account that events came of, and the parts of its periods, which many others may have."""

    account: Account
    parts: _Parts


class _Following:
    """The parts that late events of an org count in."""

    def __init__(self, org: _Org, repository: Repository) -> None:
        self._account, self._parts = org
        self._repository = repository
        self._after: dict[Period, _Part | None] = {}

    def after(self, part: _Part) -> _Part | None:
        """Return the part that late events of one count in, if its period is closed."""
        period = part.period
        if period not in self._after:
            self._after[period] = self._open_after(period)
        return self._after[period]

    def _open_after(self, period: Period) -> _Part | None:
        """Return the first part of the first open period after a closed one; None for an open one.

        Most usage is in time: all closed periods of an org are read only where some is late.
        """
        if self._repository.closing(self._account.org_id, period) is None:
            return None
        following: Period | None = period
        while following is not None and following in self._last_of_runs:
            following = self._account.period_after(self._last_of_runs[following])
        return None if following is None else self._parts.at(following.start, self._account)

    @cached_property
    def _last_of_runs(self) -> Mapping[Period, Period]:
        """The last of the closed periods that follow on each of them without any between."""
        closed = list(self._repository.closed_periods(self._account.org_id))
        last = dict(zip(closed, closed, strict=True))
        for before, after in reversed(list(pairwise(closed))):
            if before.end == after.start:
                last[before] = last[after]
        return last


class _Parts:
    """The parts that events lay in so far, of accounts that have the same terms in time."""

    def __init__(self, plans: PlansInForce, routes: Routes) -> None:
        self._plans, self._routes = plans, routes
        self._parts: list[_Part] = []
        self.last: _Part | None = None
        """The one that the event before lay in."""

    def at(self, instant: datetime, account: Account) -> _Part:
        """Return the part that an instant lies in.

        :param account: one that has these terms.
        :raises NoTerms: if none does.
        """
        part = self.last
        if part is None or not part.start <= instant < part.end:
            part = next((p for p in self._parts if p.start <= instant < p.end), None)
            if part is None:
                part = self._new_part(instant, account)
                self._parts.append(part)
            self.last = part
        return part

    def _new_part(self, instant: datetime, account: Account) -> _Part:
        account.require_terms(instant, "at")
        period = account.period_at(instant)
        part, terms = next(each for each in account.timeline.parts(period) if instant in each[0])
        try:
            plan = self._plans.plan(period, part, terms)
        except UnknownPlan as error:
            raise UnknownPlan("plan", error.value, error.problem) from None
        return _Part(part, period, plan, self._routes)


class _Part:
    """A time in which the same plan takes an org's events.

    :param period: the period that it is a part of.
    """

    def __init__(self, time: Period, period: Period, plan: Plan, routes: Routes) -> None:
        self.period: Final = period
        self._plan, self._routes = plan, routes
        self.start, self.end = time.start, time.end
        self.sums: set[str] = set()
        """The names that came so far of which the plan knows the sum."""

    def knows(self, event: UsageEvent) -> bool:
        """Tell whether the plan knows all metrics that an event counts for."""
        return all(name in self._plan.allowances for name in self._billed(event))

    def require_known(self, event: UsageEvent) -> None:
        """Refuse an event that counts for a metric which the plan doesn't know.

        :raises UnknownMetric: naming it.
        :raises InvalidValue: if it lacks a dimension that a metric counts, or is summed although
            the plan says that it is held over time.
        """
        for name in self._billed(event):
            if name not in self._plan.allowances:
                raise unknown_metric("metric", name, self._plan)
            is_level = self._plan.allowances[name].kind == "level"
            if is_level and name not in self._routes.held:
                raise summed_level("metric", name)
        if not self._routes.counts(event.metric):
            self.sums.add(event.metric)

    def _billed(self, event: UsageEvent) -> Sequence[str]:
        """Return the metrics that an event counts for; without any, it is summed by its name."""
        return [metric.name for metric in self._routes.of(event)] or [event.metric]
