"""Alerts to those who are to be told: to a log, a webhook or by mail, each once.

    outbox = SqliteOutbox("overages.db")
    notifier = WebhookNotifier("https://example.com/alerts", secret, clock=clock)
    delivery = deliver_alerts(outbox, notifier, service.alerts("acme"), now=now)

- `notifier`: `Notifier`: brings a notice to someone; a host writes its own for anything else
- `notice`: `Notice`: an alert as it is sent: a key, a subject, a text, and its fields as JSON
- `delivery`: `deliver_alerts`: by way of an outbox, so that each is delivered once, and retried
- `logs`: `LogNotifier`: as records of Python's logging
- `webhook`: `WebhookNotifier`: a signed POST; `is_signed` checks it on the other side
- `mail`: `MailNotifier`: by SMTP
- `addresses`: those that a mail is sent to
"""

from overages.exports.notify.delivery import AlertDelivery, deliver_alerts
from overages.exports.notify.logs import LogNotifier
from overages.exports.notify.mail import MailNotifier
from overages.exports.notify.notice import Notice
from overages.exports.notify.notifier import NotDelivered, Notifier
from overages.exports.notify.webhook import WebhookNotifier, is_signed

__all__ = [
    "AlertDelivery",
    "LogNotifier",
    "MailNotifier",
    "NotDelivered",
    "Notice",
    "Notifier",
    "WebhookNotifier",
    "deliver_alerts",
    "is_signed",
]
