"""Corrections of draws on grants: later periods take into account that a closed one draws anew.

A grant is one over all periods. January and February are closed, with 40 and 60 drawn of 100. Then
January is corrected: it may draw 40 still, as the other 60 are February's. If it draws only 10, 30
are left again, for the first period that is open:

    drawn_later(january, [february], grants)          # {"top-up": 60}
    changes = changed_draws(january, corrected)       # {"top-up": DrawChange(held=-30, gone=0)}
    corrected_balance(february.balance, march_1, changes, corrected.balance, grants)

Of a grant that is filled anew each 15th, later periods need of the units that January leaves those
that were drawn until 15 February: from then on, they have what was granted anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import chain, takewhile
from typing import NamedTuple

from overages.amounts.exact import Quantity, scaled, unscaled
from overages.grants.burndown import Burndown, new_burndown
from overages.grants.drawn_grant import PooledGrant
from overages.grants.drawn_grants import draw_on
from overages.grants.grant import Grant
from overages.grants.state import Draw, GrantState, new_state
from overages.settlements.balance import Balance, new_balance
from overages.settlements.settlement import Settlement


class DrawChange(NamedTuple):
    """Picos that a period draws more, or less, on a grant.

    :param held: of the units that the grant holds at the period's end.
    :param gone: of units that were dropped in the period, as it was filled anew.
    """

    held: int
    gone: int


def drawn_later(
    end: datetime, later: Iterable[Settlement], grants: Iterable[Grant]
) -> Mapping[str, Quantity]:
    """Return the units that later periods need of those that grants hold at the end of one.

    :param end: the period's end.
    :param later: the settlements of later periods that are closed.
    :param grants: those that the period draws on.
    :returns: units, or money, by grant.
    """
    by_grant: dict[str, list[Draw]] = {}
    for draw in chain.from_iterable(map(_draws, later)):
        by_grant.setdefault(draw.grant_id, []).append(draw)
    needed = {
        grant.id: unscaled(_needed(grant, end, by_grant[grant.id]))
        for grant in grants
        if grant.id in by_grant
    }
    return {grant_id: quantity for grant_id, quantity in needed.items() if quantity}


def _needed(grant: Grant, end: datetime, draws: Sequence[Draw]) -> int:
    """Return the picos that draws after an instant need of what a grant holds at it."""
    last = max(draw.at for draw in draws)
    changes = [(draw.at, 1, scaled(draw.quantity)) for draw in draws]
    changes += [(at, 0, -scaled(grant.units)) for at in _fills(grant, end, last)]
    needed = 0
    for _, _, picos in sorted(changes, reverse=True):
        needed = max(0, needed + picos)
    return needed


def _fills(grant: Grant, start: datetime, end: datetime) -> Iterator[datetime]:
    """Yield the instants after one, up to another, at which a grant's units are granted."""
    first = max(start, grant.effective_at)
    if first > start:
        yield first
    if grant.recurrence is not None:
        refills = (period.end for period in grant.recurrence.periods_from(first))
        yield from takewhile(lambda refill: refill <= end, refills)


def changed_draws(before: Settlement | None, after: Settlement) -> Mapping[str, DrawChange]:
    """Return the units that a period draws more, or less, on each grant.

    :param before: the settlement that it was closed with; None if it was open.
    """
    old = {} if before is None else _drawn(before)
    new = _drawn(after)
    nothing = DrawChange(0, 0)
    changes = {}
    for grant_id in {**old, **new}:
        was, now = old.get(grant_id, nothing), new.get(grant_id, nothing)
        if was != now:
            changes[grant_id] = DrawChange(now.held - was.held, now.gone - was.gone)
    return changes


def _drawn(settlement: Settlement) -> dict[str, DrawChange]:
    """Return the picos that a period draws on each grant, of what it holds at the end or not."""
    states = _states(settlement.balance)
    drawn: dict[str, DrawChange] = {}
    for draw in _draws(settlement):
        held, gone = drawn.get(draw.grant_id, DrawChange(0, 0))
        if draw.at < states[draw.grant_id].filled_at:
            gone += scaled(draw.quantity)
        else:
            held += scaled(draw.quantity)
        drawn[draw.grant_id] = DrawChange(held, gone)
    return drawn


