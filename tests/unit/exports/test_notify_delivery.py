"""Alerts are delivered by way of an outbox: each once, and until it has arrived."""

import json
import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from overages import Alert, Money, Period, Threshold, evolve
from overages.adapters.outbox import MemoryOutbox
from overages.adapters.sqlite import SqliteOutbox
from overages.alerts.alert import AlertDefinition, usual_alerts
from overages.alerts.fired_alert import FiredAlert
from overages.errors import InvalidType, InvalidValue
from overages.exports.notify import (
    LogNotifier,
    NotDelivered,
    Notice,
    Notifier,
    deliver_alerts,
)
from overages.exports.notify.notice import notice_of, read_notice
from overages.exports.wire.alerts import alert as wire_alert
from overages.outbox import Outbox, OutboxEntry

FEB = Period.month(2024, 2)
NOW = datetime(2024, 2, 20, 12, tzinfo=UTC)
EIGHTY, NINETY, HUNDRED = (
    FiredAlert("acme", AlertDefinition(alert, 1, NOW), FEB, "reached", NOW, used=50, limit=50)
    for alert in usual_alerts("runs")
)
EIGHTY_OF_41 = "80 % of runs are used: 41 of 50, 9 remaining (February 2024)"
ALERTS = (HUNDRED, NINETY, EIGHTY)  # newest first


class Receiver:
    """A notifier that notes all it gets, and fails as it is told."""

    destination = "test"

    def __init__(self, *failures: Exception | None) -> None:
        self.failures = list(failures)
        self.got: list[tuple[str, str]] = []

    def notify(self, notice: Notice, key: str) -> str:
        """Note a notice, unless it is to fail."""
        failure = self.failures.pop(0) if self.failures else None
        if failure is not None:
            raise failure
        self.got.append((notice.fields["alert"], key))
        return f"there-{len(self.got)}"

    @property
    def alerts(self) -> list[str]:
        """The alerts that came, in order."""
        return [alert for alert, _ in self.got]


@pytest.fixture(params=["memory", "sqlite"])
def outbox(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Outbox]:
    if request.param == "memory":
        yield MemoryOutbox()
    else:
        with SqliteOutbox(tmp_path / "outbox.db") as outbox:
            yield outbox


def test_alerts_arrive_once_the_oldest_first(outbox: Outbox) -> None:
    receiver = Receiver()
    delivery = deliver_alerts(outbox, receiver, ALERTS, now=NOW)
    assert receiver.alerts == ["runs-80", "runs-90", "runs-100"]
    assert (delivery.alerts, delivery.delivered, delivery.sent) == (3, 3, 3)
    assert delivery.is_complete
    again = deliver_alerts(outbox, receiver, ALERTS, now=NOW)
    assert (again.delivered, again.sent, again.is_complete) == (3, 0, True)
    assert len(receiver.got) == 3


def test_they_are_noted_before_they_are_sent(outbox: Outbox) -> None:
    class Looking(Receiver):
        def notify(self, notice: Notice, key: str) -> str:
            entries = outbox.entries("acme", "test", [each.key for each in ALERTS])
            assert len(entries) == 3
            assert entries[notice.id].state == "open"
            assert entries[notice.id].key == key
            return super().notify(notice, key)

    assert deliver_alerts(outbox, Looking(), ALERTS, now=NOW).is_complete
    entry = outbox.entries("acme", "test", [EIGHTY.key])[EIGHTY.key]
    assert (entry.state, entry.reference) == ("delivered", "there-1")


def test_silent_ones_are_told_to_nobody(outbox: Outbox) -> None:
    receiver = Receiver()
    silent = evolve(EIGHTY, state="rearmed", number=2, is_silent=True)
    delivery = deliver_alerts(outbox, receiver, [silent, EIGHTY], now=NOW)
    assert (delivery.alerts, receiver.alerts) == (1, ["runs-80"])


