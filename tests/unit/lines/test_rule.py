"""Rules: those of all parts of a period, in the order in which they are applied."""

from fractions import Fraction

import pytest
from tests.settled import MAR, day

from overages import Commitment, Discount, Money, Period, Proration
from overages.errors import InvalidValue
from overages.lines.rule import PartRules, RuleOfPart, rules_in_order

FIRST, SECOND, THIRD = MAR.split(day(11), day(21))
USD_31, USD_62 = Money(3_100, "USD"), Money(6_200, "USD")
MINIMUM = PartRules(minimum=USD_31)


def days(proration: Proration, time: Period | None) -> Fraction:
    """Return the share of March that some days are."""
    assert proration is Proration.DAYS
    return Fraction(1) if time is None else Fraction((time.end - time.start).days, 31)


def worths(*parts: PartRules) -> list[list[Fraction | None]]:
    """Return, for each rule, its worth in each of its parts."""
    return [[each.worth for each in rule.parts] for rule in rules_in_order(parts, days)]


def test_rules_are_in_one_order_however_they_were_written() -> None:
    offers = Discount("b", amount=USD_31), Discount("a", percent=5), Discount("free", quantity=9)
    part = PartRules(offers, Commitment(USD_62), USD_62, USD_31)
    rules = rules_in_order([part], days)
    assert [(rule.line, rule.is_true_up) for rule in rules] == [
        ("discount:a", False),
        ("discount:b", False),
        ("commitment", True),
        ("maximum", False),
        ("minimum", True),
    ]
    assert [rule.worth for rule in rules] == [0, 31, 62, 62, 31]


def test_a_rule_of_several_parts_is_one_and_worth_its_share_in_each() -> None:
    parts = MINIMUM._replace(time=FIRST), PartRules(minimum=USD_62, time=SECOND)
    (rule,) = rules_in_order(parts, days)
    assert rule.parts == (RuleOfPart(0, USD_31, Fraction(10)), RuleOfPart(1, USD_62, Fraction(20)))
    assert rule.worth == 30


def test_a_rule_that_stays_the_same_has_the_share_of_the_joined_time() -> None:
    asked = []

    def share_of(proration: Proration, time: Period | None) -> Fraction:
        asked.append(time)
        return days(proration, time)

    parts = [MINIMUM._replace(time=time) for time in (FIRST, SECOND)]
    (rule,) = rules_in_order(parts, share_of)
    assert asked == [Period(FIRST.start, SECOND.end)]
    assert [each.worth for each in rule.parts] == [10, 10]


def test_a_rule_that_lapsed_in_between_is_counted_for_each_time() -> None:
    parts = MINIMUM._replace(time=FIRST), PartRules(time=SECOND), MINIMUM._replace(time=THIRD)
    assert worths(*parts) == [[10, 11]]


def test_a_percentage_has_no_worth_and_is_no_amount_elsewhere() -> None:
    percent, amount = Discount("a", percent=5), Discount("a", amount=USD_31)
    parts = [PartRules((percent,), time=FIRST), PartRules((percent,), time=SECOND)]
    assert worths(*parts) == [[None, None]]
    with pytest.raises(InvalidValue, match=r"^discounts\.a: must be percentages in all parts"):
        worths(parts[0], PartRules((amount,), time=SECOND))


def test_rules_of_the_orgs_own_work_as_a_plans_do_and_have_lines_of_their_own() -> None:
    offers = Discount("b", amount=USD_31), Discount("a", percent=5)
    rules = rules_in_order([PartRules(offers, None, USD_62, USD_31)], days, own=True)
    assert [(rule.line, rule.works_as, rule.is_true_up, rule.whose) for rule in rules] == [
        ("own_discount:a", "discount", False, "the org's"),
        ("own_discount:b", "discount", False, "the org's"),
        ("own_maximum", "maximum", False, "the org's"),
        ("own_minimum", "minimum", True, "the org's"),
    ]


def test_a_trial_comes_first_and_its_worth_is_no_share() -> None:
    parts = MINIMUM._replace(time=FIRST), PartRules(trial=USD_62, time=SECOND)
    trial, minimum = rules_in_order(parts, days)
    assert trial.parts == (RuleOfPart(1, USD_62, None),)
    assert (trial.line, trial.whose, minimum.whose) == ("trial", "the org's", "the plan's")
