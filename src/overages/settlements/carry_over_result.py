"""Carry-over in one period: an allowance with the units of earlier ones, and those it leaves.

In a period, in this order:

1. Units that earlier periods used beforehand are repaid, out of all that the period can use.
2. Used units are drawn: those of the oldest period first, or those of the period itself first.
3. Of the rest, units that could be used in this period for the last time expire.
4. Where more is left than may leave a period, the oldest is cut.
5. The rest goes on. Units beyond the limit are charged, or go on as owed.

In March, which includes 100 units, by the rule ``CarryOver(up_to=110, expires_after=2)``:

    brought       50 from January, for the last time, and 30 from February
    limit         180 = 100 + 50 + 30
    used          40, drawn from January's 50: nothing is over
    expired       10 of January's
    cut           20 of February's, since 130 are left and at most 110 leave the period
    carried       10 of February's, 100 of March's

The state between two periods is a tuple of `CarriedUnits`, by the period that they are from, and
not one number: only so can a later period tell which of them expire. One period after another
gives the same as all at once:

    february = CarryOverResult(rule, january.carried, 500_000, 510_000, period)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import Final

from overages._ground.display import text_table
from overages._ground.parsing import Problems, instance_of, tuple_of
from overages._ground.value import derived, evolve, term, value
from overages.amounts.exact import (
    Quantity,
    QuantityLike,
    excess,
    parse_non_negative,
    plain_text,
    scaled,
    unscaled,
)
from overages.errors import Field, InvalidValue, OveragesError, at
from overages.periods.period import Period
from overages.statements.limit_part import LimitPart, sum_of_parts
from overages.statements.limits import PartContext, free_parts, terms_parts
from overages.terms.carry_over import CarriedUnits, CarryOver
from overages.terms.plan import Plan
from overages.usage.usage import Usage

_COLUMNS: Final = ["from", "units", "drawn", "expired", "cut", "carried on"]


def parse_carried(value: object, field: Field) -> tuple[CarriedUnits, ...]:
    """Parse an iterable of `CarriedUnits`, each from a later period than the one before."""
    carried, problems = tuple_of(CarriedUnits)(value, field), Problems()
    for i, (older, units) in enumerate(pairwise(carried), 1):
        if units.period.start < older.period.end:
            problem = f"must come from a period after that of the one before, {older.period}"
            problems.add(InvalidValue(at(field, i), units, problem))
    problems.raise_any()
    return carried


@value
class CarryOverResult:
    """An allowance in one period: its limit and overage, and the units that it leaves.

    Nothing is lost: in signed units,
    ``brought + included - used + overage == expired + cut + carried``. The `periods_left` of units
    that are `drawn` or `expired` count this period; those of units `cut` or `carried` don't.

    :param rule: by which units are carried over.
    :param brought: the units that earlier periods left, the oldest first.
    :param included: units that the period itself includes, zero or more.
    :param used: units used in it, zero or more.
    :param period: when; it follows all periods that something is brought from.
    :raises InvalidType: for a value of a wrong type.
    :raises InvalidValue: if the units that are brought aren't in order, and for any other fault;
        `InvalidValues` for several.

    >>> january = CarryOverResult(CarryOver(share="0.5"), [], 1_000, 300, Period.month(2024, 1))
    >>> january.cut[0].quantity, january.carried[0].quantity
    (200, 500)
    >>> month, brought = Period.month(2024, 2), january.carried
    >>> february = CarryOverResult(january.rule, brought, 1_000, 1_700, month)
    >>> february.limit, february.overage
    (1500, 200)
    """

    rule: CarryOver = term(instance_of(CarryOver))
    brought: tuple[CarriedUnits, ...] = term(parse_carried)
    included: Quantity = term(parse_non_negative)
    used: Quantity = term(parse_non_negative)
    period: Period = term(instance_of(Period))
    limit: Quantity = derived()
    """Units that could be used: included and brought, without those used beforehand."""
    overage: Quantity = derived()
    """Units to charge: those beyond the limit; none where the rule carries them."""
    drawn: tuple[CarriedUnits, ...] = derived()
    """The units that were drawn, in order; those that the period includes have its `period`."""
    repaid: tuple[CarriedUnits, ...] = derived()
    """The part of them that was for units used beforehand, as negative quantities."""
    expired: tuple[CarriedUnits, ...] = derived()
    """Units that could be used in this period for the last time, and weren't."""
    cut: tuple[CarriedUnits, ...] = derived()
    """Units that were more than may leave a period."""
    carried: tuple[CarriedUnits, ...] = derived()
    """The units that go to the next period, the oldest first."""

    def __init__(
        self,
        rule: CarryOver,
        brought: Iterable[CarriedUnits],
        included: QuantityLike,
        used: QuantityLike,
        period: Period,
    ) -> None: ...

    def _check(self, problems: Problems) -> None:
        if self.brought and self.period.start < self.brought[-1].period.end:
            last = self.brought[-1].period
            problem = f"must not start before {last} ends, which something is from"
            problems.add(InvalidValue("period", self.period, problem))

    def _complete(self) -> None:
        """Work out the units that are drawn, and the fate of the others."""
        usable, owed = self._usable(), [units for units in self.brought if units.quantity < 0]
        picos, owed_picos = _picos(usable), _picos(owed)
        limit = unscaled(max(0, picos - owed_picos))
        over = excess(self.used, limit)
        # Units used beforehand are drawn as if they were used first, for they came first.
        drawn, unused = _divided(self._in_turn(usable), owed_picos + scaled(self.used))
        repaid, still_owed = _divided(owed, picos)
        expired, staying = _aged(unused)
        # Expired units are gone before the bound is looked at: they don't use it up.
        most = self.rule.most(self.included)
        cut, rest = _divided(staying, 0 if most is None else max(0, _picos(staying) - scaled(most)))
        if over and self.rule.overage == "carried":
            # Borrowed: 120 used of 100 are charged nothing, and the next period has 20 less.
            still_owed.append(CarriedUnits(unscaled(-scaled(over)), self.period))
        results = {
            "limit": limit,
            "overage": 0 if self.rule.overage == "carried" else over,
            "drawn": tuple(drawn),
            "repaid": tuple(repaid),
            "expired": tuple(expired),
            "cut": tuple(cut),
            "carried": (*still_owed, *rest),  # one of them is empty: units are left, or owed
        }
        for name, result in results.items():
            object.__setattr__(self, name, result)

    @property
    def free(self) -> Quantity:
        """Units that cost nothing: the limit, or all that were used where the excess is carried.

        Given to `calculate` among its `limits`, they have it charge the `overage`.
        """
        return self.limit if self.rule.overage == "charged" else max(self.limit, self.used)

    def _usable(self) -> list[CarriedUnits]:
        """Return the units that can be drawn, the oldest first, the period's own as the last."""
        after = self.rule.expires_after
        # The period itself is one more of those in which its own units can be used.
        left = None if after is None else after + 1
        own = [CarriedUnits(self.included, self.period, left)] if self.included else []
        return [*(units for units in self.brought if units.quantity > 0), *own]

    def _in_turn(self, usable: list[CarriedUnits]) -> list[CarriedUnits]:
        """Return units in the order in which they are drawn."""
        if self.rule.draw == "oldest_first":
            return usable
        # Its own first; sorting is stable, so the others stay in order, the oldest first.
        return sorted(usable, key=lambda units: units.period != self.period)

    def explain(self) -> str:
        """Explain the parts of the limit and the fate of each, as text with a line for each part.

        >>> month = Period.month(2024, 2)
        >>> january = CarriedUnits(20_000, Period.month(2024, 1))
        >>> print(CarryOverResult(CarryOver(), [january], 500_000, 510_000, month).explain())
        Allowance of 2024-02-01 to 2024-03-01 UTC: limit 520,000, used 510,000, over 0
        <BLANKLINE>
        from                            units    drawn  expired  cut  carried on
        2024-01-01 to 2024-02-01 UTC   20,000   20,000        0    0           0
        included                      500,000  490,000        0    0      10,000
        """
        over = excess(self.used, self.limit)
        numbers = [plain_text(number) for number in (self.limit, self.used, over)]
        title = "Allowance of {}: limit {}, used {}, over {}{}".format(
            self.period.describe(),
            *numbers,
            " (carried on)" if over and not self.overage else "",
        )
        rows = [_COLUMNS, *(self._row(units.period, units.quantity) for units in self.brought)]
        rows.append(["included", *self._row(self.period, self.included)[1:]])
        return f"{title}\n\n{text_table(rows, 'lrrrrr')}"

    def _row(self, period: Period, quantity: Quantity) -> list[str]:
        fates = ((*self.drawn, *self.repaid), self.expired, self.cut, self.carried)
        numbers = [
            next((units.quantity for units in fate if units.period == period), 0) for fate in fates
        ]
        return [period.describe(), *map(plain_text, [quantity, *numbers])]


