"""Metrics: what a quantity of usage is worked out of, and how.

Without one, a metric is the sum of the events of its name. What is counted otherwise is declared:

    users = Metric("users", "unique", event="requests", distinct="user_id")
    storage = Metric("storage_gb", "time_weighted")
    minutes = Metric("minutes", event="call_seconds", factor=Fraction(1, 60), increment=1)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction
from types import MappingProxyType
from typing import Final, Literal, TypeAlias

from attrs import field, frozen

from overages._ground.names import by_name, optional_name, parse_name
from overages._ground.parsing import Problems, as_tuple, one_of, optional, parse_all
from overages.amounts.exact import Quantity, QuantityLike, parse_amount, parse_positive, parse_ratio
from overages.amounts.rounding import Rounding
from overages.errors import Field, InvalidValue, at
from overages.usage.increment import Increment

Aggregation: TypeAlias = Literal["sum", "count", "max", "last", "unique", "time_weighted"]
"""What the events of a period come to."""

Reports: TypeAlias = Literal["amount", "level", "change"]
"""What the quantity of an event is."""

Scope: TypeAlias = Literal["total", "event"]
"""What an increment is applied to."""

_AGGREGATIONS: Final = ("sum", "count", "max", "last", "unique", "time_weighted")
_REPORTS: Final = ("amount", "level", "change")
_OF_LEVELS: Final = ("max", "last", "time_weighted")  # what a level can be asked for
_FINEST: Final = Increment("0.000000000001", rounding=Rounding.HALF_UP)


@frozen(init=False, repr=False, weakref_slot=False)
class Metric:
    """How the usage of a metric is worked out of the events of a period.

    :param name: what usage and plans call it.
    :param aggregation: what the events come to: the ``"sum"`` of the quantities, the ``"count"`` of
        events whatever their quantity, the ``"max"`` or the ``"last"`` quantity, how many
        ``"unique"`` values the dimension `distinct` has, or ``"time_weighted"``, the mean level:
        each one times the share of the period that it was held. The last is the one with the latest
        instant; of equal ones that with the greater id, and then the larger.
    :param event: the metric that its events are reported with; `name` without it.
    :param where: dimensions that an event must have, each with the values that will do:
        ``{"region": ["eu", "ch"]}``. Of metrics that count the same events in the same way, the one
        without it takes the rest: what no other's `where` matches.
    :param distinct: the dimension whose values are counted; for ``"unique"`` alone.
    :param reports: what a quantity is: an ``"amount"`` of its own, which nothing is carried of into
        later periods; a ``"level"`` that holds until the next event, whenever that comes; or a
        ``"change"`` of the level, which starts at zero. Levels have a max (their peak), a last one
        and a time-weighted mean. Without it, ``"level"`` if time-weighted, else ``"amount"``.
    :param factor: what quantities are multiplied by, above zero, as where units are converted;
        a `Fraction` where one divides.
    :param increment: the step that is counted, in units of the metric, such as 1000 for started
        thousands; an `Increment` says more. Without it, what has over twelve decimals (a mean, or a
        division by a factor) is rounded to the twelfth, half up.
    :param increment_scope: whether it is applied once to the ``"total"``, or to each ``"event"`` of
        a sum.
    :raises InvalidType: for a value of a wrong type.
    :raises InvalidValue: for a value that is not allowed, or not with the others; `InvalidValues`
        for several.

    >>> Metric("eu_requests", "count", event="requests", where={"region": ["eu", "ch"]})
    Metric('eu_requests', 'count', event='requests', where={'region': ('ch', 'eu')})
    """

    name: str
    aggregation: Aggregation
    event: str
    _where: dict[str, tuple[str, ...]] = field(hash=False)
    distinct: str | None
    reports: Reports
    factor: Quantity | Fraction
    increment: Increment | None
    increment_scope: Scope

    def __init__(
        self,
        name: str,
        aggregation: Aggregation = "sum",
        *,
        event: str | None = None,
        where: Mapping[str, Iterable[str] | str] = MappingProxyType({}),
        distinct: str | None = None,
        reports: Reports | None = None,
        factor: QuantityLike | Fraction = 1,
        increment: Increment | QuantityLike | None = None,
        increment_scope: Scope = "total",
    ) -> None:
        usual = "level" if aggregation == "time_weighted" else "amount"
        named, aggregate, source, *rest = parse_all(
            (_name, name, "name"),
            (one_of(*_AGGREGATIONS), aggregation, "aggregation"),
            (optional_name, event, "event"),
            (_parse_where, where, "where"),
            (optional_name, distinct, "distinct"),
            (one_of(*_REPORTS), usual if reports is None else reports, "reports"),
            (_parse_factor, factor, "factor"),
            (_optional_increment, increment, "increment"),
            (one_of("total", "event"), increment_scope, "increment_scope"),
        )
        self.__attrs_init__(named, aggregate, source or named, *rest)
        self._check()

    def _check(self) -> None:
        """Refuse what is lawful alone, and not together."""
        problems = Problems()

        def require(lawful: bool, field: str, problem: str) -> None:
            if not lawful:
                problems.add(InvalidValue(field, getattr(self, field), problem))

        unique = self.aggregation == "unique"
        require(
            (self.distinct is not None) == unique,
            "distinct",
            "must be the dimension whose values are counted, for aggregation 'unique' alone",
        )
        require(
            self.aggregation in _OF_LEVELS or self.reports == "amount",
            "reports",
            f"must be 'amount' for aggregation {self.aggregation!r}",
        )
        require(
            self.aggregation != "time_weighted" or self.reports != "amount",
            "reports",
            "must be 'level' or 'change' for aggregation 'time_weighted'",
        )
        require(
            not self._where or self.event != self.name,
            "event",
            "must be given and not be the name, which is for events that no metric's where matches",
        )
        require(
            self.increment_scope == "total"
            or (self.aggregation == "sum" and self.increment is not None),
            "increment_scope",
            "must be 'total', but for a sum with an increment",
        )
        problems.raise_any()

    @property
    def where(self) -> Mapping[str, tuple[str, ...]]:
        """The values that will do by dimension, sorted; can be read only."""
        return MappingProxyType(self._where)

    @property
    def is_default(self) -> bool:
        """Whether it is what would be counted without it: the sum of the events of its name."""
        return self.aggregation == "sum" and not self._options()

    @property
    def carries(self) -> bool:
        """Whether a period starts with the level that the one before it ended with."""
        return self.reports != "amount"

    def matches(self, dimensions: Mapping[str, str]) -> bool:
        """Return whether an event with these dimensions has what `where` asks for."""
        return all(dimensions.get(key) in values for key, values in self._where.items())

    def converted(self, quantity: Quantity | Fraction) -> Quantity:
        """Return what a quantity of events counts for, in units of the metric.

        >>> Metric("thousands", event="requests", factor="0.001", increment=1).converted(7_400)
        8
        """
        return (self.increment or _FINEST).counted(Fraction(quantity) * Fraction(self.factor))

    def _options(self) -> dict[str, object]:
        """Return, by name, what was said beside name and aggregation."""
        reports = "level" if self.aggregation == "time_weighted" else "amount"
        options: tuple[tuple[str, object, object], ...] = (
            ("event", self.event, self.name),
            ("where", self._where, {}),
            ("distinct", self.distinct, None),
            ("reports", self.reports, reports),
            ("factor", self.factor, 1),
            ("increment", self.increment, None),
            ("increment_scope", self.increment_scope, "total"),
        )
        return {option: value for option, value, default in options if value != default}

    def __repr__(self) -> str:
        options = "".join(f", {option}={value!r}" for option, value in self._options().items())
        return f"Metric({self.name!r}, {self.aggregation!r}{options})"


_name = parse_name


def _values(value: object, field: Field) -> tuple[str, ...]:
    given = (value,) if isinstance(value, str) else as_tuple(value, field)
    if not given:
        raise InvalidValue(field, given, "must have a value at least")
    return tuple(sorted({parse_name(each, at(field, i)) for i, each in enumerate(given)}))


_dimensions: Final = by_name(_values, "dimensions to values", of="dimension")


def _parse_where(value: object, field: Field) -> dict[str, tuple[str, ...]]:
    return dict(sorted(_dimensions(value, field).items()))


def _parse_factor(value: object, field: Field) -> Quantity | Fraction:
    factor = parse_amount(parse_ratio(value, field), field)
    if factor <= 0:
        raise InvalidValue(field, value, "must be more than zero")
    return int(factor) if factor.as_integer_ratio()[1] == 1 else factor


def _parse_increment(value: object, field: Field) -> Increment:
    if isinstance(value, Increment):
        return value
    return Increment(parse_positive(value, field))


_optional_increment: Final = optional(_parse_increment)
