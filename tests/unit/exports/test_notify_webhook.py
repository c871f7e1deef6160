"""Alerts to a webhook: a real server on this machine, which fails in all ways that servers do."""

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from overages import Period, evolve
from overages.adapters.outbox import MemoryOutbox
from overages.alerts.alert import AlertDefinition, usual_alerts
from overages.alerts.fired_alert import FiredAlert
from overages.errors import InvalidType, InvalidValue
from overages.exports.notify import NotDelivered, WebhookNotifier, deliver_alerts, is_signed
from overages.exports.notify.notice import notice_of
from overages.exports.notify.webhook import SIGNATURE, signature

NOW = datetime(2024, 2, 20, 12, tzinfo=UTC)
SECRET = b"0123456789abcdef"
FEB = Period.month(2024, 2)
FIRED = FiredAlert(
    "acme", AlertDefinition(usual_alerts("runs")[0], 1, NOW), FEB, "reached", NOW, used=41, limit=50
)  # fmt: skip
NOTICE = notice_of(FIRED)


class Hook:
    """A receiver that takes each key once, and answers as it is told."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}/alerts"
        self.answers: list[Callable[[BaseHTTPRequestHandler], None]] = []
        self.calls: list[tuple[dict[str, str], bytes]] = []
        self.taken: dict[str, Any] = {}

    def take(self, handler: BaseHTTPRequestHandler) -> None:
        """Note a call, and take its content if its key is new."""
        body = handler.rfile.read(int(handler.headers["Content-Length"]))
        headers = dict(handler.headers.items())
        self.calls.append((headers, body))
        if is_signed(body, headers[SIGNATURE], SECRET, now=NOW):
            self.taken.setdefault(headers["Idempotency-Key"], json.loads(body))


def status(code: int, **headers: str) -> Callable[[BaseHTTPRequestHandler], None]:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(code)
        for name, text in headers.items():
            handler.send_header(name, text)
        handler.send_header("Content-Length", "2")
        handler.end_headers()
        handler.wfile.write(b"ok")

    return answer


def slow(handler: BaseHTTPRequestHandler) -> None:
    time.sleep(1.5)
    handler.close_connection = True


def dropped(handler: BaseHTTPRequestHandler) -> None:
    """Close the connection without a word."""
    handler.connection.shutdown(socket.SHUT_RDWR)
    handler.close_connection = True


def half(handler: BaseHTTPRequestHandler) -> None:
    """Promise more than is sent."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nok")
    handler.close_connection = True


def endless(handler: BaseHTTPRequestHandler) -> None:
    """Send more than anybody reads."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
    with suppress(OSError):
        for _ in range(1000):
            handler.wfile.write(b"x" * 1_000_000)
    handler.close_connection = True


def dripping(handler: BaseHTTPRequestHandler) -> None:
    """Send byte by byte, each in time."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
    with suppress(OSError):
        for _ in range(30):
            handler.wfile.write(b"x")
            time.sleep(0.1)
    handler.close_connection = True


def nonsense(handler: BaseHTTPRequestHandler) -> None:
    handler.wfile.write(b"hello\r\n\r\n")
    handler.close_connection = True


