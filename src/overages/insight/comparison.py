"""Comparison: what plans would have cost over recorded usage, and which one to be on.

    comparison = compare([starter, pro], usages, current="starter")
    comparison.total("pro"), comparison.cheapest()    # Money(36000, "USD"), "pro"
    comparison.recommendation.reason                  # with the amounts of both
    print(comparison)

A plan's cost is its fee and the total of its statement, period by period, as it is billed: a change
of limits, of prices or of a plan is tried by plans made with `evolve`, and by other `limits`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import count, groupby, pairwise
from typing import Any, Literal, TypeAlias

from overages._ground.display import html_table, text_table
from overages._ground.frozen_dict import FrozenDict
from overages._ground.names import optional_name, parse_name
from overages._ground.parsing import (
    Problems,
    choice_of,
    instance_of,
    optional,
    parse_all,
    tuple_of,
)
from overages._ground.value import derived, term, value
from overages.amounts.exact import parse_ordinal
from overages.amounts.money import Currency, Money
from overages.errors import CurrencyMismatch, Field, InvalidValue, UnknownPlan, at, did_you_mean
from overages.insight.curves import minor_fee
from overages.periods.cycle import Cycle
from overages.periods.period import Period
from overages.settlements.balance import Balance
from overages.settlements.settlement import settle
from overages.statements.calculation import calculate
from overages.terms.account import Account
from overages.terms.plan import Plan
from overages.terms.terms import MONTHS, NO_LIMITS, Limits, parse_own_limits
from overages.usage.usage import Usage

Move: TypeAlias = Literal["up", "down", "stay"]
"""The advice: change to a plan with a higher fee, to one with a lower fee, or nothing."""


@value
class PlanCost:
    """The cost of one plan in one period.

    :param plan: the slug of the plan.
    :param period: the period.
    :param fee: the plan's fee for it.
    :param overage: the total of its statement.
    :raises CurrencyMismatch: if the two are in different currencies.

    >>> february = Period.month(2024, 2)
    >>> print(PlanCost("starter", february, Money(4900, "USD"), Money(2500, "USD")).total)
    74.00 USD
    """

    plan: str = term(parse_name)
    period: Period = term(instance_of(Period))
    fee: Money = term(instance_of(Money))
    overage: Money = term(instance_of(Money))

    def __init__(self, plan: str, period: Period, fee: Money, overage: Money) -> None: ...

    def _check(self, problems: Problems) -> None:
        if self.fee.currency != self.overage.currency:
            codes = self.fee.currency.code, self.overage.currency.code
            problems.add(CurrencyMismatch(*codes, "overage"))

    @property
    def total(self) -> Money:
        """The fee and the overage."""
        return self.fee + self.overage


@value
class Recommendation:
    """The plan to be on, with the costs that say so.

    :param move: ``"up"`` to a plan with a higher fee, ``"down"`` to one with a lower fee, or
        ``"stay"``; of two plans with the same fee, the one that was named later is up.
    :param plan: the slug of the plan to be on.
    :param cost: its cost in all periods.
    :param periods: the number of periods, from 1.
    :param other: the plan that it was compared with: the current one, or, to stay, the cheapest of
        the others; None if there is no other.
    :param other_cost: the cost of that one.
    :raises InvalidValue: if only one of the last two is given.
    :raises CurrencyMismatch: if the costs are in different currencies.

    >>> starter = Money.of("290", "USD")
    >>> print(Recommendation("up", "pro", Money.of("205", "USD"), 3, "starter", starter))
    go up to pro: 205.00 USD over 3 periods, and starter 290.00 USD
    """

    move: Move = term(choice_of(Move))
    plan: str = term(parse_name)
    cost: Money = term(instance_of(Money))
    periods: int = term(parse_ordinal)
    other: str | None = term(optional_name)
    other_cost: Money | None = term(optional(instance_of(Money)))

    def __init__(
        self,
        move: Move,
        plan: str,
        cost: Money,
        periods: int,
        other: str | None = None,
        other_cost: Money | None = None,
    ) -> None: ...

    def _check(self, problems: Problems) -> None:
        if (self.other is None) != (self.other_cost is None):
            problem = "must be given together with the other plan"
            problems.add(InvalidValue("other_cost", self.other_cost, problem))
        if self.other_cost is not None and self.other_cost.currency != self.cost.currency:
            codes = self.cost.currency.code, self.other_cost.currency.code
            problems.add(CurrencyMismatch(*codes, "other_cost"))

    @property
    def saving(self) -> Money:
        """The cost of the other plan less that of this one; zero if there is no other."""
        return (self.cost if self.other_cost is None else self.other_cost) - self.cost

    @property
    def reason(self) -> str:
        """The costs in words."""
        text = f"{self.cost} over {self.periods} period{'s' if self.periods > 1 else ''}"
        return text if self.other is None else f"{text}, and {self.other} {self.other_cost}"

    def __str__(self) -> str:
        advice = "stay on" if self.move == "stay" else f"go {self.move} to"
        return f"{advice} {self.plan}: {self.reason}"


def _parse_costs(value: object, field: Field) -> tuple[PlanCost, ...]:
    """Parse costs of plans in periods: each plan's one after another, all in the same periods."""
    costs, problems = tuple_of(PlanCost)(value, field), Problems()
    if not costs:
        raise InvalidValue(field, costs, "must hold a cost at least")
    periods = [cost.period for cost in costs if cost.plan == costs[0].plan]
    plans = list(dict.fromkeys(cost.plan for cost in costs))
    if [(c.plan, c.period) for c in costs] != [(plan, each) for plan in plans for each in periods]:
        problem = "must hold each plan's costs one after another, all in the same periods"
        problems.add(InvalidValue(field, costs, problem))
    _check_in_order(periods, field, problems)
    for i, cost in enumerate(costs):
        if cost.fee.currency != costs[0].fee.currency:
            codes = costs[0].fee.currency.code, cost.fee.currency.code
            problems.add(CurrencyMismatch(*codes, at(field, i, "fee")))
    problems.raise_any()
    return costs


