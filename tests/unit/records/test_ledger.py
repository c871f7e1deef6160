"""Recording: what a statement adds to an org's records, and what it may not add."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from tests.pages import caption_of, rows_of
from tests.recorded import AT

from overages import (
    Allowance,
    Graduated,
    MemoryRepository,
    Money,
    OverageRecord,
    Package,
    Period,
    PerUnit,
    Plan,
    PriceModel,
    Statement,
    Tier,
    Usage,
    Volume,
    calculate,
)
from overages.amounts.exact import Quantity
from overages.errors import (
    CurrencyMismatch,
    FaultyPriceModel,
    InvalidType,
    InvalidValue,
    PeriodClosed,
    PeriodOverlap,
    RecordConflict,
)
from overages.prices.tier import Charge
from overages.records.chain import CHAIN_START, ChainHead, link_of, row_of, verify_chain
from overages.records.ledger import Ledger
from overages.records.recording import Recording

FEBRUARY, MARCH = Period.month(2024, 2), Period.month(2024, 3)
SPRING = Period.parse("2024-02-15T00:00:00Z/2024-03-15T00:00:00Z")
PLAN = Plan(
    "starter",
    "USD",
    {"tokens": Allowance(100, PerUnit("0.01")), "runs": Allowance(0, Package(2, 10))},
)


def statement(period: Period = FEBRUARY, plan: Plan = PLAN, **quantities: Any) -> Statement:
    return calculate(plan, Usage("org-1", period, quantities))


def add(ledger: Ledger, given: Statement, **named: Any) -> Recording:
    return ledger.add(given, **{"plan_version": 1, "created_at": AT, **named}).recording()


def brief(records: Iterable[OverageRecord]) -> list[tuple[Any, ...]]:
    return [
        (r.metric, r.quantity, r.cost.minor, r.exact_cost, r.unit_price, r.revision, r.sequence)
        for r in records
    ]


# What is added


def test_the_first_statement_adds_a_record_for_each_line_that_is_over() -> None:
    ledger = Ledger("org-1")
    recording = add(ledger, statement(tokens=350, runs=5), plan_version=4)
    assert brief(recording.new) == [
        ("tokens", 250, 250, Decimal("2.5"), Decimal("0.01"), 1, 1),
        ("runs", 5, 200, Decimal(2), None, 1, 2),
    ]
    for record in recording.new:
        assert (record.org_id, record.period, record.plan) == ("org-1", FEBRUARY, "starter")
        assert (record.plan_version, record.created_at) == (4, AT)
    assert recording.records == recording.new == tuple(ledger.records)


def test_what_is_not_over_adds_nothing() -> None:
    ledger = Ledger("org-1")
    assert add(ledger, statement(tokens=100)) == Recording((), ())
    assert (ledger.head, ledger.new, ledger.counters, ledger.records) == (CHAIN_START, [], [], [])


def test_a_metric_that_is_over_for_free_is_recorded() -> None:
    plan = Plan("free", "USD", {"seats": Allowance(3, PerUnit(0))})
    (record,) = add(Ledger("org-1"), statement(plan=plan, seats=5)).new
    assert brief([record]) == [("seats", 2, 0, 0, 0, 1, 1)]


@pytest.mark.parametrize(
    "price",
    [
        Graduated([Tier(None, 1, flat=5)], flat_at_zero=True),
        Volume([Tier("0.5", 1, flat=5), Tier(None, 1)], flat_at_zero=True),
    ],
)
def test_a_metric_that_costs_something_without_being_over_is_recorded(price: PriceModel) -> None:
    plan = Plan("p", "USD", {"a": Allowance(10, price)})
    (record,) = add(Ledger("org-1"), statement(plan=plan)).new
    assert (record.quantity, record.cost.minor, record.unit_price) == (0, 500, None)


def test_a_fee_at_zero_of_less_than_a_minor_unit_is_recorded_exactly() -> None:
    price = Graduated([Tier(None, 1, flat="0.004")], flat_at_zero=True)
    plan = Plan("p", "USD", {"a": Allowance(10, price)})
    ledger = Ledger("org-1")
    (record,) = add(ledger, statement(plan=plan)).new
    assert (record.quantity, record.cost.minor, record.exact_cost) == (0, 0, Decimal("0.004"))
    found = [*add(ledger, statement(plan=plan, a=11)).new, *add(ledger, statement(plan=plan)).new]
    assert [str(change.exact_cost) for change in found] == ["1", "-1"]


def test_the_same_statement_again_adds_nothing() -> None:
    ledger = Ledger("org-1")
    first = add(ledger, statement(tokens=350, runs=5))
    before = ledger.head, list(ledger.new), list(ledger.counters)
    again = add(ledger, statement(tokens=350, runs=5), plan_version=9, revision=1)
    assert again == Recording(first.records, ())
    assert (ledger.head, ledger.new, ledger.counters) == before


def test_a_changed_statement_adds_a_correction_for_what_changed() -> None:
    ledger = Ledger("org-1")
    first = add(ledger, statement(tokens=350, runs=5))
    later = datetime(2024, 3, 2, tzinfo=UTC)
    second = add(ledger, statement(tokens=300, runs=5), created_at=later)
    assert brief(second.new) == [("tokens", -50, -50, Decimal("-0.5"), Decimal("0.01"), 2, 3)]
    assert second.records == (*first.records, *second.new)
    assert second.new[0].created_at == later


def test_what_is_not_over_any_more_is_taken_back_and_can_come_again() -> None:
    ledger = Ledger("org-1")
    add(ledger, statement(tokens=350, runs=5))
    back = add(ledger, statement(tokens=350))
    assert brief(back.new) == [("runs", -5, -200, Decimal(-2), None, 2, 3)]
    assert add(ledger, statement(tokens=350)).new == ()
    assert brief(add(ledger, statement(tokens=350, runs=1)).new) == [
        ("runs", 1, 200, Decimal(2), None, 3, 4)
    ]


def test_a_metric_that_left_the_plan_is_taken_back() -> None:
    ledger = Ledger("org-1")
    add(ledger, statement(tokens=350, runs=5))
    smaller = Plan("smaller", "USD", {"tokens": Allowance(100, PerUnit("0.01"))})
    (record,) = add(ledger, statement(plan=smaller, tokens=350), plan_version=2).new
    assert (record.metric, record.cost.minor, record.plan) == ("runs", -200, "smaller")
    assert record.plan_version == 2


def test_a_correction_of_the_price_has_no_unit_price() -> None:
    ledger = Ledger("org-1")
    add(ledger, statement(tokens=200))
    dearer = Plan("dearer", "USD", {"tokens": Allowance(100, PerUnit("0.02"))})
    assert brief(add(ledger, statement(plan=dearer, tokens=200)).new) == [
        ("tokens", 0, 100, Decimal(1), None, 2, 2)
    ]
    assert brief(add(ledger, statement(plan=dearer, tokens=150)).new) == [
        ("tokens", -50, -100, Decimal(-1), Decimal("0.02"), 3, 3)
    ]


def test_a_change_that_is_lost_in_rounding_is_recorded_all_the_same() -> None:
    thirds = Plan("p", "USD", {"a": Allowance(0, PerUnit(1, per=300))})
    ledger = Ledger("org-1")
    add(ledger, statement(plan=thirds, a=3))
    (record,) = add(ledger, statement(plan=thirds, a=4)).new
    assert brief([record]) == [("a", 1, 0, Fraction(1, 300), Fraction(1, 300), 2, 2)]


def test_a_change_of_the_rounding_alone_is_recorded() -> None:
    up = Plan("p", "USD", {"a": Allowance(0, PerUnit("0.005"))})
    down = Plan("p", "USD", {"a": Allowance(0, PerUnit("0.005"))}, rounding="half_down")
    ledger = Ledger("org-1")
    add(ledger, statement(plan=up, a=1))
    assert brief(add(ledger, statement(plan=down, a=1)).new) == [
        ("a", 0, -1, Decimal(0), Decimal("0.005"), 2, 2)
    ]


def test_results_of_two_periods_are_counted_apart_and_chained_together() -> None:
    ledger = Ledger("org-1")
    add(ledger, statement(tokens=350))
    march = add(ledger, statement(MARCH, tokens=350))
    assert brief(march.records) == [("tokens", 250, 250, Decimal("2.5"), Decimal("0.01"), 1, 2)]


# What a ledger goes on from, and what it keeps


def test_a_ledger_goes_on_from_records_and_a_head() -> None:
    first = Ledger("org-1")
    add(first, statement(tokens=350))
    add(first, statement(MARCH, tokens=200))
    ledger = Ledger("org-1", records=first.records, head=first.head)
    recording = add(ledger, statement(tokens=300))
    assert brief(recording.new) == [("tokens", -50, -50, Decimal("-0.5"), Decimal("0.01"), 2, 3)]
    assert len(ledger.new) == 1
    assert ledger.head == ChainHead(3, recording.new[0].digest)
    links = [link_of(row) for row in (*first.new, *ledger.new)]
    assert verify_chain("org-1", links, ledger.head, noted=first.head) == 3


def test_a_ledger_has_what_is_new_as_rows_and_what_is_due() -> None:
    ledger = Ledger("org-1")
    recording = add(ledger, statement(tokens=350, runs=5))
    again = add(ledger, statement(tokens=100, runs=Decimal("2.5")))
    new = [*recording.new, *again.new]
    assert ledger.new == [(*row_of(record), record.digest) for record in new]
    february = ("2024-02-01T00:00:00Z", "2024-03-01T00:00:00Z")
    assert {row[:4]: row[4:] for row in ledger.counters} == {
        ("org-1", *february, "tokens"): ("0", "0", "USD", 2),
        ("org-1", *february, "runs"): ("2.5", "200", "USD", 2),
    }


def test_the_records_that_a_ledger_was_given_stay_as_they_are() -> None:
    first = Ledger("org-1")
    add(first, statement(tokens=350))
    given = list(first.records)
    add(Ledger("org-1", records=given, head=first.head), statement(tokens=300))
    assert given == first.records


# What is refused, with nothing added


WHERE = "org-1, 2024-02-01 to 2024-03-01 UTC: "


def refused(ledger: Ledger, given: Statement, error: type[Exception], **named: Any) -> str:
    before = list(ledger.records), ledger.head, list(ledger.new), list(ledger.counters)
    with pytest.raises(error) as caught:
        add(ledger, given, **named)
    assert (ledger.records, ledger.head, ledger.new, ledger.counters) == before
    return str(caught.value)


def test_a_revision_that_is_there_must_say_the_same() -> None:
    ledger = Ledger("org-1")
    add(ledger, statement(tokens=350, runs=5), revision=1)
    message = refused(ledger, statement(tokens=351), RecordConflict, revision=1)
    fields = "tokens.quantity, tokens.exact_cost, tokens.cost, runs.quantity, runs.exact_cost"
    assert message == (
        f"{WHERE}revision: must be as it is recorded already, but differs in {fields}, runs.cost,"
        " got 1"
    )


def test_a_conflict_names_the_fields_that_differ_and_no_others() -> None:
    up = Plan("p", "USD", {"a": Allowance(0, PerUnit("0.005"))})
    down = Plan("p", "USD", {"a": Allowance(0, PerUnit("0.005"))}, rounding="half_down")
    ledger = Ledger("org-1")
    add(ledger, statement(plan=up, a=1))
    message = refused(ledger, statement(plan=down, a=1), RecordConflict, revision=1)
    assert message.endswith(" differs in a.cost, got 1")


def test_of_two_writers_of_a_revision_one_writes_it() -> None:
    ledger = Ledger("org-1")
    add(ledger, statement(tokens=350))
    assert add(ledger, statement(tokens=400), revision=2).new[0].revision == 2
    refused(ledger, statement(tokens=500), RecordConflict, revision=2)
    assert add(ledger, statement(tokens=400), revision=2).new == ()


@pytest.mark.parametrize(
    ("revision", "error", "message"),
    [
        (2, InvalidValue, "revision: must be at most 1, got 2"),
        (0, InvalidValue, "revision: must be from 1 to 2**63 - 1, got 0"),
        (2**63, InvalidValue, f"revision: must be from 1 to 2**63 - 1, got {2**63}"),
        (True, InvalidType, "revision: must be an int, got True"),
        ("1", InvalidType, "revision: must be an int, got '1'"),
    ],
)
def test_a_revision_follows_on_the_last(
    revision: Any, error: type[Exception], message: str
) -> None:
    assert (
        refused(Ledger("org-1"), statement(tokens=350), error, revision=revision) == WHERE + message
    )


def test_a_closed_period_changes_only_by_force() -> None:
    first = Ledger("org-1")
    add(first, statement(tokens=350))
    closed = {FEBRUARY: AT}
    ledger = Ledger("org-1", records=first.records, head=first.head, closed=closed)
    assert add(ledger, statement(tokens=350)).new == ()
    assert refused(ledger, statement(tokens=351), PeriodClosed) == (
        f"{WHERE}is closed since 2024-03-01T12:00:00Z, and changes only by force"
    )
    assert len(add(ledger, statement(MARCH, tokens=350)).new) == 1
    assert len(add(ledger, statement(tokens=351), force=True).new) == 1


def test_a_closed_period_without_records_stays() -> None:
    ledger = Ledger("org-1", closed={FEBRUARY: AT})
    assert add(ledger, statement(tokens=100)).new == ()
    refused(ledger, statement(tokens=350), PeriodClosed)


def test_a_metric_is_charged_once_in_periods_that_overlap() -> None:
    ledger = Ledger("org-1")
    add(ledger, statement(tokens=350))
    for overlapping in (SPRING, Period(FEBRUARY.start, MARCH.end)):
        assert refused(ledger, statement(overlapping, tokens=350), PeriodOverlap) == (
            f"org-1, {overlapping.describe()}: must not overlap the charge of tokens for "
            "2024-02-01 to 2024-03-01 UTC"
        )
    assert len(add(ledger, statement(MARCH, tokens=350)).new) == 1  # which only touches it


def test_all_charges_that_a_period_overlaps_are_named() -> None:
    ledger = Ledger("org-1")
    add(ledger, statement(tokens=350, runs=5))
    add(ledger, statement(MARCH, runs=5))
    assert refused(ledger, statement(SPRING, tokens=350, runs=5), PeriodOverlap).endswith(
        ": must not overlap the charge of runs and tokens for 2024-02-01 to 2024-03-01 UTC, "
        "runs for 2024-03-01 to 2024-04-01 UTC"
    )


def test_another_metric_may_be_charged_in_a_period_that_overlaps() -> None:
    ledger = Ledger("org-1")
    add(ledger, statement(tokens=350))
    assert [record.metric for record in add(ledger, statement(SPRING, runs=1)).new] == ["runs"]


def test_a_charge_that_was_taken_back_is_in_no_one_s_way() -> None:
    ledger = Ledger("org-1")
    add(ledger, statement(tokens=350))
    add(ledger, statement())
    assert len(add(ledger, statement(SPRING, tokens=350)).new) == 1
    refused(ledger, statement(tokens=350), PeriodOverlap)


def test_a_period_keeps_its_currency() -> None:
    ledger = Ledger("org-1")
    add(ledger, statement(tokens=350))
    euros = Plan("euros", "EUR", {"tokens": Allowance(100, PerUnit("0.01"))})
    message = refused(ledger, statement(plan=euros, tokens=350), CurrencyMismatch)
    assert message == f"{WHERE}currency: USD and EUR can't be added or compared"
    refused(ledger, statement(plan=euros), CurrencyMismatch)
    assert add(ledger, statement(MARCH, plan=euros, tokens=350)).new[0].cost == Money(250, "EUR")


def test_a_refusal_leaves_the_next_statement_as_it_would_have_been() -> None:
    one, other = Ledger("org-1"), Ledger("org-1")
    for ledger in (one, other):
        add(ledger, statement(tokens=350))
    refused(one, statement(SPRING, tokens=1000), PeriodOverlap)
    assert add(one, statement(tokens=300)) == add(other, statement(tokens=300))
    assert one.head == other.head


def test_a_statement_of_another_org_is_refused() -> None:
    message = refused(Ledger("org-2"), statement(tokens=350), InvalidValue)
    where = "org-2, 2024-02-01 to 2024-03-01 UTC: "
    assert message == f"{where}statement.org_id: must be 'org-2', got 'org-1'"


class Failing:
    """A host's own price model, which comes to fail."""

    fails = False

    def charge(self, quantity: Quantity) -> Charge:
        if self.fails:
            raise ZeroDivisionError("of the host's")
        return PerUnit(1).charge(quantity)


