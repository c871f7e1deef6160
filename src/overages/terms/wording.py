"""Terms in words, for who reads a plan.

rule_terms({"increment": 10})                         # "increment: 10"
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum

from overages.amounts.money import Money


def rule_terms(rules: Mapping[str, object]) -> str:
    """Return rules by name as text.

    >>> rule_terms({"base_fee": Money(4900, "USD"), "increment": 10})
    'base fee: 49.00 USD, increment: 10'
    """
    return ", ".join(f"{name.replace('_', ' ')}: {_word(rule)}" for name, rule in rules.items())


def _word(rule: object) -> object:
    if isinstance(rule, Enum):
        return rule.value
    return rule if isinstance(rule, (str, Money)) else repr(rule)
