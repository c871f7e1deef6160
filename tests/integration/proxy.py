"""A proxy before localstripe that keeps idempotency keys as Stripe does, and can fail on purpose.

Stripe gives the first reply to a key again, a stored 500 too, and marks it; it refuses a key that
comes with other parameters, answers 409 while the first call is being done, and forgets keys that
are 24 hours old.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import Any, NamedTuple

FAULTS = ("dropped", "lost", "conflict", "error", "error after", "gateway", "limited")
"""What can happen to a call that makes something.

dropped: it never arrives. lost: it is done, the reply is lost. conflict: 409, not done. error: 500,
not done, and stored for the key. error after: the same, but it was done. gateway: it is done, and
the reply is a 502 of someone between. limited: 429, not done.
"""


class Reply(NamedTuple):
    status: int
    body: bytes


class Kept(NamedTuple):
    """What is kept of a key: what came with it, when, and the reply once there is one."""

    parameters: bytes
    at: datetime
    reply: Reply | None


def error(status: int, message: str, kind: str = "api_error") -> Reply:
    return Reply(status, json.dumps({"error": {"type": kind, "message": message}}).encode())


class Proxy:
    """Listens on the loopback; `faults` are taken one by one, None is none."""

    def __init__(self, port: int, now: datetime) -> None:
        self.port = port
        self.now = now
        self.faults: deque[str | None] = deque()
        self.list_faults: deque[Reply | None] = deque()
        self.calls: list[tuple[str, str, str | None]] = []
        self.before: Callable[[], object] = lambda: None
        self.after: Callable[[], object] = lambda: None
        self._keys: dict[str, Kept] = {}
        self._lock = Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def reset(self, now: datetime) -> None:
        """Forget faults, calls, keys and hooks of an earlier test."""
        self.now = now
        self._keys = {}
        self.faults.clear()
        self.list_faults.clear()
        self.calls.clear()
        self.before = self.after = lambda: None

    @contextmanager
    def running(self) -> Iterator[Proxy]:
        thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            thread.join()
            self._server.server_close()

    def made(self, path: str) -> list[str | None]:
        """Return the keys of the calls that were to make something, as they came."""
        return [key for method, where, key in self.calls if (method, where) == ("POST", path)]

    def answer(self, method: str, path: str, key: str | None, body: bytes) -> Reply | None:
        """Return the reply to a call, and whether it is given again; None hangs up."""
        plain = path.partition("?")[0]
        self.calls.append((method, plain, key))
        if method == "GET" and self.list_faults:
            failure = self.list_faults.popleft()
            if failure is not None:
                return failure
        makes = method == "POST" and plain in ("/v1/invoiceitems", "/v1/invoices")
        fault = self.faults.popleft() if makes and self.faults else None
        if fault == "dropped":
            return None
        if fault == "limited":
            return error(429, "Too many requests", "rate_limit_error")
        if fault == "conflict":
            return error(409, "Another request with this key is in progress", "idempotency_error")
        if key is None:
            return self._forward(method, path, body)
        return self._once(method, path, key, body, fault)

    def _once(
        self, method: str, path: str, key: str, body: bytes, fault: str | None
    ) -> Reply | None:
        with self._lock:
            kept = self._keys.get(key)
            if kept is None or self.now - kept.at >= timedelta(hours=24):
                self._keys[key] = Kept(body, self.now, None)
                kept = None
        if kept is not None:
            return self._again(kept, body)
        if fault == "error":
            reply = error(500, "Something went wrong")
        else:
            self.before()
            reply = self._forward(method, path, body)
            self.after()
            if fault == "error after":
                reply = error(500, "Something went wrong, after it was done")
        self._keys[key] = Kept(body, self.now, reply)
        if fault == "gateway":
            return error(502, "Bad gateway")
        return None if fault == "lost" else reply

    def _again(self, kept: Kept, body: bytes) -> Reply:
        if kept.parameters != body:
            message = "Keys can only be used with the same parameters"
            return error(400, message, "idempotency_error")
        if kept.reply is None:
            return error(409, "Another request with this key is in progress", "idempotency_error")
        return Replayed(*kept.reply)

    def _forward(self, method: str, path: str, body: bytes) -> Reply:
        connection = HTTPConnection("127.0.0.1", self.port)
        headers = {"Authorization": "Bearer sk_test_12345"}
        if body:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        try:
            connection.request(method, path, body=body or None, headers=headers)
            response = connection.getresponse()
            return Reply(response.status, response.read())
        finally:
            connection.close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def handle_any(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                key = self.headers.get("Idempotency-Key")
                reply = proxy.answer(self.command, self.path, key, body)
                if reply is None:
                    self.close_connection = True
                    return
                head = f"HTTP/1.1 {reply.status} X\r\nContent-Type: application/json\r\n"
                if isinstance(reply, Replayed):
                    head += "Idempotent-Replayed: true\r\n"
                head += f"Content-Length: {len(reply.body)}\r\n\r\n"
                self.wfile.write(head.encode() + reply.body)

            do_DELETE = do_GET = do_POST = handle_any  # noqa: N815

            def log_message(self, *args: Any) -> None:
                """Say nothing."""

        return Handler


class Replayed(Reply):
    """A reply that is given again."""

    __slots__ = ()
