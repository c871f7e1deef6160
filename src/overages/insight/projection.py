"""Projection: the bill of a period that isn't over, worked out as it will be, and how sure it is.

1. forecast: the units of the days that are left, by the method that was best for it so far;
2. bounds: the units between which the period should end, by how far off the method was;
3. bill: the plan itself, with all its rules, on the usage that is expected, low or high.

    projection = project(now, "Europe/Paris", metrics, so_far, bill)
    projection.metrics["tokens"].expected, projection.expected_bill.total

Nothing here is promised. The error and the coverage beside it are those of the same procedure in
the periods before, each with no more than was known on the same day of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime
from fractions import Fraction
from typing import Final, NamedTuple, TypeAlias, get_args

from overages._ground.display import text_table
from overages._ground.frozen_dict import FrozenDict
from overages._ground.parsing import function_that, instance_of, parse_all
from overages._ground.svg import WIDTH, Svg
from overages.amounts.exact import Quantity, plain_text, unscaled
from overages.amounts.rounding import Rounding
from overages.errors import InvalidValue
from overages.forecasts.daily_usage import dates_of, days_of
from overages.forecasts.forecast import Forecast, MetricDays, forecast
from overages.forecasts.methods import Method
from overages.insight.ends import End, Ends
from overages.insight.expected_bars import ExpectedBar, expected_chart
from overages.insight.outlook import Outlook
from overages.periods.period import Period, format_instant, parse_instant
from overages.periods.timezones import parse_timezone, zone_of
from overages.statements.limit_now import LimitNow, limits_now
from overages.statements.statement import Statement

_parse_bill: Final = function_that("makes a statement of an outlook")
_HEAD: Final = ["", "so far", "expected", "low", "high", "runs out", "method", "error", "within"]
_UNSAID: Final = "?"


class MetricProjection(NamedTuple):
    """The units of one metric that a period should come to.

    :param used: those that it has now.
    :param expected: those that it should come to; None where there is not enough to say.
    :param low: the least that it should come to, but for one period in so many as `aim` leaves;
        None where there is not enough to say.
    :param high: the most.
    :param aim: the share of periods that should end between them: of n residuals in order, from the
        k-th to the k-th from the end, ``1 - 2k / (n + 1)``.
    :param method: the way in which the days that are left were worked out; None where there are
        none, or there is not enough to go by.
    :param periods_tried: the past periods in which that choice was tried on the same day.
    :param error: the units that it was off, of all that were used in them; None without two
        periods at least, for one alone says nothing of the next.
    :param bounds_tried: the periods among them for which there were bounds.
    :param coverage: the share of those that ended within the bounds; None without any.
    :param errors: the error of each method in the periods that all of them could be tried in.
    :param runs_out: the day on which the units that are included should be, or were, used up, and
        the next one is overage; None if that isn't in the period.
    :param reason: why there is not enough to say; None if all is said.
    :param limit: the units that may be used without overage, as it stands, with all that is left of
        grants; None where usage is unlimited, or no plan of the period knows the metric.
    """

    used: Quantity
    expected: Quantity | None
    low: Quantity | None
    high: Quantity | None
    aim: Fraction | None = None
    method: Method | None = None
    periods_tried: int = 0
    error: Fraction | None = None
    bounds_tried: int = 0
    coverage: Fraction | None = None
    errors: Mapping[Method, Fraction] = FrozenDict()
    runs_out: date | None = None
    reason: str | None = None
    limit: Quantity | None = None


class Projection(NamedTuple):
    """The bill of a period as it stands, and as it should come to be.

    :param org_id: whose period it is.
    :param period: the period.
    :param at: the instant at which it is said.
    :param timezone: IANA name of the timezone whose days count.
    :param metrics: the units of each metric.
    :param bill: the statement of the period so far: charges beyond the plan, without its base fee.
    :param expected_bill: its final statement on the usage that is expected; None where there is not
        enough to say of a metric.
    :param low_bill: on the least usage of all metrics. By volume prices, more can cost less: it
        isn't always the lowest bill.
    :param high_bill: on the most usage of all metrics.
    """

    org_id: str
    period: Period
    at: datetime
    timezone: str
    metrics: Mapping[str, MetricProjection]
    bill: Statement
    expected_bill: Statement | None
    low_bill: Statement | None
    high_bill: Statement | None

    @property
    def used(self) -> Mapping[str, Quantity]:
        """The units of each metric so far."""
        return FrozenDict({metric: each.used for metric, each in self.metrics.items()})

    @property
    def expected(self) -> Mapping[str, Quantity | None]:
        """The units that each metric should come to; None where there is not enough to say."""
        return FrozenDict({metric: each.expected for metric, each in self.metrics.items()})

    @property
    def low(self) -> Mapping[str, Quantity | None]:
        """The least that each metric should come to; None where there is not enough to say."""
        return FrozenDict({metric: each.low for metric, each in self.metrics.items()})

    @property
    def high(self) -> Mapping[str, Quantity | None]:
        """The most that each metric should come to; None where there is not enough to say."""
        return FrozenDict({metric: each.high for metric, each in self.metrics.items()})

    @property
    def days_left(self) -> int:
        """The days of the period after today: 0 on its last one, and when it is over."""
        return sum(day.start > self.at for day in days_of(self.period, self.timezone))

    def explain(self, width: int | None = None) -> str:
        """Explain the projection as a text: a row for each metric, and one for the bill.

        Its ``error`` is by how much the method was off, of all units of the past periods that it
        was tried in; ``within`` is in how many of them the usage ended between low and high.

        :param width: the characters of a line at most; a wider table is written as a list.
        """
        zone = zone_of(self.timezone)
        on = self.at.astimezone(zone).date().isoformat()
        period, left = self.period.name(zone), self._time_left()
        title = f"Projection for {self.org_id}, {period}, on {on}: {left}"
        bills = [self.bill, self.expected_bill, self.low_bill, self.high_bill]
        costs = [_UNSAID if bill is None else f"{bill.total}" for bill in bills]
        rows = [[metric, *_cells(each)] for metric, each in self.metrics.items()]
        table = text_table([_HEAD, *rows, ["bill", *costs, "", "", "", ""]], "lrrrrllrr", width)
        return "\n\n".join([title, table, *self._notes()])

    def to_svg(self, *, width: int = WIDTH, styled: bool = True) -> Svg:
        """Draw the units of each metric so far and as expected, as SVG that a notebook shows.

        A line across a bar is between its low and high; each bar has a scale of its own.

        :param width: pixels, from 240 to 4,096.
        :param styled: whether the styles are in it; see `PriceModel`.
        :returns: a text; it has a title and a description for who can't see it.
        """
        bars = [
            ExpectedBar(metric, each.used, each.expected, each.low, each.high, each.limit)
            for metric, each in self.metrics.items()
        ]
        bills = [("so far", self.bill), ("expected", self.expected_bill)]
        bills += [("low", self.low_bill), ("high", self.high_bill)]
        told = ", ".join(f"{bill.total} {name}" for name, bill in bills if bill is not None)
        title = f"Projection for {self.org_id}, {self.period.name(zone_of(self.timezone))}"
        return expected_chart(title, bars, f"bill: {told}", width=width, styled=styled)

    def _time_left(self) -> str:
        days = self.days_left
        if not days:
            return "ends today" if self.at < self.period.end else "over"
        return f"{days} day{'' if days == 1 else 's'} left"

    def _repr_svg_(self) -> str:
        return str(self.to_svg())

    def _notes(self) -> Iterator[str]:
        """Yield a sentence for each metric of which there is not enough to say."""
        for metric, each in self.metrics.items():
            if each.reason is not None:
                yield f"{metric}: {each.reason}."

    def __str__(self) -> str:
        return self.explain()


def _cells(told: MetricProjection) -> list[str]:
    ends = [told.used, told.expected, told.low, told.high]
    share = None if told.coverage is None else told.coverage * told.bounds_tried
    return [
        *(_UNSAID if end is None else plain_text(end) for end in ends),
        "" if told.runs_out is None else told.runs_out.isoformat(),
        "" if told.method is None else told.method.replace("_", " "),
        "" if told.error is None else f"{Rounding.HALF_UP.round(told.error * 100, '0.1')} %",
        "" if share is None else f"{share} of {told.bounds_tried}",
    ]


Bill: TypeAlias = Callable[[Outlook], Statement]
"""Works out the final statement of a period, with the usage of an outlook added to it."""


def project(
    now: datetime,
    timezone: str,
    metrics: Mapping[str, MetricDays],
    so_far: Statement,
    bill: Bill,
    limits: Mapping[str, LimitNow] | None = None,
) -> Projection:
    """Return the bill of a period as it should come to be.

    :param now: the instant at which it is said; at or after the start of the period.
    :param timezone: IANA name of the timezone whose days count.
    :param metrics: all that is known of each metric, with as many days over as are at that instant.
    :param so_far: the statement of the period as it stands.
    :param bill: gives its final statement, with the usage of an `Outlook` added to it: by `settle`,
        so that nothing of the plan is left out.
    :param limits: those that stand now, by `limits_now`; those of the statement alone without them.
    :raises InvalidType: for a value of a wrong type; `InvalidValues` for several.
    :raises InvalidValue: if the period hasn't begun, or the days of a metric aren't those of the
        period.

    >>> from datetime import UTC, timedelta
    >>> from overages import Account, Allowance, PerUnit, Plan, Usage, calculate
    >>> from overages.forecasts.daily_usage import daily_usage
    >>> plan = Plan("starter", "USD", {"runs": Allowance(50, PerUnit("1.00"))})
    >>> period, now = Period.month(2024, 2), datetime(2024, 2, 11, tzinfo=UTC)
    >>> usage = Usage("acme", period, {"runs": 40})
    >>> dates = dates_of(days_of(period, "UTC"), "UTC")
    >>> runs = daily_usage(dates, [4] * 10)           # 10 days are over
    >>> projection = project(
    ...     now, "UTC", {"runs": MetricDays("flow", runs.total, runs)}, calculate(plan, usage),
    ...     lambda outlook: calculate(plan, outlook.applied([usage])[0]))
    >>> projection.expected["runs"], projection.expected_bill.total
    (116, Money(6600, 'USD'))
    >>> print(projection.metrics["runs"].runs_out, projection.low_bill)
    2024-02-13 None
    """
    now, timezone, so_far, bill = parse_all(
        (parse_instant, now, "now"),
        (parse_timezone, timezone, "timezone"),
        (instance_of(Statement), so_far, "so_far"),
        (_parse_bill, bill, "bill"),
    )
    period = so_far.period
    if now < period.start:
        raise InvalidValue("now", now, f"must not be before {format_instant(period.start)}")
    days = days_of(period, timezone)
    dates, left = dates_of(days, timezone), [day for day in days if day.end > now]
    for metric, history in metrics.items():
        over = len(history.current.picos)
        if history.current.dates != dates or over != len(days) - len(left):
            problem = f"must be of {len(days)} days, of which {len(days) - len(left)} are over"
            raise InvalidValue(("metrics", metric, "current"), over, problem)
    told = {metric: forecast(history) for metric, history in metrics.items()}
    ahead = [Period(max(day.start, now), day.end) for day in left]
    ends = Ends(metrics, told, ahead)
    outlooks = [ends.outlook(now, end) for end in get_args(End)]
    expected, low, high = [None if each is None else bill(each) for each in outlooks]
    standing = limits_now(so_far, now) if limits is None else limits
    projected = {
        metric: _projected(
            metrics[metric].used, each, ends.runs_out(metric, days, expected), standing.get(metric)
        )
        for metric, each in told.items()
    }
    return Projection(
        so_far.org_id, period, now, timezone, FrozenDict(projected), so_far, expected, low, high
    )


def _projected(
    used: int, told: Forecast, runs_out: date | None, now: LimitNow | None
) -> MetricProjection:
    walked = told.walked
    return MetricProjection(
        unscaled(used),
        _quantity(told.expected),
        _quantity(told.low),
        _quantity(told.high),
        told.aim,
        told.method,
        walked.periods,
        walked.error,
        walked.bounded,
        Fraction(walked.covered, walked.bounded) if walked.bounded else None,
        told.errors,
        runs_out,
        told.reason,
        None if now is None else now.limit,
    )


def _quantity(picos: int | None) -> Quantity | None:
    return None if picos is None else unscaled(picos)
