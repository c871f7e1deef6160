"""The alert watch: alerts are noted with the usage that reaches them, in its own transaction.

    watch = AlertWatch(repository, lambda: routes, now, until)
    watch.keep(watch.watched("acme"), events, add, counts_at)     # add(events) keeps them

The outcome is as if events came one by one: the same for any split into batches. Where usage only
grows, and nothing fires before a batch nor at its end, nothing did within it. Where something is,
the batch is taken back and kept in halves, down to the event that did it.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from typing import TypeAlias, TypeVar

from overages.alerts.alert import AlertDefinition
from overages.alerts.fired_alert import FiredAlert
from overages.alerts.firing import Reading, fire_all, fire_occasions
from overages.alerts.occasions import occurrences
from overages.bookkeeping.alert_numbers import AlertNumbers, BudgetSubject, subject_of
from overages.bookkeeping.alert_times import Look
from overages.bookkeeping.plans_in_force import PlansInForce
from overages.insight.budget import Budget
from overages.periods.cycle import Cycle
from overages.periods.period import Period
from overages.repository import Repository
from overages.service.watched_org import WatchedOrg, is_even
from overages.usage.event import UsageEvent
from overages.usage.routing import Routes

T = TypeVar("T")

Keep: TypeAlias = Callable[[Sequence[T]], int]
"""Keeps some usage, or takes it back; returns how many of it are new."""

WindowUsage: TypeAlias = Mapping[tuple[BudgetSubject, Period], Hashable]
"""The usage of windows, by the subject of their budget."""

InstantOf: TypeAlias = Callable[[UsageEvent], datetime]
"""Gives the instant that an event counts at."""


class AlertWatch:
    """Notes the alerts of orgs, for one call of a host.

    :param routes: gives the metrics that are more than sums of their events; asked within the
        transaction of the usage.
    :param now: the present instant.
    :param until: the last instant that usage may be dated at.
    """

    def __init__(
        self,
        repository: Repository,
        routes: Callable[[], Routes],
        now: datetime,
        until: datetime,
    ) -> None:
        self._repository, self._read_routes = repository, routes
        self._now, self._until = now, until
        self._plans = PlansInForce(repository)
        self._watched: dict[str, WatchedOrg | None] = {}

    def watched(self, org_id: str) -> WatchedOrg | None:
        """Return an org with its alerts; None if it has none.

        It costs one query where no org has any; else the alerts of each org are read once.
        """
        if not self.are_any:
            return None
        if org_id not in self._watched:
            definitions = self._repository.alert_definitions(org_id)
            account = self._repository.account(org_id) if definitions else None
            watched = None
            if account is not None:
                watched = WatchedOrg(account, definitions, self._repository)
            self._watched[org_id] = watched
        return self._watched[org_id]

    @cached_property
    def are_any(self) -> bool:
        """Whether any org has alerts."""
        return self._repository.has_alerts()

    @cached_property
    def _routes(self) -> Routes:
        return self._read_routes()

    # Usage

    def keep(
        self,
        watched: WatchedOrg,
        events: Sequence[tuple[T, UsageEvent]],
        add: Keep[tuple[T, UsageEvent]],
        counts_at: InstantOf | None,
    ) -> int:
        """Keep events of an org, each with a value beside it, and note the alerts that they fire.

        :param add: keeps some of them, and returns how many are new.
        :returns: how many are new.
        """
        if len(events) == 1:
            new = add(events)
            if new:  # or it was noted as it came
                numbers = self._numbers(watched)
                look = numbers.times.changed_at(self._instants(events, counts_at))
                self._note(watched, numbers, look)
            return new
        if all(self._may_only_grow(event) for _, event in events):
            try:
                instants = self._instants(events, counts_at)
                with self._repository.transaction():
                    before = self._quiet(watched, instants)  # if no limit has changed, say
                    new = add(events)
                    self._quiet(watched, instants, since=before)
                return new
            except _Apart:
                pass
        half = len(events) // 2
        halves = events[:half], events[half:]
        return sum(self.keep(watched, each, add, counts_at) for each in halves)

    def _may_only_grow(self, event: UsageEvent) -> bool:
        """Tell whether an event can only add to its metric, and is counted nowhere else."""
        return event.quantity >= 0 and not self._routes.counts(event.metric)

    @staticmethod
    def _instants(
        events: Sequence[tuple[T, UsageEvent]], counts_at: InstantOf | None
    ) -> set[datetime]:
        return {event.at if counts_at is None else counts_at(event) for _, event in events}

    def _quiet(
        self,
        watched: WatchedOrg,
        instants: Iterable[datetime],
        since: AlertNumbers | None = None,
    ) -> AlertNumbers:
        """Return numbers that reach nothing; raise `_Apart` where some do, or may have done so.

        :param since: the numbers before a batch.
        """
        numbers = self._numbers(watched)
        readings = numbers.readings(numbers.times.changed_at(instants))
        statements = numbers.statements()
        if since is not None:
            even = not since.takes_back and all(map(is_even, statements))
            readings = [*readings, *numbers.between(since, readings, even=even)]
        is_settled = all(each.is_settled for each in readings)
        grows = all(map(watched.only_grows, statements))
        if not is_settled or not grows or self._fired(watched, readings):
            raise _Apart
        return numbers

    def take_back(self, org_id: str, event_ids: Sequence[str], withdraw: Keep[str]) -> int:
        """Withdraw events of an org, and note the alerts that are cleared after each of them.

        :param withdraw: withdraws some of them, and returns how many weren't withdrawn before.
        :returns: the same of all.
        """
        watched = self.watched(org_id)
        if watched is None:
            return withdraw(event_ids)
        if len(event_ids) < 2:
            watched.read_all()
            before = self._numbers(watched).window_usage(watched.history)
            new = withdraw(event_ids)
            self._note_open(watched, before)
            return new
        try:
            with self._repository.transaction():
                withdraw(event_ids)  # all faults are told together
                raise _Apart
        except _Apart:
            return sum(self.take_back(org_id, [each], withdraw) for each in event_ids)

    def _note(
        self, watched: WatchedOrg, numbers: AlertNumbers, look: Look
    ) -> tuple[FiredAlert, ...]:
        """Keep and return the alerts that an org's usage fires or clears, as it is now."""
        fired = self._fired(watched, numbers.readings(look))
        if fired:
            self._repository.add_alerts(fired)
            watched.history.add(fired)
        return fired

    # All that has come with time, or by other than usage

    def note_all(self, org_id: str) -> tuple[FiredAlert, ...]:
        """Keep and return the alerts of all open periods of an org, and those that come with time.

        :param org_id: whose.
        """
        watched = self.watched(org_id)
        if watched is None:
            return ()
        fired = self.note_open(org_id)
        grants, history = self._repository.grants(org_id), self._repository.fired_alerts(org_id)
        listed = occurrences(watched.account, grants, watched.definitions)
        timely = fire_occasions(org_id, listed, history, self._now)
        self._repository.add_alerts(timely)
        return (*fired, *timely)

    def note_open(self, org_id: str, since: datetime | None = None) -> tuple[FiredAlert, ...]:
        """Keep and return the alerts of all open periods of an org, as its usage is now.

        :param since: an instant; windows that were over by then are left out.
        """
        return self.note_change(org_id, None, since)

    def note_change(
        self, org_id: str, before: WindowUsage | None, since: datetime | None
    ) -> tuple[FiredAlert, ...]:
        """Keep and return the same after a change of usage.

        :param before: the usage of windows before it; those that it changes are looked at, too.
        """
        watched = self.watched(org_id)
        return () if watched is None else self._note_open(watched, before, since)

    def _note_open(
        self,
        watched: WatchedOrg,
        before: WindowUsage | None = None,
        since: datetime | None = None,
    ) -> tuple[FiredAlert, ...]:
        """Keep and return the alerts of all that is open.

        :param before: the usage of windows before a change; those that it changes are looked at.
        """
        watched.read_all()
        numbers = self._numbers(watched)
        look = numbers.times.open(watched.history, since)
        if before:
            after = numbers.window_usage(watched.history)
            same = {subject for subject, _ in before} & {subject for subject, _ in after}
            changed = {key for key, _ in before.items() ^ after.items() if key[0] in same}
            windows_of = look.windows

            def windows(definition: AlertDefinition, budget: Budget, cycle: Cycle) -> list[Period]:
                own = {window for subject, window in changed if subject == subject_of(budget)}
                return sorted({*windows_of(definition, budget, cycle), *own})

            look = look._replace(windows=windows)
        return self._note(watched, numbers, look)

    def standing(self, org_id: str) -> list[Reading]:
        """Return the numbers of each alert of an org in the present period."""
        watched = self.watched(org_id)
        if watched is None:
            return []
        numbers = self._numbers(watched)
        return numbers.readings(numbers.times.present())

    def _numbers(self, watched: WatchedOrg) -> AlertNumbers:
        return AlertNumbers(
            self._repository,
            watched.account,
            self._routes,
            watched.definitions,
            self._now,
            self._until,
            self._plans,
        )

    def _fired(self, watched: WatchedOrg, readings: Sequence[Reading]) -> tuple[FiredAlert, ...]:
        """Return the alerts that are new by some numbers."""
        watched.read({reading.period for reading in readings})
        return fire_all(watched.account.org_id, readings, watched.history, self._now)


class _Apart(Exception):
    """A batch is to be taken back, and kept in halves."""
