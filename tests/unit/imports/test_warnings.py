"""Budgets and alerts in files of plans, and how they are put into a repository."""

from datetime import UTC, datetime
from typing import Any

import pytest
from tests.plan_files import MINIMAL, NOW, applied, faults

from overages import (
    Alert,
    Budget,
    Cycle,
    Grant,
    MemoryRepository,
    Money,
    OverageService,
    Plan,
    Repository,
    Threshold,
    UsageEvent,
)
from overages.errors import InvalidValue, OveragesError, StorageBusy
from overages.imports.applying import apply, changes_of
from overages.imports.plans import PlanBook, read_plans
from overages.imports.warnings import never_there, out_of_reach, without_subject

ACCOUNT = '[accounts.acme]\nplan = "p"\nsince = 2024-01-01T00:00:00Z\n'
PLAN = MINIMAL + ACCOUNT
DOLLARS = 'amount = { amount = "20.00", currency = "USD" }\n'
BUDGET = "[budgets.acme.daily]\n" + DOLLARS + 'on_reached = "stop_usage"\nwindow.unit = "day"\n'
ALERT = '[alerts.m-80]\nmetric = "m"\nthreshold.percent = 80\n'
OWN = '[org_alerts.acme.daily-90]\nbudget = "daily"\nthreshold.percent = 90\n'


def budget(terms: str) -> Budget | None:
    """Return the budget of some terms in a file whose months are in Paris."""
    text = 'timezone = "Europe/Paris"\n' + MINIMAL + "[budgets.acme.b]\n" + terms
    return read_plans(text).budgets["acme"]["b"]


def refused(text: str, repository: Repository) -> list[str]:
    """Return the errors of a text that can't be applied; nothing of it is kept."""
    with pytest.raises(OveragesError) as caught:
        apply(changes_of(read_plans(text), repository), repository, NOW)
    assert repository.budgets("acme") == ()
    assert repository.alert_definitions("acme") == ()
    return [str(each) for each in caught.value.errors]


# What a file says


def test_a_budget_has_all_the_terms_that_it_has_in_python() -> None:
    paris = Cycle.calendar("week", "Europe/Paris")
    assert budget(DOLLARS) == Budget(Money.of("20", "USD"), id="b")
    assert budget('amount = "1.5"\nmetric = "m"\non_reached = "stop_usage"') == Budget(
        "1.5", id="b", metric="m", on_reached="stop_usage"
    )
    assert budget(DOLLARS + 'window = { unit = "week" }') == Budget(
        Money.of("20", "USD"), id="b", window=paris
    )


def test_a_window_is_of_the_calendar_or_any_cycle() -> None:
    def window(terms: str) -> Cycle | None:
        own = budget(DOLLARS + f"window = {{ {terms} }}")
        return None if own is None else own.window

    anchor = datetime(2024, 2, 1, 6, tzinfo=UTC)
    assert window('unit = "day"') == Cycle.calendar("day", "Europe/Paris")
    assert window('unit = "day", timezone = "UTC"') == Cycle.calendar("day")
    assert window('unit = "day", every = 2, anchor = 2024-02-01T06:00:00Z') == Cycle(
        anchor, every=2, unit="day", timezone="Europe/Paris"
    )


def test_an_alert_has_all_the_terms_that_it_has_in_python() -> None:
    book = read_plans(
        MINIMAL
        + ALERT
        + 'severity = "critical"\nrearm = 60\n'
        + "[alerts.trial]\noccasion = 'trial_expiring'\ndays_before = 3\n"
        + "[org_alerts.acme.spend.threshold]\nrepeat = true\n"
        + 'cost = { amount = 100, currency = "USD" }\n'
    )
    assert book.alerts == {
        "m-80": Alert("m-80", Threshold(percent=80), metric="m", severity="critical", rearm=60),
        "trial": Alert("trial", occasion="trial_expiring", days_before=3),
    }
    spend = Threshold(cost=Money.of("100", "USD"), repeat=True)
    assert book.org_alerts == {"acme": {"spend": Alert("spend", spend)}}


