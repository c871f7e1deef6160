"""Grants while they are drawn on: integers (picos), and one pass through time.

It is the inner part of `burn_down`, which says in which order it goes, and why. Whoever has checked
grants and usage, or has made them, draws on them here:

    pools = pools_of(grants)                          # each unit's grants, in their order
    draw_on(pools["tokens", None], uses, before, end)
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple, TypeAlias

from overages.amounts.exact import Quantity, scaled, unscaled
from overages.amounts.money import Currency, Money, picos_of
from overages.errors import InvalidValue
from overages.grants.burndown import Burndown, new_burndown
from overages.grants.grant import Grant
from overages.grants.state import GrantState, new_draw, new_state
from overages.periods.cycle import Cycle

Unit: TypeAlias = tuple[str | None, Currency | None]
"""The metric and the currency of a grant, or of usage."""


class Use(NamedTuple):
    """All that was used at one instant, in picos; negative where usage was taken back."""

    at: datetime
    picos: int


class _Drawn(NamedTuple):
    """A `Draw` in picos."""

    grant: _DrawnGrant
    at: datetime
    picos: int
    covered: int


class _DrawnGrant:
    """A grant in picos: drawn, expired, voided, left; not filled before it is effective."""

    __slots__ = (
        "drawn", "end", "expired", "filled_at", "grant", "granted", "left", "step", "voided",
    )  # fmt: skip

    def __init__(self, grant: Grant, state: GrantState | None) -> None:
        self.grant = grant
        self.end = grant.ends_at
        self.step = None if grant.step is None else scaled(grant.step)
        self.filled_at = None if state is None else state.filled_at
        self.granted = self.drawn = self.expired = self.voided = self.left = 0
        if state is not None:
            self.granted, self.drawn = scaled(state.granted), scaled(state.drawn)
            self.expired, self.voided = scaled(state.expired), scaled(state.voided)
            self.left = self.granted - self.drawn - self.expired - self.voided

    def state(self, filled_at: datetime) -> GrantState:
        return new_state(
            self.grant.id,
            unscaled(self.granted),
            unscaled(self.drawn),
            unscaled(self.expired),
            unscaled(self.voided),
            filled_at,
        )

    def has_ended(self, instant: datetime) -> bool:
        return self.end is not None and self.end <= instant

    def refills(self, cycle: Cycle, start: datetime, end: datetime) -> Iterator[datetime]:
        """Yield the boundaries of its cycle that grant the amount anew, up to an end."""
        since = max(start, self.grant.effective_at)
        if since >= end or self.has_ended(since):
            return
        for period in cycle.periods_from(since):
            if period.end > end or self.has_ended(period.end):
                return
            yield period.end

    def cross(self, instant: datetime, *, is_reset: bool, is_refilled: bool) -> None:
        """End, reset, refill or begin the grant at an instant, before anything is used at it."""
        if self.filled_at is None:
            if self.grant.effective_at <= instant and not self.has_ended(instant):
                self._fill(_picos_granted(self.grant), instant)
        elif self.has_ended(instant):
            # Lost before usage at this instant: the instant of its end is no part of a grant.
            self._lose(self.left)
            self.left = 0  # later instants find nothing more to lose
        else:
            if is_reset:  # before the refill, which grants in full whatever was topped up
                self._drop_beyond(self.grant.rollover_max)
                # Topped up to the least, not by it: 30 left and a least of 100 are 100, by 70.
                self._fill(max(0, scaled(self.grant.rollover_min) - self.left), instant)
            if is_refilled:
                self._drop_beyond(self.grant.refill_keeps)
                self._fill(_picos_granted(self.grant), instant)

    def draw(self, need: int, at: datetime) -> _Drawn:
        """Draw on it for a need: all steps that the need starts, as far as they are left."""
        picos = min(self.left, self._in_steps(need))  # the last step may not be left whole
        self.left -= picos
        self.drawn += picos
        # In steps of 10, a need of 13 draws 20 and covers 13: the other 7 are gone, as was agreed.
        return _Drawn(self, at, picos, covered=min(need, picos))

    def give_back(self, drawn: _Drawn, picos: int, instant: datetime) -> _Drawn:
        """Give back the units that a draw no longer covers; return the rest of the draw."""
        covered = max(0, drawn.covered - picos)
        # Steps that were started stay drawn while any of them is used, as if less had been used.
        still_drawn = min(drawn.picos, self._in_steps(covered))
        given_back = drawn.picos - still_drawn
        self.drawn -= given_back
        if self.has_ended(instant):
            self._lose(given_back)
        # Units of before a refill must not come on top of it: they would have been dropped at it.
        elif self.filled_at is not None and drawn.at < self.filled_at:
            self.expired += given_back  # the units left at that refill or reset were dropped
        else:
            self.left += given_back
        return drawn._replace(picos=still_drawn, covered=covered)

    def _in_steps(self, picos: int) -> int:
        return picos if self.step is None else -(-picos // self.step) * self.step

    def _lose(self, picos: int) -> None:
        """Count the units that are lost by the grant's end."""
        if self.grant.expires_at != self.end:  # it was voided before
            self.voided += picos
        else:
            self.expired += picos

    def _drop_beyond(self, most: Quantity | None) -> None:
        """Drop the units left beyond a quantity; None drops nothing."""
        if most is not None:
            dropped = max(0, self.left - scaled(most))
            self.expired += dropped
            self.left -= dropped

    def _fill(self, picos: int, instant: datetime) -> None:
        self.granted += picos
        self.left += picos
        self.filled_at = instant


