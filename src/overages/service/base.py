"""The base of a service: the repository, the clock, the switch and the metrics.

Each part of the service is a class on it that has the methods of one subject:

    class Quotas(ServiceBase):
        def decide(self, org_id, requested):
            self._require_enabled()
            with self._repository.snapshot():
                account, now = self._own_account(org_id), self._now()
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Final

from overages._ground.parsing import function_that, instance_of, parse_all, parse_flag
from overages.bookkeeping.books import Books
from overages.bookkeeping.ended_periods import FreshPeriods
from overages.bookkeeping.plans_in_force import PlansInForce
from overages.bookkeeping.settling import Settling
from overages.errors import BillingDisabled, InvalidValue, NoTerms, UnknownPlan
from overages.periods.period import Period, parse_instant
from overages.readings.quota_inputs import PlainTerms
from overages.repository import Repository
from overages.service.alert_watch import AlertWatch
from overages.service.one_change import AlertChange, DeferredWatch
from overages.terms.account import Account
from overages.usage.metering import later, parse_time_span
from overages.usage.metric import Metric
from overages.usage.routing import Routes

if TYPE_CHECKING:
    from logging import Logger

_parse_clock: Final = function_that("gives the present instant")
_NO_ROUTES: Final = Routes(())


class ServiceBase:
    """The ground of every part of a service; `OverageService` has the parameters."""

    def __init__(
        self,
        repository: Repository,
        clock: Callable[[], datetime],
        enabled: bool | Callable[[], bool] = True,
        metrics: Iterable[Metric] | None = None,
        ahead: timedelta = timedelta(days=1),
    ) -> None:
        self._clock, self._ahead = parse_all(
            (_parse_clock, clock, "clock"), (parse_time_span, ahead, "ahead")
        )
        self._repository = repository
        self._enabled = enabled
        self._own_routes = None if metrics is None else Routes(metrics)
        self._last_routes = _NO_ROUTES
        self._plain_terms: dict[str, PlainTerms] = {}  # by org, as decisions found them
        self._change: AlertChange | None = None  # that its calls are a part of

    @property
    def enabled(self) -> bool:
        """Whether the service does anything now."""
        return parse_flag(self._enabled() if callable(self._enabled) else self._enabled, "enabled")

    @property
    def _routes(self) -> Routes:
        """The metrics that count now; found out anew only where they have changed."""
        if self._own_routes is not None:
            return self._own_routes
        metrics, routes = self._repository.metrics(), self._last_routes
        if routes.metrics != metrics:
            routes = self._last_routes = Routes(metrics)
        return routes

    def _settling(
        self,
        account: Account,
        now: datetime,
        plans: PlansInForce | None = None,
        routes: Routes | None = None,
    ) -> Settling:
        ended = lambda each: each.end <= now  # noqa: E731
        return Settling(self._repository, account, routes or self._routes, ended, plans)

    def _books(
        self, account: Account, plans: PlansInForce | None = None, *, now: datetime
    ) -> Books:
        return Books(self._repository, account, self._settling(account, now, plans), now)

    def _fresh(self, plans: PlansInForce, *, now: datetime) -> FreshPeriods:
        return FreshPeriods(self._repository, self._routes, plans, now)

    def _watch(self, now: datetime | None = None) -> AlertWatch:
        now = now or self._now()
        kind = AlertWatch if self._change is None else partial(DeferredWatch, self._change)
        return kind(self._repository, lambda: self._routes, now, later(now, self._ahead))

    def _own_account(self, org_id: str) -> Account:
        account = self._repository.account(org_id)
        if account is None:
            error = UnknownPlan("org_id", org_id, "must have an account, and so a plan")
            raise error.within(org_id=org_id)
        return account

    def _account(self, org_id: str, proposed: Account | None) -> Account | None:
        """Return the org's account, or the one that it may become."""
        earlier = self._repository.account(org_id)
        return earlier if proposed is None else _proposed(org_id, proposed, earlier)

    def _require_enabled(self) -> None:
        if not self.enabled:
            log().info("overage billing is off: nothing done")
            raise BillingDisabled("overage billing is off: nothing was calculated or written")

    def _period(self, account: Account, period: Period | None) -> Period | None:
        """Return a period of the org's, or the present one; None if no terms hold then."""
        if period is None:
            return self._present(account)
        with suppress(NoTerms):
            account.require(period)
            return period
        return None

    def _present(self, account: Account) -> Period | None:
        now = self._now()
        return None if account.at(now) is None else account.period_at(now)

    def _now(self) -> datetime:
        return parse_instant(self._clock(), "clock()")


def _proposed(org_id: str, account: Account, earlier: Account | None) -> Account:
    """Return an account with entries that aren't put yet; refuse one that couldn't be put."""
    if instance_of(Account)(account, "account").org_id != org_id:
        error = InvalidValue(("account", "org_id"), account.org_id, f"must be {org_id!r}")
        raise error.within(org_id=org_id)
    if earlier is not None:
        account.require_goes_on_from(earlier)
    return account


def log() -> Logger:
    """Return the logger of the service."""
    from logging import getLogger  # takes a twelfth of the time to import all public names

    return getLogger("overages.service")
