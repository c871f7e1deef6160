"""What the tests of the export work with: records, a client of the proxy, and what Stripe holds."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from overages import (
    Allowance,
    MemoryRepository,
    OverageRecord,
    Period,
    PerUnit,
    Plan,
    Statement,
    Usage,
    calculate,
)
from overages.adapters.outbox import MemoryOutbox
from overages.exports.stripe import Delivery, StripeExport
from overages.outbox import Outbox

from .proxy import Proxy

NOW = datetime(2024, 3, 1, 12, tzinfo=UTC)
FEBRUARY = Period.month(2024, 2)
DAY = timedelta(days=1)
ITEMS, INVOICES = "/v1/invoiceitems", "/v1/invoices"


class World:
    """A host with one org (and others by name), whose customers are made when they are needed."""

    def __init__(self, proxy: Proxy) -> None:
        self.proxy = proxy
        self.now = NOW
        self.connections: list[Any] = []
        self.client = self.make_client(proxy.url)
        self.customers: dict[str, str] = {}
        self.repository = MemoryRepository()
        self.outbox: Outbox = MemoryOutbox()

    def make_client(self, url: str, retries: int = 0) -> Any:
        """Return a client of the official library that calls another server."""
        import stripe

        http = stripe.RequestsClient(timeout=300)
        self.connections.append(http)
        return stripe.StripeClient(
            "sk_test_12345",
            base_addresses={"api": url},
            max_network_retries=retries,
            http_client=http,
        )

    def close(self) -> None:
        """Close the clients' connections."""
        for http in self.connections:
            http.close()

    def customer(self, org_id: str = "org-1") -> str:
        """Return the customer of an org, having made it."""
        if org_id not in self.customers:
            made = self.client.v1.customers.create(params={"name": org_id})
            self.customers[org_id] = made.id
        return self.customers[org_id]

    def subscribe(self, org_id: str = "org-1") -> str:
        """Return a new subscription of an org's, to a plan of 10.00 USD a month."""
        product = self._made("products", name="Starter", type="service")
        plan = self._made("plans", amount=1000, currency="usd", interval="month", product=product)
        card = {"number": "4242424242424242", "exp_month": 12, "exp_year": 2040, "cvc": "123"}
        method = self._made("payment_methods", type="card", card=card)
        customer = self.customer(org_id)
        self._made(f"payment_methods/{method}/attach", customer=customer)
        settings = {"default_payment_method": method}
        self._made(f"customers/{customer}", invoice_settings=settings)
        return self._made("subscriptions", customer=customer, items=[{"plan": plan}])

    def _made(self, path: str, **params: Any) -> str:
        reply = self.client.raw_request("post", f"/v1/{path}", **params)
        return str(self.client.deserialize(reply, api_mode="V1").id)

    def statement(self, metrics: int, org_id: str = "org-1", used: int = 7) -> Statement:
        """Return a statement with so many lines, each of another cost."""
        allowances = {f"m{i}": Allowance(0, PerUnit(f"{i}.37")) for i in range(1, metrics + 1)}
        plan = Plan(f"of-{metrics}", "USD", allowances)
        return calculate(plan, Usage(org_id, FEBRUARY, dict.fromkeys(allowances, used)))

    def records(
        self, metrics: int = 1, org_id: str = "org-1", used: int = 7
    ) -> list[OverageRecord]:
        """Return the records of the period, having recorded a statement."""
        self.customer(org_id)
        statement = self.statement(metrics, org_id, used)
        return list(self.repository.record(statement, created_at=NOW).records)

    def export(self, **named: Any) -> StripeExport:
        """Return an export of the host's."""
        given: dict[str, Any] = {"customers": self.customers, "clock": lambda: self.now}
        given |= named
        return StripeExport(given.pop("client", self.client), self.outbox, **given)

    def wait(self, time: timedelta) -> None:
        """Let time pass, here and at Stripe's."""
        self.now += time
        self.proxy.now += time

    def items(self, org_id: str = "org-1") -> list[Any]:
        """Return the invoice items that Stripe holds for an org."""
        params: Any = {"customer": self.customer(org_id), "limit": 100}
        return list(self.client.v1.invoice_items.list(params=params).auto_paging_iter())

    def holds(self, records: Sequence[OverageRecord], org_id: str = "org-1") -> bool:
        """Tell whether Stripe holds just one item for each record, with its cost."""
        theirs = [(i.metadata["overages_id"], i.amount) for i in self.items(org_id)]
        return sorted(theirs) == sorted((record.id, record.cost.minor) for record in records)

    def attach(self, records: Sequence[OverageRecord], **named: Any) -> Delivery:
        """Attach records to the upcoming invoice."""
        return self.export(**named).attach_to_upcoming_invoice(records)
