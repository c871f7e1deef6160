"""The catalogue of repositories: what is unknown is told with what there is.

All else is in the contract of repositories.
"""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from overages import (
    Account,
    Allowance,
    Grant,
    MemoryRepository,
    PerUnit,
    Plan,
    SqliteRepository,
)
from overages.adapters.sqlite import catalogue
from overages.errors import AccountConflict, UnknownGrant, UnknownPlan

NOW = datetime(2024, 2, 20, tzinfo=UTC)


def repository_of(*slugs: str) -> MemoryRepository:
    repository = MemoryRepository()
    for slug in slugs:
        repository.put_plan(Plan(slug, "USD", {}))
    return repository


@pytest.mark.parametrize(
    ("slugs", "problem"),
    [
        ([], "must be a plan that was put: there is none"),
        (["scale", "free"], "must be a plan that was put: free, scale"),
        (["pro", "starter"], "must be a plan that was put: pro, starter (did you mean 'starter'?)"),
    ],
)
def test_an_unknown_plan_is_told_with_the_plans_there_are(slugs: list[str], problem: str) -> None:
    with pytest.raises(UnknownPlan) as caught:
        repository_of(*slugs).plan("starters")
    assert str(caught.value) == f"slug: {problem}, got 'starters'"


def test_of_many_plans_some_are_named() -> None:
    repository = repository_of(*(f"plan-{n:04}" for n in range(1_023)))
    with pytest.raises(UnknownPlan) as caught:
        repository.plan("starter")
    assert caught.value.problem.endswith(
        ": " + ", ".join(f"plan-{n:04}" for n in range(20)) + " and 1,003 more"
    )


def test_an_unknown_grant_is_told_with_the_orgs_own() -> None:
    repository = MemoryRepository()
    for org_id, ids in {"org-1": ["pack-1", "pack-2"], "org-2": ["pack-11"]}.items():
        for each in ids:
            repository.put_grant(org_id, Grant(each, 5, metric="runs", effective_at=NOW))
    with pytest.raises(UnknownGrant) as caught:
        repository.void_grant("org-1", "pack1", NOW)
    assert str(caught.value) == (
        "org-1: grant_id: must be a grant of the org: pack-1, pack-2 (did you mean 'pack-1'?),"
        " got 'pack1'"
    )


@pytest.mark.parametrize(
    ("offered", "told"),
    [
        (
            Account("a", "p", NOW).changed(since=NOW, plan="q"),
            "a: account.changes[0]: must be as it is kept, 2024-02-20T00:00:00Z plan 'pro' status"
            " 'trial': a history only has entries added at its end,"
            " got \"2024-02-20T00:00:00Z plan 'q'\"",
        ),
        (Account("a", "p", NOW), "a: account.changes[0]: must be as it is kept, 2024-02-20T"),
        (
            Account("a", "q", NOW),
            "a: account: must be as it is kept, 2024-02-20T00:00:00Z plan 'p': a history",
        ),
    ],
    ids=["another entry", "none", "other first terms"],
)
def test_the_entry_of_a_history_that_is_another_one_is_told(offered: Account, told: str) -> None:
    repository = MemoryRepository()
    kept = Account("a", "p", NOW).changed(since=NOW, plan="pro", status="trial").ended(at=NOW)
    repository.put_account(kept)
    with pytest.raises(AccountConflict) as caught:
        repository.put_account(offered)
    assert str(caught.value).startswith(told)


def test_texts_of_many_plans_are_not_all_held(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(catalogue, "_FEW_PLANS", 1)
    plans = [Plan(slug, "USD", {"runs": Allowance(1, PerUnit(1))}) for slug in ("a", "b", "c")]
    with SqliteRepository(tmp_path / "o.db") as repository:
        assert [repository.put_plan(plan) for plan in (*plans, *plans)] == [1] * 6
        assert [repository.plan(plan.slug) for plan in plans] == plans
