"""What is said over HTTP: the shape of an org's overage, requests, and answers to errors."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from tests.accounts import calculate_after
from tests.since import SINCE

from overages import (
    Account,
    Adjustment,
    Allowance,
    Currency,
    Cycle,
    Discount,
    Graduated,
    MemoryRepository,
    Money,
    OverageService,
    Package,
    Period,
    PerUnit,
    Plan,
    Statement,
    Tier,
    Usage,
    UsageEvent,
    Volume,
    calculate,
)
from overages._ground.value import evolve
from overages.errors import (
    CurrencyMismatch,
    InvalidType,
    InvalidValue,
    InvalidValues,
    OveragesError,
    PeriodClosed,
    RecordConflict,
    StorageBusy,
    StorageFull,
    UnknownMetric,
    UnknownPlan,
)
from overages.exports.wire import (
    ACKNOWLEDGE_PATH,
    ALERTS_PATH,
    DECISION_PATH,
    HISTORY_PATH,
    MOST_BYTES,
    OVERAGES_PATH,
    PROJECTION_PATH,
    RECALCULATE_PATH,
    USAGE_PATH,
    Endpoints,
    bearer_token,
    calculated,
    failure,
    openapi,
    recalculate_request,
    recorded,
    refusal,
    unauthorized,
)
from overages.imports.monthly_fields import plan_from_monthly_fields

FEBRUARY = Period.month(2024, 2)
NOW = datetime(2024, 2, 20, tzinfo=UTC)
MONTHLY = plan_from_monthly_fields(
    "monthly",
    included_tokens_monthly=500_000,
    included_playbook_runs_monthly=50,
    included_seats=3,
    overage_token_price_milli_cents=10,
    overage_playbook_run_price_cents=100,
)
NOTHING = {"amount": 0, "unitPrice": 0, "cost": 0}
FIFTY_DOLLARS = {
    "orgId": "org-123",
    "period": {"start": "2024-02-01T00:00:00Z", "end": "2024-03-01T00:00:00Z"},
    "overages": {
        "tokens": {"amount": 250_000, "unitPrice": 10, "cost": 2500},
        "playbookRuns": {"amount": 25, "unitPrice": 100, "cost": 2500},
        "seats": NOTHING,
    },
    "totalCost": 5000,
}


def statement(plan: Plan, **used: Any) -> Statement:
    return calculate(plan, Usage("org-123", FEBRUARY, used))


def with_line(made: Statement, line: Adjustment) -> Statement:
    return Statement(made.org_id, made.period, made.plan, [*made.lines, line])


def plan_of(currency: Currency | str = "USD", **prices: Any) -> Plan:
    return Plan("p", currency, {metric: Allowance(0, price) for metric, price in prices.items()})


class TestTheShape:
    """Of the engine before this library, and what it had no word for."""

    def test_is_the_one_of_the_engine_before(self) -> None:
        assert calculated(statement(MONTHLY, tokens=750_000, playbook_runs=75)) == FIFTY_DOLLARS

    def test_has_zeros_where_there_is_nothing(self) -> None:
        for data in (calculated(statement(MONTHLY, tokens=3)), recorded("org-123", FEBRUARY, ())):
            assert data["overages"] == dict.fromkeys(["tokens", "playbookRuns", "seats"], NOTHING)
            assert data["totalCost"] == 0

    def test_has_other_metrics_in_camel_case_if_anything_is_over(self) -> None:
        plan = plan_of(api_calls=PerUnit("0.015"), Idle=PerUnit(1), Ünlike_this=PerUnit(1))
        data = calculated(statement(plan, api_calls=10, Ünlike_this=1))
        assert list(data["overages"]) == [
            "tokens",
            "playbookRuns",
            "seats",
            "apiCalls",
            "Ünlike_this",
        ]
        assert data["overages"]["apiCalls"] == {"amount": 10, "unitPrice": "1.5", "cost": 15}

    def test_has_numbers_if_they_are_whole_and_texts_if_not(self) -> None:
        plan = plan_of(tokens=PerUnit("0.00000125"), gb_hours=PerUnit(1, per=3))
        overages = calculated(statement(plan, tokens="1000.5", gb_hours=2))["overages"]
        assert overages["tokens"] == {"amount": "1000.5", "unitPrice": "0.125", "cost": 0}
        assert overages["gbHours"] == {"amount": 2, "unitPrice": "100/3", "cost": 67}

    def test_has_no_number_that_javascript_would_round(self) -> None:
        most = 2**53 - 1
        overages = calculated(
            statement(plan_of(a=PerUnit("0.01"), b=PerUnit("0.01")), a=most, b=most + 1)
        )["overages"]
        assert overages["a"] == {"amount": most, "unitPrice": 1, "cost": most}
        assert overages["b"] == {"amount": str(most + 1), "unitPrice": 1, "cost": str(most + 1)}

    @pytest.mark.parametrize(
        "price",
        [
            Package(40, size=100),
            Graduated([Tier(10, 2), Tier(None, 1)]),
            Graduated([Tier(None, 1, flat=5)]),
        ],
    )
    def test_has_no_unit_price_where_units_differ_in_it(self, price: Any) -> None:
        assert calculated(statement(plan_of(runs=price), runs=15))["overages"]["runs"][
            "unitPrice"
        ] is None  # fmt: skip

    def test_has_no_unit_price_of_a_fee_that_is_due_without_usage(self) -> None:
        price = Volume([Tier(None, 0, flat=5)], flat_at_zero=True)
        overages = calculated(statement(plan_of(runs=price)))["overages"]
        assert overages["runs"] == {"amount": 0, "unitPrice": None, "cost": 500}

    def test_has_adjustments_beside_the_overages_so_that_lines_add_up(self) -> None:
        launch = Discount("launch", amount=Money(150, "USD"))
        runs = evolve(MONTHLY.allowances["playbook_runs"], discounts=[launch])
        allowances = {**MONTHLY.allowances, "playbook_runs": runs}
        plan = evolve(MONTHLY, allowances=allowances, minimum=Money(5850, "USD"))
        data = calculated(statement(plan, tokens=750_000, playbook_runs=75))
        assert data["overages"] == FIFTY_DOLLARS["overages"]
        assert data["adjustments"] == [
            {"metric": "playbookRuns", "line": "discount:launch", "cost": -150},
            {"metric": None, "line": "minimum", "cost": 1000},
        ]
        assert data["totalCost"] == 5850

    def test_names_a_currency_that_is_not_of_cents_of_a_dollar(self) -> None:
        data = calculated(statement(plan_of("JPY", tokens=PerUnit("0.5")), tokens=10))
        assert data["currency"] == {"code": "JPY", "exponent": 0}
        assert data["overages"]["tokens"] == {"amount": 10, "unitPrice": 500, "cost": 5}

    def test_refuses_two_metrics_of_one_key(self) -> None:
        plan = plan_of(playbookRuns=PerUnit(1))
        with pytest.raises(InvalidValue, match="must not have the key of 'playbook_runs'"):
            calculated(statement(plan, playbookRuns=1))


class TestRecords:
    """Say what the statement said that they are of."""

    @staticmethod
    def record(*statements: Statement) -> Any:
        repository = MemoryRepository()
        for each in statements:
            repository.record(each, created_at=NOW)
        return repository.records("org-123", FEBRUARY)

    def test_come_to_the_last_result(self) -> None:
        first, last = statement(MONTHLY, tokens=900_000), statement(MONTHLY, tokens=750_000)
        data = recorded("org-123", FEBRUARY, self.record(first, last))
        assert data == calculated(last)
        assert data["overages"]["tokens"]["unitPrice"] == 10

    def test_have_a_price_that_has_changed_if_the_plan_is_there_to_say_it(self) -> None:
        plan = plan_of(runs=Volume([Tier(10, 2), Tier(None, 1)]))
        last = statement(plan, runs=15)
        records = self.record(statement(plan, runs=5), last)
        assert recorded("org-123", FEBRUARY, records, plan) == calculated(last)
        without = recorded("org-123", FEBRUARY, records)["overages"]["runs"]
        assert without == {"amount": 15, "unitPrice": None, "cost": 1500}
        other = plan_of(other=PerUnit(1))
        assert recorded("org-123", FEBRUARY, records, other)["overages"]["runs"] == without

    def test_have_adjustments_in_one_order_whenever_each_was_first_recorded(self) -> None:
        def adjusted(tokens: str, runs: str, minimum: int) -> Statement:
            discounts = {"tokens": tokens, "playbook_runs": runs}
            dollar, allowances = Money(100, "USD"), dict(MONTHLY.allowances)
            for metric, names in discounts.items():
                offs = [Discount(name, amount=dollar) for name in names]
                allowances[metric] = evolve(allowances[metric], discounts=offs)
            plan = evolve(MONTHLY, allowances=allowances, minimum=Money(minimum, "USD"))
            return statement(plan, tokens=750_000, playbook_runs=75)

        first, second = adjusted("", "", 5_700), adjusted("ab", "c", 0)
        last = adjusted("ba", "c", 5_400)
        credit = Adjustment("credit", Money(2300, "USD"), Money(-100, "USD"), -1, "tokens", "g")
        second, last = with_line(second, credit), with_line(last, credit)
        records = self.record(first, second, last)
        data = recorded("org-123", FEBRUARY, records, MONTHLY)
        assert json.dumps(data) == json.dumps(calculated(last))
        assert [(each["metric"], each["line"]) for each in data["adjustments"]] == [
            ("playbookRuns", "discount:c"),
            ("tokens", "discount:a"),
            ("tokens", "discount:b"),
            ("tokens", "credit:g"),
            (None, "minimum"),
        ]

    def test_have_metrics_in_one_order_whenever_each_was_first_recorded(self) -> None:
        plan = plan_of(b=PerUnit(1), a=PerUnit(1))
        last = statement(plan, a=1, b=1)
        data = recorded("org-123", FEBRUARY, self.record(statement(plan, b=1), last), plan)
        assert list(data["overages"]) == ["tokens", "playbookRuns", "seats", "a", "b"]
        assert json.dumps(data) == json.dumps(calculated(last))

    @pytest.mark.parametrize(
        ("prices", "unit_price"),
        [
            ([PerUnit(1), Package(10, 10)], None),  # ten units come to 10.00 by either
            ([Package(10, 10), PerUnit(1)], 100),
        ],
        ids=["to packages", "to units"],
    )
    def test_have_the_price_of_the_plan_though_the_amounts_stayed(
        self, prices: list[Any], unit_price: int | None
    ) -> None:
        first, last = (statement(plan_of(runs=price), runs=10) for price in prices)
        records = self.record(first, last)
        assert len(records) == 1
        data = recorded("org-123", FEBRUARY, records, last.plan)
        assert data == calculated(last)
        assert data["overages"]["runs"]["unitPrice"] == unit_price

    def test_have_the_price_of_the_plan_whatever_was_charged_before_in_a_longer_window(
        self,
    ) -> None:
        plan = plan_of(runs=Graduated([Tier(10, 5), Tier(None, 1)]), calls=PerUnit(2))
        first, last = (
            calculate_after(
                plan,
                Usage("org-123", FEBRUARY, {"runs": n, "calls": n}),
                {"runs": 12, "calls": 12},
            )
            for n in (7, 5)
        )
        for records in (self.record(last), self.record(first, last)):
            data = recorded("org-123", FEBRUARY, records, plan)
            assert data == calculated(last)
            prices = {key: line["unitPrice"] for key, line in data["overages"].items()}
            assert (prices["runs"], prices["calls"]) == (None, 200)

    def test_of_adjustments_are_no_overages(self) -> None:
        lines = statement(evolve(MONTHLY, minimum=Money(3000, "USD")), tokens=750_000)
        drawn = Decimal("-0.09")
        credit = Adjustment("credit", Money(2500, "USD"), Money(-9, "USD"), drawn, "tokens", "g")
        last = Statement("org-123", FEBRUARY, lines.plan, [*lines.lines, credit])
        data = recorded("org-123", FEBRUARY, self.record(last))
        assert data == calculated(last)
        assert data["totalCost"] == 2991


class TestARequest:
    """Is read strictly."""

    @pytest.mark.parametrize(
        ("body", "force"),
        [(b"", False), ("{}", False), (b'{"force":false}', False), ('{ "force" : true }', True)],
    )
    def test_may_say_force(self, body: bytes | str, force: bool) -> None:
        assert recalculate_request(body) is force

    @pytest.mark.parametrize(
        ("body", "message"),
        [
            (b"force=true", "body: must be JSON, got 'Expecting value: line 1 column 1 (char 0)'"),
            (b"\xff", "body: must be UTF-8"),
            (b"[" * 99, "body: must be nested at most 16 deep, got '17 levels'"),
            (b" " * (MOST_BYTES + 1), "body: must have at most 1048576 bytes of JSON"),
            (b"null", "body: must be a mapping, got None"),
            (b"[true]", "body: must be a mapping, got [True]"),
            (b'{"force": 1}', "force: must be true or false, got 1"),
            (b'{"force": "true"}', "force: must be true or false, got 'true'"),
            (b'{"force": null}', "force: must be true or false, got None"),
            (b'{"force": true, "force": true}', "body.force: must be given once, got True"),
            (b'{"Force": true}', "Force: is not known; the one key that is known is force"),
            (b'{"": true}', '"": is not known; the one key that is known is force'),
        ],
    )
    def test_is_refused_with_field_and_value(self, body: bytes, message: str) -> None:
        with pytest.raises((InvalidType, InvalidValue)) as caught:
            recalculate_request(body)
        assert message.replace(" of JSON", "") in str(caught.value)

    def test_is_refused_with_all_faults(self) -> None:
        with pytest.raises(InvalidValues) as caught:
            recalculate_request(b'{"b": 1, "force": 0, "a": 2}')
        assert [getattr(error, "field", "") for error in caught.value.errors] == ["b", "a", "force"]

    @pytest.mark.parametrize(
        ("header", "token"),
        [
            ("Bearer abc", "abc"),
            ("bearer  a.b-c_d~e+f/g==  ", "a.b-c_d~e+f/g=="),
            ("Bearer", None),
            ("Bearer a b", None),
            ("Bearer é", None),
            ("Basic abc", None),
            ("", None),
            (None, None),
        ],
    )
    def test_shows_a_bearer_token(self, header: str | None, token: str | None) -> None:
        assert bearer_token(header) == token


class TestAnErrorIsAnsweredWith:
    """A code and a message: the caller's fault is named, any other only logged."""

    @pytest.mark.parametrize(
        ("error", "status", "code", "message"),
        [
            (UnknownPlan("plan", "pro", "isn't there"), 400, "CALCULATION_FAILED", "plan: isn't"),
            (UnknownMetric("a", "b", "not in it"), 400, "CALCULATION_FAILED", "a: not in it"),
            (CurrencyMismatch("USD", "EUR"), 400, "CALCULATION_FAILED", "USD and EUR"),
            (
                InvalidValues((InvalidValue("a", 1, "no"), UnknownPlan("b", 2, "none"))),
                400,
                "CALCULATION_FAILED",
                "a: no, got 1\nb: none, got 2",
            ),
            (PeriodClosed((), "p", "is closed"), 409, "PERIOD_CLOSED", "closed"),
            (RecordConflict("a", 1, "other"), 503, "BUSY", "again"),
            (StorageBusy("locked"), 503, "BUSY", "again"),
        ],
    )
    def test_what_it_is(self, error: Exception, status: int, code: str, message: str) -> None:
        answer = failure(error, "RECALCULATION_FAILED")
        assert (answer.status, answer.body["success"]) == (status, False)
        assert answer.body["error"]["code"] == code
        assert message in answer.body["error"]["message"]

    @pytest.mark.parametrize(
        "error",
        [
            RuntimeError("password=hunter2"),
            StorageFull("disk hunter2 is full"),
            InvalidType("hunter2", 1, "a host's mistake"),
            OveragesError("hunter2"),
        ],
    )
    def test_nothing_of_its_own_if_nobody_expected_it(
        self, error: Exception, caplog: pytest.LogCaptureFixture
    ) -> None:
        answer = failure(error, "OVERAGE_ERROR")
        assert answer == refusal(500, "OVERAGE_ERROR", "Failed to get overage summary")
        assert [record.exc_info[1] for record in caplog.records if record.exc_info] == [error]
        assert caplog.records[0].name == "overages.exports.wire"
        assert "hunter2" not in json.dumps(answer.body)

    def test_whose_bill_it_was_is_a_field_of_what_is_logged(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        period = Period.month(2024, 2)
        failure(StorageFull("full").within(org_id="org-1", period=period), "OVERAGE_ERROR")
        failure(RuntimeError(), "RECALCULATION_FAILED")
        fields = [
            (vars(said)["code"], vars(said)["org_id"], vars(said)["period"])
            for said in caplog.records
        ]
        assert fields == [
            ("OVERAGE_ERROR", "org-1", period.isoformat()),
            ("RECALCULATION_FAILED", None, None),
        ]

    def test_who_is_unknown(self) -> None:
        assert unauthorized().status == 401


class TestEndpoints:
    """What is done for a request, whichever framework brought it."""

    @staticmethod
    def host(
        enabled: bool = True, at: Callable[[], datetime] = lambda: NOW
    ) -> tuple[MemoryRepository, Endpoints]:
        repository = MemoryRepository()
        repository.put_plan(MONTHLY)
        repository.put_account(Account("org-123", plan="monthly", since=SINCE))
        usage = Usage("org-123", FEBRUARY, {"tokens": 750_000, "playbook_runs": 75})
        repository.put_usage(usage)
        service = OverageService(repository, at, enabled=enabled)
        return repository, Endpoints(service, repository, at)

    def test_recalculate_and_then_say_what_is_recorded(self) -> None:
        _, endpoints = self.host()
        assert endpoints.overages("org-123").body["data"]["totalCost"] == 0
        for _ in range(2):
            answer = endpoints.recalculate("org-123", b"")
            assert answer == (200, {"success": True, "data": FIFTY_DOLLARS})
            assert endpoints.overages("org-123") == answer

    def test_write_nothing_the_second_time(self) -> None:
        repository, endpoints = self.host()
        endpoints.recalculate("org-123")
        there = repository.records("org-123")
        for body in (b"", b'{"force": true}'):
            endpoints.recalculate("org-123", body)
            assert repository.records("org-123") == there

    def test_change_a_closed_period_by_force_alone(self) -> None:
        repository, endpoints = self.host()
        settlement = OverageService(repository, lambda: NOW).settle("org-123")
        assert settlement is not None
        repository.close_period(settlement, closed_at=NOW)
        assert endpoints.recalculate("org-123").status == 200
        repository.put_usage(Usage("org-123", FEBRUARY, {"tokens": 800_000}))
        refused = endpoints.recalculate("org-123")
        assert (refused.status, refused.body["error"]["code"]) == (409, "PERIOD_CLOSED")
        forced = endpoints.recalculate("org-123", b'{"force": true}')
        assert forced.body["data"]["overages"]["tokens"]["amount"] == 300_000

    def test_know_the_period_of_the_accounts_cycle(self) -> None:
        repository, endpoints = self.host()
        cycle = Cycle(datetime(2024, 1, 15, tzinfo=UTC))
        account = Account("org-123", plan="monthly", since=SINCE)
        repository.put_account(account.changed(since=SINCE, cycle=cycle))
        period = endpoints.overages("org-123").body["data"]["period"]
        assert period == {"start": "2024-02-15T00:00:00Z", "end": "2024-03-15T00:00:00Z"}

    def test_name_one_period_though_a_new_one_begins_meanwhile(self) -> None:
        moments = iter([FEBRUARY.end - timedelta(seconds=1), FEBRUARY.end, FEBRUARY.end])
        _, endpoints = self.host(at=lambda: next(moments))
        answer = endpoints.recalculate("org-123")
        assert answer.body["data"] == FIFTY_DOLLARS

    @pytest.mark.parametrize("enabled", [True, False])
    @pytest.mark.parametrize(
        ("org_id", "body", "status", "code"),
        [
            (None, b"{", 403, "NO_ORG_ACCESS"),
            ("org-123", b'{"force": 0}', 400, "VALIDATION_ERROR"),
            ("nobody", b"", 400, "CALCULATION_FAILED"),
            ("unplanned", b"", 400, "CALCULATION_FAILED"),
            ("strange", b"", 400, "CALCULATION_FAILED"),
        ],
    )
    def test_refuse(
        self, enabled: bool, org_id: str | None, body: bytes, status: int, code: str
    ) -> None:
        repository, endpoints = self.host(enabled)
        repository.put_account(Account("unplanned", plan="no such plan", since=SINCE))
        repository.put_account(Account("strange", plan="monthly", since=SINCE))
        event = UsageEvent("strange", "tokns", 1, at=NOW)
        repository.add_events([event])
        answer = endpoints.recalculate(org_id, body)
        expected = (status, code) if enabled else (503, "OVERAGE_BILLING_DISABLED")
        assert (answer.status, answer.body["error"]["code"]) == expected
        assert repository.records("strange") == ()

    def test_name_each_fault_of_a_body(self) -> None:
        _, endpoints = self.host()
        sent = json.dumps({"x": [1], "y": {"z": 1}, "force": 7, "long": "e" * 99})
        error = endpoints.recalculate("org-123", sent).body["error"]
        assert [(fault["field"], fault["value"]) for fault in error["details"]] == [
            ("x", "[...]"),
            ("y", "{...}"),
            ("long", '"' + "e" * 76 + "..."),
            ("force", "7"),
        ]
        assert error["message"].startswith("Invalid request body: x: is not known;")
        assert error["message"].endswith("; force: must be true or false, got 7")

    def test_refuse_to_read_while_billing_is_off(self) -> None:
        _, endpoints = self.host(enabled=False)
        assert endpoints.overages("org-123").status == 503

    def test_say_nothing_of_what_breaks(self, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level(logging.CRITICAL)

        def broken() -> datetime:
            raise OSError("/etc/shadow is not readable")

        _, endpoints = self.host(at=broken)
        for answer, code in (
            (endpoints.overages("org-123"), "OVERAGE_ERROR"),
            (endpoints.recalculate("org-123"), "RECALCULATION_FAILED"),
        ):
            assert (answer.status, answer.body["error"]["code"]) == (500, code)
            assert "shadow" not in str(answer.body)

    def test_say_zero_of_an_org_without_an_account(self) -> None:
        _, endpoints = self.host()
        data = endpoints.overages("nobody").body["data"]
        assert data == FIFTY_DOLLARS | {"orgId": "nobody", "totalCost": 0} | {
            "overages": dict.fromkeys(["tokens", "playbookRuns", "seats"], NOTHING)
        }


PATHS = [
    *(OVERAGES_PATH, RECALCULATE_PATH, USAGE_PATH, HISTORY_PATH),
    *(PROJECTION_PATH, ALERTS_PATH, ACKNOWLEDGE_PATH, DECISION_PATH),
]


def test_the_description_refers_to_nothing_that_is_not_in_it() -> None:
    document = openapi("Mine", "7")
    assert document["info"] == {"title": "Mine", "version": "7"}
    assert list(document["paths"]) == PATHS
    text = json.dumps(document)
    for name in document["components"]["schemas"]:
        assert f"#/components/schemas/{name}" in text
    assert openapi() is not openapi()
