"""How often the tests make each fault: a few times, or in full with ``-m thorough``."""

from __future__ import annotations

import os
from typing import Final

THOROUGH: Final = os.environ.get("OVERAGES_THOROUGH") == "1"


def times(short: int, full: int) -> int:
    """Return how often to do something."""
    return full if THOROUGH else short
