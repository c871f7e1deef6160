"""Pictures: the usage of each metric against its limit, as bars.

usage_chart("Overage of org-123", statement.every_overage(), width=640, styled=True)
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction

from overages._ground.marks import Columns, name_axis, number_axis
from overages._ground.parsing import instance_of, parse_all, parse_flag
from overages._ground.plots import Meter, meters, plot
from overages._ground.svg import WIDTH, Svg, parse_look
from overages.amounts.exact import add_up, plain_text
from overages.amounts.money import Money
from overages.errors import InvalidValue, at
from overages.lines.overage import Overage
from overages.prices.curve import axis_text


def usage_chart(title: str, lines: Iterable[Overage], *, width: int, styled: bool) -> Svg:
    """Draw a bar for each overage: units within the limit, and units over it.

    :param width: pixels.
    :param styled: whether the styles are in it.
    """
    width, styled = parse_look(width, styled)
    bars = [_bar(line) for line in lines]
    told = "; ".join(f"{bar.name}: {bar.text}" for bar in bars) or "Nothing was used"
    names = [("within the limit", 1), ("over it", 2)]
    return meters(title, f"{told}.", bars, names, width=width, styled=styled)


def _bar(line: Overage) -> Meter:
    name = line.metric if line.part is None else f"{line.metric}, {line.part.describe()}"
    used, over = Fraction(line.used), Fraction(line.quantity)
    amounts = [(used - over, 1), (over, 2)]
    if line.limit is None:
        text = f"{plain_text(line.used)} used, unlimited"
        return Meter(name, text, amounts, full=max(used, Fraction(1)))
    limit = Fraction(line.limit)
    text = f"{plain_text(line.used)} of {plain_text(line.limit)}"
    granted = add_up(part.quantity for part in line.limit_parts if part.kind == "granted")
    if granted:
        text += f" ({plain_text(granted)} drawn on grants)"
    if line.quantity or line.cost.minor:
        text += f", {plain_text(line.quantity)} over: {line.cost}"
    return Meter(name, text, amounts, full=max(used, limit), limit=limit)


def charges_chart(
    title: str,
    charges: Sequence[tuple[str, Money]],
    *,
    unfinished: bool = False,
    sign: str = "",
    width: int = WIDTH,
    styled: bool = True,
) -> Svg:
    """Draw a column for each of several charges in one currency, as SVG that a notebook shows.

    :param charges: a short name, such as that of a month, and the amount; at least one.
    :param unfinished: whether the last one is of a period that goes on: it is outlined, and named
        "so far".
    :param sign: that of the currency, such as ``"$"``, which is written before each amount;
        without it, amounts have the currency's code.
    :param width: pixels, from 240 to 4,096.
    :param styled: whether the styles are in it; see `PriceModel`.
    :raises InvalidType: for a value of a wrong type.
    :raises InvalidValue: if there is none; `InvalidValues` for several faults.
    :raises CurrencyMismatch: if they are in several currencies.

    >>> charges = [("Jan", Money(1223, "USD")), ("Feb", Money(5000, "USD"))]
    >>> "Jan: 12.23 USD; Feb: 50.00 USD." in charges_chart("Charges", charges)
    True
    """
    width, styled = parse_look(width, styled)
    last, symbol = parse_all(
        (parse_flag, unfinished, "unfinished"), (instance_of(str), sign, "sign")
    )
    rows = [
        (name, instance_of(Money)(money, at("charges", i, "cost")))
        for i, (name, money) in enumerate(charges)
    ]
    if not rows:
        raise InvalidValue("charges", (), "must hold at least one")
    total: Money = sum((money for _, money in rows), Money(0, rows[0][1].currency))
    told = [f"{name}: {_signed(money, symbol)}" for name, money in rows]
    if last:
        told[-1] += " so far"
    half, nothing = Fraction(1, 2), Fraction(0)
    amounts = [Fraction(money.amount) for _, money in rows]
    heights = [
        (i + half, min(amount, nothing), max(amount, nothing), text)
        for i, (amount, text) in enumerate(zip(amounts, told, strict=True))
    ]
    unit = "" if symbol else f"charged, {total.currency}"
    y = number_axis(unit, amounts, lambda n: _before(symbol, _tick(n, total)), is_rounded=True)
    x = name_axis("", [name for name, _ in rows])
    description = f"{'; '.join(told)}."
    columns = [Columns(heights)]
    if last:
        columns = [Columns(heights[:-1]), Columns(heights[-1:], name="so far", is_open=True)]
    return plot(title, description, x, y, columns, width=width, styled=styled)


def _tick(number: Fraction, total: Money) -> str:
    """Write a number of the axis: where it isn't whole, with the digits of its currency."""
    units, dot, part = axis_text(number).partition(".")
    return f"{units}{dot}{part:0<{total.currency.exponent}}" if dot else units


def _signed(money: Money, sign: str) -> str:
    return _before(sign, f"{money.amount:,f}") if sign else f"{money}"


def _before(sign: str, number: str) -> str:
    """Write a currency's sign before a number, and after its minus."""
    return f"-{sign}{number[1:]}" if number.startswith("-") else f"{sign}{number}"
