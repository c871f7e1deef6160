"""Values whose fields depend on each other: for each class, the rules between them.

Any other class is drawn as its declaration says (see `fields`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from operator import itemgetter
from typing import Any, TypeVar, get_args

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy as Strategy

from overages._ground.value import evolve
from overages.amounts.exact import LIMIT, Exact, add_up, number_from_ratio
from overages.amounts.money import Currency, Money
from overages.amounts.rounding import Rounding
from overages.grants.burndown import Burndown
from overages.grants.grant import Grant
from overages.grants.state import Draw, GrantState
from overages.lines.adjustment import Adjustment, AdjustmentKind
from overages.periods.cycle import Cycle
from overages.prices.transactions import TransactionFee
from overages.records.chain import ChainHead
from overages.settlements.balance import Balance
from overages.settlements.carry_over_result import CarryOverResult
from overages.statements.summary import MetricTotal, Summary
from overages.terms.carry_over import CarriedUnits
from overages.terms.commitment import Commitment
from overages.terms.discount import Discount
from overages.terms.terms import OwnTerms, Terms
from overages.testing import quantities as numbers
from overages.testing.fields import (
    BY_CLASS,
    FIRST_MONTH,
    LAST_MONTH,
    Arguments,
    arguments,
    currencies,
    instants,
    line_names,
    made,
    metrics,
    minor_units,
    month,
    names,
    orgs,
    values,
)
from overages.usage.metric import Metric
from overages.usage.usage import Usage

T = TypeVar("T")


def in_order(named: Arguments, low: str, high: str) -> Arguments:
    """Exchange two arguments that are drawn the wrong way round."""
    first, last = named.get(low), named.get(high)
    if first is not None and last is not None and first > last:
        return {**named, low: last, high: first}
    return named


def but(named: Arguments, *names: str) -> Arguments:
    """Leave arguments out."""
    return {name: value for name, value in named.items() if name not in names}


# Terms

amounts: Strategy[Money] = st.builds(
    Money, minor_units.map(abs), st.just("USD")
)  # see `in_currency`
reductions: Strategy[Discount] = st.builds(
    Discount, line_names, percent=numbers.per_cents
) | st.builds(Discount, line_names, amount=amounts)
discounts: Strategy[Discount] = reductions | st.builds(
    Discount, line_names, quantity=numbers.modest
)
reduced: Strategy[list[Discount]] = st.lists(
    reductions, max_size=3, unique_by=lambda offer: offer.name
)
# Of an account no minimum is above a maximum, whichever of its entries they are in.
own_bounds: Mapping[str, Strategy[Money]] = {
    "maximum": amounts.map(lambda most: Money(500 + most.minor, "USD")),
    "minimum": st.builds(Money, st.integers(0, 500), st.just("USD")),
}
commitments: Strategy[Commitment] = st.one_of(
    made(Commitment, "amount", amount=amounts, quantity=None),
    made(Commitment, "quantity", amount=None),
)


def in_currency(value: Any, currency: Currency | str) -> Any:
    """Return a value, or a list of values, with amounts of money in a currency."""
    if isinstance(value, list):
        return [in_currency(each, currency) for each in value]
    if isinstance(value, Money):
        return Money(value.minor, currency)
    if isinstance(value, (Commitment, Discount)) and value.amount is not None:
        return evolve(value, amount=Money(value.amount.minor, currency))
    return value


def priced_in(terms: Arguments, currency: Currency | str) -> Arguments:
    """Put all amounts of money of some terms into a currency."""
    return {name: in_currency(term, currency) for name, term in terms.items()}


def of_one_currency(kind: type[T]) -> Strategy[T]:
    """Return terms of an org's own, with all amounts of money in one currency."""
    drawn = arguments(kind, discounts=reduced, **own_bounds)
    return st.builds(priced_in, drawn, currencies).map(lambda named: kind(**named))


BY_CLASS[OwnTerms] = of_one_currency(OwnTerms)
BY_CLASS[Terms] = of_one_currency(Terms)
BY_CLASS[Discount] = st.builds(in_currency, discounts, currencies)
BY_CLASS[Commitment] = st.builds(in_currency, commitments, currencies)


