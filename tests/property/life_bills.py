"""What each period of an account's life should come to: an independent model, in fractions.

Exact costs of lines are in major units, and sums and rounded costs in minor ones.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Any

from overages import Allowance, Grant

from . import oracle
from .life_model import (
    WHOLE,
    ZERO,
    Counting,
    Fill,
    Kept,
    Layers,
    Life,
    Line,
    Span,
    day_of,
    whole_of,
)
from .life_rules import SCALE, PartRules, Rules, Step, Sums, on_trial
from .life_units import aged, carry, converted, for_share, share_of, within_bounds


@dataclass
class Bill:
    """What a period should come to."""

    start: int
    end: int
    lines: list[Line]
    steps: list[Step]
    drawn: dict[Fill, Fraction]

    @property
    def total(self) -> int:
        return sum(line.cost for line in self.lines) + sum(step.cost for step in self.steps)


@dataclass
class Settling:
    """One period, and what it takes from and leaves to others."""

    life: Life
    start: int
    end: int
    kept: Kept
    grants: Sequence[Grant]
    ended: bool = True
    is_span: bool = False
    """Whether it is a time within a period, of which nothing is due once."""

    def bill(self) -> Bill:
        terms = self.life.terms_on(self.start)
        assert terms is not None
        self.whole = whole_of(terms.cycle, self.start)
        self.parts = self.life.parts(self.start, self.end)
        self.plan = self.parts[-1].plan
        self.drawn: dict[Fill, Fraction] = {}
        metrics = dict.fromkeys(self.plan.allowances)
        metrics |= dict.fromkeys(m for part in self.parts for m in part.plan.allowances)
        carried, self.kept.carried = self.kept.carried, {}
        lines: list[Line] = []
        for metric in metrics:
            lines += self._lines_of(metric, carried.get(metric, []))
        self._round(lines)
        steps: list[Step] = []
        totals = {}
        for metric in metrics:
            own = [line for line in lines if line.metric == metric]
            days = self.whole[1] - self.whole[0]
            trial = {i: line.cost for i, line in enumerate(own) if line.span.trial}
            rules = [
                PartRules(
                    on_trial(line.span.allowance) if i in trial else line.span.allowance,
                    line.span.start, line.span.end, days,
                )
                for i, line in enumerate(own)
            ]  # fmt: skip
            sums = Sums(
                metric, sum(line.cost for line in own), [line.added * SCALE for line in own],
                self.plan.rounding.value, self.ended,
            )  # fmt: skip
            sums.take_off(trial)
            sums.apply(rules, once=not self.is_span)
            steps += sums.steps
            totals[metric] = sums
        steps += self._of_all(lines, totals)
        costs = {metric: sums.cost for metric, sums in totals.items()}
        due = sum(line.cost for line in lines) + sum(step.cost for step in steps)
        steps += self._credits(costs, due)
        return Bill(self.start, self.end, lines, steps, self.drawn)

    def _share(self, terms: Any, start: int, end: int) -> Fraction:
        return PartRules(terms, start, end, self.whole[1] - self.whole[0]).share(start, end)

    # Lines

    def _lines_of(self, metric: str, layers: Layers) -> list[Line]:
        spans = self.life.spans(metric, self.start, self.end)
        lines: list[Line] = []
        self.layers, self.included = layers, ZERO
        for i, span in enumerate(spans):
            lines.append(self._line(metric, span, self._counting(metric, spans, i, lines)))
            if i == len(spans) - 1:
                self._leave(metric, span)
            if span.window is not None:
                key, now = (metric, span.window), self.life.used(metric, span.start, span.end)
                self.kept.used[key] = self.kept.used.get(key, ZERO) + now
        return lines

    def _counting(
        self, metric: str, spans: Sequence[Span], i: int, lines: Sequence[Line]
    ) -> Counting:
        """Return how the units of a span are counted: alone, with others, or in a window."""
        span, first, last = spans[i], i, i
        while first and spans[first].goes_on:
            first -= 1
        while last + 1 < len(spans) and spans[last + 1].goes_on:
            last += 1
        share = self._share(span.allowance, span.start, span.end)
        if span.window is not None:
            key = metric, span.window
            covered = self.kept.covered.get(key, ZERO)
            return Counting(share, WHOLE, self.kept.used.get(key), covered, span.start)
        if metric in self.life.levels:
            return Counting(share, WHOLE, None, ZERO, span.start)
        start = spans[first].start
        together = self._share(span.allowance, start, spans[last].end)
        if first == i:
            return Counting(share, together, None, ZERO, start)
        before = self.life.used(metric, start, span.start)
        covered = sum((line.granted for line in lines[first:i]), ZERO)
        return Counting(share, together, before, covered, start)

    def _line(self, metric: str, span: Span, counting: Counting) -> Line:
        allowance, before = span.allowance, counting.before or ZERO
        units_before = converted(allowance, before)
        now = self.life.used(metric, span.start, span.end)
        used = max(ZERO, converted(allowance, before + now) - units_before)
        is_level = metric in self.life.levels
        times = counting.share if is_level else WHOLE
        price = for_share(allowance.price, counting.share_of_units, allowance)
        limit = self._limit(span, counting, used)
        if limit is None:
            exact = oracle.price_of(price, ZERO) * times
            paid = ZERO if counting.before is None else exact
            return Line(metric, span, used, None, ZERO, counting.share, exact, paid, is_level)
        room = limit - min(units_before, limit)
        granted = self._draw_units(metric, span, before, units_before, room)
        over = max(ZERO, used - room - granted)
        charged, paid = ZERO, ZERO
        if counting.before is not None:
            charged = max(ZERO, units_before - limit - counting.covered)
            paid = oracle.price_of(price, charged) * times
        exact = oracle.price_of(price, charged + over) * times
        if span.window is not None and granted:
            key = metric, span.window
            self.kept.covered[key] = self.kept.covered.get(key, ZERO) + granted
        return Line(
            metric, span, used, room + granted, over, counting.share, exact, paid, is_level, granted
        )

    def _limit(self, span: Span, counting: Counting, used: Fraction) -> Fraction | None:
        """Return the units that cost nothing but those of grants, and carry over the rest."""
        allowance, rule = span.allowance, span.allowance.carry_over
        if rule is None:
            self.layers = []
        base = self._included(allowance, span, counting.first_day)
        if base is None:
            return None
        included, *free = (
            share_of(units, counting.share_of_units, allowance)
            for units in (base, *(Fraction(d.quantity or 0) for d in allowance.discounts))
        )
        if rule is None:
            return included + sum(free, ZERO)
        self.included += included
        limit, self.layers = carry(rule, self.layers, included, used, sum(free, ZERO), span.start)
        return limit + sum(free, ZERO)

    def _leave(self, metric: str, span: Span) -> None:
        """Keep what the last span leaves; where the period goes on without the metric, nothing."""
        rule = span.allowance.carry_over
        if rule is None or span.end != self.end:
            return
        self.layers = aged(self.layers)
        if self._included(span.allowance, span, span.start) is not None:
            self.layers = within_bounds(rule, self.layers, self.included)
        if self.layers:
            self.kept.carried[metric] = self.layers

    def _included(self, allowance: Allowance, span: Span, first_day: int) -> Fraction | None:
        if span.own:
            (own,) = span.own
            return None if own is None else Fraction(own)
        if allowance.included is None:
            return None
        if allowance.included_per is None:
            return Fraction(allowance.included)
        # A unit that brings others brings them once, and a level those of its own time.
        is_level = allowance.included_per in self.life.levels
        start = span.start if is_level else first_day
        others = self.life.used(allowance.included_per, start, span.end)
        return Fraction(allowance.included) * others

    def _draw_units(
        self, metric: str, span: Span, before: Fraction, units_before: Fraction, room: Fraction
    ) -> Fraction:
        """Draw units beyond the limit on grants, at the noons at which they were used.

        On trial none is drawn.
        """
        if span.trial:
            return ZERO
        running, beyond, drawn = before, ZERO, ZERO
        by_day: dict[int, Fraction] = {}
        for event in self.life.events:
            if event.metric == metric and span.start <= event.day < span.end:
                by_day[event.day] = by_day.get(event.day, ZERO) + event.units
        for day, units in sorted(by_day.items()):
            running += units
            so_far = max(ZERO, converted(span.allowance, running) - units_before)
            now = max(ZERO, so_far - room)
            drawn += self._draw(day, now - beyond, metric)
            beyond = now
        return drawn

    def _draw(self, day: int, wanted: Fraction, metric: str) -> Fraction:
        """Draw units on the grants of a metric that hold on a day, by their rank."""
        drawn = ZERO
        for grant in sorted(self.grants, key=_rank):
            if (grant.metric, grant.currency) == (metric, None):
                drawn += self._draw_on(grant, day, wanted - drawn)
        return drawn

    def _draw_on(self, grant: Grant, day: int, wanted: Fraction) -> Fraction:
        """Draw units, or major units of money, on a grant, if it holds on a day."""
        ends = [day_of(end) for end in (grant.expires_at, grant.voided_at) if end is not None]
        if day < day_of(grant.effective_at) or any(end <= day for end in ends):
            return ZERO
        fill = fill_of(grant, day)
        taken = min(Fraction(grant.units) - self.kept.drawn.get(fill, ZERO), wanted)
        self.kept.drawn[fill] = self.kept.drawn.get(fill, ZERO) + taken
        self.drawn[fill] = self.drawn.get(fill, ZERO) + taken
        return taken

    def _round(self, lines: Sequence[Line]) -> None:
        if self.plan.rounding_scope == "total":
            exact = [line.added * SCALE for line in lines]
            total = oracle.rounded(sum(exact, ZERO), self.plan.rounding.value)
            for line, cost in zip(lines, oracle.largest_remainder(exact, total), strict=True):
                line.cost = cost
            return
        running: dict[str, Fraction] = {}
        for line in lines:
            # By the plan of its own part.
            own = next(part for part in self.parts if line.span.end <= part.end)
            mode = own.plan.rounding.value
            so_far = running.get(line.metric, ZERO) if line.is_level else ZERO
            after = oracle.rounded((so_far + line.exact) * SCALE, mode)
            line.cost = after - oracle.rounded((so_far + line.paid) * SCALE, mode)
            running[line.metric] = so_far + line.exact

    # Rules

    def _of_all(self, lines: Sequence[Line], totals: Mapping[str, Sums]) -> list[Step]:
        by_part = [ZERO] * len(self.parts)
        for metric, sums in totals.items():
            own = [line for line in lines if line.metric == metric]
            for line, exact in zip(own, sums.by_part, strict=True):
                length = Fraction(line.span.end - line.span.start)
                for i, part in enumerate(self.parts):
                    days = min(part.end, line.span.end) - max(part.start, line.span.start)
                    by_part[i] += exact * max(0, days) / length
        cost = sum(sums.cost for sums in totals.values())
        sums = Sums(None, cost, by_part, self.plan.rounding.value, self.ended)
        whole = self.whole[1] - self.whole[0]
        of_plans, of_org = [], []
        for start, end, plan, rules in self.parts:
            terms = on_trial(plan) if rules.trial else plan
            of_plans.append(PartRules(terms, start, end, whole))
            minimum = None if rules.trial else rules.minimum
            terms = Rules(rules.discounts, rules.maximum, minimum, plan.proration)
            of_org.append(PartRules(terms, start, end, whole))
        sums.apply(of_plans, once=not self.is_span)
        sums.apply(of_org, "own_", once=not self.is_span)
        return sums.steps

    def _credits(self, costs: Mapping[str, int], due: int) -> list[Step]:
        """Draw prepaid money, one grant after another, at the end of the last day."""
        steps: list[Step] = []
        left, together, currency = due, sum(costs.values()), self.plan.currency
        paid: dict[str | None, int] = {}
        for grant in sorted(self.grants, key=_rank):
            metric = grant.metric
            if grant.currency != currency or (metric is not None and metric not in costs):
                continue
            most = left
            if metric is not None:
                share = costs[metric]
                if due < together and together > 0:
                    of_metric = Fraction(due, together) * costs[metric]
                    share = min(share, oracle.rounded(of_metric, self.plan.rounding.value))
                most = min(left, share - paid.get(metric, 0))
            pays = self._draw_on(grant, self.end - 1, Fraction(max(0, most), SCALE))
            if pays:
                steps.append(Step(metric, f"credit:{grant.id}", int(-pays * SCALE), -pays))
                left -= int(pays * SCALE)
                paid[metric] = paid.get(metric, 0) + int(pays * SCALE)
        return steps


def fill_of(grant: Grant, day: int) -> Fill:
    """Return a grant's id, and the day on which the units were granted that it holds on a day."""
    first = day_of(grant.effective_at)
    if grant.recurrence is None:
        return grant.id, first
    return grant.id, max(first, whole_of(grant.recurrence, day)[0])


def _rank(grant: Grant) -> tuple[Any, ...]:
    never = date.max.toordinal()
    expires = never if grant.expires_at is None else day_of(grant.expires_at)
    created = day_of(grant.created_at or grant.effective_at)
    return grant.priority, expires, created, grant.id