def test_one_that_is_dropped_is_none() -> None:
    text = MINIMAL + '[alerts]\na = "dropped"\n[org_alerts.x]\nb = "dropped"\n[budgets.x]\nc = '
    book = read_plans(text + '"dropped"')
    assert (book.alerts, book.org_alerts, book.budgets) == (
        {"a": None},
        {"x": {"b": None}},
        {"x": {"c": None}},
    )


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("alerts = 5", "alerts: must be a mapping, got 5"),
        ("budgets.a = 5", "budgets.a: must be a mapping, got 5"),
        ("budgets.a.b = 5", "budgets.a.b: must be a mapping, got 5"),
        (
            '[alerts]\na = "droped"',
            """alerts.a: must be a table, or "dropped" (did you mean 'dropped'?), got 'droped'""",
        ),
        (
            ALERT.replace('"m"', '"mm"'),
            "alerts.m-80.metric: 'mm' is a metric of no plan, here or in the database (did you",
        ),
        (
            ACCOUNT + '[org_alerts.acme.a]\nmetric = "mm"\nthreshold.percent = 80',
            "org_alerts.acme.a.metric: 'mm' is a metric of no plan, here or in the database (did",
        ),
        (
            ACCOUNT + '[budgets.acme.b]\namount = 5\nmetric = "x"',
            "budgets.acme.b.metric: 'x' is a metric of no plan, here or in the database: the plan",
        ),
        (
            "[budgets.acme.b]\n" + DOLLARS + 'on_reached = "stop_charging"',
            'budgets.acme.b.on_reached: must be "tell" or "stop_usage": maximum, in an account,'
            " stops charging, got 'stop_charging'",
        ),
        (
            BUDGET.replace('"day"', '"hour"') + 'window.timezone = "UTC"',
            "budgets.acme.daily.window.unit: must be one of day, week, month, quarter, year, got"
            " 'hour'",
        ),
        (
            BUDGET + 'window.every = 2\nwindow.timezone = "UTC"',
            "budgets.acme.daily.window.anchor: must be given, got None",
        ),
        ("[budgets.acme.b]\n" + DOLLARS + "window = 5", "budgets.acme.b.window: must be"),
        (ALERT + "budget = 'x'", "alerts.m-80.budget: must be left out, as metric is given"),
    ],
)
def test_a_wrong_one_is_named_by_its_path(text: str, fault: str) -> None:
    (told,) = faults(f"{text}\n{MINIMAL}")
    assert told.startswith(fault)


def test_without_plans_a_metric_may_be_one_that_is_kept() -> None:
    assert read_plans(ALERT.replace('"m"', '"mm"')).alerts["m-80"] is not None


def test_a_value_has_the_name_of_its_key() -> None:
    alert = Alert("a", Threshold(percent=80), metric="m")
    with pytest.raises(InvalidValue, match=r"^alerts\.b\.id: must be 'b', as its key, got 'a'$"):
        PlanBook(alerts={"b": alert})
    with pytest.raises(InvalidValue, match=r"^org_alerts\.x\.b\.id: must be 'b', as its key"):
        PlanBook(org_alerts={"x": {"b": alert}})
    with pytest.raises(InvalidValue, match=r"^budgets\.x\.b\.id: must be 'b', as its key, got 'm-"):
        PlanBook(budgets={"x": {"b": Budget(5, metric="m")}})


# Applying it


def test_all_that_is_new_is_put(repository: Repository) -> None:
    assert applied(PLAN + BUDGET + ALERT + OWN, repository)[2:] == [
        "budget acme/daily: new",
        "alert m-80: new",
        "alert acme/daily-90: new",
    ]
    (daily,) = repository.budgets("acme")
    assert daily.window == Cycle.calendar("day")
    own, of_all = repository.alert_definitions("acme")
    assert (own.alert.id, own.org_id, own.put_at) == ("daily-90", "acme", NOW)
    assert (of_all.alert.id, of_all.org_id, of_all.put_at) == ("m-80", None, NOW)


