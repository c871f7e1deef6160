"""Exact, explained overage charges for metered usage.

>>> from overages import Allowance, PerUnit, Period, Plan, Usage, calculate
>>> plan = Plan("starter", "USD", {"tokens": Allowance(included=500_000, price=PerUnit("0.0001"))})
>>> usage = Usage("org-123", Period.month(2024, 2), {"tokens": 750_000})
>>> print(calculate(plan, usage).total)
25.00 USD

A name is imported from its module when it is first asked for, so that a program loads only the
parts that it uses.
"""

from typing import TYPE_CHECKING

from overages import errors as errors

if TYPE_CHECKING:
    from overages._ground.value import evolve
    from overages.adapters.memory import MemoryRepository
    from overages.adapters.sqlite import SqliteRepository
    from overages.alerts.alert import Alert, usual_alerts
    from overages.alerts.crossing import crossings
    from overages.alerts.threshold import Threshold
    from overages.amounts.money import Currency, Money
    from overages.amounts.rounding import Rounding
    from overages.bookkeeping.books import EndedPeriod
    from overages.bookkeeping.staleness import StalePeriod
    from overages.grants.grant import Grant
    from overages.insight.break_even import BreakEven, break_even
    from overages.insight.budget import Budget
    from overages.insight.comparison import Comparison, compare
    from overages.insight.history import History, overage_history
    from overages.insight.inverse import quantities_within, quantity_within
    from overages.insight.projection import Projection
    from overages.lines.adjustment import Adjustment
    from overages.lines.overage import Overage
    from overages.periods.cycle import Cycle
    from overages.periods.period import Period
    from overages.periods.proration import Proration
    from overages.prices.exchange import Exchanged
    from overages.prices.models import Graduated, Package, Percentage, PerUnit, PriceModel, Volume
    from overages.prices.tier import Tier, TierCharge
    from overages.prices.transactions import TransactionFee
    from overages.quotas.deciding import decide
    from overages.quotas.decision import Decision
    from overages.quotas.reservation import Reservation
    from overages.quotas.standing_limit import StandingLimit
    from overages.records.aggregation import aggregate
    from overages.records.closing import Closing
    from overages.records.record import OverageRecord
    from overages.records.recording import Recording
    from overages.repository import Repository
    from overages.service.overage_service import OverageService
    from overages.settlements.balance import Balance
    from overages.settlements.pooled_statement import pool
    from overages.settlements.settlement import Settlement, settle
    from overages.statements.calculation import calculate, calculate_many, charge_between
    from overages.statements.statement import Statement
    from overages.statements.summary import Summary
    from overages.terms.account import Account
    from overages.terms.allowance import Allowance
    from overages.terms.carry_over import CarryOver
    from overages.terms.commitment import Commitment
    from overages.terms.conversion import Conversion
    from overages.terms.discount import Discount
    from overages.terms.plan import Plan
    from overages.terms.terms import Terms
    from overages.usage.event import UsageEvent
    from overages.usage.increment import Increment
    from overages.usage.metering import meter
    from overages.usage.metric import Metric
    from overages.usage.usage import Usage

    __version__: str
    """The version that is installed; ``0+unknown`` in a clone that isn't."""

__all__ = [
    "Account",
    "Adjustment",
    "Alert",
    "Allowance",
    "Balance",
    "BreakEven",
    "Budget",
    "CarryOver",
    "Closing",
    "Commitment",
    "Comparison",
    "Conversion",
    "Currency",
    "Cycle",
    "Decision",
    "Discount",
    "EndedPeriod",
    "Exchanged",
    "Graduated",
    "Grant",
    "History",
    "Increment",
    "MemoryRepository",
    "Metric",
    "Money",
    "Overage",
    "OverageRecord",
    "OverageService",
    "Package",
    "PerUnit",
    "Percentage",
    "Period",
    "Plan",
    "PriceModel",
    "Projection",
    "Proration",
    "Recording",
    "Repository",
    "Reservation",
    "Rounding",
    "Settlement",
    "SqliteRepository",
    "StalePeriod",
    "StandingLimit",
    "Statement",
    "Summary",
    "Terms",
    "Threshold",
    "Tier",
    "TierCharge",
    "TransactionFee",
    "Usage",
    "UsageEvent",
    "Volume",
    "aggregate",
    "break_even",
    "calculate",
    "calculate_many",
    "charge_between",
    "compare",
    "crossings",
    "decide",
    "errors",
    "evolve",
    "meter",
    "overage_history",
    "pool",
    "quantities_within",
    "quantity_within",
    "settle",
    "usual_alerts",
]

if not TYPE_CHECKING:  # or a type checker would let any name pass
    from functools import cache
    from importlib import import_module

    @cache
    def _homes():
        """List the module of each name, as the imports above say, though they never run.

        The code of this module has their names in the order in which they stand, each module before
        the names imported from it; reading them there takes 0.1 ms, and no table repeats them.
        """
        homes, home = {}, ""
        for name in __spec__.loader.get_code(__name__).co_names:
            if name.startswith("overages."):
                home = name
            homes.setdefault(name, home)
        return homes

    def __getattr__(name):
        if name == "__version__":
            value = _version()
        elif name in __all__:
            value = getattr(import_module(_homes()[name]), name)
        else:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        globals()[name] = value  # the next time it is just there
        return value

    def __dir__():
        return sorted([*__all__, "__version__"])

    def _version():
        from importlib.metadata import PackageNotFoundError, version

        try:
            return version(__name__)
        except PackageNotFoundError:  # a clone on the path
            return "0+unknown"
