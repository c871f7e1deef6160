"""The rules that adjust a total, in an independent model of an account's life.

Two sums run beside each other, the rounded one and the exact one by parts, in minor units.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, NamedTuple

from . import oracle
from .life_model import ZERO

SCALE = 100


class Step(NamedTuple):
    """What an adjustment should say."""

    metric: str | None
    line: str
    cost: int
    exact: Fraction


class PartRules(NamedTuple):
    """The rules of a part, from a day to another, and the days of the whole.

    They are those of an allowance, a plan or an org.
    """

    terms: Any
    start: int
    end: int
    whole: int

    def share(self, start: int, end: int) -> Fraction:
        """Return the share of the billing period that some days are."""
        if self.terms.proration.value == "full":
            return Fraction(1)
        assert self.terms.proration.value in {"days", "seconds"}
        return Fraction(end - start, self.whole)


def of_their_days(
    parts: Sequence[PartRules], whole: Mapping[int, Any], values: Mapping[int, Fraction]
) -> dict[int, Fraction]:
    """Return the worth of a rule in each part, of what it is worth in a whole period.

    Days that follow each other under one rule have one share.

    :param whole: the rule in each part that has it.
    :param values: its worth in a whole period.
    """

    def is_same(i: int, j: int) -> bool:
        return (
            parts[i].end == parts[j].start
            and parts[i].terms.proration == parts[j].terms.proration
            and whole[i] == whole[j]
            and values[i] == values[j]
        )

    places = sorted(whole)
    worth = {}
    for n, i in enumerate(places):
        first = last = n
        while first and is_same(places[first - 1], places[first]):
            first -= 1
        while last + 1 < len(places) and is_same(places[last], places[last + 1]):
            last += 1
        start, end = parts[places[first]].start, parts[places[last]].end
        days = Fraction(parts[i].end - parts[i].start, end - start)
        worth[i] = values[i] * parts[i].share(start, end) * days
    return worth


@dataclass(frozen=True)
class Rules:
    """Rules that are nobody's own object: an org's, by its plan's proration, or those on trial."""

    discounts: Sequence[Any]
    maximum: Any
    minimum: Any
    proration: Any
    commitment: None = None


def on_trial(terms: Any) -> Rules:
    """Return the rules of an allowance or a plan without its minimum and its commitment."""
    return Rules(terms.discounts, terms.maximum, None, terms.proration)


