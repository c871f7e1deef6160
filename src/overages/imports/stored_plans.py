"""Stored plans: those of a repository, in all of their versions, beside the ones of a book.

plans = NamedPlans(book, repository)
plans.require_metric("tokens", ("alerts", "tokens-80", "metric"))    # or UnknownMetric
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import cached_property
from itertools import count
from typing import Any

from overages._ground.parsing import Problems
from overages.alerts.alert import Alert
from overages.amounts.money import Money
from overages.errors import InvalidValue, Path, UnknownMetric, UnknownPlan, did_you_mean
from overages.grants.grant import Grant
from overages.imports.plan_files.changes import EVER
from overages.imports.plan_files.checks import path_of_limit
from overages.imports.plans import PlanBook
from overages.repository import Repository
from overages.terms.account import Account
from overages.terms.allowance import check_currency
from overages.terms.plan import Plan, unknown_metric


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

    def require_metric(self, metric: str, path: Path) -> None:
        """Refuse a metric that no plan has, in any version.

        :param path: leads to it.
        :raises UnknownMetric: names one that it resembles.
        """
        if not any(metric in plan.allowances for plan in self._all()):
            priced = sorted({name for plan in self._all() for name in plan.allowances})
            problem = f"{metric!r} is a metric of no plan, here or in the database"
            raise UnknownMetric(path, metric, f"{problem}{did_you_mean(metric, priced)}")

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

    def require_own_terms(self, account: Account) -> None:
        """Refuse own limits of metrics, and amounts in currencies, that a kept plan hasn't.

        Those of plans of the book were compared as it was read.

        :raises UnknownMetric: or `CurrencyMismatch`; `InvalidValues` for several.
        """
        problems, clashes, refused = Problems(), Problems(), set[str]()
        for terms in (stretch.terms for stretch in account.timeline.stretches):
            if terms is None or terms.plan in self._book.versions:
                continue
            amounts = list(terms.own.amounts())
            plans = self._of(terms.plan) if terms.limits or amounts else ()
            if terms.plan_version is not None:
                plans = plans[terms.plan_version - 1 : terms.plan_version]
            for metric in terms.limits if plans else ():
                is_there = any(metric in plan.allowances for plan in plans)
                if not is_there and metric not in refused:
                    refused.add(metric)
                    problems.add(unknown_metric(path_of_limit(account, metric), metric, plans[-1]))
            currencies = {plan.currency for plan in plans}
            others = [each for each in amounts if each[1].currency not in currencies]
            if plans and not clashes:
                check_currency(plans[-1].currency, others, clashes)
        if clashes:
            problems.add(clashes.error())
        problems.raise_any()

    def _all(self) -> Iterator[Plan]:
        for versions in self._book.versions.values():
            yield from (version.plan for version in versions)
        for slug in self._slugs:
            yield from self._of(slug)

    @cached_property
    def _slugs(self) -> Sequence[str]:
        return self._repository.slugs()

    def _of(self, slug: str) -> Sequence[Plan]:
        """Return the kept versions of a plan, read once."""
        if slug not in self._contents:
            self._contents[slug] = StoredPlan(self._repository, slug).contents()
        return self._contents[slug]
