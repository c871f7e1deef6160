"""Crossings: the thresholds that usage passes, from one number to the next.

crossings(70, 95, 100, [Threshold(percent=80), Threshold(percent=90)]).reached
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from typing import Final, NamedTuple, cast

from overages._ground.parsing import parse_all, tuple_of
from overages.alerts.threshold import (
    Amount,
    Threshold,
    Undecided,
    number_of,
    optional_amount,
    parse_used,
)
from overages.amounts.exact import Exact, QuantityLike
from overages.amounts.money import Money
from overages.errors import CurrencyMismatch, InvalidType

MOST_STEPS: Final = 100
"""Steps of one threshold that are told of at once; of more, the last ones."""


class Crossing(NamedTuple):
    """A threshold that was passed.

    :param threshold: which one.
    :param step: which of its steps, counted from 1.
    :param level: the number that was passed: units, or major units of money.
    """

    threshold: Threshold
    step: int
    level: Exact


class Crossings(NamedTuple):
    """All thresholds that a number passed on its way.

    :param reached: those that it reached, in the order of passing.
    :param cleared: those that it had reached and no longer has, in that order.
    :param undecided: those that no number can reach, each with why not.
    """

    reached: tuple[Crossing, ...]
    cleared: tuple[Crossing, ...]
    undecided: tuple[tuple[Threshold, Undecided], ...]


def crossings(
    before: Amount | QuantityLike | None,
    after: Amount | QuantityLike,
    limit: Amount | QuantityLike | None,
    thresholds: Iterable[Threshold],
) -> Crossings:
    """Return the thresholds that were passed from one number to the next.

    :param before: units or money used, before; None for the first number of a period, which is
        compared with zero.
    :param after: units or money used, after.
    :param limit: units or money that they are used of; None where there is no limit.
    :param thresholds: each is passed, or not, or can't be: `Crossings.undecided` says so.
    :raises InvalidType: for money where a threshold is of units, or the other way round.
    :raises CurrencyMismatch: for money of several currencies.

    >>> usual = [Threshold(percent=percent) for percent in (100, 80, 90)]
    >>> [each.threshold.percent for each in crossings(40, 95, 100, usual).reached]
    [80, 90]
    >>> crossings(40, 95, None, usual).undecided[0]
    (Threshold(percent=100), 'unlimited')
    """
    old, new, most, each = parse_all(
        (optional_amount, before, "before"),
        (parse_used, after, "after"),
        (optional_amount, limit, "limit"),
        (tuple_of(Threshold), thresholds, "thresholds"),
    )
    if old is None:
        old = Money(0, new.currency) if isinstance(new, Money) else 0
    _check_kinds(old, new, most, each)
    reached: list[tuple[Fraction, Crossing]] = []
    cleared: list[tuple[Fraction, Crossing]] = []
    undecided = []
    for threshold in each:
        reason = threshold.undecided(most)
        if reason is not None:
            undecided.append((threshold, reason))
            continue
        first, last = threshold.steps(old, most), threshold.steps(new, most)
        passed = [
            (threshold.place(most, step), Crossing(threshold, step, threshold.level(most, step)))
            for step in last_steps(min(first, last), max(first, last))
        ]
        (reached if last > first else cleared).extend(passed)
    is_rising = number_of(new) >= number_of(old)
    return Crossings(_in_order(reached, is_rising), _in_order(cleared, is_rising), tuple(undecided))


def last_steps(first: int, last: int) -> range:
    """Return the steps after one up to another, or the last ones of very many.

    >>> list(last_steps(2, 5)), len(last_steps(0, 10**9))
    ([3, 4, 5], 100)
    """
    return range(max(first, last - MOST_STEPS) + 1, last + 1)


def _in_order(passed: list[tuple[Fraction, Crossing]], is_rising: bool) -> tuple[Crossing, ...]:
    passed.sort(key=lambda each: each[0], reverse=not is_rising)
    return tuple(crossing for _, crossing in passed)


def _check_kinds(
    before: Amount, after: Amount, limit: Amount | None, thresholds: Iterable[Threshold]
) -> None:
    """Refuse numbers of several kinds."""
    for name, amount in (("before", before), ("limit", limit)):
        if amount is None:
            continue
        if isinstance(amount, Money) != isinstance(after, Money):
            raise InvalidType(name, amount, "must be of the kind of the others: units, or money")
        if isinstance(amount, Money) and amount.currency != cast(Money, after).currency:
            raise CurrencyMismatch(str(cast(Money, after).currency), str(amount.currency), name)
    for threshold in thresholds:
        threshold.check_amount(after, "after")
