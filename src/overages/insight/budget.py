"""Budgets: money or units that an org means not to pass, and what happens where it does.

Three things that are easily taken for one are kept apart, by `on_reached`:

    Budget(Money.of("200", "USD"))                                   # "tell": it is only told
    Budget(Money.of("200", "USD"), on_reached="stop_charging")       # used on, but not charged
    Budget(Money.of("200", "USD"), on_reached="stop_usage")          # requests are denied
    Budget(5_000, metric="runs", on_reached="stop_usage", window=Cycle.calendar("day"))
    Budget(Money.of("20", "USD"), on_reached="stop_usage", window=Cycle.calendar("day"))
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final, Literal, TypeAlias

from overages._ground.names import optional_name, parse_name
from overages._ground.parsing import Problems, choice_of, instance_of, optional
from overages._ground.value import term, value
from overages.amounts.exact import (
    Quantity,
    QuantityLike,
    parse_non_negative,
    parse_non_negative_sum,
)
from overages.amounts.money import Money, check_kind, parse_non_negative_money
from overages.errors import Field, InvalidValue
from overages.periods.cycle import Cycle
from overages.periods.period import Period, parse_instant

OnReached: TypeAlias = Literal["tell", "stop_charging", "stop_usage"]
"""The effect of a budget that is reached."""

_ALL: Final = "all"
"""The id of a budget that says neither an id nor a metric."""


def _parse_amount(value: object, field: Field) -> Quantity | Money:
    if type(value) is Money:
        return parse_non_negative_money(value, field)
    return parse_non_negative(value, field)


def _id(budget: Budget) -> str:
    """Return the id of a budget that says none: of its metric, unit and window."""
    parts = [_ALL]
    if budget.metric is not None:
        parts = [budget.metric, "cost" if budget.is_money else "units"]
    if budget.window is not None:
        every = budget.window.every
        parts += [budget.window.unit] if every == 1 else [str(every), budget.window.unit]
    return "-".join(parts)


@value
class Budget:
    """Money or units that an org means not to pass in a period, or in a window of its own.

    :param amount: the most: `Money` for the charges, or units of `metric`; zero or more.
    :param id: a name that is unique within its org. Without it, ``"all"``, or of one metric
        ``"runs-cost"`` for money and ``"runs-units"`` for units, and of a window ``"all-day"``,
        ``"runs-cost-day"`` or ``"runs-units-day"``: one of another kind doesn't take its place.
    :param metric: the one metric that it is about; None, for money alone, for all of them together.
    :param on_reached: ``"tell"`` denies and changes nothing. ``"stop_charging"`` lets usage go on
        and bills no more than the amount: it becomes the maximum of the org's terms.
        ``"stop_usage"`` denies requests that would pass it.
    :param window: the cycle whose periods it is for, such as a day; None for the org's own period.
        Money of a window is the rise of the bill by usage in it.
    :raises InvalidType: for a value of a wrong type.
    :raises InvalidValue: for a value that is not allowed, such as units of no metric, or charging
        that would stop by metric or by window; `InvalidValues` for several faults.

    >>> Budget(Money.of("200", "USD")).id, Budget(5_000, metric="runs").id
    ('all', 'runs-units')
    """

    amount: Quantity | Money = term(_parse_amount)
    id: str = term(optional(parse_name), otherwise=_id)
    metric: str | None = term(optional_name)
    on_reached: OnReached = term(choice_of(OnReached))
    window: Cycle | None = term(optional(instance_of(Cycle)))

    def __init__(
        self,
        amount: QuantityLike | Money,
        *,
        id: str | None = None,
        metric: str | None = None,
        on_reached: OnReached = "tell",
        window: Cycle | None = None,
    ) -> None: ...

    def _check_metric(self, problems: Problems) -> None:
        if self.metric is None and not isinstance(self.amount, Money):
            problem = "must be given for units (money has a currency)"
            problems.add(InvalidValue("metric", self.metric, problem))

    def _check_stop(self, problems: Problems) -> None:
        if self.on_reached != "stop_charging":
            return
        if self.metric is not None:
            problem = 'must be "tell" or "stop_usage" for a metric: Allowance.maximum caps its cost'
        elif not isinstance(self.amount, Money):
            problem = 'must be "tell" or "stop_usage" for units: Allowance.maximum caps their cost'
        elif self.window is not None:
            problem = 'must be "tell" or "stop_usage" for a window: a bill is of the org\'s period'
        else:
            return
        problems.add(InvalidValue("on_reached", self.on_reached, problem))

    @property
    def is_money(self) -> bool:
        """Whether it is of charges; else it is of units."""
        return isinstance(self.amount, Money)


def _parse_seen(value: object, field: Field) -> Quantity | Money:
    if type(value) is Money:
        return parse_non_negative_money(value, field)
    return parse_non_negative_sum(value, field)


def _parse_held(value: object, field: Field) -> Quantity | Money:
    return value if type(value) is Money else parse_non_negative_sum(value, field)


def _nothing(windowed: WindowedBudget) -> Quantity | Money:
    amount = windowed.budget.amount
    return Money(0, amount.currency) if isinstance(amount, Money) else 0


@value
class WindowedBudget:
    """A budget of a window, with the units or the money that its window has seen so far.

    :param budget: one that has a window.
    :param used: units that were used in it; of a budget of money, the rise of the bill by them.
    :param held: the same of units that reservations hold beside them; none without it. In money it
        is below zero where the bill would fall with them, as by a volume price.
    :param resets_at: the end of the window, timezone-aware.
    :raises InvalidValue: if the budget has none, or a number is of another kind than its amount;
        `InvalidValues` for several faults.
    :raises CurrencyMismatch: if money is in another currency than the budget.

    >>> from datetime import UTC
    >>> daily = Budget(Money.of("20", "USD"), window=Cycle.calendar("day"))
    >>> midnight = datetime(2024, 2, 21, tzinfo=UTC)
    >>> WindowedBudget(daily, Money.of("7.50", "USD"), resets_at=midnight).held
    Money(0, 'USD')
    """

    budget: Budget = term(instance_of(Budget))
    used: Quantity | Money = term(_parse_seen)
    held: Quantity | Money = term(optional(_parse_held), otherwise=_nothing)
    resets_at: datetime = term(parse_instant)

    def __init__(
        self,
        budget: Budget,
        used: Quantity | Money,
        held: Quantity | Money | None = None,
        *,
        resets_at: datetime,
    ) -> None: ...

    def _check_budget(self, problems: Problems) -> None:
        if self.budget.window is None:
            problems.add(InvalidValue("budget", self.budget, "must have a window"))

    def _check_kinds(self, problems: Problems) -> None:
        for name, number in (("used", self.used), ("held", self.held)):
            check_kind(number, self.budget.amount, name, problems)
        used, held = self.used, self.held
        if isinstance(used, Money) and isinstance(held, Money) and held.minor < -used.minor:
            problem = f"must not be below zero with all that is used, {used}"
            problems.add(InvalidValue("held", held, problem))

    @property
    def period(self) -> Period:
        """The window, which ends at `resets_at`."""
        assert self.budget.window is not None  # or it is refused
        last = self.resets_at - timedelta(microseconds=1)
        return Period(self.budget.window.period_at(last).start, self.resets_at)
