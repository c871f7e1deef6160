"""The contract of repositories: tenants never meet (law 8), and names are just names."""

from __future__ import annotations

from typing import Any, Final

import pytest

from overages._ground.value import evolve
from overages.errors import InvalidType, InvalidValue, OveragesError, UnknownPlan
from overages.prices.models import PerUnit
from overages.repository import Repository
from overages.statements.calculation import calculate
from overages.terms.account import Account
from overages.terms.allowance import Allowance
from overages.terms.plan import Plan
from overages.testing.contract.base import (
    ALERT,
    BATCH,
    BUDGET,
    FEB,
    GRANT,
    JAN,
    LATER,
    MAR,
    MOVED,
    NOW,
    OURS,
    PLAN,
    RESERVED,
    THEIRS,
    ContractBase,
    all_reads,
    check_sums,
    close,
    event,
    fill,
    fired,
    named,
    nothing_written,
    owed,
    reads,
)
from overages.usage.usage import Usage

ODD_NAMES: Final = [
    "'; DROP TABLE org_billing_overages; --",
    '" OR ""="',
    "' OR 1=1 --",
    "%",
    "_rg-1",
    "org 1",
    "org-1.",
    "ORG-1",
    "org-11",
    "org-1\\",
    "\u043erg-1",  # with a Cyrillic o
    "örg-1",
    ":org_id $1 ? {0} %s",
    "NULL",
    "0",
    "1e0",
    "𝄞" * 63,
    "a" * 255,
]
"""Lawful names that a careless adapter would take for something else, or for ``org-1``."""


