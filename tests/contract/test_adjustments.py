"""Statement lines that are no overages, in every adapter: kept as any other line (law 4)."""

from __future__ import annotations

from typing import Final

import pytest

from overages import (
    Adjustment,
    Allowance,
    Discount,
    Money,
    Period,
    PerUnit,
    Plan,
    Repository,
    Statement,
    Summary,
    Usage,
    aggregate,
    calculate,
)
from overages.amounts.exact import QuantityLike
from overages.errors import PeriodClosed, PeriodOverlap, RecordConflict
from overages.statements.summary import MetricTotal
from overages.testing.contract.base import (
    FEB,
    LATER,
    MAR,
    NOW,
    OURS,
    THEIRS,
    all_reads,
    close,
    nothing_written,
)

MIDDLE: Final = Period(FEB.start + (FEB.end - FEB.start) / 2, MAR.end)
HALF_OFF: Final = Allowance(100, PerUnit("0.01"), discounts=[Discount("launch", percent=50)])
CAPPED: Final = Allowance(10, PerUnit(1), maximum=Money(500, "USD"))


def terms(minimum: int = 1000, **allowances: Allowance) -> Plan:
    """Return a plan with a discount, a maximum, and a minimum of all."""
    offers = {"tokens": HALF_OFF, "runs": CAPPED, **allowances}
    return Plan("starter", "USD", offers, minimum=Money(minimum, "USD"))


PLAIN: Final = terms(0, tokens=Allowance(100, PerUnit("0.01")), runs=Allowance(10, PerUnit(1)))


def adjusted(
    org_id: str = OURS, period: Period = FEB, plan: Plan | None = None, **used: QuantityLike
) -> Statement:
    """Return the statement of an org that used so much."""
    return calculate(plan or terms(), Usage(org_id, period, used))


def lines(repository: Repository, org_id: str = OURS) -> list[tuple[str | None, str, int, int]]:
    """Return metric, line, minor units and revision of each record."""
    return [(r.metric, r.line, r.cost.minor, r.revision) for r in repository.records(org_id)]


def check(repository: Repository, statement: Statement) -> None:
    """Check that all that is read of a period comes to a statement, adjustments included."""
    org_id, period, expected = statement.org_id, statement.period, statement.summary()
    assert aggregate(repository.records(org_id, period)) == expected
    assert repository.summary(org_id, period) == expected
    by_metric = Summary(expected.currency, expected.metrics)
    assert repository.overage(org_id, period) == by_metric


def test_each_adjustment_is_kept_as_a_record_of_its_own(repository: Repository) -> None:
    statement = adjusted(tokens=500, runs=17)
    recording = repository.record(statement, created_at=NOW)
    assert recording.new == recording.records == repository.records(OURS, FEB)
    assert lines(repository) == [
        ("tokens", "overage", 400, 1),
        ("runs", "overage", 700, 1),
        ("tokens", "discount:launch", -200, 1),
        ("runs", "maximum", -200, 1),
        (None, "minimum", 300, 1),
    ]
    assert [(r.quantity, r.unit_price) for r in recording.records[2:]] == [(0, None)] * 3
    check(repository, statement)


def test_a_record_of_all_lines_is_read_back_as_it_is(repository: Repository) -> None:
    repository.record(adjusted(), created_at=NOW)
    (record,) = repository.records(OURS, FEB)
    assert repr(record) == (
        f"OverageRecord(org_id='org-1', period={FEB!r}, metric=None, quantity=0, "
        "cost=Money(1000, 'USD'), exact_cost=Decimal('10'), "
        f"line='minimum', plan='starter', created_at={NOW!r}, "
        f"digest={record.digest!r})"
    )


def test_lines_may_have_odd_names(repository: Repository) -> None:
    odd = "'; DROP TABLE x; -- größer"
    discount = Discount(odd, percent=50)
    plan = terms(0, tokens=Allowance(0, PerUnit(1), discounts=[discount]))
    repository.record(adjusted(plan=plan, tokens=4), created_at=NOW)
    assert lines(repository)[1] == ("tokens", f"discount:{odd}", -200, 1)
    assert repository.verify(OURS) == 2


