"""Texts of events, and the seal of those that a closed period had counted.

The seal tells how many they were, and their digest: SHA-256 over their columns, each on a line of
its own, in the order in which they came; after them those of the sums that a host put for spans in
the period, and of the withdrawals. Events that were withdrawn are among them, as they stay where
they are. What came later isn't: to check a seal, the first so many of each are looked at.

    seal = sealed(events, puts, withdrawals)          # "120-0-3-5f3c..."
    sealed(events, puts, withdrawals, upto=seal) == seal   # or something was changed, or removed
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from hashlib import sha256
from itertools import chain
from typing import Final, TypeAlias

from overages._ground.jsontext import written
from overages.amounts.exact import number_text
from overages.usage.event import UsageEvent

EXACT: Final = len("2024-02-03T12:00:00.000000Z")

EventRow: TypeAlias = tuple[str, str, str, str, str, str]
"""An event's id or nothing, name, quantity, instant, dimensions, and the instant it counts at."""

PutRow: TypeAlias = tuple[str, str, str, str]
"""The start and the end of a span, the metric, and its units."""

WithdrawalRow: TypeAlias = tuple[str, str]
"""The id of an event that was withdrawn, and the instant of that."""


def dimensions_text(dimensions: Mapping[str, str]) -> str:
    """Write the dimensions of an event, of which most have none."""
    return _text_of_some(dimensions) if dimensions else "{}"


@lru_cache(maxsize=1024)
def _text_of_some(dimensions: Mapping[str, str]) -> str:
    return written(dict(dimensions)).decode()


def exact_instant(instant: datetime) -> str:
    """Write an instant in UTC with six decimals always, so that texts are in order of time."""
    # Of its date and its time, in half the time that the whole takes, which looks for its zone
    return f"{instant.date().isoformat()}T{instant.time().isoformat('microseconds')}Z"


def event_row(event: UsageEvent, counts_at: datetime) -> EventRow:
    """Return an event as it is sealed."""
    return (
        event.id or "",
        event.metric,
        number_text(event.quantity),
        exact_instant(event.at),
        dimensions_text(event.dimensions),
        exact_instant(counts_at),
    )


def sealed(
    events: Sequence[EventRow],
    puts: Sequence[PutRow],
    withdrawals: Sequence[WithdrawalRow],
    upto: str | None = None,
) -> str:
    """Return the seal of some usage, each kind in the order in which it came.

    :param upto: an earlier seal: as many of each are sealed as there were then.
    """
    if upto is not None:
        of_events, of_puts, of_withdrawals = map(int, upto.split("-")[:3])
        events, puts = events[:of_events], puts[:of_puts]
        withdrawals = withdrawals[:of_withdrawals]
    columns = chain.from_iterable((*events, *puts, *withdrawals))
    digest = sha256("\n".join(columns).encode()).hexdigest()
    return f"{len(events)}-{len(puts)}-{len(withdrawals)}-{digest}"
