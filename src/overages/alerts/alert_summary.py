"""The summary of an org's alerts: how many stand now, by severity, and how many nobody has seen.

summary_of(fired, now).standing["critical"]       # 1
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import NamedTuple, get_args

from overages._ground.frozen_dict import FrozenDict
from overages.alerts.alert import Severity
from overages.alerts.fired_alert import FiredAlert


class AlertSummary(NamedTuple):
    """The alerts of an org that are reached now.

    :param standing: how many there are of each severity: of the periods, and the lives of grants,
        that the present instant lies in, and those of instants to come.
    :param unseen: how many of them nobody has acknowledged.
    """

    standing: Mapping[str, int]
    unseen: Mapping[str, int]


def summary_of(fired: Iterable[FiredAlert], now: datetime) -> AlertSummary:
    """Return the summary of all alerts of an org that fired.

    :param fired: in the order in which they did.
    :param now: the present instant.

    >>> from datetime import UTC
    >>> summary_of([], datetime(2024, 2, 20, tzinfo=UTC)).standing["critical"]
    0
    """
    last = {entry.id: entry for entry in fired}
    reached = [each for each in last.values() if each.state == "reached" and _is_of(each, now)]
    unseen = [each for each in reached if each.acknowledged_at is None]
    return AlertSummary(_counted(reached), _counted(unseen))


def _is_of(entry: FiredAlert, now: datetime) -> bool:
    if entry.instant is not None:
        return entry.instant > now or now in entry.period
    return now in entry.period


def _counted(entries: Iterable[FiredAlert]) -> Mapping[str, int]:
    severities = [entry.severity for entry in entries]
    return FrozenDict({each: severities.count(each) for each in get_args(Severity)})
