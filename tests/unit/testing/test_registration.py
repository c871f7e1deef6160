"""How ``st.from_type`` finds the strategies: by an entry point, whatever was imported first."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

PYPROJECT = Path(__file__).parents[3] / "pyproject.toml"


def printed(code: str) -> str:
    """Return what a program prints in a process of its own, where no plugin is installed."""
    alone = "import os; os.environ['HYPOTHESIS_NO_PLUGINS'] = '1'\n"
    run = subprocess.run(
        [sys.executable, "-c", alone + code], capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    return run.stdout.strip()


def entry_point() -> str:
    """Return what the project says that Hypothesis is to call."""
    project = tomllib.loads(PYPROJECT.read_text(encoding="utf-8"))["project"]
    points = project["entry-points"]["hypothesis"]
    assert list(points) == ["overages"]
    return str(points["overages"])


def by_plugin() -> str:
    """Return code that imports Hypothesis and does what it does with entry points."""
    return (
        "import hypothesis\n"
        "from importlib.metadata import EntryPoint\n"
        f"EntryPoint('overages', {entry_point()!r}, 'hypothesis').load()()\n"
    )


@pytest.mark.parametrize(
    "imports",
    [
        "{plugin}from overages import Plan, calculate",
        "from overages import Plan, calculate\n{plugin}",
        "from overages import Plan\n{plugin}from overages import calculate",
        "from overages.testing.strategies import plans\n{plugin}from overages import Plan",
        "{plugin}{plugin}from overages.terms.plan import Plan",
    ],
)
def test_a_value_can_be_had_from_its_type_whatever_was_imported_first(imports: str) -> None:
    code = imports.format(plugin=by_plugin()) + (
        "\nfrom hypothesis import Phase, find, settings, strategies as st"
        "\none = settings(phases=[Phase.generate], max_examples=1, database=None)"
        "\nprint(type(find(st.from_type(Plan), lambda plan: True, settings=one)).__name__)"
    )
    assert printed(code) == "Plan"


def test_without_hypothesis_it_is_said_what_to_install() -> None:
    code = (
        "import sys; sys.modules['hypothesis'] = None\n"
        "try:\n"
        "    import overages.testing.strategies\n"
        "except ImportError as error:\n"
        "    print(error)"
    )
    assert "pip install 'overages[test]'" in printed(code)


def test_the_extra_that_is_named_has_hypothesis() -> None:
    project = tomllib.loads(PYPROJECT.read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]["test"]
    assert any(one.startswith("hypothesis") for one in extras)
