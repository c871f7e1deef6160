"""Versions of plans: by date, what differs, and what another plan is laid over."""

from datetime import UTC, datetime

import pytest
from tests.plan_files import MINIMAL, faults

from overages import Account, Allowance, Discount, Graduated, Money, Period, PerUnit, Plan, Tier
from overages.errors import InvalidValue, InvalidValues, UnknownPlan
from overages.imports.plan_files.tables import merged, without_path
from overages.imports.plan_files.versions import PlanVersion, in_force
from overages.imports.plans import PlanBook, read_plans

MARCH, MAY = (datetime(2024, month, 1, tzinfo=UTC) for month in (3, 5))
PLAN = Plan("p", "USD", {"m": Allowance(5, PerUnit("0.10"))})
DEARER = Plan("p", "USD", {"m": Allowance(5, PerUnit("0.20"))})
DEAREST = Plan("p", "USD", {"m": Allowance(2, PerUnit("0.20"))})

STARTER = """
[plans.starter]
currency = "USD"
minimum = 5
discounts = [{ name = "launch", percent = 5 }, { name = "gift", amount = 1 }]

[plans.starter.allowances.runs]
included = 100
price = { model = "per_unit", price = "1.00", per = 10 }
carry_over = { expires_after = 3 }

[plans.starter.allowances.seats]
included = 3
price = { model = "per_unit", price = "15.00" }
kind = "level"
"""
VERSION = """
[[plans.starter.versions]]
since = 2024-03-01T00:00:00Z
"""


def test_a_version_names_only_what_differs_from_the_one_before() -> None:
    book = read_plans(
        MINIMAL
        + """
        [[plans.p.versions]]
        since = 2024-03-01T00:00:00Z
        allowances.m.price.price = "0.20"
        [[plans.p.versions]]
        since = 2024-05-01T00:00:00Z
        allowances.m.included = 2
        """
    )
    assert book.versions == {
        "p": (PlanVersion(PLAN), PlanVersion(DEARER, MARCH), PlanVersion(DEAREST, MAY))
    }
    assert book.plans == {"p": DEAREST}


def test_the_first_version_may_have_a_since_as_well() -> None:
    (version,) = read_plans(MINIMAL + "since = 2024-03-01T00:00:00Z").versions["p"]
    assert version == PlanVersion(PLAN, MARCH)


def test_tables_are_merged_and_all_else_is_replaced() -> None:
    book = read_plans(
        STARTER
        + VERSION
        + """
        minimum = 10
        discounts = [{ name = "launch", percent = 10 }]
        [plans.starter.versions.allowances.runs]
        carry_over.up_to = 50
        price = { model = "graduated", tiers = [{ price = 1 }] }
        """
    )
    before, after = (version.plan for version in book.versions["starter"])
    assert before.allowances["runs"].price == PerUnit(1, per=10)
    runs = after.allowances["runs"]
    assert runs.price == Graduated([Tier(None, 1)])
    assert runs.carry_over is not None
    assert (runs.carry_over.up_to, runs.carry_over.expires_after) == (50, 3)
    assert after.minimum == Money(1_000, "USD")
    assert after.discounts == (Discount("launch", percent=10),)
    assert after.allowances["seats"] == before.allowances["seats"]


def test_a_key_is_dropped_before_the_rest_is_laid_over() -> None:
    book = read_plans(
        STARTER
        + VERSION
        + """
        drop = ["minimum", "allowances.seats", "allowances.runs.price.per"]
        allowances.seats = { included = 1, price = { model = "per_unit", price = 1 } }
        """
    )
    after = book.plans["starter"]
    assert after.minimum is None
    assert after.allowances["runs"].price == PerUnit(1)
    assert after.allowances["seats"] == Allowance(1, PerUnit(1))


