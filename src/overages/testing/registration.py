"""Registration: how ``st.from_type(Plan)`` finds the strategy of plans.

Hypothesis calls `register` when it is imported, wherever this library is installed. The strategies,
and what they need, are imported when the first is asked for: Hypothesis itself is not ready before.
"""

from __future__ import annotations

from functools import partial
from importlib import import_module
from pkgutil import resolve_name
from typing import Any, Final

STRATEGIES: Final = {
    "Account": "accounts",
    "Adjustment": "adjustments",
    "Allowance": "allowances",
    "terms.carry_over.CarriedUnits": "carried",
    "CarryOver": "carry_overs",
    "settlements.carry_over_result.CarryOverResult": "carryings",
    "Balance": "balances",
    "grants.burndown.Burndown": "burndowns",
    "records.chain.ChainHead": "chain_heads",
    "prices.tier.Charge": "charges",
    "Commitment": "commitments",
    "Currency": "currencies",
    "Cycle": "cycles",
    "Discount": "discounts",
    "Conversion": "conversions",
    "Exchanged": "exchanged_prices",
    "Graduated": "graduated_prices",
    "statements.limit_part.LimitPart": "limit_parts",
    "grants.state.Draw": "draws",
    "Grant": "grants",
    "grants.state.GrantState": "grant_balances",
    "Increment": "increments",
    "Metric": "metrics",
    "statements.summary.MetricTotal": "metric_totals",
    "Money": "money",
    "Overage": "overage_lines",
    "OverageRecord": "records",
    "Package": "package_prices",
    "PerUnit": "unit_prices",
    "Percentage": "percentages",
    "Period": "periods",
    "Plan": "plans",
    "settlements.pool_share.PoolShare": "pool_shares",
    "settlements.pooled_statement.PooledStatement": "pooled_statements",
    "PriceModel": "prices",
    "Recording": "recordings",
    "Settlement": "settlements",
    "Statement": "statements",
    "Summary": "summaries",
    "Tier": "tiers",
    "TierCharge": "tier_charges",
    "TransactionFee": "transaction_fees",
    "Usage": "usages",
    "UsageEvent": "usage_events",
    "Volume": "volume_prices",
}
"""By class, the name of the function in `overages.testing.strategies` that gives its values."""


def register() -> None:
    """Let ``st.from_type`` give lawful values of each class of the library.

    It is called by Hypothesis where the library is installed as a package, and need not be called
    then; calling it again changes nothing.

    >>> register()
    >>> from hypothesis import strategies as st
    >>> from overages import Plan
    >>> st.from_type(Plan).validate()
    """
    from hypothesis.strategies import register_type_strategy

    for kind, strategy in STRATEGIES.items():
        register_type_strategy(resolve_name(f"overages.{kind}"), partial(_strategy, strategy))


def _strategy(name: str, kind: type) -> Any:
    del kind  # each class has a function of its own
    return getattr(import_module("overages.testing.strategies"), name)()
