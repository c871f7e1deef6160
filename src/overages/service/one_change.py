"""One change: calls of a service that belong together, of which alerts see the outcome alone.

change = AlertChange()
watch = DeferredWatch(change, repository, lambda: routes, now, until)   # in each of the calls
change.note(AlertWatch(repository, lambda: routes, now, until))         # once all are made
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any, TypeVar

from overages.alerts.fired_alert import FiredAlert
from overages.service.alert_watch import AlertWatch, Keep, WindowUsage, events_of
from overages.service.watched_org import WatchedOrg, WatchedUsage
from overages.usage.event import UsageEvent

T = TypeVar("T")


class AlertChange:
    """Changes of usage, of budgets and of alerts that are one: alerts see its outcome alone."""

    def __init__(self) -> None:
        self.before: dict[str, WindowUsage] = {}
        """The usage of windows before the change, by org."""
        self.looks: dict[str, bool] = {}
        """The orgs whose alerts are looked at then, and whether `note_open` is to look back."""

    @contextmanager
    def part(self) -> Iterator[None]:
        """Forget all of a block that fails, as its usage is taken back."""
        before, looks = dict(self.before), dict(self.looks)
        try:
            yield
        except BaseException:
            self.before, self.looks = before, looks
            raise

    def note(self, watch: AlertWatch) -> None:
        """Note the alerts that the whole of it fires or clears.

        :param watch: one that has seen nothing of it.
        """
        for org_id, looks_back in self.looks.items():
            watch.note_change(org_id, self.before.get(org_id), looks_back=looks_back)


class DeferredWatch(AlertWatch):
    """Notes nothing yet: usage goes on, and its orgs are looked at when the change is whole.

    :param change: that all of it is a part of; the other parameters are those of `AlertWatch`.
    """

    def __init__(self, change: AlertChange, *watched: Any) -> None:
        super().__init__(*watched)
        self._change = change

    def keep(self, usage: Sequence[WatchedUsage[T]], add: Keep[tuple[T, UsageEvent]]) -> int:
        """Keep the events of orgs."""
        for own in usage:
            self._expect(own.watched, own.instants)
        return add(events_of(usage))

    def take_back(self, org_id: str, event_ids: Sequence[str], withdraw: Keep[str]) -> int:
        """Withdraw events of an org."""
        watched = self.watched(org_id)
        if watched is not None:
            self._expect(watched, ())
        return withdraw(event_ids)

    def note_open(self, org_id: str, *, looks_back: bool = False) -> tuple[FiredAlert, ...]:
        """Have the alerts of an org looked at."""
        self._change.looks[org_id] = looks_back or self._change.looks.get(org_id, False)
        return ()

    def _expect(self, watched: WatchedOrg, instants: Iterable[datetime]) -> None:
        """Have the alerts of an org looked at, of all windows in which its usage changes.

        :param instants: those that its usage counts at, as far as they are known.
        """
        change, org_id, numbers = self._change, watched.account.org_id, self._numbers(watched)
        before, windows = change.before.get(org_id, {}), numbers.windows_around(instants)
        if org_id not in change.before:
            watched.read_all()
            windows |= numbers.windows_known(watched.history)
            change.looks.setdefault(org_id, False)
        change.before[org_id] = {**before, **numbers.usage_in(windows - before.keys())}
