"""The adapter in SQLite does as the one in memory, whatever is called, and both keep law 4.

A state machine calls the same methods of both with the same arguments. Each has to return the same
or raise the same, and afterwards all that can be read has to be the same. Beside them a tiny model
of law 4, which shares no code with the library, says what records must come to and what is refused.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from fractions import Fraction
from functools import partial
from itertools import product
from typing import Any

from hypothesis import HealthCheck, settings, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from overages import (
    Account,
    Alert,
    Allowance,
    Balance,
    Budget,
    Graduated,
    Grant,
    Metric,
    Money,
    Period,
    PerUnit,
    Plan,
    Reservation,
    Settlement,
    Statement,
    Summary,
    Threshold,
    Tier,
    Usage,
    UsageEvent,
    calculate,
)
from overages.adapters.memory import MemoryRepository
from overages.errors import CurrencyMismatch, InvalidValue, OveragesError
from overages.quotas.quota_facts import quota_question
from overages.testing.contract.base import fired
from tests.in_memory import in_memory

THOROUGH = os.environ.get("OVERAGES_THOROUGH") == "1"
TICK = timedelta(microseconds=1)
ORGS = ["org-1", "org-1."]
JAN, FEB, MAR = (Period.month(2024, month) for month in (1, 2, 3))
PERIODS = [JAN, FEB, MAR, Period(FEB.start + timedelta(days=14), MAR.start + TICK)]
MOMENTS = [JAN.start, FEB.start - TICK, FEB.start, FEB.start + TICK, FEB.end - TICK, FEB.end]
THIRDS = Allowance(100, PerUnit(1, per=3))
FEE = Allowance(100, Graduated([Tier(50, price="0.1", flat=2), Tier(None)], flat_at_zero=True))
DOLLAR = Allowance("10.5", PerUnit(1))
PLANS = [
    Plan("starter", "USD", {"tokens": THIRDS, "runs": DOLLAR}),
    Plan("starter", "USD", {"runs": DOLLAR, "tokens": THIRDS}),
    Plan("starter", "USD", {"tokens": FEE}, rounding="down"),
    Plan("scale", "USD", {"runs": THIRDS, "tokens": THIRDS}, rounding_scope="total"),
    Plan("scale", "EUR", {"tokens": DOLLAR}),
]

METRICS = [
    Metric("peak", "max", event="load"),
    Metric("top", "max", event="load"),
    Metric("peak", "last", event="load"),
    Metric("load", event="peak"),
]

LARGEST = 10**26 - 1

orgs, periods = st.sampled_from(ORGS), st.sampled_from(PERIODS)
moments, plans = st.sampled_from(MOMENTS), st.sampled_from(PLANS)
amounts: st.SearchStrategy[int | str] = st.sampled_from(
    [0, 1, 10, "10.5", "11.75", 100, 101, 102, "100.000000000001", LARGEST]
)
quantities = st.sampled_from([1, -1, "0.5", 100, LARGEST, -LARGEST])
metrics = st.sampled_from(["tokens", "runs"])
limits = st.dictionaries(metrics, st.none() | amounts)
ids = st.sampled_from(["1", "2", "3", None])
events = st.builds(UsageEvent, orgs, metrics, quantities, moments, ids)
grants = st.builds(
    Grant,
    st.sampled_from(["1", "2"]),
    st.sampled_from([5, "0.5", Money(5, "USD")]),
    metric=metrics,
    effective_at=moments,
    voided_at=st.none() | moments,
)
regions = st.sampled_from([{}, {}, {"region": "eu"}, {"region": "us", "model": "'large'"}])
events = st.builds(UsageEvent, orgs, metrics, quantities, moments, ids, regions)
usages = st.builds(Usage, orgs, periods, st.dictionaries(metrics, amounts))


@st.composite
def statements(draw: st.DrawFn) -> Statement:
    """Return a statement of one of the plans."""
    plan = draw(plans)
    used = {metric: draw(amounts) for metric in plan.allowances}
    return calculate(plan, Usage(draw(orgs), draw(periods), used))


def facts(repository: Any, org: str, period: Period, at: datetime) -> object:
    """Return the facts of an org's quotas, but for the mark, of which each storage has its own."""
    questions = [
        quota_question(org, "starter", period, metrics=metrics)
        for metrics in (None, ["tokens", "runs"])
    ]
    return [repository.quota_facts(asked, at)[1:] for asked in questions]


