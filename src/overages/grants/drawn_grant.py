"""A grant while it is drawn on: what was drawn, expired and voided, and what is left, in picos.

    drawn_on = DrawnGrant(grant, state)               # not filled before it is effective
    changes = drawn_on.begin(start, end)              # at these instants, something happens to it
    for instant in changes: drawn_on.cross(instant)
    drawn = drawn_on.draw(need, at)
    drawn_on.give_back(drawn, picos, later)

Which of several is drawn on, and when each is crossed, is for `overages.grants.drawn_grants`.
"""

from __future__ import annotations

from collections.abc import Iterator, Set
from datetime import datetime
from typing import Final, NamedTuple, TypeAlias

from overages.amounts.exact import Quantity, scaled, unscaled
from overages.grants.grant import Grant
from overages.grants.state import Draw, GrantState, new_draw, new_state
from overages.periods.cycle import Cycle

_NEVER: Final = frozenset[datetime]()


class GrantNotes:
    """The states of grants at instants, as before anything that happens then.

    :param since: the first instant that is asked about.
    """

    def __init__(self, since: datetime) -> None:
        self._since = since
        self._noted: dict[str, list[tuple[datetime, GrantState | None]]] = {}

    def note(self, drawn: DrawnGrant, instant: datetime) -> None:
        """Note the state of a grant before something happens to it at an instant."""
        if self._since < instant:
            self._noted.setdefault(drawn.grant.id, []).append((instant, drawn.state()))

    def states(
        self, grant: Grant, at_end: GrantState | None, first: datetime, last: datetime
    ) -> list[GrantState | None]:
        """Return the states of a grant in order of time; None before it is effective.

        :param at_end: the state at the end of the time that was gone through.
        :param first: the instant of the first of them.
        :param last: that of the last.
        """
        states: list[GrantState | None] = []
        for instant, state in self._noted.get(grant.id, []):
            if first < instant:
                states.append(state)
            if last < instant:
                return states
        return [*states, at_end]


class PooledGrant(NamedTuple):
    """A grant among others of its unit.

    :param reserved: picos of those that it holds at the end: later periods, which are closed, have
        drawn them on it, and they stay theirs.
    :param notes: takes its states at the instants that are asked about.
    """

    grant: Grant
    reserved: int = 0
    notes: GrantNotes | None = None


Drawn: TypeAlias = tuple["DrawnGrant", datetime, int, int]
"""A draw on a grant in picos: when, how many were drawn, and how many of the usage they cover."""


def draw_of(drawn: Drawn) -> Draw:
    """Return a draw in units, or in major units of money."""
    grant, at, picos, covers = drawn
    quantity = unscaled(picos)
    covered = quantity if covers == picos else unscaled(covers)
    return new_draw(grant.grant.id, at, quantity, covered)


