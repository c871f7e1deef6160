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
    since = 2024-01-31T00:00:00Z        # when it got its plan; may be left out

Prices may be written as TOML floats: they are read digit by digit, and never become binary ones.
A key that isn't known is an error, and so is one that is missing; the faults of all tables are
reported together, each with its path.

    book = read_plans(path.read_text(encoding="utf-8"))
    plan, limits = book.terms("org-7")
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from decimal import Decimal

from attrs import frozen

from overages._ground.parsing import Problems
from overages.amounts.exact import Quantity
from overages.errors import InvalidValue, UnknownMetric, UnknownPlan
from overages.imports.tables import keys_of, table_of
from overages.imports.terms import read_cycle, read_plan
from overages.periods.cycle import Cycle
from overages.periods.period import instant_from_text
from overages.terms.account import Account
from overages.terms.plan import Plan


@frozen(weakref_slot=False)
class PlanBook:
    """Plans by slug, accounts by org, and the plan and cycle of orgs that have no account."""

    plans: Mapping[str, Plan]
    accounts: Mapping[str, Account]
    default_plan: str | None
    default_cycle: Cycle

    def account(self, org_id: str) -> Account:
        """Return an org's account, or one on the default plan.

        :raises UnknownPlan: if the org has no account and there is no default plan.
        """
        account = self.accounts.get(org_id)
        if account is not None:
            return account
        if self.default_plan is None:
            raise UnknownPlan("org_id", org_id, "has no account, and there is no default_plan")
        return Account(org_id, self.default_plan, cycle=self.default_cycle)

    def account_cycle(self, org_id: str) -> Cycle:
        """Return the cycle that an org is billed by, whether or not it has a plan."""
        account = self.accounts.get(org_id)
        return self.default_cycle if account is None else account.cycle

    @property
    def keeps(self) -> bool:
        """Whether there is a plan whose periods depend on the ones before them."""
        return any(plan.keeps for plan in self.plans.values())

    def keeps_for(self, org_id: str) -> bool:
        """Return whether an org is on such a plan; one that has no plan isn't."""
        account = self.accounts.get(org_id)
        slug = self.default_plan if account is None else account.plan
        return slug is not None and self.plans[slug].keeps

    def terms(self, org_id: str) -> tuple[Plan, Mapping[str, Quantity]]:
        """Return an org's plan and its own limits.

        :raises UnknownPlan: if the org has no account and there is no default plan.
        """
        account = self.account(org_id)
        return self.plans[account.plan], account.limits


def read_plans(text: str, timezone: str = "UTC") -> PlanBook:
    """Return the plans and accounts of a TOML text.

    :param timezone: whose calendar months are the periods of orgs without a cycle of their own.
    :raises InvalidValue: if it is no TOML, or for one fault; `InvalidValues` for all of several.

    >>> book = read_plans('''
    ... [plans.starter]
    ... currency = "USD"
    ... allowances.tokens = { included = 500_000, price = { model = "per_unit", price = 0.0001 } }
    ... ''')
    >>> book.terms("any-org")[0].allowances["tokens"].included
    500000
    """
    try:
        data = tomllib.loads(text, parse_float=Decimal)
    except tomllib.TOMLDecodeError as error:
        raise InvalidValue("plans", str(error), "must be a TOML text") from None
    fields = keys_of(data, required=["plans"], optional=["default_plan", "accounts"])
    problems = Problems()
    plans = {
        slug: problems.attempt(read_plan, slug, table, path=("plans", slug))
        for slug, table in table_of(fields["plans"], "plans").items()
    }
    months = Cycle.monthly(timezone)
    accounts = {
        org: problems.attempt(_account, org, table, months, path=("accounts", org))
        for org, table in table_of(fields.get("accounts", {}), "accounts").items()
    }
    problems.raise_any()
    default = fields.get("default_plan")
    if default is None and len(plans) == 1 and not accounts:
        (default,) = plans
    _check_references(plans, accounts, default)
    return PlanBook(plans, accounts, default, months)


def _check_references(
    plans: Mapping[str, Plan], accounts: Mapping[str, Account], default: object
) -> None:
    problems = Problems()
    if default is not None and default not in plans:
        problems.add(UnknownPlan("default_plan", default, "must be one of the plans"))
    for org, account in accounts.items():
        plan = plans.get(account.plan)
        if plan is None:
            problem = "must be one of the plans"
            problems.add(UnknownPlan(("accounts", org, "plan"), account.plan, problem))
            continue
        for metric in account.limits:
            if metric not in plan.allowances:
                problem = f"{metric!r} is not in plan {plan.slug!r}"
                problems.add(UnknownMetric(("accounts", org, "limits", metric), metric, problem))
    problems.raise_any()


def _account(org_id: str, value: object, months: Cycle) -> Account:
    fields = keys_of(value, required=["plan"], optional=["limits", "status", "cycle", "since"])
    problems = Problems()
    if "cycle" in fields:
        fields["cycle"] = problems.attempt(read_cycle, fields["cycle"], path=("cycle",))
    else:
        fields["cycle"] = months
    if isinstance(fields.get("since"), str):
        fields["since"] = problems.attempt(instant_from_text, fields["since"], "since")
    # What is faulty already is None here: left out.
    account = problems.attempt(Account, org_id, **fields)
    problems.raise_any()
    return account
