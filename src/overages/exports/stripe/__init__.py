"""Records as invoice items of Stripe's, each exactly once.

It takes the extra ``stripe``, the official library; the parts that need no call (`invoice_items`,
`stripe_amount`) does without.

    outbox = SqliteOutbox("overages.db")
    client = stripe.StripeClient("sk_test_...")
    export = StripeExport(client, outbox, customers={"org-123": "cus_9s6"}, clock=clock)
    records = export.billable_records(repository, "org-123")
    delivery = export.attach_to_upcoming_invoice(records)
"""

from overages.exports.stripe.currencies import money_of_stripe, stripe_amount
from overages.exports.stripe.delivery import Delivery
from overages.exports.stripe.export import StripeExport
from overages.exports.stripe.items import MOST_ITEMS, InvoiceItem, chunks, invoice_items
from overages.exports.stripe.preview import InvoicePreview

__all__ = [
    "MOST_ITEMS",
    "Delivery",
    "InvoiceItem",
    "InvoicePreview",
    "StripeExport",
    "chunks",
    "invoice_items",
    "money_of_stripe",
    "stripe_amount",
]
