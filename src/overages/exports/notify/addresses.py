"""Addresses of mail: one each, with or without a name.

read_address("Acme <billing@example.com>")        # billing@example.com
"""

from __future__ import annotations

import re
from email.errors import NonASCIILocalPartDefect
from email.policy import SMTP
from typing import Final

_DOMAIN: Final = re.compile(r"\w[\w-]*(\.\w[\w-]*)*|\[[0-9A-Fa-f.:]+\]|\[IPv6:[0-9A-Fa-f.:]+\]")
_MOST: Final = 254  # characters of an address, by RFC 5321


def read_address(text: object) -> str | None:
    """Return the one address that a text is of; None for none, several, or anything beside it.

    >>> read_address("Acme <billing@example.com>"), read_address("a@example.com, b@example.com")
    ('billing@example.com', None)
    """
    if not isinstance(text, str) or not text.isprintable() or not text:
        return None
    header = SMTP.header_factory("To", text)
    faults = [each for each in header.defects if not isinstance(each, NonASCIILocalPartDefect)]
    if faults or len(header.addresses) != 1:
        return None
    address, domain = header.addresses[0].addr_spec, header.addresses[0].domain
    is_one = header.groups[0].display_name is None and _DOMAIN.fullmatch(domain)
    return str(address) if is_one and len(address) <= _MOST else None
