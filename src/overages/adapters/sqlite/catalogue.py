"""Plans, metrics and accounts in SQLite: each a row with the value as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from functools import cached_property, lru_cache
from typing import Final

from overages._ground.names import parse_name
from overages._ground.value import evolve
from overages.adapters.sqlite.rows import LONGEST, instant_of, readable
from overages.adapters.sqlite.store import SqliteStore
from overages.adapters.templates import quoted
from overages.codec import Codec
from overages.periods.period import format_instant
from overages.terms.account import Account, account_of
from overages.terms.change import TermsChange
from overages.terms.note import AccountNote
from overages.terms.plan import Plan
from overages.usage.metric import Metric

_FEW_PLANS: Final = 16  # each bill reads its plan; one of 10,000 metrics takes a second to decode
_ANY_ORG: Final = "-"
"""The name that stands for an org in entries that many have."""


@lru_cache(maxsize=_FEW_PLANS)
def _decoded_plan(codec: Codec, text: str) -> Plan:
    return codec.decode(text, Plan, most_bytes=LONGEST)


@lru_cache(maxsize=1024)  # usage comes in batches of many orgs, whose accounts seldom change
def _decoded_account(codec: Codec, entries: tuple[str, ...]) -> Account:
    first = codec.decode(entries[0], Account, most_bytes=LONGEST)
    changes = [codec.decode(entry, TermsChange, most_bytes=LONGEST) for entry in entries[1:]]
    return evolve(first, changes=changes) if changes else first


@lru_cache(maxsize=16)  # each bill asks for them, and a price list has thousands
def _decoded_metrics(codec: Codec, content: tuple[str, ...]) -> tuple[Metric, ...]:
    return tuple(codec.decode(each, Metric, most_bytes=LONGEST) for each in content)


def decoded_account(codec: Codec, org_id: str, entries: tuple[str, ...]) -> Account:
    """Return the account of an org, which may have entries of its own, or those of many others."""
    own, others = (f'"org_id":{quoted(name)}' for name in (org_id, _ANY_ORG))
    first, *later = entries
    if first.count(own) == 1:
        account = _decoded_account(codec, (first.replace(own, others), *later))
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
            return _decoded_plan(self._codec, row[0])

    def _slugs(self) -> Iterable[str]:
        rows = self._cursor.execute("SELECT DISTINCT slug FROM org_billing_plan_starts")
        with readable():
            return [parse_name(slug, "slug") for (slug,) in rows.fetchall()]

    def _starts_of(self, slug: str) -> Mapping[datetime, int]:
        sql = "SELECT since, version FROM org_billing_plan_starts WHERE slug = ? ORDER BY number"
        rows = self._cursor.execute(sql, (slug,)).fetchall()
        with readable():
            return {instant_of(since): version for since, version in rows}

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

    def _add_entries(self, account: Account, first: int, note: AccountNote) -> None:
        entries = [evolve(account, changes=()), *account.changes][first:]
        noted_at = None if note.noted_at is None else format_instant(note.noted_at)
        noted = noted_at, note.noted_by, note.reason
        self._cursor.executemany(
            "INSERT INTO org_billing_accounts VALUES (?, ?, ?, ?, ?, ?)",
            [
                (
                    account.org_id,
                    place,
                    self._codec.encode(entry, most_bytes=LONGEST).decode(),
                    *noted,
                )
                for place, entry in enumerate(entries, first)
            ],
        )

    def _get_account(self, org_id: str) -> Account | None:
        sql = "SELECT entry FROM org_billing_accounts WHERE org_id = ? ORDER BY place"
        entries = tuple(entry for (entry,) in self._cursor.execute(sql, (org_id,)))
        if not entries:
            return None
        with readable():
            return decoded_account(self._codec, org_id, entries)

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
