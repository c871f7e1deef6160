"""All metrics of a period: which have a line, in which order, and whether each is a flow."""

from typing import Any

import pytest
from tests.settled import DOLLAR, JAN, in_parts, lines

from overages import Account, Allowance, CarryOver, Grant, PerUnit, Plan, Settlement, Usage, settle
from overages.errors import InvalidValue

SEATS, FLOW = (Allowance(3, PerUnit(15), kind=kind) for kind in ("level", "flow"))


def changed(first: Allowance, second: Allowance, **named: Any) -> Settlement:
    """Settle March, in which 5 are used, with other terms from the 12th on."""
    plans = {n: Plan(f"p{n}", "USD", {"runs": own}) for n, own in ((1, first), (12, second))}
    return in_parts(plans, {"runs": [5, 5]}, **named)


def of_january(plan: Plan, used: dict[str, int], **named: Any) -> Settlement:
    account = Account("org-1", "p", JAN.start)
    return settle(account, {"p": plan}, JAN, Usage("org-1", JAN, used), **named)


def test_a_metric_that_is_granted_or_carried_over_has_a_line_in_the_plans_order() -> None:
    rolling = Allowance(100, DOLLAR, carry_over=CarryOver())
    plain = Allowance(9, DOLLAR)
    plan = Plan("p", "USD", {"a": plain, "b": rolling, "c": plain, "d": plain})
    grant = Grant("g", 4, metric="c", effective_at=JAN.start)
    found = of_january(plan, {"d": 12, "c": 12}, grants=[grant])
    assert [(line.metric, line.quantity) for line in found.statement.overages] == [
        ("c", 0),
        ("d", 3),
    ]
    assert (list(found.carry_overs), list(found.balance.carried)) == (["b"], ["b"])
    assert [burndown.metric for burndown in found.burndowns] == ["c"]


def test_levels_are_told_where_the_terms_do_not_say() -> None:
    first, second = (Allowance(n, PerUnit(15)) for n in (3, 4))
    found = changed(first, second, held={"runs": 5}, levels=["runs"])
    # 2 x 15.00 x 11/31, and then up to 20.32 in all: 2 x 15.00 x 11/31 + 1 x 15.00 x 20/31.
    assert lines(found) == [(5, 3, 1_065), (5, 4, 967)]


def test_a_level_is_the_same_in_all_parts_and_as_it_is_counted() -> None:
    with pytest.raises(
        InvalidValue, match=r"^runs\.kind: must be the same in all parts of a period"
    ):
        changed(SEATS, FLOW)
    other = Allowance(5, DOLLAR, kind="flow")
    with pytest.raises(
        InvalidValue, match=r"^runs\.kind: must be 'level', as the metric is counted"
    ):
        changed(FLOW, other, levels=["runs"])
