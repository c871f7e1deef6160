"""The names that a user may rely on, and that they are where they are said to be."""

import ast
import importlib
import inspect
import subprocess
import sys
from enum import Enum
from importlib import metadata
from typing import Any, get_args

import pytest

import overages
from overages.amounts.rounding import RoundingLike
from overages.periods.proration import ProrationLike

NAMES = [
    "Account", "Adjustment", "Alert", "Allowance", "Balance", "BreakEven", "Budget", "CarryOver",
    "Closing", "Commitment", "Comparison", "Conversion", "Currency", "Cycle", "Decision",
    "Discount", "EndedPeriod", "Exchanged", "Graduated", "Grant", "History", "Increment",
    "MemoryRepository", "Metric", "Money", "Overage", "OverageRecord", "OverageService", "Package",
    "PerUnit", "Percentage", "Period", "Plan", "PriceModel", "Projection", "Proration", "Recording",
    "Repository", "Reservation", "Rounding", "Settlement", "SqliteRepository", "StalePeriod",
    "StandingLimit", "Statement", "Summary", "Terms", "Threshold", "Tier", "TierCharge",
    "TransactionFee", "Usage", "UsageEvent", "Volume", "aggregate", "break_even", "calculate",
    "calculate_many", "charge_between", "compare", "crossings", "decide", "errors", "evolve",
    "meter", "overage_history", "pool", "quantities_within", "quantity_within", "settle",
    "usual_alerts",
]  # fmt: skip


def test_the_public_names_are_these_and_no_others() -> None:
    assert sorted(overages.__all__) == NAMES == overages.__all__
    assert dir(overages) == sorted([*NAMES, "__version__"])


def test_what_a_type_checker_sees_is_what_a_program_gets() -> None:
    """A program finds the module of a name by the imports that type checkers read."""
    tree = ast.parse(inspect.getsource(overages))
    guarded = next(node for node in tree.body if isinstance(node, ast.If))
    imports = [node for node in guarded.body if isinstance(node, ast.ImportFrom)]
    seen = {alias.name: str(node.module) for node in imports for alias in node.names}
    assert sorted([*seen, "errors"]) == NAMES
    for name, home in seen.items():
        assert getattr(overages, name) is getattr(importlib.import_module(home), name)


def test_the_version_is_that_of_the_installed_package() -> None:
    assert overages.__version__ == metadata.version("overages")


def test_a_clone_that_is_not_installed_has_a_version_too(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> str:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "version", missing)
    monkeypatch.delitem(vars(overages), "__version__", raising=False)
    assert overages.__version__ == "0+unknown"
    vars(overages).pop("__version__")


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


@pytest.mark.parametrize(
    ("rule", "accepted"), [(overages.Rounding, RoundingLike), (overages.Proration, ProrationLike)]
)
def test_a_type_checker_knows_the_name_of_every_rule(rule: type[Enum], accepted: Any) -> None:
    itself, names = get_args(accepted)
    assert itself is rule
    assert get_args(names) == tuple(member.value for member in rule)


NEVER = {"zoneinfo", "csv", "argparse", "html", "tomllib", "hypothesis"}
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
