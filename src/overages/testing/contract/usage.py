"""The contract of repositories: an org's usage, summed from events or put by the host."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Final

import pytest

from overages.errors import InvalidValue
from overages.repository import Repository
from overages.testing.contract.base import (
    APR,
    FEB,
    JAN,
    MAR,
    NOW,
    OURS,
    THEIRS,
    ContractBase,
    event,
    month_of,
    nothing_written,
    owed,
)
from overages.usage.usage import Usage

TICK: Final = timedelta(microseconds=1)
LARGEST: Final = Decimal("99999999999999999999999999.999999999999")


LESS: Final = Decimal("99999999999999999999999998.999999999999")


class UsageContract(ContractBase):
    """The usage of an org in a period: sums, or quantities that the host put."""

    def test_an_org_that_used_nothing_has_empty_usage(self, repository: Repository) -> None:
        assert repository.usage(OURS, FEB) == Usage(OURS, FEB, {})

    def test_usage_that_was_put_is_read(self, repository: Repository) -> None:
        usage = Usage(OURS, FEB, {"runs": "0.5", "tokens": 10**26 - 1})
        repository.put_usage(usage)
        assert repository.usage(OURS, FEB) == usage
        assert repr(repository.usage(OURS, FEB)) == repr(usage)

    def test_usage_that_was_put_takes_the_place_of_what_was_there(
        self, repository: Repository
    ) -> None:
        repository.add_events([event("1"), event("2", 3, "runs")], month_of)
        repository.put_usage(Usage(OURS, FEB, {"tokens": 7, "seats": 1}))
        assert repository.usage(OURS, FEB) == Usage(OURS, FEB, {"tokens": 7, "seats": 1})

    def test_usage_that_was_counted_and_put_in_turns_is_verified(
        self, repository: Repository
    ) -> None:
        for n in range(3):
            repository.add_events([event(f"a{n}"), event(None, "0.5", "runs")], month_of)
            repository.put_usage(Usage(OURS, FEB, {"tokens": 7 * n}))
            repository.put_usage(Usage(THEIRS, FEB, {"tokens": 7}))
            repository.add_events([event(f"b{n}"), event(None, -3, "runs")], month_of)
            repository.record(owed(tokens=200 + n), created_at=NOW)
            assert [repository.verify(), repository.verify(OURS)] == [n + 1, n + 1]
        assert repository.verify(THEIRS) == 0

    def test_usage_that_was_put_leaves_other_periods_and_orgs(self, repository: Repository) -> None:
        repository.put_usage(Usage(OURS, JAN, {"tokens": 1}))
        repository.put_usage(Usage(THEIRS, FEB, {"tokens": 2}))
        repository.put_usage(Usage(OURS, FEB, {"runs": 3}))
        assert repository.usage(OURS, JAN) == Usage(OURS, JAN, {"tokens": 1})
        assert repository.usage(THEIRS, FEB) == Usage(THEIRS, FEB, {"tokens": 2})

    def test_events_are_added_to_usage_that_was_put(self, repository: Repository) -> None:
        repository.put_usage(Usage(OURS, FEB, {"tokens": 7}))
        repository.add_events([event("1")], month_of)
        assert repository.usage(OURS, FEB) == Usage(OURS, FEB, {"tokens": 12})

    def test_events_before_usage_was_put_do_not_count_again(self, repository: Repository) -> None:
        repository.add_events([event("1")], month_of)
        repository.put_usage(Usage(OURS, FEB, {"tokens": 7}))
        assert repository.add_events([event("1")], month_of) == 0
        assert repository.usage(OURS, FEB) == Usage(OURS, FEB, {"tokens": 7})

    def test_usage_that_was_put_leaves_records_and_events(self, repository: Repository) -> None:
        repository.add_events([event("1", 105)], month_of)
        recorded = repository.record(owed(tokens=105), created_at=NOW)
        repository.put_usage(Usage(OURS, FEB, {"runs": 1}))
        assert repository.records(OURS, FEB) == recorded.records
        assert repository.overage(OURS, FEB) == owed(tokens=105).summary()
        assert list(repository.events(OURS, FEB)) == [event("1", 105)]

    def test_corrections_are_negative_and_a_metric_may_come_to_nothing(
        self, repository: Repository
    ) -> None:
        repository.add_events([event("1", 5), event("2", "-1.5"), event("3", -2, "runs")], month_of)
        repository.add_events([event("4", 2, "runs")], month_of)
        assert repository.usage(OURS, FEB) == Usage(OURS, FEB, {"tokens": "3.5"})

    def test_metrics_can_be_left_out_negative_ones_too(self, repository: Repository) -> None:
        repository.add_events([event("1", -5), event("2", 3, "runs")], month_of)
        rest = Usage(OURS, FEB, {"runs": 3})
        assert repository.usage(OURS, FEB, without=["tokens", "other"]) == rest
        with pytest.raises(InvalidValue):
            repository.usage(OURS, FEB, without=["runs"])

    def test_a_negative_sum_is_an_error_that_names_org_and_period(
        self, repository: Repository
    ) -> None:
        repository.add_events([event("1", 5), event("2", "-5.000000000001")], month_of)
        problem = (
            r"^org-1, 2024-02-01 to 2024-03-01 UTC: quantities\.tokens: must not be negative, "
        )
        with pytest.raises(InvalidValue, match=problem):
            repository.usage(OURS, FEB)
        repository.add_events([event("3", 1)], month_of)
        assert repository.usage(OURS, FEB) == Usage(OURS, FEB, {"tokens": "0.999999999999"})

    def test_sums_are_exact_to_the_last_digit(self, repository: Repository) -> None:
        smallest = Decimal("0.000000000001")
        repository.add_events([event(None, LESS), event(None, smallest)], month_of)
        repository.add_events([event(None, smallest), event(None, "0.1")] * 3, month_of)
        tokens = repository.usage(OURS, FEB).quantities["tokens"]
        assert repr(tokens) == "Decimal('99999999999999999999999999.300000000003')"

    def test_a_sum_may_pass_the_bounds_of_a_quantity_and_come_back(
        self, repository: Repository
    ) -> None:
        repository.add_events([event(None, LARGEST)] * 20, month_of)
        with pytest.raises(InvalidValue, match=r"^org-1, 2024-02-01 to 2024-03-01 UTC: quantities"):
            repository.usage(OURS, FEB)
        repository.add_events([event(None, f"-{LARGEST}")] * 19, month_of)
        assert repository.usage(OURS, FEB).quantities == {"tokens": LARGEST}


class UsagePeriodContract(ContractBase):
    """The periods in which something was used."""

    def test_an_org_that_used_nothing_has_no_periods(self, repository: Repository) -> None:
        assert repository.usage_periods(OURS) == ()

    def test_the_periods_with_usage_are_sorted_and_each_once(self, repository: Repository) -> None:
        repository.add_events([event("m", at=MAR.start), event("j", at=JAN.start)], month_of)
        repository.add_events([event("r", 1, "runs", JAN.start), event("f")], month_of)
        repository.put_usage(Usage(OURS, APR, {"tokens": "0.000000000001"}))
        assert repository.usage_periods(OURS) == (JAN, FEB, MAR, APR)

    def test_periods_of_one_start_are_told_apart(self, repository: Repository) -> None:
        first, _ = FEB.split(FEB.start + timedelta(days=9))
        for period in (FEB, first):
            repository.put_usage(Usage(OURS, period, {"tokens": 1}))
        assert repository.usage_periods(OURS) == (first, FEB)

    def test_a_period_whose_usage_comes_to_nothing_is_none(self, repository: Repository) -> None:
        repository.put_usage(Usage(OURS, JAN, {}))
        repository.put_usage(Usage(OURS, FEB, {"tokens": 0}))
        repository.add_events([event("a", at=MAR.start), event("b", -5, at=MAR.start)], month_of)
        repository.put_usage(Usage(OURS, APR, {"tokens": 5}))
        repository.put_usage(Usage(OURS, APR, {}))
        assert repository.usage_periods(OURS) == ()

    def test_a_late_event_counts_in_its_period(self, repository: Repository) -> None:
        repository.add_events([event(at=JAN.start)], lambda _: FEB)
        assert repository.usage_periods(OURS) == (FEB,)

    def test_periods_are_those_of_one_org(self, repository: Repository) -> None:
        repository.put_usage(Usage(THEIRS, JAN, {"tokens": 1}))
        repository.put_usage(Usage(OURS, FEB, {"tokens": 1}))
        assert (repository.usage_periods(OURS), repository.usage_periods(THEIRS)) == (
            (FEB,),
            (JAN,),
        )

    def test_reading_the_periods_writes_nothing(self, repository: Repository) -> None:
        repository.put_usage(Usage(OURS, FEB, {"tokens": 1}))
        with nothing_written(repository):
            repository.usage_periods(OURS)