def test_one_whose_fate_is_unknown_is_sent_again_under_its_key(outbox: Outbox) -> None:
    receiver = Receiver(NotDelivered("status 500"))
    first = deliver_alerts(outbox, receiver, ALERTS, now=NOW)
    assert (first.delivered, first.sent, first.is_complete) == (2, 2, False)
    assert first.problems == {EIGHTY.key: "status 500"}
    assert deliver_alerts(outbox, receiver, ALERTS, now=NOW).is_complete
    assert receiver.got[-1] == ("runs-80", f"overages-{EIGHTY.key}-1")


def test_one_that_is_refused_is_sent_again_under_another_key(outbox: Outbox) -> None:
    receiver = Receiver(NotDelivered("status 400", is_refused=True))
    assert deliver_alerts(outbox, receiver, [EIGHTY], now=NOW).problems == {
        EIGHTY.key: "status 400"
    }
    assert outbox.entries("acme", "test", [EIGHTY.key])[EIGHTY.key].state == "failed"
    assert deliver_alerts(outbox, receiver, [EIGHTY], now=NOW).is_complete
    assert receiver.got == [("runs-80", f"overages-{EIGHTY.key}-2")]


def test_a_failure_of_all_ends_the_round(outbox: Outbox) -> None:
    receiver = Receiver(None, NotDelivered("no answer", is_general=True))
    delivery = deliver_alerts(outbox, receiver, ALERTS, now=NOW)
    assert (delivery.delivered, receiver.alerts) == (1, ["runs-80"])
    assert delivery.problems == {NINETY.key: "no answer", HUNDRED.key: "no answer"}
    assert deliver_alerts(outbox, receiver, ALERTS, now=NOW).is_complete
    assert receiver.alerts == ["runs-80", "runs-90", "runs-100"]


def test_a_crash_between_sending_and_noting_sends_it_again_under_its_key(outbox: Outbox) -> None:
    receiver = Receiver()

    class Crashing(Receiver):
        def notify(self, notice: Notice, key: str) -> str:
            receiver.notify(notice, key)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        deliver_alerts(outbox, Crashing(), [EIGHTY], now=NOW)
    assert deliver_alerts(outbox, receiver, [EIGHTY], now=NOW).is_complete
    assert receiver.got == [("runs-80", f"overages-{EIGHTY.key}-1")] * 2


def test_another_round_may_be_faster(outbox: Outbox) -> None:
    class Overtaken(Receiver):
        def notify(self, notice: Notice, key: str) -> str:
            other = Receiver()
            assert deliver_alerts(outbox, other, [EIGHTY], now=NOW).is_complete
            assert other.got == [("runs-80", key)]
            return super().notify(notice, key)

    assert deliver_alerts(outbox, Overtaken(), [EIGHTY], now=NOW).is_complete


def test_a_failure_that_another_round_has_overtaken_changes_nothing(outbox: Outbox) -> None:
    class Overtaken(Receiver):
        def notify(self, notice: Notice, key: str) -> str:
            assert deliver_alerts(outbox, Receiver(), [EIGHTY], now=NOW).is_complete
            super().notify(notice, key)
            raise NotDelivered("status 400", is_refused=True)

    assert not deliver_alerts(outbox, Overtaken(), [EIGHTY], now=NOW).is_complete
    assert outbox.entries("acme", "test", [EIGHTY.key])[EIGHTY.key].state == "delivered"


def test_each_destination_gets_all(outbox: Outbox) -> None:
    first, second = Receiver(), Receiver()
    second.destination = "other"
    for receiver in (first, second):
        assert deliver_alerts(outbox, receiver, [EIGHTY], now=NOW).is_complete
    assert first.got == second.got


def test_alerts_of_several_orgs_go_together(outbox: Outbox) -> None:
    receiver = Receiver()
    alerts = [EIGHTY, evolve(EIGHTY, org_id="else")]
    assert deliver_alerts(outbox, receiver, alerts, now=NOW).sent == 2
    assert outbox.entries("acme", "test", [alerts[1].key]) == {}


