"""Drawing on grants: the order, the time, and what is refused."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from overages import Cycle, Grant, Money, Period
from overages._ground.value import evolve
from overages.errors import CurrencyMismatch, InvalidType, InvalidValue, InvalidValues
from overages.grants.burndown import Burndown
from overages.grants.draws import burn_down, draw
from overages.grants.state import Draw

FEB, MARCH = Period.month(2024, 2), Period.month(2024, 3)
START = FEB.start
BASIC = Grant("basic", 100, metric="tokens", effective_at=START)
LAST = FEB.end - timedelta(microseconds=1)


def day(number: int) -> datetime:
    """Return the beginning of a day of February, or of the days after it."""
    return START + timedelta(days=number - 1)


def burn(
    grants: list[Grant], usage: list[tuple[int, Any]], end: datetime = LAST, **named: Any
) -> Burndown:
    """Burn down what was used on days of February."""
    series = [(day(n), used) for n, used in usage]
    return burn_down(grants, series, metric="tokens", **{"start": START, "end": end, **named})


def grant(id: str, units: int = 100, **named: Any) -> Grant:
    """Return a grant of February."""
    return evolve(BASIC, id=id, amount=units, **named)


def accounted(burndown: Burndown, id: str = "basic") -> tuple[Any, ...]:
    """Return what was granted, drawn, expired and voided, and what is left of a grant."""
    (found,) = [state for state in burndown.grants if state.grant_id == id]
    return found.granted, found.drawn, found.expired, found.voided, found.left


def test_the_worked_example_of_the_module_is_what_comes_of_it() -> None:
    grants = [grant("b", 50), grant("a", 100, expires_at=day(10))]
    used = [(3, 70), (12, 60), (20, -15)]
    states = []
    for n in range(len(used) + 1):
        end = [day(4), day(11), day(13), day(21)][n]
        burndown = burn(grants, [use for use in used if day(use[0]) < end], end=end)
        left = burndown.remaining
        states.append((left["a"], left["b"], burndown.overage, burndown.expired))
    assert states == [(30, 50, 0, 0), (0, 50, 0, 30), (0, 0, 10, 30), (0, 5, 0, 30)]


class TestOrder:
    def test_the_history_says_what_drew_on_what(self) -> None:
        grants = [grant("b", priority=2), grant("a", 30), grant("c", 50, expires_at=day(9))]
        burndown = burn(grants, [(2, 60), (5, 100), (9, 80)])
        assert burndown.draws == (
            Draw("c", day(2), 50),
            Draw("a", day(2), 10),
            Draw("a", day(5), 20),
            Draw("b", day(5), 80),
            Draw("b", day(9), 20),
        )
        assert (burndown.overage, burndown.covered, burndown.left) == (60, 180, 0)

    def test_usage_of_one_instant_counts_as_one(self) -> None:
        burndown = burn([BASIC], [(2, 60), (2, -50), (2, "0.5")])
        assert burndown.draws == (Draw("basic", day(2), Decimal("10.5")),)

    def test_without_grants_all_is_overage(self) -> None:
        burndown = burn([], [(2, 60)])
        assert (burndown.overage, burndown.grants, burndown.left) == (60, (), 0)

    def test_grants_of_other_metrics_and_of_money_are_left_alone(self) -> None:
        others = [
            evolve(BASIC, id="runs", metric="runs"),
            evolve(BASIC, id="money", amount=Money(10_000, "USD")),
        ]
        assert burn([*others, BASIC], [(2, 150)]).remaining == {"basic": 0}

    def test_money_for_one_metric_is_apart_from_money_for_anything(self) -> None:
        anything = Grant("anything", Money(1_000, "USD"), effective_at=START)
        tokens = evolve(anything, id="tokens", metric="tokens")
        euros = evolve(anything, id="euros", amount=Money(1_000, "EUR"))
        grants = [anything, tokens, euros]
        first = draw(grants, Money(1_500, "USD"), FEB, metric="tokens")
        assert (first.remaining, first.overage) == ({"tokens": 0}, 5)
        second = draw(grants, Money.of(first.overage, "USD"), FEB)
        assert (second.remaining, second.overage) == ({"anything": 5}, 0)


class TestTime:
    def test_a_grant_is_drawn_on_from_when_it_is_effective_until_it_expires(self) -> None:
        grants = [evolve(BASIC, effective_at=day(3), expires_at=day(5))]
        burndown = burn(grants, [(2, 1), (3, 10), (4, 20), (5, 40)])
        assert accounted(burndown) == (100, 30, 70, 0, 0)
        assert burndown.overage == 41

    def test_what_is_left_of_a_voided_grant_is_lost(self) -> None:
        burndown = burn([evolve(BASIC, voided_at=day(3))], [(2, 10), (3, 20)])
        assert accounted(burndown) == (100, 10, 0, 90, 0)
        assert burndown.overage == 20

    def test_a_grant_that_expires_as_it_is_voided_has_expired(self) -> None:
        both = evolve(BASIC, voided_at=day(3), expires_at=day(3))
        assert accounted(burn([both], [])) == (100, 0, 100, 0, 0)

    @pytest.mark.parametrize(
        "changes",
        [
            {"voided_at": START},
            {"effective_at": day(40)},
            {"effective_at": LAST, "voided_at": LAST},
        ],
    )
    def test_a_grant_that_was_never_effective_was_not_granted(self, changes: Any) -> None:
        assert burn([evolve(BASIC, **changes)], [(2, 1)]).grants == ()

    def test_a_grant_that_is_effective_at_the_end_has_come_in(self) -> None:
        assert burn([evolve(BASIC, effective_at=LAST)], []).remaining == {"basic": 100}

    def test_a_grant_that_is_added_later_comes_in_whole(self) -> None:
        first = burn([BASIC], [(2, 130)], end=day(5))
        late = grant("late", effective_at=day(1))
        second = burn([BASIC, late], [(6, 20)], start=first)
        assert (second.remaining, second.overage) == ({"basic": 0, "late": 80}, 30)

    def test_a_grant_that_is_voided_looking_back_is_voided_from_now_on(self) -> None:
        first = burn([BASIC], [(2, 30)], end=day(5))
        second = burn([evolve(BASIC, voided_at=day(1))], [(6, 20)], start=first)
        assert accounted(second) == (100, 30, 0, 70, 0)
        assert second.overage == 20


class TestRecurrence:
    WEEKLY = evolve(BASIC, recurrence=Cycle(START, unit="week"), expires_at=day(22))

    def test_a_refill_replaces_what_is_left_and_ends_with_the_grant(self) -> None:
        burndown = burn([self.WEEKLY], [(2, 30), (8, 10)])
        assert accounted(burndown) == (300, 40, 260, 0, 0)
        middle = burn([self.WEEKLY], [(2, 30), (8, 10)], end=day(8) + timedelta(1))
        assert accounted(middle) == (200, 40, 70, 0, 90)

    @pytest.mark.parametrize(("keeps", "left", "expired"), [(None, 170, 0), (50, 150, 20)])
    def test_a_refill_may_keep_what_is_left(self, keeps: Any, left: int, expired: int) -> None:
        keeping = evolve(self.WEEKLY, refill_keeps=keeps)
        assert accounted(burn([keeping], [(2, 30)], end=day(8))) == (200, 30, expired, 0, left)

    def test_a_refill_is_not_made_twice_where_one_burndown_goes_on_from_another(self) -> None:
        first = burn([self.WEEKLY], [(2, 30)], end=day(8))
        second = burn([self.WEEKLY], [(9, 10)], start=first, end=day(12))
        assert accounted(second) == (200, 40, 70, 0, 90)
        assert burn([self.WEEKLY], [], start=second, end=day(12)) == second

    def test_refills_end_with_the_calendar(self) -> None:
        start, end = datetime(9998, 6, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC)
        yearly = evolve(BASIC, recurrence=Cycle(START, unit="year"))
        burndown = burn([yearly], [], start=start, end=end)
        assert accounted(burndown) == (200, 0, 100, 0, 100)

    def test_a_grant_from_before_the_start_is_whole_then(self) -> None:
        old = evolve(self.WEEKLY, effective_at=day(-30))
        assert accounted(burn([old], [], end=day(2))) == (100, 0, 0, 0, 100)


class TestOverage:
    USAGE = [(2, 130), (9, 20)]  # noqa: RUF012
    LATER = grant("later", 40, effective_at=day(6))

    @pytest.mark.parametrize(
        ("rule", "overage", "left"),
        [("final", 30, 20), ("repaid", 10, 0)],
    )
    def test_what_is_granted_later_repays_overage_if_the_rule_says_so(
        self, rule: Any, overage: int, left: int
    ) -> None:
        burndown = burn([BASIC, self.LATER], self.USAGE, overage=rule)
        assert (burndown.overage, burndown.remaining["later"]) == (overage, left)
        repaid = [Draw("later", day(6), 30)] if rule != "final" else []
        assert list(burndown.draws[1:-1]) == repaid


class TestGivingBack:
    def test_overage_is_taken_back_first_and_then_the_latest_draws(self) -> None:
        grants = [BASIC, grant("other", priority=1)]
        used = [(2, 90), (3, 60), (4, 70)]
        assert burn(grants, [*used, (5, -15)]).overage == 5
        burndown = burn(grants, [*used, (5, -75)])
        assert (burndown.overage, burndown.remaining) == (0, {"basic": 0, "other": 55})
        assert burndown.draws[-1] == Draw("other", day(3), 45)
        assert burn(grants, [*used, (5, -75), (6, -50)]).remaining == {"basic": 5, "other": 100}

    def test_what_cannot_be_given_back_is_a_number_of_its_own(self) -> None:
        burndown = burn([BASIC], [(2, 30), (3, -50)])
        assert (burndown.unreturned, burndown.remaining["basic"]) == (20, 100)

    def test_nothing_of_a_closed_period_is_given_back(self) -> None:
        first = burn([BASIC], [(2, 30)], end=day(5))
        second = burn([BASIC], [(6, -10)], start=first.closed())
        assert (second.unreturned, second.left) == (10, 70)

    @pytest.mark.parametrize(
        ("changes", "expected"),
        [
            ({"expires_at": day(5)}, (100, 20, 80, 0, 0)),
            ({"voided_at": day(5)}, (100, 20, 0, 80, 0)),
            ({"recurrence": Cycle(day(5))}, (200, 20, 80, 0, 100)),
        ],
        ids=["expired", "voided", "refilled"],
    )
    def test_what_comes_back_to_what_was_filled_or_ended_since_is_lost(
        self, changes: Any, expected: Any
    ) -> None:
        burndown = burn([evolve(BASIC, **changes)], [(2, 30), (6, -10)])
        assert accounted(burndown) == expected

    def test_a_started_step_is_not_given_back(self) -> None:
        minutes = evolve(BASIC, step=60, amount=150)
        used = [(2, 70)]
        assert burn([minutes], used).draws == (Draw("basic", day(2), 120, covered=70),)
        assert burn([minutes], [*used, (3, -9)]).draws == (Draw("basic", day(2), 120, covered=61),)
        assert burn([minutes], [*used, (3, -10)]).draws == (Draw("basic", day(2), 60),)
        assert burn([minutes], [*used, (3, -70)]).left == 150
        capped = burn([minutes], [(2, 140), (3, -10)])
        assert capped.draws == (Draw("basic", day(2), 150, covered=130),)


class TestMoney:
    CREDIT = Grant("credit", Money.of("0.01", "USD"), effective_at=START)

    def test_costs_finer_than_a_cent_are_drawn_exactly(self) -> None:
        usage: list[tuple[datetime, Any]] = [(day(2), "0.0000123"), (day(3), Money(1, "USD"))]
        burndown = burn_down([self.CREDIT], usage, currency="USD", start=START, end=FEB.end)
        assert (burndown.left, burndown.overage) == (0, Decimal("0.0000123"))

    def test_money_of_another_currency_is_refused(self) -> None:
        usage = [(day(2), Money(1, "EUR"))]
        with pytest.raises(CurrencyMismatch, match="USD and EUR"):
            burn_down([self.CREDIT], usage, currency="USD", start=START, end=FEB.end)

    def test_a_statement_is_paid_from_credit_that_expires_with_its_period(self) -> None:
        expiring = evolve(self.CREDIT, expires_at=FEB.end)
        paid = draw([expiring], Money(1, "USD"), FEB)
        assert (paid.overage, paid.covered, paid.at) == (0, Decimal("0.01"), FEB.end)
        unpaid = draw([evolve(expiring, expires_at=LAST)], Money(1, "USD"), FEB)
        assert unpaid.overage == Decimal("0.01")

    def test_the_next_period_goes_on_from_what_the_last_one_left(self) -> None:
        credit = evolve(self.CREDIT, amount=Money.of(50, "USD"))
        february = draw([credit], Money.of(30, "USD"), FEB)
        march = draw([credit], Money.of(30, "USD"), MARCH, start=february.closed())
        assert (march.overage, march.covered, march.left) == (10, 20, 0)
        assert march.draws == (Draw("credit", MARCH.end - timedelta(microseconds=1), 20),)

    def test_units_are_drawn_at_the_end_of_a_period_too(self) -> None:
        february = draw([BASIC], "30.5", FEB, metric="tokens")
        assert february.left == Decimal("69.5")
        assert draw([BASIC], 70, MARCH, start=february).overage == Decimal("0.5")


class TestRefusals:
    @pytest.mark.parametrize(
        ("named", "error", "message"),
        [
            ({"metric": None}, InvalidValue, "metric: must be given, or a currency, or both"),
            ({"metric": 5}, InvalidType, "metric: must be a str"),
            ({"currency": 5}, InvalidType, "currency: must be a Currency or a code"),
            ({"start": "2024"}, InvalidType, "start: must be a datetime"),
            (
                {"end": START - timedelta(1)},
                InvalidValue,
                "end: must not be before the start, 2024",
            ),
            ({"end": None}, InvalidType, "end: must be a datetime"),
            ({"grants": 5}, InvalidType, "grants: must be a list"),
            ({"grants": [5]}, InvalidType, r"grants\[0\]: must be of type Grant"),
            ({"grants": [BASIC, BASIC]}, InvalidValue, r"grants\[1\].id: must be given once"),
            ({"usage": 5}, InvalidType, "usage: must be a list"),
            ({"usage": [5]}, InvalidType, r"usage\[0\]: must be a pair of an instant and a quant"),
            ({"usage": [(START,)]}, InvalidType, r"usage\[0\]: must be a pair"),
            ({"usage": [(START, 1.5)]}, InvalidType, r"usage\[0\].quantity: must be an int, a Dec"),
            ({"usage": [(START, Money(1, "USD"))]}, InvalidType, r"usage\[0\].quantity: must be"),
            ({"usage": [(FEB.end, 1)]}, InvalidValue, r"usage\[0\].at: must be from 2024-02-01T00"),
            ({"usage": [(day(0), 1)]}, InvalidValue, r"usage\[0\].at: must be from 2024-02-01T00:"),
            ({"overage": "free"}, InvalidValue, "overage: must be one of final, repaid, got"),
        ],
    )
    def test_what_cannot_be_burned_down_is_refused(
        self, named: dict[str, Any], error: type[Exception], message: str
    ) -> None:
        given = {
            "grants": [BASIC],
            "usage": [(START, 1)],
            "metric": "tokens",
            "start": START,
            "end": FEB.end,
            **named,
        }
        grants, usage = given.pop("grants"), given.pop("usage")
        with pytest.raises(error, match=f"^{message}"):
            burn_down(grants, usage, **given)

    def test_all_faults_of_usage_are_reported(self) -> None:
        with pytest.raises(InvalidValues) as caught:
            burn([BASIC], [(2, 1.5), (3, 1), (40, 1)])
        fields = [getattr(error, "field", None) for error in caught.value.errors]
        assert fields == ["usage[0].quantity", "usage[2].at"]

    def test_a_burndown_of_something_else_is_not_gone_on_from(self) -> None:
        first = burn([BASIC], [], end=day(5))
        problem = "start: must be of metric 'runs' and currency None, as the call is, got"
        with pytest.raises(InvalidValue, match=problem):
            burn_down([BASIC], [], metric="runs", start=first, end=FEB.end)
        with pytest.raises(InvalidValue, match="and currency 'USD'"):
            burn_down([BASIC], [], metric="tokens", currency="USD", start=first, end=FEB.end)

    def test_a_grant_with_a_state_must_not_be_missing(self) -> None:
        first = burn([BASIC], [], end=day(5))
        problem = r"grants: must hold every grant that start has, got \['basic'\]"
        with pytest.raises(InvalidValue, match=problem):
            burn_down([], [], start=first, end=FEB.end)

    @pytest.mark.parametrize(
        ("named", "message"),
        [
            ({"period": 5}, "period: must be of type Period"),
            ({"start": START}, "start: must be of type Burndown"),
            ({"metric": 5}, "metric: must be a str"),
            ({"amount": 1.5}, r"usage\[0\].quantity: must be an int"),
        ],
    )
    def test_what_cannot_be_drawn_is_refused(self, named: dict[str, Any], message: str) -> None:
        given: dict[str, Any] = {"amount": 1, "period": FEB, "metric": "tokens", **named}
        with pytest.raises(InvalidType, match=f"^{message}"):
            draw([BASIC], **given)
