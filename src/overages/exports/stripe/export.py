"""The export of records to Stripe: one invoice item each, however often and badly it goes.

export = StripeExport(client, outbox, customers={"org-123": "cus_9s6"}, clock=clock)
delivery = export.attach_to_upcoming_invoice(billable_records(repository, "org-123"))
delivery.is_complete, delivery.problems
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import datetime
from logging import INFO, WARNING, getLogger
from typing import TYPE_CHECKING, Any, Final

from attrs import frozen

from overages._ground.frozen_dict import FrozenDict
from overages._ground.names import optional_name, parse_name
from overages._ground.parsing import function_that, instance_of, parse_all
from overages.errors import Field, InvalidValue
from overages.exports.stripe.courier import Courier, read_request, write_request
from overages.exports.stripe.items import (
    MOST_ITEMS,
    Customers,
    InvoiceItem,
    chunks,
    customer_of,
    invoice_items,
    known_customers,
)
from overages.exports.stripe.preview import InvoicePreview, preview_of
from overages.exports.stripe.server import StripeServer
from overages.exports.stripe.texts import ID
from overages.outbox import Outbox, OutboxEntry
from overages.periods.period import parse_instant
from overages.records.record import OverageRecord
from overages.statements.statement import Statement

if TYPE_CHECKING:
    from stripe import StripeClient

_parse_clock: Final = function_that("gives the present instant")
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


class StripeExport:
    """Brings records to Stripe as invoice items, exactly one for each record and revision.

    It doesn't finalise, send or collect invoices: that is the host's, or its subscriptions'. What
    became of each org's records is logged under ``overages.exports.stripe``, with org and counts as
    fields: a warning if some aren't delivered.

    :param client: a `stripe.StripeClient`, of the extra ``stripe``.
    :param outbox: the memory of sent records; one for good, or records can be sent twice.
    :param customers: Stripe's customer of each org: a mapping or a function.
    :param clock: gives the present, timezone-aware, for telling how old an idempotency key is.
    :param destination: the outbox's name of the Stripe account; another one for test mode.
    """

    def __init__(
        self,
        client: StripeClient,
        outbox: Outbox,
        *,
        customers: Customers,
        clock: Callable[[], datetime],
        destination: str = "stripe",
    ) -> None:
        self._server = StripeServer(client)
        self._outbox, self._customers, self._clock, self._destination = parse_all(
            (instance_of(Outbox), outbox, "outbox"),
            (known_customers, customers, "customers"),
            (_parse_clock, clock, "clock"),
            (parse_name, destination, "destination"),
        )

    def attach_to_upcoming_invoice(
        self,
        records: Iterable[OverageRecord],
        *,
        statements: Iterable[Statement] = (),
        subscription: str | None = None,
    ) -> Delivery:
        """Make pending items of records: the next invoice of their customer takes them.

        Call it again, with the same records or more, until the delivery is complete. A record that
        was delivered once, in whatever way, stays where it is.

        :param statements: those of the records, for their tiers in the items.
        :param subscription: only the next invoice of this one takes them; the records are then
            of one org.
        :raises UnknownCustomer: for an org without a customer, before anything is written.
        :raises InvalidValue: for more than 250 records of a customer, as many as an invoice of
            Stripe's holds, or a cost that Stripe can't express; before anything is written.
        """
        items = self._items(records, statements, subscription)
        _require_room(items)
        if subscription is not None:
            _require_one_org(items, "subscription")
        return self._bring_items(items, None)

    def attach_to_invoice(
        self,
        invoice: str,
        records: Iterable[OverageRecord],
        *,
        statements: Iterable[Statement] = (),
    ) -> Delivery:
        """Put items of one org's records on a draft invoice that there is.

        :param invoice: Stripe's id of the draft; it is the customer's, and has room.
        :raises UnknownCustomer: for an org without a customer, before anything is written.
        :raises InvalidValue: as `attach_to_upcoming_invoice` does.
        """
        draft = parse_name(invoice, "invoice")
        items = self._items(records, statements, None)
        _require_room(items)
        _require_one_org(items, "invoice")
        return self._bring_items(items, draft)

    def attach_to_draft_invoices(
        self, records: Iterable[OverageRecord], *, statements: Iterable[Statement] = ()
    ) -> Delivery:
        """Put any number of records on new draft invoices, of 250 items at most each.

        Each org and currency has its own. Called again, it goes on where it stopped; records that
        came since get a new draft. `Delivery.invoices` are the drafts, for the host to finalise. A
        draft that is gone before it has all its items is Stripe's refusal of the rest, which
        `attach_to_upcoming_invoice` or `attach_to_invoice` can bring.

        :raises UnknownCustomer: for an org without a customer, before anything is written.
        :raises InvalidValue: for a cost that Stripe can't express, before anything is written.
        """
        items = self._items(records, statements, None)
        courier = self._courier()
        entries = []
        for org_items in _by(items, lambda item: item.org_id):
            ids = [item.record_id for item in org_items]
            stored = self._outbox.entries(org_items[0].org_id, self._destination, ids)
            entries += courier.bring([stored[each] for each in ids if each in stored])
            new_items = [item for item in org_items if item.record_id not in stored]
            for same in _by(new_items, lambda item: item.currency):
                for part in chunks(same):
                    entries += self._bring_draft(courier, part)
        return _delivery(items, entries, courier)

    def preview(self, org_id: str, *, subscription: str | None = None) -> InvoicePreview:
        """Preview the org's next invoice at Stripe, with our pending items on it.

        `invoice_items` gives the amounts of records alone, without asking Stripe.

        :param subscription: of which; None for the customer's next one.
        :raises UnknownCustomer: for an org without a customer.
        :raises stripe.StripeError: if there is no next invoice, or no reply.
        """
        params = {"customer": customer_of(self._customers, parse_name(org_id, "org_id"))}
        plan = optional_name(subscription, "subscription")
        if plan is not None:
            params["subscription"] = plan
        return preview_of(*self._server.preview(params))

    def _items(
        self,
        records: Iterable[OverageRecord],
        statements: Iterable[Statement],
        subscription: str | None,
    ) -> tuple[InvoiceItem, ...]:
        return invoice_items(
            records, self._customers, statements=statements, subscription=subscription
        )

    def _courier(self) -> Courier:
        return Courier(self._server, self._outbox, parse_instant(self._clock(), "clock"))

    def _bring_items(self, items: Sequence[InvoiceItem], invoice: str | None) -> Delivery:
        courier = self._courier()
        entries = []
        for same in _by(items, lambda item: item.org_id):
            entries += courier.bring([self._entry(item, invoice, courier) for item in same])
        return _delivery(items, entries, courier)

    def _bring_draft(self, courier: Courier, items: Sequence[InvoiceItem]) -> list[OutboxEntry]:
        """Make the draft of a part, and put its items on it; nothing if there is no draft."""
        first = items[0]
        draft_id = f"invoice-{first.record_id}"
        params = {
            "customer": first.customer,
            "currency": first.currency,
            "metadata": {ID: draft_id},
            "pending_invoice_items_behavior": "exclude",
        }
        request = write_request("invoice", params)
        entry = OutboxEntry(first.org_id, self._destination, draft_id, request, courier.now)
        drafts = [draft.reference for draft in courier.bring([entry])]
        if drafts in ([], [None]):
            return []
        return courier.bring([self._entry(item, drafts[0], courier) for item in items])

    def _entry(self, item: InvoiceItem, invoice: str | None, courier: Courier) -> OutboxEntry:
        request = write_request("invoice_item", item.params(invoice))
        return OutboxEntry(item.org_id, self._destination, item.record_id, request, courier.now)


def _delivery(
    items: Sequence[InvoiceItem], entries: Iterable[OutboxEntry], courier: Courier
) -> Delivery:
    delivered = [entry for entry in entries if entry.state == "delivered"]
    drafts = [read_request(entry.request)[1].get("invoice") for entry in delivered]
    invoices = tuple(draft for draft in dict.fromkeys(drafts) if draft is not None)
    problems = FrozenDict(courier.problems)
    ids = {entry.id for entry in delivered}
    for own in _by(items, lambda item: item.org_id):
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


def _by(items: Iterable[InvoiceItem], key: Callable[[InvoiceItem], str]) -> list[list[InvoiceItem]]:
    """Return items in groups, in the order in which each first came."""
    groups: dict[str, list[InvoiceItem]] = {}
    for item in items:
        groups.setdefault(key(item), []).append(item)
    return list(groups.values())


def _require_room(items: Sequence[InvoiceItem]) -> None:
    for customer, count in Counter(item.customer for item in items).items():
        if count > MOST_ITEMS:
            problem = (
                f"must be at most {MOST_ITEMS} for {customer}, what an invoice of Stripe's holds;"
                " attach_to_draft_invoices takes any number"
            )
            raise InvalidValue("records", count, problem)


def _require_one_org(items: Sequence[InvoiceItem], field: Field) -> None:
    orgs: Any = sorted({item.org_id for item in items})
    if len(orgs) > 1:
        raise InvalidValue("records", orgs, f"must be of one org, whose the {field} is")