@dataclass
class Sums:
    """The rounded sum of lines, and the exact one in each part, and what was done to them."""

    metric: str | None
    cost: int
    by_part: list[Fraction]
    mode: str
    ended: bool
    steps: list[Step] = field(default_factory=list)
    whose: str = ""

    @property
    def exact(self) -> Fraction:
        return sum(self.by_part, ZERO)

    def take_off(self, trial: Mapping[int, int]) -> None:
        """Take off all that some parts cost."""
        cost, exact = sum(trial.values()), sum((self.by_part[i] for i in trial), ZERO)
        if cost or exact:
            self.steps.append(Step(self.metric, "trial", -cost, -exact / SCALE))
        self.cost -= cost
        for i in trial:
            self.by_part[i] = ZERO

    def apply(self, parts: Sequence[PartRules], whose: str = "", *, once: bool) -> None:
        """Apply rules: percentages, and with `once` those that are due once in a period."""
        if not parts:
            return
        self.whose = whose
        names = dict.fromkeys(
            d.name for p in parts for d in p.terms.discounts if d.percent is not None
        )
        for name in names:
            self._percent(name, parts)
        if not once:
            return
        names = dict.fromkeys(
            d.name for p in parts for d in p.terms.discounts if d.amount is not None
        )
        for name in names:
            amounts = {
                i: Fraction(d.amount.minor)
                for i, p in enumerate(parts)
                for d in p.terms.discounts
                if d.name == name and d.amount is not None
            }
            worth = of_their_days(parts, amounts, amounts)
            if self.cost >= 0 and self.exact >= 0:
                cost, exact = self._due(worth)
                whole = sum(worth.values(), ZERO)
                off = min(oracle.rounded(whole, self.mode), cost)
                self._add(
                    f"{whose}discount:{name}", -max(0, off), -max(ZERO, min(whole, exact)), worth
                )
        self._commitment(parts)
        self._bound("maximum", parts)
        if self.ended:
            self._bound("minimum", parts)

    def _percent(self, name: str, parts: Sequence[PartRules]) -> None:
        if self.cost < 0 or self.exact < 0:
            return
        percents = {
            i: Fraction(d.percent)
            for i, p in enumerate(parts)
            for d in p.terms.discounts
            if d.name == name and d.percent is not None
        }
        off = {i: self.by_part[i] * percent / 100 for i, percent in percents.items()}
        exact = sum(off.values(), ZERO)
        less = min(self.cost, -oracle.rounded(-exact, self.mode))
        if len(percents) == len(parts) and set(percents.values()) == {100}:
            less = self.cost
        if less or exact:
            self.steps.append(
                Step(self.metric, f"{self.whose}discount:{name}", -less, -exact / SCALE)
            )
            self.cost -= less
            for i, part in off.items():
                self.by_part[i] -= part

    def _bound(self, kind: str, parts: Sequence[PartRules]) -> None:
        bounds = {
            i: Fraction(getattr(p.terms, kind).minor)
            for i, p in enumerate(parts)
            if getattr(p.terms, kind) is not None
        }
        worth = of_their_days(parts, bounds, bounds)
        if not worth:
            return
        cost, exact = self._due(worth)
        whole = sum(worth.values(), ZERO)
        if kind == "maximum":
            beyond = max(0, cost - oracle.rounded(whole, self.mode))
            self._add(self.whose + kind, -beyond, -max(ZERO, exact - whole), worth)
        else:
            missing = max(0, oracle.rounded(whole, self.mode) - cost)
            self._add(self.whose + kind, missing, max(ZERO, whole - exact), worth)

    def _commitment(self, parts: Sequence[PartRules]) -> None:
        rules, values, last = {}, {}, None
        for i, (terms, *_) in enumerate(parts):
            agreed = getattr(terms, "commitment", None)
            if agreed is None:
                continue
            rules[i] = last = agreed
            if agreed.amount is not None:
                values[i] = Fraction(agreed.amount.minor)
            else:
                values[i] = oracle.price_of(terms.price, agreed.quantity) * SCALE
        if last is None:
            return
        worth = of_their_days(parts, rules, values)
        cost, exact = self._due(worth)
        whole = sum(worth.values(), ZERO)
        beyond = max(ZERO, exact - whole) * (Fraction(last.overage_factor) - 1)
        more, missing = oracle.rounded(beyond, self.mode), ZERO
        if last.true_up and self.ended:
            missing = max(ZERO, whole - exact)
            more = max(more, oracle.rounded(whole, self.mode) - cost)
        self._add("commitment", more, beyond + missing, worth)

    def _due(self, worth: Mapping[int, Fraction]) -> tuple[int, Fraction]:
        """Return the sum of the parts that have a rule."""
        if len(worth) == len(self.by_part):
            return self.cost, self.exact
        exact = sum((self.by_part[i] for i in worth), ZERO)
        return min(self.cost, oracle.rounded(exact, self.mode)), exact

    def _add(self, line: str, cost: int, exact: Fraction, worth: Mapping[int, Fraction]) -> None:
        """Add a step; each part has its portion of it, by what it came to."""
        if not cost and not exact:
            return
        self.steps.append(Step(self.metric, line, cost, exact / SCALE))
        self.cost += cost
        weights = {i: self.by_part[i] for i in worth}
        if sum(weights.values()) <= 0:
            weights = dict(worth)
        whole = sum(weights.values())
        for i, weight in weights.items():
            self.by_part[i] += exact * weight / whole if whole else exact / len(weights)