def carried_on(named: Arguments) -> Arguments:
    """Let units used beforehand never expire."""
    return but(named, "periods_left") if named["quantity"] < 0 else named


BY_CLASS[CarriedUnits] = made(CarriedUnits, mend=carried_on)


BY_CLASS[TransactionFee] = made(
    TransactionFee, mend=partial(in_order, low="min_per_event", high="max_per_event")
)


# Usage


def counting(named: Arguments) -> Arguments:
    """Leave out terms that the aggregation of a metric has no use for, and add those it needs."""
    way = named.get("aggregation", "sum")
    left_out = [
        *(["distinct"] if way != "unique" else []),
        *(["reports"] if way not in ("max", "last", "time_weighted") else []),
        *(["increment_scope"] if way != "sum" or named.get("increment") is None else []),
    ]
    needed = {"distinct": named.get("distinct", "user")} if way == "unique" else {}
    if way == "time_weighted" and named.get("reports") == "amount":
        left_out.append("reports")
    if named.get("where") and named.get("event", named["name"]) in (None, named["name"]):
        needed["event"] = f"{named['name'][:9]}!"
    return {**but(named, *left_out), **needed}


_values = st.dictionaries(
    st.sampled_from(["region"]) | names, st.lists(names, min_size=1, max_size=3), max_size=2
)
BY_CLASS[Metric] = made(Metric, mend=counting, name=metrics, where=_values)


# Grants


def granted(named: Arguments) -> Arguments:
    """Let a grant be of something, and end after it began."""
    named = in_order(named, "effective_at", "expires_at")
    if named.get("expires_at") == named["effective_at"]:
        named = but(named, "expires_at")
    if isinstance(named["amount"], Money):
        return {**named, **_whole_minor_units(named, named["amount"].currency)}
    return named if named.get("metric") is not None else {**named, "metric": "tokens"}


def _whole_minor_units(named: Arguments, unit: Currency) -> Arguments:
    """Return the numbers of a grant of money in whole minor units; a step is one at least."""
    least = Money(1, unit).amount
    cut = {
        name: Rounding.DOWN.round(named[name], least)
        for name in ("refill_keeps", "step")
        if named.get(name) is not None
    }
    return {**cut, "step": cut["step"] or least} if "step" in cut else cut


def accounted(named: Arguments) -> Arguments:
    """Let a grant sum to its drawn, expired, voided and left units; `granted` comes as the left."""
    parts = (named.get(part, 0) for part in ("granted", "drawn", "expired", "voided"))
    return {**named, "granted": add_up(parts)}


_prepaid = st.integers(0, 5000) | st.integers(0, LIMIT - 1)
_amounts = numbers.quantities | st.builds(Money, _prepaid, currencies)


def grants(**chosen: Strategy[Any] | None) -> Strategy[Grant]:
    """Return grants of units and of money, for some time or for ever."""
    return made(Grant, mend=granted, id=line_names, amount=_amounts, **chosen)


BY_CLASS[Grant] = grants()
BY_CLASS[Draw] = made(Draw, mend=partial(in_order, low="covered", high="quantity"))
BY_CLASS[GrantState] = made(GrantState, mend=accounted)
_draws = st.lists(values(Draw), max_size=4)
_balances = st.lists(values(GrantState), max_size=2, unique_by=lambda state: state.grant_id)
_sums = st.tuples(numbers.quantities, numbers.quantities)
_units = st.tuples(metrics, st.none()) | st.tuples(st.none() | metrics, currencies)


def with_draws(balances: Iterable[GrantState], made_draws: Iterable[Draw]) -> list[GrantState]:
    """Return the states of grants after some draws on them."""
    accounts = {account.grant_id: account for account in balances}
    for drawn in made_draws:
        new = GrantState(drawn.grant_id, 0, filled_at=drawn.at)
        account = accounts.get(drawn.grant_id, new)
        accounts[drawn.grant_id] = evolve(
            account,
            granted=add_up((account.granted, drawn.quantity)),
            drawn=add_up((account.drawn, drawn.quantity)),
        )
    return [*accounts.values()]


