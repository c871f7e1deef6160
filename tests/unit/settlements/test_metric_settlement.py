"""A metric's lines, span by span: levels, counters that go on, carry-over and grants of units."""

from datetime import timedelta
from typing import Any

import pytest
from tests.settled import DOLLAR, MAR, day, in_parts, lines

from overages import (
    Account,
    Allowance,
    Balance,
    CarryOver,
    Cycle,
    Discount,
    Exchanged,
    Graduated,
    Grant,
    Period,
    PerUnit,
    Plan,
    Settlement,
    Statement,
    Tier,
    Usage,
    UsageEvent,
    Volume,
    settle,
)
from overages.codec import decode, encode
from overages.errors import InvalidValue
from overages.terms.carry_over import CarriedUnits

FEBRUARY = Period.month(2024, 2)
TIERS = Graduated([Tier(10, price=2), Tier(None, price=1)])


def plan(slug: str, allowance: Allowance) -> Plan:
    return Plan(slug, "USD", {"runs": allowance})


OTHER = Plan("other", "USD", {"jobs": Allowance(0, DOLLAR)})


def changed(first: Allowance, second: Allowance, used: Any, **named: Any) -> Settlement:
    """Settle March, with other terms from the 12th on; its statement is the same through JSON."""
    found = in_parts({1: plan("first", first), 12: plan("second", second)}, {"runs": used}, **named)
    assert decode(encode(found.statement), Statement) == found.statement
    return found


def goes_on(first: Allowance, second: Allowance, used: Any, **named: Any) -> Settlement:
    return changed(first, second, used, counters=["continue"], **named)


# Shares


def test_a_flow_has_a_share_of_what_it_includes() -> None:
    found = changed(Allowance(310, DOLLAR), Allowance(620, PerUnit("0.5")), [400, 100])
    assert lines(found) == [(400, 110, 29_000), (100, 400, 0)]
    found = changed(Allowance(100, DOLLAR), Allowance(5_000, DOLLAR), [100, 0])
    assert lines(found) == [(100, 35, 6_500), (0, 3_226, 0)]


def test_an_upgrade_on_the_last_day_makes_nothing_cheaper_that_was_used_before() -> None:
    plans = {1: plan("first", Allowance(100, DOLLAR)), 31: plan("second", Allowance(5_000, DOLLAR))}
    assert lines(in_parts(plans, {"runs": [1_000, 0]})) == [(1_000, 97, 90_300), (0, 161, 0)]


def test_a_flow_has_a_share_of_tiers_and_fees_and_free_units() -> None:
    fees = Graduated([Tier(10, price=2), Tier(None, price=1, flat=31)])
    terms = Allowance(0, fees, discounts=[Discount("gift", quantity=31)])
    found = changed(terms, Allowance(0, DOLLAR), [21, 0])
    # 11 free, then 4 at 2.00, then 6 at 1.00 and 11 of the fee of 31.
    assert lines(found) == [(21, 11, 800 + 600 + 1_100), (0, 0, 0)]


# Levels


def seats(included: int, **named: Any) -> Allowance:
    return Allowance(included, PerUnit(15), kind="level", **named)


def test_a_level_is_charged_whole_and_then_by_time() -> None:
    found = changed(seats(3), seats(4), [5, 5], held={"runs": 5})
    # 2 x 15.00 x 11/31, and then up to 20.32 in all: 2 x 15.00 x 11/31 + 1 x 15.00 x 20/31.
    assert lines(found) == [(5, 3, 1_065), (5, 4, 967)]


@pytest.mark.parametrize("number", range(2, 32))
def test_an_unchanged_level_comes_to_the_unchanged_charge(number: int) -> None:
    free = [Discount("none", quantity=0)]
    plans = {1: plan("first", seats(2)), number: plan("second", seats(2, discounts=free))}
    found = in_parts(plans, {"runs": [5, 5]}, held={"runs": 5})
    assert found.statement.total.minor == 4_500
    assert len(found.statement.of("runs")) == 2


def test_between_two_changes_on_one_day_nothing_is_charged() -> None:
    eight, sixteen = (day(12) + timedelta(hours=n) for n in (8, 16))
    plans = [plan(f"p{n}", seats(n)) for n in (2, 0, 3)]
    account = Account("org-1", "p2", MAR.start)
    account = account.changed(since=eight, plan="p0").changed(since=sixteen, plan="p3")
    usages = [Usage("org-1", time, {"runs": 5}) for time in (MAR, *MAR.split(eight, sixteen))]
    found = settle(account, {each.slug: each for each in plans}, MAR, usages)
    # 3 x 15.00 x 11/31, and 2 x 15.00 x 20/31 more: 35.32 in all.
    assert lines(found) == [(5, 2, 1_597), (5, 0, 0), (5, 3, 1_935)]
    assert decode(encode(found.statement), Statement) == found.statement


