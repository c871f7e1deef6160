"""FastAPI takes values as bodies and returns them, without glue."""

import json
from typing import Annotated, Any

import pytest

from overages import Period, Plan, Statement, Usage, calculate
from overages.codec import from_builtins, to_builtins

for needed in ("fastapi", "httpx2"):
    pytest.importorskip(needed)
jsonschema = pytest.importorskip("jsonschema")

from fastapi import Body, FastAPI  # noqa: E402
from fastapi.testclient import TestClient  # noqa: E402

app = FastAPI()


@app.post("/calculate")
def price_usage(plan: Annotated[Plan, Body()], usage: Annotated[Usage, Body()]) -> Statement:
    return calculate(plan, usage)


@app.put("/plans/{slug}")
def put_plan(slug: str, plan: Annotated[Plan, Body()]) -> Plan:
    assert plan.slug == slug
    return plan


CLIENT = TestClient(app)
BODY: dict[str, Any] = {
    "slug": "starter",
    "currency": "USD",
    "allowances": [
        {"metric": "tokens", "included": "500000", "price": {"type": "PerUnit", "price": "0.0001"}}
    ],
}
USAGE = {
    "org_id": "org-123",
    "period": Period.month(2024, 2).isoformat(),
    "quantities": {"tokens": "750000"},
}


def test_a_plan_is_taken_and_returned() -> None:
    answer = CLIENT.put("/plans/starter", json=BODY)
    assert (answer.status_code, answer.json()) == (200, BODY)


def test_a_statement_is_returned_with_its_amounts() -> None:
    answer = CLIENT.post("/calculate", json={"plan": BODY, "usage": USAGE})
    assert answer.status_code == 200
    statement = from_builtins(answer.json(), Statement)
    plan, usage = from_builtins(BODY, Plan), from_builtins(USAGE, Usage)
    assert statement == calculate(plan, usage)
    assert answer.json()["total"] == {"amount": "25.00", "currency": "USD"}
    (line,) = answer.json()["lines"]
    assert (line["used"], line["limit"], line["quantity"]) == ("750000", "500000", "250000")
    assert (line["exact_cost"], line["cost"]["amount"]) == ("25", "25.00")
    assert answer.json() == to_builtins(statement)


def test_faults_of_a_body_are_all_named_with_their_paths() -> None:
    body = {**BODY, "currency": "usd", "allowances": [{**BODY["allowances"][0], "included": "-1"}]}
    answer = CLIENT.put("/plans/starter", json=body)
    assert answer.status_code == 422
    assert [(fault["loc"], fault["msg"]) for fault in answer.json()["detail"]] == [
        (
            ["body", "currency"],
            "must be an ISO 4217 code such as USD, or a Currency with an exponent (did you mean "
            "'USD'?), got 'usd'",
        ),
        (["body", "allowances", 0, "included"], "must not be negative, got -1"),
    ]


def test_the_description_has_the_classes_and_takes_what_is_sent() -> None:
    described = CLIENT.get("/openapi.json").json()
    schemas = described["components"]["schemas"]
    assert {"Money", "Plan", "Statement", "Usage", "Overage", "PerUnit"} <= schemas.keys()
    answer = described["paths"]["/calculate"]["post"]["responses"]["200"]
    assert answer["content"]["application/json"]["schema"] == {
        "$ref": "#/components/schemas/Statement"
    }
    plan = {"$ref": "#/components/schemas/Plan", "components": described["components"]}
    jsonschema.Draft202012Validator(plan).validate(BODY)
    text = json.dumps(schemas)
    assert "units that cost nothing" in text
