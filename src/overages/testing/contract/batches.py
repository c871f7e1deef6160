"""The contract of repositories: batches of events, such as those of a file."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest

from overages.errors import InvalidType, InvalidValue, OveragesError
from overages.repository import Repository
from overages.testing.contract.base import (
    FEB,
    LATER,
    MAR,
    NOW,
    OURS,
    THEIRS,
    ContractBase,
    event,
    fill,
    nothing_written,
)
from overages.usage.usage_batch import UsageBatch


def ids_of(repository: Repository, batch: str, org_id: str = OURS) -> list[str | None]:
    """Return the ids of an org's events of a batch."""
    return [used.id for used, _ in repository.batch_events(org_id, batch)]


class EventBatchContract(ContractBase):
    """Events are known by the batch that they came in."""

    def test_events_of_a_batch_are_read_as_they_came(self, repository: Repository) -> None:
        events = [event("b", at=FEB.end), event("a", 7, "runs", region="eu"), event(None, 3)]
        repository.add_events([event("0")])
        assert repository.add_events(events, lambda _: MAR.start, batch="feb.csv") == 3
        repository.add_events([event("c")], batch="other.csv")
        counted = list(repository.batch_events(OURS, "feb.csv"))
        assert repr(counted) == repr([(used, MAR.start) for used in events])

    def test_a_batch_may_come_in_parts_with_others_between(self, repository: Repository) -> None:
        for part, batch in [
            ("ab", "1"),
            ("c", "1"),
            ("d", "2"),
            ("", "1"),
            ("e", "1"),
            ("f", None),
        ]:
            repository.add_events([event(each) for each in part], batch=batch)
        assert ids_of(repository, "1") == ["a", "b", "c", "e"]
        assert ids_of(repository, "2") == ["d"]
        assert ids_of(repository, "3") == []

    def test_a_batch_has_events_of_several_orgs(self, repository: Repository) -> None:
        fill(repository)
        repository.add_events([event("2", org_id=THEIRS), event("1"), event("3")], batch="a")
        repository.add_events([event("4")], batch="b")
        assert list(repository.batch_orgs("a")) == [OURS, THEIRS]
        assert list(repository.batch_orgs("b")) == [OURS]
        assert list(repository.batch_orgs("c")) == []
        assert ids_of(repository, "a", THEIRS) == ["2"]
        assert ids_of(repository, "a", OURS) == ["1", "3"]

    def test_an_event_is_of_the_batch_that_it_first_came_in(self, repository: Repository) -> None:
        repository.add_events([event("0")])
        repository.add_events([event("1")], batch="a")
        assert repository.add_events([event("1"), event("0"), event("2")], batch="b") == 1
        assert (ids_of(repository, "a"), ids_of(repository, "b")) == (["1"], ["2"])

    def test_a_withdrawn_event_is_not_among_those_of_its_batch(
        self, repository: Repository
    ) -> None:
        repository.add_events([event("1"), event("2")], batch="a")
        repository.withdraw(OURS, "1", withdrawn_at=NOW)
        assert ids_of(repository, "a") == ["2"]
        repository.withdraw(OURS, "2", withdrawn_at=NOW)
        assert ids_of(repository, "a") == []
        assert list(repository.batch_orgs("a")) == [OURS]

    def test_withdrawn_ids_are_told_from_others(self, repository: Repository) -> None:
        repository.add_events([event(str(n)) for n in range(1_200)])
        repository.add_events([event("1", org_id=THEIRS)])
        for each in ("7", "1100"):
            repository.withdraw(OURS, each, withdrawn_at=NOW)
        ids = [str(n) for n in range(1_500)]
        assert repository.withdrawn_ids(OURS, iter(ids)) == {"7", "1100"}
        assert repository.withdrawn_ids(OURS, ["8", "7", "7"]) == {"7"}
        assert repository.withdrawn_ids(OURS, []) == frozenset()
        assert repository.withdrawn_ids(THEIRS, ids) == frozenset()

    def test_events_of_a_transaction_that_fails_are_in_no_batch(
        self, repository: Repository
    ) -> None:
        repository.add_events([event("1")], batch="a")
        with nothing_written(repository), suppress(KeyError), repository.transaction():
            repository.add_events([event("2")], batch="a")
            repository.add_events([event("3")], batch="b")
            raise KeyError
        assert ids_of(repository, "a") == ["1"]
        assert list(repository.batch_orgs("b")) == []
        repository.add_events([event("4")], batch="a")
        assert ids_of(repository, "a") == ["1", "4"]

    def test_the_batch_of_an_event_is_no_part_of_a_seal(self, repository: Repository) -> None:
        repository.add_events([event("1")], batch="a")
        fill(repository)
        assert repository.verify() == 6

    def test_the_content_of_a_batch_is_read_as_it_was_put(self, repository: Repository) -> None:
        assert repository.batch("a") is None
        repository.put_batch("a", "d-1", 3, NOW)
        repository.put_batch("c", "d-1", 0, LATER)
        repository.put_batch("b", "d-2", 2**40, NOW)
        assert repository.batch("a") == UsageBatch("a", "d-1", 3, NOW)
        assert repr(list(repository.batches())) == repr(
            [
                UsageBatch("a", "d-1", 3, NOW),
                UsageBatch("b", "d-2", 2**40, NOW),
                UsageBatch("c", "d-1", 0, LATER),
            ]
        )

    def test_the_same_digest_again_changes_nothing(self, repository: Repository) -> None:
        repository.put_batch("a", "d-1", 3, NOW)
        with nothing_written(repository):
            repository.put_batch("a", "d-1", 4, LATER)

    def test_the_last_content_of_a_batch_counts(self, repository: Repository) -> None:
        for digest, count in [("d-1", 3), ("d-2", 4), ("d-1", 3)]:
            repository.put_batch("a", digest, count, LATER)
            assert repository.batch("a") == UsageBatch("a", digest, count, LATER)
            assert list(repository.batches()) == [UsageBatch("a", digest, count, LATER)]

    def test_content_of_a_transaction_that_fails_is_not_kept(self, repository: Repository) -> None:
        repository.put_batch("a", "d-1", 3, NOW)
        with nothing_written(repository), suppress(KeyError), repository.transaction():
            repository.put_batch("a", "d-2", 3, NOW)
            repository.put_batch("b", "d-2", 3, NOW)
            raise KeyError

    @pytest.mark.parametrize(
        ("field", "content"),
        [
            ("name", ("", "d", 1, NOW)),
            ("name", (None, "d", 1, NOW)),
            ("digest", ("a", b"d", 1, NOW)),
            ("events", ("a", "d", -1, NOW)),
            ("events", ("a", "d", 1.0, NOW)),
            ("events", ("a", "d", 2**63, NOW)),
            ("noted_at", ("a", "d", 1, NOW.replace(tzinfo=None))),
        ],
    )
    def test_content_that_is_none_is_refused(
        self, repository: Any, field: str, content: tuple[Any, ...]
    ) -> None:
        with nothing_written(repository), pytest.raises(OveragesError, match=f"^{field}: must"):
            repository.put_batch(*content)

    @pytest.mark.parametrize("wrong", ["", 5, "a "])
    def test_a_batch_has_a_name(self, repository: Any, wrong: Any) -> None:
        with nothing_written(repository), pytest.raises(OveragesError, match=r"^batch: must"):
            repository.add_events([event("1")], batch=wrong)
        with pytest.raises(OveragesError, match=r"^batch: must"):
            repository.batch_events(OURS, wrong)
        with pytest.raises(OveragesError, match=r"^batch: must"):
            repository.batch_orgs(wrong)
        with pytest.raises(OveragesError, match=r"^name: must"):
            repository.batch(wrong)

    def test_ids_that_were_withdrawn_are_asked_by_a_list(self, repository: Any) -> None:
        with pytest.raises(InvalidType, match=r"^ids: must be a list of names, not one"):
            repository.withdrawn_ids(OURS, "evt-1")
        with pytest.raises(InvalidValue, match=r"^ids\[1\]: must"):
            repository.withdrawn_ids(OURS, ["evt-1", ""])
