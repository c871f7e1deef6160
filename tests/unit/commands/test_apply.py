"""``overages apply``: plans, metrics, accounts and grants of a file, put into a database."""

import pytest
from tests.desk import NearDesk

from overages.adapters.sqlite import SqliteRepository
from overages.errors import StorageBusy

APPLY = ("apply", "--plans", "plans.toml", "--db", "b.db")
METRIC = '[metrics.tokens]\naggregation = "max"\n'
GRANT = (
    '[grants.acme.welcome]\nmetric = "tokens"\namount = 5\n'
    "effective_at = 2024-01-01T00:00:00Z\nexpires_at = 2024-02-01T00:00:00Z\n"
)


def add(desk: NearDesk, text: str) -> None:
    desk.write("plans.toml", (desk.folder / "plans.toml").read_text() + text)


def test_each_change_is_said_and_the_same_file_again_makes_none(desk: NearDesk) -> None:
    add(desk, METRIC)
    assert desk.run(*APPLY) == (
        0,
        "plans.toml: plan p: version 1, in force always\n"
        "plans.toml: metric tokens: new\n"
        "plans.toml: account acme: new: plan p from 2024-01-01\n"
        "plans.toml: account bolt: new: plan p from 2024-01-01\n",
        "",
    )
    before = desk.content()
    assert desk.run(*APPLY) == (0, "plans.toml: nothing new\n", "")
    assert desk.content() == before


def test_what_a_file_has_no_more_stays(desk: NearDesk) -> None:
    desk.run(*APPLY)
    desk.write("plans.toml", (desk.folder / "plans.toml").read_text().partition("[accounts")[0])
    assert desk.run(*APPLY).out == "plans.toml: nothing new\n"
    with SqliteRepository.read_only(desk.folder / "b.db") as repository:
        assert list(repository.orgs()) == ["acme", "bolt"]


def test_what_is_agreed_later_is_added(desk: NearDesk) -> None:
    desk.run(*APPLY)
    add(
        desk,
        "[[accounts.bolt.changes]]\nsince = 2024-03-01T00:00:00Z\nlimits = { tokens = 7 }\n"
        "[[plans.p.versions]]\nsince = 2024-04-01T00:00:00Z\nallowances.tokens.included = 50\n",
    )
    assert desk.run(*APPLY) == (
        0,
        "plans.toml: plan p: version 2, in force from 2024-04-01\n"
        "plans.toml: account bolt: 1 entry more: limits from 2024-03-01\n",
        "",
    )


@pytest.mark.parametrize("is_there", [True, False])
def test_a_dry_run_says_the_same_and_writes_nothing(desk: NearDesk, is_there: bool) -> None:
    if is_there:
        desk.run(*APPLY)
        add(desk, METRIC)
    before = desk.content()
    dry = desk.run(*APPLY, "--dry-run")
    assert dry.err == "dry run: nothing was written\n"
    assert desk.content() == before
    assert desk.run(*APPLY) == (0, dry.out, "")


def test_another_content_of_a_plan_is_refused_and_nothing_is_written(desk: NearDesk) -> None:
    desk.run(*APPLY)
    before = desk.content()["b.db"]
    desk.write(
        "plans.toml",
        (desk.folder / "plans.toml").read_text().replace("0.01", "0.02") + METRIC,
    )
    assert desk.run(*APPLY) == (
        1,
        "",
        "plans.toml: plans.p.allowances.tokens.price: must be PerUnit(price=Decimal('0.01')), as it"
        " is kept, in force always; a change is a version of its own: add [[plans.p.versions]] with"
        " the change, and with since, from when it holds, got PerUnit(price=Decimal('0.02'))\n"
        "plans.toml: faults: 1; nothing was written\n",
    )
    assert desk.content()["b.db"] == before


@pytest.mark.parametrize(
    ("table", "said"),
    [
        (
            'grants.acme.g = { effective_at = 2024-02-01T00:00:00Z, amount = { amount = "10.00",'
            ' currency = "GBP" } }\n',
            "grants.acme.g.amount: must be in the currency of a plan, USD, got 10.00 GBP",
        ),
        (
            "budgets.acme.b = { amount = 60, metric = 'tokens' }\norg_alerts.acme.a = { budget ="
            " 'b', threshold = { cost = { amount = '10.00', currency = 'USD' } } }\n",
            "acme: org_alerts.acme.a.threshold.cost: must be left out, for a quantity or percent:"
            " budget 'b' is of units, 60, got 10.00 USD",
        ),
        (
            "budgets.acme.b = { amount = { amount = 60, currency = 'USD' } }\norg_alerts.acme.a ="
            " { budget = 'b', threshold.quantity = 10 }\n",
            "acme: org_alerts.acme.a.threshold.quantity: must be left out, for a cost or percent:"
            " budget 'b' is of money, 60.00 USD, got 10",
        ),
    ],
)
def test_amounts_are_said_as_the_file_has_them(desk: NearDesk, table: str, said: str) -> None:
    desk.write("plans.toml", table + (desk.folder / "plans.toml").read_text())
    status, _, err = desk.run(*APPLY)
    assert (status, err.splitlines()[0]) == (1, f"plans.toml: {said}")


