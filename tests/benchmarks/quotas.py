"""Decisions, and the bare loop and the bare queries that they are measured against.

The bare loop makes the same comparisons on integers: usage, holds and request against the included
quantity and the hard limit of each metric, what is left of both, and the cost of what is over. The
bare queries are one for each table that has a part in the answer, by `sqlite3` alone, in one
transaction, with no look at their rows. They stay as they are, so that a service that sends fewer
doesn't seem slower for it; those that it sends are measured beside them.
"""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from overages import (
    Account,
    Allowance,
    Decision,
    OverageService,
    Period,
    PerUnit,
    Plan,
    SqliteRepository,
    Usage,
    UsageEvent,
    decide,
)

JANUARY, FEBRUARY = Period.month(2024, 1), Period.month(2024, 2)
NOW = datetime(2024, 2, 20, 12, 30, tzinfo=UTC)
PLAN = Plan(
    "starter",
    "USD",
    {
        "tokens": Allowance(500_000, PerUnit("0.0001"), hard_limit=10**9),
        "playbook_runs": Allowance(50, PerUnit("1.00"), hard_limit=10**6),
        "seats": Allowance(3, PerUnit("15.00"), hard_limit=10**4),
    },
)
TERMS = {  # included, hard limit, and the price in hundredths of a cent
    "tokens": (500_000, 10**9, 1),
    "playbook_runs": (50, 10**6, 10_000),
    "seats": (3, 10**4, 150_000),
}

Row = tuple[dict[str, int], dict[str, int], dict[str, int]]
"""Usage, holds and request of an org by metric."""


def rows(count: int) -> list[Row]:
    """Return orgs of which half are beyond some limit."""
    draw = random.Random(14)
    return [
        (
            {"tokens": draw.randrange(10**6), "playbook_runs": draw.randrange(100), "seats": 3},
            {"tokens": draw.randrange(1_000)},
            {"tokens": draw.randrange(10_000), "playbook_runs": 1, "seats": 1},
        )
        for _ in range(count)
    ]


def loop(orgs: Iterable[Row]) -> Iterator[object]:
    """Decide on integers, without a word of why."""
    for used, held, requested in orgs:
        cost, left, allowed = 0, [], True
        for metric, units in requested.items():
            included, most, price = TERMS[metric]
            before, taken = used.get(metric, 0), held.get(metric, 0)
            after = before + units
            left.append((metric, max(0, included - before - taken), max(0, most - before - taken)))
            if after + taken > most:
                allowed = False
            if after > included:
                over = (after - included) * price // 100
                cost += over - max(0, before - included) * price // 100
        yield allowed, left, cost


def inputs(orgs: Iterable[Row]) -> list[tuple[Usage, dict[str, int], dict[str, int]]]:
    return [(Usage("acme", FEBRUARY, used), held, asked) for used, held, asked in orgs]


def decided(orgs: Iterable[tuple[Usage, dict[str, int], dict[str, int]]]) -> Iterator[Decision]:
    for usage, held, requested in orgs:
        yield decide(PLAN, usage, requested, held=held)


ACME = "org_id = 'acme'"
METRICS = f"metric_type IN ({', '.join(map(repr, PLAN.allowances))})"
START, END = "2024-02-01T00:00:00.000000Z", "2024-03-01T00:00:00.000000Z"
BARE = (
    "SAVEPOINT bare",
    f"SELECT entry FROM org_billing_accounts WHERE {ACME} ORDER BY place",
    "SELECT name, metric FROM org_billing_metrics ORDER BY number",
    f"SELECT budget_id, budget FROM org_billing_budgets WHERE {ACME} ORDER BY number",
    f"SELECT grant_id, grant_json, voided_at FROM org_billing_grants WHERE {ACME}",
    "SELECT since, version FROM org_billing_plan_starts WHERE slug = 'starter' ORDER BY number",
    "SELECT plan FROM org_billing_plans WHERE slug = 'starter' AND version = 1",
    f"SELECT metric_type, start, used FROM org_billing_usage_sums WHERE {ACME} AND {METRICS}"
    f" AND unit = 'day' AND start >= '{START}' AND start < '{END}' ORDER BY start",
    f"SELECT metric_type, quantity FROM org_billing_usage_events WHERE {ACME} AND {METRICS}"
    f" AND counts_at >= '{{since}}' AND counts_at < '{END}' AND NOT EXISTS ("
    "SELECT 1 FROM org_billing_usage_withdrawals AS withdrawals"
    f" WHERE event = org_billing_usage_events.number AND withdrawals.{ACME})",
    f"SELECT span_start, span_end, metric_type, used FROM org_billing_usage_puts WHERE {ACME}"
    f" AND span_end > '{START}' AND span_start < '{END}' ORDER BY number",
    f"SELECT units, count(*) FROM org_billing_reservations WHERE {ACME} AND outcome IS NULL"
    f" AND expires_at > '2024-02-20T12:30:00.000000Z' AND reserved_at >= '{START}'"
    f" AND reserved_at < '{END}' GROUP BY units",
    "RELEASE bare",
)
"""A query for each table; of the events, all that count since an instant."""


class Deciding:
    """A file with an org that has used something all through a month, and holds a little.

    Its month before is closed.

    :param events: so few that they are read one by one, or so many that each day has a sum.
    """

    def __init__(self, path: Path, events: int) -> None:
        self.repository = SqliteRepository(path)
        self.service = OverageService(self.repository, clock=lambda: NOW)
        self.repository.put_plan(PLAN)
        self.repository.put_account(Account("acme", "starter", since=JANUARY.start))
        self.service.close("acme", JANUARY)
        step = (NOW - FEBRUARY.start) / events
        metrics = list(PLAN.allowances)
        self.service.record_usage(
            [
                UsageEvent("acme", metrics[i % 3], 1 + i % 2, FEBRUARY.start + i * step, f"e-{i}")
                for i in range(events)
            ]
        )
        for i in range(5):
            expires_at = NOW + timedelta(minutes=5)
            self.service.reserve("acme", {"tokens": 10}, key=f"k-{i}", expires_at=expires_at)
        self.decide()
        self.queries = self._queries()
        since = "2024-02-21T00:00:00.000000Z" if events > 1_000 else START
        self.bare_queries = [query.format(since=since) for query in BARE]

    def _queries(self) -> list[str]:
        """Return the statements of one decision, with their parameters in them."""
        connection: sqlite3.Connection = self.repository._database._connection
        sent: list[str] = []
        connection.set_trace_callback(sent.append)
        self.decide()
        connection.set_trace_callback(None)
        return sent

    def decide(self) -> Decision:
        return self.service.decide("acme", {"tokens": 100, "playbook_runs": 1, "seats": 1})

    def bare(self) -> None:
        """Send the bare queries, and fetch their rows."""
        self._send(self.bare_queries)

    def same(self) -> None:
        """Send the queries of the service, and fetch their rows."""
        self._send(self.queries)

    def _send(self, queries: Iterable[str]) -> None:
        cursor = self.repository._database._connection.cursor()
        for query in queries:
            cursor.execute(query).fetchall()
