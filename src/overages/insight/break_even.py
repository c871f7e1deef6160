"""Break-even: the quantities of one metric at which each of two plans is cheaper.

    answer = break_even(starter, pro, "tokens")
    answer.ranges                                     # quantities, each with the cheaper plan
    answer.cheaper_at(750_000)                        # "starter", "pro", or None for the same
    print(answer)

Plans are compared by all that they cost in a whole period, with their fees, each charge rounded as
it is billed. So the plans often cost the same at a few quantities before one is the cheaper: at
0.0001, less than 50 units more cost nothing more.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from itertools import count, islice, pairwise
from math import lcm
from typing import Final

from overages._ground.display import html_table, text_table
from overages._ground.names import optional_name, parse_name
from overages._ground.parsing import Problems, instance_of, optional, parse_all, tuple_of
from overages._ground.value import evolve, term, value
from overages.amounts.exact import (
    Quantity,
    QuantityLike,
    optional_non_negative,
    parse_non_negative,
    parse_positive,
    scaled,
)
from overages.amounts.rounding import Rounding
from overages.errors import CurrencyMismatch, Field, InvalidValue, at
from overages.insight.cost_curve import CostCurve, ranges
from overages.insight.curves import curve_of_plan, minor_fee
from overages.insight.inverse import A_MONTH, check_range, range_text
from overages.statements.calculation import own_limits
from overages.terms.plan import Plan
from overages.terms.terms import Limits
from overages.usage.usage import Usage

MOST_RANGES: Final = 1_000
"""The ranges that a break-even has at most."""

_LOOKS: Final = 10  # at ranges of quantities, for each that there is: a second or two in all

_ALIGN: Final = "ll"
_SAME: Final = "the same"


@value
class BreakEvenRange:
    """Quantities of a metric at which the same one of two plans is cheaper.

    :param first: the first of them, zero or more.
    :param last: the last, which is one of them; None where there is no end.
    :param cheaper: the slug of the cheaper plan; None where both cost the same.
    :raises InvalidValue: if the last is less than the first.

    >>> print(BreakEvenRange(0, 1_000, "starter"))
    0 to 1,000: starter
    """

    first: Quantity = term(parse_non_negative)
    last: Quantity | None = term(optional_non_negative)
    cheaper: str | None = term(optional_name)

    def __init__(
        self, first: QuantityLike, last: QuantityLike | None, cheaper: str | None
    ) -> None: ...

    def _check(self, problems: Problems) -> None:
        check_range(self.first, self.last, problems)

    def __str__(self) -> str:
        return f"{range_text(self.first, self.last)}: {self.cheaper or _SAME}"


def _parse_ranges(value: object, field: Field) -> tuple[BreakEvenRange, ...]:
    parsed, problems = tuple_of(BreakEvenRange)(value, field), Problems()
    if not parsed:
        raise InvalidValue(field, parsed, "must hold at least one range")
    for i, (before, after) in enumerate(pairwise(parsed), start=1):
        if before.last is None or before.last >= after.first:
            problem = f"must be above the range before, {before}"
            problems.add(InvalidValue(at(field, i, "first"), after.first, problem))
    problems.raise_any()
    return parsed


@value
class BreakEven:
    """The quantities of one metric at which each of two plans is cheaper.

    :param metric: the metric.
    :param ranges: ranges of quantities, each above the one before it.
    :raises InvalidValue: if there is no range, or one isn't above the one before it.

    >>> print(BreakEven("tokens", [BreakEvenRange(0, 10, "a"), BreakEvenRange(11, None, "b")]))
    tokens       cheaper
    0 to 10      a
    11 and more  b
    """

    metric: str = term(parse_name)
    ranges: tuple[BreakEvenRange, ...] = term(_parse_ranges)

    def __init__(self, metric: str, ranges: Iterable[BreakEvenRange]) -> None: ...

    def cheaper_at(self, quantity: QuantityLike) -> str | None:
        """Return the slug of the plan that is cheaper at a quantity; None if both cost the same.

        :param quantity: units, zero or more: one of those that were compared.
        :raises InvalidValue: if it lies in no range: beyond the last one, or between two steps.

        >>> answer = BreakEven("runs", [BreakEvenRange(0, 9, "a"), BreakEvenRange(10, None, None)])
        >>> answer.cheaper_at(9), answer.cheaper_at(1_000)
        ('a', None)
        """
        number = parse_non_negative(quantity, "quantity")
        place = bisect_right(self.ranges, number, key=lambda each: each.first) - 1
        each = self.ranges[max(place, 0)]
        if number < each.first or (each.last is not None and each.last < number):
            problem = f"must be one that was compared, in {self.ranges[0].first} and above"
            raise InvalidValue("quantity", number, problem)
        return each.cheaper

    def explain(self) -> str:
        """Write the ranges as a table, each with the plan that is cheaper in it."""
        return text_table(self._table(), _ALIGN)

    def _table(self) -> list[list[str]]:
        rows = [[range_text(r.first, r.last), r.cheaper or _SAME] for r in self.ranges]
        return [[self.metric, "cheaper"], *rows]

    def _repr_html_(self) -> str:
        return html_table(self._table(), _ALIGN, "Break-even")

    def __str__(self) -> str:
        return self.explain()


def break_even(
    a: Plan,
    b: Plan,
    metric: str,
    *,
    usage: Usage | None = None,
    limits: Limits | None = None,
    until: QuantityLike | None = None,
    step: QuantityLike = 1,
) -> BreakEven:
    """Return the exact quantities of a metric at which each of two plans is cheaper.

    A plan's cost is its fee and the total of `calculate` for a whole period that nothing came
    before: with free units, tiers, discounts, minimums, maximums and rounding.

    :param a: a plan.
    :param b: another one in the same currency, with a slug of its own (``evolve(a, slug=...)``).
    :param metric: the metric whose quantity varies; both plans know it. A price model of a host's
        own is taken to charge no less for more.
    :param usage: the usage of all other metrics; nothing else is used without it.
    :param limits: the org's own limits by metric, in units, under both plans; None is unlimited.
    :param until: the largest quantity that is compared; None for all there are.
    :param step: the step that quantities come in, in units above zero.
    :returns: ranges of multiples of the step, from zero on.
    :raises UnknownMetric: if a plan doesn't know the metric, or one that is used or limited.
    :raises CurrencyMismatch: if the plans are in two currencies.
    :raises InvalidValue: if the plans have one slug; if the metric brings included units of another
        one; or if there are over 1,000 ranges, as of two prices that are less than a minor unit
        apart for ever, or as many to be looked at for other reasons: then say `until`.

    >>> from overages import Allowance, Money, PerUnit
    >>> tokens = Allowance(500_000, PerUnit("0.0001"))
    >>> small = Plan("small", "USD", {"tokens": tokens}, base_fee=Money.of("20", "USD"))
    >>> tokens = Allowance(2_000_000, PerUnit("0.00005"))
    >>> large = Plan("large", "USD", {"tokens": tokens}, base_fee=Money.of("50", "USD"))
    >>> print(break_even(small, large, "tokens"))
    tokens              cheaper
    0 to 799,949        small
    799,950 to 800,049  the same
    800,050 and more    large
    """
    size, last, others, *_ = parse_all(
        (parse_positive, step, "step"),
        (optional(parse_non_negative), until, "until"),
        (optional(instance_of(Usage)), usage, "usage"),
        (parse_name, metric, "metric"),
        (instance_of(Plan), a, "a"),
        (instance_of(Plan), b, "b"),
    )
    if a.currency != b.currency:
        raise CurrencyMismatch(a.currency.code, b.currency.code, ("b", "currency"))
    if a.slug == b.slug:
        raise InvalidValue(("b", "slug"), b.slug, "must be another one than that of a")
    used = Usage("org", A_MONTH, {}) if others is None else others
    first, second = (
        curve_of_plan(plan, metric, used, own_limits(plan, limits), size) for plan in (a, b)
    )
    most = min(first.most, second.most)
    end = most + 1 if last is None else scaled(last) // scaled(size)
    slugs = {-1: a.slug, 0: None, 1: b.slug}
    highest = min(end, most)
    if evolve(a, slug=b.slug, base_fee=b.base_fee) == b:  # only the fee differs, at any quantity
        stretches: Iterable[tuple[int, int, int]] = [(0, highest, _sign_of_fees(a, b))]
    else:
        stretches = _compared(first, second, highest, last)
    compared = [
        BreakEvenRange(
            first.quantity(low),
            None if high == most < end else first.quantity(high),
            slugs[sign],
        )
        for low, high, sign in stretches
    ]
    return BreakEven(metric, compared)


def _sign_of_fees(a: Plan, b: Plan) -> int:
    fee, other = minor_fee(a), minor_fee(b)
    return (fee > other) - (fee < other)


def _compared(
    first: CostCurve, second: CostCurve, end: int, until: Quantity | None
) -> Iterator[tuple[int, int, int]]:
    """Yield ranges of steps, with -1 where the first curve costs less, and 1 where it costs more.

    :raises InvalidValue: if there are too many.
    """
    looks = count()
    problem = f"must be given, or less, as over {MOST_RANGES:,} ranges would have to be told apart"

    def decide(low: int, high: int) -> int | None:
        if next(looks) > _LOOKS * MOST_RANGES:
            raise InvalidValue("until", until, problem)
        sign = _sign(first, second, low, high)
        return _sign_of_periods(first, second, low, high, decide) if sign is None else sign

    for number, each in enumerate(ranges([*first.ends, *second.ends], end, decide)):
        if number == MOST_RANGES:
            raise InvalidValue("until", until, problem)
        yield each


def _sign(first: CostCurve, second: CostCurve, low: int, high: int) -> int | None:
    """Return the sign of one curve's charge less the other's, at all steps from one to another.

    None where it differs between them, or isn't known.
    """
    least, most = first.bounds(low, high)
    others_least, others_most = second.bounds(low, high)
    if most < others_least:
        return -1
    if least > others_most:
        return 1
    if least == most == others_least == others_most:
        return 0
    if first.rounding is second.rounding and first.terms == second.terms:
        shift, other_shift = first.shift(low, high), second.shift(low, high)
        if shift is not None and other_shift is not None:
            return (shift > other_shift) - (shift < other_shift)
    return _sign_of_chords(first, second, low, high)


def _sign_of_periods(
    first: CostCurve,
    second: CostCurve,
    low: int,
    high: int,
    decide: Callable[[int, int], int | None],
) -> int | None:
    """Return the sign where both charges rise by the same in a period, of which one tells all."""
    period, other = first.period(low, high), second.period(low, high)
    if period is None or other is None:
        return None
    end = low + lcm(period, other) - 1
    if end >= high or first.rise(low, end + 1) != second.rise(low, end + 1):
        return None
    signs = {sign for _, _, sign in islice(ranges((), end, decide, low), 2)}
    return signs.pop() if len(signs) == 1 else None


def _sign_of_chords(first: CostCurve, second: CostCurve, low: int, high: int) -> int | None:
    chord, other = first.chord(low, high), second.chord(low, high)
    if chord is None or other is None:
        return None
    gaps = chord.first - other.first, chord.last - other.last
    error = chord.error + other.error
    if first.rounding is second.rounding and chord.error == other.error == 1:
        # Of amounts a minor unit apart, the larger one rounds to more; but by halves to even, 1.5
        # and 2.5 both round to 2.
        is_even = first.rounding is Rounding.HALF_EVEN
        if not any(gaps) and not (is_even and first.shift(low, high) != second.shift(low, high)):
            return 0
        error = error if is_even else Fraction(1)
    if not error and not any(gaps):
        return 0
    if min(gaps) >= error and min(gaps) > 0:
        return 1
    return -1 if max(gaps) <= -error and max(gaps) < 0 else None
