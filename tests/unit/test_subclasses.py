"""Objects that say of themselves what isn't so: their base class is asked, or they are refused."""

from datetime import UTC, date, datetime, time
from decimal import Decimal
from fractions import Fraction
from typing import Any, Literal
from unittest.mock import Mock

import pytest

from overages import (
    Allowance,
    Currency,
    Graduated,
    Grant,
    Money,
    Period,
    PerUnit,
    Plan,
    Rounding,
    Statement,
    Tier,
    Usage,
    UsageEvent,
    calculate,
)
from overages._ground.names import parse_name
from overages._ground.parsing import choice_of, instance_of, parse_int
from overages.amounts.exact import (
    parse_amount,
    parse_non_negative,
    parse_quantity,
    parse_ratio,
    parse_sum,
)
from overages.amounts.money import parse_currency
from overages.amounts.rounding import allocate
from overages.errors import InvalidType, InvalidValue, OveragesError
from overages.forms.scalars import TEXT, number_form
from overages.periods.period import parse_instant
from overages.prices.tier import Charge

NOON = datetime(2024, 2, 1, 12, tzinfo=UTC)
FEBRUARY = Period.month(2024, 2)


def _true(*_: object) -> bool:
    return True


def _five(*_: object) -> int:
    return 5


class Int(int):
    __int__ = __index__ = __abs__ = __neg__ = _five
    __eq__ = __lt__ = __gt__ = __le__ = __ge__ = _true
    __hash__ = int.__hash__


class Exact(Decimal):
    def as_tuple(self) -> Any:
        return Decimal(5).as_tuple()

    def as_integer_ratio(self) -> tuple[int, int]:
        return 5, 1

    adjusted = __int__ = _five
    __eq__ = __lt__ = __gt__ = __le__ = __ge__ = _true
    __hash__ = Decimal.__hash__


class Ratio(Fraction):
    numerator = denominator = _numerator = _denominator = 5


class Text(str):
    __slots__ = ()
    __len__ = _five
    __eq__ = isascii = isprintable = _true
    __hash__ = str.__hash__

    def __str__(self) -> str:
        return "5"

    def encode(self, *_: Any) -> bytes:
        return b"5"


class Instant(datetime):
    def astimezone(self, _: Any = None) -> Any:
        return "5"

    def utcoffset(self) -> Any:
        return 5

    def date(self) -> date:
        return date(1, 1, 1)

    def timetz(self) -> time:
        return time()


QUANTITIES = [parse_quantity, parse_non_negative, parse_sum]


@pytest.mark.parametrize("parse", [*QUANTITIES, parse_int, parse_amount, parse_ratio])
def test_an_int_is_what_int_reads(parse: Any) -> None:
    made = parse(Int(7), "units")
    assert type(made) in {int, Decimal, Fraction}
    assert str(made) == "7"


@pytest.mark.parametrize("parse", [*QUANTITIES, parse_amount, parse_ratio])
def test_a_decimal_is_what_decimal_reads(parse: Any) -> None:
    made = parse(Exact("2.50"), "units")
    assert type(made) in {Decimal, Fraction}
    assert made == Fraction(5, 2)
    assert parse(Exact(7), "units") == 7


@pytest.mark.parametrize("liar", [Int(-7), Exact(-7), Text("-7")])
def test_a_number_is_bounded_by_what_it_is(liar: Any) -> None:
    with pytest.raises(InvalidValue, match=r"^units: must not be negative, got "):
        parse_non_negative(liar, "units")


@pytest.mark.parametrize("liar", [Int(10**26), Exact("1e26"), Text("1" + "0" * 26)])
def test_a_number_is_as_long_as_it_is(liar: Any) -> None:
    with pytest.raises(InvalidValue, match=r"^units: must have at most 26 integer digits"):
        parse_quantity(liar, "units")


