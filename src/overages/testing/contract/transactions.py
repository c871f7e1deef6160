"""The contract of repositories: transactions, which make several calls one."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest

from overages._ground.value import evolve
from overages.errors import InvalidType, InvalidValue, RecordConflict
from overages.repository import Repository
from overages.testing.contract.base import (
    ALERT,
    BATCH,
    BUDGET,
    DEARER,
    FEB,
    GRANT,
    LATER,
    MAR,
    METRIC,
    MOVED,
    NOW,
    OURS,
    RESERVED,
    THEIRS,
    ContractBase,
    all_reads,
    check_sums,
    close,
    event,
    fill,
    fired,
    nothing_written,
    owed,
)
from overages.usage.metric import Metric
from overages.usage.usage import Usage


def write_all(repository: Repository) -> None:
    """Call every method that writes, after `fill`."""
    repository.put_plan(DEARER, since=MAR.start)
    repository.put_accounts([MOVED])
    repository.add_events([event("evt-2", 1), event("evt-3", 2, org_id=THEIRS)])
    repository.add_events([event("evt-4", 3)], batch=BATCH)
    repository.put_batch(BATCH, "digest-2", 5, LATER)
    repository.put_metrics([evolve(METRIC, aggregation="last"), Metric("seats", "max")])
    repository.put_usage(Usage(OURS, MAR, {"tokens": 1}))
    repository.record(owed(tokens=300), created_at=LATER)
    repository.record_many([owed(THEIRS, tokens=300)], created_at=LATER)
    close(repository, owed(tokens=300), LATER)
    repository.put_grant(OURS, evolve(GRANT, id="g-2"))
    repository.void_grant(OURS, GRANT.id, LATER)
    repository.put_budget(OURS, evolve(BUDGET, id="b-2"))
    repository.drop_budget(THEIRS, BUDGET.id)
    repository.put_alert(evolve(ALERT, severity="info"), put_at=NOW)
    repository.put_alert(evolve(ALERT, id="a-2"), put_at=NOW, org_id=OURS)
    repository.drop_alert(ALERT.id, org_id=THEIRS)
    repository.add_alerts([fired("cleared", 2)])
    repository.acknowledge_alert(THEIRS, fired(org_id=THEIRS).key, acknowledged_at=LATER)
    repository.put_reservation(evolve(RESERVED, key="r-2"))
    repository.commit_reservation(OURS, RESERVED.key, used={"tokens": 11}, at=LATER)
    repository.release_reservation(THEIRS, RESERVED.key, at=LATER)


def write_all_and_fail(repository: Repository) -> None:
    """Do so in a transaction that raises in the end."""
    with repository.transaction():
        write_all(repository)
        raise KeyError("the host's own error")


class TransactionContract(ContractBase):
    """All calls within a block, or none of them."""

    def test_what_a_transaction_wrote_is_kept(self, repository: Repository) -> None:
        fill(repository)
        with repository.transaction():
            write_all(repository)
            within = all_reads(repository)
        assert all_reads(repository) == within
        check_sums(repository, owed(tokens=300))

    def test_nothing_is_kept_of_a_transaction_that_raises(self, repository: Repository) -> None:
        fill(repository)
        with nothing_written(repository), pytest.raises(KeyError, match="the host's own"):
            write_all_and_fail(repository)

    def test_a_write_after_a_transaction_that_raised_is_as_if_it_had_not_been(
        self, repository: Repository
    ) -> None:
        fill(repository)
        with suppress(KeyError):
            write_all_and_fail(repository)
        assert repository.add_events([event("evt-2", 1)]) == 1
        (record,) = repository.record(owed(tokens=150, runs=12), created_at=LATER).new
        assert (record.revision, record.sequence) == (2, 4)
        assert repository.verify() == 7

    def test_a_call_that_fails_within_a_transaction_takes_back_itself_alone(
        self, repository: Repository
    ) -> None:
        fill(repository)
        with repository.transaction():
            repository.put_usage(Usage(OURS, MAR, {"tokens": 1}))
            with nothing_written(repository), pytest.raises(RecordConflict):
                repository.record(owed(plan=DEARER, tokens=300), created_at=LATER, revision=1)
            repository.put_account(MOVED)
        assert repository.usage(OURS, MAR) == Usage(OURS, MAR, {"tokens": 1})
        assert repository.account(OURS) == MOVED

    def test_a_transaction_within_another_is_a_part_of_it(self, repository: Repository) -> None:
        fill(repository)
        with nothing_written(repository), suppress(KeyError), repository.transaction():
            with repository.transaction():
                write_all(repository)
            raise KeyError

    def test_an_inner_transaction_that_raises_takes_back_itself_alone(
        self, repository: Repository
    ) -> None:
        with repository.transaction():
            repository.record(owed(tokens=150), created_at=NOW)
            with suppress(KeyError), repository.transaction():
                repository.record(owed(tokens=160), created_at=NOW)
                raise KeyError
        check_sums(repository, owed(tokens=150))
        assert repository.verify() == 1

    def test_what_a_transaction_about_periods_wrote_is_kept(self, repository: Repository) -> None:
        fill(repository)
        with repository.transaction_of({OURS: [FEB, MAR], THEIRS: [FEB]}):
            write_all(repository)
            within = all_reads(repository)
        assert all_reads(repository) == within
        check_sums(repository, owed(tokens=300))

    def test_nothing_is_kept_of_a_transaction_about_periods_that_raises(
        self, repository: Repository
    ) -> None:
        fill(repository)
        with (
            nothing_written(repository),
            suppress(KeyError),
            repository.transaction_of({OURS: [FEB], THEIRS: [FEB]}),
        ):
            write_all(repository)
            raise KeyError

    def test_a_block_within_that_raises_takes_back_its_own_orgs_alone(
        self, repository: Repository
    ) -> None:
        fill(repository)
        with repository.transaction_of({OURS: [FEB], THEIRS: [FEB], "org-3": [FEB]}):
            close(repository, owed(THEIRS, tokens=150), NOW)
            with suppress(KeyError), repository.transaction():
                close(repository, owed(tokens=300), NOW)
                repository.put_grant(OURS, evolve(GRANT, id="g-2"))
                repository.record(owed("org-3", tokens=150), created_at=NOW)
                raise KeyError
            open_still = repository.closing(OURS, FEB)
        assert open_still is None
        assert [repository.closing(org, FEB) is None for org in (OURS, THEIRS)] == [True, False]
        assert [grant.id for grant in repository.grants(OURS)] == [GRANT.id]
        assert repository.records("org-3") == ()
        assert repository.verify() > 0

    def test_a_period_that_is_closed_together_with_others_is_as_alone(
        self, repository: Repository
    ) -> None:
        fill(repository)
        with suppress(KeyError), repository.transaction():
            alone = [close(repository, owed(org, tokens=300), NOW) for org in (OURS, THEIRS)]
            raise KeyError
        with repository.transaction_of({OURS: [FEB], THEIRS: [FEB]}):
            for org in (OURS, THEIRS):
                close(repository, owed(org, tokens=300), NOW)
        assert [repository.closing(org, FEB) for org in (OURS, THEIRS)] == alone

    def test_a_transaction_about_periods_within_another_is_a_part_of_it(
        self, repository: Repository
    ) -> None:
        fill(repository)
        with (
            nothing_written(repository),
            suppress(KeyError),
            repository.transaction_of({OURS: [FEB]}),
        ):
            with repository.snapshot_of([OURS]), repository.transaction_of({THEIRS: [FEB]}):
                close(repository, owed(THEIRS, tokens=300), NOW)
            raise KeyError

    def test_a_snapshot_of_orgs_sees_what_there_is(self, repository: Repository) -> None:
        fill(repository)
        outside = all_reads(repository)
        with repository.snapshot_of([OURS, THEIRS, "org-3"]):
            assert all_reads(repository) == outside
            assert repository.account("org-3") is None

    def test_what_is_written_within_a_snapshot_of_orgs_is_seen(
        self, repository: Repository
    ) -> None:
        fill(repository)
        with repository.snapshot_of([OURS]):
            before = repository.account(OURS)
            repository.put_account(MOVED)
            assert (before, repository.account(OURS)) != (MOVED, MOVED)
            assert repository.account(OURS) == MOVED

    def test_portions_have_each_org_once(self, repository: Repository) -> None:
        orgs = [f"org-{number}" for number in range(50)]
        portions = []
        for some in repository.portions(orgs):
            portions.append(some)
            with repository.transaction_of({org_id: [FEB] for org_id in some}):
                pass
        assert [org_id for some in portions for org_id in some] == orgs
        assert all(portions)
        assert list(repository.portions([])) == []

    def test_orgs_and_periods_are_checked_before_a_block_begins(
        self, repository: Repository
    ) -> None:
        wrong: Any = "2024-02"
        with pytest.raises(InvalidValue, match="must not be empty"):
            repository.snapshot_of([""])
        with pytest.raises(InvalidType, match=r"^periods: must be a mapping"):
            repository.transaction_of(wrong)
        with pytest.raises(InvalidType, match=r"^periods\.org-1\[0\]: must be of type Period"):
            repository.transaction_of({OURS: [wrong]})

    def test_an_empty_transaction_writes_nothing(self, repository: Repository) -> None:
        with nothing_written(repository), repository.transaction():
            pass
