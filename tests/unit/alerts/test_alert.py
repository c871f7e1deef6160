"""Alerts, and their definitions as they are kept."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from overages import Alert, Money, Threshold
from overages.alerts.alert import AlertDefinition, usual_alerts
from overages.errors import CurrencyMismatch, InvalidType, InvalidValue, InvalidValues

EIGHTY = Threshold(percent=80)
HUNDRED = Threshold(cost=Money.of("100", "USD"))
LAST_FIVE = Threshold(quantity=5, of="remaining")


@pytest.mark.parametrize(
    ("terms", "kind", "subject"),
    [
        ({"threshold": EIGHTY, "metric": "runs"}, "soft_warning", "runs"),
        ({"threshold": Threshold(percent="99.9"), "metric": "runs"}, "soft_warning", "runs"),
        ({"threshold": Threshold(percent=100), "metric": "runs"}, "hard_warning", "runs"),
        ({"threshold": Threshold(quantity=500), "metric": "runs"}, "soft_warning", "runs"),
        ({"threshold": LAST_FIVE, "metric": "runs"}, "soft_warning", "runs"),
        (
            {"threshold": Threshold(percent=0, of="remaining"), "metric": "runs"},
            "hard_warning",
            "runs",
        ),
        (
            {"threshold": Threshold(quantity=1, of="overage"), "metric": "runs"},
            "overage_incurred",
            "runs",
        ),
        ({"threshold": HUNDRED, "metric": "runs"}, "overage_incurred", "runs"),
        ({"threshold": HUNDRED}, "overage_incurred", "total"),
        ({"threshold": EIGHTY, "grant": "top-up"}, "grant_drawn", "top-up"),
        (
            {"threshold": Threshold(cost=Money(5, "USD"), of="remaining"), "grant": "g"},
            "grant_drawn",
            "g",
        ),
        ({"threshold": EIGHTY, "budget": "all"}, "budget_used", "all"),
        ({"occasion": "trial_expiring", "days_before": 366}, "trial_expiring", "total"),
        ({"occasion": "grant_expiring", "grant": "top-up"}, "grant_expiring", "top-up"),
        ({"occasion": "plan_changed"}, "plan_changed", "total"),
    ],
)
def test_the_kind_and_the_subject_follow_from_the_terms(
    terms: dict[str, Any], kind: str, subject: str
) -> None:
    alert = Alert("a", **terms)
    assert (alert.kind, alert.subject, alert.severity) == (kind, subject, "warning")


@pytest.mark.parametrize(
    ("terms", "problem"),
    [
        ({}, "threshold: must be given, or occasion"),
        ({"threshold": EIGHTY}, "metric: must be given, or a grant or a budget"),
        ({"threshold": EIGHTY, "metric": "a", "occasion": "plan_changed"}, "2 problems"),
        ({"threshold": EIGHTY, "metric": "a", "grant": "b"}, "grant: must be left out, as metric"),
        ({"threshold": EIGHTY, "grant": "a", "budget": "b"}, "budget: must be left out, as grant"),
        (
            {"threshold": Threshold(cost=Money(5, "USD"), of="remaining")},
            "threshold.of: must be 'used'",
        ),
        (
            {"threshold": Threshold(cost=Money(5, "USD"), of="overage"), "metric": "a"},
            "threshold.of: must",
        ),
        (
            {"threshold": EIGHTY, "metric": "a", "days_before": 3},
            "days_before: must be 0 for a thres",
        ),
        ({"threshold": 80, "metric": "a"}, "threshold: must be of type Threshold"),
        ({"occasion": "trial_expiring", "metric": "a"}, "metric: must be left out, as occasion"),
        ({"occasion": "trial_expiring", "budget": "a"}, "budget: must be left out, as occasion"),
        ({"occasion": "trial_expiring", "rearm": 5}, "rearm: must be left out, as occasion"),
        (
            {"occasion": "trial_expiring", "grant": "a"},
            "grant: must be left out, as occasion is 'trial",
        ),
        ({"occasion": "trial_expiring", "days_before": 367}, "days_before: must be from 0 to 366"),
        ({"occasion": "trial_expiring", "days_before": -1}, "days_before: must be from 0 to 366"),
        (
            {"occasion": "plan_changed", "days_before": 1},
            "days_before: must be 0 for a change of plan",
        ),
        ({"occasion": "sunrise"}, "occasion: must be one of trial_expiring"),
        ({"threshold": EIGHTY, "metric": "a", "severity": "high"}, "severity: must be one of info"),
        (
            {"threshold": EIGHTY, "metric": "a", "rearm": 81},
            "rearm: must not be above the threshold",
        ),
        ({"threshold": EIGHTY, "metric": "a", "rearm": -1}, "rearm: must not be negative"),
        (
            {"threshold": LAST_FIVE, "metric": "a", "rearm": 4},
            "rearm: must not be below the threshold",
        ),
    ],
)
def test_what_is_no_alert_is_refused(terms: dict[str, Any], problem: str) -> None:
    with pytest.raises((InvalidValue, InvalidType), match=f"^{problem}"):
        Alert("a", **terms)


def test_a_number_that_rearms_is_in_the_unit_of_the_threshold() -> None:
    with pytest.raises(InvalidType, match=r"^rearm: must be in the unit of the threshold"):
        Alert("a", EIGHTY, metric="runs", rearm=Money(5, "USD"))
    with pytest.raises(CurrencyMismatch, match=r"^rearm: USD and EUR"):
        Alert("a", HUNDRED, rearm=Money(5, "EUR"))
    assert Alert("a", HUNDRED, rearm=Money(5, "USD")).rearm == Money(5, "USD")
    assert Alert("a", LAST_FIVE, metric="runs", rearm="7.0").rearm == 7


def test_all_faults_are_told_together() -> None:
    with pytest.raises(InvalidValues) as raised:
        Alert("", metric="runs", days_before=-1)
    assert [error.field for error in raised.value.errors] == ["id", "days_before", "threshold"]


def test_usual_alerts_are_of_eighty_ninety_and_a_hundred_per_cent() -> None:
    alerts = usual_alerts("runs")
    assert [alert.threshold and alert.threshold.percent for alert in alerts] == [80, 90, 100]
    assert [alert.kind for alert in alerts] == ["soft_warning", "soft_warning", "hard_warning"]
    assert {alert.metric for alert in alerts} == {"runs"}
    with pytest.raises(InvalidValue, match=r"^metric: must not be empty"):
        usual_alerts("")


def test_an_occasion_is_told_of_some_days_before() -> None:
    assert Alert("a", occasion="trial_expiring", days_before=3).ahead == timedelta(days=3)


def test_a_definition_is_known_by_its_org_its_alert_and_its_version() -> None:
    noon = datetime(2024, 2, 1, 12, tzinfo=timezone(timedelta(hours=9)))
    definition = AlertDefinition(usual_alerts("runs")[0], 2, noon, org_id="acme")
    assert definition.identity == ("acme", "runs-80", 2)
    assert definition.put_at == datetime(2024, 2, 1, 3, tzinfo=UTC)
