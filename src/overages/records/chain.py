"""Chains: what shows that an org's records are all there, in order and unchanged.

The digest of a record is SHA-256 over the digest of the org's record before it, a line feed, and
the record's canonical JSON (that of `overages.codec`, without the digest itself). The first record
of an org follows on 64 zeros. Whoever changes, removes, adds or reorders a record breaks the chain
there, and can't mend it without making all later digests anew; a digest that was noted elsewhere
shows that too.

    row = row_of(record)
    row_digest(row, previous.digest)                  # record.digest
    verify_chain("org-123", links, head)              # 17 records, or RecordsAltered
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from functools import lru_cache
from hashlib import sha256
from json import JSONEncoder
from typing import Final, TypeAlias

from attrs import frozen

from overages._ground.parsing import parse_all
from overages._ground.trusted import trusted
from overages.amounts.exact import Exact, Quantity, number_text, parse_ordinal
from overages.amounts.money import Currency
from overages.errors import RecordsAltered
from overages.periods.period import Period, format_instant
from overages.records.record import OverageRecord, sha256_digest
from overages.statements.adjustment import OVERAGE

RecordRow: TypeAlias = tuple[
    str, str, str, str, str, int, str, str | None, str, str, str, int, str, int, int, str
]
"""A record as it is stored, without its digest, in the order of `COLUMNS`.

An adjustment of all lines has an empty metric there, as a key must have one.
"""

COLUMNS: Final = (
    "org_id",
    "billing_period_start",
    "billing_period_end",
    "metric_type",
    "line",
    "revision",
    "amount",
    "unit_price",
    "exact_cost",
    "cost",
    "currency",
    "currency_exponent",
    "plan",
    "plan_version",
    "sequence",
    "created_at",
)
_SEQUENCE: Final = COLUMNS.index("sequence")

Link: TypeAlias = tuple[RecordRow, str]
"""A row and its digest."""

StoredRow: TypeAlias = tuple[*RecordRow, str]
"""A row with its digest as the last column, as it is stored."""


@frozen(init=False, weakref_slot=False)
class ChainHead:
    """The last link of an org's chain of records, as it stood at some time.

    A host notes it elsewhere, and later gives it to `verify`: the chain must still lead back to it.

    :param sequence: how many records there were.
    :param digest: the digest of the last of them.
    :raises InvalidValue: for a value that is not allowed; `InvalidValues` for both.

    >>> noted = ChainHead(sequence=17, digest="0f" * 32)
    """

    sequence: int
    digest: str

    def __init__(self, sequence: int, digest: str) -> None:
        values = parse_all((parse_ordinal, sequence, "sequence"), (sha256_digest, digest, "digest"))
        self.__attrs_init__(*values)


new_head: Final = trusted(ChainHead)
CHAIN_START: Final = new_head(0, "0" * 64)


def row_of(record: OverageRecord) -> RecordRow:
    """Return the row that keeps a record."""
    make_row = row_maker(
        record.org_id,
        record.period,
        record.cost.currency,
        record.plan,
        record.plan_version,
        record.revision,
        record.created_at,
    )
    return make_row(
        record.metric,
        record.line,
        record.quantity,
        record.unit_price,
        record.exact_cost,
        record.cost.minor,
        record.sequence,
    )


def row_maker(
    org_id: str,
    period: Period,
    currency: Currency,
    plan: str,
    plan_version: int,
    revision: int,
    created_at: datetime,
) -> Callable[[str | None, str, Quantity, Exact | None, Exact, int, int], RecordRow]:
    """Return a function that makes the rows of one recording, which have so much in common."""
    start, end = _instant_text(period.start), _instant_text(period.end)
    code, exponent = currency.code, currency.exponent
    created = _instant_text(created_at)

    def make_row(
        metric: str | None,
        line: str,
        quantity: Quantity,
        unit_price: Exact | None,
        exact_cost: Exact,
        minor: int,
        sequence: int,
    ) -> RecordRow:
        return (
            org_id,
            start,
            end,
            metric or "",
            line,
            revision,
            number_text(quantity),
            None if unit_price is None else number_text(unit_price),
            number_text(exact_cost),
            number_text(minor),
            code,
            exponent,
            plan,
            plan_version,
            sequence,
            created,
        )

    return make_row


def link_of(stored: StoredRow) -> Link:
    """Return a stored row as its row and its digest."""
    return stored[:-1], stored[-1]


def row_digest(row: RecordRow, previous: str) -> str:
    """Return the digest of a record, given as its row, that follows on another's digest."""
    (
        org_id, start, end, metric, line, revision, quantity, unit_price, exact_cost, cost,
        currency, exponent, plan, plan_version, sequence, created_at,
    ) = row  # fmt: skip
    price = "null" if unit_price is None else f'"{unit_price}"'
    about = _quoted(metric) if metric else "null"
    named = "" if line == OVERAGE else f'"line":{_quoted(line)},'
    text = (
        f'{previous}\n{{"cost":{{"currency":{{"code":{_quoted(currency)},"exponent":"{exponent}"}},'
        f'"minor":"{cost}"}},"created_at":"{created_at}","exact_cost":"{exact_cost}",'
        f'{named}"metric":{about},"org_id":{_quoted(org_id)},"period":"{start}/{end}",'
        f'"plan":{_quoted(plan)},"plan_version":"{plan_version}","quantity":"{quantity}",'
        f'"revision":"{revision}","sequence":"{sequence}","type":"OverageRecord",'
        f'"unit_price":{price},"version":"1"}}'
    )
    return sha256(text.encode()).hexdigest()


