"""Alerts on the command line: those that fire are said, and all are listed."""

from datetime import UTC, datetime, timedelta
from itertools import count
from types import SimpleNamespace

import pytest
from tests.desk import WITH_IDS, NearDesk

from overages import Alert, SqliteRepository, Threshold
from overages.commands import alerts, apply, close, ingest, withdraw

NOW = datetime(2024, 2, 29, 23, 30, tzinfo=UTC)
AT = "2024-02-29T23:15:00Z"  # in Paris, it is March by then
ALERTS = """
[alerts.tokens-80]
metric = "tokens"
threshold.percent = 80
[budgets.acme.few]
amount = { amount = "1.00", currency = "USD" }
[org_alerts.acme.few-50]
budget = "few"
threshold.percent = 50
severity = "critical"
"""
OWN = '[org_alerts.bolt.tokens-70]\nmetric = "tokens"\nthreshold.percent = 70\n'
BOLT = "bolt: warning: 80 % of tokens are used: 90 of 100, 10 remaining (February 2024)\n"


@pytest.fixture(autouse=True)
def clock(desk: NearDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have a second go by between commands, and apply the plans with alerts."""
    seconds = count()
    ticking = SimpleNamespace(now=lambda _: NOW + timedelta(seconds=next(seconds)))
    for command in (alerts, apply, close, ingest, withdraw):
        monkeypatch.setattr(command, "datetime", ticking)
    desk.write("plans.toml", (desk.folder / "plans.toml").read_text() + ALERTS)
    desk.done("apply", "--plans", "plans.toml", "--db", "b.db")


def use(desk: NearDesk, *rows: str) -> None:
    """Write a file of usage, whose rows are an id, an org and units."""
    cells = (row.split(",") for row in rows)
    told = (f"{event},{org_id},tokens,{units},{AT}" for event, org_id, units in cells)
    desk.usage("u.csv", *told, header=WITH_IDS)


def ingested(desk: NearDesk, *rows: str) -> str:
    """Put some usage; return what is said beside its results."""
    use(desk, *rows)
    return desk.run("ingest", "u.csv", "--db", "b.db").err


def fired(desk: NearDesk) -> int:
    with SqliteRepository(desk.folder / "b.db") as repository:
        return len(repository.fired_alerts("bolt"))


def test_alerts_that_usage_fires_are_said_once(desk: NearDesk) -> None:
    use(desk, "e-1,acme,170", "e-2,bolt,79")
    assert desk.run("ingest", "u.csv", "--db", "b.db") == (
        0,
        "b.db: rows: 2, new events: 2\n",
        "acme: critical: 50 % of budget few is used: 0.70 USD of 1.00 USD, 0.30 USD remaining"
        " (February 2024)\n"
        "acme: warning: 80 % of tokens are used: 170 of 100, 0 remaining (February 2024)\n",
    )
    assert desk.run("ingest", "u.csv", "--db", "b.db").err == ""


def test_a_dry_run_says_them_too(desk: NearDesk) -> None:
    use(desk, "e-1,bolt,90")
    dry = desk.run("ingest", "u.csv", "--db", "b.db", "--dry-run")
    assert dry.err == f"{BOLT}dry run: nothing was written\n"
    assert desk.run("ingest", "u.csv", "--db", "b.db").err == BOLT


def test_closing_with_usage_says_them_of_new_orgs_as_well(desk: NearDesk) -> None:
    use(desk, "e-1,coda,90")
    files = ["--plans", "plans.toml", "--usage", "u.csv", "--new-orgs"]
    ran = desk.run("close", *files, "--db", "b.db")
    assert ran.err.startswith(BOLT.replace("bolt", "coda"))


def test_an_alert_that_is_cleared_is_said(desk: NearDesk) -> None:
    assert ingested(desk, "e-1,bolt,90") == BOLT
    ran = desk.run("withdraw", "--db", "b.db", "--org", "bolt", "e-1")
    assert ran.err == (
        "bolt: warning: no longer: 80 % of tokens are used: 0 of 100, 100 remaining"
        " (February 2024)\n"
    )


def test_one_that_is_reached_as_it_is_put_is_said(desk: NearDesk) -> None:
    ingested(desk, "e-1,bolt,90")
    desk.write("more.toml", OWN)
    assert desk.run("apply", "--plans", "more.toml", "--db", "b.db") == (
        0,
        "more.toml: alert bolt/tokens-70: new\n",
        BOLT.replace("80 %", "70 %"),
    )


def test_the_first_twenty_are_said_and_a_count(desk: NearDesk) -> None:
    use(desk, *(f"e-{number},org-{number:02},90" for number in range(22)))
    ran = desk.run("ingest", "u.csv", "--db", "b.db", "--new-orgs", "--layout", "plans.toml")
    first, *_, last, more = ran.err.splitlines()
    assert (first[:7], last[:7]) == ("org-00:", "org-19:")
    assert more == "and 2 more alerts; overages alerts lists them all"
    assert len(desk.done("alerts", "--db", "b.db").splitlines()) == 22


def test_one_that_is_noted_in_silence_is_not_said(desk: NearDesk) -> None:
    for event_id in ("e-1", "e-2"):
        said = ingested(desk, f"{event_id},bolt,90")
        assert said == (BOLT if event_id == "e-1" else "")
        desk.done("withdraw", "--db", "b.db", "--org", "bolt", event_id)
    assert fired(desk) > len(desk.done("alerts", "--db", "b.db").splitlines())


def test_alerts_are_listed_newest_first_by_the_days_of_the_org(desk: NearDesk) -> None:
    account = '[accounts.paris]\nplan = "p"\nsince = 2023-12-31T23:00:00Z\n'
    desk.write("paris.toml", f'timezone = "Europe/Paris"\n{account}')
    desk.done("apply", "--plans", "paris.toml", "--db", "b.db")
    ingested(desk, "e-1,paris,90", "e-2,bolt,90")
    desk.done("withdraw", "--db", "b.db", "--org", "paris", "e-1")
    lines = desk.done("alerts", "--db", "b.db").splitlines()
    assert lines == [
        "2024-02-29 23:30:03 UTC, paris: warning: no longer: 80 % of tokens are used: 0 of 100,"
        " 100 remaining (March 2024)",
        f"2024-02-29 23:30:02 UTC, {BOLT.strip()}",
        "2024-02-29 23:30:02 UTC, paris: warning: 80 % of tokens are used: 90 of 100,"
        " 10 remaining (March 2024)",
    ]
    assert desk.done("alerts", "--db", "b.db", "--org", "bolt").splitlines() == lines[1:2]


def test_alerts_that_come_with_time_are_looked_for(desk: NearDesk) -> None:
    ingested(desk, "e-1,bolt,90")
    with SqliteRepository(desk.folder / "b.db") as repository:
        seventy = Alert("tokens-70", Threshold(percent=70), metric="tokens")
        repository.put_alert(seventy, put_at=NOW)
    dry = desk.run("alerts", "--db", "b.db", "--dry-run")
    assert dry.out.count("\n") == 2
    assert fired(desk) == 1
    assert desk.run("alerts", "--db", "b.db").out.count("\n") == 2
    assert fired(desk) == 2


def test_a_daily_job_says_each_that_came_with_time_once(desk: NearDesk) -> None:
    ingested(desk, "e-1,bolt,90")
    assert desk.run("alerts", "--db", "b.db", "--new") == (0, "", "")
    with SqliteRepository(desk.folder / "b.db") as repository:
        seventy = Alert("tokens-70", Threshold(percent=70), metric="tokens")
        repository.put_alert(seventy, put_at=NOW)
    assert desk.run("alerts", "--db", "b.db", "--new").out.endswith(BOLT.replace("80 %", "70 %"))
    assert desk.run("alerts", "--db", "b.db", "--new") == (0, "", "")


def test_closing_with_plans_says_those_that_it_puts(desk: NearDesk) -> None:
    ingested(desk, "e-1,bolt,90")
    desk.write("more.toml", OWN)
    closing = ("close", "--plans", "more.toml", "--db", "b.db")
    assert desk.run(*closing).err == BOLT.replace("80 %", "70 %")
    assert desk.run(*closing).err == ""


def test_the_days_of_a_window_are_told_in_its_own_timezone(desk: NearDesk) -> None:
    desk.write(
        "more.toml",
        '[budgets.bolt.day]\namount = 100\nmetric = "tokens"\n'
        'window = { unit = "day", timezone = "Asia/Tokyo" }\n'
        '[org_alerts.bolt.day-80]\nbudget = "day"\nthreshold.percent = 80\n',
    )
    desk.done("apply", "--plans", "more.toml", "--db", "b.db")
    assert ingested(desk, "e-1,bolt,90").splitlines() == [
        BOLT.strip(),
        "bolt: warning: 80 % of budget day is used: 90 of 100, 10 remaining"
        " (2024-03-01 to 2024-03-02 Asia/Tokyo)",
    ]


def test_a_budget_that_is_new_is_none_of_the_day_before(desk: NearDesk) -> None:
    alert = '[alerts.day-80]\nbudget = "day"\nthreshold.percent = 80\n'
    budget = '[budgets.bolt.day]\namount = 50\nmetric = "tokens"\n'
    budget += 'window = { unit = "day", timezone = "UTC" }\n'
    with SqliteRepository(desk.folder / "b.db") as repository:
        day_80 = Alert("day-80", Threshold(percent=80), budget="day")
        repository.put_alert(day_80, put_at=NOW - timedelta(days=9))
    desk.usage("u.csv", f"bolt,tokens,60,{AT.replace('29T', '28T')}", f"bolt,tokens,5,{AT}")
    desk.done("ingest", "u.csv", "--db", "b.db")
    desk.write("more.toml", alert + budget)
    assert desk.run("apply", "--plans", "more.toml", "--db", "b.db").err == ""
    assert desk.run("alerts", "--db", "b.db", "--new") == (0, "", "")
    desk.usage("more.csv", f"bolt,tokens,1,{AT.replace('29T', '28T')}")
    assert desk.run("ingest", "more.csv", "--db", "b.db").err == ""


def test_a_file_in_place_of_another_is_one_change(desk: NearDesk) -> None:
    def put(units: int, *replace: str) -> str:
        desk.usage("f.csv", f"bolt,tokens,{units},{AT}", f"bolt,tokens,0,{AT}")
        return desk.run("ingest", "f.csv", "--db", "b.db", *replace).err

    assert put(70) == ""
    assert put(60, "--replace", "f.csv") == ""  # they were 130 before the first was taken back
    assert put(90, "--replace", "f.csv") == BOLT
    assert put(95, "--replace", "f.csv") == ""
    assert put(10, "--replace", "f.csv") == (
        "bolt: warning: no longer: 80 % of tokens are used: 10 of 100, 90 remaining"
        " (February 2024)\n"
    )
    assert len(desk.done("alerts", "--db", "b.db").splitlines()) == 2


def test_new_orgs_of_a_file_in_place_of_another_are_seen_once_too(desk: NearDesk) -> None:
    new = ("--new-orgs", "--layout", "plans.toml")
    desk.usage("f.csv", f"bolt,tokens,1,{AT}")
    desk.done("ingest", "f.csv", "--db", "b.db")
    desk.usage("f.csv", f"coda,tokens,90,{AT}", f"coda,tokens,-20,{AT}")
    assert desk.run("ingest", "f.csv", "--db", "b.db", "--replace", "f.csv", *new).err == ""


def test_closing_by_a_past_day_leaves_alerts_as_they_are_today(desk: NearDesk) -> None:
    own = "[grants.bolt.g]\namount = 50\nmetric = 'tokens'\n"
    own += "effective_at = 2024-02-01T00:00:00Z\nexpires_at = 2024-02-20T00:00:00Z\n"
    desk.write("grant.toml", own)
    desk.done("apply", "--plans", "grant.toml", "--db", "b.db")
    assert ingested(desk, "e-1,bolt,90") == BOLT
    use(desk, "e-2,acme,90")
    desk.write("more.toml", '[budgets.bolt.b]\namount = 5\nmetric = "tokens"\n' + OWN)
    closing = ["close", "--plans", "more.toml", "--usage", "u.csv", "--db", "b.db"]
    ran = desk.run(*closing, "--until", "2024-02-10")
    assert ran.err.splitlines() == [
        BOLT.strip().replace("bolt", "acme"),
        BOLT.strip().replace("80 %", "70 %"),
    ]
    with SqliteRepository(desk.folder / "b.db") as repository:
        put = [each.put_at for each in repository.alert_definitions("bolt")]
        assert min(put) >= NOW
    desk.write("more.toml", '[budgets.bolt.b]\namount = 6\nmetric = "tokens"\n' + OWN)
    assert desk.run(*closing, "--until", "2024-02-10").err == ""


def test_one_that_is_dropped_and_never_was_is_said(desk: NearDesk) -> None:
    desk.write("more.toml", '[alerts]\ntokens-81 = "dropped"\n')
    assert desk.run("apply", "--plans", "more.toml", "--db", "b.db") == (
        0,
        "more.toml: nothing new\n",
        "more.toml: alerts.tokens-81: is dropped, but was never there\n",
    )


def applied(desk: NearDesk, text: str, *options: str) -> str:
    """Apply a text, which must succeed; return all that is said beside the changes."""
    desk.write("more.toml", text)
    ran = desk.run("apply", "--plans", "more.toml", "--db", "b.db", *options)
    assert ran.status == 0
    return ran.err


CANT_FIRE = (
    "alert acme/few-50 can't fire: budget: must be one of the org's budgets, of which there is"
    """ none, got 'few'; "dropped" in its place ends it\n"""
)
GONE = '[budgets.acme]\nfew = "dropped"\n'


@pytest.mark.parametrize("options", [(), ("--dry-run",)], ids=["run", "dry run"])
def test_alerts_of_a_budget_that_is_dropped_are_said(
    desk: NearDesk, options: tuple[str, ...]
) -> None:
    assert applied(desk, GONE, *options).startswith(f"more.toml: {CANT_FIRE}")


def test_closing_with_plans_that_drop_a_budget_says_them_too(desk: NearDesk) -> None:
    desk.write("more.toml", GONE)
    closing = desk.run("close", "--plans", "more.toml", "--db", "b.db")
    assert closing.err == f"more.toml: {CANT_FIRE}"


def test_those_that_are_dropped_with_it_or_have_a_new_one_are_not_said(desk: NearDesk) -> None:
    assert applied(desk, GONE + '[org_alerts.acme]\nfew-50 = "dropped"\n') == ""
    assert applied(desk, ALERTS) == ""
    assert applied(desk, "[budgets.acme.few]\namount = 200\nmetric = 'tokens'\n") == ""


def test_a_budget_that_has_another_unit_leaves_an_alert_behind(desk: NearDesk) -> None:
    cost = '[org_alerts.acme.few-50]\nbudget = "few"\n'
    cost += '[org_alerts.acme.few-50.threshold.cost]\namount = "0.50"\ncurrency = "USD"\n'
    assert applied(desk, cost) == ""
    ran = applied(desk, "[budgets.acme.few]\namount = 200\nmetric = 'tokens'\n")
    assert ran == (
        "more.toml: alert acme/few-50 can't fire: threshold.cost: must be left out, for a quantity"
        " or percent: budget 'few' is of units, 200, got 0.50 USD; \"dropped\" in its place ends"
        " it\n"
    )


def test_an_org_whose_plan_lacks_the_metric_leaves_an_alert_behind(desk: NearDesk) -> None:
    assert applied(desk, OWN) == ""
    other = '[plans.q]\ncurrency = "USD"\nallowances = {}\n[[accounts.bolt.changes]]\n'
    other += 'plan = "q"\nsince = 2024-02-01T00:00:00Z\n'
    account = '[accounts.bolt]\nplan = "p"\nsince = 2024-01-01T00:00:00Z\n'
    desk.write("q.toml", other.partition("[[accounts")[0])
    desk.done("apply", "--plans", "q.toml", "--db", "b.db")
    ran = applied(desk, account + other.partition("{}\n")[2])
    assert ran == (
        "more.toml: alert bolt/tokens-70 can't fire: metric: 'tokens' must be a metric of the"
        """ org's plan, which has none; "dropped" in its place ends it\n"""
    )


