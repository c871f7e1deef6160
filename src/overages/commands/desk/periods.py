"""Periods of an org, read and written as the org knows them: in its timezone, by name.

periods_of(account, "2024-02")                    # its February, wherever it is
name_of(account, period)                          # February 2024
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, tzinfo

from overages.commands.desk.outcome import WRONG, Stop
from overages.commands.desk.terminal import say
from overages.errors import InvalidValue
from overages.periods.period import Period
from overages.periods.timezones import zone_of
from overages.repository import Repository
from overages.terms.account import Account


def periods_of(account: Account, text: str) -> list[Period]:
    """Return the periods of an account that lie in a time.

    :param text: a month or a time; its months and dates are in the account's timezone.
    :raises InvalidValue: if the time cuts one of them; the error names those that it touches.
    """
    times = [Period.parse(text, zone) for zone in _zones(account)]
    time = next((each for each in times if account.divides(each)), times[0])
    if not account.divides(time):
        account.require(time)
    return list(account.periods(time.start, time.end))


def periods_among(
    repository: Repository, orgs: Sequence[str], text: str
) -> list[tuple[str, Period]]:
    """Return the periods of some orgs that lie in a time, by org.

    An org of which the time cuts a period is named, and has none.

    :raises Stop: if it is the only one.
    """
    periods = list[tuple[str, Period]]()
    for org_id in orgs:
        account = repository.account(org_id)
        try:
            own = [] if account is None else periods_of(account, text)
        except InvalidValue as error:
            say(f"--period: {error}: left out; --org {org_id} and one of its own names it")
            if len(orgs) == 1:
                raise Stop(WRONG) from None
            continue
        periods += [(org_id, period) for period in own]
    return periods


def name_of(account: Account | None, period: Period) -> str:
    """Write a period as the org knows it."""
    return period.name(zone_for(account, period))


def zone_for(account: Account | None, period: Period) -> tzinfo:
    """Return the timezone of an org's period."""
    if account is None or account.at(period.start) is None:
        return UTC
    _, terms = account.last_terms(period)
    return zone_of(terms.cycle.timezone)


def _zones(account: Account) -> list[tzinfo]:
    """Return the timezones of an account's cycles, the latest first."""
    stretches = reversed(account.timeline.stretches)
    names = [each.terms.cycle.timezone for each in stretches if each.terms is not None]
    return [zone_of(name) for name in dict.fromkeys(names or ["UTC"])]
