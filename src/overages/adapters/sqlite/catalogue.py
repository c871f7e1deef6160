"""Plans, metrics and accounts in SQLite: each a row with the value as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import cached_property, lru_cache
from typing import Final

from overages._ground.frozen_dict import FrozenDict
from overages._ground.names import parse_name
from overages._ground.value import evolve
from overages.adapters.sqlite.rows import LONGEST, instant_of, readable
from overages.adapters.sqlite.store import SqliteStore, chunks, marks, write_rows
from overages.adapters.templates import quoted
from overages.codec import Codec
from overages.periods.period import format_instant
from overages.terms.account import Account, account_of
from overages.terms.change import TermsChange
from overages.terms.note import AccountNote
from overages.terms.plan import Plan
from overages.usage.metric import Metric

_FEW_PLANS: Final = 64  # each bill reads its plan; one of 10,000 metrics takes a second to decode
_ADD_ENTRY: Final = (
    "INSERT INTO org_billing_accounts (org_id, place, entry, noted_at, noted_by, reason) VALUES"
)
_ANY_ORG: Final = "-"
"""The name that stands for an org in entries that many have."""
_OF_ANY_ORG: Final = f'"org_id":{quoted(_ANY_ORG)}'


@lru_cache(maxsize=_FEW_PLANS)
def decoded_plan(codec: Codec, text: str) -> Plan:
    """Return the plan of a text."""
    return codec.decode(text, Plan, most_bytes=LONGEST)


@lru_cache(maxsize=1024)  # each bill and each decision asks for them
def _decoded_starts(rows: tuple[tuple[str, int], ...]) -> Mapping[datetime, int]:
    return FrozenDict({instant_of(since): version for since, version in rows})


@lru_cache(maxsize=1024)  # usage comes in batches of many orgs, whose accounts seldom change
def _decoded_account(codec: Codec, entries: tuple[str, ...]) -> Account:
    first = codec.decode(entries[0], Account, most_bytes=LONGEST)
    changes = [codec.decode(entry, TermsChange, most_bytes=LONGEST) for entry in entries[1:]]
    return evolve(first, changes=changes) if changes else first


@lru_cache(maxsize=16)  # each bill asks for them, and a price list has thousands
def _decoded_metrics(codec: Codec, content: tuple[str, ...]) -> tuple[Metric, ...]:
    return tuple(codec.decode(each, Metric, most_bytes=LONGEST) for each in content)


@lru_cache(maxsize=1024)
def _account_text(codec: Codec, account: Account) -> str:
    return codec.encode(account, most_bytes=LONGEST).decode()


class _Entries:
    """Writes the entries of accounts, of which many may have the same terms."""

    def __init__(self, codec: Codec) -> None:
        self._codec = codec
        self._firsts: dict[int, tuple[Account, str]] = {}  # by the identity of their timelines

    def texts(self, account: Account, first: int) -> list[str]:
        """Return the texts of an account's entries from a place on."""
        texts = [] if first else [self._first_terms(account)]
        for change in account.changes[max(0, first - 1) :]:
            texts.append(self._codec.encode(change, most_bytes=LONGEST).decode())
        return texts

    def _first_terms(self, account: Account) -> str:
        held = self._firsts.get(id(account.timeline))
        if held is None:
            alone = evolve(account, changes=()) if account.changes else account
            text = _account_text(self._codec, account_of(_ANY_ORG, alone))
            held = self._firsts[id(account.timeline)] = account, text
        return held[1].replace(_OF_ANY_ORG, f'"org_id":{quoted(account.org_id)}')


@lru_cache(maxsize=4096)  # periods that have ended are looked for, closed, and reported
def decoded_account(codec: Codec, org_id: str, entries: tuple[str, ...]) -> Account:
    """Return the account of an org, which may have entries of its own, or those of many others."""
    before, own, after = entries[0].partition(f'"org_id":{quoted(org_id)}')
    if own and own not in after:
        account = _decoded_account(codec, (f"{before}{_OF_ANY_ORG}{after}", *entries[1:]))
        return account_of(parse_name(org_id, "org_id"), account)
    return _decoded_account(codec, entries)


