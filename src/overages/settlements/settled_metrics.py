"""The settled metrics of a period: the lines of all of them, and what each leaves for later.

    settled = SettledMetrics(agreed, usage, balance, shares)
    settled.add(pools, events, levels)
    settled.lines, settled.carried, settled.burndowns

A metric whose terms hold all the time, and depend on no earlier period, has its line at once; any
other goes through the steps of a `MetricSettlement`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence, Set
from operator import itemgetter
from typing import Final

from overages.amounts.exact import Quantity
from overages.errors import InvalidValue, OveragesError, UnknownMetric
from overages.grants.burndown import Burndown
from overages.grants.drawn_grants import Pools
from overages.grants.grant import Unit
from overages.lines.part import TimeShares, metrics_in_order
from overages.lines.rating import UnroundedLine
from overages.periods.period import Period
from overages.settlements.balance import Balance
from overages.settlements.carry_over_result import CarryOverResult
from overages.settlements.metric_settlement import MetricSettlement
from overages.statements.flat_lines import NO_LINES, FlatLines, flat_lines
from overages.statements.rated_statement import line_alone
from overages.statements.spans import AgreedPart, PeriodUsage, spans_of
from overages.terms.carry_over import CarriedUnits
from overages.terms.compiled import CompiledLine
from overages.usage.event import UsageEvent
from overages.usage.usage import Usage

_metric_of: Final[Callable[[Unit], str | None]] = itemgetter(0)


class SettledMetrics:
    """The lines of a period's metrics, and all that they leave.

    :param agreed: the parts of the period, each with its plan and the org's own limits.
    :param balance: that of the period before.
    :param shares: the period, and the cycle's whole period that it is a part of.
    """

    def __init__(
        self,
        agreed: Sequence[AgreedPart],
        usage: PeriodUsage,
        balance: Balance,
        shares: TimeShares,
    ) -> None:
        self._agreed, self._usage, self._balance, self._shares = agreed, usage, balance, shares
        self._levels: Set[str] = frozenset()
        self.lines: list[UnroundedLine] = []
        self.flat_lines: FlatLines = NO_LINES
        self.carried: dict[str, tuple[CarriedUnits, ...]] = {}
        self.carry_overs: dict[str, CarryOverResult] = {}
        self.burndowns: list[Burndown] = []
        self.states: list[Burndown] = []
        # Counts of windows that go on stay, where the terms of this period have no part in them.
        self.used: dict[Period, dict[str, Quantity]] = _counts_after(balance.used, shares.period)
        self.covered: dict[Period, dict[str, Quantity]] = _counts_after(
            balance.covered, shares.period
        )

    def add(
        self,
        pools: Pools,
        events: Sequence[UsageEvent],
        levels: Set[str],
    ) -> None:
        """Settle each metric that a statement has to look at, in its order.

        :param pools: the org's grants, by their unit.
        :param events: those that the usage was counted from, as far as they are known.
        :param levels: metrics that are levels where their allowance doesn't say.
        """
        self._levels = levels
        for metric in self._metrics(pools):
            pool = pools.get((metric, None), ())
            try:
                level = self._is_level(metric)
                if not pool and (line := self._line_without_steps(metric)) is not None:
                    quantities, own = self._usage.of_period.quantities, self._agreed[0].limits
                    self.lines.append(
                        line_alone(line, quantities, own, self._shares, is_level=level)
                    )
                    continue
                settled = MetricSettlement(
                    metric, self._balance, pool, events, self._shares, is_level=level
                )
                spans = spans_of(metric, self._agreed, self._usage, self._is_level)
                settled.add(spans)
            except UnknownMetric:
                raise
            except OveragesError as error:
                raise error.within(metric) from error.__cause__
            self._take(metric, settled)

    def _take(self, metric: str, settled: MetricSettlement) -> None:
        """Take over what a metric has come to."""
        self.lines += settled.lines
        self.burndowns += settled.burndowns
        if settled.burndowns and settled.state is not None:
            self.states.append(settled.state)
        if settled.carried:
            self.carried[metric] = settled.carried
        if settled.carry_over is not None:
            self.carry_overs[metric] = settled.carry_over
        for window, used, covered in settled.window_counts():
            self.used.setdefault(window, {})[metric] = used
            if covered:
                self.covered.setdefault(window, {})[metric] = covered

    def _is_level(self, metric: str) -> bool:
        """Tell whether a metric is held over time.

        :raises InvalidValue: if the plans differ in that, or say a flow of one that is counted as a
            level: a sum of seats, or a maximum of tokens, would be billed.
        """
        is_level = is_flow = False
        for each in self._agreed:
            line = each.part.plan.compiled.by_metric.get(metric)
            if line is not None and line.is_level(self._levels):
                is_level = True
            elif line is not None:
                is_flow = True
        if is_level and is_flow:
            kind = ["flow", "level"]
            raise InvalidValue("kind", kind, "must be the same in all parts of a period")
        if metric in self._levels and not is_level:
            problem = "must be 'level', as the metric is counted, or left out"
            raise InvalidValue("kind", "flow", problem)
        return is_level

    def _line_without_steps(self, metric: str) -> CompiledLine | None:
        """Return the line of a metric whose terms hold all the time, and look at none before."""
        if len(self._agreed) > 1:
            return None
        line = self._agreed[0].part.plan.compiled.by_metric[metric]
        return None if line.allowance.needs_balance else line

    def _metrics(self, pools: Pools) -> Iterable[str]:
        """Return the metrics that go through steps, having rated at once those that don't."""
        if len(self._agreed) > 1 or self._shares.billing_period is not None:
            # Each limit is another one than the plan's, used or not.
            return metrics_in_order([each.part for each in self._agreed])
        part, limits = self._agreed[0].part, self._agreed[0].limits
        plan, quantities = part.plan, self._usage.of_period.quantities
        granted = tuple(filter(None, map(_metric_of, pools)))
        is_flat = part.is_flat and plan.rounding_scope == "line"
        lines: Sequence[CompiledLine] = plan.compiled.lines
        if not (is_flat and plan.compiled.is_short):
            lines = plan.compiled.lines_of(quantities, limits, plan.compiled.balanced, granted)
        if not is_flat:
            return [line.metric for line in lines]
        others = plan.compiled.balanced.union(granted, self._levels)
        alone, stepwise = [], []
        for line in lines:
            if line.metric in others:
                stepwise.append(line.metric)
            else:
                alone.append(line)
        self.flat_lines = flat_lines(plan, alone, quantities, limits or None)
        return stepwise


def _counts_after(counts: Iterable[Usage], period: Period) -> dict[Period, dict[str, Quantity]]:
    """Return the units by window and metric, of windows that end after a period."""
    counted: dict[Period, dict[str, Quantity]] = {}
    for each in counts:
        if period.end < each.period.end:
            counted[each.period] = {**each.quantities}
    return counted
