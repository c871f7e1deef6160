"""Grants: nothing is lost or made up, in whatever order and however many steps they are used."""

from __future__ import annotations

import decimal
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any

from hypothesis import given, strategies as st

from overages import Cycle, Grant, Money, Period
from overages._ground.value import evolve
from overages.amounts.exact import SCALE, unscaled
from overages.codec import decode, encode
from overages.grants.burndown import Burndown
from overages.grants.draws import burn_down, draw

from .contexts import ambient, decimal_contexts
from .grant_model import GrantModel

START = datetime(2024, 2, 1, tzinfo=UTC)
HOURS = 12  # everything happens at whole hours of half a day, so that much happens at once
END = START + timedelta(hours=HOURS)
PERIOD = Period(START, END)
RULES = ["final", "repaid"]


def at(hour: int) -> datetime:
    """Return an instant of the day."""
    return START + timedelta(hours=hour)


@dataclass(frozen=True)
class Case:
    """What `burn_down` is given."""

    grants: list[Grant]
    usage: list[tuple[datetime, Any]]
    rule: Any

    def burn(self, start: Any = START, end: datetime = END) -> Burndown:
        """Burn down what happens from an instant (or an earlier burndown) to another."""
        since = start.at if isinstance(start, Burndown) else start
        return burn_down(
            self.grants,
            [(moment, used) for moment, used in self.usage if since <= moment < end],
            metric="x",
            start=start,
            end=end,
            overage=self.rule,
        )


hours = st.integers(0, HOURS).map(at)
wholes = st.integers(0, 20)


@st.composite
def grants_of(draw: st.DrawFn, id: str, numbers: Any = wholes, steps: Any = None) -> Grant:
    """Return a grant of the day, or of the hours before it."""
    first = draw(st.integers(-3, HOURS))
    return Grant(
        id,
        draw(numbers),
        metric="x",
        priority=draw(st.integers(0, 1)),
        effective_at=at(first),
        expires_at=draw(st.none() | st.integers(first + 1, HOURS + 3).map(at)),
        voided_at=draw(st.none() | hours),
        recurrence=draw(
            st.none()
            | st.builds(Cycle, st.integers(-9, 9).map(at), st.integers(1, 5), st.just("hour"))
        ),
        refill_keeps=draw(st.none() | wholes),
        step=None if steps is None else draw(steps),
        created_at=draw(st.none() | hours),
    )


@st.composite
def cases(draw: st.DrawFn, numbers: Any = wholes, steps: Any = None) -> Case:
    """Return some grants, used and given back at any hour, by any rule."""
    signed = numbers | numbers.map(lambda n: -n)
    return Case(
        [draw(grants_of(one, numbers, steps)) for one in "abcd"[: draw(st.integers(0, 4))]],
        draw(st.lists(st.tuples(st.integers(0, HOURS - 1).map(at), signed), max_size=8)),
        draw(st.sampled_from(RULES)),
    )


fine_steps = st.none() | st.integers(1, 7 * SCALE).map(unscaled)
fine_numbers = st.integers(0, 20 * SCALE).map(unscaled)
any_cases = st.one_of(
    cases(), cases(steps=st.none() | st.integers(1, 7)), cases(fine_numbers, steps=fine_steps)
)


def total(numbers: Any) -> Fraction:
    """Return a sum, exactly."""
    return sum(map(Fraction, numbers), Fraction())


@given(any_cases)
def test_grants_conserve_granted_is_drawn_and_expired_and_voided_and_left(case: Case) -> None:
    burndown = case.burn()
    for state in burndown.grants:
        drawn = [draw.quantity for draw in burndown.draws if draw.grant_id == state.grant_id]
        assert total(drawn) == state.drawn
        gone = [state.drawn, state.expired, state.voided, state.left]
        assert total(gone) == state.granted
    gone = [burndown.drawn, burndown.expired, burndown.voided, burndown.left]
    assert total(gone) == burndown.granted


