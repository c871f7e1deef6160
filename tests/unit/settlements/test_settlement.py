"""Settlement: the statement of a period that earlier periods and grants have a part in."""

import pickle
from typing import Any

import pytest
from tests.accounts import settle
from tests.settled import FEB, JAN, PACK, PLAIN, ROLLING, parts, ran, runs, settled

import overages
from overages import (
    Account,
    Allowance,
    Balance,
    Money,
    Period,
    PerUnit,
    Plan,
    Settlement,
    Usage,
    UsageEvent,
)
from overages._ground.value import evolve
from overages.errors import InvalidType, InvalidValue, InvalidValues, UnknownMetric
from overages.grants.burndown import Burndown
from overages.terms.carry_over import CarriedUnits

# The value


def test_a_settlement_is_a_value() -> None:
    (settlement,) = settled(ROLLING, 40)
    again = Settlement(
        settlement.statement, settlement.balance, dict(settlement.carry_overs), iter(())
    )
    assert again == settlement
    assert hash(again) == hash(settlement)
    assert pickle.loads(pickle.dumps(settlement)) == settlement
    assert evolve(settlement, carry_overs={}) != settlement
    assert repr(settlement) == f"<Settlement of {settlement.statement!r}>"
    carry_overs: Any = settlement.carry_overs
    with pytest.raises(TypeError):
        carry_overs["jobs"] = None


def test_a_settlement_of_other_types_is_refused() -> None:
    wrong: Any = 5
    with pytest.raises(InvalidValues) as caught:
        Settlement(wrong, wrong, wrong, wrong, wrong)
    fields = [getattr(error, "field", None) for error in caught.value.errors]
    assert fields == ["statement", "balance", "carry_overs", "burndowns", "idle_grants"]


# The steps


def test_the_example_of_the_module_comes_to_what_it_says() -> None:
    january = settle(ROLLING, runs(40), grants=[PACK])
    february = settle(ROLLING, runs(175, FEB), january.balance, grants=[PACK])
    assert parts(february) == [
        ("included", 100),
        ("carried over from 2024-01-01", 60),
        ("granted by pack", 15),
    ]
    line = february.statement["runs"]
    assert (line.limit, line.quantity, february.statement.total.minor) == (175, 0, 0)
    assert [each.metric for each in february.burndowns] == ["runs"]
    assert february.balance.carried == {}
    assert february.balance.burndowns[0].remaining == {"pack": 15}
    without = settle(ROLLING, runs(175, FEB), january.balance)
    assert (without.statement["runs"].quantity, without.statement.total.minor) == (15, 1500)


# Arguments


@pytest.mark.parametrize(
    ("named", "problem"),
    [
        ({"account": "a"}, "account: must be of type Account"),
        ({"plans": None}, "plans: must be a mapping of slugs to plans, or a function, got None"),
        ({"plans": {"p": 5}}, r"plans\.p: must be of type Plan, got 5"),
        ({"period": "2024-01"}, "period: must be of type Period"),
        ({"usage": 5}, "usage: must be a list"),
        ({"usage": [5]}, r"usage\[0\]: must be of type Usage"),
        ({"balance": None}, "balance: must be of type Balance"),
        ({"grants": [5]}, r"grants\[0\]: must be of type Grant"),
        ({"events": 5}, "events: must be a list"),
        ({"ended": 0}, "ended: must be True or False"),
        ({"grants": [PACK], "levels": [5]}, r"levels\[0\]: must be a str, got 5"),
    ],
)
def test_an_argument_of_another_type_is_refused(named: Any, problem: str) -> None:
    with pytest.raises(InvalidType, match=f"^{problem}"):
        overages.settle(
            **{
                "account": Account("org-1", "p", JAN.start),
                "plans": {"p": PLAIN},
                "period": JAN,
                "usage": runs(5),
                **named,
            }
        )


