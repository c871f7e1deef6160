"""Plans, accounts, metrics, grants, budgets and alerts from a TOML file.

    default_plan = "starter"            # for orgs without an account; may be left out where there
                                        # is one plan and no account
    timezone = "Europe/Paris"           # of calendar months, for orgs without a cycle of their own

    [plans.starter]
    currency = "USD"                    # or { code = "credits", exponent = 0 }
    rounding = "half_up"                # may be left out, and so may the next two
    rounding_scope = "line"
    base_fee = "49.00"

    [plans.starter.allowances.tokens]
    included = 500_000                  # or "unlimited"
    price = { model = "per_unit", price = "0.0001" }

    [[plans.starter.versions]]          # only the difference: the price of a token rises
    since = 2024-04-01T00:00:00Z
    allowances.tokens.price.price = "0.00012"

    [accounts.org-7]
    plan = "starter"
    limits = { tokens = 600_000 }
    status = "trial"                    # "active" if left out
    cycle = { anchor = 2024-01-31T00:00:00Z, every = 1, unit = "month", timezone = "Europe/Paris" }
    since = 2024-01-31T00:00:00Z        # when its first terms begin

    [[accounts.org-7.changes]]          # each a later entry of its history, as it was noted
    since = 2024-03-12T00:00:00Z
    plan = "pro"

    [metrics.seats]
    aggregation = "max"
    reports = "level"

    [grants.org-7.welcome]
    amount = 10_000                     # or { amount = "50.00", currency = "USD" }
    metric = "tokens"
    effective_at = 2024-01-31T00:00:00Z

    [budgets.org-7.daily]
    amount = { amount = "20.00", currency = "USD" }     # or units, of a metric
    on_reached = "stop_usage"           # "tell" if left out
    window = { unit = "day" }           # of the calendar; the org's period if left out

    [alerts.runs-80]                    # of all orgs; [org_alerts.org-7.runs-80] is of one
    metric = "runs"
    threshold = { percent = 80 }

    [usage]                             # how files of usage are laid out, where they aren't as ours
    columns = { org_id = "team" }

Prices may be written as TOML floats: they are read digit by digit, and never become binary ones.
A key that isn't known is an error, and so is one that is missing; the faults of all tables are
reported together, each with its path. docs/reference/files.md has all the terms.

    book = read_plans(path.read_text(encoding="utf-8"))
    plan, limits = book.terms("org-7", period)
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import datetime
from decimal import Context, Decimal, InvalidOperation
from typing import Any, Final

from overages._ground.frozen_dict import FrozenDict
from overages._ground.names import by_name, optional_name
from overages._ground.parsing import Problems, instance_of, optional, tuple_of
from overages._ground.value import derived, term, value
from overages.alerts.alert import Alert
from overages.amounts.exact import Quantity
from overages.errors import Field, InvalidValue, OveragesError, UnknownPlan, at
from overages.forms.form import FormOf, Schema
from overages.forms.holders import by_name as named, named_by
from overages.forms.objects import ObjectForm
from overages.forms.scalars import TEXT
from overages.forms.schema import document
from overages.grants.grant import Grant
from overages.imports.plan_files.checks import (
    check_alerts,
    check_budgets,
    check_metrics,
)
from overages.imports.plan_files.forms import ReadTable, define_partial, plans_form
from overages.imports.plan_files.toml import ANY_CURRENCY, DROPPED, forms_in
from overages.imports.plan_files.versions import PlanVersion, in_force, parse_versions
from overages.imports.usage_files.layout import UsageLayout
from overages.insight.budget import Budget
from overages.periods.cycle import Cycle
from overages.periods.period import Period, format_instant
from overages.periods.timezones import parse_timezone
from overages.prices.models import PriceModel
from overages.terms.account import Account
from overages.terms.plan import Plan
from overages.usage.metric import Metric

_MONTHS: Final = Cycle.monthly()
_OWN_LAYOUT: Final = UsageLayout()
_each_grant: Final = tuple_of(Grant)
_budgets: Final = by_name(optional(instance_of(Budget)), "ids to Budgets", of="budget")
_alerts: Final = by_name(optional(instance_of(Alert)), "ids to Alerts", of="alert")


def _only_plan(book: PlanBook) -> str | None:
    """Return the default where none is named: the only plan, unless orgs have accounts."""
    return next(iter(book.versions)) if len(book.versions) == 1 and not book.accounts else None


def _parse_grants(value: object, field: Field) -> tuple[Grant, ...]:
    grants = _each_grant(value, field)
    ids = [grant.id for grant in grants]
    for i, grant_id in enumerate(ids):
        if grant_id in ids[:i]:
            raise InvalidValue(at(field, i, "id"), grant_id, "must be there once")
    return grants


@value
class PlanBook:
    """Plans by slug, accounts and grants by org, and metrics: the content of a file.

    :param versions: the versions of each plan that orgs can be on, by slug, in order of time. Other
        plans, and their metrics, may be kept elsewhere: the names of all are looked up where the
        book is applied.
    :param accounts: the history of an org's terms, by its id.
    :param default_plan: the slug of the plan of orgs without an account; the only plan, if there is
        no other and no account.
    :param default_cycle: by which those orgs are billed.
    :param metrics: how usage is worked out of events, by the name of the metric; one that isn't
        there is the sum of the events of its name.
    :param grants: prepaid units and money of each org, by its id; it needn't have an account here.
    :param budgets: those of each org, by its id and their own; None for one that is to count no
        more. One that stops charging is none of a file's: the account's `maximum` says that.
    :param alerts: those of all orgs, by their ids; None for one that is to fire no more.
    :param org_alerts: those of one org each, by its id and their own.
    :param usage: how files of usage are laid out.
    :raises InvalidValue: for a metric that clashes with another one, or with the kind that a plan
        says of it, a budget that stops charging, or one that is under another id than its own;
        `InvalidValues` for several faults.
    """

    versions: FrozenDict[str, tuple[PlanVersion, ...]] = term(
        by_name(parse_versions, "slugs to PlanVersions", of="plan")
    )
    accounts: FrozenDict[str, Account] = term(
        by_name(instance_of(Account), "orgs to Accounts", of="org")
    )
    default_plan: str | None = term(optional_name, otherwise=_only_plan)
    default_cycle: Cycle = term(instance_of(Cycle))
    metrics: FrozenDict[str, Metric] = term(
        by_name(instance_of(Metric), "names to Metrics", of="metric")
    )
    grants: FrozenDict[str, tuple[Grant, ...]] = term(
        by_name(_parse_grants, "orgs to Grants", of="org")
    )
    budgets: FrozenDict[str, FrozenDict[str, Budget | None]] = term(
        by_name(_budgets, "orgs to Budgets by id", of="org")
    )
    alerts: FrozenDict[str, Alert | None] = term(_alerts)
    org_alerts: FrozenDict[str, FrozenDict[str, Alert | None]] = term(
        by_name(_alerts, "orgs to Alerts by id", of="org")
    )
    usage: UsageLayout = term(instance_of(UsageLayout))
    plans: FrozenDict[str, Plan] = derived()
    """The version of each plan that comes into force last, by slug."""

    def __init__(
        self,
        versions: Mapping[str, Iterable[PlanVersion]] = FrozenDict(),
        accounts: Mapping[str, Account] = FrozenDict(),
        default_plan: str | None = None,
        default_cycle: Cycle = _MONTHS,
        *,
        metrics: Mapping[str, Metric] = FrozenDict(),
        grants: Mapping[str, Iterable[Grant]] = FrozenDict(),
        budgets: Mapping[str, Mapping[str, Budget | None]] = FrozenDict(),
        alerts: Mapping[str, Alert | None] = FrozenDict(),
        org_alerts: Mapping[str, Mapping[str, Alert | None]] = FrozenDict(),
        usage: UsageLayout = _OWN_LAYOUT,
    ) -> None: ...

    def _check_metrics(self, problems: Problems) -> None:
        check_metrics(self.metrics, self.versions, problems)

    def _check_warnings(self, problems: Problems) -> None:
        check_budgets(self.budgets, problems)
        check_alerts(self.alerts, ("alerts",), problems)
        for org_id, alerts in self.org_alerts.items():
            check_alerts(alerts, ("org_alerts", org_id), problems)

    def _complete(self) -> None:
        plans = {slug: versions[-1].plan for slug, versions in self.versions.items()}
        object.__setattr__(self, "plans", FrozenDict(plans))

    def plan(self, slug: str, instant: datetime) -> Plan:
        """Return the plan of a slug that is in force at an aware instant.

        :raises UnknownPlan: if there is none.
        """
        versions = self.versions.get(slug)
        if versions is None:
            raise UnknownPlan("plan", slug, f"must be one of the plans, {', '.join(self.versions)}")
        plan = in_force(versions, instant)
        if plan is None:
            first = versions[0].since or instant
            problem = f"must be in force then, and is so from {format_instant(first)} on"
            raise UnknownPlan("plan", slug, problem)
        return plan

    def account(self, org_id: str, since: datetime) -> Account:
        """Return an org's account, or one on the default plan from an aware instant on.

        :raises UnknownPlan: if the org has no account and there is no default plan.
        """
        account = self.accounts.get(org_id)
        if account is not None:
            return account
        if self.default_plan is None:
            raise UnknownPlan("org_id", org_id, "has no account, and there is no default_plan")
        return Account(org_id, self.default_plan, since, cycle=self.default_cycle)

    @property
    def needs_balance(self) -> bool:
        """Whether there is a plan whose periods depend on the ones before them."""
        return any(map(self._keeps, self.versions))

    def needs_balance_for(self, org_id: str) -> bool:
        """Tell whether an org was ever on such a plan; one that has no plan isn't."""
        account = self.accounts.get(org_id)
        if account is not None:
            return any(map(self._keeps, account.timeline.slugs()))
        return self.default_plan is not None and self._keeps(self.default_plan)

    def _keeps(self, slug: str) -> bool:
        return any(version.plan.needs_balance for version in self.versions.get(slug, ()))

    def terms(self, org_id: str, period: Period) -> tuple[Plan, Mapping[str, Quantity | None]]:
        """Return an org's plan and own limits in a period: those that it ends with.

        Of a plan, it is the version that is in force when the period starts.

        :raises UnknownPlan: if the org has no account and there is no default plan, or its plan is
            not in force then.
        :raises NoTerms: if the org has no terms then.
        """
        _, terms = self.account(org_id, period.start).last_terms(period)
        return self.plan(terms.plan, period.start), terms.limits


