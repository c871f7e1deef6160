"""The forms of a host's own price models."""

from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from typing import Any

import pytest
from tests.texts import faults

from overages import Allowance, Money, Overage, PerUnit, Plan, Tier, TierCharge
from overages.codec import Codec, encode
from overages.errors import InvalidType, InvalidValue, OveragesError
from overages.prices.tier import Charge


@dataclass(frozen=True)
class Bands:
    """A host's own price model, of every type that the codec takes."""

    price: Any
    name: Any = "1"
    open: Any = True

    def charge(self, quantity: Any, /) -> Charge:
        return Charge([TierCharge(Tier(None, 1), quantity)])


BANDS = Codec(price_models=[Bands])
BANDS_TEXT = (
    '{"name":"1","open":true,"price":[{"number":"0.5"},{"tier":{"count":"started","flat":"0",'
    '"maximum":null,"per":"1","price":"2","size":null,"up_to":"5"}},null],"type":"Bands","version":"1"}'
)


def test_a_price_model_of_a_host_is_written_by_its_arguments() -> None:
    model = Bands((Decimal("0.50"), Tier(5, 2), None))
    assert BANDS.encode(model).decode() == BANDS_TEXT
    assert BANDS.decode(BANDS_TEXT, Bands) == model


@pytest.mark.parametrize(
    "argument",
    [5, Decimal("5.5"), -5, 10**999, "5", "", "\n", True, False, None, Tier(None, 1), (), (1, "1")],
)
def test_an_argument_of_a_host_keeps_its_type(argument: Any) -> None:
    again = BANDS.decode(BANDS.encode(Bands(argument)), Bands)
    assert again.price == argument
    assert type(again.price) is type(argument)


def test_a_number_of_a_host_has_the_one_form_of_a_quantity() -> None:
    assert BANDS.encode(Bands(Decimal("5.00"))) == BANDS.encode(Bands(5))
    assert repr(BANDS.decode(BANDS.encode(Bands(Decimal("5.00"))), Bands).price) == "5"


class Name(str, Enum):  # noqa: UP042 (what hosts have is often older than StrEnum)
    STANDARD = "standard"


def test_a_text_of_a_host_from_an_enum_is_its_text() -> None:
    assert type(BANDS.decode(BANDS.encode(Bands(Name.STANDARD)), Bands).price) is str


def test_a_plan_with_a_price_model_of_a_host_is_a_plan_like_any_other() -> None:
    plan = Plan("p", "USD", {"m": Allowance(5, Bands(1))})
    assert BANDS.decode(BANDS.encode(plan), Plan) == plan


@pytest.mark.parametrize(
    ("value", "path"),
    [
        (Plan("p", "USD", {"a": Allowance(1, PerUnit(1)), "b": Allowance(1, Bands(1))}),
         "allowances[1].price"),
        (Allowance(1, Bands(1)), "price"),
        (Overage("m", 1, 1, Bands(1), Money(1, "USD")), "price"),
    ],
)  # fmt: skip
def test_a_price_model_that_is_not_named_is_not_written(value: object, path: str) -> None:
    with pytest.raises(InvalidType) as caught:
        encode(value)
    assert str(caught.value).startswith(
        f"{path}: must be a price model of the library, "
        "or of a class that is named in Codec(price_models=[...]), got Bands(price=1"
    )


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        (Fraction(1, 2), "price: must be an int, a Decimal, a str, a bool, None, a Tier, or a tu"),
        (0.5, "price: must be an int, a Decimal, a str, a bool, None, a Tier, or a tuple of thes"),
        ([1], "price: must be an int, a Decimal, a str, a bool, None, a Tier, or a tuple of thes"),
        ((1, (2,)), "price[1]: must be an int, a Decimal, a str, a bool, None, a Tier, or a tuple"),
        (Decimal("NaN"), "price: must be a finite number, got NaN"),
        (Decimal("1E+1000"), "price: must have at most 1000 digits on a side, got 1E+1000"),
        ("\ud800", "price: must not hold lone surrogates, got '\\ud800'"),
    ],
)
def test_what_can_not_be_written_of_a_host_is_named(argument: Any, message: str) -> None:
    with pytest.raises(OveragesError) as caught:
        BANDS.encode(Bands(argument))
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('{"number":"0.5"}', "0.5", "price[0]: must be a str, got 0.5"),
        ('{"number":"0.5"}', '{"number":"0.50"}', "price[0].number: must be a number in its plai"),
        ('{"number":"0.5"}', "{}", "price[0].number: must be given, got None"),
        ('{"number":"0.5"}', '{"number":"1","number":"1"}', "price[0].number: must be given once"),
        ('{"number":"0.5"}', '{"tier":{},"number":"1"}', "price[0].number: isn't known; known he"),
        ('{"number":"0.5"}', "[[]]", "price[0]: must be a str, got [[]]"),
        ('"up_to":"5"', '"up_to":"05"', "price[1].tier.up_to: must be a number in its plain form"),
        ('"open":true', '"shut":true', "shut: isn't known; known here are price, name, open, got"),
    ],
)
def test_a_fault_of_a_host_s_price_model_is_named_with_its_path(
    old: str, new: str, message: str
) -> None:
    found = faults(BANDS_TEXT.replace(old, new), codec=BANDS)
    assert found[0].startswith(message)