def test_no_alerts_are_delivered_at_once(outbox: Outbox) -> None:
    assert deliver_alerts(outbox, Receiver(), [], now=NOW).is_complete


def test_a_round_is_logged_in_counts(outbox: Outbox, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "overages.exports.notify"):
        deliver_alerts(outbox, Receiver(NotDelivered("no")), ALERTS, now=NOW)
        deliver_alerts(outbox, Receiver(), ALERTS, now=NOW)
    assert [(each.levelname, each.message) for each in caplog.records] == [
        ("WARNING", "2 of 3 alerts delivered"), ("INFO", "3 of 3 alerts delivered"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("wrong", "problem"),
    [
        ({"outbox": 1}, "outbox: must be"),
        ({"notifier": 1}, "notifier: must have a method notify"),
        ({"alerts": [1]}, r"alerts\[0\]: must be"),
        ({"now": 1}, "now: must be"),
    ],
)
def test_bad_arguments_are_refused(wrong: dict[str, Any], problem: str) -> None:
    named = {"outbox": MemoryOutbox(), "notifier": Receiver(), "alerts": [], "now": NOW}
    with pytest.raises((InvalidType, InvalidValue), match=f"^{problem}"):
        deliver_alerts(**{**named, **wrong})


def test_a_notifier_needs_a_name() -> None:
    receiver = Receiver()
    receiver.destination = ""
    assert isinstance(receiver, Notifier)
    with pytest.raises(InvalidValue, match=r"^notifier.destination: must not be empty"):
        deliver_alerts(MemoryOutbox(), receiver, [], now=NOW)


class TestNotice:
    """A notice has all of an alert, and its request has all of it."""

    def test_it_names_used_and_remaining_units(self) -> None:
        notice = notice_of(evolve(EIGHTY, used=41))
        assert notice.subject == f"[info] acme: {EIGHTY_OF_41}"
        assert notice.id == EIGHTY.key
        assert notice.fields == {
            "alert": "runs-80", "version": 1, "kind": "soft_warning", "severity": "info",
            "state": "reached", "metric": "runs", "grant": None, "budget": None,
            "used": 41, "limit": 50, "remaining": 9, "currency": None,
            "period": {"start": "2024-02-01T00:00:00Z", "end": "2024-03-01T00:00:00Z"},
            "notedAt": "2024-02-20T12:00:00Z", "instant": None, "about": None,
            "message": EIGHTY_OF_41,
        }  # fmt: skip

    def test_its_text_has_each_field_that_says_something(self) -> None:
        assert notice_of(evolve(EIGHTY, used="408000.5", limit=410_000)).text.splitlines() == [
            "[info] acme: 80 % of runs are used: 408,000.5 of 410,000, 1,999.5 remaining"
            " (February 2024)",
            "",
            "alert: runs-80",
            "kind: soft_warning",
            "severity: info",
            "state: reached",
            "message: 80 % of runs are used: 408,000.5 of 410,000, 1,999.5 remaining"
            " (February 2024)",
            "metric: runs",
            "period: 2024-02-01T00:00:00Z to 2024-03-01T00:00:00Z",
            "notedAt: 2024-02-20T12:00:00Z",
            "used: 408,000.5",
            "limit: 410,000",
            "remaining: 1,999.5",
            "version: 1",
        ]

    def test_its_text_has_money_in_its_currency(self) -> None:
        definition = AlertDefinition(Alert("g", Threshold(percent=80), grant="top-up"), 1, NOW)
        used, limit = Money(400, "USD"), Money(500, "USD")
        fired = FiredAlert("acme", definition, FEB, "reached", NOW, used=used, limit=limit)
        lines = notice_of(fired).text.splitlines()
        assert {"used: 4.00 USD", "limit: 5.00 USD", "remaining: 1.00 USD"} <= set(lines)
        assert not any(line.startswith("currency") for line in lines)

    @pytest.mark.parametrize(
        ("alert", "terms", "fields"),
        [
            (
                Alert("g", Threshold(percent=80), grant="top-up"),
                {"used": Money(5, "USD"), "limit": None},
                {"grant": "top-up", "used": 5, "currency": {"code": "USD", "exponent": 2}},
            ),
            (Alert("b", Threshold(percent=80), budget="all"), {"used": 5}, {"budget": "all"}),
            (
                Alert("t", occasion="grant_expiring"),
                {"instant": NOW, "about": "g"},
                {"about": "g", "instant": "2024-02-20T12:00:00Z", "used": None},
            ),
        ],
    )
    def test_it_has_the_fields_of_each_kind(
        self, alert: Alert, terms: dict[str, Any], fields: dict[str, Any]
    ) -> None:
        definition = AlertDefinition(alert, 1, NOW)
        notice = notice_of(FiredAlert("acme", definition, FEB, "reached", NOW, **terms))
        assert {name: notice.fields[name] for name in fields} == fields
        assert notice.fields["limit"] is None
        assert read_notice(notice.request) == notice

    def test_its_request_is_that_of_the_wire_whether_or_not_it_was_seen(self) -> None:
        body = json.loads(notice_of(EIGHTY).request)
        assert (body["orgId"], body["key"], body["used"]) == ("acme", EIGHTY.key, 50)
        on_wire = {name: value for name, value in wire_alert(EIGHTY).items() if name[:3] != "ack"}
        assert on_wire.items() <= body.items()
        seen = evolve(EIGHTY, acknowledged_at=NOW, acknowledged_by="jo")
        assert notice_of(seen).request == notice_of(EIGHTY).request

    def test_an_entry_of_an_outbox_holds_it(self) -> None:
        notice = notice_of(EIGHTY)
        entry = OutboxEntry("acme", "test", notice.id, notice.request, NOW)
        assert read_notice(entry.request) == notice


class TestLogNotifier:
    """Alerts as records of Python's logging."""

    @pytest.mark.parametrize(
        ("alert", "level"), [(EIGHTY, "INFO"), (NINETY, "WARNING"), (HUNDRED, "CRITICAL")]
    )
    def test_it_logs_by_severity(
        self, alert: FiredAlert, level: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        with caplog.at_level(logging.INFO, "overages.alerts"):
            assert LogNotifier().notify(notice_of(alert), "k") == "k"
        (record,) = caplog.records
        assert (record.levelname, record.message) == (level, notice_of(alert).subject)
        assert vars(record)["org_id"] == "acme"
        assert vars(record)["alert"]["remaining"] == 0

    def test_the_logger_may_be_the_hosts(self, caplog: pytest.LogCaptureFixture) -> None:
        notifier = LogNotifier(logging.getLogger("host"), destination="audit")
        notifier.notify(notice_of(HUNDRED), "k")
        assert (caplog.records[0].name, notifier.destination) == ("host", "audit")
        with pytest.raises(InvalidType, match=r"^logger: must be of type Logger"):
            LogNotifier("host")  # type: ignore[arg-type]


@pytest.mark.parametrize("reference", ["", "two\nlines", "x" * 300, None])
def test_one_that_has_an_odd_name_at_the_receiver_is_sent_once(
    outbox: Outbox, reference: Any
) -> None:
    class Odd(Receiver):
        def notify(self, notice: Notice, key: str) -> str:
            super().notify(notice, key)
            return reference  # type: ignore[no-any-return]

    receiver = Odd()
    for _ in range(2):
        assert deliver_alerts(outbox, receiver, [EIGHTY], now=NOW).is_complete
    assert receiver.alerts == ["runs-80"]
    entry = outbox.entries("acme", "test", [EIGHTY.key])[EIGHTY.key]
    assert entry.reference == entry.key
