"""Metrics and grants in files of plans, and whether they fit the plans."""

from datetime import UTC, datetime
from fractions import Fraction

import pytest
from tests.plan_files import MINIMAL, faults

from overages import Cycle, Grant, Increment, Metric, Money
from overages.errors import InvalidValue
from overages.imports.plan_files.versions import PlanVersion
from overages.imports.plans import PlanBook, read_plans
from overages.imports.usage_files.layout import UsageLayout

FEBRUARY = datetime(2024, 2, 1, tzinfo=UTC)
GRANT = "effective_at = 2024-02-01T00:00:00Z\n"


def priced(*metrics: str) -> str:
    """Return the least file, whose plan prices other metrics, too."""
    line = MINIMAL.splitlines()[-1]
    return MINIMAL + "".join(f"{line.replace('.m ', f'.{metric} ')}\n" for metric in metrics)


def test_a_metric_has_all_the_terms_that_it_has_in_python() -> None:
    book = read_plans(
        priced("users", "minutes", "calls")
        + """
        [metrics.m]
        aggregation = "max"
        reports = "level"
        event = "seats"
        [metrics.users]
        aggregation = "unique"
        event = "requests"
        distinct = "user"
        where = { region = ["eu", "ch"], tier = "paid" }
        [metrics.minutes]
        event = "call_seconds"
        factor = "1/60"
        increment = 1
        increment_scope = "event"
        [metrics.calls]
        event = "call"
        factor = 1.5e-3
        increment = { step = 6, first = 30, rounding = "half_up" }
        """
    )
    assert book.metrics == {
        "m": Metric("m", "max", reports="level", event="seats"),
        "users": Metric(
            "users",
            "unique",
            event="requests",
            distinct="user",
            where={"region": ["ch", "eu"], "tier": ["paid"]},
        ),
        "minutes": Metric(
            "minutes",
            event="call_seconds",
            factor=Fraction(1, 60),
            increment=1,
            increment_scope="event",
        ),
        "calls": Metric(
            "calls",
            event="call",
            factor="0.0015",
            increment=Increment(6, first=30, rounding="half_up"),
        ),
    }


def test_a_grant_has_all_the_terms_that_it_has_in_python() -> None:
    book = read_plans(
        MINIMAL
        + """
        [grants.acme.welcome]
        amount = 1_000
        metric = "m"
        priority = 3
        effective_at = 2024-02-01T00:00:00Z
        expires_at = 2025-02-01T00:00:00Z
        recurrence = { anchor = 2024-02-01T00:00:00Z }
        refill_keeps = 100
        step = 10
        created_at = 2024-01-31T00:00:00Z
        [grants.acme.top-up]
        amount = { amount = "50.00", currency = "USD" }
        effective_at = "2024-02-01T00:00:00Z"
        voided_at = 2024-03-01T00:00:00Z
        """
    )
    welcome = Grant(
        "welcome",
        1_000,
        metric="m",
        priority=3,
        effective_at=FEBRUARY,
        expires_at=datetime(2025, 2, 1, tzinfo=UTC),
        recurrence=Cycle(FEBRUARY),
        refill_keeps=100,
        step=10,
        created_at=datetime(2024, 1, 31, tzinfo=UTC),
    )
    voided = datetime(2024, 3, 1, tzinfo=UTC)
    top_up = Grant("top-up", Money(5_000, "USD"), effective_at=FEBRUARY, voided_at=voided)
    assert book.grants == {"acme": (welcome, top_up)}
    assert book.accounts == {}


def test_the_layout_of_usage_files_is_a_table() -> None:
    layout = "[usage]\ncolumns = { org_id = 'team' }\nmetrics = { m = 'n' }\nseparator = ';'\n"
    own = UsageLayout(columns={"org_id": "team"}, metrics={"m": "n"}, separator=";")
    assert read_plans(MINIMAL + layout).usage == own
    assert read_plans(MINIMAL).usage == UsageLayout()
    assert faults(MINIMAL + layout.replace("separator", "separater") + "metric = 'm'\n") == [
        "usage.separater: isn't known (did you mean 'separator'?); known here are columns, "
        "metrics, dimensions, org_id, metric, quantity, extra, timestamp, timezone, separator, "
        "encoding, got ';'"
    ]


def test_months_are_those_of_the_timezone() -> None:
    account = '[accounts.acme]\nplan = "p"\nsince = 2024-01-01T00:00:00Z\n'
    book = read_plans('timezone = "Europe/Paris"\n' + MINIMAL + account)
    assert book.default_cycle == book.accounts["acme"].cycle == Cycle.monthly("Europe/Paris")
    assert read_plans(MINIMAL).default_cycle == Cycle.monthly()
    (fault,) = faults('timezone = "Europe/Pari"\n' + MINIMAL + account)
    assert fault.startswith("timezone: must be the IANA name of a timezone known here, such as Eu")


