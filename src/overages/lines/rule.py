"""Rules: the trials, discounts, commitments, maximums and minimums of a period's parts, in order.

A plan may change within a period, and with it a minimum of 100.00, or a voucher of 10.00 that both
plans have. Each is one rule, which adjusts a total once; it is worth the sum of its shares:

    parts = [PartRules(minimum=minimum, time=time) for time in period.split(march_12)]
    (rule,) = rules_in_order(parts, shares.by_rule)
    rule.line, rule.worth                             # "minimum", and all of it
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import timedelta
from fractions import Fraction
from types import MappingProxyType
from typing import Final, NamedTuple, TypeAlias

from overages.amounts.exact import Quantity
from overages.amounts.money import Money
from overages.errors import InvalidValue
from overages.lines.adjustment import AdjustmentKind, line_name
from overages.periods.period import Period
from overages.periods.proration import Proration
from overages.prices.models import PriceModel
from overages.terms.commitment import Commitment
from overages.terms.discount import Discount

ShareOf: TypeAlias = Callable[[Proration, Period | None], Fraction]
"""Gives the share of the billing period that a time is; of the statement's period for None."""

_OWN: Final[Mapping[AdjustmentKind, AdjustmentKind]] = MappingProxyType(
    {"discount": "own_discount", "maximum": "own_maximum", "minimum": "own_minimum"}
)
"""The kinds of rules that an org can have of its own, by those that they work as."""
_PLAIN: Final[Mapping[AdjustmentKind, AdjustmentKind]] = MappingProxyType(
    {own: kind for kind, own in _OWN.items()}
)
_OF_ANY_TIME: Final = ("trial", "percent")
_ONCE_A_PERIOD: Final = ("amount", "commitment", "maximum", "minimum")
_TICK: Final = timedelta(microseconds=1)


class PartRules(NamedTuple):
    """The rules of a metric, of a plan or of an org's own, in one part of a period.

    :param price: the price of a commitment to a quantity, for a whole period.
    :param proration: all that is due once in a period is due for the share of it that the part is,
        by this rule.
    :param time: the part's time; None where it is all of the statement's period.
    :param trial: the cost of its lines, all of which is taken off, where the part is a trial.
    """

    discounts: tuple[Discount, ...] = ()
    commitment: Commitment | None = None
    maximum: Money | None = None
    minimum: Money | None = None
    price: PriceModel | None = None
    proration: Proration = Proration.DAYS
    time: Period | None = None
    trial: Money | None = None


class RuleOfPart(NamedTuple):
    """A rule as one part has it.

    :param part: the part's place among the parts, from 0.
    :param terms: a percentage, an amount of money or a commitment.
    :param worth: the amount for the part's share of the period, in major currency units; None for
        a percentage and a trial, which are of the part's own total.
    """

    part: int
    terms: Quantity | Money | Commitment
    worth: Fraction | None


class Rule(NamedTuple):
    """A rule of a metric, a plan or an org that adjusts a total, in all its parts."""

    kind: AdjustmentKind
    name: str | None
    parts: tuple[RuleOfPart, ...]

    @property
    def line(self) -> str:
        """The name of its line among those of a metric."""
        return line_name(self.kind, self.name)

    @property
    def works_as(self) -> AdjustmentKind:
        """The kind that it works as: one of the org's own does as one of a plan."""
        return _PLAIN.get(self.kind, self.kind)

    @property
    def whose(self) -> str:
        """Whose rule it is, in an error: ``"the plan's"``."""
        return "the org's" if self.kind == "trial" or self.kind in _PLAIN else "the plan's"

    @property
    def is_true_up(self) -> bool:
        """Whether it raises a total, once the period is over."""
        return self.works_as in {"commitment", "minimum"}

    @property
    def worth(self) -> Fraction:
        """The amount that it is about, for all its parts together."""
        return sum((each.worth for each in self.parts if each.worth is not None), Fraction())


