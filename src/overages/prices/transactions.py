"""Transaction fees: a percentage of each amount, with allowances and bounds by the event.

A fee depends on the amounts one by one, not on their sum, so it is worked out beside the meter:

    fee = TransactionFee("1.3", fixed=2, free_events=3, free_amount=250)
    charge = fee.charge_each([50, 100, 250, 400])
    charge.exact_cost, charge.paid_events             # Decimal("11.15"), 2
    charge.then([99]).exact_cost                      # what the next event costs

A plan bills what it comes to as a quantity of money: a metric whose price is ``PerUnit(1)``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from attrs import field, frozen

from overages._ground.display import text_table
from overages._ground.parsing import an_int, each, instance_of, optional, parse_all
from overages.amounts.exact import (
    SCALE,
    Exact,
    Quantity,
    QuantityLike,
    exact_number,
    non_negative,
    non_negative_sum,
    optional_non_negative,
    plain_text,
    scaled,
    unscaled,
)
from overages.errors import InvalidValue

_PARTS: Final = 100 * SCALE**2  # of a major currency unit, for a per cent of a part is a whole one


@frozen(init=False, weakref_slot=False)
class TransactionFee:
    """A fee on each of a period's events: ``paid part x percent + fixed``, within bounds.

    Events are taken in order. The first `free_events` of them are free, while all amounts so far
    come to no more than `free_amount`: where both are given, the one that ends first ends both. Of
    the event that goes beyond the free amount, only the part beyond is paid, and the fixed fee is
    due whole. Bounds hold for each event that is not free, however small the part that is paid.

    :param percent: per cent of what is paid, zero or more.
    :param fixed: major currency units, due for each event that is not free.
    :param free_events: how many events can be free; None: no limit but the free amount.
    :param free_amount: major currency units of amounts that can be free; None: no limit but the
        free events. Without either, no event is free.
    :param min_per_event: the least that an event which is not free owes, its fixed fee included.
    :param max_per_event: the most that it owes.
    :raises InvalidValue: if a number is negative, or the least is more than the most.

    >>> fee = TransactionFee("2.99", max_per_event=12, min_per_event="1.75", free_events=1)
    >>> [str(cost) for cost in fee.charge_each([500, 10, 80, 10_000]).costs]
    ['0', '1.75', '2.392', '12']
    """

    percent: Quantity
    fixed: Quantity
    free_events: int | None
    free_amount: Quantity | None
    min_per_event: Quantity | None
    max_per_event: Quantity | None

    def __init__(
        self,
        percent: QuantityLike,
        fixed: QuantityLike = 0,
        *,
        free_events: int | None = None,
        free_amount: QuantityLike | None = None,
        min_per_event: QuantityLike | None = None,
        max_per_event: QuantityLike | None = None,
    ) -> None:
        values = parse_all(
            (non_negative, percent, "percent"),
            (non_negative, fixed, "fixed"),
            (_optional_count, free_events, "free_events"),
            (optional_non_negative, free_amount, "free_amount"),
            (optional_non_negative, min_per_event, "min_per_event"),
            (optional_non_negative, max_per_event, "max_per_event"),
        )
        *_, least, most = values
        if least is not None and most is not None and least > most:
            raise InvalidValue("min_per_event", least, f"must be at most max_per_event, {most}")
        self.__attrs_init__(*values)

    def charge_each(self, amounts: Iterable[QuantityLike]) -> TransactionCharge:
        """Return what a period's events cost, one by one.

        :param amounts: of all events so far, in order; major currency units, zero or more.
        :raises InvalidType: for an amount that is a float or no number.
        :raises InvalidValue: for a negative one; what becomes of the fee of a payment that is taken
            back is for the host to say.
        """
        return TransactionCharge(self, amounts)


class EventCharge(NamedTuple):
    """What one event costs: its amount, the part that is paid (None if it is free), the cost."""

    amount: Quantity
    paid: Quantity | None
    exact_cost: Exact


@frozen(init=False, weakref_slot=False)
class TransactionCharge:
    """What events cost by a `TransactionFee`, one by one.

    :param fee: what they are charged.
    :param amounts: of the events, in order; major currency units, zero or more.
    :param events_before: how many events of the period came before them, already charged.
    :param amount_before: what the amounts of those came to.

    `events` has for each of them its amount, the part of it that is paid (None if it is free) and
    its exact cost.

    >>> charge = TransactionFee(5, fixed=1, free_amount=120).charge_each([100, 10, 20])
    >>> charge.exact_cost, charge.paid_events, charge.free_events
    (Decimal('1.5'), 1, 2)
    >>> charge.events[2]
    EventCharge(amount=20, paid=10, exact_cost=Decimal('1.5'))
    >>> print(charge.explain())
    amount  fee                 exact
       100  free                    0
        10  free                    0
        20  10 x 5 % + 1 fixed    1.5
    """

    fee: TransactionFee
    amounts: tuple[Quantity, ...]
    events_before: int
    amount_before: Quantity
    events: tuple[EventCharge, ...] = field(eq=False, repr=False, init=False)

    def __init__(
        self,
        fee: TransactionFee,
        amounts: Iterable[QuantityLike],
        events_before: int = 0,
        amount_before: Quantity = 0,
    ) -> None:
        values = parse_all(
            (instance_of(TransactionFee), fee, "fee"),
            (each(non_negative), amounts, "amounts"),
            (_count, events_before, "events_before"),
            (non_negative_sum, amount_before, "amount_before"),
        )
        self.__attrs_init__(*values)
        object.__setattr__(self, "events", tuple(_charged(*values)))

    def then(self, amounts: Iterable[QuantityLike]) -> TransactionCharge:
        """Return what the events that come next cost, given these and those before.

        What charges in a row come to is what one charge for all of their events comes to.

        >>> first = TransactionFee(5, fixed=1, free_amount=120).charge_each([100])
        >>> [str(cost) for cost in first.then([10, 20]).then([20]).costs]
        ['2']
        """
        after = sum(map(scaled, self.amounts), scaled(self.amount_before))
        count = self.events_before + len(self.amounts)
        return TransactionCharge(self.fee, amounts, count, unscaled(after))

    @property
    def exact_cost(self) -> Exact:
        """What the events cost together, unrounded, in major currency units."""
        ratios = (cost.as_integer_ratio() for cost in self.costs)
        return exact_number(sum(over * (_PARTS // under) for over, under in ratios), _PARTS)

    @property
    def costs(self) -> tuple[Exact, ...]:
        """What each event costs, unrounded, in major currency units."""
        return tuple(event.exact_cost for event in self.events)

    @property
    def free_events(self) -> int:
        """How many of the events are free."""
        return sum(event.paid is None for event in self.events)

    @property
    def paid_events(self) -> int:
        """How many of the events are not free."""
        return len(self.events) - self.free_events

    def explain(self) -> str:
        """Say how the cost comes about, as text with a line for each event."""
        rows = [
            [plain_text(event.amount), self._how(event), plain_text(event.exact_cost)]
            for event in self.events
        ]
        return text_table([["amount", "fee", "exact"], *rows], "rlr")

    def _how(self, event: EventCharge) -> str:
        if event.paid is None:
            return "free"
        fee = self.fee
        text = f"{plain_text(event.paid)} x {plain_text(fee.percent)} %"
        if fee.fixed:
            text += f" + {plain_text(fee.fixed)} fixed"
        if fee.min_per_event is not None:
            text += f", at least {plain_text(fee.min_per_event)}"
        if fee.max_per_event is not None:
            text += f", at most {plain_text(fee.max_per_event)}"
        return text


def _charged(
    fee: TransactionFee, amounts: Iterable[Quantity], count: int, before: Quantity
) -> Iterator[EventCharge]:
    """Yield what each event costs, in order."""
    any_free = fee.free_events is not None or fee.free_amount is not None
    free = None if fee.free_amount is None else scaled(fee.free_amount)
    total = scaled(before)
    for index, amount in enumerate(amounts, count):
        part = scaled(amount)
        total += part
        paid = part
        if any_free and (fee.free_events is None or index < fee.free_events):
            if free is None or total <= free:
                yield EventCharge(amount, None, exact_number(0, 1))
                continue
            paid = min(part, total - free)
        yield EventCharge(amount, unscaled(paid), exact_number(_cost(fee, paid), _PARTS))


def _cost(fee: TransactionFee, paid: int) -> int:
    cost = paid * scaled(fee.percent) + _in_parts(fee.fixed)
    if fee.min_per_event is not None:
        cost = max(cost, _in_parts(fee.min_per_event))
    return cost if fee.max_per_event is None else min(cost, _in_parts(fee.max_per_event))


def _in_parts(amount: Quantity) -> int:
    return scaled(amount) * 100 * SCALE


def _count(value: object, field: str) -> int:
    count = an_int(value, field)
    if count < 0:
        raise InvalidValue(field, value, "must not be negative")
    return count


_optional_count: Final = optional(_count)
