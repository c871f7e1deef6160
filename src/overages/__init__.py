"""Exact, explained overage charges for metered usage.

>>> from overages import Allowance, PerUnit, Period, Plan, Usage, calculate
>>> plan = Plan("starter", "USD", {"tokens": Allowance(included=500_000, price=PerUnit("0.0001"))})
>>> usage = Usage("org-123", Period.month(2024, 2), {"tokens": 750_000})
>>> print(calculate(plan, usage).total)
25.00 USD

A name is imported from its module when it is first asked for, so that a program loads only the
parts that it uses.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from overages import errors as errors

if TYPE_CHECKING:
    from overages.adapters.memory import MemoryRepository
    from overages.adapters.sqlite import SqliteRepository
    from overages.amounts.money import Currency, Money
    from overages.amounts.rounding import Rounding
    from overages.grants.burndown import Burndown, Draw, GrantBalance
    from overages.grants.grant import Grant
    from overages.periods.cycle import Cycle
    from overages.periods.period import Period
    from overages.periods.proration import Proration
    from overages.prices.exchange import Exchanged
    from overages.prices.models import Graduated, Package, Percentage, PerUnit, PriceModel, Volume
    from overages.prices.tier import Charge, Tier, TierCharge
    from overages.prices.transactions import TransactionFee
    from overages.records.aggregation import aggregate
    from overages.records.chain import ChainHead
    from overages.records.ledger import Recording
    from overages.records.record import OverageRecord
    from overages.repository import Repository
    from overages.service import OverageService
    from overages.settlements.balance import Balance
    from overages.settlements.carry_over_result import CarryOverResult
    from overages.settlements.pool_share import PoolShare
    from overages.settlements.pooled_statement import PooledStatement, pool
    from overages.settlements.settlement import Settlement, settle
    from overages.statements.adjustment import Adjustment
    from overages.statements.calculation import calculate, calculate_many, charge_between
    from overages.statements.limit_part import LimitPart
    from overages.statements.overage import Overage
    from overages.statements.statement import Statement
    from overages.statements.summary import MetricTotal, Summary
    from overages.terms.account import Account
    from overages.terms.allowance import Allowance
    from overages.terms.carry_over import CarriedUnits, CarryOver
    from overages.terms.commitment import Commitment
    from overages.terms.conversion import Conversion
    from overages.terms.discount import Discount
    from overages.terms.plan import Plan
    from overages.usage.event import UsageEvent
    from overages.usage.increment import Increment
    from overages.usage.metering import Meter, meter
    from overages.usage.metric import Metric
    from overages.usage.usage import Usage

__all__ = [
    "Account",
    "Adjustment",
    "Allowance",
    "Balance",
    "Burndown",
    "CarriedUnits",
    "CarryOver",
    "CarryOverResult",
    "ChainHead",
    "Charge",
    "Commitment",
    "Conversion",
    "Currency",
    "Cycle",
    "Discount",
    "Draw",
    "Exchanged",
    "Graduated",
    "Grant",
    "GrantBalance",
    "Increment",
    "LimitPart",
    "MemoryRepository",
    "Meter",
    "Metric",
    "MetricTotal",
    "Money",
    "Overage",
    "OverageRecord",
    "OverageService",
    "Package",
    "PerUnit",
    "Percentage",
    "Period",
    "Plan",
    "PoolShare",
    "PooledStatement",
    "PriceModel",
    "Proration",
    "Recording",
    "Repository",
    "Rounding",
    "Settlement",
    "SqliteRepository",
    "Statement",
    "Summary",
    "Tier",
    "TierCharge",
    "TransactionFee",
    "Usage",
    "UsageEvent",
    "Volume",
    "aggregate",
    "calculate",
    "calculate_many",
    "charge_between",
    "meter",
    "pool",
    "settle",
]

_HOMES = {
    "adapters.memory": ["MemoryRepository"],
    "adapters.sqlite": ["SqliteRepository"],
    "amounts.money": ["Currency", "Money"],
    "amounts.rounding": ["Rounding"],
    "grants.burndown": ["Burndown", "Draw", "GrantBalance"],
    "grants.grant": ["Grant"],
    "periods.cycle": ["Cycle"],
    "periods.period": ["Period"],
    "periods.proration": ["Proration"],
    "prices.exchange": ["Exchanged"],
    "prices.models": ["Graduated", "Package", "PerUnit", "Percentage", "PriceModel", "Volume"],
    "prices.tier": ["Charge", "Tier", "TierCharge"],
    "prices.transactions": ["TransactionFee"],
    "records.aggregation": ["aggregate"],
    "records.chain": ["ChainHead"],
    "records.ledger": ["Recording"],
    "records.record": ["OverageRecord"],
    "repository": ["Repository"],
    "service": ["OverageService"],
    "settlements.balance": ["Balance"],
    "settlements.carry_over_result": ["CarryOverResult"],
    "settlements.pooled_statement": ["PooledStatement", "pool"],
    "settlements.settlement": ["Settlement", "settle"],
    "settlements.pool_share": ["PoolShare"],
    "statements.adjustment": ["Adjustment"],
    "statements.calculation": ["calculate", "calculate_many", "charge_between"],
    "statements.limit_part": ["LimitPart"],
    "statements.overage": ["Overage"],
    "statements.statement": ["Statement"],
    "statements.summary": ["MetricTotal", "Summary"],
    "terms.account": ["Account"],
    "terms.allowance": ["Allowance"],
    "terms.carry_over": ["CarriedUnits", "CarryOver"],
    "terms.commitment": ["Commitment"],
    "terms.conversion": ["Conversion"],
    "terms.discount": ["Discount"],
    "terms.plan": ["Plan"],
    "usage.event": ["UsageEvent"],
    "usage.increment": ["Increment"],
    "usage.metering": ["Meter", "meter"],
    "usage.metric": ["Metric"],
    "usage.usage": ["Usage"],
}

if not TYPE_CHECKING:  # or a type checker would let any name pass

    def __getattr__(name):
        for home, names in _HOMES.items():
            if name in names:
                value = getattr(import_module(f"{__name__}.{home}"), name)
                globals()[name] = value  # the next time it is just there
                return value
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

    def __dir__():
        return sorted({*globals(), *__all__})
