"""Windows: units of allowances that are for a longer time than a billing period.

An allowance of 100 runs a quarter is counted on from period to period, and anew in the next
quarter. A balance holds the counts, as one `Usage` for each window:

    January used 40       Usage("org-123", first_quarter, {"runs": 40})
    February used 70      Usage("org-123", first_quarter, {"runs": 110}): 10 of February's are over
    April used 5          Usage("org-123", second_quarter, {"runs": 5}), and nothing of the first

A metric that wasn't used counts as 0 from its first period on, not as missing: a fee that is due
without any unit is due in the first period of a window, and not again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from overages.amounts.exact import Quantity, add_up
from overages.errors import InvalidValue
from overages.periods.period import Period
from overages.terms.plan import Plan
from overages.usage.usage import Usage


def windows_of(plan: Plan, usage: Usage) -> dict[str, Period]:
    """Return the window that a period of usage lies in, for each metric that has longer ones.

    :raises InvalidValue: if the period isn't within one window.
    """
    windows = {}
    for line in plan.compiled.balanced:
        cycle = line.allowance.included_for
        if cycle is not None:
            windows[line.metric] = window = cycle.period_at(usage.period.start)
            if usage.period.end > window.end:
                problem = f"must lie within one period of the allowance's, {window}"
                raise InvalidValue(("usage", "period"), usage.period, problem)
    return windows


def counted_before(plan: Plan, usage: Usage, counts: Iterable[Usage]) -> dict[str, Quantity]:
    """Return the units that were counted in the windows of usage before it, by metric.

    :param counts: the balance's, by window.
    """
    by_window = {each.period: each.quantities for each in counts}
    # By the window itself, not its start: where a plan changes from years to quarters, nothing that
    # was counted of the year is used up of the quarter.
    return {
        metric: by_window[window][metric]
        for metric, window in windows_of(plan, usage).items()
        if metric in by_window.get(window, ())
    }


def counted_on(
    plan: Plan, usage: Usage, counts: Iterable[Usage], units: Mapping[str, Quantity]
) -> list[Usage]:
    """Return the counts of the windows of usage, with some units more.

    Counts of windows that are over are left out: nothing goes on from them.
    """
    before = counted_before(plan, usage, counts)
    by_window: dict[Period, dict[str, Quantity]] = {}
    for metric, window in windows_of(plan, usage).items():
        if metric in before or metric in units:
            together = add_up([before.get(metric, 0), units.get(metric, 0)])
            by_window.setdefault(window, {})[metric] = together
    return [Usage(usage.org_id, window, counted) for window, counted in by_window.items()]