class Catalogue(SqliteStore):
    """The tables of plans, metrics and accounts."""

    def _version_of(self, plan: Plan) -> int:
        content = self._plan_text(plan)
        stored = dict(
            self._cursor.execute(
                "SELECT plan, version FROM org_billing_plans WHERE slug = ?", (plan.slug,)
            )
        )
        version: int = stored.get(content, len(stored) + 1)
        if content not in stored:
            self._cursor.execute(
                "INSERT INTO org_billing_plans VALUES (?, ?, ?)", (plan.slug, version, content)
            )
        return version

    def _plan_text(self, plan: Plan) -> str:
        """Return the text of a plan, which is written once, as long as few others are."""
        held = self._plan_texts.get(id(plan))
        if held is None:
            if len(self._plan_texts) == _FEW_PLANS:
                self._plan_texts.clear()
            held = plan, self._codec.encode(plan, most_bytes=LONGEST).decode()
            self._plan_texts[id(plan)] = held
        return held[1]

    @cached_property
    def _plan_texts(self) -> dict[int, tuple[Plan, str]]:
        """Texts by the plan's identity: to compare two plans takes longer than to write one."""
        return {}

    def _get_plan(self, slug: str, version: int) -> Plan | None:
        sql = "SELECT plan FROM org_billing_plans WHERE slug = ? AND version = ?"
        row = self._cursor.execute(sql, (slug, version)).fetchone()
        if row is None:
            return None
        with readable():
            return decoded_plan(self._codec, row[0])

    def _slugs(self) -> Iterable[str]:
        rows = self._cursor.execute("SELECT DISTINCT slug FROM org_billing_plan_starts")
        with readable():
            return [parse_name(slug, "slug") for (slug,) in rows.fetchall()]

    def _starts_of(self, slug: str) -> Mapping[datetime, int]:
        sql = "SELECT since, version FROM org_billing_plan_starts WHERE slug = ? ORDER BY number"
        rows = self._cursor.execute(sql, (slug,)).fetchall()
        with readable():
            return _decoded_starts(tuple(rows))

    def _set_start(self, slug: str, since: datetime, version: int) -> None:
        sql = "INSERT INTO org_billing_plan_starts (slug, since, version) VALUES (?, ?, ?)"
        self._cursor.execute(sql, (slug, format_instant(since), version))

    def _add_metric(self, metric: Metric) -> None:
        content = self._codec.encode(metric, most_bytes=LONGEST).decode()
        sql = "INSERT INTO org_billing_metrics (name, metric) VALUES (?, ?)"
        self._cursor.execute(sql, (metric.name, content))

    def _all_metrics(self) -> Iterable[Metric]:
        sql = "SELECT name, metric FROM org_billing_metrics ORDER BY number"
        content = tuple(dict(self._cursor.execute(sql)).values())  # the last one of each name
        with readable():
            return _decoded_metrics(self._codec, content)

    def _add_entries(self, added: Sequence[tuple[Account, int]], note: AccountNote) -> None:
        noted_at = None if note.noted_at is None else format_instant(note.noted_at)
        noted = noted_at, note.noted_by, note.reason
        entries = _Entries(self._codec)
        rows = [
            (account.org_id, place, text, *noted)
            for account, first in added
            for place, text in enumerate(entries.texts(account, first), first)
        ]
        write_rows(self._cursor, _ADD_ENTRY, rows)

    def _get_accounts(self, orgs: Sequence[str]) -> Mapping[str, Account]:
        entries: dict[str, list[str]] = {}
        for chunk in chunks(orgs):
            sql = (
                f"SELECT org_id, entry FROM org_billing_accounts WHERE org_id IN ({marks(chunk)})"
                " ORDER BY org_id, place"
            )
            for org_id, entry in self._cursor.execute(sql, tuple(chunk)):
                entries.setdefault(org_id, []).append(entry)
        with readable():
            return {
                org_id: decoded_account(self._codec, org_id, tuple(own))
                for org_id, own in entries.items()
            }

    def _notes_of(self, org_id: str) -> Iterable[AccountNote]:
        sql = (
            "SELECT noted_at, noted_by, reason FROM org_billing_accounts WHERE org_id = ?"
            " ORDER BY place"
        )
        rows = self._cursor.execute(sql, (org_id,)).fetchall()
        with readable():
            return [AccountNote(at and instant_of(at), by, reason) for at, by, reason in rows]

    def orgs(self) -> Iterator[str]:
        """Yield the orgs that have an account or records, sorted."""
        rows = self._database.rows(
            "SELECT org_id FROM org_billing_accounts"
            " UNION SELECT org_id FROM org_billing_chain_heads"
        )
        with readable():
            return iter(sorted(org_id for (org_id,) in rows))  # SQLite sorts UTF-16 otherwise
