"""Alerts as records of Python's logging.

LogNotifier().notify(notice, key)                 # a record of the logger "overages.alerts"
"""

from __future__ import annotations

from logging import CRITICAL, INFO, WARNING, Logger, getLogger
from typing import Final

from overages._ground.parsing import instance_of, parse_all
from overages.exports.notify.notice import Notice

_LEVELS: Final = {"info": INFO, "warning": WARNING, "critical": CRITICAL}


class LogNotifier:
    """Logs alerts, each by its severity, with its fields as the `alert` of the record.

    :param logger: the logger; that of ``overages.alerts`` without it.
    :param destination: its name in the outbox.

    >>> LogNotifier().destination
    'log'
    """

    def __init__(self, logger: Logger | None = None, destination: str = "log") -> None:
        self._logger = getLogger("overages.alerts") if logger is None else logger
        parse_all((instance_of(Logger), self._logger, "logger"))
        self.destination = destination

    def notify(self, notice: Notice, key: str) -> str:
        """Log a notice; return its key."""
        level = _LEVELS[notice.fields["severity"]]
        extra = {"org_id": notice.org_id, "alert": dict(notice.fields), "key": key}
        self._logger.log(level, "%s", notice.subject, extra=extra)
        return key
