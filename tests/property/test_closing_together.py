"""Closing many orgs together and each alone: the same rows in the database, and the same outcomes.

Random orgs have plans that change, grants, entries, usage that is withdrawn or put, and records of
earlier. Their months are closed some orgs at a time, and one by one, on copies of one database: the
fresh ones by `Repository.close_fresh`, and by `close_period` like all others.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from datetime import timedelta
from itertools import islice
from random import Random
from typing import Any, Final

from hypothesis import given, strategies as st

from overages import (
    Account,
    Metric,
    OverageService,
    Period,
    Plan,
    SqliteRepository,
    Usage,
    UsageEvent,
)
from overages.bookkeeping.books import EndedPeriod
from overages.errors import OveragesError, StorageError
from overages.terms.account import account_of
from tests.in_memory import in_memory

from .life_draws import (
    FIRST,
    at,
    drawn_entry,
    drawn_grant,
    drawn_plan,
    drawn_start,
    drawn_style,
    with_entry,
)
from .life_plans import LEVELS

ORGS: Final = 5
SIZES: Final = (1, 2, ORGS)
METRICS: Final = [Metric(level, "max", reports="level") for level in sorted(LEVELS)]


class Portioned(SqliteRepository):
    """Gives portions of one size."""

    size = 1

    def portions(self, orgs: Iterable[str]) -> Iterator[Sequence[str]]:
        left = iter(orgs)
        while some := list(islice(left, self.size)):
            yield some


class Alone(SqliteRepository):
    """Never reads or writes several orgs at once."""

    def transaction_of(
        self, periods: Mapping[str, Iterable[Period]]
    ) -> AbstractContextManager[object]:
        raise StorageError(f"not together: {len(periods)}")


class World:
    """Orgs with random lives, in one database."""

    def __init__(self, random: Random) -> None:
        self.random, self.now = random, FIRST + 20
        self.repository = in_memory()
        self.style = drawn_style(random)
        self.metrics = random.choice([METRICS, []])
        self.steps = [self._use, self._enter, self._grant, self._put]
        if random.random() < 0.5:  # an org that was granted something is never fresh
            self.steps.remove(self._grant)
        self.plans: dict[str, Plan] = {}
        for slug in ("a", "b"):
            first: Any = self.plans["a"].allowances if self.plans else {}
            self.plans[slug] = drawn_plan(random, self.style, slug, first)
            self.repository.put_plan(self.plans[slug])
        self.accounts: dict[str, Account] = {}
        self.entries: dict[str, list[Any]] = {}
        for number in range(ORGS):
            org_id = f"org-{number}"
            life, account = drawn_start(random, self.style, self.plans, FIRST)
            self.accounts[org_id] = account_of(org_id, account)
            self.entries[org_id] = list(life.entries)
            self.repository.put_account(self.accounts[org_id])
        unpriced = Account("unpriced", "missing", at(FIRST))
        self.repository.put_account(unpriced)

    def live(self, days: int) -> None:
        """Let days go by, and something happen to each org."""
        self.now += days
        for org_id in self.accounts:
            for step in self.random.sample(self.steps, self.random.randint(1, 3)):
                with suppress(OveragesError):
                    step(org_id)
            if self.random.random() < 0.3:
                with suppress(OveragesError):
                    self.service().recalculate(org_id)

    def service(self, repository: SqliteRepository | None = None) -> OverageService:
        return OverageService(
            repository or self.repository, clock=lambda: at(self.now), metrics=self.metrics
        )

    def _use(self, org_id: str) -> None:
        events = []
        for number in range(self.random.choice([1, 3, 6])):
            day = self.random.randint(self.now - 40, self.now)
            instant = at(day, 1) + timedelta(minutes=self.random.randint(0, 1_200))
            metric = self.random.choice(self.style.metrics)
            units = self.random.choice([0, 1, 7, 60, 400])
            event_id = f"e-{self.now}-{number}" if self.random.random() < 0.7 else None
            events.append(UsageEvent(org_id, metric, units, instant, event_id))
        self.service().record_usage(events, on_refused=lambda _: None)
        if events[0].id is not None and self.random.random() < 0.3:
            self.service().withdraw(org_id, events[0].id)

    def _enter(self, org_id: str) -> None:
        entries = self.entries[org_id]
        until = self.now + 40
        entry = drawn_entry(self.random, self.style, entries, self.plans, FIRST, until)
        account = with_entry(self.accounts[org_id], entry)
        self.repository.put_account(account)
        self.accounts[org_id] = account
        entries.append(entry)

    def _grant(self, org_id: str) -> None:
        _, grant = drawn_grant(self.random, self.style, f"g-{self.now}", FIRST, self.now + 20)
        self.repository.put_grant(org_id, grant)

    def _put(self, org_id: str) -> None:
        day = self.random.randint(self.now - 40, self.now)
        span = Period(at(day), at(day, 6))
        metric = self.random.choice(self.style.metrics)
        self.repository.put_usage(Usage(org_id, span, {metric: self.random.choice([0, 3, 90])}))

    def copy(self, kind: type[SqliteRepository]) -> SqliteRepository:
        copied = kind(":memory:")
        held = self.repository._database._connection.serialize()
        copied._database._connection.deserialize(held)
        return copied


def rows_of(repository: SqliteRepository) -> list[str]:
    """Return a database as SQL."""
    return list(repository._database._connection.iterdump())


def told(ended: Sequence[EndedPeriod]) -> list[tuple[object, ...]]:
    return [
        (each.org_id, each.period, each.recording, type(each.error), str(each.error))
        for each in ended
    ]


@given(st.integers(0, 2**32))
def test_orgs_are_closed_together_as_each_is_alone(seed: int) -> None:
    world = World(Random(seed))
    for days in (30, 45, 20):
        world.live(days)
        alone = world.copy(Alone)
        outcome = told(world.service(alone).close_ended())
        rows, verified = rows_of(alone), alone.verify()
        for size in SIZES:
            with world.copy(Portioned) as together:
                assert isinstance(together, Portioned)
                together.size = size
                assert told(world.service(together).close_ended()) == outcome
                assert rows_of(together) == rows
                assert together.verify() == verified
        world.repository.close()
        world.repository = alone
    world.repository.close()
