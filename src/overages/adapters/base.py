"""What the repositories have in common: the checks, and the rules that are not storage.

An adapter derives from `BaseRepository` and says how rows are kept; what the contract asks for
beyond that (which version of a plan is in force, what counts twice, what a statement adds) is
decided here, for all adapters alike, by the pure functions of the core.

    class MemoryRepository(BaseRepository): ...
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import Final, TypeVar

from overages.account import Account
from overages.chain import START, ChainHead, Link, verify_chain
from overages.errors import EventConflict, InvalidType, InvalidValue, OveragesError, UnknownPlan
from overages.exact import ordinal, scaled, unscaled
from overages.names import name
from overages.overage import Statement
from overages.parsing import Problems, as_tuple, flag, instance_of, optional, parse_all
from overages.period import Period, instant
from overages.plan import Plan
from overages.record import OverageRecord, Summary, by_sequence
from overages.recording import Ledger, Recording
from overages.usage import Usage, UsageEvent

T = TypeVar("T")

_EVER: Final = datetime.min.replace(tzinfo=UTC)
_optional_name: Final = optional(name)
_optional_instant: Final = optional(instant)
_optional_ordinal: Final = optional(ordinal)
_period: Final = instance_of(Period)
_optional_period: Final = optional(_period)

Counts = Mapping[tuple[str, Period, str], int]
"""Parts of units by org, period and metric."""


class BaseRepository(ABC):
    """Keeps the contract of `overages.repository.Repository` over what an adapter stores."""

    @abstractmethod
    def transaction(self) -> AbstractContextManager[object]:
        """Make all calls within the block one: all that they write is kept, or none."""

    # Plans

    def put_plan(self, plan: Plan, *, since: datetime | None = None) -> int:
        """Keep a plan, in force from an instant on, and return its version."""
        plan, since = parse_all(
            (instance_of(Plan), plan, "plan"), (_optional_instant, since, "since")
        )
        with self._writing():
            starts = self._starts_of(plan.slug)
            version = self._version_of(plan)
            if since is None and starts and _in_force(starts, None) != version:
                problem = "must be given: another version of the plan is in force already"
                raise InvalidValue("since", since, problem)
            since = since or _EVER
            if _in_force(starts, since) != version:
                self._set_start(plan.slug, since, version)
        return version

    def plan(self, slug: str, *, version: int | None = None, at: datetime | None = None) -> Plan:
        """Return a plan: one version of it, or the one in force at an instant."""
        slug, version, at = parse_all(
            (name, slug, "slug"),
            (_optional_ordinal, version, "version"),
            (_optional_instant, at, "at"),
        )
        with self._reading():
            number = _in_force(self._starts_of(slug), at) if version is None else version
            found = None if number is None else self._get_plan(slug, number)
        if found is None:
            raise UnknownPlan("slug", slug, "must be a plan that was put, and is in force then")
        return found

    # Accounts

    def put_account(self, account: Account) -> None:
        """Keep an org's account in place of the one that it had."""
        instance_of(Account)(account, "account")
        with self._writing():
            self._set_account(account)

    def account(self, org_id: str) -> Account | None:
        """Return an org's account, or None if it has none."""
        name(org_id, "org_id")
        with self._reading():
            return self._get_account(org_id)

    # Usage

    def add_events(
        self, events: Iterable[UsageEvent], period_of: Callable[[UsageEvent], Period]
    ) -> int:
        """Keep events and count each in its period; return how many were new."""
        given = _all_of(UsageEvent, events, "events")
        placed = [(event, _period(period_of(event), "period_of()")) for event in given]
        with self._writing():
            known = self._known_events([event for event in given if event.id is not None])
            new = _new_events(placed, known)
            counts: dict[tuple[str, Period, str], int] = {}
            for event, period in new:
                key = event.org_id, period, event.metric
                counts[key] = counts.get(key, 0) + scaled(event.quantity)
            self._keep_events([event for event, _ in new])
            self._count(counts)
        return len(new)

    def events(self, org_id: str, period: Period) -> Iterator[UsageEvent]:
        """Yield an org's events with an instant in a period, by instant, then as they came."""
        _check_org(org_id, period)
        with self._reading():
            found = self._events_of(org_id, period)
        return iter(sorted(found, key=lambda event: event.at))

    def put_usage(self, usage: Usage) -> None:
        """Set what an org used in a period, for hosts that do their own counting."""
        instance_of(Usage)(usage, "usage")
        with self._writing():
            self._set_usage(usage)

    def usage(self, org_id: str, period: Period) -> Usage:
        """Return what an org used in a period."""
        _check_org(org_id, period)
        with self._reading():
            used = self._used(org_id, period)
        quantities = {metric: unscaled(parts) for metric, parts in sorted(used.items()) if parts}
        try:
            return Usage(org_id, period, quantities)
        except OveragesError as error:
            raise error.within(f"{org_id}, {period.describe()}: ") from None

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
        given = _all_of(Statement, statements, "statements")
        moment, forced = parse_all((instant, created_at, "created_at"), (flag, force, "force"))
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
        parse_all((name, org_id, "org_id"), (_optional_period, period, "period"))
        with self._reading():
            found = self._records_of(org_id, period)
        return tuple(sorted(found, key=by_sequence))

    def mark_invoiced(self, org_id: str, period: Period, *, at: datetime) -> datetime:
        """Finish a period, which then changes only by force; return when it was first finished."""
        org_id, period, moment = parse_all(
            (name, org_id, "org_id"), (_period, period, "period"), (instant, at, "at")
        )
        with self._writing():
            earlier = self._invoiced(org_id, period)
            if earlier is None:
                self._set_invoiced(org_id, period, moment)
        return earlier or moment

    def invoiced_at(self, org_id: str, period: Period) -> datetime | None:
        """Return when a period was finished, or None if it wasn't."""
        _check_org(org_id, period)
        with self._reading():
            return self._invoiced(org_id, period)

    # Integrity

    def head(self, org_id: str) -> ChainHead | None:
        """Return the end of an org's chain of records; None if it is empty."""
        name(org_id, "org_id")
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
        if head is not None and org_id is not None and not counts:  # all of the chain is gone
            verify_chain(org_id, (), START, head)
        return sum(counts)

    # What an adapter stores. All of it is called within `_reading` or `_writing`.

    @abstractmethod
    def _reading(self) -> AbstractContextManager[object]:
        """Hold one state of the storage for some reads."""

    @abstractmethod
    def _writing(self) -> AbstractContextManager[object]:
        """Hold the storage for some reads and writes; keep all of them, or none on an error."""

    @abstractmethod
    def _version_of(self, plan: Plan) -> int:
        """Return the version of a plan, having kept it as the next one if it is new."""

    @abstractmethod
    def _get_plan(self, slug: str, version: int) -> Plan | None: ...

    @abstractmethod
    def _starts_of(self, slug: str) -> Mapping[datetime, int]:
        """Return the versions of a plan by the instant from which each is in force."""

    @abstractmethod
    def _set_start(self, slug: str, since: datetime, version: int) -> None: ...

    @abstractmethod
    def _set_account(self, account: Account) -> None: ...

    @abstractmethod
    def _get_account(self, org_id: str) -> Account | None: ...

    @abstractmethod
    def orgs(self) -> Iterator[str]:
        """Yield the orgs that have an account or records, sorted."""

    @abstractmethod
    def _known_events(self, events: Sequence[UsageEvent]) -> Mapping[tuple[str, str], UsageEvent]:
        """Return what is stored under the ids of events, by org and id."""

    @abstractmethod
    def _keep_events(self, events: Sequence[UsageEvent]) -> None: ...

    @abstractmethod
    def _events_of(self, org_id: str, period: Period) -> Iterable[UsageEvent]:
        """Return the events with an instant in a period, as they came."""

    @abstractmethod
    def _count(self, counts: Counts) -> None:
        """Add to what was used."""

    @abstractmethod
    def _set_usage(self, usage: Usage) -> None: ...

    @abstractmethod
    def _used(self, org_id: str, period: Period) -> Mapping[str, int]:
        """Return parts of units by metric."""

    @abstractmethod
    def _ledgers(self, statements: Sequence[Statement]) -> Mapping[str, Ledger]:
        """Return the ledger of each org that has a statement."""

    @abstractmethod
    def _append(self, ledgers: Iterable[Ledger]) -> None:
        """Keep what ledgers have that is new, with the overage beside the usage."""

    @abstractmethod
    def _records_of(self, org_id: str, period: Period | None) -> Iterable[OverageRecord]:
        """Return records in any order."""

    @abstractmethod
    def summary(self, org_id: str, period: Period | None = None) -> Summary | None:
        """Return what ``aggregate(records(org_id, period))`` would; None if there is no record."""

    @abstractmethod
    def overage(self, org_id: str, period: Period) -> Summary | None:
        """Return the overage that is kept beside an org's usage of a period, by metric."""

    @abstractmethod
    def _set_invoiced(self, org_id: str, period: Period, moment: datetime) -> None: ...

    @abstractmethod
    def _invoiced(self, org_id: str, period: Period) -> datetime | None: ...

    @abstractmethod
    def _head(self, org_id: str) -> ChainHead | None: ...

    @abstractmethod
    def _chains(self, org_id: str | None) -> Iterator[tuple[str, list[Link], ChainHead]]:
        """Yield each org, or one, with the links and the head of its chain, sorted by org."""


