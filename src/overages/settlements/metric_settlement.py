"""The settlement of one metric: its lines in a period, and all that they leave for later.

Each span of the metric's terms goes through the same steps, and hands on what it leaves:

1. carry over: the units that earlier periods, or the span before, left;
2. the units that are over the limit;
3. draw these on grants of units, at the instants at which they were used;
4. price, with the drawn units free, as parts of the limit.

Units brought in by an earlier period go to the first span; they age when the period ends, not
between its spans. Where the terms of the next span carry nothing over, they lapse.

    settled = MetricSettlement("tokens", balance, pool, events, shares)
    for span in spans: settled.add(span)
    settled.lines, settled.carried, settled.burndowns
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from itertools import groupby

from overages.amounts.exact import Quantity, add_up
from overages.errors import InvalidValue
from overages.grants.burndown import Burndown
from overages.grants.drawn_grant import PooledGrant
from overages.lines.limit_part import LimitPart, sum_of_parts
from overages.lines.limits import FULL_SHARE, LineContext, terms_parts
from overages.lines.part import TimeShares
from overages.lines.rating import UnroundedLine, limited
from overages.periods.period import Period
from overages.prices.exact_cost import added_cost
from overages.prices.exchange import Exchanged
from overages.prices.models import Volume
from overages.settlements.balance import Balance
from overages.settlements.carry_over_result import (
    CarryOverResult,
    carried_parts,
    carried_undrawn,
    carry_over,
)
from overages.settlements.grant_lines import draw_units, granted_parts
from overages.settlements.spans import Span
from overages.terms.carry_over import CarriedUnits
from overages.usage.event import UsageEvent


class MetricSettlement:
    """The lines of a metric in a period, span by span.

    :param balance: that of the period before.
    :param pool: all grants of its units, in the order in which they are drawn on.
    :param events: those that its usage was counted from, as far as they are known.
    :param shares: the period, and the cycle's whole period that it is a part of.
    :param is_level: whether the metric is held over time.
    """

    def __init__(
        self,
        metric: str,
        balance: Balance,
        pool: Sequence[PooledGrant],
        events: Sequence[UsageEvent],
        shares: TimeShares,
        *,
        is_level: bool,
    ) -> None:
        self._metric, self._pool, self._events = metric, pool, events
        self._shares, self._is_level = shares, is_level
        self._state = balance.burndown(metric, None)
        self._used = {each.period: each.quantities.get(metric) for each in balance.used}
        self._covered = {each.period: each.quantities.get(metric) for each in balance.covered}
        # Units of the spans before whose counters go on: used, and covered by grants.
        self._counted: Quantity | None = None
        self._granted: Quantity = 0
        self._included: Quantity = 0  # by the spans before, of which a share may be carried over
        self.carried: tuple[CarriedUnits, ...] = balance.carried.get(metric, ())
        self.carry_over: CarryOverResult | None = None
        self.lines: list[UnroundedLine] = []
        self.burndowns: list[Burndown] = []

    def add(self, spans: Sequence[Span]) -> None:
        """Settle the spans of the metric, in order of time."""
        end = self._shares.period.start  # of the span before
        for _, group in groupby(spans, key=_counted_over):
            together = list(group)
            if len(together) > 1:
                self._require_countable(together)
            self._counted, self._granted = None, 0
            for span in together:
                if end != span.period.start:  # between them, no plan knows the metric
                    self.carried = ()
                self._settle(span, spans, is_last=span is spans[-1])
                end = span.period.end
        if end != self._shares.period.end:
            self.carried = ()

    def _settle(self, span: Span, spans: Sequence[Span], *, is_last: bool) -> None:
        context = self._context(span)
        parts = terms_parts(span.line, span.quantities, span.own, context)
        context = self._with_carried(span, parts, context, is_last=is_last)
        line = limited(span.line, span.used, parts, context, span.part)
        if self._pool and line.limit is not None:
            burndown = draw_units(line, span, self._pool, self._events_of(span, spans), self._state)
            self.burndowns.append(burndown)
            self._state = burndown.closed()
            if burndown.draws:
                line = line.granted(granted_parts(burndown))
            self._count_covered(span, burndown.covered)
        self.lines.append(line.priced())
        self._count(span)

    def _context(self, span: Span) -> LineContext:
        allowance = span.line.allowance
        share = self._shares.share(allowance, span.part)
        window = _window(span)
        if window is not None:  # it counts over a time of its own, of which this is no share
            covered = self._covered.get(window) or 0
            return LineContext(share, FULL_SHARE, False, self._used.get(window), covered)
        over = None
        if span.counted_over != span.period:
            over = self._shares.share(allowance, span.counted_over)
        counts = self._counted, self._granted
        return LineContext(share, over, self._is_level, *counts)

    def _with_carried(
        self,
        span: Span,
        parts: tuple[LimitPart, ...] | None,
        context: LineContext,
        *,
        is_last: bool,
    ) -> LineContext:
        """Return the context with the units that were carried over, having carried them on."""
        allowance = span.line.allowance
        if allowance.carry_over is None:
            self.carried = ()
            return context
        if parts is None:  # the org's own limit is that it has none, so nothing is drawn
            self.carried = carried_undrawn(self.carried) if is_last else self.carried
            return context
        included = sum_of_parts(parts)
        result = carry_over(
            allowance, self.carried, included, span.used, span.period,
            share=context.share_of_units, ages=is_last, included_before=self._included,
        )  # fmt: skip
        self._included = add_up([self._included, included])
        self.carry_over, self.carried = result, result.carried
        return context.with_parts(carried_parts(result))

    def _events_of(self, span: Span, spans: Sequence[Span]) -> list[UsageEvent]:
        """Return the events that count in a span: of others than its period, in the nearest."""
        first, last = span is spans[0], span is spans[-1]
        return [
            event
            for event in self._events
            if event.metric == self._metric
            and (first or span.period.start <= event.at)
            and (last or event.at < span.period.end)
        ]

    def _count(self, span: Span) -> None:
        """Count the units of a span for those that go on from it."""
        window = _window(span)
        if window is not None:
            self._used[window] = add_up([self._used.get(window) or 0, span.used])
        self._counted = add_up([self._counted or 0, span.used])

    def _count_covered(self, span: Span, units: Quantity) -> None:
        """Count the units that grants paid for: those that go on from them weren't charged."""
        window = _window(span)
        if window is not None and units:
            self._covered[window] = add_up([self._covered.get(window) or 0, units])
        self._granted = add_up([self._granted, units])

    def _require_countable(self, together: Sequence[Span]) -> None:
        """Refuse counters that go on where it can't be said what is charged already."""
        allowances = [span.line.allowance for span in together]
        prices = [allowance.price for allowance in allowances]
        prices = [price.price if isinstance(price, Exchanged) else price for price in prices]
        reasons = {
            "a level": self._is_level,
            "a volume price": any(isinstance(price, Volume) for price in prices),
            "units that are carried over": any(each.carry_over is not None for each in allowances),
            "an allowance for a time of its own": any(
                each.included_for is not None for each in allowances
            ),
            "another fee at quantity zero then": len(set(map(_fee_without_units, together))) > 1,
        }
        for reason, is_so in reasons.items():
            if is_so:
                problem = f"must be 'restart' where {self._metric!r} has {reason}"
                raise InvalidValue("counters", "continue", problem)

    def window_counts(self, spans: Sequence[Span]) -> tuple[_Counts, _Counts]:
        """Return the units used, and those covered by grants, of the windows that go on."""
        if not self._used:
            return {}, {}
        windows = [window for span in spans if (window := _window(span)) is not None]
        going_on = [window for window in windows if self._shares.period.end <= window.end]
        covered = {window: self._covered.get(window) for window in going_on}
        return (
            {window: self._used.get(window) or 0 for window in going_on},
            {window: units for window, units in covered.items() if units},
        )


_Counts = Mapping[Period, Quantity]


def _counted_over(span: Span) -> Period:
    return span.counted_over


def _fee_without_units(span: Span) -> Fraction:
    return Fraction(*added_cost(span.line.allowance.price, None, 0))


def _window(span: Span) -> Period | None:
    cycle = span.line.allowance.included_for
    return None if cycle is None else cycle.period_at(span.period.start)
