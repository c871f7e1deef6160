"""Quota facts: all that the decisions on most orgs follow from, read at once.

asked = quota_question("acme", "starter", february, metrics=["runs"])
facts = repository.quota_facts(asked, now)
facts.plan, facts.usage, facts.held               # Plan(...), Usage(...), {"runs": 5}
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from typing import Final, NamedTuple

from overages._ground.names import parse_name, parse_names
from overages._ground.parsing import arguments, instance_of, optional
from overages.amounts.exact import Quantity, parse_ordinal
from overages.errors import Field
from overages.periods.period import Period
from overages.terms.plan import Plan
from overages.usage.usage import Usage


class QuotaQuestion(NamedTuple):
    """A question after facts of an org's period, asked again and again as decisions are made.

    `quota_question` makes it, and checks its parts once.
    """

    org_id: str
    slug: str
    period: Period
    version: int | None
    metrics: tuple[str, ...] | None


def _parse_metrics(names: object, field: Field) -> tuple[str, ...]:
    return tuple(dict.fromkeys(parse_names(names, field)))


_parse_arguments: Final = arguments(
    org_id=parse_name,
    slug=parse_name,
    period=instance_of(Period),
    version=optional(parse_ordinal),
    metrics=optional(_parse_metrics),
)


def quota_question(
    org_id: str,
    slug: str,
    period: Period,
    *,
    version: int | None = None,
    metrics: Iterable[str] | None = None,
) -> QuotaQuestion:
    """Return the question after a plan, and an org's usage and holds.

    :param slug: of the plan.
    :param period: of the usage; the plan is the one in force at its start.
    :param version: of the plan, in place of the one in force.
    :param metrics: the names of the only ones whose usage is wanted; all without it.
    :raises InvalidValue: for a value that is not allowed; `InvalidValues` for several.

    >>> quota_question("acme", "starter", Period.month(2024, 2), metrics=["runs", "runs"]).metrics
    ('runs',)
    """
    return QuotaQuestion(*_parse_arguments(org_id, slug, period, version, metrics))


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
