"""The contract of repositories: the facts of quotas, which are other reads at once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Final

import pytest

from overages._ground.value import evolve
from overages.errors import InvalidValue
from overages.quotas.quota_facts import QuotaFacts, quota_question
from overages.repository import Repository
from overages.testing.contract.base import (
    ACCOUNT,
    BUDGET,
    DEARER,
    FEB,
    GRANT,
    JAN,
    MAR,
    METRIC,
    OURS,
    PLAN,
    RESERVED,
    THEIRS,
    ContractBase,
    event,
    fill,
)
from overages.usage.usage import Usage

_THEN: Final = RESERVED.reserved_at
_ASKED: Final = quota_question(OURS, PLAN.slug, FEB)
_OTHER: Final = evolve(PLAN, slug="scale")


def _facts(repository: Repository, mark: object = None) -> QuotaFacts | None:
    return repository.quota_facts(_ASKED, _THEN, mark=mark)


def _facts_now(repository: Repository) -> QuotaFacts:
    facts = _facts(repository)
    assert facts is not None  # as no mark was asked for
    return facts


class QuotaContract(ContractBase):
    """The facts that decisions follow from, and the mark of the terms."""

    def test_they_are_the_plan_the_usage_and_the_units_that_are_held(
        self, repository: Repository
    ) -> None:
        fill(repository)
        facts = _facts_now(repository)
        assert facts.plan == repository.plan(PLAN.slug, at=FEB.start)
        assert (facts.version, facts.usage) == (1, repository.usage(OURS, FEB))
        assert facts.held == repository.held_units(OURS, FEB, _THEN) == {"tokens": 10}
        later = repository.quota_facts(_ASKED, RESERVED.expires_at)
        assert later is not None
        assert (later.held, later.usage) == ({}, facts.usage)

    def test_the_usage_is_of_the_metrics_that_are_named(self, repository: Repository) -> None:
        fill(repository)
        repository.put_usage(Usage(OURS, FEB, {"tokens": "0.5"}))
        for names in ([], ["runs"], ["tokens", "runs", "tokens"], ["other"], None):
            facts = repository.quota_facts(
                quota_question(OURS, PLAN.slug, FEB, metrics=names), _THEN
            )
            assert facts is not None
            assert facts.usage == repository.usage(OURS, FEB, metrics=names)

    def test_the_plan_is_the_one_in_force_at_the_start_or_of_a_version(
        self, repository: Repository
    ) -> None:
        # Two entries of one instant, and instants of which one alone has decimals.
        tick = timedelta(microseconds=1)
        repository.put_plan(PLAN, since=FEB.start)
        repository.put_plan(DEARER, since=MAR.start)
        repository.put_plan(PLAN, since=MAR.start)
        repository.put_plan(DEARER, since=MAR.start + tick)
        repository.put_plan(PLAN, since=MAR.start + timedelta(seconds=1))
        later = FEB.clipped(start=FEB.start + tick)
        in_force = [(JAN, None), (FEB, PLAN), (later, PLAN), (MAR, PLAN)]
        in_force += [
            (MAR.clipped(start=MAR.start + after), plan)
            for after, plan in ((tick, DEARER), (2 * tick, DEARER), (timedelta(seconds=1), PLAN))
        ]
        for period, plan in in_force:
            facts = repository.quota_facts(_ASKED._replace(period=period), _THEN)
            assert facts is not None
            assert (facts.plan, facts.version) == (
                plan,
                None if plan is None else 1 + (plan is DEARER),
            )
        for version, plan in ((1, PLAN), (2, DEARER), (3, None)):
            facts = repository.quota_facts(_ASKED._replace(period=JAN, version=version), _THEN)
            assert facts is not None
            assert facts[1:3] == (None if plan is None else version, plan)

    @pytest.mark.parametrize(
        "change",
        [
            lambda each: each.put_account(ACCOUNT.changed(since=MAR.start, plan="scale")),
            lambda each: each.put_account(ACCOUNT.changed(since=FEB.start, limits={"runs": 1})),
            lambda each: each.put_budget(OURS, BUDGET),
            lambda each: each.put_grant(OURS, GRANT),
            lambda each: each.put_metric(METRIC),
            lambda each: each.put_plan(DEARER, since=MAR.start),
        ],
        ids=["plan", "limit", "budget", "grant", "metric", "version"],
    )
    def test_the_mark_is_another_once_something_else_is_agreed(
        self, repository: Repository, change: Callable[[Repository], None]
    ) -> None:
        repository.put_plan(PLAN)
        repository.put_account(ACCOUNT)
        before = _facts_now(repository)
        change(repository)
        assert _facts_now(repository).mark != before.mark
        assert _facts(repository, before.mark) is None
        now = _facts_now(repository)
        assert _facts(repository, now.mark) == now

    def test_the_mark_is_another_once_a_budget_is_dropped(self, repository: Repository) -> None:
        fill(repository)
        before = _facts_now(repository)
        repository.drop_budget(OURS, BUDGET.id)
        assert _facts(repository, before.mark) is None

    def test_the_mark_stays_whatever_is_used_or_held_or_agreed_with_others(
        self, repository: Repository
    ) -> None:
        fill(repository)
        before = _facts_now(repository)
        repository.add_events([event("evt-2", 7)])
        repository.put_reservation(evolve(RESERVED, key="r-2"))
        repository.put_plan(_OTHER)
        repository.drop_budget(THEIRS, BUDGET.id)
        repository.put_account(evolve(ACCOUNT, org_id="org-3"))
        after = _facts(repository, before.mark)
        assert after is not None
        assert after.mark == before.mark
        assert [each.usage.quantities["tokens"] for each in (before, after)] == [105, 112]
        assert after.held == {"tokens": 20}

    def test_an_org_that_nothing_is_known_of_has_none_to_tell(self, repository: Repository) -> None:
        facts = repository.quota_facts(quota_question("org-3", "none", FEB), _THEN)
        assert facts is not None
        assert facts[1:] == (None, None, Usage("org-3", FEB, {}), {})

    def test_a_period_that_cuts_a_sum_is_refused_if_the_mark_is_that_of_now(
        self, repository: Repository
    ) -> None:
        fill(repository)
        before = _facts_now(repository)
        part = _ASKED._replace(period=JAN.clipped(end=JAN.start + timedelta(days=1)))
        with pytest.raises(InvalidValue, match="must be asked for in times that have all of"):
            repository.quota_facts(part, _THEN, mark=before.mark)
        repository.drop_budget(OURS, BUDGET.id)
        assert repository.quota_facts(part, _THEN, mark=before.mark) is None
