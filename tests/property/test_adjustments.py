"""Adjustments: caps and minimums bound the cost, discounts never exceed it, and lines add up.

The lines that are adjusted were rounded one by one, so that their rounded costs may come to more or
to less than their exact ones: every law is held for both sums.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from hypothesis import given, strategies as st

from overages import Adjustment, Commitment, Currency, Discount, Money, PriceModel, Rounding
from overages._ground.value import evolve
from overages.lines.adjusting import adjustments_of
from overages.lines.adjustment import credit
from overages.lines.rule import PartRules
from overages.testing.strategies import prices
from overages.testing.values import commitments, discounts, in_currency

from .contexts import ambient, decimal_contexts
from .effort import many

shares = st.just(Fraction(1)) | st.builds(
    lambda n, more: Fraction(n, n + more), st.integers(0, 10**6), st.integers(1, 10**6)
)
costs = st.builds(Fraction, st.integers(0, 10**4) | st.integers(0, 10**20), st.integers(1, 7_000))
currencies = st.sampled_from(["USD", "JPY", "KWD"]).map(Currency)


@dataclass(frozen=True)
class Case:
    """Lines, and rules for what they come to."""

    lines: list[Fraction]
    currency: Currency
    rounding: Rounding
    rules: dict[str, Any]
    share: Fraction = Fraction(1)
    has_ended: bool = True

    @property
    def subtotal(self) -> Money:
        """What the lines come to, each rounded."""
        found = [Money.of(line, self.currency, self.rounding) for line in self.lines]
        return sum(found, Money(0, self.currency))

    @property
    def exact(self) -> Fraction:
        """What the lines come to exactly."""
        return sum(self.lines, Fraction())

    def adjusted(self, **changes: Any) -> tuple[Adjustment, ...]:
        """Return the adjustments, by other rules where these are given."""
        rules = {**self.rules, **changes}
        return adjustments_of(
            self.subtotal,
            self.exact,
            rounding=self.rounding,
            metric="tokens",
            rules=PartRules(**rules),
            share=self.share,
            has_ended=self.has_ended,
        )

    def result(self, **changes: Any) -> tuple[Money, Fraction]:
        """Return what is due, rounded and exactly."""
        found = self.adjusted(**changes)
        exact = sum((Fraction(line.exact_cost) for line in found), self.exact)
        return sum((line.cost for line in found), self.subtotal), exact


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Return lines and rules of every kind; amounts are often near what the lines come to."""
    currency, rounding = draw(currencies), draw(st.sampled_from(Rounding))
    lines = draw(st.lists(costs, max_size=4))
    near = Case(lines, currency, rounding, {}).subtotal.minor
    amounts = st.builds(
        lambda minor: Money(abs(minor), currency),
        st.integers(-2, 2).map(lambda n: near + n) | st.integers(0, 2 * near + 9),
    )
    fixed = st.builds(lambda amount: Discount("fixed", amount=amount), amounts)
    offers = discounts.map(lambda offer: in_currency(offer, currency))
    rules = {
        "discounts": tuple(
            evolve(discount, name=f"{i}")
            for i, discount in enumerate(draw(st.lists(offers | fixed, max_size=4)))
        ),
        "commitment": draw(
            st.none()
            | st.builds(
                Commitment, amounts, overage_factor=st.integers(1, 3), true_up=st.booleans()
            )
            | commitments.map(lambda commitment: in_currency(commitment, currency))
        ),
        "price": draw(prices()),
        "maximum": draw(st.none() | amounts),
        "minimum": draw(st.none() | amounts),
    }
    return Case(lines, currency, rounding, rules, draw(shares), draw(st.booleans()))


@given(cases())
def test_without_rules_nothing_happens(case: Case) -> None:
    assert (
        adjustments_of(
            case.subtotal, case.exact, rounding=case.rounding, metric=None, rules=PartRules()
        )
        == ()
    )


@many
@given(cases())
def test_the_lines_add_up(case: Case) -> None:
    due = case.subtotal
    for line in case.adjusted():
        assert line.before == due
        assert line.cost.minor or line.exact_cost
        due = line.after
    assert due == case.result()[0]
    assert due.minor >= 0


@many
@given(cases())
def test_the_exact_result_is_that_of_the_rules_one_after_the_other(case: Case) -> None:
    expected = exactly(case.exact, **case.rules, share=case.share, has_ended=case.has_ended)
    assert case.result()[1] == expected


