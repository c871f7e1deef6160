"""What the repositories have in common: the checks, and the rules that are not storage.

An adapter derives from `BaseRepository` and says how rows are kept; what the contract asks for
beyond that (which version of a plan is in force, what counts twice, what a statement adds) is
decided here, for all adapters alike, by the pure functions of the core.

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
    """Keeps the contract of `overages.repository.Repository` over what an adapter stores."""

    # Usage

    def add_events(
        self, events: Iterable[UsageEvent], period_of: Callable[[UsageEvent], Period]
    ) -> int:
        """Keep events and count each in its period; return how many were new."""
        given = tuple_of(UsageEvent)(events, "events")
        placed = [(event, _period(period_of(event), "period_of()")) for event in given]
        with self._writing():
            known = self._known_events([event for event in given if event.id is not None])
            new = new_events(placed, known)
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
            found = self._events_of(org_id, period)
        return iter(sorted(found, key=lambda event: event.at))

    def counted_events(
        self,
        org_id: str,
        period: Period,
        *,
        metrics: Iterable[str] | None = None,
        earlier: bool = False,
    ) -> Iterator[tuple[UsageEvent, Period]]:
        """Yield the events that count in a period, each with it, by instant, then as they came."""
        check_org(org_id, period)
        wanted, also_earlier = parse_all(
            (_optional_names, metrics, "metrics"), (parse_flag, earlier, "earlier")
        )
        with self._reading():
            found = self._counted_events(org_id, period, wanted, earlier=also_earlier)
        return iter(sorted(found, key=lambda placed: placed[0].at))

    def put_usage(self, usage: Usage) -> None:
        """Set what an org used in a period, for hosts that do their own counting."""
        instance_of(Usage)(usage, "usage")
        with self._writing():
            self._set_usage(usage)

    def usage(self, org_id: str, period: Period, *, without: Iterable[str] = ()) -> Usage:
        """Return what an org used in a period."""
        check_org(org_id, period)
        left_out = _names(without, "without")
        with self._reading():
            used = self._used(org_id, period)
        quantities = {
            metric: unscaled(parts)
            for metric, parts in sorted(used.items())
            if parts and metric not in left_out
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
        number = _optional_ordinal(revision, "revision")
        return self._record([statement], created_at, force=force, revision=number)[0]

    def record_many(
        self, statements: Iterable[Statement], *, created_at: datetime, force: bool = False
    ) -> list[Recording]:
        """Record statements of any orgs and periods in one transaction, all or none."""
        return self._record(statements, created_at, force=force)

    def _record(
        self,
        statements: Iterable[Statement],
        created_at: datetime,
        *,
        force: bool,
        revision: int | None = None,
    ) -> list[Recording]:
        given = tuple_of(Statement)(statements, "statements")
        moment, forced = parse_all(
            (parse_instant, created_at, "created_at"), (parse_flag, force, "force")
        )
        with self._writing():
            ledgers = self._ledgers(given)
            versions: dict[int, int] = {}  # by the plan's identity: hashing one takes longer
            made = []
            problems = Problems()
            for statement in given:
                plan = statement.plan
                version = versions.get(id(plan))
                if version is None:
                    version = versions[id(plan)] = self._version_of(plan)
                try:
                    recording = ledgers[statement.org_id].add(
                        statement,
                        plan_version=version,
                        created_at=moment,
                        revision=revision,
                        force=forced,
                    )
                    made.append(recording)
                except OveragesError as error:
                    problems.add(error)
            problems.raise_any()
            self._append(ledgers.values())
        return made

    def records(self, org_id: str, period: Period | None = None) -> tuple[OverageRecord, ...]:
        """Return an org's records, of one period or of all, in the order of recording."""
        parse_all((parse_name, org_id, "org_id"), (_optional_period, period, "period"))
        with self._reading():
            found = self._records_of(org_id, period)
        return tuple(sorted(found, key=by_sequence))

    def mark_invoiced(self, org_id: str, period: Period, *, at: datetime) -> datetime:
        """Finish a period, which then changes only by force; return when it was first finished."""
        org_id, period, moment = parse_all(
            (parse_name, org_id, "org_id"), (_period, period, "period"), (parse_instant, at, "at")
        )
        with self._writing():
            earlier = self._invoiced(org_id, period)
            if earlier is None:
                self._set_invoiced(org_id, period, moment)
        return earlier or moment

    def invoiced_at(self, org_id: str, period: Period) -> datetime | None:
        """Return when a period was finished, or None if it wasn't."""
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
        """Check that no record was changed, removed, added or reordered; return how many."""
        parse_all(
            (_optional_name, org_id, "org_id"), (optional(instance_of(ChainHead)), head, "head")
        )
        if head is not None and org_id is None:
            raise InvalidValue("head", head, "must come with the org that it belongs to")
        with self._reading():
            counts = [verify_chain(*chain, head) for chain in self._chains(org_id)]
        if org_id is not None and not counts:  # the head of a chain that is lost shows it
            verify_chain(org_id, (), CHAIN_START, head)
        return sum(counts)


def _names(value: object, field: Field) -> tuple[str, ...]:
    if isinstance(value, str):
        raise InvalidType(field, value, "must be a list of names, not one")
    return each(parse_name)(value, field)


_optional_names: Final = optional(_names)


def check_org(org_id: str, period: Period) -> None:
    """Refuse what is no name of an org, or no period."""
    parse_all((parse_name, org_id, "org_id"), (_period, period, "period"))
