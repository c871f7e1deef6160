"""Drawing on grants: in which order they pay for usage, and what they don't cover.

    burndown = burn_down(grants, [(moment, 250)], metric="tokens", start=month.start, end=month.end)
    burndown = burn_down(grants, more, start=burndown.closed(), end=next_month.end)
    draw(grants, statement.total, statement.period).overage         # what is left to be paid

All is done on integers, and the order in which grants and usage are given changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final, Literal, TypeAlias

from overages._ground.names import optional_name
from overages._ground.parsing import (
    Problems,
    as_tuple,
    choice_of,
    instance_of,
    optional,
    parse_all,
    tuple_of,
)
from overages.amounts.exact import Quantity, QuantityLike, parse_quantity, scaled
from overages.amounts.money import Currency, Money, parse_currency
from overages.errors import CurrencyMismatch, Field, InvalidType, InvalidValue, at
from overages.grants.burndown import Burndown
from overages.grants.drawn_grant import Pool
from overages.grants.grant import Grant
from overages.periods.period import Period, format_instant, parse_instant

OverageRule: TypeAlias = Literal["final", "repaid", "repaid_across_resets"]
"""Whether overage is paid by what is granted later; see `burn_down`."""

_TICK: Final = timedelta(microseconds=1)


def burn_down(
    grants: Iterable[Grant],
    usage: Iterable[tuple[datetime, QuantityLike | Money]],
    *,
    metric: str | None = None,
    currency: Currency | str | None = None,
    start: datetime | Burndown,
    end: datetime,
    resets: Iterable[datetime] = (),
    overage: OverageRule = "final",
) -> Burndown:
    """Return what usage draws on grants from an instant up to another, and what is left.

    Usage draws on the grants that are effective at its instant, in the order of their priority,
    expiry, creation and id. What they don't cover is overage. Negative usage takes back overage
    first, then draws, the latest first; what comes back to a grant that was refilled, was reset or
    has ended since is lost as if it had been left. What is used at one instant counts as one.

    Where several things happen at one instant, grants end first; then balances are reset; then
    grants are refilled; then new ones begin; then overage is repaid; then comes usage.

    In any number of steps, each going on from what the one before it returned, this comes to the
    same as at once.

    :param grants: any of an org's; those of the metric and the currency count, the others don't.
    :param usage: instants, each with the quantity that was used then: units of the metric, or
        `Money` (or major units, of up to twelve decimals) where a currency is given. In any order.
    :param metric: what is used. With a currency, the grants are those of money for that metric.
    :param currency: draws on money, in a `Currency` or an ISO 4217 code. Without a metric, on the
        money that may pay for anything.
    :param start: where to begin. From an instant, with each grant that is effective then whole;
        from a `Burndown`, as it says, where a grant that it doesn't know yet comes in whole. Its
        metric and currency need not be repeated.
    :param end: up to where. Usage at it comes later; grants that end or begin at it have done so.
    :param resets: instants, after `start` and up to `end`, at which a new count of usage begins:
        of what is left of a grant, at most its `rollover_max` stays, and it is topped up to its
        `rollover_min`; overage is settled.
    :param overage: ``"final"``: no grant pays for what was used before it was granted.
        ``"repaid"``: whatever is granted later, by a grant, a refill or a reset, pays overage at
        once; but what a reset has settled. ``"repaid_across_resets"``: that too.
    :raises InvalidType: for a value of a wrong type, such as a float quantity.
    :raises InvalidValue: for a value that is not allowed; if an instant is outside the time from
        start to end; if an id comes twice; or if a grant that `start` knows is missing.
    :raises CurrencyMismatch: if money is of another currency.

    Source of the order, and of resets: OpenMeter, "Grants", and its credit engine's tests.

    >>> from datetime import UTC, datetime
    >>> month, moment = Period.month(2024, 2), datetime(2024, 2, 9, tzinfo=UTC)
    >>> grant = Grant("g1", 100, metric="runs", effective_at=month.start)
    >>> usage = [(moment, 120)]
    >>> result = burn_down([grant], usage, metric="runs", start=month.start, end=month.end)
    >>> result.overage, result.balances["g1"], result.draws[0].quantity
    (20, 0, 100)
    """
    before = start if isinstance(start, Burndown) else _nothing(start, metric, currency)
    if isinstance(start, Burndown) and not (metric is None and currency is None):
        _check_same(before, metric, currency)
    span = before.at, _end(end, before.at)
    found, series, moments, rule = parse_all(
        (_grants, grants, "grants"),
        (lambda value, field: _series(value, field, before.currency, span), usage, "usage"),
        (lambda value, field: _instants(value, field, span), resets, "resets"),
        (choice_of(OverageRule), overage, "overage"),
    )
    ours = [g for g in found if (g.metric, g.currency) == (before.metric, before.currency)]
    pool = Pool(_all_known(ours, before), before, rule)
    pool.run(series, moments, span[1])
    return pool.burndown(span[1])


def draw(
    grants: Iterable[Grant],
    amount: QuantityLike | Money,
    period: Period,
    *,
    metric: str | None = None,
    start: Burndown | None = None,
) -> Burndown:
    """Return what one amount, due for a period as a whole, draws on grants at the period's end.

    The last instant of the period decides which grants can be drawn on: one that expires when the
    period ends can, one that expired within it can't. Otherwise it is as `burn_down`.

    :param grants: any of an org's; those of the metric and of the currency of the amount count.
    :param amount: `Money`, such as a statement's total; or units of the metric.
    :param period: what it is due for.
    :param metric: what it is due for; None for money that any grant may pay which names no metric.
    :param start: what the last period left; without it, all grants of the period's start are whole.
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
        [(period.end - _TICK, amount)],
        metric=metric,
        currency=amount.currency if isinstance(amount, Money) else None,
        start=before or period.start,
        end=period.end,
    )


