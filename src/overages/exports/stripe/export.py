"""The export of records to Stripe: one invoice item each, however often and badly it goes.

export = StripeExport(client, outbox, customers={"org-123": "cus_9s6"}, clock=clock)
records = export.billable_records(repository, "org-123")
delivery = export.attach_to_upcoming_invoice(records)
delivery.is_complete, delivery.problems
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from overages._ground.names import optional_name, parse_name
from overages._ground.parsing import function_that, instance_of, parse_all, parse_flag
from overages.errors import Field, InvalidValue
from overages.exports.stripe.courier import Courier, write_request
from overages.exports.stripe.delivery import Delivery, delivery_of, grouped
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
from overages.periods.period import Period, parse_instant
from overages.records.record import OverageRecord
from overages.repository import Repository
from overages.statements.statement import Statement

if TYPE_CHECKING:
    from stripe import StripeClient

_parse_clock: Final = function_that("gives the present instant")


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

    def billable_records(
        self, repository: Repository, org_id: str, *, open_periods: bool = False
    ) -> tuple[OverageRecord, ...]:
        """Return an org's records that an invoice may take up, in the order of recording.

        A period that is still open is recorded anew as it goes on, and would put an item on the
        invoice for each night. So these are the records of closed periods, corrections included,
        and of each period of which Stripe may have a record already: a charge for a time that is
        no period of the org's any more (its billing day has moved, its terms have ended) comes with
        the record that takes it back.

        :param open_periods: whether those of all open periods come too, as far as they have come.

        >>> from datetime import UTC
        >>> from overages import MemoryRepository
        >>> from overages.adapters.outbox import MemoryOutbox
        >>> now = datetime(2024, 3, 1, tzinfo=UTC)
        >>> export = StripeExport(None, MemoryOutbox(), customers={}, clock=lambda: now)
        >>> export.billable_records(MemoryRepository(), "org-123")
        ()
        """
        is_open = parse_flag(open_periods, "open_periods")
        with repository.snapshot():
            closed = repository.closed_periods(org_id)
            records = repository.records(org_id)
        if is_open:
            return records
        billed = {*closed, *self._sent_periods([r for r in records if r.period not in closed])}
        return tuple(record for record in records if record.period in billed)

    def _sent_periods(self, records: Sequence[OverageRecord]) -> set[Period]:
        """Return the periods of one org's records of which Stripe may have one."""
        if not records:
            return set()
        ids = [record.id for record in records]
        entries = self._outbox.entries(records[0].org_id, self._destination, ids)
        sent = {entry.id for entry in entries.values() if entry.state != "failed"}
        return {record.period for record in records if record.id in sent}

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
        for org_items in grouped(items, lambda item: item.org_id):
            ids = [item.record_id for item in org_items]
            stored = self._outbox.entries(org_items[0].org_id, self._destination, ids)
            entries += courier.bring([stored[each] for each in ids if each in stored])
            new_items = [item for item in org_items if item.record_id not in stored]
            for same in grouped(new_items, lambda item: item.currency):
                for part in chunks(same):
                    entries += self._bring_draft(courier, part)
        return delivery_of(items, entries, courier)

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
        for same in grouped(items, lambda item: item.org_id):
            entries += courier.bring([self._entry(item, invoice, courier) for item in same])
        return delivery_of(items, entries, courier)

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
