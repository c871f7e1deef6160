"""The closings of repositories: a final statement, its records and its balance, kept at once.

class BaseRepository(Closings): ...
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from datetime import datetime
from functools import cached_property
from typing import Final

from overages._ground.jsontext import written
from overages._ground.names import by_name, parse_name
from overages._ground.parsing import (
    function_that,
    instance_of,
    optional,
    parse_all,
    parse_flag,
)
from overages.adapters.catalogue import Catalogue
from overages.adapters.event_texts import sealed
from overages.adapters.settlement_texts import SettlementTexts, balance_text, settlement_of
from overages.adapters.templates import LONGEST
from overages.codec import STANDARD, Codec, to_builtins
from overages.errors import (
    InvalidValue,
    OveragesError,
    RecordsAltered,
    StorageError,
    UsageAltered,
)
from overages.grants.draws import parse_grants
from overages.grants.grant import Grant
from overages.periods.period import Period, parse_instant
from overages.records.changes import changes_of
from overages.records.closing import Closing, ClosingTexts
from overages.records.ledger import Ledger
from overages.records.recording import Recording
from overages.repository import SettleFresh
from overages.settlements.balance import EMPTY_BALANCE, Balance
from overages.settlements.settlement import Settlement
from overages.terms.account import Account

_period: Final = instance_of(Period)
_period_by_org: Final = by_name(_period, "orgs to periods", of="org")
_parse_settlement: Final = instance_of(Settlement)
_parse_settle: Final = function_that("gives the settlement of an account's period")
_optional_instant: Final = optional(parse_instant)
_NOTHING_NEW: Final = nullcontext()


class Closings(Catalogue):
    """Keeps the part of the contract that is about periods which are closed."""

    _codec: Codec = STANDARD
    """Writes settlements; an adapter's own knows price models of the host's."""

    @cached_property
    def _texts(self) -> SettlementTexts:
        return SettlementTexts(self._codec)

    def close_period(
        self,
        settlement: Settlement,
        *,
        closed_at: datetime,
        grants: Iterable[Grant] = (),
        force: bool = False,
    ) -> Closing:
        """Record the final statement of a period, and keep its balance, as facts."""
        settlement, closed_at, of_org, force = parse_all(
            (instance_of(Settlement), settlement, "settlement"),
            (parse_instant, closed_at, "closed_at"),
            (parse_grants, grants, "grants"),
            (parse_flag, force, "force"),
        )
        statement = settlement.statement
        org_id, period = statement.org_id, statement.period
        with self._writing():
            before = self._closing(org_id, period)
            if before is not None and not force:
                return before
            ledger = self._ledgers((statement,))[org_id]
            version = self._version_of(statement.plan)
            ledger.add(statement, plan_version=version, created_at=closed_at, force=force)
            text = self._texts.text(settlement, self._version_of)
            if before is not None and self._is_kept(before, settlement, text):
                return before
            number = 1 if before is None else before.number + 1
            if before is not None:
                of_org = before.grants
            closing = self._chain_closing(ledger, settlement, text, closed_at, number, of_org)
            self._append([ledger])
        return closing

    def close_fresh(
        self, periods: Mapping[str, Period], settle: SettleFresh, *, closed_at: datetime
    ) -> Mapping[str, Recording]:
        """Close a period of each of many orgs, as far as nothing is kept of it or after it."""
        own, settle, closed_at = parse_all(
            (_period_by_org, periods, "periods"),
            (_parse_settle, settle, "settle"),
            (parse_instant, closed_at, "closed_at"),
        )
        with self._writing():
            settled = (self._settled_fresh(org_id, each, settle) for org_id, each in own.items())
            settlements = [each for each in settled if each is not None]
            ledgers = self._ledgers([each.statement for each in settlements])
            recordings = self._chain_fresh(settlements, ledgers, closed_at)
            self._append([ledgers[org_id] for org_id in recordings])
        return recordings

    def _settled_fresh(self, org_id: str, period: Period, settle: SettleFresh) -> Settlement | None:
        """Return the settlement of a period; None if it isn't fresh, or isn't settled."""
        fresh = self._fresh(org_id, period)
        settlement = None if fresh is None else settle(fresh[0], period, fresh[1])
        if settlement is None:
            return None
        statement = _parse_settlement(settlement, "settle()").statement
        if (statement.org_id, statement.period) != (org_id, period):
            told = f"{statement.org_id}, {statement.period}"
            raise InvalidValue("settle()", told, f"must be of {org_id}, {period}")
        return settlement

    def _fresh(self, org_id: str, period: Period) -> tuple[Account, Balance] | None:
        """Return the account and the balance that a fresh period starts with; None if it isn't."""
        account = self._get_accounts((org_id,)).get(org_id)
        closed, start = self._closed(org_id), period.start
        if (
            account is None
            or any(own.end > start for own in closed)
            or self._grants_of(org_id)
            or any(each.period.end > start for each in self._records_of(org_id, None))
        ):
            return None
        before = self._closing_before(org_id, start) if closed else None
        return account, EMPTY_BALANCE if before is None else before.balance

    def _chain_fresh(
        self,
        settlements: Iterable[Settlement],
        ledgers: Mapping[str, Ledger],
        closed_at: datetime,
    ) -> dict[str, Recording]:
        """Chain the records and closings of fresh periods; leave out those that can't be kept."""
        recordings: dict[str, Recording] = {}
        known_plans: set[int] = set()  # by identity
        for settlement in settlements:
            statement = settlement.statement
            org_id, plan = statement.org_id, statement.plan
            ledger = ledgers[org_id]
            try:  # a plan that is new is kept with what is first charged by it, or not at all
                with _NOTHING_NEW if id(plan) in known_plans else self._writing():
                    version = self._version_of(plan)
                    added = ledger.add(statement, plan_version=version, created_at=closed_at)
                    text = self._texts.text(settlement, self._version_of)
                    self._chain_closing(ledger, settlement, text, closed_at)
            except StorageError:
                raise
            except OveragesError:  # such as a plan that the codec can't write
                continue
            known_plans.add(id(plan))
            recordings[org_id] = added.recording()
        return recordings

    def _chain_closing(
        self,
        ledger: Ledger,
        settlement: Settlement,
        text: str,
        closed_at: datetime,
        number: int = 1,
        grants: Sequence[Grant] = (),
    ) -> Closing:
        """Chain a closing in the ledger of its org.

        :param text: that of the settlement.
        """
        period = settlement.statement.period
        return ledger.close(
            period,
            number=number,
            balance=settlement.balance,
            grants=grants,
            texts=ClosingTexts(balance_text(settlement.balance), _grants_text(grants), text),
            usage_seal=self._seal(ledger.org_id, period),
            closed_at=closed_at,
        )

    def _is_kept(self, closing: Closing, settlement: Settlement, text: str) -> bool:
        """Tell whether a settlement is the one of a closing; one that can't be read is another."""
        if settlement.balance != closing.balance:
            return False
        return text == self._settlement_text(closing.org_id, closing)

    def _seal(self, org_id: str, period: Period, upto: str | None = None) -> str:
        events, puts = self._event_rows(org_id, period), self._put_rows(org_id, period)
        return sealed(events, puts, self._withdrawal_rows(org_id, period), upto)

    def _altered_seals(self, org_id: str) -> Iterator[UsageAltered]:
        """Yield the closed periods of which the usage that was counted isn't there any more."""
        for closing in self._closings_since(org_id, None):
            period, seal = closing.period, closing.usage_seal
            if self._seal(org_id, period, seal) != seal:
                problem = "must be the usage that the period was closed with"
                yield UsageAltered(("closing", "usage_seal"), seal, problem, org_id, period)

    def closing(self, org_id: str, period: Period) -> Closing | None:
        """Return the last closing of an org's period; None if it is open."""
        parse_all((parse_name, org_id, "org_id"), (_period, period, "period"))
        with self._reading():
            return self._closing(org_id, period)

    def closing_before(self, org_id: str, instant: datetime) -> Closing | None:
        """Return the last closing of the org's last closed period that ends by an instant."""
        org_id, instant = parse_all(
            (parse_name, org_id, "org_id"), (parse_instant, instant, "instant")
        )
        with self._reading():
            return self._closing_before(org_id, instant)

    def closings(self, org_id: str, since: datetime | None = None) -> tuple[Closing, ...]:
        """Return the last closing of each closed period of an org, in order of time."""
        org_id, since = parse_all(
            (parse_name, org_id, "org_id"), (_optional_instant, since, "since")
        )
        with self._reading():
            return tuple(sorted(self._closings_since(org_id, since), key=_period_of))

    def settled(self, org_id: str, period: Period) -> Settlement | None:
        """Return the settlement that a period was last closed with; None if it is open."""
        parse_all((parse_name, org_id, "org_id"), (_period, period, "period"))
        with self._reading():
            closing = self._closing(org_id, period)
            if closing is None:
                return None
            settlement = self._settled(org_id, closing)
            if changes_of(settlement.statement, list(self._records_of(org_id, period))):
                raise RecordsAltered(org_id, closing.sequence, "is not what was recorded")
        return settlement

    def _settled(self, org_id: str, closing: Closing) -> Settlement:
        text = self._settlement_text(org_id, closing)
        return settlement_of(text, closing.balance, self._codec, self._get_plan)

    def closed_periods(self, org_id: str) -> Mapping[Period, datetime]:
        """Return when each closed period of an org first was, in order of time."""
        parse_name(org_id, "org_id")
        with self._reading():
            return dict(sorted(self._closed(org_id).items()))


def _grants_text(grants: Sequence[Grant]) -> str:
    if not grants:
        return "[]"
    return written([to_builtins(grant) for grant in grants], LONGEST).decode()


def _period_of(closing: Closing) -> Period:
    return closing.period
