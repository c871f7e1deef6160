"""The alerts of repositories: definitions by version, and entries of those that fired.

class BaseRepository(Alerts): ...
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from overages._ground.names import optional_name, parse_name
from overages._ground.parsing import Problems, instance_of, optional, parse_all, tuple_of
from overages._ground.value import evolve
from overages.adapters.catalogue import listed_names
from overages.adapters.storage import Storage
from overages.alerts.alert import Alert, AlertDefinition
from overages.alerts.fired_alert import FiredAlert
from overages.errors import InvalidValue, UnknownAlert
from overages.periods.period import Period, parse_instant

_optional_period: Final = optional(instance_of(Period))


class Alerts(Storage):
    """Keeps the part of the contract that is about alerts."""

    # Definitions

    def put_alert(
        self, alert: Alert, *, put_at: datetime, org_id: str | None = None
    ) -> AlertDefinition:
        """Keep an alert of all orgs, or of one, in place of any of its id before."""
        alert, put_at, org_id = parse_all(
            (instance_of(Alert), alert, "alert"),
            (parse_instant, put_at, "put_at"),
            (optional_name, org_id, "org_id"),
        )
        with self._writing():
            entries = [each for name, each in self._alerts_put(org_id) if name == alert.id]
            last = entries[-1] if entries else None
            if last is not None and last.alert == alert:
                return last
            version = 1 + sum(each is not None for each in entries)
            definition = AlertDefinition(alert, version, put_at, org_id=org_id)
            self._add_alert(org_id, alert.id, definition)
        return definition

    def drop_alert(self, alert_id: str, *, org_id: str | None = None) -> None:
        """Have an alert of all orgs, or of one, count no more."""
        parse_all((parse_name, alert_id, "alert_id"), (optional_name, org_id, "org_id"))
        with self._writing():
            last = dict(self._alerts_put(org_id))
            if alert_id not in last:
                whose = "all orgs" if org_id is None else "the org"
                problem = f"must be an alert of {whose}{listed_names(alert_id, last)}"
                raise UnknownAlert("alert_id", alert_id, problem).within(org_id=org_id)
            if last[alert_id] is not None:
                self._add_alert(org_id, alert_id, None)

    def alert_definitions(self, org_id: str | None = None) -> tuple[AlertDefinition, ...]:
        """Return the alerts that count for an org, by id; or those of all orgs alone."""
        optional_name(org_id, "org_id")
        with self._reading():
            standing = _standing(self._alerts_put(None))
            if org_id is not None:
                standing |= _standing(self._alerts_put(org_id))
        return tuple(standing[name] for name in sorted(standing))

    # Alerts that fired

    def add_alerts(self, fired: Iterable[FiredAlert]) -> int:
        """Keep alerts that fired; return the number of new ones."""
        alerts = tuple_of(FiredAlert)(fired, "fired")
        with self._writing():
            problems, new = Problems(), []
            numbers: dict[str, int] = {}
            for i, alert in enumerate(alerts):
                if alert.id not in numbers:
                    numbers[alert.id] = self._times_fired(alert.org_id, alert.id)
                before = numbers[alert.id]
                if alert.number > before + 1:
                    problem = f"must follow on those that are kept, of which there are {before}"
                    skipped = InvalidValue(("fired", i, "number"), alert.number, problem)
                    problems.add(skipped.within(org_id=alert.org_id, period=alert.period))
                elif alert.number == before + 1:
                    numbers[alert.id] = alert.number
                    new.append(evolve(alert, acknowledged_at=None, acknowledged_by=None))
            problems.raise_any()
            self._keep_alerts(new)
        return len(new)

    def fired_alerts(self, org_id: str, period: Period | None = None) -> tuple[FiredAlert, ...]:
        """Return the alerts of an org that fired, of one period or of all, as they came."""
        parse_all((parse_name, org_id, "org_id"), (_optional_period, period, "period"))
        with self._reading():
            fired = list(self._alerts_of(org_id, period))
            noted = self._acknowledgements_of(org_id) if fired else {}
        return tuple(
            evolve(each, acknowledged_at=noted[each.key][0], acknowledged_by=noted[each.key][1])
            if each.key in noted
            else each
            for each in fired
        )

    def acknowledge_alert(
        self,
        org_id: str,
        key: str,
        *,
        acknowledged_at: datetime,
        acknowledged_by: str | None = None,
    ) -> datetime:
        """Note that someone has seen an alert that fired; return when someone first did."""
        org_id, key, acknowledged_at, acknowledged_by = parse_all(
            (parse_name, org_id, "org_id"),
            (parse_name, key, "key"),
            (parse_instant, acknowledged_at, "acknowledged_at"),
            (optional_name, acknowledged_by, "acknowledged_by"),
        )
        with self._writing():
            noted = self._acknowledgements_of(org_id)
            if key in noted:
                return noted[key][0]
            if all(each.key != key for each in self._alerts_of(org_id, None)):
                problem = "must be that of an alert of the org's that fired"
                raise UnknownAlert("key", key, problem).within(org_id=org_id)
            self._acknowledge(org_id, key, acknowledged_at, acknowledged_by)
        return acknowledged_at


def _standing(
    entries: Iterable[tuple[str, AlertDefinition | None]],
) -> dict[str, AlertDefinition]:
    """Return the last entry of each id, unless it was dropped."""
    return {name: each for name, each in dict(entries).items() if each is not None}