def test_an_alert_of_all_orgs_on_a_budget_that_none_has_is_said(desk: NearDesk) -> None:
    of_all = '[alerts.few-80]\nbudget = "few"\nthreshold.percent = 80\n'
    assert applied(desk, of_all) == ""
    said = """ can't fire before an org has the budget 'few'; "dropped" in its place ends it\n"""
    assert applied(desk, GONE) == f"more.toml: {CANT_FIRE}more.toml: alert few-80{said}"
    assert applied(desk, of_all) == ""  # as nothing is new
    other = '[budgets.bolt.fewer]\namount = 5\nmetric = "tokens"\n'
    again = of_all.replace("few-80", "few-90")
    assert applied(desk, other + again) == "more.toml: alert few-90" + said.replace(
        ";", " (did you mean 'fewer'?);"
    )


def test_an_alert_of_all_orgs_on_a_grant_that_none_has_is_said(desk: NearDesk) -> None:
    of_all = '[alerts.credits]\ngrant = "top-up"\nthreshold.percent = 80\n'
    assert applied(desk, of_all) == (
        "more.toml: alert credits can't fire before an org has the grant 'top-up';"
        """ "dropped" in its place ends it\n"""
    )
    granted = '[grants.bolt.top-up]\namount = 5\nmetric = "tokens"\n'
    granted += "effective_at = 2024-02-01T00:00:00Z\n"
    assert applied(desk, granted + of_all.replace("80", "90")) == ""