def test_a_change_is_told_and_the_rest_stays(repository: Repository) -> None:
    applied(PLAN + BUDGET + ALERT + OWN, repository)
    changed = BUDGET.replace("20.00", "30.00") + ALERT.replace("80\n", "85\n")
    assert applied(PLAN + changed, repository) == [
        "budget acme/daily: amount 30.00 USD in place of 20.00 USD",
        "alert m-80: threshold 85 % used in place of 80 % used",
    ]
    assert [each.alert_version for each in repository.alert_definitions()] == [2]
    assert len(repository.alert_definitions("acme")) == 2
    assert applied(PLAN, repository) == []


def test_one_is_dropped_once(repository: Repository) -> None:
    applied(PLAN + BUDGET + ALERT + OWN, repository)
    gone = '[budgets.acme]\ndaily = "dropped"\n[alerts]\nm-80 = "dropped"\nno = "dropped"\n'
    gone += '[org_alerts.acme]\ndaily-90 = "dropped"\n'
    assert applied(PLAN + gone, repository) == [
        "budget acme/daily: dropped",
        "alert m-80: dropped",
        "alert acme/daily-90: dropped",
    ]
    assert (repository.budgets("acme"), repository.alert_definitions("acme")) == ((), ())
    assert applied(PLAN + OWN.replace('budget = "daily"', 'metric = "m"'), repository) == [
        "alert acme/daily-90: new"
    ]


def test_an_own_alert_stands_beside_that_of_all_orgs(repository: Repository) -> None:
    own = ALERT.replace("alerts.", "org_alerts.acme.").replace("80\n", "70\n")
    assert applied(PLAN + ALERT, repository)[2:] == ["alert m-80: new"]
    assert applied(PLAN + ALERT + own, repository) == ["alert acme/m-80: new"]
    assert applied(PLAN + '[alerts]\nm-80 = "dropped"\n' + own, repository) == [
        "alert m-80: dropped"
    ]


def test_what_is_reached_already_fires_at_once(repository: Repository) -> None:
    applied(PLAN, repository)
    service = OverageService(repository, clock=lambda: NOW)
    service.record_usage([UsageEvent("acme", "m", 1_000_000, NOW, "e-1")])
    applied(PLAN + BUDGET + OWN, repository)
    (fired,) = repository.fired_alerts("acme")
    assert (fired.definition.alert.id, fired.state, fired.noted_at) == ("daily-90", "reached", NOW)


def test_one_of_an_org_without_terms_yet_is_kept(repository: Repository) -> None:
    later = PLAN.replace("2024-01-01", "2024-05-01")
    own = '[org_alerts.acme.m-70]\nmetric = "m"\nthreshold.percent = 70\n'
    assert applied(later + BUDGET + own, repository)[2:] == [
        "budget acme/daily: new",
        "alert acme/m-70: new",
    ]
    assert [each.put_at for each in repository.alert_definitions("acme")] == [NOW]
    assert len(repository.budgets("acme")) == 1


@pytest.mark.parametrize("table", [BUDGET, OWN], ids=["budget", "alert"])
def test_an_org_without_an_account_is_named(repository: Repository, table: str) -> None:
    name = table[1 : table.index(".")]
    text = 'timezone = "UTC"\n' + PLAN + table.replace("acme", "acmee")
    (told,) = refused(text, repository)
    assert told == (
        f"{name}.acmee: must be an org with an account (did you mean 'acme'?), got 'acmee'"
    )


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (BUDGET.replace("USD", "EUR"), "budgets.acme.daily.amount: EUR and USD can't be added"),
        (
            OWN,
            "org_alerts.acme.daily-90.budget: must be one of the org's budgets, of which there is"
            " none, got 'daily'",
        ),
        (
            "[org_alerts.acme.a.threshold]\ncost = { amount = 5, currency = 'EUR' }",
            "org_alerts.acme.a.threshold: EUR and USD can't be added",
        ),
        (
            OWN.replace("budget", "grant"),
            "org_alerts.acme.daily-90.grant: must be one of the org's grants",
        ),
    ],
)
def test_one_that_nothing_could_reach_is_named_by_its_path(
    repository: Repository, text: str, fault: str
) -> None:
    (told,) = refused(PLAN + text, repository)
    assert fault in told
    assert told.startswith("acme")


