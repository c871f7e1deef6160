"""Alerts that fire in the transaction of a command, said once it is done.

say_alerts(repository, orgs, now)     # acme: warning: 90 % of runs are used: 45 of 50, ...
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from overages.alerts.fired_alert import FiredAlert
from overages.commands.desk.periods import zone_for
from overages.commands.desk.terminal import say
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
        for fired in repository.fired_alerts(org_id):
            if fired.noted_at == now and not fired.is_silent:
                count += 1
                if count <= _MOST_SHOWN:
                    say(told(fired, repository))
    if count > _MOST_SHOWN:
        say(f"and {count - _MOST_SHOWN:,} more alerts; overages alerts lists them all")


def told(fired: FiredAlert, repository: Repository) -> str:
    """Write an alert in one line, by the days of its budget's window, or of its org."""
    zone = zone_for(repository.account(fired.org_id), fired.period)
    for budget in repository.budgets(fired.org_id):
        if budget.id == fired.definition.alert.budget and budget.window is not None:
            zone = zone_of(budget.window.timezone)
    return f"{fired.org_id}: {fired.severity}: {fired.message_in(zone)}"
