"""Parts: the times within one period in which the same terms hold.

An org that moves from one plan to another on 12 March has a March of two parts, and one statement
of both. A metric's line is of one part, unless its own terms are the same in both:

    statement.parts                                   # (StatementPart(1 to 12 March, starter), ...)
    [(line.part, line.cost) for line in statement.of("tokens")]

A period of an account can itself be a part: of its cycle's period, where the account begins, ends
or moves its billing day. `TimeShares` says how much of the cycle's whole period each is.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from datetime import datetime
from fractions import Fraction
from itertools import pairwise
from typing import Final, NamedTuple

from attrs import frozen

from overages._ground.parsing import Problems, instance_of
from overages._ground.trusted import trusted
from overages._ground.value import derived, term, value
from overages.errors import CurrencyMismatch, InvalidValue, at
from overages.periods.period import Period
from overages.periods.proration import Proration
from overages.terms.allowance import Allowance, check_currency
from overages.terms.plan import Plan
from overages.terms.terms import NO_OWN_TERMS, OwnTerms


@value
class StatementPart:
    """A time within a statement's period, and the terms that hold in it.

    :param period: the time.
    :param plan: the plan.
    :param own: the org's own terms beside it: discounts, bounds, and whether it is on trial.
    :raises InvalidType: for a value of a wrong type; `InvalidValues` for several.
    :raises CurrencyMismatch: if an amount of the org's own isn't in the plan's currency.

    >>> from overages import Usage, calculate
    >>> usage = Usage("org-123", Period.month(2024, 2), {})
    >>> (part,) = calculate(Plan("starter", "USD", {}), usage).parts
    >>> part.period.describe(), part.plan.slug
    ('2024-02-01 to 2024-03-01 UTC', 'starter')
    """

    period: Period = term(instance_of(Period))
    plan: Plan = term(instance_of(Plan))
    own: OwnTerms = term(instance_of(OwnTerms))
    is_flat: bool = derived()
    """Whether there is nothing to its lines but included quantities and prices."""

    def __init__(self, period: Period, plan: Plan, own: OwnTerms = NO_OWN_TERMS) -> None: ...

    def _check_currency(self, problems: Problems) -> None:
        amounts = [(at("own", *path), amount) for path, amount in self.own.amounts()]
        check_currency(self.plan.currency, amounts, problems)

    def _complete(self) -> None:
        is_flat = self.plan.compiled.is_flat and not self.own.trial and not self.own.has_rules
        object.__setattr__(self, "is_flat", is_flat)


FULL_SHARE: Final = Fraction(1)
"""The share of a period that all of it is."""


def is_full(share: Fraction) -> bool:
    """Tell whether a share is that of all of a period; most are that very object."""
    return share is FULL_SHARE or share == 1


@frozen(weakref_slot=False)
class TimeShares:
    """The shares of a cycle's whole period that times within a statement's period are.

    :param period: the statement's.
    :param billing_period: the cycle's whole period that it is a part of; None where it is whole.
    :param timezone: whose calendar days count.
    :param span_of: the org's own period, where the statement is of a span of it: what is due once
        in a period is left out.
    """

    period: Period
    billing_period: Period | None = None
    timezone: str = "UTC"
    span_of: Period | None = None

    def share(self, terms: Allowance | Plan, part: Period | None = None) -> Fraction:
        """Return the share of a part, by the terms' proration; of the period where it is None."""
        if part is None and self.billing_period is None:  # as of most
            return FULL_SHARE
        return self.by_rule(terms.proration, part)

    def by_rule(self, rule: Proration, part: Period | None) -> Fraction:
        """Return the share of a part by a rule; of the period where it is None."""
        billing_period = self.billing_period or self.period
        time = part or self.period
        if time is billing_period or time == billing_period:
            return FULL_SHARE
        return rule.share(time, billing_period, self.timezone)


_new_shares: Final = trusted(TimeShares)


def undivided(period: Period) -> TimeShares:
    """Return the shares of a whole period."""
    return _new_shares(period, None, "UTC", None)


_new_part: Final = trusted(StatementPart)


