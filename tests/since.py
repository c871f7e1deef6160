"""The instant from which the accounts of most tests have their terms."""

from datetime import UTC, datetime
from typing import Final

SINCE: Final = datetime(2024, 1, 1, tzinfo=UTC)