@dataclass(frozen=True)
class Strict:
    """A price model that changes its argument, or refuses it in an error of its own."""

    price: Any
    note: str = field(default="", kw_only=True)

    def __post_init__(self) -> None:
        object.__setattr__(self, "price", int(self.price))
        if self.price < 0:
            raise InvalidValue("price", self.price, "must not be negative")

    def charge(self, quantity: Any, /) -> Charge:
        return Charge([TierCharge(Tier(None, 1), quantity)])


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ('"5"', "price: must hold the arguments of Strict as it keeps them, got {'price': '5'}"),
        ('"five"', "price.type: must be made of what Strict takes, got ValueError("),
        ("null", "price.type: must be made of what Strict takes, got TypeError("),
        ('{"number":"-5"}', "price.price: must not be negative, got -5"),
    ],
)
def test_what_a_host_s_constructor_changes_or_refuses_is_refused(
    argument: str, message: str
) -> None:
    codec = Codec(price_models=[Strict])
    price = f'{{"type":"Strict","price":{argument}}}'
    (found,) = faults(
        f'{{"type":"Allowance","version":"1","included":"5","price":{price}}}', codec=codec
    )
    assert found.startswith(message)


def test_what_changes_its_arguments_is_refused_as_a_whole_too() -> None:
    codec = Codec(price_models=[Strict])
    assert codec.decode(codec.encode(Strict(5)), Strict) == Strict(5)
    (found,) = faults('{"type":"Strict","version":"1","price":"5"}', codec=codec)
    assert found.startswith("data: must hold the arguments of Strict as it keeps them, got ")


def test_a_price_model_that_would_not_come_back_equal_is_not_written() -> None:
    codec = Codec(price_models=[Strict])
    with pytest.raises(InvalidType, match=r"^value: must equal what Strict makes of its __match_a"):
        codec.encode(Strict(5, note="kept nowhere"))
    with pytest.raises(InvalidType, match=r"^price: must equal what Strict makes of its __match_a"):
        codec.encode(Allowance(5, Strict(5, note="kept nowhere")))


class Forgetful:
    __match_args__ = ("price",)

    def __init__(self, price: object) -> None:
        del price

    def charge(self, quantity: Any, /) -> Charge:
        return Charge([TierCharge(Tier(None, 1), quantity)])


def test_a_price_model_without_its_arguments_is_refused() -> None:
    codec = Codec(price_models=[Forgetful])
    message = "price.type: must keep what its __match_args__ name, got AttributeError("
    with pytest.raises(InvalidType) as caught:
        codec.encode(Allowance(5, Forgetful(5)))
    assert str(caught.value).startswith(message)
    price = '{"type":"Forgetful","price":"5"}'
    (found,) = faults(
        f'{{"type":"Allowance","version":"1","included":"5","price":{price}}}', codec=codec
    )
    assert found.startswith(message)


class Nameless:
    def charge(self, quantity: Any, /) -> Charge:
        return Charge([TierCharge(Tier(None, 1), quantity)])


def named(name: str, *arguments: str) -> type:
    return type(name, (Nameless,), {"__match_args__": arguments})


@pytest.mark.parametrize(
    ("models", "messages"),
    [
        (5, ["price_models: must be a list, or something else to iterate over, got 5"]),
        ([Bands(1)], ["price_models[0]: must be a class of price models, got Bands("]),
        ([int], ["price_models[0]: must be a class of price models, got <class 'int'>"]),
        ([Nameless], ["price_models[0]: must have __match_args__, as a dataclass has, but neit"]),
        ([named("A", "type")], ["price_models[0]: must have __match_args__, as a dataclass has"]),
        ([named("A", "version")], ["price_models[0]: must have __match_args__, as a dataclass"]),
        ([named("Plan")], ["price_models[0]: must have a name that no other class has, got "]),
        ([PerUnit], ["price_models[0]: must have a name that no other class has, got "]),
        (
            [named("A"), named("A"), int],
            [
                "price_models[1]: must have a name that no other class has, got ",
                "price_models[2]: must be a class of price models, got <class 'int'>",
            ],
        ),
    ],
)
def test_price_models_are_classes_with_names_of_their_own(models: Any, messages: list[str]) -> None:
    with pytest.raises(OveragesError) as caught:
        Codec(price_models=models)
    found = [str(error) for error in caught.value.errors]
    assert len(found) == len(messages)
    assert all(one.startswith(other) for one, other in zip(found, messages, strict=True))
