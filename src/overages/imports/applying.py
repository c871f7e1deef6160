"""Applying a book: its content is put into a repository, as far as it is new there.

A database is the truth, and a file brings news. So the changes are found first, and can be told;
nothing that is kept is altered, and the same book again makes no changes:

    changes = changes_of(book, repository)
    for change in changes:
        print(change)             # plan pro: version 2, in force from 2024-03-01
    apply(changes, repository, noted_at=now)
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from overages._ground.parsing import Problems
from overages._ground.value import evolve, parsers_of
from overages.errors import (
    GrantConflict,
    OveragesError,
    Path,
    PlanConflict,
)
from overages.grants.grant import Grant
from overages.imports.entries import require_known_terms, require_one_currency
from overages.imports.plan_files.changes import (
    EVER,
    Change,
    NewAlert,
    NewBudget,
    NewEntries,
    NewGrant,
    NewMetric,
    NewVersion,
    date_of,
    text_of,
)
from overages.imports.plan_files.checks import routes_of
from overages.imports.plan_files.versions import PlanVersion
from overages.imports.plans import PlanBook
from overages.imports.stored_plans import NamedPlans, StoredPlan
from overages.imports.warnings import has_account, new_alerts, new_budgets, require_reachable
from overages.periods.cycle import Cycle
from overages.repository import Repository
from overages.service.overage_service import OverageService
from overages.terms.allowance import Allowance
from overages.terms.plan import Plan
from overages.usage.metric import Metric


def changes_of(book: PlanBook, repository: Repository) -> tuple[Change, ...]:
    """Return all that a book has and a repository doesn't; nothing is written.

    An account, a grant, a budget, an alert or a plan that the repository has and the book hasn't
    stays as it is.

    :raises PlanConflict: if the first version of a plan isn't the one that is in force there: a
        change of it is a later version, with the instant since which it holds.
    :raises AccountConflict: if an account's history isn't the kept one, with entries added at its
        end.
    :raises GrantConflict: if an org has a grant of an id which says something else.
    :raises UnknownPlan: for a plan that is neither here nor there.
    :raises UnknownMetric: for a metric that no plan has, here or there, where it is counted in a
        way of its own, granted, or the subject of a budget or an alert; and for an own limit of one
        that the org's plan doesn't know.
    :raises CurrencyMismatch: for an amount of an account in another currency than its plan's.
    :raises InvalidValue: if a metric clashes with one that is kept, an org has no account or drops
        a term that it hasn't, a grant or a cost of an alert of all orgs is in a currency that no
        plan is in, or a budget that stops charging would change; `InvalidValues` for all of several
        such faults.
    """
    problems, plans = Problems(), NamedPlans(book, repository)
    with repository.snapshot():
        if book.default_plan is not None:
            problems.attempt(plans.require_plan, book.default_plan, ("default_plan",))
        changes: list[Change] = [
            *_new_versions(book, repository, problems),
            *_new_metrics(book, repository, plans, problems),
            *_new_entries(book, repository, plans, problems),
            *_new_grants(book, repository, plans, problems),
            *new_budgets(book, repository, plans, problems),
            *new_alerts(book, repository, plans, problems),
        ]
    problems.raise_any()
    return tuple(changes)


def apply(
    changes: Iterable[Change],
    repository: Repository,
    noted_at: datetime,
    *,
    now: datetime | None = None,
) -> None:
    """Put changes into a repository, in one transaction: all or, if it raises, none.

    Then the alerts of orgs whose budgets or alerts change are looked at, and fire.

    :param noted_at: when entries of accounts say that they were noted, timezone-aware.
    :param now: the present instant, by which budgets and alerts are put, and fire; `noted_at`
        without it.
    :raises PeriodClosed: if an account's new entries would make another period of a closed one.
    :raises OveragesError: for a change that can't be put any more, as another writer has put
        something else, entries by which a period would have plans in two currencies, or a budget
        or an alert of an org that its terms can't reach; `InvalidValues` for several.
    """
    problems, metrics, orgs = Problems(), list[Metric](), dict[str, None]()
    present = now or noted_at
    with repository.transaction():
        for change in changes:
            if isinstance(change, NewMetric):  # some may only be right together
                metrics.append(change.metric)
            else:
                at = present if isinstance(change, NewAlert | NewBudget) else noted_at
                problems.attempt(change.put, repository, at)
        problems.attempt(repository.put_metrics, metrics)
        problems.raise_any()
        for change in changes:
            if isinstance(change, NewEntries):
                problems.attempt(require_one_currency, change, repository)
            if isinstance(change, NewBudget | NewAlert) and change.org_id is not None:
                orgs[change.org_id] = None
                problems.attempt(require_reachable, change, repository, present)
        problems.raise_any()
        if orgs:
            OverageService(repository, clock=lambda: present).check_alerts(orgs)


# Plans


def _new_versions(
    book: PlanBook, repository: Repository, problems: Problems
) -> Iterator[NewVersion]:
    for slug, versions in book.versions.items():
        stored = StoredPlan(repository, slug)
        try:
            new = list(_to_put(versions, stored))
        except OveragesError as error:
            problems.add(error)
            continue
        contents = stored.contents() if new else []
        for version in new:
            if version.plan not in contents:
                contents.append(version.plan)
            yield NewVersion(version.plan, contents.index(version.plan) + 1, version.since)


def _to_put(versions: Sequence[PlanVersion], stored: StoredPlan) -> Iterator[PlanVersion]:
    """Yield the versions that aren't in force from their instants on.

    :raises PlanConflict: if the first one differs from the one that is in force there.
    """
    first, *later = versions
    held = stored.at(first.since)
    if held is not None and held != first.plan:
        raise _conflict(stored.slug, held, first)
    last: PlanVersion | None = None  # that is to be put
    if held is None:
        last = evolve(first, since=EVER) if stored.is_known and first.since is None else first
        yield last
    for version in later:
        held = stored.at(version.since)
        # Where nothing kept comes into force after it, the last one to be put is still in force.
        if last is not None and held == stored.at(last.since):
            held = last.plan
        if held != version.plan:
            last = version
            yield last


def _conflict(slug: str, stored: Plan, version: PlanVersion) -> PlanConflict:
    """Return the error for a plan whose first version says something else than the kept one."""
    (path, before, after), *others = _differences(stored, version.plan)
    was = "must be left out" if before is None else f"must be {text_of(before)}"
    since = "always" if version.since is None else f"from {date_of(version.since)} on"
    more = f" (as must {len(others)} more)" if others else ""
    problem = (
        f"{was}, as it is kept, in force {since}{more}; a change is a version of its own: add"
        f" [[plans.{slug}.versions]] with the change, and with since, from when it holds"
    )
    return PlanConflict(("plans", slug, *path), after, problem)


def _differences(stored: Plan, plan: Plan) -> list[tuple[Path, object, object]]:
    """Return the terms that two plans differ in: the way to each, and both values."""
    differences: list[tuple[Path, object, object]] = [
        ((name,), before, after)
        for name in parsers_of(Plan)
        if name != "allowances"
        and (before := getattr(stored, name)) != (after := getattr(plan, name))
    ]
    for metric in dict.fromkeys([*stored.allowances, *plan.allowances]):
        path = ("allowances", metric)
        before, after = stored.allowances.get(metric), plan.allowances.get(metric)
        if before is None or after is None:
            differences.append((path, before, after))
            continue
        differences += [
            ((*path, name), getattr(before, name), getattr(after, name))
            for name in parsers_of(Allowance)
            if getattr(before, name) != getattr(after, name)
        ]
    return differences or [(("allowances",), list(stored.allowances), list(plan.allowances))]


# Metrics, accounts, grants


def _new_metrics(
    book: PlanBook, repository: Repository, plans: NamedPlans, problems: Problems
) -> Iterator[NewMetric]:
    stored = {metric.name: metric for metric in repository.metrics()}
    others = [metric for name, metric in stored.items() if name not in book.metrics]
    problems.attempt(routes_of, [*others, *book.metrics.values()])
    for name, metric in book.metrics.items():
        if stored.get(name) != metric:
            problems.attempt(plans.require_metric, name, ("metrics", name))
            yield NewMetric(metric, stored.get(name))


def _new_entries(
    book: PlanBook, repository: Repository, plans: NamedPlans, problems: Problems
) -> Iterator[NewEntries]:
    for org_id, account in book.accounts.items():
        stored = repository.account(org_id)
        if stored == account:
            continue
        count = 0 if stored is None else len(stored.changes)
        problems.attempt(require_known_terms, account, count, plans, path=("accounts", org_id))
        if stored is None:
            yield NewEntries(account, 0)
        else:
            problems.attempt(account.require_goes_on_from, stored)
            yield NewEntries(account, 1 + count)


def _new_grants(
    book: PlanBook, repository: Repository, plans: NamedPlans, problems: Problems
) -> Iterator[NewGrant]:
    for org_id, grants in book.grants.items():
        if not has_account(org_id, "grants", book, repository, problems):
            continue
        stored = {grant.id: grant for grant in repository.grants(org_id)}
        for grant in grants:
            before = stored.get(grant.id)
            if before is None:
                problems.attempt(plans.require_grant, grant, ("grants", org_id, grant.id))
                yield NewGrant(org_id, grant)
            elif before == evolve(grant, voided_at=None) != grant:
                yield NewGrant(org_id, grant, is_voided=True)
            elif grant not in (before, evolve(before, voided_at=None)):
                for conflict in _conflicts(grant, before, ("grants", org_id, grant.id)):
                    problems.add(conflict.within(org_id=org_id))


def _conflicts(grant: Grant, before: Grant, path: Path) -> Iterator[GrantConflict]:
    """Yield an error for each term in which a grant differs from the kept one of its id."""
    names = [name for name in parsers_of(Grant) if getattr(grant, name) != getattr(before, name)]
    if names == ["voided_at"]:
        problem = f"must be {text_of(before.voided_at)}, since when it is voided: it stays so"
        yield GrantConflict((*path, "voided_at"), grant.voided_at, problem)
        return
    remedy = "give a grant of other terms another id"
    if before.voided_at is None:
        remedy += ", and void this one (voided_at) if that takes its place"
    for name in names:
        if name != "voided_at":
            was, other = getattr(before, name), getattr(grant, name)
            wanted = "must be left out" if was is None else f"must be {text_of(was)}"
            problem = f"{wanted}, as it was put before under that id: {remedy}"
            value = text_of(other) if isinstance(other, Cycle) else other
            yield GrantConflict((*path, name), value, problem)
