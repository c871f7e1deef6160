"""The forms of grants, and of what was drawn on them.

An amount is a number, or the object of money; what became of grants is kept sorted by their ids:

    {"amount": {"currency": {...}, "minor": "5000"}, "effective_at": "2024-02-01T00:00:00Z", ...}
"""

from __future__ import annotations

from typing import Any

from overages.amounts.money import Money
from overages.errors import InvalidValue
from overages.forms.form import Form
from overages.forms.holders import list_of, optional, table
from overages.forms.values import INSTANT, NAME, NUMBER, WHOLE
from overages.grants.burndown import Burndown, Draw, GrantBalance
from overages.grants.grant import Grant


def grant_forms(currency: Form, money: Form, cycle: Form) -> dict[type, Form]:
    """Return the forms of the classes of grants, given those of what they hold."""
    balance = table(
        GrantBalance,
        grant_id=NAME,
        granted=NUMBER,
        drawn=NUMBER,
        expired=NUMBER,
        voided=NUMBER,
        filled_at=INSTANT,
    )
    draw = table(Draw, grant_id=NAME, at=INSTANT, quantity=NUMBER, covered=NUMBER)
    burndown = table(
        _burndown,
        at=INSTANT,
        metric=optional(NAME),
        currency=optional(currency),
        accounts=list_of(balance),
        overage=NUMBER,
        settled=NUMBER,
        unreturned=NUMBER,
        draws=list_of(draw),
    )
    return {Burndown: burndown, Draw: draw, Grant: _grant(money, cycle), GrantBalance: balance}


def _grant(money: Form, cycle: Form) -> Form:
    return table(
        Grant,
        id=NAME,
        amount=_amount(money),
        metric=optional(NAME),
        priority=WHOLE,
        effective_at=INSTANT,
        expires_at=optional(INSTANT),
        voided_at=optional(INSTANT),
        recurrence=optional(cycle),
        rollover_max=optional(NUMBER),
        rollover_min=NUMBER,
        refill_keeps=optional(NUMBER),
        step=optional(NUMBER),
        created_at=optional(INSTANT),
    )


def _amount(money: Form) -> Form:
    """Return the form of what is granted: money, or units of a metric."""
    return Form(
        lambda value, field: (money if isinstance(value, Money) else NUMBER).write(value, field),
        lambda value, field: (money if isinstance(value, dict) else NUMBER).read(value, field),
    )


def _burndown(accounts: tuple[GrantBalance, ...], **fields: Any) -> Burndown:
    burndown = Burndown(accounts=accounts, **fields)
    if burndown.accounts != accounts:  # or another text would give the same value
        ids = [account.grant_id for account in accounts]
        raise InvalidValue("accounts", ids, "must be sorted by grant_id")
    return burndown
