"""Parsers, and the gathering of all faults of an input."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from itertools import count
from typing import Any, Literal

import attrs
import pytest
from tests.told import told

from overages import Allowance, Currency, Money, Package, Period, PerUnit, Plan, Tier, Usage
from overages._ground.parsing import (
    Problems,
    arguments,
    choice_of,
    each,
    function_that,
    instance_of,
    int_up_to,
    optional,
    parse_all,
    parse_flag,
    tuple_of,
    unpacked,
)
from overages.amounts.exact import parse_non_negative
from overages.errors import Field, InvalidType, InvalidValue, InvalidValues, OveragesError

LOW = InvalidValue("low", -1, "must not be negative")
HIGH = InvalidValue("high", 99, "must be at most 10")


@pytest.fixture
def attrs_validators_off() -> Iterator[None]:
    attrs.validators.set_disabled(True)
    yield
    attrs.validators.set_disabled(False)


def test_optional_lets_none_pass() -> None:
    assert optional(parse_non_negative)(None, "limit") is None


def test_optional_gives_all_but_none_to_its_parser() -> None:
    assert optional(parse_non_negative)("5.0", "limit") == 5
    with pytest.raises(InvalidValue, match=r"^limit: must not be negative, got -1$"):
        optional(parse_non_negative)(-1, "limit")


def test_instance_of_returns_the_very_object() -> None:
    amount = Decimal("1.50")
    assert instance_of(Decimal)(amount, "amount") is amount


def test_instance_of_refuses_another_type_by_name() -> None:
    with pytest.raises(InvalidType, match=r"^period: must be of type Period, got '2024-02'$"):
        instance_of(Period)("2024-02", "period")


def test_a_choice_is_one_of_a_literals_strings() -> None:
    scope = choice_of(Literal["line", "total"])
    assert scope("total", "scope") == "total"
    message = r"^scope: must be one of line, total \(did you mean 'line'\?\), got 'lines'$"
    with pytest.raises(InvalidValue, match=message):
        scope("lines", "scope")


@pytest.mark.parametrize("value", ["", "LINE", "x", None, 1, ["line"]])
def test_a_choice_is_nothing_else(value: object) -> None:
    with pytest.raises(InvalidValue, match=r"^scope: must be one of line, total.*, got "):
        choice_of(Literal["line", "total"])(value, "scope")


@pytest.mark.parametrize("values", [[5, 7], (5, 7), iter([5, 7]), {5: "a", 7: "b"}])
def test_tuple_of_reads_any_iterable_once(values: Any) -> None:
    assert tuple_of(int)(values, "units") == (5, 7)


def test_tuple_of_nothing_is_empty() -> None:
    assert tuple_of(int)([], "units") == ()


def test_tuple_of_names_the_item_that_is_of_another_type() -> None:
    with pytest.raises(InvalidType, match=r"^units\[1\]: must be of type int, got '7'$"):
        tuple_of(int)([5, "7", 8], "units")


def test_tuple_of_refuses_what_can_not_be_iterated_over() -> None:
    with pytest.raises(InvalidType, match=r"^units: must be a list, or something else to iterate"):
        tuple_of(int)(5, "units")


@pytest.mark.parametrize("value", [True, False])
def test_flag_accepts_a_bool(value: bool) -> None:
    assert parse_flag(value, "flat_at_zero") is value


@pytest.mark.parametrize("value", [0, 1, None, "true"])
def test_flag_refuses_what_is_merely_truthy_or_falsy(value: object) -> None:
    with pytest.raises(InvalidType, match=r"^flat_at_zero: must be True or False, got "):
        parse_flag(value, "flat_at_zero")


@pytest.mark.parametrize("value", [1, 5])
def test_int_up_to_accepts_the_ints_from_1(value: int) -> None:
    assert int_up_to(5)(value, "count") == value


@pytest.mark.parametrize("value", [0, -1, 6])
def test_int_up_to_refuses_what_is_beyond(value: int) -> None:
    with pytest.raises(InvalidValue, match=r"^count: must be from 1 to 5, got "):
        int_up_to(5)(value, "count")


@pytest.mark.parametrize("value", [True, "1", 1.0, None])
def test_int_up_to_refuses_what_is_no_int(value: object) -> None:
    with pytest.raises(InvalidType, match=r"^count: must be an int, got "):
        int_up_to(5)(value, "count")


def test_parse_all_returns_what_each_parser_makes() -> None:
    assert parse_all((parse_non_negative, "5.0", "used"), (parse_flag, True, "soft")) == [5, True]


def test_parse_all_raises_a_single_fault_as_it_is() -> None:
    with pytest.raises(InvalidType, match=r"^soft: must be True or False, got 1$"):
        parse_all((parse_non_negative, 5, "used"), (parse_flag, 1, "soft"))


def test_parse_all_reports_every_fault_in_the_order_of_the_fields() -> None:
    with pytest.raises(InvalidValues) as caught:
        parse_all(
            (parse_non_negative, -1, "used"),
            (parse_non_negative, 5, "limit"),
            (parse_flag, 1, "soft"),
        )
    assert told(caught.value) == (
        "2 problems:\n- used: must not be negative, got -1\n- soft: must be True or False, got 1"
    )


def test_arguments_are_parsed_as_parse_all_does_and_told_by_their_names() -> None:
    parse_them = arguments(used=parse_non_negative, limit=parse_non_negative, soft=parse_flag)
    assert parse_them("5.0", 3, True) == (5, 3, True)
    with pytest.raises(InvalidType, match=r"^soft: must be True or False, got 1$"):
        parse_them(5, 3, 1)
    with pytest.raises(InvalidValues) as caught:
        parse_them(-1, 5, 1)
    assert told(caught.value) == (
        "2 problems:\n- used: must not be negative, got -1\n- soft: must be True or False, got 1"
    )


def test_each_argument_is_read_once_though_another_is_refused() -> None:
    parse_them = arguments(names=tuple_of(str), used=parse_non_negative, more=tuple_of(str))
    names, more = iter(["a"]), iter(["b", 1])
    with pytest.raises(InvalidValues) as caught:
        parse_them(names, -1, more)
    assert told(caught.value) == (
        "2 problems:\n- used: must not be negative, got -1\n- more[1]: must be of type str, got 1"
    )


def test_parse_all_looks_at_each_value_once() -> None:
    faults = [LOW]

    def fails_once(value: object, field: Field) -> object:
        if faults:
            raise faults.pop()
        return value, field

    with pytest.raises(InvalidValue) as caught:
        parse_all((fails_once, 1, "low"))
    assert caught.value is LOW


def test_attempt_returns_what_is_made() -> None:
    assert Problems().attempt(int, "ff", base=16) == 255


def test_attempt_keeps_an_error_and_returns_a_stand_in() -> None:
    problems = Problems()
    assert problems.attempt(parse_non_negative, -1, "used", path=("lines", 0)) is None
    with pytest.raises(InvalidValue, match=r"^lines\[0\]\.used: must not be negative, got -1$"):
        problems.raise_any()


def test_attempt_lets_foreign_errors_through() -> None:
    with pytest.raises(ZeroDivisionError):
        Problems().attempt(divmod, 1, 0)


def test_no_problem_raises_nothing() -> None:
    problems = Problems()
    problems.attempt(int, "7")
    problems.raise_any()


def test_one_problem_is_raised_as_the_very_error() -> None:
    problems = Problems()
    problems.add(LOW)
    with pytest.raises(InvalidValue) as caught:
        problems.raise_any()
    assert caught.value is LOW


def test_an_added_error_that_gathers_several_is_taken_apart() -> None:
    problems = Problems()
    problems.add(InvalidValues((LOW, HIGH)), path=("a",))
    problems.add(LOW, path=("b",))
    with pytest.raises(InvalidValues) as caught:
        problems.raise_any()
    assert [str(error) for error in caught.value.errors] == [
        "a.low: must not be negative, got -1",
        "a.high: must be at most 10, got 99",
        "b.low: must not be negative, got -1",
    ]


@pytest.mark.usefixtures("attrs_validators_off")
@pytest.mark.parametrize(
    "make",
    [
        lambda: Money(True, "USD"),
        lambda: Currency("USD", exponent=3),
        lambda: Period(datetime(2024, 2, 1), datetime(2024, 3, 1, tzinfo=UTC)),
        lambda: Tier("1e"),
        lambda: PerUnit(-1),
        lambda: Package(1, 0),
        lambda: Allowance(-1, PerUnit(1)),
        lambda: Plan("", "USD", {}),
        lambda: Usage("org-1", Period.month(2024, 2), {"tokens": -1}),
    ],
)
def test_values_are_checked_also_where_attrs_validators_are_switched_off(
    make: Callable[[], Any],
) -> None:
    with pytest.raises(OveragesError):
        make()


@pytest.mark.parametrize("value", [len, lambda: 0, dict])
def test_a_function_is_anything_that_can_be_called(value: object) -> None:
    assert function_that("takes an event")(value, "matching") is value


@pytest.mark.parametrize("value", ["len", 12, None])
def test_an_error_says_the_task_of_the_function_that_is_missing(value: object) -> None:
    with pytest.raises(InvalidType, match=r"^matching: must be a function that takes an event, go"):
        function_that("takes an event")(value, "matching")


def test_each_item_is_parsed_at_its_place() -> None:
    assert each(parse_flag)(iter([True, False]), "flags") == (True, False)
    with pytest.raises(InvalidType, match=r"^flags\[1\]: must be True or False, got 1$"):
        each(parse_flag)([True, 1], "flags")


@pytest.mark.parametrize("value", [(1, 2), [1, 2], iter((1, 2))])
def test_what_holds_one_item_for_each_name_is_unpacked(value: object) -> None:
    assert unpacked(value, "row", "units", "days") == (1, 2)


@pytest.mark.parametrize("value", [(), (1,), (1, 2, 3), count(), 5, None])
def test_what_holds_more_or_less_than_the_names_is_refused(value: object) -> None:
    with pytest.raises(InvalidValue, match=r"^row: must hold \(units, days\) alone"):
        unpacked(value, "row", "units", "days")


def test_reading_stops_at_a_hundred_problems() -> None:
    items = iter(range(1_000_000))

    def read() -> None:
        problems = Problems()
        problems.add(InvalidValues([LOW, HIGH] * 40))
        for item in items:
            problems.add(InvalidValues([LOW, HIGH, LOW]), ("items", item))

    outer = Problems()
    with pytest.raises(InvalidValues, match=r"^100 problems, after which reading st") as caught:
        outer.attempt(read, path=("plan",))
    assert len(caught.value.errors) == 100
    assert caught.value.errors[-1].path == ("plan", "items", 6, "high")
    assert next(items) == 7
