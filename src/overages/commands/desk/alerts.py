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
from overages.repository import Repository
from overages.terms.account import Account

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
                    say(told(fired, repository.account(org_id)))
    if count > _MOST_SHOWN:
        say(f"and {count - _MOST_SHOWN:,} more alerts; overages alerts lists them all")


def told(fired: FiredAlert, account: Account | None) -> str:
    """Write an alert in one line, by the days of its org."""
    zone = zone_for(account, fired.period)
    return f"{fired.org_id}: {fired.severity}: {fired.message_in(zone)}"
