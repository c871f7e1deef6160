"""Changes: the entries of an account's history."""

import pickle
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from overages import Cycle, Discount, Money
from overages.errors import InvalidType, InvalidValue, InvalidValues
from overages.terms.change import TermsChange

MARCH = datetime(2024, 3, 12, tzinfo=UTC)
USD_5 = Money(500, "USD")


@pytest.mark.parametrize(
    "named",
    [
        {"plan": "pro"},
        {"limits": {"tokens": 5}},
        {"limits": {"tokens": None}},
        {"drop_limits": ["tokens"]},
        {"cycle": Cycle.monthly(day=15)},
        {"status": "past_due"},
        {"plan_version": 2},
        {"discounts": [Discount("a", percent=5)]},
        {"drop_discounts": ["a"]},
        {"maximum": USD_5},
        {"minimum": USD_5},
        {"drop_bounds": ["minimum"]},
    ],
    ids=str,
)
def test_a_change_names_one_term_or_more(named: Any) -> None:
    change = TermsChange(MARCH, **named)
    assert change.kind == "change"
    assert TermsChange(MARCH, **named, plan="pro") if "plan" not in named else change


def test_a_change_of_nothing_is_refused() -> None:
    with pytest.raises(InvalidValue, match=r"^plan: must be given, or another of the terms"):
        TermsChange(MARCH)


@pytest.mark.parametrize("kind", ["end", "cancel"])
def test_an_entry_that_ends_or_takes_back_changes_no_terms(kind: Any) -> None:
    assert TermsChange(MARCH, kind=kind).kind == kind
    with pytest.raises(InvalidValues) as caught:
        TermsChange(MARCH, kind=kind, plan="pro", limits={"tokens": None}, plan_version=1)
    assert [str(error.field) for error in caught.value.errors] == ["plan", "limits", "plan_version"]
    told = str(caught.value.errors[0])
    assert told == f"plan: must not be given for an entry of kind '{kind}', got 'pro'"


def test_another_kind_is_refused() -> None:
    wrong: Any = "resume"
    with pytest.raises(InvalidValue, match=r"^kind: must be one of change, end, cancel"):
        TermsChange(MARCH, kind=wrong)


def test_metrics_without_a_limit_any_more_are_sorted_and_named_once() -> None:
    change = TermsChange(MARCH, drop_limits=["b", "a", "b"])
    assert change.drop_limits == ("a", "b")
    assert change == TermsChange(MARCH, drop_limits=("a", "b"))


def test_a_limit_is_not_set_and_dropped_by_one_entry() -> None:
    with pytest.raises(InvalidValue, match=r"^drop_limits\.tokens: must not be dropped where"):
        TermsChange(MARCH, limits={"tokens": 5}, drop_limits=["runs", "tokens"])


@pytest.mark.parametrize("metrics", [5, [""], [None]])
def test_metrics_without_a_limit_are_names(metrics: Any) -> None:
    with pytest.raises((InvalidType, InvalidValue), match=r"^drop_limits"):
        TermsChange(MARCH, drop_limits=metrics)


def test_the_instant_of_a_change_is_kept_in_utc() -> None:
    east = timezone(timedelta(hours=9))
    change = TermsChange(datetime(2024, 3, 12, 9, tzinfo=east), plan="pro")
    assert change == TermsChange(MARCH, plan="pro")
    assert repr(change) == (
        "TermsChange(since=datetime.datetime(2024, 3, 12, 0, 0, tzinfo=datetime.timezone.utc), "
        "plan='pro')"
    )


@pytest.mark.parametrize(
    ("since", "message"),
    [
        (datetime(2024, 2, 1), "since: must have a timezone"),
        ("2024-02-01", "since: must be a datetime"),
        (None, "since: must be a datetime"),
    ],
)
def test_another_instant_of_a_change_is_refused(since: Any, message: str) -> None:
    with pytest.raises((InvalidType, InvalidValue), match=f"^{message}"):
        TermsChange(since, plan="pro")


def test_changes_are_equal_by_value_and_survive_pickling() -> None:
    change = TermsChange(MARCH, limits={"tokens": 5, "seats": None})
    same = TermsChange(MARCH, limits={"seats": None, "tokens": "5.0"})
    assert len({change, same, pickle.loads(pickle.dumps(change))}) == 1
    assert change != TermsChange(MARCH, limits={"tokens": 5})


@pytest.mark.parametrize(
    ("named", "field"),
    [
        (
            {"discounts": [Discount("a", percent=5)], "drop_discounts": ["b", "a"]},
            "drop_discounts.a",
        ),
        ({"maximum": USD_5, "drop_bounds": ["maximum"]}, "drop_bounds.maximum"),
        ({"minimum": USD_5, "drop_bounds": ["minimum"]}, "drop_bounds.minimum"),
    ],
)
def test_what_an_entry_sets_it_does_not_drop(named: Any, field: str) -> None:
    with pytest.raises(InvalidValue, match=rf"^{field}: must not be dropped where the same entry"):
        TermsChange(MARCH, **named)


def test_what_is_dropped_is_named_once_and_in_order() -> None:
    change = TermsChange(
        MARCH, drop_discounts=["b", "a", "b"], drop_bounds=["minimum", "maximum", "minimum"]
    )
    assert change.drop_discounts == ("a", "b")
    assert change.drop_bounds == ("maximum", "minimum")


def test_only_bounds_can_be_dropped_as_such() -> None:
    wrong: Any = ["limits"]
    with pytest.raises(InvalidValue, match=r"^drop_bounds\[0\]: must be one of maximum, minimum"):
        TermsChange(MARCH, drop_bounds=wrong)


def test_the_bounds_of_an_entry_agree() -> None:
    with pytest.raises(InvalidValue, match=r"^minimum: must not be above the maximum"):
        TermsChange(MARCH, maximum=USD_5, minimum=Money(501, "USD"))
