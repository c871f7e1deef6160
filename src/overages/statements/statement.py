"""The statement: the charges of an org for a period beyond its plan, as lines that add up.

`calculate` gives it, with a line for each metric that was used and one for each adjustment:

    statement.total, statement["tokens"].cost         # Money(5000, "USD"), Money(2500, "USD")
    statement.adjustments                             # a discount, a minimum, a credit ...
    print(statement)                                  # `explain`, as a table
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from datetime import tzinfo
from typing import TYPE_CHECKING, Any, Final

from attrs import field, frozen

from overages._ground.classes import final, known_to_pydantic
from overages._ground.display import html_table, text_table
from overages._ground.names import parse_name
from overages._ground.parsing import instance_of, optional, parse_all, tuple_of
from overages._ground.trusted import trusted
from overages.amounts.money import Currency, Money, new_money
from overages.errors import InvalidValue
from overages.lines.adjustment import Adjustment
from overages.lines.audit import audit
from overages.lines.overage import ALIGN, LineNumbers, Overage, overage_of, overages_of, parse_lines
from overages.lines.part import Division, StatementPart, TimeShares, division, statement_parts
from overages.lines.rating import unused_numbers
from overages.periods.period import Period
from overages.periods.timezones import parse_timezone
from overages.statements.explanation import explained, footnote, title
from overages.statements.recordable_line import RecordableLine, recordable_lines
from overages.statements.summary import MetricTotal, Summary, totals_by_metric
from overages.terms.plan import Plan, unknown_metric
from overages.terms.terms import NO_OWN_TERMS, OwnTerms

if TYPE_CHECKING:
    from overages._ground.svg import Svg


@final
@known_to_pydantic
@frozen(init=False, repr=False, weakref_slot=False)
class Statement:
    """The overage of one org in one period, line by line, and its total.

    It holds the lines that say something. A metric of the plan that wasn't used and costs nothing
    has none, so that a statement is as long as the list of metrics used, however many metrics the
    plan has; ``statement[metric]`` answers for it all the same, and `every_overage` for all of
    them.

    :param org_id: who is charged.
    :param period: for when.
    :param plan: the plan that said so, the last one of the period; a later change of it doesn't
        change the statement.
    :param lines: an `Overage` for each metric that was used or costs something, in the plan's
        order, and then an `Adjustment` for each discount, commitment, maximum, minimum and credit
        that changes their total, in the order in which these are applied.
    :param unused: an `Overage` for each other metric whose limit isn't simply the plan's, in its
        order: units were carried over to it, say, or the org has a limit of its own.
    :param earlier_parts: the parts of the period before the one that `plan` holds in, in order,
        where terms changed within it. Lines of a metric whose own terms changed name their part.
    :param billing_period: the cycle's whole period that this one is a part of; None where it is
        whole.
    :param timezone: IANA name of the timezone whose days count, of a part of a period.
    :param own: the org's own terms beside `plan`, in the last part of the period: discounts,
        bounds, and whether it was on trial.
    :param span_of: the org's own period that this one is a span of: the statement has nothing that
        is due once in a period, and can't be recorded. None where it is itself the org's.
    :raises InvalidValue: if the lines do not follow from the plan: see
        `overages.lines.audit`; `InvalidValues` for several faults.
    :raises CurrencyMismatch: if a cost is not in the plan's currency.

    An overage that says no more than the plan is left out, wherever it was passed.
    """

    # Statements are made by the million and read one by one: a line is kept as its numbers, and
    # becomes an `Overage` when it is asked for, which takes five times as long.
    org_id: str
    period: Period
    plan: Plan
    rows: tuple[LineNumbers, ...]  # of `overages`
    unused_rows: tuple[LineNumbers, ...]  # of `unused`
    minor: int = field(eq=False)  # the total
    adjustments: tuple[Adjustment, ...]
    division: Division

    def __init__(
        self,
        org_id: str,
        period: Period,
        plan: Plan,
        lines: Iterable[Overage | Adjustment],
        unused: Iterable[Overage] = (),
        earlier_parts: Iterable[StatementPart] = (),
        billing_period: Period | None = None,
        timezone: str = "UTC",
        own: OwnTerms = NO_OWN_TERMS,
        span_of: Period | None = None,
    ) -> None:
        org, parsed_period, terms, items, others, earlier, billed, zone, of_org, of = parse_all(
            (parse_name, org_id, "org_id"),
            (instance_of(Period), period, "period"),
            (instance_of(Plan), plan, "plan"),
            (parse_lines, lines, "lines"),
            (tuple_of(Overage), unused, "unused"),
            (tuple_of(StatementPart), earlier_parts, "earlier_parts"),
            (optional(instance_of(Period)), billing_period, "billing_period"),
            (parse_timezone, timezone, "timezone"),
            (instance_of(OwnTerms), own, "own"),
            (optional(instance_of(Period)), span_of, "span_of"),
        )
        overages = tuple(line for line in items if isinstance(line, Overage))
        adjustments = items[len(overages) :]
        shares = TimeShares(parsed_period, billed, zone, of)
        parts = statement_parts(parsed_period, terms, earlier, of_org)
        rated = audit(shares, parts, overages, others, adjustments)
        total = sum(line.cost.minor for line in items)
        divided = division(earlier, shares, of_org)
        self.__attrs_init__(org, parsed_period, terms, *rated, total, adjustments, divided)

    @property
    def earlier_parts(self) -> tuple[StatementPart, ...]:
        """The parts of the period before the one that `plan` holds in, in order."""
        return self.division.earlier_parts

    @property
    def billing_period(self) -> Period | None:
        """The cycle's whole period that the period is a part of; None where it is whole."""
        return self.division.billing_period

    @property
    def timezone(self) -> str:
        """IANA name of the timezone whose days count, of a part of a period."""
        return self.division.timezone

    @property
    def own(self) -> OwnTerms:
        """The org's own terms in the last part of the period."""
        return self.division.own

    @property
    def span_of(self) -> Period | None:
        """The org's own period that it is of a span of; None where it is of all of it."""
        return self.division.span_of

    @property
    def parts(self) -> tuple[StatementPart, ...]:
        """The parts of the period, in order of time, each with the terms that hold in it."""
        return statement_parts(self.period, self.plan, self.earlier_parts, self.own)

    @property
    def currency(self) -> Currency:
        """The plan's currency."""
        return self.plan.currency

    @property
    def lines(self) -> tuple[Overage | Adjustment, ...]:
        """All lines: the overages, and then the adjustments. Their costs sum to the total."""
        return (*self.overages, *self.adjustments)

    @property
    def overages(self) -> tuple[Overage, ...]:
        """An `Overage` for each metric that was used or costs something, in the plan's order."""
        return overages_of(self.rows, self.plan.currency)

    @property
    def unused(self) -> tuple[Overage, ...]:
        """An `Overage` for each other metric whose limit isn't simply the plan's."""
        return overages_of(self.unused_rows, self.plan.currency)

    def of(self, metric: str) -> tuple[Overage, ...]:
        """Return all overages of a metric, used or not, in order of time: one for each part of it.

        :raises UnknownMetric: if no plan of the period knows the metric.

        >>> from datetime import UTC, datetime
        >>> from overages import Account, Allowance, PerUnit, Usage, settle
        >>> account = Account("org-123", "small", datetime(2024, 1, 1, tzinfo=UTC))
        >>> account = account.changed(since=datetime(2024, 3, 12, tzinfo=UTC), plan="large")
        >>> plans = {slug: Plan(slug, "USD", {"runs": Allowance(included, PerUnit(1))})
        ...          for slug, included in [("small", 31), ("large", 310)]}
        >>> march = Period.month(2024, 3)
        >>> usages = [Usage("org-123", march, {"runs": 225})]
        >>> usages += [Usage("org-123", part, {"runs": used})
        ...            for (part, _), used in zip(account.parts(march), [15, 210])]
        >>> for line in settle(account, plans, march, usages).statement.of("runs"):
        ...     print(line.part, line.used, line.limit, line.cost)
        2024-03-01T00:00:00Z/2024-03-12T00:00:00Z 15 11 4.00 USD
        2024-03-12T00:00:00Z/2024-04-01T00:00:00Z 210 200 10.00 USD
        """
        rows = [row for row in (*self.rows, *self.unused_rows) if row[0].metric == metric]
        if not rows:
            return (self[metric],)
        rows.sort(key=lambda row: (row[7] or self.period).start)
        return overages_of(rows, self.plan.currency)

    def every_overage(self) -> tuple[Overage, ...]:
        """Return an `Overage` for each metric of the plan, in its order, used or not.

        >>> from overages import Allowance, PerUnit, Usage, calculate
        >>> plan = Plan("starter", "USD", {"tokens": Allowance(500_000, PerUnit("0.0001")),
        ...                                "seats": Allowance(3, PerUnit(15))})
        >>> statement = calculate(plan, Usage("org-123", Period.month(2024, 2), {"tokens": 9}))
        >>> [line.metric for line in statement.overages], statement["seats"].limit
        (['tokens'], 3)
        >>> [line.metric for line in statement.every_overage()]
        ['tokens', 'seats']
        """
        metrics = dict.fromkeys(row[0].metric for row in (*self.rows, *self.unused_rows))
        metrics = dict.fromkeys(self.plan.allowances) | metrics
        return tuple(line for metric in metrics for line in self.of(metric))

    def recordable_lines(self) -> Iterator[RecordableLine]:
        """Return, as recording keeps them, the lines that are over or cost something, exactly."""
        return recordable_lines(self.rows, self.adjustments)

    def totals_by_metric(self) -> dict[str, MetricTotal]:
        """Return units over and cost, with its adjustments, of each metric that has a line."""
        return totals_by_metric(self.rows, self.adjustments, self.currency)

    @property
    def total(self) -> Money:
        """The sum of the lines' costs."""
        return new_money(self.minor, self.plan.currency)

    def __getitem__(self, metric: str) -> Overage:
        """Return the overage of a metric of the plan, used or not.

        :raises UnknownMetric: if the plan doesn't know the metric.
        :raises InvalidValue: if several parts of the period have a line of it; see `of`.
        """
        line = self.plan.compiled.by_metric.get(metric)
        if not self.earlier_parts and line is not None:
            for rows in (self.rows, self.unused_rows):
                i = bisect_left(rows, line.place, key=place_of)
                # A line of all of the period is the only one; a year that ends in it makes two.
                if i < len(rows) and rows[i][0].place == line.place and rows[i][7] is None:
                    return overage_of(rows[i], self.plan.currency)
        own = [row for row in (*self.rows, *self.unused_rows) if row[0].metric == metric]
        if len(own) > 1:
            times = ", ".join(sorted(str(row[7]) for row in own))
            problem = f"must have one line, and has one in each of {times}; see Statement.of()"
            raise InvalidValue("metric", metric, problem)
        if own:
            return overage_of(own[0], self.plan.currency)
        if line is None:
            raise unknown_metric("metric", metric, self.plan)
        return overage_of(unused_numbers(line), self.plan.currency)

    def __contains__(self, metric: object) -> bool:
        return any(metric in part.plan.allowances for part in self.parts)

    __iter__ = None  # metrics, or lines: the reader is to say which

    def summary(self) -> Summary:
        """Return quantity and cost by metric; `aggregate` makes the same of its records."""
        others = {line.line: line.cost for line in self.adjustments if line.metric is None}
        return Summary(self.currency, self.totals_by_metric(), others)

    def explain(self, zone: tzinfo | None = None, width: int | None = None) -> str:
        """Explain the statement as a text that a customer can be shown.

        It has, for each metric, the usage, the limit, the overage, the price of each tier,
        the exact cost in major units, and the rounded cost; and the change by each adjustment.

        :param zone: the timezone in which the period is named, as in `Period.name`; without it, its
            bounds are told in UTC.
        :param width: the characters of a line at most, such as those of a terminal: a wider table
            is written as a list.
        """
        table, note = text_table(self._table(), ALIGN, width), footnote(self.parts)
        return f"{self._title(zone)}\n\n{table}\n\n{note}"

    def to_svg(self, zone: tzinfo | None = None, *, width: int = 640, styled: bool = True) -> Svg:
        """Draw the usage of each metric against its limit, as SVG that a notebook shows.

        Each bar has a scale of its own: the larger of used and limit.

        :param zone: the timezone in which the period is named, as in `explain`.
        :param width: pixels, from 240 to 4,096.
        :param styled: whether the styles are in it; see `PriceModel`.
        :returns: a text; it has a title and a description for who can't see it.
        """
        from overages.statements.picture import usage_chart  # for those who ask for one

        return usage_chart(self._title(zone), self.every_overage(), width=width, styled=styled)

    def _title(self, zone: tzinfo | None = None) -> str:
        return title(self.org_id, self.period, self.parts, self.span_of, zone)

    def _table(self) -> list[list[str]]:
        return explained(self.overages, self.adjustments, self.total)

    def _repr_html_(self) -> str:
        return html_table(self._table(), ALIGN, self._title())

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        del cycle  # a statement never holds itself
        printer.text(str(self))

    def __str__(self) -> str:
        return self.explain()

    def __repr__(self) -> str:
        return (
            f"<Statement of {self.org_id!r}, {self.period}, plan {self.plan.slug!r}: {self.total}>"
        )


def place_of(numbers: LineNumbers) -> int:
    """Return where a line's metric stands in its plan."""
    return numbers[0].place


new_statement: Final = trusted(Statement)
