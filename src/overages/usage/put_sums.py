"""Put sums: the usage that a host has summed by itself, and put for a span of time.

Nobody knows when within its span such a sum was used. So it counts in a time that has the whole
span in it, beside the events, and no time can cut the span:

    put_within([Usage("org-123", march, {"tokens": 750_000})], first_quarter)
"""

from __future__ import annotations

from collections.abc import Iterable

from overages.amounts.exact import scaled
from overages.errors import InvalidValue
from overages.periods.period import Period
from overages.usage.usage import Usage


def put_within(put: Iterable[Usage], time: Period, *, is_cut: bool = False) -> dict[str, int]:
    """Return the picos of each metric that were put for spans which lie whole in a time.

    :param is_cut: whether it is a part of the time asked for: the spans that it cuts are in none.
    :raises InvalidValue: if the time cuts a span that units were put for, naming both.
    """
    picos: dict[str, int] = {}
    for usage in put:
        span = usage.period
        is_within = lies_in(span, time)
        if not is_within and (is_cut or not overlap(span, time)):
            continue
        for metric, quantity in usage.quantities.items():
            if not quantity:
                continue
            if not is_within:
                problem = (
                    f"must be asked for in times that have all of {span} in them, as it was put for"
                    f" that span, and {time} has not"
                )
                path = ("usage", "quantities", metric)
                raise InvalidValue(path, quantity, problem).within(org_id=usage.org_id)
            picos[metric] = picos.get(metric, 0) + scaled(quantity)
    return picos


def require_apart(usage: Usage, put: Iterable[Usage]) -> None:
    """Refuse to put sums for a span, where another one that overlaps has units of their metric.

    :param put: the sums that were put before.
    :raises InvalidValue: naming the metric and the other span.
    """
    for other in put:
        if other.period == usage.period or not overlap(other.period, usage.period):
            continue
        for metric, quantity in usage.quantities.items():
            if quantity and other.quantities.get(metric):
                problem = f"must be put for a span apart from {other.period}, which has units of it"
                error = InvalidValue(("usage", "quantities", metric), quantity, problem)
                raise error.within(org_id=usage.org_id, period=usage.period)


def lies_in(span: Period, time: Period) -> bool:
    """Tell whether all of a span is within a time."""
    return time.start <= span.start and span.end <= time.end


def overlap(time: Period, other: Period) -> bool:
    """Tell whether two times have an instant in common."""
    return time.start < other.end and other.start < time.end
