"""Metrics: the rules by which a quantity of usage is worked out of events.

Without one, a metric is the sum of the events of its name. Any other count is declared:

    users = Metric("users", "unique", event="requests", distinct="user_id")
    storage = Metric("storage_gb", "time_weighted")
    minutes = Metric("minutes", event="call_seconds", factor=Fraction(1, 60), increment=1)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import Final, Literal, TypeAlias

from overages._ground.frozen_dict import FrozenDict
from overages._ground.names import by_name, optional_name, parse_name
from overages._ground.parsing import Problems, choice_of, each, optional
from overages._ground.value import non_defaults, term, value
from overages.amounts.exact import Quantity, QuantityLike, parse_amount, parse_positive, parse_ratio
from overages.amounts.rounding import Rounding
from overages.errors import Field, InvalidValue
from overages.usage.increment import Increment

Aggregation: TypeAlias = Literal["sum", "count", "max", "last", "unique", "time_weighted"]
"""The function of a period's events that usage is."""

Reports: TypeAlias = Literal["amount", "level", "change"]
"""The kind of number that an event reports."""

Scope: TypeAlias = Literal["total", "event"]
"""The number that an increment is applied to."""

_OF_LEVELS: Final = ("max", "last", "time_weighted")  # the aggregations of a level
_ALL: Final[FrozenDict[str, str]] = FrozenDict()  # the `where` that every event matches
_FINEST: Final = Increment("0.000000000001", rounding=Rounding.HALF_UP)


def _parse_values(value: object, field: Field) -> tuple[str, ...]:
    values = each(parse_name)((value,) if isinstance(value, str) else value, field)
    if not values:
        raise InvalidValue(field, values, "must have a value at least")
    return tuple(sorted(set(values)))


_parse_demands: Final = by_name(_parse_values, "dimensions to values", of="dimension")


def _parse_where(value: object, field: Field) -> FrozenDict[str, tuple[str, ...]]:
    return FrozenDict(sorted(_parse_demands(value, field).items()))


def _parse_factor(value: object, field: Field) -> Quantity | Fraction:
    factor = parse_amount(parse_ratio(value, field), field)
    if factor <= 0:
        raise InvalidValue(field, value, "must be more than zero")
    return int(factor) if factor.as_integer_ratio()[1] == 1 else factor


def _parse_increment(value: object, field: Field) -> Increment:
    if isinstance(value, Increment):
        return value
    return Increment(parse_positive(value, field))