def test_alerts_that_cant_fire_are_said_with_those_that_did(desk: NearDesk) -> None:
    ingested(desk, "e-1,acme,170")
    applied(desk, GONE + '[alerts.few-80]\nbudget = "few"\nthreshold.percent = 80\n')
    ran = desk.run("alerts", "--db", "b.db")
    assert "acme: critical: no longer: 50 % of budget few is used" in ran.out.splitlines()[0]
    own, of_all = ran.err.splitlines()
    assert own == f"b.db: {CANT_FIRE.strip()}"
    assert of_all.startswith("b.db: alert few-80 can't fire before an org has the budget 'few'")
    assert desk.run("alerts", "--db", "b.db", "--org", "acme").err == f"b.db: {CANT_FIRE}"
    assert desk.run("alerts", "--db", "b.db", "--org", "bolt").err == ""
    assert desk.run("alerts", "--db", "b.db", "--new") == (0, "", "")


def test_of_those_that_cant_fire_twenty_are_said_and_a_count(desk: NearDesk) -> None:
    many = "".join(
        f'[alerts.few-{percent}]\nbudget = "fewest"\nthreshold.percent = {percent}\n'
        for percent in range(10, 32)
    )
    lines = applied(desk, many).splitlines()
    assert len(lines) == 21
    assert lines[-1] == "more.toml: and 2 more alerts can't fire"