def outcome(call: Callable[[], object]) -> tuple[object, ...]:
    """Return what a call returns, or the error that it raises, to be compared."""
    try:
        result = call()
    except CurrencyMismatch as error:
        return CurrencyMismatch, sorted([error.left, error.right])
    except OveragesError as error:
        return type(error), str(error)
    if isinstance(result, (Account, Summary)):  # their metrics have no order
        return (result,)
    return (repr(list(result) if isinstance(result, Iterator) else result),)


def _withdrawn_ids(repository: Any, org: str) -> list[str]:
    return sorted(repository.withdrawn_ids(org, ["1", "2", "3"]))


def reads(repository: Any) -> Iterator[tuple[object, ...]]:
    """Yield all that can be read, each time in the same order."""
    yield outcome(repository.orgs)
    yield outcome(repository.metrics)
    yield outcome(repository.batches)
    for batch in ("a", "b"):
        yield outcome(partial(repository.batch, batch))
        yield outcome(partial(repository.batch_orgs, batch))
    yield outcome(repository.verify)
    for slug in ("starter", "scale"):
        for version in (1, 2, 3):
            yield outcome(partial(repository.plan, slug, version=version))
        for at in MOMENTS:
            yield outcome(partial(repository.plan, slug, at=at))
    for org in ORGS:
        for method in (
            "account",
            "account_notes",
            "alert_definitions",
            "closed_periods",
            "closings",
            "budgets",
            "fired_alerts",
            "grants",
            "head",
            "records",
            "reservations",
            "summary",
            "verify",
        ):
            yield outcome(partial(getattr(repository, method), org))
        for batch in ("a", "b"):
            yield outcome(partial(repository.batch_events, org, batch))
        yield outcome(partial(_withdrawn_ids, repository, org))
        for period in PERIODS:
            for method in ("events", "counted_events", "usage", "summary", "overage"):
                yield outcome(partial(getattr(repository, method), org, period))
            for method in ("closing", "settled"):
                yield outcome(partial(getattr(repository, method), org, period))
            yield outcome(partial(repository.closing_before, org, period.start))
            yield outcome(partial(repository.closings, org, period.start))
            for metric in (["tokens"], ["runs"], None):
                query = {"metrics": metric, "earlier": True}
                yield outcome(partial(repository.counted_events, org, period, **query))


Result = dict[str, tuple[Fraction, Fraction, int]]
"""Quantity, exact cost and minor units by metric, where any of them is not zero."""


class Model:
    """Law 4: the records of a period sum to its last result, and some results are refused."""

    def __init__(self) -> None:
        self.results: dict[str, dict[Period, list[Result]]] = {org: {} for org in ORGS}
        self.currencies: dict[tuple[str, Period], str] = {}
        self.closed: set[tuple[str, Period]] = set()

    def history(self, org: str, period: Period) -> list[Result]:
        """Return all results of a period, from the first that was not nothing."""
        return self.results[org].get(period, [])

    def last(self, org: str, period: Period) -> Result:
        """Return what a period's records come to."""
        return (self.history(org, period) or [{}])[-1]

    def refusal(self, statement: Statement, revision: int | None, force: bool) -> str | None:
        """Return the name of the error that recording a statement raises, or None."""
        org, period = key = statement.org_id, statement.period
        now, history = result_of(statement), self.history(org, period)
        if revision is not None and revision > len(history) + 1:
            return "InvalidValue"
        if self.currencies.get(key, statement.currency.code) != statement.currency.code:
            return "CurrencyMismatch"
        if revision is not None and revision <= len(history):
            return None if now == history[revision - 1] else "RecordConflict"
        before = self.last(org, period)
        if now == before:
            return None
        if key in self.closed and not force:
            return "PeriodClosed"
        changed = {m for m in {*now, *before} if now.get(m) != before.get(m)}
        charged = {
            metric
            for other in self.results[org]
            if other != period and other.start < period.end and period.start < other.end
            for metric in self.last(org, other)
        }
        return "PeriodOverlap" if changed & charged else None

    def record(self, statement: Statement, revision: int | None = None) -> None:
        """Take in a statement that was recorded."""
        org, period = statement.org_id, statement.period
        now, history = result_of(statement), self.history(org, period)
        if now != self.last(org, period) and revision in (None, len(history) + 1):
            self.results[org][period] = [*history, now]
            self.currencies[org, period] = statement.currency.code


def result_of(statement: Statement) -> Result:
    """Return what is due, by metric."""
    return {
        line.metric: (Fraction(line.quantity), Fraction(line.exact_cost), line.cost.minor)
        for line in statement.overages
        if line.quantity or line.exact_cost
    }


