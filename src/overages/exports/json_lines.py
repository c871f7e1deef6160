"""JSON lines: values of the library, a line each, as `overages.codec` has them.

for line in json_lines(statements): print(line)
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from overages.codec import document


def json_lines(values: Iterable[object]) -> Iterator[str]:
    """Yield the JSON of each value: a statement, a record, an event.

    >>> from overages import Money
    >>> list(json_lines([Money(2500, "USD")]))
    ['{"type": "Money", "amount": "25.00", "currency": "USD", "version": "1"}']
    """
    for value in values:
        yield json.dumps(document(value), ensure_ascii=False)
