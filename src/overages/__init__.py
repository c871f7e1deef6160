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
    from overages.account import Account
    from overages.adapters.memory import MemoryRepository
    from overages.adapters.sqlite import SqliteRepository
    from overages.adjustment import Adjustment
    from overages.aggregation import aggregate
    from overages.allowance import Allowance
    from overages.balance import Balance
    from overages.burndown import Burndown, Draw, GrantBalance
    from overages.calculation import calculate, calculate_many, charge_between
    from overages.carrying import Carrying, carry, carry_all
    from overages.carryover import Carried, CarryOver
    from overages.chain import ChainHead
    from overages.commitment import Commitment
    from overages.conversion import Conversion
    from overages.cycle import Cycle
    from overages.daycount import Proration, day_count
    from overages.discount import Discount
    from overages.drawing import burn_down, draw
    from overages.exchange import Exchanged
    from overages.grants import Grant
    from overages.increment import Increment
    from overages.limitpart import LimitPart
    from overages.limits import is_blocked, overage_cap, remaining, strictest
    from overages.metering import Meter, meter
    from overages.metric import Metric
    from overages.money import Currency, Money
    from overages.overage import Overage
    from overages.period import Period
    from overages.plan import Plan
    from overages.pooling import PooledStatement, pool, pooled_limit
    from overages.pricing import Graduated, Package, Percentage, PerUnit, PriceModel, Volume
    from overages.prorated import prorated_cost
    from overages.proration import (
        part_weights,
        period_share,
        prorate,
        prorate_exactly,
        prorate_parts,
    )
    from overages.record import MetricTotal, OverageRecord, Summary
    from overages.recording import Recording
    from overages.repository import Repository
    from overages.rounding import Rounding, allocate, round_to
    from overages.segments import calculate_segments
    from overages.service import OverageService
    from overages.settlement import Settlement, settle
    from overages.sharing import PoolShare
    from overages.smoothing import smoothed_overage
    from overages.statement import Statement
    from overages.tier import Charge, Tier, TierCharge
    from overages.transactions import TransactionCharge, TransactionFee
    from overages.usage import Usage, UsageEvent

__all__ = [
    "Account",
    "Adjustment",
    "Allowance",
    "Balance",
    "Burndown",
    "Carried",
    "CarryOver",
    "Carrying",
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
    "TransactionCharge",
    "TransactionFee",
    "Usage",
    "UsageEvent",
    "Volume",
    "aggregate",
    "allocate",
    "burn_down",
    "calculate",
    "calculate_many",
    "calculate_segments",
    "carry",
    "carry_all",
    "charge_between",
    "day_count",
    "draw",
    "is_blocked",
    "meter",
    "overage_cap",
    "part_weights",
    "period_share",
    "pool",
    "pooled_limit",
    "prorate",
    "prorate_exactly",
    "prorate_parts",
    "prorated_cost",
    "remaining",
    "round_to",
    "settle",
    "smoothed_overage",
    "strictest",
]

_HOMES = {
    "account": ["Account"],
    "adapters.memory": ["MemoryRepository"],
    "adapters.sqlite": ["SqliteRepository"],
    "adjustment": ["Adjustment"],
    "allowance": ["Allowance"],
    "aggregation": ["aggregate"],
    "burndown": ["Burndown", "Draw", "GrantBalance"],
    "balance": ["Balance"],
    "calculation": ["calculate", "calculate_many", "charge_between"],
    "carrying": ["Carrying", "carry", "carry_all"],
    "carryover": ["Carried", "CarryOver"],
    "chain": ["ChainHead"],
    "commitment": ["Commitment"],
    "conversion": ["Conversion"],
    "cycle": ["Cycle"],
    "daycount": ["Proration", "day_count"],
    "discount": ["Discount"],
    "drawing": ["burn_down", "draw"],
    "grants": ["Grant"],
    "metering": ["Meter", "meter"],
    "limitpart": ["LimitPart"],
    "exchange": ["Exchanged"],
    "limits": ["is_blocked", "overage_cap", "remaining", "strictest"],
    "increment": ["Increment"],
    "metric": ["Metric"],
    "money": ["Currency", "Money"],
    "overage": ["Overage"],
    "period": ["Period"],
    "plan": ["Plan"],
    "pooling": ["PooledStatement", "pool", "pooled_limit"],
    "pricing": ["Graduated", "Package", "PerUnit", "Percentage", "PriceModel", "Volume"],
    "prorated": ["prorated_cost"],
    "proration": ["part_weights", "period_share", "prorate", "prorate_exactly", "prorate_parts"],
    "record": ["MetricTotal", "OverageRecord", "Summary"],
    "recording": ["Recording"],
    "repository": ["Repository"],
    "rounding": ["Rounding", "allocate", "round_to"],
    "segments": ["calculate_segments"],
    "sharing": ["PoolShare"],
    "service": ["OverageService"],
    "settlement": ["Settlement", "settle"],
    "statement": ["Statement"],
    "smoothing": ["smoothed_overage"],
    "tier": ["Charge", "Tier", "TierCharge"],
    "transactions": ["TransactionCharge", "TransactionFee"],
    "usage": ["Usage", "UsageEvent"],
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
