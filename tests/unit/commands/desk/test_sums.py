"""The sums of usage files: put where nothing has to be said, and otherwise left to the intake."""

import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path

import pytest
from tests.desk import HEADER, WITH_IDS

from overages import Account, Allowance, Grant, Metric, PerUnit, Plan
from overages.adapters.memory import MemoryRepository
from overages.commands.desk import sums as of_files
from overages.commands.desk.meters import Span
from overages.commands.desk.newcomers import Newcomers
from overages.commands.desk.outcome import Stop
from overages.commands.desk.sources import UsageFile
from overages.commands.desk.sums import UsageSums
from overages.imports.usage_files.layout import UsageLayout
from overages.periods.cycle import Cycle
from overages.periods.period import Period

JANUARY, FEBRUARY = datetime(2024, 1, 1, tzinfo=UTC), Period.month(2024, 2)
TENTH, LAST = datetime(2024, 2, 10, tzinfo=UTC), datetime(2024, 2, 29, 23, 59, 59, tzinfo=UTC)
PRICE = PerUnit("0.01")
ROW = "acme,tokens,5,2024-02-10T00:00:00Z"
NEW = "new,tokens,7,2024-02-29T23:59:59Z"
NARROW = UsageLayout()
WIDE = UsageLayout(metrics={"tokens": "in", "runs": "out"})


