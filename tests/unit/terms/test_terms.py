"""Terms: a plan, terms of the org's own, a cycle and a status, for a time."""

import pickle
from datetime import UTC, datetime
from typing import Any

import pytest
from tests.told import told

from overages import Cycle, Discount, Money, Period, Terms
from overages.errors import InvalidType, InvalidValue, InvalidValues, OveragesError
from overages.terms.terms import NO_OWN_TERMS, OwnTerms

USD_5, USD_9 = Money(500, "USD"), Money(900, "USD")


def test_terms_have_no_limits_and_calendar_months_in_utc_unless_told() -> None:
    terms = Terms("starter")
    assert (terms.plan, dict(terms.limits)) == ("starter", {})
    assert (terms.cycle, terms.status, terms.plan_version) == (Cycle.monthly(), "active", None)


@pytest.mark.parametrize("status", ["trial", "active", "past_due", "canceled"])
def test_a_status_makes_other_terms(status: Any) -> None:
    terms = Terms("starter", status=status)
    assert terms.status == status
    assert (terms == Terms("starter")) is (status == "active")


@pytest.mark.parametrize("status", ["", "cancelled", "ACTIVE", None, 1])
def test_another_status_is_refused(status: Any) -> None:
    problem = "status: must be one of trial, active, past_due, canceled"
    with pytest.raises(InvalidValue, match=f"^{problem}"):
        Terms("starter", status=status)


@pytest.mark.parametrize("cycle", ["month", Period.month(2024, 2), None])
def test_a_cycle_of_terms_is_a_cycle(cycle: Any) -> None:
    with pytest.raises(InvalidType, match=r"^cycle: must be of type Cycle, got "):
        Terms("starter", cycle=cycle)


def test_limits_have_one_form_and_none_is_unlimited() -> None:
    terms = Terms("starter", {"tokens": "600000.0", "seats": 0, "runs": None})
    assert repr(dict(terms.limits)) == "{'runs': None, 'seats': 0, 'tokens': 600000}"


def test_limits_can_be_read_only_and_do_not_change_with_their_source() -> None:
    source: dict[str, Any] = {"tokens": 5}
    limits: Any = Terms("starter", source).limits
    source["tokens"] = 6
    assert limits == {"tokens": 5}
    with pytest.raises(TypeError):
        limits["tokens"] = 6


@pytest.mark.parametrize(
    ("limits", "error", "message"),
    [
        ([], InvalidType, r"^limits: must be a mapping of metrics to quantities, got \[\]$"),
        ({"tokens": 1.5}, InvalidType, r"^limits\.tokens: must be an int, a Decimal"),
        ({"tokens": True}, InvalidType, r"^limits\.tokens: must be an int, a Decimal"),
        ({"tokens": -1}, InvalidValue, r"^limits\.tokens: must not be negative, got -1$"),
        ({"": 1}, InvalidValue, "^limits.<metric>: must not be empty, got ''$"),
    ],
)
def test_limits_are_quantities_by_metric(limits: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        Terms("starter", limits)


def test_a_version_is_counted_from_one() -> None:
    assert Terms("starter", plan_version=3).plan_version == 3
    for version in (0, -1):
        with pytest.raises(InvalidValue, match=rf"^plan_version: must be .*, got {version}$"):
            Terms("starter", plan_version=version)
    wrong: Any = "1"
    with pytest.raises(InvalidType, match=r"^plan_version: "):
        Terms("starter", plan_version=wrong)


def test_terms_with_many_faults_report_them_all() -> None:
    bad: Any = {"plan": None, "limits": {"tokens": -1, "seats": 1.5}}
    with pytest.raises(InvalidValues) as caught:
        Terms(**bad)
    assert told(caught.value) == (
        "3 problems:\n"
        "- plan: must be a str, got None\n"
        "- limits.tokens: must not be negative, got -1\n"
        "- limits.seats: must be an int, a Decimal or a decimal string, got 1.5"
    )


def test_terms_are_equal_by_value_and_survive_pickling() -> None:
    terms = Terms("starter", {"tokens": 5, "seats": None})
    same = Terms("starter", {"seats": None, "tokens": "5.0"})
    assert len({terms, same, pickle.loads(pickle.dumps(terms))}) == 1
    assert terms != Terms("starter", {"tokens": 5})
    assert terms != Terms("starter", terms.limits, Cycle.monthly("Europe/Paris"))


def test_the_repr_of_terms_makes_them_again() -> None:
    cycle = Cycle(datetime(2024, 1, 31, tzinfo=UTC), timezone="Europe/Paris")
    terms = Terms("starter", {"tokens": 5}, status="trial", plan_version=2)
    assert (
        repr(terms) == "Terms(plan='starter', limits={'tokens': 5}, status='trial', plan_version=2)"
    )
    assert eval(repr(terms)) == terms
    assert repr(Terms("p", cycle=cycle)) == f"Terms(plan='p', cycle={cycle!r})"


# Terms of the org's own


def test_an_org_has_no_terms_of_its_own_unless_told() -> None:
    terms = Terms("starter", {"tokens": 5}, status="past_due")
    assert terms.own is NO_OWN_TERMS
    assert (terms.discounts, terms.maximum, terms.minimum) == ((), None, None)
    assert not NO_OWN_TERMS.has_rules


def test_those_that_change_a_bill_are_one_value() -> None:
    partner = Discount("partner", percent=10)
    terms = Terms("starter", discounts=[partner], maximum=USD_9, minimum=USD_5, status="trial")
    assert terms.own == OwnTerms([partner], USD_9, USD_5, trial=True)
    assert Terms("starter", status="trial").own == OwnTerms(trial=True)
    assert pickle.loads(pickle.dumps(terms)) == terms


@pytest.mark.parametrize(
    "own", [{"discounts": [Discount("a", percent=1)]}, {"maximum": USD_5}, {"minimum": USD_5}]
)
def test_each_kind_of_rule_is_one(own: Any) -> None:
    assert OwnTerms(**own).has_rules
    assert Terms("starter", **own) != Terms("starter")


@pytest.mark.parametrize("kind", [OwnTerms, lambda **own: Terms("starter", **own)])
@pytest.mark.parametrize(
    ("own", "message"),
    [
        ({"maximum": USD_5, "minimum": USD_9}, r"^minimum: must not be above the maximum, 5\.00"),
        ({"discounts": [Discount("a", quantity=5)]}, r"^discounts\[0\]\.quantity: must be None"),
        ({"discounts": [Discount("a", percent=5)] * 2}, r"^discounts\[1\]\.name: must be given o"),
        ({"maximum": 5}, "^maximum: must be of type Money, got 5"),
        ({"minimum": Money(-1, "USD")}, "^minimum: must not be negative"),
    ],
)
def test_own_terms_that_are_unlawful_are_refused(kind: Any, own: Any, message: str) -> None:
    with pytest.raises(OveragesError, match=message):
        kind(**own)
