"""Plans in force: the version of a plan that an org's terms mean in one of its periods."""

from __future__ import annotations

from datetime import datetime

from overages.errors import UnknownPlan
from overages.periods.period import Period
from overages.repository import Repository
from overages.terms.plan import Plan
from overages.terms.terms import Terms


class PlansInForce:
    """Reads plans, each version once.

    A period has the version in force at its start, or the one that its terms stay on. A plan that
    was first put in force within the period holds from the start of its part.
    """

    def __init__(self, repository: Repository) -> None:
        self._repository = repository
        self._plans: dict[tuple[str, int | None, datetime], Plan] = {}

    def plan(self, period: Period, part: Period, terms: Terms) -> Plan:
        """Return the plan of a part of a period.

        :raises UnknownPlan: if it was not in force yet.
        """
        key = terms.plan, terms.plan_version, period.start
        if key not in self._plans:
            self._plans[key] = self._read(*key, part.start)
        return self._plans[key]

    def _read(self, slug: str, version: int | None, start: datetime, otherwise: datetime) -> Plan:
        if version is not None:
            return self._repository.plan(slug, version=version)
        try:
            return self._repository.plan(slug, at=start)
        except UnknownPlan:
            if start == otherwise:
                raise
            return self._repository.plan(slug, at=otherwise)
