"""Stripe's side, through its official library: calls, and the possible effects of a failed one.

server = StripeServer(stripe.StripeClient("sk_test_..."))
server.create("invoice_item", params, key=entry.key)   # "ii_1Nx", or CallFailed
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias, TypeVar

from overages.exports.stripe.texts import ID

if TYPE_CHECKING:
    from stripe import StripeClient, StripeError

T = TypeVar("T")

Kind: TypeAlias = Literal["invoice_item", "invoice"]
"""The kind of object that is made on Stripe's side."""

_PAGE: Final = 100  # the most that Stripe lists at once
_NOBODYS: Final = (401, 403, 429)  # statuses that are about the caller, whatever is asked


class CallFailed(Exception):
    """A call that brought no result.

    :param is_settled: whether Stripe has decided that nothing comes of it, ever, under this key;
        else it may have been done, or be done yet.
    :param is_general: whether any other call would fail as well.
    :param is_missing: whether its invoice or item isn't there.
    """

    def __init__(
        self, problem: str, *, is_settled: bool, is_general: bool, is_missing: bool
    ) -> None:
        super().__init__(problem)
        self.is_settled = is_settled
        self.is_general = is_general
        self.is_missing = is_missing


class StripeServer:
    """Makes, lists and previews, with a client of the official library.

    :param client: a `stripe.StripeClient`, with the host's key, timeouts and number of retries (it
        repeats a call with the same idempotency key, which is safe).
    """

    def __init__(self, client: StripeClient) -> None:
        self._client = client

    def create(self, kind: Kind, params: dict[str, Any], *, key: str) -> str:
        """Make something, once for a key, and return Stripe's id of it.

        :raises CallFailed: if there was no good reply.
        """
        make = self._service(kind).create
        made = _called(lambda: make(params=params, options={"idempotency_key": key}))
        return str(made.id)

    def find(self, kind: Kind, customer: str) -> dict[str, str]:
        """Return Stripe's id of all of ours that a customer has, by the id that we gave it.

        A customer that Stripe doesn't have, or not any more, has nothing.
        """
        listed = self._service(kind).list
        params = {"customer": customer, "limit": _PAGE}
        try:
            stripe_objects = _called(lambda: list(listed(params=params).auto_paging_iter()))
        except CallFailed as failure:
            if failure.is_missing:
                return {}
            raise
        named = [(our_id(stripe_object), str(stripe_object.id)) for stripe_object in stripe_objects]
        return {ours: theirs for ours, theirs in named if ours is not None}

    def preview(self, params: dict[str, Any]) -> tuple[Any, list[Any]]:
        """Return the invoice that a customer would get next, and all of its lines."""
        invoice = self._service("invoice").create_preview(params=params)
        return invoice, list(invoice.lines.auto_paging_iter())

    def _service(self, kind: Kind) -> Any:
        v1 = self._client.v1
        return v1.invoice_items if kind == "invoice_item" else v1.invoices


def our_id(stripe_object: Any) -> str | None:
    """Return the id that we gave something of Stripe's; None if it isn't ours."""
    record_id: str | None = getattr(
        stripe_object.metadata, ID, None
    )  # the way in that all versions have
    return record_id


def _called(call: Callable[[], T]) -> T:
    """Make a call of the library's, and raise `CallFailed` for its errors."""
    from stripe import StripeError

    try:
        return call()
    except StripeError as error:
        raise _failure(error) from error


def _failure(error: StripeError) -> CallFailed:
    """Interpret an error for the key of its call.

    Stripe keeps the reply to a key's first call, once the call was begun, and marks it when it
    gives it again: then it is certain that nothing more comes of the key. A fresh 4xx says that
    nothing was done. Anything else (no reply, a 409 while the same is being done, a fresh 5xx) says
    nothing about the outcome.
    """
    status = error.http_status
    replayed = str((error.headers or {}).get("idempotent-replayed", "")).lower() == "true"
    about_caller = status is None or status in _NOBODYS
    refused = status is not None and 400 <= status < 500 and status != 409
    return CallFailed(
        f"{type(error).__name__}: {error.user_message or error}",
        is_settled=replayed or (refused and not about_caller),
        is_general=about_caller and not replayed,
        is_missing=status == 404 or error.code == "resource_missing",
    )
