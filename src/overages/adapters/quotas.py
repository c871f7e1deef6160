"""The quotas of repositories: the facts that decisions follow from, read at once.

class BaseRepository(Quotas): ...
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from datetime import datetime
from typing import Final, NamedTuple

from overages._ground.names import parse_name
from overages._ground.parsing import arguments, instance_of, optional
from overages.adapters.budgets import Budgets
from overages.adapters.catalogue import in_force
from overages.adapters.metered import MeteredUsage, optional_names, usage_of
from overages.adapters.reservations import Reservations, units_held
from overages.amounts.exact import Quantity, parse_ordinal
from overages.periods.period import Period, parse_instant
from overages.quotas.quota_facts import QuotaFacts
from overages.terms.plan import Plan
from overages.usage.usage import Usage

_parse_arguments: Final = arguments(
    org_id=parse_name,
    slug=parse_name,
    period=instance_of(Period),
    at=parse_instant,
    version=optional(parse_ordinal),
    metrics=optional_names,
)


class Agreement(NamedTuple):
    """The terms of an org, as far as decisions need them, with the units that it was put or holds.

    :param mark: as `QuotaFacts` has it, and the version of the plan.
    :param put: the sums that were put for spans which overlap a period.
    :param held: units by metric.
    """

    mark: Hashable
    version: int | None
    plan: Plan | None
    put: Iterable[Usage]
    held: Mapping[str, Quantity]


class Quotas(MeteredUsage, Budgets, Reservations):
    """Keeps the part of the contract that is about decisions."""

    def quota_facts(
        self,
        org_id: str,
        slug: str,
        period: Period,
        at: datetime,
        *,
        version: int | None = None,
        metrics: Iterable[str] | None = None,
        mark: Hashable = None,
    ) -> QuotaFacts | None:
        """Return a plan, an org's usage, and the units that it holds, with a mark of its terms."""
        org_id, slug, period, at, version, names = _parse_arguments(
            org_id, slug, period, at, version, metrics
        )
        names = None if names is None else tuple(dict.fromkeys(names))
        with self._reading():
            agreement = self._agreement(org_id, slug, version, period, at)
            if mark is not None and mark != agreement.mark:
                return None
            picos = self._picos_in(org_id, period, names)
        usage = usage_of(org_id, period, names, picos, agreement.put)
        return QuotaFacts(agreement.mark, agreement.version, agreement.plan, usage, agreement.held)

    def _agreement(
        self, org_id: str, slug: str, version: int | None, period: Period, at: datetime
    ) -> Agreement:
        """Return the agreement with an org, and its holds, which one query may tell."""
        starts = self._starts_of(slug)
        number = in_force(starts, period.start) if version is None else version
        plan = None if number is None else self._get_plan(slug, number)
        of_org = self.account(org_id), self.budgets(org_id), bool(self.grants(org_id))
        return Agreement(
            (of_org, bool(self.metrics()), tuple(starts.items())),
            None if plan is None else number,
            plan,
            self._puts_of(org_id, period),
            units_held(self._holds_in(org_id, period, at)),
        )
