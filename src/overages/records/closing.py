"""Closings: the end of a period, and the balance that the next one starts from, kept as facts.

A closing is a link of the org's chain, as its records are: whoever changes the balance that a later
period starts from, or the settlement that the closed one came to, breaks the chain. Nothing that
comes later (terms, grants, usage) changes it; a forced correction of the period adds another one,
with the next number:

    number 1    closed on 2 March      balance: 40 units carried over
    number 2    corrected on 9 March   balance: 25 units carried over

    closing = repository.closing("org-123", february)
    closing.balance                                   # March starts from it
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Final, NamedTuple, TypeAlias

from overages._ground.names import parse_name
from overages._ground.parsing import instance_of, tuple_of
from overages._ground.trusted import trusted
from overages._ground.value import term, value
from overages.amounts.exact import parse_ordinal
from overages.grants.grant import Grant
from overages.periods.period import Period, parse_instant
from overages.records.chain import instant_text
from overages.records.record import parse_digest
from overages.settlements.balance import Balance

ClosingRow: TypeAlias = tuple[str, str, str, int, str, str, str, str, str, int]
"""A closing as it is chained, in the order of `CLOSING_COLUMNS`."""

CLOSING_COLUMNS: Final = (
    "org_id",
    "billing_period_start",
    "billing_period_end",
    "number",
    "balance",
    "grants",
    "settlement",
    "usage_seal",
    "closed_at",
    "sequence",
)


@value
class Closing:
    """A period of an org that is closed: its balance, and the grants and usage that were known.

    :param org_id: whose period it is.
    :param period: the period.
    :param number: 1 for the closing itself; each forced correction of the period adds one.
    :param balance: all that the next period starts from.
    :param grants: those that the org had when the period was first closed: one that is entered
        later acts from the first open period on.
    :param usage_seal: tells the usage that was counted, and the withdrawn part of it, for
        `Repository.verify`.
    :param closed_at: when, timezone-aware; kept in UTC.
    :param sequence: its place in the org's chain.
    :param digest: over it and the link before it.
    :raises InvalidType: for a value of a wrong type.
    :raises InvalidValue: for a value that is not allowed; `InvalidValues` for several.
    """

    org_id: str = term(parse_name)
    period: Period = term(instance_of(Period))
    number: int = term(parse_ordinal)
    balance: Balance = term(instance_of(Balance))
    grants: tuple[Grant, ...] = term(tuple_of(Grant))
    usage_seal: str = term(parse_name)
    closed_at: datetime = term(parse_instant)
    sequence: int = term(parse_ordinal)
    digest: str = term(parse_digest)

    def __init__(
        self,
        org_id: str,
        period: Period,
        number: int,
        balance: Balance,
        grants: Iterable[Grant],
        usage_seal: str,
        closed_at: datetime,
        sequence: int,
        digest: str,
    ) -> None: ...


class ClosingTexts(NamedTuple):
    """The values of a closing that are chained as texts, each in one line."""

    balance: str
    grants: str
    settlement: str


def closing_row(
    org_id: str,
    period: Period,
    number: int,
    texts: ClosingTexts,
    usage_seal: str,
    closed_at: datetime,
    sequence: int,
) -> ClosingRow:
    """Return a closing as it is chained."""
    start, end = instant_text(period.start), instant_text(period.end)
    closed = instant_text(closed_at)
    return org_id, start, end, number, *texts, usage_seal, closed, sequence


new_closing: Final = trusted(Closing)
