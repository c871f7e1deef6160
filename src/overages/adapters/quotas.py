"""The quotas of repositories: the facts that decisions follow from, read at once.

class BaseRepository(Quotas): ...
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from datetime import datetime
from typing import Final, NamedTuple

from overages._ground.parsing import arguments, instance_of
from overages.adapters.budgets import Budgets
from overages.adapters.catalogue import in_force
from overages.adapters.metered import MeteredUsage, usage_of
from overages.adapters.reservations import Reservations, units_held
from overages.amounts.exact import Quantity
from overages.periods.period import parse_instant
from overages.quotas.quota_facts import QuotaFacts, QuotaQuestion
from overages.terms.plan import Plan
from overages.usage.usage import Usage

_parse_arguments: Final = arguments(asked=instance_of(QuotaQuestion), at=parse_instant)


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
        self, asked: QuotaQuestion, at: datetime, *, mark: Hashable = None
    ) -> QuotaFacts | None:
        """Return a plan, an org's usage, and the units that it holds, with a mark of its terms."""
        asked, at = _parse_arguments(asked, at)
        answer = self._agreement_and_units(asked, at, mark)
        if answer is None:
            return None
        (mark, version, plan, put, held), picos = answer
        usage = usage_of(asked.org_id, asked.period, asked.metrics, picos, put)
        return QuotaFacts(mark, version, plan, usage, held)

    def _agreement_and_units(
        self, asked: QuotaQuestion, at: datetime, mark: Hashable
    ) -> tuple[Agreement, Mapping[str, int]] | None:
        """Return the agreement with an org, and the picos of events; None for another mark."""
        with self._reading():
            agreement = self._agreement(asked, at)
            if mark is not None and mark != agreement.mark:
                return None
            return agreement, self._picos_in(asked.org_id, asked.period, asked.metrics)

    def _agreement(self, asked: QuotaQuestion, at: datetime) -> Agreement:
        """Return the agreement with an org, and its holds, which one query may tell."""
        org_id, slug, period, version = asked.org_id, asked.slug, asked.period, asked.version
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
