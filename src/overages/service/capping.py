"""Capping: budgets that stop charging, as the maximum of an org's terms.

What is charged follows from an org's terms, by one path. So such a budget is put as their maximum,
by entries of the account's history that are noted with a reason of their own:

    capping = Capping(account, repository.account_notes(account.org_id), plans, now)
    capping.require_free(budget)                      # or InvalidValue: the terms say otherwise
    capping.account(Money.of("50", "USD"))            # with the entries that it needs

An entry that the host has put itself is its own word: none of it is taken back with a budget.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from datetime import datetime
from typing import Final, NamedTuple

from overages.amounts.money import Currency, Money
from overages.bookkeeping.plans_in_force import PlansInForce
from overages.errors import CurrencyMismatch, InvalidValue, OveragesError, UnknownPlan
from overages.insight.budget import Budget
from overages.periods.period import format_instant
from overages.terms.account import Account
from overages.terms.change import Bound, TermsChange
from overages.terms.note import AccountNote
from overages.terms.terms import Terms
from overages.terms.timeline import standing

REASON: Final = "a budget that stops charging"
"""The reason that the entries of budgets are noted with."""


class _Word(NamedTuple):
    """The maximum that an entry says, from an instant on.

    :param is_ours: whether a budget has put it.
    """

    since: datetime
    maximum: Money | None
    is_ours: bool


class Capping:
    """The maximum of an org's terms, as far as budgets have put it.

    :param account: the org, and the history of its terms.
    :param notes: those of its entries.
    :param now: budgets count from the start of the period that it lies in; or of the time without
        terms, for when they are resumed.
    """

    def __init__(
        self,
        account: Account,
        notes: Iterable[AccountNote],
        plans: PlansInForce,
        now: datetime,
    ) -> None:
        self._account, self._plans = account, plans
        self._words = _words(account, notes)
        has_terms = account.at(now) is not None
        self._start = account.period_at(now).start if has_terms else _pause_start(account, now)

    def require_free(self, budget: Budget) -> None:
        """Refuse a budget that couldn't stop charging, from its start on and in all that is agreed.

        :raises InvalidValue: if entries of the host's say what the maximum is, or a minimum of the
            org's own is above the budget.
        :raises CurrencyMismatch: if a plan of then is in another currency.
        """
        assert isinstance(budget.amount, Money)  # or it couldn't stop charging
        later = [word for word in self._words if word.since > self._start]
        for word in (self._word_at(self._start), *later):
            if not word.is_ours and (word.maximum is not None or word.since > self._start):
                raise self._own_maximum(word)
        for start, end, terms, _ in self._account.timeline.stretches:
            if terms is not None and end > self._start:
                try:
                    self._require_fits(budget.amount, max(start, self._start), terms)
                except OveragesError as error:
                    raise error.within("budget", "amount", org_id=self._account.org_id) from None

    def _require_fits(self, amount: Money, instant: datetime, terms: Terms) -> None:
        """Refuse an amount that terms can't have as their maximum."""
        currency = self._currency(instant)
        if currency is not None and currency != amount.currency:
            raise CurrencyMismatch(currency.code, amount.currency.code)
        if terms.minimum is not None and terms.minimum > amount:
            problem = (
                f"must not be below the minimum of the org's own, {terms.minimum} from"
                f" {format_instant(instant)} on: change that, or set the budget higher"
            )
            raise InvalidValue((), amount, problem)

    def account(self, amount: Money | None) -> Account:
        """Return the account with an amount as its maximum, where budgets say what that is.

        A maximum that a budget has put where no bill could have it is left out, in the past too: it
        is in another currency than the plan of then.

        :param amount: the least of the budgets that stop charging; None if there is none.
        """
        account = self._account
        begins = {stretch.start for stretch in account.timeline.stretches}
        ours = {word.since for word in self._words if word.is_ours}
        for instant in sorted(begins | ours | {self._start}):
            desired = self._desired(instant, amount)
            terms = account.timeline.at(instant)
            held = self._word_at(instant).maximum if terms is None else terms.maximum
            if held != desired:
                drop: list[Bound] = ["maximum"] if desired is None else []
                account = account.changed(since=instant, maximum=desired, drop_bounds=drop)
        return account

    def _desired(self, instant: datetime, amount: Money | None) -> Money | None:
        """Return the maximum that the terms should have from an instant on."""
        word = self._word_at(instant)
        if instant < self._start:
            amount = word.maximum
            is_ours = word.is_ours
        else:  # one of the host's from before, that there is none, is in no budget's way
            is_ours = word.is_ours or (word.maximum is None and word.since <= self._start)
        if not is_ours:
            return word.maximum
        has_other = amount is not None and self._currency(instant) not in (None, amount.currency)
        return None if has_other else amount

    def _word_at(self, instant: datetime) -> _Word:
        return self._words[bisect_right(self._words, instant, key=_since) - 1]

    def _currency(self, instant: datetime) -> Currency | None:
        """Return the currency of the plan at an instant; None if there is none."""
        if self._account.timeline.at(instant) is None:
            return None
        period = self._account.period_at(instant)
        part, terms = next(each for each in self._account.parts(period) if instant in each[0])
        try:
            return self._plans.plan(period, part, terms).currency
        except UnknownPlan:
            return None

    def _own_maximum(self, word: _Word) -> OveragesError:
        maximum = "none" if word.maximum is None else word.maximum
        problem = (
            "must leave charging to the terms of the org, which say of the maximum themselves:"
            f" {maximum}, from {format_instant(word.since)}: change the terms in place of the"
            " budget, or take that back first"
        )
        error = InvalidValue(("budget", "on_reached"), "stop_charging", problem)
        return error.within(org_id=self._account.org_id)


def _words(account: Account, notes: Iterable[AccountNote]) -> list[_Word]:
    """Return the maximums that entries of an account say, in the order of its timeline."""
    noted = list(zip(account.changes, [note.reason for note in notes][1:], strict=True))
    ours = {id(change) for change, reason in noted if reason == REASON}
    words = [_Word(account.since, account.maximum, is_ours=False)]
    for change in sorted(standing(account.changes), key=_since):
        if change.maximum is not None or "maximum" in change.drop_bounds:
            words.append(_Word(change.since, change.maximum, is_ours=id(change) in ours))
    return words


def _since(entry: _Word | TermsChange) -> datetime:
    return entry.since


def _pause_start(account: Account, now: datetime) -> datetime:
    """Return the start of the time without terms that an instant lies in."""
    timeline = account.timeline
    return timeline.starts[max(0, bisect_right(timeline.starts, now) - 1)]
