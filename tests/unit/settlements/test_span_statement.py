"""Statements of spans: a share of the limit, nothing that is due once in a period, no record."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from tests.settled import DOLLAR, JAN, MAR, PLAIN, YEARLY, day, runs

from overages import (
    Account,
    Allowance,
    CarryOver,
    Commitment,
    Discount,
    Graduated,
    MemoryRepository,
    Money,
    Period,
    PerUnit,
    Plan,
    Statement,
    Tier,
    Usage,
)
from overages._ground.value import evolve
from overages.codec import decode, encode
from overages.errors import InvalidType, InvalidValue, InvalidValues, NoTerms, UnknownMetric
from overages.settlements.span_statement import statement_of_span

SPAN = Period(day(1), day(12))
MIDDLE = Period(day(10), day(20))
USD_500 = Money(50_000, "USD")
ACCOUNT = Account("org-1", "p", JAN.start)
PLAN = Plan("p", "USD", {"runs": Allowance(100, DOLLAR)})


def spanned(
    used: Any, plan: Plan = PLAN, account: Account = ACCOUNT, span: Period = SPAN, **named: Any
) -> Statement:
    """Return the statement of a span of March, which comes through JSON as it is."""
    usages = used if isinstance(used, list) else runs(used, span)
    statement = statement_of_span(account, {plan.slug: plan}, span, usages, **named)
    assert decode(encode(statement), Statement) == statement
    return statement


def test_it_has_the_usage_in_it_and_its_share_of_the_limit() -> None:
    statement = spanned(300)
    line = statement["runs"]
    assert (line.used, line.limit, line.cost.minor) == (300, 35, 26_500)  # 100 x 11/31
    assert (statement.period, statement.span_of, statement.billing_period) == (SPAN, MAR, MAR)


def test_its_title_says_that_it_is_no_bill_of_a_period() -> None:
    statement = spanned(300)
    title = (
        "Overage of org-1, 2024-03-01 to 2024-03-12 UTC, plan p; a span of"
        " 2024-03-01 to 2024-04-01 UTC, without all that is due once a period"
    )
    assert statement.explain().startswith(f"{title}\n\n")
    assert title in statement._repr_html_()


def test_it_has_nothing_that_is_due_once_in_a_period() -> None:
    rules: dict[str, Any] = {"maximum": Money(1, "USD"), "minimum": Money(1, "USD")}
    voucher, half = Discount("voucher", amount=USD_500), Discount("half", percent=50)
    allowance = Allowance(
        100, DOLLAR, commitment=Commitment(USD_500), discounts=[voucher, half], **rules
    )
    plan = evolve(PLAN, allowances={"runs": allowance}, discounts=[half, voucher], **rules)
    account = Account("org-1", "p", JAN.start, discounts=[half, voucher], **rules)
    lines = spanned(300, plan, account).adjustments
    assert [(line.metric, line.line, line.cost.minor) for line in lines] == [
        ("runs", "discount:half", -13_250),
        (None, "discount:half", -6_625),
        (None, "own_discount:half", -3_313),
    ]


def test_a_trial_is_taken_off_in_it() -> None:
    account = Account("org-1", "p", JAN.start, status="trial")
    account = account.changed(since=day(15), status="active")
    times = (MIDDLE, *MIDDLE.split(day(15)))
    usages = [runs(used, time) for used, time in zip((100, 60, 40), times, strict=True)]
    statement = spanned(usages, account=account, span=MIDDLE)
    assert [(line.limit, line.cost.minor) for line in statement.of("runs")] == [
        (16, 4_400),
        (16, 2_400),
    ]
    assert statement.total.minor == 2_400


def test_a_level_has_the_spans_share_of_its_charge() -> None:
    plan = Plan("p", "USD", {"seats": Allowance(3, PerUnit(15))})
    statement = spanned([Usage("org-1", SPAN, {"seats": 5})], plan, levels={"seats"})
    assert (statement["seats"].limit, statement.total.minor) == (3, 1_065)  # 30.00 x 11/31


def test_no_unit_is_carried_into_it() -> None:
    rolling = evolve(PLAN, allowances={"runs": Allowance(100, DOLLAR, carry_over=CarryOver())})
    assert spanned(300, rolling)["runs"].limit == 35


def test_of_a_short_period_it_has_the_share_of_the_cycles_whole_one() -> None:
    account = Account("org-1", "p", day(5)).ended(at=day(25))
    statement = spanned(300, account=account, span=MIDDLE)
    assert (statement.span_of, statement.billing_period) == (Period(day(5), day(25)), MAR)
    assert statement["runs"].limit == 32  # 100 x 10/31


# Refused


@pytest.mark.parametrize(
    "span",
    [MAR, Period(day(20), datetime(2024, 4, 2, tzinfo=UTC)), Period(JAN.start, day(5))],
)
def test_it_lies_within_one_of_the_orgs_own_periods(span: Period) -> None:
    with pytest.raises(
        InvalidValue, match=r"period: must be a part of one of the org's own"
    ) as bad:
        statement_of_span(ACCOUNT, {"p": PLAN}, span, runs(1, span))
    assert str(MAR) in str(bad.value)
    assert bad.value.org_id == "org-1"


def test_where_no_terms_hold_there_is_no_span() -> None:
    account = ACCOUNT.ended(at=day(1))
    with pytest.raises(NoTerms, match="period: must be when the org has terms"):
        statement_of_span(account, {"p": PLAN}, SPAN, runs(1, SPAN))
    account = Account("org-1", "p", day(5))
    with pytest.raises(InvalidValue, match="must be a part of one of the org's own periods"):
        statement_of_span(account, {"p": PLAN}, SPAN, runs(1, SPAN))


def test_of_units_for_a_year_it_has_no_share() -> None:
    account = Account("org-1", "yearly", JAN.start)
    plans = {"yearly": YEARLY}
    with pytest.raises(InvalidValue, match=r"^usage\.quantities\.runs: must be of one of the org"):
        statement_of_span(account, plans, SPAN, runs(1, SPAN))
    assert statement_of_span(account, plans, SPAN, runs(0, SPAN)).total.minor == 0
    fee = Graduated([Tier(None, flat=1)], flat_at_zero=True)
    year = evolve(YEARLY.allowances["runs"], price=fee)
    with pytest.raises(InvalidValue, match=r"^usage\.quantities\.runs: .*, got 0$"):
        statement_of_span(
            account, {"yearly": evolve(YEARLY, allowances={"runs": year})}, SPAN, runs(0, SPAN)
        )


def test_its_inputs_go_together() -> None:
    with pytest.raises(UnknownMetric, match="'jobs' is not in plan 'plain'"):
        statement_of_span(
            Account("org-1", "plain", JAN.start),
            {"plain": PLAIN},
            SPAN,
            Usage("org-1", SPAN, {"jobs": 1}),
        )
    with pytest.raises(InvalidValues) as caught:
        statement_of_span(ACCOUNT, {}, SPAN, runs(1, MAR, "org-2"))
    assert {error.path[0] for error in caught.value.errors} == {"plans", "usage"}
    wrong: Any = "march"
    with pytest.raises(InvalidType, match=r"^period: must be of type Period"):
        statement_of_span(ACCOUNT, {"p": PLAN}, wrong, runs(1, SPAN))


def test_it_can_not_be_recorded() -> None:
    repository = MemoryRepository()
    repository.put_plan(PLAN)
    with pytest.raises(
        InvalidValue, match=r"statement\.period: must be one of the org's own"
    ) as bad:
        repository.record(spanned(300), created_at=MAR.end)
    assert str(MAR) in str(bad.value)
    assert not repository.records("org-1", SPAN)


@pytest.mark.parametrize("longer", [SPAN, MIDDLE, JAN])
def test_it_says_a_period_that_it_is_of(longer: Period) -> None:
    lines = spanned(300).lines
    with pytest.raises(
        InvalidValue, match=r"^span_of: must hold more than 2024-03-01T00:00:00Z/20"
    ):
        Statement("org-1", SPAN, PLAN, lines, billing_period=MAR, span_of=longer)


def test_as_a_period_of_its_own_its_lines_would_be_refused() -> None:
    plan = evolve(PLAN, maximum=Money(1, "USD"))
    lines = spanned(300, plan).lines
    with pytest.raises(InvalidValue, match="lines: must have the plan's maximum: 265"):
        Statement("org-1", SPAN, plan, lines, billing_period=MAR)
