"""Entries of a book's accounts: that the plans and terms they name are there, and can be billed.

plans = NamedPlans(book, repository)
require_known_terms(account, count, plans)        # plans, versions, limits, currencies, drops
require_one_currency(change, repository)          # once it is put: of each bill
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import pairwise
from operator import attrgetter
from typing import get_args

from overages._ground.parsing import Problems
from overages._ground.value import evolve
from overages.bookkeeping.plans_in_force import PlansInForce
from overages.errors import InvalidValue, Path, UnknownPlan, did_you_mean
from overages.imports.plan_files.changes import NewEntries
from overages.imports.plan_files.versions import PlanVersion, in_force
from overages.imports.stored_plans import NamedPlans
from overages.periods.period import Period, format_instant
from overages.repository import Repository
from overages.terms.account import Account
from overages.terms.allowance import check_currency
from overages.terms.change import Bound, TermsChange
from overages.terms.plan import Plan, unknown_metric
from overages.terms.terms import Terms
from overages.terms.timeline import Stretch, changed, standing


def require_known_terms(account: Account, count: int, plans: NamedPlans) -> None:
    """Refuse an account that names a plan, a version, a metric or a term that isn't there.

    An own limit has to be of a metric, and an own amount in the currency, of each version of the
    plan that holds with it.

    :param count: how many of its later entries are kept, which can't be altered any more.
    :raises UnknownPlan: or `UnknownMetric`; `CurrencyMismatch`; `InvalidValue` for a version that
        the plan hasn't, and for a dropped term that it hasn't; `InvalidValues` for several.
    """
    problems = Problems()
    named: list[tuple[Path, str]] = [(("plan",), account.plan)]
    for i, change in enumerate(account.changes):
        if change.plan is not None:
            named.append((("changes", i, "plan"), change.plan))
    for path, slug in named:
        problems.attempt(plans.require_plan, slug, path)
    if not problems:
        problems.attempt(_require_own_terms, account, plans)
    for path, name, problem in _dropped_in_vain(account, count):
        problems.add(InvalidValue(path, name, problem))
    problems.raise_any()


# Own limits and amounts


def _require_own_terms(account: Account, plans: NamedPlans) -> None:
    """Refuse each limit of a metric that a plan doesn't know, and the first amount that clashes."""
    problems, clashes, refused = Problems(), Problems(), set[str | int]()
    for stretch in account.timeline.stretches:
        terms = stretch.terms
        amounts = [] if terms is None else list(terms.own.amounts())
        if terms is None or not (terms.limits or amounts or terms.plan_version):
            continue  # as most have none
        version, choices = terms.plan_version, _plans_with(account, stretch, terms, plans)
        if not choices and version is not None and version not in refused:
            refused.add(version)
            count = len(plans.contents(terms.plan))
            problem = f"must be the number of a version of plan {terms.plan!r}, which has {count}"
            problems.add(InvalidValue(_path_of_version(account, terms), version, problem))
        for metric in terms.limits:
            lacking = [some[0] for some in choices if not any(metric in p.allowances for p in some)]
            if lacking and metric not in refused:
                refused.add(metric)
                problems.add(unknown_metric(_path_of_limit(account, metric), metric, lacking[0]))
        for some in choices:
            of_others = [
                each for each in amounts if all(each[1].currency != plan.currency for plan in some)
            ]
            if not clashes:
                check_currency(some[0].currency, of_others, clashes)
    if clashes:
        problems.add(clashes.error())
    problems.raise_any()


def _plans_with(
    account: Account, stretch: Stretch, terms: Terms, plans: NamedPlans
) -> list[list[Plan]]:
    """Return the plans that hold with the terms of a stretch, each time one of several.

    Since when versions hold is known of the file's alone: where the database has others, it is one
    of all of them, the last one first.
    """
    contents = plans.contents(terms.plan)
    if terms.plan_version is not None:
        return [[plan] for plan in contents[terms.plan_version - 1 : terms.plan_version]]
    versions = plans.versions_of_file(terms.plan)
    if {version.plan for version in versions}.issuperset(contents):
        return [[plan] for plan in _plans_in_force(account, stretch, versions)]
    return [list(reversed(contents))]


def _plans_in_force(
    account: Account, stretch: Stretch, versions: Sequence[PlanVersion]
) -> list[Plan]:
    """Return the plans at the starts of an account's periods in a stretch, each version once.

    One that comes into force within the first period holds from its part on, if none did before.
    """
    first = account.period_at(stretch.start).start
    starts = [first]
    for since in (version.since for version in versions):
        if since is not None and first < since < stretch.end:
            period = account.period_at(max(since, stretch.start))
            starts.append(period.start if since <= period.start else period.end)
    if in_force(versions, first) is None:
        starts[0] = stretch.start
    plans = [in_force(versions, start) for start in starts if start < stretch.end]
    return [plan for plan in plans if plan is not None]


