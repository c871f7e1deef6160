"""The summary of an org's alerts."""

from datetime import UTC, datetime, timedelta

from overages import Alert, Period, evolve
from overages.alerts.alert import AlertDefinition, usual_alerts
from overages.alerts.alert_summary import summary_of
from overages.alerts.fired_alert import FiredAlert

FEB, JAN = Period.month(2024, 2), Period.month(2024, 1)
NOW = datetime(2024, 2, 20, 12, tzinfo=UTC)
EIGHTY, NINETY, HUNDRED = (
    FiredAlert("acme", AlertDefinition(alert, 1, NOW), FEB, "reached", NOW, used=50, limit=50)
    for alert in usual_alerts("runs")
)


def test_alerts_that_stand_are_counted_by_severity() -> None:
    cleared = evolve(NINETY, state="cleared", number=2)
    seen = evolve(HUNDRED, acknowledged_at=NOW)
    summary = summary_of([EIGHTY, NINETY, seen, cleared], NOW)
    assert summary.standing == {"info": 1, "warning": 0, "critical": 1}
    assert summary.unseen == {"info": 1, "warning": 0, "critical": 0}


def test_an_alert_that_is_reached_again_stands() -> None:
    again = [NINETY, evolve(NINETY, state="cleared", number=2), evolve(NINETY, number=3)]
    assert summary_of(again, NOW).standing["warning"] == 1


def test_alerts_of_other_periods_stand_no_more() -> None:
    assert summary_of([evolve(EIGHTY, period=JAN)], NOW).standing["info"] == 0
    assert summary_of([EIGHTY], FEB.end).standing["info"] == 0


def test_an_occasion_stands_until_it_has_come_or_its_period_is_over() -> None:
    ending = AlertDefinition(Alert("ends", occasion="trial_expiring"), 1, NOW)
    fired = FiredAlert("acme", ending, JAN, "reached", NOW, instant=NOW + timedelta(1))
    assert summary_of([fired], NOW).standing["warning"] == 1
    assert summary_of([fired], NOW + timedelta(1)).standing["warning"] == 0
    assert summary_of([evolve(fired, period=FEB)], NOW + timedelta(2)).standing["warning"] == 1
