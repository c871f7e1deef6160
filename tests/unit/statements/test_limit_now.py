"""Limits now: units used of a metric, and all that may be used now without overage."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from overages import Account, Allowance, Grant, Period, PerUnit, Plan, Usage, UsageEvent, settle
from overages.errors import UnknownMetric
from overages.settlements.standing import standing
from overages.statements.limit_now import LimitNow, limit_now, limits_now

FEB = Period.month(2024, 2)
PLAN = Plan(
    "starter",
    "USD",
    {
        "runs": Allowance(50, PerUnit(1)),
        "seats": Allowance(3, PerUnit(1), kind="level"),
        "calls": Allowance(None, PerUnit(1)),
    },
)
PACK = Grant(
    "pack", 100, metric="runs", effective_at=FEB.start,
    expires_at=datetime(2024, 2, 25, tzinfo=UTC),
)  # fmt: skip
ACCOUNT = Account("acme", "starter", since=datetime(2024, 1, 1, tzinfo=UTC))
MONTH = ACCOUNT, {"starter": PLAN}, FEB, [Usage("acme", FEB, {"runs": 40, "seats": 5})]
EVENTS = [UsageEvent("acme", "runs", 40, FEB.start)]
SETTLED = settle(*MONTH, grants=[PACK])


def test_what_remains_is_the_rest_of_the_limit_and_never_negative() -> None:
    assert LimitNow(40, 50, 0).remaining == 10
    assert LimitNow(60, 50, 10).remaining == 0
    assert LimitNow(60, None, 0).remaining is None


def test_each_metric_of_the_plan_has_one() -> None:
    assert limits_now(SETTLED.statement) == {
        "runs": LimitNow(40, 50, 0), "seats": LimitNow(5, 3, 2), "calls": LimitNow(0, None, 0)
    }  # fmt: skip
    with pytest.raises(UnknownMetric):
        limit_now(SETTLED.statement, "jobs")


def test_a_grant_has_its_units_until_it_ends_where_that_is_known() -> None:
    def runs(day: int) -> LimitNow:
        at = datetime(2024, 2, day, tzinfo=UTC)
        left = standing(*MONTH, at=at, grants=[PACK], timed=["runs"], events=EVENTS).left
        return limit_now(SETTLED.statement, "runs", at, left=left)

    assert runs(20).limit == 150
    assert runs(26).limit == 50
    assert limit_now(SETTLED.statement, "runs", left={}).limit == 50


def test_units_that_are_charged_already_are_in_the_limit_where_a_grant_is_left() -> None:
    charged = settle(ACCOUNT, {"starter": PLAN}, FEB, Usage("acme", FEB, {"runs": 60})).statement
    now = limit_now(charged, "runs", left={"runs": 20})
    assert (now, now.remaining) == (LimitNow(60, 80, 10), 20)
    assert limit_now(charged, "runs", left={"runs": 0}) == LimitNow(60, 50, 10)
