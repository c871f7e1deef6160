"""Balances: what goes from one period of an org to its next."""

import pickle
from datetime import timedelta
from typing import Any

import pytest

from overages import Account, Balance, Currency, Period, Usage
from overages._ground.value import evolve
from overages.codec import decode, encode
from overages.errors import InvalidType, InvalidValue, InvalidValues
from overages.grants.burndown import Burndown
from overages.terms.carry_over import CarriedUnits

JAN, FEB = (Period.month(2024, n) for n in (1, 2))
LAYERS = (CarriedUnits(5, JAN), CarriedUnits(7, FEB, 2))
USAGES = [Usage("org-1", FEB, {"a": 2}), Usage("org-1", JAN, {"a": 1})]
USD = Currency("USD")
BURNDOWNS = [
    Burndown(FEB.end, "runs", USD),
    Burndown(FEB.end, None, Currency("credits", 3)),
    Burndown(FEB.end, None, Currency("credits", 1)),
    Burndown(FEB.end, "runs"),
    Burndown(FEB.end, None, USD),
]
FULL = Balance({"runs": LAYERS, "jobs": LAYERS[:1]}, USAGES, BURNDOWNS, USAGES)


def test_before_the_first_period_there_is_nothing() -> None:
    balance = Balance()
    assert (balance.carried, balance.used, balance.burndowns) == ({}, (), ())
    assert balance.covered == ()
    assert repr(balance) == "Balance()"


def test_a_balance_has_one_form() -> None:
    again = Balance(
        {"jobs": list(LAYERS[:1]), "none": [], "runs": iter(LAYERS)},
        USAGES[::-1],
        BURNDOWNS[::-1],
        USAGES[::-1],
    )
    assert again == FULL
    assert hash(again) == hash(FULL)
    assert repr(again) == repr(FULL)
    assert list(FULL.carried) == ["jobs", "runs"]
    assert [usage.period for usage in FULL.used] == [JAN, FEB]


def test_a_balance_is_copied_kept_and_changed_by_making_another() -> None:
    assert pickle.loads(pickle.dumps(FULL)) == FULL
    assert decode(encode(FULL), Balance) == FULL
    assert evolve(FULL, used=[]).carried == FULL.carried
    carried: Any = FULL.carried
    with pytest.raises(TypeError):
        carried["runs"] = ()


def test_a_burndown_is_found_by_metric_and_currency() -> None:
    for burndown in BURNDOWNS:
        assert FULL.burndown(burndown.metric, burndown.currency) is burndown
    assert FULL.burndown("jobs", None) is None
    assert FULL.burndown("runs", Currency("EUR")) is None


@pytest.mark.parametrize(
    ("named", "problem"),
    [
        ({"carried": {"runs": 5}}, r"carried\.runs: must be a list, or something else to iterate"),
        ({"carried": {"runs": [5]}}, r"carried\.runs\[0\]: must be of type CarriedUnits, got 5"),
        ({"carried": [LAYERS]}, "carried: must be a mapping of metrics to CarriedUnits, got "),
        ({"used": JAN}, "used: must be a list, or something else to iterate over, got "),
        ({"used": [JAN]}, r"used\[0\]: must be of type Usage, got "),
        ({"burndowns": [JAN]}, r"burndowns\[0\]: must be of type Burndown, got "),
    ],
)
def test_another_type_is_refused(named: Any, problem: str) -> None:
    with pytest.raises((InvalidType, InvalidValue), match=f"^{problem}"):
        Balance(**named)


@pytest.mark.parametrize(
    ("named", "problem"),
    [
        (
            {"used": [Usage("org-1", JAN, {"a": 1}), Usage("org-1", JAN, {"b": 1})]},
            r"used\[1\].period: must be given once, got Period",
        ),
        (
            {"used": [Usage("org-2", JAN, {"a": 1}), Usage("org-1", FEB, {"b": 1})]},
            r"used\[1\].org_id: must be that of the first one, 'org-2', got 'org-1'",
        ),
        (
            {"burndowns": [Burndown(FEB.end, "runs"), Burndown(JAN.end, "runs")]},
            r"burndowns\[1\]: must be of a metric and currency that no other is of, got \('runs",
        ),
    ],
)
def test_what_would_count_twice_is_refused(named: Any, problem: str) -> None:
    with pytest.raises(InvalidValue, match=f"^{problem}"):
        Balance(**named)


def test_all_faults_are_reported_together() -> None:
    wrong: Any = 5
    with pytest.raises(InvalidValues) as caught:
        Balance(wrong, wrong, wrong)
    assert len(caught.value.errors) == 3


def test_all_faults_of_a_list_are_reported_together() -> None:
    used = [Usage("org-1", JAN, {}), Usage("org-2", JAN, {}), Usage("org-1", JAN, {})]
    with pytest.raises(InvalidValues) as caught:
        Balance(used=used)
    fields = [error.field for error in caught.value.errors]
    assert fields == ["used[1].org_id", "used[1].period", "used[2].period"]


def test_carried_units_come_from_later_and_later_periods() -> None:
    with pytest.raises(InvalidValue, match=r"^carried\.runs\[1\]: must come from a period after"):
        Balance({"runs": LAYERS[::-1]})


def test_periods_of_several_allowances_may_overlap() -> None:
    quarter = Period(JAN.start, FEB.end + timedelta(days=31))
    balance = Balance(used=[Usage("o", quarter, {"a": 1}), Usage("o", JAN, {"b": 1})])
    assert [usage.period for usage in balance.used] == [JAN, quarter]


def test_what_was_carried_over_lapses_where_terms_ended_and_all_else_goes_on() -> None:
    account = Account("org-1", "p", since=JAN.start).ended(at=FEB.end)
    resumed = account.changed(since=FEB.end + timedelta(days=31), plan="p")
    april = Period.month(2024, 4)
    assert FULL.from_which(resumed, april) == Balance({}, USAGES, BURNDOWNS, USAGES)
    assert FULL.from_which(Account("org-1", "p", since=JAN.start), april) is FULL
