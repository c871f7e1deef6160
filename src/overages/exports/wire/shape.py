"""The shape of an org's overage in JSON, with the keys of the engine before this library.

    calculated(statement)["totalCost"]                # 5000
    recorded("org-123", period, repository.records("org-123", period)) == calculated(statement)

Costs are whole minor units (cents). The price of a token is in thousandths of them, every other
price in whole ones. A number is a JSON number if it is whole and every reader of JSON keeps it as
it is (up to 2**53 - 1); else a string, in full.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from typing import Final, TypeAlias, get_args

from overages.amounts.exact import Exact, Quantity, add_up, unscaled
from overages.amounts.money import Currency
from overages.exports.wire.keys import (
    ALWAYS,
    Body,
    currency_body,
    metric_keys,
    period_body,
    wire_number,
)
from overages.lines.adjustment import OVERAGE, AdjustmentKind, is_overage
from overages.periods.period import Period
from overages.prices.exact_cost import added_unit_price
from overages.records.changes import line_sums
from overages.records.record import OverageRecord
from overages.statements.statement import Statement
from overages.terms.plan import Plan

_Line: TypeAlias = tuple[str, str, Quantity, Fraction, int, Exact | None]
"""Metric, line, units, exact cost in major units, cost in minor ones, and the price of a unit."""

Adjusting: TypeAlias = tuple[str | None, str, int]
"""Metric, line, cost in minor units."""

_PARTS: Final = {"tokens": 1000}  # of a minor unit, in which the price is given
_CENTS: Final = Currency("USD")
_KINDS: Final = get_args(AdjustmentKind)


def calculated(statement: Statement) -> Body:
    """Write the body of a statement, recorded or not.

    :raises InvalidValue: if two metrics would have one key, as ``playbook_runs`` and
        ``playbookRuns``.

    >>> from overages import Allowance, PerUnit, Usage, calculate
    >>> plan = Plan("starter", "USD", {"tokens": Allowance(500_000, PerUnit("0.0001"))})
    >>> usage = Usage("org-123", Period.month(2024, 2), {"tokens": 750_000})
    >>> calculated(calculate(plan, usage))["overages"]["tokens"]
    {'amount': 250000, 'unitPrice': 10, 'cost': 2500}
    """
    lines: list[_Line] = []
    for line in statement.overages:
        each = _unit_price(statement.plan, line.metric, line.quantity)
        exact = Fraction(line.exact_cost)
        lines.append((line.metric, line.line, line.quantity, exact, line.cost.minor, each))
    adjusting = [(line.metric, line.line, line.cost.minor) for line in statement.adjustments]
    return _body(statement.org_id, statement.period, statement.currency, lines, adjusting)


def recorded(
    org_id: str, period: Period, records: Iterable[OverageRecord], plan: Plan | None = None
) -> Body:
    """Write the body of an org's records of a period; zeros if there are none.

    :param records: all that the org has of the period.
    :param plan: the plan of the last result, by whose prices the body is that of `calculated`.
        Without it, a price is that of the records, and null where it came to be by corrections.
    :raises InvalidValue: if two metrics would have one key.

    >>> recorded("org-123", Period.month(2024, 2), ())["overages"]["seats"]
    {'amount': 0, 'unitPrice': 0, 'cost': 0}
    """
    stored = list(records)
    prices = {
        record.metric: record.unit_price for record in stored if record.unit_price is not None
    }
    lines: list[_Line] = []
    adjusting: list[Adjusting] = []
    for (metric, line), (picos, exact, minor) in line_sums(stored).items():
        if metric is None or not is_overage(line):
            adjusting.append((metric, line, minor))
            continue
        quantity, each = unscaled(picos), prices.get(metric)
        if plan is not None:
            each = _unit_price(plan, metric, quantity)
        lines.append((metric, line, quantity, exact, minor, each))
    currency = stored[-1].cost.currency if stored else _CENTS
    return _body(org_id, period, currency, lines, adjusting)


def _unit_price(plan: Plan, metric: str, quantity: Quantity) -> Exact | None:
    """Price each unit as the plan does from the first one on; None where units differ.

    None, too, for a metric that only an earlier plan of the period knows.

    Neither a line's own price nor a record's will do: the line knows which units were charged
    before it in a longer window, the record of a correction the charge before it, and neither
    knows both.
    """
    allowance = plan.allowances.get(metric)
    return None if allowance is None else added_unit_price(allowance.price, 0, quantity)


def _body(
    org_id: str,
    period: Period,
    currency: Currency,
    lines: Iterable[_Line],
    adjusting: Iterable[Adjusting],
) -> Body:
    charged: dict[str, list[_Line]] = {}
    for line in sorted(lines, key=_metric_and_line):
        if line[2] or line[4]:
            charged.setdefault(line[0], []).append(line)
    adjustments = [line for line in adjusting if line[2]]
    keys = metric_keys([*charged, *(metric for metric, *_ in adjustments if metric is not None)])
    total = sum(line[4] for own in charged.values() for line in own)
    total += sum(cost for *_, cost in adjustments)
    body: Body = {
        "orgId": org_id,
        "period": period_body(period),
        "overages": {
            key: _overage(charged.get(metric, ()), currency)
            for metric, key in keys.items()
            if metric in charged or metric in ALWAYS
        },
        "totalCost": wire_number(total),
    }
    # The engine before knew cents of a dollar and no adjustments: no key where there is no more.
    if adjustments:
        body["adjustments"] = adjustment_bodies(adjustments, keys)
    if currency != _CENTS:
        body["currency"] = currency_body(currency)
    return body


def adjustment_bodies(adjusting: Iterable[Adjusting], keys: Mapping[str, str]) -> list[Body]:
    """Write lines that are no overage, by metric, kind and name.

    :param keys: the key of each metric.
    """
    return [
        {
            "metric": None if metric is None else keys[metric],
            "line": line,
            "cost": wire_number(cost),
        }
        for metric, line, cost in sorted(adjusting, key=_place)
    ]


def _metric_and_line(line: _Line) -> tuple[str, str]:
    return line[:2]


def _place(adjusting: Adjusting) -> tuple[bool, str, int, str]:
    """Place an adjustment where whoever knows its line alone would: by metric, kind and name."""
    metric, line, _ = adjusting
    kind = line.partition(":")[0]
    return metric is None, metric or "", _KINDS.index(kind), line


def _overage(lines: Sequence[_Line], currency: Currency) -> Body:
    """Write the overage of a metric, and of each part of the period that has a line of its own.

    It has one price only where there is one line.
    """
    if not lines:
        return {"amount": 0, "unitPrice": 0, "cost": 0}
    metric, line, quantity, exact, minor, price = lines[0]
    each = None
    if len(lines) == 1 and price is not None and _explains(price, quantity, exact):
        each = wire_number(Fraction(price) * 10**currency.exponent * _PARTS.get(metric, 1))
    if line == OVERAGE:
        return {"amount": wire_number(quantity), "unitPrice": each, "cost": wire_number(minor)}
    parts = [
        {
            "start": part.partition(":")[2],
            "amount": wire_number(units),
            "cost": wire_number(cost),
        }
        for _, part, units, _, cost, _ in lines
    ]
    together: int = sum(line[4] for line in lines)
    return {
        "amount": wire_number(add_up(line[2] for line in lines)),
        "unitPrice": each,
        "cost": wire_number(together),
        "parts": parts,
    }


def _explains(price: Exact | None, quantity: Quantity, exact: Fraction) -> bool:
    """Tell whether every unit costs the price, and nothing else is due."""
    return price is not None and Fraction(price) * Fraction(quantity) == exact
