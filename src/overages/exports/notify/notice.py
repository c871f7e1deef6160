"""Notices: an alert as it is sent, of which the request in the outbox has all.

notice = notice_of(fired)
notice.subject, notice.text, notice.fields["used"]
read_notice(notice.request) == notice
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from overages._ground.frozen_dict import FrozenDict
from overages.alerts.fired_alert import FiredAlert
from overages.alerts.messages import amount_text
from overages.alerts.threshold import parse_used
from overages.amounts.money import Currency, Money
from overages.exports.wire.alerts import alert
from overages.periods.period import format_instant

_AMOUNTS: Final = ("used", "limit", "remaining")


class Notice(NamedTuple):
    """An alert as it is sent.

    :param org_id: whose it is.
    :param id: the key of the alert, by which a receiver knows it again.
    :param subject: one line: how much it matters, the org, and its message.
    :param fields: its parts by name, as the wire's ``GET /alerts`` has them: ``alert`` (the id of
        the definition) and ``version``, ``kind``, ``severity``, ``state``, ``message``; ``metric``,
        ``grant`` or ``budget``; ``period`` (``start`` and ``end``), ``notedAt``; of a threshold
        ``used``, ``limit`` and ``remaining``, as numbers, in minor units where they are money of
        ``currency``; of an occasion ``instant`` and ``about``. One that has nothing to say is None.
    """

    org_id: str
    id: str
    subject: str
    fields: Mapping[str, Any]

    @property
    def text(self) -> str:
        """The subject, and below it each field that says something in a line of its own."""
        lines = [f"{name}: {text}" for name, text in self._texts()]
        return "\n".join([self.subject, "", *lines, ""])

    def _texts(self) -> Iterator[tuple[str, str]]:
        currency = self.fields["currency"]
        for name, value in self.fields.items():
            if value is None or name == "currency":
                continue
            if name == "period":
                yield name, f"{value['start']} to {value['end']}"
            elif name in _AMOUNTS and currency is not None:
                yield name, str(Money(int(value), Currency(**currency)))
            elif name in _AMOUNTS:
                yield name, amount_text(parse_used(value, name))
            else:
                yield name, str(value)

    @property
    def request(self) -> str:
        """The fields as JSON, with org, key and subject: always the same text of one alert."""
        body = {"orgId": self.org_id, "key": self.id, "subject": self.subject, **self.fields}
        return json.dumps(body, ensure_ascii=False, separators=(",", ":"))


def notice_of(fired: FiredAlert) -> Notice:
    """Return an alert that fired as it is sent; whether anybody has seen it is no part of that."""
    body = alert(fired)
    for name in ("key", "acknowledgedAt", "acknowledgedBy"):
        del body[name]
    instant = None if fired.instant is None else format_instant(fired.instant)
    version = fired.definition.alert_version
    fields = {**body, "version": version, "instant": instant, "about": fired.about}
    subject = f"[{fired.severity}] {fired.org_id}: {body['message']}"
    return Notice(fired.org_id, fired.key, subject, FrozenDict(fields))


def read_notice(request: str) -> Notice:
    """Return the notice that a request says."""
    body = dict(json.loads(request))
    org_id, key, subject = (body.pop(name) for name in ("orgId", "key", "subject"))
    return Notice(org_id, key, subject, FrozenDict(body))
