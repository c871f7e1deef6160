"""Plans and accounts from a TOML file.

    default_plan = "starter"            # for orgs without an account; may be left out where there
                                        # is one plan and no account

    [plans.starter]
    currency = "USD"                    # or { code = "credits", exponent = 0 }
    rounding = "half_up"                # may be left out, and so may the next two
    rounding_scope = "line"
    base_fee = "49.00"

    [plans.starter.allowances.tokens]
    included = 500_000                  # or "unlimited"
    price = { model = "per_unit", price = "0.0001" }

    [plans.starter.allowances.tokens.carry_over]
    expires_after = 3                   # and so on: docs/reference/files.md has all the terms

    [accounts.org-7]
    plan = "starter"
    limits = { tokens = 600_000 }
    status = "trial"                    # "active" if left out
    cycle = { anchor = 2024-01-31T00:00:00Z, every = 1, unit = "month", timezone = "Europe/Paris" }
    since = 2024-01-31T00:00:00Z        # when its first terms begin

    [[accounts.org-7.changes]]          # each a later entry of its history, as it was noted
    since = 2024-03-12T00:00:00Z
    plan = "pro"

Prices may be written as TOML floats: they are read digit by digit, and never become binary ones.
A key that isn't known is an error, and so is one that is missing; the faults of all tables are
reported together, each with its path.

    book = read_plans(path.read_text(encoding="utf-8"))
    plan, limits = book.terms("org-7", period)
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Context, Decimal, InvalidOperation
from functools import partial
from typing import Any, Final

from overages._ground.frozen_dict import FrozenDict
from overages._ground.names import by_name, optional_name
from overages._ground.parsing import Problems, instance_of
from overages._ground.value import term, value
from overages.amounts.exact import Quantity
from overages.errors import InvalidValue, Path, UnknownPlan, did_you_mean
from overages.forms.form import Schema
from overages.forms.holders import named_by
from overages.forms.objects import ObjectForm
from overages.forms.scalars import TEXT
from overages.forms.schema import document
from overages.imports.toml import ANY_CURRENCY, forms_in, plan_form
from overages.periods.cycle import Cycle
from overages.periods.period import Period
from overages.prices.models import PriceModel
from overages.terms.account import Account
from overages.terms.allowance import check_currency
from overages.terms.plan import Plan, unknown_metric

_MONTHS: Final = Cycle.monthly()


def _only_plan(book: PlanBook) -> str | None:
    """Return the default where none is named: the only plan, unless orgs have accounts."""
    return next(iter(book.plans)) if len(book.plans) == 1 and not book.accounts else None


@value
class PlanBook:
    """Plans by slug, accounts by org, and the plan and cycle of orgs that have no account.

    :param plans: the plans that orgs can be on, by slug.
    :param accounts: which plan an org is on, by its id.
    :param default_plan: the slug of the plan of orgs without an account; the only plan, if there is
        no other and no account.
    :param default_cycle: by which those orgs are billed.
    :raises UnknownPlan: for a plan that isn't there; `InvalidValues` for several faults.
    :raises UnknownMetric: for a limit of a metric that the account's plan doesn't know.
    """

    plans: FrozenDict[str, Plan] = term(by_name(instance_of(Plan), "slugs to Plans", of="plan"))
    accounts: FrozenDict[str, Account] = term(
        by_name(instance_of(Account), "orgs to Accounts", of="org")
    )
    default_plan: str | None = term(optional_name, otherwise=_only_plan)
    default_cycle: Cycle = term(instance_of(Cycle))

    def __init__(
        self,
        plans: Mapping[str, Plan],
        accounts: Mapping[str, Account] = FrozenDict(),
        default_plan: str | None = None,
        default_cycle: Cycle = _MONTHS,
    ) -> None: ...

    def _check(self, problems: Problems) -> None:
        if self.default_plan is not None:
            self._tell_plan(self.default_plan, ("default_plan",), problems)
        for org_id, account in self.accounts.items():
            path = "accounts", org_id
            is_known = self._tell_plan(account.plan, (*path, "plan"), problems)
            for i, change in enumerate(account.changes):
                if change.plan is not None:
                    field = (*path, "changes", i, "plan")
                    is_known &= self._tell_plan(change.plan, field, problems)
            if is_known:
                self._tell_limits(account, path, problems)
                self._tell_currencies(account, path, problems)

    def _tell_limits(self, account: Account, path: Path, problems: Problems) -> None:
        """Refuse a limit of a metric that a plan which holds with it doesn't know, once."""
        refused: set[str] = set()
        for stretch in account.timeline.stretches:
            terms = stretch.terms
            plan = None if terms is None else self.plans[terms.plan]
            for metric in () if terms is None else terms.limits:
                if plan is not None and metric not in plan.allowances and metric not in refused:
                    refused.add(metric)
                    field = (*path, *_path_of_limit(account, metric))
                    problems.add(unknown_metric(field, metric, plan))

    def _tell_currencies(self, account: Account, path: Path, problems: Problems) -> None:
        """Refuse the first own amount that is in another currency than a plan it holds with."""
        for stretch in account.timeline.stretches:
            if stretch.terms is None:
                continue
            clashes = Problems()
            amounts = [((*path, *way), amount) for way, amount in stretch.terms.own.amounts()]
            check_currency(self.plans[stretch.terms.plan].currency, amounts, clashes)
            if clashes:
                problems.add(clashes.error())
                return

    def _tell_plan(self, slug: str, path: Path, problems: Problems) -> bool:
        if slug in self.plans:
            return True
        problem = (
            f"must be one of the plans, {', '.join(self.plans)}{did_you_mean(slug, self.plans)}"
        )
        problems.add(UnknownPlan(path, slug, problem))
        return False

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
        return any(plan.needs_balance for plan in self.plans.values())

    def needs_balance_for(self, org_id: str) -> bool:
        """Tell whether an org was ever on such a plan; one that has no plan isn't."""
        account = self.accounts.get(org_id)
        if account is not None:
            return any(self.plans[slug].needs_balance for slug in account.timeline.slugs())
        return self.default_plan is not None and self.plans[self.default_plan].needs_balance

    def terms(self, org_id: str, period: Period) -> tuple[Plan, Mapping[str, Quantity | None]]:
        """Return an org's plan and own limits in a period: those that it ends with.

        :raises UnknownPlan: if the org has no account and there is no default plan.
        :raises NoTerms: if the org has no terms then.
        """
        _, terms = self.account(org_id, period.start).last_terms(period)
        return self.plans[terms.plan], terms.limits


