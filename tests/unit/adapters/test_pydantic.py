"""Values in models of pydantic, and in FastAPI."""

import json
from typing import Any

import pytest
from tests.texts import TEXTS

from overages import Allowance, Money, Period, PerUnit, Plan
from overages.forms.json import KINDS

pydantic = pytest.importorskip("pydantic")
jsonschema = pytest.importorskip("jsonschema")

VALUES = [value for value, _ in TEXTS]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_class_is_known_to_pydantic(kind: type) -> None:
    adapter = pydantic.TypeAdapter(kind)
    jsonschema.Draft202012Validator.check_schema(adapter.json_schema())


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
def test_a_value_is_written_and_read_by_a_model(value: Any) -> None:
    model = pydantic.create_model("Model", held=type(value), by_name=dict[str, type(value)])  # type: ignore[misc]
    made = model(held=value, by_name={"a": value})
    text = made.model_dump_json()
    assert model.model_validate_json(text) == made
    assert made.model_dump()["held"] is value
    for mode in ("validation", "serialization"):
        schema = model.model_json_schema(mode=mode)
        jsonschema.Draft202012Validator(schema).validate(json.loads(text))


class Offer(pydantic.BaseModel):  # type: ignore[name-defined, misc]
    plan: Plan
    fee: Money | None = None
    period: Period | None = None


PLAN = {
    "slug": "starter",
    "currency": "USD",
    "allowances": [
        {"metric": "tokens", "included": 500_000, "price": {"type": "PerUnit", "price": "0.00010"}}
    ],
}


def test_a_body_may_spell_numbers_as_it_likes() -> None:
    offer = Offer.model_validate({"plan": PLAN, "fee": {"amount": 49, "currency": "USD"}})
    assert offer.plan == Plan("starter", "USD", {"tokens": Allowance(500_000, PerUnit("0.0001"))})
    assert offer.fee == Money(4900, "USD")


def test_each_fault_of_a_body_has_its_path() -> None:
    allowance = {"metric": "tokens", "included": 0.5, "price": {"type": "PerUnit", "prize": "1"}}
    body = {"plan": {**PLAN, "slug": "", "allowances": [allowance]}, "period": "2024"}
    with pytest.raises(pydantic.ValidationError) as caught:
        Offer.model_validate_json(json.dumps(body))
    faults = {fault["loc"]: (fault["type"], fault["msg"]) for fault in caught.value.errors()}
    price = ("plan", "allowances", 0, "price")
    assert faults == {
        ("plan", "slug"): ("invalid_value", "must not be empty, got ''"),
        ("plan", "allowances", 0, "included"): (
            "invalid_type",
            "must be a plain decimal number such as 12.5, in a string, got 0.5",
        ),
        (*price, "price"): ("invalid_value", "must be given, got None"),
        (*price, "prize"): (
            "invalid_value",
            "isn't known (did you mean 'price'?); known here are type, price, per, got '1'",
        ),
        ("period",): (
            "invalid_value",
            "must be a start and an end with a slash between, got '2024'",
        ),
    }


def test_a_schema_refers_to_each_class_once() -> None:
    schema = Offer.model_json_schema()
    assert {"Money", "Plan", "Tier", "Exchanged", "PerUnit"} <= schema["$defs"].keys()
    assert schema["properties"]["plan"] == {"$ref": "#/$defs/Plan"}
