"""Event ids: once in their org, by all that their events say."""

from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any

import pytest

from overages import UsageEvent
from overages.errors import EventConflict
from overages.usage.event_ids import Counters, EventIds

AT = datetime(2024, 2, 1, 12, tzinfo=UTC)
TICK = timedelta(microseconds=1)


class Seen:
    """Ids with the numbers of their orgs and metrics, as a meter has them."""

    def __init__(self) -> None:
        self.counters = Counters()
        self.ids = EventIds(self.counters.orgs)

    def is_new(self, event: UsageEvent) -> bool:
        number = self.counters.numbers.get((event.org_id, event.metric))
        if number is None:
            number = self.counters.number(event.org_id, event.metric)
        assert event.id is not None
        return self.ids.is_new(
            event.org_id, event.id, number, event.quantity, event.at, event.dimensions
        )


def event(**terms: Any) -> UsageEvent:
    own: dict[str, Any] = {"org_id": "a", "metric": "m", "quantity": 5, "at": AT, "id": "1"}
    return UsageEvent(**own | terms)


def test_orgs_may_have_the_same_ids() -> None:
    seen = Seen()
    orgs = [event(org_id=org_id, dimensions={"region": org_id}) for org_id in ("a", "b", "c")]
    assert [seen.is_new(each) for each in (*orgs, *orgs)] == [True] * 3 + [False] * 3
    for each in orgs:
        with pytest.raises(EventConflict, match=r"^id: was reported before .*, got '1'$"):
            seen.is_new(event(org_id=each.org_id, quantity=6))


def test_any_other_content_is_a_conflict() -> None:
    """Whatever was seen first; among them contents whose numbers lie next to each other."""
    contents: list[dict[str, Any]] = [
        {"quantity": quantity, "at": at, "metric": metric, "dimensions": dimensions}
        for quantity, at, metric, dimensions in product(
            [0, 1, 2, -1, -2, "0.5", "-0.5", "0.000000000001", 10**26 - 1],
            [AT, AT + TICK, datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)],
            ["m", "n"],
            [{}, {"region": "eu"}, {"region": "us"}],
        )
    ]
    for first in contents[::7]:
        seen = Seen()
        assert seen.is_new(event(**first))
        for other in contents:
            if other == first:
                assert not seen.is_new(event(**other))
            else:
                with pytest.raises(EventConflict):
                    seen.is_new(event(**other))