def _in_force(starts: Mapping[datetime, int], at: datetime | None) -> int | None:
    begun = [since for since in starts if at is None or since <= at]
    return starts[max(begun)] if begun else None


def _new_events(
    placed: Iterable[tuple[UsageEvent, Period]], known: Mapping[tuple[str, str], UsageEvent]
) -> list[tuple[UsageEvent, Period]]:
    """Return the events that were not known, each once.

    :raises EventConflict: for an id that came before with other content.
    """
    seen = dict(known)
    new = []
    problems = Problems()
    for event, period in placed:
        if event.id is not None:
            key = event.org_id, event.id
            if key in seen:
                if seen[key] != event:
                    problem = "was reported before with another metric, quantity or time"
                    problems.add(EventConflict(f"{event.org_id}: id", event.id, problem))
                continue
            seen[key] = event
        new.append((event, period))
    problems.raise_any()
    return new


def _all_of(kind: type[T], values: Iterable[T], field: str) -> tuple[T, ...]:
    found = as_tuple(values, field)
    for i, value in enumerate(found):
        if not isinstance(value, kind):
            raise InvalidType(f"{field}[{i}]", value, f"must be of type {kind.__name__}")
    return found


def _check_org(org_id: str, period: Period) -> None:
    parse_all((name, org_id, "org_id"), (_period, period, "period"))
