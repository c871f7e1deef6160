"""Chains: the proof that an org's records and closings are all there, in order and unchanged.

The digest of a record is SHA-256 over the digest of the org's link before it and the record's
columns as they are stored (`COLUMNS`), each on a line of its own. No name holds a line feed, so two
rows never have one text; no unit price is ``null``. The first record of an org follows on 64 zeros.
Whoever changes, removes, adds or reorders a record breaks the chain there, and can't mend it
without making all later digests anew; a digest that was noted elsewhere shows that too. The closing
of a period is a link like a record, of its own columns (`overages.records.closing`).

The record's JSON isn't hashed, though it would do: a digest stands for ever, also when a field is
written differently one day, and can be worked out from the table alone, without this library.

    row = row_of(record)
    row_digest(row, previous.digest)                  # record.digest
    verify_chain("org-123", links, head)              # 17 links, or RecordsAltered
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from functools import cache, lru_cache
from hashlib import sha256
from typing import Final, NamedTuple, TypeAlias, cast

from overages._ground.parsing import Problems
from overages._ground.trusted import trusted
from overages._ground.value import term, value
from overages.amounts.exact import number_text, parse_ordinal
from overages.amounts.money import Currency
from overages.errors import Field, InvalidValue, RecordsAltered
from overages.periods.period import Period, format_instant
from overages.records.changes import Change
from overages.records.record import OverageRecord, parse_digest

RecordRow: TypeAlias = tuple[
    str, str, str, str, str, int, str, str | None, str, str, str, int, str, int, int, str
]
"""A record as it is stored, without its digest, in the order of `COLUMNS`.

An adjustment of all lines has an empty metric there, as a key must have one. (A plain tuple: a
named one of so many columns takes 420 ns to make instead of 80.)
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


class Link(NamedTuple):
    """A record or a closing in its chain: its place, its columns as they are stored, its digest."""

    sequence: int
    columns: tuple[object, ...]
    digest: str


StoredRow: TypeAlias = tuple[*RecordRow, str]
"""A row with its digest as the last column, as it is stored."""


_NO_DIGEST: Final = "0" * 64  # that the first record of an org follows on


def _parse_count(value: object, field: Field) -> int:
    return value if type(value) is int and value == 0 else parse_ordinal(value, field)


@value
class ChainHead:
    """The last link of an org's chain of records and closings, as it stood at some time.

    A host notes it elsewhere, and later gives it to `verify`: the chain must still lead back to it.

    :param sequence: the number of links.
    :param digest: the digest of the last of them; 64 zeros if there was none.
    :raises InvalidValue: for a value that is not allowed; `InvalidValues` for both.

    >>> noted = ChainHead(sequence=17, digest="0f" * 32)
    """

    sequence: int = term(_parse_count)
    digest: str = term(parse_digest)

    def __init__(self, sequence: int, digest: str) -> None: ...

    def _check(self, problems: Problems) -> None:
        if self.sequence == 0 and self.digest != _NO_DIGEST:
            problem = "must be 64 zeros where there is no record yet"
            problems.add(InvalidValue("digest", self.digest, problem))


new_head: Final = trusted(ChainHead)

CHAIN_START: Final = ChainHead(0, _NO_DIGEST)
"""The head of a chain without records."""


def row_of(record: OverageRecord) -> RecordRow:
    """Return the row that keeps a record."""
    amounts = record.quantity, record.exact_cost, record.cost.minor, record.unit_price
    (row,) = rows_of(
        record.org_id,
        record.period,
        record.cost.currency,
        record.plan,
        record.plan_version,
        record.revision,
        record.created_at,
        record.sequence,
        [(record.metric, record.line, *amounts)],
    )
    return row


def rows_of(
    org_id: str,
    period: Period,
    currency: Currency,
    plan: str,
    plan_version: int,
    revision: int,
    created_at: datetime,
    first: int,
    changes: Iterable[Change],
) -> Iterator[RecordRow]:
    """Yield the rows of the changes of one recording, which have so much in common.

    :param first: the place of the first of them among all records of the org.
    """
    start, end = instant_text(period.start), instant_text(period.end)
    code, exponent = currency.code, currency.exponent
    created = instant_text(created_at)
    for sequence, change in enumerate(changes, first):
        metric, line, quantity, exact_cost, minor, unit_price = change
        yield (
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


def link_of(stored: StoredRow) -> Link:
    """Return a stored record as a link."""
    return Link(cast(int, stored[_SEQUENCE]), stored[:-1], stored[-1])


def row_digest(row: tuple[object, ...], previous: str) -> str:
    """Return the digest of a record, as its row, or of a closing, that follows on another's digest.

    >>> row = ("org-1", "2024-02-01T00:00:00Z", "2024-03-01T00:00:00Z", "runs", "overage", 1,
    ...        "25", "1", "25", "2500", "USD", 2, "starter", 1, 1, "2024-03-01T00:00:00Z")
    >>> row_digest(row, CHAIN_START.digest)[:8]
    '92df226a'
    """
    text = _lines(len(row)) % row
    if "None" in text:  # few have it, and looking at each column takes three times as long
        text = _lines(len(row)) % tuple(["null" if None is column else column for column in row])
    return sha256(f"{previous}\n{text}".encode()).hexdigest()


@cache
def _lines(count: int) -> str:
    """Return the format of some lines: to fill it takes 0.6 of the time of joining texts."""
    return "\n".join(["%s"] * count)


# The instants of periods, recordings and closings come again and again.
instant_text: Final = lru_cache(maxsize=1024)(format_instant)


def verify_chain(
    org_id: str, links: Iterable[Link], head: ChainHead, noted: ChainHead | None = None
) -> int:
    """Check each link of an org's chain; return the number of them.

    :param links: all records and closings of the org, in any order.
    :param head: where the chain has to end.
    :param noted: where it ended at an earlier time; that link has to be in it still.
    :raises RecordsAltered: for the first link that is missing or changed.
    """
    last, previous = 0, CHAIN_START.digest
    for link in sorted(links, key=_place):
        _check_place(org_id, _place(link), last + 1)
        last += 1
        if last > head.sequence:
            raise RecordsAltered(org_id, last, "was never recorded")
        if not _is_lawful(link, previous) or _is_another(last, link.digest, noted):
            raise RecordsAltered(org_id, last, "is not what was recorded")
        previous = link.digest
    if last < max(head.sequence, noted.sequence if noted else 0):
        raise RecordsAltered(org_id, last + 1, "is missing")
    if previous != head.digest:
        raise RecordsAltered(org_id, last, "is not what was recorded")
    return last


def _place(link: Link) -> int:
    place = link.sequence
    return place if type(place) is int and place > 0 else 2**63  # a damaged row can hold anything


def _check_place(org_id: str, place: int, expected: int) -> None:
    if place == expected:
        return
    if place < expected:
        raise RecordsAltered(org_id, place, "is there twice")
    raise RecordsAltered(org_id, expected, "is missing")


def _is_lawful(link: Link, previous: str) -> bool:
    try:
        return row_digest(link.columns, previous) == link.digest
    except ValueError:  # a damaged row can hold anything, such as a lone surrogate
        return False


def _is_another(sequence: int, digest: str, noted: ChainHead | None) -> bool:
    return noted is not None and sequence == noted.sequence and digest != noted.digest