def test_a_plan_is_laid_over_the_own_table_of_another_one() -> None:
    book = read_plans(
        """
        [plans.scale]
        extends = "pro"
        allowances.runs.included = 10_000
        [plans.pro]
        extends = "starter"
        drop = ["discounts", "allowances.seats"]
        since = 2024-03-01T00:00:00Z
        allowances.runs.included = 1_000
        """
        + STARTER
        + VERSION
        + "minimum = 50\n"
    )
    starter, pro, scale = (book.versions[slug] for slug in ("starter", "pro", "scale"))
    assert [len(versions) for versions in (starter, pro, scale)] == [2, 1, 1]
    assert (pro[0].since, scale[0].since) == (MARCH, None)
    assert pro[0].plan.minimum == Money(500, "USD")
    assert list(scale[0].plan.allowances) == ["runs"]
    included = [versions[0].plan.allowances["runs"].included for versions in (starter, pro, scale)]
    assert included == [100, 1_000, 10_000]
    assert scale[0].plan.slug == "scale"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "versions = 5",
            ["plans.p.versions: must be a list, got 5"],
        ),
        (
            "versions = [5, { since = 2024-03-01T00:00:00Z }]",
            ["plans.p.versions[0]: must be a mapping, got 5"],
        ),
        (
            "versions = [{ minimum = 5 }, { since = 2024-03-01 }]",
            [
                "plans.p.versions[0].since: must be given: the first instant that the version is "
                "in force, got None",
                "plans.p.versions[1].since: must be an instant: write 2024-03-01T00:00:00Z, got "
                "2024-03-01",
            ],
        ),
        (
            "since = 2024-03-01T00:00:00Z\nversions = [{ since = 2024-03-01T00:00:00Z }, "
            "{ since = 2024-02-01T00:00:00Z }]",
            [
                "plans.p.versions[0].since: must be later than that of the version before, "
                "2024-03-01T00:00:00Z, got 2024-03-01T00:00:00+00:00",
                "plans.p.versions[1].since: must be later than that of the version before, "
                "2024-03-01T00:00:00Z, got 2024-02-01T00:00:00+00:00",
            ],
        ),
        (
            "versions = [{ since = 2024-03-01T00:00:00Z, extends = 'q', minimun = 5 }]",
            [
                "plans.p.versions[0].extends: isn't known; known here are currency, allowances, "
                "rounding, rounding_scope, base_fee, discounts, maximum, minimum, proration, "
                "prices, since, drop, got 'q'",
                "plans.p.versions[0].minimun: isn't known (did you mean 'minimum'?); known here "
                "are currency, allowances, rounding, rounding_scope, base_fee, discounts, "
                "maximum, minimum, proration, prices, since, drop, got 5",
            ],
        ),
        (
            "versions = [{ since = 2024-03-01T00:00:00Z, drop = ['minimum', 'allowances.x', 5] }]",
            [
                "plans.p.versions[0].drop[0]: must be a key of the table that this one is laid "
                "over, such as currency, got 'minimum'",
                "plans.p.versions[0].drop[1]: must be a key of the table that this one is laid "
                "over, such as currency (did you mean 'allowances'?), got 'allowances.x'",
                "plans.p.versions[0].drop[2]: must be a str, got 5",
            ],
        ),
        ("drop = 'minimum'", ["plans.p.drop: must be a list, got 'minimum'"]),
        (
            "drop = ['minimum']",
            [
                "plans.p.drop[0]: must be a key of the table that this one is laid over, such as "
                "none, got 'minimum'",
            ],
        ),
        ("extends = 5", ["plans.p.extends: must be a str, got 5"]),
        (
            "extends = 'q'",
            [
                "plans.p.extends: must be one of the other plans, there is no other, got 'q'",
            ],
        ),
        (
            "extends = 'quer'\n[plans.query]\nextends = 'p'",
            [
                "plans.p.extends: must be one of the other plans, query (did you mean 'query'?), "
                "got 'quer'",
            ],
        ),
        (
            "extends = 'p'",
            ["plans.p.extends: must not lead back to the plan itself: p to p, got 'p'"],
        ),
        (
            "extends = 'q'\n[plans.q]\nextends = 'r'\n[plans.r]\nextends = 'p'",
            [
                "plans.r.extends: must not lead back to the plan itself: p to q to r to p, got 'p'",
            ],
        ),
    ],
)
def test_faults_of_versions_are_told_by_the_paths_of_the_file(
    text: str, expected: list[str]
) -> None:
    assert faults(MINIMAL + text) == expected


