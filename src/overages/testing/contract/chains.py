"""The contract of repositories: the chain of an org's records, and its verification."""

from __future__ import annotations

import pytest

from overages.errors import InvalidType, InvalidValue, RecordsAltered
from overages.records.chain import CHAIN_START, ChainHead, row_digest, row_of
from overages.repository import Repository
from overages.testing.contract.base import (
    LATER,
    MAR,
    NOW,
    OURS,
    THEIRS,
    ContractBase,
    nothing_written,
    owed,
)


class ChainContract(ContractBase):
    """Heads and verification."""

    def test_each_record_follows_on_the_one_before_of_its_org(self, repository: Repository) -> None:
        for tokens in (150, 160):
            repository.record_many(
                [owed(THEIRS, tokens=tokens), owed(tokens=tokens, runs=tokens)], created_at=NOW
            )
        for org_id in (OURS, THEIRS):
            previous = CHAIN_START.digest
            for n, record in enumerate(repository.records(org_id), 1):
                assert record.sequence == n
                assert record.digest == row_digest(row_of(record), previous)
                previous = record.digest

    def test_the_head_is_the_last_record_of_an_org(self, repository: Repository) -> None:
        assert repository.head(OURS) is None
        for tokens in (150, 160):
            repository.record(owed(tokens=tokens), created_at=NOW)
            last = repository.records(OURS)[-1]
            assert repository.head(OURS) == ChainHead(last.sequence, last.digest)
        assert repository.head(THEIRS) is None

    def test_the_same_records_have_the_same_head(self, repository: Repository) -> None:
        repository.record(owed(tokens=150), created_at=NOW)
        head = repository.head(OURS)
        repository.record(owed(tokens=150), created_at=LATER)
        assert repository.head(OURS) == head

    def test_verifying_counts_the_records_of_an_org_or_of_all(self, repository: Repository) -> None:
        assert repository.verify() == repository.verify(OURS) == 0
        repository.record(owed(tokens=150, runs=12), created_at=NOW)
        repository.record(owed(THEIRS, tokens=150), created_at=NOW)
        repository.record(owed(THEIRS, MAR, tokens=150), created_at=NOW)
        repository.record(owed(tokens=160, runs=12), created_at=NOW)
        verified = [repository.verify(), repository.verify(OURS), repository.verify(THEIRS)]
        assert [*verified, repository.verify("org-3")] == [5, 3, 2, 0]

    def test_verifying_writes_nothing(self, repository: Repository) -> None:
        repository.record(owed(tokens=150), created_at=NOW)
        with nothing_written(repository):
            repository.verify()

    def test_records_lead_back_to_every_head_that_was_noted(self, repository: Repository) -> None:
        noted = []
        for tokens in (150, 160, 170):
            repository.record(owed(tokens=tokens), created_at=NOW)
            noted.append(repository.head(OURS))
        for head in noted:
            assert repository.verify(OURS, head) == 3

    def test_a_noted_head_that_records_do_not_lead_back_to_shows_an_alteration(
        self, repository: Repository
    ) -> None:
        for tokens in (150, 160, 170):
            repository.record(owed(tokens=tokens), created_at=NOW)
        other = ChainHead(2, repository.records(OURS)[0].digest)
        with pytest.raises(RecordsAltered, match=r"^org-1: record 2 is not what was recorded$"):
            repository.verify(OURS, other)

    def test_a_noted_head_beyond_the_last_record_shows_a_loss(self, repository: Repository) -> None:
        repository.record(owed(tokens=150), created_at=NOW)
        digest = repository.records(OURS)[0].digest
        with pytest.raises(RecordsAltered, match=r"^org-1: record 2 is missing$"):
            repository.verify(OURS, ChainHead(2, digest))

    def test_a_noted_head_of_an_org_without_records_shows_a_loss(
        self, repository: Repository
    ) -> None:
        with pytest.raises(RecordsAltered, match=r"^org-1: record 1 is missing$"):
            repository.verify(OURS, ChainHead(2, "a" * 64))

    def test_a_head_of_another_org_shows_an_alteration(self, repository: Repository) -> None:
        repository.record(owed(tokens=150), created_at=NOW)
        repository.record(owed(THEIRS, tokens=150), created_at=NOW)
        with pytest.raises(RecordsAltered):
            repository.verify(OURS, repository.head(THEIRS))

    def test_a_head_comes_with_its_org(self, repository: Repository) -> None:
        repository.record(owed(tokens=150), created_at=NOW)
        with pytest.raises(InvalidValue, match=r"^head: must come with the org"):
            repository.verify(head=repository.head(OURS))

    def test_what_is_no_head_is_refused(self, repository: Repository) -> None:
        with pytest.raises(InvalidType, match=r"^head: must be of type ChainHead"):
            repository.verify(OURS, "a" * 64)  # type: ignore[arg-type]
