"""A projection as bars: so far, as expected, and between which ends."""

from __future__ import annotations

from datetime import UTC, datetime

from tests.pictures import number, said, shapes, texts
from tests.since import SINCE

from overages import (
    Account,
    Allowance,
    MemoryRepository,
    OverageService,
    PerUnit,
    Plan,
    UsageEvent,
)
from overages.insight.expected_bars import ExpectedBar, expected_chart
from overages.insight.projection import Projection


def bars(*each: ExpectedBar) -> str:
    return expected_chart("Projection", each, "bill: 1.00 USD so far", width=432, styled=False)


def test_a_bar_goes_on_to_what_is_expected() -> None:
    svg = bars(ExpectedBar("runs", 50, 80, 70, 100, limit=60))
    assert said(svg) == (
        "runs: 50 so far, 80 expected (70 to 100); limit 60; bill: 1.00 USD so far."
    )
    (used, ahead) = [number(node, "width") for node in shapes(svg, "chart-bar")[2:]]
    assert (used, ahead) == (200, 120)
    (_, ends) = shapes(svg, "chart-ends")
    assert ends.attrib["points"].split()[0].startswith("296,")
    assert ends.attrib["points"].split()[-1].startswith("416,")
    assert [number(node, "x1") for node in shapes(svg, "chart-limit")][1:] == [256]


def test_a_bar_of_which_less_can_be_said_says_less() -> None:
    svg = bars(
        ExpectedBar("runs", 50, 80, None, None, limit=None),
        ExpectedBar("calls", 50, None, None, None, limit=60),
        ExpectedBar("seats", 5, 3, 3, 3, limit=3),
        ExpectedBar("nothing", 0, None, None, None, limit=None),
    )
    assert said(svg).startswith(
        "runs: 50 so far, 80 expected; calls: 50 so far; limit 60;"
        " seats: 5 so far, 3 expected (3 to 3); limit 3; nothing: 0 so far;"
    )
    assert len(shapes(svg, "chart-ends")) == 1 + 1  # that of the legend


def projection(*, changes: bool = False) -> Projection:
    now = datetime(2024, 2, 11, tzinfo=UTC)
    repository = MemoryRepository()
    metrics = {"runs": Allowance(50, PerUnit(1)), "calls": Allowance(None, PerUnit(1))}
    repository.put_plan(Plan("starter", "USD", metrics))
    account = Account("acme", "starter", since=SINCE)
    if changes:
        account = account.changed(since=now, limits={"runs": 58})
    repository.put_account(account)
    service = OverageService(repository, lambda: now)
    at = now.replace(day=3)
    service.record_usage([UsageEvent("acme", name, 40, at=at) for name in ("runs", "calls")])
    told = service.project("acme")
    assert told is not None
    return told


def test_a_projection_draws_its_metrics_and_tells_its_bills() -> None:
    svg = projection().to_svg()
    assert texts(svg)[0] == "Projection for acme, February 2024"
    assert said(svg) == (
        "runs: 40 so far, 116 expected; limit 50; calls: 40 so far, 116 expected;"
        " bill: 0.00 USD so far, 66.00 USD expected."
    )
    assert projection()._repr_svg_() == svg
    (runs, *_) = projection().metrics.values()
    unknown = projection()._replace(metrics={"strange": runs})
    assert said(unknown.to_svg()).startswith("strange: 40 so far, 116 expected; limit 50; bill:")
    assert type(projection()._repr_svg_()) is str


def test_the_limit_of_a_period_of_several_parts_is_that_of_the_present_one() -> None:
    drawn = said(projection(changes=True).to_svg())
    assert "limit 78;" in drawn  # 38 of the present part, and 40 that were used before it
