"""The base of repositories: the checks, and the rules that are not storage.

An adapter derives from `BaseRepository` and says how rows are kept; all that the contract asks for
beyond that (the version of a plan that is in force, events that come twice, the records that a
statement adds) is decided here, for all adapters alike, by the pure functions of the core.

    class MemoryRepository(BaseRepository): ...
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import Final

from overages._ground.names import parse_name
from overages._ground.parsing import (
    Problems,
    each,
    instance_of,
    optional,
    parse_all,
    parse_flag,
    tuple_of,
)
from overages.adapters.catalogue import Catalogue
from overages.amounts.exact import parse_ordinal, scaled, unscaled
from overages.errors import Field, InvalidType, InvalidValue, OveragesError
from overages.periods.period import Period, parse_instant
from overages.records.chain import CHAIN_START, ChainHead, verify_chain
from overages.records.ledger import Recording
from overages.records.record import OverageRecord, by_sequence
from overages.statements.statement import Statement
from overages.usage.event import UsageEvent
from overages.usage.metering import new_events
from overages.usage.usage import Usage

_optional_name: Final = optional(parse_name)
_optional_ordinal: Final = optional(parse_ordinal)
_period: Final = instance_of(Period)
_optional_period: Final = optional(_period)


class BaseRepository(Catalogue):
    """Keeps the contract of `overages.repository.Repository` over an adapter's storage."""

    # Usage

    def add_events(
        self, events: Iterable[UsageEvent], period_of: Callable[[UsageEvent], Period]
    ) -> int:
        """Keep events and count each in its period; return the number of new ones."""
        events, problems = tuple_of(UsageEvent)(events, "events"), Problems()
        placed = [
            (event, problems.attempt(_period, period_of(event), ("events", i, "period_of()")))
            for i, event in enumerate(events)
        ]
        problems.raise_any()
        with self._writing():
            stored = self._known_events([event for event in events if event.id is not None])
            new = new_events(placed, stored)
            counts: dict[tuple[str, Period, str], int] = {}
            for event, period in new:
                key = event.org_id, period, event.metric
                counts[key] = counts.get(key, 0) + scaled(event.quantity)
            self._keep_events(new)
            self._count(counts)
        return len(new)

    def events(self, org_id: str, period: Period) -> Iterator[UsageEvent]:
        """Yield an org's events with an instant in a period, by instant, then as they came."""
        check_org(org_id, period)
        with self._reading():
            events = self._events_of(org_id, period)
        return iter(sorted(events, key=lambda event: event.at))

    def counted_events(
        self,
        org_id: str,
        period: Period,
        *,
        metrics: Iterable[str] | None = None,
        earlier: bool = False,
    ) -> Iterator[tuple[UsageEvent, Period]]:
        """Yield the events that count in a period, each with it, by instant, then as they came."""
        org_id, period, names, earlier = parse_all(
            (parse_name, org_id, "org_id"),
            (_period, period, "period"),
            (_optional_names, metrics, "metrics"),
            (parse_flag, earlier, "earlier"),
        )
        with self._reading():
            placed = self._counted_events(org_id, period, names, earlier=earlier)
        return iter(sorted(placed, key=lambda event_and_period: event_and_period[0].at))

    def put_usage(self, usage: Usage) -> None:
        """Set the usage of an org in a period, for hosts that do their own counting."""
        instance_of(Usage)(usage, "usage")
        with self._writing():
            self._set_usage(usage)

    def usage(self, org_id: str, period: Period, *, without: Iterable[str] = ()) -> Usage:
        """Return the usage of an org in a period."""
        org_id, period, left_out = parse_all(
            (parse_name, org_id, "org_id"),
            (_period, period, "period"),
            (_names, without, "without"),
        )
        with self._reading():
            used = self._used(org_id, period)
        quantities = {
            metric: unscaled(picos)
            for metric, picos in sorted(used.items())
            if picos and metric not in left_out
        }
        try:
            return Usage(org_id, period, quantities)
        except OveragesError as error:
            raise error.within(org_id=org_id, period=period) from None

    def usage_periods(self, org_id: str) -> tuple[Period, ...]:
        """Return the periods in which an org used something, sorted."""
        parse_name(org_id, "org_id")
        with self._reading():
            return tuple(sorted(self._used_in(org_id)))

    # Records

    def record(
        self,
        statement: Statement,
        *,
        created_at: datetime,
        revision: int | None = None,
        force: bool = False,
    ) -> Recording:
        """Record a statement, once."""
        statement, *others = parse_all(
            (instance_of(Statement), statement, "statement"),
            (parse_instant, created_at, "created_at"),
            (parse_flag, force, "force"),
            (_optional_ordinal, revision, "revision"),
        )
        return self._record((statement,), *others)[0]

    def record_many(
        self, statements: Iterable[Statement], *, created_at: datetime, force: bool = False
    ) -> list[Recording]:
        """Record statements of any orgs and periods in one transaction, all or none."""
        return self._record(
            *parse_all(
                (tuple_of(Statement), statements, "statements"),
                (parse_instant, created_at, "created_at"),
                (parse_flag, force, "force"),
            )
        )

    def _record(
        self,
        statements: tuple[Statement, ...],
        created_at: datetime,
        force: bool,
        revision: int | None = None,
    ) -> list[Recording]:
        with self._writing():
            ledgers = self._ledgers(statements)
            versions: dict[int, int] = {}  # by the plan's identity: hashing one takes longer
            recordings, problems = [], Problems()
            for statement in statements:
                plan = statement.plan
                version = versions.get(id(plan))
                if version is None:
                    version = versions[id(plan)] = self._version_of(plan)
                recording = problems.attempt(
                    ledgers[statement.org_id].add,
                    statement,
                    plan_version=version,
                    created_at=created_at,
                    revision=revision,
                    force=force,
                )
                recordings.append(recording)
            problems.raise_any()
            self._append(ledgers.values())
        return recordings

    def records(self, org_id: str, period: Period | None = None) -> tuple[OverageRecord, ...]:
        """Return an org's records, of one period or of all, in the order of recording."""
        parse_all((parse_name, org_id, "org_id"), (_optional_period, period, "period"))
        with self._reading():
            records = self._records_of(org_id, period)
        return tuple(sorted(records, key=by_sequence))

    def mark_invoiced(self, org_id: str, period: Period, *, at: datetime) -> datetime:
        """Finish a period, which then changes only by force; return when it first was."""
        org_id, period, at = parse_all(
            (parse_name, org_id, "org_id"), (_period, period, "period"), (parse_instant, at, "at")
        )
        with self._writing():
            first = self._invoiced(org_id, period)
            if first is None:
                self._set_invoiced(org_id, period, at)
        return first or at

    def invoiced_at(self, org_id: str, period: Period) -> datetime | None:
        """Return the instant at which a period was finished, or None if it wasn't."""
        check_org(org_id, period)
        with self._reading():
            return self._invoiced(org_id, period)

    # Integrity

    def head(self, org_id: str) -> ChainHead | None:
        """Return the end of an org's chain of records; None if it is empty."""
        parse_name(org_id, "org_id")
        with self._reading():
            return self._head(org_id)

    def verify(self, org_id: str | None = None, head: ChainHead | None = None) -> int:
        """Check that records and counters are as they were written; return how many records."""
        parse_all(
            (_optional_name, org_id, "org_id"), (optional(instance_of(ChainHead)), head, "head")
        )
        if head is not None and org_id is None:
            raise InvalidValue("head", head, "must come with the org that it belongs to")
        with self._reading():
            counts = [verify_chain(*chain, head) for chain in self._chains(org_id)]
            if org_id is not None and not counts:  # the head of a chain that is lost shows it
                verify_chain(org_id, (), CHAIN_START, head)
            for altered in self._altered_usage(org_id):
                raise altered
        return sum(counts)


def _names(value: object, field: Field) -> tuple[str, ...]:
    if isinstance(value, str):
        raise InvalidType(field, value, "must be a list of names, not one")
    return each(parse_name)(value, field)


_optional_names: Final = optional(_names)


def check_org(org_id: str, period: Period) -> None:
    """Refuse a bad name of an org, or a bad period."""
    parse_all((parse_name, org_id, "org_id"), (_period, period, "period"))
