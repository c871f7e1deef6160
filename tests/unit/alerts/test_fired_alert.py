"""Alerts that fired: their ids, and the messages that people are told."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from overages import Alert, Money, Period, Threshold, evolve
from overages.alerts.alert import AlertDefinition
from overages.alerts.fired_alert import FiredAlert
from overages.alerts.messages import amount_text
from overages.errors import InvalidValue

FEB, MARCH = Period.month(2024, 2), Period.month(2024, 3)
NOW = datetime(2024, 2, 20, 12, tzinfo=UTC)
EIGHTY = AlertDefinition(Alert("runs-80", Threshold(percent=80), metric="runs"), 1, NOW)
SPEND = AlertDefinition(Alert("spend", Threshold(cost=Money.of("100", "USD"), repeat=True)), 1, NOW)
ENDING = AlertDefinition(Alert("ends", occasion="trial_expiring"), 1, NOW)
REACHED = FiredAlert("acme", EIGHTY, FEB, "reached", NOW, used=41, limit=50)


def test_severity_and_kind_are_those_of_the_alert() -> None:
    assert (REACHED.severity, REACHED.kind) == ("warning", "soft_warning")


@pytest.mark.parametrize(
    "change",
    [
        {"org_id": "acme2"},
        {"period": MARCH},
        {"step": 2},
        {"definition": evolve(EIGHTY, alert_version=2)},
        {"definition": evolve(EIGHTY, org_id="acme")},
        {"definition": evolve(EIGHTY, alert=evolve(EIGHTY.alert, id="runs-81"))},
        {"definition": evolve(EIGHTY, alert=evolve(EIGHTY.alert, metric="jobs"))},
        {"definition": evolve(EIGHTY, alert=evolve(EIGHTY.alert, threshold=Threshold(percent=81)))},
    ],
)
def test_an_id_is_of_all_that_tells_an_alert_from_another(change: dict[str, Any]) -> None:
    assert evolve(REACHED, **change).id != REACHED.id
    assert len(REACHED.id) == 64


@pytest.mark.parametrize(
    "change",
    [
        {"state": "cleared", "number": 2},
        {"used": 49, "limit": 60},
        {"noted_at": NOW + timedelta(1)},
        {"is_silent": True},
        {"acknowledged_at": NOW, "acknowledged_by": "jo"},
        {"definition": evolve(EIGHTY, put_at=NOW - timedelta(1))},
    ],
)
def test_an_id_is_one_for_all_that_becomes_of_an_alert(change: dict[str, Any]) -> None:
    assert evolve(REACHED, **change).id == REACHED.id


def test_a_key_is_of_one_entry() -> None:
    assert REACHED.key == f"{REACHED.id}-1"
    assert evolve(REACHED, state="cleared", number=2).key == f"{REACHED.id}-2"


def test_an_occasion_has_one_id_whichever_period_it_lies_in() -> None:
    ending = FiredAlert("acme", ENDING, FEB, "reached", NOW, instant=MARCH.end)
    assert evolve(ending, period=MARCH).id == ending.id
    assert evolve(ending, instant=MARCH.start).id != ending.id
    assert evolve(ending, about="g").id != ending.id


@pytest.mark.parametrize(
    ("fired", "message"),
    [
        (REACHED, "80 % of runs are used: 41 of 50, 9 remaining (February 2024)"),
        (
            evolve(REACHED, used="1234.5", limit=1000, state="cleared"),
            "no longer: 80 % of runs are used: 1,234.5 of 1,000, 0 remaining (February 2024)",
        ),
        (evolve(REACHED, limit=None), "80 % of runs are used: now 41 (February 2024)"),
        (
            FiredAlert("acme", SPEND, FEB, "reached", NOW, step=3, used=Money.of("312.5", "USD")),
            "cost reached 300.00 USD: now 312.50 USD (February 2024)",
        ),
        (
            FiredAlert("acme", ENDING, FEB, "reached", NOW, instant=MARCH.start),
            "the trial ends at 2024-03-01T00:00:00Z",
        ),
        (
            FiredAlert("acme", ENDING, FEB, "cleared", NOW, instant=MARCH.start),
            "the trial ends at 2024-03-01T00:00:00Z: cleared",
        ),
        (
            FiredAlert("acme", ENDING, FEB, "reached", NOW, instant=MARCH.start, about="x"),
            "x: the trial ends at 2024-03-01T00:00:00Z",
        ),
    ],
)
def test_a_message_names_the_units_used_and_left(fired: FiredAlert, message: str) -> None:
    assert fired.message == str(fired) == message


def test_a_message_names_the_window_of_a_budget_but_not_the_life_of_a_grant() -> None:
    budget = AlertDefinition(Alert("b", Threshold(percent=80), budget="day"), 1, NOW)
    day = Period(NOW.replace(hour=0), NOW.replace(hour=0) + timedelta(1))
    fired = FiredAlert("acme", budget, day, "reached", NOW, used=8, limit=10)
    assert str(fired) == (
        "80 % of budget day is used: 8 of 10, 2 remaining (2024-02-20 to 2024-02-21 UTC)"
    )
    grant = AlertDefinition(Alert("g", Threshold(percent=80), grant="pack"), 1, NOW)
    fired = FiredAlert("acme", grant, day, "reached", NOW, used=8, limit=10)
    assert str(fired) == "80 % of grant pack is used: 8 of 10, 2 remaining"


@pytest.mark.parametrize(
    ("used", "limit", "remaining"),
    [
        (41, 50, 9),
        ("50.5", 50, 0),
        (-5, 50, 55),
        (41, None, None),
        (Money(300, "USD"), Money(500, "USD"), Money(200, "USD")),
        (Money(600, "USD"), Money(500, "USD"), Money(0, "USD")),
        (Money(600, "USD"), None, None),
    ],
)
def test_what_remains_is_never_below_zero(used: Any, limit: Any, remaining: Any) -> None:
    assert evolve(REACHED, used=used, limit=limit).remaining == remaining


def test_a_message_is_written_by_the_days_of_a_timezone() -> None:
    paris = ZoneInfo("Europe/Paris")
    midnight = datetime(2024, 2, 19, 23, tzinfo=UTC)
    ends = FiredAlert("acme", ENDING, FEB, "reached", NOW, instant=midnight)
    assert ends.message == "the trial ends at 2024-02-19T23:00:00Z"
    assert ends.message_in(paris) == "the trial ends at 2024-02-20 Europe/Paris"
    month = evolve(REACHED, period=Period.month(2024, 2, paris))
    assert month.message_in(paris).endswith("(February 2024)")
    assert month.message_in(paris) != month.message


def test_nothing_remains_of_an_occasion() -> None:
    assert FiredAlert("acme", ENDING, FEB, "reached", NOW, instant=NOW).remaining is None


def test_nothing_is_written_as_nothing() -> None:
    assert [amount_text(each) for each in (None, 1_000, Money(5, "USD"))] == [
        "",
        "1,000",
        "0.05 USD",
    ]


@pytest.mark.parametrize(
    ("definition", "terms", "problem"),
    [
        (
            evolve(EIGHTY, org_id="else"),
            {"used": 5},
            "org_id: must be that of the definition, 'else'",
        ),
        (EIGHTY, {}, "used: must be given for a threshold, and only then"),
        (
            EIGHTY,
            {"used": 5, "instant": NOW},
            "instant: must be given for an occasion, and only then",
        ),
        (ENDING, {}, "instant: must be given for an occasion, and only then"),
        (ENDING, {"instant": NOW, "used": 5}, "used: must be given for a threshold, and only then"),
        (
            EIGHTY,
            {"used": 5, "limit": Money(5, "USD")},
            "limit: must be units where units are used",
        ),
        (
            EIGHTY,
            {"used": 5, "acknowledged_by": "jo"},
            "acknowledged_by: must come with the instant",
        ),
        (EIGHTY, {"used": 5, "number": 0}, "number: must be"),
    ],
)
def test_what_cannot_have_fired_is_refused(
    definition: AlertDefinition, terms: dict[str, Any], problem: str
) -> None:
    with pytest.raises(InvalidValue, match=f"^{problem}"):
        FiredAlert("acme", definition, FEB, "reached", NOW, **terms)
