"""Keys and numbers of JSON bodies: metrics in camel case, and numbers that no reader rounds.

metric_keys(["api_calls"])["api_calls"]           # "apiCalls"
wire_number(2**53)                                # "9007199254740992"
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from fractions import Fraction
from typing import Any, Final, TypeAlias

from overages.amounts.exact import Quantity, number_from_ratio, number_text
from overages.amounts.money import Currency
from overages.errors import InvalidValue
from overages.periods.period import Period, format_instant

Body: TypeAlias = dict[str, Any]
"""A mapping that becomes a JSON object."""

ALWAYS: Final = ("tokens", "playbook_runs", "seats")
"""The metrics of the engine before this library, which its body always has."""

_LARGEST: Final = 2**53 - 1  # a larger number may be rounded where it is read: RFC 8259, section 6
_NAME: Final = re.compile(r"[\w-]+")  # a longer name that has one of a metric in it stays
_SNAKE: Final = re.compile(r"[a-z][a-z0-9]*(?:_[a-z][a-z0-9]*)+")


def period_body(period: Period) -> Body:
    """Write a period: its first instant, and the first one after it."""
    return {"start": format_instant(period.start), "end": format_instant(period.end)}


def currency_body(currency: Currency) -> Body:
    """Write a currency: its code, and the decimal places of its minor unit."""
    return {"code": currency.code, "exponent": currency.exponent}


def metric_keys(metrics: Iterable[str]) -> dict[str, str]:
    """Return the key of each metric, and of those that are always there."""
    keys = {metric: metric_key(metric) for metric in (*ALWAYS, *metrics)}
    owners: dict[str, str] = {}
    for metric, key in keys.items():
        if owners.setdefault(key, metric) != metric:
            problem = f"must not have the key of {owners[key]!r}, which is {key!r} too"
            raise InvalidValue("metric", metric, problem)
    return keys


def metric_key(metric: str) -> str:
    """Write a name in camel case if it is in snake case; any other stays as it is."""
    if not _SNAKE.fullmatch(metric):
        return metric
    first, *rest = metric.split("_")
    return first + "".join(word.capitalize() for word in rest)


def in_keys(text: str, metrics: Iterable[str]) -> str:
    """Write the names of metrics in a text as their keys, so that one answer has one spelling.

    >>> in_keys("denied 60 api_runs (api_runs: hard limit 100)", ["api_runs", "runs"])
    'denied 60 apiRuns (apiRuns: hard limit 100)'
    """
    keys = {metric: metric_key(metric) for metric in metrics}
    return _NAME.sub(lambda name: keys.get(name[0], name[0]), text)


def wire_number(number: Quantity | Fraction) -> int | str:
    """Write a number as a JSON number if every reader of JSON keeps it as it is, else in full.

    >>> wire_number(5000), wire_number(2**53), wire_number(Fraction(1, 3))
    (5000, '9007199254740992', '1/3')
    """
    ratio = Fraction(number)
    if ratio.denominator == 1 and abs(ratio.numerator) <= _LARGEST:
        return ratio.numerator
    return number_text(number_from_ratio(ratio.numerator, ratio.denominator))
