"""Law 8: the events of one org never change the usage of another.

"Tenants never meet. Every repository read takes the org first, every write carries its org; nothing
that org A writes can change what org B reads, nor stop it."
"""

from __future__ import annotations

from hypothesis import given, strategies as st

from overages import Usage, UsageEvent, meter
from overages.errors import EventConflict
from overages.usage.metering import Meter

from .strategies import event_lists, modest_numbers

OURS, THEIRS = "org-1", "org-2"
ours = event_lists([OURS], quantities=modest_numbers)
theirs = event_lists([THEIRS], quantities=modest_numbers)  # of the same event ids


def of_org(usages: list[Usage], org_id: str) -> list[Usage]:
    """Return the usage of one org."""
    return [usage for usage in usages if usage.org_id == org_id]


@st.composite
def interleaved(draw: st.DrawFn) -> tuple[list[UsageEvent], list[UsageEvent], list[UsageEvent]]:
    """Return events of two orgs, and both together in any order that keeps each one's own."""
    our_events, their_events = draw(ours), draw(theirs)
    whose = draw(st.permutations([OURS] * len(our_events) + [THEIRS] * len(their_events)))
    left = {OURS: iter(our_events), THEIRS: iter(their_events)}
    return our_events, their_events, [next(left[org_id]) for org_id in whose]


@given(interleaved())
def test_usage_of_an_org_is_the_same_with_and_without_events_of_another(
    events: tuple[list[UsageEvent], list[UsageEvent], list[UsageEvent]],
) -> None:
    our_events, their_events, all_events = events
    together = meter(all_events)
    assert of_org(together, OURS) == meter(our_events)
    assert of_org(together, THEIRS) == meter(their_events)


@given(interleaved())
def test_an_event_counts_for_an_org_whether_or_not_another_reported_its_id(
    events: tuple[list[UsageEvent], list[UsageEvent], list[UsageEvent]],
) -> None:
    our_events, _, all_events = events
    alone, together = Meter(), Meter()
    counted = [(event, together.add(event)) for event in all_events]
    found = [was_new for event, was_new in counted if event.org_id == OURS]
    assert found == [alone.add(event) for event in our_events]


@given(interleaved(), st.integers(1, 9))
def test_a_conflict_in_one_org_is_none_in_another(
    events: tuple[list[UsageEvent], list[UsageEvent], list[UsageEvent]], more: int
) -> None:
    our_events, _, all_events = events
    counted = Meter()
    for event in all_events:
        counted.add(event)
        if event.org_id == THEIRS and event.id is not None:
            other = "runs" if event.metric == "tokens" else "tokens"
            conflict = UsageEvent(THEIRS, other, more, event.at, id=event.id)
            try:
                counted.add(conflict)
            except EventConflict:
                continue
            raise AssertionError("an event id was taken twice, with different content")
    assert of_org(counted.usages(), OURS) == meter(our_events)


@given(ours, st.sampled_from(["org_1", "ORG-1", "org-1.", "org", "org-11", "org-1/tokens"]))
def test_an_org_with_nearly_the_same_name_is_another_org(
    events: list[UsageEvent], nearly: str
) -> None:
    same = [UsageEvent(nearly, e.metric, e.quantity, e.at, e.id) for e in events]
    together = meter([*events, *same])
    assert of_org(together, OURS) == meter(events)
    assert [usage.quantities for usage in of_org(together, nearly)] == [
        usage.quantities for usage in meter(events)
    ]
