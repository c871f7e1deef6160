"""Forecasts: the part of the service that says where a period is going.

service.project("acme").expected_bill.total
"""

from __future__ import annotations

from overages.insight.projection import Projection
from overages.periods.period import Period
from overages.service.base import ServiceBase
from overages.service.projecting import Projecting
from overages.terms.account import Account


class Forecasts(ServiceBase):
    """The forecasts of orgs; `OverageService` has it."""

    def project(
        self, org_id: str, period: Period | None = None, *, account: Account | None = None
    ) -> Projection | None:
        """Return the bill that an org's period should come to, and how sure that is.

        The units of the days that are left are those of the method that was off least for this org
        and metric, on the same day of its last periods; the bill is settled as at the end. Writes
        nothing. Of a period that is over, it is the statement.

        :param account: the org's with a change that isn't put yet, which the bill then has.
        :returns: None if the org has no account, or no terms hold then. Where there is not enough
            to say of a metric, the projection says why.
        :raises InvalidValue: if the period isn't one of the org's, or hasn't begun.
        :raises OveragesError: as `calculate` does.
        """
        self._require_enabled()
        with self._repository.snapshot():
            held = self._account(org_id, account)
            own = None if held is None else self._period(held, period)
            if held is None or own is None:
                return None
            projecting = Projecting(self._repository, held, self._routes, self._now())
            return projecting.projection(own, is_proposed=account is not None)