def carry_over(
    plan: Plan,
    usage: Usage,
    carried: Mapping[str, tuple[CarriedUnits, ...]],
    own: Mapping[str, Quantity],
    context: PartContext,
) -> dict[str, CarryOverResult]:
    """Carry over the units of each of a plan's allowances that has a rule for it, by metric.

    :param carried: the units that earlier periods left.
    :param own: the org's own limits.
    """
    results = {}
    for line in plan.compiled.balanced:
        metric, allowance = line.metric, line.allowance
        rule = allowance.carry_over
        if rule is None:
            continue
        try:
            share = context.share_of(usage.period, allowance)
            included = sum_of_parts(terms_parts(line, usage.quantities, own, context, share) or ())
            used = allowance.converted(usage.quantities.get(metric, 0))
        except OveragesError as error:
            raise error.within(metric) from None
        brought = carried.get(metric, ())
        # Free units of a discount are used last: units covered by them are neither drawn nor owed,
        # and they aren't carried over themselves.
        limit = CarryOverResult(rule, brought, included, 0, usage.period).limit
        free = sum_of_parts(free_parts(allowance))
        drawing = used if used <= limit else max(limit, excess(used, free))
        results[metric] = CarryOverResult(rule, brought, included, drawing, usage.period)
    return results


def carried_parts(result: CarryOverResult) -> tuple[LimitPart, ...]:
    """Return the units that were carried over, as parts of a limit beside the included one."""
    parts = [
        LimitPart("carried", units.quantity, _first_day(units.period))
        for units in result.brought
        if units.quantity > 0
    ]
    parts += [
        LimitPart("owed", units.quantity, _first_day(units.period)) for units in result.repaid
    ]
    if borrowed := excess(result.free, result.limit):
        parts.append(LimitPart("borrowed", borrowed))
    return tuple(parts)