def rules_in_order(
    parts: Sequence[PartRules], share_of: ShareOf, *, own: bool = False, of_span: bool = False
) -> list[Rule]:
    """Return the rules of the parts of a period in the order in which they are applied.

    A rule that several parts have is one rule: it is applied once. It is worth the sum of their
    shares; where it stays the same from one part to the next, the share of their joined time, so
    that a rule which doesn't change is worth the same however the period is cut.
    Discounts of units are none of them: they raise a limit.

    :param parts: in order of time.
    :param own: whether they are of the org's own.
    :param of_span: whether the parts are those of a span, of which nothing is due once in a period.
    :raises InvalidValue: if a discount of one name is a percentage in one part, and an amount in
        another: it would have two lines of one name.
    """
    by_line: dict[tuple[AdjustmentKind, str | None], list[RuleOfPart]] = {}
    for stage in _OF_ANY_TIME if of_span else (*_OF_ANY_TIME, *_ONCE_A_PERIOD):
        for place, part in enumerate(parts):
            for kind, name, terms in _rules_of(part, stage):
                worth = None if kind == "trial" else _worth(terms, part)
                rules = by_line.setdefault((kind, name), [])
                if rules and (rules[0].worth is None) != (worth is None):
                    problem = "must be percentages in all parts of a period, or amounts in all"
                    raise InvalidValue(("discounts", str(name)), [rules[0].terms, terms], problem)
                rules.append(RuleOfPart(place, terms, worth))
    return [
        Rule(_OWN[kind] if own else kind, name, tuple(_for_their_time(rules, parts, share_of)))
        for (kind, name), rules in by_line.items()
    ]


def _for_their_time(
    rules: Sequence[RuleOfPart], parts: Sequence[PartRules], share_of: ShareOf
) -> Iterator[RuleOfPart]:
    """Yield a rule's parts with their worth for their time, where they had that of a period."""
    for same in _unchanged(rules, parts):
        first, last = parts[same[0].part], parts[same[-1].part]
        worth, time = same[0].worth, first.time
        if worth is None:
            yield from same
            continue
        if time is not None and last.time is not None:
            time = Period(time.start, last.time.end)
        worth *= share_of(first.proration, time)
        for each in same:
            own = parts[each.part].time
            portion = Fraction(1) if time is None or own is None else _ticks(own) / _ticks(time)
            yield each._replace(worth=worth * portion)


def _unchanged(
    rules: Sequence[RuleOfPart], parts: Sequence[PartRules]
) -> Iterator[list[RuleOfPart]]:
    """Yield a rule's parts in groups, of one after another in which it stays the same."""
    group: list[RuleOfPart] = []
    for rule in rules:
        if group and not _goes_on(group[-1], rule, parts):
            yield group
            group = []
        group.append(rule)
    yield group


def _goes_on(before: RuleOfPart, after: RuleOfPart, parts: Sequence[PartRules]) -> bool:
    """Tell whether a rule of a part stays the same in a later one, with no time between them."""
    earlier, later = parts[before.part], parts[after.part]
    return (
        earlier.time is not None
        and later.time is not None
        and earlier.time.end == later.time.start
        and earlier.proration is later.proration
        and (before.terms, before.worth) == (after.terms, after.worth)
    )


def _ticks(time: Period) -> Fraction:
    return Fraction((time.end - time.start) // _TICK)


def _rules_of(
    part: PartRules, stage: str
) -> Iterator[tuple[AdjustmentKind, str | None, Quantity | Money | Commitment]]:
    """Yield the rules that a part has for one of the stages of their order."""
    if stage == "trial" and part.trial is not None:
        yield "trial", None, part.trial
    elif stage in {"percent", "amount"}:
        for discount in part.discounts:
            terms = getattr(discount, stage)
            if terms is not None:
                yield "discount", discount.name, terms
    elif stage == "commitment" and part.commitment is not None:
        yield "commitment", None, part.commitment
    elif stage == "maximum" and part.maximum is not None:
        yield "maximum", None, part.maximum
    elif stage == "minimum" and part.minimum is not None:
        yield "minimum", None, part.minimum


def _worth(terms: Quantity | Money | Commitment, part: PartRules) -> Fraction | None:
    if isinstance(terms, Commitment):
        return terms.worth(part.price)
    return Fraction(terms.amount) if isinstance(terms, Money) else None
