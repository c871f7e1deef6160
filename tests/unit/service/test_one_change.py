"""Calls that are one change: kept whole, and alerts see its outcome alone."""

from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from overages import (
    Account,
    Alert,
    Allowance,
    Budget,
    Cycle,
    MemoryRepository,
    Metric,
    Money,
    OverageService,
    PerUnit,
    Plan,
    SqliteRepository,
    Threshold,
    UsageEvent,
    evolve,
)
from overages.errors import UnknownEvent

NOW = datetime(2024, 2, 20, 12, tzinfo=UTC)
EIGHTY = Alert("runs-80", Threshold(percent=80), metric="runs")


def used(runs: int, event_id: str, at: datetime = NOW, org_id: str = "acme") -> UsageEvent:
    return UsageEvent(org_id, "runs", runs, at, event_id)


@pytest.fixture(params=["memory", "sqlite"])
def service(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[OverageService]:
    memory = request.param == "memory"
    repository = MemoryRepository() if memory else SqliteRepository(tmp_path / "overages.db")
    runs = Allowance(50, PerUnit("1.00"))
    repository.put_plan(Plan("starter", "USD", {"runs": runs, "tokens": runs}))
    for org_id in ("acme", "bolt"):
        repository.put_account(Account(org_id, "starter", datetime(2024, 2, 1, tzinfo=UTC)))
    service = OverageService(repository, clock=lambda: NOW)
    service.put_alert(EIGHTY)
    yield service
    if isinstance(repository, SqliteRepository):
        repository.close()


def told(service: OverageService, org_id: str = "acme") -> list[tuple[str, str]]:
    return [(fired.definition.alert.id, fired.state) for fired in service.alerts(org_id)]


@pytest.mark.parametrize("is_first", [True, False], ids=["taken back first", "and last"])
def test_usage_in_place_of_other_usage_is_seen_once_it_is_there(
    service: OverageService, is_first: bool
) -> None:
    def replace(old: str, new: UsageEvent) -> None:
        with service.one_change() as changing:
            if is_first:
                changing.withdraw_many("acme", [old])
            changing.record_usage([new])
            if not is_first:
                changing.withdraw_many("acme", [old])

    service.record_usage([used(30, "e-1")])
    replace("e-1", used(35, "e-2"))
    assert told(service) == []
    replace("e-2", used(45, "e-3"))
    assert told(service) == [("runs-80", "reached")]
    assert service.alerts("acme")[0].used == 45
    replace("e-3", used(48, "e-4"))
    assert told(service) == [("runs-80", "reached")]
    replace("e-4", used(7, "e-5"))
    assert told(service) == [("runs-80", "cleared"), ("runs-80", "reached")]


def test_orgs_are_seen_each_by_itself(service: OverageService) -> None:
    with service.one_change() as changing:
        changing.record_usage([used(45, "e-1"), used(45, "e-1", org_id="bolt")])
        changing.withdraw("bolt", "e-1")
        assert told(service) == []
    assert (told(service), told(service, "bolt")) == ([("runs-80", "reached")], [])


def test_one_that_fails_leaves_nothing(service: OverageService) -> None:
    def fail() -> None:
        with service.one_change() as changing:
            changing.record_usage([used(60, "e-2")])
            changing.withdraw("acme", "e-9")

    service.record_usage([used(30, "e-1")])
    with pytest.raises(UnknownEvent):
        fail()
    assert told(service) == []
    assert str(service.calculate("acme").total) == "0.00 USD"  # type: ignore[union-attr]
    service.record_usage([used(15, "e-3")])
    assert told(service) == [("runs-80", "reached")]


def test_one_within_another_is_a_part_of_it(service: OverageService) -> None:
    with service.one_change() as changing:
        with changing.one_change() as inner:
            inner.record_usage([used(45, "e-1")])
        assert told(service) == []
        changing.withdraw("acme", "e-1")
    assert told(service) == []


def test_one_within_another_that_fails_is_taken_back_alone(service: OverageService) -> None:
    def fail(changing: OverageService) -> None:
        with changing.one_change() as inner:
            inner.record_usage([used(60, "e-2")])
            inner.withdraw("acme", "e-9")

    with service.one_change() as changing:
        changing.record_usage([used(45, "e-1")])
        with pytest.raises(UnknownEvent):
            fail(changing)
    assert service.alerts("acme")[0].used == 45
    assert str(service.calculate("acme").total) == "0.00 USD"  # type: ignore[union-attr]


@pytest.mark.parametrize("fails", [False, True])
def test_a_service_that_is_kept_beyond_its_change_is_like_any(
    service: OverageService, fails: bool
) -> None:
    kept = []
    with suppress(KeyError), service.one_change() as changing:
        kept.append(changing)
        if fails:
            raise KeyError
    kept[0].record_usage([used(45, "e-1")])
    assert told(service) == [("runs-80", "reached")]


DAY = Cycle.calendar("day")
DAILY = Budget(4, id="b", metric="runs", window=DAY)
FULL = Alert("a", Threshold(percent=100), budget="b")


@pytest.mark.parametrize(
    "before",
    [
        None,
        evolve(DAILY, amount=500, window=Cycle.calendar("week")),
        evolve(DAILY, metric="tokens"),
        evolve(DAILY, amount=Money.of("4", "USD"), metric=None),
    ],
    ids=["none", "of a week", "of another metric", "of money"],
)
def test_a_budget_that_is_new_is_none_of_days_that_are_over(
    service: OverageService, before: Budget | None
) -> None:
    days = [NOW - timedelta(days=days) for days in range(1, 8)]
    service.record_usage([used(5, f"d-{at:%d}", at) for at in days])
    if before is not None:
        service.put_budget("acme", before)
        service.put_alert(FULL, org_id="acme")
    with service.one_change() as changing:
        changing.record_usage([used(1, "e-1")])
        changing.put_budget("acme", DAILY)
        changing.put_alert(FULL, org_id="acme")
    assert told(service) == []


def test_a_part_that_fails_hides_no_window_of_the_rest(service: OverageService) -> None:
    def fail(changing: OverageService) -> None:
        with changing.one_change() as inner:
            inner.drop_budget("acme", "b")
            inner.record_usage([used(1, "e-1")])
            raise KeyError

    service._repository.put_budget("acme", DAILY)
    early = OverageService(service._repository, clock=lambda: NOW - timedelta(days=9))
    early.put_alert(FULL, org_id="acme")
    late = NOW - timedelta(days=5)
    with service.one_change() as changing:
        with pytest.raises(KeyError):
            fail(changing)
        changing.record_usage([used(5, "e-2", late)])
    assert [each.period for each in service.alerts("acme")] == [DAY.period_at(late)]


def test_without_alerts_usage_is_just_kept(service: OverageService) -> None:
    service.drop_alert("runs-80")
    with service.one_change() as changing:
        assert changing.record_usage([used(45, "e-1")]) == 1
        assert changing.withdraw_many("acme", ["e-1"]) == 1
        assert changing.record_usage([used(60, "e-2")]) == 1
    assert str(service.calculate("acme").total) == "10.00 USD"  # type: ignore[union-attr]


def test_windows_that_are_over_are_seen_where_their_usage_changes(service: OverageService) -> None:
    day = timedelta(days=1)
    service.record_usage([used(9, "e-1", NOW - 5 * day), used(9, "e-2", NOW - 4 * day)])
    daily = Budget(10, metric="runs", window=Cycle.calendar("day"))
    service._repository.put_budget("acme", daily)
    with_budget = Alert("day", Threshold(percent=100), budget=daily.id)
    early = OverageService(service._repository, clock=lambda: NOW - 10 * day)
    early.put_alert(with_budget, org_id="acme")
    with service.one_change() as changing:
        changing.withdraw("acme", "e-1")
        changing.record_usage([used(12, "e-3", NOW - 5 * day), used(1, "e-4", NOW - 6 * day)])
    (fired,) = [each for each in service.alerts("acme") if each.definition.alert.id == "day"]
    assert (fired.state, fired.used) == ("reached", 12)
    assert fired.period == daily.window.period_at(NOW - 5 * day)  # type: ignore[union-attr]


def test_windows_of_a_closed_period_are_seen_where_usage_is_dated_in_them(
    service: OverageService,
) -> None:
    service._repository.put_budget("acme", DAILY)
    service._repository.put_alert(FULL, put_at=NOW - timedelta(days=30))
    march = OverageService(service._repository, clock=lambda: NOW + timedelta(days=20))
    march.record_usage([used(3, "e-0")])
    list(march.close_ended())
    with march.one_change() as changing:
        changing.record_usage([used(9, "e-1", NOW + timedelta(days=20))])
        changing.record_usage([used(2, "e-2")])
    fired = [(each.period, each.used) for each in march.alerts("acme")]
    assert (DAY.period_at(NOW), 5) in fired
    with march.one_change() as changing:
        changing.withdraw("acme", "e-2")
        changing.record_usage([used(0, "e-3")])
    assert (march.alerts("acme")[0].state, march.alerts("acme")[0].used) == ("cleared", 3)


def test_windows_that_a_change_leaves_alone_are_looked_back_at_as_ever(
    service: OverageService,
) -> None:
    service._repository.put_budget("acme", DAILY)
    service._repository.put_alert(FULL, put_at=NOW - timedelta(days=30))
    service._repository.add_events([used(5, "e-1", NOW - timedelta(days=1))])  # nobody saw it
    with service.one_change() as changing:
        changing.check_alerts()
        changing.record_usage([used(1, "e-2")])
    (fired,) = service.alerts("acme")
    assert (fired.period, fired.used) == (DAY.period_at(NOW - timedelta(days=1)), 5)


def test_usage_that_falls_and_rises_clears_what_a_budget_of_before_was_told_of(
    service: OverageService,
) -> None:
    spent = Budget(Money.of("10", "USD"), id="b", window=DAY)
    early = NOW - timedelta(days=5)
    then = OverageService(service._repository, clock=lambda: early)
    then.record_usage([used(50, "e-0", early - timedelta(days=1))])  # all that is included
    then.put_budget("acme", spent)
    then.put_alert(FULL)
    then.record_usage([used(10, "e-1", early)])
    service.put_budget("acme", evolve(spent, amount=Money.of("100", "USD")))
    with service.one_change() as changing:
        changing.withdraw("acme", "e-1")
        changing.record_usage([UsageEvent("acme", "tokens", 51, early, "e-2")])
    cleared, _ = (each for each in service.alerts("acme") if each.definition.alert == FULL)
    assert (cleared.state, cleared.used) == ("cleared", Money.of("1", "USD"))


@pytest.mark.parametrize(
    ("of", "used_units"), [(Money.of("2", "USD"), Money.of("2", "USD")), (2, 2)]
)
def test_events_that_are_counted_rise_though_units_are_taken_back(
    of: int | Money, used_units: int | Money
) -> None:
    repository, early = MemoryRepository(), NOW - timedelta(days=5)
    service = OverageService(repository, clock=lambda: NOW)
    repository.put_metric(Metric("calls", "count", event="runs"))
    repository.put_plan(Plan("counting", "USD", {"calls": Allowance(0, PerUnit("1"))}))
    repository.put_account(Account("acme", "counting", datetime(2024, 2, 1, tzinfo=UTC)))
    repository.put_budget("acme", Budget(of, id="b", metric="calls", window=DAY))
    repository.put_alert(FULL, put_at=early)
    service.record_usage([used(9, "e-1", early)])
    with service.one_change() as changing:
        changing.record_usage([used(-1, "e-2", early)])
    assert [(each.state, each.used) for each in service.alerts("acme")] == [("reached", used_units)]
    with service.one_change() as changing:
        changing.withdraw("acme", "e-2")
    assert told(service) == [("a", "cleared"), ("a", "reached")]


def test_budgets_and_alerts_are_seen_once_all_are_there(service: OverageService) -> None:
    service.record_usage([used(70, "e-1")])
    budget, half = Money.of("100", "USD"), Alert("half", Threshold(percent=50), budget="all")
    service.put_budget("acme", Budget(budget))
    service.put_alert(half, org_id="acme")
    assert told(service) == [("runs-80", "reached")]
    with service.one_change() as changing:
        changing.put_budget("acme", Budget(Money.of("30", "USD")))  # of which 20.00 are used
        changing.put_alert(Alert("half", Threshold(percent=90), budget="all"), org_id="acme")
        assert changing.alerts("acme") == service.alerts("acme")
    assert told(service) == [("runs-80", "reached")]
    with service.one_change() as changing:
        changing.record_usage([used(1, "e-2")])
        changing.put_budget("acme", Budget(Money.of("22", "USD")))
    assert told(service)[0] == ("half", "reached")
