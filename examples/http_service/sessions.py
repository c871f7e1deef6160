"""Sessions of the page: a cookie has a random key, and the server knows whose it is."""

import secrets
import time

from examples.http_service.settings import Member

COOKIE = "overages_session"
SECONDS = 8 * 3600


class Sessions:
    """Who has signed in, by key, until they sign out or eight hours are over."""

    def __init__(self) -> None:
        self._open: dict[str, tuple[Member, float]] = {}

    def open(self, member: Member) -> str:
        """Return the key of a new session."""
        now = time.monotonic()
        for old, (_, ends) in list(self._open.items()):
            if ends <= now:
                self.close(old)
        key = secrets.token_urlsafe(32)
        self._open[key] = member, now + SECONDS
        return key

    def member(self, key: str | None) -> Member | None:
        """Return whose session it is; None if it is none, or is over."""
        member, ends = self._open.get(key or "", (None, 0.0))
        return member if time.monotonic() < ends else None

    def close(self, key: str | None) -> None:
        """End a session, if it is one."""
        self._open.pop(key or "", None)
