"""Histories: usage before a period, where a plan's periods depend on earlier ones.

Carry-over, or an allowance for a year, needs all of an org's periods, one after another:

    history = History(book, usages, earlier, period, repository)
    statement = history.statement(usage)
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from datetime import datetime
from functools import cached_property
from typing import Final

from overages.errors import InvalidValue, OveragesError, UnknownPlan
from overages.imports.plans import PlanBook
from overages.period_inputs import periods_before
from overages.periods.period import Period
from overages.repository import Repository
from overages.settlements.balance import EMPTY_BALANCE, Balance
from overages.settlements.settlement import settle
from overages.statements.statement import Statement
from overages.terms.account import Account
from overages.terms.plan import Plan
from overages.usage.usage import Usage

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
    """

    def __init__(
        self,
        book: PlanBook,
        usages: Iterable[Usage],
        earlier: Iterable[Usage] = (),
        period: Period | None = None,
        repository: Repository | None = None,
    ) -> None:
        self._book, self._period, self._repository = book, period, repository
        self.is_needed: bool = book.needs_balance
        """Whether any plan depends on it; without, orgs are not looked at."""
        self._used = _by_org(usages if self.is_needed else ())
        self._earlier = _by_org(earlier)
        self._ahead: dict[str, deque[Period]] = {}
        self._balances: dict[str, Balance] = {}
        self.missing: list[Usage] = []
        """The file's earlier usage that was taken, for the repository has none of its period."""

    def statement(self, usage: Usage) -> Statement:
        """Return the statement of one of the usages; those before it come first.

        :raises InvalidValue: if the org's earlier usage is needed, and isn't known.
        """
        account = self._book.account(usage.org_id)
        ahead = self._ahead.get(usage.org_id)
        if ahead is None:
            self._check(account, usage.period)
            ahead = self._ahead[usage.org_id] = self._timeline(account)
        while ahead and ahead[0].start < usage.period.start:
            self._pass(account, ahead.popleft())
        plan, balance = self._book.plans[account.plan], EMPTY_BALANCE
        counts = bool(ahead) and ahead[0] == usage.period  # else nothing had been used by then
        if counts:
            balance = self._balances.get(usage.org_id, EMPTY_BALANCE)
            ahead.popleft()
        settlement = settle(plan, usage, balance, limits=account.limits)
        if counts:
            self._balances[usage.org_id] = settlement.balance
        return settlement.statement

    def _pass(self, account: Account, period: Period) -> None:
        """Settle a period that no statement is wanted of."""
        org_id = account.org_id
        plan = self._plan_at(account.plan, period.start)
        if plan is not None and account.has_plan_in(period):
            usage = self._used[org_id].get(period) or Usage(org_id, period, {})
            balance = self._balances.get(org_id, EMPTY_BALANCE)
            try:
                settlement = settle(plan, usage, balance, limits=account.limits)
            except OveragesError as error:
                raise error.within(period=period) from None
            self._balances[org_id] = settlement.balance

    def _timeline(self, account: Account) -> deque[Period]:
        """Return an org's periods up to the last that is wanted, idle ones among them."""
        org_id = account.org_id
        used = self._used[org_id]
        last = max(used)
        if self._repository is not None:
            for period in self._repository.usage_periods(org_id):
                if not _overlaps(period, used):
                    used[period] = self._repository.usage(org_id, period)
        for period, usage in self._earlier.get(org_id, {}).items():
            if not _overlaps(period, used):
                used[period] = usage
                self.missing.append(usage)
        counted = sorted(period for period, usage in used.items() if any(usage.quantities.values()))
        return deque([*periods_before(account, last, counted), last])

    def _check(self, account: Account, period: Period) -> None:
        """Refuse a single period whose terms depend on usage that isn't known."""
        if self._period is None:
            return  # then the file and the database have all there is
        plan = self._book.plans[account.plan]
        own = account.period_at(period.start)
        if own.start != period.start:
            problem = (
                f"must start where one of the org's does, such as {own}, for its plan keeps what"
                " earlier ones left"
            )
            raise InvalidValue("period", period.isoformat(), problem)
        begins = account.since is not None and account.since >= period.start
        if _depends(plan, period) and not begins and not self._knows(account.org_id):
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
        periods = self._repository.usage_periods(org_id)
        return any(used.end <= self._period.start for used in periods)

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
