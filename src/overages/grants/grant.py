"""Grants: units of a metric, or prepaid money, that usage is drawn from before it is overage.

    Grant("welcome", 10_000, metric="tokens", effective_at=joined, expires_at=joined + month)
    Grant("top-up", Money.of("50.00", "USD"), effective_at=paid)
    Grant("monthly", 500, metric="runs", effective_at=joined, recurrence=Cycle(joined))

`overages.grants.draws` works out the draws on each grant.
"""

from __future__ import annotations

from datetime import UTC, datetime
from fractions import Fraction
from typing import Final, TypeAlias

from overages._ground.names import optional_name, parse_name
from overages._ground.parsing import Problems, instance_of, optional, parse_int
from overages._ground.value import derived, term, value
from overages.amounts.exact import (
    Quantity,
    QuantityLike,
    parse_non_negative,
    parse_positive,
    scaled,
)
from overages.amounts.money import Currency, Money
from overages.errors import Field, InvalidValue
from overages.periods.cycle import Cycle
from overages.periods.period import format_instant, parse_instant

Unit: TypeAlias = tuple[str | None, Currency | None]
"""The metric and the currency of a grant, or of usage."""

_NEVER: Final = datetime.max.replace(tzinfo=UTC)
_RULES: Final = ("refill_keeps", "step")
_MOST: Final = 2**63  # so that any database holds it


def _parse_granted(value: object, field: Field) -> Quantity | Money:
    if type(value) is not Money:
        return parse_non_negative(value, field)
    parse_non_negative(value.amount, field)
    return value


def _parse_priority(value: object, field: Field) -> int:
    number = parse_int(value, field)
    if not 0 <= number < _MOST:
        raise InvalidValue(field, value, "must be from 0 to 2**63 - 1")
    return number


@value
class Grant:
    """Units of a metric, or prepaid money, given to an org for a time.

    It can be drawn on from `effective_at` until it expires or is voided; those instants are no
    longer part of it. Of several, that of the lowest `priority` is drawn on first, then the one
    that expires earliest, then the one that was created earliest, then by id.

    All its numbers are in units of the metric or, where `amount` is `Money`, in major units of the
    currency, with at most its decimals: a credit pays whole minor units.

    :param id: a name that is unique within its org; of money, at most 248 bytes, since the line of
        a statement that it pays is named ``"credit:"`` and the id.
    :param amount: the quantity granted: units of `metric`, or `Money`; zero or more.
    :param metric: the metric of the units. Money that names a metric may pay for that metric alone;
        with None, for anything.
    :param priority: whole, from 0; a lower number is drawn on first.
    :param effective_at: the first instant that it can be drawn on, timezone-aware; kept in UTC.
    :param expires_at: the first instant that it can't any more; None for never.
    :param voided_at: when it was taken back: the units left then are lost. None if it wasn't.
    :param recurrence: the cycle at whose boundaries `amount` is granted again, as long as the
        grant lasts; None for once.
    :param refill_keeps: the most of the units left at a boundary of the recurrence that stays, on
        top of the new `amount`. With 0 a refill replaces the units left; None keeps all.
    :param step: units that are drawn together: a started step is drawn whole, if so much is left.
        None draws just the units used.
    :param created_at: decides between grants that expire together; `effective_at` without it.
    :raises InvalidType: for a value of a wrong type, such as a float amount.
    :raises InvalidValue: for a value that is not allowed; `InvalidValues` for several.

    >>> from datetime import UTC, datetime
    >>> grant = Grant("g1", 100, metric="runs", effective_at=datetime(2024, 1, 1, tzinfo=UTC))
    >>> grant.units, grant.currency
    (100, None)
    """

    id: str = term(parse_name)
    amount: Quantity | Money = term(_parse_granted)
    metric: str | None = term(optional_name)
    priority: int = term(_parse_priority)
    effective_at: datetime = term(parse_instant)
    expires_at: datetime | None = term(optional(parse_instant))
    voided_at: datetime | None = term(optional(parse_instant))
    recurrence: Cycle | None = term(optional(instance_of(Cycle)))
    refill_keeps: Quantity | None = term(optional(parse_non_negative))
    step: Quantity | None = term(optional(parse_positive))
    created_at: datetime | None = term(optional(parse_instant))
    currency: Currency | None = derived()
    """The currency of money; None where units of a metric are granted."""
    unit: Unit = derived()
    """Metric and currency: grants of one unit are drawn on together, and never for another."""
    picos: int = derived()
    """The amount in picos of a unit of the metric, or of a major unit of the currency."""
    ends_at: datetime | None = derived()
    """The first instant that it can't be drawn on any more; None for never."""
    rank: tuple[int, datetime, datetime, str] = derived()
    """Priority, expiry, creation and id: of several grants, the least is drawn on first.

    `voided_at` is no expiry: until then, a grant keeps its place among the others.
    """

    def __init__(
        self,
        id: str,
        amount: QuantityLike | Money,
        *,
        metric: str | None = None,
        priority: int = 0,
        effective_at: datetime,
        expires_at: datetime | None = None,
        voided_at: datetime | None = None,
        recurrence: Cycle | None = None,
        refill_keeps: QuantityLike | None = 0,
        step: QuantityLike | None = None,
        created_at: datetime | None = None,
    ) -> None: ...

    def _check_id(self, problems: Problems) -> None:
        if isinstance(self.amount, Money):  # it is named by the line of a statement that it pays
            problems.attempt(parse_name, f"credit:{self.id}", "id")

    def _check_metric(self, problems: Problems) -> None:
        if self.metric is None and not isinstance(self.amount, Money):
            problem = "must be given with an amount that is no Money"
            problems.add(InvalidValue("metric", None, problem))

    def _check_expires_at(self, problems: Problems) -> None:
        if self.expires_at is not None and self.expires_at <= self.effective_at:
            problem = f"must be later than effective_at, {format_instant(self.effective_at)}"
            problems.add(InvalidValue("expires_at", self.expires_at, problem))

    def _check_minor_units(self, problems: Problems) -> None:
        """Tell each number of money that would leave a rest which no credit can pay."""
        if not isinstance(self.amount, Money):
            return
        unit = self.amount.currency
        for name in _RULES:
            number = getattr(self, name, None)  # unless it was refused
            if number is not None and (Fraction(number) * 10**unit.exponent).denominator > 1:
                problem = f"must have at most {unit.exponent} decimals, as money in {unit} has"
                problems.add(InvalidValue(name, number, problem))

    def _complete(self) -> None:
        currency = self.amount.currency if isinstance(self.amount, Money) else None
        object.__setattr__(self, "currency", currency)
        object.__setattr__(self, "unit", (self.metric, currency))
        object.__setattr__(self, "picos", scaled(self.units))
        ends = [end for end in (self.expires_at, self.voided_at) if end is not None]
        object.__setattr__(self, "ends_at", min(ends, default=None))
        created = self.created_at or self.effective_at
        rank = self.priority, self.expires_at or _NEVER, created, self.id
        object.__setattr__(self, "rank", rank)

    @property
    def units(self) -> Quantity:
        """The amount as a number: units of the metric, or major units of the currency."""
        amount = self.amount
        return parse_non_negative(amount.amount, "amount") if isinstance(amount, Money) else amount
