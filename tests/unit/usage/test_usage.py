"""Usage events, and what was used in a period."""

import copy
import datetime as datetime_module
import pickle
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType
from typing import Any

import pytest
from tests.told import told

from overages import Period, Usage, UsageEvent
from overages.errors import InvalidType, InvalidValue, InvalidValues, OveragesError

NOON = datetime(2024, 2, 3, 12, tzinfo=UTC)
FEBRUARY = Period.month(2024, 2)


def test_an_event_keeps_its_quantity_in_one_form_and_its_time_in_utc() -> None:
    at = datetime(2024, 2, 3, 13, tzinfo=timezone(timedelta(hours=1)))
    event = UsageEvent("org-1", "tokens", "5.0", at, "evt-1")
    assert event == UsageEvent("org-1", "tokens", 5, NOON, "evt-1")
    assert (repr(event.quantity), event.at.tzinfo) == ("5", UTC)


def test_an_event_may_take_units_back_and_have_no_id() -> None:
    event = UsageEvent("org-1", "tokens", -5, NOON)
    assert (event.quantity, event.id) == (-5, None)


def test_dimensions_are_sorted_part_of_the_value_and_can_be_read_only() -> None:
    given = {"region": "eu", "model": "large"}
    event = UsageEvent("org-1", "tokens", 5, NOON, dimensions=given)
    other = UsageEvent("org-1", "tokens", 5, NOON, None, dict(reversed(given.items())))
    assert (event, hash(event), repr(event)) == (other, hash(other), repr(other))
    assert event != UsageEvent("org-1", "tokens", 5, NOON)
    given["region"] = "us"
    assert list(event.dimensions.items()) == [("model", "large"), ("region", "eu")]
    dimensions: Any = event.dimensions
    with pytest.raises(TypeError):
        dimensions["region"] = "us"


@pytest.mark.parametrize("dimensions", [{}, {"region": "eu"}])
def test_the_repr_of_an_event_makes_it_again(dimensions: dict[str, str]) -> None:
    event = UsageEvent("org-1", "tokens", "0.5", NOON, "evt-1", dimensions)
    names = {"UsageEvent": UsageEvent, "Decimal": Decimal, "datetime": datetime_module}
    assert eval(repr(event), names) == event
    assert ("region" in repr(event)) == bool(dimensions)


@pytest.mark.parametrize(
    ("dimensions", "message"),
    [
        ({"region": ""}, r"^dimensions\.region: must not be empty, got ''$"),
        ({"": "eu"}, r"^dimensions.<dimension>: must not be empty, got ''$"),
        ({"region": 5}, r"^dimensions\.region: must be a str, got 5$"),
        ([("region", "eu")], r"^dimensions: must be a mapping of names to values, got "),
        (None, r"^dimensions: must be a mapping of names to values, got None$"),
        ({str(n): "x" for n in range(101)}, r"^dimensions: must be at most 100, got 101$"),
    ],
)
def test_dimensions_that_can_not_be_are_refused(dimensions: Any, message: str) -> None:
    with pytest.raises(OveragesError, match=message):
        UsageEvent("org-1", "tokens", 5, NOON, dimensions=dimensions)


def test_an_event_with_many_faults_reports_them_all() -> None:
    bad: Any = {"org_id": "", "metric": 5, "quantity": 0.5, "at": datetime(2024, 2, 3), "id": ""}
    with pytest.raises(InvalidValues) as caught:
        UsageEvent(**bad)
    assert told(caught.value) == (
        "5 problems:\n"
        "- org_id: must not be empty, got ''\n"
        "- metric: must be a str, got 5\n"
        "- quantity: must be an int, a Decimal or a decimal string, got 0.5\n"
        "- at: must have a timezone, got 2024-02-03T00:00:00\n"
        "- id: must not be empty, got ''"
    )


@pytest.mark.parametrize(
    "quantities",
    [
        {"tokens": 750_000, "seats": Decimal("2.5")},
        {"tokens": "750000", "seats": "2.50"},
        MappingProxyType({"tokens": Decimal("750000.0"), "seats": "2.5"}),
    ],
)
def test_quantities_have_one_form_however_they_are_given(quantities: Any) -> None:
    usage = Usage("org-1", FEBRUARY, quantities)
    assert repr(dict(usage.quantities)) == "{'tokens': 750000, 'seats': Decimal('2.5')}"


def test_metrics_are_plain_texts_whatever_came_before() -> None:
    class Counter(StrEnum):
        TOKENS = "tokens"

    Usage("org-1", FEBRUARY, {"tokens": 5})
    usage = Usage("org-1", FEBRUARY, {Counter.TOKENS: 5})
    assert [type(metric) for metric in usage.quantities] == [str]


