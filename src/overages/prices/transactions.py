"""Transaction fees: a percentage of each amount, with allowances and bounds by the event.

    fee = TransactionFee("1.3", fixed=2, free_events=3, free_amount=250)
    fee.charge_each([50, 100, 250, 400])              # 0, 0, 3.95 and 7.20

A fee is no price model: it depends on each amount and on their order, and a price has one quantity,
of which a statement is made. So the fees are metered, in major currency units, and a plan
bills them at ``PerUnit(1)``.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from overages._ground.parsing import Problems, each, optional, parse_all, parse_int
from overages._ground.value import term, value
from overages.amounts.exact import (
    SCALE,
    Exact,
    Quantity,
    QuantityLike,
    number_from_ratio,
    optional_non_negative,
    parse_non_negative,
    parse_sum_like,
    scaled,
)
from overages.errors import Field, InvalidValue

_DENOMINATOR: Final = 100 * SCALE**2  # of a fee, so that each per cent of a pico is an integer


def _parse_count(value: object, field: Field) -> int:
    count = parse_int(value, field)
    if count < 0:
        raise InvalidValue(field, value, "must not be negative")
    return count


@value
class TransactionFee:
    """A fee on each of a period's events: ``paid part x percent + fixed``, within bounds.

    Events are taken in order. The first `free_events` of them are free, while all amounts so far
    come to no more than `free_amount`: where both are given, the one that ends first ends both. Of
    the event that goes beyond the free amount, only the part beyond is paid, and the fixed fee is
    due whole. Bounds hold for each event that is not free, however small the part that is paid.

    :param percent: per cent of each amount paid, zero or more.
    :param fixed: major currency units, due for each event that is not free.
    :param free_events: number of events that can be free; None: no limit but the free amount.
    :param free_amount: major currency units of amounts that can be free; None: no limit but the
        free events. Without either, no event is free.
    :param min_per_event: the least that an event which is not free owes, its fixed fee included.
    :param max_per_event: the most that it owes.
    :raises InvalidValue: if a number is negative, or the least is more than the most.

    >>> fee = TransactionFee("2.99", max_per_event=12, min_per_event="1.75", free_events=1)
    >>> [str(cost) for cost in fee.charge_each([500, 10, 80, 10_000])]
    ['0', '1.75', '2.392', '12']
    """

    percent: Quantity = term(parse_non_negative)
    fixed: Quantity = term(parse_non_negative)
    free_events: int | None = term(optional(_parse_count))
    free_amount: Quantity | None = term(optional_non_negative)
    min_per_event: Quantity | None = term(optional_non_negative)
    max_per_event: Quantity | None = term(optional_non_negative)

    def __init__(
        self,
        percent: QuantityLike,
        fixed: QuantityLike = 0,
        *,
        free_events: int | None = None,
        free_amount: QuantityLike | None = None,
        min_per_event: QuantityLike | None = None,
        max_per_event: QuantityLike | None = None,
    ) -> None: ...

    def _check(self, problems: Problems) -> None:
        least, most = self.min_per_event, self.max_per_event
        if least is not None and most is not None and least > most:
            problem = f"must be at most max_per_event, {most}"
            problems.add(InvalidValue("min_per_event", least, problem))

    def charge_each(
        self,
        amounts: Iterable[QuantityLike],
        *,
        events_before: int = 0,
        amount_before: QuantityLike = 0,
    ) -> tuple[Exact, ...]:
        """Return the exact fee of each event, in major currency units; 0 for one that is free.

        In steps, each going on from the number of events before it and the sum of their amounts,
        the fees are those of all events at once.

        :param amounts: of the events, in order; major currency units, zero or more.
        :param events_before: number of the period's events that were charged before, zero or more.
        :param amount_before: sum of their amounts; it may be larger than any of them can be.
        :raises InvalidType: for an amount that is a float or no number.
        :raises InvalidValue: for a negative one; the fee of a payment that is taken
            back is for the host to say.

        >>> fee = TransactionFee(5, fixed=1, free_amount=120)
        >>> [str(cost) for cost in fee.charge_each([100, 10, 20])]
        ['0', '0', '1.5']
        >>> fee.charge_each([20], events_before=2, amount_before=110)
        (Decimal('1.5'),)
        """
        charged, count, before = parse_all(
            (each(parse_non_negative), amounts, "amounts"),
            (_parse_count, events_before, "events_before"),
            (parse_sum_like, amount_before, "amount_before"),
        )
        total = scaled(before)
        fees = []
        for index, amount in enumerate(charged, count):
            total += scaled(amount)
            fees.append(number_from_ratio(self._fee(scaled(amount), index, total), _DENOMINATOR))
        return tuple(fees)

    def _fee(self, amount: int, index: int, total: int) -> int:
        """Return the fee of an event, with the number of events before it and the running total."""
        has_free = self.free_events is not None or self.free_amount is not None
        if has_free and (self.free_events is None or index < self.free_events):
            beyond = 0 if self.free_amount is None else max(0, total - scaled(self.free_amount))
            if not beyond:
                return 0
            # Of 100, 10 and 20 with 120 free, the third goes 10 beyond, and pays on these 10 alone.
            amount = min(amount, beyond)
        # In integers over one denominator, so that a million fees sum without a rounding.
        fee = amount * scaled(self.percent) + _numerator(self.fixed)
        if self.min_per_event is not None:
            fee = max(fee, _numerator(self.min_per_event))
        return fee if self.max_per_event is None else min(fee, _numerator(self.max_per_event))


def _numerator(amount: Quantity) -> int:
    return scaled(amount) * 100 * SCALE
