"""Errors: what they are caught as, what they say, and the path to the bad input."""

import copy
import pickle

import pytest

from overages.errors import (
    CurrencyMismatch,
    EventConflict,
    InvalidType,
    InvalidValue,
    InvalidValues,
    OveragesError,
    UnknownCurrency,
    UnknownMetric,
    UnknownPlan,
    join_path,
)

NEGATIVE = InvalidValue("included", -1, "must not be negative")
FLOAT = InvalidType("price", 0.1, "must be an int, a Decimal or a decimal string")
ALL = [
    NEGATIVE,
    FLOAT,
    UnknownCurrency("currency", "XYZ", "must be an ISO 4217 code"),
    UnknownMetric("metric", "gpu", "'gpu' is not in plan 'starter'"),
    UnknownPlan("plan", "gold", "must be a known plan"),
    CurrencyMismatch("USD", "EUR"),
    EventConflict("id", "evt-1", "was reported before"),
    InvalidValues((NEGATIVE, FLOAT)),
]


class Unshowable:
    def __repr__(self) -> str:
        raise RuntimeError


@pytest.mark.parametrize(
    ("leaf", "standard"),
    [
        (InvalidValue, ValueError),
        (InvalidType, TypeError),
        (InvalidValues, ValueError),
        (CurrencyMismatch, ValueError),
        (EventConflict, ValueError),
        (UnknownCurrency, LookupError),
        (UnknownMetric, LookupError),
        (UnknownPlan, LookupError),
    ],
)
def test_each_error_can_be_caught_as_the_standard_type(
    leaf: type[OveragesError], standard: type[Exception]
) -> None:
    assert issubclass(leaf, OveragesError)
    assert issubclass(leaf, standard)


def test_a_message_names_the_field_the_problem_and_the_value() -> None:
    assert str(NEGATIVE) == "included: must not be negative, got -1"


def test_an_error_carries_field_value_and_problem() -> None:
    assert (NEGATIVE.field, NEGATIVE.value, NEGATIVE.problem) == (
        "included",
        -1,
        "must not be negative",
    )


def test_the_message_of_an_unknown_metric_has_the_problem_alone() -> None:
    error = UnknownMetric("limits.gpu", "gpu", "'gpu' is not in plan 'starter'")
    assert str(error) == "limits.gpu: 'gpu' is not in plan 'starter'"


def test_a_currency_mismatch_names_both_currencies() -> None:
    error = CurrencyMismatch("USD", "EUR")
    assert str(error) == "currency: USD and EUR can't be added or compared"
    assert (error.left, error.right) == ("USD", "EUR")


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("x" * 78, "'" + "x" * 78 + "'"),  # 80 characters with its quotes: in full
        ("x" * 79, "'" + "x" * 76 + "..."),
        ("\n", "'\\n'"),
        (Unshowable(), "<Unshowable that can't be shown>"),
        pytest.param(10**5000, "<int that can't be shown>", id="10**5000"),
    ],
)
def test_a_message_shows_any_value_in_at_most_80_characters(value: object, shown: str) -> None:
    assert str(InvalidValue("used", value, "is bad")) == f"used: is bad, got {shown}"


@pytest.mark.parametrize(
    ("path", "field", "joined"),
    [
        ("plans", "slug", "plans.slug"),
        ("plans", "[0]", "plans[0]"),
        ("plans[0]", "tiers[1].up_to", "plans[0].tiers[1].up_to"),
        ("plan", "", "plan"),
        ("org-1, 2024-02: ", "usage", "org-1, 2024-02: usage"),
    ],
)
def test_a_dot_joins_a_field_to_a_path_but_no_index_and_no_phrase(
    path: str, field: str, joined: str
) -> None:
    assert join_path(path, field) == joined


def test_within_puts_the_field_behind_a_path_and_keeps_type_value_and_problem() -> None:
    inner = FLOAT.within("plans[2]")
    assert type(inner) is InvalidType
    assert inner.args == ("plans[2].price", 0.1, "must be an int, a Decimal or a decimal string")
    assert FLOAT.field == "price"


@pytest.mark.parametrize("error", [OveragesError("no"), CurrencyMismatch("USD", "EUR")])
def test_within_leaves_an_error_without_a_field_as_it_is(error: OveragesError) -> None:
    assert error.within("plans[2]") is error


def test_an_error_gathers_itself_alone() -> None:
    assert NEGATIVE.errors == (NEGATIVE,)


def test_several_errors_are_listed_one_to_a_line() -> None:
    assert str(InvalidValues((NEGATIVE, FLOAT))) == (
        "2 problems:\n"
        "- included: must not be negative, got -1\n"
        "- price: must be an int, a Decimal or a decimal string, got 0.1"
    )


def test_several_errors_can_be_had_one_by_one() -> None:
    assert InvalidValues((NEGATIVE, FLOAT)).errors == (NEGATIVE, FLOAT)


def test_within_puts_each_of_several_errors_behind_the_path() -> None:
    both = InvalidValues((NEGATIVE, CurrencyMismatch("USD", "EUR"))).within("plans[0]")
    assert str(both) == (
        "2 problems:\n"
        "- plans[0].included: must not be negative, got -1\n"
        "- currency: USD and EUR can't be added or compared"
    )


@pytest.mark.parametrize("error", ALL, ids=lambda error: type(error).__name__)
def test_an_error_survives_pickling_and_copying(error: OveragesError) -> None:
    for twin in (pickle.loads(pickle.dumps(error)), copy.copy(error), copy.deepcopy(error)):
        assert type(twin) is type(error)
        assert str(twin) == str(error)
        assert [e.args for e in twin.errors if e is not twin] == [
            e.args for e in error.errors if e is not error
        ]