def test_usage_does_not_change_with_the_mapping_that_it_was_made_of() -> None:
    quantities: dict[str, Any] = {"tokens": 5}
    usage = Usage("org-1", FEBRUARY, quantities)
    quantities["tokens"] = 6
    assert usage.quantities == {"tokens": 5}


def test_quantities_can_be_read_only() -> None:
    quantities: Any = Usage("org-1", FEBRUARY, {"tokens": 5}).quantities
    with pytest.raises(TypeError):
        quantities["tokens"] = 6


def test_nothing_may_have_been_used() -> None:
    assert Usage("org-1", FEBRUARY, {}).quantities == {}


@pytest.mark.parametrize(
    ("quantities", "message"),
    [
        ({"tokens": -1}, "quantities.tokens: must not be negative, got -1"),
        ({"tokens": "1e"}, "quantities.tokens: must be a plain decimal number such as 12.5, "),
        ({"tokens": 10**26}, "quantities.tokens: must have at most 26 integer digits, got "),
        ({"": 1}, "quantities.<metric>: must not be empty, got ''"),
        ({"a\n": 1}, "quantities.<metric>: must not hold a control character (U+000A)"),
    ],
)
def test_a_quantity_that_can_not_have_been_used_is_refused(quantities: Any, message: str) -> None:
    with pytest.raises(InvalidValue) as caught:
        Usage("org-1", FEBRUARY, quantities)
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize(
    ("quantities", "message"),
    [
        ({"tokens": 1.5}, r"^quantities\.tokens: must be an int, a Decimal or a decimal string"),
        ({"tokens": True}, r"^quantities\.tokens: must be an int, a Decimal or a decimal string"),
        ({"tokens": None}, r"^quantities\.tokens: must be an int, a Decimal or a decimal string"),
        ({5: 1}, r"^quantities.<metric>: must be a str, got 5$"),
        ([("tokens", 1)], r"^quantities: must be a mapping of metrics to quantities, got "),
        (None, r"^quantities: must be a mapping of metrics to quantities, got None$"),
    ],
)
def test_a_quantity_of_a_wrong_type_is_refused(quantities: Any, message: str) -> None:
    with pytest.raises(InvalidType, match=message):
        Usage("org-1", FEBRUARY, quantities)


@pytest.mark.parametrize("quantities", [{"tokens": 1}, {"tokens": "1"}])
def test_usage_has_an_org_and_a_period_whatever_its_quantities(quantities: Any) -> None:
    month: Any = "2024-02"
    with pytest.raises(InvalidValue, match=r"^org_id: must not be empty, got ''$"):
        Usage("", FEBRUARY, quantities)
    with pytest.raises(InvalidType, match=r"^period: must be of type Period, got '2024-02'$"):
        Usage("org-1", month, quantities)


def test_usage_with_many_faults_reports_them_all() -> None:
    bad: Any = {"org_id": None, "period": None, "quantities": {"a": -1, "": 1.5, "c": 1}}
    with pytest.raises(InvalidValues) as caught:
        Usage(**bad)
    assert told(caught.value) == (
        "5 problems:\n"
        "- org_id: must be a str, got None\n"
        "- period: must be of type Period, got None\n"
        "- quantities.a: must not be negative, got -1\n"
        "- quantities.<metric>: must not be empty, got ''\n"
        '- quantities."": must be an int, a Decimal or a decimal string, got 1.5'
    )


def test_usage_is_equal_by_value_whatever_the_order_of_its_metrics() -> None:
    usage = Usage("org-1", FEBRUARY, {"a": 1, "b": "2.50"})
    same = Usage("org-1", FEBRUARY, {"b": Decimal("2.5"), "a": "1"})
    assert len({usage, same}) == 1
    assert usage != Usage("org-1", FEBRUARY, {"a": 1, "b": 2})


def test_the_repr_of_usage_makes_it_again() -> None:
    usage = Usage("org-1", FEBRUARY, {"tokens": 5})
    month = "Period.parse('2024-02-01T00:00:00Z/2024-03-01T00:00:00Z')"
    assert repr(usage) == f"Usage(org_id='org-1', period={month}, quantities={{'tokens': 5}})"
    assert eval(repr(usage)) == usage


@pytest.mark.parametrize(
    "value",
    [Usage("org-1", FEBRUARY, {"tokens": 5}), UsageEvent("org-1", "tokens", 5, NOON, "evt-1")],
    ids=["usage", "event"],
)
def test_usage_survives_pickling_and_copying(value: object) -> None:
    assert pickle.loads(pickle.dumps(value)) == value
    assert copy.copy(value) == value
    assert copy.deepcopy(value) == value
