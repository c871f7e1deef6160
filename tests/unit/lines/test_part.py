"""Parts of a statement's period: each with its plan, one after another, in one currency."""

from fractions import Fraction
from typing import Any

import pytest
from tests.settled import MAR, PLAIN, ROLLING, YEARLY, day

from overages import Allowance, Discount, Money, Period, PerUnit, Plan, Proration
from overages._ground.parsing import Problems
from overages.errors import (
    CurrencyMismatch,
    InvalidType,
    InvalidValue,
    InvalidValues,
    OveragesError,
)
from overages.lines.part import (
    FULL_SHARE,
    StatementPart,
    TimeShares,
    check_parts,
    is_full,
    metrics_in_order,
    new_part,
    part_at_end,
    places_in,
    statement_parts,
)
from overages.terms.terms import NO_OWN_TERMS, OwnTerms

FIRST, SECOND, THIRD = MAR.split(day(12), day(20))
PARTS = [StatementPart(FIRST, PLAIN), StatementPart(SECOND, YEARLY), StatementPart(THIRD, ROLLING)]


def test_a_part_is_a_value_of_a_time_and_a_plan() -> None:
    assert PARTS[0] == StatementPart(FIRST, PLAIN) != StatementPart(FIRST, YEARLY)
    wrong: Any = "march"
    with pytest.raises(InvalidType, match=r"^period: must be of type Period, got 'march'"):
        StatementPart(wrong, PLAIN)


def test_the_last_part_has_the_rest_of_the_period() -> None:
    assert statement_parts(MAR, PLAIN, []) == (StatementPart(MAR, PLAIN),)
    assert statement_parts(MAR, ROLLING, PARTS[:2]) == tuple(PARTS)
    with pytest.raises(InvalidValue):
        statement_parts(FIRST, ROLLING, PARTS[:1])


def test_parts_follow_each_other_in_one_currency() -> None:
    euros = StatementPart(SECOND, Plan("euros", "EUR", {}))
    problems = Problems()
    check_parts(MAR, PARTS, problems)
    problems.raise_any()
    check_parts(MAR, [PARTS[0], PARTS[2], euros], problems)
    with pytest.raises(OveragesError) as caught:
        problems.raise_any()
    gap, back, currencies = caught.value.errors
    assert str(gap).startswith("earlier_parts[1].period: must start where the time before it ends")
    assert str(back).startswith("earlier_parts[2].period: must start where the time before it ends")
    assert isinstance(currencies, CurrencyMismatch)


def test_a_time_lies_in_parts_and_ends_in_one() -> None:
    across = Period(day(5), day(20))
    assert places_in(PARTS, across) == [(0, Period(day(5), day(12))), (1, SECOND)]
    assert places_in(PARTS, None) == [(0, FIRST), (1, SECOND), (2, THIRD)]
    assert [part_at_end(PARTS, time) for time in (across, FIRST, THIRD, None)] == [1, 0, 2, 2]


def test_metrics_are_those_of_the_last_plan_and_then_the_others() -> None:
    plans = [
        Plan("p", "USD", dict.fromkeys(names, Allowance(0, PerUnit(1)))) for names in ("ab", "cb")
    ]
    parts = [StatementPart(FIRST, plans[0]), StatementPart(SECOND, plans[1])]
    assert metrics_in_order(parts) == ["c", "b", "a"]


def test_a_share_is_of_the_cycles_whole_period_by_the_terms_proration() -> None:
    by_seconds = Allowance(0, PerUnit(1), proration="seconds")
    shares = TimeShares(Period(day(1), day(20)), MAR)
    assert shares.share(PLAIN) == Fraction(19, 31)
    assert shares.share(by_seconds, FIRST) == Proration.SECONDS.share(FIRST, MAR)
    assert TimeShares(MAR).share(PLAIN) == TimeShares(MAR).share(PLAIN, MAR) == 1


def test_a_part_has_terms_of_the_orgs_own_in_the_plans_currency() -> None:
    own = OwnTerms([Discount("gift", amount=Money(5, "EUR"))], minimum=Money(5, "EUR"))
    with pytest.raises(InvalidValues) as caught:
        StatementPart(FIRST, PLAIN, own)
    assert [error.path for error in caught.value.errors] == [
        ("own", "discounts", 0, "amount"), ("own", "minimum"),
    ]  # fmt: skip
    assert all(isinstance(error, CurrencyMismatch) for error in caught.value.errors)


@pytest.mark.parametrize(
    "own",
    [OwnTerms(minimum=Money(5, "USD")), OwnTerms(trial=True), OwnTerms(maximum=Money(0, "USD"))],
)
def test_a_part_with_terms_of_the_orgs_own_is_not_flat(own: OwnTerms) -> None:
    assert StatementPart(FIRST, PLAIN).is_flat
    part = StatementPart(FIRST, PLAIN, own)
    assert not part.is_flat
    assert part != StatementPart(FIRST, PLAIN)
    assert statement_parts(FIRST, PLAIN, [], own) == (part,)


def test_a_part_of_terms_is_the_part_that_its_constructor_makes() -> None:
    own = OwnTerms(minimum=Money(1, "USD"))
    for terms in NO_OWN_TERMS, own:
        made, written = new_part(FIRST, PLAIN, terms), StatementPart(FIRST, PLAIN, terms)
        assert (made, made.is_flat) == (written, written.is_flat)
    with pytest.raises(CurrencyMismatch):
        new_part(FIRST, PLAIN, OwnTerms(minimum=Money(1, "EUR")))


def test_a_share_of_all_is_full_whoever_made_it() -> None:
    assert [is_full(share) for share in (FULL_SHARE, Fraction(2, 2), Fraction(1, 2))] == [
        True,
        True,
        False,
    ]
