"""Metering: events become usage, each counted once."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import permutations
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from tests.told import told

from overages import Metric, Period, Usage, UsageEvent, meter
from overages._ground.value import evolve
from overages.errors import EventConflict, InvalidType, InvalidValue, InvalidValues, OveragesError
from overages.usage.divided_usage import usage_of
from overages.usage.event import EventColumns, new_columns
from overages.usage.metering import Meter
from overages.usage.routing import Routes

JANUARY, FEBRUARY, MARCH = (Period.month(2024, month) for month in (1, 2, 3))
NOON = datetime(2024, 2, 3, 12, tzinfo=UTC)


def test_nothing_comes_to_nothing() -> None:
    assert meter([]) == []


def test_events_are_summed_by_org_month_and_metric_and_sorted() -> None:
    events = [
        UsageEvent("org-2", "tokens", 1, NOON),
        UsageEvent("org-1", "tokens", 2, FEBRUARY.end),
        UsageEvent("org-1", "tokens", 10, FEBRUARY.start),
        UsageEvent("org-1", "tokens", "0.5", FEBRUARY.end - timedelta(microseconds=1)),
        UsageEvent("org-1", "seats", 3, NOON),
        UsageEvent("org-1", "tokens", 4, FEBRUARY.start - timedelta(microseconds=1)),
    ]
    expected = [
        Usage("org-1", JANUARY, {"tokens": 4}),
        Usage("org-1", FEBRUARY, {"tokens": "10.5", "seats": 3}),
        Usage("org-1", MARCH, {"tokens": 2}),
        Usage("org-2", FEBRUARY, {"tokens": 1}),
    ]
    assert meter(iter(events)) == expected
    assert meter(reversed(events)) == expected


def test_a_negative_event_takes_units_back_whenever_it_comes() -> None:
    events = [UsageEvent("org-1", "tokens", n, NOON) for n in (10, -4, "-0.5")]
    for order in permutations(events):
        assert meter(order) == [Usage("org-1", FEBRUARY, {"tokens": "5.5"})]


def test_decimals_are_summed_exactly() -> None:
    events = [UsageEvent("org-1", "gb", Decimal("0.1"), NOON) for _ in range(10)]
    assert repr(meter(events)[0].quantities["gb"]) == "1"


COLUMNS = new_columns(
    ["org-1", "org-2", "org-1", "org-1", "org-1"],
    ["tokens", "tokens", "tokens", "runs", "tokens"],
    [5, Decimal("0.5"), 5, 2, Decimal("0.25")],
    [NOON, FEBRUARY.end, NOON, NOON, JANUARY.start],
    ["1", "1", "1", "2", None],
    [{}, {}, {}, {"region": "eu"}, {}],
)


@pytest.mark.parametrize("metrics", [[], [Metric("top", "max", event="tokens")]])
def test_columns_of_events_are_counted_as_the_events_are(metrics: list[Metric]) -> None:
    counted, one_by_one = Meter(metrics=metrics), Meter(metrics=metrics)
    counted.add_columns(COLUMNS)
    counted.add_columns(COLUMNS.among([0, 1]))
    for event in COLUMNS:
        one_by_one.add(event)
    assert counted.usages() == one_by_one.usages()
    with pytest.raises(EventConflict):
        counted.add_columns(EventColumns([evolve(COLUMNS[0], quantity=6)]))


def test_events_without_an_id_all_count() -> None:
    events = [UsageEvent("org-1", "tokens", 5, NOON)] * 3
    assert meter(events)[0].quantities == {"tokens": 15}


def test_an_event_with_an_id_counts_once_and_add_says_so() -> None:
    counted = Meter()
    event = UsageEvent("org-1", "tokens", 5, NOON, id="evt-1")
    again = UsageEvent("org-1", "tokens", "5.0", NOON.astimezone(ZoneInfo("Asia/Tokyo")), "evt-1")
    assert [counted.add(e) for e in (event, event, again)] == [True, False, False]
    assert counted.usages() == [Usage("org-1", FEBRUARY, {"tokens": 5})]


def test_whole_quantities_and_others_are_one_sum() -> None:
    quantities: list[int | str] = ["0.5", 3, "-0.25", "0.75", -1]
    events = [UsageEvent("org-1", "a", quantity, NOON) for quantity in quantities]
    events += [UsageEvent("org-1", "b", "1.5", NOON), UsageEvent("org-1", "c", 2, NOON)]
    (usage,) = meter(events)
    assert usage.quantities == {"a": 3, "b": Decimal("1.5"), "c": 2}
    assert [type(usage.quantities[metric]) for metric in "abc"] == [int, Decimal, int]


def test_an_event_id_is_of_its_org_alone() -> None:
    events = [UsageEvent(org, "tokens", 5, NOON, id="evt-1") for org in ("org-1", "org-2")]
    assert [usage.org_id for usage in meter(events)] == ["org-1", "org-2"]


@pytest.mark.parametrize(
    "changed",
    [
        {"metric": "seats"},
        {"quantity": 6},
        {"at": NOON + timedelta(microseconds=1)},
        {"at": NOON + timedelta(days=40)},
        {"dimensions": {"region": "eu"}},
    ],
)
def test_a_known_event_id_with_other_content_is_a_conflict(changed: dict[str, Any]) -> None:
    content: dict[str, Any] = {"org_id": "org-1", "metric": "tokens", "quantity": 5, "at": NOON}
    content["id"] = "evt-1"
    counted = Meter()
    counted.add(UsageEvent(**content))
    problem = "was reported before with another metric, quantity, time or dimensions"
    with pytest.raises(EventConflict, match=f"^id: {problem}, got 'evt-1'$"):
        counted.add(UsageEvent(**{**content, **changed}))
    assert counted.usages() == [Usage("org-1", FEBRUARY, {"tokens": 5})]


def test_periods_may_be_those_of_the_host() -> None:
    def day(moment: datetime) -> Period:
        start = moment.replace(hour=0, minute=0, second=0, microsecond=0)
        return Period(start, start + timedelta(days=1))

    events = [UsageEvent("org-1", "a", 1, NOON + timedelta(hours=12 * n)) for n in (0, 2, 1)]
    third, fourth = day(NOON), day(NOON + timedelta(days=1))
    assert meter(events, day) == [Usage("org-1", third, {"a": 1}), Usage("org-1", fourth, {"a": 2})]


def test_a_period_that_the_event_is_not_in_is_refused() -> None:
    counted = Meter(lambda _: JANUARY)
    problem = r"must give a period with 2024-02-03 12:00:00\+00:00 in it"
    with pytest.raises(InvalidValue, match=f"^period_at: {problem}, got Period"):
        counted.add(UsageEvent("org-1", "tokens", 5, NOON))
    assert counted.usages() == []


def test_an_event_that_could_not_be_counted_counts_when_it_comes_again() -> None:
    found = [JANUARY, FEBRUARY]
    counted = Meter(lambda _: found.pop(0))
    event = UsageEvent("org-1", "tokens", 5, NOON, id="evt-1")
    with pytest.raises(InvalidValue, match=r"^period_at: must give a period with "):
        counted.add(event)
    assert counted.add(event) is True
    assert counted.usages() == [Usage("org-1", FEBRUARY, {"tokens": 5})]


def test_a_meter_counts_events_alone() -> None:
    event: Any = {"org_id": "org-1", "metric": "tokens", "quantity": 5}
    with pytest.raises(InvalidType, match=r"^event: must be a UsageEvent, got \{"):
        Meter().add(event)


def test_one_period_alone_can_be_asked_for() -> None:
    counted = Meter()
    for moment in (JANUARY.start, FEBRUARY.start):
        counted.add(UsageEvent("org-1", "tokens", 5, moment))
    assert counted.usages(FEBRUARY) == [Usage("org-1", FEBRUARY, {"tokens": 5})]
    assert counted.usages(MARCH) == []


def test_usage_can_be_asked_for_while_events_go_on() -> None:
    counted = Meter()
    sums = []
    for n in (1, 2):
        counted.add(UsageEvent("org-1", "tokens", n, NOON))
        sums += counted.usages()
    assert sums == [Usage("org-1", FEBRUARY, {"tokens": n}) for n in (1, 3)]


def test_a_sum_that_can_not_have_been_used_is_named() -> None:
    problem = r"quantities\.tokens: must not be negative, got -5"
    with pytest.raises(InvalidValue, match=f"^org-1, 2024-02-01 to 2024-03-01 UTC: {problem}$"):
        meter([UsageEvent("org-1", "tokens", -5, NOON)])


def test_all_sums_that_can_not_have_been_used_are_reported_together() -> None:
    most = 10**26 - 1
    events = [
        UsageEvent("org-1", "a", -1, NOON),
        UsageEvent("org-1", "b", "-0.5", NOON),
        UsageEvent("org-2", "a", most, MARCH.start),
        UsageEvent("org-2", "a", 1, MARCH.start),
        UsageEvent("org-3", "a", 1, NOON),
    ]
    with pytest.raises(InvalidValues) as caught:
        meter(events)
    february, march = "2024-02-01 to 2024-03-01 UTC", "2024-03-01 to 2024-04-01 UTC"
    assert told(caught.value) == (
        "3 problems:\n"
        f"- org-1, {february}: quantities.a: must not be negative, got -1\n"
        f"- org-1, {february}: quantities.b: must not be negative, got -0.5\n"
        f"- org-2, {march}: quantities.a: must have at most 26 integer digits, "
        "got 100000000000000000000000000"
    )


def test_periods_that_overlap_are_refused() -> None:
    """A day later belongs to another period; one that grows would take in what was counted."""

    def growing(moment: datetime) -> Period:
        return Period(FEBRUARY.start, moment + timedelta(hours=1))

    counted = Meter(growing)
    counted.add(UsageEvent("org-1", "tokens", 1, NOON))
    with pytest.raises(InvalidValue, match=r"^period_at: must give periods that don't overlap"):
        counted.add(UsageEvent("org-1", "tokens", 1, NOON + timedelta(days=1)))
    with pytest.raises(InvalidValue, match=r"^period_at: must give a period with"):
        Meter(lambda _: JANUARY).add(UsageEvent("org-1", "tokens", 1, NOON))


def test_a_period_may_come_before_those_that_are_known() -> None:
    events = [
        UsageEvent("org-1", "tokens", n, NOON + timedelta(days=days))
        for n, days in [(1, 30), (2, -30), (4, 0)]
    ]
    assert [usage.quantities["tokens"] for usage in meter(events)] == [2, 4, 1]


DAYS_3 = timedelta(days=3)
TICK = timedelta(microseconds=1)


def requests(*regions: str) -> list[UsageEvent]:
    """Return events of a request each."""
    return [UsageEvent("org-1", "requests", 1, NOON, dimensions={"region": r}) for r in regions]


def test_metrics_are_worked_out_of_the_events_they_are_made_of() -> None:
    metrics = [
        Metric("eu_requests", event="requests", where={"region": ["eu", "ch"]}),
        Metric("requests"),
        Metric("regions", "unique", event="requests", distinct="region"),
        Metric("peak", "max", event="seats"),
    ]
    events = [
        *requests("eu", "us", "ch", "eu", "jp"),
        UsageEvent("org-1", "seats", 5, NOON),
        UsageEvent("org-1", "seats", 3, NOON),
        UsageEvent("org-1", "tokens", 7, NOON),
    ]
    expected = {"eu_requests": 3, "requests": 2, "regions": 4, "peak": 5, "tokens": 7}
    assert meter(events, metrics=metrics) == [Usage("org-1", FEBRUARY, expected)]
    assert meter(reversed(events), metrics=reversed(metrics)) == meter(events, metrics=metrics)


def test_events_that_no_metric_takes_are_summed_by_their_name() -> None:
    metrics = [Metric("eu_requests", event="requests", where={"region": "eu"})]
    (usage,) = meter(requests("eu", "us", "us"), metrics=metrics)
    assert usage.quantities == {"eu_requests": 1, "requests": 2}


def test_an_event_that_no_metric_can_count_is_not_taken_for_known() -> None:
    counted = Meter(metrics=[Metric("users", "unique", event="requests", distinct="user")])
    without = UsageEvent("org-1", "requests", 1, NOON, "evt-1")
    with pytest.raises(InvalidValue, match=r"^dimensions: must have 'user'"):
        counted.add(without)
    assert counted.add(UsageEvent("org-1", "requests", 1, NOON, "evt-1", {"user": "a"}))
    assert counted.usages() == [Usage("org-1", FEBRUARY, {"users": 1})]


def test_metrics_of_orgs_and_periods_are_counted_apart() -> None:
    events = [
        UsageEvent(org_id, "seats", seats, at)
        for org_id, seats, at in [
            ("org-1", 5, NOON), ("org-1", 4, MARCH.start), ("org-2", 3, NOON), ("org-1", 2, NOON)
        ]
    ]  # fmt: skip
    assert meter(events, metrics=[Metric("seats", "max")]) == [
        Usage("org-1", FEBRUARY, {"seats": 5}),
        Usage("org-1", MARCH, {"seats": 4}),
        Usage("org-2", FEBRUARY, {"seats": 3}),
    ]


def test_a_level_is_carried_into_periods_that_are_asked_for() -> None:
    counted = Meter(metrics=[Metric("seats", "time_weighted")])
    middle = FEBRUARY.start + (FEBRUARY.end - FEBRUARY.start) / 2
    counted.add(UsageEvent("org-1", "seats", 8, middle))
    counted.add(UsageEvent("org-2", "tokens", 1, MARCH.start))
    assert counted.usages(JANUARY) == []
    assert counted.usages(FEBRUARY) == [Usage("org-1", FEBRUARY, {"seats": 4})]
    assert counted.usages(MARCH) == [
        Usage("org-1", MARCH, {"seats": 8}),
        Usage("org-2", MARCH, {"tokens": 1}),
    ]
    assert counted.usages() == [
        Usage("org-1", FEBRUARY, {"seats": 4}),
        Usage("org-2", MARCH, {"tokens": 1}),
    ]
    assert counted.usages(Period(NOON, MARCH.start)) == []  # which is none of the meter's


def test_a_level_is_no_part_of_periods_before_it() -> None:
    metrics = [Metric("seats", "time_weighted")]
    events = [
        UsageEvent("org-1", "tokens", 1, JANUARY.start),
        UsageEvent("org-1", "seats", 8, FEBRUARY.start),
    ]
    assert meter(events, metrics=metrics) == [
        Usage("org-1", JANUARY, {"tokens": 1}),
        Usage("org-1", FEBRUARY, {"seats": 8}),
    ]


def test_a_level_below_zero_is_named() -> None:
    metrics = [Metric("seats", "last", reports="change")]
    problem = r"quantities\.seats: must not be negative, got -5"
    with pytest.raises(InvalidValue, match=f"^org-1, 2024-02-01 to 2024-03-01 UTC: {problem}$"):
        meter([UsageEvent("org-1", "seats", -5, NOON)], metrics=metrics)


@pytest.mark.parametrize(
    ("options", "received_at", "expected"),
    [
        ({}, MARCH.end, FEBRUARY),
        ({"late": "own_period"}, MARCH.end, FEBRUARY),
        ({"late": "next_period"}, None, FEBRUARY),
        ({"late": "next_period"}, NOON, FEBRUARY),
        ({"late": "next_period"}, MARCH.start - TICK, FEBRUARY),
        ({"late": "next_period"}, MARCH.start, MARCH),
        ({"late": "next_period", "grace": DAYS_3}, MARCH.start + DAYS_3 - TICK, FEBRUARY),
        ({"late": "next_period", "grace": DAYS_3}, MARCH.start + DAYS_3, MARCH),
        ({"late": "next_period", "grace": DAYS_3}, MARCH.end, Period.month(2024, 4)),
    ],
)
def test_a_late_event_counts_in_its_own_period_or_the_one_that_is_open(
    options: Any, received_at: Any, expected: Period
) -> None:
    for metrics in ([], [Metric("tokens", "max")], [Metric("tokens", "last", reports="level")]):
        counted = Meter(metrics=metrics, **options)
        event = UsageEvent("org-1", "tokens", 5, NOON, "evt-1")
        assert counted.add(event, received_at)
        assert not counted.add(event, received_at)
        assert counted.usages() == [Usage("org-1", expected, {"tokens": 5})]


def test_units_that_are_taken_back_stay_in_their_own_period_however_late() -> None:
    counted = Meter(late="next_period")
    counted.add(UsageEvent("org-1", "tokens", 100, NOON))
    counted.add(UsageEvent("org-1", "tokens", -80, NOON), received_at=MARCH.start)
    counted.add(UsageEvent("org-1", "tokens", 30, NOON), received_at=MARCH.start)
    assert counted.usages() == [
        Usage("org-1", FEBRUARY, {"tokens": 20}),
        Usage("org-1", MARCH, {"tokens": 30}),
    ]


def test_a_late_change_of_a_level_holds_from_the_start_of_the_period_it_counts_in() -> None:
    seats = Metric("seats", "time_weighted", reports="change")
    counted = Meter(metrics=[seats], late="next_period")
    counted.add(UsageEvent("org-1", "seats", 4, JANUARY.start))
    counted.add(UsageEvent("org-1", "seats", 2, NOON), received_at=MARCH.start + DAYS_3)
    assert [counted.usages(period)[0].quantities["seats"] for period in (FEBRUARY, MARCH)] == [4, 6]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"late": "never"}, r"^late: must be one of own_period, next_period, got 'never'$"),
        ({"grace": -TICK}, r"^grace: must not be negative"),
        ({"grace": 3}, r"^grace: must be of type timedelta, got 3$"),
        ({"metrics": 5}, r"^metrics: must be a list, or something else to iterate over, got 5$"),
        ({"metrics": ["a"]}, r"^metrics\[0\]: must be of type Metric, got 'a'$"),
    ],
)
def test_a_meter_of_wrong_rules_is_refused(options: Any, message: str) -> None:
    with pytest.raises(OveragesError, match=message):
        Meter(**options)


def test_a_time_of_receipt_has_a_timezone() -> None:
    with pytest.raises(InvalidValue, match=r"^received_at: must have a timezone"):
        Meter().add(UsageEvent("org-1", "a", 1, NOON), NOON.replace(tzinfo=None))


def test_usage_is_worked_out_of_events_at_the_instants_that_they_count_at() -> None:
    metrics = [Metric("seats", "time_weighted"), Metric("peak", "max", event="load")]
    events = [
        (UsageEvent("org-1", "seats", 4, JANUARY.start), JANUARY.start),
        (UsageEvent("org-1", "seats", 2, JANUARY.start + DAYS_3), FEBRUARY.start),
        (UsageEvent("org-1", "load", 9, JANUARY.start), JANUARY.start),
        (UsageEvent("org-1", "load", 7, JANUARY.start), FEBRUARY.start),
        (UsageEvent("org-1", "tokens", 1, JANUARY.start), JANUARY.start),
        (UsageEvent("org-1", "tokens", 2, NOON), NOON),
    ]
    for order in permutations(events):
        assert usage_of(order, "org-1", FEBRUARY, Routes(metrics)) == Usage(
            "org-1", FEBRUARY, {"seats": 2, "peak": 7, "tokens": 2}
        )
