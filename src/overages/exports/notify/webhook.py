"""Alerts to a webhook: a POST of JSON, signed, and known again by its key.

    notifier = WebhookNotifier("https://example.com/alerts", secret, clock=clock)

On the other side, the secret proves who sent the body, and when:

    is_signed(request.body, request.headers["Overages-Signature"], secret, now=now)
"""

from __future__ import annotations

import hmac
import urllib.error
import urllib.request
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from http.client import HTTPException
from typing import Any, Final
from urllib.parse import urlsplit

from overages._ground.names import parse_name
from overages._ground.parsing import function_that, instance_of, int_up_to, parse_all
from overages.errors import Field, InvalidType, InvalidValue
from overages.exports.notify.notice import Notice
from overages.exports.notify.notifier import NotDelivered
from overages.periods.period import parse_instant

SIGNATURE: Final = "Overages-Signature"
"""The header with the instant and the signature: ``t=1708430400,v1=5257a8...``."""

_LEAST_SECRET: Final = 16  # bytes
_RETRIED: Final = (408, 409, 425, 429)  # statuses after which the same may still be taken
_CALLERS: Final = (401, 403, 404, 410)  # statuses that any other notice would get as well
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class _NotShown:
    """Stands for a secret where an error names a value."""

    def __repr__(self) -> str:
        return "(not shown)"


_NOT_SHOWN: Final = _NotShown()


class WebhookNotifier:
    """Posts alerts to a URL.

    The body is that of `Notice.request`; ``Idempotency-Key`` has the key, the same each time that
    it is sent again. Any status from 200 to 299 says that it has arrived. After a 408, 409, 425,
    429 or 5xx, a timeout or a lost connection, it is sent again in the next round under the same
    key; after any other status, under another. Redirections aren't followed: a signed body is meant
    for one receiver.

    :param url: with ``https``, or ``http`` for a receiver on the same machine or network.
    :param secret: at least 16 bytes that the receiver knows too.
    :param clock: gives the present instant, timezone-aware, which is signed with the body.
    :param timeout: seconds to wait for the connection, and for each part of the answer's head; what
        follows on that is never read.
    :param destination: its name in the outbox; without it, the URL, with a digest in place of its
        query, which may have a secret.
    :raises InvalidValue: for a URL that is none, or a short secret, or where the URL is too long to
        be its name in the outbox; `InvalidValues` for several.

    >>> notifier = WebhookNotifier("https://example.com/alerts", b"0123456789abcdef", clock=None)
    Traceback (most recent call last):
        ...
    overages.errors.InvalidType: clock: must be a function that gives the present instant, got None
    """

    def __init__(
        self,
        url: str,
        secret: bytes,
        *,
        clock: Callable[[], datetime],
        timeout: int = 10,
        destination: str | None = None,
    ) -> None:
        self._url, self._secret, self._clock, self._timeout = parse_all(
            (_parse_url, url, "url"),
            (_parse_secret, secret, "secret"),
            (function_that("gives the present instant"), clock, "clock"),
            (int_up_to(600), timeout, "timeout"),
        )
        name = _name_of(self._url) if destination is None else destination
        self.destination: Final = parse_name(name, "destination")
        self._opener = urllib.request.build_opener(_NoRedirection)

    def notify(self, notice: Notice, key: str) -> str:
        """Post a notice; return its key."""
        body = notice.request.encode()
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "Idempotency-Key": key,
            SIGNATURE: signature(body, self._secret, parse_instant(self._clock(), "clock()")),
        }
        request = urllib.request.Request(self._url, body, headers, method="POST")
        try:
            self._opener.open(request, timeout=self._timeout).close()  # its status says all
        except urllib.error.HTTPError as error:
            with error:
                raise _refusal(error.code) from None
        except (OSError, HTTPException) as error:  # no reply, or half of one
            problem = f"no answer: {type(error).__name__}: {error}"
            raise NotDelivered(problem, is_general=True) from error
        return key


def _refusal(status: int) -> NotDelivered:
    is_open = status in _RETRIED or status >= 500
    is_general = status == 429 or status in _CALLERS
    return NotDelivered(f"status {status}", is_refused=not is_open, is_general=is_general)


class _NoRedirection(urllib.request.HTTPRedirectHandler):
    """Leaves a redirection as it is: an answer that isn't good."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        """Make no other request."""


def signature(body: bytes, secret: bytes, at: datetime) -> str:
    """Return the value of the header ``Overages-Signature`` of a body that is sent at an instant.

    It is the HMAC with SHA-256, in hex, of the seconds since 1970, a point, and the body.

    >>> signature(b"{}", b"0123456789abcdef", datetime(2024, 2, 20, tzinfo=UTC))[:13]
    't=1708387200,'
    """
    seconds = (at - _EPOCH) // timedelta(seconds=1)
    return f"t={seconds},v1={_digest(body, secret, str(seconds))}"


def is_signed(
    body: bytes,
    header: str,
    secret: bytes,
    *,
    now: datetime,
    tolerance: timedelta = timedelta(minutes=5),
) -> bool:
    """Tell whether a body was signed with a secret, not long ago.

    For the receiver; the time that a comparison takes tells nothing of the secret.

    :param header: the value of ``Overages-Signature``.
    :param now: the present instant.
    :param tolerance: how much earlier or later than that it may have been signed.

    >>> secret, noon = b"0123456789abcdef", datetime(2024, 2, 20, 12, tzinfo=UTC)
    >>> header = signature(b"{}", secret, noon)
    >>> is_signed(b"{}", header, secret, now=noon), is_signed(b"[]", header, secret, now=noon)
    (True, False)
    """
    parts = dict(part.partition("=")[::2] for part in header.split(","))
    seconds, signed = parts.get("t", ""), parts.get("v1", "")
    if not (seconds.isascii() and seconds.isdigit() and len(seconds) <= 11 and signed.isascii()):
        return False
    is_near = abs(_EPOCH + timedelta(seconds=int(seconds)) - now) <= tolerance
    return hmac.compare_digest(signed, _digest(body, secret, seconds)) and is_near


def _digest(body: bytes, secret: bytes, seconds: str) -> str:
    return hmac.new(secret, b".".join([seconds.encode(), body]), sha256).hexdigest()


def _parse_url(value: object, field: Field) -> str:
    url: str = instance_of(str)(value, field)
    try:
        parts = urlsplit(url)
        is_one = parts.scheme in ("http", "https") and bool(parts.hostname) and url.isascii()
        is_one = is_one and url.isprintable() and " " not in url and parts.username is None
        is_one = is_one and parts.port != 0 and bool(str(parts.hostname).encode("idna"))
    except ValueError:  # of a port or a host, too
        is_one = False
    if not is_one:
        raise InvalidValue(field, value, "must be a URL of http or https, without a user")
    return url


def _name_of(url: str) -> str:
    parts = urlsplit(url)
    query = f"?{sha256(parts.query.encode()).hexdigest()[:16]}" if parts.query else ""
    return f"{parts.scheme}://{parts.netloc}{parts.path}{query}"


def _parse_secret(value: object, field: Field) -> bytes:
    if not isinstance(value, bytes):
        raise InvalidType(field, _NOT_SHOWN, "must be bytes")
    if len(value) < _LEAST_SECRET:
        raise InvalidValue(field, _NOT_SHOWN, f"must have at least {_LEAST_SECRET} bytes")
    return value
