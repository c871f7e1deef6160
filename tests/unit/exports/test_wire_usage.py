"""How much is used of what, and what the last periods came to, over HTTP."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from tests.since import SINCE

from overages import (
    Account,
    Allowance,
    Cycle,
    Discount,
    Grant,
    MemoryRepository,
    Money,
    OverageService,
    Period,
    PerUnit,
    Plan,
    Usage,
    UsageEvent,
    calculate,
)
from overages._ground.value import evolve
from overages.errors import InvalidValue
from overages.exports.wire import Endpoints, used

FEBRUARY = Period.month(2024, 2)
NOW = datetime(2024, 2, 20, tzinfo=UTC)
PLAN = Plan(
    "starter",
    "USD",
    {
        "tokens": Allowance(500_000, PerUnit("0.0001")),
        "playbook_runs": Allowance(50, PerUnit("1.00")),
        "seats": Allowance(0, PerUnit("15.00"), kind="level"),
        "storage": Allowance(None, PerUnit(1)),
    },
)
LARGER = evolve(
    PLAN, slug="larger", allowances={**PLAN.allowances, "storage": Allowance(290, PerUnit(1))}
)


def host(
    plan: Plan = PLAN, enabled: bool = True, since: datetime = SINCE, **quantities: Any
) -> tuple[MemoryRepository, Endpoints]:
    repository = MemoryRepository()
    repository.put_plan(plan)
    repository.put_plan(LARGER)
    repository.put_account(Account("org-123", plan=plan.slug, since=since))
    repository.put_usage(Usage("org-123", FEBRUARY, quantities))
    service = OverageService(repository, lambda: NOW, enabled=enabled)
    return repository, Endpoints(service, repository, lambda: NOW)


class TestUsage:
    """Is said of every metric of the plan, used or not, as it is now."""

    def test_has_each_metric_with_its_limit_and_what_is_left(self) -> None:
        _, endpoints = host(tokens=750_000, playbook_runs=Decimal("49.999"), storage=7)
        assert endpoints.usage("org-123") == (
            200,
            {
                "success": True,
                "data": {
                    "orgId": "org-123",
                    "period": {"start": "2024-02-01T00:00:00Z", "end": "2024-03-01T00:00:00Z"},
                    "currency": {"code": "USD", "exponent": 2},
                    "metrics": {
                        "tokens": {
                            "used": 750_000, "limit": 500_000, "remaining": 0, "percent": 150,
                            "amount": 250_000, "cost": 2500,
                        },
                        "playbookRuns": {
                            "used": "49.999", "limit": 50, "remaining": "0.001", "percent": 99,
                            "amount": 0, "cost": 0,
                        },
                        "seats": {
                            "used": 0, "limit": 0, "remaining": 0, "percent": None,
                            "amount": 0, "cost": 0,
                        },
                        "storage": {
                            "used": 7, "limit": None, "remaining": None, "percent": None,
                            "amount": 0, "cost": 0,
                        },
                    },
                    "totalCost": 2500,
                },
            },
        )  # fmt: skip

    def test_has_the_parts_of_a_metric_whose_own_terms_change(self) -> None:
        repository, endpoints = host()
        account = Account("org-123", plan="starter", since=SINCE)
        half = FEBRUARY.start + timedelta(days=19)
        repository.put_account(account.changed(since=half, plan="larger"))
        for at, quantity in ((FEBRUARY.start, 30), (half, 105)):
            repository.add_events([UsageEvent("org-123", "storage", quantity, at=at)])
        storage = endpoints.usage("org-123").body["data"]["metrics"]["storage"]
        parts = storage.pop("parts")
        assert storage == {
            "used": 135, "limit": 130, "remaining": 0, "percent": 103, "amount": 5, "cost": 500
        }  # fmt: skip
        assert parts == [
            {
                "start": "2024-02-01T00:00:00Z", "used": 30, "limit": None, "remaining": None,
                "percent": None, "amount": 0, "cost": 0,
            },
            {
                "start": "2024-02-20T00:00:00Z", "used": 105, "limit": 100, "remaining": 0,
                "percent": 105, "amount": 5, "cost": 500,
            },
        ]  # fmt: skip

    def test_has_all_that_is_left_of_a_pack(self) -> None:
        repository, endpoints = host()
        pack = Grant("pack-9", 1_000, metric="seats", effective_at=SINCE)
        runs = Grant("pack-10", 1_000, metric="playbook_runs", effective_at=SINCE)
        for grant in (pack, runs):
            repository.put_grant("org-123", grant)
        repository.add_events([UsageEvent("org-123", "playbook_runs", 51, at=FEBRUARY.start)])
        metrics = endpoints.usage("org-123").body["data"]["metrics"]
        assert metrics["playbookRuns"] == {
            "used": 51, "limit": 1_050, "remaining": 999, "percent": 4, "amount": 0, "cost": 0
        }  # fmt: skip
        assert metrics["seats"]["remaining"] == 1_000

    def test_leaves_out_what_a_part_that_is_over_left(self) -> None:
        repository, endpoints = host(LARGER)
        account = Account("org-123", plan="larger", since=SINCE)
        half = FEBRUARY.start + timedelta(days=10)
        repository.put_account(account.changed(since=half, limits={"storage": 580}))
        storage = endpoints.usage("org-123").body["data"]["metrics"]["storage"]
        assert (storage["limit"], storage["percent"], storage["remaining"]) == (380, 0, 380)
        assert [part["limit"] for part in storage["parts"]] == [100, 380]

    def test_counts_adjustments_in_the_total(self) -> None:
        plan = evolve(PLAN, discounts=(), minimum=Money(3000, "USD"))
        statement = calculate(plan, Usage("org-123", FEBRUARY, {"tokens": 750_000}))
        body = used(statement)
        assert (body["totalCost"], body["metrics"]["tokens"]["cost"]) == (3000, 2500)
        assert body["adjustments"] == [{"metric": None, "line": "minimum", "cost": 500}]

    def test_adds_up_where_a_metric_is_discounted(self) -> None:
        runs = evolve(PLAN.allowances["playbook_runs"], discounts=[Discount("launch", percent=20)])
        plan = evolve(PLAN, allowances={**PLAN.allowances, "playbook_runs": runs})
        usage = Usage("org-123", FEBRUARY, {"tokens": 750_000, "playbook_runs": 60})
        body = used(calculate(plan, usage))
        assert body["adjustments"] == [
            {"metric": "playbookRuns", "line": "discount:launch", "cost": -200}
        ]
        costs = [each["cost"] for each in (*body["metrics"].values(), *body["adjustments"])]
        assert sum(costs) == body["totalCost"] == 3300

    def test_refuses_two_metrics_of_one_key(self) -> None:
        plan = Plan("p", "USD", {name: Allowance(0, PerUnit(1)) for name in ("api_a", "apiA")})
        with pytest.raises(InvalidValue, match="must not have the key of 'api_a'"):
            used(calculate(plan, Usage("org-123", FEBRUARY, {})))


class TestHistory:
    """Is what is recorded, period by period, the newest first."""

    @staticmethod
    def four_months() -> tuple[MemoryRepository, Endpoints]:
        november = Period.month(2023, 11)
        repository, endpoints = host(since=november.start, tokens=750_000)
        service = OverageService(repository, lambda: FEBRUARY.start)
        repository.put_usage(Usage("org-123", Period.month(2023, 12), {"playbook_runs": 60}))
        service.close_ended()
        endpoints.recalculate("org-123")
        return repository, endpoints

    def test_has_closed_periods_even_where_nothing_was_charged(self) -> None:
        _, endpoints = self.four_months()
        data = endpoints.history("org-123").body["data"]
        assert data["orgId"] == "org-123"
        told = [
            (each["period"]["start"][:7], each["totalCost"], each["isClosed"])
            for each in data["periods"]
        ]
        assert told == [
            ("2024-02", 2500, False), ("2024-01", 0, True), ("2023-12", 1000, True),
            ("2023-11", 0, True),
        ]  # fmt: skip
        present = data["periods"][0]
        recorded = endpoints.overages("org-123").body["data"]
        assert present == {
            "period": recorded["period"],
            "overages": {"tokens": recorded["overages"]["tokens"]},  # of which something is over
            "totalCost": 2500,
            "isClosed": False,
        }

    @pytest.mark.parametrize(("asked", "length"), [("1", 1), ("002", 2), ("120", 4), (3, 3)])
    def test_has_as_many_periods_as_are_asked_for(self, asked: str | int, length: int) -> None:
        _, endpoints = self.four_months()
        assert len(endpoints.history("org-123", asked).body["data"]["periods"]) == length

    @pytest.mark.parametrize(
        "asked",
        [
            "", "0", "-1", "121", "1.0", "x", "1" * 30, "\u0663", 0, 121, True, 3.0, b"3",
            pytest.param(10**5000, id="large"),
        ],
    )  # fmt: skip
    def test_refuses_another_number_of_periods(self, asked: Any) -> None:
        _, endpoints = host()
        status, body = endpoints.history("org-123", asked)
        assert (status, body["error"]["code"]) == (400, "VALIDATION_ERROR")
        assert body["error"]["message"].startswith(
            "Invalid request query: periods: must be a whole"
        )

    def test_of_an_org_without_an_account_is_the_present_month(self) -> None:
        _, endpoints = host()
        (present,) = endpoints.history("nobody").body["data"]["periods"]
        assert (present["period"]["start"], present["totalCost"]) == ("2024-02-01T00:00:00Z", 0)

    def test_leaves_out_a_time_that_is_no_period_any_more(self) -> None:
        repository, endpoints = host(tokens=750_000)
        repository.put_account(
            Account("org-9", plan="starter", since=FEBRUARY.start, cycle=Cycle.monthly())
        )
        event = UsageEvent("org-9", "tokens", 600_000, at=FEBRUARY.start)
        repository.add_events([event])
        endpoints.recalculate("org-9")
        account = repository.account("org-9")
        assert account is not None
        cycle = Cycle.monthly(day=10)
        repository.put_account(account.changed(since=FEBRUARY.start, cycle=cycle))
        endpoints.recalculate("org-9")
        periods = endpoints.history("org-9").body["data"]["periods"]
        starts = [each["period"]["start"][:10] for each in periods]
        assert FEBRUARY in {record.period for record in repository.records("org-9")}
        assert "2024-02-10" in starts
        assert {"start": "2024-02-01T00:00:00Z", "end": "2024-03-01T00:00:00Z"} not in [
            each["period"] for each in periods
        ]


class TestProjection:
    """Is what the period should come to, and how sure that is."""

    def test_has_the_units_and_the_bills(self) -> None:
        repository, endpoints = host(since=FEBRUARY.start)
        at = FEBRUARY.start + timedelta(days=4)
        repository.add_events([UsageEvent("org-123", "tokens", 380_000, at=at)])
        data = endpoints.projection("org-123").body["data"]
        metrics = data.pop("metrics")
        assert data == {
            "orgId": "org-123",
            "period": {"start": "2024-02-01T00:00:00Z", "end": "2024-03-01T00:00:00Z"},
            "at": "2024-02-20T00:00:00Z",
            "timezone": "UTC",
            "daysLeft": 9,
            "currency": {"code": "USD", "exponent": 2},
            "bill": {"soFar": 0, "expected": 800, "low": None, "high": None},
        }
        tokens = metrics["tokens"]
        assert tokens.pop("reason").startswith("not enough to say how far off")
        assert tokens == {
            "used": 380_000, "expected": 580_000, "low": None, "high": None,
            "runsOut": "2024-02-26", "method": "elapsed_share", "periodsTried": 0,
            "errorPercent": None, "boundsTried": 0, "periodsWithin": None, "aimPercent": None,
        }  # fmt: skip
        assert list(metrics) == ["tokens", "playbookRuns", "seats", "storage"]

    def test_has_error_and_coverage_where_there_are_periods_to_compare_with(self) -> None:
        repository, endpoints = host(since=datetime(2023, 3, 1, tzinfo=UTC))
        for n in range(11):
            period = Period.month(2023 + (n + 2) // 12, (n + 2) % 12 + 1)
            days = (period.end - period.start).days
            repository.add_events(
                UsageEvent(
                    "org-123", "tokens", 1_000 + 10 * n + day, at=period.start + timedelta(day)
                )
                for day in range(days)
            )
        repository.add_events(
            UsageEvent("org-123", "tokens", 1_200, at=FEBRUARY.start + timedelta(day))
            for day in range(19)
        )
        data = endpoints.projection("org-123").body["data"]
        tokens = data["metrics"]["tokens"]
        assert tokens == {
            "used": 22_800, "expected": 34_973, "low": 34_962, "high": 34_974, "runsOut": None,
            "method": "past_share", "periodsTried": 11, "errorPercent": "0.1", "boundsTried": 7,
            "periodsWithin": 5, "aimPercent": "81.8", "reason": None,
        }  # fmt: skip

    def test_of_an_org_without_a_plan_is_refused(self) -> None:
        _, endpoints = host()
        assert endpoints.projection("nobody").body["error"]["code"] == "CALCULATION_FAILED"


@pytest.mark.parametrize("name", ["usage", "history", "projection"])
class TestEach:
    """Refuses and fails as the others do."""

    def test_refuses_who_is_a_member_of_no_org(self, name: str) -> None:
        _, endpoints = host()
        answer = getattr(endpoints, name)(None)
        assert (answer.status, answer.body["error"]["code"]) == (403, "NO_ORG_ACCESS")

    def test_refuses_while_billing_is_off(self, name: str) -> None:
        _, endpoints = host(enabled=False)
        assert getattr(endpoints, name)("org-123").status == 503

    def test_says_nothing_of_what_breaks(self, name: str) -> None:
        repository, _ = host()

        def broken() -> datetime:
            raise OSError("/etc/shadow is not readable")

        endpoints = Endpoints(OverageService(repository, broken), repository, broken)
        status, body = getattr(endpoints, name)("org-123")
        assert (status, body["error"]["code"]) == (500, f"{name.upper()}_ERROR")
        assert "shadow" not in str(body)


def test_usage_of_an_org_without_a_plan_is_refused() -> None:
    _, endpoints = host()
    answer = endpoints.usage("nobody")
    assert (answer.status, answer.body["error"]["code"]) == (400, "CALCULATION_FAILED")