def test_names_that_an_org_hasnt_are_told_together_before_anything_is_put(
    repository: Repository,
) -> None:
    applied(PLAN + BUDGET, repository)
    granted = '[grants.acme.pack]\namount = 5\nmetric = "m"\n'
    granted += "effective_at = 2024-02-01T00:00:00Z\n"
    gone = '[budgets.acme]\ndaily = "dropped"\n'
    pack = OWN.replace("daily-90", "pack-90").replace('budget = "daily"', 'grant = "pack"')
    text = PLAN + granted + gone + OWN + pack.replace('"pack"', '"pak"').replace("pack-", "pak-")
    with pytest.raises(OveragesError) as caught:
        changes_of(read_plans(text + pack), repository)
    assert [str(each) for each in caught.value.errors] == [
        "acme: org_alerts.acme.daily-90.budget: must be one of the org's budgets, of which there"
        " is none, got 'daily'",
        "acme: org_alerts.acme.pak-90.grant: must be one of the org's grants, pack, got 'pak'",
    ]
    assert applied(PLAN + granted + OWN + pack, repository) == [
        "grant acme/pack: new",
        "alert acme/daily-90: new",
        "alert acme/pack-90: new",
    ]


def test_a_metric_that_the_orgs_plan_hasnt_is_named(repository: Repository) -> None:
    other = MINIMAL.replace("[plans.p]", "[plans.q]").replace(".m =", ".x =")
    of_x = '[budgets.acme.b]\namount = 5\nmetric = "x"\n'
    of_x += '[org_alerts.acme.a]\nmetric = "x"\nthreshold.quantity = 5\n'
    assert refused(PLAN + other + of_x, repository) == [
        "acme: budgets.acme.b.metric: 'x' must be a metric of the org's plan, m",
        "acme: org_alerts.acme.a.metric: 'x' must be a metric of the org's plan, m",
    ]


def test_a_budget_that_stops_charging_stays_as_it_is(repository: Repository) -> None:
    applied(PLAN, repository)
    service = OverageService(repository, clock=lambda: NOW)
    service.put_budget("acme", Budget(Money.of("20", "USD"), id="b", on_reached="stop_charging"))
    for terms in ("[budgets.acme.b]\n" + DOLLARS, '[budgets.acme]\nb = "dropped"\n'):
        with pytest.raises(InvalidValue) as caught:
            changes_of(read_plans(MINIMAL + terms), repository)
        assert str(caught.value).startswith(
            "budgets.acme.b: must stay as it is, as it stops charging: OverageService.drop_budget"
        )


def test_a_fault_of_the_storage_is_no_fault_of_the_files() -> None:
    class Busy(MemoryRepository):
        is_busy = False

        def plan(self, slug: str, **version: Any) -> Plan:
            if self.is_busy:
                raise StorageBusy(f"{slug}: busy")
            return super().plan(slug, **version)

    repository = Busy()
    applied(PLAN, repository)
    changes = changes_of(read_plans(PLAN + BUDGET), repository)
    repository.is_busy = True
    with pytest.raises(StorageBusy, match=r"^p: busy$"):
        apply(changes, repository, NOW)


def use(repository: Repository, *quantities: int) -> None:
    events = [
        UsageEvent("acme", "m", quantity, NOW, f"e-{number}")
        for number, quantity in enumerate(quantities)
    ]
    OverageService(repository, clock=lambda: NOW).record_usage(events)