# Counters that go on


def test_counters_that_go_on_use_up_the_whole_allowance_of_the_later_terms() -> None:
    found = goes_on(Allowance(2_000, DOLLAR), Allowance(500, DOLLAR), [1_760, 40])
    assert lines(found) == [(1_760, 2_000, 0), (40, 0, 4_000)]


def test_tiers_go_on_and_nothing_is_priced_again() -> None:
    found = goes_on(Allowance(5, TIERS), Allowance(10, TIERS), [12, 6])
    # 7 at 2.00; then, of 8 beyond 10, 2 were used before: 4 more are charged at 2.00, 2 at 2.00.
    assert lines(found) == [(12, 5, 1_400), (6, 0, 1_200)]
    assert found.statement.of("runs")[1].before == 2
    found = goes_on(Allowance(0, TIERS), Allowance(0, TIERS, maximum=None, increment=2), [8, 6])
    assert [cost for *_, cost in lines(found)] == [1_600, 800]


def test_units_that_grants_paid_for_are_no_part_of_the_tiers_that_go_on() -> None:
    pack = Grant("pack", 20, metric="runs", effective_at=MAR.start)
    found = goes_on(Allowance(10, TIERS), Allowance(10, TIERS, increment=2), [30, 5], grants=[pack])
    assert lines(found) == [(30, 30, 0), (5, 0, 1_000)]
    assert found.statement.of("runs")[1].before == 0


def test_units_that_another_metric_brings_go_on() -> None:
    first = Plan(
        "first",
        "USD",
        {"runs": Allowance(2, DOLLAR, included_per="jobs"), "jobs": Allowance(None, DOLLAR)},
    )
    second = Plan(
        "second",
        "USD",
        {"runs": Allowance(3, DOLLAR, included_per="jobs"), "jobs": Allowance(None, DOLLAR)},
    )
    found = in_parts(
        {1: first, 12: second}, {"runs": [10, 10], "jobs": [5, 1]}, counters=["continue"]
    )
    assert lines(found) == [(10, 10, 0), (10, 8, 200)]  # 3 x 6 less the 10 used


@pytest.mark.parametrize("counters", ["restart", "continue"])
def test_a_metric_of_one_part_alone_is_shared_out_unless_counters_go_on(counters: Any) -> None:
    terms = plan("runs", Allowance(310, DOLLAR))
    later = in_parts({1: OTHER, 12: terms}, {"runs": [0, 10]}, counters=[counters])
    sooner = in_parts({1: terms, 12: OTHER}, {"runs": [10, 0]}, counters=[counters])
    limits = [found.statement["runs"].limit for found in (later, sooner)]
    assert limits == ([200, 110] if counters == "restart" else [310, 310])


def test_parts_that_restart_and_go_on_are_counted_together_from_the_restart() -> None:
    plans = {n: plan(f"p{n}", Allowance(310 + n, TIERS)) for n in (1, 12, 20)}
    found = in_parts(plans, {"runs": [0, 250, 10]}, counters=["restart", "continue"])
    # 322 and 330 by 20 of 31 days.
    assert lines(found) == [(0, 110, 0), (250, 208, 6 * 200 + 36 * 100), (10, 0, 1_000)]
    assert decode(encode(found.statement), Statement) == found.statement


def test_counters_that_go_on_can_begin_in_an_earlier_period() -> None:
    plans = {1: plan("first", Allowance(310, DOLLAR)), 12: plan("second", Allowance(620, DOLLAR))}
    assert lines(in_parts(plans, {"runs": [0, 0]})) == [(0, 110, 0), (0, 400, 0)]


FEE = Graduated([Tier(None, price=1, flat=10)], flat_at_zero=True)


def test_a_fee_at_quantity_zero_that_stays_is_due_once_where_counters_go_on() -> None:
    found = goes_on(Allowance(100, FEE), Allowance(200, FEE), [10, 200])
    assert lines(found) == [(10, 100, 1_000), (200, 190, 1_000)]


VOLUME = Volume([Tier(10, price=2), Tier(None, price=1)])