def _draws(settlement: Settlement) -> Iterator[Draw]:
    return chain.from_iterable(burndown.draws for burndown in settlement.burndowns)


def corrected_balance(
    balance: Balance,
    end: datetime,
    changes: Mapping[str, DrawChange],
    after: Balance,
    grants: Sequence[Grant],
) -> Balance:
    """Return a later balance, with the draws of an earlier period as they are now.

    Grants that were entered after the later period was closed go on through it, as it has drawn
    nothing on them.

    :param balance: that of the later period.
    :param end: its end.
    :param changes: the units that the earlier period draws more, or less.
    :param after: the balance that it leaves now.
    """
    filled = _states(after)
    by_id = {grant.id: grant for grant in grants}
    corrected = {each.unit: _corrected(each, changes, filled, by_id) for each in balance.burndowns}
    of_later = _states(balance)
    for burndown in after.burndowns:
        unit = burndown.unit
        new = tuple(state for state in burndown.grants if state.grant_id not in of_later)
        if new:
            pool = [PooledGrant(by_id[state.grant_id]) for state in new]
            before = new_burndown(burndown.at, *unit, new, 0, 0, ())
            states = draw_on(pool, (), before, end).grants
            if unit in corrected:
                states = tuple(sorted((*corrected[unit].grants, *states), key=_grant_id))
            corrected[unit] = new_burndown(end, *unit, states, 0, 0, ())
    return new_balance(balance.carried, balance.used, corrected.values(), balance.covered)


def all_of(grants: Iterable[Grant], balance: Balance, end: datetime) -> Mapping[str, Quantity]:
    """Return all that some grants hold from a balance on until an instant, by grant."""
    states = _states(balance)
    held = {}
    for grant in grants:
        fills = len(list(_fills(grant, states[grant.id].filled_at, end)))
        held[grant.id] = unscaled(scaled(states[grant.id].left) + fills * scaled(grant.units))
    return held


def _corrected(
    burndown: Burndown,
    changes: Mapping[str, DrawChange],
    filled: Mapping[str, GrantState],
    grants: Mapping[str, Grant],
) -> Burndown:
    states = []
    for state in burndown.grants:
        held, gone = changes.get(state.grant_id, (0, 0))
        is_alive = not _has_ended(grants.get(state.grant_id), burndown)
        before = filled.get(state.grant_id)
        is_filled_anew = before is not None and before.filled_at != state.filled_at
        redrawn = _redrawn(state, gone, is_alive=is_alive, is_filled_anew=True)
        redrawn = _redrawn(redrawn, held, is_alive=is_alive, is_filled_anew=is_filled_anew)
        states.append(redrawn)
    return new_burndown(burndown.at, burndown.metric, burndown.currency, tuple(states), 0, 0, ())


def _redrawn(state: GrantState, picos: int, *, is_alive: bool, is_filled_anew: bool) -> GrantState:
    """Return a state with more, or fewer, units drawn: taken from those left, or given back to it.

    Units of before a refill, or of a grant that has ended, are lost where nobody draws them.
    """
    lost = "voided" if state.voided and not is_filled_anew else "expired"
    order = ["expired", "voided", "left"] if is_filled_anew else ["left", "expired", "voided"]
    held = {name: scaled(getattr(state, name)) for name in order}
    if picos < 0:
        held["left" if is_alive and not is_filled_anew else lost] -= picos
    rest = max(0, picos)
    for name in order:
        taken = min(rest, held[name])
        held[name] -= taken
        rest -= taken
    return new_state(
        state.grant_id,
        state.granted,
        unscaled(scaled(state.drawn) + picos),
        unscaled(held["expired"]),
        unscaled(held["voided"]),
        state.filled_at,
    )


def _has_ended(grant: Grant | None, burndown: Burndown) -> bool:
    return grant is None or (grant.ends_at is not None and grant.ends_at <= burndown.at)


def _grant_id(state: GrantState) -> str:
    return state.grant_id


def _states(balance: Balance) -> dict[str, GrantState]:
    return {state.grant_id: state for burndown in balance.burndowns for state in burndown.grants}
