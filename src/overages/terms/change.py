"""Changes: the entries of an account's history, each from an instant on.

    change = TermsChange(march_12, plan="pro")        # all other terms go on
    change = TermsChange(may_20, kind="end")          # no terms from then on

An entry is never altered: a mistake is taken back by a later entry of kind ``"cancel"``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, Literal, TypeAlias, get_args

from overages._ground.names import optional_name, parse_name
from overages._ground.parsing import Problems, choice_of, each, instance_of, optional
from overages._ground.value import non_defaults, term, value
from overages.amounts.exact import Quantity
from overages.amounts.money import Money, optional_non_negative_money
from overages.errors import AccountConflict, Field, InvalidValue, at
from overages.periods.cycle import Cycle
from overages.periods.period import format_instant, parse_instant
from overages.terms.allowance import check_bounds
from overages.terms.discount import Discount, discounts_of_money
from overages.terms.terms import NO_LIMITS, BillingStatus, Limits, parse_own_limits, parse_version

ChangeKind: TypeAlias = Literal["change", "end", "cancel"]
"""Whether terms change from an instant on, end there, or an entry of that instant is taken back."""

Counters: TypeAlias = Literal["restart", "continue"]
"""Whether allowance and tiers begin anew at a change, or go on from the units before it."""

Bound: TypeAlias = Literal["maximum", "minimum"]
"""A bound of the org's own on a period's bill."""

_ABOUT_ALL: Final = frozenset({"since", "kind", "counters"})
_each_name: Final = each(parse_name)


_each_bound: Final = each(choice_of(Bound))


def _names(value: object, field: Field) -> tuple[str, ...]:
    return tuple(sorted(set(_each_name(value, field))))


def _bounds(value: object, field: Field) -> tuple[Bound, ...]:
    return tuple(sorted(set(_each_bound(value, field))))


@value
class TermsChange:
    """An entry of an account's history: it changes only the terms that it names.

    :param since: the first instant at which it holds, timezone-aware; kept in UTC.
    :param plan: the slug of another plan, which is then at no version of its own.
    :param limits: own limits by metric, merged into those that hold; None is unlimited.
    :param drop_limits: metrics that have no limit of the org's own any more.
    :param cycle: another cycle: the running period ends, and the next one runs up to the cycle's
        first boundary.
    :param status: how the org stands.
    :param plan_version: the version of the plan that the org stays on.
    :param discounts: discounts of the org's own, merged by name into those that hold: one of a new
        name comes last.
    :param drop_discounts: names of discounts that it has no more.
    :param maximum: another maximum of its own for a period.
    :param minimum: another minimum of its own.
    :param drop_bounds: ``"maximum"``, ``"minimum"`` or both, where it has none of its own any more;
        those of the plan hold in any case.
    :param counters: ``"restart"``: after the entry, counting starts anew, with a share of the
        allowance, of the bounds of tiers and of fees by time. ``"continue"``: the units used before
        in the period are used up of the whole allowance that holds from then on, and tiers go on.
        None says neither: it is what the last other entry of that `since` says of it, and
        ``"restart"`` where none does.
    :param kind: ``"end"`` for an entry from which no terms hold, until a later one names a plan;
        ``"cancel"`` for one that takes back the entries before it with its `since`.
    :raises InvalidType: for a value of a wrong type.
    :raises InvalidValue: for a value that is not allowed; `InvalidValues` for several.

    >>> from datetime import UTC
    >>> TermsChange(datetime(2024, 3, 12, tzinfo=UTC), plan="pro").plan
    'pro'
    """

    since: datetime = term(parse_instant)
    plan: str | None = term(optional_name)
    limits: Mapping[str, Quantity | None] = term(parse_own_limits)
    drop_limits: tuple[str, ...] = term(_names)
    cycle: Cycle | None = term(optional(instance_of(Cycle)))
    status: BillingStatus | None = term(optional(choice_of(BillingStatus)))
    plan_version: int | None = term(parse_version)
    discounts: tuple[Discount, ...] = term(discounts_of_money)
    drop_discounts: tuple[str, ...] = term(_names)
    maximum: Money | None = term(optional_non_negative_money)
    minimum: Money | None = term(optional_non_negative_money)
    drop_bounds: tuple[Bound, ...] = term(_bounds)
    counters: Counters | None = term(optional(choice_of(Counters)))
    kind: ChangeKind = term(choice_of(ChangeKind))

    def __init__(
        self,
        since: datetime,
        *,
        plan: str | None = None,
        limits: Limits = NO_LIMITS,
        drop_limits: Iterable[str] = (),
        cycle: Cycle | None = None,
        status: BillingStatus | None = None,
        plan_version: int | None = None,
        discounts: Iterable[Discount] = (),
        drop_discounts: Iterable[str] = (),
        maximum: Money | None = None,
        minimum: Money | None = None,
        drop_bounds: Iterable[Bound] = (),
        counters: Counters | None = None,
        kind: ChangeKind = "change",
    ) -> None: ...

    def _check(self, problems: Problems) -> None:
        terms = [name for name in non_defaults(self) if name not in _ABOUT_ALL]
        if self.kind == "change":
            if not terms:
                problems.add(InvalidValue("plan", None, "must be given, or another of the terms"))
        else:
            for name in terms:
                problem = f"must not be given for an entry of kind {self.kind!r}"
                problems.add(InvalidValue(name, getattr(self, name), problem))

    def _check_dropped(self, problems: Problems) -> None:
        bounds = [name for name in get_args(Bound) if getattr(self, name) is not None]
        discounts = [discount.name for discount in self.discounts]
        for dropped, own in [
            ("drop_limits", self.limits),
            ("drop_discounts", discounts),
            ("drop_bounds", bounds),
        ]:
            for name in getattr(self, dropped):
                if name in own:
                    problem = "must not be dropped where the same entry sets it"
                    problems.add(InvalidValue(at(dropped, name), name, problem))

    def _check_bounds(self, problems: Problems) -> None:
        check_bounds(self.maximum, self.minimum, problems)

    @property
    def moves_periods(self) -> bool:
        """Whether it may make other periods of those that there were."""
        return self.cycle is not None or self.kind != "change" or self.plan is not None

    @property
    def names_own_terms(self) -> bool:
        """Whether it changes discounts or bounds of the org's own."""
        bounds = (self.maximum, self.minimum)
        return bool(self.discounts or self.drop_discounts or self.drop_bounds) or any(
            bound is not None for bound in bounds
        )


def other_history(earlier: Sequence[Any], entries: Sequence[Any]) -> AccountConflict:
    """Return the error for a history that isn't an earlier one with entries added at its end.

    :param earlier: its entries: the account as it began, and all changes; likewise `entries`.
    """
    place = next(i for i, entry in enumerate(earlier) if entry not in entries[i : i + 1])
    other = next(map(_written, entries[place : place + 1]), None)
    path = ("account", "changes", place - 1) if place else ("account",)
    problem = (
        f"must be as it is kept, {_written(earlier[place])}: a history only has entries added"
        " at its end"
    )
    return AccountConflict(path, other, problem)


def _written(entry: Any) -> str:
    """Write an entry in short: since when it holds, and the terms that it names."""
    terms = [
        f"{name} {term!r}"
        for name, term in non_defaults(entry).items()
        if name not in {"org_id", "since"}
    ]
    return " ".join([format_instant(entry.since), *terms])
