"""Pools: the grants that one kind of usage draws on, as they are burned down.

It is what `burn_down` works with: integers (parts of units), grants in their order, one pass
through time.

    pool = Pool(grants, before, "final")              # grants of one unit, in their order
    pool.run(series, resets, end)
    pool.burndown(end)
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

from overages.amounts.exact import scaled, unscaled
from overages.grants.burndown import Burndown, GrantBalance, new_balance, new_burndown, new_draw
from overages.grants.grant import Grant


class _Account:
    """A grant and what became of it; not yet filled where it isn't effective yet."""

    __slots__ = (
        "drawn", "end", "expired", "filled_at", "grant", "granted", "left", "step", "voided",
    )  # fmt: skip

    def __init__(self, grant: Grant, balance: GrantBalance | None) -> None:
        self.grant = grant
        self.end = grant.ends_at
        self.step = None if grant.step is None else scaled(grant.step)
        self.filled_at = None if balance is None else balance.filled_at
        self.granted = self.drawn = self.expired = self.voided = self.left = 0
        if balance is not None:
            self.granted, self.drawn = scaled(balance.granted), scaled(balance.drawn)
            self.expired, self.voided = scaled(balance.expired), scaled(balance.voided)
            self.left = scaled(balance.left)

    def has_ended(self, moment: datetime) -> bool:
        return self.end is not None and self.end <= moment

    def refills_until(self, start: datetime, end: datetime) -> set[datetime]:
        """Return the boundaries of the recurrence that grant the amount anew."""
        since = max(start, self.grant.effective_at)
        found: set[datetime] = set()
        if self.grant.recurrence is None or since >= end or self.has_ended(since):
            return found
        for period in self.grant.recurrence.periods_from(since):
            if period.end > end or self.has_ended(period.end):
                break
            found.add(period.end)
        return found

    def lose(self, parts: int) -> None:
        """Count what is lost by the grant's end, or while it lasts."""
        if self.grant.expires_at != self.end:  # it was voided before
            self.voided += parts
        else:
            self.expired += parts

    def end_if_due(self, moment: datetime) -> None:
        if self.has_ended(moment):
            self.lose(self.left)
            self.left = 0

    def keep(self, most: int | None, moment: datetime) -> None:
        """Drop what is left beyond some parts; None keeps all."""
        if most is not None and self.left > most:
            self.expired += self.left - most
            self.left = most
        self.filled_at = moment

    def fill(self, parts: int, moment: datetime) -> None:
        self.granted += parts
        self.left += parts
        self.filled_at = moment

    def reset(self, moment: datetime) -> None:
        most, least = self.grant.rollover_max, scaled(self.grant.rollover_min)
        self.keep(None if most is None else scaled(most), moment)
        self.fill(max(0, least - self.left), moment)

    def refill(self, moment: datetime) -> None:
        kept = self.grant.refill_keeps
        self.keep(None if kept is None else scaled(kept), moment)
        self.fill(scaled(self.grant.units), moment)

    def in_steps(self, parts: int) -> int:
        """Return what has to be drawn for some usage: all steps that it starts."""
        return parts if self.step is None else -(-parts // self.step) * self.step

    def take(self, need: int) -> tuple[int, int]:
        """Draw for some usage; return how much was drawn, and how much of the usage it covers."""
        taken = min(self.left, self.in_steps(need))
        self.left -= taken
        self.drawn += taken
        return taken, min(need, taken)

    def put_back(self, parts: int, drawn_at: datetime, moment: datetime) -> None:
        """Give back what was drawn; what was left then is gone if the grant was filled since."""
        self.drawn -= parts
        if self.has_ended(moment):
            self.lose(parts)
        elif self.filled_at is not None and drawn_at < self.filled_at:
            self.expired += parts
        else:
            self.left += parts


class Pool:
    """Burns down grants of one unit, from where an earlier burndown has left them.

    :param grants: in the order in which they are drawn on; all that `before` knows among them.
    :param before: where to begin.
    :param rule: whether overage is repaid, as `burn_down` takes it.
    """

    def __init__(self, grants: Sequence[Grant], before: Burndown, rule: str) -> None:
        known = {balance.grant_id: balance for balance in before.accounts}
        self._accounts = {grant.id: _Account(grant, known.get(grant.id)) for grant in grants}
        self._before = before
        self._rule = rule
        self._overage, self._settled = scaled(before.overage), scaled(before.settled)
        self._unreturned = scaled(before.unreturned)
        self._draws = [
            (draw.grant_id, draw.at, scaled(draw.quantity), scaled(draw.covered))
            for draw in before.draws
        ]

    def run(
        self, series: Iterable[tuple[datetime, int]], resets: Collection[datetime], end: datetime
    ) -> None:
        """Go through time once.

        :param series: instants and parts of units, sorted; all before the end.
        """
        start = self._before.at
        refills = {
            key: account.refills_until(start, end) for key, account in self._accounts.items()
        }
        moments = {start, *resets}.union(*refills.values(), *map(_bounds, self._accounts.values()))
        coming = iter(sorted(moment for moment in moments if start <= moment <= end))
        following = next(coming, None)
        for at, parts in [*series, (end, 0)]:
            while following is not None and following <= at:
                refilled = {key for key, found in refills.items() if following in found}
                self._cross(following, refilled, is_reset=following in resets)
                following = next(coming, None)
            if parts > 0:
                self._overage += self._use(parts, at)
            else:
                self._give_back(-parts, at)

    def burndown(self, at: datetime) -> Burndown:
        """Return what has become of it all."""
        filled = [account for account in self._accounts.values() if account.filled_at is not None]
        made: Burndown = new_burndown(
            at,
            self._before.metric,
            self._before.currency,
            tuple(sorted(map(_balance, filled), key=lambda balance: balance.grant_id)),
            unscaled(self._overage),
            unscaled(self._settled),
            unscaled(self._unreturned),
            tuple(
                new_draw(key, moment, unscaled(drawn), unscaled(covered))
                for key, moment, drawn, covered in self._draws
            ),
        )
        return made

    def _cross(self, moment: datetime, refilled: Collection[str], *, is_reset: bool) -> None:
        """Do what happens to grants at an instant, before anything is used at it."""
        for key, account in self._accounts.items():
            if account.filled_at is None:
                if account.grant.effective_at <= moment and not account.has_ended(moment):
                    account.fill(scaled(account.grant.units), moment)
                continue
            account.end_if_due(moment)
            if is_reset and not account.has_ended(moment):
                account.reset(moment)
            if key in refilled:
                account.refill(moment)
        if is_reset and self._rule != "repaid_across_resets":
            self._settled += self._overage
            self._overage = 0
        if self._rule != "final" and self._overage:
            self._overage = self._use(self._overage, moment)

    def _use(self, need: int, moment: datetime) -> int:
        """Draw on the grants in their order; return what they don't cover."""
        for key, account in self._accounts.items():
            if not need:
                break
            if account.left:
                drawn, covered = account.take(need)
                self._draws.append((key, moment, drawn, covered))
                need -= covered
        return need

    def _give_back(self, parts: int, moment: datetime) -> None:
        """Take back overage, then draws, the latest first."""
        from_overage = min(parts, self._overage)
        self._overage -= from_overage
        parts -= from_overage
        while parts and self._draws:
            key, at, drawn, covered = self._draws.pop()
            still_covered = max(0, covered - parts)
            parts -= covered - still_covered
            account = self._accounts[key]
            still_drawn = min(drawn, account.in_steps(still_covered))
            account.put_back(drawn - still_drawn, at, moment)
            if still_covered:
                self._draws.append((key, at, still_drawn, still_covered))
        self._unreturned += parts


def _bounds(account: _Account) -> set[datetime]:
    return {moment for moment in (account.grant.effective_at, account.end) if moment is not None}


def _balance(account: _Account) -> GrantBalance:
    made: GrantBalance = new_balance(
        account.grant.id,
        unscaled(account.granted),
        unscaled(account.drawn),
        unscaled(account.expired),
        unscaled(account.voided),
        account.filled_at,
    )
    return made
