"""Corrections of draws on grants: later periods take into account that a closed one draws anew.

A grant is one over all periods. January and February are closed, with 40 and 60 drawn of 100. Then
January is corrected: it may draw 40 still, as the other 60 are February's. If it draws only 10, 30
are left again, for the first period that is open:

    drawn_later(january, [february])                  # {"top-up": 60}
    corrected_balance(february, january, corrected, grants)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain

from overages.amounts.exact import Quantity, scaled, unscaled
from overages.grants.burndown import Burndown, new_burndown
from overages.grants.grant import Grant
from overages.grants.state import GrantState, new_state
from overages.settlements.balance import Balance, new_balance


def drawn_later(balance: Balance, later: Iterable[Balance]) -> Mapping[str, Quantity]:
    """Return the draws of later periods on grants as they were filled by the end of a period.

    :param balance: the one that the period has left.
    :param later: those of later periods, in order of time.
    :returns: units, or money, by grant.
    """
    states = _states(balance)
    drawn: dict[str, Quantity] = {}
    for grant_id, state in chain.from_iterable(map(_states_items, later)):
        before = states.get(grant_id)
        # Of a grant that is filled anew, the later units aren't those that it had before.
        if before is None or before.filled_at == state.filled_at:
            drawn[grant_id] = unscaled(scaled(state.drawn) - _drawn(before))
    return {grant_id: quantity for grant_id, quantity in drawn.items() if quantity}


def corrected_balance(
    balance: Balance, before: Balance, after: Balance, grants: Sequence[Grant]
) -> Balance:
    """Return a later balance, with the draws of an earlier period as they are now.

    :param balance: that of the later period.
    :param before: the one that the earlier period left, or began with if it wasn't closed.
    :param after: the one that it leaves now.
    """
    old, new = _states(before), _states(after)
    changes = {
        grant_id: scaled(state.drawn) - _drawn(old.get(grant_id)) for grant_id, state in new.items()
    }
    by_id = {grant.id: grant for grant in grants}
    burndowns = [_corrected(burndown, changes, new, by_id) for burndown in balance.burndowns]
    return new_balance(balance.carried, balance.used, burndowns, balance.covered)


def _corrected(
    burndown: Burndown,
    changes: Mapping[str, int],
    filled: Mapping[str, GrantState],
    grants: Mapping[str, Grant],
) -> Burndown:
    states = tuple(
        _redrawn(
            state,
            changes.get(state.grant_id, 0),
            is_alive=not _has_ended(grants.get(state.grant_id), burndown),
            is_filled_anew=state.grant_id in filled
            and filled[state.grant_id].filled_at != state.filled_at,
        )
        for state in burndown.grants
    )
    return new_burndown(burndown.at, burndown.metric, burndown.currency, states, 0, 0, ())


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


def _states(balance: Balance) -> dict[str, GrantState]:
    return dict(_states_items(balance))


def _states_items(balance: Balance) -> list[tuple[str, GrantState]]:
    return [(state.grant_id, state) for burndown in balance.burndowns for state in burndown.grants]


def _drawn(state: GrantState | None) -> int:
    return 0 if state is None else scaled(state.drawn)
