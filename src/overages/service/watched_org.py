"""Watched orgs: an org with its alerts, those of them that fired before, and usage that comes.

watched = WatchedOrg(account, definitions, repository)
watched.read({period}), watched.history, watched.only_grows(statement)
WatchedUsage(watched, [(0, event)], None).periods
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence, Set
from contextlib import suppress
from datetime import datetime
from functools import cached_property
from typing import Final, Generic, TypeVar

from overages.alerts.alert import AlertDefinition
from overages.alerts.alert_history import AlertHistory
from overages.alerts.fired_alert import FiredAlert
from overages.errors import OveragesError
from overages.periods.period import Period
from overages.prices.models import Graduated, Package, PerUnit
from overages.readings.alert_numbers import AlertNumbers
from overages.repository import Repository
from overages.statements.statement import Statement
from overages.terms.account import Account
from overages.terms.allowance import Allowance
from overages.usage.event import UsageEvent
from overages.usage.metering import takes_back

T = TypeVar("T")

_MOST_PERIODS: Final = 4  # of more, the alerts of all periods are read at once
_GROWING: Final = frozenset({PerUnit, Package, Graduated})
"""The price models whose cost never falls as units are added."""


class WatchedOrg:
    """An org with alerts.

    :param definitions: those that count for it.
    """

    def __init__(
        self, account: Account, definitions: Sequence[AlertDefinition], repository: Repository
    ) -> None:
        self.account: Account = account
        self.definitions: Sequence[AlertDefinition] = definitions
        self.history: AlertHistory = AlertHistory()
        """The alerts that fired before, of the periods that were read."""
        self._repository = repository
        self._read: set[Period] | None = set()  # None: all of them
        thresholds = [each.alert.threshold for each in definitions]
        self._has_costs = any(each is not None and each.cost is not None for each in thresholds)
        self.has_budgets: bool = any(each.alert.budget is not None for each in definitions)
        self._has_costs |= self.has_budgets
        self.has_ends: bool = any(
            each is not None and (each.of == "remaining" or each.direction == "falling")
            for each in thresholds
        )
        """Whether a number may reach a threshold as its limit falls, and nothing is used."""
        self._has_grants = any(each.alert.grant is not None for each in definitions)
        self._has_far_shares = any(
            each is not None
            and each.percent is not None
            and (each.percent > 100 or each.repeat or each.of == "overage")
            for each in thresholds
        )

    def read(self, periods: Set[Period]) -> None:
        """Read the alerts that fired in some periods, once."""
        if self._read is None:
            return
        missing = periods - self._read
        if len(missing) > _MOST_PERIODS:
            self.read_all()
            return
        for period in sorted(missing):
            self.history.add(self._repository.fired_alerts(self.account.org_id, period))
        self._read |= missing

    def is_untold(self, periods: Set[Period]) -> bool:
        """Tell whether nothing fired in some periods, and no number is about any other time."""
        if self.has_budgets or self._has_grants:
            return False
        self.read(periods)
        return not any(map(self.history.has, periods))

    def read_all(self) -> None:
        """Read all alerts that fired."""
        if self._read is not None:
            self._read = None
            self.history = AlertHistory(self._repository.fired_alerts(self.account.org_id))

    def only_grows(self, statement: Statement) -> bool:
        """Tell whether, as usage grows, no number that is compared can turn back.

        A limit grows with another metric, or with units drawn on a grant that has ended; a cost can
        fall with a volume price, or with units that earlier periods have used of a longer
        allowance, and a discount or a rounding of several metrics is shared out among them anew.
        Units of a part that is over raise used and limit alike, which brings any share of them
        nearer to all of it.
        """
        if self._has_far_shares and len(statement.parts) > 1:
            return False
        if (self._has_far_shares or self.has_ends) and _is_granted(statement):
            return False
        if self._has_costs and any(
            part.own.has_rules
            or not part.plan.compiled.is_flat
            or part.plan.rounding_scope == "total"
            for part in statement.parts
        ):
            return False
        return all(
            allowance.included_per is None
            and not (self._has_costs and type(allowance.price) not in _GROWING)
            and not (self._has_costs and allowance.included_for is not None)
            for allowance in _allowances(statement)
        )


class WatchedUsage(Generic[T]):
    """Events of an org with alerts, each with a value beside it.

    :param counts_at: gives the instants that they count at; None where these are their own.
    """

    def __init__(
        self,
        watched: WatchedOrg,
        events: Sequence[tuple[T, UsageEvent]],
        counts_at: Callable[[UsageEvent], datetime] | None,
    ) -> None:
        self.watched: WatchedOrg = watched
        self.events: Sequence[tuple[T, UsageEvent]] = events
        self.before: AlertNumbers | None = None
        """The numbers before them, where they are looked at."""
        self.fired: Sequence[FiredAlert] = ()
        """The alerts that they fire, where they are one event."""
        self._counts_at = counts_at

    @cached_property
    def instants(self) -> set[datetime]:
        """The instants that they count at."""
        counts_at = self._counts_at
        return {event.at if counts_at is None else counts_at(event) for _, event in self.events}

    @cached_property
    def periods(self) -> set[Period]:
        """The org's periods in which they count, as far as there are any."""
        periods = set()
        for instant in self.instants:
            with suppress(OveragesError):  # at the end of all time there is none
                periods.add(self.watched.account.period_at(instant))
        return periods

    @property
    def is_one(self) -> bool:
        """Whether it is one event: its alerts follow from the numbers after it."""
        return len(self.events) == 1

    @property
    def takes_back(self) -> bool:
        """Whether it is one event, and takes units back."""
        return self.is_one and takes_back(self.events[0][1])

    def halves(self) -> tuple[WatchedUsage[T], WatchedUsage[T]]:
        """Return them in two parts."""
        watched, events, half = self.watched, self.events, len(self.events) // 2
        first = WatchedUsage(watched, events[:half], self._counts_at)
        return first, WatchedUsage(watched, events[half:], self._counts_at)


def is_even(statement: Statement) -> bool:
    """Tell whether each unit beyond those that are included costs the same.

    Then units that come before others can only make these dearer.
    """
    return all(type(allowance.price) is PerUnit for allowance in _allowances(statement))


def _is_granted(statement: Statement) -> bool:
    """Tell whether grants pay for units."""
    return any(part.kind == "granted" for line in statement.overages for part in line.limit_parts)


def _allowances(statement: Statement) -> Iterator[Allowance]:
    return (each for part in statement.parts for each in part.plan.allowances.values())
