"""``overages rate``: from files of plans and usage to statements, without a database."""

import csv
import io
import json

import pytest
from tests.desk import HEADER, WITH_IDS, NearDesk

FEBRUARY = "2024-02-10T00:00:00Z"


def row(org: str = "acme", quantity: object = 350, at: str = FEBRUARY) -> str:
    return f"{org},tokens,{quantity},{at}"


def rate(desk: NearDesk, *rows: str, options: tuple[str, ...] = ()) -> tuple[int, str, str]:
    desk.usage("u.csv", *rows)
    return desk.run("rate", "--plans", "plans.toml", "--usage", "u.csv", *options)


def costs(desk: NearDesk, *rows: str, options: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    status, out, err = rate(desk, *rows, options=("--format", "csv", *options))
    assert (status, err) == (0, "")
    return [
        (line["org_id"], line["period_start"][:10], line["used"], line["cost"])
        for line in csv.DictReader(io.StringIO(out))
        if line["used"] != "0"
    ]


def add(desk: NearDesk, text: str, **changes: str) -> None:
    before = (desk.folder / "plans.toml").read_text()
    for old, new in changes.items():
        before = before.replace(old, new)
    desk.write("plans.toml", before + text)


def test_events_are_summed_by_org_and_month(desk: NearDesk) -> None:
    rows = [
        row("bolt", 90, "2024-02-29T23:59:59.9999999Z"),
        row("bolt", "60.5", "2024-02-01T00:00:00Z"),
        row("bolt", 150, "2024-03-01T00:00:00Z"),
        row("acme", 101),
    ]
    assert costs(desk, *rows) == [
        ("acme", "2024-02-01", "101", "0.01"),
        ("bolt", "2024-02-01", "150.5", "0.51"),
        ("bolt", "2024-03-01", "150", "0.50"),
    ]


def test_statements_are_explained(desk: NearDesk) -> None:
    status, out, err = rate(desk, row(), options=("--org", "acme"))
    assert (status, err) == (0, "")
    assert out == (
        "Overage of acme, February 2024, plan p\n"
        "\n"
        "metric  used  limit  over  price       exact      cost\n"
        "tokens   350    100   250  250 x 0.01    2.5  2.50 USD\n"
        "total                                         2.50 USD\n"
        "\n"
        "Each line is rounded once, half up; the total is the sum of the lines.\n"
        "\n"
        "1 statement, 2.50 USD\n"
    )


def test_a_period_is_named_in_the_timezone_of_its_org(desk: NearDesk) -> None:
    add(desk, "")
    text = (desk.folder / "plans.toml").read_text().replace("2024-01-01T00", "2023-12-31T23")
    desk.write("plans.toml", f'timezone = "Europe/Paris"\n{text}')
    rows = (row("acme", 200, "2024-01-31T23:30:00Z"), row("acme", 300, "2024-02-29T22:30:00Z"))
    _, out, _ = rate(desk, *rows, options=("--period", "2024-02", "--org", "acme"))
    assert out.startswith("Overage of acme, February 2024, plan p\n")
    assert out.endswith("1 statement, 4.00 USD\n")


def test_json_is_a_line_for_each_statement(desk: NearDesk) -> None:
    _, out, _ = rate(desk, row(), row("bolt", 5), options=("--format", "json"))
    statements = [json.loads(line) for line in out.splitlines()]
    assert [(each["org_id"], each["total"]["amount"]) for each in statements] == [
        ("acme", "2.50"),
        ("bolt", "0.00"),
    ]


def test_several_files_are_read_together(desk: NearDesk) -> None:
    desk.usage("v.csv", row(quantity=1))
    assert costs(desk, row(), options=("--usage", "v.csv")) == [
        ("acme", "2024-02-01", "351", "2.51")
    ]


def test_standard_input_is_read(desk: NearDesk) -> None:
    ran = desk.run("rate", "--plans", "plans.toml", "--usage", "-", sent=HEADER + row() + "\n")
    assert ran.out.endswith("2 statements, 2.50 USD\n")


def test_a_repeated_event_counts_once(desk: NearDesk) -> None:
    desk.usage("v.csv", *[f"1,{row()}"] * 3, header=WITH_IDS)
    ran = desk.run("rate", "--plans", "plans.toml", "--usage", "v.csv")
    assert ran.out.endswith("2 statements, 2.50 USD\n")


def test_what_is_unused_is_carried_over_a_month_without_usage(desk: NearDesk) -> None:
    text = (desk.folder / "plans.toml").read_text()
    desk.write("plans.toml", text.replace('"0.01" } }', '"0.01" }, carry_over = {} }'))
    rows = (row("acme", 20, "2024-01-10T00:00:00Z"), row("acme", 290, "2024-03-10T00:00:00Z"))
    assert costs(desk, *rows)[-1] == ("acme", "2024-03-01", "290", "0.10")


def test_a_period_rests_on_the_earlier_ones_and_leaves_others_out(desk: NearDesk) -> None:
    text = (desk.folder / "plans.toml").read_text()
    desk.write("plans.toml", text.replace('"0.01" } }', '"0.01" }, carry_over = {} }'))
    rows = [row("acme", used, f"2024-0{n}-10T00:00:00Z") for n, used in ((1, 20), (2, 190), (3, 9))]
    assert costs(desk, *rows, options=("--period", "2024-02")) == [
        ("acme", "2024-02-01", "190", "0.10")
    ]
    assert len(costs(desk, *rows, options=("--period", "2024-01-01/2024-03-01"))) == 2


MOVING = """
[plans.q]
currency = "USD"
allowances.tokens = { included = 1, price = { model = "per_unit", price = 5 } }
[accounts.moving]
plan = "p"
since = 2024-01-10T00:00:00Z
[[accounts.moving.changes]]
since = 2024-03-12T00:00:00Z
plan = "q"
"""


def test_a_change_within_a_period_has_a_line_for_each_part(desk: NearDesk) -> None:
    add(desk, MOVING)
    rows = [
        row("moving", 200),
        row("moving", 310, "2024-03-10T00:00:00Z"),
        row("moving", 3, "2024-03-12T00:00:00Z"),
    ]
    assert costs(desk, *rows) == [
        ("moving", "2024-02-01", "200", "1.00"),
        ("moving", "2024-03-01", "310", "2.75"),  # 310 - 35: 100 x 11/31
        ("moving", "2024-03-01", "3", "10.00"),  # 3 - 1: 1 x 20/31
    ]


def test_a_time_that_cuts_a_period_is_refused_by_its_org(desk: NearDesk) -> None:
    status, out, err = rate(
        desk, row(), options=("--org", "acme", "--period", "2024-02-15/2024-03-15")
    )
    assert (status, out) == (1, "")
    assert err == (
        "--period: acme: period: must be one of the org's own,"
        " 2024-02-01T00:00:00Z/2024-03-01T00:00:00Z and 2024-03-01T00:00:00Z/2024-04-01T00:00:00Z,"
        " got '2024-02-15T00:00:00Z/2024-03-15T00:00:00Z': left out; --org acme and one of its own"
        " names it\n"
    )


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--period", "2020-01"), "no org has a period then\n"),
        (("--org", "acne"), "plans.toml: there is no org 'acne' (did you mean 'acme'?)\n"),
    ],
)
def test_what_is_not_there_is_said(desk: NearDesk, options: tuple[str, ...], said: str) -> None:
    assert rate(desk, row(), options=options) == (3, "", said)


