"""The forms of a host's own price models: derived from its annotations, and held to them."""

from dataclasses import dataclass, make_dataclass
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from typing import Any, Literal

import attrs
import pytest
from tests.texts import faults

from overages import Allowance, Money, Overage, PerUnit, Plan, PriceModel, Tier, TierCharge
from overages.codec import Codec, encode, json_schema
from overages.errors import InvalidType, InvalidValue, OveragesError
from overages.prices.tier import Charge


class Free:
    def charge(self, quantity: Any, /) -> Charge:
        return Charge([TierCharge(Tier(None, 1), quantity)])


class Season(Enum):
    SUMMER = "summer"
    WINTER = "winter"


@dataclass(frozen=True)
class Bands(Free):
    """A host's own price model, with a field of every type that has a form."""

    price: int | Decimal
    tiers: tuple[Tier, ...] = ()
    exact: Decimal | Fraction = Decimal(1)
    fee: Decimal | None = None
    steps: int = 0
    ratio: Fraction = Fraction(1)
    name: str = "1"
    open: bool = True
    season: Season | None = None
    way: Literal["up", "down"] = "up"


BANDS = Codec(price_models=[Bands])
BANDS_TEXT = (
    '{"exact":"1/3","fee":"5","name":"ö","open":false,"price":"0.5","ratio":"7","season":"winter",'
    '"steps":"3","tiers":[{"price":"2","up_to":"5"}],"type":"Bands","version":"1","way":"down"}'
)
FULL = Bands(
    Decimal("0.50"),
    (Tier(5, 2),),
    Fraction(1, 3),
    Decimal(5),
    3,
    Fraction(7),
    "ö",
    False,
    Season.WINTER,
    "down",
)


def test_a_price_model_of_a_host_is_written_by_its_arguments() -> None:
    assert BANDS.encode(FULL).decode() == BANDS_TEXT
    assert BANDS.decode(BANDS_TEXT, Bands) == FULL


def test_what_is_at_its_default_is_left_out() -> None:
    assert BANDS.encode(Bands(5)) == b'{"price":"5","type":"Bands","version":"1"}'


def test_an_argument_of_a_host_keeps_its_type() -> None:
    again = BANDS.decode(BANDS_TEXT, Bands)
    assert {name: type(part) for name, part in vars(again).items()} == {
        name: type(part) for name, part in vars(FULL).items()
    }


def test_a_number_of_a_host_has_the_one_form_of_a_quantity() -> None:
    assert BANDS.encode(Bands(Decimal("5.00"))) == BANDS.encode(Bands(5))
    assert repr(BANDS.decode(BANDS.encode(Bands(Decimal("5.00"))), Bands).price) == "5"


def test_a_plan_with_a_price_model_of_a_host_is_a_plan_like_any_other() -> None:
    plan = Plan("p", "USD", {"m": Allowance(5, Bands(1))})
    assert BANDS.decode(BANDS.encode(plan), Plan) == plan


@dataclass(frozen=True)
class Both(Free):
    """A price model of a host's own that holds others."""

    models: tuple[PriceModel, ...]


def test_a_price_model_of_a_host_may_hold_others() -> None:
    codec = Codec(price_models=[Both])
    both = Both((PerUnit(1), Both((PerUnit(2),))))
    assert codec.decode(codec.encode(both), Both) == both
    assert codec.json_schema(Both)["$defs"]["Both"]["properties"]["type"] == {"enum": ["Both"]}


def test_its_schema_is_among_those_of_prices() -> None:
    assert "Bands" not in json_schema(Allowance)["$defs"]
    assert "Bands" in BANDS.json_schema(Allowance)["$defs"]