LEVEL = MINIMAL.replace("included = 5", 'included = 5, kind = "level"')
FLOW = LEVEL.replace('"level"', '"flow"')
SAME = "[[plans.p.versions]]\nsince = 2024-03-01T00:00:00Z\nminimum = 5\n"


@pytest.mark.parametrize("aggregation", ["sum", "count"])
def test_a_level_of_a_plan_is_no_flow_by_its_metric(aggregation: str) -> None:
    metric = f'[metrics.m]\naggregation = "{aggregation}"\n'
    assert faults(LEVEL + SAME + metric) == [
        f"plans.p.allowances.m.kind: must be 'flow', as metrics.m is a {aggregation} of events, or "
        "left out; or the metric is to be counted otherwise, got 'level'"
    ]
    assert read_plans(FLOW + metric).metrics == read_plans(MINIMAL + metric).metrics


@pytest.mark.parametrize("aggregation", ["max", "last", "time_weighted"])
def test_a_flow_of_a_plan_is_no_level_by_its_metric(aggregation: str) -> None:
    metric = f'[metrics.m]\naggregation = "{aggregation}"\n'
    (fault,) = faults(FLOW + metric)
    assert fault.startswith(
        f"plans.p.allowances.m.kind: must be 'level', as metrics.m is a {aggregation} of events, or"
    )
    assert read_plans(LEVEL + metric).metrics == read_plans(MINIMAL + metric).metrics


def test_metrics_that_count_the_same_events_are_told_by_name() -> None:
    found = faults(priced("a", "b") + '[metrics.a]\nevent = "x"\n[metrics.b]\nevent = "x"\n')
    assert [fault[:50] for fault in found] == ["metrics.b: must not count the same events as 'a', "]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("metrics = 5", ["metrics: must be a mapping, got 5"]),
        (
            '[metrics.m]\nname = "n"',
            ["metrics.m.name: isn't known; known here are aggregation, ev"],
        ),
        ("[metrics.m]\nwhere = { a = 5 }", ["metrics.m.where.a: must be a list, got 5"]),
        ('[metrics.m]\nincrement = "x.5"', ["metrics.m.increment: must be a plain decimal number"]),
        (
            "[metrics.m]\nincrement = { first = 5 }",
            ["metrics.m.increment.step: must be given, got"],
        ),
        ("grants.a = 5", ["grants.a: must be a mapping, got 5"]),
        ("grants.a.b = 5", ["grants.a.b: must be a mapping, got 5"]),
        (
            "[grants.a.b]\namount = 5\n" + GRANT,
            ["grants.a.b.metric: must be given with an amount "],
        ),
        (
            "[accounts.a]\nplan = 'p'\nsince = 2024-01-01T00:00:00Z\n"
            '[grants.a.b]\namount = 5\nmetric = "mm"\n' + GRANT,
            ["grants.a.b.metric: 'mm' is a metric of no plan, here or in the database (did you"],
        ),
        (
            "[grants.a.b]\namount = { amount = 5 }\n" + GRANT,
            ["grants.a.b.amount.currency: must be given, got None"],
        ),
        (
            "[grants.a.b]\namount = '1.5x'\nmetric = 'm'\n" + GRANT,
            ["grants.a.b.amount: must be a "],
        ),
    ],
)
def test_every_fault_of_metrics_and_grants_is_named(text: str, expected: list[str]) -> None:
    found = faults(text + "\n" + MINIMAL if text.startswith(("m", "g")) else MINIMAL + text)
    assert len(found) == len(expected)
    assert all(fault.startswith(start) for fault, start in zip(found, expected, strict=True)), found


def test_a_grant_is_of_a_metric_that_any_version_of_any_plan_knows() -> None:
    old = MINIMAL + (
        "[[plans.p.versions]]\nsince = 2024-03-01T00:00:00Z\ndrop = ['allowances.m']\n"
        "allowances.n = { included = 5, price = { model = 'per_unit', price = 1 } }\n"
    )
    grant = "[grants.a.b]\namount = 5\nmetric = 'm'\n" + GRANT
    assert read_plans(old + grant).grants["a"][0].metric == "m"


def test_an_org_has_a_grant_of_an_id_once() -> None:
    plan = PlanVersion(read_plans(MINIMAL).plans["p"])
    grant = Grant("g", 5, metric="m", effective_at=FEBRUARY)
    with pytest.raises(InvalidValue, match=r"^grants\.a\[1\]\.id: must be there once, got 'g'$"):
        PlanBook({"p": [plan]}, grants={"a": [grant, grant]})


def test_a_metric_that_no_plan_of_the_file_prices_is_refused() -> None:
    metric = '[metrics.mm]\naggregation = "max"\n'
    assert faults(MINIMAL + metric) == [
        "metrics.mm: 'mm' is a metric of no plan, here or in the database (did you mean 'm'?): the"
        " plan comes first, in a file that is applied before, or in this one"
    ]
    assert list(read_plans(metric).metrics) == ["mm"]  # the plans are in the database
