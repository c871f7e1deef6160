"""Stored plans: those of a repository, in all of their versions, beside the ones of a book.

A book names plans, metrics and currencies of either: that is one rule for all of its tables.

plans = NamedPlans(book, repository)
plans.require_metric("tokens", ("alerts", "tokens-80", "metric"))    # or UnknownMetric
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import cached_property
from itertools import count
from typing import Any, Final

from overages.alerts.alert import Alert
from overages.amounts.money import Money
from overages.errors import InvalidValue, Path, UnknownMetric, UnknownPlan, did_you_mean
from overages.grants.grant import Grant
from overages.imports.plan_files.changes import EVER
from overages.imports.plan_files.versions import PlanVersion
from overages.imports.plans import PlanBook
from overages.repository import Repository
from overages.terms.plan import Plan

_NEITHER: Final = "here or in the database"
_REMEDY: Final = ": the plan comes first, in a file that is applied before, or in this one"


class StoredPlan:
    """The versions of a plan that a repository has."""

    def __init__(self, repository: Repository, slug: str) -> None:
        self._repository = repository
        self.slug: str = slug
        self.is_known: bool = self._read() is not None

    def _read(self, **version: Any) -> Plan | None:
        try:
            return self._repository.plan(self.slug, **version)
        except UnknownPlan:
            return None

    def at(self, instant: datetime | None) -> Plan | None:
        """Return the version in force at an instant, or always; None if none is."""
        return self._read(at=instant or EVER) if self.is_known else None

    def contents(self) -> list[Plan]:
        """Return all versions, in the order in which they are counted."""
        if not self.is_known:
            return []
        versions = (self._read(version=number) for number in count(1))
        return list(iter(versions.__next__, None))


class NamedPlans:
    """The plans that terms, grants and alerts of a book can name: its own, and those kept before.

    They are read as far as is needed, and each once: most books name the metrics of their own.
    """

    def __init__(self, book: PlanBook, repository: Repository) -> None:
        self._book, self._repository = book, repository
        self._contents: dict[str, Sequence[Plan]] = {}

    def require_plan(self, slug: str, path: Path) -> None:
        """Refuse a plan that isn't there.

        :param path: leads to it.
        :raises UnknownPlan: names one that it resembles.
        """
        if slug not in self._book.versions and not self.contents(slug):
            slugs = list(dict.fromkeys([*self._book.versions, *self._slugs]))
            listed = ", ".join(slugs) or "of which there is none"
            problem = f"must be one of the plans, {_NEITHER}, {listed}{did_you_mean(slug, slugs)}"
            raise UnknownPlan(path, slug, problem + _REMEDY)

    def require_metric(self, metric: str, path: Path) -> None:
        """Refuse a metric that no plan has, in any version.

        :param path: leads to it.
        :raises UnknownMetric: names one that it resembles.
        """
        if not any(metric in plan.allowances for plan in self._all()):
            priced = sorted({name for plan in self._all() for name in plan.allowances})
            near = did_you_mean(metric, priced)
            problem = f"{metric!r} is a metric of no plan, {_NEITHER}{near}{_REMEDY}"
            raise UnknownMetric(path, metric, problem)

    def require_currency(self, amount: Money, metric: str | None, path: Path) -> None:
        """Refuse money in a currency that no plan is in, in any version.

        :param metric: the plans that have it are looked at alone; all without it.
        :param path: leads to the money.
        :raises InvalidValue: names the currencies that there are.
        """
        codes = set[str]()
        for plan in self._all():
            if metric is None or metric in plan.allowances:
                if plan.currency == amount.currency:
                    return
                codes.add(plan.currency.code)
        of = "" if metric is None else f" that has {metric!r}"
        listed = " or ".join(sorted(codes)) or "of which there is none"
        raise InvalidValue(path, amount, f"must be in the currency of a plan{of}, {listed}")

    def require_grant(self, grant: Grant, path: Path) -> None:
        """Refuse a grant of a metric, or in a currency, that no plan has: it could pay for nothing.

        :param path: leads to it.
        :raises UnknownMetric: or `InvalidValue` for its currency.
        """
        if grant.metric is not None:
            self.require_metric(grant.metric, (*path, "metric"))
        if isinstance(grant.amount, Money):
            self.require_currency(grant.amount, grant.metric, (*path, "amount"))

    def require_reachable(self, alert: Alert, path: Path) -> None:
        """Refuse an alert of all orgs of a metric, or of a cost in a currency, that no plan has.

        :param path: leads to it.
        :raises UnknownMetric: or `InvalidValue` for its currency.
        """
        if alert.metric is not None:
            self.require_metric(alert.metric, (*path, "metric"))
        cost = None if alert.threshold is None else alert.threshold.cost
        if cost is not None and alert.grant is None and alert.budget is None:
            self.require_currency(cost, alert.metric, (*path, "threshold", "cost"))

    def _all(self) -> Iterator[Plan]:
        for versions in self._book.versions.values():
            yield from (version.plan for version in versions)
        for slug in self._slugs:
            yield from self.contents(slug)

    @cached_property
    def _slugs(self) -> Sequence[str]:
        return self._repository.slugs()

    def versions_of_file(self, slug: str) -> Sequence[PlanVersion]:
        """Return the versions of a plan that the book has; none if it hasn't the plan."""
        return self._book.versions.get(slug, ())

    def contents(self, slug: str) -> Sequence[Plan]:
        """Return the versions of a plan, as they are counted once the book is put."""
        if slug not in self._contents:
            own = (version.plan for version in self.versions_of_file(slug))
            stored = StoredPlan(self._repository, slug).contents()
            self._contents[slug] = list(dict.fromkeys([*stored, *own]))
        return self._contents[slug]