def test_an_account_without_usage_may_still_owe(desk: NearDesk) -> None:
    text = (desk.folder / "plans.toml").read_text()
    flat = '{ model = "volume", tiers = [{ flat = 5 }], flat_at_zero = true }'
    desk.write("plans.toml", text.replace('{ model = "per_unit", price = "0.01" }', flat))
    assert rate(desk, row())[1].endswith("2 statements, 10.00 USD\n")


def test_new_orgs_are_rated_by_the_default_plan(desk: NearDesk) -> None:
    assert rate(desk, row("new"))[0] == 1
    assert costs(desk, row("new"), options=("--new-orgs",)) == [
        ("new", "2024-02-01", "350", "2.50")
    ]


def test_every_org_that_cannot_be_rated_is_named_and_nothing_is_printed(desk: NearDesk) -> None:
    assert rate(
        desk, row(quantity=-1), row("bolt", -2), row("bolt", 350, "2024-03-10T00:00:00Z")
    ) == (
        1,
        "",
        "u.csv: acme, 2024-02-01 to 2024-03-01 UTC: quantities.tokens: must not be negative,"
        " got -1\n"
        "u.csv: bolt, 2024-02-01 to 2024-03-01 UTC: quantities.tokens: must not be negative,"
        " got -2\n"
        "u.csv: faults: 2; nothing was rated\n",
    )