def test_a_fault_is_told_once_where_it_is_written() -> None:
    text = STARTER.replace("included = 100", "included = -1") + VERSION
    pro = '[plans.pro]\nextends = "starter"\nallowances.seats.included = "x.5"\n'
    own = "allowances.runs.price.price = '1,5'\n"
    assert faults(f"{pro}{text}{own}{VERSION}".replace("03-01", "04-01", 1)) == [
        "plans.starter.allowances.runs.included: must not be negative, got -1",
        "plans.pro.allowances.seats.included: must be a plain decimal number such as 12.5, got "
        "'x.5'",
        "plans.starter.versions[1].since: must be later than that of the version before, "
        "2024-04-01T00:00:00Z, got 2024-03-01T00:00:00+00:00",
        "plans.starter.versions[0].allowances.runs.price.price: must be a plain decimal number "
        "such as 12.5, got '1,5'",
    ]


def test_a_fault_that_a_version_brings_about_is_told_of_the_version() -> None:
    (fault,) = faults(f"{STARTER}{VERSION}maximum = 1\n{VERSION.replace('-03-', '-04-')}")
    assert fault.startswith("plans.starter.versions[0].minimum: must not be above the maximum")


def test_what_extends_a_plan_that_is_no_table_says_nothing_of_its_own() -> None:
    assert faults('plans.p = 5\nplans.q = { extends = "p" }\nplans.r = { extends = "q" }') == [
        "plans.p: must be a mapping, got 5"
    ]


def test_the_slug_of_a_plan_is_a_name() -> None:
    (fault,) = faults(MINIMAL.replace("plans.p", 'plans." "'))
    assert fault == "plans.<name>: must not have a space at an end, or two in a row, got ' '"


def test_tables_are_merged_so_deep_and_no_deeper() -> None:
    below: dict[str, object] = {}
    above: dict[str, object] = {}
    for _ in range(5_000):
        below, above = {"a": below, "b": 1}, {"a": above}
    tables = merged(below, above)
    depth = 0
    while "b" in tables:
        tables, depth = tables["a"], depth + 1
    assert depth == 17
    assert without_path(below, "a." * 5_000 + "b") is None


def test_a_key_with_dots_is_found_by_the_longest_beginning() -> None:
    table = {"a": {"b": {"c": 1}}, "a.b": {"c": 2}, "d.e": 3}
    assert without_path(table, "a.b.c") == {"a": {"b": {"c": 1}}, "a.b": {}, "d.e": 3}
    assert without_path(table, "a.b") == {"a": {"b": {"c": 1}}, "d.e": 3}
    assert without_path(table, "d.e") == {key: table[key] for key in ("a", "a.b")}
    assert without_path({"a": {"b.c": 1}, "a.b": {}}, "a.b.c") == {"a": {}, "a.b": {}}
    assert without_path(table, "d") is None


# Values


def test_the_version_in_force_is_the_last_that_has_begun() -> None:
    versions = [PlanVersion(PLAN, MARCH), PlanVersion(DEARER, MAY)]
    assert in_force(versions, datetime(2024, 2, 29, tzinfo=UTC)) is None
    assert in_force(versions, MARCH) == PLAN
    assert in_force(versions, MAY) == DEARER
    assert in_force([PlanVersion(PLAN)], datetime.min.replace(tzinfo=UTC)) == PLAN


def test_a_book_tells_the_plan_that_is_in_force() -> None:
    book = PlanBook({"p": [PlanVersion(PLAN, MARCH), PlanVersion(DEARER, MAY)]})
    assert book.plan("p", MAY) == DEARER
    with pytest.raises(UnknownPlan, match="plan: must be one of the plans, p, got 'q'"):
        book.plan("q", MAY)
    with pytest.raises(UnknownPlan, match="must be in force then, and is so from 2024-03-01T00"):
        book.plan("p", datetime(2024, 2, 1, tzinfo=UTC))
    assert book.terms("a", Period.month(2024, 4)) == (PLAN, {})
    assert book.terms("a", Period.month(2024, 5)) == (DEARER, {})


