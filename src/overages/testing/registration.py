"""Registration: how ``st.from_type(Plan)`` finds the strategy of plans.

Hypothesis calls `register` when it is imported, wherever this library is installed, so that tests
which have nothing to do with it pay for it too. Nothing is imported for them: a module's values are
registered when that module has been imported, whether before or after, and what their strategies
need is imported when the first is asked for.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from functools import partial
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any, Final

STRATEGIES: Final = {
    "overages.account": {"Account": "accounts"},
    "overages.chain": {"ChainHead": "chain_heads"},
    "overages.cycle": {"Cycle": "cycles"},
    "overages.money": {"Currency": "currencies", "Money": "money"},
    "overages.overage": {"Overage": "overage_lines", "Statement": "statements"},
    "overages.period": {"Period": "periods"},
    "overages.plan": {"Allowance": "allowances", "Plan": "plans"},
    "overages.pricing": {
        "Graduated": "graduated_prices",
        "Package": "package_prices",
        "PerUnit": "unit_prices",
        "Percentage": "percentages",
        "PriceModel": "prices",
        "Volume": "volume_prices",
    },
    "overages.record": {
        "MetricTotal": "metric_totals",
        "OverageRecord": "records",
        "Summary": "summaries",
    },
    "overages.recording": {"Recording": "recordings"},
    "overages.tier": {"Charge": "charges", "Tier": "tiers", "TierCharge": "tier_charges"},
    "overages.usage": {"Usage": "usages", "UsageEvent": "usage_events"},
}
"""By module and class, the name of the function that gives the strategy of its values."""


def register() -> None:
    """Let ``st.from_type`` give lawful values of each class of the library.

    It is called by Hypothesis where the library is installed as a package, and need not be called
    then; calling it again changes nothing.

    >>> register()
    >>> from hypothesis import strategies as st
    >>> from overages import Plan
    >>> st.from_type(Plan).validate()
    """
    for name in STRATEGIES:
        if name in sys.modules:
            _register_values_of(sys.modules[name])
    if not any(isinstance(finder, AfterImport) for finder in sys.meta_path):
        sys.meta_path.insert(0, AfterImport())


class AfterImport(MetaPathFinder):
    """Finds the modules that have values as they would be found anyway, and has them registered."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return what is found of a module with values; None of any other."""
        if fullname not in STRATEGIES:
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        loader: Any = spec and spec.loader
        if loader:
            loader.exec_module = partial(_execute, loader.exec_module)
        return spec


def _execute(execute: Callable[[ModuleType], None], module: ModuleType) -> None:
    execute(module)
    _register_values_of(module)


def _register_values_of(module: ModuleType) -> None:
    from hypothesis.strategies import register_type_strategy  # not before Hypothesis is there

    kinds = vars(module)
    for kind, strategy in STRATEGIES[module.__name__].items():
        if kind in kinds:  # else another thread is still importing the module
            register_type_strategy(kinds[kind], partial(_strategy, strategy))


def _strategy(name: str, kind: type) -> Any:
    from overages.testing import strategies

    del kind  # each class has a function of its own
    return getattr(strategies, name)()
