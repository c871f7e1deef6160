"""Proration: how much of an allowance, a minimum or a fee is due for part of a period.

A `Proration` names how time is counted. The share stays an exact ratio; what is multiplied by it is
rounded once, to the metric's increment or, by the caller, to the currency's minor unit.

    share = period_share(Period(joined, month.end), month, Proration.DAYS, "Europe/Paris")
    included = prorate(500_000, share, increment=1_000)
    fee = Money.of(prorate_exactly(plan_fee, share), "USD", rounding="half_up")

Where a whole period is divided, `prorate_parts` (or `allocate`, by `part_weights`) rounds the parts
so that they still come to the whole.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from itertools import pairwise

from overages._ground.parsing import instance_of, parse_all, tuple_of
from overages.amounts.exact import (
    Exact,
    Quantity,
    QuantityLike,
    exact_number,
    exact_ratio,
    positive,
    quantity,
    scaled,
    unscaled,
)
from overages.amounts.money import Money
from overages.amounts.rounding import Rounding, allocate, round_to
from overages.errors import InvalidValue
from overages.periods.daycount import ADDING_UP, Proration, length, one_rule_of, zone_named
from overages.periods.period import Period


def period_share(
    part: Period,
    whole: Period,
    by: Proration | str = Proration.DAYS,
    timezone: str = "UTC",
) -> Fraction:
    """Return how much of a period a part of it is, exactly: from 0 to 1.

    By `DAYS`, `DAYS_30_360` and `SECONDS` the shares of any partition of the whole sum to 1. By
    `DAYS_INCLUSIVE` and `WALL_CLOCK_DAYS` they sum to 1 or more, and by `FULL` to as many as there
    are parts; so these are for one part that is billed alone.

    :param by: how time is counted; a `Proration` or its name.
    :param timezone: IANA name of the timezone whose calendar days count.
    :raises InvalidType: if `part` or `whole` is no `Period`.
    :raises InvalidValue: if the part isn't inside the whole, if it isn't the whole and the rule is
        `REFUSED`, or if the rule finds no day in the whole (an hour, by `DAYS`).

    >>> from datetime import UTC, datetime
    >>> rest = Period(datetime(2024, 2, 20, tzinfo=UTC), datetime(2024, 3, 1, tzinfo=UTC))
    >>> period_share(rest, Period.month(2024, 2))
    Fraction(10, 29)
    """
    part, whole, rule, zone = parse_all(
        (instance_of(Period), part, "part"),
        (instance_of(Period), whole, "whole"),
        (Proration.of, by, "by"),
        (zone_named, timezone, "timezone"),
    )
    if part.start < whole.start or whole.end < part.end:
        raise InvalidValue("part", part, f"must lie within {whole}")
    if rule is Proration.REFUSED and part != whole:
        raise InvalidValue("part", part, f"must be all of {whole}, as proration is refused")
    if rule in (Proration.FULL, Proration.REFUSED):
        return Fraction(1)
    total = length(whole, rule, zone, "whole")
    if not total:
        raise InvalidValue("whole", whole, f"must have a day that {rule.value} counts")
    # A part may start in an hour that clocks showed twice, and so seem longer than the whole.
    return Fraction(min(length(part, rule, zone, "part"), total), total)


def part_weights(
    parts: Iterable[Period], by: Proration | str = Proration.DAYS, timezone: str = "UTC"
) -> tuple[int, ...]:
    """Return whole numbers in proportion to the shares of parts that follow each other.

    They are days, or microseconds by `SECONDS`: weights for `allocate` and `Money.allocate`.

    :param parts: at least one; each starts where the one before it ends.
    :raises InvalidValue: if they leave a gap or overlap; if the rule finds no day in all of them;
        or for a rule by which shares don't sum to the whole.

    >>> from datetime import UTC, datetime
    >>> month, change = Period.month(2024, 2), datetime(2024, 2, 20, tzinfo=UTC)
    >>> weights = part_weights([Period(month.start, change), Period(change, month.end)])
    >>> weights, Money(1000, "USD").allocate(weights)
    ((19, 10), (Money(655, 'USD'), Money(345, 'USD')))
    """
    found, rule, zone = parse_all(
        (_consecutive, parts, "parts"), (_adding_rule, by, "by"), (zone_named, timezone, "timezone")
    )
    weights = tuple(length(part, rule, zone, f"parts[{i}]") for i, part in enumerate(found))
    if not any(weights):
        raise InvalidValue("parts", found, f"must have a day that {rule.value} counts")
    return weights


def prorate(
    quantity: QuantityLike,
    share: Fraction | QuantityLike,
    increment: QuantityLike = 1,
    rounding: Rounding | str = Rounding.HALF_UP,
) -> Quantity:
    """Return a share of a quantity (an allowance, say), rounded once to a multiple of an increment.

    :param quantity: units of the whole period; of any sign.
    :param share: from 0 to 1, as `period_share` gives it.
    :param increment: the step that the metric is counted in, above zero.
    :raises InvalidType: for a float.
    :raises InvalidValue: for a share outside 0 to 1, or an increment of zero or less.

    >>> prorate(500_000, Fraction(10, 29)), prorate(500_000, Fraction(10, 29), 1_000, "up")
    (172414, 173000)
    """
    number, ratio = parse_all((_quantity, quantity, "quantity"), (_share, share, "share"))
    return round_to(number * ratio, increment, rounding)


def prorate_exactly(
    amount: Money | QuantityLike | Fraction, share: Fraction | QuantityLike
) -> Exact:
    """Return a share of an amount (a fee, a minimum, a price), exactly and unrounded.

    :param amount: any exact number; the money of a `Money`, in major units.
    :param share: from 0 to 1, as `period_share` gives it.
    :returns: a `Decimal`; a `Fraction` only where no decimal is exact. `Money.of` rounds either.
    :raises InvalidType: for a float.
    :raises InvalidValue: for a share outside 0 to 1.

    >>> prorate_exactly(Money.of("49.99", "USD"), Fraction(10, 29))
    Fraction(4999, 290)
    >>> Money.of(prorate_exactly(Money.of("49.99", "USD"), Fraction(10, 29)), "USD", "half_up")
    Money(1724, 'USD')
    """
    number, ratio = parse_all((_amount, amount, "amount"), (_share, share, "share"))
    return exact_number(*(number * ratio).as_integer_ratio())


def prorate_parts(
    quantity: QuantityLike,
    parts: Iterable[Period],
    by: Proration | str = Proration.DAYS,
    timezone: str = "UTC",
    increment: QuantityLike = 1,
) -> tuple[Quantity, ...]:
    """Divide a quantity among all parts of a period, in multiples of an increment, losing nothing.

    Each part gets its exact share rounded down or up to the increment, so that all of them come to
    the quantity; the larger remainders are rounded up, of equal ones the earlier (see `allocate`).

    :param quantity: units of the whole period, a multiple of the increment; of any sign.
    :param parts: at least one; each starts where the one before it ends.
    :raises InvalidValue: if the quantity is no multiple of the increment, and as `part_weights`.

    >>> january, march = Period.month(2023, 1), Period.month(2023, 3)
    >>> prorate_parts(100, [january, Period(january.end, march.start), march])
    (35, 31, 34)
    """
    number, step = parse_all((_quantity, quantity, "quantity"), (positive, increment, "increment"))
    steps = number / Fraction(step)
    if steps.denominator != 1:
        raise InvalidValue("quantity", quantity, f"must be a multiple of the increment, {step}")
    shares = allocate(steps.numerator, part_weights(parts, by, timezone))
    return tuple(unscaled(share * scaled(step)) for share in shares)


def _adding_rule(value: object, field: str) -> Proration:
    return one_rule_of(value, field, ADDING_UP)


def _consecutive(value: object, field: str) -> tuple[Period, ...]:
    parts = tuple_of(Period)(value, field)
    if not parts:
        raise InvalidValue(field, parts, "must have a period at least")
    for i, (before, part) in enumerate(pairwise(parts), 1):
        if part.start != before.end:
            problem = f"must start where the one before it ends, {before.end.isoformat()}"
            raise InvalidValue(f"{field}[{i}]", part, problem)
    return parts


def _quantity(value: object, field: str) -> Fraction:
    return Fraction(quantity(value, field))


def _amount(value: object, field: str) -> Fraction:
    return exact_ratio(value.amount if isinstance(value, Money) else value, field)


def _share(value: object, field: str) -> Fraction:
    share = exact_ratio(value, field)
    if not 0 <= share <= 1:
        raise InvalidValue(field, value, "must be from 0 to 1")
    return share
