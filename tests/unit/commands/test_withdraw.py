"""``overages withdraw``: events that should not have been are taken back."""

import pytest
from tests.desk import WITH_IDS, NearDesk

WITHDRAW = ("withdraw", "--db", "b.db", "--org", "acme")
UNKNOWN = "must be that of an event of the org's"


@pytest.fixture(autouse=True)
def events(desk: NearDesk) -> None:
    desk.usage(
        "u.csv",
        "evt-1,acme,tokens,300,2024-02-10T00:00:00Z",
        "evt-2,acme,tokens,50,2024-02-11T00:00:00Z",
        header=WITH_IDS,
    )
    files = ["--plans", "plans.toml", "--usage", "u.csv"]
    desk.done("close", "--db", "b.db", *files, "--until", "2024-02-20")


def test_an_event_that_is_withdrawn_counts_no_more(desk: NearDesk) -> None:
    assert desk.run(*WITHDRAW, "evt-1") == (0, "b.db: acme: withdrawn events: 1\n", "")
    desk.done("close", "--db", "b.db", "--until", "2024-03-01")
    assert desk.bills() == {"acme 2024-02-01": "0.00"}


def test_the_same_again_changes_nothing(desk: NearDesk) -> None:
    desk.run(*WITHDRAW, "evt-1")
    before = desk.content()
    told = "b.db: acme: withdrawn events: 0, withdrawn before: 1\n"
    assert desk.run(*WITHDRAW, "evt-1") == (0, told, "")
    assert desk.content() == before


def test_a_closed_period_that_it_counted_in_waits_for_a_decision(desk: NearDesk) -> None:
    desk.done("close", "--db", "b.db", "--until", "2024-03-01")
    assert desk.run(*WITHDRAW, "evt-1", "evt-2") == (
        5,
        "b.db: acme: withdrawn events: 2\n",
        "acme, February 2024, is closed, and comes to something else now: would add -2.50 USD;"
        " overages close --force --org acme corrects it\n",
    )
    desk.done("close", "--db", "b.db", "--until", "2024-03-01", "--force")
    assert desk.bills() == {"acme 2024-02-01": "0.00"}


def test_if_one_is_unknown_none_is_withdrawn(desk: NearDesk) -> None:
    before = desk.content()
    status, out, err = desk.run(*WITHDRAW, "evt-1", "evt-3")
    assert (status, out) == (1, "")
    assert err == f"b.db: acme: event_ids[1]: {UNKNOWN}, got 'evt-3'\n"
    assert desk.content() == before


def test_all_that_are_unknown_are_named(desk: NearDesk) -> None:
    assert desk.run(*WITHDRAW, "evt-3", "evt-1", "evt-4").err == (
        f"b.db: acme: event_ids[0]: {UNKNOWN}, got 'evt-3'\n"
        f"b.db: acme: event_ids[2]: {UNKNOWN}, got 'evt-4'\n"
    )


def test_a_dry_run_writes_nothing(desk: NearDesk) -> None:
    before = desk.content()
    assert desk.run(*WITHDRAW, "evt-1", "--dry-run") == (
        0,
        "b.db: acme: withdrawn events: 1\n",
        "dry run: nothing was written\n",
    )
    assert desk.content() == before


def test_an_org_or_a_database_that_is_not_there_is_named(desk: NearDesk) -> None:
    assert desk.run("withdraw", "--db", "b.db", "--org", "acne", "evt-1") == (
        3,
        "",
        "b.db: there is no org 'acne' (did you mean 'acme'?)\n",
    )
    assert desk.run("withdraw", "--db", "none.db", "--org", "acme", "evt-1") == (
        3,
        "",
        "none.db: there is no such file\n",
    )
    assert "none.db" not in desk.content()
