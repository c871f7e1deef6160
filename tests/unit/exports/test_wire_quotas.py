"""Decisions and alerts over HTTP."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.since import SINCE

from overages import (
    Account,
    Allowance,
    Budget,
    MemoryRepository,
    Money,
    OverageService,
    Period,
    PerUnit,
    Plan,
    UsageEvent,
)
from overages.alerts.alert import Alert
from overages.alerts.threshold import Threshold
from overages.errors import (
    InvalidType,
    InvalidValue,
    InvalidValues,
    QuotaExceeded,
    ReservationConflict,
    UnknownReservation,
)
from overages.exports.wire import Endpoints, failure, unauthorized
from overages.exports.wire.decisions import decision_request

NOW = datetime(2024, 2, 20, tzinfo=UTC)
MARCH = datetime(2024, 3, 1, tzinfo=UTC)
PLAN = Plan(
    "starter",
    "USD",
    {
        "playbook_runs": Allowance(50, PerUnit("1.00"), hard_limit=100),
        "tokens": Allowance(1_000, PerUnit("0.01")),
    },
)


class Host:
    """An org that has used 40 of 50 runs, and its endpoints."""

    def __init__(self) -> None:
        self.now = NOW
        self.repository = MemoryRepository()
        self.repository.put_plan(PLAN)
        self.repository.put_account(Account("org-123", plan="starter", since=SINCE))
        self.service = OverageService(self.repository, lambda: self.now)
        self.endpoints = Endpoints(self.service, self.repository, lambda: self.now)
        self.ids = map(str, range(100))

    def use(self, quantity: int, metric: str = "playbook_runs") -> None:
        event = UsageEvent("org-123", metric, quantity, at=self.now, id=next(self.ids))
        self.service.record_usage([event])

    def ask(self, **body: Any) -> tuple[int, Any]:
        status, said = self.endpoints.decision("org-123", json.dumps(body))
        return status, said.get("data", said.get("error"))


@pytest.fixture
def host() -> Host:
    made = Host()
    made.use(40)
    return made


class TestADecision:
    """Says whether units may be used, what they would cost, and every limit."""

    def test_has_the_cost_and_every_limit_that_stands(self, host: Host) -> None:
        status, data = host.ask(requested={"playbookRuns": 20})
        included, hard = data.pop("limits")
        assert (status, data) == (
            200,
            {
                "orgId": "org-123",
                "verdict": "allow",
                "message": "allowed 20 playbookRuns",
                "requested": {"playbookRuns": 20},
                "granted": {"playbookRuns": 20},
                "cost": 1000,
                "overageCost": 1000,
                "exactCost": "10",
                "exactOverageCost": "10",
                "currency": {"code": "USD", "exponent": 2},
                "decidedBy": None,
                "at": "2024-02-20T00:00:00Z",
                "countedAt": "2024-02-20T00:00:00Z",
            },
        )
        assert (included["kind"], included["remaining"], included["stops"]) == (
            "included", 10, False,
        )  # fmt: skip
        assert hard == {
            "kind": "hard_limit", "metric": "playbookRuns", "name": None, "limit": 100, "used": 40,
            "held": 0, "remaining": 60, "currency": None,
            "period": {"start": "2024-02-01T00:00:00Z", "end": "2024-03-01T00:00:00Z"},
            "resetsAt": "2024-03-01T00:00:00Z", "stops": True,
        }  # fmt: skip

    def test_denies_without_failing(self, host: Host) -> None:
        status, data = host.ask(requested={"playbook_runs": 61})
        assert (status, data["verdict"], data["granted"]) == (200, "deny", {"playbookRuns": 0})
        assert data["decidedBy"]["kind"] == "hard_limit"

    def test_grants_fewer_where_fewer_are_accepted(self, host: Host) -> None:
        status, data = host.ask(
            requested={"playbookRuns": 61}, atLeast={"playbookRuns": 1}, enforce=True
        )
        assert (status, data["verdict"], data["granted"]) == (200, "partly", {"playbookRuns": 60})

    def test_takes_the_ways_to_pass_a_limit(self, host: Host) -> None:
        assert host.ask(requested={"tokens": 9}, stopAt=["limit"])[1]["verdict"] == "allow"
        assert host.ask(requested={"tokens": 1001}, stopAt=["limit"])[1]["verdict"] == "deny"
        clamped = host.ask(requested={"playbookRuns": "60.5"}, onPassing="clamp")[1]
        assert clamped["granted"] == {"playbookRuns": 60}

    def test_has_limits_of_money_in_minor_units(self, host: Host) -> None:
        budget = Budget(Money.of("5.00", "USD"), on_reached="stop_usage")
        host.service.put_budget("org-123", budget)
        _, data = host.ask(requested={"playbookRuns": 20})
        by = data["decidedBy"]
        assert (by["kind"], by["name"], by["metric"]) == ("budget", "all", None)
        assert (by["limit"], by["used"], by["remaining"]) == (500, 0, 500)
        assert by["currency"] == {"code": "USD", "exponent": 2}

    def test_that_is_enforced_fails_with_all_of_it(self, host: Host) -> None:
        answer = host.endpoints.decision(
            "org-123", b'{"requested": {"playbookRuns": 61}, "enforce": true}'
        )
        assert answer.status == 402
        error = answer.body["error"]
        assert (error["code"], error["retryAfter"]) == ("QUOTA_EXCEEDED", 10 * 86_400)
        assert error["decision"]["verdict"] == "deny"
        assert "hard limit 100, used 40" in error["message"]
        assert answer.headers == {"Retry-After": "864000"}

    def test_that_never_resets_names_no_time(self, host: Host) -> None:
        body = b'{"requested": {"unknown": 1}, "enforce": true}'
        answer = host.endpoints.decision("org-123", body)
        assert answer.body["error"]["retryAfter"] is None
        assert answer.headers == {}
        assert answer.body["error"]["decision"]["cost"] is None

    def test_of_an_org_without_terms_denies(self, host: Host) -> None:
        body = b'{"requested": {"playbookRuns": 1}}'
        assert host.endpoints.decision("nobody", body).body["data"]["verdict"] == "deny"
        host.now = SINCE - timedelta(days=1)
        assert host.endpoints.decision("org-123", body).body["data"]["verdict"] == "deny"

    def test_keeps_nothing(self, host: Host) -> None:
        for _ in range(2):
            assert host.ask(requested={"playbookRuns": 60}, enforce=True)[1]["verdict"] == "allow"
        assert host.service.reservations("org-123") == ()

    @pytest.mark.parametrize(
        ("body", "message"),
        [
            ("", "body: must be JSON"),
            ("[]", "body: must be a mapping"),
            ("{}", "requested: must be given: units by metric"),
            ('{"requested": 5}', "requested: must be a mapping"),
            ('{"requested": {"runs": -1}}', "requested.runs: must not be negative"),
            ('{"requested": {"runs": "x"}}', "requested.runs: must be"),
            ('{"requested": {"runs": NaN}}', "requested.runs: must be"),
            ('{"requested": {"runs": null}}', "requested.runs: must be"),
            ('{"requested": {"runs": 1, "runs": 1}}', "requested.runs: must be given once"),
            (
                '{"requested": {"playbookRuns": 1, "playbook_runs": 2}}',
                "requested.playbook_runs: must be given once",
            ),
            ('{"requested": {}, "force": true}', "force: is not known; the keys that are known"),
            ('{"requested": {}, "enforce": 1}', "enforce: must be true or false"),
            ('{"requested": {}, "stopAt": "limit"}', "stopAt: must be a list"),
            ('{"requested": {}, "stopAt": ["budget"]}', "stopAt[0]: must be one of"),
            ('{"requested": {}, "onPassing": "skip"}', "onPassing: must be one of"),
            ('{"requested": {"runs": 1}, "atLeast": {"runs": 2}}', "atLeast.runs: must be of a"),
        ],
    )
    def test_is_refused_by_name(self, host: Host, body: str, message: str) -> None:
        status, said = host.endpoints.decision("org-123", body)
        assert (status, said["error"]["code"]) == (400, "VALIDATION_ERROR")
        assert message in said["error"]["message"]
        with pytest.raises((InvalidType, InvalidValue)):
            decision_request(body, PLAN.allowances)

    def test_is_refused_with_all_faults(self) -> None:
        with pytest.raises(InvalidValues) as caught:
            decision_request('{"enforce": 1, "x": 2, "stopAt": 3}')
        fields = [getattr(error, "field", "") for error in caught.value.errors]
        assert fields == ["x", "enforce", "requested", "stopAt"]

    def test_is_refused_with_the_faults_of_values_too(self, host: Host) -> None:
        status, said = host.ask(
            requested={"tokens": "a", "playbookRuns": -1}, atLeast={"tokens": -2},
            onPassing="x", stopAt=["y", "limit"], foo=1,
        )  # fmt: skip
        assert status == 400
        assert [detail["field"] for detail in said["details"]] == [
            "foo", "requested.tokens", "requested.playbookRuns", "atLeast.tokens", "onPassing",
            "stopAt[0]",
        ]  # fmt: skip

    @pytest.mark.parametrize(
        ("body", "field", "value"),
        [
            (
                {"requested": {"playbook_runs": 1}, "atLeast": {"playbook_runs": 1.5}},
                "atLeast.playbookRuns", "1.5",
            ),
            (
                {"requested": {"tokens": 2}, "atLeast": {"tokens": 1}, "onPassing": "cross"},
                "atLeast", "{...}",
            ),
        ],
    )  # fmt: skip
    def test_is_refused_where_the_fewest_do_not_go_with_the_rest(
        self, host: Host, body: dict[str, Any], field: str, value: str
    ) -> None:
        (detail,) = host.ask(**body)[1]["details"]
        assert (detail["field"], detail["value"]) == (field, value)

    def test_reads_numbers_digit_by_digit(self) -> None:
        asked = decision_request('{"requested": {"tokens": 0.1, "runs": 9007199254740993}}')
        assert [str(units) for units in asked.request.units.values()] == [
            "0.1", "9007199254740993",
        ]  # fmt: skip


def test_an_error_of_a_host_that_enforces_is_answered_alike(host: Host) -> None:
    with pytest.raises(QuotaExceeded) as caught:
        host.service.enforce("org-123", {"playbook_runs": 61})
    answer = failure(caught.value, "USAGE_ERROR")
    assert (answer.status, answer.headers) == (402, {"Retry-After": "864000"})
    with pytest.raises(UnknownReservation) as unknown:
        host.service.commit("org-123", "r-1")
    assert failure(unknown.value, "USAGE_ERROR").body["error"]["code"] == "UNKNOWN_RESERVATION"
    host.service.reserve("org-123", {"tokens": 1}, key="r-1", expires_at=MARCH)
    with pytest.raises(ReservationConflict) as conflict:
        host.service.reserve("org-123", {"tokens": 2}, key="r-1", expires_at=MARCH)
    refused = failure(conflict.value, "USAGE_ERROR")
    assert (refused.status, refused.body["error"]["code"]) == (409, "RESERVATION_CONFLICT")


class TestAlerts:
    """Are listed, newest first, until and after someone has seen them."""

    @pytest.fixture
    def told(self, host: Host) -> Host:
        host.service.put_alert(Alert("runs-90", Threshold(percent=90), metric="playbook_runs"))
        spent = Threshold(cost=Money.of("5.00", "USD"))
        host.service.put_alert(Alert("spent", spent, severity="critical"))
        host.use(8)
        host.now += timedelta(hours=1)
        host.use(8)
        return host

    def test_say_what_was_reached_and_how_far(self, told: Host) -> None:
        data = told.endpoints.alerts("org-123").body["data"]
        assert data["standing"] == data["unseen"] == {"info": 0, "warning": 1, "critical": 1}
        spent, runs = data["alerts"]
        assert (spent["alert"], spent["kind"]) == ("spent", "overage_incurred")
        assert (spent["used"], spent["limit"], spent["remaining"]) == (600, None, None)
        assert spent["currency"] == {"code": "USD", "exponent": 2}
        assert len(runs.pop("key")) > 60
        assert runs == {
            "alert": "runs-90",
            "kind": "soft_warning",
            "severity": "warning",
            "state": "reached",
            "message": "90 % of playbookRuns are used: 48 of 50, 2 remaining (February 2024)",
            "metric": "playbookRuns",
            "grant": None,
            "budget": None,
            "period": {"start": "2024-02-01T00:00:00Z", "end": "2024-03-01T00:00:00Z"},
            "notedAt": "2024-02-20T00:00:00Z",
            "used": 48,
            "limit": 50,
            "remaining": 2,
            "currency": None,
            "acknowledgedAt": None,
            "acknowledgedBy": None,
        }

    def test_are_as_many_as_are_asked_for(self, told: Host) -> None:
        (newest,) = told.endpoints.alerts("org-123", "1").body["data"]["alerts"]
        assert newest["alert"] == "spent"
        assert told.endpoints.alerts("org-123", "501").body["error"]["code"] == "VALIDATION_ERROR"

    def test_are_seen_once(self, told: Host) -> None:
        key = told.endpoints.alerts("org-123").body["data"]["alerts"][0]["key"]
        first = told.endpoints.acknowledge("org-123", key, by="Ada")
        assert first.body["data"]["acknowledgedAt"] == "2024-02-20T01:00:00Z"
        told.now += timedelta(hours=1)
        assert told.endpoints.acknowledge("org-123", key, by="Grace") == first
        unseen = told.endpoints.alerts("org-123").body["data"]["unseen"]
        assert unseen == {"info": 0, "warning": 1, "critical": 0}

    def test_of_a_metric_are_seen_with_those_before_them(self, told: Host) -> None:
        told.service.put_alert(Alert("runs-95", Threshold(percent=95), metric="playbook_runs"))
        told.use(1)
        shown = told.endpoints.alerts("org-123").body["data"]["alerts"]
        newest, _, before = shown
        assert [each["alert"] for each in shown] == ["runs-95", "spent", "runs-90"]
        told.endpoints.acknowledge("org-123", before["key"], by="Ada")
        told.endpoints.acknowledge("org-123", newest["key"], by="Grace")
        alerts = told.endpoints.alerts("org-123").body["data"]["alerts"]
        assert [each["acknowledgedBy"] for each in alerts] == ["Grace", None, "Ada"]

    def test_are_seen_with_those_before_them_of_the_same_period(self, told: Host) -> None:
        told.now = MARCH
        told.use(46)
        march, _, february = told.endpoints.alerts("org-123").body["data"]["alerts"]
        assert march["alert"] == february["alert"] == "runs-90"
        told.endpoints.acknowledge("org-123", march["key"], by="Ada")
        alerts = told.endpoints.alerts("org-123").body["data"]["alerts"]
        assert [each["acknowledgedBy"] for each in alerts] == ["Ada", None, None]

    def test_of_another_org_are_not_there(self, told: Host) -> None:
        key = told.endpoints.alerts("org-123").body["data"]["alerts"][0]["key"]
        for org_id, asked in (("globex", key), ("org-123", "x"), ("org-123", "\ud800")):
            answer = told.endpoints.acknowledge(org_id, asked)
            assert (answer.status, answer.body["error"]["code"]) == (404, "UNKNOWN_ALERT")

    def test_of_an_occasion_have_no_numbers(self, host: Host) -> None:
        host.service.put_alert(Alert("changed", occasion="plan_changed"))
        account = host.repository.account("org-123")
        assert account is not None
        other = Plan("other", "USD", PLAN.allowances)
        host.repository.put_plan(other)
        tomorrow = NOW + timedelta(days=1)
        host.repository.put_account(account.changed(since=tomorrow, plan="other"))
        host.now = tomorrow
        host.service.check_alerts()
        (alert,) = host.endpoints.alerts("org-123").body["data"]["alerts"]
        assert (alert["kind"], alert["used"], alert["currency"]) == ("plan_changed", None, None)


def test_each_refuses_who_is_a_member_of_no_org(host: Host) -> None:
    for answer in (
        host.endpoints.alerts(None),
        host.endpoints.acknowledge(None, "x"),
        host.endpoints.decision(None, b""),
    ):
        assert (answer.status, answer.body["error"]["code"]) == (403, "NO_ORG_ACCESS")


def test_an_org_without_a_plan_has_an_answer_of_each(host: Host) -> None:
    ask, body = host.endpoints, b'{"requested": {"tokens": 1}}'
    for answer in (ask.recalculate("nobody"), ask.usage("nobody"), ask.projection("nobody")):
        assert (answer.status, answer.body["error"]["code"]) == (400, "CALCULATION_FAILED")
    assert ask.overages("nobody").body["data"]["totalCost"] == 0
    assert [each["totalCost"] for each in ask.history("nobody").body["data"]["periods"]] == [0]
    assert ask.alerts("nobody").body["data"]["alerts"] == []
    decision = ask.decision("nobody", body).body["data"]
    assert (decision["verdict"], decision["decidedBy"]["kind"]) == ("deny", "no_terms")
    assert ask.decision("nobody", body[:-1] + b', "enforce": true}').status == 402


def test_the_period_is_the_one_that_the_clock_says(host: Host) -> None:
    host.now = MARCH
    assert host.endpoints.period("org-123") == Period.month(2024, 3)


def test_who_is_unknown_is_told_how_to_say_who_it_is() -> None:
    assert unauthorized().headers == {"WWW-Authenticate": "Bearer"}
