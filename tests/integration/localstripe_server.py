"""localstripe on a free port of the loopback, which it prints; with what it lacks of Stripe's API.

It keeps nothing on the disk, takes what the export sends (a period as two fields of one, a draft's
currency, whether an item is discountable), lists items that are on an invoice too, holds a draft to
250 items, and gives the lines of a preview, which leaves items pending.
"""

from __future__ import annotations

import socket
import sys
from types import SimpleNamespace
from typing import Any

from aiohttp import web
from localstripe import resources
from localstripe.errors import UserError
from localstripe.resources import Invoice, InvoiceItem, InvoiceLineItem, List

MOST_ITEMS = 250
previews: dict[str, Any] = {}

make_item = InvoiceItem.__init__
preview_invoice = Invoice._api_create_preview_invoice


def init_item(self: Any, period: Any = None, discountable: Any = None, **given: Any) -> None:
    del discountable
    if period is not None:
        given |= {"period_start": period["start"], "period_end": period["end"]}
    draft = None if given.get("invoice") is None else Invoice._api_retrieve(given["invoice"])
    if draft is not None and len(draft.lines._list) >= MOST_ITEMS:
        raise UserError(400, f"An invoice can have at most {MOST_ITEMS} items")
    make_item(self, **given)
    if draft is not None:
        draft.currency = self.currency
        draft.lines._list.append(InvoiceLineItem(self))


def list_all_items(cls: Any, /, url: str, **given: Any) -> Any:
    del cls
    invoice, pending = given.pop("invoice", None), given.pop("pending", None)
    customer = given.pop("customer", None)
    if customer is not None:
        resources.Customer._api_retrieve(customer)
    found = List(url, **given)
    items = [item for key, item in resources.store.items() if key.startswith("invoiceitem:")]
    found._list = [
        item
        for item in reversed(items)
        if customer in (None, item.customer)
        and invoice in (None, item.invoice)
        and pending in (None, "true" if item.invoice is None else "false")
    ]
    return found


def create_invoice(
    cls: Any,
    /,
    customer: str,
    currency: str | None = None,
    metadata: Any = None,
    pending_invoice_items_behavior: str = "exclude",
) -> Any:
    listed = InvoiceItem._api_list_all
    if pending_invoice_items_behavior == "exclude":
        InvoiceItem._api_list_all = lambda *_, **__: SimpleNamespace(_list=[])
    try:
        made = cls(customer=customer, metadata=metadata)
    finally:
        InvoiceItem._api_list_all = listed
    if currency is not None:
        made.currency = currency
    return made


def create_preview(**given: Any) -> Any:
    invoice = preview_invoice(**given)
    invoice.lines.url = f"/v1/invoices/{invoice.id}/lines"
    previews[invoice.id] = invoice
    for line in invoice.lines._list:
        if line.type == "invoiceitem":
            InvoiceItem._api_retrieve(line.invoice_item).invoice = None  # a preview takes nothing
    return invoice


def list_lines(id: str, limit: Any = None, starting_after: str | None = None) -> Any:
    invoice = previews.get(id) or Invoice._api_retrieve(id)
    lines = List(f"/v1/invoices/{id}/lines", limit=limit, starting_after=starting_after)
    lines._list = invoice.lines._list
    return lines


def main() -> None:
    resources.Store.dump_to_disk = lambda _: None
    InvoiceItem.__init__ = init_item
    InvoiceItem._api_list_all = classmethod(list_all_items)
    Invoice._api_create = classmethod(create_invoice)
    ours = {"/v1/invoices/create_preview": create_preview, "/v1/invoices/{id}/lines": list_lines}
    resources.extra_apis[:] = [
        (method, url, ours.get(url, call)) for method, url, call in resources.extra_apis
    ]
    from localstripe.server import app  # which makes its routes of all that when it is imported

    listening = socket.create_server(("127.0.0.1", 0))
    sys.stdout.write(f"{listening.getsockname()[1]}\n")
    sys.stdout.flush()
    web.run_app(app, sock=listening, access_log=None, print=None)


if __name__ == "__main__":
    main()
