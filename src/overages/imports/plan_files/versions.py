"""Versions of plans: a plan, and the instant from which it is in force.

versions = (PlanVersion(plan), PlanVersion(dearer, since=march_1))
in_force(versions, instant)                       # the plan, or None before the first
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from overages._ground.parsing import Problems, instance_of, optional, tuple_of
from overages._ground.value import term, value
from overages.errors import Field, InvalidValue, at
from overages.periods.period import format_instant, parse_instant
from overages.terms.plan import Plan


@value
class PlanVersion:
    """A plan, and since when it is in force.

    :param plan: the plan.
    :param since: the first instant that it is in force, timezone-aware; kept in UTC. None, for the
        first version of a plan alone, means always.

    >>> from overages import PerUnit, Allowance
    >>> PlanVersion(Plan("starter", "USD", {"runs": Allowance(100, PerUnit(1))})).since is None
    True
    """

    plan: Plan = term(instance_of(Plan))
    since: datetime | None = term(optional(parse_instant))

    def __init__(self, plan: Plan, since: datetime | None = None) -> None: ...


_each_version = tuple_of(PlanVersion)


def parse_versions(value: object, field: Field) -> tuple[PlanVersion, ...]:
    """Return the versions of a plan, if there is one at least and each is later than the last."""
    versions = _each_version(value, field)
    if not versions:
        raise InvalidValue(field, value, "must have a version at least")
    problems = Problems()
    sinces = [version.since for version in versions]
    for place, problem in out_of_order(sinces):
        problems.add(InvalidValue(at(field, place, "since"), sinces[place], problem))
    problems.raise_any()
    return versions


def out_of_order(sinces: Sequence[datetime | None]) -> Iterator[tuple[int, str]]:
    """Yield the place of each version that isn't later than the one before it, and the problem."""
    for place in range(1, len(sinces)):
        since, before = sinces[place], sinces[place - 1]
        if since is None:
            yield place, "must be given: only the first version is in force always"
        elif before is not None and since <= before:
            yield place, f"must be later than that of the version before, {format_instant(before)}"


def in_force(versions: Sequence[PlanVersion], instant: datetime) -> Plan | None:
    """Return the plan that is in force at an instant; None before the first one is."""
    for version in reversed(versions):
        if version.since is None or version.since <= instant:
            return version.plan
    return None
