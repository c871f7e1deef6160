"""Quota inputs: usage, holds, budgets and terms of an org's present period, for a decision.

    inputs = QuotaInputs(repository, account, routes, settling, plans, now)
    inputs.decision(parse_request({"runs": 10}))

Most orgs have a plan of included quantities and prices, all the time: of such, the sums of the
metrics that are asked for are read, and nothing is settled. Nor are their terms looked for again,
as long as these have the mark that they had:

    inputs.plain.decision(repository, request, now)   # None where something else was agreed since
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from typing import Final, NamedTuple

from overages._ground.frozen_dict import FrozenDict
from overages.amounts.exact import Quantity
from overages.bookkeeping.plans_in_force import PlansInForce
from overages.bookkeeping.settling import Settling
from overages.bookkeeping.usage_reader import UsageReader
from overages.errors import OveragesError
from overages.insight.budget import Budget, WindowedBudget
from overages.periods.period import Period
from overages.quotas.deciding import decision_by_plan, decision_on
from overages.quotas.decision import Decision
from overages.quotas.plain_decision import is_plain
from overages.quotas.position import More, Position, Prospect, StatementsWith
from overages.quotas.quota_facts import QuotaFacts, QuotaQuestion, quota_question
from overages.quotas.request import Request
from overages.quotas.standing_limit import StandingLimit
from overages.readings.window_charges import WindowCharges
from overages.repository import Repository
from overages.terms.account import Account
from overages.terms.plan import Plan
from overages.terms.terms import NO_OWN_TERMS, Terms
from overages.usage.routing import Routes
from overages.usage.usage import Usage

_FEW: Final = 64  # sets of metrics that are requested together, of one org


class PlainTerms(NamedTuple):
    """A flat plan that holds all through a whole period, and is all that counts in it.

    :param terms: the org's in that period.
    :param budgets: the org's.
    :param version: of the plan, once it was found.
    :param questions: those that were asked, by the metrics that were requested.
    :param mark: tells these terms from others; None where that can't be told.
    """

    org_id: str
    period: Period
    terms: Terms
    plan: Plan
    budgets: Sequence[Budget]
    version: int | None
    questions: dict[Sequence[str] | None, QuotaQuestion]
    mark: Hashable = None

    def decision(self, repository: Repository, request: Request, now: datetime) -> Decision | None:
        """Return the decision on a request; None where something else was agreed since.

        :param now: an instant in the period.
        :raises OveragesError: as `QuotaInputs.decision` does.
        """
        try:
            facts = self.facts(repository, request, now)
            if facts is None or facts.plan is not self.plan:
                return None
            return self.decision_on(request, self.budgets, facts.usage, facts.held, now)
        except OveragesError as error:
            raise error.within(org_id=self.org_id, period=self.period) from error.__cause__

    def facts(self, repository: Repository, request: Request, now: datetime) -> QuotaFacts | None:
        """Return the org's usage and holds; None where something else was agreed since."""
        return repository.quota_facts(self._question(request), now, mark=self.mark)

    def _question(self, request: Request) -> QuotaQuestion:
        """Return the question after the facts of a request; the same one for the same metrics."""
        requested = None if "grants" in request.stop_at else tuple(request.units)
        question = self.questions.get(requested)
        if question is None:
            if len(self.questions) >= _FEW:
                self.questions.clear()
            question = quota_question(
                self.org_id,
                self.terms.plan,
                self.period,
                version=self.version,
                metrics=None if requested is None else self._wanted(requested),
            )
            self.questions[requested] = question
        return question

    def _wanted(self, requested: Iterable[str]) -> list[str] | None:
        """Return the metrics whose usage matters; None where all of it does."""
        names = {*requested}
        for each in self.budgets:
            if each.metric is None:
                return None
            names.add(each.metric)
        return sorted(names & self.plan.allowances.keys())

    def decision_on(
        self,
        request: Request,
        budgets: Sequence[Budget | WindowedBudget],
        usage: Usage,
        held: Mapping[str, Quantity],
        now: datetime,
    ) -> Decision:
        """Return the decision on a request.

        :param held: of metrics of which the plan may no longer know some.
        """
        allowances = self.plan.allowances
        return decision_by_plan(
            request,
            self.plan,
            usage,
            {metric: units for metric, units in held.items() if metric in allowances},
            budgets,
            limits=self.terms.limits or None,
            at=now,
            counted_at=now,
        )


