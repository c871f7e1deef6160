"""A desk where the commands run in the process of the tests."""

from pathlib import Path

import pytest
from tests.desk import NearDesk

PLANS = """
default_plan = "p"
[plans.p]
currency = "USD"
allowances.tokens = { included = 100, price = { model = "per_unit", price = "0.01" } }
"""
ACCOUNTS = """
[accounts.acme]
plan = "p"
since = 2024-01-01T00:00:00Z
[accounts.bolt]
plan = "p"
since = 2024-01-01T00:00:00Z
"""


@pytest.fixture
def desk(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> NearDesk:
    """A folder with ``plans.toml``: 100 tokens a month, 0.01 USD for each beyond, two orgs."""
    monkeypatch.chdir(tmp_path)
    desk = NearDesk(tmp_path, capsys, monkeypatch)
    desk.write("plans.toml", PLANS + ACCOUNTS)
    return desk
