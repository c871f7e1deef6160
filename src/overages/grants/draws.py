"""Draws: which grant pays for which usage, and how much none of them covers.

The problem: an org has several grants, each with a time, a place in the order and rules of its own,
and uses units at many instants; now and then some usage is taken back. The usage that a grant pays
for hangs on the units left of it then, and so on all that came before. Yet the order in which usage
was reported must change nothing, nor whether a month is worked out at once or day by day.

At one instant, the grants that are effective are drawn on in turn, by priority, expiry, creation
and id. With a need of n still to be met, and all in picos,

    drawn = min(left, n, rounded up to whole steps of the grant)
    covered = min(n, drawn)                           # n goes down by it, left by the units drawn

and the n that is left after the last grant is overage. Nothing is lost on the way: of each grant,
``granted = drawn + expired + voided + left``; of usage, ``used = covered + overage``, less what was
taken back beyond all that there was.

The steps chosen:

1. Usage of one instant is summed, and counts as one.
2. Time is gone through once. At each instant at which something happens, that is done before
   anything is used: grants end, are refilled; new ones begin; overage is repaid.
3. Negative usage takes back overage first, for that is owed; then draws, the latest first.
   Units that come back to a grant that was filled since, or has ended, are lost as if they
   had been left.
4. The outcome is a `Burndown`, a value with all there is to know: to go on from it is the same as
   to have gone on.

Example: a, of 100 until 10 February, and b, of 50; nothing is repaid:

    ======  =====  ======  ======  =======  ================================================
    day     used   a left  b left  overage
    ======  =====  ======  ======  =======  ================================================
    3       70     30      50      0        70 from a, which expires first
    10             0       50      0        a ends, 30 expire
    12      60     0       0       10       50 from b, and 10 that no grant covers
    20      -15    0       5       0        10 of overage, then 5 of the latest draw
    ======  =====  ======  ======  =======  ================================================

Not done: to choose the grants so that least is lost, or to draw on several in proportion (the order
was agreed, and can be told in a sentence); prices of grants (which the host knows); a running
balance kept beside the draws (it follows from them).

    burndown = burn_down(grants, usage, metric="tokens", start=month.start, end=month.end)
    burndown = burn_down(grants, more, start=burndown.closed(), end=next_month.end)
    draw(grants, statement.total, statement.period).overage         # still to be paid
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import partial
from operator import attrgetter
from typing import Final, Literal, TypeAlias

from overages._ground.names import optional_name
from overages._ground.parsing import (
    Problems,
    choice_of,
    each,
    instance_of,
    optional,
    parse_all,
    tuple_of,
)
from overages.amounts.exact import Quantity, QuantityLike, parse_quantity, scaled
from overages.amounts.money import Currency, Money, parse_currency
from overages.errors import CurrencyMismatch, Field, InvalidType, InvalidValue, at
from overages.grants.burndown import Burndown
from overages.grants.drawn_grants import Use, draw_on, pools_of
from overages.grants.grant import Grant
from overages.periods.period import Period, format_instant, parse_instant

OverageRule: TypeAlias = Literal["final", "repaid"]
"""The rule for paying overage by later grants; see `burn_down`."""

Span: TypeAlias = tuple[datetime, datetime]
"""From an instant up to another."""

_TICK: Final = timedelta(microseconds=1)
_parse_each_grant: Final = tuple_of(Grant)
_id_of: Final = attrgetter("id")


def burn_down(
    grants: Iterable[Grant],
    usage: Iterable[tuple[datetime, QuantityLike | Money]],
    *,
    metric: str | None = None,
    currency: Currency | str | None = None,
    start: datetime | Burndown,
    end: datetime,
    overage: OverageRule = "final",
) -> Burndown:
    """Draw on grants for usage, from an instant up to another.

    Usage draws on the grants that are effective at its instant, in the order of their priority,
    expiry, creation and id. Units that they don't cover are overage. Negative usage takes back
    overage first, then draws, the latest first; units that come back to a grant that was refilled
    or has ended since are lost as if they had been left. All usage at one instant counts as one.

    Where several things happen at one instant, grants end first; then they are refilled; then new
    ones begin; then overage is repaid; then comes usage.

    In any number of steps, each going on from the burndown of the one before it, this comes to the
    same as at once.

    :param grants: any of an org's; those of the metric and the currency count, the others don't.
    :param usage: instants, each with the quantity that was used then: units of the metric, or
        `Money` (or major units, of up to twelve decimals) where a currency is given. In any order.
    :param metric: the metric that is used. With a currency, the grants are those of money for that
        metric.
    :param currency: draws on money, in a `Currency` or an ISO 4217 code. Without a metric, on the
        money that may pay for anything.
    :param start: where to begin. From an instant, with each grant that is effective then whole;
        from a `Burndown`, as it says, where a grant that isn't in it yet comes in whole. Its
        metric and currency need not be repeated.
    :param end: up to where. Usage at it comes later; grants that end or begin at it have done so.
    :param overage: ``"final"``: no grant pays for usage from before it was granted.
        ``"repaid"``: whatever is granted later, by a grant or a refill, pays overage at once.
    :raises InvalidType: for a value of a wrong type, such as a float quantity.
    :raises InvalidValue: for a value that is not allowed; if an instant is outside the time from
        start to end; if an id comes twice; or if a grant that `start` has is missing.
    :raises CurrencyMismatch: if money is of another currency.

    Source of the order: OpenMeter, "Grants", and its credit engine's tests.

    >>> from datetime import UTC, datetime
    >>> month, moment = Period.month(2024, 2), datetime(2024, 2, 9, tzinfo=UTC)
    >>> grant = Grant("g1", 100, metric="runs", effective_at=month.start)
    >>> usage = [(moment, 120)]
    >>> result = burn_down([grant], usage, metric="runs", start=month.start, end=month.end)
    >>> result.overage, result.remaining["g1"], result.draws[0].quantity
    (20, 0, 100)
    """
    before = start if isinstance(start, Burndown) else _untouched(start, metric, currency)
    if isinstance(start, Burndown) and not (metric is None and currency is None):
        _check_same(before, metric, currency)
    # The unit of the burndown before decides which grants count: it can't change on the way.
    until = _parse_end(end, before.at)
    span = before.at, until
    of_org, uses, rule = parse_all(
        (parse_grants, grants, "grants"),
        (partial(_parse_usage, currency=before.currency, span=span), usage, "usage"),
        (choice_of(OverageRule), overage, "overage"),
    )
    pool = pools_of(of_org).get(before.unit, [])
    return draw_on(pool, uses, before, until, rule)


def draw(
    grants: Iterable[Grant],
    amount: QuantityLike | Money,
    period: Period,
    *,
    metric: str | None = None,
    start: Burndown | None = None,
) -> Burndown:
    """Draw on grants for one amount, due for a period as a whole, at the period's end.

    The last instant of the period decides which grants can be drawn on: one that expires when the
    period ends can, one that expired within it can't. Otherwise it is as `burn_down`.

    :param grants: any of an org's; those of the metric and of the currency of the amount count.
    :param amount: `Money`, such as a statement's total; or units of the metric.
    :param period: the period that it is due for.
    :param metric: the metric that it is due for; None for money that any grant may pay which names
        no metric.
    :param start: the burndown of the last period, closed; without it, all grants of the period's
        start are whole.
    :returns: a `Burndown` at the period's end.
    :raises InvalidValue: as `burn_down`; or if `start` is not before the period's end.

    >>> month = Period.month(2024, 2)
    >>> credit = Grant("top-up", Money.of("50.00", "USD"), effective_at=month.start)
    >>> result = draw([credit], Money.of("62.50", "USD"), month)
    >>> Money.of(result.covered, "USD"), Money.of(result.overage, "USD")
    (Money(5000, 'USD'), Money(1250, 'USD'))
    """
    instance_of(Period)(period, "period")
    before, metric = parse_all(
        (optional(instance_of(Burndown)), start, "start"), (optional_name, metric, "metric")
    )
    return burn_down(
        grants,
        [(period.end - _TICK, amount)],  # a grant that expires as the period ends can still pay
        metric=metric,
        currency=amount.currency if isinstance(amount, Money) else None,
        start=before or period.start,
        end=period.end,
    )


def _untouched(start: object, metric: object, currency: object) -> Burndown:
    instant, counted, unit = parse_all(
        (parse_instant, start, "start"),
        (optional_name, metric, "metric"),
        (optional(parse_currency), currency, "currency"),
    )
    return Burndown(instant, counted, unit)


def _check_same(before: Burndown, metric: object, currency: object) -> None:
    counted, unit = parse_all(
        (optional_name, metric, "metric"), (optional(parse_currency), currency, "currency")
    )
    if (counted, unit) != before.unit:
        problem = f"must be of metric {metric!r} and currency {currency!r}, as the call is"
        raise InvalidValue("start", before.unit, problem)


def _parse_end(value: object, start: datetime) -> datetime:
    end = parse_instant(value, "end")
    if end < start:
        raise InvalidValue("end", value, f"must not be before the start, {format_instant(start)}")
    return end


def parse_grants(value: object, field: Field) -> tuple[Grant, ...]:
    """Return grants, each of an id of its own."""
    grants = _parse_each_grant(value, field)
    if len(set(map(_id_of, grants))) == len(grants):
        return grants
    problems = Problems()
    ids: set[str] = set()
    for i, grant in enumerate(grants):
        if grant.id in ids:
            problems.add(InvalidValue(at(field, i, "id"), grant.id, "must be given once"))
        ids.add(grant.id)
    raise problems.error()


def _parse_usage(
    value: object, field: Field, *, currency: Currency | None, span: Span
) -> list[Use]:
    """Return the use of each instant, sorted."""
    sums: dict[datetime, int] = {}
    for instant, picos in each(partial(_parse_use, currency=currency, span=span))(value, field):
        # One sum for an instant, or started steps would depend on the order of its events.
        sums[instant] = sums.get(instant, 0) + picos
    return sorted(sums.items())


def _parse_use(value: object, field: Field, *, currency: Currency | None, span: Span) -> Use:
    if not isinstance(value, tuple) or len(value) != 2:
        raise InvalidType(field, value, "must be a pair of an instant and a quantity")
    moment, quantity = value
    instant = parse_instant(moment, at(field, "at"))
    used = _parse_units(quantity, at(field, "quantity"), currency)
    start, end = span
    if not start <= instant < end:
        problem = f"must be from {format_instant(start)} until before {format_instant(end)}"
        raise InvalidValue(at(field, "at"), instant, problem)
    return instant, scaled(used)


def _parse_units(value: object, field: Field, currency: Currency | None) -> Quantity:
    """Return units of a metric, or major units of the currency."""
    if currency is None or not isinstance(value, Money):
        return parse_quantity(value, field)
    if value.currency != currency:
        raise CurrencyMismatch(currency.code, value.currency.code, field)
    return parse_quantity(value.amount, field)
