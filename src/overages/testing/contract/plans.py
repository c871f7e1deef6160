"""The contract of repositories: plans."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any, Final

import pytest

from overages.amounts.money import Currency, Money
from overages.codec import encode
from overages.errors import Field, InvalidValue, UnknownPlan
from overages.prices.exchange import Exchanged
from overages.prices.models import Graduated, Package, Percentage, PerUnit, Volume
from overages.prices.tier import Tier
from overages.repository import Repository
from overages.statements.calculation import calculate
from overages.terms.account import Account
from overages.terms.allowance import Allowance
from overages.terms.plan import Plan
from overages.testing.contract.base import (
    DEARER,
    FEB,
    JAN,
    MAR,
    NOW,
    OURS,
    PLAN,
    ContractBase,
    nothing_written,
    owed,
)
from overages.usage.usage import Usage

TICK: Final = timedelta(microseconds=1)
CHEAPER: Final = Plan("starter", "USD", {"tokens": Allowance(100, PerUnit("0.001"))})
TIERS: Final = [Tier(10, price="0.1", flat=2), Tier(None, price="0.05", per=3, maximum=9)]
UNUSUAL: Final = Plan(
    "Ünüsual'; --",
    Currency("credits", exponent=12),
    {
        "z": Allowance("0.5", Graduated(TIERS, flat_at_zero=True)),
        "a": Allowance(None, Volume(TIERS)),
        "m": Allowance(10**26 - 1, Package("1.25", size="0.000000000001", count="completed")),
        "é": Allowance(0, Percentage("1.3")),
        "third": Allowance(0, PerUnit(1, per=3)),
        "exchanged": Allowance(0, Exchanged(Graduated(TIERS), rate="0.5", per=7)),
    },
    rounding="half_even",
    rounding_scope="total",
    base_fee=Money(10**30, Currency("credits", exponent=12)),
)

LONG: Final = [f"{n:0254}" for n in range(3_200)]
"""Names of metrics that take more than the mebibyte of JSON that strangers may send."""


class PlanContract(ContractBase):
    """The catalogue of plans."""

    @pytest.mark.parametrize("plan", [PLAN, UNUSUAL], ids=["usual", "unusual"])
    def test_a_plan_is_read_as_it_was_put(self, repository: Repository, plan: Plan) -> None:
        assert repository.put_plan(plan) == 1
        stored = repository.plan(plan.slug)
        assert stored == plan
        assert repr(stored) == repr(plan)

    def test_a_large_plan_is_kept_and_recorded_like_any_other(self, repository: Repository) -> None:
        allowances = dict.fromkeys(LONG, Allowance(10**26 - 1, PerUnit("0.01")))
        allowances[LONG[-1]] = Allowance(100, Graduated(TIERS))
        large = Plan("starter", "USD", allowances)
        statement = calculate(large, Usage(OURS, FEB, {LONG[-1]: 101}))
        with pytest.raises(InvalidValue, match="bytes of JSON"):
            encode(large)
        assert repository.put_plan(large) == repository.put_plan(large) == 1
        (record,) = repository.record(statement, created_at=NOW).new
        assert (record.metric, record.plan_version) == (LONG[-1], 1)
        assert repository.plan("starter") == large

    def test_a_large_account_is_kept_like_any_other(self, repository: Repository) -> None:
        large = Account(
            OURS, "starter", JAN.start, dict.fromkeys([*LONG, *(f"{n}/" for n in LONG)], 10**25)
        )
        repository.put_account(large)
        assert repository.account(OURS) == large

    def test_versions_of_a_slug_are_counted_by_content(self, repository: Repository) -> None:
        assert repository.put_plan(PLAN) == 1
        assert repository.put_plan(DEARER, since=MAR.start) == 2
        assert repository.put_plan(UNUSUAL) == 1
        assert repository.plan("starter", version=1) == PLAN
        assert repository.plan("starter", version=2) == DEARER

    def test_the_order_of_allowances_is_content(self, repository: Repository) -> None:
        allowances = {metric: PLAN.allowances[metric] for metric in ("runs", "tokens")}
        turned = Plan("starter", "USD", allowances)
        repository.put_plan(PLAN)
        assert repository.put_plan(turned, since=MAR.start) == 2
        assert list(repository.plan("starter").allowances) == ["runs", "tokens"]

    def test_the_same_plan_again_has_its_version_and_writes_nothing(
        self, repository: Repository
    ) -> None:
        repository.put_plan(PLAN)
        repository.put_plan(DEARER, since=MAR.start)
        with nothing_written(repository):
            assert repository.put_plan(DEARER, since=MAR.start) == 2
            assert repository.put_plan(DEARER) == 2
        assert repository.plan("starter", at=FEB.start) == PLAN

    def test_a_plan_is_in_force_from_its_first_instant_on(self, repository: Repository) -> None:
        repository.put_plan(PLAN)
        repository.put_plan(DEARER, since=MAR.start)
        assert repository.plan("starter", at=MAR.start - TICK) == PLAN
        assert repository.plan("starter", at=MAR.start) == DEARER
        assert repository.plan("starter", at=MAR.end) == DEARER

    def test_an_instant_may_be_finer_than_a_second(self, repository: Repository) -> None:
        repository.put_plan(PLAN)
        repository.put_plan(DEARER, since=MAR.start + TICK)
        assert repository.plan("starter", at=MAR.start) == PLAN
        assert repository.plan("starter", at=MAR.start + TICK) == DEARER

    def test_an_instant_counts_whatever_its_timezone(self, repository: Repository) -> None:
        repository.put_plan(PLAN)
        east = timezone(timedelta(hours=5, minutes=30))
        repository.put_plan(DEARER, since=MAR.start.astimezone(east))
        assert repository.plan("starter", at=MAR.start) == DEARER
        assert repository.plan("starter", at=(MAR.start - TICK).astimezone(east)) == PLAN

    def test_the_first_version_without_an_instant_was_always_in_force(
        self, repository: Repository
    ) -> None:
        repository.put_plan(PLAN)
        assert repository.plan("starter", at=datetime.min.replace(tzinfo=UTC)) == PLAN

    def test_a_first_version_with_an_instant_is_not_in_force_before(
        self, repository: Repository
    ) -> None:
        repository.put_plan(PLAN, since=FEB.start)
        problem = "^slug: must be in force then, and is so from 2024-02-01T00:00:00Z on, got"
        with pytest.raises(UnknownPlan, match=problem):
            repository.plan("starter", at=JAN.start)
        assert repository.plan("starter") == PLAN

    def test_another_version_needs_an_instant(self, repository: Repository) -> None:
        repository.put_plan(PLAN)
        with nothing_written(repository), pytest.raises(InvalidValue, match=r"^since: must be giv"):
            repository.put_plan(DEARER)

    def test_an_earlier_version_again_needs_an_instant(self, repository: Repository) -> None:
        repository.put_plan(PLAN)
        repository.put_plan(DEARER, since=MAR.start)
        with pytest.raises(InvalidValue, match=r"^since: must be given"):
            repository.put_plan(PLAN)
        assert repository.plan("starter") == DEARER

    def test_the_present_version_again_without_an_instant_changes_no_past(
        self, repository: Repository
    ) -> None:
        repository.put_plan(PLAN, since=FEB.start)
        repository.put_plan(DEARER, since=MAR.start)
        assert repository.put_plan(DEARER) == 2
        assert repository.plan("starter", at=FEB.start) == PLAN
        with pytest.raises(UnknownPlan):
            repository.plan("starter", at=JAN.start)

    def test_a_version_takes_the_place_of_another_of_the_same_instant(
        self, repository: Repository
    ) -> None:
        repository.put_plan(PLAN)
        repository.put_plan(DEARER, since=MAR.start)
        assert repository.put_plan(CHEAPER, since=MAR.start) == 3
        assert repository.plan("starter", at=MAR.start) == CHEAPER
        assert repository.plan("starter", version=2) == DEARER

    def test_an_earlier_version_can_come_into_force_again(self, repository: Repository) -> None:
        repository.put_plan(PLAN)
        repository.put_plan(DEARER, since=FEB.start)
        assert repository.put_plan(PLAN, since=MAR.start) == 1
        in_force = [repository.plan("starter", at=month.start) for month in (JAN, FEB, MAR)]
        assert in_force == [PLAN, DEARER, PLAN]

    def test_the_slugs_of_all_plans_are_listed(self, repository: Repository) -> None:
        assert repository.slugs() == ()
        for plan in (UNUSUAL, PLAN):
            repository.put_plan(plan)
        repository.put_plan(DEARER, since=MAR.start)
        repository.put_plan(Plan("later", "USD", {}), since=MAR.start)
        assert repository.slugs() == ("later", "starter", UNUSUAL.slug)

    @pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 0, 2), (1, 2, 0)])
    def test_versions_of_several_instants_can_be_put_in_any_order(
        self, repository: Repository, order: tuple[int, ...]
    ) -> None:
        puts = [(PLAN, JAN.start), (DEARER, FEB.start), (PLAN, MAR.start)]
        for i in order:
            plan, since = puts[i]
            repository.put_plan(plan, since=since)
        in_force = [repository.plan("starter", at=month.start) for month in (JAN, FEB, MAR)]
        assert in_force == [PLAN, DEARER, PLAN]

    def test_a_version_stays_in_force_where_one_is_put_before_it(
        self, repository: Repository
    ) -> None:
        repository.put_plan(PLAN)
        repository.put_plan(PLAN, since=MAR.start)
        repository.put_plan(DEARER, since=FEB.start)
        assert repository.plan("starter", at=MAR.start) == PLAN

    @pytest.mark.parametrize("number", [3, 2**63 - 1])
    def test_a_version_that_is_not_there_is_an_unknown_plan(
        self, repository: Repository, number: int
    ) -> None:
        repository.put_plan(PLAN)
        repository.put_plan(DEARER, since=MAR.start)
        with pytest.raises(UnknownPlan, match=r"^version: must be one of plan 'starter', "):
            repository.plan("starter", version=number)

    @pytest.mark.parametrize("slug", ["scale", "Starter", "starter.", "starte%"])
    def test_a_slug_that_is_not_there_is_an_unknown_plan(
        self, repository: Repository, slug: str
    ) -> None:
        repository.put_plan(PLAN)
        with pytest.raises(UnknownPlan, match=r"^slug: must be a plan that was put: starter"):
            repository.plan(slug)

    @pytest.mark.parametrize(
        ("named", "field"),
        [
            ({"version": 0}, "version"),
            ({"version": 2**63}, "version"),
            ({"version": True}, "version"),
            ({"at": datetime(2024, 2, 1)}, "at"),
            ({"at": "2024-02-01"}, "at"),
        ],
    )
    def test_what_is_no_version_or_instant_is_refused(
        self, repository: Repository, named: Any, field: Field
    ) -> None:
        repository.put_plan(PLAN)
        with pytest.raises((ValueError, TypeError), match=f"^{field}: "):
            repository.plan("starter", **named)

    def test_an_instant_without_a_timezone_is_refused(self, repository: Repository) -> None:
        with nothing_written(repository), pytest.raises(InvalidValue, match=r"^since: "):
            repository.put_plan(PLAN, since=datetime(2024, 2, 1))

    def test_recording_keeps_the_plan_without_putting_it_in_force(
        self, repository: Repository
    ) -> None:
        repository.put_plan(PLAN)
        (record,) = repository.record(owed(plan=DEARER, tokens=101), created_at=NOW).new
        assert (record.plan, record.plan_version) == ("starter", 2)
        assert repository.plan("starter", version=2) == DEARER
        assert repository.plan("starter") == PLAN
