"""``overages explain``: a bill, and a line of it down to its events."""

from datetime import UTC, datetime

import pytest
from tests.desk import WITH_IDS, NearDesk

from overages import Period, Usage
from overages.adapters.sqlite import SqliteRepository

PLANS = """
default_plan = "p"
[plans.p]
currency = "USD"
allowances.tokens = { included = 100, price = { model = "per_unit", price = "0.01" } }
allowances.big = { included = 0, price = { model = "per_unit", price = "0.01" } }
allowances.small = { included = 0, price = { model = "per_unit", price = "0.01" } }
allowances.seats = { included = 3, price = { model = "per_unit", price = 15 }, kind = "level" }
[metrics.seats]
aggregation = "max"
reports = "level"
[metrics.big]
aggregation = "sum"
event = "calls"
where = { size = "big" }
[metrics.small]
aggregation = "sum"
event = "calls"
where = { size = "small" }
[accounts.acme]
plan = "p"
since = 2024-01-01T00:00:00Z
"""
EXPLAIN = ("explain", "--db", "b.db", "--org", "acme", "--until", "2024-02-20")


@pytest.fixture(autouse=True)
def usage(desk: NearDesk) -> None:
    desk.write("plans.toml", PLANS)
    desk.usage(
        "u.csv",
        "t1,acme,tokens,300,2024-02-10T00:00:00Z,",
        "t2,acme,tokens,0.5,2024-02-11T12:30:00Z,",
        "t0,acme,tokens,7,2024-01-11T12:30:00Z,",
        "s0,acme,seats,4,2024-01-20T00:00:00Z,",
        "s1,acme,seats,5,2024-02-12T00:00:00Z,",
        "c1,acme,calls,9,2024-02-12T00:00:00Z,big",
        "c2,acme,calls,8,2024-02-12T00:00:00Z,small",
        header=WITH_IDS.replace("\n", ",dimension.size\n"),
    )
    desk.done("apply", "--plans", "plans.toml", "--db", "b.db")
    desk.done("ingest", "u.csv", "--db", "b.db")


def explain(desk: NearDesk, *options: str) -> str:
    status, out, err = desk.run(*EXPLAIN, *options)
    assert (status, err) == (0, "")
    return out


def events(desk: NearDesk, *options: str) -> list[list[str]]:
    """Return the cells of the table of events."""
    _, _, table = explain(desk, *options).partition("\n\ninstant (UTC)")
    return [
        [cell.strip() for cell in line.split("  ") if cell.strip()]
        for line in table.partition("\n\n")[0].splitlines()[1:]
    ]


def test_the_present_period_is_explained(desk: NearDesk) -> None:
    out = explain(desk)
    assert out.startswith("Overage of acme, February 2024, plan p\n")
    assert "tokens  300.5    100" in out
    assert out.endswith("\n\nFebruary 2024 still runs.\n")


def test_a_period_is_explained_as_far_as_it_has_come(desk: NearDesk) -> None:
    out = explain(desk, "--period", "2024-01")
    assert out.endswith("\n\nJanuary 2024 has ended, and is open.\n")
    desk.done("close", "--db", "b.db", "--until", "2024-02-02")
    out = explain(desk, "--period", "2024-01")
    assert out.endswith("\n\nJanuary 2024 is closed since 2024-02-02 UTC.\n")


def test_several_periods_are_explained_one_after_another(desk: NearDesk) -> None:
    out = explain(desk, "--period", "2024-01-01/2024-03-01")
    assert out.index("Overage of acme, January 2024") < out.index("Overage of acme, February 2024")


def test_a_sum_is_explained_by_its_events(desk: NearDesk) -> None:
    out = explain(desk, "--metric", "tokens")
    assert out.endswith(
        "Events of tokens, February 2024\n\n"
        "instant (UTC)        event   quantity  id\n"
        "2024-02-10           tokens       300  t1\n"
        "2024-02-11 12:30:00  tokens       0.5  t2\n\n"
        "2 events\n"
    )


