"""Settlement: one period after another gives what all at once do, and lines add up."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any

from hypothesis import given, strategies as st

import overages
from overages import (
    Account,
    Allowance,
    Balance,
    CarryOver,
    Conversion,
    Cycle,
    Discount,
    Graduated,
    Grant,
    MemoryRepository,
    Money,
    OverageService,
    Package,
    Period,
    PerUnit,
    Plan,
    Proration,
    Settlement,
    Statement,
    Tier,
    Usage,
    UsageEvent,
    aggregate,
    calculate,
)
from overages._ground.value import evolve
from overages.codec import decode, encode
from overages.grants.burndown import Burndown
from overages.settlements.carry_over_result import CarryOverResult
from overages.terms.carry_over import CarriedUnits
from tests.accounts import settle

from .effort import few, many

MONTHS = [Period.month(2024, n) for n in range(1, 7)]
HOURS = 24 * 28  # each month has them
METRICS = ["jobs", "runs", "tokens"]

Used = dict[str, list[tuple[int, int]]]
"""By metric, the hours of a month at which something was used, and how much."""

prices = st.sampled_from(
    [
        PerUnit("0.10"),
        PerUnit("0.013", per=7),
        Package("1.25", 10),
        Graduated([Tier(5, "0.50", 1), Tier(20, "0.333"), Tier(None, "0.1")]),
    ]
)
carry_overs = st.builds(
    CarryOver,
    st.none() | st.integers(0, 30),
    st.none() | st.just("0.5"),
    st.none() | st.integers(1, 3),
    st.sampled_from(["oldest_first", "included_first"]),
    st.sampled_from(["charged", "carried"]),
)
longer = st.sampled_from([Cycle.calendar("quarter"), Cycle.calendar("year")])


@st.composite
def allowances(draw: st.DrawFn) -> Allowance:
    """Return allowances with rules of every kind that settling knows."""
    offer = Allowance(draw(st.none() | st.integers(0, 20)), draw(prices))
    if draw(st.booleans()):
        offer = evolve(offer, discounts=[Discount("trial", quantity=3), Discount("d", percent=10)])
    if offer.included is not None and draw(st.booleans()):
        return evolve(offer, carry_over=draw(carry_overs))
    if draw(st.booleans()):
        return evolve(offer, included_for=draw(longer))
    return offer


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    """Return plans of three metrics, with and without rules for the whole of them."""
    return Plan(
        "p",
        "USD",
        {metric: draw(allowances()) for metric in METRICS},
        rounding_scope=draw(st.sampled_from(["line", "total"])),
        minimum=draw(st.none() | st.just(Money(150, "USD"))),
        discounts=draw(st.sampled_from([(), (Discount("all", percent=15),)])),
    )


@st.composite
def uses(draw: st.DrawFn, least: int = 0) -> Used:
    """Return what was used in a month, by metric and hour."""
    point = st.tuples(st.integers(0, HOURS - 1), st.integers(least, 15))
    return {metric: draw(st.lists(point, max_size=3)) for metric in METRICS}


histories = st.lists(uses(), min_size=1, max_size=6)


@st.composite
def grants(draw: st.DrawFn) -> Grant:
    """Return grants of units or money, some for a time, some again and again."""
    start = MONTHS[0].start + timedelta(hours=draw(st.integers(-HOURS, 3 * HOURS)))
    amount, metric = draw(
        st.one_of(
            st.tuples(st.integers(0, 25), st.sampled_from([*METRICS, "unknown"])),
            st.tuples(st.integers(0, 900).map(_dollars), st.none() | st.sampled_from(METRICS)),
        )
    )
    named: dict[str, Any] = {
        "priority": draw(st.integers(0, 1)),
        "expires_at": draw(st.none() | _after(start)),
        "voided_at": draw(st.none() | _after(start)),
    }
    if draw(st.booleans()):
        named["recurrence"] = draw(st.sampled_from([Cycle.monthly(), Cycle(start, unit="week")]))
        named["refill_keeps"] = draw(st.sampled_from([0, 2, None]))
    if metric is not None and not isinstance(amount, Money):
        named["step"] = draw(st.none() | st.integers(1, 4))
    return Grant("unnamed", amount, metric=metric, effective_at=start, **named)


def _dollars(minor: int) -> Money:
    return Money(minor, "USD")


def _after(start: datetime) -> st.SearchStrategy[datetime]:
    return st.integers(1, 4 * HOURS).map(lambda hours: start + timedelta(hours=hours))


some_grants = st.lists(grants(), max_size=4).map(
    lambda found: [evolve(grant, id=f"g{n}") for n, grant in enumerate(found)]
)


def events_of(month: Period, used: Used) -> list[UsageEvent]:
    """Return the events of a month."""
    return [
        UsageEvent("org", metric, quantity, month.start + timedelta(hours=hour))
        for metric, points in used.items()
        for hour, quantity in points
    ]


def usage_of(month: Period, used: Used) -> Usage:
    """Return what the events of a month come to."""
    return Usage("org", month, {m: sum(q for _, q in points) for m, points in used.items()})


def settled(
    plan: Plan,
    history: Iterable[Used],
    granted: Sequence[Grant] = (),
    balance: Balance | None = None,
    first: int = 0,
) -> list[Settlement]:
    """Settle months one after another."""
    found: list[Settlement] = []
    left = Balance() if balance is None else balance
    for month, used in zip(MONTHS[first:], history, strict=False):
        events = events_of(month, used)
        found.append(settle(plan, usage_of(month, used), left, grants=granted, events=events))
        left = found[-1].balance
    return found


@many
@given(plans(), histories, some_grants, st.data())
def test_settling_is_path_independent(
    plan: Plan, history: list[Used], granted: list[Grant], data: st.DataObject
) -> None:
    at_once = settled(plan, history, granted)
    cut = data.draw(st.integers(0, len(history)))
    before = settled(plan, history[:cut], granted)
    balance = before[-1].balance if before else Balance()
    kept = decode(encode(balance), Balance)
    assert kept == balance
    assert before + settled(plan, history[cut:], granted, kept, cut) == at_once


@many
@given(carry_overs, prices, st.lists(st.integers(0, 40), max_size=6), st.integers(0, 20))
def test_carry_over_is_path_independent_through_settle(
    rule: CarryOver, price: Any, history: list[int], included: int
) -> None:
    plan = Plan("p", "USD", {"runs": Allowance(included, price, carry_over=rule)})
    balance = Balance()
    brought: tuple[CarriedUnits, ...] = ()
    for month, used in zip(MONTHS, history, strict=False):
        expected = CarryOverResult(rule, brought, included, used, month)
        brought = expected.carried
        settlement = settle(plan, Usage("org", month, {"runs": used}), balance)
        balance = decode(encode(settlement.balance), Balance)
        assert settlement.carry_overs == {"runs": expected}
        line = settlement.statement["runs"]
        assert (line.limit, line.quantity) == (expected.free, expected.overage)


@many
@given(plans(), histories, some_grants)
def test_grants_conserve_through_settlement(
    plan: Plan, history: list[Used], granted: list[Grant]
) -> None:
    for settlement in settled(plan, history, granted):
        statement = settlement.statement
        for burndown in settlement.burndowns:
            for state in burndown.grants:
                gone = [state.drawn, state.expired, state.voided, state.left]
                assert Fraction(state.granted) == sum(map(Fraction, gone))
            assert burndown.unreturned == 0
            if burndown.currency is None:
                assert_units_are_covered_or_over(statement, burndown)


def assert_units_are_covered_or_over(statement: Statement, burndown: Burndown) -> None:
    """Assert that what was used beyond the limits is what grants covered, and overage."""
    assert burndown.metric is not None
    line = statement[burndown.metric]
    parts = [part for part in line.limit_parts if part.kind == "granted"]
    covered = sum((Fraction(part.quantity) for part in parts), Fraction())
    assert covered == Fraction(burndown.covered)
    assert Fraction(line.quantity) == Fraction(burndown.overage)
    assert line.limit is not None
    beyond = max(Fraction(0), Fraction(line.used) - (Fraction(line.limit) - covered))
    assert beyond == covered + Fraction(line.quantity)


@many
@given(plans(), histories, some_grants)
def test_credits_take_no_more_than_is_due(
    plan: Plan, history: list[Used], granted: list[Grant]
) -> None:
    for settlement in settled(plan, history, granted):
        found = settlement.statement.adjustments
        lines = [line for line in found if line.kind == "credit"]
        taken = -sum(line.cost.minor for line in lines)
        without = settlement.statement.total.minor + taken
        assert 0 <= taken <= max(0, without)
        assert all(line.cost.minor < 0 for line in lines)
        money = [found for found in settlement.burndowns if found.currency is not None]
        assert sum(Fraction(found.covered) for found in money) == Fraction(taken, 100)


@many
@given(plans(), histories, some_grants)
def test_law_2_lines_add_up_for_settled_statements(
    plan: Plan, history: list[Used], granted: list[Grant]
) -> None:
    for settlement in settled(plan, history, granted):
        statement = settlement.statement
        assert statement.total.minor == sum(line.cost.minor for line in statement.lines)
        assert statement.summary().total == statement.total
        for line in statement.overages:
            assert line.limit is None or line.quantity == max(0, line.used - line.limit)
            if line.limit_parts:
                assert sum(part.quantity for part in line.limit_parts) == line.limit
        lines = statement.lines, statement.unused
        again = Statement(statement.org_id, statement.period, plan, *lines)
        assert again == statement


@many
@given(plans(), histories, some_grants, st.randoms(use_true_random=False))
def test_the_order_of_events_and_grants_changes_nothing(
    plan: Plan, history: list[Used], granted: list[Grant], random: Any
) -> None:
    expected = settled(plan, history, granted)
    balance = Balance()
    for month, used, settlement in zip(MONTHS, history, expected, strict=False):
        events = events_of(month, used)
        random.shuffle(events)
        random.shuffle(granted)
        found = settle(plan, usage_of(month, used), balance, grants=granted, events=events)
        assert found == settlement
        balance = found.balance


@given(plans(), uses())
def test_what_keeps_nothing_is_settled_as_it_is_calculated(plan: Plan, used: Used) -> None:
    offers = {
        metric: evolve(allowance, carry_over=None, included_for=None)
        for metric, allowance in plan.allowances.items()
    }
    alone = evolve(plan, allowances=offers)
    usage = usage_of(MONTHS[0], used)
    settlement = settle(alone, usage)
    assert settlement == Settlement(calculate(alone, usage), Balance())
    assert not alone.needs_balance


@given(plans(), histories, some_grants)
def test_law_4_settled_statements_are_recorded_once(
    plan: Plan, history: list[Used], granted: list[Grant]
) -> None:
    repository, now = MemoryRepository(), MONTHS[-1].end
    for settlement in settled(plan, history, granted):
        statement = settlement.statement
        first = repository.record(statement, created_at=now)
        assert repository.record(statement, created_at=now).new == ()
        if first.records:
            assert aggregate(first.records).total == statement.total
            changed = calculate(plan, Usage("org", statement.period, {}))
            repository.record(changed, created_at=now)
            found = repository.records("org", statement.period)
            assert aggregate(found).total == changed.total


@few
@given(plans(), histories, some_grants)
def test_the_service_settles_as_a_host_would(
    plan: Plan, history: list[Used], granted: list[Grant]
) -> None:
    repository = MemoryRepository()
    repository.put_plan(plan)
    repository.put_account(Account("org", "p", since=MONTHS[0].start))
    for grant in granted:
        repository.put_grant("org", grant)
    service = OverageService(repository, clock=lambda: MONTHS[-1].end)
    for month, used in zip(MONTHS, history, strict=False):
        service.record_usage(events_of(month, used))
    for month, expected in zip(MONTHS, settled(plan, history, granted), strict=False):
        found = service.settle("org", month)
        assert found is not None
        assert found.statement == expected.statement
        assert service.calculate("org", month) == expected.statement


@many
@given(st.integers(0, 60), prices, st.lists(st.integers(0, 30), min_size=1, max_size=6))
def test_law_5_a_years_allowance_telescopes(included: int, price: Any, history: list[int]) -> None:
    year = Cycle.calendar("year")
    plan = Plan("p", "USD", {"runs": Allowance(included, price, included_for=year)})
    balance, total, exact = Balance(), 0, Fraction()
    for month, used in zip(MONTHS, history, strict=False):
        settlement = settle(plan, Usage("org", month, {"runs": used}), balance)
        balance = settlement.balance
        total += settlement.statement.total.minor
        exact += Fraction(settlement.statement["runs"].exact_cost)
    whole = year.period_at(MONTHS[0].start)
    at_once = calculate(plan, Usage("org", whole, {"runs": sum(history)}))
    assert (total, exact) == (at_once.total.minor, Fraction(at_once["runs"].exact_cost))


@many
@given(
    st.integers(0, 60),
    prices,
    st.lists(st.integers(0, 30), min_size=1, max_size=6),
    st.integers(0, 90),
)
def test_law_5_a_years_allowance_telescopes_with_what_grants_cover(
    included: int, price: Any, history: list[int], granted: int
) -> None:
    year = Cycle.calendar("year")
    plan = Plan("p", "USD", {"runs": Allowance(included, price, included_for=year)})
    pack = Grant("pack", granted, metric="runs", effective_at=MONTHS[0].start)
    balance, total, exact = Balance(), 0, Fraction()
    for month, used in zip(MONTHS, history, strict=False):
        settlement = settle(plan, Usage("org", month, {"runs": used}), balance, grants=[pack])
        balance = settlement.balance
        total += settlement.statement.total.minor
        exact += Fraction(settlement.statement["runs"].exact_cost)
    whole = year.period_at(MONTHS[0].start)
    at_once = settle(plan, Usage("org", whole, {"runs": sum(history)}), grants=[pack]).statement
    assert (total, exact) == (at_once.total.minor, Fraction(at_once["runs"].exact_cost))


# Parts


@st.composite
def parts(draw: st.DrawFn, least: int = 1) -> list[Period]:
    """Return the parts that some instants divide a month into."""
    hours = draw(st.lists(st.integers(1, HOURS - 1), min_size=least, max_size=3, unique=True))
    return list(MONTHS[1].split(*(MONTHS[1].start + timedelta(hours=hour) for hour in hours)))


def settle_parts(
    plans: Sequence[Plan], periods: Sequence[Period], used: Sequence[int], counters: Any
) -> Statement:
    """Return the statement of a month of `runs`, with another plan in each part."""
    account = Account("org", plans[0].slug, since=MONTHS[0].start)
    for plan, period in zip(plans[1:], periods[1:], strict=True):
        account = account.changed(since=period.start, plan=plan.slug, counters=counters)
    usages = [Usage("org", MONTHS[1], {"runs": sum(used)})]
    usages += [Usage("org", part, {"runs": n}) for part, n in zip(periods, used, strict=True)]
    by_slug = {plan.slug: plan for plan in plans}
    return overages.settle(account, by_slug, MONTHS[1], usages).statement


prices_of_parts = prices | st.just(Graduated([Tier(10, "0.50", 2), Tier(None, "0.25")]))
conversions = st.none() | st.sampled_from([Conversion(divide=3, increment=1), Conversion(2)])


def plans_that_differ(allowance: Allowance, number: int) -> list[Plan]:
    """Return plans of one charge, that differ in terms which change no amount."""
    return [
        Plan(f"p{n}", "USD", {"runs": evolve(allowance, maximum=Money(10**9 + n, "USD"))})
        for n in range(number)
    ]


@many
@given(parts(), st.integers(0, 30), prices_of_parts, conversions, st.data())
def test_law_5_parts_whose_counters_continue_telescope(
    periods: list[Period],
    included: int,
    price: Any,
    conversion: Conversion | None,
    data: st.DataObject,
) -> None:
    free = data.draw(st.sampled_from([(), (Discount("trial", quantity=4),)]))
    allowance = Allowance(included, price, conversion=conversion, discounts=free)
    plans = plans_that_differ(allowance, len(periods))
    used = [data.draw(st.integers(0, 25)) for _ in periods]
    found = settle_parts(plans, periods, used, "continue")
    whole = calculate(plans[0], Usage("org", MONTHS[1], {"runs": sum(used)}))
    lines = found.of("runs")
    assert [line.part for line in lines] == periods
    assert found.total.minor == whole.total.minor
    assert sum(Fraction(line.quantity) for line in lines) == Fraction(whole["runs"].quantity)
    exact = sum(Fraction(line.exact_cost) for line in lines)
    assert exact == Fraction(whole["runs"].exact_cost)
    assert decode(encode(found), Statement) == found


@many
@given(parts(), st.integers(0, 10_000), st.sampled_from([Proration.DAYS, Proration.SECONDS]))
def test_parts_that_restart_share_out_the_allowance_up_to_rounding(
    periods: list[Period], included: int, proration: Proration
) -> None:
    allowance = Allowance(included, PerUnit(1), proration=proration)
    plans = plans_that_differ(allowance, len(periods))
    found = settle_parts(plans, periods, [0] * len(periods), "restart")
    limits = [line.limit for line in found.of("runs")]
    together = sum((Fraction(limit or 0) for limit in limits), Fraction())
    assert abs(together - Fraction(included)) <= Fraction(len(periods), 2)
    assert decode(encode(found), Statement) == found


@many
@given(parts(), prices_of_parts, st.integers(0, 9), st.integers(0, 25))
def test_an_unchanged_level_comes_to_the_unchanged_charge(
    periods: list[Period], price: Any, included: int, held: int
) -> None:
    allowance = Allowance(included, price, kind="level", proration="seconds")
    plans = plans_that_differ(allowance, len(periods))
    found = settle_parts(plans, periods, [held] * len(periods), "restart")
    whole = calculate(plans[0], Usage("org", MONTHS[1], {"runs": held}))
    assert found.total == whole.total
    assert decode(encode(found), Statement) == found
