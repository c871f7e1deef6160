"""Stops: the limits of a request, each with its measure of a position.

A limit stops a request that would bring its measure above its bound, and higher than it is without
the request: nobody is denied units that cost nothing, or are none, since a budget is spent.

    limits, stops = standing_limits(prospect, requested, budgets, stop_at)
    [stop for stop in stops if not stop.lets_pass(more)]
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import Any, Final, Literal, NamedTuple, TypeAlias

from overages.amounts.exact import Quantity, add_up, excess, scaled, unscaled
from overages.amounts.money import Money
from overages.errors import CurrencyMismatch
from overages.grants.burndown import Burndown
from overages.insight.budget import Budget, WindowedBudget
from overages.periods.period import Period
from overages.quotas.position import MetricPosition, More, Position, Prospect, minor_of
from overages.quotas.standing_limit import LimitKind, Measure, StandingLimit

StopAt: TypeAlias = Literal["limit", "grants"]
"""A limit that is only told otherwise, and stops requests: no unit beyond the ``"limit"`` that an
org has without overage; nothing due beyond its ``"grants"`` and the units that are included."""

_NO_MORE: Final[More] = {}


class Stop(NamedTuple):
    """A limit that requests beyond it are denied by.

    :param measure: its number with the units that are asked for, beside all that is held.
    :param bound: the most that it may come to.
    """

    limit: StandingLimit
    measure: Callable[[More], Any]
    bound: Any

    def lets_pass(self, more: More) -> bool:
        """Tell whether more units, beside those that are held, are within it."""
        after = self.measure(more)
        return bool(after <= self.bound or after <= self.measure(_NO_MORE))

    @property
    def is_reached(self) -> bool:
        """Whether nothing is left of it."""
        left = self.limit.remaining
        return not (left.minor if isinstance(left, Money) else left)


def standing_limits(
    prospect: Prospect,
    requested: More,
    budgets: Iterable[Budget | WindowedBudget],
    stop_at: Collection[StopAt],
) -> tuple[tuple[StandingLimit, ...], list[Stop]]:
    """Return every limit that stands for a request, and those that can stop it."""
    limits = _Limits(prospect)
    by_metric: dict[str | None, list[Budget | WindowedBudget]] = {}
    for each in budgets:
        by_metric.setdefault(_budget(each).metric, []).append(each)
    for metric in requested:
        if prospect.allowance(metric) is None:
            limits.add_unknown(metric)
            limits.add_budgets(by_metric.get(metric, ()))
            continue
        limits.add_units(metric, stops="limit" in stop_at)
        limits.add_budgets(by_metric.get(metric, ()))
        limits.add_grants(metric)
    limits.add_budgets(by_metric.get(None, ()))
    limits.add_money_grants(stops="grants" in stop_at)
    return tuple(limits.limits), limits.stops


def _budget(each: Budget | WindowedBudget) -> Budget:
    return each if isinstance(each, Budget) else each.budget


class _Limits:
    """The limits of a request so far, and those among them that can stop it."""

    def __init__(self, prospect: Prospect) -> None:
        self._prospect = prospect
        self._before, self._with_held = prospect.after(_NO_MORE), prospect.beside_holds(_NO_MORE)
        self.limits: list[StandingLimit] = []
        self.stops: list[Stop] = []

    def _add(self, limit: StandingLimit, measure: Callable[[More], Any], bound: Any) -> None:
        self.limits.append(limit)
        if limit.stops:
            self.stops.append(Stop(limit, measure, bound))

    def add_unknown(self, metric: str) -> None:
        """Add the limit of a metric that the plan doesn't know: nothing of it may be used."""
        limit = StandingLimit("unknown_metric", 0, 0, 0, metric=metric, stops=True)
        self._add(limit, lambda more: more.get(metric, 0), 0)

    def add_units(self, metric: str, *, stops: bool) -> None:
        """Add the limit of a metric beyond which units are overage, and its hard limit."""
        now, held = (self._metric(metric, each) for each in (self._before, self._with_held))
        line, hard = now.line, self._prospect.hard_limit(now)
        if line.limit is not None:
            period = self._limit_period(now)
            own: LimitKind = "own_limit" if metric in self._prospect.own_limits else "included"
            free, left = self._free(now, self._before), self._free(held, self._with_held)
            # Units that grants will pay for are no overage either, so they stop nothing.
            granted = self._before.left.get(metric, 0) if stops else 0
            base = max(line.limit, line.used) if granted else line.limit  # they pay for no overage
            # Units of another metric that are held can bring more of this one, and hide its own.
            picos = max(free - left, scaled(held.line.used) - scaled(line.used), 0)
            limit = StandingLimit(
                own, add_up([base, granted]), line.used, unscaled(picos),
                metric=metric, period=period, resets_at=period.end, stops=stops,
            )  # fmt: skip
            self._add(limit, lambda more: self._after(metric, more).line.quantity, 0)
        if hard is not None:
            limit = StandingLimit(
                "hard_limit", hard, now.counted, excess(held.counted, now.counted),
                metric=metric, period=now.time, resets_at=now.time.end, stops=True,
            )  # fmt: skip
            self._add(limit, lambda more: self._after(metric, more).counted, hard)

    def _metric(self, metric: str, position: Position) -> MetricPosition:
        return self._prospect.metric(metric, position)

    def _after(self, metric: str, more: More) -> MetricPosition:
        return self._metric(metric, self._prospect.beside_holds(more))

    def _free(self, now: MetricPosition, position: Position) -> int:
        """Return the picos that may still be used without overage, below zero if there is some."""
        line = now.line
        left = add_up([line.limit or 0, position.left.get(line.metric, 0)])
        return scaled(left) - scaled(line.used)

    def _limit_period(self, now: MetricPosition) -> Period:
        cycle = now.allowance.included_for
        return now.time if cycle is None else cycle.period_at(now.time.start)

    def add_budgets(self, budgets: Iterable[Budget | WindowedBudget]) -> None:
        """Add budgets, of money or of units."""
        for each in budgets:
            budget = _budget(each)
            if isinstance(budget.amount, Money):
                self._require_currency(budget, budget.amount)
                if isinstance(each, WindowedBudget):
                    self._add_charges(each, budget.amount)
                else:
                    self._add_money(budget, budget.amount)
            elif isinstance(each, WindowedBudget):
                self._add_window(each, budget.amount)
            else:
                self._add_period(budget, budget.amount)

    def _require_currency(self, budget: Budget, amount: Money) -> None:
        currency = self._prospect.statement.currency
        if amount.currency != currency:
            field = ("budgets", budget.id, "amount")
            raise CurrencyMismatch(currency.code, amount.currency.code, field)

    def _add_money(self, budget: Budget, amount: Money) -> None:
        if budget.on_reached == "stop_charging":
            amount = self._prospect.own_maximum(amount)

        def due(position: Position) -> int:
            return minor_of(position.statement, budget.metric)

        used, with_held = due(self._before), due(self._with_held)
        limit = self._budget_limit(
            budget, amount, Money(used, amount.currency), Money(with_held - used, amount.currency),
            self._prospect.statement.period,
        )  # fmt: skip
        self._add(limit, lambda more: due(self._prospect.beside_holds(more)), amount.minor)

    def _add_charges(self, window: WindowedBudget, amount: Money) -> None:
        spent = _minor(window.used) + _minor(window.held)
        bills = self._prospect.statements_until(window.resets_at)

        def due(more: More) -> int:
            own = [each for each in bills(more) if each.currency == amount.currency]
            return sum(minor_of(each, window.budget.metric) for each in own)

        before = due(_NO_MORE)

        def measure(more: More) -> int:  # units that add to the bills add it to the window
            return spent + due(more) - before

        limit = self._budget_limit(window.budget, amount, window.used, window.held, window.period)
        self._add(limit, measure, amount.minor)

    def _add_period(self, budget: Budget, amount: Quantity) -> None:
        metric = str(budget.metric)

        used, period = self._before.used_of(metric), self._prospect.statement.period
        held = excess(self._with_held.used_of(metric), used)
        self._add(
            self._budget_limit(budget, amount, used, held, period),
            lambda more: self._prospect.beside_holds(more).used_of(metric),
            amount,
        )

    def _add_window(self, window: WindowedBudget, amount: Quantity) -> None:
        metric, convert = str(window.budget.metric), self._convert(str(window.budget.metric))
        seen = [_units(window.used), _units(window.held)]

        def measure(more: More) -> Quantity:  # a window has holds of its own
            return convert(add_up([*seen, more.get(metric, 0)]))

        used, held = convert(seen[0]), excess(convert(add_up(seen)), convert(seen[0]))
        limit = self._budget_limit(window.budget, amount, used, held, window.period)
        self._add(limit, measure, amount)

    def _convert(self, metric: str) -> Callable[[Quantity], Quantity]:
        allowance = self._prospect.allowance(metric)
        return _as_it_is if allowance is None else allowance.converted

    def _budget_limit(
        self, budget: Budget, amount: Measure, used: Measure, held: Measure, period: Period
    ) -> StandingLimit:
        return StandingLimit(
            "budget", amount, used, held, metric=budget.metric, name=budget.id,
            period=period, resets_at=period.end, stops=budget.on_reached == "stop_usage",
        )  # fmt: skip

    def add_grants(self, metric: str) -> None:
        """Add the grants of a metric's units, and of money that pays for it alone."""
        for burndown in self._before.burndowns:
            if burndown.metric == metric:
                self.limits.append(self._grants_limit(burndown, stops=False))

    def add_money_grants(self, *, stops: bool) -> None:
        """Add the grants of money for any metric.

        :param stops: whether nothing more may be due, beyond them and all that is included.
        """
        currency = self._prospect.statement.currency
        nothing = Money(0, currency)
        limit = StandingLimit("grants", nothing, nothing, nothing, stops=stops)
        for burndown in self._before.burndowns:
            if burndown.metric is None and burndown.currency == currency:
                limit = self._grants_limit(burndown, stops=stops)
                break
        else:
            if not stops:  # then an org without any has no such limit
                return
        self._add(limit, lambda more: self._prospect.beside_holds(more).statement.minor, 0)

    def _grants_limit(self, burndown: Burndown, *, stops: bool) -> StandingLimit:
        drawn, left = burndown.drawn, burndown.left
        by_unit = {each.unit: each.left for each in self._with_held.burndowns}
        held = excess(left, by_unit[burndown.unit])
        sizes: list[Quantity] = [add_up([drawn, left]), drawn, held]
        measures: list[Measure] = [*sizes]
        if burndown.currency is not None:
            measures = [Money.of(size, burndown.currency) for size in sizes]
        names = [each.grant_id for each in burndown.grants]
        return StandingLimit(
            "grants", *measures, metric=burndown.metric, stops=stops,
            name=names[0] if len(names) == 1 else None,
        )  # fmt: skip


def _minor(measure: Measure) -> int:
    assert isinstance(measure, Money)  # as the amount of its budget is
    return measure.minor


def _units(measure: Measure) -> Quantity:
    assert not isinstance(measure, Money)  # as the amount of its budget isn't
    return measure


def _as_it_is(units: Quantity) -> Quantity:
    return units
