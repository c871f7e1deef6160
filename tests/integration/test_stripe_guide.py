"""The programs in the guide do what it says."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from overages import Account, OverageService, Period, SqliteRepository, Usage

from .world import FEBRUARY, NOW, World

stripe = pytest.importorskip("stripe")
pytest.importorskip("localstripe")

GUIDE = Path(__file__).parents[2] / "docs" / "how-to" / "bill-with-stripe.md"
PROGRAM = re.compile(r"^```\{code-block\} python\n:caption: (\S+)\n\n(.*?)^```$", re.M | re.S)


def programs() -> dict[str, str]:
    return dict(PROGRAM.findall(GUIDE.read_text(encoding="utf-8")))


def test_the_guide_has_these_programs() -> None:
    assert list(programs()) == ["bill.py", "preview.py"]


def test_the_program_in_the_guide_bills_records_of_closed_periods_once(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = {"base_addresses": {"api": world.proxy.url}}
    monkeypatch.setattr(stripe, "StripeClient", partial(stripe.StripeClient, **there))
    names: dict[str, Any] = {}
    exec(programs()["bill.py"], names)
    path = str(tmp_path / "overages.db")
    with SqliteRepository(path) as repository:
        service = OverageService(repository, lambda: NOW)
        repository.put_plan(world.statement(3).plan)
        repository.put_account(Account("org-1", "of-3", since=FEBRUARY.start))
        for start in (FEBRUARY.start, FEBRUARY.end):
            period = Period.month_of(start)
            repository.put_usage(Usage("org-1", period, dict.fromkeys(("m1", "m2", "m3"), 7)))
        recording = service.close("org-1", FEBRUARY)
        still_open = service.recalculate("org-1")
    assert still_open is not None
    assert len(still_open.new) == 3
    world.customer()
    for sent in (3, 0):
        delivery = names["bill"](path, "sk_test_12345", world.customers, "org-1")
        assert (delivery.is_complete, delivery.sent) == (True, sent)
        assert world.holds(recording.records)


def test_the_program_in_the_guide_finds_all_on_the_next_invoice(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    names: dict[str, Any] = {}
    exec(programs()["preview.py"], names)
    records, subscription = world.records(3), world.subscribe()
    assert not names["is_all_there"](world.export(), "org-1", records)
    world.export().attach_to_upcoming_invoice(records, subscription=subscription)
    assert names["is_all_there"](world.export(), "org-1", records)
    assert capsys.readouterr().out.splitlines() == [
        "next invoice: 10.00 USD, of which 0 records",
        "next invoice: 59.77 USD, of which 3 records",
    ]
