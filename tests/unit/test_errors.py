"""Errors: what they are caught as, what they say, and the path to the bad input."""

import copy
import pickle
import traceback
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction

import pytest
from tests.told import told

from overages import Period, errors
from overages.errors import (
    CurrencyMismatch,
    EventConflict,
    InvalidType,
    InvalidValue,
    InvalidValues,
    OveragesError,
    Path,
    UnknownCurrency,
    UnknownMetric,
    UnknownPlan,
    at,
    did_you_mean,
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
    assert str(error) == "USD and EUR can't be added or compared"
    assert (error.left, error.right) == ("USD", "EUR")


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("x" * 78, "'" + "x" * 78 + "'"),  # 80 characters with its quotes: in full
        ("x" * 79, "'" + "x" * 76 + "..."),
        ("\n", "'\\n'"),
        (Decimal("-0.15"), "-0.15"),
        (Fraction(7, 60), "7/60"),
        (datetime(2024, 2, 1, tzinfo=UTC), "2024-02-01T00:00:00+00:00"),
        (Unshowable(), "<Unshowable that can't be shown>"),
        pytest.param(10**5000, "<int that can't be shown>", id="10**5000"),
    ],
)
def test_a_message_shows_any_value_in_at_most_80_characters(value: object, shown: str) -> None:
    assert str(InvalidValue("used", value, "is bad")) == f"used: is bad, got {shown}"


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (("plans", "slug"), "plans.slug"),
        (("plans", 0), "plans[0]"),
        (("plans", 0, "tiers", 1, "up_to"), "plans[0].tiers[1].up_to"),
        (("limits", "line\nbreak"), "limits.line\\nbreak"),
        (("limits", "x" * 100), "limits." + "x" * 80),
        ((), ""),
    ],
)
def test_a_path_is_written_as_a_person_would(path: Path, text: str) -> None:
    assert InvalidValue(path, 1, "is bad").field == text


def test_a_field_goes_on_by_steps() -> None:
    assert at("tiers", 1, "up_to") == ("tiers", 1, "up_to") == at(("tiers", 1), "up_to")
    assert at("", "slug") == at((), "slug") == ("slug",)


def test_within_puts_the_field_behind_a_path_and_keeps_type_value_and_problem() -> None:
    outer = FLOAT.within("plans", 2)
    assert type(outer) is InvalidType
    assert (outer.path, outer.field) == (("plans", 2, "price"), "plans[2].price")
    assert (outer.value, outer.problem) == (FLOAT.value, FLOAT.problem)
    assert FLOAT.path == ("price",)


def test_within_says_whose_bill_it_was_unless_that_is_known() -> None:
    february, march = Period.month(2024, 2), Period.month(2024, 3)
    inner = NEGATIVE.within("plan", org_id="org-1", period=february)
    outer = inner.within(org_id="org-2", period=march)
    assert (outer.org_id, outer.period, outer.path) == ("org-1", february, ("plan", "included"))
    assert str(outer) == (
        "org-1, 2024-02-01 to 2024-03-01 UTC: plan.included: must not be negative, got -1"
    )


def test_an_error_without_a_field_has_an_org_all_the_same() -> None:
    assert str(OveragesError("no room").within(org_id="org-1")) == "org-1: no room"


def test_a_currency_mismatch_has_a_path() -> None:
    error = CurrencyMismatch("USD", "EUR").within("allowances", "tokens", "maximum")
    assert str(error) == "allowances.tokens.maximum: USD and EUR can't be added or compared"


def test_an_error_gathers_itself_alone() -> None:
    assert NEGATIVE.errors == (NEGATIVE,)


def test_several_errors_are_counted_with_their_fields() -> None:
    assert str(InvalidValues((NEGATIVE, FLOAT, NEGATIVE))) == "3 problems: included, price"
    assert str(InvalidValues((CurrencyMismatch("USD", "EUR"),))) == "1 problem"
    many = [InvalidValue(("tiers", n), n, "no") for n in range(6)]
    five = "tiers[0], tiers[1], tiers[2], tiers[3], tiers[4]"
    assert str(InvalidValues(many)) == f"6 problems: {five}, ..."


def test_the_names_that_the_module_exports_are_its_errors() -> None:
    public = [name for name in vars(errors) if not name.startswith("_")]
    classes = [name for name in public if isinstance(getattr(errors, name), type)]
    ours = [name for name in classes if issubclass(getattr(errors, name), OveragesError)]
    assert sorted(errors.__all__) == sorted(ours)


def test_a_traceback_says_each_of_several_errors_once() -> None:
    both = InvalidValues((NEGATIVE, FLOAT)).within("allowances", "tokens")
    text = "".join(traceback.format_exception(both))
    assert [text.count(f": {error}") for error in both.errors] == [1, 1]
    assert len(text.splitlines()) == 6


def test_several_errors_can_be_had_one_by_one() -> None:
    assert InvalidValues((NEGATIVE, FLOAT)).errors == (NEGATIVE, FLOAT)


def test_within_puts_each_of_several_errors_behind_the_path() -> None:
    both = InvalidValues((NEGATIVE, CurrencyMismatch("USD", "EUR"))).within("plans", 0)
    assert told(both) == (
        "2 problems:\n"
        "- plans[0].included: must not be negative, got -1\n"
        "- plans[0]: USD and EUR can't be added or compared"
    )


@pytest.mark.parametrize("error", ALL, ids=lambda error: type(error).__name__)
def test_an_error_survives_pickling_and_copying(error: OveragesError) -> None:
    for twin in (pickle.loads(pickle.dumps(error)), copy.copy(error), copy.deepcopy(error)):
        assert type(twin) is type(error)
        assert str(twin) == str(error)
        assert [e.args for e in twin.errors if e is not twin] == [
            e.args for e in error.errors if e is not error
        ]


def test_several_errors_are_an_exception_group_and_one_invalid_value() -> None:
    both = InvalidValues((NEGATIVE, FLOAT))
    assert isinstance(both, InvalidValue)
    assert both.exceptions == both.errors == (NEGATIVE, FLOAT)
    assert (both.path, both.value, both.problem) == ((), None, "2 problems")
    assert repr(both) == f"InvalidValues(({NEGATIVE!r}, {FLOAT!r}))"


def test_several_errors_say_whose_bill_it_was_where_all_are_of_one() -> None:
    february = Period.month(2024, 2)
    both = InvalidValues((NEGATIVE, FLOAT)).within(org_id="org-1", period=february)
    assert (both.org_id, both.period) == ("org-1", february)
    mixed = InvalidValues((NEGATIVE, FLOAT.within(org_id="org-2")))
    assert (mixed.org_id, mixed.period) == (None, None)


def test_except_star_tells_several_errors_apart() -> None:
    caught: list[object] = []
    try:
        raise InvalidValues((NEGATIVE, FLOAT))
    except* InvalidType as types:
        caught.append((types.exceptions, str(types)))
    except* InvalidValue as values:
        caught.append((values.exceptions, str(values)))
    assert caught == [
        ((FLOAT,), "1 problem: price"),
        ((NEGATIVE,), "1 problem: included"),
    ]


def test_a_misspelt_word_is_answered_with_the_one_it_resembles() -> None:
    assert did_you_mean("includd", ["included", "price"]) == " (did you mean 'included'?)"
    assert did_you_mean("usd", ["EUR", "USD"]) == " (did you mean 'USD'?)"
    assert did_you_mean("seats", ["tokens"]) == did_you_mean(5, ["tokens"]) == ""
