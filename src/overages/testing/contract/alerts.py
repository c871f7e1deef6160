"""The contract of repositories: alerts, their versions, those that fired, and who has seen them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Final

import pytest

from overages._ground.value import evolve
from overages.alerts.alert import Alert, AlertDefinition
from overages.alerts.fired_alert import FiredAlert
from overages.alerts.threshold import Threshold
from overages.amounts.money import Currency, Money
from overages.errors import InvalidValue, UnknownAlert
from overages.repository import Repository
from overages.testing.contract.base import (
    ALERT,
    FEB,
    JAN,
    LATER,
    MAR,
    NOW,
    OURS,
    THEIRS,
    ContractBase,
    fill,
    fired,
    named,
    nothing_written,
)

DEARER_ALERT: Final = evolve(ALERT, threshold=Threshold(percent=90))
FULL: Final = Alert(
    "all of it",
    Threshold(cost=Money(5, Currency("credits", 12)), of="remaining", direction="rising"),
    grant="g-1",
    severity="critical",
    rearm=Money(3, Currency("credits", 12)),
)
ENDING: Final = Alert("ends", occasion="trial_expiring", days_before=3)
EAST: Final = timezone(timedelta(hours=9))


class AlertContract(ContractBase):
    """Alerts of all orgs and of one, by version."""

    @pytest.mark.parametrize("alert", [ALERT, FULL, ENDING], ids=lambda alert: alert.id)
    @pytest.mark.parametrize("org_id", [None, OURS])
    def test_an_alert_is_read_as_it_was_put(
        self, repository: Repository, alert: Alert, org_id: str | None
    ) -> None:
        assert not repository.has_alerts()
        definition = repository.put_alert(alert, put_at=NOW.astimezone(EAST), org_id=org_id)
        assert definition == AlertDefinition(alert, 1, NOW, org_id=org_id)
        assert repository.has_alerts()
        assert repository.alert_definitions(org_id) == (definition,)
        assert repr(repository.alert_definitions(org_id)) == repr((definition,))

    def test_alerts_of_all_orgs_count_for_each_and_those_of_one_for_it(
        self, repository: Repository
    ) -> None:
        everyones = repository.put_alert(ALERT, put_at=NOW)
        own = repository.put_alert(ENDING, put_at=NOW, org_id=OURS)
        assert repository.alert_definitions() == (everyones,)
        assert repository.alert_definitions(OURS) == (everyones, own)
        assert repository.alert_definitions(THEIRS) == (everyones,)

    def test_an_alert_of_an_org_stands_in_place_of_that_of_all(
        self, repository: Repository
    ) -> None:
        everyones = repository.put_alert(ALERT, put_at=NOW)
        own = repository.put_alert(DEARER_ALERT, put_at=NOW, org_id=OURS)
        assert repository.alert_definitions(OURS) == (own,)
        repository.drop_alert(ALERT.id, org_id=OURS)
        assert repository.alert_definitions(OURS) == (everyones,)

    def test_alerts_are_sorted_by_id(self, repository: Repository) -> None:
        for name in ("b", "B", "a", "\U0001f600", "\uffee"):
            repository.put_alert(evolve(ALERT, id=name), put_at=NOW)
        ids = [each.alert.id for each in repository.alert_definitions()]
        assert ids == ["B", "a", "b", "\uffee", "\U0001f600"]

    def test_each_edit_is_a_new_version(self, repository: Repository) -> None:
        alerts = [ALERT, ALERT, DEARER_ALERT, ALERT, evolve(ALERT, severity="info"), DEARER_ALERT]
        versions = [repository.put_alert(alert, put_at=NOW).alert_version for alert in alerts]
        assert versions == [1, 1, 2, 3, 4, 5]
        assert repository.alert_definitions() == (AlertDefinition(DEARER_ALERT, 5, NOW),)

    def test_the_same_alert_again_is_the_one_that_counts(self, repository: Repository) -> None:
        first = repository.put_alert(ALERT, put_at=NOW)
        with nothing_written(repository):
            assert repository.put_alert(ALERT, put_at=LATER) == first
        assert repository.alert_definitions() == (first,)

    def test_an_alert_that_is_put_after_it_was_dropped_is_a_new_version(
        self, repository: Repository
    ) -> None:
        repository.put_alert(ALERT, put_at=NOW)
        for _ in range(2):
            repository.drop_alert(ALERT.id)
            assert repository.alert_definitions() == ()
        again = repository.put_alert(ALERT, put_at=LATER)
        assert again == AlertDefinition(ALERT, 2, LATER)
        assert repository.alert_definitions() == (again,)

    def test_orgs_count_versions_of_their_own(self, repository: Repository) -> None:
        repository.put_alert(ALERT, put_at=NOW)
        repository.put_alert(DEARER_ALERT, put_at=NOW, org_id=THEIRS)
        assert (
            repository.put_alert(
                evolve(ALERT, severity="info"), put_at=NOW, org_id=OURS
            ).alert_version
            == 1
        )

    @pytest.mark.parametrize(
        ("org_id", "problem"),
        [
            (None, "^alert_id: must be an alert of all orgs: a-9"),
            (THEIRS, "^org-2: alert_id: must be an alert of the org: a-1"),
        ],
    )
    def test_an_alert_that_never_was_cannot_be_dropped(
        self, repository: Repository, org_id: str | None, problem: str
    ) -> None:
        fill(repository)
        repository.put_alert(evolve(ALERT, id="a-9"), put_at=NOW)
        repository.put_alert(ENDING, put_at=NOW, org_id=OURS)
        with nothing_written(repository), pytest.raises(UnknownAlert, match=problem):
            repository.drop_alert(ENDING.id, org_id=org_id)

    def test_a_bad_name_is_refused(self, repository: Repository) -> None:
        fill(repository)
        with nothing_written(repository):
            with pytest.raises(InvalidValue, match=r"^org_id: must not be empty"):
                repository.put_alert(ALERT, put_at=NOW, org_id="")
            with pytest.raises(InvalidValue, match=r"^alert_id: must not be empty"):
                repository.drop_alert("")
            with pytest.raises(InvalidValue, match=r"^put_at: must have a timezone"):
                repository.put_alert(ALERT, put_at=datetime(2024, 2, 1))


class FiredAlertContract(ContractBase):
    """Alerts that fired are kept once, for ever."""

    @pytest.mark.parametrize(
        "entry",
        [
            fired(),
            fired(state="cleared", number=1, used="0.5", limit=None, is_silent=True),
            FiredAlert(
                OURS, AlertDefinition(FULL, 3, JAN.start, org_id=OURS), MAR, "rearmed", NOW,
                step=7, used=Money(10**26 - 1, "USD"), limit=Money(0, "USD"),
            ),
            FiredAlert(
                OURS, AlertDefinition(ENDING, 1, JAN.start), JAN, "reached", NOW,
                instant=datetime(2024, 1, 31, 1, 2, 3, 4, UTC), about="top-up",
            ),
        ],
        ids=["reached", "cleared", "money", "occasion"],
    )  # fmt: skip
    def test_an_alert_that_fired_is_read_as_it_was(
        self, repository: Repository, entry: FiredAlert
    ) -> None:
        assert repository.add_alerts([entry]) == 1
        assert repository.fired_alerts(OURS) == (entry,)
        assert repr(repository.fired_alerts(OURS)) == repr((entry,))
        assert repository.fired_alerts(OURS, entry.period) == (entry,)
        assert repository.fired_alerts(OURS, FEB if entry.period != FEB else MAR) == ()

    def test_alerts_are_in_the_order_in_which_they_fired(self, repository: Repository) -> None:
        entries = [fired(period=MAR), fired(), fired(state="cleared", number=2), fired(step=2)]
        assert repository.add_alerts(entries[:2]) == 2
        assert repository.add_alerts(entries[2:]) == 2
        assert repository.fired_alerts(OURS) == tuple(entries)
        assert repository.fired_alerts(OURS, FEB) == tuple(entries[1:])

    def test_the_same_alert_again_changes_nothing(self, repository: Repository) -> None:
        fill(repository)
        with nothing_written(repository):
            assert repository.add_alerts([fired(), fired(noted_at=LATER, used=99)]) == 0
        assert repository.add_alerts([fired(step=2), fired(step=2)]) == 1

    def test_a_number_that_follows_on_none_is_refused(self, repository: Repository) -> None:
        fill(repository)
        problem = r"^org-1, .*: fired\[1\].number: must follow on those that are kept"
        with nothing_written(repository), pytest.raises(InvalidValue, match=problem):
            repository.add_alerts([fired(state="cleared", number=2), fired(number=4)])

    def test_an_alert_is_acknowledged_once(self, repository: Repository) -> None:
        fill(repository)
        key = fired().key
        assert (
            repository.acknowledge_alert(
                OURS, key, acknowledged_at=NOW.astimezone(EAST), acknowledged_by="jo"
            )
            == NOW
        )
        with nothing_written(repository):
            assert repository.acknowledge_alert(OURS, key, acknowledged_at=LATER) == NOW
        seen = evolve(fired(), acknowledged_at=NOW, acknowledged_by="jo")
        assert repository.fired_alerts(OURS) == (seen,)
        assert repository.fired_alerts(THEIRS) == (fired(org_id=THEIRS),)

    def test_who_has_seen_an_alert_comes_from_its_acknowledgement_alone(
        self, repository: Repository
    ) -> None:
        repository.add_alerts([evolve(fired(), acknowledged_at=NOW, acknowledged_by="jo")])
        assert repository.fired_alerts(OURS) == (fired(),)

    def test_an_alert_that_never_fired_cannot_be_acknowledged(self, repository: Repository) -> None:
        fill(repository)
        problem = "^org-1: key: must be that of an alert of the org's that fired"
        with nothing_written(repository):
            for key in (fired(org_id=THEIRS).key, fired(step=2).key, "%"):
                with named(key), pytest.raises(UnknownAlert, match=problem):
                    repository.acknowledge_alert(OURS, key, acknowledged_at=NOW)