def test_of_many_faults_of_a_kind_twenty_are_told(desk: NearDesk) -> None:
    status, out, err = rate(desk, *(row(quantity=f"x{n}") for n in range(150)))
    assert (status, out) == (1, "")
    assert err.splitlines()[20:] == [
        "u.csv: and 130 more of quantity (InvalidValue)",
        "u.csv: faults: 150; nothing was written",
    ]


def test_totals_are_by_currency(desk: NearDesk) -> None:
    add(
        desk,
        """
        [plans.yen]
        currency = "JPY"
        allowances.tokens = { included = 0, price = { model = "per_unit", price = 1 } }
        [accounts.z]
        plan = "yen"
        since = 2024-01-01T00:00:00Z
        """,
    )
    assert rate(desk, row(), row("z", 200))[1].endswith("3 statements, 2.50 USD, 200 JPY\n")


def test_an_account_that_begins_later_has_no_statement(desk: NearDesk) -> None:
    add(desk, '[accounts.later]\nplan = "p"\nsince = 2024-06-01T00:00:00Z\n')
    assert rate(desk, row())[1].endswith("2 statements, 2.50 USD\n")


def test_the_same_files_give_the_same_bills_as_close(desk: NearDesk) -> None:
    rows = [row(), row("bolt", 700), row("bolt", 650, "2024-03-10T00:00:00Z")]
    rated = {(org, month): cost for org, month, _, cost in costs(desk, *rows)}
    files = ["--plans", "plans.toml", "--usage", "u.csv"]
    desk.done("close", "--db", "b.db", *files, "--until", "2024-04-01")
    assert desk.bills() == {f"{org} {month}": cost for (org, month), cost in rated.items()}


WARNINGS = """
[budgets.acme.daily]
amount = 200
metric = "tokens"
[alerts.tokens-80]
metric = "tokens"
threshold.percent = 80
[org_alerts.acme.daily-80]
budget = "daily"
threshold.percent = 80
"""


def test_budgets_and_alerts_change_nothing_and_say_nothing(desk: NearDesk) -> None:
    before = rate(desk, row())
    add(desk, WARNINGS + '[budgets.bolt]\nfew = "dropped"\n[org_alerts.bolt]\na = "dropped"\n')
    assert rate(desk, row()) == before


def test_new_orgs_may_have_budgets_and_alerts(desk: NearDesk) -> None:
    before = rate(desk, row("new"), options=("--new-orgs",))
    of_new = WARNINGS.replace("acme", "new").replace("[alerts", "[org_alerts.acme")
    add(desk, of_new + '[budgets.acme.month]\namount = 9\nmetric = "tokens"\n')
    assert rate(desk, row("new"), options=("--new-orgs",)) == before
    assert "budgets.new: must be an org with an account" in rate(desk, row())[2]


@pytest.mark.parametrize(
    ("right", "wrong", "fault"),
    [
        ('"tokens"\n[', '"tokns"\n[', "budgets.acme.daily.metric: 'tokns' is a metric of"),
        ('"tokens"\nthresh', '"tokns"\nthresh', "alerts.tokens-80.metric: 'tokns' is a metric of"),
        ("budgets.acme", "budgets.acmee", "budgets.acmee: must be an org with an account"),
        ("org_alerts.acme", "org_alerts.acmee", "org_alerts.acmee: must be an org with an account"),
        ('"daily"', '"dayly"', "org_alerts.acme.daily-80.budget: must be one of the org's budgets"),
    ],
)
def test_budgets_and_alerts_name_what_is_there_as_where_they_are_applied(
    desk: NearDesk, right: str, wrong: str, fault: str
) -> None:
    add(desk, WARNINGS.replace(right, wrong, 1))
    status, out, err = rate(desk, row())
    assert (status, out) == (1, "")
    assert fault in err
    applied = desk.run("apply", "--plans", "plans.toml", "--db", "b.db")
    assert (applied.status, applied.err) == (status, err)