def test_the_same_adjustments_again_write_nothing(repository: Repository) -> None:
    first = repository.record(adjusted(tokens=500, runs=17), created_at=NOW)
    with nothing_written(repository):
        again = repository.record(adjusted(tokens=500, runs=17), created_at=LATER)
    assert (again.records, again.new) == (first.records, ())


def test_each_adjustment_is_corrected_by_what_changes(repository: Repository) -> None:
    repository.record(adjusted(tokens=500, runs=17), created_at=NOW)
    repository.record(adjusted(tokens=600, runs=18), created_at=LATER)
    assert lines(repository)[5:] == [
        ("tokens", "overage", 100, 2),
        ("runs", "overage", 100, 2),
        ("tokens", "discount:launch", -50, 2),
        ("runs", "maximum", -100, 2),
        (None, "minimum", -50, 2),
    ]
    check(repository, adjusted(tokens=600, runs=18))


def test_adjustments_that_are_due_no_more_are_taken_back(repository: Repository) -> None:
    repository.record(adjusted(tokens=500, runs=17), created_at=NOW)
    plain = adjusted(plan=PLAIN, tokens=500, runs=17)
    repository.record(plain, created_at=LATER)
    assert sorted(lines(repository)[5:], key=str) == [
        ("runs", "maximum", 200, 2),
        ("tokens", "discount:launch", 200, 2),
        (None, "minimum", -300, 2),
    ]
    check(repository, plain)
    repository.record(adjusted(tokens=500, runs=17), created_at=LATER)
    check(repository, adjusted(tokens=500, runs=17))


def test_all_is_taken_back(repository: Repository) -> None:
    repository.record(adjusted(tokens=500, runs=17), created_at=NOW)
    repository.record(adjusted(plan=PLAIN), created_at=NOW)
    assert repository.summary(OURS, FEB) == Summary("USD", {})
    assert repository.overage(OURS, FEB) == Summary("USD", {})
    assert repository.record(adjusted(plan=PLAIN), created_at=NOW).new == ()


def test_an_adjustment_of_a_metric_that_left_the_plan_is_taken_back(repository: Repository) -> None:
    repository.record(adjusted(tokens=500, runs=17), created_at=NOW)
    fewer = Plan("starter", "USD", {"tokens": HALF_OFF}, minimum=Money(1000, "USD"))
    repository.record(adjusted(plan=fewer, tokens=500), created_at=NOW)
    check(repository, adjusted(plan=fewer, tokens=500))
    assert repository.overage(OURS, FEB) == Summary(
        "USD", {"tokens": MetricTotal(400, Money(200, "USD"))}
    )


def test_an_adjustment_that_changes_before_rounding_alone_is_a_changed_result(
    repository: Repository,
) -> None:
    for exact in ("0.004", "0.003"):
        cap = Plan("p", "USD", {"a": Allowance(0, PerUnit(exact))}, maximum=Money(0, "USD"))
        repository.record(adjusted(plan=cap, a=1), created_at=NOW)
    assert lines(repository)[2:] == [("a", "overage", 0, 2), (None, "maximum", 0, 2)]


def test_the_summary_of_an_org_adds_the_adjustments_of_its_periods(repository: Repository) -> None:
    february, march = adjusted(tokens=500), adjusted(period=MAR, runs=17)
    repository.record_many([february, march], created_at=NOW)
    both = february.summary() + march.summary()
    assert repository.summary(OURS) == both == aggregate(repository.records(OURS))
    assert both.adjustments["minimum"] == Money(1300, "USD")


def test_what_adjusts_all_metrics_is_no_overage_of_one(repository: Repository) -> None:
    repository.record(adjusted(), created_at=NOW)
    assert repository.overage(OURS, FEB) is None
    assert repository.summary(OURS, FEB) == Summary("USD", {}, {"minimum": Money(1000, "USD")})


