"""Records: the lines of a statement as they are kept.

A repository makes records of a statement, and `aggregate` makes a summary of them:

    records = repository.record(statement, created_at=now).records
    aggregate(records).total == statement.total       # always, however often it was corrected
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Final

from overages._ground.names import optional_name, parse_name
from overages._ground.parsing import Problems, instance_of
from overages._ground.trusted import trusted
from overages._ground.value import term, value
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
from overages.lines.adjustment import OVERAGE, is_overage
from overages.periods.period import Period, parse_instant


def parse_digest(value: object, field: Field) -> str:
    """Return `value` if it is written as SHA-256 digests are here."""
    text = str.__str__(instance_of(str)(value, field))  # plain, also of an enum that is a str
    if not re.fullmatch(r"[0-9a-f]{64}", text):
        raise InvalidValue(field, value, "must be 64 lower-case hexadecimal digits")
    return text


@value
class OverageRecord:
    """One stored line of a statement: a charge, or a correction of earlier ones.

    The records of a line sum to the last result that was recorded for its period: quantity,
    exact cost and cost alike. A record is never changed; `digest` shows that it wasn't.

    :param org_id: who is charged.
    :param period: the period that is charged for.
    :param metric: the metric of the line; None where the line is about all of them.
    :param quantity: units over the limit; negative in a correction that takes some back.
    :param cost: the charge for them, rounded; of any sign.
    :param exact_cost: the same unrounded, in major currency units.
    :param unit_price: major currency units for each unit of the quantity; None where there is no
        such price, since units differ in it or a correction is one of the price.
    :param line: the line of the statement that it keeps: ``"overage"``, or that of an adjustment,
        such as ``"minimum"`` or ``"credit:grant-7"``; an adjustment's quantity is zero.
    :param plan: slug of the plan that the statement is by.
    :param plan_version: the version of the plan, counted from 1.
    :param revision: the result of the period that the record led to, counted from 1.
    :param sequence: the record's place among all records of its org, counted from 1.
    :param created_at: when it was recorded, timezone-aware; kept in UTC.
    :param digest: SHA-256 over the record and the digest of the org's record before, 64 lower-case
        hexadecimal digits (see `overages.records.chain`).
    :raises InvalidType: for a value of a wrong type.
    :raises InvalidValue: for a value that is not allowed; `InvalidValues` for several.

    Repositories make records; `overages.records.ledger.Ledger` makes them without a repository.
    """

    org_id: str = term(parse_name)
    period: Period = term(instance_of(Period))
    metric: str | None = term(optional_name)
    quantity: Quantity = term(parse_quantity)
    cost: Money = term(instance_of(Money))
    exact_cost: Exact = term(parse_amount)
    unit_price: Exact | None = term(optional_amount)
    line: str = term(parse_name)
    plan: str = term(parse_name)
    plan_version: int = term(parse_ordinal)
    revision: int = term(parse_ordinal)
    sequence: int = term(parse_ordinal)
    created_at: datetime = term(parse_instant)
    digest: str = term(parse_digest)

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
    ) -> None: ...

    def _check(self, problems: Problems) -> None:
        if self.metric is None and is_overage(self.line):
            problems.add(InvalidValue("metric", None, "must be named for an overage"))

    @property
    def id(self) -> str:
        """The name of the record everywhere: its digest."""
        return self.digest


def by_sequence(record: OverageRecord) -> int:
    """Return the place of a record among its org's: the key that sorts them."""
    return record.sequence


# A ledger makes one for each line that changed, of parts that are known to be good.
new_record: Final = trusted(OverageRecord)
