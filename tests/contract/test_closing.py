"""Periods that close, through the service, over every adapter."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest

from overages import (
    Account,
    Allowance,
    CarryOver,
    Cycle,
    Grant,
    Metric,
    Money,
    OverageService,
    Period,
    PerUnit,
    Plan,
    Recording,
    Repository,
    UsageEvent,
)
from overages.errors import (
    BillingDisabled,
    InvalidValue,
    NoTerms,
    OveragesError,
    RecordConflict,
    UnknownMetric,
    UnknownPlan,
)
from overages.testing.contract.base import nothing_written

JAN, FEB, MAR, APR, MAY = (Period.month(2024, month) for month in range(1, 6))
STARTER: Final = Plan("starter", "USD", {"runs": Allowance(100, PerUnit("1.00"))})
PRO: Final = Plan("pro", "USD", {"runs": Allowance(1_000, PerUnit("0.50"))})
CHEAP: Final = Plan("cheap", "USD", {"runs": Allowance(0, PerUnit("0.10"))})
DEAR: Final = Plan("dear", "USD", {"runs": Allowance(0, PerUnit("1.00"))})
ROLLING: Final = Plan(
    "rolling", "USD", {"runs": Allowance(100, PerUnit("1.00"), carry_over=CarryOver())}
)
LEAST: Final = Plan(
    "least", "USD", {"runs": Allowance(0, PerUnit("1.00"))}, minimum=Money.of("100", "USD")
)
ACME: Final = "acme"


def day(month: int, number: int, hour: int = 0) -> datetime:
    return datetime(2024, month, number, hour, tzinfo=UTC)


class Host:
    """A host with a clock, one org, and plans."""

    def __init__(self, repository: Repository) -> None:
        self.repository = repository
        self.now = day(1, 1)
        self.service = OverageService(repository, clock=lambda: self.now, ahead=timedelta(days=366))
        self.events = 0
        for plan in (STARTER, PRO, CHEAP, DEAR, ROLLING, LEAST):
            repository.put_plan(plan)

    def sign(self, plan: str = "starter", since: datetime = JAN.start, **terms: Any) -> Account:
        account = Account(ACME, plan, since=since, **terms)
        self.repository.put_account(account)
        return account

    def change(self, **terms: Any) -> None:
        account = self.repository.account(ACME)
        assert account is not None
        self.repository.put_account(account.changed(**terms))

    def use(self, *used: tuple[int, datetime], **how: Any) -> None:
        self.events += len(used)
        first = self.events
        self.service.record_usage(
            [
                UsageEvent(ACME, "runs", runs, at, f"e{first}-{n}")
                for n, (runs, at) in enumerate(used)
            ],
            **how,
        )

    def close(self, period: Period, now: datetime | None = None) -> list[str]:
        self.now = now or max(self.now, period.end)
        return costs(self.service.close(ACME, period))

    def correct(self, period: Period) -> list[str]:
        recording = self.service.recalculate(ACME, period=period, force=True)
        assert recording is not None
        return costs(recording)

    def due(self, period: Period) -> str:
        statement = self.service.calculate(ACME, period)
        assert statement is not None
        return f"{statement.total.amount:f}"

    def stale(self) -> list[tuple[Period, str | None]]:
        return [
            (each.period, None if each.change is None else f"{each.change.amount:f}")
            for each in self.service.stale(ACME)
        ]


def costs(recording: Recording) -> list[str]:
    """Return the line and the cost of each new record."""
    return [f"{record.line} {record.cost.amount:f}" for record in recording.new]


@pytest.fixture
def host(repository: Repository) -> Host:
    return Host(repository)


class TestClosing:
    def test_a_period_is_closed_with_its_final_statement(self, host: Host) -> None:
        host.sign("least")
        host.use((30, day(1, 9)))
        host.now = day(1, 10)
        assert costs(host.service.recalculate(ACME) or Recording((), ())) == ["overage 30.00"]
        host.use((5, day(1, 20)))
        assert host.close(JAN) == ["overage 5.00", "minimum 65.00"]
        assert host.repository.closed_periods(ACME) == {JAN: JAN.end}
        assert host.due(JAN) == "100.00"

    def test_twice_is_once(self, host: Host) -> None:
        host.sign()
        host.use((130, day(1, 9)))
        assert host.close(JAN) == ["overage 30.00"]
        with nothing_written(host.repository):
            assert host.close(JAN) == []
            assert host.service.close_ended() == []

    def test_a_period_that_runs_is_not_closed(self, host: Host) -> None:
        host.sign()
        host.now = JAN.end - timedelta(seconds=1)
        with nothing_written(host.repository), pytest.raises(InvalidValue) as caught:
            host.service.close(ACME, JAN)
        assert str(caught.value) == (
            "acme, 2024-01-01 to 2024-02-01 UTC: period: must have ended by"
            " 2024-01-31T23:59:59Z to be closed, got '2024-01-01T00:00:00Z/2024-02-01T00:00:00Z'"
        )

    def test_a_period_can_stay_open_for_late_usage(self, host: Host) -> None:
        host.sign()
        grace = timedelta(hours=6)
        host.now = JAN.end + timedelta(hours=5)
        with pytest.raises(InvalidValue, match="to be closed"):
            host.service.close(ACME, JAN, grace=grace)
        assert host.service.close_ended(grace=grace) == []
        host.now += timedelta(hours=1)
        assert [each.period for each in host.service.close_ended(grace=grace)] == [JAN]
        host.service.close(ACME, JAN, grace=grace)

    @pytest.mark.parametrize("grace", [timedelta(days=-1), 5, None])
    def test_what_is_no_grace_is_refused(self, host: Host, grace: Any) -> None:
        host.sign()
        for call in (
            lambda: host.service.close(ACME, JAN, grace=grace),
            lambda: host.service.close_ended(grace=grace),
        ):
            with pytest.raises(OveragesError, match=r"^grace: must"):
                call()

    def test_a_grace_of_more_than_all_time_is_refused(self, host: Host) -> None:
        with pytest.raises(InvalidValue, match=r"^grace: must lead to no year before 1"):
            host.service.close_ended(grace=timedelta.max)

    def test_a_period_that_is_none_of_the_org_s_is_not_closed(self, host: Host) -> None:
        host.now = MAR.end
        with pytest.raises(UnknownPlan, match=r"^acme: org_id: must have an account"):
            host.service.close(ACME, JAN)
        account = host.sign(cycle=Cycle.monthly("Europe/Paris")).ended(at=day(3, 9))
        host.repository.put_account(account)
        with nothing_written(host.repository), pytest.raises(InvalidValue, match="the org's own"):
            host.service.close(ACME, FEB)
        with nothing_written(host.repository), pytest.raises(NoTerms):
            host.service.close(ACME, Period(day(3, 9), day(3, 20)))

    def test_those_before_it_are_closed_first(self, host: Host) -> None:
        host.sign("rolling")
        host.use((40, day(1, 9)), (150, day(2, 9)), (90, day(3, 9)))
        assert host.close(MAR) == []
        assert list(host.repository.closed_periods(ACME)) == [JAN, FEB, MAR]
        assert [host.due(period) for period in (JAN, FEB, MAR)] == ["0.00", "0.00", "0.00"]
        assert host.repository.closings(ACME)[1].balance.carried["runs"][0].quantity == 10

    def test_a_day_before_the_night_is_closed_with_its_period(self, host: Host) -> None:
        host.sign()
        host.use((130, day(1, 31, 23)))
        host.now = day(2, 1, 0) + timedelta(minutes=5)
        ((org_id, period, recording, error),) = host.service.close_ended()
        assert (org_id, period, error) == (ACME, JAN, None)
        assert recording is not None
        assert costs(recording) == ["overage 30.00"]

    def test_usage_after_the_last_recalculation_is_in_the_closing(self, host: Host) -> None:
        host.sign()
        host.use((110, day(1, 9)))
        host.now = day(1, 20)
        host.service.recalculate(ACME)
        host.use((5, day(1, 21)))
        assert host.close(JAN) == ["overage 5.00"]
        assert host.due(JAN) == "15.00"

    def test_an_account_that_ends_has_periods_until_then(self, host: Host) -> None:
        host.repository.put_account(host.sign().ended(at=day(2, 10)))
        host.now = MAY.start
        assert [each.period for each in host.service.close_ended()] == [
            JAN, Period(FEB.start, day(2, 10)),
        ]  # fmt: skip

    def test_an_org_that_cannot_be_billed_stops_no_other(
        self, host: Host, caplog: pytest.LogCaptureFixture
    ) -> None:
        for org_id, plan in (("a", "starter"), ("b", "nowhere"), ("c", "starter")):
            host.repository.put_account(Account(org_id, plan, since=JAN.start))
        host.service.record_usage([UsageEvent("c", "runs", 130, day(1, 9), "c1")])
        host.now = MAR.start
        with caplog.at_level(logging.INFO, logger="overages"):
            closed = host.service.close_ended()
        assert [(each.org_id, each.period, each.error is None) for each in closed] == [
            ("a", JAN, True), ("a", FEB, True),
            ("b", JAN, False),
            ("c", JAN, True), ("c", FEB, True),
        ]  # fmt: skip
        failed = closed[2]
        assert failed.recording is None
        assert isinstance(failed.error, UnknownPlan)
        assert (failed.error.org_id, failed.error.period) == ("b", JAN)
        (warning,) = [each for each in caplog.records if each.levelno == logging.WARNING]
        assert vars(warning)["org_id"] == "b"

    def test_an_account_that_has_no_periods_stops_no_other_org(self, host: Host) -> None:
        first = datetime.min.replace(tzinfo=UTC)
        host.repository.put_account(Account("a", "starter", since=JAN.start))
        host.repository.put_account(
            Account("b", "starter", since=first, cycle=Cycle(datetime(2024, 1, 15, tzinfo=UTC)))
        )
        host.repository.put_account(Account("c", "starter", since=JAN.start))
        host.now = FEB.start
        closed = host.service.close_ended()
        assert [(each.org_id, each.period) for each in closed] == [
            ("a", JAN), ("b", None), ("c", JAN),
        ]  # fmt: skip
        assert isinstance(closed[1].error, InvalidValue)

    def test_a_clock_that_steps_back_loses_no_true_up(self, host: Host) -> None:
        host.sign("least")
        host.now = JAN.end
        instants = iter([JAN.end, *[JAN.end - timedelta(seconds=1)] * 9])
        service = OverageService(host.repository, clock=lambda: next(instants))
        assert costs(service.close(ACME, JAN)) == ["minimum 100.00"]

    def test_a_service_that_is_switched_off_stops_between_two_orgs(self, host: Host) -> None:
        for org_id in ("a", "b"):
            host.repository.put_account(Account(org_id, "starter", since=JAN.start))
        switches = iter([True, True, False])
        service = OverageService(
            host.repository, clock=lambda: FEB.start, enabled=lambda: next(switches)
        )
        with pytest.raises(BillingDisabled):
            service.close_ended()
        assert [list(host.repository.closed_periods(org_id)) for org_id in "ab"] == [[JAN], []]

    def test_orgs_that_have_records_alone_are_passed_over(self, host: Host) -> None:
        from overages import Usage, calculate

        statement = calculate(STARTER, Usage("old", JAN, {"runs": 130}))
        host.service.record("old", statement)
        host.now = MAY.start
        assert host.service.close_ended() == []
        assert host.service.stale("old") == ()

    def test_a_closed_period_is_as_it_was_closed(self, host: Host) -> None:
        host.sign()
        host.use((130, day(1, 9)))
        host.close(JAN)
        before = host.service.settle(ACME, JAN)
        host.change(since=day(1, 5), limits={"runs": 120})
        host.repository.put_grant(ACME, Grant("g", Money.of("9", "USD"), effective_at=JAN.start))
        host.use((50, day(1, 10)))
        assert host.service.settle(ACME, JAN) == before
        account = host.repository.account(ACME)
        proposed = host.service.calculate(ACME, JAN, account=account)
        assert proposed is not None
        assert str(proposed.total) == "75.00 USD"  # 180 beyond 120 x 27/31, which is 105


class TestSpans:
    def test_a_span_has_its_usage_and_its_share_of_the_limit(self, host: Host) -> None:
        host.sign()
        host.use((300, day(3, 5)), (40, day(3, 20)))
        span = Period(day(3, 1), day(3, 12))
        statement = host.service.calculate(ACME, span)
        assert statement is not None
        line = statement["runs"]
        assert (line.used, line.limit, str(statement.total)) == (300, 35, "265.00 USD")
        with (
            nothing_written(host.repository),
            pytest.raises(InvalidValue, match="and not a span of it"),
        ):
            host.service.record(ACME, statement)

    def test_a_span_is_priced_by_the_plan_of_the_start_of_its_period(self, host: Host) -> None:
        host.sign()
        host.use((300, day(3, 20)))
        dearer = Plan("starter", "USD", {"runs": Allowance(100, PerUnit("2.00"))})
        host.repository.put_plan(dearer, since=day(3, 10))
        host.change(since=day(3, 18), limits={"runs": 31})
        statement = host.service.calculate(ACME, Period(day(3, 16), day(3, 31)))
        assert statement is not None
        assert [(line.used, line.limit) for line in statement.of("runs")] == [(0, 6), (300, 13)]
        assert str(statement.total) == "287.00 USD"

    def test_a_span_has_the_version_of_a_plan_that_its_period_has(self, host: Host) -> None:
        host.sign()
        new = [Plan("new", "USD", {"runs": Allowance(0, PerUnit(n))}) for n in (2, 5)]
        for plan, since in zip(new, (day(3, 5), day(3, 15)), strict=True):
            host.repository.put_plan(plan, since=since)
        host.change(since=day(3, 10), plan="new")
        host.use((10, day(3, 20)))
        statement = host.service.calculate(ACME, Period(day(3, 18), day(3, 25)))
        assert statement is not None
        assert f"{statement.total.amount:f}" == host.due(MAR) == "20.00"

    def test_a_fault_in_a_span_names_the_org_and_the_span(self, host: Host) -> None:
        host.sign()
        host.change(since=day(3, 10), plan="nowhere")
        with pytest.raises(UnknownPlan, match=r"^acme, 2024-03-12 to 2024-03-20 UTC: slug: "):
            host.service.calculate(ACME, Period(day(3, 12), day(3, 20)))

    @pytest.mark.parametrize("span", [Period(day(2, 20), day(3, 10)), Period(day(2, 1), day(4, 1))])
    def test_a_time_of_several_periods_is_none(self, host: Host, span: Period) -> None:
        host.sign()
        with pytest.raises(InvalidValue, match="must be one of the org's own"):
            host.service.calculate(ACME, span)

    def test_a_span_without_terms_is_nothing(self, host: Host) -> None:
        assert host.service.calculate(ACME, Period(day(3, 1), day(3, 12))) is None
        host.sign(since=APR.start)
        assert host.service.calculate(ACME, Period(day(3, 1), day(3, 12))) is None


class TestCorrections:
    def test_late_usage_leaves_a_closed_period_as_it_is(self, host: Host) -> None:
        host.sign()
        host.use((130, day(1, 9)))
        host.close(JAN)
        host.use((10, day(1, 30)))
        with nothing_written(host.repository):
            recording = host.service.recalculate(ACME, period=JAN)
        assert recording is not None
        assert (costs(recording), recording.is_stale) == ([], True)
        with nothing_written(host.repository):
            assert host.service.close(ACME, JAN).is_stale
        assert host.stale() == [(JAN, "10.00")]
        assert host.correct(JAN) == ["overage 10.00"]
        assert (host.stale(), host.due(JAN)) == ([], "40.00")
        assert [closing.number for closing in host.repository.closings(ACME)] == [2]

    def test_a_correction_of_nothing_writes_nothing(self, host: Host) -> None:
        host.sign()
        host.close(JAN)
        with nothing_written(host.repository):
            assert host.correct(JAN) == []

    @pytest.mark.parametrize("late", ["own_period", "next_period"])
    def test_usage_that_is_taken_back_late_is_named_by_its_amount(
        self, host: Host, late: str
    ) -> None:
        host.sign("dear")
        host.use((100, day(2, 9)))
        host.close(FEB)
        host.use((-80, day(2, 28)), (30, day(3, 5)), late=late)
        assert host.stale() == [(FEB, "-80.00")]
        assert host.due(MAR) == "30.00"

    def test_a_correction_says_that_the_next_period_no_longer_follows(self, host: Host) -> None:
        host.sign("rolling")
        host.use((40, day(1, 9)), (150, day(2, 9)))
        host.close(FEB)
        host.use((30, day(1, 30)))
        assert host.stale() == [(JAN, "0.00")]  # it costs nothing, and leaves less
        recording = host.service.recalculate(ACME, period=JAN, force=True)
        assert recording is not None
        assert (recording.new, recording.stale_next) == ((), FEB)
        assert host.stale() == [(FEB, "20.00")]
        assert host.correct(FEB) == ["overage 20.00"]

    def test_late_usage_that_costs_nothing_is_named_where_less_is_left_for_later(
        self, host: Host
    ) -> None:
        year = Allowance(100, PerUnit("1.00"), included_for=Cycle(JAN.start, unit="year"))
        host.repository.put_plan(Plan("yearly", "USD", {"runs": year}))
        host.sign("yearly")
        host.use((40, day(1, 9)), (40, day(2, 9)), (40, day(3, 9)))
        host.close(MAR)
        host.use((10, day(1, 20)))
        assert host.stale() == [(JAN, "0.00")]
        recording = host.service.recalculate(ACME, period=JAN, force=True)
        assert recording is not None
        assert recording.stale_next == FEB
        assert host.correct(FEB) == []
        assert host.stale() == [(MAR, "10.00")]
        assert host.correct(MAR) == ["overage 10.00"]
        assert host.stale() == []

    def test_the_first_recorded_period_that_no_longer_follows_is_named(self, host: Host) -> None:
        host.sign("rolling")
        host.use((0, day(1, 9)), (205, day(2, 9)), (105, day(3, 9)))
        host.now = APR.start
        for period in (JAN, FEB, MAR):
            host.service.recalculate(ACME, period=period)
        host.use((100, day(1, 20)))
        recording = host.service.recalculate(ACME, period=JAN)
        assert recording is not None
        assert recording.stale_next == FEB

    def test_an_open_period_that_was_recorded_is_stale_too(self, host: Host) -> None:
        host.sign("rolling")
        host.use((40, day(1, 9)), (150, day(2, 9)))
        host.now = MAR.start
        host.service.recalculate(ACME, period=JAN)
        host.service.recalculate(ACME, period=FEB)
        host.use((1, day(2, 10)))
        host.use((40, day(1, 30)))
        recording = host.service.recalculate(ACME, period=JAN)
        assert recording is not None
        assert recording.stale_next is None  # nothing was recorded of February
        host.use((100, day(2, 11)))
        host.service.recalculate(ACME, period=FEB)
        host.use((5, day(1, 31)))
        recording = host.service.recalculate(ACME, period=JAN)
        assert recording is not None
        assert recording.stale_next == FEB
        assert host.stale() == [(FEB, "5.00")]

    def test_usage_without_terms_is_named(self, host: Host) -> None:
        account = host.sign()
        host.use((130, day(2, 20)))
        host.repository.put_account(account.ended(at=day(2, 10)))
        ((org_id, period, is_closed, change, error),) = host.service.stale(ACME)
        assert (org_id, period.start, is_closed, change) == (ACME, day(2, 10), False, None)
        assert isinstance(error, NoTerms)
        assert "runs was used" in str(error)

    @pytest.mark.parametrize("resumes", [False, True])
    def test_usage_of_before_terms_that_ended_as_they_began_is_named(
        self, host: Host, resumes: bool
    ) -> None:
        account = host.sign()
        host.use((130, day(2, 20)))
        account = account.ended(at=JAN.start)
        if resumes:
            account = account.changed(since=MAR.start, plan="starter")
        host.repository.put_account(account)
        (stale,) = host.service.stale(ACME)
        assert stale.period.start == JAN.start
        assert isinstance(stale.error, NoTerms)

    def test_usage_that_a_backdated_plan_does_not_know_is_named(self, host: Host) -> None:
        host.repository.put_plan(Plan("other", "USD", {"jobs": Allowance(0, PerUnit("1"))}))
        host.sign()
        host.use((10, day(1, 5)))
        host.now = day(1, 10)
        host.change(since=day(1, 1), plan="other")
        (stale,) = host.service.stale(ACME)
        assert (stale.period, stale.is_closed, stale.change) == (JAN, False, None)
        assert isinstance(stale.error, UnknownMetric)

    def test_usage_without_terms_that_cannot_be_told_is_named_by_its_error(
        self, host: Host
    ) -> None:
        account = host.sign()
        host.use((10, day(1, 5)), (-20, day(1, 25)))
        host.repository.put_account(account.ended(at=day(1, 20)))
        (stale,) = host.service.stale(ACME)
        assert stale.period.start == day(1, 20)
        assert isinstance(stale.error, InvalidValue)

    def test_what_was_recorded_is_taken_back_where_terms_end_as_the_period_begins(
        self, host: Host
    ) -> None:
        account = host.sign("dear")
        host.use((50, day(3, 3)))
        host.now = day(3, 10)
        host.service.recalculate(ACME)
        host.repository.put_account(account.ended(at=MAR.start))
        assert host.service.recalculate(ACME) is None
        summary = host.service.summary(ACME, MAR)
        assert summary is not None
        assert (summary.total.minor, [each.period.start for each in host.service.stale(ACME)]) == (
            0, [MAR.start],
        )  # fmt: skip

    def test_the_nightly_job_takes_back_what_is_no_period_any_more(self, host: Host) -> None:
        account = host.sign("dear")
        host.use((50, day(3, 3)))
        host.now = day(3, 10)
        host.service.recalculate(ACME)
        host.repository.put_account(account.ended(at=MAR.start))
        assert [each.period for each in host.service.close_ended()] == [JAN, FEB]
        assert [record.cost.minor for record in host.repository.records(ACME)] == [5_000, -5_000]

    def test_an_end_that_is_cancelled_blocks_no_bill(self, host: Host) -> None:
        account = host.sign("dear")
        host.use((50, day(3, 3)))
        host.now = day(3, 20)
        host.service.recalculate(ACME)
        ended = account.ended(at=day(3, 15))
        host.repository.put_account(ended)
        host.service.recalculate(ACME, period=Period(MAR.start, day(3, 15)))
        host.repository.put_account(ended.cancelled(since=day(3, 15)))
        recording = host.service.recalculate(ACME)
        assert recording is not None
        assert costs(recording) == ["overage 50.00"]
        assert [stale.change for stale in host.service.stale(ACME)] == []

    def test_open_periods_that_follow_each_other_are_stale_one_by_one(self, host: Host) -> None:
        host.sign("rolling")
        host.use((40, day(1, 9)), (170, day(2, 9)), (220, day(3, 9)))
        host.now = day(3, 20)
        for period in (JAN, FEB, MAR):
            host.service.recalculate(ACME, period=period)
        assert host.stale() == []
        host.use((30, day(1, 20)))
        assert host.stale() == [(FEB, "30.00")]

    def test_a_period_that_cannot_be_worked_out_any_more_is_named(self, host: Host) -> None:
        host.sign()
        host.close(JAN)
        host.change(since=day(1, 20), plan="nowhere")
        (stale,) = host.service.stale(ACME)
        assert (stale.period, stale.is_closed, stale.change) == (JAN, True, None)
        assert isinstance(stale.error, UnknownPlan)

    def test_what_was_recorded_of_a_period_that_is_no_more_is_stale(self, host: Host) -> None:
        account = host.sign("dear")
        host.use((50, day(3, 3)))
        host.now = day(3, 10)
        host.service.recalculate(ACME)
        moved = account.changed(since=day(3, 15), cycle=Cycle.monthly(day=15))
        host.repository.put_account(moved)
        assert host.stale() == [(MAR, "-50.00")]
        first = Period(MAR.start, day(3, 15))
        assert host.close(first) == ["overage 50.00"]
        assert host.stale() == []
        assert host.repository.verify(ACME) > 0

    def test_without_an_account_nothing_is_stale(self, host: Host) -> None:
        assert host.service.stale(ACME) == ()


class TestRecording:
    def test_a_statement_that_is_older_than_its_usage_is_not_recorded(self, host: Host) -> None:
        host.sign("dear")
        host.use((1_000, day(1, 5)))
        older = host.service.calculate(ACME, JAN)
        assert older is not None
        host.use((-900, day(1, 6)))
        host.service.recalculate(ACME, period=JAN)
        with nothing_written(host.repository), pytest.raises(RecordConflict) as caught:
            host.service.record(ACME, older)
        assert str(caught.value) == (
            "acme, 2024-01-01 to 2024-02-01 UTC: statement: must be what the period comes to now:"
            " calculate it again, got '1,000.00 USD'"
        )
        newer = host.service.calculate(ACME, JAN)
        assert newer is not None
        assert host.service.record(ACME, newer).new == ()

    def test_a_correction_can_be_recorded_as_it_was_calculated(self, host: Host) -> None:
        account = host.sign("dear")
        host.use((10, day(1, 5)))
        host.close(JAN)
        host.use((5, day(1, 6)))
        correction = host.service.calculate(ACME, JAN, account=account)
        assert correction is not None
        assert host.service.record(ACME, correction).is_stale
        assert costs(host.service.record(ACME, correction, force=True)) == ["overage 5.00"]
        assert (host.due(JAN), host.stale()) == ("15.00", [])


class TestGrants:
    def grant(self, host: Host, amount: str = "100", **terms: Any) -> None:
        terms = {"effective_at": JAN.start, **terms}
        host.repository.put_grant(ACME, Grant("g", Money.of(amount, "USD"), **terms))

    def left(self, host: Host) -> list[tuple[int, object, object]]:
        return [
            (closing.period.start.month, state.drawn, state.left)
            for closing in host.repository.closings(ACME)
            for burndown in closing.balance.burndowns
            for state in burndown.grants
        ]

    def test_units_are_drawn_when_they_are_used_though_others_are_counted_of_the_events(
        self, repository: Repository
    ) -> None:
        calls = Plan(
            "calls",
            "USD",
            {"calls": Allowance(0, PerUnit("0.10")), "users": Allowance(None, PerUnit("1"))},
        )
        repository.put_plan(calls)
        repository.put_account(Account(ACME, "calls", since=FEB.start))
        users = Metric("users", "unique", event="calls", distinct="user")
        service = OverageService(
            repository, clock=lambda: day(2, 20), metrics=[Metric("calls"), users]
        )
        grant = Grant("g", 100, metric="calls", effective_at=FEB.start, expires_at=day(2, 10))
        repository.put_grant(ACME, grant)
        used = UsageEvent(ACME, "calls", 100, day(2, 3), "e1", {"user": "ada"})
        service.record_usage([used])
        statement = service.calculate(ACME)
        assert statement is not None
        assert statement.total.minor == 0

    def test_a_correction_draws_only_what_later_periods_left(self, host: Host) -> None:
        host.sign("cheap")
        self.grant(host)
        host.use((400, day(1, 9)))
        host.close(JAN)
        host.use((600, day(1, 31)), (600, day(2, 9)))
        assert host.close(FEB) == ["overage 60.00", "credit:g -60.00"]
        assert host.correct(JAN) == ["overage 60.00"]
        assert self.left(host) == [(1, 40, 60), (2, 100, 0)]
        assert host.stale() == []

    def test_a_correction_that_draws_less_leaves_more_to_open_periods(self, host: Host) -> None:
        host.sign("cheap")
        self.grant(host)
        host.use((400, day(1, 9)), (600, day(2, 9)))
        host.close(FEB)
        host.use((-300, day(1, 10)))
        assert host.correct(JAN) == ["overage -30.00", "credit:g 30.00"]
        assert self.left(host) == [(1, 10, 90), (2, 70, 30)]
        assert host.stale() == []
        host.use((500, day(3, 9)))
        assert host.close(MAR) == ["overage 50.00", "credit:g -30.00"]

    def test_a_correction_that_draws_less_of_what_expired_leaves_nothing(self, host: Host) -> None:
        host.sign("cheap")
        self.grant(host, expires_at=FEB.end)
        host.use((400, day(1, 9)), (600, day(2, 9)))
        host.close(FEB)
        host.use((-300, day(1, 10)))
        host.correct(JAN)
        assert self.left(host) == [(1, 10, 90), (2, 70, 0)]
        host.use((700, day(1, 11)))
        host.correct(JAN)  # 80 to pay, and 40 that are left
        assert self.left(host) == [(1, 40, 60), (2, 100, 0)]
        assert host.due(JAN) == "40.00"

    def test_units_of_a_fill_that_is_gone_can_be_drawn_by_a_correction(self, host: Host) -> None:
        host.sign("cheap")
        self.grant(host, recurrence=Cycle.monthly())
        host.use((400, day(1, 9)), (600, day(2, 9)))
        host.close(FEB)
        host.use((900, day(1, 10)))
        assert host.correct(JAN) == ["overage 90.00", "credit:g -60.00"]
        assert self.left(host) == [(1, 100, 100), (2, 160, 100)]
        host.use((-1_000, day(1, 11)))
        host.correct(JAN)
        assert self.left(host) == [(1, 30, 100), (2, 90, 100)]

    def weekly(self, host: Host) -> None:
        """Grant 100 units anew on each 10th to an org that is billed by the week, on Mondays."""
        host.sign("cheap", cycle=Cycle.calendar("week"))
        host.repository.put_grant(
            ACME,
            Grant(
                "u", 100, metric="runs", effective_at=JAN.start, recurrence=Cycle.monthly(day=10)
            ),
        )

    def test_what_was_drawn_before_a_refill_is_not_what_later_periods_drew(
        self, host: Host
    ) -> None:
        self.weekly(host)
        host.use((60, day(1, 9)), (100, day(1, 16)))
        week = Period(day(1, 8), day(1, 15))
        assert host.close(Period(day(1, 15), day(1, 22))) == []
        assert host.stale() == []
        host.use((30, day(1, 9, 1)), (5, day(1, 11)))
        assert host.correct(week) == ["overage 0.50"]  # the 100 of the 10th are the next week's
        assert self.left(host)[-2:] == [(1, 90, 100), (1, 190, 0)]
        host.use((-50, day(1, 9, 2)))
        host.correct(week)
        assert self.left(host)[-2:] == [(1, 40, 100), (1, 140, 0)]

    def test_a_correction_leaves_to_later_periods_what_they_drew_before_a_refill(
        self, host: Host
    ) -> None:
        self.weekly(host)
        host.use((40, day(1, 5)), (60, day(1, 9)), (100, day(1, 11)))
        assert host.close(Period(day(1, 8), day(1, 15))) == []
        host.use((60, day(1, 6)))
        assert host.correct(Period(day(1, 1), day(1, 8))) == ["overage 6.00"]
        assert self.left(host) == [(1, 40, 60), (1, 200, 0)]
        assert host.stale() == []

    def test_units_that_stay_at_a_refill_are_needed_by_later_periods_only_so_far(
        self, host: Host
    ) -> None:
        host.sign("cheap")
        self.grant(host, recurrence=Cycle.monthly(), refill_keeps=None)
        host.use((400, day(1, 9)), (1_300, day(2, 9)))
        assert host.close(FEB) == ["overage 130.00", "credit:g -130.00"]
        host.use((900, day(1, 10)))  # 30 of the 60 that January left are February's
        assert host.correct(JAN) == ["overage 90.00", "credit:g -30.00"]
        assert self.left(host) == [(1, 70, 130), (2, 200, 100)]

    def test_a_grant_that_a_later_closed_period_did_not_know_goes_on_through_it(
        self, host: Host
    ) -> None:
        account = host.sign("cheap").ended(at=FEB.start)
        account = account.changed(since=APR.start, plan="cheap")
        host.repository.put_account(account)
        host.use((500, day(4, 9)), (900, day(5, 9)))
        known = Grant("k", Money.of("1", "USD"), effective_at=day(4, 5))
        host.repository.put_grant(ACME, known)
        assert host.close(APR) == ["overage 50.00", "credit:k -1.00"]
        host.repository.put_account(account.changed(since=FEB.start, plan="cheap"))
        host.use((300, day(2, 9)))
        self.grant(host)
        monthly = Grant("m", 10, metric="runs", effective_at=JAN.start, recurrence=Cycle.monthly())
        host.repository.put_grant(ACME, monthly)
        assert host.close(FEB) == ["overage 29.00", "credit:g -29.00"]
        assert self.left(host)[2:] == [(4, 29, 71), (4, 1, 0), (4, 10, 10)]
        host.use((10, day(4, 10)))
        assert host.correct(APR) == ["overage 1.00"]
        assert host.close(MAY) == ["overage 89.00", "credit:g -71.00"]

    def test_a_grant_that_begins_later_owes_nothing_to_a_correction(self, host: Host) -> None:
        host.sign("cheap")
        self.grant(host, effective_at=day(2, 5))
        host.use((400, day(1, 9)), (600, day(2, 9)))
        assert host.close(FEB) == ["overage 60.00", "credit:g -60.00"]
        host.use((10, day(1, 10)))
        assert host.correct(JAN) == ["overage 1.00"]
        assert self.left(host) == [(2, 60, 40)]

    def test_a_grant_that_is_entered_late_acts_from_the_first_open_period_on(
        self, host: Host
    ) -> None:
        host.sign("dear")
        host.use((50, day(2, 9)), (50, day(3, 9)))
        host.close(FEB)
        self.grant(host, "50", effective_at=FEB.start)
        host.use((1, day(2, 10)))
        assert host.correct(FEB) == ["overage 1.00"]
        assert host.close(MAR) == ["overage 50.00", "credit:g -50.00"]

    def test_a_void_that_is_entered_late_acts_from_the_first_open_period_on(
        self, host: Host
    ) -> None:
        host.sign("dear")
        self.grant(host, "80")
        host.use((50, day(2, 9)), (50, day(3, 9)))
        host.close(FEB)
        host.repository.void_grant(ACME, "g", FEB.start)
        assert host.stale() == []
        assert host.due(MAR) == "50.00"
        host.use((-20, day(2, 10)))
        assert host.correct(FEB) == ["overage -20.00", "credit:g 20.00"]
        assert host.due(MAR) == "50.00"

    def test_a_correction_draws_on_no_grant_that_was_entered_after_its_closing(
        self, host: Host
    ) -> None:
        account = host.sign("cheap").ended(at=FEB.start)
        account = account.changed(since=APR.start, plan="cheap")
        host.repository.put_account(account)
        host.use((400, day(1, 9)), (500, day(4, 9)))
        assert host.close(APR) == ["overage 50.00"]
        self.grant(host)
        host.repository.put_account(account.changed(since=FEB.start, plan="cheap"))
        host.use((300, day(2, 9)), (10, day(4, 10)))
        assert host.close(FEB) == ["overage 30.00", "credit:g -30.00"]
        assert host.correct(APR) == ["overage 1.00"]
        assert self.left(host) == [(2, 30, 70), (4, 30, 70)]

    def test_a_period_that_comes_before_closed_ones_draws_what_they_left(self, host: Host) -> None:
        account = host.sign("cheap").ended(at=FEB.start)
        account = account.changed(since=APR.start, plan="cheap")
        host.repository.put_account(account)
        self.grant(host)
        host.use((400, day(1, 9)), (500, day(4, 9)))
        host.close(APR)
        assert self.left(host) == [(1, 40, 60), (4, 90, 10)]
        host.repository.put_account(account.changed(since=FEB.start, plan="cheap"))
        host.use((300, day(2, 9)))
        assert host.close(FEB) == ["overage 30.00", "credit:g -10.00"]
        assert self.left(host) == [(1, 40, 60), (2, 50, 50), (4, 100, 0)]
        assert host.stale() == []
