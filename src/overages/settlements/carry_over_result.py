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

from collections.abc import Iterable
from datetime import datetime
from fractions import Fraction
from functools import lru_cache
from itertools import pairwise
from typing import Final

from overages._ground.display import text_table
from overages._ground.parsing import Problems, instance_of, parse_flag, tuple_of
from overages._ground.trusted import trusted
from overages._ground.value import derived, term, value
from overages.amounts.exact import (
    Quantity,
    QuantityLike,
    add_up,
    excess,
    parse_non_negative,
    plain_text,
)
from overages.errors import Field, InvalidValue, at
from overages.lines.limit_part import LimitPart, new_limit_part, sum_of_parts
from overages.lines.limits import free_parts
from overages.periods.period import Period
from overages.settlements.fates import aged, fates_of
from overages.terms.allowance import Allowance
from overages.terms.carry_over import CarriedUnits, CarryOver

_COLUMNS: Final = ["from", "units", "drawn", "expired", "cut", "carried on"]
_WORKED_OUT: Final = ("limit", "overage", "drawn", "repaid", "expired", "cut", "carried")


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
    :param ages: whether units age at its end, so that some may expire or be cut; not where it is a
        part of a billing period that goes on.
    :param included_before: units that earlier parts of the billing period included: they count
        where a share of the included quantity is carried over.
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
    ages: bool = term(parse_flag)
    included_before: Quantity = term(parse_non_negative)
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
        ages: bool = True,
        included_before: QuantityLike = 0,
    ) -> None: ...

    def _check(self, problems: Problems) -> None:
        if self.brought and self.period.start < self.brought[-1].period.end:
            last = self.brought[-1].period
            problem = f"must not start before {last} ends, which something is from"
            problems.add(InvalidValue("period", self.period, problem))

    def _complete(self) -> None:
        fates = fates_of(
            self.rule, self.brought, self.included, self.used, self.period,
            ages=self.ages, included_before=self.included_before,
        )  # fmt: skip
        for name, result in zip(_WORKED_OUT, fates, strict=True):
            object.__setattr__(self, name, result)

    @property
    def free(self) -> Quantity:
        """Units that cost nothing: the limit, or all that were used where the excess is carried.

        Given to `calculate` among its `limits`, they have it charge the `overage`.
        """
        return self.limit if self.rule.overage == "charged" else max(self.limit, self.used)

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


new_result: Final = trusted(CarryOverResult)


def carry_over(
    allowance: Allowance,
    brought: tuple[CarriedUnits, ...],
    included: Quantity,
    quantity: Quantity,
    period: Period,
    *,
    share: Fraction,
    ages: bool,
    included_before: Quantity = 0,
) -> CarryOverResult:
    """Carry over the units of an allowance that has a rule for it; nothing is checked again.

    :param brought: the units that earlier periods left, the oldest first.
    :param included: the units that the period includes, or the org's own limit.
    :param quantity: units used, before they are converted.
    :param share: how much of the billing period the period is, for free units.
    """
    rule = allowance.carry_over
    assert rule is not None
    used = allowance.converted(quantity)
    # Free units of a discount are used last: what they cover is neither drawn nor owed, and
    # they aren't carried over themselves.
    drawing = used
    if allowance.discounts:
        limit = max(0, add_up([included, *(units.quantity for units in brought)]))
        free = sum_of_parts(free_parts(allowance, share))
        drawing = used if used <= limit else max(limit, excess(used, free))
    fates = fates_of(
        rule, brought, included, drawing, period, ages=ages, included_before=included_before
    )
    return new_result(rule, brought, included, drawing, period, ages, included_before, *fates)


def carried_undrawn(brought: Iterable[CarriedUnits]) -> tuple[CarriedUnits, ...]:
    """Return the units that go on from a period that drew none: all but those that expire."""
    _, staying = aged(brought)
    return tuple(staying)


def carried_parts(result: CarryOverResult) -> tuple[LimitPart, ...]:
    """Return the units that were carried over, as parts of a limit beside the included one."""
    parts = []
    for units in result.brought:
        if units.quantity > 0:
            parts.append(new_limit_part("carried", units.quantity, _day(units.period.start)))
    for units in result.repaid:
        parts.append(new_limit_part("owed", units.quantity, _day(units.period.start)))
    if result.rule.overage == "carried" and (borrowed := excess(result.used, result.limit)):
        parts.append(new_limit_part("borrowed", borrowed, None))
    return tuple(parts)


@lru_cache(maxsize=1024)  # all orgs of a cycle have the same periods
def _day(start: datetime) -> str:
    return start.date().isoformat()