def test_a_ratio_of_a_subclass_is_refused() -> None:
    for parse in (parse_amount, parse_ratio, parse_quantity):
        with pytest.raises(InvalidType, match=r"^share: must be an int, a Decimal or a"):
            parse(Ratio(1, 3), "share")
    with pytest.raises(InvalidType, match=r"^value: must be an int"):
        Rounding.UP.round(Ratio(1, 3))


def test_a_whole_number_is_split_as_it_is() -> None:
    assert allocate(Int(-3), [1, 2]) == (-1, -2)


@pytest.mark.parametrize(("text", "fault"), [("a\u200bb", "a format character"), (" a", "a space")])
def test_a_name_is_the_text_that_it_is(text: str, fault: str) -> None:
    with pytest.raises(InvalidValue, match=rf"^org_id: must not h.* {fault}"):
        parse_name(Text(text), "org_id")
    with pytest.raises(InvalidValue, match=r"^org_id: must have at most 255 bytes"):
        parse_name(Text("ä" * 128), "org_id")
    assert type(parse_name(Text("a"), "org_id")) is str


def test_a_text_equals_no_choice_but_itself() -> None:
    choose = choice_of(Literal["line", "total"])
    assert type(choose(Text("line"), "scope")) is str
    with pytest.raises(InvalidValue, match=r"^scope: must be one of line, total, got 'x'"):
        choose(Text("x"), "scope")
    with pytest.raises(OveragesError, match=r"^currency: must be an ISO 4217 code"):
        parse_currency(Text("XXZ"), "currency")
    assert parse_currency(Text("USD"), "currency") == Currency("USD")


def test_texts_of_forms_are_plain() -> None:
    assert type(TEXT.read(Text("a"), "text")) is str
    with pytest.raises(InvalidValue, match=r"^units: must be a whole number, got "):
        number_form({int}).read(Text("x"), "units")


def test_an_instant_is_the_time_that_datetime_reads() -> None:
    made = parse_instant(Instant(2024, 2, 1, 12, 30, 0, 7, UTC), "at")
    assert (type(made), made.isoformat()) == (datetime, "2024-02-01T12:30:00.000007+00:00")
    with pytest.raises(InvalidValue, match=r"^at: must have a timezone"):
        parse_instant(Instant(2024, 2, 1), "at")


@pytest.mark.parametrize("kind", [int, Decimal, str, datetime, Money, Period])
def test_what_only_says_that_it_is_of_a_class_is_not(kind: Any) -> None:
    mock: Any = Mock(spec=kind)
    assert isinstance(mock, kind)
    refusals: list[Any] = [
        lambda: parse_quantity(mock, "x"),
        lambda: parse_amount(mock, "x"),
        lambda: parse_name(mock, "x"),
        lambda: parse_instant(mock, "x"),
        lambda: parse_currency(mock, "x"),
        lambda: instance_of(kind)(mock, "x"),
        lambda: Grant("g", mock, metric="a", effective_at=NOON),
    ]
    for refuse in refusals:
        with pytest.raises(InvalidType):
            refuse()


@pytest.mark.parametrize("name", ["plan", "usage"])
def test_calculate_takes_what_is_a_plan_and_a_usage(name: str) -> None:
    plan = Plan("p", "USD", {"a": Allowance(5, PerUnit(1))})
    named: Any = {"plan": plan, "usage": Usage("o", FEBRUARY, {"a": 7})}
    named[name] = Mock(spec=type(named[name]))
    with pytest.raises(InvalidType, match=f"(^|: ){name}: must be a"):
        calculate(**named)


@pytest.mark.parametrize(
    "kind", [Money, Period, Plan, Usage, UsageEvent, Statement, Charge, Tier, Graduated, PerUnit]
)
def test_a_class_of_values_has_no_subclass(kind: type) -> None:
    with pytest.raises(TypeError, match=f"^{kind.__name__} is final: "):
        type("Lying", (kind,), {})
