"""The names that a user may rely on, and that they are where they are said to be."""

import ast
import importlib
import inspect
import subprocess
import sys

import pytest

import overages

NAMES = [
    "Account", "Adjustment", "Allowance", "Balance", "Burndown", "CarriedUnits", "CarryOver",
    "CarryOverResult", "ChainHead", "Charge", "Commitment", "Conversion", "Currency", "Cycle",
    "Discount", "Draw", "Exchanged", "Graduated", "Grant", "GrantBalance", "Increment",
    "LimitPart", "MemoryRepository", "Meter", "Metric", "MetricTotal", "Money", "Overage",
    "OverageRecord", "OverageService", "Package", "PerUnit", "Percentage", "Period", "Plan",
    "PoolShare", "PooledStatement", "PriceModel", "Proration", "Recording", "Repository",
    "Rounding", "Settlement", "SqliteRepository", "Statement", "Summary", "Tier", "TierCharge",
    "TransactionFee", "Usage", "UsageEvent", "Volume", "aggregate",
    "calculate", "calculate_many", "charge_between", "meter", "pool", "settle",
]  # fmt: skip


def test_the_public_names_are_these_and_no_others() -> None:
    assert sorted(overages.__all__) == NAMES == overages.__all__
    assert set(NAMES) <= set(dir(overages))


def test_what_a_type_checker_sees_is_what_a_program_gets() -> None:
    """The names stand in the module twice: in imports for type checkers, and in a table."""
    tree = ast.parse(inspect.getsource(overages))
    guarded = next(node for node in tree.body if isinstance(node, ast.If))
    imports = [node for node in guarded.body if isinstance(node, ast.ImportFrom)]
    seen = {str(node.module): sorted(alias.name for alias in node.names) for node in imports}
    table = vars(overages)["_HOMES"]
    assert seen == {f"overages.{home}": names for home, names in table.items()}
    assert sorted(name for names in table.values() for name in names) == NAMES
    for home, names in table.items():
        module = importlib.import_module(f"overages.{home}")
        assert all(getattr(overages, name) is getattr(module, name) for name in names)


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'overages' has no attribute 'calculator'"):
        overages.calculator  # type: ignore[attr-defined]  # noqa: B018


@pytest.mark.parametrize("name", NAMES)
def test_a_public_name_is_documented(name: str) -> None:
    documentation = inspect.getdoc(getattr(overages, name))
    assert documentation
    assert documentation.splitlines()[0].endswith(".")


@pytest.mark.parametrize("name", NAMES)
def test_what_a_public_name_offers_is_documented(name: str) -> None:
    thing = getattr(overages, name)
    undocumented = [
        attribute
        for attribute, value in vars(thing).items()
        if not attribute.startswith("_")
        and (inspect.isfunction(value) or isinstance(value, (property, classmethod)))
        and not inspect.getdoc(getattr(thing, attribute))
    ]
    assert undocumented == []


def test_every_error_is_also_an_error_of_the_standard_library() -> None:
    errors = importlib.import_module("overages.errors")
    leaves = [
        thing
        for name, thing in vars(errors).items()
        if inspect.isclass(thing)
        and issubclass(thing, errors.OveragesError)
        and not name.startswith("_")
        and thing is not errors.OveragesError
    ]
    assert leaves
    for leaf in leaves:
        assert issubclass(leaf, (ValueError, TypeError, LookupError, OSError, RuntimeError)), leaf


NEVER = {"dateutil", "zoneinfo", "csv", "argparse", "html", "tomllib", "hypothesis"}
STORING = {"sqlite3", "logging", "hashlib", "overages.repository"}


@pytest.mark.parametrize(
    ("statement", "late"),
    [
        (
            "import overages",
            {"attrs", "decimal", "json", "logging", "sqlite3", "overages.terms.plan"},
        ),
        ("from overages import Plan, Usage, calculate", {*NEVER, *STORING, "json"}),
        ("from overages import MemoryRepository", {*NEVER, "sqlite3", "logging"}),
        ("from overages import *", NEVER),  # all of it, a database too
    ],
)
def test_an_import_loads_no_more_than_it_needs(statement: str, late: set[str]) -> None:
    code = f"import sys; before = {{*sys.modules}}\n{statement}\nprint(*{{*sys.modules}} - before)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(run.stdout.split())
    assert "overages.errors" in loaded
    assert loaded & late == set()