_quote: Final = JSONEncoder(ensure_ascii=False).encode
# The same orgs, metrics, plans, currencies and periods come again and again.
_quoted: Final = lru_cache(maxsize=1024)(_quote)
_instant_text: Final = lru_cache(maxsize=1024)(format_instant)


def verify_chain(
    org_id: str, links: Iterable[Link], head: ChainHead, noted: ChainHead | None = None
) -> int:
    """Return how many records an org's chain has, having checked each one.

    :param links: the rows and digests of all records of the org, in any order.
    :param head: where the chain has to end.
    :param noted: where it ended at an earlier time; that record has to be in it still.
    :raises RecordsAltered: for the first record that is missing, or not what was recorded.
    """
    previous = CHAIN_START
    for row, digest in sorted(links, key=_sequence):
        expected = previous.sequence + 1
        _check_place(org_id, _sequence((row, digest)), expected)
        if expected > head.sequence:
            raise RecordsAltered(org_id, expected, "was never recorded")
        if not _is_lawful(row, digest, previous) or _is_another(expected, digest, noted):
            raise RecordsAltered(org_id, expected, "is not what was recorded")
        previous = new_head(expected, digest)
    wanted = max(head.sequence, noted.sequence if noted else 0)
    if previous.sequence < wanted:
        raise RecordsAltered(org_id, previous.sequence + 1, "is missing")
    if previous.digest != head.digest:
        raise RecordsAltered(org_id, previous.sequence, "is not what was recorded")
    return previous.sequence


def _sequence(link: Link) -> int:
    place = link[0][_SEQUENCE]
    return place if type(place) is int and place > 0 else 2**63  # a damaged row can hold anything


def _check_place(org_id: str, place: int, expected: int) -> None:
    if place == expected:
        return
    if place < expected:
        raise RecordsAltered(org_id, place, "is there twice")
    raise RecordsAltered(org_id, expected, "is missing")


def _is_lawful(row: RecordRow, digest: str, previous: ChainHead) -> bool:
    try:
        return row_digest(row, previous.digest) == digest
    except (TypeError, ValueError):  # a damaged row can hold anything
        return False


def _is_another(sequence: int, digest: str, noted: ChainHead | None) -> bool:
    return noted is not None and sequence == noted.sequence and digest != noted.digest
