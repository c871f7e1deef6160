"""The base of repositories: the checks, and the rules that are not storage.

An adapter derives from `BaseRepository` and says how rows are kept; all that the contract asks for
beyond that (the version of a plan that is in force, events that come twice, the records that a
statement adds) is decided here, for all adapters alike, by the pure functions of the core.

    class MemoryRepository(BaseRepository): ...
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Final

from overages._ground.names import by_name, parse_name, parse_names
from overages._ground.parsing import (
    Problems,
    instance_of,
    optional,
    parse_all,
    tuple_of,
)
from overages.adapters.alerts import Alerts
from overages.adapters.batches import Batches
from overages.adapters.closings import Closings
from overages.adapters.quotas import Quotas
from overages.amounts.exact import parse_ordinal
from overages.errors import InvalidValue, OveragesError
from overages.periods.period import Period, parse_instant
from overages.records.chain import CHAIN_START, ChainHead, verify_chain
from overages.records.record import OverageRecord, by_sequence
from overages.records.recording import Recording
from overages.records.revision import Recordings
from overages.statements.statement import Statement

_optional_name: Final = optional(parse_name)
_optional_ordinal: Final = optional(parse_ordinal)
_period: Final = instance_of(Period)
_optional_period: Final = optional(_period)
parse_periods: Final = by_name(tuple_of(Period), "orgs to periods", of="org")


class BaseRepository(Quotas, Batches, Alerts, Closings):
    """Keeps the contract of `overages.repository.Repository` over an adapter's storage."""

    def snapshot(self) -> AbstractContextManager[object]:
        """Have all reads within the block see one state."""
        return self._reading()

    def snapshot_of(self, orgs: Iterable[str]) -> AbstractContextManager[object]:
        """Have all reads within the block, which are about some orgs, see one state."""
        parse_names(orgs, "orgs")
        return self.snapshot()

    def portions(self, orgs: Iterable[str]) -> Iterator[Sequence[str]]:
        """Yield orgs in portions, each of as many as a transaction may well be about."""
        return iter([[org_id] for org_id in parse_names(orgs, "orgs")])

    def transaction_of(
        self, periods: Mapping[str, Iterable[Period]]
    ) -> AbstractContextManager[object]:
        """Make all calls within the block, which are about some periods, one."""
        parse_periods(periods, "periods")
        return self.transaction()

    # Records

    def record(
        self,
        statement: Statement,
        *,
        created_at: datetime,
        revision: int | None = None,
    ) -> Recording:
        """Record a statement, once."""
        statement, *others = parse_all(
            (instance_of(Statement), statement, "statement"),
            (parse_instant, created_at, "created_at"),
            (_optional_ordinal, revision, "revision"),
        )
        return self._record((statement,), *others)[0]

    def record_many(
        self, statements: Iterable[Statement], *, created_at: datetime
    ) -> Sequence[Recording]:
        """Record statements of any orgs and periods in one transaction, all or none."""
        return self._record(
            *parse_all(
                (tuple_of(Statement), statements, "statements"),
                (parse_instant, created_at, "created_at"),
            )
        )

    def _record(
        self,
        statements: tuple[Statement, ...],
        created_at: datetime,
        revision: int | None = None,
    ) -> Recordings:
        with self._writing():
            ledgers = self._ledgers(statements)
            versions: dict[int, int] = {}  # by the plan's identity: hashing one takes longer
            revisions, problems = [], Problems()
            for statement in statements:
                plan = statement.plan
                version = versions.get(id(plan))
                if version is None:
                    version = versions[id(plan)] = self._version_of(plan)
                try:
                    added = ledgers[statement.org_id].add(
                        statement, plan_version=version, created_at=created_at, revision=revision
                    )
                    revisions.append(added)
                except OveragesError as error:
                    problems.add(error)
            problems.raise_any()
            self._append(ledgers.values())
        return Recordings(revisions)

    def records(self, org_id: str, period: Period | None = None) -> tuple[OverageRecord, ...]:
        """Return an org's records, of one period or of all, in the order of recording."""
        parse_all((parse_name, org_id, "org_id"), (_optional_period, period, "period"))
        with self._reading():
            records = self._records_of(org_id, period)
        return tuple(sorted(records, key=by_sequence))

    # Integrity

    def head(self, org_id: str) -> ChainHead | None:
        """Return the end of an org's chain of records; None if it is empty."""
        parse_name(org_id, "org_id")
        with self._reading():
            return self._head(org_id)

    def verify(self, org_id: str | None = None, head: ChainHead | None = None) -> int:
        """Check that records, closings and counters are as they were written; count the links."""
        parse_all(
            (_optional_name, org_id, "org_id"), (optional(instance_of(ChainHead)), head, "head")
        )
        if head is not None and org_id is None:
            raise InvalidValue("head", head, "must come with the org that it belongs to")
        with self._reading():
            counts = []
            for org, links, end in self._chains(org_id):
                counts.append(verify_chain(org, links, end, head))
                for altered in self._altered_seals(org):
                    raise altered
            if org_id is not None and not counts:  # the head of a chain that is lost shows it
                verify_chain(org_id, (), CHAIN_START, head)
            for altered in self._altered_usage(org_id):
                raise altered
        return sum(counts)


def check_org(org_id: str, period: Period) -> None:
    """Refuse a bad name of an org, or a bad period."""
    parse_all((parse_name, org_id, "org_id"), (_period, period, "period"))
