"""Notifiers: whatever brings a notice to someone.

class ToChat:
    destination = "chat"

    def notify(self, notice: Notice, key: str) -> str:
        return post(notice.subject, once=key).id
"""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from overages.exports.notify.notice import Notice


class NotDelivered(Exception):
    """A notice didn't arrive, as far as is known.

    :param problem: why, in words.
    :param is_refused: whether it certainly never will under its key: the next round sends it under
        another one. Else it may have arrived, and is sent again under the same.
    :param is_general: whether no other notice would arrive either: the round ends.
    """

    def __init__(self, problem: str, *, is_refused: bool = False, is_general: bool = False) -> None:
        super().__init__(problem)
        self.is_refused = is_refused
        self.is_general = is_general


@runtime_checkable
class Notifier(Protocol):
    """Brings notices to someone, once for a key.

    :param destination: names the receiver in the outbox: two notifiers with one name take each
        other's notices as delivered.
    """

    @property
    def destination(self) -> str:
        """The name of the receiver in the outbox."""
        ...

    def notify(self, notice: Notice, key: str) -> str:
        """Bring a notice to the receiver; return the name that it has there, or the key.

        :param key: the same each time that it may have arrived before: the receiver takes it once.
        :raises NotDelivered: if it didn't arrive, as far as is known.
        """
        ...
