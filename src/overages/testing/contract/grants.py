"""The contract of repositories: grants, which are kept for ever and voided once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from overages._ground.value import evolve
from overages.amounts.money import Currency, Money
from overages.errors import GrantConflict, InvalidValue, UnknownGrant
from overages.grants.draws import burn_down
from overages.grants.grant import Grant
from overages.periods.cycle import Cycle
from overages.repository import Repository
from overages.testing.contract.base import (
    FEB,
    GRANT,
    JAN,
    LATER,
    MAR,
    NOW,
    OURS,
    THEIRS,
    ContractBase,
    fill,
    named,
    nothing_written,
)

EAST = timezone(timedelta(hours=9))
EARLIEST, LATEST = (end.replace(tzinfo=UTC) for end in (datetime.min, datetime.max))
FULL = Grant(
    "all of it",
    "0.000000000001",
    metric="tokens",
    priority=2**63 - 1,
    effective_at=datetime(2024, 1, 31, 1, 2, 3, 4, EAST),
    expires_at=LATEST,
    voided_at=MAR.start,
    recurrence=Cycle(datetime(2024, 1, 31, tzinfo=EAST), 2, "week", "Europe/Paris"),
    refill_keeps=10**26 - 1,
    step="0.1",
    created_at=EARLIEST,
)


class GrantContract(ContractBase):
    """The grants of each org."""

    def test_an_org_without_grants_has_none(self, repository: Repository) -> None:
        assert repository.grants(OURS) == ()

    @pytest.mark.parametrize(
        "grant",
        [
            GRANT,
            FULL,
            Grant("none left over", 10**26 - 1, metric="runs", effective_at=EARLIEST),
            Grant("keeps all", 0, metric="runs", effective_at=JAN.start, refill_keeps=None),
            Grant("money", Money.of("50.00", "USD"), effective_at=JAN.start),
            Grant("yen", Money(10**26 - 1, "JPY"), metric="tokens", effective_at=JAN.start),
            Grant("own", Money(5, Currency("credits", 12)), effective_at=JAN.start, step=5),
        ],
        ids=lambda grant: grant.id,
    )
    def test_a_grant_is_read_as_it_was_put(self, repository: Repository, grant: Grant) -> None:
        repository.put_grant(OURS, grant)
        assert repository.grants(OURS) == (grant,)
        assert repr(repository.grants(OURS)) == repr((grant,))

    def test_grants_are_in_the_order_in_which_they_are_drawn_on(
        self, repository: Repository
    ) -> None:
        in_order = [
            evolve(GRANT, id="z", expires_at=FEB.end),
            evolve(GRANT, id="y", expires_at=MAR.end, created_at=EARLIEST),
            evolve(GRANT, id="x", expires_at=MAR.end),
            evolve(GRANT, id="a"),
            evolve(GRANT, id="b"),
            evolve(GRANT, id="B", priority=1, expires_at=FEB.end),
        ]
        for grant in (in_order[i] for i in (3, 0, 5, 4, 2, 1)):
            repository.put_grant(OURS, grant)
        assert list(repository.grants(OURS)) == in_order

    def test_the_same_grant_again_changes_nothing(self, repository: Repository) -> None:
        repository.put_grant(OURS, GRANT)
        repository.put_grant(OURS, FULL)
        with nothing_written(repository):
            repository.put_grant(OURS, GRANT)
            repository.put_grant(OURS, evolve(FULL, effective_at=FULL.effective_at))

    def test_another_grant_of_the_same_id_is_a_conflict(self, repository: Repository) -> None:
        fill(repository)
        problem = r"^org-1: grant: must be as it was put before under that id, got Grant\("
        with nothing_written(repository):
            for other in (
                evolve(GRANT, amount=101),
                evolve(GRANT, metric="runs"),
                evolve(GRANT, amount=Money(10_000, "USD")),
                evolve(GRANT, expires_at=MAR.end),
                evolve(GRANT, voided_at=MAR.end),
                evolve(GRANT, recurrence=Cycle.monthly()),
            ):
                with named(other), pytest.raises(GrantConflict, match=problem):
                    repository.put_grant(OURS, other)

    def test_orgs_have_grants_of_the_same_id_each(self, repository: Repository) -> None:
        other = evolve(GRANT, amount=7)
        repository.put_grant(OURS, GRANT)
        repository.put_grant(THEIRS, other)
        assert repository.void_grant(OURS, GRANT.id, NOW) == NOW
        assert repository.grants(OURS) == (evolve(GRANT, voided_at=NOW),)
        assert repository.grants(THEIRS) == (other,)

    def test_a_grant_is_voided_when_it_first_was(self, repository: Repository) -> None:
        fill(repository)
        assert repository.void_grant(OURS, GRANT.id, at=LATER) == LATER
        with nothing_written(repository):
            assert repository.void_grant(OURS, GRANT.id, at=NOW) == LATER
            assert repository.void_grant(OURS, GRANT.id, at=LATER) == LATER
        assert repository.grants(OURS) == (evolve(GRANT, voided_at=LATER),)

    def test_a_grant_that_was_put_voided_stays_so(self, repository: Repository) -> None:
        repository.put_grant(OURS, FULL)
        with nothing_written(repository):
            assert repository.void_grant(OURS, FULL.id, NOW) == FULL.voided_at

    def test_a_voided_grant_that_is_put_again_stays_voided(self, repository: Repository) -> None:
        fill(repository)
        repository.void_grant(OURS, GRANT.id, NOW)
        with nothing_written(repository):
            repository.put_grant(OURS, GRANT)
            repository.put_grant(OURS, evolve(GRANT, voided_at=NOW))
            with pytest.raises(GrantConflict):
                repository.put_grant(OURS, evolve(GRANT, voided_at=LATER))

    def test_a_grant_that_is_not_there_cannot_be_voided(self, repository: Repository) -> None:
        fill(repository)
        repository.put_grant(THEIRS, evolve(GRANT, id="g-2"))
        problem = "^org-1: grant_id: must be a grant of the org: "
        with nothing_written(repository):
            for unknown in ("g-2", "G-1", "g-1.", "%"):
                with named(unknown), pytest.raises(UnknownGrant, match=problem):
                    repository.void_grant(OURS, unknown, NOW)

    def test_what_is_no_name_of_an_org_or_a_grant_is_refused(self, repository: Repository) -> None:
        fill(repository)
        with nothing_written(repository):
            with pytest.raises(InvalidValue, match=r"^org_id: must not be empty"):
                repository.put_grant("", GRANT)
            with pytest.raises(InvalidValue, match=r"^org_id: must not be empty"):
                repository.void_grant("", GRANT.id, NOW)
            with pytest.raises(InvalidValue, match=r"^grant_id: must not be empty"):
                repository.void_grant(OURS, "", NOW)

    def test_grants_that_are_read_can_be_drawn_on(self, repository: Repository) -> None:
        fill(repository)
        repository.put_grant(OURS, evolve(GRANT, id="g-2", priority=1))
        used = [(FEB.start, 150)]
        grants = repository.grants(OURS)
        burndown = burn_down(grants, used, metric="tokens", start=FEB.start, end=FEB.end)
        assert burndown.remaining == {"g-1": 0, "g-2": 50}