@st.composite
def burndowns(draw: st.DrawFn) -> Burndown:
    """Return burndowns of grants of one unit, with draws on some of them, in order of time."""
    made_draws = sorted(draw(_draws), key=lambda drawn: drawn.at)
    at = max([draw(instants), *(drawn.at for drawn in made_draws)])
    accounts = with_draws(draw(_balances), made_draws)
    metric, unit = draw(_units)
    overage, unreturned = draw(_sums)
    return Burndown(at, metric, unit, accounts, overage, unreturned, made_draws)


BY_CLASS[Burndown] = burndowns()

# From one period to the next

_left = st.lists(arguments(CarriedUnits, period=None).map(carried_on), max_size=4)


@st.composite
def carryings(draw: st.DrawFn) -> CarryOverResult:
    """Return the carry-over of a month, with units of up to four earlier ones."""
    first, left = draw(st.integers(FIRST_MONTH, LAST_MONTH - 6)), draw(_left)
    brought = [CarriedUnits(period=month(first + n), **units) for n, units in enumerate(left)]
    period = month(first + len(left) + draw(st.integers(0, 1)))
    return CarryOverResult(brought=brought, period=period, **draw(_settling))


_settling = arguments(CarryOverResult, brought=None, period=None)
_used = st.lists(arguments(Usage, org_id=None), max_size=3, unique_by=lambda used: used["period"])
_standing = st.lists(
    burndowns(), max_size=2, unique_by=lambda state: (state.metric, state.currency)
)


@st.composite
def balances(draw: st.DrawFn) -> Balance:
    """Return the balance of some periods of an org: units, usage of longer periods, and grants."""
    org_id = draw(orgs)
    used, covered = ([Usage(org_id, **named) for named in draw(_used)] for _ in range(2))
    return Balance(draw(_layers), used, draw(_standing), covered)


BY_CLASS[CarryOverResult] = carryings()
_layers = st.dictionaries(metrics, carryings().map(lambda result: result.carried), max_size=2)
BY_CLASS[Balance] = balances()

# Statements


def adjustment(
    kind: AdjustmentKind, exact: Exact, left: Money, rounding: Rounding, **named: str | None
) -> Adjustment:
    """Return an adjustment of the sign that its kind has, with its cost rounded.

    :param left: the total of the lines with it, where it takes something off.
    """
    sign = 1 if kind in ("commitment", "minimum", "own_minimum") else -1
    numerator, denominator = exact.as_integer_ratio()
    due: Exact = number_from_ratio(sign * abs(numerator), denominator)
    cost = Money.of(due, left.currency, rounding)
    due = cost.amount if kind == "credit" else due  # money is drawn
    return Adjustment(kind, left - cost if sign < 0 else left, cost, due, **named)


BY_CLASS[Adjustment] = st.builds(
    adjustment,
    st.sampled_from(get_args(AdjustmentKind)),
    numbers.exact,
    st.builds(in_currency, amounts, currencies),
    st.sampled_from(Rounding),
    metric=st.none() | metrics,
    name=st.none() | line_names,
)


_totals = st.tuples(numbers.signed, minor_units)


@st.composite
def summaries(draw: st.DrawFn, currencies: Strategy[Any] = currencies) -> Summary:
    """Return totals by metric, and adjustments, of one currency.

    :param currencies: their currencies.
    """
    totals, others, currency = draw(_by_metric), draw(_by_line), draw(currencies)
    return Summary(
        currency,
        {metric: MetricTotal(units, Money(minor, currency)) for metric, (units, minor) in totals},
        {line: Money(minor, currency) for line, minor in others},
    )


_by_metric = st.lists(st.tuples(metrics, _totals), max_size=4, unique_by=itemgetter(0))
_by_line = st.lists(st.tuples(line_names, minor_units), max_size=2, unique_by=itemgetter(0))
BY_CLASS[Summary] = summaries()


def metric_totals(currencies: Strategy[Any] = currencies) -> Strategy[MetricTotal]:
    """Return totals of metrics, of either sign.

    :param currencies: their currencies.
    """
    return st.builds(MetricTotal, numbers.signed, st.builds(Money, minor_units, currencies))


BY_CLASS[MetricTotal] = metric_totals()
BY_CLASS[ChainHead] = made(ChainHead, sequence=st.integers(1, 3) | st.integers(1, 2**63 - 1))
BY_CLASS[Cycle] = made(Cycle, every=st.integers(1, 40))
