"""The contract of repositories: texts that are no names, and wrong types, are refused."""

from __future__ import annotations

from typing import Any, Final

import pytest

from overages.errors import InvalidType, InvalidValue, OveragesError, UnknownPlan
from overages.repository import Repository
from overages.testing.contract.base import (
    FEB,
    NOW,
    OURS,
    PLAN,
    ContractBase,
    all_reads,
    event,
    fill,
    month_of,
    nothing_written,
    owed,
    reads,
)

BAD_NAMES: Final = {
    "empty": "",
    "NUL": "org-1\x00",
    "surrogate": "\ud800",
    "not-NFC": "e\u0301",
    "256-letters": "x" * 256,
    "256-bytes": "é" * 128,
    "zero-width": "org\u200b-1",
    "outer-space": "org-1 ",
}
WRONG_TYPES: Final[list[object]] = [None, 1, b"org-1", ["org-1"]]


class NameContract(ContractBase):
    """A text that is no name, or a wrong type, is refused before anything is written."""

    @pytest.mark.parametrize("bad", BAD_NAMES.values(), ids=BAD_NAMES)
    def test_what_is_no_name_of_an_org_is_refused(self, repository: Repository, bad: str) -> None:
        fill(repository)
        with nothing_written(repository):
            for call in reads(repository, bad).values():
                with pytest.raises(InvalidValue, match=r"^org_id: must "):
                    call()

    @pytest.mark.parametrize("wrong", WRONG_TYPES)
    def test_what_is_no_text_is_no_name_of_an_org(self, repository: Repository, wrong: Any) -> None:
        fill(repository)
        methods = reads(repository, wrong)
        if wrong is None:
            del methods["verify"]  # it verifies all of them
        with nothing_written(repository):
            for call in methods.values():
                with pytest.raises(InvalidType, match=r"^org_id: must be"):
                    call()

    @pytest.mark.parametrize("bad", BAD_NAMES.values(), ids=BAD_NAMES)
    def test_what_is_no_name_of_a_plan_is_refused(self, repository: Repository, bad: str) -> None:
        with pytest.raises(InvalidValue, match=r"^slug: must ") as caught:
            repository.plan(bad)
        assert not isinstance(caught.value, UnknownPlan)

    @pytest.mark.parametrize("wrong", ["2024-02", None, (FEB.start, FEB.end), FEB.start, 0])
    def test_what_is_no_period_is_refused(self, repository: Any, wrong: Any) -> None:
        fill(repository)
        calls: dict[str, Any] = {
            "events": lambda: repository.events(OURS, wrong),
            "counted_events": lambda: repository.counted_events(OURS, wrong),
            "usage": lambda: repository.usage(OURS, wrong),
            "overage": lambda: repository.overage(OURS, wrong),
            "mark_invoiced": lambda: repository.mark_invoiced(OURS, wrong, at=NOW),
            "invoiced_at": lambda: repository.invoiced_at(OURS, wrong),
            "records": lambda: repository.records(OURS, wrong),
            "summary": lambda: repository.summary(OURS, wrong),
        }
        if wrong is None:
            del calls["records"], calls["summary"]  # they are of all periods then
        with nothing_written(repository):
            for call in calls.values():
                with pytest.raises(InvalidType, match=r"^period: must be"):
                    call()

    @pytest.mark.parametrize("wrong", [None, "starter", {}, PLAN.allowances, 1])
    def test_values_of_a_wrong_type_are_refused(self, repository: Any, wrong: Any) -> None:
        fill(repository)
        calls: dict[str, Any] = {
            "plan": lambda: repository.put_plan(wrong),
            "account": lambda: repository.put_account(wrong),
            "grant": lambda: repository.put_grant(OURS, wrong),
            "usage": lambda: repository.put_usage(wrong),
            r"events\[0\]": lambda: repository.add_events([wrong], month_of),
            "statement": lambda: repository.record(wrong, created_at=NOW),
            r"statements\[1\]": lambda: repository.record_many([owed(), wrong], created_at=NOW),
        }
        before = all_reads(repository)
        for field, call in calls.items():
            with pytest.raises(InvalidType, match=f"^{field}: must"):
                call()
            assert all_reads(repository) == before

    @pytest.mark.parametrize("wrong", [None, 1, event("1"), owed()])
    def test_what_cannot_be_iterated_over_is_no_batch(self, repository: Any, wrong: Any) -> None:
        with (
            nothing_written(repository),
            pytest.raises(InvalidType, match=r"^events: must be a li"),
        ):
            repository.add_events(wrong, month_of)
        with nothing_written(repository), pytest.raises(InvalidType, match=r"^statements: must be"):
            repository.record_many(wrong, created_at=NOW)

    @pytest.mark.parametrize("wrong", [None, "2024-03-01", 0, NOW.date(), NOW.replace(tzinfo=None)])
    def test_what_is_no_instant_is_refused(self, repository: Any, wrong: Any) -> None:
        with nothing_written(repository), pytest.raises(OveragesError, match=r"^created_at: must"):
            repository.record(owed(tokens=150), created_at=wrong)
        with nothing_written(repository), pytest.raises(OveragesError, match=r"^created_at: must"):
            repository.record_many([owed(tokens=150)], created_at=wrong)
        with nothing_written(repository), pytest.raises(OveragesError, match=r"^at: must"):
            repository.mark_invoiced(OURS, FEB, at=wrong)
        with nothing_written(repository), pytest.raises(OveragesError, match=r"^at: must"):
            repository.void_grant(OURS, "g-1", wrong)

    @pytest.mark.parametrize("wrong", [None, 1, "yes"])
    def test_what_is_no_flag_is_no_force(self, repository: Any, wrong: Any) -> None:
        with nothing_written(repository), pytest.raises(InvalidType, match=r"^force: must be True"):
            repository.record(owed(tokens=150), created_at=NOW, force=wrong)
        with nothing_written(repository), pytest.raises(InvalidType, match=r"^force: must be True"):
            repository.record_many([owed(tokens=150)], created_at=NOW, force=wrong)
