"""Newcomers: orgs that have usage and no account.

They are listed, with the accounts that they resemble, and nothing is written; or they are given a
plan, from the start of the period of their earliest event on:

    newcomers = Newcomers(repository, plan="starter", cycle=book.default_cycle)
    if newcomers.hold(waiting): ...                   # an event of a new org: it waits
    for events in newcomers.admitted(now): ...        # once all files are read
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from typing import Final, NamedTuple

from overages.commands.desk.faults import MOST_OF_A_KIND
from overages.commands.desk.terminal import say
from overages.errors import did_you_mean
from overages.periods.cycle import Cycle
from overages.periods.timezones import zone_of
from overages.repository import Repository
from overages.terms.account import Account
from overages.usage.event import UsageEvent

_MOST_NEAR: Final = 5_000  # accounts among which one that a name resembles is looked for


class Waiting(NamedTuple):
    """An event of an org without an account, and the row that it stands in."""

    source: str
    line: int
    batch: str
    event: UsageEvent


class Newcomers:
    """The orgs of usage files that have no account in the database.

    :param plan: the plan that they are given; None if they are refused.
    :param cycle: by which they are billed then.
    """

    def __init__(self, repository: Repository, plan: str | None, cycle: Cycle) -> None:
        self._repository, self._plan, self._cycle = repository, plan, cycle
        self._is_known: dict[str, bool] = {}
        self._waiting: dict[str, list[Waiting]] = {}
        self._rows: dict[str, int] = {}
        self.told: list[str] = []
        """A line for each that was given an account."""

    def hold(self, waiting: Waiting) -> bool:
        """Hold the event of an org that has no account; tell whether it is such a one."""
        org_id = waiting.event.org_id
        is_known = self._is_known.get(org_id)
        if is_known is None:
            is_known = self._repository.account(org_id) is not None
            self._is_known[org_id] = is_known
        if is_known:
            return False
        rows = self._waiting.setdefault(org_id, [])
        if not rows or self._plan is not None:  # of an org that is refused, the first one is named
            rows.append(waiting)
        self._rows[org_id] = self._rows.get(org_id, 0) + 1
        return True

    @property
    def are_refused(self) -> bool:
        """Whether there are any, and no plan for them."""
        return bool(self._waiting) and self._plan is None

    def say_refused(self) -> None:
        """List them, those with the most rows first."""
        orgs = sorted(self._rows, key=lambda org_id: (-self._rows[org_id], org_id))
        accounts = self._accounts()
        for org_id in orgs[:MOST_OF_A_KIND]:
            first, rows = self._waiting[org_id][0], self._rows[org_id]
            place = f"{first.source}:{first.line}"
            hint = did_you_mean(org_id, accounts)
            noun = "row" if rows == 1 else "rows"
            say(f"{place}: org_id: {org_id!r} has no account{hint}; {rows:,} {noun}")
        if len(orgs) > MOST_OF_A_KIND:
            say(f"and {len(orgs) - MOST_OF_A_KIND:,} more orgs without an account")
        say(
            f"orgs without an account: {len(orgs):,}; nothing was written: give them an account in"
            " the plans, or the default plan by --new-orgs"
        )

    def _accounts(self) -> list[str]:
        """Return the orgs that have an account, unless they are too many to look for a near one."""
        orgs = list(islice(self._repository.orgs(), _MOST_NEAR + 1))
        return orgs if len(orgs) <= _MOST_NEAR else []

    def admitted(self, now: datetime) -> Iterator[list[Waiting]]:
        """Give each of them an account, and yield its rows.

        :param now: when that is noted.
        """
        accounts = self._accounts()
        for org_id, rows in self._waiting.items():
            assert self._plan is not None  # or they would have been refused
            earliest = min(row.event.at for row in rows)
            since = self._cycle.period_at(earliest).start
            account = Account(org_id, self._plan, since, cycle=self._cycle)
            self._repository.put_account(account, noted_at=now)
            near = did_you_mean(org_id, accounts) if len(self.told) < MOST_OF_A_KIND else ""
            zone = zone_of(self._cycle.timezone)
            self.told.append(
                f"{org_id}: a new account: plan {self._plan} from {since.astimezone(zone):%Y-%m-%d}"
                f"{near}"
            )
            yield rows
