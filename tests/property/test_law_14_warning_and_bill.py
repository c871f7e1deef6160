"""Law 14: what is said before the bill is what the bill says.

"The warning and the bill agree. What a check said that a request would cost is what its line then
says, if nothing else comes between; what was announced is computed from the same values that are
billed."

A decision is held to `calculate`, and one of a service to the statement of the service, before and
after; what is left of a limit is worked out here once more.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any, Final

from hypothesis import assume, given, strategies as st

from overages import (
    Account,
    Allowance,
    Budget,
    Decision,
    Discount,
    Grant,
    MemoryRepository,
    Money,
    OverageService,
    Plan,
    Statement,
    Usage,
    UsageEvent,
    calculate,
    decide,
)
from overages.amounts.exact import add_up
from overages.errors import OveragesError, QuotaExceeded
from overages.periods.period import Period

from .effort import many
from .terms import FEBRUARY, conversions, prices, roundings, tenths

METRICS: Final = ("a", "b", "c")
NOON: Final = FEBRUARY.start + timedelta(days=9, hours=12)
money = st.integers(0, 60_00).map(lambda minor: Money(minor, "USD"))


@st.composite
def allowances(draw: st.DrawFn, *, plain: bool) -> Allowance:
    """Return allowances with a hard limit of either kind, or none."""
    included = draw(st.none() | tenths(20) | st.integers(0, 20))
    named: dict[str, Any] = {}
    kind = draw(st.sampled_from(["none", "units", "percent"]))
    if kind == "units":
        least = Fraction(included or 0)
        named["hard_limit"] = -(-least // 1) + draw(st.integers(0, 30))
    elif kind == "percent" and included:
        named["hard_limit_percent"] = draw(st.sampled_from([100, 150, "133.3"]))
    if not plain:
        named["conversion"] = draw(st.none() | conversions)
        named["maximum"] = draw(st.none() | money)
        if draw(st.booleans()):
            named["discounts"] = [Discount("off", percent=draw(st.integers(0, 100)))]
    return Allowance(included, draw(prices(st.booleans())), **named)


@st.composite
def plans(draw: st.DrawFn, *, plain: bool | None = None) -> Plan:
    """Return plans of up to three metrics, most of them with a rule or two."""
    flat = draw(st.booleans()) if plain is None else plain
    named = {metric: draw(allowances(plain=flat)) for metric in METRICS[: draw(st.integers(1, 3))]}
    rules: dict[str, Any] = {"rounding": draw(roundings)}
    if not flat:
        rules["base_fee"] = draw(st.none() | money)
        rules["rounding_scope"] = draw(st.sampled_from(["line", "total"]))
    return Plan("p", "USD", named, **rules)


def units_of(plan: Plan, most: int = 40) -> st.SearchStrategy[dict[str, Any]]:
    return st.dictionaries(
        st.sampled_from(sorted(plan.allowances)), st.integers(0, most) | tenths(most)
    )


@st.composite
def budgets(draw: st.DrawFn, plan: Plan) -> list[Budget]:
    metric, units = draw(st.sampled_from(sorted(plan.allowances))), draw(st.integers(0, 40))
    made = [
        Budget(draw(money), on_reached="stop_usage"),
        Budget(draw(money), metric=metric, id="money", on_reached="stop_usage"),
        Budget(units, metric=metric, id="units", on_reached="stop_usage"),
        Budget(draw(money), id="told"),
    ]
    return [each for each in made if draw(st.booleans())]


@st.composite
def asked(draw: st.DrawFn, plain: bool | None = None) -> dict[str, Any]:
    """Return the arguments of a decision."""
    plan = draw(plans(plain=plain))
    requested = draw(units_of(plan))
    named: dict[str, Any] = {"on_passing": draw(st.sampled_from(["reject", "clamp", "cross"]))}
    if named["on_passing"] == "reject":
        named["at_least"] = {m: n for m, n in requested.items() if draw(st.booleans()) and n == 0}
        named["at_least"] |= {m: 1 for m, n in requested.items() if Fraction(n) > 5}
    return {
        "plan": plan,
        "usage": Usage("acme", FEBRUARY, draw(units_of(plan))),
        "requested": requested,
        "held": draw(units_of(plan, most=9)),
        "limits": draw(st.none() | units_of(plan, most=20)),
        **named,
    }


def decided(arguments: dict[str, Any], **more: Any) -> Decision:
    try:
        return decide(**arguments, **more)
    except OveragesError:  # units that no conversion turns into a quantity
        assume(False)
        raise


def bill(arguments: dict[str, Any], *more: Any) -> Statement:
    """Return the statement of an org's usage, and of more units beside it."""
    used: dict[str, Any] = dict(arguments["usage"].quantities)
    for units in more:
        used |= {m: add_up([used.get(m, 0), n]) for m, n in units.items()}
    usage = Usage("acme", FEBRUARY, used)
    return calculate(arguments["plan"], usage, limits=arguments["limits"], ended=False)


