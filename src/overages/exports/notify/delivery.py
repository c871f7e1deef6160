"""Deliveries: alerts are noted in an outbox before they are sent, and sent until they arrive.

    delivery = deliver_alerts(outbox, notifier, service.alerts("acme"), now=now)
    delivery.is_complete, delivery.problems

An alert that is noted as delivered is never sent again. One whose fate isn't known (no reply, a
crash in between) is sent again under the same key, by which the receiver takes it once.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from logging import INFO, WARNING, getLogger
from typing import Final

from attrs import frozen

from overages._ground.frozen_dict import FrozenDict
from overages._ground.names import parse_name
from overages._ground.parsing import instance_of, parse_all, tuple_of
from overages.alerts.fired_alert import FiredAlert
from overages.errors import Field, InvalidType, OveragesError, at
from overages.exports.notify.notice import Notice, notice_of, read_notice
from overages.exports.notify.notifier import NotDelivered, Notifier
from overages.outbox import Outbox, OutboxEntry
from overages.periods.period import parse_instant

_log: Final = getLogger("overages.exports.notify")


@frozen(weakref_slot=False)
class AlertDelivery:
    """The state of alerts at their receiver after a round.

    :param alerts: how many there are that someone is to be told of.
    :param delivered: how many have arrived, in this round or before.
    :param sent: how many this round has sent.
    :param problems: why others haven't arrived, by the alert's key.
    """

    alerts: int
    delivered: int
    sent: int
    problems: FrozenDict[str, str]

    @property
    def is_complete(self) -> bool:
        """Whether all have arrived; if not, the same call is made again, at any time."""
        return self.delivered == self.alerts


def deliver_alerts(
    outbox: Outbox, notifier: Notifier, alerts: Iterable[FiredAlert], *, now: datetime
) -> AlertDelivery:
    """Bring alerts to a receiver, the oldest first, each once; silent ones are passed over.

    The same again sends only those that haven't arrived.

    :param outbox: where they are noted; the one that the host keeps.
    :param alerts: of any orgs, such as `OverageService.alerts` gives, newest first.
    :param now: the present instant.
    """
    outbox, notifier, fired, now = parse_all(
        (instance_of(Outbox), outbox, "outbox"),
        (_parse_notifier, notifier, "notifier"),
        (tuple_of(FiredAlert), alerts, "alerts"),
        (parse_instant, now, "now"),
    )
    notices = [notice_of(each) for each in reversed(fired) if not each.is_silent]
    delivery = _Round(outbox, notifier, now)
    by_org: dict[str, list[Notice]] = {}
    for notice in notices:
        by_org.setdefault(notice.org_id, []).append(notice)
    delivered = sum(delivery.bring(own) for own in by_org.values())
    is_complete = delivered == len(notices)
    counts = {"alerts": len(notices), "delivered": delivered, "sent": delivery.sent}
    _log.log(
        INFO if is_complete else WARNING,
        "%d of %d alerts delivered", delivered, len(notices),
        extra={"destination": notifier.destination, **counts},
    )  # fmt: skip
    return AlertDelivery(len(notices), delivered, delivery.sent, FrozenDict(delivery.problems))


def _parse_notifier(value: object, field: Field) -> Notifier:
    if not isinstance(value, Notifier):
        problem = "must have a method notify, and the name of its destination"
        raise InvalidType(field, value, problem)
    parse_name(value.destination, at(field, "destination"))
    return value


class _Round:
    """One round of deliveries to one receiver."""

    def __init__(self, outbox: Outbox, notifier: Notifier, now: datetime) -> None:
        self._outbox, self._notifier, self._now = outbox, notifier, now
        self.problems: dict[str, str] = {}
        self.sent: int = 0
        self._stopped_by: str | None = None

    def bring(self, notices: Sequence[Notice]) -> int:
        """Note the notices of an org, and send those that haven't arrived; count all that have."""
        destination = self._notifier.destination
        entries = [
            OutboxEntry(each.org_id, destination, each.id, each.request, self._now)
            for each in notices
        ]
        self._outbox.add(entries)
        stored = self._outbox.entries(notices[0].org_id, destination, [each.id for each in notices])
        return sum(self._deliver(stored[each.id]) for each in notices)

    def _deliver(self, entry: OutboxEntry) -> bool:
        """Tell whether an entry has arrived, after it was sent if it hadn't."""
        if entry.state == "delivered":
            return True
        if self._stopped_by is not None:
            self.problems[entry.id] = self._stopped_by
            return False
        if entry.state == "failed":
            entry = self._swapped(entry, entry.renewed(entry.request, self._now))
        try:
            reference = self._notifier.notify(read_notice(entry.request), entry.key)
        except NotDelivered as failure:
            self.problems[entry.id] = str(failure)
            if failure.is_general:
                self._stopped_by = str(failure)
            if failure.is_refused:
                self._swapped(entry, entry.failed())
            return False
        self.sent += 1
        try:
            delivered = entry.delivered(reference)
        except OveragesError:  # it has arrived, whatever it is called there
            delivered = entry.delivered(entry.key)
        return self._swapped(entry, delivered).state == "delivered"

    def _swapped(self, old: OutboxEntry, new: OutboxEntry) -> OutboxEntry:
        """Return the entry as it is now: as `new`, unless another round was faster."""
        if self._outbox.swap(old, new):
            return new
        return self._outbox.entries(old.org_id, old.destination, [old.id])[old.id]
