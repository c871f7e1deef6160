"""The contract of repositories: what is drawn on an org's grants as its periods are settled."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve

from overages.amounts.money import Money
from overages.grants.grant import Grant
from overages.periods.cycle import Cycle
from overages.records.aggregation import aggregate
from overages.repository import Repository
from overages.testing.contract.base import (
    FEB,
    JAN,
    MAR,
    OURS,
    THEIRS,
    ContractBase,
    event,
    nothing_written,
)
from overages.testing.contract.settlement import (
    PACK,
    PLAIN,
    calculated,
    day,
    in_february,
    line,
    serving,
)
from overages.usage.usage import Usage


class GrantedContract(ContractBase):
    """What is drawn on the grants that are kept."""

    def test_units_beyond_the_limit_are_drawn_and_what_is_left_goes_on(
        self, repository: Repository
    ) -> None:
        service = serving(repository, PLAIN)
        repository.put_grant(OURS, PACK)
        service.record_usage([event("a", 120, at=day(JAN, 5)), event("b", 120, at=day(FEB, 5))])
        assert line(service, JAN) == (120, 120, 0, 0)
        assert line(service, FEB) == (120, 110, 10, 100)
        assert line(service, FEB, THEIRS) == (0, 100, 0, 0)

    @pytest.mark.parametrize(
        ("first", "last", "limit"), [(10, None, 120), (21, None, 100), (1, 20, 110), (1, 15, 100)]
    )
    def test_a_grant_pays_for_what_is_used_while_it_lasts(
        self, repository: Repository, first: int, last: int | None, limit: int
    ) -> None:
        service = serving(repository, PLAIN)
        ends = None if last is None else day(FEB, last)
        grant = Grant("g", 30, metric="tokens", effective_at=day(FEB, first), expires_at=ends)
        repository.put_grant(OURS, grant)
        used = [event("a", 100, at=day(FEB, 4)), event("b", 10, at=day(FEB, 16))]
        service.record_usage([*used, event("c", 10, at=day(FEB, 20))])
        assert line(service, FEB) == (120, limit, 120 - limit, (120 - limit) * 10)

    def test_a_grant_that_is_voided_pays_for_nothing_from_then_on(
        self, repository: Repository
    ) -> None:
        service = serving(repository, PLAIN)
        repository.put_grant(OURS, PACK)
        service.record_usage([event("a", 110, at=day(FEB, 4)), event("b", 10, at=day(FEB, 20))])
        repository.void_grant(OURS, "pack", at=day(FEB, 10))
        assert line(service, FEB) == (120, 110, 10, 100)
        settlement = service.settle(OURS, FEB)
        assert settlement is not None
        assert settlement.burndowns[0].accounts[0].voided == 20

    def test_a_late_event_counts_at_the_start_of_its_period(self, repository: Repository) -> None:
        service = serving(repository, PLAIN)
        repository.put_grant(OURS, evolve(PACK, expires_at=day(FEB, 2)))
        repository.add_events([event("late", 110, at=day(JAN, 5))], in_february)
        assert line(service, FEB) == (110, 110, 0, 0)

    def test_usage_that_was_put_counts_at_the_end_of_its_period(
        self, repository: Repository
    ) -> None:
        service = serving(repository, PLAIN)
        repository.put_grant(OURS, evolve(PACK, id="over", expires_at=day(FEB, 28)))
        repository.put_usage(Usage(OURS, FEB, {"tokens": 110}))
        assert line(service, FEB) == (110, 100, 10, 100)
        repository.put_grant(OURS, evolve(PACK, id="late", effective_at=day(FEB, 28)))
        assert line(service, FEB) == (110, 110, 0, 0)

    def test_a_correction_across_the_limit_gives_back_what_was_drawn(
        self, repository: Repository
    ) -> None:
        service = serving(repository, PLAIN)
        repository.put_grant(OURS, PACK)
        service.record_usage([event("a", 125, at=day(JAN, 5)), event("b", -50, at=day(JAN, 6))])
        assert line(service, JAN) == (75, 100, 0, 0)
        service.record_usage([event("c", 140, at=day(FEB, 5))])
        assert line(service, FEB) == (140, 130, 10, 100)

    def test_what_recurs_is_granted_from_its_start_on(self, repository: Repository) -> None:
        service = serving(repository, PLAIN)
        kept: Any = {"recurrence": Cycle.monthly(), "refill_keeps": None}
        repository.put_grant(OURS, evolve(PACK, **kept))
        service.record_usage([event("c", 200, at=day(MAR, 5))])
        assert line(service, MAR) == (200, 190, 10, 100)

    def test_a_grant_of_a_metric_that_the_plan_does_not_know_is_left(
        self, repository: Repository
    ) -> None:
        service = serving(repository, PLAIN)
        repository.put_grant(OURS, evolve(PACK, metric="images"))
        repository.put_grant(OURS, evolve(PACK, id="money", amount=Money(5, "USD"), metric="seats"))
        repository.put_grant(OURS, Grant("euros", Money(5, "EUR"), effective_at=JAN.start))
        service.record_usage([event("a", 110, at=day(JAN, 5))])
        assert line(service, JAN) == (110, 100, 10, 100)

    def test_prepaid_money_is_drawn_on_what_is_due_and_recorded(
        self, repository: Repository
    ) -> None:
        service = serving(repository, PLAIN)
        repository.put_grant(OURS, Grant("paid", Money(150, "USD"), effective_at=JAN.start))
        service.record_usage([event("a", 110, at=day(JAN, 5)), event("b", 120, at=day(FEB, 5))])
        assert line(service, JAN) == (110, 100, 10, 0)
        assert line(service, FEB) == (120, 100, 20, 150)
        service.recalculate(OURS, period=FEB)
        records = repository.records(OURS, FEB)
        assert aggregate(records) == calculated(service, FEB).summary()
        assert repository.summary(OURS, FEB) == aggregate(records)
        with nothing_written(repository):
            service.recalculate(OURS, period=FEB)
