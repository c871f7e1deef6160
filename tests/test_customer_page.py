"""The page of the example host: what a customer reads, whatever its plan, and who can read it."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from examples.http_service import page, words
from examples.http_service.seed import METRICS, seed
from examples.http_service.settings import Member
from examples.http_service.view import View, gather
from overages import (
    Account,
    Adjustment,
    Allowance,
    CarryOver,
    Currency,
    Cycle,
    Discount,
    Grant,
    Money,
    OverageRecord,
    OverageService,
    Period,
    PerUnit,
    Plan,
    SqliteRepository,
    UsageEvent,
)
from overages.alerts.alert import Alert
from overages.alerts.fired_alert import FiredAlert
from overages.alerts.threshold import Threshold
from overages.errors import StorageBusy
from overages.insight.budget import Budget
from overages.terms.change import TermsChange
from tests.colours import contrast

NOW = datetime(2024, 2, 20, 18, tzinfo=UTC)
FEBRUARY = Period.month(2024, 2)
START = datetime(2024, 1, 1, tzinfo=UTC)
ADA = Member("Ada", "org-123")
STYLE = Path(page.__file__).with_name("style.css").read_text("utf-8")
VOID = {"meta", "link", "input", "br"}


def read(html: str) -> str:
    """Return the texts of a page, one after another, with a bar between them."""
    html = re.sub(r"<(title|desc)>.*?</\1>", "", html)
    return re.sub(r"(\s*\|\s*)+", "|", re.sub(r"\s*<[^>]*>\s*", "|", html))


class Elements(HTMLParser):
    """The elements of a page in order, which must be closed as they were opened."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self._open: list[str] = []
        self.feed(html)
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def of(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.found if name == tag]


OPEN: list[SqliteRepository] = []


@pytest.fixture(autouse=True)
def closing() -> Iterator[None]:
    """Close the databases of a test after it."""
    yield
    while OPEN:
        OPEN.pop().close()


class Org:
    """An org on a plan, in a database of its own, and its page."""

    def __init__(self, folder: Path, plan: Plan, account: Account | None = None) -> None:
        self.path = folder / "page.db"
        self.repository = SqliteRepository(self.path)
        OPEN.append(self.repository)
        self.service = OverageService(self.repository, lambda: NOW)
        self.repository.put_plan(plan)
        self.account = account or Account("org-123", plan.slug, since=START)
        self.repository.put_account(self.account)

    def use(self, metric: str, quantity: int, at: datetime = NOW) -> None:
        self.service.record_usage([UsageEvent("org-123", metric, quantity, at=at)])

    def view(self, now: datetime = NOW) -> View:
        view = gather(self.path, self.repository, self.service, lambda: now, "org-123")
        assert view is not None
        return view

    def page(self, now: datetime = NOW) -> str:
        return read(page.overview(ADA, self.view(now)))


def plan(**allowances: Allowance) -> Plan:
    return Plan("starter", "USD", allowances)


