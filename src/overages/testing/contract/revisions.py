"""The contract of repositories: revisions, by which writers keep out of each other's way."""

from __future__ import annotations

from typing import Any

import pytest

from overages.errors import InvalidType, InvalidValue, RecordConflict
from overages.repository import Repository
from overages.statements.statement import Statement
from overages.testing.contract.base import (
    DEARER,
    FEB,
    LATER,
    NOW,
    OURS,
    ContractBase,
    nothing_written,
    owed,
)


class RevisionContract(ContractBase):
    """Of two writers who read the same, one writes."""

    def test_the_revision_that_comes_next_is_recorded(self, repository: Repository) -> None:
        for revision, tokens in enumerate((150, 160, 140), 1):
            recording = repository.record(owed(tokens=tokens), created_at=NOW, revision=revision)
            assert recording.new[0].revision == revision

    def test_a_revision_that_is_there_and_says_the_same_writes_nothing(
        self, repository: Repository
    ) -> None:
        first = repository.record(owed(tokens=150), created_at=NOW, revision=1)
        with nothing_written(repository):
            again = repository.record(owed(tokens=150), created_at=LATER, revision=1)
        assert again.records == first.records

    @pytest.mark.parametrize(
        ("statement", "differing"),
        [
            (owed(tokens=160, runs=12), "tokens.quantity, tokens.exact_cost, tokens.cost"),
            (owed(tokens=150, runs=12, plan=DEARER), "tokens.exact_cost, tokens.cost"),
            (
                owed(tokens="150.1", runs=11),
                "tokens.quantity, tokens.exact_cost, runs.quantity, runs.exact_cost, runs.cost",
            ),
            (owed(tokens=150), "runs.quantity, runs.exact_cost, runs.cost"),
        ],
        ids=["quantity", "price", "both", "gone"],
    )
    def test_a_revision_that_says_something_else_is_a_conflict_that_names_what_differs(
        self, repository: Repository, statement: Statement, differing: str
    ) -> None:
        repository.record(owed(tokens=150, runs=12), created_at=NOW)
        with nothing_written(repository), pytest.raises(RecordConflict) as caught:
            repository.record(statement, created_at=LATER, revision=1)
        assert caught.value.problem.endswith(f" differs in {differing}")
        assert caught.value.value == 1

    def test_an_earlier_revision_that_said_the_same_writes_nothing(
        self, repository: Repository
    ) -> None:
        for tokens in (150, 160):
            repository.record(owed(tokens=tokens), created_at=NOW)
        with nothing_written(repository):
            again = repository.record(owed(tokens=150), created_at=LATER, revision=1)
        assert (again.new, again.records) == ((), repository.records(OURS, FEB))

    def test_an_earlier_revision_is_a_conflict_even_if_the_last_one_says_the_same(
        self, repository: Repository
    ) -> None:
        for tokens in (150, 160):
            repository.record(owed(tokens=tokens), created_at=NOW)
        with (
            nothing_written(repository),
            pytest.raises(RecordConflict, match=r" differs in tokens\.quantity"),
        ):
            repository.record(owed(tokens=160), created_at=LATER, revision=1)

    def test_a_revision_must_not_leave_one_out(self, repository: Repository) -> None:
        repository.record(owed(tokens=150), created_at=NOW)
        with (
            nothing_written(repository),
            pytest.raises(InvalidValue, match=r"^org-1, .* revision: must be at most 2, got 3$"),
        ):
            repository.record(owed(tokens=160), created_at=NOW, revision=3)

    @pytest.mark.parametrize("revision", [0, -1, 2**63, True, "1", 1.0])
    def test_what_is_no_revision_is_refused(self, repository: Repository, revision: Any) -> None:
        with (
            nothing_written(repository),
            pytest.raises((InvalidValue, InvalidType), match=r"^revision: "),
        ):
            repository.record(owed(tokens=150), created_at=NOW, revision=revision)
