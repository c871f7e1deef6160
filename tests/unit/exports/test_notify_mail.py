"""Alerts by mail: a real server on this machine that speaks the little of SMTP that is needed."""

import re
import socketserver
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from email import message_from_bytes
from email.policy import default
from typing import Any

import pytest

from overages import Period, evolve
from overages.adapters.outbox import MemoryOutbox
from overages.alerts.alert import AlertDefinition, usual_alerts
from overages.alerts.fired_alert import FiredAlert
from overages.errors import InvalidType, InvalidValue
from overages.exports.notify import MailNotifier, NotDelivered, deliver_alerts
from overages.exports.notify.notice import notice_of

NOW = datetime(2024, 2, 20, 12, tzinfo=UTC)
FIRED = FiredAlert(
    "acme", AlertDefinition(usual_alerts("runs")[0], 1, NOW), Period.month(2024, 2), "reached", NOW,
    used=41, limit=50,
)  # fmt: skip
NOTICE = notice_of(FIRED)


class MailServer:
    """The mail that came, and the answers that are to be given instead of the usual ones."""

    def __init__(self) -> None:
        self.port = 0
        self.mail: list[tuple[list[str], bytes]] = []
        self.said: list[str] = []
        self.answers: dict[str, str] = {}
        """By the beginning of a command; an empty one drops the connection."""


@pytest.fixture
def server() -> Iterator[MailServer]:
    """Yield a mail server on this machine."""
    state = MailServer()

    class Session(socketserver.StreamRequestHandler):
        def answer(self, command: str, usual: str) -> bool:
            text = next((t for c, t in state.answers.items() if command.startswith(c)), usual)
            if text:
                self.wfile.write(f"{text}\r\n".encode())
            return bool(text)

        def handle(self) -> None:
            recipients: list[str] = []
            goes_on = self.answer("HELLO", "220 here")
            while goes_on and (line := self.rfile.readline()):
                name, _, rest = line.decode().strip().partition(" ")
                address = rest.partition("<")[2].partition(">")[0]
                command = f"{name.upper()} {address or rest}".strip()
                state.said.append(command)
                if command.startswith("RCPT"):
                    recipients.append(address)
                usual = "354 go on" if command == "DATA" else "250 fine"
                goes_on = self.answer(command, usual)
                if command == "DATA" and "DATA" not in state.answers:
                    lines = []
                    while (line := self.rfile.readline()) != b".\r\n":
                        lines.append(line)
                    goes_on = self.answer("END", "250 taken")
                    if "END" not in state.answers:
                        state.mail.append((recipients, b"".join(lines)))

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Session) as running:
        running.daemon_threads = True
        state.port = running.server_address[1]
        thread = threading.Thread(target=running.serve_forever, args=(0.01,))
        thread.start()
        yield state
        running.shutdown()
        thread.join()


def notifier_of(server: MailServer, **terms: Any) -> MailNotifier:
    usual = {
        "sender": "billing@example.com",
        "recipients": lambda org_id: [f"owner@{org_id}.example"],
        "port": server.port,
        "starttls": False,
        "timeout": 2,
    }
    return MailNotifier("127.0.0.1", **{**usual, **terms})


def test_a_notice_arrives_as_a_mail(server: MailServer) -> None:
    reference = notifier_of(server).notify(NOTICE, "key-1")
    ((recipients, content),) = server.mail
    message = message_from_bytes(content, policy=default)
    assert recipients == ["owner@acme.example"]
    assert message["From"] == "billing@example.com"
    assert message["To"] == "owner@acme.example"
    assert message["Subject"].strip() == NOTICE.subject  # a long one is folded
    assert reference == message["Message-ID"] == "<key-1@example.com>"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message.get_content().splitlines() == NOTICE.text.splitlines()


def test_names_of_any_script_arrive(server: MailServer) -> None:
    notice = NOTICE._replace(subject="[info] \u30a2\u30af\u30e1: " + "x" * 200)
    notifier_of(server).notify(notice, "k")
    message = message_from_bytes(server.mail[0][1], policy=default)
    assert message["Subject"] == notice.subject


def test_a_subject_cannot_break_out_of_its_line(server: MailServer) -> None:
    notice = NOTICE._replace(subject="[info] a\nBcc: all@example.com")
    with pytest.raises(ValueError, match="linefeed"):
        notifier_of(server).notify(notice, "k")


def test_the_host_logs_in(server: MailServer) -> None:
    server.answers = {"EHLO": "250-here\r\n250 AUTH PLAIN", "AUTH": "235 welcome"}
    notifier_of(server, log_in=lambda smtp: smtp.login("user", "word")).notify(NOTICE, "k")
    assert [line.split()[0] for line in server.said][:2] == ["EHLO", "AUTH"]


def test_an_org_without_an_address_is_told(server: MailServer) -> None:
    with pytest.raises(NotDelivered, match=r"^acme has no address to send to$") as raised:
        notifier_of(server, recipients=lambda _: []).notify(NOTICE, "k")
    assert not raised.value.is_general
    assert server.said == []


@pytest.mark.parametrize(
    ("answers", "problem", "is_general"),
    [
        ({"RCPT": "550 unknown"}, "refused for owner@acme.example", False),
        ({"MAIL": "550 not you"}, "SMTPSenderRefused", False),
        ({"END": "554 no"}, "SMTPDataError", False),
        ({"DATA": "451 later"}, "SMTPDataError", False),
        ({"EHLO": "421 busy", "HELO": "421 busy"}, "SMTP", True),
        ({"HELLO": ""}, "SMTPServerDisconnected", True),
        ({"END": ""}, "SMTPServerDisconnected", True),
        ({"AUTH": "535 no"}, "SMTP", True),
    ],
)  # fmt: skip
def test_a_failure_leaves_it_open(
    server: MailServer, answers: dict[str, str], problem: str, is_general: bool
) -> None:
    server.answers = answers
    terms = {"log_in": lambda smtp: smtp.login("user", "word")} if "AUTH" in answers else {}
    with pytest.raises(NotDelivered, match=problem) as raised:
        notifier_of(server, **terms).notify(NOTICE, "k")
    assert (raised.value.is_refused, raised.value.is_general) == (False, is_general)
    assert server.mail == []


