"""Newcomers: orgs that have usage and no account.

They are listed, with the accounts that they resemble, and nothing is written; or they are given a
plan, from the start of the period of their earliest event on:

    newcomers = Newcomers(repository, plan="starter", cycle=book.default_cycle)
    rows = newcomers.settled(source, rows)            # but for those of new orgs, which wait
    for source, rows in newcomers.admitted(now): ...  # once all files are read
"""

from __future__ import annotations

from collections.abc import Iterable, Set
from datetime import datetime
from itertools import islice
from typing import Final, NamedTuple

from overages.commands.desk.faults import MOST_OF_A_KIND
from overages.commands.desk.rows import Rows, WaitingRows
from overages.commands.desk.terminal import say
from overages.errors import did_you_mean
from overages.periods.cycle import Cycle
from overages.periods.period import Period
from overages.periods.timezones import zone_of
from overages.repository import Repository
from overages.terms.account import Account, account_of

_PORTION: Final = 5_000  # accounts that are put at once
_MOST_NEAR: Final = 5_000  # accounts among which one that a name resembles is looked for


class Source(NamedTuple):
    """A usage file by its name, and the batch that its rows are of."""

    name: str
    batch: str


class Newcomers:
    """The orgs of usage files that have no account in the database.

    :param plan: the plan that they are given; None if they are refused.
    :param cycle: by which they are billed then.
    """

    def __init__(self, repository: Repository, plan: str | None, cycle: Cycle) -> None:
        self._repository, self._plan, self._cycle = repository, plan, cycle
        self._with_account: set[str] = set()
        self._earliest: dict[str, datetime] = {}  # of those that are given a plan
        self._waiting: dict[Source, WaitingRows] = {}  # their rows
        self._refused: dict[str, tuple[str, int]] = {}  # the first row of each other, and its rows
        self._first: tuple[Period, Account] | None = None
        self.told: list[str] = []
        """A line for each of the first that were given an account."""
        self.count: int = 0
        """The number of those that were given one."""

    def settled(self, source: Source, rows: Rows) -> Rows:
        """Return the rows of the orgs that have an account; hold the others."""
        orgs = rows.events.orgs
        new = {*orgs} - self._with_account
        if new:
            self._with_account.update(self._repository.accounts(new - self._earliest.keys()))
            new -= self._with_account
        if not new:
            return rows
        put_aside = self._refuse if self._plan is None else self._hold
        put_aside(source, rows.where([org_id in new for org_id in orgs]))
        return rows.where([org_id not in new for org_id in orgs])

    def _hold(self, source: Source, rows: Rows) -> None:
        """Hold the rows of new orgs."""
        self._waiting.setdefault(source, WaitingRows()).add(rows)
        earliest = self._earliest
        for org_id, at in zip(rows.events.orgs, rows.events.times, strict=True):
            if at < earliest.setdefault(org_id, at):
                earliest[org_id] = at

    def _refuse(self, source: Source, rows: Rows) -> None:
        """Count the rows of orgs that are refused."""
        for line, org_id in zip(rows.lines, rows.events.orgs, strict=True):
            place, count = self._refused.get(org_id, (f"{source.name}:{line}", 0))
            self._refused[org_id] = place, count + 1

    @property
    def get_plan(self) -> bool:
        """Whether they are given a plan."""
        return self._plan is not None

    @property
    def orgs(self) -> Set[str]:
        """Those that are given a plan, and those that are refused."""
        return self._earliest.keys() | self._refused.keys()

    @property
    def are_refused(self) -> bool:
        """Whether there are any, and no plan for them."""
        return bool(self._refused)

    def say_refused(self) -> None:
        """List them, those with the most rows first."""
        most = sorted(self._refused.items(), key=lambda each: (-each[1][1], each[0]))
        accounts = self._accounts()
        for org_id, (place, rows) in most[:MOST_OF_A_KIND]:
            hint = did_you_mean(org_id, accounts)
            noun = "row" if rows == 1 else "rows"
            say(f"{place}: org_id: {org_id!r} has no account{hint}; {rows:,} {noun}")
        if len(most) > MOST_OF_A_KIND:
            say(f"and {len(most) - MOST_OF_A_KIND:,} more orgs without an account")
        say(
            f"orgs without an account: {len(most):,}; nothing was written: give them an account in"
            " the plans, or the default plan by --new-orgs"
        )

    def _accounts(self) -> list[str]:
        """Return the orgs that have an account, unless they are too many to look for a near one."""
        orgs = list(islice(self._repository.orgs(), _MOST_NEAR + 1))
        return orgs if len(orgs) <= _MOST_NEAR else []

    def admitted(self, now: datetime) -> Iterable[tuple[Source, WaitingRows]]:
        """Give each of them an account, and return the rows of each file, org by org.

        They wait no more: the rows are the caller's, who may take them.

        :param now: when that is noted.
        """
        near, earliest = self._accounts(), self._earliest
        orgs = iter(sorted(earliest))
        while some := [self.account(each, earliest[each]) for each in islice(orgs, _PORTION)]:
            self.count += len(some)
            for account in some[: MOST_OF_A_KIND - len(self.told)]:
                hint = did_you_mean(account.org_id, near)
                self.told.append(f"{account.org_id}: a new account: {self._terms(account)}{hint}")
            self._repository.put_accounts(some, noted_at=now)
        for rows in self._waiting.values():
            rows.sort_by_org()  # they are kept in half the time, as their indexes are sorted so
        return self._waiting.items()

    def period_at(self, instant: datetime) -> Period:
        """Return the period that an instant lies in of those that are given a plan."""
        return self._cycle.period_at(instant)

    def account(self, org_id: str, earliest: datetime) -> Account:
        """Return the account of an org from the start of the period of its earliest event on."""
        first = self._first  # most have the terms of the one before
        if first is None or not first[0].start <= earliest < first[0].end:
            assert self._plan is not None  # or it would have been refused
            period = self._cycle.period_at(earliest)
            first = period, Account(org_id, self._plan, period.start, cycle=self._cycle)
            self._first = first
        return account_of(org_id, first[1])

    def _terms(self, account: Account) -> str:
        zone = zone_of(self._cycle.timezone)
        return f"plan {self._plan} from {account.since.astimezone(zone):%Y-%m-%d}"