@given(any_cases)
def test_usage_is_covered_or_overage_or_given_back_and_nothing_else(case: Case) -> None:
    burndown = case.burn()
    used = total(quantity for _, quantity in case.usage)
    answered = total([burndown.covered, burndown.overage])
    assert used == answered - Fraction(burndown.unreturned)


@given(any_cases)
def test_grants_are_never_negative(case: Case) -> None:
    burndown = case.burn()
    numbers = [
        burndown.overage,
        burndown.unreturned,
        *burndown.remaining.values(),
    ]
    for state in burndown.grants:
        numbers += [state.granted, state.drawn, state.expired, state.voided]
    assert min(numbers, default=0) >= 0
    assert evolve(burndown) == burndown  # the constructor accepts it: it is lawful


@given(any_cases, st.data())
def test_the_order_of_grants_and_of_usage_changes_nothing(case: Case, data: st.DataObject) -> None:
    shuffled = Case(
        data.draw(st.permutations(case.grants)),
        data.draw(st.permutations(case.usage)),
        case.rule,
    )
    assert shuffled.burn() == case.burn()


@given(any_cases, st.lists(hours, max_size=3))
def test_grants_burn_down_in_steps_as_at_once(case: Case, cuts: list[datetime]) -> None:
    burndown: Any = START
    for cut in [*sorted(cuts), END]:
        burndown = case.burn(burndown, cut)
        burndown = decode(encode(burndown), Burndown)  # as if it was kept in between
    assert burndown == case.burn()


@given(any_cases, decimal_contexts())
def test_no_ambient_context_changes_what_grants_cover(case: Case, context: decimal.Context) -> None:
    burndown = case.burn()
    with ambient(context):
        again = case.burn()
        totals = [again.granted, again.drawn, again.left, again.covered]
    assert again == burndown
    assert totals == [burndown.granted, burndown.drawn, burndown.left, burndown.covered]


@given(any_cases, hours)
def test_what_a_closed_period_left_is_what_the_next_one_draws_on(
    case: Case, middle: datetime
) -> None:
    first = case.burn(end=middle)
    assert first.closed().remaining == first.remaining
    assert first.closed().granted == first.granted
    later = [(moment, used) for moment, used in case.usage if moment >= middle and used > 0]
    forward = Case(case.grants, later, "final")
    from_closed, from_open = forward.burn(first.closed()), forward.burn(first)
    assert from_closed.remaining == from_open.remaining
    assert first.draws + from_closed.draws == from_open.draws


@given(cases())
def test_grants_burn_down_as_an_independent_model_says(case: Case) -> None:
    burndown = case.burn()
    model = GrantModel(case.grants, case.rule, START)
    for hour in range(HOURS + 1):
        model.cross(hour)
        if hour < HOURS:
            model.use(hour, sum(used for moment, used in case.usage if moment == at(hour)))
    assert (burndown.overage, burndown.unreturned) == (model.overage, model.unreturned)
    assert model.held == {
        state.grant_id: (state.granted, state.expired + state.voided, state.left)
        for state in burndown.grants
    }
    draws = [(draw.grant_id, draw.at) for draw in burndown.draws for _ in range(int(draw.quantity))]
    assert draws == [(one.grant.id, at(hour)) for one, hour in model.drawn]


@given(st.lists(st.integers(0, 9_999), min_size=1, max_size=4), st.integers(0, 40_000))
def test_money_is_drawn_to_the_last_cent(amounts: list[int], owed: int) -> None:
    grants = [
        Grant(str(i), Money(minor, "USD"), effective_at=START) for i, minor in enumerate(amounts)
    ]
    burndown = draw(grants, Money(owed, "USD"), PERIOD)
    covered, overage = (Money.of(n, "USD") for n in (burndown.covered, burndown.overage))
    assert covered + overage == Money(owed, "USD")
    assert covered == Money(min(owed, sum(amounts)), "USD")
    assert Money.of(burndown.left, "USD") == Money(sum(amounts), "USD") - covered