@value
class Metric:
    """A rule by which the usage of a metric is worked out of the events of a period.

    :param name: its name in usage and plans.
    :param aggregation: how events become one quantity: the ``"sum"`` of the quantities, the
        ``"count"`` of events whatever their quantity, the ``"max"`` or the ``"last"`` quantity, how
        many ``"unique"`` values the dimension `distinct` has, or ``"time_weighted"``, the mean
        level: each one times the share of the period that it was held. The last is the one with the
        latest instant; of equal ones that with the greater id, and then the larger.
    :param event: the metric that its events are reported with; `name` without it. Those that are
        of its own name all the same, as from before it was declared, count too.
    :param where: dimensions that an event must have, each with the values that will do:
        ``{"region": ["eu", "ch"]}``. Of metrics that count the same events in the same way, the one
        without it takes the rest: the events that no other's `where` matches.
    :param distinct: the dimension whose values are counted; for ``"unique"`` alone.
    :param reports: the meaning of a quantity: an ``"amount"`` of its own, which nothing is carried
        of into later periods; a ``"level"`` that holds until the next event, whenever that comes;
        or a ``"change"`` of the level, which starts at zero. Levels have a max (their peak), a last
        one and a time-weighted mean. Without it, ``"level"`` if time-weighted, else ``"amount"``.
    :param factor: the multiplier of quantities, above zero, as where units are converted;
        a `Fraction` where one divides.
    :param increment: the step that is counted, in units of the metric, such as 1000 for started
        thousands; an `Increment` says more. Without it, a quantity of over twelve decimals (a mean,
        or a division by a factor) is rounded to the twelfth, half up.
    :param increment_scope: whether it is applied once to the ``"total"``, or to each ``"event"`` of
        a sum.
    :raises InvalidType: for a value of a wrong type.
    :raises InvalidValue: for a value that is not allowed, or not with the others; `InvalidValues`
        for several.

    >>> Metric("eu_requests", "count", event="requests", where={"region": ["eu", "ch"]}).where
    {'region': ('ch', 'eu')}
    """

    name: str = term(parse_name)
    aggregation: Aggregation = term(choice_of(Aggregation))
    event: str = term(optional_name, otherwise=lambda metric: metric.name)
    where: Mapping[str, tuple[str, ...]] = term(_parse_where)
    distinct: str | None = term(optional_name)
    reports: Reports = term(
        optional(choice_of(Reports)),
        otherwise=lambda metric: "level" if metric.aggregation == "time_weighted" else "amount",
    )
    factor: Quantity | Fraction = term(_parse_factor)
    increment: Increment | None = term(optional(_parse_increment))
    increment_scope: Scope = term(choice_of(Scope))

    def __init__(
        self,
        name: str,
        aggregation: Aggregation = "sum",
        *,
        event: str | None = None,
        where: Mapping[str, Iterable[str] | str] = _ALL,
        distinct: str | None = None,
        reports: Reports | None = None,
        factor: QuantityLike | Fraction = 1,
        increment: Increment | QuantityLike | None = None,
        increment_scope: Scope = "total",
    ) -> None: ...

    def _check_distinct(self, problems: Problems) -> None:
        if (self.distinct is not None) != (self.aggregation == "unique"):
            problem = (
                "must be the dimension whose values are counted, for aggregation 'unique' alone"
            )
            problems.add(InvalidValue("distinct", self.distinct, problem))

    def _check_reports(self, problems: Problems) -> None:
        if self.reports != "amount" and self.aggregation not in _OF_LEVELS:
            problem = f"must be 'amount' for aggregation {self.aggregation!r}"
            problems.add(InvalidValue("reports", self.reports, problem))
        if self.reports == "amount" and self.aggregation == "time_weighted":
            problem = "must be 'level' or 'change' for aggregation 'time_weighted'"
            problems.add(InvalidValue("reports", self.reports, problem))

    def _check_event(self, problems: Problems) -> None:
        if self.where and self.event == self.name:
            problem = (
                "must be given and not be the name, which is for events that no metric's where "
                "matches"
            )
            problems.add(InvalidValue("event", self.event, problem))

    def _check_increment_scope(self, problems: Problems) -> None:
        if self.increment_scope == "total":
            return
        if self.aggregation != "sum" or self.increment is None:
            problem = "must be 'total', but for a sum with an increment"
            problems.add(InvalidValue("increment_scope", self.increment_scope, problem))

    @property
    def is_default(self) -> bool:
        """Whether usage is the same without it: the sum of the events of its name."""
        return non_defaults(self).keys() == {"name"}

    @property
    def holds_level(self) -> bool:
        """Whether a period starts with the level that the one before it ended with."""
        return self.reports != "amount"

    @property
    def events(self) -> tuple[str, ...]:
        """The names of the events that may count for it: `event`, and its own."""
        return (self.event,) if self.event == self.name else (self.event, self.name)

    @property
    def is_summed(self) -> bool:
        """Whether the sum of all its events (an `EventSum`) tells as much of it as each of them."""
        return (
            self.reports == "amount"
            and self.aggregation != "unique"
            and self.increment_scope == "total"
        )

    def matches(self, dimensions: Mapping[str, str]) -> bool:
        """Tell if an event with these dimensions has a value that `where` allows for each."""
        return all(dimensions.get(key) in values for key, values in self.where.items())

    def converted(self, quantity: Quantity | Fraction) -> Quantity:
        """Return the units of the metric that a quantity of its events counts for.

        >>> Metric("thousands", event="requests", factor="0.001", increment=1).converted(7_400)
        8
        """
        return (self.increment or _FINEST).counted(Fraction(quantity) * Fraction(self.factor))
