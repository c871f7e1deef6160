"""Texts of an invoice item: a line for who pays, and its whole record as metadata.

description(record, line)                             # "tokens: 250,000 x 0.0001"
metadata(record, line)                                # {"overages_id": "5a3c...", ...}
"""

from __future__ import annotations

from typing import Final

from overages.amounts.exact import number_text, plain_text
from overages.lines.adjustment import OVERAGE, spoken
from overages.lines.overage import Overage
from overages.records.record import OverageRecord

ID: Final = "overages_id"  # the key of the metadata that an item is found by
_LONGEST: Final = 500  # characters of a value that Stripe keeps
_TIERS: Final = 30  # of at most 50 keys; an item has 13 others


def description(record: OverageRecord, line: Overage | None) -> str:
    """Describe a record's charge in one line.

    :param line: the statement's line that it is the record of, for its tiers.
    """
    text = f"{_subject(record)}: {_how(record, line)}"
    return fitting(text)


def metadata(record: OverageRecord, line: Overage | None) -> dict[str, str]:
    """List a record's fields, by key; numbers as plain decimal text, in major units.

    Stripe keeps 50 keys of an item: tiers beyond the thirtieth are left to the statement.
    """
    texts = {
        ID: record.id,
        "org_id": record.org_id,
        "period": record.period.isoformat(),
        "metric": record.metric,
        "line": record.line,
        "quantity": number_text(record.quantity),
        "unit_price": None if record.unit_price is None else number_text(record.unit_price),
        "exact_cost": number_text(record.exact_cost),
        "cost": f"{record.cost.amount:f}",  # `str` would write 0E-7 of a currency that is as fine
        "plan": record.plan,
        "plan_version": str(record.plan_version),
        "revision": str(record.revision),
        "sequence": str(record.sequence),
    }
    tiers = tiers_of(line) if line is not None else []
    texts |= {f"tier_{i}": text for i, text in enumerate(tiers[:_TIERS], 1)}
    return {key: fitting(text) for key, text in texts.items() if text is not None}


def tiers_of(line: Overage) -> list[str]:
    """Write a text for each tier of a line; their sum is the line's exact cost."""
    return [f"{text} = {plain_text(exact)}" for text, exact in line.breakdown()]


def fitting(text: str) -> str:
    """Return a text that is as short as Stripe wants it, its end left out if it has to be."""
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."


def _subject(record: OverageRecord) -> str:
    words = [] if record.metric is None else [record.metric]
    if record.line != OVERAGE:
        kind, _, name = record.line.partition(":")
        words.append(f"from {name}" if kind == OVERAGE else f"{spoken(kind)} {name}".strip())
    if record.revision > 1:
        words.append(f"revision {record.revision}")
    return ", ".join(words)


def _how(record: OverageRecord, line: Overage | None) -> str:
    tiers = [] if line is None else tiers_of(line)
    if len(tiers) > 1:
        return "; ".join(tiers)
    if record.unit_price is not None:
        return f"{plain_text(record.quantity)} x {plain_text(record.unit_price)}"
    if tiers:
        return tiers[0]
    exact = f"{plain_text(record.exact_cost)} {record.cost.currency}"
    return f"{plain_text(record.quantity)} for {exact}" if record.quantity else exact