class QuotaInputs:
    """The inputs of decisions on an org's present period, as a repository has them.

    :param account: the org, of which terms hold now.
    :param routes: the metrics that are more than sums of their events.
    :param settling: works out its periods.
    :param now: the present instant.
    """

    def __init__(
        self,
        repository: Repository,
        account: Account,
        routes: Routes,
        settling: Settling,
        plans: PlansInForce,
        now: datetime,
    ) -> None:
        self._repository, self._account, self._routes = repository, account, routes
        self._settling, self._plans, self._now = settling, plans, now
        self._org_id = account.org_id
        self._reader = UsageReader(repository, account.org_id, routes)
        self.period: Period = account.period_at(now)
        self.plain: PlainTerms | None = None  # found by a decision, if they are such

    def decision(self, request: Request) -> Decision:
        """Return the decision on a request.

        :raises OveragesError: as `decide` and `Settling` do, with the period.
        """
        try:
            put = self._repository.budgets(self._org_id)
            budgets = self._budgets(put)
            plain = self._plain_terms(put)
            if plain is None:
                return self._settled_decision(request, budgets)
            usage, held = self._used_and_held(plain, request)
            return plain.decision_on(request, budgets, usage, held, self._now)
        except OveragesError as error:
            raise error.within(org_id=self._org_id, period=self.period) from error.__cause__

    def _budgets(self, put: Iterable[Budget]) -> list[Budget | WindowedBudget]:
        return [
            budget
            if budget.window is None
            else self._in_window(budget, budget.window.period_at(self._now))
            for budget in put
        ]

    def _in_window(self, budget: Budget, window: Period) -> WindowedBudget:
        if budget.is_money:
            return self._charged_in(budget, window)
        metric = str(budget.metric)
        used = self._reader.units(metric, window)
        held = self._repository.held_units(self._org_id, window, self._now).get(metric, 0)
        return WindowedBudget(budget, used, held, resets_at=window.end)

    def _charged_in(self, budget: Budget, window: Period) -> WindowedBudget:
        """Return a budget of money with the charges of its window, which the present is in."""
        used, held = self._charges.of(budget, window), None
        if self._beside_holds is not None:
            held = self._charges_beside_holds.of(budget, window) - used
        return WindowedBudget(budget, used, held, resets_at=window.end)

    @cached_property
    def _beside_holds(self) -> Settling | None:
        """Settles with all that reservations hold; None if they hold nothing."""
        life = Period(self._account.since, self.period.end)
        if not self._repository.held_units(self._org_id, life, self._now):
            return None
        return self._settling.beside_holds(self._now)

    @cached_property
    def _charges(self) -> WindowCharges:
        return WindowCharges(self._repository, self._account, self._settling, self._now)

    @cached_property
    def _charges_beside_holds(self) -> WindowCharges:
        settling = self._beside_holds or self._settling
        return WindowCharges(self._repository, self._account, settling, self._now)

    def _plain_terms(self, budgets: Sequence[Budget]) -> PlainTerms | None:
        """Return the plan, where no rule or earlier period has a part in it."""
        agreed = self._account.agreed_in(self.period)
        if agreed.cycle_period is not None or len(agreed.parts) > 1:
            return None
        ((time, terms, _),) = agreed.parts
        if terms.own is not NO_OWN_TERMS or self._settling.grants:
            return None
        plan = self._plans.plan(self.period, time, terms)
        if not is_plain(plan) or plan.needs_balance:
            return None
        windows = [each.window for each in budgets if each.window is not None and each.is_money]
        if any(self._periods_until(each.period_at(self._now).end) for each in windows):
            return None
        version = terms.plan_version
        return PlainTerms(self._org_id, self.period, terms, plan, budgets, version, {})

    def _used_and_held(
        self, plain: PlainTerms, request: Request
    ) -> tuple[Usage, Mapping[str, Quantity]]:
        """Return the usage of the period, and the units that are held; note the plain terms."""
        if self._routes.metrics:
            (usage,) = self._reader.usages([self.period.start, self.period.end])
            return usage, self._repository.held_units(self._org_id, self.period, self._now)
        facts = plain.facts(self._repository, request, self._now)
        assert facts is not None  # no mark was asked for
        if facts.plan is plain.plan and not any(each.window for each in plain.budgets):
            self.plain = plain._replace(version=facts.version, questions={}, mark=facts.mark)
        return facts.usage, facts.held

    def _settled_decision(
        self, request: Request, budgets: list[Budget | WindowedBudget]
    ) -> Decision:
        return decision_on(request, self._prospect(), budgets, self._now, self._now)

    def _prospect(self) -> Prospect:
        beside_holds = self._beside_holds
        terms = self._account.at(self._now)
        own = FrozenDict() if terms is None else terms.limits
        held = None if beside_holds is None else self._positions(beside_holds)
        return Prospect(
            self._positions(self._settling),
            own,
            self._routes.held,
            self._now,
            held,
            self._statements_until,
        )

    def _statements_until(self, instant: datetime) -> StatementsWith | None:
        """Return the bills of `Prospect.statements_until`; None if they are of the period alone."""
        periods = self._periods_until(instant)
        if not periods:
            return None
        settling = (self._beside_holds or self._settling).until(instant)
        settled = settling.settled_with(periods, self._now)
        return lambda more: [each.statement for each in settled(more)]

    def _periods_until(self, instant: datetime) -> Sequence[Period]:
        """Return the present period, and those after it that have usage before an instant.

        :returns: none if all usage is of the present one, and before that instant.
        """
        periods = self._charges.periods(Period(self._now, instant))
        if len(periods) == 1 and not self._charges.goes_on_after(self.period, instant):
            return ()
        return periods

    def _positions(self, settling: Settling) -> Callable[[More], Position]:
        standing = settling.standing_with(self.period, self._now)
        return lambda more: Position(*standing(more))


def no_terms(request: Request, account: Account | None, org_id: str, now: datetime) -> Decision:
    """Return the decision where no terms hold: nothing may be used."""
    later = [] if account is None else [account.since, *(each.since for each in account.changes)]
    begins = [each for each in later if each > now and account is not None and account.at(each)]
    limit = StandingLimit("no_terms", 0, 0, 0, resets_at=min(begins, default=None), stops=True)
    nothing = dict.fromkeys(request.units, 0)
    return Decision(
        org_id, "deny", request.units, nothing, limits=[limit], decided_by=limit, at=now,
        counted_at=now,
    )  # fmt: skip
