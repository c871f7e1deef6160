"""Previews: a customer's next invoice, as Stripe would make it now.

preview = export.preview("org-123")
preview.total, preview.records["5a3c..."]             # Money, all of it and for one record
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from attrs import frozen

from overages._ground.frozen_dict import FrozenDict
from overages.amounts.money import Money
from overages.exports.stripe.currencies import money_of_stripe
from overages.exports.stripe.server import our_id


@frozen(weakref_slot=False)
class InvoicePreview:
    """The next invoice, as Stripe would make it now.

    :param total: all of it, with the lines that are not ours: a subscription's price, tax, balance.
    :param records: the amount of each of our records on it, by the record's id.
    """

    total: Money
    records: FrozenDict[str, Money]


def preview_of(invoice: Any, lines: Iterable[Any]) -> InvoicePreview:
    """Return the preview of an invoice of Stripe's and its lines."""
    ours = {}
    for line in lines:
        record = our_id(line)
        if record is not None:
            ours[record] = money_of_stripe(line.amount, line.currency)
    return InvoicePreview(
        money_of_stripe(invoice.total, invoice.currency, "total"), FrozenDict(ours)
    )
