"""The catalogue of repositories: plans in force, accounts, and grants that stay for ever.

class BaseRepository(Catalogue): ...
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from itertools import count
from typing import Final, cast

from overages._ground.names import parse_name, parse_names
from overages._ground.parsing import (
    Problems,
    arguments,
    instance_of,
    optional,
    parse_all,
    tuple_of,
)
from overages._ground.value import evolve
from overages.adapters.storage import Storage
from overages.amounts.exact import parse_ordinal
from overages.errors import (
    GrantConflict,
    InvalidValue,
    Path,
    PeriodClosed,
    UnknownGrant,
    UnknownPlan,
    did_you_mean,
)
from overages.grants.grant import Grant
from overages.periods.period import format_instant, parse_instant
from overages.terms.account import Account
from overages.terms.note import AccountNote
from overages.terms.plan import Plan
from overages.usage.metric import Metric
from overages.usage.routing import Routes

_EVER: Final = datetime.min.replace(tzinfo=UTC)
_LISTED: Final = 20  # names in the error for another one
_optional_instant: Final = optional(parse_instant)
_parse_version: Final = arguments(
    slug=parse_name, version=optional(parse_ordinal), at=_optional_instant
)


class Catalogue(Storage):
    """Keeps the part of the contract that is about values a host puts and looks up again."""

    # Plans

    def put_plan(self, plan: Plan, *, since: datetime | None = None) -> int:
        """Keep a plan, in force from an instant on, and return its version."""
        plan, since = parse_all(
            (instance_of(Plan), plan, "plan"), (_optional_instant, since, "since")
        )
        with self._writing():
            starts = self._starts_of(plan.slug)
            version = self._version_of(plan)
            if since is not None or not starts:
                since = since or _EVER
                if starts.get(since) != version:
                    self._set_start(plan.slug, since, version)
            elif in_force(starts, None) != version:
                problem = "must be given: another version of the plan is in force already"
                raise InvalidValue("since", since, problem)
        return version

    def plan(self, slug: str, *, version: int | None = None, at: datetime | None = None) -> Plan:
        """Return a plan: one version of it, or the one in force at an instant."""
        slug, version, at = _parse_version(slug, version, at)
        with self._reading():
            starts = self._starts_of(slug)
            number = in_force(starts, at) if version is None else version
            plan = None if number is None else self._get_plan(slug, number)
            if plan is None:
                raise self._unknown_plan(slug, version, starts)
        return plan

    def slugs(self) -> tuple[str, ...]:
        """Return the slugs of all plans that are or were in force, or will be, sorted."""
        with self._reading():
            return tuple(sorted(self._slugs()))

    def _unknown_plan(
        self, slug: str, version: int | None, starts: Mapping[datetime, int]
    ) -> UnknownPlan:
        """Tell which plans, versions or instants there are."""
        if not starts:
            problem = f"must be a plan that was put{listed_names(slug, self._slugs())}"
            return UnknownPlan("slug", slug, problem)
        if version is None:
            first = format_instant(min(starts))
            return UnknownPlan("slug", slug, f"must be in force then, and is so from {first} on")
        last = next(n for n in count(1) if self._get_plan(slug, n + 1) is None)
        return UnknownPlan("version", version, f"must be one of plan {slug!r}, from 1 to {last}")

    # Metrics

    def put_metric(self, metric: Metric) -> None:
        """Keep a metric, which counts from now on in place of any of its name before."""
        instance_of(Metric)(metric, "metric")
        self._put_metrics((metric,), lambda _: ("metric",))

    def put_metrics(self, metrics: Iterable[Metric]) -> None:
        """Keep several metrics at once, of which some may only be right together."""
        self._put_metrics(tuple_of(Metric)(metrics, "metrics"), lambda place: ("metrics", place))

    def _put_metrics(self, metrics: tuple[Metric, ...], path: Callable[[int], Path]) -> None:
        """Keep metrics, each of which a path leads to by its place."""
        with self._writing():
            before = {metric.name: metric for metric in self._all_metrics()}
            changed = [metric for metric in metrics if before.get(metric.name) != metric]
            if not changed:
                return
            stay = [
                before[name] for name in sorted(before.keys() - {each.name for each in metrics})
            ]
            _refuse_clashes(stay, metrics, path)
            for metric in changed:
                self._add_metric(metric)

    def metrics(self) -> tuple[Metric, ...]:
        """Return the metrics that count now, by name."""
        with self._reading():
            return tuple(sorted(self._all_metrics(), key=lambda metric: metric.name))

    # Accounts

    def put_account(
        self,
        account: Account,
        *,
        noted_at: datetime | None = None,
        noted_by: str | None = None,
        reason: str | None = None,
    ) -> None:
        """Keep the entries that are new in an org's account; no entry ever changes."""
        instance_of(Account)(account, "account")
        self._put_accounts((account,), AccountNote(noted_at, noted_by, reason))

    def put_accounts(
        self,
        accounts: Iterable[Account],
        *,
        noted_at: datetime | None = None,
        noted_by: str | None = None,
        reason: str | None = None,
    ) -> None:
        """Keep the entries that are new in the accounts of several orgs, all or none."""
        several = tuple_of(Account)(accounts, "accounts")
        self._put_accounts(several, AccountNote(noted_at, noted_by, reason))

    def _put_accounts(self, accounts: Sequence[Account], note: AccountNote) -> None:
        with self._writing():
            orgs = dict.fromkeys(account.org_id for account in accounts)
            by_org = dict(self._get_accounts(list(orgs)))
            added = []
            for account in accounts:
                before = by_org.get(account.org_id)
                if before is None:
                    added.append((account, 0))
                else:
                    account.require_goes_on_from(before)
                    if before != account:
                        self._refuse_within_closed(before, account)
                        added.append((account, len(before.changes) + 1))
                by_org[account.org_id] = account
            if added:
                self._add_entries(added, note)

    def _refuse_within_closed(self, before: Account, account: Account) -> None:
        """Refuse entries that would move a boundary inside a closed period.

        Its invoice is out: it can be corrected, but not become another period.
        """
        for period, since in sorted(self._closed(account.org_id).items()):
            if before.has(period) and not account.has(period):
                own = account.timeline.periods(period.start, period.end)
                named = " and ".join(each.describe() for each in own) or "a time without terms"
                problem = f"is closed since {format_instant(since)}, and would become {named}"
                error = PeriodClosed((), since, problem)
                raise error.within(org_id=account.org_id, period=period)

    def account_notes(self, org_id: str) -> tuple[AccountNote, ...]:
        """Return a note for each entry of an org's account: the first terms, then the changes."""
        parse_name(org_id, "org_id")
        with self._reading():
            return tuple(self._notes_of(org_id))

    def account(self, org_id: str) -> Account | None:
        """Return an org's account, or None if it has none."""
        parse_name(org_id, "org_id")
        with self._reading():
            return self._get_accounts((org_id,)).get(org_id)

    def accounts(self, orgs: Iterable[str]) -> Mapping[str, Account]:
        """Return the accounts of some orgs by org, of those that have one."""
        several = parse_names(orgs, "orgs")
        with self._reading():
            return self._get_accounts(list(dict.fromkeys(several)))

    # Grants

    def put_grant(self, org_id: str, grant: Grant) -> None:
        """Keep a grant of an org's, for ever."""
        parse_all((parse_name, org_id, "org_id"), (instance_of(Grant), grant, "grant"))
        with self._writing():
            before = self._get_grant(org_id, grant.id)
            if before is None:
                self._add_grant(org_id, grant)
            elif grant not in (before, evolve(before, voided_at=None)):
                problem = "must be as it was put before under that id"
                raise GrantConflict("grant", grant, problem).within(org_id=org_id)

    def void_grant(self, org_id: str, grant_id: str, at: datetime) -> datetime:
        """Void an org's grant, which can't be undone; return when it was first voided."""
        org_id, grant_id, at = parse_all(
            (parse_name, org_id, "org_id"),
            (parse_name, grant_id, "grant_id"),
            (parse_instant, at, "at"),
        )
        with self._writing():
            grant = self._get_grant(org_id, grant_id)
            if grant is None:
                ids = listed_names(grant_id, (each.id for each in self._grants_of(org_id)))
                unknown = UnknownGrant("grant_id", grant_id, f"must be a grant of the org{ids}")
                raise unknown.within(org_id=org_id)
            if grant.voided_at is None:
                self._set_voided(org_id, grant_id, at)
        return grant.voided_at or at

    def grants(self, org_id: str) -> tuple[Grant, ...]:
        """Return all grants that an org ever had, in the order in which they are drawn on."""
        parse_name(org_id, "org_id")
        with self._reading():
            grants = self._grants_of(org_id)
        return tuple(sorted(grants, key=lambda grant: grant.rank))


def _refuse_clashes(
    others: Sequence[Metric], metrics: Sequence[Metric], path: Callable[[int], Path]
) -> None:
    """Refuse metrics that clash with each other, or with others, by the path to each."""
    problems = Problems()
    try:
        Routes([*others, *metrics])
    except InvalidValue as clashes:
        for clash in clashes.errors:  # of two, the later one is named, and so none of the others
            place = int(clash.path[1]) - len(others)
            problem = cast(InvalidValue, clash).problem
            problems.add(InvalidValue(path(place), metrics[place], problem))
    problems.raise_any()


def in_force(starts: Mapping[datetime, int], at: datetime | None) -> int | None:
    """Return the version of a plan that is in force at an instant, or last in time."""
    begun = [since for since in starts if at is None or since <= at]
    return starts[max(begun)] if begun else None


def listed_names(name: str, names: Iterable[str]) -> str:
    """List the names that there are, as the end of a message, and the one that was meant."""
    listed = sorted(names)
    more = f" and {len(listed) - _LISTED:,} more" if len(listed) > _LISTED else ""
    return f": {', '.join(listed[:_LISTED]) or 'there is none'}{more}{did_you_mean(name, listed)}"
