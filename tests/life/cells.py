"""The cells of a life's tables: read, and written of what a period came to."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from fractions import Fraction
from math import floor
from typing import Any

from overages import Cycle, Discount, Money, Overage, Period, Statement
from overages.amounts.exact import plain_text
from overages.lines.adjustment import spoken

Lines = dict[tuple[str, str], tuple[dict[str, str], bool]]


def lines_of(statement: Statement, idle_grants: Sequence[str]) -> Lines:
    """Return the cells of a statement's lines by metric and part, and whether they must be told."""
    lines: Lines = {}
    for line in statement.every_overage():
        part = "" if line.part is None else written(line.part)
        says_something = bool(line.used or line.cost.minor)
        lines[line.metric, part] = _cells_of(line), says_something
    for rule in statement.adjustments:
        name = " ".join(word for word in (rule.metric, spoken(rule.kind), rule.name) if word)
        lines[name, ""] = _only(str(rule.cost.amount)), True
    for grant in idle_grants:
        lines[f"idle {grant}", ""] = _only(""), True
    lines["total", ""] = _only(str(statement.total.amount)), False
    return lines


def _cells_of(line: Overage) -> dict[str, str]:
    limit = "unlimited" if line.limit is None else plain_text(line.limit)
    used, over = plain_text(line.used), plain_text(line.quantity)
    return {"used": used, "limit": limit, "over": over, "due": f"{line.cost.amount:.2f}"}


def _only(due: str) -> dict[str, str]:
    return {"used": "", "limit": "", "over": "", "due": due}


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def period_of(text: str) -> Period:
    """Read ``2024-02``, a calendar month, or ``2024-03-15 to 2024-04-15``."""
    if " to " not in text:
        return Period.month(int(text[:4]), int(text[5:]))
    start, end = text.split(" to ")
    return Period(instant(start), instant(end))


def written(time: Period) -> str:
    if time == Period.month(time.start.year, time.start.month):
        return f"{time.start:%Y-%m}"
    return f"{_short(time.start)} to {_short(time.end)}"


def _short(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M}".removesuffix(" 00:00")


def agreed(terms: list[str]) -> dict[str, Any]:
    """Read terms: ``plan pro``, ``limit runs 1,000``, ``billing day 15``, ``minimum 100.00``..."""
    named: dict[str, Any] = {}
    for term in terms:
        match term.replace(",", "").split():
            case ["plan" | "counters" | "status" as name, text]:
                named[name] = text
            case ["minimum" | "maximum" as name, amount]:
                named[name] = Money.of(amount, "USD")
            case ["discount", name, percent, "%"]:
                named.setdefault("discounts", []).append(Discount(name, percent=percent))
            case ["discount", name, amount]:
                voucher = Discount(name, amount=Money.of(amount, "USD"))
                named.setdefault("discounts", []).append(voucher)
            case ["no", "discount", name]:
                named.setdefault("drop_discounts", []).append(name)
            case ["no", "minimum" | "maximum" as name]:
                named.setdefault("drop_bounds", []).append(name)
            case ["limit", metric, units]:
                named.setdefault("limits", {})[metric] = int(units)
            case ["unlimited", metric]:
                named.setdefault("limits", {})[metric] = None
            case ["billing", "day", day]:
                named["cycle"] = Cycle.monthly(day=int(day))
            case _:
                raise ValueError(f"no term of a life: {term}")
    return named


def value_of(sum_: str) -> Fraction:
    """Work out a sum as it is written, exactly: ``(400 - 310 x 11/31) x 1.00``."""
    assert re.fullmatch(r"[\d.,x/+\-() ]+", sum_), f"no sum: {sum_}"
    exact = re.sub(r"[\d.,]+", lambda number: f"Fraction('{number[0].replace(',', '')}')", sum_)
    return Fraction(eval(exact.replace("x", "*")))


def rounded(amount: Fraction) -> str:
    """Write an amount with two decimals, rounded half up."""
    return f"{floor(amount * 100 + Fraction(1, 2)) / 100:.2f}"
