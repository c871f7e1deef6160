"""Balances: all that goes from one period of an org to its next.

`settle` takes one and gives the next; hosts that settle by themselves keep it between periods:

    balance = decode(stored, Balance)
    settlement = settle(account, plans, period, usage, balance, grants=grants)
    stored = encode(settlement.balance)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from overages._ground.frozen_dict import FrozenDict
from overages._ground.names import by_metric
from overages._ground.parsing import Problems, tuple_of
from overages._ground.trusted import trusted
from overages._ground.value import term, value
from overages.amounts.money import Currency
from overages.errors import Field, InvalidValue, at
from overages.grants.burndown import Burndown
from overages.periods.period import Period
from overages.settlements.carry_over_result import parse_carried
from overages.terms.account import Account
from overages.terms.carry_over import CarriedUnits
from overages.usage.usage import Usage


def _parse_carried(value: object, field: Field) -> FrozenDict[str, tuple[CarriedUnits, ...]]:
    carried = _carried_by_metric(value, field)
    # Sorted, and without metrics that left nothing, so that equal balances have one text.
    return FrozenDict((metric, units) for metric, units in sorted(carried.items()) if units)


_carried_by_metric: Final = by_metric(parse_carried, "metrics to CarriedUnits")


def _parse_counts(value: object, field: Field) -> tuple[Usage, ...]:
    """Parse usages of one org, each of another period, and sort them by it."""
    # Two of one period would be added, or one of them lost, by whoever reads them.
    usages, problems = tuple_of(Usage)(value, field), Problems()
    periods: set[Period] = set()
    for i, usage in enumerate(usages):
        if usage.org_id != usages[0].org_id:
            problem = f"must be that of the first one, {usages[0].org_id!r}"
            problems.add(InvalidValue(at(field, i, "org_id"), usage.org_id, problem))
        if usage.period in periods:
            problems.add(InvalidValue(at(field, i, "period"), usage.period, "must be given once"))
        periods.add(usage.period)
    problems.raise_any()
    return tuple(sorted(usages, key=_period_of))


def _parse_burndowns(value: object, field: Field) -> tuple[Burndown, ...]:
    """Parse burndowns, each of another metric or currency, and sort them by these."""
    burndowns, problems = tuple_of(Burndown)(value, field), Problems()
    pools = set()
    for i, burndown in enumerate(burndowns):
        if (pool := _pool(burndown)) in pools:
            repeated = (burndown.metric, burndown.currency)
            problem = "must be of a metric and currency that no other is of"
            problems.add(InvalidValue(at(field, i), repeated, problem))
        pools.add(pool)
    problems.raise_any()
    return tuple(sorted(burndowns, key=_pool))


def _period_of(usage: Usage) -> Period:
    return usage.period


def _pool(burndown: Burndown) -> tuple[str, str, int]:
    unit = burndown.currency
    return burndown.metric or "", *(("", 0) if unit is None else (unit.code, unit.exponent))


@value
class Balance:
    """All that goes from one period of an org to its next.

    :param carried: units that earlier periods left, by metric, the oldest first.
    :param used: units used so far of allowances for a longer time than a billing period, by the
        period that they are for, each once and of the one org.
    :param burndowns: how grants stand, for the units of each metric and for money, each once.
    :param covered: units of those allowances' metrics, as they are priced, that grants covered so
        far: they were never charged. As `used`, by the period that the allowance is for.
    :raises InvalidType: for a value of a wrong type.
    :raises InvalidValue: for a value that is not allowed; `InvalidValues` for several.

    >>> Balance()  # before an org's first period
    Balance()
    """

    carried: Mapping[str, tuple[CarriedUnits, ...]] = term(_parse_carried)
    used: tuple[Usage, ...] = term(_parse_counts)
    burndowns: tuple[Burndown, ...] = term(_parse_burndowns)
    covered: tuple[Usage, ...] = term(_parse_counts)

    def __init__(
        self,
        carried: Mapping[str, Iterable[CarriedUnits]] = FrozenDict(),
        used: Iterable[Usage] = (),
        burndowns: Iterable[Burndown] = (),
        covered: Iterable[Usage] = (),
    ) -> None: ...

    def burndown(self, metric: str | None, currency: Currency | None) -> Burndown | None:
        """Return the state of grants of a metric's units, or of money; None if there is none."""
        for burndown in self.burndowns:
            if (burndown.metric, burndown.currency) == (metric, currency):
                return burndown
        return None

    @property
    def counts(self) -> tuple[object, ...]:
        """The part of it that isn't about grants, which are one over all periods."""
        return self.carried, self.used, self.covered

    @property
    def grants(self) -> frozenset[str]:
        """The ids of the grants that are in it."""
        return frozenset(state.grant_id for burndown in self.burndowns for state in burndown.grants)

    def from_which(self, account: Account, period: Period) -> Balance:
        """Return the balance that a period of an account starts from.

        Units that were carried over lapse where terms have ended since; all else goes on. Units
        from before the account were left in another system, where terms held until it began.
        """
        pauses, since = account.timeline.pauses_between, account.since
        lapsed = set()
        for metric, carried in self.carried.items():
            if pauses(max(carried[-1].period.end, since), period.start):
                lapsed.add(metric)
        if not lapsed:
            return self
        going_on = {metric: left for metric, left in self.carried.items() if metric not in lapsed}
        return new_balance(going_on, self.used, self.burndowns, self.covered)


_new: Final = trusted(Balance)


def new_balance(
    carried: Mapping[str, tuple[CarriedUnits, ...]],
    used: tuple[Usage, ...],
    burndowns: Iterable[Burndown],
    covered: tuple[Usage, ...],
) -> Balance:
    """Make a balance of what a settlement leaves: each by one metric, period or unit, unchecked.

    :param used: in the order of their periods, as `covered` is.
    """
    in_order = tuple(sorted(burndowns, key=_pool))
    by_name = sorted(carried.items()) if len(carried) > 1 else carried
    return _new(FrozenDict(by_name), used, in_order, covered)


EMPTY_BALANCE: Final = Balance()
"""The balance before an org's first period."""