def test_versions_of_a_plan_are_one_at_least_and_each_later_than_the_last() -> None:
    with pytest.raises(InvalidValue, match=r"versions\.p: must have a version at least, got"):
        PlanBook({"p": []})
    with pytest.raises(InvalidValues) as caught:
        PlanBook({"p": [PlanVersion(PLAN), PlanVersion(DEARER), PlanVersion(DEAREST)]})
    assert [str(error) for error in caught.value.errors] == [
        f"versions.p[{place}].since: must be given: only the first version is in force always, "
        "got None"
        for place in (1, 2)
    ]


# Accounts, by the versions that hold


NEXT = """
[[plans.p.versions]]
since = 2024-03-10T00:00:00Z
drop = ["allowances.m"]
allowances.n = { included = 5, price = { model = "per_unit", price = 1 } }
[accounts.acme]
plan = "p"
since = 2024-01-01T00:00:00Z
"""


def changes(*sinces: str) -> str:
    return "".join(f"[[accounts.acme.changes]]\nsince = {since}T00:00:00Z\n" for since in sinces)


@pytest.mark.parametrize(
    ("terms", "expected"),
    [
        ("limits = { m = 1 }\n", ["limits.m: 'm' is not in plan 'p', whose metrics are: n"]),
        ("limits = { m = 1 }\n" + changes("2024-04-01") + "drop_limits = ['m']\n", []),
        (
            "limits = { m = 1 }\n" + changes("2024-04-02") + "drop_limits = ['m']\n",
            ["limits.m: 'm' is not in plan 'p', whose metrics are: n"],
        ),
        (
            changes("2024-03-20") + "limits = { n = 1 }\n",
            ["changes[0].limits.n: 'n' is not in plan 'p', whose metrics are: m"],
        ),
        (changes("2024-04-01") + "limits = { n = 1 }\n", []),
        ("limits = { m = 1 }\nplan_version = 1\n", []),
        (
            "limits = { m = 1 }\nplan_version = 2\n",
            ["limits.m: 'm' is not in plan 'p', whose metrics are: n"],
        ),
        ("limits = { x = 1 }\nplan_version = 3\n", []),
        (
            "limits = { m = 1 }\ncycle = { anchor = 2024-01-10T00:00:00Z }\n"
            + changes("2024-04-01")
            + "drop_limits = ['m']\n",
            ["limits.m: 'm' is not in plan 'p', whose metrics are: n"],
        ),
    ],
)
def test_own_limits_are_of_the_versions_that_hold(terms: str, expected: list[str]) -> None:
    text = MINIMAL + NEXT + terms
    if expected:
        assert faults(text) == [f"accounts.acme.{fault}" for fault in expected]
    else:
        read_plans(text)


def test_a_plan_that_comes_into_force_within_a_period_holds_from_its_part_on() -> None:
    since = MINIMAL + "since = 2024-03-10T00:00:00Z\n"
    account = '[accounts.acme]\nplan = "q"\nsince = 2024-01-01T00:00:00Z\n'
    moved = changes("2024-03-20") + "plan = 'p'\nlimits = { x = 1 }\n"
    other = MINIMAL.replace("plans.p", "plans.q")
    assert faults(since + other + account + moved) == [
        "accounts.acme.changes[0].limits.x: 'x' is not in plan 'p', whose metrics are: m"
    ]
    early = '[accounts.acme]\nplan = "p"\nsince = 2024-01-01T00:00:00Z\nlimits = { x = 1 }\n'
    ended = changes("2024-03-02") + "kind = 'end'\n"
    assert read_plans(since + early + ended).accounts["acme"].limits == {"x": 1}


def test_an_own_amount_is_in_the_currency_of_each_version_that_holds() -> None:
    euros = "[[plans.p.versions]]\nsince = 2024-03-01T00:00:00Z\ncurrency = 'EUR'\n"
    euros += "[[plans.p.versions]]\nsince = 2024-04-01T00:00:00Z\ncurrency = 'GBP'\n"
    account = '[accounts.acme]\nplan = "p"\nsince = 2024-01-01T00:00:00Z\n'
    own = 'minimum = { amount = 5, currency = "USD" }\n'
    assert faults(MINIMAL + euros + account + own) == [
        "accounts.acme.minimum: EUR and USD can't be added or compared"
    ]
    gone = changes("2024-03-01") + "drop_bounds = ['minimum']\n"
    book = read_plans(MINIMAL + euros + account + own + gone)
    assert isinstance(book.accounts["acme"], Account)
