"""Strategies of records, and of what they come to.

history = draw(histories(org_ids=st.just("org-1")))
"""

from __future__ import annotations

from hypothesis import strategies as st

from overages.records.chain import CHAIN_START, ChainHead
from overages.records.ledger import Recording
from overages.records.record import OverageRecord
from overages.statements.summary import MetricTotal, Summary
from overages.testing import basics, histories as made, recipes
from overages.testing.basics import Currencies, or_usual
from overages.testing.recipe import Recipe


def records(
    *, previous: ChainHead = CHAIN_START, currencies: Currencies | None = None
) -> st.SearchStrategy[OverageRecord]:
    """Return single records that could be the next one of a chain: charges, and corrections.

    The digest is the one that the record has there, and a unit price times the quantity is the
    exact cost. What no single record shows (that it corrects what was there) is in `histories`.

    :param previous: the end of the chain; the record is the first one without it.
    :param currencies: what they charge in.
    """
    return made.single_records(previous, or_usual(currencies, basics.currencies))


def histories(
    *, org_ids: st.SearchStrategy[str] | None = None, currencies: Currencies | None = None
) -> st.SearchStrategy[tuple[OverageRecord, ...]]:
    """Return all records of an org, in order, of up to three months and several results of each.

    They are what a repository would have: a chain, whose records of a period and metric sum to the
    last result. There may be none.

    :param org_ids: the orgs to choose from.
    :param currencies: what they charge in.
    """
    found = made.recorded(or_usual(org_ids, basics.orgs), or_usual(currencies, basics.currencies))
    return found.map(lambda kept: tuple(kept[0].records))


def recordings() -> st.SearchStrategy[Recording]:
    """Return what recording the last of an org's statements came to."""
    return made.recorded(basics.orgs, basics.currencies).map(lambda kept: kept[1])


def chain_heads() -> st.SearchStrategy[ChainHead]:
    """Return ends of chains, of any length and digest."""
    return recipes.values_of(ChainHead)


def metric_totals(currencies: Currencies | None = None) -> st.SearchStrategy[MetricTotal]:
    """Return totals of metrics, of either sign."""
    return recipes.metric_total_recipes(or_usual(currencies, basics.currencies)).map(Recipe.one)


def summaries(currencies: Currencies | None = None) -> st.SearchStrategy[Summary]:
    """Return totals by metric, each summary in one currency."""
    return recipes.summary_recipes(or_usual(currencies, basics.currencies)).map(Recipe.one)