def test_a_budget_isnt_refused_for_another_one(repository: Repository) -> None:
    applied(PLAN, repository)
    euros = [Budget(Money.of("5", "EUR"), id=name) for name in ("a", "b", "z")]
    for each in euros:
        repository.put_budget("acme", each)
    changed = "".join(
        f"[budgets.acme.{name}.amount]\namount = 7\ncurrency = 'USD'\n" for name in ("a", "b")
    )
    assert applied(PLAN + changed, repository) == [
        "budget acme/a: amount 7.00 USD in place of 5.00 EUR",
        "budget acme/b: amount 7.00 USD in place of 5.00 EUR",
    ]


def test_all_of_a_file_is_put_before_any_of_its_alerts_fires(repository: Repository) -> None:
    applied(PLAN + BUDGET.replace("20.00", "200.00") + OWN.replace("90", "50"), repository)
    use(repository, 600)  # which costs 59.50
    assert repository.fired_alerts("acme") == ()
    counted = '[metrics.m]\naggregation = "count"\n'
    hundred = '[org_alerts.acme.m-100]\nmetric = "m"\nthreshold.quantity = 100\n'
    applied(PLAN + BUDGET.replace("20.00", "100.00") + OWN + counted + hundred, repository)
    assert repository.fired_alerts("acme") == ()


def test_an_alert_that_the_file_drops_doesnt_fire_by_its_budget(repository: Repository) -> None:
    applied(PLAN + BUDGET.replace("20.00", "200.00") + OWN, repository)
    use(repository, 600)  # which costs 59.50
    gone = '[org_alerts.acme]\ndaily-90 = "dropped"\n'
    applied(PLAN + BUDGET.replace("20.00", "60.00") + gone, repository)
    assert repository.fired_alerts("acme") == ()
    applied(PLAN + OWN, repository)
    assert len(repository.fired_alerts("acme")) == 1


def test_a_wrong_timezone_of_the_file_is_told_once() -> None:
    (told,) = faults('timezone = "Mars"\n' + MINIMAL + BUDGET)
    assert told.startswith("timezone: ")


def test_usage_that_cant_be_billed_refuses_no_file(repository: Repository) -> None:
    applied(PLAN, repository)
    use(repository, -5)
    assert applied(PLAN + BUDGET + OWN, repository) == [
        "budget acme/daily: new",
        "alert acme/daily-90: new",
    ]


@pytest.mark.parametrize("table", [BUDGET.replace("USD", "EUR"), OWN.replace("daily", "dayly")])
def test_terms_that_begin_later_are_compared_as_well(repository: Repository, table: str) -> None:
    later = PLAN.replace("2024-01-01", "2024-05-01")
    (told,) = refused(later + table, repository)
    assert told.startswith("acme: ")


def test_an_org_without_terms_any_more_is_compared_with_none(repository: Repository) -> None:
    ended = "[[accounts.acme.changes]]\nsince = 2024-02-01T00:00:00Z\nkind = 'end'\n"
    cost = "[org_alerts.acme.a.threshold]\ncost = { amount = 5, currency = 'EUR' }"
    text = PLAN + ended + BUDGET.replace("USD", "EUR") + cost
    assert len(applied(text, repository)) == 4


def test_a_window_has_the_timezone_of_the_orgs_account_or_the_file(repository: Repository) -> None:
    def zone(text: str) -> str:
        own = read_plans(text + BUDGET).budgets["acme"]["daily"]
        assert own is not None
        assert own.window is not None
        return own.window.timezone

    cycle = 'cycle = { anchor = 2024-01-01T00:00:00Z, unit = "month", timezone = "Asia/Tokyo" }\n'
    paris = 'timezone = "Europe/Paris"\n'
    assert zone(PLAN) == "UTC"
    assert zone(PLAN + cycle) == "Asia/Tokyo"
    assert zone(PLAN + cycle.replace(', timezone = "Asia/Tokyo"', "")) == "UTC"
    assert zone(paris + PLAN) == "Europe/Paris"
    assert zone(paris + MINIMAL) == "Europe/Paris"
    assert faults(BUDGET) == [
        "budgets.acme.daily.window.timezone: must be given, here or for the whole file, got None"
    ]
    anchored = BUDGET + "window.anchor = 2024-02-01T00:00:00Z"
    assert faults(anchored) == faults(BUDGET)
    applied(PLAN + BUDGET, repository)
    assert applied(PLAN + BUDGET + 'window.timezone = "Asia/Tokyo"', repository) == [
        "budget acme/daily: window day in Asia/Tokyo, from 1999-12-31 15:00:00 UTC in place of"
        " day in UTC, from 2000-01-01"
    ]
    every = 'window = { unit = "day", every = 2, anchor = 2024-02-01T00:00:00Z }\n'
    both = PLAN + BUDGET.replace('window.unit = "day"\n', every)
    (line,) = applied(both, repository)
    assert line.startswith("budget acme/daily: window 2 x day in UTC, from 2024-02-01 in place of")


