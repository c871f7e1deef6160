"""Plans compared and overage as it grew: the same as if each statement were worked out alone."""

from __future__ import annotations

from hypothesis import assume, given, strategies as st

from overages import (
    Money,
    OverageRecord,
    Period,
    Plan,
    Usage,
    calculate,
    compare,
    evolve,
    overage_history,
)
from overages.errors import OveragesError
from overages.testing.billing import used_of
from overages.testing.plans import plans
from overages.testing.records import histories

METRICS = ["runs", "tokens"]
MONTHS = [Period.month(2024, month) for month in (1, 2, 3)]


@st.composite
def offered(draw: st.DrawFn) -> list[Plan]:
    """Return one to three plans with the same metrics, none of which needs a balance."""
    offers = plans(currencies=st.just("USD"), metrics=st.sampled_from(METRICS))
    drawn = draw(st.lists(offers, min_size=1, max_size=3))
    first = drawn[0]
    made = []
    for number, plan in enumerate(drawn):
        known = {**first.allowances, **plan.allowances}
        alone = {
            metric: evolve(each, included_per=None, included_for=None, carry_over=None)
            for metric, each in known.items()
        }
        made.append(evolve(plan, slug=f"plan-{number}", allowances=alone))
    return made


@st.composite
def cases(draw: st.DrawFn) -> tuple[list[Plan], list[Usage]]:
    """Return plans, and usage of one to three months by metrics that all of them know."""
    compared = draw(offered())
    shared = {m for m in METRICS if all(m in plan.allowances for plan in compared)}
    months = MONTHS[: draw(st.integers(1, 3))]
    used = [used_of(draw, compared[0]) for _ in months]
    return compared, [
        Usage("org-1", month, {m: quantities[m] for m in shared & set(quantities)})
        for month, quantities in zip(months, used, strict=True)
    ]


@given(cases())
def test_comparison_agrees_with_calculating_each_plan(
    case: tuple[list[Plan], list[Usage]],
) -> None:
    compared, usages = case
    try:
        comparison = compare(compared, usages, current="plan-0")
    except OveragesError as error:
        assume("comes to" not in str(error))
        raise
    totals = {}
    for plan in compared:
        fee = Money(0, "USD") if plan.base_fee is None else plan.base_fee
        costs = [fee + calculate(plan, usage).total for usage in usages]
        assert [cost.total for cost in comparison.of(plan.slug)] == costs
        totals[plan.slug] = sum(costs, Money(0, "USD"))
        assert comparison.total(plan.slug) == totals[plan.slug]
    least = min(totals.values())
    assert totals[comparison.cheapest()] == least
    assert all(comparison.regret(slug) == total - least for slug, total in totals.items())
    advice = comparison.recommendation
    assert advice is not None
    assert (advice.move == "stay") == (totals["plan-0"] == least)
    assert advice.move == "stay" or advice.saving == totals["plan-0"] - least


@given(histories(currencies=st.just("USD")))
def test_a_history_is_the_sum_of_its_records_in_any_order(
    records: tuple[OverageRecord, ...],
) -> None:
    history = overage_history(records, currency="USD")
    assert history == overage_history(reversed(records), currency="USD")
    assert history.total.minor == sum(record.cost.minor for record in records)
    assert sum(each.cost.minor for each in history.top_orgs(10**6)) == history.total.minor
    assert sum(each.cost.minor for each in history.growth()) == history.total.minor
