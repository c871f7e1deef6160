"""Values in JSON: the classes that have a text, and choices that don't follow from them.

Money, a currency and a period are written as people write them:

    {"amount": "25.00", "currency": "USD"}            # or {"code": "credits", "exponent": "0"}
    "2024-02-01T00:00:00Z/2024-03-01T00:00:00Z"
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

from attrs import frozen

from overages._ground.parsing import Problems
from overages.alerts.alert import Alert, AlertDefinition
from overages.alerts.fired_alert import FiredAlert
from overages.alerts.threshold import Threshold
from overages.amounts.money import Currency, Money, parse_currency
from overages.errors import Field, InvalidValue, at
from overages.forms.derived import Forms, Spelling
from overages.forms.form import Form, FormOf, Refer, Schema, behind
from overages.forms.holders import listed_by
from overages.forms.objects import ObjectForm
from overages.forms.scalars import INSTANT, INSTANT_TEXT, number_form, read_text
from overages.grants.burndown import Burndown
from overages.grants.grant import Grant
from overages.grants.state import Draw, GrantState
from overages.insight.break_even import BreakEven, BreakEvenRange
from overages.insight.budget import Budget, WindowedBudget
from overages.insight.comparison import Comparison, PlanCost, Recommendation
from overages.insight.history import History, HistoryEntry, OrgCost, PeriodGrowth
from overages.insight.inverse import QuantityRange
from overages.lines.adjustment import Adjustment
from overages.lines.limit_part import LimitPart
from overages.lines.overage import Overage
from overages.lines.part import StatementPart
from overages.periods.cycle import Cycle
from overages.periods.period import Period
from overages.prices.tier import Charge, Tier, TierCharge
from overages.prices.transactions import TransactionFee
from overages.quotas.decision import Decision
from overages.quotas.reservation import Reservation
from overages.quotas.standing_limit import StandingLimit
from overages.records.chain import ChainHead
from overages.records.closing import Closing
from overages.records.record import OverageRecord
from overages.records.recording import Recording
from overages.settlements.balance import Balance
from overages.settlements.carry_over_result import CarryOverResult
from overages.settlements.pooled_statement import PooledStatement, PoolShare
from overages.settlements.settlement import Settlement
from overages.statements.statement import Statement
from overages.statements.summary import MetricTotal, Summary
from overages.terms.account import Account
from overages.terms.allowance import Allowance
from overages.terms.carry_over import CarriedUnits, CarryOver
from overages.terms.change import TermsChange
from overages.terms.commitment import Commitment
from overages.terms.conversion import Conversion
from overages.terms.discount import Discount
from overages.terms.note import AccountNote
from overages.terms.plan import Plan
from overages.terms.terms import OwnTerms, Terms
from overages.usage.event import UsageEvent
from overages.usage.increment import Increment
from overages.usage.metric import Metric
from overages.usage.usage import Usage
from overages.usage.usage_batch import UsageBatch

KINDS: Final[tuple[type, ...]] = (
    Account,
    AccountNote,
    Adjustment,
    Alert,
    AlertDefinition,
    Allowance,
    Balance,
    Budget,
    BreakEven,
    BreakEvenRange,
    Burndown,
    CarriedUnits,
    CarryOver,
    CarryOverResult,
    ChainHead,
    Charge,
    Closing,
    Commitment,
    Comparison,
    Conversion,
    Currency,
    Cycle,
    Decision,
    Discount,
    Draw,
    FiredAlert,
    Grant,
    GrantState,
    History,
    HistoryEntry,
    Increment,
    LimitPart,
    Metric,
    MetricTotal,
    Money,
    OrgCost,
    Overage,
    OverageRecord,
    OwnTerms,
    Period,
    PeriodGrowth,
    Plan,
    PlanCost,
    PooledStatement,
    PoolShare,
    QuantityRange,
    Recommendation,
    Recording,
    Reservation,
    Settlement,
    StandingLimit,
    Statement,
    StatementPart,
    Summary,
    Terms,
    TermsChange,
    Threshold,
    Tier,
    TierCharge,
    TransactionFee,
    Usage,
    UsageBatch,
    UsageEvent,
    WindowedBudget,
)
"""The classes that have a text of their own, but for price models."""


@frozen(slots=False)
class _MoneyForm(ObjectForm):
    """The form of money: an amount in major units with all decimals of the currency, and that."""

    def view(self, value: Money) -> dict[str, Any]:
        return {"amount": f"{value.amount:f}", "currency": value.currency}


def _money(forms: Forms) -> Form:
    terms = {"amount": _AMOUNT, "currency": forms.of(Currency)}
    return _MoneyForm(Money, terms, terms, Money.of)


def currency_form(forms: Forms) -> Form:
    """Return the form of a currency: its code, unless ISO 4217 doesn't know its decimals."""
    spelt_out = forms.object(Currency)

    def write(currency: Currency, field: Field) -> Any:
        is_known = isinstance(currency.shortest, str)
        return currency.code if is_known else spelt_out.write(currency, field)

    def read(value: object, field: Field) -> Any:
        if isinstance(value, dict):
            return spelt_out.read(value, field)
        return parse_currency(value, field)

    def schema(refer: Refer) -> Schema:
        return {"anyOf": [{"type": "string"}, spelt_out.body(refer)]}

    return FormOf(write, read, schema)


def _read_period(value: object, field: Field) -> Period:
    if isinstance(value, Period):
        return value
    start, slash, end = read_text(value, field).partition("/")
    if not slash:
        raise InvalidValue(field, value, "must be a start and an end with a slash between")
    problems = Problems()
    ends = [
        problems.attempt(INSTANT.read, text, at(field, name))
        for name, text in [("start", start), ("end", end)]
    ]
    problems.raise_any()
    period: Period = behind(field, Period, *ends)
    return period


_AMOUNT: Final = FormOf(
    lambda text, _: text,
    number_form({Decimal}).read,
    lambda _: {"type": "string", "pattern": r"^-?(0|[1-9][0-9]*)(\.[0-9]{1,12})?$"},
)
_PERIOD: Final = FormOf(
    lambda period, _: period.isoformat(),
    _read_period,
    lambda _: {"type": "string", "pattern": f"^{INSTANT_TEXT}/{INSTANT_TEXT}$"},
)

JSON: Final = Spelling(
    tag="type",
    name_of=lambda kind: kind.__name__,
    tagged=(Adjustment, Overage),
    special={
        Currency: currency_form,
        Money: _money,
        Period: lambda _: _PERIOD,
        (Plan, "allowances"): lambda forms: listed_by("metric", forms.object(Allowance)),
    },
    consequences={
        Overage: ("quantity", "exact_cost", "tiers"),
        Statement: ("total",),
        Summary: ("total",),
        TierCharge: ("exact_cost",),
    },
)
