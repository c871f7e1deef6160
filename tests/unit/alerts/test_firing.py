"""Alerts that fire, or are cleared, by a number and by those that fired before."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from overages import Alert, Money, Period, Threshold, evolve
from overages.alerts.alert import AlertDefinition, usual_alerts
from overages.alerts.alert_history import AlertHistory
from overages.alerts.fired_alert import FiredAlert
from overages.alerts.firing import Occurrence, Reading, fire, fire_all, fire_occasions

FEB, MARCH = Period.month(2024, 2), Period.month(2024, 3)
NOW = datetime(2024, 2, 20, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def defined(threshold: Threshold, **terms: Any) -> AlertDefinition:
    return AlertDefinition(Alert("a", threshold, metric="runs", **terms), 1, NOW)


def states_of(
    definition: AlertDefinition, numbers: list[Any], limit: Any = 50
) -> list[tuple[str, int, bool]]:
    """Return state, step and silence of all that numbers fire, one after another."""
    history, all_fired = AlertHistory(), list[FiredAlert]()
    for used in numbers:
        fired = fire("acme", Reading(definition, FEB, used, limit), history, NOW)
        history.add(fired)
        all_fired += fired
    return [(each.state, each.step, each.is_silent) for each in all_fired]


EIGHTY = defined(Threshold(percent=80))


def test_a_threshold_fires_once() -> None:
    assert states_of(EIGHTY, [10, 39, 40, 40, 45, 900]) == [("reached", 1, False)]


def test_the_first_number_is_compared_with_zero() -> None:
    assert states_of(EIGHTY, [45]) == [("reached", 1, False)]


def test_a_number_below_clears_it_and_a_second_crossing_is_silent() -> None:
    assert states_of(EIGHTY, [45, 39, 38, 45, 39, 45]) == [
        ("reached", 1, False),
        ("cleared", 1, False),
        ("reached", 1, True),
        ("cleared", 1, True),
        ("reached", 1, True),
    ]


def test_it_fires_again_once_it_was_rearmed() -> None:
    banded = defined(Threshold(percent=80), rearm=60)  # below 30
    assert states_of(banded, [45, 35, 45, 30, 45, 29, 28, 45]) == [
        ("reached", 1, False),
        ("cleared", 1, False),
        ("reached", 1, True),
        ("cleared", 1, True),
        ("reached", 1, True),
        ("cleared", 1, True),
        ("rearmed", 1, True),
        ("reached", 1, False),
    ]
    assert states_of(banded, [45, 35, 29, 45])[1:] == [
        ("cleared", 1, False),
        ("rearmed", 1, True),
        ("reached", 1, False),
    ]


def test_a_band_of_nothing_rearms_at_once() -> None:
    banded = defined(Threshold(percent=80), rearm=80)
    assert states_of(banded, [45, 39, 45])[1:] == [
        ("cleared", 1, False),
        ("rearmed", 1, True),
        ("reached", 1, False),
    ]


def test_a_falling_threshold_is_rearmed_above() -> None:
    few = defined(Threshold(quantity=5, of="remaining"), rearm=10)
    assert states_of(few, [45, 44, 46, 39, 46]) == [
        ("reached", 1, False),
        ("cleared", 1, False),
        ("reached", 1, True),
        ("cleared", 1, True),
        ("rearmed", 1, True),
        ("reached", 1, False),
    ]


def test_a_falling_number_has_to_have_been_above_first() -> None:
    few = defined(Threshold(quantity=5, direction="falling"))
    assert states_of(few, [2, 8, 4]) == [("cleared", 1, True), ("reached", 1, False)]


def test_each_further_step_fires() -> None:
    tens = defined(Threshold(quantity=10, repeat=True))
    assert states_of(tens, [9, 31, 25, 12, 20]) == [
        ("reached", 1, False), ("reached", 2, False), ("reached", 3, False),
        ("cleared", 3, False), ("cleared", 2, False), ("reached", 2, True),
    ]  # fmt: skip


def test_steps_are_rearmed_each_by_the_same_band() -> None:
    tens = defined(Threshold(quantity=10, repeat=True), rearm=8)
    assert states_of(tens, [21, 19, 21, 17, 21])[2:] == [
        ("cleared", 2, False), ("reached", 2, True),
        ("cleared", 2, True), ("rearmed", 2, True), ("reached", 2, False),
    ]  # fmt: skip


def test_of_very_many_steps_the_last_fire_and_all_of_those_are_cleared() -> None:
    ones = defined(Threshold(quantity=1, repeat=True))
    states = states_of(ones, [10**9, 0])
    assert len(states) == 200
    assert states[0] == ("reached", 10**9 - 99, False)
    assert states[-1] == ("cleared", 10**9 - 99, False)


@pytest.mark.parametrize(
    ("used", "limit", "threshold", "reason"),
    [
        (45, None, Threshold(percent=80), "unlimited"),
        (45, 0, Threshold(percent=80), "nothing_included"),
        (None, None, Threshold(percent=80), "unknown"),
        (45, 50, Threshold(cost=Money(5, "USD")), "other_unit"),
        (Money(45, "EUR"), None, Threshold(cost=Money(5, "USD")), "other_unit"),
        (Money(45, "EUR"), None, Threshold(quantity=5), "other_unit"),
        (49, 50, Threshold(percent=98), None),
    ],
)
def test_a_threshold_that_cannot_be_reached_says_why(
    used: Any, limit: Any, threshold: Threshold, reason: str | None
) -> None:
    reading = Reading(defined(threshold), FEB, used, limit)
    assert reading.unreached == reason
    assert reading.standing == ("reached" if reason is None else "undecided")
    assert bool(fire("acme", reading, AlertHistory(), NOW)) == (reason is None)
    assert (reason is None) == ("can't be reached" not in str(reading))


def test_a_reading_says_whether_its_threshold_is_reached() -> None:
    assert Reading(EIGHTY, FEB, 39, 50).standing == "not_reached"
    assert str(Reading(EIGHTY, FEB, 39, 50)) == f"{EIGHTY.alert.id}: not reached, 39 of 50 used"


def test_a_limit_that_is_no_more_clears_it() -> None:
    (reached,) = fire("acme", Reading(EIGHTY, FEB, 45, 50), AlertHistory(), NOW)
    for limit in (None, 100):
        (cleared,) = fire("acme", Reading(EIGHTY, FEB, 45, limit), AlertHistory([reached]), NOW)
        assert (cleared.state, cleared.limit, cleared.number) == ("cleared", limit, 2)


def test_a_number_that_clears_alone_tells_nothing_new() -> None:
    each = defined(Threshold(quantity=10, repeat=True))
    reading = Reading(each, FEB, 35, 100, clears_alone=True)
    assert fire("acme", reading, AlertHistory(), NOW) == ()
    before = fire("acme", Reading(each, FEB, 25, 50), AlertHistory(), NOW)
    assert fire("acme", reading, AlertHistory(before), NOW) == ()
    (cleared,) = fire("acme", reading._replace(used=15), AlertHistory(before), NOW)
    assert (cleared.state, cleared.step, cleared.limit) == ("cleared", 2, 50)
    again = AlertHistory([*before, cleared])
    (silent,) = fire("acme", reading._replace(used=25), again, NOW)
    assert (silent.state, silent.step, silent.is_silent) == ("reached", 2, True)


def test_a_threshold_of_nothing_known_is_never_rearmed() -> None:
    banded = defined(Threshold(percent=80), rearm=60)
    assert not Reading(banded, FEB, None, None).is_rearmed(1)


@pytest.mark.parametrize(
    "other",
    [
        Reading(EIGHTY, MARCH, 45, 50),
        Reading(evolve(EIGHTY, alert_version=2), FEB, 45, 50),
        Reading(evolve(EIGHTY, org_id="acme"), FEB, 45, 50),
        Reading(evolve(EIGHTY, alert=evolve(EIGHTY.alert, id="b")), FEB, 45, 50),
    ],
)
def test_other_periods_and_other_alerts_fire_by_themselves(other: Reading) -> None:
    history = fire("acme", Reading(EIGHTY, FEB, 45, 50), AlertHistory(), NOW)
    assert [each.state for each in fire("acme", other, AlertHistory(history), NOW)] == ["reached"]


def test_a_definition_that_is_put_again_is_the_one_that_it_was() -> None:
    history = fire("acme", Reading(EIGHTY, FEB, 45, 50), AlertHistory(), NOW)
    assert (
        fire(
            "acme",
            Reading(evolve(EIGHTY, put_at=NOW + DAY), FEB, 45, 50),
            AlertHistory(history),
            NOW,
        )
        == ()
    )


def test_those_of_one_subject_fire_as_they_are_passed() -> None:
    usual = [AlertDefinition(alert, 1, NOW) for alert in reversed(usual_alerts("runs"))]
    spend = AlertDefinition(Alert("spend", Threshold(cost=Money(1, "USD"))), 1, NOW)

    def readings(used: int) -> list[Reading]:
        return [Reading(each, FEB, used, 50) for each in usual] + [
            Reading(spend, FEB, Money(max(used - 50, 0), "USD"), None)
        ]

    reached = fire_all("acme", readings(55), AlertHistory(), NOW)
    assert [each.definition.alert.id for each in reached] == [
        "runs-80",
        "runs-90",
        "runs-100",
        "spend",
    ]
    cleared = fire_all("acme", readings(0), AlertHistory(reached), NOW)
    assert [each.definition.alert.id for each in cleared] == [
        "runs-100",
        "runs-90",
        "runs-80",
        "spend",
    ]


# What comes with time

ENDING = AlertDefinition(Alert("ends", occasion="trial_expiring", days_before=3), 1, NOW - 30 * DAY)


def test_an_occasion_fires_once_it_is_near() -> None:
    ends = Occurrence(ENDING, FEB, NOW + 3 * DAY, None)
    assert fire_occasions("acme", [ends], [], NOW - timedelta(microseconds=1)) == ()
    (fired,) = fire_occasions("acme", [ends], [], NOW)
    assert (fired.state, fired.instant, fired.period) == ("reached", NOW + 3 * DAY, FEB)
    assert fire_occasions("acme", [ends], [fired], NOW + DAY) == ()
    assert fire_occasions("acme", [ends], [fired], NOW + 30 * DAY) == ()


def test_an_occasion_that_nobody_looked_at_in_time_fires_late() -> None:
    ends = Occurrence(ENDING, FEB, NOW + 3 * DAY, None)
    assert len(fire_occasions("acme", [ends], [], NOW + 30 * DAY)) == 1


def test_an_occasion_from_before_the_alert_never_fires() -> None:
    assert fire_occasions("acme", [Occurrence(ENDING, FEB, ENDING.put_at, None)], [], NOW) == ()


def test_an_occasion_that_will_not_come_is_cleared_and_may_come_again() -> None:
    ends = Occurrence(ENDING, FEB, NOW + 3 * DAY, None)
    (fired,) = fire_occasions("acme", [ends], [], NOW)
    seen = evolve(fired, acknowledged_at=NOW, acknowledged_by="jo")
    (cleared,) = fire_occasions("acme", [], [seen], NOW + DAY)
    assert (cleared.state, cleared.number, cleared.acknowledged_at) == ("cleared", 2, None)
    assert (cleared.id, cleared.noted_at) == (fired.id, NOW + DAY)
    assert fire_occasions("acme", [], [fired, cleared], NOW + DAY) == ()
    moved = ends._replace(period=MARCH)  # the billing day moved
    (again,) = fire_occasions("acme", [moved], [fired, cleared], NOW + DAY)
    assert (again.state, again.number, again.period) == ("reached", 3, FEB)


def test_an_occasion_that_has_come_stays() -> None:
    ends = Occurrence(ENDING, FEB, NOW + 3 * DAY, None)
    (fired,) = fire_occasions("acme", [ends], [], NOW)
    reached = fire("acme", Reading(EIGHTY, FEB, 45, 50), AlertHistory(), NOW)
    assert fire_occasions("acme", [], [fired, *reached], NOW + 3 * DAY) == ()
