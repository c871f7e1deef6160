"""Terms in TOML: derived as in JSON, in the words of a file for people.

A number needn't be a text, money is a number in the plan's currency (where no plan tells one, it is
a table that names it), a price says its `model`, and terms that have a name are tables under it:

    included = "unlimited"
    price = { model = "graduated", tiers = [{ up_to = 10, price = "0.02" }, { price = 0.01 }] }
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from contextlib import suppress
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from typing import Any, Final

from overages._ground.frozen_dict import FrozenDict
from overages._ground.jsontext import entries
from overages.amounts.money import Currency, Money
from overages.errors import Field, InvalidValue, OveragesError, at, did_you_mean
from overages.forms.derived import Forms, Spelling
from overages.forms.form import Form, FormOf, Refer, Schema, of_itself
from overages.forms.holders import by_name, either, without
from overages.forms.json import currency_form
from overages.forms.objects import ObjectForm
from overages.forms.scalars import INSTANT, number_form
from overages.insight.budget import Budget
from overages.periods.cycle import CalendarUnit, Cycle
from overages.prices.tier import Tier
from overages.terms.account import Account
from overages.terms.allowance import Allowance
from overages.terms.change import TermsChange
from overages.terms.plan import Plan
from overages.usage.increment import Increment
from overages.usage.metric import Metric

UNLIMITED: Final = "unlimited"
DROPPED: Final = "dropped"
"""The word for an alert or a budget that is to count no more."""
# Where the currency is faulty, amounts are read in the finest one, so that it alone is named.
ANY_CURRENCY: Final = Currency("any", exponent=12)


def _number(kinds: Collection[type]) -> Form:
    """Return the form of a number that is one of TOML's, or a text."""
    text = number_form(kinds)
    decimal = "[0-9]+(\\.[0-9]+)?([eE][+-]?[0-9]+)?"
    pattern = f"^[+-]?({decimal}|[0-9]+/[0-9]+)$" if Fraction in kinds else f"^[+-]?{decimal}$"
    schema: Schema = {"type": ["number", "string"], "pattern": pattern}
    if Decimal not in kinds:
        schema = {"type": ["integer", "string"], "pattern": "^[+-]?[0-9]+$"}

    def read(value: object, field: Field) -> object:
        return text.read(value, field) if isinstance(value, str) else value

    return FormOf(text.write, read, lambda _: schema)


def _money(forms: Forms, unit: Currency | None) -> Form:
    """Return the form of money: a number of major units of a currency, or a table that names it.

    :param unit: the plan's currency; None where no plan tells one, so that a table has to.
    """
    number = _number({int, Decimal})
    terms = {"amount": number, "currency": currency_form(forms)}
    table = ObjectForm(Money, terms, terms, Money.of)

    def read(value: object, field: Field) -> Any:
        return table.read(value, field) if unit is None else of_itself(field, Money.of, value, unit)

    def schema(refer: Refer) -> Schema:
        return {"anyOf": [number.schema(refer), table.body(refer)]}

    return FormOf(lambda money, _: money.amount, read, schema)


def _included(forms: Forms) -> Form:
    """Return the form of the included quantity: a number, or the word for None."""
    number = forms.of(int | Decimal)

    def read(value: object, field: Field) -> Any:
        if value == UNLIMITED:
            return None
        if isinstance(value, str) and value.isalpha():
            hint = did_you_mean(value, [UNLIMITED])
            raise InvalidValue(field, value, f'must be a number, or "{UNLIMITED}"{hint}')
        return number.read(value, field)

    def schema(refer: Refer) -> Schema:
        return {"anyOf": [{"const": UNLIMITED}, number.schema(refer)]}

    return FormOf(lambda value, _: UNLIMITED if value is None else value, read, schema)


def _where(forms: Forms) -> Form:
    """Return the form of the dimensions that an event must have, each with a value or several."""
    values = forms.of(tuple[str, ...])

    def read(value: object, field: Field) -> Any:
        return values.read([value] if isinstance(value, str) else value, field)

    def schema(refer: Refer) -> Schema:
        return {"anyOf": [{"type": "string"}, values.schema(refer)]}

    return by_name(FormOf(values.write, read, schema))


def _window(forms: Forms) -> Form:
    """Return the form of a budget's window: a cycle, of the calendar where it has no anchor."""
    cycle = forms.object(Cycle)
    terms = {"unit": forms.of(CalendarUnit), "timezone": forms.of(str)}
    calendar = ObjectForm(Cycle, terms, ["unit"], Cycle.calendar)

    def read(value: object, field: Field) -> Any:
        if isinstance(value, dict) and "timezone" not in value:  # a day of UTC is none of the org's
            problem = "must be given, here or for the whole file"
            raise InvalidValue(at(field, "timezone"), None, problem)
        is_of_calendar = isinstance(value, dict) and not value.keys() & {"anchor", "every"}
        return (calendar if is_of_calendar else cycle).read(value, field)

    def schema(refer: Refer) -> Schema:
        return {"anyOf": [calendar.body(refer), cycle.schema(refer)]}

    return FormOf(cycle.write, read, schema)


def _increment(forms: Forms) -> Form:
    """Return the form of an increment: its step, or a table that says more."""
    return either(forms.of(int | Decimal), Increment, forms.object(Increment))


def _own_limits(forms: Forms) -> Form:
    """Return the form of an org's own limits: numbers by metric, or the word for None."""
    return by_name(_included(forms))


def model_name(kind: type) -> str:
    """Return the name that a file of plans has for a class of price models.

    >>> from overages import PerUnit
    >>> model_name(PerUnit)
    'per_unit'
    """
    return re.sub("(?<=[a-z])(?=[A-Z])", "_", kind.__name__).lower()


@lru_cache(maxsize=64)
def forms_in(unit: Currency | None, models: tuple[type, ...] = ()) -> Forms:
    """Return the forms of terms whose money is in one currency.

    :param unit: the currency; None where each amount names its own, as those of accounts do, which
        move from plan to plan.
    :param models: classes of price models of a host's own.
    """
    toml = Spelling(
        tag="model",
        name_of=model_name,
        special={
            datetime: lambda _: FormOf(INSTANT.write, INSTANT.read, lambda _: {"type": "string"}),
            Currency: currency_form,
            Money: lambda forms: _money(forms, unit),
            (Allowance, "included"): _included,
            (Account, "limits"): _own_limits,
            (TermsChange, "limits"): _own_limits,
            (Metric, "where"): _where,
            (Metric, "increment"): _increment,
            (Budget, "window"): _window,
        },
        number=_number,
        absent=[(Tier, "up_to")],
    )
    return Forms(toml, models)


def read_plan(
    slug: str,
    table: dict[str, Any],
    models: tuple[type, ...] = (),
    more: Mapping[str, Allowance] = FrozenDict(),
) -> Plan:
    """Return the plan that a table says, whose amounts of money are in its currency.

    :param models: classes of price models of a host's own.
    :param more: allowances that come behind those of the table.
    :raises InvalidValue: for one fault; `InvalidValues` for several. Paths begin in the table.
    """
    unit = ANY_CURRENCY
    with suppress(OveragesError):  # which will come again
        unit = forms_in(unit).of(Currency).read(entries(table, "").get("currency"), "")
    form = forms_in(unit, models).object(Plan)
    held: dict[str, Any] = {"slug": slug}
    if more:
        with suppress(OveragesError):
            own = form.terms["allowances"].read(table.get("allowances", {}), "allowances")
            held["allowances"] = {**own, **more}
            table = without(table, "allowances")
    plan: Plan = form.fill(table, (), held)
    return plan