def read_plans(
    text: str,
    price_models: Iterable[type[PriceModel]] = (),
    read_table: ReadTable | None = None,
) -> PlanBook:
    """Return the content of a TOML text.

    :param price_models: classes of a host's own, as for `Codec`.
    :param read_table: gives the text of a file of prices, ``prices = "prices.csv"``, by that name,
        which is relative to this file. Without it, a plan can't have one.
    :raises InvalidValue: if it is no TOML, or for one fault; `InvalidValues` for all of several.

    >>> book = read_plans('''
    ... [plans.starter]
    ... currency = "USD"
    ... allowances.tokens = { included = 500_000, price = { model = "per_unit", price = 0.0001 } }
    ... ''')
    >>> plan, _ = book.terms("any-org", Period.month(2024, 2))
    >>> plan.allowances["tokens"].included
    500000
    """
    tables = _toml(text)
    months = _MONTHS
    with suppress(OveragesError):  # which will come again
        months = Cycle.monthly(parse_timezone(tables.get("timezone", "UTC"), "timezone"))
    of_file = months.timezone if "timezone" in tables else None
    zones: dict[str, object] = {}  # of the orgs whose accounts are here
    for org_id, account in _tables_in(tables.get("accounts")):
        cycle = account.setdefault("cycle", months)
        zones[org_id] = cycle.get("timezone", "UTC") if isinstance(cycle, dict) else months.timezone
    for org_id, budgets in _tables_in(tables.get("budgets")):
        zone = zones.get(org_id, of_file)
        for _, budget in _tables_in(budgets):
            if zone is not None and isinstance(window := budget.get("window"), dict):
                window.setdefault("timezone", zone)
    book: PlanBook = _book_form(tuple(price_models), read_table).read(tables, ())
    return book