def _picos_granted(grant: Grant) -> int:
    amount = grant.amount
    return picos_of(amount) if isinstance(amount, Money) else scaled(amount)


def pools_of(grants: Iterable[Grant]) -> dict[Unit, list[Grant]]:
    """Return grants by their unit, those of each in the order in which they are drawn on.

    Dollars never pay euros, and money for one metric never another: each unit burns down alone.
    """
    pools: dict[Unit, list[Grant]] = {}
    for grant in grants:
        pools.setdefault((grant.metric, grant.currency), []).append(grant)
    for pool in pools.values():
        pool.sort(key=lambda grant: grant.rank)
    return pools


def draw_on(
    pool: Sequence[Grant],
    uses: Iterable[Use],
    before: Burndown,
    end: datetime,
    resets: Collection[datetime] = (),
    rule: str = "final",
) -> Burndown:
    """Draw on the grants of one unit, as `burn_down` does, for usage that was checked.

    :param pool: all grants of the unit, in the order in which they are drawn on.
    :param uses: sorted, one for an instant; none before the burndown's instant or from the end on.
    :param resets: after the burndown's instant, and up to the end.
    :raises InvalidValue: if a grant that the burndown has is missing.
    """
    drawn = DrawnGrants(pool, before, rule)
    drawn.run(uses, resets, end)
    return drawn.burndown(end)


class DrawnGrants:
    """Burns down grants of one unit, from where an earlier burndown has left them.

    :param grants: in the order in which they are drawn on; all that `before` knows among them.
    :param before: where to begin.
    :param rule: whether overage is repaid, as `burn_down` takes it.
    """

    def __init__(self, grants: Sequence[Grant], before: Burndown, rule: str) -> None:
        states = {state.grant_id: state for state in before.grants}
        self._grants = {g.id: _DrawnGrant(g, states.pop(g.id, None)) for g in grants}
        if states:
            # A grant left out would take its units, and its draws, from the balance unseen.
            raise InvalidValue("grants", sorted(states), "must hold every grant that start has")
        self._before = before
        self._rule = rule
        self._overage, self._settled = scaled(before.overage), scaled(before.settled)
        self._unreturned = scaled(before.unreturned)
        self._draws = [
            _Drawn(self._grants[d.grant_id], d.at, scaled(d.quantity), scaled(d.covered))
            for d in before.draws
        ]

    def run(self, uses: Iterable[Use], resets: Collection[datetime], end: datetime) -> None:
        """Go through time once.

        :param uses: sorted; all before the end.
        """
        start = self._before.at
        refills = {
            key: set(grant.refills(cycle, start, end))
            for key, grant in self._grants.items()
            if (cycle := grant.grant.recurrence) is not None
        }
        # Only at these instants does anything happen to grants: between them, usage alone counts.
        changes = {start, *resets}.union(*refills.values())
        for grant in self._grants.values():
            changes.add(grant.grant.effective_at)
            if grant.end is not None:
                changes.add(grant.end)
        coming = iter(sorted(instant for instant in changes if start <= instant <= end))
        change = next(coming, None)
        for at, picos in [*uses, Use(end, 0)]:  # the last one, so that the rest is crossed too
            while change is not None and change <= at:
                self._cross(change, refills, is_reset=change in resets)
                change = next(coming, None)
            if picos > 0:
                self._overage += self._draw(picos, at)
            else:
                self._give_back(-picos, at)

    def burndown(self, at: datetime) -> Burndown:
        """Return the burndown of the grants at an instant."""
        states = [
            grant.state(grant.filled_at)
            for grant in self._grants.values()
            if grant.filled_at is not None
        ]
        draws = [
            new_draw(draw.grant.grant.id, draw.at, unscaled(draw.picos), unscaled(draw.covered))
            for draw in self._draws
        ]
        return new_burndown(
            at,
            self._before.metric,
            self._before.currency,
            tuple(sorted(states, key=lambda state: state.grant_id)),
            unscaled(self._overage),
            unscaled(self._settled),
            unscaled(self._unreturned),
            tuple(draws),
        )

    def _cross(
        self, instant: datetime, refills: Mapping[str, Collection[datetime]], *, is_reset: bool
    ) -> None:
        """End, reset, refill and begin grants, and settle or repay overage, before any usage."""
        for key, grant in self._grants.items():
            grant.cross(instant, is_reset=is_reset, is_refilled=instant in refills.get(key, ()))
        if is_reset and self._rule != "repaid_across_resets":  # before new grants could repay it
            self._settled += self._overage
            self._overage = 0
        # After all grants were crossed, so that those that begin at this instant repay it too.
        if self._rule != "final" and self._overage:
            self._overage = self._draw(self._overage, instant)

    def _draw(self, need: int, at: datetime) -> int:
        """Draw on the grants in their order; return the rest of the need, which none covers."""
        for grant in self._grants.values():
            if not need:
                break
            if grant.left:
                drawn = grant.draw(need, at)
                self._draws.append(drawn)
                need -= drawn.covered
        return need

    def _give_back(self, picos: int, instant: datetime) -> None:
        """Take back overage, then draws, the latest first."""
        # Overage is still to be paid, drawn units are paid for already: so it is taken back first.
        from_overage = min(picos, self._overage)
        self._overage -= from_overage
        picos -= from_overage
        while picos and self._draws:  # the latest first: old payments stay
            latest = self._draws.pop()
            still_drawn = latest.grant.give_back(latest, picos, instant)
            picos -= latest.covered - still_drawn.covered
            if still_drawn.covered:
                self._draws.append(still_drawn)
        # Noted, for no draw is left: no usage vanishes, and no grant gets more than it had.
        self._unreturned += picos