def test_a_level_is_explained_by_what_was_held_before_too(desk: NearDesk) -> None:
    assert events(desk, "--metric", "seats") == [
        ["2024-01-20", "seats", "4", "s0"],
        ["2024-02-12", "seats", "5", "s1"],
    ]
    assert events(desk, "--metric", "seats", "--period", "2024-01") == [
        ["2024-01-20", "seats", "4", "s0"]
    ]


def test_only_events_that_count_for_a_metric_are_named(desk: NearDesk) -> None:
    assert events(desk, "--metric", "big") == [["2024-02-12", "calls", "9", "c1"]]


def test_a_withdrawn_event_is_not_among_them(desk: NearDesk) -> None:
    desk.done("withdraw", "--db", "b.db", "--org", "acme", "t1")
    assert [cells[-1] for cells in events(desk, "--metric", "tokens")] == ["t2"]


def test_a_late_event_tells_when_it_counts(desk: NearDesk) -> None:
    desk.done("close", "--db", "b.db", "--until", "2024-02-02")
    desk.usage("late.csv", "t9,acme,tokens,1,2024-01-15T00:00:00Z", header=WITH_IDS)
    desk.done("ingest", "late.csv", "--db", "b.db", "--late", "next")
    assert ["2024-01-15, counts at 2024-02-01", "tokens", "1", "t9"] in events(
        desk, "--metric", "tokens"
    )
    ids = [cells[-1] for cells in events(desk, "--metric", "tokens", "--period", "2024-01")]
    assert ids == ["t0"]


def test_a_sum_that_a_host_put_is_named(desk: NearDesk) -> None:
    day = Period(datetime(2024, 2, 3, tzinfo=UTC), datetime(2024, 2, 4, tzinfo=UTC))
    with SqliteRepository(desk.folder / "b.db") as repository:
        repository.put_usage(Usage("acme", day, {"tokens": 40}))
    rows = events(desk, "--metric", "tokens")
    assert ["2024-02-03 to 2024-02-04 UTC", "tokens", "40", "put sum"] in rows
    assert len(events(desk, "--metric", "seats")) == 2


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--period", "2020-01"), "b.db: acme has no period then\n"),
        (("--until", "2023-06-01"), "b.db: acme has no period then\n"),
        (("--org", "acne"), "b.db: there is no org 'acne' (did you mean 'acme'?)\n"),
        (
            ("--metric", "token"),
            "--metric: 'token' is not in plan 'p', whose metrics are: tokens, big, small, seats"
            " (did you mean 'tokens'?)\n",
        ),
    ],
)
def test_what_is_not_there_is_said(desk: NearDesk, options: tuple[str, ...], said: str) -> None:
    assert desk.run(*EXPLAIN, *options) == (3, "", said)


def test_an_org_without_an_account_has_no_period(
    desk: NearDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.done("close", "--db", "b.db", "--until", "2024-03-01")
    monkeypatch.setattr(SqliteRepository, "account", lambda *_: None)
    assert desk.run(*EXPLAIN) == (3, "", "b.db: acme has no period then\n")


def test_a_time_that_cuts_a_period_is_refused(desk: NearDesk) -> None:
    status, out, err = desk.run(*EXPLAIN, "--period", "2024-02-15/2024-03-15")
    assert (status, out) == (1, "")
    assert err.startswith("--period: acme: period: must be one of the org's own, 2024-02-01")


def test_a_period_that_cannot_be_worked_out_is_named(desk: NearDesk) -> None:
    desk.usage("v.csv", "x,acme,tokens,-900,2024-02-10T00:00:00Z", header=WITH_IDS)
    desk.done("ingest", "v.csv", "--db", "b.db")
    status, out, err = desk.run(*EXPLAIN)
    assert (status, out) == (1, "")
    assert err.startswith("b.db: acme, 2024-02-01 to 2024-03-01 UTC: quantities.tokens: must not")
