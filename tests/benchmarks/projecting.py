"""How far off projections are: by the shape of usage, the day of the month, and the method.

    python -m tests.benchmarks.projecting                     # six shapes that are made up
    python -m tests.benchmarks.projecting --trace trace.csv   # and the Azure trace

It prints the table of docs/explanation/projection.md. Eight orgs of each shape are projected on six
days of each of twelve months, from the twelve months before each. A cell has the error (the units
that the projections were off, of all units used) and, of the bounds by that method, how many of the
months ended within them. `shapes.py` says what the shapes assume.

A month of the trace is projected from all months of it before, of which there are six to ten.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path

from overages.forecasts.backtest import backtest, typical_units, within_reach
from overages.forecasts.daily_usage import DailyUsage
from overages.forecasts.forecast import MetricDays, forecast
from overages.forecasts.methods import METHODS, METHODS_OF, Method

from .shapes import SHAPES, trace_usage, usage_of

ORGS = 8
DAYS = (0, 3, 8, 15, 22, 27)
YEAR = 12
FLOW = METHODS_OF["flow"]
NAMES = [method.replace("_", " ") for method in FLOW]
HEAD = ["usage", "days over", *NAMES, "the choice", "aimed at", "high - low"]


class Score:
    """The errors of some projections, and the bounds that held."""

    def __init__(self) -> None:
        self.off, self.total = Fraction(), 0
        self.bounded = self.within = 0

    def add(self, total: int, said: Fraction, ends: tuple[Fraction, Fraction] | None) -> None:
        """Count a period that came to a total, by what was said of it."""
        self.off += abs(total - said)
        self.total += total
        if ends is not None:
            self.bounded += 1
            self.within += ends[0] <= total <= ends[1]

    def __str__(self) -> str:
        if not self.total:
            return ""
        held = percent(Fraction(self.within, self.bounded)) if self.bounded else "-"
        return f"{tenths(self.off / self.total)} / {held}"


def tenths(share: Fraction) -> str:
    """Write a share in per cent, to a tenth."""
    number = int(share * 1000 + Fraction(1, 2))
    return f"{number // 10}.{number % 10}"


def percent(share: Fraction) -> str:
    return str(int(share * 100 + Fraction(1, 2)))


def row(name: str, over: int, months: Iterable[tuple[list[DailyUsage], DailyUsage]]) -> list[str]:
    """Return the row of the table for a day, of months, each with those before it."""
    scores: dict[Method, Score] = {method: Score() for method in FLOW}
    choice, aims, width = Score(), [], Fraction()
    for before, month in months:
        current = month.until(over)
        tested = backtest(before, over, FLOW)
        for method in FLOW:
            rest = METHODS[method](before, current)
            if rest is not None:
                said = Fraction(current.total) + sum(rest, Fraction())
                ends = within_reach(
                    said, tested.bounds(method), typical_units(before), current.total
                )
                scores[method].add(month.total, said, ends)
        told = forecast(MetricDays("flow", current.total, current, tuple(before)))
        assert told.expected is not None
        assert told.low is not None
        assert told.high is not None
        assert told.aim is not None
        choice.add(month.total, Fraction(told.expected), (Fraction(told.low), Fraction(told.high)))
        aims.append(told.aim)
        width += told.high - told.low
    aim = percent(sum(aims, Fraction()) / len(aims))
    cells = [str(scores[method]) for method in FLOW]
    return [name, str(over), *cells, str(choice), aim, percent(width / choice.total)]


def months_of(shape: str) -> Iterator[tuple[list[DailyUsage], DailyUsage]]:
    """Yield the months of the third year of each org, each with the twelve before it."""
    for org in range(ORGS):
        usage = usage_of(shape, org)
        for place in range(2 * YEAR, len(usage)):
            yield usage[place - YEAR : place], usage[place]


def months_of_trace(rows: Iterable[str]) -> Iterator[tuple[list[DailyUsage], DailyUsage]]:
    """Yield the months of a trace from the seventh on, each with those before it."""
    for usage in trace_usage(rows):
        for place in range(6, len(usage)):
            yield usage[:place], usage[place]


def table(trace: Path | None) -> Iterator[str]:
    """Yield the lines of the table."""
    yield "| " + " | ".join(HEAD) + " |"
    yield "|---|" + "--:|" * (len(HEAD) - 1)
    for shape in SHAPES:
        months = list(months_of(shape))
        for over in DAYS:
            yield "| " + " | ".join(row(shape, over, months)) + " |"
    if trace is not None:
        months = list(months_of_trace(trace.read_text("utf-8").splitlines()))
        for over in DAYS:
            yield "| " + " | ".join(row("Azure trace", over, months)) + " |"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="How far off projections are.")
    parser.add_argument("--trace", type=Path, help="a file of requests, as the Azure trace")
    for line in table(parser.parse_args().trace):
        print(line, flush=True)


if __name__ == "__main__":
    main()