def test_a_drop_of_what_is_not_there_writes_nothing(desk: NearDesk) -> None:
    add(
        desk,
        "[[accounts.acme.changes]]\nsince = 2024-03-01T00:00:00Z\ndrop_limits = ['tokns']\n",
    )
    status, out, err = desk.run(*APPLY)
    assert (status, out) == (1, "")
    assert err.startswith("plans.toml: accounts.acme.changes[0].drop_limits.tokns: must be a limit")


def test_all_that_clashes_is_named_at_once(desk: NearDesk) -> None:
    add(desk, GRANT)
    desk.run(*APPLY)
    text = (desk.folder / "plans.toml").read_text()
    text = text.replace("amount = 5", "amount = 6").replace("2024-01-01T00", "2023-12-01T00")
    desk.write("plans.toml", text.replace('"USD"', '"EUR"'))
    status, out, err = desk.run(*APPLY)
    assert (status, out) == (1, "")
    lines = [line.removeprefix("plans.toml: ").partition(": must")[0] for line in err.splitlines()]
    assert lines == [
        "plans.p.currency",
        "acme: account",
        "bolt: account",
        "acme: grants.acme.welcome.amount",
        "acme: grants.acme.welcome.effective_at",
        "faults: 5; nothing was written",
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"plans = 1", "plans.toml: plans: must be a mapping, got 1\n"),
        (b"\xff", "plans.toml: must be UTF-8"),
        ("[plans]".encode("utf-16"), "plans.toml: must be UTF-8"),
        (b"x = 1", "plans.toml: x: isn't known; "),
        (b"x = " + b"[" * 5_000, "plans.toml: plans: must be a TOML text that is not nested"),
    ],
)
def test_a_faulty_file_makes_no_database(desk: NearDesk, text: bytes, said: str) -> None:
    desk.write("plans.toml", text)
    status, out, err = desk.run(*APPLY)
    assert (status, out) == (1, "")
    assert err.startswith(said)
    assert list(desk.content()) == ["plans.toml"]


def test_of_many_faults_twenty_of_a_kind_are_told(desk: NearDesk) -> None:
    add(desk, "".join(f'[accounts.org-{n}]\nplan = "q{n}"\n' for n in range(50)))
    status, _, err = desk.run(*APPLY)
    assert status == 1
    assert len(err.splitlines()) <= 2 * 21


@pytest.mark.parametrize(
    ("name", "table", "said"),
    [
        ("prices.csv", b"metric,price\nwords,x\n", "prices.csv"),
        ("prices.csv", b"metric,price\nw\xffrds,1\n", "prices.csv"),
        ("other.csv", b"", "(No such file or directory), got 'prices.csv'\n"),
    ],
)
def test_a_price_table_that_cannot_be_read_is_named(
    desk: NearDesk, name: str, table: bytes, said: str
) -> None:
    desk.write(name, table)
    add(desk, '[plans.q]\ncurrency = "USD"\nprices = "prices.csv"\n')
    status, out, err = desk.run(*APPLY)
    assert (status, out) == (1, "")
    assert said in err
    assert "b.db" not in desk.content()


def test_a_price_table_lies_beside_its_file(desk: NearDesk) -> None:
    (desk.folder / "agreed").mkdir()
    desk.write("agreed/prices.csv", b"\xef\xbb\xbfmetric,price\nwords,1.5e-07\n")
    desk.write("agreed/plans.toml", '[plans.q]\ncurrency = "USD"\nprices = "prices.csv"\n')
    assert desk.run("apply", "--plans", "agreed/plans.toml", "--db", "b.db").status == 0


def test_a_database_that_is_busy_is_no_fault_of_the_file(
    desk: NearDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(*_: object, **__: object) -> None:
        raise StorageBusy("is locked")

    monkeypatch.setattr(SqliteRepository, "put_plan", busy)
    assert desk.run(*APPLY)[::2] == (1, "b.db: is locked\n")
