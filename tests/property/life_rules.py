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
    """The allowance or the plan of a part, and its share of the billing period."""

    terms: Any
    share: Fraction


@dataclass
class Sums:
    """The rounded sum of lines, and the exact one in each part, and what was done to them."""

    metric: str | None
    cost: int
    by_part: list[Fraction]
    mode: str
    ended: bool
    steps: list[Step] = field(default_factory=list)

    @property
    def exact(self) -> Fraction:
        return sum(self.by_part, ZERO)

    def apply(self, parts: Sequence[PartRules]) -> None:
        if not parts:
            return
        names = dict.fromkeys(
            d.name for p in parts for d in p.terms.discounts if d.percent is not None
        )
        for name in names:
            self._percent(name, parts)
        names = dict.fromkeys(
            d.name for p in parts for d in p.terms.discounts if d.amount is not None
        )
        for name in names:
            worth = {
                i: d.amount.minor * p.share
                for i, p in enumerate(parts)
                for d in p.terms.discounts
                if d.name == name and d.amount is not None
            }
            if self.cost >= 0 and self.exact >= 0:
                cost, exact = self._due(worth)
                whole = sum(worth.values(), ZERO)
                off = min(oracle.rounded(whole, self.mode), cost)
                self._add(f"discount:{name}", -max(0, off), -max(ZERO, min(whole, exact)), worth)
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
            self.steps.append(Step(self.metric, f"discount:{name}", -less, -exact / SCALE))
            self.cost -= less
            for i, part in off.items():
                self.by_part[i] -= part

    def _bound(self, kind: str, parts: Sequence[PartRules]) -> None:
        worth = {
            i: getattr(p.terms, kind).minor * p.share
            for i, p in enumerate(parts)
            if getattr(p.terms, kind) is not None
        }
        if not worth:
            return
        cost, exact = self._due(worth)
        whole = sum(worth.values(), ZERO)
        if kind == "maximum":
            beyond = max(0, cost - oracle.rounded(whole, self.mode))
            self._add(kind, -beyond, -max(ZERO, exact - whole), worth)
        else:
            missing = max(0, oracle.rounded(whole, self.mode) - cost)
            self._add(kind, missing, max(ZERO, whole - exact), worth)

    def _commitment(self, parts: Sequence[PartRules]) -> None:
        worth, last = {}, None
        for i, (terms, share) in enumerate(parts):
            agreed = getattr(terms, "commitment", None)
            if agreed is None:
                continue
            last = agreed
            if agreed.amount is not None:
                worth[i] = agreed.amount.minor * share
            else:
                worth[i] = oracle.price_of(terms.price, agreed.quantity) * SCALE * share
        if last is None:
            return
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
