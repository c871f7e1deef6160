"""Billable records: of closed periods, and of those of which Stripe may have a record."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import pytest

from overages import (
    Account,
    Allowance,
    Cycle,
    MemoryRepository,
    OverageRecord,
    OverageService,
    Period,
    PerUnit,
    Plan,
    UsageEvent,
)
from overages.adapters.outbox import MemoryOutbox
from overages.errors import InvalidType
from overages.exports.stripe import StripeExport
from overages.outbox import OutboxEntry

ACME = "acme"
JAN, FEB, MAR = (Period.month(2024, month) for month in (1, 2, 3))
PLAN = Plan("starter", "USD", {"runs": Allowance(50, PerUnit(1))})


def day(month: int, day: int) -> datetime:
    return datetime(2024, month, day, tzinfo=UTC)


class Host:
    """A host whose org has used too much in January and in February, of which one has ended."""

    def __init__(self) -> None:
        self.now = day(2, 20)
        self.repository, self.outbox = MemoryRepository(), MemoryOutbox()
        self.service = OverageService(self.repository, lambda: self.now)
        self.export = self.make_export("stripe")
        self.repository.put_plan(PLAN)
        self.account = Account(ACME, "starter", since=JAN.start)
        self.repository.put_account(self.account)
        for month in (1, 2):
            self.use(month, 15, 75)

    def make_export(self, destination: str) -> StripeExport:
        client: Any = None  # nothing is called
        return StripeExport(
            client, self.outbox, customers={}, clock=lambda: self.now, destination=destination
        )

    def use(self, month: int, on: int, runs: int) -> None:
        self.service.record_usage([UsageEvent(ACME, "runs", runs, day(month, on))])

    def change(self, account: Account) -> None:
        """Put an account with another entry, and take back what is no period any more."""
        self.account = account
        self.repository.put_account(account)
        self.service.recalculate(ACME)

    def record(self, period: Period) -> tuple[OverageRecord, ...]:
        recording = self.service.recalculate(ACME, period=period)
        assert recording is not None
        return recording.new

    def send(self, records: Iterable[OverageRecord], *, arrives: bool = True) -> None:
        """Note in the outbox that records were sent, and whether Stripe has them."""
        for record in records:
            entry = OutboxEntry(ACME, "stripe", record.id, "{}", self.now)
            self.outbox.add([entry])
            if arrives:
                self.outbox.swap(entry, entry.delivered(f"ii_{record.sequence}"))

    def billable(self, **named: bool) -> list[tuple[int, int]]:
        """Return the month and the cost of each billable record."""
        records = self.export.billable_records(self.repository, ACME, **named)
        return [(record.period.start.month, record.cost.minor) for record in records]


@pytest.fixture
def host() -> Host:
    return Host()


def test_records_of_closed_periods_are_billable_with_their_corrections(host: Host) -> None:
    host.service.close(ACME, JAN)
    host.use(1, 16, 10)
    host.service.recalculate(ACME, period=JAN, force=True)
    host.record(FEB)
    assert host.billable() == [(1, 2500), (1, 1000)]


def test_records_of_open_periods_are_billable_where_that_is_asked_for(host: Host) -> None:
    host.service.close(ACME, JAN)
    host.record(FEB)
    assert host.billable(open_periods=True) == [(1, 2500), (2, 2500)]


def test_an_org_without_records_has_none_that_are_billable(host: Host) -> None:
    assert host.export.billable_records(host.repository, "stranger") == ()


@pytest.mark.parametrize("arrives", [True, False], ids=["delivered", "open"])
def test_a_sent_charge_is_billable_with_its_return_once_the_billing_day_moves(
    host: Host, arrives: bool
) -> None:
    host.service.close(ACME, JAN)
    host.send(host.record(FEB), arrives=arrives)
    moved = Cycle.monthly(day=10)
    host.change(host.account.changed(since=day(2, 10), cycle=moved))
    assert (2, -2500) in host.billable()
    of_february = [r for r in host.repository.records(ACME) if r.period == FEB]
    assert sum(record.cost.minor for record in of_february) == 0
    billable = host.export.billable_records(host.repository, ACME)
    assert [record for record in billable if record.period == FEB] == of_february


def test_a_sent_charge_is_billable_with_its_return_once_terms_end_before_it(host: Host) -> None:
    host.service.close(ACME, JAN)
    host.send(host.record(FEB))
    host.change(host.account.ended(at=FEB.start))
    assert host.billable() == [(1, 2500), (2, 2500), (2, -2500)]


def test_later_records_of_an_open_period_follow_one_that_was_sent(host: Host) -> None:
    host.send(host.record(FEB))
    host.use(2, 16, 10)
    host.record(FEB)
    assert host.billable() == [(2, 2500), (2, 1000)]


def test_a_charge_that_was_never_sent_and_is_taken_back_is_not_billable(host: Host) -> None:
    host.service.close(ACME, JAN)
    host.record(FEB)
    host.change(host.account.ended(at=FEB.start))
    assert host.billable() == [(1, 2500)]


def test_a_charge_that_stripe_certainly_has_not_is_none_that_was_sent(host: Host) -> None:
    (record,) = host.record(FEB)
    host.send([record], arrives=False)
    (entry,) = host.outbox.entries(ACME, "stripe", [record.id]).values()
    host.outbox.swap(entry, entry.failed())
    assert host.billable() == []


def test_a_charge_that_went_to_another_destination_is_not_sent_here(host: Host) -> None:
    host.send(host.record(FEB))
    elsewhere = host.make_export("stripe-test")
    assert elsewhere.billable_records(host.repository, ACME) == ()


@pytest.mark.parametrize("wrong", ["no", 1, None])
def test_open_periods_are_asked_for_by_true_or_false(host: Host, wrong: Any) -> None:
    with pytest.raises(InvalidType, match=r"^open_periods: must be True or False"):
        host.billable(open_periods=wrong)