def new_part(period: Period, plan: Plan, own: OwnTerms) -> StatementPart:
    """Make a part of terms that hold in a time; an org's own terms are checked with the plan's."""
    if own is NO_OWN_TERMS:
        return _new_part(period, plan, own, plan.compiled.is_flat)
    return StatementPart(period, plan, own)


class Division(NamedTuple):
    """The parts of a statement's period, and the period that it is itself a part of.

    Most have neither, and share one: three slots more cost a statement a tenth of its making.

    :param earlier_parts: those before the last one, in order.
    :param billing_period: the cycle's whole period, where it is a part of that.
    :param timezone: whose calendar days count.
    :param own: the org's own terms in the last part.
    :param span_of: the org's own period, where it is a span of one.
    """

    earlier_parts: tuple[StatementPart, ...]
    billing_period: Period | None
    timezone: str
    own: OwnTerms
    span_of: Period | None


UNDIVIDED: Final = Division((), None, "UTC", NO_OWN_TERMS, None)


def division(
    earlier_parts: Sequence[StatementPart], shares: TimeShares, own: OwnTerms = NO_OWN_TERMS
) -> Division:
    """Return the division of a period into parts, by the shares that its times have."""
    earlier = tuple(earlier_parts)
    divided = (earlier, shares.billing_period, shares.timezone, own, shares.span_of)
    return UNDIVIDED if divided == UNDIVIDED else Division(*divided)


def statement_parts(
    period: Period, plan: Plan, earlier: Sequence[StatementPart], own: OwnTerms = NO_OWN_TERMS
) -> tuple[StatementPart, ...]:
    """Return all parts of a period, given the earlier ones and the terms of the last.

    :raises InvalidValue: if nothing of the period is left for the last.
    """
    if not earlier:
        return (new_part(period, plan, own),)
    return (*earlier, new_part(period.clipped(start=earlier[-1].period.end), plan, own))


def check_parts(period: Period, parts: Sequence[StatementPart], problems: Problems) -> None:
    """Refuse parts that don't tile a period, or are in two currencies.

    :param parts: all of them, in order of time.
    """
    bounds = [period.start, *(part.period.end for part in parts)]
    for i, (part, start) in enumerate(zip(parts, bounds, strict=False)):
        if part.period.start != start:
            problem = f"must start where the time before it ends, {start}"
            problems.add(InvalidValue(at("earlier_parts", i, "period"), str(part.period), problem))
    for i, (before, after) in enumerate(pairwise(parts)):
        codes = before.plan.currency, after.plan.currency
        if codes[0] != codes[1]:
            field = at("earlier_parts", i, "plan", "currency")
            problems.add(CurrencyMismatch(codes[0].code, codes[1].code, field))


def part_at_end(parts: Sequence[StatementPart], time: Period | None) -> int:
    """Return the place of the part that a time ends in; of the last part, for all of the period."""
    if time is None:
        return len(parts) - 1
    return bisect_left(parts, time.end, key=_end)


def places_in(parts: Sequence[StatementPart], time: Period | None) -> list[tuple[int, Period]]:
    """Return the parts, by place, that a time lies in, each with the time that it has of it."""
    if time is None:
        return [(i, part.period) for i, part in enumerate(parts)]
    places = range(bisect_right(parts, time.start, key=_end), part_at_end(parts, time) + 1)
    return [(i, parts[i].period.clipped(start=time.start, end=time.end)) for i in places]


def is_known(metric: str, parts: Sequence[StatementPart]) -> bool:
    """Tell whether the plan of any part knows a metric."""
    *earlier, last = parts
    return metric in last.plan.allowances or any(metric in part.plan.allowances for part in earlier)


def metrics_in_order(parts: Sequence[StatementPart]) -> list[str]:
    """Return all metrics of a period's plans: those of the last in its order, then the others."""
    metrics = dict.fromkeys(parts[-1].plan.allowances)
    for part in parts[:-1]:
        metrics |= dict.fromkeys(part.plan.allowances)
    return list(metrics)


def _end(part: StatementPart) -> datetime:
    return part.period.end
