"""The alert watch: alerts are noted with the usage that reaches them, in its own transaction.

    watch = AlertWatch(repository, lambda: routes, now, until)
    own = WatchedUsage(watch.watched("acme"), events, counts_at)
    watch.keep([own], add)                                        # add(events) keeps them

The outcome is as if events came one by one: the same for any split into batches. Where usage of an
org only grows, and nothing fires before a batch nor at its end, nothing did within it. The events
of other orgs are taken back and kept in halves, down to the event that did it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from functools import cached_property, partial
from typing import Final, TypeAlias, TypeVar

from overages.alerts.alert import AlertDefinition
from overages.alerts.fired_alert import FiredAlert
from overages.alerts.firing import Reading, fire_all, fire_occasions
from overages.alerts.occasions import occurrences
from overages.bookkeeping.plans_in_force import PlansInForce
from overages.insight.budget import Budget
from overages.periods.cycle import Cycle
from overages.periods.period import Period
from overages.readings.alert_numbers import (
    AlertNumbers,
    BudgetWindow,
    UsageOfWindow,
    has_risen,
    subject_of,
)
from overages.readings.alert_times import Look
from overages.repository import Repository
from overages.service.watched_org import WatchedOrg, WatchedUsage, is_even
from overages.usage.event import UsageEvent
from overages.usage.routing import Routes

T = TypeVar("T")

_PORTION: Final = 512
"""The orgs of which all that is kept is read at once."""

Keep: TypeAlias = Callable[[Sequence[T]], int]
"""Keeps some usage, or takes it back; returns how many of it are new."""

WindowUsage: TypeAlias = Mapping[BudgetWindow, UsageOfWindow]
"""The usage of windows, by the subject of their budget."""


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

    def keep(self, usage: Sequence[WatchedUsage[T]], add: Keep[tuple[T, UsageEvent]]) -> int:
        """Keep the events of orgs, and note the alerts that they fire.

        Orgs of which nothing fires are kept together. Of the others, the first halves of all their
        events are, and then the second halves, down to the event of each that did it.

        :param add: keeps some of the events, and returns how many are new.
        :returns: how many are new.
        """
        if len(usage) == 1 and usage[0].is_one:
            return self._keep_one(usage[0], add)
        asked = [own for own in usage if self._needs_before(own)]
        loud = {*asked} - {*self._among(asked, self._is_quiet_before)}
        quiet = [own for own in usage if own not in loud and self._may_only_grow(own)]
        together = list[WatchedUsage[T]]()
        try:
            with self._repository.transaction():
                events = events_of(quiet)
                new = add(events)
                together = self._among(
                    quiet, partial(self._can_be_kept, are_new=new == len(events))
                )
                if len(together) < len(quiet):
                    raise _Apart
        except _Apart:
            new = add(events_of(together))
        for own in together:
            self._add(own.watched, own.fired)
        loud = {*usage} - {*together}
        apart = [own for own in usage if own in loud]  # in their order
        new += sum(self._keep_one(own, add) for own in apart if own.is_one)
        halves = [own.halves() for own in apart if not own.is_one]
        return new + sum(self.keep(part, add) for part in zip(*halves, strict=True))

    def _keep_one(self, own: WatchedUsage[T], add: Keep[tuple[T, UsageEvent]]) -> int:
        """Keep one event, and note the alerts that fire as it is there."""
        new = add(own.events)
        if new:  # or it was noted as it came
            numbers = self._numbers(own.watched)
            self._note(own.watched, numbers, self._look(own, numbers))
        return new

    def _look(self, own: WatchedUsage[T], numbers: AlertNumbers) -> Look:
        """Return the times that usage changes."""
        falls = own.takes_back
        rises = not falls or any(event.metric in self._routes.counted for _, event in own.events)
        return numbers.times.changed_at(own.instants, rises=rises, falls=falls)

    def _among(
        self, usage: Sequence[WatchedUsage[T]], is_quiet: Callable[[WatchedUsage[T]], bool]
    ) -> list[WatchedUsage[T]]:
        """Return those of the orgs that are quiet; all that is kept of many is read at once."""
        if len(usage) == 1:
            return list(filter(is_quiet, usage))
        quiet = list[WatchedUsage[T]]()
        for first in range(0, len(usage), _PORTION):
            some = usage[first : first + _PORTION]
            periods = {own.watched.account.org_id: own.periods for own in some}
            with self._repository.transaction_of(periods):
                quiet += filter(is_quiet, some)
        return quiet

    def _may_only_grow(self, own: WatchedUsage[T]) -> bool:
        """Tell whether events can only add to their metrics, and are counted nowhere else."""
        return own.is_one or all(
            event.quantity >= 0 and not self._routes.counts(event.metric) for _, event in own.events
        )

    def _needs_before(self, own: WatchedUsage[T]) -> bool:
        """Tell whether the numbers before usage are needed.

        Where nothing fired in its periods, and it changes no later one, the numbers on the way lie
        between none and those after it.
        """
        if own.is_one:
            return False
        if not own.watched.is_untold(own.periods):
            return True
        if len(own.periods) == 1 and max(own.periods).end > self._until:
            return False  # no other one has begun
        times = self._numbers(own.watched).times
        return not own.periods.issuperset(times.changed_at(own.instants).periods)

    def _is_quiet_before(self, own: WatchedUsage[T]) -> bool:
        """Tell whether numbers before usage reach nothing: if no limit has changed, they don't."""
        own.before = numbers = self._numbers(own.watched)
        readings = numbers.readings(numbers.times.changed_at(own.instants))
        return self._reaches_nothing(own, numbers, readings)

    def _can_be_kept(self, own: WatchedUsage[T], *, are_new: bool) -> bool:
        """Tell whether numbers reach nothing after usage, and didn't as it came.

        The alerts that one event fires are noted.

        :param are_new: whether all events are.
        """
        watched, before = own.watched, own.before
        numbers = self._numbers(watched)
        look = self._look(own, numbers)
        readings = numbers.readings(look)
        if own.is_one:
            fired = self._fired(watched, readings)
            own.fired = fired if are_new else ()
            return are_new or not fired
        if self._may_have_fallen(own, numbers, look, readings):
            return False
        if before is not None:
            even = not before.takes_back and all(map(is_even, numbers.statements()))
            readings = [*readings, *numbers.between(before, readings, even=even)]
        return self._reaches_nothing(own, numbers, readings)

    def _may_have_fallen(
        self,
        own: WatchedUsage[T],
        numbers: AlertNumbers,
        look: Look,
        readings: Sequence[Reading],
    ) -> bool:
        """Tell whether limits may have fallen to nothing, or to a threshold, as usage came.

        Units of an earlier period take from those that a later one has: then its limit is reached
        before anything is used, and a number says no more what was reached on the way.
        """
        first = min(own.periods, default=None)
        later = {
            each
            for each in look.periods
            if first is not None and each > first and numbers.times.goes_on_in(each)
        }
        return bool(later) and (
            own.watched.has_ends
            or any(
                each.period in later and each.unreached == "nothing_included" for each in readings
            )
        )

    def _reaches_nothing(
        self, own: WatchedUsage[T], numbers: AlertNumbers, readings: Sequence[Reading]
    ) -> bool:
        return (
            all(each.is_settled for each in readings)
            and all(map(own.watched.only_grows, numbers.statements()))
            and not self._fired(own.watched, readings)
        )

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
            numbers = self._numbers(watched)
            before = numbers.usage_in(numbers.windows_known(watched.history))
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
        self._add(watched, fired)
        return fired

    def _add(self, watched: WatchedOrg, fired: Sequence[FiredAlert]) -> None:
        """Keep alerts that an org's usage fires or clears."""
        if fired:
            self._repository.add_alerts(fired)
            watched.history.add(fired)

    # All that has come with time, or by other than usage

    def note_all(self, org_id: str) -> tuple[FiredAlert, ...]:
        """Keep and return the alerts of all open periods of an org, and those that come with time.

        :param org_id: whose.
        """
        watched = self.watched(org_id)
        if watched is None:
            return ()
        fired = self.note_open(org_id, looks_back=True)
        grants, history = self._repository.grants(org_id), self._repository.fired_alerts(org_id)
        listed = occurrences(watched.account, grants, watched.definitions)
        timely = fire_occasions(org_id, listed, history, self._now)
        self._repository.add_alerts(timely)
        return (*fired, *timely)

    def note_open(self, org_id: str, *, looks_back: bool = False) -> tuple[FiredAlert, ...]:
        """Keep and return the alerts of all open periods of an org, as its usage is now.

        :param looks_back: whether those of windows before the present ones are looked at, too.
        """
        return self.note_change(org_id, None, looks_back=looks_back)

    def note_change(
        self, org_id: str, before: WindowUsage | None, *, looks_back: bool
    ) -> tuple[FiredAlert, ...]:
        """Keep and return the same after a change of usage.

        :param before: the usage of windows before it; those that it changes are looked at, too.
        """
        watched = self.watched(org_id)
        if watched is None:
            return ()
        return self._note_open(watched, before, looks_back=looks_back)

    def _note_open(
        self,
        watched: WatchedOrg,
        before: WindowUsage | None = None,
        *,
        looks_back: bool = False,
    ) -> tuple[FiredAlert, ...]:
        """Keep and return the alerts of all that is open; see `note_change`."""
        watched.read_all()
        numbers = self._numbers(watched)
        look = numbers.times.open(watched.history, looks_back=looks_back)
        if before:
            after = numbers.usage_in(before)
            changed = {each for each, used in after.items() if used != before[each]}
            counted = self._routes.counted
            risen = {each for each in changed if has_risen(before[each], after[each], counted)}
            fallen = {each for each in changed if has_risen(after[each], before[each], counted)}
            only_fallen, windows_of = fallen - risen, look.windows

            def windows(definition: AlertDefinition, budget: Budget, cycle: Cycle) -> list[Period]:
                own = {window for subject, window in changed if subject == subject_of(budget)}
                return sorted({*windows_of(definition, budget, cycle), *own})

            look = look._replace(
                windows=windows,
                rises=lambda budget, window: (subject_of(budget), window) not in only_fallen,
                falls=lambda budget, window: (subject_of(budget), window) in fallen,
            )
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


def events_of(usage: Iterable[WatchedUsage[T]]) -> list[tuple[T, UsageEvent]]:
    """Return the events of all of some orgs."""
    return [event for own in usage for event in own.events]


class _Apart(Exception):
    """A batch is to be taken back, and kept in parts."""
