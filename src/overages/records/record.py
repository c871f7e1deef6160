"""Records: the lines of a statement as they are kept, and what they come to.

A repository makes records of a statement, and `aggregate` makes a summary of them:

    records = repository.record(statement, created_at=now).records
    summary = Summary("USD", {"tokens": MetricTotal(250_000, cost)})
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Final

from attrs import field, frozen

from overages._ground.names import optional_name, parse_name
from overages._ground.parsing import instance_of, parse_all
from overages._ground.trusted import trusted
from overages.amounts.exact import (
    Exact,
    Quantity,
    QuantityLike,
    optional_amount,
    parse_amount,
    parse_ordinal,
    parse_quantity,
)
from overages.amounts.money import Money
from overages.errors import Field, InvalidValue
from overages.periods.period import Period, parse_instant
from overages.statements.adjustment import OVERAGE


@frozen(init=False, weakref_slot=False)
class OverageRecord:
    """One stored line of a statement: a charge, or a correction of earlier ones.

    The records of a line sum to the last result that was recorded for its period: quantity,
    exact cost and cost alike. A record is never changed; `digest` shows that it wasn't.

    :param org_id: who is charged.
    :param period: for when.
    :param metric: for what; None where it is about all lines of the statement.
    :param quantity: units over the limit; negative in a correction that takes some back.
    :param cost: what is charged for them, rounded; of any sign.
    :param exact_cost: the same unrounded, in major currency units.
    :param unit_price: major currency units for each unit of the quantity; None where there is no
        such price, since units differ in it or a correction is one of the price.
    :param line: which line of the statement it keeps: ``"overage"``, or that of an adjustment, such
        as ``"minimum"`` or ``"credit:grant-7"``; an adjustment's quantity is zero.
    :param plan: slug of the plan that said so.
    :param plan_version: which version of the plan, counted from 1.
    :param revision: which result of the period the record led to, counted from 1.
    :param sequence: the record's place among all records of its org, counted from 1.
    :param created_at: when it was recorded, timezone-aware; kept in UTC.
    :param digest: SHA-256 over the record and the digest of the org's record before, 64 lower-case
        hexadecimal digits (see `overages.records.chain`).
    :raises InvalidType: for a value of a wrong type.
    :raises InvalidValue: for a value that is not allowed; `InvalidValues` for several.

    Repositories make records; `overages.records.ledger.Ledger` makes them without a repository.
    """

    org_id: str
    period: Period
    metric: str | None
    quantity: Quantity
    cost: Money
    exact_cost: Exact
    unit_price: Exact | None
    line: str
    plan: str
    plan_version: int
    revision: int
    sequence: int
    created_at: datetime
    digest: str = field(repr=False)

    def __init__(
        self,
        org_id: str,
        period: Period,
        metric: str | None,
        *,
        quantity: QuantityLike,
        cost: Money,
        exact_cost: Exact | int,
        unit_price: Exact | int | None = None,
        line: str = OVERAGE,
        plan: str,
        plan_version: int = 1,
        revision: int = 1,
        sequence: int = 1,
        created_at: datetime,
        digest: str,
    ) -> None:
        values = parse_all(
            (parse_name, org_id, "org_id"),
            (instance_of(Period), period, "period"),
            (optional_name, metric, "metric"),
            (parse_quantity, quantity, "quantity"),
            (instance_of(Money), cost, "cost"),
            (parse_amount, exact_cost, "exact_cost"),
            (optional_amount, unit_price, "unit_price"),
            (parse_name, line, "line"),
            (parse_name, plan, "plan"),
            (parse_ordinal, plan_version, "plan_version"),
            (parse_ordinal, revision, "revision"),
            (parse_ordinal, sequence, "sequence"),
            (parse_instant, created_at, "created_at"),
            (sha256_digest, digest, "digest"),
        )
        if metric is None and line == OVERAGE:
            raise InvalidValue("metric", metric, "must be named for an overage")
        self.__attrs_init__(*values)

    @property
    def id(self) -> str:
        """What names the record everywhere: its digest."""
        return self.digest


def by_sequence(record: OverageRecord) -> int:
    """Return what sorts records of an org in the order of recording."""
    return record.sequence


def sha256_digest(value: object, field: Field) -> str:
    """Return `value` if it is written as SHA-256 digests are here."""
    text = str.__str__(instance_of(str)(value, field))  # plain, also of an enum that is a str
    if not re.fullmatch(r"[0-9a-f]{64}", text):
        raise InvalidValue(field, value, "must be 64 lower-case hexadecimal digits")
    return text


new_record: Final = trusted(OverageRecord)