def _path_of_limit(account: Account, metric: str) -> Path:
    """Return where an account first names an own limit of a metric."""
    if metric in account.limits:
        return ("limits", metric)
    named = [i for i, change in enumerate(account.changes) if metric in change.limits]
    return ("changes", named[0], "limits", metric)


def read_plans(
    text: str, timezone: str = "UTC", price_models: Iterable[type[PriceModel]] = ()
) -> PlanBook:
    """Return the plans and accounts of a TOML text.

    :param timezone: whose calendar months are the periods of orgs without a cycle of their own.
    :param price_models: classes of a host's own, as for `Codec`.
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
    data = _toml(text)
    months = Cycle.monthly(timezone)
    accounts = data.get("accounts")
    for table in accounts.values() if isinstance(accounts, dict) else ():
        if isinstance(table, dict):
            table.setdefault("cycle", months)
    book: PlanBook = _book_form(tuple(price_models), months).read(data, ())
    return book


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


def _book_form(models: tuple[type, ...], months: Cycle = _MONTHS) -> ObjectForm:
    terms = {
        "plans": named_by("slug", plan_form(models)),
        "accounts": named_by("org_id", forms_in(None).object(Account)),
        "default_plan": TEXT,
    }
    make = partial(PlanBook, default_cycle=months)
    return ObjectForm(PlanBook, terms, ["plans"], make)


def json_schema(price_models: Iterable[type[PriceModel]] = ()) -> Schema:
    """Return the JSON Schema (2020-12) of a file of plans, for editors that know TOML.

    Files that it refuses, `read_plans` refuses; laws that it can't say, `read_plans` holds as well.

    >>> sorted(json_schema()["properties"])
    ['accounts', 'default_plan', 'plans']
    """
    models = tuple(price_models)
    forms = forms_in(ANY_CURRENCY, models)
    return document(forms, lambda definitions: _book_form(models).body(definitions.refer))
