"""Periods of an org, read and written as the org knows them."""

from datetime import UTC, datetime

import pytest

from overages import Account, Cycle, Period
from overages.commands.desk.periods import name_of, periods_of, zone_for
from overages.errors import InvalidValue

JANUARY = datetime(2024, 1, 1, tzinfo=UTC)
PARIS = Account(
    "acme", "p", datetime(2023, 12, 31, 23, tzinfo=UTC), cycle=Cycle.monthly("Europe/Paris")
)
MOVED = PARIS.changed(
    since=datetime(2024, 3, 31, 22, tzinfo=UTC), cycle=Cycle.monthly("America/New_York")
)


def names(account: Account, text: str) -> list[str]:
    return [name_of(account, period) for period in periods_of(account, text)]


@pytest.mark.parametrize(
    ("account", "text", "expected"),
    [
        (Account("acme", "p", JANUARY), "2024-02", ["February 2024"]),
        (Account("acme", "p", JANUARY), "2023-12", []),
        (Account("acme", "p", JANUARY), "2024-01-01/2024-03-01", ["January 2024", "February 2024"]),
        (PARIS, "2024-02", ["February 2024"]),
        (PARIS, "2024-02-01/2024-03-01", ["February 2024"]),
        (MOVED, "2024-02", ["February 2024"]),  # by the timezone of its time
        (MOVED, "2024-05", ["May 2024"]),
    ],
)
def test_a_month_is_that_of_the_orgs_timezone(
    account: Account, text: str, expected: list[str]
) -> None:
    assert names(account, text) == expected


def test_a_first_period_is_short() -> None:
    account = Account("acme", "p", datetime(2024, 2, 17, tzinfo=UTC))
    (period,) = periods_of(account, "2024-02")
    assert period.start == account.since
    assert name_of(account, period) == "2024-02-17 to 2024-03-01 UTC"


def test_a_period_of_another_cycle_is_named_by_its_bounds() -> None:
    since = datetime(2024, 1, 17, tzinfo=UTC)
    account = Account("acme", "p", since, cycle=Cycle(anchor=since, unit="month"))
    assert names(account, "2024-01-17/2024-02-17") == ["2024-01-17 to 2024-02-17 UTC"]
    with pytest.raises(InvalidValue, match="must be one of the org's own, 2024-01-17T00:00:00Z/"):
        periods_of(account, "2024-02")


def test_a_time_without_terms_has_no_periods() -> None:
    account = PARIS.ended(at=datetime(2024, 2, 29, 23, tzinfo=UTC))
    assert names(account, "2024-02") == ["February 2024"]
    assert names(account, "2024-04") == []


def test_where_no_terms_are_known_a_period_is_named_in_utc() -> None:
    february = Period.month(2024, 2)
    assert name_of(None, february) == "February 2024"
    assert zone_for(PARIS.ended(at=february.start), Period.month(2024, 5)) == UTC