@pytest.fixture
def hook(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hook]:
    """Yield a receiver that a server on this machine runs."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    receiver: Hook

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            receiver.take(self)
            (receiver.answers.pop(0) if receiver.answers else status(200))(self)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""
            del format, args

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        receiver = Hook(server.server_port)
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield receiver
        server.shutdown()
        thread.join()


def notifier_of(hook: Hook, **terms: Any) -> WebhookNotifier:
    return WebhookNotifier(hook.url, SECRET, clock=lambda: NOW, **{"timeout": 1, **terms})


def test_a_notice_arrives_signed_as_json(hook: Hook) -> None:
    assert notifier_of(hook).notify(NOTICE, "key-1") == "key-1"
    ((headers, body),) = hook.calls
    assert body == NOTICE.request.encode()
    assert headers["Content-Type"] == "application/json; charset=utf-8"
    assert headers["Idempotency-Key"] == "key-1"
    assert headers[SIGNATURE] == signature(body, SECRET, NOW)
    assert hook.taken["key-1"]["remaining"] == 9


@pytest.mark.parametrize("code", [200, 201, 202, 204])
def test_any_good_status_says_that_it_has_arrived(hook: Hook, code: int) -> None:
    hook.answers = [status(code)]
    notifier_of(hook).notify(NOTICE, "k")


@pytest.mark.parametrize(
    ("code", "is_refused", "is_general"),
    [
        (301, True, False), (302, True, False), (307, True, False), (308, True, False),
        (400, True, False), (401, True, True), (403, True, True), (404, True, True),
        (408, False, False), (409, False, False), (410, True, True), (422, True, False),
        (425, False, False), (429, False, True), (500, False, False), (503, False, False),
    ],
)  # fmt: skip
def test_a_bad_status_says_whether_the_key_can_be_used_again(
    hook: Hook, code: int, is_refused: bool, is_general: bool
) -> None:
    hook.answers = [status(code, Location=f"{hook.url}/elsewhere")]
    with pytest.raises(NotDelivered, match=f"^status {code}$") as raised:
        notifier_of(hook).notify(NOTICE, "k")
    assert (raised.value.is_refused, raised.value.is_general) == (is_refused, is_general)
    assert len(hook.calls) == 1  # no redirection is followed


@pytest.mark.parametrize("answer", [half, endless, dripping])
def test_the_status_says_that_it_has_arrived_whatever_follows(hook: Hook, answer: Any) -> None:
    hook.answers = [answer]
    started = time.monotonic()
    assert notifier_of(hook).notify(NOTICE, "k") == "k"
    assert time.monotonic() - started < 2


@pytest.mark.parametrize("answer", [slow, dropped, nonsense])
def test_no_answer_or_half_of_one_leaves_it_open(hook: Hook, answer: Any) -> None:
    hook.answers = [answer]
    with pytest.raises(NotDelivered, match=r"^no answer: ") as raised:
        notifier_of(hook).notify(NOTICE, "k")
    assert (raised.value.is_refused, raised.value.is_general) == (False, True)


def test_a_server_that_is_not_there_leaves_it_open(hook: Hook) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    notifier = WebhookNotifier(f"http://127.0.0.1:{port}", SECRET, clock=lambda: NOW)
    with pytest.raises(NotDelivered, match="no answer"):
        notifier.notify(NOTICE, "k")
    assert hook.calls == []


def test_each_alert_is_taken_once_whatever_fails(hook: Hook) -> None:
    hook.answers = [status(500), slow, dropped, half, status(503), status(429), status(400)]
    outbox, notifier = MemoryOutbox(), notifier_of(hook)
    alerts = [evolve(FIRED, step=step) for step in (3, 2, 1)]
    rounds = 0
    while not deliver_alerts(outbox, notifier, alerts, now=NOW).is_complete:
        rounds += 1
        assert rounds < 20
    assert len(hook.calls) == 9
    taken = [body["key"] for body in hook.taken.values()]
    # One of them was refused, and so came under another key; the server had read it all the same.
    assert sorted(set(taken)) == sorted(alert.key for alert in alerts)
    assert len(taken) == 4


@pytest.mark.parametrize(
    ("url", "destination"),
    [
        ("https://example.com/alerts", "https://example.com/alerts"),
        ("https://example.com/alerts?token=x", "https://example.com/alerts?9099b85613f61fa4"),
        ("http://localhost:8080", "http://localhost:8080"),
    ],
)
def test_its_name_in_the_outbox_is_the_url_without_what_may_be_secret(
    url: str, destination: str
) -> None:
    assert WebhookNotifier(url, SECRET, clock=lambda: NOW).destination == destination
    named = WebhookNotifier(url, SECRET, clock=lambda: NOW, destination="ops")
    assert named.destination == "ops"


def test_two_urls_have_two_names_in_the_outbox() -> None:
    urls = [f"{scheme}://example.com/a?org={n}" for scheme in ("http", "https") for n in (1, 2)]
    names = {WebhookNotifier(url, SECRET, clock=lambda: NOW).destination for url in urls}
    assert len(names) == 4
    assert not any("org" in name for name in names)


@pytest.mark.parametrize(
    ("terms", "problem"),
    [
        ({"url": "ftp://example.com"}, "url: must be a URL of http or https"),
        ({"url": "https://"}, "url: must be a URL"),
        ({"url": "https://me:word@example.com"}, "url: must be a URL of http or https, without a"),
        ({"url": "https://exa mple.com"}, "url: must be a URL"),
        ({"url": "https://ex\u00e4mple.com"}, "url: must be a URL"),
        ({"url": "https://[::1"}, "url: must be a URL"),
        ({"url": "https://a..b/"}, "url: must be a URL"),
        ({"url": f"https://{'a' * 64}.example/"}, "url: must be a URL"),
        ({"url": "https://example.com:abc/"}, "url: must be a URL"),
        ({"url": "https://example.com:99999/"}, "url: must be a URL"),
        ({"url": "https://example.com:0/"}, "url: must be a URL"),
        ({"url": f"https://example.com/{'a' * 300}"}, "destination: must have at most"),
        ({"destination": ""}, "destination: must not be empty"),
        ({"url": 5}, "url: must be"),
        ({"secret": b"short"}, "secret: must have at least 16 bytes, got .not shown.$"),
        ({"secret": "0123456789abcdef"}, "secret: must be bytes, got .not shown.$"),
        ({"clock": NOW}, "clock: must be a function"),
        ({"timeout": 0}, "timeout: must be from 1 to 600"),
    ],
)
def test_bad_arguments_are_refused(terms: dict[str, Any], problem: str) -> None:
    named = {"url": "https://example.com", "secret": SECRET, "clock": lambda: NOW}
    with pytest.raises((InvalidValue, InvalidType), match=f"^{problem}"):
        WebhookNotifier(**{**named, **terms})


class TestSignature:
    """The receiver tells who sent a body, and when."""

    HEADER = signature(b"{}", SECRET, NOW)

    def test_it_is_the_hmac_of_the_instant_and_the_body(self) -> None:
        import hmac

        expected = hmac.digest(SECRET, b"1708430400.{}", "sha256").hex()
        assert f"t=1708430400,v1={expected}" == self.HEADER

    @pytest.mark.parametrize("seconds", [-300, 0, 300])
    def test_one_of_not_long_ago_is_good(self, seconds: int) -> None:
        assert is_signed(b"{}", self.HEADER, SECRET, now=NOW + timedelta(seconds=seconds))

    @pytest.mark.parametrize("seconds", [-301, 301])
    def test_one_of_long_ago_is_not(self, seconds: int) -> None:
        assert not is_signed(b"{}", self.HEADER, SECRET, now=NOW + timedelta(seconds=seconds))

    @pytest.mark.parametrize(
        "header",
        [
            "", "t=1708430400", "v1=00", "t=x,v1=00", "t=1708430401," + HEADER.split(",")[1],
            HEADER[:-1], HEADER + "0", "t=\u0661,v1=00", "t=1,v1=\u00e9", f"t={'9' * 12},v1=00",
        ],
    )  # fmt: skip
    def test_any_other_header_is_not(self, header: str) -> None:
        assert not is_signed(b"{}", header, SECRET, now=NOW)

    def test_another_body_or_secret_is_not(self) -> None:
        assert not is_signed(b"{ }", self.HEADER, SECRET, now=NOW)
        assert not is_signed(b"{}", self.HEADER, SECRET[::-1], now=NOW)
