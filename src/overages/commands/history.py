"""Histories: usage before a period, where a plan's periods depend on earlier ones.

Carry-over, or an allowance for a year, needs all of an org's periods, one after another:

    history = History(book, usages, earlier, period, repository)
    statement = history.statement(usage)
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from typing import Final, TypeAlias

from overages._ground.frozen_dict import FrozenDict
from overages.errors import InvalidValue, OveragesError, UnknownPlan
from overages.imports.plans import PlanBook
from overages.periods.period import Period
from overages.repository import Repository
from overages.service.period_inputs import periods_before
from overages.settlements.balance import EMPTY_BALANCE, Balance
from overages.settlements.settlement import Settlement, settle
from overages.statements.statement import Statement
from overages.terms.account import Account
from overages.terms.plan import Plan
from overages.usage.usage import Usage

Parts: TypeAlias = Mapping[tuple[str, Period], Sequence[Usage]]
"""The usage of each part of a period in which terms change, by org and period."""

_NO_PARTS: Final[Parts] = FrozenDict()
_MISSING: Final = (
    "keeps what earlier periods left, and none of this org's are known: give their events, too, or"
    " close them first; say in its account since when it has the plan, if this period is the first;"
    " or leave --period out, if the file has all there is"
)


class History:
    """Usage and balances, from period to period, of orgs on plans that need a balance.

    :param book: the plans and accounts.
    :param usages: those that statements are wanted for.
    :param earlier: those of periods before them that the file has.
    :param period: the only period that is wanted; None if all of the file's are.
    :param repository: the periods that were closed before, if any were.
    :param parts: the usage of each part of a period in which terms change, by org and period.
    """

    def __init__(
        self,
        book: PlanBook,
        usages: Iterable[Usage],
        earlier: Iterable[Usage] = (),
        period: Period | None = None,
        repository: Repository | None = None,
        parts: Parts = _NO_PARTS,
    ) -> None:
        self._book, self._period, self._repository = book, period, repository
        self._parts = parts
        self.is_needed: bool = book.needs_balance
        """Whether any plan depends on it; without, orgs are not looked at."""
        self._used = _by_org(usages if self.is_needed else ())
        self._earlier = _by_org(earlier)
        self._ahead: dict[str, deque[Period]] = {}
        self._accounts: dict[str, Account] = {}
        self._balances: dict[str, Balance] = {}
        self.missing: list[Usage] = []
        """The file's earlier usage that was taken, for the repository has none of its period."""

    def statement(self, usage: Usage) -> Statement:
        """Return the statement of one of the usages; those before it come first.

        :raises InvalidValue: if the org's earlier usage is needed, and isn't known.
        """
        org_id = usage.org_id
        if org_id not in self._ahead:
            self._check(usage)
            self._ahead[org_id] = self._timeline(org_id)
        account, ahead = self._accounts[org_id], self._ahead[org_id]
        while ahead and ahead[0].start < usage.period.start:
            self._pass(account, ahead.popleft())
        ahead.popleft()
        settlement = self._settled(account, usage, self._balance(org_id))
        self._balances[org_id] = settlement.balance
        return settlement.statement

    def _settled(self, account: Account, usage: Usage, balance: Balance) -> Settlement:
        period = usage.period
        usages = [usage, *self._parts.get((usage.org_id, period), ())]
        return settle(account, self._book.plans, period, usages, balance)

    def _pass(self, account: Account, period: Period) -> None:
        """Settle a period that no statement is wanted of."""
        org_id = account.org_id
        plans = {
            terms.plan: self._plan_at(terms.plan, part.start)
            for part, terms in account.parts(period)
        }
        plans_of_parts = {slug: plan for slug, plan in plans.items() if plan is not None}
        if len(plans_of_parts) < len(plans):
            return
        usage = self._used[org_id].get(period) or Usage(org_id, period, {})
        usages = [usage, *self._parts.get((org_id, period), ())]
        try:
            settlement = settle(account, plans_of_parts, period, usages, self._balance(org_id))
        except OveragesError as error:
            raise error.within(period=period) from None
        self._balances[org_id] = settlement.balance

    def _balance(self, org_id: str) -> Balance:
        return self._balances.get(org_id, EMPTY_BALANCE)

    def _timeline(self, org_id: str) -> deque[Period]:
        """Return an org's periods up to the last that is wanted, idle ones among them."""
        used = self._used[org_id]
        last = max(used)
        for usage in self._kept_before(org_id, last.start):
            if not _overlaps(usage.period, used):
                used[usage.period] = usage
        for period, usage in self._earlier.get(org_id, {}).items():
            if not _overlaps(period, used):
                used[period] = usage
                self.missing.append(usage)
        counted = sorted(period for period, usage in used.items() if any(usage.quantities.values()))
        # An org without an account has the default terms from its first usage on.
        account = self._accounts[org_id] = self._book.account(org_id, min(used).start)
        before = periods_before(account, last)
        for period in counted:
            if period.end <= last.start and period not in before:
                problem = f"must be of one of the org's periods, as {period} is not"
                raise InvalidValue("usage", str(period), problem).within(org_id=org_id)
        return deque([*before, last])

    def _check(self, usage: Usage) -> None:
        """Refuse a single period whose terms depend on usage that isn't known."""
        if self._period is None:
            return  # then the file and the database have all there is
        org_id, period = usage.org_id, usage.period
        plan, _ = self._book.terms(org_id, period)
        own = self._book.period_at(org_id, period.start)
        if own.start != period.start:
            problem = (
                f"must start where one of the org's does, such as {own}, for its plan keeps what"
                " earlier ones left"
            )
            raise InvalidValue("period", period.isoformat(), problem)
        account = self._book.accounts.get(org_id)
        begins = account is not None and account.since >= period.start
        if _depends(plan, period) and not begins and not self._knows(org_id):
            raise InvalidValue("plan", plan.slug, _MISSING)

    def _knows(self, org_id: str) -> bool:
        return (
            bool(self._earlier.get(org_id)) or self._was_billed(org_id) or self._has_earlier_periods
        )

    @cached_property
    def _has_earlier_periods(self) -> bool:
        """Whether the database has any: then an org that it hasn't used nothing before."""
        return self._repository is not None and any(map(self._was_billed, self._repository.orgs()))

    def _was_billed(self, org_id: str) -> bool:
        """Tell whether the database has an org's usage of a period before the wanted one."""
        if self._repository is None or self._period is None:
            return False
        return bool(self._kept_before(org_id, self._period.start))

    def _kept_before(self, org_id: str, instant: datetime) -> list[Usage]:
        """Return the kept usage of an org's periods that ended before an instant."""
        repository = self._repository
        account = None if repository is None else repository.account(org_id)
        if repository is None or account is None or account.since >= instant:
            return []
        periods = account.periods(account.since, instant)
        usages = (repository.usage(org_id, each) for each in periods if each.end <= instant)
        return [usage for usage in usages if usage.quantities]

    def _plan_at(self, slug: str, moment: datetime) -> Plan | None:
        """Return the terms of an earlier period; None if none were in force yet."""
        if self._repository is None:
            return self._book.plans[slug]
        try:
            self._repository.plan(slug)
        except UnknownPlan:
            return self._book.plans[slug]
        try:
            return self._repository.plan(slug, at=moment)
        except UnknownPlan:
            return None


def _depends(plan: Plan, period: Period) -> bool:
    """Tell whether the cost of a period depends on earlier ones."""
    return any(
        allowance.carry_over is not None
        or (
            allowance.included_for is not None
            and allowance.included_for.period_at(period.start).start < period.start
        )
        for allowance in plan.allowances.values()
    )


def _by_org(usages: Iterable[Usage]) -> dict[str, dict[Period, Usage]]:
    by_org: dict[str, dict[Period, Usage]] = {}
    for usage in usages:
        by_org.setdefault(usage.org_id, {})[usage.period] = usage
    return by_org


def _overlaps(period: Period, others: Iterable[Period]) -> bool:
    return any(period.start < other.end and other.start < period.end for other in others)
