"""The contract of repositories: an org's usage, summed from events or put by the host."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Final

import pytest

from overages.errors import InvalidValue
from overages.periods.period import Period
from overages.repository import Repository
from overages.testing.contract.base import (
    FEB,
    JAN,
    MAR,
    NOW,
    OURS,
    THEIRS,
    ContractBase,
    event,
    nothing_written,
    owed,
)
from overages.usage.usage import Usage

TICK: Final = timedelta(microseconds=1)
LARGEST: Final = Decimal("99999999999999999999999999.999999999999")


LESS: Final = Decimal("99999999999999999999999998.999999999999")


class UsageContract(ContractBase):
    """The usage of an org in a period: sums, or quantities that the host put."""

    def test_the_usage_of_some_metrics_is_that_of_all_without_the_others(
        self, repository: Repository
    ) -> None:
        repository.add_events([event("1", 5), event("2", 7, "runs"), event("3", 9, "other")])
        repository.put_usage(Usage(OURS, FEB, {"tokens": "0.5", "seats": 3}))
        for metrics in ([], ["tokens"], ["seats", "runs", "seats"], ["none"]):
            used = repository.usage(OURS, FEB, metrics=metrics).quantities
            every = repository.usage(OURS, FEB).quantities
            assert used == {name: every[name] for name in metrics if name in every}
        with pytest.raises(InvalidValue, match=r"^metrics\[0\]: must not be empty"):
            repository.usage(OURS, FEB, metrics=[""])

    def test_an_org_that_used_nothing_has_empty_usage(self, repository: Repository) -> None:
        assert repository.usage(OURS, FEB) == Usage(OURS, FEB, {})

    def test_usage_that_was_put_is_read(self, repository: Repository) -> None:
        usage = Usage(OURS, FEB, {"runs": "0.5", "tokens": 10**26 - 1})
        repository.put_usage(usage)
        assert repository.usage(OURS, FEB) == usage
        assert repr(repository.usage(OURS, FEB)) == repr(usage)

    def test_sums_for_the_same_span_take_the_place_of_earlier_ones(
        self, repository: Repository
    ) -> None:
        repository.put_usage(Usage(OURS, FEB, {"tokens": 5, "runs": 3}))
        repository.put_usage(Usage(OURS, FEB, {"tokens": 7, "seats": 1}))
        assert repository.usage(OURS, FEB) == Usage(OURS, FEB, {"tokens": 7, "seats": 1})
        repository.put_usage(Usage(OURS, FEB, {}))
        assert repository.usage(OURS, FEB) == Usage(OURS, FEB, {})
        repository.put_usage(Usage(OURS, FEB, {"runs": 2}))
        assert repository.usage(OURS, FEB) == Usage(OURS, FEB, {"runs": 2})

    def test_sums_count_beside_events_whichever_came_first(self, repository: Repository) -> None:
        repository.add_events([event("1"), event("2", 3, "runs")])
        repository.put_usage(Usage(OURS, FEB, {"tokens": 7, "seats": 1}))
        repository.add_events([event("3", 2)])
        expected = Usage(OURS, FEB, {"tokens": 14, "runs": 3, "seats": 1})
        assert repository.usage(OURS, FEB) == expected
        assert repository.add_events([event("1")]) == 0
        assert repository.usage(OURS, FEB) == expected

    def test_sums_count_in_each_time_that_has_their_whole_span(
        self, repository: Repository
    ) -> None:
        first, rest = FEB.split(FEB.start + timedelta(days=9))
        repository.put_usage(Usage(OURS, first, {"tokens": 7}))
        repository.put_usage(Usage(OURS, rest, {"tokens": 1}))
        assert repository.usage(OURS, first) == Usage(OURS, first, {"tokens": 7})
        assert repository.usage(OURS, FEB) == Usage(OURS, FEB, {"tokens": 8})
        both = Period(JAN.start, MAR.end)
        assert repository.usage(OURS, both) == Usage(OURS, both, {"tokens": 8})

    def test_a_time_that_cuts_a_span_is_an_error_that_names_it(
        self, repository: Repository
    ) -> None:
        repository.put_usage(Usage(OURS, FEB, {"tokens": 7, "runs": 0}))
        for moment in (FEB.start + TICK, FEB.end - TICK):
            for part in FEB.split(moment):
                problem = r"^org-1, 2024-02-.*: usage\.quantities\.tokens: must .* 2024-02-01T"
                with pytest.raises(InvalidValue, match=problem):
                    repository.usage(OURS, part)
        repository.put_usage(Usage(OURS, FEB, {}))
        assert repository.usage(OURS, part) == Usage(OURS, part, {})

    def test_a_span_must_lie_apart_from_others_with_units_of_a_metric_of_its(
        self, repository: Repository
    ) -> None:
        first, rest = FEB.split(FEB.start + timedelta(days=9))
        repository.put_usage(Usage(OURS, first, {"tokens": 7}))
        problem = r"^org-1, 2024-02-01 .*: usage\.quantities\.tokens: must be put for a span apart "
        with nothing_written(repository), pytest.raises(InvalidValue, match=problem):
            repository.put_usage(Usage(OURS, FEB, {"tokens": 7}))
        repository.put_usage(Usage(OURS, FEB, {"tokens": 0, "runs": 3}))
        repository.put_usage(Usage(OURS, rest, {"tokens": 1}))
        repository.put_usage(Usage(OURS, first, {}))
        with pytest.raises(InvalidValue, match="apart"):
            repository.put_usage(Usage(OURS, FEB, {"tokens": 7}))
        repository.put_usage(Usage(OURS, rest, {}))
        repository.put_usage(Usage(OURS, FEB, {"tokens": 7}))
        assert repository.usage(OURS, FEB) == Usage(OURS, FEB, {"tokens": 7})

    def test_sums_that_were_put_are_read_by_their_span(self, repository: Repository) -> None:
        first, rest = FEB.split(FEB.start + timedelta(days=9))
        for usage in (Usage(OURS, rest, {"runs": 1}), Usage(OURS, first, {"tokens": "0.5"})):
            repository.put_usage(usage)
        repository.put_usage(Usage(OURS, JAN, {"runs": 2}))
        assert repository.put_sums(OURS, FEB) == (
            Usage(OURS, first, {"tokens": "0.5"}),
            Usage(OURS, rest, {"runs": 1}),
        )
        around = Period(JAN.end - TICK, first.start + TICK)
        assert [usage.period for usage in repository.put_sums(OURS, around)] == [JAN, first]

    def test_usage_that_was_counted_and_put_in_turns_is_verified(
        self, repository: Repository
    ) -> None:
        for n in range(3):
            repository.add_events([event(f"a{n}"), event(None, "0.5", "runs")])
            repository.put_usage(Usage(OURS, FEB, {"tokens": 7 * n}))
            repository.put_usage(Usage(THEIRS, FEB, {"tokens": 7}))
            repository.add_events([event(f"b{n}"), event(None, -3, "runs")])
            repository.record(owed(tokens=200 + n), created_at=NOW)
            assert [repository.verify(), repository.verify(OURS)] == [n + 1, n + 1]
        assert repository.verify(THEIRS) == 0

    def test_usage_that_was_put_leaves_other_periods_and_orgs(self, repository: Repository) -> None:
        repository.put_usage(Usage(OURS, JAN, {"tokens": 1}))
        repository.put_usage(Usage(THEIRS, FEB, {"tokens": 2}))
        repository.put_usage(Usage(OURS, FEB, {"runs": 3}))
        assert repository.usage(OURS, JAN) == Usage(OURS, JAN, {"tokens": 1})
        assert repository.usage(THEIRS, FEB) == Usage(THEIRS, FEB, {"tokens": 2})

    def test_usage_that_was_put_leaves_records_and_events(self, repository: Repository) -> None:
        repository.add_events([event("1", 105)])
        recorded = repository.record(owed(tokens=105), created_at=NOW)
        repository.put_usage(Usage(OURS, FEB, {"runs": 1}))
        assert repository.records(OURS, FEB) == recorded.records
        assert repository.overage(OURS, FEB) == owed(tokens=105).summary()
        assert list(repository.events(OURS, FEB)) == [event("1", 105)]

    def test_corrections_are_negative_and_a_metric_may_come_to_nothing(
        self, repository: Repository
    ) -> None:
        repository.add_events([event("1", 5), event("2", "-1.5"), event("3", -2, "runs")])
        repository.add_events([event("4", 2, "runs")])
        assert repository.usage(OURS, FEB) == Usage(OURS, FEB, {"tokens": "3.5"})

    def test_a_negative_sum_is_an_error_that_names_org_and_period(
        self, repository: Repository
    ) -> None:
        repository.add_events([event("1", 5), event("2", "-5.000000000001")])
        problem = (
            r"^org-1, 2024-02-01 to 2024-03-01 UTC: quantities\.tokens: must not be negative, "
        )
        with pytest.raises(InvalidValue, match=problem):
            repository.usage(OURS, FEB)
        repository.add_events([event("3", 1)])
        assert repository.usage(OURS, FEB) == Usage(OURS, FEB, {"tokens": "0.999999999999"})

    def test_sums_are_exact_to_the_last_digit(self, repository: Repository) -> None:
        smallest = Decimal("0.000000000001")
        repository.add_events([event(None, LESS), event(None, smallest)])
        repository.add_events([event(None, smallest), event(None, "0.1")] * 3)
        tokens = repository.usage(OURS, FEB).quantities["tokens"]
        assert repr(tokens) == "Decimal('99999999999999999999999999.300000000003')"

    def test_a_sum_may_pass_the_bounds_of_a_quantity_and_come_back(
        self, repository: Repository
    ) -> None:
        repository.add_events([event(None, LARGEST)] * 20)
        with pytest.raises(InvalidValue, match=r"^org-1, 2024-02-01 to 2024-03-01 UTC: quantities"):
            repository.usage(OURS, FEB)
        repository.add_events([event(None, f"-{LARGEST}")] * 19)
        assert repository.usage(OURS, FEB).quantities == {"tokens": LARGEST}
