"""Statements of spans: the usage and the lines of a time within one of an org's periods.

A host wants to show a week of a month. That is no period of the org's, and nothing is owed for it;
but it has usage, a share of the limit, and a price:

    statement = statement_of_span(account, plans, span, usage)
    statement["runs"].limit                           # 35, of 100 a month, from 1 to 12 March

A percentage and a trial are of any time. A fixed discount, a commitment, a maximum and a minimum
are due once in a period, and credits pay the period's bill: a span has none of them. It knows no
time before it either: no unit is carried in, and none is drawn on a grant. So the spans of a period
needn't come to its statement, and none of them can be recorded.
"""

from __future__ import annotations

from collections.abc import Iterable

from overages._ground.parsing import Problems, instance_of, parse_all
from overages.errors import InvalidValue
from overages.periods.period import Period
from overages.settlements.balance import EMPTY_BALANCE
from overages.settlements.inputs import (
    Plans,
    parse_names,
    parse_plans,
    parse_usages,
    parts_agreed,
    refuse_unknown_metrics,
    time_shares,
    usage_of_period,
)
from overages.settlements.settled_metrics import SettledMetrics
from overages.statements.rated_statement import rated_lines, statement_of
from overages.statements.spans import AgreedPart, PeriodUsage
from overages.statements.statement import Statement
from overages.terms.account import Account
from overages.terms.timeline import AgreedTerms
from overages.usage.usage import Usage


def statement_of_span(
    account: Account,
    plans: Plans,
    period: Period,
    usage: Usage | Iterable[Usage],
    *,
    levels: Iterable[str] = (),
) -> Statement:
    """Return the statement of a span: a time within one of an account's periods.

    A flow has the span's share of what is included, of the bounds of tiers and of fees, a level the
    span's share of its charge. Nothing is in it that is due once in a period.

    :param account: the org, and the history of its terms.
    :param plans: the plans of its terms, as for `settle`.
    :param period: the span.
    :param usage: the units used in the span; where a metric's own terms change in it, also those
        used in each part of it.
    :param levels: metrics that are levels where their allowance doesn't say.
    :returns: a statement that names the period it is a span of, and can't be recorded.
    :raises NoTerms: if no terms hold in the span.
    :raises InvalidValue: if it is all of a period, which `settle` is for, or not within one, or if
        a metric was used of which units are included for a cycle of its own, such as a year: no
        span has a share of those.
    :raises OveragesError: as `settle` does; `InvalidValues` for several faults.

    >>> from datetime import UTC, datetime
    >>> from overages import Allowance, PerUnit, Plan
    >>> march = [datetime(2024, 3, day, tzinfo=UTC) for day in (1, 12)]
    >>> account, span = Account("org-123", "starter", since=march[0]), Period(*march)
    >>> plans = {"starter": Plan("starter", "USD", {"runs": Allowance(100, PerUnit("1.00"))})}
    >>> statement = statement_of_span(account, plans, span, Usage("org-123", span, {"runs": 300}))
    >>> print(statement["runs"].limit, statement.total)
    35 265.00 USD
    """
    parsed = parse_all(
        (instance_of(Account), account, "account"),
        (parse_plans, plans, "plans"),
        (instance_of(Period), period, "period"),
        (parse_usages, usage, "usage"),
        (parse_names, levels, "levels"),
    )
    account, of_terms, period, usages, held = parsed
    own = _own_period(account, period)
    terms = AgreedTerms(account.whole_of(own) or own, account.timeline.agreed(period))
    problems = Problems()
    agreed = problems.attempt(parts_agreed, terms, of_terms, period)
    used = problems.attempt(usage_of_period, account.org_id, period, usages)
    problems.raise_any()
    refuse_unknown_metrics(agreed, used, problems)
    _refuse_windows(agreed, used, problems)
    problems.raise_any()
    shares = time_shares(terms, period, len(agreed), own)
    settled = SettledMetrics(agreed, used, EMPTY_BALANCE, shares)
    settled.add({}, (), frozenset(held))
    parts = [each.part for each in agreed]
    rated = rated_lines(parts, shares, settled.lines, has_ended=False, flat=settled.flat_lines)
    return statement_of(account.org_id, parts, shares, rated)


def _own_period(account: Account, span: Period) -> Period:
    """Return the period of an account that a span is a part of."""
    around = account.period_around(span)
    if around is None:
        own = list(account.periods(span.start, span.end))
        if not own:
            account.require(span)  # which says when there are terms
        named = " or ".join(map(str, own))
        problem = f"must be a part of one of the org's own periods, {named}"
        raise InvalidValue("period", str(span), problem).within(org_id=account.org_id)
    return around


def _refuse_windows(agreed: list[AgreedPart], usage: PeriodUsage, problems: Problems) -> None:
    """Refuse usage, and fees, where units are included for a cycle of their own."""
    used = usage.of_period.quantities
    windows = {
        line.metric
        for each in agreed
        for line in each.part.plan.compiled.lines
        if line.allowance.included_for is not None
        and (used.get(line.metric) or line.matters_unused)
    }
    for metric in sorted(windows):
        problem = "must be of one of the org's periods: its units are for a cycle of their own"
        problems.add(InvalidValue(("usage", "quantities", metric), used.get(metric, 0), problem))