@pytest.mark.parametrize(
    ("value", "path"),
    [
        (Plan("p", "USD", {"a": Allowance(1, PerUnit(1)), "b": Allowance(1, Bands(1))}),
         "allowances[1].price"),
        (Allowance(1, Bands(1)), "price"),
        (Overage("m", 1, 1, Bands(1), Money(0, "USD")), "price"),
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
    ("model", "message"),
    [
        (Bands(0.5), "price: must be an int, a Decimal or a Fraction, got 0.5"),  # type: ignore[arg-type]
        (Bands(Decimal("NaN")), "price: must be a finite number, got NaN"),
        (Bands(Decimal("1E+1000")), "price: must have at most 1000 digits on a side, got 1E+1000"),
        (Bands(1, name="\ud800"), "name: must not hold lone surrogates, got '\\ud800'"),
        (Bands(1, way="left"), "way: must be one of up, down, got 'left'"),  # type: ignore[arg-type]
        (Bands(1, steps=Decimal("0.5")), "steps: must be a whole number, got '0.5'"),  # type: ignore[arg-type]
        (Bands(1, tiers=[Tier(5, 2)]), "value: must equal what Bands makes of its arguments, got"),  # type: ignore[arg-type]
    ],
    ids=lambda part: str(part)[:20],
)
def test_what_is_not_of_its_type_is_not_written(model: Bands, message: str) -> None:
    with pytest.raises(OveragesError) as caught:
        BANDS.encode(model)
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            '"price":"0.5"',
            '"price":0.5',
            "price: must be a plain decimal number such as 12.5, in a",
        ),
        ('"price":"0.5"', '"price":"0.50"', "price: must be \"0.5\", got '0.50'"),
        ('"price":"0.5",', "", "price: must be given, got None"),
        ('"up_to":"5"', '"up_to":"05"', "tiers[0].up_to: must be \"5\", got '05'"),
        ('"open":false', '"shut":true', "shut: isn't known; known here are type, price, tiers"),
        ('"ratio":"7"', '"ratio":"x"', "ratio: must be a plain number such as 12.5 or 7/60, got '"),
        ('"winter"', '"autumn"', "season: must be one of summer, winter, got 'autumn'"),
    ],
)
def test_a_fault_of_a_host_s_price_model_is_named_with_its_path(
    old: str, new: str, message: str
) -> None:
    assert old in BANDS_TEXT
    (found,) = faults(BANDS_TEXT.replace(old, new), codec=BANDS)
    assert found.startswith(message)


@attrs.frozen
class Strict(Free):
    """A price model that changes its argument, or refuses it in an error of its own."""

    price: int | Decimal = attrs.field(converter=int)
    note: str = attrs.field(default="", init=False)

    def __attrs_post_init__(self) -> None:
        if self.price > 5:
            raise ZeroDivisionError
        if self.price < 0:
            raise InvalidValue("price", self.price, "must not be negative")


STRICT = Codec(price_models=[Strict])
BASE = '{"type":"Allowance","version":"1","included":"5","price":{"type":"Strict","price":"?"}}'


@pytest.mark.parametrize(
    ("price", "message"),
    [
        ("0.5", "price.price: must be \"0\", got '0.5'"),
        ("7", "price: must be made of what Strict takes, got ZeroDivisionError()"),
        ("-5", "price.price: must not be negative, got -5"),
    ],
)
def test_what_a_host_s_constructor_changes_or_refuses_is_refused(price: str, message: str) -> None:
    text = BASE.replace("?", price)
    assert faults(text, codec=STRICT) == [message]


def test_what_its_constructor_raises_is_a_fault_of_the_text() -> None:
    (found,) = faults('{"type":"Strict","version":"1","price":"7"}', codec=STRICT)
    assert found == "data: must be made of what Strict takes, got ZeroDivisionError()"


def test_a_price_model_that_would_not_come_back_equal_is_not_written() -> None:
    odd = Strict(5)
    object.__setattr__(odd, "note", "kept nowhere")
    with pytest.raises(InvalidType, match=r"^value: must equal what Strict makes of its arguments"):
        STRICT.encode(odd)
    with pytest.raises(InvalidType, match=r"^price: must equal what Strict makes of its arguments"):
        STRICT.encode(Allowance(5, odd))


class Forgetful(Free):
    price: int

    def __init__(self, price: int) -> None:
        del price


def test_a_price_model_that_forgets_its_arguments_is_not_written() -> None:
    codec = Codec(price_models=[Forgetful])
    message = r"^price: must keep the arguments of Forgetful, got AttributeError\("
    with pytest.raises(InvalidType, match=message):
        codec.encode(Allowance(5, Forgetful(5)))


def named(name: str, **arguments: Any) -> type:
    return make_dataclass(name, list(arguments.items()), bases=(Free,), frozen=True)


class Untyped(Free):
    def __init__(self, price: object) -> None:
        self.price = price


@pytest.mark.parametrize(
    ("models", "messages"),
    [
        (5, ["price_models: must be a list, or something else to iterate over, got 5"]),
        ([Bands(1)], ["price_models[0]: must be a class of price models, got Bands("]),
        ([int], ["price_models[0]: must be a class of price models, got <class 'int'>"]),
        ([Untyped], ["price_models[0]: must have an annotated attribute for each argument, as a"]),
        (
            [named("A", price=float)],
            ["price_models[0]: must have an annotated attribute for each argument, as a d"],
        ),
        (
            [named("A", price=tuple[int, str])],
            ["price_models[0]: must have an annotated attribute for each argument, as a datac"],
        ),
        ([named("A", type=str)], ["price_models[0]: must have no argument type or version, got"]),
        ([named("A", version=str)], ["price_models[0]: must have no argument type or version, g"]),
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
    ids=str,
)
def test_price_models_are_classes_with_names_of_their_own(models: Any, messages: list[str]) -> None:
    with pytest.raises(OveragesError) as caught:
        Codec(price_models=models)
    found = [str(error) for error in caught.value.errors]
    assert len(found) == len(messages)
    assert all(one.startswith(other) for one, other in zip(found, messages, strict=True))