def _path_of_limit(account: Account, metric: str) -> Path:
    """Return the path to the first own limit of a metric in an account."""
    if metric in account.limits:
        return ("limits", metric)
    named = [i for i, change in enumerate(account.changes) if metric in change.limits]
    return ("changes", named[0], "limits", metric)


def _path_of_version(account: Account, terms: Terms) -> Path:
    """Return the path to the first entry that stays on the version that terms stay on."""
    if account.plan_version == terms.plan_version:
        return ("plan_version",)
    versions = [change.plan_version for change in account.changes]
    return ("changes", versions.index(terms.plan_version), "plan_version")


# Drops


def _dropped_in_vain(account: Account, count: int) -> Iterator[tuple[Path, str, str]]:
    """Yield the terms that an account drops and doesn't have then: path, name and problem.

    It has those of the entries noted before, so that a history is taken entry by entry as at once.
    """
    standing_ids = set(map(id, standing(account.changes)))
    for i, change in enumerate(account.changes):
        is_drop = change.drop_limits or change.drop_discounts or change.drop_bounds
        if i < count or not is_drop or id(change) not in standing_ids:
            continue
        for key, name, kind, held in _drops_of(change, _terms_before(account, i)):
            if name not in held:
                listed = ", ".join(held) or "of which it has none"
                problem = f"must be {kind} of its own that the org has then, {listed}"
                yield ("changes", i, key, name), name, problem + did_you_mean(name, held)


def _terms_before(account: Account, place: int) -> Terms:
    """Return the terms over which an entry of an account is laid, also where none hold then."""
    terms = Terms(
        account.plan, account.limits, account.cycle, status=account.status,
        discounts=account.discounts, maximum=account.maximum, minimum=account.minimum,
    )  # fmt: skip
    for change in sorted(standing(account.changes[:place]), key=attrgetter("since")):
        if change.since <= account.changes[place].since:
            terms = changed(terms, change)
    return terms


def _drops_of(change: TermsChange, terms: Terms) -> Iterator[tuple[str, str, str, Sequence[str]]]:
    """Yield the terms that an entry drops: key, name and kind, and the names that there are."""
    bounds = [name for name in get_args(Bound) if getattr(terms, name) is not None]
    discounts = [discount.name for discount in terms.discounts]
    for key, kind, held in [
        ("drop_limits", "a limit", list(terms.limits)),
        ("drop_discounts", "a discount", discounts),
        ("drop_bounds", "a bound", bounds),
    ]:
        for name in getattr(change, key):
            yield key, name, kind, held


# Bills


def require_one_currency(change: NewEntries, repository: Repository) -> None:
    """Refuse entries by which a period would have plans in two currencies: no bill has two.

    A period that had two before is no fault of theirs.

    :raises InvalidValue: for each such change of plan, naming when the next period begins.
    """
    account = change.account
    before = set[tuple[Period, datetime]]()
    if change.count:
        earlier = evolve(account, changes=account.changes[: change.count - 1])
        before = {(period, at) for period, at, *_ in _changes_of_currency(earlier, repository)}
    problems = Problems()
    for period, at, plan, other in _changes_of_currency(account, repository):
        if (period, at) not in before:
            path, value = _named_plan(account, at)
            problem = (
                f"must be a plan in {plan.currency.code}, as the one before it in the org's period"
                f" {period.describe()}, since a bill has one currency, not"
                f" {other.currency.code} as well; or be so from the start of the next period,"
                f" since = {format_instant(period.end)}"
            )
            problems.add(InvalidValue(("accounts", account.org_id, *path), value, problem))
    problems.raise_any()


def _changes_of_currency(
    account: Account, repository: Repository
) -> Iterator[tuple[Period, datetime, Plan, Plan]]:
    """Yield each change to a plan in another currency within a period: when, and both plans."""
    plans = PlansInForce(repository)
    for earlier, later in pairwise(account.timeline.stretches):
        old, new = earlier.terms, later.terms
        if old is None or new is None or _have_one_plan(old, new):
            continue
        period = account.period_at(later.start)
        if period.start == later.start:
            continue
        try:
            before = plans.plan(period, period.clipped(start=earlier.start, end=earlier.end), old)
            after = plans.plan(period, period.clipped(start=later.start, end=later.end), new)
        except UnknownPlan:  # which isn't in force yet
            continue
        if before.currency != after.currency:
            yield period, later.start, before, after


def _named_plan(account: Account, since: datetime) -> tuple[Path, object]:
    """Return the path to the plan that an account changes to, or to its version, and the value."""
    return [
        (("changes", i, name), getattr(each, name))
        for i, each in enumerate(account.changes)
        for name in ("plan_version", "plan")
        if each.since == since and getattr(each, name) is not None
    ][-1]


def _have_one_plan(terms: Terms, others: Terms) -> bool:
    return (terms.plan, terms.plan_version) == (others.plan, others.plan_version)
