"""Accounts: which plan an org is on, and which limits of its own it has.

A limit of its own stands in place of what the plan includes:

    account = Account("org-123", plan="starter", limits={"tokens": 600_000})
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from attrs import field, frozen

from overages.exact import Quantity, QuantityLike
from overages.names import name
from overages.parsing import parse_all
from overages.usage import parse_quantities


@frozen(init=False, repr=False, weakref_slot=False)
class Account:
    """An org's plan and its own limits.

    :param org_id: the org.
    :param plan: the slug of its plan.
    :param limits: units by metric, zero or more, each in place of the plan's included quantity
        (soft limits).
    :raises InvalidValue: for a value that is not allowed; `InvalidValues` for several.
    """

    org_id: str
    plan: str
    _limits: dict[str, Quantity] = field(hash=False)

    def __init__(
        self, org_id: str, plan: str, limits: Mapping[str, QuantityLike] | None = None
    ) -> None:
        values = parse_all(
            (name, org_id, "org_id"),
            (name, plan, "plan"),
            (parse_quantities, {} if limits is None else limits, "limits"),
        )
        self.__attrs_init__(*values)

    @property
    def limits(self) -> Mapping[str, Quantity]:
        """The org's own limits by metric; can be read only."""
        return MappingProxyType(self._limits)

    def __repr__(self) -> str:
        return f"Account({self.org_id!r}, {self.plan!r}, {self._limits!r})"
