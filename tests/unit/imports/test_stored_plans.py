"""Files without plans: their metrics and currencies are those of plans that are kept."""

import pytest
from tests.plan_files import MINIMAL, applied

from overages import Metric, Repository
from overages.errors import OveragesError
from overages.imports.applying import changes_of
from overages.imports.plans import read_plans

ACCOUNT = '[accounts.acme]\nplan = "p"\nsince = 2024-01-01T00:00:00Z\n'
CHANGED = ACCOUNT + "[[accounts.acme.changes]]\nsince = 2024-02-01T00:00:00Z\n"
EUROS = """
[plans.q]
currency = "EUR"
allowances.x = { included = 5, price = { model = "per_unit", price = "0.10" } }
"""
ALERT = '[alerts.a]\nmetric = "m"\nthreshold.percent = 80\n'
COST = '[alerts.a.threshold.cost]\namount = 5\ncurrency = "USD"\n'
GRANT = '[grants.acme.g]\namount = 5\nmetric = "m"\neffective_at = 2024-02-01T00:00:00Z\n'
COUNTED = '[metrics.m]\naggregation = "max"\n'
MAXIMUM = CHANGED + 'maximum = { amount = 5, currency = "USD" }\n'
SEATS = "[[plans.p.versions]]\nsince = 2024-04-01T00:00:00Z\nallowances.seats.included = 5\n"
SEATS += 'allowances.seats.price = { model = "per_unit", price = "1.00" }\n'
NO_PLAN = "is a metric of no plan, here or in the database"
FIRST = ": the plan comes first, in a file that is applied before, or in this one"


def refused(text: str, repository: Repository) -> list[str]:
    """Return the errors of a text that can't be applied."""
    with pytest.raises(OveragesError) as caught:
        changes_of(read_plans(text), repository)
    return [str(each) for each in caught.value.errors]


@pytest.mark.parametrize(
    ("text", "change"),
    [
        (ALERT, "alert a: new"),
        (ALERT.replace('"m"', '"seats"'), "alert a: new"),
        (COST, "alert a: new"),
        (COST.replace("USD", "EUR"), "alert a: new"),
        ('[alerts.a]\nmetric = "m"\n' + COST, "alert a: new"),
        ("[alerts.a]\nbudget = 'b'\n" + COST.replace("USD", "CHF"), "alert a: new"),
        ("[alerts.a]\ngrant = 'g'\n" + COST.replace("USD", "CHF"), "alert a: new"),
        ("[alerts.a]\noccasion = 'trial_expiring'\n", "alert a: new"),
        (GRANT, "grant acme/g: new"),
        (GRANT.replace("= 5", "= { amount = 5, currency = 'USD' }"), "grant acme/g: new"),
        (COUNTED, "metric m: new"),
        (CHANGED + "limits = { m = 5, seats = 5 }\n", "account acme: 1 entry more: limits from"),
        (
            CHANGED + "limits.seats = 5\nplan_version = 2\n",
            "account acme: 1 entry more: limits, plan_version 2",
        ),
        (CHANGED + "kind = 'end'\n", "account acme: 1 entry more: ends on 2024-02-01"),
        (MAXIMUM, "account acme: 1 entry more: maximum from 2024-02-01"),
    ],
)
def test_a_metric_and_a_currency_of_a_plan_that_is_kept_are_taken(
    repository: Repository, text: str, change: str
) -> None:
    applied(MINIMAL + SEATS + EUROS + ACCOUNT, repository)
    (line,) = applied(text, repository)
    assert line.startswith(change)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (ALERT, f"alerts.a.metric: 'mm' {NO_PLAN} (did you mean 'm'?){FIRST}"),
        (GRANT, f"grants.acme.g.metric: 'mm' {NO_PLAN} (did you mean 'm'?){FIRST}"),
        (COUNTED, f"metrics.mm: 'mm' {NO_PLAN} (did you mean 'm'?){FIRST}"),
        (
            CHANGED + "limits = { seats = 5, mm = 5 }\n[[accounts.acme.changes]]\n"
            "since = 2024-03-01T00:00:00Z\nlimits.mm = 6",
            "accounts.acme.changes[0].limits.mm: 'mm' is not in plan 'p', whose metrics are: m,"
            " seats (did you mean 'm'?)",
        ),
        (
            CHANGED + "limits.seats = 5\nplan_version = 1",
            "accounts.acme.changes[0].limits.seats: 'seats' is not in plan 'p', whose metrics are:"
            " m",
        ),
        (
            COST.replace("USD", "CHF"),
            "alerts.a.threshold.cost: must be in the currency of a plan, EUR or USD, got"
            " Money(500, 'CHF')",
        ),
        (
            '[alerts.a]\nmetric = "x"\n' + COST,
            "alerts.a.threshold.cost: must be in the currency of a plan that has 'x', EUR, got"
            " Money(500, 'USD')",
        ),
        (
            GRANT.replace('metric = "m"\n', "").replace(
                "= 5", "= { amount = 5, currency = 'CHF' }"
            ),
            "grants.acme.g.amount: must be in the currency of a plan, EUR or USD, got"
            " Money(500, 'CHF')",
        ),
        (
            MAXIMUM.replace("USD", "EUR"),
            "accounts.acme.maximum: USD and EUR can't be added or compared",
        ),
    ],
)
def test_one_that_no_plan_has_is_named(repository: Repository, text: str, fault: str) -> None:
    applied(MINIMAL + SEATS + EUROS + ACCOUNT, repository)
    text = text.replace('"m"', '"mm"').replace("metrics.m]", "metrics.mm]")
    assert refused(text, repository) == [fault]


def test_all_that_an_account_says_amiss_is_told_at_once(repository: Repository) -> None:
    applied(MINIMAL + ACCOUNT, repository)
    text = MAXIMUM.replace("USD", "EUR") + "limits.x = 5\n"
    assert [told.partition(": ")[0] for told in refused(text, repository)] == [
        "accounts.acme.changes[0].limits.x",
        "accounts.acme.maximum",
    ]


def test_plans_come_first_or_in_the_same_file(repository: Repository) -> None:
    assert refused(ALERT, repository) == [f"alerts.a.metric: 'm' {NO_PLAN}{FIRST}"]
    (told,) = refused(COST, repository)
    assert "must be in the currency of a plan, of which there is none, got" in told
    repository.put_metric(Metric("m", "max"))
    assert refused(ALERT, repository) == [f"alerts.a.metric: 'm' {NO_PLAN}{FIRST}"]
    assert applied(MINIMAL + ALERT, repository)[-1] == "alert a: new"


def test_one_that_was_put_before_by_a_host_stays(repository: Repository) -> None:
    repository.put_metric(Metric("m", "max"))
    assert applied(COUNTED, repository) == []


def test_an_account_of_a_plan_that_isnt_there_is_told_so_alone(repository: Repository) -> None:
    (told,) = refused(ACCOUNT + "limits.m = 5\n", repository)
    assert told.startswith(
        "accounts.acme.plan: must be one of the plans, here or in the database, of which there is"
    )