class DrawnGrant:
    """A grant in picos: drawn, expired, voided, left; not filled before it is effective."""

    __slots__ = (
        "drawn", "expired", "filled_at", "grant", "granted", "left", "notes",
        "refilled_at", "refills_coming", "reserved", "voided",
    )  # fmt: skip

    def __init__(self, pooled: PooledGrant, state: GrantState | None) -> None:
        self.grant: Grant
        self.reserved: int
        self.notes: GrantNotes | None
        self.grant, self.reserved, self.notes = pooled
        self.filled_at: datetime | None = None
        self.granted: int = 0
        self.drawn: int = 0
        self.expired: int = 0
        self.voided: int = 0
        self.left: int = 0
        self.refilled_at: Set[datetime] = _NEVER
        """The instants of its refills until the end of the time that is gone through."""
        self.refills_coming: int = 0
        """The number of them that are still to come."""
        if state is not None:
            self.filled_at = state.filled_at
            self.granted, self.drawn = scaled(state.granted), scaled(state.drawn)
            self.expired, self.voided = scaled(state.expired), scaled(state.voided)
            self.left = self.granted - self.drawn - self.expired - self.voided

    def available(self) -> int:
        """The picos that can be drawn: those left, less those that are reserved.

        Units that are granted anew until the end are there for later periods, too.
        """
        if not self.reserved:
            return self.left
        coming = self.refills_coming * self.grant.picos
        return max(0, self.left - max(0, self.reserved - coming))

    def state(self) -> GrantState | None:
        """Return its state, in units or major units of money; None before it is effective."""
        if self.filled_at is None:
            return None
        return new_state(
            self.grant.id,
            unscaled(self.granted),
            unscaled(self.drawn),
            unscaled(self.expired),
            unscaled(self.voided),
            self.filled_at,
        )

    def has_ended(self, instant: datetime) -> bool:
        """Tell whether it has expired or was voided by an instant."""
        end = self.grant.ends_at
        return end is not None and end <= instant

    def begin(self, start: datetime, end: datetime) -> list[datetime]:
        """Cross the first instant of a time; return the later ones at which something happens."""
        grant, changes = self.grant, []
        self.cross(start)
        if start < grant.effective_at <= end:
            changes.append(grant.effective_at)
        if grant.ends_at is not None and start < grant.ends_at <= end:
            changes.append(grant.ends_at)
        if grant.recurrence is not None:
            self.refilled_at = set(self.refills(grant.recurrence, start, end))
            self.refills_coming = len(self.refilled_at)
            changes += self.refilled_at
        return changes

    def refills(self, cycle: Cycle, start: datetime, end: datetime) -> Iterator[datetime]:
        """Yield the boundaries of its cycle that grant the amount anew, up to an end."""
        since = max(start, self.grant.effective_at)
        if since >= end or self.has_ended(since):
            return
        for period in cycle.periods_from(since):
            if period.end > end or self.has_ended(period.end):
                return
            yield period.end

    def cross(self, instant: datetime) -> None:
        """End, refill or begin the grant at an instant, before anything is used at it."""
        if self.filled_at is None:
            if self.grant.effective_at <= instant and not self.has_ended(instant):
                self._note(instant)
                self._fill(instant)
        elif self.has_ended(instant):
            self._note(instant)
            # Lost before usage at this instant: the instant of its end is no part of a grant.
            self._lose(self.left)
            self.left = 0  # later instants find nothing more to lose
        elif instant in self.refilled_at:
            self._note(instant)
            self.refills_coming -= 1
            self._drop_beyond(self.grant.refill_keeps)
            self._fill(instant)

    def draw(self, need: int, at: datetime) -> Drawn:
        """Draw on it for a need: all steps that the need starts, as far as they are left."""
        picos = min(self.available(), self._in_steps(need))  # the last step may not be left whole
        self.left -= picos
        self.drawn += picos
        # In steps of 10, a need of 13 draws 20 and covers 13: the other 7 are gone, as was agreed.
        return self, at, picos, min(need, picos)

    def give_back(self, drawn: Drawn, picos: int, instant: datetime) -> Drawn:
        """Give back the units that a draw no longer covers; return the rest of the draw."""
        _, drawn_at, all_drawn, covered_before = drawn
        covered = max(0, covered_before - picos)
        # Steps that were started stay drawn while any of them is used, as if less had been used.
        still_drawn = min(all_drawn, self._in_steps(covered))
        given_back = all_drawn - still_drawn
        self.drawn -= given_back
        if self.has_ended(instant):
            self._lose(given_back)
        # Units of before a refill must not come on top of it: they would have been dropped at it.
        elif self.filled_at is not None and drawn_at < self.filled_at:
            self.expired += given_back  # the units left at that refill were dropped
        else:
            self.left += given_back
        return self, drawn_at, still_drawn, covered

    def _note(self, instant: datetime) -> None:
        if self.notes is not None:
            self.notes.note(self, instant)

    def _in_steps(self, picos: int) -> int:
        if self.grant.step is None:
            return picos
        step = scaled(self.grant.step)
        return -(-picos // step) * step

    def _lose(self, picos: int) -> None:
        """Count the units that are lost by the grant's end."""
        if self.grant.expires_at != self.grant.ends_at:  # it was voided before
            self.voided += picos
        else:
            self.expired += picos

    def _drop_beyond(self, most: Quantity | None) -> None:
        """Drop the units left beyond a quantity; None drops nothing."""
        if most is not None:
            dropped = max(0, self.left - scaled(most))
            self.expired += dropped
            self.left -= dropped

    def _fill(self, instant: datetime) -> None:
        picos = self.grant.picos
        self.granted += picos
        self.left += picos
        self.filled_at = instant
