"""History: overage by org, metric and period, as it was recorded, and how it grows.

    history = overage_history(records)                # or of statements: it comes to the same
    history.of(org_id="acme").growth()                # period by period
    history.top_orgs(3)                               # who pays most
    pandas.DataFrame(history.rows())

Records are read once, one by one, charges and corrections alike.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from datetime import UTC, tzinfo
from fractions import Fraction
from typing import Any, Final, TypeAlias, TypeVar

from overages._ground.display import html_table, text_table
from overages._ground.names import optional_name, parse_name
from overages._ground.parsing import (
    Problems,
    an_iterable,
    instance_of,
    int_up_to,
    optional,
    tuple_of,
)
from overages._ground.svg import WIDTH, Svg
from overages._ground.value import term, value
from overages.amounts.exact import Exact, Quantity, add_up, number_from_ratio, parse_sum, plain_text
from overages.amounts.money import Currency, Money, parse_currency
from overages.amounts.rounding import Rounding
from overages.errors import CurrencyMismatch, InvalidType, InvalidValue
from overages.periods.period import Period
from overages.records.record import OverageRecord
from overages.statements.picture import charges_chart
from overages.statements.statement import Statement

K = TypeVar("K", bound=Hashable)
Key: TypeAlias = tuple[Period, str, str | None]
Cells: TypeAlias = dict[Key, tuple[Quantity, int]]

_ALIGN: Final = "lllrr"
_MOST: Final = 10**9


@value
class HistoryEntry:
    """The overage of one metric of an org in one period.

    :param org_id: the org.
    :param period: the period.
    :param metric: the metric; None for what is of all metrics together (a minimum, a credit).
    :param quantity: units over the limit.
    :param cost: their cost, with the adjustments of the metric.
    """

    org_id: str = term(parse_name)
    period: Period = term(instance_of(Period))
    metric: str | None = term(optional_name)
    quantity: Quantity = term(parse_sum)
    cost: Money = term(instance_of(Money))

    def __init__(
        self, org_id: str, period: Period, metric: str | None, quantity: Quantity, cost: Money
    ) -> None: ...


@value
class PeriodGrowth:
    """The cost of a period beside that of the one before it.

    :param period: the period.
    :param cost: its cost.
    :param before: the cost of the period that ends where it starts; None if there is none.
    :raises CurrencyMismatch: if the costs are in different currencies.

    >>> growth = PeriodGrowth(Period.month(2024, 2), Money(1500, "USD"), Money(1200, "USD"))
    >>> growth.ratio, str(growth)
    (Decimal('1.25'), 'February 2024: 15.00 USD, 25 % more')
    """

    period: Period = term(instance_of(Period))
    cost: Money = term(instance_of(Money))
    before: Money | None = term(optional(instance_of(Money)))

    def __init__(self, period: Period, cost: Money, before: Money | None = None) -> None: ...

    def _check(self, problems: Problems) -> None:
        if self.before is not None and self.before.currency != self.cost.currency:
            codes = self.cost.currency.code, self.before.currency.code
            problems.add(CurrencyMismatch(*codes, "before"))

    @property
    def ratio(self) -> Exact | None:
        """The cost as so many times the one before, exactly; None where nothing was due then."""
        if self.before is None or self.before.minor <= 0:
            return None
        return number_from_ratio(self.cost.minor, self.before.minor)

    def __str__(self) -> str:
        text = f"{self.period.name()}: {self.cost}"
        if self.ratio is None:
            return text
        percent = Rounding.HALF_UP.round(abs(Fraction(self.ratio) - 1) * 100, "0.1")
        return f"{text}, {plain_text(percent)} % {'less' if self.ratio < 1 else 'more'}"


@value
class OrgCost:
    """The cost of one org.

    :param org_id: the org.
    :param cost: its cost.
    """

    org_id: str = term(parse_name)
    cost: Money = term(instance_of(Money))

    def __init__(self, org_id: str, cost: Money) -> None: ...


@value
class History:
    """Overage by org, metric and period, in order of time.

    :param currency: the currency of all costs.
    :param entries: an entry for each org, period and metric that has overage or a cost.
    :raises CurrencyMismatch: if a cost is in another currency.
    :raises InvalidValue: if an org, period and metric is there twice.
    """

    currency: Currency = term(parse_currency)
    entries: tuple[HistoryEntry, ...] = term(tuple_of(HistoryEntry))

    def __init__(self, currency: Currency | str, entries: Iterable[HistoryEntry]) -> None: ...

    def _check(self, problems: Problems) -> None:
        keys = set()
        for i, entry in enumerate(self.entries):
            key = entry.period, entry.org_id, entry.metric
            if key in keys:
                problem = "must be once for each period and org"
                problems.add(InvalidValue(("entries", i, "metric"), entry.metric, problem))
            keys.add(key)
            if entry.cost.currency != self.currency:
                codes = self.currency.code, entry.cost.currency.code
                problems.add(CurrencyMismatch(*codes, ("entries", i, "cost")))

    def _complete(self) -> None:
        entries = [entry for entry in self.entries if entry.quantity or entry.cost.minor]
        object.__setattr__(self, "entries", tuple(sorted(entries, key=_place)))

    @property
    def total(self) -> Money:
        """The cost of all entries."""
        return Money(sum(entry.cost.minor for entry in self.entries), self.currency)

    @property
    def orgs(self) -> tuple[str, ...]:
        """The orgs, by name."""
        return tuple(sorted({entry.org_id for entry in self.entries}))

    @property
    def metrics(self) -> tuple[str, ...]:
        """The metrics, by name."""
        return tuple(sorted({e.metric for e in self.entries if e.metric is not None}))

    @property
    def periods(self) -> tuple[Period, ...]:
        """The periods, in order of time."""
        return tuple(dict.fromkeys(entry.period for entry in self.entries))

    def of(self, *, org_id: str | None = None, metric: str | None = None) -> History:
        """Return the history of one org, of one metric, or of one metric of one org.

        :param org_id: the org; None for all.
        :param metric: the metric; None for all, and for all that is of no single one.
        """
        entries = (e for e in self.entries if org_id in (None, e.org_id))
        return History(self.currency, (e for e in entries if metric in (None, e.metric)))

    def growth(self) -> tuple[PeriodGrowth, ...]:
        """Return the cost of each period, beside that of the one that ends where it starts.

        >>> january, february = Period.month(2024, 1), Period.month(2024, 2)
        >>> entries = [HistoryEntry("acme", january, "runs", 8, Money(800, "USD")),
        ...            HistoryEntry("acme", february, "runs", 12, Money(1200, "USD"))]
        >>> [growth.ratio for growth in History("USD", entries).growth()]
        [None, Decimal('1.5')]
        """
        costs = self._costs(lambda entry: entry.period)
        by_end = {period.end: cost for period, cost in costs.items()}
        return tuple(
            PeriodGrowth(period, cost, by_end.get(period.start)) for period, cost in costs.items()
        )

    def top_orgs(self, count: int = 10) -> tuple[OrgCost, ...]:
        """Return the orgs that cost most, the dearest first; of equal ones by name.

        :param count: how many at most, from 1 up.
        """
        most = int_up_to(_MOST)(count, "count")
        costs = sorted(self._costs(lambda entry: entry.org_id).items(), key=_dearest)
        return tuple(OrgCost(*each) for each in costs[:most])

    def _costs(self, key: Callable[[HistoryEntry], K]) -> dict[K, Money]:
        minor: dict[K, int] = {}
        for entry in self.entries:
            minor[key(entry)] = minor.get(key(entry), 0) + entry.cost.minor
        return {each: Money(cost, self.currency) for each, cost in minor.items()}

    def rows(self) -> list[dict[str, Any]]:
        """Return a row for each entry, for a data frame: ``pandas.DataFrame(history.rows())``.

        Costs are in major units, exactly.
        """
        return [
            {
                "org_id": entry.org_id,
                "period_start": entry.period.start,
                "period_end": entry.period.end,
                "metric": entry.metric,
                "quantity": entry.quantity,
                "cost": entry.cost.amount,
                "currency": self.currency.code,
            }
            for entry in self.entries
        ]

    def to_svg(self, zone: tzinfo = UTC, *, width: int = WIDTH, styled: bool = True) -> Svg:
        """Draw the cost of each period, as SVG that a notebook shows.

        :param zone: the timezone in which periods are named.
        :param width: pixels, from 240 to 4,096.
        :param styled: whether the styles are in it; see `PriceModel`.
        :raises InvalidValue: if there is no entry; `InvalidValues` for several faults.
        """
        costs = self._costs(lambda entry: entry.period)
        named = [(period.name(zone), cost) for period, cost in costs.items()]
        return charges_chart("Overage by period", named, width=width, styled=styled)

    def explain(self) -> str:
        """Write the entries as a table, with their total."""
        return text_table(self._table(), _ALIGN)

    def _table(self) -> list[list[str]]:
        rows = [
            [e.period.name(), e.org_id, e.metric or "all", plain_text(e.quantity), str(e.cost)]
            for e in self.entries
        ]
        head = ["period", "org", "metric", "over", "cost"]
        return [head, *rows, ["total", "", "", "", str(self.total)]]

    def _repr_html_(self) -> str:
        return html_table(self._table(), _ALIGN, "Overage")

    def __str__(self) -> str:
        return self.explain()


def _place(entry: HistoryEntry) -> tuple[Period, str, bool, str]:
    return entry.period, entry.org_id, entry.metric is None, entry.metric or ""


def _dearest(cost: tuple[str, Money]) -> tuple[int, str]:
    org_id, money = cost
    return -money.minor, org_id


def overage_history(
    sources: Iterable[OverageRecord | Statement], *, currency: Currency | str | None = None
) -> History:
    """Return the history of records, or of statements: overage by org, metric and period.

    The statements of periods and all records of them have the same history.

    :param sources: records or statements of any orgs and periods, in any order, read once.
    :param currency: that of the costs; needed only where there may be none.
    :raises InvalidType: for anything else.
    :raises CurrencyMismatch: if costs are in several currencies.
    :raises InvalidValue: if there is neither a record nor a statement nor a currency.

    >>> from overages import Allowance, PerUnit, Plan, Usage, calculate
    >>> plan = Plan("starter", "USD", {"tokens": Allowance(500_000, PerUnit("0.0001"))})
    >>> usages = [Usage("acme", Period.month(2024, month), {"tokens": used})
    ...           for month, used in [(1, 700_000), (2, 750_000)]]
    >>> history = overage_history(calculate(plan, usage) for usage in usages)
    >>> print(history)
    period         org   metric     over       cost
    January 2024   acme  tokens  200,000  20.00 USD
    February 2024  acme  tokens  250,000  25.00 USD
    total                                 45.00 USD
    >>> [str(growth) for growth in history.growth()]
    ['January 2024: 20.00 USD', 'February 2024: 25.00 USD, 25 % more']
    """
    unit = None if currency is None else parse_currency(currency, "currency")
    cells: Cells = {}
    for i, source in enumerate(an_iterable(sources, "sources")):
        if isinstance(source, OverageRecord):
            theirs = source.cost.currency
        elif isinstance(source, Statement):
            theirs = source.currency
        else:
            raise InvalidType(("sources", i), source, "must be an OverageRecord or a Statement")
        if unit is not None and theirs != unit:
            raise CurrencyMismatch(unit.code, theirs.code, ("sources", i))
        unit = theirs
        _add(cells, source)
    if unit is None:
        raise InvalidValue("sources", (), "must hold at least one, or a currency be given")
    return History(
        unit,
        (
            HistoryEntry(org_id, period, metric, quantity, Money(minor, unit))
            for (period, org_id, metric), (quantity, minor) in cells.items()
        ),
    )


def _add(cells: Cells, source: OverageRecord | Statement) -> None:
    lines: Iterable[tuple[str | None, Quantity, int]]
    if isinstance(source, OverageRecord):
        lines = [(source.metric, source.quantity, source.cost.minor)]
    else:
        lines = [
            (metric, quantity, minor)
            for metric, _, quantity, _, minor, _ in source.recordable_lines()
        ]
    for metric, quantity, minor in lines:
        key = source.period, source.org_id, metric
        units, cost = cells.get(key, (0, 0))
        cells[key] = add_up([units, quantity]), cost + minor
