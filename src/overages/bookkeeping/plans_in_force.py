"""Plans in force: the version of a plan that an org's terms mean in one of its periods."""

from __future__ import annotations

from datetime import datetime

from overages.errors import Field, InvalidValue, UnknownPlan
from overages.periods.period import Period
from overages.repository import Repository
from overages.terms.plan import Plan
from overages.terms.terms import Terms


def summed_level(field: Field, metric: str) -> InvalidValue:
    """Return the error for events of a level that are only summed."""
    problem = (
        "must be counted as a level, since a plan says that it is held over time: the sum of its"
        " events doesn't tell what it is. Declare it:"
        f" repository.put_metric(Metric({metric!r}, 'max', reports='level')), or the same metric in"
        " OverageService(..., metrics=[...])"
    )
    return InvalidValue(field, metric, problem)


class PlansInForce:
    """Reads plans, each version once.

    A period has the version in force at its start, or the one that its terms stay on. A plan that
    was first put in force within the period holds from the start of its part.
    """

    def __init__(self, repository: Repository) -> None:
        self._repository = repository
        self._plans: dict[tuple[str, int | datetime], Plan] = {}

    def plan(self, period: Period, part: Period, terms: Terms) -> Plan:
        """Return the plan of a part of a period.

        :raises UnknownPlan: if it was not in force yet.
        """
        if terms.plan_version is not None:
            return self._read(terms.plan, terms.plan_version)
        try:
            return self._read(terms.plan, period.start)
        except UnknownPlan:
            if period.start == part.start:
                raise
            return self._read(terms.plan, part.start)

    def _read(self, slug: str, version: int | datetime) -> Plan:
        """Return a version of a plan, or the one in force at an instant."""
        if (slug, version) not in self._plans:
            if isinstance(version, datetime):
                plan = self._repository.plan(slug, at=version)
            else:
                plan = self._repository.plan(slug, version=version)
            self._plans[slug, version] = plan
        return self._plans[slug, version]