def as_numbers(units: Any) -> dict[str, Any]:
    return dict(Usage("acme", FEBRUARY, units).quantities)


@many
@given(st.data(), asked())
def test_law_14_a_decision_never_grants_more_than_is_left(
    data: st.DataObject, arguments: dict[str, Any]
) -> None:
    org_budgets = data.draw(budgets(arguments["plan"]))
    arguments = {**arguments, "held": as_numbers(arguments["held"])}
    decision = decided(arguments, budgets=org_budgets)
    requested, held = decision.requested, arguments["held"]
    assert all(0 <= units <= requested[m] for m, units in decision.granted.items())
    before, after = bill(arguments, held), bill(arguments, held, decision.granted)
    if arguments["on_passing"] == "cross":
        return
    for limit in decision.limits:
        if not limit.stops:
            continue
        pairs: list[Any] = [before.total, after.total]
        if limit.metric is not None:
            pairs = [each[limit.metric].used for each in (before, after)]
            if isinstance(limit.limit, Money):
                totals = [each.totals_by_metric().get(limit.metric) for each in (before, after)]
                pairs = [Money(0, "USD") if each is None else each.cost for each in totals]
        assert pairs[1] <= limit.limit or pairs[1] <= pairs[0]
    for limit in decision.limits:
        metric = limit.metric or ""
        if limit.kind == "hard_limit" and not arguments["plan"].allowances[metric].conversion:
            left: Any = limit.remaining
            assert decision.granted[metric] <= left or not decision.granted[metric]


@many
@given(st.data(), asked())
def test_law_14_the_cost_that_a_decision_says_is_what_the_line_then_says(
    data: st.DataObject, arguments: dict[str, Any]
) -> None:
    arguments = {**arguments, "held": as_numbers(arguments["held"])}
    decision = decided(arguments, budgets=data.draw(budgets(arguments["plan"])))
    units = decision.granted if any(decision.granted.values()) else decision.requested
    before, after = bill(arguments), bill(arguments, units)
    assert decision.cost == after.total - before.total
    assert decision.exact_cost == exact(after.lines) - exact(before.lines)
    assert decision.exact_overage_cost == exact(after.overages) - exact(before.overages)


def exact(lines: Any) -> Fraction:
    return sum((Fraction(line.exact_cost) for line in lines), Fraction())


@many
@given(asked(plain=True))
def test_law_14_a_plain_decision_is_that_of_the_statements(arguments: dict[str, Any]) -> None:
    told = Budget(Money(10**9, "USD"), id="told")  # which stops nothing, and is no plain thing
    plain, other = decided(arguments), decided(arguments, budgets=[told])
    assert other.limits[: len(plain.limits)] == plain.limits
    assert len(other.limits) == len(plain.limits) + 1
    for name in ("verdict", "granted", "cost", "exact_cost", "overage_cost", "decided_by"):
        assert getattr(plain, name) == getattr(other, name)