@pytest.mark.parametrize(
    ("named", "problem"),
    [
        ({"timezone": "Mars"}, "timezone: "),
        ({"limits": {"runs": -1}}, r"limits\.runs: must not be negative"),
        ({"grants": [PACK, PACK]}, r"grants\[1\]\.id: must be given once, got 'pack'"),
        (
            {"events": [ran(1, 2), UsageEvent("org-2", "runs", 1, JAN.start)]},
            r"events\[1\]\.org_id: must be that of the account, 'org-1', got 'org-2'",
        ),
        (
            {"balance": Balance(used=[Usage("org-2", JAN, {})])},
            r"balance\.used\[0\]\.org_id: must be that of the account, 'org-1', got 'org-2'",
        ),
        (
            {"balance": Balance({"runs": [CarriedUnits(5, JAN)]})},
            r"period: must not start before the balance's periods end, 2024-02-01T00:00:0",
        ),
        (
            {"balance": Balance(burndowns=[Burndown(FEB.end, "runs")])},
            r"period: must not start before the balance's periods end, 2024-03-01T00:00:0",
        ),
    ],
)
def test_what_does_not_go_together_is_refused(named: Any, problem: str) -> None:
    with pytest.raises(InvalidValue, match=f"^{problem}"):
        settle(PLAIN, runs(5), **named)


FLOW = Plan("p", "USD", {"runs": Allowance(0, PerUnit(1), kind="flow")})


@pytest.mark.parametrize("ended", [True, False])
@pytest.mark.parametrize(
    ("named", "problem"),
    [
        ({"levels": ["runs"]}, "kind: must be 'level', as the metric is counted"),
        ({"levels": 42}, "^levels: "),
        ({"levels": [42]}, r"^levels\[0\]: "),
        ({"levels": "runs"}, "^levels: "),
        ({"grants": None}, "^grants: "),
        ({"events": None}, "^events: "),
        ({"plans": {"p": Plan("other", "USD", FLOW.allowances)}}, r"^plans\.p\.slug: must be that"),
        ({"plans": lambda *_: Plan("other", "USD", {})}, r"^plans\.p\.slug: must be that"),
    ],
)
def test_the_simplest_period_refuses_no_less_than_any_other(
    ended: bool, named: dict[str, Any], problem: str
) -> None:
    month = Period.month(2024, 1)
    account, usage = Account("org-1", "p", since=month.start), Usage("org-1", month, {"runs": 5})
    with pytest.raises((InvalidType, InvalidValue), match=problem):
        overages.settle(
            account, usage=usage, period=month, ended=ended, **{"plans": {"p": FLOW}, **named}
        )
    assert (
        overages.settle(account, {"p": FLOW}, month, usage, levels=["seats"]).statement.total.minor
        == 500
    )


def test_all_that_does_not_go_together_is_told() -> None:
    usage = Usage("org-1", JAN, {"jobs": 1, "images": 2})
    with pytest.raises(InvalidValues) as caught:
        settle(
            PLAIN,
            usage,
            Balance({"runs": [CarriedUnits(5, JAN)]}, [Usage("org-2", JAN, {})]),
            limits={"calls": 5},
            events=[UsageEvent("org-2", "runs", 1, JAN.start)],
        )
    assert [error.field for error in caught.value.errors] == [
        "events[0].org_id",
        "balance.used[0].org_id",
        "period",
    ]
    with pytest.raises(InvalidValues) as caught:
        settle(PLAIN, usage, limits={"calls": 5}, ended=False)
    assert [error.field for error in caught.value.errors] == [
        "limits.calls",
        "usage.quantities.images",
        "usage.quantities.jobs",
    ]


def test_a_grant_that_was_drawn_on_must_still_be_given() -> None:
    (first,) = settled(PLAIN, 25, grants=[PACK])
    with pytest.raises(InvalidValue, match="must hold every grant that start has"):
        settle(PLAIN, runs(25, FEB), first.balance, grants=[evolve(PACK, id="other")])
    assert settle(PLAIN, runs(25, FEB), first.balance).balance == first.balance


def test_unknown_metrics_are_not_priced_silently_at_zero() -> None:
    with pytest.raises(UnknownMetric, match=r"(^|: )usage\.quantities\.jobs: "):
        settle(PLAIN, Usage("org-1", JAN, {"jobs": 1}))


def test_a_bill_that_is_not_the_last_has_no_true_up() -> None:
    plan = evolve(PLAIN, minimum=Money(700, "USD"))
    assert settle(plan, runs(0), ended=False).statement.total.minor == 0
