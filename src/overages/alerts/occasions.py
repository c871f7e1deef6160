"""Occasions: the instants that alerts are about, by the account's terms and its grants.

occurrences(account, grants, definitions)         # trials and grants that end, other plans
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import pairwise

from overages.alerts.alert import AlertDefinition
from overages.alerts.firing import Occurrence
from overages.errors import InvalidValue
from overages.grants.grant import Grant
from overages.periods.period import Period
from overages.terms.account import Account
from overages.terms.timeline import FOREVER


def occurrences(
    account: Account, grants: Iterable[Grant], definitions: Iterable[AlertDefinition]
) -> list[Occurrence]:
    """Return all instants of an org that alerts are about, past and to come.

    :param grants: all that the org ever had.
    :param definitions: the alerts that count for it.
    """
    listed: list[Occurrence] = []
    for definition in definitions:
        occasion = definition.alert.occasion
        if occasion == "trial_expiring":
            listed += [Occurrence(definition, time, time.end, None) for time in _trials(account)]
        elif occasion == "grant_expiring":
            listed += _expiries(grants, definition)
        elif occasion == "plan_changed":
            listed += _changes_of_plan(account, definition)
    return listed


def _trials(account: Account) -> list[Period]:
    """Return the times of trial that have an end."""
    times: list[Period] = []
    for start, end, terms, _ in account.timeline.stretches:
        if terms is None or not terms.own.trial:
            continue
        goes_on = times and times[-1].end == start
        times.append(Period(times.pop().start if goes_on else start, end))
    return [time for time in times if time.end != FOREVER]


def _changes_of_plan(account: Account, definition: AlertDefinition) -> Iterator[Occurrence]:
    """Yield the instants from which another plan holds than before, also after a pause."""
    held = [(each.start, each.terms) for each in account.timeline.stretches if each.terms]
    for (_, before), (start, after) in pairwise(held):
        if before.plan != after.plan:
            yield Occurrence(definition, _period_from(account, start), start, after.plan)


def _period_from(account: Account, start: datetime) -> Period:
    """Return the period that a change lies in, or, where none is whole, the time from it on."""
    try:
        return account.period_at(start)
    except InvalidValue:  # in the last days of the year 9999
        return Period(start, FOREVER)


def _expiries(grants: Iterable[Grant], definition: AlertDefinition) -> Iterator[Occurrence]:
    """Yield the instants at which grants expire that nobody has voided."""
    for grant in grants:
        is_meant = definition.alert.grant in (None, grant.id)
        if is_meant and grant.expires_at is not None and grant.voided_at is None:
            yield Occurrence(definition, life_of(grant), grant.expires_at, grant.id)


def life_of(grant: Grant) -> Period:
    """Return the time that a grant is for, whether or not it is voided before."""
    return Period(grant.effective_at, grant.expires_at or FOREVER)