def test_the_error_of_a_host_s_price_model_stays_the_cause() -> None:
    price = Failing()
    given = statement(plan=Plan("p", "USD", {"runs": Allowance(0, price)}), runs=5)
    price.fails = True
    calls: list[Callable[[], object]] = [
        lambda: add(Ledger("org-1"), given),
        lambda: MemoryRepository().record(given, created_at=AT),
    ]
    for record in calls:
        with pytest.raises(FaultyPriceModel) as caught:
            record()
        assert (caught.value.org_id, caught.value.period) == ("org-1", FEBRUARY)
        assert isinstance(caught.value.__cause__, ZeroDivisionError)


def test_the_time_of_recording_is_kept_in_utc_and_must_have_a_zone() -> None:
    noon = datetime(2024, 3, 1, 12, tzinfo=timezone(timedelta(hours=2)))
    (record,) = add(Ledger("org-1"), statement(tokens=350), created_at=noon).new
    assert repr(record.created_at) == repr(datetime(2024, 3, 1, 10, tzinfo=UTC))
    naive = noon.replace(tzinfo=None)
    message = refused(Ledger("org-1"), statement(tokens=350), InvalidValue, created_at=naive)
    assert message.startswith(f"{WHERE}created_at: must have a timezone")


def test_a_notebook_is_given_a_table_of_a_recording() -> None:
    ledger = Ledger("org-1")
    add(ledger, statement(tokens=200, runs=5))
    recording = add(ledger, statement(tokens=150, runs=5))
    page = recording._repr_html_()
    assert caption_of(page) == "Records of org-1, 2024-02-01 to 2024-03-01 UTC; new: 1"
    assert rows_of(page) == [
        ["revision", "metric", "over", "unit price", "exact", "cost"],
        ["1", "tokens", "100", "0.01", "1", "1.00 USD"],
        ["1", "runs", "5", "", "2", "2.00 USD"],
        ["2", "tokens", "-50", "0.01", "-0.5", "-0.50 USD"],
        ["total", "", "", "", "", "2.50 USD"],
    ]


def test_a_notebook_is_given_an_empty_table_where_nothing_was_recorded() -> None:
    page = add(Ledger("org-1"), statement())._repr_html_()
    assert caption_of(page) == "No records"
    assert len(rows_of(page)) == 1
