"""Alerts that fire in the transaction of a command, said once it is done, and those that can't.

say_alerts(repository, orgs, now)     # acme: warning: 90 % of runs are used: 45 of 50, ...
say_out_of_reach("acme.toml", repository, orgs, (), now)    # alert acme/daily-80 can't fire: ...
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from copy import copy
from datetime import datetime
from typing import Final

from overages.alerts.alert import Alert
from overages.alerts.fired_alert import FiredAlert
from overages.commands.desk.faults import written
from overages.commands.desk.periods import zone_for
from overages.commands.desk.terminal import say
from overages.errors import OveragesError
from overages.imports.warnings import out_of_reach, without_subject
from overages.periods.timezones import zone_of
from overages.repository import Repository

_MOST_SHOWN: Final = 20


def say_alerts(repository: Repository, orgs: Iterable[str], now: datetime) -> None:
    """Say the alerts of orgs that were noted at an instant: the first of them, and a count.

    :param orgs: those that something was written of.
    """
    if not repository.has_alerts():
        return
    count = 0
    for org_id in sorted(orgs):
        fired = repository.fired_alerts(org_id)
        new = [each for each in fired if each.noted_at == now and not each.is_silent]
        for line in told(org_id, new[: max(0, _MOST_SHOWN - count)], repository):
            say(line)
        count += len(new)
    if count > _MOST_SHOWN:
        say(f"and {count - _MOST_SHOWN:,} more alerts; overages alerts lists them all")


def say_out_of_reach(
    source: str,
    repository: Repository,
    orgs: Iterable[str],
    alerts: Iterable[Alert],
    now: datetime,
) -> None:
    """Say which alerts can't fire, and why: the first of them, and a count.

    :param source: the name of the file, or of the database.
    :param orgs: whose own alerts are looked at.
    :param alerts: those of all orgs that are looked at: whether any org has their budget or grant.
    """
    if not repository.has_alerts():
        return
    lines = [
        f"alert {org_id}/{alert.id} can't fire: {_reason(error)}"
        for org_id in sorted(orgs)
        for alert, error in out_of_reach(org_id, repository, now)
    ]
    lines += [
        f"alert {alert.id} can't fire before an org has the {subject}{near}"
        for alert, subject, near in without_subject(alerts, repository)
    ]
    for line in lines[:_MOST_SHOWN]:
        say(f'{source}: {line}; "dropped" in its place ends it')
    if len(lines) > _MOST_SHOWN:
        say(f"{source}: and {len(lines) - _MOST_SHOWN:,} more alerts can't fire")


def _reason(error: OveragesError) -> str:
    """Write an error of an alert, without the names of the org and of the alert."""
    own = copy(error)
    own.org_id, own.path = None, error.path[1:]
    return written(own)


def told(org_id: str, fired: Sequence[FiredAlert], repository: Repository) -> list[str]:
    """Write each alert of an org in one line, by the days of its budget's window, or of the org."""
    if not fired:
        return []
    account = repository.account(org_id)
    windows = {each.id: each.window for each in repository.budgets(org_id)}
    lines = []
    for each in fired:
        window = windows.get(each.definition.alert.budget or "")
        zone = zone_for(account, each.period) if window is None else zone_of(window.timezone)
        lines.append(f"{org_id}: {each.severity}: {each.message_in(zone)}")
    return lines
