"""``overages schema``: the JSON Schemas of the two formats."""

import json

import pytest

from overages.codec import json_schema
from overages.commands.parser import main
from overages.imports.plans import json_schema as plans_schema


@pytest.mark.parametrize(
    ("arguments", "schema"),
    [([], plans_schema()), (["plans"], plans_schema()), (["values"], json_schema())],
)
def test_a_schema_is_printed(
    arguments: list[str], schema: object, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["schema", *arguments]) == 0
    assert json.loads(capsys.readouterr().out) == schema
