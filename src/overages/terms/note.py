"""Notes: when an entry of an account's history was noted, by whom, and why.

    repository.put_account(account, noted_at=now, noted_by="ada@example.com", reason="upgrade")
    repository.account_notes("acme")[-1].reason

They stand beside the history and are no part of it: two accounts with the same entries are equal.
"""

from __future__ import annotations

from datetime import datetime

from overages._ground.names import optional_name
from overages._ground.parsing import optional
from overages._ground.value import term, value
from overages.periods.period import parse_instant


@value
class AccountNote:
    """Who noted an entry, when, and why, as far as the host has said so.

    :param noted_at: when it was noted, timezone-aware; kept in UTC.
    :param noted_by: who did.
    :param reason: why.
    :raises InvalidType: for a value of a wrong type.
    :raises InvalidValue: for a value that is not allowed; `InvalidValues` for several.

    >>> AccountNote(noted_by="ada@example.com", reason="upgrade").reason
    'upgrade'
    """

    noted_at: datetime | None = term(optional(parse_instant))
    noted_by: str | None = term(optional_name)
    reason: str | None = term(optional_name)

    def __init__(
        self,
        noted_at: datetime | None = None,
        noted_by: str | None = None,
        reason: str | None = None,
    ) -> None: ...
