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

from collections.abc import Iterable, Sequence
from fractions import Fraction

from overages.amounts.exact import Quantity, plus
from overages.errors import InvalidValue
from overages.grants.burndown import Burndown
from overages.grants.drawn_grant import PooledGrant
from overages.lines.limit_part import LimitPart, sum_of_parts
from overages.lines.limits import NO_CONTEXT, LineContext, new_context, terms_part
from overages.lines.part import FULL_SHARE, TimeShares
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
from overages.statements.spans import Span
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
        self.state: Burndown | None = balance.burndown(metric, None)
        """The state of the grants of its units, from which the next period goes on."""
        self._windows: list[Period] = []  # that its spans lie in
        self._used: dict[Period, Quantity | None] = {}
        self._covered: dict[Period, Quantity | None] = {}
        for each in balance.used:
            self._used[each.period] = each.quantities.get(metric)
        for each in balance.covered:
            self._covered[each.period] = each.quantities.get(metric)
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
        counted_over: Period | None = None
        for span in spans:
            if span.counted_over is not counted_over:
                counted_over = span.counted_over
                if len(spans) > 1:
                    self._require_countable([s for s in spans if s.counted_over is counted_over])
                self._counted, self._granted = None, 0
            if end != span.period.start:  # between them, no plan knows the metric
                self.carried = ()
            self._settle(span, spans, is_last=span is spans[-1])
            end = span.period.end
        if end != self._shares.period.end:
            self.carried = ()

    def _settle(self, span: Span, spans: Sequence[Span], *, is_last: bool) -> None:
        window = _window(span)
        context = self._context(span, window)
        of_terms, used = terms_part(span.line, span.quantities, span.own, context), span.used()
        others = self._carried_to(span, used, of_terms, context.share_of_units, is_last=is_last)
        line = limited(span.line, used, of_terms, context, span.part, others)
        granted: tuple[LimitPart, ...] = ()
        if self._pool and line.limit is not None:
            burndown = draw_units(line, span, self._pool, self._events_of(span, spans), self.state)
            self.burndowns.append(burndown)
            self.state = burndown.closed()
            if burndown.draws:
                granted = granted_parts(burndown)
                self._count_covered(window, sum_of_parts(granted))
        self.lines.append(line.priced(granted))
        if window is not None or not is_last:
            self._count(window, used)

    def _context(self, span: Span, window: Period | None) -> LineContext:
        allowance = span.line.allowance
        share = self._shares.share(allowance, span.part)
        is_whole = share is FULL_SHARE and not self._is_level
        if is_whole and window is None and self._counted is None:  # as of most
            return NO_CONTEXT
        if window is not None:  # it counts over a time of its own, of which this is no share
            covered = self._covered.get(window) or 0
            return new_context(share, FULL_SHARE, False, self._used.get(window), covered)
        of_units = share
        if self._is_level:
            of_units = FULL_SHARE
        elif span.counted_over is not span.period:
            of_units = self._shares.share(allowance, span.counted_over)
        return new_context(share, of_units, self._is_level, self._counted, self._granted)

    def _carried_to(
        self,
        span: Span,
        used: Quantity,
        of_terms: LimitPart | None,
        share: Fraction,
        *,
        is_last: bool,
    ) -> tuple[LimitPart, ...]:
        """Return the units that are carried over to a span as parts of its limit; carry them on."""
        allowance = span.line.allowance
        if allowance.carry_over is None:
            self.carried = ()
            return ()
        if of_terms is None:  # the org's own limit is that it has none, so nothing is drawn
            self.carried = carried_undrawn(self.carried) if is_last else self.carried
            return ()
        included = of_terms.quantity
        result = carry_over(
            allowance, self.carried, included, used, span.period,
            share=share, ages=is_last, included_before=self._included,
        )  # fmt: skip
        if not is_last:
            self._included = plus(self._included, included)
        self.carry_over, self.carried = result, result.carried
        return carried_parts(result)

    def _events_of(self, span: Span, spans: Sequence[Span]) -> list[UsageEvent]:
        """Return the events that count in a span: of others than its period, in the nearest."""
        if not self._events:
            return []
        first, last = span is spans[0], span is spans[-1]
        return [
            event
            for event in self._events
            if event.metric == self._metric
            and (first or span.period.start <= event.at)
            and (last or event.at < span.period.end)
        ]

    def _count(self, window: Period | None, units: Quantity) -> None:
        """Count the units of a span for those that go on from it."""
        if window is not None:
            self._windows.append(window)
            self._used[window] = plus(self._used.get(window) or 0, units)
        self._counted = plus(self._counted or 0, units)

    def _count_covered(self, window: Period | None, units: Quantity) -> None:
        """Count the units that grants paid for: those that go on from them weren't charged."""
        if window is not None:
            self._covered[window] = plus(self._covered.get(window) or 0, units)
        self._granted = plus(self._granted, units)

    def _require_countable(self, together: Sequence[Span]) -> None:
        """Refuse counters that go on where it can't be said what is charged already."""
        if len(together) == 1:  # nothing goes on
            return
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

    def window_counts(self) -> Iterable[tuple[Period, Quantity, Quantity]]:
        """Return the windows that go on, with the units used in each, and those grants covered."""
        return [
            (window, self._used[window] or 0, self._covered.get(window) or 0)
            for window in self._windows
            if self._shares.period.end <= window.end
        ]


def _fee_without_units(span: Span) -> Fraction:
    return Fraction(*added_cost(span.line.allowance.price, None, 0))


def _window(span: Span) -> Period | None:
    cycle = span.line.allowance.included_for
    return None if cycle is None else cycle.period_at(span.period.start)
