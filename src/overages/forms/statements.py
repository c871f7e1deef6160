"""The forms of statements in JSON, and of what comes of them: lines, charges, records.

`codec` puts them together with those of `plans`; those that hold a price model or a plan are
made of the forms of these:

    forms = PLAIN | statement_forms(price, plan)      # by class
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from overages._ground.parsing import Problems
from overages.amounts.money import Currency, Money
from overages.errors import InvalidValue
from overages.forms.form import Form
from overages.forms.holders import by_name, list_of, optional, table, unless
from overages.forms.plans import CURRENCY, MONEY, TIER
from overages.forms.usage import USAGE_FORMS
from overages.forms.values import EXACT, INSTANT, NAME, NUMBER, PERIOD, TEXT, WHOLE
from overages.periods.period import Period
from overages.prices.tier import Charge, TierCharge
from overages.prices.transactions import TransactionFee
from overages.records.chain import ChainHead
from overages.records.record import OverageRecord
from overages.settlements.pool_share import PoolShare
from overages.statements.adjustment import OVERAGE, Adjustment
from overages.statements.limit_part import LimitPart
from overages.statements.overage import Overage
from overages.statements.statement import Statement
from overages.statements.summary import MetricTotal, Summary
from overages.terms.plan import Plan


def _statement(
    org_id: str,
    period: Period,
    plan: Plan,
    lines: tuple[dict[str, Any], ...],
    adjustments: tuple[Adjustment, ...],
) -> Statement:
    """Make a statement of its numbers; its plan has the rest of each line."""
    if len(lines) != len(plan.allowances):
        problem = f"must be as many as the plan's allowances, {len(plan.allowances)}"
        raise InvalidValue("lines", len(lines), problem)
    problems = Problems()
    overages = [
        problems.attempt(_line, plan, metric, **line, path=("lines", i))
        for i, (metric, line) in enumerate(zip(plan.allowances, lines, strict=True))
    ]
    problems.raise_any()
    return Statement(org_id, period, plan, [*overages, *adjustments])


def _written(statement: Statement) -> dict[str, Any]:
    return {
        "org_id": statement.org_id,
        "period": statement.period,
        "plan": statement.plan,
        "lines": statement.overages,
        "adjustments": statement.adjustments,
    }


def _line(plan: Plan, metric: str, minor: int, **fields: Any) -> Overage:
    price, cost = plan.allowances[metric].price, Money(minor, plan.currency)
    return Overage(metric, price=price, cost=cost, **fields)


def _numbers(line: Overage) -> dict[str, Any]:
    return {
        "used": line.used,
        "limit": line.limit,
        "minor": line.cost.minor,
        "before": line.before,
        "limit_parts": line.limit_parts,
    }


def _summary(
    currency: Currency, metrics: Mapping[str, MetricTotal], adjustments: Mapping[str, Money]
) -> Summary:
    summary = Summary(currency, metrics, adjustments)
    problems = Problems()
    for line, cost in adjustments.items():
        if not cost.minor:
            problem = "must be left out where it costs nothing"
            problems.add(InvalidValue(f"adjustments.{line}", cost, problem))
    for metric, total in metrics.items():
        if metric not in summary:  # it drops them, and would be written without
            problem = "must be left out where there is neither quantity nor cost"
            problems.add(InvalidValue(f"metrics.{metric}", total, problem))
    problems.raise_any()
    return summary


_TIER_CHARGE: Final = table(
    TierCharge, tier=TIER, quantity=NUMBER, above=NUMBER, exchange_rate=EXACT
)
_FEE: Final = table(
    TransactionFee,
    percent=NUMBER,
    fixed=NUMBER,
    free_events=optional(WHOLE),
    free_amount=optional(NUMBER),
    min_per_event=optional(NUMBER),
    max_per_event=optional(NUMBER),
)
_TOTAL: Final = table(MetricTotal, quantity=NUMBER, cost=MONEY)
_RECORD: Final = table(
    OverageRecord,
    org_id=NAME,
    period=PERIOD,
    metric=optional(NAME),
    quantity=NUMBER,
    cost=MONEY,
    exact_cost=EXACT,
    unit_price=optional(EXACT),
    line=unless(OVERAGE, NAME),
    plan=NAME,
    plan_version=WHOLE,
    revision=WHOLE,
    sequence=WHOLE,
    created_at=INSTANT,
    digest=TEXT,
)
_ADJUSTMENT: Final = table(
    Adjustment,
    kind=TEXT,
    before=MONEY,
    cost=MONEY,
    exact_cost=EXACT,
    metric=unless(None, NAME),
    name=unless(None, NAME),
)
_LIMIT_PART: Final = table(LimitPart, kind=TEXT, quantity=NUMBER, name=unless(None, NAME))
_PARTS: Final = unless((), list_of(_LIMIT_PART))
_LINE: Final = table(
    dict,
    _numbers,
    used=NUMBER,
    limit=optional(NUMBER),
    minor=WHOLE,
    before=unless(None, NUMBER),
    limit_parts=_PARTS,
)

PLAIN: Final[dict[type, Form]] = {
    Adjustment: _ADJUSTMENT,
    ChainHead: table(ChainHead, sequence=WHOLE, digest=TEXT),
    Charge: table(Charge, tiers=list_of(_TIER_CHARGE)),
    LimitPart: _LIMIT_PART,
    MetricTotal: _TOTAL,
    OverageRecord: _RECORD,
    Period: table(Period, start=INSTANT, end=INSTANT),
    PoolShare: table(
        PoolShare,
        org_id=NAME,
        metric=optional(NAME),
        used=NUMBER,
        cost=MONEY,
        line=unless(OVERAGE, NAME),
    ),
    Summary: table(
        _summary,
        currency=CURRENCY,
        metrics=by_name(_TOTAL),
        adjustments=unless({}, by_name(MONEY)),
    ),
    TierCharge: _TIER_CHARGE,
    TransactionFee: _FEE,
    **USAGE_FORMS,
}
"""The forms of the classes that hold neither a price model nor a plan."""


def statement_forms(price: Form, plan: Form) -> dict[type, Form]:
    """Return the forms of overages and statements, given those of price models and of plans."""
    return {
        Overage: table(
            Overage,
            metric=NAME,
            used=NUMBER,
            limit=optional(NUMBER),
            price=price,
            cost=MONEY,
            before=unless(None, NUMBER),
            limit_parts=_PARTS,
        ),
        Statement: table(
            _statement,
            _written,
            org_id=NAME,
            period=PERIOD,
            plan=plan,
            lines=list_of(_LINE),
            adjustments=unless((), list_of(_ADJUSTMENT)),
        ),
    }
