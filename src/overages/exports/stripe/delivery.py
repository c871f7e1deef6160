"""Deliveries: the state of records at Stripe after a call.

delivery.is_complete, delivery.problems               # by the record's id, the words of Stripe
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from logging import INFO, WARNING, getLogger
from typing import Final

from attrs import frozen

from overages._ground.frozen_dict import FrozenDict
from overages.exports.stripe.courier import Courier, read_request
from overages.exports.stripe.items import InvoiceItem
from overages.outbox import OutboxEntry

_log: Final = getLogger("overages.exports.stripe")


@frozen(weakref_slot=False)
class Delivery:
    """The state of records at Stripe after a call.

    :param records: how many there are.
    :param delivered: how many of them Stripe has, as far as is known.
    :param sent: how many calls of this round made something.
    :param invoices: the drafts that they were put on, in order; none for pending items.
    :param problems: the errors, by the record's id (of a draft: ``invoice-`` and its first
        record's).
    """

    records: int
    delivered: int
    sent: int
    invoices: tuple[str, ...]
    problems: FrozenDict[str, str]

    @property
    def is_complete(self) -> bool:
        """Whether Stripe has all; if not, the same call is made again, at any time."""
        return self.delivered == self.records


def delivery_of(
    items: Sequence[InvoiceItem], entries: Iterable[OutboxEntry], courier: Courier
) -> Delivery:
    """Return the state of items after a round of deliveries, and log it by org."""
    delivered = [entry for entry in entries if entry.state == "delivered"]
    drafts = [read_request(entry.request)[1].get("invoice") for entry in delivered]
    invoices = tuple(draft for draft in dict.fromkeys(drafts) if draft is not None)
    problems = FrozenDict(courier.problems)
    ids = {entry.id for entry in delivered}
    for own in grouped(items, lambda item: item.org_id):
        _report(own, ids, courier)
    return Delivery(len(items), len(delivered), courier.sent.total(), invoices, problems)


def _report(items: Sequence[InvoiceItem], delivered: Collection[str], courier: Courier) -> None:
    """Log the outcome for one org's items, in counts: words of Stripe's may hold an amount."""
    org_id, ids = items[0].org_id, {item.record_id for item in items}
    counts = {
        "records": len(ids),
        "delivered": len(ids.intersection(delivered)),
        "sent": courier.sent[org_id],
        "problems": sum(each.removeprefix("invoice-") in ids for each in courier.problems),
    }
    is_complete = counts["delivered"] == counts["records"]
    _log.log(
        INFO if is_complete else WARNING,
        "%s: %d of %d records delivered", org_id, counts["delivered"], counts["records"],
        extra={"org_id": org_id, **counts},
    )  # fmt: skip


def grouped(
    items: Iterable[InvoiceItem], key: Callable[[InvoiceItem], str]
) -> list[list[InvoiceItem]]:
    """Return items in groups, in the order in which each first came."""
    groups: dict[str, list[InvoiceItem]] = {}
    for item in items:
        groups.setdefault(key(item), []).append(item)
    return list(groups.values())
