"""Alerts that fire in the transaction of a command, said once it is done.

say_alerts(repository, orgs, now)     # acme: warning: 90 % of runs are used: 45 of 50, ...
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
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
        fired = repository.fired_alerts(org_id)
        new = [each for each in fired if each.noted_at == now and not each.is_silent]
        for line in told(org_id, new[: max(0, _MOST_SHOWN - count)], repository):
            say(line)
        count += len(new)
    if count > _MOST_SHOWN:
        say(f"and {count - _MOST_SHOWN:,} more alerts; overages alerts lists them all")


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
