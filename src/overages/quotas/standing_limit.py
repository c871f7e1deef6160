"""Standing limits: each limit of a decision, and how far it is used up.

limit = StandingLimit("hard_limit", 100, used=70, held=10, metric="runs", stops=True)
limit.remaining, limit.explain()                  # 20, "runs: hard limit 100, used 70, ..."
"""

from __future__ import annotations

from datetime import datetime
from typing import Final, Literal, TypeAlias

from overages._ground.names import optional_name
from overages._ground.parsing import Problems, choice_of, instance_of, optional, parse_flag
from overages._ground.trusted import trusted
from overages._ground.value import derived, term, value
from overages.amounts.exact import (
    SCALE,
    Quantity,
    QuantityLike,
    parse_sum_like,
    plain_text,
    scaled,
    unscaled,
)
from overages.amounts.money import Money, check_kind
from overages.errors import Field
from overages.periods.period import Period, parse_instant
from overages.terms.allowance import Allowance

Measure: TypeAlias = Quantity | Money
"""Units as they are included and priced, or money."""

LimitKind: TypeAlias = Literal[
    "included", "own_limit", "hard_limit", "budget", "grants", "unknown_metric", "no_terms"
]
"""The kinds of limits that stand.

``"included"`` units, or the org's ``"own_limit"`` in their place, with all that was carried over
and drawn on grants, and where it stops requests all that grants can still pay for; the
``"hard_limit"`` of the plan; a ``"budget"``; the ``"grants"`` that an org has, of units or of
money. Of a metric that the plan doesn't know, and where no terms hold, nothing may be used:
``"unknown_metric"``, ``"no_terms"``.
"""

_NOUNS: Final[dict[LimitKind, str]] = {
    "included": "included",
    "own_limit": "own limit",
    "hard_limit": "hard limit",
    "budget": "budget",
    "grants": "grants",
    "unknown_metric": "the plan doesn't know it",
    "no_terms": "no terms hold",
}
_ABSENT: Final = frozenset({"unknown_metric", "no_terms"})


def _parse_measure(value: object, field: Field) -> Measure:
    return value if type(value) is Money else parse_sum_like(value, field)


@value
class StandingLimit:
    """A limit, and how far it is used up: in units as they are included and priced, or in money.

    :param kind: see `LimitKind`.
    :param limit: the most, before anything was used.
    :param used: used so far in its time, or due.
    :param held: held by reservations beside it.
    :param metric: whose units; None where it is of all metrics.
    :param name: the id of a budget, or of a grant where there is one alone.
    :param period: the time that its units or its money are counted over, such as the org's period,
        or the window of a budget; None where it has none, as grants.
    :param resets_at: the first instant at which all of it is there again, timezone-aware; None
        where that isn't known, or is never.
    :param stops: whether requests beyond it are denied; any other is only told.
    :raises CurrencyMismatch: if its amounts are in several currencies.
    :raises InvalidValue: for a value that is not allowed; `InvalidValues` for several faults.

    >>> StandingLimit("hard_limit", 100, used=70, held=10, metric="runs", stops=True).remaining
    20
    """

    kind: LimitKind = term(choice_of(LimitKind))
    limit: Measure = term(_parse_measure)
    used: Measure = term(_parse_measure)
    held: Measure = term(_parse_measure)
    metric: str | None = term(optional_name)
    name: str | None = term(optional_name)
    period: Period | None = term(optional(instance_of(Period)))
    resets_at: datetime | None = term(optional(parse_instant))
    stops: bool = term(parse_flag)
    remaining: Measure = derived()
    """The rest of it beside all that is used and held; never negative."""

    def __init__(
        self,
        kind: LimitKind,
        limit: QuantityLike | Money,
        used: QuantityLike | Money,
        held: QuantityLike | Money,
        *,
        metric: str | None = None,
        name: str | None = None,
        period: Period | None = None,
        resets_at: datetime | None = None,
        stops: bool = False,
    ) -> None: ...

    def _check(self, problems: Problems) -> None:
        for name in ("used", "held"):
            check_kind(getattr(self, name), self.limit, name, problems)

    def _complete(self) -> None:
        object.__setattr__(self, "remaining", remaining_of(self.limit, self.used, self.held))

    def explain(self) -> str:
        """Say in a line what it is, and how far it is used up.

        >>> StandingLimit("hard_limit", 100, used=70, held=10, metric="runs").explain()
        'runs: hard limit 100, used 70, held 10, 20 left'
        """
        noun = "grant" if self.kind == "grants" and self.name is not None else _NOUNS[self.kind]
        label = " ".join(filter(None, [noun, self.name]))
        subject = "" if self.metric is None else f"{self.metric}: "
        if self.kind in _ABSENT:
            return subject + label
        held = f", held {_text(self.held)}" if self.held != _nothing(self.held) else ""
        used = f"used {_text(self.used)}{held}, {_text(self.remaining)} left"
        return f"{subject}{label} {_text(self.limit)}, {used}"

    def __str__(self) -> str:
        return self.explain()


def _nothing(measure: Measure) -> Measure:
    return Money(0, measure.currency) if isinstance(measure, Money) else 0


def remaining_of(limit: Measure, used: Measure, held: Measure) -> Measure:
    """Return the rest of a limit beside all that is used and held; never negative.

    All three are units, or money of one currency.
    """
    if type(limit) is int and type(used) is int and type(held) is int:
        left = limit - used - held
        return left if left > 0 else 0
    if isinstance(limit, Money) and isinstance(used, Money) and isinstance(held, Money):
        return Money(max(0, limit.minor - used.minor - held.minor), limit.currency)
    return unscaled(max(0, _picos(limit) - _picos(used) - _picos(held)))


def _picos(units: Measure) -> int:
    assert not isinstance(units, Money)  # or all three were
    return scaled(units)


def _text(measure: Measure) -> str:
    return str(measure) if isinstance(measure, Money) else plain_text(measure)


def hard_limit_of(allowance: Allowance, base: Quantity | None) -> Quantity | None:
    """Return the hard limit of a metric in a whole period.

    :param base: the included quantity, or the own limit in its place, which per cent are of; of a
        part of a unit of 10^-12, nothing may be used.
    """
    percent = allowance.hard_limit_percent
    if percent is None or base is None:
        return allowance.hard_limit
    return unscaled(scaled(base) * scaled(percent) // (100 * SCALE))


new_limit: Final = trusted(StandingLimit)
