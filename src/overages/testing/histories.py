"""Records as they come about: results of an org's periods, one after the other, in a ledger.

records = draw(histories(orgs, currencies))
recording = draw(recordings(orgs, currencies))
"""

from __future__ import annotations

from datetime import timedelta
from fractions import Fraction
from typing import Any, Final

from hypothesis import strategies as st

from overages._ground.value import evolve
from overages.amounts.exact import number_from_ratio
from overages.amounts.money import Money, parse_currency
from overages.amounts.rounding import Rounding
from overages.periods.period import Period
from overages.records.chain import ChainHead, row_digest, row_of
from overages.records.ledger import Ledger, Recording
from overages.records.record import OverageRecord
from overages.statements.calculation import calculate
from overages.statements.statement import Statement
from overages.terms.allowance import Allowance
from overages.terms.plan import Plan
from overages.testing.basics import instants, metrics, names, ordinals, orgs, period_recipes
from overages.testing.numerals import fractions, positive_numbers, prices, signed_numbers
from overages.testing.pricing import our_price_recipes, quantities_at
from overages.testing.recipe import cook
from overages.testing.terms import Terms, bounding_terms
from overages.usage.usage import Usage

_MOST_RESULTS: Final = 5
_MOST_REVISIONS: Final = 9


@st.composite
def results(
    draw: st.DrawFn,
    org_ids: st.SearchStrategy[str],
    currencies: st.SearchStrategy[Any],
    models: st.SearchStrategy[Any] = our_price_recipes,
) -> list[Statement]:
    """Return statements of an org and of up to three months, as one result followed on another.

    Of the plan, all but the slug and the currency may change from one to the next.
    """
    org_id, currency, slug = draw(org_ids), cook(draw(currencies)), draw(names)
    known = draw(st.lists(metrics, min_size=1, max_size=3, unique=True))
    offers = [cook(draw(models)) for _ in range(2)]
    year = draw(st.integers(1, 9998))
    found = []
    for _ in range(draw(st.integers(0, _MOST_RESULTS))):
        allowances = {
            metric: Allowance(
                draw(st.sampled_from([0, 5, "0.5", None])),
                draw(st.sampled_from(offers)),
                **cook(draw(_some_of(bounding_terms(currency)))),
            )
            for metric in draw(st.lists(st.sampled_from(known), unique=True))
        }
        terms: Any = {
            "rounding": draw(st.sampled_from(Rounding)),
            "rounding_scope": draw(st.sampled_from(["line", "total"])),
            **cook(draw(_some_of(bounding_terms(currency, of_plan=True)))),
        }
        plan = Plan(slug, currency, allowances, **terms)
        used = {
            metric: draw(quantities_at(allowance.price, allowance.included)).first
            for metric, allowance in allowances.items()
        }
        period = Period.month(year, draw(st.integers(1, 3)))
        found.append(calculate(plan, Usage(org_id, period, used)))
    return found


def _some_of(terms: st.SearchStrategy[Terms]) -> st.SearchStrategy[Terms]:
    return st.integers(0, 3).flatmap(lambda n: st.just({}) if n else terms)


@st.composite
def recorded(
    draw: st.DrawFn, org_ids: st.SearchStrategy[str], currencies: st.SearchStrategy[Any]
) -> tuple[Ledger, Recording]:
    """Return a ledger that took results in, and the last recording."""
    found = draw(results(org_ids, currencies))
    ledger = Ledger(found[0].org_id if found else draw(org_ids))
    recording = Recording((), ())
    plans: list[Plan] = []
    moment = Period.month(2000, 1).start + timedelta(draw(st.integers(0, 10**6)))
    for statement in found:
        if statement.plan not in plans:
            plans.append(statement.plan)
        version = plans.index(statement.plan) + 1
        moment += timedelta(seconds=draw(st.integers(0, 100_000)))
        recording = ledger.add(statement, plan_version=version, created_at=moment)
    return ledger, recording


@st.composite
def single_records(
    draw: st.DrawFn, previous: ChainHead, currencies: st.SearchStrategy[Any]
) -> OverageRecord:
    """Return a record that could be the next one of a chain: a charge, or a correction."""
    corrects = previous.sequence > 0 and draw(st.booleans())
    quantity, exact, price = draw(_corrections if corrects else _charges)
    currency = parse_currency(cook(draw(currencies)), "currency")
    due = exact * 10**currency.exponent
    minor = due // 1 + draw(st.integers(0, due % 1 != 0))
    last = min(_MOST_REVISIONS, previous.sequence + 1)
    record = OverageRecord(
        draw(orgs),
        draw(period_recipes()).one(),
        draw(metrics),
        quantity=quantity,
        cost=Money(minor, currency),
        exact_cost=number_from_ratio(exact.numerator, exact.denominator),
        unit_price=price,
        plan=draw(names),
        plan_version=draw(ordinals),
        revision=draw(st.integers(2, last)) if corrects else 1,
        sequence=previous.sequence + 1,
        created_at=draw(instants).first,
        digest=previous.digest,
    )
    return evolve(record, digest=row_digest(row_of(record), previous.digest))


def _priced(quantity: Any, price: Any) -> tuple[Any, Fraction, Any]:
    unit_price = Fraction(price)
    exact = number_from_ratio(unit_price.numerator, unit_price.denominator)
    return quantity, Fraction(quantity) * unit_price, exact


_numbers = prices.map(lambda price: price.first)
_charges = st.one_of(
    st.builds(_priced, positive_numbers.map(lambda number: number.first), _numbers),
    st.tuples(positive_numbers.map(lambda number: number.first), fractions.map(abs), st.none()),
)
_corrections = st.one_of(
    st.builds(_priced, signed_numbers.map(lambda n: n.first).filter(Fraction), _numbers),
    st.tuples(st.just(0), fractions.filter(bool), st.none()),  # of a price alone
)
