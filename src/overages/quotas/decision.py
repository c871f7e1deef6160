"""Decisions: whether units that are asked for may be used, and every limit that stands.

decision = decide(plan, usage, {"runs": 10})
decision.verdict                                  # "allow", "partly" or "deny"
decision.granted["runs"], decision.cost           # how many, and the change of the bill by them
decision.decided_by                               # the limit that they would pass, or None
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final, Literal, TypeAlias

from overages._ground.names import by_metric, parse_name
from overages._ground.parsing import Problems, choice_of, instance_of, optional, tuple_of
from overages._ground.trusted import trusted
from overages._ground.value import term, value
from overages.amounts.exact import (
    Exact,
    Quantity,
    QuantityLike,
    parse_amount,
    parse_non_negative,
    plain_text,
)
from overages.amounts.money import Money
from overages.errors import CurrencyMismatch, InvalidValue
from overages.periods.period import format_instant, parse_instant
from overages.quotas.standing_limit import LimitKind, StandingLimit

Verdict: TypeAlias = Literal["allow", "partly", "deny"]
"""Whether all units that are asked for may be used, or fewer of them, or none."""

NOTHING: Final = Decimal(0)
_parse_units: Final = by_metric(parse_non_negative, "metrics to quantities")


@value
class Decision:
    """Whether units that are asked for may be used, their cost, and every limit that stands.

    Nothing is kept of it: it is only as good as the numbers that it was made of.

    :param org_id: who asks.
    :param verdict: ``"allow"`` for all of them, ``"partly"`` for those `granted`, ``"deny"``.
    :param requested: units by metric.
    :param granted: those of them that may be used; zero of each where all are denied.
    :param cost: the change of the org's bill by the units granted, or by those requested where they
        are denied, with discounts, bounds and credits, rounded as the bill is; None where no price
        is known.
    :param exact_cost: the same before it is rounded, in major currency units.
    :param overage_cost: the part of the cost that is the price of units beyond the limits.
    :param exact_overage_cost: the same before it is rounded.
    :param limits: every limit that stands for them, by metric as they were requested, and then
        those of all metrics.
    :param decided_by: the one of them that more would pass; None where all are allowed.
    :param at: when it was made, timezone-aware; None where that isn't known.
    :param counted_at: as of when the usage was counted, likewise.
    :raises InvalidValue: if the verdict isn't that of the units granted, or for another value that
        is not allowed; `InvalidValues` for several faults.
    """

    org_id: str = term(parse_name)
    verdict: Verdict = term(choice_of(Verdict))
    requested: Mapping[str, Quantity] = term(_parse_units)
    granted: Mapping[str, Quantity] = term(_parse_units)
    cost: Money | None = term(optional(instance_of(Money)))
    exact_cost: Exact = term(parse_amount)
    overage_cost: Money | None = term(optional(instance_of(Money)))
    exact_overage_cost: Exact = term(parse_amount)
    limits: tuple[StandingLimit, ...] = term(tuple_of(StandingLimit))
    decided_by: StandingLimit | None = term(optional(instance_of(StandingLimit)))
    at: datetime | None = term(optional(parse_instant))
    counted_at: datetime | None = term(optional(parse_instant))

    def __init__(
        self,
        org_id: str,
        verdict: Verdict,
        requested: Mapping[str, QuantityLike],
        granted: Mapping[str, QuantityLike],
        cost: Money | None = None,
        exact_cost: Exact = NOTHING,
        overage_cost: Money | None = None,
        exact_overage_cost: Exact = NOTHING,
        limits: Iterable[StandingLimit] = (),
        decided_by: StandingLimit | None = None,
        at: datetime | None = None,
        counted_at: datetime | None = None,
    ) -> None: ...

    def _check_granted(self, problems: Problems) -> None:
        if self.granted.keys() != self.requested.keys():
            problem = f"must name the metrics that are requested, {', '.join(self.requested)}"
            problems.add(InvalidValue("granted", list(self.granted), problem))
            return
        for metric, units in self.granted.items():
            if units > self.requested[metric]:
                problem = f"must not be more than requested, {plain_text(self.requested[metric])}"
                problems.add(InvalidValue(("granted", metric), units, problem))
        if not problems:
            self._require_verdict(problems)

    def _require_verdict(self, problems: Problems) -> None:
        """Tell a verdict that isn't that of the units; where none are asked for, it can be two."""
        fitting: tuple[Verdict, ...] = ("partly",) if any(self.granted.values()) else ("deny",)
        if self.granted == self.requested:
            fitting = ("allow",) if any(self.granted.values()) else ("allow", "deny")
        if self.verdict not in fitting:
            problem = f"must be {' or '.join(fitting)}, by the units granted"
            problems.add(InvalidValue("verdict", self.verdict, problem))

    def _check_decided_by(self, problems: Problems) -> None:
        decided_by = self.decided_by
        if (decided_by is None) != (self.verdict == "allow"):
            problem = "must be given unless all is allowed, and only then"
            problems.add(InvalidValue("decided_by", decided_by, problem))
        elif decided_by is not None and decided_by not in self.limits:
            problems.add(InvalidValue("decided_by", decided_by, "must be one of the limits"))

    def _check_costs(self, problems: Problems) -> None:
        cost, overage_cost = self.cost, self.overage_cost
        if (cost is None) != (overage_cost is None):
            problem = "must be given where the cost is, and only then"
            problems.add(InvalidValue("overage_cost", overage_cost, problem))
        elif cost and overage_cost and cost.currency != overage_cost.currency:
            codes = cost.currency.code, overage_cost.currency.code
            problems.add(CurrencyMismatch(*codes, "overage_cost"))

    def _check_times(self, problems: Problems) -> None:
        at, counted_at = self.at, self.counted_at
        if counted_at is not None and (at is None or counted_at > at):
            problem = "must not be later than the decision"
            problems.add(InvalidValue("counted_at", format_instant(counted_at), problem))

    @property
    def age(self) -> timedelta | None:
        """The age of its numbers when it was made; None where that isn't known."""
        return None if self.at is None or self.counted_at is None else self.at - self.counted_at

    @property
    def resets_at(self) -> datetime | None:
        """The instant from which the same may be allowed, if the limit has room for it at all."""
        return None if self.decided_by is None else self.decided_by.resets_at

    def limit(self, kind: LimitKind, *, metric: str | None = None) -> StandingLimit | None:
        """Return the first limit of a kind; None if none of it stands.

        :param metric: whose units; any without it.

        >>> limit = StandingLimit("hard_limit", 100, 95, 0, metric="runs", stops=True)
        >>> decision = Decision("acme", "allow", {"runs": 5}, {"runs": 5}, limits=[limit])
        >>> decision.limit("hard_limit").remaining, decision.limit("budget")
        (5, None)
        """
        own = [each for each in self.limits if each.kind == kind]
        return next((each for each in own if metric in (None, each.metric)), None)

    def _deciding(self, decided_by: StandingLimit) -> list[StandingLimit]:
        """Return the limit that decided, with the grants that go on from included units."""
        if decided_by.kind not in ("included", "own_limit"):
            return [decided_by]
        grants = [each for each in self.limits if each.kind == "grants"]
        units = [each for each in grants if not isinstance(each.limit, Money)]
        return [decided_by, *(each for each in units if each.metric == decided_by.metric)]

    def explain(self) -> str:
        """Say in a line what was decided, and why.

        >>> limit = StandingLimit("hard_limit", 100, 95, 0, metric="runs", stops=True)
        >>> asked, none = {"runs": 10}, {"runs": 0}
        >>> Decision("acme", "deny", asked, none, limits=[limit], decided_by=limit).explain()
        'denied 10 runs (runs: hard limit 100, used 95, 5 left)'
        """
        asked = _units(self.requested)
        if self.decided_by is None:
            return f"allowed {asked}"
        told = f"({'; '.join(limit.explain() for limit in self._deciding(self.decided_by))})"
        if self.verdict == "deny":
            return f"denied {asked} {told}"
        return f"allowed {_units(self.granted)} of {asked} {told}"

    def __str__(self) -> str:
        return self.explain()


def _units(quantities: Mapping[str, Quantity]) -> str:
    return ", ".join(f"{plain_text(n)} {metric}" for metric, n in quantities.items()) or "nothing"


new_decision: Final = trusted(Decision)
