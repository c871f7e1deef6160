"""Bills: the content of files is put into a repository, and the service records its periods.

bills = Bills(repository, book, now)
bills.put_plans(since)
bills.put(usage)
bills.record(usage, force=False)                  # a Bill for each of its periods
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from datetime import datetime
from typing import Final, NamedTuple, cast, get_args

from overages.amounts.money import Money, new_money
from overages.commands.usage_file import OrgUsage
from overages.errors import InvalidValue, UnknownPlan
from overages.imports.plans import PlanBook
from overages.periods.period import Period
from overages.records.ledger import Recording, period_closed
from overages.repository import Repository
from overages.service.overage_service import OverageService
from overages.service.period_inputs import periods_before
from overages.service.plans_in_force import PlansInForce
from overages.terms.account import Account
from overages.terms.change import Bound, TermsChange
from overages.terms.plan import Plan
from overages.usage.usage import Usage

_MISSING: Final = (
    "keeps what earlier periods left, and none of this org's are known: give their events, too, or"
    " close them first; say in its account since when it has the plan, if this period is the first;"
    " or leave --period out, if the file has all there is"
)


class Bill(NamedTuple):
    """A period of an org that is brought up to date.

    :param recording: its records.
    :param total: their sum.
    :param is_wanted: whether it is one of the file, or is an earlier one that was still open.
    """

    org_id: str
    period: Period
    recording: Recording
    total: Money
    is_wanted: bool


class Bills:
    """The bills of orgs, by the plans and accounts of a file.

    :param now: the instant of all that is written; a period that has ended by then is closed.
    """

    def __init__(self, repository: Repository, book: PlanBook, now: datetime) -> None:
        self._repository, self._book, self._now = repository, book, now
        self._service = OverageService(repository, lambda: now)
        self._plans = PlansInForce(repository)
        self._earlier: bool | None = None

    # What the files say

    def put_plans(self, since: datetime) -> None:
        """Keep the plans of the file; one that changed is in force from an instant on."""
        for plan in self._book.plans.values():
            if not self._is_known(plan.slug):
                self._repository.put_plan(plan)
            elif self._plan_at(plan.slug, since) != plan:
                self._repository.put_plan(plan, since=since)

    def _is_known(self, slug: str) -> bool:
        try:
            self._repository.plan(slug)
        except UnknownPlan:
            return False
        return True

    def _plan_at(self, slug: str, instant: datetime) -> Plan | None:
        try:
            return self._repository.plan(slug, at=instant)
        except UnknownPlan:  # it comes into force later
            return None

    def put(self, usage: OrgUsage) -> None:
        """Keep the account and the sums of an org, in place of those that it had in its periods.

        Of the time before them, sums are kept where there are none.

        :raises AccountConflict: if its history isn't the kept one, with entries added at its end.
        """
        account = usage.account
        self._repository.put_account(self._going_on(account), noted_at=self._now)
        for earlier in usage.earlier:
            if not self._has_usage(earlier):
                self._repository.put_usage(earlier)
        self._drop_sums(usage)
        for sums in usage.sums:
            self._repository.put_usage(sums)

    def _going_on(self, account: Account) -> Account:
        """Return an account to be put; one on the default plan goes on from the kept one."""
        org_id = account.org_id
        before = None if org_id in self._book.accounts else self._repository.account(org_id)
        if before is None:
            return account
        since = max(account.since, before.since)
        terms = before.at(since)
        if terms == account.at(account.since):
            return before
        entries: list[Account | TermsChange] = [before, *before.changes]
        return before.changed(
            since=since,
            plan=account.plan,
            drop_limits={metric for entry in entries for metric in entry.limits},
            drop_discounts={discount.name for entry in entries for discount in entry.discounts},
            drop_bounds=[
                b for b in get_args(Bound) if any(getattr(each, b) is not None for each in entries)
            ],
            cycle=account.cycle,
            status=account.status,
        )

    def _has_usage(self, usage: Usage) -> bool:
        org_id, span = usage.org_id, usage.period
        closed = self._repository.closed_periods(org_id)
        return bool(self._repository.put_sums(org_id, span)) or any(
            period.start < span.end and span.start < period.end for period in closed
        )

    def _drop_sums(self, usage: OrgUsage) -> None:
        """Set the sums of spans that aren't any more to nothing, where the periods hold them."""
        org_id, periods = usage.account.org_id, usage.periods
        spans = {sums.period for sums in usage.sums}
        for dropped in self._repository.put_sums(org_id, Period(periods[0].start, periods[-1].end)):
            start, end = dropped.period.start, dropped.period.end
            if dropped.period not in spans and (
                any(start in period for period in periods)
                and any(period.start < end <= period.end for period in periods)
            ):
                self._repository.put_usage(Usage(org_id, dropped.period, {}))

    # What they come to

    def require_earlier(self, usage: OrgUsage) -> None:
        """Refuse a first period whose terms depend on usage that isn't known.

        :raises InvalidValue: if its allowance would silently start anew.
        """
        account, first = usage.account, usage.periods[0]
        _, terms = account.last_terms(first)
        plan = self._book.plans[terms.plan]
        begins = account.org_id in self._book.accounts and account.since >= first.start
        if begins or not _depends(plan, first) or usage.earlier:
            return
        if not self._was_billed(account.org_id, first.start) and not self._has_earlier(first.start):
            error = InvalidValue("plan", plan.slug, _MISSING)
            raise error.within(org_id=account.org_id, period=first)

    def record(self, usage: OrgUsage, *, force: bool) -> list[Bill]:
        """Record the periods of an org, in order: an ended one is closed.

        Earlier ones that have ended and are open still are closed with it.

        :raises PeriodClosed: if a closed one comes to something else, and no `force`.
        :raises OveragesError: if one can't be billed; those after it aren't recorded, either.
        """
        org_id = usage.account.org_id
        account = self._repository.account(org_id) or usage.account
        closed = self._repository.closed_periods(org_id)
        bills = []
        for period in sorted({*usage.periods, *self._open_before(account, usage.periods, closed)}):
            account.require(period)
            if period.end <= self._now and not (force and period in closed):
                recording = self._service.close(org_id, period)
            else:
                recording = cast(
                    "Recording", self._service.recalculate(org_id, force=force, period=period)
                )  # None is for what `require` refuses
            if recording.is_stale:
                raise period_closed(closed[period]).within(org_id=org_id, period=period)
            total = self._total(account, period, recording)
            bills.append(Bill(org_id, period, recording, total, period in usage.periods))
        return bills

    def _open_before(
        self, account: Account, periods: Sequence[Period], closed: Container[Period]
    ) -> list[Period]:
        """Return the open periods of an account before the last of some that has ended."""
        ended = [period for period in periods if period.end <= self._now]
        before = periods_before(account, max(ended)) if ended else []
        return [period for period in before if period not in closed]

    def _total(self, account: Account, period: Period, recording: Recording) -> Money:
        if recording.records:
            currency = recording.records[0].cost.currency
        else:
            part, terms = account.parts(period)[-1]
            currency = self._plans.plan(period, part, terms).currency
        return new_money(sum(record.cost.minor for record in recording.records), currency)

    def _was_billed(self, org_id: str, instant: datetime) -> bool:
        """Tell whether an org has had a period that ended by an instant."""
        account = self._repository.account(org_id)
        return account is not None and account.since < instant

    def _has_earlier(self, instant: datetime) -> bool:
        """Tell whether the repository has any earlier periods: an org that it hasn't is new."""
        if self._earlier is None:
            orgs = self._repository.orgs()
            self._earlier = any(self._was_billed(org_id, instant) for org_id in orgs)
        return self._earlier


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
