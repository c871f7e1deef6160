"""The codec: strict, versioned JSON of every value.

Equal values give equal bytes, and what is read goes through the constructors, so that a text gives
a lawful value or an error that names each fault with its path:

    data = encode(plan)
    decode(data, Plan) == plan
    Codec(price_models=[Peak]).encode(plan_with_peaks)        # with a price model of a host's own
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final, TypeVar, cast

from overages.account import Account
from overages.adjustment import OVERAGE, Adjustment
from overages.allowance import Allowance
from overages.balance import Balance
from overages.burndown import Burndown
from overages.carrying import Carrying
from overages.carryover import Carried, CarryOver
from overages.chain import ChainHead
from overages.commitment import Commitment
from overages.conversion import Conversion
from overages.cycle import Cycle
from overages.discount import Discount
from overages.errors import InvalidValue
from overages.exchange import Exchanged
from overages.forms import (
    EXACT,
    FLAG,
    INSTANT,
    NAME,
    NUMBER,
    PERIOD,
    ROUNDING,
    TEXT,
    WHOLE,
    Form,
    any_of,
    by_name,
    in_order,
    kind_of,
    list_of,
    optional,
    table,
    unless,
)
from overages.grantforms import grant_forms
from overages.hosted import check_models, form_of
from overages.increment import Increment
from overages.jsontext import entries, parsed, written
from overages.limitpart import LimitPart
from overages.metric import Metric
from overages.money import Currency, Money
from overages.overage import Overage
from overages.parsing import Problems, as_tuple, instance_of
from overages.period import Period
from overages.plan import Plan
from overages.pooling import PoolShare
from overages.pricing import Graduated, Package, Percentage, PerUnit, PriceModel, Volume
from overages.record import MetricTotal, OverageRecord, Summary
from overages.statement import Statement
from overages.tier import Charge, Tier, TierCharge
from overages.transactions import TransactionCharge, TransactionFee
from overages.usage import Usage, UsageEvent

T = TypeVar("T")

VERSION: Final = "1"
"""The version of the format; what a later one writes is refused here, not misread."""


class Codec:
    """Writes values as JSON and reads them, price models of a host's own among them.

    :param price_models: classes of price models whose ``__match_args__`` name the arguments of the
        constructor, as those of dataclasses and attrs classes do.
    :raises InvalidType: if one is no such class.
    :raises InvalidValue: if two have one name, or one has that of a class of the library.

    >>> from overages import PerUnit
    >>> Codec().encode(PerUnit("0.10"))
    b'{"per":"1","price":"0.1","type":"PerUnit","version":"1"}'
    """

    __slots__ = ("_form", "_kinds")

    def __init__(self, price_models: Iterable[type[PriceModel]] = ()) -> None:
        models: tuple[type, ...] = as_tuple(price_models, "price_models")
        check_models(models, [kind.__name__ for kind in _forms(_PRICES)])
        forms = _forms(_PRICES | {model: form_of(model, _TIER) for model in models})
        self._kinds = tuple(forms)
        self._form = any_of(forms, "a value of the library")

    def encode(self, value: object) -> bytes:
        """Return the canonical JSON text of a value, in UTF-8.

        :raises InvalidType: if it is no value of the library, or holds a price model that isn't
            named in `price_models`; the error has the path to it.
        :raises InvalidValue: if the text would have more than a mebibyte.
        """
        return written({**self._form.write(value, ""), "version": VERSION})

    def decode(self, data: bytes | str, expected: type[T]) -> T:
        """Return the value that a JSON text says.

        Keys may come in any order, with any space between; everything else must be as `encode`
        would write it.

        :param data: the text, in UTF-8 if in bytes.
        :param expected: the class of the value; ``object`` for any.
        :raises InvalidType: for what is of a wrong type, such as a number without quotes.
        :raises InvalidValue: for any other fault; `InvalidValues` for several.
        """
        instance_of(type)(expected, "expected")
        tree = parsed(data)
        given = dict(entries(tree, "" if isinstance(tree, dict) else "data"))
        problems = Problems()
        kind = problems.attempt(kind_of, self._kinds, given, "")
        version = given.pop("version", None)
        if version != VERSION:
            problems.add(InvalidValue("version", version, f"must be {VERSION!r}"))
        problems.raise_any()
        if not issubclass(kind, expected):
            raise InvalidValue("type", kind.__name__, f"must be {expected.__name__}")
        return cast(T, self._form.read(given, ""))


# The form of each class: its keys, and how what stands there is written and read.


def _statement(
    org_id: str,
    period: Period,
    plan: Plan,
    lines: tuple[dict[str, Any], ...],
    adjustments: tuple[Adjustment, ...],
) -> Statement:
    """Make a statement of its numbers; its plan has the rest of each line."""
    if len(lines) != len(plan.allowances):
        problem = f"must be as many as the plan's allowances, {len(plan.allowances)}"
        raise InvalidValue("lines", len(lines), problem)
    problems = Problems()
    overages = [
        problems.attempt(_line, plan, metric, **line, path=f"lines[{i}]")
        for i, (metric, line) in enumerate(zip(plan.allowances, lines, strict=True))
    ]
    problems.raise_any()
    return Statement(org_id, period, plan, [*overages, *adjustments])


def _written(statement: Statement) -> dict[str, Any]:
    return {
        "org_id": statement.org_id,
        "period": statement.period,
        "plan": statement.plan,
        "lines": statement.overages,
        "adjustments": statement.adjustments,
    }


def _line(plan: Plan, metric: str, minor: int, **fields: Any) -> Overage:
    price, cost = plan.allowances[metric].price, Money(minor, plan.currency)
    return Overage(metric, price=price, cost=cost, **fields)


def _numbers(line: Overage) -> dict[str, Any]:
    return {
        "used": line.used,
        "limit": line.limit,
        "minor": line.cost.minor,
        "before": line.before,
        "limit_parts": line.limit_parts,
    }


def _offer(metric: str, **fields: Any) -> tuple[str, Allowance]:
    return metric, Allowance(**fields)


def _offered(offer: tuple[str, Allowance]) -> dict[str, Any]:
    metric, allowance = offer
    return {"metric": metric, "included": allowance.included, "price": allowance.price}


def _summary(
    currency: Currency, metrics: Mapping[str, MetricTotal], adjustments: Mapping[str, Money]
) -> Summary:
    summary = Summary(currency, metrics, adjustments)
    problems = Problems()
    for line, cost in adjustments.items():
        if not cost.minor:
            problem = "must be left out where it costs nothing"
            problems.add(InvalidValue(f"adjustments.{line}", cost, problem))
    for metric, total in metrics.items():
        if metric not in summary:  # it drops them, and would be written without
            problem = "must be left out where there is neither quantity nor cost"
            problems.add(InvalidValue(f"metrics.{metric}", total, problem))
    problems.raise_any()
    return summary


_CURRENCY: Final = table(Currency, code=NAME, exponent=WHOLE)
_MONEY: Final = table(Money, currency=_CURRENCY, minor=WHOLE)
_TIER: Final = table(
    Tier,
    up_to=optional(NUMBER),
    price=NUMBER,
    flat=NUMBER,
    per=NUMBER,
    size=optional(NUMBER),
    count=TEXT,
    maximum=optional(NUMBER),
)
_TIER_CHARGE: Final = table(TierCharge, tier=_TIER, quantity=NUMBER, above=NUMBER, rate=EXACT)
_CONVERSION: Final = table(
    Conversion,
    multiply=NUMBER,
    divide=NUMBER,
    increment=optional(NUMBER),
    minimum=NUMBER,
    rounding=ROUNDING,
)
_FEE: Final = table(
    TransactionFee,
    percent=NUMBER,
    fixed=NUMBER,
    free_events=optional(WHOLE),
    free_amount=optional(NUMBER),
    min_per_event=optional(NUMBER),
    max_per_event=optional(NUMBER),
)
_TOTAL: Final = table(MetricTotal, quantity=NUMBER, cost=_MONEY)
_RECORD: Final = table(
    OverageRecord,
    org_id=NAME,
    period=PERIOD,
    metric=optional(NAME),
    quantity=NUMBER,
    cost=_MONEY,
    exact_cost=EXACT,
    unit_price=optional(EXACT),
    line=unless(OVERAGE, NAME),
    plan=NAME,
    plan_version=WHOLE,
    revision=WHOLE,
    sequence=WHOLE,
    created_at=INSTANT,
    digest=TEXT,
)
_EVENT: Final = table(
    UsageEvent,
    org_id=NAME,
    metric=NAME,
    quantity=NUMBER,
    at=INSTANT,
    id=optional(NAME),
    dimensions=by_name(NAME, of="dimension"),
)
_INCREMENT: Final = table(Increment, step=NUMBER, first=NUMBER, rounding=ROUNDING)
_METRIC: Final = table(
    Metric,
    name=NAME,
    aggregation=TEXT,
    event=NAME,
    where=by_name(list_of(NAME), of="dimension"),
    distinct=optional(NAME),
    reports=TEXT,
    factor=EXACT,
    increment=optional(_INCREMENT),
    increment_scope=TEXT,
)
_CYCLE: Final = table(Cycle, anchor=INSTANT, every=WHOLE, unit=TEXT, timezone=TEXT)
_ADJUSTMENT: Final = table(
    Adjustment,
    kind=TEXT,
    before=_MONEY,
    cost=_MONEY,
    exact_cost=EXACT,
    metric=unless(None, NAME),
    name=unless(None, NAME),
)
_LIMIT_PART: Final = table(LimitPart, kind=TEXT, quantity=NUMBER, name=unless(None, NAME))
_LINE: Final = table(
    dict,
    _numbers,
    used=NUMBER,
    limit=optional(NUMBER),
    minor=WHOLE,
    before=unless(0, NUMBER),
    limit_parts=unless((), list_of(_LIMIT_PART)),
)

_AMOUNT_OR_UNITS: Final = {"amount": optional(_MONEY), "quantity": optional(NUMBER)}
_RULE: Final = table(
    CarryOver,
    up_to=optional(NUMBER),
    share=optional(EXACT),
    expires_after=optional(WHOLE),
    draw=TEXT,
    overage=TEXT,
    increment=NUMBER,
    rounding=ROUNDING,
)
_CARRIED: Final = table(Carried, quantity=NUMBER, period=PERIOD, periods_left=optional(WHOLE))
_CARRYING: Final = table(
    Carrying, rule=_RULE, brought=list_of(_CARRIED), included=NUMBER, used=NUMBER, period=PERIOD
)

_GRANTS: Final = grant_forms(_CURRENCY, _MONEY, _CYCLE)
_USAGE: Final = table(Usage, org_id=NAME, period=PERIOD, quantities=by_name(NUMBER))


def _balance(
    carried: dict[str, tuple[Carried, ...]],
    used: tuple[Usage, ...],
    burndowns: tuple[Burndown, ...],
) -> Balance:
    balance = Balance(carried, used, burndowns)
    for key, given in {"carried": carried, "used": used, "burndowns": burndowns}.items():
        if getattr(balance, key) != given:  # or another text would give the same value
            problem = "must be sorted, by period or by metric and currency, with nothing empty"
            raise InvalidValue(key, given, problem)
    return balance


_PLAIN: Final[dict[type, Form]] = {
    Account: table(
        Account,
        org_id=NAME,
        plan=NAME,
        limits=by_name(NUMBER),
        status=TEXT,
        cycle=_CYCLE,
        since=unless(None, INSTANT),
    ),
    Adjustment: _ADJUSTMENT,
    Balance: table(
        _balance,
        carried=by_name(list_of(_CARRIED)),
        used=list_of(_USAGE),
        burndowns=list_of(_GRANTS[Burndown]),
    ),
    Carried: _CARRIED,
    CarryOver: _RULE,
    Carrying: _CARRYING,
    ChainHead: table(ChainHead, sequence=WHOLE, digest=TEXT),
    Charge: table(Charge, tiers=list_of(_TIER_CHARGE)),
    Commitment: table(Commitment, **_AMOUNT_OR_UNITS, overage_factor=NUMBER, true_up=FLAG),
    Conversion: _CONVERSION,
    Currency: _CURRENCY,
    Cycle: _CYCLE,
    LimitPart: _LIMIT_PART,
    Discount: table(Discount, name=NAME, percent=optional(NUMBER), **_AMOUNT_OR_UNITS),
    Increment: _INCREMENT,
    Metric: _METRIC,
    MetricTotal: _TOTAL,
    Money: _MONEY,
    OverageRecord: _RECORD,
    PoolShare: table(
        PoolShare,
        org_id=NAME,
        metric=optional(NAME),
        used=NUMBER,
        cost=_MONEY,
        line=unless(OVERAGE, NAME),
    ),
    Period: table(Period, start=INSTANT, end=INSTANT),
    Summary: table(
        _summary,
        currency=_CURRENCY,
        metrics=by_name(_TOTAL),
        adjustments=unless({}, by_name(_MONEY)),
    ),
    Tier: _TIER,
    TierCharge: _TIER_CHARGE,
    TransactionCharge: table(
        TransactionCharge,
        fee=_FEE,
        amounts=list_of(NUMBER),
        events_before=WHOLE,
        amount_before=NUMBER,
    ),
    TransactionFee: _FEE,
    Usage: _USAGE,
    UsageEvent: _EVENT,
    **_GRANTS,
}
_PRICES: Final[dict[type, Form]] = {
    Graduated: table(Graduated, tiers=list_of(_TIER), flat_at_zero=FLAG),
    Package: table(Package, price=NUMBER, size=NUMBER, count=TEXT),
    PerUnit: table(PerUnit, price=NUMBER, per=NUMBER),
    Percentage: table(Percentage, percent=NUMBER),
    Volume: table(Volume, tiers=list_of(_TIER), flat_at_zero=FLAG),
}
_A_PRICE: Final = (
    "a price model of the library, or of a class that is named in Codec(price_models=[...])"
)


def _forms(own_prices: dict[type, Form]) -> dict[type, Form]:
    """Return the forms of all classes, given those of price models that hold no other one."""
    exchanged = table(Exchanged, price=any_of(own_prices, _A_PRICE), rate=NUMBER, per=NUMBER)
    prices = own_prices | {Exchanged: exchanged}
    return _PLAIN | prices | _priced(any_of(prices, _A_PRICE))


def _priced(price: Form) -> dict[type, Form]:
    """Return the forms of the classes that hold price models, given the form of those."""
    included = optional(NUMBER)
    offer = table(_offer, _offered, metric=NAME, included=included, price=price)
    plan = table(
        Plan,
        slug=NAME,
        currency=_CURRENCY,
        allowances=in_order(offer),
        rounding=ROUNDING,
        rounding_scope=TEXT,
        base_fee=optional(_MONEY),
    )
    return {
        Allowance: table(Allowance, included=included, price=price),
        Overage: table(
            Overage,
            metric=NAME,
            used=NUMBER,
            limit=optional(NUMBER),
            price=price,
            cost=_MONEY,
            before=unless(0, NUMBER),
            limit_parts=unless((), list_of(_LIMIT_PART)),
        ),
        Plan: plan,
        Statement: table(
            _statement,
            _written,
            org_id=NAME,
            period=PERIOD,
            plan=plan,
            lines=list_of(_LINE),
            adjustments=unless((), list_of(_ADJUSTMENT)),
        ),
    }


_standard: Final = Codec()


def encode(value: object) -> bytes:
    """Return the canonical JSON text of a value; see `Codec.encode`.

    >>> encode(Currency("USD"))
    b'{"code":"USD","exponent":"2","type":"Currency","version":"1"}'
    """
    return _standard.encode(value)


def decode(data: bytes | str, expected: type[T]) -> T:
    """Return the value that a JSON text says; see `Codec.decode`.

    >>> decode(encode(Currency("USD")), Currency)
    Currency(code='USD', exponent=2)
    >>> decode('{"type": "Currency", "version": "1", "code": "USD", "exponent": ""}', Currency)
    Traceback (most recent call last):
        ...
    overages.errors.InvalidValue: exponent: must be a whole number in its plain form, got ''
    """
    return _standard.decode(data, expected)
