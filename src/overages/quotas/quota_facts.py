"""Quota facts: all that the decisions on most orgs follow from, read at once.

facts = repository.quota_facts("acme", "starter", february, now, metrics=["runs"])
facts.plan, facts.usage, facts.held               # Plan(...), Usage(...), {"runs": 5}
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import NamedTuple

from overages.amounts.exact import Quantity
from overages.terms.plan import Plan
from overages.usage.usage import Usage


class QuotaFacts(NamedTuple):
    """The plan of an org's period, with the units that it used in it, and those that it holds.

    :param mark: tells the agreement with the org: its account, its budgets, when each version of
        the plan is in force, and whether it has any grants, or anyone any metrics. Of two marks
        that are equal each of these is the same; nothing else is to be read out of one.
    :param plan: the version of it that was asked for, or the one in force at the period's start;
        None, as its number is, where there is none.
    :param usage: units by metric.
    :param held: units by metric that reservations hold.
    """

    mark: Hashable
    version: int | None
    plan: Plan | None
    usage: Usage
    held: Mapping[str, Quantity]
