"""Invoice items: records in Stripe's terms, one item for each.

Making them calls nothing and writes nothing, so they are also a preview of a call:

    for item in invoice_items(records, {"org-123": "cus_9s6"}):
        print(item.amount, item.currency, item.description)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeAlias, TypeVar

from attrs import frozen

from overages._ground.frozen_dict import FrozenDict
from overages._ground.names import optional_name, parse_name
from overages._ground.parsing import Problems, as_tuple, instance_of, parse_all
from overages.errors import Field, InvalidType, UnknownCustomer
from overages.exports.stripe.currencies import stripe_amount
from overages.exports.stripe.texts import description, metadata
from overages.lines.adjustment import is_overage
from overages.lines.overage import Overage
from overages.periods.period import Period
from overages.records.record import OverageRecord
from overages.statements.statement import Statement

T = TypeVar("T")

Customers: TypeAlias = Mapping[str, str] | Callable[[str], str | None]
"""Stripe's customer of each org: a mapping, or a function that gives None for an unknown one."""

MOST_ITEMS: Final = 250  # on one invoice, Stripe says
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND: Final = timedelta(seconds=1)


@frozen(weakref_slot=False)
class InvoiceItem:
    """The invoice item of one record, in Stripe's terms.

    :param record_id: the record's digest, which is also in the metadata as ``overages_id``.
    :param org_id: who is charged.
    :param customer: who that is for Stripe.
    :param amount: our rounded cost, in Stripe's smallest unit of the currency; negative for a
        correction that takes back. It is sent as it is, so that Stripe multiplies nothing.
    :param currency: the code, in lower case.
    :param description: quantity, and unit price or tiers, for who pays.
    :param start: the second that the period's first instant lies in, since 1970 in UTC.
    :param end: the second that its last instant lies in: Stripe's ends are inclusive, ours are not.
    :param subscription: of which the next invoice takes the item; None for any.
    :param metadata: the record, by keys.
    """

    record_id: str
    org_id: str
    customer: str
    amount: int
    currency: str
    description: str
    start: int
    end: int
    subscription: str | None
    metadata: FrozenDict[str, str]

    def params(self, invoice: str | None = None) -> dict[str, Any]:
        """Return the parameters of Stripe's call that makes the item.

        No discount of Stripe's applies to it, since ours are in the amount already.

        :param invoice: a draft to put it on; None leaves it pending for the next invoice.
        """
        params: dict[str, Any] = {
            "customer": self.customer,
            "amount": self.amount,
            "currency": self.currency,
            "description": self.description,
            "discountable": False,
            "metadata": dict(self.metadata),
            "period": {"start": self.start, "end": self.end},
        }
        named = {"subscription": self.subscription, "invoice": invoice}
        return params | {key: value for key, value in named.items() if value is not None}


def invoice_items(
    records: Iterable[OverageRecord],
    customers: Customers,
    *,
    statements: Iterable[Statement] = (),
    subscription: str | None = None,
) -> tuple[InvoiceItem, ...]:
    """Return an item for each record, in their order; a record that comes twice has one.

    :param customers: Stripe's customer of each org.
    :param statements: those of the records: where a line is as one record has it, that item
        also says its tiers.
    :param subscription: of which the next invoice is to take the items.
    :raises UnknownCustomer: for an org that there is no customer of.
    :raises InvalidValue: for a cost that Stripe's decimals can't express; `InvalidValues` gathers
        all that is wrong.

    >>> from overages import Money
    >>> record = OverageRecord(
    ...     "org-123",
    ...     Period.month(2024, 2),
    ...     "tokens",
    ...     quantity=250_000,
    ...     cost=Money(2500, "USD"),
    ...     exact_cost=25,
    ...     plan="starter",
    ...     created_at=datetime(2024, 3, 1, tzinfo=UTC),
    ...     digest="0f" * 32,
    ... )
    >>> (item,) = invoice_items([record], {"org-123": "cus_9s6"})
    >>> item.customer, item.amount, item.currency, item.description
    ('cus_9s6', 2500, 'usd', 'tokens: 250,000 for 25 USD')
    >>> datetime.fromtimestamp(item.end, UTC).isoformat()
    '2024-02-29T23:59:59+00:00'
    """
    of_orgs, lines, stored, plan = parse_all(
        (known_customers, customers, "customers"),
        (_statements, statements, "statements"),
        (_records, records, "records"),
        (optional_name, subscription, "subscription"),
    )
    shown = {(each.org_id, each.period): each for each in lines}
    unique = {record.id: record for record in stored}
    problems = Problems()
    orgs = dict.fromkeys(record.org_id for record in unique.values())
    customer_by_org = {org: problems.attempt(customer_of, of_orgs, org) for org in orgs}
    items = []
    for record in unique.values():
        where = "records", record.id[:8], "cost"
        amount = problems.attempt(stripe_amount, record.cost, where)
        line = _line_of(record, shown.get((record.org_id, record.period)))
        items.append(_item(record, customer_by_org[record.org_id], amount, line, plan))
    problems.raise_any()
    return tuple(items)


def chunks(values: Sequence[T], most: int = MOST_ITEMS) -> Iterator[Sequence[T]]:
    """Yield values in parts that one invoice can hold: 250 and the rest.

    >>> [len(part) for part in chunks(range(600))]
    [250, 250, 100]
    """
    for start in range(0, len(values), most):
        yield values[start : start + most]


def inclusive_seconds(period: Period) -> tuple[int, int]:
    """Return the first and the last second of a period, since 1970 in UTC.

    >>> first, last = inclusive_seconds(Period.month(2024, 2))
    >>> last - first == 29 * 24 * 60 * 60 - 1
    True
    """
    last = period.end - timedelta(microseconds=1)
    return (period.start - _EPOCH) // _SECOND, (last - _EPOCH) // _SECOND


def _item(
    record: OverageRecord,
    customer: str,
    amount: int,
    line: Overage | None,
    subscription: str | None,
) -> InvoiceItem:
    start, end = inclusive_seconds(record.period)
    return InvoiceItem(
        record.id,
        record.org_id,
        customer,
        amount,
        record.cost.currency.code.lower(),
        description(record, line),
        start,
        end,
        subscription,
        FrozenDict(metadata(record, line)),
    )


def known_customers(value: object, field: Field) -> Customers:
    """Accept a mapping or a function from orgs to their customers at Stripe."""
    if isinstance(value, Mapping) or callable(value):
        return value
    raise InvalidType(field, value, "must be a mapping, or a function, from orgs to customers")


def customer_of(customers: Customers, org_id: str) -> str:
    """Return Stripe's customer of an org.

    :raises UnknownCustomer: if there is none.
    """
    customer = customers.get(org_id) if isinstance(customers, Mapping) else customers(org_id)
    if customer is None:
        raise UnknownCustomer("customers", org_id, "must have a customer of Stripe's for each org")
    return parse_name(customer, ("customers", org_id))


def _line_of(record: OverageRecord, statement: Statement | None) -> Overage | None:
    """Return the line of a statement that is as the record has it, so that its tiers explain it."""
    if statement is None or not is_overage(record.line) or record.metric not in statement:
        return None
    theirs = record.line, record.quantity, record.cost, record.exact_cost
    for line in statement.of(str(record.metric)):
        if theirs == (line.line, line.quantity, line.cost, line.exact_cost):
            return line
    return None


def _records(value: object, field: Field) -> list[OverageRecord]:
    return [instance_of(OverageRecord)(each, field) for each in as_tuple(value, field)]


def _statements(value: object, field: Field) -> list[Statement]:
    return [instance_of(Statement)(each, field) for each in as_tuple(value, field)]