def test_a_server_without_encryption_gets_nothing_where_it_is_asked_for(
    server: MailServer,
) -> None:
    with pytest.raises(NotDelivered, match="STARTTLS"):
        notifier_of(server, starttls=True).notify(NOTICE, "k")
    assert server.mail == []


def test_those_that_a_server_takes_have_it_and_the_others_are_logged(
    server: MailServer, caplog: pytest.LogCaptureFixture
) -> None:
    server.answers = {"RCPT b": "550 unknown"}
    addresses = ["a@example.com", "b@example.com"]
    notifier_of(server, recipients=lambda _: addresses).notify(NOTICE, "k")
    assert len(server.mail) == 1
    assert caplog.messages == ["refused for b@example.com"]


OTHER = evolve(FIRED, org_id="other")


def _no_contacts(org_id: str) -> list[str]:
    return {"other": ["owner@other.example"]}[org_id]


@pytest.mark.parametrize(
    ("recipients", "problem"),
    [
        (_no_contacts, "no addresses of acme: KeyError"),
        (lambda _: ["j\u00f6rg@example.com"], "SMTPNotSupportedError"),
        (lambda _: ["a@b.example\r\nRSET"], "acme has no address to send to: 1 are none"),
        (lambda _: ["a@b.example, c@d.example"], "acme has no address to send to: 1 are none"),
        (lambda _: ["<a@b.example> BODY=8BITMIME", None], "acme has no .* 2 are none"),
        (lambda _: "a@b.example", "the addresses of acme must be a list"),
    ],
)
def test_the_addresses_of_one_org_leave_the_others_alone(
    server: MailServer, recipients: Any, problem: str
) -> None:
    def of(org_id: str) -> Any:
        return recipients(org_id) if org_id == "acme" else _no_contacts(org_id)

    outbox = MemoryOutbox()
    delivery = deliver_alerts(outbox, notifier_of(server, recipients=of), [OTHER, FIRED], now=NOW)
    assert (delivery.alerts, delivery.delivered) == (2, 1)
    assert [to for to, _ in server.mail] == [["owner@other.example"]]
    (text,) = delivery.problems.values()
    assert re.match(problem, text)


def test_those_that_are_addresses_have_it_and_the_others_are_logged(
    server: MailServer, caplog: pytest.LogCaptureFixture
) -> None:
    addresses = ["Jo <jo@example.com>", "nobody", "a@b.example\r\nRSET"]
    notifier_of(server, recipients=lambda _: addresses).notify(NOTICE, "k")
    assert [to for to, _ in server.mail] == [["jo@example.com"]]
    assert caplog.messages == ["acme: 2 of its addresses are none"]


@pytest.mark.parametrize(
    "sender",
    [
        "Acme  <billing@example.com >",
        '"Acme, Inc." <billing@example.com>',
        "billing@" + ".".join(["a" * 60] * 3) + ".example.com",
    ],
)
def test_an_odd_sender_sends_once(server: MailServer, sender: str) -> None:
    outbox, notifier = MemoryOutbox(), notifier_of(server, sender=sender)
    for _ in range(2):
        assert deliver_alerts(outbox, notifier, [FIRED], now=NOW).is_complete
    assert len(server.mail) == 1


def test_it_is_delivered_once_by_way_of_an_outbox(server: MailServer) -> None:
    outbox, notifier = MemoryOutbox(), notifier_of(server)
    server.answers = {"END": ""}
    assert not deliver_alerts(outbox, notifier, [FIRED], now=NOW).is_complete
    server.answers = {}
    for _ in range(2):
        assert deliver_alerts(outbox, notifier, [FIRED], now=NOW).is_complete
    assert len(server.mail) == 1


@pytest.mark.parametrize(
    ("terms", "problem"),
    [
        ({"host": ""}, "host: must not be empty"),
        ({"sender": "billing"}, "sender: must be an address"),
        ({"sender": "a@b\n"}, "sender: must be an address"),
        ({"sender": "a@b.example, c@d.example"}, "sender: must be an address"),
        ({"sender": "a b <x@y.example>\tz@q"}, "sender: must be an address"),
        ({"sender": "billing@mail. example.com"}, "sender: must be an address"),
        ({"sender": "friends: a@b.example;"}, "sender: must be an address"),
        ({"sender": '"@evil'}, "sender: must be an address"),
        ({"sender": "a@" + "b" * 260}, "sender: must be an address"),
        ({"sender": "j\u00f6rg@b.example"}, "sender: must be an address"),
        ({"sender": 5}, "sender: must be"),
        ({"recipients": ["a@b"]}, "recipients: must be a function"),
        ({"port": 65_536}, "port: must be from 1 to 65,535"),
        ({"starttls": 1}, "starttls: must be True or False"),
        ({"log_in": "user"}, "log_in: must be a function"),
        ({"timeout": 0}, "timeout: must be from 1 to 600"),
        ({"destination": ""}, "destination: must not be empty"),
    ],
)
def test_bad_arguments_are_refused(terms: dict[str, Any], problem: str) -> None:
    named = {"host": "localhost", "sender": "a@b", "recipients": list}
    with pytest.raises((InvalidValue, InvalidType), match=f"^{problem}"):
        MailNotifier(**{**named, **terms})