def _nothing(start: object, metric: object, currency: object) -> Burndown:
    moment, counted, unit = parse_all(
        (parse_instant, start, "start"),
        (optional_name, metric, "metric"),
        (optional(parse_currency), currency, "currency"),
    )
    return Burndown(moment, counted, unit)


def _check_same(before: Burndown, metric: object, currency: object) -> None:
    counted, unit = parse_all(
        (optional_name, metric, "metric"), (optional(parse_currency), currency, "currency")
    )
    if (counted, unit) != (before.metric, before.currency):
        problem = f"must be of metric {metric!r} and currency {currency!r}, as the call is"
        raise InvalidValue("start", (before.metric, before.currency), problem)


def _end(value: object, start: datetime) -> datetime:
    end = parse_instant(value, "end")
    if end < start:
        raise InvalidValue("end", value, f"must not be before the start, {format_instant(start)}")
    return end


def _grants(value: object, field: Field) -> tuple[Grant, ...]:
    found = tuple_of(Grant)(value, field)
    ids: set[str] = set()
    for i, grant in enumerate(found):
        if grant.id in ids:
            raise InvalidValue(at(field, i, "id"), grant.id, "must be given once")
        ids.add(grant.id)
    return found


def _all_known(grants: list[Grant], before: Burndown) -> list[Grant]:
    missing = sorted(before.balances.keys() - {grant.id for grant in grants})
    if missing:
        raise InvalidValue("grants", missing, "must hold every grant that start has a balance of")
    return sorted(grants, key=lambda grant: grant.place)


def _series(
    value: object, field: Field, currency: Currency | None, span: tuple[datetime, datetime]
) -> list[tuple[datetime, int]]:
    """Return what was used at each instant, in parts of units, sorted by instant."""
    parts: dict[datetime, int] = {}
    problems = Problems()
    for i, item in enumerate(as_tuple(value, field)):
        problems.attempt(_add, parts, item, at(field, i), currency, span)
    problems.raise_any()
    return sorted(parts.items())


def _add(
    parts: dict[datetime, int],
    item: object,
    field: Field,
    currency: Currency | None,
    span: tuple[datetime, datetime],
) -> None:
    if not isinstance(item, tuple) or len(item) != 2:
        raise InvalidType(field, item, "must be a pair of an instant and a quantity")
    moment = parse_instant(item[0], at(field, "at"))
    if not span[0] <= moment < span[1]:
        problem = f"must be from {format_instant(span[0])} until before {format_instant(span[1])}"
        raise InvalidValue(at(field, "at"), moment, problem)
    used = _units(item[1], at(field, "quantity"), currency)
    parts[moment] = parts.get(moment, 0) + scaled(used)


def _units(value: object, field: Field, currency: Currency | None) -> Quantity:
    """Return units of a metric, or major units of the currency."""
    if currency is None or not isinstance(value, Money):
        return parse_quantity(value, field)
    if value.currency != currency:
        raise CurrencyMismatch(currency.code, value.currency.code)
    return parse_quantity(value.amount, field)


def _instants(value: object, field: Field, span: tuple[datetime, datetime]) -> frozenset[datetime]:
    found = set()
    for i, item in enumerate(as_tuple(value, field)):
        moment = parse_instant(item, at(field, i))
        if not span[0] < moment <= span[1]:
            start, end = map(format_instant, span)
            raise InvalidValue(at(field, i), moment, f"must be after {start} and up to {end}")
        found.add(moment)
    return frozenset(found)