def test_an_alert_of_a_metric_that_no_plan_has_is_refused(desk: NearDesk) -> None:
    desk.write("more.toml", '[alerts.x]\nmetric = "tokns"\nthreshold.percent = 80\n')
    for command in ("apply", "close"):
        assert desk.run(command, "--plans", "more.toml", "--db", "b.db") == (
            1,
            "",
            "more.toml: alerts.x.metric: 'tokns' is a metric of no plan, here or in the database"
            " (did you mean 'tokens'?): the plan comes first, in a file that is applied before, or"
            " in this one\nmore.toml: faults: 1; nothing was written\n",
        )


def test_where_none_fired_that_is_said(desk: NearDesk) -> None:
    assert desk.run("alerts", "--db", "b.db") == (0, "b.db: no alerts\n", "")
    ran = desk.run("alerts", "--db", "b.db", "--org", "bolk")
    assert (ran.status, ran.out) == (3, "")
    assert "did you mean 'bolt'?" in ran.err


def test_rating_files_passes_budgets_and_alerts_over(desk: NearDesk) -> None:
    use(desk, "e-1,acme,170")
    usage = ("--usage", "u.csv", "--format", "csv")
    rated = desk.run("rate", "--plans", "plans.toml", *usage)
    desk.write("bare.toml", (desk.folder / "plans.toml").read_text().replace(ALERTS, ""))
    assert desk.run("rate", "--plans", "bare.toml", *usage) == rated
    assert rated.status == 0
