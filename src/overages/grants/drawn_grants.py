"""Grants while they are drawn on, those of one unit: one pass through time, in picos.

It is the inner part of `burn_down`, which says in which order it goes, and why. Whoever has checked
grants and usage, or has made them, draws on them here:

    pools = pools_of(grants)                          # each unit's grants, in their order
    draw_on(pools["tokens", None], uses, before, end)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import TypeAlias

from overages._ground.frozen_dict import FrozenDict
from overages.amounts.exact import Quantity, scaled, unscaled
from overages.errors import InvalidValue
from overages.grants.burndown import Burndown, new_burndown
from overages.grants.drawn_grant import Drawn, DrawnGrant, GrantNotes, PooledGrant, draw_of
from overages.grants.grant import Grant, Unit
from overages.grants.state import GrantState

Pools: TypeAlias = Mapping[Unit, Sequence[PooledGrant]]
"""Grants by their unit, those of each in the order in which they are drawn on."""

Use: TypeAlias = tuple[datetime, int]
"""An instant, and all that was used at it in picos; negative where usage was taken back."""


def pools_of(
    grants: Iterable[Grant],
    reserved: Mapping[str, Quantity] = FrozenDict(),
    notes: GrantNotes | None = None,
) -> dict[Unit, list[PooledGrant]]:
    """Return grants by their unit, those of each in the order in which they are drawn on.

    Dollars never pay euros, and money for one metric never another: each unit burns down alone.

    :param reserved: units, or major units of money, by grant, that aren't to be drawn.
    :param notes: takes the states of each at the instants that are asked about.
    """
    pools: dict[Unit, list[PooledGrant]] = {}
    for grant in grants:
        picos = scaled(reserved[grant.id]) if grant.id in reserved else 0
        pools.setdefault(grant.unit, []).append(PooledGrant(grant, picos, notes))
    for pool in pools.values():
        if len(pool) > 1:
            pool.sort(key=rank_of)
    return pools


def rank_of(pooled: PooledGrant) -> tuple[int, datetime, datetime, str]:
    """Return the rank of a grant: of several, that of the least is drawn on first."""
    return pooled.grant.rank


def draw_on(
    pool: Sequence[PooledGrant],
    uses: Iterable[Use],
    before: Burndown,
    end: datetime,
    rule: str = "final",
) -> Burndown:
    """Draw on the grants of one unit, as `burn_down` does, for usage that was checked.

    :param pool: all grants of the unit, in the order in which they are drawn on.
    :param uses: sorted, one for an instant; none before the burndown's instant or from the end on.
    :raises InvalidValue: if a grant that the burndown has is missing.
    """
    drawn = DrawnGrants(pool, before.unit, before.at, end, before, rule)
    drawn.run(uses)
    return drawn.burndown()


class DrawnGrants:
    """Burns down grants of one unit, from where an earlier burndown has left them.

    :param grants: in the order in which they are drawn on; all that `before` knows among them.
    :param unit: that of the grants.
    :param start: where to begin.
    :param end: up to where.
    :param before: an earlier burndown, at the start; None where nothing was drawn on yet.
    :param rule: whether overage is repaid, as `burn_down` takes it.
    """

    def __init__(
        self,
        grants: Iterable[PooledGrant],
        unit: Unit,
        start: datetime,
        end: datetime,
        before: Burndown | None,
        rule: str = "final",
    ) -> None:
        self._unit, self._end, self._rule = unit, end, rule
        self._grants: dict[str, DrawnGrant] = {}
        self._draws: list[Drawn] = []
        self._overage = self._unreturned = 0
        changes: list[datetime] = []
        states: dict[str, GrantState] = {}
        if before is not None:
            states = {state.grant_id: state for state in before.grants}
        for pooled in grants:
            grant_id = pooled.grant.id
            self._grants[grant_id] = drawn = DrawnGrant(pooled, states.pop(grant_id, None))
            changes += drawn.begin(start, end)
        if states:
            # A grant left out would take its units, and its draws, from the balance unseen.
            raise InvalidValue("grants", sorted(states), "must hold every grant that start has")
        # Only at these instants does anything happen to grants: between them, usage alone counts.
        self._coming = sorted(set(changes), reverse=True) if changes else []  # the latest first
        if before is not None:
            self._overage, self._unreturned = scaled(before.overage), scaled(before.unreturned)
            self._draws += [
                (self._grants[d.grant_id], d.at, scaled(d.quantity), scaled(d.covered))
                for d in before.draws
            ]
            self._repay(start)

    def run(self, uses: Iterable[Use]) -> None:
        """Go through time once.

        :param uses: sorted; all before the end.
        """
        for at, picos in uses:
            self.cross_until(at)
            if picos > 0:
                self._overage += self._draw(picos, at)
            elif picos < 0:
                self._give_back(-picos, at)
        self.cross_until(self._end)

    def cross_until(self, instant: datetime) -> None:
        """Do all that happens to grants up to an instant, that at it included."""
        while self._coming and self._coming[-1] <= instant:
            self._cross(self._coming.pop())

    def draw_alone(self, grant_id: str, need: int, at: datetime) -> int:
        """Draw on one grant, at an instant that was crossed; return the picos that it covers."""
        drawn = self._grants[grant_id].draw(need, at)
        _, _, picos, covered = drawn
        if picos:
            self._draws.append(drawn)
        return covered

    def leave(self, picos: int) -> None:
        """Count what no grant has covered."""
        self._overage += picos

    def burndown(self) -> Burndown:
        """Return the burndown of the grants at the end."""
        metric, currency = self._unit
        noted = (grant.state() for grant in self._grants.values())
        states = [state for state in noted if state is not None]
        if len(states) > 1:
            states.sort(key=_grant_id)
        return new_burndown(
            self._end,
            metric,
            currency,
            tuple(states),
            unscaled(self._overage),
            unscaled(self._unreturned),
            tuple(map(draw_of, self._draws)),
        )

    def _cross(self, instant: datetime) -> None:
        """End, refill and begin grants, and repay overage, before any usage."""
        for grant in self._grants.values():
            grant.cross(instant)
        self._repay(instant)

    def _repay(self, instant: datetime) -> None:
        """Repay overage, once all grants were crossed that begin or are refilled at an instant."""
        if self._rule != "final" and self._overage:
            self._overage = self._draw(self._overage, instant)

    def _draw(self, need: int, at: datetime) -> int:
        """Draw on the grants in their order; return the rest of the need, which none covers."""
        for grant in self._grants.values():
            if not need:
                break
            drawn = grant.draw(need, at)
            _, _, picos, covered = drawn
            if picos:
                self._draws.append(drawn)
                need -= covered
        return need

    def _give_back(self, picos: int, instant: datetime) -> None:
        """Take back overage, then draws, the latest first."""
        # Overage is still to be paid, drawn units are paid for already: so it is taken back first.
        from_overage = min(picos, self._overage)
        self._overage -= from_overage
        picos -= from_overage
        while picos and self._draws:  # the latest first: old payments stay
            latest = self._draws.pop()
            grant, *_, covered = latest
            still_drawn = grant.give_back(latest, picos, instant)
            *_, still_covered = still_drawn
            picos -= covered - still_covered
            if still_covered:
                self._draws.append(still_drawn)
        # Noted, for no draw is left: no usage vanishes, and no grant gets more than it had.
        self._unreturned += picos


def _grant_id(state: GrantState) -> str:
    return state.grant_id