def _check_in_order(periods: Sequence[Period], field: Field, problems: Problems) -> None:
    for before, after in pairwise(periods):
        if after.start < before.end:
            problem = f"must not begin before {before.describe()} ends"
            problems.add(InvalidValue(at(field, "period"), after, problem))


@value
class Comparison:
    """The cost of several plans in the same periods of an org.

    :param org_id: whose usage it was.
    :param costs: each plan's in all periods, one plan after another.
    :param current: the slug of the plan that the org is on; None where that isn't said.
    :raises UnknownPlan: if the current plan isn't one that is compared.
    :raises InvalidValue: if the plans don't have their costs in the same periods, in order.
    :raises CurrencyMismatch: if they are in several currencies.
    """

    org_id: str = term(parse_name)
    costs: tuple[PlanCost, ...] = term(_parse_costs)
    current: str | None = term(optional_name)
    _by_plan: Mapping[str, tuple[PlanCost, ...]] = derived()
    _places: Mapping[Period, int] = derived()

    def __init__(
        self, org_id: str, costs: Iterable[PlanCost], current: str | None = None
    ) -> None: ...

    def _complete(self) -> None:
        by_plan: dict[str, tuple[PlanCost, ...]] = {}
        for plan, costs in groupby(self.costs, key=lambda cost: cost.plan):
            by_plan[plan] = tuple(costs)
        periods = (cost.period for cost in next(iter(by_plan.values())))
        object.__setattr__(self, "_by_plan", FrozenDict(by_plan))
        object.__setattr__(self, "_places", FrozenDict(zip(periods, count())))

    def _check(self, problems: Problems) -> None:
        self._complete()
        if self.current is not None and self.current not in self.plans:
            problems.add(self._unknown("current", self.current))

    def _unknown(self, field: str, slug: str) -> UnknownPlan:
        hint = did_you_mean(slug, self.plans)
        return UnknownPlan(field, slug, f"must be among {', '.join(self.plans)}{hint}")

    @property
    def currency(self) -> Currency:
        """The currency of all costs."""
        return self.costs[0].fee.currency

    @property
    def plans(self) -> tuple[str, ...]:
        """The slugs of the plans, in the order in which they were named."""
        return tuple(self._by_plan)

    @property
    def periods(self) -> tuple[Period, ...]:
        """The periods, in order of time."""
        return tuple(self._places)

    def of(self, plan: str) -> tuple[PlanCost, ...]:
        """Return the costs of a plan, period by period.

        :raises UnknownPlan: if it isn't one that is compared.
        """
        if plan not in self._by_plan:
            raise self._unknown("plan", plan)
        return self._by_plan[plan]

    def fees(self, plan: str) -> Money:
        """Return the fees of a plan in all periods."""
        return sum((cost.fee for cost in self.of(plan)), Money(0, self.currency))

    def total(self, plan: str, period: Period | None = None) -> Money:
        """Return the cost of a plan in a period, or in all of them.

        :raises UnknownPlan: if the plan isn't one that is compared.
        :raises InvalidValue: if the period isn't.
        """
        costs = self.of(plan)
        if period is None:
            return sum((cost.total for cost in costs), Money(0, self.currency))
        if period not in self._places:
            raise InvalidValue("period", period, "must be one that was compared")
        return costs[self._places[period]].total

    def cheapest(self, period: Period | None = None) -> str:
        """Return the slug of the plan that costs least in a period, or in all of them.

        Of several, the current one; else the one that was named first.
        """
        return min(self.plans, key=lambda plan: (self.total(plan, period), plan != self.current))

    def regret(self, plan: str, period: Period | None = None) -> Money:
        """Return how much more a plan costs than the cheapest one, in a period, or in all of them.

        In all periods it is against the one plan that is cheapest over them, so it may be less than
        the sum over the periods, each against its own.
        """
        return self.total(plan, period) - self.total(self.cheapest(period), period)

    @property
    def recommendation(self) -> Recommendation | None:
        """The plan to be on instead of the current one; None if none is current."""
        if self.current is None:
            return None
        best = self.cheapest()
        other: str | None = self.current
        move: Move = "stay"
        if best == self.current:
            others = (plan for plan in self.plans if plan != best)
            other = min(others, key=self.total, default=None)
        else:
            fees = self.fees(best), self.plans.index(best)
            is_up = fees > (self.fees(self.current), self.plans.index(self.current))
            move = "up" if is_up else "down"
        other_cost = None if other is None else self.total(other)
        return Recommendation(move, best, self.total(best), len(self.periods), other, other_cost)

    def rows(self) -> list[dict[str, Any]]:
        """Return a row for each plan and period, for a data frame: ``pandas.DataFrame(rows)``.

        Amounts are in major units, exactly.
        """
        return [
            {
                "org_id": self.org_id,
                "period_start": cost.period.start,
                "period_end": cost.period.end,
                "plan": cost.plan,
                "fee": cost.fee.amount,
                "overage": cost.overage.amount,
                "total": cost.total.amount,
                "regret": self.regret(cost.plan, cost.period).amount,
                "currency": self.currency.code,
            }
            for cost in self.costs
        ]

    def explain(self) -> str:
        """Write the costs as a table, each period a row, and the recommendation below it."""
        table = text_table(self._table(), self._align)
        return f"{table}\n\n{self.recommendation}" if self.recommendation else table

    @property
    def _align(self) -> str:
        return f"l{'r' * len(self.plans)}l"

    def _table(self) -> list[list[str]]:
        plans, start = self.plans, Money(0, self.currency)
        overages = [sum((cost.overage for cost in self.of(plan)), start) for plan in plans]
        rows = [
            [each.name(), *(str(self.total(plan, each)) for plan in plans), self.cheapest(each)]
            for each in self.periods
        ]
        return [
            ["period", *plans, "cheapest"],
            *rows,
            ["fees", *(str(self.fees(plan)) for plan in plans), ""],
            ["overage", *map(str, overages), ""],
            ["total", *(str(self.total(plan)) for plan in plans), self.cheapest()],
            ["regret", *(str(self.regret(plan)) for plan in plans), ""],
        ]

    def _repr_html_(self) -> str:
        return html_table(self._table(), self._align, f"Plans compared for {self.org_id}")

    def __str__(self) -> str:
        return self.explain()