class Sums:
    """Files, and the repository that their sums are put into."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.repository = MemoryRepository()
        allowances = {
            "tokens": Allowance(100, PRICE),
            "runs": Allowance(1, PRICE),
            "seats": Allowance(1, PRICE, kind="level"),
        }
        self.repository.put_plan(Plan("p", "USD", allowances))
        self.repository.put_account(Account("acme", "p", JANUARY))

    def put(
        self,
        *files: str,
        new: str | None = "p",
        layout: UsageLayout = NARROW,
        name: str = "u.csv",
    ) -> Span | None:
        sources = []
        for number, content in enumerate(files):
            path = self.folder / str(number)
            path.write_text(content)
            sources.append(UsageFile(path, name))
        newcomers = Newcomers(self.repository, new, Cycle.monthly())
        counted = UsageSums(self.repository, layout, newcomers).put(sources, LAST)
        return None if counted is None else counted.span

    def of(self, org_id: str, period: Period = FEBRUARY) -> dict[str, object]:
        return dict(self.repository.usage(org_id, period).quantities)


@pytest.fixture(params=["by rows", "by blocks"])
def sums(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Sums]:
    if request.param == "by blocks":
        pytest.importorskip("pyarrow")
        monkeypatch.setattr(of_files, "LARGE", 0)
    made = Sums(tmp_path)
    yield made
    assert not list(made.repository.events("acme", FEBRUARY))


def test_the_sums_of_files_are_put_and_new_orgs_get_an_account(sums: Sums) -> None:
    again = "acme,tokens,0.5,2024-02-10T00:00:00Z"
    assert sums.put(f"{HEADER}{ROW}\n{NEW}\n{again}\n{ROW}\n") == (TENTH, LAST)
    assert (sums.of("acme"), sums.of("new")) == (
        {"tokens": sums.of("acme")["tokens"]},
        {"tokens": 7},
    )
    assert str(sums.of("acme")["tokens"]) == "10.5"
    assert sums.repository.account("new") == Account("new", "p", FEBRUARY.start)


def test_an_event_counts_once_in_all_files(sums: Sums) -> None:
    first, second = f"{WITH_IDS}1,{ROW}\n1,{NEW}\n", f"{WITH_IDS}1,{ROW}\n2,{ROW}\n"
    assert sums.put(first, second) == (TENTH, LAST)
    assert sums.of("acme") == {"tokens": 10}


def test_sums_are_put_for_the_times_in_which_the_same_terms_hold(sums: Sums) -> None:
    account = Account("bolt", "p", JANUARY).changed(since=TENTH, limits={"tokens": 5})
    sums.repository.put_account(account)
    before = "bolt,tokens,4,2024-02-09T23:59:59Z\n"
    assert sums.put(HEADER + before + ROW.replace("acme", "bolt") + "\n") is not None
    assert [usage.period for usage in sums.repository.put_sums("bolt", FEBRUARY)] == [
        Period(FEBRUARY.start, TENTH),
        Period(TENTH, FEBRUARY.end),
    ]


def test_a_stretch_without_terms_is_left(sums: Sums) -> None:
    account = Account("bolt", "p", JANUARY).ended(at=TENTH)
    sums.repository.put_account(account)
    late = ROW.replace("acme", "bolt")
    assert sums.put(f"{HEADER}{late.replace('10T', '09T')}\n{ROW}\n") is not None
    assert sums.put(f"{HEADER}{late}\n") is None


def test_rows_that_are_written_otherwise_count_with_the_others(sums: Sums) -> None:
    first = (
        f"{WITH_IDS}1,{ROW}\n2,{ROW.replace('00Z', '00+00:00')}\n3,{ROW.replace(',5,', ',+5,')}\n"
    )
    again = f"{WITH_IDS}2,{ROW}\n4,{ROW.replace('acme', 'an org')}\n"
    assert sums.put(first, again) is not None
    assert (sums.of("acme"), sums.of("an org")) == ({"tokens": 15}, {"tokens": 5})


def test_rows_can_all_be_written_otherwise(sums: Sums) -> None:
    local = ROW.replace("00Z", "00+00:00")
    assert sums.put(f"{HEADER}{local}\n") == (TENTH, TENTH)
    assert sums.of("acme") == {"tokens": 5}


def test_new_orgs_have_the_sums_of_several_periods(sums: Sums) -> None:
    march = NEW.replace("02-29", "03-01").replace(",7,", ",8,")
    assert sums.put(f"{HEADER}{NEW}\n{march}\n") is not None
    assert (sums.of("new"), sums.of("new", Period.month(2024, 3))) == ({"tokens": 7}, {"tokens": 8})


def test_ids_that_come_again_with_other_content_are_left(sums: Sums) -> None:
    other = ROW.replace(",5,", ",+6,")
    assert sums.put(f"{WITH_IDS}1,{ROW}\n1,{other}\n") is None


def test_accounts_that_change_at_many_instants_have_sums(sums: Sums) -> None:
    accounts = [Account(f"o{day}", "p", TENTH + timedelta(minutes=day)) for day in range(70)]
    sums.repository.put_accounts(accounts)
    rows = [NEW.replace("new", account.org_id) for account in accounts]
    assert sums.put("\n".join([HEADER.strip(), ROW, *rows])) is not None
    assert sums.of("o69") == {"tokens": 7}


def test_an_event_at_the_last_instant_is_left(sums: Sums) -> None:
    last = ROW.replace(ROW.split(",")[3], "9999-12-31T23:59:59.999999Z")
    assert sums.put(f"{HEADER}{ROW}\n{last}\n") is None


def test_rows_without_ids_are_summed_before_they_are_too_many(
    sums: Sums, monkeypatch: pytest.MonkeyPatch
) -> None:
    block_sums = pytest.importorskip("overages.commands.desk.block_sums")
    monkeypatch.setattr(block_sums, "_MOST_WAITING", 8)
    assert sums.put(HEADER + f"{ROW}\n" * 50) is not None
    assert sums.of("acme") == {"tokens": 250}


def test_a_file_by_standard_input_is_read_again(sums: Sums) -> None:
    content = BytesIO(f"{HEADER}{ROW}\n".encode())
    newcomers = Newcomers(sums.repository, None, Cycle.monthly())
    file = UsageFile(content, "standard input")
    assert UsageSums(sums.repository, NARROW, newcomers).put([file], LAST) is not None
    assert sums.of("acme") == {"tokens": 5}


def test_a_file_that_is_not_there_is_told_when_it_is_opened(sums: Sums) -> None:
    missing = UsageFile(sums.folder / "missing.csv", "missing.csv")
    assert missing.size == 0
    newcomers = Newcomers(sums.repository, None, Cycle.monthly())
    with pytest.raises(FileNotFoundError):
        UsageSums(sums.repository, NARROW, newcomers).put([missing], LAST)


def test_without_pyarrow_large_files_are_read_by_rows(
    sums: Sums, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(of_files, "LARGE", 0)
    monkeypatch.setitem(sys.modules, "overages.commands.desk.block_sums", None)
    assert sums.put(f"{HEADER}{ROW}\n") is not None
    assert sums.of("acme") == {"tokens": 5}


def test_the_empty_cells_of_a_wide_file_are_no_events(sums: Sums) -> None:
    header = "org_id,timestamp,in,out\n"
    rows = "acme,2024-02-10T00:00:00Z,5,\nacme,2024-02-10T00:00:00Z,,2\n"
    assert sums.put(header + rows, layout=WIDE) == (TENTH, TENTH)
    assert sums.of("acme") == {"tokens": 5, "runs": 2}


@pytest.mark.parametrize(
    "content",
    [
        "",
        HEADER,
        f"{HEADER}acme,tokens,x,2024-02-10T00:00:00Z\n",  # no number
        f"{HEADER}acme,tokens,5,2023-02-10T00:00:00Z\n",  # before its account
        f"{HEADER}acme,toads,5,2024-02-10T00:00:00Z\n",  # none of its plan's
        f"{HEADER}acme,seats,5,2024-02-10T00:00:00Z\n",  # a level, which isn't summed
        f"{HEADER}acme,tokens,-5,2024-02-10T00:00:00Z\n",  # taken back, of nothing
        f"{WITH_IDS}1,{ROW}\n1,{ROW.replace('5', '6')}\n",  # one id, two events
    ],
)
def test_files_of_which_something_has_to_be_said_are_left(sums: Sums, content: str) -> None:
    assert sums.put(content) is None
    assert list(sums.repository.orgs()) == ["acme"]


def test_orgs_without_an_account_are_left_unless_they_get_one(sums: Sums) -> None:
    assert sums.put(f"{HEADER}{NEW}\n", new=None) is None


def test_files_of_rows_without_ids_are_left_as_one_may_be_the_copy_of_another(sums: Sums) -> None:
    assert sums.put(f"{HEADER}{ROW}\n", f"{HEADER}{ROW}\n") is None


def test_a_window_that_begins_within_a_period_needs_the_events(sums: Sums) -> None:
    year = Cycle(datetime(2024, 2, 12, tzinfo=UTC), unit="year")
    yearly = Plan("y", "USD", {"tokens": Allowance(100, PRICE, included_for=year)})
    sums.repository.put_plan(yearly)
    sums.repository.put_account(Account("bolt", "y", JANUARY))
    assert sums.put(HEADER + ROW.replace("acme", "bolt") + "\n") is None


def test_metrics_and_grants_need_the_events(sums: Sums) -> None:
    sums.repository.put_grant("acme", Grant("g", 5, metric="tokens", effective_at=JANUARY))
    assert sums.put(f"{HEADER}{ROW}\n") is None
    sums.repository.void_grant("acme", "g", JANUARY)
    sums.repository.put_metric(Metric("peak", "max", event="load"))
    assert sums.put(f"{HEADER}{ROW}\n") is None


def test_a_name_that_no_batch_can_have_is_refused(sums: Sums) -> None:
    with pytest.raises(Stop):
        sums.put(f"{HEADER}{ROW}\n", name="n" * 250)
