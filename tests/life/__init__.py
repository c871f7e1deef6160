"""Lives as tables: an org's life in Markdown, run by the pure functions, and compared cell by cell.

A page has, in any order and any number: plans (a block of TOML), what happened (a table with the
columns ``on``, ``event``, ``details`` and ``from``) and what is due (a table that begins with
``period``). A table of what is due is worked out of all that stands above it, at the last instant
that some ``on`` names: a period that is over by then is settled as ended, one that was closed
stands as it was closed, and the others start from the balance that the one before them left. A time
within a period has the statement of that span.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import combinations
from typing import Any, NamedTuple

from overages import (
    Account,
    Balance,
    Grant,
    Metric,
    Money,
    Period,
    Plan,
    Settlement,
    Usage,
    UsageEvent,
    settle,
)
from overages._ground.value import evolve
from overages.imports.plans import read_plans
from overages.settlements.span_statement import statement_of_span
from overages.usage.divided_usage import usage_of
from overages.usage.routing import Routes

from .cells import agreed, instant, lines_of, period_of, rounded, value_of, written

PAGE = re.compile(r"^```toml\n(.*?)^```$|^(\|.*?)(?=^(?!\|)|\Z)", re.MULTILINE | re.DOTALL)
ORG = "acme"


class Row(NamedTuple):
    """A row of a table: its place in the file, and its cells by column."""

    line: int
    cells: dict[str, str]


def faults_in(text: str, name: str) -> list[str]:
    """Return each wrong cell of a life, with its line and column, as expected and as it is."""
    life, faults = Life(), []
    for found in PAGE.finditer(text):
        if found[1]:
            life.plans |= read_plans(found[1]).plans
            continue
        rows = list(_rows(found[2], text.count("\n", 0, found.start()) + 1))
        if "event" in rows[0].cells:
            for row in rows:
                life.happen(row.cells)
        else:
            due = list(_filled(rows))
            for row, column, got in life.differences(due):
                expected = row.cells.get(column, "")
                faults.append(
                    f"{name}:{row.line}: {column}: expected {expected or 'nothing'}, got {got}"
                )
    return faults


def _rows(table: str, line: int) -> Iterator[Row]:
    header, _, *lines = ([c.strip() for c in each.split("|")[1:-1]] for each in table.splitlines())
    for i, cells in enumerate(lines, line + 2):
        yield Row(i, dict(zip(header, cells, strict=True)))


def _filled(rows: list[Row]) -> Iterator[Row]:
    """Yield the rows with their period, which is left out where it is that of the row above."""
    period = ""
    for line, cells in rows:
        period = cells["period"] or period
        yield Row(line, cells | {"period": period})


class Life:
    """An org, all that happened to it so far, and the periods of it that were closed."""

    def __init__(self) -> None:
        self.plans: dict[str, Plan] = {}
        self.account: Account = None  # type: ignore[assignment]
        self.events: list[UsageEvent] = []
        self.grants: list[Grant] = []
        self.closed: dict[Period, Settlement] = {}
        self.now = datetime.min.replace(tzinfo=UTC)

    # What happened

    def happen(self, cells: dict[str, str]) -> None:
        if cells["event"] == "begins":  # another org's life: nothing is left of the one before
            vars(self).update(vars(Life()), plans=self.plans)
        self.now = max(self.now, instant(cells["on"]))
        since = instant(cells.get("from") or cells["on"])
        first, *terms = [term.strip() for term in cells["details"].split(";")]
        getattr(self, f"_{cells['event']}")(since, first, terms)

    def _begins(self, since: datetime, first: str, terms: list[str]) -> None:
        self.account = Account(ORG, since=since, **agreed([first, *terms]))

    def _changes(self, since: datetime, first: str, terms: list[str]) -> None:
        self.account = self.account.changed(since=since, **agreed([first, *terms]))

    def _ends(self, since: datetime, first: str, terms: list[str]) -> None:
        del first, terms
        self.account = self.account.ended(at=since)

    def _uses(self, since: datetime, first: str, terms: list[str]) -> None:
        for each in (first, *terms):
            quantity, metric = each.replace(",", "").split()
            self.events.append(UsageEvent(ORG, metric, quantity, since))

    def _granted(self, since: datetime, first: str, terms: list[str]) -> None:
        grant, quantity, unit = first.replace(",", "").split()
        named = dict(term.split() for term in terms)
        amount: Any = quantity
        if unit.isupper():
            amount = Money.of(quantity, unit)
        metric = named.get("for") if unit.isupper() else unit
        ends = instant(named["until"]) if "until" in named else None
        order = int(named.get("priority", 0))
        self.grants.append(
            Grant(grant, amount, metric=metric, effective_at=since, expires_at=ends, priority=order)
        )

    def _voided(self, since: datetime, first: str, terms: list[str]) -> None:
        del terms
        self.grants = [evolve(g, voided_at=since) if g.id == first else g for g in self.grants]

    def _closes(self, since: datetime, first: str, terms: list[str]) -> None:
        del since, terms
        period = period_of(first)
        self.closed[period] = self.settlements()[period]

    def _corrects(self, since: datetime, first: str, terms: list[str]) -> None:
        """Settle a closed period anew, by force; those after it stand."""
        del self.closed[period_of(first)]
        self._closes(since, first, terms)

    def _looks(self, since: datetime, first: str, terms: list[str]) -> None:
        """Nothing but time has passed."""

    # What is due

    def settlements(self) -> dict[Period, Settlement]:
        """Settle the org's periods so far, one after another."""
        balance, settled = Balance(), {}
        for period in self.account.periods(self.account.since, self.now):
            settlement = self.closed.get(period) or self._settled(period, balance)
            settled[period], balance = settlement, settlement.balance
        return settled

    def _usages(self, period: Period) -> list[Usage]:
        """Count the usage of a time, and of all times in it between changes of terms."""
        allowances = [item for plan in self.plans.values() for item in plan.allowances.items()]
        levels = {metric for metric, allowance in allowances if allowance.kind == "level"}
        routes = Routes([Metric(level, "max", reports="level") for level in levels])
        starts = [part.start for part, _ in self.account.timeline.parts(period)]
        bounds = {period.end, *starts}
        years = [terms.included_for for _, terms in allowances if terms.included_for is not None]
        ends = [cycle.period_at(period.start).end for cycle in years]
        bounds |= {end for end in ends if end < period.end}
        return [self._used(Period(*ends), routes) for ends in combinations(sorted(bounds), 2)]

    def _settled(self, period: Period, balance: Balance) -> Settlement:
        return settle(
            self.account,
            self.plans,
            period,
            self._usages(period),
            balance,
            grants=self.grants,
            events=[event for event in self.events if event.at in period],
            ended=period.end <= self.now,
        )

    def _used(self, time: Period, routes: Routes) -> Usage:
        return usage_of(((event, event.at) for event in self.events), ORG, time, routes)

    def differences(self, rows: list[Row]) -> Iterator[tuple[Row, str, str]]:
        """Yield each cell that is another one, with its row and column, and what it should be."""
        settled = self.settlements()
        for text in dict.fromkeys(row.cells["period"] for row in rows):
            own = [row for row in rows if row.cells["period"] == text]
            period = period_of(text)
            if period in settled:
                lines = lines_of(settled[period].statement, settled[period].idle_grants)
            elif any(each.start <= period.start and period.end <= each.end for each in settled):
                usages = self._usages(period)
                lines = lines_of(statement_of_span(self.account, self.plans, period, usages), ())
            else:
                yield own[0], "period", " or ".join(map(written, settled)) or "none"
                continue
            keys = [(row.cells["metric"], row.cells["part"]) for row in own]
            for row, key in zip(own, keys, strict=True):
                if key not in lines or keys.count(key) > 1:
                    yield row, "metric", " or ".join(" ".join(k).strip() for k in lines)
                    continue
                cells, _ = lines[key]
                yield from ((row, c, cells[c]) for c in cells if row.cells[c] != cells[c])
                for sum_ in re.findall("`(.*?)`", row.cells["why"]):
                    if rounded(value_of(sum_)) != cells["due"]:
                        yield row, "why", rounded(value_of(sum_))
            for key, (cells, says_something) in lines.items():
                if says_something and key not in keys:
                    yield own[-1], "metric", f"a line more: {' '.join(key).strip()} {cells['due']}"