def test_an_alert_that_the_orgs_terms_cant_reach_is_told(repository: Repository) -> None:
    own = '[org_alerts.acme.m-70]\nmetric = "m"\nthreshold.percent = 70\n'
    applied(PLAN + BUDGET + OWN + ALERT + own, repository)
    assert list(out_of_reach("acme", repository, NOW)) == []
    repository.drop_budget("acme", "daily")
    ((alert, error),) = out_of_reach("acme", repository, NOW)
    assert (alert.id, error.path) == ("daily-90", ("alert", "budget"))
    assert list(out_of_reach("bolt", repository, NOW)) == []
    ended = "[[accounts.acme.changes]]\nsince = 2024-02-01T00:00:00Z\nkind = 'end'\n"
    applied(PLAN + ended, repository)
    assert list(out_of_reach("acme", repository, NOW)) == []


def test_a_budget_or_a_grant_that_no_org_has_is_told(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    applied(PLAN + BUDGET + ACCOUNT.replace("acme", "bolt"), repository)
    repository.put_budget("bolt", Budget(5, id="weekly", metric="m"))
    eighty = Threshold(percent=80)
    alerts = [
        Alert("a", eighty, budget="daily"),
        Alert("b", eighty, budget="weekl"),
        Alert("c", occasion="grant_expiring", grant="top-up"),
        Alert("d", occasion="grant_expiring"),
    ]
    told = [(alert.id, *rest) for alert, *rest in without_subject(alerts, repository)]
    assert told == [
        ("b", "budget 'weekl'", " (did you mean 'weekly'?)"),
        ("c", "grant 'top-up'", ""),
    ]
    assert list(without_subject([alerts[0], alerts[3]], repository)) == []
    monkeypatch.setattr("overages.imports.warnings._MOST_NEAR", 1)
    ((_, _, near),) = without_subject([alerts[1]], repository)
    assert near == ""  # as it looks among those of the first orgs


def test_a_storage_that_fails_is_no_alert_that_cant_be_reached() -> None:
    class Busy(MemoryRepository):
        def grants(self, org_id: str) -> tuple[Grant, ...]:
            raise StorageBusy(f"{org_id}: busy")

    repository = Busy()
    applied(PLAN, repository)
    repository.put_alert(Alert("g", Threshold(percent=80), grant="g"), put_at=NOW, org_id="acme")
    with pytest.raises(StorageBusy, match=r"busy$"):
        list(out_of_reach("acme", repository, NOW))


def test_one_that_is_dropped_and_never_was_is_told(repository: Repository) -> None:
    applied(PLAN + BUDGET + ALERT + OWN, repository)
    gone = '[budgets.acme]\ndaily = "dropped"\ndayly = "dropped"\n[alerts]\nm-80 = "dropped"\n'
    gone += 'm-81 = "dropped"\n[org_alerts.acme]\ndaily-90 = "dropped"\nm-80 = "dropped"\n'
    for _ in range(2):
        book = read_plans(PLAN + gone)
        assert sorted(never_there(book, repository)) == [
            ("alerts", "m-81"),
            ("budgets", "acme", "dayly"),
            ("org_alerts", "acme", "m-80"),
        ]
        applied(PLAN + gone, repository)
    assert list(never_there(read_plans(PLAN + ALERT + BUDGET), repository)) == []