def compare(
    plans: Iterable[Plan],
    usages: Iterable[Usage],
    *,
    current: str | None = None,
    limits: Limits | None = None,
    cycle: Cycle = MONTHS,
) -> Comparison:
    """Return the cost of each of some plans over the usage of an org in several periods.

    A plan's cost is its fee, once each period, and its statement's total by `calculate`. Where its
    periods depend on each other (carry-over, an allowance for longer than a period), they are
    settled one after another, from the first one on.

    :param plans: plans of one currency, each with a slug of its own: a plan that is changed by
        `evolve` is given another one.
    :param usages: of one org, in whole periods that have ended and don't overlap, in any order. One
        that is running would count as if no more came: give its projected usage.
    :param current: the slug of the plan that the org is on, for the recommendation.
    :param limits: the org's own limits by metric, in units, under each plan; None is unlimited.
    :param cycle: the org's periods, for plans whose periods depend on each other.
    :raises UnknownMetric: if a plan doesn't know a metric that is used or limited.
    :raises UnknownPlan: if the current plan isn't one of them.
    :raises CurrencyMismatch: if the plans are in several currencies.
    :raises InvalidValue: if there is no plan or no usage, if plans have one slug, or if usage is
        of several orgs, or of periods that overlap, or aren't the cycle's where they have to be.

    >>> from overages import Allowance, PerUnit
    >>> tokens, more = Allowance(100, PerUnit("0.10")), Allowance(1_000, PerUnit("0.05"))
    >>> starter = Plan("starter", "USD", {"tokens": tokens}, base_fee=Money.of("20", "USD"))
    >>> pro = Plan("pro", "USD", {"tokens": more}, base_fee=Money.of("60", "USD"))
    >>> usages = [Usage("acme", Period.month(2024, month), {"tokens": used})
    ...           for month, used in [(1, 300), (2, 800), (3, 1_500)]]
    >>> print(compare([starter, pro], usages, current="starter"))
    period            starter         pro  cheapest
    January 2024    40.00 USD   60.00 USD  starter
    February 2024   90.00 USD   60.00 USD  pro
    March 2024     160.00 USD   85.00 USD  pro
    fees            60.00 USD  180.00 USD
    overage        230.00 USD   25.00 USD
    total          290.00 USD  205.00 USD  pro
    regret          85.00 USD    0.00 USD
    <BLANKLINE>
    go up to pro: 205.00 USD over 3 periods, and starter 290.00 USD
    """
    offered, used, own, slug, rule = parse_all(
        (_parse_plans, plans, "plans"),
        (_parse_usages, usages, "usages"),
        (parse_own_limits, limits or NO_LIMITS, "limits"),
        (optional(parse_name), current, "current"),
        (instance_of(Cycle), cycle, "cycle"),
    )
    costs = [
        PlanCost(plan.slug, usage.period, Money(minor_fee(plan), plan.currency), overage)
        for plan in offered
        for usage, overage in zip(used, _overages(plan, used, own, rule), strict=True)
    ]
    return Comparison(used[0].org_id, costs, slug)