def _first_day(period: Period) -> str:
    return period.describe().split(" ")[0]


def _picos(carried: Iterable[CarriedUnits]) -> int:
    """Add up units of one sign, without it, in picos."""
    return sum(abs(scaled(units.quantity)) for units in carried)


def _divided(
    carried: Iterable[CarriedUnits], picos: int
) -> tuple[list[CarriedUnits], list[CarriedUnits]]:
    """Take so many picos from units, in their order; return those taken and those left."""
    taken: list[CarriedUnits] = []
    left: list[CarriedUnits] = []
    for units in carried:
        held = abs(scaled(units.quantity))
        share = min(picos, held)
        picos -= share
        sign = 1 if units.quantity > 0 else -1
        for side, size in [(taken, share), (left, held - share)]:
            if size:
                side.append(evolve(units, quantity=unscaled(sign * size)))
    return taken, left


def _aged(
    unused: Iterable[CarriedUnits],
) -> tuple[list[CarriedUnits], list[CarriedUnits]]:
    """Divide units into those that expire with a period and those that go on, the oldest first."""
    expired, staying = [], []
    for units in sorted(unused, key=lambda units: units.period):
        if units.periods_left is None:
            staying.append(units)
        elif units.periods_left == 1:
            expired.append(units)
        else:
            staying.append(evolve(units, periods_left=units.periods_left - 1))
    return expired, staying
