"""Deciding: from a plan, usage and a request to a decision.

It is worked out by the statement that the units would lead to, so that what a decision says of
their cost is what the bill then says, if nothing else comes between:

    decide(plan, usage, {"runs": 10}, limits={"runs": 60}, held={"runs": 5})
    decision_on(parse_request({"runs": 10}), prospect, budgets)           # of an org's own terms
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from fractions import Fraction
from functools import partial
from typing import Final

from overages._ground.frozen_dict import FrozenDict
from overages._ground.parsing import arguments, each, instance_of, optional
from overages.amounts.exact import (
    Quantity,
    QuantityLike,
    add_up,
    number_from_ratio,
)
from overages.amounts.money import new_money
from overages.errors import Field, InvalidType, InvalidValue
from overages.insight.budget import Budget, WindowedBudget
from overages.periods.period import parse_instant
from overages.quotas.decision import Decision, new_decision
from overages.quotas.plain_decision import plain_decision
from overages.quotas.position import More, Position, Prospect
from overages.quotas.request import NO_UNITS, OnPassing, Request, parse_request
from overages.quotas.stops import Stop, StopAt, standing_limits
from overages.statements.calculation import calculate, own_limits
from overages.terms.plan import Plan
from overages.terms.terms import Limits
from overages.usage.usage import Usage, parse_quantities

_NEVER: Final = datetime.max.replace(tzinfo=UTC)


def decide(
    plan: Plan,
    usage: Usage,
    requested: Mapping[str, QuantityLike],
    *,
    limits: Limits | None = None,
    held: Mapping[str, QuantityLike] = NO_UNITS,
    budgets: Iterable[Budget | WindowedBudget] = (),
    at_least: Mapping[str, QuantityLike] = NO_UNITS,
    on_passing: OnPassing = "reject",
    stop_at: Iterable[StopAt] = (),
    at: datetime | None = None,
    counted_at: datetime | None = None,
) -> Decision:
    """Return the decision on units by a plan: whether they may be used, and at which cost.

    Several metrics at once are all or nothing, unless fewer are accepted. It is `calculate` before
    and after, so that all that depends on earlier periods (carry-over, grants, an allowance for a
    year) isn't known here; `OverageService.decide` knows it.

    :param usage: an org's quantities in its present period, so far.
    :param requested: units by metric, zero or more.
    :param limits: the org's own limits by metric; None is unlimited.
    :param held: units by metric that reservations hold beside the usage.
    :param budgets: those that the org has; one of a window as a `WindowedBudget`.
    :param at_least: the fewest units, by metric, that are accepted if not all may be used.
    :param on_passing: ``"reject"`` a request that would pass a limit; ``"clamp"`` it to as many
        whole units as fit; or let it ``"cross"`` a limit of which something is left. Where a cost
        can fall with the quantity (volume prices), those that fit aren't always the most that do.
    :param stop_at: limits that only tell otherwise, and here deny: ``"limit"`` allows no overage,
        ``"grants"`` nothing that is due beyond prepaid and included units.
    :param at: the present instant, timezone-aware; and when the usage was counted, `counted_at`.
    :raises InvalidType: for a value of a wrong type.
    :raises InvalidValue: for a value that is not allowed; `InvalidValues` for several.
    :raises UnknownMetric: if usage or a limit names a metric that the plan doesn't know. One that
        is requested is denied.
    :raises CurrencyMismatch: if a budget is in another currency than the plan.

    >>> from overages import Allowance, Period, PerUnit
    >>> plan = Plan("starter", "USD", {"runs": Allowance(50, PerUnit("1.00"), hard_limit=100)})
    >>> usage = Usage("acme", Period.month(2024, 2), {"runs": 45})
    >>> decision = decide(plan, usage, {"runs": 10})
    >>> print(decision.verdict, decision.cost)
    allow 5.00 USD
    >>> print(decide(plan, usage, {"runs": 60}).explain())
    denied 60 runs (runs: hard limit 100, used 45, 55 left)
    """
    request = parse_request(requested, at_least, on_passing, stop_at)
    plan, usage, reserved, of_org, now, counted = _parse_arguments(
        plan, usage, held, budgets, at, counted_at
    )
    if counted is not None and (now is None or counted > now):
        raise InvalidValue("counted_at", counted, "must not be later than the decision, at")
    return decision_by_plan(
        request, plan, usage, reserved, of_org, limits=limits, at=now, counted_at=counted
    )


def decision_by_plan(
    request: Request,
    plan: Plan,
    usage: Usage,
    held: Mapping[str, Quantity],
    budgets: Sequence[Budget | WindowedBudget],
    *,
    limits: Limits | None,
    at: datetime | None,
    counted_at: datetime | None,
) -> Decision:
    """Return the decision of `decide`, of arguments that were checked, all but the limits.

    :raises UnknownMetric: as `decide` does; and `CurrencyMismatch`.
    """
    own = own_limits(plan, limits)
    if not (budgets or request.stop_at):
        plain = plain_decision(plan, usage, request.units, own, held, at, counted_at)
        if plain is not None:
            return plain

    def position(more: More) -> Position:
        used = _together(usage.quantities, more)
        at_it = Usage(usage.org_id, usage.period, used)
        return Position(calculate(plan, at_it, limits=limits, ended=False))

    beside_holds = partial(_beside, position, held) if held else None
    prospect = Prospect(position, own, at=at, beside_holds=beside_holds)
    return decision_on(request, prospect, budgets, at, counted_at)


def _parse_budget(value: object, field: Field) -> Budget | WindowedBudget:
    if not isinstance(value, (Budget, WindowedBudget)):
        raise InvalidType(field, value, "must be a Budget or a WindowedBudget")
    if isinstance(value, Budget) and value.window is not None:
        problem = "must be a WindowedBudget, with what its window has seen"
        raise InvalidValue(field, value, problem)
    return value


_parse_arguments: Final = arguments(
    plan=instance_of(Plan),
    usage=instance_of(Usage),
    held=parse_quantities,
    budgets=each(_parse_budget),
    at=optional(parse_instant),
    counted_at=optional(parse_instant),
)


def _beside(position: Callable[[More], Position], held: More, more: More) -> Position:
    return position(_together(held, more))


def _together(left: More, right: More) -> dict[str, Quantity]:
    return {m: add_up([left.get(m, 0), right.get(m, 0)]) for m in (*left, *right)}


def decision_on(
    request: Request,
    prospect: Prospect,
    budgets: Iterable[Budget | WindowedBudget],
    at: datetime | None,
    counted_at: datetime | None,
) -> Decision:
    """Return the decision on a request, by the positions that it can lead to."""
    limits, stops = standing_limits(prospect, request.units, budgets, request.stop_at)
    granted, stop = _Granting(request, stops).granted()
    some = any(granted.values())
    verdict = "allow" if stop is None else "partly" if some else "deny"
    costs = None
    if not any(each.kind == "unknown_metric" for each in limits):
        costs = _costs(prospect, granted if some else request.units)
    cost, exact, overage, exact_overage = costs or (None, Fraction(), None, Fraction())
    currency = prospect.statement.currency
    return new_decision(
        prospect.statement.org_id, verdict, request.units, FrozenDict(granted),
        None if cost is None else new_money(cost, currency), number_from_ratio(*_ratio(exact)),
        None if overage is None else new_money(overage, currency),
        number_from_ratio(*_ratio(exact_overage)),
        limits, None if stop is None else stop.limit, at, counted_at,
    )  # fmt: skip


def _ratio(number: Fraction) -> tuple[int, int]:
    return number.as_integer_ratio()


def _costs(prospect: Prospect, more: More) -> tuple[int, Fraction, int, Fraction]:
    """Return the changes of the bill: in all, exactly, and both for the overage alone."""
    before, after = prospect.after(NO_UNITS), prospect.after(more)
    return (
        after.statement.minor - before.statement.minor,
        after.exact_total - before.exact_total,
        after.overage_minor - before.overage_minor,
        after.exact_overage - before.exact_overage,
    )


class _Granting:
    """Finds the units that may be used of those that are asked for."""

    def __init__(self, request: Request, stops: Sequence[Stop]) -> None:
        self._request, self._stops = request, stops

    def granted(self) -> tuple[More, Stop | None]:
        """Return the units of each metric, and the limit that more would pass."""
        units, least = self._request.units, self._request.least
        nothing = dict.fromkeys(units, 0)
        for stop in self._stops:  # first, as no other limit can be measured with such units
            if stop.limit.kind == "unknown_metric":
                return nothing, stop
        passed = self._passed(units)
        if passed is None:
            return units, None
        if least == units:
            return nothing, passed
        if (below := self._passed(least)) is not None:
            return nothing, below
        granted = dict(least)
        for metric in units:
            granted[metric] = self._most(granted, metric)
        short = next(metric for metric in units if granted[metric] < units[metric])
        more = min(units[short], add_up([granted[short], 1]))
        return granted, self._passed({**granted, short: more}) or passed

    def _passed(self, more: More) -> Stop | None:
        """Return the limit that units would pass; None if they may be used.

        Of several it is the one that resets last: until then they can't be allowed.
        """
        return max(self._all_passed(more), key=_resets_at, default=None)

    def _all_passed(self, more: More) -> Iterator[Stop]:
        for stop in self._stops:
            if not stop.lets_pass(more):
                crosses = self._request.on_passing == "cross" and not stop.is_reached
                if not crosses:
                    yield stop

    def _fits(self, more: More) -> bool:
        return not any(True for _ in self._all_passed(more))

    def _most(self, granted: More, metric: str) -> Quantity:
        """Return the most whole units of a metric that fit, beside those of others; or all."""
        most, fits = self._request.units[metric], granted[metric]
        if self._fits({**granted, metric: most}):
            return most
        low, high = int(fits), int(most) + 1
        while high - low > 1:
            middle = (low + high) // 2
            if self._fits({**granted, metric: middle}):
                low, fits = middle, middle
            else:
                high = middle
        return fits


def _resets_at(stop: Stop) -> datetime:
    return stop.limit.resets_at or _NEVER