class TenantContract(ContractBase):
    """A write for one org changes nothing that is read of another."""

    def test_writes_of_one_org_change_nothing_that_is_read_of_another(
        self, repository: Repository
    ) -> None:
        fill(repository)
        before = all_reads(repository, THEIRS)
        repository.put_account(MOVED)
        repository.add_events([event("evt-1", 105), event("evt-2", 9)], batch=BATCH)
        repository.put_usage(Usage(OURS, JAN, {"runs": 3}))
        repository.record(owed(tokens=900, runs=900), created_at=LATER)
        repository.record_many([owed(period=MAR, tokens=900)], created_at=LATER)
        close(repository, owed(tokens=901), LATER)
        repository.put_grant(OURS, evolve(GRANT, id="g-2"))
        repository.void_grant(OURS, GRANT.id, NOW)
        repository.put_budget(OURS, evolve(BUDGET, id="b-2"))
        repository.drop_budget(OURS, BUDGET.id)
        repository.put_alert(evolve(ALERT, severity="info"), put_at=NOW, org_id=OURS)
        repository.put_alert(evolve(ALERT, id="a-2"), put_at=NOW, org_id=OURS)
        repository.drop_alert("a-2", org_id=OURS)
        repository.add_alerts([fired("cleared", 2), fired(step=2)])
        repository.acknowledge_alert(OURS, fired().key, acknowledged_at=LATER)
        repository.put_reservation(evolve(RESERVED, key="r-2"))
        repository.commit_reservation(OURS, RESERVED.key, at=LATER)
        assert all_reads(repository, THEIRS) == before

    def test_the_same_event_id_counts_in_each_org(self, repository: Repository) -> None:
        events = [event("1", 5, org_id=OURS), event("1", 7, "runs", org_id=THEIRS)]
        assert repository.add_events(events) == 2
        assert repository.add_events(reversed(events)) == 0
        assert repository.usage(OURS, FEB) == Usage(OURS, FEB, {"tokens": 5})
        assert repository.usage(THEIRS, FEB) == Usage(THEIRS, FEB, {"runs": 7})

    def test_orgs_that_are_recorded_in_turn_have_records_of_their_own(
        self, repository: Repository
    ) -> None:
        for tokens in (101, 102, 103):
            repository.record(owed(tokens=tokens), created_at=NOW)
            repository.record(owed(THEIRS, tokens=2 * tokens), created_at=NOW)
        check_sums(repository, owed(tokens=103))
        check_sums(repository, owed(THEIRS, tokens=206))
        for org_id in (OURS, THEIRS):
            records = repository.records(org_id)
            assert [(r.org_id, r.sequence) for r in records] == [(org_id, n) for n in (1, 2, 3)]

    def test_an_org_of_an_odd_name_is_an_org_like_any_other(self, repository: Repository) -> None:
        fill(repository)
        before = all_reads(repository, OURS)
        for odd in ODD_NAMES:
            with named(odd):
                self._check_org(repository, odd)
        for odd in ODD_NAMES:  # none of which was taken for another
            assert list(repository.events(odd, FEB)) == [event("evt-1", 3, org_id=odd)]
            assert repository.verify(odd) == 2
        assert list(repository.orgs()) == sorted([OURS, THEIRS, *ODD_NAMES])
        assert all_reads(repository, OURS) == before

    def _check_org(self, repository: Repository, odd: str) -> None:
        """Write something of every kind for an org, and check that it is read so."""
        repository.put_account(Account(odd, "starter", JAN.start))
        repository.add_events([event("evt-1", 3, org_id=odd)])
        repository.put_usage(Usage(odd, JAN, {"tokens": 4}))
        statement = owed(odd, tokens=300)
        repository.record(statement, created_at=NOW)
        closing = close(repository, owed(odd, MAR), LATER)
        repository.put_grant(odd, GRANT)
        repository.put_budget(odd, BUDGET)
        repository.put_alert(evolve(ALERT, id="a-2"), put_at=NOW, org_id=odd)
        repository.add_alerts([fired(org_id=odd)])
        reservation = evolve(RESERVED, org_id=odd, key=odd)
        repository.put_reservation(reservation)
        repository.void_grant(odd, GRANT.id, NOW)
        assert repository.account(odd) == Account(odd, "starter", JAN.start)
        assert list(repository.events(odd, FEB)) == [event("evt-1", 3, org_id=odd)]
        assert repository.usage(odd, FEB) == Usage(odd, FEB, {"tokens": 3})
        assert repository.usage(odd, JAN) == Usage(odd, JAN, {"tokens": 4})
        check_sums(repository, statement)
        assert repository.closings(odd) == (closing,)
        assert repository.grants(odd) == (evolve(GRANT, voided_at=NOW),)
        assert repository.budgets(odd) == (BUDGET,)
        assert [each.org_id for each in repository.alert_definitions(odd)] == [odd]
        assert repository.fired_alerts(odd) == (fired(org_id=odd),)
        assert repository.reservation(odd, odd) == reservation
        assert (repository.verify(odd), repository.verify(odd, repository.head(odd))) == (2, 2)

    def test_an_org_that_nothing_was_written_for_has_nothing(self, repository: Repository) -> None:
        fill(repository)
        for odd in ODD_NAMES:
            nothing = {"usage": Usage(odd, FEB, {})}
            for method, call in reads(repository, odd).items():
                assert (call() or None) == (nothing.get(method) or None), (odd, method)

    def test_a_metric_a_plan_and_an_event_of_an_odd_name_are_like_any_other(
        self, repository: Repository
    ) -> None:
        repository.put_plan(PLAN)
        for number, odd in enumerate(ODD_NAMES):
            with named(odd):
                self._check_names(repository, odd, f"org-{number}")

    def _check_names(self, repository: Repository, odd: str, org_id: str) -> None:
        """Let an org use, and be charged for, units of an odd name; check that they are read so."""
        allowance = Allowance(0, PerUnit(1))
        plan = Plan(odd, "USD", {"org-1": allowance, odd: allowance})
        assert repository.put_plan(plan) == 1
        assert repository.plan(odd) == plan
        events = [event(name, n, name, org_id=org_id) for n, name in enumerate(("org-1", odd), 1)]
        repository.add_events(events)
        stored = [(e.id, e.metric) for e in repository.events(org_id, FEB)]
        assert stored == [("org-1", "org-1"), (odd, odd)]
        usage = Usage(org_id, FEB, {"org-1": 1, odd: 2})
        assert repository.usage(org_id, FEB) == usage
        statement = calculate(plan, usage)
        repository.record(statement, created_at=NOW)
        check_sums(repository, statement)
        assert {r.metric for r in repository.records(org_id, FEB)} == {"org-1", odd}
        assert {r.plan for r in repository.records(org_id, FEB)} == {odd}


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

    def test_what_is_no_name_of_an_org_is_refused(self, repository: Repository) -> None:
        fill(repository)
        with nothing_written(repository):
            for bad in BAD_NAMES.values():
                for method, call in reads(repository, bad).items():
                    with named((method, bad)), pytest.raises(InvalidValue, match=r"^org_id: must "):
                        call()

    def test_what_is_no_text_is_no_name_of_an_org(self, repository: Repository) -> None:
        fill(repository)
        with nothing_written(repository):
            for wrong in WRONG_TYPES:
                methods = reads(repository, wrong)
                if wrong is None:
                    del methods["verify"], methods["alert_definitions"]  # they are of all of them
                for method, call in methods.items():
                    with (
                        named((method, wrong)),
                        pytest.raises(InvalidType, match=r"^org_id: must be"),
                    ):
                        call()

    @pytest.mark.parametrize("bad", BAD_NAMES.values(), ids=BAD_NAMES)
    def test_what_is_no_name_of_a_plan_is_refused(self, repository: Repository, bad: str) -> None:
        with pytest.raises(InvalidValue, match=r"^slug: must ") as caught:
            repository.plan(bad)
        assert not isinstance(caught.value, UnknownPlan)

    def test_what_is_no_period_is_refused(self, repository: Any) -> None:
        fill(repository)
        with nothing_written(repository):
            for wrong in ("2024-02", None, (FEB.start, FEB.end), FEB.start, 0):
                calls = ["events", "counted_events", "usage", "overage", "closing", "settled"]
                if wrong is not None:  # they are of all periods then
                    calls += ["records", "summary"]
                for call in calls:
                    with (
                        named((call, wrong)),
                        pytest.raises(InvalidType, match=r"^period: must be"),
                    ):
                        getattr(repository, call)(OURS, wrong)

    @pytest.mark.parametrize("wrong", [None, "starter", {}, PLAN.allowances, 1])
    def test_values_of_a_wrong_type_are_refused(self, repository: Any, wrong: Any) -> None:
        fill(repository)
        calls: dict[str, Any] = {
            "plan": lambda: repository.put_plan(wrong),
            "metric": lambda: repository.put_metric(wrong),
            "account": lambda: repository.put_account(wrong),
            "grant": lambda: repository.put_grant(OURS, wrong),
            "budget": lambda: repository.put_budget(OURS, wrong),
            "alert": lambda: repository.put_alert(wrong, put_at=NOW),
            r"fired\[0\]": lambda: repository.add_alerts([wrong]),
            "usage": lambda: repository.put_usage(wrong),
            r"events\[0\]": lambda: repository.add_events([wrong]),
            "statement": lambda: repository.record(wrong, created_at=NOW),
            r"statements\[1\]": lambda: repository.record_many([owed(), wrong], created_at=NOW),
        }
        with nothing_written(repository):
            for field, call in calls.items():
                with pytest.raises(InvalidType, match=f"^{field}: must"):
                    call()

    def test_what_cannot_be_iterated_over_is_no_batch(self, repository: Any) -> None:
        with nothing_written(repository):
            for wrong in (None, 1, event("1"), owed()):
                with named(wrong), pytest.raises(InvalidType, match=r"^events: must be a li"):
                    repository.add_events(wrong)
                with named(wrong), pytest.raises(InvalidType, match=r"^statements: must be"):
                    repository.record_many(wrong, created_at=NOW)

    @pytest.mark.parametrize("wrong", [None, "2024-03-01", 0, NOW.date(), NOW.replace(tzinfo=None)])
    def test_what_is_no_instant_is_refused(self, repository: Any, wrong: Any) -> None:
        with nothing_written(repository):
            with pytest.raises(OveragesError, match=r"^created_at: must"):
                repository.record(owed(tokens=150), created_at=wrong)
            with pytest.raises(OveragesError, match=r"^created_at: must"):
                repository.record_many([owed(tokens=150)], created_at=wrong)
            with pytest.raises(OveragesError, match=r"^closed_at: must"):
                close(repository, owed(), wrong)
            with pytest.raises(OveragesError, match=r"^at: must"):
                repository.void_grant(OURS, "g-1", wrong)

    @pytest.mark.parametrize("wrong", [None, 1, "yes"])
    def test_what_is_no_flag_is_no_force(self, repository: Any, wrong: Any) -> None:
        with nothing_written(repository), pytest.raises(InvalidType, match=r"^force: must be True"):
            close(repository, owed(tokens=150), NOW, force=wrong)
