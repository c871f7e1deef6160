"""Lives of accounts through the service: what is kept of them, whatever comes in which order.

A state machine changes terms and plans, uses, withdraws, grants, voids, records, closes and
corrects, in memory and in SQLite at once, and the days go by. Beside it a model that keeps raw
entries works out, in fractions, what all of that should have come to. Laws 4, 5, 9, 10, 11 and 12.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from fractions import Fraction
from random import Random
from typing import Any

from hypothesis import settings, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from overages import Period, Plan, Recording, Statement, UsageEvent
from overages._ground.value import evolve
from overages.errors import InvalidValue, NoTerms, OveragesError, PeriodClosed

from .effort import THOROUGH
from .life_books import Books, Days, Sums, sum_of
from .life_draws import (
    FIRST,
    as_units,
    at,
    drawn_entry,
    drawn_grant,
    drawn_plan,
    drawn_start,
    drawn_style,
    period_of,
    with_entry,
)
from .life_hosts import Host, Hosts, Reported, UsageBook
from .life_model import Entry, day_of
from .life_plans import LEVELS
from .life_statements import expected, told

ACME = "acme"
SEEDS = st.integers(0, 2**32)
LATE = st.sampled_from(["own_period", "next_period"])


class Lives(RuleBasedStateMachine):
    """One org, its two hosts, and its books by the model."""

    @initialize(seed=SEEDS)
    def sign(self, seed: int) -> None:
        random = Random(seed)
        self.style = drawn_style(random)
        self.plans: dict[str, Plan] = {}
        for slug in ("a", "b")[: random.randint(1, 2)]:
            self.plans[slug] = drawn_plan(random, self.style, slug, self._first_allowances())
        life, self.account = drawn_start(random, self.style, self.plans, FIRST)
        self.books = Books(life, FIRST, {slug: [(0, plan)] for slug, plan in self.plans.items()})
        self.hosts, self.usage = Hosts(FIRST), UsageBook()
        self.as_closed: dict[Days, Statement] = {}
        self.hosts.both(
            lambda host: [host.repository.put_plan(plan) for plan in self.plans.values()]
        )
        self.hosts.both(lambda host: host.repository.put_account(self.account))

    def _first_allowances(self) -> Any:
        return next((plan.allowances for plan in self.plans.values()), {})

    def teardown(self) -> None:
        if hasattr(self, "hosts"):
            self.hosts.close()

    # The host's world

    @rule(days=st.sampled_from([1, 3, 10, 20, 31, 45]))
    def wait(self, days: int) -> None:
        self.books.now += days
        self.hosts.now = at(self.books.now)

    @rule(seed=SEEDS)
    def change_terms(self, seed: int) -> None:
        entries, until = self.books.life.entries, self.books.now + 40
        self._enter(drawn_entry(Random(seed), self.style, entries, self.plans, FIRST, until))

    @rule(seed=SEEDS)
    def end_terms(self, seed: int) -> None:
        first = max(FIRST, self.books.now - 60)
        self._enter(Entry(Random(seed).randint(first, self.books.now + 10), kind="end"))

    @rule(seed=SEEDS)
    def fill_a_pause(self, seed: int) -> None:
        random = Random(seed)
        pauses = [each for each in self.books.pauses() if each[0] <= self.books.now]
        if pauses:
            start, end = random.choice(pauses)
            day = random.choice([start, random.randint(start, min(end, self.books.now + 10))])
            self._enter(Entry(day, random.choice(list(self.plans))))

    def _enter(self, entry: Entry) -> None:
        books, entries = self.books, self.books.life.entries
        life = replace(books.life, entries=[*entries, entry])
        account = with_entry(self.account, entry)
        fits = books.closed.keys() <= set(replace(books, life=life).periods())
        try:
            self.hosts.both(lambda host: host.repository.put_account(account))
        except PeriodClosed:
            assert not fits
        else:
            assert fits
            books.life, self.account = life, account

    @rule(seed=SEEDS)
    def put_version(self, seed: int) -> None:
        random = Random(seed)
        slug = random.choice(list(self.plans))
        plan = drawn_plan(random, self.style, slug, self._first_allowances())
        since = random.randint(FIRST, self.books.now + 20)
        self.hosts.both(lambda host: host.repository.put_plan(plan, since=at(since)))
        self.books.versions[slug].append((since, plan))

    @rule(seed=SEEDS)
    def grant(self, seed: int) -> None:
        grant_id = f"g{len(self.books.grants)}"
        _, grant = drawn_grant(Random(seed), self.style, grant_id, FIRST, self.books.now + 20)
        self.hosts.both(lambda host: host.repository.put_grant(ACME, grant))
        self.books.grants[grant_id] = grant

    @precondition(lambda self: self.books.grants)
    @rule(seed=SEEDS)
    def void(self, seed: int) -> None:
        random = Random(seed)
        grant = self.books.grants[random.choice(list(self.books.grants))]
        voided_at = at(random.randint(FIRST, self.books.now + 5))
        first = self.hosts.both(lambda host: host.repository.void_grant(ACME, grant.id, voided_at))
        assert first == (grant.voided_at or voided_at)
        self.books.grants[grant.id] = evolve(grant, voided_at=first)

    # Usage

    @rule(seed=SEEDS, late=LATE)
    def use(self, seed: int, late: Any) -> None:
        random = Random(seed)
        by_id: dict[str, Reported] = {}
        for _ in range(random.choice([1, 1, 2, 5])):
            each = self._drawn_use(random)
            others = [*by_id.values(), *self.usage.events.values()]
            day = each.metric, each.event.day
            if each.metric not in LEVELS or day not in {(o.metric, o.event.day) for o in others}:
                by_id[self.usage.new_id()] = each
        told_late = any(each.metric in LEVELS for each in by_id.values())
        self._report(by_id, "own_period" if told_late else late)

    def _drawn_use(self, random: Random) -> Reported:
        metric = random.choice(self.style.metrics)
        day = random.randint(max(FIRST - 1, self.books.now - 120), self.books.now + 2)
        instant = at(day, 1) + timedelta(minutes=random.randint(0, 22 * 60))
        units = Fraction(random.choice([1, 2, 5, 7, 20, 60, 130, 400, 999]))
        if metric in LEVELS:
            units = Fraction(random.randint(0, 9))
        elif random.random() < 0.2:
            units /= 2
        return Reported(metric, units, instant, instant)

    def _report(self, by_id: dict[str, Reported], late: Any) -> None:
        """Report events: those that can't be billed are refused, and the others are kept."""
        events = [
            UsageEvent(ACME, each.metric, as_units(each.units), each.happened_at, event_id)
            for event_id, each in by_id.items()
        ]
        refused: list[OveragesError] = []
        new = self.hosts.both(
            lambda host: host.service.record_usage(events, late, on_refused=refused.append)
        )
        due: list[tuple[type[OveragesError], int]] = []
        for place, (event_id, each) in enumerate(by_id.items()):
            if each.happened_at - self.hosts.now > timedelta(days=1):
                due.append((InvalidValue, place))
            elif self.books.life.terms_on(day_of(each.happened_at)) is None:
                due.append((NoTerms, place))
            else:
                counts_at = each.counts_at
                if late == "next_period" and each.units > 0:
                    day = self.books.counts_on(each.event)
                    counts_at = counts_at if day == each.event.day else at(day)
                self.usage.events[event_id] = each._replace(counts_at=counts_at)
        assert new == len(by_id) - len(due)
        assert [(type(each), each.path[1]) for each in refused] == 2 * due  # by each host
        self.books.life.events = self.usage.by_day()

    @precondition(lambda self: self.usage.events)
    @rule(seed=SEEDS)
    def report_again(self, seed: int) -> None:
        event_id, each = Random(seed).choice(list(self.usage.events.items()))
        event = UsageEvent(ACME, each.metric, as_units(each.units), each.happened_at, event_id)
        if self.books.life.terms_on(day_of(each.happened_at)) is not None:
            new = self.hosts.both(lambda host: host.service.record_usage([event], "next_period"))
            assert new == 0

    @precondition(lambda self: self.usage.events)
    @rule(seed=SEEDS, late=LATE)
    def take_units_back(self, seed: int, late: Any) -> None:
        each = Random(seed).choice(list(self.usage.events.values()))
        moved = each.happened_at != each.counts_at
        if each.metric in LEVELS or moved or each.happened_at in self.usage.taken_back():
            return
        if self.books.life.terms_on(day_of(each.happened_at)) is not None:
            self._report({self.usage.new_id(): each._replace(units=-each.units)}, late)

    @precondition(lambda self: self.usage.events)
    @rule(seed=SEEDS)
    def withdraw(self, seed: int) -> None:
        event_id, each = Random(seed).choice(list(self.usage.events.items()))
        if each.happened_at in self.usage.taken_back() and each.units > 0:
            return
        self.hosts.both(lambda host: host.service.withdraw(ACME, event_id))
        del self.usage.events[event_id]
        self.books.life.events = self.usage.by_day()

    # Periods

    def _period(self, seed: int) -> Days | None:
        periods = [each for each in self.books.periods() if each[0] <= self.books.now + 31]
        return Random(seed).choice(periods) if periods else None

    @rule(seed=SEEDS)
    def recalculate(self, seed: int) -> None:
        period = self._period(seed)
        if period is None:
            return
        is_stale = period in self.books.closed and self._is_stale(period)
        if period not in self.books.closed:
            self.books.record(period)
        recording = self._recalculate(period, force=False)
        assert recording.is_stale == is_stale
        assert not (recording.new and period in self.books.closed)

    @precondition(lambda self: self.books.closed)
    @rule(seed=SEEDS)
    def correct(self, seed: int) -> None:
        period = Random(seed).choice(sorted(self.books.closed))
        self.books.correct(period)
        self._recalculate(period, force=True)
        self._note_closed(period)

    def _recalculate(self, period: Days, *, force: bool) -> Recording:
        own = period_of(*period)
        recording = self.hosts.both(
            lambda host: host.service.recalculate(ACME, period=own, force=force)
        )
        assert recording is not None
        assert recording.records == self._records(own)
        assert recording.stale_next == self._stale_after(period)
        return recording

    def _stale_after(self, period: Days) -> Period | None:
        """Return the first of the recorded periods after one that no longer follows."""
        for following in self.books.periods():
            if following > period:
                if following not in self.books.closed and following not in self.books.recorded:
                    return None
                if self._is_stale(following):
                    return period_of(*following)
        return None

    def _is_stale(self, period: Days) -> bool:
        return any(each == period for each, _, _ in self.books.stale())

    @precondition(lambda self: self.books.ended())
    @rule(seed=SEEDS)
    def close(self, seed: int) -> None:
        ended = self.books.ended()
        period = Random(seed).choice(ended)
        self.books.close(period)
        own = period_of(*period)
        recording = self.hosts.both(lambda host: host.service.close(ACME, own))
        assert recording.records == self._records(own)
        self._note_closed(*(each for each in self.books.closed if each not in self.as_closed))

    @rule(days=st.sampled_from([0, 0, 3, 30]))
    def close_ended(self, days: int) -> None:
        self.books.take_back()
        due = self.books.open_until(self.books.now - days)
        for period in due:
            self.books.close(period)
        grace = timedelta(days=days)
        ended = self.hosts.both(lambda host: host.service.close_ended(grace=grace))
        assert [each.period for each in ended] == [period_of(*each) for each in due]
        assert not any(each.error for each in ended)
        self._note_closed(*due)

    def _note_closed(self, *periods: Days) -> None:
        for period in periods:
            statement = self._calculated(period)
            assert statement is not None
            self.as_closed[period] = statement

    def _calculated(self, period: Days) -> Statement | None:
        return self.hosts.both(lambda host: host.service.calculate(ACME, period_of(*period)))

    # What has to hold

    def _records(self, period: Period | None = None) -> Any:
        return self.hosts.both(lambda host: host.repository.records(ACME, period))

    @invariant()
    def law_4_records_sum_to_the_last_result(self) -> None:
        found: dict[Days, Sums] = {}
        for record in self._records():
            period = day_of(record.period.start), day_of(record.period.end)
            sums = found.setdefault(period, {})
            key = record.metric, record.line
            over, exact, cost = sums.get(key, (Fraction(), Fraction(), 0))
            exact += Fraction(record.exact_cost)
            sums[key] = over + Fraction(record.quantity), exact, cost + record.cost.minor
        assert {
            period: {key: due for key, due in sums.items() if any(due)}
            for period, sums in found.items()
        } == self.books.recorded

    @rule(seed=SEEDS)
    def law_5_steps_come_to_the_whole(self, seed: int) -> None:
        """However often a period is recorded, its records sum to its statement."""
        period = self._period(seed)
        if period is None or period in self.books.closed:
            return
        self.books.record(period)
        recording = self._recalculate(period, force=False)
        statement = self._calculated(period)
        assert statement is not None
        total = sum(record.cost.minor for record in recording.records)
        assert total == statement.total.minor == sum_of(self.books.recorded.get(period, {}))

    @rule(seed=SEEDS)
    def law_9_open_periods_are_charged_by_terms_as_they_are_known_now(self, seed: int) -> None:
        books = self.books
        until = books.now + 40
        own = list(self.account.periods(at(FIRST), at(until)))
        assert own == [period_of(*each) for each in books.life.periods(until)]
        period = self._period(seed)
        if period is not None and period not in books.closed:
            statement = self._calculated(period)
            assert statement is not None
            assert told(statement) == expected(books.bill(period))

    @rule(seed=SEEDS)
    def law_9_a_proposed_change_comes_to_what_it_will(self, seed: int) -> None:
        random, books = Random(seed), self.books
        entries, until = books.life.entries, books.now + 20
        entry = drawn_entry(random, self.style, entries, self.plans, FIRST, until)
        proposed = replace(books, life=replace(books.life, entries=[*entries, entry]))
        account = with_entry(self.account, entry)
        periods = [each for each in proposed.periods() if each[0] <= until]
        if not periods or not books.closed.keys() <= set(proposed.periods()):
            return
        period = random.choice(periods)
        statement = self.hosts.both(
            lambda host: host.service.calculate(ACME, period_of(*period), account=account)
        )
        assert statement is not None
        assert told(statement) == expected(proposed.bill(period))

    @rule(seed=SEEDS)
    def law_10_usage_is_what_lies_in_the_time_asked_for(self, seed: int) -> None:
        random = Random(seed)
        start, end = sorted(random.sample(range(FIRST, self.books.now + 3), 2))
        hours = timedelta(hours=random.randint(0, 23)), timedelta(minutes=random.randint(0, 1439))
        time = Period(at(start) + hours[0], at(end) + hours[1] + timedelta(days=1))
        due = self.usage.sums(time.start, time.end)
        if any(units < 0 for units in due.values()):
            return
        usage = self.hosts.both(lambda host: host.repository.usage(ACME, time))
        assert {metric: Fraction(units) for metric, units in usage.quantities.items()} == due

    @rule()
    def law_10_what_is_held_ready_can_be_made_again(self) -> None:
        life = Period(at(FIRST - 400), at(self.books.now + 400))
        before = self.hosts.both(lambda host: host.repository.event_sums(ACME, life))
        self.hosts.both(lambda host: host.repository.remake_sums(ACME))
        after = self.hosts.both(lambda host: host.repository.event_sums(ACME, life))
        assert after == before

    @invariant()
    def law_11_what_is_closed_stands(self) -> None:
        own = {period_of(*period) for period in self.books.closed}
        assert self.hosts.both(lambda host: host.repository.closed_periods(ACME)).keys() == own
        for period, statement in self.as_closed.items():
            assert self._as_it_is(self.hosts.hosts[0], period) == statement

    @rule()
    def law_11_what_is_closed_stands_in_sqlite_too(self) -> None:
        for period, statement in self.as_closed.items():
            assert self._as_it_is(self.hosts.hosts[1], period) == statement

    def _as_it_is(self, host: Host, period: Days) -> Statement | None:
        return host.service.calculate(ACME, period_of(*period))

    @invariant()
    def law_12_a_grant_pays_at_most_what_it_holds(self) -> None:
        paid: dict[str, Fraction] = {}
        for statement in self.as_closed.values():
            for grant, units in _paid(statement):
                paid[grant] = paid.get(grant, Fraction()) + units
        drawn: dict[str, Fraction] = {}
        for (grant, _), units in self.books.drawn().items():
            assert 0 <= units <= Fraction(self.books.grants[grant].units)
            drawn[grant] = drawn.get(grant, Fraction()) + units
        assert paid == {grant: units for grant, units in drawn.items() if units}

    @rule()
    def what_is_stale_is_named_and_nothing_else(self) -> None:
        found = self.hosts.both(lambda host: host.service.stale(ACME))
        periods = [each for each in found if each.error is None]
        assert [
            (each.period, each.is_closed, each.change and each.change.minor) for each in periods
        ] == [
            (period_of(*period), is_closed, change)
            for period, is_closed, change in self.books.stale()
        ]
        unpaid = [each for each in found if each.error is not None]
        assert all(isinstance(each.error, NoTerms) for each in unpaid)
        starts = [day_of(each.period.start) for each in unpaid]
        assert starts == self.books.used_without_terms()

    @rule()
    def everything_is_as_it_was_written(self) -> None:
        self.hosts.both(lambda host: host.repository.verify())


def _paid(statement: Statement) -> list[tuple[str, Fraction]]:
    """Return what grants paid of a statement: money by its credits, units by its limits."""
    paid = [
        (rule.name or "", -Fraction(rule.exact_cost))
        for rule in statement.adjustments
        if rule.kind == "credit"
    ]
    for line in statement.every_overage():
        paid += [
            (part.name or "", Fraction(part.quantity))
            for part in line.limit_parts
            if part.kind == "granted"
        ]
    return paid


TestLives = Lives.TestCase
TestLives.settings = settings(
    max_examples=400 if THOROUGH else 4, stateful_step_count=50 if THOROUGH else 30
)