class Lockstep(RuleBasedStateMachine):
    """Calls both repositories, and compares them with each other and with the model."""

    def __init__(self) -> None:
        super().__init__()
        self.memory, self.sqlite = MemoryRepository(), in_memory()
        self.model = Model()

    def teardown(self) -> None:
        self.sqlite.close()

    def both(self, call: Callable[[Any], object]) -> tuple[object, ...]:
        """Return what calling both gives, which has to be the same."""
        first, second = (outcome(partial(call, each)) for each in (self.memory, self.sqlite))
        assert first == second
        return first

    @rule(plan=plans, since=st.none() | moments)
    def put_plan(self, plan: Plan, since: datetime | None) -> None:
        self.both(lambda repository: repository.put_plan(plan, since=since))

    @rule(account=st.builds(Account, orgs, st.just("starter"), moments, limits))
    def put_account(self, account: Account) -> None:
        self.both(lambda repository: repository.put_account(account))

    @rule(org=orgs, since=moments, limits=limits, at=st.none() | moments)
    def change_account(
        self, org: str, since: datetime, limits: dict[str, Any], at: datetime | None
    ) -> None:
        def change(repository: Any) -> None:
            account = repository.account(org)
            if account is not None:
                account = account.changed(since=since, plan="scale", limits=limits)
                repository.put_account(account, noted_at=at)

        self.both(change)

    @rule(batch=st.lists(events, max_size=4), at=moments)
    def add_events(self, batch: list[UsageEvent], at: datetime) -> None:
        self.both(lambda repository: repository.add_events(batch, lambda each: max(at, each.at)))

    @rule(batch=st.lists(events, max_size=4), name=st.sampled_from(["a", "b"]))
    def add_events_of_a_batch(self, batch: list[UsageEvent], name: str) -> None:
        self.both(lambda repository: repository.add_events(batch, batch=name))

    @rule(name=st.sampled_from(["a", "b"]), digest=st.sampled_from(["1", "2"]), at=moments)
    def put_batch(self, name: str, digest: str, at: datetime) -> None:
        self.both(lambda repository: repository.put_batch(name, digest, 3, at))

    @rule(put=st.lists(st.sampled_from(METRICS), max_size=2))
    def put_metrics(self, put: list[Metric]) -> None:
        self.both(lambda repository: repository.put_metrics(put))

    @rule(org=orgs, event_id=st.sampled_from(["1", "2", "3"]), at=moments)
    def withdraw(self, org: str, event_id: str, at: datetime) -> None:
        self.both(lambda repository: repository.withdraw(org, event_id, withdrawn_at=at))

    @rule(usage=usages)
    def put_usage(self, usage: Usage) -> None:
        self.both(lambda repository: repository.put_usage(usage))

    @rule(org=orgs, grant=grants)
    def put_grant(self, org: str, grant: Grant) -> None:
        self.both(lambda repository: repository.put_grant(org, grant))

    @rule(org=orgs, amount=st.sampled_from([Money(5, "USD"), Money(6, "USD")]))
    def put_budget(self, org: str, amount: Money) -> None:
        self.both(lambda repository: repository.put_budget(org, Budget(amount)))

    @rule(org=orgs)
    def drop_budget(self, org: str) -> None:
        self.both(lambda repository: repository.drop_budget(org, "all"))

    @rule(org=orgs | st.none(), percent=st.sampled_from([80, 90]))
    def put_alert(self, org: str | None, percent: int) -> None:
        alert = Alert("a", Threshold(percent=percent), metric="tokens")
        self.both(lambda repository: repository.put_alert(alert, put_at=MOMENTS[0], org_id=org))

    @rule(org=orgs | st.none())
    def drop_alert(self, org: str | None) -> None:
        self.both(lambda repository: repository.drop_alert("a", org_id=org))

    @rule(org=orgs, number=st.sampled_from([1, 2]))
    def add_alerts(self, org: str, number: int) -> None:
        entry = fired(org_id=org, number=number)
        self.both(lambda repository: repository.add_alerts([entry]))

    @rule(org=orgs, number=st.sampled_from([1, 2]), at=moments)
    def acknowledge_alert(self, org: str, number: int, at: datetime) -> None:
        key = fired(org_id=org, number=number).key
        self.both(lambda repository: repository.acknowledge_alert(org, key, acknowledged_at=at))

    @rule(org=orgs, key=ids.filter(bool), fingerprint=st.sampled_from("ab"), at=moments)
    def put_reservation(self, org: str, key: str, fingerprint: str, at: datetime) -> None:
        period = Period.month_of(at)
        made = Reservation(org, key, {"tokens": 5}, period, at, at + TICK * 2, fingerprint)
        self.both(lambda repository: repository.put_reservation(made))
        self.both(lambda repository: repository.held_units(org, period, at + TICK))
        self.both(lambda repository: facts(repository, org, period, at + TICK))

    @rule(org=orgs, key=ids.filter(bool), used=st.sampled_from([None, 4, 5]), at=moments)
    def commit_reservation(self, org: str, key: str, used: int | None, at: datetime) -> None:
        units = None if used is None else {"tokens": used}
        self.both(lambda each: each.commit_reservation(org, key, used=units, at=at))

    @rule(org=orgs, key=ids.filter(bool), at=moments)
    def release_reservation(self, org: str, key: str, at: datetime) -> None:
        self.both(lambda repository: repository.release_reservation(org, key, at=at))

    @rule(org=orgs, grant_id=st.sampled_from(["1", "2", "3"]), at=moments)
    def void_grant(self, org: str, grant_id: str, at: datetime) -> None:
        self.both(lambda repository: repository.void_grant(org, grant_id, at))

    @rule(statement=statements(), at=moments, force=st.booleans())
    def close_period(self, statement: Statement, at: datetime, force: bool) -> None:
        key = statement.org_id, statement.period
        stays = key in self.model.closed and not force
        expected = None if stays else self.model.refusal(statement, None, force)
        settlement = Settlement(statement, Balance())
        found = self.both(
            lambda repository: repository.close_period(settlement, closed_at=at, force=force)
        )
        assert getattr(found[0], "__name__", None) == expected
        if expected is None and not stays:
            self.model.record(statement)
            self.model.closed.add(key)

    @rule(
        statement=statements(), at=moments, revision=st.sampled_from([None, None, 1, 2, 3]),
    )  # fmt: skip
    def record(self, statement: Statement, at: datetime, revision: int | None) -> None:
        expected = self.model.refusal(statement, revision, force=False)
        found = self.both(
            lambda repository: repository.record(statement, created_at=at, revision=revision)
        )
        assert (getattr(found[0], "__name__", None)) == expected
        if expected is None:
            self.model.record(statement, revision)

    @rule(batch=st.lists(statements(), max_size=4), at=moments)
    def record_many(self, batch: list[Statement], at: datetime) -> None:
        found = self.both(lambda repository: repository.record_many(batch, created_at=at))
        if isinstance(found[0], str):  # no error
            for statement in batch:
                assert self.model.refusal(statement, None, force=False) is None
                self.model.record(statement)

    @rule(batch=st.lists(statements(), max_size=2), used=st.lists(events, max_size=2))
    def lose_a_transaction(self, batch: list[Statement], used: list[UsageEvent]) -> None:
        def write_and_fail(repository: Any) -> None:
            with repository.transaction():
                repository.add_events(used, lambda _: FEB.start)
                repository.record_many(batch, created_at=MOMENTS[0])
                raise InvalidValue("transaction", None, "must be lost")

        self.both(write_and_fail)

    @invariant()
    def all_reads_are_the_same(self) -> None:
        for first, second in zip(reads(self.memory), reads(self.sqlite), strict=True):
            assert first == second

    @invariant()
    def records_come_to_the_last_result(self) -> None:
        for org, period in product(ORGS, PERIODS):
            expected = self.model.last(org, period)
            found = self.sqlite.records(org, period)
            assert sums(found) == expected
            assert revision_of(found) == len(self.model.history(org, period))
            kept = self.sqlite.overage(org, period)
            totals = {} if kept is None else kept.metrics
            assert {m: (Fraction(t.quantity), t.cost.minor) for m, t in totals.items()} == {
                m: (quantity, minor) for m, (quantity, _, minor) in expected.items()
            }


def sums(records: Iterable[Any]) -> Result:
    """Return what records come to, exactly."""
    found: Result = {}
    for record in records:
        quantity, exact, minor = found.get(record.metric, (Fraction(), Fraction(), 0))
        found[record.metric] = (
            quantity + Fraction(record.quantity),
            exact + Fraction(record.exact_cost),
            minor + record.cost.minor,
        )
    return {metric: sum_ for metric, sum_ in found.items() if any(sum_)}


def revision_of(records: tuple[Any, ...]) -> int:
    """Return how many results records tell of."""
    return max((record.revision for record in records), default=0)


TestLockstep = Lockstep.TestCase
TestLockstep.settings = settings(
    max_examples=300 if THOROUGH else 15,
    stateful_step_count=20 if THOROUGH else 12,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
