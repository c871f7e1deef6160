"""Positions: how a period stands, or would with more units, as it is billed.

A `Prospect` gives the position that any further units lead to; each is worked out once:

    prospect.after({})                                # as it stands
    prospect.after({"runs": 10}).statement            # as it would be billed
    prospect.beside_holds({"runs": 10})               # with all that reservations hold, too
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Set
from datetime import datetime
from fractions import Fraction
from typing import NamedTuple, TypeAlias

from overages._ground.frozen_dict import FrozenDict
from overages.amounts.exact import Quantity, add_up
from overages.amounts.money import Money
from overages.grants.burndown import Burndown
from overages.lines.overage import Overage
from overages.lines.part import StatementPart, TimeShares, is_known
from overages.lines.rule import PartRules, rules_in_order
from overages.periods.period import Period
from overages.quotas.standing_limit import hard_limit_of
from overages.statements.statement import Statement
from overages.terms.allowance import Allowance

More: TypeAlias = Mapping[str, Quantity]
"""Units by metric, beside all that was used."""

StatementsWith: TypeAlias = Callable[[More], Sequence[Statement]]
"""Gives the statements of some periods with more units, used now."""

_Key: TypeAlias = frozenset[tuple[str, Quantity]]


class Position(NamedTuple):
    """A period as it is billed.

    :param statement: its lines.
    :param burndowns: the grants that it draws on.
    :param left: the units of each metric that grants can still pay for.
    """

    statement: Statement
    burndowns: Sequence[Burndown] = ()
    left: Mapping[str, Quantity] = FrozenDict()

    @property
    def exact_total(self) -> Fraction:
        """The sum of all lines before they are rounded, in major currency units."""
        return sum((Fraction(line.exact_cost) for line in self.statement.lines), Fraction())

    @property
    def overage_minor(self) -> int:
        """The cost of all units beyond the limits, in minor units."""
        return sum(line.cost.minor for line in self.statement.overages)

    @property
    def exact_overage(self) -> Fraction:
        """The same before it is rounded, in major currency units."""
        return sum((Fraction(line.exact_cost) for line in self.statement.overages), Fraction())

    def used_of(self, metric: str) -> Quantity:
        """Return the units of a metric in all of the period, as they are priced."""
        if not is_known(metric, self.statement.parts):
            return 0
        return add_up([line.used for line in self.statement.of(metric)])


def minor_of(statement: Statement, metric: str | None) -> int:
    """Return the charge of a metric, with its own adjustments, or of all, in minor units."""
    if metric is None:
        return statement.minor
    total = statement.totals_by_metric().get(metric)
    return 0 if total is None else total.cost.minor


class Prospect:
    """A period as it stands, and the positions that more units lead to.

    :param position: gives the position with more units, used now.
    :param own_limits: the org's own limits, as they hold now.
    :param levels: metrics that are levels where their allowance doesn't say.
    :param at: the present instant; None where that doesn't matter, since no terms change.
    :param beside_holds: gives the position with more units beside those that reservations hold;
        None where they hold none.
    :param until: gives the bills of `statements_until`; None where they are of the period alone.
    """

    def __init__(
        self,
        position: Callable[[More], Position],
        own_limits: Mapping[str, Quantity | None],
        levels: Set[str] = frozenset(),
        at: datetime | None = None,
        beside_holds: Callable[[More], Position] | None = None,
        until: Callable[[datetime], StatementsWith | None] = lambda _: None,
    ) -> None:
        self._position, self._levels, self._at = position, levels, at
        self._until = until
        self._beside_holds = beside_holds
        self._positions: dict[_Key, Position] = {}
        self._with_holds = self._positions if beside_holds is None else dict[_Key, Position]()
        self.own_limits: Mapping[str, Quantity | None] = own_limits

    def after(self, more: More) -> Position:
        """Return the position with more units."""
        key = _key(more)
        if key not in self._positions:
            self._positions[key] = self._position(dict(key))
        return self._positions[key]

    def beside_holds(self, more: More) -> Position:
        """Return the position with more units, and all that reservations hold."""
        key = _key(more)
        if key not in self._with_holds:
            position = self._beside_holds or self._position
            self._with_holds[key] = position(dict(key))
        return self._with_holds[key]

    def statements_until(self, instant: datetime) -> StatementsWith:
        """Return the statements that more units lead to, by the usage before an instant to come.

        They are those of the period, and of the ones after it that have usage by then, with all
        that reservations hold.
        """
        return self._until(instant) or (lambda more: [self.beside_holds(more).statement])

    @property
    def statement(self) -> Statement:
        """The statement as it stands."""
        return self.after({}).statement

    @property
    def part(self) -> StatementPart:
        """The part of the period that the present instant lies in."""
        parts, at = self.statement.parts, self._at
        return next((p for p in parts if at is not None and at in p.period), parts[-1])

    def allowance(self, metric: str) -> Allowance | None:
        """Return the present terms of a metric; None if the plan doesn't know it."""
        return self.part.plan.allowances.get(metric)

    def metric(self, metric: str, position: Position) -> MetricPosition:
        """Return the position of a metric that the plan knows, in one of the period."""
        allowance = self.part.plan.allowances[metric]
        lines, at = position.statement.of(metric), self._at
        place = next(
            (i for i, each in enumerate(lines) if at and each.part and at in each.part),
            len(lines) - 1,
        )
        is_level = allowance.kind == "level" or metric in self._levels
        first = last = place
        if not is_level:  # with the lines before it whose counters go on
            while first > 0 and lines[first].before is not None:
                first -= 1
            while last + 1 < len(lines) and lines[last + 1].before is not None:
                last += 1
        times = [each.part or position.statement.period for each in (lines[first], lines[last])]
        return MetricPosition(
            allowance,
            lines[place],
            add_up([line.used for line in lines[first : place + 1]]),
            Period(times[0].start, times[1].end),
            is_level=is_level,
        )

    def hard_limit(self, now: MetricPosition) -> Quantity | None:
        """Return the hard limit of a metric in the time that its units are counted over."""
        allowance, limit = now.allowance, hard_limit_of(now.allowance, now.base)
        if limit is None or allowance.hard_limit is None or now.is_level:
            return limit
        statement = self.statement
        shares = TimeShares(statement.period, statement.billing_period, statement.timezone)
        return allowance.prorated(limit, shares.share(allowance, now.time))

    def own_maximum(self, amount: Money) -> Money:
        """Return a maximum of the org's own as it is in the period: a short one has a share."""
        statement = self.statement
        shares = TimeShares(statement.period, statement.billing_period, statement.timezone)
        (rule,) = rules_in_order(
            [
                PartRules(maximum=amount, proration=part.plan.proration, time=part.period)
                for part in statement.parts
            ],
            shares.by_rule,
        )
        return Money.of(rule.worth, amount.currency, rounding=statement.parts[-1].plan.rounding)


def _key(more: More) -> _Key:
    return frozenset((metric, units) for metric, units in more.items() if units)


class MetricPosition(NamedTuple):
    """The position of a metric.

    :param line: of the present part of the period.
    :param counted: units that count towards its hard limit.
    :param time: the time that they are counted over.
    """

    allowance: Allowance
    line: Overage
    counted: Quantity
    time: Period
    is_level: bool

    @property
    def base(self) -> Quantity | None:
        """The included units, or the own limit in their place; None where they are unlimited."""
        own = (each.quantity for each in self.line.limit_parts if each.kind in ("included", "own"))
        return next(own, self.line.limit)