def _tables_in(table: object) -> list[tuple[str, dict[str, Any]]]:
    """Return the tables in a table, each with its name; none if it isn't one."""
    held = table.items() if isinstance(table, dict) else ()
    return [(name, each) for name, each in held if isinstance(each, dict)]


def _toml(text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text, parse_float=_decimal)
    except RecursionError:
        problem = "must be a TOML text that is not nested as deep as this one"
        raise InvalidValue("plans", f"{len(text):,} characters", problem) from None
    except ValueError as error:  # also an integer with more digits than Python converts
        place = re.search(r"\(at line (\d+)", str(error))
        line = text.split("\n")[int(place[1]) - 1] if place else text
        raise InvalidValue("plans", line, f"must be a TOML text: {error}") from None


def _decimal(text: str) -> Decimal | str:
    """Return a float of TOML as it was written: as text if no number has such an exponent."""
    try:
        return Decimal(text, Context(traps=[InvalidOperation]))  # whatever the host's context traps
    except InvalidOperation:
        return text


def _book_form(models: tuple[type, ...], read_table: ReadTable | None) -> ObjectForm:
    forms = forms_in(None)
    terms = {
        "plans": plans_form(models, read_table),
        "accounts": named_by("org_id", forms.object(Account)),
        "default_plan": TEXT,
        "timezone": FormOf(TEXT.write, parse_timezone, TEXT.schema),
        "metrics": named_by("name", forms.object(Metric)),
        "grants": named(named_by("id", forms.object(Grant))),
        "budgets": named(named_by("id", forms.object(Budget), word=DROPPED)),
        "alerts": named_by("id", forms.object(Alert), word=DROPPED),
        "org_alerts": named(named_by("id", forms.object(Alert), word=DROPPED)),
        "usage": forms.object(UsageLayout),
    }
    return ObjectForm(PlanBook, terms, [], _book)


def _book(
    plans: Mapping[str, Iterable[PlanVersion]] = FrozenDict(),
    timezone: str = "UTC",
    grants: Mapping[str, Mapping[str, Grant]] = FrozenDict(),
    **others: Any,
) -> PlanBook:
    """Return a book of the keys that a file has."""
    by_org = {org_id: by_id.values() for org_id, by_id in grants.items()}
    return PlanBook(plans, default_cycle=Cycle.monthly(timezone), grants=by_org, **others)


def json_schema(price_models: Iterable[type[PriceModel]] = ()) -> Schema:
    """Return the JSON Schema (2020-12) of such a file, for editors that know TOML.

    Files that it refuses, `read_plans` refuses; laws that it can't say, `read_plans` holds as well.

    >>> sorted(json_schema()["properties"])[:5]
    ['accounts', 'alerts', 'budgets', 'default_plan', 'grants']
    """
    models = tuple(price_models)
    forms = forms_in(ANY_CURRENCY, models)
    form = _book_form(models, None)
    return define_partial(document(forms, lambda definitions: form.body(definitions.refer)))