@pytest.mark.parametrize(
    ("terms", "reason"),
    [
        (Allowance(0, DOLLAR, kind="level"), "a level"),
        (Allowance(0, VOLUME), "a volume price"),
        (Allowance(0, Exchanged(VOLUME, 2)), "a volume price"),
        (Allowance(0, DOLLAR, carry_over=CarryOver()), "units that are carried over"),
        (
            Allowance(0, DOLLAR, included_for=Cycle.calendar("year")),
            "an allowance for a time of its own",
        ),
        (Allowance(100, FEE), "another fee at quantity zero then"),
    ],
    ids=["level", "volume", "exchanged", "carry-over", "window", "fee"],
)
@pytest.mark.parametrize("is_first", [False, True])
def test_counters_go_on_only_where_it_can_be_told(
    terms: Allowance, reason: str, is_first: bool
) -> None:
    other = Allowance(1, DOLLAR, kind=terms.kind)
    both = (terms, other) if is_first else (other, terms)
    with pytest.raises(
        InvalidValue, match=f"^runs.counters: must be 'restart' where 'runs' has {reason}"
    ):
        goes_on(*both, [1, 1], held={"runs": 1} if terms.kind else None)


# Carry-over

BROUGHT = Balance({"runs": [CarriedUnits(50, FEBRUARY, 1)]})


def carrying(included: int, **named: Any) -> Allowance:
    return Allowance(included, DOLLAR, carry_over=CarryOver(**named))


def test_units_brought_in_go_to_the_first_part_and_its_rest_to_the_next() -> None:
    found = changed(carrying(310), carrying(620), [60, 0], balance=BROUGHT)
    assert lines(found) == [(60, 160, 0), (0, 500, 0)]
    first = MAR.split(day(12))[0]
    assert [(units.period, units.quantity) for units in found.balance.carried["runs"]] == [
        (first, 100),
        (Period(day(12), MAR.end), 400),
    ]


def test_units_do_not_age_between_the_parts_of_a_period() -> None:
    found = changed(
        carrying(310, expires_after=1), carrying(620, expires_after=1), [0, 0], balance=BROUGHT
    )
    assert lines(found) == [(0, 160, 0), (0, 560, 0)]
    assert [units.quantity for units in found.balance.carried["runs"]] == [110, 400]
    assert [units.quantity for units in found.carry_overs["runs"].expired] == [50]


def test_units_lapse_where_the_next_terms_carry_nothing() -> None:
    found = changed(carrying(310), Allowance(620, DOLLAR), [0, 0], balance=BROUGHT)
    assert lines(found) == [(0, 160, 0), (0, 400, 0)]
    assert found.balance.carried == {}
    found = changed(Allowance(310, DOLLAR), carrying(620), [0, 0], balance=BROUGHT)
    assert lines(found) == [(0, 110, 0), (0, 400, 0)]


def test_units_lapse_where_no_plan_knows_the_metric() -> None:
    terms = plan("first", carrying(310))
    used = {"runs": [0, 0, 0]}
    found = in_parts({1: terms, 12: OTHER, 20: terms}, used, balance=BROUGHT)
    assert lines(found) == [(0, 160, 0), (0, 120, 0)]
    assert in_parts({1: terms, 12: OTHER}, {"runs": [0, 0]}, balance=BROUGHT).balance.carried == {}
    found = in_parts({1: OTHER, 12: terms}, {"runs": [0, 0]}, balance=BROUGHT)
    assert lines(found) == [(0, 200, 0)]


def test_where_an_org_has_no_limit_carried_units_wait() -> None:
    account = Account("org-1", "first", MAR.start, {"runs": None})
    terms = {"first": plan("first", carrying(310))}
    balance = Balance({"runs": [CarriedUnits(50, FEBRUARY, 2)]})
    found = settle(account, terms, MAR, Usage("org-1", MAR, {"runs": 999}), balance)
    assert found.balance.carried == {"runs": (CarriedUnits(50, FEBRUARY, 1),)}


# Grants of units


def test_grants_are_drawn_part_by_part_at_the_instants_of_use() -> None:
    pack = Grant("pack", 30, metric="runs", effective_at=day(5), expires_at=day(15))
    events = [
        UsageEvent("org-1", "runs", n, day(at))
        for n, at in [(130, 3), (10, 6), (410, 14), (50, 20)]
    ]
    found = changed(
        Allowance(310, DOLLAR), Allowance(620, DOLLAR), [140, 460], grants=[pack], events=events
    )
    # 20 were beyond the first limit before there was a grant, and 50 of the last had none any more.
    assert lines(found) == [(140, 120, 2_000), (460, 410, 5_000)]
    assert [burndown.drawn for burndown in found.burndowns] == [10, 20]
    assert found.balance.burndowns[0].expired == 10
