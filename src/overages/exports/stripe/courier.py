"""The courier: brings entries of an outbox to Stripe, each once, whatever fails on the way.

courier = Courier(server, outbox, now)
entries = courier.bring(entries)                      # as they are now
courier.problems                                      # by id, for those that aren't delivered
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final, cast

from overages.exports.stripe.server import CallFailed, Kind, StripeServer
from overages.outbox import Outbox, OutboxEntry

KEY_LIFE: Final = timedelta(hours=24)  # after that, Stripe may have forgotten an idempotency key


class Courier:
    """One round of deliveries.

    An entry is in the outbox, with its key, before Stripe is called. Then, one of these can happen:

    - The process dies before the call, the connection is refused, or the call is lost on its way:
      the entry stays open. The next round lists the customer's items, doesn't find it, and calls
      again with the same key.
    - The reply is lost, or the process dies before it is noted: the next round finds the item by
      the id in its metadata, and notes it.
    - The first call is still being done while the next round lists and calls again: both calls have
      the same key, so Stripe does one and answers the other with its result, or with a 409.
    - A 409, a 429 or a 5xx leaves the entry open, as if the reply were lost.
    - A stored 5xx is given again (and marked so) for the same key: the key is used up. The entry
      has failed; the next round lists again, and gives it a new key only if the item isn't there.
    - A 4xx is Stripe's refusal: the entry has failed, and the next round tries as it is told then
      (with another customer, for one).
    - The key is older than 24 hours: the customer's items are listed, as for any entry that isn't
      new, and if the item isn't there the entry gets a new key.

    Two rounds at once share keys: an entry changes only from the state that was read
    (`Outbox.swap`), so that of two just one gives it a new key, and the other one uses that.

    A failure of the caller or the connection (no reply, 401, 403, 429) ends the round, and so does
    a list that can't be had; one of an entry lets the others be delivered.
    """

    def __init__(self, server: StripeServer, outbox: Outbox, now: datetime) -> None:
        self._server = server
        self._outbox = outbox
        self.now = now
        self._references: dict[tuple[Kind, str], dict[str, str]] = {}
        self.problems: dict[str, str] = {}
        self.sent: Counter[str] = Counter()  # calls that made something, by org
        self.is_stopped: bool = False

    def bring(self, entries: Sequence[OutboxEntry]) -> list[OutboxEntry]:
        """Keep the entries of one org that are new, deliver those that aren't yet, and return all.

        An entry that is in the outbox already stays as it is there, with its key and its request;
        if it gets a new key, it gets the request that is given here. Once the round has ended,
        nothing new is kept, nor returned.
        """
        if not entries:
            return []
        org_id, destination = entries[0].org_id, entries[0].destination
        new = frozenset() if self.is_stopped else self._outbox.add(entries)
        self._references.clear()  # a list has to be younger than the entries it is compared with
        stored = self._outbox.entries(org_id, destination, [entry.id for entry in entries])
        return [
            self._deliver(stored[entry.id], entry.request, is_new=entry.id in new)
            for entry in entries
            if entry.id in stored
        ]

    def _deliver(self, entry: OutboxEntry, request: str, *, is_new: bool) -> OutboxEntry:
        if not is_new and entry.state != "delivered" and not self.is_stopped:
            entry = self._looked_up(entry, request)
        if entry.state == "delivered" or entry.id in self.problems or self.is_stopped:
            return entry
        kind, params = read_request(entry.request)
        try:
            reference = self._server.create(kind, params, key=entry.key)
        except CallFailed as failure:
            self._note(entry, failure)
            return self._swapped(entry, entry.failed()) if failure.is_settled else entry
        self.sent[entry.org_id] += 1
        return self._swapped(entry, entry.delivered(reference))

    def _looked_up(self, entry: OutboxEntry, request: str) -> OutboxEntry:
        """Return an entry that may have been sent as delivered, or with a key that can be used."""
        try:
            reference = self._reference_of(entry, request)
        except CallFailed as failure:
            self._note(entry, failure)
            self.is_stopped = self.is_stopped or not failure.is_settled
            return entry  # without the list, it might be sent twice
        if reference is not None:
            return self._swapped(entry, entry.delivered(reference))
        if entry.state == "open" and self.now - entry.sent_at < KEY_LIFE:
            return entry
        return self._swapped(entry, entry.renewed(request, self.now))

    def _reference_of(self, entry: OutboxEntry, request: str) -> str | None:
        """Look an entry up among its customer's items or invoices, by our id; give Stripe's id."""
        for each in dict.fromkeys((entry.request, request)):
            kind, params = read_request(each)
            place = kind, params["customer"]
            if place not in self._references:
                self._references[place] = self._server.find(*place)
            if entry.id in self._references[place]:
                return self._references[place][entry.id]
        return None

    def _swapped(self, old: OutboxEntry, new: OutboxEntry) -> OutboxEntry:
        """Return the entry as it is now: as `new`, unless another round was faster."""
        if self._outbox.swap(old, new):
            return new
        return self._outbox.entries(old.org_id, old.destination, [old.id])[old.id]

    def _note(self, entry: OutboxEntry, failure: CallFailed) -> None:
        self.problems[entry.id] = str(failure)
        self.is_stopped = self.is_stopped or failure.is_general


def write_request(kind: Kind, params: dict[str, Any]) -> str:
    """Write a request as an entry keeps it; equal ones are always the same text."""
    request = {"kind": kind, "params": params}
    return json.dumps(request, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def read_request(text: str) -> tuple[Kind, dict[str, Any]]:
    """Read the kind of thing that an entry makes at Stripe."""
    request = json.loads(text)
    return cast("Kind", request["kind"]), request["params"]
