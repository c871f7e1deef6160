"""Lives of accounts, period by period, against a model that keeps raw entries and fractions.

Laws 2, 5, 9, 10 and 12: each in a life of changes, ends, cancelled and backdated entries, grants,
and every rule of plans and of accounts.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

from hypothesis import given, strategies as st

from overages import Account, Balance, Grant, Money, Settlement, Statement, settle
from overages._ground.value import evolve
from overages.codec import decode, encode
from overages.settlements.span_statement import statement_of_span

from .effort import many
from .life_bills import Bill, Settling, fill_of
from .life_draws import Drawn, at, drawn_life, period_of
from .life_model import Kept
from .life_plans import LEVELS
from .life_statements import expected, lines_of, told

LIVES = st.integers(0, 2**48).map(drawn_life)


def bills_of(drawn: Drawn) -> Iterator[Bill]:
    """Yield what each period of a life should come to; the last one goes on."""
    kept, before = Kept(), drawn.life.since
    for start, end in drawn.life.periods(drawn.until):
        if any(drawn.life.terms_on(day) is None for day in range(before, start)):
            kept.carried = {}  # they lapsed
        ended = end <= drawn.until
        yield Settling(drawn.life, start, end, kept, drawn.known(end), ended).bill()
        before = end


def statements_of(drawn: Drawn, account: Account | None = None) -> Iterator[Statement]:
    """Return the statements of a life's periods."""
    return (settlement.statement for settlement in settlements_of(drawn, account))


def settlements_of(drawn: Drawn, account: Account | None = None) -> Iterator[Settlement]:
    """Settle a life's periods, each from the balance that the one before it left."""
    own, balance = account or drawn.account, Balance()
    for period in own.periods(own.since, at(drawn.until)):
        settlement = settle(
            own, drawn.life.plans, period, drawn.usages(period, own), balance,
            grants=drawn.known(period.end.date().toordinal()),
            events=[event for event in drawn.events if event.at in period],
            levels=LEVELS, ended=period.end <= at(drawn.until),
        )  # fmt: skip
        yield settlement
        balance = settlement.balance


@many
@given(LIVES)
def test_law_9_each_period_is_charged_by_the_terms_that_held_in_it(drawn: Drawn) -> None:
    assert list(map(told, statements_of(drawn))) == list(map(expected, bills_of(drawn)))


@given(LIVES, st.integers(0, 5))
def test_law_9_an_entry_alters_no_period_that_ended_before_it(drawn: Drawn, kept: int) -> None:
    sooner = evolve(drawn.account, changes=drawn.account.changes[:kept])
    first = min((each.since for each in drawn.account.changes[kept:]), default=at(drawn.until))
    later = statements_of(drawn)
    for statement in statements_of(drawn, sooner):
        if statement.period.end >= first:  # it may end by an entry taken back there
            break
        assert told(next(later)) == told(statement)


def spans_of(drawn: Drawn, random: Any) -> Iterator[tuple[int, int]]:
    """Yield the first day and the end of a span of each period that has more than a day."""
    for start, end in drawn.life.periods(drawn.until):
        if end - start > 1:
            first = random.randrange(start, end)
            yield first, random.randint(first + 1, end - (first == start))


@many
@given(LIVES, st.randoms(use_true_random=False))
def test_law_10_a_span_has_the_usage_in_it_and_its_share_of_the_terms(
    drawn: Drawn, random: Any
) -> None:
    for start, end in spans_of(drawn, random):
        plans = [part.plan for part in drawn.life.parts(start, end)]
        if any(a.included_for is not None for plan in plans for a in plan.allowances.values()):
            continue  # a cycle of its own, of which no span has a share
        span = period_of(start, end)
        statement = statement_of_span(
            drawn.account, drawn.life.plans, span, drawn.usages(span, drawn.account), levels=LEVELS
        )
        bill = Settling(drawn.life, start, end, Kept(), (), ended=False, is_span=True).bill()
        assert told(statement) == expected(bill)
        assert decode(encode(statement), Statement) == statement


@given(LIVES)
def test_law_2_lines_add_up_to_the_total_in_every_part_of_a_life(drawn: Drawn) -> None:
    for statement in statements_of(drawn):
        costs = [line.cost for line in statement.lines]
        assert sum(costs, Money(0, "USD")) == statement.total
        assert statement.summary().total == statement.total
        assert decode(encode(statement), Statement) == statement


@given(LIVES, st.randoms(use_true_random=False))
def test_law_5_terms_of_one_metric_cut_no_other(drawn: Drawn, random: Any) -> None:
    plans = drawn.life.plans.values()
    metric = random.choice(sorted(next(iter(plans)).allowances))
    day = random.randrange(drawn.life.since, drawn.until)
    whole_amounts = all(plan.rounding_scope == "line" for plan in plans)
    if any(entry.day == day for entry in drawn.life.entries) or not whole_amounts:
        return
    cut = drawn.account.changed(since=at(day), limits={metric: 77})
    for one, other in zip(statements_of(drawn), statements_of(drawn, cut), strict=True):
        lines, cut_lines = lines_of(one), lines_of(other)
        assert [line for line in lines if line[0] != metric] == [
            line for line in cut_lines if line[0] != metric
        ]


@given(LIVES)
def test_law_12_a_grant_pays_at_most_what_it_holds(drawn: Drawn) -> None:
    paid: dict[str, Fraction] = {}
    for statement in statements_of(drawn):
        for rule in statement.adjustments:
            if rule.kind == "credit" and rule.name is not None:
                paid[rule.name] = paid.get(rule.name, Fraction()) - Fraction(rule.exact_cost)
        for line in statement.every_overage():
            for part in line.limit_parts:
                if part.kind == "granted" and part.name is not None:
                    paid[part.name] = paid.get(part.name, Fraction()) + Fraction(part.quantity)
    granted = {grant.id: Fraction(grant.units) * fills(grant, drawn) for _, grant in drawn.grants}
    assert all(0 <= units <= granted[grant] for grant, units in paid.items())


def fills(grant: Grant, drawn: Drawn) -> int:
    """Return how often a grant's units were granted, and anew, until the end of a life."""
    first = grant.effective_at.date().toordinal()
    return len({fill_of(grant, day) for day in range(first, max(first, drawn.until + 100) + 1)})
