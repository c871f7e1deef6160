"""Alerts by mail, over SMTP.

notifier = MailNotifier("smtp.example.com", sender="billing@example.com",
                        recipients=lambda org_id: contacts[org_id])
"""

from __future__ import annotations

import smtplib
from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import suppress
from email.message import EmailMessage
from email.policy import SMTP
from logging import getLogger
from typing import Any, Final

from overages._ground.names import parse_name
from overages._ground.parsing import (
    function_that,
    instance_of,
    int_up_to,
    optional,
    parse_all,
    parse_flag,
)
from overages.errors import InvalidValue
from overages.exports.notify.addresses import read_address
from overages.exports.notify.notice import Notice
from overages.exports.notify.notifier import NotDelivered

_log: Final = getLogger("overages.exports.notify")
_optional_function: Final = optional(function_that("takes an open connection"))


class MailNotifier:
    """Sends alerts by mail.

    Each has a ``Message-ID`` of its key: where a server's answer is lost and the mail is sent
    again, mailboxes know it again.

    :param host: the mail server.
    :param sender: the address that it is from, also with a name: ``Acme <billing@example.com>``.
    :param recipients: gives the addresses of an org; with none, or where it raises an error, the
        alert isn't delivered. Where some of them are no addresses, or a server refuses some, the
        others have it: that is logged.
    :param port: 587 for a server that takes mail from users; 25, 465 (with `tls` of another kind)
        aren't meant.
    :param starttls: whether the connection is encrypted before anything is said; off for a server
        on the same machine alone.
    :param log_in: is given the open connection, to log in: ``lambda smtp: smtp.login(user, word)``.
    :param timeout: seconds to wait for each answer.
    :param destination: its name in the outbox; ``"mail"`` without it.
    :raises InvalidValue: for a value that is not allowed; `InvalidValues` for several.

    >>> MailNotifier("localhost", sender="billing@example.com", recipients=list).destination
    'mail'
    """

    def __init__(
        self,
        host: str,
        *,
        sender: str,
        recipients: Callable[[str], Sequence[str]],
        port: int = 587,
        starttls: bool = True,
        log_in: Callable[[smtplib.SMTP], object] | None = None,
        timeout: int = 10,
        destination: str = "mail",
    ) -> None:
        self.destination: str
        (
            self._host, self._sender, self._recipients, self._port, self._starttls, self._log_in,
            self._timeout, self.destination,
        ) = parse_all(
            (parse_name, host, "host"),
            (_parse_address, sender, "sender"),
            (function_that("gives the addresses of an org"), recipients, "recipients"),
            (int_up_to(65_535), port, "port"),
            (parse_flag, starttls, "starttls"),
            (_optional_function, log_in, "log_in"),
            (int_up_to(600), timeout, "timeout"),
            (parse_name, destination, "destination"),
        )  # fmt: skip
        self._address = str(read_address(self._sender))

    def notify(self, notice: Notice, key: str) -> str:
        """Send a notice; return its ``Message-ID``."""
        recipients = self._addresses(notice.org_id)
        message = self._message(notice, key, recipients)
        try:
            refused = self._sent(message, recipients)
        except smtplib.SMTPRecipientsRefused as error:
            raise NotDelivered(f"refused for {_listed(error.recipients)}") from error
        except (smtplib.SMTPDataError, smtplib.SMTPSenderRefused) as error:
            raise NotDelivered(f"{type(error).__name__}: {error}") from error
        except (OSError, smtplib.SMTPException) as error:
            problem = f"{type(error).__name__}: {error}"
            raise NotDelivered(problem, is_general=True) from error
        if refused:  # the others have it, and aren't to get it again
            extra = {"org_id": notice.org_id, "refused": len(refused)}
            _log.warning("refused for %s", _listed(refused), extra=extra)
        return str(message["Message-ID"])

    def _addresses(self, org_id: str) -> list[str]:
        """Return the addresses of an org that a mail can be sent to."""
        try:
            contacts = self._recipients(org_id)
            listed = [] if isinstance(contacts, str) else list(contacts)
        except Exception as error:  # the host's: that of one org is no fault of the others
            problem = f"no addresses of {org_id}: {type(error).__name__}: {error}"
            raise NotDelivered(problem) from error
        if isinstance(contacts, str):
            raise NotDelivered(f"the addresses of {org_id} must be a list of them")
        if not listed:
            raise NotDelivered(f"{org_id} has no address to send to")
        addresses = [address for address in map(read_address, listed) if address is not None]
        faults = len(listed) - len(addresses)
        if not addresses:
            raise NotDelivered(f"{org_id} has no address to send to: {faults} are none")
        if faults:
            extra = {"org_id": org_id, "faults": faults}
            _log.warning("%s: %d of its addresses are none", org_id, faults, extra=extra)
        return addresses

    def _sent(self, message: EmailMessage, recipients: Sequence[str]) -> Collection[str]:
        """Send a mail; return the addresses that the server refuses."""
        connection = smtplib.SMTP(self._host, self._port, timeout=self._timeout)
        try:
            if self._starttls:
                connection.starttls()
            if self._log_in is not None:
                self._log_in(connection)
            return connection.send_message(message, self._address, recipients)
        except smtplib.SMTPNotSupportedError as error:
            if all(address.isascii() for address in recipients):
                raise  # of encryption, or of logging in
            raise NotDelivered(f"{type(error).__name__}: {error}") from error
        finally:
            with suppress(OSError, smtplib.SMTPException):  # it is taken, or lost, already
                connection.quit()
            connection.close()

    def _message(self, notice: Notice, key: str, recipients: Sequence[str]) -> EmailMessage:
        message = EmailMessage(policy=SMTP)
        message["From"], message["To"] = self._sender, ", ".join(recipients)
        message["Subject"] = notice.subject
        message["Message-ID"] = f"<{key}@{self._address.rpartition('@')[2]}>"
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(notice.text)
        return message


def _listed(refused: Iterable[str]) -> str:
    return ", ".join(sorted(refused))


def _parse_address(value: object, field: Any) -> str:
    address: str = instance_of(str)(value, field)
    if not address.isascii() or read_address(address) is None:
        raise InvalidValue(field, value, "must be an address, such as billing@example.com")
    return address