class Host:
    """A service with an org of any terms, and a clock."""

    def __init__(self, plan: Plan, since: datetime, grants: list[Grant], **terms: Any) -> None:
        self.repository, self.now = MemoryRepository(), NOON
        self.service = OverageService(self.repository, clock=lambda: self.now)
        self.repository.put_plan(plan)
        self.repository.put_account(Account("acme", plan.slug, since, **terms))
        for grant in grants:
            self.repository.put_grant("acme", grant)

    def use(self, units: Any) -> None:
        self.service.record_usage(
            [UsageEvent("acme", metric, n, self.now) for metric, n in units.items()]
        )

    def total(self) -> Money:
        statement = self.service.calculate("acme")
        assert statement is not None
        return statement.total


grants = st.builds(
    Grant,
    st.sampled_from(["g", "h"]),
    st.integers(0, 30) | money,
    metric=st.sampled_from(["a", None]),
    effective_at=st.sampled_from([FEBRUARY.start, NOON - timedelta(hours=1)]),
    expires_at=st.sampled_from([None, NOON + timedelta(days=1)]),
)


@st.composite
def hosts(draw: st.DrawFn) -> Host:
    made = [draw(grants) for _ in range(draw(st.integers(0, 2)))] if draw(st.booleans()) else []
    terms: dict[str, Any] = {}
    if draw(st.booleans()):
        terms["discounts"] = [Discount("own", percent=draw(st.integers(0, 100)))]
    since = draw(st.sampled_from([FEBRUARY.start, FEBRUARY.start + timedelta(days=5)]))
    return Host(draw(plans()), since, list({grant.id: grant for grant in made}.values()), **terms)


@many
@given(st.data(), st.data())
def test_law_14_the_cost_that_a_service_says_is_what_its_bill_then_says(
    data: st.DataObject, more: st.DataObject
) -> None:
    try:
        host = data.draw(hosts())
    except OveragesError:
        assume(False)
        raise
    plan = host.repository.plan("p")
    try:
        for _ in range(3):
            host.use(more.draw(units_of(plan, most=15)))
            requested = more.draw(units_of(plan))
            decision, before = host.service.decide("acme", requested), host.total()
            units = decision.granted if any(decision.granted.values()) else decision.requested
            host.use(units)
            assert decision.cost == host.total() - before
    except OveragesError:
        assume(False)


@many
@given(st.data(), st.integers(0, 30))
def test_law_14_holds_and_usage_together_never_pass_a_hard_limit(
    data: st.DataObject, most: int
) -> None:
    plan = Plan("p", "USD", {"a": Allowance(0, data.draw(prices(st.just(False))), hard_limit=most)})
    host, keys = Host(plan, FEBRUARY.start, []), 0
    free_until: dict[str, datetime] = {}
    for _ in range(data.draw(st.integers(1, 12))):
        step = data.draw(st.sampled_from(["reserve", "reserve", "commit", "release", "wait"]))
        open_keys = sorted(key for key, ends in free_until.items() if ends > host.now)
        if step == "wait":
            host.now += timedelta(minutes=data.draw(st.integers(1, 60)))
        elif step == "reserve":
            keys += 1
            ends = host.now + timedelta(minutes=data.draw(st.integers(1, 60)))
            units = data.draw(st.integers(0, 12))
            try:
                made = host.service.reserve(
                    "acme", {"a": units}, key=f"k-{keys:02}", expires_at=ends, on_passing="clamp"
                )
            except QuotaExceeded:
                assert held_and_used(host) == most
                continue
            free_until[made.key] = ends
        elif open_keys:
            key = data.draw(st.sampled_from(open_keys))
            held = host.service.reservation("acme", key).units["a"]
            if step == "commit":
                host.service.commit("acme", key, used={"a": data.draw(st.integers(0, int(held)))})
            else:
                host.service.release("acme", key)
            del free_until[key]
        assert held_and_used(host) <= most
    host.repository.verify()


def held_and_used(host: Host) -> Any:
    period: Period = FEBRUARY
    used = host.repository.usage("acme", period).quantities.get("a", 0)
    return add_up([used, host.repository.held_units("acme", period, host.now).get("a", 0)])
