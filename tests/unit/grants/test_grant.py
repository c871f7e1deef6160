"""Grants: what they say, and what isn't one."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest

from overages import Currency, Cycle, Grant, Money
from overages._ground.value import evolve
from overages.errors import InvalidType, InvalidValue, InvalidValues

START = datetime(2024, 2, 1, tzinfo=UTC)
LATER = START + timedelta(days=9)
UNITS = Grant("g", 100, metric="tokens", effective_at=START)
MONEY = Grant("m", Money.of("50.00", "USD"), effective_at=START)


def test_units_are_of_a_metric_and_money_may_pay_for_anything() -> None:
    assert (UNITS.units, UNITS.currency, UNITS.metric) == (100, None, "tokens")
    assert (MONEY.units, MONEY.currency, MONEY.metric) == (50, Currency("USD"), None)
    assert evolve(MONEY, amount=Money(1250, "USD")).units == Decimal("12.5")
    assert evolve(MONEY, metric="tokens").metric == "tokens"


def test_a_grant_is_counted_in_picos() -> None:
    assert Grant("g1", "0.5", metric="runs", effective_at=START).picos == 5 * 10**11
    assert Grant("g1", Money(150, "USD"), effective_at=START).picos == 15 * 10**11


def test_a_grant_lasts_for_ever_unless_it_expires_or_is_voided() -> None:
    assert UNITS.ends_at is None
    expiring = evolve(UNITS, expires_at=LATER)
    assert expiring.ends_at == LATER
    assert evolve(expiring, voided_at=START).ends_at == START
    assert evolve(expiring, voided_at=LATER + timedelta(1)).ends_at == LATER


def test_grants_are_drawn_on_by_priority_expiry_creation_and_id() -> None:
    in_order = [
        evolve(UNITS, id="soon", expires_at=LATER),
        evolve(UNITS, id="z", created_at=START - timedelta(1)),
        UNITS,  # created, as it doesn't say, when it became effective
        evolve(UNITS, id="h"),
        evolve(UNITS, id="a", effective_at=LATER),
        evolve(UNITS, id="last", priority=1, expires_at=LATER),
    ]
    shuffled = [in_order[i] for i in (3, 5, 1, 4, 0, 2)]
    assert sorted(shuffled, key=lambda grant: grant.rank) == in_order


def test_numbers_and_instants_have_one_form() -> None:
    east = timezone(timedelta(hours=9))
    other = Grant(
        "g", "100.0", metric="tokens", effective_at=START.astimezone(east), refill_keeps="0.0"
    )
    assert other == UNITS
    assert (hash(other), repr(other)) == (hash(UNITS), repr(UNITS))


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"amount": 1.5}, InvalidType, "amount: must be an int, a Decimal or a decimal string"),
        ({"amount": -1}, InvalidValue, "amount: must not be negative"),
        ({"amount": Money(-1, "USD")}, InvalidValue, "amount: must not be negative"),
        ({"amount": Money(10**28, "USD")}, InvalidValue, "amount: must have at most 26 integer"),
        ({"metric": None}, InvalidValue, "metric: must be given with an amount that is no Money"),
        ({"metric": ""}, InvalidValue, "metric: must not be empty"),
        ({"id": ""}, InvalidValue, "id: must not be empty"),
        (
            {"id": "g" * 249, "amount": Money(1, "USD")},
            InvalidValue,
            "id: must have at most 255 bytes, got 'credit:gg",
        ),
        ({"priority": -1}, InvalidValue, r"priority: must be from 0 to 2\*\*63 - 1, got -1"),
        ({"priority": 2**63}, InvalidValue, "priority: must be from 0"),
        ({"priority": "1"}, InvalidType, "priority: must be an int"),
        ({"effective_at": None}, InvalidType, "effective_at: must be a datetime"),
        ({"expires_at": START}, InvalidValue, "expires_at: must be later than effective_at, 2024-"),
        ({"voided_at": START.date()}, InvalidType, "voided_at: must be a datetime"),
        ({"recurrence": "month"}, InvalidType, "recurrence: must be of type Cycle"),
        ({"refill_keeps": -1}, InvalidValue, "refill_keeps: must not be negative"),
        ({"step": 0}, InvalidValue, "step: must be more than zero"),
        ({"created_at": 5}, InvalidType, "created_at: must be a datetime"),
    ],
)
def test_what_is_no_grant_is_refused(
    changes: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=f"^{message}"):
        evolve(UNITS, **changes)


@pytest.mark.parametrize("rule", ["step", "refill_keeps"])
def test_money_is_drawn_and_kept_in_whole_minor_units(rule: str) -> None:
    with pytest.raises(InvalidValue) as caught:
        evolve(MONEY, **{rule: "0.005"})
    problem = f"{rule}: must have at most 2 decimals, as money in USD has, got 0.005"
    assert str(caught.value) == problem
    assert evolve(MONEY, **{rule: "0.05"}) != MONEY
    assert evolve(MONEY, amount=Money(5, "KWD"), **{rule: "0.005"}) != MONEY
    assert evolve(UNITS, **{rule: "0.005"}) != UNITS


def test_a_fault_of_a_term_hides_no_fault_of_others() -> None:
    with pytest.raises(InvalidValues) as caught:
        evolve(MONEY, id="", expires_at=START, step=-1, refill_keeps="0.001", priority="x")
    assert [error.field for error in caught.value.errors] == [
        "id",
        "priority",
        "step",
        "expires_at",
        "refill_keeps",
    ]


def test_all_faults_are_reported_together() -> None:
    with pytest.raises(InvalidValues) as caught:
        Grant("g", 1, effective_at=START, expires_at=START)
    assert [getattr(error, "field", None) for error in caught.value.errors] == [
        "metric",
        "expires_at",
    ]


def test_a_recurring_grant_has_a_cycle() -> None:
    assert evolve(UNITS, recurrence=Cycle(START)).recurrence == Cycle(START)
