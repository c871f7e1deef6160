"""Projecting: the bill that an org's period should come to, from what a repository has."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from tests.in_memory import in_memory

from overages import (
    Account,
    Allowance,
    CarryOver,
    Cycle,
    Grant,
    Increment,
    MemoryRepository,
    Metric,
    Money,
    OverageService,
    Period,
    PerUnit,
    Plan,
    Projection,
    Repository,
    Statement,
    Usage,
    UsageEvent,
)
from overages.errors import BillingDisabled, InvalidValue, UnknownMetric
from overages.periods.period import new_period

SINCE = datetime(2024, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)
RUNS = Allowance(50, PerUnit("1.00"))


@pytest.fixture(params=["memory", "sqlite"])
def repository(request: pytest.FixtureRequest) -> Iterator[Repository]:
    if request.param == "memory":
        yield MemoryRepository()
    else:
        with in_memory() as repository:
            yield repository


def agreed(repository: Repository, **allowances: Allowance) -> Account:
    """Put a plan, and an account that is on it from January on."""
    repository.put_plan(Plan("starter", "USD", allowances or {"runs": RUNS}))
    account = Account("acme", "starter", SINCE)
    repository.put_account(account)
    return account


def use(repository: Repository, until: datetime, units: int = 2, metric: str = "runs") -> None:
    """Use as many units at noon of each day up to an instant."""
    noons = [SINCE + timedelta(hours=12) + n * DAY for n in range((until - SINCE).days)]
    repository.add_events(
        UsageEvent("acme", metric, units, noon, id=f"{metric}-{noon}") for noon in noons
    )


def serve(repository: Repository, now: datetime, **named: Any) -> OverageService:
    return OverageService(repository, clock=lambda: now, **named)


def project(repository: Repository, now: datetime, *args: Any, **named: Any) -> Projection:
    projection = serve(repository, now).project("acme", *args, **named)
    assert projection is not None
    return projection


def calculated(repository: Repository, now: datetime, month: int) -> Statement | None:
    """Return the statement of a month, worked out anew."""
    return serve(repository, now).calculate("acme", Period.month(2024, month))


def at(month: int, day: int, hour: int = 0) -> datetime:
    return datetime(2024, month, day, hour, tzinfo=UTC)


def test_the_expected_bill_is_that_of_the_same_usage_at_the_end(repository: Repository) -> None:
    agreed(repository)
    use(repository, at(6, 11))
    projection = project(repository, at(6, 11))
    told = projection.metrics["runs"]
    assert (told.used, told.expected, told.low, told.high) == (20, 60, 60, 60)
    assert (told.periods_tried, told.bounds_tried) == (5, 1)
    assert [told.error, told.coverage] == [0, 1]
    assert told.runs_out == date(2024, 6, 26)
    use(repository, at(7, 1))
    assert projection.expected_bill == calculated(repository, at(7, 1), 6)


def test_the_bill_so_far_is_that_of_calculate(repository: Repository) -> None:
    agreed(repository)
    use(repository, at(3, 11))
    service = serve(repository, at(3, 11, 9))
    projection = service.project("acme")
    assert projection is not None
    assert projection.bill == service.calculate("acme")
    assert projection.days_left == 20
    assert projection.at == at(3, 11, 9)


def test_a_period_that_is_over_is_as_calculated_and_a_closed_one_as_closed(
    repository: Repository,
) -> None:
    agreed(repository)
    use(repository, at(3, 1), units=3)
    service = serve(repository, at(3, 5))
    february = Period.month(2024, 2)
    projection = service.project("acme", february)
    assert projection is not None
    assert projection.expected_bill == projection.bill == service.calculate("acme", february)
    assert projection.used == projection.expected == {"runs": 87}
    service.close("acme", february)
    repository.add_events([UsageEvent("acme", "runs", 100, at(2, 9), id="late")])
    closed = service.project("acme", february)
    assert closed is not None
    assert closed.bill.total == closed.expected_bill.total == Money(3700, "USD")  # type: ignore[union-attr]
    kept = repository.account("acme")
    anew = service.project("acme", february, account=kept)
    assert anew is not None
    assert anew.bill.total == Money(13700, "USD")


def test_an_account_may_be_proposed(repository: Repository) -> None:
    account = agreed(repository)
    repository.put_plan(Plan("pro", "USD", {"runs": Allowance(1_000, PerUnit("1.00"))}))
    use(repository, at(6, 11))
    changed = account.changed(since=at(6, 1), plan="pro")
    assert project(repository, at(6, 11)).expected_bill.total == Money(1000, "USD")  # type: ignore[union-attr]
    proposed = project(repository, at(6, 11), account=changed)
    assert proposed.expected_bill.total == Money(0, "USD")  # type: ignore[union-attr]


def test_no_account_and_no_terms_have_no_projection(repository: Repository) -> None:
    service = serve(repository, at(6, 11))
    assert service.project("acme") is None
    account = agreed(repository)
    repository.put_account(account.ended(at=at(5, 1)))
    assert service.project("acme") is None
    assert service.project("acme", Period.month(2024, 6)) is None


def test_a_period_that_hasnt_begun_is_refused(repository: Repository) -> None:
    agreed(repository)
    with pytest.raises(InvalidValue, match="period: must have begun by 2024-06-11") as told:
        serve(repository, at(6, 11)).project("acme", Period.month(2024, 7))
    assert (told.value.org_id, told.value.period) == ("acme", Period.month(2024, 7))


def test_usage_of_a_metric_that_the_plan_doesnt_know_is_refused(repository: Repository) -> None:
    agreed(repository)
    use(repository, at(2, 3), metric="jobs")
    with pytest.raises(UnknownMetric):
        serve(repository, at(2, 3)).project("acme")


def test_a_service_that_is_off_projects_nothing(repository: Repository) -> None:
    with pytest.raises(BillingDisabled):
        serve(repository, at(6, 11), enabled=False).project("acme")


def test_true_ups_are_due_at_the_end_alone(repository: Repository) -> None:
    agreed(repository, runs=Allowance(50, PerUnit("1.00"), minimum=Money(9900, "USD")))
    use(repository, at(2, 9), units=4)
    projection = project(repository, at(2, 9))
    assert projection.bill.total == Money(0, "USD")
    assert projection.expected_bill.total == Money(9900, "USD")  # type: ignore[union-attr]


def test_units_that_were_carried_over_count(repository: Repository) -> None:
    agreed(repository, runs=Allowance(70, PerUnit("1.00"), carry_over=CarryOver(expires_after=1)))
    use(repository, at(2, 21))  # 62 of 70 in January, 8 are carried over; 58 in February
    expected = project(repository, at(2, 21)).expected_bill
    assert expected is not None
    assert (expected["runs"].used, expected["runs"].limit) == (58, 78)


def test_a_grant_pays_for_units_on_the_day_that_they_should_be_used(repository: Repository) -> None:
    """It ends on the 20th: of 25 units that are expected after the 15th, it pays for 8."""
    agreed(repository, runs=Allowance(30, PerUnit("1.00")))
    use(repository, at(2, 16))  # 30 by then
    terms = {"effective_at": SINCE, "expires_at": at(2, 20), "metric": "runs"}
    repository.put_grant("acme", Grant("gift", 1_000, **terms))  # type: ignore[arg-type]
    projection = project(repository, at(2, 16))
    assert projection.expected == {"runs": 58}
    assert projection.expected_bill["runs"].quantity == 58 - 30 - 8  # type: ignore[index]
    use(repository, at(3, 1))
    assert projection.expected_bill == calculated(repository, at(3, 1), 2)


def test_a_limit_has_all_that_is_left_of_a_grant(repository: Repository) -> None:
    agreed(repository)
    repository.put_grant("acme", Grant("pack", 1_000, metric="runs", effective_at=SINCE))
    use(repository, at(3, 1), units=3)
    projection = project(repository, at(3, 1))
    assert projection.metrics["runs"].limit == 50 + 1_000 - (93 - 50) - (87 - 50)
    assert "limit 970" in projection.to_svg()


def test_a_part_that_is_to_come_has_the_units_of_its_days(repository: Repository) -> None:
    account = agreed(repository)
    repository.put_plan(Plan("pro", "USD", {"runs": Allowance(1_000, PerUnit("2.00"))}))
    repository.put_account(account.changed(since=at(6, 21), plan="pro"))
    use(repository, at(6, 11))
    expected = project(repository, at(6, 11)).expected_bill
    assert expected is not None
    assert [(line.used, line.limit) for line in expected.of("runs")] == [(40, 33), (20, 333)]
    use(repository, at(7, 1))
    assert expected == calculated(repository, at(7, 1), 6)


def test_levels_go_on(repository: Repository) -> None:
    agreed(repository, seats=Allowance(3, PerUnit("5.00"), kind="level"), disk=RUNS, last=RUNS)
    repository.put_metrics(
        [
            Metric("seats", "max", reports="level"),
            Metric("disk", "time_weighted"),
            Metric("last", "last"),
        ]
    )
    for metric, units in [("seats", 5), ("disk", 8), ("last", 7)]:
        event = UsageEvent("acme", metric, units, at(1, 1), id=metric)
        repository.add_events([event])
    repository.add_events([UsageEvent("acme", "last", 6, at(6, 2), id="again")])
    projection = project(repository, at(6, 11))
    assert projection.expected == {"seats": 5, "disk": 8, "last": 6}
    assert {each.method for each in projection.metrics.values()} == {"goes_on"}
    assert projection.expected_bill["seats"].cost == Money(1000, "USD")  # type: ignore[index]


def test_a_sum_that_the_plan_calls_a_level_goes_on(repository: Repository) -> None:
    agreed(repository, seats=Allowance(3, PerUnit("5.00"), kind="level"))
    repository.put_usage(Usage("acme", Period.month(2024, 6), {"seats": 5}))
    projection = project(repository, at(6, 11))
    assert projection.expected == {"seats": 5}
    assert projection.expected_bill.total == Money(1000, "USD")  # type: ignore[union-attr]


def test_unique_values_are_told_by_the_months_before(repository: Repository) -> None:
    """Ten users come on each of the first two days of a month, and no other after them."""
    agreed(repository, users=RUNS, requests=Allowance(None, PerUnit(0)))
    repository.put_metrics(
        [Metric("users", "unique", event="requests", distinct="user"), Metric("requests")]
    )
    repository.add_events(
        UsageEvent(
            "acme",
            "requests",
            1,
            at(month, day),
            f"{month}-{day}-{n}",
            {"user": f"{n + 10 * (day % 2)}"},
        )
        for month in range(1, 7)
        for day in range(1, 29 if month < 6 else 11)
        for n in range(10)
    )
    told = project(repository, at(6, 11)).metrics["users"]
    assert (told.used, told.expected, told.method) == (20, 20, "past_share")
    assert (told.low, told.high) == (20, 20)


def test_an_increment_is_the_step(repository: Repository) -> None:
    agreed(repository, minutes=RUNS, calls=RUNS)
    calls = Metric("calls", increment=Increment(1, first=5))
    repository.put_metrics([Metric("minutes", increment=60), calls])
    use(repository, at(2, 16), units=10, metric="minutes")
    use(repository, at(2, 16), units=1, metric="calls")
    projection = project(repository, at(2, 16))
    # 150 are three started steps, 180; as many a day make 348, of which 360 is the nearest step.
    assert projection.expected["minutes"] == 360
    assert projection.expected["calls"] == 29


def test_decimals_are_as_fine_as_those_of_the_usage(repository: Repository) -> None:
    agreed(repository)
    use(repository, at(2, 16), units=1)
    repository.add_events([UsageEvent("acme", "runs", "0.25", at(2, 3), id="part")])
    expected = project(repository, at(2, 16)).expected["runs"]
    assert str(expected) == "29.48"  # 15.25 in 15 days are 29.4833 in 29


def test_sums_by_the_day_are_projected_and_longer_ones_say_that_they_have_no_days(
    repository: Repository,
) -> None:
    agreed(repository)
    for n in range(20):
        day = at(1, 22) + n * DAY
        repository.put_usage(Usage("acme", Period(day, day + DAY), {"runs": 2}))
    assert project(repository, at(2, 11)).expected == {"runs": 58}
    repository.put_usage(Usage("acme", Period(at(2, 11), at(3, 1)), {"runs": 9}))
    told = project(repository, at(2, 11)).metrics["runs"]
    assert (told.used, told.expected) == (29, None)
    assert told.reason is not None
    assert told.reason.startswith("not enough to say: 9 units were put as sums for more than a day")


def test_earlier_periods_without_days_are_left_out(repository: Repository) -> None:
    """January has a sum of all of it, and February and March share one."""
    agreed(repository)
    repository.put_usage(Usage("acme", Period.month(2024, 1), {"runs": 70}))
    repository.put_usage(Usage("acme", Period(at(2, 20), at(3, 10)), {"runs": 70}))
    repository.add_events([UsageEvent("acme", "runs", -5, at(4, 3), id="back")])
    use_in = [at(month, day) for month in (4, 5, 6) for day in range(5, 29 if month > 4 else 6)]
    repository.add_events(
        UsageEvent("acme", "runs", 1, moment, id=str(moment))
        for moment in use_in
        if moment < at(6, 16)
    )
    told = project(repository, at(6, 16)).metrics["runs"]
    assert told.expected is not None
    assert told.periods_tried == 1  # May alone: April comes to less than nothing


def test_no_more_than_a_year_is_looked_at(repository: Repository) -> None:
    repository.put_plan(Plan("starter", "USD", {"runs": RUNS}))
    repository.put_account(Account("acme", "starter", datetime(2022, 1, 1, tzinfo=UTC)))
    use(repository, at(6, 11))
    assert project(repository, at(6, 11)).metrics["runs"].periods_tried == 12


def test_a_short_first_period_and_another_cycle_are_known_and_not_tried(
    repository: Repository,
) -> None:
    account = Account("acme", "starter", at(1, 10))
    repository.put_plan(Plan("starter", "USD", {"runs": RUNS}))
    repository.put_account(account.changed(since=at(3, 1), cycle=Cycle.calendar("week")))
    use(repository, at(4, 1), units=1)
    told = project(repository, at(4, 1)).metrics["runs"]
    assert told.expected == 7
    assert told.periods_tried == 4  # the weeks from 4 March on: the one before is a part of one


def test_days_are_those_of_the_orgs_timezone(repository: Repository) -> None:
    """In March, clocks go forward: a day of 23 hours is a day; noon is 11 or 10 in UTC."""
    paris = ZoneInfo("Europe/Paris")
    repository.put_plan(Plan("starter", "USD", {"runs": RUNS}))
    since = datetime(2024, 1, 1, tzinfo=paris)
    account = Account("acme", "starter", since, cycle=Cycle.monthly("Europe/Paris"))
    repository.put_account(account)
    days = [datetime(2024, 3, day, 0, tzinfo=paris) for day in range(1, 31)]
    repository.add_events(
        UsageEvent("acme", "runs", 2, midnight, id=str(n)) for n, midnight in enumerate(days)
    )
    now = datetime(2024, 3, 31, tzinfo=paris)
    projection = project(repository, now)
    assert projection.period == new_period(
        datetime(2024, 2, 29, 23, tzinfo=UTC), datetime(2024, 3, 31, 22, tzinfo=UTC)
    )
    assert (projection.timezone, projection.days_left) == ("Europe/Paris", 0)
    assert projection.expected == {"runs": 62}
    early = project(repository, now - timedelta(microseconds=1))
    assert early.days_left == 1


def test_an_account_that_begins_now_has_nothing_to_go_by(repository: Repository) -> None:
    agreed(repository)
    projection = project(repository, SINCE)
    assert projection.expected == {"runs": None}
    assert projection.expected_bill is None
