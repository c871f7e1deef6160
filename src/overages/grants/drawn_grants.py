"""Grants while they are drawn on, those of one unit: one pass through time, in picos.

It is the inner part of `burn_down`, which says in which order it goes, and why. Whoever has checked
grants and usage, or has made them, draws on them here:

    pools = pools_of(grants)                          # each unit's grants, in their order
    draw_on(pools["tokens", None], uses, before, end)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from datetime import datetime
from typing import NamedTuple, TypeAlias

from overages._ground.frozen_dict import FrozenDict
from overages.amounts.exact import Quantity, scaled, unscaled
from overages.amounts.money import Currency
from overages.errors import InvalidValue
from overages.grants.burndown import Burndown, new_burndown
from overages.grants.drawn_grant import Drawn, DrawnGrant, PooledGrant
from overages.grants.grant import Grant
from overages.grants.state import GrantState

Unit: TypeAlias = tuple[str | None, Currency | None]
"""The metric and the currency of a grant, or of usage."""


class Use(NamedTuple):
    """All that was used at one instant, in picos; negative where usage was taken back."""

    at: datetime
    picos: int


def pools_of(
    grants: Iterable[Grant], reserved: Mapping[str, Quantity] = FrozenDict()
) -> dict[Unit, list[PooledGrant]]:
    """Return grants by their unit, those of each in the order in which they are drawn on.

    Dollars never pay euros, and money for one metric never another: each unit burns down alone.

    :param reserved: units, or major units of money, by grant, that aren't to be drawn.
    """
    pools: dict[Unit, list[PooledGrant]] = {}
    for grant in grants:
        pooled = PooledGrant(grant, scaled(reserved[grant.id]) if grant.id in reserved else 0)
        pools.setdefault((grant.metric, grant.currency), []).append(pooled)
    for pool in pools.values():
        if len(pool) > 1:
            pool.sort(key=lambda pooled: pooled.grant.rank)
    return pools


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
    drawn = DrawnGrants(pool, before, rule)
    drawn.run(uses, end)
    return drawn.burndown(end)


class DrawnGrants:
    """Burns down grants of one unit, from where an earlier burndown has left them.

    :param grants: in the order in which they are drawn on; all that `before` knows among them.
    :param before: where to begin.
    :param rule: whether overage is repaid, as `burn_down` takes it.
    """

    def __init__(self, grants: Sequence[PooledGrant], before: Burndown, rule: str) -> None:
        states = {state.grant_id: state for state in before.grants}
        self._grants = {
            each.grant.id: DrawnGrant(each, states.pop(each.grant.id, None)) for each in grants
        }
        if states:
            # A grant left out would take its units, and its draws, from the balance unseen.
            raise InvalidValue("grants", sorted(states), "must hold every grant that start has")
        self._before = before
        self._rule = rule
        self._overage, self._unreturned = scaled(before.overage), scaled(before.unreturned)
        self._refills: dict[str, Set[datetime]] = {}
        self._coming: list[datetime] = []  # the latest first
        self._draws = [
            Drawn(self._grants[d.grant_id], d.at, scaled(d.quantity), scaled(d.covered))
            for d in before.draws
        ]

    def run(self, uses: Iterable[Use], end: datetime) -> None:
        """Go through time once.

        :param uses: sorted; all before the end.
        """
        self.begin(end)
        for at, picos in uses:
            self.cross_until(at)
            if picos > 0:
                self._overage += self._draw(picos, at)
            else:
                self._give_back(-picos, at)
        self.cross_until(end)

    def begin(self, end: datetime) -> None:
        """Begin to go through time, up to an end."""
        start = self._before.at
        # Only at these instants does anything happen to grants: between them, usage alone counts.
        changes = {start}
        for key, grant in self._grants.items():
            changes.add(grant.grant.effective_at)
            if grant.end is not None:
                changes.add(grant.end)
            cycle = grant.grant.recurrence
            if cycle is not None:
                self._refills[key] = set(grant.refills(cycle, start, end))
                changes |= self._refills[key]
                grant.refills_coming = len(self._refills[key])
        self._coming = sorted([at for at in changes if start <= at <= end], reverse=True)

    def cross_until(self, instant: datetime) -> None:
        """Do all that happens to grants up to an instant, that at it included."""
        while self._coming and self._coming[-1] <= instant:
            self._cross(self._coming.pop())

    def draw_alone(self, grant_id: str, need: int, at: datetime) -> int:
        """Draw on one grant, at an instant that was crossed; return the picos that it covers."""
        grant = self._grants[grant_id]
        if not (need and grant.available):
            return 0
        drawn = grant.draw(need, at)
        self._draws.append(drawn)
        return drawn.covered

    def leave(self, picos: int) -> None:
        """Count what no grant has covered."""
        self._overage += picos

    def burndown(self, at: datetime) -> Burndown:
        """Return the burndown of the grants at an instant."""
        states = [
            grant.state(grant.filled_at)
            for grant in self._grants.values()
            if grant.filled_at is not None
        ]
        return new_burndown(
            at,
            self._before.metric,
            self._before.currency,
            tuple(sorted(states, key=_grant_id)),
            unscaled(self._overage),
            unscaled(self._unreturned),
            tuple([draw.draw() for draw in self._draws]),
        )

    def _cross(self, instant: datetime) -> None:
        """End, refill and begin grants, and repay overage, before any usage."""
        for key, grant in self._grants.items():
            grant.cross(instant, is_refilled=instant in self._refills.get(key, ()))
        # After all grants were crossed, so that those that begin at this instant repay it too.
        if self._rule != "final" and self._overage:
            self._overage = self._draw(self._overage, instant)

    def _draw(self, need: int, at: datetime) -> int:
        """Draw on the grants in their order; return the rest of the need, which none covers."""
        for grant in self._grants.values():
            if not need:
                break
            if grant.available:
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


def _grant_id(state: GrantState) -> str:
    return state.grant_id
