"""The contract of repositories: transactions, which make several calls one."""

from __future__ import annotations

from contextlib import suppress

import pytest

from overages._ground.value import evolve
from overages.errors import RecordConflict
from overages.repository import Repository
from overages.testing.contract.base import (
    BATCH,
    DEARER,
    GRANT,
    LATER,
    MAR,
    METRIC,
    MOVED,
    NOW,
    OURS,
    THEIRS,
    ContractBase,
    all_reads,
    check_sums,
    close,
    event,
    fill,
    nothing_written,
    owed,
)
from overages.usage.metric import Metric
from overages.usage.usage import Usage


def write_all(repository: Repository) -> None:
    """Call every method that writes, after `fill`."""
    repository.put_plan(DEARER, since=MAR.start)
    repository.put_account(MOVED)
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

    def test_an_empty_transaction_writes_nothing(self, repository: Repository) -> None:
        with nothing_written(repository), repository.transaction():
            pass
