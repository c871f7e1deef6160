"""The forms of what a calculation is told beside the plan: accounts, usage, earlier periods.

`statements` puts them among those of all classes that hold neither a price model nor a plan:

    USAGE_FORMS[UsageEvent].write(event, "")          # {"org_id": "org-123", "metric": ...}
"""

from __future__ import annotations

from typing import Final

from overages.errors import InvalidValue
from overages.forms.form import Form
from overages.forms.grants import grant_forms
from overages.forms.holders import by_name, list_of, optional, table, unless
from overages.forms.plans import CARRY_OVER, CURRENCY, CYCLE, MONEY
from overages.forms.values import EXACT, INSTANT, NAME, NUMBER, PERIOD, ROUNDING, TEXT, WHOLE
from overages.grants.burndown import Burndown
from overages.settlements.balance import Balance
from overages.settlements.carry_over_result import CarryOverResult
from overages.terms.account import Account
from overages.terms.carry_over import CarriedUnits
from overages.usage.event import UsageEvent
from overages.usage.increment import Increment
from overages.usage.metric import Metric
from overages.usage.usage import Usage

_CARRIED: Final = table(CarriedUnits, quantity=NUMBER, period=PERIOD, periods_left=optional(WHOLE))
_GRANTS: Final = grant_forms(CURRENCY, MONEY, CYCLE)
_INCREMENT: Final = table(Increment, step=NUMBER, first=NUMBER, rounding=ROUNDING)
_USAGE: Final = table(Usage, org_id=NAME, period=PERIOD, quantities=by_name(NUMBER))


def _balance(
    carried: dict[str, tuple[CarriedUnits, ...]],
    used: tuple[Usage, ...],
    burndowns: tuple[Burndown, ...],
    covered: tuple[Usage, ...],
) -> Balance:
    balance = Balance(carried, used, burndowns, covered)
    lists = {"carried": carried, "used": used, "burndowns": burndowns, "covered": covered}
    for key, given in lists.items():
        if getattr(balance, key) != given:  # or another text would give the same value
            problem = "must be sorted, by period or by metric and currency, with nothing empty"
            raise InvalidValue(key, given, problem)
    return balance


USAGE_FORMS: Final[dict[type, Form]] = {
    Account: table(
        Account,
        org_id=NAME,
        plan=NAME,
        limits=by_name(NUMBER),
        status=TEXT,
        cycle=CYCLE,
        since=unless(None, INSTANT),
    ),
    Balance: table(
        _balance,
        carried=by_name(list_of(_CARRIED)),
        used=list_of(_USAGE),
        burndowns=list_of(_GRANTS[Burndown]),
        covered=unless((), list_of(_USAGE)),
    ),
    CarriedUnits: _CARRIED,
    CarryOverResult: table(
        CarryOverResult,
        rule=CARRY_OVER,
        brought=list_of(_CARRIED),
        included=NUMBER,
        used=NUMBER,
        period=PERIOD,
    ),
    Increment: _INCREMENT,
    Metric: table(
        Metric,
        name=NAME,
        aggregation=TEXT,
        event=NAME,
        where=by_name(list_of(NAME), of="dimension"),
        distinct=optional(NAME),
        reports=TEXT,
        factor=EXACT,
        increment=optional(_INCREMENT),
        increment_scope=TEXT,
    ),
    Usage: _USAGE,
    UsageEvent: table(
        UsageEvent,
        org_id=NAME,
        metric=NAME,
        quantity=NUMBER,
        at=INSTANT,
        id=optional(NAME),
        dimensions=by_name(NAME, of="dimension"),
    ),
    **_GRANTS,
}
"""The forms by class."""
