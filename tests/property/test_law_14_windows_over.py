"""Law 14: a window that is over has the budget that it had.

"The warning and the bill agree. What a check said that a request would cost is what its line then
says, if nothing else comes between; what was announced is computed from the same values that are
billed. A threshold fires once, however usage is split, retried or crashed over."
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Final, NamedTuple, TypeAlias

from hypothesis import example, given, strategies as st

from overages import (
    Account,
    Alert,
    Allowance,
    Budget,
    Cycle,
    MemoryRepository,
    Money,
    OverageService,
    PerUnit,
    Plan,
    Threshold,
    UsageEvent,
)
from overages.alerts.fired_alert import FiredAlert

from .effort import many

START: Final = datetime(2024, 2, 1, tzinfo=UTC)
DAY: Final = timedelta(days=1)
DAILY: Final = Cycle.calendar("day")
MOST: Final = Alert("most", Threshold(percent=80), budget="b")
EACH: Final = {
    False: Alert("each", Threshold(quantity=5, repeat=True), budget="b"),
    True: Alert("each", Threshold(cost=Money.of("5", "USD"), repeat=True), budget="b"),
}


class Use(NamedTuple):
    """Units that are used, or taken back, on some day, and reported today."""

    days_ago: int
    quantity: int


class Withdraw(NamedTuple):
    """One of the events so far is withdrawn, by its place among them."""

    place: int


class Swap(NamedTuple):
    """One of the events so far is withdrawn for another, in one change."""

    place: int
    use: Use


class Put(NamedTuple):
    """The budget has an amount from now on."""

    amount: int


class Check(NamedTuple):
    """Alerts are checked by the clock."""


class Wait(NamedTuple):
    """Some hours go by."""

    hours: int


Step: TypeAlias = Use | Withdraw | Swap | Put | Check | Wait
USES: Final = st.builds(Use, st.integers(0, 3), st.integers(-6, 12))
STEPS: Final = st.one_of(
    USES,
    st.builds(Withdraw, st.integers(0, 5)),
    st.builds(Swap, st.integers(0, 5), USES),
    st.builds(Put, st.integers(1, 20)),
    st.builds(Wait, st.integers(1, 30)),
    st.just(Check()),
)


class Life:
    """An org with a budget of a day, of runs or of the dollar that each of them costs."""

    def __init__(self, *, is_money: bool) -> None:
        self.now = START + 4 * DAY
        self.repository = MemoryRepository()
        self.repository.put_plan(Plan("p", "USD", {"runs": Allowance(0, PerUnit(1))}))
        self.repository.put_account(Account("acme", "p", since=START))
        self.repository.add_events([UsageEvent("acme", "runs", 100, START)])  # to take back
        for alert in (MOST, EACH[is_money]):
            self.repository.put_alert(alert, put_at=START)
        self.service = OverageService(self.repository, clock=lambda: self.now)
        self.events: list[UsageEvent] = []
        self.budgets: list[tuple[datetime, Budget]] = []
        self._is_money = is_money

    def take(self, steps: Sequence[Step]) -> Sequence[FiredAlert]:
        """Take one step, or several uses at once; return the alerts that are new."""
        known = len(self.service.alerts("acme", silent=True))
        uses = [each for each in steps if isinstance(each, Use)]
        if uses:
            new = [self._event(place, each) for place, each in enumerate(uses, len(self.events))]
            self.events += new
            self.service.record_usage(new)
        for step in steps:
            self._take(step)
        fired = self.service.alerts("acme", silent=True)
        return fired[: len(fired) - known][::-1]

    def _event(self, place: int, use: Use) -> UsageEvent:
        return UsageEvent("acme", "runs", use.quantity, self.now - use.days_ago * DAY, f"e{place}")

    def _take(self, step: Step) -> None:
        if isinstance(step, Wait):
            self.now += timedelta(hours=step.hours)
        elif isinstance(step, Check):
            self.service.check_alerts()
        elif isinstance(step, Put):
            amount = Money.of(step.amount, "USD") if self._is_money else step.amount
            budget = Budget(amount, id="b", metric="runs", window=DAILY)
            if budget not in [last for _, last in self.budgets[-1:]]:
                self.budgets.append((self.now, budget))
            self.service.put_budget("acme", budget)
        elif isinstance(step, Withdraw) and step.place < len(self.events):
            self.service.withdraw("acme", f"e{step.place}")
        elif isinstance(step, Swap) and step.place < len(self.events):
            with self.service.one_change() as changing:
                changing.withdraw("acme", f"e{step.place}")
                self.events.append(self._event(len(self.events), step.use))
                changing.record_usage(self.events[-1:])


def lived(life: Life, parts: Iterable[Sequence[Step]]) -> Iterator[tuple[Step, FiredAlert]]:
    for part in parts:
        for fired in life.take(part):
            yield part[-1], fired


one_by_one = st.lists(STEPS, max_size=14)


@example([Use(2, 9), Use(2, 1), Put(10), Withdraw(1), Use(2, 1), Check()], False)
@example([Use(2, 9), Use(2, 1), Put(10), Withdraw(1), Use(2, 1), Check()], True)
@example([Use(1, 12), Put(10), Check()], False)
@example([Use(1, 12), Put(10), Check()], True)
@example(
    [Put(5), Use(0, 12), Use(0, 4), Wait(30), Put(20), Withdraw(1), Use(1, 9), Withdraw(0)], False
)
@example(
    [Put(5), Use(0, 12), Use(0, 4), Wait(30), Put(20), Withdraw(1), Use(1, 9), Withdraw(0)], True
)
@example([Put(10), Wait(30), Use(1, 9), Use(1, -1), Use(1, 1)], False)
@example([Put(10), Wait(30), Use(1, 9), Use(1, -1), Use(1, 1)], True)
@many
@given(one_by_one, st.booleans())
def test_law_14_a_window_that_is_over_is_told_of_by_the_budget_that_it_had(
    steps: list[Step], is_money: bool
) -> None:
    life = Life(is_money=is_money)
    for step, fired in lived(life, ([each] for each in steps)):
        day, now = fired.period, fired.noted_at
        if fired.state != "reached" or day.end > now:
            continue
        put_at, budget = life.budgets[-1]
        assert (fired.limit, put_at < day.end) == (budget.amount, True) or fired.is_silent
        use = step.use if isinstance(step, Swap) else step
        assert isinstance(use, Use)
        assert use.quantity > 0
        assert now - use.days_ago * DAY in day


@example([Put(10), Wait(30), Use(1, 9), Withdraw(0)], False)
@example([Put(10), Wait(30), Use(1, 9), Withdraw(0)], True)
@example([Put(5), Use(0, 12), Wait(30), Put(20), Withdraw(0)], False)
@example([Put(5), Use(0, 12), Wait(30), Put(20), Withdraw(0)], True)
@many
@given(one_by_one, st.booleans())
def test_law_14_usage_that_falls_clears_what_was_told_of_a_window(
    steps: list[Step], is_money: bool
) -> None:
    life = Life(is_money=is_money)
    fired = [alert for _, alert in lived(life, ([each] for each in steps))]
    lasts = {each.id: each for each in fired}
    withdrawn = life.repository.withdrawn_ids("acme", [str(each.id) for each in life.events])
    for last in lasts.values():
        used = sum(
            each.quantity
            for each in life.events
            if each.id not in withdrawn and each.at in last.period
        )
        assert last.definition.alert.threshold is not None
        level = last.definition.alert.threshold.level(last.limit, last.step)
        assert last.state != "reached" or used >= level


@example([Put(10), Wait(30), Use(1, 9), Use(1, -2), Use(1, 1), Use(0, 9)], False)
@example([Put(10), Wait(30), Use(1, 9), Use(1, -2), Use(1, 1), Use(0, 9)], True)
@example([Use(1, 9), Use(0, 9), Put(10), Use(1, 1), Use(0, -2), Use(0, 3), Use(1, 9)], False)
@example([Use(1, 9), Use(0, 9), Put(10), Use(1, 1), Use(0, -2), Use(0, 3), Use(1, 9)], True)
@many
@given(one_by_one, st.booleans())
def test_law_14_batches_tell_of_windows_that_are_over_what_their_events_do(
    steps: list[Step], is_money: bool
) -> None:
    told = [alert for _, alert in lived(Life(is_money=is_money), ([each] for each in steps))]
    runs = (list(run) for _, run in groupby(steps, key=lambda each: isinstance(each, Use)))
    parts = (
        part
        for run in runs
        for part in ([run] if isinstance(run[0], Use) else [[each] for each in run])
    )
    assert [alert for _, alert in lived(Life(is_money=is_money), parts)] == told
