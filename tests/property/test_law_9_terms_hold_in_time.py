"""Law 9: terms hold in time.

"Usage is charged by the terms that were in force when it was used, as they are known now. A change
is a new entry of the account's history, from an instant on; nothing is overwritten. An account's
periods tile its life: each instant at which terms hold lies in exactly one, whatever changes; where
none hold (before the first, in a pause, after the end) there is no period, no charge, and usage is
refused."
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Final

from hypothesis import given, strategies as st

from overages import Account, Cycle, MemoryRepository, Period, Terms
from overages._ground.value import evolve
from overages.codec import decode, encode
from overages.errors import NoTerms
from overages.terms.change import TermsChange
from overages.terms.timeline import standing
from tests.in_memory import in_memory

from .effort import many

TICK: Final = timedelta(microseconds=1)
BEGIN: Final = datetime(2023, 12, 1, tzinfo=UTC)
END: Final = datetime(2025, 2, 1, tzinfo=UTC)
ZONES: Final = ["UTC", "Europe/Paris", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"]
NEAR_CHANGES_OF_CLOCKS: Final = [
    datetime(2024, 3, 10, 7, tzinfo=UTC),  # New York
    datetime(2024, 3, 31, 1, tzinfo=UTC),  # Paris
    datetime(2024, 4, 6, 15, tzinfo=UTC),  # Lord Howe, by half an hour
    datetime(2024, 10, 27, 1, tzinfo=UTC),
    datetime(2024, 11, 3, 6, tzinfo=UTC),
]

_hours = st.integers(0, 400 * 24).map(lambda hours: BEGIN + timedelta(hours=hours))
_near = st.builds(
    lambda at, seconds: at + timedelta(seconds=seconds),
    st.sampled_from(NEAR_CHANGES_OF_CLOCKS),
    st.integers(-7200, 7200),
)
_midnights = st.integers(0, 400).map(lambda days: BEGIN + timedelta(days=days))
instants = st.one_of(_midnights, _midnights, _hours, _near)
_zones = st.sampled_from(ZONES)
cycles = st.one_of(
    st.builds(Cycle.monthly, _zones, day=st.sampled_from([1, 15, 29, 30, 31])),
    st.builds(
        Cycle,
        instants,
        st.integers(1, 3),
        st.sampled_from(["day", "week", "month", "quarter"]),
        _zones,
    ),
)
_plans = st.sampled_from(["starter", "pro"])
_limits = st.dictionaries(st.sampled_from("ab"), st.none() | st.integers(0, 9), max_size=2)


@st.composite
def changes(draw: st.DrawFn, since: datetime, before: tuple[TermsChange, ...]) -> TermsChange:
    """Return an entry that is lawful after others, of an instant from `since` on."""
    cancelable = [change.since for change in standing(before) if change.since >= since]
    kinds = ["plan", "limits", "cycle", "cycle", "end", *(["cancel"] if cancelable else [])]
    kind = draw(st.sampled_from(kinds))
    if kind == "cancel":
        return TermsChange(draw(st.sampled_from(cancelable)), kind="cancel")
    at = max(since, draw(instants))
    if kind == "end":
        return TermsChange(at, kind="end")
    if kind == "cycle":
        return TermsChange(at, cycle=draw(cycles))
    if kind == "limits":
        return TermsChange(
            at, limits=draw(_limits), status=draw(st.sampled_from(["active", "trial"]))
        )
    return TermsChange(at, plan=draw(_plans), limits=draw(_limits))


@st.composite
def lives(draw: st.DrawFn) -> Account:
    """Return accounts that begin, end, resume and move, with entries dated back and taken back."""
    account = Account("org-1", "starter", draw(instants), draw(_limits), cycle=draw(cycles))
    for _ in range(draw(st.integers(0, 6))):
        entry = draw(changes(account.since, account.changes))
        account = evolve(account, changes=(*account.changes, entry))
    return account


def model_at(account: Account, instant: datetime) -> dict[str, object] | None:
    """Work out the terms of an instant from the entries themselves, one after another."""
    if instant < account.since:
        return None
    entries: list[TermsChange] = []
    for change in account.changes:
        if change.kind == "cancel":
            entries = [entry for entry in entries if entry.since != change.since]
        else:
            entries.append(change)
    terms: dict[str, object] = {"plan": account.plan, "cycle": account.cycle}
    limits, status, holds = dict(account.limits), account.status, True
    for at in sorted({entry.since for entry in entries if entry.since <= instant}):
        for entry in entries:
            if entry.since != at:
                continue
            holds = entry.kind != "end" and (holds or entry.plan is not None)
            if entry.kind == "change":
                terms |= {
                    "plan": entry.plan or terms["plan"],
                    "cycle": entry.cycle or terms["cycle"],
                }
                limits |= entry.limits
                status = entry.status or status
    return {**terms, "limits": limits, "status": status} if holds else None


def shown(terms: Terms | None) -> dict[str, object] | None:
    if terms is None:
        return None
    return {
        "plan": terms.plan,
        "cycle": terms.cycle,
        "limits": dict(terms.limits),
        "status": terms.status,
    }


def probes(account: Account) -> list[datetime]:
    """Return the instants at which anything can change in a life, and those next to them."""
    marks = {account.since, *(change.since for change in account.changes)}
    for period in account.periods(BEGIN, END):
        marks |= {period.start, period.end}
    return sorted({mark + step for mark in marks for step in (-TICK, timedelta(), TICK)})


@many
@given(lives())
def test_the_terms_of_an_instant_are_those_of_the_entries(account: Account) -> None:
    for instant in probes(account):
        assert shown(account.at(instant)) == model_at(account, instant)


@many
@given(lives())
def test_periods_are_in_order_disjoint_and_never_empty(account: Account) -> None:
    periods = list(account.periods(BEGIN, END))
    assert all(period.start < period.end for period in periods)
    assert all(one.end <= two.start for one, two in pairwise(periods))
    assert all(account.since <= period.start for period in periods)


@many
@given(lives())
def test_each_instant_with_terms_lies_in_exactly_one_period_and_no_other_in_any(
    account: Account,
) -> None:
    periods = list(account.periods(BEGIN, END))
    for instant in probes(account):
        if not BEGIN <= instant < END:
            continue
        around = [period for period in periods if instant in period]
        if account.at(instant) is None:
            assert around == []
            try:
                account.period_at(instant)
            except NoTerms:
                continue
            raise AssertionError(instant)
        assert around == [account.period_at(instant)]


@many
@given(lives())
def test_a_period_is_the_cycles_or_ends_where_terms_do(account: Account) -> None:
    edges = {account.since, *(change.since for change in account.changes)}
    for period in account.periods(BEGIN, END):
        terms = account.at(period.start)
        assert terms is not None
        uncut = terms.cycle.period_at(period.start)
        assert period.start in {uncut.start, *edges}
        assert period.end in {uncut.end, *edges}
        assert account.whole_of(period) == (None if period == uncut else uncut)


@many
@given(lives())
def test_parts_divide_a_period_each_with_its_terms(account: Account) -> None:
    for period in account.periods(BEGIN, END):
        parts = account.parts(period)
        assert [parts[0][0].start, parts[-1][0].end] == [period.start, period.end]
        assert all(one.end == two.start for (one, _), (two, _) in pairwise(parts))
        for part, terms in parts:
            assert account.at(part.start) == account.at(part.end - TICK) == terms


def past(account: Account, instant: datetime) -> list[tuple[Period, object]]:
    """Return the periods that ended before an instant, and the parts and terms of each."""
    if instant <= BEGIN:
        return []
    return [
        (period, account.parts(period))
        for period in account.periods(BEGIN, instant)
        if period.end < instant  # one that ends right there may be cut there, or no more
    ]


@many
@given(lives(), instants, st.data())
def test_a_change_leaves_all_periods_that_ended_before_it_as_they_were(
    account: Account, instant: datetime, data: st.DataObject
) -> None:
    since = max(account.since, instant)
    entry = data.draw(changes(since, account.changes))
    changed = evolve(account, changes=(*account.changes, entry))
    assert past(changed, entry.since) == past(account, entry.since)


@many
@given(lives(), st.data())
def test_the_order_of_noting_matters_only_for_entries_of_one_instant(
    account: Account, data: st.DataObject
) -> None:
    by_instant: dict[datetime, list[TermsChange]] = {}
    for change in account.changes:
        by_instant.setdefault(change.since, []).append(change)
    turns = data.draw(st.permutations([c.since for c in account.changes]))
    noted = [by_instant[since].pop(0) for since in turns]
    assert evolve(account, changes=noted).timeline == account.timeline


@many
@given(lives())
def test_a_history_is_the_same_from_json_and_from_repositories(account: Account) -> None:
    assert decode(encode(account), Account) == account
    with in_memory() as database:
        for repository in (MemoryRepository(), database):
            for count in range(len(account.changes) + 1):  # as it grows
                repository.put_account(evolve(account, changes=account.changes[:count]))
            kept = repository.account(account.org_id)
            assert kept == account
            assert kept is not None
            assert encode(kept) == encode(account)
            assert kept.timeline == account.timeline
            assert len(repository.account_notes(account.org_id)) == len(account.changes) + 1
