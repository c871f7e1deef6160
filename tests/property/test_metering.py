"""From events to usage: any order, each id once, exact sums."""

from __future__ import annotations

from datetime import datetime
from fractions import Fraction
from random import Random

import pytest
from hypothesis import assume, given, strategies as st

from overages import Period, Usage, UsageEvent, meter
from overages.errors import EventConflict, InvalidValue, OveragesError
from overages.usage.metering import Meter

from . import oracle
from .recipes import Spelled
from .strategies import event_lists, non_negative_numbers, signed_numbers, small_wholes

lawful_events = event_lists(quantities=small_wholes | non_negative_numbers)
any_events = event_lists(quantities=small_wholes | signed_numbers)


def sums_of(usages: list[Usage]) -> dict[tuple[str, tuple[int, int], str], Fraction]:
    """Return usage as the oracle has it."""
    return {
        (usage.org_id, (usage.period.start.year, usage.period.start.month), metric): Fraction(q)
        for usage in usages
        for metric, q in usage.quantities.items()
    }


def is_lawful(quantity: Fraction) -> bool:
    """Say whether a sum can be a quantity of usage."""
    return 0 <= quantity <= oracle.MOST


@given(any_events)
def test_usage_is_the_exact_sum_of_events_or_refused_with_every_bad_sum_named(
    events: list[UsageEvent],
) -> None:
    expected = oracle.usage_sums(events)
    bad = [key for key, quantity in expected.items() if not is_lawful(quantity)]
    if not bad:
        assert sums_of(meter(events)) == expected
        return
    with pytest.raises(OveragesError) as caught:
        meter(events)
    assert len(caught.value.errors) == len(bad)
    for org_id, (year, month), metric in bad:
        where = f"{org_id}, {Period.month(year, month).describe()}"
        assert any(where in str(fault) and metric in str(fault) for fault in caught.value.errors)


@given(lawful_events, st.randoms(use_true_random=False))
def test_the_order_of_events_does_not_matter(events: list[UsageEvent], random: Random) -> None:
    assume(all(map(is_lawful, oracle.usage_sums(events).values())))
    shuffled = list(events)
    random.shuffle(shuffled)
    assert meter(shuffled) == meter(events)
    assert meter(reversed(events)) == meter(events)


@given(lawful_events, st.data())
def test_an_event_with_an_id_counts_once_however_often_it_is_reported(
    events: list[UsageEvent], data: st.DataObject
) -> None:
    assume(all(map(is_lawful, oracle.usage_sums(events).values())))
    with_id = [event for event in events if event.id is not None]
    again = data.draw(st.lists(st.sampled_from(with_id), max_size=4)) if with_id else []
    assert meter([*events, *again]) == meter(events)
    assert meter([*again, *events]) == meter(events)


@given(lawful_events)
def test_adding_says_whether_an_event_counted(events: list[UsageEvent]) -> None:
    counted = Meter()
    seen: set[tuple[str, str]] = set()
    for event in events:
        key = (event.org_id, event.id or "")
        assert counted.add(event) == (event.id is None or key not in seen)
        seen.add(key)


@given(small_wholes, st.integers(1, 5))
def test_an_event_without_an_id_counts_as_often_as_it_is_reported(
    quantity: Spelled, times: int
) -> None:
    event = UsageEvent("org-1", "tokens", quantity.first, Period.month(2024, 2).start)
    (usage,) = meter([event] * times)
    assert usage.quantities["tokens"] == event.quantity * times


@given(lawful_events)
def test_usage_is_sorted_and_each_period_is_the_month_of_its_events(
    events: list[UsageEvent],
) -> None:
    assume(all(map(is_lawful, oracle.usage_sums(events).values())))
    usages = meter(events)
    keys = [(usage.org_id, usage.period) for usage in usages]
    assert keys == sorted(set(keys))
    for usage in usages:
        assert usage.period == Period.month(usage.period.start.year, usage.period.start.month)


@given(lawful_events, st.integers(1, 3))
def test_usage_of_one_period_is_that_part_of_all_usage(
    events: list[UsageEvent], month: int
) -> None:
    assume(all(map(is_lawful, oracle.usage_sums(events).values())))
    counted = Meter()
    for event in events:
        counted.add(event)
    period = Period.month(2024, month)
    assert counted.usages(period) == [u for u in counted.usages() if u.period == period]


@given(lawful_events, st.integers(0, 12))
def test_reading_usage_between_events_changes_nothing(events: list[UsageEvent], at: int) -> None:
    assume(all(map(is_lawful, oracle.usage_sums(events).values())))
    counted = Meter()
    for event in events[:at]:
        counted.add(event)
    assert counted.usages() == counted.usages() == meter(events[:at])
    for event in events[at:]:
        counted.add(event)
    assert counted.usages() == meter(events)


@given(lawful_events, st.sampled_from(["metric", "quantity", "at"]))
def test_an_id_with_other_content_is_a_conflict_and_counts_for_nothing(
    events: list[UsageEvent], changed: str
) -> None:
    assume(all(map(is_lawful, oracle.usage_sums(events).values())))
    counted = Meter()
    for event in events:
        counted.add(event)
    for event in events:
        if event.id is None:
            continue
        other = UsageEvent(
            event.org_id,
            f"{event.metric}!" if changed == "metric" else event.metric,
            1 if changed == "quantity" and event.quantity != 1 else event.quantity,
            event.at.replace(day=event.at.day % 28 + 1) if changed == "at" else event.at,
            event.id,
        )
        assume(other != event)
        with pytest.raises(EventConflict, match="was reported before"):
            counted.add(other)
    assert counted.usages() == meter(events)


@given(any_events)
def test_an_event_that_could_not_be_counted_is_not_taken_for_known(
    events: list[UsageEvent],
) -> None:
    broken = True

    def period_at(moment: datetime) -> Period:
        if broken:
            raise InvalidValue("period_at", moment, "can't be read just now")
        return Period.month_of(moment)

    counted, usual = Meter(period_at), Meter()
    for event in events:
        with pytest.raises(InvalidValue):
            counted.add(event)
    broken = False
    assert [counted.add(event) for event in events] == [usual.add(event) for event in events]