def _overages(plan: Plan, usages: Sequence[Usage], limits: Limits, cycle: Cycle) -> list[Money]:
    if not plan.needs_balance:
        return [calculate(plan, usage, limits=limits).total for usage in usages]
    first = usages[0]
    account = Account(first.org_id, plan.slug, first.period.start, limits, cycle=cycle)
    totals, balance = [], Balance()
    for usage in usages:
        settled = settle(account, {plan.slug: plan}, usage.period, usage, balance)
        totals.append(settled.statement.total)
        balance = settled.balance
    return totals


def _parse_plans(value: object, field: Field) -> tuple[Plan, ...]:
    plans, problems = tuple_of(Plan)(value, field), Problems()
    if not plans:
        raise InvalidValue(field, plans, "must hold a plan at least")
    slugs: set[str] = set()
    for i, plan in enumerate(plans):
        if plan.slug in slugs:
            problem = "must be another one than those before: evolve(plan, slug=...)"
            problems.add(InvalidValue(at(field, i, "slug"), plan.slug, problem))
        slugs.add(plan.slug)
        if plan.currency != plans[0].currency:
            codes = plans[0].currency.code, plan.currency.code
            problems.add(CurrencyMismatch(*codes, at(field, i, "currency")))
    problems.raise_any()
    return plans


def _parse_usages(value: object, field: Field) -> tuple[Usage, ...]:
    usages, problems = tuple_of(Usage)(value, field), Problems()
    if not usages:
        raise InvalidValue(field, usages, "must hold the usage of a period at least")
    for i, usage in enumerate(usages):
        if usage.org_id != usages[0].org_id:
            problem = f"must be that of the first one, {usages[0].org_id!r}"
            problems.add(InvalidValue(at(field, i, "org_id"), usage.org_id, problem))
    in_order = sorted(usages, key=lambda usage: usage.period)
    _check_in_order([usage.period for usage in in_order], field, problems)
    problems.raise_any()
    return tuple(in_order)