def test_credits_are_kept_by_grant(repository: Repository) -> None:
    plain = adjusted(plan=PLAIN, runs=20)
    due, drawn = plain.total, Money(-400, "USD")
    found = [
        Adjustment("credit", due, drawn, -4, name="g1"),
        Adjustment("credit", due + drawn, drawn, -4, name="g2"),
    ]
    statement = Statement(OURS, FEB, PLAIN, [*plain.lines, *found])
    repository.record(statement, created_at=NOW)
    check(repository, statement)
    one = Statement(OURS, FEB, PLAIN, [*plain.lines, found[0]])
    repository.record(one, created_at=NOW)
    assert lines(repository)[-1] == (None, "credit:g2", 400, 2)
    check(repository, one)


def test_adjustments_are_links_of_the_chain(repository: Repository) -> None:
    repository.record(adjusted(tokens=500, runs=17), created_at=NOW)
    noted = repository.head(OURS)
    repository.record(adjusted(tokens=600, runs=17), created_at=NOW)
    assert repository.verify(OURS, noted) == repository.verify() == 8


def test_a_revision_with_other_adjustments_is_a_conflict(repository: Repository) -> None:
    repository.record(adjusted(tokens=500), created_at=NOW, revision=1)
    assert not repository.record(adjusted(tokens=500), created_at=NOW, revision=1).new
    with nothing_written(repository), pytest.raises(RecordConflict) as caught:
        repository.record(adjusted(plan=terms(2000), tokens=500), created_at=NOW, revision=1)
    assert caught.value.problem.endswith(" differs in minimum.exact_cost, minimum.cost")


def test_an_adjustment_is_due_once_where_periods_overlap(repository: Repository) -> None:
    repository.record(adjusted(), created_at=NOW)
    with nothing_written(repository), pytest.raises(PeriodOverlap) as caught:
        repository.record(adjusted(period=MIDDLE), created_at=NOW)
    assert (caught.value.period, caught.value.value) == (MIDDLE, (FEB,))
    assert " of minimum for " in caught.value.problem
    assert repository.record(adjusted(period=MIDDLE, plan=PLAIN, runs=12), created_at=NOW).new


def test_lines_of_a_metric_overlap_by_their_own_name(repository: Repository) -> None:
    least = terms(0, tokens=Allowance(0, PerUnit(1), minimum=Money(5, "USD")))
    repository.record(adjusted(plan=least), created_at=NOW)
    assert lines(repository) == [("tokens", "minimum", 5, 1)]
    other = adjusted(period=MIDDLE, plan=PLAIN, tokens=500)
    assert repository.record(other, created_at=NOW).new
    with nothing_written(repository), pytest.raises(PeriodOverlap) as caught:
        repository.record(adjusted(period=MIDDLE, plan=least), created_at=NOW)
    assert " of tokens.minimum for " in caught.value.problem


def test_a_closed_period_keeps_its_adjustments(repository: Repository) -> None:
    close(repository, adjusted(tokens=500))
    changed = adjusted(plan=terms(2000), tokens=500)
    with nothing_written(repository), pytest.raises(PeriodClosed):
        repository.record(changed, created_at=LATER)
    assert close(repository, changed, LATER, force=True).number == 2
    check(repository, changed)


def test_adjustments_of_one_org_change_nothing_of_another(repository: Repository) -> None:
    repository.record(adjusted(THEIRS, tokens=500, runs=17), created_at=NOW)
    before = all_reads(repository, THEIRS)
    repository.record(adjusted(tokens=900), created_at=NOW)
    repository.record(adjusted(period=MAR), created_at=NOW)
    assert all_reads(repository, THEIRS) == before
    check(repository, adjusted(THEIRS, tokens=500, runs=17))
    assert [repository.verify(OURS), repository.verify(THEIRS)] == [4, 5]