def exactly(
    due: Fraction,
    discounts: tuple[Discount, ...],
    commitment: Commitment | None,
    price: PriceModel,
    maximum: Money | None,
    minimum: Money | None,
    share: Fraction,
    has_ended: bool,
) -> Fraction:
    """Return what is due, worked out without a thought of lines and rounding."""
    for discount in discounts:
        due -= due * Fraction(discount.percent or 0) / 100
    off = sum((Fraction(each.amount.amount) for each in discounts if each.amount), Fraction())
    due = max(Fraction(), due - share * off)
    if commitment:
        agreed = commitment.amount
        charge = price.charge(commitment.quantity or 0)
        worth = share * Fraction(charge.exact_cost if agreed is None else agreed.amount)
        if due >= worth:
            due = worth + (due - worth) * Fraction(commitment.overage_factor)
        elif commitment.true_up and has_ended:
            due = worth
    if maximum:
        due = min(due, share * Fraction(maximum.amount))
    if minimum and has_ended:
        due = max(due, share * Fraction(minimum.amount))
    return due


@many
@given(cases())
def test_a_maximum_bounds_the_cost(case: Case) -> None:
    due, exact = case.result(minimum=None)
    maximum = case.rules["maximum"]
    if maximum is not None:
        most = Fraction(maximum.amount) * case.share
        assert due <= Money.of(most, case.currency, case.rounding)
        assert exact <= most
    assert due <= case.result(minimum=None, maximum=None)[0]


@many
@given(cases())
def test_a_minimum_bounds_the_cost_once_the_period_is_over(case: Case) -> None:
    due, exact = case.result()
    minimum = case.rules["minimum"]
    if minimum is not None and case.has_ended:
        least = Fraction(minimum.amount) * case.share
        assert due >= Money.of(least, case.currency, case.rounding)
        assert exact >= least
    else:
        assert (due, exact) == case.result(minimum=None)


@many
@given(cases())
def test_a_commitment_is_spent_or_due_once_the_period_is_over(case: Case) -> None:
    commitment = case.rules["commitment"]
    due, exact = case.result(maximum=None, minimum=None)
    if commitment is not None and commitment.true_up and case.has_ended:
        worth = commitment.worth(case.rules["price"]) * case.share
        assert due >= Money.of(worth, case.currency, case.rounding)
        assert exact >= worth
    without = case.result(commitment=None, maximum=None, minimum=None)
    assert due >= without[0]
    assert exact >= without[1]


@many
@given(cases())
def test_discounts_never_exceed_what_there_is(case: Case) -> None:
    alone: dict[str, Any] = {"commitment": None, "maximum": None, "minimum": None}
    due, exact = case.result(**alone)
    assert 0 <= due.minor <= case.subtotal.minor
    assert 0 <= exact <= case.exact
    everything = (*case.rules["discounts"], Discount("all", percent=100))
    nothing = (Money(0, case.currency), Fraction())
    assert case.result(**alone, discounts=everything) == nothing


@given(cases())
def test_a_percentage_is_rounded_once(case: Case) -> None:
    percents = [each for each in case.rules["discounts"] if each.percent not in (None, 100)]
    for line in case.adjusted(discounts=percents):
        if line.kind == "discount":
            rounded = Money.of(line.exact_cost, case.currency, case.rounding)
            assert line.cost == max(rounded, -line.before)


@given(st.data(), cases())
def test_the_order_of_fixed_discounts_changes_nothing(data: st.DataObject, case: Case) -> None:
    discounts = case.rules["discounts"]
    percents = [each for each in discounts if each.percent is not None]
    others = [each for each in discounts if each.percent is None]
    shuffled = data.draw(st.permutations(others))
    assert case.result() == case.result(discounts=(*shuffled, *percents))


@given(st.data(), cases())
def test_the_order_of_percentages_changes_nothing_exactly(data: st.DataObject, case: Case) -> None:
    shuffled = data.draw(st.permutations(case.rules["discounts"]))
    assert case.result()[1] == case.result(discounts=tuple(shuffled))[1]


@given(cases())
def test_true_ups_are_due_once_the_period_is_over(case: Case) -> None:
    kinds = [line.kind for line in replace(case, has_ended=False).adjusted()]
    assert "minimum" not in kinds
    commitment = case.rules["commitment"]
    if commitment is not None and commitment.overage_factor == 1:
        assert "commitment" not in kinds


@given(cases(), decimal_contexts())
def test_no_decimal_context_decides(case: Case, context: Any) -> None:
    expected = case.adjusted()
    with ambient(context):
        assert case.adjusted() == expected


@given(st.integers(0, 10**20), st.integers(0, 10**20), currencies)
def test_a_credit_is_a_lawful_line_whose_exact_cost_is_its_cost(
    paid: int, left: int, currency: Currency
) -> None:
    due = Money(paid + left, currency)
    line = credit(due, paid, "top-up", "tokens")
    assert Fraction(line.exact_cost) == Fraction(line.cost.amount)
    assert line == evolve(line)  # which checks it
    assert line.after == Money(left, currency)
