"""Law 10: usage is what lies in the time asked for.

"What is held ready (counters, roll-ups) can be thrown away and made again with the same result."

A repository on SQLite reads the events for a decision between the sums that were there before.
Whatever is recorded, withdrawn or summed anew in between, by it or by others, the units are those
of a repository that knows of no sum yet, and of `usage`.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Final

from hypothesis import given, strategies as st

from overages import Period, SqliteRepository, Usage, UsageEvent
from overages.adapters.sqlite import migrate
from overages.amounts.exact import QuantityLike
from overages.quotas.quota_facts import QuotaQuestion, quota_question

from .effort import many

FEBRUARY: Final = Period.month(2024, 2)
DAYS: Final = Period(FEBRUARY.start + timedelta(days=1), FEBRUARY.start + timedelta(days=4))
IN_KOLKATA: Final = Period(
    datetime(2024, 1, 31, 18, 30, tzinfo=UTC), datetime(2024, 2, 29, 18, 30, tzinfo=UTC)
)
NOON: Final = FEBRUARY.start + timedelta(days=2, hours=12)
QUESTIONS: Final = [
    quota_question("acme", "p", period, metrics=metrics)
    for period in (FEBRUARY, DAYS, IN_KOLKATA)
    for metrics in (["a"], ["a", "b"], ["c", "b", "a"])
]

moments = st.builds(
    lambda hours, minutes: FEBRUARY.start + timedelta(hours=hours, minutes=minutes),
    st.sampled_from([-24, -6, -5, 0, 1, 24, 25, 48, 71, 72, 96, 24 * 28, 24 * 28 + 18, 24 * 29]),
    st.sampled_from([0, 29, 30]),
)
units: st.SearchStrategy[QuantityLike] = st.integers(-2, 9) | st.sampled_from(
    ["0.5", "2.25", 10**25]
)


def step(repository: SqliteRepository, number: int, data: st.DataObject) -> None:
    """Use something, by one event or a crowd of them, take an event back, or sum up anew."""
    draw = data.draw
    match draw(st.integers(0, 5)):
        case 0:
            repository.withdraw_many("acme", [f"0-{draw(st.integers(0, 8))}"], withdrawn_at=NOON)
        case 1:
            repository.remake_sums("acme")
        case _:
            metric, at, of_each = draw(st.sampled_from("aab")), draw(moments), draw(units)
            count = draw(st.sampled_from([1, 7, 9]))
            ids = (f"{number}-{n}" for n in range(count))
            repository.add_events([UsageEvent("acme", metric, of_each, at, each) for each in ids])


def facts(repository: SqliteRepository, asked: QuotaQuestion) -> Usage | str:
    """Return the usage of an org's facts, or the error in its place."""
    try:
        told = repository.quota_facts(asked, NOON)
    except ValueError as error:
        return str(error)
    assert told is not None  # as no mark was asked for
    return told.usage


def usage(repository: SqliteRepository, asked: QuotaQuestion) -> Usage | str:
    """Return the usage by itself, or the error in its place."""
    try:
        return repository.usage(asked.org_id, asked.period, metrics=asked.metrics)
    except ValueError as error:
        return str(error)


@many
@given(st.data())
def test_law_10_units_by_the_sums_of_before_are_those_of_who_knows_none(
    data: st.DataObject,
) -> None:
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("BEGIN")
        migrate(connection)
        repository = SqliteRepository.join(connection)
        repository.add_events([UsageEvent("acme", "a", 1, NOON, f"0-{n}") for n in range(9)])
        repository.put_usage(Usage("acme", FEBRUARY, {"c": 3}))
        for number in range(1, data.draw(st.integers(2, 10))):
            for asked in data.draw(st.lists(st.sampled_from(QUESTIONS), min_size=1, max_size=4)):
                anew = SqliteRepository.join(connection)
                assert facts(repository, asked) == facts(anew, asked) == usage(anew, asked)
            step(repository, number, data)
        for asked in (*QUESTIONS, QUESTIONS[0]._replace(metrics=None)):
            assert facts(repository, asked) == usage(SqliteRepository.join(connection), asked)