@pytest.fixture(scope="module")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Return the page of each org of the example."""
    path = tmp_path_factory.mktemp("page") / "page.db"
    with SqliteRepository(path) as repository:
        service = OverageService(repository, lambda: NOW, metrics=METRICS)
        seed(repository, service, NOW)
        pages = {}
        for org_id in ("org-123", "globex", "northwind"):
            view = gather(path, repository, service, lambda: NOW, org_id)
            pages[org_id] = page.overview(Member("Ada", org_id), view)
        yield pages


class TestACustomer:
    """Reads what is due, and for what, without a word of ours."""

    def test_reads_the_month_what_is_due_and_what_for(self, seeded: dict[str, str]) -> None:
        text = read(seeded["org-123"])
        assert (
            "|February 2024|, 9 days left|$50.00|so far, beyond what is included in your plan"
            " “monthly”|"
        ) in text
        assert "|About $119.18 by the end ($115.49 to $124.61)|" in text
        assert "|Tokens: 250,000 × $0.0001|$25.00|Playbook runs: 25 × $1|$25.00|" in text
        assert (
            "|Tokens|750,000 of 500,000|250,000 over since 14 February; about 1,091,809 by the end|"
        ) in text
        assert "|Seats|3 of 3|all that is included, none over|" in text
        assert "|used|over|included|expected by the end|" in text
        assert "|As of 20 February 2024, 18:00 UTC|" in text

    def test_reads_what_was_recorded_and_how_it_is_worked_out(self, seeded: dict[str, str]) -> None:
        text = read(seeded["org-123"])
        assert "|Tokens|750,000|500,000|250,000|250,000 × $0.0001|25|$25.00|" in text
        assert "|Recorded of January 2024, closed|" in text
        assert "|Tokens|2|12,345|0.0001|1.2345|$1.23|2024-02-01 00:00 UTC|" in text
        assert text.index("of January 2024, closed") < text.index("of December 2023, closed")
        assert "|Total|$15.23|" in text
        assert not re.search("acme|globex|northwind", seeded["org-123"])

    def test_reads_what_changed_and_why(self, seeded: dict[str, str]) -> None:
        assert (
            "|What changed|1 February 2024|January 2024 was corrected: 12,345 tokens more,"
            " $1.23 more.|1 October 2023|Your plan changed from basic to monthly.|"
        ) in read(seeded["org-123"])

    def test_sees_the_last_twelve_months(self, seeded: dict[str, str]) -> None:
        (described,) = re.findall("<desc>(.*?)</desc>", seeded["org-123"])
        assert described == (
            "Mar: $0.00; Apr: $0.00; May: $0.00; Jun: $1.20; Jul: $8.40; Aug: $9.60; Sep: $20.40;"
            " Oct: $0.00; Nov: $0.00; Dec: $3.00; Jan: $15.23; Feb: $50.00 so far."
        )
        assert "|$50|" in read(seeded["org-123"])
        assert seeded["org-123"].count("Charges by month</") == 3  # two are said, one is shown

    def test_reads_of_alerts_the_newest_of_each_metric(self, seeded: dict[str, str]) -> None:
        text = read(seeded["org-123"])
        assert (
            "|Your tokens passed 100 % of what is included on 14 February: 538,043 of 500,000|Seen|"
        ) in text
        assert "90 %" not in text
        assert seeded["org-123"].count('name="key"') == 6

    def test_reads_of_discounts_and_credit(self, seeded: dict[str, str]) -> None:
        text = read(seeded["globex"])
        assert (
            "|$0.00|so far, beyond what is included in your plan “growth”, after $169.52 of credit|"
            "About $0.00 by the end, after $400.00 of credit|"
        ) in text
        assert "|Storage GB: 31 × $0.023|$0.71|" in text
        assert "|All|Discount: launch|−18.836724|−$18.84|" in text
        assert "|Discount: launch|−$18.84|Paid with credit: welcome credit|−$169.52|" in text
        assert (
            "|Credit used|Welcome credit|$169.52 of $500.00|$330.48 left, until 1 July 2024|"
        ) in text

    def test_reads_of_tiers_together_and_each_below(self, seeded: dict[str, str]) -> None:
        text = read(seeded["northwind"])
        assert "|Tokens: 10,267,188 over, by tier|$655.02|" in text
        assert "|above 1,000,000: 9,000,000 × $60 per 1,000,000 + $25 flat|565|" in text
        assert "|Seats|61, unlimited|all of it is included|" in text

    def test_reads_that_nothing_is_due(self, tmp_path: Path) -> None:
        org = Org(tmp_path, plan(runs=Allowance(50, PerUnit(1))))
        org.use("runs", 49, at=NOW - timedelta(days=9))
        text = org.page()
        assert "|$0.00|All that you have used is included in your plan “starter”|" in text
        assert (
            "|Runs|49 of 50|1 left; 98 % used; runs out on 20 February; about 75 by the end|"
        ) in text
        assert "|used|included|expected by the end|" in text
        assert "Charges by month" not in text
        assert not re.search("Alerts|Budgets|Credit|What changed", text)

    def test_reads_no_forecast_where_none_can_be_made(self, tmp_path: Path) -> None:
        org = Org(tmp_path, plan(runs=Allowance(50, PerUnit(1))))
        org.use("runs", 70, at=NOW - timedelta(days=9))
        view = org.view()
        assert "|About $57.00 by the end|" in read(page.overview(ADA, view))
        for unsaid in (
            replace(view, projection=None),
            replace(view, now=FEBRUARY.end),
        ):
            assert "About" not in read(page.overview(ADA, unsaid))
        text = read(page.overview(ADA, replace(view, projection=None)))
        assert "|Runs|70 of 50|20 over|" in text
        assert "expected by the end" not in text

    @pytest.mark.parametrize(
        ("now", "left"),
        [
            (NOW, "9 days left"),
            (FEBRUARY.start, "28 days left"),
            (FEBRUARY.end - timedelta(days=1), "ends today"),
            (FEBRUARY.end - timedelta(hours=25), "1 day left"),
            (FEBRUARY.end - timedelta(hours=6), "ends today"),
            (FEBRUARY.end, "over"),
        ],
    )
    def test_reads_how_many_days_are_left_after_today(self, now: datetime, left: str) -> None:
        assert words.time_left(FEBRUARY, now, UTC) == left

    def test_has_as_many_days_left_as_the_projection(self, tmp_path: Path) -> None:
        cycle = Cycle.monthly("Pacific/Auckland")
        account = Account("org-123", "starter", since=START, cycle=cycle)
        org = Org(tmp_path, plan(runs=Allowance(50, PerUnit(1))), account)
        projection = org.service.project("org-123")
        assert projection is not None
        left = words.time_left(projection.period, NOW, ZoneInfo("Pacific/Auckland"))
        assert left == f"{projection.days_left} days left"

    def test_reads_of_each_part_of_a_month_and_where_its_limit_is_from(
        self, tmp_path: Path
    ) -> None:
        runs = Allowance(290, PerUnit(1), carry_over=CarryOver())
        org = Org(tmp_path, plan(runs=runs))
        org.use("runs", 100, at=START)
        half = FEBRUARY.start + timedelta(days=10)
        account = org.account.changed(since=half, limits={"runs": 29})
        org.repository.put_account(account)
        org.use("runs", 30)
        text = org.page()
        assert "|0 of 290|from 1 February 2024; 290 were not used; 190 carried" in text
        assert "from 11 February 2024" in text
        assert "|11 February 2024|Runs included for you: 29.|" in text

    def test_reads_times_in_the_zone_of_the_account(self, tmp_path: Path) -> None:
        account = Account(
            "org-123", "starter", since=START, cycle=Cycle.monthly("Pacific/Auckland")
        )
        org = Org(tmp_path, plan(runs=Allowance(50, PerUnit(1))), account)
        assert "|February 2024|, 8 days left|" in org.page()
        assert words.day(NOW, ZoneInfo("Pacific/Auckland")) == "21 February 2024"

    def test_sees_budgets_and_what_happens_when_they_are_reached(self, tmp_path: Path) -> None:
        account = Account("org-123", "starter", since=START, maximum=Money.of("25.00", "USD"))
        terms = plan(runs=Allowance(50, PerUnit(1)), calls=Allowance(0, PerUnit(0)))
        org = Org(tmp_path, terms, account)
        org.use("runs", 75)
        for budget in (
            Budget(Money.of("20.00", "USD")),
            Budget(Money.of("30.00", "USD"), metric="runs"),
            Budget(Money.of("5.00", "USD"), metric="calls", on_reached="stop_usage"),
            Budget(100, metric="runs", id="runs-units", on_reached="stop_usage"),
            Budget(9, metric="runs", id="daily", window=Cycle.calendar("day")),
            Budget(Money.of("40.00", "USD"), window=Cycle.calendar("day")),
        ):
            org.repository.put_budget("org-123", budget)
        text = org.page()
        passes = "Nothing stops when it is passed."
        stops = "When it is reached, nothing more can be used."
        assert f"|All charges|$25.00 of $20.00|It is passed. {passes}|" in text
        assert f"|Runs|$25.00 of $30.00|{passes}|" in text
        assert f"|Calls|$0.00 of $5.00|{stops.replace('more', 'that costs')}|" in text
        assert f"|Runs|75 of 100|{stops}|" in text
        assert "|Calls|0 of 0|none included|" in text
        assert f"|Runs, each day|75 of 9|It is passed. {passes}|" in text
        assert f"|All charges, each day|$25.00 of $40.00|{passes}|" in text

    def test_sees_a_budget_that_stops_charging(self, tmp_path: Path) -> None:
        org = Org(tmp_path, plan(runs=Allowance(50, PerUnit(1))))
        cap = Budget(Money.of("10.00", "USD"), on_reached="stop_charging")
        org.service.put_budget("org-123", cap)
        org.use("runs", 75)
        told = "It is reached. You are charged no more than that."
        assert f"|All charges|$10.00 of $10.00|{told}|" in org.page()

    def test_sees_where_a_budget_should_be_by_the_end(self, tmp_path: Path) -> None:
        org = Org(tmp_path, plan(runs=Allowance(50, PerUnit(1)), calls=Allowance(0, PerUnit(1))))
        org.use("runs", 70, at=NOW - timedelta(days=9))
        for budget in (
            Budget(Money.of("30.00", "USD")),
            Budget(Money.of("57.00", "USD"), metric="runs"),
            Budget(Money.of("99.00", "USD"), metric="runs", id="large"),
            Budget(Money.of("1.00", "USD"), metric="calls"),
            Budget(100, metric="runs", id="units", on_reached="stop_usage"),
            Budget(70, metric="runs", id="reached", on_reached="stop_usage"),
            Budget(90, metric="runs", id="weeks", window=Cycle(START, every=2, unit="week")),
        ):
            org.repository.put_budget("org-123", budget)
        view = org.view()
        html = page.overview(ADA, view)
        text = read(html)
        passed, reached = "Expected to be passed:", "Expected to be reached:"
        assert f"|All charges|$20.00 of $30.00|{passed} about $57.00 by the end. Nothing" in text
        assert f"|Runs|$20.00 of $57.00|{reached} about $57.00 by the end. Nothing" in text
        assert "|Runs|$20.00 of $99.00|Nothing" in text
        assert "|Calls|$0.00 of $1.00|Nothing" in text
        assert "|Runs|70 of 100|Expected to be reached by the end. When" in text
        assert "|Runs|70 of 70|It is reached. When" in text
        assert "|Runs, every 2 weeks|0 of 90|Nothing" in text
        budgets = html[html.index('id="budgets"') :]
        assert (
            '<rect class="within" x="0.00%" width="35.09%" height="10"/>'
            '<rect class="ahead" x="35.09%" width="64.91%" height="10"/>'
            '<line class="limit" x1="52.63%" x2="52.63%"'
        ) in budgets
        assert view.projection is not None
        unsure = replace(view, projection=view.projection._replace(expected_bill=None))
        over = replace(view, now=FEBRUARY.end)
        for unsaid in (unsure, replace(view, projection=None), over):
            assert "|All charges|$20.00 of $30.00|Nothing" in read(page.overview(ADA, unsaid))

    def test_sees_a_budget_of_a_metric_that_the_plan_has_no_more(self, tmp_path: Path) -> None:
        org = Org(tmp_path, plan(runs=Allowance(50, PerUnit(1))))
        org.repository.put_budget("org-123", Budget(5, metric="gone"))
        org.repository.put_budget("org-123", Budget(5, metric="runs"))
        text = org.page()
        assert "|Gone|0 of 5|Nothing stops when it is passed.|Runs|0 of 5|" in text

    def test_reads_of_a_minimum_and_a_fee_what_they_are(self, tmp_path: Path) -> None:
        fee, least = Money.of("20.00", "USD"), Money.of("9.00", "USD")
        runs = Allowance(50, PerUnit(1))
        org = Org(tmp_path, Plan("starter", "USD", {"runs": runs}, base_fee=fee, minimum=least))
        view = org.view()
        assert view.projection is not None
        assert view.projection.expected_bill is not None
        final = view.usage._replace(statement=view.projection.expected_bill)
        text = read(page.overview(ADA, replace(view, usage=final)))
        assert "|so far, under your plan “starter”, without its fee of $20.00|" in text

    def test_sees_bars_by_one_scale_with_what_is_included_in_line(
        self, seeded: dict[str, str], tmp_path: Path
    ) -> None:
        for org_id, at in ("org-123", ["45.45%"] * 3), ("globex", ["27.93%"] * 4):
            used = seeded[org_id]
            used = used[used.index('id="used"') : used.index('class="key')]
            assert re.findall(r'class="limit" x1="([\d.]+%)"', used) == at
        org = Org(tmp_path, plan(runs=Allowance(1, PerUnit(1)), calls=Allowance(4, PerUnit(1))))
        org.use("runs", 100)
        org.use("calls", 5)
        shown = page.overview(ADA, replace(org.view(), projection=None))
        assert re.findall(r'class="limit" x1="([\d.]+%)"', shown) == ["1.00%", "80.00%"]

    def test_reads_alerts_of_windows_and_grants_and_who_has_seen_them(self, tmp_path: Path) -> None:
        org = Org(tmp_path, plan(runs=Allowance(50, PerUnit(1))))
        grant = Grant(
            "pack", 100, metric="runs", effective_at=START, expires_at=NOW + timedelta(days=99)
        )
        org.repository.put_grant("org-123", grant)
        org.repository.put_budget(
            "org-123", Budget(9, metric="runs", id="daily", window=Cycle.calendar("day"))
        )
        for alert in (
            Alert("half", Threshold(percent=50), budget="daily"),
            Alert("pack", Threshold(percent=10), grant="pack"),
        ):
            org.service.put_alert(alert)
        org.use("runs", 75)
        daily, pack = (
            next(a for a in org.service.alerts("org-123") if a.definition.alert.id == name)
            for name in ("half", "pack")
        )
        for fired in daily, pack:
            assert (
                f"|{fired.message[:1].upper()}{fired.message[1:]} (on 20 February)|" in org.page()
            )
        org.service.acknowledge("org-123", daily.key, by="Ada")
        org.service.acknowledge("org-123", pack.key)
        text = org.page()
        assert "(on 20 February)|Seen by Ada, 20 February 2024|" in text
        assert "(on 20 February)|Seen, 20 February 2024|" in text
        assert "|Alerts|2 seen|" in text

    def test_reads_no_alert_that_was_cleared(self, tmp_path: Path) -> None:
        org = Org(tmp_path, plan(runs=Allowance(50, PerUnit(1))))
        org.service.put_alert(Alert("runs", Threshold(percent=80), metric="runs"))
        org.use("runs", 40)
        assert (
            "|Alerts|!|Your runs reached 80 % of what is included on 20 February: 40" in org.page()
        )
        org.use("runs", -10)
        assert "Alerts" not in org.page()

    def test_sees_one_moment(self, tmp_path: Path) -> None:
        org = Org(tmp_path, plan(runs=Allowance(50, PerUnit(1))))
        refused = []

        class Late(OverageService):
            """Has another process record usage once a part of the page is read."""

            def alerts(self, *args: Any, **kwargs: Any) -> tuple[FiredAlert, ...]:
                with SqliteRepository(org.path, timeout=0) as other:
                    event = UsageEvent("org-123", "runs", 5, at=NOW)
                    with pytest.raises(StorageBusy) as busy:
                        OverageService(other, lambda: NOW).record_usage([event])
                refused.append(busy)
                return super().alerts(*args, **kwargs)

        org.service = Late(org.repository, lambda: NOW)
        org.view()
        assert len(refused) == 1

    def test_sees_grants_of_units(self, tmp_path: Path) -> None:
        org = Org(tmp_path, plan(runs=Allowance(50, PerUnit(1))))
        grant = Grant("top-up", 100, metric="runs", effective_at=START)
        org.repository.put_grant("org-123", grant)
        org.use("runs", 75)
        text = org.page()
        assert "|Credit used|Top up|25 of 100 runs|75 runs left|" in text
        assert "|Runs|75 of 150|75 left; 50 % used; 75 of them granted;" in text

    def test_sees_what_is_left_of_one_that_began_after_units_were_charged(
        self, tmp_path: Path
    ) -> None:
        org = Org(tmp_path, plan(runs=Allowance(50, PerUnit(1))))
        grant = Grant("top-up", 20, metric="runs", effective_at=NOW)
        org.repository.put_grant("org-123", grant)
        org.use("runs", 60, at=FEBRUARY.start)
        assert "|Runs|60 of 70|10 over; 20 granted are left;" in org.page()

    def test_sees_all_that_is_left_of_one_that_ends_with_the_month(self, tmp_path: Path) -> None:
        org = Org(tmp_path, plan(runs=Allowance(50, PerUnit(1))))
        grant = Grant("top-up", 100, metric="runs", effective_at=START, expires_at=FEBRUARY.end)
        org.repository.put_grant("org-123", grant)
        org.use("runs", 75)
        assert "|25 of 100 runs|75 runs left, until 1 March 2024|" in org.page()

    def test_sees_what_is_left_of_grants_in_the_present_part(self, tmp_path: Path) -> None:
        org = Org(tmp_path, plan(runs=Allowance(290, PerUnit(1))))
        grant = Grant("top-up", 100, metric="runs", effective_at=START)
        org.repository.put_grant("org-123", grant)
        half = FEBRUARY.start + timedelta(days=10)
        org.repository.put_account(org.account.changed(since=half, limits={"runs": 29}))
        org.use("runs", 7, at=FEBRUARY.start)
        org.use("runs", 30)
        text = org.page()
        assert "|7 of 100|from 1 February 2024; 93 were not used|" in text
        assert "|30 of 119|from 11 February 2024; 89 left; 25 % used; 89 of them granted;" in text

    def test_has_nothing_to_read_without_a_plan(self, tmp_path: Path) -> None:
        org = Org(tmp_path, plan())
        assert gather(org.path, org.repository, org.service, lambda: NOW, "nobody") is None
        assert "There is no plan" in read(page.overview(ADA, None))

    def test_leaves_out_months_in_another_currency(self, tmp_path: Path) -> None:
        org = Org(tmp_path, plan(runs=Allowance(0, PerUnit(1))))
        org.use("runs", 5, at=START)
        past = OverageService(org.repository, lambda: FEBRUARY.start)
        past.close_ended()
        org.repository.put_plan(Plan("euro", "EUR", {"runs": Allowance(0, PerUnit(1))}))
        org.repository.put_account(org.account.changed(since=FEBRUARY.start, plan="euro"))
        assert [str(amount) for _, amount in org.view().charges()] == ["0.00 EUR"]


class TestWords:
    """Are those of a person, with the signs of currencies that are known."""

    @pytest.mark.parametrize(
        ("amount", "text"),
        [
            (Money(5000, "USD"), "$50.00"),
            (Money(-123_456_789, "USD"), "−$1,234,567.89"),
            (Money(100, "EUR"), "€1.00"),
            (Money(100, "GBP"), "£1.00"),
            (Money(100, "JPY"), "¥100"),
            (Money(-100, "CHF"), "−1.00 CHF"),
            (Money(7, Currency("PTS", 0)), "7 PTS"),
        ],
    )
    def test_of_money(self, amount: Money, text: str) -> None:
        assert words.money(amount) == text

    @pytest.mark.parametrize(
        ("text", "shown"),
        [
            ("250,000 x 0.0001", "250,000 × €0.0001"),
            ("up to 9: 9 x 80 per 1,000 + 25 flat", "up to 9: 9 × €80 per 1,000 + €25 flat"),
            (
                "3 x 1.25 (packages of 1,000), at most 3",
                "3 × €1.25 (packages of 1,000), at most €3",
            ),
            ("x 5 extra", "x 5 extra"),
        ],
    )
    def test_of_formulas(self, text: str, shown: str) -> None:
        assert words.formula(text, Currency("EUR")) == shown

    def test_of_formulas_in_a_currency_without_a_sign(self) -> None:
        assert words.formula("2 x 5 + 3 flat", Currency("CHF")) == "2 × 5 + 3 flat"

    def test_of_adjustments(self) -> None:
        line = Adjustment("minimum", Money(1, "USD"), Money(2, "USD"), 2, metric="playbook_runs")
        assert words.adjustment(line) == "Up to your plan's minimum (playbook runs)"

    @pytest.mark.parametrize(
        ("metric", "line", "quantity", "minor", "text"),
        [
            ("tokens", "overage", -5, -10, "5 tokens fewer, $0.10 less"),
            ("tokens", "overage:2024-01-12T00:00:00Z", 5, 10, "5 tokens more, $0.10 more"),
            ("tokens", "overage", 0, 10, "tokens: overage, $0.10 more"),
            ("tokens", "overage", 3, 0, "3 tokens more"),
            (None, "credit:g1", 0, -10, "the total: credit g1, $0.10 less"),
        ],
    )
    def test_of_corrections(
        self, metric: str | None, line: str, quantity: int, minor: int, text: str
    ) -> None:
        record = OverageRecord(
            "org-123", FEBRUARY, metric, quantity=quantity, cost=Money(minor, "USD"),
            exact_cost=minor, line=line, plan="p", created_at=NOW, digest="0" * 64,
        )  # fmt: skip
        assert words.correction(record) == text

    @pytest.mark.parametrize(
        ("change", "text"),
        [
            (TermsChange(NOW, kind="end"), "Your plan ended"),
            (TermsChange(NOW, kind="cancel"), "A change was taken back"),
            (TermsChange(NOW, limits={"runs": None}), "Runs included for you: unlimited"),
            (TermsChange(NOW, drop_limits=["runs"]), "Runs: what your plan includes again"),
            (TermsChange(NOW, status="trial"), "Your trial began"),
            (TermsChange(NOW, cycle=Cycle.monthly(day=9)), "Another billing day"),
            (TermsChange(NOW, discounts=[Discount("vip", percent=5)]), "Discount vip"),
            (TermsChange(NOW, plan_version=2), "Your terms changed"),
        ],
    )
    def test_of_changes(self, change: TermsChange, text: str) -> None:
        assert words.changed_terms(change, "starter") == text

    def test_of_a_change_have_its_reason(self, tmp_path: Path) -> None:
        org = Org(tmp_path, plan(runs=Allowance(50, PerUnit(1))))
        changed = org.account.changed(since=NOW, limits={"runs": 60})
        org.repository.put_account(changed, noted_at=NOW, noted_by="Ada", reason="as agreed")
        assert "|Runs included for you: 60 (as agreed).|" in org.page()

    def test_of_alerts(self, tmp_path: Path) -> None:
        org = Org(tmp_path, plan(runs=Allowance(50, PerUnit(1))))
        for alert in (
            Alert("left", Threshold(percent=20, of="remaining"), metric="runs"),
            Alert("spent", Threshold(cost=Money.of("5", "USD"))),
        ):
            org.service.put_alert(alert)
        org.use("runs", 75)
        text = org.page()
        assert "|Your charges passed $5.00 on 20 February: $25.00|" in text
        assert "|Your runs were down to 20 % left on 20 February: 75 of 50|" in text
        assert words.amount(None) == "no limit"


class TestWhoeverReads:
    """Can: by keyboard, by ear, in the dark, on a phone; and nobody can put anything in it."""

    @pytest.fixture(params=["org-123", "globex", "northwind", "sign in", "refused", "problem"])
    def html(self, request: pytest.FixtureRequest, seeded: dict[str, str]) -> str:
        others = {
            "sign in": page.sign_in(),
            "refused": page.sign_in("Nobody has this token."),
            "problem": page.problem(Member("Edsger", None), "You are a member of none."),
        }
        return (seeded | others)[request.param]

    def test_can_tell_parts_by_their_names(self, html: str) -> None:
        elements = Elements(html)
        assert elements.of("html") == [{"lang": "en"}]
        titles = re.sub("<svg.*?</svg>", "", html).count("<title>")
        assert len(elements.of("main")) == len(elements.of("h1")) == titles == 1
        ids = [attributes["id"] for _, attributes in elements.found if "id" in attributes]
        assert len(ids) == len(set(ids))
        for _, attributes in elements.found:
            for name in ("aria-labelledby", "aria-describedby", "for"):
                assert attributes.get(name) is None or attributes[name] in ids
        levels = [int(tag[1]) for tag, _ in elements.found if re.fullmatch("h[1-6]", tag)]
        assert all(after <= before + 1 for before, after in pairwise(levels))
        assert all("aria-labelledby" in section for section in elements.of("section"))

    def test_can_tell_every_field_button_and_picture(self, html: str) -> None:
        elements = Elements(html)
        labelled = {attributes["for"] for attributes in elements.of("label")}
        for field in elements.of("input"):
            assert field["type"] == "hidden" or field["id"] in labelled
        assert html.count("<button") == len(re.findall(r"<button[^>]*>\w", html))
        for picture in elements.of("svg"):
            assert picture.get("aria-hidden") == "true" or (
                picture["role"] == "img" and picture["aria-label"]
            )
        for cell in elements.of("th"):
            assert cell["scope"] == "col"
        assert len(elements.of("caption")) == len(elements.of("table"))

    def test_can_go_past_the_head_of_the_page(self, seeded: dict[str, str]) -> None:
        elements = Elements(seeded["org-123"])
        assert elements.of("a")[0] == {"class": "skip", "href": "#main"}
        assert elements.of("main")[0] == {"id": "main"}

    def test_can_put_nothing_in_it(self, tmp_path: Path) -> None:
        name = "<i>&\"'"
        org = Org(
            tmp_path,
            Plan(
                name, "USD", {name: Allowance(0, PerUnit(1))}, discounts=[Discount(name, percent=1)]
            ),
            Account("org-123", name, since=START),
        )
        org.service.put_alert(Alert(name, Threshold(percent=1, of="overage"), metric=name))
        org.service.put_alert(Alert("c", Threshold(cost=Money(1, "USD")), metric=name))
        org.repository.put_budget("org-123", Budget(5, metric=name))
        org.repository.put_grant("org-123", Grant(name, 1, metric=name, effective_at=START))
        org.repository.put_account(
            org.account.changed(since=NOW, limits={name: 1}), reason=name, noted_by=name
        )
        org.use(name, 7, at=START)
        OverageService(org.repository, lambda: FEBRUARY.start).close_ended()
        org.use(name, 7)
        html = page.overview(Member("<script>", "<i>&"), org.view())
        assert "<i>" not in html
        assert "<script>" not in html
        assert Elements(html).of("i") == []
        assert html.count("&lt;i&gt;&amp;&quot;&#x27;") > 10

    def test_sees_no_style_or_script_within_it(self, html: str) -> None:
        html = html.replace('xmlns="http://www.w3.org/2000/svg"', "")
        assert not re.search(r"<script|<style|\sstyle=|\son\w+=|https?:", html)


def themes() -> list[dict[str, str]]:
    """Return the colours of the light theme and of the dark one."""
    found = re.findall(r":root \{(.*?)\}", STYLE, re.S)
    return [dict(re.findall(r"--(\w+): (#[0-9a-f]{6})", theme)) for theme in found]


@pytest.mark.parametrize("theme", themes(), ids=["light", "dark"])
class TestEachTheme:
    """Has the contrast that WCAG 2.2 asks for at level AA."""

    @pytest.mark.parametrize("ground", ["page", "card"])
    @pytest.mark.parametrize("text", ["ink", "soft", "bad"])
    def test_texts_can_be_read(self, theme: dict[str, str], text: str, ground: str) -> None:
        assert contrast(theme[text], theme[ground]) >= 4.5

    @pytest.mark.parametrize("ground", ["accent", "bad", "over"])
    def test_texts_on_colours_can_be_read(self, theme: dict[str, str], ground: str) -> None:
        assert contrast(theme["card"], theme[ground]) >= 4.5

    @pytest.mark.parametrize("shape", ["control", "accent", "over"])
    def test_shapes_and_the_edges_of_controls_can_be_seen(
        self, theme: dict[str, str], shape: str
    ) -> None:
        assert contrast(theme[shape], theme["card"]) >= 3
        assert shape == "control" or contrast(theme[shape], theme["track"]) >= 3

    def test_has_all_colours(self, theme: dict[str, str]) -> None:
        assert set(theme) == {
            "edge", "control", "soft", "page", "card", "ink", "accent", "over", "bad", "track",
        }  # fmt: skip


def test_what_has_the_focus_is_seen() -> None:
    assert re.search(r":focus-visible \{ outline: 3px solid var\(--accent\)", STYLE)
    assert "outline: none" not in STYLE


def test_all_of_the_calculation_is_printed_and_no_button() -> None:
    printed = STYLE[STYLE.index("@media print") :]
    assert "details::details-content { content-visibility: visible; height: auto; }" in printed
    assert "header form, form, .skip { display: none; }" in printed
    assert "details:not([open])" not in STYLE
